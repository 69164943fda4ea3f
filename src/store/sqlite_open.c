/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite as a log with an index: write-ahead, full synchronous, one writer who keeps the file locked from
 * opening to closing. The application id and the schema's version stand in the file's header, so that a
 * strange file is told from ours before anything is read from it.
 */
#include <inttypes.h>
#include <sys/stat.h>

#include "../lib/ident.h"
#include "../lib/log.h"
#include "sqlite_handle.h"
#include "sum.h"

#define APPLICATION_ID 0x706c6b31 /* "plk1" */

/* To be raised, at least once between two releases, with all that an older privlinkd would take for damage or
 * read otherwise: tables, kinds of rows, members of rows and their values, what any of them means. An older
 * one then says so, and does not serve the store without what it does not know. A file of a version before
 * gets the new one with its first batch: until then it holds nothing new.
 * 2: sums, timelines, an identity. 3: quotas, users and groups of accounts, whose a key is, connectivity
 * tests, and whatever rows have come to have until then. */
#define SCHEMA_VERSION 3

static const char schema[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, created INTEGER NOT NULL,"
	"                 modified INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('revision', 0);"
	"PRAGMA application_id = 0x706c6b31;";

/* What version 2 has and version 1 had not: an identity, timelines, and sums (sum.h), of each row and of all.
 */
static const char schema_2[] =
	"CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE timeline (id INTEGER PRIMARY KEY, name TEXT NOT NULL, begins INTEGER NOT NULL,"
	"                       sum INTEGER NOT NULL) STRICT;"
	"ALTER TABLE kv ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;"
	"INSERT INTO meta VALUES ('sum', 0);";

int sqlite_handle_errno(int code)
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

int sqlite_handle_execute(struct sqlite_file *file, const char *sql)
{
	return sqlite_handle_errno(sqlite3_exec(file->db, sql, NULL, NULL, NULL));
}

int sqlite_handle_run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return sqlite_handle_errno(code);
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
int sqlite_handle_number(struct sqlite_file *file, const char *sql, int64_t *ret)
{
	sqlite3_stmt *statement;
	int code;

	code = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
	if (code != SQLITE_OK)
		return sqlite_handle_errno(code);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	if (code == SQLITE_DONE)
		return -ENODATA;
	return sqlite_handle_errno(code);
}

/* Draws an identity for a database that has none. */
int sqlite_handle_mint(struct sqlite_file *file)
{
	char identity[STORE_IDENTITY_SIZE], sql[192];
	int r;

	r = random_hex(identity, sizeof(identity) - 1);
	if (r < 0)
		return r;
	(void)str_format(sql, sizeof(sql),
			 "INSERT OR REPLACE INTO about VALUES ('store', '%s'), ('store_sum', '%016" PRIx64
			 "')",
			 identity, sum_of_text(identity));
	r = sqlite_handle_execute(file, sql);
	if (r == 0)
		(void)str_copy(file->identity, sizeof(file->identity), identity);
	return r;
}

int sqlite_handle_mark_version(struct sqlite_file *file)
{
	char sql[64];

	(void)str_format(sql, sizeof(sql), "PRAGMA user_version = %d", SCHEMA_VERSION);
	return sqlite_handle_execute(file, sql);
}

static int upgrade(struct sqlite_file *file)
{
	int r = sqlite_handle_execute(file, schema_2);

	if (r == 0)
		r = sqlite_handle_mark_version(file);
	if (r == 0)
		r = sqlite_handle_mint(file);
	return r < 0 ? r : sqlite_handle_rewrite_sums(file);
}

/* The tables of a file that has none, or what a file of the first version lacks. 1: something was made. */
static int make_tables(struct sqlite_file *file, bool make)
{
	int64_t application = 0, version = 0, n_tables = 0;
	int r;

	r = sqlite_handle_number(file, "PRAGMA application_id", &application);
	if (r == 0)
		r = sqlite_handle_number(file, "PRAGMA user_version", &version);
	if (r == 0)
		r = sqlite_handle_number(file, "SELECT count(*) FROM sqlite_schema", &n_tables);
	if (r < 0)
		return r;
	if (application == 0 && version == 0 && n_tables == 0) {
		r = make ? sqlite_handle_execute(file, schema) : -ENODATA;
		version = 1;
	} else if (application != APPLICATION_ID) {
		log_error("store file is not ours: application_id=%lld", (long long)application);
		return -EUCLEAN;
	}
	if (r < 0 || (version > 1 && version <= SCHEMA_VERSION))
		return r;
	if (version != 1) {
		log_error("store file has another schema: version=%lld known=%d", (long long)version,
			  SCHEMA_VERSION);
		return version > SCHEMA_VERSION ? -EPROTONOSUPPORT : -EUCLEAN;
	}
	r = upgrade(file);
	return r < 0 ? r : 1;
}

/* Takes the lock for good. What was made goes to the file itself at once: without it, a log that was lost
 * would leave a file that looks as if it had never been used. */
static int lock_and_prepare(struct sqlite_file *file, bool make)
{
	int made, r;

	r = sqlite_handle_execute(
		file, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
		      "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
	if (r == 0)
		r = sqlite_handle_execute(file, "BEGIN EXCLUSIVE");
	if (r < 0)
		return r;
	made = make_tables(file, make);
	if (made < 0)
		return made;
	r = sqlite_handle_execute(file, "COMMIT");
	return r == 0 && made ? sqlite_handle_execute(file, "PRAGMA wal_checkpoint(TRUNCATE)") : r;
}

static bool is_identity(const char *text, const char *sum)
{
	char want[17];

	if (strlen(text) != STORE_IDENTITY_SIZE - 1 ||
	    strspn(text, "0123456789abcdef") != STORE_IDENTITY_SIZE - 1)
		return false;
	(void)str_format(want, sizeof(want), "%016" PRIx64, sum_of_text(text));
	return !sum || streq(sum, want); /* a store from before there were sums has none */
}

/* "" where it is none any more: that is a damage like that of a row. */
static int read_identity(struct sqlite_file *file)
{
	static const char sql[] = "SELECT (SELECT value FROM about WHERE name = 'store'),"
				  "  (SELECT value FROM about WHERE name = 'store_sum')";
	const char *text, *sum;
	sqlite3_stmt *statement;
	int code;

	code = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
	if (code != SQLITE_OK)
		return sqlite_handle_errno(code);
	code = sqlite3_step(statement);
	text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	sum = text ? (const char *)sqlite3_column_text(statement, 1) : NULL;
	if (text && is_identity(text, sum))
		(void)str_copy(file->identity, sizeof(file->identity), text);
	sqlite3_finalize(statement);
	return sqlite_handle_errno(code);
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
		return sqlite_handle_errno(code);
	code = sqlite3_step(statement);
	r = sqlite_handle_errno(code);
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
			return sqlite_handle_errno(code);
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
	return sqlite_handle_errno(sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL));
}

static int open_file(struct sqlite_file *file, const char *path)
{
	char real[PATH_MAX];
	int r;

	r = sqlite_path_make(path, real);
	if (r == 0)
		r = sqlite_handle_errno(
			sqlite3_open_v2(real, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL));
	if (r == 0)
		r = keep_log(file, real);
	if (r == 0)
		r = sqlite_handle_errno(sqlite3_create_function(
			file->db, "row_sum", 4, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
			row_sum, NULL, NULL));
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
		r = sqlite_path_remember(&file->place, sqlite3_db_filename(file->db, "main"));
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
	free(file->timelines);
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
