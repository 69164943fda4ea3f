/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's daemon as a whole: makes the parts, ties them together, runs the loop.
 */
#pragma once

#include "../datapath/datapath.h"

struct agent_options {
	const char *node; /* --node; NULL: node.json says it, or the host's name */
	const char *run_dir, *state_dir, *bpffs;
	const char *const *zones;
	size_t n_zones; /* 0: all */
	uint32_t mtu;
	const char *underlay;
	const char *resolv_conf;
	const char *catalogue;
	const char *metrics; /* where GET /metrics is answered, beside the socket; NULL: nowhere */
	enum attach_mode attach;
	uint64_t table_memory; /* bytes that the data path's tables are sized for */
	/* At SIGHUP: reads the settings again and takes over what it can. Negative errno if that failed,
	 * which was logged. NULL: there are none. */
	int (*reread)(void *context);
	void *reread_context;
};

/* Looks at what a start would read, and touches nothing. 0, or -EINVAL: what is wrong was logged. */
int agent_check(const struct agent_options *options);
/* Runs until SIGTERM or SIGINT; everything in the kernel stays in force. 0, or a negative errno that was
 * logged. -ENOTRECOVERABLE: only an operator can say which node this is, or mend the catalogue. */
int agent_run(const struct agent_options *options);
/* Takes away everything that is the agent's on this node, which it finds by what is recorded and by what
 * carries a mark here, and says what that was. Refuses while an agent runs. 0, or a negative errno that was
 * logged. */
int agent_remove(const struct agent_options *options);
