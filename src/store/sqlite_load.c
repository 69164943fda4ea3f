/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All rows into memory, each with its sum checked; and a new start from those that can be read.
 */
#include "../lib/log.h"
#include "sqlite_handle.h"
#include "sum.h"

struct loading {
	struct memory *memory;
	uint64_t sum;
	size_t n_damaged;
};

/* Most rows are of plain form, which needs no tree of JSON. */
static int load_text(struct memory *memory, sqlite3_stmt *statement, const char *key, const char *text)
{
	_cleanup_(freep) char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	return memory_load_text(memory, key, copy, (uint64_t)sqlite3_column_int64(statement, 2),
				(uint64_t)sqlite3_column_int64(statement, 3));
}

static int load_json(struct memory *memory, sqlite3_stmt *statement, const char *key, const char *text)
{
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	int r;

	if (!value) {
		log_error("store row cannot be read: key=%s", key);
		return -EUCLEAN;
	}
	r = memory_load(memory, key, value, (uint64_t)sqlite3_column_int64(statement, 2),
			(uint64_t)sqlite3_column_int64(statement, 3));
	json_decref(value);
	return r;
}

/* -EUCLEAN: it is no row. */
static int load_value(struct memory *memory, sqlite3_stmt *statement, const char *key, const char *text)
{
	int r = load_text(memory, statement, key, text);

	if (r == -EOPNOTSUPP)
		r = load_json(memory, statement, key, text);
	if (r == -EINVAL) {
		log_error("store row is of no known kind or form: key=%s", key);
		return -EUCLEAN;
	}
	return r;
}

/* A damaged row is named and counted; one that is a row all the same is loaded. */
static int load_row(struct loading *loading, sqlite3_stmt *statement)
{
	const char *key = (const char *)sqlite3_column_text(statement, 0);
	const char *text = (const char *)sqlite3_column_text(statement, 1);
	bool changed;
	uint64_t sum;
	int r;

	if (!key || !text)
		return -ENOMEM;
	sum = sum_of_row(key, text, (uint64_t)sqlite3_column_int64(statement, 2),
			 (uint64_t)sqlite3_column_int64(statement, 3));
	loading->sum += sum;
	changed = sum != (uint64_t)sqlite3_column_int64(statement, 4);
	if (changed)
		log_error("store row is not as it was written: key=%s", key);
	r = load_value(loading->memory, statement, key, text);
	if (changed || r == -EUCLEAN)
		loading->n_damaged++;
	return r == -EUCLEAN ? 0 : r;
}

static int load_rows(struct sqlite_file *file, struct loading *loading)
{
	sqlite3_stmt *statement;
	int code, r = 0;

	code = sqlite3_prepare_v2(file->db, "SELECT key, value, created, modified, sum FROM kv ORDER BY key",
				  -1, &statement, NULL);
	if (code != SQLITE_OK)
		return sqlite_handle_errno(code);
	while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
		r = load_row(loading, statement);
	sqlite3_finalize(statement);
	return r < 0 ? r : sqlite_handle_errno(code);
}

static int query_meta(struct sqlite_file *file, const char *name, uint64_t *ret)
{
	char sql[64];
	int64_t number;
	int r;

	(void)str_format(sql, sizeof(sql), "SELECT value FROM meta WHERE name = '%s'", name);
	r = sqlite_handle_number(file, sql, &number);
	if (r == 0)
		*ret = (uint64_t)number;
	return r == -ENODATA ? -EUCLEAN : r;
}

int sqlite_file_load(struct sqlite_file *file, struct memory *memory, bool *ret_damaged)
{
	struct loading loading = {.memory = memory};
	uint64_t revision = 0, sum = 0;
	int r;

	r = sqlite_handle_load_timelines(file);
	if (r == -EUCLEAN) {
		loading.n_damaged++;
		r = 0;
	}
	if (!file->identity[0]) {
		log_error("store's identity is not as it was written");
		loading.n_damaged++;
	}
	if (r == 0)
		r = load_rows(file, &loading);
	if (r == 0)
		r = query_meta(file, "revision", &revision);
	if (r == 0)
		r = query_meta(file, "sum", &sum);
	if (r < 0)
		return r;
	if (loading.n_damaged == 0 && sum != sum_of_store(loading.sum, revision)) {
		log_error("store rows are not those that were written: some are missing or of another time");
		loading.n_damaged++;
	}
	if (ret_damaged)
		*ret_damaged = loading.n_damaged > 0;
	else if (loading.n_damaged > 0)
		return -EUCLEAN;
	file->sum = loading.sum;
	return memory_loaded(memory, revision);
}

/* ---- a new start from what is there ---- */

/* The sums of what is there now. */
int sqlite_handle_rewrite_sums(struct sqlite_file *file)
{
	uint64_t total = 0, revision = 0;
	sqlite3_stmt *statement;
	char sql[96];
	int code, r;

	r = sqlite_handle_execute(file, "UPDATE kv SET sum = row_sum(key, value, created, modified)");
	if (r < 0)
		return r;
	code = sqlite3_prepare_v2(file->db, "SELECT sum FROM kv", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return sqlite_handle_errno(code);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		total += (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	r = sqlite_handle_errno(code);
	if (r == 0)
		r = query_meta(file, "revision", &revision);
	if (r < 0)
		return r;
	file->sum = total;
	(void)str_format(sql, sizeof(sql), "UPDATE meta SET value = %lld WHERE name = 'sum'",
			 (long long)sum_of_store(total, revision));
	return sqlite_handle_execute(file, sql);
}

/* A row whose key was changed stands where its old key belongs, and is found by neither: all are put in anew.
 */
static int put_in_order(struct sqlite_file *file)
{
	return sqlite_handle_execute(
		file, "CREATE TABLE found AS SELECT key, value, created, modified, sum FROM kv;"
		      "DELETE FROM kv;"
		      "INSERT OR REPLACE INTO kv (key, value, created, modified, sum)"
		      "  SELECT key, value, created, modified, sum FROM found ORDER BY rowid;"
		      "DROP TABLE found;");
}

/* Deletes the rows that the memory has not. */
static int drop_others(struct sqlite_file *file, const struct memory *memory)
{
	sqlite3_stmt *statement;
	int code, r = 0;

	code = sqlite3_prepare_v2(file->db, "SELECT key FROM kv", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return sqlite_handle_errno(code);
	while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(statement, 0);

		if (!key)
			r = -ENOMEM;
		else if (!memory_find(memory, key)) {
			log_warning("dropping key=%s", key);
			(void)sqlite3_bind_value(file->delete, 1, sqlite3_column_value(statement, 0));
			r = sqlite_handle_run(file->delete);
		}
	}
	sqlite3_finalize(statement);
	return r < 0 ? r : sqlite_handle_errno(code);
}

int sqlite_file_renew(struct sqlite_file *file, const struct memory *memory)
{
	char before[STORE_IDENTITY_SIZE];
	int r;

	(void)str_copy(before, sizeof(before), file->identity);
	r = sqlite_handle_begin(file);
	if (r == 0)
		r = sqlite_handle_mint(file);
	if (r == 0) /* nobody has heard of this identity yet */
		r = sqlite_handle_execute(file, "DELETE FROM timeline");
	if (r == 0)
		r = put_in_order(file);
	if (r == 0)
		r = drop_others(file, memory);
	if (r == 0)
		r = sqlite_handle_rewrite_sums(file);
	if (r == 0)
		r = sqlite_handle_execute(file, "COMMIT");
	if (r < 0) {
		(void)str_copy(file->identity, sizeof(file->identity), before);
		sqlite_file_rollback(file);
		return r;
	}
	return sqlite_handle_load_timelines(file);
}
