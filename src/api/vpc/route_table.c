/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route tables: each VPC has one, by its id only, since every vSwitch of a VPC reaches every other.
 */
#include "actions.h"

#include "../common/limits.h"
#include "../common/owned.h"
#include "../common/tags.h"
#include "../frame/shape.h"

static const char *const route_table_types[] = {"System", "Custom", NULL};
static const char *const router_types[] = {"VRouter", "VBR", NULL};

const struct param_spec route_table_list_params[] = {
	{"VpcId", PARAM_STRING},
	{"RouteTableId", PARAM_STRING},
	{"RouteTableName", PARAM_STRING},
	{"RouteTableType", PARAM_STRING, .values = route_table_types},
	{"RouterId", PARAM_STRING},
	{"RouterType", PARAM_STRING, .values = router_types},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"PageNumber", PARAM_INT},
	{"PageSize", PARAM_INT},
	{},
};

static bool route_table_wanted(const struct call *call, const struct vpc *vpc)
{
	return owned_here(call, vpc->owner, vpc->region) && filter_text(call, "VpcId", vpc->id) &&
	       filter_text(call, "RouteTableId", vpc->route_table_id) &&
	       filter_text(call, "RouteTableName", "") && filter_text(call, "RouteTableType", "System") &&
	       filter_text(call, "RouterId", vpc->router_id) && filter_text(call, "RouterType", "VRouter") &&
	       filter_text(call, "ResourceGroupId", vpc->resource_group) &&
	       tags_match(call, vpc->route_table_id);
}

int route_table_list(struct call *call)
{
	struct page page;
	json_t *list;
	int r;

	r = page_begin_number(call, &page, 10, 50);
	if (r < 0)
		return r;
	list = shape_wrapped(call->answer, "RouterTableList", "RouterTableListType");
	for (const struct vpc *v = NULL; (v = owned_next(call, KIND_VPC, v));) {
		json_t *item;

		if (!route_table_wanted(call, v) || !page_match(&page, v->id))
			continue;
		item = shape_item(list);
		answer_string(item, "RouteTableId", v->route_table_id);
		answer_string(item, "RouteTableType", "System");
		answer_string(item, "RouteTableName", "");
		answer_string(item, "Description", "");
		answer_string(item, "VpcId", v->id);
		answer_string(item, "RouterId", v->router_id);
		answer_string(item, "RouterType", "VRouter");
		answer_string(item, "AssociateType", "VSwitch");
		answer_string(item, "Status", v->status == VPC_AVAILABLE ? "Available" : "Pending");
		answer_string(item, "ResourceGroupId", v->resource_group);
		answer_int(item, "OwnerId", v->owner);
		answer_bool(item, "RoutePropagationEnable", false);
		answer_time(item, "CreationTime", v->create_time);
		answer_vswitch_ids(call, item, v->id);
		(void)shape_wrapped(item, "GatewayIds", "GatewayIds");
		(void)shape_wrapped(item, "Tags", "Tag");
	}
	page_end(call, &page);
	return 0;
}
