/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes make of servers' health. The rows, the plan, the loop, and what probes and rows say of health
 * are real, but for the probes; all else that a pass does is played here, and so is the clock.
 */
#include "agent/refused.h"
#include "tests/unit/reconcile_stand_ins.h"

#define BIG	  300 /* servers of a group: two of them are too many for a slice */
#define ENDPOINTS 129 /* more than a slice plans anew */
#define SMALL	  70  /* groups of as many accounts */
#define WHOLE_MS  100 /* that a pass of the whole takes */
#define CALM_MS	  400 /* that follow it */

/* Devices are there, and there is nothing to do with them. */

uint32_t ports_ifindex(void *context _unused_, uint32_t number)
{
	return 1000 + number;
}

int ports_sync(struct ports *p _unused_, const struct plan *plan _unused_, bool full _unused_,
	       struct failures *failures _unused_)
{
	return 0;
}

int ports_queue(struct ports *p _unused_, const struct plan *plan _unused_, const uint32_t *numbers _unused_,
		size_t n _unused_)
{
	return 0;
}

int ports_go_on(struct ports *p _unused_, const struct plan *plan _unused_, bool removes _unused_)
{
	return 0;
}

int ports_tell_queued(const struct ports *p _unused_, const struct plan *plan _unused_, bool removes _unused_,
		      struct failures *failures _unused_)
{
	return 0;
}

void ports_queue_rest(struct ports *p _unused_)
{
}

bool ports_are_queued(const struct ports *p _unused_)
{
	return false;
}

bool ports_are_busy(const struct ports *p _unused_)
{
	return false;
}

bool ports_are_behind(const struct ports *p _unused_)
{
	return false;
}

int ports_remove_others(struct ports *p _unused_, const struct plan *plan _unused_, bool full _unused_)
{
	return 0;
}

/* Tables. */

static bool refuses; /* slices of load balancers */

int datapath_sync_slices(struct datapath *d _unused_, const struct plan *plan _unused_,
			 const struct plan_patch *patch)
{
	if (refuses && patch->n_targets)
		return 1;
	note(patch->n_targets ? "serving " : patch->n_groups ? "rules " : "nothing ");
	return 0;
}

/* Probes, but for what comes of a plan when there is no memory (meson.build). */

static bool lacks_memory;

int __real_health_set_plan(struct health *health, const struct plan *plan);
int __wrap_health_set_plan(struct health *health, const struct plan *plan);
int __wrap_health_set_plan(struct health *health, const struct plan *plan)
{
	return lacks_memory ? -ENOMEM : __real_health_set_plan(health, plan);
}

/* Reports. */

int feed_report(struct feed *f _unused_, uint64_t revision _unused_, const struct failures *failures _unused_,
		const struct health_result *health _unused_, size_t n_health _unused_)
{
	note("report ");
	return 0;
}

int feed_report_again(struct feed *f _unused_, uint64_t revision _unused_)
{
	note("again ");
	return 0;
}

/* The agent. */

struct run {
	struct world w;
	struct loop *loop, *urgent;
	struct health *health;
	struct reconcile *reconcile;
	struct plan_touched touched;
};

/* What is done within so many milliseconds. */
static const char *passes(struct run *run, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++) {
		clock_ms++;
		(void)loop_turn(run->loop, 0);
	}
	return take_told();
}

static void on_health(void *context, uint32_t events _unused_)
{
	struct run *run = context;

	reconcile_health(run->reconcile);
}

static bool on_server_health(void *context, const struct server_health *row)
{
	struct run *run = context;

	return health_hear(run->health, run->w.rows, row);
}

static void put(struct run *run, const char *key, const char *value)
{
	json_t *json = json_loads(value, 0, NULL);

	if (!json)
		exit(EXIT_FAILURE);
	run->touched.hearer = (struct plan_hearer){on_server_health, run};
	world_apply(&run->w, &run->touched, key, json);
	json_decref(json);
}

/* The answer has been taken. */
static void took(struct run *run)
{
	reconcile_rows(run->reconcile, &run->touched);
	run->touched = (struct plan_touched){};
}

/* Another node has found a server so. */
static void put_health(struct run *run, const char *group, uint32_t server, bool healthy)
{
	char key[KEY_SIZE], value[256];

	(void)str_format(key, sizeof(key), "server_health/%s/10.9.%u.%u/80", group, server / 200,
			 server % 200);
	(void)str_format(value, sizeof(value),
			 "{\"group\": \"%s\", \"server_id\": \"10.9.%u.%u\", \"port\": 80, \"node\": "
			 "\"n2\"%s}",
			 group, server / 200, server % 200, healthy ? ", \"healthy\": true" : "");
	put(run, key, value);
}

static void revoke_rule(struct run *run, const char *policy)
{
	char value[512];

	(void)str_format(
		value, sizeof(value),
		"{\"id\": \"sgr-1\", \"group\": \"sg-ep\", \"direction\": \"ingress\", \"policy\": "
		"\"%s\", \"priority\": 1, \"protocol\": \"TCP\", \"port_first\": 443, \"port_last\": "
		"443, \"cidr\": \"10.0.0.0/16\"}",
		policy);
	put(run, "sg_rule/sg-ep/sgr-1", value);
}

/* An account's group, at a port of the load balancer, with so many servers elsewhere. */
static void add_served_group(struct world *w, const char *balancer, const char *group, uint32_t port,
			     uint32_t n_servers)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "server_group/%s", group);
	rows_put(w->rows, key,
		 "{'id': '%s', 'owner': %u, 'vpc': 'vpc-p', 'by_address': true, 'protocol': 'TCP', "
		 "'health_enabled': true, 'health_interval_s': 1, 'health_timeout_s': 2, "
		 "'healthy_threshold': 2, 'unhealthy_threshold': 3, 'status': 'Available'}",
		 group, port);
	(void)str_format(key, sizeof(key), "listener/lsn-%u", port);
	rows_put(w->rows, key,
		 "{'id': 'lsn-%u', 'load_balancer': '%s', 'server_group': '%s', 'protocol': 'TCP', "
		 "'port': %u, 'idle_timeout_s': 900, 'status': 'Running'}",
		 port, balancer, group, port);
	for (uint32_t i = 0; i < n_servers; i++) {
		(void)str_format(key, sizeof(key), "server/%s/10.9.%u.%u/80", group, i / 200, i % 200);
		rows_put(w->rows, key,
			 "{'group': '%s', 'server_id': '10.9.%u.%u', 'addr': '10.9.%u.%u', 'zone': '" ZONE_H
			 "', 'port': 80, 'weight': 100, 'node': 'n2', 'status': 'Available'}",
			 group, i / 200, i % 200, i / 200, i % 200);
	}
}

/* A load balancer with a single server, whose zone answers or not to that many endpoints. */
static void add_much_used(struct world *w)
{
	rows_put(w->rows, "load_balancer/nlb-2",
		 "{'id': 'nlb-2', 'vpc': 'vpc-p', 'zones': ['" ZONE_H "'], 'status': 'Active'}");
	add_served_group(w, "nlb-2", "sgp-used", 83, 1);
	world_instance(w, "p3", 103, "p", ZONE_H, "10.9.0.0", "sg-p", "n2");
	rows_put(w->rows, "address/vpc-p/10.9.0.0", "{'vpc': 'vpc-p', 'addr': '10.9.0.0', 'port': 'eni-p3'}");
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "endpoint/ep-u%u", i);
		rows_put(w->rows, key,
			 "{'id': 'ep-u%u', 'vpc': 'vpc-c', 'service': 'epsrv-1', 'type': 'Interface', "
			 "'domain': 'ep-u%u.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com', 'groups': "
			 "['sg-ep'], 'status': 'Active'}",
			 i, i);
		(void)str_format(key, sizeof(key), "connection/ep-u%u", i);
		rows_put(w->rows, key, "{'endpoint': 'ep-u%u', 'service': 'epsrv-1', 'status': 'Connected'}",
			 i);
		(void)str_format(key, sizeof(key), "port/eni-u%u", i);
		rows_put(w->rows, key,
			 "{'id': 'eni-u%u', 'number': %u, 'kind': 'endpoint', 'zone': '" ZONE_H
			 "', 'vpc': 'vpc-c', 'vswitch': 'vsw-c-h', 'addr': '10.0.1.%u', 'mac': "
			 "'02:00:00:00:01:%02x', 'mtu': 1500, 'groups': ['sg-ep'], 'holder': 'ep-u%u', "
			 "'status': 'InUse'}",
			 i, 1000 + i, 100 + i, i, i);
		(void)str_format(key, sizeof(key), "endpoint_zone/ep-u%u/" ZONE_H, i);
		rows_put(w->rows, key,
			 "{'endpoint': 'ep-u%u', 'zone': '" ZONE_H "', 'vswitch': 'vsw-c-h', 'port': "
			 "'eni-u%u', 'addr': '10.0.1.%u', 'domain': 'ep-u%u-h.example', 'resource': 'nlb-2', "
			 "'status': 'Connected'}",
			 i, i, 100 + i, i);
	}
}

static void begin(struct run *run)
{
	struct reconcile_parts parts = {.node = "n1", .catalogue = &world_catalogue, .datapath = &datapath};

	*run = (struct run){};
	feed = (struct feed){};
	datapath = (struct datapath){.takes_ms = WHOLE_MS};
	refuses = false;
	world_new(&run->w);
	rows_put(run->w.rows, "server_group/sgp-1",
		 "{'id': 'sgp-1', 'vpc': 'vpc-p', 'protocol': 'TCP', 'status': 'Available'}"); /* no probes */
	add_served_group(&run->w, "nlb-1", "sgp-a", 81, BIG);
	add_served_group(&run->w, "nlb-1", "sgp-b", 82, BIG);
	add_much_used(&run->w);
	for (uint32_t i = 0; i < SMALL; i++) {
		char group[ID_SIZE];

		(void)str_format(group, sizeof(group), "sgp-s%u", i);
		add_served_group(&run->w, "nlb-1", group, 1000 + i, 1);
	}
	parts.rows = run->w.rows;
	parts.indexes = run->w.indexes;
	if (loop_new(&run->loop) < 0 || loop_new_urgent(run->loop, &run->urgent) < 0 ||
	    health_new(run->urgent, -EBADF, on_health, run, &run->health) < 0)
		exit(EXIT_FAILURE);
	parts.loop = run->loop;
	parts.health = run->health;
	if (reconcile_new(&parts, &run->reconcile) < 0)
		exit(EXIT_FAILURE);
	reconcile_set_feed(run->reconcile, &feed);
	reconcile_request(run->reconcile, true);
	tap_is_str(passes(run, 10), "all report ", "the first pass is one of the whole");
}

static void end(struct run *run)
{
	health_free(run->health);
	reconcile_free(run->reconcile);
	loop_free(run->urgent);
	loop_free(run->loop);
	world_free(&run->w);
}

/* Other nodes find servers ill, of groups that do not fit in one slice. */
static void test_rows(void)
{
	struct run run;

	begin(&run);
	put_health(&run, "sgp-a", 0, false);
	put_health(&run, "sgp-b", 0, false);
	took(&run);
	tap_is_str(passes(&run, 8), "serving again ", "health in rows: one group is planned");
	tap_is_str(passes(&run, 20), "serving report ", "and then the other one, and never the whole");
	put_health(&run, "sgp-a", 0, false);
	took(&run);
	tap_is_str(passes(&run, 20), "again ", "what is as it was is no pass");
	put_health(&run, "sgp-a", 0, true);
	put_health(&run, "sgp-b", 0, true);
	revoke_rule(&run, "Drop");
	took(&run);
	tap_ok(!strstr(passes(&run, 40), "all"), "nor are both together with what else has changed");
	tap_is_int((long long)snapshot_revision(run.w.rows),
		   (long long)reconcile_plan(run.reconcile)->revision, "which is in force");
	end(&run);
}

static uint32_t count(const char *text, const char *word)
{
	uint32_t n = 0;

	while ((text = strstr(text, word))) {
		n++;
		text++;
	}
	return n;
}

/* How often the whole is planned while a server of that group is ill and well all the time. */
static uint32_t wholes_while_flapping(struct run *run, const char *group, uint64_t ms)
{
	uint64_t end_ms = clock_ms + ms;
	uint32_t n = 0;

	for (uint32_t i = 0; clock_ms < end_ms; i++) {
		put_health(run, group, 0, i % 2);
		took(run);
		n += count(passes(run, 20), "all ");
	}
	return n;
}

/* That it is too much comes out only when it is tried: the only server of a zone with very many endpoints. */
static void test_refused(void)
{
	struct run run;

	begin(&run);
	put_health(&run, "sgp-used", 0, false);
	revoke_rule(&run, "Drop");
	took(&run);
	tap_is_str(passes(&run, 20), "rules again all report ",
		   "refused: the first time the whole is planned at once, behind a rule that is reported");
	put_health(&run, "sgp-used", 0, true);
	took(&run);
	tap_ok(!strstr(passes(&run, 20), "all"), "refused: and then not, as long as it has to be calm");
	revoke_rule(&run, "Accept");
	took(&run);
	tap_is_str(passes(&run, 20), "rules again ", "refused: rules are a matter of slices meanwhile");
	put_health(&run, "sgp-a", 0, false);
	took(&run);
	tap_is_str(passes(&run, 20), "serving again ", "refused: and so are others' servers");
	tap_ok(strstr(passes(&run, CALM_MS), "all report "), "refused: then it is the turn of the whole");
	tap_is_int(wholes_while_flapping(&run, "sgp-used", 10 * (WHOLE_MS + CALM_MS)), 10,
		   "refused: so it is once each time, however often the server is ill and well");
	revoke_rule(&run, "Drop");
	took(&run);
	tap_is_str(passes(&run, 20), "rules again ", "refused: and rules wait at no time");
	end(&run);
}

/* Others were found out of together with it: whose fault it was comes out when each is tried by itself. */
static void test_innocent(void)
{
	struct run run;
	uint32_t n = 0, wholes = 0;

	begin(&run);
	put_health(&run, "sgp-a", 0, false);
	put_health(&run, "sgp-used", 0, false);
	took(&run);
	tap_is_str(passes(&run, 20), "all report ", "refused: what is found at once is refused with it");
	put_health(&run, "sgp-a", 0, true);
	put_health(&run, "sgp-used", 0, true);
	took(&run);
	tap_is_str(passes(&run, 20), "serving again all report ",
		   "refused: the next time each is tried by itself, and it comes out whose fault it was");
	for (uint32_t i = 0; i < CALM_MS / 20; i++) {
		const char *told;

		put_health(&run, "sgp-a", 0, i % 2);
		put_health(&run, "sgp-used", 0, i % 2);
		took(&run);
		told = passes(&run, 20);
		n += count(told, "serving again");
		wholes += count(told, "all ");
	}
	tap_is_int(n, CALM_MS / 20, "refused: others' servers wait at no time from there on");
	tap_is_int(wholes, 1, "refused: while for its own the whole is planned when it has been calm");
	(void)passes(&run, 3 * (WHOLE_MS + CALM_MS));
	put_health(&run, "sgp-a", 0, true);
	put_health(&run, "sgp-b", 0, true);
	took(&run);
	tap_is_int(count(passes(&run, 20), "serving"), 1,
		   "refused: when all have been calm they are tried together again");
	end(&run);
}

/* That tables want a sync of all is no fault of whose servers are found then. */
static void test_crowded(void)
{
	struct run run;

	begin(&run);
	datapath.is_crowded = true;
	put_health(&run, "sgp-a", 0, false);
	took(&run);
	tap_is_str(passes(&run, 20), "all report ", "crowded: the tables want a sync of all first");
	put_health(&run, "sgp-a", 0, true);
	took(&run);
	tap_is_str(passes(&run, 20), "serving again ",
		   "crowded: whose servers it met has waited for that alone");
	end(&run);
}

/* How often the whole is planned when a server of each of many accounts is found so, one after the other. */
static uint32_t wholes_of_many(struct run *run, bool healthy)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SMALL; i++) {
		char group[ID_SIZE];

		(void)str_format(group, sizeof(group), "sgp-s%u", i);
		put_health(run, group, 0, healthy);
		took(run);
		n += count(passes(run, 5), "all ");
	}
	return n;
}

/* Of more accounts than are remembered. */
static void test_refused_of_many(void)
{
	struct run run;

	begin(&run);
	refuses = true;
	tap_is_int(wholes_of_many(&run, false), REFUSED_MAX, "refused: each account may have it once");
	tap_is_int(wholes_of_many(&run, true), 0,
		   "refused: then all wait for the same pass, also those that are not remembered");
	refuses = false;
	tap_ok(strstr(passes(&run, CALM_MS), "all report "), "refused: which comes when it has been calm");
	(void)passes(&run, CALM_MS);
	put_health(&run, "sgp-a", 0, false);
	took(&run);
	tap_is_str(passes(&run, 20), "serving again ", "refused: and later everyone is tried again");
	end(&run);
}

/* What lacks room, or could not be written at all, is no matter of slices; whoever's servers it is that are
 * ill and well. */
static void test_no_slices(void)
{
	struct run run;

	begin(&run);
	datapath.lacks_room = "listener/lsn-82";
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run, 20), "all report ", "no slices: there is no room for something");
	tap_ok(wholes_while_flapping(&run, "sgp-a", 10 * (WHOLE_MS + CALM_MS)) <= 20,
	       "no slices: health makes passes of the whole with pauses, besides tries that do not wait");
	revoke_rule(&run, "Drop");
	took(&run);
	tap_is_str(passes(&run, 10), "all report ", "and a rule makes one at once");
	datapath.lacks_room = NULL;
	datapath.broken = -EIO;
	reconcile_request(run.reconcile, false);
	(void)passes(&run, 10);
	tap_ok(wholes_while_flapping(&run, "sgp-a", 10 * (WHOLE_MS + CALM_MS)) <= 20,
	       "no slices: also where tables cannot be written");
	revoke_rule(&run, "Accept");
	took(&run);
	tap_ok(count(passes(&run, 10), "all ") > 0, "and a rule makes one at once");
	end(&run);
}

static bool fits_always(void *context _unused_, const struct plan_touched *touched _unused_)
{
	return true;
}

/* Some servers are not probed then, which no result of theirs would ever mend. */
static void test_no_memory(void)
{
	struct run run;

	begin(&run);
	lacks_memory = true;
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run, 20), "all report ", "no memory for probes: what else is planned is in force");
	lacks_memory = false;
	tap_is_str(passes(&run, 1000), "all report ", "no memory for probes: it is tried once more");
	end(&run);
}

/* It may be told in the middle of something else. */
static void test_told(void)
{
	struct plan_touched touched = {};
	struct run run;

	begin(&run);
	put_health(&run, "sgp-a", 0, false);
	run.touched = (struct plan_touched){};
	reconcile_health(run.reconcile);
	(void)health_take_touched(run.health, fits_always, NULL, &touched);
	tap_is_int((long long)touched.server_groups.n, 1, "that there is something is noted and no more");
	end(&run);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_rows();
	test_refused();
	test_innocent();
	test_crowded();
	test_refused_of_many();
	test_no_slices();
	test_no_memory();
	test_told();
	return tap_done();
}
