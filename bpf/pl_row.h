/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rows of the configuration's hash tables. A row that is replaced or deleted is memory that the kernel gives
 * to the next row at once, whatever its key, also while a program reads it: nothing waits for that. Half a
 * decision would be made of one tenant's row, and half of another's.
 *
 * So a row is never followed where it lies. What is needed of it is copied in one go, and holds if the key
 * leads to the same row after that: before a row's memory is given out again, its key leads elsewhere. Else
 * the packet has to come again. A copy is the row as it was at one moment; what changes after that is told by
 * generations. (They tell, too, of what this cannot see: that the memory is the same row's again, after two
 * changes of its key while a few words were copied.) Where a generation is known to tell of a row, and is
 * read before and after it, the second look is not needed: see pl_open_remembered().
 *
 * Nor is a key absent because one look has not found it. The kernel replaces a row by a new one before the
 * old one in its bucket, and takes the old one out after that: who was between the two has passed by both.
 * Who looks again finds the new one.
 *
 * Loads must not pass each other: the compiler is told, and x86 does not do it. Other machines would need a
 * barrier before the second look.
 */
#pragma once

#include <linux/errno.h>

#include "pl_maps.h"

/* The row of a key; NULL: it has none. */
#define pl_row_find(map, key)                                                                                \
	({                                                                                                   \
		void *found = bpf_map_lookup_elem(map, key);                                                 \
		found ? found : bpf_map_lookup_elem(map, key);                                               \
	})

/* Whether all that was read of a key's row so far was that row's. */
#define pl_row_is_still(map, key, row)                                                                       \
	({                                                                                                   \
		asm volatile("" ::: "memory"); /* no read moves down past this */                            \
		bpf_map_lookup_elem(map, key) == (row);                                                      \
	})

/* Copies the row of a key. -ENOENT: there is none; -EAGAIN: it was replaced in this instant. (What nobody
 * asks for is not copied, since these are inlined.) */
#define PL_ROW_READER(name, map, of_key, of_row)                                                             \
	static __always_inline int name(const of_key *key, of_row *ret)                                      \
	{                                                                                                    \
		const of_row *row = pl_row_find(&map, key);                                                  \
                                                                                                             \
		if (!row)                                                                                    \
			return -ENOENT;                                                                      \
		*ret = *row;                                                                                 \
		return pl_row_is_still(&map, key, row) ? 0 : -EAGAIN;                                        \
	}

PL_ROW_READER(pl_place_read, pl_places, struct pl_place_key, struct pl_place)
PL_ROW_READER(pl_eni_read, pl_enis, __u32, struct pl_eni)
PL_ROW_READER(pl_listener_read, pl_listeners, struct pl_listener_key, struct pl_listener)
PL_ROW_READER(pl_backend_read, pl_backends, __u32, struct pl_backend)
PL_ROW_READER(pl_server_read, pl_servers, struct pl_server_key, struct pl_server)

/* What an IPv4 address means in a VPC; the result is as above. Of its own to the verifier, for the stack of
 * those who ask. */
__attribute__((noinline)) int pl_place_read4(__u32 vpc, __be32 addr, struct pl_place *ret)
{
	struct pl_place_key key = {.vpc = vpc, .addr.w = {0, 0, bpf_htonl(0xffff), addr}};

	return ret ? pl_place_read(&key, ret) : -ENOENT;
}
