/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind an endpoint's zone: its part of the connection, the load balancer, the listener, and
 * the servers. Who does not own it sees of all this only whether the zone answers. Servers are judged as the
 * plan does, and besides by what is known of their nodes.
 */
#include "path_build.h"

#include <stdio.h>

#include "serving.h"
#include "state.h"

const char *path_resource(const struct endpoint_zone *zone)
{
	return endpoint_zone_shows_replaced(zone) ? zone->replaced_resource : zone->resource;
}

const char *path_resource_zone(const struct endpoint_zone *zone)
{
	return endpoint_zone_shows_replaced(zone) ? endpoint_zone_behind_replaced(zone)
						  : endpoint_zone_behind(zone);
}

/* What a node says of a row; adds the hop of that and is true, or false. */
static bool add_failure(struct path_builder *b, enum path_kind kind, const char *zone, enum path_code code,
			enum kind of, const void *row, const char *id)
{
	const char *reason;
	char key[KEY_SIZE];

	if (!b->question->failure || row_key(of, row, key) < 0)
		return false;
	reason = b->question->failure(b->question->node_context, key);
	if (reason)
		(void)path_add(b, kind, zone, code, id, "%s is not in force: %s.", id,
			       path_reason(b, reason));
	return reason;
}

/* ---- listeners ---- */

static uint32_t lowest_port(const struct path_builder *b, const char *lb, const char *protocol,
			    uint32_t lowest)
{
	for (const struct listener *l = NULL;
	     (l = snapshot_children(b->rows, REF_LISTENER_LOAD_BALANCER, lb, l));)
		if (l->status != LISTENER_DELETING && streq(l->protocol, protocol) &&
		    (!lowest || l->port < lowest))
			lowest = l->port;
	return lowest;
}

uint32_t path_first_port(const struct path_builder *b, const char *protocol)
{
	uint32_t port = 0;

	for (size_t i = 0; i < b->question->n_zones; i++)
		port = lowest_port(b, path_resource(b->question->zones[i].row), protocol, port);
	/* Nothing serves the endpoint yet. */
	for (const struct service_resource *r = NULL;
	     !port && b->service &&
	     (r = snapshot_children(b->rows, REF_SERVICE_RESOURCE_SERVICE, b->service->id, r));)
		port = lowest_port(b, r->resource, protocol, 0);
	return port;
}

static const struct listener *find_listener(const struct path_builder *b, const char *lb)
{
	const struct listener *found = NULL;

	for (const struct listener *l = NULL;
	     (l = snapshot_children(b->rows, REF_LISTENER_LOAD_BALANCER, lb, l));)
		if (l->status != LISTENER_DELETING && l->port == b->path->port &&
		    streq(l->protocol, b->path->protocol) && (!found || serving_listener_wanted(l)))
			found = l;
	return found;
}

/* "TCP 80, TCP 443" */
static void listeners_words(const struct path_builder *b, const char *lb, char *ret, size_t size)
{
	*ret = '\0';
	for (const struct listener *l = NULL;
	     (l = snapshot_children(b->rows, REF_LISTENER_LOAD_BALANCER, lb, l));)
		if (l->status != LISTENER_DELETING)
			path_append(ret, size, "%s%s %u", *ret ? ", " : "", l->protocol, l->port);
}

/* ---- servers ---- */

/* Servers by what keeps them from getting new flows. */
struct tally {
	uint32_t n, healthy, unknown, ill, stopped, weightless, gone, lost, elsewhere;
	uint32_t own, own_healthy;	   /* of the zone, with a weight */
	uint32_t others;		   /* of other zones, which do not stand in */
	char example[PATH_WORDS_SIZE / 2]; /* one of those that do not serve, in words */
	const struct server *weightless_one;
	const struct instance *stopped_one;
};

static bool is_lost(const struct path_builder *b, const struct port *port)
{
	return b->question->node && *port->node &&
	       b->question->node(b->question->node_context, port->node) == PATH_NODE_LOST;
}

static bool is_elsewhere(const struct path_builder *b, const struct port *port)
{
	return b->sees_consumer && b->question->instance && *port->node &&
	       !streq(b->question->instance->node, port->node);
}

static void note_example(struct tally *tally, const struct server *server, const char *why)
{
	if (!*tally->example)
		(void)snprintf(tally->example, sizeof(tally->example), "%s port %u: %s", server->server_id,
			       server->port, why);
}

/* One that could serve, by its health. */
static bool tally_health(const struct path_builder *b, const struct server_group *group,
			 const struct server *server, struct tally *tally)
{
	const struct server_health *health = serving_health(b->rows, server);

	if (group->health_enabled && health && !health->healthy) {
		tally->ill++;
		note_example(tally, server, *health->reason ? health->reason : "unhealthy");
		return false;
	}
	tally->healthy++;
	tally->unknown += serving_is_probed(group) && !health;
	return true;
}

static bool tally_server(const struct path_builder *b, const struct server_group *group,
			 const struct server *server, struct tally *tally)
{
	const struct port *port = serving_port(b->rows, group, server);
	const struct instance *instance = port ? snapshot_instance(b->rows, port->holder) : NULL;

	tally->n++;
	if (!port) {
		tally->gone++;
		note_example(tally, server, "no interface has its address");
	} else if (server->weight == 0) {
		tally->weightless++;
		tally->weightless_one = tally->weightless_one ?: server;
		note_example(tally, server, "weight 0");
	} else if (instance && !serving_instance_runs(instance)) {
		tally->stopped++;
		tally->stopped_one = tally->stopped_one ?: instance;
		note_example(tally, server, enum_name(instance_status_names, instance->status));
	} else if (is_lost(b, port)) {
		tally->lost++;
		note_example(tally, server, "its node does not report");
	} else if (is_elsewhere(b, port)) {
		tally->elsewhere++;
		note_example(tally, server, "it is on another node");
	} else {
		return tally_health(b, group, server, tally);
	}
	return false;
}

static int tally_servers(struct path_builder *b, const struct server_group *group, const char *zone,
			 bool crosses, uint32_t *looked_at, struct tally *ret)
{
	char prefix[KEY_SIZE];

	*ret = (struct tally){0};
	(void)str_format(prefix, sizeof(prefix), "%s/", group->id);
	for (const struct server *s = NULL; (s = snapshot_next(b->rows, KIND_SERVER, prefix, s));) {
		bool is_own = serving_in_zone(group, s, zone), answers;

		if ((*looked_at)++ >= PATH_SERVERS_MAX)
			return -E2BIG;
		if (s->status == SERVER_REMOVING)
			continue;
		if (!is_own && !crosses) {
			ret->others++;
			continue;
		}
		answers = tally_server(b, group, s, ret);
		ret->own += is_own && s->weight > 0;
		ret->own_healthy += is_own && answers;
	}
	return 0;
}

/* What keeps all of them from serving: what most likely is meant to be otherwise. */
static enum path_code broken_code(const struct tally *tally)
{
	if (tally->n == 0)
		return tally->others ? PATH_ServersNoneInZone : PATH_ServersNone;
	if (tally->ill)
		return PATH_ServersUnhealthy;
	if (tally->stopped)
		return PATH_ServersStopped;
	if (tally->lost)
		return PATH_ServersNodeLost;
	if (tally->elsewhere)
		return PATH_ServersElsewhere;
	return tally->weightless ? PATH_ServersWeightZero : PATH_ServersGone;
}

static enum path_code servers_code(const struct server_group *group, const struct tally *tally)
{
	if (tally->healthy == 0)
		return broken_code(tally);
	if (tally->own && !tally->own_healthy)
		return PATH_ServersOtherZones;
	if (tally->unknown == tally->healthy)
		return PATH_ServersUnknown;
	if (tally->healthy < tally->n)
		return PATH_ServersSomeUnhealthy;
	return serving_is_probed(group) ? PATH_ServersHealthy : PATH_ServersUnprobed;
}

static void fix_weight(struct path_builder *b, const struct server_group *group, const struct server *server)
{
	if (*group->load_balancer) {
		path_fix(b, "slb", "SetBackendServers", group->region, "Give %s a weight.",
			 server->server_id);
		path_fix_parameter(b, "LoadBalancerId", "%s", group->load_balancer);
		path_fix_parameter(b, "BackendServers.1.ServerId", "%s", server->server_id);
		path_fix_parameter(b, "BackendServers.1.Weight", "100");
		return;
	}
	path_fix(b, "nlb", "UpdateServerGroupServersAttribute", group->region, "Give %s a weight.",
		 server->server_id);
	path_fix_parameter(b, "ServerGroupId", "%s", group->id);
	path_fix_parameter(b, "Servers.1.ServerId", "%s", server->server_id);
	path_fix_parameter(b, "Servers.1.ServerType", "%s", server->type);
	path_fix_parameter(b, "Servers.1.Port", "%u", server->port);
	path_fix_parameter(b, "Servers.1.Weight", "100");
}

static void fix_servers(struct path_builder *b, const struct server_group *group, const struct tally *tally,
			enum path_code code)
{
	if (code == PATH_ServersWeightZero && tally->weightless_one)
		fix_weight(b, group, tally->weightless_one);
	if (code != PATH_ServersStopped || tally->stopped_one->owner != b->question->viewer ||
	    tally->stopped_one->status != INSTANCE_STOPPED)
		return;
	path_fix(b, "ecs", "StartInstance", tally->stopped_one->region, "Start the instance %s.",
		 tally->stopped_one->id);
	path_fix_parameter(b, "InstanceId", "%s", tally->stopped_one->id);
}

static void add_servers(struct path_builder *b, const struct path_zone *zone, const struct load_balancer *lb,
			const struct listener *listener)
{
	const struct server_group *group = snapshot_server_group(b->rows, listener->server_group);
	const char *name = zone->row->zone;
	struct tally tally;
	enum path_code code;

	if (!group) {
		(void)path_add(b, PATH_KIND_ServerGroup, name, PATH_ServerGroupMissing,
			       listener->server_group, "%s is gone.", listener->server_group);
		return;
	}
	if (tally_servers(b, group, path_resource_zone(zone->row), lb->cross_zone, &b->n_servers, &tally) <
	    0) {
		(void)path_add(b, PATH_KIND_ServerGroup, name, PATH_ServersTooMany, group->id,
			       "%s and others have more servers than one answer looks at.", group->id);
		return;
	}
	code = servers_code(group, &tally);
	if (add_failure(b, PATH_KIND_ServerGroup, name, PATH_ServersNotInForce, KIND_SERVER_GROUP, group,
			group->id))
		return;
	(void)path_add(b, PATH_KIND_ServerGroup, name, code, group->id,
		       "%u of %u servers of %s serve: %s%s%s.", tally.healthy, tally.n, group->id,
		       path_code_info(code)->text, *tally.example ? "; " : "", tally.example);
	fix_servers(b, group, &tally, code);
}

bool path_zone_answers(struct path_builder *b, const struct endpoint_zone *zone)
{
	const char *id = path_resource(zone), *behind = path_resource_zone(zone);
	const struct load_balancer *lb = snapshot_load_balancer(b->rows, id);

	if (!lb || load_balancer_is_shifted(lb, behind))
		return false;
	for (const struct listener *l = NULL; (l = serving_next_listener(b->rows, id, l));) {
		const struct server_group *group = snapshot_server_group(b->rows, l->server_group);
		struct tally tally;

		if (!group)
			continue;
		if (tally_servers(b, group, behind, lb->cross_zone, &b->n_answers, &tally) < 0)
			return true;
		if (tally.own ? tally.own_healthy : tally.healthy)
			return true;
	}
	return false;
}

/* ---- the load balancer ---- */

static enum path_code balancer_code(const struct load_balancer *lb, const char *zone)
{
	switch (lb->status) {
	case LB_PROVISIONING:
	case LB_STARTING:
		return PATH_BalancerStarting;
	case LB_STOPPING:
	case LB_INACTIVE:
		return PATH_BalancerStopped;
	case LB_DELETING:
		return PATH_BalancerDeleting;
	case LB_CREATE_FAILED:
		return PATH_BalancerFailed;
	default:
		return load_balancer_is_shifted(lb, zone) ? PATH_BalancerShifted : PATH_BalancerActive;
	}
}

static void add_balancer(struct path_builder *b, const struct path_zone *zone, const struct load_balancer *lb)
{
	enum path_code code = balancer_code(lb, path_resource_zone(zone->row));

	if (code == PATH_BalancerActive &&
	    add_failure(b, PATH_KIND_LoadBalancer, zone->row->zone, PATH_BalancerNotInForce,
			KIND_LOAD_BALANCER, lb, lb->id))
		return;
	(void)path_add(b, PATH_KIND_LoadBalancer, zone->row->zone, code, lb->id, "%s (%s): %s.", lb->id,
		       enum_name(lb_status_names, lb->status), path_code_info(code)->text);
	if (code != PATH_BalancerStopped || lb->type != LB_CLASSIC)
		return;
	path_fix(b, "slb", "SetLoadBalancerStatus", lb->region, "Start the load balancer %s.", lb->id);
	path_fix_parameter(b, "LoadBalancerId", "%s", lb->id);
	path_fix_parameter(b, "LoadBalancerStatus", "active");
}

static void fix_listener(struct path_builder *b, const struct load_balancer *lb,
			 const struct listener *listener)
{
	if (lb->type == LB_CLASSIC) {
		path_fix(b, "slb", "StartLoadBalancerListener", lb->region, "Start the listener of port %u.",
			 listener->port);
		path_fix_parameter(b, "LoadBalancerId", "%s", lb->id);
		path_fix_parameter(b, "ListenerPort", "%u", listener->port);
		return;
	}
	path_fix(b, "nlb", "StartListener", lb->region, "Start the listener %s.", listener->id);
	path_fix_parameter(b, "ListenerId", "%s", listener->id);
}

/* The listener of the port; NULL after a hop that says why there is none that serves. */
static const struct listener *add_listener(struct path_builder *b, const struct path_zone *zone,
					   const struct load_balancer *lb)
{
	const struct listener *listener = find_listener(b, lb->id);
	const char *name = zone->row->zone;
	char service[32], others[128];

	path_service_words(b, service, sizeof(service));
	if (!listener) {
		listeners_words(b, lb->id, others, sizeof(others));
		(void)path_add(b, PATH_KIND_Listener, name, PATH_ListenerMissing, "",
			       "%s does not listen on %s, but on: %s.", lb->id, service,
			       *others ? others : "nothing");
		return NULL;
	}
	if (!serving_listener_wanted(listener)) {
		(void)path_add(b, PATH_KIND_Listener, name, PATH_ListenerStopped, listener->id,
			       "The listener %s of %s on %s is %s.", listener->id, lb->id, service,
			       enum_name(listener_status_names, listener->status));
		if (listener->status == LISTENER_STOPPED)
			fix_listener(b, lb, listener);
		return NULL;
	}
	if (add_failure(b, PATH_KIND_Listener, name, PATH_ListenerNotInForce, KIND_LISTENER, listener,
			listener->id))
		return NULL;
	(void)path_add(b, PATH_KIND_Listener, name,
		       listener->status == LISTENER_RUNNING || listener->status == LISTENER_CONFIGURING
			       ? PATH_ListenerRunning
			       : PATH_ListenerStarting,
		       listener->id, "The listener %s of %s takes %s.", listener->id, lb->id, service);
	return listener;
}

static void add_resource(struct path_builder *b, const struct path_zone *zone)
{
	const char *id = path_resource(zone->row);
	const struct load_balancer *lb = snapshot_load_balancer(b->rows, id);
	const struct listener *listener;

	if (!lb) {
		(void)path_add(b, PATH_KIND_LoadBalancer, zone->row->zone, PATH_BalancerMissing, id,
			       "%s is gone.", id);
		return;
	}
	add_balancer(b, zone, lb);
	path_group_behind(b, zone, lb);
	listener = add_listener(b, zone, lb);
	if (listener)
		add_servers(b, zone, lb, listener);
}

/* ---- the zone ---- */

static bool is_up(const struct path_builder *b)
{
	const struct connection *connection = b->question->connection;

	return connection && !connection->waiting &&
	       (connection->status == CONNECTION_CONNECTED || connection->status == CONNECTION_PENDING);
}

static enum path_code zone_code(const struct path_builder *b, const struct endpoint_zone *zone)
{
	if (!b->question->is_planned && !is_up(b))
		return PATH_ZoneWaits;
	if (b->question->is_planned)
		return *zone->resource ? PATH_ZoneConnected : PATH_ZoneWaits;
	switch (zone->status) {
	case ZONE_DISCONNECTING:
		return PATH_ZoneDisconnecting;
	case ZONE_DISCONNECTED:
		return PATH_ZoneDisconnected;
	case ZONE_CREATING:
	case ZONE_WAIT:
	case ZONE_CONNECTING:
		return PATH_ZoneConnecting;
	default:
		return *path_resource(zone) ? PATH_ZoneConnected : PATH_ZoneWithoutResource;
	}
}

/* Whether who asks may see the load balancer that serves the zone. */
static bool is_seen(const struct path_builder *b, const struct endpoint_zone *zone)
{
	const struct load_balancer *lb = snapshot_load_balancer(b->rows, path_resource(zone));

	return b->sees_provider && (!lb || lb->owner == b->question->viewer);
}

/* What those see who do not own it. */
static void add_folded(struct path_builder *b, const struct path_zone *zone)
{
	char service[32];

	path_service_words(b, service, sizeof(service));
	b->is_folded = true;
	b->folded = PATH_OK;
	if (*path_resource(zone->row))
		add_resource(b, zone);
	else
		b->folded = PATH_BROKEN;
	b->is_folded = false;
	if (b->folded == PATH_BROKEN)
		(void)path_add(b, PATH_KIND_ServiceZone, zone->row->zone, PATH_ZoneSilent,
			       b->question->endpoint->service,
			       "Behind the zone %s nothing answers on %s: its provider has to look, if %s is "
			       "what the service offers.",
			       zone->row->zone, service, service);
	else
		(void)path_add(b, PATH_KIND_ServiceZone, zone->row->zone,
			       b->folded == PATH_UNKNOWN ? PATH_ZoneUnknown : PATH_ZoneAnswers,
			       b->question->endpoint->service, "Behind the zone %s the service %s on %s.",
			       zone->row->zone,
			       b->folded == PATH_UNKNOWN ? "has not been probed yet" : "answers", service);
}

static void fix_zone(struct path_builder *b, const struct endpoint_zone *zone)
{
	path_fix(b, "privatelink", "EnableVpcEndpointZoneConnection", b->service->region,
		 "Connect the zone %s of %s again.", zone->zone, zone->endpoint);
	path_fix_parameter(b, "EndpointId", "%s", zone->endpoint);
	path_fix_parameter(b, "ServiceId", "%s", b->service->id);
	path_fix_parameter(b, "ZoneId", "%s", zone->zone);
}

void path_behind(struct path_builder *b, const struct path_zone *zone)
{
	enum path_code code = zone_code(b, zone->row);
	bool seen = is_seen(b, zone->row);

	if ((code == PATH_ZoneConnected || code == PATH_ZoneWithoutResource) && !seen) {
		add_folded(b, zone);
		return;
	}
	(void)path_add(b, PATH_KIND_ServiceZone, zone->row->zone, code, b->question->endpoint->service,
		       "The zone %s: %s.", zone->row->zone, path_code_info(code)->text);
	if (code == PATH_ZoneDisconnected && b->service)
		fix_zone(b, zone->row);
	if (code == PATH_ZoneConnected)
		add_resource(b, zone);
}
