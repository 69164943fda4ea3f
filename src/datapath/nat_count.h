/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many translated flows are open to each server of this node: each takes one of the translated sources
 * that the server's ports have. Counted by whoever reads all flows anyway.
 */
#pragma once

#include "bpf/pl_abi_flow.h"
#include "datapath_tables.h"

/* -ENOMEM. */
int nat_count_new(struct datapath *datapath);
void nat_count_free(struct datapath *datapath);

/* A reading begins; a row of it; it is over, and what it has counted is what is told from now on
 * (datapath_each_server). */
void nat_count_begin(struct datapath *datapath);
void nat_count_flow(struct datapath *datapath, const struct pl_flow4 *flow);
void nat_count_end(struct datapath *datapath);
