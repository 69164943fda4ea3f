/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers say of the form of an answer, as tables.
 */
#include "http/negotiate.h"

#include <stddef.h>

#include "../tap.h"
#include "lib/util.h"

static void test_gzip(void)
{
	static const struct {
		const char *value;
		bool takes;
	} cases[] = {
		{NULL, false},
		{"", false},
		{"gzip", true},
		{"GZip", true},
		{"x-gzip", true},
		{"gzip, deflate, br, zstd", true},
		{"br;q=1.0,gzip;q=0.5", true},
		{"br , gzip ; q=0.001", true},
		{"deflate\t,\tgzip", true},
		{"gzip;q=0", false},
		{"gzip; q=0.000", false},
		{"gzip;Q=0.0 ", false},
		{"gzip;q=0, *", false},
		{"*, gzip;q=0", false},
		{"*", true},
		{"*;q=0", false},
		{"*;q=0, gzip", true},
		{"identity", false},
		{"gzipped", false},
		{"gzi", false},
		{"deflate", false},
		{"not gzip", false},
		{"br;gzip", false},
		{",,, ,", false},
		{";q=0", false},
		{"gzip;q", true},
		{"gzip;q=", true},
		{"gzip;", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_ok(negotiate_takes_gzip(cases[i].value) == cases[i].takes, "Accept-Encoding: %s: %s",
		       cases[i].value ? cases[i].value : "(absent)", cases[i].takes ? "gzip" : "plain");
}

static void test_tags(void)
{
	static const struct {
		const char *value;
		bool has;
	} cases[] = {
		{NULL, false},
		{"", false},
		{"\"abc\"", true},
		{"W/\"abc\"", true},
		{" \"x\" , \"abc\"", true},
		{"\"x\",W/\"abc\",\"y\"", true},
		{"\"a,b\", \"abc\"", true},
		{"*", true},
		{"abc", false},
		{"\"abc", false},
		{"\"ab\"", false},
		{"\"abcd\"", false},
		{"\"ABC\"", false},
		{"\"x\" \"abc\"", true},
		{"x, \"abc\"", false},
		{"\"x, \"abc\"", false},
		{"W/", false},
		{"w/\"abc\"", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_ok(negotiate_has_tag(cases[i].value, "\"abc\"") == cases[i].has, "If-None-Match: %s: %s",
		       cases[i].value ? cases[i].value : "(absent)", cases[i].has ? "it is" : "it is not");
}

static void test_types(void)
{
	static const struct {
		const char *value;
		bool names;
	} cases[] = {
		{NULL, false},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
		{"application/json, Text/HTML;q=0.1", true},
		{"*/*", false},
		{"text/*", false},
		{"application/json", false},
		{"text/html;q=0", false},
		{"text/htmlx", false},
		{"text/xml;a=text/html", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_ok(negotiate_names_type(cases[i].value, "text/html") == cases[i].names, "Accept: %s: %s",
		       cases[i].value ? cases[i].value : "(absent)", cases[i].names ? "a page" : "no page");
}

int main(void)
{
	test_gzip();
	test_tags();
	test_types();
	return tap_done();
}
