/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink flow-log: what became of an endpoint's flows on this node. The agent says which files that is in;
 * they are read here, the last lines of the older one and of the newer.
 */
#include "cli.h"

#include <stdio.h>

#define LIMIT 1000

struct reading {
	const struct cli *cli;
	json_t *files; /* the agent's answer */
	char **lines;  /* the last ones, in a ring */
	size_t n, limit;
};

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

/* "12/9"; "12/?" where the way back is not known. */
static json_t *pair_of(const json_t *record, const char *name)
{
	const json_t *pair = json_object_get(record, name), *back = json_array_get(pair, 1);
	long long to = (long long)json_integer_value(json_array_get(pair, 0));
	char text[64];

	if (!pair)
		return json_string("");
	if (json_is_integer(back))
		(void)str_format(text, sizeof(text), "%lld/%lld", to, (long long)json_integer_value(back));
	else
		(void)str_format(text, sizeof(text), "%lld/?", to);
	return json_string(text);
}

/* Seconds are enough for people. */
static json_t *time_of(const json_t *record, const char *name)
{
	const char *time = text_of(record, name);
	char text[64];

	(void)str_format(text, sizeof(text), "%.19s", time);
	return json_string(text);
}

static json_t *result_of(const json_t *record)
{
	const char *result = text_of(record, "result"), *reason = text_of(record, "reason");
	char text[96];

	if (streq(result, "lost"))
		(void)str_format(text, sizeof(text), "%lld lost",
				 (long long)json_integer_value(json_object_get(record, "lost")));
	else
		(void)str_format(text, sizeof(text), *reason ? "%s (%s)" : "%s", result, reason);
	return json_string(text);
}

/* As people read it; the caller's. */
static json_t *row_of(const json_t *record)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "Start",
			 time_of(record, "start"), "End", time_of(record, "end"), "Result", result_of(record),
			 "Protocol", text_of(record, "protocol"), "Client", text_of(record, "source"), "To",
			 text_of(record, "destination"), "As", text_of(record, "served_source"), "Server",
			 text_of(record, "served_destination"), "Zone", text_of(record, "zone"), "From",
			 text_of(record, "from"), "Instance", text_of(record, "to"), "Packets",
			 pair_of(record, "packets"), "Bytes", pair_of(record, "bytes"));
}

/* ---- files ---- */

static int on_answer(void *context, const json_t *answer)
{
	struct reading *reading = context;

	reading->files = json_incref(json_object_get(answer, "files"));
	if (!json_is_true(json_object_get(answer, "on")))
		fprintf(stderr, "privlink: the flow log of this endpoint is off on this node\n");
	return CLI_OK;
}

static void read_file(struct reading *reading, const char *path)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");

	while (file && getline(&line, &size, file) > 0) {
		char **place = &reading->lines[reading->n++ % reading->limit];

		free(*place);
		*place = TAKE_PTR(line);
		size = 0;
	}
	if (file)
		(void)fclose(file);
}

/* Half a line, of an agent that was killed, is none. */
static json_t *read_records(struct reading *reading)
{
	size_t first, i;
	json_t *records, *path;

	json_array_foreach(reading->files, i, path)
		read_file(reading, json_string_value(path));
	first = reading->n > reading->limit ? reading->n - reading->limit : 0;
	records = json_array();
	for (i = first; i < reading->n && records; i++) {
		json_t *record = json_loads(reading->lines[i % reading->limit], 0, NULL);

		if (record && reading->cli->json)
			(void)json_array_append(records, record);
		else if (record)
			(void)json_array_append_new(records, row_of(record));
		json_decref(record);
	}
	return records;
}

static void print(const struct cli *cli, const json_t *records)
{
	static const struct cli_column columns[] = {
		{"Start", "Start"},
		{"End", "End"},
		{"Result", "Result"},
		{"Protocol", "Protocol"},
		{"Client", "Client"},
		{"To", "To"},
		{"As", "As", .wide = true},
		{"Server", "Server", .wide = true},
		{"Packets", "Packets"},
		{"Bytes", "Bytes"},
		{"Zone", "Zone", .wide = true},
		{"From", "From", .wide = true},
		{"Instance", "Instance", .wide = true},
		{NULL},
	};

	if (cli->json) {
		json_dumpf(records, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		cli_table_print(cli, records, columns);
	}
}

static int read_and_print(struct reading *reading)
{
	_cleanup_(json_decrefp) json_t *records = NULL;

	reading->lines = calloc(reading->limit, sizeof(*reading->lines));
	records = reading->lines ? read_records(reading) : NULL;
	if (records)
		print(reading->cli, records);
	for (size_t i = 0; reading->lines && i < reading->limit; i++)
		free(reading->lines[i]);
	free(reading->lines);
	return records ? CLI_OK : cli_fail("out of memory");
}

/* ---- the command ---- */

static const struct cli_command *own_command(void)
{
	const struct cli_command *command = cli_commands;

	while (command->run != cli_run_flow_log)
		command++;
	return command;
}

static size_t read_limit(const json_t *question)
{
	json_int_t limit = json_integer_value(json_object_get(question, "limit"));

	return limit < 1 ? LIMIT : (size_t)MIN(limit, (json_int_t)1000000);
}

int cli_run_flow_log(struct cli *cli, int argc, char **argv)
{
	struct reading reading = {.cli = cli};
	struct params params = {0};
	json_t *question;
	int r = cli_command_parse(cli, own_command(), argc, argv, &params);

	if (r == CLI_OK) {
		question = cli_agent_question("flow-log", &params);
		reading.limit = read_limit(question);
		r = question ? cli_agent_follow(cli, question, false, on_answer, &reading) : CLI_FAILED;
		json_decref(question);
	}
	if (r == CLI_OK)
		r = read_and_print(&reading);
	json_decref(reading.files);
	params_done(&params);
	return r;
}
