/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array from which the front is taken, and where its servers are, in order. Only what comes is sorted, and
 * looked for among what waits: a report costs what it brings, however much waits, and whatever the servers
 * are called. What is moved besides are places, four bytes each.
 */
#include "health_queue.h"

#include "../lib/vec.h"
#include <stdlib.h>

void health_queue_done(struct health_queue *queue)
{
	free(queue->v);
	free(queue->order);
	*queue = (struct health_queue){};
}

static int compare_servers(const struct server_health *a, const struct server_health *b)
{
	int c = strcmp(a->group, b->group);

	if (!c)
		c = strcmp(a->server_id, b->server_id);
	return c ? c : (a->port > b->port) - (a->port < b->port);
}

/* Of one server in the order in which they came. */
static int compare_new(const void *a, const void *b)
{
	const struct server_health *x = *(const struct server_health *const *)a,
				   *y = *(const struct server_health *const *)b;
	int c = compare_servers(x, y);

	return c ? c : (x > y) - (x < y);
}

/* Of one server the last one alone. How many these are. */
static size_t sort_new(const struct server_health **new, const struct server_health *health, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		new[i] = &health[i];
	qsort(new, n, sizeof(*new), compare_new);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || compare_servers(new[i], new[i + 1]) != 0)
			new[kept++] = new[i];
	return kept;
}

/* In one go for many, so that each is moved once. */
static void forget_dropped(struct health_queue *queue)
{
	size_t n = 0;

	if (queue->n_dropped <= queue->n / 2)
		return;
	queue->n -= queue->n_dropped;
	memmove(queue->v, queue->v + queue->n_dropped, queue->n * sizeof(*queue->v));
	for (size_t i = 0; i < queue->n_order; i++)
		if (queue->order[i] >= queue->n_dropped)
			queue->order[n++] = queue->order[i] - (uint32_t)queue->n_dropped;
	queue->n_order = n;
	queue->n_dropped = 0;
}

static int make_room(struct health_queue *queue, size_t size)
{
	struct server_health *v;

	if (size <= queue->size)
		return 0;
	v = reallocarray(queue->v, size, sizeof(*v));
	if (!v)
		return -ENOMEM;
	queue->v = v;
	queue->size = size;
	return 0;
}

/* The list of places, with new ones put in. */
struct merge {
	struct health_queue *queue;
	size_t from; /* those of its places before it are in `order` */
	uint32_t *order;
	size_t n_order;
};

static void keep_until(struct merge *merge, size_t end)
{
	while (merge->from < end)
		merge->order[merge->n_order++] = merge->queue->order[merge->from++];
}

static const struct server_health *next_kept(const struct merge *merge, size_t i)
{
	return &merge->queue->v[merge->queue->order[merge->from + i]];
}

/* The place of what waits of the same server, or one behind all. -ENOBUFS. */
static int place_for(struct merge *merge, const struct server_health *result, uint32_t *ret)
{
	struct health_queue *queue = merge->queue;
	size_t n = queue->n_order - merge->from,
	       before = LOWER_BOUND(i, n, compare_servers(next_kept(merge, i), result) < 0);

	keep_until(merge, merge->from + before);
	if (before < n && compare_servers(next_kept(merge, 0), result) == 0) {
		*ret = queue->order[merge->from++];
		if (*ret >= queue->n_dropped)
			return 0;
	}
	if (queue->n - queue->n_dropped == HEALTH_QUEUE_MAX)
		return -ENOBUFS;
	*ret = (uint32_t)queue->n++;
	return 0;
}

/* Takes results, sorted, each server's once. `order`: room for all places; it is the queue's then. 0 or
 * -ENOBUFS. */
static int take(struct health_queue *queue, const char *node, const struct server_health *const *new,
		size_t n, uint32_t *order)
{
	struct merge merge = {.queue = queue, .order = order};
	uint32_t place;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		if (place_for(&merge, new[i], &place) < 0) {
			r = -ENOBUFS;
			continue;
		}
		queue->v[place] = *new[i];
		(void)str_copy(queue->v[place].node, sizeof(queue->v->node), node);
		order[merge.n_order++] = place;
	}
	keep_until(&merge, queue->n_order);
	free(queue->order);
	queue->order = order;
	queue->n_order = merge.n_order;
	return r;
}

int health_queue_add(struct health_queue *queue, const char *node, const struct server_health *health,
		     size_t n)
{
	_cleanup_(freep) const struct server_health **new = NULL;
	uint32_t *order;
	int r;

	if (n == 0)
		return 0;
	forget_dropped(queue);
	r = make_room(queue, queue->n + n);
	if (r < 0)
		return r;
	new = reallocarray(NULL, n, sizeof(*new));
	order = new ? reallocarray(NULL, queue->n_order + n, sizeof(*order)) : NULL;
	if (!order)
		return -ENOMEM;
	return take(queue, node, new, sort_new(new, health, n), order);
}

const struct server_health *health_queue_first(const struct health_queue *queue, size_t *ret_n)
{
	*ret_n = queue->n - queue->n_dropped;
	return *ret_n ? queue->v + queue->n_dropped : NULL;
}

void health_queue_drop(struct health_queue *queue, size_t n)
{
	queue->n_dropped += n;
	if (queue->n_dropped == queue->n)
		health_queue_done(queue);
}
