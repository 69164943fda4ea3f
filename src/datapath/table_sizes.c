/* SPDX-License-Identifier: Apache-2.0 */
#include "table_sizes.h"

#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "../lib/log.h"
#include "../lib/util.h"

/* Tables are as in the object for so much memory, halved for half of it, and with more of it hashes are twice
 * as large: there are no more slots than for these. */
#define MEMORY_OF_OBJECT (2ull << 30)
#define HALVED_MAX	 3

/* How often they are halved; -1: hashes are doubled. A machine has a little less than was built in: firmware
 * and kernel take their part first. */
static int halved(uint64_t memory)
{
	int n = 0;

	memory += memory / 8;
	if (memory >= 2 * MEMORY_OF_OBJECT)
		return -1;
	while (n < HALVED_MAX && memory < MEMORY_OF_OBJECT >> n)
		n++;
	return n;
}

static int set(struct bpf_map *map, int n)
{
	uint32_t rows = bpf_map__max_entries(map);

	/* An array takes its memory also where it is empty. */
	if (n < 0)
		return bpf_map__type(map) == BPF_MAP_TYPE_HASH ? bpf_map__set_max_entries(map, 2 * rows) : 0;
	return bpf_map__set_max_entries(map, rows >> n);
}

int table_sizes_set(struct pl_bpf *skeleton, uint64_t memory)
{
	/* Not those whose rows are numbers that the plan gives out (slots, backends, security groups), and
	 * not pl_sets, of which each slot has two at most. */
	struct bpf_map *const tables[] = {
		skeleton->maps.pl_enis,	   skeleton->maps.pl_places,	   skeleton->maps.pl_listeners,
		skeleton->maps.pl_servers, skeleton->maps.pl_cells,	   skeleton->maps.pl_maglev,
		skeleton->maps.pl_proxies, skeleton->maps.pl_slot_tallies,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && memory && r == 0; i++)
		r = set(tables[i], halved(memory));
	if (r < 0)
		return r;
	log_info(
		"tables have room for enis=%u addresses=%u listeners=%u servers=%u rule_cells=%u balancing=%u",
		bpf_map__max_entries(skeleton->maps.pl_enis), bpf_map__max_entries(skeleton->maps.pl_places),
		bpf_map__max_entries(skeleton->maps.pl_listeners),
		bpf_map__max_entries(skeleton->maps.pl_servers),
		bpf_map__max_entries(skeleton->maps.pl_cells),
		bpf_map__max_entries(skeleton->maps.pl_maglev));
	return 0;
}
