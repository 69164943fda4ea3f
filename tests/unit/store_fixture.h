/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in a temporary directory, and rows to put into it. Include it in the test's only source file.
 */
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "store/record.h"
#include "store/store.h"
#include "store/sum.h"

struct result {
	int calls, r;
	uint64_t revision;
	unsigned int syncs; /* how often the disk had been asked to keep what it has */
};

static unsigned int n_syncs;
static ino_t failing_file; /* the disk does not keep it; 0: there is none */

/* In place of the C library's, for SQLite, too. */
int fdatasync(int fildes)
{
	struct stat st;

	n_syncs++;
	if (failing_file && fstat(fildes, &st) == 0 && st.st_ino == failing_file) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fildes);
}

int fsync(int fd)
{
	n_syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static char directory[] = "/tmp/privlink-test-store-XXXXXX";

static const char *file_name(const char *name)
{
	static char path[PATH_MAX];

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void done(void *context, int r, uint64_t revision)
{
	struct result *result = context;

	result->calls++;
	result->r = r;
	result->revision = revision;
	result->syncs = n_syncs;
}

static struct counter counter_row(const char *name, uint32_t value)
{
	struct counter row = {.value = value};

	(void)str_copy(row.name, sizeof(row.name), name);
	return row;
}

static const struct counter *counter_find(const struct store *store, const char *name)
{
	return snapshot_find(store_rows(store), KIND_COUNTER, name);
}

_unused_ static uint32_t counter_value(const struct store *store, const char *name)
{
	const struct counter *row = counter_find(store, name);

	return row ? row->value : 0;
}

/* One row in one transaction, compared with what the store has now. */
static void commit_counter(struct store *store, const char *name, uint32_t value, struct result *result)
{
	const struct counter *present = counter_find(store, name);
	struct counter row = counter_row(name, value);
	struct store_txn *txn;

	if (present)
		row.meta = present->meta;
	if (store_txn_new(&txn) < 0)
		abort();
	(void)store_txn_row_put(txn, KIND_COUNTER, &row);
	*result = (struct result){};
	store_commit(store, txn, done, result);
}

struct fixture {
	struct loop *loop;
	struct store *store;
};

static int fixture_open(struct fixture *f, const char *name)
{
	int r;

	*f = (struct fixture){};
	r = loop_new(&f->loop);
	if (r == 0)
		r = store_sqlite_open(f->loop, file_name(name), &f->store);
	return r;
}

static void fixture_close(struct fixture *f)
{
	store_free(f->store);
	loop_free(f->loop);
}

/* Until changes are taken again after a failure. */
_unused_ static void rest(struct fixture *f)
{
	for (int i = 0; i < 100 && store_refuses(f->store); i++)
		(void)loop_turn(f->loop, 100);
}

_unused_ static void commit_empty(struct store *store, struct result *result)
{
	struct store_txn *txn;

	if (store_txn_new(&txn) < 0)
		abort();
	*result = (struct result){.r = 1};
	store_commit(store, txn, done, result);
}

_unused_ static int commit_n_rows(struct store *store, size_t n, struct result *result)
{
	struct store_txn *txn;

	(void)store_txn_new(&txn);
	for (size_t i = 0; i < n; i++) {
		struct counter row = {.value = 1};

		(void)str_format(row.name, sizeof(row.name), "n%zu", i);
		(void)store_txn_row_put(txn, KIND_COUNTER, &row);
	}
	*result = (struct result){};
	store_commit(store, txn, done, result);
	return result->r;
}

/* A counter with so many bytes in a member that no program knows. */
static json_t *padded_row(const char *name, size_t bytes)
{
	_cleanup_(freep) char *padding = malloc(bytes + 1);

	memset(padding, 'x', bytes);
	padding[bytes] = '\0';
	return json_pack("{s:s, s:i, s:s}", "name", name, "value", 1, "padding", padding);
}

_unused_ static int commit_padded(struct store *store, size_t n, size_t bytes, struct result *result)
{
	struct store_txn *txn;

	(void)store_txn_new(&txn);
	for (size_t i = 0; i < n; i++) {
		char name[16], key[32];
		json_t *value;

		(void)str_format(name, sizeof(name), "p%zu", i);
		(void)str_format(key, sizeof(key), "counter/%s", name);
		value = padded_row(name, bytes);
		(void)store_txn_put(txn, key, value);
		json_decref(value);
	}
	*result = (struct result){};
	store_commit(store, txn, done, result);
	return result->r;
}

static void remove_directory(void)
{
	_cleanup_(freep) char *command = NULL;

	if (asprintf(&command, "rm -rf '%s'", directory) < 0 || system(command) != 0)
		tap_note("left behind: %s", directory);
}
