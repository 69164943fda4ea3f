/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out a row of the table of commands: options to parameters, the call (page by page where the answer
 * is a list), the part of the answer that people want, and the wait.
 */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>

static bool is_positional(const struct cli_option *option)
{
	return option->name[0] != '-';
}

/* ---- arguments to parameters ---- */

static int add_numbered(struct params *params, const char *parameter, unsigned int n, const char *member,
			const char *value)
{
	char name[256];
	int r;

	r = str_format(name, sizeof(name), "%s.%u%s%s", parameter, n, member ? "." : "", member ?: "");
	return r < 0 ? r : params_add(params, name, value);
}

static int add_tuple(const struct cli_option *option, const char *value, unsigned int n,
		     struct params *params)
{
	char values[1024], *v = values;
	int r;

	if (str_copy(values, sizeof(values), value) < 0)
		return -EINVAL;
	for (unsigned int i = 0; i < option->parts; i++) {
		char *part = strsep(&v, ",");

		if (!part)
			return 0;
		if (!*part)
			continue;
		r = add_numbered(params, option->parameter, n, option->members[i].name, part);
		if (r < 0)
			return r;
	}
	return v ? -EINVAL : 0; /* more parts than members */
}

static int add_text(const struct cli_option *option, const char *value, struct params *params)
{
	char name[128];
	int r;

	r = str_format(name, sizeof(name), "%s%s", option->within, option->parameter);
	return r < 0 ? r : params_add(params, name, value);
}

static int add_option(struct cli *cli, const struct cli_option *option, const char *value, unsigned int n,
		      struct params *params)
{
	if (option->add)
		return option->add(cli, option, value, n, params);
	switch (option->type) {
	case CLI_TEXT:
		return add_text(option, value, params);
	case CLI_FLAG:
		return add_text(option, "true", params);
	case CLI_LIST:
		return add_numbered(params, option->parameter, n, NULL, value);
	case CLI_TUPLE:
		return add_tuple(option, value, n, params);
	}
	return -EINVAL;
}

static const struct cli_option *option_named(const struct cli_option_list *options, const char *name,
					     size_t length)
{
	for (size_t i = 0; i < options->n; i++)
		if (strlen(options->v[i].name) == length && strncmp(options->v[i].name, name, length) == 0)
			return &options->v[i];
	return NULL;
}

static const struct cli_option *positional_at(const struct cli_option_list *options, unsigned int index)
{
	const struct cli_option *last = NULL;

	for (size_t i = 0; i < options->n; i++) {
		if (!is_positional(&options->v[i]))
			continue;
		if (index-- == 0)
			return &options->v[i];
		last = &options->v[i];
	}
	return last && last->type == CLI_LIST ? last : NULL; /* the last one may repeat */
}

/* An option's use; `n` counts them from 1. */
static int add_checked(struct cli *cli, const struct cli_option *option, const char *value, unsigned int n,
		       struct params *params)
{
	int r;

	if (n > 1 && (option->type == CLI_TEXT || option->type == CLI_FLAG) && !is_positional(option))
		return cli_usage("%s is given twice", option->name);
	r = add_option(cli, option, value, n, params);
	if (r == -EINVAL)
		return cli_usage("%s %s: expected %s", option->name, value, option->help);
	return r < 0 ? cli_fail("%s", strerror(-r)) : CLI_OK;
}

static int check_required(const struct cli_command *command, const struct cli_option_list *options,
			  const unsigned int *uses)
{
	for (size_t i = 0; i < options->n; i++)
		if (options->v[i].required && uses[i] == 0)
			return cli_usage("%s %s needs %s (%s)", command->group, command->name,
					 options->v[i].name, options->v[i].help);
	return CLI_OK;
}

static int add_fixed(const struct cli_command *command, struct params *params)
{
	return command->fixed ? params_parse(command->fixed, strlen(command->fixed), params) : 0;
}

int cli_command_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv,
		      struct params *ret)
{
	unsigned int uses[CLI_OPTIONS_MAX] = {0}, n_positional = 0;
	struct cli_option_list options;
	int r;

	cli_options_of(command, &options);
	if (add_fixed(command, ret) < 0 ||
	    (cli->region && !params_get(ret, "RegionId") && params_add(ret, "RegionId", cli->region) < 0))
		return cli_fail("out of memory");
	for (int i = 0; i < argc; i++) {
		const struct cli_option *option;
		char *value = argv[i], *equals;

		if (argv[i][0] != '-') {
			option = positional_at(&options, n_positional++);
			if (!option)
				return cli_usage("%s %s: unexpected argument %s (see privlink %s %s --help)",
						 command->group, command->name, argv[i], command->group,
						 command->name);
		} else {
			equals = strchr(argv[i], '=');
			option = option_named(&options, argv[i],
					      equals ? (size_t)(equals - argv[i]) : strlen(argv[i]));
			if (!option)
				return cli_usage("%s %s: unknown option %s (see privlink %s %s --help)",
						 command->group, command->name, argv[i], command->group,
						 command->name);
			if (equals)
				value = equals + 1;
			else if (option->type == CLI_FLAG)
				value = NULL;
			else if (i + 1 < argc)
				value = argv[++i];
			else
				return cli_usage("%s needs a value (%s)", option->name, option->help);
			if (equals && option->type == CLI_FLAG)
				return cli_usage("%s takes no value", option->name);
		}
		r = add_checked(cli, option, value, ++uses[option - options.v], ret);
		if (r != CLI_OK)
			return r;
	}
	return check_required(command, &options, uses);
}

/* ---- pages ---- */

#define TOKEN_PAGE  "50"
#define NUMBER_PAGE 50
#define PAGES_MAX   10000

/* Where the array of a path is kept, so that later pages can be added to the first one's. */
static json_t *array_at(json_t *answer, const char *path)
{
	const json_t *found = cli_value_at(answer, path);

	return json_is_array(found) ? (json_t *)found : NULL;
}

char *cli_take_param(struct params *params, const char *name)
{
	for (size_t i = 0; i < params->n; i++)
		if (streq(params->v[i].name, name)) {
			char *value = params->v[i].value;

			free(params->v[i].name);
			params->v[i] = params->v[--params->n];
			return value;
		}
	return NULL;
}

int cli_set_param(struct params *params, const char *name, const char *value)
{
	for (size_t i = 0; i < params->n; i++)
		if (streq(params->v[i].name, name)) {
			char *copy = strdup(value);

			if (!copy)
				return -ENOMEM;
			free(params->v[i].value);
			params->v[i].value = copy;
			return 0;
		}
	return params_add(params, name, value);
}

static int next_by_token(const json_t *page, struct params *params)
{
	const char *token = json_string_value(json_object_get(page, "NextToken"));

	if (!token || !*token)
		return 0;
	return cli_set_param(params, "NextToken", token) < 0 ? -ENOMEM : 1;
}

static int next_by_number(const json_t *page, size_t n_so_far, unsigned int number, struct params *params)
{
	const json_t *total = json_object_get(page, "TotalCount");
	char text[16];

	if (!json_is_integer(total) || (size_t)json_integer_value(total) <= n_so_far)
		return 0;
	(void)str_format(text, sizeof(text), "%u", number);
	return cli_set_param(params, "PageNumber", text) < 0 ? -ENOMEM : 1;
}

static int begin_pages(const struct paging *paging, struct params *params)
{
	char size[16];

	if (!paging)
		return 0;
	(void)str_format(size, sizeof(size), "%d", NUMBER_PAGE);
	return paging->size_max ? params_add(params, "PageSize", size)
				: params_add(params, "MaxResults", TOKEN_PAGE);
}

int cli_call_pages(struct cli *cli, const char *product, const struct action *action,
		   const struct cli_view *view, struct params *params, json_t **ret)
{
	const struct paging *paging = action->paging;
	json_t *first = NULL, *entries, *page;
	int r, more;

	if (begin_pages(paging, params) < 0)
		return cli_fail("out of memory");
	r = cli_call(cli, product, action->name, params, &first);
	if (r != CLI_OK)
		return r;
	entries = paging ? array_at(first, view->list) : NULL;
	page = json_incref(first);
	for (unsigned int number = 2; entries && number < PAGES_MAX; number++) {
		more = paging->size_max ? next_by_number(page, json_array_size(entries), number, params)
					: next_by_token(page, params);
		json_decref(page);
		page = NULL;
		r = more < 0 ? cli_fail("out of memory") : CLI_OK;
		if (more <= 0)
			break;
		r = cli_call(cli, product, action->name, params, &page);
		if (r != CLI_OK)
			break;
		if (json_array_size(array_at(page, view->list)) == 0)
			break;
		if (json_array_extend(entries, array_at(page, view->list)) < 0) {
			r = cli_fail("out of memory");
			break;
		}
	}
	json_decref(page);
	if (r != CLI_OK) {
		json_decref(first);
		return r;
	}
	json_object_del(first, "NextToken");
	*ret = first;
	return CLI_OK;
}

/* ---- the command ---- */

static void print_answer(const struct cli *cli, const struct cli_command *command,
			 const struct cli_view *view, const json_t *answer)
{
	const json_t *shown = view->list[0] ? cli_value_at(answer, view->list) : answer;

	if (cli->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
		putchar('\n');
	} else if (command->id || !view->columns[0].title) {
		return;
	} else if (json_is_array(shown)) {
		cli_table_print(cli, shown, view->columns);
	} else {
		cli_fields_print(shown, view->columns);
	}
}

/* Ids to print and to wait for: of the answer, or those that the call named. */
static char *ids_of(const struct cli_command *command, const json_t *answer, const struct params *params)
{
	char *text = cli_value_text(answer, command->id);
	const char *given = params_get(params, command->id);

	if (text && *text)
		return text;
	free(text);
	return given ? strdup(given) : NULL;
}

static int wait_for_ids(struct cli *cli, const struct cli_command *command, char *ids)
{
	int r = CLI_OK;

	cli->deadline_ms = now_mono_ms() + (uint64_t)cli->timeout_s * 1000; /* of all together */
	for (char *rest = ids, *id; r == CLI_OK && (id = strsep(&rest, ","));)
		r = cli_wait_for(cli, command, id);
	return r;
}

static void print_ids(const char *ids)
{
	for (; *ids; ids++)
		putchar(*ids == ',' ? '\n' : *ids);
	putchar('\n');
	fflush(stdout);
}

static void add_more(const struct cli_command *command, struct cli_view *view)
{
	size_t n = 0;

	while (view->columns[n].title)
		n++;
	for (const struct cli_column *c = command->more; c && c->title && n < CLI_COLUMNS_MAX; c++)
		view->columns[n++] = *c;
}

/* Of which object the API has just said no: its message need not name it. */
static void say_what_failed(const struct cli_command *command, const struct params *params)
{
	struct cli_option_list options;
	bool named = false;

	cli_options_of(command, &options);
	for (size_t i = 0; i < options.n; i++) {
		const struct cli_option *option = &options.v[i];
		const char *value = is_positional(option) && option->parameter && option->type == CLI_TEXT
					    ? params_get(params, option->parameter)
					    : NULL;

		if (!value)
			continue;
		if (!named)
			fprintf(stderr, "privlink: refused: %s %s", command->group, command->name);
		named = true;
		fprintf(stderr, " %s", value);
	}
	if (named)
		fputc('\n', stderr);
}

static int run_call(struct cli *cli, const struct cli_command *command, struct params *params)
{
	_cleanup_(freep) char *ids = NULL;
	json_t *answer = NULL;
	struct cli_view view;
	int r;

	cli_view_of(cli_action(command), &view);
	add_more(command, &view);
	r = cli_call_pages(cli, command->product, cli_action(command), &view, params, &answer);
	if (r == CLI_FAILED)
		say_what_failed(command, params);
	if (r != CLI_OK)
		return r;
	if (command->complete && !cli->json)
		r = command->complete(cli, answer, array_at(answer, view.list));
	if (r != CLI_OK) {
		json_decref(answer);
		return r;
	}
	if (command->id)
		ids = ids_of(command, answer, params);
	print_answer(cli, command, &view, answer);
	if (view.list[0] && !command->id)
		cli_say_whose(cli, command, array_at(answer, view.list));
	if (!cli->json && ids && cli_value_at(answer, command->id))
		print_ids(ids);
	json_decref(answer);
	if (cli->wait && command->wait && ids)
		r = wait_for_ids(cli, command, ids);
	return r;
}

int cli_command_run(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
	struct params params = {0};
	int r;

	if (command->is_text && cli->json)
		return cli_usage("%s %s prints no JSON", command->group, command->name);
	if (command->run)
		return command->run(cli, argc, argv);
	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	r = cli_command_parse(cli, command, argc, argv, &params);
	if (r == CLI_OK && cli->wait && !command->wait)
		r = cli_usage("%s %s has no state to wait for", command->group, command->name);
	if (r == CLI_OK)
		r = cli_resolve_names(cli, command->product, &params);
	if (r == CLI_OK)
		r = run_call(cli, command, &params);
	params_done(&params);
	return r;
}

static void print_option_help(const struct cli_option *option, FILE *to)
{
	char left[64];
	int width = option->type == CLI_TUPLE ? 27 : 25; /* "…" is one column, and three bytes */
	const char *value = option->type == CLI_FLAG ? "" : option->type == CLI_TUPLE ? " A,B,…" : " VALUE";

	if (is_positional(option))
		(void)str_format(left, sizeof(left), "%s", option->name);
	else
		(void)str_format(left, sizeof(left), "%s%s", option->name, value);
	if (strlen(left) > (size_t)width) /* too long to have its help beside it */
		fprintf(to, "  %s\n  %-*s %s", left, 25, "", option->help);
	else
		fprintf(to, "  %-*s %s", width, left, option->help);
	fprintf(to, "%s%s\n", option->required ? " (required)" : "",
		option->type == CLI_LIST || option->type == CLI_TUPLE ? " (may be repeated)" : "");
}

void cli_command_help(const struct cli_command *command, FILE *to)
{
	struct cli_option_list options;

	cli_options_of(command, &options);
	fprintf(to, "usage: privlink %s%s%s", command->group, *command->name ? " " : "", command->name);
	if (command->usage)
		fprintf(to, " %s", command->usage);
	for (size_t i = 0; i < options.n; i++)
		if (is_positional(&options.v[i]))
			fprintf(to, options.v[i].required ? " %s" : " [%s]", options.v[i].name);
	fprintf(to, "%s\n%s\n", options.n ? " [OPTION…]" : "", command->help);
	if (command->notes)
		fprintf(to, "\n%s", command->notes);
	if (options.n)
		fputc('\n', to);
	for (size_t i = 0; i < options.n; i++)
		if (is_positional(&options.v[i]))
			print_option_help(&options.v[i], to);
	for (size_t i = 0; i < options.n; i++)
		if (!is_positional(&options.v[i]))
			print_option_help(&options.v[i], to);
	if (command->wait)
		fputs("  --wait                    wait until it is done\n"
		      "  --timeout S               give up waiting after S seconds (60)\n",
		      to);
}
