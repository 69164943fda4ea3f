/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slices of security groups: their rules, and who is in them. A group is in the plan as long as somebody
 * here is in it, then with its rules, or rules of such a group name it. So when all slices are planned, those
 * that have somebody now get their rules, those that have nobody lose them, and what nobody has any more
 * goes.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

static int note_group(struct slice *slice, uint32_t number)
{
	return slice_note(&slice->patch->groups, &slice->patch->n_groups, sizeof(number), &number);
}

static size_t group_place(const struct plan *plan, uint32_t number)
{
	return LOWER_BOUND(i, plan->n_security_groups, plan->security_groups[i].number < number);
}

static struct plan_security_group *group_of(const struct plan *plan, uint32_t number)
{
	size_t place = group_place(plan, number);

	return place < plan->n_security_groups && plan->security_groups[place].number == number
		       ? &plan->security_groups[place]
		       : NULL;
}

static struct plan_security_group *find_group(const struct slice *slice, const char *id)
{
	uint32_t number = plan_indexes_find_security_group(slice->indexes, id);
	struct plan_security_group *group = number ? group_of(slice->plan, number) : NULL;

	return group && streq(group->id, id) ? group : NULL;
}

static int note_count(struct slice *slice, uint32_t number)
{
	return slice_add_once(&slice->groups, &slice->n_groups, sizeof(number), &number);
}

int slice_take_groups(struct slice *slice, const struct plan_builder *b)
{
	struct plan *plan = slice->plan;
	int r = 0;

	for (size_t i = 0; i < b->plan->n_security_groups && r == 0; i++) {
		const struct plan_security_group *met = &b->plan->security_groups[i];
		struct plan_security_group *group = group_of(plan, met->number);

		if (group && !streq(group->id, met->id))
			return 1;
		if (!group) {
			group = slice_insert(&plan->security_groups, &plan->n_security_groups, sizeof(*group),
					     group_place(plan, met->number));
			if (!group)
				return -ENOMEM;
			group->number = met->number;
			memcpy(group->id, met->id, sizeof(group->id));
			r = note_group(slice, group->number);
		}
		if (r == 0)
			r = note_count(slice, met->number);
	}
	return r;
}

int slice_count_set(struct slice *slice, const struct pl_set *set, int by)
{
	int r = 0;

	plan_count_set(slice->plan->slices, set, by);
	for (uint32_t i = 0; i < set->count && r == 0; i++)
		r = note_count(slice, set->group[i]);
	return r;
}

/* The groups that these rules name, or no longer do. */
static int count_named(struct slice *slice, const struct plan_security_group *group, int by)
{
	int r = 0;

	plan_count_named(slice->plan->slices, group, by);
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < group->n_rules[d] && r == 0; i++)
			r = group->rules[d][i].group ? note_count(slice, group->rules[d][i].group) : 0;
	return r;
}

static bool has_failed(const struct plan *plan, const char *id)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "sg_rule/%s/", id);
	if (slice_has_failure(plan, key))
		return true;
	(void)str_format(key, sizeof(key), "security_group/%s", id);
	return slice_has_failure(plan, key);
}

static bool has_equal_rules(const struct plan_security_group *a, const struct plan_security_group *b)
{
	for (int d = 0; d < 2; d++)
		if (a->n_rules[d] != b->n_rules[d] ||
		    (a->n_rules[d] &&
		     memcmp(a->rules[d], b->rules[d], a->n_rules[d] * sizeof(*a->rules[d])) != 0))
			return false;
	return true;
}

/* The rules that the group has by the rows; `before`: as it is in the plan. The groups that they name are the
 * plan's, which may move then. */
static int plan_rules(struct slice *slice, struct plan_security_group *group,
		      const struct plan_security_group *before)
{
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	int r = slice_builder(slice, &b);

	if (r == 0)
		r = plan_group_rules(&b, group, before);
	if (r < 0 || b.plan->n_failures)
		return r < 0 ? r : 1;
	return slice_take_groups(slice, &b);
}

/* `rules` becomes the old ones. */
static int swap_rules(struct slice *slice, struct plan_security_group *group,
		      struct plan_security_group *rules)
{
	struct plan_security_group old = *group;
	int r = count_named(slice, rules, 1);

	if (r == 0)
		r = count_named(slice, &old, -1);
	*group = *rules;
	*rules = old;
	return r == 0 ? note_group(slice, group->number) : r;
}

int slice_group(struct slice *slice, const char *id)
{
	struct plan_security_group *group = find_group(slice, id);
	_cleanup_(plan_group_rules_done) struct plan_security_group rules = {};
	int r;

	if (!group || !group->has_members)
		return 0; /* nobody here is in it, or all have come just now */
	if (has_failed(slice->plan, id))
		return 1;
	rules = (struct plan_security_group){.number = group->number, .has_members = true};
	memcpy(rules.id, group->id, sizeof(rules.id));
	r = plan_rules(slice, &rules, group);
	group = group_of(slice->plan, rules.number);
	return r != 0 || has_equal_rules(group, &rules) ? r : swap_rules(slice, group, &rules);
}

/* A group that has come, gone or become another one, while the same members here are in it as before, or some
 * of them. */
int slice_other(struct slice *slice, const char *id)
{
	const struct plan_security_group *group = find_group(slice, id);

	return group && group->has_members && slice->plan->slices->groups[group->number];
}

/* Members. */

static int take_set(struct slice *slice, struct plan_port *port, const struct pl_set *set)
{
	int r = slice_count_set(slice, set, 1);

	if (r == 0)
		r = slice_count_set(slice, &port->set, -1);
	port->set = *set;
	return r < 0 ? r : slice_note_slot(slice, port->slot);
}

int slice_member(struct slice *slice, const char *id)
{
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	const struct port *row = snapshot_port(slice->input->rows, id);
	const struct instance *instance = row ? snapshot_instance(slice->input->rows, row->holder) : NULL;
	struct plan_port *port;
	char key[KEY_SIZE];
	struct pl_set set;
	int r;

	if (!row || !instance || !streq(instance->port, id))
		return 1;
	port = slice_find_port(slice->plan, row->number);
	if (!port || !streq(port->instance, instance->id))
		return streq(instance->node, slice->input->node); /* another node's is no matter here */
	(void)str_format(key, sizeof(key), "instance/%s", instance->id);
	r = slice_builder(slice, &b);
	if (r == 0)
		r = plan_make_set(&b, row->groups, row->n_groups, key, &set);
	if (r == 0)
		r = plan_settle(&b);
	if (r < 0 || b.plan->slices->is_odd || !slice_fails_only(&b, key))
		return r < 0 ? r : 1;
	r = slice_take_groups(slice, &b);
	if (r == 0)
		r = take_set(slice, port, &set);
	return r == 0 ? slice_set_failure(slice, key, &b) : r;
}

/* The first member here has come, or the last one has gone. */
static int settle_members(struct slice *slice, uint32_t number)
{
	struct plan_security_group *group = group_of(slice->plan, number);
	_cleanup_(plan_group_rules_done) struct plan_security_group rules = {.number = number};
	int r = 0;

	rules.has_members = slice->plan->slices->groups[number] > 0;
	if (!group || group->has_members == rules.has_members)
		return 0;
	memcpy(rules.id, group->id, sizeof(rules.id));
	if (has_failed(slice->plan, group->id))
		return 1;
	if (rules.has_members)
		r = plan_rules(slice, &rules, group);
	return r == 0 ? swap_rules(slice, group_of(slice->plan, number), &rules) : r;
}

int slice_settle_groups(struct slice *slice)
{
	struct plan *plan = slice->plan;
	int r = 0;

	/* More are noted meanwhile. */
	for (size_t i = 0; i < slice->n_groups && r == 0; i++)
		r = settle_members(slice, slice->groups[i]);
	for (size_t i = 0; i < slice->n_groups && r == 0; i++) {
		uint32_t number = slice->groups[i];
		struct plan_security_group *group = group_of(plan, number);

		if (!group || plan->slices->groups[number] || plan->slices->named[number])
			continue;
		slice_remove(plan->security_groups, &plan->n_security_groups, sizeof(*group),
			     (size_t)(group - plan->security_groups));
		r = note_group(slice, number);
	}
	return r;
}
