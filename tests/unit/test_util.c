/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies that never cut, hand-over, and the API's form of time.
 */
#include "lib/util.h"

#include <fcntl.h>
#include <unistd.h>

#include "../tap.h"

static void test_copies(void)
{
	char dst[5] = "old";

	tap_is_int(str_copy(dst, sizeof(dst), "four"), 4, "a text that just fits is copied");
	tap_is_str(dst, "four", "the copy is the text");
	tap_is_int(str_copy(dst, sizeof(dst), "fives"), -E2BIG, "a text one too long is refused");
	tap_is_str(dst, "", "a refused copy leaves the empty string");
	tap_is_int(str_copy(dst, sizeof(dst), ""), 0, "the empty string is copied");
	tap_is_int(str_copy(dst, 0, "a"), -E2BIG, "nothing fits into no bytes");

	tap_is_int(str_format(dst, sizeof(dst), "%d", 1234), 4, "a formatted text that just fits is written");
	tap_is_str(dst, "1234", "the formatted text is right");
	tap_is_int(str_format(dst, sizeof(dst), "%d", 12345), -E2BIG,
		   "a formatted text one too long is refused");
	tap_is_str(dst, "", "a refused format leaves the empty string");

	tap_ok(str_starts("ep-abc", "ep-") && str_starts("ep", "") && !str_starts("ep", "ep-"),
	       "prefixes are told");
	tap_ok(str_ends("a.b", ".b") && str_ends("b", "") && !str_ends("b", "a.b"), "suffixes are told");
}

static void test_hand_over(void)
{
	char *a = strdup("x"), *b = TAKE_PTR(a);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), taken = TAKE_FD(fd);

	tap_ok(!a && b, "TAKE_PTR leaves NULL behind");
	tap_ok(fd == -EBADF && taken >= 0, "TAKE_FD leaves no descriptor behind");
	errno = EXDEV;
	closep(&fd);
	closep(&taken);
	tap_is_int(errno, EXDEV, "closep keeps errno");
	tap_is_int(fcntl(taken, F_GETFD), -1, "closep closes");
	freep(&b);
}

static void test_time(void)
{
	static const struct {
		const char *text;
		int64_t unix_s;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2016-02-23T12:46:24Z", 1456231584},
		{"2026-01-02T03:04:05Z", 1767323045},
		{"2000-02-29T23:59:59Z", 951868799},
		{"1969-12-31T23:59:59Z", -1},
		{"9999-12-31T23:59:59Z", 253402300799},
		{"0000-01-01T00:00:00Z", -62167219200},
	};
	static const char *const bad[] = {
		"",
		"2026-01-02",
		"2026-01-02T03:04:05",
		"2026-01-02T03:04:05z",
		"2026-01-02 03:04:05Z",
		"2026-01-02T03:04:05ZZ",
		"2026-02-30T03:04:05Z",
		"2025-02-29T03:04:05Z",
		"2026-13-02T03:04:05Z",
		"2026-00-02T03:04:05Z",
		"2026-01-00T03:04:05Z",
		"2026-01-02T24:04:05Z",
		"2026-01-02T03:60:05Z",
		"2026-01-02T03:04:60Z",
		"2026-01-02T03:04:-5Z",
		"+026-01-02T03:04:05Z",
		" 026-01-02T03:04:05Z",
	};
	char text[TIME_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t t = 4711;

		tap_is_int(time_parse(good[i].text, &t), 0, "%s is a time", good[i].text);
		tap_is_int(t, good[i].unix_s, "%s is the right second", good[i].text);
		time_format(good[i].unix_s, text);
		tap_is_str(text, good[i].text, "%s comes out as it went in", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t t = 4711;

		tap_ok(time_parse(bad[i], &t) == -EINVAL && t == 4711, "'%s' is no time", bad[i]);
	}
	time_format(INT64_MAX, text);
	tap_is_str(text, "9999-12-31T23:59:59Z", "a time beyond four digits stops at the last year");
}

/* Every day of five centuries, counted by hand from 1970 on. */
static void test_calendar(void)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t day = 0;
	int wrong = 0;

	for (int year = 1970; year < 2470; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (int month = 0; month < 12; month++)
			for (int d = 1; d <= lengths[month] + (month == 1 && leap); d++, day++) {
				char want[TIME_TEXT_SIZE], text[TIME_TEXT_SIZE];
				int64_t t = -1, second = day % 86400;

				(void)str_format(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
						 month + 1, d, (int)(second / 3600), (int)(second / 60 % 60),
						 (int)(second % 60));
				time_format(day * 86400 + second, text);
				wrong += !streq(text, want) || time_parse(want, &t) < 0 ||
					 t != day * 86400 + second;
			}
	}
	tap_is_int(wrong, 0, "each day of 500 years is written and read rightly");
}

static int counted(int *calls, int value)
{
	++*calls;
	return value;
}

static void test_evaluated_once(void)
{
	int calls = 0;

	tap_is_int(MIN(counted(&calls, -5), 0), -5, "the less of a call's result and a number");
	tap_is_int(MAX(0, MAX(counted(&calls, 7), 3)), 7, "the greater of three");
	tap_is_int(calls, 2, "each call is made once");
}

int main(void)
{
	uint64_t before = now_mono_ms();

	test_copies();
	test_hand_over();
	test_time();
	test_calendar();
	tap_ok(now_mono_ms() >= before && now_unix_s() > 1700000000 &&
		       (uint64_t)uptime_s() + 1 >= before / 1000,
	       "the clocks run");
	test_evaluated_once();
	return tap_done();
}
