/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another writer comes between a handler and its commit: it changes or deletes a row that the handler has
 * read, or adds one to a list that it has read. For every action, every row and every list, the answer and
 * the changes must be those of the same call made after the rival; else the call was decided on a world that
 * was no more.
 *
 * What a handler reads is seen by standing in for the snapshot's functions, and the rival comes in by
 * standing in for store_commit(): see link_args in meson.build.
 */
#include "api_calls.h"
#include "world_rows.h"

#define READS_MAX 512

/* Of every action beside those that name objects. */
static const struct {
	int64_t uid;
	enum product product;
	const char *action, *form;
} others[] = {
	{ALICE, PL, "CheckProductOpen", REGION},
	{ALICE, PL, "OpenPrivateLinkService", REGION},
	{ALICE, PL, "DescribeRegions", REGION},
	{ALICE, PL, "DescribeZones", REGION},
	{ALICE, VPC, "CreateVpc", REGION "CidrBlock=172.16.0.0/16"},
	{ALICE, VPC, "DescribeRegions", REGION},
	{ALICE, VPC, "DescribeZones", REGION},
	{ALICE, ECS, "DescribeRegions", REGION},
	{ALICE, ECS, "DescribeZones", REGION},
	{ALICE, NLB, "DescribeRegions", REGION},
	{ALICE, NLB, "DescribeZones", REGION},
	{ALICE, RAM, "CreateUser", "UserName=another"},
	{ALICE, RAM, "ListAccessKeys", "UserName={user}"},
	{ALICE, RAM, "ListAccessKeys", ""},
	{ALICE, RAM, "CreateAccessKey", ""},
	{ALICE, RM, "CreateResourceGroup", "Name=other&DisplayName=Other"},
	{ALICE, SLB, "DescribeAvailableResource", REGION},
	{ALICE, SLB, "DescribeRegions", REGION},
	{ALICE, SLB, "DescribeZones", REGION},
	{ALICE, STS, "GetCallerIdentity", ""},
	{ROOT, PRODUCT_PRIVLINK, "AttachInstance",
	 REGION
	 "VSwitchId={vsw}&SecurityGroupId={sg}&Kind=netns&Path=/run/netns/x&AccountId=1000000000000001"},
	{ROOT, PRODUCT_PRIVLINK, "BindSystemService",
	 REGION "ServiceName=pai-dlc&ResourceId={lb}&ResourceType=nlb&ZoneId=cn-hangzhou-h"},
	{ROOT, PRODUCT_PRIVLINK, "UnbindSystemService",
	 REGION "ServiceName=pai-dlc&ResourceId={lb}&ResourceType=nlb&ZoneId=cn-hangzhou-h"},
	{ROOT, PRODUCT_PRIVLINK, "CreateAccount", "AccountName=new"},
	{ROOT, PRODUCT_PRIVLINK, "CreateAccessKey", "AccountId=1000000000000001"},
	{ROOT, PRODUCT_PRIVLINK, "DeleteAccessKey", "AccessKeyId=LTAIrival"},
	{ROOT, PRODUCT_PRIVLINK, "UpdateAccessKey", "AccessKeyId=LTAIrival&Status=Inactive"},
	{ROOT, PRODUCT_PRIVLINK, "ListAccessKeys", "AccountId=1000000000000001"},
	{ROOT, PRODUCT_PRIVLINK, "ListAccounts", ""},
	{ROOT, PRODUCT_PRIVLINK, "ListAuditEvents", ""},
	{ROOT, PRODUCT_PRIVLINK, "ListNodes", ""},
	{ROOT, PRODUCT_PRIVLINK, "SetQuota", "AccountId=1000000000000001&QuotaName=vpcs&Value=100"},
	{ROOT, PRODUCT_PRIVLINK, "DeleteQuota", "AccountId=1000000000000001&QuotaName=vswitches_per_vpc"},
	{ROOT, PRODUCT_PRIVLINK, "ListQuotas", REGION "AccountId=1000000000000001"},
	{ROOT, PRODUCT_PRIVLINK, "DeleteNode", "NodeName=alpha&Force=true"},
	{ROOT, PRODUCT_PRIVLINK, "GetInstance", REGION "InstanceId={instance}"},
	{ALICE, PRODUCT_PRIVLINK, "GetEndpointMetrics", REGION "EndpointId={endpoint}"},
	{ROOT, PRODUCT_PRIVLINK, "GetVersion", ""},
};

/* The disk is not what is tried here. */
int fdatasync(int fildes _unused_)
{
	return 0;
}

int fsync(int fd _unused_)
{
	return 0;
}

/* ---- what a call has read ---- */

static struct {
	bool on;
	struct {
		enum kind kind;
		char id[KEY_SIZE]; /* of a list: the prefix, or what its rows name in the reference */
		bool is_list;
		enum ref ref; /* REF_COUNT_: none */
	} v[READS_MAX];
	size_t n;
} reads;

static void read_one(enum kind kind, const char *id, bool is_list, enum ref ref)
{
	/* Of these a copy of a world has as many as there are calls; and no rival writes them. */
	if (!reads.on || kind == KIND_COUNTER || kind == KIND_JOB || kind == KIND_CLIENT_TOKEN)
		return;
	for (size_t i = 0; i < reads.n; i++)
		if (reads.v[i].kind == kind && reads.v[i].is_list == is_list && reads.v[i].ref == ref &&
		    streq(reads.v[i].id, id))
			return;
	harness_must(reads.n < READS_MAX ? 0 : -ENOSPC, "reads");
	reads.v[reads.n].kind = kind;
	reads.v[reads.n].is_list = is_list;
	reads.v[reads.n].ref = ref;
	harness_must(str_copy(reads.v[reads.n++].id, KEY_SIZE, id), "id");
}

const void *__real_snapshot_find(const struct snapshot *s, enum kind kind, const char *id);
const void *__wrap_snapshot_find(const struct snapshot *s, enum kind kind, const char *id);
const void *__wrap_snapshot_find(const struct snapshot *s, enum kind kind, const char *id)
{
	const void *row = __real_snapshot_find(s, kind, id);

	if (row)
		read_one(kind, id, false, REF_COUNT_);
	return row;
}

const void *__real_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous);
const void *__wrap_snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix,
				 const void *previous)
{
	const void *row = __real_snapshot_next(s, kind, prefix, previous);

	read_one(kind, prefix, true, REF_COUNT_);
	if (row)
		read_one(kind, snapshot_id(row), false, REF_COUNT_);
	return row;
}

size_t __real_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix);
size_t __wrap_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix);
size_t __wrap_snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix)
{
	read_one(kind, prefix, true, REF_COUNT_);
	return __real_snapshot_count(s, kind, prefix);
}

const void *__real_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);
const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);
const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous)
{
	const void *row = __real_snapshot_children_in(s, ref, id, within, previous);
	enum kind kind = relation_info(ref)->kind;

	read_one(kind, id, true, ref);
	if (row)
		read_one(kind, snapshot_id(row), false, REF_COUNT_);
	return row;
}

size_t __real_snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id,
					 const char *within);
size_t __wrap_snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id,
					 const char *within);
size_t __wrap_snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id,
					 const char *within)
{
	read_one(relation_info(ref)->kind, id, true, ref);
	return __real_snapshot_count_children_in(s, ref, id, within);
}

bool __real_snapshot_is_used(const struct snapshot *s, enum kind kind, const char *id, enum ref besides);
bool __wrap_snapshot_is_used(const struct snapshot *s, enum kind kind, const char *id, enum ref besides);
bool __wrap_snapshot_is_used(const struct snapshot *s, enum kind kind, const char *id, enum ref besides)
{
	for (enum ref ref = 0; ref < REF_COUNT_; ref++)
		if (relation_names(ref, kind) && !(relation_info(ref)->follows & REF_PART))
			read_one(relation_info(ref)->kind, id, true, ref);
	return __real_snapshot_is_used(s, kind, id, besides);
}

/* ---- the rival ---- */

static struct {
	json_t *changes; /* by key: a value, or null to delete; NULL: nobody is there */
	int commits;	 /* that the call has tried */
} rival;

void __real_store_commit(struct store *store, struct store_txn *txn, store_done done, void *context);
void __wrap_store_commit(struct store *store, struct store_txn *txn, store_done done, void *context);

/* Called at the end of a turn, when whoever committed has returned. */
static void note_commit(void *context _unused_, int result, uint64_t revision _unused_)
{
	harness_must(result, "commit");
}

/* 0, or -EINVAL: such rows cannot be. */
static int commit_all(struct store *store, json_t *changes)
{
	struct store_txn *txn;
	const char *key;
	json_t *value;
	int r = 0;

	harness_must(store_txn_new(&txn), "transaction");
	json_object_foreach(changes, key, value) {
		if (r == 0)
			r = json_is_null(value) ? store_txn_delete(txn, key) : store_txn_put(txn, key, value);
	}
	if (r < 0) {
		store_txn_free(txn);
		return r;
	}
	__real_store_commit(store, txn, note_commit, NULL);
	return 0;
}

void __wrap_store_commit(struct store *store, struct store_txn *txn, store_done done, void *context)
{
	rival.commits++;
	if (rival.changes) {
		harness_must(commit_all(store, rival.changes), "rival");
		rival.changes = NULL;
	}
	__real_store_commit(store, txn, done, context);
}

/* ---- worlds ---- */

/* What makes `from` into `to`: the caller's. */
static json_t *world_difference(const json_t *from, const json_t *to)
{
	json_t *changes = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)to, key, value) {
		if (!json_equal(json_object_get(from, key), value))
			(void)json_object_set(changes, key, value);
	}
	json_object_foreach((json_t *)from, key, value) {
		if (!json_object_get(to, key))
			(void)json_object_set_new(changes, key, json_null());
	}
	return changes;
}

static void world_restore(struct harness *h, const json_t *world)
{
	json_t *now = world_now(h), *changes = world_difference(now, world);

	harness_must(commit_all(h->store, changes), "restore");
	harness_settle(h);
	json_decref(now);
	json_decref(changes);
}

/* ---- what came of a call ---- */

/* Times and what was drawn at random are not the same twice. */
static void mask(char *text, const char *known)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (char *p = text; *p;) {
		size_t n = strspn(p, word);
		char token[128];

		if (n >= 16 && n < sizeof(token)) {
			memcpy(token, p, n);
			token[n] = '\0';
			if (!strstr(known, token))
				memset(p, 'x', n);
		} else if (n >= 10 && strspn(p, "0123456789") == n) {
			memset(p, '9', n);
		} else if (n == 4 && p[4] == '-' && p[7] == '-' && p[10] == 'T') {
			n = strcspn(p, "Z\"");
			memset(p, '9', n);
		}
		p += n ? n : 1;
	}
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that a call said and changed, as one text: the caller's. */
static char *outcome(const struct harness *h, const json_t *before, const char *known)
{
	json_t *after = world_now(h), *changes = world_difference(before, after), *value;
	char *lines[128], *text, *answer;
	const char *key;
	size_t n = 0, size = 1;

	(void)json_object_del(h->answer, "Revision"); /* it counts the rivals */
	answer = h->answer ? json_dumps(h->answer, JSON_SORT_KEYS) : NULL;
	harness_must(asprintf(&lines[n++], "%s %s", h->error.code, answer ? answer : "-"), "memory");
	json_object_foreach(changes, key, value) {
		char *row = json_dumps(value, JSON_SORT_KEYS | JSON_ENCODE_ANY);

		harness_must(n < ARRAY_SIZE(lines) ? 0 : -ENOSPC, "changes");
		harness_must(asprintf(&lines[n++], "%s %s", key, row), "memory");
		free(row);
	}
	for (size_t i = 0; i < n; i++) {
		mask(lines[i], known);
		size += strlen(lines[i]) + 1;
	}
	qsort(lines + 1, n - 1, sizeof(*lines), text_compare);
	text = calloc(1, size);
	harness_must(text ? 0 : -ENOMEM, "memory");
	for (size_t i = 0; i < n; i++) {
		strcat(strcat(text, lines[i]), "\n");
		free(lines[i]);
	}
	free(answer);
	json_decref(after);
	json_decref(changes);
	return text;
}

/* ---- the test ---- */

struct trial {
	struct harness *h;
	const json_t *world;
	const char *known; /* the world as a text */
	int64_t uid;
	enum product product;
	const char *action, *form;
	int n_rivals, n_wrong, n_blind; /* blind: the call was not decided anew */
};

static void note_wrong(const struct trial *trial, const json_t *changes, const char *want, const char *got)
{
	_cleanup_(freep) char *rival_text = json_dumps(changes, 0);

	tap_note("rival: %.300s", rival_text);
	tap_note("%s alone: %.400s", trial->action, want);
	tap_note("%s with the rival: %.400s", trial->action, got);
}

/* The call after the rival, and the call with the rival in between. */
static void try_rival(struct trial *trial, json_t *changes)
{
	struct harness *h = trial->h;
	char *want, *got;
	json_t *before;

	if (commit_all(h->store, changes) < 0)
		return;
	harness_settle(h);
	before = world_now(h);
	(void)harness_run(h, trial->uid, trial->product, trial->action, trial->form);
	want = outcome(h, before, trial->known);
	world_restore(h, trial->world);

	rival.changes = changes;
	rival.commits = 0;
	(void)harness_run(h, trial->uid, trial->product, trial->action, trial->form);
	rival.changes = NULL;
	got = outcome(h, before, trial->known);
	trial->n_rivals++;
	trial->n_blind += rival.commits < 2;
	if (!streq(want, got) && trial->n_wrong++ == 0)
		note_wrong(trial, changes, want, got);
	world_restore(h, trial->world);
	json_decref(before);
	free(want);
	free(got);
}

static void try_one(struct trial *trial, const char *key, json_t *value)
{
	json_t *changes = json_object();

	harness_must(json_object_set_new(changes, key, value), "memory");
	try_rival(trial, changes);
	json_decref(changes);
}

static void key_of(enum kind kind, const char *id, char ret[KEY_SIZE])
{
	(void)str_format(ret, KEY_SIZE, "%s/%s", kind_info(kind)->name, id);
}

/* Deleted; on its way out, if it has such a state; and written again as it is. */
static void try_row(struct trial *trial, enum kind kind, const char *id)
{
	static const char *const states[] = {"Deleting", "Removing", "Stopping", "Disconnecting"};
	char key[KEY_SIZE];
	json_t *row;

	key_of(kind, id, key);
	row = json_object_get(trial->world, key);
	harness_must(row ? 0 : -ENOENT, key);
	try_one(trial, key, json_null());
	try_one(trial, key, json_deep_copy(row));
	for (size_t i = 0; json_object_get(row, "status") && i < ARRAY_SIZE(states); i++) {
		json_t *leaving = json_deep_copy(row);

		(void)json_object_set_new(leaving, "status", json_string(states[i]));
		try_one(trial, key, leaving);
	}
}

/* The last part of the id is another one in the key and in the row. False: it is no text of the row. */
static bool rename_last(char key[KEY_SIZE], json_t *row)
{
	char *last = strrchr(key, '/') + 1;
	const char *name;
	json_t *value;

	json_object_foreach(row, name, value) {
		if (!json_is_string(value) || !streq(json_string_value(value), last))
			continue;
		last[strlen(last) - 1] = last[strlen(last) - 1] == 'z' ? 'y' : 'z';
		return json_object_set_new(row, name, json_string(last)) == 0;
	}
	return false;
}

/* One more of its kind, like the first that is there. */
static void try_list(struct trial *trial, enum kind kind, const char *prefix)
{
	char beginning[KEY_SIZE], key[KEY_SIZE];
	const char *found;
	json_t *row;

	key_of(kind, prefix, beginning);
	json_object_foreach((json_t *)trial->world, found, row) {
		if (!str_starts(found, beginning) || str_copy(key, sizeof(key), found) < 0)
			continue;
		row = json_deep_copy(row);
		if (rename_last(key, row))
			try_one(trial, key, row);
		else
			json_decref(row);
		return;
	}
}

/* Whether a row of the world names that there; of a list, first. */
static bool names(const json_t *row, enum ref ref, const char *id)
{
	const struct relation *relation = relation_info(ref);
	const json_t *value = relation->member ? json_object_get(row, relation->member) : NULL;
	char uid[UID_TEXT_SIZE];

	if (json_is_array(value))
		value = json_array_get(value, 0);
	if (!json_is_integer(value))
		return value && streq(json_string_value(value), id);
	relation_uid(json_integer_value(value), uid);
	return streq(uid, id);
}

static void make_name(json_t *row, enum ref ref, const char *id)
{
	const struct relation *relation = relation_info(ref);

	if (relation->type == FIELD_TEXT_LIST || relation->type == FIELD_SHARED_LIST)
		(void)json_object_set_new(row, relation->member, json_pack("[s]", id));
	else if (relation->type == FIELD_I64)
		(void)json_object_set_new(row, relation->member, json_integer(atoll(id)));
	else
		(void)json_object_set_new(row, relation->member, json_string(id));
}

/* The same for rows that name something: one more like the first that does, or the first of its kind made so.
 */
static void try_children(struct trial *trial, enum ref ref, const char *id)
{
	const struct relation *relation = relation_info(ref);
	char beginning[KEY_SIZE], key[KEY_SIZE];
	const char *found, *like = NULL;
	json_t *row, *model = NULL;

	key_of(relation->kind, "", beginning);
	json_object_foreach((json_t *)trial->world, found, row) {
		if (!str_starts(found, beginning) || (model && !names(row, ref, id)))
			continue;
		model = row;
		like = found;
		if (names(row, ref, id))
			break;
	}
	if (!model || str_copy(key, sizeof(key), like) < 0)
		return;
	row = json_deep_copy(model);
	if (relation->member && !relation_leads_key(ref))
		make_name(row, ref, id);
	if (rename_last(key, row))
		try_one(trial, key, row);
	else
		json_decref(row);
}

static void try_call(struct trial *trial)
{
	reads.n = 0;
	reads.on = true;
	(void)harness_run(trial->h, trial->uid, trial->product, trial->action, trial->form);
	reads.on = false;
	world_restore(trial->h, trial->world);
	for (size_t i = 0; i < reads.n; i++) {
		char key[KEY_SIZE];

		key_of(reads.v[i].kind, reads.v[i].id, key);
		if (reads.v[i].is_list && reads.v[i].ref != REF_COUNT_)
			try_children(trial, reads.v[i].ref, reads.v[i].id);
		else if (reads.v[i].is_list)
			try_list(trial, reads.v[i].kind, reads.v[i].id);
		else if (json_object_get(trial->world, key)) /* and not a row of the call's own */
			try_row(trial, reads.v[i].kind, reads.v[i].id);
	}
	tap_ok(trial->n_wrong == 0, "%s %s: as of the world at the commit, with %d rivals", trial->action,
	       trial->form, trial->n_rivals);
	tap_is_int(trial->n_blind, 0, "and decided anew for each of them");
}

static int test(const struct trial *common, int64_t uid, enum product product, const char *action,
		const char *format)
{
	struct trial trial = *common;
	char own[1024], form[1024];

	/* What is another account's in the test of ownership is the caller's here. */
	for (size_t used = 0; (own[used] = *format) && used + 1 < sizeof(own); used++)
		format += str_starts(format, "{my_") && (own[used] = '{') ? strlen("{my_") : 1;
	fill_in(form, sizeof(form), "", own);
	trial.uid = uid;
	trial.product = product;
	trial.action = action;
	trial.form = form;
	try_call(&trial);
	return trial.n_rivals;
}

static bool is_here(enum product product, const char *action)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].product == product && streq(others[i].action, action))
			return true;
	return is_tested(product, action);
}

static void test_all_are_here(void)
{
	for (size_t i = 0; i < PRODUCT_COUNT_; i++) {
		const struct action *action = products[i].actions;

		while (action->name && is_here(products[i].product, action->name))
			action++;
		if (!tap_ok(!action->name, "every action of %s is here", products[i].name))
			tap_note("%s is not", action->name);
	}
}

static struct control_node live(const void *control _unused_, const char *node _unused_)
{
	return (struct control_node){.has_lease = true, .is_live = true, .hold = ""};
}

/* Nobody else acts in this world: control, too, is a writer that comes in between. */
static void leave_alone(struct harness *h)
{
	struct access_key key = {.uid = ALICE};
	struct quota_row quota = {.uid = ALICE, .value = 100};

	harness_must(str_copy(key.id, sizeof(key.id), "LTAIrival"), "key");
	harness_must(str_copy(key.secret, sizeof(key.secret), "none"), "key");
	harness_put(h, KIND_ACCESS_KEY, &key);
	harness_must(str_copy(quota.name, sizeof(quota.name), "vswitches_per_vpc"), "quota");
	harness_put(h, KIND_QUOTA, &quota);
	h->control = control_free(h->control);
	h->environment.control = NULL;
	h->environment.live_revision = NULL;
	h->environment.reached = NULL;
	h->environment.failure = NULL;
	h->environment.node_state = live;
}

int main(void)
{
	struct trial common = {};
	struct harness h;
	int n = 0;
	json_t *world;
	char *known;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	make_world(&h, ALICE);
	leave_alone(&h);
	world = world_now(&h);
	known = json_dumps(world, 0);
	common = (struct trial){.h = &h, .world = world, .known = known};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		n += test(&common, ALICE, cases[i].product, cases[i].action, cases[i].form);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		n += test(&common, ALICE, lists[i].product, lists[i].action, lists[i].form);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		n += test(&common, others[i].uid, others[i].product, others[i].action, others[i].form);
	tap_ok(n > 1000, "%d rivals were there", n);
	test_all_are_here();
	json_decref(world);
	free(known);
	harness_end(&h);
	return tap_done();
}
