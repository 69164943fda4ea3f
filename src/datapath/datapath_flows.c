/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each flow is told once: by the row of its first direction, as it was opened, and with the numbers of its
 * partner. (Flows between instances have two such rows; the sender's half is told.)
 */
#include "datapath_tables.h"
#include "datapath_watch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "bpf/pl_sweep.h"

#define SLICE_MAX (1u << 20) /* rows: more than one bucket has */

struct datapath_flow_walk {
	struct datapath *datapath;
	struct datapath_filter filter;
	__be32 addr;
	uint8_t position[sizeof(struct pl_flow4_key)]; /* of the kernel's: a bucket's number */
	bool is_begun;
	struct pl_flow4_key *keys;
	struct pl_flow4 *rows;
	uint32_t n_rows, now, hz;
};

static int resize(struct datapath_flow_walk *walk, uint32_t n)
{
	struct pl_flow4_key *keys = realloc(walk->keys, n * sizeof(*keys));
	struct pl_flow4 *rows;

	if (!keys)
		return -ENOMEM;
	walk->keys = keys;
	rows = realloc(walk->rows, n * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	walk->rows = rows;
	walk->n_rows = n;
	return 0;
}

int datapath_flow_walk_new(struct datapath *datapath, const struct datapath_filter *filter,
			   struct datapath_flow_walk **ret)
{
	struct datapath_flow_walk *walk = calloc(1, sizeof(*walk));
	int r;

	if (!walk)
		return -ENOMEM;
	walk->datapath = datapath;
	walk->filter = *filter;
	walk->addr = filter->has_addr ? htonl(netaddr_to_v4(&filter->addr)) : 0;
	walk->hz = pl_kernel_hz();
	r = resize(walk, DATAPATH_FLOWS_SLICE);
	if (r < 0) {
		datapath_flow_walk_free(walk);
		return r;
	}
	*ret = walk;
	return 0;
}

struct datapath_flow_walk *datapath_flow_walk_free(struct datapath_flow_walk *walk)
{
	if (walk) {
		free(walk->keys);
		free(walk->rows);
	}
	free(walk);
	return NULL;
}

/* ---- what passes ---- */

static bool is_first_direction(const struct pl_flow4_key *key, const struct pl_flow4 *row)
{
	return !pl_flow_is_back(row) && !(key->vpc_proto & PL_SIDE_IN);
}

static bool has_addr(const struct datapath_flow_walk *walk, const struct pl_flow4_key *key,
		     const struct pl_flow4 *row)
{
	return !walk->addr || walk->addr == key->saddr || walk->addr == key->daddr ||
	       walk->addr == row->saddr || walk->addr == row->daddr;
}

static bool has_port(const struct datapath_flow_walk *walk, const struct pl_flow4_key *key,
		     const struct pl_flow4 *row)
{
	__be16 port = htons(walk->filter.port);

	if (!port)
		return true;
	if (pl_flow4_protocol(key) == IPPROTO_ICMP)
		return false;
	return port == key->sport || port == key->dport || port == row->sport || port == row->dport;
}

static bool has_slot(const struct datapath_flow_walk *walk, const struct datapath_flow *flow)
{
	for (size_t i = 0; i < walk->filter.n_slots; i++) {
		uint32_t slot = walk->filter.slots[i];

		if (slot == flow->client || slot == flow->eni || slot == flow->server)
			return true;
	}
	return walk->filter.n_slots == 0;
}

/* ---- what is told ---- */

static struct datapath_tuple tuple_of(__be32 saddr, __be16 sport, __be32 daddr, __be16 dport)
{
	return (struct datapath_tuple){
		.source = netaddr_v4(ntohl(saddr)),
		.destination = netaddr_v4(ntohl(daddr)),
		.source_port = ntohs(sport),
		.destination_port = ntohs(dport),
	};
}

/* Datagrams and echo are open as long as they are there. */
static const char *state_name(uint8_t state, uint8_t protocol)
{
	static const char *const names[] = {"new", "established", "closing"};

	if (protocol != IPPROTO_TCP)
		return state & PL_STATE_ANSWERED ? "established" : "new";
	return names[pl_state_class(state, protocol)];
}

static uint32_t idle_s(const struct datapath_flow_walk *walk, uint32_t seen)
{
	uint32_t idle = walk->now - seen;

	return idle > INT32_MAX ? 0 : idle / walk->hz; /* used since: from the future */
}

/* The one place where user space reads what a row says of its flow. `partner` is NULL where it is missing. */
static struct datapath_flow read_rows(const struct datapath_flow_walk *walk, const struct pl_flow4_key *key,
				      const struct pl_flow4 *row, const struct pl_flow4 *partner)
{
	struct datapath_flow flow = {
		.state = state_name(row->state, pl_flow4_protocol(key)),
		.is_local = pl_flow_is_local(row),
		.protocol = pl_flow4_protocol(key),
		.opened = tuple_of(key->saddr, key->sport, key->daddr, key->dport),
		.served = tuple_of(row->saddr, row->sport, row->daddr, row->dport),
		.vpc = pl_flow4_vpc(key),
		.served_vpc = row->partner_vpc,
		.eni = pl_flow_is_local(row) ? 0 : row->slot,
		.server = row->peer,
		.client = pl_flow_is_local(row) ? row->slot
			  : partner		? partner->peer
						: PL_SLOT_NONE,
		.packets = {row->packets, partner ? partner->packets : 0},
		.bytes = {row->bytes, partner ? partner->bytes : 0},
		.idle_s = idle_s(walk, row->seen),
	};

	if (partner)
		flow.idle_s = MIN(flow.idle_s, idle_s(walk, partner->seen));
	return flow;
}

static void look_at(const struct datapath_flow_walk *walk, const struct pl_flow4_key *key,
		    const struct pl_flow4 *row, datapath_flow_callback callback, void *context)
{
	struct pl_flow4_key partner_key;
	struct pl_flow4 partner;
	struct datapath_flow flow;
	bool has_partner;

	if (!is_first_direction(key, row) || !has_addr(walk, key, row) || !has_port(walk, key, row))
		return;
	partner_key = pl_flow4_partner(key, row);
	has_partner = bpf_map_lookup_elem(bpf_map__fd(walk->datapath->skeleton->maps.pl_flows4), &partner_key,
					  &partner) == 0;
	flow = read_rows(walk, key, row, has_partner ? &partner : NULL);
	if (has_slot(walk, &flow))
		callback(context, &flow);
}

int datapath_flow_walk_step(struct datapath_flow_walk *walk, datapath_flow_callback callback, void *context)
{
	int fd = bpf_map__fd(walk->datapath->skeleton->maps.pl_flows4), r;
	uint32_t n;

	r = datapath_clock(walk->datapath, &walk->now);
	if (r < 0)
		return r;
	for (;;) {
		n = walk->n_rows;
		r = bpf_map_lookup_batch(fd, walk->is_begun ? walk->position : NULL, walk->position,
					 walk->keys, walk->rows, &n, NULL);
		r = r < 0 ? -errno : 0;
		if (r != -ENOSPC || walk->n_rows >= SLICE_MAX)
			break;
		r = resize(walk, walk->n_rows * 4);
		if (r < 0)
			return r;
	}
	if (r < 0 && r != -ENOENT)
		return r;
	walk->is_begun = true;
	for (uint32_t i = 0; i < n; i++)
		look_at(walk, &walk->keys[i], &walk->rows[i], callback, context);
	return r == 0;
}

void datapath_each_table(const struct datapath *datapath, datapath_table_callback callback, void *context)
{
	const struct table *const tables[] = {&datapath->ports, &datapath->places, &datapath->enis,
					      &datapath->listeners, &datapath->backends};

	uint32_t n_cells = bpf_map__max_entries(datapath->skeleton->maps.pl_cells);
	uint64_t n_rows = 0;

	(void)datapath_flow_count(datapath, &n_rows);
	callback(context, "pl_flows4", n_rows, bpf_map__max_entries(datapath->skeleton->maps.pl_flows4));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		callback(context, tables[i]->name, tables[i]->mirror.n, tables[i]->max_entries);
	callback(context, "pl_sets", set_table_count(datapath->sets), PL_SETS_MAX);
	callback(context, "pl_groups", group_table_count(datapath->groups), PL_GROUPS_MAX);
	callback(context, "pl_cells", n_cells - group_table_free_count(datapath->groups), n_cells);
}
