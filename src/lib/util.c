/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clean-up helpers, bounded copies, clocks and the one form of time that the API writes.
 */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void freep(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

void closep(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved_errno;
}

int str_copy(char *dst, size_t size, const char *src)
{
	size_t length = strlen(src);

	if (length >= size) {
		if (size > 0)
			dst[0] = '\0';
		return -E2BIG;
	}
	memmove(dst, src, length + 1);
	return (int)length;
}

int str_format(char *dst, size_t size, const char *format, ...)
{
	va_list ap;
	int length;

	va_start(ap, format);
	length = vsnprintf(dst, size, format, ap);
	va_end(ap);
	if (length < 0 || (size_t)length >= size) {
		if (size > 0)
			dst[0] = '\0';
		return -E2BIG;
	}
	return length;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t length = strlen(s), suffix_length = strlen(suffix);

	return length >= suffix_length && streq(s + length - suffix_length, suffix);
}

int64_t now_unix_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

uint64_t now_mono_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t uptime_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

void time_format(int64_t unix_s, char ret[TIME_TEXT_SIZE])
{
	/* Years of four digits only, so that the text always fits: 0000-01-01 to 9999-12-31. */
	const int64_t first = -62167219200, last = 253402300799;
	time_t t = MAX(first, MIN(last, unix_s));
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)str_format(ret, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Reads exactly `n` digits. */
static int parse_digits(const char *s, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

int time_parse(const char *s, int64_t *ret_unix_s)
{
	int year, month, day, hour, minute, second;
	char again[TIME_TEXT_SIZE];
	struct tm tm = {};
	int64_t t;

	if (strlen(s) != TIME_TEXT_SIZE - 1 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' ||
	    s[16] != ':' || s[19] != 'Z')
		return -EINVAL;
	year = parse_digits(s, 4);
	month = parse_digits(s + 5, 2);
	day = parse_digits(s + 8, 2);
	hour = parse_digits(s + 11, 2);
	minute = parse_digits(s + 14, 2);
	second = parse_digits(s + 17, 2);
	if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0)
		return -EINVAL;

	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	t = timegm(&tm);

	/* timegm() carries the 31st of February over into March: what comes back out must be what went in. */
	time_format(t, again);
	if (!streq(s, again))
		return -EINVAL;
	*ret_unix_s = t;
	return 0;
}
