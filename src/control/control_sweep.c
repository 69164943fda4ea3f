/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left over, and what nodes found out about servers.
 *
 * A row that is a part of another goes when that one is gone. Usually that has happened in the same
 * transaction; the sweep is the truth for what was deleted in several steps, or by a call that deletes only
 * the object itself. Tokens and jobs are forgotten after a day.
 */
#include "control_step.h"

/* Whether the owner of this part is still there. */
typedef bool (*owner_there)(const struct snapshot *rows, const void *part);

#define OWNED_BY(name, type, kind, member)                                                                   \
	static bool name(const struct snapshot *rows, const void *part)                                      \
	{                                                                                                    \
		return snapshot_find(rows, kind, ((const struct type *)part)->member);                       \
	}
OWNED_BY(rule_owner, sg_rule, KIND_SECURITY_GROUP, group)
OWNED_BY(server_owner, server, KIND_SERVER_GROUP, group)
OWNED_BY(listener_owner, listener, KIND_LOAD_BALANCER, load_balancer)
OWNED_BY(resource_owner, service_resource, KIND_SERVICE, service)
OWNED_BY(user_owner, service_user, KIND_SERVICE, service)
OWNED_BY(zone_owner, endpoint_zone, KIND_ENDPOINT, endpoint)
OWNED_BY(connection_owner, connection, KIND_ENDPOINT, endpoint)
OWNED_BY(address_owner, address, KIND_PORT, port)

static bool health_owner(const struct snapshot *rows, const void *part)
{
	return snapshot_find(rows, KIND_SERVER, snapshot_id(part));
}

static bool port_owner(const struct snapshot *rows, const void *part)
{
	static const enum kind holders[] = {
		[PORT_INSTANCE] = KIND_INSTANCE,
		[PORT_ENDPOINT] = KIND_ENDPOINT,
		[PORT_LOAD_BALANCER] = KIND_LOAD_BALANCER,
	};
	const struct port *port = part;

	return snapshot_find(rows, holders[port->kind], port->holder);
}

/* What can have tags is told by the beginning of its id. */
static bool tag_owner(const struct snapshot *rows, const void *part)
{
	static const struct {
		const char *prefix;
		enum kind kind;
	} tagged[] = {
		{"ep-", KIND_ENDPOINT},	      {"epsrv-", KIND_SERVICE},	    {"i-", KIND_INSTANCE},
		{"eni-", KIND_PORT},	      {"vpc-", KIND_VPC},	    {"vsw-", KIND_VSWITCH},
		{"sg-", KIND_SECURITY_GROUP}, {"nlb-", KIND_LOAD_BALANCER}, {"sgp-", KIND_SERVER_GROUP},
		{"lsn-", KIND_LISTENER},
	};
	const struct tag *tag = part;

	for (size_t i = 0; i < ARRAY_SIZE(tagged); i++)
		if (str_starts(tag->resource, tagged[i].prefix))
			return snapshot_find(rows, tagged[i].kind, tag->resource);
	return true;
}

static const struct part_kind {
	enum kind kind;
	owner_there there;
} part_kinds[] = {
	{KIND_SG_RULE, rule_owner},
	{KIND_SERVER, server_owner},
	{KIND_SERVER_HEALTH, health_owner},
	{KIND_LISTENER, listener_owner},
	{KIND_SERVICE_USER, user_owner},
	{KIND_SERVICE_RESOURCE, resource_owner},
	{KIND_CONNECTION, connection_owner},
	{KIND_ENDPOINT_ZONE, zone_owner},
	{KIND_ADDRESS, address_owner},
	{KIND_PORT, port_owner},
	{KIND_TAG, tag_owner},
};

static void sweep_old(const struct control_view *view, struct batch *batch)
{
	const struct snapshot *rows = view->rows;

	for (const struct client_token *t = NULL; (t = snapshot_next(rows, KIND_CLIENT_TOKEN, "", t));)
		if (view->now - t->create_time > TOKEN_KEPT_S)
			batch_delete(batch, KIND_CLIENT_TOKEN, t);
	for (const struct job *j = NULL; (j = snapshot_next(rows, KIND_JOB, "", j));)
		if (view->now - j->create_time > JOB_KEPT_S)
			batch_delete(batch, KIND_JOB, j);
}

void control_sweep(const struct control_view *view, struct batch *batch)
{
	for (size_t i = 0; i < ARRAY_SIZE(part_kinds); i++)
		for (const void *v = NULL; (v = snapshot_next(view->rows, part_kinds[i].kind, "", v));)
			if (!part_kinds[i].there(view->rows, v))
				batch_delete(batch, part_kinds[i].kind, v);
	sweep_old(view, batch);
}

static bool health_equal(const struct server_health *a, const struct server_health *b)
{
	return a->healthy == b->healthy && streq(a->reason, b->reason) && streq(a->node, b->node);
}

void control_health(const struct control_view *view, const struct server_health *health, size_t n_health,
		    struct batch *batch)
{
	for (size_t i = 0; i < n_health; i++) {
		struct server_health row = health[i];
		const struct server_health *known;
		char id[KEY_SIZE];

		if (str_format(id, sizeof(id), "%s/%s/%u", row.group, row.server_id, row.port) < 0 ||
		    !snapshot_find(view->rows, KIND_SERVER, id))
			continue;
		known = snapshot_find(view->rows, KIND_SERVER_HEALTH, id);
		if (known && health_equal(known, &row))
			continue;
		row.meta = known ? known->meta : (struct row_meta){};
		batch_put(batch, KIND_SERVER_HEALTH, &row);
	}
}
