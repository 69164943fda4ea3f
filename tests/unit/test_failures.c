/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures are gathered each once, with their first reason, in the order in which they came, however many.
 */
#include <stdio.h>

#include "plan/failures.h"
#include "tests/tap.h"

#define MANY 20000

static void test_few(void)
{
	_cleanup_(failures_clear) struct failures failures = {};
	char long_reason[2 * sizeof(failures.items->reason)], long_key[KEY_SIZE + 1];

	memset(long_reason, 'r', sizeof(long_reason) - 1);
	long_reason[sizeof(long_reason) - 1] = '\0';
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	tap_is_int(failures_add(&failures, "instance/i-1", "%s %d", "reason", 1), 0, "a failure is added");
	tap_is_int(failures_add_gone(&failures, "instance/i-1", "another"), 0, "and again");
	tap_ok(failures.n == 1 && streq(failures.items[0].reason, "reason 1") && !failures.items[0].is_gone,
	       "its first reason stays, and that it is worth another try");
	tap_is_int(failures_add(&failures, long_key, "reason"), -E2BIG, "a key that is too long is refused");
	(void)failures_add_gone(&failures, "instance/i-2", long_reason);
	tap_ok(failures.n == 2 && strlen(failures.items[1].reason) == sizeof(failures.items->reason) - 1 &&
		       failures.items[1].is_gone,
	       "a reason that is too long is cut");
	failures_clear(&failures);
	(void)failures_add(&failures, "instance/i-2", "reason");
	tap_ok(failures.n == 1 && !failures.items[0].is_gone, "and cleared it begins anew");
}

/* Number `i` is told in each turn, in another order. */
static void test_many(void)
{
	_cleanup_(failures_clear) struct failures failures = {};
	size_t wrong = 0, failed = 0;
	char key[KEY_SIZE];

	for (unsigned int turn = 0; turn < 3; turn++)
		for (unsigned int i = 0; i < MANY; i++) {
			unsigned int number = turn == 1 ? MANY - 1 - i : i;

			(void)snprintf(key, sizeof(key), "instance/i-%u", number);
			failed += (number % 2
					   ? failures_add(&failures, key, "turn %u", turn)
					   : failures_add_gone(&failures, key, turn ? "late" : "turn 0")) < 0;
		}
	tap_is_int((int)failed, 0, "many failures are added, three times each");
	tap_is_int((int)failures.n, MANY, "each is there once");
	for (unsigned int i = 0; i < MANY && i < failures.n; i++) {
		const struct plan_failure *item = &failures.items[i];

		(void)snprintf(key, sizeof(key), "instance/i-%u", i);
		wrong +=
			!streq(item->key, key) || !streq(item->reason, "turn 0") || item->is_gone != !(i % 2);
	}
	tap_is_int((int)wrong, 0, "in their order, each with what was told of it first");
}

int main(void)
{
	test_few();
	test_many();
	return tap_done();
}
