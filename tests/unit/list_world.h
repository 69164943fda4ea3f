/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world of lists: several accounts, with what the calls of api_calls.h make, and more rows like these,
 * which differ at random where lists filter. Include it in the test's only source file.
 */
#pragma once

#include "api_calls.h"
#include "world_rows.h"

/* The disk is not what is tried here. */
int fdatasync(int fildes _unused_)
{
	return 0;
}

int fsync(int fd _unused_)
{
	return 0;
}

static unsigned int pick(unsigned int n)
{
	return (unsigned int)(random() % n);
}

static bool is_digits(const char *text, size_t n)
{
	return strspn(text, "0123456789") >= n;
}

/* Another object of the same account, in place: the ends of what was drawn at random become the number. */
static void make_twin(char *text, unsigned int number)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char digits[8];

	(void)str_format(digits, sizeof(digits), "%05u", number);
	for (char *p = text; *p;) {
		size_t n = strspn(p, word);

		if (n >= 20 && !is_digits(p, n))
			memcpy(p + n - 5, digits, 5);
		p += n ? n : 1;
	}
}

static void put_in(char *text, const char *from, const char *to)
{
	for (char *p = text; (p = strstr(p, from));)
		for (const char *t = to; *t; t++)
			*p++ = *t;
}

/* Something else where lists filter: of the values of another row of the kind. */
static void vary(json_t *row, enum kind kind)
{
	static const char *const names[] = {"one", "two", "three", ""};
	const struct kind_info *info = kind_info(kind);

	for (size_t i = 0; i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];
		size_t n_names = 0;

		if (streq(field->name, "name"))
			(void)json_object_set_new(row, field->name, json_string(names[pick(4)]));
		if (streq(field->name, "resource_group") && pick(2))
			(void)json_object_del(row, field->name);
		if (!streq(field->name, "status") || !field->names)
			continue;
		while (field->names[n_names])
			n_names++;
		(void)json_object_set_new(row, field->name,
					  json_string(field->names[pick((unsigned int)n_names)]));
	}
}

static bool is_twinned(enum kind kind)
{
	return kind != KIND_ACCOUNT && kind != KIND_NODE && kind != KIND_COUNTER && kind != KIND_JOB &&
	       kind != KIND_QUOTA && kind != KIND_CLIENT_TOKEN && kind != KIND_RAM_USER &&
	       kind != KIND_NAT_RANGE;
}

static void commit(struct harness *h, struct store_txn *txn)
{
	int n = 0;

	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
	harness_must(n == 1 ? 0 : -EIO, "commit");
}

static void put_twin(struct harness *h, const char *key, const json_t *value, unsigned int number)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY), twin_key[KEY_SIZE];
	struct store_txn *txn;
	enum kind kind;
	json_t *row;

	harness_must(kind_of_key(key, &kind), key);
	harness_must(str_copy(twin_key, sizeof(twin_key), key), "key");
	if (is_twinned(kind)) {
		make_twin(twin_key, number);
		make_twin(text, number);
		if (number % 4 == 0) {
			put_in(twin_key, "cn-hangzhou", "cn-shanghai");
			put_in(text, "cn-hangzhou", "cn-shanghai");
		}
		row = json_loads(text, JSON_DECODE_ANY, NULL);
		vary(row, kind);
		harness_must(store_txn_new(&txn), "transaction");
		harness_must(store_txn_put(txn, twin_key, row), twin_key);
		commit(h, txn);
		json_decref(row);
	}
	free(text);
}

static void put_twins(struct harness *h, unsigned int n)
{
	json_t *rows = world_now(h), *value;
	const char *key;

	for (unsigned int number = 1; number <= n; number++)
		json_object_foreach(rows, key, value)
			put_twin(h, key, value, number);
	json_decref(rows);
}

static void admit_all(struct harness *h)
{
	char form[1024];

	for (int i = 0; i < 7; i++) {
		fill_in(form, sizeof(form), "", REGION "ServiceId={service}&UserId=");
		harness_call(h, ALICE, PL, "AddUserToVpcEndpointService", "%s%lld", form, (long long)BOB + i);
	}
	fill_in(form, sizeof(form), "my_", REGION "ServiceId={service}&UserARN=*");
	harness_call(h, BOB, PL, "AddUserToVpcEndpointService", "%s", form);
}

/* Control ends before the random rows come, with which it would go on. */
static void list_world_begin(struct harness *h)
{
	srandom(20);
	harness_begin(h);
	harness_must(control_bootstrap(h->store, h->catalogue, h->loop), "bootstrap");
	harness_node(h, "alpha", "");
	make_world(h, ALICE);
	make_world(h, BOB);
	admit_all(h);
	h->control = control_free(h->control);
	h->environment.control = NULL;
	h->environment.live_revision = NULL;
	h->environment.reached = NULL;
	h->environment.failure = NULL;
	h->environment.node_state = NULL;
	put_twins(h, 14);
}
