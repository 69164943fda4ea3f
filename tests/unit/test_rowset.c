/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "datapath/rowset.h"
#include "tests/tap.h"

struct walk {
	char text[128];
	int fail_at, calls;
};

static int note(void *context, enum row_change change, const void *key, const void *value)
{
	struct walk *walk = context;
	size_t length = strlen(walk->text);

	(void)snprintf(walk->text + length, sizeof(walk->text) - length, "%s%c%c%c", length ? " " : "",
		       "+=-"[change], *(const char *)key, *(const char *)value);
	return ++walk->calls == walk->fail_at ? -EIO : 0;
}

/* "a1b2": rows of key a, value 1 and so on. */
static struct rowset make(const char *rows)
{
	struct rowset set = rowset_make(1, 1);

	for (; *rows; rows += 2)
		(void)rowset_append(&set, rows, rows + 1);
	rowset_sort(&set);
	return set;
}

static void put_all(struct rowset *set, const char *text)
{
	struct rowset rows = make(text);

	(void)rowset_put_all(set, &rows);
	rowset_done(&rows);
}

/* Of the keys in the text. */
static void remove_all(struct rowset *set, const char *text)
{
	struct rowset rows = make(text);

	rowset_remove_all(set, &rows);
	rowset_done(&rows);
}

int main(void)
{
	static const struct {
		const char *is, *wanted, *steps, *name;
	} cases[] = {
		{"", "", "", "nothing to nothing is no step"},
		{"a1b2", "a1b2", "", "equal tables are no step"},
		{"", "b2a1", "+a1 +b2", "all is new"},
		{"a1b2", "", "-a1 -b2", "all is gone"},
		{"a1b2c3", "a1b9c3", "=b9", "a value that differs is updated"},
		{"a1c3", "b2", "-a1 +b2 -c3", "another key is a new row and an old one"},
		{"b2d4", "a1b3c3e5", "+a1 =b3 +c3 -d4 +e5",
		 "all kinds in one walk, in the order of the keys"},
		{"", "a1a1", "+a1", "a row that comes twice is added once"},
	};
	struct walk failing = {.fail_at = 1};
	struct rowset is, wanted;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct walk walk = {};

		is = make(cases[i].is);
		wanted = make(cases[i].wanted);
		(void)rowset_diff(&is, &wanted, note, &walk);
		tap_is_str(walk.text, cases[i].steps, "%s", cases[i].name);
		rowset_done(&is);
		rowset_done(&wanted);
	}

	is = make("");
	wanted = make("a1b2c3");
	tap_is_int(rowset_diff(&is, &wanted, note, &failing), -EIO, "a failing step ends the walk");
	tap_is_int(failing.calls, 1, "at once");
	tap_ok(rowset_find(&wanted, "b") && *(const char *)rowset_find(&wanted, "b") == '2',
	       "a row is found by key");
	tap_ok(!rowset_find(&wanted, "x"), "a missing one is not");
	put_all(&wanted, "a0b7d4e5");
	remove_all(&wanted, "c0x0");
	is = make("a0b7d4e5");
	tap_ok(wanted.n == is.n && memcmp(wanted.data, is.data, 2 * is.n) == 0,
	       "rows come to their places, change and go");
	put_all(&wanted, "");
	remove_all(&wanted, "");
	tap_ok(wanted.n == is.n && memcmp(wanted.data, is.data, 2 * is.n) == 0, "none comes, and none goes");
	tap_is_int((long long)rowset_place(&wanted, "c", 1), 2, "where a row would be");
	remove_all(&wanted, "a0b7d4e5");
	tap_is_int((long long)wanted.n, 0, "all go");
	put_all(&wanted, "a0b7d4e5");
	tap_ok(wanted.n == is.n && memcmp(wanted.data, is.data, 2 * is.n) == 0, "and come again");
	rowset_done(&is);
	rowset_done(&wanted);
	return tap_done();
}
