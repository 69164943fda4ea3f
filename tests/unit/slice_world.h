/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world whose rows change at random, for tests of slices: endpoints that share VPCs, services, security
 * groups and load balancers; zones that migrate; servers in several groups, here and elsewhere, that are ill
 * or leave; listeners of several groups; instances that come and go, start and stop, here and elsewhere, with
 * their devices; vSwitches and load balancers' interfaces; numbers and addresses that clash; rows that
 * dangle.
 */
#pragma once

#include "plan/plan_slice_build.h"
#include "tests/unit/plan_world.h"

#define ENDPOINTS     8
#define GROUPS	      9
#define SERVER_GROUPS 3

static uint64_t state;

static uint32_t pick(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % n;
}

/* The world that changes. */
struct run {
	struct world w;
	struct plan *plan;
	struct plan_touched touched;
	unsigned int slices, wholes, nothing;
	unsigned int heavy;    /* of the whole because too much is touched behind load balancers */
	unsigned int refused;  /* slices that could not be planned once more, with devices */
	unsigned int servings; /* slices of what stands behind load balancers */
	unsigned int ports;    /* slices with ports that came, changed or went */
	unsigned int hosts;    /* slices of others' instances, of interfaces and vSwitches */
	unsigned int groups;   /* slices with security groups that came into the plan, or left it */
	unsigned int targets;  /* slices with load balancers' zones that did */
	unsigned int vpcs;     /* slices with a VPC's first port, or without its last one */
};

static void put(struct run *run, const char *key, const char *format, ...) _printf_(3, 4);
static void put(struct run *run, const char *key, const char *format, ...)
{
	char text[2048];
	va_list ap;
	json_t *json;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(text, 0, NULL);
	if (!json) {
		fprintf(stderr, "%s: %s\n", key, text);
		exit(EXIT_FAILURE);
	}
	world_apply(&run->w, &run->touched, key, json);
	json_decref(json);
}

static void drop(struct run *run, const char *key)
{
	world_apply(&run->w, &run->touched, key, NULL);
}

#define ANY(...)                                                                                             \
	({                                                                                                   \
		static const char *const _words[] = {__VA_ARGS__};                                           \
		_words[pick(ARRAY_SIZE(_words))];                                                            \
	})

/* The endpoint's VPC never changes. */
static const char *vpc_of(uint32_t i)
{
	return i % 3 == 0 ? "p" : i == 7 ? "far" : "c";
}

static const char *any_groups(void)
{
	static char text[128];
	uint32_t a = pick(GROUPS + 1), b = pick(GROUPS + 1);

	/* The last one is in no row. */
	if (pick(8) == 0)
		return "";
	if (a == b || pick(2))
		snprintf(text, sizeof(text), "'sg-%u'", pick(20) ? a % GROUPS : a);
	else
		snprintf(text, sizeof(text), "'sg-%u', 'sg-%u'", a % GROUPS, b % GROUPS);
	return text;
}

static void change_endpoint(struct run *run)
{
	uint32_t i = pick(ENDPOINTS);
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "endpoint/ep-%u", i);
	if (pick(6) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'id': 'ep-%u', 'vpc': 'vpc-%s', 'service': '%s', 'type': 'Interface', 'domain': "
		    "'EP-%u%s.cn-hangzhou.privatelink.aliyuncs.com', 'zone_affinity': %s, 'name': 'n%u', "
		    "'cross_region_bandwidth': %u, 'flow_log': %s, 'status': '%s'}",
		    i, vpc_of(i), ANY("epsrv-1", "epsrv-1", "epsrv-2", "epsrv-none"), i, ANY("", "", "-b"),
		    ANY("true", "false"), pick(9), pick(8) ? 0 : 100, ANY("true", "false"),
		    ANY("Active", "Active", "Creating", "Deleting"));
	snprintf(key, sizeof(key), "connection/ep-%u", i);
	if (pick(4) == 0)
		drop(run, key);
	else if (pick(2))
		put(run, key, "{'endpoint': 'ep-%u', 'service': 'epsrv-1', 'bandwidth': %u, 'status': '%s'}",
		    i, pick(3) * 100, ANY("Connected", "Connected", "Connecting", "Disconnected"));
}

static void change_port(struct run *run)
{
	uint32_t i = pick(ENDPOINTS), zone = pick(2), which = pick(4) == 0;
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "port/eni-%u-%u-%u", i, zone, which);
	if (pick(6) == 0) {
		drop(run, key);
		return;
	}
	put(run, key,
	    "{'id': 'eni-%u-%u-%u', 'number': %u, 'kind': 'endpoint', 'region': 'cn-hangzhou', 'zone': "
	    "'cn-hangzhou-%c', 'vpc': 'vpc-%s', 'addr': '10.0.%u.%u', 'mac': '02:00:00:00:00:01', 'groups': "
	    "[%s], 'holder': 'ep-%u', 'status': '%s'}",
	    i, zone, which, pick(30) ? 200 + i * 4 + zone * 2 + which : 200, "hi"[zone], vpc_of(i), zone + 1,
	    pick(30) ? 50 + i * 2 + which : 10, any_groups(), i, ANY("InUse", "Available", "Deleting"));
}

static void change_zone(struct run *run)
{
	uint32_t i = pick(ENDPOINTS), zone = pick(2);
	bool migrates = pick(3) == 0;
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "endpoint_zone/ep-%u/cn-hangzhou-%c", i, "hi"[zone]);
	if (pick(6) == 0) {
		drop(run, key);
		return;
	}
	put(run, key,
	    "{'endpoint': 'ep-%u', 'zone': 'cn-hangzhou-%c', 'port': 'eni-%u-%u-0', 'addr': '10.0.%u.%u', "
	    "'domain': 'ep-%u-%c.cn-hangzhou.privatelink.aliyuncs.com', 'resource': '%s', 'resource_zone': "
	    "'%s', 'replaced_port': '%s%s', 'replaced_addr': '10.0.%u.%u', 'replaced_resource': 'nlb-2', "
	    "'status': '%s'}",
	    i, "hi"[zone], i, zone, zone + 1, 50 + i * 2, i, "hi"[zone],
	    ANY("nlb-1", "nlb-1", "nlb-2", "nlb-none", ""), ANY("", "", ZONE_H), migrates ? "eni-" : "",
	    migrates ? key + strlen("endpoint_zone/ep-") : "", zone + 1, 51 + i * 2,
	    migrates ? ANY("Migrating", "Migrated")
		     : ANY("Connected", "Connected", "Creating", "Disconnected", "Deleting"));
}

static void change_rule(struct run *run)
{
	uint32_t group = pick(GROUPS), rule = pick(6);
	char key[KEY_SIZE], other[32] = "";

	snprintf(key, sizeof(key), "sg_rule/sg-%u/sgr-%u", group, rule);
	if (pick(3) == 0) {
		drop(run, key);
		return;
	}
	if (pick(3) == 0)
		snprintf(other, sizeof(other), "sg-%u", pick(GROUPS + 2));
	put(run, key,
	    "{'id': 'sgr-%u', 'group': 'sg-%u', 'direction': '%s', 'policy': '%s', 'priority': %u, "
	    "'protocol': '%s', 'port_first': %u, 'port_last': 90, 'cidr': '10.%u.0.0/16', 'other_group': "
	    "'%s', 'description': 'd%u'}",
	    rule, group, ANY("ingress", "egress"), ANY("Accept", "Drop"), 1 + pick(3),
	    pick(40) ? ANY("TCP", "UDP", "ALL") : "???", 80 + pick(5), pick(3), other, pick(5));
}

static void change_group(struct run *run)
{
	uint32_t i = pick(GROUPS);
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "security_group/sg-%u", i);
	if (pick(12) == 0)
		drop(run, key);
	else
		put(run, key, "{'id': 'sg-%u', 'vpc': 'vpc-c', 'type': '%s', 'inner_accept': %s}", i,
		    pick(12) ? "normal" : "enterprise", ANY("true", "false"));
}

static void change_member(struct run *run)
{
	uint32_t i = pick(3);
	const char *name = (const char *const[]){"c", "p1", "p2"}[i];
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "port/eni-%s", name);
	put(run, key,
	    "{'id': 'eni-%s', 'number': %u, 'kind': 'instance', 'region': 'cn-hangzhou', 'zone': '%s', 'vpc': "
	    "'vpc-%c', 'vswitch': 'vsw-%c-%c', 'addr': '10.0.%d.10', 'mac': '02:00:00:00:00:%02x', 'mtu': "
	    "1500, 'groups': [%s], 'holder': 'i-%s', 'node': 'n1', 'status': 'InUse'}",
	    name, 100 + i, i == 2 ? ZONE_I : ZONE_H, name[0], name[0], i == 2 ? 'i' : 'h', i == 2 ? 2 : 1,
	    100 + i, any_groups(), name);
}

/* Hosts. */

/* Beside those that stay. */
#define INSTANCES 6

static const char *const instance_vpcs[] = {"c", "c", "c", "p", "p", "far"};

static void change_instance_port(struct run *run, uint32_t i)
{
	const char *vpc = instance_vpcs[i];
	uint32_t zone = pick(2);
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "port/eni-v%u", i);
	if (pick(8) == 0) {
		drop(run, key);
		return;
	}
	put(run, key,
	    "{'id': 'eni-v%u', 'number': %u, 'kind': 'instance', 'region': '%s', 'zone': 'cn-hangzhou-%c', "
	    "'vpc': 'vpc-%s', 'vswitch': 'vsw-%s-%c', 'addr': '10.0.%u.%u', 'mac': '02:00:00:00:01:%02x', "
	    "'mtu': %u, 'groups': [%s], 'holder': 'i-v%u', 'node': '%s', 'status': '%s'}",
	    i, pick(200) ? 120 + i + pick(40) / 39 * 10 : 100, pick(20) ? "cn-hangzhou" : "", "hi"[zone], vpc,
	    vpc, "hi"[zone], zone + 1, pick(200) ? 70 + i : 10, i, pick(30) ? 1500 : 1400,
	    pick(4) ? "'sg-ep'" : any_groups(), i, pick(4) ? "n1" : "n2", pick(20) ? "InUse" : "Deleting");
}

static void change_instance(struct run *run)
{
	uint32_t i = pick(INSTANCES);
	const char *vpc = instance_vpcs[i];
	char key[KEY_SIZE];

	if (pick(3) == 0)
		change_instance_port(run, i);
	snprintf(key, sizeof(key), "instance/i-v%u", i);
	if (pick(5) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'id': 'i-v%u', 'owner': %u, 'zone': '" ZONE_H "', 'vpc': 'vpc-%s', 'node': '%s', "
		    "'kind': 'netns', 'host_name': 'v%u', 'port': 'eni-v%u', 'status': '%s'}",
		    i, 1000 + pick(3), vpc,
		    i == 5    ? "n2"
		    : pick(4) ? "n1"
			      : ANY("n2", "n2", "n-none"),
		    pick(4), pick(30) ? i : 0, ANY("Running", "Running", "Stopped", "Pending", "Deleting"));
}

/* Of an instance that others are servers of, and its device comes or goes with that. */
static void change_device(struct run *run)
{
	run->w.missing_device = run->w.missing_device ? 0 : 102;
	put(run, "instance/i-p2",
	    "{'id': 'i-p2', 'owner': %d, 'zone': '" ZONE_I
	    "', 'vpc': 'vpc-p', 'node': 'n1', 'kind': 'netns', "
	    "'host_name': 'p2', 'port': 'eni-p2', 'status': '%s'}",
	    world_owner("p"), run->w.missing_device ? "Stopped" : "Running");
}

static void change_interface(struct run *run)
{
	uint32_t i = pick(2);
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "port/eni-lb%u", i);
	if (pick(4) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'id': 'eni-lb%u', 'number': %u, 'kind': 'load_balancer', 'region': 'cn-hangzhou', "
		    "'zone': '" ZONE_H "', 'vpc': 'vpc-%s', 'vswitch': 'vsw-c-h', 'addr': '10.0.1.%u', "
		    "'holder': 'nlb-1', 'status': '%s'}",
		    i, 150 + i, ANY("c", "p", "far"), pick(100) ? 90 + pick(20) / 19 + i * 2 : 10,
		    pick(8) ? "InUse" : "Deleting");
}

static void change_vswitch(struct run *run)
{
	bool is_used = pick(3) == 0; /* by ports */
	const char *id = is_used ? ANY("p-i", "c-i") : ANY("c-x", "p-x");
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "vswitch/vsw-%s", id);
	if (pick(is_used ? 6 : 3) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'id': 'vsw-%s', 'region': 'cn-hangzhou', 'vpc': 'vpc-%c', 'zone': '" ZONE_I
		    "', 'cidr': '10.0.%u.0/24', 'status': 'Available'}",
		    id, *id,
		    is_used    ? 2
		    : pick(40) ? 5 + pick(2)
			       : 1);
}

/* Load balancers. */

/* Here, on another node and in a VPC without translated addresses. */
static const struct {
	const char *id, *addr, *zone, *node;
} servers[] = {
	{"p1", "10.0.1.10", ZONE_H, "n1"}, {"p2", "10.0.2.10", ZONE_I, "n1"},
	{"r1", "10.0.1.20", ZONE_H, "n2"}, {"r2", "10.0.2.20", ZONE_I, "n2"},
	{"f1", "10.0.1.30", ZONE_H, "n2"},
};

static void change_server(struct run *run)
{
	uint32_t group = 1 + pick(SERVER_GROUPS), i = pick(ARRAY_SIZE(servers)), port = pick(4) ? 443 : 80;
	bool by_address = pick(8) == 0;
	const char *id = by_address ? servers[i].addr : servers[i].id;
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "server/sgp-%u/%s%s/%u", group, by_address ? "" : "i-", id, port);
	if (pick(2)) {
		drop(run, key);
		return;
	}
	put(run, key,
	    "{'group': 'sgp-%u', 'server_id': '%s%s', 'type': 'Ecs', 'addr': '%s', 'port': %u, 'weight': %u, "
	    "'zone': '%s', 'port_id': '%s%s', 'node': '%s', 'status': '%s'}",
	    group, by_address ? "" : "i-", id, servers[i].addr, port, pick(4) * 50, servers[i].zone,
	    by_address ? "" : "eni-",
	    by_address ? ""
	    : pick(20) ? servers[i].id
		       : "none",
	    by_address ? "" : servers[i].node, pick(6) ? "Available" : "Removing");
}

static void change_health(struct run *run)
{
	uint32_t group = 1 + pick(SERVER_GROUPS), i = pick(ARRAY_SIZE(servers));
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "server_health/sgp-%u/i-%s/443", group, servers[i].id);
	if (pick(4) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'group': 'sgp-%u', 'server_id': 'i-%s', 'port': 443, 'node': 'n2', 'healthy': %s, "
		    "'reason': 'r%u'}",
		    group, servers[i].id, ANY("true", "false"), pick(3));
}

/* What this node's own probes find. */
static void change_answer(struct run *run)
{
	uint32_t i = pick(2);
	bool is_ill = *run->w.ill[i];

	(void)str_format(run->w.ill[i], sizeof(run->w.ill[i]), "%s%s", is_ill ? "" : "i-",
			 is_ill ? "" : servers[i].id);
	for (const struct server *v = NULL; (v = snapshot_next(run->w.rows, KIND_SERVER, "", v));)
		if (str_starts(v->server_id, "i-") && streq(v->server_id + 2, servers[i].id))
			plan_touch_health(&run->touched, v->group);
}

static void change_listener(struct run *run)
{
	uint32_t i = 1 + pick(5);
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "listener/lsn-%u", i);
	if (pick(8) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'id': 'lsn-%u', 'load_balancer': 'nlb-%u', 'server_group': 'sgp-%u', 'protocol': '%s', "
		    "'port': %u, 'proxy_protocol': true, 'proxy_vpc_id': %s, 'mss': %u, 'status': '%s'}",
		    i, 1 + (pick(8) ? i % 3 : pick(3)), 1 + pick(SERVER_GROUPS + 1),
		    pick(12) ? ANY("TCP", "TCP", "UDP") : "TCPSSL", pick(3) ? 443 : 80, ANY("true", "false"),
		    pick(20) ? 0 : 1400, pick(6) ? "Running" : "Stopped");
}

static void change_server_group(struct run *run)
{
	uint32_t i = 1 + pick(SERVER_GROUPS);
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "server_group/sgp-%u", i);
	if (pick(10) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'id': 'sgp-%u', 'owner': %u, 'vpc': 'vpc-%s', 'protocol': '%s', 'health_enabled': %s, "
		    "'health_interval_s': %u, 'drain_enabled': %s, 'drain_timeout_s': 900, "
		    "'load_balancer': '%s', 'status': '%s'}",
		    i, 1 + pick(2), pick(8) ? "p" : ANY("far", "none"), ANY("TCP", "TCP", "UDP"),
		    ANY("true", "true", "false"), 1 + pick(3), ANY("true", "false"), pick(8) ? "" : "nlb-1",
		    ANY("Available", "Configuring"));
}

static void change_balancer(struct run *run)
{
	uint32_t i = 1 + pick(3);
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "load_balancer/nlb-%u", i);
	if (pick(20) == 0)
		drop(run, key);
	else
		put(run, key,
		    "{'id': 'nlb-%u', 'vpc': 'vpc-p', 'cross_zone': %s, 'groups': [%s], 'shifted': [%s], "
		    "'status': '%s'}",
		    i, ANY("true", "true", "false"), pick(8) ? "" : "'sg-0'", pick(4) ? "" : "'" ZONE_H "'",
		    ANY("Active", "Active", "Active", "Provisioning", "Inactive"));
}

/* Of an instance in a VPC where this node may have no port. */
static void change_far_port(struct run *run)
{
	if (pick(3) == 0)
		drop(run, "port/eni-f1");
	else
		put(run, "port/eni-f1",
		    "{'id': 'eni-f1', 'number': 112, 'kind': 'instance', 'region': 'cn-hangzhou', 'zone': "
		    "'" ZONE_H "', 'vpc': 'vpc-far', 'vswitch': 'vsw-far-h', 'addr': '10.0.1.%u', 'mac': "
		    "'02:00:00:00:00:01', 'mtu': 1500, 'groups': [%s], 'holder': 'i-f1', 'node': 'n2', 'status': "
		    "'InUse'}",
		    pick(4) ? 30 : 31, pick(2) ? "'sg-p'" : "");
}

/* A VPC whose only port here comes and goes, with all else in it. */
static void change_far(struct run *run)
{
	switch (pick(8)) {
	case 0:
		change_far_port(run);
		break;
	case 1:
		if (pick(3) == 0)
			drop(run, "vswitch/vsw-far-h");
		else
			put(run, "vswitch/vsw-far-h",
			    "{'id': 'vsw-far-h', 'region': 'cn-hangzhou', 'vpc': 'vpc-far', 'zone': '" ZONE_H
			    "', 'cidr': '10.0.%u.0/24', 'status': 'Available'}",
			    1 + pick(2));
		break;
	case 2:
		if (pick(3) == 0)
			drop(run, "address/vpc-far/10.0.1.30");
		else
			put(run, "address/vpc-far/10.0.1.30",
			    "{'vpc': 'vpc-far', 'addr': '10.0.1.30', 'port': '%s'}",
			    ANY("eni-f1", "eni-f1", "eni-none"));
		break;
	case 3:
		if (pick(6) == 0)
			drop(run, "vpc/vpc-far");
		else
			put(run, "vpc/vpc-far",
			    "{'id': 'vpc-far', 'number': %u, 'cidr': '10.0.0.0/%u', 'status': 'Available'}",
			    pick(6) ? 12 : 13, pick(4) ? 16 : 15);
		break;
	default:
		put(run, "instance/i-f1",
		    "{'id': 'i-f1', 'zone': '" ZONE_H "', 'vpc': 'vpc-far', 'node': '%s', 'kind': 'netns', "
		    "'host_name': 'f1', 'port': 'eni-f1', 'status': '%s'}",
		    ANY("n1", "n2"), ANY("Running", "Running", "Stopped", "Deleting"));
	}
}

/* What slices cannot do, or nothing has to do with. */
static void change_other(struct run *run)
{
	switch (pick(8)) {
	case 0:
		put(run, "nat_range/vpc-p/n1", "{'vpc': 'vpc-p', 'node': 'n1', 'range': '100.64.0.%u/28'}",
		    16 * (1 + pick(2)));
		break;
	case 1:
		put(run, "instance/i-r1",
		    "{'id': 'i-r1', 'zone': '" ZONE_H "', 'vpc': 'vpc-p', 'node': 'n2', 'kind': 'netns', "
		    "'host_name': 'r1', 'port': 'eni-r1', 'status': '%s'}",
		    ANY("Running", "Stopped"));
		break;
	case 2:
		put(run, "address/vpc-p/10.0.1.20", "{'vpc': 'vpc-p', 'addr': '10.0.1.20', 'port': '%s'}",
		    ANY("eni-r1", "eni-none"));
		break;
	case 3:
		put(run, "service/epsrv-2",
		    "{'id': 'epsrv-2', 'region': 'cn-hangzhou', 'private_domain': '%s', 'zone_affinity': %s, "
		    "'status': 'Active'}",
		    ANY("", "two.cn-hangzhou.aliyuncs.com", "pai-dlc-vpc.cn-hangzhou.aliyuncs.com"),
		    ANY("true", "false"));
		break;
	case 4:
		drop(run, "service/epsrv-2");
		break;
	case 5:
		put(run, "vpc/vpc-c",
		    "{'id': 'vpc-c', 'number': 10, 'cidr': '10.0.0.0/16', 'name': 'n%u', "
		    "'status': 'Available'}",
		    pick(1000));
		break;
	case 6:
		put(run, "tag/vpc-c/k", "{'resource': 'vpc-c', 'key': 'k', 'value': '%u'}", pick(1000));
		break;
	default:
		put(run, "address/vpc-c/10.0.1.50", "{'vpc': 'vpc-c', 'addr': '10.0.1.50', 'port': '%s'}",
		    ANY("eni-0-0-0", "eni-c", "eni-none"));
	}
}

static struct plan_input input_of(struct run *run)
{
	return (struct plan_input){
		.rows = run->w.rows,
		.catalogue = &world_catalogue,
		.node = "n1",
		.health = world_health,
		.health_context = &run->w,
		.ifindex = world_ifindex,
		.ifindex_context = &run->w,
	};
}

/* What is touched, and nothing besides that forbids slices. */
static bool is_too_heavy(struct run *run)
{
	const struct plan_input input = input_of(run);
	const struct slice slice = {.input = &input, .indexes = run->w.indexes, .plan = run->plan};

	return !run->touched.whole && !run->plan->slices->is_odd && slice_weigh(&slice, &run->touched) == 1;
}

/* Plans what was touched. 1: a plan of the whole was made; `ret` says what has changed otherwise. */
static int plan_touched_slices(struct run *run, struct plan_patch *ret)
{
	const struct plan_input input = input_of(run);
	size_t n_groups = run->plan->n_security_groups, n_targets = run->plan->slices->n_targets;
	size_t n_vpcs = run->plan->slices->n_vpcs;
	struct plan_touched devices = {};
	int r = 0;

	if (!plan_touched_any(&run->touched)) {
		run->nothing++;
		run->plan->revision = snapshot_revision(run->w.rows);
	} else {
		run->heavy += is_too_heavy(run);
		r = plan_slice(&input, run->w.indexes, &run->touched, run->plan, ret);
		if (r == 0) { /* as when devices have been made */
			for (size_t i = 0; i < run->touched.instances.n; i++)
				plan_touch_device(&devices, run->w.rows, run->touched.instances.ids[i]);
			if (plan_slice(&input, run->w.indexes, &devices, run->plan, ret) != 0)
				run->refused++;
		}
		run->slices += r == 0;
		run->servings += r == 0 && (run->touched.server_groups.n || run->touched.balancers.n);
		run->ports += r == 0 && ret->n_ports;
		run->groups += r == 0 && run->plan->n_security_groups != n_groups;
		run->targets += r == 0 && run->plan->slices->n_targets != n_targets;
		run->vpcs += r == 0 && run->plan->slices->n_vpcs != n_vpcs;
		run->hosts +=
			r == 0 && !ret->n_ports && ret->n_places &&
			(run->touched.instances.n || run->touched.interfaces.n || run->touched.vswitches.n);
	}
	if (r != 0) {
		run->wholes++;
		run->plan = plan_free(run->plan);
		if (r < 0 || world_build(&run->w, &run->plan) < 0)
			exit(EXIT_FAILURE);
	}
	run->touched = (struct plan_touched){};
	return r;
}

/* The world before any change, planned. */
static void begin(struct run *run)
{
	char key[KEY_SIZE];

	world_new(&run->w);
	world_vpc(&run->w, "far", 12);
	world_instance(&run->w, "r1", 110, "p", ZONE_H, "10.0.1.20", "sg-p", "n2");
	world_instance(&run->w, "r2", 111, "p", ZONE_I, "10.0.2.20", "sg-p", "n2");
	world_instance(&run->w, "f1", 112, "far", ZONE_H, "10.0.1.30", "sg-p", "n2");
	put(run, "load_balancer/nlb-2", "{'id': 'nlb-2', 'vpc': 'vpc-p', 'status': 'Active'}");
	for (uint32_t i = 0; i < GROUPS; i++) {
		snprintf(key, sizeof(key), "security_group/sg-%u", i);
		put(run, key, "{'id': 'sg-%u', 'vpc': 'vpc-c', 'type': 'normal', 'inner_accept': true}", i);
	}
	if (world_build(&run->w, &run->plan) < 0)
		exit(EXIT_FAILURE);
	run->touched = (struct plan_touched){};
}

/* One to three changes. */
__attribute__((unused)) static void change(struct run *run)
{
	static void (*const changes[])(struct run * run) = {
		change_endpoint, change_zone,	      change_zone,     change_port,	 change_port,
		change_rule,	 change_rule,	      change_rule,     change_group,	 change_member,
		change_server,	 change_server,	      change_server,   change_health,	 change_answer,
		change_listener, change_server_group, change_balancer, change_other,	 change_instance,
		change_instance, change_instance,     change_device,   change_interface, change_vswitch,
		change_far,	 change_far,
	};

	for (uint32_t n = 1 + pick(3); n; n--)
		changes[pick(ARRAY_SIZE(changes))](run);
}
