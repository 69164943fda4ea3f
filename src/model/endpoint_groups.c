/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lists and a number. A group that is attached joins the end of the one list, so that the last
 * `n_attaching` are those that wait; one that is detached moves to the other.
 */
#include "endpoint_groups.h"

#define NOWHERE UINT32_MAX

static uint32_t place_of(const char list[][ID_SIZE], uint32_t n, const char *group)
{
	for (uint32_t i = 0; i < n; i++)
		if (streq(list[i], group))
			return i;
	return NOWHERE;
}

static void append(char list[][ID_SIZE], uint32_t *n, const char *group)
{
	(void)str_copy(list[(*n)++], ID_SIZE, group);
}

/* Those behind it move up; unused places are empty. */
static void take_out(char list[][ID_SIZE], uint32_t *n, uint32_t place)
{
	(*n)--;
	memmove(list[place], list[place + 1], (*n - place) * sizeof(*list));
	memset(list[*n], 0, sizeof(*list));
}

/* The row's lists, where they can be changed. */
static void take_lists(struct endpoint *row, struct endpoint_lists *lists)
{
	if (row->groups == (const char(*)[ID_SIZE])lists->groups)
		return;
	*lists = (struct endpoint_lists){};
	if (row->n_groups)
		memcpy(lists->groups, row->groups, row->n_groups * sizeof(*lists->groups));
	if (row->n_detaching)
		memcpy(lists->detaching, row->detaching, row->n_detaching * sizeof(*lists->detaching));
	row->groups = (const char(*)[ID_SIZE])lists->groups;
	row->detaching = (const char(*)[ID_SIZE])lists->detaching;
}

/* A new endpoint's groups are on their way with it. */
static bool is_attaching(const struct endpoint *row, uint32_t place)
{
	return row->status == ENDPOINT_CREATING || place + row->n_attaching >= row->n_groups;
}

enum group_status endpoint_group_status(const struct endpoint *row, const char *group)
{
	uint32_t place = place_of(row->groups, row->n_groups, group);

	if (place != NOWHERE)
		return is_attaching(row, place) ? GROUP_ATTACHING : GROUP_ATTACHED;
	return place_of(row->detaching, row->n_detaching, group) != NOWHERE ? GROUP_DETACHING : GROUP_NONE;
}

int endpoint_group_attach(struct endpoint *row, const char *group, struct endpoint_lists *lists)
{
	enum group_status status = endpoint_group_status(row, group);
	uint32_t place;

	if (group_event(&status, EVENT_ENABLE) < 0)
		return -EEXIST;
	if (row->n_groups >= SECURITY_GROUPS_MAX)
		return -ENOSPC;
	place = place_of(row->detaching, row->n_detaching, group);
	take_lists(row, lists);
	if (place != NOWHERE)
		take_out(lists->detaching, &row->n_detaching, place);
	append(lists->groups, &row->n_groups, group);
	row->n_attaching++;
	return 0;
}

int endpoint_group_detach(struct endpoint *row, const char *group, struct endpoint_lists *lists)
{
	enum group_status status = endpoint_group_status(row, group);
	uint32_t place = place_of(row->groups, row->n_groups, group);
	int r = group_event(&status, EVENT_DISABLE);

	if (r < 0)
		return r == -EPERM ? -ENOENT : r;
	if (row->n_groups <= 1)
		return -EPERM;
	if (row->n_detaching >= SECURITY_GROUPS_MAX)
		return -ENOSPC;
	if (place + row->n_attaching >= row->n_groups)
		row->n_attaching--;
	take_lists(row, lists);
	take_out(lists->groups, &row->n_groups, place);
	append(lists->detaching, &row->n_detaching, group);
	return 0;
}

bool endpoint_groups_in_force(struct endpoint *row, bool failed)
{
	bool changed = row->n_detaching > 0 || (row->n_attaching > 0 && !failed);

	/* What goes need not work. */
	row->n_detaching = 0;
	if (!failed)
		row->n_attaching = 0;
	return changed;
}
