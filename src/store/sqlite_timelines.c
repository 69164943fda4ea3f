/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A timeline is what one opening of the database has written: it has a name that was drawn at random, and
 * begins at the revision that was found. Two copies that are changed apart count the same revisions, but
 * never under the same name; so whoever knows under which name a revision was told can ask whether it is of
 * this history. (PostgreSQL's standbys tell a server that was restored by the same means, and the same word.)
 */
#include "../lib/ident.h"
#include "../lib/log.h"
#include "../lib/vec.h"
#include "sqlite_handle.h"
#include "sum.h"

static uint64_t sum_of(const struct sqlite_timeline *timeline, int64_t id)
{
	return sum_of_row(timeline->name, "", (uint64_t)id, timeline->begins);
}

static int make_place(struct sqlite_file *file)
{
	return VEC_ROOM(file->timelines, file->n_timelines, file->timelines_size);
}

/* -EUCLEAN: it is not as it was written, or the one before it is missing. */
static int load_one(struct sqlite_file *file, sqlite3_stmt *statement)
{
	int64_t id = sqlite3_column_int64(statement, 0);
	const char *name = (const char *)sqlite3_column_text(statement, 1);
	struct sqlite_timeline *timeline;
	int r = make_place(file);

	if (r < 0 || !name)
		return -ENOMEM;
	timeline = &file->timelines[file->n_timelines];
	if (str_copy(timeline->name, sizeof(timeline->name), name) < 0)
		return -EUCLEAN;
	timeline->begins = (uint64_t)sqlite3_column_int64(statement, 2);
	if (sum_of(timeline, id) != (uint64_t)sqlite3_column_int64(statement, 3) ||
	    (file->n_timelines > 0 && id != file->last_timeline + 1))
		return -EUCLEAN;
	file->last_timeline = id;
	file->n_timelines++;
	return 0;
}

int sqlite_handle_load_timelines(struct sqlite_file *file)
{
	sqlite3_stmt *statement;
	int code, r = 0;

	file->n_timelines = 0;
	file->last_timeline = 0;
	file->has_timeline = false;
	code = sqlite3_prepare_v2(file->db, "SELECT id, name, begins, sum FROM timeline ORDER BY id", -1,
				  &statement, NULL);
	if (code != SQLITE_OK)
		return sqlite_handle_errno(code);
	while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
		r = load_one(file, statement);
	sqlite3_finalize(statement);
	if (r == 0)
		r = sqlite_handle_errno(code);
	if (r == -EUCLEAN)
		log_error("store's timelines are not as they were written");
	return r;
}

int sqlite_handle_begin_timeline(struct sqlite_file *file, uint64_t revision)
{
	struct sqlite_timeline *timeline;
	int64_t id = file->last_timeline + 1;
	char sql[192];
	int r = make_place(file);

	if (r < 0)
		return r;
	timeline = &file->timelines[file->n_timelines];
	timeline->begins = revision;
	r = random_hex(timeline->name, sizeof(timeline->name) - 1);
	if (r < 0)
		return r;
	(void)str_format(sql, sizeof(sql),
			 "INSERT INTO timeline VALUES (%lld, '%s', %lld, %lld); "
			 "DELETE FROM timeline WHERE id <= %lld",
			 (long long)id, timeline->name, (long long)revision, (long long)sum_of(timeline, id),
			 (long long)(id - STORE_TIMELINES_MAX));
	return sqlite_handle_execute(file, sql);
}

void sqlite_handle_keep_timeline(struct sqlite_file *file)
{
	file->has_timeline = true;
	file->last_timeline++;
	file->n_timelines++;
}

const char *sqlite_file_timeline(const struct sqlite_file *file)
{
	return file->n_timelines > 0 ? file->timelines[file->n_timelines - 1].name : "";
}

bool sqlite_file_had(const struct sqlite_file *file, const char *timeline, uint64_t revision)
{
	for (size_t i = file->n_timelines; i > 0; i--)
		if (streq(file->timelines[i - 1].name, timeline))
			return i == file->n_timelines || revision <= file->timelines[i].begins;
	return false;
}
