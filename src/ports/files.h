/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files, read whole and written atomically (a temporary file beside it, then a rename): a reader sees
 * the old content or the new. Where others may put links, directories are open ones.
 */
#pragma once

#include <sys/types.h>

#include "../lib/breath.h"
#include "../lib/util.h"

#define FILE_SIZE_MAX (16u * 1024 * 1024)

/* The content (the caller's) with a NUL behind it that does not count. -EFBIG above FILE_SIZE_MAX,
 * -EISDIR, -EUCLEAN: it is neither a file nor a directory. */
int file_read(const char *path, char **ret, size_t *ret_size);
/* The same of a file in an open directory, where a link is none (-ELOOP). */
int file_read_at(int directory, const char *name, char **ret, size_t *ret_size);
/* Opens it to be read; the descriptor is the caller's. A link is -ELOOP; others as file_read(). */
int file_open(int directory, const char *name);
/* Opens a directory; the descriptor is the caller's. -ENOTDIR, -ELOOP: it is something else, also a link to
 * one. */
int file_open_directory(int parent, const char *name);
/* file_read() of a file that every user may read, also behind a link. -EACCES: its mode, or that of a
 * directory on the way to it, does not let others. -ENOSYS: /proc cannot be read, which tells the way. */
int file_read_public(int directory, const char *name, char **ret, size_t *ret_size);
/* 0: it had that content and mode already, and is ours; 1: written. */
int file_update(const char *path, const void *data, size_t size, mode_t mode);
int file_update_at(int directory, const char *name, const void *data, size_t size, mode_t mode);
/* The same for a symbolic link. */
int file_link(const char *path, const char *target);
int file_link_at(int directory, const char *name, const char *target);
/* Calls back with each name in an open directory, but for "." and "..", also after an error. The result is
 * the first error. */
int file_each(int directory, int (*callback)(void *context, int directory, const char *name), void *context);
/* Removes a file or a directory with all that is in it, never following links. Missing is fine. -EAGAIN:
 * there were more than some million names, which somebody may still be making, and some of it is left. */
int file_remove_tree(const char *path);
/* The same, by no more than so many steps, which are counted down; at each a breath is taken (NULL: none).
 * -EAGAIN: there were too few, and some of it is left. */
int file_remove_some(int directory, const char *name, unsigned int *steps, const struct breath *breath);
/* Gives it another name in the same directory: ".privlink-old-" and a number behind it. Missing is fine. */
int file_move_aside(int directory, const char *name);
