/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines. Each is put together in memory and written at once, so that lines of two processes on one stderr
 * do not mix. Control characters become '?': what a tenant named its endpoint must not forge a line.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "codec.h"

#define LINE_SIZE 2048

static enum log_level max_level = LOG_LEVEL_INFO;

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
};

void log_set_level(enum log_level level)
{
	max_level = level;
}

int log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (streq(name, levels[i].name)) {
			*ret = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "info";
}

/* "<6>" for the journal, else the time of day and the level. Returns the length. */
static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	int length;

	if (getenv("JOURNAL_STREAM")) {
		length = snprintf(line, size, "<%d>", level);
	} else {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		(void)gmtime_r(&now.tv_sec, &tm);
		length = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s: ", tm.tm_year + 1900,
				  tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
				  (int)(now.tv_nsec / 1000000), level_name(level));
	}
	return length > 0 ? MIN((size_t)length, size - 1) : 0;
}

/* Whatever a line quotes, it stays one line of text: the journal shows no other. */
static void make_printable(char *line)
{
	for (char *p = line; *p;) {
		const char *next = p;
		int32_t c = utf8_next(&next);

		if (c < ' ' || (c >= 0x7f && c < 0xa0))
			*p++ = '?';
		else
			p += next - p;
	}
}

static void _printf_(3, 0) log_line_v(enum log_level level, int error, const char *format, va_list ap)
{
	int saved_errno = errno, n;
	char line[LINE_SIZE];
	size_t length, start;

	if (level > max_level)
		return;

	length = start = put_prefix(line, sizeof(line) - 1, level);
	n = vsnprintf(line + length, sizeof(line) - 1 - length, format, ap);
	if (n > 0)
		length = MIN(length + (size_t)n, sizeof(line) - 2);
	if (error) {
		n = snprintf(line + length, sizeof(line) - 1 - length, ": %s", strerror(error));
		if (n > 0)
			length = MIN(length + (size_t)n, sizeof(line) - 2);
	}
	line[length] = '\0';
	make_printable(line + start);
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0) {
		/* There is nowhere left to complain. */
	}
	errno = saved_errno;
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_line_v(level, 0, format, ap);
	va_end(ap);
}

int log_errno(int r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_line_v(LOG_LEVEL_ERROR, r < 0 ? -r : r, format, ap);
	va_end(ap);
	return r;
}
