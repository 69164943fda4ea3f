/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handful of nodes, so plain arrays. The failures of all nodes are merged into one sorted list whenever a
 * report brings others than the node's last one.
 */
#include "leases.h"

#include "../lib/vec.h"
#include <stdlib.h>

static void lease_done(struct lease *lease)
{
	free(lease->failures);
	health_queue_done(&lease->health);
}

void leases_done(struct leases *leases)
{
	for (size_t i = 0; i < leases->n; i++)
		lease_done(&leases->v[i]);
	free(leases->v);
	free(leases->failures);
	*leases = (struct leases){};
}

static struct lease *find(const struct leases *leases, const char *node)
{
	for (size_t i = 0; i < leases->n; i++)
		if (streq(leases->v[i].node, node))
			return &leases->v[i];
	return NULL;
}

const struct lease *leases_find(const struct leases *leases, const char *node)
{
	return find(leases, node);
}

static int compare_failures(const void *a, const void *b)
{
	const struct control_failure *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Room for the failures of all leases and `n` more. What is there stays. */
static int reserve_failures(struct leases *leases, size_t n)
{
	struct control_failure *all;

	for (size_t i = 0; i < leases->n; i++)
		n += leases->v[i].n_failures;
	if (n <= leases->failures_size)
		return 0;
	all = reallocarray(leases->failures, n, sizeof(*all));
	if (!all)
		return -ENOMEM;
	leases->failures = all;
	leases->failures_size = n;
	return 0;
}

/* Into the room that was reserved: they may be fewer than then. */
static void merge_failures(struct leases *leases)
{
	struct control_failure *all = leases->failures;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < leases->n; i++)
		for (size_t j = 0; j < leases->v[i].n_failures; j++)
			all[n++] = leases->v[i].failures[j];
	if (n)
		qsort(all, n, sizeof(*all), compare_failures);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !streq(all[kept - 1].key, all[i].key))
			all[kept++] = all[i];
	leases->n_failures = kept;
}

static struct lease *add(struct leases *leases, const char *node)
{
	if (VEC_ROOM(leases->v, leases->n, leases->size) < 0)
		return NULL;
	leases->v[leases->n] = (struct lease){.number = ++leases->last_number};
	if (str_copy(leases->v[leases->n].node, sizeof(leases->v->node), node) < 0)
		return NULL;
	return &leases->v[leases->n++];
}

static bool same_failures(const struct lease *lease, const struct control_failure *failures, size_t n)
{
	if (lease->n_failures != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!streq(lease->failures[i].key, failures[i].key) ||
		    !streq(lease->failures[i].reason, failures[i].reason) ||
		    lease->failures[i].is_gone != failures[i].is_gone)
			return false;
	return true;
}

bool leases_same_failures(const struct leases *leases, const struct control_report *report)
{
	const struct lease *lease = find(leases, report->node);

	return lease ? same_failures(lease, report->failures, report->n_failures) : report->n_failures == 0;
}

/* A copy of an array that may be empty. */
static int copy_array(const void *v, size_t n, size_t size, void **ret)
{
	void *copy;

	if (n == 0) {
		*ret = NULL;
		return 0;
	}
	copy = reallocarray(NULL, n, size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, v, n * size);
	*ret = copy;
	return 0;
}

/* What is new in a report. */
struct news {
	bool has_failures, is_full;
	void *failures; /* a copy */
};

/* All memory that the report needs: behind this nothing fails. Its health results are taken. */
static int copy_news(struct leases *leases, struct lease *lease, const struct control_report *report,
		     struct news *ret)
{
	int r = 0;

	*ret = (struct news){.has_failures = !same_failures(lease, report->failures, report->n_failures)};
	if (ret->has_failures)
		r = reserve_failures(leases, report->n_failures);
	if (r == 0 && ret->has_failures)
		r = copy_array(report->failures, report->n_failures, sizeof(*report->failures),
			       &ret->failures);
	if (r == 0)
		r = health_queue_add(&lease->health, lease->node, report->health, report->n_health);
	ret->is_full = r == -ENOBUFS;
	if (r < 0 && !ret->is_full) {
		free(ret->failures);
		return r;
	}
	return 0;
}

static int take_failures(struct leases *leases, struct lease *lease, const struct news *news, size_t n)
{
	if (!news->has_failures)
		return 0;
	free(lease->failures);
	lease->failures = news->failures;
	lease->n_failures = n;
	merge_failures(leases);
	return LEASE_FAILURES;
}

int leases_report(struct leases *leases, const struct control_report *report, uint64_t now_ms)
{
	struct lease *lease = find(leases, report->node);
	bool is_new = !lease;
	struct news news;
	int changed, r;

	if (is_new)
		lease = add(leases, report->node);
	if (!lease)
		return -ENOMEM;
	r = copy_news(leases, lease, report, &news);
	if (r < 0 && is_new) {
		lease_done(lease);
		leases->n--; /* the last one */
	}
	if (r < 0)
		return r;
	changed = is_new ? LEASE_REVISION : 0;
	changed |= take_failures(leases, lease, &news, report->n_failures);
	changed |= (report->n_health ? LEASE_HEALTH : 0) | (news.is_full ? LEASE_FULL : 0);
	if (lease->is_presumed || !streq(lease->hold, report->hold))
		changed |= LEASE_REVISION;
	lease->is_presumed = false;
	(void)str_copy(lease->hold, sizeof(lease->hold), report->hold);
	if (lease->revision != report->revision)
		changed |= LEASE_REVISION;
	lease->revision = report->revision;
	lease->until_ms = now_ms + LEASE_S * 1000;
	return changed;
}

int leases_presume(struct leases *leases, const char *node, uint64_t now_ms)
{
	struct lease *lease = add(leases, node);

	if (!lease)
		return -ENOMEM;
	lease->is_presumed = true;
	lease->until_ms = now_ms + LEASE_S * 1000;
	return 0;
}

int leases_expire(struct leases *leases, uint64_t now_ms, lease_ended ended, void *context)
{
	int changed = 0;

	for (size_t i = 0; i < leases->n;) {
		struct lease *lease = &leases->v[i];

		if (lease->until_ms > now_ms) {
			i++;
			continue;
		}
		ended(context, lease->node);
		changed |= LEASE_REVISION | (lease->n_failures ? LEASE_FAILURES : 0);
		lease_done(lease);
		*lease = leases->v[--leases->n];
	}
	if (changed & LEASE_FAILURES)
		merge_failures(leases);
	return changed;
}

uint64_t leases_next_end(const struct leases *leases)
{
	uint64_t end = UINT64_MAX;

	for (size_t i = 0; i < leases->n; i++)
		end = MIN(end, leases->v[i].until_ms);
	return end;
}

/* Of one that holds, or has not been heard since this program started, nothing is known. */
bool lease_concerns(const struct lease *lease, const struct told_nodes *told_nodes, const struct share *share)
{
	return *lease->hold || lease->is_presumed ||
	       told_nodes_concerns(told_nodes, share, lease->node, lease->revision);
}

uint64_t leases_revision_of(const struct leases *leases, const struct told_nodes *told_nodes,
			    const struct share *share, uint32_t *ret_last)
{
	uint64_t revision = UINT64_MAX;

	*ret_last = 0;
	for (size_t i = 0; i < leases->n; i++) {
		const struct lease *lease = &leases->v[i];

		if (lease->revision >= revision || !lease_concerns(lease, told_nodes, share))
			continue;
		revision = lease->revision;
		*ret_last = lease->number;
	}
	return revision;
}

bool leases_is_behind(const struct leases *leases, uint32_t number, uint64_t revision)
{
	for (size_t i = 0; i < leases->n; i++)
		if (leases->v[i].number == number)
			return leases->v[i].revision < revision;
	return false;
}

uint64_t leases_live_revision(const struct leases *leases)
{
	uint64_t revision = UINT64_MAX;

	for (size_t i = 0; i < leases->n; i++)
		revision = MIN(revision, leases->v[i].revision);
	return revision;
}
