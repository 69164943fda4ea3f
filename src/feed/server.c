/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four requests. Polls that have nothing to tell wait in a list and are looked at again whenever the store's
 * durable revision has risen, or when their time is over.
 *
 * What is told must be durable, and memory runs ahead of the disk within a turn; so a poll is answered only
 * while the two are equal, which they are whenever the store notifies, unless control has given out ranges of
 * addresses just before: then they are the next time.
 *
 * Nothing is remembered of nodes: what a node was told at a revision follows from it (model/told_nodes.h).
 * One that polls from a revision gets what has changed since, unless that is forgotten; then it gets
 * everything. Which process it was that told the rows it can see by the name of the run.
 */
#include "server.h"

#include <stdio.h>
#include <sys/socket.h>

#include "../control/health_queue.h"
#include "../http/server.h"
#include "../lib/ident.h"
#include "../lib/log.h"
#include "../lib/vec.h"
#include "server_metrics.h"
#include "server_rows.h"

struct waiter {
	struct feed_server *feed;
	struct server_request *request;
	struct loop_source *timer;
	char node[WORD_SIZE * 2];
	uint64_t after;
	uint64_t seen; /* nothing up to here concerns the node */
	bool is_quiet; /* which it is soon to hear */
	bool pages, has_page;
	char page[KEY_SIZE];
	uint64_t listed;		    /* the revision of the list that is to be ended; 0: of none */
	char timeline[STORE_TIMELINE_SIZE]; /* of what is in force there, which is of */
	uint64_t in_force;		    /* this revision */
	bool over;			    /* its time is */
	struct waiter *next;
};

struct feed_server {
	struct loop *loop;
	struct store *store;
	struct control *control;
	struct server *server;
	feed_others others;
	struct metrics *metrics; /* NULL: none */
	struct store_watch *watch;
	struct waiter *waiters;
	char run[17]; /* of this process: another one may tell other rows, or write them in another way */
};

/* Takes the body. Every answer says whose rows these are, so that no agent acts on the word of another store.
 */
static void reply(struct feed_server *feed, struct server_request *request, unsigned int status, json_t *body)
{
	(void)json_object_set_new(body, "store", json_string(store_identity(feed->store)));
	server_answer(request, status, NULL, body);
}

static void answer_error(struct feed_server *feed, struct server_request *request, unsigned int status,
			 const char *why)
{
	reply(feed, request, status, json_pack("{s:s}", "error", why));
}

/* ---- rows ---- */

static void waiter_free(struct waiter *waiter)
{
	for (struct waiter **place = &waiter->feed->waiters; *place; place = &(*place)->next) {
		if (*place == waiter) {
			*place = waiter->next;
			break;
		}
	}
	loop_source_free(waiter->timer);
	free(waiter);
}

/* Rows go with their history, and with whether what is in force on the node is of it. */
static void reply_rows(struct waiter *waiter, json_t *answer)
{
	const struct store *store = waiter->feed->store;

	(void)json_object_set_new(answer, "timeline", json_string(store_timeline(store)));
	(void)json_object_set_new(answer, "continues",
				  json_boolean(store_had(store, waiter->timeline, waiter->in_force)));
	(void)json_object_set_new(answer, "run", json_string(waiter->feed->run));
	reply(waiter->feed, waiter->request, 200, answer);
}

/* Whether nothing of what is new concerns the node. Then it hears so a little later, of many such changes at
 * once: in a crowd of nodes most changes concern few of them. */
static bool is_quiet(struct waiter *waiter, uint64_t durable)
{
	if (waiter->over || waiter->has_page || !waiter->after || waiter->after > durable ||
	    feed_rows_concern(waiter->feed->store, waiter->node, MAX(waiter->after, waiter->seen)))
		return false;
	waiter->seen = durable;
	if (!waiter->is_quiet)
		loop_timer_set(waiter->timer, FEED_QUIET_MS);
	waiter->is_quiet = true;
	return true;
}

/* Memory is ahead of what may be told, and stays so while the store takes no changes. Who has been told of
 * something hears in time that there is nothing else, so that it does not take privlinkd for gone. What ends
 * a list is waited for: a list that broke off has not all rows, and nothing would make it whole. */
static void look_ahead(struct waiter *waiter, uint64_t durable)
{
	json_t *answer;

	if (!waiter->over || !store_refuses(waiter->feed->store) || waiter->has_page || waiter->listed ||
	    !waiter->after || waiter->after > durable)
		return; /* the end of a turn, this one or the next, makes them equal, and notifies */
	answer = feed_rows_nothing(waiter->after);
	if (answer)
		reply_rows(waiter, answer);
	else
		answer_error(waiter->feed, waiter->request, 503, "out of memory");
	waiter_free(waiter);
}

/* Answers the poll if there is something to tell and it may be told. */
static void look_at(struct waiter *waiter)
{
	struct feed_server *feed = waiter->feed;
	uint64_t durable = store_durable_revision(feed->store);
	const struct feed_question question = {
		.node = waiter->node,
		.after = waiter->after,
		.pages = waiter->pages,
		.page = waiter->has_page ? waiter->page : NULL,
	};
	json_t *answer;
	int r;

	if (snapshot_revision(store_rows(feed->store)) != durable) {
		look_ahead(waiter, durable);
		return;
	}
	if (durable == waiter->after && !waiter->over)
		return;
	if (is_quiet(waiter, durable))
		return;
	r = feed_rows_answer(feed->store, &question, &answer);
	if (r == 0)
		reply_rows(waiter, answer);
	else if (r == -EINVAL)
		answer_error(feed, waiter->request, 400, "malformed page");
	else
		answer_error(feed, waiter->request, 503, "out of memory");
	waiter_free(waiter);
}

static void revision_rose(void *context, _unused_ uint32_t events)
{
	struct feed_server *feed = context;

	for (struct waiter *waiter = feed->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		look_at(waiter);
	}
}

static void time_is_over(void *context, _unused_ uint32_t events)
{
	struct waiter *waiter = context;

	waiter->over = true;
	loop_timer_set(waiter->timer, 100); /* in case memory is just ahead of the disk */
	look_at(waiter);
}

static int get_number(const struct params *params, const char *name, uint64_t *ret)
{
	const char *text = params_get(params, name);
	char *end;

	*ret = 0;
	if (!text)
		return 0;
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *end ? -EINVAL : 0;
}

static int get_timeline(const struct params *params, char ret[STORE_TIMELINE_SIZE])
{
	const char *text = params_get(params, "timeline");

	return text && str_copy(ret, STORE_TIMELINE_SIZE, text) < 0 ? -EINVAL : 0;
}

/* The page that is asked for; what does not understand pages asks for none. */
static int get_page(const struct params *params, struct waiter *waiter)
{
	const char *page = params_get(params, "page");

	waiter->pages = params_get(params, "pages");
	waiter->has_page = page;
	return page && str_copy(waiter->page, sizeof(waiter->page), page) < 0 ? -EINVAL : 0;
}

static int read_poll(struct waiter *waiter, const char *query, uint64_t *ret_wait_s)
{
	struct params params = {};
	const char *node;
	int r;

	r = params_parse(query, strlen(query), &params);
	node = params_get(&params, "node");
	if (r == 0 && (!node || !node[0] || str_copy(waiter->node, sizeof(waiter->node), node) < 0))
		r = -EINVAL;
	if (r == 0)
		r = get_number(&params, "after", &waiter->after);
	if (r == 0)
		r = get_number(&params, "in_force", &waiter->in_force);
	if (r == 0)
		r = get_timeline(&params, waiter->timeline);
	if (r == 0)
		r = get_page(&params, waiter);
	if (r == 0)
		r = get_number(&params, "listed", &waiter->listed);
	if (r == 0)
		r = get_number(&params, "wait", ret_wait_s);
	params_done(&params);
	return r;
}

/* A node has one poll. Those that an agent left behind when it died would be answered at the next change, to
 * nobody. */
static void drop_others(struct waiter *poll)
{
	for (struct waiter *waiter = poll->feed->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		if (waiter == poll || !streq(waiter->node, poll->node))
			continue;
		answer_error(waiter->feed, waiter->request, 409, "a later poll of this node has come");
		waiter_free(waiter);
	}
}

static void poll_rows(struct feed_server *feed, struct server_request *request)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	uint64_t wait_s;
	int r;

	if (!waiter || loop_add_timer(feed->loop, time_is_over, waiter, &waiter->timer) < 0) {
		free(waiter);
		answer_error(feed, request, 503, "out of memory");
		return;
	}
	waiter->feed = feed;
	waiter->request = request;
	waiter->next = feed->waiters;
	feed->waiters = waiter;
	r = read_poll(waiter, request->query, &wait_s);
	if (r < 0) {
		waiter_free(waiter);
		answer_error(feed, request, 400, "malformed query");
		return;
	}
	drop_others(waiter);
	waiter->over = wait_s == 0;
	loop_timer_set(waiter->timer, MIN(wait_s, FEED_WAIT_MAX_S) * 1000);
	look_at(waiter);
}

/* ---- registration ---- */

struct registration {
	struct feed_server *feed;
	struct server_request *request;
	char node[WORD_SIZE * 2];
};

static void registered(void *context, int result, _unused_ uint64_t revision)
{
	struct registration *registration = context;
	const struct node *node;

	node = result < 0 ? NULL : snapshot_node(store_rows(registration->feed->store), registration->node);
	if (node) {
		log_info("registered node=%s number=%u", node->name, node->number);
		reply(registration->feed, registration->request, 200,
		      json_pack("{s:I, s:i}", "number", (json_int_t)node->number, "lease_s", LEASE_S));
	} else {
		log_warning("cannot register node=%s: %s", registration->node, strerror(-result));
		answer_error(registration->feed, registration->request, 503,
			     "the node could not be registered");
	}
	free(registration);
}

static int copy_text(const json_t *object, const char *name, char *ret, size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && str_copy(ret, size, text) >= 0 ? 0 : -EINVAL;
}

static int read_zones(const json_t *list, struct node *ret)
{
	size_t i;
	json_t *zone;

	if (json_array_size(list) > NODE_ZONES_MAX)
		return -E2BIG;
	json_array_foreach(list, i, zone) {
		const char *text = json_string_value(zone);

		if (!text || str_copy(ret->zones[ret->n_zones++], ZONE_SIZE, text) < 0)
			return -EINVAL;
	}
	return 0;
}

static int read_node(const json_t *json, struct node *ret)
{
	char underlay[NETADDR_TEXT_SIZE] = "";
	json_int_t mtu = json_integer_value(json_object_get(json, "mtu"));
	int r;

	*ret = (struct node){};
	r = copy_text(json, "name", ret->name, sizeof(ret->name));
	if (r == 0 && (!ret->name[0] || strchr(ret->name, '/')))
		r = -EINVAL;
	if (r == 0)
		r = read_zones(json_object_get(json, "zones"), ret);
	if (r == 0 && json_object_get(json, "underlay"))
		r = copy_text(json, "underlay", underlay, sizeof(underlay));
	if (r == 0 && underlay[0])
		r = netaddr_parse(underlay, &ret->underlay);
	if (r < 0 || mtu < 0 || mtu > UINT16_MAX)
		return -EINVAL;
	ret->mtu = (uint32_t)mtu;
	return 0;
}

static void register_node(struct feed_server *feed, struct server_request *request, const json_t *json)
{
	struct registration *registration;
	struct node node;

	if (read_node(json, &node) < 0) {
		answer_error(feed, request, 400, "malformed node");
		return;
	}
	registration = calloc(1, sizeof(*registration));
	if (!registration) {
		answer_error(feed, request, 503, "out of memory");
		return;
	}
	registration->feed = feed;
	registration->request = request;
	(void)str_copy(registration->node, sizeof(registration->node), node.name);
	control_register(feed->control, &node, registered, registration);
}

/* ---- reports ---- */

static int read_failures(const json_t *list, struct control_failure *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(list, i);
		int r = copy_text(item, "key", ret[i].key, sizeof(ret[i].key));

		if (r == 0)
			r = copy_text(item, "reason", ret[i].reason, sizeof(ret[i].reason));
		if (r < 0)
			return r;
		ret[i].is_gone = json_is_true(json_object_get(item, "gone"));
	}
	return 0;
}

static int read_health(const json_t *list, const char *node, struct server_health *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(list, i);
		json_int_t port = json_integer_value(json_object_get(item, "port"));
		int r = copy_text(item, "group", ret[i].group, sizeof(ret[i].group));

		if (r == 0)
			r = copy_text(item, "server_id", ret[i].server_id, sizeof(ret[i].server_id));
		if (r == 0)
			r = copy_text(item, "reason", ret[i].reason, sizeof(ret[i].reason));
		if (r < 0 || port < 0 || port > UINT16_MAX ||
		    !json_is_boolean(json_object_get(item, "healthy")))
			return -EINVAL;
		(void)str_copy(ret[i].node, sizeof(ret[i].node), node);
		ret[i].port = (uint32_t)port;
		ret[i].healthy = json_is_true(json_object_get(item, "healthy"));
	}
	return 0;
}

static int read_outcome(const json_t *item, struct connectivity_outcome *ret)
{
	json_int_t latency_us = json_integer_value(json_object_get(item, "latency_us"));
	const char *word = json_string_value(json_object_get(item, "result"));
	int result = CONNECTIVITY_OK;
	int r;

	while (word && connectivity_result_names[result] && !streq(connectivity_result_names[result], word))
		result++;
	if (!word || !connectivity_result_names[result] || latency_us < 0 ||
	    latency_us > CONNECTIVITY_LATENCY_MAX_US)
		return -EINVAL;
	*ret = (struct connectivity_outcome){.result = (enum connectivity_result)result,
					     .latency_us = (uint32_t)latency_us};
	r = copy_text(item, "code", ret->code, sizeof(ret->code));
	return r < 0 ? r : copy_text(item, "text", ret->text, sizeof(ret->text));
}

static int read_test(const json_t *item, struct control_test *ret)
{
	const json_t *outcomes = json_object_get(item, "outcomes");
	size_t n = json_array_size(outcomes);
	int r = copy_text(item, "id", ret->id, sizeof(ret->id));

	if (r < 0)
		return r;
	ret->is_running = !outcomes;
	if (n > CONNECTIVITY_STEPS_MAX)
		return -EINVAL;
	ret->outcomes = calloc(n + 1, sizeof(*ret->outcomes));
	if (!ret->outcomes)
		return -ENOMEM;
	ret->n_outcomes = n;
	for (size_t i = 0; i < n && r == 0; i++)
		r = read_outcome(json_array_get(outcomes, i), &ret->outcomes[i]);
	return r;
}

struct tests {
	struct control_test *v;
	size_t n;
};

static void tests_done(struct tests *tests)
{
	for (size_t i = 0; i < tests->n; i++)
		free(tests->v[i].outcomes);
	free(tests->v);
}

static int read_tests(const json_t *list, struct tests *ret)
{
	size_t n = json_array_size(list);
	int r = 0;

	if (n > FEED_TESTS_MAX)
		return -EINVAL;
	ret->v = calloc(n + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (; ret->n < n && r == 0; ret->n++)
		r = read_test(json_array_get(list, ret->n), &ret->v[ret->n]);
	return r;
}

/* A node that holds follows the rows of another store: whatever it says of ours, nothing of them is in force.
 */
static int read_hold(const json_t *hold, struct control_report *report)
{
	const char *sentence = json_string_value(hold);

	if (!hold)
		return 0;
	if (!sentence || !*sentence || str_copy(report->hold, sizeof(report->hold), sentence) < 0)
		return -EINVAL;
	report->revision = 0;
	report->n_failures = report->n_health = report->n_tests = 0;
	return 0;
}

_Static_assert(FEED_LIST_MAX <= HEALTH_QUEUE_MAX, "one report's health results have room");

/* -ESTALE: the report is for another store: the agent has not heard yet that this privlinkd is another one.
 */
static int take_report(struct feed_server *feed, const json_t *json)
{
	const char *store = json_string_value(json_object_get(json, "store"));
	const json_t *failures = json_object_get(json, "failures"), *health = json_object_get(json, "health");
	struct control_report report = {.n_failures = json_array_size(failures),
					.n_health = json_array_size(health)};
	json_int_t revision = json_integer_value(json_object_get(json, "revision"));
	_cleanup_(freep) struct control_failure *failure_rows = NULL;
	_cleanup_(freep) struct server_health *health_rows = NULL;
	_cleanup_(tests_done) struct tests tests = {};
	int r;

	if (store && *store && !streq(store, store_identity(feed->store)))
		return -ESTALE;
	if (report.n_failures > FEED_LIST_MAX || report.n_health > FEED_LIST_MAX || revision < 0)
		return -EINVAL;
	failure_rows = calloc(report.n_failures + 1, sizeof(*failure_rows));
	health_rows = calloc(report.n_health + 1, sizeof(*health_rows));
	if (!failure_rows || !health_rows)
		return -ENOMEM;
	r = copy_text(json, "node", report.node, sizeof(report.node));
	if (r == 0)
		r = read_failures(failures, failure_rows, report.n_failures);
	if (r == 0)
		r = read_health(health, report.node, health_rows, report.n_health);
	if (r == 0)
		r = read_tests(json_object_get(json, "tests"), &tests);
	if (r < 0)
		return r;
	report.tests = tests.v;
	report.n_tests = tests.n;
	/* What is not durable was told to nobody, so nobody can have it in force. */
	report.revision = MIN((uint64_t)revision, store_durable_revision(feed->store));
	r = read_hold(json_object_get(json, "hold"), &report);
	if (r < 0)
		return r;
	report.failures = failure_rows;
	report.health = health_rows;
	return control_report(feed->control, &report);
}

/* Why nothing was taken of a report, or not all of it. */
static void answer_refusal(struct feed_server *feed, struct server_request *request, int r)
{
	switch (r) {
	case -ENOENT:
		answer_error(feed, request, 404, "the node is not registered");
		break;
	case -ESTALE:
		answer_error(feed, request, 409, "the report is for another store");
		break;
	case -EINVAL:
		answer_error(feed, request, 400, "malformed report");
		break;
	case -ENOBUFS:
		answer_error(feed, request, 503, "there is no room for its health results yet");
		break;
	default:
		answer_error(feed, request, 503, "the report could not be taken");
		break;
	}
}

static void report(struct feed_server *feed, struct server_request *request, const json_t *json)
{
	int r = take_report(feed, json);

	if (r < 0)
		answer_refusal(feed, request, r);
	else
		reply(feed, request, 200, json_pack("{s:i}", "lease_s", LEASE_S));
}

/* ---- metrics ---- */

/* As feed_metrics_take(); -ENOENT and -ESTALE as for reports. */
static int take_metrics(struct feed_server *feed, const json_t *json, int64_t now)
{
	const char *store = json_string_value(json_object_get(json, "store"));
	const char *node = json_string_value(json_object_get(json, "node"));

	if (!store || !node)
		return -EINVAL;
	if (!streq(store, store_identity(feed->store)))
		return -ESTALE;
	if (!snapshot_node(store_rows(feed->store), node))
		return -ENOENT;
	return feed->metrics ? feed_metrics_take(feed->metrics, store_rows(feed->store), node, json, now) : 0;
}

/* A node of which nothing is known, since this program has just started, is asked for what it still holds. */
static void take_traffic(struct feed_server *feed, struct server_request *request, const json_t *json)
{
	int64_t now = now_unix_s();
	int r = take_metrics(feed, json, now);

	if (r < 0)
		answer_refusal(feed, request, r);
	else if (r > 0)
		reply(feed, request, 200,
		      json_pack("{s:I}", "since", (json_int_t)(now - METRICS_SHORT_KEPT_S)));
	else
		reply(feed, request, 200, json_object());
}

/* ---- requests ---- */

static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

static void with_body(struct feed_server *feed, struct server_request *request,
		      void (*then)(struct feed_server *feed, struct server_request *request,
				   const json_t *json))
{
	json_t *json = json_loadb(request->body ? request->body : "", request->body_size,
				  JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(json))
		then(feed, request, json);
	else
		answer_error(feed, request, 400, "the body must be an object in JSON");
	json_decref(json);
}

static void handle(void *context, struct server_request *request)
{
	struct feed_server *feed = context;
	bool post = streq(request->method, "POST");

	if (!is_root(request->fd))
		answer_error(feed, request, 403, "only root may speak here");
	else if (request->problem < 0)
		answer_error(feed, request, request->problem == -E2BIG ? 413 : 400,
			     request->why ? request->why : "the request is too large");
	else if (!str_starts(request->path, FEED_PATH))
		feed->others(feed->store, request);
	else if (streq(request->path, "/feed/v1/rows") && !post)
		poll_rows(feed, request);
	else if (streq(request->path, "/feed/v1/node") && post)
		with_body(feed, request, register_node);
	else if (streq(request->path, "/feed/v1/report") && post)
		with_body(feed, request, report);
	else if (streq(request->path, "/feed/v1/metrics") && post)
		with_body(feed, request, take_traffic);
	else
		answer_error(feed, request, 404, "no such request");
}

int feed_server_new(struct loop *loop, struct store *store, struct control *control, int listen_fd,
		    feed_others others, struct feed_server **ret)
{
	const struct server_options options = {.listen_fd = listen_fd,
					       .body_max = FEED_BODY_MAX,
					       .connections_max = FEED_CONNECTIONS_MAX,
					       .timeout_s = 2 * FEED_WAIT_MAX_S};
	struct feed_server *feed = calloc(1, sizeof(*feed));
	int r;

	if (!feed)
		return -ENOMEM;
	*feed = (struct feed_server){.loop = loop, .store = store, .control = control, .others = others};
	r = random_hex(feed->run, sizeof(feed->run) - 1);
	if (r == 0)
		r = store_watch(store, revision_rose, feed, &feed->watch);
	if (r == 0)
		r = server_new(loop, &options, handle, feed, &feed->server);
	if (r < 0) {
		feed_server_free(feed);
		return r;
	}
	*ret = feed;
	return 0;
}

void feed_server_set_metrics(struct feed_server *feed, struct metrics *metrics)
{
	feed->metrics = metrics;
}

struct feed_server *feed_server_free(struct feed_server *feed)
{
	if (!feed)
		return NULL;
	while (feed->waiters) {
		answer_error(feed, feed->waiters->request, 503, "stopping");
		waiter_free(feed->waiters);
	}
	server_free(feed->server);
	store_watch_free(feed->watch);
	free(feed);
	return NULL;
}
