/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon's configuration file: lines "name = value", # comments.
 */
#pragma once

#include "../lib/util.h"

/* Takes one option. 0; -ENOENT: there is no such option; -EINVAL: `ret_expected` says what it expects. */
typedef int (*config_option)(void *context, const char *name, const char *value, const char **ret_expected);

/* All lines of the file, also after a bad one. -EINVAL: each that is bad was logged, with file, line, option
 * and what it expects. */
int config_file_read(const char *path, config_option option, void *context);
