/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything here runs once, at start, before any stranger's byte is read.
 */
#include "daemon_files.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/file_write.h"
#include "lib/listen.h"
#include "lib/log.h"

#define READ_MAX (1024 * 1024)
#define BACKLOG	 1024

int daemon_user_find(const char *name, struct daemon_user *ret)
{
	const struct passwd *entry;

	*ret = (struct daemon_user){};
	if (geteuid() != 0)
		return 0;
	errno = 0;
	entry = getpwnam(name);
	if (!entry)
		return log_errno(errno ? -errno : -ENOENT, "no such user=%s (make it, or give --user)", name);
	if (entry->pw_uid != 0)
		*ret = (struct daemon_user){.change = true, .uid = entry->pw_uid, .gid = entry->pw_gid};
	return 0;
}

int daemon_user_borrow(const struct daemon_user *user)
{
	if (!user->change)
		return 0;
	if (setegid(user->gid) < 0 || seteuid(user->uid) < 0)
		return log_errno(-errno, "cannot act as uid=%u", user->uid);
	return 0;
}

int daemon_user_return(const struct daemon_user *user)
{
	if (!user->change)
		return 0;
	if (seteuid(0) < 0 || setegid(0) < 0)
		return log_errno(-errno, "cannot act as root again");
	return 0;
}

int daemon_user_become(const struct daemon_user *user)
{
	if (user->change) {
		/* The last step clears all capabilities: none of the three ids is root's any more. */
		if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
		    setresuid(user->uid, user->uid, user->uid) < 0)
			return log_errno(-errno, "cannot become uid=%u", user->uid);
		if (setuid(0) == 0)
			return log_errno(-EPERM, "could become root again");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return log_errno(-errno, "cannot give up new privileges");
	return 0;
}

static int make_directories(const char *path, mode_t mode)
{
	char copy[PATH_MAX];

	if (str_copy(copy, sizeof(copy), path) < 0)
		return -ENAMETOOLONG;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int daemon_directory(const char *path, mode_t mode, const struct daemon_user *user)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	r = make_directories(path, mode);
	if (r < 0)
		return log_errno(r, "cannot make directory=%s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return log_errno(-errno, "cannot open directory=%s", path);
	if (user && ((user->change && fchown(fd, user->uid, user->gid) < 0) || fchmod(fd, mode) < 0))
		return log_errno(-errno, "cannot give away directory=%s", path);
	return 0;
}

int daemon_read_file(const char *what, const char *path, char **ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return log_errno(-errno, "cannot open %s=%s", what, path);
	if (!S_ISREG(st.st_mode)) {
		log_error("cannot read %s=%s: it is no file", what, path);
		return -EINVAL;
	}
	if (st.st_size > READ_MAX)
		return log_errno(-EFBIG, "cannot read %s=%s", what, path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return log_errno(-ENOMEM, "cannot read %s=%s", what, path);
	n = read(fd, text, (size_t)st.st_size);
	if (n != st.st_size)
		return log_errno(n < 0 ? -errno : -EIO, "cannot read %s=%s", what, path);
	text[n] = '\0';
	*ret = TAKE_PTR(text);
	return 0;
}

int daemon_write_secret(const char *path, const char *text)
{
	int r = file_write(path, text, strlen(text), 0600, geteuid(), getegid());

	return r < 0 ? log_errno(r, "cannot write file=%s", path) : 0;
}

/* "address:port", the address of IPv6 in brackets. */
static int parse_address(const char *where, struct sockaddr_storage *ret, socklen_t *ret_size)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	const char *colon = strrchr(where, ':');
	char address[64], *end;
	unsigned long port;
	size_t length;

	*ret = (struct sockaddr_storage){};
	if (!colon || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	length = (size_t)(colon - where);
	if (*end || port > 65535 || length >= sizeof(address))
		return -EINVAL;
	memcpy(address, where, length);
	address[length] = '\0';
	if (address[0] == '[' && length > 2 && address[length - 1] == ']') {
		address[length - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*ret_size = sizeof(*v6);
		return inet_pton(AF_INET6, address + 1, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	*ret_size = sizeof(*v4);
	return inet_pton(AF_INET, address, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}

int daemon_listen_check(const char *where)
{
	struct sockaddr_storage address;
	socklen_t size;

	return parse_address(where, &address, &size);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

int daemon_http_allowed(const char *where, bool anywhere)
{
	struct sockaddr_storage address;
	socklen_t size;

	if (parse_address(where, &address, &size) < 0)
		return log_errno(-EINVAL, "cannot read listen=%s", where);
	if (!anywhere && !is_loopback(&address))
		return log_errno(-EPERM,
				 "plain HTTP only on loopback, not listen=%s (--http-anywhere allows it)",
				 where);
	return 0;
}

int daemon_listen_tcp(const char *where, int *ret_fd)
{
	_cleanup_(closep) int fd = -EBADF;
	struct sockaddr_storage address;
	const int on = 1;
	socklen_t size;
	int r;

	if (parse_address(where, &address, &size) < 0)
		return log_errno(-EINVAL, "cannot read listen=%s", where);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return log_errno(-errno, "cannot open a socket for listen=%s", where);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	r = listen_at(fd, (struct sockaddr *)&address, size, BACKLOG);
	if (r < 0)
		return log_errno(r, "cannot listen=%s", where);
	if (r > 0)
		log_warning("this machine does not have the address yet listen=%s", where);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int daemon_listen_unix(const char *path, int *ret_fd)
{
	_cleanup_(closep) int fd = -EBADF;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;

	if (str_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
		return log_errno(-ENAMETOOLONG, "cannot listen=%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return log_errno(-errno, "cannot open a socket for listen=%s", path);
	/* The pid file's lock says that nobody else listens here. */
	if (unlink(path) < 0 && errno != ENOENT)
		return log_errno(-errno, "cannot remove socket=%s", path);
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0 ? -errno
												  : 0;
	(void)umask(mask);
	if (r < 0)
		return log_errno(r, "cannot listen=%s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
