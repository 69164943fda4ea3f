/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datagram now and then: each has a socket of its own, and nothing has to be closed at the end.
 */
#include "notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_un manager;
static socklen_t manager_size; /* 0: there is none */

void notify_begin(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t length = name ? strlen(name) : 0;

	manager = (struct sockaddr_un){.sun_family = AF_UNIX};
	manager_size = 0;
	if (length > 1 && length < sizeof(manager.sun_path) && (name[0] == '/' || name[0] == '@')) {
		memcpy(manager.sun_path, name, length);
		if (name[0] == '@') /* the abstract namespace */
			manager.sun_path[0] = '\0';
		manager_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length +
					   (name[0] == '/' ? 1 : 0));
	}
	(void)unsetenv("NOTIFY_SOCKET");
}

void notify_send(const char *format, ...)
{
	_cleanup_(closep) int fd = -EBADF;
	char text[2048];
	va_list ap;
	int n;

	if (!manager_size)
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n <= 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		/* A manager that is gone or busy is no trouble of ours. */
		(void)!sendto(fd, text, MIN((size_t)n, sizeof(text) - 1), MSG_NOSIGNAL,
			      (const struct sockaddr *)&manager, manager_size);
}

void notify_reloading(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	notify_send("RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading the settings again",
		    (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}
