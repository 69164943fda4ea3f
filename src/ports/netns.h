/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces with names, as iproute2 keeps them (a bind mount under /run/netns), so that `ip netns`
 * finds them. Nothing here logs.
 */
#pragma once

#include "../lib/util.h"

#define NETNS_DIR "/run/netns"

/* Makes the namespace. `prepare` (or NULL) is called in it, before it has its name: when it fails, there is
 * no namespace. A file of that name that is no namespace (left over in a /run that survived a reboot) is used
 * again. -EEXIST: there is one already. */
int netns_add(const char *name, int (*prepare)(void *context), void *context);
/* Gives a namespace that has lost its name that name again. -EEXIST: the name is taken. */
int netns_add_name(const char *name, int netns_fd);
/* Takes the name away; the namespace lives on while something is in it. -ENOENT: there is none. */
int netns_remove(const char *name);
/* Whether there is a namespace of that name. */
bool netns_is_there(const char *name);
/* A descriptor for the namespace (the caller's), by name or by path. -ENOENT: none; -EINVAL: the file is no
 * network namespace. */
int netns_open(const char *name);
int netns_open_path(const char *path);
/* Whether both are the same namespace. */
bool netns_is_same(int a_fd, int b_fd);
/* A descriptor for the calling thread's own namespace (the caller's). */
int netns_open_own(void);

/* The first namespace with a process in it for which `is_it` says 1; the descriptor is the caller's. -ENOENT:
 * there is none. */
int netns_find_process(int (*is_it)(void *context, int netns_fd), void *context);

/* Moves the calling thread, and no other, into the namespace; netns_leave() goes back and closes `home_fd`.
 */
int netns_enter(int netns_fd, int *ret_home_fd);
void netns_leave(int home_fd);

/* Calls back with each name under /run/netns. The callback may remove the namespace. Stops at its first
 * negative result and returns it. */
int netns_each(int (*callback)(void *context, const char *name), void *context);
