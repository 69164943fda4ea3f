/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large a node's tables of configuration are: by its memory, in steps of two, so that a little more or
 * less of it makes no other tables. (What no row is in costs next to nothing in those that are hashes.)
 */
#pragma once

#include <stdint.h>

struct pl_bpf;

/* Before the object is loaded. `memory` in bytes; 0: all stay as they are in the object. Logs what they are.
 */
int table_sizes_set(struct pl_bpf *skeleton, uint64_t memory);
