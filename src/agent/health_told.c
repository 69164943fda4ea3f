/* SPDX-License-Identifier: Apache-2.0 */
#include "health_told.h"

enum { UNTOLD, ON_ITS_WAY, TOLD };

struct health_state {
	unsigned char told;
	int64_t due_ms; /* not told before that time, which each change that is to be told puts off */
};

#define CREDIT_MS ((int64_t)HEALTH_FLIPS_AT_ONCE * HEALTH_FLIP_EVERY_MS)

void health_told_done(struct health_told *told)
{
	free(told->results);
	free(told->states);
	*told = (struct health_told){};
}

static int compare(const struct health_result *a, const struct health_result *b)
{
	int c = strcmp(a->group, b->group);

	if (!c)
		c = strcmp(a->server_id, b->server_id);
	return c ? c : (a->port > b->port) - (a->port < b->port);
}

static bool is_same(const struct health_result *a, const struct health_result *b)
{
	return compare(a, b) == 0 && a->healthy == b->healthy && streq(a->reason, b->reason);
}

/* As it was with the last result of that server. What was not told yet is so in the place of this one. */
static struct health_state next_state(const struct health_state *old, bool is_same, int64_t now_ms)
{
	if (is_same || old->told == UNTOLD)
		return *old;
	return (struct health_state){
		.told = UNTOLD,
		.due_ms = MAX(old->due_ms, now_ms - CREDIT_MS) + HEALTH_FLIP_EVERY_MS,
	};
}

int health_told_set(struct health_told *told, const struct health_result *results, size_t n, uint64_t now_ms)
{
	struct health_result *copy = calloc(n + 1, sizeof(*copy));
	struct health_state *states = calloc(n + 1, sizeof(*states));
	size_t old = 0;

	if (!copy || !states) {
		free(copy);
		free(states);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		copy[i] = results[i];
		states[i].due_ms = (int64_t)now_ms - CREDIT_MS;
		while (old < told->n && compare(&told->results[old], &copy[i]) < 0)
			old++;
		if (old < told->n && compare(&told->results[old], &copy[i]) == 0)
			states[i] = next_state(&told->states[old], is_same(&told->results[old], &copy[i]),
					       (int64_t)now_ms);
	}
	free(told->results);
	free(told->states);
	told->results = copy;
	told->states = states;
	told->n = n;
	return 0;
}

static json_t *to_json(const struct health_result *result)
{
	return json_pack("{s:s, s:s, s:I, s:b, s:s}", "group", result->group, "server_id", result->server_id,
			 "port", (json_int_t)result->port, "healthy", result->healthy, "reason",
			 result->reason);
}

json_t *health_told_next(struct health_told *told, uint64_t now_ms)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < told->n && json_array_size(list) < HEALTH_TOLD_MAX; i++) {
		if (told->states[i].told != UNTOLD || told->states[i].due_ms > (int64_t)now_ms)
			continue;
		if (json_array_append_new(list, to_json(&told->results[i])) < 0) {
			json_decref(list);
			health_told_taken(told, false);
			return NULL;
		}
		told->states[i].told = ON_ITS_WAY;
	}
	return list;
}

void health_told_taken(struct health_told *told, bool taken)
{
	for (size_t i = 0; i < told->n; i++)
		if (told->states[i].told == ON_ITS_WAY)
			told->states[i].told = taken ? TOLD : UNTOLD;
}

uint64_t health_told_due(const struct health_told *told, uint64_t now_ms)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < told->n && due > 0; i++)
		if (told->states[i].told == UNTOLD)
			due = MIN(due, (uint64_t)MAX(told->states[i].due_ms - (int64_t)now_ms, 0));
	return due;
}

void health_told_again(struct health_told *told)
{
	for (size_t i = 0; i < MIN(told->n, (size_t)HEALTH_TOLD_MAX); i++) {
		if (told->again >= told->n)
			told->again = 0;
		if (told->states[told->again].told == TOLD)
			told->states[told->again].told = UNTOLD;
		told->again++;
	}
}

void health_told_forget(struct health_told *told)
{
	for (size_t i = 0; i < told->n; i++)
		told->states[i].told = UNTOLD;
}
