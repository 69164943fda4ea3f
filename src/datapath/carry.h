/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow tables of programs before this one. Into today's table flows move by bpf/pl_carry.h alone, also those
 * that no packet asks for (sweep.c), since each needs a token. But there may be a third table, which one
 * before this one's predecessor has left: what is in it goes to the predecessor's, so that there is never
 * more than one old table.
 */
#pragma once

#include "../lib/util.h"

#define CARRY_ROW_MAX 1024 /* bytes: longer rows are none of flows */

/* Whether the table's rows are open flows as pl_abi_flow.h has them, but for their size. */
bool carry_is_possible(int fd);

/* Copies all flows from one such table to another, both of programs before this one, and empties the first;
 * they belong to no token there. Packets may move them at the same time. -E2BIG: the other table is full. */
int carry_flows(int from_fd, int to_fd);
