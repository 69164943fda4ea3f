/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ResourceManager: an account's resource groups.
 */
#include "resourcemanager.h"

#include "limits.h"

static const struct param_spec resource_group_create_params[] = {
	{"Name", PARAM_STRING, .required = true,
	 OPTION("NAME", "3 to 50 letters, digits and -, first a letter")},
	{"DisplayName", PARAM_STRING, .required = true, OPTION("--display-name", "1 to 50 characters")},
	{},
};

static const struct param_spec resource_group_id_params[] = {
	{"ResourceGroupId", PARAM_STRING, .required = true, OPTION("GROUP", "rg-…")},
	{},
};

static const struct param_spec resource_group_get_params[] = {
	{"ResourceGroupId", PARAM_STRING, .required = true, OPTION("GROUP", "rg-…")},
	{"IncludeTags", PARAM_BOOL, .help = "no effect: groups have no tags"},
	{},
};

static const char *const resource_group_states[] = {"Creating", "OK", "PendingDelete", NULL};

static const struct param_spec resource_group_list_params[] = {
	{"ResourceGroupId", PARAM_STRING},
	{"ResourceGroupIds", PARAM_LIST, .min = 1, .max = 100},
	{"Name", PARAM_STRING, OPTION("--name", "only those whose name has this in it")},
	{"DisplayName", PARAM_STRING},
	{"Status", PARAM_STRING, .values = resource_group_states},
	{"IncludeTags", PARAM_BOOL, .help = "no effect: groups have no tags"},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static const struct answer_field resource_group_answer[] = {
	{"Id", OF(resource_group, id), IN_BOTH("Group", 1, 1)},
	{"Name", OF(resource_group, name), IN_BOTH("Name", 2, 2)},
	{"DisplayName", OF(resource_group, display_name), IN_BOTH("Display name", 3, 3)},
	{"AccountId", DECIMAL_OF(resource_group, owner)},
	{"Status", TEXT("OK")},
	{"CreateDate", TIME_OF(resource_group, create_time), IN_BOTH("Created", 4, 4)},
	{},
};

static const struct answer_field region_status_answer[] = {
	{"RegionId", A_TEXT},
	{"Status", TEXT("OK")},
	{},
};

static const struct answer_field resource_group_one[] = {
	SAME(resource_group_answer),
	{"RegionStatuses", LIST("RegionStatus", region_status_answer)},
	{},
};

static const struct answer_field resource_group_get_answer[] = {
	{"ResourceGroup", AN_OBJECT(resource_group_one)},
	{},
};

static const struct answer_field resource_group_entry[] = {
	SAME(resource_group_answer),
	{"Tags", EMPTY("Tag")},
	{},
};

static const struct answer_field resource_group_list_answer[] = {
	{"ResourceGroups", LIST("ResourceGroup", resource_group_entry)},
	{},
};

static const struct paging pages = {.size_default = 10, .size_max = 100};

const struct action resourcemanager_actions[] = {
	RESOURCEMANAGER_ACTIONS(SCHEMA_ACTION){},
};
