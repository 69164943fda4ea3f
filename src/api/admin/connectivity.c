/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectivity tests: from an instance of the caller's to an endpoint of the caller's. A call makes a row and
 * no more. What it aims at comes from rows, so nobody has a node look at addresses of their choice.
 */
#include "../../model/connectivity.h"
#include "../common/instance.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota_defaults.h"
#include "actions.h"

#include <inttypes.h>

/* ---- limits ---- */

/* What the account's tests come to. */
struct usage {
	size_t running, of_instance, recent, kept;
	const struct connectivity_test *oldest; /* that may go */
};

/* Those of the last minute stay, because they count. Those of a clock that was set back since are not. */
static bool is_recent(const struct call *call, const struct connectivity_test *test)
{
	return test->create_time > call->now - CONNECTIVITY_RATE_S &&
	       test->create_time < call->now + CONNECTIVITY_RATE_S;
}

static bool may_go(const struct call *call, const struct connectivity_test *test)
{
	return !*test->node && !is_recent(call, test);
}

/* By revision: a clock that was set back makes the newest look oldest. Two that ended by one report are told
 * apart by their ids, of which the newest one's is the first (new_id()). */
static bool is_older(const struct connectivity_test *a, const struct connectivity_test *b)
{
	if (a->meta.modified != b->meta.modified)
		return a->meta.modified < b->meta.modified;
	return strcmp(a->id, b->id) > 0;
}

static void count_account(const struct call *call, const char *instance, struct usage *ret)
{
	for (const struct connectivity_test *t = NULL;
	     (t = snapshot_owned(call->rows, KIND_CONNECTIVITY_TEST, call->account->uid, "", t));) {
		ret->kept++;
		ret->recent += is_recent(call, t);
		ret->running += *t->node != '\0';
		ret->of_instance += *t->node && streq(t->instance, instance);
		if (may_go(call, t) && (!ret->oldest || is_older(t, ret->oldest)))
			ret->oldest = t;
	}
}

/* The oldest one of the endpoint that may go, of those that are newer than `behind` (NULL: of all). */
static const struct connectivity_test *oldest_behind(const struct call *call, const char *endpoint,
						     const struct connectivity_test *behind)
{
	const struct connectivity_test *oldest = NULL;

	for (const struct connectivity_test *t = NULL;
	     (t = snapshot_children(call->rows, REF_CONNECTIVITY_TEST_ENDPOINT, endpoint, t));)
		if (may_go(call, t) && (!behind || is_older(behind, t)) && (!oldest || is_older(t, oldest)))
			oldest = t;
	return oldest;
}

/* The oldest make room for one more of the endpoint, or else one of the account's does. */
static void make_room(struct call *call, const char *endpoint, const struct usage *usage)
{
	size_t n = snapshot_count_children(call->rows, REF_CONNECTIVITY_TEST_ENDPOINT, endpoint), n_gone = 0;

	for (const struct connectivity_test *t = NULL;
	     n - n_gone >= CONNECTIVITY_TESTS_PER_ENDPOINT_KEPT &&
	     n_gone < CONNECTIVITY_TESTS_PER_ENDPOINT_KEPT && (t = oldest_behind(call, endpoint, t));
	     n_gone++)
		call_delete(call, KIND_CONNECTIVITY_TEST, t);
	if (n_gone == 0 && usage->kept >= CONNECTIVITY_TESTS_PER_ACCOUNT_KEPT && usage->oldest)
		call_delete(call, KIND_CONNECTIVITY_TEST, usage->oldest);
}

static int check_limits(struct call *call, const struct instance *instance, const struct usage *usage)
{
	if (usage->of_instance >= CONNECTIVITY_TESTS_PER_INSTANCE_MAX)
		return call_fail(call, "QuotaExceeded.ConnectivityTestPerInstance");
	if (usage->running >= CONNECTIVITY_TESTS_PER_ACCOUNT_MAX)
		return call_fail(call, "QuotaExceeded.ConnectivityTestPerAccount");
	if (usage->recent >= CONNECTIVITY_TESTS_PER_MINUTE_MAX)
		return call_fail(call, "Throttling.ConnectivityTest");
	if (snapshot_count_children(call->rows, REF_CONNECTIVITY_TEST_NODE, instance->node) >=
	    CONNECTIVITY_TESTS_PER_NODE_MAX)
		return call_fail(call, "QuotaExceeded.ConnectivityTestPerNode");
	return 0;
}

/* ---- making one ---- */

static int check_instance(struct call *call, const struct instance *instance)
{
	if (instance->kind == INSTANCE_TAP)
		return call_fail_detail(call, "OperationUnsupported.ConnectivityTest",
					"The instance is behind a tap device, and there is no way into a "
					"virtual machine.");
	if (instance->kind == INSTANCE_ATTACHED)
		return call_fail_detail(call, "OperationUnsupported.ConnectivityTest",
					"The instance is a namespace that was attached by its path and "
					"belongs to someone else.");
	if (!streq(instance_status_word(call, instance), enum_name(instance_status_names, INSTANCE_RUNNING)))
		return call_fail_detail(call, "IncorrectInstanceStatus",
					"A test is made from an instance that is Running; it is %s.",
					instance_status_word(call, instance));
	return 0;
}

/* The lowest port on which the service is heard by TCP; 0: there is none. */
static uint32_t first_port(const struct call *call, const struct endpoint *endpoint)
{
	uint32_t port = 0;

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, endpoint->service, r));)
		for (const struct listener *l = NULL;
		     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, r->resource, l));)
			if (streq(l->protocol, "TCP") && (!port || l->port < port))
				port = l->port;
	return port;
}

static int read_port(struct call *call, const struct endpoint *endpoint, uint32_t *ret)
{
	*ret = (uint32_t)call_int(call, "Port", 0);
	if (!*ret)
		*ret = first_port(call, endpoint);
	return *ret ? 0
		    : call_fail_detail(call, "MissingParameter",
				       "Port: the service has no TCP listener from which it could come.");
}

/* Ids that sort by time, the newest first. */
static void new_id(struct call *call, char ret[ID_SIZE])
{
	char random[ID_SIZE];

	call_new_id(call, "", random);
	random[MIN(strlen(random), (size_t)10)] = '\0';
	(void)str_format(ret, ID_SIZE, "ct-%010" PRIx64 "%s", UINT64_C(0xffffffffff) - (uint64_t)call->now,
			 random);
}

/* What the rows say of the way now, to be seen beside what the node will find. */
static int put_way(struct call *call, const char *test, const struct instance *instance,
		   const struct endpoint *endpoint, uint32_t port)
{
	_cleanup_(json_decrefp) json_t *path = endpoint_path_of(call, instance, endpoint, port);
	_cleanup_(freep) char *text = path ? json_dumps(path, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	const char *rest = text;

	if (!text)
		return -ENOMEM;
	if (strlen(text) > (CONNECTIVITY_WAY_SIZE - 1) * CONNECTIVITY_WAY_PARTS_MAX)
		return 0; /* without it, then */
	for (uint32_t part = 0; *rest; part++) {
		struct connectivity_way row = {.part = part};
		size_t length = MIN(strlen(rest), sizeof(row.text) - 1);

		(void)str_copy(row.test, sizeof(row.test), test);
		(void)str_format(row.text, sizeof(row.text), "%.*s", (int)length, rest);
		call_put(call, KIND_CONNECTIVITY_WAY, &row);
		rest += length;
	}
	return 0;
}

int connectivity_test_create(struct call *call)
{
	const struct instance *instance = owned_instance(call, call_string(call, "InstanceId"));
	const struct endpoint *endpoint = owned_row(call, KIND_ENDPOINT, call_string(call, "EndpointId"));
	struct connectivity_step steps[CONNECTIVITY_STEPS_MAX];
	struct connectivity_test row = {
		.status = CONNECTIVITY_PENDING, .owner = call->account->uid, .create_time = call->now};
	struct usage usage = {};
	size_t n;
	int r;

	if (!instance)
		return call_fail(call, "InvalidInstanceId.NotFound");
	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	r = check_instance(call, instance);
	if (r == 0)
		r = read_port(call, endpoint, &row.port);
	if (r < 0)
		return r;
	count_account(call, instance->id, &usage);
	r = check_limits(call, instance, &usage);
	if (r < 0)
		return r;
	make_room(call, endpoint->id, &usage);
	n = connectivity_plan(call->rows, endpoint, row.port, steps);
	r = connectivity_write(steps, n, row.steps);
	if (r < 0)
		return r;
	new_id(call, row.id);
	(void)str_copy(row.region, sizeof(row.region), endpoint->region);
	(void)str_copy(row.endpoint, sizeof(row.endpoint), endpoint->id);
	(void)str_copy(row.instance, sizeof(row.instance), instance->id);
	(void)str_copy(row.node, sizeof(row.node), instance->node);
	(void)str_copy(row.runner, sizeof(row.runner), instance->node);
	call_put(call, KIND_CONNECTIVITY_TEST, &row);
	answer_row(call->answer, call->action->answer, KIND_CONNECTIVITY_TEST, &row);
	return put_way(call, row.id, instance, endpoint, row.port);
}

/* ---- looking at them ---- */

static bool is_kept(const struct call *call, const void *v)
{
	const struct connectivity_test *row = v;

	return row->create_time + CONNECTIVITY_KEPT_S >= call->now;
}

static int answer_steps(struct call *call, const struct connectivity_test *row)
{
	json_t *list = answer_list(call->answer, call->action->answer, "Steps");
	struct connectivity_step steps[CONNECTIVITY_STEPS_MAX];
	size_t n;
	int r = connectivity_read(row->steps, steps, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct connectivity_outcome *outcome = &steps[i].outcome;
		json_t *item = shape_item(list);

		answer_string(item, "Kind", connectivity_kind_names[steps[i].kind]);
		answer_string(item, "Target", steps[i].target);
		if (*steps[i].zone)
			answer_string(item, "ZoneId", steps[i].zone);
		if (outcome->result == CONNECTIVITY_NONE)
			continue;
		answer_string(item, "Result", connectivity_result_names[outcome->result]);
		answer_string(item, "Code", outcome->code);
		answer_string(item, "Text", outcome->text);
		if (outcome->latency_us)
			answer_int(item, "LatencyUs", outcome->latency_us);
	}
	return 0;
}

static const struct connectivity_way *find_way(const struct call *call, const char *test, unsigned int part)
{
	char id[KEY_SIZE];

	(void)str_format(id, sizeof(id), "%s/%u", test, part);
	return snapshot_find(call->rows, KIND_CONNECTIVITY_WAY, id);
}

/* The path as it was, and whether the test found the same. */
static int answer_way(struct call *call, const struct connectivity_test *row)
{
	const size_t part_size = CONNECTIVITY_WAY_SIZE - 1;
	_cleanup_(freep) char *text = malloc(part_size * CONNECTIVITY_WAY_PARTS_MAX + 1);
	const struct connectivity_way *way;
	const char *verdict;
	size_t used = 0;
	json_t *path;

	if (!text)
		return -ENOMEM;
	for (unsigned int part = 0;
	     part < CONNECTIVITY_WAY_PARTS_MAX && (way = find_way(call, row->id, part)); part++) {
		size_t length = strlen(way->text);

		memcpy(text + used, way->text, length);
		used += length;
	}
	path = used ? json_loadb(text, used, 0, NULL) : NULL;
	if (!path)
		return 0;
	verdict = json_string_value(json_object_get(path, "Verdict"));
	if (*row->verdict && verdict)
		answer_bool(call->answer, "Agree", streq(verdict, row->verdict));
	answer_object(call->answer, "Path", path);
	return 0;
}

int connectivity_test_get(struct call *call)
{
	const struct connectivity_test *row =
		owned_row(call, KIND_CONNECTIVITY_TEST, call_string(call, "TestId"));
	int r;

	if (!row || !is_kept(call, row))
		return call_fail(call, "ConnectivityTestNotFound");
	answer_row(call->answer, call->action->answer, KIND_CONNECTIVITY_TEST, row);
	r = answer_steps(call, row);
	return r < 0 ? r : answer_way(call, row);
}

static bool is_wanted(const struct call *call, const void *v)
{
	const struct connectivity_test *row = v;

	return filter_text(call, "InstanceId", row->instance);
}

static bool is_there(const struct call *call, const void *v)
{
	const struct connectivity_test *row = v;

	return is_kept(call, row) && streq(row->region, call->region);
}

int connectivity_test_list(struct call *call)
{
	static const struct listing listing = {
		.kind = KIND_CONNECTIVITY_TEST, .wanted = is_wanted, .there = is_there};
	const char *endpoint = call_string(call, "EndpointId"), *instance = call_string(call, "InstanceId");

	if (!endpoint && !instance)
		return call_fail_detail(call, "MissingParameter", "One of EndpointId and InstanceId.");
	if (instance && !owned_instance(call, instance))
		return call_fail(call, "InvalidInstanceId.NotFound");
	if (endpoint && !owned_row(call, KIND_ENDPOINT, endpoint))
		return call_fail(call, "EndpointNotFound");
	return endpoint ? list_children(call, &listing, REF_CONNECTIVITY_TEST_ENDPOINT, endpoint)
			: list_children(call, &listing, REF_CONNECTIVITY_TEST_INSTANCE, instance);
}
