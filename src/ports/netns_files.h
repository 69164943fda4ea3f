/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in /etc/netns/<instance>/ for `ip netns exec` and `privlink exec`: the VPC's resolver, names in
 * the order "files, DNS", the instance's host name (its own address) and the node's (the loopback, since `ip
 * netns exec` keeps it), and a trust store that knows the local CA.
 */
#pragma once

#include "../lib/breath.h"
#include "../lib/netaddr.h"

struct netns_files;

struct netns_files_options {
	const char *directory; /* /etc/netns */
	const char *host_ssl;  /* /etc/ssl */
	const char *state_dir; /* the copy of host_ssl is <state_dir>/ssl; the CA is <state_dir>/ca.crt;
				* beside it are ca.kept and bundle.kept (trust.h) */
};

/* The options' texts are copied. */
int netns_files_new(const struct netns_files_options *options, struct netns_files **ret);
/* Those of this machine. */
int netns_files_of_host(const char *state_dir, struct netns_files **ret);
/* Taken while the host's trust store and its copy are looked at. */
void netns_files_set_breath(struct netns_files *files, struct breath breath);
struct netns_files *netns_files_free(struct netns_files *files);

/* Writes the instance's files where they differ. The host name is one, as struct plan_port has it. */
int netns_files_write(struct netns_files *files, const char *instance, const char *host_name,
		      const struct netaddr *addr);
/* Whether the instance's files are there; does not look into them. */
bool netns_files_are_there(const struct netns_files *files, const char *instance);
void netns_files_remove(struct netns_files *files, const char *instance);
/* Calls back with each instance that has files with a link to this copy of the trust store. The callback may
 * remove them. Stops at its first negative result and returns it. */
int netns_files_each(struct netns_files *files, int (*callback)(void *context, const char *instance),
		     void *context);

enum netns_files_look {
	NETNS_FILES_BRIEFLY,	/* where times tell that something has changed */
	NETNS_FILES_THOROUGHLY, /* at the content of all */
	NETNS_FILES_ALOUD,	/* and it is said how it stands, even if nothing has changed */
};

/* Makes the copy of the host's trust store equal to it, plus the CA. 0: it was so already; 1: written. Says
 * in the log when the CA is another one than before, gone, or cannot be used. What fails is tried again at
 * the next look. */
int netns_files_refresh(struct netns_files *files, enum netns_files_look look);
/* What of the host's trust store could not be copied when netns_files_refresh() failed last. The text is the
 * files' and stays until it is called again. */
const char *netns_files_failed(const struct netns_files *files);
/* Says in the log what is wrong with the CA. -EINVAL: it is gone or cannot be used. */
int netns_files_check_ca(const struct netns_files *files);
/* Removes the copy, and what is kept of the CA and the bundle. Says in the log what stays. */
void netns_files_remove_copy(struct netns_files *files);
