/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data path's tables and programs on the running kernel: packets, restarts, rounds over flows, and tables
 * that have no room or take no rows.
 */
#include "datapath_world.h"

#include "plan/plan_build.h"

static void test_delivery(struct world *world)
{
	uint64_t refused;

	tap_is_int(start_agent(world), 0, "the data path is loaded");
	tap_is_int(ports_sync_node_port(world->ports), 0, "VPC 0 is there");
	tap_is_int(sync_world(world, true), 0, "two instances are put in force");
	tap_ok(arrives(&world->instances[0], &world->instances[1]),
	       "a datagram arrives at the other instance");
	tap_ok(counter(world, "delivered") >= 1, "it is counted as delivered");

	world->groups[1].n_rules[PL_DIRECTION_IN] = 0;
	refused = counter(world, "policy_in");
	tap_is_int(sync_world(world, false), 0, "the receiver's rule is taken away");
	tap_ok(!arrives(&world->instances[0], &world->instances[1]), "the open flow is closed");
	tap_ok(counter(world, "policy_in") > refused, "and its packet counted as refused");
	world->groups[1].n_rules[PL_DIRECTION_IN] = 1;
	(void)sync_world(world, false);
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "with the rule back, it flows again");
}

/* What an agent finds of the one before is not given to another object. */
static void test_numbers(struct world *world)
{
	struct pl_eni eni = {.number = 0x77, .vpc = VPC, .target = 50};
	struct plan_indexes *indexes;
	const uint32_t slot = 40, last = 60, counted = 62;
	struct pl_tally_key tally = {.slot = counted | 443u << PL_TALLY_PORT,
				     .what = PL_TALLY_OPENED | IPPROTO_TCP << PL_TALLY_PROTOCOL},
			    by_slot = {.slot = counted + 1, .what = PL_TALLY_ENDED};
	struct pl_generation generation = {1, 1};
	struct pl_count count = {.packets = 1};
	struct pl_limit limit = {.account = 9};
	uint32_t number = 0;
	uint16_t account = 0;

	stop_agent(world);
	access_row("pl_enis", &slot, &eni, true);
	access_row("pl_limits", &slot, &limit, true);
	access_row("pl_generations", &last, &generation, true);
	access_row("pl_tallies", &tally, &count, true);
	access_row("pl_slot_tallies", &by_slot, &count, true);
	tap_is_int(start_agent(world), 0, "an agent finds an ENI whose load balancer has no listener");
	(void)plan_indexes_new(&indexes);
	tap_is_int(datapath_adopt_indexes(world->datapath, indexes), 0, "it takes over the numbers");
	tap_is_int(plan_indexes_target(indexes, "nlb-other", "cn-a", &number), 0, "another load balancer");
	tap_ok(number > eni.target, "does not get the number to which the ENI leads");
	(void)plan_indexes_slot(indexes, 0x78, &number);
	tap_is_int(number, last + 1, "a new slot is behind all that were ever given out");
	(void)plan_indexes_slot(indexes, 0x79, &number);
	tap_is_int(number, counted + 2,
		   "and no slot of whose owner counts are still there, by listener or not");
	(void)plan_indexes_account(indexes, 1001, slot, &account);
	tap_is_int(account, limit.account, "the ENI's account has its number, on which open flows hold");
	(void)plan_indexes_account(indexes, 1002, last + 1, &account);
	tap_is_int(account, limit.account + 1, "and a new account another one");
	plan_indexes_free(indexes);
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
}

/* Sends, not in an open flow, until so many more packets have come to this end. */
static bool come_to(struct world *world, const char *end, unsigned int times)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(700),
				      .sin_addr.s_addr = htonl(netaddr_to_v4(&world->instances[1].addr))};
	_cleanup_(closep) int out = open_in(&world->instances[0], 702);
	uint64_t until = counter(world, end) + times;

	for (int i = 0; i < 200 && counter(world, end) < until; i++) {
		(void)sendto(out, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
		(void)usleep(10000);
	}
	return counter(world, end) >= until;
}

/* Two objects have one address: it leads to the one, and then to the other, and nothing else changes. (What
 * is remembered of the ENI is so on one CPU.) */
static void test_moved_place(struct world *world)
{
	struct plan_port *receiver = &world->instances[1];
	struct plan_eni eni = {.slot = 40, .value = {.number = 0x77, .vpc = VPC, .addr = receiver->row.addr}};
	struct pl_place *place = &world->places[1].value, port = *place;
	cpu_set_t before, one;

	(void)sched_getaffinity(0, sizeof(before), &before);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
	world->plan.enis = &eni;
	world->plan.n_enis = 1;
	*place = (struct pl_place){.kind = PL_PLACE_ENI, .id = eni.slot};
	tap_is_int(sync_world(world, false), 0, "an address leads to an ENI");
	tap_ok(come_to(world, "eni_not_connected", 2), "which refuses, and that is remembered");
	*place = port;
	tap_is_int(sync_world(world, false), 0, "it leads to a port again");
	tap_ok(come_to(world, "delivered", 1), "and packets reach it");
	world->plan.n_enis = 0;
	(void)sync_world(world, false);
	(void)sched_setaffinity(0, sizeof(before), &before);
}

static void test_restart(struct world *world)
{
	struct plan_indexes *indexes;
	uint64_t flows = flow_count(world), delivered = counter(world, "delivered");

	stop_agent(world);
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "with no agent, packets flow");
	tap_is_int(start_agent(world), 0, "another agent takes over");
	tap_ok(flow_count(world) >= flows && flows > 0, "it has the open flows");
	tap_ok(counter(world, "delivered") > delivered, "and the counters");
	tap_ok(arrives(&world->instances[0], &world->instances[1]),
	       "its program is in force, and packets flow");

	(void)plan_indexes_new(&indexes);
	tap_is_int(datapath_adopt_indexes(world->datapath, indexes), 0, "it takes over the slots");
	tap_is_int(plan_indexes_adopt_slot(indexes, world->instances[1].number, 99), -EEXIST,
		   "an instance's slot is the one it had");
	plan_indexes_free(indexes);
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass over what is there goes well");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "and packets flow");
}

/* What the agent before left undone: it said that a rise is due and did not come to it. */
static void test_due_rise(struct world *world)
{
	uint32_t slot = world->instances[1].slot, before = generation_of(slot);
	struct pl_generation row = {};

	tap_ok(before > 0, "the slot has a generation that a new agent has to go on from");
	stop_agent(world);
	access_row("pl_generations", &slot, &row, false);
	row.due++;
	access_row("pl_generations", &slot, &row, true);
	tap_is_int(start_agent(world), 0, "an agent takes over in the middle of a change");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "its first pass goes well");
	tap_is_int(generation_of(slot), before + 1, "and raises the generation that was due");
	tap_is_int(sync_world(world, true), 0, "another pass");
	tap_is_int(generation_of(slot), before + 1, "raises nothing");
	world->rule.service_first = 1;
	tap_is_int(sync_world(world, false), 0, "a changed rule");
	tap_is_int(generation_of(slot), before + 2, "raises it again");
	world->rule.service_first = 0;
	(void)sync_world(world, false);
}

static bool is_limited(const struct plan_port *port)
{
	struct pl_limit row = {};

	access_row("pl_limits", &port->slot, &row, false);
	return memcmp(&row, &port->limit, sizeof(row)) == 0;
}

/* What is allowed follows the plan, and what is spent is the program's: neither a sync nor another agent
 * touches it. */
static void test_rates(struct world *world)
{
	struct plan_port *port = &world->instances[0];
	struct pl_buckets spent = {.dns_at = 7}, now = {};

	port->limit = (struct pl_limit){.open_ns = 20000, .dns_ns = 1000000};
	tap_is_int(sync_world(world, false), 0, "a port gets limits");
	tap_ok(is_limited(port), "they are in force");
	tap_ok(arrives(port, &world->instances[1]), "and packets flow");
	access_row("pl_buckets", &port->slot, &spent, true);
	port->limit.dns_ns = 2000000;
	tap_is_int(sync_world(world, false), 0, "another limit");
	tap_ok(is_limited(port), "is in force");
	stop_agent(world);
	tap_is_int(start_agent(world), 0, "another agent takes over");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	access_row("pl_buckets", &port->slot, &now, false);
	tap_ok(memcmp(&now, &spent, sizeof(now)) == 0, "what the port has spent stays spent");
	port->limit = (struct pl_limit){};
	(void)sync_world(world, false);
	tap_ok(is_limited(port), "without a limit there is none");
}

static void remove_device(struct world *world, const char *device)
{
	struct rtnl_link link = {};
	struct rtnl *rtnl;

	(void)rtnl_open(-1, &rtnl);
	if (rtnl_link_get(rtnl, device, &link) == 0)
		(void)rtnl_link_remove(rtnl, link.ifindex);
	rtnl_free(rtnl);
	tap_is_int(ports_forget_link(world->ports, link.ifindex), PORT_LINK_INSTANCE,
		   "a removed device is known as a port's");
}

static void test_lost_device(struct world *world)
{
	tap_ok(arrives(&world->instances[1], &world->instances[0]), "a flow towards a device is open");
	remove_device(world, "pl21");
	tap_is_int(sync_world(world, false), 0, "it is made again");
	tap_is_int(datapath_sweep_links(world->datapath), 0, "links of lost devices are removed");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "and packets flow from it");
	tap_ok(arrives(&world->instances[1], &world->instances[0]), "and to it");
}

/* Connections with PROXY headers. */
static size_t count_proxied(void)
{
	_cleanup_(closep) int fd = open_pin("pl_proxied");
	struct pl_flow4_key key, *at = NULL;
	size_t n = 0;

	for (; bpf_map_get_next_key(fd, at, &key) == 0; n++)
		at = &key;
	return n;
}

static int collect_row(void *context, const void *key, const void *value)
{
	return rowset_append(context, key, value);
}

/* Waits until the timer has ended all but so many rows. */
static bool comes_down_to(uint64_t rows)
{
	for (int i = 0; i < 600; i++) {
		if (flow_count_pinned() <= rows)
			break;
		(void)usleep(50000);
	}
	return flow_count_pinned() == rows;
}

static void test_idle(struct world *world)
{
	uint64_t before = flow_count(world), ended = 0;
	uint32_t now = newest_seen();

	stop_agent(world);
	put_flow(1001, now, PL_IDLE_TCP_ESTABLISHED + 60);
	put_flow(1002, now, 1);
	put_flow(1003, now, 1);
	tap_ok(comes_down_to(before + 4),
	       "without an agent the flow ends whose opener was idle, and no other");
	tap_is_int((long long)count_proxied(), 2, "and with it what was kept of its PROXY header");
	tap_is_int(start_agent(world), 0, "an agent comes back");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "and makes a full pass");
	tap_is_int((long long)(flow_count(world) - before), 4, "it counts the flows that are left");
	tap_is_int(read_flows(world, &ended), 0, "a round over all of them");
	tap_is_int((long long)ended, 0, "ends none");
	put_flow(1004, now, PL_IDLE_TCP_ESTABLISHED + 60);
	tap_ok(comes_down_to(before + 4), "the timer goes on");
}

struct reading {
	uint32_t slot;
	struct datapath_tally tally;
	bool is_there;
};

static void take_reading(void *context, uint32_t slot, const struct datapath_tally *tally)
{
	struct reading *reading = context;

	if (slot != reading->slot)
		return;
	reading->tally = *tally;
	reading->is_there = true;
}

/* What the flows of a slot come to after a round over them. */
static struct reading read_slot(struct world *world, uint32_t slot)
{
	struct reading reading = {.slot = slot};
	uint64_t deleted;

	if (read_flows(world, &deleted) == 0)
		datapath_tallies(world->datapath, take_reading, &reading);
	return reading;
}

static void count_in(const char *table, uint32_t slot, uint32_t what, uint64_t packets)
{
	struct pl_tally_key key = {.slot = slot, .what = what};
	struct pl_count count = {packets, 100 * packets};
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, table);
	fd = bpf_obj_get(path);
	(void)bpf_map_update_elem(fd, &key, &count, BPF_ANY);
}

static void count_by_slot(uint32_t slot, uint32_t what, uint64_t packets)
{
	count_in("pl_tallies", slot, what, packets);
}

static void add_packets(void *context, struct pl_flow4 *flow)
{
	(void)context;
	flow->packets += 10;
	flow->bytes += 1000;
}

/* Changes the rows of translated flows. */
static void change_flows(void (*change)(void *context, struct pl_flow4 *flow), void *context)
{
	struct rowset rows = rowset_make(sizeof(struct pl_flow4_key), sizeof(struct pl_flow4));
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_flows4", pins);
	fd = bpf_obj_get(path);
	(void)table_walk(fd, collect_row, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		struct pl_flow4 flow;

		memcpy(&flow, rowset_value(&rows, i), sizeof(flow));
		if (flow.kind != PL_FLOW_NAT && flow.kind != PL_FLOW_NAT_BACK)
			continue;
		change(context, &flow);
		(void)bpf_map_update_elem(fd, rowset_key(&rows, i), &flow, BPF_EXIST);
	}
	rowset_done(&rows);
}

static void age(void *context, struct pl_flow4 *flow)
{
	(void)context;
	flow->seen -= 2 * PL_IDLE_TCP_ESTABLISHED * pl_kernel_hz();
}

/* The timer is to look at all tokens again. */
static void hurry_tokens(uint32_t now)
{
	for (uint32_t index = TOKEN_FIRST; index < next_token; index++) {
		struct pl_token token = {};

		access_row("pl_tokens", &index, &token, false);
		if ((token.word >> PL_TOKEN_PHASE & 3) != PL_PHASE_OPEN)
			continue;
		token.word = token.word >> 32 << 32 | now;
		access_row("pl_tokens", &index, &token, true);
	}
}

/* What flows have counted stays counted when they end, and goes with the slot's owner. */
static void test_tallies(struct world *world)
{
	struct reading first = read_slot(world, 16), second;
	uint64_t before = flow_count(world);
	uint32_t now = newest_seen();

	tap_ok(first.is_there && first.tally.open == 2 && first.tally.packets[DATAPATH_IN] == 0,
	       "a round counts the open flows of a slot");
	change_flows(add_packets, NULL);
	count_by_slot(16, PL_TALLY_OPENED, 2);
	count_by_slot(16, PL_TALLY_ENDED, 3);
	count_by_slot(16, PL_DROP_POLICY_IN, 4);
	count_by_slot(16, PL_DROP_POLICY_IN | PL_TALLY_OUT, 1);
	count_by_slot(16, 60, 1);
	second = read_slot(world, 16);
	tap_is_int((long long)second.tally.packets[DATAPATH_IN], 23, "the packets that they have counted, …");
	tap_is_int((long long)second.tally.bytes[DATAPATH_IN], 2300, "the bytes, …");
	tap_is_int((long long)second.tally.packets[DATAPATH_OUT], 20, "in each direction, …");
	tap_ok(second.tally.opened == 2 && second.tally.drops[PL_DROP_POLICY_IN] == 5 &&
		       second.tally.dropped_packets[DATAPATH_IN] == 5 &&
		       second.tally.dropped_packets[DATAPATH_OUT] == 1,
	       "and what the program counts by slot");
	tap_ok(streq(datapath_drop_name(PL_DROP_POLICY_IN), "policy_in") &&
		       !datapath_drop_name(PL_DELIVERED) && !datapath_drop_name(60),
	       "a reason to drop has a name, others have none");
	change_flows(age, NULL);
	hurry_tokens(now);
	tap_ok(comes_down_to(before - 4), "they end");
	second = read_slot(world, 16);
	tap_ok(second.tally.open == 0 && second.tally.packets[DATAPATH_IN] == 23 &&
		       second.tally.bytes[DATAPATH_OUT] == 2000,
	       "what flows have counted stays when they have ended");
	count_in("pl_slot_tallies", 16, PL_TALLY_ENDED, 5);
	second = read_slot(world, 16);
	tap_is_int((long long)second.tally.packets[DATAPATH_IN], 28,
		   "what there was no other room for is theirs, too");
	count_by_slot(40, PL_TALLY_OPENED, 1);
	count_in("pl_slot_tallies", 40, PL_TALLY_ENDED, 1);
	(void)read_slot(world, 40);
	tap_ok(!read_slot(world, 40).is_there, "of a slot that nobody has nothing stays");
}

static void test_sweep(struct world *world)
{
	uint64_t deleted = 0;

	tap_is_int(read_flows(world, &deleted), 0, "a round over all flows");
	tap_is_int((long long)deleted, 0, "leaves those alone whose ports are there");
	test_idle(world);
	test_tallies(world);
	world->plan.n_ports = world->plan.n_places = world->plan.n_security_groups = 1;
	tap_is_int(sync_world(world, false), 0, "an instance goes");
	tap_ok(ports_remove_others(world->ports, &world->plan, false) > 0, "its device is removed");
	tap_is_int(read_flows(world, &deleted), 0, "the next round");
	tap_ok(deleted > 0 && flow_count(world) == 0 && flow_count_pinned() == 0, "ends its flows");
}

/* Places of a VPC that no one looks at, more than the table holds together with the instances' own. They come
 * first in the plan. */
static struct plan_place *many_places(const struct world *world, uint32_t first_addr)
{
	struct plan_place *places = calloc(PL_PLACES_MAX + 1, sizeof(*places));

	for (uint32_t i = 0; places && i < PL_PLACES_MAX - 1; i++) {
		struct netaddr addr = netaddr_v4(first_addr + i);

		places[i].key.vpc = VPC + 9;
		memcpy(&places[i].key.addr, &addr, sizeof(places[i].key.addr));
		places[i].value = (struct pl_place){.kind = PL_PLACE_PORT, .id = 17};
	}
	if (places)
		memcpy(&places[PL_PLACES_MAX - 1], world->places, sizeof(world->places));
	return places;
}

static int sync_naming(struct world *world, char ret_key[KEY_SIZE])
{
	struct failures failures = {};
	int r = datapath_sync(world->datapath, &world->plan, ports_node_port(world->ports), false, &failures);

	(void)str_copy(ret_key, KEY_SIZE, failures.n ? failures.items[0].key : "");
	failures_clear(&failures);
	return r;
}

/* One object more than a table holds is named, and all others go on. */
static void test_full_table(struct world *world)
{
	_cleanup_(freep) struct plan_place *first = many_places(world, 1u << 28), *second = NULL;
	char key[KEY_SIZE], wanted_key[KEY_SIZE];

	second = many_places(world, 2u << 28);
	(void)str_format(wanted_key, sizeof(wanted_key), "instance/%s", world->instances[1].instance);
	world->plan.places = first;
	world->plan.n_places = PL_PLACES_MAX + 1;
	tap_is_int(sync_naming(world, key), 0, "a plan with more places than there is room for goes well");
	tap_is_str(key, wanted_key, "and names whose place is left out");
	tap_ok(arrives(&world->instances[0], &world->instances[1]) &&
		       arrives(&world->instances[1], &world->instances[0]),
	       "what was there before still works");
	world->plan.places = second;
	world->plan.n_places = PL_PLACES_MAX - 2;
	tap_is_int(sync_naming(world, key), 0,
		   "other places, for which there is room only without the old ones");
	tap_is_str(key, "", "all get it");
	world->plan.places = world->places;
	world->plan.n_places = 2;
	tap_is_int(sync_naming(world, key), 0, "back to few");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "and packets flow");
}

/* So are those of whom the addresses are that are no single object's: gateways, resolvers, translated ones.
 */
static void test_full_of_nameless(struct world *world)
{
	_cleanup_(freep) struct plan_place *places = many_places(world, 1u << 28);
	struct plan_vpc vpcs[] = {{.number = VPC, .id = "vpc-here"}, {.number = VPC + 9, .id = "vpc-large"}};
	struct plan_probe probe = {.backend = 3, .group = "sgp-probed"};
	char key[KEY_SIZE];

	if (!places)
		return;
	for (uint32_t i = 0; i < PL_PLACES_MAX - 1; i++)
		places[i].value.kind = i % 2 ? PL_PLACE_NAT : PL_PLACE_DNS;
	places[PL_PLACES_MAX - 2].value = (struct pl_place){.kind = PL_PLACE_PROBE, .id = 3};
	places[PL_PLACES_MAX - 2].key.vpc = PL_VPC_NODES;
	world->plan.places = places;
	world->plan.n_places = PL_PLACES_MAX + 1;
	world->plan.vpcs = vpcs;
	world->plan.n_vpcs = 2;
	world->plan.probes = &probe;
	world->plan.n_probes = 1;
	tap_is_int(sync_naming(world, key), 0, "more addresses of probes than there is room for");
	tap_is_str(key, "server_group/sgp-probed", "name the group as failed");
	places[PL_PLACES_MAX - 2] = places[PL_PLACES_MAX - 3];
	places[PL_PLACES_MAX - 2].key.addr.w[0] = 1;
	tap_is_int(sync_naming(world, key), 0, "more addresses of a VPC than there is room for");
	tap_is_str(key, "vpc/vpc-large", "name it as failed");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "and what was there works");
	world->plan.places = world->places;
	world->plan.n_places = 2;
	tap_is_int(sync_naming(world, key), 0, "with room again all is well");
	tap_is_str(key, "", "and nothing is named");
}

/* From now on every write to the table fails, until it is made anew. */
static void break_table(const char *map)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, map);
	fd = bpf_obj_get(path);
	tap_ok(fd >= 0 && bpf_map_freeze(fd) == 0, "%s takes no more rows", map);
}

/* Flows of a new slot are open as soon as its rows are there, and so before the sync has succeeded. */
static void test_broken_sync(struct world *world)
{
	uint64_t deleted = 0;
	uint32_t now = newest_seen();

	world->plan.n_ports = world->plan.n_places = world->plan.n_security_groups = 1;
	tap_is_int(sync_world(world, false), 0, "an instance goes");
	(void)read_flows(world, &deleted);
	tap_is_int((long long)flow_count(world), 0, "and its flows with it");
	break_table("pl_places");
	world->plan.n_ports = world->plan.n_places = world->plan.n_security_groups = 2;
	tap_ok(sync_world(world, false) < 0, "its return breaks off after its port is in force");
	put_flow(1005, now, 1);
	tap_is_int(read_flows(world, &deleted), 0, "a round");
	tap_is_int((long long)deleted, 0, "leaves the port's flows alone");
}

/* A change of a port that breaks off must leave word that a rise of its slot's generation is due. */
static void test_broken_port(struct world *world)
{
	uint32_t slot = world->instances[0].slot, before = generation_of(slot);
	struct pl_generation row = {};

	remove_device(world, "pl21");
	break_table("pl_ports");
	tap_ok(sync_world(world, false) < 0, "a new device of a port cannot be put in force");
	access_row("pl_generations", &slot, &row, false);
	tap_is_int(row.now, before, "the slot's generation has not risen");
	tap_is_int(row.due, before + 1, "but it says that it is due");
}

int main(int argc, char **argv)
{
	struct world world = {};

	if (!begin(&world, argc, argv))
		return tap_done();
	test_delivery(&world);
	if (world.datapath && world.ports) {
		test_moved_place(&world);
		test_restart(&world);
		test_numbers(&world);
		test_due_rise(&world);
		test_rates(&world);
		test_lost_device(&world);
		test_sweep(&world);
		world.plan.n_ports = world.plan.n_places = world.plan.n_security_groups = 2;
		(void)sync_world(&world, false);
		test_full_table(&world);
		test_full_of_nameless(&world);
		test_broken_sync(&world);
		test_broken_port(&world);
		test_remove(&world);
	}
	return tap_done();
}
