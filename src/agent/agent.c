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
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/pid_file.h"
#include "health.h"
#include "query.h"
#include "reconcile.h"

#define SWEEP_INTERVAL_MS 5000
#define LOOK_INTERVAL_MS  5000
#define ETC_NETNS	  "/etc/netns"
#define HOST_SSL	  "/etc/ssl"

struct agent {
	const struct agent_options *options;
	int lock_fd, monitor_fd;
	struct loop *loop;
	struct catalogue *catalogue;
	struct snapshot *rows;
	struct plan_indexes *indexes;
	struct datapath *datapath;
	struct netns_files *files;
	struct ports *ports;
	struct dns *dns;
	struct health *health;
	struct reconcile *reconcile;
	struct feed *feed;
	struct query *query;
	struct loop_source *term, *interrupt, *monitor, *sweep, *look;
};

int agent_node_name(const char *host_name, bool strict, char *ret, size_t size)
{
	size_t n = 0, max = MIN(size - 1, (size_t)PORT_NODE_NAME_MAX);

	for (const char *c = host_name; *c && n < max; c++) {
		bool is_good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			       (*c >= '0' && *c <= '9') || ((*c == '-' || *c == '_') && n > 0);

		if (!is_good)
			break;
		ret[n++] = *c;
	}
	ret[n] = '\0';
	return n == 0 || (strict && host_name[n]) ? -EINVAL : 0;
}

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

/* One agent for each run directory. The lock goes with the process. */
static int take_lock(const char *run_dir, int *ret_fd)
{
	char path[PATH_MAX];
	int r;

	r = path_in(run_dir, "agent.pid", path);
	if (r < 0)
		return log_errno(r, "the run directory has too long a name");
	r = pid_file_take(path, ret_fd);
	if (r == -EBUSY)
		return log_errno(r, "an agent runs already file=%s", path);
	return r < 0 ? log_errno(r, "cannot take pid file=%s", path) : 0;
}

/* What happens. */

static void on_stop(void *context, uint32_t signal_number)
{
	struct agent *agent = context;

	log_info("stopping signal=%u: everything stays in force", signal_number);
	loop_exit(agent->loop, 0);
}

static void on_registered(void *context, uint32_t number)
{
	struct agent *agent = context;

	datapath_set_node(agent->datapath, number);
}

static void on_rows(void *context, const struct feed_rows *rows)
{
	struct agent *agent = context;

	(void)rows;
	reconcile_request(agent->reconcile, false);
}

static void on_health(void *context, uint32_t events)
{
	struct agent *agent = context;

	(void)events;
	reconcile_request(agent->reconcile, false);
}

static void on_link_gone(void *context, uint32_t ifindex)
{
	struct agent *agent = context;

	if (ports_forget_link(agent->ports, ifindex))
		reconcile_request(agent->reconcile, false);
}

static void on_link_event(void *context, uint32_t events)
{
	struct agent *agent = context;

	(void)events;
	if (rtnl_monitor_drain(agent->monitor_fd, on_link_gone, agent) > 0)
		reconcile_request(agent->reconcile, true);
}

static void on_sweep(void *context, uint32_t events)
{
	struct agent *agent = context;
	uint64_t deleted = 0;
	int r = datapath_sweep_flows(agent->datapath, &deleted);

	(void)events;
	if (r < 0 && r != -EAGAIN)
		log_warning("cannot sweep flows, ignoring: %s", strerror(-r));
	if (deleted)
		log_debug("swept flows n=%llu", (unsigned long long)deleted);
	loop_timer_set(agent->sweep, SWEEP_INTERVAL_MS);
}

/* What someone else may have changed under us, as far as a look at it costs nothing. */
static void on_look(void *context, uint32_t events)
{
	struct agent *agent = context;
	int r = netns_files_refresh(agent->files);

	(void)events;
	if (r < 0)
		log_warning("cannot copy the host's trust store, ignoring: %s", strerror(-r));
	if (datapath_repair_pins(agent->datapath) > 0)
		reconcile_request(agent->reconcile, true);
	loop_timer_set(agent->look, LOOK_INTERVAL_MS);
}

/* Start. */

static int load_catalogue(struct agent *agent)
{
	char why[256] = "";
	int r = catalogue_load(agent->options->catalogue, &agent->catalogue, why, sizeof(why));

	return r < 0 ? log_errno(r, "cannot read catalogue=%s %s", agent->options->catalogue, why) : 0;
}

static int make_files(const struct agent_options *options, struct netns_files **ret)
{
	const struct netns_files_options files = {
		.directory = ETC_NETNS,
		.host_ssl = HOST_SSL,
		.state_dir = options->state_dir,
	};
	int r = netns_files_new(&files, ret);

	return r < 0 ? log_errno(r, "cannot set up the instances' files") : 0;
}

static int open_datapath(struct agent *agent)
{
	const struct datapath_options options = {
		.bpffs = agent->options->bpffs,
		.node = agent->options->node,
		.attach = agent->options->attach,
	};
	int r = datapath_open(&options, &agent->datapath);

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
		.node = agent->options->node,
		.files = agent->files,
		.attach = datapath_attach,
		.attach_context = agent->datapath,
	};
	int r = ports_new(&options, &agent->ports);

	if (r < 0)
		return log_errno(r, "cannot look up the node's devices");
	return ports_sync_service(agent->ports);
}

static int open_service_sockets(struct agent *agent)
{
	struct dns_options options = {
		.netns_fd = ports_service_netns(agent->ports),
		.resolv_conf = agent->options->resolv_conf,
	};
	int r;

	(void)netaddr_parse(PLAN_DNS_SOCKET, &options.listen_addr);
	r = dns_new(agent->loop, &options, &agent->dns);
	if (r < 0)
		return log_errno(r, "cannot open the resolver's sockets");
	r = health_new(agent->loop, ports_service_netns(agent->ports), on_health, agent, &agent->health);
	return r < 0 ? log_errno(r, "cannot start health probes") : 0;
}

static int start_reconcile(struct agent *agent)
{
	const struct reconcile_parts parts = {
		.loop = agent->loop,
		.node = agent->options->node,
		.rows = agent->rows,
		.catalogue = agent->catalogue,
		.indexes = agent->indexes,
		.ports = agent->ports,
		.datapath = agent->datapath,
		.dns = agent->dns,
		.health = agent->health,
	};

	return reconcile_new(&parts, &agent->reconcile);
}

static int start_feed(struct agent *agent)
{
	const struct feed_handlers handlers = {
		.registered = on_registered, .rows = on_rows, .context = agent};
	char socket_path[PATH_MAX];
	const struct feed_options options = {
		.socket_path = socket_path,
		.node = agent->options->node,
		.zones = agent->options->zones,
		.n_zones = agent->options->n_zones,
		.mtu = agent->options->mtu,
		.underlay = agent->options->underlay,
	};
	int r = path_in(agent->options->run_dir, "feed.sock", socket_path);

	if (r == 0)
		r = feed_new(agent->loop, &options, &handlers, agent->rows, &agent->feed);
	if (r == 0)
		reconcile_set_feed(agent->reconcile, agent->feed);
	return r;
}

static int start_watching(struct agent *agent)
{
	int r;

	agent->monitor_fd = rtnl_monitor_open();
	if (agent->monitor_fd < 0)
		return agent->monitor_fd;
	r = loop_add_fd(agent->loop, agent->monitor_fd, EPOLLIN, on_link_event, agent, &agent->monitor);
	if (r == 0)
		r = loop_add_timer(agent->loop, on_sweep, agent, &agent->sweep);
	if (r == 0)
		r = loop_add_timer(agent->loop, on_look, agent, &agent->look);
	if (r < 0)
		return r;
	loop_timer_set(agent->sweep, SWEEP_INTERVAL_MS);
	on_look(agent, 0);
	return 0;
}

static int start_query(struct agent *agent)
{
	char path[PATH_MAX];
	int r = path_in(agent->options->run_dir, "agent.sock", path);

	return r < 0 ? log_errno(r, "the run directory has too long a name")
		     : query_new(agent->loop, path, agent->datapath, &agent->query);
}

static int start(struct agent *agent)
{
	int r = loop_new(&agent->loop);

	if (r == 0)
		r = snapshot_new(&agent->rows);
	if (r == 0)
		r = loop_add_signal(agent->loop, SIGTERM, on_stop, agent, &agent->term);
	if (r == 0)
		r = loop_add_signal(agent->loop, SIGINT, on_stop, agent, &agent->interrupt);
	if (r < 0)
		return log_errno(r, "cannot start");
	r = load_catalogue(agent);
	if (r == 0)
		r = make_files(agent->options, &agent->files);
	if (r == 0)
		r = open_datapath(agent);
	if (r == 0)
		r = open_ports(agent);
	if (r == 0)
		r = open_service_sockets(agent);
	if (r == 0)
		r = start_query(agent);
	if (r < 0)
		return r;
	r = start_reconcile(agent);
	if (r == 0)
		r = start_watching(agent);
	if (r == 0)
		r = start_feed(agent);
	return r < 0 ? log_errno(r, "cannot start") : 0;
}

static void done(struct agent *agent)
{
	feed_free(agent->feed);
	query_free(agent->query);
	loop_source_free(agent->look);
	loop_source_free(agent->sweep);
	loop_source_free(agent->monitor);
	health_free(agent->health);
	dns_free(agent->dns);
	reconcile_free(agent->reconcile);
	ports_free(agent->ports);
	netns_files_free(agent->files);
	datapath_free(agent->datapath);
	plan_indexes_free(agent->indexes);
	snapshot_free(agent->rows);
	catalogue_free(agent->catalogue);
	loop_source_free(agent->term);
	loop_source_free(agent->interrupt);
	loop_free(agent->loop);
	closep(&agent->monitor_fd);
	closep(&agent->lock_fd);
}

int agent_run(const struct agent_options *options)
{
	struct agent agent = {.options = options, .lock_fd = -EBADF, .monitor_fd = -EBADF};
	int r;

	(void)umask(022); /* what it writes for instances is for every user in them */
	r = make_directory(options->run_dir);
	if (r == 0)
		r = make_directory(options->state_dir);
	if (r == 0)
		r = take_lock(options->run_dir, &agent.lock_fd);
	if (r == 0)
		r = start(&agent);
	if (r == 0) {
		log_info("running node=%s", options->node);
		r = loop_run(agent.loop);
		if (r < 0)
			(void)log_errno(r, "the loop failed");
	}
	done(&agent);
	return r;
}

static void remove_files(const struct agent_options *options)
{
	static const char *const names[] = {"agent.sock", "agent.pid"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (path_in(options->run_dir, names[i], path) == 0)
			(void)unlink(path);
}

static int remove_devices(const struct agent_options *options)
{
	struct ports_options ports_options = {.node = options->node};
	struct netns_files *files;
	struct ports *ports;
	int r;

	r = make_files(options, &files);
	if (r < 0)
		return r;
	ports_options.files = files;
	r = ports_new(&ports_options, &ports);
	if (r < 0) {
		(void)log_errno(r, "cannot look up the node's devices");
	} else {
		r = ports_remove_all(ports);
		if (r < 0)
			(void)log_errno(r, "cannot remove all devices");
		ports_free(ports);
	}
	netns_files_remove_copy(files);
	netns_files_free(files);
	return r;
}

int agent_remove(const struct agent_options *options)
{
	const struct datapath_options datapath = {.bpffs = options->bpffs, .node = options->node};
	_cleanup_(closep) int lock_fd = -EBADF;
	int r = 0, q;

	if (access(options->run_dir, F_OK) == 0)
		r = take_lock(options->run_dir, &lock_fd);
	if (r < 0)
		return r;
	/* Devices first: without them no program runs, and the pins can go in any order. */
	r = remove_devices(options);
	q = datapath_remove_pins(&datapath);
	remove_files(options);
	return r < 0 ? r : q;
}
