/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is: regions, zones, whether the product is open to the account, and the services that it may
 * connect to. Activation costs nothing and no other call demands it; it is kept so that clients find what
 * they ordered.
 */
#include "../../lib/ident.h"
#include "../common/limits.h"
#include "../common/owned.h"
#include "../common/tags.h"
#include "../frame/shape.h"
#include "actions.h"
#include "admission.h"
#include "words.h"

/* What services stand on here. */
#define RESOURCE_TYPE "nlb"

static const char *const regions_types[] = {"slb", "alb", "nlb", "gwlb", "ALL", NULL};
static const char *const sides[] = {"Endpoint", "EndpointService", NULL};
static const char *const service_types[] = {"Interface", NULL};

const struct param_spec privatelink_regions_params[] = {
	{"ServiceResourceType", PARAM_STRING, .values = regions_types, .no_case = true},
	{},
};

const struct param_spec privatelink_zones_params[] = {
	{"ServiceResourceType", PARAM_STRING, .values = regions_types, .no_case = true},
	{"CrossRegion", PARAM_BOOL},
	{"CrossRegionSide", PARAM_STRING, .values = sides},
	{},
};

const struct param_spec service_discover_params[] = {
	{"ServiceId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"ServiceType", PARAM_STRING, .values = service_types},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

/* Whether places are asked for that serve a type of load balancer which is had here; a caller that names none
 * asks for all there are. */
static bool type_served(const struct call *call)
{
	const char *type = call_string(call, "ServiceResourceType");

	return !type || streq(type, RESOURCE_TYPE) || streq(type, "ALL");
}

int privatelink_regions(struct call *call)
{
	json_t *list = shape_wrapped(call->answer, "Regions", "Region");

	for (size_t i = 0; type_served(call) && i < call->catalogue->n_regions; i++) {
		const struct catalogue_region *region = &call->catalogue->regions[i];
		char host[DOMAIN_SIZE];
		json_t *item;

		(void)str_format(host, sizeof(host), "privatelink.%s.aliyuncs.com", region->id);
		item = shape_item(list);
		answer_string(item, "RegionId", region->id);
		answer_string(item, "LocalName", region->local_name);
		answer_string(item, "RegionEndpoint", host);
		shape_text(shape_wrapped(item, "ServiceResourceTypes", "ServiceResourceType"), RESOURCE_TYPE);
	}
	return 0;
}

int privatelink_zones(struct call *call)
{
	const struct catalogue_region *region = catalogue_region(call->catalogue, call->region);
	bool none = !type_served(call) || call_bool(call, "CrossRegion", false);
	json_t *list = shape_wrapped(call->answer, "Zones", "Zone");

	for (size_t i = 0; !none && region && i < region->n_zones; i++) {
		json_t *item = shape_item(list);

		answer_string(item, "ZoneId", region->zones[i].id);
		answer_string(item, "LocalName", region->zones[i].local_name);
	}
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
	answer_bool(call->answer, "Success", true);
	return 0;
}

static bool service_wanted(const struct call *call, const struct service *s)
{
	bool own = s->owner == call->account->uid;

	/* Tags and resource group are the owner's, and match nobody else's filters. */
	return streq(s->region, call->region) && s->status != SERVICE_DELETING && service_admits(call, s) &&
	       filter_text(call, "ServiceId", s->id) && filter_text(call, "ServiceName", s->name) &&
	       filter_text(call, "ServiceRegionId", s->region) &&
	       filter_text(call, "ResourceGroupId", own ? s->resource_group : "") &&
	       (own ? tags_match(call, s->id) : !call_list(call, "Tag"));
}

static void answer_service(const struct call *call, json_t *item, const struct service *s)
{
	bool own = s->owner == call->account->uid;

	answer_string(item, "ServiceId", s->id);
	answer_string(item, "ServiceName", s->name);
	answer_string(item, "ServiceDomain", s->domain);
	answer_string(item, "ServiceType", "Interface");
	answer_string(item, "ServiceResourceType", s->resource_type);
	answer_string(item, "AddressIpVersion", s->ip_version);
	answer_string(item, "Payer", s->payer);
	answer_string(item, "ResourceGroupId", own ? s->resource_group : "");
	answer_bool(item, "AutoAcceptEnabled", s->auto_accept);
	answer_bool(item, "ServiceSupportIPv6", false);
	answer_bool(item, "VpcEndpointPolicySupported", s->policy_supported);
	answer_bool(item, "ZoneAffinityEnabled", s->zone_affinity);
	answer_service_zones(call, item, s->id);
	if (own)
		tags_answer(call, item, "Tags", NULL, "Key", "Value", s->id);
	else
		(void)shape_list(item, "Tags");
}

int service_discover(struct call *call)
{
	_cleanup_(gathered_done) struct gathered services = {};
	struct page page;
	json_t *list;
	int r;

	r = page_begin_token(call, &page, 50, 1000);
	if (r < 0)
		return r;
	r = admitting_services(call, &services);
	if (r < 0)
		return r;
	page.total_as_text = true;
	list = shape_list(call->answer, "Services");
	for (size_t i = 0; i < services.n; i++) {
		const struct service *s = services.rows[i];

		if (service_wanted(call, s) && page_match(&page, s->id))
			answer_service(call, shape_item(list), s);
	}
	page_end(call, &page);
	return 0;
}
