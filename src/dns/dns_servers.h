/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's own resolvers, as its resolv.conf names them.
 */
#pragma once

#include "../lib/netaddr.h"

#define DNS_SERVERS_MAX 3 /* as many as the C library takes */

struct dns_servers {
	struct netaddr servers[DNS_SERVERS_MAX];
	size_t n_servers;
};

/* Takes the "nameserver" lines; the rest, and servers that we would meet ourselves at (VPC 0's network, the
 * unspecified address), is skipped. */
void dns_servers_parse(const char *text, struct dns_servers *ret);

/* A file that is read again when it has changed, looked at no more than once a second. */
struct dns_servers_file {
	const char *path;
	struct dns_servers servers; /* empty: the file is missing, or names none */
	uint64_t looked_ms;	    /* 0: never */
	int64_t modified_s, modified_ns, size;
	uint64_t inode;
};
const struct dns_servers *dns_servers_get(struct dns_servers_file *file);
