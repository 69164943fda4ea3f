/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a process from a database is asked of the file system, as the user that the process is then.
 */
#include "sqlite_path.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/log.h"

static int sync_directory(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Makes an empty file of the right mode, and its name durable. SQLite keeps a mode that it finds. */
int sqlite_path_make_file(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	char copy[PATH_MAX];

	if (fd < 0)
		return -errno;
	return str_copy(copy, sizeof(copy), path) < 0 ? -ENAMETOOLONG : sync_directory(dirname(copy));
}

/* SQLite calls all that keeps it from a file "unable to open database file". What it is: */
static int explain(const char *path, int wanted)
{
	struct stat st;
	int r;

	if (faccessat(AT_FDCWD, path, wanted, AT_EACCESS) == 0)
		return 0;
	r = -errno;
	if (stat(path, &st) < 0)
		return log_errno(r, "cannot reach file=%s", path);
	if (r == -EACCES)
		return log_errno(
			r, "cannot use file=%s of uid=%u mode=%03o as uid=%u; give it back with: chown %u %s",
			path, st.st_uid, st.st_mode & 07777, geteuid(), geteuid(), path);
	return log_errno(r, "cannot write file=%s", path);
}

/* Symbolic links followed. -ENOENT, without a word: there is nothing of that name, not even a link. */
static int find_real(const char *path, char ret[PATH_MAX])
{
	struct stat st;

	if (realpath(path, ret))
		return 0;
	ret[0] = '\0';
	if (errno != ENOENT)
		return log_errno(-errno, "cannot reach file=%s", path);
	if (lstat(path, &st) == 0)
		return log_errno(-ENOLINK, "cannot follow symbolic link=%s (is its disk mounted?)", path);
	return -ENOENT;
}

/* The database's own name and its directory's, so that the files beside it are beside the database. -ENOENT
 * as above; `ret_directory` is "" if that is not there either. */
static int find_file(const char *path, char ret_path[PATH_MAX], char ret_directory[PATH_MAX])
{
	char copy[PATH_MAX];
	struct stat st;
	int r;

	if (str_copy(copy, sizeof(copy), path) < 0)
		return -ENAMETOOLONG;
	r = find_real(dirname(copy), ret_directory);
	if (r == 0)
		r = find_real(path, ret_path);
	if (r < 0)
		return r;
	if (str_copy(copy, sizeof(copy), ret_path) < 0 ||
	    str_copy(ret_directory, PATH_MAX, dirname(copy)) < 0)
		return -ENAMETOOLONG;
	if (stat(ret_path, &st) < 0 || !S_ISREG(st.st_mode))
		return log_errno(-EUCLEAN, "cannot use file=%s, which is no regular file", ret_path);
	return 0;
}

/* Whether this process may do with the files what SQLite is going to do. */
static int check_files(const char *path, const char *directory)
{
	static const char *const companions[] = {"-wal", "-shm", "-journal"};
	char name[PATH_MAX + 16];
	int r;

	r = explain(directory, R_OK | W_OK | X_OK);
	if (r == 0)
		r = explain(path, R_OK | W_OK);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(companions); i++) {
		(void)str_format(name, sizeof(name), "%s%s", path, companions[i]);
		if (access(name, F_OK) == 0)
			r = explain(name, R_OK | W_OK);
	}
	return r;
}

int sqlite_path_look(const char *path)
{
	char real[PATH_MAX], directory[PATH_MAX];
	struct stat st;
	int r;

	r = find_file(path, real, directory);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	return stat(real, &st) < 0 ? -errno : st.st_size > 0;
}

int sqlite_path_make(const char *path, char ret[PATH_MAX])
{
	char directory[PATH_MAX];
	int r;

	r = find_file(path, ret, directory);
	if (r == -ENOENT && !directory[0])
		return log_errno(r, "cannot reach the directory of file=%s", path);
	if (r == -ENOENT) {
		r = explain(directory, R_OK | W_OK | X_OK);
		if (r == 0)
			r = sqlite_path_make_file(path);
		if (r == 0)
			r = find_file(path, ret, directory);
	}
	return r < 0 ? r : check_files(ret, directory);
}

static bool is_same(const char *path, const struct stat *known)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_ino == known->st_ino && st.st_dev == known->st_dev;
}

int sqlite_path_remember(struct sqlite_path *place, const char *path)
{
	*place = (struct sqlite_path){};
	(void)str_copy(place->path, sizeof(place->path), path);
	(void)str_format(place->log_path, sizeof(place->log_path), "%s-wal", path);
	return stat(place->path, &place->database) < 0 || stat(place->log_path, &place->log) < 0 ? -errno : 0;
}

int sqlite_path_check(struct sqlite_path *place)
{
	if (is_same(place->path, &place->database) && is_same(place->log_path, &place->log))
		return 0;
	if (!place->told)
		log_error("the store's file=%s or its log (-wal) was removed or replaced while it is open, "
			  "so nothing is stored any more; save what this process has with `privlink store "
			  "backup FILE`, stop it, and restore that",
			  place->path);
	place->told = true;
	return -ESTALE;
}
