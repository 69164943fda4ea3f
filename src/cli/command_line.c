/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of the API as a command line to copy: the other way round from parsing one. A command fits if each
 * parameter is one of its options, or is what it always sends.
 */
#include "cli.h"

#include <stdio.h>

static bool is_positional(const struct cli_option *option)
{
	return option->name[0] != '-';
}

/* A word of a shell's line. What ids, addresses and the API's words are made of needs no quotes. */
static void print_word(FILE *f, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";

	if (*word && word[strspn(word, plain)] == '\0') {
		fputs(word, f);
		return;
	}
	fputc('\'', f);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", f);
		else
			fputc(*word, f);
	fputc('\'', f);
}

static const struct cli_option *option_of(const struct cli_option_list *options, const char *parameter)
{
	char name[160];

	for (size_t i = 0; i < options->n; i++) {
		const struct cli_option *option = &options->v[i];

		if (!option->parameter || option->type != CLI_TEXT)
			continue;
		(void)str_format(name, sizeof(name), "%s%s", option->within, option->parameter);
		if (streq(name, parameter))
			return option;
	}
	return NULL;
}

/* "LoadBalancerStatus=active" */
static bool is_fixed(const struct cli_command *command, const char *parameter, const char *value)
{
	char pair[128];

	return command->fixed && str_format(pair, sizeof(pair), "%s=%s", parameter, value) >= 0 &&
	       streq(pair, command->fixed);
}

static bool fits(const struct cli_command *command, const struct cli_option_list *options,
		 const json_t *parameters)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)parameters, name, value)
		if (!option_of(options, name) && !is_fixed(command, name, json_string_value(value) ?: ""))
			return false;
	for (size_t i = 0; i < options->n; i++)
		if (options->v[i].required && !json_object_get(parameters, options->v[i].parameter ?: ""))
			return false;
	return true;
}

static const struct cli_command *command_of(const char *product, const char *action, const json_t *parameters,
					    struct cli_option_list *options)
{
	for (const struct cli_command *c = cli_commands; c->group; c++) {
		if (!c->action || c->run || !streq(c->product, product) || !streq(c->action, action))
			continue;
		cli_options_of(c, options);
		if (fits(c, options, parameters))
			return c;
	}
	return NULL;
}

static void print_options(FILE *f, const struct cli_option_list *options, const json_t *parameters,
			  bool positional)
{
	for (size_t i = 0; i < options->n; i++) {
		const struct cli_option *option = &options->v[i];
		char name[160];
		const char *value;

		(void)str_format(name, sizeof(name), "%s%s", option->within, option->parameter ?: "");
		value = json_string_value(json_object_get(parameters, name));
		if (!value || is_positional(option) != positional || option_of(options, name) != option)
			continue;
		fputc(' ', f);
		if (!positional)
			fprintf(f, "%s ", option->name);
		print_word(f, value);
	}
}

static void print_call(FILE *f, const char *product, const char *action, const json_t *parameters)
{
	const char *name;
	json_t *value;

	fprintf(f, "privlink call %s %s", product, action);
	json_object_foreach((json_t *)parameters, name, value) {
		char pair[512];

		(void)str_format(pair, sizeof(pair), "%s=%s", name, json_string_value(value) ?: "");
		fputc(' ', f);
		print_word(f, pair);
	}
}

char *cli_command_line(const struct cli *cli, const char *product, const char *action, const char *region,
		       const json_t *parameters)
{
	struct cli_option_list options;
	const struct cli_command *command = command_of(product, action, parameters, &options);
	char *line = NULL;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	if (!f)
		return NULL;
	if (command) {
		fprintf(f, "privlink %s %s", command->group, command->name);
		print_options(f, &options, parameters, true);
		print_options(f, &options, parameters, false);
	} else {
		print_call(f, product, action, parameters);
	}
	if (*region && cli->region && !streq(region, cli->region)) {
		fputs(" --region ", f);
		print_word(f, region);
	}
	return fclose(f) == 0 ? line : NULL;
}
