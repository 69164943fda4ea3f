/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that could not come back from the other namespace would do everything that follows at the wrong
 * place, so it ends there and then: there is no way to go on that a caller could choose.
 */
#include "netns_socket.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(int domain, int type)
{
	int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int netns_socket(int netns_fd, int domain, int type)
{
	_cleanup_(closep) int home_fd = -EBADF;
	int fd;

	if (netns_fd < 0)
		return open_socket(domain, type);
	home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home_fd < 0)
		return -errno;
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	fd = open_socket(domain, type);
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
	return fd;
}
