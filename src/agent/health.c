/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A probe is one conversation at a time, a connect and, by HTTP or UDP, a question and its answer: a timer
 * starts it, the socket or the same timer ends it, and the time to the next one counts from the start. The
 * first result decides; later ones have to repeat themselves as often as the group's thresholds say, and so
 * has the first one against a row, which says what was found before this agent started.
 * Connections end by RST, so that probing leaves nothing behind on either side.
 *
 * A refusal is what the next client would hear, too. So when a server that was well refuses, the probes that
 * the threshold still wants follow within CONFIRM_MS and not at the group's interval. What only may be slow
 * (no answer in time, or another one than was hoped for) keeps the interval.
 *
 * To a datagram that asks for no answer (plan_probe.silence), silence is a result of its own: the state is
 * unknown, which counts as well.
 *
 * To the data path a datagram is a flow, that stays for some time, and is renewed by the next one with the
 * same ports. So a server's datagrams all come from one port, and it has one flow, however often it is
 * probed. An answer that is still owed could come to the next question there: that has another port.
 *
 * Probes that come together start spread over a second; after its first one, each moves to a place of its own
 * in the interval, so that a thousand of them do not go off at once. What fails on our own side (no
 * descriptor, no route in VPC 0) says nothing about the server and changes nothing.
 *
 * Servers that keep their probes waiting must not keep those of others from starting: a probe takes its place
 * in its account's share of the room (probe_room.h), or waits for one, without a timer. It has all of its
 * time from when it starts.
 */
#include "health.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/netns_socket.h"
#include "../lib/vec.h"
#include "health_before.h"
#include "probe_answer.h"
#include "probe_room.h"

#define UDP_ANSWERS_MAX	 16 /* to one question */
#define FIRST_SPREAD_MS	 1000
#define BETWEEN_MIN_MS	 10  /* a probe that took all of its interval does not start again at once */
#define CONFIRM_MS	 500 /* from a refusal to the one that makes it count */
#define CHANGED_PRIORITY 0
#define CHANGED_AGAIN_MS 10 /* while there are more results than were taken */

struct probe {
	struct health *health;
	struct plan_probe plan;
	struct probe_seat seat; /* runs while it is under way, and just before */
	enum plan_health state;
	bool is_known; /* the state: it was decided, or a row said so when the probe began */
	bool is_told;  /* it was decided here: a state that is unknown is one, too */
	char reason[WORD_SIZE];
	uint32_t against;  /* results in a row that speak against the state */
	bool are_bad;	   /* these; a good one begins anew, as does a bad one behind good ones */
	bool has_refused;  /* the last of them did */
	int fd;		   /* while it is under way, else negative */
	in_port_t port;	   /* by UDP: of its last socket, network order; 0: any */
	bool is_connected; /* what is missing is the answer */
	char answer[PROBE_ANSWER_SIZE];
	size_t answer_size;
	uint32_t answers;    /* datagrams that were not the right one */
	uint64_t started_ms; /* 0: never */
	bool settled;	     /* has moved to its place in the interval */
	bool wanted;	     /* by the plan that is being set */
	struct loop_source *io, *timer;
};

struct health {
	struct loop *loop;
	int netns_fd;
	struct health_before before;
	loop_callback changed;
	void *changed_context;
	struct loop_source *deferred, *again;
	struct probe_room *room;
	struct probe **probes; /* sorted by group, server, port */
	size_t n_probes;
	uint64_t warned_ms;	 /* of trouble on our own side */
	struct health_news news; /* of groups that nobody has taken yet */
};

static int key_compare(const struct plan_probe *a, const char *group, const char *server_id, uint32_t port)
{
	int c = strcmp(a->group, group);

	if (!c)
		c = strcmp(a->server_id, server_id);
	if (!c)
		c = a->server_port < port ? -1 : a->server_port > port;
	return c;
}

static int probe_compare(const void *a, const void *b)
{
	const struct plan_probe *x = &(*(struct probe *const *)a)->plan,
				*y = &(*(struct probe *const *)b)->plan;

	return key_compare(x, y->group, y->server_id, y->server_port);
}

static struct probe *probe_find(const struct health *health, size_t n, const char *group,
				const char *server_id, uint32_t port)
{
	size_t place = LOWER_BOUND(i, n, key_compare(&health->probes[i]->plan, group, server_id, port) < 0);
	struct probe *probe = place < n ? health->probes[place] : NULL;

	return probe && key_compare(&probe->plan, group, server_id, port) == 0 ? probe : NULL;
}

/* One probe */

static void probe_close(struct probe *probe)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	probe->io = loop_source_free(probe->io);
	if (probe->fd < 0)
		return;
	(void)setsockopt(probe->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(probe->fd);
	probe->fd = -EBADF;
	probe->is_connected = false;
	probe->answer_size = 0;
	probe->answers = 0;
}

/* It is over; one that waits may start. */
static void probe_disconnect(struct probe *probe)
{
	probe_close(probe);
	probe_room_leave(&probe->seat);
}

static struct probe *probe_free(struct probe *probe)
{
	if (!probe)
		return NULL;
	probe_close(probe);
	probe_room_part(&probe->seat);
	loop_source_free(probe->timer);
	free(probe);
	return NULL;
}

/* A number below 1000 that is the same for the server each time. */
static uint32_t place_in_interval(const struct plan_probe *plan)
{
	uint32_t hash = 2166136261u;

	for (const char *p = plan->group; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	for (const char *p = plan->server_id; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return (hash ^ plan->server_port * 2654435761u) % 1000;
}

/* Until the next one, while a refusal is to be confirmed. */
static uint64_t confirm_ms(const struct plan_probe *plan)
{
	uint32_t n_left = MAX(plan->unhealthy_threshold, 2u) - 1;

	return MIN(plan->interval_ms, CONFIRM_MS / n_left);
}

static void probe_schedule(struct probe *probe)
{
	uint64_t interval_ms = probe->plan.interval_ms, due_ms, now_ms = now_mono_ms();

	if (probe->has_refused) {
		interval_ms = confirm_ms(&probe->plan);
	} else if (!probe->settled) {
		probe->settled = true;
		interval_ms = interval_ms / 2 + interval_ms / 2 * place_in_interval(&probe->plan) / 1000;
	}
	due_ms = probe->started_ms + interval_ms;
	loop_timer_set(probe->timer, MAX(due_ms, now_ms + BETWEEN_MIN_MS) - now_ms);
}

/* That a server is well, or silent where nothing else was asked for, is what everyone expects. */
static void probe_decide(struct probe *probe, enum plan_health state, const char *reason)
{
	static const char *const words[] = {
		[PLAN_HEALTH_UNKNOWN] = "unknown",
		[PLAN_HEALTHY] = "healthy",
		[PLAN_UNHEALTHY] = "unhealthy",
	};
	bool expected = probe->state != PLAN_UNHEALTHY && state != PLAN_UNHEALTHY;

	log_line(expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "%s server=%s/%s/%u%s%s", words[state],
		 probe->plan.group, probe->plan.server_id, probe->plan.server_port, *reason ? " reason=" : "",
		 reason);
	probe->state = state;
	probe->is_known = probe->is_told = true;
	probe->against = 0;
	(void)str_copy(probe->reason, sizeof(probe->reason), reason);
	health_news_add(&probe->health->news, probe->plan.owner, probe->plan.group);
	loop_defer(probe->health->deferred);
}

/* Somebody is there to say that the server is not. */
static bool is_refusal(const char *reason)
{
	return streq(reason, "CONNECT_REFUSED") || streq(reason, "CONNECT_FAILED");
}

static void probe_doubt(struct probe *probe, const char *reason, uint32_t threshold)
{
	probe->has_refused = is_refusal(reason);
	log_debug("missed server=%s/%s/%u n=%u of=%u reason=%s", probe->plan.group, probe->plan.server_id,
		  probe->plan.server_port, probe->against, threshold, reason);
}

/* One more that speaks against the state. Silence and an answer do so together against a server that is ill,
 * but silence and a refusal not against one that is well. */
static uint32_t probe_count(struct probe *probe, bool is_bad)
{
	if (probe->are_bad != is_bad)
		probe->against = 0;
	probe->are_bad = is_bad;
	return ++probe->against;
}

/* What a probe says of its server; the first one decides, unless it is against the row. */
static void probe_vote(struct probe *probe, enum plan_health state, const char *reason)
{
	bool is_bad = state == PLAN_UNHEALTHY;
	uint32_t threshold = is_bad ? probe->plan.unhealthy_threshold : probe->plan.healthy_threshold;

	probe_disconnect(probe);
	probe->has_refused = false;
	if (probe->is_told && state == probe->state)
		probe->against = 0;
	else if (!probe->is_known || state == probe->state || probe_count(probe, is_bad) >= threshold)
		probe_decide(probe, state, reason);
	else if (is_bad)
		probe_doubt(probe, reason, threshold);
	probe_schedule(probe);
}

/* `reason` NULL: the server answered. */
static void probe_result(struct probe *probe, const char *reason)
{
	probe_vote(probe, reason ? PLAN_UNHEALTHY : PLAN_HEALTHY, reason ? reason : "");
}

static void probe_timed_out(struct probe *probe)
{
	if (!probe->is_connected) {
		probe_result(probe, "CONNECT_TIMEOUT");
	} else if (probe->plan.silence) {
		probe_vote(probe, PLAN_HEALTH_UNKNOWN, "RECV_RESPONSE_TIMEOUT");
	} else {
		probe->port = 0;
		probe_result(probe, "RECV_RESPONSE_TIMEOUT");
	}
}

/* Trouble on our own side, told at most once in ten seconds. */
static void probe_no_result(struct probe *probe, int r)
{
	struct health *health = probe->health;
	uint64_t now_ms = now_mono_ms();

	if (health->warned_ms == 0 || now_ms - health->warned_ms >= 10000) {
		health->warned_ms = now_ms;
		log_warning("cannot probe server=%s/%s/%u: %s", probe->plan.group, probe->plan.server_id,
			    probe->plan.server_port, strerror(-r));
	}
	probe_disconnect(probe);
	probe_schedule(probe);
}

/* What an error of the connect says of the server; NULL: it is no error, or none of the server's. */
static const char *reason_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "CONNECT_REFUSED";
	case ETIMEDOUT:
		return "CONNECT_TIMEOUT";
	case ECONNRESET:
	case EHOSTUNREACH:
		return "CONNECT_FAILED";
	default:
		return NULL;
	}
}

/* More of the answer is there, or its end. */
static void probe_listen(struct probe *probe)
{
	char *place = probe->answer + probe->answer_size;
	ssize_t n = recv(probe->fd, place, sizeof(probe->answer) - probe->answer_size, 0);
	const char *reason = NULL;
	enum probe_verdict verdict;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		probe_result(probe, probe->plan.type == PROBE_UDP ? "CONNECT_FAILED" : "CONNECT_INTERRUPT");
		return;
	}
	probe->answer_size += (size_t)n;
	verdict = probe_answer_judge(&probe->plan, probe->answer, probe->answer_size, n == 0, &reason);
	if (verdict != PROBE_MORE)
		probe_result(probe, verdict == PROBE_GOOD ? NULL : reason);
	else if (probe->plan.type == PROBE_UDP && ++probe->answers >= UDP_ANSWERS_MAX)
		probe_result(probe, "RECV_RESPONSE_FAILED");
	else if (probe->plan.type == PROBE_UDP)
		probe->answer_size = 0; /* not this datagram */
}

/* Connected: asks. It is little, so it is sent at once or not at all. */
static void probe_ask(struct probe *probe)
{
	ssize_t size = (ssize_t)strlen(probe->plan.say);

	if (send(probe->fd, probe->plan.say, (size_t)size, MSG_NOSIGNAL) != size) {
		probe_result(probe, "CONNECT_FAILED");
		return;
	}
	probe->is_connected = true;
	if (loop_source_set_events(probe->io, EPOLLIN) < 0)
		probe_no_result(probe, -EIO);
}

static void on_io(void *context, uint32_t events _unused_)
{
	struct probe *probe = context;
	socklen_t size = sizeof(int);
	const char *reason;
	int error = 0;

	if (probe->is_connected) {
		probe_listen(probe);
		return;
	}
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	reason = reason_of(error);
	if (error || probe->plan.type == PROBE_TCP)
		probe_result(probe, error && !reason ? "CONNECT_FAILED" : reason);
	else
		probe_ask(probe);
}

/* The port of before, if nobody has it meanwhile; else connect() chooses one. */
static void probe_take_port(const struct probe *probe)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = probe->port};

	if (probe->plan.type == PROBE_UDP && probe->port)
		(void)bind(probe->fd, (struct sockaddr *)&addr, sizeof(addr));
}

static void probe_keep_port(struct probe *probe)
{
	struct sockaddr_in addr = {};
	socklen_t size = sizeof(addr);

	if (probe->plan.type == PROBE_UDP && getsockname(probe->fd, (struct sockaddr *)&addr, &size) == 0)
		probe->port = addr.sin_port;
}

/* 0: under way or connected already. A negative errno: it failed on the spot, which a refusal does when the
 * RST comes back within the call. */
static int probe_connect(struct probe *probe)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)probe->plan.probe_port),
		.sin_addr.s_addr = htonl(netaddr_to_v4(&probe->plan.probe_addr)),
	};
	int r;

	probe->fd = netns_socket(probe->health->netns_fd, AF_INET,
				 probe->plan.type == PROBE_UDP ? SOCK_DGRAM : SOCK_STREAM);
	if (probe->fd < 0)
		return probe->fd;
	probe_take_port(probe);
	if (connect(probe->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 && errno != EINPROGRESS)
		return -errno;
	probe_keep_port(probe);
	r = loop_add_fd(probe->health->loop, probe->fd, EPOLLOUT, on_io, probe, &probe->io);
	if (r < 0)
		return r;
	loop_timer_set(probe->timer, probe->plan.timeout_ms);
	return 0;
}

static void probe_start(struct probe *probe)
{
	int r;

	probe->started_ms = now_mono_ms();
	r = probe_connect(probe);
	if (r == 0)
		return;
	if (reason_of(-r))
		probe_result(probe, reason_of(-r));
	else
		probe_no_result(probe, r);
}

static void on_timer(void *context, uint32_t events _unused_)
{
	struct probe *probe = context;

	if (probe->fd >= 0)
		probe_timed_out(probe);
	else if (probe->seat.state == PROBE_RUNS || probe_room_ask(&probe->seat))
		probe_start(probe);
}

/* Not at once: whoever made room is in the middle of something. */
static void on_admitted(struct probe_seat *seat)
{
	loop_timer_set(container_of(seat, struct probe, seat)->timer, 0);
}

/* What the row says is no result; it is what results are counted against. */
static void probe_recall(struct probe *probe)
{
	const struct server_health *row = health_before_row(&probe->health->before, &probe->plan);

	if (!row)
		return;
	probe->is_known = true;
	if (!row->healthy)
		probe->state = PLAN_UNHEALTHY;
	else
		probe->state = *row->reason ? PLAN_HEALTH_UNKNOWN : PLAN_HEALTHY;
}

static int probe_new(struct health *health, const struct plan_probe *plan, struct probe **ret)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	int r;

	if (!probe)
		return -ENOMEM;
	probe->health = health;
	probe->plan = *plan;
	probe->fd = -EBADF;
	probe->wanted = true;
	probe_recall(probe);
	r = probe_room_join(health->room, plan->owner, &probe->seat);
	if (r == 0)
		r = loop_add_timer(health->loop, on_timer, probe, &probe->timer);
	if (r < 0) {
		probe_free(probe);
		return r;
	}
	*ret = probe;
	return 0;
}

static bool asks_the_same(const struct plan_probe *a, const struct plan_probe *b)
{
	return a->type == b->type && a->silence == b->silence && streq(a->say, b->say) &&
	       a->good_classes == b->good_classes && streq(a->expect, b->expect);
}

/* One that is under way has what is left of its time, which has become less. */
static void probe_hurry(struct probe *probe)
{
	uint64_t now_ms = now_mono_ms(), due_ms = probe->started_ms + probe->plan.timeout_ms;

	loop_timer_set(probe->timer, MAX(due_ms, now_ms) - now_ms);
}

/* The plan may have changed what is probed, how, and whose it is. One that waits keeps its place, unless it
 * is another account's now. -ENOMEM: it goes on as before. */
static int probe_update(struct probe *probe, const struct plan_probe *plan)
{
	bool moves = probe->plan.owner != plan->owner;
	bool elsewhere = moves || netaddr_compare(&probe->plan.probe_addr, &plan->probe_addr) != 0 ||
			 probe->plan.probe_port != plan->probe_port || probe->plan.vpc != plan->vpc ||
			 !asks_the_same(&probe->plan, plan);
	bool sooner = plan->interval_ms < probe->plan.interval_ms;
	bool shorter = plan->timeout_ms < probe->plan.timeout_ms;
	int r = 0;

	probe->wanted = true;
	if (moves)
		r = probe_room_join(probe->health->room, plan->owner, &probe->seat);
	if (r < 0)
		return r;
	if (elsewhere)
		probe->port = 0;
	if (elsewhere && probe->fd >= 0)
		probe_disconnect(probe);
	probe->plan = *plan;
	if (elsewhere && probe->seat.state != PROBE_WAITS)
		loop_timer_set(probe->timer, 0);
	else if (sooner && probe->seat.state == PROBE_RESTS && probe->started_ms)
		probe_schedule(probe);
	else if (shorter && probe->fd >= 0)
		probe_hurry(probe);
	return 0;
}

/* All probes */

static void on_changed(void *context, uint32_t events _unused_)
{
	struct health *health = context;

	health->changed(health->changed_context, 0);
}

int health_new(struct loop *loop, int netns_fd, loop_callback changed, void *context, struct health **ret)
{
	struct health *health = calloc(1, sizeof(*health));
	int r;

	assert(changed);

	if (!health)
		return -ENOMEM;
	health->loop = loop;
	health->netns_fd = netns_fd;
	health->changed = changed;
	health->changed_context = context;
	r = probe_room_new(on_admitted, &health->room);
	if (r == 0)
		r = loop_add_deferred(loop, CHANGED_PRIORITY, on_changed, health, &health->deferred);
	if (r == 0)
		r = loop_add_timer(loop, on_changed, health, &health->again);
	if (r < 0) {
		health_free(health);
		return r;
	}
	*ret = health;
	return 0;
}

void health_set_rows(struct health *health, const struct snapshot *rows)
{
	health_before_set(&health->before, rows);
}

struct health *health_free(struct health *health)
{
	if (!health)
		return NULL;
	for (size_t i = 0; i < health->n_probes; i++)
		probe_free(health->probes[i]);
	probe_room_free(health->room);
	health_news_clear(&health->news);
	health_before_set(&health->before, NULL);
	loop_source_free(health->deferred);
	loop_source_free(health->again);
	free(health->probes);
	free(health);
	return NULL;
}

/* Nobody wants it any more. */
static void probe_drop(struct probe *probe)
{
	health_before_forget(&probe->health->before, &probe->plan);
	probe_free(probe);
}

static void drop_unwanted(struct health *health)
{
	size_t kept = 0;

	for (size_t i = 0; i < health->n_probes; i++) {
		struct probe *probe = health->probes[i];

		if (probe->wanted)
			health->probes[kept++] = probe;
		else
			probe_drop(probe);
	}
	health->n_probes = kept;
}

/* The new ones start one after the other, the first one now. */
static void start_new(struct health *health, size_t n_old)
{
	size_t n = health->n_probes - n_old;

	for (size_t i = 0; i < n; i++) {
		struct probe *probe = health->probes[n_old + i];

		loop_timer_set(probe->timer, MIN(probe->plan.interval_ms, (uint32_t)FIRST_SPREAD_MS) * i / n);
	}
}

int health_set_plan(struct health *health, const struct plan *plan)
{
	size_t n_old = health->n_probes;
	struct probe **probes;
	int r = 0;

	probes = reallocarray(health->probes, n_old + plan->n_probes + 1, sizeof(*probes));
	if (!probes)
		return -ENOMEM;
	health->probes = probes;

	for (size_t i = 0; i < n_old; i++)
		probes[i]->wanted = false;
	for (size_t i = 0; i < plan->n_probes && r == 0; i++) {
		const struct plan_probe *p = &plan->probes[i];
		struct probe *probe = probe_find(health, n_old, p->group, p->server_id, p->server_port);

		if (probe)
			r = probe_update(probe, p);
		else
			r = probe_new(health, p, &probes[health->n_probes]);
		if (!probe && r == 0)
			health->n_probes++;
	}
	for (size_t i = 0; i < n_old && r < 0; i++) /* some are missing now, but none that was there */
		probes[i]->wanted = true;
	start_new(health, n_old);
	drop_unwanted(health);
	if (health->n_probes > 1)
		qsort(health->probes, health->n_probes, sizeof(*health->probes), probe_compare);
	return r;
}

/* Slices. */

static size_t probe_place(const struct health *health, const struct plan_probe_key *key)
{
	return LOWER_BOUND(
		i, health->n_probes,
		key_compare(&health->probes[i]->plan, key->group, key->server_id, key->server_port) < 0);
}

static struct probe *probe_at(const struct health *health, size_t place, const struct plan_probe_key *key)
{
	struct probe *probe = place < health->n_probes ? health->probes[place] : NULL;

	return probe && key_compare(&probe->plan, key->group, key->server_id, key->server_port) == 0 ? probe
												     : NULL;
}

static int add_probe(struct health *health, size_t place, const struct plan_probe *plan, uint64_t delay_ms)
{
	struct probe **probes = reallocarray(health->probes, health->n_probes + 1, sizeof(*probes)), *probe;
	int r = probes ? probe_new(health, plan, &probe) : -ENOMEM;

	if (probes)
		health->probes = probes;
	if (r < 0)
		return r;
	memmove(probes + place + 1, probes + place, (health->n_probes - place) * sizeof(*probes));
	probes[place] = probe;
	health->n_probes++;
	loop_timer_set(probe->timer, MIN((uint64_t)plan->interval_ms, delay_ms));
	return 0;
}

static void remove_probe(struct health *health, size_t place)
{
	probe_drop(health->probes[place]);
	health->n_probes--;
	memmove(health->probes + place, health->probes + place + 1,
		(health->n_probes - place) * sizeof(struct probe *));
}

int health_follow(struct health *health, const struct plan *plan, const struct plan_patch *patch)
{
	int r = 0;

	for (size_t i = 0; i < patch->n_probes; i++) {
		const struct plan_probe_key *key = &patch->probes[i];
		const struct plan_probe *wanted = plan_find_probe(plan, key);
		size_t place = probe_place(health, key);
		struct probe *probe = probe_at(health, place, key);
		int done = 0;

		if (wanted && probe)
			done = probe_update(probe, wanted);
		else if (wanted && r == 0)
			done = add_probe(health, place, wanted, FIRST_SPREAD_MS * i / patch->n_probes);
		r = r < 0 ? r : done;
	}
	/* A server that has got another number is there by it now. */
	for (size_t i = 0; i < patch->n_probes; i++) {
		const struct plan_probe_key *key = &patch->probes[i];
		size_t place = probe_place(health, key);
		const struct probe *probe = probe_at(health, place, key);

		if (probe && probe->plan.backend == key->backend && !plan_find_probe(plan, key))
			remove_probe(health, place);
	}
	return r;
}

bool health_hear(struct health *health, const struct snapshot *rows, const struct server_health *row)
{
	const struct probe *probe =
		probe_find(health, health->n_probes, row->group, row->server_id, row->port);
	const struct server_group *group = snapshot_server_group(rows, row->group);

	if (probe && probe->is_told)
		return false;
	health_news_add(&health->news, group ? group->owner : 0, row->group);
	return true;
}

bool health_take_touched(struct health *health, health_fits fits, void *context, struct plan_touched *touched)
{
	if (health_news_take(&health->news, fits, context, touched))
		loop_timer_set(health->again, CHANGED_AGAIN_MS);
	return health_news_has_heavy(&health->news);
}

bool health_has_news(const struct health *health)
{
	return health_news_any(&health->news);
}

void health_take_all(struct health *health)
{
	health_news_clear(&health->news);
	loop_timer_stop(health->again);
}

enum plan_health health_of(void *health, const struct server *server)
{
	const struct health *h = health;
	const struct probe *probe =
		probe_find(h, h->n_probes, server->group, server->server_id, server->port);

	if (!probe || !probe->is_told)
		return PLAN_HEALTH_UNKNOWN;
	return probe->state == PLAN_UNHEALTHY ? PLAN_UNHEALTHY : PLAN_HEALTHY;
}

int health_results(const struct health *health, struct health_result **ret, size_t *ret_n)
{
	struct health_result *results = calloc(health->n_probes + 1, sizeof(*results));
	size_t n = 0;

	if (!results)
		return -ENOMEM;
	for (size_t i = 0; i < health->n_probes; i++) {
		const struct probe *probe = health->probes[i];

		if (!probe->is_told)
			continue;
		(void)str_copy(results[n].group, sizeof(results[n].group), probe->plan.group);
		(void)str_copy(results[n].server_id, sizeof(results[n].server_id), probe->plan.server_id);
		results[n].port = probe->plan.server_port;
		results[n].healthy = probe->state != PLAN_UNHEALTHY;
		(void)str_copy(results[n].reason, sizeof(results[n].reason), probe->reason);
		n++;
	}
	*ret = results;
	*ret_n = n;
	return 0;
}
