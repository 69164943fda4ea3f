/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route tables: each VPC has one, by its id only, since every vSwitch of a VPC reaches every other.
 */
#include "actions.h"

#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/resource_group.h"
#include "../common/tags.h"

static bool route_table_wanted(const struct call *call, const void *row)
{
	const struct vpc *vpc = row;

	return filter_text(call, "VpcId", vpc->id) &&
	       filter_text(call, "RouteTableId", vpc->route_table_id) &&
	       filter_text(call, "RouteTableName", "") && filter_text(call, "RouteTableType", "System") &&
	       filter_text(call, "RouterId", vpc->router_id) && filter_text(call, "RouterType", "VRouter") &&
	       filter_resource_group(call, vpc->resource_group) && tags_match(call, vpc->route_table_id);
}

static void add_status(const struct call *call, json_t *item, const void *row)
{
	const struct vpc *vpc = row;

	answer_string(item, "Status", vpc->status == VPC_AVAILABLE ? "Available" : "Pending");
	answer_vswitch_ids(call, item, vpc->id);
}

int route_table_list(struct call *call)
{
	static const struct list_filter filters[] = {{"VpcId", REF_COUNT_}, {}};
	static const struct listing listing = {KIND_VPC, route_table_wanted, add_status, .filters = filters};

	return list_owned(call, &listing);
}
