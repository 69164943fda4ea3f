/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One agent for each run directory, and one for each node.
 */
#pragma once

#include "../lib/util.h"

/* The lock goes with the process. Logs. */
int agent_take_lock(const char *run_dir, int *ret_fd);

#define AGENT_NODE_LOCK "/run/privlink-node-%s.pid"
/* The same for the node of that name, wherever its agent runs on this machine. */
int agent_take_node(const char *node, int *ret_fd);
/* The file of a node that goes; its lock is the caller's. */
void agent_forget_node(const char *node);
