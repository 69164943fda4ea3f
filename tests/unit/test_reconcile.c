/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pass does, and in which order. The rows, the plan and the loop are real; devices, tables, names,
 * probes and reports are played here, and so is the clock.
 */
#include <stdarg.h>

#include "agent/reconcile.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "tests/unit/plan_world.h"

#define PORTS_MAX 16

struct feed {
	char told[512]; /* what was done since it was asked last */
};

static struct feed feed;
static uint64_t clock_ms = 1000;

uint64_t __wrap_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void)
{
	return clock_ms;
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t length = strlen(feed.told);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(feed.told + length, sizeof(feed.told) - length, format, ap);
	va_end(ap);
}

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
	struct plan_port node_port;
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

/* Of others, by number. */
static void add_others(struct failures *failures, size_t n, const char *reason)
{
	char key[KEY_SIZE];

	for (size_t i = 0; i < n; i++) {
		(void)str_format(key, sizeof(key), "instance/i-other%zu", i);
		(void)failures_add(failures, key, "%s", reason);
	}
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

int ports_sync_node_port(struct ports *p _unused_)
{
	return 0;
}

const struct plan_port *ports_node_port(const struct ports *p)
{
	return &p->node_port;
}

bool ports_node_port_is_due(const struct ports *p _unused_)
{
	return false;
}

bool ports_are_behind(const struct ports *p)
{
	return p->is_behind;
}

void ports_retry(struct ports *p _unused_)
{
}

int ports_remove_others(struct ports *p, const struct plan *plan _unused_, bool full)
{
	if (full)
		note("left-over ");
	return full ? p->sticks : 0;
}

/* Tables. */

struct datapath {
	const char *lacks_room; /* a key; NULL: nothing does */
	size_t n_others_lack_room;
	uint64_t takes_ms; /* a sync of all */
};

static struct datapath datapath;

int datapath_repair_pins(struct datapath *d _unused_)
{
	return 0;
}

int datapath_sync(struct datapath *d, const struct plan *plan _unused_,
		  const struct plan_port *service _unused_, bool full _unused_, struct failures *failures)
{
	note("all ");
	clock_ms += d->takes_ms;
	add_others(failures, d->n_others_lack_room, "no room");
	return d->lacks_room ? failures_add(failures, d->lacks_room, "no room") : 0;
}

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

int datapath_take_over(struct datapath *d _unused_)
{
	return 0;
}

int datapath_sweep_links(struct datapath *d _unused_)
{
	return 0;
}

uint64_t datapath_due_ms(const struct datapath *d _unused_)
{
	return 0;
}

/* Names, probes, logs. */

void dns_expect_plan(struct dns *dns _unused_)
{
}

void dns_set_plan(struct dns *dns _unused_, const struct plan *plan _unused_)
{
}

int health_set_plan(struct health *health _unused_, const struct plan *plan _unused_)
{
	return 0;
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

void flow_log_follow(struct flow_log *log _unused_, const struct plan *plan _unused_)
{
}

void flow_log_follow_slots(struct flow_log *log _unused_, const uint32_t *slots _unused_, size_t n _unused_)
{
}

/* Reports. */

int feed_report(struct feed *f _unused_, uint64_t revision _unused_, const struct failures *failures,
		const struct health_result *health _unused_, size_t n_health _unused_)
{
	note("report(failures=%zu)", failures->n);
	return 0;
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
	static char told[sizeof(feed.told)];

	for (int i = 0; i < 10 && !strstr(feed.told, "report") && !strstr(feed.told, "again"); i++) {
		clock_ms += 2;
		(void)loop_turn(run->loop, 0);
	}
	memcpy(told, feed.told, sizeof(told));
	feed.told[0] = '\0';
	return told;
}

static void begin(struct run *run)
{
	struct reconcile_parts parts = {.node = "n1", .catalogue = &world_catalogue, .ports = &ports};

	*run = (struct run){};
	ports = (struct ports){.at_once = PORTS_MAX};
	datapath = (struct datapath){};
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

/* As the feed does it. */
static void put(struct run *run, const char *key, const char *value)
{
	json_t *json = json_loads(value, 0, NULL);
	bool touches = plan_touch_old(&run->touched, run->w.rows, key, json);

	if (!json || snapshot_apply(run->w.rows, key, json, 1, ++rows_revision) < 0)
		exit(EXIT_FAILURE);
	if (touches)
		plan_touch_new(&run->touched, run->w.rows, key);
	snapshot_set_revision(run->w.rows, rows_revision);
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
	bool touches = plan_touch_old(&run->touched, run->w.rows, key, NULL);

	if (snapshot_apply(run->w.rows, key, NULL, 1, ++rows_revision) < 0)
		exit(EXIT_FAILURE);
	if (touches)
		plan_touch_new(&run->touched, run->w.rows, key);
	snapshot_set_revision(run->w.rows, rows_revision);
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

/* Two instances come in one answer, and a rule of somebody else. */
static void test_devices(void)
{
	struct run run;

	begin(&run);
	tap_is_str(passes(&run), "all report(failures=0)", "the first pass is one of the whole");
	revoke_rule(&run);
	put_instance(&run, 0);
	put_instance(&run, 1);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) make ",
		   "devices: all rows come before them; the first one is begun, and nothing is reported");
	tap_is_str(passes(&run), "", "nor done until it is there");
	device_done(&run);
	tap_is_str(passes(&run), "make rows(groups=0 ports=1) ",
		   "then its own slice is planned again, "
		   "while the next one is being made");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) again", "when all are there it is reported");
	put(&run, "security_group/sg-new", "{\"id\": \"sg-new\", \"vpc\": \"vpc-c\", \"type\": \"normal\"}");
	put_instance_in(&run, 4, "sg-new");
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) make ",
		   "so comes an instance together with its security group");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) again", "which is there before it is reported");
	end(&run);
}

/* While a device is being made come others' rows, and news of a probe. */
static void test_meanwhile(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) make ", "meanwhile: a device is being made");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "meanwhile: what others change is put in force");
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) ", "meanwhile: and so is what probes say");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "meanwhile: all of it is reported with the device");
	end(&run);
}

/* More has been found than a pass of slices takes. */
static void test_news(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	n_news = 5;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)", "news: some of it is taken");
	tap_is_int((long long)n_news, 4, "and the others stay");
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all report(failures=0)", "news: a pass of the whole");
	tap_is_int((long long)n_news, 0, "has read all of it, and nothing is planned for that again");
	end(&run);
}

/* Servers that are too many for a slice are ill and well all the time. */
static void test_heavy_news(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	datapath.takes_ms = 100;
	has_heavy_news = true;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)all report(failures=0)",
		   "heavy news: the first time the whole is planned at once, behind slices");
	has_heavy_news = true;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)", "heavy news: then not at once");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again", "others' rows are slices meanwhile");
	let_pass(&run, 300);
	tap_is_str(passes(&run), "", "nothing is done as long as it has to be calm");
	let_pass(&run, 100);
	tap_ok(strstr(passes(&run), "all report(failures=0)") && !has_heavy_news,
	       "then it is the turn of the whole, with nothing lost");
	has_heavy_news = true;
	reconcile_health(run.reconcile);
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all report(failures=0)", "one that others ask for does not wait");
	let_pass(&run, 1000);
	tap_is_str(passes(&run), "", "and has all of it");
	datapath.takes_ms = 10000;
	for (int i = 0; i < 2; i++) {
		has_heavy_news = true;
		reconcile_health(run.reconcile);
		(void)passes(&run);
	}
	let_pass(&run, 1500);
	tap_ok(!strstr(passes(&run), "all ") && has_heavy_news, "a pass that takes long is followed by calm");
	let_pass(&run, 500);
	tap_ok(strstr(passes(&run), "all ") && !has_heavy_news, "of two seconds and no more");
	end(&run);
}

/* An instance goes. */
static void test_removal(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	(void)passes(&run);
	drop_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) again",
		   "removal: nothing is removed while the rows are not the word of the store");
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	put_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	(void)passes(&run);
	drop_instance(&run, 1);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) remove ",
		   "removal: a device goes after its row, and nobody waits for it");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "removal: others' changes go on");
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all ", "removal: a pass of the whole leaves it its time, too");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)",
		   "removal: when it has gone all is reported");
	end(&run);
}

/* Devices of instances that were deleted while no agent ran: from when privlinkd has been heard they may go.
 */
static void test_left_over(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) left-over report(failures=0)",
		   "left over: devices go before a report says that they have");
	end(&run);

	begin(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	put_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) left-over make ",
		   "left over: they do not wait for devices that come meanwhile");
	end(&run);

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	tap_is_str(passes(&run), "all left-over ",
		   "left over: nor for one that is being made, of which a pass "
		   "of the whole takes note");
	end(&run);

	begin(&run);
	(void)passes(&run);
	ports.sticks = -EBUSY;
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) left-over all left-over report(failures=0)",
		   "left over: where one cannot be removed a full pass tries again, and only then all is "
		   "reported");
	end(&run);
}

/* Devices take longer than anybody else's rows may wait. */
static void test_long_queue(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	put_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "a long queue: at first nothing is reported");
	let_pass(&run, 100);
	tap_is_str(passes(&run), "report(failures=2)",
		   "a long queue: then what is in force is, without the two that are to be made");
	let_pass(&run, 50);
	tap_is_str(passes(&run), "", "a long queue: and not again at once");
	device_done(&run);
	tap_is_str(passes(&run), "make rows(groups=0 ports=1) ", "a long queue: one of them is there");
	let_pass(&run, 40);
	tap_is_str(passes(&run), "report(failures=1)", "a long queue: with the next report it counts");
	clock_ms += 100;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=1)",
		   "a long queue: where a pass is due it is the one that reports");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "a long queue: the end of it is reported at once, and no failure is left");
	let_pass(&run, 1000);
	tap_is_str(passes(&run), "", "a long queue: that was the last report");

	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	drop_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	let_pass(&run, 100);
	tap_is_str(passes(&run), "report(failures=1)",
		   "a long queue: while a device is still to be removed that is said");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)",
		   "a long queue: until it has gone");
	end(&run);
}

static void test_failed_report(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	ports.tells = -ENOMEM;
	let_pass(&run, 100);
	tap_is_str(passes(&run), "", "no memory for a report: there is none");
	ports.tells = 0;
	let_pass(&run, 100);
	tap_is_str(passes(&run), "report(failures=1)", "the next one is tried after the same time");
	end(&run);
}

/* A pass of the whole has no time for all devices. */
static void test_rest(void)
{
	struct run run;
	size_t n;

	begin(&run);
	ports.at_once = 1;
	n = 0;
	while (!strstr(feed.told, "report") && n++ < 100)
		let_pass(&run, 5);
	tap_ok(n > 1 && !ports.n_queued && !ports.working,
	       "at the start passes of the whole make all devices, and nothing is reported before");
	(void)passes(&run);
	put_instance(&run, 0);
	put_instance(&run, 1);
	took(&run);
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all make ", "later one makes what it has time for, and queues the rest");
	tap_ok(!ports.is_behind, "so that no other one has to follow");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)", "and it is a matter of slices");
	end(&run);
}

/* Its owner removes an instance's device. */
static void test_removed_device(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	(void)passes(&run);
	take_away(&ports, 120);
	reconcile_mend(run.reconcile, 120);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) make ",
		   "a removed device is made again, and nothing else is looked at");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "others' changes go on");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "when it is there what reads it is planned again, and all is reported");
	take_away(&ports, 120);
	ports.pausing = 120;
	reconcile_mend(run.reconcile, 120);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=1)",
		   "one that pauses is reported as a failure at once");
	ports.pausing = 0;
	reconcile_mend(run.reconcile, 120);
	(void)passes(&run);
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)", "until it is there again");

	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	take_away(&ports, 120);
	ports.pausing = 120;
	reconcile_mend(run.reconcile, 120);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=1)", "one pauses again");
	drop(&run, "sg_rule/sg-ep/sgr-1");
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "meanwhile others' changes need no fresh report each");
	drop_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) remove ",
		   "its instance is deleted meanwhile, which does not wait for the end of the pause");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)",
		   "and the report after that says it no more");
	put_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) again", "the next one has no news");
	end(&run);
}

/* What could not be removed may stay for long. */
static void test_stuck_device(void)
{
	struct run run;

	begin(&run);
	ports.n_told_others = 1;
	tap_is_str(passes(&run), "all report(failures=1)", "a device that could not be removed is told");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "while it stays others' changes need no fresh report each");
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	ports.n_told_others = 0; /* also one that was queued */
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "but once devices have been worked on it may have gone");
	end(&run);
}

static void test_failed_device(void)
{
	struct run run;

	begin(&run);
	ports.failing = 101; /* i-p1 */
	tap_is_str(passes(&run), "all report(failures=1)", "a device cannot be made");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "what has nothing to do with it is a matter of its slices");
	ports.failing = 0;
	reconcile_device(run.reconcile, 1, "i-p1");
	tap_is_str(passes(&run), "all report(failures=0)",
		   "that the queue has mended it is told at once, by a pass of the whole");
	ports.failing = 101;
	reconcile_request(run.reconcile, false);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	ports.failing = 120;
	device_done(&run);
	tap_is_str(passes(&run), "all report(failures=1)",
		   "one that fails after a pass of slices makes the next one of the whole, which names it");
	ports.failing = 121;
	put_instance(&run, 1);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) all report(failures=1)",
		   "and so does one of which that is known before it is begun");
	end(&run);
}

/* Whether there is room now only a pass of the whole tells. */
static void test_no_room(void)
{
	struct run run;

	begin(&run);
	datapath.lacks_room = "instance/i-c";
	tap_is_str(passes(&run), "all report(failures=1)", "there is no room for an instance's address");
	datapath.lacks_room = NULL;
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "all report(failures=0)",
		   "that is no failed device: the next pass looks again");
	end(&run);
}

/* All of a node's ports fail, some for two reasons. */
static void test_many_failures(void)
{
	struct run run;

	begin(&run);
	ports.n_told_others = 3000;
	datapath.n_others_lack_room = 6000;
	datapath.lacks_room = "instance/i-c";
	tap_is_str(passes(&run), "all report(failures=6001)", "many failures: each is told once");
	end(&run);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_devices();
	test_meanwhile();
	test_news();
	test_heavy_news();
	test_removal();
	test_left_over();
	test_long_queue();
	test_failed_report();
	test_rest();
	test_removed_device();
	test_stuck_device();
	test_failed_device();
	test_no_room();
	test_many_failures();
	return tap_done();
}
