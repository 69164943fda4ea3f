/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call costs in rows: for every action, what its handler looks at is counted in a world of two
 * accounts, and again when a thousand others have all that the second one has. Both must be the same.
 *
 * What is looked at is seen by standing in for the snapshot's functions, and nothing is changed by standing
 * in for store_commit(): see link_args in meson.build.
 */
#include "api_calls.h"
#include "world_rows.h"

#define OTHERS	    1000
#define COUNTS_MAX  256
#define SHARED	    "epsrv-shared"
#define SHARED_FORM "ServiceId=" SHARED "&SecurityGroupId.1={sg}&Zone.1.ZoneId=cn-hangzhou-h"

/* The disk is not what is tried here. */
int fdatasync(int fildes _unused_)
{
	return 0;
}

int fsync(int fd _unused_)
{
	return 0;
}

/* ---- counting ---- */

static struct {
	bool on; /* and nothing is committed */
	unsigned int n;
} counting;

const void *__real_snapshot_find(const struct snapshot *s, enum kind kind, const char *id);
const void *__wrap_snapshot_find(const struct snapshot *s, enum kind kind, const char *id);
const void *__wrap_snapshot_find(const struct snapshot *s, enum kind kind, const char *id)
{
	counting.n += counting.on;
	return __real_snapshot_find(s, kind, id);
}

const void *__real_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous)
{
	counting.n += counting.on;
	return __real_snapshot_next(s, kind, prefix, previous);
}

const void *__real_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);
const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);
const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous)
{
	counting.n += counting.on;
	return __real_snapshot_children_in(s, ref, id, within, previous);
}

const void *__real_snapshot_children_behind(const struct snapshot *s, enum ref ref, const char *id,
					    const char *within, const char *behind);
const void *__wrap_snapshot_children_behind(const struct snapshot *s, enum ref ref, const char *id,
					    const char *within, const char *behind);
const void *__wrap_snapshot_children_behind(const struct snapshot *s, enum ref ref, const char *id,
					    const char *within, const char *behind)
{
	counting.n += counting.on;
	return __real_snapshot_children_behind(s, ref, id, within, behind);
}

const void *__real_snapshot_children_at(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, size_t n);
const void *__wrap_snapshot_children_at(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, size_t n);
const void *__wrap_snapshot_children_at(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, size_t n)
{
	counting.n += counting.on;
	return __real_snapshot_children_at(s, ref, id, within, n);
}

void __real_store_commit(struct store *store, struct store_txn *txn, store_done done, void *context);
void __wrap_store_commit(struct store *store, struct store_txn *txn, store_done done, void *context);
void __wrap_store_commit(struct store *store, struct store_txn *txn, store_done done, void *context)
{
	if (counting.on) {
		store_txn_free(txn);
		harness_must(store_txn_new(&txn), "transaction");
	}
	__real_store_commit(store, txn, done, context);
}

/* ---- a thousand others ---- */

/* The rows that came since, but those of the shared service. The caller's. */
static json_t *rows_since(const struct harness *h, json_t *before)
{
	json_t *rows = world_now(h), *value;
	const char *key;
	void *next;

	json_object_foreach(before, key, value)
		(void)json_object_del(rows, key);
	json_object_foreach_safe(rows, next, key, value)
		if (str_starts(key, "service/" SHARED) || str_starts(key, "service_resource/" SHARED))
			(void)json_object_del(rows, key);
	return rows;
}

/* Another account's, in place: the ends of what was drawn at random become the number, and Bob that account.
 */
static void make_another(char *text, unsigned int number)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char digits[8];

	(void)str_format(digits, sizeof(digits), "%04u", number);
	for (char *p = text; *p;) {
		size_t n = strspn(p, word);

		if (n >= 16)
			memcpy(p + n - 4, digits, 4);
		p += n ? n : 1;
	}
}

static void put_another(struct store_txn *txn, const char *key, const json_t *value, unsigned int number,
			const char *resource)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY), other_key[KEY_SIZE];
	json_t *row;

	harness_must(str_copy(other_key, sizeof(other_key), key), "key");
	make_another(other_key, number);
	make_another(text, number);
	row = json_loads(text, JSON_DECODE_ANY, NULL);
	/* Those that they share are served by one of two load balancers. */
	if (json_object_get(row, "resource") && str_starts(key, "endpoint_zone/"))
		(void)json_object_set_new(row, "resource", json_string(resource));
	harness_must(store_txn_put(txn, other_key, row), other_key);
	json_decref(row);
	free(text);
}

static void put_others(struct harness *h, json_t *rows, const char *resource)
{
	for (unsigned int i = 1000; i < 1000 + OTHERS; i++) {
		struct store_txn *txn;
		const char *key;
		json_t *value;
		int n = 0;

		harness_must(store_txn_new(&txn), "transaction");
		json_object_foreach(rows, key, value)
			put_another(txn, key, value, i, resource);
		store_commit(h->store, txn, harness_count, &n);
		harness_settle(h);
		harness_must(n, "commit");
	}
}

/* ---- every action ---- */

static struct {
	char call[160];
	unsigned int n;
} counts[COUNTS_MAX];
static size_t n_counts;
static bool is_second;

static void count_call(struct harness *h, enum product product, const char *action, const char *format)
{
	char own[1024], form[1024], call[160];

	/* What is another account's in the test of ownership is the caller's here. */
	for (size_t used = 0; (own[used] = *format) && used + 1 < sizeof(own); used++)
		format += str_starts(format, "{my_") && (own[used] = '{') ? strlen("{my_") : 1;
	fill_in(form, sizeof(form), "", own);
	(void)snprintf(call, sizeof(call), "%s %s", action, own);
	counting.n = 0;
	counting.on = true;
	(void)harness_run(h, ALICE, product, action, form);
	counting.on = false;
	harness_must(n_counts < COUNTS_MAX ? 0 : -ENOSPC, "counts");
	if (is_second)
		tap_ok(counting.n == counts[n_counts].n && counting.n > 0, "%s: %u steps, and %u", call,
		       counts[n_counts].n, counting.n);
	else
		counts[n_counts].n = counting.n;
	n_counts++;
}

static void count_all(struct harness *h)
{
	n_counts = 0;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		count_call(h, cases[i].product, cases[i].action, cases[i].form);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		count_call(h, lists[i].product, lists[i].action, lists[i].form);
	count_call(h, VPC, "CreateVpc", REGION "CidrBlock=172.16.0.0/16");
	count_call(h, RAM, "CreateUser", "UserName=another");
	count_call(h, RAM, "ListAccessKeys", "UserName={user}");
	count_call(h, RM, "CreateResourceGroup", "Name=other&DisplayName=Other");
	count_call(h, PL, "CreateVpcEndpoint", REGION "VpcId={vpc}&" SHARED_FORM "&Zone.1.VSwitchId={vsw}");
	is_second = true;
}

static const char *id_of(const char *name)
{
	for (size_t i = 0; i < n_ids; i++)
		if (streq(ids[i].name, name))
			return ids[i].id;
	return "none";
}

static void put_resource(struct harness *h, const char *balancer)
{
	struct service_resource row = {
		.service = SHARED, .type = "nlb", .zone = "cn-hangzhou-h", .auto_allocated = true};

	harness_must(str_copy(row.resource, sizeof(row.resource), balancer), "id");
	harness_put(h, KIND_SERVICE_RESOURCE, &row);
}

/* The system's, with two load balancers in a zone: an endpoint gets the one that serves fewer. */
static void put_shared_service(struct harness *h)
{
	struct service service = {
		.id = SHARED,
		.name = "com.aliyuncs.privatelink.cn-hangzhou.shared",
		.region = "cn-hangzhou",
		.resource_type = "nlb",
		.status = SERVICE_ACTIVE,
		.auto_accept = true,
	};

	harness_put(h, KIND_SERVICE, &service);
	put_resource(h, id_of("{lb}"));
	put_resource(h, id_of("{my_lb}"));
}

/* What the rows of that world name is there, and of the kinds that the table of relations says. */
static void test_references(const struct snapshot *rows)
{
	size_t n = 0, n_gone = 0;

	for (enum ref ref = 0; ref < REF_COUNT_; ref++) {
		const struct relation *relation = relation_info(ref);

		if (!relation->member)
			continue;
		for (const void *v = NULL; (v = snapshot_next(rows, relation->kind, "", v));) {
			char text[UID_TEXT_SIZE];
			const char *id;

			for (size_t i = 0; (id = relation_id(ref, v, i, text)); i++) {
				enum kind parent;

				if (!*id || streq(id, "0")) /* the system */
					continue;
				n++;
				if (relation_parent(ref, id, &parent) == 0 && snapshot_find(rows, parent, id))
					continue;
				n_gone++;
				tap_note("%s.%s names %s", snapshot_id(v), relation->member, id);
			}
		}
	}
	tap_ok(n > 100 && n_gone == 0, "all that rows name is there, %zu times", n);
}

static struct control_node live(const void *control _unused_, const char *node _unused_)
{
	return (struct control_node){.has_lease = true, .is_live = true, .hold = ""};
}

int main(void)
{
	json_t *before, *rows;
	char form[1024];
	struct harness h;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	make_world(&h, ALICE);
	before = world_now(&h);
	make_world(&h, BOB);
	put_shared_service(&h);
	fill_in(form, sizeof(form), "my_", REGION "VpcId={vpc}&" SHARED_FORM "&Zone.1.VSwitchId={vsw}");
	tap_ok(harness_run(&h, BOB, PL, "CreateVpcEndpoint", form),
	       "an endpoint of a service that all share");
	harness_in_force(&h, "alpha");
	harness_call(&h, ALICE, ECS, "TagResources", REGION "ResourceType=eni&ResourceId.1=%s&Tag.1.Key=env",
		     id_of("{eni}"));
	test_references(store_rows(h.store));
	h.control = control_free(h.control);
	h.environment.control = NULL;
	h.environment.live_revision = NULL;
	h.environment.reached = NULL;
	h.environment.failure = NULL;
	h.environment.node_state = live;

	count_all(&h);
	rows = rows_since(&h, before);
	tap_ok(json_object_size(rows) > 25, "others have %zu rows each", json_object_size(rows));
	put_others(&h, rows, id_of("{my_lb}"));
	tap_ok(snapshot_count(store_rows(h.store), KIND_ENDPOINT, "") > 2 * OTHERS,
	       "there are a thousand others");
	count_all(&h);
	json_decref(before);
	json_decref(rows);
	harness_end(&h);
	return tap_done();
}
