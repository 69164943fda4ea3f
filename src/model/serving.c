/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See serving.h.
 */
#include "serving.h"

bool serving_instance_runs(const struct instance *instance)
{
	return instance->status == INSTANCE_PENDING || instance->status == INSTANCE_STARTING ||
	       instance->status == INSTANCE_RUNNING;
}

bool serving_balancer_wanted(const struct load_balancer *lb)
{
	return lb->status != LB_STOPPING && lb->status != LB_INACTIVE;
}

bool serving_listener_wanted(const struct listener *listener)
{
	return listener->status == LISTENER_PROVISIONING || listener->status == LISTENER_RUNNING ||
	       listener->status == LISTENER_CONFIGURING || listener->status == LISTENER_STARTING;
}

const struct listener *serving_next_listener(const struct snapshot *rows, const char *load_balancer,
					     const struct listener *previous)
{
	const struct load_balancer *lb = previous ? NULL : snapshot_load_balancer(rows, load_balancer);
	const struct listener *l = previous;

	if (lb && !serving_balancer_wanted(lb))
		return NULL;
	do
		l = snapshot_children(rows, REF_LISTENER_LOAD_BALANCER, load_balancer, l);
	while (l && !serving_listener_wanted(l));
	return l;
}

const struct port *serving_port(const struct snapshot *rows, const struct server_group *group,
				const struct server *server)
{
	char text[NETADDR_TEXT_SIZE], id[KEY_SIZE];
	const struct address *address;
	const struct port *port;

	if (server->port == 0 || server->port > UINT16_MAX)
		return NULL;
	if (*server->port_id) {
		port = snapshot_port(rows, server->port_id);
	} else { /* an address that was taken after it became a server */
		netaddr_format(&server->addr, text);
		(void)str_format(id, sizeof(id), "%s/%s", group->vpc, text);
		address = snapshot_find(rows, KIND_ADDRESS, id);
		port = address ? snapshot_port(rows, address->port) : NULL;
	}
	if (!port || port->kind != PORT_INSTANCE || !streq(port->vpc, group->vpc) ||
	    netaddr_compare(&port->addr, &server->addr) != 0)
		return NULL;
	return port;
}

bool serving_is_probed(const struct server_group *group)
{
	return group->health_enabled &&
	       (!streq(group->protocol, "UDP") || group->health_port || group->health_type == PROBE_UDP);
}

bool serving_is_asked(const struct server_group *group)
{
	return group->health_enabled && !serving_is_probed(group);
}

const struct server_health *serving_health(const struct snapshot *rows, const struct server *server)
{
	char id[KEY_SIZE];

	(void)str_format(id, sizeof(id), "%s/%s/%u", server->group, server->server_id, server->port);
	return snapshot_find(rows, KIND_SERVER_HEALTH, id);
}

bool serving_in_zone(const struct server_group *group, const struct server *server, const char *zone)
{
	return *group->load_balancer || streq(server->zone, zone);
}

/* The largest primes below 2^8 … 2^23: they grow in steps, so that a table keeps its size while a few servers
 * come and go. */
static const uint32_t places[] = {
	251,   509,    1021,   2039,   4093,	8191,	 16381,	  32749,
	65521, 131071, 262139, 524287, 1048573, 2097143, 4194301, 8388593,
};

uint32_t serving_places(size_t n_servers)
{
	size_t few = n_servers > 2 ? MIN(n_servers, (size_t)20) : 0; /* of two, none disturbs another */

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i] / 100 >= n_servers && places[i] / 400 >= few)
			return places[i];
	return places[ARRAY_SIZE(places) - 1];
}
