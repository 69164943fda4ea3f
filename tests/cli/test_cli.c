/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line without a server: settings, options to parameters, tables.
 */
#include "api/frame/run.h"
#include "cli/cli.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <locale.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../tap.h"

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static void test_precedence(void)
{
	char dir[] = "/tmp/privlink-cli-XXXXXX", path[256];
	struct cli cli = {0};

	if (!mkdtemp(dir))
		return;
	(void)str_format(path, sizeof(path), "%s/config", dir);
	write_text(path, "region = cn-beijing\nendpoint = api.example:8443\naccess_key_id = file\n"
			 "access_key_secret = file's\n");
	setenv("PRIVLINK_CONFIG", path, 1);
	setenv("PRIVLINK_ACCESS_KEY_ID", "environment", 1);
	unsetenv("PRIVLINK_REGION");
	cli.state_dir = strdup(dir);
	cli.region = strdup("cn-shanghai");
	tap_is_int(cli_config_load(&cli), 0, "settings are read");
	tap_is_str(cli.region, "cn-shanghai", "an option wins over the file");
	tap_is_str(cli.key_id, "environment", "the environment wins over the file");
	tap_ok(cli.key_secret == NULL, "a key of the environment is not paired with the file's secret");
	tap_is_str(cli.endpoint, "https://api.example:8443", "an endpoint without a scheme means https");
	tap_ok(cli.ca == NULL, "without a CA of this machine the system's trust store holds");
	cli_done(&cli);
	unsetenv("PRIVLINK_ACCESS_KEY_ID");
	cli = (struct cli){.state_dir = strdup(dir)};
	tap_ok(cli_config_load(&cli) == 0 && streq(cli.key_id ?: "", "file") &&
		       streq(cli.key_secret ?: "", "file's"),
	       "a file gives both");
	cli_done(&cli);
	(void)unlink(path);
	(void)rmdir(dir);
	unsetenv("PRIVLINK_CONFIG");
}

/* What the options of a command become: "NAME=VALUE" in order, after RegionId and what is always sent. */
static const struct {
	const char *name, *group, *command;
	const char *arguments[12];
	int result;
	const char *parameters;
} commands[] = {
	{"no options", "vpc", "create", {NULL}, CLI_OK, "RegionId=cn-hangzhou"},
	{"values become parameters",
	 "vpc",
	 "create",
	 {"--cidr", "10.0.0.0/16", "--name=a=b"},
	 CLI_OK,
	 "RegionId=cn-hangzhou CidrBlock=10.0.0.0/16 VpcName=a=b"},
	{"positions", "vpc", "delete", {"vpc-1"}, CLI_OK, "RegionId=cn-hangzhou VpcId=vpc-1"},
	{"tuples and lists are numbered",
	 "endpoint",
	 "create",
	 {"--vpc", "vpc-1", "--service", "epsrv-1", "--zone", "a,vsw-1", "--zone", "b,vsw-2,10.0.0.9",
	  "--security-group", "sg-1"},
	 CLI_OK,
	 "EndpointType=Interface RegionId=cn-hangzhou VpcId=vpc-1 ServiceId=epsrv-1 Zone.1.ZoneId=a "
	 "Zone.1.VSwitchId=vsw-1 Zone.2.ZoneId=b Zone.2.VSwitchId=vsw-2 Zone.2.ip=10.0.0.9 "
	 "SecurityGroupId.1=sg-1"},
	{"a product stands for the catalogue's service",
	 "endpoint",
	 "create",
	 {"--vpc", "vpc-1", "--service", "pai-dlc"},
	 CLI_OK,
	 "EndpointType=Interface RegionId=cn-hangzhou VpcId=vpc-1 "
	 "ServiceName=com.aliyuncs.privatelink.cn-hangzhou.pai-dlc"},
	{"a server's type shows in its id",
	 "nlb",
	 "group-add",
	 {"sgp-1", "--server", "i-1,443,50", "--server", "10.0.0.1,80"},
	 CLI_OK,
	 "RegionId=cn-hangzhou ServerGroupId=sgp-1 Servers.1.ServerId=i-1 Servers.1.Port=443 "
	 "Servers.1.Weight=50 "
	 "Servers.1.ServerType=Ecs Servers.2.ServerId=10.0.0.1 Servers.2.Port=80 Servers.2.ServerType=Ip"},
	{"one port is a range",
	 "sg",
	 "authorize",
	 {"sg-1", "--protocol", "TCP", "--ports", "443", "--source", "10.0.0.0/8"},
	 CLI_OK,
	 "RegionId=cn-hangzhou SecurityGroupId=sg-1 Permissions.1.IpProtocol=TCP "
	 "Permissions.1.PortRange=443/443 "
	 "Permissions.1.SourceCidrIp=10.0.0.0/8"},
	{"a range with a dash",
	 "sg",
	 "authorize",
	 {"sg-1", "--protocol", "TCP", "--ports", "8000-9000"},
	 CLI_OK,
	 "RegionId=cn-hangzhou SecurityGroupId=sg-1 Permissions.1.IpProtocol=TCP "
	 "Permissions.1.PortRange=8000/9000"},
	{"a flag",
	 "instance",
	 "delete",
	 {"i-1", "--force"},
	 CLI_OK,
	 "RegionId=cn-hangzhou InstanceId=i-1 Force=true"},
	{"a missing option is a usage error", "vswitch", "create", {"--vpc", "vpc-1"}, CLI_USAGE, NULL},
	{"an unknown option is a usage error", "vpc", "create", {"--colour", "red"}, CLI_USAGE, NULL},
	{"a value that is missing is a usage error", "vpc", "create", {"--cidr"}, CLI_USAGE, NULL},
	{"an argument too many is a usage error", "vpc", "delete", {"vpc-1", "vpc-2"}, CLI_USAGE, NULL},
	{"an option given twice is a usage error",
	 "vpc",
	 "create",
	 {"--cidr", "10.0.0.0/8", "--cidr", "10.0.0.0/16"},
	 CLI_USAGE,
	 NULL},
	{"a tuple with too many parts is a usage error",
	 "endpoint",
	 "create",
	 {"--vpc", "vpc-1", "--service", "pai-dlc", "--zone", "a,b,c,d"},
	 CLI_USAGE,
	 NULL},
	{"ports that are none are a usage error",
	 "sg",
	 "authorize",
	 {"sg-1", "--protocol", "TCP", "--ports", "https"},
	 CLI_USAGE,
	 NULL},
};

static const struct cli_command *find(const char *group, const char *name)
{
	for (const struct cli_command *c = cli_commands; c->group; c++)
		if (streq(c->group, group) && streq(c->name, name))
			return c;
	return NULL;
}

static char *join(const struct params *params)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < params->n; i++)
		fprintf(f, "%s%s=%s", i ? " " : "", params->v[i].name, params->v[i].value);
	fclose(f);
	return text;
}

static void test_commands(void)
{
	struct cli cli = {.region = strdup("cn-hangzhou")};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct params params = {0};
		char *arguments[12] = {NULL}, *text;
		int n = 0, r;

		for (; n < 12 && commands[i].arguments[n]; n++)
			arguments[n] = strdup(commands[i].arguments[n]);
		r = cli_command_parse(&cli, find(commands[i].group, commands[i].command), n, arguments,
				      &params);
		text = join(&params);
		tap_ok(r == commands[i].result && (r != CLI_OK || streq(text, commands[i].parameters)), "%s",
		       commands[i].name);
		if (r == CLI_OK && !streq(text, commands[i].parameters))
			tap_note("got  %s\n# want %s", text, commands[i].parameters);
		free(text);
		params_done(&params);
		while (n > 0)
			free(arguments[--n]);
	}
	cli_done(&cli);
}

/* Whether a path of parameters is what the tables have, "Permissions.1.IpProtocol". */
static bool takes(const struct param_spec *specs, const char *path)
{
	size_t length = strcspn(path, ".");

	for (const struct param_spec *spec = specs; spec && spec->name; spec++) {
		if (strlen(spec->name) != length || memcmp(spec->name, path, length) != 0)
			continue;
		path += length + (path[length] == '.');
		path += strspn(path, "0123456789");
		path += *path == '.';
		return !*path || takes(spec->members, path);
	}
	return false;
}

/* Whether a path of members is what the tables have. */
static bool answers(const struct answer_field *fields, const char *path)
{
	char name[64];
	size_t length = strcspn(path, ".");
	const struct answer_field *field;

	(void)str_format(name, sizeof(name), "%.*s", (int)length, path);
	field = fields ? answer_find(fields, name) : NULL;
	if (!field)
		return false;
	path += length + (path[length] == '.');
	if (field->inner) {
		if (!str_starts(path, field->inner))
			return false;
		path += strlen(field->inner);
		path += *path == '.';
	}
	return !*path || answers(field->members, path);
}

/* "A=b&C=d" or "A=b,C=d": whether the tables have all the names. */
static bool names_are_known(const char *pairs, char separator, const struct param_spec *specs,
			    const struct answer_field *fields)
{
	for (const char *pair = pairs; pair; pair = strchr(pair, separator)) {
		char name[64];

		pair += *pair == separator;
		(void)str_format(name, sizeof(name), "%.*s", (int)strcspn(pair, "="), pair);
		if (specs ? !takes(specs, name) : !answers(fields, name))
			return false;
	}
	return true;
}

/* The table of what a wait looks at. */
static const struct answer_field *waited_for(const struct action *action)
{
	struct cli_view view;

	cli_view_of(action, &view);
	return view.list[0] ? answer_only_list(action->answer)->members : action->answer;
}

static void test_wait(const struct cli_command *c)
{
	const struct product_info *product =
		product_by_name(c->wait->product ? c->wait->product : c->product);
	const struct action *action = action_find(product->product, c->wait->action);

	if (!tap_ok(action != NULL, "%s %s --wait asks an action that the API has", c->group, c->name))
		return;
	tap_ok(names_are_known(c->wait->query, '&', action->params, NULL), "with parameters that it has");
	if (!c->wait->gone)
		tap_ok(names_are_known(c->wait->conditions, ',', NULL, waited_for(action)),
		       "and for what its answer has");
}

/* A command that no server carries out, an option that it ignores, a column that is always empty are worse
 * than none. What comes from the tables is right; this is what a command adds. */
static void test_actions(void)
{
	for (const struct cli_command *c = cli_commands; c->group; c++) {
		const struct action *action = cli_action(c);

		if (c->run)
			continue;
		if (!tap_ok(action != NULL, "%s %s calls an action that the API has", c->group, c->name))
			continue;
		for (const struct cli_option *o = c->options; o && o->name; o++)
			if (o->parameter && !takes(action->params, o->parameter))
				tap_ok(false, "%s of %s %s is a parameter of %s", o->name, c->group, c->name,
				       c->action);
		tap_ok(!c->fixed || names_are_known(c->fixed, '&', action->params, NULL),
		       "what it always sends is, too");
		tap_ok(!c->id || takes(action->params, c->id) || answers(action->answer, c->id),
		       "so is its id, or a member of the answer");
		if (c->wait)
			test_wait(c);
	}
}

/* Every action has its place: a command, or a reason why people need none. */
static const struct {
	const char *product, *action, *why;
} no_commands[] = {
	/* of any product that has it */
	{NULL, "DescribeRegions", "region list asks the product vpc"},
	{NULL, "DescribeZones", "zone list does"},
	{NULL, "ListTagResources", "tags are for tools; privlink call"},
	{NULL, "TagResources", "the same"},
	{NULL, "UntagResources", "the same"},
	{"ecs", "JoinResourceGroup", "resource-group move moves services and endpoints; privlink call"},
	{"nlb", "MoveResourceGroup", "the same"},
	{"vpc", "MoveResourceGroup", "the same"},
	{"nlb", "UpdateLoadBalancerAddressTypeConfig", "there is one type of address"},
	{"nlb", "GetJobStatus", "--wait looks at the object itself"},
	{"privatelink", "CheckProductOpen", "no call demands it"},
	{"privatelink", "ListVpcEndpointServiceUsers", "service show asks it"},
	{"privatelink", "OpenPrivateLinkService", "no call demands it"},
	{"privlink", "GetConnectivityTest", "endpoint test asks it"},
	{"privlink", "GetVersion", "for programs; privlink version says its own"},
	{"slb", "DescribeAvailableResource", "zone list has the zones, and there are no other resources"},
	{"slb", "DescribeLoadBalancerTCPListenerAttribute",
	 "classic load balancers are for tools that know no other"},
	{"slb", "DescribeLoadBalancerUDPListenerAttribute", "the same"},
	{"slb", "SetLoadBalancerModificationProtection", "the same"},
	{"slb", "SetLoadBalancerTCPListenerAttribute", "the same"},
	{"slb", "SetLoadBalancerUDPListenerAttribute", "the same"},
	{"vpc", "DescribeRouteTableList", "a VPC has one table, and nobody can change it"},
	{"vpc", "UnTagResources", "tags are for tools; privlink call"},
};

static bool has_command(const char *product, const char *action)
{
	for (const struct cli_command *c = cli_commands; c->group; c++) {
		if (c->product && strcasecmp(c->product, product) == 0 && streq(c->action, action))
			return true;
		if (c->wait && c->product && strcasecmp(c->wait->product ?: c->product, product) == 0 &&
		    streq(c->wait->action, action))
			return true;
	}
	return false;
}

/* 1: it needs none. 2: its name needs none in most products. 0: nothing is said. */
static int needs_none(const char *product, const char *action)
{
	for (size_t i = 0; i < ARRAY_SIZE(no_commands); i++)
		if ((!no_commands[i].product || strcasecmp(no_commands[i].product, product) == 0) &&
		    streq(no_commands[i].action, action))
			return no_commands[i].product ? 1 : 2;
	return 0;
}

static bool is_action(const char *product, const char *action)
{
	for (size_t p = 0; p < PRODUCT_COUNT_; p++)
		if ((!product || strcasecmp(products[p].name, product) == 0) &&
		    action_find((enum product)p, action))
			return true;
	return false;
}

static void test_complete(void)
{
	for (size_t p = 0; p < PRODUCT_COUNT_; p++)
		for (const struct action *a = products[p].actions; a->name; a++) {
			bool has = has_command(products[p].name, a->name);
			int none = needs_none(products[p].name, a->name);

			if (!has && !none)
				tap_ok(false,
				       "%s %s has a command, or a reason for none (no_commands, above)",
				       products[p].name, a->name);
			if (has && none == 1)
				tap_ok(false, "%s %s has a command, so no reason for none", products[p].name,
				       a->name);
		}
	for (size_t i = 0; i < ARRAY_SIZE(no_commands); i++)
		tap_ok(is_action(no_commands[i].product, no_commands[i].action),
		       "%s, which needs no command, is an action", no_commands[i].action);
}

static bool is_global_option(const char *name)
{
	for (size_t i = 0; i < cli_options.n; i++)
		if (str_starts(name, "--") && streq(name + 2, cli_options.rows[i].name))
			return true;
	return false;
}

/* Columns have numbers without gaps, and options names that no other has. */
static void test_table(void)
{
	for (const struct cli_command *c = cli_commands; c->group; c++) {
		struct cli_option_list options;
		struct cli_view view;
		size_t n = 0, last = 0;

		cli_options_of(c, &options);
		cli_view_of(cli_action(c), &view);
		for (size_t i = 0; !c->id && i < CLI_COLUMNS_MAX; i++)
			if (view.columns[i].title) {
				n++;
				last = i + 1;
			}
		tap_ok(n == last && options.n < CLI_OPTIONS_MAX && c->help && (!c->wait || c->id),
		       "the row of %s %s holds together", c->group, c->name);
		for (size_t i = 0; i < options.n; i++) {
			const char *name = options.v[i].name;
			bool twice = is_global_option(name);

			for (size_t j = 0; j < i; j++)
				twice = twice || streq(options.v[j].name, name);
			if (twice || !options.v[i].help)
				tap_ok(false, "%s of %s %s is one option, with help", name, c->group,
				       c->name);
		}
	}
}

static void test_text(void)
{
	json_t *object = json_pack("{s:{s:[{s:s},{s:s}]}, s:b, s:i, s:s, s:[ss]}", "Zones", "Zone", "Id", "a",
				   "Id", "b", "Flag", 1, "Count", 7, "Name", "x\x1b[31my\n", "List", "c",
				   "d\u202e\xc2\x85\u2066\u2028"
				   "e\u200fö");
	static const struct {
		const char *path, *text;
	} cases[] = {
		{"Zones.Zone.Id", "a,b"},    {"Flag", "yes"},	   {"Count", "7"}, {"Name", "x?[31my?"},
		{"List", "c,d????e\u200fö"}, {"Missing.Path", ""}, {"Zones", ""},  {"Missing|Count", "7"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *text = cli_value_text(object, cases[i].path);

		tap_is_str(text, cases[i].text, "the value at %s", cases[i].path);
	}
	json_decref(object);
}

static void print_table(const json_t *json, const struct cli_column *columns)
{
	const struct cli cli = {0};

	cli_table_print(&cli, json, columns);
}

/* What the function prints, at most `size` - 1 bytes. */
static void printed(void (*print)(const json_t *, const struct cli_column *), const json_t *json, char *ret,
		    size_t size)
{
	static const struct cli_column columns[] = {{"Name", "Name"}, {"Zones", "Zones"}, {"Id", "Id"}, {}};
	int before = dup(STDOUT_FILENO), file = memfd_create("printed", 0);
	ssize_t n;

	(void)fflush(stdout);
	(void)dup2(file, STDOUT_FILENO);
	print(json, columns);
	(void)fflush(stdout);
	(void)dup2(before, STDOUT_FILENO);
	n = pread(file, ret, size - 1, 0);
	ret[MAX(n, 0)] = '\0';
	(void)close(before);
	(void)close(file);
}

static void test_tables(void)
{
	json_t *entries = json_pack("[{s:s,s:[s,s],s:s},{s:s,s:s},{s:s,s:[]}]", "Name", "端点", "Zones", "h",
				    "i", "Id", "ep-1", "Name", "e\xcc\x81 x", "Id", "ep-2", "Name",
				    "\xc2\x9b[31m\x1b[0m", "Zones");
	json_t *none = json_array();
	char text[1024];

	printed(print_table, entries, text, sizeof(text));
	tap_is_str(text,
		   "Name       Zones  Id\n"
		   "端点       h,i    ep-1\n"
		   "e\xcc\x81 x        -      ep-2\n"
		   "?[31m?[0m  -      -\n",
		   "columns are as wide as what a terminal shows; no control character comes through");
	printed(print_table, none, text, sizeof(text));
	tap_is_str(text, "", "of a list of nothing there is nothing to print");
	printed(cli_fields_print, json_array_get(entries, 0), text, sizeof(text));
	tap_is_str(text, "Name   端点\nZones  h,i\nId     ep-1\n", "one object is shown in lines");
	json_decref(entries);
	json_decref(none);
}

static void print_fitted(const json_t *json, const struct cli_column *columns _unused_)
{
	static const struct cli_column fitted[] = {{"Node", "Id"},
						   {"Name", "Name"},
						   {"Created", "Created", .wide = true},
						   {"Info", "Info", .remark = true},
						   {"Live", "Live"},
						   {}};
	const struct cli cli = {0};

	cli_table_print(&cli, json, fitted);
}

static void test_acceptance(void)
{
	json_t *entries =
		json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "ConnectionStatus", "Disconnected",
			  "AcceptanceStatus", "Waiting", "ConnectionStatus", "Disconnected",
			  "AcceptanceStatus", "Refused", "ConnectionStatus", "Connected", "AcceptanceStatus",
			  "Accepted", "ConnectionStatus", "Disconnected", "AcceptanceStatus", "Accepted");
	static const char *const wanted[] = {"Waiting", "Refused", "Connected", "Disconnected"};

	tap_is_int(cli_show_acceptance(NULL, NULL, entries), CLI_OK, "connections are told apart");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		tap_is_str(json_string_value(json_object_get(json_array_get(entries, i), "ConnectionStatus")),
			   wanted[i], "%s", wanted[i]);
	json_decref(entries);
}

/* A column that may be left out goes first, then a remark goes below; what is still too long is cut. */
static void test_fitted(void)
{
	static const char info[] =
		"It holds: the store that privlinkd serves is another one than this node has followed so far.";
	static const char name[] =
		"a name of some eighty characters, which is what people write who want to be nice";
	json_t *entries = json_pack("[{s:s,s:s,s:s,s:s}]", "Id", "alpha", "Name", "short", "Created",
				    "2026-01-02T03:04:05Z", "Live", "yes");
	char text[1024];

	printed(print_fitted, entries, text, sizeof(text));
	tap_is_str(text,
		   "Node   Name   Created               Info  Live\n"
		   "alpha  short  2026-01-02T03:04:05Z  -     yes\n",
		   "where there is room, all is shown");
	json_object_set_new(json_array_get(entries, 0), "Info", json_string(info));
	printed(print_fitted, entries, text, sizeof(text));
	tap_is_str(text,
		   "Node   Name   Live\nalpha  short  yes\n"
		   "alpha: It holds: the store that privlinkd serves is another one than this node\n"
		   "  has followed so far.\n",
		   "where there is none, a column is left out and a remark goes below");
	json_object_set_new(json_array_get(entries, 0), "Name", json_string(name));
	json_object_del(json_array_get(entries, 0), "Info");
	printed(print_fitted, entries, text, sizeof(text));
	tap_is_str(text,
		   "Node   Name                                                                 Live\n"
		   "alpha  a name of some eighty characters, which is what people write who w…  yes\n",
		   "and what is too long is cut");
	json_decref(entries);
}

/* A stopped agent: its socket takes connections and nobody answers. */
static void test_silent_agent(void)
{
	char dir[] = "/tmp/privlink-cli-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct cli cli = {.timeout_s = 1};
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!mkdtemp(dir))
		return;
	(void)str_format(address.sun_path, sizeof(address.sun_path), "%s/agent.sock", dir);
	tap_ok(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0,
	       "an agent listens and is silent");
	setenv("PRIVLINK_AGENT_SOCKET", address.sun_path, 1);
	alarm(100);
	tap_is_int(cli_run_counters(&cli, 0, NULL), CLI_FAILED, "counters gives up");
	alarm(0);
	unsetenv("PRIVLINK_AGENT_SOCKET");
	(void)unlink(address.sun_path);
	(void)rmdir(dir);
}

/* An API that takes connections and never answers. */
static void test_silent_api(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct params params = {0};
	struct cli cli = {
		.timeout_s = 1, .region = strdup("r"), .key_id = strdup("k"), .key_secret = strdup("s")};
	json_t *answer = NULL;
	char url[64];

	tap_ok(bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 8) == 0 &&
		       getsockname(fd, (struct sockaddr *)&address, &size) == 0,
	       "an API listens and is silent");
	(void)str_format(url, sizeof(url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	cli.endpoint = strdup(url);
	alarm(100);
	tap_is_int(cli_call(&cli, "vpc", "DescribeVpcs", &params, &answer), CLI_FAILED,
		   "a call takes --timeout at most");
	cli.timeout_s = 60;
	cli.deadline_ms = now_mono_ms() + 1000;
	tap_is_int(cli_wait_for(&cli, find("vpc", "create"), "vpc-1"), CLI_FAILED,
		   "and what is left of the wait that it belongs to");
	alarm(0);
	curl_easy_cleanup(cli.curl);
	cli_done(&cli);
}

int main(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	/* Usage errors go to stderr, which meson shows when something fails. */
	test_precedence();
	test_commands();
	test_complete();
	test_table();
	test_actions();
	test_text();
	test_tables();
	test_fitted();
	test_acceptance();
	test_silent_agent();
	test_silent_api();
	return tap_done();
}
