/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process for each pid file: the file is locked, and the lock goes with the process.
 */
#pragma once

#include "util.h"

/* Opens (or makes, mode 0644) the file, locks it, writes the caller's pid and a newline into it. A holder
 * that is just ending is waited for, two seconds at most. The descriptor is the caller's; closing it gives
 * the lock back. The file stays. -EBUSY: another process holds it; -ELOOP: it is a symbolic link; -EINVAL: it
 * is something else that is no file; else what open() and write() say. */
int pid_file_take(const char *path, int *ret_fd);
/* The same for a directory, in which nothing is written: for what stands in it. */
int pid_file_lock_directory(const char *path, int *ret_fd);
/* Why it was not taken, in words, and what to do where something else stands in its place. */
void pid_file_reason(const char *path, int error, char *ret, size_t size);
