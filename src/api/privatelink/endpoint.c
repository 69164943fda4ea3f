/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints as their owner sees them, and their end. An endpoint is deleted after its zones; zones that are
 * on their way out do not hold it up.
 */
#include "../../model/reason_shown.h"
#include "../../model/state.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"
#include "admission.h"
#include "policy.h"
#include "words.h"

/* What is not the endpoint's alone. */
static void add_connection(const struct call *call, json_t *object, const void *row)
{
	const struct endpoint *endpoint = row;
	const struct connection *connection = snapshot_connection(call->rows, endpoint->id);
	const struct service *service = snapshot_service(call->rows, endpoint->service);

	answer_row(object, call_fields(call), KIND_CONNECTION, connection);
	answer_string(object, "AcceptanceStatus", acceptance_word(connection));
	if (endpoint->failure[0])
		answer_string(object, "StatusInfo",
			      reason_for(call->rows, endpoint->owner, endpoint->failure));
	answer_bool(object, "ResourceOwner", service && service->owner == endpoint->owner);
	policy_answer(object, endpoint, service);
}

int endpoint_get(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));

	/* One that goes in parts has lost its connection before it is gone itself. */
	if (!endpoint || !snapshot_connection(call->rows, endpoint->id))
		return call_fail(call, "EndpointNotFound");
	answer_row(call->answer, call->action->answer, KIND_ENDPOINT, endpoint);
	add_connection(call, call->answer, endpoint);
	return 0;
}

static bool has_connection(const struct call *call, const void *row)
{
	return snapshot_connection(call->rows, ((const struct endpoint *)row)->id);
}

static bool connection_is(const struct call *call, const struct endpoint *endpoint)
{
	const struct connection *c =
		call_has(call, "ConnectionStatus") ? snapshot_connection(call->rows, endpoint->id) : NULL;

	return !c || filter_text(call, "ConnectionStatus", enum_name(connection_status_names, c->status));
}

static bool endpoint_wanted(const struct call *call, const void *row)
{
	const struct endpoint *e = row;

	return filter_text(call, "EndpointId", e->id) && filter_text(call, "EndpointName", e->name) &&
	       filter_text(call, "EndpointType", e->type) &&
	       filter_text(call, "EndpointStatus", enum_name(endpoint_status_names, e->status)) &&
	       connection_is(call, e) && filter_text(call, "AddressIpVersion", e->ip_version) &&
	       filter_text(call, "VpcId", e->vpc) && filter_text(call, "ServiceName", e->service_name) &&
	       filter_text(call, "ServiceRegionId", e->service_region) &&
	       filter_resource_group(call, e->resource_group) && tags_match(call, e->id);
}

int endpoint_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"EndpointId", REF_COUNT_},
		{"VpcId", REF_ENDPOINT_VPC, true},
		{},
	};
	static const struct listing listing = {
		KIND_ENDPOINT,	endpoint_wanted,   add_connection,
		has_connection, all_are_connected, .filters = filters,
	};

	return list_owned(call, &listing);
}

static bool has_zones(const struct call *call, const struct endpoint *endpoint)
{

	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(call->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, z));)
		if (z->status != ZONE_DELETING)
			return true;
	return false;
}

int endpoint_delete(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));
	const struct connection *connection;
	struct connection ended;
	struct endpoint row;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	if (has_zones(call, endpoint))
		return call_fail(call, "EndpointDependenceViolation");
	row = *endpoint;
	if (endpoint_event(&row, EVENT_DELETE) == 0)
		call_put(call, KIND_ENDPOINT, &row);
	connection = snapshot_connection(call->rows, endpoint->id);
	if (!connection)
		return 0;
	ended = *connection;
	ended.modified_time = call->now;
	if (connection_event(&ended, EVENT_DELETE) == 0)
		call_put(call, KIND_CONNECTION, &ended);
	return 0;
}
