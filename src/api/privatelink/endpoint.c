/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints as their owner sees them, and their end. An endpoint is deleted after its zones; zones that are
 * on their way out do not hold it up.
 */
#include "../../model/state.h"
#include "../common/limits.h"
#include "../common/owned.h"
#include "../common/tags.h"
#include "../frame/shape.h"
#include "actions.h"
#include "admission.h"
#include "words.h"

/* What a service that takes policies does without one. */
#define POLICY_DEFAULT                                                                                       \
	"{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"*\"],\"Principal\":[\"*\"],"  \
	"\"Resource\":[\"*\"]}]}"

static const char *const ip_versions[] = {"IPv4", "DualStack", "IPv6", NULL};
static const char *const endpoint_types[] = {"Interface", "Reverse", "GatewayLoadBalancer", NULL};

const struct param_spec endpoint_id_params[] = {
	{"EndpointId", PARAM_STRING, .required = true},
	{},
};

const struct param_spec endpoint_list_params[] = {
	{"EndpointId", PARAM_STRING},
	{"EndpointName", PARAM_STRING},
	{"EndpointStatus", PARAM_STRING},
	{"EndpointType", PARAM_STRING, .values = endpoint_types},
	{"ConnectionStatus", PARAM_STRING},
	{"AddressIpVersion", PARAM_STRING, .values = ip_versions},
	{"VpcId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

static void answer_policy(const struct call *call, json_t *object, const struct endpoint *endpoint)
{
	const struct service *service = snapshot_service(call->rows, endpoint->service);

	if (endpoint->policy[0])
		answer_string(object, "PolicyDocument", endpoint->policy);
	else if (service && service->policy_supported)
		answer_string(object, "PolicyDocument", POLICY_DEFAULT);
}

static void answer_endpoint(const struct call *call, json_t *object, const struct endpoint *endpoint,
			    const struct connection *connection)
{
	const struct service *service = snapshot_service(call->rows, endpoint->service);

	answer_string(object, "EndpointId", endpoint->id);
	answer_string(object, "EndpointName", endpoint->name);
	answer_string(object, "EndpointDescription", endpoint->description);
	answer_string(object, "EndpointDomain", endpoint->domain);
	answer_string(object, "EndpointType", endpoint->type);
	answer_string(object, "RegionId", endpoint->region);
	answer_string(object, "VpcId", endpoint->vpc);
	answer_string(object, "ServiceId", endpoint->service);
	answer_string(object, "ServiceName", endpoint->service_name);
	answer_string(object, "ServiceRegionId", endpoint->service_region);
	answer_string(object, "AddressIpVersion", endpoint->ip_version);
	answer_string(object, "ResourceGroupId", endpoint->resource_group);
	answer_int(object, "Bandwidth", connection->bandwidth);
	answer_bool(object, "ResourceOwner", service && service->owner == endpoint->owner);
	answer_bool(object, "ZoneAffinityEnabled", endpoint->zone_affinity);
	answer_bool(object, "ProtectedEnabled", endpoint->protected_enabled);
	answer_time(object, "CreateTime", endpoint->create_time);
	answer_endpoint_status(object, endpoint, connection);
	answer_policy(call, object, endpoint);
}

int endpoint_get(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));
	const struct connection *connection;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	connection = snapshot_connection(call->rows, endpoint->id);
	if (!connection)
		return call_fail(call, "EndpointConnectionNotFound");
	answer_endpoint(call, call->answer, endpoint, connection);
	answer_string(call->answer, "Payer", endpoint->payer);
	answer_int(call->answer, "ZonePrivateIpAddressCount", 1);
	return 0;
}

static bool endpoint_wanted(const struct call *call, const struct endpoint *e, const struct connection *c)
{
	return owned_here(call, e->owner, e->region) && filter_text(call, "EndpointId", e->id) &&
	       filter_text(call, "EndpointName", e->name) && filter_text(call, "EndpointType", e->type) &&
	       filter_text(call, "EndpointStatus", enum_name(endpoint_status_names, e->status)) &&
	       filter_text(call, "ConnectionStatus", enum_name(connection_status_names, c->status)) &&
	       filter_text(call, "AddressIpVersion", e->ip_version) && filter_text(call, "VpcId", e->vpc) &&
	       filter_text(call, "ServiceName", e->service_name) &&
	       filter_text(call, "ServiceRegionId", e->service_region) &&
	       filter_text(call, "ResourceGroupId", e->resource_group) && tags_match(call, e->id);
}

int endpoint_list(struct call *call)
{
	struct page page;
	json_t *list;
	int r;

	r = page_begin_token(call, &page, 50, 1000);
	if (r < 0)
		return r;
	list = shape_list(call->answer, "Endpoints");
	for (const struct endpoint *e = NULL; (e = owned_next(call, KIND_ENDPOINT, e));) {
		const struct connection *c = snapshot_connection(call->rows, e->id);
		json_t *item;

		if (!c || !endpoint_wanted(call, e, c) || !page_match(&page, e->id))
			continue;
		item = shape_item(list);
		answer_endpoint(call, item, e, c);
		tags_answer(call, item, "Tags", NULL, "Key", "Value", e->id);
	}
	page_end(call, &page);
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

int endpoint_list_groups(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));
	char groups[SECURITY_GROUPS_MAX][ID_SIZE];
	struct page page;
	json_t *list;
	int r;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	r = page_begin_token(call, &page, 50, 50);
	if (r < 0)
		return r;
	memcpy(groups, endpoint->groups, sizeof(groups));
	qsort(groups, endpoint->n_groups, ID_SIZE, compare_ids);
	list = shape_list(call->answer, "SecurityGroups");
	for (uint32_t i = 0; i < endpoint->n_groups; i++) {
		json_t *item;

		if (!page_match(&page, groups[i]))
			continue;
		item = shape_item(list);
		answer_string(item, "SecurityGroupId", groups[i]);
		answer_string(item, "SecurityGroupStatus",
			      endpoint->status == ENDPOINT_CREATING ? "Attaching" : "Attached");
	}
	page_end(call, &page);
	return 0;
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
