/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See region.h. A region whose endpoints are connected stays until they are disconnected, as a load balancer
 * does; whoever is left over, disconnected, cannot be connected again.
 */
#include "region.h"

#include "../../model/check.h"
#include "../frame/fill.h"

/* Mbit/s of an endpoint whose service is in another region: where both are in mainland China, and elsewhere.
 */
#define CROSS_REGION_BANDWIDTH_INSIDE 1000
#define CROSS_REGION_BANDWIDTH	      100

static bool is_listed(const struct service *service, const char *region)
{
	for (uint32_t i = 0; i < service->n_regions; i++)
		if (streq(service->regions[i], region))
			return true;
	return false;
}

bool region_served(const struct service *service, const char *region)
{
	return streq(service->region, region) || is_listed(service, region);
}

int check_region_served(struct call *call, const struct service *service, const char *region)
{
	if (region_served(service, region))
		return 0;
	return call_fail_detail(call, "UnsupportedRegion", "The service takes no endpoints from %s.", region);
}

int read_cross_bandwidth(struct call *call, const char *service_region, struct endpoint *row)
{
	bool both_inside = region_in_mainland(row->region) && region_in_mainland(service_region);
	uint32_t usual = both_inside ? CROSS_REGION_BANDWIDTH_INSIDE : CROSS_REGION_BANDWIDTH;

	if (streq(service_region, row->region)) {
		if (!json_object_get(call->params, "CrossRegionBandwidth"))
			return 0;
		return call_fail_param(call, "CrossRegionBandwidth",
				       "It is for services of another region only.");
	}
	if (row->cross_region_bandwidth == 0)
		row->cross_region_bandwidth = usual;
	row->cross_region_bandwidth =
		(uint32_t)call_int(call, "CrossRegionBandwidth", row->cross_region_bandwidth);
	return 0;
}

int supported_regions_add(struct call *call, const char *param, struct service *row)
{
	json_t *regions = call_list(call, param), *region;
	size_t i;

	json_array_foreach(regions, i, region) {
		const char *id = json_string_value(region);

		if (!catalogue_region(call->catalogue, id))
			return call_fail_detail(call, "RegionNotFound", "It is %s.", id);
		if (region_in_mainland(id) != region_in_mainland(row->region))
			return call_fail_detail(call, "UnsupportedRegion",
						"Endpoints in %s do not reach a service in %s: the border of "
						"mainland China is between them.",
						id, row->region);
		if (is_listed(row, id))
			continue;
		if (row->n_regions >= SERVICE_REGIONS_MAX)
			return call_fail_detail(call, "QuotaMisMatched",
						"It is that of regions of a service.");
		(void)str_copy(row->regions[row->n_regions++], REGION_SIZE, id);
	}
	return 0;
}

/* An endpoint in the region that is connected to the service, or is being connected or cut; NULL: none. */
static const char *find_connected(const struct call *call, const struct service *service, const char *region)
{
	for (const struct connection *c = NULL;
	     (c = snapshot_children(call->rows, REF_CONNECTION_SERVICE, service->id, c));) {
		const struct endpoint *endpoint = snapshot_endpoint(call->rows, c->endpoint);

		if (endpoint && streq(endpoint->region, region) && c->status != CONNECTION_DISCONNECTED &&
		    c->status != CONNECTION_SERVICE_DELETED && c->status != CONNECTION_DELETING)
			return endpoint->id;
	}
	return NULL;
}

static void take_out(struct service *row, const char *region)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < row->n_regions; i++) {
		if (streq(row->regions[i], region))
			continue;
		memmove(row->regions[n++], row->regions[i], REGION_SIZE);
	}
	memset(row->regions[n], 0, (row->n_regions - n) * REGION_SIZE);
	row->n_regions = n;
}

int supported_regions_remove(struct call *call, const char *param, struct service *row)
{
	json_t *regions = call_list(call, param), *region;
	size_t i;

	json_array_foreach(regions, i, region) {
		const char *id = json_string_value(region), *endpoint;

		if (!is_listed(row, id)) {
			if (!catalogue_region(call->catalogue, id))
				return call_fail_detail(call, "RegionNotFound", "It is %s.", id);
			continue;
		}
		endpoint = streq(id, row->region) ? NULL : find_connected(call, row, id);
		if (endpoint)
			return call_fail_detail(call, "EndpointServiceConnectionDependence",
						"In %s it is %s.", id, endpoint);
		take_out(row, id);
	}
	return 0;
}

void supported_regions_answer(json_t *object, const struct answer_field *fields,
			      const struct service *service)
{
	const struct answer_field *field = answer_find(fields, "SupportedRegionSet");
	json_t *list = answer_list(object, fields, "SupportedRegionSet");

	for (uint32_t i = 0; i < service->n_regions; i++) {
		json_t *item = answer_entry(list, field, KIND_SERVICE, service);

		answer_string(item, "SupportedRegionId", service->regions[i]);
		answer_string(item, "ServiceRegionId", service->region);
	}
}
