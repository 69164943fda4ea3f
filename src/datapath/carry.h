/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open flows from a table whose rows have another size into today's: what bpf/pl_carry.h does for a packet,
 * for all flows that no packet has asked for.
 */
#pragma once

#include "../lib/util.h"

/* Whether the table's rows are open flows as pl_abi_flow.h has them, but for their size. */
bool carry_is_possible(int fd);

/* Moves all flows, each with its other direction; packets may do so at the same time. `ret_n` is the number
 * of rows that were there. -E2BIG: the new table is full; what did not fit stays where it was. */
int carry_flows(int from_fd, int to_fd, uint64_t *ret_n);
