/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which load balancer serves a zone of a connection, as the provider says it. Of a zone that is not connected
 * it is named, or left to allocation again. Of a connected one it is replaced: at once (Force), and what is
 * open through the old one ends; or beside it (Graceful): the zone gets a second ENI with an address of its
 * own, names lead there when it is in force, and the old one serves what it has until the provider takes it
 * off (DisableVpcEndpointZoneConnection with ReplacedResource).
 */
#include <strings.h>

#include "../../model/state.h"
#include "../common/quota.h"
#include "actions.h"
#include "admission.h"
#include "connection.h"
#include "endpoint_zone.h"
#include "service_resource.h"

enum mode { MODE_AUTO, MODE_MANUAL, MODE_GRACEFUL, MODE_FORCE };

/* A parameter that is one of two words: 1; absent: 0. */
static int read_word(struct call *call, const char *param, const char *first, const char *second,
		     bool *ret_is_second)
{
	const char *word = call_string(call, param);

	if (!word)
		return 0;
	*ret_is_second = strcasecmp(word, second) == 0;
	if (*ret_is_second || strcasecmp(word, first) == 0)
		return 1;
	call_set_error(call, "IllegalParam.{name}", param, NULL);
	return -EBADMSG;
}

static int read_mode(struct call *call, enum mode *ret)
{
	bool manual = false, force = false;
	int allocates, replaces;

	allocates = read_word(call, "ResourceAllocateMode", "Auto", "Manual", &manual);
	if (allocates < 0)
		return allocates;
	replaces = read_word(call, "ResourceReplaceMode", "Graceful", "Force", &force);
	if (replaces < 0)
		return replaces;
	if (allocates && replaces) {
		call_set_error(call, "IllegalParam.{name}", "ResourceReplaceMode",
			       "It does not go with ResourceAllocateMode.");
		return -EBADMSG;
	}
	if (!allocates && !replaces)
		return call_fail_named(call, "MissingParam.{name}", "ResourceAllocateMode");
	*ret = allocates ? (manual ? MODE_MANUAL : MODE_AUTO) : (force ? MODE_FORCE : MODE_GRACEFUL);
	return 0;
}

static bool replaces(enum mode mode)
{
	return mode == MODE_GRACEFUL || mode == MODE_FORCE;
}

/* What is named must be there before it is asked what it is. */
static int find_zone(struct call *call, const struct ends *ends, const struct endpoint_zone **ret)
{
	if (ends->endpoint->status == ENDPOINT_DELETING)
		return call_fail(call, "EndpointLocked");
	if (ends->service->status == SERVICE_DELETING)
		return call_fail(call, "EndpointServiceLocked");
	*ret = snapshot_endpoint_zone(call->rows, ends->endpoint->id, call_string(call, "ZoneId"));
	return *ret ? 0 : call_fail(call, "EndpointZoneNotFound");
}

static int check_states(struct call *call, const struct ends *ends, const struct endpoint_zone *zone,
			enum mode mode)
{
	enum connection_status status = ends->connection->status;
	bool is_up = status == CONNECTION_CONNECTED || status == CONNECTION_PENDING;

	if (!is_up && (status != CONNECTION_DISCONNECTED || replaces(mode)))
		return call_fail_detail(call, "EndpointConnectionOperationDenied", "It is %s.",
					enum_name(connection_status_names, status));
	/* endpoint_zone_change() knows what can be replaced. */
	if (replaces(mode) ||
	    (zone->status != ZONE_DELETING && (!is_up || zone->status == ZONE_DISCONNECTED)))
		return 0;
	return call_fail_detail(call, "ZoneOperationDenied", "It is %s.",
				enum_name(zone_status_names, zone->status));
}

/* That of the id which can serve the zone; NULL: there is none. Any zone of it can serve one of an endpoint
 * of another region: the one that does stays, else it is the first. */
static const struct service_resource *find_for_zone(const struct call *call, const struct ends *ends,
						    const struct endpoint_zone *zone, const char *id)
{
	const struct service_resource *resource = resource_find(call, ends->service->id, id, zone->zone);
	char prefix[2 * ID_SIZE + 2];

	if (resource || streq(ends->endpoint->region, ends->service->region))
		return resource;
	resource = resource_find(call, ends->service->id, id, endpoint_zone_behind(zone));
	if (resource || str_format(prefix, sizeof(prefix), "%s/%s/", ends->service->id, id) < 0)
		return resource;
	return snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, NULL);
}

/* The resource that the parameters name, of the service and for the zone. */
static int find_resource(struct call *call, const struct ends *ends, const struct endpoint_zone *zone,
			 const struct service_resource **ret)
{
	const char *id = call_string(call, "ResourceId"), *type = call_string(call, "ResourceType");
	const char *service = ends->service->id;
	char prefix[2 * ID_SIZE + 2];

	if (!id || !id[0])
		return call_fail_named(call, "MissingParam.{name}", "ResourceId");
	*ret = find_for_zone(call, ends, zone, id);
	if (!*ret && str_format(prefix, sizeof(prefix), "%s/%s/", service, id) >= 0 &&
	    snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, NULL))
		return call_fail_detail(call, "Mismatch.ZoneId", "%s serves other zones.", id);
	if (!*ret)
		return call_fail(call, "EndpointServiceResourceNotFound");
	if (type && strcasecmp(type, (*ret)->type) != 0)
		return call_fail_detail(call, "EndpointServiceResourceTypeNotSupport", "It is of type %s.",
					(*ret)->type);
	return 0;
}

/* 1: the row has changed; 0: it is so already; or the call fails. */
static int allocate(struct call *call, const struct ends *ends, enum mode mode, struct endpoint_zone *row)
{
	const struct service_resource *resource = NULL;
	int r;

	if (mode == MODE_AUTO && !row->resource_chosen)
		return call_fail(call, "OperationDenied.CurrentResourceAutoAllocated");
	if (mode == MODE_AUTO) {
		row->resource_chosen = false;
		zone_set_resource(call, row, NULL);
		return 1;
	}
	r = find_resource(call, ends, row, &resource);
	if (r < 0)
		return r;
	if (row->resource_chosen && zone_has_resource(row, resource))
		return 0;
	row->resource_chosen = true;
	zone_set_resource(call, row, resource);
	return 1;
}

/* A second ENI beside the one that the zone had. It is not held against the consumer's share, of which the
 * provider is to learn nothing: a zone has one at most, for a while. */
static int make_second(struct call *call, const struct endpoint *endpoint, const struct endpoint_zone *had,
		       struct endpoint_zone *row)
{
	const struct vswitch *vswitch = snapshot_vswitch(call->rows, row->vswitch);
	struct alloc alloc = {};

	if (!vswitch || vswitch->status != VSWITCH_AVAILABLE)
		return call_fail(call, "VSwitchStatusNotAllowed");
	row->replaced_port = had->port;
	row->replaced_addr = had->addr;
	row->replaced_resource = had->resource;
	row->replaced_resource_zone = had->resource_zone;
	return zone_make_port(call, &alloc, endpoint, vswitch, NULL, row);
}

/* Likewise. */
static int replace(struct call *call, const struct ends *ends, enum mode mode,
		   const struct endpoint_zone *had, struct endpoint_zone *row)
{
	const struct service_resource *resource = NULL;
	enum zone_status status = row->status;
	int r;

	if (endpoint_zone_change(row, mode == MODE_FORCE ? ZONE_REPLACE_FORCE : ZONE_REPLACE_GRACEFUL) < 0)
		return call_fail_detail(call, "ZoneOperationDenied", "It is %s.",
					enum_name(zone_status_names, status));
	r = find_resource(call, ends, row, &resource);
	if (r < 0)
		return r;
	if (zone_has_resource(row, resource))
		return 0;
	row->resource_chosen = true;
	if (mode == MODE_FORCE) {
		zone_set_resource(call, row, resource);
		return 1;
	}
	r = make_second(call, ends->endpoint, had, row);
	if (r < 0)
		return r;
	zone_name_resource(row, resource);
	return 1;
}

/* The service is Pending until the nodes have what was changed, and so is a connection that is up. */
static void put(struct call *call, const struct ends *ends, const struct endpoint_zone *row)
{
	struct connection connection = *ends->connection;
	struct service service = *ends->service;

	(void)service_event(&service, EVENT_MODIFY);
	call_put(call, KIND_SERVICE, &service);
	if (connection_event(&connection, EVENT_MODIFY) == 0) {
		connection.modified_time = call->now;
		call_put(call, KIND_CONNECTION, &connection);
	}
	call_put(call, KIND_ENDPOINT_ZONE, row);
}

int zone_connection_update_resource(struct call *call)
{
	const struct endpoint_zone *zone = NULL;
	struct endpoint_zone row;
	enum mode mode = MODE_AUTO;
	struct ends ends;
	int r;

	r = find_ends(call, &ends);
	if (r == 0)
		r = quota_check_privilege(call, call->account->uid, QUOTA_RESOURCE_MODE);
	if (r == 0)
		r = read_mode(call, &mode);
	if (r == 0)
		r = find_zone(call, &ends, &zone);
	if (r == 0)
		r = check_states(call, &ends, zone, mode);
	if (r < 0)
		return r;
	row = *zone;
	r = replaces(mode) ? replace(call, &ends, mode, zone, &row) : allocate(call, &ends, mode, &row);
	if (r > 0)
		put(call, &ends, &row);
	return MIN(r, 0);
}
