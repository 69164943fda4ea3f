/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per event on stderr: a verb first, then key=value, always with the id of the object. "<n>" prefix
 * for the journal when JOURNAL_STREAM is set, no time stamps then. The level is the one global of the
 * program.
 */
#pragma once

#include "util.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* Lines below it are not written. */
void log_set_level(enum log_level level);
int log_level_parse(const char *name, enum log_level *ret); /* error, warning, info, debug; -EINVAL */

/* One line on stderr, with its level; bytes that are no UTF-8, and control characters, are escaped. */
void log_line(enum log_level level, const char *format, ...) _printf_(2, 3);
#define log_error(...)	 log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Logs "text: strerror" at error level and returns r (a negative errno), so that whoever gives up says
 * `return log_errno(r, "cannot open store=%s", path)`. */
int log_errno(int r, const char *format, ...) _printf_(2, 3);
