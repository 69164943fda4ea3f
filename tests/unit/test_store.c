/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: transactions, durability, and what is left after a crash. Every case works on a file of its own
 * in a temporary directory.
 */
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

/* In place of the C library's, for SQLite, too. */
int fdatasync(int fd)
{
	n_syncs++;
	return (int)syscall(SYS_fdatasync, fd);
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

static uint32_t counter_value(const struct store *store, const char *name)
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

static void test_put_and_read(void)
{
	struct fixture f;
	struct result result;
	struct stat st;

	tap_is_int(fixture_open(&f, "put"), 0, "a new file is made");
	(void)stat(file_name("put"), &st);
	tap_is_int(st.st_mode & 0777, 0600, "only its owner can read it");
	commit_counter(f.store, "vpc", 7, &result);
	tap_is_int(result.calls, 0, "a commit is not answered before it is durable");
	tap_is_int(counter_value(f.store, "vpc"), 7, "the next handler of the same turn sees it");
	tap_is_int((long long)store_durable_revision(f.store), 0, "others are not told yet");
	(void)loop_turn(f.loop, 0);
	tap_is_int(result.calls, 1, "it is answered at the end of the turn");
	tap_is_int(result.r, 0, "with success");
	tap_is_int((long long)result.revision, 1, "at the first revision");
	tap_is_int((long long)store_durable_revision(f.store), 1, "which is durable");
	commit_counter(f.store, "vpc", 8, &result);
	(void)loop_turn(f.loop, 0);
	tap_is_int((long long)counter_find(f.store, "vpc")->meta.created, 1,
		   "a changed row keeps when it was made");
	tap_is_int((long long)counter_find(f.store, "vpc")->meta.modified, 2,
		   "and knows when it was changed");
	fixture_close(&f);

	tap_is_int(fixture_open(&f, "put"), 0, "the file is opened again");
	tap_is_int(counter_value(f.store, "vpc"), 8, "the row is there");
	tap_is_int((long long)counter_find(f.store, "vpc")->meta.created, 1, "with both its revisions");
	tap_is_int((long long)counter_find(f.store, "vpc")->meta.modified, 2, "as they were");
	tap_is_int((long long)store_durable_revision(f.store), 2, "and the revision goes on");
	fixture_close(&f);
}

/* What a power cut leaves cannot be tried here; that the disk was told in time can. */
static void test_synced(void)
{
	unsigned int before;
	struct result result;
	struct fixture f;

	(void)fixture_open(&f, "synced");
	for (uint32_t i = 1; i <= 3; i++) {
		before = n_syncs;
		commit_counter(f.store, "vpc", i, &result);
		(void)loop_turn(f.loop, 0);
		tap_ok(result.calls == 1 && result.syncs > before,
		       "the disk has been told to keep write %u before it is answered", i);
	}
	fixture_close(&f);
}

static void test_compare(void)
{
	static const struct {
		const char *name, *key;
		uint64_t modified;
		int want;
	} cases[] = {
		{"a key that must not exist and does not", "counter/b", 0, 0},
		{"a key that must not exist but does", "counter/a", 0, -EAGAIN},
		{"a key of the expected revision", "counter/a", 1, 0},
		{"a key of an older revision than expected", "counter/a", 2, -EAGAIN},
		{"a missing key that was expected", "counter/b", 1, -EAGAIN},
	};
	struct fixture f;
	struct result result;

	(void)fixture_open(&f, "compare");
	commit_counter(f.store, "a", 1, &result);
	(void)loop_turn(f.loop, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct store_txn *txn;

		(void)store_txn_new(&txn);
		(void)store_txn_compare(txn, cases[i].key, cases[i].modified);
		result = (struct result){.r = 1};
		store_commit(f.store, txn, done, &result);
		tap_is_int(result.r, cases[i].want, "%s", cases[i].name);
	}
	fixture_close(&f);
}

static void test_all_or_nothing(void)
{
	struct counter a = counter_row("a", 1), b = counter_row("b", 1);
	struct fixture f;
	struct result result;
	struct store_txn *txn;

	(void)fixture_open(&f, "nothing");
	commit_counter(f.store, "b", 5, &result);
	(void)store_txn_new(&txn);
	(void)store_txn_row_put(txn, KIND_COUNTER, &a);
	(void)store_txn_row_put(txn, KIND_COUNTER, &b); /* must be new, but is not */
	result = (struct result){};
	store_commit(f.store, txn, done, &result);
	tap_is_int(result.r, -EAGAIN, "a transaction whose second row exists fails");
	tap_is_int(counter_value(f.store, "a"), 0, "its first row is not put");
	tap_is_int(counter_value(f.store, "b"), 5, "its second row is not changed");
	(void)loop_turn(f.loop, 0);

	(void)store_txn_new(&txn);
	(void)store_txn_row_put(txn, KIND_COUNTER, &a);
	a.value = 2;
	(void)store_txn_row_put(txn, KIND_COUNTER, &a);
	tap_is_int((long long)store_txn_n_ops(txn), 1, "a second put of a row replaces the first");
	store_commit(f.store, txn, done, &result);
	(void)loop_turn(f.loop, 0);
	tap_is_int(counter_value(f.store, "a"), 2, "the last put counts");

	(void)store_txn_new(&txn);
	(void)store_txn_row_delete(txn, KIND_COUNTER, counter_find(f.store, "a"));
	store_commit(f.store, txn, done, &result);
	(void)loop_turn(f.loop, 0);
	tap_ok(!counter_find(f.store, "a"), "a deleted row is gone");
	fixture_close(&f);
	(void)fixture_open(&f, "nothing");
	tap_ok(!counter_find(f.store, "a") && counter_find(f.store, "b"), "it is gone from the file, too");
	fixture_close(&f);
}

static int commit_n_rows(struct store *store, size_t n, struct result *result)
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

static int commit_padded(struct store *store, size_t n, size_t bytes, struct result *result)
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

/* Puts one row, padded, `n` times into one transaction. */
static int commit_repeated(struct store *store, size_t n, size_t bytes, struct result *result)
{
	json_t *value = padded_row("again", bytes);
	struct store_txn *txn;

	(void)store_txn_new(&txn);
	for (size_t i = 0; i < n; i++)
		(void)store_txn_put(txn, "counter/again", value);
	json_decref(value);
	*result = (struct result){};
	store_commit(store, txn, done, result);
	return result->r;
}

/* How long such a row is in JSON without its padding. */
static size_t padded_overhead(void)
{
	json_t *value = padded_row("again", 0);
	_cleanup_(freep) char *text = json_dumps(value, JSON_COMPACT);

	json_decref(value);
	return strlen(text);
}

static void test_exact_limits(void)
{
	size_t room = STORE_VALUE_MAX - padded_overhead();
	struct store_txn *txn;
	struct result result;
	struct fixture f;

	(void)fixture_open(&f, "exact");
	tap_is_int(commit_repeated(f.store, 1, room, &result), 0, "a value of 256 KiB is taken");
	(void)loop_turn(f.loop, 0);
	tap_is_int(commit_repeated(f.store, 1, room + 1, &result), -E2BIG, "one byte more is too large");
	tap_is_int(commit_repeated(f.store, 20, room, &result), 0,
		   "what a later put replaces does not count towards 1 MiB");
	(void)loop_turn(f.loop, 0);

	(void)store_txn_new(&txn);
	tap_is_int(store_txn_compare(txn, "counter/again", 2), 0, "a key is compared");
	tap_is_int(store_txn_compare(txn, "counter/again", 2), 0, "again with the same revision");
	tap_is_int(store_txn_compare(txn, "counter/again", 1), -EAGAIN,
		   "but not with another: what was decided on is not one state");
	result = (struct result){};
	store_commit(f.store, txn, done, &result);
	tap_is_int(result.r, -EAGAIN, "and the transaction fails");

	(void)store_txn_new(&txn);
	for (int i = 0; i < STORE_TXN_OPS_MAX; i++) {
		char key[32];

		(void)str_format(key, sizeof(key), "counter/c%d", i);
		(void)store_txn_compare(txn, key, 0);
	}
	result = (struct result){.r = 1};
	tap_is_int(store_txn_compare(txn, "counter/c0", 0), 0, "100 keys can be compared");
	tap_is_int(store_txn_compare(txn, "counter/one-more", 0), -E2BIG, "101 are too many");
	store_commit(f.store, txn, done, &result);
	tap_is_int(result.r, -E2BIG, "and the transaction fails");
	fixture_close(&f);
}

static void test_limits(void)
{
	struct fixture f;
	struct result result;
	struct store_txn *txn;
	json_t *value = json_pack("{s:i}", "value", 1);
	char key[STORE_KEY_MAX + 16] = "counter/";

	(void)fixture_open(&f, "limits");
	tap_is_int(commit_n_rows(f.store, STORE_TXN_OPS_MAX, &result), 0, "100 changes fit a transaction");
	(void)loop_turn(f.loop, 0);
	tap_is_int(result.r, 0, "and are carried out");
	tap_is_int((long long)snapshot_count(store_rows(f.store), KIND_COUNTER, "n"), 100, "all of them");
	tap_is_int(commit_n_rows(f.store, STORE_TXN_OPS_MAX + 1, &result), -E2BIG,
		   "101 changes are too many");
	tap_is_int(commit_padded(f.store, 1, STORE_VALUE_MAX, &result), -E2BIG,
		   "a value above 256 KiB is too large");
	tap_is_int(commit_padded(f.store, 5, STORE_VALUE_MAX - 100, &result), -E2BIG,
		   "a transaction above 1 MiB is too large");
	tap_ok(!counter_find(f.store, "p0"), "nothing of it was carried out");
	tap_is_int(commit_padded(f.store, 3, STORE_VALUE_MAX - 100, &result), 0, "one below 1 MiB is not");

	(void)store_txn_new(&txn);
	memset(key + strlen("counter/"), 'k', sizeof(key) - strlen("counter/") - 1);
	tap_is_int(store_txn_put(txn, key, value), -E2BIG, "a key above the limit is too long");
	store_txn_free(txn);
	(void)store_txn_new(&txn);
	tap_is_int(store_txn_put(txn, "planet/x", value), -EINVAL, "a key of no known kind is refused");
	store_commit(f.store, txn, done, &result);
	tap_is_int(result.r, -EINVAL, "and fails the whole transaction");
	(void)store_txn_new(&txn);
	tap_is_int(store_txn_put(txn, "counter/x", value), -EINVAL, "a row under another's key is refused");
	store_txn_free(txn);
	json_decref(value);
	(void)loop_turn(f.loop, 0);
	fixture_close(&f);
}

static void count_turn(void *context, _unused_ uint32_t events)
{
	(*(int *)context)++;
}

static void test_group_commit(void)
{
	struct result first, second, reading, failed;
	struct store_watch *watch;
	struct store_txn *txn;
	struct fixture f;
	int notified = 0;

	(void)fixture_open(&f, "group");
	(void)store_watch(f.store, count_turn, &notified, &watch);
	(void)store_txn_new(&txn);
	reading = (struct result){};
	store_commit(f.store, txn, done, &reading);
	tap_is_int(reading.calls, 1, "an empty transaction is answered at once when nothing is pending");

	commit_counter(f.store, "a", 1, &first);
	commit_counter(f.store, "a", 2, &second);
	(void)store_txn_new(&txn);
	reading = (struct result){};
	store_commit(f.store, txn, done, &reading);
	(void)commit_n_rows(f.store, STORE_TXN_OPS_MAX + 1, &failed);
	tap_is_int(failed.calls, 1, "a refused transaction does not wait for the others");
	tap_is_int(first.calls + second.calls + reading.calls, 0,
		   "whoever read what is not durable waits until it is");
	tap_is_int(notified, 0, "watchers hear nothing before that");
	(void)loop_turn(f.loop, 0);
	tap_is_int((long long)first.revision, 1, "the first transaction has a revision of its own");
	tap_is_int((long long)second.revision, 2, "so has the second, which saw the first");
	tap_is_int(reading.calls, 1, "the reader is answered");
	tap_is_int(notified, 1, "watchers hear once of both");
	(void)loop_turn(f.loop, 0);
	tap_is_int(notified, 1, "and not again in a turn without changes");
	store_watch_free(watch);
	fixture_close(&f);
}

struct told {
	size_t n, deleted;
	uint64_t last;
	char keys[1024];
};

static void tell(void *context, const char *key, const json_t *value, _unused_ uint64_t created,
		 uint64_t revision)
{
	struct told *told = context;

	told->n++;
	told->deleted += !value;
	told->last = revision;
	if (told->n <= 8)
		(void)str_format(told->keys + strlen(told->keys), sizeof(told->keys) - strlen(told->keys),
				 "%s%s ", value ? "" : "-", key);
}

static void test_changes(void)
{
	struct told told = {};
	struct result result;
	struct store_txn *txn;
	struct fixture f;

	(void)fixture_open(&f, "changes");
	commit_counter(f.store, "b", 1, &result);
	(void)loop_turn(f.loop, 0);
	commit_counter(f.store, "a", 1, &result);
	(void)loop_turn(f.loop, 0);
	(void)store_txn_new(&txn);
	(void)store_txn_row_delete(txn, KIND_COUNTER, counter_find(f.store, "b"));
	store_commit(f.store, txn, done, &result);
	(void)loop_turn(f.loop, 0);
	commit_counter(f.store, "c", 1, &result); /* not durable */

	tap_is_int(store_changes(f.store, 0, tell, &told), 3, "changes are told up to the durable revision");
	tap_is_str(told.keys, "counter/b counter/a -counter/b ", "oldest first, deletions too");
	told = (struct told){};
	tap_is_int(store_changes(f.store, 2, tell, &told), 3, "changes after a revision");
	tap_is_str(told.keys, "-counter/b ", "are those after it");
	told = (struct told){};
	(void)store_changes(f.store, 3, tell, &told);
	tap_is_int((long long)told.n, 0, "nothing is new after the last");
	(void)loop_turn(f.loop, 0);
	told = (struct told){};
	store_list(f.store, "counter/", tell, &told);
	tap_is_str(told.keys, "counter/a counter/c ", "a list is in the order of keys");
	fixture_close(&f);

	(void)fixture_open(&f, "changes");
	tap_is_int(store_changes(f.store, 3, tell, &told), -EOVERFLOW,
		   "changes before the start are forgotten");
	tap_is_int(store_changes(f.store, 4, tell, &told), 4, "the present revision is known");

	for (size_t i = 0; i < STORE_HISTORY_MAX / STORE_TXN_OPS_MAX + 2; i++) {
		(void)store_txn_new(&txn);
		for (size_t j = 0; j < STORE_TXN_OPS_MAX; j++) {
			struct counter row = {.value = (uint32_t)i + 1};
			const struct counter *present;

			(void)str_format(row.name, sizeof(row.name), "h%zu", j);
			present = counter_find(f.store, row.name);
			if (present)
				row.meta = present->meta;
			(void)store_txn_row_put(txn, KIND_COUNTER, &row);
		}
		store_commit(f.store, txn, done, &result);
	}
	(void)loop_turn(f.loop, 0);
	tap_is_int(store_changes(f.store, 5, tell, &told), -EOVERFLOW,
		   "more changes than are remembered push old ones out");
	told = (struct told){};
	tap_is_int(store_changes(f.store, result.revision - 1, tell, &told), (long long)result.revision,
		   "the newest are still told");
	tap_is_int((long long)told.n, STORE_TXN_OPS_MAX, "all of the last transaction");
	fixture_close(&f);
}

/* Large documents push out others long before there are many of them. */
static void test_history_in_bytes(void)
{
	struct client_token row = {.uid = 1, .action = "a:b"};
	struct result result = {};
	struct told told = {};
	struct store_txn *txn;
	struct fixture f;
	uint64_t begin;
	size_t n = STORE_HISTORY_BYTES_MAX / sizeof(row.answer) + 100;

	(void)fixture_open(&f, "bytes");
	commit_counter(f.store, "b", 1, &result);
	(void)loop_turn(f.loop, 0);
	begin = result.revision;
	memset(row.answer, 'x', sizeof(row.answer) - 1);
	for (size_t i = 0; i < n; i++) {
		(void)str_format(row.token, sizeof(row.token), "%zu", i);
		(void)store_txn_new(&txn);
		(void)store_txn_row_put(txn, KIND_CLIENT_TOKEN, &row);
		store_commit(f.store, txn, done, &result);
	}
	(void)loop_turn(f.loop, 0);
	tap_ok(n < STORE_HISTORY_MAX / 4, "far fewer changes than may be remembered,");
	tap_is_int(store_changes(f.store, begin, tell, &told), -EOVERFLOW,
		   "but more bytes: the oldest are pushed out");
	tap_is_int(store_changes(f.store, result.revision - 100, tell, &told), (long long)result.revision,
		   "the newest are still told");
	fixture_close(&f);
}

static void test_failing_disk(void)
{
	struct rlimit unlimited, small;
	struct result first, second;
	struct fixture f;

	(void)fixture_open(&f, "full");
	commit_counter(f.store, "a", 1, &first);
	(void)loop_turn(f.loop, 0);

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &unlimited);
	small = unlimited;
	small.rlim_cur = 1024;
	(void)setrlimit(RLIMIT_FSIZE, &small);
	commit_counter(f.store, "a", 2, &first);
	commit_counter(f.store, "b", 2, &second);
	(void)loop_turn(f.loop, 0);
	(void)setrlimit(RLIMIT_FSIZE, &unlimited);
	tap_ok(first.r < 0 && second.r < 0, "a disk that takes no more fails all transactions of the turn");
	tap_is_int(counter_value(f.store, "a"), 1, "memory goes back to what is on disk");
	tap_ok(!counter_find(f.store, "b"), "for every row");
	tap_is_int((long long)store_durable_revision(f.store), 1, "the durable revision has not risen");

	commit_counter(f.store, "b", 3, &second);
	(void)loop_turn(f.loop, 0);
	tap_is_int(second.r, 0, "when the disk takes writes again, so does the store");
	fixture_close(&f);
	(void)fixture_open(&f, "full");
	tap_is_int(counter_value(f.store, "b"), 3, "and they are there after reopening");
	fixture_close(&f);
}

static void write_file(const char *name, const void *data, size_t size)
{
	int fd = open(file_name(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)close(fd);
}

static void run_sql(const char *name, const char *sql)
{
	sqlite3 *db;

	if (sqlite3_open(file_name(name), &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	sqlite3_close(db);
}

/* As the first version made it. */
static const char version_1[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, created INTEGER NOT NULL,"
	"                 modified INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('schema', 1), ('revision', 5);"
	"INSERT INTO kv VALUES ('counter/a', '{\"name\":\"a\",\"value\":7}', 3, 5);"
	"PRAGMA application_id = 0x706c6b31; PRAGMA user_version = 1;";

static void test_identity(void)
{
	char first[STORE_IDENTITY_SIZE];
	struct fixture f;

	(void)fixture_open(&f, "mine");
	tap_ok(strlen(store_identity(f.store)) == 32 &&
		       strspn(store_identity(f.store), "0123456789abcdef") == 32,
	       "a new store draws an identity");
	(void)str_copy(first, sizeof(first), store_identity(f.store));
	fixture_close(&f);
	(void)fixture_open(&f, "mine");
	tap_is_str(store_identity(f.store), first, "and keeps it");
	fixture_close(&f);
	(void)fixture_open(&f, "yours");
	tap_ok(!streq(store_identity(f.store), first), "another store has another one");
	fixture_close(&f);

	run_sql("old", version_1);
	tap_is_int(fixture_open(&f, "old"), 0, "a file of the first version is taken over");
	tap_ok(counter_value(f.store, "a") == 7 && store_durable_revision(f.store) == 5, "with its rows");
	tap_is_int((long long)strlen(store_identity(f.store)), 32, "and gets an identity");
	(void)str_copy(first, sizeof(first), store_identity(f.store));
	fixture_close(&f);
	(void)fixture_open(&f, "old");
	tap_is_str(store_identity(f.store), first, "once");
	fixture_close(&f);
}

/* ---- history ---- */

/* One change, by one opening. Returns the revision. */
static uint64_t change_once(const char *name, const char *counter, char ret_timeline[STORE_TIMELINE_SIZE])
{
	struct result result = {};
	struct fixture f;
	uint64_t revision;

	(void)fixture_open(&f, name);
	commit_counter(f.store, counter, 1, &result);
	(void)loop_turn(f.loop, 0);
	(void)str_copy(ret_timeline, STORE_TIMELINE_SIZE, store_timeline(f.store));
	revision = store_durable_revision(f.store);
	fixture_close(&f);
	return revision;
}

static bool had(const char *name, const char *timeline, uint64_t revision)
{
	struct fixture f;
	bool r;

	(void)fixture_open(&f, name);
	r = store_had(f.store, timeline, revision);
	fixture_close(&f);
	return r;
}

static void test_timelines(void)
{
	char first[STORE_TIMELINE_SIZE], right[STORE_TIMELINE_SIZE], copied[STORE_TIMELINE_SIZE];
	uint64_t at_first, at_right, at_copied = 0;
	const char *backup;
	struct fixture f;

	(void)fixture_open(&f, "right");
	tap_is_str(store_timeline(f.store), "", "a store without a change has no timeline");
	tap_ok(store_had(f.store, "", 0) && !store_had(f.store, "", 1), "and has had nothing");
	fixture_close(&f);
	at_first = change_once("right", "a", first);
	tap_is_int((long long)strlen(first), STORE_TIMELINE_SIZE - 1, "the first change begins one");
	(void)fixture_open(&f, "right");
	tap_is_str(store_timeline(f.store), first, "it goes on until another opening changes something");
	tap_is_int(store_back_up(f.store, &backup), 0, "a copy is made");
	fixture_close(&f);
	at_right = change_once("right", "b", right);
	tap_ok(!streq(right, first) && at_right == at_first + 1,
	       "another opening's change begins another one");
	for (int i = 0; i < 3; i++)
		at_copied = change_once("right.backup", i ? "d" : "c", copied);
	tap_ok(at_copied > at_right, "the copy counts on beyond it");

	tap_ok(had("right", first, at_first) && had("right.backup", first, at_first),
	       "what was before the copy, both had");
	tap_ok(!had("right", first, at_right) && !had("right.backup", first, at_right),
	       "the first timeline ended with it");
	tap_ok(had("right", right, at_right) && !had("right.backup", right, at_right),
	       "what was after it, the one had");
	tap_ok(!had("right", copied, at_copied) && had("right.backup", copied, at_copied), "or the other");
	tap_ok(!had("right", right, at_right + 1), "nobody had what is yet to come");
	change_once("right", "e", copied);
	tap_ok(had("right", right, at_right) && had("right", first, at_first),
	       "what it had it has had for ever");
}

/* Those that have been forgotten are no longer known, the others are. */
static void test_timelines_limit(void)
{
	char name[STORE_TIMELINE_SIZE], sql[256];
	uint64_t revision = change_once("many", "a", name);
	sqlite3 *db;

	if (sqlite3_open(file_name("many"), &db) != SQLITE_OK)
		abort();
	(void)sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	for (int id = 2; id <= STORE_TIMELINES_MAX; id++) {
		(void)str_format(name, sizeof(name), "%016x", (unsigned int)id);
		(void)str_format(sql, sizeof(sql), "INSERT INTO timeline VALUES (%d, '%s', 1, %lld)", id,
				 name, (long long)sum_of_row(name, "", (uint64_t)id, 1));
		(void)sqlite3_exec(db, sql, NULL, NULL, NULL);
	}
	if (sqlite3_exec(db, "DELETE FROM timeline WHERE id = 1; COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	sqlite3_close(db);
	for (int i = 0; i < 2; i++)
		revision = change_once("many", i ? "c" : "b", name);
	tap_ok(had("many", name, revision), "with very many timelines, another one is begun");
	tap_ok(had("many", "0000000000000004", 1) && !had("many", "0000000000000002", 1),
	       "and the oldest ones are forgotten");
}

/* ---- damage ---- */

static int open_result(const char *name);

static struct record *record_at(const char *name)
{
	struct record *record;

	if (record_open(file_name(name), true, &record) < 0)
		abort();
	return record;
}

static uint64_t recorded(const char *name)
{
	struct record *record = record_at(name);
	char identity[STORE_IDENTITY_SIZE];
	uint64_t revision;
	int r = record_read(record, identity, &revision);

	record_free(record);
	return r == 0 ? revision : 0;
}

static void test_record(void)
{
	static const char identity[] = "0123456789abcdef0123456789abcdef";
	struct record *record;
	uint8_t byte = 'x';
	int fd;

	tap_is_int(record_open(file_name("none"), true, &record), -ENOENT,
		   "a record that is not there is not made");
	write_file("record", "", 0);
	tap_is_int((long long)recorded("record"), 0, "an empty record says nothing");
	for (uint64_t revision = 7; revision <= 9; revision++) {
		record = record_at("record");
		tap_is_int(record_write(record, identity, revision), 0, "a revision is recorded");
		record_free(record);
		tap_is_int((long long)recorded("record"), (long long)revision, "and read again");
	}
	fd = open(file_name("record"), O_RDWR | O_CLOEXEC);
	for (off_t at = 0; at < 65; at++) {
		uint8_t kept;

		if (pread(fd, &kept, 1, at) != 1 || pwrite(fd, &byte, 1, at) != 1)
			abort();
		if (kept != byte && recorded("record") != 8)
			tap_ok(false, "a byte changed at %lld leaves the revision before", (long long)at);
		if (pwrite(fd, &kept, 1, at) != 1)
			abort();
	}
	tap_is_int((long long)recorded("record"), 9, "a slot that was half written leaves the other one");
	(void)close(fd);
	record = record_at("record");
	(void)record_set(record, identity, 3);
	record_free(record);
	tap_is_int((long long)recorded("record"), 3, "a lower revision can be set");
}

static void test_recorded_commits(void)
{
	struct result result;
	struct fixture f;
	unsigned int before;

	write_file("commits.record", "", 0);
	(void)fixture_open(&f, "commits");
	store_keep_record(f.store, record_at("commits.record"));
	for (uint32_t i = 1; i <= 3; i++) {
		before = n_syncs;
		commit_counter(f.store, "a", i, &result);
		(void)loop_turn(f.loop, 0);
		tap_ok(result.r == 0 && recorded("commits.record") == i && result.syncs >= before + 2,
		       "revision %u is recorded, durably, before it is answered", i);
	}
	fixture_close(&f);
}

static void make_damaged(const char *name, const char *sql)
{
	struct result result;
	struct fixture f;

	(void)fixture_open(&f, name);
	(void)commit_n_rows(f.store, 10, &result);
	(void)loop_turn(f.loop, 0);
	fixture_close(&f);
	run_sql(name, sql);
}

static void test_damaged_rows(void)
{
	static const struct {
		const char *name, *sql;
		int n_left;
	} cases[] = {
		{"a value that changed",
		 "UPDATE kv SET value = '{\"name\":\"n3\",\"value\":9}' WHERE key = 'counter/n3'", 10},
		{"a key that changed", "UPDATE kv SET key = 'counter/x3' WHERE key = 'counter/n3'", 9},
		{"a revision that changed", "UPDATE kv SET modified = 2 WHERE key = 'counter/n3'", 10},
		{"a row that is missing", "DELETE FROM kv WHERE key = 'counter/n3'", 9},
		{"a revision of the store that changed", "UPDATE meta SET value = 7 WHERE name = 'revision'",
		 10},
		{"a timeline's name that changed", "UPDATE timeline SET name = '0123456789abcdef'", 10},
		{"a timeline's beginning that changed", "UPDATE timeline SET begins = 7", 10},
		{"a timeline that is missing",
		 "INSERT INTO timeline SELECT id + 2, name, begins, sum FROM timeline", 10},
		{"an identity that is none",
		 "UPDATE about SET value = 'g' || substr(value, 2) WHERE name = 'store'", 10},
		{"an identity that is missing", "DELETE FROM about", 10},
		{"a row that is no JSON", "UPDATE kv SET value = '{' WHERE key = 'counter/n3'", 9},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[32], before[STORE_IDENTITY_SIZE];
		bool damaged = false;
		struct fixture f;

		(void)str_format(name, sizeof(name), "damaged%zu", i);
		make_damaged(name, cases[i].sql);
		tap_is_int(open_result(name), -EUCLEAN, "%s is seen", cases[i].name);
		(void)loop_new(&f.loop);
		tap_is_int(store_sqlite_reopen(f.loop, file_name(name), true, &damaged, &f.store), 0,
			   "%s does not keep the rest from being read", cases[i].name);
		(void)str_copy(before, sizeof(before), store_identity(f.store));
		tap_ok(damaged && store_renew(f.store) == 0 && !streq(store_identity(f.store), before),
		       "%s: what is left is another store", cases[i].name);
		fixture_close(&f);
		tap_is_int(fixture_open(&f, name), 0, "%s: which is whole", cases[i].name);
		tap_is_int((long long)snapshot_count(store_rows(f.store), KIND_COUNTER, ""), cases[i].n_left,
			   "%s: with what could be read", cases[i].name);
		fixture_close(&f);
	}
}

static int open_result(const char *name)
{
	struct fixture f;
	int r = fixture_open(&f, name);

	fixture_close(&f);
	return r;
}

static void test_refused_files(void)
{
	static const char garbage[4096] = "this is a letter to a friend, not a database";
	struct result result;
	struct fixture f;
	pid_t child;
	int status;

	(void)fixture_open(&f, "taken");
	child = fork();
	if (child == 0)
		_exit(open_result("taken") == -EBUSY ? 0 : 1);
	(void)waitpid(child, &status, 0);
	tap_is_int(status, 0, "a file that another process has is busy");
	fixture_close(&f);

	write_file("garbage", garbage, sizeof(garbage));
	tap_is_int(open_result("garbage"), -EUCLEAN, "a file that is no database is refused");
	run_sql("foreign", "CREATE TABLE t (x); PRAGMA application_id = 17;");
	tap_is_int(open_result("foreign"), -EUCLEAN, "a database of another program is refused");
	(void)open_result("newer");
	run_sql("newer", "PRAGMA user_version = 99;");
	tap_is_int(open_result("newer"), -EUCLEAN, "a file of a newer version is refused");
	(void)open_result("row");
	run_sql("row", "INSERT INTO kv VALUES ('counter/a', '{\"name\": \"a\", ', 1, 1, 0);");
	tap_is_int(open_result("row"), -EUCLEAN, "a row that is no JSON is refused");
	(void)open_result("kind");
	run_sql("kind", "INSERT INTO kv VALUES ('planet/a', '{}', 1, 1, 0);");
	tap_is_int(open_result("kind"), -EUCLEAN, "a row of an unknown kind is refused");

	(void)fixture_open(&f, "cut");
	for (uint32_t i = 0; i < 40; i++)
		(void)commit_n_rows(f.store, STORE_TXN_OPS_MAX, &result);
	(void)commit_padded(f.store, 3, 100000, &result);
	(void)loop_turn(f.loop, 0);
	fixture_close(&f);
	if (truncate(file_name("cut"), 65536) < 0)
		abort();
	tap_is_int(open_result("cut"), -EUCLEAN, "a file that lost its end is refused");
	tap_is_int(open_result("no/such/place"), -ENOENT, "a file in a missing directory cannot be made");
}

/* Commits counters "k0", "k1", … and writes the number of each to the pipe when it is acknowledged. */
static _Noreturn void writing_child(int fd)
{
	struct fixture f;
	struct result result;

	if (fixture_open(&f, "killed") < 0)
		_exit(1);
	for (uint32_t i = (uint32_t)snapshot_count(store_rows(f.store), KIND_COUNTER, "k");; i++) {
		char name[WORD_SIZE];

		(void)str_format(name, sizeof(name), "k%u", i);
		commit_counter(f.store, name, i + 1, &result);
		(void)loop_turn(f.loop, 0);
		if (result.r < 0 || write(fd, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void test_killed_in_mid_write(void)
{
	uint32_t acknowledged = 0, number, missing = 0;
	struct fixture f;

	for (int round = 0; round < 5; round++) {
		int pipe_fds[2], status;
		pid_t child;

		if (pipe(pipe_fds) < 0)
			abort();
		child = fork();
		if (child == 0)
			writing_child(pipe_fds[1]);
		(void)close(pipe_fds[1]);
		for (int i = 0;
		     i < 40 + 17 * round && read(pipe_fds[0], &number, sizeof(number)) == sizeof(number); i++)
			acknowledged = number + 1;
		(void)kill(child, SIGKILL);
		(void)waitpid(child, &status, 0);
		while (read(pipe_fds[0], &number, sizeof(number)) == sizeof(number))
			acknowledged = number + 1;
		(void)close(pipe_fds[0]);
	}
	tap_ok(acknowledged > 200, "five writers were killed after %u acknowledged writes", acknowledged);
	tap_is_int(fixture_open(&f, "killed"), 0, "the file they left is opened");
	for (uint32_t i = 0; i < acknowledged; i++) {
		char name[WORD_SIZE];

		(void)str_format(name, sizeof(name), "k%u", i);
		missing += counter_value(f.store, name) != i + 1;
	}
	tap_is_int(missing, 0, "every acknowledged write is there");
	fixture_close(&f);
}

/* A power cut: what is behind a byte of the log never reached the disk, or is something else. */

#define CUT_WRITES 12
#define CUT_STEP                                                                                             \
	509 /* with the bytes around every acknowledgement: a prime that wanders through the log's frames */

struct cut_log {
	uint8_t *db, *wal;
	size_t db_size, wal_size, acknowledged_at[CUT_WRITES];
};

static uint8_t *read_file(const char *name, size_t *ret_size)
{
	_cleanup_(closep) int fd = open(file_name(name), O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	data = malloc((size_t)st.st_size + 1);
	if (!data || read(fd, data, (size_t)st.st_size) != st.st_size)
		abort();
	*ret_size = (size_t)st.st_size;
	return data;
}

static struct cut_log cut_log_write(void)
{
	struct cut_log log = {};
	struct fixture f;
	struct result result;
	struct stat st;

	if (fixture_open(&f, "log") < 0)
		abort();
	for (uint32_t i = 0; i < CUT_WRITES; i++) {
		char name[WORD_SIZE];

		(void)str_format(name, sizeof(name), "k%u", i);
		commit_counter(f.store, name, i + 1, &result);
		(void)loop_turn(f.loop, 0);
		if (result.calls != 1 || result.r < 0 || stat(file_name("log-wal"), &st) < 0)
			abort();
		log.acknowledged_at[i] = (size_t)st.st_size;
	}
	log.db = read_file("log", &log.db_size);
	log.wal = read_file("log-wal", &log.wal_size);
	fixture_close(&f);
	return log;
}

/* Whether a machine that starts with this has every write that was acknowledged before the cut. */
static bool survives(const struct cut_log *log, size_t cut, bool garbage)
{
	_cleanup_(freep) uint8_t *wal = malloc(log->wal_size + 1);
	struct fixture f;
	bool all = true;

	if (!wal)
		abort();
	memcpy(wal, log->wal, cut);
	memset(wal + cut, 0xa5, log->wal_size - cut);
	write_file("power", log->db, log->db_size);
	write_file("power-wal", wal, garbage ? log->wal_size : cut);
	if (fixture_open(&f, "power") < 0) {
		fixture_close(&f);
		return false;
	}
	for (uint32_t i = 0; i < CUT_WRITES; i++) {
		char name[WORD_SIZE];

		(void)str_format(name, sizeof(name), "k%u", i);
		if (log->acknowledged_at[i] <= cut)
			all = all && counter_value(f.store, name) == i + 1;
	}
	fixture_close(&f);
	return all;
}

static void test_cut_at_any_byte(void)
{
	struct cut_log log = cut_log_write();
	size_t n = 0, lost = 0;

	for (size_t cut = 0; cut <= log.wal_size; cut += CUT_STEP, n += 2)
		lost += !survives(&log, cut, false) + !survives(&log, cut, true);
	for (size_t i = 0; i < CUT_WRITES; i++)
		for (size_t cut = log.acknowledged_at[i] - 1;
		     cut <= MIN(log.acknowledged_at[i] + 1, log.wal_size); cut++, n += 2)
			lost += !survives(&log, cut, false) + !survives(&log, cut, true);
	tap_ok(n > 200 && lost == 0, "of %zu logs cut or spoilt at a byte, %zu lost an acknowledged write", n,
	       lost);
	free(log.db);
	free(log.wal);
}

static void remove_directory(void)
{
	_cleanup_(freep) char *command = NULL;

	if (asprintf(&command, "rm -rf '%s'", directory) < 0 || system(command) != 0)
		tap_note("left behind: %s", directory);
}

int main(void)
{
	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	test_put_and_read();
	test_synced();
	test_compare();
	test_all_or_nothing();
	test_limits();
	test_exact_limits();
	test_group_commit();
	test_changes();
	test_history_in_bytes();
	test_failing_disk();
	test_identity();
	test_timelines();
	test_timelines_limit();
	test_record();
	test_recorded_commits();
	test_damaged_rows();
	test_refused_files();
	test_killed_in_mid_write();
	test_cut_at_any_byte();
	remove_directory();
	return tap_done();
}
