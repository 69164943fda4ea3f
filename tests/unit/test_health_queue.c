/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health results that wait to be written down: in order, the newest of each server, and not without end.
 */
#include "control/health_queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/mix.h"
#include "tests/tap.h"

/* In place of the real one (meson.build): how much is sorted. */
static size_t n_sorted;

void __real_qsort(void *v, size_t n, size_t size, int (*compare)(const void *, const void *));
void __wrap_qsort(void *v, size_t n, size_t size, int (*compare)(const void *, const void *));
void __wrap_qsort(void *v, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	n_sorted += n;
	__real_qsort(v, n, size, compare);
}

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

/* However much waits. */
static void test_cost(void)
{
	struct health_queue queue = {};

	fill(0, 60000, true);
	(void)health_queue_add(&queue, "n1", results, 60000);
	health_queue_drop(&queue, 300);
	n_sorted = 0;
	fill(59995, 10, false);
	tap_is_int(health_queue_add(&queue, "n1", results, 10), 0, "10 more than 60,000 come");
	tap_is_int((long long)n_sorted, 10, "and no others are sorted");
	tap_is_str(first_of(&queue), "59705 sgp-000300 well", "of which some are newer ones");
	health_queue_done(&queue);
}

#define MODEL_SERVERS 40

/* What is to wait, as simply as can be. */
struct model {
	size_t v[MODEL_SERVERS], n; /* servers */
	bool healthy[MODEL_SERVERS];
};

static void model_add(struct model *m, size_t server, bool healthy)
{
	size_t i = 0;

	while (i < m->n && m->v[i] != server)
		i++;
	if (i == m->n)
		m->v[m->n++] = server;
	m->healthy[server] = healthy;
}

static bool is_model(const struct health_queue *queue, const struct model *m)
{
	size_t n;
	const struct server_health *all = health_queue_first(queue, &n);

	if (n != m->n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char group[ID_SIZE];

		(void)str_format(group, sizeof(group), "sgp-%06zu", m->v[i]);
		if (!streq(all[i].group, group) || all[i].healthy != m->healthy[m->v[i]])
			return false;
	}
	return true;
}

static uint64_t draw(uint64_t below)
{
	static uint64_t n_drawn;

	return mix64(n_drawn++) % below;
}

/* A report of up to eight results, some of one server. */
static void add_some(struct health_queue *queue, struct model *m)
{
	struct server_health some[8];
	size_t n = 1 + draw(ARRAY_SIZE(some)), servers[ARRAY_SIZE(some)];

	for (size_t i = 0; i < n; i++) {
		servers[i] = draw(MODEL_SERVERS);
		fill(servers[i], 1, draw(2));
		some[i] = results[0];
	}
	(void)health_queue_add(queue, "n1", some, n);
	for (size_t server = 0; server < MODEL_SERVERS; server++)
		for (size_t i = 0; i < n; i++)
			if (servers[i] == server)
				model_add(m, server, some[i].healthy);
}

static void test_at_random(void)
{
	struct health_queue queue = {};
	struct model m = {};
	size_t n_right = 0;

	do {
		size_t n = draw(2) ? draw(m.n + 1) : 0;

		health_queue_drop(&queue, n);
		m.n -= n;
		memmove(m.v, m.v + n, m.n * sizeof(*m.v));
		add_some(&queue, &m);
	} while (is_model(&queue, &m) && ++n_right < 20000);
	tap_is_int((long long)n_right, 20000, "whatever comes and is taken, the right ones wait in order");
	health_queue_done(&queue);
}

int main(void)
{
	test_order();
	test_full();
	test_cost();
	test_at_random();
	return tap_done();
}
