/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zones of endpoints. A zone is three rows: the zone itself, its ENI and the claim of the ENI's address. It
 * has the load balancer that serves it from the moment that its connection is (to be) up; before that it has
 * none.
 */
#include "endpoint_zone.h"
#include "../../model/state.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota_defaults.h"
#include "actions.h"
#include "admission.h"
#include "region.h"
#include "words.h"

static int fail_wish(struct call *call, const struct zone_wish *wish, const char *member, const char *detail)
{
	char name[WORD_SIZE * 2];

	(void)str_format(name, sizeof(name), "%s%s", wish->param, member);
	return call_fail_param(call, name, detail);
}

static int check_vswitch(struct call *call, const struct endpoint *endpoint, const struct zone_wish *wish,
			 const struct vswitch **ret)
{
	const struct vswitch *vswitch = owned_vswitch(call, wish->vswitch);

	if (!vswitch)
		return call_fail(call, "VSwitchNotFound");
	if (!streq(vswitch->vpc, endpoint->vpc))
		return call_fail_detail(call, "VSwitchNotFound", "%s is not in the VPC %s.", vswitch->id,
					endpoint->vpc);
	if (!streq(vswitch->zone, wish->zone))
		return call_fail_detail(call, "VSwitchNotFound", "%s is in the zone %s, not in %s.",
					vswitch->id, vswitch->zone, wish->zone);
	if (vswitch->status != VSWITCH_AVAILABLE)
		return call_fail(call, "VSwitchStatusNotAllowed");
	*ret = vswitch;
	return 0;
}

static int read_address(struct call *call, const struct zone_wish *wish, struct netaddr *ret)
{
	if (wish->addr && (netaddr_parse(wish->addr, ret) < 0 || !netaddr_is_v4(ret)))
		return fail_wish(call, wish, "ip", "It must be an IPv4 address.");
	if (wish->addr_v6)
		return fail_wish(call, wish, "Ipv6Address", "Endpoints have IPv4 addresses only.");
	return 0;
}

static int fail_address(struct call *call, int r)
{
	switch (r) {
	case -ERANGE:
	case -EADDRINUSE:
		return call_fail(call, "EniIpUnavailable");
	case -ENOSPC:
		return call_fail(call, "ResourceNotEnough.VSwitchIp");
	default:
		return r;
	}
}

void zone_name_resource(struct endpoint_zone *zone, const struct service_resource *resource)
{
	bool other_zone = resource && !streq(resource->zone, zone->zone);

	zone->resource = resource ? resource->resource : "";
	zone->resource_zone = other_zone ? resource->zone : "";
}

/* A zone whose connection is up, or comes up, is served from the start. */
static int allocate(struct call *call, struct allocation *allocation, const struct connection *connection,
		    struct endpoint_zone *zone)
{
	const struct service_resource *resource;

	if (!endpoint_zone_wanted(zone, connection))
		return 0;
	resource = allocate_resource(call, allocation, zone->zone);
	if (!resource)
		return call_fail_detail(call, "EndpointServiceResourceNotFound",
					"None for the zone %s is allocated automatically.", zone->zone);
	zone_name_resource(zone, resource);
	return 0;
}

int zone_make_port(struct call *call, struct alloc *alloc, const struct endpoint *endpoint,
		   const struct vswitch *vswitch, const struct netaddr *wanted, struct endpoint_zone *zone)
{
	const struct alloc_wish wish = {
		.vswitch = vswitch,
		.wanted = wanted,
		.kind = PORT_ENDPOINT,
		.owner = endpoint->owner,
		.holder = endpoint->id,
		.groups = endpoint->groups,
		.n_groups = endpoint->n_groups,
		.status = PORT_IN_USE,
		.is_second = row_has(zone->replaced_port),
	};
	struct port port;
	int r;

	r = alloc_port(call, alloc, &wish, &port);
	if (r < 0)
		return fail_address(call, r);
	(void)str_copy(zone->port, sizeof(zone->port), port.id);
	zone->addr = port.addr;
	return 0;
}

void zone_set_resource(struct call *call, struct endpoint_zone *zone, const struct service_resource *resource)
{
	const struct port *port = snapshot_port(call->rows, zone->port);
	struct port row;

	if (zone_has_resource(zone, resource))
		return;
	if (zone->resource[0] && port) {
		row = *port;
		row.number = call_next_number(call, KIND_PORT);
		call_put(call, KIND_PORT, &row);
	}
	zone_name_resource(zone, resource);
}

bool zone_has_resource(const struct endpoint_zone *zone, const struct service_resource *resource)
{
	if (!resource)
		return !zone->resource[0];
	return streq(zone->resource, resource->resource) && streq(endpoint_zone_behind(zone), resource->zone);
}

int zone_plan_read(struct call *call, struct allocation *allocation, const struct connection *connection,
		   const struct zone_wish *wish, struct zone_plan *ret)
{
	const struct endpoint *endpoint = allocation->endpoint;
	struct endpoint_zone *zone = &ret->row;
	int r;

	*ret = (struct zone_plan){0};
	row_clear(KIND_ENDPOINT_ZONE, zone);
	zone->status = ZONE_CREATING;
	if (!catalogue_zone(call->catalogue, call->region, wish->zone))
		return call_fail_detail(call, "UnsupportedZone", "There is no zone %s.", wish->zone);
	r = read_address(call, wish, &ret->wanted);
	if (r == 0)
		r = check_vswitch(call, endpoint, wish, &ret->vswitch);
	if (r < 0)
		return r;
	if (!service_serves_zone(call, allocation, wish->zone))
		return call_fail_detail(call, "EndpointServiceNotSupportedZone", "It is %s.", wish->zone);

	(void)str_copy(zone->endpoint, sizeof(zone->endpoint), endpoint->id);
	(void)str_copy(zone->zone, sizeof(zone->zone), wish->zone);
	zone->vswitch = ret->vswitch->id;
	(void)str_format(ret->domain, sizeof(ret->domain), "%s-%s.%s.%s." PRIVATE_LINK_DOMAIN, endpoint->id,
			 wish->zone, service_label(allocation->service), allocation->service->region);
	zone->domain = ret->domain;
	return allocate(call, allocation, connection, zone);
}

int zone_create(struct call *call, struct alloc *alloc, const struct endpoint *endpoint,
		struct zone_plan *plan)
{
	const struct netaddr *wanted = netaddr_is_zero(&plan->wanted) ? NULL : &plan->wanted;
	int r;

	r = zone_make_port(call, alloc, endpoint, plan->vswitch, wanted, &plan->row);
	if (r < 0)
		return r;
	call_put(call, KIND_ENDPOINT_ZONE, &plan->row);
	return 0;
}

/* Whether the endpoint can take another zone, of that name. */
static int check_room(struct call *call, const struct endpoint *endpoint, const char *zone_id)
{
	const struct endpoint_zone *zone = snapshot_endpoint_zone(call->rows, endpoint->id, zone_id);

	if (zone && zone->status == ZONE_DELETING)
		return call_fail_detail(call, "EndpointLocked", "The zone %s is being removed.", zone_id);
	if (zone)
		return call_fail(call, "EndpointZoneDuplicated");
	if (snapshot_count_children(call->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id) >=
	    ENDPOINT_ZONES_MAX)
		return call_fail(call, "QuotaExceeded.epZonePerEndpoint");
	return 0;
}

int endpoint_zone_add(struct call *call)
{
	const struct zone_wish wish = {
		.zone = call_string(call, "ZoneId"),
		.vswitch = call_string(call, "VSwitchId"),
		.addr = call_string(call, "ip"),
		.addr_v6 = call_string(call, "Ipv6Address"),
		.param = "",
	};
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));
	const struct connection *connection;
	const struct service *service;
	struct allocation allocation;
	struct alloc alloc = {};
	struct zone_plan plan;
	int r;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	connection = snapshot_connection(call->rows, endpoint->id);
	if (endpoint->status == ENDPOINT_DELETING || !connection)
		return call_fail(call, "EndpointOperationDenied");
	service = snapshot_service(call->rows, endpoint->service);
	allocation = (struct allocation){.endpoint = endpoint, .service = service};
	r = check_service_there(call, service);
	if (r == 0)
		r = check_region_served(call, service, endpoint->region);
	if (r == 0)
		r = check_room(call, endpoint, wish.zone);
	if (r == 0)
		r = zone_plan_read(call, &allocation, connection, &wish, &plan);
	return r < 0 ? r : zone_create(call, &alloc, endpoint, &plan);
}

int endpoint_zone_remove(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));
	const struct connection *connection;
	const struct endpoint_zone *zone;
	struct endpoint_zone row;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	connection = snapshot_connection(call->rows, endpoint->id);
	if (endpoint->status == ENDPOINT_DELETING || !connection)
		return call_fail(call, "EndpointOperationDenied");
	zone = snapshot_endpoint_zone(call->rows, endpoint->id, call_string(call, "ZoneId"));
	if (!zone)
		return call_fail(call, "EndpointZoneNotFound");
	row = *zone;
	if (endpoint_zone_event(&row, connection, EVENT_DELETE) == 0)
		call_put(call, KIND_ENDPOINT_ZONE, &row);
	return 0;
}

/* A consumer's zone that migrates is connected, by the ENI to which the names lead. */
static void add_zone(const struct call *call, json_t *item, const void *row)
{
	const struct endpoint_zone *zone = row;
	char addr[NETADDR_TEXT_SIZE];

	answer_string(item, "RegionId", call->region);
	if (zone->status == ZONE_MIGRATING || zone->status == ZONE_MIGRATED)
		answer_string(item, "ZoneStatus", enum_name(zone_status_names, ZONE_CONNECTED));
	if (!endpoint_zone_shows_replaced(zone))
		return;
	netaddr_format(&zone->replaced_addr, addr);
	answer_string(item, "EniId", zone->replaced_port);
	answer_string(item, "EniIp", addr);
}

int endpoint_zone_list(struct call *call)
{
	static const struct listing listing = {KIND_ENDPOINT_ZONE, NULL, add_zone};
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	return list_children(call, &listing, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id);
}
