/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../model/rows.h"

static const char suffix[] = ".jsonl";

struct file {
	char endpoint[ID_SIZE]; /* "": the place is free */
	int fd;
};

struct flow_files {
	char directory[PATH_MAX / 2];
	bool is_full; /* the disk */
	struct file files[FLOW_FILES_MAX];
};

int flow_files_new(const char *directory, struct flow_files **ret)
{
	struct flow_files *files = calloc(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	if (str_copy(files->directory, sizeof(files->directory), directory) < 0) {
		free(files);
		return -ENAMETOOLONG;
	}
	*ret = files;
	return 0;
}

static void close_file(struct file *file)
{
	closep(&file->fd);
	*file = (struct file){.fd = -EBADF};
}

struct flow_files *flow_files_free(struct flow_files *files)
{
	if (!files)
		return NULL;
	for (size_t i = 0; i < FLOW_FILES_MAX; i++)
		if (*files->files[i].endpoint)
			close_file(&files->files[i]);
	free(files);
	return NULL;
}

void flow_files_look(struct flow_files *files)
{
	struct statvfs disk;

	files->is_full = statvfs(files->directory, &disk) == 0 &&
			 (long long)disk.f_bavail * (long long)disk.f_frsize < FLOW_DISK_FREE_MIN;
}

/* ---- names ---- */

/* A file's name is made of it. */
static bool is_id(const char *endpoint)
{
	return str_starts(endpoint, "ep-") && strlen(endpoint) < ID_SIZE &&
	       strspn(endpoint, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(endpoint);
}

int flow_files_path(const struct flow_files *files, const char *endpoint, bool before, char ret[PATH_MAX])
{
	int r;

	if (!is_id(endpoint))
		return -EINVAL;
	r = str_format(ret, PATH_MAX, "%s/%s%s%s", files->directory, endpoint, suffix, before ? ".1" : "");
	return r < 0 ? -ENAMETOOLONG : 0;
}

/* The endpoint of a file's name; false: it is none's. */
static bool endpoint_of(const char *name, char ret[ID_SIZE])
{
	size_t size = strlen(name);

	if (!str_ends(name, suffix) || size - strlen(suffix) >= ID_SIZE)
		return false;
	(void)str_format(ret, ID_SIZE, "%.*s", (int)(size - strlen(suffix)), name);
	return is_id(ret);
}

static struct file *find(struct flow_files *files, const char *endpoint)
{
	for (size_t i = 0; i < FLOW_FILES_MAX; i++)
		if (streq(files->files[i].endpoint, endpoint))
			return &files->files[i];
	return NULL;
}

/* ---- how many there are ---- */

static int remove_files(const struct flow_files *files, const char *endpoint)
{
	char path[PATH_MAX];

	for (int before = 0; before < 2; before++) {
		int r = flow_files_path(files, endpoint, before, path);

		if (r < 0)
			return r;
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* How many endpoints have files, and which of those that nobody has open was written last of all. What is no
 * file is not ours. */
static size_t count_files(struct flow_files *files, char ret_oldest[ID_SIZE])
{
	DIR *directory = opendir(files->directory);
	const struct dirent *entry;
	int64_t oldest = INT64_MAX;
	size_t n = 0;

	*ret_oldest = '\0';
	while (directory && (entry = readdir(directory))) {
		char endpoint[ID_SIZE];
		struct stat info;

		if (!endpoint_of(entry->d_name, endpoint) ||
		    fstatat(dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(info.st_mode))
			continue;
		n++;
		if (find(files, endpoint) || info.st_mtim.tv_sec >= oldest)
			continue;
		oldest = info.st_mtim.tv_sec;
		(void)str_copy(ret_oldest, ID_SIZE, endpoint);
	}
	if (directory)
		(void)closedir(directory);
	return n;
}

static int make_room(struct flow_files *files)
{
	char oldest[ID_SIZE];

	while (count_files(files, oldest) >= FLOW_FILES_MAX) {
		int r = *oldest ? remove_files(files, oldest) : -ENOSPC;

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- writing ---- */

static int write_all(int fd, const char *text, size_t size)
{
	ssize_t n = write(fd, text, size);
	struct stat info;

	if (n == (ssize_t)size)
		return 0;
	if (n > 0 && fstat(fd, &info) == 0 && ftruncate(fd, info.st_size - n) < 0)
		return -errno;
	return n < 0 ? -errno : -ENOSPC;
}

/* Half a line of an agent that was killed stands alone. */
static int end_line(int fd)
{
	struct stat info;
	char last;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (info.st_size == 0 || pread(fd, &last, 1, info.st_size - 1) != 1 || last == '\n')
		return 0;
	return write_all(fd, "\n", 1);
}

static int open_path(struct flow_files *files, const char *path)
{
	const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags), r;

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if (mkdir(files->directory, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = make_room(files);
	if (r < 0)
		return r;
	fd = open(path, flags | O_CREAT, 0600);
	return fd < 0 ? -errno : fd;
}

static int open_file(struct flow_files *files, const char *endpoint, struct file **ret)
{
	struct file *file = find(files, endpoint) ?: find(files, "");
	char path[PATH_MAX];
	int fd, r;

	*ret = file;
	if (!file)
		return -ENOSPC;
	if (*file->endpoint)
		return 0;
	r = flow_files_path(files, endpoint, false, path);
	if (r < 0)
		return r;
	fd = open_path(files, path);
	if (fd < 0)
		return fd;
	file->fd = fd;
	(void)str_copy(file->endpoint, sizeof(file->endpoint), endpoint);
	return end_line(fd);
}

/* 1: it is another one from now on. */
static int turn_over(struct flow_files *files, struct file *file, size_t more)
{
	char path[PATH_MAX], before[PATH_MAX];
	struct stat info;
	int r = 0;

	if (fstat(file->fd, &info) < 0)
		return -errno;
	if (info.st_nlink > 0 && (size_t)info.st_size + more <= FLOW_FILE_MAX)
		return 0;
	if (info.st_nlink > 0) { /* (else somebody has removed it) */
		r = flow_files_path(files, file->endpoint, false, path);
		if (r == 0)
			r = flow_files_path(files, file->endpoint, true, before);
		if (r == 0 && rename(path, before) < 0)
			r = -errno;
	}
	close_file(file);
	return r < 0 ? r : 1;
}

int flow_files_open(struct flow_files *files, const char *endpoint)
{
	struct file *file;

	return open_file(files, endpoint, &file);
}

int flow_files_write(struct flow_files *files, const char *endpoint, const char *line, size_t size)
{
	struct file *file;
	int r;

	if (files->is_full)
		return -ENOSPC;
	r = open_file(files, endpoint, &file);
	if (r == 0)
		r = turn_over(files, file, size);
	if (r > 0)
		r = open_file(files, endpoint, &file);
	return r < 0 ? r : write_all(file->fd, line, size);
}

void flow_files_close(struct flow_files *files, const char *endpoint)
{
	struct file *file = find(files, endpoint);

	if (file && *endpoint)
		close_file(file);
}
