/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which servers the node probes, from where, how, and what of.
 */
#include "tests/unit/plan_world.h"

static void test_probes(void)
{
	struct world w;
	const struct plan *plan;
	const struct plan_probe *probe;
	char addr[NETADDR_TEXT_SIZE];

	world_new(&w);
	plan = world_plan(&w);
	tap_is_int(plan->n_probes, 2, "both servers of this node are probed");
	probe = &plan->probes[0];
	netaddr_format(&probe->probe_addr, addr);
	tap_is_int(place_kind(plan, PL_VPC_NODES, addr), PL_PLACE_PROBE,
		   "a probe's address is a place in VPC 0");
	tap_is_int(find_place(plan, PL_VPC_NODES, addr)->value.id, probe->backend,
		   "that leads to the backend");
	tap_is_int(netaddr_to_v4(&probe->probe_addr), 0xc6130000 + probe->backend,
		   "198.19.0.0 and the index");
	tap_is_int(probe->probe_port, 443, "the server's port is probed");
	tap_is_int(probe->interval_ms, 1000, "at the group's interval");
	tap_is_int(probe->unhealthy_threshold, 3, "with the group's threshold");

	rows_put(w.rows, "server_group/sgp-1",
		 "{'id': 'sgp-1', 'owner': 1112, 'vpc': 'vpc-p', 'protocol': 'TCP', 'health_enabled': true, "
		 "'health_port': 8080, 'status': 'Available'}");
	tap_is_int(world_plan(&w)->probes[0].probe_port, 8080, "or the group's own port");
	tap_is_int(w.plan->probes[0].owner, 1112, "for the account whose group it is");
	tap_is_int(w.plan->probes[0].type, PROBE_TCP, "by a connect");
	rows_put(
		w.rows, "server_group/sgp-1",
		"{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'TCP', 'health_enabled': true, 'health_type': 'HTTP', "
		"'health_url': '/up', 'health_domain': 'web.example', 'health_codes': ['http_2xx', 'http_4xx'], "
		"'status': 'Available'}");
	probe = &world_plan(&w)->probes[0];
	tap_is_str(probe->say,
		   "GET /up HTTP/1.0\r\nHost: web.example\r\nUser-Agent: privlink\r\nAccept: */*\r\n"
		   "Connection: close\r\n\r\n",
		   "by HTTP it asks for the path, of the host");
	tap_is_int(probe->good_classes, 1u << 2 | 1u << 4, "and the codes count that were named");
	rows_put(
		w.rows, "server_group/sgp-1",
		"{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'TCP', 'health_enabled': true, 'health_type': 'HTTP', "
		"'health_by_head': true, 'health_http_1_1': true, 'health_domain': '$SERVER_IP', 'status': "
		"'Available'}");
	probe = &world_plan(&w)->probes[0];
	tap_ok(str_starts(probe->say, "HEAD / HTTP/1.1\r\nHost: 10.0.1.10\r\n"),
	       "by another method and version, of the server's own address");
	tap_is_int(probe->good_classes, 1u << 2, "success counts where nothing was named");
	rows_put(
		w.rows, "server_group/sgp-1",
		"{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'UDP', 'health_enabled': true, 'health_type': 'UDP', "
		"'health_request': 'ping', 'health_expect': 'pong', 'status': 'Available'}");
	probe = &world_plan(&w)->probes[0];
	tap_ok(probe->type == PROBE_UDP && streq(probe->say, "ping") && streq(probe->expect, "pong"),
	       "by UDP it says one datagram and wants another");
	rows_put(w.rows, "server_group/sgp-1",
		 "{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'UDP', 'health_enabled': true, 'status': "
		 "'Available'}");
	probe = &world_plan(&w)->probes[0];
	tap_ok(w.plan->n_probes == 2 && probe->type == PROBE_UDP && probe->silence && !*probe->say,
	       "UDP servers of which nothing is said are sent datagrams, and may be silent");
	tap_is_str(served_by(w.plan, ZONE_H, 443), "1.10", "they count as healthy");
	strcpy(w.ill[0], "i-p1");
	tap_is_str(served_by(world_plan(&w), ZONE_H, 443), "2.10", "until one refuses");
	rows_put(w.rows, "server_group/sgp-1",
		 "{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'TCP', 'status': 'Available'}");
	tap_is_int(world_plan(&w)->n_probes, 0, "a group without health checks is not probed");
	world_service(&w);
	rows_put(w.rows, "server/sgp-1/i-p1/443",
		 "{'group': 'sgp-1', 'server_id': 'i-p1', 'addr': '10.0.1.10', 'port': 443, 'weight': 100, "
		 "'zone': '" ZONE_H "', 'port_id': 'eni-p1', 'node': 'n2', 'status': 'Available'}");
	tap_is_int(world_plan(&w)->n_probes, 1, "a server of another node is not probed from here");
	rows_put(w.rows, "instance/i-p2",
		 "{'id': 'i-p2', 'node': 'n1', 'port': 'eni-p2', 'status': 'Stopped'}");
	tap_is_int(world_plan(&w)->n_probes, 0, "a stopped instance is not probed");

	world_free(&w);
	world_new(&w);
	rows_delete(w.rows, "instance/i-c");
	plan = world_plan(&w);
	tap_is_int(plan->n_enis, 0, "without any endpoint here");
	tap_is_int(plan->n_probes, 2, "the node's servers are probed all the same");
	tap_is_int(plan->n_backends, 2, "as backends");
	world_free(&w);
}

static void test_probes_need_addresses(void)
{
	struct world w;

	world_new(&w);
	rows_delete(w.rows, "nat_range/vpc-p/n1");
	tap_is_int(world_plan(&w)->n_probes, 0,
		   "a server cannot be probed before its VPC has translated addresses");
	tap_is_str(served_by(w.plan, ZONE_H, 443), "1.10", "and counts as healthy until then");
	world_free(&w);
}

int main(void)
{
	test_probes();
	test_probes_need_addresses();
	return tap_done();
}
