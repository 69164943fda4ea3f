/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is often a link that a network manager replaces, so its inode counts as much as its time.
 */
#include "dns_servers.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../plan/plan.h"

#define FILE_SIZE_MAX 16384
#define LOOK_AGAIN_MS 1000

static bool is_usable(const struct netaddr *addr)
{
	struct netprefix ours;

	(void)netprefix_parse(PLAN_NODE_NETWORK, true, &ours);
	if (netprefix_contains(&ours, addr))
		return false;
	return netaddr_is_v4(addr) ? netaddr_to_v4(addr) != INADDR_ANY : !netaddr_is_zero(addr);
}

static void take_line(const char *line, size_t length, struct dns_servers *ret)
{
	static const char keyword[] = "nameserver";
	char text[NETADDR_TEXT_SIZE];
	struct netaddr addr;
	size_t i = strlen(keyword), n = 0;

	if (length <= i || strncmp(line, keyword, i) != 0 || !isblank((unsigned char)line[i]))
		return;
	while (i < length && isblank((unsigned char)line[i]))
		i++;
	while (i < length && !isspace((unsigned char)line[i]) && n < sizeof(text) - 1)
		text[n++] = line[i++];
	text[n] = '\0';
	if (ret->n_servers < DNS_SERVERS_MAX && netaddr_parse(text, &addr) == 0 && is_usable(&addr))
		ret->servers[ret->n_servers++] = addr;
}

void dns_servers_parse(const char *text, struct dns_servers *ret)
{
	memset(ret, 0, sizeof(*ret));
	while (*text) {
		size_t length = strcspn(text, "\n");

		take_line(text, length, ret);
		text += length;
		text += *text == '\n';
	}
}

static void read_file(struct dns_servers_file *file, int fd)
{
	char text[FILE_SIZE_MAX];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	dns_servers_parse(text, &file->servers);
}

/* Takes the file's marks; true: they are others than before. */
static bool has_changed(struct dns_servers_file *file, const struct stat *st)
{
	bool same = file->modified_s == st->st_mtim.tv_sec && file->modified_ns == st->st_mtim.tv_nsec &&
		    file->size == st->st_size && file->inode == st->st_ino;

	file->modified_s = st->st_mtim.tv_sec;
	file->modified_ns = st->st_mtim.tv_nsec;
	file->size = st->st_size;
	file->inode = st->st_ino;
	return !same;
}

const struct dns_servers *dns_servers_get(struct dns_servers_file *file)
{
	_cleanup_(closep) int fd = -EBADF;
	uint64_t now_ms = now_mono_ms();
	struct stat st = {0};

	if (file->looked_ms && now_ms - file->looked_ms < LOOK_AGAIN_MS)
		return &file->servers;
	file->looked_ms = MAX(now_ms, 1u);
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		memset(&st, 0, sizeof(st));
		(void)has_changed(file, &st);
		file->servers.n_servers = 0;
	} else if (has_changed(file, &st)) {
		read_file(file, fd);
	}
	return &file->servers;
}
