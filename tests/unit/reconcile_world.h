/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent's passes: the rows, the plan and the loop are real; devices, tables, names, probes and reports are
 * played here, and so is the clock (meson.build). Include it in the test's only source file.
 */
#pragma once

#include "tests/unit/reconcile_stand_ins.h"

#define PORTS_MAX 16

/* Devices. */

struct ports {
	uint32_t made[PORTS_MAX]; /* numbers */
	size_t n_made;
	size_t at_once; /* as many are made in one sync of all */
	uint32_t queue[PORTS_MAX];
	size_t n_queued;
	uint32_t working; /* on this one; 0: on none */
	uint32_t failing;
	uint32_t pausing; /* told, and not queued while it is wanted */
	bool is_behind;
	bool queues_rest;
	int tells;  /* result of asking what is queued */
	int sticks; /* result of removing what is left over */
	size_t n_told_others;
};

static struct ports ports;

uint32_t ports_ifindex(void *context, uint32_t number)
{
	const struct ports *p = context;

	for (size_t i = 0; i < p->n_made; i++)
		if (p->made[i] == number)
			return 1000 + number;
	return 0;
}

static void take_away(struct ports *p, uint32_t number)
{
	for (size_t i = 0; i < p->n_made; i++)
		if (p->made[i] == number)
			p->made[i] = p->made[--p->n_made];
}

/* Whether there was time for it. */
static bool make(struct ports *p, uint32_t number, size_t *n)
{
	if (number == p->failing || ports_ifindex(p, number))
		return true;
	if (*n == p->at_once || p->n_made == PORTS_MAX)
		return false;
	p->made[p->n_made++] = number;
	(*n)++;
	return true;
}

int ports_sync(struct ports *p, const struct plan *plan, bool full _unused_, struct failures *failures)
{
	size_t n = 0;

	p->is_behind = false;
	for (size_t i = 0; i < plan->n_ports; i++) {
		char key[KEY_SIZE];

		if (!make(p, plan->ports[i].number, &n)) {
			p->is_behind |= !p->queues_rest;
			if (p->queues_rest)
				p->queue[p->n_queued++] = plan->ports[i].number;
		}
		if (plan->ports[i].number != p->failing)
			continue;
		(void)str_format(key, sizeof(key), "instance/%s", plan->ports[i].instance);
		(void)failures_add(failures, key, "no device");
	}
	return n > 0;
}

static bool is_wanted(const struct plan *plan, uint32_t number)
{
	for (size_t i = 0; i < plan->n_ports; i++)
		if (plan->ports[i].number == number)
			return true;
	return false;
}

int ports_queue(struct ports *p, const struct plan *plan, const uint32_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_wanted(plan, numbers[i]) && numbers[i] == p->failing)
			return -EAGAIN;
		if (is_wanted(plan, numbers[i]) != (numbers[i] == p->pausing || ports_ifindex(p, numbers[i])))
			p->queue[p->n_queued++] = numbers[i];
	}
	return 0;
}

int ports_go_on(struct ports *p, const struct plan *plan, bool removes)
{
	while (p->n_queued && !p->working) {
		bool wanted = is_wanted(plan, p->queue[0]);

		if (wanted || removes) {
			p->working = p->queue[0];
			if (p->working == p->pausing)
				p->pausing = 0;
			note(wanted ? "make " : "remove ");
		}
		memmove(p->queue, p->queue + 1, --p->n_queued * sizeof(*p->queue));
	}
	return 0;
}

int ports_tell_queued(const struct ports *p, const struct plan *plan, bool removes _unused_,
		      struct failures *failures)
{
	char key[KEY_SIZE];

	for (size_t i = 0; i < p->n_queued + !!p->working && p->tells == 0; i++) {
		uint32_t number = i < p->n_queued ? p->queue[i] : p->working;

		(void)str_format(key, sizeof(key), "instance/%x", number);
		(void)failures_add(failures, key, is_wanted(plan, number) ? "to make" : "to remove");
	}
	if (p->pausing)
		(void)failures_add(failures, "instance/i-pausing", "someone removes its device");
	add_others(failures, p->n_told_others, "to make");
	return p->tells;
}

void ports_queue_rest(struct ports *p)
{
	p->queues_rest = true;
}

bool ports_are_queued(const struct ports *p)
{
	return p->working || p->n_queued;
}

bool ports_are_behind(const struct ports *p)
{
	return p->is_behind;
}

bool ports_are_busy(const struct ports *p)
{
	return p->working;
}

int ports_remove_others(struct ports *p, const struct plan *plan _unused_, bool full)
{
	if (full)
		note("left-over ");
	return full ? p->sticks : 0;
}

/* Tables. */

/* Of its ports those that have a device. */
int datapath_sync_slices(struct datapath *d _unused_, const struct plan *plan, const struct plan_patch *patch)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_ports; i++)
		for (size_t j = 0; j < patch->n_ports; j++)
			n += plan->ports[i].number == patch->ports[j] && plan->ports[i].row.ifindex;
	note("rows(groups=%zu ports=%zu) ", patch->n_groups, n);
	return 0;
}

/* Probes. */

static int probes_result; /* of a plan */
static size_t n_ended;	  /* how often the start was said to be over */

int health_set_plan(struct health *health _unused_, const struct plan *plan _unused_)
{
	return probes_result;
}

void health_set_rows(struct health *health _unused_, const struct snapshot *rows)
{
	n_ended += !rows;
}

int health_follow(struct health *health _unused_, const struct plan *plan _unused_,
		  const struct plan_patch *patch _unused_)
{
	return 0;
}

/* What probes have found, and nobody has taken; one is taken at a time. */
static size_t n_news;
static bool has_heavy_news;

bool health_take_touched(struct health *health _unused_, health_fits fits, void *context,
			 struct plan_touched *touched)
{
	if (fits(context, touched) && plan_touch_health(touched, "sgp-1"))
		n_news -= n_news > 0;
	return has_heavy_news;
}

void health_take_all(struct health *health _unused_)
{
	n_news = 0;
	has_heavy_news = false;
}

bool health_has_news(const struct health *health _unused_)
{
	return n_news || has_heavy_news;
}

enum plan_health health_of(void *health _unused_, const struct server *server _unused_)
{
	return PLAN_HEALTH_UNKNOWN;
}

int health_results(const struct health *health _unused_, struct health_result **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	return 0;
}

/* Reports. */

static int feed_result; /* of a report */

int feed_report(struct feed *f _unused_, uint64_t revision _unused_, const struct failures *failures,
		const struct health_result *health _unused_, size_t n_health _unused_)
{
	note("report(failures=%zu)", failures->n);
	return feed_result;
}

int feed_report_again(struct feed *f _unused_, uint64_t revision _unused_)
{
	note("again");
	return 0;
}

/* The agent. */

struct run {
	struct world w;
	struct loop *loop;
	struct reconcile *reconcile;
	struct plan_touched touched;
};

/* Nothing else happens meanwhile. */
static void let_pass(struct run *run, uint64_t ms)
{
	clock_ms += ms;
	(void)loop_turn(run->loop, 0);
}

/* What has been done meanwhile; until something is reported. */
static const char *passes(struct run *run)
{
	for (int i = 0; i < 10 && !strstr(feed.told, "report") && !strstr(feed.told, "again"); i++) {
		clock_ms += 2;
		(void)loop_turn(run->loop, 0);
	}
	return take_told();
}

static void begin(struct run *run)
{
	struct reconcile_parts parts = {.node = "n1", .catalogue = &world_catalogue, .ports = &ports};

	*run = (struct run){};
	ports = (struct ports){.at_once = PORTS_MAX};
	datapath = (struct datapath){};
	probes_result = 0;
	n_ended = 0;
	world_new(&run->w);
	parts.rows = run->w.rows;
	parts.indexes = run->w.indexes;
	parts.datapath = &datapath;
	if (loop_new(&run->loop) < 0)
		exit(EXIT_FAILURE);
	parts.loop = run->loop;
	if (reconcile_new(&parts, &run->reconcile) < 0)
		exit(EXIT_FAILURE);
	reconcile_set_feed(run->reconcile, &feed);
	reconcile_request(run->reconcile, true);
}

static void end(struct run *run)
{
	reconcile_free(run->reconcile);
	loop_free(run->loop);
	world_free(&run->w);
}

/* The kernel has done it, and the agent hears of it. */
static void device_done(struct run *run)
{
	uint32_t number = ports.working;
	const struct plan *plan = reconcile_plan(run->reconcile);
	char instance[ID_SIZE] = "";
	int r = 0;

	ports.working = 0;
	for (size_t i = 0; i < plan->n_ports; i++)
		if (plan->ports[i].number == number)
			(void)str_copy(instance, sizeof(instance), plan->ports[i].instance);
	if (number == ports.failing) {
		r = -EAGAIN;
	} else if (ports_ifindex(&ports, number) || !is_wanted(plan, number)) {
		take_away(&ports, number);
	} else {
		ports.made[ports.n_made++] = number;
		r = 1;
	}
	reconcile_device(run->reconcile, r, instance);
	reconcile_go_on(run->reconcile);
}

static void put(struct run *run, const char *key, const char *value)
{
	json_t *json = json_loads(value, 0, NULL);

	if (!json)
		exit(EXIT_FAILURE);
	world_apply(&run->w, &run->touched, key, json);
	json_decref(json);
}

/* The answer has been taken. */
static void took(struct run *run)
{
	reconcile_rows(run->reconcile, &run->touched);
	run->touched = (struct plan_touched){};
}

static void put_instance_in(struct run *run, uint32_t i, const char *group)
{
	char key[KEY_SIZE], value[1024];

	(void)str_format(key, sizeof(key), "port/eni-v%u", i);
	(void)str_format(
		value, sizeof(value),
		"{\"id\": \"eni-v%u\", \"number\": %u, \"kind\": \"instance\", \"zone\": \"" ZONE_H
		"\", \"vpc\": \"vpc-c\", \"vswitch\": \"vsw-c-h\", \"addr\": \"10.0.1.%u\", \"mac\": "
		"\"02:00:00:00:01:%02x\", \"mtu\": 1500, \"groups\": [\"%s\"], \"holder\": \"i-v%u\", "
		"\"node\": \"n1\", \"status\": \"InUse\"}",
		i, 120 + i, 70 + i, i, group, i);
	put(run, key, value);
	(void)str_format(key, sizeof(key), "instance/i-v%u", i);
	(void)str_format(
		value, sizeof(value),
		"{\"id\": \"i-v%u\", \"owner\": 1000, \"zone\": \"" ZONE_H "\", \"vpc\": \"vpc-c\", "
		"\"node\": \"n1\", \"kind\": \"netns\", \"host_name\": \"v\", \"port\": \"eni-v%u\", "
		"\"status\": \"Running\"}",
		i, i);
	put(run, key, value);
}

static void put_instance(struct run *run, uint32_t i)
{
	put_instance_in(run, i, "sg-c");
}

static void drop(struct run *run, const char *key)
{
	world_apply(&run->w, &run->touched, key, NULL);
}

static void drop_instance(struct run *run, uint32_t i)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "instance/i-v%u", i);
	drop(run, key);
	(void)str_format(key, sizeof(key), "port/eni-v%u", i);
	drop(run, key);
}

static void revoke_rule(struct run *run)
{
	put(run, "sg_rule/sg-ep/sgr-1",
	    "{\"id\": \"sgr-1\", \"group\": \"sg-ep\", \"direction\": \"ingress\", \"policy\": \"Drop\", "
	    "\"priority\": 1, \"protocol\": \"TCP\", \"port_first\": 443, \"port_last\": 443, \"cidr\": "
	    "\"10.0.0.0/16\"}");
}
