/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters are sorted once, so that everything below a name lies together: "Zone.1.ZoneId" and its kin
 * are found by a binary search for "Zone.". One function per type reads the flat form, another one the JSON
 * form; both are the same recursion over the table. The first fault ends it.
 */
#include "typed.h"

#include "../../lib/vec.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>

#define WIRE_NAME_SIZE 256

struct typed {
	const struct param **sorted;
	size_t n;
	const struct product_words *words;
	struct api_error *error;
};

static int compare_params(const void *a, const void *b)
{
	return strcmp((*(const struct param *const *)a)->name, (*(const struct param *const *)b)->name);
}

/* Stable, which qsort() need not be: the first of two equal names counts. */
static int sort(struct typed *typed)
{
	for (size_t width = 1; width < typed->n; width *= 2) {
		const struct param **merged = calloc(typed->n, sizeof(*merged));

		if (!merged)
			return -ENOMEM;
		for (size_t start = 0; start < typed->n; start += 2 * width) {
			size_t left = start, right = MIN(start + width, typed->n);
			size_t left_end = right, right_end = MIN(start + 2 * width, typed->n);

			for (size_t i = start; i < right_end; i++) {
				bool take_left =
					left < left_end &&
					(right >= right_end ||
					 compare_params(&typed->sorted[left], &typed->sorted[right]) <= 0);

				merged[i] = typed->sorted[take_left ? left++ : right++];
			}
		}
		free(typed->sorted);
		typed->sorted = merged;
	}
	return 0;
}

int typed_new(const struct params *query, const struct params *form, enum product product, struct typed **ret)
{
	struct typed *typed = calloc(1, sizeof(*typed));
	size_t n_form = form ? form->n : 0;

	if (!typed)
		return -ENOMEM;
	typed->words = products[product].words;
	typed->sorted = calloc(query->n + n_form + 1, sizeof(*typed->sorted));
	if (!typed->sorted) {
		free(typed);
		return -ENOMEM;
	}
	for (size_t i = 0; i < query->n; i++)
		typed->sorted[typed->n++] = &query->v[i];
	for (size_t i = 0; i < n_form; i++)
		typed->sorted[typed->n++] = &form->v[i];
	if (sort(typed) < 0) {
		typed_free(typed);
		return -ENOMEM;
	}
	*ret = typed;
	return 0;
}

struct typed *typed_free(struct typed *typed)
{
	if (!typed)
		return NULL;
	free(typed->sorted);
	free(typed);
	return NULL;
}

static size_t lower_bound(const struct typed *typed, const char *name)
{
	return LOWER_BOUND(i, typed->n, strcmp(typed->sorted[i]->name, name) < 0);
}

static const char *find(const struct typed *typed, const char *name)
{
	size_t place = lower_bound(typed, name);

	if (place == typed->n || !streq(typed->sorted[place]->name, name))
		return NULL;
	return typed->sorted[place]->value;
}

static _printf_(3, 4) int fail(struct typed *typed, const char *name, const char *format, ...)
{
	char detail[256];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	return error_set_named(typed->error, typed->words->malformed, name, detail);
}

/* A parameter of the action itself is missing by its own code ("MissingVpcId"); a part of one by its place.
 */
static int fail_missing(struct typed *typed, const char *name)
{
	const char *pattern = strchr(name, '.') ? typed->words->missing_part : "Missing{Name}";

	return error_set_named(typed->error, pattern, name, NULL);
}

/* What clients send empty when they mean nothing: ids, addresses, tokens. Other texts may really be empty. */
static bool empty_is_absent(const struct param_spec *spec)
{
	static const char *const endings[] = {"Id", "Ip", "ip", "Address", "Token", "ServiceName"};

	if (spec->values)
		return !spec->empty_clears;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (str_ends(spec->name, endings[i]))
			return true;
	return false;
}

/* The allowed value that `text` is, in the table's spelling. */
static const char *allowed_value(const struct param_spec *spec, const char *text)
{
	for (const char *const *value = spec->values; *value; value++)
		if (spec->no_case ? strcasecmp(*value, text) == 0 : streq(*value, text))
			return *value;
	return NULL;
}

static int fail_value(struct typed *typed, const struct param_spec *spec, const char *name)
{
	char list[200] = "";

	for (const char *const *value = spec->values; *value; value++)
		if (strlen(list) + strlen(*value) + 3 < sizeof(list))
			(void)str_format(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
					 list[0] ? ", " : "", *value);
	return fail(typed, name, "It must be one of: %s.", list);
}

static int make_string(struct typed *typed, const struct param_spec *spec, const char *name, const char *text,
		       json_t **ret)
{
	if (spec->values && text[0]) {
		text = allowed_value(spec, text);
		if (!text)
			return fail_value(typed, spec, name);
	}
	*ret = json_string(text);
	return *ret ? 0 : fail(typed, name, "It must be UTF-8.");
}

static int make_number(struct typed *typed, const struct param_spec *spec, const char *name, int64_t number,
		       json_t **ret)
{
	int64_t min = spec->type == PARAM_INT ? INT32_MIN : INT64_MIN;
	int64_t max = spec->type == PARAM_INT ? INT32_MAX : INT64_MAX;

	if (spec->min != 0 || spec->max != 0) {
		min = spec->min;
		max = spec->max;
	}
	if (number < min || number > max)
		return fail(typed, name, "It must be from %lld to %lld.", (long long)min, (long long)max);
	*ret = json_integer(number);
	return *ret ? 0 : -ENOMEM;
}

static int parse_number(const char *text, int64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return -EINVAL;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' ? 0 : -EINVAL;
}

/* A text, number or boolean from its text. */
static int make_scalar(struct typed *typed, const struct param_spec *spec, const char *name, const char *text,
		       json_t **ret)
{
	int64_t number;

	switch (spec->type) {
	case PARAM_STRING:
	case PARAM_LIST: /* an entry of one */
		return make_string(typed, spec, name, text, ret);
	case PARAM_BOOL:
		if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
			return fail(typed, name, "It must be true or false.");
		*ret = json_boolean(strcasecmp(text, "true") == 0);
		return 0;
	default:
		if (parse_number(text, &number) < 0)
			return fail(typed, name, "It must be a whole number.");
		return make_number(typed, spec, name, number, ret);
	}
}

static int read_scalar(struct typed *typed, const struct param_spec *spec, const char *name, json_t **ret)
{
	const char *text = find(typed, name);

	if (!text || (!text[0] && (spec->type != PARAM_STRING || empty_is_absent(spec))))
		return 0;
	return make_scalar(typed, spec, name, text, ret);
}

/* JSON in place of a text: a number or boolean may stand for its own text. */
static int scalar_from_json(struct typed *typed, const struct param_spec *spec, const char *name,
			    const json_t *json, json_t **ret)
{
	char text[32];

	if (json_is_null(json))
		return 0;
	if (json_is_string(json)) {
		const char *s = json_string_value(json);

		if (!s[0] && (spec->type == PARAM_INT || spec->type == PARAM_LONG ||
			      spec->type == PARAM_BOOL || empty_is_absent(spec)))
			return 0;
		return make_scalar(typed, spec, name, s, ret);
	}
	if (json_is_boolean(json))
		return make_scalar(typed, spec, name, json_is_true(json) ? "true" : "false", ret);
	if (!json_is_integer(json))
		return fail(typed, name, "It is of a wrong type.");
	(void)str_format(text, sizeof(text), "%lld", (long long)json_integer_value(json));
	return make_scalar(typed, spec, name, text, ret);
}

static int value_from_json(struct typed *typed, const struct param_spec *spec, const char *name,
			   const json_t *json, json_t **ret);

/* Adds a member, if there is one, and complains if there should be. Takes the reference. */
static int add_member(struct typed *typed, const struct param_spec *spec, const char *name, json_t *object,
		      json_t *value)
{
	if (!value)
		return spec->required ? fail_missing(typed, name) : 0;
	return json_object_set_new(object, spec->name, value) < 0 ? -ENOMEM : 0;
}

static int object_from_json(struct typed *typed, const struct param_spec *members, const char *name,
			    const json_t *json, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *object = json_object();
	int r = 0;

	if (!json_is_object(json))
		return fail(typed, name, "It must be an object in JSON.");
	if (!object)
		return -ENOMEM;
	for (const struct param_spec *spec = members; r == 0 && spec->name; spec++) {
		const json_t *given = json_object_get(json, spec->name);
		char member_name[WIRE_NAME_SIZE];
		json_t *value = NULL;

		if (str_format(member_name, sizeof(member_name), "%s.%s", name, spec->name) < 0)
			return -E2BIG;
		if (given)
			r = value_from_json(typed, spec, member_name, given, &value);
		if (r == 0)
			r = add_member(typed, spec, member_name, object, value);
	}
	if (r == 0)
		*ret = TAKE_PTR(object);
	return r;
}

static int check_count(struct typed *typed, const struct param_spec *spec, const char *name, size_t n)
{
	int64_t max = spec->max ? spec->max : LIST_ENTRIES_MAX;

	if ((int64_t)n < spec->min || (int64_t)n > max)
		return fail(typed, name, "It must have from %lld to %lld entries.",
			    (long long)MAX(spec->min, 1), (long long)max);
	return 0;
}

static int list_from_json(struct typed *typed, const struct param_spec *spec, const char *name,
			  const json_t *json, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	json_t *given;
	size_t i;
	int r;

	if (!json_is_array(json))
		return fail(typed, name, "It must be an array in JSON.");
	r = check_count(typed, spec, name, json_array_size(json));
	if (r < 0)
		return r;
	json_array_foreach(json, i, given) {
		char entry_name[WIRE_NAME_SIZE];
		json_t *value = NULL;

		if (str_format(entry_name, sizeof(entry_name), "%s.%zu", name, i + 1) < 0)
			return -E2BIG;
		r = spec->type == PARAM_LIST
			    ? scalar_from_json(typed, spec, entry_name, given, &value)
			    : object_from_json(typed, spec->members, entry_name, given, &value);
		if (r < 0)
			return r;
		if (value && json_array_append_new(list, value) < 0)
			return -ENOMEM;
	}
	if (json_array_size(list) > 0)
		*ret = TAKE_PTR(list);
	return 0;
}

static int value_from_json(struct typed *typed, const struct param_spec *spec, const char *name,
			   const json_t *json, json_t **ret)
{
	switch (spec->type) {
	case PARAM_LIST:
	case PARAM_STRUCT_LIST:
		return list_from_json(typed, spec, name, json, ret);
	case PARAM_STRUCT:
		return object_from_json(typed, spec->members, name, json, ret);
	default:
		return scalar_from_json(typed, spec, name, json, ret);
	}
}

/* A text that does not even begin as JSON, under the bare name of a list: older clients send one entry so. */
static int read_only_entry(struct typed *typed, const struct param_spec *spec, const char *name,
			   const char *text, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	json_t *value = NULL;
	int r;

	r = check_count(typed, spec, name, 1);
	if (r == 0)
		r = make_scalar(typed, spec, name, text, &value);
	if (r < 0)
		return r;
	if (json_array_append_new(list, value) < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(list);
	return 0;
}

/* The JSON text under the bare name of a list or an object. */
static int read_json_text(struct typed *typed, const struct param_spec *spec, const char *name,
			  const char *text, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	if (!json)
		return fail(typed, name, "It must be an %s in JSON.",
			    spec->type == PARAM_STRUCT ? "object" : "array");
	return value_from_json(typed, spec, name, json, ret);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* The counter after "name." in a flat name; 0 if it is none ("01" is none). */
static uint32_t counter_after(const char *flat, size_t prefix_length)
{
	const char *digits = flat + prefix_length;
	size_t length = strspn(digits, "0123456789");

	if (length == 0 || length > 9 || digits[0] == '0' || (digits[length] && digits[length] != '.'))
		return 0;
	return (uint32_t)strtoul(digits, NULL, 10);
}

/* The counters in use below a name, rising, each once. `ret` is the caller's. */
static int list_counters(const struct typed *typed, const char *name, uint32_t **ret, size_t *ret_n)
{
	char prefix[WIRE_NAME_SIZE];
	uint32_t *counters;
	size_t n = 0, first, unique = 0;

	if (str_format(prefix, sizeof(prefix), "%s.", name) < 0)
		return -E2BIG;
	first = lower_bound(typed, prefix);
	counters = calloc(typed->n - first + 1, sizeof(*counters));
	if (!counters)
		return -ENOMEM;
	for (size_t i = first; i < typed->n && str_starts(typed->sorted[i]->name, prefix); i++) {
		uint32_t counter = counter_after(typed->sorted[i]->name, strlen(prefix));

		if (counter > 0)
			counters[n++] = counter;
	}
	qsort(counters, n, sizeof(*counters), compare_numbers);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || counters[i] != counters[i - 1])
			counters[unique++] = counters[i];
	*ret = counters;
	*ret_n = unique;
	return 0;
}

static int read_members(struct typed *typed, const struct param_spec *members, const char *name,
			json_t **ret);

static int read_flat_list(struct typed *typed, const struct param_spec *spec, const char *name, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *list = json_array();
	_cleanup_(freep) uint32_t *counters = NULL;
	size_t n;
	int r;

	if (!list)
		return -ENOMEM;
	r = list_counters(typed, name, &counters, &n);
	if (r < 0 || n == 0)
		return r;
	r = check_count(typed, spec, name, n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		char entry_name[WIRE_NAME_SIZE];
		json_t *value = NULL;
		const char *text;

		if (str_format(entry_name, sizeof(entry_name), "%s.%u", name, counters[i]) < 0)
			return -E2BIG;
		text = find(typed, entry_name);
		if (spec->type == PARAM_STRUCT_LIST)
			r = read_members(typed, spec->members, entry_name, &value);
		else if (text && (text[0] || !empty_is_absent(spec)))
			r = make_scalar(typed, spec, entry_name, text, &value);
		if (r == 0 && value && json_array_append_new(list, value) < 0)
			r = -ENOMEM;
	}
	if (r == 0 && json_array_size(list) > 0)
		*ret = TAKE_PTR(list);
	return r;
}

/* A list or an object: flat if anything flat is there, else JSON text, or a list's only entry. */
static int read_compound(struct typed *typed, const struct param_spec *spec, const char *name, json_t **ret)
{
	const char *text;
	int r;

	r = spec->type == PARAM_STRUCT ? read_members(typed, spec->members, name, ret)
				       : read_flat_list(typed, spec, name, ret);
	if (r < 0 || *ret)
		return r;
	text = find(typed, name);
	if (!text || !text[0])
		return 0;
	if (spec->type == PARAM_LIST && !strchr("[{", text[strspn(text, " \t\r\n")]))
		return read_only_entry(typed, spec, name, text, ret);
	return read_json_text(typed, spec, name, text, ret);
}

static int read_value(struct typed *typed, const struct param_spec *spec, const char *name, json_t **ret)
{
	switch (spec->type) {
	case PARAM_LIST:
	case PARAM_STRUCT_LIST:
	case PARAM_STRUCT:
		return read_compound(typed, spec, name, ret);
	default:
		return read_scalar(typed, spec, name, ret);
	}
}

/* The members below "name."; absent if nothing is there. */
static int read_members(struct typed *typed, const struct param_spec *members, const char *name, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *object = json_object();
	char prefix[WIRE_NAME_SIZE];
	size_t first;
	int r = 0;

	if (!object)
		return -ENOMEM;
	if (str_format(prefix, sizeof(prefix), "%s.", name) < 0)
		return -E2BIG;
	first = lower_bound(typed, prefix);
	if (first == typed->n || !str_starts(typed->sorted[first]->name, prefix))
		return 0;
	for (const struct param_spec *spec = members; r == 0 && spec->name; spec++) {
		char member_name[WIRE_NAME_SIZE];
		json_t *value = NULL;

		if (str_format(member_name, sizeof(member_name), "%s%s", prefix, spec->name) < 0)
			return -E2BIG;
		r = read_value(typed, spec, member_name, &value);
		if (r == 0)
			r = add_member(typed, spec, member_name, object, value);
	}
	if (r == 0)
		*ret = TAKE_PTR(object);
	return r;
}

int typed_read(struct typed *typed, const struct param_spec *specs, json_t *ret, struct api_error *error)
{
	int r = 0;

	typed->error = error;
	for (const struct param_spec *spec = specs; r == 0 && spec->name; spec++) {
		json_t *value = NULL;

		r = read_value(typed, spec, spec->name, &value);
		if (r == 0)
			r = add_member(typed, spec, spec->name, ret, value);
	}
	return r;
}
