/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections as the provider sees them: who is connected, or wishes to be; accepting, refusing and cutting.
 * A connection and the zones of its endpoint move together, in one transaction.
 *
 * Enabling a connected one is no error: it may bring another limit. Disabling one that waits for acceptance
 * refuses it, and the wire goes on to say Disconnected.
 */
#include "connection.h"
#include "../../model/state.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/resource_group.h"
#include "actions.h"
#include "admission.h"
#include "allocation.h"
#include "endpoint_zone.h"
#include "region.h"
#include "service_resource.h"
#include "words.h"

/* What a type of load balancer allows its connections. */
static const struct traffic_rule {
	const char *resource_type;
	uint32_t bandwidth_max; /* Mbit/s; the least is BANDWIDTH_MIN */
	const char *only_mode;	/* NULL: either */
} traffic_rules[] = {
	{"nlb", 50000, NULL},
	{"alb", 25000, NULL},
	{"slb", 10240, "BandwidthLimit"},
	{"gwlb", 25000, "Scalability"},
};

static const struct traffic_rule *find_rule(const char *resource_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(traffic_rules); i++)
		if (streq(traffic_rules[i].resource_type, resource_type))
			return &traffic_rules[i];
	return &traffic_rules[0];
}

int find_ends(struct call *call, struct ends *ret)
{
	const char *id = call_string(call, "EndpointId");

	ret->service = owned_service(call, call_string(call, "ServiceId"));
	if (!ret->service)
		return call_fail(call, "EndpointServiceNotFound");
	ret->connection = snapshot_connection(call->rows, id);
	ret->endpoint = snapshot_endpoint(call->rows, id);
	if (!ret->connection || !ret->endpoint || !streq(ret->connection->service, ret->service->id))
		return call_fail(call, "EndpointConnectionNotFound");
	return 0;
}

static int read_limits(struct call *call, const struct service *service, struct connection *row)
{
	const struct traffic_rule *rule = find_rule(service->resource_type);
	int64_t bandwidth = call_int(call, "Bandwidth", row->bandwidth);
	const char *mode = call_string(call, "TrafficControlMode");
	char detail[64];

	if (json_object_get(call->params, "Bandwidth") &&
	    (bandwidth < BANDWIDTH_MIN || bandwidth > rule->bandwidth_max)) {
		(void)str_format(detail, sizeof(detail), "It must be from %d to %u Mbit/s.", BANDWIDTH_MIN,
				 rule->bandwidth_max);
		return call_fail_param(call, "Bandwidth", detail);
	}
	if (mode && rule->only_mode && !streq(mode, rule->only_mode))
		return call_fail_param(call, "TrafficControlMode",
				       "The service's load balancers do not have this mode.");
	row->bandwidth = (uint32_t)bandwidth;
	if (mode)
		row->traffic_control = mode;
	return 0;
}

/* A zone that is to be served: keeps its load balancer while that is still there. */
static int serve_zone(struct call *call, struct allocation *allocation, struct endpoint_zone *zone)
{
	const char *service = allocation->service->id;
	const struct service_resource *resource;

	if (zone->resource[0] && resource_find(call, service, zone->resource, endpoint_zone_behind(zone)))
		return 0;
	resource = allocate_resource(call, allocation, zone->zone);
	if (!resource)
		return call_fail_detail(call, "OperationDenied.NoAvailableServiceResource", "It is %s.",
					zone->zone);
	zone->resource_chosen = false;
	zone_set_resource(call, zone, resource);
	return 0;
}

static int move_zones(struct call *call, const struct ends *ends, const struct connection *connection,
		      enum state_event event)
{
	struct allocation allocation = {.endpoint = ends->endpoint, .service = ends->service};

	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(call->rows, REF_ENDPOINT_ZONE_ENDPOINT, ends->endpoint->id, z));) {
		struct endpoint_zone zone = *z;
		int r = 0;

		if (z->status == ZONE_DELETING)
			continue;
		if (event == EVENT_ENABLE)
			r = serve_zone(call, &allocation, &zone);
		if (r < 0)
			return r;
		if (endpoint_zone_event(&zone, connection, event) == 0 ||
		    !streq(zone.resource, z->resource) || !streq(zone.resource_zone, z->resource_zone))
			call_put(call, KIND_ENDPOINT_ZONE, &zone);
	}
	return 0;
}

static bool same_limits(const struct connection *a, const struct connection *b)
{
	return a->bandwidth == b->bandwidth && streq(a->traffic_control, b->traffic_control);
}

/* Another limit for a connection that is up. */
static void modify_limits(struct call *call, const struct connection *connection, struct connection *row)
{
	if (same_limits(connection, row))
		return;
	(void)connection_event(row, EVENT_MODIFY);
	row->modified_time = call->now;
	call_put(call, KIND_CONNECTION, row);
}

/* Moves the connection and its zones by an event: 1; 0: it stands there already; or the call fails. */
static int move_connection(struct call *call, const struct ends *ends, struct connection *row,
			   enum state_event event)
{
	int r;

	r = connection_event(row, event);
	if (r == -EPERM)
		return call_fail(call, "EndpointConnectionOperationDenied");
	if (r == -EALREADY)
		return 0;
	r = move_zones(call, ends, row, event);
	if (r < 0)
		return r;
	row->modified_time = call->now;
	call_put(call, KIND_CONNECTION, row);
	return 1;
}

int connection_enable(struct call *call)
{
	struct connection row;
	struct ends ends;
	int r;

	r = find_ends(call, &ends);
	if (r < 0)
		return r;
	row = *ends.connection;
	r = read_limits(call, ends.service, &row);
	if (r < 0)
		return r;
	if (ends.endpoint->status == ENDPOINT_DELETING)
		return call_fail(call, "EndpointOperationDenied");
	if (ends.service->status == SERVICE_DELETING)
		return call_fail(call, "EndpointConnectionOperationDenied");
	r = check_region_served(call, ends.service, ends.endpoint->region);
	if (r < 0)
		return r;
	r = move_connection(call, &ends, &row, EVENT_ENABLE);
	if (r == 0)
		modify_limits(call, ends.connection, &row);
	return MIN(r, 0);
}

/* Another limit for a connection, whatever state it is in. */
int connection_update(struct call *call)
{
	struct connection row;
	struct ends ends;
	int r;

	r = find_ends(call, &ends);
	if (r < 0)
		return r;
	row = *ends.connection;
	if (ends.service->status == SERVICE_DELETING || connection_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "EndpointConnectionOperationDenied");
	r = read_limits(call, ends.service, &row);
	if (r < 0 || same_limits(ends.connection, &row))
		return r;
	row.modified_time = call->now;
	call_put(call, KIND_CONNECTION, &row);
	return 0;
}

int connection_disable(struct call *call)
{
	struct connection row;
	struct ends ends;
	int r;

	r = find_ends(call, &ends);
	if (r < 0)
		return r;
	row = *ends.connection;
	r = move_connection(call, &ends, &row, EVENT_DISABLE);
	return MIN(r, 0);
}

/* The ends that the parameters name, and the zone; the connection is up. */
static int find_zone(struct call *call, struct ends *ends, const struct endpoint_zone **ret)
{
	enum connection_status status;
	int r;

	r = find_ends(call, ends);
	if (r < 0)
		return r;
	status = ends->connection->status;
	if (ends->endpoint->status == ENDPOINT_DELETING)
		return call_fail(call, "IncorrectStatus.VpcEndpoint");
	if (ends->service->status == SERVICE_DELETING)
		return call_fail(call, "IncorrectStatus.VpcEndpointService");
	*ret = snapshot_endpoint_zone(call->rows, ends->endpoint->id, call_string(call, "ZoneId"));
	if (!*ret || (*ret)->status == ZONE_DELETING)
		return call_fail(call, "ResourceNotFound.VpcEndpointZone");
	if (status != CONNECTION_CONNECTED && status != CONNECTION_PENDING)
		return call_fail(call, "IncorrectStatus.VpcEndpointConnection");
	return 0;
}

/* One zone alone; the connection and its other zones stay as they are. */
static int move_zone(struct call *call, enum state_event event)
{
	const struct endpoint_zone *zone;
	struct endpoint_zone row;
	struct ends ends;
	int r;

	r = find_zone(call, &ends, &zone);
	if (r < 0)
		return r;
	row = *zone;
	if (endpoint_zone_event(&row, ends.connection, event) < 0)
		return call_fail(call, "IncorrectStatus.VpcEndpointZone");
	if (event == EVENT_ENABLE) {
		struct allocation allocation = {.endpoint = ends.endpoint, .service = ends.service};

		r = serve_zone(call, &allocation, &row);
	}
	if (r < 0)
		return r;
	call_put(call, KIND_ENDPOINT_ZONE, &row);
	return 0;
}

int zone_connection_enable(struct call *call)
{
	return move_zone(call, EVENT_ENABLE);
}

/* The last step of a replacement: the old ENI goes, the zone stays connected. */
static int retire_replaced(struct call *call)
{
	const struct endpoint_zone *zone;
	struct endpoint_zone row;
	struct ends ends;
	int r;

	r = find_zone(call, &ends, &zone);
	if (r < 0)
		return r;
	row = *zone;
	r = endpoint_zone_change(&row, ZONE_RETIRE);
	if (r == -EPERM)
		return call_fail(call, "IncorrectStatus.VpcEndpointZone");
	if (r == 0)
		call_put(call, KIND_ENDPOINT_ZONE, &row);
	return 0;
}

int zone_connection_disable(struct call *call)
{
	if (call_bool(call, "ReplacedResource", false))
		return retire_replaced(call);
	return move_zone(call, EVENT_DISABLE);
}

static bool zone_matches(const struct call *call, const struct endpoint_zone *zone)
{
	const char *eni = call_string(call, "EniId");

	return (!eni || streq(zone->port, eni) || streq(zone->replaced_port, eni)) &&
	       filter_text(call, "ResourceId", zone->resource) &&
	       filter_text(call, "ReplacedResourceId", zone->replaced_resource);
}

static bool zones_match(const struct call *call, const char *endpoint)
{
	if (!call_string(call, "EniId") && !call_string(call, "ResourceId") &&
	    !call_string(call, "ReplacedResourceId"))
		return true;
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(call->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint, z));)
		if (zone_matches(call, z))
			return true;
	return false;
}

static bool has_endpoint(const struct call *call, const void *row)
{
	return snapshot_endpoint(call->rows, ((const struct connection *)row)->endpoint);
}

static bool is_of_owner(const struct call *call, const char *endpoint)
{
	const struct endpoint *row;

	if (!call_has(call, "EndpointOwnerId"))
		return true;
	row = snapshot_endpoint(call->rows, endpoint);
	return row && row->owner == call_int(call, "EndpointOwnerId", 0);
}

static bool service_in_group(const struct call *call, const char *service)
{
	return !call_has(call, "ResourceGroupId") ||
	       filter_resource_group(call, snapshot_service(call->rows, service)->resource_group);
}

static bool connection_wanted(const struct call *call, const void *row)
{
	const struct connection *connection = row;

	return filter_text(call, "EndpointId", connection->endpoint) &&
	       filter_text(call, "ConnectionStatus",
			   enum_name(connection_status_names, connection->status)) &&
	       is_of_owner(call, connection->endpoint) && service_in_group(call, connection->service) &&
	       zones_match(call, connection->endpoint);
}

static void add_ends(const struct call *call, json_t *item, const void *row)
{
	const struct answer_field *fields = call_fields(call), *zones = answer_find(fields, "Zones");
	const struct connection *connection = row;
	const struct service *service = snapshot_service(call->rows, connection->service);
	const struct endpoint *endpoint = snapshot_endpoint(call->rows, connection->endpoint);
	json_t *list = answer_list(item, fields, "Zones");

	answer_row(item, fields, KIND_SERVICE, service);
	answer_row(item, fields, KIND_ENDPOINT, endpoint);
	answer_string(item, "AcceptanceStatus", acceptance_word(connection));
	answer_bool(item, "ResourceOwner", endpoint->owner == service->owner);
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(call->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, z));)
		(void)answer_entry(list, zones, KIND_ENDPOINT_ZONE, z);
}

/* Of the caller's services. */
static int add_connections(const struct call *call, struct walk *ret)
{
	_cleanup_(walk_done) struct walk services = {};
	const struct service *service;
	int r;

	r = owned_services(call, &services);
	if (r < 0)
		return r;
	walk_begin(&services, "", 0);
	while (r == 0 && (service = walk_next(&services)))
		r = walk_add(ret, REF_CONNECTION_SERVICE, service->id, "");
	return r;
}

int connection_list(struct call *call)
{
	static const struct list_filter filters[] = {{"EndpointId", REF_COUNT_}, {}};
	static const struct listing listing = {
		KIND_CONNECTION,   connection_wanted, add_ends,		  has_endpoint,
		all_are_connected, .of = "ServiceId", .filters = filters,
	};
	_cleanup_(walk_done) struct walk connections = {.rows = call->rows, .kind = KIND_CONNECTION};
	const char *service = call_string(call, "ServiceId");
	int r;

	if (service && !owned_service(call, service))
		return call_fail(call, "EndpointServiceNotFound");
	r = service ? walk_add(&connections, REF_CONNECTION_SERVICE, service, "")
		    : add_connections(call, &connections);
	return r < 0 ? r : list_walk(call, &listing, &connections);
}
