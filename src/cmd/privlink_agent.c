/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink-agent: the node's daemon. Options, the checks that can be made before anything starts, and the one
 * call.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <curl/curl.h>

#include "../agent/agent.h"
#include "../agent/node_state.h"
#include "../lib/log.h"
#include "../lib/notify.h"
#include "config_file.h"
#include "exit_status.h"

#define MTU_WITHOUT_UNDERLAY 1500

static const char usage[] =
	"Usage: privlink-agent [OPTION...]\n"
	"The daemon of a privlink node: data path, instances, names and health probes.\n"
	"\n"
	"  --config FILE        read options from FILE: lines \"name = value\", # comments; those given here "
	"win\n"
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
	"  --check              say whether all of this could be used, and start nothing\n"
	"  --remove             take away everything that privlink-agent made on this node\n"
	"  --version\n"
	"  --help\n";

enum option_value {
	OPTION_CONFIG = 256,
	OPTION_NODE,
	OPTION_ZONES,
	OPTION_RUN_DIR,
	OPTION_STATE_DIR,
	OPTION_BPFFS,
	OPTION_ATTACH,
	OPTION_UNDERLAY,
	OPTION_RESOLV_CONF,
	OPTION_CATALOGUE,
	OPTION_LOG_LEVEL,
	OPTION_CHECK,
	OPTION_REMOVE,
	OPTION_VERSION,
	OPTION_HELP,
};

#define N_OPTIONS (OPTION_HELP - OPTION_CONFIG + 1)

static const struct option options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
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
	{"check", no_argument, NULL, OPTION_CHECK},
	{"remove", no_argument, NULL, OPTION_REMOVE},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP},
	{},
};

struct arguments {
	int argc;
	char **argv;
	struct agent_options agent;
	const char *zones[NODE_ZONES_MAX];
	char *texts[N_OPTIONS]; /* copies that the options point into */
	enum log_level level;
	const char *config, *expected; /* what the option that was refused expects */
	bool wants_check, wants_remove, wants_version, wants_help;
};

static void arguments_done(struct arguments *arguments)
{
	for (size_t i = 0; i < ARRAY_SIZE(arguments->texts); i++)
		free(arguments->texts[i]);
}

static int expect(struct arguments *arguments, const char *expected)
{
	arguments->expected = expected;
	return -EINVAL;
}

/* Splits in place; the zones point into `list`. */
static int parse_zones(char *list, struct arguments *arguments)
{
	arguments->agent.n_zones = 0;
	for (char *zone = strtok(list, ","); zone; zone = strtok(NULL, ",")) {
		if (strlen(zone) >= ZONE_SIZE || arguments->agent.n_zones == NODE_ZONES_MAX)
			return expect(arguments, "at most 64 zones, each of at most 39 characters");
		arguments->zones[arguments->agent.n_zones++] = zone;
	}
	return arguments->agent.n_zones ? 0 : expect(arguments, "zones, separated by commas");
}

static int parse_underlay(const char *text, struct arguments *arguments)
{
	struct netaddr addr;

	if (netaddr_parse(text, &addr) < 0)
		return expect(arguments, "an address");
	arguments->agent.underlay = text;
	return 0;
}

/* -EINVAL: arguments->expected says what it wants instead. */
static int set_option(int option, char *value, struct arguments *arguments)
{
	struct agent_options *agent = &arguments->agent;

	switch (option) {
	case OPTION_NODE:
		agent->node = value;
		return node_name_is_good(value)
			       ? 0
			       : expect(arguments, "at most 30 letters, digits, '-' and '_'");
	case OPTION_ZONES:
		return parse_zones(value, arguments);
	case OPTION_RUN_DIR:
		agent->run_dir = value;
		return 0;
	case OPTION_STATE_DIR:
		agent->state_dir = value;
		return 0;
	case OPTION_BPFFS:
		agent->bpffs = value;
		return 0;
	case OPTION_ATTACH:
		return attach_mode_parse(value, &agent->attach) < 0 ? expect(arguments, "auto, tcx or clsact")
								    : 0;
	case OPTION_UNDERLAY:
		return parse_underlay(value, arguments);
	case OPTION_RESOLV_CONF:
		agent->resolv_conf = value;
		return 0;
	case OPTION_CATALOGUE:
		agent->catalogue = value;
		return 0;
	default:
		return log_level_parse(value, &arguments->level) < 0
			       ? expect(arguments, "error, warning, info or debug")
			       : 0;
	}
}

/* An option with a value, from the file or the command line. The value is copied. */
static int take_value(int option, const char *value, struct arguments *arguments)
{
	char **copy = &arguments->texts[option - OPTION_CONFIG];

	if (!*value)
		return expect(arguments, "a value");
	free(*copy);
	*copy = strdup(value);
	return *copy ? set_option(option, *copy, arguments) : -ENOMEM;
}

static int take_line(void *context, const char *name, const char *value, const char **ret_expected)
{
	struct arguments *arguments = context;
	int r;

	for (const struct option *option = options; option->name; option++) {
		if (!streq(option->name, name) || option->has_arg != required_argument ||
		    option->val == OPTION_CONFIG)
			continue;
		r = take_value(option->val, value, arguments);
		*ret_expected = arguments->expected;
		return r;
	}
	return -ENOENT;
}

static int take_argument(int option, const char *name, struct arguments *arguments)
{
	switch (option) {
	case OPTION_CONFIG:
		arguments->config = optarg;
		return 0;
	case OPTION_CHECK:
		arguments->wants_check = true;
		return 0;
	case OPTION_REMOVE:
		arguments->wants_remove = true;
		return 0;
	case OPTION_VERSION:
		arguments->wants_version = true;
		return 0;
	case OPTION_HELP:
		arguments->wants_help = true;
		return 0;
	case '?':
		fputs(usage, stderr);
		return -EINVAL;
	default:
		if (take_value(option, optarg, arguments) == 0)
			return 0;
		fprintf(stderr, "privlink-agent: --%s expects %s, not \"%s\"\n", name, arguments->expected,
			optarg);
		return -EINVAL;
	}
}

/* The command line, or only which file it names. */
static int read_arguments(struct arguments *arguments, bool only_config)
{
	int option, index = 0, r = 0, q;

	optind = 1;
	while ((option = getopt_long(arguments->argc, arguments->argv, "", options, &index)) != -1) {
		if (only_config && option != OPTION_CONFIG)
			continue;
		q = take_argument(option, options[index].name, arguments);
		if (q < 0)
			r = q;
	}
	if (!only_config && optind < arguments->argc) {
		fprintf(stderr, "privlink-agent: not an option: %s\n", arguments->argv[optind]);
		r = -EINVAL;
	}
	return r;
}

static int read_options(int argc, char **argv, struct arguments *ret)
{
	int r = 0, q;

	*ret = (struct arguments){
		.argc = argc,
		.argv = argv,
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
		.level = LOG_LEVEL_INFO,
		.expected = "something else",
	};
	opterr = 0; /* it is said once, in the second pass */
	(void)read_arguments(ret, true);
	opterr = 1;
	if (ret->config)
		r = config_file_read(ret->config, take_line, ret);
	q = read_arguments(ret, false);
	return r < 0 ? r : q;
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
	arguments_done(&now);
	return r;
}

/* Looks at all that a start would read. */
static int check(const struct arguments *arguments, bool good)
{
	const struct agent_options *agent = &arguments->agent;

	good &= agent_check(agent) == 0;
	if (!good)
		return EXIT_FAILURE;
	puts("OK");
	return EXIT_SUCCESS;
}

static int run(struct arguments *arguments)
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
	struct arguments arguments;
	int r, status = EXIT_SUCCESS;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN); /* until there is something to reload */
	notify_begin();
	r = read_options(argc, argv, &arguments);
	arguments.agent.zones = arguments.zones;
	arguments.agent.reread = reread;
	arguments.agent.reread_context = &arguments;
	log_set_level(arguments.level);
	if (arguments.wants_help)
		fputs(usage, stdout);
	else if (arguments.wants_version)
		puts("privlink-agent " PRIVLINK_VERSION);
	else if (arguments.wants_check)
		status = check(&arguments, r == 0);
	else
		status = r < 0 ? EXIT_SETTINGS_REFUSED : run(&arguments);
	arguments_done(&arguments);
	return status;
}
