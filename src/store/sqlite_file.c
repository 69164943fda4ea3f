/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite as a log with an index: write-ahead, full synchronous, one writer who keeps the file locked from
 * opening to closing. The application id and the schema's version stand in the file's header, so that a
 * strange file is told from ours before anything is read from it.
 */
#include "sqlite_file.h"

#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/ident.h"
#include "../lib/log.h"
#include "sqlite_place.h"
#include "sum.h"

#define APPLICATION_ID 0x706c6b31 /* "plk1" */
#define SCHEMA_VERSION 2

static const char schema[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, created INTEGER NOT NULL,"
	"                 modified INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('revision', 0);"
	"PRAGMA application_id = 0x706c6b31;";

/* What version 2 has and version 1 had not: an identity, and sums (sum.h), of each row and of all. */
static const char schema_2[] =
	"CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"ALTER TABLE kv ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;"
	"INSERT INTO meta VALUES ('sum', 0);"
	"PRAGMA user_version = 2;";

struct sqlite_file {
	sqlite3 *db;
	char identity[STORE_IDENTITY_SIZE];
	char backup_path[PATH_MAX + sizeof(".backup")];
	struct sqlite_place place;
	sqlite3_stmt *put, *delete, *present, *meta;
	uint64_t sum, batch_sum; /* of the rows, as of the last commit; and with the batch */
};

static int errno_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_FORMAT:
	case SQLITE_SCHEMA:
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	default:
		return -EIO;
	}
}

static int execute(struct sqlite_file *file, const char *sql)
{
	return errno_of(sqlite3_exec(file->db, sql, NULL, NULL, NULL));
}

static int run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return errno_of(code);
}

/* sum_of_row() in SQL. */
static void row_sum(sqlite3_context *context, _unused_ int n_values, sqlite3_value **values)
{
	const char *key = (const char *)sqlite3_value_text(values[0]);
	const char *value = (const char *)sqlite3_value_text(values[1]);

	if (key && value)
		sqlite3_result_int64(context,
				     (int64_t)sum_of_row(key, value, (uint64_t)sqlite3_value_int64(values[2]),
							 (uint64_t)sqlite3_value_int64(values[3])));
	else
		sqlite3_result_error_nomem(context);
}

/* One number from one row. */
static int query_number(struct sqlite_file *file, const char *sql, int64_t *ret)
{
	sqlite3_stmt *statement;
	int code;

	code = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
	if (code != SQLITE_OK)
		return errno_of(code);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	if (code == SQLITE_DONE)
		return -ENODATA;
	return errno_of(code);
}

/* Draws an identity for a database that has none. */
static int mint(struct sqlite_file *file)
{
	char identity[STORE_IDENTITY_SIZE], sql[128];
	int r;

	r = random_hex(identity, sizeof(identity) - 1);
	if (r < 0)
		return r;
	(void)str_format(sql, sizeof(sql), "INSERT OR REPLACE INTO about VALUES ('store', '%s')", identity);
	r = execute(file, sql);
	if (r == 0)
		(void)str_copy(file->identity, sizeof(file->identity), identity);
	return r;
}

static int rewrite_sums(struct sqlite_file *file);

static int upgrade(struct sqlite_file *file)
{
	int r = execute(file, schema_2);

	if (r == 0)
		r = mint(file);
	return r < 0 ? r : rewrite_sums(file);
}

/* The tables of a file that has none, or what a file of the first version lacks. 1: something was made. */
static int make_tables(struct sqlite_file *file, bool make)
{
	int64_t application = 0, version = 0, n_tables = 0;
	int r;

	r = query_number(file, "PRAGMA application_id", &application);
	if (r == 0)
		r = query_number(file, "PRAGMA user_version", &version);
	if (r == 0)
		r = query_number(file, "SELECT count(*) FROM sqlite_schema", &n_tables);
	if (r < 0)
		return r;
	if (application == 0 && version == 0 && n_tables == 0) {
		r = make ? execute(file, schema) : -ENODATA;
		version = 1;
	} else if (application != APPLICATION_ID) {
		log_error("store file is not ours: application_id=%lld", (long long)application);
		return -EUCLEAN;
	}
	if (r < 0 || version == SCHEMA_VERSION)
		return r;
	if (version != 1) {
		log_error("store file has another schema: version=%lld known=%d", (long long)version,
			  SCHEMA_VERSION);
		return -EUCLEAN;
	}
	r = upgrade(file);
	return r < 0 ? r : 1;
}

/* Takes the lock for good. What was made goes to the file itself at once: without it, a log that was lost
 * would leave a file that looks as if it had never been used. */
static int lock_and_prepare(struct sqlite_file *file, bool make)
{
	int made, r;

	r = execute(file,
		    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
		    "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
	if (r == 0)
		r = execute(file, "BEGIN EXCLUSIVE");
	if (r < 0)
		return r;
	made = make_tables(file, make);
	if (made < 0)
		return made;
	r = execute(file, "COMMIT");
	return r == 0 && made ? execute(file, "PRAGMA wal_checkpoint(TRUNCATE)") : r;
}

static int read_identity(struct sqlite_file *file)
{
	sqlite3_stmt *statement;
	const char *text;
	int code, r;

	code = sqlite3_prepare_v2(file->db, "SELECT value FROM about WHERE name = 'store'", -1, &statement,
				  NULL);
	if (code != SQLITE_OK)
		return errno_of(code);
	code = sqlite3_step(statement);
	text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	r = errno_of(code);
	if (r == 0 && (!text || strlen(text) != sizeof(file->identity) - 1)) {
		log_error("store file has no identity");
		r = -EUCLEAN;
	}
	if (r == 0)
		(void)str_copy(file->identity, sizeof(file->identity), text);
	sqlite3_finalize(statement);
	return r;
}

const char *sqlite_file_identity(const struct sqlite_file *file)
{
	return file->identity;
}

/* Asks SQLite whether every page makes sense. */
static int check_pages(struct sqlite_file *file)
{
	sqlite3_stmt *statement;
	const char *said;
	int code, r;

	code = sqlite3_prepare_v2(file->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return errno_of(code);
	code = sqlite3_step(statement);
	r = errno_of(code);
	if (code == SQLITE_ROW) {
		said = (const char *)sqlite3_column_text(statement, 0);
		if (!said || !streq(said, "ok")) {
			log_error("store file is damaged: %s", said ? said : "no answer");
			r = -EUCLEAN;
		}
	}
	sqlite3_finalize(statement);
	return r;
}

static int prepare(struct sqlite_file *file)
{
	static const struct {
		size_t offset;
		const char *sql;
	} statements[] = {
		{offsetof(struct sqlite_file, put), "INSERT OR REPLACE INTO kv (key, value, created, "
						    "modified, sum) VALUES (?1, ?2, ?3, ?4, ?5)"},
		{offsetof(struct sqlite_file, delete), "DELETE FROM kv WHERE key = ?1"},
		{offsetof(struct sqlite_file, present), "SELECT created, sum FROM kv WHERE key = ?1"},
		/* One row at a time: for more SQLite keeps a journal of the statement. */
		{offsetof(struct sqlite_file, meta), "UPDATE meta SET value = ?2 WHERE name = ?1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		sqlite3_stmt **statement = (sqlite3_stmt **)((char *)file + statements[i].offset);
		int code = sqlite3_prepare_v3(file->db, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
					      statement, NULL);

		if (code != SQLITE_OK)
			return errno_of(code);
	}
	return 0;
}

/* Whoever refuses what it found leaves it as it is: the log, too, which closing would fold into the file as
 * far as it is good. An empty one goes. */
static int keep_log(struct sqlite_file *file, const char *path)
{
	char name[PATH_MAX + sizeof("-wal")];
	struct stat st;

	(void)str_format(name, sizeof(name), "%s-wal", path);
	if (stat(name, &st) < 0 || st.st_size == 0)
		return 0;
	return errno_of(sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL));
}

static int open_file(struct sqlite_file *file, const char *path)
{
	char real[PATH_MAX];
	int r;

	r = sqlite_place_make(path, real);
	if (r == 0)
		r = errno_of(
			sqlite3_open_v2(real, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL));
	if (r == 0)
		r = keep_log(file, real);
	if (r == 0)
		r = errno_of(sqlite3_create_function(file->db, "row_sum", 4,
						     SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
						     NULL, row_sum, NULL, NULL));
	return r;
}

int sqlite_file_open(const char *path, bool make, struct sqlite_file **ret)
{
	struct sqlite_file *file;
	int r;

	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	r = open_file(file, path);
	if (r == 0)
		r = lock_and_prepare(file, make);
	if (r == 0)
		r = check_pages(file);
	if (r == 0)
		r = read_identity(file);
	if (r == 0)
		r = prepare(file);
	if (r == 0) /* from here on there is a log, be it empty */
		r = sqlite_place_remember(&file->place, sqlite3_db_filename(file->db, "main"));
	if (r < 0) {
		if (file->db && sqlite3_errcode(file->db) != SQLITE_OK)
			log_error("cannot open store file=%s: %s", path, sqlite3_errmsg(file->db));
		sqlite_file_close(file);
		return r;
	}
	*ret = file;
	return 0;
}

struct sqlite_file *sqlite_file_close(struct sqlite_file *file)
{
	if (!file)
		return NULL;
	sqlite3_finalize(file->put);
	sqlite3_finalize(file->delete);
	sqlite3_finalize(file->present);
	sqlite3_finalize(file->meta);
	sqlite3_close(file->db);
	free(file);
	return NULL;
}

const char *sqlite_file_path(const struct sqlite_file *file)
{
	return file->place.path;
}

const char *sqlite_file_error(const struct sqlite_file *file)
{
	return sqlite3_errmsg(file->db);
}

struct loading {
	struct memory *memory;
	uint64_t sum;
	size_t n_damaged;
};

/* -EUCLEAN: it is no row. */
static int load_value(struct memory *memory, sqlite3_stmt *statement, const char *key, const char *text)
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
		return errno_of(code);
	while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
		r = load_row(loading, statement);
	sqlite3_finalize(statement);
	return r < 0 ? r : errno_of(code);
}

static int query_meta(struct sqlite_file *file, const char *name, uint64_t *ret)
{
	char sql[64];
	int64_t number;
	int r;

	(void)str_format(sql, sizeof(sql), "SELECT value FROM meta WHERE name = '%s'", name);
	r = query_number(file, sql, &number);
	if (r == 0)
		*ret = (uint64_t)number;
	return r == -ENODATA ? -EUCLEAN : r;
}

int sqlite_file_load(struct sqlite_file *file, struct memory *memory, bool *ret_damaged)
{
	struct loading loading = {.memory = memory};
	uint64_t revision = 0, sum = 0;
	int r;

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
	memory_loaded(memory, revision);
	return 0;
}

/* ---- a new start from what is there ---- */

/* The sums of what is there now. */
static int rewrite_sums(struct sqlite_file *file)
{
	uint64_t total = 0, revision = 0;
	sqlite3_stmt *statement;
	char sql[96];
	int code, r;

	r = execute(file, "UPDATE kv SET sum = row_sum(key, value, created, modified)");
	if (r < 0)
		return r;
	code = sqlite3_prepare_v2(file->db, "SELECT sum FROM kv", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return errno_of(code);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		total += (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	r = errno_of(code);
	if (r == 0)
		r = query_meta(file, "revision", &revision);
	if (r < 0)
		return r;
	file->sum = total;
	(void)str_format(sql, sizeof(sql), "UPDATE meta SET value = %lld WHERE name = 'sum'",
			 (long long)sum_of_store(total, revision));
	return execute(file, sql);
}

/* Deletes the rows that the memory has not. */
static int drop_others(struct sqlite_file *file, const struct memory *memory)
{
	sqlite3_stmt *statement;
	int code, r = 0;

	code = sqlite3_prepare_v2(file->db, "SELECT key FROM kv", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return errno_of(code);
	while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(statement, 0);

		if (!key)
			r = -ENOMEM;
		else if (!memory_find(memory, key)) {
			log_warning("dropping key=%s", key);
			(void)sqlite3_bind_text(file->delete, 1, key, -1, SQLITE_TRANSIENT);
			r = run(file->delete);
		}
	}
	sqlite3_finalize(statement);
	return r < 0 ? r : errno_of(code);
}

int sqlite_file_renew(struct sqlite_file *file, const struct memory *memory)
{
	char before[STORE_IDENTITY_SIZE];
	int r;

	(void)str_copy(before, sizeof(before), file->identity);
	r = sqlite_file_begin(file);
	if (r == 0)
		r = mint(file);
	if (r == 0)
		r = drop_others(file, memory);
	if (r == 0)
		r = rewrite_sums(file);
	if (r == 0)
		r = execute(file, "COMMIT");
	if (r < 0) {
		(void)str_copy(file->identity, sizeof(file->identity), before);
		sqlite_file_rollback(file);
	}
	return r;
}

/* ---- batches ---- */

int sqlite_file_begin(struct sqlite_file *file)
{
	int r = sqlite_place_check(&file->place);

	if (r < 0)
		return r;
	(void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	file->batch_sum = file->sum;
	return execute(file, "BEGIN IMMEDIATE");
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
	return errno_of(code);
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
	return run(file->put);
}

static int delete (struct sqlite_file *file, const struct txn_change *change)
{
	(void)sqlite3_bind_text(file->delete, 1, change->key, -1, SQLITE_STATIC);
	return run(file->delete);
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
	return run(file->meta);
}

int sqlite_file_commit(struct sqlite_file *file, uint64_t revision)
{
	int r;

	r = write_meta(file, "revision", revision);
	if (r == 0)
		r = write_meta(file, "sum", sum_of_store(file->batch_sum, revision));
	if (r == 0)
		r = execute(file, "COMMIT");
	if (r == 0)
		file->sum = file->batch_sum;
	return r;
}

void sqlite_file_rollback(struct sqlite_file *file)
{
	if (!sqlite3_get_autocommit(file->db))
		(void)execute(file, "ROLLBACK");
}

int sqlite_file_back_up(struct sqlite_file *file, const char **ret_path)
{
	sqlite3_stmt *statement;
	int code, r;

	(void)str_format(file->backup_path, sizeof(file->backup_path), "%s.backup", file->place.path);
	if (unlink(file->backup_path) < 0 && errno != ENOENT)
		return -errno;
	/* SQLite takes an empty file, and keeps its mode. */
	r = sqlite_place_make_file(file->backup_path);
	if (r < 0)
		return r;
	code = sqlite3_prepare_v2(file->db, "VACUUM INTO ?1", -1, &statement, NULL);
	if (code == SQLITE_OK) {
		(void)sqlite3_bind_text(statement, 1, file->backup_path, -1, SQLITE_STATIC);
		code = sqlite3_step(statement);
		sqlite3_finalize(statement);
	}
	r = errno_of(code);
	if (r < 0)
		(void)unlink(file->backup_path);
	*ret_path = file->backup_path;
	return r;
}
