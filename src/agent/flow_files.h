/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of flow logs: one for each endpoint, and the one before it. They can be read, copied and removed
 * at any time. A log that nobody has open stays until others need the room; the one that was written last of
 * all goes first, whosever it is.
 */
#pragma once

#include <limits.h>

#include "../lib/util.h"

#define FLOW_FILE_MAX	   (4 * 1024 * 1024)	/* bytes of a file; then it becomes the one before */
#define FLOW_FILES_MAX	   256			/* endpoints that have some */
#define FLOW_DISK_FREE_MIN (64ll * 1024 * 1024) /* bytes that are left to others */

struct flow_files;

/* The directory is made when it is needed. -ENOMEM, -ENAMETOOLONG. */
int flow_files_new(const char *directory, struct flow_files **ret);
struct flow_files *flow_files_free(struct flow_files *files);

/* Looks how much room there is: to be called before some writing. */
void flow_files_look(struct flow_files *files);
/* Opens an endpoint's file before there is anything to write, so that no other takes its room. It stays open
 * until flow_files_close(). -ENOSPC: as many are open as may be; -EINVAL: that is no endpoint's id; else what
 * the file system says. */
int flow_files_open(struct flow_files *files, const char *endpoint);
/* Appends a line to an endpoint's file, whole or not at all; opens it if it is not. -ENOSPC: there is no
 * room, also for another endpoint's files. */
int flow_files_write(struct flow_files *files, const char *endpoint, const char *line, size_t size);
/* No more is written for the endpoint, for now. */
void flow_files_close(struct flow_files *files, const char *endpoint);

/* An endpoint's file, or the one before it. -EINVAL: that is no endpoint's id. */
int flow_files_path(const struct flow_files *files, const char *endpoint, bool before, char ret[PATH_MAX]);
