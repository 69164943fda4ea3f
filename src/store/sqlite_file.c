/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches, and copies of the whole. The sum of all rows is kept up as they are written.
 */
#include <unistd.h>

#include "sqlite_handle.h"
#include "sum.h"

int sqlite_handle_begin(struct sqlite_file *file)
{
	int r = sqlite_path_check(&file->place);

	if (r < 0)
		return r;
	(void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	file->batch_sum = file->sum;
	return sqlite_handle_execute(file, "BEGIN IMMEDIATE");
}

int sqlite_file_begin(struct sqlite_file *file, uint64_t revision)
{
	int r = sqlite_handle_begin(file);

	if (r < 0 || file->has_timeline)
		return r;
	r = sqlite_handle_mark_version(file);
	return r < 0 ? r : sqlite_handle_begin_timeline(file, revision);
}

/* Takes the sum of the row off, if it is there, and says since when it is. */
static int forget_present(struct sqlite_file *file, const char *key, uint64_t *ret_created)
{
	int code;

	(void)sqlite3_bind_text(file->present, 1, key, -1, SQLITE_STATIC);
	code = sqlite3_step(file->present);
	if (code == SQLITE_ROW) {
		*ret_created = (uint64_t)sqlite3_column_int64(file->present, 0);
		file->batch_sum -= (uint64_t)sqlite3_column_int64(file->present, 1);
	}
	(void)sqlite3_reset(file->present);
	(void)sqlite3_clear_bindings(file->present);
	return sqlite_handle_errno(code);
}

static int put(struct sqlite_file *file, const struct txn_change *change, uint64_t created, uint64_t revision)
{
	uint64_t sum = sum_of_row(change->key, change->text, created, revision);

	(void)sqlite3_bind_text(file->put, 1, change->key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(file->put, 2, change->text, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(file->put, 3, (int64_t)created);
	(void)sqlite3_bind_int64(file->put, 4, (int64_t)revision);
	(void)sqlite3_bind_int64(file->put, 5, (int64_t)sum);
	file->batch_sum += sum;
	return sqlite_handle_run(file->put);
}

static int delete (struct sqlite_file *file, const struct txn_change *change)
{
	(void)sqlite3_bind_text(file->delete, 1, change->key, -1, SQLITE_STATIC);
	return sqlite_handle_run(file->delete);
}

int sqlite_file_write(struct sqlite_file *file, const struct txn_change *changes, size_t n_changes,
		      uint64_t revision)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_changes; i++) {
		uint64_t created = revision;

		r = forget_present(file, changes[i].key, &created);
		if (r == 0)
			r = changes[i].text ? put(file, &changes[i], created, revision)
					    : delete (file, &changes[i]);
	}
	return r;
}

static int write_meta(struct sqlite_file *file, const char *name, uint64_t value)
{
	(void)sqlite3_bind_text(file->meta, 1, name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(file->meta, 2, (int64_t)value);
	return sqlite_handle_run(file->meta);
}

int sqlite_file_commit(struct sqlite_file *file, uint64_t revision)
{
	int r;

	r = write_meta(file, "revision", revision);
	if (r == 0)
		r = write_meta(file, "sum", sum_of_store(file->batch_sum, revision));
	if (r == 0)
		r = sqlite_handle_execute(file, "COMMIT");
	if (r < 0)
		return r;
	file->sum = file->batch_sum;
	if (!file->has_timeline)
		sqlite_handle_keep_timeline(file);
	return 0;
}

void sqlite_file_rollback(struct sqlite_file *file)
{
	if (!sqlite3_get_autocommit(file->db))
		(void)sqlite_handle_execute(file, "ROLLBACK");
}

int sqlite_file_back_up(struct sqlite_file *file, const char **ret_path)
{
	sqlite3_stmt *statement;
	int code, r;

	(void)str_format(file->backup_path, sizeof(file->backup_path), "%s.backup", file->place.path);
	if (unlink(file->backup_path) < 0 && errno != ENOENT)
		return -errno;
	/* SQLite takes an empty file, and keeps its mode. */
	r = sqlite_path_make_file(file->backup_path);
	if (r < 0)
		return r;
	code = sqlite3_prepare_v2(file->db, "VACUUM INTO ?1", -1, &statement, NULL);
	if (code == SQLITE_OK) {
		(void)sqlite3_bind_text(statement, 1, file->backup_path, -1, SQLITE_STATIC);
		code = sqlite3_step(statement);
		sqlite3_finalize(statement);
	}
	r = sqlite_handle_errno(code);
	if (r < 0)
		(void)unlink(file->backup_path);
	*ret_path = file->backup_path;
	return r;
}
