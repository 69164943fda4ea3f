/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same files and locks for the agent and for --remove. A node's names of namespaces and its pins are the
 * machine's, whatever network namespace, directories or options its agent was started with; so its lock is,
 * too.
 */
#include "agent_lock.h"

#include <limits.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/pid_file.h"

static int refuse(const char *path, int r)
{
	char why[128];

	pid_file_reason(path, r, why, sizeof(why));
	log_error("cannot take pid file=%s: %s", path, why);
	return r;
}

int agent_take_lock(const char *run_dir, int *ret_fd)
{
	char path[PATH_MAX];
	int r = str_format(path, sizeof(path), "%s/agent.pid", run_dir);

	if (r < 0)
		return log_errno(r, "the run directory has too long a name");
	r = pid_file_take(path, ret_fd);
	if (r == -EBUSY)
		return log_errno(r, "an agent runs already file=%s", path);
	return r < 0 ? refuse(path, r) : 0;
}

static int node_path(const char *node, char ret[PATH_MAX])
{
	return str_format(ret, PATH_MAX, AGENT_NODE_LOCK, node);
}

int agent_take_node(const char *node, int *ret_fd)
{
	char path[PATH_MAX];
	int r = node_path(node, path);

	if (r < 0)
		return log_errno(r, "the node has too long a name");
	r = pid_file_take(path, ret_fd);
	if (r == -EBUSY)
		return log_errno(
			r,
			"an agent of node=%s runs already, maybe in another network namespace or with other "
			"directories: its process is in file=%s",
			node, path);
	return r < 0 ? refuse(path, r) : 0;
}

void agent_forget_node(const char *node)
{
	char path[PATH_MAX];

	if (node_path(node, path) >= 0)
		(void)unlink(path);
}
