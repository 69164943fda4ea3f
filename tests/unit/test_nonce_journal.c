/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces on file: what the next start knows, however the one before ended.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "api/frame/nonce_journal.h"

#define NOW	   1767323045 /* 2026-01-02T03:04:05Z */
#define UID	   1000000000000001
#define LONG	   65536 /* records in a file, from which on the other one may go on */
#define HEADER	   80
#define RECORD	   32
#define FIRST_PATH "nonce_journal.test"

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

		nonce_journal_append(journal, floor, &record);
	}
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = MIN(bytes, limit.rlim_max);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* In a first run nothing is forgotten yet, so the first file has no floor. */
static void test_mended_second_file(void)
{
	struct nonce_journal *journal = open_files();
	struct seen seen;

	(void)nonce_journal_rewrite(journal, INT64_MIN, NULL, 0);
	append(journal, INT64_MIN, LONG + 1, NOW);
	limit_files(HEADER + RECORD);
	append(journal, INT64_MIN, 1, NOW + 5);
	limit_files(RLIM_INFINITY);
	nonce_journal_mend(journal);
	nonce_journal_free(journal);
	seen = read_files();
	tap_is_int(seen.n, LONG + 1, "what could be written is on file");
	tap_is_int(seen.whole, 1, "which is whole again");
	tap_is_int(seen.floor, NOW + 5, "up to what could not be written nothing is good any more");
	(void)unlink(FIRST_PATH);
	seen = read_files();
	tap_ok(seen.floor == INT64_MIN, "who removes the first file is rid of that");
	remove_files();
}

int main(void)
{
	(void)signal(SIGXFSZ, SIG_IGN);
	remove_files();
	test_mended_second_file();
	return tap_done();
}
