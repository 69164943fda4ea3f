/* SPDX-License-Identifier: Apache-2.0 */
#include "health_before.h"

#include <stdlib.h>

#include "../lib/vec.h"
#include "../model/serving.h"

void health_before_set(struct health_before *before, const struct snapshot *rows)
{
	free(before->gone);
	*before = (struct health_before){.rows = rows};
}

static struct plan_probe_key key_of(const struct plan_probe *probe)
{
	struct plan_probe_key key = {.server_port = probe->server_port};

	(void)str_copy(key.group, sizeof(key.group), probe->group);
	(void)str_copy(key.server_id, sizeof(key.server_id), probe->server_id);
	return key;
}

static int key_compare(const void *a, const void *b)
{
	const struct plan_probe_key *x = a, *y = b;
	int c = strcmp(x->group, y->group);

	if (!c)
		c = strcmp(x->server_id, y->server_id);
	if (!c)
		c = x->server_port < y->server_port ? -1 : x->server_port > y->server_port;
	return c;
}

/* Once for all that a plan looks up. Who has gone twice came between, and so was looked up: there are no more
 * than two of each. */
static void sort_gone(struct health_before *before)
{
	size_t n = 0;

	if (before->is_sorted || !before->n_gone)
		return;
	qsort(before->gone, before->n_gone, sizeof(*before->gone), key_compare);
	for (size_t i = 1; i < before->n_gone; i++)
		if (key_compare(&before->gone[n], &before->gone[i]) != 0)
			before->gone[++n] = before->gone[i];
	before->n_gone = n + 1;
	before->is_sorted = true;
}

static bool is_gone(struct health_before *before, const struct plan_probe *probe)
{
	struct plan_probe_key key = key_of(probe);

	sort_gone(before);
	return before->n_gone &&
	       bsearch(&key, before->gone, before->n_gone, sizeof(*before->gone), key_compare);
}

const struct server_health *health_before_row(struct health_before *before, const struct plan_probe *probe)
{
	struct server server = {.port = probe->server_port};

	if (!before->rows || is_gone(before, probe))
		return NULL;
	(void)str_copy(server.group, sizeof(server.group), probe->group);
	(void)str_copy(server.server_id, sizeof(server.server_id), probe->server_id);
	return serving_health(before->rows, &server);
}

/* Without memory for it no row counts any more: then first results decide. */
void health_before_forget(struct health_before *before, const struct plan_probe *probe)
{
	if (!before->rows)
		return;
	if (VEC_ROOM(before->gone, before->n_gone, before->gone_size) < 0) {
		health_before_set(before, NULL);
		return;
	}
	before->gone[before->n_gone++] = key_of(probe);
	before->is_sorted = false;
}
