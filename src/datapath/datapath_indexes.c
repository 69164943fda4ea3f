/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which numbers the pinned tables use: read from those that are in force, also when they have another layout
 * than ours. What tells whose a number is comes first in a row, and that part of it is the same for ever
 * (pl_abi.h).
 */
#include <bpf/bpf.h>

#include "pl.skel.h"

#include "../lib/log.h"
#include "pins.h"

#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

union row {
	struct pl_port port;
	struct pl_eni eni;
	struct pl_limit limit;
	struct pl_backend backend;
	struct pl_group group;
};

struct adoption {
	struct plan_indexes *indexes;
	size_t row_size;
	int (*adopt)(struct plan_indexes *indexes, const void *key, const union row *row);
};

static int adopt_port(struct plan_indexes *indexes, const void *key, const union row *row)
{
	uint32_t slot;

	memcpy(&slot, key, sizeof(slot));
	if (slot == PL_SLOT_SERVICE || !row->port.number)
		return 0;
	return plan_indexes_adopt_slot(indexes, row->port.number, slot);
}

static int adopt_eni(struct plan_indexes *indexes, const void *key, const union row *row)
{
	uint32_t slot;

	memcpy(&slot, key, sizeof(slot));
	/* Its load balancer may have no listener yet. (Where the row is too short for a target it is 0, and
	 * the new rows of ENIs and listeners are not those that are in force.) */
	plan_indexes_adopt_target(indexes, row->eni.target);
	return plan_indexes_adopt_slot(indexes, row->eni.number, slot);
}

/* Open flows hold on to it, whatever becomes of its slot. */
static int adopt_account(struct plan_indexes *indexes, const void *key, const union row *row)
{
	uint32_t slot;

	memcpy(&slot, key, sizeof(slot));
	return plan_indexes_adopt_account(indexes, slot, row->limit.account);
}

static int adopt_backend(struct plan_indexes *indexes, const void *key, const union row *row)
{
	const struct pl_backend *backend = &row->backend;
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return plan_indexes_adopt_backend(indexes, backend->vpc, &backend->addr, backend->port, index);
}

static int adopt_listener(struct plan_indexes *indexes, const void *key, const union row *row)
{
	struct pl_listener_key listener;

	(void)row;
	memcpy(&listener, key, sizeof(listener));
	plan_indexes_adopt_target(indexes, listener.target);
	return 0;
}

static int adopt_group(struct plan_indexes *indexes, const void *key, const union row *row)
{
	char id[sizeof(row->group.id) + 1] = "";
	uint32_t number;

	memcpy(&number, key, sizeof(number));
	memcpy(id, row->group.id, sizeof(row->group.id));
	return *id ? plan_indexes_adopt_security_group(indexes, id, number) : 0;
}

static int adopt_row(void *context, const void *key, const void *value)
{
	const struct adoption *adoption = context;
	union row row = {};
	int r;

	memcpy(&row, value, MIN(sizeof(row), adoption->row_size));
	r = adoption->adopt(adoption->indexes, key, &row);
	return r == -EEXIST ? 0 : r;
}

struct source {
	const char *map;
	size_t key_size, head_size;
	int (*adopt)(struct plan_indexes *indexes, const void *key, const union row *row);
};

static int adopt_table(const struct datapath *datapath, const struct source *source,
		       struct plan_indexes *indexes)
{
	_cleanup_(closep) int fd = pins_open(datapath, source->map);
	struct adoption adoption = {.indexes = indexes, .adopt = source->adopt};
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	/* Where nothing is in force nothing has a number. */
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.key_size != source->key_size || info.value_size < source->head_size) {
		log_warning("numbers begin anew, open flows may be lost: the pinned table is of a layout "
			    "that this version does not know table=%s",
			    source->map);
		return 0;
	}
	adoption.row_size = info.value_size;
	return table_walk(fd, adopt_row, &adoption);
}

static int rest_counted(void *context, const void *key, const void *value)
{
	struct pl_tally_key tally;

	(void)value;
	memcpy(&tally, key, sizeof(tally));
	return plan_indexes_rest_slot(context, tally.slot & PL_TALLY_SLOT);
}

/* Slots that are free, and of whose last owner no round has taken away the counts and flows yet, because the
 * agent before this one was killed: another owner would be told that these are its own. */
static int rest_slots(const struct datapath *datapath, struct plan_indexes *indexes)
{
	uint32_t last = datapath->n_slots;
	int r;

	while (last > 0 && !datapath->generations[last - 1].due)
		last--;
	if (last > 0)
		plan_indexes_adopt_last_slot(indexes, last - 1);
	r = table_walk(bpf_map__fd(datapath->skeleton->maps.pl_tallies), rest_counted, indexes);
	if (r < 0)
		return r;
	return table_walk(bpf_map__fd(datapath->skeleton->maps.pl_slot_tallies), rest_counted, indexes);
}

int datapath_adopt_indexes(struct datapath *datapath, struct plan_indexes *indexes)
{
	static const struct source sources[] = {
		{"pl_ports", sizeof(uint32_t), END_OF(struct pl_port, number), adopt_port},
		{"pl_enis", sizeof(uint32_t), END_OF(struct pl_eni, number), adopt_eni},
		{"pl_limits", sizeof(uint32_t), END_OF(struct pl_limit, account), adopt_account},
		{"pl_backends", sizeof(uint32_t), END_OF(struct pl_backend, port), adopt_backend},
		{"pl_listeners", sizeof(struct pl_listener_key), 0, adopt_listener},
	};
	/* Flows hold on to no number of a group: in tables of a new layout they begin anew. */
	static const struct source groups = {"pl_groups", sizeof(uint32_t), sizeof(struct pl_group),
					     adopt_group};
	int r = datapath->is_waiting ? 0 : adopt_table(datapath, &groups, indexes);

	for (size_t i = 0; i < ARRAY_SIZE(sources) && r == 0; i++)
		r = adopt_table(datapath, &sources[i], indexes);
	return r == 0 ? rest_slots(datapath, indexes) : r;
}
