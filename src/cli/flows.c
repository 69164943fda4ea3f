/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink flows: the open flows of this node.
 */
#include "cli.h"

#include <stdio.h>

struct listing {
	const struct cli *cli;
	json_t *flows;
	bool has_more;
};

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

/* "12/9" */
static json_t *pair_of(const json_t *flow, const char *name)
{
	const json_t *pair = json_object_get(flow, name);
	char text[64];

	(void)str_format(text, sizeof(text), "%lld/%lld",
			 (long long)json_integer_value(json_array_get(pair, 0)),
			 (long long)json_integer_value(json_array_get(pair, 1)));
	return json_string(text);
}

/* As people read it; the caller's. */
static json_t *row_of(const json_t *flow)
{
	char idle[32];

	(void)str_format(idle, sizeof(idle), "%lld s",
			 (long long)json_integer_value(json_object_get(flow, "idle")));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "Protocol",
			 text_of(flow, "protocol"), "State", text_of(flow, "state"), "Client",
			 text_of(flow, "source"), "To", text_of(flow, "destination"), "As",
			 text_of(flow, "served_source"), "Server", text_of(flow, "served_destination"),
			 "From", text_of(flow, "from"), "Endpoint", text_of(flow, "endpoint"), "Instance",
			 text_of(flow, "to"), "Packets", pair_of(flow, "packets"), "Bytes",
			 pair_of(flow, "bytes"), "Idle", idle);
}

static int on_line(void *context, const json_t *line)
{
	struct listing *listing = context;

	if (json_object_get(line, "end")) {
		listing->has_more = json_is_true(json_object_get(line, "more"));
		return CLI_OK;
	}
	if (listing->cli->json)
		return json_array_append(listing->flows, (json_t *)line) < 0 ? cli_fail("out of memory")
									     : CLI_AGENT_MORE;
	return json_array_append_new(listing->flows, row_of(line)) < 0 ? cli_fail("out of memory")
								       : CLI_AGENT_MORE;
}

static void print(const struct listing *listing)
{
	static const struct cli_column columns[] = {
		{"Protocol", "Protocol"},
		{"State", "State"},
		{"Client", "Client"},
		{"To", "To"},
		{"As", "As", .wide = true},
		{"Server", "Server"},
		{"Idle", "Idle"},
		{"Packets", "Packets", .wide = true},
		{"Bytes", "Bytes", .wide = true},
		{"From", "From", .wide = true},
		{"Endpoint", "Endpoint", .wide = true},
		{"Instance", "Instance", .wide = true},
		{NULL},
	};

	if (listing->cli->json) {
		json_dumpf(listing->flows, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		cli_table_print(listing->cli, listing->flows, columns);
	}
	if (listing->has_more)
		fprintf(stderr, "privlink: there are more open flows than these %zu (--limit)\n",
			json_array_size(listing->flows));
}

static const struct cli_command *own_command(void)
{
	const struct cli_command *command = cli_commands;

	while (command->run != cli_run_flows)
		command++;
	return command;
}

int cli_run_flows(struct cli *cli, int argc, char **argv)
{
	_cleanup_(json_decrefp) json_t *flows = json_array();
	struct listing listing = {.cli = cli, .flows = flows};
	struct params params = {0};
	json_t *question;
	int r = cli_command_parse(cli, own_command(), argc, argv, &params);

	if (r == CLI_OK) {
		question = cli_agent_question("list-flows", &params);
		r = question ? cli_agent_follow(cli, question, false, on_line, &listing) : CLI_FAILED;
		json_decref(question);
	}
	if (r == CLI_OK)
		print(&listing);
	params_done(&params);
	return r;
}
