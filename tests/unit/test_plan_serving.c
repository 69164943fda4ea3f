/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who serves an endpoint: tables with rescue, what servers may keep, classic load balancers, servers and
 * endpoints elsewhere, listeners, and the ids of their PROXY headers.
 */
#include "tests/unit/plan_world.h"

static void test_tables(void)
{
	struct world w;
	const struct plan *plan;

	world_new(&w);
	plan = world_plan(&w);
	tap_is_str(served_by(plan, ZONE_H, 443), "1.10", "a zone is served by its own server");
	tap_is_str(served_by(plan, ZONE_I, 443), "2.10", "and the other one by the other");
	tap_is_int(listener_of(plan, ZONE_H, 443)->value.idle_s, 900,
		   "the listener's idle time-out is in the row");
	tap_is_int(listener_of(plan, ZONE_H, 443)->value.vpc, 11, "and so is its servers' VPC");
	tap_is_int(plan->n_backends, 2, "both servers are backends");
	tap_is_int(ntohl(plan->backends[0].value.nat_first), 0x64400010,
		   "sources are translated to the range");
	tap_is_int(plan->backends[0].value.nat_count, 16, "all of its sixteen addresses");

	strcpy(w.ill[0], "i-p1");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10",
		   "rescue: a zone without a healthy server is served by another");
	tap_is_str(served_by(w.plan, ZONE_I, 443), "2.10", "the healthy zone goes on by itself");
	strcpy(w.ill[1], "i-p2");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "1.10",
		   "no healthy server at all: the zone's own stays in");
	tap_is_str(served_by(w.plan, ZONE_I, 443), "2.10", "in both zones");
	rows_put(w.rows, "load_balancer/nlb-1", "{'id': 'nlb-1', 'vpc': 'vpc-p', 'status': 'Active'}");
	memset(w.ill[1], 0, sizeof(w.ill[1]));
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "1.10",
		   "without CrossZoneEnabled no other zone's server stands in");
	world_server(&w, "p1", ZONE_I, "10.0.1.10", 100);
	tap_is_int(listener_of(world_plan(&w), ZONE_H, 443)->value.table_size, 0,
		   "a zone without a server has none");
	world_server(&w, "p1", ZONE_H, "10.0.1.10", 100);
	world_service(&w);
	memset(w.ill, 0, sizeof(w.ill));

	rows_put(w.rows, "server_health/sgp-1/i-p1/443",
		 "{'group': 'sgp-1', 'server_id': 'i-p1', 'port': 443, 'node': 'n2', 'healthy': false}");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10", "what another node reported counts, too");
	rows_delete(w.rows, "server_health/sgp-1/i-p1/443");

	world_server(&w, "p1", ZONE_H, "10.0.1.10", 0);
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10", "weight 0 means no new flows");
	tap_is_int(w.plan->n_backends, 2, "but it stays a backend");
	rows_put(w.rows, "server/sgp-1/i-p1/443",
		 "{'group': 'sgp-1', 'server_id': 'i-p1', 'type': 'Ecs', 'addr': '10.0.1.10', 'port': 443, "
		 "'weight': 100, 'zone': '" ZONE_H "', 'port_id': 'eni-p1', 'status': 'Removing'}");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10",
		   "a server that is being removed gets none");
	tap_is_int(w.plan->n_backends, 2, "and stays a backend for those that it has");
	strcpy(w.ill[0], "i-p2");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10", "not even when all others are ill");
	memset(w.ill, 0, sizeof(w.ill));
	world_server(&w, "p1", ZONE_H, "10.0.1.10", 100);

	w.missing_device = 101;
	rows_put(w.rows, "server_health/sgp-1/i-p1/443",
		 "{'group': 'sgp-1', 'server_id': 'i-p1', 'port': 443, 'node': 'n1', 'healthy': true}");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10",
		   "a server whose device is missing gets none, however well it was when last probed");
	rows_delete(w.rows, "server_health/sgp-1/i-p1/443");
	w.missing_device = 0;

	rows_put(w.rows, "instance/i-p1",
		 "{'id': 'i-p1', 'vpc': 'vpc-p', 'node': 'n1', 'port': 'eni-p1', 'status': 'Stopped'}");
	strcpy(w.ill[0], "i-p2");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10",
		   "a stopped instance serves nobody, not even when all are ill");
	memset(w.ill, 0, sizeof(w.ill));
	rows_delete(w.rows, "instance/i-p1");
	rows_delete(w.rows, "port/eni-p1");
	rows_delete(w.rows, "instance/i-p2");
	rows_delete(w.rows, "port/eni-p2");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "-", "servers that are gone leave an empty table");
	tap_is_int(listener_of(w.plan, ZONE_H, 443)->value.table_size, 0,
		   "which says that there is no backend");
	world_free(&w);
}

static void put_balancer(struct world *w, const char *status)
{
	rows_put(w->rows, "load_balancer/nlb-1",
		 "{'id': 'nlb-1', 'type': 'slb', 'vpc': 'vpc-p', 'zones': ['" ZONE_H "'], 'status': '%s'}",
		 status);
}

/* "well", "ill", "leaving" or "gone": what the server 10.0.1.10 may keep; "-": it has no row. */
static const char *keeps(const struct plan *plan)
{
	static const char *const names[] = {"?", "well", "ill", "leaving", "gone"};

	for (size_t i = 0; i < plan->n_served; i++)
		if (((const uint8_t *)&plan->served[i].key.addr)[14] == 1)
			return names[plan->served[i].value.state];
	return "-";
}

static void test_served(void)
{
	const struct plan_listener *h, *i;
	struct world w;

	world_new(&w);
	tap_is_str(keeps(world_plan(&w)), "well", "a server that is well keeps all its flows");
	h = listener_of(w.plan, ZONE_H, 443);
	i = listener_of(w.plan, ZONE_I, 443);
	tap_ok(w.plan->n_served == 2 && w.plan->served[0].key.group == h->value.group &&
		       h->value.group == i->value.group && h->value.group,
	       "a group's listeners in all zones name its servers");
	tap_ok(w.plan->served[0].key.port == htons(443) && !w.plan->served[0].value.drains,
	       "by address and port");
	strcpy(w.ill[0], "i-p1");
	tap_is_str(keeps(world_plan(&w)), "ill", "one that is ill keeps connections");
	tap_is_int(listener_of(w.plan, ZONE_H, 443)->value.flags, 0, "while there is another one");
	strcpy(w.ill[1], "i-p2");
	tap_is_str(keeps(world_plan(&w)), "ill", "one is ill among others that are");
	tap_ok(listener_of(w.plan, ZONE_H, 443)->value.flags & PL_LISTENER_F_ILL,
	       "which is said in the listener's row");
	memset(w.ill, 0, sizeof(w.ill));
	world_server(&w, "p1", ZONE_H, "10.0.1.10", 0);
	tap_is_str(keeps(world_plan(&w)), "leaving", "one without weight leaves");
	rows_put(w.rows, "server/sgp-1/i-p1/443",
		 "{'group': 'sgp-1', 'server_id': 'i-p1', 'type': 'Ecs', 'addr': '10.0.1.10', 'port': 443, "
		 "'weight': 100, 'zone': '" ZONE_H "', 'port_id': 'eni-p1', 'status': 'Removing'}");
	tap_is_str(keeps(world_plan(&w)), "leaving", "and one that is being removed");
	world_server(&w, "p1", ZONE_H, "10.0.1.10", 100);
	rows_put(w.rows, "server_group/sgp-1",
		 "{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'TCP', 'drain_enabled': true, "
		 "'drain_timeout_s': 40, 'status': 'Available'}");
	tap_is_str(keeps(world_plan(&w)), "well", "until then nobody drains");
	tap_ok(w.plan->served[0].value.drains && w.plan->served[0].value.drain_s == 40,
	       "how long a server of the group may drain is in its row");
	rows_put(w.rows, "instance/i-p1",
		 "{'id': 'i-p1', 'vpc': 'vpc-p', 'node': 'n1', 'port': 'eni-p1', 'status': 'Stopped'}");
	tap_is_str(keeps(world_plan(&w)), "gone", "one that is stopped keeps nothing");
	rows_delete(w.rows, "server/sgp-1/i-p1/443");
	tap_is_str(keeps(world_plan(&w)), "-", "one that is no server has no row");
	world_free(&w);
}

static void test_classic(void)
{
	struct world w;

	world_new(&w);
	put_balancer(&w, "Active");
	rows_put(w.rows, "server_group/sgp-1",
		 "{'id': 'sgp-1', 'vpc': 'vpc-p', 'load_balancer': 'nlb-1', 'protocol': 'TCP', "
		 "'health_enabled': true, 'status': 'Available'}");
	rows_put(w.rows, "server_group/sgp-0",
		 "{'id': 'sgp-0', 'vpc': 'vpc-p', 'load_balancer': 'nlb-1', 'protocol': 'TCP', "
		 "'status': 'Available'}");
	rows_put(w.rows, "server/sgp-0/i-p1/0",
		 "{'group': 'sgp-0', 'server_id': 'i-p1', 'type': 'Ecs', 'addr': '10.0.1.10', 'weight': 100, "
		 "'zone': '" ZONE_H "', 'port_id': 'eni-p1', 'node': 'n1', 'status': 'Available'}");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "1.10 2.10",
		   "a classic load balancer's servers of all zones serve its one");
	tap_is_int(w.plan->n_backends, 2, "what has no port is no backend");
	tap_is_int(w.plan->n_probes, 2, "nor probed");
	strcpy(w.ill[0], "i-p1");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10", "of which the healthy ones get new flows");
	strcpy(w.ill[1], "i-p2");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "1.10 2.10", "or all, if none is");
	memset(w.ill, 0, sizeof(w.ill));
	put_balancer(&w, "Stopping");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "no listener", "one that is stopped serves none");
	put_balancer(&w, "Inactive");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "no listener", "nor afterwards");
	put_balancer(&w, "Starting");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "1.10 2.10", "until it is started again");
	world_free(&w);
}

/* The service is in another region: none of its zones is called as the endpoint's. */
static void test_far_endpoint(void)
{
	const char *zone = "cn-beijing-c";
	const struct plan *plan;
	struct world w;

	world_new(&w);
	world_endpoint_zone(&w, "ep-1", zone, "10.0.3.50", 203, "Connected");
	tap_is_str(served_by(world_plan(&w), zone, 443), "1.10 2.10",
		   "a zone that no load balancer's zone is called as is served by all servers");
	rows_put(w.rows, "endpoint_zone/ep-1/cn-beijing-c",
		 "{'endpoint': 'ep-1', 'zone': 'cn-beijing-c', 'vswitch': 'vsw-c-h', 'port': 'eni-ep-1-c', "
		 "'addr': '10.0.3.50', 'domain': 'c.example', 'resource': 'nlb-1', 'resource_zone': '" ZONE_I
		 "', 'status': 'Connected'}");
	plan = world_plan(&w);
	tap_is_str(served_by(plan, zone, 443), "2.10",
		   "a zone of an endpoint of another region is served from the zone that it was given");
	tap_is_int(find_eni(plan, zone)->value.target, find_eni(plan, ZONE_I)->value.target,
		   "which is one target with that zone itself");
	tap_ok(find_eni(plan, zone)->value.flags & PL_ENI_F_CONNECTED, "it is connected");
	tap_is_str(failure_of(plan, "endpoint/ep-1"), "", "and nothing fails");
	world_free(&w);
}

static void test_server_addresses(void)
{
	struct world w;

	world_new(&w);
	rows_put(w.rows, "server/sgp-1/10.0.1.10/443",
		 "{'group': 'sgp-1', 'server_id': '10.0.1.10', 'type': 'Ip', 'addr': '10.0.1.10', 'port': "
		 "443, "
		 "'weight': 50, 'zone': '" ZONE_H "', 'status': 'Available'}");
	rows_delete(w.rows, "server/sgp-1/i-p1/443");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10",
		   "an address that no interface has serves nobody");
	rows_put(w.rows, "address/vpc-p/10.0.1.10",
		 "{'vpc': 'vpc-p', 'addr': '10.0.1.10', 'port': 'eni-p1'}");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "1.10",
		   "it serves once an instance has taken the address");
	rows_put(w.rows, "server/sgp-1/i-c/443",
		 "{'group': 'sgp-1', 'server_id': 'i-c', 'type': 'Ecs', 'addr': '10.0.1.10', 'port': 443, "
		 "'weight': 100, "
		 "'zone': '" ZONE_I "', 'port_id': 'eni-c', 'status': 'Available'}");
	tap_is_str(served_by(world_plan(&w), ZONE_I, 443), "2.10",
		   "an instance of another VPC is never a backend");
	rows_put(w.rows, "port/eni-p1",
		 "{'id': 'eni-p1', 'number': 101, 'kind': 'endpoint', 'vpc': 'vpc-p', 'addr': '10.0.1.10', "
		 "'holder': 'ep-9', 'status': 'InUse'}");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10",
		   "nor is an endpoint: what leads to an endpoint could lead round in a circle");
	world_free(&w);
}

static void test_far_backend(void)
{
	const struct plan_backend *far = NULL;
	struct world w;

	world_new(&w);
	world_instance(&w, "p2", 102, "p", ZONE_I, "10.0.2.10", "sg-p", "n2");
	rows_delete(w.rows, "instance/i-p1");
	rows_delete(w.rows, "port/eni-p1");
	world_plan(&w);
	for (size_t i = 0; i < w.plan->n_backends; i++)
		far = &w.plan->backends[i];
	tap_ok(far && far->value.node == 2 && far->value.slot == PL_SLOT_NONE,
	       "a backend of another node has that node's number and no slot here");
	tap_is_int(place_kind(w.plan, 11, "10.0.2.10"), PL_PLACE_REMOTE,
		   "and a place in its VPC, which has no port here");
	tap_is_int(place_kind(w.plan, 11, "100.64.0.20"), PL_PLACE_NAT,
		   "where our translated sources stand, too");
	tap_is_str(served_by(w.plan, ZONE_H, 443), "2.10", "it serves like any other");
	world_free(&w);
}

static void test_listeners(void)
{
	static const char *const statuses[] = {"Provisioning", "Running", "Configuring", "Starting",
					       "Stopping",     "Stopped", "Deleting"};
	struct world w;
	const struct plan *plan;

	world_new(&w);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		rows_put(w.rows, "listener/lsn-2",
			 "{'id': 'lsn-2', 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': "
			 "'TCP', "
			 "'port': 80, 'status': '%s'}",
			 statuses[i]);
		tap_ok((listener_of(world_plan(&w), ZONE_H, 80) != NULL) == (i < 4), "a listener %s is %s",
		       statuses[i], i < 4 ? "there" : "not there");
	}
	rows_put(w.rows, "listener/lsn-2",
		 "{'id': 'lsn-2', 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': 'UDP', "
		 "'port': 443, "
		 "'status': 'Running'}");
	plan = world_plan(&w);
	tap_is_int(plan->n_listeners, 4, "TCP and UDP may share a port number");
	tap_ok(plan->listeners[0].table == plan->listeners[1].table &&
		       plan->listeners[2].table == plan->listeners[3].table &&
		       plan->listeners[0].table != plan->listeners[2].table,
	       "listeners of one server group and zone share one table");
	tap_ok(plan->listeners[0].key.target < plan->listeners[2].key.target &&
		       plan->listeners[0].key.protocol == 6 && plan->listeners[1].key.protocol == 17,
	       "listeners are sorted by target, port and protocol");
	rows_put(w.rows, "listener/lsn-3",
		 "{'id': 'lsn-3', 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': 'TCP', "
		 "'port': 443, "
		 "'status': 'Running'}");
	rows_put(w.rows, "listener/lsn-4",
		 "{'id': 'lsn-4', 'load_balancer': 'nlb-1', 'server_group': 'sgp-gone', 'protocol': 'TCP', "
		 "'port': 81, "
		 "'status': 'Running'}");
	plan = world_plan(&w);
	tap_ok(!plan_has_mss(plan), "no listener has an Mss");
	tap_is_str(failure_of(plan, "listener/lsn-3"), "another listener has port 443",
		   "a port is listened on once");
	tap_ok(*failure_of(plan, "listener/lsn-4") && listener_of(plan, ZONE_H, 81)->value.table_size == 0,
	       "a listener without its server group is a failure, and has no backend");
	rows_put(w.rows, "listener/lsn-2",
		 "{'id': 'lsn-2', 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': 'TCP', "
		 "'port': 80, 'mss': 1400, 'status': 'Running'}");
	plan = world_plan(&w);
	tap_ok(plan_has_mss(plan) && listener_of(plan, ZONE_H, 80)->value.mss == 1400, "one has an Mss");
	world_free(&w);
}

/* The ids that headers of an ENI's connections name, as text: each with its subtype in front. */
static const char *ids_of(const struct plan *plan, const char *zone, uint32_t parts)
{
	static char text[256];
	const struct plan_eni *eni = find_eni(plan, zone);
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; eni && i < plan->n_proxies; i++) {
		const struct plan_proxy *proxy = &plan->proxies[i];

		if (proxy->key.slot != eni->slot || proxy->key.parts != parts)
			continue;
		for (uint32_t at = 0; at < proxy->value.size; at += 3u + proxy->value.tlvs[at + 2])
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%x:%u:%.*s ",
					      proxy->value.tlvs[at], proxy->value.tlvs[at + 3],
					      proxy->value.tlvs[at + 2] - 1, proxy->value.tlvs + at + 4);
	}
	return text;
}

static void test_proxies(void)
{
	static const char listener[] =
		"{'id': 'lsn-%d', 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': '%s', "
		"'port': %d, 'status': 'Running', 'proxy_protocol': %s, 'proxy_vpc_id': true, "
		"'proxy_endpoint_id': %s, 'proxy_service_id': %s}";
	struct world w;
	const struct plan *plan;

	world_new(&w);
	tap_is_int(world_plan(&w)->n_proxies, 0, "without PROXY headers nobody has ids in them");
	rows_put(w.rows, "listener/lsn-2", listener, 2, "TCP", 80, "true", "true", "true");
	rows_put(w.rows, "listener/lsn-3", listener, 3, "TCP", 81, "true", "false", "false");
	rows_put(w.rows, "listener/lsn-4", listener, 4, "TCP", 82, "true", "false", "false");
	rows_put(w.rows, "listener/lsn-5", listener, 5, "TCP", 83, "false", "true", "true");
	rows_put(w.rows, "listener/lsn-6", listener, 6, "UDP", 84, "true", "true", "true");
	plan = world_plan(&w);
	tap_is_int(listener_of(plan, ZONE_H, 80)->value.proxy, PL_PROXY_ON | PL_PROXY_IDS,
		   "a listener says what its headers say");
	tap_ok(!listener_of(plan, ZONE_H, 83)->value.proxy && !listener_of(plan, ZONE_H, 84)->value.proxy &&
		       !listener_of(plan, ZONE_H, 443)->value.proxy,
	       "one that is off has none, nor has UDP");
	tap_is_int(plan->n_proxies, 4, "each ENI has its ids once for each choice of them");
	tap_is_str(ids_of(plan, ZONE_H, PL_PROXY_ON | PL_PROXY_IDS), "e1:1:vpc-c e1:2:ep-1 e1:3:epsrv-1 ",
		   "the client's VPC, the endpoint, the service");
	tap_is_str(ids_of(plan, ZONE_I, PL_PROXY_ON | PL_PROXY_VPC), "e1:1:vpc-c ",
		   "or those that are wished");
	world_free(&w);
}

int main(void)
{
	test_tables();
	test_served();
	test_classic();
	test_far_endpoint();
	test_server_addresses();
	test_far_backend();
	test_listeners();
	test_proxies();
	return tap_done();
}
