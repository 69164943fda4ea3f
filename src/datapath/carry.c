/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row that is in the new table already was moved by a packet and has gone on since: it stays. The other
 * direction's row goes first, and into the old table nobody writes any more (pl_carry.h). A flow whose packet
 * ended it while it was being moved comes back, and ends again by its idle time.
 */
#include "carry.h"

#include <stddef.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "bpf/pl_tuple.h"
#include "rowset.h"
#include "table.h"

#define ROW_SIZE_MIN 80 /* of the first version: no table has smaller ones */

struct carry {
	int from_fd, to_fd;
	uint32_t from_size, to_size; /* of rows */
	uint8_t *row;		     /* room for one of either */
	struct rowset keys;
};

static int read_info(int fd, struct bpf_map_info *ret)
{
	uint32_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

bool carry_is_possible(int fd)
{
	struct bpf_map_info info;

	return read_info(fd, &info) == 0 && info.type == BPF_MAP_TYPE_HASH &&
	       info.key_size == sizeof(struct pl_flow4_key) && info.value_size >= ROW_SIZE_MIN &&
	       info.value_size <= CARRY_ROW_MAX && info.value_size % sizeof(uint64_t) == 0;
}

/* A row of either table as today's, into `carry->row` as it is; -ENOENT: there is none. */
static int read_row(struct carry *carry, int fd, uint32_t size, const struct pl_flow4_key *key,
		    struct pl_flow4 *ret)
{
	memset(carry->row, 0, MAX(carry->from_size, carry->to_size));
	if (bpf_map_lookup_elem(fd, key, carry->row) < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, carry->row, MIN(sizeof(*ret), (size_t)size));
	return 0;
}

/* Copies a row; one that is there stays. -ENOENT: there is nothing to copy. */
static int copy_row(struct carry *carry, const struct pl_flow4_key *key)
{
	struct pl_flow4 flow;
	int r = read_row(carry, carry->from_fd, carry->from_size, key, &flow);

	/* The number is one of the table that it comes from. (Older rows have zeros there.) */
	if (r == 0)
		memset(carry->row + offsetof(struct pl_flow4, token), 0, sizeof(flow.token));
	if (r == 0 && bpf_map_update_elem(carry->to_fd, key, carry->row, BPF_NOEXIST) < 0 && errno != EEXIST)
		r = -errno;
	return r;
}

/* Whether what the new table has under the partner's key is the partner of this key. */
static bool partner_fits(struct carry *carry, const struct pl_flow4_key *partner_key,
			 const struct pl_flow4_key *key)
{
	struct pl_flow4_key back;
	struct pl_flow4 partner;

	if (read_row(carry, carry->to_fd, carry->to_size, partner_key, &partner) < 0)
		return true;
	back = pl_flow4_partner(partner_key, &partner);
	return memcmp(&back, key, sizeof(back)) == 0;
}

static int delete_row(const struct carry *carry, const struct pl_flow4_key *key)
{
	return bpf_map_delete_elem(carry->from_fd, key) < 0 && errno != ENOENT ? -errno : 0;
}

static int carry_flow(struct carry *carry, const struct pl_flow4_key *key)
{
	struct pl_flow4_key partner_key;
	struct pl_flow4 flow;
	int r = read_row(carry, carry->from_fd, carry->from_size, key, &flow);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	partner_key = pl_flow4_partner(key, &flow);
	r = copy_row(carry, &partner_key);
	if (r < 0 && r != -ENOENT)
		return r;
	if (partner_fits(carry, &partner_key, key)) {
		r = copy_row(carry, key);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	r = delete_row(carry, key);
	return r < 0 ? r : delete_row(carry, &partner_key);
}

static int note_key(void *context, const void *key, const void *value)
{
	struct carry *carry = context;

	return rowset_append(&carry->keys, key, value);
}

int carry_flows(int from_fd, int to_fd)
{
	struct carry carry = {
		.from_fd = from_fd,
		.to_fd = to_fd,
		.keys = rowset_make(sizeof(struct pl_flow4_key), 0),
	};
	struct bpf_map_info from, to;
	int r = read_info(from_fd, &from);

	if (r == 0)
		r = read_info(to_fd, &to);
	if (r < 0)
		return r;
	carry.from_size = from.value_size;
	carry.to_size = to.value_size;
	carry.row = malloc(MAX(from.value_size, to.value_size));
	if (!carry.row)
		return -ENOMEM;
	r = table_walk(from_fd, note_key, &carry);
	for (size_t i = 0; i < carry.keys.n && r == 0; i++) {
		struct pl_flow4_key key;

		memcpy(&key, rowset_key(&carry.keys, i), sizeof(key));
		r = carry_flow(&carry, &key);
	}
	rowset_done(&carry.keys);
	free(carry.row);
	return r;
}
