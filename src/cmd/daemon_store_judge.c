/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the store that is there is the one that was here: another installation's, or one that is behind
 * what was acknowledged, is not served.
 */
#include "daemon_admin.h"
#include "daemon_refuse.h"
#include "daemon_store_parts.h"
#include "lib/log.h"

/* The store that was here. Where store.id is damaged, the record knows it, too; "": nothing does. */
static void find_expected(const struct known *known, const struct daemon_records *records,
			  char ret[STORE_IDENTITY_SIZE])
{
	(void)str_copy(ret, STORE_IDENTITY_SIZE, known->identity);
	if (known->here && !known->identity[0])
		daemon_records_identity(records, ret);
}

/* What is there is right from now on. What has lost rows becomes another store, so that every agent notices.
 */
static int accept_store(const struct place *place, struct store *store, bool has_lost)
{
	char before[STORE_IDENTITY_SIZE];
	int r;

	(void)str_copy(before, sizeof(before), store_identity(store));
	if (has_lost) {
		r = store_renew(store);
		if (r < 0)
			return log_errno(r, "cannot write the store=%s", place->database);
	}
	log_warning(
		"accepted the store in file=%s: store=%s before=%s revision=%llu; agents that served another "
		"one hold what they have until `privlink node accept-store` is run on their nodes",
		place->database, store_identity(store), before,
		(unsigned long long)store_durable_revision(store));
	return daemon_admin_fits(place->state_dir, store) ? 0 : daemon_admin_set_aside(place->state_dir);
}

static int refuse_stranger(const struct place *place, const char *expected, const struct store *store)
{
	return daemon_refuse(place->run_dir,
			     "refusing to start: file=%s is store=%s, and this machine's is store=%s: it is "
			     "another installation's, or a copy from before the store was last accepted; put "
			     "the right one there, or start privlinkd once with --accept-store to take it",
			     place->database, store_identity(store), expected);
}

static int refuse_lost(const struct place *place, const struct store *store, uint64_t recorded)
{
	return daemon_refuse(
		place->run_dir,
		"refusing to start: file=%s has lost acknowledged changes: it stands at revision=%llu, and "
		"revision=%llu was durable, so it is an older copy or its log (-wal) is damaged; restore "
		"what is newer, or start privlinkd once with --accept-store to go on without them",
		place->database, (unsigned long long)store_durable_revision(store),
		(unsigned long long)recorded);
}

static int refuse_admin(const struct place *place, const struct store *store)
{
	return daemon_refuse(place->run_dir,
			     "refusing to start: the account of file=%s/admin.env is not in store=%s, so "
			     "this is another installation's; put the right one there, or start privlinkd "
			     "once with --accept-store to take it",
			     place->state_dir, store_identity(store));
}

int daemon_store_judge(const struct place *place, const struct opening *opening,
		       const struct daemon_records *records)
{
	struct store *store = opening->store;
	uint64_t recorded = daemon_records_revision(records, store);
	bool has_lost = opening->damaged || store_durable_revision(store) < recorded;
	bool fits = opening->is_new || daemon_admin_fits(place->state_dir, store), is_strange;
	char expected[STORE_IDENTITY_SIZE];

	find_expected(&opening->known, records, expected);
	is_strange = expected[0] && !streq(expected, store_identity(store));
	if (!is_strange && !has_lost && fits) {
		if (opening->accept)
			log_info("accepting nothing: store=%s revision=%llu is the one that is expected",
				 store_identity(store), (unsigned long long)store_durable_revision(store));
		return 0;
	}
	if (opening->accept)
		return accept_store(place, store, has_lost);
	if (is_strange)
		return refuse_stranger(place, expected, store);
	return has_lost ? refuse_lost(place, store, recorded) : refuse_admin(place, store);
}
