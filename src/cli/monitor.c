/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink endpoint monitor, service monitor: what the traffic was, a line an interval and zone; or, with
 * --follow, as it comes. What is not known is "-", and never 0.
 */
#include "cli.h"

#include <stdio.h>
#include <time.h>

#define SINCE_S	     (5 * 60)  /* by default: 30 lines a zone */
#define FINE_S	     (15 * 60) /* for so long numbers are kept by 10 s */
#define POLL_S	     2
#define LATE_PERIODS 3 /* so late nobody tells of an interval any more */

static const struct cli_column columns[] = {
	{.title = "Time", .path = "Time"},
	{.title = "Zone", .path = "Zone"},
	{.title = "In bit/s", .path = "InBps"},
	{.title = "Out bit/s", .path = "OutBps"},
	{.title = "In pkt/s", .path = "InPps", .wide = true},
	{.title = "Out pkt/s", .path = "OutPps", .wide = true},
	{.title = "New", .path = "NewFlows"},
	{.title = "Open", .path = "OpenFlows"},
	{.title = "Dropped", .path = "Drops"},
	{},
};
static const int widths[] = {8, 15, 8, 9, 8, 9, 5, 5, 0}; /* of those that come one by one */

/* ---- from series to rows ---- */

/* The row of a zone and an interval, of those that lie zone by zone. */
static json_t *row_at(json_t *rows, size_t n_points, const char *zone, size_t i, int64_t time)
{
	size_t first = 0;
	char text[TIME_TEXT_SIZE];
	json_t *row;

	while (first < json_array_size(rows) &&
	       !streq(json_string_value(json_object_get(json_array_get(rows, first), "ZoneId")), zone))
		first += n_points;
	row = json_array_get(rows, first + i);
	if (row)
		return row;
	time_format(time, text);
	row = json_pack("{s:s, s:s}", "Time", text, "ZoneId", zone);
	return json_array_append_new(rows, row) == 0 ? row : NULL;
}

static int compare_rows(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	int r = strcmp(json_string_value(json_object_get(*x, "Time")),
		       json_string_value(json_object_get(*y, "Time")));

	return r ? r
		 : strcmp(json_string_value(json_object_get(*x, "ZoneId")),
			  json_string_value(json_object_get(*y, "ZoneId")));
}

/* By time, and then by zone. */
static json_t *sorted(json_t *rows)
{
	size_t n = json_array_size(rows);
	_cleanup_(freep) const json_t **v = calloc(n + 1, sizeof(*v));
	json_t *list = v ? json_array() : NULL;

	for (size_t i = 0; v && i < n; i++)
		v[i] = json_array_get(rows, i);
	if (v && n)
		qsort(v, n, sizeof(*v), compare_rows);
	for (size_t i = 0; list && i < n; i++)
		(void)json_array_append(list, (json_t *)v[i]);
	return list;
}

/* An object for each interval and zone, with each metric's point; the caller's. NULL: that is no such answer.
 */
static json_t *rows_of(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "Series"), *series;
	const char *start = json_string_value(json_object_get(answer, "StartTime"));
	json_int_t period = json_integer_value(json_object_get(answer, "Period"));
	_cleanup_(json_decrefp) json_t *rows = json_array();
	int64_t first;
	size_t i, j;

	if (!start || time_parse(start, &first) < 0 || period < 1)
		return NULL;
	json_array_foreach(list, i, series) {
		const char *zone = json_string_value(json_object_get(series, "ZoneId"));
		const char *metric = json_string_value(json_object_get(series, "Metric"));
		const json_t *points = json_object_get(series, "Points");
		json_t *point;

		if (!zone || !metric)
			return NULL;
		json_array_foreach(points, j, point) {
			json_t *row =
				row_at(rows, json_array_size(points), zone, j, first + (int64_t)j * period);

			if (!row || json_object_set(row, metric, point) < 0)
				return NULL;
		}
	}
	return sorted(rows);
}

static bool is_known(const json_t *row)
{
	return json_is_number(json_object_get(row, "InBps"));
}

/* ---- rows for people ---- */

/* "950", "1.2k", "31M". */
static void format_rate(double value, char *ret, size_t size)
{
	static const char *const units[] = {"", "k", "M", "G", "T"};
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	(void)str_format(ret, size, value < 9.95 && value != (double)(int)value ? "%.1f%s" : "%.0f%s", value,
			 units[unit]);
}

static void put_rate(json_t *to, const json_t *row, const char *metric)
{
	const json_t *value = json_object_get(row, metric);
	char text[32] = "-";

	if (json_is_number(value))
		format_rate(json_number_value(value), text, sizeof(text));
	(void)json_object_set_new(to, metric, json_string(text));
}

/* "policy_in 3, vip 1" */
static void put_drops(json_t *to, const json_t *row)
{
	static const char prefix[] = "Drops.";
	size_t size = 0;
	char *text = NULL;
	const char *name, *between = "";
	json_t *value;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	json_object_foreach((json_t *)row, name, value)
		if (str_starts(name, prefix) && json_number_value(value) > 0) {
			fprintf(f, "%s%s %.0f", between, name + strlen(prefix), json_number_value(value));
			between = ", ";
		}
	if (!*between)
		fputs(is_known(row) ? "0" : "-", f);
	(void)fclose(f);
	(void)json_object_set_new(to, "Drops", json_string(text));
	free(text);
}

/* The caller's. */
static json_t *for_people(const json_t *row)
{
	static const char *const rates[] = {"InBps", "OutBps", "InPps", "OutPps", "NewFlows", "OpenFlows"};
	const char *time = json_string_value(json_object_get(row, "Time"));
	json_t *to = json_object();
	char clock[16] = "-";

	if (time && strlen(time) == TIME_TEXT_SIZE - 1)
		(void)str_format(clock, sizeof(clock), "%.8s", time + strlen("2026-01-02T"));
	(void)json_object_set_new(to, "Time", json_string(clock));
	(void)json_object_set(to, "Zone", json_object_get(row, "ZoneId"));
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		put_rate(to, row, rates[i]);
	put_drops(to, row);
	return to;
}

static void print_rows(const struct cli *cli, const json_t *rows)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		(void)json_array_append_new(list, for_people(row));
	cli_table_print(cli, list, columns);
	if (!json_array_size(rows))
		fputs("privlink: there is no zone in which there could be traffic\n", stderr);
}

static void print_row(const struct cli *cli, const json_t *row)
{
	_cleanup_(json_decrefp) json_t *shown = NULL;

	if (cli->json) {
		json_dumpf(row, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
		return;
	}
	shown = for_people(row);
	for (size_t i = 0; columns[i].title; i++) {
		_cleanup_(freep) char *text = cli_value_text(shown, columns[i].path);

		if (!columns[i].wide || cli->wide)
			printf("%s%-*s", i ? "  " : "", widths[i], text && *text ? text : "-");
	}
	putchar('\n');
}

/* ---- asking ---- */

static int show(struct cli *cli, const struct cli_command *command, const struct params *params)
{
	_cleanup_(json_decrefp) json_t *answer = NULL, *rows = NULL;
	int r = cli_call(cli, command->product, command->action, params, &answer);

	if (r != CLI_OK)
		return r;
	if (cli->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
		putchar('\n');
		return CLI_OK;
	}
	rows = rows_of(answer);
	if (!rows)
		return cli_fail("the answer makes no sense");
	print_rows(cli, rows);
	return CLI_OK;
}

static bool is_known_after(const json_t *rows, size_t i)
{
	for (; i < json_array_size(rows); i++)
		if (is_known(json_array_get(rows, i)))
			return true;
	return false;
}

/* Prints what comes from `next` on, up to where nobody has told yet. */
static void print_new(const struct cli *cli, const json_t *rows, int64_t period, int64_t *next)
{
	const json_t *row;
	int64_t last = *next;
	size_t i;

	json_array_foreach(rows, i, row) {
		int64_t time = 0;

		(void)time_parse(json_string_value(json_object_get(row, "Time")), &time);
		if (time < *next)
			continue;
		if (!is_known(row) && !is_known_after(rows, i) && time > now_unix_s() - LATE_PERIODS * period)
			break;
		print_row(cli, row);
		last = time + period;
	}
	*next = MAX(*next, last);
	(void)fflush(stdout);
}

static int ask_new(struct cli *cli, const struct cli_command *command, struct params *params, int64_t *next)
{
	_cleanup_(json_decrefp) json_t *answer = NULL, *rows = NULL;
	int64_t period = strtoll(params_get(params, "Period"), NULL, 10);
	char start[TIME_TEXT_SIZE];
	int r;

	/* One that was seen already: there must be something between start and end. */
	time_format(*next - 2 * period, start);
	r = cli_set_param(params, "StartTime", start) < 0
		    ? cli_fail("out of memory")
		    : cli_call(cli, command->product, command->action, params, &answer);
	if (r != CLI_OK)
		return r;
	rows = rows_of(answer);
	if (!rows)
		return cli_fail("the answer makes no sense");
	print_new(cli, rows, period, next);
	return CLI_OK;
}

static void print_heading(const struct cli *cli)
{
	for (size_t i = 0; columns[i].title && !cli->json; i++)
		if (!columns[i].wide || cli->wide)
			printf("%s%-*s", i ? "  " : "", widths[i], columns[i].title);
	if (!cli->json)
		putchar('\n');
}

static int follow(struct cli *cli, const struct cli_command *command, struct params *params)
{
	const struct timespec pause = {.tv_sec = POLL_S};
	int64_t period = strtoll(params_get(params, "Period"), NULL, 10), next = 0;
	int r;

	if (period < 1 || time_parse(params_get(params, "StartTime"), &next) < 0)
		return cli_usage("--period must be 10 or 60");
	next = next / period * period;
	print_heading(cli);
	while ((r = ask_new(cli, command, params, &next)) == CLI_OK)
		(void)nanosleep(&pause, NULL);
	return r;
}

/* A flag that is not for the API is taken out. */
static bool take_flag(struct params *params, const char *name)
{
	for (size_t i = 0; i < params->n; i++)
		if (streq(params->v[i].name, name)) {
			free(params->v[i].name);
			free(params->v[i].value);
			params->v[i] = params->v[--params->n];
			return true;
		}
	return false;
}

/* As fine as is kept. */
static int set_defaults(struct params *params, bool follows)
{
	int64_t now = now_unix_s(), since = now;
	char text[TIME_TEXT_SIZE];
	int r = 0;

	if (!params_get(params, "StartTime")) {
		time_format(now - (follows ? 0 : SINCE_S), text);
		r = params_add(params, "StartTime", text);
	}
	if (r < 0 || params_get(params, "Period"))
		return r;
	(void)time_parse(params_get(params, "StartTime"), &since);
	return params_add(params, "Period", since < now - FINE_S ? "60" : "10");
}

static int run(struct cli *cli, int (*own)(struct cli *cli, int argc, char **argv), int argc, char **argv)
{
	const struct cli_command *command = cli_commands;
	struct params params = {0};
	bool follows;
	int r;

	while (command->run != own)
		command++;
	if (cli_config_load(cli) < 0)
		return CLI_FAILED;
	r = cli_command_parse(cli, command, argc, argv, &params);
	follows = take_flag(&params, "Follow");
	if (r == CLI_OK && set_defaults(&params, follows) < 0)
		r = cli_fail("out of memory");
	if (r == CLI_OK)
		r = cli_resolve_names(cli, "privatelink", &params);
	if (r == CLI_OK)
		r = follows ? follow(cli, command, &params) : show(cli, command, &params);
	params_done(&params);
	return r;
}

int cli_run_endpoint_monitor(struct cli *cli, int argc, char **argv)
{
	return run(cli, cli_run_endpoint_monitor, argc, argv);
}

int cli_run_service_monitor(struct cli *cli, int argc, char **argv)
{
	return run(cli, cli_run_service_monitor, argc, argv);
}
