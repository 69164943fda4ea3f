/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of endpoints: when an address is published and when it is withdrawn, per VPC, and which domains never
 * leave the node.
 */
#include "tests/unit/plan_world.h"

#define ENDPOINT_NAME "ep-1.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com"
#define ZONE_NAME     "ep-1-" ZONE_H ".pai-dlc.cn-hangzhou.privatelink.aliyuncs.com"
#define SERVICE_NAME  "pai-dlc-vpc.cn-hangzhou.aliyuncs.com"

static const struct plan_name *find_name(const struct plan *plan, uint32_t vpc, const char *name)
{
	for (size_t i = 0; i < plan->n_names; i++)
		if (plan->names[i]->vpc == vpc && streq(plan->names[i]->name, name))
			return plan->names[i];
	return NULL;
}

/* "10.0.1.50/cn-hangzhou-h …"; "no data"; "no name". */
static const char *resolve(const struct plan *plan, uint32_t vpc, const char *name)
{
	const struct plan_name *found = find_name(plan, vpc, name);
	static char text[512];
	char addr[NETADDR_TEXT_SIZE];

	if (!found)
		return "no name";
	text[0] = '\0';
	for (size_t i = 0; i < found->n_addrs; i++) {
		netaddr_format(&found->addrs[i], addr);
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 *found->zones[i] ? "%s%s/%c" : "%s%s", i ? " " : "", addr,
			 found->zones[i][strlen(ZONE_H) - 1]);
	}
	return *text ? text : "no data";
}

static void test_states(void)
{
	static const struct {
		const char *endpoint, *zone_h, *zone_i;
		const char *name, *zone_name;
	} cases[] = {
		{"Active", "Connected", "Connected", "10.0.1.50/h 10.0.2.50/i", "10.0.1.50/h"},
		{"Active", "Connecting", "Connected", "10.0.2.50/i", "no data"},
		{"Active", "Migrating", "Disconnected", "10.0.1.50/h", "10.0.1.50/h"},
		{"Creating", "Creating", "Creating", "no data", "no data"},
		{"Active", "Disconnected", "Wait", "no data", "no data"},
		{"Active", "Deleting", "Connected", "10.0.2.50/i", "no data"},
		{"Deleting", "Connected", "Connected", "no name", "no name"},
	};
	struct world w;
	char got[512];

	world_new(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		world_endpoint(&w, cases[i].endpoint, "Connected");
		world_endpoint_zone(&w, "ep-1", ZONE_H, "10.0.1.50", 201, cases[i].zone_h);
		world_endpoint_zone(&w, "ep-1", ZONE_I, "10.0.2.50", 202, cases[i].zone_i);
		world_plan(&w);
		snprintf(got, sizeof(got), "%s", resolve(w.plan, 10, ENDPOINT_NAME));
		tap_is_str(got, cases[i].name, "endpoint %s, zones %s and %s: the endpoint's name has %s",
			   cases[i].endpoint, cases[i].zone_h, cases[i].zone_i, cases[i].name);
		tap_is_str(resolve(w.plan, 10, SERVICE_NAME), cases[i].name, "so has the service's");
		tap_is_str(resolve(w.plan, 10, ZONE_NAME), cases[i].zone_name, "the zone's name has %s",
			   cases[i].zone_name);
	}
	world_free(&w);
}

/* The ENI of the zone h gives way to one at 10.0.1.77, of the load balancer nlb-2. */
static void put_migration(struct world *w, const char *status)
{
	rows_put(w->rows, "load_balancer/nlb-2",
		 "{'id': 'nlb-2', 'vpc': 'vpc-p', 'zones': ['" ZONE_H "'], 'status': 'Active'}");
	rows_put(w->rows, "listener/lsn-2",
		 "{'id': 'lsn-2', 'load_balancer': 'nlb-2', 'server_group': 'sgp-1', 'protocol': 'TCP', "
		 "'port': 443, 'status': 'Running'}");
	rows_put(
		w->rows, "port/eni-new",
		"{'id': 'eni-new', 'number': 301, 'kind': 'endpoint', 'region': 'cn-hangzhou', 'zone': '" ZONE_H
		"', 'vpc': 'vpc-c', 'addr': '10.0.1.77', 'groups': ['sg-ep'], 'holder': 'ep-1', 'status': "
		"'InUse'}");
	rows_put(
		w->rows, "port/eni-ep-1-h",
		"{'id': 'eni-ep-1-h', 'number': 201, 'kind': 'endpoint', 'region': 'cn-hangzhou', 'zone': '" ZONE_H
		"', 'vpc': 'vpc-c', 'addr': '10.0.1.50', 'groups': ['sg-ep'], 'holder': 'ep-1', 'status': "
		"'InUse'}");
	rows_put(w->rows, "endpoint_zone/ep-1/" ZONE_H,
		 "{'endpoint': 'ep-1', 'zone': '" ZONE_H "', 'port': 'eni-new', 'addr': '10.0.1.77', "
		 "'domain': '" ZONE_NAME "', 'resource': 'nlb-2', 'replaced_port': 'eni-ep-1-h', "
		 "'replaced_addr': '10.0.1.50', 'replaced_resource': 'nlb-1', %s}",
		 status);
}

static void test_migration(void)
{
	static const struct {
		const char *status, *name, *old, *new;
	} cases[] = {
		{"'status': 'Migrating'", "10.0.1.50/h", "no name", "10.0.1.77"},
		{"'status': 'Migrated'", "10.0.1.77/h", "10.0.1.50", "no name"},
		{"'status': 'Migrated', 'retiring': true", "10.0.1.77/h", "no name", "no name"},
		{"'status': 'Disconnecting'", "no data", "no name", "no name"},
	};
	struct world w;

	world_new(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_migration(&w, cases[i].status);
		world_plan(&w);
		tap_is_str(resolve(w.plan, 10, ZONE_NAME), cases[i].name, "%s: the zone's name has %s",
			   cases[i].status, cases[i].name);
		tap_ok(str_starts(resolve(w.plan, 10, ENDPOINT_NAME),
				  streq(cases[i].name, "no data") ? "10.0.2.50" : cases[i].name),
		       "so has the endpoint's");
		tap_is_str(resolve(w.plan, 10, "eni-ep-1-h.cn-hangzhou.ecs.internal"), cases[i].old,
			   "the old ENI has a name of its own while it stands beside");
		tap_is_str(resolve(w.plan, 10, "eni-new.cn-hangzhou.ecs.internal"), cases[i].new,
			   "and the new one");
	}
	put_migration(&w, "'status': 'Migrating'");
	strcpy(w.ill[0], "i-p1");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, ENDPOINT_NAME), "10.0.2.50/i",
		   "while names lead to the old ENI they go by the health of what is behind it");
	world_free(&w);
}

static void test_scope(void)
{
	struct world w;

	world_new(&w);
	world_plan(&w);
	tap_is_str(resolve(w.plan, 11, SERVICE_NAME), "no name", "another VPC does not know the name");
	tap_ok(find_name(w.plan, 10, SERVICE_NAME)->affinity,
	       "zone affinity on both sides counts for the service's name");
	tap_ok(!find_name(w.plan, 10, ZONE_NAME)->affinity, "and means nothing for a zone's");
	rows_put(w.rows, "service/epsrv-1",
		 "{'id': 'epsrv-1', 'private_domain': 'PAI-dlc-vpc.cn-hangzhou.aliyuncs.com.'}");
	world_plan(&w);
	tap_ok(find_name(w.plan, 10, SERVICE_NAME) && !find_name(w.plan, 10, SERVICE_NAME)->affinity,
	       "affinity on one side is none; names are compared in lower case and without the last dot");
	rows_delete(w.rows, "service/epsrv-1");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, ENDPOINT_NAME), "10.0.1.50/h 10.0.2.50/i",
		   "an endpoint has its own name even if the service's row is missing");
	world_free(&w);
}

static void test_two_endpoints(void)
{
	struct world w;

	world_new(&w);
	rows_put(w.rows, "endpoint/ep-2",
		 "{'id': 'ep-2', 'vpc': 'vpc-c', 'service': 'epsrv-1', 'domain': 'ep-2.x', 'status': "
		 "'Active'}");
	rows_put(w.rows, "connection/ep-2",
		 "{'endpoint': 'ep-2', 'service': 'epsrv-1', 'status': 'Connected'}");
	world_endpoint_zone(&w, "ep-2", ZONE_H, "10.0.1.60", 211, "Connected");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.1.50/h 10.0.1.60/h 10.0.2.50/i",
		   "two endpoints of a VPC for one service share its name");
	tap_ok(!find_name(w.plan, 10, SERVICE_NAME)->affinity, "with affinity only if both have it");
	rows_delete(w.rows, "endpoint_zone/ep-2/" ZONE_H);
	world_plan(&w);
	tap_ok(!find_name(w.plan, 10, SERVICE_NAME)->affinity, "also while one has no address yet");
	world_free(&w);
}

static void test_withdrawal(void)
{
	struct world w;

	world_new(&w);
	strcpy(w.ill[0], "i-p1");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.2.50/i",
		   "a zone whose servers are ill leaves the name");
	tap_is_str(resolve(w.plan, 10, ZONE_NAME), "10.0.1.50/h", "its own name stays: rescue serves it");
	rows_put(w.rows, "load_balancer/nlb-1",
		 "{'id': 'nlb-1', 'vpc': 'vpc-p', 'cross_zone': true, 'shifted': ['" ZONE_I "']}");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.1.50/h 10.0.2.50/i",
		   "an ill zone stays if the other one is shifted");
	memset(w.ill, 0, sizeof(w.ill));
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.1.50/h", "a shifted zone leaves the name");
	tap_is_str(resolve(w.plan, 10, ENDPOINT_NAME), "10.0.1.50/h", "the endpoint's, too");
	rows_put(w.rows, "load_balancer/nlb-1", "{'id': 'nlb-1', 'vpc': 'vpc-p', 'cross_zone': true}");
	strcpy(w.ill[0], "i-p1");
	strcpy(w.ill[1], "i-p2");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.1.50/h 10.0.2.50/i", "if all are ill, all stay");
	rows_put(w.rows, "endpoint_zone/ep-1/" ZONE_H,
		 "{'endpoint': 'ep-1', 'zone': '" ZONE_H
		 "', 'port': 'eni-ep-1-h', 'addr': '10.0.1.50', 'domain': "
		 "'ep-1-" ZONE_H ".pai-dlc.cn-hangzhou.privatelink.aliyuncs.com', 'resource': 'nlb-1', "
		 "'resource_zone': '" ZONE_I "', 'status': 'Connected'}");
	w.ill[1][0] = '\0';
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.1.50/h 10.0.2.50/i",
		   "where another zone serves it, that one's servers count");
	world_endpoint_zone(&w, "ep-1", ZONE_H, "10.0.1.50", 201, "Connected");
	memset(w.ill, 0, sizeof(w.ill));
	rows_put(w.rows, "instance/i-p1",
		 "{'id': 'i-p1', 'node': 'n1', 'port': 'eni-p1', 'status': 'Stopped'}");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.2.50/i",
		   "a stopped server is as good as an ill one");
	rows_delete(w.rows, "server/sgp-1/i-p1/443");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.1.50/h 10.0.2.50/i",
		   "a zone that never had a server of its own is served by the others, and stays");
	rows_delete(w.rows, "listener/lsn-1");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, SERVICE_NAME), "10.0.1.50/h 10.0.2.50/i",
		   "nothing listens anywhere: all stay");
	world_free(&w);
}

static void test_domains(void)
{
	static const char *const want[] = {"cn-beijing.privatelink.aliyuncs.com",
					   "cn-hangzhou.privatelink.aliyuncs.com", "ecs.internal",
					   SERVICE_NAME};
	struct world w;

	world_new(&w);
	world_plan(&w);
	tap_is_int(w.plan->n_domains, 4,
		   "domains: one per region, that of hosts, and a service's where it is offered");
	for (size_t i = 0; i < ARRAY_SIZE(want) && i < w.plan->n_domains; i++)
		tap_is_str(w.plan->domains[i].name, want[i], "%s is answered here", want[i]);
	world_free(&w);
}

/* What an address is called, or "". */
static const char *name_at(const struct plan *plan, uint32_t vpc, const char *addr)
{
	char text[NETADDR_TEXT_SIZE];

	for (size_t i = 0; i < plan->n_reverse; i++) {
		netaddr_format(&plan->reverse[i].addr, text);
		if (plan->reverse[i].vpc == vpc && streq(text, addr))
			return plan->reverse[i].name->name;
	}
	return "";
}

static bool is_sorted(const struct plan *plan)
{
	for (size_t i = 1; i < plan->n_names; i++)
		if (plan->names[i - 1]->vpc > plan->names[i]->vpc ||
		    (plan->names[i - 1]->vpc == plan->names[i]->vpc &&
		     plan_domain_compare(plan->names[i - 1]->name, plan->names[i]->name) >= 0))
			return false;
	for (size_t i = 1; i < plan->n_reverse; i++)
		if (plan->reverse[i - 1].vpc > plan->reverse[i].vpc ||
		    (plan->reverse[i - 1].vpc == plan->reverse[i].vpc &&
		     netaddr_compare(&plan->reverse[i - 1].addr, &plan->reverse[i].addr) >= 0))
			return false;
	return true;
}

static void test_hosts(void)
{
	struct world w;

	world_new(&w);
	world_instance(&w, "r", 103, "p", ZONE_H, "10.0.1.12", "sg-p", "n2");
	rows_put(w.rows, "port/eni-lb",
		 "{'id': 'eni-lb', 'number': 301, 'kind': 'load_balancer', 'region': 'cn-hangzhou', 'vpc': "
		 "'vpc-p', 'addr': '10.0.1.200', 'holder': 'nlb-1', 'status': 'InUse'}");
	world_plan(&w);
	tap_is_str(resolve(w.plan, 10, "i-c.cn-hangzhou.ecs.internal"), "10.0.1.10",
		   "an instance has a name");
	tap_is_str(resolve(w.plan, 11, "i-c.cn-hangzhou.ecs.internal"), "no name", "in its own VPC only");
	tap_is_str(name_at(w.plan, 10, "10.0.1.10"), "i-c.cn-hangzhou.ecs.internal",
		   "which its address has, too");
	tap_is_str(name_at(w.plan, 11, "10.0.1.10"), "i-p1.cn-hangzhou.ecs.internal",
		   "the same address of another VPC has another");
	tap_is_str(name_at(w.plan, 11, "10.0.1.12"), "i-r.cn-hangzhou.ecs.internal",
		   "so has an instance of another node");
	tap_is_str(name_at(w.plan, 10, "10.0.1.50"), ZONE_NAME, "an endpoint's ENI has its zone's name");
	tap_is_str(name_at(w.plan, 11, "10.0.1.200"), "eni-lb.cn-hangzhou.ecs.internal",
		   "a load balancer's that of its interface");
	tap_is_str(name_at(w.plan, 10, "10.0.2.253"), "gateway.vsw-c-i.cn-hangzhou.ecs.internal",
		   "a gateway its vSwitch's");
	tap_is_str(name_at(w.plan, 10, "10.0.2.252"), "", "an address that nobody has has no name");
	tap_ok(is_sorted(w.plan), "names and addresses are sorted");

	world_endpoint_zone(&w, "ep-1", ZONE_H, "10.0.1.50", 201, "Connecting");
	rows_put(w.rows, "instance/i-c",
		 "{'id': 'i-c', 'vpc': 'vpc-c', 'node': 'n1', 'port': 'eni-c', 'status': 'Deleting'}");
	world_instance(&w, "d", 104, "c", ZONE_H, "10.0.1.13", "sg-c", "n1");
	world_plan(&w);
	tap_is_str(name_at(w.plan, 10, "10.0.1.50"), "", "an ENI that is not in force has no name");
	tap_is_str(name_at(w.plan, 10, "10.0.1.10"), "", "nor has an instance that is being deleted");
	world_free(&w);
}

static void test_host_names(void)
{
	static const struct {
		const char *given, *want;
	} cases[] = {
		{"web-1.Example", "web-1.Example"},
		{"", "i-c"},
		{"two words", "i-c"},
		{"a/b", "i-c"},
		{"0123456789012345678901234567890123456789012345678901234567890123",
		 "0123456789012345678901234567890123456789012345678901234567890123"},
		{"01234567890123456789012345678901234567890123456789012345678901234", "i-c"},
	};
	struct world w;

	world_new(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rows_put(w.rows, "instance/i-c",
			 "{'id': 'i-c', 'vpc': 'vpc-c', 'node': 'n1', 'port': 'eni-c', 'status': 'Running', "
			 "'host_name': '%s'}",
			 cases[i].given);
		world_plan(&w);
		tap_is_str(w.plan->ports[0].host_name, cases[i].want, "host name \"%s\": it is called %s",
			   cases[i].given, cases[i].want);
	}
	world_free(&w);
}

int main(void)
{
	test_states();
	test_migration();
	test_scope();
	test_two_endpoints();
	test_withdrawal();
	test_domains();
	test_hosts();
	test_host_names();
	return tap_done();
}
