/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups. A group is gone at once when it is deleted, with its rules: nothing uses it any more then,
 * since deletion is refused while a network interface, an endpoint or another group's rule names it. Rules
 * beyond one transaction's room stay behind under an id that no one has again, and control removes them.
 */
#include "../../model/check.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

static int read_texts(struct call *call, struct security_group *row)
{
	const char *name = call_string(call, "SecurityGroupName"), *text = call_string(call, "Description");

	if (name && name[0] && (!check_name(name, true) || strlen(name) >= NAME_SIZE))
		return call_fail(call, "InvalidSecurityGroupName.Malformed");
	if (name && name[0])
		row->name = name;
	if (!text)
		return 0;
	if ((text[0] && !check_description(text)) || strlen(text) >= TEXT_SIZE)
		return call_fail_named(call, "Invalid{Name}.Malformed", "SecurityGroupDiscription");
	row->description = text;
	return 0;
}

int security_group_create(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	const char *type = call_string(call, "SecurityGroupType");
	struct security_group row = {.owner = call->account->uid, .create_time = call->now};
	int r;

	if (!vpc)
		return call_fail(call, "InvalidVpcId.NotFound");
	if (vpc->status == VPC_DELETING)
		return call_fail(call, "IncorrectVpcStatus");
	r = quota_check_one(call, row.owner, QUOTA_SECURITY_GROUPS, vpc->region);
	if (r == 0)
		r = quota_check_share(call, row.owner, QUOTA_ALL_GROUPS, 0, 1);
	if (r < 0)
		return r;
	r = read_texts(call, &row);
	if (r < 0)
		return r;
	r = read_resource_group(call, "InvalidResourceGroup.NotFound", row.resource_group);
	if (r < 0)
		return r;

	row.type = type && (type[0] == 'e' || type[0] == 'E') ? SG_ENTERPRISE : SG_NORMAL;
	row.inner_accept = row.type == SG_NORMAL;
	call_new_id(call, "sg-", row.id);
	(void)str_copy(row.region, sizeof(row.region), vpc->region);
	(void)str_copy(row.vpc, sizeof(row.vpc), vpc->id);
	r = tags_create(call, row.id, "securitygroup");
	if (r < 0)
		return r;
	call_put(call, KIND_SECURITY_GROUP, &row);
	answer_row(call->answer, call->action->answer, KIND_SECURITY_GROUP, &row);
	return 0;
}

static bool group_in_use(const struct call *call, const char *id)
{
	const struct snapshot *rows = call->rows;

	if (snapshot_count_children(rows, REF_PORT_GROUPS, id) > 0 ||
	    snapshot_count_children(rows, REF_LOAD_BALANCER_GROUPS, id) > 0 ||
	    snapshot_count_children(rows, REF_ENDPOINT_GROUPS, id) > 0 ||
	    snapshot_count_children(rows, REF_ENDPOINT_DETACHING, id) > 0)
		return true;
	for (const struct sg_rule *s = NULL; (s = snapshot_children(rows, REF_SG_RULE_OTHER_GROUP, id, s));)
		if (!streq(s->group, id) && snapshot_security_group(rows, s->group))
			return true;
	return false;
}

int security_group_delete(struct call *call)
{
	const struct security_group *group = owned_security_group(call, call_string(call, "SecurityGroupId"));
	size_t room = RULES_PER_CALL_MAX - TAGS_PER_RESOURCE_MAX;
	int r;

	if (!group)
		return call_fail(call, "InvalidSecurityGroup.NotFound");
	if (group_in_use(call, group->id)) {
		/* The same code is a 400 in VPC and a 403 here. */
		r = call_fail(call, "DependencyViolation");
		call->error.status = 403;
		return r;
	}
	call_delete(call, KIND_SECURITY_GROUP, group);
	tags_drop(call, group->id);
	for (const struct sg_rule *s = NULL;
	     room && (s = snapshot_children(call->rows, REF_SG_RULE_GROUP, group->id, s)); room--)
		call_delete(call, KIND_SG_RULE, s);
	return 0;
}

int security_group_modify(struct call *call)
{
	const struct security_group *group = owned_security_group(call, call_string(call, "SecurityGroupId"));
	struct security_group row;
	int r;

	if (!group)
		return call_fail(call, "InvalidSecurityGroupId.NotFound");
	row = *group;
	r = read_texts(call, &row);
	if (r < 0)
		return r;
	call_put(call, KIND_SECURITY_GROUP, &row);
	return 0;
}

int security_group_set_policy(struct call *call)
{
	const struct security_group *group = owned_security_group(call, call_string(call, "SecurityGroupId"));
	const char *policy = call_string(call, "InnerAccessPolicy");
	struct security_group row;

	if (!group)
		return call_fail(call, "InvalidSecurityGroupId.NotFound");
	if (group->type != SG_NORMAL)
		return call_fail(call, "InvalidOperation.SecurityGroupType");
	row = *group;
	row.inner_accept = policy[0] == 'A' || policy[0] == 'a';
	call_put(call, KIND_SECURITY_GROUP, &row);
	return 0;
}

int security_group_join_resource_group(struct call *call)
{
	const struct security_group *group = owned_security_group(call, call_string(call, "ResourceId"));
	struct security_group row;
	int r;

	if (!group)
		return call_fail(call, "InvalidResourceId.NotFound");
	row = *group;
	r = read_resource_group(call, "InvalidResourceGroup.NotFound", row.resource_group);
	if (r == 0)
		call_put(call, KIND_SECURITY_GROUP, &row);
	return r;
}

static void add_counts(const struct call *call, json_t *item, const void *row)
{
	const char *id = ((const struct security_group *)row)->id;
	int64_t rules = 0, naming_groups = 0, instances = 0;

	for (const struct sg_rule *s = NULL; (s = snapshot_children(call->rows, REF_SG_RULE_GROUP, id, s));) {
		rules++;
		naming_groups += s->other_group[0] != '\0';
	}
	for (const struct port *p = NULL; (p = snapshot_children(call->rows, REF_PORT_GROUPS, id, p));)
		instances += p->kind == PORT_INSTANCE;
	answer_int(item, "RuleCount", rules);
	answer_int(item, "GroupToGroupRuleCount", naming_groups);
	answer_int(item, "EcsCount", instances);
}

static size_t count_looks(const struct call *call, const void *row)
{
	const char *id = ((const struct security_group *)row)->id;

	return snapshot_count_children(call->rows, REF_SG_RULE_GROUP, id) +
	       snapshot_count_children(call->rows, REF_PORT_GROUPS, id);
}

static bool name_matches(const struct call *call, const char *name)
{
	return call_bool(call, "FuzzyQuery", false) ? filter_part(call, "SecurityGroupName", name)
						    : filter_text(call, "SecurityGroupName", name);
}

static bool group_wanted(const struct call *call, const void *row)
{
	const struct security_group *g = row;

	return filter_text(call, "SecurityGroupId", g->id) && filter_list(call, "SecurityGroupIds", g->id) &&
	       name_matches(call, g->name) &&
	       filter_text(call, "SecurityGroupType", enum_name(sg_type_names, g->type)) &&
	       filter_text(call, "VpcId", g->vpc) && filter_text(call, "NetworkType", "vpc") &&
	       filter_resource_group(call, g->resource_group) && !call_bool(call, "ServiceManaged", false) &&
	       tags_match(call, g->id);
}

int security_group_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"SecurityGroupId", REF_COUNT_},
		{"SecurityGroupIds", REF_COUNT_},
		{"VpcId", REF_SECURITY_GROUP_VPC, true},
		{},
	};
	static const struct listing listing = {KIND_SECURITY_GROUP, group_wanted, add_counts,
					       .filters = filters, .looks = count_looks};

	answer_string(call->answer, "RegionId", call->region);
	return list_owned(call, &listing);
}

/* The members that say where from and where to; those of the other direction and family stand there empty. */
static void answer_sides(json_t *item, const struct sg_rule *rule)
{
	bool in = rule->direction == SG_INGRESS, by_group = rule->other_group[0];
	bool v4 = rule->cidr.length >= 96 && netaddr_is_v4(&rule->cidr.addr);
	char cidr[NETPREFIX_TEXT_SIZE] = "";

	if (!by_group)
		netprefix_format(&rule->cidr, cidr);
	answer_string(item, "SourceCidrIp", in && v4 ? cidr : "");
	answer_string(item, "DestCidrIp", !in && v4 ? cidr : "");
	answer_string(item, "Ipv6SourceCidrIp", in && !v4 ? cidr : "");
	answer_string(item, "Ipv6DestCidrIp", !in && !v4 ? cidr : "");
	answer_string(item, "SourceGroupId", in ? rule->other_group : "");
	answer_string(item, "DestGroupId", in ? "" : rule->other_group);
}

static void add_sides(const struct call *call _unused_, json_t *item, const void *row)
{
	const struct sg_rule *rule = row;
	char ports[32];

	(void)str_format(ports, sizeof(ports), "%d/%d", rule->port_first, rule->port_last);
	answer_string(item, "PortRange", ports);
	answer_sides(item, rule);
}

static bool rule_wanted(const struct call *call, const void *row)
{
	const char *direction = call_string(call, "Direction");
	const struct sg_rule *rule = row;

	if (!direction || direction[0] == 'a' || direction[0] == 'A')
		return true;
	return (direction[0] == 'i' || direction[0] == 'I') == (rule->direction == SG_INGRESS);
}

int security_group_get(struct call *call)
{
	static const struct listing listing = {KIND_SG_RULE, rule_wanted, add_sides, .of = "SecurityGroupId"};
	const struct security_group *group = owned_security_group(call, call_string(call, "SecurityGroupId"));

	if (!group)
		return call_fail(call, "InvalidSecurityGroupId.NotFound");
	answer_row(call->answer, call->action->answer, KIND_SECURITY_GROUP, group);
	return list_children(call, &listing, REF_SG_RULE_GROUP, group->id);
}
