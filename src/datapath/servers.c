/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that leaves a group with connection draining keeps its connections until a time that is written
 * into its row; then it is gone, and each of them ends at its next packet. So that it ends whenever that
 * comes, the row stays for as long as a connection can be idle. Without draining the row of a server that was
 * removed goes at once: a server without a row keeps connections.
 */
#include "servers.h"

#include <bpf/bpf.h>
#include <stdlib.h>

#include "../lib/vec.h"
#include "bpf/pl_abi_flow.h"

#define REST_MS	  (PL_IDLE_TCP_ESTABLISHED * 1000)
#define FREE_PART 8 /* of the table, which servers that were removed leave to those that come */

/* Times are the low 32 bits of milliseconds. */
static bool is_past(uint32_t time, uint64_t now_ms)
{
	return (int32_t)((uint32_t)now_ms - time) >= 0;
}

/* The row of a server that leaves; `old` is what the kernel has, or NULL. */
static void leave(struct pl_server *row, const struct pl_server *old, uint64_t now_ms)
{
	row->state = PL_SERVER_LEAVING;
	row->until = 0;
	if (!row->drains)
		return;
	if (old && old->until && old->drains && old->drain_s == row->drain_s)
		row->until = old->until;
	else
		row->until = ((uint32_t)now_ms + row->drain_s * 1000u) | 1; /* 0 is none */
	if (is_past(row->until, now_ms))
		row->state = PL_SERVER_GONE;
}

static void note_due(const struct pl_server *row, uint64_t now_ms, uint64_t *due_ms)
{
	uint64_t at_ms;

	if (row->state != PL_SERVER_LEAVING || !row->until)
		return;
	at_ms = now_ms + (uint32_t)(row->until - (uint32_t)now_ms);
	if (!*due_ms || at_ms < *due_ms)
		*due_ms = at_ms;
}

static const struct plan_served *find_served(const struct plan *plan, const struct pl_server_key *key)
{
	size_t place = LOWER_BOUND(i, plan->n_served, memcmp(&plan->served[i].key, key, sizeof(*key)) < 0);
	const struct plan_served *served = place < plan->n_served ? &plan->served[place] : NULL;

	return served && memcmp(&served->key, key, sizeof(*key)) == 0 ? served : NULL;
}

static int want_served(const struct table *table, const struct plan_served *served, uint64_t now_ms,
		       struct rowset *ret, uint64_t *due_ms)
{
	struct pl_server row = served->value;

	if (row.state == PL_SERVER_LEAVING)
		leave(&row, rowset_find(&table->mirror, &served->key), now_ms);
	note_due(&row, now_ms, due_ms);
	return rowset_append(ret, &served->key, &row);
}

static int want_planned(const struct table *table, const struct plan *plan, uint64_t now_ms,
			struct rowset *ret, uint64_t *due_ms, struct failures *failures)
{
	struct table_room room;
	int r = 0;

	if (!plan->n_served)
		return 0;
	room = table_room_for(table, &plan->served->key, plan->n_served, sizeof(*plan->served));
	for (size_t i = 0; i < plan->n_served && r == 0; i++) {
		const struct plan_served *served = &plan->served[i];
		char key[KEY_SIZE];

		if (!table_room_take(&room, &served->key)) {
			(void)str_format(key, sizeof(key), "server_group/%s", served->group);
			r = failures_add(failures, key, "this node has no room for its servers");
			continue;
		}
		r = want_served(table, served, now_ms, ret, due_ms);
	}
	return r;
}

/* What the plan has not, if it is to be remembered. */
static int want_left(const struct table *table, const struct plan *plan, size_t i, uint64_t now_ms,
		     struct rowset *ret, uint64_t *due_ms)
{
	struct pl_server_key key;
	struct pl_server old, row;

	memcpy(&key, rowset_key(&table->mirror, i), sizeof(key));
	memcpy(&old, rowset_value(&table->mirror, i), sizeof(old));
	if (!old.drains || find_served(plan, &key))
		return 0;
	row = old;
	leave(&row, &old, now_ms);
	if (row.state == PL_SERVER_GONE && is_past(row.until + REST_MS, now_ms))
		return 0;
	note_due(&row, now_ms, due_ms);
	return rowset_append(ret, &key, &row);
}

/* The rows of one group lie side by side. */
static size_t group_end(const struct rowset *rows, size_t first)
{
	size_t end = first + 1;

	while (end < rows->n && memcmp(rowset_key(rows, first), rowset_key(rows, end), sizeof(uint64_t)) == 0)
		end++;
	return end;
}

/* How many rows stay if of each group there are `most` at most. */
static size_t count_kept(const struct rowset *rows, size_t most)
{
	size_t n = 0;

	for (size_t i = 0, end; i < rows->n; i = end) {
		end = group_end(rows, i);
		n += MIN(end - i, most);
	}
	return n;
}

struct left {
	int32_t rest_ms; /* until its time is over; negative: since then */
	size_t place;
};

static int compare_left(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	return x->rest_ms > y->rest_ms ? -1 : x->rest_ms < y->rest_ms;
}

/* Of the rows of one group those whose time is over last. */
static int keep_latest(const struct rowset *rows, size_t first, size_t end, size_t most, uint64_t now_ms,
		       struct rowset *ret)
{
	_cleanup_(freep) struct left *left = calloc(end - first, sizeof(*left));
	int r = 0;

	if (!left)
		return -ENOMEM;
	for (size_t i = first; i < end; i++) {
		struct pl_server row;

		memcpy(&row, rowset_value(rows, i), sizeof(row));
		left[i - first] =
			(struct left){.rest_ms = (int32_t)(row.until - (uint32_t)now_ms), .place = i};
	}
	if (end - first > most)
		qsort(left, end - first, sizeof(*left), compare_left);
	for (size_t i = 0; i < MIN(end - first, most) && r == 0; i++)
		r = rowset_append(ret, rowset_key(rows, left[i].place), rowset_value(rows, left[i].place));
	return r;
}

/* While there is room for it, and some for others besides; else as many of each group as all have room for,
 * so that one that has many of them takes nothing from another one. */
static int want_removed(const struct table *table, const struct plan *plan, uint64_t now_ms,
			struct rowset *ret, uint64_t *due_ms)
{
	struct rowset rows = rowset_make(table->mirror.key_size, table->mirror.value_size);
	size_t size = table->max_entries - table->max_entries / FREE_PART;
	size_t room = size - MIN(ret->n, size), most;
	int r = 0;

	for (size_t i = 0; i < table->mirror.n && r == 0; i++)
		r = want_left(table, plan, i, now_ms, &rows, due_ms);
	most = LOWER_BOUND(i, SERVERS_REMOVED_PER_GROUP_MAX, count_kept(&rows, i + 1) <= room);
	for (size_t i = 0, end; i < rows.n && r == 0; i = end) {
		end = group_end(&rows, i);
		r = keep_latest(&rows, i, end, most, now_ms, ret);
	}
	rowset_done(&rows);
	return r;
}

int servers_want(const struct table *table, const struct plan *plan, uint64_t now_ms, struct rowset *ret,
		 uint64_t *ret_due_ms, struct failures *failures)
{
	int r;

	*ret_due_ms = 0;
	r = want_planned(table, plan, now_ms, ret, ret_due_ms, failures);
	return r < 0 ? r : want_removed(table, plan, now_ms, ret, ret_due_ms);
}

int servers_want_group(const struct table *table, const struct plan *plan, uint64_t group, uint64_t now_ms,
		       struct rowset *ret, uint64_t *due_ms)
{
	struct rowset left = rowset_make(table->mirror.key_size, table->mirror.value_size);
	const struct rowset *mirror = &table->mirror;
	size_t first =
		LOWER_BOUND(i, plan->n_served, memcmp(&plan->served[i].key.group, &group, sizeof(group)) < 0);
	int r = 0;

	for (size_t i = first; i < plan->n_served && plan->served[i].key.group == group && r == 0; i++)
		r = want_served(table, &plan->served[i], now_ms, ret, due_ms);
	for (size_t i = rowset_place(mirror, &group, sizeof(group)); i < mirror->n && r == 0; i++) {
		if (memcmp(rowset_key(mirror, i), &group, sizeof(group)) != 0)
			break;
		r = want_left(table, plan, i, now_ms, &left, due_ms);
	}
	if (r == 0 && left.n > 0)
		r = keep_latest(&left, 0, left.n, SERVERS_REMOVED_PER_GROUP_MAX, now_ms, ret);
	rowset_done(&left);
	rowset_sort(ret);
	return r;
}

int servers_due(const struct table *table, uint64_t now_ms, struct rowset *ret, uint64_t *ret_due_ms)
{
	int r = 0;

	*ret_due_ms = 0;
	for (size_t i = 0; i < table->mirror.n && r == 0; i++) {
		struct pl_server_key key;
		struct pl_server row;

		memcpy(&key, rowset_key(&table->mirror, i), sizeof(key));
		memcpy(&row, rowset_value(&table->mirror, i), sizeof(row));
		if (row.state == PL_SERVER_LEAVING && row.until && is_past(row.until, now_ms))
			r = rowset_append(ret, &key.group, &row);
		else
			note_due(&row, now_ms, ret_due_ms);
	}
	rowset_sort(ret);
	return r;
}

static int carry_row(void *context, const void *key, const void *value)
{
	const int *to_fd = context;
	struct pl_server row;

	memcpy(&row, value, sizeof(row));
	if (row.drains && bpf_map_update_elem(*to_fd, key, &row, BPF_ANY) < 0)
		return errno == E2BIG ? 0 : -errno;
	return 0;
}

int servers_carry(int from_fd, int to_fd)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(from_fd, &info, &size) < 0)
		return -errno;
	if (info.key_size != sizeof(struct pl_server_key) || info.value_size < sizeof(struct pl_server))
		return 0;
	return table_walk(from_fd, carry_row, &to_fd);
}

/* What changes. */

static int note_group(void *context, enum row_change change, const void *key, const void *value)
{
	struct pl_server_key server;

	(void)change;
	memcpy(&server, key, sizeof(server));
	return rowset_append(context, &server.group, value);
}

static int note_target(void *context, enum row_change change, const void *key, const void *value)
{
	struct pl_listener_key listener;

	(void)change;
	memcpy(&listener, key, sizeof(listener));
	return rowset_append(context, &listener.target, value);
}

static int note_targets_of(const struct rowset *groups, const struct rowset *listeners, struct rowset *ret)
{
	int r = 0;

	for (size_t i = 0; i < listeners->n && r == 0; i++) {
		struct pl_listener row;

		memcpy(&row, rowset_value(listeners, i), sizeof(row));
		if (rowset_find(groups, &row.group))
			r = note_target(ret, ROW_UPDATE, rowset_key(listeners, i), rowset_key(listeners, i));
	}
	return r;
}

int servers_touched(const struct table *servers, const struct rowset *wanted_servers,
		    const struct table *listeners, const struct rowset *wanted_listeners, struct rowset *ret)
{
	struct rowset groups = rowset_make(sizeof(uint64_t), 0);
	int r = rowset_diff(&servers->mirror, wanted_servers, note_group, &groups);

	rowset_sort(&groups);
	if (r == 0)
		r = note_targets_of(&groups, wanted_listeners, ret);
	if (r == 0)
		r = rowset_diff(&listeners->mirror, wanted_listeners, note_target, ret);
	rowset_sort(ret);
	rowset_done(&groups);
	return r;
}
