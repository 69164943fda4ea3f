/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small world of the plan's tests: node n1; a consumer's VPC (10) and a provider's (11) with the same
 * addresses, zones h and i; an endpoint ep-1 in both zones for the service epsrv-1, which a load balancer
 * with one server in each zone serves on TCP 443.
 */
#pragma once

#include "plan/plan.h"
#include "plan/plan_touched.h"

#include "tests/tap.h"
#include "tests/unit/rows.h"

#define ZONE_H "cn-hangzhou-h"
#define ZONE_I "cn-hangzhou-i"

struct world {
	struct snapshot *rows;
	struct plan_indexes *indexes;
	struct plan *plan;
	char ill[8][ID_SIZE];	 /* servers that the local probes find unhealthy */
	uint32_t missing_device; /* number of a port whose device is not there */
};

static struct catalogue_zone world_zones[] = {{.id = ZONE_H}, {.id = ZONE_I}};
static struct catalogue_region world_regions[] = {{.id = "cn-hangzhou", .zones = world_zones, .n_zones = 2},
						  {.id = "cn-beijing"}};
static char world_service_regions[][REGION_SIZE] = {"cn-hangzhou"};
static struct catalogue_service world_services[] = {
	{.product = "pai-dlc",
	 .name = "com.aliyuncs.privatelink.{RegionId}.pai-dlc",
	 .domain = "pai-dlc-vpc.{RegionId}.aliyuncs.com",
	 .regions = world_service_regions,
	 .n_regions = 1},
};
static const struct catalogue world_catalogue = {
	.regions = world_regions,
	.n_regions = 2,
	.services = world_services,
	.n_services = 1,
};

/* The account that owns what is in the VPC. */
static int world_owner(const char *vpc)
{
	return 1000 + *vpc;
}

__attribute__((unused)) static void world_instance(struct world *w, const char *name, uint32_t number,
						   const char *vpc, const char *zone, const char *addr,
						   const char *group, const char *node)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "port/eni-%s", name);
	rows_put(w->rows, key,
		 "{'id': 'eni-%s', 'number': %u, 'kind': 'instance', 'region': 'cn-hangzhou', 'zone': '%s', "
		 "'vpc': "
		 "'vpc-%s', "
		 "'vswitch': 'vsw-%s-%c', 'addr': '%s', 'mac': '02:00:00:00:00:%02x', 'mtu': 1500, 'groups': "
		 "['%s'], "
		 "'holder': 'i-%s', 'node': '%s', 'status': 'InUse'}",
		 name, number, zone, vpc, vpc, zone[strlen(zone) - 1], addr, number, group, name, node);
	snprintf(key, sizeof(key), "instance/i-%s", name);
	rows_put(w->rows, key,
		 "{'id': 'i-%s', 'owner': %d, 'zone': '%s', 'vpc': 'vpc-%s', 'node': '%s', 'kind': 'netns', "
		 "'host_name': '%s', "
		 "'port': 'eni-%s', 'status': 'Running'}",
		 name, world_owner(vpc), zone, vpc, node, name, name);
}

__attribute__((unused)) static void world_server(struct world *w, const char *name, const char *zone,
						 const char *addr, uint32_t weight)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "server/sgp-1/i-%s/443", name);
	rows_put(w->rows, key,
		 "{'group': 'sgp-1', 'server_id': 'i-%s', 'type': 'Ecs', 'addr': '%s', 'port': 443, "
		 "'weight': %u, "
		 "'zone': '%s', 'port_id': 'eni-%s', 'node': 'n1', 'status': 'Available'}",
		 name, addr, weight, zone, name);
}

__attribute__((unused)) static void world_endpoint_zone(struct world *w, const char *endpoint,
							const char *zone, const char *addr, uint32_t number,
							const char *status)
{
	char key[KEY_SIZE], letter = zone[strlen(zone) - 1];

	snprintf(key, sizeof(key), "port/eni-%s-%c", endpoint, letter);
	rows_put(w->rows, key,
		 "{'id': 'eni-%s-%c', 'number': %u, 'kind': 'endpoint', 'zone': '%s', 'vpc': 'vpc-c', "
		 "'vswitch': 'vsw-c-%c', 'addr': '%s', 'mac': '02:00:00:00:00:%02x', 'mtu': 1500, 'groups': "
		 "['sg-ep'], "
		 "'holder': '%s', 'status': 'InUse'}",
		 endpoint, letter, number, zone, letter, addr, number, endpoint);
	snprintf(key, sizeof(key), "endpoint_zone/%s/%s", endpoint, zone);
	rows_put(w->rows, key,
		 "{'endpoint': '%s', 'zone': '%s', 'vswitch': 'vsw-c-%c', 'port': 'eni-%s-%c', 'addr': '%s', "
		 "'domain': '%s-%s.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com', 'resource': 'nlb-1', "
		 "'status': '%s'}",
		 endpoint, zone, letter, endpoint, letter, addr, endpoint, zone, status);
}

__attribute__((unused)) static void world_endpoint(struct world *w, const char *status,
						   const char *connection)
{
	rows_put(w->rows, "endpoint/ep-1",
		 "{'id': 'ep-1', 'owner': %d, 'vpc': 'vpc-c', 'service': 'epsrv-1', 'type': 'Interface', "
		 "'domain': 'ep-1.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com', 'groups': ['sg-ep'], "
		 "'zone_affinity': true, 'status': '%s'}",
		 world_owner("c"), status);
	rows_put(w->rows, "connection/ep-1", "{'endpoint': 'ep-1', 'service': 'epsrv-1', 'status': '%s'}",
		 connection);
}

static void world_vpc(struct world *w, const char *name, uint32_t number)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "vpc/vpc-%s", name);
	rows_put(w->rows, key, "{'id': 'vpc-%s', 'number': %u, 'cidr': '10.0.0.0/16', 'status': 'Available'}",
		 name, number);
	for (int i = 0; i < 2; i++) {
		snprintf(key, sizeof(key), "vswitch/vsw-%s-%c", name, "hi"[i]);
		rows_put(w->rows, key,
			 "{'id': 'vsw-%s-%c', 'region': 'cn-hangzhou', 'vpc': 'vpc-%s', 'zone': "
			 "'cn-hangzhou-%c', 'cidr': "
			 "'10.0.%d.0/24', "
			 "'status': 'Available'}",
			 name, "hi"[i], name, "hi"[i], i + 1);
	}
}

static void world_service(struct world *w)
{
	rows_put(w->rows, "load_balancer/nlb-1",
		 "{'id': 'nlb-1', 'vpc': 'vpc-p', 'zones': ['" ZONE_H "', '" ZONE_I
		 "'], 'cross_zone': true, 'status': 'Active'}");
	rows_put(w->rows, "listener/lsn-1",
		 "{'id': 'lsn-1', 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': 'TCP', "
		 "'port': 443, "
		 "'idle_timeout_s': 900, 'status': 'Running'}");
	rows_put(w->rows, "server_group/sgp-1",
		 "{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'TCP', 'health_enabled': true, "
		 "'health_interval_s': 1, "
		 "'health_timeout_s': 2, 'healthy_threshold': 2, 'unhealthy_threshold': 3, 'status': "
		 "'Available'}");
	world_server(w, "p1", ZONE_H, "10.0.1.10", 100);
	world_server(w, "p2", ZONE_I, "10.0.2.10", 100);
	rows_put(w->rows, "nat_range/vpc-p/n1", "{'vpc': 'vpc-p', 'node': 'n1', 'range': '100.64.0.16/28'}");
	rows_put(w->rows, "service/epsrv-1",
		 "{'id': 'epsrv-1', 'region': 'cn-hangzhou', 'domain': "
		 "'epsrv-1.cn-hangzhou.privatelink.aliyuncs.com', "
		 "'private_domain': 'pai-dlc-vpc.cn-hangzhou.aliyuncs.com', 'product': 'pai-dlc', "
		 "'zone_affinity': true, 'status': 'Active'}");
	rows_put(w->rows, "service_resource/epsrv-1/nlb-1/" ZONE_H,
		 "{'service': 'epsrv-1', 'resource': 'nlb-1', 'type': 'nlb', 'zone': '" ZONE_H "'}");
}

__attribute__((unused)) static void world_new(struct world *w)
{
	memset(w, 0, sizeof(*w));
	if (snapshot_new(&w->rows) < 0 || plan_indexes_new(&w->indexes) < 0)
		exit(EXIT_FAILURE);
	rows_put(w->rows, "node/n1", "{'name': 'n1', 'number': 1, 'mtu': 1500}");
	rows_put(w->rows, "node/n2", "{'name': 'n2', 'number': 2, 'mtu': 1500}");
	world_vpc(w, "c", 10);
	world_vpc(w, "p", 11);
	rows_put(w->rows, "security_group/sg-c",
		 "{'id': 'sg-c', 'vpc': 'vpc-c', 'type': 'normal', 'inner_accept': true}");
	rows_put(w->rows, "security_group/sg-p",
		 "{'id': 'sg-p', 'vpc': 'vpc-p', 'type': 'normal', 'inner_accept': true}");
	rows_put(w->rows, "security_group/sg-ep", "{'id': 'sg-ep', 'vpc': 'vpc-c', 'type': 'normal'}");
	rows_put(w->rows, "sg_rule/sg-ep/sgr-1",
		 "{'id': 'sgr-1', 'group': 'sg-ep', 'direction': 'ingress', 'policy': 'Accept', 'priority': "
		 "1, "
		 "'protocol': 'TCP', 'port_first': 443, 'port_last': 443, 'cidr': '10.0.0.0/16'}");
	world_instance(w, "c", 100, "c", ZONE_H, "10.0.1.10", "sg-c", "n1");
	world_instance(w, "p1", 101, "p", ZONE_H, "10.0.1.10", "sg-p", "n1");
	world_instance(w, "p2", 102, "p", ZONE_I, "10.0.2.10", "sg-p", "n1");
	world_service(w);
	world_endpoint(w, "Active", "Connected");
	world_endpoint_zone(w, "ep-1", ZONE_H, "10.0.1.50", 201, "Connected");
	world_endpoint_zone(w, "ep-1", ZONE_I, "10.0.2.50", 202, "Connected");
}

__attribute__((unused)) static void world_free(struct world *w)
{
	plan_free(w->plan);
	plan_indexes_free(w->indexes);
	snapshot_free(w->rows);
}

static enum plan_health world_health(void *context, const struct server *server)
{
	const struct world *w = context;

	for (size_t i = 0; i < ARRAY_SIZE(w->ill); i++)
		if (streq(w->ill[i], server->server_id))
			return PLAN_UNHEALTHY;
	return PLAN_HEALTH_UNKNOWN;
}

static uint32_t world_ifindex(void *context, uint32_t port_number)
{
	const struct world *w = context;

	return port_number == w->missing_device ? 0 : 1000 + port_number;
}

static int world_build(struct world *w, struct plan **ret)
{
	const struct plan_input input = {
		.rows = w->rows,
		.catalogue = &world_catalogue,
		.node = "n1",
		.health = world_health,
		.health_context = w,
		.ifindex = world_ifindex,
		.ifindex_context = w,
	};

	return plan_build(&input, w->indexes, ret);
}

/* A row comes, or goes (NULL), and what it touches is noted, as the feed does it (agent/feed_rows.c). */
__attribute__((unused)) static void world_apply(struct world *w, struct plan_touched *touched,
						const char *key, const json_t *json)
{
	bool touches = plan_touch_old(touched, w->rows, key, json);

	if (snapshot_apply(w->rows, key, json, 1, ++rows_revision) < 0)
		exit(EXIT_FAILURE);
	if (touches)
		plan_touch_new(touched, w->rows, key);
	snapshot_set_revision(w->rows, rows_revision);
}

/* Plans again; the plan before is gone. */
__attribute__((unused)) static const struct plan *world_plan(struct world *w)
{
	w->plan = plan_free(w->plan);
	if (world_build(w, &w->plan) < 0)
		exit(EXIT_FAILURE);
	return w->plan;
}

__attribute__((unused)) static const struct plan_place *find_place(const struct plan *plan, uint32_t vpc,
								   const char *addr)
{
	struct netaddr wanted;

	if (netaddr_parse(addr, &wanted) < 0)
		exit(EXIT_FAILURE);
	for (size_t i = 0; i < plan->n_places; i++)
		if (plan->places[i].key.vpc == vpc && memcmp(&plan->places[i].key.addr, &wanted, 16) == 0)
			return &plan->places[i];
	return NULL;
}

__attribute__((unused)) static uint32_t place_kind(const struct plan *plan, uint32_t vpc, const char *addr)
{
	const struct plan_place *place = find_place(plan, vpc, addr);

	return place ? place->value.kind : 0;
}

__attribute__((unused)) static const struct plan_eni *find_eni(const struct plan *plan, const char *zone)
{
	for (size_t i = 0; i < plan->n_enis; i++)
		if (streq(plan->enis[i].zone, zone))
			return &plan->enis[i];
	return NULL;
}

__attribute__((unused)) static const struct plan_listener *listener_of(const struct plan *plan,
								       const char *zone, uint16_t port)
{
	const struct plan_eni *eni = find_eni(plan, zone);

	for (size_t i = 0; eni && i < plan->n_listeners; i++)
		if (plan->listeners[i].key.target == eni->value.target &&
		    plan->listeners[i].key.port == htons(port))
			return &plan->listeners[i];
	return NULL;
}

/* The last octets and subnets of the backends in a table: "1.10 2.10"; "-" if it has none. */
__attribute__((unused)) static const char *served_by(const struct plan *plan, const char *zone, uint16_t port)
{
	const struct plan_listener *listener = listener_of(plan, zone, port);
	static char text[256];

	text[0] = '\0';
	if (!listener)
		return "no listener";
	for (size_t i = 0; i < plan->n_backends; i++) {
		uint32_t addr = ntohl(plan->backends[i].value.addr.w[3]), places = 0;

		for (uint32_t j = 0; j < listener->value.table_size; j++)
			places += listener->table[j] == plan->backends[i].index;
		if (places)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u.%u",
				 *text ? " " : "", addr >> 8 & 255, addr & 255);
	}
	return *text ? text : "-";
}

__attribute__((unused)) static const struct plan_security_group *find_group(const struct plan *plan,
									    uint32_t number)
{
	for (size_t i = 0; i < plan->n_security_groups; i++)
		if (plan->security_groups[i].number == number)
			return &plan->security_groups[i];
	return NULL;
}

__attribute__((unused)) static const char *failure_of(const struct plan *plan, const char *key)
{
	for (size_t i = 0; i < plan->n_failures; i++)
		if (streq(plan->failures[i].key, key))
			return plan->failures[i].reason;
	return "";
}
