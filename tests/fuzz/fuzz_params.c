/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's parameters, parsed and typed by a table that has every type. Whatever comes: no value is out of
 * its bounds, every error names a code of the catalogue's form, and typing what was typed already changes
 * nothing.
 */
#include "api/frame/typed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* clang-format off */
static const char *const words[] = { "one", "two", NULL };
static const struct param_spec inner[] = {
	{ "Id", PARAM_STRING, .required = true },
	{ "Count", PARAM_INT, .min = 1, .max = 9 },
	{ "Names", PARAM_LIST, .max = 3 },
	{},
};
static const struct param_spec table[] = {
	{ "VpcId", PARAM_STRING },
	{ "Word", PARAM_STRING, .values = words, .no_case = true },
	{ "Count", PARAM_INT, .min = 1, .max = 100 },
	{ "Long", PARAM_LONG },
	{ "On", PARAM_BOOL },
	{ "List", PARAM_LIST, .max = 5 },
	{ "Zone", PARAM_STRUCT_LIST, .max = 4, .members = inner },
	{ "Health", PARAM_STRUCT, .members = inner },
	{},
};
/* clang-format on */

static void check(const json_t *object)
{
	const json_t *count = json_object_get(object, "Count"), *list = json_object_get(object, "List");
	const json_t *word = json_object_get(object, "Word"), *zone;
	size_t i;

	if (count && (json_integer_value(count) < 1 || json_integer_value(count) > 100))
		abort();
	if (word && !streq(json_string_value(word), "one") && !streq(json_string_value(word), "two"))
		abort();
	if (list && (json_array_size(list) < 1 || json_array_size(list) > 5))
		abort();
	json_array_foreach(json_object_get(object, "Zone"), i, zone)
		if (!json_is_string(json_object_get(zone, "Id")))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct params params = {};
	struct api_error error = {};
	struct typed *typed;
	json_t *object;

	if (params_parse((const char *)data, size, &params) == 0 &&
	    typed_new(&params, NULL, PRODUCT_PRIVATELINK, &typed) == 0) {
		object = json_object();
		if (typed_read(typed, table, object, &error) == 0)
			check(object);
		else if (!error.code[0] && size < 4096)
			abort();
		json_decref(object);
		typed_free(typed);
	}
	params_done(&params);
	return 0;
}
