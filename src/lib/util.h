/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small things that every file wants: scopes that clean up, hand-over, bounded copies. No logging, no
 * I/O.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_       __attribute__((unused))

#define ARRAY_SIZE(a)		      (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

/* Each argument is evaluated once, so it may be a call. */
#define MIN(a, b)	     PICK_(a, <, b, __COUNTER__)
#define MAX(a, b)	     PICK_(a, >, b, __COUNTER__)
#define PICK_(a, than, b, n) PICK_NAMED_(a, than, b, CONCAT_(_a, n), CONCAT_(_b, n))
#define CONCAT_(a, b)	     a##b
#define PICK_NAMED_(a, than, b, name_a, name_b)                                                              \
	({                                                                                                   \
		__auto_type name_a = (a);                                                                    \
		__auto_type name_b = (b);                                                                    \
		name_a than name_b ? name_a : name_b;                                                        \
	})

/* Hands a pointer over: yields it and leaves NULL behind, so that a _cleanup_ does not free it. */
#define TAKE_PTR(p)                                                                                          \
	({                                                                                                   \
		typeof(p) _taken = (p);                                                                      \
		(p) = NULL;                                                                                  \
		_taken;                                                                                      \
	})
/* The same for a descriptor. */
#define TAKE_FD(fd)                                                                                          \
	({                                                                                                   \
		int _taken = (fd);                                                                           \
		(fd) = -EBADF;                                                                               \
		_taken;                                                                                      \
	})

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* For _cleanup_(freep) on a pointer of any type. */
void freep(void *pointer_to_pointer);

/* For _cleanup_(closep) on a descriptor; negative ones are left alone. */
void closep(int *fd);

/* Copies a string into dst of `size` bytes. Returns its length, or -E2BIG (dst is then the empty string): a
 * value is never cut. */
int str_copy(char *dst, size_t size, const char *src);

/* printf into dst of `size` bytes, with the result of str_copy(). */
int str_format(char *dst, size_t size, const char *format, ...) _printf_(3, 4);

/* Every text starts and ends with "". */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Seconds since 1970 (UTC). */
int64_t now_unix_s(void);
/* Milliseconds of the monotonic clock. */
uint64_t now_mono_ms(void);
/* Seconds since the machine was started, those included in which it slept. */
int64_t uptime_s(void);

/* "2026-01-02T03:04:05Z", 20 characters and a NUL. Parse returns -EINVAL on any other form. */
#define TIME_TEXT_SIZE 21
void time_format(int64_t unix_s, char ret[TIME_TEXT_SIZE]);
int time_parse(const char *s, int64_t *ret_unix_s);
