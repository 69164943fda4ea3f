/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <netinet/in.h>

static int bind_free(int fd, const struct sockaddr *address, socklen_t size)
{
	bool is_v6 = address->sa_family == AF_INET6;
	const int on = 1;

	if (setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_FREEBIND : IP_FREEBIND, &on,
		       sizeof(on)) < 0 ||
	    bind(fd, address, size) < 0)
		return -errno;
	return 1;
}

int listen_at(int fd, const struct sockaddr *address, socklen_t size, int backlog)
{
	int r = bind(fd, address, size) < 0 ? -errno : 0;

	if (r == -EADDRNOTAVAIL)
		r = bind_free(fd, address, size);
	if (r >= 0 && listen(fd, backlog) < 0)
		r = -errno;
	return r;
}
