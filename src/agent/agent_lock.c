/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same file and lock for the agent and for --remove.
 */
#include "agent_lock.h"

#include <limits.h>

#include "../lib/log.h"
#include "../lib/pid_file.h"

int agent_take_lock(const char *run_dir, int *ret_fd)
{
	char path[PATH_MAX];
	int r = str_format(path, sizeof(path), "%s/agent.pid", run_dir);

	if (r < 0)
		return log_errno(r, "the run directory has too long a name");
	r = pid_file_take(path, ret_fd);
	if (r == -EBUSY)
		return log_errno(r, "an agent runs already file=%s", path);
	return r < 0 ? log_errno(r, "cannot take pid file=%s", path) : 0;
}
