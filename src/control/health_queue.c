/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array from which the front is taken. With each report it is sorted by server, in a list of pointers, so
 * that however many results there are, and whatever their servers are called, two of the same one are found
 * beside each other.
 */
#include "health_queue.h"

#include <stdlib.h>

void health_queue_done(struct health_queue *queue)
{
	free(queue->v);
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
static int compare_places(const void *a, const void *b)
{
	const struct server_health *x = *(struct server_health *const *)a,
				   *y = *(struct server_health *const *)b;
	int c = compare_servers(x, y);

	return c ? c : (x > y) - (x < y);
}

static void forget_dropped(struct health_queue *queue)
{
	if (queue->n_dropped == 0)
		return;
	queue->n -= queue->n_dropped;
	memmove(queue->v, queue->v + queue->n_dropped, queue->n * sizeof(*queue->v));
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

/* The first one of each server gets what the last one says, and the others lose their group. `order`: room
 * for as many pointers. */
static void keep_newest(struct server_health *v, size_t n, struct server_health **order)
{
	struct server_health *first;

	for (size_t i = 0; i < n; i++)
		order[i] = &v[i];
	qsort(order, n, sizeof(struct server_health *), compare_places);
	first = order[0];
	for (size_t i = 1; i < n; i++) {
		if (compare_servers(first, order[i]) != 0) {
			first = order[i];
			continue;
		}
		*first = *order[i];
		order[i]->group[0] = '\0';
	}
}

/* Those that have a group; how many. */
static size_t pack(struct server_health *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (!*v[i].group)
			continue;
		if (kept < i)
			v[kept] = v[i];
		kept++;
	}
	return kept;
}

int health_queue_add(struct health_queue *queue, const char *node, const struct server_health *health,
		     size_t n)
{
	_cleanup_(freep) struct server_health **order = NULL;
	int r;

	if (n == 0)
		return 0;
	forget_dropped(queue);
	r = make_room(queue, queue->n + n);
	if (r < 0)
		return r;
	order = reallocarray(NULL, queue->n + n, sizeof(*order));
	if (!order)
		return -ENOMEM;
	memcpy(queue->v + queue->n, health, n * sizeof(*health));
	for (size_t i = queue->n; i < queue->n + n; i++)
		(void)str_copy(queue->v[i].node, sizeof(queue->v[i].node), node);
	keep_newest(queue->v, queue->n + n, order);
	queue->n = pack(queue->v, queue->n + n);
	if (queue->n <= HEALTH_QUEUE_MAX)
		return 0;
	queue->n = HEALTH_QUEUE_MAX;
	return -ENOBUFS;
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
