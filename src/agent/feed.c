/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three requests may be under way: one that follows (register, then list, then one long poll after the
 * other), one that reports, and one that tells of traffic. They do not wait for each other. Any trouble with
 * the first, or a report that is refused because the node is not known, begins anew with registering, after a
 * pause that grows up to a second.
 *
 * Where rows are there already (kept by the agent before this one, or from before the trouble) the first
 * question is for what has changed since. All rows come where privlinkd cannot tell, or is not the process
 * that told those that are there: another version may tell more of them. All rows are the truth even so: some
 * minutes after that they are asked for, when nobody waits for them.
 *
 * A list of many rows comes in pages: they are gathered, and with the answer that is no page all of it is
 * kept and applied as one. Until then what is in force stays; if anything goes wrong meanwhile, the pages are
 * dropped and asked for anew. Behind a page that says that it is the last what has changed since the first
 * one is asked for: a privlinkd of the version before ends all lists so, another one those that cannot go on.
 *
 * A report is never sent before the first answer has been applied: the first report renews the lease, and a
 * lease says that what the API promised is in force. Of a node that holds (hold.h) the reports say why, and
 * nothing of the rows; it polls on, without applying anything, so as to learn when privlinkd is another one.
 */
#include "feed.h"

#include <malloc.h>

#include "../http/client.h"
#include "../lib/codec.h"
#include "../lib/log.h"
#include "feed_list.h"
#include "health_told.h"

#define PAUSE_FIRST_MS	   50
#define PAUSE_MAX_MS	   1000
#define REQUEST_TIMEOUT_MS 10000
#define POLL_WAIT_S	   25
#define LEASE_DEFAULT_MS   30000
#define LIST_AGAIN_MS	   600000
#define LONG_LIST	   1000 /* rows and deletions */
#define TRIM_AFTER_MS	   3000 /* what it makes of them is planned by then */

struct feed {
	struct feed_handlers handlers;
	struct feed_parts parts;
	struct http_client *client;
	char node[64];
	char *registration;

	struct http_client_request *follow, *sending, *telling;
	int64_t told_until;	     /* to which interval what is being told goes */
	struct loop_source *restart; /* after a pause */
	struct loop_source *trim;    /* after a long list */
	struct loop_source *again;   /* all rows are to be asked for, since the rows went on from others */
	bool wants_all;		     /* that time has come */
	uint64_t pause_ms;
	uint64_t revision;	      /* that the snapshot stands at; 0: nothing yet */
	struct feed_list list;	      /* pages that are gathered; none: no list is under way */
	uint64_t heard;		      /* while the node holds: the revision of the last answer */
	uint32_t number;	      /* of the node in that store */
	char store[NODE_STORE_SIZE];  /* that privlinkd serves */
	char run[NODE_TIMELINE_SIZE]; /* of the process that told the rows; "": unknown */
	bool is_connected;
	bool has_told, told; /* whether it is connected */

	char list_run[NODE_TIMELINE_SIZE]; /* of the process that told the first page of the list */

	json_t *report;	       /* the last one; NULL: none since all rows were taken */
	bool is_unsent;	       /* it is newer than what was sent */
	bool has_all_failures; /* else it stays the last one that had, with nothing new but of health */
	uint64_t in_force;     /* the revision that one told; 0: none since all rows were taken */
	uint64_t sent, taken;  /* the revision that was sent last, and that privlinkd has taken; 0: none */
	struct health_told health;
	uint64_t again_ms; /* when some of it was told once more */
	struct loop_source *renew;
	uint64_t lease_ms;
};

static void start(struct feed *feed);
static void poll_rows(struct feed *feed);

static void tell_connected(struct feed *feed, bool connected)
{
	if (feed->has_told && feed->told == connected)
		return;
	feed->has_told = true;
	feed->told = connected;
	feed->handlers.connected(feed->handlers.context, connected);
}

/* Begins anew later. `status`: of HTTP, or a negative errno. */
static void pause_and_restart(struct feed *feed, const char *what, int status)
{
	enum log_level level =
		feed->is_connected || feed->pause_ms == PAUSE_FIRST_MS ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG;

	if (status < 0)
		log_line(level, "lost the feed, going on with what is in force: %s: %s", what,
			 strerror(-status));
	else
		log_line(level, "lost the feed, going on with what is in force: %s: HTTP status %d", what,
			 status);
	feed->is_connected = false;
	feed_list_clear(&feed->list);
	tell_connected(feed, false);
	feed->follow = http_client_cancel(feed->follow);
	loop_timer_set(feed->restart, feed->pause_ms);
	feed->pause_ms = MIN(feed->pause_ms * 2, (uint64_t)PAUSE_MAX_MS);
}

/* Reports. */

static void send_report(struct feed *feed);

/* Another privlinkd answers than the one that was asked for rows. */
static bool is_another_store(struct feed *feed, const char *store)
{
	return feed->is_connected && !streq(store, feed->store);
}

static void on_reported(void *context, int status, const char *body, size_t size)
{
	char store[NODE_STORE_SIZE];
	struct feed *feed = context;
	uint64_t lease_ms, due_ms = UINT64_MAX;

	feed->sending = NULL;
	feed->taken = status == 200 ? feed->sent : 0;
	health_told_taken(&feed->health, status == 200);
	if (status == 404 || status == 409 || status == 410) {
		if (feed->is_connected)
			pause_and_restart(feed, "report", status);
		return;
	}
	if (status != 200) {
		/* Whoever refuses one report refuses the next one too. */
		log_line(status > 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "cannot report status=%d", status);
		loop_timer_set(feed->renew, status > 0 ? PAUSE_MAX_MS : feed->pause_ms);
		return;
	}
	tell_connected(feed, true);
	if (feed_lease_parse(body, size, NULL, &lease_ms, store) == 0) {
		feed->lease_ms = lease_ms;
		if (is_another_store(feed, store)) {
			pause_and_restart(feed, "report", -ESTALE);
			return;
		}
	}
	/* (While the node holds its reports have nothing of health.) */
	if (!hold_sentence(feed->parts.hold))
		due_ms = health_told_due(&feed->health, now_mono_ms());
	loop_timer_set(feed->renew, MIN(feed->lease_ms / 3, due_ms));
	if (feed->is_unsent || due_ms == 0)
		send_report(feed);
}

/* By time, as reports that come of changes put renewals off. */
static json_t *next_health(struct feed *feed)
{
	uint64_t now_ms = now_mono_ms();

	if (now_ms - feed->again_ms >= feed->lease_ms / 3) {
		health_told_again(&feed->health);
		feed->again_ms = now_ms;
	}
	return health_told_next(&feed->health, now_ms);
}

/* What to send now: the caller's. NULL: nothing, or out of memory. */
static char *next_report(struct feed *feed)
{
	const char *sentence = hold_sentence(feed->parts.hold);
	json_t *tests;

	if (sentence)
		return feed_hold_format(feed->node, feed->store, sentence);
	if (!feed->report)
		return NULL;
	if (json_object_set_new(feed->report, "health", next_health(feed)) < 0)
		return NULL;
	tests = feed->handlers.tests(feed->handlers.context);
	if (tests)
		(void)json_object_set_new(feed->report, "tests", tests);
	else
		(void)json_object_del(feed->report, "tests");
	return json_dumps(feed->report, JSON_COMPACT);
}

static void send_report(struct feed *feed)
{
	_cleanup_(freep) char *report = NULL;
	int r;

	/* While it is not connected, the pass after the next full list reports. */
	if (feed->sending || !feed->is_connected)
		return;
	report = next_report(feed);
	if (!report) {
		health_told_taken(&feed->health, false);
		if (feed->report)
			loop_timer_set(feed->renew, PAUSE_MAX_MS);
		return;
	}
	feed->sent = hold_sentence(feed->parts.hold) ? 0 : feed->in_force;
	r = http_client_send(feed->client, "/feed/v1/report", report, REQUEST_TIMEOUT_MS, on_reported, feed,
			     &feed->sending);
	if (r < 0) {
		health_told_taken(&feed->health, false);
		(void)log_errno(r, "cannot report");
		loop_timer_set(feed->renew, PAUSE_MAX_MS);
		return;
	}
	feed->is_unsent = false;
}

static void on_renew(void *context, uint32_t events)
{
	(void)events;
	send_report(context);
}

static void tell_revision(struct feed *feed, uint64_t revision)
{
	(void)json_object_set_new(feed->report, "revision", json_integer((json_int_t)revision));
}

int feed_report(struct feed *feed, uint64_t revision, const struct failures *failures,
		const struct health_result *health, size_t n_health)
{
	bool has_all = true;
	json_t *report = feed_report_new(feed->node, feed->store, revision, failures, &has_all);

	if (!report || health_told_set(&feed->health, health, n_health, now_mono_ms()) < 0) {
		json_decref(report);
		return -ENOMEM;
	}
	feed->has_all_failures = has_all;
	if (has_all)
		feed->in_force = revision;
	if (!has_all && feed->report) { /* its failures belong to its revision */
		json_decref(report);
	} else {
		json_decref(feed->report);
		feed->report = report;
		tell_revision(feed, feed->in_force);
	}
	feed_send(feed);
	return 0;
}

int feed_report_again(struct feed *feed, uint64_t revision)
{
	if (!feed->report)
		return -ENODATA;
	if (feed->has_all_failures && revision == feed->taken && !feed->sending && !feed->is_unsent)
		return 0;
	if (feed->has_all_failures) {
		tell_revision(feed, revision);
		feed->in_force = revision;
	}
	feed_send(feed);
	return 0;
}

void feed_send(struct feed *feed)
{
	feed->is_unsent = true;
	send_report(feed);
}

/* Traffic. What could not be told is told with the next interval. */

static bool is_no_use_again(int status)
{
	return status == 400 || status == 413;
}

static void on_told_traffic(void *context, int status, const char *body, size_t size)
{
	struct feed *feed = context;
	int64_t since;

	feed->telling = NULL;
	if (status != 200 && !is_no_use_again(status)) {
		log_debug("cannot tell of traffic status=%d", status);
		return;
	}
	meter_taken(feed->parts.meter, feed->told_until);
	if (status != 200)
		log_warning("privlinkd does not take what was told of traffic, and it is lost status=%d",
			    status);
	else if (feed_traffic_parse(body, size, &since) == 0)
		meter_tell_again(feed->parts.meter, since);
	feed_tell_traffic(feed);
}

void feed_tell_traffic(struct feed *feed)
{
	_cleanup_(freep) char *report = NULL;
	int r;

	if (feed->telling || !feed->is_connected || hold_sentence(feed->parts.hold))
		return;
	report = meter_report(feed->parts.meter, feed->node, feed->store, &feed->told_until);
	if (!report)
		return;
	r = http_client_send(feed->client, "/feed/v1/metrics", report, REQUEST_TIMEOUT_MS, on_told_traffic,
			     feed, &feed->telling);
	if (r < 0)
		log_warning("cannot tell of traffic, ignoring: %s", strerror(-r));
}

/* Rows. */

/* The node holds: it says so, and waits for privlinkd to change. */
static void go_on_holding(struct feed *feed, uint64_t revision)
{
	feed->is_connected = true;
	feed->pause_ms = PAUSE_FIRST_MS;
	feed->heard = revision;
	feed->revision = 0; /* what follows goes on from what was heard, and not from the rows here */
	feed_list_clear(&feed->list);
	feed->handlers.held(feed->handlers.context);
	poll_rows(feed);
	send_report(feed);
}

/* Where all rows come anew, what was reported of the old ones must not be said again. Where the rows go on it
 * holds, and is of the store that is known by now. */
static void renew_report(struct feed *feed, bool is_full)
{
	health_told_forget(&feed->health);
	feed->again_ms = now_mono_ms();
	feed->taken = 0;
	if (!is_full && feed->report &&
	    json_object_set_new(feed->report, "store", json_string(feed->store)) == 0)
		return;
	json_decref(feed->report);
	feed->report = NULL;
	feed->in_force = 0;
	feed->is_unsent = false;
}

static void list_again(struct feed *feed, bool later)
{
	feed->wants_all = false;
	if (later)
		loop_timer_set(feed->again, LIST_AGAIN_MS);
	else
		loop_timer_stop(feed->again);
}

/* With the pages that were gathered before it, if any were. */
static int take(struct feed *feed, const struct feed_answer *answer, const char *body, size_t size,
		struct feed_rows *ret)
{
	struct feed_list *list = &feed->list;
	bool is_full = list->n > 0 ? list->is_full : answer->is_full;
	int r;

	if (!feed->revision && !is_full)
		return -EPROTO;
	if (!feed->revision || !feed->is_connected) {
		renew_report(feed, is_full);
		feed->handlers.registered(feed->handlers.context, feed->number);
	}
	/* Kept first: what is kept is never behind what is in force. */
	kept_rows_add(feed->parts.kept, list, answer, body, size);
	r = feed_list_apply(list, answer, feed->parts.snapshot, ret);
	if (r == 0 && (is_full || !feed->is_connected))
		list_again(feed, !is_full);
	if (r == 0) {
		hold_took(feed->parts.hold, answer->timeline, ret->revision);
		(void)str_copy(feed->run, sizeof(feed->run), answer->run);
	}
	feed_list_clear(&feed->list);
	return r;
}

static void took(struct feed *feed, const struct feed_rows *rows)
{
	if (rows->n_rejected)
		log_warning("ignoring rows that make no sense n=%zu first=%s", rows->n_rejected,
			    rows->first_rejected);
	if (!feed->is_connected)
		log_info("following the feed revision=%llu rows=%zu", (unsigned long long)rows->revision,
			 rows->n_changes);
	if (rows->n_changes > LONG_LIST)
		loop_timer_set(feed->trim, TRIM_AFTER_MS);
	feed->is_connected = true;
	feed->pause_ms = PAUSE_FIRST_MS;
	feed->heard = 0;
	feed->revision = feed->wants_all || kept_rows_want_all(feed->parts.kept) ? 0 : rows->revision;
	poll_rows(feed);
	feed->handlers.rows(feed->handlers.context, rows);
}

/* The answer goes on from rows that another process of privlinkd has told: from those that are there, or from
 * the pages that came before it. Also in the middle of all, as a connection may be replaced unseen. One that
 * does not say whose it is goes on from others where it is the first; later, or an old privlinkd would be
 * asked for all without end, it is of the same process as the last one that did not say either. */
static bool goes_on_from_others(const struct feed *feed, const struct feed_answer *answer)
{
	if (answer->is_full)
		return false;
	if (feed->list.n > 0)
		return !streq(answer->run, feed->list_run);
	if (!feed->revision)
		return false;
	return !streq(answer->run, feed->run) || (!*answer->run && !feed->is_connected);
}

static void on_rows(void *context, int status, const char *body, size_t size)
{
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	struct feed *feed = context;
	struct feed_rows rows;
	int r;

	feed->follow = NULL;
	if (status != 200) {
		pause_and_restart(feed, "rows", status);
		return;
	}
	r = feed_answer_parse(body, size, &answer);
	if (r == 0 && is_another_store(feed, answer.store))
		r = -ESTALE;
	if (r == 0 && goes_on_from_others(feed, &answer)) {
		feed->revision = 0;
		feed_list_clear(&feed->list);
		poll_rows(feed);
		return;
	}
	if (r == 0 && answer.is_page) {
		if (!*feed->list.next)
			(void)str_copy(feed->list_run, sizeof(feed->list_run), answer.run);
		r = feed_list_add(&feed->list, &answer, body, size);
		if (r < 0)
			pause_and_restart(feed, "a page of rows", r);
		else
			poll_rows(feed);
		return;
	}
	if (r == 0 && answer.is_full) /* it has all of what was gathered */
		feed_list_clear(&feed->list);
	if (r == 0 && hold_judge(feed->parts.hold, &answer, &feed->list) > 0) {
		go_on_holding(feed, answer.revision);
		return;
	}
	if (r == 0)
		r = take(feed, &answer, body, size, &rows);
	if (r < 0)
		pause_and_restart(feed, "an answer with rows", r);
	else
		took(feed, &rows);
}

/* The rest of a question while a list is under way: for its next page, or, when all are there, for what has
 * changed since the first one. */
static int format_list(const struct feed_list *list, char *ret, size_t size)
{
	_cleanup_(freep) char *page = NULL;

	*ret = '\0';
	if (list->n == 0)
		return 0;
	if (!*list->next)
		return MIN(str_format(ret, size, "&listed=%llu", (unsigned long long)list->listed), 0);
	page = percent_encode(list->next, strlen(list->next));
	if (!page)
		return -ENOMEM;
	return MIN(str_format(ret, size, "&page=%s", page), 0);
}

static void poll_rows(struct feed *feed)
{
	uint64_t after = feed->heard ? feed->heard : feed->revision;
	uint64_t in_force;
	const char *timeline = hold_in_force(feed->parts.hold, &in_force);
	char list[3 * KEY_SIZE], path[256 + sizeof(list)];
	bool waits;
	int r;

	if (feed->list.n > 0 && feed->list.is_full)
		after = *feed->list.next ? 0 : feed->list.listed;
	waits = after && feed->list.n == 0 && feed->is_connected;
	r = format_list(&feed->list, list, sizeof(list));
	(void)str_format(path, sizeof(path),
			 "/feed/v1/rows?node=%s&after=%llu&timeline=%s&in_force=%llu&wait=%d&pages=1%s",
			 feed->node, (unsigned long long)after, timeline, (unsigned long long)in_force,
			 waits ? POLL_WAIT_S : 0, list);
	if (r == 0)
		r = http_client_send(feed->client, path, NULL, POLL_WAIT_S * 1000 + REQUEST_TIMEOUT_MS,
				     on_rows, feed, &feed->follow);
	if (r < 0)
		pause_and_restart(feed, "rows", r);
}

static void on_registered(void *context, int status, const char *body, size_t size)
{
	struct feed *feed = context;
	int r;

	feed->follow = NULL;
	if (status != 200) {
		pause_and_restart(feed, "node", status);
		return;
	}
	r = feed_lease_parse(body, size, &feed->number, &feed->lease_ms, feed->store);
	if (r < 0) {
		pause_and_restart(feed, "the answer to node", r);
		return;
	}
	(void)hold_hear_store(feed->parts.hold, feed->store);
	poll_rows(feed);
}

static void start(struct feed *feed)
{
	uint64_t revision = snapshot_revision(feed->parts.snapshot);
	int r;

	feed->revision = hold_goes_on_from(feed->parts.hold, revision) ? revision : 0;
	feed->heard = 0;
	feed_list_clear(&feed->list);
	r = http_client_send(feed->client, "/feed/v1/node", feed->registration, REQUEST_TIMEOUT_MS,
			     on_registered, feed, &feed->follow);
	if (r < 0)
		pause_and_restart(feed, "node", r);
}

/* What a list takes while it is read, several times what its rows do, goes back to the machine. Of itself it
 * would stay: the rows stand between its holes. */
static void on_trim(void *context, uint32_t events)
{
	(void)context;
	(void)events;
	(void)malloc_trim(0);
}

/* With the next question. */
static void on_again(void *context, uint32_t events)
{
	struct feed *feed = context;

	(void)events;
	feed->wants_all = true;
}

static void on_restart(void *context, uint32_t events)
{
	(void)events;
	start(context);
}

static char *format_registration(const struct feed_options *options)
{
	json_t *zones = json_array(), *node;
	char *text;

	for (size_t i = 0; zones && i < options->n_zones; i++)
		(void)json_array_append_new(zones, json_string(options->zones[i]));
	node = json_pack("{s:s, s:o, s:I, s:s}", "name", options->node, "zones", zones, "mtu",
			 (json_int_t)options->mtu, "underlay", options->underlay);
	text = node ? json_dumps(node, JSON_COMPACT) : NULL;
	json_decref(node);
	return text;
}

int feed_new(struct loop *loop, const struct feed_options *options, const struct feed_handlers *handlers,
	     const struct feed_parts *parts, struct feed **ret)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	int r;

	if (!feed)
		return -ENOMEM;
	feed->handlers = *handlers;
	feed->parts = *parts;
	feed->pause_ms = PAUSE_FIRST_MS;
	feed->lease_ms = LEASE_DEFAULT_MS;
	feed->list.breath = loop_breath(loop);
	feed->list.hearer = (struct plan_hearer){handlers->health, handlers->context};
	(void)str_copy(feed->run, sizeof(feed->run), kept_rows_run(parts->kept));
	r = str_copy(feed->node, sizeof(feed->node), options->node);
	if (r >= 0) {
		feed->registration = format_registration(options);
		r = feed->registration ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = http_client_new(loop, options->socket_path, &feed->client);
	if (r == 0)
		r = loop_add_timer(loop, on_restart, feed, &feed->restart);
	if (r == 0)
		r = loop_add_timer(loop, on_trim, feed, &feed->trim);
	if (r == 0)
		r = loop_add_timer(loop, on_again, feed, &feed->again);
	if (r == 0)
		r = loop_add_timer(loop, on_renew, feed, &feed->renew);
	if (r < 0) {
		feed_free(feed);
		return r;
	}
	loop_timer_set(feed->restart, 0);
	loop_timer_set(feed->trim, TRIM_AFTER_MS); /* of what was kept and read */
	*ret = feed;
	return 0;
}

struct feed *feed_free(struct feed *feed)
{
	if (!feed)
		return NULL;
	http_client_free(feed->client);
	loop_source_free(feed->restart);
	loop_source_free(feed->trim);
	loop_source_free(feed->again);
	loop_source_free(feed->renew);
	free(feed->registration);
	json_decref(feed->report);
	health_told_done(&feed->health);
	feed_list_clear(&feed->list);
	free(feed);
	return NULL;
}

void feed_restart(struct feed *feed)
{
	feed->is_connected = false;
	feed->follow = http_client_cancel(feed->follow);
	feed->pause_ms = PAUSE_FIRST_MS;
	loop_timer_set(feed->restart, 0);
}
