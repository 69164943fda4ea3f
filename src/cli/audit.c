/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink audit: the audit log, the newest call first; or, with --follow, as calls come. A page of the API
 * can be empty and still have a next one, so pages are asked for until there are as many calls as wanted.
 */
#include "cli.h"

#include <stdio.h>
#include <time.h>

#define LIMIT	      100 /* by default */
#define PAGE_MAX      500
#define FOLLOW_FIRST  10 /* shown before those that come */
#define FOLLOW_BACK_S 60 /* a call has the time at which it came, and is recorded when it is answered */

/* "30m": so long ago; or a time as the API has it, or the beginning of a day. */
int cli_add_time(struct cli *cli _unused_, const struct cli_option *option, const char *value,
		 unsigned int n _unused_, struct params *params)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t digits = strspn(value, "0123456789");
	char text[TIME_TEXT_SIZE + 16];
	int64_t unix_s;

	if (digits > 0 && digits < 8 && value[digits] && !value[digits + 1]) {
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (units[i].unit == value[digits]) {
				time_format(now_unix_s() - strtoll(value, NULL, 10) * units[i].seconds, text);
				return params_add(params, option->parameter, text);
			}
		return -EINVAL;
	}
	if (strlen(value) == strlen("2026-01-02"))
		(void)str_format(text, sizeof(text), "%sT00:00:00Z", value);
	else if (str_copy(text, sizeof(text), value) < 0)
		return -EINVAL;
	return time_parse(text, &unix_s) < 0 ? -EINVAL : params_add(params, option->parameter, text);
}

int cli_add_number(struct cli *cli _unused_, const struct cli_option *option, const char *value,
		   unsigned int n _unused_, struct params *params)
{
	size_t length = strlen(value);

	if (length == 0 || length > 6 || strspn(value, "0123456789") != length || strtol(value, NULL, 10) < 1)
		return -EINVAL;
	return params_add(params, option->parameter, value);
}

static const struct cli_command *own_command(void)
{
	const struct cli_command *command = cli_commands;

	while (command->run != cli_run_audit)
		command++;
	return command;
}

/* Asks for one page, and adds its calls. Exit code. */
static int ask_page(struct cli *cli, const struct params *params, const char *token, size_t limit,
		    json_t *events, char **ret_token)
{
	const struct cli_command *command = own_command();
	struct params page = {0};
	json_t *answer = NULL;
	char text[24];
	int r = 0;

	for (size_t i = 0; r == 0 && i < params->n; i++)
		r = params_add(&page, params->v[i].name, params->v[i].value);
	(void)str_format(text, sizeof(text), "%zu", MIN(limit, (size_t)PAGE_MAX));
	if (r == 0)
		r = params_add(&page, "MaxResults", text);
	if (r == 0 && token)
		r = params_add(&page, "NextToken", token);
	r = r < 0 ? cli_fail("%s", strerror(-r))
		  : cli_call(cli, command->product, command->action, &page, &answer);
	params_done(&page);
	if (r != CLI_OK)
		return r;
	token = json_string_value(json_object_get(answer, "NextToken"));
	*ret_token = token ? strdup(token) : NULL;
	if (json_array_extend(events, json_object_get(answer, "Events")) < 0 || (token && !*ret_token))
		r = cli_fail("out of memory");
	json_decref(answer);
	return r;
}

/* Up to so many calls, the newest first. */
static int ask(struct cli *cli, const struct params *params, size_t limit, json_t *events)
{
	char *token = NULL;
	int r;

	do {
		_cleanup_(freep) char *from = TAKE_PTR(token);

		r = ask_page(cli, params, from, limit - json_array_size(events), events, &token);
	} while (r == CLI_OK && token && json_array_size(events) < limit);
	free(token);
	return r;
}

static int show(struct cli *cli, const struct params *params, size_t limit)
{
	_cleanup_(json_decrefp) json_t *answer = json_pack("{s:[]}", "Events");
	json_t *events = json_object_get(answer, "Events");
	struct cli_view view;
	int r = ask(cli, params, limit, events);

	if (r != CLI_OK)
		return r;
	cli_view_of(cli_action(own_command()), &view);
	if (cli->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
		putchar('\n');
		return CLI_OK;
	}
	cli_table_print(cli, events, view.columns);
	cli_say_whose(cli, own_command(), events);
	return CLI_OK;
}

/* ---- as they come ---- */

static bool is_own(const json_t *event, const struct params *params)
{
	const char *action = json_string_value(json_object_get(event, "Action"));

	return !params_get(params, "EventAction") && action && streq(action, own_command()->action);
}

static void print_event(const struct cli *cli, const json_t *event)
{
	static const char *const paths[] = {"Time", "AccountId", "SourceAddress", "Action", "Code"};
	static const int widths[] = {24, 16, 15, 32, 0};

	if (cli->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_(freep) char *text = cli_value_text(event, paths[i]);

		printf("%s%-*s", i ? "  " : "", widths[i], text && *text ? text : "-");
	}
	putchar('\n');
}

static bool is_after(const json_t *a, const json_t *b)
{
	const char *x = json_string_value(json_object_get(a, "Time"));
	const char *y = json_string_value(json_object_get(b, "Time"));

	return x && y && strcmp(x, y) > 0;
}

/* Prints those that were not seen the last time, the oldest first, if they came after `last` (NULL: anyway);
 * they are what was seen then. */
static int take_new(const struct cli *cli, const struct params *params, const json_t *events,
		    const json_t *last, json_t **seen)
{
	json_t *now = json_object();

	for (size_t i = json_array_size(events); now && i-- > 0;) {
		const json_t *event = json_array_get(events, i);
		_cleanup_(freep) char *id = json_dumps(event, JSON_COMPACT);

		if (!id || json_object_set_new(now, id, json_true()) < 0) {
			json_decref(now);
			return cli_fail("out of memory");
		}
		if (!json_object_get(*seen, id) && (!last || is_after(event, last)) && !is_own(event, params))
			print_event(cli, event);
	}
	json_decref(*seen);
	*seen = now;
	return now && fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

/* From a minute before the last question on, however long that one waited for its turn: all, since what was
 * answered meanwhile may have come before others. */
static int ask_recent(struct cli *cli, struct params *params, int64_t *asked_s, json_t *events)
{
	char since[TIME_TEXT_SIZE];

	time_format(*asked_s - FOLLOW_BACK_S, since);
	*asked_s = now_unix_s();
	return cli_set_param(params, "StartTime", since) < 0 ? cli_fail("out of memory")
							     : ask(cli, params, SIZE_MAX, events);
}

static int follow(struct cli *cli, struct params *params, size_t limit)
{
	const struct timespec pause = {.tv_sec = 1};
	_cleanup_(json_decrefp) json_t *shown = json_array(), *seen = json_object();
	int64_t asked_s = now_unix_s();
	const json_t *last;
	int r;

	cli->is_patient = true;
	r = ask(cli, params, limit, shown);
	if (r == CLI_OK)
		r = take_new(cli, params, shown, NULL, &seen);
	last = json_array_get(shown, 0);
	while (r == CLI_OK) {
		_cleanup_(json_decrefp) json_t *events = json_array();

		r = ask_recent(cli, params, &asked_s, events);
		if (r == CLI_OK)
			r = take_new(cli, params, events, last, &seen);
		last = NULL;
		if (r == CLI_OK)
			(void)nanosleep(&pause, NULL);
	}
	return r;
}

int cli_run_audit(struct cli *cli, int argc, char **argv)
{
	_cleanup_(freep) char *limit = NULL, *follows = NULL;
	struct params params = {0};
	size_t n;
	int r;

	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	r = cli_command_parse(cli, own_command(), argc, argv, &params);
	limit = cli_take_param(&params, "Limit");
	follows = cli_take_param(&params, "Follow");
	n = limit ? strtoul(limit, NULL, 10) : follows ? FOLLOW_FIRST : LIMIT;
	if (r == CLI_OK)
		r = cli_resolve_names(cli, own_command()->product, &params);
	if (r == CLI_OK)
		r = follows ? follow(cli, &params, n) : show(cli, &params, n);
	params_done(&params);
	return r;
}
