/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new file beside the old one, synchronised, takes its place; then the directory is synchronised too.
 */
#include "file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_SIZE (1024u * 1024) /* that is written at a time */

/* Makes what happened to names in the file's directory durable. */
static int sync_directory_of(const char *path)
{
	_cleanup_(closep) int fd = -EBADF;
	char copy[PATH_MAX];

	if (str_copy(copy, sizeof(copy), path) < 0)
		return -ENAMETOOLONG;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_all(int fd, const char *data, size_t size, const struct breath *breath)
{
	while (size > 0) {
		size_t piece = MIN(size, (size_t)PIECE_SIZE);
		ssize_t n = write(fd, data, piece);

		if (n != (ssize_t)piece)
			return n < 0 ? -errno : -ENOSPC;
		data += piece;
		size -= piece;
		breathe(breath);
	}
	return 0;
}

static int settle(int fd, mode_t mode, uid_t uid, gid_t gid)
{
	return fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_write(const char *path, const void *data, size_t size, mode_t mode, uid_t uid, gid_t gid)
{
	return file_write_breathing(path, data, size, mode, uid, gid, NULL);
}

int file_write_breathing(const char *path, const void *data, size_t size, mode_t mode, uid_t uid, gid_t gid,
			 const struct breath *breath)
{
	_cleanup_(closep) int fd = -EBADF;
	char fresh[PATH_MAX];
	int r;

	if (str_format(fresh, sizeof(fresh), "%s.new", path) < 0)
		return -ENAMETOOLONG;
	if (unlink(fresh) < 0 && errno != ENOENT)
		return -errno;
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size, breath);
	if (r == 0)
		r = settle(fd, mode, uid, gid);
	if (r >= 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(fresh);
		return r;
	}
	return sync_directory_of(path);
}

static bool has_bytes(const char *path, const void *data, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(freep) char *present = malloc(size + 1);

	return fd >= 0 && present && read(fd, present, size + 1) == (ssize_t)size &&
	       memcmp(present, data, size) == 0;
}

int file_ensure(const char *path, const void *data, size_t size, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == mode &&
	    st.st_uid == uid && st.st_gid == gid && has_bytes(path, data, size))
		return 0;
	return file_write(path, data, size, mode, uid, gid);
}

int file_move(const char *path, const char *to)
{
	return renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) < 0 ? -errno : sync_directory_of(to);
}

int file_replace(const char *path, const char *to)
{
	return rename(path, to) < 0 ? -errno : sync_directory_of(to);
}

#define ASIDE_MAX 100

int file_set_aside(const char *path)
{
	char to[PATH_MAX];
	int r = -EEXIST;

	for (unsigned int i = 0; r == -EEXIST && i < ASIDE_MAX; i++) {
		if ((i == 0 ? str_format(to, sizeof(to), "%s.old", path)
			    : str_format(to, sizeof(to), "%s.old.%u", path, i)) < 0)
			return -ENAMETOOLONG;
		r = file_move(path, to);
	}
	return r == -ENOENT ? 0 : r;
}
