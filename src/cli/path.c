/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink endpoint path: the hops from an instance to what serves an endpoint, each with
 * a mark, those of a zone below the zone; then the cause in words and the fix as a command line to copy.
 */
#include "cli.h"

#include <stdio.h>

#define MARK 8 /* columns of a hop's mark */
#define ZONE 2 /* by which the hops of a zone are indented */

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

void cli_print_wrapped(const char *text, size_t column, size_t indent)
{
	const char *gap = "";

	for (const char *word = text; *word; word += strspn(word, " ")) {
		size_t length = strcspn(word, " ");

		if (column + strlen(gap) + length > CLI_WIDTH && column > indent) {
			printf("\n%*s", (int)indent, "");
			column = indent;
			gap = "";
		}
		printf("%s%.*s", gap, (int)length, word);
		column += strlen(gap) + length;
		gap = " ";
		word += length;
	}
	putchar('\n');
}

/* The same of a member, without what a terminal would take for a command. */
static void print_member(const json_t *object, const char *name, size_t column, size_t indent)
{
	_cleanup_(freep) char *text = cli_value_text(object, name);

	cli_print_wrapped(text ?: "", column, indent);
}

static const char *mark_of(const char *state)
{
	static const char *const marks[][2] = {
		{"Ok", "ok"}, {"Warn", "warn"}, {"Broken", "BROKEN"}, {"Unknown", "?"}};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (streq(marks[i][0], state))
			return marks[i][1];
	return state;
}

static void print_hops(const json_t *hops)
{
	const char *zone = "";

	for (size_t i = 0; i < json_array_size(hops); i++) {
		const json_t *hop = json_array_get(hops, i);
		int indent;

		if (*text_of(hop, "ZoneId") && !streq(text_of(hop, "ZoneId"), zone))
			printf("%s:\n", text_of(hop, "ZoneId"));
		zone = text_of(hop, "ZoneId");
		indent = *zone ? ZONE : 0;
		printf("%*s%-*s", indent, "", MARK, mark_of(text_of(hop, "State")));
		print_member(hop, "Text", (size_t)(MARK + indent), (size_t)(MARK + indent));
	}
}

/* Whose turn it is, where that is not the caller. */
static const char *turn_words(const char *turn)
{
	static const char *const words[][2] = {
		{"Provider", "This is up to the provider of the service."},
		{"Consumer", "This is up to the owner of the endpoint."},
		{"Operator", "This is up to the operator of the nodes."},
		{"Time", "Wait a moment, and ask again."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(words[i][0], turn))
			return words[i][1];
	return "";
}

/* Breaks it before options, as a shell understands it. */
static void print_command(const char *line)
{
	size_t column = 2;

	fputs("  ", stdout);
	for (const char *word = line; *word; word += strspn(word, " ")) {
		size_t length = strcspn(word, " ");
		bool is_first = word == line;

		if (!is_first && column + 1 + length + 2 > CLI_WIDTH) {
			fputs(" \\\n   ", stdout);
			column = 3;
		}
		printf("%s%.*s", is_first ? "" : " ", (int)length, word);
		column += length + !is_first;
		word += length;
	}
	putchar('\n');
}

static int print_fix(const struct cli *cli, const json_t *fix)
{
	_cleanup_(freep) char *line =
		cli_command_line(cli, text_of(fix, "Product"), text_of(fix, "Action"),
				 text_of(fix, "RegionId"), json_object_get(fix, "Parameters"));

	if (!line)
		return cli_fail("out of memory");
	fputs("\nFix: ", stdout);
	print_member(fix, "Text", strlen("Fix: "), strlen("Fix: "));
	print_command(line);
	return CLI_OK;
}

int cli_path_print(const struct cli *cli, const json_t *path)
{
	const json_t *cause = json_object_get(path, "Cause"), *fix = json_object_get(path, "Fix");
	long long port = (long long)json_integer_value(json_object_get(path, "Port"));

	printf("%s: %s", text_of(path, "Verdict"), text_of(path, "Protocol"));
	if (port)
		printf(" %lld", port);
	fputs("\n\n", stdout);
	print_hops(json_object_get(path, "Hops"));
	if (!cause)
		return CLI_OK;
	printf("\nCause (%s): ", text_of(cause, "Code"));
	print_member(cause, "Text", strlen("Cause (): ") + strlen(text_of(cause, "Code")), 2);
	if (*turn_words(text_of(cause, "Turn")))
		printf("  %s\n", turn_words(text_of(cause, "Turn")));
	return fix ? print_fix(cli, fix) : CLI_OK;
}

static int show_path(struct cli *cli, const struct params *params)
{
	_cleanup_(json_decrefp) json_t *answer = NULL;
	int r = cli_call(cli, "privlink", "GetEndpointPath", params, &answer);

	if (r != CLI_OK)
		return r;
	if (cli->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
		putchar('\n');
	} else {
		r = cli_path_print(cli, answer);
	}
	if (r == CLI_OK && !streq(text_of(answer, "Verdict"), "Reachable"))
		r = CLI_UNREACHABLE;
	return r;
}

static const struct cli_command *own_command(int (*run)(struct cli *cli, int argc, char **argv))
{
	const struct cli_command *command = cli_commands;

	while (command->run != run)
		command++;
	return command;
}

int cli_run_path(struct cli *cli, int argc, char **argv)
{
	struct params params = {0};
	int r;

	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	r = cli_command_parse(cli, own_command(cli_run_path), argc, argv, &params);
	if (r == CLI_OK)
		r = cli_resolve_names(cli, "privlink", &params);
	if (r == CLI_OK)
		r = show_path(cli, &params);
	params_done(&params);
	return r;
}
