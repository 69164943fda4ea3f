/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call as a line of JSON.
 */
#pragma once

#include <jansson.h>

#include "audit.h"

#define AUDIT_TIME_SIZE 25 /* 2026-01-02T03:04:05.678Z */

/* Every line begins so, and has 24 characters of time then. */
#define AUDIT_LINE_START "{\"Time\":\""

extern const char *const audit_kind_names[AUDIT_KIND_COUNT_]; /* "Change", … */

/* Milliseconds since 1970 (UTC), as a text and now. */
void audit_time_format(int64_t unix_ms, char ret[AUDIT_TIME_SIZE]);
int64_t audit_now_ms(void);

/* With its newline, at most AUDIT_LINE_MAX bytes (the caller's). NULL: no memory. */
char *audit_event_line(const struct audit_event *event);
/* Says that so many lines are missing, and why. */
char *audit_omitted_line(enum audit_kind kind, uint64_t n, const char *why);
