/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot: finding, walking and counting; that rows stay where they are; what they share; and a long
 * random history against an array that is searched from end to end.
 */
#include "model/check.h"
#include "model/snapshot.h"

#include "../tap.h"

static int put_vpc(struct snapshot *s, const char *id, uint32_t number, uint64_t revision)
{
	struct vpc vpc = {.number = number};
	char key[KEY_SIZE];
	json_t *json;
	int r;

	(void)str_copy(vpc.id, sizeof(vpc.id), id);
	(void)row_key(KIND_VPC, &vpc, key);
	json = row_to_json(KIND_VPC, &vpc);
	r = snapshot_apply(s, key, json, 1, revision);
	json_decref(json);
	return r;
}

static int delete_vpc(struct snapshot *s, const char *id, uint64_t revision)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "vpc/%s", id);
	return snapshot_apply(s, key, NULL, 0, revision);
}

/* The ids of a walk, separated by blanks. */
static const char *walk(const struct snapshot *s, const char *prefix)
{
	static char text[256];
	size_t length = 0;

	text[0] = '\0';
	for (const struct vpc *v = NULL; (v = snapshot_next(s, KIND_VPC, prefix, v));)
		length += (size_t)str_format(text + length, sizeof(text) - length, "%s%s", length ? " " : "",
					     v->id);
	return text;
}

static void test_basics(void)
{
	const struct vpc *v, *w;
	struct snapshot *s;

	tap_is_int(snapshot_new(&s), 0, "a snapshot is made");
	tap_ok(!snapshot_vpc(s, "b") && !snapshot_next(s, KIND_VPC, "", NULL), "it is empty");
	tap_is_int(put_vpc(s, "b", 2, 10), 0, "a row is put");
	tap_is_int(put_vpc(s, "c", 3, 11), 0, "one behind it");
	v = snapshot_vpc(s, "b");
	tap_is_int(put_vpc(s, "a", 1, 12), 0, "one before it");
	tap_ok(v == snapshot_vpc(s, "b") && v->number == 2, "a row stays where it is when others come");
	tap_ok(v->meta.created == 1 && v->meta.modified == 10, "a row knows when it was put");
	tap_is_str(snapshot_id(v), "b", "a row knows its id");
	tap_is_int((int)snapshot_revision(s), 12, "the snapshot stands at the last change");
	tap_is_str(walk(s, ""), "a b c", "rows are sorted");
	tap_ok(snapshot_at(s, KIND_VPC, 1) == v && !snapshot_at(s, KIND_VPC, 3), "and are found by number");

	tap_is_int(put_vpc(s, "b", 20, 13), 0, "a row is changed");
	w = snapshot_vpc(s, "b");
	tap_ok(w && w->number == 20 && w->meta.modified == 13 && snapshot_count(s, KIND_VPC, "") == 3,
	       "the change is there, and no second row");
	tap_is_int(delete_vpc(s, "a", 14), 0, "a row is deleted");
	tap_ok(w == snapshot_vpc(s, "b"), "a row stays where it is when others go");
	tap_is_int(delete_vpc(s, "a", 15), 0, "deleting it again is fine");
	tap_is_str(walk(s, ""), "b c", "it is gone");
	snapshot_set_revision(s, 99);
	tap_is_int((int)snapshot_revision(s), 99, "the revision can be set");
	snapshot_clear(s);
	tap_is_str(walk(s, ""), "", "clearing removes all");
	tap_is_int(put_vpc(s, "b", 2, 100), 0, "it can be filled again");
	tap_ok(!snapshot_free(s) && !snapshot_free(NULL), "it is freed");
}

static void test_prefixes(void)
{
	static const struct {
		const char *prefix, *want;
	} cases[] = {
		{"", "a a/x a/y a0 b/x b/z"},
		{"a", "a a/x a/y a0"},
		{"a/", "a/x a/y"},
		{"a/y", "a/y"},
		{"b", "b/x b/z"},
		{"b/y", ""},
		{"c", ""},
	};
	struct snapshot *s;
	char id[ID_SIZE];

	(void)snapshot_new(&s);
	for (const char *p = "b/z a/y a b/x a0 a/x "; *p; p = strchr(p, ' ') + 1) {
		(void)str_format(id, sizeof(id), "%.*s", (int)(strchr(p, ' ') - p), p);
		(void)put_vpc(s, id, 1, 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = *cases[i].want ? 1 : 0;

		for (const char *p = cases[i].want; *p; p++)
			n += *p == ' ';
		tap_is_str(walk(s, cases[i].prefix), cases[i].want, "the rows that start with '%s'",
			   cases[i].prefix);
		tap_is_int((int)snapshot_count(s, KIND_VPC, cases[i].prefix), (int)n, "their number");
	}
	(void)snapshot_free(s);
}

static void test_refusals(void)
{
	static const struct {
		const char *key, *json, *why;
	} cases[] = {
		{"vpc/a", "{\"id\": \"b\"}", "a row under another row's key"},
		{"vpc/a", "{\"id\": \"a\", \"number\": \"1\"}", "a member of a wrong type"},
		{"vpc/a", "[]", "a list instead of a row"},
		{"cloud/a", "{\"id\": \"a\"}", "a kind that does not exist"},
		{"vpc", "{\"id\": \"a\"}", "a key without an id"},
		{"vswitch/a", "{\"id\": \"a\", \"status\": \"Gone\"}", "a state that does not exist"},
	};
	struct snapshot *s;

	(void)snapshot_new(&s);
	(void)put_vpc(s, "a", 1, 5);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i].json, 0, NULL);

		tap_is_int(snapshot_apply(s, cases[i].key, json, 1, 6), -EINVAL, "%s is refused",
			   cases[i].why);
		json_decref(json);
	}
	tap_ok(snapshot_vpc(s, "a")->number == 1 && snapshot_revision(s) == 5, "a refusal changes nothing");
	(void)snapshot_free(s);
}

static void test_getters(void)
{
	struct account account = {.uid = 1234567890123456};
	struct endpoint_zone zone = {.endpoint = "ep-1", .zone = "cn-hangzhou-h"};
	json_t *json[2] = {row_to_json(KIND_ACCOUNT, &account), row_to_json(KIND_ENDPOINT_ZONE, &zone)};
	struct snapshot *s;

	(void)snapshot_new(&s);
	(void)snapshot_apply(s, "account/1234567890123456", json[0], 1, 1);
	(void)snapshot_apply(s, "endpoint_zone/ep-1/cn-hangzhou-h", json[1], 1, 1);
	tap_ok(snapshot_account(s, account.uid) && !snapshot_account(s, 1),
	       "an account is found by its number");
	tap_ok(snapshot_endpoint_zone(s, "ep-1", "cn-hangzhou-h") &&
		       !snapshot_endpoint_zone(s, "ep-1", "cn-hangzhou-i"),
	       "an endpoint's zone is found by both names");
	tap_ok(!snapshot_vpc(s, "1234567890123456"), "kinds are apart");
	json_decref(json[0]);
	json_decref(json[1]);
	(void)snapshot_free(s);
}

/* Random puts and deletes over few ids; after each, everything must be as in the plain array. */
static void test_random_history(void)
{
	enum { IDS = 64, STEPS = 5000 };
	uint32_t numbers[IDS] = {};
	const struct vpc *pointers[IDS] = {};
	struct snapshot *s;
	int wrong = 0;

	(void)snapshot_new(&s);
	srandom(4);
	for (int step = 1; step <= STEPS; step++) {
		int k = (int)(random() % IDS), next = 0;
		char id[ID_SIZE];

		(void)str_format(id, sizeof(id), "%02d", k);
		if (random() % 3 == 0) {
			wrong += delete_vpc(s, id, (uint64_t)step) < 0;
			numbers[k] = 0;
			pointers[k] = NULL;
		} else {
			wrong += put_vpc(s, id, (uint32_t)step, (uint64_t)step) < 0;
			numbers[k] = (uint32_t)step;
			pointers[k] = snapshot_vpc(s, id);
		}
		for (const struct vpc *v = NULL; (v = snapshot_next(s, KIND_VPC, "", v)); next++) {
			while (next < IDS && !numbers[next])
				next++;
			wrong += next == IDS || v != pointers[next] || v->number != numbers[next];
		}
		while (next < IDS)
			wrong += numbers[next++] != 0;
	}
	tap_is_int(wrong, 0, "after each of 5000 random changes the snapshot is the array");
	(void)snapshot_free(s);
}

/* A walk that goes on while rows around it come and go. */
static void test_walk_under_change(void)
{
	struct snapshot *s;
	char seen[32] = "";

	(void)snapshot_new(&s);
	(void)put_vpc(s, "b", 1, 1);
	(void)put_vpc(s, "d", 1, 1);
	(void)put_vpc(s, "f", 1, 1);
	for (const struct vpc *v = NULL; (v = snapshot_next(s, KIND_VPC, "", v));) {
		(void)str_copy(seen + strlen(seen), sizeof(seen) - strlen(seen), v->id);
		if (streq(v->id, "d")) {
			(void)put_vpc(s, "a", 1, 2);
			(void)put_vpc(s, "c", 1, 2);
			(void)put_vpc(s, "e", 1, 2);
			(void)delete_vpc(s, "b", 2);
		}
	}
	tap_is_str(seen, "bdef", "a walk goes on behind the row where it stood");
	(void)snapshot_free(s);
}

static void put_port(struct snapshot *s, const char *id, const char *vpc)
{
	struct port port = {.vpc = vpc};
	char key[KEY_SIZE];
	json_t *json;

	(void)str_copy(port.id, sizeof(port.id), id);
	(void)row_key(KIND_PORT, &port, key);
	json = row_to_json(KIND_PORT, &port);
	(void)snapshot_apply(s, key, json, 1, 1);
	json_decref(json);
}

/* A VPC or a port with numbers of its own; 0: it goes. */
static void put_numbers(struct snapshot *s, enum kind kind, int k, uint32_t number, uint32_t mac)
{
	char key[KEY_SIZE];
	json_t *json = NULL;
	struct port port;
	struct vpc vpc;
	void *row = kind == KIND_VPC ? (void *)&vpc : &port;

	row_clear(KIND_VPC, &vpc);
	row_clear(KIND_PORT, &port);
	(void)str_format(vpc.id, sizeof(vpc.id), "x-%d", k);
	(void)str_copy(port.id, sizeof(port.id), vpc.id);
	vpc.number = port.number = number;
	port.mac = port_mac(mac);
	(void)row_key(kind, row, key);
	if (number)
		json = row_to_json(kind, row);
	(void)snapshot_apply(s, key, json, 1, 1);
	json_decref(json);
}

static size_t count_wrong(const struct snapshot *s, enum kind kind, const bool *taken, uint32_t n)
{
	size_t n_wrong = 0, n_taken = 0;

	for (uint32_t i = 0; i < n; i++) {
		n_taken += taken[i];
		n_wrong += snapshot_has_number(s, kind, i) != taken[i];
	}
	return n_wrong + (snapshot_count_numbers(s, kind) != n_taken);
}

/* Rows come, get other numbers and go, against an array. Ports keep the MAC of their first number. */
static void test_numbers(void)
{
	enum { IDS = 96, NUMBERS = 256, STEPS = 4000 };
	static const enum kind kinds[] = {KIND_VPC, KIND_PORT};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint32_t number[IDS] = {}, mac[IDS] = {};
		bool taken[NUMBERS] = {};
		size_t n_wrong = 0;
		struct snapshot *s;

		(void)snapshot_new(&s);
		for (int step = 0; step < STEPS; step++) {
			int i = (int)(random() % IDS);
			uint32_t to = random() % 4 ? 1 + (uint32_t)(random() % (NUMBERS - 1)) : 0;

			if (to && taken[to])
				continue;
			taken[number[i]] = taken[mac[i]] = false;
			if (!to || !number[i] || kinds[k] == KIND_VPC)
				mac[i] = to;
			number[i] = to;
			taken[mac[i]] = taken[to] = true;
			taken[0] = false;
			put_numbers(s, kinds[k], i, to, mac[i]);
			n_wrong += count_wrong(s, kinds[k], taken, NUMBERS);
		}
		tap_is_int((long long)n_wrong, 0, "%s: which numbers are taken is known",
			   kind_info(kinds[k])->name);
		snapshot_clear(s);
		tap_is_int((long long)snapshot_count_numbers(s, kinds[k]), 0, "after a clear none is");
		(void)snapshot_free(s);
	}
}

static const char *vpc_of(const struct snapshot *s, const char *id)
{
	const struct port *port = snapshot_find(s, KIND_PORT, id);

	return port ? port->vpc : "none";
}

/* What rows say alike stands in memory once, also where they have come to another snapshot. */
static void test_shared_texts(void)
{
	struct snapshot *s, *fresh;

	(void)snapshot_new(&s);
	(void)snapshot_new(&fresh);
	put_port(s, "eni-0", "vpc-other");
	put_port(fresh, "eni-1", "vpc-shared");
	snapshot_swap(s, fresh);
	(void)snapshot_free(fresh);
	put_port(s, "eni-2", "vpc-shared");
	tap_is_str(vpc_of(s, "eni-2"), "vpc-shared", "a row that comes after a swap says what it said");
	tap_ok(vpc_of(s, "eni-1") == vpc_of(s, "eni-2"), "and shares it with those from before");
	snapshot_clear(s);
	put_port(s, "eni-1", "vpc-shared");
	put_port(s, "eni-2", "vpc-shared");
	tap_ok(vpc_of(s, "eni-1") == vpc_of(s, "eni-2"), "so they do after all were cleared");
	(void)snapshot_free(s);
}

int main(void)
{
	test_basics();
	test_prefixes();
	test_refusals();
	test_getters();
	test_random_history();
	test_walk_under_change();
	test_shared_texts();
	test_numbers();
	return tap_done();
}
