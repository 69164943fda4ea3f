/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/lib/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "../tap.h"

static int listen_v4(const char *address, uint16_t port, int *ret_fd)
{
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};

	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (inet_pton(AF_INET, address, &place.sin_addr) != 1)
		abort();
	return listen_at(*ret_fd, (struct sockaddr *)&place, sizeof(place), 1);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in place = {0};
	socklen_t size = sizeof(place);

	(void)getsockname(fd, (struct sockaddr *)&place, &size);
	return ntohs(place.sin_port);
}

int main(void)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	int first, second, fd;

	tap_is_int(listen_v4("127.0.0.1", 0, &first), 0, "an address that is here");
	tap_is_int(listen_v4("127.0.0.1", port_of(first), &second), -EADDRINUSE, "a port that is somebody's");
	(void)close(first);
	(void)close(second);

	/* 192.0.2.0/24 and 2001:db8::/32 are for documents, and nobody's. */
	tap_is_int(listen_v4("192.0.2.1", 0, &first), 1, "an address that may come");
	tap_is_int(listen_v4("192.0.2.1", port_of(first), &second), -EADDRINUSE,
		   "and a port there that is somebody's");
	(void)close(first);
	(void)close(second);

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		tap_skip("an address of IPv6 that may come", "no IPv6 here");
		return tap_done();
	}
	(void)inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
	tap_is_int(listen_at(fd, (struct sockaddr *)&v6, sizeof(v6), 1), 1,
		   "an address of IPv6 that may come");
	(void)close(fd);
	return tap_done();
}
