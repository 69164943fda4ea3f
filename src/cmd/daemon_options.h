/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of privlinkd.
 */
#pragma once

#include "api/frame/rates.h"
#include "lib/log.h"

struct daemon_options {
	char *config;
	char *state_dir, *run_dir;
	char *https, *certificate, *key; /* certificate and key are files; without them no HTTPS */
	char *http;
	bool http_anywhere, no_http;
	char *catalogue;
	struct rate_limits limits;
	bool no_rate_limits;
	char *user; /* whom root becomes */
	enum log_level log_level;
	char *audit; /* all, changes or none */
	unsigned int audit_file_mib, audit_files;
	bool new_store, accept_store; /* only on the command line, and for one start that ends with it */
	bool check, help, version;
};

/* 0: complete. -EINVAL: everything that is wrong was logged, and the rest is in `ret`. Either way the caller
 * calls daemon_options_done(). */
int daemon_options_read(int argc, char **argv, struct daemon_options *ret);
void daemon_options_help(void);
void daemon_options_done(struct daemon_options *options);
