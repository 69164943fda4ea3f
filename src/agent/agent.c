/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start order: the lock, the data path (a restarted agent's program takes over here), VPC 0 and its sockets,
 * and only then the feed. Nothing is ever taken away on the way down: packets go on without us.
 */
#include "agent.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../lib/descriptors.h"
#include "../lib/log.h"
#include "../lib/notify.h"
#include "agent_lock.h"
#include "connectivity.h"
#include "health.h"
#include "node_name.h"
#include "query.h"
#include "reconcile.h"
#include "watch.h"

#define SWEEP_INTERVAL_MS 5000 /* of the clock: each second one ends an interval of the meter */
#define SWEEP_LATE_MS	  20   /* behind it, and never in front of it */
#define SWEEP_PAUSE_MS	  1    /* between the pieces of one */
#define READY_MS	  5000 /* after which it says so in any case */

struct agent {
	const struct agent_options *options;
	struct node_state state; /* who this node is */
	int lock_fd, node_fd;
	struct loop *loop;
	struct loop *urgent; /* within it: names and probes, which go on while long work breathes */
	struct catalogue *catalogue;
	struct snapshot *rows;
	struct plan_indexes *indexes;
	struct datapath *datapath;
	struct netns_files *files;
	struct ports *ports;
	struct dns *dns;
	struct health *health;
	struct hold *hold;
	struct kept_rows *kept;
	struct meter *meter;
	struct flow_log *flow_log;
	struct reconcile *reconcile;
	struct feed *feed;
	struct query *query;
	struct connectivity *connectivity;
	struct watch *watch;
	struct loop_source *term, *interrupt, *hangup, *sweep, *not_ready;
	int64_t sweep_ms;	    /* when the round over all flows began, since 1970 */
	bool is_sweeping;	    /* it goes on */
	bool is_ready;		    /* the service manager was told */
	bool is_connected, is_held; /* for its status */
};

static int path_in(const char *directory, const char *name, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/%s", directory, name);

	return r < 0 ? r : 0;
}

static int make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return log_errno(-errno, "cannot make directory=%s", path);
	return 0;
}

/* Who this node is. */

static int load_state(const struct agent_options *options, struct node_state *ret)
{
	int r = node_state_load(options->state_dir, ret);

	if (r == -EUCLEAN)
		log_error("cannot tell which node this is: file=%s/node.json is damaged: put it back from a "
			  "backup, or remove it, and the agent takes the name of the devices that are here",
			  options->state_dir);
	else if (r < 0 && r != -ENOENT)
		(void)log_errno(r, "cannot tell which node this is: cannot read file=%s/node.json",
				options->state_dir);
	return r;
}

static void keep_state(const struct agent *agent)
{
	int r = node_state_save(agent->options->state_dir, &agent->state);

	if (r < 0)
		log_warning("cannot write file=%s/node.json, ignoring: %s", agent->options->state_dir,
			    strerror(-r));
}

/* The kept rows are of this boot, and node.json is written before any row of a store: where they disagree,
 * the state directory is gone, another one, or came back from a backup. What is in force is of the store of
 * the rows. */
static bool is_of_another_store(const struct agent *agent, const char *kept, const char *store)
{
	return *store && streq(kept, agent->state.name) && !streq(store, agent->state.store);
}

static void go_by_kept_store(struct agent *agent, const char *store)
{
	if (streq(store, agent->state.store))
		return;
	if (*agent->state.store)
		log_warning("file=%s/node.json names another store (%s) than the one whose rows are in force "
			    "here (%s), as after a restore: going by what is in force",
			    agent->options->state_dir, agent->state.store, store);
	(void)str_copy(agent->state.store, sizeof(agent->state.store), store);
	agent->state.timeline[0] = '\0';
	agent->state.revision = 0; /* the rows have theirs */
}

static int learn_name(struct agent *agent)
{
	char host[HOST_NAME_MAX + 1] = "", name[sizeof(agent->state.name)], why[512];
	char kept[sizeof(agent->state.name)] = "", store[NODE_STORE_SIZE] = "";
	struct node_marks marks;
	struct node_name_sources sources = {
		.state_dir = agent->options->state_dir,
		.given = agent->options->node,
		.recorded = &agent->state,
		.marks = &marks,
		.host = host,
	};
	int r = load_state(agent->options, &agent->state), q;

	if (kept_rows_owner(agent->options->run_dir, kept, store) == 0)
		sources.kept = kept;
	if (r == -ENOENT)
		sources.recorded = NULL;
	else if (r < 0)
		return r;
	q = node_marks_list(&marks);
	if (q < 0)
		return log_errno(q, "cannot look up the node's devices");
	(void)gethostname(host, sizeof(host) - 1);
	q = node_name_decide(&sources, name, why, sizeof(why));
	if (q < 0) {
		log_error("%s", why);
		return q;
	}
	log_info("node=%s: its name is from %s", name, why);
	if (r == 0 && streq(agent->state.name, name) && !is_of_another_store(agent, kept, store))
		return 0;
	(void)str_copy(agent->state.name, sizeof(agent->state.name), name);
	if (sources.kept && streq(kept, name) && *store)
		go_by_kept_store(agent, store);
	keep_state(agent);
	return 0;
}

/* Of what is wrong with it, damage and devices of another node stay until an operator comes. */
static int identify(struct agent *agent)
{
	int r = learn_name(agent);

	return r == -EUCLEAN || r == -EEXIST ? -ENOTRECOVERABLE : r;
}

/* What happens. */

static void on_stop(void *context, uint32_t signal_number)
{
	struct agent *agent = context;

	log_info("stopping signal=%u: everything stays in force", signal_number);
	notify_send("STOPPING=1\nSTATUS=Stopping; everything stays in force");
	loop_exit(agent->loop, 0);
}

/* The settings, the instances' trust store, and everything that is there. */
static void on_hangup(void *context, uint32_t signal_number)
{
	struct agent *agent = context;
	int r = 0, q;

	(void)signal_number;
	log_info("reading the settings again");
	notify_reloading();
	if (agent->options->reread)
		r = agent->options->reread(agent->options->reread_context);
	q = netns_files_refresh(agent->files, NETNS_FILES_ALOUD);
	if (q < 0)
		log_warning("cannot copy the host's trust store file=%s, ignoring: %s",
			    netns_files_failed(agent->files), strerror(-q));
	reconcile_request(agent->reconcile, true);
	if (r < 0)
		log_error("the settings that stand stay in use: mend what "
			  "is wrong and reload privlink-agent again");
	else
		log_info("reloaded log level and trust store (other settings count from the next start)");
	notify_send("READY=1\nSTATUS=%s",
		    r < 0 ? "Running; the last reload failed (see the log)" : "Running");
}

/* Once privlinkd knows that the node is there, or cannot be asked: what is in force stays so without it. */
static void tell_status(struct agent *agent)
{
	const char *sentence = hold_sentence(agent->hold);

	notify_send("READY=1\nSTATUS=%s%s", sentence ? "Holding what is in force: " : "Running; ",
		    sentence		  ? sentence
		    : agent->is_connected ? "privlinkd takes the reports"
					  : "privlinkd cannot be reached, what is in force stays");
}

static void on_connected(void *context, bool connected)
{
	struct agent *agent = context;

	agent->is_ready = true;
	agent->is_connected = connected;
	tell_status(agent);
}

static void on_registered(void *context, uint32_t number)
{
	struct agent *agent = context;

	datapath_set_node(agent->datapath, number);
}

static bool on_server_health(void *context, const struct server_health *row)
{
	struct agent *agent = context;

	return health_hear(agent->health, agent->rows, row);
}

static void on_rows(void *context, const struct feed_rows *rows)
{
	struct agent *agent = context;

	if (agent->is_held)
		tell_status(agent);
	agent->is_held = false;
	reconcile_trust_rows(agent->reconcile, true);
	reconcile_rows(agent->reconcile, &rows->touched);
	connectivity_follow(agent->connectivity);
}

static void on_tested(void *context, uint32_t events)
{
	struct agent *agent = context;

	(void)events;
	feed_send(agent->feed);
}

static json_t *on_tests_wanted(void *context)
{
	struct agent *agent = context;

	return connectivity_report(agent->connectivity);
}

static void on_held(void *context)
{
	struct agent *agent = context;

	if (!agent->is_held)
		tell_status(agent);
	agent->is_held = true;
	reconcile_trust_rows(agent->reconcile, false);
}

static int on_accept_store(void *context, const char **ret_store)
{
	struct agent *agent = context;
	int r = hold_accept(agent->hold);

	*ret_store = agent->state.store;
	if (r == 0) {
		kept_rows_forget(agent->kept);
		feed_restart(agent->feed);
	}
	return r;
}

static const struct plan *on_plan_wanted(void *context)
{
	const struct agent *agent = context;

	return agent->reconcile ? reconcile_plan(agent->reconcile) : NULL;
}

static const struct meter *on_meter_wanted(void *context)
{
	const struct agent *agent = context;

	return agent->meter;
}

static const struct flow_log *on_flow_log_wanted(void *context)
{
	const struct agent *agent = context;

	return agent->flow_log;
}

static void on_health(void *context, uint32_t events)
{
	struct agent *agent = context;

	(void)events;
	reconcile_health(agent->reconcile);
}

/* Milliseconds since 1970. */
static int64_t now_unix_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void set_sweep(struct agent *agent)
{
	uint64_t since = (uint64_t)now_unix_ms() % SWEEP_INTERVAL_MS;

	loop_timer_set(agent->sweep, SWEEP_INTERVAL_MS - since + SWEEP_LATE_MS);
}

/* After a round has read what flows come to; it began at `sweep_ms`. */
static void measure(struct agent *agent)
{
	const struct plan *plan = reconcile_plan(agent->reconcile);
	int r = plan ? meter_read(agent->meter, agent->datapath, plan, agent->sweep_ms) : 0;

	if (r > 0)
		feed_tell_traffic(agent->feed);
	else if (r == -EAGAIN)
		log_info("the traffic of an interval is not known: it was not measured from end to end");
	else if (r < 0 && r != -EFBIG)
		log_warning("cannot measure traffic, ignoring: %s", strerror(-r));
}

static void on_sweep(void *context, uint32_t events)
{
	struct agent *agent = context;
	uint64_t ended = 0;
	int r;

	(void)events;
	if (!agent->is_sweeping)
		agent->sweep_ms = now_unix_ms();
	r = datapath_read_flows(agent->datapath, &ended);
	agent->is_sweeping = r > 0;
	if (r > 0) {
		loop_timer_set(agent->sweep, SWEEP_PAUSE_MS);
		return;
	}
	if (r < 0 && r != -EAGAIN)
		log_warning("cannot read flows, ignoring: %s", strerror(-r));
	if (ended)
		log_debug("ended flows of ports and endpoints that are gone n=%llu",
			  (unsigned long long)ended);
	if (r == 0) {
		/* Of who had free slots nothing is left. (What flows had counted that this round has ended,
		 * the next one takes away.) */
		if (!ended)
			plan_indexes_end_rest(agent->indexes);
		measure(agent);
	}
	set_sweep(agent);
}

/* A service manager would end it before long, and nothing gets better by that. */
static void on_not_ready(void *context, uint32_t events)
{
	struct agent *agent = context;

	(void)events;
	if (agent->is_ready)
		return;
	agent->is_ready = true;
	notify_send("READY=1\nSTATUS=Running; nothing could be reported yet (see the log)");
}

/* Start. */

static int load_catalogue(struct agent *agent)
{
	char why[256] = "";
	int r = catalogue_load(agent->options->catalogue, &agent->catalogue, why, sizeof(why));

	if (r < 0)
		log_error("cannot read catalogue=%s: %s", agent->options->catalogue,
			  *why ? why : strerror(-r));
	return r == -EINVAL ? -ENOTRECOVERABLE : r; /* what it says stays wrong, a file's fault may pass */
}

static int make_files(struct agent *agent)
{
	int r = netns_files_of_host(agent->options->state_dir, &agent->files);

	if (r < 0)
		return log_errno(r, "cannot set up the instances' files");
	netns_files_set_breath(agent->files, loop_breath(agent->loop));
	return 0;
}

static int open_datapath(struct agent *agent)
{
	struct datapath_options options = {
		.bpffs = agent->options->bpffs,
		.node = agent->state.name,
		.attach = agent->options->attach,
		.memory = agent->options->table_memory,
		.breath = loop_breath(agent->loop),
	};
	_cleanup_(freep) uint32_t *ifindexes = NULL;
	int r = ports_find_devices(options.node, &ifindexes, &options.n_ifindexes);

	if (r < 0)
		return log_errno(r, "cannot look up the node's devices");
	options.ifindexes = ifindexes;
	r = datapath_open(&options, &agent->datapath);
	if (r < 0)
		return r;
	r = plan_indexes_new(&agent->indexes);
	if (r == 0)
		r = datapath_adopt_indexes(agent->datapath, agent->indexes);
	return r < 0 ? log_errno(r, "cannot take over the data path's numbers") : 0;
}

static int open_ports(struct agent *agent)
{
	const struct ports_options options = {
		.node = agent->state.name,
		.files = agent->files,
		.programs = {datapath_attach, datapath_check, datapath_sweep_slot, agent->datapath},
		.breath = loop_breath(agent->loop),
	};
	int r = ports_new(&options, &agent->ports);

	if (r < 0)
		return log_errno(r, "cannot look up the node's devices");
	return ports_sync_node_port(agent->ports);
}

static int open_node_sockets(struct agent *agent)
{
	struct dns_options options = {
		.netns_fd = ports_node_netns(agent->ports),
		.resolv_conf = agent->options->resolv_conf,
	};
	int r;

	(void)netaddr_parse(PLAN_DNS_SOCKET, &options.listen_addr);
	r = dns_new(agent->urgent, &options, &agent->dns);
	if (r < 0)
		return log_errno(r, "cannot open the resolver's sockets");
	r = health_new(agent->urgent, ports_node_netns(agent->ports), on_health, agent, &agent->health);
	if (r < 0)
		return log_errno(r, "cannot start health probes");
	health_set_rows(agent->health, agent->rows);
	return 0;
}

static int make_flow_log(struct agent *agent)
{
	char directory[PATH_MAX];
	int r = path_in(agent->options->state_dir, "flow-log", directory);

	if (r == 0)
		r = flow_log_new(agent->loop, agent->datapath, directory, &agent->flow_log);
	return r < 0 ? log_errno(r, "cannot set up the flow log") : 0;
}

static int start_reconcile(struct agent *agent)
{
	const struct reconcile_parts parts = {
		.loop = agent->loop,
		.node = agent->state.name,
		.rows = agent->rows,
		.catalogue = agent->catalogue,
		.indexes = agent->indexes,
		.ports = agent->ports,
		.datapath = agent->datapath,
		.dns = agent->dns,
		.health = agent->health,
		.flow_log = agent->flow_log,
	};

	return reconcile_new(&parts, &agent->reconcile);
}

/* Without a word of the store here, what stands is all that there is to tell it by. */
static int look_for_instances(struct agent *agent)
{
	char(*instances)[ID_SIZE];
	size_t n;
	int r;

	if (*agent->state.store)
		return 0;
	r = node_marks_instances(agent->state.name, &instances, &n);
	if (r < 0)
		return log_errno(r, "cannot look up the node's devices");
	hold_set_found(agent->hold, instances, n);
	return 0;
}

/* What that means, and what to do. */
static void tell_unusable(const struct agent *agent, int r)
{
	const char *why = strerror(-r);

	if (r == -EUCLEAN)
		why = "the file is damaged";
	else if (r == -ESTALE)
		why = "they are another node's, store's or boot's, or older than what was in force";
	log_warning("cannot go on with the rows that were kept in file=%s/node.rows: %s: the node waits for "
		    "privlinkd, which sends them again; nothing is lost and what is in force stays, but "
		    "until then names are not answered and servers not probed; if privlinkd runs, there is "
		    "nothing to do, else start it",
		    agent->options->run_dir, why);
}

/* What was in force last: names, probes and backends are looked after at once, whether privlinkd is there or
 * not.
 */
static int open_kept_rows(struct agent *agent)
{
	char timeline[NODE_TIMELINE_SIZE];
	int r = hold_new(agent->loop, agent->options->state_dir, &agent->state, &agent->hold);

	if (r == 0)
		r = look_for_instances(agent);
	if (r == 0)
		r = kept_rows_new(agent->options->run_dir, agent->state.name, &agent->kept);
	if (r < 0)
		return r;
	r = kept_rows_load(agent->kept, agent->state.store, agent->state.revision, agent->rows, timeline);
	if (r == 0) {
		log_info("going on with the rows that were in force last, "
			 "until privlinkd is heard revision=%llu",
			 (unsigned long long)snapshot_revision(agent->rows));
		hold_took(agent->hold, timeline, snapshot_revision(agent->rows));
		reconcile_request(agent->reconcile, true);
	} else if (r != -ENOENT) {
		tell_unusable(agent, r);
	}
	return r == -ENOMEM ? r : 0;
}

static int make_meter(struct agent *agent)
{
	return meter_new(&agent->meter);
}

static int start_feed(struct agent *agent)
{
	const struct feed_handlers handlers = {
		.registered = on_registered,
		.connected = on_connected,
		.rows = on_rows,
		.held = on_held,
		.tests = on_tests_wanted,
		.context = agent,
		.health = on_server_health,
	};
	const struct feed_parts parts = {
		.snapshot = agent->rows, .hold = agent->hold, .kept = agent->kept, .meter = agent->meter};
	char socket_path[PATH_MAX];
	const struct feed_options options = {
		.socket_path = socket_path,
		.node = agent->state.name,
		.zones = agent->options->zones,
		.n_zones = agent->options->n_zones,
		.mtu = agent->options->mtu,
		.underlay = agent->options->underlay,
	};
	int r = path_in(agent->options->run_dir, "feed.sock", socket_path);

	if (r == 0)
		r = connectivity_new(agent->loop, agent->state.name, agent->rows, on_tested, agent,
				     &agent->connectivity);
	if (r == 0)
		r = feed_new(agent->loop, &options, &handlers, &parts, &agent->feed);
	if (r == 0)
		reconcile_set_feed(agent->reconcile, agent->feed);
	return r;
}

static int start_watching(struct agent *agent)
{
	const struct watch_parts parts = {
		.loop = agent->loop,
		.ports = agent->ports,
		.datapath = agent->datapath,
		.files = agent->files,
		.reconcile = agent->reconcile,
	};
	int r = watch_new(&parts, &agent->watch);

	if (r == 0)
		r = loop_add_timer(agent->loop, on_sweep, agent, &agent->sweep);
	if (r == 0)
		r = loop_add_timer(agent->loop, on_not_ready, agent, &agent->not_ready);
	if (r < 0)
		return r;
	set_sweep(agent);
	loop_timer_set(agent->not_ready, READY_MS);
	return 0;
}

static int start_query(struct agent *agent)
{
	const struct query_parts parts = {
		.datapath = agent->datapath,
		.accept_store = on_accept_store,
		.plan = on_plan_wanted,
		.meter = on_meter_wanted,
		.flow_log = on_flow_log_wanted,
		.context = agent,
	};
	char path[PATH_MAX];
	int r = path_in(agent->options->run_dir, "agent.sock", path);

	if (r < 0)
		return log_errno(r, "the run directory has too long a name");
	r = query_new(agent->loop, path, &parts, &agent->query);
	return r < 0 || !agent->options->metrics
		       ? r
		       : query_listen_metrics(agent->query, agent->options->metrics);
}

static int start_loop(struct agent *agent)
{
	int r;

	r = loop_new(&agent->loop);
	if (r == 0)
		r = loop_new_urgent(agent->loop, &agent->urgent);
	if (r < 0)
		return r;
	r = snapshot_new(&agent->rows);
	if (r < 0)
		return r;
	r = loop_add_signal(agent->loop, SIGTERM, on_stop, agent, &agent->term);
	if (r < 0)
		return r;
	r = loop_add_signal(agent->loop, SIGINT, on_stop, agent, &agent->interrupt);
	if (r < 0)
		return r;
	return loop_add_signal(agent->loop, SIGHUP, on_hangup, agent, &agent->hangup);
}

typedef int (*start_step)(struct agent *agent);

/* Up to the first that fails. */
static int take_steps(struct agent *agent, const start_step *steps)
{
	int r = 0;

	for (; *steps && r == 0; steps++)
		r = (*steps)(agent);
	return r;
}

static int start(struct agent *agent)
{
	static const start_step open_node[] = {
		load_catalogue,	   make_files,	  open_datapath, open_ports,
		open_node_sockets, make_flow_log, start_query,	 NULL, /* each says itself what is wrong */
	};
	static const start_step follow[] = {start_reconcile, start_watching, open_kept_rows,
					    make_meter,	     start_feed,     NULL};
	int r;

	r = start_loop(agent);
	if (r < 0)
		return log_errno(r, "cannot start");
	r = take_steps(agent, open_node);
	if (r < 0)
		return r;
	r = take_steps(agent, follow);
	return r < 0 ? log_errno(r, "cannot start") : 0;
}

static void done(struct agent *agent)
{
	connectivity_free(agent->connectivity);
	feed_free(agent->feed);
	meter_free(agent->meter);
	kept_rows_free(agent->kept);
	hold_free(agent->hold);
	query_free(agent->query);
	loop_source_free(agent->not_ready);
	loop_source_free(agent->sweep);
	watch_free(agent->watch);
	health_free(agent->health);
	dns_free(agent->dns);
	reconcile_free(agent->reconcile);
	flow_log_free(agent->flow_log);
	ports_free(agent->ports);
	netns_files_free(agent->files);
	datapath_free(agent->datapath);
	plan_indexes_free(agent->indexes);
	snapshot_free(agent->rows);
	catalogue_free(agent->catalogue);
	loop_source_free(agent->term);
	loop_source_free(agent->interrupt);
	loop_source_free(agent->hangup);
	loop_free(agent->urgent);
	loop_free(agent->loop);
	closep(&agent->node_fd);
	closep(&agent->lock_fd);
}

static int check_ca(struct agent *agent)
{
	int r = make_files(agent);

	if (r == 0)
		r = netns_files_check_ca(agent->files);
	netns_files_free(agent->files);
	return r;
}

int agent_check(const struct agent_options *options)
{
	struct agent agent = {.options = options};
	int r = load_catalogue(&agent), q;

	catalogue_free(agent.catalogue);
	if (access(options->resolv_conf, R_OK) < 0)
		log_warning("cannot read the node's resolvers file=%s: %s; "
			    "names outside of VPCs will not resolve",
			    options->resolv_conf, strerror(errno));
	q = check_ca(&agent);
	return r < 0 || q < 0 ? -EINVAL : 0;
}

int agent_run(const struct agent_options *options)
{
	struct agent agent = {.options = options, .lock_fd = -EBADF, .node_fd = -EBADF};
	int r;

	/* For as many probes, questions and files as there is room for. */
	if (descriptors_raise_limit() < 0)
		log_warning("cannot raise the limit of open files, ignoring");
	(void)umask(022); /* what it writes for instances is for every user in them */
	r = make_directory(options->run_dir);
	if (r == 0)
		r = make_directory(options->state_dir);
	if (r == 0)
		r = agent_take_lock(options->run_dir, &agent.lock_fd);
	if (r == 0)
		r = identify(&agent);
	if (r == 0)
		r = agent_take_node(agent.state.name, &agent.node_fd);
	if (r == 0)
		r = start(&agent);
	if (r == 0) {
		log_info("running node=%s", agent.state.name);
		r = loop_run(agent.loop);
		if (r < 0)
			(void)log_errno(r, "the loop failed");
	}
	done(&agent);
	return r;
}
