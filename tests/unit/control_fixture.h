/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store on disk in a temporary directory, a loop, and room for control over them, with its nodes. Include
 * it in the test's only source file.
 */
#pragma once

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"

#include "control/control.h"

struct setup {
	char directory[32], path[64];
	struct loop *loop;
	struct store *store;
	struct control *control;
};

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

static void open_store(struct setup *s)
{
	must(loop_new(&s->loop), "loop");
	must(store_sqlite_open(s->loop, s->path, &s->store), "store");
}

static void close_store(struct setup *s)
{
	s->control = control_free(s->control);
	s->store = store_free(s->store);
	s->loop = loop_free(s->loop);
}

static void begin(struct setup *s)
{
	*s = (struct setup){.directory = "/tmp/test_control.XXXXXX"};
	if (!mkdtemp(s->directory))
		must(-errno, "directory");
	(void)str_format(s->path, sizeof(s->path), "%s/store.db", s->directory);
	open_store(s);
}

static void end(struct setup *s)
{
	static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm", "store.db-lock"};
	char path[128];

	close_store(s);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)str_format(path, sizeof(path), "%s/%s", s->directory, files[i]);
		(void)unlink(path);
	}
	if (rmdir(s->directory) < 0)
		tap_note("left behind: %s", s->directory);
}

/* Turns until nothing happens any more. */
static void settle(struct setup *s)
{
	for (int i = 0; i < 20; i++)
		must(loop_turn(s->loop, 0), "turn");
}

static void count_done(void *context, int result, uint64_t revision _unused_)
{
	int *n = context;

	*n = result < 0 ? result : *n + 1;
}

_unused_ static void put(struct setup *s, enum kind kind, const void *row)
{
	struct store_txn *txn;
	int n = 0;

	must(store_txn_new(&txn), "transaction");
	must(store_txn_row_put(txn, kind, row), "put");
	store_commit(s->store, txn, count_done, &n);
	settle(s);
	if (n != 1)
		must(n < 0 ? n : -EIO, "commit");
}

_unused_ static void take_away(struct setup *s, const char *key)
{
	struct store_txn *txn;
	int n = 0;

	must(store_txn_new(&txn), "transaction");
	must(store_txn_delete(txn, key), "deletion");
	store_commit(s->store, txn, count_done, &n);
	settle(s);
}

_unused_ static void register_as(struct setup *s, const char *name, uint32_t mtu)
{
	struct node node = {.mtu = mtu};
	int n = 0;

	must(str_copy(node.name, sizeof(node.name), name), "name");
	control_register(s->control, &node, count_done, &n);
	settle(s);
	tap_is_int(n, 1, "node %s is registered", name);
}

_unused_ static void register_node(struct setup *s, const char *name)
{
	register_as(s, name, 1500);
}

/* A VPC with a port of that node in it. */
_unused_ static void put_vpc(struct setup *s, const struct vpc *vpc, const char *node)
{
	struct port port = {.node = node};

	must(str_format(port.id, sizeof(port.id), "eni-%s", vpc->id), "id");
	port.vpc = vpc->id;
	put(s, KIND_PORT, &port);
	put(s, KIND_VPC, vpc);
}
