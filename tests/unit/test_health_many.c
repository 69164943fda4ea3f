/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes of many servers: when each of them has its turn, who has room while others keep it, and how many of
 * their groups are told of at a time.
 */
#include "health_fixture.h"

#include <stdio.h>

#include "agent/probe_room.h"

/* For so long at least, and with so many turns as that has where the machine is never away. */
static void take_turns_for(struct loop *loop, uint64_t ms)
{
	for (uint64_t i = 0; i < ms / TURN_MS; i++)
		turn_for(loop, TURN_MS);
}

/* Probes the plan's servers, which refuse, each in a group sgp-<n> of its own, until all have a result. */
static struct health *ill_new(struct loop *loop, struct plan *plan, uint16_t port)
{
	struct health *health;

	for (size_t i = 0; i < plan->n_probes; i++) {
		plan->probes[i] = probe("i-1", port);
		plan->probes[i].interval_ms = 3000;
		(void)str_format(plan->probes[i].group, sizeof(plan->probes[i].group), "sgp-%zu", i);
	}
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, plan);
	wait_for_results(loop, health, plan->n_probes);
	return health;
}

/* Adds to `seen` the groups sgp-<n> that are touched now; false: too many, or all. */
static bool take_some(struct health *health, bool *seen, size_t n)
{
	struct plan_touched touched = {};

	(void)health_take_touched(health, fits_always, NULL, &touched);
	for (size_t i = 0; i < touched.server_groups.n; i++) {
		size_t group = strtoul(touched.server_groups.ids[i] + strlen("sgp-"), NULL, 10);

		if (group < n)
			seen[group] = true;
	}
	return touched.server_groups.n <= PLAN_TOUCHED_HEALTH_MAX && !touched.whole;
}

/* More groups than a pass of slices takes: they are told of one after the other. */
static void test_many_groups(struct loop *loop)
{
	enum { N = 5 * PLAN_TOUCHED_HEALTH_MAX };
	static struct plan_probe probes[N];
	struct plan plan = {.probes = probes, .n_probes = N};
	struct plan_touched busy = {};
	bool seen[N] = {}, few = true;
	size_t n_seen = 0;
	uint16_t port;
	int fd = make_socket(-1, &port);
	struct health *health = ill_new(loop, &plan, port);

	tap_is_int((long long)n_results(health), N, "servers of many groups are ill");

	for (; busy.server_groups.n < PLAN_TOUCHED_HEALTH_MAX; busy.server_groups.n++)
		(void)str_format(busy.server_groups.ids[busy.server_groups.n], ID_SIZE, "sgp-other-%zu",
				 busy.server_groups.n);
	(void)health_take_touched(health, fits_always, NULL, &busy);
	tap_ok(busy.server_groups.n == PLAN_TOUCHED_HEALTH_MAX && !busy.whole,
	       "where much else is touched nothing is added");
	for (int i = 0; i < 12000 && n_seen < N; i++) {
		n_changed = 0;
		few = take_some(health, seen, N) && few;
		n_seen = 0;
		for (int j = 0; j < N; j++)
			n_seen += seen[j];
		while (n_seen < N && !n_changed && i++ < 12000)
			(void)loop_turn(loop, TURN_MS);
	}
	tap_ok(few, "some of them are taken at a time, and never all of the plan for it");
	tap_is_int((long long)n_seen, N, "the others follow");
	health_free(health);
	close(fd);
}

/* Groups whose servers together would be too much for slices. */
static void test_heavy_groups(struct loop *loop)
{
	enum { N = 6 };
	struct plan_probe probes[N];
	struct plan plan = {.probes = probes, .n_probes = N};
	struct plan_touched touched = {};
	size_t room = 4, none = 0;
	uint16_t port;
	int fd = make_socket(-1, &port);
	struct health *health = ill_new(loop, &plan, port);

	tap_ok(!health_take_touched(health, fits_in, &room, &touched) && touched.server_groups.n == 4,
	       "as many groups are taken as fit together");
	n_changed = 0;
	for (int i = 0; i < 12000 && !n_changed; i++)
		(void)loop_turn(loop, TURN_MS);
	touched = (struct plan_touched){};
	(void)health_take_touched(health, fits_in, &room, &touched);
	tap_is_int((long long)touched.server_groups.n, 2, "the others follow");

	plan.n_probes = 0;
	(void)health_set_plan(health, &plan);
	plan.n_probes = N;
	(void)health_set_plan(health, &plan);
	wait_for_results(loop, health, N);
	touched = (struct plan_touched){};
	tap_ok(health_take_touched(health, fits_in, &none, &touched) && !plan_touched_any(&touched),
	       "of those that do not fit by themselves none is taken");
	tap_ok(health_take_touched(health, fits_in, &room, &touched) && !plan_touched_any(&touched),
	       "and they keep no others from being taken, nor are they forgotten");
	health_take_all(health);
	tap_ok(!health_take_touched(health, fits_in, &room, &touched) && !plan_touched_any(&touched),
	       "until a plan of the whole has read them");
	health_free(health);
	close(fd);
}

static void test_spread(struct loop *loop)
{
	enum { N = 50 };
	static struct plan_probe probes[N];
	struct plan plan = {.probes = probes, .n_probes = N};
	struct health *health = NULL;
	uint64_t start_ms;
	size_t early;
	uint16_t port;
	int fd = make_socket(128, &port), tries = 0;

	for (int i = 0; i < N; i++) {
		char id[16];

		snprintf(id, sizeof(id), "i-%02d", i);
		probes[i] = probe(id, port);
		probes[i].interval_ms = 600;
	}
	do { /* once more if the machine was away, so that more of them had their time */
		health_free(health);
		if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
			exit(EXIT_FAILURE);
		start_ms = now_mono_ms();
		(void)health_set_plan(health, &plan);
		turn_for(loop, 100);
		early = n_results(health);
	} while (now_mono_ms() - start_ms > 200 && ++tries < 100);
	take_turns_for(loop, 800);
	tap_ok(early > 0 && early < N * 2 / 3, "many new probes start one after the other");
	tap_note("%zu of %d in the first sixth", early, N);
	tap_is_int((long long)n_results(health), N, "and all have a result after an interval");
	health_free(health);
	close(fd);
}

/* As many servers as an account has room for that take connections and never say a word. */
#define SILENT (PROBES_OWN + PROBES_COMMON / 2)

static struct plan_probe numbered_probe(int i, int64_t owner, uint16_t port)
{
	struct plan_probe p;
	char id[16];

	(void)str_format(id, sizeof(id), "i-%03d", i);
	p = probe(id, port);
	p.owner = owner;
	p.backend = (uint32_t)i + 1;
	p.interval_ms = 1000;
	return p;
}

static struct plan_probe silent_probe(int i, uint16_t port)
{
	struct plan_probe p = numbered_probe(i, 1, port);

	p.timeout_ms = 300 * 1000;
	p.type = PROBE_HTTP;
	(void)str_copy(p.say, sizeof(p.say), "GET / HTTP/1.0\r\n\r\n");
	return p;
}

/* An account with many more of these, in very many VPCs, and some servers of another account. */
static void test_share(struct loop *loop)
{
	enum { N = 700, OTHERS = 20 };
	static struct plan_probe probes[N + OTHERS];
	struct plan plan = {.probes = probes, .n_probes = N};
	struct health *health;
	uint16_t silent_port, port;
	int silent_fd = make_socket(N, &silent_port), fd = make_socket(64, &port), n_well = 0;

	for (int i = 0; i < N + OTHERS; i++) {
		probes[i] = i < N ? silent_probe(i, silent_port) : numbered_probe(i, 2, port);
		probes[i].vpc = 1 + (uint32_t)i % 256;
	}
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	(void)health_set_plan(health, &plan);
	take_turns_for(loop, 1300);
	plan.n_probes += OTHERS;
	(void)health_set_plan(health, &plan);
	while (n_well < OTHERS && wait_for(loop, health, probes[N + n_well].server_id, PLAN_HEALTHY))
		n_well++;
	tap_is_int(n_well, OTHERS,
		   "an account whose servers keep their probes waiting leaves room for others");
	health_free(health);
	close(silent_fd);
	close(fd);
}

/* Servers that may leave a plan. */
struct leaving {
	struct plan_probe probes[SILENT + 6], kept[SILENT + 6];
	bool has_left[SILENT + 6];
	size_t n;
};

static struct plan kept(struct leaving *leaving)
{
	struct plan plan = {.probes = leaving->kept};

	for (size_t i = 0; i < leaving->n; i++)
		if (!leaving->has_left[i])
			leaving->kept[plan.n_probes++] = leaving->probes[i];
	return plan;
}

static void set_kept(struct health *health, struct leaving *leaving)
{
	struct plan plan = kept(leaving);

	(void)health_set_plan(health, &plan);
}

static void leave_by_slice(struct health *health, struct leaving *leaving, size_t i)
{
	struct plan_probe_key key = key_of(&leaving->probes[i]);
	struct plan_patch patch = {.probes = &key, .n_probes = 1};
	struct plan plan;

	leaving->has_left[i] = true;
	plan = kept(leaving);
	(void)health_follow(health, &plan, &patch);
}

/* How many of those that stay are well, from the `first` one on; -1: one is, and another before it is not. */
static int count_well(struct health *health, const struct leaving *leaving, size_t first)
{
	int n = 0, n_before = 0;

	for (size_t i = first; i < leaving->n; i++) {
		if (leaving->has_left[i])
			continue;
		if (state_of(health, leaving->probes[i].server_id) == PLAN_HEALTHY && n++ != n_before)
			return -1;
		n_before++;
	}
	return n;
}

/* Servers of an account that has no room left are probed in the order in which they came, when there is.
 * (They wait for longer than their probes may take.) */
static void test_waiting(struct loop *loop)
{
	static struct leaving leaving = {.n = SILENT};
	uint16_t silent_port, port;
	int silent_fd = make_socket(SILENT, &silent_port), fd = make_socket(64, &port), n = 0;
	struct health *health;

	for (int i = 0; i < SILENT; i++)
		leaving.probes[i] = silent_probe(i, silent_port);
	for (int i = SILENT; i < SILENT + 6; i++) {
		leaving.probes[i] = numbered_probe(i, 1, port);
		leaving.probes[i].interval_ms = 3600 * 1000;
	}
	if (health_new(loop, -EBADF, on_changed, NULL, &health) < 0)
		exit(EXIT_FAILURE);
	set_kept(health, &leaving);
	take_turns_for(loop, 1300);
	while (leaving.n < SILENT + 6) {
		leaving.n++;
		set_kept(health, &leaving);
		take_turns_for(loop, 30);
	}
	tap_is_int((long long)n_results(health), 0, "where an account has no room left its servers wait");
	leave_by_slice(health, &leaving, SILENT + 3);
	leaving.has_left[SILENT + 1] = true;
	set_kept(health, &leaving);
	take_turns_for(loop, 30);
	leaving.probes[SILENT + 2].unhealthy_threshold = 7;
	set_kept(health, &leaving);
	tap_is_int((long long)n_results(health), 0, "some of which leave");
	leave_by_slice(health, &leaving, 0);
	for (int i = 0; i < 12000 && n >= 0 && n < 4; i++) {
		(void)loop_turn(loop, TURN_MS);
		n = count_well(health, &leaving, SILENT);
	}
	tap_is_int(n, 4,
		   "a single place that falls free is enough for the others, in the order of their coming");
	tap_is_int((long long)n_results(health), 4, "and those that have left are not probed");
	health_free(health);
	close(silent_fd);
	close(fd);
}

int main(void)
{
	struct loop *loop;

	if (loop_new(&loop) < 0)
		return EXIT_FAILURE;
	test_many_groups(loop);
	test_heavy_groups(loop);
	test_spread(loop);
	test_share(loop);
	test_waiting(loop);
	loop_free(loop);
	return tap_done();
}
