/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reports say of health results: parts of them, each result until it has arrived, and again when it
 * changes.
 */
#include "agent/health_told.h"

#include <stdio.h>

#include "tests/tap.h"

#define MANY (2 * HEALTH_TOLD_MAX + 10)

static struct health_result results[MANY];

/* In their order, and well. */
static void fill(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		results[i] = (struct health_result){.server_id = "10.0.0.1", .port = 80, .healthy = true};
		snprintf(results[i].group, sizeof(results[i].group), "sgp-%06zu", i);
	}
}

/* The next part: how many, and the first one's group. */
static const char *next(struct health_told *told)
{
	json_t *list = health_told_next(told);
	const char *first = json_string_value(json_object_get(json_array_get(list, 0), "group"));
	static char text[96];

	snprintf(text, sizeof(text), "%zu%s%s", json_array_size(list), first ? " " : "", first ? first : "");
	json_decref(list);
	return text;
}

static void must_set(struct health_told *told, size_t n)
{
	if (health_told_set(told, results, n) < 0)
		exit(EXIT_FAILURE);
}

static void test_changes(void)
{
	struct health_told told = {};

	tap_ok(!health_told_has_more(&told), "at first there is nothing to tell");
	fill(5);
	must_set(&told, 5);
	tap_ok(health_told_has_more(&told), "then there is");
	tap_is_str(next(&told), "5 sgp-000000", "all of it");
	tap_ok(!health_told_has_more(&told), "which is on its way");
	health_told_taken(&told, false);
	tap_is_str(next(&told), "5 sgp-000000", "what did not arrive is told again");
	health_told_taken(&told, true);
	must_set(&told, 5);
	tap_ok(!health_told_has_more(&told), "what did is not, as long as it stays as it is");

	results[3].healthy = false;
	must_set(&told, 5);
	tap_is_str(next(&told), "1 sgp-000003", "what changes is told alone");
	(void)str_copy(results[3].reason, sizeof(results[3].reason), "CONNECT_REFUSED");
	must_set(&told, 5);
	health_told_taken(&told, true);
	tap_is_str(next(&told), "1 sgp-000003", "also what does so while it is on its way");
	health_told_taken(&told, true);
	results[3] = results[4];
	must_set(&told, 4);
	tap_ok(!health_told_has_more(&told), "of one that has gone nothing is told");
	fill(5);
	must_set(&told, 5);
	tap_is_str(next(&told), "1 sgp-000003", "but when it is there again");
	health_told_taken(&told, true);
	health_told_forget(&told);
	tap_is_str(next(&told), "5 sgp-000000", "to another privlinkd all is told");
	health_told_done(&told);
}

static void test_parts(void)
{
	struct health_told told = {};
	char rest[32];

	fill(MANY);
	must_set(&told, MANY);
	for (int i = 0; i < 2; i++) {
		(void)next(&told);
		health_told_taken(&told, true);
	}
	snprintf(rest, sizeof(rest), "10 sgp-%06d", MANY - 10);
	tap_is_str(next(&told), rest, "many results are told in parts");
	health_told_taken(&told, true);
	tap_ok(!health_told_has_more(&told), "of which each is told once");

	health_told_again(&told);
	tap_is_str(next(&told), "4096 sgp-000000", "and again, from time to time");
	health_told_taken(&told, true);
	health_told_again(&told);
	tap_is_str(next(&told), "4096 sgp-004096", "a part each time");
	health_told_taken(&told, true);
	health_told_again(&told);
	tap_is_str(next(&told), "4096 sgp-000000", "round and round");
	health_told_taken(&told, true);
	must_set(&told, 7);
	health_told_again(&told);
	tap_is_str(next(&told), "7 sgp-000000", "of few results all of them");
	health_told_done(&told);
}

int main(void)
{
	test_changes();
	test_parts();
	return tap_done();
}
