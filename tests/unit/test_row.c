/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows: that the tables of fields are complete (every byte of a struct comes back from JSON), what each
 * kind's key is, and which JSON is refused.
 */
#include "model/row.h"

#include "../tap.h"

/* Fills a member with the largest value that it can have; `seed` tells members apart. */
static void fill_text(char *p, size_t size, unsigned int seed)
{
	for (size_t i = 0; i + 1 < size; i++)
		p[i] = (char)('a' + (i + seed) % 26);
	p[size - 1] = '\0';
}

/* What a filled row shares. */
static char shared_texts[64][ANSWER_SIZE]; /* the longest of all */
static size_t n_shared_texts;

static char *next_shared(void)
{
	return shared_texts[n_shared_texts++ % ARRAY_SIZE(shared_texts)];
}

static void fill_list(const struct field *field, void *row, char *texts, unsigned int seed)
{
	for (size_t i = 0; i < field->max; i++)
		fill_text(texts + i * field->size, field->size, seed + (unsigned int)i);
	*(uint32_t *)((char *)row + field->count_offset) = (uint32_t)field->max;
}

static void fill_field(const struct field *field, void *row, unsigned int seed)
{
	void *p = (char *)row + field->offset;
	int n_names = 0;

	switch (field->type) {
	case FIELD_TEXT:
		fill_text(p, field->size, seed);
		break;
	case FIELD_TEXT_LIST:
		fill_list(field, row, p, seed);
		break;
	case FIELD_SHARED:
		*(char **)p = next_shared();
		fill_text(*(char **)p, field->size, seed);
		break;
	case FIELD_SHARED_LIST:
		*(char **)p = next_shared();
		fill_list(field, row, *(char **)p, seed);
		break;
	case FIELD_BOOL:
		*(bool *)p = true;
		break;
	case FIELD_U32:
		*(uint32_t *)p = UINT32_MAX - seed;
		break;
	case FIELD_I32:
		*(int32_t *)p = INT32_MIN + (int32_t)seed;
		break;
	case FIELD_I64:
		*(int64_t *)p = INT64_MIN + (int64_t)seed;
		break;
	case FIELD_ENUM:
		while (field->names[n_names])
			n_names++;
		*(int *)p = n_names - 1;
		break;
	case FIELD_ADDR:
		*(struct netaddr *)p = netaddr_v4(0xfffffff0 - seed);
		break;
	case FIELD_PREFIX:
		(void)netprefix_parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ff00/120", true, p);
		break;
	case FIELD_MAC:
		memset(p, 0xfe, sizeof(struct mac));
		break;
	}
}

static void fill_row(enum kind kind, void *row)
{
	const struct kind_info *info = kind_info(kind);

	memset(row, 0, info->size);
	for (size_t i = 0; i < info->n_fields; i++)
		fill_field(&info->fields[i], row, (unsigned int)i);
}

/* Counts the bytes that no field covers, other than the meta data and the padding before an aligned field. */
static size_t uncovered(enum kind kind)
{
	const struct kind_info *info = kind_info(kind);
	uint8_t *covered = calloc(1, info->size);
	size_t longest = 0, run = 0;

	memset(covered, 1, sizeof(struct row_meta));
	for (size_t i = 0; i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];

		memset(covered + field->offset, 1,
		       field_is_shared(field) ? sizeof(char *) : field->size * MAX(field->max, 1u));
		if (field->type == FIELD_TEXT_LIST || field->type == FIELD_SHARED_LIST)
			memset(covered + field->count_offset, 1, sizeof(uint32_t));
	}
	for (size_t i = 0; i < info->size; i++) {
		run = covered[i] ? 0 : run + 1;
		longest = MAX(longest, run);
	}
	free(covered);
	return longest;
}

/* Puts one address in place of those of what is shared, if that is the same in both rows. */
static void even_out(enum kind kind, void *a, void *b)
{
	const struct kind_info *info = kind_info(kind);

	for (size_t i = 0; i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];
		json_t *in_a, *in_b;

		if (!field_is_shared(field))
			continue;
		in_a = field_to_json(field, a);
		in_b = field_to_json(field, b);
		if (json_equal(in_a, in_b))
			*(const char **)((char *)a + field->offset) =
				*(const char **)((char *)b + field->offset) = row_nothing;
		json_decref(in_a);
		json_decref(in_b);
	}
}

static void test_tables(void)
{
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		const struct kind_info *info = kind_info(kind);
		void *row = malloc(info->size), *again = malloc(info->size);
		const char *field = "none";
		struct row_lists lists;
		enum kind found = KIND_COUNT_;
		char key[KEY_SIZE];
		json_t *json;

		tap_ok(uncovered(kind) < 8, "%s: no member is missing in the table", info->name);

		fill_row(kind, row);
		json = row_to_json(kind, row);
		tap_is_int((int)json_object_size(json), (int)info->n_fields, "%s: each field is in the JSON",
			   info->name);
		tap_is_int(row_from_json(kind, json, again, &lists, &field), 0,
			   "%s: its own JSON is read (%s)", info->name, field);
		even_out(kind, row, again);
		tap_ok(memcmp(row, again, info->size) == 0, "%s: each byte comes back", info->name);
		json_decref(json);

		fill_row(kind, row);
		tap_is_int(row_key(kind, row, key), 0, "%s: the longest key fits (%zu bytes)", info->name,
			   strlen(key));
		tap_ok(kind_of_key(key, &found) == 0 && (int)found == kind, "%s: its key tells the kind",
		       info->name);

		row_clear(kind, row);
		json = row_to_json(kind, row);
		tap_is_int(row_from_json(kind, json, again, &lists, NULL), 0,
			   "%s: an empty row's JSON is read", info->name);
		tap_ok(memcmp(row, again, info->size) == 0, "%s: an empty row comes back", info->name);
		json_decref(json);
		free(row);
		free(again);
	}
}

static void expect_key(enum kind kind, const void *row, const char *want)
{
	char key[KEY_SIZE];

	tap_is_int(row_key(kind, row, key), 0, "%s: has a key", kind_info(kind)->name);
	tap_is_str(key, want, "%s: is keyed %s", kind_info(kind)->name, want);
}

static void test_keys(void)
{
	enum kind kind;

	expect_key(KIND_ACCOUNT, &(struct account){.uid = 1000000000000001}, "account/1000000000000001");
	expect_key(KIND_ACCESS_KEY, &(struct access_key){.id = "LTAI1"}, "access_key/LTAI1");
	expect_key(KIND_NODE, &(struct node){.name = "n1"}, "node/n1");
	expect_key(KIND_VPC, &(struct vpc){.id = "vpc-1"}, "vpc/vpc-1");
	expect_key(KIND_ADDRESS, &(struct address){.vpc = "vpc-1", .addr = netaddr_v4(0x0a000001)},
		   "address/vpc-1/10.0.0.1");
	expect_key(KIND_SG_RULE, &(struct sg_rule){.group = "sg-1", .id = "sgr-1"}, "sg_rule/sg-1/sgr-1");
	expect_key(KIND_SERVER, &(struct server){.group = "sgp-1", .server_id = "i-1", .port = 443},
		   "server/sgp-1/i-1/443");
	expect_key(KIND_SERVER_HEALTH,
		   &(struct server_health){.group = "sgp-1", .server_id = "i-1", .port = 443},
		   "server_health/sgp-1/i-1/443");
	expect_key(KIND_SERVICE_RESOURCE,
		   &(struct service_resource){
			   .service = "epsrv-1", .resource = "nlb-1", .zone = "cn-hangzhou-h"},
		   "service_resource/epsrv-1/nlb-1/cn-hangzhou-h");
	expect_key(KIND_SERVICE_USER, &(struct service_user){.service = "epsrv-1", .uid = 12},
		   "service_user/epsrv-1/12");
	expect_key(KIND_SERVICE_USER, &(struct service_user){.service = "epsrv-1", .arn = "acs:ram:*:12:*"},
		   "service_user/epsrv-1/acs:ram:*:12:*");
	expect_key(KIND_ENDPOINT_ZONE, &(struct endpoint_zone){.endpoint = "ep-1", .zone = "cn-hangzhou-h"},
		   "endpoint_zone/ep-1/cn-hangzhou-h");
	expect_key(KIND_CONNECTION, &(struct connection){.endpoint = "ep-1"}, "connection/ep-1");
	expect_key(KIND_NAT_RANGE, &(struct nat_range){.vpc = "vpc-1", .node = "n1"}, "nat_range/vpc-1/n1");
	expect_key(KIND_TAG, &(struct tag){.resource = "ep-1", .key = "a/b 杭"},
		   "tag/ep-1/a%2Fb%20%E6%9D%AD");
	expect_key(
		KIND_CLIENT_TOKEN,
		&(struct client_token){.uid = 12, .action = "privatelink:CreateVpcEndpoint", .token = "a/b"},
		"token/12/privatelink:CreateVpcEndpoint/a%2Fb");
	expect_key(KIND_RAM_USER, &(struct ram_user){.id = "200000000000000001"},
		   "ram_user/200000000000000001");
	expect_key(KIND_RESOURCE_GROUP, &(struct resource_group){.id = "rg-1"}, "resource_group/rg-1");
	expect_key(KIND_COUNTER, &(struct counter){.name = "vpc"}, "counter/vpc");

	tap_is_int(kind_of_key("vpc", &kind), -EINVAL, "a key without a slash has no kind");
	tap_is_int(kind_of_key("", &kind), -EINVAL, "an empty key has no kind");
	tap_is_int(kind_of_key("/x", &kind), -EINVAL, "an empty kind is none");
	tap_is_int(kind_of_key("vp/x", &kind), -EINVAL, "a part of a kind's name is none");
	tap_is_int(kind_of_key("vpcs/x", &kind), -EINVAL, "more than a kind's name is none");
}

/* ---- from text ---- */

/* A row of some of what its kind can have, as the store writes it. */
static char *random_text(enum kind kind, void *row)
{
	const struct kind_info *info = kind_info(kind);
	json_t *json;
	char *text;

	row_clear(kind, row);
	for (size_t i = 0; i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];

		if (random() % 2)
			continue;
		fill_field(field, row, (unsigned int)i);
		if (field->type == FIELD_I64)
			*(int64_t *)((char *)row + field->offset) = -random();
	}
	json = row_to_json(kind, row);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

/* Another byte somewhere, one less, or one of another kind's. */
static void damage(char *text)
{
	static const char bytes[] = "\"\\{}[],:0123456789-+.eE tfnul\xc3\xbc\x01\x7f_";
	size_t length = strlen(text), place;

	if (length == 0)
		return;
	place = (size_t)random() % length;
	if (random() % 3 == 0)
		memmove(text + place, text + place + 1, length - place);
	else
		text[place] = bytes[(size_t)random() % (sizeof(bytes) - 1)];
}

static bool is_same_row(enum kind kind, const void *a, const void *b)
{
	json_t *x = row_to_json(kind, a), *y = row_to_json(kind, b);
	bool same = json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}

/* What the reader of texts makes of it, next to what JSON is: -1: it differs, 0: it left it to the other one,
 * 1: the same. */
static int compare_readers(enum kind kind, const char *text)
{
	static struct row_lists lists, plain_lists;
	_Alignas(8) static char row[64 * 1024], plain[64 * 1024];
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	char *copy = strdup(text);
	int read = row_from_text(kind, copy, row, &lists);
	int result = 0;

	if (read == 0)
		result = json && row_from_json(kind, json, plain, &plain_lists, NULL) == 0 &&
					 is_same_row(kind, row, plain)
				 ? 1
				 : -1;
	else if (read != -EOPNOTSUPP)
		result = -1;
	free(copy);
	json_decref(json);
	return result;
}

static void test_texts(void)
{
	_Alignas(8) static char row[64 * 1024];
	int n_read = 0, n_wrong = 0, n_damaged_read = 0;

	for (enum kind kind = 0; kind < KIND_COUNT_; kind++) {
		for (int i = 0; i < 20; i++) {
			char *text = random_text(kind, row);

			n_wrong += text[1] != '}' && compare_readers(kind, text) != 1;
			n_read++;
			for (int turn = 0; turn < 60; turn++) {
				char *other = strdup(text);
				int result;

				for (long n = random() % 3; n >= 0; n--)
					damage(other);
				result = compare_readers(kind, other);
				n_wrong += result < 0;
				n_damaged_read += result > 0;
				free(other);
			}
			free(text);
		}
	}
	tap_ok(n_wrong == 0 && n_damaged_read > 100,
	       "%d texts are read as JSON is, and so are %d damaged ones that are rows", n_read,
	       n_damaged_read);
}

/* Names in any language are as quick as others. */
static void test_letters(void)
{
	static const struct {
		const char *letters;
		int result;
	} cases[] = {
		{"a", 1},
		{"\xc3\xbc", 1},
		{"\xe7\xbd\x91\xe7\xbb\x9c", 1},
		{"\xf0\x9f\x8c\x90", 1},
		{"\xf4\x8f\xbf\xbf", 1},
		{"\xc3", 0},
		{"\xe7\xbd", 0},
		{"\xf0\x9f\x8c", 0},
		{"\xbd", 0},
		{"\xc0\xaf", 0},
		{"\xed\xa0\x80", 0},
		{"\xf4\x90\x80\x80", 0},
		{"\xff", 0},
	};
	size_t wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];

		(void)str_format(text, sizeof(text), "{\"name\":\"%s\"}", cases[i].letters);
		wrong += compare_readers(KIND_VPC, text) != cases[i].result;
		(void)str_format(text, sizeof(text), "{\"name\":\"x%s", cases[i].letters);
		wrong += compare_readers(KIND_VPC, text) != 0;
	}
	tap_is_int((long long)wrong, 0, "letters beyond ASCII are read from texts, if they are UTF-8");
}

static void test_bad_json(void)
{
	static const struct {
		enum kind kind;
		const char *json, *field; /* NULL: good */
	} cases[] = {
		{KIND_VPC, "{}", NULL},
		{KIND_VPC, "{\"from_the_future\": [1, {}]}", NULL},
		{KIND_VPC, "{\"id\": \"vpc-1\", \"number\": 4294967295, \"cidr\": \"10.0.0.0/8\"}", NULL},
		{KIND_VPC, "{\"cidr\": \"\"}", NULL},
		{KIND_VPC, "[]", "vpc"},
		{KIND_VPC, "{\"id\": 1}", "id"},
		{KIND_VPC, "{\"id\": null}", "id"},
		{KIND_VPC, "{\"id\": \"a\\u0000b\"}", "id"},
		{KIND_VPC, "{\"id\": \"0123456789012345678901234567890123456789\"}", "id"},
		{KIND_VPC, "{\"number\": 4294967296}", "number"},
		{KIND_VPC, "{\"number\": -1}", "number"},
		{KIND_VPC, "{\"number\": 1.0}", "number"},
		{KIND_VPC, "{\"number\": \"1\"}", "number"},
		{KIND_VPC, "{\"number\": true}", "number"},
		{KIND_VPC, "{\"cidr\": \"10.0.0.1/8\"}", "cidr"},
		{KIND_VPC, "{\"cidr\": \"10.0.0.0/33\"}", "cidr"},
		{KIND_VPC, "{\"status\": \"available\"}", "status"},
		{KIND_VPC, "{\"status\": 1}", "status"},
		{KIND_SG_RULE, "{\"port_first\": -1, \"port_last\": -2147483648}", NULL},
		{KIND_SG_RULE, "{\"port_first\": -2147483649}", "port_first"},
		{KIND_PORT, "{\"mac\": \"02:00:00:00:00:01\", \"addr\": \"::1\"}", NULL},
		{KIND_PORT, "{\"mac\": \"02:00:00:00:00\"}", "mac"},
		{KIND_PORT, "{\"addr\": \"10.0.0\"}", "addr"},
		{KIND_PORT, "{\"addr\": [\"10.0.0.1\"]}", "addr"},
		{KIND_PORT, "{\"groups\": [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\"]}",
		 NULL},
		{KIND_PORT,
		 "{\"groups\": [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"]}",
		 "groups"},
		{KIND_PORT, "{\"groups\": [1]}", "groups"},
		{KIND_PORT, "{\"groups\": {}}", "groups"},
		{KIND_ACCOUNT, "{\"is_admin\": 1}", "is_admin"},
		{KIND_ACCOUNT, "{\"uid\": 9223372036854775807}", NULL},
		{KIND_ACCOUNT, "{\"uid\": 1e3}", "uid"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i].json, JSON_ALLOW_NUL, NULL);
		void *row = malloc(kind_info(cases[i].kind)->size);
		const char *field = NULL;
		struct row_lists lists;
		int r = row_from_json(cases[i].kind, json, row, &lists, &field);

		tap_is_int(r, cases[i].field ? -EINVAL : 0, "%s %s", cases[i].json,
			   cases[i].field ? "is refused" : "is read");
		if (cases[i].field)
			tap_is_str(field, cases[i].field, "%s is at fault", cases[i].field);
		json_decref(json);
		free(row);
	}
}

static void test_to_json(void)
{
	struct vpc vpc = {.id = "vpc-1", .number = 2, .status = VPC_PENDING};
	json_t *json;
	char *text;

	(void)netprefix_parse("10.0.0.0/8", true, &vpc.cidr);
	json = row_to_json(KIND_VPC, &vpc);
	text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
	tap_is_str(text, "{\"cidr\":\"10.0.0.0/8\",\"id\":\"vpc-1\",\"number\":2,\"status\":\"Pending\"}",
		   "only enums stand in the JSON when they are zero");
	free(text);
	json_decref(json);
}

static void test_enums(void)
{
	tap_is_str(enum_name(connection_status_names, CONNECTION_SERVICE_DELETED), "ServiceDeleted",
		   "an enum's name");
	tap_is_str(enum_name(vpc_status_names, 3), "?", "a value without a name");
	tap_ok(streq(port_status_names[PORT_IN_USE], "InUse") &&
		       streq(lb_status_names[LB_CREATE_FAILED], "CreateFailed") &&
		       streq(listener_status_names[LISTENER_RUNNING], "Running") &&
		       streq(service_status_names[SERVICE_ACTIVE], "Active") &&
		       streq(endpoint_status_names[ENDPOINT_ACTIVE], "Active") &&
		       streq(instance_status_names[INSTANCE_STOPPED], "Stopped") &&
		       streq(server_status_names[SERVER_REMOVING], "Removing") &&
		       streq(server_group_status_names[SERVER_GROUP_DELETING], "Deleting"),
	       "names stand at their values");
}

int main(void)
{
	test_tables();
	test_keys();
	test_texts();
	test_letters();
	test_bad_json();
	test_to_json();
	test_enums();
	return tap_done();
}
