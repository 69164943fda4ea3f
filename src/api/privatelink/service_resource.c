/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service resources: a load balancer in one of its zones, which serves that zone of the service's endpoints.
 * Load balancers are those of NLB and classic ones, which have only one zone, so it need not be said. A
 * service may be declared for another type, but nothing can be attached to it then.
 */
#include "service_resource.h"
#include "../../model/state.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "actions.h"
#include "admission.h"
#include "allocation.h"
#include "words.h"

const struct service_resource *resource_find(const struct call *call, const char *service,
					     const char *resource, const char *zone)
{
	char id[2 * ID_SIZE + ZONE_SIZE];

	(void)str_format(id, sizeof(id), "%s/%s/%s", service, resource, zone);
	return snapshot_find(call->rows, KIND_SERVICE_RESOURCE, id);
}

static bool in_zone(const struct load_balancer *balancer, const char *zone)
{
	for (uint32_t i = 0; i < balancer->n_zones; i++)
		if (streq(balancer->zones[i], zone))
			return true;
	return false;
}

/* NULL: it has several, and which is meant must be said. */
static const char *only_zone(const struct load_balancer *balancer)
{
	return balancer && balancer->type == LB_CLASSIC ? balancer->zones[0] : NULL;
}

/* One that may stand behind the service: the caller's; the system's services are served by whomever the
 * operator says. */
static const struct load_balancer *balancer_for(const struct call *call, const struct service *service,
						const char *id)
{
	return service->owner == 0 ? snapshot_load_balancer(call->rows, id) : owned_load_balancer(call, id);
}

static int find_balancer(struct call *call, const struct service *service, const struct resource_wish *wish,
			 const struct load_balancer **ret)
{
	const struct load_balancer *balancer;

	if (streq(wish->type, "alb"))
		return call_fail(call, "AlbNotFound");
	if (streq(wish->type, "gwlb"))
		return call_fail_detail(call, "EndpointServiceResourceTypeNotSupport",
					"Load balancers are of type nlb or slb.");
	balancer = balancer_for(call, service, wish->id);
	if (!balancer || !streq(wish->type, enum_name(lb_type_names, balancer->type)) ||
	    !streq(balancer->region, call->region) || balancer->status == LB_DELETING)
		return call_fail_detail(call, "LoadBalancerNotFound", "None of type %s is %s.", wish->type,
					wish->id);
	if (balancer->status == LB_INACTIVE || balancer->status == LB_STOPPING ||
	    balancer->status == LB_CREATE_FAILED)
		return call_fail_detail(call, "LoadBalancerNotSupportPrivateLink", "It is %s.",
					enum_name(lb_status_names, balancer->status));
	*ret = balancer;
	return 0;
}

static int check_quota(struct call *call, const struct service *service, const char *zone)
{
	size_t n = 0, n_zone = 0;
	int r;

	for (const struct service_resource *present = NULL;
	     (present = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service->id, present));) {
		n++;
		n_zone += streq(present->zone, zone);
	}
	r = quota_check(call, service->owner, QUOTA_SERVICE_RESOURCES, n, 1);
	return r < 0 ? r : quota_check(call, service->owner, QUOTA_ZONE_RESOURCES, n_zone, 1);
}

int resource_check(struct call *call, const struct service *service, const struct resource_wish *wish,
		   struct service_resource *ret)
{
	const struct load_balancer *balancer = NULL;
	const char *zone;
	int r;

	if (!streq(wish->type, service->resource_type))
		return call_fail_detail(call, "Mismatch.ResourceType", "The service is for %s.",
					service->resource_type);
	r = find_balancer(call, service, wish, &balancer);
	if (r < 0)
		return r;
	zone = wish->zone ? wish->zone : only_zone(balancer);
	if (!zone)
		return call_fail_named(call, "MissingParam.{name}", "ZoneId");
	if (streq(service->ip_version, "DualStack"))
		return call_fail(call, "ServiceResourceNotSupportIpv6");
	if (!in_zone(balancer, zone))
		return call_fail_detail(call, "EndpointServiceNotSupportedZone",
					"The load balancer is not in %s.", zone);
	if (resource_find(call, service->id, balancer->id, zone))
		return call_fail(call, "EndpointServiceResourceExist");
	r = check_quota(call, service, zone);
	if (r < 0)
		return r;

	*ret = (struct service_resource){.auto_allocated = true};
	(void)str_copy(ret->service, sizeof(ret->service), service->id);
	(void)str_copy(ret->resource, sizeof(ret->resource), balancer->id);
	(void)str_copy(ret->type, sizeof(ret->type), wish->type);
	(void)str_copy(ret->zone, sizeof(ret->zone), zone);
	return 0;
}

/* What a service that has resources says to another type of them, before anything else about it. */
static int check_equal_type(struct call *call, const struct service *service, const char *type)
{
	const struct service_resource *first;

	first = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service->id, NULL);
	if (first && !streq(first->type, type))
		return call_fail(call, "EndpointServiceResourceTypeNotEqual");
	return 0;
}

int service_attach(struct call *call)
{
	const struct resource_wish wish = {
		.type = call_string(call, "ResourceType"),
		.id = call_string(call, "ResourceId"),
		.zone = call_string(call, "ZoneId"),
	};
	const struct service *service = owned_service(call, call_string(call, "ServiceId"));
	struct service_resource resource;
	struct service row;
	int r;

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	row = *service;
	if (service_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "EndpointServiceOperationDenied");
	r = check_equal_type(call, service, wish.type);
	if (r == 0)
		r = resource_check(call, service, &wish, &resource);
	if (r == 0)
		r = quota_check_share(call, service->owner, QUOTA_ALL_SERVICE_RESOURCES, 0, 1);
	if (r < 0)
		return r;
	call_put(call, KIND_SERVICE, &row);
	call_put(call, KIND_SERVICE_RESOURCE, &resource);
	return 0;
}

/* The caller's service, about to be modified, and the resource of it that the parameters name. */
static int find_resource(struct call *call, struct service *ret_service, const struct service_resource **ret)
{
	const struct service *service = owned_service(call, call_string(call, "ServiceId"));
	const char *zone = call_string(call, "ZoneId"), *type = call_string(call, "ResourceType"),
		   *id = call_string(call, "ResourceId");

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	*ret_service = *service;
	if (service_event(ret_service, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "EndpointServiceOperationDenied");
	if (!zone)
		zone = only_zone(balancer_for(call, service, id));
	if (!zone && !(type && streq(type, "slb")))
		return call_fail_named(call, "MissingParam.{name}", "ZoneId");
	*ret = zone ? resource_find(call, service->id, id, zone) : NULL;
	if (!*ret)
		return call_fail(call, "EndpointServiceResourceNotFound");
	if (type && !streq(type, (*ret)->type))
		return call_fail_detail(call, "Mismatch.ResourceType", "It is of type %s.", (*ret)->type);
	return 0;
}

/* By the reference, which may be that of what is being replaced. */
static bool is_held(const struct call *call, enum ref ref, const struct service_resource *resource)
{
	for (const struct endpoint_zone *z = NULL; (z = allocation_next(call, ref, resource, z));) {
		const struct connection *connection = snapshot_connection(call->rows, z->endpoint);

		if (connection && streq(connection->service, resource->service) && endpoint_zone_holds(z))
			return true;
	}
	return false;
}

bool resource_in_use(const struct call *call, const struct service_resource *resource)
{
	return is_held(call, REF_ENDPOINT_ZONE_RESOURCE, resource) ||
	       is_held(call, REF_ENDPOINT_ZONE_REPLACED_RESOURCE, resource);
}

/* Whether another resource of the zone is allocated automatically. */
static bool has_other(const struct call *call, const struct service_resource *resource)
{
	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, resource->service, r));)
		if (r != resource && r->auto_allocated && streq(r->zone, resource->zone))
			return true;
	return false;
}

/* NULL: it is the zone's only one. */
static const struct service_resource *oldest_other(const struct call *call,
						   const struct service_resource *resource)
{
	const struct service_resource *oldest = NULL;

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, resource->service, r));)
		if (r != resource && streq(r->zone, resource->zone) &&
		    (!oldest || r->meta.created < oldest->meta.created))
			oldest = r;
	return oldest;
}

void resource_detach(struct call *call, const struct service_resource *resource)
{
	const struct service_resource *heir = has_other(call, resource) ? NULL : oldest_other(call, resource);
	struct service_resource changed;

	call_delete(call, KIND_SERVICE_RESOURCE, resource);
	if (!heir)
		return;
	changed = *heir;
	changed.auto_allocated = true;
	call_put(call, KIND_SERVICE_RESOURCE, &changed);
}

int service_detach(struct call *call)
{
	const struct service_resource *resource;
	struct service row;
	int r;

	r = find_resource(call, &row, &resource);
	if (r < 0)
		return r;
	if (resource_in_use(call, resource))
		return call_fail(call, "EndpointServiceConnectionDependence");
	call_put(call, KIND_SERVICE, &row);
	resource_detach(call, resource);
	return 0;
}

int service_update_resource(struct call *call)
{
	bool wanted = call_bool(call, "AutoAllocatedEnabled", true);
	const struct service_resource *resource;
	struct service_resource changed;
	struct service row;
	int r;

	r = find_resource(call, &row, &resource);
	if (r < 0 || resource->auto_allocated == wanted)
		return r;
	if (!wanted && !has_other(call, resource))
		return call_fail(call, "ResourceAutoAllocateViolation");
	changed = *resource;
	changed.auto_allocated = wanted;
	call_put(call, KIND_SERVICE, &row);
	call_put(call, KIND_SERVICE_RESOURCE, &changed);
	return 0;
}

/* The endpoints of the service that the resource serves in its zone; by the other reference, those from which
 * it is being taken. */
static int64_t count_endpoints(const struct call *call, enum ref ref, const struct service_resource *resource)
{
	int64_t n = 0;

	for (const struct endpoint_zone *z = NULL; (z = allocation_next(call, ref, resource, z));) {
		const struct connection *connection = snapshot_connection(call->rows, z->endpoint);

		n += connection && streq(connection->service, resource->service);
	}
	return n;
}

static void answer_balancer(const struct call *call, json_t *item, const struct service_resource *resource)
{
	const struct load_balancer *balancer = snapshot_load_balancer(call->rows, resource->resource);
	char addr[NETADDR_TEXT_SIZE] = "";

	if (!balancer)
		return;
	for (uint32_t i = 0; i < balancer->n_zones && i < balancer->n_ports && i < balancer->n_vswitches;
	     i++) {
		const struct port *port = snapshot_port(call->rows, balancer->ports[i]);

		if (!streq(balancer->zones[i], resource->zone) || !port)
			continue;
		netaddr_format(&port->addr, addr);
		answer_string(item, "VSwitchId", balancer->vswitches[i]);
	}
	answer_string(item, "Ip", addr);
	answer_row(item, call_fields(call), KIND_LOAD_BALANCER, balancer);
}

static void add_balancer(const struct call *call, json_t *item, const void *row)
{
	const struct service_resource *resource = row;

	answer_string(item, "RegionId", call->region);
	answer_int(item, "RelatedEndpointCount", count_endpoints(call, REF_ENDPOINT_ZONE_RESOURCE, resource));
	answer_int(item, "RelatedDeprecatedEndpointCount",
		   count_endpoints(call, REF_ENDPOINT_ZONE_REPLACED_RESOURCE, resource));
	answer_balancer(call, item, resource);
}

static size_t count_looks(const struct call *call, const void *row)
{
	return allocation_count(call, REF_ENDPOINT_ZONE_RESOURCE, row) +
	       allocation_count(call, REF_ENDPOINT_ZONE_REPLACED_RESOURCE, row);
}

int service_list_resources(struct call *call)
{
	static const struct listing listing = {KIND_SERVICE_RESOURCE, NULL, add_balancer,
					       .looks = count_looks};
	const struct service *service = owned_service(call, call_string(call, "ServiceId"));

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	return list_children(call, &listing, REF_SERVICE_RESOURCE_SERVICE, service->id);
}
