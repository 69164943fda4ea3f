/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers by tables: what each kind of member makes of a row, and that an answer for which memory ran out at
 * any point is known as such.
 */
#include <stdlib.h>

#include "../tap.h"
#include "api/frame/answer.h"
#include "api/frame/fill.h"

static const struct answer_field part[] = {
	{"Zone", OF(port, zone)},
	{"Same", NUMBER(7)},
	{},
};

static const struct answer_field same[] = {
	{"Id", OF(port, id)},
	{"Same", FLAG(true)},
	{},
};

static const struct answer_field table[] = {
	SAME(same),
	{"Mtu", OF(port, mtu)},
	{"Kind", OF(port, kind)},
	{"Node", GIVEN_OF(port, node)},
	{"Address", OF(port, addr)},
	{"Owner", DECIMAL_OF(port, owner)},
	{"Created", TIME_OF(port, create_time)},
	{"Groups", OF(port, groups), .inner = "Group"},
	{"Part", OBJECT(part)},
	{"One", ONE("Entry", part)},
	{"Always", TEXTS(NULL, "a", "b")},
	{"None", EMPTY("Inner")},
	{"Vpc", OF(vpc, id)},
	{"Default", CHOICE_OF(account, is_admin, "no", "yes")},
	{"Computed", A_TEXT},
	{},
};

static const struct port row = {
	.id = "eni-1",
	.zone = "z-1",
	.mtu = 1500,
	.kind = PORT_ENDPOINT,
	.owner = 1000000000000001,
	.groups = (const char[][ID_SIZE]){"sg-1", "sg-2"},
	.n_groups = 2,
};

static const char wanted[] =
	"{\"Address\":\"\",\"Always\":[\"a\",\"b\"],\"Created\":\"1970-01-01T00:00:00Z\",\"Default\":\"yes\","
	"\"Groups\":{\"Group\":[\"sg-1\",\"sg-2\"]},\"Id\":\"eni-1\",\"Kind\":\"endpoint\",\"Mtu\":1500,"
	"\"None\":{\"Inner\":[]},\"One\":{\"Entry\":[{\"Same\":7,\"Zone\":\"z-1\"}]},"
	"\"Owner\":\"1000000000000001\",\"Part\":{\"Same\":7,\"Zone\":\"z-1\"},\"Same\":true}";

/* The allocation that fails, counted from now; those around it succeed, as when others give memory back. */
static size_t failing = SIZE_MAX;

static void *allocate(size_t size)
{
	return failing-- == 0 ? NULL : malloc(size);
}

static void fill(json_t *object)
{
	static const struct account account = {.is_admin = true};

	answer_row(object, table, KIND_PORT, &row);
	answer_row(object, table, KIND_ACCOUNT, &account);
}

static void test_members(void)
{
	json_t *object = json_object();
	char *text;

	fill(object);
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	tap_is_str(text, wanted, "each kind of member says what it is to");
	tap_ok(answer_complete(object), "and the answer is complete");
	free(text);
	json_decref(object);
}

/* What is always the same is put more than once. */
static bool is_wanted(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	bool equal = text && streq(text, wanted);

	free(text);
	return equal;
}

static void test_memory(void)
{
	size_t n_failed = 0, n_told = 0;
	bool failed;

	do {
		json_t *object = json_object();

		failing = n_failed;
		fill(object);
		failed = failing > n_failed; /* it went below 0 */
		failing = SIZE_MAX;
		n_failed += failed;
		n_told += failed && (!answer_complete(object) || is_wanted(object));
		json_decref(object);
	} while (failed);
	tap_ok(n_failed > 50, "memory is missing at %zu places", n_failed);
	tap_is_int((long long)n_told, (long long)n_failed,
		   "and each time the answer is known to lack something");
}

int main(void)
{
	json_set_alloc_funcs(allocate, free);
	test_members();
	test_memory();
	return tap_done();
}
