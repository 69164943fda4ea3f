/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose device is next, and that each is queued once.
 */
#include "ports/port_turns.h"

#include "lib/mix.h"
#include "tests/tap.h"

#define MANY 20000

/* The numbers that are left, in their turns. */
static void take_all(struct port_turns *turns, char ret[64])
{
	ret[0] = '\0';
	while (turns->n)
		(void)str_format(ret + strlen(ret), 64 - strlen(ret), "%u ",
				 (unsigned int)port_turns_take(turns));
}

static void test_turns(void)
{
	struct port_turns turns = {};
	char order[64];

	for (uint32_t number = 1; number <= 3; number++)
		(void)port_turns_add(&turns, number, 7);
	(void)port_turns_add(&turns, 4, 3);
	(void)port_turns_add(&turns, 5, 9);
	take_all(&turns, order);
	tap_is_str(order, "4 1 5 2 3 ", "accounts take turns, and each has its own in their order");
	(void)port_turns_add(&turns, 6, 7);
	(void)port_turns_add(&turns, 7, 8);
	take_all(&turns, order);
	tap_is_str(order, "7 6 ", "the circle goes on where it was when all had been taken");
	(void)port_turns_add(&turns, 8, 0);
	(void)port_turns_add(&turns, 9, 8);
	take_all(&turns, order);
	tap_is_str(order, "9 8 ", "those of whom no account is known have a turn as well");
	port_turns_clear(&turns);
}

static void test_once(void)
{
	struct port_turns turns = {};
	char order[64];

	tap_ok(!port_turns_has(&turns, 1), "at first none is queued");
	(void)port_turns_add(&turns, 1, 7);
	(void)port_turns_add(&turns, 2, 7);
	tap_is_int(port_turns_add(&turns, 1, 8), 0, "one may be queued again:");
	tap_is_int((int)turns.n, 2, "it is there once");
	take_all(&turns, order);
	tap_is_str(order, "1 2 ", "and has the turn that it had");
	tap_ok(!port_turns_has(&turns, 1), "when that has come it is not queued any more");
	(void)port_turns_add(&turns, 1, 7);
	tap_ok(port_turns_has(&turns, 1), "and may be again");
	port_turns_clear(&turns);
	tap_ok(!port_turns_has(&turns, 1), "after all are taken out none is");
}

/* Different ones, without an order; the least one is 1. */
static uint32_t number_at(size_t i)
{
	return (uint32_t)(mix64(i) >> 48) * MANY + (uint32_t)i + 1;
}

/* Half of them, then those that are left. */
static void test_many(void)
{
	struct port_turns turns = {};
	size_t lost = 0, kept = 0, wrong = 0, n = 0;

	for (size_t i = 0; i < MANY; i++)
		(void)port_turns_add(&turns, number_at(i), 7);
	for (size_t i = 0; i < MANY; i++)
		lost += !port_turns_has(&turns, number_at(i)) || port_turns_add(&turns, number_at(i), 7) < 0;
	tap_ok(turns.n == MANY && !lost, "%d are queued, each once", MANY);
	for (; n < MANY / 2; n++)
		wrong += port_turns_take(&turns) != number_at(n);
	for (size_t i = 0; i < MANY; i++) {
		kept += i < n && port_turns_has(&turns, number_at(i));
		lost += i >= n && !port_turns_has(&turns, number_at(i));
	}
	tap_is_int((int)kept, 0, "those that are taken out are not queued any more,");
	tap_is_int((int)lost, 0, "the others still are");
	for (; n < MANY; n++)
		wrong += port_turns_take(&turns) != number_at(n);
	tap_is_int((int)wrong, 0, "and they came in their order");
	port_turns_clear(&turns);
}

int main(void)
{
	test_turns();
	test_once();
	test_many();
	return tap_done();
}
