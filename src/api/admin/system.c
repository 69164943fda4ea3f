/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator puts load balancers behind the services of the catalogue, and takes them away. A system
 * service belongs to no account (owner 0), so an administrator does here what a provider does with
 * AttachResourceToVpcEndpointService, with the same checks and the same rows.
 */
#include "../common/quota_defaults.h"
#include "../frame/fill.h"
#include "../privatelink/service_resource.h"
#include "actions.h"

/* The service's row; the catalogue decides whether the region has it. */
static int find_service(struct call *call, const struct service **ret)
{
	const char *name = call_string(call, "ServiceName");
	const struct catalogue_service *known;
	char region[REGION_SIZE];

	known = catalogue_service_by_name(call->catalogue, name, region);
	if (!known || !streq(region, call->region))
		return call_fail(call, "EndpointServiceNotFound");
	if (!catalogue_service_in(known, call->region))
		return call_fail_detail(call, "UnsupportedRegion", "%s is not offered in %s.", known->product,
					call->region);
	for (const struct service *s = NULL;
	     (s = snapshot_owned(call->rows, KIND_SERVICE, 0, call->region, s));) {
		if (streq(s->name, name)) {
			*ret = s;
			return 0;
		}
	}
	return call_fail(call, "EndpointServiceNotFound");
}

static int find_balancer(struct call *call, const struct load_balancer **ret)
{
	const struct load_balancer *balancer =
		snapshot_load_balancer(call->rows, call_string(call, "ResourceId"));

	if (!balancer || balancer->status == LB_DELETING || !streq(balancer->region, call->region))
		return call_fail(call, "LoadBalancerNotFound");
	*ret = balancer;
	return 0;
}

static bool is_full(const struct call *call, const struct service *service, uint32_t n_added)
{

	return snapshot_count_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service->id) + n_added >
	       RESOURCES_PER_SERVICE_MAX;
}

int system_service_bind(struct call *call)
{
	const char *zone = call_string(call, "ZoneId");
	const struct load_balancer *balancer = NULL;
	const struct service *service;
	uint32_t n_zones = 0, n_added = 0;
	int r;

	r = find_service(call, &service);
	if (r == 0)
		r = find_balancer(call, &balancer);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < balancer->n_zones; i++) {
		const struct resource_wish wish = {"nlb", balancer->id, balancer->zones[i]};
		struct service_resource row;

		if (zone && !streq(zone, wish.zone))
			continue;
		n_zones++;
		if (resource_find(call, service->id, wish.id, wish.zone))
			continue;
		r = resource_check(call, service, &wish, &row);
		if (r < 0)
			return r;
		call_put(call, KIND_SERVICE_RESOURCE, &row);
		n_added++;
	}
	if (n_zones == 0)
		return call_fail_detail(call, "EndpointServiceNotSupportedZone",
					"The load balancer is not in it.");
	if (n_added == 0)
		return call_fail(call, "EndpointServiceResourceExist");
	if (is_full(call, service, n_added))
		return call_fail_detail(call, "QuotaMisMatched", "It is that of resources of a service.");
	answer_row(call->answer, call->action->answer, KIND_SERVICE, service);
	return 0;
}

int system_service_unbind(struct call *call)
{
	const char *zone = call_string(call, "ZoneId");
	const struct service *service;
	char prefix[2 * ID_SIZE + 2];
	uint32_t n = 0;
	int r;

	r = find_service(call, &service);
	if (r < 0)
		return r;
	if (str_format(prefix, sizeof(prefix), "%s/%s/", service->id, call_string(call, "ResourceId")) < 0)
		return call_fail(call, "EndpointServiceResourceNotFound");
	for (const struct service_resource *row = NULL;
	     (row = snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, row));) {
		if (zone && !streq(zone, row->zone))
			continue;
		if (resource_in_use(call, row))
			return call_fail(call, "EndpointServiceConnectionDependence");
		resource_detach(call, row);
		n++;
	}
	return n > 0 ? 0 : call_fail(call, "EndpointServiceResourceNotFound");
}
