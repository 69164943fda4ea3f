/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock() and not the pid says who runs: a pid is soon another's.
 */
#include "pid_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 2000
#define PAUSE_MS    10

/* One that was just killed may hold the lock for a moment. */
static int lock_patiently(int fd)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000 * 1000};
	uint64_t deadline = now_mono_ms() + PATIENCE_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (now_mono_ms() >= deadline)
			return -EBUSY;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int pid_file_take(const char *path, int *ret_fd)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	char text[16];
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	r = lock_patiently(fd);
	if (r < 0)
		return r;
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
