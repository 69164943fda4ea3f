/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows and the passes of control over them, without a store: what a changes says is carried out on the
 * snapshot, as a store would do it, comparisons and limits included.
 */
#pragma once

#include "tests/tap.h"
#include "tests/unit/rows.h"

#include "control/control_step.h"
#include "control/subjects.h"
#include "store/txn.h"

struct world {
	struct snapshot *rows;
	struct control_failure failures[4];
	size_t n_failures;
	uint64_t live;
	size_t n_txns, n_ops; /* of the last pass */
	bool again;	      /* it wants another one at once */
	bool refused;	      /* a comparison did not hold */
};

static uint64_t world_modified(const struct world *world, const char *key)
{
	const struct row_meta *meta;
	enum kind kind;

	if (kind_of_key(key, &kind) < 0)
		return 0;
	meta = snapshot_find(world->rows, kind, strchr(key, '/') + 1);
	return meta ? meta->modified : 0;
}

static void world_commit_txn(struct world *world, const struct store_txn *txn)
{
	if (txn->n_changes > STORE_TXN_OPS_MAX || txn->error < 0)
		world->refused = true;
	for (size_t i = 0; i < txn->n_compares; i++)
		if (world_modified(world, txn->compares[i].key) != txn->compares[i].modified)
			world->refused = true;
	if (world->refused)
		return;
	rows_revision++;
	for (size_t i = 0; i < txn->n_changes; i++)
		if (snapshot_apply(world->rows, txn->changes[i].key, txn->changes[i].value, 1,
				   rows_revision) < 0)
			world->refused = true;
	snapshot_set_revision(world->rows, rows_revision);
	world->n_ops += txn->n_changes;
}

/* Carries the changes out and empties it. */
static void world_commit(struct world *world, struct changes *changes)
{
	if (changes->error < 0)
		world->refused = true;
	for (size_t i = 0; i < changes->n_txns; i++)
		world_commit_txn(world, changes->txns[i]);
	world->n_txns += changes->n_txns;
	changes_done(changes);
}

static struct control_view world_view(const struct world *world)
{
	return (struct control_view){.rows = world->rows,
				     .live_revision = world->live,
				     .failures = world->failures,
				     .n_failures = world->n_failures,
				     .now = 1767323045};
}

/* The nodes report that all there is now is in force. */
__attribute__((unused)) static void world_report(struct world *world)
{
	world->live = rows_revision;
}

/* Those of the kind, in a changes of their own; KIND_COUNT_: all that are none of the two before. */
static void world_slice(struct world *world, struct subjects *subjects, enum kind slice, size_t *room)
{
	struct control_view view = world_view(world);
	struct changes changes = {};

	for (size_t i = 0; i < subjects->work.n; i++) {
		struct control_subject *subject = &subjects->work.v[i];
		bool is_other = subject->kind != KIND_SERVICE && subject->kind != KIND_INSTANCE;

		if (subject->kind == slice || (is_other && slice == KIND_COUNT_))
			control_states(&view, subject, 1, room, &changes);
	}
	world_commit(world, &changes);
}

/* One look at all rows. How many subjects are not settled after it. */
__attribute__((unused)) static size_t world_pass(struct world *world)
{
	struct subjects subjects = {};
	size_t n, room = LEFTOVERS_GONE_MAX;
	int r;

	world->n_txns = world->n_ops = 0;
	if (subjects_changed_all(&subjects, world->rows) < 0 || subjects_take(&subjects, world->live) < 0)
		exit(EXIT_FAILURE);
	world_slice(world, &subjects, KIND_SERVICE, &room);
	world_slice(world, &subjects, KIND_INSTANCE, &room);
	world_slice(world, &subjects, KIND_COUNT_, &room);
	r = subjects_put_back(&subjects, world->live);
	if (r < 0)
		exit(EXIT_FAILURE);
	world->again = r > 0;
	n = subjects.waiting.n;
	subjects_done(&subjects);
	return n;
}

/* Passes until one changes nothing. */
__attribute__((unused)) static size_t world_settle(struct world *world)
{
	size_t n = 0;

	do {
		(void)world_pass(world);
		n++;
	} while (world->n_ops > 0 && n < 100);
	return n;
}

__attribute__((unused)) static void world_begin(struct world *world)
{
	*world = (struct world){};
	if (snapshot_new(&world->rows) < 0)
		exit(EXIT_FAILURE);
}

__attribute__((unused)) static void world_end(struct world *world)
{
	tap_ok(!world->refused, "every transaction of the passes fits the rows and the store's limits");
	snapshot_free(world->rows);
}

__attribute__((unused)) static const char *endpoint_status(const struct world *w, const char *id)
{
	const struct endpoint *e = snapshot_endpoint(w->rows, id);

	return e ? enum_name(endpoint_status_names, e->status) : "gone";
}

__attribute__((unused)) static const char *connection_status(const struct world *w, const char *id)
{
	const struct connection *c = snapshot_connection(w->rows, id);

	return c ? enum_name(connection_status_names, c->status) : "gone";
}

__attribute__((unused)) static const char *zone_status(const struct world *w, const char *id,
						       const char *zone)
{
	const struct endpoint_zone *z = snapshot_endpoint_zone(w->rows, id, zone);

	return z ? enum_name(zone_status_names, z->status) : "gone";
}

__attribute__((unused)) static void put_zone(struct world *w, const char *endpoint, const char *zone,
					     const char *port, const char *addr, const char *status)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "endpoint_zone/%s/%s", endpoint, zone);
	rows_put(w->rows, key, "{'endpoint':'%s','zone':'%s','port':'%s','addr':'%s','status':'%s'}",
		 endpoint, zone, port, addr, status);
	(void)str_format(key, sizeof(key), "port/%s", port);
	rows_put(w->rows, key,
		 "{'id':'%s','number':7,'kind':'endpoint','vpc':'vpc-a','addr':'%s','holder':'%s','status':'"
		 "InUse'}",
		 port, addr, endpoint);
	(void)str_format(key, sizeof(key), "address/vpc-a/%s", addr);
	rows_put(w->rows, key, "{'vpc':'vpc-a','addr':'%s','port':'%s'}", addr, port);
}

__attribute__((unused)) static void put_connection(struct world *w, const char *endpoint, const char *status,
						   bool waiting)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "connection/%s", endpoint);
	rows_put(w->rows, key, "{'endpoint':'%s','service':'epsrv-1','status':'%s','waiting':%s}", endpoint,
		 status, waiting ? "true" : "false");
}

__attribute__((unused)) static void put_endpoint(struct world *w, const char *id, const char *status)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "endpoint/%s", id);
	rows_put(w->rows, key, "{'id':'%s','vpc':'vpc-a','service':'epsrv-1','status':'%s'}", id, status);
}
