/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink trace: packets of this node as the agent tells of them, a line each, until it is ended.
 */
#include "cli.h"

#include <stdio.h>

#define NAME_WIDTH 22 /* an id's */

struct tracing {
	const struct cli *cli;
	uint64_t left;	 /* packets to show; 0: there is no end */
	uint64_t missed; /* in all */
};

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

/* What is not an integer has no number. */
static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

json_t *cli_agent_question(const char *command, const struct params *params)
{
	json_t *question = json_pack("{s:s}", "command", command);

	for (size_t i = 0; question && i < params->n; i++) {
		const char *name = params->v[i].name, *value = params->v[i].value;
		json_t *json = json_string(value);

		if (streq(name, "RegionId") || streq(name, "count")) {
			json_decref(json);
			continue;
		}
		if (!streq(name, "target") && is_number(value)) {
			json_decref(json);
			json = json_integer(strtoll(value, NULL, 10));
		} else if (streq(value, "true")) {
			json_decref(json);
			json = json_true();
		}
		(void)json_object_set_new(question, name, json);
	}
	if (!question)
		(void)cli_fail("out of memory");
	return question;
}

/* "10.0.1.10:4000 > 10.0.1.100:443", and behind it what that becomes. */
static void print_tuples(const json_t *packet)
{
	const char *source = text_of(packet, "source"), *destination = text_of(packet, "destination");
	const char *sent = text_of(packet, "sent_source"), *to = text_of(packet, "sent_destination");

	printf("%s > %s", source, destination);
	if (*sent && (!streq(sent, source) || !streq(to, destination)))
		printf(" = %s > %s", sent, to);
}

static void print_packet(const json_t *packet)
{
	const char *time = text_of(packet, "time"), *from = text_of(packet, "from"),
		   *to = text_of(packet, "to"), *endpoint = text_of(packet, "endpoint"),
		   *flags = text_of(packet, "flags");
	bool is_drop = streq(text_of(packet, "verdict"), "drop");

	printf("%.15s  %s %-18s ", strlen(time) > 26 ? time + 11 : time, is_drop ? "DROP" : "pass",
	       text_of(packet, "reason"));
	if (*text_of(packet, "protocol")) {
		printf("%s%s%s ", text_of(packet, "protocol"), *flags ? " " : "", flags);
		print_tuples(packet);
	} else {
		printf("ethertype %s", *text_of(packet, "ethertype") ? text_of(packet, "ethertype") : "?");
	}
	printf("  %lld B", (long long)json_integer_value(json_object_get(packet, "bytes")));
	if (*from)
		printf("  from %s", from);
	if (*endpoint)
		printf("  %s %s", endpoint, text_of(packet, "zone"));
	if (*to)
		printf("  to %s", to);
	putchar('\n');
}

static void print_json(const json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
}

static int on_line(void *context, const json_t *line)
{
	struct tracing *tracing = context;
	const json_t *missed = json_object_get(line, "missed");

	if (missed || json_object_get(line, "tracing")) {
		tracing->missed += (uint64_t)json_integer_value(missed);
		if (tracing->cli->json)
			print_json(line);
		else if (missed)
			printf("(%lld packets more are not shown)\n", (long long)json_integer_value(missed));
		return fflush(stdout) == 0 ? CLI_AGENT_MORE : CLI_OK;
	}
	if (tracing->cli->json)
		print_json(line);
	else
		print_packet(line);
	if (fflush(stdout) != 0 || (tracing->left && --tracing->left == 0))
		return CLI_OK;
	return CLI_AGENT_MORE;
}

static const struct cli_command *own_command(void)
{
	const struct cli_command *command = cli_commands;

	while (command->run != cli_run_trace)
		command++;
	return command;
}

int cli_run_trace(struct cli *cli, int argc, char **argv)
{
	struct tracing tracing = {.cli = cli};
	struct params params = {0};
	const char *count;
	json_t *question;
	int r = cli_command_parse(cli, own_command(), argc, argv, &params);

	if (r == CLI_OK) {
		count = params_get(&params, "count");
		tracing.left = count ? strtoull(count, NULL, 10) : 0;
		question = cli_agent_question("trace", &params);
		r = question ? cli_agent_follow(cli, question, true, on_line, &tracing) : CLI_FAILED;
		json_decref(question);
	}
	params_done(&params);
	return r;
}
