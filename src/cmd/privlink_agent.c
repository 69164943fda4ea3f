/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink-agent: the node's daemon. Options, the checks that can be made before anything starts, and the one
 * call.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <curl/curl.h>

#include "../agent/agent.h"
#include "../agent/node_state.h"
#include "../agent/query.h"
#include "../lib/log.h"
#include "../lib/notify.h"
#include "../lib/options.h"
#include "exit_status.h"

#define MTU_WITHOUT_UNDERLAY 1500
#define TABLE_MEMORY_MAX_MIB 16777216

struct arguments {
	int argc;
	char **argv;
	char *config, *node, *zones, *run_dir, *state_dir, *bpffs, *attach, *underlay, *resolv_conf,
		*catalogue, *metrics;
	unsigned int table_memory; /* MiB */
	enum log_level level;
	bool check, remove, version, help;
	const char *zone_names[NODE_ZONES_MAX]; /* they point into `zones` */
};

static int is_node(const char *value)
{
	return node_name_is_good(value) ? 0 : -EINVAL;
}

static int is_zones(const char *value)
{
	size_t n = 0;

	for (const char *zone = value + strspn(value, ","); *zone; zone += strspn(zone, ","), n++)
		zone += strcspn(zone, ",");
	return n > 0 && n <= NODE_ZONES_MAX ? 0 : -EINVAL;
}

static int is_attach(const char *value)
{
	enum attach_mode mode;

	return attach_mode_parse(value, &mode);
}

static int is_address(const char *value)
{
	struct netaddr address;

	return netaddr_parse(value, &address);
}

static int is_memory(const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	return value[0] < '0' || value[0] > '9' || *end || n < 1 || n > TABLE_MEMORY_MAX_MIB ? -EINVAL : 0;
}

#define MEMBER(m) offsetof(struct arguments, m)

/* clang-format off */
static const struct option_row rows[] = {
	{ "config", OPTION_TEXT, MEMBER(config), NULL, "FILE", "read options from FILE: lines \"name = value\", # comments", OPTION_ARGUMENT },
	{ "node", OPTION_TEXT, MEMBER(node), NULL, "NAME", "name of this node; else as before, and at first the host's name",
	  .check = is_node, .expected = NODE_NAME_RULE },
	{ "zones", OPTION_TEXT, MEMBER(zones), NULL, "A,B", "zones that this node serves; else all",
	  .check = is_zones, .expected = "zones, separated by commas" },
	{ "run-dir", OPTION_TEXT, MEMBER(run_dir), "/run/privlink", "DIR", "sockets and pid file" },
	{ "state-dir", OPTION_TEXT, MEMBER(state_dir), "/var/lib/privlink", "DIR", "node.json, ca.crt, copy of the trust store" },
	{ "bpffs", OPTION_TEXT, MEMBER(bpffs), "/sys/fs/bpf/privlink", "DIR", "where BPF objects are pinned" },
	{ "attach", OPTION_TEXT, MEMBER(attach), "auto", "HOW", "auto, tcx or clsact",
	  .check = is_attach, .expected = "auto, tcx or clsact" },
	{ "underlay", OPTION_TEXT, MEMBER(underlay), NULL, "ADDRESS", "this node's address for other nodes",
	  .check = is_address, .expected = "an address" },
	{ "resolv-conf", OPTION_TEXT, MEMBER(resolv_conf), "/etc/resolv.conf", "FILE", "the node's own resolvers" },
	{ "catalogue", OPTION_TEXT, MEMBER(catalogue), PRIVLINK_DATADIR "/catalogue.json", "FILE", "regions, zones and system services" },
	{ "metrics", OPTION_TEXT, MEMBER(metrics), NULL, "ADDR:PORT", "answer GET /metrics there, to whoever asks (text for Prometheus)",
	  .check = query_address_check, .expected = "ADDRESS:PORT" },
	{ "table-memory", OPTION_NUMBER, MEMBER(table_memory), NULL, "MIB", "size the data path's tables as for a machine with so much memory; else this one's",
	  .check = is_memory, .expected = "a number of MiB from 1 to 16777216" },
	{ "log-level", OPTION_LEVEL, MEMBER(level), "info", "LEVEL", "error, warning, info or debug" },
	{ "check", OPTION_SWITCH, MEMBER(check), NULL, NULL, "say whether all of this could be used, and start nothing", OPTION_ARGUMENT },
	{ "remove", OPTION_SWITCH, MEMBER(remove), NULL, NULL, "take away everything that privlink-agent made on this node", OPTION_ARGUMENT },
	{ "help", OPTION_SWITCH, MEMBER(help), NULL, NULL, "print this", OPTION_ARGUMENT },
	{ "version", OPTION_SWITCH, MEMBER(version), NULL, NULL, "print the version", OPTION_ARGUMENT },
};
/* clang-format on */

static const struct option_table table = {.rows = rows, .n = ARRAY_SIZE(rows)};

static int read_options(int argc, char **argv, struct arguments *ret)
{
	*ret = (struct arguments){.argc = argc, .argv = argv};
	return options_read(&table, ret, argc, argv);
}

/* SIGHUP: of the settings, only the log level can change while it runs. */
static int reread(void *context)
{
	const struct arguments *running = context;
	struct arguments now;
	int r;

	r = read_options(running->argc, running->argv, &now);
	if (r == 0)
		log_set_level(now.level);
	options_done(&table, &now);
	return r;
}

static uint64_t memory_of_machine(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Splits the zones in place. */
static struct agent_options agent_options_of(struct arguments *arguments)
{
	struct agent_options options = {
		.node = arguments->node,
		.run_dir = arguments->run_dir,
		.state_dir = arguments->state_dir,
		.bpffs = arguments->bpffs,
		.zones = arguments->zone_names,
		.mtu = MTU_WITHOUT_UNDERLAY,
		.underlay = arguments->underlay ?: "",
		.resolv_conf = arguments->resolv_conf,
		.catalogue = arguments->catalogue,
		.metrics = arguments->metrics,
		.table_memory = arguments->table_memory ? (uint64_t)arguments->table_memory << 20
							: memory_of_machine(),
		.reread = reread,
		.reread_context = arguments,
	};

	(void)attach_mode_parse(arguments->attach ?: "", &options.attach);
	for (char *rest = arguments->zones, *zone; (zone = strsep(&rest, ","));)
		if (*zone)
			arguments->zone_names[options.n_zones++] = zone;
	return options;
}

static void print_help(void)
{
	puts("Usage: privlink-agent [OPTION...]\n"
	     "The daemon of a privlink node: data path, instances, names and health probes.\n");
	options_help(&table, stdout);
}

/* Looks at all that a start would read. */
static int check(const struct agent_options *agent, bool good)
{
	good &= agent_check(agent) == 0;
	if (!good)
		return EXIT_FAILURE;
	puts("OK");
	return EXIT_SUCCESS;
}

static int run(const struct agent_options *options, bool only_remove)
{
	int r;

	if (geteuid() != 0) {
		fputs("privlink-agent: needs root: it makes network namespaces and loads BPF programs\n",
		      stderr);
		return EXIT_FAILURE;
	}
	if (only_remove)
		return agent_remove(options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		fputs("privlink-agent: cannot initialise libcurl\n", stderr);
		return EXIT_FAILURE;
	}
	r = agent_run(options);
	curl_global_cleanup();
	if (r == -ENOTRECOVERABLE)
		return EXIT_SETTINGS_REFUSED;
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct agent_options options;
	int r, status = EXIT_SUCCESS;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);	/* until there is something to reload */
	(void)signal(SIGCHLD, SIG_DFL); /* ignored, a child's number may be another's soon */
	notify_begin();
	r = read_options(argc, argv, &arguments);
	options = agent_options_of(&arguments);
	log_set_level(arguments.level);
	if (arguments.help)
		print_help();
	else if (arguments.version)
		puts("privlink-agent " PRIVLINK_VERSION);
	else if (arguments.check)
		status = check(&options, r == 0);
	else
		status = r < 0 ? EXIT_SETTINGS_REFUSED : run(&options, arguments.remove);
	options_done(&table, &arguments);
	return status;
}
