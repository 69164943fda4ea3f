/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectivity tests, from the call to the row that has ended, with a node that says what the test here has
 * it say: steps and verdicts by themselves, who may, what is refused, limits, and what ends a test.
 */
#include "api/common/quota_defaults.h"
#include "api_calls.h"
#include "model/connectivity.h"

#define CALL(h, uid, action, ...) harness_call(h, uid, OWN, action, REGION __VA_ARGS__)
#define REFUSED(h, code, what, action, ...)                                                                  \
	harness_refused(h, ALICE, OWN, code, what, action, REGION __VA_ARGS__)

/* ---- steps and verdicts ---- */

static struct connectivity_step step_of(enum connectivity_kind kind, const char *zone,
					enum connectivity_result result)
{
	struct connectivity_step step = {.kind = kind, .outcome = {.result = result}};

	(void)str_copy(step.zone, sizeof(step.zone), zone);
	return step;
}

static void test_verdicts(void)
{
	/* Of a name, and in each of two zones a ping, a connection and TLS: "." is Ok, "x" Failed, "-"
	 * Skipped. */
	static const struct {
		const char *results, *verdict, *what;
	} verdicts[] = {
		{".......", "Reachable", "all is well"},
		{".x..x..", "Reachable", "pings are refused"},
		{"x......", "Partial", "the name is not known"},
		{"....x..", "Reachable", "a zone's ping is refused"},
		{".....x-", "Partial", "a zone's port is not open"},
		{"......x", "Partial", "a zone's TLS fails"},
		{"..x-.x-", "Unreachable", "no port is open"},
		{"x.x-.x-", "Unreachable", "nor is the name known"},
		{"...x..x", "Partial", "ports are open, and nothing speaks TLS"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		struct connectivity_step steps[7];

		for (size_t j = 0; j < 7; j++)
			steps[j] = step_of(j == 0 ? CONNECTIVITY_NAME
						  : (enum connectivity_kind)((j - 1) % 3 + CONNECTIVITY_PING),
					   j == 0  ? ""
					   : j < 4 ? "z-1"
						   : "z-2",
					   verdicts[i].results[j] == '.'   ? CONNECTIVITY_OK
					   : verdicts[i].results[j] == 'x' ? CONNECTIVITY_FAILED
									   : CONNECTIVITY_SKIPPED);
		tap_is_str(connectivity_verdict(steps, 7), verdicts[i].verdict, "%s", verdicts[i].what);
	}
	tap_is_str(connectivity_verdict(NULL, 0), "Unreachable", "without zones there is nothing to reach");
}

/* The longest that there can be, as many as there can be. */
static void test_room(void)
{
	struct connectivity_step steps[CONNECTIVITY_STEPS_MAX] = {}, again[CONNECTIVITY_STEPS_MAX];
	static char text[CONNECTIVITY_STEPS_SIZE], twice[CONNECTIVITY_STEPS_SIZE];
	size_t n;

	for (size_t i = 0; i < CONNECTIVITY_STEPS_MAX; i++) {
		struct connectivity_step *s = &steps[i];

		s->kind = i < CONNECTIVITY_NAMES_MAX ? CONNECTIVITY_NAME : CONNECTIVITY_CONNECT;
		if (i < CONNECTIVITY_NAMES_MAX)
			memset(s->target, 'n', sizeof(s->target) - 1);
		else
			(void)str_copy(s->target, sizeof(s->target), "255.255.255.255:65535");
		memset(s->zone, 'z', i < CONNECTIVITY_NAMES_MAX ? 0 : sizeof(s->zone) - 1);
		memset(s->outcome.code, 'c', sizeof(s->outcome.code) - 1);
		memset(s->outcome.text, 't', sizeof(s->outcome.text) - 1);
		s->outcome.result = CONNECTIVITY_SKIPPED;
		s->outcome.latency_us = CONNECTIVITY_LATENCY_MAX_US;
	}
	tap_is_int(connectivity_write(steps, CONNECTIVITY_STEPS_MAX, text), 0, "all steps fit a row");
	tap_is_int(connectivity_read(text, again, &n), 0, "and are read again");
	tap_is_int(connectivity_write(again, n, twice), 0, "and written");
	tap_is_str(twice, text, "as they were");
}

static void test_strange_texts(void)
{
	static const char *const bad[] = {
		"Name\tx\t\tOk\t\t1\n",		  "Nome\tx\t\tOk\t\t1\t\n",  "Name\tx\t\tOk\t\t1\t\t\n",
		"Name\tx\t\tGood\t\t1\t\n",	  "Name\tx\t\tOk\t\t-1\t\n", "Name\tx\t\tOk\t\tx\t\n",
		"Name\tx\t\tOk\t\t100000001\t\n",
	};
	struct connectivity_outcome good = {.result = CONNECTIVITY_FAILED, .code = "Timeout", .text = "a b"};
	struct connectivity_outcome o = good;
	struct connectivity_step steps[CONNECTIVITY_STEPS_MAX];
	char text[CONNECTIVITY_TEXT_SIZE], longer[CONNECTIVITY_TEXT_SIZE + 9];
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		tap_is_int(connectivity_read(bad[i], steps, &n), -EBADMSG, "no steps: text %zu", i);
	tap_ok(connectivity_outcome_is_good(&o), "an outcome that is good");
	(void)str_copy(o.text, sizeof(o.text), "a\tb");
	tap_ok(!connectivity_outcome_is_good(&o), "a tab in its text is not");
	(void)str_copy(o.text, sizeof(o.text), "\xc3\xa4");
	tap_ok(!connectivity_outcome_is_good(&o), "nor is what is not ASCII");
	o = good;
	(void)str_copy(o.code, sizeof(o.code), "a\nb");
	tap_ok(!connectivity_outcome_is_good(&o), "nor a line's end in its code");
	o = good;
	o.code[0] = '\0';
	tap_ok(!connectivity_outcome_is_good(&o), "what failed has a code");
	o = good;
	o.result = CONNECTIVITY_OK;
	tap_ok(!connectivity_outcome_is_good(&o), "what is Ok has none");
	o = good;
	o.result = CONNECTIVITY_NONE;
	tap_ok(!connectivity_outcome_is_good(&o), "nothing is no outcome");
	connectivity_text("a\tb\n\xc3\xa4", text);
	tap_is_str(text, "a?b???", "what cannot be kept is replaced");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	connectivity_text(longer, text);
	tap_is_int((long long)strlen(text), CONNECTIVITY_TEXT_SIZE - 1, "and what is too long is cut");
}

/* ---- calls and reports ---- */

static const struct connectivity_test *row_of(const struct harness *h, const char *id)
{
	return snapshot_find(store_rows(h->store), KIND_CONNECTIVITY_TEST, id);
}

/* The node says this of a test; outcomes NULL: that it runs. */
static void say(struct harness *h, const char *node, const char *id, struct connectivity_outcome *outcomes,
		size_t n)
{
	struct control_test test = {.is_running = !outcomes, .outcomes = outcomes, .n_outcomes = n};
	struct control_report report = {
		.revision = store_durable_revision(h->store), .tests = &test, .n_tests = 1};

	harness_must(str_copy(report.node, sizeof(report.node), node), "name");
	harness_must(str_copy(test.id, sizeof(test.id), id), "id");
	harness_must(control_report(h->control, &report), "report");
	harness_settle(h);
}

static void finish(struct harness *h, const char *id)
{
	struct connectivity_outcome outcomes[CONNECTIVITY_STEPS_MAX];
	struct connectivity_step steps[CONNECTIVITY_STEPS_MAX];
	size_t n;

	harness_must(connectivity_read(row_of(h, id)->steps, steps, &n), "steps");
	for (size_t i = 0; i < n; i++)
		outcomes[i] = (struct connectivity_outcome){.result = CONNECTIVITY_OK, .latency_us = 70};
	say(h, "alpha", id, outcomes, n);
}

static void put_back(struct harness *h, const char *id, int64_t seconds)
{
	struct connectivity_test row = *row_of(h, id);

	row.create_time -= seconds;
	harness_put(h, KIND_CONNECTIVITY_TEST, &row);
}

static const char *start(struct harness *h, const char *instance)
{
	char form[256];

	fill_in(form, sizeof(form), "", "EndpointId={endpoint}&InstanceId=");
	return harness_keep(h, harness_get(h, ALICE, OWN, "TestId", "CreateConnectivityTest", REGION "%s%s",
					   form, instance));
}

static const char *id_of(const char *name)
{
	size_t i = 0;

	while (!streq(ids[i].name, name))
		i++;
	return ids[i].id;
}

static const char *text_at(struct harness *h, const char *path)
{
	const char *text = harness_text(h, path);

	return text ? text : "";
}

static void test_life(struct harness *h)
{
	struct connectivity_outcome o[CONNECTIVITY_STEPS_MAX] = {};
	const char *id = start(h, id_of("{instance}"));
	uint64_t revision;
	size_t n;

	CALL(h, ALICE, "GetConnectivityTest", "TestId=%s", id);
	tap_is_str(text_at(h, "Status"), "Pending", "a test waits for its node");
	tap_is_str(text_at(h, "Steps.0.Kind"), "Name", "what it will look at is known");
	tap_ok(!*text_at(h, "Steps.0.Result"), "and how that went is not");
	tap_is_str(text_at(h, "Steps.1.Kind"), "Ping", "after the names comes each zone's ENI");
	tap_is_str(text_at(h, "Steps.1.ZoneId"), "cn-hangzhou-h", "in its zone");
	tap_is_int(row_of(h, id)->port, 80, "the port is the service's, if the call names none");
	tap_is_str(row_of(h, id)->node, "alpha", "it is the node's on which the instance is");

	say(h, "alpha", id, NULL, 0);
	CALL(h, ALICE, "GetConnectivityTest", "TestId=%s", id);
	tap_is_str(text_at(h, "Status"), "Running", "the node has begun");
	revision = store_durable_revision(h->store);
	say(h, "alpha", id, NULL, 0);
	tap_is_int(store_durable_revision(h->store), revision, "which is not written twice");

	harness_must(connectivity_read(row_of(h, id)->steps,
				       (struct connectivity_step[CONNECTIVITY_STEPS_MAX]){}, &n),
		     "steps");
	say(h, "alpha", id, o, n);
	tap_is_str(row_of(h, id)->node, "alpha", "steps without an outcome are not taken");
	for (size_t i = 0; i < n; i++)
		o[i] = (struct connectivity_outcome){.result = CONNECTIVITY_OK, .latency_us = 70};
	say(h, "alpha", id, o, n - 1);
	tap_is_str(row_of(h, id)->node, "alpha", "nor are too few");
	say(h, "alpha", "ct-of-nobody", o, n);
	harness_node(h, "beta", "");
	say(h, "beta", id, o, n);
	tap_is_str(row_of(h, id)->node, "alpha", "nor what another node says");
	o[1] = (struct connectivity_outcome){
		.result = CONNECTIVITY_FAILED, .code = "Timeout", .text = "No answer in 3 s."};
	say(h, "alpha", id, o, n);
	CALL(h, ALICE, "GetConnectivityTest", "TestId=%s", id);
	tap_is_str(text_at(h, "Status"), "Finished", "what its own says is taken");
	tap_is_str(text_at(h, "Verdict"), "Reachable", "with a verdict");
	tap_is_str(text_at(h, "Path.Hops.0.Kind"), "Instance", "beside the path of when it was made");
	tap_ok(json_is_boolean(json_object_get(h->answer, "Agree")) &&
		       json_is_true(json_object_get(h->answer, "Agree")) ==
			       streq(text_at(h, "Path.Verdict"), "Reachable"),
	       "and whether both say the same");
	tap_is_str(text_at(h, "Steps.1.Code"), "Timeout", "and what went wrong");
	tap_is_str(text_at(h, "Steps.2.Result"), "Ok", "and what went well");
	revision = store_durable_revision(h->store);
	o[1].code[0] = 'X';
	say(h, "alpha", id, o, n);
	tap_is_int(store_durable_revision(h->store), revision, "of a test that has ended nothing is taken");
}

static void test_refusals(struct harness *h)
{
	struct instance row = *snapshot_instance(store_rows(h->store), id_of("{instance}"));
	const struct instance running = row;
	char form[256];

	fill_in(form, sizeof(form), "", "InstanceId={instance}&EndpointId={endpoint}");
	REFUSED(h, "InvalidParameter.Port", "a port above all", "CreateConnectivityTest", "%s&Port=65536",
		form);
	REFUSED(h, "ConnectivityTestNotFound", "no test", "GetConnectivityTest", "TestId=ct-none");
	REFUSED(h, "MissingParameter", "tests of what", "ListConnectivityTests", "%s", "");
	row.kind = INSTANCE_TAP;
	harness_put(h, KIND_INSTANCE, &row);
	REFUSED(h, "OperationUnsupported.ConnectivityTest", "a virtual machine", "CreateConnectivityTest",
		"%s", form);
	tap_ok(strstr(h->error.message, "virtual machine"), "says why");
	row = *snapshot_instance(store_rows(h->store), row.id);
	row.kind = INSTANCE_ATTACHED;
	harness_put(h, KIND_INSTANCE, &row);
	REFUSED(h, "OperationUnsupported.ConnectivityTest", "someone's namespace", "CreateConnectivityTest",
		"%s", form);
	row = *snapshot_instance(store_rows(h->store), row.id);
	row.kind = running.kind;
	row.status = INSTANCE_STOPPED;
	harness_put(h, KIND_INSTANCE, &row);
	REFUSED(h, "IncorrectInstanceStatus", "a stopped instance", "CreateConnectivityTest", "%s", form);
	tap_ok(strstr(h->error.message, "Stopped"), "says how it is");
	row = *snapshot_instance(store_rows(h->store), row.id);
	row.status = running.status;
	harness_put(h, KIND_INSTANCE, &row);
	harness_refused(h, BOB, OWN, "InvalidInstanceId.NotFound", "another's", "CreateConnectivityTest",
			REGION "%s", form);
}

static void test_tokens(struct harness *h)
{
	const char *first;
	char form[256];

	fill_in(form, sizeof(form), "", "InstanceId={instance}&EndpointId={endpoint}&ClientToken=once");
	first = harness_keep(
		h, harness_get(h, ALICE, OWN, "TestId", "CreateConnectivityTest", REGION "%s", form));
	tap_is_str(harness_get(h, ALICE, OWN, "TestId", "CreateConnectivityTest", REGION "%s", form), first,
		   "a call that is repeated with its token makes no second test");
	REFUSED(h, "QuotaExceeded.ConnectivityTestPerInstance", "another test from there",
		"CreateConnectivityTest", "InstanceId=%s&EndpointId=%s", id_of("{instance}"),
		id_of("{endpoint}"));
	finish(h, first);
}

/* On both nodes, each of which waits for the other. */
static void in_force(struct harness *h)
{
	for (int i = 0; i < 6; i++) {
		harness_report(h, "alpha", NULL, 0);
		harness_report(h, "beta", NULL, 0);
	}
}

/* More instances in Alice's vSwitch. */
static void more_instances(struct harness *h, const char **ret, size_t n)
{
	char form[256], path[64];

	fill_in(form, sizeof(form), "", REGION "VSwitchId={vsw}&SecurityGroupId={sg}");
	harness_call(h, ALICE, ECS, "RunInstances", "%s&Amount=%zu", form, n);
	for (size_t i = 0; i < n; i++) {
		(void)str_format(path, sizeof(path), "InstanceIdSets.InstanceIdSet.%zu", i);
		ret[i] = harness_keep(h, harness_text(h, path));
	}
	in_force(h);
}

/* Tests of others that run on the node. */
static void fill_node(struct harness *h, const char *node, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct connectivity_test row = {.owner = BOB,
						.create_time = now_unix_s() + CONNECTIVITY_DEADLINE_S};

		(void)str_format(row.id, sizeof(row.id), "ct-of-bob-%zu", i);
		(void)str_copy(row.node, sizeof(row.node), node);
		(void)str_copy(row.endpoint, sizeof(row.endpoint), id_of("{my_endpoint}"));
		(void)str_copy(row.instance, sizeof(row.instance), id_of("{my_instance}"));
		harness_put(h, KIND_CONNECTIVITY_TEST, &row);
	}
}

static void empty_node(struct harness *h, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct connectivity_test row;
		char id[ID_SIZE];

		(void)str_format(id, sizeof(id), "ct-of-bob-%zu", i);
		row = *row_of(h, id);
		row.node[0] = '\0';
		harness_put(h, KIND_CONNECTIVITY_TEST, &row);
	}
}

static void test_limits(struct harness *h)
{
	const char *instances[5], *tests[4];
	const struct instance *last;
	char form[256];

	more_instances(h, instances, 5);
	for (size_t i = 0; i < 4; i++)
		tests[i] = start(h, instances[i]);
	fill_in(form, sizeof(form), "", "EndpointId={endpoint}&InstanceId=");
	REFUSED(h, "QuotaExceeded.ConnectivityTestPerAccount", "a fifth at a time", "CreateConnectivityTest",
		"%s%s", form, instances[4]);
	for (size_t i = 0; i < 4; i++) {
		struct connectivity_test row = *row_of(h, tests[i]);

		row.node[0] = '\0';
		row.status = CONNECTIVITY_EXPIRED;
		harness_put(h, KIND_CONNECTIVITY_TEST, &row);
	}
	last = snapshot_instance(store_rows(h->store), instances[4]);
	fill_node(h, last->node, 8);
	REFUSED(h, "QuotaExceeded.ConnectivityTestPerNode", "a ninth of a node", "CreateConnectivityTest",
		"%s%s", form, instances[4]);
}

static size_t n_of_endpoint(const struct harness *h)
{
	return snapshot_count_children(store_rows(h->store), REF_CONNECTIVITY_TEST_ENDPOINT,
				       id_of("{endpoint}"));
}

/* All of Alice's were made so much earlier. */
static void age(struct harness *h, int64_t seconds)
{
	const char *aged[64];
	size_t n = 0;

	for (const struct connectivity_test *t = NULL;
	     (t = snapshot_children(store_rows(h->store), REF_CONNECTIVITY_TEST_ENDPOINT, id_of("{endpoint}"),
				    t));)
		aged[n++] = harness_keep(h, t->id);
	for (size_t i = 0; i < n; i++)
		put_back(h, aged[i], seconds);
}

static void test_kept(struct harness *h)
{
	const char *first = start(h, id_of("{instance}"));

	finish(h, first);
	while (n_of_endpoint(h) < 30)
		finish(h, start(h, id_of("{instance}")));
	REFUSED(h, "Throttling.ConnectivityTest", "more than 30 within a minute", "CreateConnectivityTest",
		"InstanceId=%s&EndpointId=%s", id_of("{instance}"), id_of("{endpoint}"));
	age(h, -3600);
	finish(h, start(h, id_of("{instance}")));
	tap_is_int((long long)n_of_endpoint(h), 20, "those of a clock that was set back since do not count");
	age(h, 3600 + 61);
	finish(h, start(h, id_of("{instance}")));
	tap_is_int((long long)n_of_endpoint(h), 20, "of an endpoint 20 are kept once they count no more");
	CALL(h, ALICE, "ListConnectivityTests", "EndpointId=%s", id_of("{endpoint}"));
	tap_is_int(harness_number(h, "TotalCount"), 20, "and listed");
	CALL(h, ALICE, "ListConnectivityTests", "InstanceId=%s&MaxResults=5", id_of("{instance}"));
	tap_ok(*text_at(h, "NextToken") && *text_at(h, "Tests.4.TestId") && !*text_at(h, "Tests.5.TestId"),
	       "or those from an instance, page by page");
	age(h, 24 * 3600 + 1);
	CALL(h, ALICE, "ListConnectivityTests", "EndpointId=%s", id_of("{endpoint}"));
	tap_is_int(harness_number(h, "TotalCount"), 0, "after a day they are gone");
}

static void forget_tests(struct harness *h)
{
	const struct connectivity_test *t;

	while ((t = snapshot_next(store_rows(h->store), KIND_CONNECTIVITY_TEST, "", NULL))) {
		struct store_txn *txn;
		int n = 0;

		harness_must(store_txn_new(&txn), "transaction");
		harness_must(store_txn_row_delete(txn, KIND_CONNECTIVITY_TEST, t), "deletion");
		store_commit(h->store, txn, harness_count, &n);
		harness_settle(h);
		harness_must(n == 1 ? 0 : -EIO, "commit");
	}
}

/* Tests that have ended, made when the clock was an hour ahead. */
static void put_ahead(struct harness *h, const char *endpoint, int n)
{
	for (int i = 0; i < n; i++) {
		struct connectivity_test row = {
			.owner = ALICE, .status = CONNECTIVITY_FINISHED, .create_time = now_unix_s() + 3600};

		(void)str_format(row.id, sizeof(row.id), "ct-0000000000%d", i);
		(void)str_copy(row.endpoint, sizeof(row.endpoint), endpoint);
		(void)str_copy(row.instance, sizeof(row.instance), id_of("{instance}"));
		harness_put(h, KIND_CONNECTIVITY_TEST, &row);
	}
}

/* Three, of which two do not count as of the last minute any more. */
static bool are_kept(struct harness *h)
{
	const char *tests[3];

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		tests[i] = start(h, id_of("{instance}"));
		finish(h, tests[i]);
		if (i < 2)
			put_back(h, tests[i], 120);
	}
	return row_of(h, tests[0]) && row_of(h, tests[1]) && row_of(h, tests[2]);
}

static void test_clock_set_back(struct harness *h)
{
	forget_tests(h);
	put_ahead(h, id_of("{endpoint}"), CONNECTIVITY_TESTS_PER_ENDPOINT_KEPT);
	tap_ok(are_kept(h) && n_of_endpoint(h) == CONNECTIVITY_TESTS_PER_ENDPOINT_KEPT,
	       "after a clock was set back an endpoint's new tests take the place of old ones");
	forget_tests(h);
	put_ahead(h, "ep-other", CONNECTIVITY_TESTS_PER_ACCOUNT_KEPT);
	tap_ok(are_kept(h) && snapshot_count(store_rows(h->store), KIND_CONNECTIVITY_TEST, "") ==
				      CONNECTIVITY_TESTS_PER_ACCOUNT_KEPT,
	       "and so do an account's");
	forget_tests(h);
}

/* Tests that have ended by one report, the newest of them ct-00000 (ids sort so), which do not count as of
 * the last minute any more. */
static void put_together(struct harness *h, const char *endpoint, int n)
{
	struct store_txn *txn;
	int done = 0;

	harness_must(store_txn_new(&txn), "transaction");
	for (int i = 0; i < n; i++) {
		struct connectivity_test row = {
			.owner = ALICE, .status = CONNECTIVITY_FINISHED, .create_time = now_unix_s() - 120};

		(void)str_format(row.id, sizeof(row.id), "ct-%05d", i);
		(void)str_copy(row.endpoint, sizeof(row.endpoint), endpoint);
		(void)str_copy(row.instance, sizeof(row.instance), id_of("{instance}"));
		harness_must(store_txn_row_put(txn, KIND_CONNECTIVITY_TEST, &row), "put");
	}
	store_commit(h->store, txn, harness_count, &done);
	harness_settle(h);
	harness_must(done == 1 ? 0 : -EIO, "commit");
}

static bool is_there(const struct harness *h, const char *id)
{
	return snapshot_find(store_rows(h->store), KIND_CONNECTIVITY_TEST, id);
}

static void test_ended_together(struct harness *h)
{
	forget_tests(h);
	put_together(h, id_of("{endpoint}"), CONNECTIVITY_TESTS_PER_ENDPOINT_KEPT);
	finish(h, start(h, id_of("{instance}")));
	tap_ok(is_there(h, "ct-00000") && is_there(h, "ct-00018") && !is_there(h, "ct-00019"),
	       "of an endpoint's that ended by one report the oldest goes first");
	forget_tests(h);
	put_together(h, "ep-other", 10);
	put_ahead(h, "ep-other", CONNECTIVITY_TESTS_PER_ACCOUNT_KEPT - 10);
	finish(h, start(h, id_of("{instance}")));
	tap_ok(is_there(h, "ct-00000") && is_there(h, "ct-00008") && !is_there(h, "ct-00009"),
	       "and so it does of an account's");
	forget_tests(h);
}

/* Nobody has said anything in time. */
static void test_expiry(struct harness *h)
{
	const char *id = start(h, id_of("{instance}"));

	put_back(h, id, 14);
	tap_is_str(row_of(h, id)->node, "alpha", "after 14 s a test goes on");
	put_back(h, id, 3);
	harness_settle(h);
	CALL(h, ALICE, "GetConnectivityTest", "TestId=%s", id);
	tap_is_str(text_at(h, "Status"), "Expired", "after 17 s it has ended");
	tap_ok(strstr(text_at(h, "StatusInfo"), "alpha"), "naming the node");
	tap_ok(!*text_at(h, "Verdict"), "without a verdict");
	finish(h, id);
	CALL(h, ALICE, "GetConnectivityTest", "TestId=%s", id);
	tap_is_str(text_at(h, "Status"), "Expired", "and what is said then comes too late");
	id = start(h, id_of("{instance}"));
	put_back(h, id, -8 * 3600);
	harness_settle(h);
	CALL(h, ALICE, "GetConnectivityTest", "TestId=%s", id);
	tap_is_str(text_at(h, "Status"), "Expired", "the clock was set back: its time is not waited for");
	put_back(h, id, 8 * 3600);
}

/* What it is about is gone. */
static void test_deletion(struct harness *h)
{
	const char *instances[1], *id, *other;

	more_instances(h, instances, 1);
	id = start(h, instances[0]);
	harness_call(h, ALICE, ECS, "DeleteInstance", "InstanceId=%s&Force=true", instances[0]);
	in_force(h);
	tap_ok(!row_of(h, id), "a test goes with its instance, running or not");
	other = start(h, id_of("{instance}"));
	harness_call(h, ALICE, PL, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h",
		     id_of("{endpoint}"));
	in_force(h);
	harness_call(h, ALICE, PL, "DeleteVpcEndpoint", REGION "EndpointId=%s", id_of("{endpoint}"));
	in_force(h);
	tap_ok(!row_of(h, other), "and with its endpoint");
}

int main(void)
{
	struct harness h;

	test_verdicts();
	test_room();
	test_strange_texts();
	harness_begin(&h);
	harness_node(&h, "alpha", "");
	make_world(&h, ALICE);
	make_world(&h, BOB);
	test_life(&h);
	test_refusals(&h);
	test_tokens(&h);
	test_expiry(&h);
	test_kept(&h);
	test_clock_set_back(&h);
	test_ended_together(&h);
	test_limits(&h);
	empty_node(&h, 8);
	test_deletion(&h);
	harness_end(&h);
	return tap_done();
}
