/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's database file: whose it is, its history, damages, what is refused, and cuts at any byte.
 */
#include "store_fixture.h"

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
	run_sql("mine", "DELETE FROM about WHERE name = 'store_sum'");
	(void)fixture_open(&f, "mine");
	tap_is_str(store_identity(f.store), first, "also one that was made before identities had sums");
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

static int version_of(const char *name)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int version;

	if (sqlite3_open(file_name(name), &db) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		abort();
	version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return version;
}

/* Who knows less may read what holds nothing else. */
static void test_versions(void)
{
	struct result result;
	const char *backup;
	struct fixture f;

	(void)fixture_open(&f, "versions");
	commit_counter(f.store, "a", 7, &result);
	(void)loop_turn(f.loop, 0);
	fixture_close(&f);
	tap_is_int(version_of("versions"), 3, "a new file is of the present version");
	tap_is_int(version_of("old"), 3, "and one of the first version that was taken over");

	run_sql("versions", "PRAGMA user_version = 2");
	tap_is_int(fixture_open(&f, "versions"), 0, "a file of the version before is taken");
	tap_is_int(counter_value(f.store, "a"), 7, "with its rows");
	fixture_close(&f);
	tap_is_int(version_of("versions"), 2, "and stays of that version while nothing is written");
	(void)fixture_open(&f, "versions");
	commit_counter(f.store, "a", 8, &result);
	(void)loop_turn(f.loop, 0);
	tap_ok(result.r == 0 && store_back_up(f.store, &backup) == 0, "the first change is taken");
	fixture_close(&f);
	tap_is_int(version_of("versions"), 3, "with it the file is of the present version");
	tap_is_int(version_of("versions.backup"), 3, "and so is a copy of it");
	(void)fixture_open(&f, "versions");
	tap_is_int(counter_value(f.store, "a"), 8, "it is opened again");
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

static void count_notice(void *context, _unused_ uint32_t events)
{
	(*(int *)context)++;
}

/* The answer to a call that says what an earlier one has done. */
static int repeat_result(struct store *store)
{
	struct result result = {.r = 1};
	struct store_txn *txn;

	if (store_txn_new(&txn) < 0)
		abort();
	store_txn_repeats(txn);
	store_commit(store, txn, done, &result);
	return result.r;
}

/* The record's disk takes nothing, the database's does. */
static void test_unrecorded(void)
{
	struct result result, refused;
	struct store_watch *watch;
	struct fixture f;
	struct stat st;
	int notified = 0, n_refused = 0;

	write_file("unrecorded.record", "", 0);
	(void)stat(file_name("unrecorded.record"), &st);
	(void)fixture_open(&f, "unrecorded");
	store_keep_record(f.store, record_at("unrecorded.record"));
	(void)store_watch(f.store, count_notice, &notified, &watch);
	commit_counter(f.store, "a", 1, &result);
	(void)loop_turn(f.loop, 0);
	tap_ok(result.r == 0 && notified == 1 && repeat_result(f.store) == 0,
	       "while it is recorded all hear of a change");

	failing_file = st.st_ino;
	commit_counter(f.store, "b", 1, &result);
	(void)loop_turn(f.loop, 0);
	tap_is_int(result.r, -EIO, "a change that cannot be recorded has failed for its caller");
	tap_ok(notified == 1 && store_durable_revision(f.store) == 1, "and nobody else hears of it");
	for (int i = 0; i < 5; i++) {
		commit_counter(f.store, "c", 1, &refused);
		n_refused += refused.calls == 1 && refused.r == -EIO;
	}
	tap_ok(n_refused == 5 && !counter_find(f.store, "c"), "from there on none is carried out");
	tap_is_int(repeat_result(f.store), -EIO, "who asks again whether it is done is not told that it is");
	commit_empty(f.store, &refused);
	tap_is_int(refused.r, 0, "who only reads is answered");
	(void)loop_turn(f.loop, 2000);
	tap_ok(store_refuses(f.store) && notified == 1, "a second later it is as before");

	failing_file = 0;
	rest(&f);
	tap_ok(recorded("unrecorded.record") == 2 && store_durable_revision(f.store) == 2 && notified == 2,
	       "when the disk takes it, it is recorded without another change, and all hear of it");
	tap_is_int(repeat_result(f.store), 0, "also who asks again");
	commit_counter(f.store, "c", 1, &result);
	(void)loop_turn(f.loop, 0);
	tap_ok(result.r == 0 && recorded("unrecorded.record") == 3, "and the next change goes as ever");
	store_watch_free(watch);
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
		{"an identity of which a digit changed",
		 "UPDATE about SET value = CASE substr(value, 1, 1) WHEN '0' THEN '1' ELSE '0' END ||"
		 "  substr(value, 2) WHERE name = 'store'",
		 10},
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
	tap_is_int(open_result("newer"), -EPROTONOSUPPORT, "a file of a newer version is refused as such");
	run_sql("newer", "PRAGMA user_version = 0;");
	tap_is_int(open_result("newer"), -EUCLEAN, "one of no version is damaged");
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

int main(void)
{
	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	test_identity();
	test_versions();
	test_timelines();
	test_timelines_limit();
	test_record();
	test_recorded_commits();
	test_unrecorded();
	test_damaged_rows();
	test_refused_files();
	test_killed_in_mid_write();
	test_cut_at_any_byte();
	remove_directory();
	return tap_done();
}
