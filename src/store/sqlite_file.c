/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite as a log with an index: write-ahead, full synchronous, one writer who keeps the file locked from
 * opening to closing. The application id and the schema's version stand in the file's header, so that a
 * strange file is told from ours before anything is read from it.
 */
#include "sqlite_file.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sqlite3.h>
#include <unistd.h>

#include "../lib/ident.h"
#include "../lib/log.h"

#define APPLICATION_ID 0x706c6b31 /* "plk1" */
#define SCHEMA_VERSION 2

static const char schema[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, created INTEGER NOT NULL,"
	"                 modified INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('revision', 0);"
	"PRAGMA application_id = 0x706c6b31;";

/* What version 2 has and version 1 had not. */
static const char schema_2[] =
	"CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"PRAGMA user_version = 2;";

struct sqlite_file {
	sqlite3 *db;
	char identity[STORE_IDENTITY_SIZE];
	sqlite3_stmt *put, *delete, *revision;
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

/* Makes an empty file of the right mode, and its name durable. SQLite keeps a mode that it finds. */
static int make_file(const char *path)
{
	_cleanup_(closep) int fd = -EBADF, directory_fd = -EBADF;
	char copy[PATH_MAX];

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	if (str_copy(copy, sizeof(copy), path) < 0)
		return -ENAMETOOLONG;
	directory_fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0 || fsync(directory_fd) < 0)
		return -errno;
	return 0;
}

/* Draws an identity for a database that has none. */
static int mint(struct sqlite_file *file)
{
	char identity[STORE_IDENTITY_SIZE], sql[128];
	int r;

	r = random_hex(identity, sizeof(identity) - 1);
	if (r < 0)
		return r;
	(void)str_format(sql, sizeof(sql), "INSERT INTO about VALUES ('store', '%s')", identity);
	return execute(file, sql);
}

static int upgrade(struct sqlite_file *file)
{
	int r = execute(file, schema_2);

	return r < 0 ? r : mint(file);
}

/* Takes the lock for good, and makes the tables if the file is new. */
static int lock_and_prepare(struct sqlite_file *file)
{
	int64_t application = 0, version = 0, n_tables = 0;
	int r;

	r = execute(file,
		    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
		    "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
	if (r == 0)
		r = execute(file, "BEGIN EXCLUSIVE");
	if (r == 0)
		r = query_number(file, "PRAGMA application_id", &application);
	if (r == 0)
		r = query_number(file, "PRAGMA user_version", &version);
	if (r == 0)
		r = query_number(file, "SELECT count(*) FROM sqlite_schema", &n_tables);
	if (r < 0)
		return r;
	if (application == 0 && version == 0 && n_tables == 0) {
		r = execute(file, schema);
		if (r == 0)
			r = upgrade(file);
	} else if (application != APPLICATION_ID) {
		log_error("store file is not ours: application_id=%lld", (long long)application);
		return -EUCLEAN;
	} else if (version == 1) {
		r = upgrade(file);
	} else if (version != SCHEMA_VERSION) {
		log_error("store file has another schema: version=%lld known=%d", (long long)version,
			  SCHEMA_VERSION);
		return -EUCLEAN;
	}
	return r < 0 ? r : execute(file, "COMMIT");
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
		{offsetof(struct sqlite_file, put),
		 "INSERT INTO kv (key, value, created, modified) VALUES (?1, ?2, ?3, ?3)"
		 " ON CONFLICT (key) DO UPDATE SET value = excluded.value, modified = excluded.modified"},
		{offsetof(struct sqlite_file, delete), "DELETE FROM kv WHERE key = ?1"},
		{offsetof(struct sqlite_file, revision),
		 "UPDATE meta SET value = ?1 WHERE name = 'revision'"},
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

int sqlite_file_open(const char *path, struct sqlite_file **ret)
{
	struct sqlite_file *file;
	int r;

	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	r = make_file(path);
	if (r == 0)
		r = errno_of(
			sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL));
	if (r == 0)
		r = lock_and_prepare(file);
	if (r == 0)
		r = check_pages(file);
	if (r == 0)
		r = read_identity(file);
	if (r == 0)
		r = prepare(file);
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
	sqlite3_finalize(file->revision);
	sqlite3_close(file->db);
	free(file);
	return NULL;
}

const char *sqlite_file_error(const struct sqlite_file *file)
{
	return sqlite3_errmsg(file->db);
}

static int load_row(struct memory *memory, sqlite3_stmt *statement)
{
	const char *key = (const char *)sqlite3_column_text(statement, 0);
	const char *text = (const char *)sqlite3_column_text(statement, 1);
	json_t *value;
	int r;

	if (!key || !text)
		return -ENOMEM;
	value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
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

int sqlite_file_load(struct sqlite_file *file, struct memory *memory)
{
	sqlite3_stmt *statement;
	int64_t revision;
	int code, r = 0;

	code = sqlite3_prepare_v2(file->db, "SELECT key, value, created, modified FROM kv ORDER BY key", -1,
				  &statement, NULL);
	if (code != SQLITE_OK)
		return errno_of(code);
	while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
		r = load_row(memory, statement);
	sqlite3_finalize(statement);
	if (r == 0)
		r = errno_of(code);
	if (r == 0)
		r = query_number(file, "SELECT value FROM meta WHERE name = 'revision'", &revision);
	if (r < 0)
		return r == -ENODATA ? -EUCLEAN : r;
	memory_loaded(memory, (uint64_t)revision);
	return 0;
}

int sqlite_file_begin(struct sqlite_file *file)
{
	return execute(file, "BEGIN IMMEDIATE");
}

static int run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return errno_of(code);
}

int sqlite_file_write(struct sqlite_file *file, const struct txn_change *changes, size_t n_changes,
		      uint64_t revision)
{
	for (size_t i = 0; i < n_changes; i++) {
		const struct txn_change *change = &changes[i];
		sqlite3_stmt *statement = change->text ? file->put : file->delete;
		int r;

		(void)sqlite3_bind_text(statement, 1, change->key, -1, SQLITE_STATIC);
		if (change->text) {
			(void)sqlite3_bind_text(statement, 2, change->text, -1, SQLITE_STATIC);
			(void)sqlite3_bind_int64(statement, 3, (int64_t)revision);
		}
		r = run(statement);
		if (r < 0)
			return r;
	}
	return 0;
}

int sqlite_file_commit(struct sqlite_file *file, uint64_t revision)
{
	int r;

	(void)sqlite3_bind_int64(file->revision, 1, (int64_t)revision);
	r = run(file->revision);
	return r < 0 ? r : execute(file, "COMMIT");
}

void sqlite_file_rollback(struct sqlite_file *file)
{
	if (!sqlite3_get_autocommit(file->db))
		(void)execute(file, "ROLLBACK");
}
