/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink, the command line: finds the command in the table and runs it. Exit status: 0 done; 1 the API or
 * the machine said no; 2 the command line makes no sense. `exec` passes on the status of what it ran.
 */
#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>

#include "../cli/cli.h"

static void print_group(const char *group, FILE *to)
{
	fprintf(to, "usage: privlink %s COMMAND [OPTION…]\n\n", group);
	for (const struct cli_command *c = cli_commands; c->group; c++)
		if (streq(c->group, group))
			fprintf(to, "  %-18s %s\n", c->name, c->help);
	fprintf(to, "\nprivlink %s COMMAND --help shows its options.\n", group);
}

#define HELP_WIDTH 80

/* The verbs of a group, over as many lines as they need. */
static const struct cli_command *print_verbs(const struct cli_command *command, FILE *to)
{
	const char *group = command->group;
	size_t column;

	column = (size_t)fprintf(to, "  %-10s", group);
	for (bool first = true; command->group && streq(command->group, group); command++, first = false) {
		if (column + strlen(command->name) + 3 > HELP_WIDTH)
			column = (size_t)fprintf(to, ",\n  %-10s", "") - 1;
		else if (!first)
			column += (size_t)fprintf(to, ",");
		column += (size_t)fprintf(to, " %s", command->name);
	}
	fputc('\n', to);
	return command;
}

static void print_help(FILE *to)
{
	const struct cli_command *c = cli_commands;

	fputs("usage: privlink COMMAND [OPTION…]\n\n", to);
	while (c->group)
		if (*c->name)
			c = print_verbs(c, to);
		else
			fprintf(to, "  %-10s %s\n", c->group, c->help), c++;
	fputs("\nOptions of all commands:\n", to);
	options_help(&cli_options, to);
}

static bool is_help(const char *word)
{
	return streq(word, "--help") || streq(word, "-h") || streq(word, "help");
}

static bool group_exists(const char *group)
{
	for (const struct cli_command *c = cli_commands; c->group; c++)
		if (streq(c->group, group))
			return true;
	return false;
}

/* Each verb has one name in the help; to "get" an object is to show it. */
static const struct cli_command *command_find(const char *group, const char *name)
{
	name = streq(name, "get") ? "show" : name;
	for (const struct cli_command *c = cli_commands; c->group; c++)
		if (streq(c->group, group) && (!*c->name || streq(c->name, name)))
			return c;
	return NULL;
}

static bool asks_for_help(const struct cli_command *command, int argc, char **argv)
{
	for (int i = 0; i < argc && !streq(argv[i], "--"); i++)
		if (streq(argv[i], "--help") || streq(argv[i], "-h"))
			return !streq(command->group, "exec") || i == 0;
	return false;
}

static int run_command(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
	if (asks_for_help(command, argc, argv)) {
		cli_command_help(command, stdout);
		return CLI_OK;
	}
	if (cli_take_options(cli, &argc, argv, streq(command->group, "exec")) < 0)
		return CLI_USAGE;
	return cli_command_run(cli, command, argc, argv);
}

/* argv[0] is the group, options before it were taken. */
static int run_words(struct cli *cli, int argc, char **argv)
{
	const struct cli_command *command;

	if (argc == 0) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (is_help(argv[0]))
		return print_help(stdout), CLI_OK;
	if (streq(argv[0], "--version"))
		return cli_run_version(cli, 0, NULL);
	if (!group_exists(argv[0]))
		return cli_usage("unknown command %s (see privlink --help)", argv[0]);
	command = command_find(argv[0], argc > 1 ? argv[1] : "");
	if (command && !*command->name)
		return run_command(cli, command, argc - 1, argv + 1);
	if (argc == 1 || is_help(argv[1])) {
		print_group(argv[0], argc == 1 ? stderr : stdout);
		return argc == 1 ? CLI_USAGE : CLI_OK;
	}
	if (!command)
		return cli_usage("unknown command %s %s (see privlink %s --help)", argv[0], argv[1], argv[0]);
	return run_command(cli, command, argc - 2, argv + 2);
}

/* An answer that nobody got is no success: a full disk, a closed output. */
static int finish_output(int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != CLI_OK)
		return status;
	return cli_fail("cannot write the answer: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct cli cli = {.timeout_s = 60};
	int r;

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		(void)setlocale(LC_CTYPE, "");
	argc--;
	argv++;
	r = cli_take_options(&cli, &argc, argv, true) < 0 ? CLI_USAGE : run_words(&cli, argc, argv);
	if (cli.curl)
		curl_easy_cleanup(cli.curl);
	cli_done(&cli);
	return finish_output(r);
}
