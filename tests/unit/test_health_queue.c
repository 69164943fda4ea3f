/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health results that wait to be written down: in order, the newest of each server, and not without end.
 */
#include "control/health_queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/tap.h"

static struct server_health results[HEALTH_QUEUE_MAX];

/* Of as many servers, all healthy or none. */
static void fill(size_t first, size_t n, bool healthy)
{
	for (size_t i = 0; i < n; i++) {
		results[i] = (struct server_health){.server_id = "10.0.0.1", .port = 80, .healthy = healthy};
		(void)str_format(results[i].group, sizeof(results[i].group), "sgp-%06zu", first + i);
	}
}

/* "<how many> <the first one's group> <its health>" */
static const char *first_of(const struct health_queue *queue)
{
	static char text[64];
	size_t n;
	const struct server_health *first = health_queue_first(queue, &n);

	if (!first)
		return "0";
	(void)str_format(text, sizeof(text), "%zu %s %s", n, first->group, first->healthy ? "well" : "ill");
	return text;
}

static void test_order(void)
{
	struct health_queue queue = {};
	const struct server_health *all;
	size_t n;

	tap_is_str(first_of(&queue), "0", "at first nothing waits");
	fill(5, 3, true);
	tap_is_int(health_queue_add(&queue, "n1", results, 3), 0, "three results come");
	fill(0, 2, true);
	tap_is_int(health_queue_add(&queue, "n1", results, 2), 0, "and two others");
	tap_is_str(first_of(&queue), "5 sgp-000005 well", "what came first is first");
	health_queue_drop(&queue, 1);
	fill(6, 3, false);
	tap_is_int(health_queue_add(&queue, "n1", results, 3), 0, "then newer ones of some of these");
	tap_is_str(first_of(&queue), "5 sgp-000006 ill", "which take the place of the older ones");
	all = health_queue_first(&queue, &n);
	tap_ok(n == 5 && !all[1].healthy && streq(all[2].group, "sgp-000000") && all[2].healthy &&
		       streq(all[4].group, "sgp-000008") && streq(all[4].node, "n1"),
	       "and the others are as they were, with one more behind them");
	health_queue_drop(&queue, 5);
	tap_ok(!queue.v && !queue.size, "when all are taken nothing is held");
	fill(0, 1, true);
	results[1] = results[0];
	results[1].healthy = false;
	results[2] = results[0];
	results[2].port = 81;
	tap_is_int(health_queue_add(&queue, "n1", results, 3), 0, "a server twice in one report");
	tap_is_str(first_of(&queue), "2 sgp-000000 ill", "is there once, as it was said last");
	health_queue_done(&queue);
}

static void test_full(void)
{
	struct health_queue queue = {};

	fill(0, HEALTH_QUEUE_MAX, true);
	tap_is_int(health_queue_add(&queue, "n1", results, HEALTH_QUEUE_MAX), 0, "%d results have room",
		   HEALTH_QUEUE_MAX);
	fill(0, 10, false);
	tap_is_int(health_queue_add(&queue, "n1", results, 10), 0, "and newer ones of the same servers");
	fill(HEALTH_QUEUE_MAX - 1, 2, false);
	tap_is_int(health_queue_add(&queue, "n1", results, 2), -ENOBUFS, "but none of one server more");
	tap_is_str(first_of(&queue), "65536 sgp-000000 ill", "and what is there stays");
	health_queue_drop(&queue, 1);
	tap_is_int(health_queue_add(&queue, "n1", results, 2), 0, "until something is written down");
	health_queue_done(&queue);
}

int main(void)
{
	test_order();
	test_full();
	return tap_done();
}
