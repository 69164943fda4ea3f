/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink diagnose: first what is configured (GetEndpointPath). If nothing of it breaks the way, it is tried
 * from the instance (a connectivity test), and what the instance's node sees meanwhile tells where packets
 * stay. The first thing that is broken is named, and what to do about it.
 */
#include "diagnose.h"

#include <stdio.h>

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

/* ---- the probe ---- */

/* What was found, beside the answer of the path. */
struct probe {
	json_t *test; /* NULL: none was made */
	json_t *cause;
	struct seen seen;
};

static const char *endpoint_of(const json_t *path)
{
	const json_t *hops = json_object_get(path, "Hops"), *hop;
	size_t i;

	json_array_foreach(hops, i, hop)
		if (streq(text_of(hop, "Kind"), "Endpoint"))
			return text_of(hop, "ResourceId");
	return "";
}

static int add_question(const struct params *asked, const json_t *path, struct params *ret)
{
	char port[16];
	int r = params_add(ret, "RegionId", params_get(asked, "RegionId"));

	(void)str_format(port, sizeof(port), "%lld",
			 (long long)json_integer_value(json_object_get(path, "Port")));
	if (r == 0)
		r = params_add(ret, "EndpointId", endpoint_of(path));
	if (r == 0)
		r = params_add(ret, "InstanceId", params_get(asked, "InstanceId"));
	return r < 0 ? r : params_add(ret, "Port", port);
}

/* Tries, if there is something to try: a way that should be open. Why there was no probe is told, and is no
 * failure. */
static void try_it(struct cli *cli, const struct params *asked, const json_t *path, struct probe *ret)
{
	struct params params = {0};

	if (json_object_get(path, "Cause") || !streq(text_of(path, "Protocol"), "TCP") ||
	    !json_object_get(path, "Port"))
		return;
	seen_begin(&ret->seen, cli, params_get(asked, "InstanceId"));
	if (add_question(asked, path, &params) < 0 || cli_test_run(cli, &params, &ret->test) != CLI_OK)
		(void)cli_fail("nothing was tried from the instance: this is what is configured");
	seen_end(&ret->seen, cli, ret->test);
	if (ret->test)
		ret->cause = diagnose_cause(ret->test, &ret->seen);
	params_done(&params);
}

static void print_seen(const struct seen *seen)
{
	const char *between = "", *reason;
	json_t *n;

	if (!seen->is_known)
		return;
	printf("\nOf the instance its node saw %llu packets go and %llu come", (unsigned long long)seen->sent,
	       (unsigned long long)seen->received);
	if (json_object_size(seen->drops))
		printf(", and dropped: ");
	json_object_foreach(seen->drops, reason, n) {
		printf("%s%s %lld", between, reason, (long long)json_integer_value(n));
		between = ", ";
	}
	puts(".");
	if (seen->nat_max)
		printf("Of the translated sources to a port of its server %llu of %llu are in use.\n",
		       (unsigned long long)seen->nat_flows, (unsigned long long)seen->nat_max);
}

static void print_cause(const json_t *cause)
{
	const char *code = text_of(cause, "Code"), *zone = text_of(cause, "ZoneId");
	_cleanup_(freep) char *text = cli_value_text(cause, "Text");
	char line[1024];

	(void)str_format(line, sizeof(line), "%s%s%s of %s: %s", text_of(cause, "Kind"), *zone ? " " : "",
			 zone, text_of(cause, "Target"), text ?: "");
	printf("\nCause (%s): ", code);
	cli_print_wrapped(line, strlen("Cause (): ") + strlen(code), 2);
	fputs("\nFix: ", stdout);
	cli_print_wrapped(text_of(cause, "Advice"), strlen("Fix: "), strlen("Fix: "));
}

static int print_probe(const struct cli *cli, const struct probe *probe)
{
	int r;

	if (!probe->test || !*text_of(probe->test, "Verdict"))
		return CLI_OK;
	printf("\nTried from the instance: %s\n\n", text_of(probe->test, "Verdict"));
	r = cli_test_print(cli, probe->test);
	print_seen(&probe->seen);
	if (probe->cause)
		print_cause(probe->cause);
	return r;
}

static int print_json(json_t *path, const struct probe *probe)
{
	json_t *seen = seen_json(&probe->seen);

	if (probe->test)
		(void)json_object_set(path, "Probe", probe->test);
	if (probe->cause)
		(void)json_object_set(path, "ProbeCause", probe->cause);
	if (seen)
		(void)json_object_set_new(path, "Seen", seen);
	json_dumpf(path, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	putchar('\n');
	return CLI_OK;
}

static int diagnose(struct cli *cli, const struct params *params, bool tries)
{
	_cleanup_(json_decrefp) json_t *path = NULL;
	struct probe probe = {0};
	int r = cli_call(cli, "privlink", "GetEndpointPath", params, &path);

	if (r != CLI_OK)
		return r;
	if (!cli->json) {
		r = cli_path_print(cli, path);
		(void)fflush(stdout); /* the rest may take seconds */
	}
	if (r == CLI_OK && tries)
		try_it(cli, params, path, &probe);
	if (r == CLI_OK)
		r = cli->json ? print_json(path, &probe) : print_probe(cli, &probe);
	if (r == CLI_OK && (!streq(text_of(path, "Verdict"), "Reachable") || probe.cause))
		r = CLI_UNREACHABLE;
	if (r == CLI_OK && probe.test && !*text_of(probe.test, "Verdict"))
		r = cli_test_fail(probe.test);
	json_decref(probe.test);
	json_decref(probe.cause);
	seen_done(&probe.seen);
	return r;
}

/* ---- what is asked ---- */

/* Takes ":PORT" off the end. CLI_USAGE after a message. */
static int split_port(const char *target, char *ret, size_t size, const char **ret_port)
{
	const char *colon = strrchr(target, ':');
	size_t length = colon ? (size_t)(colon - target) : strlen(target);

	*ret_port = colon ? colon + 1 : NULL;
	if (colon && (!colon[1] || colon[1 + strspn(colon + 1, "0123456789")]))
		return cli_usage("TARGET: what stands behind the colon is no port: %s", colon + 1);
	if (length == 0 || str_format(ret, size, "%.*s", (int)length, target) < 0)
		return cli_usage("TARGET: neither an endpoint nor a name or an address: %s", target);
	return CLI_OK;
}

/* What is asked for, from the command's own options. Names of DNS and addresses have dots, which an
 * endpoint's id and name have not. */
static int read_target(const struct params *given, struct params *ret)
{
	const char *protocol = params_get(given, "Protocol"), *port;
	char target[256];
	int r;

	r = split_port(params_get(given, "Target"), target, sizeof(target), &port);
	if (r != CLI_OK)
		return r;
	r = params_add(ret, "RegionId", params_get(given, "RegionId"));
	if (r == 0)
		r = params_add(ret, "InstanceId", params_get(given, "InstanceId"));
	if (r == 0)
		r = params_add(ret, strchr(target, '.') ? "Target" : "EndpointId", target);
	if (r == 0 && port)
		r = params_add(ret, "Port", port);
	if (r == 0 && protocol)
		r = params_add(ret, "Protocol", protocol);
	return r < 0 ? cli_fail("%s", strerror(-r)) : CLI_OK;
}
static const struct cli_command *own_command(void)
{
	const struct cli_command *command = cli_commands;

	while (command->run != cli_run_diagnose)
		command++;
	return command;
}

int cli_run_diagnose(struct cli *cli, int argc, char **argv)
{
	struct params given = {0}, params = {0};
	_cleanup_(freep) char *no_probe = NULL;
	int r;

	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	r = cli_command_parse(cli, own_command(), argc, argv, &given);
	no_probe = cli_take_param(&given, "NoProbe");
	if (r == CLI_OK)
		r = read_target(&given, &params);
	if (r == CLI_OK)
		r = cli_resolve_names(cli, "privlink", &params);
	if (r == CLI_OK)
		r = diagnose(cli, &params, !no_probe);
	params_done(&given);
	params_done(&params);
	return r;
}
