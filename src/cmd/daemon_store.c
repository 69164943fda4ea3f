/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which things are written makes every moment a good one to be killed in: the database is made
 * before store.id (a database without one is adopted), the record follows the database (a record below the
 * database is brought up), and what is set aside goes first.
 */
#include "daemon_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include "daemon_admin.h"
#include "daemon_refuse.h"
#include "daemon_store_parts.h"
#include "lib/file_write.h"
#include "lib/log.h"

#define DATABASE "store/privlink.db"
#define IDENTITY "store.id"
#define RECORD	 DAEMON_RECORD_NAME

static int find_place(const struct daemon_options *options, struct place *ret)
{
	const char *state_dir = options->state_dir;

	ret->state_dir = state_dir;
	ret->run_dir = options->run_dir;
	if (str_format(ret->directory, PATH_MAX, "%s/store", state_dir) < 0 ||
	    str_format(ret->database, PATH_MAX, "%s/" DATABASE, state_dir) < 0 ||
	    str_format(ret->identity, PATH_MAX, "%s/" IDENTITY, state_dir) < 0 ||
	    str_format(ret->record, PATH_MAX, "%s/" RECORD, state_dir) < 0)
		return log_errno(-ENAMETOOLONG, "cannot use directory=%s", state_dir);
	return 0;
}

bool daemon_store_only(const struct daemon_options *options)
{
	return options->new_store || options->accept_store;
}

/* ---- before anything is made ---- */

/* 1: there is a database; 0: there is none. */
static int look(const struct place *place)
{
	struct stat st;

	if (lstat(place->directory, &st) < 0 && errno == ENOENT)
		return 0;
	return store_sqlite_look(place->database);
}

static int set_aside(const struct place *place)
{
	int r;

	r = daemon_admin_set_aside(place->state_dir);
	if (r == 0)
		r = file_set_aside(place->identity);
	if (r == 0)
		r = file_set_aside(place->record);
	return r < 0 ? log_errno(r, "cannot set aside what was known of the store before") : 0;
}

/* What keeps us from the database was logged, with the file that it is about. */
static int refuse_unreachable(const struct place *place, int r)
{
	return daemon_refuse(place->run_dir,
			     "refusing to start: cannot open the store in file=%s: %s; the log's line before "
			     "this one says which file it is and what to do",
			     place->database, strerror(-r));
}

static int check_missing(const struct place *place)
{
	struct known known;
	int r;

	r = daemon_identity_read(place, &known);
	if (r < 0)
		return r;
	if (known.here)
		return daemon_refuse(place->run_dir,
				     "refusing to start: the store=%s of this machine is not here: no "
				     "file=%s, or an empty one; mount its disk or restore a backup, or start "
				     "privlinkd once with --new-store to begin anew",
				     known.identity, place->database);
	if (daemon_admin_exists(place->state_dir))
		return daemon_refuse(place->run_dir,
				     "refusing to start: there is an administrator's key in directory=%s and "
				     "no store: no file=%s, or an empty one; mount its disk or restore a "
				     "backup, or start privlinkd once with --new-store to begin anew",
				     place->state_dir, place->database);
	return 0;
}

int daemon_store_check(const struct daemon_options *options)
{
	struct place place;
	int there, r;

	r = find_place(options, &place);
	if (r < 0)
		return r;
	there = look(&place);
	if (there < 0)
		return refuse_unreachable(&place, there);
	if (there && options->new_store)
		return daemon_refuse(
			place.run_dir,
			"refusing to make a new store: there is one in file=%s; move directory=%s away first",
			place.database, place.directory);
	if (there)
		return 0;
	if (options->accept_store)
		return daemon_refuse(
			place.run_dir,
			"refusing to accept a store: there is none (no file=%s, or an empty one)",
			place.database);
	return options->new_store ? set_aside(&place) : check_missing(&place);
}

/* ---- opening ---- */

/* What may be otherwise at the next start, without anyone's doing. */
static bool may_pass(int r)
{
	return r == -EBUSY || r == -ENOMEM || r == -ENOSPC || r == -EIO || r == -EINTR;
}

static int cannot_open(const struct place *place, bool accept, int r)
{
	if (r == -ENODATA)
		return daemon_refuse(place->run_dir,
				     "refusing to start: there is nothing in file=%s, not even the tables of "
				     "a store; restore a backup, or move directory=%s away and start "
				     "privlinkd once with --new-store to begin anew",
				     place->database, place->directory);
	if (r == -EPROTONOSUPPORT)
		return daemon_refuse(
			place->run_dir,
			"refusing to start: the store in file=%s was written by a newer version of "
			"privlink; install that one again, or restore a backup from before it",
			place->database);
	if (r == -EUCLEAN && accept)
		return daemon_refuse(
			place->run_dir,
			"refusing to start: of the store in file=%s nothing can be read, as said above; "
			"restore a backup (without a log, -wal, of another copy beside it), or move "
			"directory=%s away and start privlinkd once with --new-store to begin anew",
			place->database, place->directory);
	if (r == -EUCLEAN)
		return daemon_refuse(
			place->run_dir,
			"refusing to start: the store in file=%s is damaged, as said above; restore a backup "
			"(without a log, -wal, of another copy beside it), or start privlinkd once with "
			"--accept-store to go on with what can be read of it",
			place->database);
	if (may_pass(r))
		return log_errno(r, "cannot open the store=%s", place->database);
	return refuse_unreachable(place, r);
}

/* What a new store is made of is only what nothing outside knows of. */
static int open_as_user(struct loop *loop, const struct place *place, const struct daemon_user *user,
			struct opening *opening)
{
	int r, back;

	r = daemon_user_borrow(user);
	if (r < 0)
		return r;
	if (opening->known.here || daemon_admin_exists(place->state_dir))
		r = store_sqlite_reopen(loop, place->database, opening->accept, &opening->damaged,
					&opening->store);
	else
		r = store_sqlite_open(loop, place->database, &opening->store);
	back = daemon_user_return(user);
	return r < 0 ? cannot_open(place, opening->accept, r) : back;
}

static void tell_what_is_new(const struct place *place, const struct opening *opening,
			     const struct daemon_records *records)
{
	const struct store *store = opening->store;

	if (opening->is_new)
		log_info("made a new store=%s in file=%s", store_identity(store), place->database);
	else if (opening->known.here && !opening->known.identity[0])
		log_warning("taking store=%s revision=%llu for this machine's, file=%s is written anew",
			    store_identity(store), (unsigned long long)store_durable_revision(store),
			    place->identity);
	else if (!opening->known.identity[0])
		log_warning("adopting store=%s revision=%llu, of which nothing was known in directory=%s",
			    store_identity(store), (unsigned long long)store_durable_revision(store),
			    place->state_dir);
	else if (daemon_records_revision(records, store) == 0 && !opening->accept)
		log_warning("recording store=%s revision=%llu anew, file=%s is missing or says nothing of it",
			    store_identity(store), (unsigned long long)store_durable_revision(store),
			    place->record);
}

/* Afterwards it is written down outside what is inside. */
static int finish_opening(const struct place *place, const struct opening *opening)
{
	struct daemon_records records;
	int r;

	r = daemon_records_open(place->state_dir, place->run_dir, &records);
	if (r < 0)
		return r;
	r = daemon_store_judge(place, opening, &records);
	if (r == 0) {
		tell_what_is_new(place, opening, &records);
		r = daemon_records_keep(&records, opening->store);
	}
	daemon_records_done(&records);
	return r < 0 ? r : daemon_identity_write(place, &opening->known, opening->store);
}

int daemon_store_open(struct loop *loop, const struct daemon_options *options, const struct daemon_user *user,
		      struct store **ret)
{
	struct opening opening = {.accept = options->accept_store};
	struct place place;
	int r;

	r = find_place(options, &place);
	if (r == 0)
		r = daemon_identity_read(&place, &opening.known);
	if (r == 0) {
		r = look(&place);
		opening.is_new = r == 0;
	}
	if (r >= 0) {
		r = daemon_directory(place.directory, 0700, user);
		if (r < 0 && !may_pass(r))
			r = refuse_unreachable(&place, r);
	}
	if (r == 0)
		r = open_as_user(loop, &place, user, &opening);
	if (r == 0)
		r = finish_opening(&place, &opening);
	if (r < 0) {
		store_free(opening.store);
		return r;
	}
	*ret = opening.store;
	return 0;
}
