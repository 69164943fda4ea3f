/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces on file: what the next start knows, however the one before ended.
 */
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "api/frame/nonce_journal.h"
#include "api/frame/nonces.h"
#include "lib/fnv.h"
#include "sign/digest.h"

#define NOW	   1767323045 /* 2026-01-02T03:04:05Z */
#define UID	   1000000000000001
#define LONG	   65536 /* records in a file, from which on the other one may go on */
#define HEADER	   80
#define RECORD	   32
#define FIRST_PATH "nonce_journal.test"

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static int syncs_left = INT_MAX; /* until the program is killed */
static size_t n_syncs;
static bool disk_fails;

int __wrap_fdatasync(int fd)
{
	n_syncs++;
	if (syncs_left-- <= 0)
		(void)raise(SIGKILL);
	if (disk_fails) {
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}

/* What pwrite() is where offsets are long. */
ssize_t __real_pwrite64(int fd, const void *data, size_t size, off_t place);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t place);

static int writes_left = INT_MAX; /* until none comes through */

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t place)
{
	if (writes_left-- <= 0) {
		errno = EIO;
		return -1;
	}
	return __real_pwrite64(fd, data, size, place);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

static size_t lacks_memory_for; /* things of this size */

void *__wrap_calloc(size_t n, size_t size)
{
	return size == lacks_memory_for ? NULL : __real_calloc(n, size);
}

static void remove_files(void)
{
	(void)unlink(FIRST_PATH);
	(void)unlink(FIRST_PATH ".2");
}

static struct nonce_journal *open_files(void)
{
	struct nonce_journal *journal;

	if (nonce_journal_open(FIRST_PATH, &journal) < 0)
		abort();
	return journal;
}

/* What was read. */
struct seen {
	int whole;
	int64_t floor;
	size_t n;
	int64_t newest;
};

static int see(void *context, const struct nonce_record *record, int64_t now _unused_)
{
	struct seen *seen = context;

	if (record->value == 0)
		return 0;
	seen->n++;
	seen->newest = MAX(seen->newest, record->stamp);
	return 0;
}

static struct seen read_files(void)
{
	struct nonce_journal *journal = open_files();
	struct seen seen = {.newest = INT64_MIN};

	seen.whole = nonce_journal_read(journal, see, &seen, NOW, &seen.floor);
	nonce_journal_free(journal);
	return seen;
}

static struct nonce_record record_of(size_t i, int64_t stamp)
{
	return (struct nonce_record){.uid = UID, .value = i + 1, .stamp = stamp};
}

static void append(struct nonce_journal *journal, int64_t floor, size_t n, int64_t stamp)
{
	for (size_t i = 0; i < n; i++) {
		struct nonce_record record = record_of(i, stamp);

		nonce_journal_append(journal, floor, &record, NOW);
	}
}

/* The first file is long, and the second one empty. */
static void begin_long(struct nonce_journal *journal, int64_t floor, int64_t stamp)
{
	_cleanup_(freep) struct nonce_record *records = calloc(LONG, sizeof(*records));

	for (size_t i = 0; records && i < LONG; i++)
		records[i] = record_of(i, stamp);
	if (!records || nonce_journal_rewrite(journal, floor, records, LONG) < 0)
		abort();
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = MIN(bytes, limit.rlim_max);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* In a first run nothing is forgotten yet, so the first file has no floor. */
static void test_floor_of_second_file(void)
{
	struct nonce_journal *journal = open_files();
	struct seen seen;

	begin_long(journal, INT64_MIN, NOW - 3600);
	append(journal, NOW - 3600, 1, NOW);
	nonce_journal_free(journal);
	seen = read_files();
	tap_is_int(seen.floor, NOW - 3600, "the floor of the second file counts");
	(void)unlink(FIRST_PATH);
	seen = read_files();
	tap_ok(seen.floor == INT64_MIN, "who removes the first file is rid of that");
	remove_files();
}

/* A start that is killed on its way: before it syncs for the nth time, or when a file is to be longer than
 * so. */
static bool rewrite_until(int syncs, rlim_t longest)
{
	const struct nonce_record records[] = {record_of(0, NOW + 900), record_of(1, NOW)};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		syncs_left = syncs;
		(void)signal(SIGXFSZ, SIG_DFL);
		limit_files(longest);
		_exit(nonce_journal_rewrite(open_files(), NOW - 3600, records, ARRAY_SIZE(records)) == 0 ? 0
													 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	return WIFSIGNALED(status);
}

/* In either file there are some. */
static void begin_files(void)
{
	struct nonce_journal *journal = open_files();

	begin_long(journal, NOW - 3600, NOW - 3000);
	append(journal, NOW - 3600, 2, NOW + 900);
	nonce_journal_free(journal);
}

static void test_killed(void)
{
	int n_killed = 0, n_lost = 0, n_forgotten = 0;
	struct seen seen;

	for (rlim_t n = 0; n < 4; n++) {
		begin_files();
		n_killed += rewrite_until(INT_MAX, HEADER + n * RECORD + 1);
		seen = read_files();
		n_lost += seen.newest != NOW + 900;
		n_forgotten += seen.floor != NOW - 3600;
	}
	tap_ok(n_killed > 0, "a start is killed while it writes (%d times)", n_killed);
	for (int i = 0;; i++) {
		begin_files();
		if (!rewrite_until(i, RLIM_INFINITY))
			break;
		n_killed++;
		seen = read_files();
		n_lost += seen.newest != NOW + 900;
		n_forgotten += seen.floor != NOW - 3600;
	}
	tap_ok(n_killed > 3, "and before it syncs (%d times in all)", n_killed);
	tap_is_int(n_lost, 0, "the next one knows what was stamped ahead,");
	tap_is_int(n_forgotten, 0, "and up to when nothing is good");
	seen = read_files();
	tap_is_int(seen.whole, 1, "once none is killed, the files are whole,");
	tap_is_int(seen.n, 2, "with what was remembered and nothing else");
	remove_files();
}

static struct nonces *start(bool fresh, int64_t now, int want)
{
	struct nonces *nonces;
	int r;

	if (nonces_new(&nonces) < 0)
		abort();
	r = nonces_load(nonces, open_files(), fresh, now);
	tap_is_int(r, want,
		   want ? "a start knows that something may be missing" : "a start finds whole files");
	return nonces;
}

static void expire(struct nonces *nonces, int64_t now)
{
	while (nonces_expire(nonces, now))
		;
}

static int spend(struct nonces *nonces, const char *what, int i, int64_t stamp, int64_t now)
{
	char nonce[32];

	if (str_format(nonce, sizeof(nonce), "%s-%d", what, i) < 0)
		abort();
	return nonces_spend(nonces, UID + i % 1000, "k", nonce, stamp, now);
}

/* All that is remembered at once takes more than there is. */
static void test_no_memory_to_start(void)
{
	struct nonces *nonces = start(true, NOW, 0);

	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW), 0, "a call that is stamped ahead");
	nonces_free(nonces);
	if (nonces_new(&nonces) < 0)
		abort();
	lacks_memory_for = sizeof(struct nonce_record);
	tap_is_int(nonces_load(nonces, open_files(), false, NOW + 1), -ENOMEM,
		   "without memory for what is remembered there is no start");
	lacks_memory_for = 0;
	nonces_free(nonces);
	nonces = start(false, NOW + 2, 0);
	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW + 2), -EEXIST, "and the next one knows it");
	nonces_free(nonces);
	remove_files();
}

static uint64_t old_part(const char *text)
{
	uint8_t digest[SHA256_SIZE];
	uint64_t part;

	if (hmac_sha256("", text, digest) < 0)
		abort();
	memcpy(&part, digest, sizeof(part));
	return part;
}

/* As the format before had it: its records have digests of key and nonce and a stamp, and each has a sum. The
 * nonces are called old-0 and so on. */
static void write_old_file(int64_t floor, size_t n, const int64_t stamps[], bool spoilt)
{
	uint8_t header[HEADER] = "plnonce3";
	FILE *file = fopen(FIRST_PATH, "we");
	uint64_t sum;

	memcpy(header + 48, &floor, sizeof(floor));
	sum = fnv_add(FNV_START, header, 72);
	memcpy(header + 72, &sum, sizeof(sum));
	(void)fwrite(header, sizeof(header), 1, file);
	for (size_t i = 0; i < n; i++) {
		uint64_t record[4] = {old_part("k"), 0, (uint64_t)stamps[i]};
		char nonce[16];

		(void)str_format(nonce, sizeof(nonce), "old-%zu", i);
		record[1] = old_part(nonce);
		record[3] = fnv_add(FNV_START, record, 24) ^ (spoilt && i + 1 == n);
		(void)fwrite(record, sizeof(record), 1, file);
	}
	(void)fclose(file);
}

static void test_old_file(void)
{
	static const int64_t stamps[] = {NOW - 10, NOW + 800, NOW - 800, NOW + 850};
	static const struct {
		const char *name;
		int64_t floor;
		bool spoilt;
		int64_t want_floor, want_newest;
		size_t want_n;
	} cases[] = {
		{"it has its floor and its nonces", NOW - 3600, false, NOW - 3600, NOW + 850, 4},
		{"one that changed on disk tells of nothing", NOW - 3600, true, NOW - 3600, NOW + 800, 3},
		{"a later floor counts", NOW + 820, false, NOW + 820, NOW + 850, 4},
		{"not beyond what is accepted", NOW + 7200, false, NOW + NONCE_LIFE_S, NOW + 850, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen;

		remove_files();
		write_old_file(cases[i].floor, ARRAY_SIZE(stamps), stamps, cases[i].spoilt);
		seen = read_files();
		tap_is_int(seen.floor, cases[i].want_floor, "a file of the format before: %s", cases[i].name);
		tap_is_int(seen.newest, cases[i].want_newest, "the newest of them, too");
		tap_ok(seen.n == cases[i].want_n && seen.whole == 0, "and what it has may not be all");
	}
	remove_files();
}

static int spend_old(struct nonces *nonces, const char *key, const char *nonce, int64_t now)
{
	return nonces_spend(nonces, UID, key, nonce, NOW + 800, now);
}

/* A call that the program of before carried out, stamped ahead of the clock. */
static void test_upgrade(void)
{
	static const int64_t stamps[] = {NOW - 10, NOW + 800};
	struct nonces *nonces;

	write_old_file(NOW - 3600, ARRAY_SIZE(stamps), stamps, false);
	nonces = start(false, NOW, 1);
	for (int i = 0; i < 2; i++) { /* the second one has a file in the new format */
		tap_ok(!nonces_remember_since(nonces, NOW), "what was stamped before an upgrade is refused");
		tap_ok(nonces_remember_since(nonces, NOW + 1), "who is in time need not wait for others,");
		tap_is_int(spend_old(nonces, "k", "old-1", NOW + 1), -EEXIST, "what was ahead is known,");
		nonces_free(nonces);
		nonces = start(false, NOW + 1, 0);
	}
	tap_is_int(spend_old(nonces, "k", "new", NOW + 1), 0, "what is new goes on,");
	tap_is_int(spend_old(nonces, "l", "old-1", NOW + 1), 0, "as does another key's of that name");
	nonces_free(nonces);
	remove_files();
}

/* There is no room for a file of the new format. */
static void test_upgrade_full_disk(void)
{
	static const int64_t stamps[] = {NOW - 10, NOW + 800};
	struct nonces *nonces;

	write_old_file(NOW - 3600, ARRAY_SIZE(stamps), stamps, false);
	limit_files(HEADER);
	nonces = start(false, NOW, 1);
	tap_ok(nonces_remember_since(nonces, NOW + 1), "an upgrade on a full disk shuts out nobody,");
	tap_is_int(spend_old(nonces, "k", "old-1", NOW + 1), -EEXIST, "and knows what was ahead");
	nonces_free(nonces);
	nonces = start(false, NOW + 2, 1);
	tap_ok(!nonces_remember_since(nonces, NOW + 800), "the start after that refuses what was ahead");
	nonces_free(nonces);

	remove_files();
	limit_files(RLIM_INFINITY);
	write_old_file(NOW - 3600, ARRAY_SIZE(stamps), stamps, false);
	limit_files(HEADER);
	nonces = start(false, NOW, 1);
	limit_files(RLIM_INFINITY);
	expire(nonces, NOW);
	nonces_free(nonces);
	nonces = start(false, NOW + 2, 0);
	tap_ok(nonces_remember_since(nonces, NOW + 3), "unless there was room again,");
	tap_is_int(spend_old(nonces, "k", "old-1", NOW + 3), -EEXIST, "then it is known still");
	nonces_free(nonces);
	remove_files();
}

/* What an account forgot before its time is told by a record of its own. */
static void test_floor_of_account(void)
{
	const struct nonce_record records[] = {{.uid = UID, .stamp = NOW - 100}, record_of(0, NOW)};
	struct nonce_journal *journal = open_files();
	struct nonces *nonces;

	(void)nonce_journal_rewrite(journal, NOW - 3600, records, ARRAY_SIZE(records));
	nonce_journal_free(journal);
	for (int i = 0; i < 2; i++) { /* the second one reads what the first one wrote */
		if (nonces_new(&nonces) < 0)
			abort();
		tap_is_int(nonces_load(nonces, open_files(), false, NOW), 0,
			   "a start with an account's floor");
		tap_is_int(nonces_spend(nonces, UID, "k", "n", NOW - 100, NOW), -ESTALE,
			   "nothing of before is good");
		nonces_free(nonces);
	}
	if (nonces_new(&nonces) < 0 || nonces_load(nonces, open_files(), false, NOW) < 0)
		abort();
	tap_is_int(nonces_spend(nonces, UID, "k", "n", NOW - 99, NOW), 0, "what is later goes on,");
	tap_is_int(nonces_spend(nonces, UID + 1, "k", "n", NOW - 100, NOW), 0, "as do others");
	nonces_free(nonces);
	remove_files();
}

static off_t size_of(const char *path)
{
	struct stat st = {};

	(void)stat(path, &st);
	return st.st_size;
}

/* How many nonces that were spent are not known. */
static int count_unknown(struct nonces *nonces, const char *what, int from, int to, int64_t stamp,
			 int64_t now)
{
	int n = 0;

	for (int i = from; i < to; i++)
		n += spend(nonces, what, i, stamp, now) != -EEXIST;
	return n;
}

/* A clock is a day ahead while one file gets full, and then set right: that file is needed for a day. */
static void test_clock_set_back(void)
{
	enum { PER_SECOND = 20, MOST = 20 * LONG, A_DAY = 86400 };
	int failed = 0, i = 0, at_once = 0, n_steps = 0;
	off_t first_size;
	struct nonces *nonces;

	if (nonces_new(&nonces) < 0 || nonces_load(nonces, open_files(), true, NOW + A_DAY) < 0)
		abort();
	for (int j = 0; j < LONG; j++)
		failed += spend(nonces, "ahead", j, NOW + A_DAY, NOW + A_DAY) != 0;
	first_size = size_of(FIRST_PATH);
	for (; i < MOST && size_of(FIRST_PATH) == first_size; i++) {
		int64_t now = NOW + i / PER_SECOND;

		failed += spend(nonces, "right", i, now, now) != 0;
		if (i % (300 * PER_SECOND))
			continue;
		for (n_steps = 1; nonces_expire(nonces, now); n_steps++)
			at_once += spend(nonces, "meanwhile", i * 10 + n_steps, now, now) != 0;
	}
	failed += at_once;
	tap_is_int(failed, 0, "all calls are carried out");
	tap_ok(i > 16 * LONG && i < MOST, "the file is emptied before that day is over (after %d calls)", i);
	tap_ok(n_steps > 4, "what it has was copied in steps (%d)", n_steps);
	tap_ok(size_of(FIRST_PATH ".2") > (off_t)i * RECORD, "into the one that went on");
	nonces_free(nonces);

	if (nonces_new(&nonces) < 0)
		abort();
	tap_is_int(nonces_load(nonces, open_files(), false, NOW + i / PER_SECOND), 0,
		   "the next start finds whole files");
	tap_is_int(count_unknown(nonces, "ahead", 0, LONG, NOW + A_DAY, NOW + i / PER_SECOND), 0,
		   "with all that was stamped ahead");
	tap_is_int(count_unknown(nonces, "right", i - 3600 * PER_SECOND, i, NOW + i / PER_SECOND,
				 NOW + i / PER_SECOND),
		   0, "and all of the last hour");
	nonces_free(nonces);
	remove_files();
}

static void copy(struct nonce_journal *journal, size_t n, int64_t stamp)
{
	for (size_t i = 0; i < n; i++) {
		struct nonce_record record = record_of(i, stamp);

		nonce_journal_copy(journal, &record, 1);
	}
}

/* Something that keeps what is copied from being all. */
static void test_copy_in_vain(void)
{
	struct nonce_journal *journal = open_files();
	struct seen seen;

	begin_long(journal, NOW - 3600, NOW + 1000);
	append(journal, NOW - 3600, 16 * LONG + 9, NOW);
	tap_ok(!nonce_journal_copy_begin(journal, NOW - 3600, 10),
	       "a file with much to remember is not long");
	tap_ok(!nonce_journal_copy_begin(journal, NOW + 1000, 9), "nor one next to which nothing is needed");
	tap_ok(nonce_journal_copy_begin(journal, NOW - 3600, 9), "else it is");
	limit_files((rlim_t)size_of(FIRST_PATH ".2") + RECORD);
	copy(journal, 9, NOW + 1000);
	limit_files(RLIM_INFINITY);
	nonce_journal_copy_end(journal, NOW - 3600);
	append(journal, NOW - 3600, 1, NOW);
	tap_is_int(size_of(FIRST_PATH), HEADER + LONG * RECORD, "on a full disk the other file stays");
	tap_ok(nonce_journal_copy_begin(journal, NOW - 3600, 9), "then what is missing is copied into it");
	copy(journal, 9, NOW + 1000);
	nonce_journal_copy_end(journal, NOW - 3600);
	append(journal, NOW - 3600, 1, NOW);
	tap_is_int(size_of(FIRST_PATH), HEADER + (LONG + 9) * RECORD, "behind what it has");
	tap_ok(nonce_journal_copy_begin(journal, NOW - 3600, 9), "another time it is tried again");
	copy(journal, 4, NOW + 1500);
	append(journal, NOW + 1000, 1, NOW + 2000);
	tap_is_int(size_of(FIRST_PATH), HEADER + RECORD, "the files take turns meanwhile");
	copy(journal, 5, NOW + 1500);
	nonce_journal_copy_end(journal, NOW + 1000);
	append(journal, NOW + 1000, LONG, NOW + 2000);
	tap_is_int(size_of(FIRST_PATH), HEADER + (LONG + 1) * RECORD, "what is needed stays,");
	nonce_journal_free(journal);
	seen = read_files();
	tap_ok(seen.whole == 1 && seen.newest == NOW + 2000, "and the files are whole");
	remove_files();
}

static size_t longer_file(void)
{
	return (size_t)(MAX(size_of(FIRST_PATH), size_of(FIRST_PATH ".2")) - HEADER) / RECORD;
}

/* A disk that is full again and again. */
static void test_mended_often(void)
{
	static struct nonce_record records[LONG];
	const size_t n = 4;
	struct nonce_journal *journal = open_files();
	size_t longest = 0, mended = 0;
	struct seen seen;

	for (size_t i = 0; i < LONG; i++)
		records[i] = record_of(i, NOW + 1000);
	for (size_t i = 0; i < 20; i++) {
		limit_files((rlim_t)HEADER);
		append(journal, NOW - 3600, 1, NOW);
		limit_files(RLIM_INFINITY);
		mended += nonce_journal_copy_begin(journal, NOW - 3600, n * LONG);
		for (size_t j = 0; j < n; j++)
			nonce_journal_copy(journal, records, LONG);
		nonce_journal_copy_end(journal, NOW - 3600);
		append(journal, NOW - 3600, 1, NOW);
		longest = MAX(longest, longer_file());
	}
	tap_is_int((int)mended, 20, "what was not written is copied each time");
	tap_ok(longest <= (16 + 2 * n) * LONG + 20, "but no file grows without end");
	nonce_journal_free(journal);
	seen = read_files();
	tap_ok(seen.whole == 1 && seen.newest == NOW + 1000, "and all is there");
	remove_files();
}

/* ---- where something cannot be written ---- */

/* What is stamped ahead of the clock is carried out only once it is on file. */
static void test_ahead_on_full_disk(void)
{
	struct nonces *nonces = start(true, NOW, 0);

	limit_files(HEADER);
	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW), -EAGAIN,
		   "on a full disk a call that is stamped ahead is refused");
	tap_is_int(spend(nonces, "now", 0, NOW, NOW), 0, "one that is in time is not");
	tap_is_int(spend(nonces, "late", 0, NOW - 600, NOW), 0, "nor one that is late,");
	tap_is_int(spend(nonces, "late", 0, NOW - 600, NOW), -EEXIST, "once");
	nonces_free(nonces);
	nonces = start(false, NOW + 1, 1);
	tap_ok(!nonces_remember_since(nonces, NOW), "after a start neither is good again");
	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW + 1), -EAGAIN, "and what is ahead still waits");
	limit_files(RLIM_INFINITY);
	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW + 1), 0, "with room again it is carried out");
	nonces_free(nonces);
	nonces = start(false, NOW + 2, 1);
	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW + 2), -EEXIST, "and known, also after a kill");
	nonces_free(nonces);
	remove_files();
}

/* And then the clock is set back, before the next start or with it. */
static void test_missing_and_set_back(void)
{
	struct nonces *nonces = start(true, NOW, 0);

	limit_files(HEADER);
	(void)spend(nonces, "now", 0, NOW, NOW);
	(void)spend(nonces, "late", 0, NOW - 400, NOW);
	(void)spend(nonces, "ahead", 0, NOW + 600, NOW);
	nonces_free(nonces);
	nonces = start(false, NOW - 300, 1);
	tap_ok(!nonces_remember_since(nonces, NOW),
	       "what was not written is not good before the clock is back");
	tap_ok(nonces_remember_since(nonces, NOW + 1), "what comes then is, also where one was ahead of it");
	nonces_free(nonces);
	limit_files(RLIM_INFINITY);
	nonces = start(false, NOW - 299, 0);
	tap_ok(!nonces_remember_since(nonces, NOW), "nor after another start");
	nonces_free(nonces);
	remove_files();

	nonces = start(true, NOW, 0);
	limit_files(HEADER);
	(void)spend(nonces, "now", 0, NOW, NOW);
	limit_files(RLIM_INFINITY);
	expire(nonces, NOW);
	nonces_free(nonces);
	nonces = start(false, NOW - 300, 0);
	tap_ok(nonces_remember_since(nonces, NOW - 800), "once it was written nobody waits for the clock,");
	tap_is_int(spend(nonces, "now", 0, NOW, NOW - 300), -EEXIST, "and it is known");
	nonces_free(nonces);
	remove_files();
}

/* Not even that something is missing can be written. */
static void test_no_mark(void)
{
	struct nonces *nonces = start(true, NOW, 0);

	writes_left = 0;
	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW), -EAGAIN,
		   "where nothing can be written a call that is stamped ahead is refused");
	tap_is_int(spend(nonces, "now", 0, NOW, NOW), -EIO, "and one that is in time, too,");
	nonces_free(nonces);
	nonces = start(false, NOW + 1, 0);
	tap_is_int(spend(nonces, "now", 0, NOW, NOW + 1), -EIO,
		   "since the next start takes the files for whole, which has the same disk");
	writes_left = INT_MAX;
	limit_files(HEADER);
	tap_is_int(spend(nonces, "now", 0, NOW, NOW + 1), 0, "once that can be written it is carried out,");
	nonces_free(nonces);
	limit_files(RLIM_INFINITY);
	nonces = start(false, NOW + 2, 1);
	tap_ok(!nonces_remember_since(nonces, NOW), "and not good after a start");
	nonces_free(nonces);
	remove_files();

	writes_left = 0;
	nonces = start(false, NOW, 1);
	tap_is_int(spend(nonces, "now", 0, NOW, NOW), 0, "nobody waits where there are no files");
	writes_left = INT_MAX;
	nonces_free(nonces);
	remove_files();
}

/* What is carried out while a disk that was full comes, and goes, after so many writes. True: once. */
static bool is_carried_out_once(int writes)
{
	struct nonces *nonces;
	int first;
	bool again;

	if (nonces_new(&nonces) < 0 || nonces_load(nonces, open_files(), true, NOW) < 0)
		abort();
	(void)spend(nonces, "ahead", 0, NOW + 900, NOW);
	limit_files(HEADER + RECORD);
	(void)spend(nonces, "missing", 0, NOW, NOW);
	limit_files(RLIM_INFINITY);
	writes_left = writes;
	expire(nonces, NOW);
	first = spend(nonces, "now", 0, NOW, NOW);
	nonces_free(nonces);
	writes_left = INT_MAX;

	if (nonces_new(&nonces) < 0 || nonces_load(nonces, open_files(), false, NOW + 1) < 0)
		abort();
	again = nonces_remember_since(nonces, NOW) && spend(nonces, "now", 0, NOW, NOW + 1) == 0;
	nonces_free(nonces);
	remove_files();
	return !(first == 0 && again);
}

static void test_no_mark_while_mending(void)
{
	int n_twice = 0;

	for (int i = 0; i < 30; i++)
		n_twice += !is_carried_out_once(i);
	tap_is_int(n_twice, 0, "wherever the disk fails while the files are mended, a call is good once");
}

/* What is on file may not be on the disk. */
static void test_ahead_on_failing_disk(void)
{
	struct nonces *nonces = start(true, NOW, 0);

	tap_is_int(spend(nonces, "ahead", 0, NOW + 600, NOW), 0, "a call that is stamped ahead");
	disk_fails = true;
	nonces_sync(nonces);
	tap_is_int(spend(nonces, "ahead", 1, NOW + 600, NOW), -EAGAIN,
		   "is refused from when the disk has failed");
	tap_is_int(spend(nonces, "now", 0, NOW, NOW), 0, "one that is in time is not");
	disk_fails = false;
	tap_is_int(spend(nonces, "ahead", 1, NOW + 600, NOW), 0, "until it works again");
	nonces_free(nonces);
	remove_files();
}

static void fail_to_write(struct nonces **nonces)
{
	limit_files(HEADER + RECORD);
	(void)spend(*nonces, "missing", 0, NOW, NOW);
	(void)spend(*nonces, "missing", 1, NOW - 600, NOW);
}

static void fail_to_sync(struct nonces **nonces)
{
	disk_fails = true;
	nonces_sync(*nonces);
}

static void fail_to_start(struct nonces **nonces)
{
	nonces_free(*nonces);
	limit_files(HEADER);
	*nonces = start(false, NOW, 0);
}

static void test_mended(const char *name, void (*fail)(struct nonces **nonces))
{
	struct nonces *nonces = start(true, NOW, 0);

	(void)spend(nonces, "ahead", 0, NOW + 900, NOW);
	fail(&nonces);
	expire(nonces, NOW);
	limit_files(RLIM_INFINITY);
	disk_fails = false;
	(void)spend(nonces, "after", 0, NOW - 500, NOW);
	(void)spend(nonces, "after", 1, NOW + 500, NOW);
	expire(nonces, NOW);
	(void)spend(nonces, "mended", 0, NOW + 700, NOW);
	(void)spend(nonces, "missing", 0, NOW, NOW);
	(void)spend(nonces, "missing", 1, NOW - 600, NOW);
	nonces_free(nonces);

	nonces = start(false, NOW + 1, 0);
	tap_ok(nonces_remember_since(nonces, NOW - 800), "%s: nobody waits for another's clock,", name);
	tap_is_int(count_unknown(nonces, "ahead", 0, 1, NOW + 900, NOW + 1) +
			   count_unknown(nonces, "missing", 0, 2, NOW, NOW + 1) +
			   count_unknown(nonces, "after", 0, 2, NOW, NOW + 1) +
			   count_unknown(nonces, "mended", 0, 1, NOW, NOW + 1),
		   0, "and nothing is carried out twice");
	nonces_free(nonces);
	remove_files();
}

/* What could not be written is forgotten before it can be. */
static void test_mended_late(void)
{
	const int64_t later = NOW + 2 * NONCE_KEEP_S;
	struct nonces *nonces = start(true, NOW, 0);

	limit_files(HEADER);
	(void)spend(nonces, "missing", 0, NOW, NOW);
	expire(nonces, later);
	limit_files(RLIM_INFINITY);
	expire(nonces, later);
	nonces_free(nonces);
	nonces = start(false, NOW, 0);
	tap_ok(!nonces_remember_since(nonces, NOW), "it is not good when the clock is set back");
	tap_ok(nonces_remember_since(nonces, NOW + 1), "what comes later is");
	nonces_free(nonces);
	remove_files();
}

/* Both files have nonces that count, and one could not be written. */
static struct nonces *begin_missing(void)
{
	struct nonces *nonces;

	remove_files();
	begin_files();
	if (nonces_new(&nonces) < 0 || nonces_load(nonces, open_files(), false, NOW) < 0 ||
	    spend(nonces, "ahead", 0, NOW + 800, NOW) != 0)
		abort();
	limit_files(HEADER + RECORD);
	if (spend(nonces, "missing", 0, NOW, NOW) != 0)
		abort();
	limit_files(RLIM_INFINITY);
	return nonces;
}

static bool mend_until(int syncs, rlim_t longest)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct nonces *nonces = begin_missing();

		syncs_left = syncs;
		(void)signal(SIGXFSZ, SIG_DFL);
		limit_files(longest);
		expire(nonces, NOW);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	return WIFSIGNALED(status);
}

/* What the next start has lost of what was on file. */
static int count_lost(void)
{
	struct seen seen = read_files();
	struct nonces *nonces;
	int n;

	if (nonces_new(&nonces) < 0 || nonces_load(nonces, open_files(), false, NOW + 1) < 0)
		abort();
	n = count_unknown(nonces, "ahead", 0, 1, NOW + 800, NOW + 1);
	n += nonces_remember_since(nonces, NOW) && count_unknown(nonces, "missing", 0, 1, NOW, NOW + 1);
	nonces_free(nonces);
	return n + (seen.n < LONG + 1);
}

static void test_mend_killed(void)
{
	int n_killed = 0, n_lost = 0;

	for (rlim_t n = 0; n < 4; n++) {
		n_killed += mend_until(INT_MAX, HEADER + (LONG + 2 + n) * RECORD + 1);
		n_lost += count_lost();
	}
	tap_is_int(n_killed, 4, "the program is killed while it mends its files");
	for (int i = 0; mend_until(i, RLIM_INFINITY); i++) {
		n_killed++;
		n_lost += count_lost();
	}
	tap_ok(n_killed > 6, "and before it syncs (%d times in all)", n_killed);
	tap_is_int(n_lost, 0, "the next start knows what was on file, and that something is missing");
	tap_is_int(read_files().whole, 1, "once it is not killed, the files are whole");
	tap_is_int(count_lost(), 0, "with everything");
	remove_files();
}

/* The disk has room, but not enough. */
static void test_mend_in_vain(void)
{
	struct nonces *nonces = begin_missing();
	off_t size = size_of(FIRST_PATH);

	limit_files((rlim_t)size + 5 * RECORD + 1);
	expire(nonces, NOW);
	tap_is_int(size_of(FIRST_PATH), size, "copies that do not fit give their room back");
	limit_files(RLIM_INFINITY);
	for (int i = 1; i <= 3; i++) {
		const int64_t now = NOW + i * 2 * NONCE_KEEP_S;

		expire(nonces, now);
		limit_files(HEADER + RECORD);
		(void)spend(nonces, "missing", i, now, now);
		limit_files(RLIM_INFINITY);
		expire(nonces, now);
	}
	tap_ok(size_of(FIRST_PATH) <= HEADER + 2 * RECORD, "copies do not pile up (%lld bytes)",
	       (long long)size_of(FIRST_PATH));
	nonces_free(nonces);
	remove_files();
}

/* Each one takes a millisecond of all that waits for this thread. */
static void test_syncs(void)
{
	const struct nonce_record record = record_of(0, NOW);
	struct nonce_journal *journal = open_files();

	if (nonce_journal_rewrite(journal, INT64_MIN, NULL, 0) < 0)
		abort();
	n_syncs = 0;
	tap_is_int(nonce_journal_sync(journal), 0, "files with nothing new are on the disk");
	tap_is_int(n_syncs, 0, "without a word to it");
	if (nonce_journal_append(journal, INT64_MIN, &record, NOW) < 0)
		abort();
	tap_is_int(nonce_journal_sync(journal), 0, "one that was written into is, too");
	tap_is_int(n_syncs, 1, "by one sync, of it alone");
	disk_fails = true;
	if (nonce_journal_append(journal, INT64_MIN, &record, NOW) < 0)
		abort();
	tap_is_int(nonce_journal_sync(journal), -EIO, "a disk that fails is told");
	disk_fails = false;
	n_syncs = 0;
	tap_is_int(nonce_journal_sync(journal), 0, "and asked again");
	tap_ok(n_syncs > 0, "for what it has not got");
	nonce_journal_free(journal);
	remove_files();
}

int main(void)
{
	(void)signal(SIGXFSZ, SIG_IGN);
	remove_files();
	test_floor_of_second_file();
	test_killed();
	test_no_memory_to_start();
	test_old_file();
	test_upgrade();
	test_upgrade_full_disk();
	test_floor_of_account();
	test_clock_set_back();
	test_copy_in_vain();
	test_mended_often();
	test_ahead_on_full_disk();
	test_missing_and_set_back();
	test_no_mark();
	test_no_mark_while_mending();
	test_ahead_on_failing_disk();
	test_mended("a write that failed", fail_to_write);
	test_mended("a sync that failed", fail_to_sync);
	test_mended("a start with a full disk", fail_to_start);
	test_mended_late();
	test_mend_killed();
	test_mend_in_vain();
	test_syncs();
	return tap_done();
}
