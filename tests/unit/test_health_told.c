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
static uint64_t now_ms = 1000000;

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
	json_t *list = health_told_next(told, now_ms);
	const char *first = json_string_value(json_object_get(json_array_get(list, 0), "group"));
	static char text[96];

	snprintf(text, sizeof(text), "%zu%s%s", json_array_size(list), first ? " " : "", first ? first : "");
	json_decref(list);
	return text;
}

static void must_set(struct health_told *told, size_t n)
{
	if (health_told_set(told, results, n, now_ms) < 0)
		exit(EXIT_FAILURE);
}

static bool has_more(const struct health_told *told)
{
	return health_told_due(told, now_ms) == 0;
}

static void test_changes(void)
{
	struct health_told told = {};

	tap_ok(!has_more(&told), "at first there is nothing to tell");
	fill(5);
	must_set(&told, 5);
	tap_ok(has_more(&told), "then there is");
	tap_is_str(next(&told), "5 sgp-000000", "all of it");
	tap_ok(!has_more(&told), "which is on its way");
	health_told_taken(&told, false);
	tap_is_str(next(&told), "5 sgp-000000", "what did not arrive is told again");
	health_told_taken(&told, true);
	must_set(&told, 5);
	tap_ok(!has_more(&told), "what did is not, as long as it stays as it is");

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
	tap_ok(!has_more(&told), "of one that has gone nothing is told");
	fill(5);
	must_set(&told, 5);
	tap_is_str(next(&told), "1 sgp-000003", "but when it is there again");
	health_told_taken(&told, true);
	health_told_forget(&told);
	tap_is_str(next(&told), "5 sgp-000000", "to another privlinkd all is told");
	health_told_done(&told);
}

/* The second of three servers becomes another one, and what is to be told of it at once is. */
static const char *flip(struct health_told *told)
{
	const char *text;

	results[1].healthy = !results[1].healthy;
	must_set(told, 3);
	text = next(told);
	health_told_taken(told, true);
	return text;
}

static void test_flips(void)
{
	struct health_told told = {};
	size_t n = 0;

	fill(3);
	must_set(&told, 3);
	(void)next(&told);
	health_told_taken(&told, true);
	for (; n < 100 && streq(flip(&told), "1 sgp-000001"); n++)
		;
	tap_is_int((long long)n, HEALTH_FLIPS_AT_ONCE, "a server's first changes are told as they come");
	tap_is_int((long long)health_told_due(&told, now_ms), HEALTH_FLIP_EVERY_MS, "the next one is later");
	results[0].healthy = false;
	must_set(&told, 3);
	tap_is_str(next(&told), "1 sgp-000000", "another server's is told at once");
	health_told_taken(&told, true);
	now_ms += HEALTH_FLIP_EVERY_MS - 1;
	tap_is_str(flip(&told), "0", "however often it changes meanwhile,");
	tap_is_int((long long)health_told_due(&told, now_ms), 1, "it does not take longer");
	now_ms++;
	results[1].healthy = false;
	must_set(&told, 3);
	tap_ok(has_more(&told), "then it is told");
	tap_is_str(next(&told), "1 sgp-000001", "what it is at that time");
	health_told_taken(&told, true);
	tap_ok(health_told_due(&told, now_ms) == UINT64_MAX, "and nothing more as long as it stays so");
	tap_is_str(flip(&told), "0", "a change after that waits");
	now_ms += HEALTH_FLIP_EVERY_MS;
	tap_is_str(next(&told), "1 sgp-000001", "and comes in the end, though nothing changes then");
	health_told_taken(&told, false);
	tap_is_str(next(&told), "1 sgp-000001", "also when the report that has it is lost");
	health_told_taken(&told, true);

	now_ms += 2 * HEALTH_FLIPS_AT_ONCE * HEALTH_FLIP_EVERY_MS;
	for (n = 0; n < 100 && streq(flip(&told), "1 sgp-000001"); n++)
		;
	tap_is_int((long long)n, HEALTH_FLIPS_AT_ONCE, "after a quiet time it is as at first");
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
	tap_ok(!has_more(&told), "of which each is told once");

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
	test_flips();
	test_parts();
	return tap_done();
}
