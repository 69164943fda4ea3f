/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the API without HTTP: a store in a temporary directory, control, one or more nodes that report
 * when told to, and accounts. A call goes through the framework as a real one does (typed parameters, tokens,
 * commit); parameters are written like a form, "VpcId=vpc-1&CidrBlock=10.0.0.0/24". Include it in the test's
 * only source file.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "answer_check.h"
#include "api/frame/run.h"
#include "control/control.h"
#include "lib/log.h"
#include "metrics/metrics.h"

#define ALICE 1000000000000001 /* a consumer */
#define BOB   1000000000000002 /* someone else */
#define ROOT  1000000000000009 /* an administrator */

struct harness {
	char directory[40], path[64];
	struct loop *loop;
	struct store *store;
	struct control *control;
	struct audit *audit;
	struct metrics *metrics;
	struct catalogue *catalogue;
	struct run_environment environment;
	/* Of the last call. */
	struct api_error error;
	json_t *answer;		/* owned by the harness, until the next call */
	json_t *kept;		/* texts that tests hold on to */
	unsigned int weight;	/* as how many calls more it counts */
	const char *user, *key; /* of the calls to come: the account's user, and the key; NULL: none */
};

__attribute__((unused)) static void harness_must(int r, const char *what)
{
	if (r >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

/* A copy that lives as long as the harness; of NULL, the text "none". */
__attribute__((unused)) static const char *harness_keep(struct harness *h, const char *text)
{
	json_t *copy = json_string(text ? text : "none");

	harness_must(json_array_append_new(h->kept, copy), "memory");
	return json_string_value(copy);
}

/* Turns until nothing happens any more. */
static void harness_settle(struct harness *h)
{
	for (int i = 0; i < 12; i++)
		harness_must(loop_turn(h->loop, 0), "turn");
}

static void harness_count(void *context, int result, uint64_t revision _unused_)
{
	int *n = context;

	*n = result < 0 ? result : *n + 1;
}

__attribute__((unused)) static void harness_put(struct harness *h, enum kind kind, const void *row)
{
	struct store_txn *txn;
	int n = 0;

	harness_must(store_txn_new(&txn), "transaction");
	harness_must(store_txn_row_put(txn, kind, row), "put");
	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
	harness_must(n == 1 ? 0 : -EIO, "commit");
}

static void harness_account(struct harness *h, int64_t uid, const char *name, bool is_admin)
{
	struct account account = {.uid = uid, .is_admin = is_admin, .privatelink_open = true};

	harness_must(str_copy(account.name, sizeof(account.name), name), "name");
	harness_put(h, KIND_ACCOUNT, &account);
}

/* The node reports everything that is durable; its lease is valid from now on. */
__attribute__((unused)) static void harness_report(struct harness *h, const char *node,
						   const struct server_health *health, size_t n_health)
{
	struct control_report report = {
		.revision = store_durable_revision(h->store),
		.health = health,
		.n_health = n_health,
	};

	harness_must(str_copy(report.node, sizeof(report.node), node), "name");
	harness_must(control_report(h->control, &report), "report");
	harness_settle(h);
}

/* In place of the real one (meson.build): the nodes of these worlds have few ports, and are taken to be told
 * of everything, so that whatever waits for nodes waits for their reports; but this node of nothing. */
#define HARNESS_ELSEWHERE "elsewhere"
bool __wrap_told_nodes_concerns(const struct told_nodes *told_nodes, const struct share *share,
				const char *node, uint64_t since);
bool __wrap_told_nodes_concerns(const struct told_nodes *told_nodes _unused_,
				const struct share *share _unused_, const char *node, uint64_t since _unused_)
{
	return !streq(node, HARNESS_ELSEWHERE);
}

/* `zones`: separated by blanks; "" for all. */
__attribute__((unused)) static void harness_node(struct harness *h, const char *name, const char *zones)
{
	struct node node = {.mtu = 1500};
	char text[256], *save = NULL;
	int n = 0;

	harness_must(str_copy(node.name, sizeof(node.name), name), "name");
	harness_must(str_copy(text, sizeof(text), zones), "zones");
	for (char *zone = strtok_r(text, " ", &save); zone; zone = strtok_r(NULL, " ", &save))
		harness_must(str_copy(node.zones[node.n_zones++], ZONE_SIZE, zone), "zone");
	control_register(h->control, &node, harness_count, &n);
	harness_settle(h);
	harness_must(n == 1 ? 0 : -EIO, "register");
	harness_report(h, name, NULL, 0);
}

/* Everything wished for so far comes into force on the node, through all the states that this takes. */
__attribute__((unused)) static void harness_in_force(struct harness *h, const char *node)
{
	for (int i = 0; i < 6; i++)
		harness_report(h, node, NULL, 0);
}

static uint64_t harness_live_revision(const void *control)
{
	return control_live_revision(control);
}

static uint64_t harness_reached(const void *control, enum kind kind, const void *row)
{
	return control_reached(control, kind, row);
}

static struct control_node harness_node_state(const void *control, const char *node)
{
	return control_node(control, node);
}

static const char *harness_failure(const void *control, const char *key)
{
	return control_failure_reason(control, key);
}

/* With a catalogue of the source tree. */
static void harness_begin_with(struct harness *h, const char *catalogue)
{
	const char *root = getenv("PRIVLINK_SOURCE_ROOT");
	static const struct audit_settings audit_settings = {AUDIT_ALL, 1 << 20, 3, 0};
	char path[512], why[256] = "";

	*h = (struct harness){.directory = "/tmp/privlink-test-api-XXXXXX", .kept = json_array()};
	(void)str_format(path, sizeof(path), "%s/%s", root ? root : ".", catalogue);
	harness_must(catalogue_load(path, &h->catalogue, why, sizeof(why)), why[0] ? why : path);
	if (!mkdtemp(h->directory))
		harness_must(-errno, "directory");
	(void)str_format(h->path, sizeof(h->path), "%s/store.db", h->directory);
	harness_must(loop_new(&h->loop), "loop");
	harness_must(store_sqlite_open(h->loop, h->path, &h->store), "store");
	harness_must(control_new(h->loop, h->store, &h->control), "control");
	(void)str_format(path, sizeof(path), "%s/audit", h->directory);
	harness_must(mkdir(path, 0700) < 0 ? -errno : 0, path);
	harness_must(audit_new(h->loop, path, &audit_settings, &h->audit), "audit");
	harness_must(metrics_new(METRICS_MEMORY_MAX, &h->metrics), "metrics");
	h->environment = (struct run_environment){
		.store = h->store,
		.catalogue = h->catalogue,
		.live_revision = harness_live_revision,
		.reached = harness_reached,
		.node_state = harness_node_state,
		.failure = harness_failure,
		.control = h->control,
		.audit = h->audit,
		.metrics = h->metrics,
	};
	harness_account(h, ALICE, "alice", false);
	harness_account(h, BOB, "bob", false);
	harness_account(h, ROOT, "root", true);
}

__attribute__((unused)) static void harness_begin(struct harness *h)
{
	harness_begin_with(h, "data/catalogue.json");
}

static void harness_end(struct harness *h)
{
	static const char *const files[] = {"store.db",
					    "store.db-wal",
					    "store.db-shm",
					    "store.db-lock",
					    "audit/changes-0000000001.jsonl",
					    "audit/reads-0000000001.jsonl",
					    "audit/refused-0000000001.jsonl"};
	char path[128];

	json_decref(h->answer);
	json_decref(h->kept);
	h->control = control_free(h->control);
	h->store = store_free(h->store);
	h->audit = audit_free(h->audit);
	h->metrics = metrics_free(h->metrics);
	h->loop = loop_free(h->loop);
	h->catalogue = catalogue_free(h->catalogue);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)str_format(path, sizeof(path), "%s/%s", h->directory, files[i]);
		(void)unlink(path);
	}
	(void)str_format(path, sizeof(path), "%s/audit", h->directory);
	(void)rmdir(path);
	if (rmdir(h->directory) < 0)
		tap_note("left behind: %s", h->directory);
}

/* What came of one call. */
struct harness_result {
	int calls_done;
	struct api_error error;
	json_t *answer;
};

static void harness_done(void *context, const struct api_error *error, json_t *answer)
{
	struct harness_result *result = context;

	result->calls_done++;
	result->error = error ? *error : (struct api_error){};
	result->answer = error ? NULL : json_incref(answer);
}

/* Starts a call; it is done when the loop has turned. */
static void harness_start_action(struct harness *h, int64_t uid, enum product product,
				 const struct action *action, action_handler handler, const char *form,
				 struct harness_result *result)
{
	const struct params none = {};
	struct params params = {};
	struct run_request request = {
		.product = product,
		.action = action,
		.handler = handler,
		.uid = uid,
		.user = h->user,
		.key = h->key,
		.query = &none,
		.form = &params,
		.request_id = "00000000-0000-4000-8000-000000000000",
		.weight = &h->weight,
	};

	h->weight = 0;
	*result = (struct harness_result){};
	harness_must(params_parse(form, strlen(form), &params), "parameters");
	run_action(&h->environment, &request, harness_done, result);
	params_done(&params);
}

static void harness_start(struct harness *h, int64_t uid, enum product product, const char *name,
			  const char *form, struct harness_result *result)
{
	const struct action *action = action_find(product, name);

	if (!action) {
		printf("Bail out! no action %s\n", name);
		exit(EXIT_FAILURE);
	}
	harness_start_action(h, uid, product, action, handler_of(product, action), form, result);
}

/* Turns until it is done; its answer, or NULL: then h->error has the code. */
static json_t *harness_finish(struct harness *h, const struct harness_result *result)
{
	harness_settle(h);
	harness_must(result->calls_done == 1 ? 0 : -EIO, "one answer to a call");
	json_decref(h->answer);
	h->error = result->error;
	h->answer = result->answer;
	return h->answer;
}

/* A call from its start on: its answer, or NULL as above. */
static json_t *harness_run(struct harness *h, int64_t uid, enum product product, const char *action,
			   const char *form)
{
	struct harness_result result;

	harness_start(h, uid, product, action, form, &result);
	if (harness_finish(h, &result))
		answer_check(action_find(product, action), h->answer);
	return h->answer;
}

/* Two calls at once, of the same account and action: how many of them succeed. The code of the one that did
 * not is in h->error. */
__attribute__((unused)) static int harness_race(struct harness *h, int64_t uid, enum product product,
						const char *action, const char *first, const char *second)
{
	struct harness_result results[2];
	int n = 0;

	harness_start(h, uid, product, action, first, &results[0]);
	harness_start(h, uid, product, action, second, &results[1]);
	harness_settle(h);
	h->error = (struct api_error){};
	for (int i = 0; i < 2; i++) {
		harness_must(results[i].calls_done == 1 ? 0 : -EIO, "one answer to a call");
		n += results[i].answer != NULL;
		if (!results[i].answer)
			h->error = results[i].error;
		json_decref(results[i].answer);
	}
	return n;
}

__attribute__((unused, format(printf, 5, 6))) static json_t *harness_call(struct harness *h, int64_t uid,
									  enum product product,
									  const char *action,
									  const char *format, ...)
{
	char form[8192];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(form, sizeof(form), format, ap);
	va_end(ap);
	return harness_run(h, uid, product, action, form);
}

/* The call must succeed; a text of its answer, kept. For set-up. */
__attribute__((unused, format(printf, 6, 7))) static const char *
harness_get(struct harness *h, int64_t uid, enum product product, const char *member, const char *action,
	    const char *format, ...)
{
	char form[8192];
	const char *text;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(form, sizeof(form), format, ap);
	va_end(ap);
	text = json_string_value(json_object_get(harness_run(h, uid, product, action, form), member));
	if (!text) {
		printf("Bail out! %s with %s: %s %s\n", action, form, h->error.code, h->error.message);
		exit(EXIT_FAILURE);
	}
	return harness_keep(h, text);
}

/* A value deep inside an answer: "Vpcs.Vpc.0.VpcId". NULL: it is not there. */
__attribute__((unused)) static json_t *harness_at(json_t *json, const char *path)
{
	char text[256], *save = NULL;

	harness_must(str_copy(text, sizeof(text), path), "path");
	for (char *part = strtok_r(text, ".", &save); part && json; part = strtok_r(NULL, ".", &save))
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(part))
					   : json_object_get(json, part);
	return json;
}

__attribute__((unused)) static const char *harness_text(const struct harness *h, const char *path)
{
	return json_string_value(harness_at(h->answer, path));
}

__attribute__((unused)) static long long harness_number(const struct harness *h, const char *path)
{
	json_t *value = harness_at(h->answer, path);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* How many entries the list has; -1 if there is no list. */
__attribute__((unused)) static int harness_count_of(const struct harness *h, const char *path)
{
	json_t *value = harness_at(h->answer, path);

	return json_is_array(value) ? (int)json_array_size(value) : -1;
}

/* A refused call: its code is `code`, a not-found code's message says so, and the store is as it was. */
__attribute__((unused, format(printf, 7, 8))) static void
harness_refused(struct harness *h, int64_t uid, enum product product, const char *code, const char *why,
		const char *action, const char *format, ...)
{
	uint64_t before = store_durable_revision(h->store);
	char form[8192];
	bool says_so;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(form, sizeof(form), format, ap);
	va_end(ap);
	(void)harness_run(h, uid, product, action, form);
	says_so = !strstr(code, "NotFound") || strstr(h->error.message, "NotFound");
	if (!tap_ok(streq(h->error.code, code) && says_so && store_durable_revision(h->store) == before,
		    "%s: %s gives %s and changes nothing", action, why, code))
		tap_note("got '%s' (%s)%s", h->error.code, h->error.message,
			 store_durable_revision(h->store) == before ? "" : ", and something changed");
}
