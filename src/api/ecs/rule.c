/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding and removing rules of security groups. Rules come as Permissions.N, up to a limit a call, or one by
 * itself in the older form without a number. Adding what is there already is success and adds nothing;
 * removing by description what is not there is success too.
 */
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "actions.h"

/* The rules that a call describes, and how many. */
struct wish {
	struct sg_rule *v;
	size_t n;
};

static void wish_done(struct wish *wish)
{
	free(wish->v);
}

static int read_wish(struct call *call, const struct security_group *group, enum sg_direction direction,
		     struct wish *ret)
{
	json_t *permissions = call_list(call, "Permissions");
	size_t n = permissions ? json_array_size(permissions) : 1;
	int r;

	ret->v = calloc(n ? n : 1, sizeof(ret->v[0]));
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *object = permissions ? json_array_get(permissions, i) : call->params;

		r = rule_check(call, object, group, direction, &ret->v[i]);
		if (r < 0)
			return r;
		ret->n++;
	}
	return 0;
}

static const struct sg_rule *find_same(const struct call *call, const struct sg_rule *rule)
{

	for (const struct sg_rule *s = NULL;
	     (s = snapshot_children(call->rows, REF_SG_RULE_GROUP, rule->group, s));)
		if (rule_same(s, rule))
			return s;
	return NULL;
}

/* Whether the wish has the rule among its first n. */
static bool wished_before(const struct wish *wish, size_t n, const struct sg_rule *rule)
{
	for (size_t i = 0; i < n; i++)
		if (rule_same(&wish->v[i], rule))
			return true;
	return false;
}

static void count_rules(const struct call *call, const char *group, size_t *ret_all,
			size_t *ret_naming_groups)
{

	*ret_all = *ret_naming_groups = 0;
	for (const struct sg_rule *s = NULL;
	     (s = snapshot_children(call->rows, REF_SG_RULE_GROUP, group, s));) {
		(*ret_all)++;
		*ret_naming_groups += s->other_group[0] != '\0';
	}
}

static int authorize(struct call *call, enum sg_direction direction)
{
	const struct security_group *group = owned_security_group(call, call_string(call, "SecurityGroupId"));
	_cleanup_(wish_done) struct wish wish = {};
	size_t n_rules, n_naming_groups, n_all_rules;
	int r;

	if (!group)
		return call_fail(call, "InvalidSecurityGroupId.NotFound");
	r = read_wish(call, group, direction, &wish);
	if (r < 0)
		return r;

	count_rules(call, group->id, &n_rules, &n_naming_groups);
	n_all_rules = quota_usage(call->rows, group->owner, QUOTA_ALL_RULES, "");
	for (size_t i = 0; i < wish.n; i++) {
		struct sg_rule *rule = &wish.v[i];

		if (find_same(call, rule) || wished_before(&wish, i, rule))
			continue;
		n_naming_groups += rule->other_group[0] != '\0';
		if (n_naming_groups > RULES_NAMING_GROUPS_MAX)
			return call_fail_detail(call, "AuthorizationLimitExceed",
						"So many name other groups: %d.", RULES_NAMING_GROUPS_MAX);
		r = quota_check(call, group->owner, QUOTA_RULES, n_rules++, 1);
		if (r == 0)
			r = quota_check(call, group->owner, QUOTA_ALL_RULES, n_all_rules++, 1);
		if (r < 0)
			return r;
		call_new_id(call, "sgr-", rule->id);
		call_put(call, KIND_SG_RULE, rule);
	}
	return 0;
}

int rule_authorize_ingress(struct call *call)
{
	return authorize(call, SG_INGRESS);
}

int rule_authorize_egress(struct call *call)
{
	return authorize(call, SG_EGRESS);
}

static int revoke_by_id(struct call *call, const struct security_group *group, enum sg_direction direction,
			json_t *ids)
{
	char key[2 * ID_SIZE];
	json_t *id;
	size_t i;

	json_array_foreach(ids, i, id) {
		const struct sg_rule *rule = NULL;

		if (json_is_string(id) &&
		    str_format(key, sizeof(key), "%s/%s", group->id, json_string_value(id)) >= 0)
			rule = snapshot_find(call->rows, KIND_SG_RULE, key);
		if (!rule || rule->direction != direction)
			return call_fail(call, "InvalidSecurityGroupRuleId.NotFound");
		call_delete(call, KIND_SG_RULE, rule);
	}
	return 0;
}

static int revoke_rules(struct call *call, enum sg_direction direction)
{
	const struct security_group *group = owned_security_group(call, call_string(call, "SecurityGroupId"));
	json_t *ids = call_list(call, "SecurityGroupRuleId");
	_cleanup_(wish_done) struct wish wish = {};
	int r;

	if (!group)
		return call_fail(call, "InvalidSecurityGroupId.NotFound");
	if (ids)
		return revoke_by_id(call, group, direction, ids);

	r = read_wish(call, group, direction, &wish);
	if (r < 0)
		return r;
	for (size_t i = 0; i < wish.n; i++) {
		const struct sg_rule *rule = find_same(call, &wish.v[i]);

		if (rule)
			call_delete(call, KIND_SG_RULE, rule);
	}
	return 0;
}

int rule_revoke_ingress(struct call *call)
{
	return revoke_rules(call, SG_INGRESS);
}

int rule_revoke_egress(struct call *call)
{
	return revoke_rules(call, SG_EGRESS);
}
