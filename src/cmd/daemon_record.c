/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_record.h"

#include <limits.h>
#include <unistd.h>

#include "lib/file_write.h"
#include "lib/log.h"

static int open_one(const char *directory, bool lasts, struct record **ret)
{
	char path[PATH_MAX];
	int r = 0;

	if (str_format(path, sizeof(path), "%s/" DAEMON_RECORD_NAME, directory) < 0)
		return log_errno(-ENAMETOOLONG, "cannot use directory=%s", directory);
	if (access(path, F_OK) < 0)
		r = file_write(path, "", 0, 0644, geteuid(), getegid());
	if (r == 0)
		r = record_open(path, lasts, ret);
	return r < 0 ? log_errno(r, "cannot open file=%s", path) : 0;
}

int daemon_records_open(const char *state_dir, const char *run_dir, struct daemon_records *ret)
{
	int r;

	*ret = (struct daemon_records){.state_dir = state_dir, .run_dir = run_dir};
	r = open_one(state_dir, true, &ret->lasting);
	if (r == 0)
		r = open_one(run_dir, false, &ret->passing);
	if (r < 0)
		daemon_records_done(ret);
	return r;
}

void daemon_records_done(struct daemon_records *records)
{
	records->lasting = record_free(records->lasting);
	records->passing = record_free(records->passing);
}

void daemon_records_identity(const struct daemon_records *records, char ret[STORE_IDENTITY_SIZE])
{
	uint64_t revision;

	ret[0] = '\0';
	if (record_read(records->lasting, ret, &revision) < 0)
		(void)record_read(records->passing, ret, &revision);
}

static uint64_t revision_in(const struct record *record, const struct store *store)
{
	char identity[STORE_IDENTITY_SIZE];
	uint64_t revision;

	if (record_read(record, identity, &revision) < 0 || !streq(identity, store_identity(store)))
		return 0;
	return revision;
}

uint64_t daemon_records_revision(const struct daemon_records *records, const struct store *store)
{
	return MAX(revision_in(records->lasting, store), revision_in(records->passing, store));
}

static int record_durable(struct record *record, const char *directory, const struct store *store)
{
	uint64_t durable = store_durable_revision(store), recorded = revision_in(record, store);
	int r;

	if (recorded == 0 || recorded > durable)
		r = record_set(record, store_identity(store), durable);
	else
		r = record_write(record, store_identity(store), durable);
	return r < 0 ? log_errno(r, "cannot record the store's revision=%llu in file=%s/" DAEMON_RECORD_NAME,
				 (unsigned long long)durable, directory)
		     : 0;
}

int daemon_records_keep(struct daemon_records *records, struct store *store)
{
	struct record *lasting = TAKE_PTR(records->lasting), *passing = TAKE_PTR(records->passing);
	int r;

	r = record_durable(lasting, records->state_dir, store);
	if (r == 0)
		r = record_durable(passing, records->run_dir, store);
	store_keep_record(store, lasting);
	store_keep_record(store, passing);
	return r;
}
