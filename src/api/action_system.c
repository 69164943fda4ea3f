/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator puts load balancers behind the services of the catalogue, and takes them away. A system
 * service belongs to no account (owner 0), so an administrator does here what a provider does with
 * AttachResourceToVpcEndpointService, with the same checks and the same rows.
 */
#include "action_privlink.h"

#define RESOURCES_PER_SERVICE_MAX      500 /* QuotaMisMatched */
#define RESOURCES_PER_SERVICE_ZONE_MAX 100 /* QuotaMisMatched */

static const char *const resource_types[] = {"nlb", NULL};

const struct param_spec system_service_params[] = {
	{"ServiceName", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"ZoneId", PARAM_STRING},
	{},
};

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
	for (const struct service *s = NULL; (s = snapshot_next(call->rows, KIND_SERVICE, "", s));) {
		if (s->owner == 0 && streq(s->region, call->region) && streq(s->name, name)) {
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

static const struct service_resource *find_resource(const struct call *call, const char *service,
						    const char *resource, const char *zone)
{
	char id[2 * ID_SIZE + ZONE_SIZE];

	(void)str_format(id, sizeof(id), "%s/%s/%s", service, resource, zone);
	return snapshot_find(call->rows, KIND_SERVICE_RESOURCE, id);
}

static uint32_t count_resources(const struct call *call, const char *service, const char *zone)
{
	char prefix[ID_SIZE + 1];
	uint32_t n = 0;

	(void)str_format(prefix, sizeof(prefix), "%s/", service);
	for (const struct service_resource *r = NULL;
	     (r = snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, r));)
		n += !zone || streq(r->zone, zone);
	return n;
}

static int add_resource(struct call *call, const struct service *service,
			const struct load_balancer *balancer, const char *zone)
{
	struct service_resource row = {.auto_allocated = true};

	if (count_resources(call, service->id, zone) >= RESOURCES_PER_SERVICE_ZONE_MAX)
		return call_fail(call, "QuotaMisMatched");
	(void)str_copy(row.service, sizeof(row.service), service->id);
	(void)str_copy(row.resource, sizeof(row.resource), balancer->id);
	(void)str_copy(row.type, sizeof(row.type), "nlb");
	(void)str_copy(row.zone, sizeof(row.zone), zone);
	call_put(call, KIND_SERVICE_RESOURCE, &row);
	return 0;
}

int bind_system_service(struct call *call)
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
		if (zone && !streq(zone, balancer->zones[i]))
			continue;
		n_zones++;
		if (find_resource(call, service->id, balancer->id, balancer->zones[i]))
			continue;
		n_added++;
		r = add_resource(call, service, balancer, balancer->zones[i]);
		if (r < 0)
			return r;
	}
	if (n_zones == 0)
		return call_fail_detail(call, "EndpointServiceNotSupportedZone",
					"The load balancer is not in it.");
	if (n_added == 0)
		return call_fail(call, "EndpointServiceResourceExist");
	if (count_resources(call, service->id, NULL) + n_added > RESOURCES_PER_SERVICE_MAX)
		return call_fail(call, "QuotaMisMatched");
	call_check(call, KIND_SERVICE, service);
	call_check(call, KIND_LOAD_BALANCER, balancer);
	answer_string(call->answer, "ServiceId", service->id);
	return 0;
}

/* Whether a zone of some endpoint of the service is served by this resource. */
static bool in_use(const struct call *call, const struct service_resource *resource)
{
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_next(call->rows, KIND_ENDPOINT_ZONE, "", z));) {
		const struct endpoint *endpoint;

		if (!streq(z->resource, resource->resource) || !streq(z->zone, resource->zone))
			continue;
		endpoint = snapshot_endpoint(call->rows, z->endpoint);
		if (endpoint && streq(endpoint->service, resource->service))
			return true;
	}
	return false;
}

int unbind_system_service(struct call *call)
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
		if (in_use(call, row))
			return call_fail(call, "EndpointServiceConnectionDependence");
		call_delete(call, KIND_SERVICE_RESOURCE, row);
		n++;
	}
	return n > 0 ? 0 : call_fail(call, "EndpointServiceResourceNotFound");
}
