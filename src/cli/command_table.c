/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the commands that change something as JSON: which action each calls, and which parameters its
 * options become. The console makes of it the command line that it offers beside each of its forms.
 */
#include <stdio.h>

#include "cli.h"

static const char *type_of(const struct cli_option *option)
{
	static const char *const names[] = {
		[CLI_TEXT] = "text",
		[CLI_FLAG] = "flag",
		[CLI_LIST] = "list",
		[CLI_TUPLE] = "tuple",
	};

	return option->add ? "own" : names[option->type];
}

static json_t *option_of(const struct cli_option *option)
{
	char parameter[160];
	json_t *row, *members;

	(void)str_format(parameter, sizeof(parameter), "%s%s", option->within, option->parameter ?: "");
	row = json_pack("{ss, ss, ss}", "name", option->name, "parameter", parameter, "type",
			type_of(option));
	if (option->required)
		(void)json_object_set_new(row, "required", json_true());
	if (option->type != CLI_TUPLE || option->add)
		return row;
	members = json_array();
	for (unsigned int i = 0; i < option->parts; i++)
		(void)json_array_append_new(members, json_string(option->members[i].name));
	(void)json_object_set_new(row, "members", members);
	return row;
}

/* "Status=Active&…" as an object. */
static json_t *fixed_of(const struct cli_command *command)
{
	json_t *fixed = json_object();
	struct params params = {0};

	if (command->fixed && params_parse(command->fixed, strlen(command->fixed), &params) == 0)
		for (size_t i = 0; i < params.n; i++)
			(void)json_object_set_new(fixed, params.v[i].name, json_string(params.v[i].value));
	params_done(&params);
	return fixed;
}

static json_t *command_of(const struct cli_command *command)
{
	struct cli_option_list options;
	json_t *list = json_array();

	cli_options_of(command, &options);
	for (size_t i = 0; i < options.n; i++)
		if (!streq(options.v[i].parameter ?: "", "ClientToken"))
			(void)json_array_append_new(list, option_of(&options.v[i]));
	return json_pack("{ss, ss, ss, ss, so, so}", "group", command->group, "name", command->name,
			 "product", command->product, "action", command->action, "fixed", fixed_of(command),
			 "options", list);
}

int main(void)
{
	json_t *table = json_array();
	int r;

	for (const struct cli_command *c = cli_commands; c->group; c++) {
		const struct action *action = c->run ? NULL : cli_action(c);

		if (action && action->flags & ACTION_CHANGES)
			(void)json_array_append_new(table, command_of(c));
	}
	r = json_dumpf(table, stdout, JSON_COMPACT);
	json_decref(table);
	return r == 0 && fflush(stdout) == 0 ? 0 : 1;
}
