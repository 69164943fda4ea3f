/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Test Anything Protocol, version 12, for tests in C. One program is one list of cases; its name in front
 * of each is meson's business. Include it in the test's only source file.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failures;

__attribute__((format(printf, 2, 3), unused)) static bool tap_ok(bool ok, const char *format, ...)
{
	va_list ap;

	printf("%sok %d - ", ok ? "" : "not ", ++tap_count);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	if (!ok)
		tap_failures++;
	return ok;
}

__attribute__((format(printf, 1, 2), unused)) static void tap_note(const char *format, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* A case that cannot run here, for a reason outside the set-up's reach. */
__attribute__((unused)) static void tap_skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, name, why);
}

/* Prints the plan; the exit status of the program. */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define tap_is_int(got, want, ...)                                                                           \
	do {                                                                                                 \
		long long _got = (got), _want = (want);                                                      \
		if (!tap_ok(_got == _want, __VA_ARGS__))                                                     \
			tap_note("got %lld, want %lld (%s:%d)", _got, _want, __FILE__, __LINE__);            \
	} while (0)

#define tap_is_str(got, want, ...)                                                                           \
	do {                                                                                                 \
		const char *_got = (got), *_want = (want);                                                   \
		if (!tap_ok(_got && strcmp(_got, _want) == 0, __VA_ARGS__))                                  \
			tap_note("got '%s', want '%s' (%s:%d)", _got ? _got : "(null)", _want, __FILE__,     \
				 __LINE__);                                                                  \
	} while (0)
