/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices against the whole: rows change at random, what is touched is planned anew within the plan that is
 * there, and the result has to be the plan that is made of all rows, row for row. `test_plan_slice SEED`
 * repeats a run.
 */
#include <time.h>

#include "model/serving.h"
#include "plan/plan_compare.h"
#include "tests/unit/slice_world.h"

#define STEPS	  10000
#define BIG_STEPS 200

/* Endpoints of a VPC whose service, and its name, all of them have. */
static void put_many(struct run *run, unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++) {
		char key[KEY_SIZE];

		snprintf(key, sizeof(key), "endpoint/ep-m%u", i);
		put(run, key,
		    "{'id': 'ep-m%u', 'vpc': 'vpc-c', 'service': 'epsrv-1', 'type': 'Interface', 'domain': "
		    "'ep-m%u.cn-hangzhou.privatelink.aliyuncs.com', 'status': 'Active'}",
		    i, i);
	}
}

static void put_zone_of_many(struct run *run, unsigned int i, const char *status)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "endpoint_zone/ep-m%u/" ZONE_H, i);
	put(run, key,
	    "{'endpoint': 'ep-m%u', 'zone': '" ZONE_H "', 'addr': '10.0.3.%u', 'resource': 'nlb-1', "
	    "'domain': 'ep-m%u-h.cn-hangzhou.privatelink.aliyuncs.com', 'status': '%s'}",
	    i, i, i, status);
}

/* The addresses of the name that they share; -1: there is none. */
static long long n_shared_addresses(const struct plan *plan)
{
	const struct plan_part *part = plan_part_find(plan->slices, "ep-m1");

	return part && part->shared ? (long long)part->shared->n_addrs : -1;
}

static void is_planned_by_slices(struct run *run, int r, const char *what)
{
	struct plan_patch patch = {};
	int was = plan_touched_slices(run, &patch);
	const char *differs = plan_what_differs(run->plan, world_plan(&run->w));

	plan_patch_done(&patch);
	tap_ok(was == r && !differs, "%s: %s%s%s", what, r == 0 ? "by slices" : "by a plan of the whole",
	       differs ? "; what differs: " : "", differs ? differs : "");
}

static void test_many_endpoints(void)
{
	struct run run = {};
	long long n;

	begin(&run);
	put_many(&run, 1, 1000);
	is_planned_by_slices(&run, 1, "1,000 endpoints come to a VPC at once");
	n = n_shared_addresses(run.plan);
	for (unsigned int i = 1; i <= 60; i++)
		put_zone_of_many(&run, i, "Connected");
	is_planned_by_slices(&run, 0, "zones of some of them are connected");
	tap_is_int(n_shared_addresses(run.plan), n + 60, "the name that they share has all addresses");
	put_zone_of_many(&run, 60, "Disconnected");
	put_zone_of_many(&run, 61, "Connected");
	put_zone_of_many(&run, 62, "Connected");
	is_planned_by_slices(&run, 0, "some are, and one is not any more");
	tap_is_int(n_shared_addresses(run.plan), n + 61, "it has the new ones, and that one no longer");

	put_many(&run, 1001, 1500);
	is_planned_by_slices(&run, 1, "more endpoints than are looked through");
	put(&run, "endpoint_zone/ep-m2/" ZONE_I,
	    "{'endpoint': 'ep-m2', 'zone': '" ZONE_I
	    "', 'domain': 'ep-m2-i.cn-hangzhou.privatelink.aliyuncs.com', 'status': 'Creating'}");
	is_planned_by_slices(&run, 0, "a zone that is not in force yet is nothing to the shared name");
	put_zone_of_many(&run, 3, "Disconnected");
	is_planned_by_slices(&run, 1, "one that is no longer is something");
	plan_free(run.plan);
	world_free(&run.w);
}

/* How many of so many changes were slices; each by itself. */
static unsigned int n_by_slices(struct run *run, unsigned int n,
				void (*change_it)(struct run *run, unsigned int i))
{
	unsigned int by_slices = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct plan_patch patch = {};

		change_it(run, i);
		by_slices += plan_touched_slices(run, &patch) == 0;
		plan_patch_done(&patch);
	}
	return by_slices;
}

static void put_rule_again(struct run *run, unsigned int i)
{
	put(run, "sg_rule/sg-0/sgr-0",
	    "{'id': 'sgr-0', 'group': 'sg-0', 'direction': 'ingress', 'policy': 'Accept', 'priority': 1, "
	    "'protocol': 'TCP', 'port_first': %u, 'port_last': 90, 'cidr': '10.0.0.0/16'}",
	    80 + i % 2);
}

/* As an ENI that goes, and another one. */
static void put_port_with_new_number(struct run *run, unsigned int i)
{
	put(run, "port/eni-m1",
	    "{'id': 'eni-m1', 'number': %u, 'kind': 'endpoint', 'region': 'cn-hangzhou', 'zone': '" ZONE_H
	    "', 'vpc': 'vpc-c', 'addr': '10.0.3.1', 'mac': '02:00:00:00:00:01', 'groups': ['sg-ep'], "
	    "'holder': 'ep-m1', 'status': 'InUse'}",
	    5000 + i);
}

/* What slices were given comes back with a plan of the whole alone: most changes are given nothing. */
static void test_numbers(void)
{
	struct run run = {};
	unsigned int n;

	begin(&run);
	put(&run, "security_group/sg-0", "{'id': 'sg-0', 'vpc': 'vpc-c', 'type': 'normal'}");
	put_many(&run, 1, 1);
	put(&run, "endpoint_zone/ep-m1/" ZONE_H,
	    "{'endpoint': 'ep-m1', 'zone': '" ZONE_H "', 'port': 'eni-m1', 'addr': '10.0.3.1', 'resource': "
	    "'nlb-1', 'domain': 'ep-m1-h.cn-hangzhou.privatelink.aliyuncs.com', 'status': 'Connected'}");
	put(&run, "connection/ep-m1", "{'endpoint': 'ep-m1', 'service': 'epsrv-1', 'status': 'Connected'}");
	(void)n_by_slices(&run, 1, put_port_with_new_number);
	tap_is_int(n_by_slices(&run, 3000, put_rule_again), 3000,
		   "rules take no numbers, and are slices for ever");
	n = n_by_slices(&run, 5000, put_port_with_new_number);
	tap_is_int(n, 4999, "who is given number after number leaves one change of 5,000 to the whole");
	tap_ok(!plan_what_differs(run.plan, world_plan(&run.w)), "and the plan is that of all rows");
	plan_free(run.plan);
	world_free(&run.w);
}

/* Many elements of a sorted array at once. */

static unsigned int n_compared;

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int compare_counted(const void *a, const void *b)
{
	n_compared++;
	return compare_u32(a, b);
}

/* Even numbers, of which some go and between which odd ones come: `wanted` says what is left. */
static bool splices(size_t n_old, unsigned int of_gone, unsigned int of_new)
{
	size_t n = 0, n_new = 0, n_wanted = 0;
	uint32_t *array = NULL, *new = calloc(n_old + 1, sizeof(*new));
	uint32_t *wanted = calloc(2 * n_old + 1, sizeof(*wanted));
	struct slice_gone gone = {};
	bool is_right = new &&wanted;

	for (uint32_t i = 0; i < n_old && is_right; i++) {
		uint32_t *added = plan_append(&array, &n, sizeof(*added));
		bool goes = pick(of_gone) == 0, comes = pick(of_new) == 0;

		is_right = added && (!goes || slice_note_gone(&gone, i, 1) == 0) &&
			   (!goes || pick(4) || slice_note_gone(&gone, i, 1) == 0);
		if (is_right)
			*added = 2 * i;
		if (!goes)
			wanted[n_wanted++] = 2 * i;
		if (comes)
			new[n_new++] = wanted[n_wanted++] = 2 * i + 1;
	}
	n_compared = 0;
	if (is_right)
		slice_remove_all(array, &n, sizeof(*array), &gone);
	is_right = is_right &&
		   slice_insert_all(&array, &n, sizeof(*array), new, n_new, compare_counted) == 0 &&
		   n == n_wanted && (!n || memcmp(array, wanted, n * sizeof(*array)) == 0) &&
		   n_compared <= n_new * 16;
	free(array);
	free(new);
	free(wanted);
	free(gone.v);
	return is_right;
}

static void test_splices(void)
{
	static const unsigned int parts[] = {1, 2, 10, 1000};
	bool is_right = true;

	for (size_t n = 0; n < 20; n++)
		for (size_t i = 0; i < ARRAY_SIZE(parts) * ARRAY_SIZE(parts); i++)
			is_right &= splices(n, parts[i / ARRAY_SIZE(parts)], parts[i % ARRAY_SIZE(parts)]);
	tap_ok(is_right, "elements come to short sorted arrays, and go");
	for (size_t i = 0; i < ARRAY_SIZE(parts) * ARRAY_SIZE(parts); i++)
		is_right &= splices(30000, parts[i / ARRAY_SIZE(parts)], parts[i % ARRAY_SIZE(parts)]);
	tap_ok(is_right, "and to long ones, each new one with no more comparisons than its place needs");
}

/* Much behind load balancers. */

static void put_big_server(struct run *run, unsigned int group, unsigned int i)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "server/sgp-m%u/i-p%u/%u", group, 1 + i % 2, 1000 + i);
	put(run, key,
	    "{'group': 'sgp-m%u', 'server_id': 'i-p%u', 'type': 'Ecs', 'addr': '10.0.%u.10', 'port': %u, "
	    "'weight': 100, 'zone': '%s', 'port_id': 'eni-p%u', 'node': 'n1', 'status': 'Available'}",
	    group, 1 + i % 2, 1 + i % 2, 1000 + i, i % 2 ? ZONE_I : ZONE_H, 1 + i % 2);
}

/* So many servers it has from then on. */
static void size_group(struct run *run, unsigned int group, unsigned int n)
{
	char id[ID_SIZE], key[KEY_SIZE];
	unsigned int i = 0;

	snprintf(id, sizeof(id), "sgp-m%u", group);
	i = (unsigned int)snapshot_count_children(run->w.rows, REF_SERVER_GROUP, id);
	for (; i < n; i++)
		put_big_server(run, group, i);
	while (i-- > n) {
		snprintf(key, sizeof(key), "server/%s/i-p%u/%u", id, 1 + i % 2, 1000 + i);
		drop(run, key);
	}
}

/* Of all, by way of the group; nothing else of it changes. */
static void set_drain(struct run *run, unsigned int group, bool drains)
{
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "server_group/sgp-m%u", group);
	put(run, key,
	    "{'id': 'sgp-m%u', 'vpc': 'vpc-p', 'protocol': 'TCP', 'health_enabled': true, "
	    "'health_interval_s': 1, 'drain_enabled': %s, 'drain_timeout_s': 900, 'status': 'Available'}",
	    group, drains ? "true" : "false");
}

/* Behind a load balancer, which has endpoints here. */
static void put_big_group(struct run *run, unsigned int group, unsigned int n, const char *balancer)
{
	char key[KEY_SIZE];

	set_drain(run, group, false);
	size_group(run, group, n);
	snprintf(key, sizeof(key), "listener/lsn-m%u", group);
	put(run, key,
	    "{'id': 'lsn-m%u', 'load_balancer': '%s', 'server_group': 'sgp-m%u', 'protocol': 'TCP', 'port': "
	    "%u, 'status': 'Running'}",
	    group, balancer, group, 1000 + group);
}

/* The plan in force, as it has to be while a plan of the whole is made. */
static void is_refused(struct run *run, const struct plan *before, const char *what)
{
	const struct plan_input input = input_of(run);
	struct plan_patch patch = {};
	bool fits = plan_slice_fits(&input, run->plan, &run->touched);
	int r = plan_slice(&input, run->w.indexes, &run->touched, run->plan, &patch);
	const char *differs = plan_what_differs(run->plan, before);

	tap_ok(r == 1 && !fits && !differs, "%s: not by slices, and nothing has changed so far%s%s", what,
	       differs ? "; what differs: " : "", differs ? differs : "");
	plan_patch_done(&patch);
	is_planned_by_slices(run, 1, what);
}

static void test_many_servers(void)
{
	struct plan *before;
	struct run run = {};

	begin(&run);
	put_big_group(&run, 1, 20, "nlb-1");
	put_big_group(&run, 2, 20, "nlb-1");
	is_planned_by_slices(&run, 0, "groups of 20 servers come");
	if (world_build(&run.w, &before) < 0)
		exit(EXIT_FAILURE);
	size_group(&run, 1, SLICE_SERVERS_MAX);
	set_drain(&run, 2, true);
	is_refused(&run, before, "too many servers in all groups that change");
	plan_free(before);
	set_drain(&run, 2, false);
	is_planned_by_slices(&run, 0, "one of them, beside another one that is as large as can be");
	size_group(&run, 1, 20);
	set_drain(&run, 2, true);
	is_planned_by_slices(&run, 1, "as many go");
	set_drain(&run, 1, true);
	set_drain(&run, 2, false);
	is_planned_by_slices(&run, 0, "they are few again");
	plan_free(run.plan);
	world_free(&run.w);
}

/* The array has each once. */
static bool are_unique(const void *array, size_t n, size_t size)
{
	const char *elements = array;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (memcmp(elements + i * size, elements + j * size, size) == 0)
				return false;
	return true;
}

/* Its checks are turned off, then on, of which all of them are told once. */
static void test_noted(void)
{
	const unsigned int n = SLICE_SERVERS_MAX / 4;
	struct plan_patch patch = {};
	struct run run = {};

	begin(&run);
	put_big_group(&run, 1, n, "nlb-1");
	put_big_group(&run, 2, n, "nlb-1");
	(void)plan_touched_slices(&run, &patch);
	plan_patch_done(&patch);
	for (int enabled = 0; enabled < 2; enabled++) {
		for (unsigned int group = 1; group <= 2; group++) {
			char key[KEY_SIZE];

			snprintf(key, sizeof(key), "server_group/sgp-m%u", group);
			put(&run, key,
			    "{'id': 'sgp-m%u', 'vpc': 'vpc-p', 'protocol': 'TCP', 'health_enabled': %s, "
			    "'health_interval_s': 1, 'status': 'Available'}",
			    group, enabled ? "true" : "false");
		}
		(void)plan_touched_slices(&run, &patch);
		tap_ok(patch.n_probes == 2 * n && are_unique(patch.probes, 2 * n, sizeof(*patch.probes)) &&
			       are_unique(patch.places, patch.n_places, sizeof(*patch.places)),
		       "checks of %u servers are turned %s: each is noted once", 2 * n,
		       enabled ? "on" : "off");
		plan_patch_done(&patch);
	}
	size_group(&run, 1, 0);
	(void)plan_touched_slices(&run, &patch);
	/* The second group has the same servers. */
	tap_ok(patch.n_backends == 0 && patch.n_server_groups == 1 && patch.n_targets == 2,
	       "one group of two with the same servers has none any more");
	size_group(&run, 2, 0);
	(void)plan_touched_slices(&run, &patch);
	tap_ok(patch.n_backends == n && are_unique(patch.backends, n, sizeof(*patch.backends)) &&
		       patch.n_server_groups == 2 && patch.n_targets == 2,
	       "nor has the other, and what both changes have touched is in one patch");
	plan_patch_done(&patch);
	plan_free(run.plan);
	world_free(&run.w);
}

static void test_many_places(void)
{
	unsigned int groups = 0;
	struct plan *before;
	struct run run = {};

	begin(&run);
	do
		put_big_group(&run, ++groups, 50, "nlb-1");
	while (groups * 2 * serving_places(50) <= SLICE_PLACES_MAX);
	tap_ok(groups * 50 < SLICE_SERVERS_MAX, "the servers are not too many");
	is_planned_by_slices(&run, 1, "too many places in all tables of a load balancer come");
	if (world_build(&run.w, &before) < 0)
		exit(EXIT_FAILURE);
	for (unsigned int group = 1; group <= groups; group++)
		set_drain(&run, group, true);
	is_refused(&run, before, "all groups behind it change");
	plan_free(before);
	drop(&run, "listener/lsn-m1");
	drop(&run, "listener/lsn-m2");
	is_planned_by_slices(&run, 0, "listeners less");
	plan_free(run.plan);
	world_free(&run.w);
}

/* How many listeners have the tables that they had. */
static size_t count_kept(const struct plan *plan, uint32_t *const *tables, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n && i < plan->n_listeners; i++)
		kept += tables[i] && plan->listeners[i].table == tables[i];
	return kept;
}

/* The load balancer's group of all those behind it: what the others have together would be too much. */
static void test_one_group_of_many(void)
{
	uint32_t *tables[64] = {};
	unsigned int groups = 0;
	struct run run = {};
	size_t n;

	begin(&run);
	do
		put_big_group(&run, ++groups, 50, "nlb-1");
	while (groups * 50 <= SLICE_SERVERS_MAX);
	is_planned_by_slices(&run, 1, "many groups behind a load balancer come");
	n = run.plan->n_listeners;
	for (size_t i = 0; i < n && i < ARRAY_SIZE(tables); i++)
		tables[i] = plan_table_hold(run.plan->listeners[i].table);
	set_drain(&run, 1, true);
	is_planned_by_slices(&run, 0, "one of them changes");
	tap_ok(n <= ARRAY_SIZE(tables) && run.plan->n_listeners == n &&
		       count_kept(run.plan, tables, n) == n - 2,
	       "and no tables are made anew but its own, one of each zone");
	drop(&run, "server_group/sgp-m1");
	is_planned_by_slices(&run, 0, "it goes, and its listener stays");
	set_drain(&run, 1, true);
	is_planned_by_slices(&run, 0, "it comes back");
	for (size_t i = 0; i < n && i < ARRAY_SIZE(tables); i++)
		plan_table_drop(tables[i]);
	plan_free(run.plan);
	world_free(&run.w);
}

/* Of listeners with the same port the first one counts, whichever group changes. */
static void test_same_port(void)
{
	struct run run = {};

	begin(&run);
	put_big_group(&run, 1, 20, "nlb-1");
	put_big_group(&run, 2, 20, "nlb-1");
	put(&run, "listener/lsn-m3",
	    "{'id': 'lsn-m3', 'load_balancer': 'nlb-1', 'server_group': 'sgp-m2', 'protocol': 'TCP', 'port': "
	    "1001, 'status': 'Running'}");
	put(&run, "listener/lsn-m4",
	    "{'id': 'lsn-m4', 'load_balancer': 'nlb-1', 'server_group': 'sgp-m2', 'protocol': 'TCPSSL', "
	    "'port': 1004, 'status': 'Running'}");
	is_planned_by_slices(&run, 0, "listeners with the same port, and one that endpoints cannot reach");
	set_drain(&run, 1, true);
	is_planned_by_slices(&run, 0, "the group of the one that has it changes");
	set_drain(&run, 2, true);
	is_planned_by_slices(&run, 0, "that of the one that has not changes");
	plan_free(run.plan);
	world_free(&run.w);
}

/* The load balancer has its first endpoint here, or the last one goes. */
static void put_in_front(struct run *run, const char *balancer)
{
	put(run, "endpoint_zone/ep-1/" ZONE_H,
	    "{'endpoint': 'ep-1', 'zone': '" ZONE_H "', 'vswitch': 'vsw-c-h', 'port': 'eni-ep-1-h', 'addr': "
	    "'10.0.1.50', 'domain': 'ep-1-h.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com', 'resource': '%s', "
	    "'status': 'Connected'}",
	    balancer);
}

static void test_first_endpoint(void)
{
	struct run run = {};

	begin(&run);
	put_big_group(&run, 1, 20, "nlb-2");
	put_in_front(&run, "nlb-2");
	is_planned_by_slices(&run, 0, "the first endpoint in front of a load balancer with 20 servers");
	put_in_front(&run, "nlb-1");
	is_planned_by_slices(&run, 0, "it goes elsewhere");
	size_group(&run, 1, SLICE_SERVERS_MAX + 1);
	is_planned_by_slices(&run, 1, "the load balancer has many, which are probed here");
	put_in_front(&run, "nlb-2");
	is_planned_by_slices(&run, 1, "the first endpoint in front of it");
	put_in_front(&run, "nlb-1");
	is_planned_by_slices(&run, 1, "the last one goes elsewhere");
	plan_free(run.plan);
	world_free(&run.w);
}

static enum plan_health count_health(void *context, const struct server *server)
{
	(void)server;
	++*(unsigned int *)context;
	return PLAN_HEALTH_UNKNOWN;
}

/* Endpoints in front read what is known of the load balancer. */
static void test_endpoint_in_front(void)
{
	unsigned int n_asked = 0;
	struct plan_patch patch = {};
	struct run run = {};
	struct plan_input input;

	begin(&run);
	put_big_group(&run, 1, 20, "nlb-1");
	(void)plan_touched_slices(&run, &patch);
	plan_patch_done(&patch);
	put(&run, "endpoint/ep-1",
	    "{'id': 'ep-1', 'vpc': 'vpc-c', 'service': 'epsrv-1', 'type': 'Interface', 'flow_log': true, "
	    "'groups': ['sg-ep'], 'status': 'Active'}");
	input = input_of(&run);
	input.health = count_health;
	input.health_context = &n_asked;
	tap_ok(plan_slice(&input, run.w.indexes, &run.touched, run.plan, &patch) == 0 && patch.n_slots == 2,
	       "an endpoint in front of a load balancer changes");
	tap_is_int(n_asked, 0, "and no server behind it is judged for that");
	plan_patch_done(&patch);
	plan_free(run.plan);
	world_free(&run.w);
}

static void change_big_groups(struct run *run)
{
	uint32_t first = 1 + pick(2), last = pick(3) ? first : 2;

	for (uint32_t group = first; group <= last; group++)
		if (pick(3) == 0)
			set_drain(run, group, pick(2));
		else
			size_group(run, group, SLICE_SERVERS_MAX / 4 + pick(SLICE_SERVERS_MAX / 2));
}

/* What serves, and nothing that keeps slices from being planned for long. */
static void change_what_serves(struct run *run)
{
	static void (*const changes[])(struct run * run) = {
		change_big_groups, change_big_groups, change_server,	   change_health,
		change_answer,	   change_listener,   change_server_group,
	};

	if (pick(8) == 0)
		put_in_front(run, pick(2) ? "nlb-1" : "nlb-2");
	else
		changes[pick(ARRAY_SIZE(changes))](run);
}

static void test_big_groups(void)
{
	const char *differs = NULL;
	struct plan_patch patch = {};
	struct run run = {};

	begin(&run);
	put_big_group(&run, 1, SLICE_SERVERS_MAX / 2, "nlb-1");
	put_big_group(&run, 2, SLICE_SERVERS_MAX / 2, "nlb-2");
	for (int step = 0; step < BIG_STEPS && !differs; step++) {
		change_what_serves(&run);
		(void)plan_touched_slices(&run, &patch);
		plan_patch_done(&patch);
		differs = plan_what_differs(run.plan, world_plan(&run.w));
	}
	tap_ok(!differs, "with many servers the slices make the plan of the whole%s%s",
	       differs ? "; what differs: " : "", differs ? differs : "");
	tap_note("%u by slices, %u of the whole, %u of them because too much was touched", run.slices,
		 run.wholes, run.heavy);
	tap_ok(run.slices > BIG_STEPS / 5 && run.heavy > BIG_STEPS / 40, "and both ways were taken");
	plan_free(run.plan);
	world_free(&run.w);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u | 1;
	const char *differs = NULL;
	struct plan_patch patch = {};
	struct run run = {};
	int step = 0;

	tap_note("seed %llu", (unsigned long long)seed);
	state = seed;
	begin(&run);
	for (; step < STEPS && !differs; step++) {
		change(&run);
		(void)plan_touched_slices(&run, &patch);
		plan_patch_done(&patch);
		if (pick(4))
			differs = plan_what_differs(run.plan, world_plan(&run.w));
	}
	tap_ok(!differs, "after each of %d changes the slices make the plan of the whole%s%s", step,
	       differs ? "; what differs: " : "", differs ? differs : "");
	tap_note(
		"%u by slices, %u of them of what serves, %u of ports, %u of other hosts, %u with groups that "
		"came or went, %u with targets, %u with VPCs; %u of the whole, %u that touched nothing",
		run.slices, run.servings, run.ports, run.hosts, run.groups, run.targets, run.vpcs, run.wholes,
		run.nothing);
	tap_ok(run.slices > STEPS / 10 && run.servings > STEPS / 20 && run.nothing > 0,
	       "of which many were made of slices");
	tap_ok(run.ports > STEPS / 50 && run.hosts > STEPS / 50, "also those of instances and other hosts");
	tap_ok(run.groups > STEPS / 200 && run.targets > STEPS / 200,
	       "and of security groups, and zones of load balancers, that came or went");
	tap_is_int(run.refused, 0, "what was planned by slices can be so again when devices are made");
	tap_ok(run.vpcs > STEPS / 400, "and of VPCs");
	plan_free(run.plan);
	world_free(&run.w);
	test_many_endpoints();
	test_numbers();
	test_splices();
	test_many_servers();
	test_noted();
	test_many_places();
	test_one_group_of_many();
	test_same_port();
	test_first_endpoint();
	test_endpoint_in_front();
	test_big_groups();
	return tap_done();
}
