/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is: regions, zones, whether the product is open to the account, and the services that it may
 * connect to. Activation costs nothing and no other call demands it; it is kept so that clients find what
 * they ordered.
 */
#include "../../lib/ident.h"
#include "../../model/check.h"
#include "../../model/resource_group.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/regions.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"
#include "admission.h"
#include "region.h"
#include "words.h"

/* Whether places are asked for that serve a type of load balancer which is had here; a caller that names none
 * asks for all there are. */
static bool type_served(const struct call *call)
{
	const char *type = call_string(call, "ServiceResourceType");

	return !type || streq(type, "nlb") || streq(type, "slb") || streq(type, "ALL");
}

int privatelink_regions(struct call *call)
{
	const struct answer_field *field = answer_find(call->action->answer, "Regions");
	json_t *list = answer_list(call->answer, call->action->answer, "Regions");

	for (size_t i = 0; type_served(call) && i < call->catalogue->n_regions; i++)
		answer_region(call, answer_entry(list, field, KIND_COUNT_, NULL),
			      &call->catalogue->regions[i]);
	return 0;
}

/* Whether there is another region that endpoints, or services, of this one can belong to. On either side of
 * such a connection each zone of the region may stand. */
static bool has_partner(const struct catalogue *catalogue, const char *region)
{
	for (size_t i = 0; i < catalogue->n_regions; i++) {
		const char *other = catalogue->regions[i].id;

		if (!streq(other, region) && region_in_mainland(other) == region_in_mainland(region))
			return true;
	}
	return false;
}

int privatelink_zones(struct call *call)
{
	const struct catalogue_region *region = catalogue_region(call->catalogue, call->region);
	json_t *list = answer_list(call->answer, call->action->answer, "Zones");
	bool far = call_bool(call, "CrossRegion", false);

	if (type_served(call) && region && (!far || has_partner(call->catalogue, region->id)))
		answer_zones_of(region, list, answer_find(call->action->answer, "Zones"));
	return 0;
}

int privatelink_open(struct call *call)
{
	struct account row = *call->account;
	char order[ID_SIZE];

	if (row.privatelink_open)
		return call_fail(call, "OrderOpend");
	row.privatelink_open = true;
	call_put(call, KIND_ACCOUNT, &row);
	call_new_id(call, "", order);
	answer_string(call->answer, "OrderId", order);
	return 0;
}

int privatelink_check_open(struct call *call)
{
	if (!call->account->privatelink_open)
		return call_fail(call, "NeedOpenProduct");
	answer_row(call->answer, call->action->answer, KIND_ACCOUNT, call->account);
	return 0;
}

/* The region that services are asked for in. */
static const char *wanted_region(const struct call *call)
{
	const char *region = call_string(call, "ServiceRegionId");

	return region && region[0] ? region : call->region;
}

static bool service_there(const struct call *call, const void *row)
{
	const struct service *s = row;

	return streq(s->region, wanted_region(call)) && region_served(s, call->region) &&
	       s->status != SERVICE_DELETING;
}

static bool service_wanted(const struct call *call, const void *row)
{
	const struct service *s = row;
	bool own = s->owner == call->account->uid;

	/* Tags and resource group are the owner's, and match nobody else's filters. */
	return filter_text(call, "ServiceId", s->id) && filter_text(call, "ServiceName", s->name) &&
	       filter_text(call, "ServiceType", service_type(s)) &&
	       (own ? filter_resource_group(call, s->resource_group)
		    : filter_text(call, "ResourceGroupId", "")) &&
	       (own ? tags_match(call, s->id) : !call_list(call, "Tag"));
}

static void add_own(const struct call *call, json_t *item, const void *row)
{
	const struct service *s = row;
	bool own = s->owner == call->account->uid;
	char group[ID_SIZE] = "";

	if (own)
		resource_group_id(s->owner, s->resource_group, group);
	answer_string(item, "ServiceType", service_type(s));
	answer_string(item, "ResourceGroupId", group);
	answer_service_zones(call, item, s->id);
	answer_ip_support(item, s);
	if (own)
		tags_answer(call, item, call_fields(call), s->id);
	else
		(void)shape_list(item, "Tags");
}

int service_discover(struct call *call)
{
	static const struct listing listing = {KIND_SERVICE, service_wanted, add_own, service_there};
	_cleanup_(walk_done) struct walk services = {.rows = call->rows, .kind = KIND_SERVICE};
	const char *id = call_string(call, "ServiceId");
	const struct service *service = id ? snapshot_service(call->rows, id) : NULL;
	int r = 0;

	if (!id || !id[0])
		r = admitting_services(call, wanted_region(call), &services);
	else if (service && service_admits(call, service))
		r = walk_add_row(&services, id);
	return r < 0 ? r : list_walk(call, &listing, &services);
}
