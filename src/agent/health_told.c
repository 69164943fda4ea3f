/* SPDX-License-Identifier: Apache-2.0 */
#include "health_told.h"

enum { UNTOLD, ON_ITS_WAY, TOLD };

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

int health_told_set(struct health_told *told, const struct health_result *results, size_t n)
{
	struct health_result *copy = calloc(n + 1, sizeof(*copy));
	unsigned char *states = calloc(n + 1, sizeof(*states));
	size_t old = 0;

	if (!copy || !states) {
		free(copy);
		free(states);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		copy[i] = results[i];
		while (old < told->n && compare(&told->results[old], &copy[i]) < 0)
			old++;
		if (old < told->n && is_same(&told->results[old], &copy[i]))
			states[i] = told->states[old];
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

json_t *health_told_next(struct health_told *told)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < told->n && json_array_size(list) < HEALTH_TOLD_MAX; i++) {
		if (told->states[i] != UNTOLD)
			continue;
		if (json_array_append_new(list, to_json(&told->results[i])) < 0) {
			json_decref(list);
			health_told_taken(told, false);
			return NULL;
		}
		told->states[i] = ON_ITS_WAY;
	}
	return list;
}

void health_told_taken(struct health_told *told, bool taken)
{
	for (size_t i = 0; i < told->n; i++)
		if (told->states[i] == ON_ITS_WAY)
			told->states[i] = taken ? TOLD : UNTOLD;
}

bool health_told_has_more(const struct health_told *told)
{
	return told->n && memchr(told->states, UNTOLD, told->n);
}

void health_told_again(struct health_told *told)
{
	for (size_t i = 0; i < MIN(told->n, (size_t)HEALTH_TOLD_MAX); i++) {
		if (told->again >= told->n)
			told->again = 0;
		if (told->states[told->again] == TOLD)
			told->states[told->again] = UNTOLD;
		told->again++;
	}
}

void health_told_forget(struct health_told *told)
{
	if (told->n)
		memset(told->states, UNTOLD, told->n);
}
