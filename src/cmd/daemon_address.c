/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address is asked of the socket, so that a port which the kernel chose is the right one, too. A socket
 * of all addresses is reached over loopback.
 */
#include "daemon_address.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/file_write.h"
#include "lib/log.h"

#define URL_SIZE (sizeof("https://[]:65535") + INET6_ADDRSTRLEN)

static int url_of(int fd, const char *scheme, char ret[URL_SIZE])
{
	struct sockaddr_storage address = {};
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
	socklen_t size = sizeof(address);
	char text[INET6_ADDRSTRLEN];
	int r;

	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	if (address.ss_family == AF_INET6) {
		const struct in6_addr *own =
			IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) ? &in6addr_loopback : &v6->sin6_addr;

		if (!inet_ntop(AF_INET6, own, text, sizeof(text)))
			return -errno;
		r = str_format(ret, URL_SIZE, "%s://[%s]:%u", scheme, text, ntohs(v6->sin6_port));
	} else {
		struct in_addr own = v4->sin_addr;

		if (own.s_addr == htonl(INADDR_ANY))
			own.s_addr = htonl(INADDR_LOOPBACK);
		if (!inet_ntop(AF_INET, &own, text, sizeof(text)))
			return -errno;
		r = str_format(ret, URL_SIZE, "%s://%s:%u", scheme, text, ntohs(v4->sin_port));
	}
	return r < 0 ? r : 0;
}

int daemon_address_write(const char *state_dir, int https_fd, int http_fd)
{
	char path[PATH_MAX], url[URL_SIZE], text[URL_SIZE + 64];
	int r;

	if (str_format(path, sizeof(path), "%s/api.env", state_dir) < 0)
		return log_errno(-ENAMETOOLONG, "cannot use directory=%s", state_dir);
	r = https_fd >= 0 ? url_of(https_fd, "https", url) : url_of(http_fd, "http", url);
	if (r < 0)
		return log_errno(r, "cannot tell the address of the API's socket");
	(void)str_format(text, sizeof(text), "# Where privlinkd listens.\nPRIVLINK_ENDPOINT=%s\n", url);
	r = file_ensure(path, text, strlen(text), 0644, geteuid(), getegid());
	return r < 0 ? log_errno(r, "cannot write file=%s", path) : 0;
}
