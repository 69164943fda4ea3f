/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services, whitelists and the choice of load balancers, as PrivateLink's handlers need them.
 */
#include "privatelink.h"

#include "../../model/check.h"
#include "../common/limits.h"
#include "../common/owned.h"
#include "../frame/shape.h"

const char *const resource_types[] = {"slb", "alb", "nlb", "gwlb", NULL};

const struct endpoint *owned_endpoint(const struct call *call, const char *id)
{
	const struct endpoint *endpoint = id ? snapshot_endpoint(call->rows, id) : NULL;

	return endpoint && owned_here(call, endpoint->owner, endpoint->region) ? endpoint : NULL;
}

const struct service *owned_service(const struct call *call, const char *id)
{
	const struct service *service = id ? snapshot_service(call->rows, id) : NULL;

	if (!service || !streq(service->region, call->region))
		return NULL;
	if (service->owner == call->account->uid || (service->owner == 0 && call->account->is_admin))
		return service;
	return NULL;
}

/* Whether an entry of the whitelist is the account: its id, its ARN, or an ARN of all accounts. */
static bool entry_admits(const struct service_user *user, int64_t uid)
{
	char arn[64];

	if (user->uid != 0)
		return user->uid == uid;
	if (streq(user->arn, "*") || streq(user->arn, "acs:ram:*:*") || streq(user->arn, "acs:ram:*:*:*") ||
	    streq(user->arn, "acs:ram:*::*"))
		return true;
	(void)str_format(arn, sizeof(arn), "acs:ram:*:%lld:*", (long long)uid);
	return streq(user->arn, arn);
}

bool service_admits(const struct call *call, const struct service *service)
{
	char prefix[ID_SIZE + 1];

	if (service->owner == 0 || service->owner == call->account->uid)
		return true;
	(void)str_format(prefix, sizeof(prefix), "%s/", service->id);
	for (const struct service_user *u = NULL;
	     (u = snapshot_next(call->rows, KIND_SERVICE_USER, prefix, u));)
		if (entry_admits(u, call->account->uid))
			return true;
	return false;
}

const char *service_label(const struct service *service)
{
	return service->product[0] ? service->product : service->id;
}

int check_service_there(struct call *call, const struct service *service)
{
	if (!service || service->status == SERVICE_DELETING)
		return call_fail(call, "EndpointServiceDeleted");
	return 0;
}

int read_name(struct call *call, const char *param, char ret[NAME_SIZE])
{
	const char *text = call_string(call, param);

	if (!text || !text[0])
		return 0;
	if (!check_name(text, false) || str_copy(ret, NAME_SIZE, text) < 0)
		return call_fail_param(
			call, param,
			"It must be of 2 to 128 characters, first a letter, then also digits, - and _.");
	return 0;
}

int read_description(struct call *call, const char *param, char ret[TEXT_SIZE])
{
	const char *text = call_string(call, param);

	if (!text || !text[0])
		return 0;
	if (!check_description(text) || str_copy(ret, TEXT_SIZE, text) < 0)
		return call_fail_param(
			call, param,
			"It must be of 2 to 256 characters and not start with http:// or https://.");
	return 0;
}

int read_resource_group(struct call *call, char ret[ID_SIZE])
{
	const char *text = call_string(call, "ResourceGroupId");

	if (text && (utf8_length(text) < 0 || str_copy(ret, ID_SIZE, text) < 0))
		return call_fail(call, "InvalidResourceGroup");
	return 0;
}

static bool serves(const struct call *call, const struct service_resource *resource, const char *zone)
{
	const struct load_balancer *balancer;

	if (!streq(resource->zone, zone))
		return false;
	balancer = snapshot_load_balancer(call->rows, resource->resource);
	return balancer && balancer->status != LB_DELETING;
}

struct candidate {
	const struct service_resource *resource;
	size_t n_endpoints;
};

static size_t find_candidates(const struct call *call, const char *service, const char *zone,
			      struct candidate ret[RESOURCES_PER_SERVICE_ZONE_MAX])
{
	char prefix[ID_SIZE + 1];
	size_t n = 0;

	(void)str_format(prefix, sizeof(prefix), "%s/", service);
	for (const struct service_resource *r = NULL;
	     n < RESOURCES_PER_SERVICE_ZONE_MAX &&
	     (r = snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, r));)
		if (r->auto_allocated && serves(call, r, zone))
			ret[n++] = (struct candidate){.resource = r};
	return n;
}

static void count_endpoints(const struct call *call, const char *zone, struct candidate *candidates, size_t n)
{
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_next(call->rows, KIND_ENDPOINT_ZONE, "", z));) {
		if (!streq(z->zone, zone))
			continue;
		for (size_t i = 0; i < n; i++)
			candidates[i].n_endpoints += streq(z->resource, candidates[i].resource->resource);
	}
}

const struct service_resource *allocate_resource(const struct call *call, const char *service,
						 const char *zone)
{
	struct candidate candidates[RESOURCES_PER_SERVICE_ZONE_MAX], *best = &candidates[0];
	size_t n = find_candidates(call, service, zone, candidates);

	if (n == 0)
		return NULL;
	if (n > 1) /* the usual case needs no counting */
		count_endpoints(call, zone, candidates, n);
	for (size_t i = 1; i < n; i++)
		if (candidates[i].n_endpoints < best->n_endpoints)
			best = &candidates[i];
	return best->resource;
}

bool service_serves_zone(const struct call *call, const char *service, const char *zone)
{
	char prefix[ID_SIZE + 1];

	(void)str_format(prefix, sizeof(prefix), "%s/", service);
	for (const struct service_resource *r = NULL;
	     (r = snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, r));)
		if (serves(call, r, zone))
			return true;
	return false;
}

static bool listed(json_t *list, const char *text)
{
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) if (json_is_string(entry) &&
					       streq(json_string_value(entry), text)) return true;
	return false;
}

void answer_service_zones(const struct call *call, json_t *object, const char *service)
{
	json_t *list = shape_list(object, "Zones");
	char prefix[ID_SIZE + 1];

	(void)str_format(prefix, sizeof(prefix), "%s/", service);
	for (const struct service_resource *r = NULL;
	     (r = snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, r));)
		if (!listed(list, r->zone))
			shape_text(list, r->zone);
}

const char *acceptance_word(const struct connection *connection)
{
	if (connection->waiting)
		return "Waiting";
	switch (connection->status) {
	case CONNECTION_DISCONNECTING:
	case CONNECTION_DISCONNECTED:
		return "Refused";
	default:
		return "Accepted";
	}
}

void answer_endpoint_status(json_t *object, const struct endpoint *endpoint,
			    const struct connection *connection)
{
	answer_string(object, "EndpointStatus", enum_name(endpoint_status_names, endpoint->status));
	answer_string(object, "EndpointBusinessStatus", "Normal");
	answer_string(object, "ConnectionStatus", enum_name(connection_status_names, connection->status));
	answer_string(object, "AcceptanceStatus", acceptance_word(connection));
	if (endpoint->failure[0])
		answer_string(object, "StatusInfo", endpoint->failure);
}
