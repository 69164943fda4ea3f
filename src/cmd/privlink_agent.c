/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink-agent: the node's daemon. Options, the checks that can be made before anything starts, and the one
 * call.
 */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include <curl/curl.h>

#include "../agent/agent.h"
#include "../agent/node_state.h"
#include "../lib/log.h"

#define MTU_WITHOUT_UNDERLAY 1500

static const char usage[] =
	"Usage: privlink-agent [OPTION...]\n"
	"The daemon of a privlink node: data path, instances, names and health probes.\n"
	"\n"
	"  --node NAME          name of this node (default: as before; at first the host's name)\n"
	"  --zones A,B          zones that this node serves (default: all)\n"
	"  --run-dir DIR        sockets and pid file (default: /run/privlink)\n"
	"  --state-dir DIR      node.json, ca.crt, copy of the trust store (default: /var/lib/privlink)\n"
	"  --bpffs DIR          where BPF objects are pinned (default: /sys/fs/bpf/privlink)\n"
	"  --attach HOW         auto, tcx or clsact (default: auto)\n"
	"  --underlay ADDRESS   this node's address for other nodes\n"
	"  --resolv-conf FILE   the node's own resolvers (default: /etc/resolv.conf)\n"
	"  --catalogue FILE     regions, zones and system services\n"
	"  --log-level LEVEL    error, warning, info or debug (default: info)\n"
	"  --remove             take away everything that privlink-agent made on this node\n"
	"  --version\n"
	"  --help\n";

enum option_value {
	OPTION_NODE = 256,
	OPTION_ZONES,
	OPTION_RUN_DIR,
	OPTION_STATE_DIR,
	OPTION_BPFFS,
	OPTION_ATTACH,
	OPTION_UNDERLAY,
	OPTION_RESOLV_CONF,
	OPTION_CATALOGUE,
	OPTION_LOG_LEVEL,
	OPTION_REMOVE,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option options[] = {
	{"node", required_argument, NULL, OPTION_NODE},
	{"zones", required_argument, NULL, OPTION_ZONES},
	{"run-dir", required_argument, NULL, OPTION_RUN_DIR},
	{"state-dir", required_argument, NULL, OPTION_STATE_DIR},
	{"bpffs", required_argument, NULL, OPTION_BPFFS},
	{"attach", required_argument, NULL, OPTION_ATTACH},
	{"underlay", required_argument, NULL, OPTION_UNDERLAY},
	{"resolv-conf", required_argument, NULL, OPTION_RESOLV_CONF},
	{"catalogue", required_argument, NULL, OPTION_CATALOGUE},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"remove", no_argument, NULL, OPTION_REMOVE},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP},
	{},
};

struct arguments {
	struct agent_options agent;
	const char *zones[NODE_ZONES_MAX];
	bool wants_remove;
};

static int refuse(const char *what, const char *value)
{
	fprintf(stderr, "privlink-agent: %s: %s\n", what, value);
	return -EINVAL;
}

/* Splits in place; the zones point into `list`. */
static int parse_zones(char *list, struct arguments *arguments)
{
	for (char *zone = strtok(list, ","); zone; zone = strtok(NULL, ",")) {
		if (strlen(zone) >= ZONE_SIZE || arguments->agent.n_zones == NODE_ZONES_MAX)
			return refuse("too many zones, or too long a name", zone);
		arguments->zones[arguments->agent.n_zones++] = zone;
	}
	return 0;
}

static int parse_underlay(const char *text, struct arguments *arguments)
{
	struct netaddr addr;

	if (netaddr_parse(text, &addr) < 0)
		return refuse("not an address", text);
	arguments->agent.underlay = text;
	return 0;
}

/* 1: the program is done. */
static int take_option(int option, char *value, struct arguments *arguments)
{
	enum log_level level;

	switch (option) {
	case OPTION_NODE:
		arguments->agent.node = value;
		return node_name_is_good(value)
			       ? 0
			       : refuse("a node's name has at most 30 letters, digits, '-' and '_'", value);
	case OPTION_ZONES:
		return parse_zones(value, arguments);
	case OPTION_RUN_DIR:
		arguments->agent.run_dir = value;
		return 0;
	case OPTION_STATE_DIR:
		arguments->agent.state_dir = value;
		return 0;
	case OPTION_BPFFS:
		arguments->agent.bpffs = value;
		return 0;
	case OPTION_ATTACH:
		return attach_mode_parse(value, &arguments->agent.attach) < 0
			       ? refuse("not auto, tcx or clsact", value)
			       : 0;
	case OPTION_UNDERLAY:
		return parse_underlay(value, arguments);
	case OPTION_RESOLV_CONF:
		arguments->agent.resolv_conf = value;
		return 0;
	case OPTION_CATALOGUE:
		arguments->agent.catalogue = value;
		return 0;
	case OPTION_LOG_LEVEL:
		if (log_level_parse(value, &level) < 0)
			return refuse("not error, warning, info or debug", value);
		log_set_level(level);
		return 0;
	case OPTION_REMOVE:
		arguments->wants_remove = true;
		return 0;
	case OPTION_VERSION:
		puts("privlink-agent " PRIVLINK_VERSION);
		return 1;
	case OPTION_HELP:
		fputs(usage, stdout);
		return 1;
	default:
		fputs(usage, stderr);
		return -EINVAL;
	}
}

static int run(const struct arguments *arguments)
{
	int r;

	if (geteuid() != 0) {
		fputs("privlink-agent: needs root: it makes network namespaces and loads BPF programs\n",
		      stderr);
		return EXIT_FAILURE;
	}
	if (arguments->wants_remove)
		return agent_remove(&arguments->agent) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		fputs("privlink-agent: cannot initialise libcurl\n", stderr);
		return EXIT_FAILURE;
	}
	r = agent_run(&arguments->agent);
	curl_global_cleanup();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.agent =
			{
				.run_dir = "/run/privlink",
				.state_dir = "/var/lib/privlink",
				.bpffs = "/sys/fs/bpf/privlink",
				.mtu = MTU_WITHOUT_UNDERLAY,
				.underlay = "",
				.resolv_conf = "/etc/resolv.conf",
				.catalogue = PRIVLINK_DATADIR "/catalogue.json",
			},
	};
	int option, r = 0;

	while (r == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		r = take_option(option, optarg, &arguments);
	if (r == 0 && optind < argc)
		r = refuse("not an option", argv[optind]);
	if (r != 0)
		return r > 0 ? EXIT_SUCCESS : 2;
	arguments.agent.zones = arguments.zones;
	return run(&arguments);
}
