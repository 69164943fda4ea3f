/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What privlinkd records of its store's revision when it starts.
 */
#include "store_fixture.h"

#include "cmd/daemon_record.h"
#include "lib/log.h"

static const char *state_dir(void)
{
	static char path[PATH_MAX];

	(void)str_format(path, sizeof(path), "%s/state", directory);
	return path;
}

static const char *run_dir(void)
{
	static char path[PATH_MAX];

	(void)str_format(path, sizeof(path), "%s/run", directory);
	return path;
}

/* One start. What is recorded afterwards; 0: nothing is. */
static int start(const char *name, uint64_t *ret_recorded)
{
	struct daemon_records records;
	struct fixture f;
	int r;

	if (fixture_open(&f, name) < 0 || daemon_records_open(state_dir(), run_dir(), &records) < 0)
		abort();
	r = daemon_records_keep(&records, f.store);
	daemon_records_done(&records);
	if (daemon_records_open(state_dir(), run_dir(), &records) < 0)
		abort();
	*ret_recorded = daemon_records_revision(&records, f.store);
	daemon_records_done(&records);
	fixture_close(&f);
	return r;
}

/* A change of which nothing outside hears. */
static void commit_one(const char *name, uint32_t value)
{
	struct result result;
	struct fixture f;

	if (fixture_open(&f, name) < 0)
		abort();
	commit_counter(f.store, "a", value, &result);
	(void)loop_turn(f.loop, 0);
	fixture_close(&f);
}

static ino_t inode_of(const char *name)
{
	struct stat st;

	if (stat(file_name(name), &st) < 0)
		abort();
	return st.st_ino;
}

static void test_recorded(void)
{
	uint64_t recorded;

	commit_one("store", 1);
	tap_ok(start("store", &recorded) == 0 && recorded == 1,
	       "a revision of which nothing was known is recorded");
	commit_one("store", 2);
	tap_ok(start("store", &recorded) == 0 && recorded == 2, "so is a higher one");
	tap_ok(start("store", &recorded) == 0 && recorded == 2, "and the same again");
	tap_ok(start("store", &recorded) == 0 && recorded == 2, "and once more");
}

/* Agents would lose their leases by a privlinkd that serves, and can record nothing. */
static void test_failing_disk(void)
{
	uint64_t recorded;

	failing_file = inode_of("state/" DAEMON_RECORD_NAME);
	tap_is_int(start("store", &recorded), -EIO,
		   "a disk that keeps nothing is found at the start, though it has the revision");
	tap_is_int((long long)recorded, 2, "which is recorded still");
	failing_file = 0;
	tap_ok(start("store", &recorded) == 0 && recorded == 2,
	       "a start on a disk that is well again succeeds");
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	if (!mkdtemp(directory) || mkdir(state_dir(), 0700) < 0 || mkdir(run_dir(), 0700) < 0)
		return EXIT_FAILURE;
	test_recorded();
	test_failing_disk();
	remove_directory();
	return tap_done();
}
