/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the maps of a node are pinned, and how those of one layout take the place of another's.
 */
#pragma once

#include "datapath_tables.h"

#define PINS_OLD_FLOWS "pl_flows4_old"

struct bpf_map;

/* These log their errors. */

/* Ends what an agent before this one began when it put new tables in the place of others: what the running
 * program uses moves to its place, and all else that was to go there is removed. Without such a beginning it
 * does nothing. */
int pins_settle(const struct datapath *datapath);
/* Pins again what is not pinned any more and a guard on one of the devices holds. Without luck new maps are
 * made. */
void pins_rescue(const struct datapath *datapath, const struct datapath_options *options);
/* Says for each map of the object that is about to be loaded where it is pinned: in its place, or, if what is
 * pinned there has another layout, beside it. Sets is_waiting and old_flows_fd. */
int pins_prepare(struct datapath *datapath);
/* After the program was switched: all maps are in their places from now on. */
int pins_take_place(struct datapath *datapath);
/* Pins again what has lost its pin. 1: something had. */
int pins_repair(struct datapath *datapath);
/* Lets go of the flow table of another layout: it is empty. */
int pins_drop_old_flows(struct datapath *datapath);

/* The rest logs nothing. */

/* Whether the agent pins that map. (Not libbpf's own, nor what holds the old flow table, nor what a trace is
 * made of.) */
bool pins_has(const struct datapath *datapath, const struct bpf_map *map);
/* The paths of a map's place, and of the one beside it. */
int pins_place(const struct datapath *datapath, const char *name, char ret[PATH_MAX]);
int pins_next(const struct datapath *datapath, const char *name, char ret[PATH_MAX]);
/* Missing is fine. */
int pins_remove(const char *path);
/* A map's id; 0: the descriptor is none of a map. */
uint32_t pins_map_id(int fd);
/* The map that is pinned in the place of that name, whatever its layout: the caller's, or a negative errno.
 */
int pins_open(const struct datapath *datapath, const char *name);
