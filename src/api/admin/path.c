/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetEndpointPath, for any account over its own objects: of an endpoint, of one that is connected to a
 * service of the caller's, or of one that CreateVpcEndpoint would make. How the path is found, and what of it
 * the caller sees, is in model/path.h.
 */
#include "../../model/path.h"

#include <ctype.h>
#include <strings.h>

#include "../common/owned.h"
#include "../privatelink/admission.h"
#include "../privatelink/endpoint_create.h"
#include "actions.h"

static enum path_node node_of(const void *context, const char *name)
{
	struct control_node known = call_node(context, name);

	if (known.is_presumed)
		return PATH_NODE_UNKNOWN;
	if (!known.has_lease)
		return PATH_NODE_LOST;
	return known.is_live ? PATH_NODE_REPORTS : PATH_NODE_HOLDS;
}

static const char *failure_of(const void *context, const char *key)
{
	return call_failure(context, key);
}

/* ---- the endpoint, by what leads to it ---- */

/* An address of the instance's VPC. */
static const char *endpoint_at(const struct call *call, const struct instance *instance, const char *addr)
{
	char id[KEY_SIZE];
	const struct address *address;
	const struct port *port;

	(void)str_format(id, sizeof(id), "%s/%s", instance->vpc, addr);
	address = snapshot_find(call->rows, KIND_ADDRESS, id);
	port = address ? snapshot_port(call->rows, address->port) : NULL;
	return port && port->kind == PORT_ENDPOINT ? port->holder : NULL;
}

/* Names of an endpoint and its zones begin with its id, which has no '-' behind "ep-". */
static const struct endpoint *endpoint_of_domain(const struct call *call, const char *name)
{
	size_t prefix = strlen("ep-");
	char id[ID_SIZE];

	if (strncasecmp(name, "ep-", prefix) != 0 ||
	    str_format(id, sizeof(id), "%.*s", (int)(prefix + strcspn(name + prefix, "-.")), name) < 0)
		return NULL;
	for (char *p = id; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return owned_endpoint(call, id);
}

static bool is_called(const struct call *call, const struct endpoint *endpoint, const char *name)
{
	if (strcasecmp(endpoint->domain, name) == 0)
		return true;
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(call->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, z));)
		if (strcasecmp(z->domain, name) == 0)
			return true;
	return false;
}

/* The service's own name leads to the VPC's endpoint of it. */
static const char *endpoint_of_service(struct call *call, const struct instance *instance, const char *name)
{
	for (const struct endpoint *e = NULL;
	     (e = snapshot_children(call->rows, REF_ENDPOINT_VPC, instance->vpc, e));) {
		const struct service *service = snapshot_service(call->rows, e->service);

		call->n_rows++;
		if (service && service->private_domain[0] && strcasecmp(service->private_domain, name) == 0 &&
		    e->status != ENDPOINT_DELETING)
			return e->id;
	}
	return NULL;
}

static const char *find_target(struct call *call, const struct instance *instance, const char *target)
{
	const struct endpoint *endpoint = endpoint_of_domain(call, target);
	struct netaddr addr;

	if (endpoint && is_called(call, endpoint, target))
		return endpoint->id;
	if (!instance)
		return NULL;
	return netaddr_parse(target, &addr) == 0 ? endpoint_at(call, instance, target)
						 : endpoint_of_service(call, instance, target);
}

/* Another's object looks like one that does not exist. */
static int read_endpoint(struct call *call, struct path_question *question)
{
	const char *id = call_string(call, "EndpointId"), *target = call_string(call, "Target");
	const struct endpoint *endpoint;

	if (!id) {
		id = find_target(call, question->instance, target);
		if (!id)
			return call_fail_detail(call, "EndpointNotFound",
						"No endpoint of yours has this name or address%s.",
						question->instance ? " in the instance's VPC" : "");
	}
	endpoint = snapshot_endpoint(call->rows, id);
	if (!endpoint || (!owned_endpoint(call, id) && !owned_service(call, endpoint->service)))
		return call_fail(call, "EndpointNotFound");
	return path_question_endpoint(question, id);
}

static struct netprefix planned_address(const struct zone_plan *zone)
{
	if (netaddr_is_zero(&zone->wanted))
		return zone->vswitch->cidr;
	return (struct netprefix){zone->wanted, 128};
}

static int read_plan(struct call *call, struct endpoint_plan *plan, struct path_question *question)
{
	int r;

	if (!call_string(call, "VpcId"))
		return call_fail_named(call, "Missing{Name}", "EndpointId");
	r = endpoint_plan_read(call, plan);
	if (r < 0)
		return r;
	question->endpoint = &plan->row;
	question->connection = &plan->connection;
	question->is_planned = true;
	for (size_t i = 0; i < plan->n_zones; i++)
		question->zones[question->n_zones++] = (struct path_zone){
			.row = &plan->zones[i].row, .where = planned_address(&plan->zones[i])};
	return 0;
}

static int read_instance(struct call *call, struct path_question *question)
{
	const char *id = call_string(call, "InstanceId");

	question->instance = owned_instance(call, id);
	return id && !question->instance ? call_fail(call, "InvalidInstanceId.NotFound") : 0;
}

static int read_port(struct call *call, struct path_question *question)
{
	question->protocol = call_string(call, "Protocol");
	question->port = (uint32_t)call_int(call, "Port", 0);
	if (question->port && question->protocol && streq(question->protocol, "ICMP"))
		return call_fail_param(call, "Port", "ICMP has no ports.");
	return 0;
}

/* The path as it is answered; NULL when out of memory. */
static json_t *find_path(struct call *call, const struct path_question *question)
{
	struct path *path;
	json_t *json;

	if (path_find(question, &path) < 0)
		return NULL;
	call->n_rows += path->n_rows;
	json = path_to_json(path);
	free(path);
	return json;
}

json_t *endpoint_path_of(struct call *call, const struct instance *instance, const struct endpoint *endpoint,
			 uint32_t port)
{
	struct path_question question = {.rows = call->rows,
					 .viewer = call->account->uid,
					 .viewer_is_admin = call_is_admin(call),
					 .instance = instance,
					 .port = port,
					 .node = node_of,
					 .node_context = call};

	return path_question_endpoint(&question, endpoint->id) < 0 ? NULL : find_path(call, &question);
}

int endpoint_path_get(struct call *call)
{
	struct path_question question = {.rows = call->rows,
					 .viewer = call->account->uid,
					 .viewer_is_admin = call_is_admin(call),
					 .node = node_of,
					 .failure = failure_of,
					 .node_context = call};
	struct endpoint_plan plan;
	json_t *path;
	int r;

	r = read_instance(call, &question);
	if (r < 0)
		return r;
	r = call_string(call, "EndpointId") || call_string(call, "Target")
		    ? read_endpoint(call, &question)
		    : read_plan(call, &plan, &question);
	if (r == 0)
		r = read_port(call, &question);
	if (r < 0)
		return r;
	path = find_path(call, &question);
	if (!path || json_object_update(call->answer, path) < 0)
		r = -ENOMEM;
	json_decref(path);
	return r;
}
