/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node for the packet tests: the shipped BPF object with rows of a small world in its maps, and no device.
 * A packet is "sent" from a port by running pl_main with the port's slot in cb[0]; what comes back is the
 * verdict, the packet as it was left, and the reason it was counted under. A redirect shows as return value 7
 * and no more, so *where to* is told by the destination MAC, which is each port's own, and by the flow's row.
 *
 * The world: three consumer VPCs (10, 20, 30) and two provider VPCs (40, 50), all of them 10.0.0.0/24 with an
 * instance at 10.0.0.10. The provider's servers of VPC 40 are behind the ENI 10.0.0.100 of each consumer.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>

#include "bpf/pl_abi_flow.h"
#include "bpf/pl_reasons.h"
#include "pl.skel.h"
#include "policy/group_list.h"

#include "pkt.h"

#include "bpf/pl_sweep.h" /* after pkt.h: the C library's addresses come first */

enum { /* slots */
       SLOT_SERVICE = 0,
       SLOT_A = 16,	   /* 10.0.0.10 in VPC 10 */
       SLOT_A2 = 17,	   /* 10.0.0.11 in VPC 10 */
       SLOT_B = 18,	   /* 10.0.0.10 in VPC 20 */
       SLOT_C = 19,	   /* 10.0.0.10 in VPC 30 */
       SLOT_S1 = 24,	   /* 10.0.0.10 in VPC 40, server */
       SLOT_S2 = 25,	   /* 10.0.0.11 in VPC 40, server */
       SLOT_OTHER = 26,	   /* 10.0.0.10 in VPC 50 */
       SLOT_ENI_A = 32,	   /* 10.0.0.100 in VPC 10 */
       SLOT_ENI_B = 33,	   /* 10.0.0.100 in VPC 20 */
       SLOT_ENI_C = 34,	   /* 10.0.0.100 in VPC 30 */
       SLOT_ENI_OFF = 35,  /* 10.0.0.101 in VPC 10, not connected */
       SLOT_ENI_BARE = 36, /* 10.0.0.102 in VPC 10, its target's rows are wrong in various ways */
       SLOTS = 64,
};

#define TARGET	    7
#define TARGET_BARE 8
#define GROUP	    7
#define NAT_FIRST   "100.64.0.16"
#define NAT_COUNT   2
#define LOOPBACK    1 /* the device that a program run comes from, so it is every port's */

static const uint8_t gateway_mac[6] = {0xee, 0xff, 0xff, 0xff, 0xff, 0xfe};
static const uint8_t broadcast_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct node {
	struct pl_bpf *bpf;
	uint8_t macs[SLOTS][6];
	bool complete;	   /* packets have CHECKSUM_COMPLETE, and the kernel checks the sum afterwards */
	uint32_t gso_size; /* of packets; 0: they are not to be cut */
	int old_fd;	   /* flow table of another layout */
	uint32_t old_row_size;
};

struct node_options {
	bool helpers;	       /* rewrite by the checksum helpers */
	uint32_t n_flows;      /* rows of pl_flows4; 0: 4096. Tokens are half of them, a power of two */
	uint32_t n_tokens;     /* of tenants, if they are to be others */
	uint32_t n_given;      /* so many of them are given out; 0: all */
	uint32_t old_row_size; /* of an old flow table, which is empty; 0: there is none */
};

struct outcome {
	int reason; /* -1: not counted exactly once */
	uint32_t verdict;
	struct pkt out;
};

/* Whether the processor is emulated, and ten times slower. */
static inline bool node_is_emulated(void)
{
	return getenv("PRIVLINK_KERNEL_LAYER");
}

/* How often to do what is about numbers and races and not about the kernel. */
static inline uint32_t node_rounds(uint32_t n)
{
	return node_is_emulated() ? n / 5 : n;
}

static inline void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "Bail out! %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

static inline struct pl_addr addr_of(const char *text)
{
	struct pl_addr addr = {.w = {0, 0, htonl(0xffff), 0}};

	put_addr((uint8_t *)&addr.w[3], text);
	return addr;
}

static inline __be32 addr4(const char *text)
{
	return addr_of(text).w[3];
}

static inline void map_put(struct bpf_map *map, const void *key, const void *value)
{
	must(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), bpf_map__name(map));
}

static inline void node_place(struct node *node, uint32_t vpc, const char *addr, uint32_t kind, uint32_t id)
{
	struct pl_place_key key = {.vpc = vpc, .addr = addr_of(addr)};
	struct pl_place place = {.kind = kind, .id = id};

	map_put(node->bpf->maps.pl_places, &key, &place);
}

static inline void node_unplace(struct node *node, uint32_t vpc, const char *addr)
{
	struct pl_place_key key = {.vpc = vpc, .addr = addr_of(addr)};

	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_places), &key), "pl_places");
}

static inline struct pl_port node_port_row(const struct node *node, uint32_t slot, uint32_t vpc,
					   const char *addr)
{
	struct pl_port port = {
		.number = 1000 + slot,
		.vpc = vpc,
		.ifindex = LOOPBACK,
		.addr = addr_of(addr),
		.set = slot,
	};

	memcpy(port.mac, node->macs[slot], 6);
	port.service_addr = addr_of("198.18.0.0");
	port.service_addr.w[3] = htonl(ntohl(port.service_addr.w[3]) + slot);
	return port;
}

static inline void node_port(struct node *node, uint32_t slot, uint32_t vpc, const char *addr)
{
	struct pl_port port = node_port_row(node, slot, vpc, addr);

	map_put(node->bpf->maps.pl_ports, &slot, &port);
	node_place(node, vpc, addr, PL_PLACE_PORT, slot);
}

static inline void node_unport(struct node *node, uint32_t slot)
{
	struct pl_port none = {0};

	map_put(node->bpf->maps.pl_ports, &slot, &none);
}

static inline void node_eni(struct node *node, uint32_t slot, uint32_t vpc, const char *addr, uint32_t target,
			    bool connected)
{
	struct pl_eni eni = {
		.number = 1000 + slot,
		.vpc = vpc,
		.flags = connected ? PL_ENI_F_CONNECTED : 0,
		.target = target,
		.addr = addr_of(addr),
		.set = slot,
	};

	map_put(node->bpf->maps.pl_enis, &slot, &eni);
	node_place(node, vpc, addr, PL_PLACE_ENI, slot);
}

static inline void node_backend(struct node *node, uint32_t index, uint32_t vpc, const char *addr,
				uint16_t port, uint32_t slot)
{
	struct pl_backend backend = {
		.addr = addr_of(addr),
		.vpc = vpc,
		.slot = slot,
		.port = htons(port),
		.nat_first = addr4(NAT_FIRST),
		.nat_count = NAT_COUNT,
	};

	map_put(node->bpf->maps.pl_backends, &index, &backend);
}

/* A server of the listeners' group, on port 8443; state 0: it is not in the group. */
static inline void node_server(struct node *node, const char *addr, uint8_t state)
{
	struct pl_server_key key = {.group = GROUP, .addr = addr_of(addr), .port = htons(8443)};
	struct pl_server server = {.state = state};

	if (state)
		map_put(node->bpf->maps.pl_servers, &key, &server);
	else
		must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_servers), &key), "pl_servers");
}

/* A listener of VPC 40 with its table in pl_maglev from `first` on. */
static inline void node_listener(struct node *node, uint32_t target, uint8_t protocol, uint16_t port,
				 uint32_t first, const uint32_t *table, uint32_t size)
{
	struct pl_listener_key key = {.target = target, .port = htons(port), .protocol = protocol};
	struct pl_listener listener = {
		.table_first = first, .table_size = size, .idle_s = 300, .vpc = 40, .group = GROUP};

	for (uint32_t i = 0; i < size; i++) {
		uint32_t at = first + i;

		map_put(node->bpf->maps.pl_maglev, &at, &table[i]);
	}
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
}

/* A rule in words: protocol 0 is all; prefix "10.0.0.0", 24. */
struct node_rule {
	const char *prefix;
	int length;
	uint8_t protocol;
	uint16_t first, last;
	bool allow;
};

/* A list of rules into pl_cells, from a cell on; what becomes the list of a group. */
static inline uint32_t node_list(struct node *node, uint32_t first, const struct group_rule *rules, size_t n)
{
	struct group_list list = {0};

	must(group_list_build(&list, rules, n), "list");
	for (uint32_t i = 0; i < list.n; i++) {
		uint32_t at = first + i;

		map_put(node->bpf->maps.pl_cells, &at, &list.cells[i]);
	}
	first = list.n ? first : 0;
	group_list_done(&list);
	return first;
}

static inline void node_group(struct node *node, uint32_t number, uint32_t in, uint32_t out)
{
	struct pl_group group = {.list = {in, out}};

	map_put(node->bpf->maps.pl_groups, &number, &group);
}

/* A set of these groups. */
static inline void node_set(struct node *node, uint32_t number, const uint32_t *groups, uint8_t n,
			    bool out_allowed)
{
	struct pl_set set = {
		.silent = {PL_RANK_REFUSE, out_allowed ? PL_RANK_ALLOW : PL_RANK_REFUSE},
		.count = n,
	};

	for (uint8_t i = 0; i < n; i++) {
		set.group[i] = groups[i];
		set.member |= pl_group_bit(groups[i]);
	}
	map_put(node->bpf->maps.pl_sets, &number, &set);
}

/* Slots have a set and a group of their own, with their numbers, and 64 cells for rules. Of these the first
 * one that matches decides. Everything may go out unless out_allowed is false. */
static inline void node_policy(struct node *node, uint32_t slot, const struct node_rule *in, size_t n_in,
			       bool out_allowed)
{
	struct group_rule rules[16] = {0};

	must(n_in > 16 ? -E2BIG : 0, "rules");
	for (size_t i = 0; i < n_in; i++) {
		group_rule_set_service(&rules[i], in[i].protocol, in[i].first, in[i].last);
		group_rule_set_prefix(&rules[i], ntohl(addr4(in[i].prefix)), in[i].length);
		rules[i].rank = PL_RANK(i + 1, in[i].allow);
	}
	node_group(node, slot, node_list(node, slot * 64, rules, n_in), 0);
	node_set(node, slot, &slot, 1, out_allowed);
}

/* As if its set had never been written. */
static inline void node_no_policy(struct node *node, uint32_t slot)
{
	struct pl_set none = {0};

	map_put(node->bpf->maps.pl_sets, &slot, &none);
}

static inline void node_bump(struct node *node, uint32_t slot)
{
	struct pl_generation generation;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_generations), &slot, &generation),
	     "generation");
	generation.due = ++generation.now;
	map_put(node->bpf->maps.pl_generations, &slot, &generation);
}

/* A port's MTU, which is the node's least one from now on. */
static inline void node_mtu(struct node *node, uint32_t slot, uint16_t mtu)
{
	struct pl_config config;
	struct pl_port port;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_ports), &slot, &port), "pl_ports");
	port.mtu = mtu;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_config), &zero, &config), "pl_config");
	config.mtu_low = mtu;
	map_put(node->bpf->maps.pl_config, &zero, &config);
}

/* As if the slot's rows were being changed: what is judged meanwhile is not remembered. */
static inline void node_unsettle(struct node *node, uint32_t slot)
{
	struct pl_generation generation;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_generations), &slot, &generation),
	     "generation");
	generation.due = generation.now + 1;
	map_put(node->bpf->maps.pl_generations, &slot, &generation);
}

static const struct node_rule rules_eni[] = {
	{"10.0.0.66", 32, 0, 0, 65535, false},	       {"10.0.0.0", 24, IPPROTO_TCP, 443, 443, true},
	{"10.0.0.0", 24, IPPROTO_UDP, 53, 600, true},  {"10.0.0.0", 24, IPPROTO_TCP, 81, 84, true},
	{"10.0.0.0", 8, IPPROTO_ICMP, 0, 65535, true},
};
static const struct node_rule rules_instance[] = {
	{"10.0.0.0", 24, IPPROTO_ICMP, 0, 65535, true},
	{"0.0.0.0", 0, IPPROTO_TCP, 22, 80, true},
	{"10.0.0.0", 28, IPPROTO_UDP, 1000, 2000, true},
};
#define RULES(array) (array), sizeof(array) / sizeof((array)[0])

static inline void node_make_ports(struct node *node)
{
	struct pl_port service = node_port_row(node, SLOT_SERVICE, PL_VPC_NODES, "198.18.0.1");
	uint32_t zero = SLOT_SERVICE;

	service.number = 0xffffffff;
	service.flags = PL_PORT_F_SERVICE;
	map_put(node->bpf->maps.pl_ports, &zero, &service);
	node_port(node, SLOT_A, 10, "10.0.0.10");
	node_port(node, SLOT_A2, 10, "10.0.0.11");
	node_port(node, SLOT_B, 20, "10.0.0.10");
	node_port(node, SLOT_C, 30, "10.0.0.10");
	node_port(node, SLOT_S1, 40, "10.0.0.10");
	node_port(node, SLOT_S2, 40, "10.0.0.11");
	node_port(node, SLOT_OTHER, 50, "10.0.0.10");
	for (uint32_t slot = SLOT_A; slot <= SLOT_OTHER; slot++)
		node_policy(node, slot, RULES(rules_instance), true);
}

static inline void node_make_endpoints(struct node *node)
{
	static const uint32_t servers[] = {1, 2, 1, 2, 1, 2, 1}, missing[] = {99}, away[] = {3},
			      stale[] = {4};
	uint32_t slot;

	node_eni(node, SLOT_ENI_A, 10, "10.0.0.100", TARGET, true);
	node_eni(node, SLOT_ENI_B, 20, "10.0.0.100", TARGET, true);
	node_eni(node, SLOT_ENI_C, 30, "10.0.0.100", TARGET, true);
	node_eni(node, SLOT_ENI_OFF, 10, "10.0.0.101", TARGET, false);
	node_eni(node, SLOT_ENI_BARE, 10, "10.0.0.102", TARGET_BARE, true);
	for (slot = SLOT_ENI_A; slot <= SLOT_ENI_BARE; slot++)
		node_policy(node, slot, RULES(rules_eni), false);
	node_backend(node, 1, 40, "10.0.0.10", 8443, SLOT_S1);
	node_backend(node, 2, 40, "10.0.0.11", 8443, SLOT_S2);
	node_backend(node, 3, 40, "10.0.0.12", 8443, PL_SLOT_NONE);
	node_backend(node, 4, 40, "10.0.0.13", 8443, SLOT_OTHER);
	node_server(node, "10.0.0.10", PL_SERVER_WELL);
	node_server(node, "10.0.0.11", PL_SERVER_WELL);
	node_listener(node, TARGET, IPPROTO_TCP, 443, 0, servers, 7);
	node_listener(node, TARGET, IPPROTO_UDP, 500, 0, servers, 7);
	node_listener(node, TARGET_BARE, IPPROTO_TCP, 81, 10, missing, 1);
	node_listener(node, TARGET_BARE, IPPROTO_TCP, 82, 11, away, 1);
	node_listener(node, TARGET_BARE, IPPROTO_TCP, 83, 12, stale, 1);
	node_listener(node, TARGET_BARE, IPPROTO_TCP, 84, 13, NULL, 0);
}

static inline void node_make_places(struct node *node)
{
	static const uint32_t vpcs[] = {10, 20, 30, 40, 50};

	for (size_t i = 0; i < sizeof(vpcs) / sizeof(vpcs[0]); i++) {
		node_place(node, vpcs[i], "10.0.0.253", PL_PLACE_GATEWAY, 0);
		node_place(node, vpcs[i], "100.100.2.136", PL_PLACE_DNS, 0);
		node_place(node, vpcs[i], "100.100.2.138", PL_PLACE_DNS, 0);
	}
	node_place(node, 40, "100.64.0.16", PL_PLACE_NAT, 0);
	node_place(node, 40, "100.64.0.17", PL_PLACE_NAT, 0);
	node_place(node, 40, "10.0.0.200", PL_PLACE_VIP, 0);
	node_place(node, 10, "10.0.0.50", PL_PLACE_REMOTE, 2);
	node_place(node, PL_VPC_NODES, "198.19.0.1", PL_PLACE_PROBE, 1);
	node_place(node, PL_VPC_NODES, "198.19.0.2", PL_PLACE_PROBE, 2);
	node_place(node, PL_VPC_NODES, "198.19.0.9", PL_PLACE_PROBE, 99);
}

/* A flow table as another program has left it; before the object is loaded. */
static inline void node_make_old_flows(struct node *node, uint32_t row_size)
{
	if (!row_size)
		return;
	node->old_row_size = row_size;
	node->old_fd =
		bpf_map_create(BPF_MAP_TYPE_HASH, "old", sizeof(struct pl_flow4_key), row_size, 1024, NULL);
	must(node->old_fd, "old flow table");
	node->bpf->rodata->pl_old_row_size = row_size;
	must(bpf_map__set_inner_map_fd(node->bpf->maps.pl_flows4_old, node->old_fd), "inner map");
}

#define NODE_TALLIES 8192 /* so that a test can fill them */

/* Before the object is loaded. */
static inline void node_size_flows(struct node *node, const struct node_options *options)
{
	uint32_t n_flows = options->n_flows ? options->n_flows : 4096, n_tenants = options->n_tokens,
		 n_service;

	if (!n_tenants)
		for (n_tenants = 4; n_tenants * 4 <= n_flows; n_tenants *= 2)
			;
	n_service = n_tenants > 64 ? n_tenants / 8 : 8;
	n_flows = n_flows > 2 * (n_tenants + n_service) ? n_flows : 2 * (n_tenants + n_service);
	node->bpf->rodata->pl_n_tenants = n_tenants;
	node->bpf->rodata->pl_n_service = n_service;
	node->bpf->rodata->pl_n_given = options->n_given ? options->n_given : n_tenants;
	bpf_map__set_max_entries(node->bpf->maps.pl_flows4, n_flows);
	bpf_map__set_max_entries(node->bpf->maps.pl_tokens, n_tenants + n_service);
	bpf_map__set_max_entries(node->bpf->maps.pl_free, n_tenants);
	bpf_map__set_max_entries(node->bpf->maps.pl_free_service, n_service);
	bpf_map__set_max_entries(node->bpf->maps.pl_tallies, NODE_TALLIES);
}

#define NODE_ACCOUNT_FIRST 16 /* that of a slot is so much more, if nobody says otherwise */
#define NODE_ACCOUNTS	   (NODE_ACCOUNT_FIRST + SLOTS)

/* Whose the slot's port or ENI is; 0: nobody's. */
static inline void node_set_account(struct node *node, uint32_t slot, uint16_t account)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_limits);
	struct pl_limit limit;

	must(account < NODE_ACCOUNTS ? 0 : -ERANGE, "account");
	must(bpf_map_lookup_elem(fd, &slot, &limit), "pl_limits");
	limit.account = account;
	map_put(node->bpf->maps.pl_limits, &slot, &limit);
}

static inline struct node *node_new(const struct node_options *options)
{
	struct node *node = calloc(1, sizeof(*node));
	struct pl_config config = {.abi_version = PL_ABI_VERSION,
				   .flow_version = PL_FLOW_VERSION,
				   .node = 1,
				   .hz = pl_kernel_hz()};
	uint32_t zero = 0;

	node->bpf = pl_bpf__open();
	if (!node->bpf)
		must(-errno, "open");
	node->bpf->rodata->pl_force_helpers = options->helpers;
	node->bpf->rodata->pl_tick_ns = 1000000000 / pl_kernel_hz();
	node_size_flows(node, options);
	node_make_old_flows(node, options->old_row_size);
	must(pl_bpf__load(node->bpf), "load");
	for (uint32_t slot = 0; node->old_row_size && slot < PL_OLD_SLOTS; slot++)
		map_put(node->bpf->maps.pl_flows4_old, &slot, &node->old_fd);
	for (int slot = 0; slot < SLOTS; slot++) {
		const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0, 0x10, slot};

		memcpy(node->macs[slot], mac, 6);
	}
	memcpy(config.gateway_mac, gateway_mac, 6);
	config.dns_addr = addr4("198.18.0.2");
	config.mtu_low = 1500;
	config.flags = PL_CONFIG_F_NO_MSS;
	map_put(node->bpf->maps.pl_config, &zero, &config);
	node_make_ports(node);
	node_make_endpoints(node);
	node_make_places(node);
	/* Each is its own account's, so that all counts are there, and no share is another than the slot's.
	 */
	for (uint16_t slot = 1; slot < SLOTS; slot++)
		node_set_account(node, slot, NODE_ACCOUNT_FIRST + slot);
	return node;
}

static inline struct node *node_free(struct node *node)
{
	if (node) {
		pl_bpf__destroy(node->bpf);
		if (node->old_row_size)
			close(node->old_fd);
	}
	free(node);
	return NULL;
}

/* Packets and bytes of a reason over all CPUs. */
static inline struct pl_count node_count(const struct node *node, uint32_t reason)
{
	int n = libbpf_num_possible_cpus();
	struct pl_count each[256], sum = {0};

	must(n > 256 ? -E2BIG : n, "CPUs");
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_reasons), &reason, each), "pl_reasons");
	for (int i = 0; i < n; i++) {
		sum.packets += each[i].packets;
		sum.bytes += each[i].bytes;
	}
	return sum;
}

#ifndef BPF_F_TEST_SKB_CHECKSUM_COMPLETE
#define BPF_F_TEST_SKB_CHECKSUM_COMPLETE (1U << 2) /* kernel 6.16; not in Debian 12's headers */
#endif

/* Runs a program on a packet. The kernel's refusal of the run is fatal, but for the sum that does not hold.
 */
static inline struct outcome node_run(struct node *node, const struct bpf_program *program, uint32_t slot,
				      const struct pkt *p)
{
	struct __sk_buff ctx = {.cb[0] = slot, .gso_size = node->gso_size};
	struct outcome outcome = {.reason = -1, .out.size = 0};
	struct pl_count before[PL_REASON_MAX];
	int counted = 0, r;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size,
		    .data_out = outcome.out.data, .data_size_out = PKT_MAX, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx),
		    .flags = node->complete ? BPF_F_TEST_SKB_CHECKSUM_COMPLETE : 0);
	for (int i = 0; i < PL_REASON_MAX; i++)
		before[i] = node_count(node, i);
	r = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	if (r == -EBADMSG && node->complete)
		return outcome;
	must(r, "run");
	outcome.verdict = opts.retval;
	outcome.out.size = opts.data_size_out;
	for (int i = 0; i < PL_REASON_MAX; i++) {
		struct pl_count now = node_count(node, i);

		if (now.packets == before[i].packets)
			continue;
		outcome.reason = i;
		counted += now.packets - before[i].packets;
		/* A packet can be made larger on its way. */
		if (now.bytes - before[i].bytes != p->size && now.bytes - before[i].bytes != outcome.out.size)
			counted++;
	}
	if (counted != 1)
		outcome.reason = -1;
	return outcome;
}

static inline struct outcome node_send(struct node *node, uint32_t slot, const struct pkt *p)
{
	return node_run(node, node->bpf->progs.pl_main, slot, p);
}

/* Whether a packet leaves, without a look at what is counted: that takes many times as long as the run, and
 * where packets are rated a slow machine would send them one by one. `ret_out`: as what, if not NULL. */
static inline bool node_leaves_as(struct node *node, uint32_t slot, const struct pkt *p, struct pkt *ret_out)
{
	struct __sk_buff ctx = {.cb[0] = slot};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->size,
		    .data_out = ret_out ? ret_out->data : NULL, .data_size_out = ret_out ? PKT_MAX : 0,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_main), &opts), "run");
	if (ret_out)
		ret_out->size = opts.data_size_out;
	return opts.retval == TC_ACT_REDIRECT;
}

static inline bool node_leaves(struct node *node, uint32_t slot, const struct pkt *p)
{
	return node_leaves_as(node, slot, p, NULL);
}

static inline uint32_t node_flows(const struct node *node)
{
	struct pl_flow4_key key, *at = NULL;
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	uint32_t n = 0;

	while (bpf_map_get_next_key(fd, at, &key) == 0) {
		at = &key;
		n++;
	}
	return n;
}

/* The keys of a flow table, the caller's. (A row that is written during a walk may come twice.) */
static inline struct pl_flow4_key *node_keys(int fd, uint32_t *ret_n)
{
	struct pl_flow4_key *keys = NULL, key, *at = NULL;

	*ret_n = 0;
	while (bpf_map_get_next_key(fd, at, &key) == 0) {
		if (*ret_n % 1024 == 0)
			keys = realloc(keys, (*ret_n + 1024) * sizeof(*keys));
		keys[(*ret_n)++] = key;
		at = &key;
	}
	return keys;
}

static inline struct pl_round node_round(const struct node *node)
{
	struct pl_round round;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_round), &zero, &round), "pl_round");
	return round;
}

static inline struct pl_uses node_uses(const struct node *node)
{
	struct pl_uses uses;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_uses), &zero, &uses), "pl_uses");
	return uses;
}

static inline struct pl_token node_token(const struct node *node, uint32_t index)
{
	struct pl_token token;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_tokens), &index, &token), "pl_tokens");
	return token;
}

static inline uint32_t node_n_tokens(const struct node *node)
{
	return node->bpf->rodata->pl_n_tenants + node->bpf->rodata->pl_n_service;
}

/* Rows of all owners by their number, the caller's. Read are those of the slots and accounts that there are
 * in tests: all of them take the kernel 30 ms. */
static inline struct pl_owner *node_owners(const struct node *node)
{
	struct pl_owner *rows = calloc(PL_OWNERS_MAX, sizeof(*rows));
	int fd = bpf_map__fd(node->bpf->maps.pl_owners);

	for (uint32_t slot = 0; slot < SLOTS; slot++)
		must(bpf_map_lookup_elem(fd, &slot, &rows[slot]), "pl_owners");
	for (uint32_t account = 0; account < NODE_ACCOUNTS; account++) {
		uint32_t row = pl_owner_of_account((uint16_t)account);

		must(bpf_map_lookup_elem(fd, &row, &rows[row]), "pl_owners");
	}
	return rows;
}

/* Tokens that an owner has, in both ranges: a slot, or pl_owner_of_account(). */
static inline uint32_t node_owned(const struct node *node, uint32_t slot)
{
	struct pl_owner owner;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_owners), &slot, &owner), "pl_owners");
	return owner.flows[PL_RANGE_TENANTS] + owner.flows[PL_RANGE_SERVICE];
}

/* As if there had never been any: rows, tokens, counts. Nothing else may run. */
static inline void node_clear_flows(struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_flows4);
	struct pl_uses uses = node_uses(node);
	struct pl_token token = {0};
	const struct pl_owner none = {0};
	struct pl_owner *owners = node_owners(node);
	struct pl_flow4_key key;
	uint32_t zero = 0, index;

	while (bpf_map_get_next_key(fd, NULL, &key) == 0)
		must(bpf_map_delete_elem(fd, &key), "pl_flows4");
	for (index = 0; index <= uses.fresh[PL_RANGE_TENANTS] && index < node_n_tokens(node); index++)
		map_put(node->bpf->maps.pl_tokens, &index, &token);
	for (uint32_t i = 0; i < uses.fresh[PL_RANGE_SERVICE]; i++) {
		index = node->bpf->rodata->pl_n_tenants + i;
		if (index < node_n_tokens(node))
			map_put(node->bpf->maps.pl_tokens, &index, &token);
	}
	while (bpf_map_lookup_and_delete_elem(bpf_map__fd(node->bpf->maps.pl_free), NULL, &index) == 0)
		;
	while (bpf_map_lookup_and_delete_elem(bpf_map__fd(node->bpf->maps.pl_free_service), NULL, &index) ==
	       0)
		;
	for (uint32_t row = 0; row < PL_OWNERS_MAX; row++)
		if (memcmp(&owners[row], &none, sizeof(none)) != 0)
			map_put(node->bpf->maps.pl_owners, &row, &none);
	free(owners);
	memset(&uses, 0, sizeof(uses));
	map_put(node->bpf->maps.pl_uses, &zero, &uses);
}

/* The key under which a packet from a VPC is found. */
static inline struct pl_flow4_key node_key(const struct pkt *p, uint32_t vpc, uint32_t side)
{
	struct pl_flow4_key key = {.vpc_proto = vpc << 8 | side | p->data[PKT_IP + 9]};

	memcpy(&key.saddr, p->data + PKT_IP + 12, 4);
	memcpy(&key.daddr, p->data + PKT_IP + 16, 4);
	memcpy(&key.sport, p->data + PKT_L4, 2);
	memcpy(&key.dport, p->data + PKT_L4 + 2, 2);
	return key;
}

static inline bool node_flow(const struct node *node, const struct pl_flow4_key *key, struct pl_flow4 *ret)
{
	return bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_flows4), key, ret) == 0;
}

static inline const char *reason_name(int reason)
{
	static const char *const names[] = {
#define NAME(symbol, name, kind, text) name,
		PL_REASONS(NAME)
#undef NAME
	};

	return reason >= 0 && reason < PL_REASON_MAX ? names[reason] : "not counted once";
}

/* The answer to a translated packet, as its receiver would send it: MACs, addresses and ports turned round.
 */
static inline struct pkt node_reply(const struct pkt *p, uint8_t tcp_flags)
{
	struct pkt reply = *p;

	memcpy(reply.data, gateway_mac, 6);
	memcpy(reply.data + 6, p->data, 6);
	memcpy(reply.data + PKT_IP + 12, p->data + PKT_IP + 16, 4);
	memcpy(reply.data + PKT_IP + 16, p->data + PKT_IP + 12, 4);
	memcpy(reply.data + PKT_L4, p->data + PKT_L4 + 2, 2);
	memcpy(reply.data + PKT_L4 + 2, p->data + PKT_L4, 2);
	if (p->data[PKT_IP + 9] == IPPROTO_TCP)
		reply.data[PKT_L4 + 13] = tcp_flags;
	pkt_seal(&reply);
	return reply;
}
