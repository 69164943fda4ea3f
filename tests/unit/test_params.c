/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters: parsed within bounds, and typed by a table, from flat names and from JSON text alike.
 */
#include "../tap.h"
#include "api/frame/typed.h"

static void test_parse(void)
{
	static const struct {
		const char *name, *text;
		int want;
		const char *got; /* "name=value;…" */
	} cases[] = {
		{"nothing", "", 0, ""},
		{"two pairs", "a=1&b=2", 0, "a=1;b=2;"},
		{"empty and missing values", "a=&b", 0, "a=;b=;"},
		{"empty pairs", "&&a=1&&", 0, "a=1;"},
		{"an equals sign in a value", "a=b=c", 0, "a=b=c;"},
		{"percent and plus", "a+b=%26%3d%2B+%C3%A9", 0, "a b=&=+ \xc3\xa9;"},
		{"a broken percent", "a=%2", -EINVAL, NULL},
		{"a percent that is no hex", "a=%zz", -EINVAL, NULL},
		{"an encoded NUL", "a=%00", -EINVAL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct params params = {};
		char got[256] = "";

		tap_is_int(params_parse(cases[i].text, strlen(cases[i].text), &params), cases[i].want,
			   "parse: %s", cases[i].name);
		for (size_t j = 0; j < params.n; j++)
			(void)str_format(got + strlen(got), sizeof(got) - strlen(got), "%s=%s;",
					 params.v[j].name, params.v[j].value);
		if (cases[i].got)
			tap_is_str(got, cases[i].got, "parse: %s: what came of it", cases[i].name);
		params_done(&params);
	}
}

static void test_parse_limits(void)
{
	_cleanup_(freep) char *text = malloc(PARAMS_BYTES_MAX + 2);
	struct params params = {};
	size_t length = 0;

	memset(text, 'a', PARAMS_BYTES_MAX + 1);
	tap_is_int(params_parse(text, PARAMS_BYTES_MAX, &params), 0, "parse: 256 KiB are accepted");
	params_done(&params);
	tap_is_int(params_parse(text, PARAMS_BYTES_MAX + 1, &params), -E2BIG, "parse: one byte more is not");
	for (int i = 0; i < PARAMS_MAX + 1; i++)
		length += (size_t)sprintf(text + length, "n%d&", i);
	tap_is_int(params_parse(text, length - strlen("n2000&"), &params), 0,
		   "parse: 2000 names are accepted");
	tap_is_int((long long)params.n, PARAMS_MAX, "parse: all of them");
	params_done(&params);
	tap_is_int(params_parse(text, length, &params), -E2BIG, "parse: 2001 are not");
	params_done(&params);
	tap_is_int(params_parse("a\0b", 3, &params), -EINVAL, "parse: a NUL is refused");
	params_done(&params);
	(void)params_parse("a=1&a=2", 7, &params);
	tap_is_str(params_get(&params, "a"), "1", "parse: the first of two equal names counts");
	params_done(&params);
}

/* clang-format off */
static const char *const types[] = { "nlb", "slb", NULL };
static const struct param_spec zone_members[] = {
	{ "ZoneId", PARAM_STRING, .required = true },
	{ "VSwitchId", PARAM_STRING },
	{ "ip", PARAM_STRING },
	{},
};
static const struct param_spec health_members[] = {
	{ "Enabled", PARAM_BOOL },
	{ "Interval", PARAM_INT, .min = 5, .max = 50 },
	{ "HttpCode", PARAM_LIST },
	{ "Method", PARAM_STRING, .values = types, .empty_clears = true },
	{},
};
static const struct param_spec table[] = {
	{ "VpcId", PARAM_STRING },
	{ "Description", PARAM_STRING },
	{ "Type", PARAM_STRING, .values = types, .no_case = true },
	{ "Strict", PARAM_STRING, .values = types },
	{ "Method", PARAM_STRING, .values = types, .empty_clears = true },
	{ "Count", PARAM_INT, .min = 1, .max = 100 },
	{ "Any", PARAM_INT },
	{ "UserId", PARAM_LONG },
	{ "On", PARAM_BOOL },
	{ "SecurityGroupId", PARAM_LIST, .max = 3 },
	{ "Zone", PARAM_STRUCT_LIST, .max = 3, .members = zone_members },
	{ "Health", PARAM_STRUCT, .members = health_members },
	{},
};
static const struct param_spec required_table[] = {
	{ "VpcId", PARAM_STRING, .required = true },
	{ "Name", PARAM_STRING, .required = true },
	{ "Zone", PARAM_STRUCT_LIST, .required = true, .members = zone_members },
	{},
};
/* clang-format on */

/* Reads both and gives JSON text, or the error's code; the caller's. */
static char *read_typed(const struct param_spec *specs, enum product product, const char *query,
			const char *form)
{
	struct params query_params = {}, form_params = {};
	json_t *object = json_object();
	struct api_error error = {};
	struct typed *typed;
	char *text;
	int r;

	(void)params_parse(query, strlen(query), &query_params);
	(void)params_parse(form, strlen(form), &form_params);
	(void)typed_new(&query_params, &form_params, product, &typed);
	r = typed_read(typed, specs, object, &error);
	text = r < 0 ? strdup(error.code) : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	typed_free(typed);
	json_decref(object);
	params_done(&query_params);
	params_done(&form_params);
	return text;
}

static void test_typed(void)
{
	static const struct {
		const char *name, *query, *form, *want;
	} cases[] = {
		{"nothing", "", "", "{}"},
		{"texts", "VpcId=vpc-1&Description=a%20b", "",
		 "{\"Description\":\"a b\",\"VpcId\":\"vpc-1\"}"},
		{"query and form together", "VpcId=vpc-1", "Count=3", "{\"Count\":3,\"VpcId\":\"vpc-1\"}"},
		{"in both: the query's", "VpcId=vpc-1", "VpcId=vpc-2", "{\"VpcId\":\"vpc-1\"}"},
		{"unknown names", "Nothing=1&VpcId.1=x&Zone=&Zonee.1.ZoneId=h", "", "{}"},
		{"an empty id is absent", "VpcId=", "", "{}"},
		{"an empty description is a value", "Description=", "", "{\"Description\":\"\"}"},
		{"empty numbers and switches are absent", "Count=&On=&UserId=&Type=", "", "{}"},
		{"a value in another case, where that is allowed", "Type=NLB", "", "{\"Type\":\"nlb\"}"},
		{"a value in another case, where it is not", "Strict=NLB", "", "IllegalParamFormat.Strict"},
		{"a value that is none of the allowed", "Type=alb", "", "IllegalParamFormat.Type"},
		{"bounds of a number", "Count=1", "", "{\"Count\":1}"},
		{"below them", "Count=0", "", "IllegalParamFormat.Count"},
		{"above them", "Count=101", "", "IllegalParamFormat.Count"},
		{"a negative number", "Any=-5", "", "{\"Any\":-5}"},
		{"no number", "Any=five", "", "IllegalParamFormat.Any"},
		{"a number with a tail", "Any=5x", "", "IllegalParamFormat.Any"},
		{"a number with a plus", "Any=%2B5", "", "IllegalParamFormat.Any"},
		{"a number with a blank", "Any=+5", "", "IllegalParamFormat.Any"},
		{"more than 32 bits", "Any=2147483648", "", "IllegalParamFormat.Any"},
		{"18 digits where they fit", "UserId=202412345678901234", "",
		 "{\"UserId\":202412345678901234}"},
		{"more than 64 bits", "UserId=99999999999999999999", "", "IllegalParamFormat.UserId"},
		{"true", "On=true", "", "{\"On\":true}"},
		{"False", "On=False", "", "{\"On\":false}"},
		{"neither", "On=1", "", "IllegalParamFormat.On"},
		{"text that is no UTF-8", "Description=%ff", "", "IllegalParamFormat.Description"},

		{"a flat list", "SecurityGroupId.1=sg-a&SecurityGroupId.2=sg-b", "",
		 "{\"SecurityGroupId\":[\"sg-a\",\"sg-b\"]}"},
		{"a flat list out of order, with gaps", "SecurityGroupId.10=sg-b&SecurityGroupId.9=sg-a", "",
		 "{\"SecurityGroupId\":[\"sg-a\",\"sg-b\"]}"},
		{"empty ids in a list", "SecurityGroupId.1=&SecurityGroupId.2=sg-b", "",
		 "{\"SecurityGroupId\":[\"sg-b\"]}"},
		{"counters that are none", "SecurityGroupId.0=a&SecurityGroupId.x=b&SecurityGroupId.01=c", "",
		 "{}"},
		{"a list that is too long",
		 "SecurityGroupId.1=a&SecurityGroupId.2=b&SecurityGroupId.3=c&SecurityGroupId.4=d", "",
		 "IllegalParamFormat.SecurityGroupId"},
		{"a list as JSON text", "", "SecurityGroupId=%5B%22sg-a%22%2C%22sg-b%22%5D",
		 "{\"SecurityGroupId\":[\"sg-a\",\"sg-b\"]}"},
		{"numbers in JSON where texts belong", "SecurityGroupId=[1,true]", "",
		 "{\"SecurityGroupId\":[\"1\",\"true\"]}"},
		{"a list's only entry, under its bare name", "SecurityGroupId=sg-a", "",
		 "{\"SecurityGroupId\":[\"sg-a\"]}"},
		{"one that is a number", "SecurityGroupId=17", "", "{\"SecurityGroupId\":[\"17\"]}"},
		{"one of a list in an object", "Health.HttpCode=http_2xx", "",
		 "{\"Health\":{\"HttpCode\":[\"http_2xx\"]}}"},
		{"a bare text where objects belong", "Zone=h", "", "IllegalParamFormat.Zone"},
		{"an empty value that says something", "Method=", "", "{\"Method\":\"\"}"},
		{"the same in JSON", "Health={\"Method\":\"\"}", "", "{\"Health\":{\"Method\":\"\"}}"},
		{"another one of its kind", "Method=put", "", "IllegalParamFormat.Method"},
		{"JSON text that does not parse", "SecurityGroupId=[sg-a", "",
		 "IllegalParamFormat.SecurityGroupId"},
		{"JSON text that is no array", "SecurityGroupId={}", "",
		 "IllegalParamFormat.SecurityGroupId"},
		{"JSON text that is too long an array", "SecurityGroupId=[1,2,3,4]", "",
		 "IllegalParamFormat.SecurityGroupId"},
		{"an object where a text belongs", "SecurityGroupId=[{}]", "",
		 "IllegalParamFormat.SecurityGroupId.1"},
		{"an empty array is absent", "SecurityGroupId=[]", "", "{}"},

		{"a flat list of objects",
		 "Zone.2.ZoneId=i&Zone.1.VSwitchId=vsw-1&Zone.1.ZoneId=h&Zone.2.ip=10.0.0.9", "",
		 "{\"Zone\":[{\"VSwitchId\":\"vsw-1\",\"ZoneId\":\"h\"},{\"ZoneId\":\"i\",\"ip\":\"10.0.0."
		 "9\"}]}"},
		{"an object that lacks a member", "Zone.1.ZoneId=h&Zone.2.VSwitchId=vsw-2", "",
		 "MissingParam.Zone.2.ZoneId"},
		{"an empty member counts as lacking", "Zone.1.ZoneId=", "", "MissingParam.Zone.1.ZoneId"},
		{"empty optional members", "Zone.1.ZoneId=h&Zone.1.ip=&Zone.1.VSwitchId=", "",
		 "{\"Zone\":[{\"ZoneId\":\"h\"}]}"},
		{"objects as JSON text",
		 "Zone=[{\"ZoneId\":\"h\",\"VSwitchId\":\"vsw-1\"},{\"ZoneId\":\"i\",\"x\":1}]", "",
		 "{\"Zone\":[{\"VSwitchId\":\"vsw-1\",\"ZoneId\":\"h\"},{\"ZoneId\":\"i\"}]}"},
		{"JSON objects that lack a member", "Zone=[{\"ZoneId\":\"h\"},{}]", "",
		 "MissingParam.Zone.2.ZoneId"},
		{"a text where an object belongs", "Zone=[\"h\"]", "", "IllegalParamFormat.Zone.1"},
		{"one list flat, another as text", "SecurityGroupId.1=sg-a&Zone=[{\"ZoneId\":\"h\"}]", "",
		 "{\"SecurityGroupId\":[\"sg-a\"],\"Zone\":[{\"ZoneId\":\"h\"}]}"},

		{"a flat object", "Health.Enabled=true&Health.Interval=5&Health.HttpCode.1=2xx", "",
		 "{\"Health\":{\"Enabled\":true,\"HttpCode\":[\"2xx\"],\"Interval\":5}}"},
		{"an object as JSON text",
		 "Health={\"Enabled\":\"false\",\"Interval\":7,\"HttpCode\":[\"2xx\"]}", "",
		 "{\"Health\":{\"Enabled\":false,\"HttpCode\":[\"2xx\"],\"Interval\":7}}"},
		{"a member out of bounds", "Health.Interval=51", "", "IllegalParamFormat.Health.Interval"},
		{"a member in JSON out of bounds", "Health={\"Interval\":4}", "",
		 "IllegalParamFormat.Health.Interval"},
		{"a fraction", "Health={\"Interval\":5.5}", "", "IllegalParamFormat.Health.Interval"},
		{"null is absent", "Health={\"Interval\":null}", "", "{\"Health\":{}}"},
		{"an object's text that is an array", "Health=[]", "", "IllegalParamFormat.Health"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *got =
			read_typed(table, PRODUCT_PRIVATELINK, cases[i].query, cases[i].form);

		tap_is_str(got, cases[i].want, "typed: %s", cases[i].name);
	}
}

static void test_required(void)
{
	static const struct {
		const char *name;
		enum product product;
		const char *query, *want;
	} cases[] = {
		{"an absent parameter", PRODUCT_PRIVATELINK, "Name=n&Zone.1.ZoneId=h", "MissingVpcId"},
		{"an empty id", PRODUCT_PRIVATELINK, "VpcId=&Name=n&Zone.1.ZoneId=h", "MissingVpcId"},
		{"an empty name is there", PRODUCT_PRIVATELINK, "VpcId=v&Name=&Zone.1.ZoneId=h",
		 "{\"Name\":\"\",\"VpcId\":\"v\",\"Zone\":[{\"ZoneId\":\"h\"}]}"},
		{"an absent list", PRODUCT_PRIVATELINK, "VpcId=v&Name=n", "MissingZone"},
		{"an empty JSON array", PRODUCT_PRIVATELINK, "VpcId=v&Name=n&Zone=[]", "MissingZone"},
		{"PrivateLink's word for a missing member", PRODUCT_PRIVATELINK, "VpcId=v&Name=n&Zone.1.ip=1",
		 "MissingParam.Zone.1.ZoneId"},
		{"VPC's word for it", PRODUCT_VPC, "VpcId=v&Name=n&Zone.1.ip=1",
		 "MissingParameter.Zone.1.ZoneId"},
		{"VPC's word for a malformed parameter", PRODUCT_VPC, "VpcId=v&Name=%ff&Zone.1.ZoneId=h",
		 "InvalidParameter.Name"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *got = read_typed(required_table, cases[i].product, cases[i].query, "");

		tap_is_str(got, cases[i].want, "required: %s", cases[i].name);
	}
}

int main(void)
{
	test_parse();
	test_parse_limits();
	test_typed();
	test_required();
	return tap_done();
}
