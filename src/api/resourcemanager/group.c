/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource groups. The default one has no row: it is made up where one is shown, and stands first in lists.
 */
#include "../../model/check.h"
#include "../../model/resource_group.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/resource_group.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "actions.h"

#define NAME_MIN	 3
#define NAME_MAX	 50
#define DISPLAY_NAME_MAX 50

static struct resource_group default_group(const struct call *call)
{
	struct resource_group group = {
		.owner = call->account->uid,
		.name = "default",
		.display_name = "Default Resource Group",
		.create_time = call->account->create_time,
	};

	resource_group_default(group.owner, group.id);
	return group;
}

/* The caller's group that the parameter names. */
static int find_group(struct call *call, struct resource_group *ret)
{
	const char *id = call_string(call, "ResourceGroupId");
	const struct resource_group *group = owned_resource_group(call, id);

	if (!group && !is_default_group(call, id))
		return call_fail(call, "EntityNotExists.ResourceGroup");
	*ret = group ? *group : default_group(call);
	return 0;
}

/* A group is in every region. */
static void answer_group(struct call *call, const struct resource_group *group)
{
	json_t *object = shape_object(call->answer, "ResourceGroup");
	const struct answer_field *fields = answer_find(call->action->answer, "ResourceGroup")->members,
				  *field = answer_find(fields, "RegionStatuses");
	json_t *list;

	answer_row(object, fields, KIND_RESOURCE_GROUP, group);
	list = answer_list(object, fields, "RegionStatuses");
	for (size_t i = 0; i < call->catalogue->n_regions; i++)
		answer_string(answer_entry(list, field, KIND_COUNT_, NULL), "RegionId",
			      call->catalogue->regions[i].id);
}

static bool name_ok(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
			  others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t n = strlen(s);

	return n >= NAME_MIN && n <= NAME_MAX && strchr(letters, s[0]) && strspn(s, others) == n;
}

static int read_group(struct call *call, struct resource_group *ret)
{
	const char *name = call_string(call, "Name"), *display_name = call_string(call, "DisplayName");
	int n = utf8_length(display_name);

	if (!name_ok(name) || str_copy(ret->name, sizeof(ret->name), name) < 0)
		return call_fail_param(call, "Name",
				       "It must be of 3 to 50 letters, digits and -, first a letter.");
	if (n < 1 || n > DISPLAY_NAME_MAX ||
	    str_copy(ret->display_name, sizeof(ret->display_name), display_name) < 0)
		return call_fail_param(call, "DisplayName", "It must be of 1 to 50 characters.");
	return 0;
}

/* Walks the caller's groups that have rows. */
static const struct resource_group *next_group(const struct call *call, const struct resource_group *previous)
{
	return snapshot_owned(call->rows, KIND_RESOURCE_GROUP, call->account->uid, "", previous);
}

static bool name_taken(const struct call *call, const char *name)
{
	for (const struct resource_group *g = NULL; (g = next_group(call, g));)
		if (streq(g->name, name))
			return true;
	return streq(default_group(call).name, name);
}

int resource_group_create(struct call *call)
{
	struct resource_group group = {.owner = call->account->uid, .create_time = call->now};
	int r;

	r = read_group(call, &group);
	if (r < 0)
		return r;
	if (name_taken(call, group.name))
		return call_fail(call, "EntityAlreadyExists.ResourceGroup");
	r = quota_check_one(call, group.owner, QUOTA_RESOURCE_GROUPS, "");
	if (r < 0)
		return r;
	call_new_id(call, RESOURCE_GROUP_PREFIX, group.id);
	call_put(call, KIND_RESOURCE_GROUP, &group);
	answer_group(call, &group);
	return 0;
}

int resource_group_get(struct call *call)
{
	struct resource_group group;
	int r;

	r = find_group(call, &group);
	if (r == 0)
		answer_group(call, &group);
	return r;
}

int resource_group_delete(struct call *call)
{
	struct resource_group group;
	int r;

	r = find_group(call, &group);
	if (r < 0)
		return r;
	if (is_default_group(call, group.id))
		return call_fail(call, "OperationDenied.DefaultResourceGroup");
	if (snapshot_is_used(call->rows, KIND_RESOURCE_GROUP, group.id, REF_COUNT_))
		return call_fail(call, "DeleteConflict.ResourceGroup.Resource");
	call_delete(call, KIND_RESOURCE_GROUP, owned_resource_group(call, group.id));
	return 0;
}

static bool is_wanted(const struct call *call, const struct resource_group *group)
{
	const char *status = call_string(call, "Status");
	bool by_ids = call_list(call, "ResourceGroupIds");

	/* Groups are there at once, and have no tags. */
	return (!status || streq(status, "OK")) && !call_list(call, "Tag") &&
	       (by_ids ? filter_list(call, "ResourceGroupIds", group->id)
		       : filter_text(call, "ResourceGroupId", group->id)) &&
	       filter_part(call, "Name", group->name) &&
	       filter_part(call, "DisplayName", group->display_name);
}

int resource_group_list(struct call *call)
{
	const struct answer_field *field = answer_only_list(call->action->answer);
	json_t *list = answer_list(call->answer, call->action->answer, field->name);
	const struct resource_group first = default_group(call), *group = &first;
	struct page page;
	int r;

	r = page_begin(call, &page);
	if (r < 0)
		return r;
	for (; group; group = next_group(call, group == &first ? NULL : group))
		if (is_wanted(call, group) && page_match(&page, group->id))
			(void)answer_entry(list, field, KIND_RESOURCE_GROUP, group);
	page_end(call, &page);
	return 0;
}
