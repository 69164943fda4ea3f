/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What privlinkd opens while it is still root: directories, sockets, the pid file, certificate and key; and
 * then whom it becomes. All of these log what fails.
 */
#pragma once

#include <sys/types.h>

#include "lib/util.h"

/* Whom root becomes; `change` false: whoever started it stays. */
struct daemon_user {
	bool change;
	uid_t uid;
	gid_t gid;
};

/* Whom the process is to become: nobody else if it is not root, or the user is. -ENOENT: there is no such
 * user; other negative errno of the user database; each is logged. */
int daemon_user_find(const char *name, struct daemon_user *ret);
/* For as long as the store is opened, so that its files are the user's; and back. */
int daemon_user_borrow(const struct daemon_user *user);
int daemon_user_return(const struct daemon_user *user);
/* For good, with no way back and no capability. */
int daemon_user_become(const struct daemon_user *user);

/* Makes the directory (and its parents) if it is missing; it belongs to `user` if that is not NULL. */
int daemon_directory(const char *path, mode_t mode, const struct daemon_user *user);

/* A whole small file as text (the caller's). `what` it is, for the log. Never waits: pipes and devices are
 * refused. */
int daemon_read_file(const char *what, const char *path, char **ret);
/* Writes it under another name and renames it, mode 0600: there is either the old one or all of the new. */
int daemon_write_secret(const char *path, const char *text);

/* "127.0.0.1:8080", "[::1]:8080"; -EINVAL: something else (not logged). */
int daemon_listen_check(const char *where);
/* Whether plain HTTP may listen there. */
int daemon_http_allowed(const char *where, bool anywhere);
int daemon_listen_tcp(const char *where, int *ret_fd);
/* A socket that only its owner can connect to. */
int daemon_listen_unix(const char *path, int *ret_fd);
