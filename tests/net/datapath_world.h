/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small world of the data path's tests on the running kernel: two instances in one VPC, a plan made by
 * hand, an agent that comes and goes. In a network namespace and under pins of the test's own.
 */
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

_unused_ static struct plan_port make_port(uint32_t number, uint32_t slot)
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

_unused_ static void fill_plan(struct world *world)
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

_unused_ static int sync_world(struct world *world, bool full)
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

_unused_ static int start_agent(struct world *world)
{
	const struct datapath_options options = {.bpffs = BPFFS, .node = node, .attach = world->mode};
	int r = datapath_open(&options, &world->datapath);
	const struct ports_options ports = {
		.node = node,
		.programs = {datapath_attach, datapath_check, datapath_sweep_slot, world->datapath}};

	return r < 0 ? r : ports_new(&ports, &world->ports);
}

_unused_ static void stop_agent(struct world *world)
{
	world->ports = ports_free(world->ports);
	world->datapath = datapath_free(world->datapath);
}

/* Sends a datagram from one instance to the other; whether it arrives. */
_unused_ static int open_in(const struct plan_port *port, uint16_t l4_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(l4_port)};
	_cleanup_(closep) int netns = netns_open(port->instance), fd = -EBADF;

	fd = netns < 0 ? netns : netns_socket(netns, AF_INET, SOCK_DGRAM);
	if (fd < 0)
		return fd;
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : TAKE_FD(fd);
}

_unused_ static bool arrives(const struct plan_port *from, const struct plan_port *to)
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

_unused_ static uint64_t counter(struct world *world, const char *name)
{
	_cleanup_(freep) struct datapath_counter *counters = NULL;
	size_t n;

	if (datapath_counters(world->datapath, &counters, &n) == 0)
		for (size_t i = 0; i < n; i++)
			if (streq(counters[i].name, name))
				return counters[i].packets;
	return UINT64_MAX;
}

_unused_ static uint64_t flow_count(struct world *world)
{
	uint64_t count = UINT64_MAX;

	(void)datapath_flow_count(world->datapath, &count);
	return count;
}

_unused_ static int count_row(void *context, const void *key, const void *value)
{
	(void)key;
	(void)value;
	(*(uint64_t *)context)++;
	return 0;
}

/* What is in the pinned table, without an agent. */
_unused_ static uint64_t flow_count_pinned(void)
{
	_cleanup_(closep) int fd = -EBADF;
	uint64_t count = 0;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_flows4", pins);
	fd = bpf_obj_get(path);
	(void)table_walk(fd, count_row, &count);
	return count;
}

_unused_ static int open_pin(const char *name)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, name);
	return bpf_obj_get(path);
}

/* A row of a pinned table, read or written. */
_unused_ static void access_row(const char *map, const void *key, void *value, bool write)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, map);
	fd = bpf_obj_get(path);
	if (fd < 0 ||
	    (write ? bpf_map_update_elem(fd, key, value, BPF_ANY) : bpf_map_lookup_elem(fd, key, value)) < 0)
		tap_ok(false, "a row of %s can be reached", map);
}

_unused_ static uint32_t generation_of(uint32_t slot)
{
	struct pl_generation generation = {};

	access_row("pl_generations", &slot, &generation, false);
	return generation.now;
}

/* Tokens that the program does not come to. */
#define TOKEN_FIRST 100000
static uint32_t next_token = TOKEN_FIRST;

_unused_ static uint32_t take_token(const struct pl_flow4_key *key, uint32_t due)
{
	struct pl_token token = {
		.word = (uint64_t)PL_PHASE_OPEN << PL_TOKEN_PHASE | due, .key = *key, .owner = 16};
	uint32_t index = next_token++, zero = 0, account = pl_owner_of_account(0);
	struct pl_owner owner = {};
	struct pl_uses uses = {};

	access_row("pl_uses", &zero, &uses, false);
	uses.used[PL_RANGE_TENANTS]++;
	access_row("pl_uses", &zero, &uses, true);
	access_row("pl_owners", &token.owner, &owner, false);
	owner.flows[PL_RANGE_TENANTS]++;
	access_row("pl_owners", &token.owner, &owner, true);
	access_row("pl_owners", &account, &owner, false);
	owner.flows[PL_RANGE_TENANTS]++;
	access_row("pl_owners", &account, &owner, true);
	access_row("pl_tokens", &index, &token, true);
	return index;
}

/* Puts a translated flow into the table: both entries and a token, the opener last seen so many seconds ago.
 */
_unused_ static void put_flow(uint16_t client_port, uint32_t now, uint32_t ago_s)
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

/* A whole round over all flows; 0 or a negative error. */
_unused_ static int read_flows(struct world *world, uint64_t *ret_ended)
{
	int r;

	do
		r = datapath_read_flows(world->datapath, ret_ended);
	while (r > 0);
	return r;
}

_unused_ static int newest(void *context, const void *key, const void *value)
{
	uint32_t *now = context;
	struct pl_flow4 flow;

	(void)key;
	memcpy(&flow, value, sizeof(flow));
	if ((int32_t)(flow.seen - *now) > 0 || !*now)
		*now = flow.seen;
	return 0;
}

_unused_ static uint32_t newest_seen(void)
{
	_cleanup_(closep) int fd = open_pin("pl_flows4");
	uint32_t now = 0;

	(void)table_walk(fd, newest, &now);
	return now;
}

_unused_ static void test_remove(struct world *world)
{
	const struct datapath_options options = {.bpffs = BPFFS, .node = node};

	tap_is_int(ports_remove_all(world->ports), 0, "all devices are removed");
	stop_agent(world);
	tap_is_int(datapath_remove_pins(&options), 0, "and all pins");
	tap_ok(access(pins, F_OK) < 0, "nothing is left");
}

/* False: there is nothing to test here, which has been said. */
_unused_ static bool begin(struct world *world, int argc, char **argv)
{
	if (geteuid() != 0) {
		tap_skip("data path", "needs root");
		return false;
	}
	if (argc > 1 && attach_mode_parse(argv[1], &world->mode) < 0)
		exit(EXIT_FAILURE);
	log_set_level(argc > 2 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
	(void)str_format(node, sizeof(node), "d%u", (unsigned int)getpid());
	(void)str_format(pins, sizeof(pins), BPFFS "/%s", node);
	if (unshare(CLONE_NEWNET) < 0) {
		tap_ok(false, "a namespace of the test's own");
		return false;
	}
	fill_plan(world);
	return true;
}
