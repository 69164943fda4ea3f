/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data path's tables and programs on the running kernel: two instances in one VPC, a plan made by hand,
 * an agent that comes and goes. In a network namespace and under pins of the test's own.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/pl_reasons.h"
#include "bpf/pl_sweep.h"
#include "datapath/datapath.h"
#include "datapath/table.h"
#include "lib/log.h"
#include "lib/netns_socket.h"
#include "ports/netns.h"
#include "ports/ports.h"
#include "tests/tap.h"

#define VPC   5
#define BPFFS "/sys/fs/bpf/privlink-test"

static char node[32], pins[128];

struct world {
	struct datapath *datapath;
	struct ports *ports;
	struct plan_port instances[2];
	struct plan_place places[2];
	struct plan_security_group groups[2]; /* of each instance */
	struct group_rule rule;
	struct plan plan;
	enum attach_mode mode;
	bool is_cut_short; /* the agent does not come to put new tables in force */
};

static struct plan_port make_port(uint32_t number, uint32_t slot)
{
	struct plan_port port = {.number = number,
				 .slot = slot,
				 .kind = INSTANCE_NETNS,
				 .prefix_length = 24,
				 .mtu = 1500,
				 .up = true};

	(void)str_format(port.instance, sizeof(port.instance), "i-%ud%u", (unsigned int)getpid(), number);
	(void)str_copy(port.device, sizeof(port.device), "eth0");
	port.mac = (struct mac){{0x02, 0, 0, 0, 1, (uint8_t)number}};
	port.addr = netaddr_v4(0x0a000000 | number);
	(void)netaddr_parse("10.0.0.253", &port.gateway);
	port.row.number = number;
	port.row.vpc = VPC;
	port.row.delivery = PL_PORT_VETH;
	port.row.mtu = 1500;
	memcpy(&port.row.addr, &port.addr, sizeof(port.row.addr));
	memcpy(port.row.mac, port.mac.bytes, sizeof(port.row.mac));
	return port;
}

static void fill_plan(struct world *world)
{
	world->rule = (struct group_rule){.rank = PL_RANK(1, true)};
	group_rule_set_service(&world->rule, 0, 0, UINT16_MAX);
	group_rule_set_prefix(&world->rule, 0, 0);
	for (uint32_t i = 0; i < 2; i++) {
		world->instances[i] = make_port(0x21 + i, 16 + i);
		world->places[i].key.vpc = VPC;
		world->places[i].key.addr = world->instances[i].row.addr;
		world->places[i].value = (struct pl_place){.kind = PL_PLACE_PORT, .id = 16 + i};
		world->groups[i] = (struct plan_security_group){
			.number = 1 + i, .rules = {&world->rule}, .n_rules = {1}};
		(void)str_format(world->groups[i].id, sizeof(world->groups[i].id), "sg-%u", i);
		world->instances[i].set = (struct pl_set){.group = {1 + i},
							  .member = pl_group_bit(1 + i),
							  .silent = {PL_RANK_REFUSE, PL_RANK_ALLOW},
							  .count = 1};
	}
	world->plan = (struct plan){
		.ports = world->instances,
		.n_ports = 2,
		.places = world->places,
		.n_places = 2,
		.security_groups = world->groups,
		.n_security_groups = 2,
	};
}

static int sync_world(struct world *world, bool full)
{
	struct failures failures = {};
	int r = ports_sync(world->ports, &world->plan, full, &failures);

	for (size_t i = 0; i < 2; i++)
		world->instances[i].row.ifindex = ports_ifindex(world->ports, world->instances[i].number);
	if (r >= 0)
		r = datapath_sync(world->datapath, &world->plan, ports_node_port(world->ports), full,
				  &failures);
	if (r == 0 && !world->is_cut_short)
		r = datapath_take_over(world->datapath);
	if (r == 0 && failures.n) {
		tap_note("%s: %s", failures.items[0].key, failures.items[0].reason);
		r = -EIO;
	}
	failures_clear(&failures);
	return r;
}

static int start_agent(struct world *world)
{
	const struct datapath_options options = {.bpffs = BPFFS, .node = node, .attach = world->mode};
	int r = datapath_open(&options, &world->datapath);
	const struct ports_options ports = {.node = node,
					    .programs = {datapath_attach, datapath_check, world->datapath}};

	return r < 0 ? r : ports_new(&ports, &world->ports);
}

static void stop_agent(struct world *world)
{
	world->ports = ports_free(world->ports);
	world->datapath = datapath_free(world->datapath);
}

/* Sends a datagram from one instance to the other; whether it arrives. */
static int open_in(const struct plan_port *port, uint16_t l4_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(l4_port)};
	_cleanup_(closep) int netns = netns_open(port->instance), fd = -EBADF;

	fd = netns < 0 ? netns : netns_socket(netns, AF_INET, SOCK_DGRAM);
	if (fd < 0)
		return fd;
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : TAKE_FD(fd);
}

static bool arrives(const struct plan_port *from, const struct plan_port *to)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(700),
				      .sin_addr.s_addr = htonl(netaddr_to_v4(&to->addr))};
	_cleanup_(closep) int in = open_in(to, 700), out = open_in(from, 701);
	struct pollfd poll_in = {.fd = in, .events = POLLIN};

	if (in < 0 || out < 0 || sendto(out, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)) != 1)
		return false;
	/* The first one may wait for ARP, which the data path answers at once; an emulated processor takes
	 * longer. */
	return poll(&poll_in, 1, getenv("PRIVLINK_KERNEL_LAYER") ? 10000 : 1000) == 1;
}

static uint64_t counter(struct world *world, const char *name)
{
	_cleanup_(freep) struct datapath_counter *counters = NULL;
	size_t n;

	if (datapath_counters(world->datapath, &counters, &n) == 0)
		for (size_t i = 0; i < n; i++)
			if (streq(counters[i].name, name))
				return counters[i].packets;
	return UINT64_MAX;
}

static uint64_t flow_count(struct world *world)
{
	uint64_t count = UINT64_MAX;

	(void)datapath_flow_count(world->datapath, &count);
	return count;
}

static int count_row(void *context, const void *key, const void *value)
{
	(void)key;
	(void)value;
	(*(uint64_t *)context)++;
	return 0;
}

/* What is in the pinned table, without an agent. */
static uint64_t flow_count_pinned(void)
{
	_cleanup_(closep) int fd = -EBADF;
	uint64_t count = 0;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_flows4", pins);
	fd = bpf_obj_get(path);
	(void)table_walk(fd, count_row, &count);
	return count;
}

/* A row of a pinned table, read or written. */
static void access_row(const char *map, const void *key, void *value, bool write)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, map);
	fd = bpf_obj_get(path);
	if (fd < 0 ||
	    (write ? bpf_map_update_elem(fd, key, value, BPF_ANY) : bpf_map_lookup_elem(fd, key, value)) < 0)
		tap_ok(false, "a row of %s can be reached", map);
}

static uint32_t generation_of(uint32_t slot)
{
	struct pl_generation generation = {};

	access_row("pl_generations", &slot, &generation, false);
	return generation.now;
}

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
	tap_ok(ports_forget_link(world->ports, link.ifindex), "a removed device is known as a port's");
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

static int open_pin(const char *name)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, name);
	return bpf_obj_get(path);
}

/* Tokens that the program does not come to. */
#define TOKEN_FIRST 100000
static uint32_t next_token = TOKEN_FIRST;

static uint32_t take_token(const struct pl_flow4_key *key, uint32_t due)
{
	struct pl_token token = {
		.word = (uint64_t)PL_PHASE_OPEN << PL_TOKEN_PHASE | due, .key = *key, .owner = 16};
	uint32_t index = next_token++, zero = 0;
	struct pl_owner owner = {};
	struct pl_uses uses = {};

	access_row("pl_uses", &zero, &uses, false);
	uses.used[PL_RANGE_TENANTS]++;
	access_row("pl_uses", &zero, &uses, true);
	access_row("pl_owners", &token.owner, &owner, false);
	owner.flows[PL_RANGE_TENANTS]++;
	access_row("pl_owners", &token.owner, &owner, true);
	access_row("pl_tokens", &index, &token, true);
	return index;
}

/* Puts a translated flow into the table: both entries and a token, the opener last seen so many seconds ago.
 */
static void put_flow(uint16_t client_port, uint32_t now, uint32_t ago_s)
{
	struct pl_flow4_key key = {
		.saddr = htonl(0x0a000021),
		.daddr = htonl(0x0a000032),
		.sport = htons(client_port),
		.dport = htons(443),
		.vpc_proto = VPC << 8 | IPPROTO_TCP,
	};
	struct pl_flow4 flow = {
		.saddr = htonl(0x64400010),
		.daddr = htonl(0x0a000022),
		.sport = htons(client_port),
		.dport = htons(443),
		.kind = PL_FLOW_NAT,
		.state = PL_STATE_ANSWERED | PL_STATE_ESTABLISHED,
		.slot = 16,
		.peer = 17,
		.partner_vpc = VPC + 1,
		.seen = now - ago_s * pl_kernel_hz(),
		.proxy = PL_PROXY_ON << PL_PROXY_PARTS_SHIFT | PL_PROXY_DONE,
		.token = next_token,
	};
	struct pl_flow4_key back_key = pl_flow4_partner(&key, &flow);
	struct pl_proxied proxied = {.tag = pl_flow_tag(&key)};
	struct pl_flow4 back = flow;
	_cleanup_(closep) int fd = open_pin("pl_flows4"), proxied_fd = open_pin("pl_proxied");

	flow.tag = pl_flow_tag(&key);
	back.saddr = key.daddr;
	back.daddr = key.saddr;
	back.sport = key.dport;
	back.dport = key.sport;
	back.kind = PL_FLOW_NAT_BACK;
	back.peer = 16;
	back.partner_vpc = VPC;
	back.seen = now;
	back.tag = pl_flow_tag(&back_key);
	(void)bpf_map_update_elem(fd, &back_key, &back, BPF_ANY);
	(void)bpf_map_update_elem(proxied_fd, &key, &proxied, BPF_ANY);
	(void)bpf_map_update_elem(fd, &key, &flow, BPF_ANY);
	(void)take_token(&key, now);
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

/* A whole round over all flows; 0 or a negative error. */
static int read_flows(struct world *world, uint64_t *ret_ended)
{
	int r;

	do
		r = datapath_read_flows(world->datapath, ret_ended);
	while (r > 0);
	return r;
}

static int newest(void *context, const void *key, const void *value)
{
	uint32_t *now = context;
	struct pl_flow4 flow;

	(void)key;
	memcpy(&flow, value, sizeof(flow));
	if ((int32_t)(flow.seen - *now) > 0 || !*now)
		*now = flow.seen;
	return 0;
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

static uint32_t newest_seen(void)
{
	_cleanup_(closep) int fd = open_pin("pl_flows4");
	uint32_t now = 0;

	(void)table_walk(fd, newest, &now);
	return now;
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

static void count_by_slot(uint32_t slot, uint32_t what, uint64_t packets)
{
	struct pl_tally_key key = {.slot = slot, .what = what};
	struct pl_count count = {packets, 100 * packets};
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_tallies", pins);
	fd = bpf_obj_get(path);
	(void)bpf_map_update_elem(fd, &key, &count, BPF_ANY);
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
	count_by_slot(40, PL_TALLY_OPENED, 1);
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

/* Counters of more reasons than this program has, as after a downgrade, in place of the pinned ones; or of
 * fewer. */
static void pin_counters(int n_more)
{
	char path[256];
	int fd;

	(void)str_format(path, sizeof(path), "%s/pl_reasons", pins);
	(void)unlink(path);
	fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "pl_reasons", sizeof(uint32_t),
			    sizeof(struct pl_count), (uint32_t)(PL_REASON_MAX + n_more), NULL);
	if (fd < 0 || bpf_obj_pin(fd, path) < 0)
		exit(EXIT_FAILURE);
	(void)close(fd);
}

static void test_other_reasons(struct world *world)
{
	static const int more[] = {1, -1};

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		uint64_t flows = flow_count(world);

		stop_agent(world);
		pin_counters(more[i]);
		tap_is_int(start_agent(world), 0, "an agent whose reasons are %s takes over",
			   more[i] > 0 ? "fewer" : "more");
		tap_ok(flows > 0 && flow_count(world) >= flows, "it has the open flows");
		tap_is_int((long long)counter(world, "delivered"), 0, "its counters begin anew");
		tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
		tap_ok(counter(world, "delivered") > 0, "and are counted");
		(void)ports_sync_node_port(world->ports);
		tap_is_int(sync_world(world, true), 0, "a full pass goes well");
		tap_ok(flow_count(world) >= flows, "and costs no flow");
	}
}

/* Configuration of another layout. */

static bool is_there(const char *name)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, name);
	return access(path, F_OK) == 0;
}

static void set_other_version(void)
{
	struct pl_config config;
	uint32_t zero = 0;

	access_row("pl_config", &zero, &config, false);
	config.abi_version++;
	access_row("pl_config", &zero, &config, true);
}

/* The maps that the guard of the first instance's device has: a guard of a tap reads the ports' table. */
struct guard_maps {
	uint32_t ids[ATTACH_MAPS_MAX];
	size_t n;
};

static struct guard_maps guard_maps(const struct world *world)
{
	struct guard_maps maps = {};

	tap_is_int(attach_find_maps(world->instances[0].row.ifindex, maps.ids, &maps.n), 0,
		   "a port has a guard");
	return maps;
}

static bool has_same_guard(const struct world *world, const struct guard_maps *before)
{
	struct guard_maps now = guard_maps(world);

	return now.n == before->n && memcmp(now.ids, before->ids, now.n * sizeof(*now.ids)) == 0;
}

/* A map that programs of before had. */
static void pin_former(void)
{
	_cleanup_(closep) int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pl_rules", 4, 24, 1, NULL);
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_rules", pins);
	tap_ok(fd >= 0 && bpf_obj_pin(fd, path) == 0, "a map that nobody has any more is pinned");
}

static void test_other_layout(struct world *world)
{
	struct guard_maps guard;
	uint64_t flows;
	uint32_t generation;
	struct plan_indexes *indexes;

	world->plan.n_ports = world->plan.n_places = world->plan.n_security_groups = 2;
	(void)sync_world(world, false);
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "both instances are back");
	stop_agent(world);
	set_other_version();
	guard = guard_maps(world);
	flows = flow_count_pinned();
	generation = generation_of(16);
	pin_former();
	tap_is_int(start_agent(world), 0, "an agent finds tables of another layout");
	tap_ok(is_there("next/pl_ports"), "it makes its own beside them");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "those in force go on");
	(void)plan_indexes_new(&indexes);
	(void)datapath_adopt_indexes(world->datapath, indexes);
	tap_is_int(plan_indexes_adopt_slot(indexes, world->instances[1].number, 99), -EEXIST,
		   "an instance's slot is the one that it has there");
	plan_indexes_free(indexes);

	world->is_cut_short = true;
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass fills the new tables");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "those in force still go on");
	tap_is_int(generation_of(16), generation, "and have no other generations");
	tap_ok(has_same_guard(world, &guard), "it is the one of the tables in force");
	stop_agent(world);
	world->is_cut_short = false;
	tap_is_int(start_agent(world), 0, "it is killed before they are in force; the next begins anew");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
	tap_ok(!is_there("next"), "brings the new tables to the old ones' places");
	tap_ok(!is_there("pl_rules"), "what no program has any more is gone");
	tap_ok(!has_same_guard(world, &guard), "it is the one of the new tables");
	tap_ok(generation_of(16) > generation, "generations go on from the old ones, and have risen");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow by the new tables");
	tap_ok(flows > 0 && flow_count(world) >= flows, "no flow was lost");
}

/* A map of that kind that no program uses, pinned. */
static void pin_stray(const char *name, uint32_t key_size, uint32_t value_size)
{
	char path[256];
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "stray", key_size, value_size, 4, NULL);

	(void)str_format(path, sizeof(path), "%s/%s", pins, name);
	(void)unlink(path);
	tap_ok(fd >= 0 && bpf_obj_pin(fd, path) == 0, "a stray map is pinned at %s", name);
	(void)close(fd);
}

/* An agent was killed when its program was in force, and not all of its maps were in their places. */
static void test_half_moved(struct world *world)
{
	uint64_t flows = flow_count(world);
	uint32_t generation;
	char from[256], to[256];

	stop_agent(world);
	(void)str_format(from, sizeof(from), "%s/next", pins);
	(void)mkdir(from, 0700);
	(void)str_format(from, sizeof(from), "%s/pl_generations", pins);
	(void)str_format(to, sizeof(to), "%s/next/pl_generations", pins);
	generation = generation_of(16);
	tap_ok(rename(from, to) == 0, "a table of the running program has not come to its place yet");
	pin_stray("pl_generations", 4, 12);
	pin_stray("next/pl_places", 4, 4);
	tap_is_int(start_agent(world), 0, "the next agent starts");
	tap_ok(!is_there("next"), "and ends what was begun");
	tap_is_int(generation_of(16), generation, "what the program uses is in its place");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	tap_ok(flows > 0 && flow_count(world) >= flows, "no flow was lost");
}

/* Flow tables of another layout. */

#define MARK 1000000 /* packets of a row, by which it is known again */

struct copy {
	int fd;
	uint8_t row[256]; /* as the other layout has it; what it has more is not zero */
};

static int copy_flow(void *context, const void *key, const void *value)
{
	struct copy *copy = context;
	struct pl_flow4 flow;

	memcpy(&flow, value, sizeof(flow));
	flow.packets = MARK;
	memset(copy->row, 0xee, sizeof(copy->row));
	memcpy(copy->row, &flow, sizeof(flow));
	return bpf_map_update_elem(copy->fd, key, copy->row, BPF_ANY) < 0 ? -errno : 0;
}

/* In place of the pinned flow table one with rows of another size, and the same flows. */
static void pin_other_flows(uint32_t value_size)
{
	struct copy copy = {.fd = bpf_map_create(BPF_MAP_TYPE_HASH, "pl_flows4", sizeof(struct pl_flow4_key),
						 value_size, 1024, NULL)};
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_flows4", pins);
	fd = bpf_obj_get(path);
	tap_ok(table_walk(fd, copy_flow, &copy) == 0 && unlink(path) == 0 && bpf_obj_pin(copy.fd, path) == 0,
	       "the flow table is one with rows of %u bytes", value_size);
	(void)close(copy.fd);
}

static int count_marked(void *context, const void *key, const void *value)
{
	uint64_t *n = context;
	struct pl_flow4 flow;

	(void)key;
	memcpy(&flow, value, sizeof(flow));
	*n += flow.packets >= MARK;
	return 0;
}

static uint64_t marked_flows(const char *map)
{
	_cleanup_(closep) int fd = -EBADF;
	uint64_t n = 0;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, map);
	fd = bpf_obj_get(path);
	(void)table_walk(fd, count_marked, &n);
	return n;
}

/* A flow that no packet asks for. */
static void put_silent_flow(uint16_t client_port)
{
	put_flow(client_port, newest_seen(), 1);
}

static uint32_t epoch(void)
{
	struct pl_uses uses = {};
	uint32_t zero = 0;

	access_row("pl_uses", &zero, &uses, false);
	return uses.epoch;
}

static void test_other_flows(struct world *world)
{
	uint64_t flows, moved, deleted;
	uint32_t before = epoch();

	put_silent_flow(1010);
	flows = flow_count(world);
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 8);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with longer rows");
	tap_is_int((long long)flow_count(world), (long long)flows, "its flows are known");
	tap_is_int((long long)marked_flows("pl_flows4"), 0, "and are where they were");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	tap_ok(epoch() == before + 1, "new tokens give out other sources than the last ones");
	moved = marked_flows("pl_flows4");
	tap_ok(moved == 4 && marked_flows("pl_flows4_old") == flows - moved,
	       "and take their flows with them");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
	tap_is_int((long long)marked_flows("pl_flows4_old"), (long long)(flows - moved),
		   "moves no other flow");

	stop_agent(world);
	tap_is_int(start_agent(world), 0, "another agent of the same layout");
	tap_is_int((long long)flow_count(world), (long long)flows, "knows all flows, too");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	tap_is_int(read_flows(world, &deleted), 0, "a round");
	tap_is_int((long long)marked_flows("pl_flows4"), (long long)flows, "moves them all");
	tap_is_int(read_flows(world, &deleted), 0, "another one");
	tap_ok(!is_there("pl_flows4_old"), "lets go of the old table");
}

/* A third layout before the flows of the first have moved to the second. */
static void test_flows_twice(struct world *world)
{
	uint64_t flows, deleted;

	put_silent_flow(1011);
	flows = flow_count(world);
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 8);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with longer rows");
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 24);
	tap_is_int(start_agent(world), 0, "the next one a third, while the first has flows");
	tap_is_int((long long)flow_count(world), (long long)flows, "it has all of them");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	(void)read_flows(world, &deleted);
	(void)read_flows(world, &deleted);
	tap_is_int((long long)marked_flows("pl_flows4"), (long long)flows, "they all move");
	tap_ok(!is_there("pl_flows4_old"), "and nothing is left over");
}

/* As if so many tokens more (or fewer) were in use. */
static void use_tokens(int32_t n)
{
	struct pl_uses uses = {};
	uint32_t zero = 0;

	access_row("pl_uses", &zero, &uses, false);
	uses.used[PL_RANGE_TENANTS] += (uint32_t)n;
	access_row("pl_uses", &zero, &uses, true);
}

static void test_full_flows(struct world *world)
{
	uint64_t flows, deleted = 0;

	put_silent_flow(1012);
	flows = flow_count(world);
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 8);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with longer rows");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	use_tokens(PL_TOKENS_TENANTS);
	tap_is_int(read_flows(world, &deleted), 0, "a round without tokens for the flows");
	tap_ok(marked_flows("pl_flows4") < flows && is_there("pl_flows4_old"), "leaves them where they are");
	use_tokens(-PL_TOKENS_TENANTS);
	(void)read_flows(world, &deleted);
	tap_is_int((long long)marked_flows("pl_flows4"), (long long)flows, "the next one moves them");
	(void)read_flows(world, &deleted);
	tap_ok(!is_there("pl_flows4_old"), "and the old table goes");
}

/* Nobody can read flows whose keys are of another kind. */
static void test_unknown_flows(struct world *world)
{
	stop_agent(world);
	pin_stray("pl_flows4", 20, 80);
	log_set_level(LOG_LEVEL_ERROR);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with other keys");
	log_set_level(LOG_LEVEL_WARNING);
	tap_is_int((long long)flow_count(world), 0, "the flows are lost");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "new ones open");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
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

	for (uint32_t i = 0; i < PL_PLACES_MAX - 1; i++)
		first[i].value.kind = PL_PLACE_GATEWAY;
	world->plan.places = first;
	world->plan.n_places = PL_PLACES_MAX + 1;
	tap_is_int(sync_naming(world, key), -ENOSPC,
		   "a gateway without room is no success: no object stands for it");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "but what was there works");
	world->plan.places = world->places;
	world->plan.n_places = 2;
	tap_is_int(sync_naming(world, key), 0, "with room again all is well");
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

static void test_remove(struct world *world)
{
	const struct datapath_options options = {.bpffs = BPFFS, .node = node};

	tap_is_int(ports_remove_all(world->ports), 0, "all devices are removed");
	stop_agent(world);
	tap_is_int(datapath_remove_pins(&options), 0, "and all pins");
	tap_ok(access(pins, F_OK) < 0, "nothing is left");
}

int main(int argc, char **argv)
{
	struct world world = {};

	if (geteuid() != 0) {
		tap_skip("data path", "needs root");
		return tap_done();
	}
	if (argc > 1 && attach_mode_parse(argv[1], &world.mode) < 0)
		return EXIT_FAILURE;
	log_set_level(argc > 2 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
	(void)str_format(node, sizeof(node), "d%u", (unsigned int)getpid());
	(void)str_format(pins, sizeof(pins), BPFFS "/%s", node);
	if (unshare(CLONE_NEWNET) < 0) {
		tap_ok(false, "a namespace of the test's own");
		return tap_done();
	}
	fill_plan(&world);
	test_delivery(&world);
	if (world.datapath && world.ports) {
		test_restart(&world);
		test_other_reasons(&world);
		test_due_rise(&world);
		test_rates(&world);
		test_lost_device(&world);
		test_sweep(&world);
		test_other_layout(&world);
		test_half_moved(&world);
		test_other_flows(&world);
		test_flows_twice(&world);
		test_full_flows(&world);
		test_unknown_flows(&world);
		test_full_table(&world);
		test_broken_sync(&world);
		test_broken_port(&world);
		test_remove(&world);
	}
	return tap_done();
}
