/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the data path share, and no one else sees.
 */
#pragma once

#include <limits.h>

#include "bpf/pl_reasons.h"
#include "datapath.h"
#include "group_table.h"
#include "list_table.h"
#include "mapped.h"
#include "set_table.h"
#include "slot_sets.h"
#include "table.h"

struct pl_bpf; /* the skeleton */
struct round;
struct tallies;

/* By slot of a server's port: translated flows to it, as the last reading has them and as one goes on. */
struct nat_counts {
	uint32_t *read, *reading;
};

struct datapath {
	struct pl_bpf *skeleton;
	struct attach *attach;
	char pin_dir[PATH_MAX / 2];
	struct breath breath;

	struct table config, ports, limits, backends, servers, proxies, listeners, enis, places;
	struct list_table *maglev;
	struct group_table *groups;
	struct set_table *sets;
	struct slot_sets *slot_sets; /* those of ports and ENIs, unless `is_stale` */
	struct mapped generations_map;
	struct pl_generation *generations; /* by slot, in the map */
	uint32_t n_slots;
	uint8_t *slots_in_use; /* bitmap: ports and ENIs of the last syncs, until one succeeds */
	bool is_synced;	       /* there was one */
	bool is_stale;	       /* mirrors may differ from the kernel */
	bool keeps_tables;     /* listeners have the tables of before, as there is no room for theirs */
	bool is_waiting;  /* the tables are new and not filled yet: the program before this one goes on */
	int old_flows_fd; /* pl_flows4 with rows of another size, until it is empty; -EBADF: there is none */
	uint64_t n_old_flows; /* rows in it, as of the last round */
	uint32_t epoch;	      /* of new tables of flows; 0: those that are there are kept */
	struct round *round;  /* over all flows, while it goes on */
	uint32_t node_number;
	uint64_t due_ms;	 /* when rows change by themselves; 0: never */
	struct rowset waiting;	 /* targets whose listeners do then (listeners.h) */
	struct tallies *tallies; /* as of the last round */
	struct nat_counts nat;	 /* likewise (nat_count.h) */
};

/* datapath_sync.c: fills mirrors and regions from the kernel's tables. */
int datapath_load_tables(struct datapath *datapath);
/* datapath_sync.c: notes in `slot_sets` which sets the slot's rows name, as they are in force. */
void datapath_note_sets_of(struct datapath *datapath, uint32_t slot);
/* datapath_sync.c: the least MTU of this node's ports, of which one has this one: no packet that fits it is
 * looked at twice. */
uint16_t datapath_least_mtu(const struct plan *plan, uint16_t least);
/* sweep.c: the clock that the program writes into flows. */
int datapath_clock(const struct datapath *datapath, uint32_t *ret);

/* sweep.c: how many rows the old table has, before there was a round. Takes as long as that takes. */
int datapath_count_old_flows(struct datapath *datapath);
/* sweep.c: lets go of a round that has not come to its end. */
void round_free(struct datapath *datapath);
