/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a small file so that a reader, or the machine after a power cut, sees the old one or the new one.
 */
#pragma once

#include <sys/types.h>

#include "breath.h"
#include "util.h"

/* Replaces the file: whole or not at all, and durable when this returns 0. `mode` is the file's whatever the
 * umask. Uses <path>.new for a moment. -ENAMETOOLONG, or the errno of what failed: the old file is then still
 * there (or, where only the directory could not be synchronised, the new one). */
int file_write(const char *path, const void *data, size_t size, mode_t mode, uid_t uid, gid_t gid);
/* The same of a large one, which is written in pieces, with a breath between them. */
int file_write_breathing(const char *path, const void *data, size_t size, mode_t mode, uid_t uid, gid_t gid,
			 const struct breath *breath);

/* The same, but leaves a file alone that has these bytes already: so it also works on a disk that is full. */
int file_ensure(const char *path, const void *data, size_t size, mode_t mode, uid_t uid, gid_t gid);

/* Another name for the file, durable. -EEXIST: there is a file of that name. */
int file_move(const char *path, const char *to);
/* The same in place of a file of that name. */
int file_replace(const char *path, const char *to);
/* Names it <path>.old, or <path>.old.1 and so on where that is taken, durably. 0 also if there is no such
 * file.
 */
int file_set_aside(const char *path);
