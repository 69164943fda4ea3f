/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/stat: the second field, the name in brackets, may hold anything; what is wanted stands behind its
 * last bracket: the state at once, the beginning 20 fields on.
 */
#include "process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define FIELDS_BEHIND_NAME 20

int process_start(int pid, uint64_t *ret)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[32], text[1024], *p;
	ssize_t n;

	(void)str_format(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return -EBADMSG;
	if (strchr("ZXx", p[2]))
		return -ESRCH;
	for (int i = 0; i < FIELDS_BEHIND_NAME && p; i++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, "%" SCNu64, ret) == 1 ? 0 : -EBADMSG;
}
