/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a database file is, and whether we may use it. SQLite has one word for all that can be wrong there
 * ("unable to open database file"); here it is told apart, and logged with what to do about it.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/* As store_sqlite_look(). */
int sqlite_path_look(const char *path);
/* The file's own name, symbolic links followed. Makes an empty file (mode 0600) if there is none. Negative
 * errno, logged: it, its directory or a file beside it cannot be used. */
int sqlite_path_make(const char *path, char ret[PATH_MAX]);
/* Which files SQLite has open: the database, and its log. */
struct sqlite_path {
	char path[PATH_MAX], log_path[PATH_MAX + 8];
	struct stat database, log;
	bool told;
};
int sqlite_path_remember(struct sqlite_path *place, const char *path);
/* -ESTALE, logged once: their names are gone, or other files'. */
int sqlite_path_check(struct sqlite_path *place);
/* An empty file of mode 0600 under a new name. */
int sqlite_path_make_file(const char *path);
