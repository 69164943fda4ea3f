/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order what is found of servers is handed over: accounts take turns, whatever one of them has.
 */
#include "health_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/health_news.h"
#include "lib/log.h"
#include "tests/unit/rows.h"

#define GROUPS	      5
#define SERVERS	      20 /* of each */
#define HEAVY_ACCOUNT 1
#define OTHER_ACCOUNT 2

/* In place of the real one (meson.build). */
static size_t n_failing;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	if (n_failing > 0 && n_failing-- > 0)
		return NULL;
	return __real_calloc(n, size);
}

static struct plan_probe probe_of(int64_t owner, const char *group, int server, uint16_t port)
{
	struct plan_probe p;
	char id[16];

	(void)str_format(id, sizeof(id), "i-%d", server);
	p = probe(id, port);
	p.owner = owner;
	p.interval_ms = p.timeout_ms = 1000;
	(void)str_copy(p.group, sizeof(p.group), group);
	return p;
}

/* A turn of all: "sgp-1 sgp-2", or "". */
static const char *taken(struct health_news *news, health_fits fits, void *context)
{
	static char text[1024];
	struct plan_touched touched = {};

	(void)health_news_take(news, fits, context, &touched);
	text[0] = '\0';
	for (size_t i = 0; i < touched.server_groups.n; i++)
		(void)str_format(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
				 touched.server_groups.ids[i]);
	return text;
}

/* All servers of many in five groups are found ill, in any order, and one of somebody else last; no two of
 * the groups fit together. */
static void test_stranger(struct loop *loop)
{
	enum { N = GROUPS * SERVERS + 1 };
	static struct plan_probe probes[N];
	struct plan plan = {.probes = probes, .n_probes = N};
	size_t room = 1, n_takes = 0, n_before = 0;
	struct health *health;
	uint16_t port;
	int fd = make_socket(-1, &port);

	for (int i = 0; i < N - 1; i++) {
		char group[ID_SIZE];

		(void)str_format(group, sizeof(group), "sgp-%d", i % GROUPS);
		probes[i] = probe_of(HEAVY_ACCOUNT, group, i / GROUPS, port);
	}
	probes[N - 1] = probe_of(OTHER_ACCOUNT, "sgp-stranger", 0, port);
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	wait_for_results(loop, health, N);
	for (bool has_more = true; has_more && n_takes < 10 * N;) {
		struct plan_touched touched = {};

		(void)health_take_touched(health, fits_in, &room, &touched);
		has_more = touched.server_groups.n > 0;
		n_takes += has_more;
		if (has_more && streq(touched.server_groups.ids[0], "sgp-stranger"))
			n_before = n_takes - 1;
	}
	tap_is_int((long long)n_takes, GROUPS + 1, "what is found of a group's servers is taken at once");
	tap_is_int((long long)n_before, 1, "a stranger's group does not wait for all groups of an account");
	health_free(health);
	close(fd);
}

/* Rows say how a server is that is probed here, and one that is not. */
static void test_hear(struct loop *loop)
{
	uint16_t port;
	int fd = make_socket(-1, &port);
	struct plan_probe probes[1] = {probe_of(HEAVY_ACCOUNT, "sgp-1", 0, port)};
	struct plan plan = {.probes = probes, .n_probes = 1};
	struct server_health here = {.group = "sgp-1", .server_id = "i-0", .port = 443};
	struct server_health elsewhere = {.group = "sgp-2", .server_id = "i-9", .port = 443};
	struct plan_touched touched = {};
	size_t room = 1;
	struct health *health;
	struct snapshot *rows;

	if (snapshot_new(&rows) < 0 || health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	rows_put(rows, "server_group/sgp-2", "{'id': 'sgp-2', 'owner': %d, 'status': 'Available'}",
		 OTHER_ACCOUNT);
	(void)health_set_plan(health, &plan);
	tap_ok(health_hear(health, rows, &here), "a row is news of a server whose probe has no result yet");
	wait_for_results(loop, health, 1);
	health_take_all(health);
	tap_ok(!health_hear(health, rows, &here), "of one whose probe has a result it is none");
	(void)health_take_touched(health, fits_in, &room, &touched);
	tap_ok(!plan_touched_any(&touched), "and touches nothing");
	here.server_id[0] = 'j';
	(void)health_hear(health, rows, &here);
	(void)str_copy(here.group, sizeof(here.group), "sgp-3");
	(void)health_hear(health, rows, &here);
	tap_ok(health_hear(health, rows, &elsewhere), "of one that is not probed here it is news");
	(void)health_take_touched(health, fits_in, &room, &touched);
	touched = (struct plan_touched){};
	(void)health_take_touched(health, fits_in, &room, &touched);
	tap_is_str(touched.server_groups.ids[0], "sgp-2", "which has its account's turn");
	health_free(health);
	snapshot_free(rows);
	close(fd);
}

static void test_turns(void)
{
	struct health_news news = {};
	size_t room = 3;

	tap_is_str(taken(&news, fits_in, &room), "", "turns: nothing is new");
	health_news_add(&news, 1, "a1");
	health_news_add(&news, 1, "a2");
	health_news_add(&news, 1, "a1");
	health_news_add(&news, 1, "a3");
	health_news_add(&news, 2, "b1");
	health_news_add(&news, 3, "c1");
	health_news_add(&news, 2, "b2");
	tap_is_str(taken(&news, fits_in, &room), "a1 b1 c1", "turns: each account has one");
	health_news_add(&news, 3, "c2");
	health_news_add(&news, 1, "a1");
	tap_is_str(taken(&news, fits_in, &room), "a2 b2 c2", "turns: and then each its next one");
	tap_is_str(taken(&news, fits_in, &room), "a3 a1", "turns: until one is left, in order");
	tap_ok(!news.first, "turns: and nothing else");
}

/* "big" goes with no other one. */
static bool fits_big(void *context _unused_, const struct plan_touched *touched)
{
	const struct plan_touched_ids *groups = &touched->server_groups;

	for (size_t i = 0; i < groups->n; i++)
		if (streq(groups->ids[i], "big") && groups->n > 1)
			return false;
	return true;
}

static void test_big(void)
{
	struct health_news news = {};
	bool has_more;

	health_news_add(&news, 1, "a1");
	health_news_add(&news, 2, "big");
	health_news_add(&news, 2, "b2");
	health_news_add(&news, 3, "c1");
	health_news_add(&news, 1, "a2");
	tap_is_str(taken(&news, fits_big, NULL), "a1 c1 a2",
		   "a group that does not fit with others keeps back those of its account alone");
	health_news_add(&news, 1, "a1");
	tap_is_str(taken(&news, fits_big, NULL), "big", "and is the first one the next time");
	has_more = health_news_take(&news, fits_big, NULL, &(struct plan_touched){});
	tap_ok(!has_more && !health_news_has_heavy(&news) && !news.first, "the rest follows");
}

/* "huge" does not fit by itself either. */
static bool fits_huge(void *context _unused_, const struct plan_touched *touched)
{
	for (size_t i = 0; i < touched->server_groups.n; i++)
		if (strncmp(touched->server_groups.ids[i], "huge", 4) == 0)
			return false;
	return true;
}

static void test_huge(void)
{
	struct health_news news = {};

	health_news_add(&news, 1, "a1");
	health_news_add(&news, 2, "huge");
	health_news_add(&news, 2, "b2");
	tap_is_str(taken(&news, fits_huge, NULL), "a1 b2",
		   "a group that never fits keeps back nobody, also where others were taken before it");
	tap_ok(health_news_has_heavy(&news), "and waits");
	health_news_clear(&news);

	for (int i = 0; i < 300; i++) {
		char id[ID_SIZE];

		(void)str_format(id, sizeof(id), "huge%d", i);
		health_news_add(&news, 1, id);
	}
	health_news_add(&news, 2, "b1");
	tap_is_str(taken(&news, fits_huge, NULL), "b1", "hundreds of them neither");
	health_news_clear(&news);
}

static void test_no_memory(void)
{
	struct health_news news = {};
	size_t room = 3;

	for (size_t n = 1; n <= 2; n++) {
		n_failing = n == 1;
		health_news_add(&news, 1, "a1");
		n_failing = n == 2;
		health_news_add(&news, 1, "a2");
		n_failing = 0;
		tap_ok(health_news_has_heavy(&news),
		       "a group for which there is no memory asks for a plan of the whole");
		(void)taken(&news, fits_in, &room);
		tap_ok(health_news_has_heavy(&news), "whatever is taken");
		health_news_clear(&news);
		tap_ok(!health_news_has_heavy(&news) && !news.first, "until there is one");
	}
}

int main(void)
{
	struct loop *loop;

	if (loop_new(&loop) < 0)
		return EXIT_FAILURE;
	log_set_level(LOG_LEVEL_ERROR);
	test_stranger(loop);
	test_hear(loop);
	test_turns();
	test_big();
	test_huge();
	test_no_memory();
	loop_free(loop);
	return tap_done();
}
