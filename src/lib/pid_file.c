/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock() and not the pid says who runs: a pid is soon another's.
 */
#include "pid_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 2000
#define PAUSE_MS    10

/* One that was just killed may hold the lock for a moment. */
static int lock_patiently(int fd, uint64_t deadline)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000 * 1000};

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (now_mono_ms() >= deadline)
			return -EBUSY;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/* A holder may take the file away with its lock: whoever waited has then locked what nobody will find. */
static bool is_there(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* The file that is there, locked. */
static int open_locked(const char *path)
{
	uint64_t deadline = now_mono_ms() + PATIENCE_MS;

	for (;;) {
		_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		int r;

		if (fd < 0)
			return -errno;
		if (!is_regular(fd))
			return -EINVAL;
		r = lock_patiently(fd, deadline);
		if (r < 0)
			return r;
		if (is_there(fd, path))
			return TAKE_FD(fd);
		if (now_mono_ms() >= deadline)
			return -EBUSY;
	}
}

int pid_file_take(const char *path, int *ret_fd)
{
	_cleanup_(closep) int fd = open_locked(path);
	char text[16];
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	r = str_format(text, sizeof(text), "%d\n", (int)getpid());
	if (r < 0)
		return r;
	if (ftruncate(fd, 0) < 0)
		return -errno;
	n = pwrite(fd, text, (size_t)r, 0);
	if (n != r)
		return n < 0 ? -errno : -EIO;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int pid_file_lock_directory(const char *path, int *ret_fd)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = lock_patiently(fd, now_mono_ms() + PATIENCE_MS);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

void pid_file_reason(const char *path, int error, char *ret, size_t size)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		(void)str_copy(ret, size, strerror(-error));
	else
		(void)str_format(ret, size, "it is %s, and no file: remove it",
				 S_ISLNK(st.st_mode)   ? "a symbolic link"
				 : S_ISDIR(st.st_mode) ? "a directory"
						       : "a pipe, a socket or a device");
}
