/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: transactions, durability, and what is left after a crash. Every case works on a file of its own
 * in a temporary directory.
 */
#include "store_fixture.h"

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

struct watching {
	struct store *store;
	const char *name;
	char *calls; /* of all, in their order; with a plus where memory is ahead of the disk */
	bool commits;
	struct result result;
};

static void note_call(void *context, _unused_ uint32_t events)
{
	struct watching *watching = context;
	bool ahead = snapshot_revision(store_rows(watching->store)) > store_durable_revision(watching->store);

	strcat(watching->calls, watching->name);
	strcat(watching->calls, ahead ? "+ " : " ");
	if (!watching->commits)
		return;
	watching->commits = false;
	commit_counter(watching->store, "b", 1, &watching->result);
}

static void test_watches(void)
{
	struct store_watch *watches[2];
	struct result result;
	struct fixture f;
	char calls[64] = "";
	struct watching watching[2] = {{.name = "first", .calls = calls, .commits = true},
				       {.name = "second", .calls = calls}};

	(void)fixture_open(&f, "watches");
	for (size_t i = 0; i < ARRAY_SIZE(watching); i++) {
		watching[i].store = f.store;
		(void)store_watch(f.store, note_call, &watching[i], &watches[i]);
	}
	commit_counter(f.store, "a", 1, &result);
	(void)loop_turn(f.loop, 0);
	tap_is_str(calls, "first second+ ", "watchers hear in their order, and one may commit");
	(void)loop_turn(f.loop, 0);
	tap_is_str(calls, "first second+ first second ", "and hear again when that is durable");
	tap_is_int((long long)watching[0].result.revision, 2, "at a revision of its own");
	for (size_t i = 0; i < ARRAY_SIZE(watching); i++)
		store_watch_free(watches[i]);
	fixture_close(&f);
}

struct told {
	size_t n, deleted;
	uint64_t last;
	char keys[1024];
};

static void tell(void *context, const struct store_change *change)
{
	struct told *told = context;

	told->n++;
	told->deleted += change->is_gone;
	told->last = change->revision;
	if (told->n <= 8)
		(void)str_format(told->keys + strlen(told->keys), sizeof(told->keys) - strlen(told->keys),
				 "%s%s ", change->is_gone ? "-" : "", change->key);
}

static void tell_row(void *context, const char *key, _unused_ const json_t *value, _unused_ uint64_t created,
		     uint64_t revision)
{
	tell(context, &(struct store_change){.key = key, .revision = revision});
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
	(void)store_list(f.store, "counter/", tell_row, &told);
	tap_is_str(told.keys, "counter/a counter/c ", "a list is in the order of keys");
	(void)store_txn_new(&txn);
	(void)store_txn_row_put(txn, KIND_ACCOUNT, &(struct account){.uid = 1000000000000001, .name = "one"});
	(void)store_txn_row_put(txn, KIND_TAG, &(struct tag){.resource = "ep-1", .key = "k"});
	store_commit(f.store, txn, done, &result);
	(void)loop_turn(f.loop, 0);
	told = (struct told){};
	(void)store_list(f.store, "", tell_row, &told);
	tap_is_str(told.keys, "account/1000000000000001 counter/a counter/c tag/ep-1/k ",
		   "also across kinds, whatever order those have");
	told = (struct told){};
	(void)store_list(f.store, "count", tell_row, &told);
	tap_is_str(told.keys, "counter/a counter/c ", "a prefix may end within a kind's name");
	fixture_close(&f);

	(void)fixture_open(&f, "changes");
	tap_is_int(store_changes(f.store, 4, tell, &told), -EOVERFLOW,
		   "changes before the start are forgotten");
	tap_is_int(store_changes(f.store, 5, tell, &told), 5, "the present revision is known");

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

/* Long keys push out others before there are many of them. */
static void test_history_in_bytes(void)
{
	struct tag row = {.resource = "ep-1"};
	struct result result = {};
	struct told told = {};
	struct store_txn *txn;
	struct fixture f;
	uint64_t begin;
	size_t n = STORE_HISTORY_BYTES_MAX / (3 * 60 * 4), done_n = 0;

	(void)fixture_open(&f, "bytes");
	commit_counter(f.store, "b", 1, &result);
	(void)loop_turn(f.loop, 0);
	begin = result.revision;
	while (done_n < n) {
		(void)store_txn_new(&txn);
		for (size_t j = 0; j < STORE_TXN_OPS_MAX; j++) {
			memset(row.key, '%', 60 * 4); /* three bytes each in a key */
			(void)str_format(row.key + 60 * 4, sizeof(row.key) - 60 * 4, "%zu", done_n++);
			(void)store_txn_row_put(txn, KIND_TAG, &row);
		}
		store_commit(f.store, txn, done, &result);
	}
	(void)loop_turn(f.loop, 0);
	tap_is_int(result.r, 0, "long keys are taken");
	tap_ok(done_n < STORE_HISTORY_MAX / 2, "far fewer changes than may be remembered,");
	tap_is_int(store_changes(f.store, begin, tell, &told), -EOVERFLOW,
		   "but more bytes: the oldest are pushed out");
	tap_is_int(store_changes(f.store, result.revision - 10, tell, &told), (long long)result.revision,
		   "the newest are still told");
	fixture_close(&f);
}

static void test_failing_disk(void)
{
	struct result first, second, refused, reading;
	struct rlimit unlimited, small;
	const struct counter *row;
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
	tap_ok(first.r < 0 && second.r < 0, "a disk that takes no more fails all transactions of the turn");
	tap_is_int(counter_value(f.store, "a"), 1, "memory goes back to what is on disk");
	tap_ok(!counter_find(f.store, "b"), "for every row");
	tap_is_int((long long)store_durable_revision(f.store), 1, "the durable revision has not risen");

	row = counter_find(f.store, "a");
	commit_counter(f.store, "a", 2, &refused);
	tap_ok(refused.calls == 1 && refused.r == first.r,
	       "the next change is refused at once, with the same error");
	commit_empty(f.store, &reading);
	(void)loop_turn(f.loop, 0);
	tap_ok(counter_find(f.store, "a") == row, "nothing is read again for it");
	tap_ok(reading.calls == 1 && reading.r == 0, "what changes nothing is answered meanwhile");
	rest(&f);
	commit_counter(f.store, "a", 2, &second);
	tap_is_int(second.calls, 0, "a moment later one is tried");
	(void)loop_turn(f.loop, 0);
	commit_counter(f.store, "a", 2, &refused);
	tap_ok(second.r < 0 && refused.calls == 1 && refused.r == second.r,
	       "and as it fails the next ones are refused again");
	(void)setrlimit(RLIMIT_FSIZE, &unlimited);

	rest(&f);
	commit_counter(f.store, "b", 3, &second);
	(void)loop_turn(f.loop, 0);
	tap_is_int(second.r, 0, "when the disk takes writes again, so does the store");
	fixture_close(&f);
	(void)fixture_open(&f, "full");
	tap_is_int(counter_value(f.store, "b"), 3, "and they are there after reopening");
	fixture_close(&f);
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
	test_watches();
	test_changes();
	test_history_in_bytes();
	test_failing_disk();
	remove_directory();
	return tap_done();
}
