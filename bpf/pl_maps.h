/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every map of the data path, and the typed lookups. Sizes are defaults: user space may set max_entries
 * before it loads the object. All of them are pinned by the agent and outlive it.
 *
 * Configuration is written by the agent and only read here. Hash tables of configuration are not
 * preallocated. A replaced row is a new one there, but the old one's memory is the next row's at once: they
 * are read by pl_row.h alone. Rows of arrays change under a reader; the agent writes a new region first and
 * then the row that points to it, and bumps the generations of the slots that a change concerns last of all.
 */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "pl_abi_flow.h"
#include "pl_abi_log.h"
#include "pl_reasons.h"

/* Facts of the node, one row. Unwritten: all zero, so that no frame is for the gateway and all is dropped. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_config);
	__uint(max_entries, 1);
} pl_config SEC(".maps");

/* Ports of this node by slot: identity for the source guard, device and MAC for delivery. Number 0: no such
 * port. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_port);
	__uint(max_entries, PL_SLOTS_MAX);
} pl_ports SEC(".maps");

/* What an address means in a VPC. Missing: nothing has it (no_place). Asked when a flow opens, never after.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_place_key);
	__type(value, struct pl_place);
	__uint(max_entries, PL_PLACES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_places SEC(".maps");

/* Endpoint ENIs by slot. Missing: treated as not connected. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct pl_eni);
	__uint(max_entries, PL_ENIS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_enis SEC(".maps");

/* What a target (load balancer and zone) listens on. Missing: nothing does (no_listener). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_listener_key);
	__type(value, struct pl_listener);
	__uint(max_entries, PL_LISTENERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_listeners SEC(".maps");

/* Ids of ENIs for PROXY headers, ready made. Missing: a listener that wants them takes no connection
 * (proxy_header). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_proxy_key);
	__type(value, struct pl_proxy);
	__uint(max_entries, PL_PROXIES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_proxies SEC(".maps");

/* Maglev tables, one region for each: indexes of pl_backends. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, PL_MAGLEV_MAX);
} pl_maglev SEC(".maps");

/* Servers behind load balancers, by the agent's index. Missing: an old table still names it (no_backend). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct pl_backend);
	__uint(max_entries, PL_BACKENDS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_backends SEC(".maps");

/* Which servers of a server group may keep the flows that they have. Asked when a flow is judged again. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_server_key);
	__type(value, struct pl_server);
	__uint(max_entries, PL_SERVERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_servers SEC(".maps");

/* What user space writes by plain stores, and where a switch is one store: arrays that it maps. */
#define PL_MAPPED_ARRAY(name, of, n)                                                                         \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                            \
		__type(key, __u32);                                                                          \
		__type(value, of);                                                                           \
		__uint(max_entries, n);                                                                      \
		__uint(map_flags, BPF_F_MMAPABLE);                                                           \
	} name SEC(".maps")

/* Rule lists of security groups, one region of cells for each. Values begin on a page: a cell is a line. */
PL_MAPPED_ARRAY(pl_cells, struct pl_cell, PL_CELLS_MAX);

/* Security groups by number: their lists. */
PL_MAPPED_ARRAY(pl_groups, struct pl_group, PL_GROUPS_MAX);

/* Sets of security groups by number: what a port or an ENI is in. Row 0 refuses all. */
PL_MAPPED_ARRAY(pl_sets, struct pl_set, PL_SETS_MAX);

/* What a port or an ENI may have a second of, and whose it is, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_limit);
	__uint(max_entries, PL_SLOTS_MAX);
} pl_limits SEC(".maps");

/* What of that is spent. Written here alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_buckets);
	__uint(max_entries, PL_SLOTS_MAX);
} pl_buckets SEC(".maps");

/* The same for listeners with a limit of their own, by ENI. Written here alone. What makes room for others
 * has not been used for long, and so had nothing to pay. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct pl_cps_key);
	__type(value, __u64);
	__uint(max_entries, PL_CPS_MAX);
} pl_cps SEC(".maps");

/* How often what concerns a slot has changed. Only ever rises. */
PL_MAPPED_ARRAY(pl_generations, struct pl_generation, PL_SLOTS_MAX);

/* Open IPv4 flows: two rows for each token that is in use. Written and deleted here alone (pl_end.h).
 * Preallocated: an insert takes a row from a free list. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_flow4_key);
	__type(value, struct pl_flow4);
	__uint(max_entries, PL_FLOWS4_MAX);
} pl_flows4 SEC(".maps");

/* Connections with a PROXY header, by the client's key in pl_flows4. Written here; goes with the flow. Not
 * preallocated: few listeners have such connections. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_flow4_key);
	__type(value, struct pl_proxied);
	__uint(max_entries, PL_PROXIED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_proxied SEC(".maps");

/* A TCP segment that is being written anew (pl_segment.h): more than a stack takes. */
struct pl_segment {
	__u8 tcp[64];	   /* header with its options */
	__u8 payload[128]; /* to be written behind it */
	__u8 arrived[64];  /* the header as it came */
	__u32 tcp_size;
	__u32 payload_size; /* of the packet that came */
	__u32 stamps;	    /* where its time stamps are in `arrived`; 0: it has none */
	__u32 scale;	    /* of its window */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_segment);
	__uint(max_entries, 1);
} pl_scratch SEC(".maps");

/* How many tokens there are, powers of two; set before load, as the sizes of the maps. */
const volatile __u32 pl_n_tenants = PL_TOKENS_TENANTS;
const volatile __u32 pl_n_service = PL_TOKENS_SERVICE;
/* Of the tenants', as many as there are rows for; number 0, which is never given out, is one of them. */
const volatile __u32 pl_n_given = PL_TOKENS_GIVEN;

/* Tokens: the right to two rows (pl_token.h). They belong to the rows of pl_flows4: these seven tables are
 * made anew together, or none is. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_token);
	__uint(max_entries, PL_TOKENS_TENANTS + PL_TOKENS_SERVICE);
} pl_tokens SEC(".maps");

/* Free tokens that were in use once, by range; first in, first out, so that each rests as long as it can. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, __u32);
	__uint(max_entries, PL_TOKENS_GIVEN);
} pl_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, __u32);
	__uint(max_entries, PL_TOKENS_SERVICE);
} pl_free_service SEC(".maps");

/* Who has how many tokens, by slot and by account. Exact: written where a token is taken and given back. And
 * what an account owes for fragments, written by these. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_owner);
	__uint(max_entries, PL_OWNERS_MAX);
} pl_owners SEC(".maps");

/* How many tokens are in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_uses);
	__uint(max_entries, 1);
} pl_uses SEC(".maps");

/* Translated sources of datagrams at rest (pl_rest.h), in turn, and how many each ENI and each account has,
 * by the rows of pl_owners; all of them at PL_SLOT_SERVICE. Written here alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_flow4_key);
	__type(value, struct pl_rest);
	__uint(max_entries, PL_RESTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_rests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, struct pl_flow4_key);
	__uint(max_entries, PL_RESTS_MAX);
} pl_rest_queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, PL_OWNERS_MAX);
} pl_rest_counts SEC(".maps");

/* The timer that goes round the tokens. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_round);
	__uint(max_entries, 1);
} pl_round SEC(".maps");

/* Where each CPU's hands stand, by range. */
struct pl_hands {
	__u32 at[PL_RANGES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_hands);
	__uint(max_entries, 1);
} pl_hands SEC(".maps");

/* The table of open IPv4 flows that a program with rows of another size has left, until it is empty; nearly
 * always nothing (pl_carry.h): to be read, and once more where rows may be deleted in it. The agent gives the
 * old table's size of rows before it loads the object. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, PL_OLD_SLOTS);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__type(key, struct pl_flow4_key);
			__type(value, struct pl_flow4);
			__uint(max_entries, 1);
		});
} pl_flows4_old SEC(".maps");

/* Open IPv6 flows: the layout only, nothing opens one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_flow6_key);
	__type(value, struct pl_flow6);
	__uint(max_entries, PL_FLOWS6_MAX);
} pl_flows6 SEC(".maps");

/* Packets and bytes by reason. Written here, summed over the CPUs by whoever reads. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct pl_count);
	__uint(max_entries, PL_REASON_MAX);
} pl_reasons SEC(".maps");

/* Of endpoint ENIs: flows that were opened, drops by reason, and what flows had counted that were taken away
 * here. Written where a flow opens, ends or a packet is dropped, never for a packet that an open flow takes
 * along; read and tidied by the agent's sweep. Full: flows count for their slot alone (below), and a drop
 * that finds no row is not counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_tally_key);
	__type(value, struct pl_count);
	__uint(max_entries, PL_TALLIES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_tallies SEC(".maps");

/* What flows count where that is full, by ENI and no listener: there is room for all that there can be.
 * Nearly always empty. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct pl_tally_key);
	__type(value, struct pl_count);
	__uint(max_entries, PL_SLOT_TALLIES *PL_ENIS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_slot_tallies SEC(".maps");

/* Of ENIs: whose flow log is on, and what of it was lost. */
PL_MAPPED_ARRAY(pl_logged, struct pl_logged, PL_SLOTS_MAX);

/* Records of it, in their order (pl_log.h). Written here, read by the agent, also by the next one. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PL_LOG_BUFFER_SIZE);
} pl_flow_log SEC(".maps");

/* By slot: when its port may cause an ICMP error again, in nanoseconds of the kernel's monotonic clock; a
 * burst of them may be caused ahead. Written and read here only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, PL_SLOTS_MAX);
} pl_icmp_rates SEC(".maps");

/* By slot: datagrams in fragments, of ports that have ever sent some. Written and read here only; a row that
 * is too old is as none. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct pl_fragments);
	__uint(max_entries, PL_SLOTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} pl_fragments SEC(".maps");

/* By slot of a port: the bucket of what it is told (pl_refuse.h). Written and read here alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, PL_SLOTS_MAX);
} pl_answers SEC(".maps");

/* Slot 0: the main program. Every port's entry program jumps there; writing it upgrades all ports at once.
 * Empty: the entry programs drop. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} pl_entry SEC(".maps");

static __always_inline const struct pl_config *pl_config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pl_config, &zero);
}

/* The port in a slot, or NULL where the slot is free. */
static __always_inline const struct pl_port *pl_port_find(__u32 slot)
{
	const struct pl_port *port = bpf_map_lookup_elem(&pl_ports, &slot);

	return port && port->number ? port : NULL;
}

static __always_inline __u32 pl_generation_get(__u32 slot)
{
	const struct pl_generation *generation = bpf_map_lookup_elem(&pl_generations, &slot);

	return generation ? generation->now : 0;
}

/* Whether the flow log of an ENI is on. */
static __always_inline bool pl_log_is_on(__u32 eni)
{
	const struct pl_logged *logged = bpf_map_lookup_elem(&pl_logged, &eni);

	return logged && logged->on;
}

static __always_inline struct pl_token *pl_token_find(__u32 index)
{
	return bpf_map_lookup_elem(&pl_tokens, &index);
}

static __always_inline struct pl_uses *pl_uses_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pl_uses, &zero);
}

static __always_inline struct pl_round *pl_round_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pl_round, &zero);
}

static __always_inline struct pl_flow4 *pl_flow4_find(const struct pl_flow4_key *key)
{
	return bpf_map_lookup_elem(&pl_flows4, key);
}
