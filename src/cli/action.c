/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API's tables say of a command: its options are the parameters of the action that have one, its
 * columns the members of the answer that have a title.
 */
#include "cli.h"

const struct action *cli_action(const struct cli_command *command)
{
	const struct product_info *product = command->product ? product_by_name(command->product) : NULL;

	return product ? action_find(product->product, command->action) : NULL;
}

/* Options */

static enum cli_option_type type_of(const struct param_spec *spec)
{
	switch (spec->type) {
	case PARAM_BOOL:
		return CLI_FLAG;
	case PARAM_LIST:
		return CLI_LIST;
	case PARAM_STRUCT_LIST:
		return CLI_TUPLE;
	default:
		return CLI_TEXT;
	}
}

static struct cli_option *new_option(struct cli_option_list *options)
{
	return options->n < CLI_OPTIONS_MAX ? &options->v[options->n++] : NULL;
}

static void add_options(struct cli_option_list *options, const struct param_spec *specs, const char *within)
{
	for (const struct param_spec *spec = specs; spec && spec->name; spec++) {
		struct cli_option *option;

		if (spec->type == PARAM_STRUCT && !spec->option) {
			char inner[64];

			if (str_format(inner, sizeof(inner), "%s%s.", within, spec->name) > 0)
				add_options(options, spec->members, inner);
			continue;
		}
		option = spec->option ? new_option(options) : NULL;
		if (!option)
			continue;
		*option = (struct cli_option){
			.name = spec->option,
			.parameter = spec->name,
			.type = type_of(spec),
			.required = spec->required || spec->asked,
			.help = spec->help,
			.members = spec->members,
			.parts = spec->parts,
		};
		(void)str_copy(option->within, sizeof(option->within), within);
	}
}

void cli_options_of(const struct cli_command *command, struct cli_option_list *ret)
{
	static const struct cli_option token = {"--client-token", "ClientToken",
						.help = "repeat of a call: the first one's answer"};
	const struct action *action = cli_action(command);
	struct cli_option *option;

	ret->n = 0;
	if (action)
		add_options(ret, action->params, "");
	for (const struct cli_option *own = command->options; own && own->name; own++) {
		option = new_option(ret);
		if (option)
			*option = *own;
	}
	option = action && action->flags & ACTION_CHANGES ? new_option(ret) : NULL;
	if (option)
		*option = token;
}

/* Columns */

static void add_column(struct cli_view *view, unsigned int number, const struct answer_field *field,
		       const char *path)
{
	char *paths;
	size_t length;

	if (number > CLI_COLUMNS_MAX)
		return;
	paths = view->paths[number - 1];
	length = strlen(paths);
	(void)str_format(paths + length, CLI_PATH_SIZE - length, "%s%s", length ? "|" : "", path);
	view->columns[number - 1] =
		(struct cli_column){field->title, paths, field->is_wide, field->is_remark};
}

/* The members of a table, below `prefix`. */
static void add_columns(struct cli_view *view, const struct answer_field *fields, const char *prefix,
			bool list)
{
	char path[CLI_PATH_SIZE], below[CLI_PATH_SIZE + 1];

	for (const struct answer_field *f = fields; f->kind != ANSWER_NONE; f++) {
		unsigned int number = list ? f->in_list : f->in_show;

		if (f->kind == ANSWER_SAME) {
			add_columns(view, f->members, prefix, list);
			continue;
		}
		if (str_format(path, sizeof(path), "%s%s%s%s", prefix, f->name, f->inner ? "." : "",
			       f->inner ?: "") < 0)
			continue;
		if (number)
			add_column(view, number, f, path);
		if (f->members && f->kind != ANSWER_TAGS) {
			(void)str_format(below, sizeof(below), "%s.", path);
			add_columns(view, f->members, below, list);
		}
	}
}

void cli_view_of(const struct action *action, struct cli_view *ret)
{
	const struct answer_field *list;

	*ret = (struct cli_view){};
	if (!action || !action->answer)
		return;
	list = answer_only_list(action->answer);
	if (list->members)
		add_columns(ret, list->members, "", true);
	if (ret->columns[0].title)
		(void)str_format(ret->list, sizeof(ret->list), "%s%s%s", list->name, list->inner ? "." : "",
				 list->inner ?: "");
	else
		add_columns(ret, action->answer, "", false);
}
