/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of pinned BPF objects.
 */
#pragma once

#include "../lib/util.h"

/* Makes the directory on a mounted bpffs; mounts one if there is none. `ret_what` says what failed, in words.
 */
int bpffs_make_directory(const char *path, const char **ret_what);
/* Removes a directory of pins with all pins in it, and the bpffs that was mounted at it. Missing is fine. */
int bpffs_remove_directory(const char *path);
