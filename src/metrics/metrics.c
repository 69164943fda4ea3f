/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series has a ring of numbers for each metric of which anything was counted. Its cells are found by the
 * time alone; what the newest interval is stands in the series, and the cells between the one before and a
 * new one are cleared when that comes. A little more is kept than is told, so that what a node with a fast
 * clock reports pushes out nothing.
 *
 * When there is no room, a series goes, with all its numbers: one that is too old to be told, whoever's it
 * is, else, of the account that holds most, the one that has had no traffic for longest; where several hold
 * most, of the one whose that was idle longer. What is to come counts as its account's already, so who has as
 * much as others and wants more pays for it.
 *
 * Up to the time at which a series that went last had traffic, a zone of its account without a series may
 * have been that one: there it is not known that it was idle. With its last series an account's entry goes,
 * and what it has lost counts from then on for all accounts without series, since each may be that one.
 */
#include "metrics.h"

#include "holders.h"

#include "../lib/fnv.h"
#include "../lib/util.h"
#include "../lib/vec.h"

#include <ctype.h>
#include <stdlib.h>

#define SLACK_CELLS  5 /* what is over and not told yet, and a node's clock that is ahead */
#define SHORT_CELLS  (METRICS_SHORT_KEPT_S / METRICS_SHORT_S + SLACK_CELLS)
#define LONG_CELLS   (METRICS_LONG_KEPT_S / METRICS_LONG_S + SLACK_CELLS)
#define METRICS_MAX  (METRIC_FIXED + METRICS_REASONS_MAX)
#define BUCKETS	     4096
#define PARTS	     (METRICS_LONG_S / METRICS_SHORT_S)
#define WHOLE_MINUTE ((1u << PARTS) - 1)

struct ring {
	uint64_t by_10s[SHORT_CELLS], by_60s[LONG_CELLS];
};

/* By when they last had traffic series are in two lists. */
enum list { OF_ALL, OF_OWNER, N_LISTS };

struct metrics_series {
	char endpoint[ID_SIZE], zone[ZONE_SIZE];
	struct holder *owner;
	int64_t since;		    /* what was before may have gone with an earlier series */
	int64_t last_10s, last_60s; /* the newest intervals, counted from 1970 */
	uint64_t turn;		    /* when it last had traffic, in the order of all */
	struct ring *rings[METRICS_MAX];
	struct metrics_series *next; /* in its bucket */
	struct {
		struct metrics_series *newer, *older;
	} in[N_LISTS];
};

/* What a node has reported: a bit for each interval, and for each of 60 s its six. */
struct coverage {
	char node[WORD_SIZE * 2];
	int64_t last_10s, last_60s;
	uint8_t by_10s[SHORT_CELLS], by_60s[LONG_CELLS];
};

struct metrics {
	size_t memory, memory_max;
	struct metrics_series *buckets[BUCKETS];
	struct series_list all;
	uint64_t turns;
	struct holders owners;
	int64_t lost;		 /* as a holder's, of accounts that have no series */
	struct coverage **nodes; /* sorted by name */
	size_t n_nodes, nodes_size;
	struct coverage any; /* what at least one node has reported */
	char reasons[METRICS_REASONS_MAX][METRICS_REASON_SIZE];
	size_t n_reasons;
};

int metrics_new(size_t memory_max, struct metrics **ret)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return -ENOMEM;
	metrics->memory_max = memory_max;
	metrics->lost = INT64_MIN;
	*ret = metrics;
	return 0;
}

static void series_free(struct metrics_series *series)
{
	for (size_t i = 0; i < METRICS_MAX; i++)
		free(series->rings[i]);
	free(series);
}

/* As there is at a start, but for the names of reasons. */
static void forget_all(struct metrics *metrics)
{
	for (struct metrics_series *series = metrics->all.newest, *older; series; series = older) {
		older = series->in[OF_ALL].older;
		series_free(series);
	}
	metrics->all = (struct series_list){};
	holders_done(&metrics->owners);
	memset(metrics->buckets, 0, sizeof(metrics->buckets));
	metrics->memory = 0;
	metrics->lost = INT64_MIN;
	for (size_t i = 0; i < metrics->n_nodes; i++)
		free(metrics->nodes[i]);
	metrics->n_nodes = 0;
	metrics->any = (struct coverage){};
}

struct metrics *metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return NULL;
	forget_all(metrics);
	free(metrics->nodes);
	free(metrics);
	return NULL;
}

size_t metrics_memory(const struct metrics *metrics)
{
	return metrics->memory;
}

/* ---- which node has reported what ---- */

static int64_t max_time(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Where the node is, or would have to be. */
static size_t place_of_node(const struct metrics *metrics, const char *node)
{
	return LOWER_BOUND(i, metrics->n_nodes, strcmp(metrics->nodes[i]->node, node) < 0);
}

static void forget_node(struct metrics *metrics, size_t place)
{
	free(metrics->nodes[place]);
	metrics->n_nodes--;
	memmove(&metrics->nodes[place], &metrics->nodes[place + 1],
		(metrics->n_nodes - place) * sizeof(*metrics->nodes));
}

/* Where there are too many, the one that was silent for longest gives way. */
static int room_for_node(struct metrics *metrics)
{
	size_t least = 0;

	if (metrics->n_nodes < METRICS_NODES_MAX)
		return VEC_ROOM(metrics->nodes, metrics->n_nodes, metrics->nodes_size);
	for (size_t i = 1; i < metrics->n_nodes; i++)
		if (metrics->nodes[i]->last_10s < metrics->nodes[least]->last_10s)
			least = i;
	forget_node(metrics, least);
	return 0;
}

static int add_node(struct metrics *metrics, const char *node, int64_t time, struct coverage **ret)
{
	struct coverage *coverage;
	size_t place;

	if (strlen(node) >= sizeof(coverage->node))
		return -EINVAL;
	if (room_for_node(metrics) < 0)
		return -ENOMEM;
	coverage = malloc(sizeof(*coverage));
	if (!coverage)
		return -ENOMEM;
	*coverage = (struct coverage){.last_10s = time / METRICS_SHORT_S, .last_60s = time / METRICS_LONG_S};
	(void)str_copy(coverage->node, sizeof(coverage->node), node);
	place = place_of_node(metrics, node);
	memmove(&metrics->nodes[place + 1], &metrics->nodes[place],
		(metrics->n_nodes - place) * sizeof(*metrics->nodes));
	metrics->nodes[place] = coverage;
	metrics->n_nodes++;
	*ret = coverage;
	return 0;
}

/* Clears the cells between the newest interval and a newer one. */
static void clear_cells(void *cells, size_t size, size_t n_cells, int64_t last, int64_t index)
{
	if (index - last >= (int64_t)n_cells)
		memset(cells, 0, size * n_cells);
	else
		for (int64_t i = last + 1; i <= index; i++)
			memset((uint8_t *)cells + size * (size_t)(i % (int64_t)n_cells), 0, size);
}

/* Whether the interval has a cell yet. */
static bool is_in_ring(int64_t index, int64_t last, size_t n_cells)
{
	return index >= 0 && index <= last && index > last - (int64_t)n_cells;
}

static void cover_until(struct coverage *coverage, int64_t time)
{
	int64_t index = time / METRICS_SHORT_S, long_index = time / METRICS_LONG_S;

	clear_cells(coverage->by_10s, 1, SHORT_CELLS, coverage->last_10s, index);
	coverage->last_10s = max_time(coverage->last_10s, index);
	clear_cells(coverage->by_60s, 1, LONG_CELLS, coverage->last_60s, long_index);
	coverage->last_60s = max_time(coverage->last_60s, long_index);
}

static bool covers(const struct coverage *coverage, unsigned int period, int64_t time)
{
	int64_t index = time / period;

	if (period == METRICS_SHORT_S)
		return is_in_ring(index, coverage->last_10s, SHORT_CELLS) &&
		       coverage->by_10s[index % SHORT_CELLS];
	return is_in_ring(index, coverage->last_60s, LONG_CELLS) &&
	       coverage->by_60s[index % LONG_CELLS] == WHOLE_MINUTE;
}

static int cover(struct coverage *coverage, int64_t time)
{
	int64_t index = time / METRICS_SHORT_S, long_index = time / METRICS_LONG_S;

	cover_until(coverage, time);
	if (!is_in_ring(index, coverage->last_10s, SHORT_CELLS))
		return -ERANGE;
	if (coverage->by_10s[index % SHORT_CELLS])
		return -EALREADY;
	coverage->by_10s[index % SHORT_CELLS] = 1;
	coverage->by_60s[long_index % LONG_CELLS] |= (uint8_t)(1u << index % PARTS);
	return 0;
}

/* Of 60 s, one node must have reported all. */
static void cover_any(struct coverage *any, const struct coverage *coverage, int64_t time)
{
	int64_t index = time / METRICS_SHORT_S, long_index = time / METRICS_LONG_S;

	cover_until(any, time);
	if (is_in_ring(index, any->last_10s, SHORT_CELLS))
		any->by_10s[index % SHORT_CELLS] = 1;
	if (is_in_ring(long_index, any->last_60s, LONG_CELLS) && covers(coverage, METRICS_LONG_S, time))
		any->by_60s[long_index % LONG_CELLS] = WHOLE_MINUTE;
}

/* Whether what was reported is of a time that is yet to come. */
static bool was_set_back(const struct metrics *metrics, int64_t now)
{
	return metrics->any.last_10s * METRICS_SHORT_S > now + METRICS_SET_BACK_S;
}

int metrics_begin(struct metrics *metrics, const char *node, int64_t time, int64_t now)
{
	struct coverage *coverage;
	bool is_new;
	int number, r;

	if (time < 0 || time % METRICS_SHORT_S != 0)
		return -EINVAL;
	if (time < now - METRICS_SHORT_KEPT_S || time + METRICS_SHORT_S > now + METRICS_AHEAD_S)
		return -ERANGE;
	if (was_set_back(metrics, now))
		forget_all(metrics);
	number = metrics_node(metrics, node);
	is_new = number < 0;
	if (is_new) {
		r = add_node(metrics, node, time, &coverage);
		if (r < 0)
			return r;
	} else {
		coverage = metrics->nodes[number];
	}
	r = cover(coverage, time);
	if (r < 0)
		return r;
	cover_any(&metrics->any, coverage, time);
	return is_new;
}

size_t metrics_nodes(const struct metrics *metrics)
{
	return metrics->n_nodes;
}

int metrics_node(const struct metrics *metrics, const char *node)
{
	size_t place = place_of_node(metrics, node);

	return place < metrics->n_nodes && streq(metrics->nodes[place]->node, node) ? (int)place : -ENOENT;
}

bool metrics_is_reported_by(const struct metrics *metrics, size_t node, unsigned int period, int64_t time)
{
	return covers(metrics->nodes[node], period, time);
}

bool metrics_is_reported(const struct metrics *metrics, unsigned int period, int64_t time)
{
	return covers(&metrics->any, period, time);
}

/* ---- series ---- */

static struct metrics_series **bucket_of(const struct metrics *metrics, const char *endpoint,
					 const char *zone)
{
	uint64_t hash = fnv_add(fnv_add(FNV_START, endpoint, strlen(endpoint) + 1), zone, strlen(zone));

	return (struct metrics_series **)&metrics->buckets[hash % BUCKETS];
}

static struct metrics_series *find(const struct metrics *metrics, const char *endpoint, const char *zone)
{
	struct metrics_series *series = *bucket_of(metrics, endpoint, zone);

	while (series && (!streq(series->endpoint, endpoint) || !streq(series->zone, zone)))
		series = series->next;
	return series;
}

const struct metrics_series *metrics_find(const struct metrics *metrics, const char *endpoint,
					  const char *zone)
{
	return find(metrics, endpoint, zone);
}

static struct series_list *list_of(struct metrics *metrics, const struct metrics_series *series,
				   enum list list)
{
	return list == OF_ALL ? &metrics->all : &series->owner->series;
}

static void unlink_from(struct metrics *metrics, struct metrics_series *series, enum list i)
{
	struct metrics_series *newer = series->in[i].newer, *older = series->in[i].older;
	struct series_list *list = list_of(metrics, series, i);

	*(newer ? &newer->in[i].older : &list->newest) = older;
	*(older ? &older->in[i].newer : &list->oldest) = newer;
}

static void link_to(struct metrics *metrics, struct metrics_series *series, enum list i)
{
	struct series_list *list = list_of(metrics, series, i);

	series->in[i].newer = NULL;
	series->in[i].older = list->newest;
	*(list->newest ? &list->newest->in[i].newer : &list->oldest) = series;
	list->newest = series;
}

static void make_newest(struct metrics *metrics, struct metrics_series *series)
{
	for (enum list i = 0; i < N_LISTS; i++)
		link_to(metrics, series, i);
	series->turn = metrics->turns++;
}

/* ---- memory ---- */

/* The account holds so much, and has the series that are in its list. */
static void set_held(struct metrics *metrics, struct holder *owner, size_t memory)
{
	const struct metrics_series *oldest = owner->series.oldest;

	metrics->memory += memory - owner->memory;
	holders_set(&metrics->owners, owner, memory, oldest ? oldest->turn : metrics->turns);
}

static void take(struct metrics *metrics, struct holder *owner, size_t size)
{
	set_held(metrics, owner, owner->memory + size);
}

static void give_back(struct metrics *metrics, struct holder *owner, size_t size)
{
	set_held(metrics, owner, owner->memory - size);
}

static void touch(struct metrics *metrics, struct metrics_series *series)
{
	if (metrics->all.newest == series)
		return;
	for (enum list i = 0; i < N_LISTS; i++)
		unlink_from(metrics, series, i);
	make_newest(metrics, series);
	set_held(metrics, series->owner, series->owner->memory);
}

/* The account's entry, which is made if it has none. */
static int find_owner(struct metrics *metrics, int64_t account, struct holder **ret)
{
	struct holder *owner = holders_find(&metrics->owners, account);
	int r;

	if (!owner) {
		r = holders_add(&metrics->owners, account, &owner);
		if (r < 0)
			return r;
		owner->lost = metrics->lost;
		take(metrics, owner, sizeof(*owner));
	}
	*ret = owner;
	return 0;
}

static void forget_owner(struct metrics *metrics, struct holder *owner)
{
	metrics->lost = max_time(metrics->lost, owner->lost);
	metrics->memory -= owner->memory;
	holders_remove(&metrics->owners, owner);
}

static size_t size_of(const struct metrics_series *series)
{
	size_t size = sizeof(*series);

	for (size_t i = 0; i < METRICS_MAX; i++)
		size += series->rings[i] ? sizeof(*series->rings[i]) : 0;
	return size;
}

static void remove_series(struct metrics *metrics, struct metrics_series *series)
{
	struct metrics_series **place = bucket_of(metrics, series->endpoint, series->zone);
	struct holder *owner = series->owner;

	while (*place != series)
		place = &(*place)->next;
	*place = series->next;
	for (enum list i = 0; i < N_LISTS; i++)
		unlink_from(metrics, series, i);
	give_back(metrics, owner, size_of(series));
	series_free(series);
	if (!owner->series.newest)
		forget_owner(metrics, owner);
}

/* Whether no answer has anything of it any more. */
static bool is_too_old(const struct metrics *metrics, const struct metrics_series *series)
{
	return series->last_60s <= metrics->any.last_60s - LONG_CELLS;
}

/* The series that is the next one to go, but for `kept`; NULL: there is no other. */
static struct metrics_series *next_to_go(const struct metrics *metrics, const struct metrics_series *kept)
{
	struct metrics_series *oldest = metrics->all.oldest;
	const struct holder *most;

	if (oldest != kept && is_too_old(metrics, oldest))
		return oldest;
	most = holders_most(&metrics->owners, NULL);
	if (most->series.oldest == kept) /* it has no other */
		most = holders_most(&metrics->owners, most);
	return most ? most->series.oldest : NULL;
}

/* Makes room for what was taken for `kept`, which is the newest series. */
static int make_room(struct metrics *metrics, const struct metrics_series *kept)
{
	struct metrics_series *series;

	while (metrics->memory > metrics->memory_max) {
		series = next_to_go(metrics, kept);
		if (!series)
			return -ENOSPC;
		series->owner->lost = max_time(series->owner->lost, series->last_10s * METRICS_SHORT_S);
		remove_series(metrics, series);
	}
	return 0;
}

/* From when on all is known of an account's zone without a series. */
static int64_t known_without_series(const struct metrics *metrics, const struct holder *owner)
{
	int64_t lost = owner ? owner->lost : metrics->lost;

	return lost == INT64_MIN ? INT64_MIN : lost + 1;
}

static struct metrics_series *series_new(struct metrics *metrics, struct holder *owner, const char *endpoint,
					 const char *zone, int64_t time)
{
	struct metrics_series *series = malloc(sizeof(*series));

	if (!series)
		return NULL;
	*series = (struct metrics_series){.owner = owner,
					  .since = known_without_series(metrics, owner),
					  .last_10s = time / METRICS_SHORT_S,
					  .last_60s = time / METRICS_LONG_S};
	(void)str_copy(series->endpoint, sizeof(series->endpoint), endpoint);
	(void)str_copy(series->zone, sizeof(series->zone), zone);
	return series;
}

static int add_series(struct metrics *metrics, int64_t account, const char *endpoint, const char *zone,
		      int64_t time, struct metrics_series **ret)
{
	struct metrics_series *series, **bucket = bucket_of(metrics, endpoint, zone);
	struct holder *owner;
	int r;

	if (strlen(endpoint) >= ID_SIZE || strlen(zone) >= ZONE_SIZE)
		return -EINVAL;
	r = find_owner(metrics, account, &owner);
	if (r < 0)
		return r;
	series = series_new(metrics, owner, endpoint, zone, time);
	if (!series) {
		if (!owner->series.newest)
			forget_owner(metrics, owner);
		return -ENOMEM;
	}
	series->next = *bucket;
	*bucket = series;
	make_newest(metrics, series);
	take(metrics, owner, sizeof(*series));
	r = make_room(metrics, series);
	if (r < 0) {
		remove_series(metrics, series);
		return r;
	}
	*ret = series;
	return 0;
}

static int add_ring(struct metrics *metrics, struct metrics_series *series, unsigned int metric)
{
	int r;

	take(metrics, series->owner, sizeof(struct ring));
	r = make_room(metrics, series);
	if (r == 0) {
		series->rings[metric] = calloc(1, sizeof(struct ring));
		r = series->rings[metric] ? 0 : -ENOMEM;
	}
	if (r < 0)
		give_back(metrics, series->owner, sizeof(struct ring));
	return r;
}

/* ---- numbers ---- */

/* The series goes on to an interval. */
static void advance(struct metrics_series *series, int64_t time)
{
	int64_t index = time / METRICS_SHORT_S, long_index = time / METRICS_LONG_S;

	for (size_t i = 0; i < METRICS_MAX; i++) {
		struct ring *ring = series->rings[i];

		if (!ring)
			continue;
		clear_cells(ring->by_10s, sizeof(ring->by_10s[0]), SHORT_CELLS, series->last_10s, index);
		clear_cells(ring->by_60s, sizeof(ring->by_60s[0]), LONG_CELLS, series->last_60s, long_index);
	}
	series->last_10s = max_time(series->last_10s, index);
	series->last_60s = max_time(series->last_60s, long_index);
}

static void add_to(uint64_t *cell, uint64_t value)
{
	if (__builtin_add_overflow(*cell, value, cell))
		*cell = UINT64_MAX;
}

static void add_value(struct metrics_series *series, unsigned int metric, int64_t time, uint64_t value)
{
	int64_t index = time / METRICS_SHORT_S, long_index = time / METRICS_LONG_S;
	struct ring *ring = series->rings[metric];
	uint64_t *cell = &ring->by_10s[index % SHORT_CELLS];
	uint64_t *long_cell = &ring->by_60s[long_index % LONG_CELLS];

	if (!is_in_ring(index, series->last_10s, SHORT_CELLS))
		return;
	add_to(cell, value);
	if (metric == METRIC_OPEN_FLOWS)
		*long_cell = MAX(*long_cell, *cell);
	else
		add_to(long_cell, value);
}

/* What is not kept is not known. */
static void lose(struct metrics *metrics, int64_t account, struct metrics_series *series, int64_t time)
{
	struct holder *owner = holders_find(&metrics->owners, account);
	int64_t *lost = owner ? &owner->lost : &metrics->lost;

	*lost = max_time(*lost, time);
	if (series)
		series->since = max_time(series->since, time + 1);
}

int metrics_add(struct metrics *metrics, int64_t account, const char *endpoint, const char *zone,
		unsigned int metric, int64_t time, uint64_t value)
{
	struct metrics_series *series = find(metrics, endpoint, zone);
	int r = 0;

	if (metric >= METRICS_MAX)
		return -EINVAL;
	if (value == 0)
		return 0;
	if (series)
		touch(metrics, series);
	else
		r = add_series(metrics, account, endpoint, zone, time, &series);
	if (r == 0 && !series->rings[metric])
		r = add_ring(metrics, series, metric);
	if (r < 0) {
		lose(metrics, account, series, time);
		return r;
	}
	advance(series, time);
	add_value(series, metric, time, value);
	return 0;
}

/* ---- reasons ---- */

static bool is_reason(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
			return false;
	return length > 0 && length < METRICS_REASON_SIZE;
}

int metrics_reason(struct metrics *metrics, const char *name)
{
	if (!is_reason(name))
		return -EINVAL;
	for (size_t i = 0; i < metrics->n_reasons; i++)
		if (streq(metrics->reasons[i], name))
			return METRIC_FIXED + (int)i;
	if (metrics->n_reasons == METRICS_REASONS_MAX)
		return -ENOSPC;
	(void)str_copy(metrics->reasons[metrics->n_reasons], METRICS_REASON_SIZE, name);
	return METRIC_FIXED + (int)metrics->n_reasons++;
}

const char *metrics_reason_name(const struct metrics *metrics, unsigned int metric)
{
	if (metric < METRIC_FIXED || metric - METRIC_FIXED >= metrics->n_reasons)
		return NULL;
	return metrics->reasons[metric - METRIC_FIXED];
}

/* ---- reading ---- */

bool metrics_series_has(const struct metrics_series *series, unsigned int metric)
{
	return series && metric < METRICS_MAX && series->rings[metric];
}

int64_t metrics_known_since(const struct metrics *metrics, int64_t account,
			    const struct metrics_series *series, unsigned int period, int64_t now)
{
	int64_t kept = period == METRICS_SHORT_S ? METRICS_SHORT_KEPT_S : METRICS_LONG_KEPT_S, since;

	since = series ? series->since
		       : known_without_series(metrics, holders_find(&metrics->owners, account));
	/* The one that was over just now may not be told yet, so one more is kept. */
	return max_time(since, now - kept - 2 * (int64_t)period);
}

/* Adds the cells of `n` intervals from `first` on, of those that are in the ring. */
static void sum_cells(const uint64_t *cells, int64_t n_cells, int64_t last, int64_t first, size_t n,
		      double *sums)
{
	int64_t index = max_time(first, max_time(last - n_cells + 1, 0));
	int64_t end = MIN(first + (int64_t)n, last + 1), cell = index % n_cells;

	for (; index < end; index++) {
		sums[index - first] += (double)cells[cell];
		cell = cell + 1 == n_cells ? 0 : cell + 1;
	}
}

void metrics_sum(const struct metrics_series *series, unsigned int metric, unsigned int period, int64_t time,
		 size_t n, double *sums)
{
	const struct ring *ring;

	if (!metrics_series_has(series, metric))
		return;
	ring = series->rings[metric];
	if (period == METRICS_SHORT_S)
		sum_cells(ring->by_10s, SHORT_CELLS, series->last_10s, time / period, n, sums);
	else
		sum_cells(ring->by_60s, LONG_CELLS, series->last_60s, time / period, n, sums);
}
