/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices against the whole: rows change at random, what is touched is planned anew within the plan that is
 * there, and the result has to be the plan that is made of all rows, row for row. `test_plan_slice SEED`
 * repeats a run.
 */
#include <time.h>

#include "plan/plan_build.h"
#include "plan/plan_slice.h"
#include "tests/unit/plan_world.h"

#define STEPS	  6000
#define ENDPOINTS 8
#define GROUPS	  5

static uint64_t state;

static uint32_t pick(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % n;
}

struct run {
	struct world w;
	struct plan *plan;
	struct plan_touched touched;
	unsigned int slices, wholes, nothing;
};

/* As the feed does it (agent/feed_rows.c). */
static void apply(struct run *run, const char *key, const json_t *json)
{
	bool touches = plan_touch_old(&run->touched, run->w.rows, key, json);

	if (snapshot_apply(run->w.rows, key, json, 1, ++rows_revision) < 0)
		exit(EXIT_FAILURE);
	if (touches)
		plan_touch_new(&run->touched, run->w.rows, key);
	snapshot_set_revision(run->w.rows, rows_revision);
}

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
	apply(run, key, json);
	json_decref(json);
}

static void drop(struct run *run, const char *key)
{
	apply(run, key, NULL);
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
		    "'cross_region_bandwidth': %u, 'status': '%s'}",
		    i, vpc_of(i), ANY("epsrv-1", "epsrv-1", "epsrv-2", "epsrv-none"), i, ANY("", "", "-b"),
		    ANY("true", "false"), pick(9), pick(8) ? 0 : 100,
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

/* What slices cannot do, or nothing has to do with. */
static void change_other(struct run *run)
{
	switch (pick(8)) {
	case 0:
		put(run, "listener/lsn-2",
		    "{'id': 'lsn-2', 'load_balancer': 'nlb-2', 'server_group': 'sgp-1', 'protocol': 'TCP', "
		    "'port': %u, 'proxy_protocol': true, 'proxy_vpc_id': %s, 'status': 'Running'}",
		    80 + pick(2), ANY("true", "false"));
		break;
	case 1:
		put(run, "server/sgp-1/i-p1/443",
		    "{'group': 'sgp-1', 'server_id': 'i-p1', 'type': 'Ecs', 'addr': '10.0.1.10', 'port': "
		    "443, 'weight': %u, 'zone': '" ZONE_H "', 'port_id': 'eni-p1', 'node': 'n1', 'status': "
		    "'Available'}",
		    pick(2) * 100);
		break;
	case 2:
		put(run, "load_balancer/nlb-2",
		    "{'id': 'nlb-2', 'vpc': 'vpc-p', 'cross_zone': true, 'groups': [%s], 'status': 'Active'}",
		    pick(3) ? "" : "'sg-0'");
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

/* What differs; NULL: nothing. */

static bool same_rules(const struct plan_security_group *a, const struct plan_security_group *b)
{
	for (int d = 0; d < 2; d++)
		if (a->n_rules[d] != b->n_rules[d] ||
		    (a->n_rules[d] &&
		     memcmp(a->rules[d], b->rules[d], a->n_rules[d] * sizeof(*a->rules[d])) != 0))
			return false;
	return a->number == b->number && streq(a->id, b->id);
}

static bool same_groups(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_security_groups && a->n_security_groups == b->n_security_groups; i++)
		if (!same_rules(&a->security_groups[i], &b->security_groups[i]))
			return false;
	return a->n_security_groups == b->n_security_groups;
}

static bool same_eni(const struct plan_eni *a, const struct plan_eni *b)
{
	return a->slot == b->slot && memcmp(&a->value, &b->value, sizeof(a->value)) == 0 &&
	       memcmp(&a->limit, &b->limit, sizeof(a->limit)) == 0 &&
	       memcmp(&a->set, &b->set, sizeof(a->set)) == 0 &&
	       memcmp(&a->balancer_set, &b->balancer_set, sizeof(a->balancer_set)) == 0 &&
	       streq(a->endpoint, b->endpoint) && streq(a->zone, b->zone);
}

static bool same_enis(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_enis && a->n_enis == b->n_enis; i++)
		if (!same_eni(&a->enis[i], &b->enis[i]))
			return false;
	return a->n_enis == b->n_enis;
}

static bool same_name(const struct plan_name *a, const struct plan_name *b)
{
	return a->vpc == b->vpc && streq(a->name, b->name) && a->n_addrs == b->n_addrs &&
	       a->affinity == b->affinity && a->canonical == b->canonical && a->is_shared == b->is_shared &&
	       (a->n_addrs == 0 || (memcmp(a->addrs, b->addrs, a->n_addrs * sizeof(*a->addrs)) == 0 &&
				    memcmp(a->zones, b->zones, a->n_addrs * sizeof(*a->zones)) == 0));
}

static bool same_names(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_names && a->n_names == b->n_names; i++)
		if (!same_name(a->names[i], b->names[i]))
			return false;
	for (size_t i = 0; i < a->n_reverse && a->n_reverse == b->n_reverse; i++)
		if (a->reverse[i].vpc != b->reverse[i].vpc ||
		    netaddr_compare(&a->reverse[i].addr, &b->reverse[i].addr) != 0 ||
		    !streq(a->reverse[i].name->name, b->reverse[i].name->name))
			return false;
	return a->n_names == b->n_names && a->n_reverse == b->n_reverse;
}

static bool same_failures(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_failures && a->n_failures == b->n_failures; i++)
		if (!streq(a->failures[i].key, b->failures[i].key) ||
		    !streq(a->failures[i].reason, b->failures[i].reason))
			return false;
	return a->n_failures == b->n_failures;
}

static bool same_slices(const struct plan_slices *a, const struct plan_slices *b)
{
	for (size_t i = 0; i < a->n_parts && a->n_parts == b->n_parts; i++)
		if (!streq(a->parts[i].endpoint, b->parts[i].endpoint) ||
		    !streq(a->parts[i].vpc, b->parts[i].vpc) || !a->parts[i].shared != !b->parts[i].shared)
			return false;
	return a->n_parts == b->n_parts && a->n_targets == b->n_targets &&
	       (a->n_targets == 0 ||
		memcmp(a->targets, b->targets, a->n_targets * sizeof(*a->targets)) == 0) &&
	       memcmp(a->groups, b->groups, PL_GROUPS_MAX * sizeof(*a->groups)) == 0 &&
	       a->is_odd == b->is_odd;
}

#define SAME(array, n)                                                                                       \
	(a->n == b->n && (a->n == 0 || memcmp(a->array, b->array, a->n * sizeof(*a->array)) == 0))

static const char *what_differs(const struct plan *a, const struct plan *b)
{
	const struct {
		bool same;
		const char *what;
	} checks[] = {
		{a->revision == b->revision, "revision"},
		{SAME(ports, n_ports) && SAME(ports_by_slot, n_ports), "ports"},
		{SAME(places, n_places), "places"},
		{same_enis(a, b), "ENIs"},
		{SAME(proxies, n_proxies), "proxies"},
		{SAME(backends, n_backends), "backends"},
		{SAME(served, n_served), "served"},
		{SAME(probes, n_probes), "probes"},
		{a->n_listeners == b->n_listeners, "listeners"},
		{same_groups(a, b), "security groups"},
		{same_names(a, b), "names"},
		{same_failures(a, b), "failures"},
		{same_slices(a->slices, b->slices), "slices"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (!checks[i].same)
			return checks[i].what;
	return NULL;
}

static void plan_touched_slices(struct run *run)
{
	const struct plan_input input = {
		.rows = run->w.rows,
		.catalogue = &world_catalogue,
		.node = "n1",
		.health = world_health,
		.health_context = &run->w,
		.ifindex = world_ifindex,
		.ifindex_context = &run->w,
	};
	struct plan_patch patch = {};
	int r = 0;

	if (!plan_touched_any(&run->touched)) {
		run->nothing++;
		run->plan->revision = snapshot_revision(run->w.rows);
	} else {
		r = plan_slice(&input, run->w.indexes, &run->touched, run->plan, &patch);
		run->slices += r == 0;
	}
	if (r != 0) {
		run->wholes++;
		run->plan = plan_free(run->plan);
		if (r < 0 || world_build(&run->w, &run->plan) < 0)
			exit(EXIT_FAILURE);
	}
	plan_patch_done(&patch);
	run->touched = (struct plan_touched){};
}

static void begin(struct run *run)
{
	char key[KEY_SIZE];

	world_new(&run->w);
	world_vpc(&run->w, "far", 12);
	put(run, "load_balancer/nlb-2", "{'id': 'nlb-2', 'vpc': 'vpc-p', 'status': 'Active'}");
	for (uint32_t i = 0; i < GROUPS; i++) {
		snprintf(key, sizeof(key), "security_group/sg-%u", i);
		put(run, key, "{'id': 'sg-%u', 'vpc': 'vpc-c', 'type': 'normal', 'inner_accept': true}", i);
	}
	if (world_build(&run->w, &run->plan) < 0)
		exit(EXIT_FAILURE);
	run->touched = (struct plan_touched){};
}

static void change(struct run *run)
{
	static void (*const changes[])(struct run * run) = {
		change_endpoint, change_zone, change_zone,  change_port,   change_port,	 change_rule,
		change_rule,	 change_rule, change_group, change_member, change_other,
	};

	for (uint32_t n = 1 + pick(3); n; n--)
		changes[pick(ARRAY_SIZE(changes))](run);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u | 1;
	const char *differs = NULL;
	struct run run = {};
	int step = 0;

	tap_note("seed %llu", (unsigned long long)seed);
	state = seed;
	begin(&run);
	for (; step < STEPS && !differs; step++) {
		change(&run);
		plan_touched_slices(&run);
		if (pick(4))
			differs = what_differs(run.plan, world_plan(&run.w));
	}
	tap_ok(!differs, "after each of %d changes the slices make the plan of the whole%s%s", step,
	       differs ? "; what differs: " : "", differs ? differs : "");
	tap_note("%u by slices, %u of the whole, %u that touched nothing", run.slices, run.wholes,
		 run.nothing);
	tap_ok(run.slices > STEPS / 10 && run.nothing > 0, "of which many were made of slices");
	plan_free(run.plan);
	world_free(&run.w);
	return tap_done();
}
