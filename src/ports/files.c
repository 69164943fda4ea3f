/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that has the wanted content already is not touched, so that a pass over thousands of instances
 * writes nothing.
 */
#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/ident.h"

/* Steps to remove a tree: there is an end also if somebody goes on writing into it. */
#define REMOVE_TREE_MAX 5000000

static int read_all(int fd, char *buffer, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, buffer + done, size - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO; /* it was cut while we read */
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

static int check_regular(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return 0;
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return S_ISDIR(st->st_mode) ? -EISDIR : -EUCLEAN;
}

/* What is no file is not even opened: a device may do something then. With O_NOFOLLOW a link is none. */
static int open_regular(int directory, const char *path, int nofollow, struct stat *ret)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	if (fstatat(directory, path, ret, nofollow ? AT_SYMLINK_NOFOLLOW : 0) < 0)
		return -errno;
	r = check_regular(ret);
	if (r < 0)
		return r;
	/* If it has become a pipe since: not to wait for whoever writes into it. */
	fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | nofollow);
	if (fd < 0 || fstat(fd, ret) < 0)
		return -errno;
	r = check_regular(ret);
	return r < 0 ? r : TAKE_FD(fd);
}

int file_open(int directory, const char *name)
{
	struct stat st;

	return open_regular(directory, name, O_NOFOLLOW, &st);
}

int file_open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int read_whole(int fd, const struct stat *st, char **ret, size_t *ret_size)
{
	_cleanup_(freep) char *buffer = NULL;
	int r;

	if (st->st_size > (off_t)FILE_SIZE_MAX)
		return -EFBIG;
	buffer = malloc((size_t)st->st_size + 1);
	if (!buffer)
		return -ENOMEM;
	r = read_all(fd, buffer, (size_t)st->st_size);
	if (r < 0)
		return r;
	buffer[st->st_size] = '\0';
	*ret = TAKE_PTR(buffer);
	*ret_size = (size_t)st->st_size;
	return 0;
}

int file_read(const char *path, char **ret, size_t *ret_size)
{
	struct stat st;
	_cleanup_(closep) int fd = open_regular(AT_FDCWD, path, 0, &st);

	return fd < 0 ? fd : read_whole(fd, &st, ret, ret_size);
}

int file_read_at(int directory, const char *name, char **ret, size_t *ret_size)
{
	struct stat st;
	_cleanup_(closep) int fd = open_regular(directory, name, O_NOFOLLOW, &st);

	return fd < 0 ? fd : read_whole(fd, &st, ret, ret_size);
}

/* Whether all directories on the way to an open file let everyone through. Without /proc nobody knows. */
static int check_way(int fd)
{
	char link[64], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	(void)str_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -ENOSYS;
	path[n] = '\0';
	for (char *end = strrchr(path, '/'); end && end > path; end = strrchr(path, '/')) {
		*end = '\0';
		if (stat(path, &st) < 0 || !(st.st_mode & S_IXOTH))
			return -EACCES;
	}
	return 0;
}

int file_read_public(int directory, const char *name, char **ret, size_t *ret_size)
{
	struct stat st;
	_cleanup_(closep) int fd = open_regular(directory, name, 0, &st);
	int r;

	if (fd < 0)
		return fd;
	r = st.st_mode & S_IROTH ? check_way(fd) : -EACCES;
	return r < 0 ? r : read_whole(fd, &st, ret, ret_size);
}

/* Whether it is as it would be written. */
static bool is_written(int directory, const char *name, const void *data, size_t size, mode_t mode)
{
	_cleanup_(freep) char *old = NULL;
	struct stat st;
	_cleanup_(closep) int fd = open_regular(directory, name, O_NOFOLLOW, &st);
	size_t old_size;

	return fd >= 0 && (st.st_mode & ALLPERMS) == mode && st.st_uid == geteuid() &&
	       st.st_size == (off_t)size && read_whole(fd, &st, &old, &old_size) == 0 &&
	       memcmp(old, data, size) == 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* Where the new content is until it takes its place. A directory that somebody put there is not waited for.
 */
static int make_temporary(int directory, const char *name, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s.privlink-new", name);

	if (r < 0)
		return r;
	if (unlinkat(directory, ret, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? file_move_aside(directory, ret) : -errno;
}

int file_update_at(int directory, const char *name, const void *data, size_t size, mode_t mode)
{
	_cleanup_(closep) int fd = -EBADF;
	char temporary[PATH_MAX];
	int r;

	if (is_written(directory, name, data, size, mode))
		return 0;
	r = make_temporary(directory, name, temporary);
	if (r < 0)
		return r;
	fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size);
	if (r == 0 && (fchmod(fd, mode) < 0 || renameat(directory, temporary, directory, name) < 0))
		r = -errno;
	if (r < 0)
		(void)unlinkat(directory, temporary, 0);
	return r < 0 ? r : 1;
}

int file_update(const char *path, const void *data, size_t size, mode_t mode)
{
	return file_update_at(AT_FDCWD, path, data, size, mode);
}

int file_link_at(int directory, const char *name, const char *target)
{
	char temporary[PATH_MAX], old[PATH_MAX];
	ssize_t n = readlinkat(directory, name, old, sizeof(old) - 1);
	int r;

	if (n >= 0) {
		old[n] = '\0';
		if (streq(old, target))
			return 0;
	}
	r = make_temporary(directory, name, temporary);
	if (r < 0)
		return r;
	if (symlinkat(target, directory, temporary) < 0)
		return -errno;
	if (renameat(directory, temporary, directory, name) < 0) {
		r = -errno;
		(void)unlinkat(directory, temporary, 0);
		return r;
	}
	return 1;
}

int file_link(const char *path, const char *target)
{
	return file_link_at(AT_FDCWD, path, target);
}

int file_each(int directory, int (*callback)(void *context, int directory, const char *name), void *context)
{
	int first_error = 0, r, fd = file_open_directory(directory, ".");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		r = fd < 0 ? fd : -errno;
		closep(&fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		r = callback(context, directory, entry->d_name);
		if (r < 0 && !first_error)
			first_error = r;
		if (r == -EAGAIN)
			break;
	}
	(void)closedir(dir);
	return first_error;
}

/* ---- removing ---- */

/* A tree that is removed. Directories that are deeper than one below its top are moved up to one there, so
 * that however deep it is, two of them are open. */
struct removal {
	int top;
	unsigned int *steps; /* that are left; each name and each try is one */
	const struct breath *breath;
	unsigned int number; /* of the next name that is given */
	bool is_done;	     /* nothing was left behind that has to be looked at once more */
};

/* Another one at each time: what was given before may be there still. Nobody knows it beforehand, who could
 * make all of the next names. */
static unsigned int first_number(void)
{
	unsigned int number;

	return random_bytes(&number, sizeof(number)) < 0 ? (unsigned int)now_mono_ms() << 8 : number;
}

/* -EEXIST: another name is to be tried. */
static int rename_to(int from, const char *name, int to, const char *other)
{
	if (renameat(from, name, to, other) == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == ENOTDIR ? -EEXIST : -errno;
}

int file_move_aside(int directory, const char *name)
{
	unsigned int number = first_number(), last = number + 1000;
	char other[PATH_MAX];
	int r;

	do {
		r = str_format(other, sizeof(other), "%s.privlink-old-%u", name, number);
		if (r >= 0)
			r = rename_to(directory, name, directory, other);
	} while (r == -EEXIST && ++number != last);
	return r;
}

static int step(const struct removal *removal)
{
	if (*removal->steps == 0)
		return -EAGAIN;
	(*removal->steps)--;
	breathe(removal->breath);
	return 0;
}

/* 1: it is a directory with something in it. */
static int remove_one(const struct removal *removal, int directory, const char *name)
{
	int r = step(removal);

	if (r < 0)
		return r;
	if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -errno;
}

/* Of a directory that is in the top. */
static int remove_or_move(void *context, int directory, const char *name)
{
	struct removal *removal = context;
	char other[32];
	int r = remove_one(removal, directory, name);

	if (r <= 0)
		return r;
	removal->is_done = false;
	do {
		r = step(removal);
		if (r < 0)
			return r;
		(void)str_format(other, sizeof(other), "privlink-old-%u", removal->number++);
		r = rename_to(directory, name, removal->top, other);
	} while (r == -EEXIST);
	return r;
}

static int remove_of_top(void *context, int directory, const char *name)
{
	struct removal *removal = context;
	_cleanup_(closep) int fd = -EBADF;
	int r = remove_one(removal, directory, name);

	if (r <= 0)
		return r;
	fd = file_open_directory(directory, name);
	if (fd < 0)
		return fd;
	r = file_each(fd, remove_or_move, removal);
	if (r < 0)
		return r;
	r = remove_one(removal, directory, name);
	removal->is_done &= r == 0;
	return MIN(r, 0);
}

static int remove_all(struct removal *removal)
{
	int r = 0;

	removal->number = first_number();
	while (!removal->is_done && r == 0) {
		removal->is_done = true;
		r = file_each(removal->top, remove_of_top, removal);
	}
	return r;
}

int file_remove_some(int directory, const char *name, unsigned int *steps, const struct breath *breath)
{
	_cleanup_(closep) int fd = -EBADF;
	struct removal removal = {.steps = steps, .breath = breath};
	int r = remove_one(&removal, directory, name);

	if (r <= 0)
		return r;
	fd = file_open_directory(directory, name);
	if (fd < 0)
		return fd;
	removal.top = fd;
	r = remove_all(&removal);
	if (r < 0)
		return r;
	return unlinkat(directory, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int file_remove_tree(const char *path)
{
	unsigned int steps = REMOVE_TREE_MAX;

	return file_remove_some(AT_FDCWD, path, &steps, NULL);
}
