/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink endpoint test: begins a connectivity test, asks for it until it has ended, and shows its steps.
 */
#include "cli.h"

#include <stdio.h>
#include <time.h>

#define PAUSE_MS     50
#define PAUSE_MAX_MS 500u
#define WORD_MAX     60

static const struct cli_command *own_command(void)
{
	const struct cli_command *command = cli_commands;

	while (command->run != cli_run_endpoint_test)
		command++;
	return command;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* The API ends each test sooner or later, so there is nothing to give up but by the caller's own time. */
static int wait_for_end(struct cli *cli, const char *id, json_t **ret)
{
	uint64_t deadline_ms = now_mono_ms() + (uint64_t)cli->timeout_s * 1000;
	struct params params = {0};
	unsigned int pause_ms = PAUSE_MS;
	int r = params_add(&params, "TestId", id);

	if (r == 0)
		r = params_add(&params, "RegionId", cli->region);
	r = r < 0 ? cli_fail("out of memory") : CLI_OK;
	while (r == CLI_OK) {
		const struct timespec pause = {.tv_nsec = (long)pause_ms * 1000000};
		const char *status;

		r = cli_call(cli, own_command()->product, "GetConnectivityTest", &params, ret);
		if (r != CLI_OK)
			break;
		status = text_of(*ret, "Status");
		if (!streq(status, "Pending") && !streq(status, "Running"))
			break;
		if (now_mono_ms() >= deadline_ms)
			r = cli_fail("gave up after %u s: %s is %s", cli->timeout_s, id, status);
		json_decref(TAKE_PTR(*ret));
		(void)nanosleep(&pause, NULL);
		pause_ms = MIN(pause_ms * 3 / 2, PAUSE_MAX_MS);
	}
	params_done(&params);
	return r;
}

/* A name that is longer than a line loses its middle, unless all is to be shown. */
static void shorten(char *text)
{
	for (char *word = text; *word; word += strspn(word, " ")) {
		size_t length = strcspn(word, " ");

		if (length > WORD_MAX) {
			memset(word + WORD_MAX / 2, '.', 3);
			memmove(word + WORD_MAX / 2 + 3, word + length - WORD_MAX / 2,
				strlen(word + length - WORD_MAX / 2) + 1);
			length = WORD_MAX + 3;
		}
		word += length;
	}
}

/* A step as people read it: which it is, and where. */
static json_t *line_of(const struct cli *cli, const json_t *step)
{
	const char *zone = text_of(step, "ZoneId"), *code = text_of(step, "Code"),
		   *text = text_of(step, "Text");
	json_int_t latency_us = json_integer_value(json_object_get(step, "LatencyUs"));
	char name[128], latency[32] = "", info[512];

	if (str_format(name, sizeof(name), "%s%s%s", text_of(step, "Kind"), *zone ? " " : "", zone) < 0 ||
	    str_format(info, sizeof(info), "%s%s%s", code, *code && *text ? ": " : "", text) < 0)
		return NULL;
	if (!cli->wide)
		shorten(info);
	if (latency_us > 0)
		(void)str_format(latency, sizeof(latency), "%.1f ms", (double)latency_us / 1000);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "Step", name, "Target", text_of(step, "Target"),
			 "Result", text_of(step, "Result"), "Time", latency, "Info", info);
}

/* What the rows said of the way, below the steps. */
static json_t *path_line_of(const json_t *answer)
{
	const json_t *path = json_object_get(answer, "Path"), *cause = json_object_get(path, "Cause");
	char info[1024];

	(void)str_format(info, sizeof(info), "%s%s", text_of(cause, "Text"),
			 json_is_false(json_object_get(answer, "Agree"))
				 ? " (By what is configured, which is not what the test found.)"
				 : "");
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "Step", "Path", "Target", text_of(answer, "EndpointId"),
			 "Result", text_of(path, "Verdict"), "Time", "", "Info", info);
}

int cli_test_print(const struct cli *cli, const json_t *answer)
{
	static const struct cli_column columns[] = {{"Step", "Step"},
						    {"Target", "Target"},
						    {"Result", "Result"},
						    {"Time", "Time"},
						    {"Info", "Info", .remark = true},
						    {NULL}};
	const json_t *steps = json_object_get(answer, "Steps");
	_cleanup_(json_decrefp) json_t *lines = json_array();

	for (size_t i = 0; i < json_array_size(steps); i++)
		if (json_array_append_new(lines, line_of(cli, json_array_get(steps, i))) < 0)
			return cli_fail("out of memory");
	if (json_object_get(answer, "Path") && json_array_append_new(lines, path_line_of(answer)) < 0)
		return cli_fail("out of memory");
	cli_table_print(cli, lines, columns);
	return CLI_OK;
}

int cli_test_fail(const json_t *answer)
{
	return cli_fail("%s: %s: %s", text_of(answer, "TestId"), text_of(answer, "Status"),
			text_of(answer, "StatusInfo"));
}

static int show(const struct cli *cli, const json_t *answer)
{
	const char *verdict = text_of(answer, "Verdict");
	int r = CLI_OK;

	if (cli->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
		putchar('\n');
	} else if (*verdict) {
		r = cli_test_print(cli, answer);
		printf("%s\n", verdict);
	} else {
		r = cli_test_fail(answer);
	}
	return r == CLI_OK && streq(verdict, "Reachable") ? CLI_OK : CLI_FAILED;
}

int cli_test_run(struct cli *cli, const struct params *params, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *answer = NULL;
	int r = cli_call(cli, own_command()->product, own_command()->action, params, &answer);

	return r == CLI_OK ? wait_for_end(cli, text_of(answer, "TestId"), ret) : r;
}

static int begin(struct cli *cli, const struct params *params, bool waits)
{
	_cleanup_(json_decrefp) json_t *answer = NULL, *test = NULL;
	const char *id;
	int r = cli_call(cli, own_command()->product, own_command()->action, params, &answer);

	if (r != CLI_OK)
		return r;
	id = text_of(answer, "TestId");
	if (waits) {
		r = wait_for_end(cli, id, &test);
		return r == CLI_OK ? show(cli, test) : r;
	}
	if (cli->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
		putchar('\n');
	} else {
		puts(id);
	}
	return CLI_OK;
}

int cli_run_endpoint_test(struct cli *cli, int argc, char **argv)
{
	_cleanup_(freep) char *no_wait = NULL;
	struct params params = {0};
	int r;

	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	r = cli_command_parse(cli, own_command(), argc, argv, &params);
	no_wait = cli_take_param(&params, "NoWait");
	if (r == CLI_OK)
		r = cli_resolve_names(cli, own_command()->product, &params);
	if (r == CLI_OK)
		r = begin(cli, &params, !no_wait);
	params_done(&params);
	return r;
}
