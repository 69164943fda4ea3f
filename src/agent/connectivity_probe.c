/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One poll() over all that is under way: a socket for each name, one for all echoes, one for each zone. A
 * zone's connection goes on to TLS and to HEAD as its steps say; a step that cannot be made because of the
 * one before it is skipped. Each outcome is told as it comes, so that what is known counts even if the
 * process is ended.
 */
#include "connectivity_probe.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connectivity_answer.h"
#include "connectivity_name.h"
#include "connectivity_tls.h"

#define RESOLVER	0x64640288u /* 100.100.2.136, what instances ask */
#define RESOLVER_PORT	53
#define REPEAT_MS	1000 /* questions and echoes get lost */
#define STATUS_LINE_MAX 256
#define ECHO_ID_SHIFT	4 /* of the sequence number: the zone, and which of its echoes */

#define NONE SIZE_MAX /* no such step */

struct question {
	size_t step;
	const char *name;
	int fd; /* negative: it is through */
	uint16_t id;
	uint64_t begin_us, again_us;
};

struct echo {
	size_t step;
	bool is_over;
	uint64_t begin_us, again_us;
	uint64_t sent_us[1 << ECHO_ID_SHIFT];
	unsigned int n_sent;
};

struct zone {
	struct sockaddr_in addr;
	struct echo echo;
	size_t connect, tls_step, head;
	size_t now; /* the step under way; NONE: it is through */
	uint64_t begin_us;
	int fd;
	struct connectivity_tls *tls;
	bool is_asked; /* HEAD was sent */
	char line[STATUS_LINE_MAX];
	size_t line_size;
};

struct probe {
	const struct connectivity_probe *task;
	struct connectivity_trust *trust;
	struct question questions[CONNECTIVITY_NAMES_MAX];
	size_t n_questions;
	const char *names[CONNECTIVITY_NAMES_MAX]; /* of the certificate, the best one first */
	struct zone zones[ENDPOINT_ZONES_MAX];
	size_t n_zones;
	uint16_t echo_id;
};

static uint64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void tell(const struct probe *probe, size_t step, struct connectivity_outcome *outcome,
		 uint64_t begin_us)
{
	char line[CONNECTIVITY_LINE_SIZE];
	int n;

	if (outcome->result == CONNECTIVITY_OK)
		outcome->latency_us =
			(uint32_t)MIN(MAX(now_us() - begin_us, 1u), CONNECTIVITY_LATENCY_MAX_US);
	n = connectivity_answer_format(step, outcome, line);
	/* A pipe has room for all lines. */
	if (n > 0 && write(probe->task->answer_fd, line, (size_t)n) != n)
		_exit(1);
}

static void skip(const struct probe *probe, size_t step, const char *code)
{
	struct connectivity_outcome outcome = {.result = CONNECTIVITY_SKIPPED};

	if (step == NONE)
		return;
	(void)str_copy(outcome.code, sizeof(outcome.code), code);
	tell(probe, step, &outcome, 0);
}

static void explain(int error, struct connectivity_outcome *ret)
{
	switch (error) {
	case ECONNREFUSED:
		connectivity_fail(ret, "Refused", "Nothing listens there.");
		break;
	case ECONNRESET:
	case EPIPE:
		connectivity_fail(ret, "Closed", "The server closed the connection.");
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
		connectivity_fail(ret, "NoRoute", "There is no way there from the instance.");
		break;
	default:
		connectivity_fail(ret, "SocketFailed", "%s", strerror(error));
		break;
	}
}

static void time_out(struct connectivity_outcome *ret)
{
	connectivity_fail(ret, "Timeout", "No answer within %d s.", CONNECTIVITY_STEP_MS / 1000);
}

/* ---- names ---- */

static void end_question(const struct probe *probe, struct question *question,
			 struct connectivity_outcome *outcome)
{
	tell(probe, question->step, outcome, question->begin_us);
	closep(&question->fd);
	question->fd = -EBADF;
}

static void ask(struct question *question)
{
	uint8_t query[CONNECTIVITY_QUERY_SIZE];
	int size = connectivity_name_ask(question->name, question->id, query);

	question->again_us = now_us() + REPEAT_MS * 1000;
	if (size > 0)
		(void)send(question->fd, query, (size_t)size, MSG_NOSIGNAL);
}

static void begin_question(struct probe *probe, struct question *question)
{
	const struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(RESOLVER_PORT), .sin_addr.s_addr = htonl(RESOLVER)};
	struct connectivity_outcome outcome = {};

	question->begin_us = now_us();
	question->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (question->fd >= 0 && connect(question->fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0) {
		ask(question);
		return;
	}
	explain(errno, &outcome);
	end_question(probe, question, &outcome);
}

static bool is_of_endpoint(const struct probe *probe, uint32_t addr)
{
	for (size_t i = 0; i < probe->n_zones; i++)
		if (ntohl(probe->zones[i].addr.sin_addr.s_addr) == addr)
			return true;
	return false;
}

static void judge_name(const struct probe *probe, const struct connectivity_addresses *addresses,
		       struct connectivity_outcome *ret)
{
	char text[CONNECTIVITY_ADDRESSES_MAX * (NETADDR_TEXT_SIZE + 2)] = "";
	size_t used = 0, n_strange = 0;

	for (size_t i = 0; i < addresses->n; i++) {
		const struct netaddr addr = netaddr_v4(addresses->v[i]);
		char one[NETADDR_TEXT_SIZE];

		netaddr_format(&addr, one);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", one);
		n_strange += !is_of_endpoint(probe, addresses->v[i]);
	}
	if (addresses->rcode == 3)
		connectivity_fail(ret, "NameNotFound", "The VPC's resolver does not know the name.");
	else if (addresses->rcode != 0)
		connectivity_fail(ret, "NameRefused", "The VPC's resolver answers with code %u.",
				  addresses->rcode);
	else if (addresses->n == 0)
		connectivity_fail(ret, "NameEmpty", "The name has no address at present.");
	else if (n_strange > 0)
		connectivity_fail(ret, "NameElsewhere", "Not the endpoint's addresses: %s", text);
	else {
		ret->result = CONNECTIVITY_OK;
		connectivity_text(text, ret->text);
	}
}

static void hear_question(const struct probe *probe, struct question *question)
{
	struct connectivity_addresses addresses;
	struct connectivity_outcome outcome = {};
	uint8_t data[4096];
	ssize_t n = recv(question->fd, data, sizeof(data), 0);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	r = n < 0 ? -errno : connectivity_name_read(data, (size_t)n, question->id, &addresses);
	if (r == -EAGAIN)
		return;
	if (r == -EBADMSG)
		connectivity_fail(&outcome, "NameRefused",
				  "The answer of the VPC's resolver makes no sense.");
	else if (r < 0)
		explain(-r, &outcome);
	else
		judge_name(probe, &addresses, &outcome);
	end_question(probe, question, &outcome);
}

static void watch_question(const struct probe *probe, struct question *question)
{
	uint64_t now = now_us();
	struct connectivity_outcome outcome = {};

	if (question->fd < 0)
		return;
	if (now >= question->begin_us + CONNECTIVITY_STEP_MS * 1000) {
		time_out(&outcome);
		end_question(probe, question, &outcome);
	} else if (now >= question->again_us) {
		ask(question);
	}
}

/* ---- echoes ---- */

static uint16_t sum_of(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void send_echo(struct probe *probe, size_t index)
{
	struct zone *zone = &probe->zones[index];
	struct echo *echo = &zone->echo;
	struct icmphdr packet = {.type = ICMP_ECHO};

	packet.un.echo.id = htons(probe->echo_id);
	packet.un.echo.sequence = htons((uint16_t)(index << ECHO_ID_SHIFT | echo->n_sent));
	packet.checksum = sum_of(&packet, sizeof(packet));
	echo->sent_us[echo->n_sent++] = now_us();
	echo->again_us = now_us() + REPEAT_MS * 1000;
	(void)sendto(probe->task->echo_fd, &packet, sizeof(packet), MSG_NOSIGNAL,
		     (const struct sockaddr *)&zone->addr, sizeof(zone->addr));
}

/* Whatever comes to the namespace comes here, too. */
static void hear_echo(struct probe *probe)
{
	uint8_t data[2048];
	const struct iphdr *ip = (const struct iphdr *)(const void *)data;
	struct connectivity_outcome outcome = {.result = CONNECTIVITY_OK};
	ssize_t n = recv(probe->task->echo_fd, data, sizeof(data), 0);
	size_t header = n >= (ssize_t)sizeof(*ip) ? ip->ihl * 4u : 0;
	struct icmphdr icmp;
	unsigned int sequence;
	struct zone *zone;

	if (header < sizeof(*ip) || (size_t)n < header + sizeof(icmp))
		return;
	memcpy(&icmp, data + header, sizeof(icmp));
	sequence = ntohs(icmp.un.echo.sequence);
	if (icmp.type != ICMP_ECHOREPLY || ntohs(icmp.un.echo.id) != probe->echo_id ||
	    sequence >> ECHO_ID_SHIFT >= probe->n_zones)
		return;
	zone = &probe->zones[sequence >> ECHO_ID_SHIFT];
	sequence &= (1u << ECHO_ID_SHIFT) - 1;
	if (zone->echo.is_over || ip->saddr != zone->addr.sin_addr.s_addr || sequence >= zone->echo.n_sent)
		return;
	zone->echo.is_over = true;
	tell(probe, zone->echo.step, &outcome, zone->echo.sent_us[sequence]);
}

static void watch_echo(struct probe *probe, size_t index)
{
	struct echo *echo = &probe->zones[index].echo;
	struct connectivity_outcome outcome = {};
	uint64_t now = now_us();

	if (echo->is_over)
		return;
	if (now >= echo->begin_us + CONNECTIVITY_STEP_MS * 1000) {
		echo->is_over = true;
		time_out(&outcome);
		tell(probe, echo->step, &outcome, echo->begin_us);
	} else if (now >= echo->again_us) {
		send_echo(probe, index);
	}
}

/* ---- connections ---- */

static void end_zone(struct zone *zone)
{
	zone->tls = connectivity_tls_free(zone->tls);
	closep(&zone->fd);
	zone->fd = -EBADF;
	zone->now = NONE;
}

/* The step under way has not succeeded, and those behind it are not tried. */
static void fail_zone(struct probe *probe, struct zone *zone, struct connectivity_outcome *outcome)
{
	size_t now = zone->now;

	tell(probe, now, outcome, zone->begin_us);
	if (now == zone->connect)
		skip(probe, zone->tls_step, "NoConnection");
	if (now != zone->head)
		skip(probe, zone->head, now == zone->connect ? "NoConnection" : "NoTls");
	end_zone(zone);
}

static void go_to(struct zone *zone, size_t step)
{
	zone->now = step;
	zone->begin_us = now_us();
	if (step == NONE)
		end_zone(zone);
}

static void shake_hands(struct probe *probe, struct zone *zone)
{
	struct connectivity_outcome outcome = {};

	if (connectivity_tls_go_on(zone->tls, &outcome) == 0)
		return;
	if (outcome.result != CONNECTIVITY_OK) {
		fail_zone(probe, zone, &outcome);
		return;
	}
	tell(probe, zone->tls_step, &outcome, zone->begin_us);
	go_to(zone, zone->head);
}

static void begin_tls(struct probe *probe, struct zone *zone)
{
	struct connectivity_outcome outcome = {};
	int r = connectivity_tls_new(probe->trust, zone->fd, probe->names, probe->n_questions, &zone->tls);

	go_to(zone, zone->tls_step);
	if (r == 0) {
		shake_hands(probe, zone); /* the first word is ours */
		return;
	}
	explain(-r, &outcome);
	fail_zone(probe, zone, &outcome);
}

static void connected(struct probe *probe, struct zone *zone)
{
	struct connectivity_outcome outcome = {.result = CONNECTIVITY_OK};
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(zone->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error) {
		explain(error, &outcome);
		fail_zone(probe, zone, &outcome);
		return;
	}
	tell(probe, zone->connect, &outcome, zone->begin_us);
	if (zone->tls_step != NONE)
		begin_tls(probe, zone);
	else
		go_to(zone, zone->head);
}

static int send_some(const struct zone *zone, const char *data, size_t size)
{
	ssize_t n;

	if (zone->tls)
		return connectivity_tls_send(zone->tls, data, size);
	n = send(zone->fd, data, size, MSG_NOSIGNAL);
	return n < 0 ? -errno : (int)n;
}

static int receive_some(const struct zone *zone, char *data, size_t size)
{
	ssize_t n;

	if (zone->tls)
		return connectivity_tls_receive(zone->tls, data, size);
	n = recv(zone->fd, data, size, 0);
	return n < 0 ? -errno : (int)n;
}

static void send_head(struct probe *probe, struct zone *zone)
{
	uint32_t port = probe->task->port;
	struct connectivity_outcome outcome = {};
	char request[512], suffix[16] = "";
	int n, r;

	if (port != 80 && port != 443)
		(void)str_format(suffix, sizeof(suffix), ":%u", port);
	n = str_format(
		request, sizeof(request),
		"HEAD / HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: privlink-test\r\nConnection: close\r\n\r\n",
		probe->names[0], suffix);
	r = n < 0 ? n : send_some(zone, request, (size_t)n);
	if (r == -EAGAIN)
		return;
	zone->is_asked = true;
	if (r == n)
		return;
	explain(r < 0 ? -r : EPIPE, &outcome);
	fail_zone(probe, zone, &outcome);
}

/* The first line is all that is read of an answer, however much follows. */
static void judge_line(struct zone *zone, bool is_whole, struct connectivity_outcome *ret)
{
	char *end = memchr(zone->line, '\n', zone->line_size);

	if (!end && !is_whole && zone->line_size < sizeof(zone->line))
		return;
	if (zone->line_size < 5 || memcmp(zone->line, "HTTP/", 5) != 0) {
		if (zone->line_size == 0)
			connectivity_fail(ret, "Closed", "The server closed the connection.");
		else
			connectivity_fail(ret, "NotHttp", "What came back is no HTTP.");
	} else if (!end) {
		connectivity_fail(ret, "HeadTooLong", "The status line does not end.");
	} else {
		*end = '\0';
		zone->line[strcspn(zone->line, "\r")] = '\0';
		ret->result = CONNECTIVITY_OK;
		connectivity_text(zone->line, ret->text);
	}
}

static void hear_head(struct probe *probe, struct zone *zone)
{
	struct connectivity_outcome outcome = {};
	int n = receive_some(zone, zone->line + zone->line_size, sizeof(zone->line) - zone->line_size);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0 && zone->line_size == 0) {
		explain(n == -EIO ? ECONNRESET : -n, &outcome);
	} else {
		zone->line_size += n > 0 ? (size_t)n : 0;
		judge_line(zone, n <= 0, &outcome);
	}
	if (outcome.result == CONNECTIVITY_NONE)
		return;
	if (outcome.result == CONNECTIVITY_OK) {
		tell(probe, zone->head, &outcome, zone->begin_us);
		end_zone(zone);
	} else {
		fail_zone(probe, zone, &outcome);
	}
}

static void begin_zone(struct probe *probe, struct zone *zone)
{
	struct connectivity_outcome outcome = {};

	go_to(zone, zone->connect);
	zone->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (zone->fd >= 0 &&
	    (connect(zone->fd, (const struct sockaddr *)&zone->addr, sizeof(zone->addr)) == 0 ||
	     errno == EINPROGRESS))
		return;
	explain(errno, &outcome);
	fail_zone(probe, zone, &outcome);
}

static void zone_is_ready(struct probe *probe, struct zone *zone)
{
	if (zone->now == zone->connect)
		connected(probe, zone);
	else if (zone->now == zone->tls_step)
		shake_hands(probe, zone);
	else if (!zone->is_asked)
		send_head(probe, zone);
	else
		hear_head(probe, zone);
}

static short events_of(const struct zone *zone)
{
	if (zone->now == zone->connect || (zone->now == zone->head && !zone->is_asked))
		return POLLOUT;
	return zone->now == zone->tls_step && connectivity_tls_writes(zone->tls) ? POLLOUT : POLLIN;
}

static void watch_zone(struct probe *probe, struct zone *zone)
{
	struct connectivity_outcome outcome = {};

	if (zone->now == NONE || now_us() < zone->begin_us + CONNECTIVITY_STEP_MS * 1000)
		return;
	time_out(&outcome);
	fail_zone(probe, zone, &outcome);
}

/* ---- all of it ---- */

static struct zone *zone_named(struct probe *probe, const struct connectivity_step *steps, size_t step)
{
	struct zone *zone = &probe->zones[probe->n_zones];

	/* The steps of a zone stand together. */
	if (probe->n_zones > 0 && streq(steps[step - 1].zone, steps[step].zone))
		return zone - 1;
	if (probe->n_zones == ENDPOINT_ZONES_MAX)
		return NULL;
	probe->n_zones++;
	*zone = (struct zone){.connect = NONE, .tls_step = NONE, .head = NONE, .now = NONE, .fd = -EBADF};
	zone->echo.step = NONE;
	return zone;
}

static int read_target(const struct connectivity_probe *task, const struct connectivity_step *step,
		       struct sockaddr_in *ret)
{
	struct netaddr addr;

	if (netaddr_parse(step->target, &addr) < 0 || !netaddr_is_v4(&addr))
		return -EINVAL;
	*ret = (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)task->port),
				    .sin_addr.s_addr = htonl(netaddr_to_v4(&addr))};
	return 0;
}

static int read_step(struct probe *probe, size_t i)
{
	const struct connectivity_step *steps = probe->task->steps;
	struct zone *zone;

	if (steps[i].kind == CONNECTIVITY_NAME) {
		if (probe->n_questions == CONNECTIVITY_NAMES_MAX)
			return -EINVAL;
		probe->questions[probe->n_questions++] =
			(struct question){.step = i, .name = steps[i].target, .fd = -EBADF};
		return 0;
	}
	zone = zone_named(probe, steps, i);
	if (!zone)
		return -EINVAL;
	switch (steps[i].kind) {
	case CONNECTIVITY_PING:
		zone->echo.step = i;
		return read_target(probe->task, &steps[i], &zone->addr);
	case CONNECTIVITY_CONNECT:
		zone->connect = i;
		return 0;
	case CONNECTIVITY_TLS:
		zone->tls_step = i;
		return 0;
	default:
		zone->head = i;
		return 0;
	}
}

/* The last name is the one by which the service itself is known, if it has one. */
static int read_steps(struct probe *probe)
{
	int r = 0;

	for (size_t i = 0; i < probe->task->n_steps && r == 0; i++)
		r = read_step(probe, i);
	for (size_t i = 0; i < probe->n_questions; i++)
		probe->names[i] = probe->questions[probe->n_questions - 1 - i].name;
	for (size_t i = 0; i < probe->n_zones; i++)
		if (probe->zones[i].echo.step == NONE || probe->zones[i].connect == NONE)
			r = -EINVAL;
	return r < 0 || probe->n_questions == 0 ? -EINVAL : 0;
}

static void begin(struct probe *probe)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	probe->echo_id = (uint16_t)getpid();
	for (size_t i = 0; i < probe->n_questions; i++) {
		probe->questions[i].id = (uint16_t)((uint64_t)ts.tv_nsec / 1000 + i);
		begin_question(probe, &probe->questions[i]);
	}
	for (size_t i = 0; i < probe->n_zones; i++) {
		probe->zones[i].echo.begin_us = now_us();
		send_echo(probe, i);
		begin_zone(probe, &probe->zones[i]);
	}
}

#define POLLED_MAX (CONNECTIVITY_NAMES_MAX + ENDPOINT_ZONES_MAX + 1)

/* The descriptors to wait for, in the order of questions, zones and echoes; how many are open. */
static size_t gather(const struct probe *probe, struct pollfd fds[POLLED_MAX])
{
	size_t n = 0, n_open = 0;
	bool wants_echo = false;

	for (size_t i = 0; i < probe->n_questions; i++)
		fds[n++] = (struct pollfd){.fd = probe->questions[i].fd, .events = POLLIN};
	for (size_t i = 0; i < probe->n_zones; i++) {
		const struct zone *zone = &probe->zones[i];

		fds[n++] = (struct pollfd){.fd = zone->fd, .events = zone->now == NONE ? 0 : events_of(zone)};
		wants_echo = wants_echo || !zone->echo.is_over;
	}
	fds[n++] = (struct pollfd){.fd = wants_echo ? probe->task->echo_fd : -EBADF, .events = POLLIN};
	for (size_t i = 0; i < n; i++)
		n_open += fds[i].fd >= 0;
	return n_open;
}

static void serve(struct probe *probe, const struct pollfd *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < probe->n_questions; i++)
		if (fds[n++].revents && probe->questions[i].fd >= 0)
			hear_question(probe, &probe->questions[i]);
	for (size_t i = 0; i < probe->n_zones; i++)
		if (fds[n++].revents && probe->zones[i].now != NONE)
			zone_is_ready(probe, &probe->zones[i]);
	if (fds[n].revents)
		hear_echo(probe);
}

static void watch(struct probe *probe)
{
	for (size_t i = 0; i < probe->n_questions; i++)
		watch_question(probe, &probe->questions[i]);
	for (size_t i = 0; i < probe->n_zones; i++) {
		watch_echo(probe, i);
		watch_zone(probe, &probe->zones[i]);
	}
}

int connectivity_probe(const struct connectivity_probe *task)
{
	struct probe probe = {.task = task};
	struct pollfd fds[POLLED_MAX];
	int r = read_steps(&probe);

	if (r == 0)
		r = connectivity_trust_new(task->trust_fd, &probe.trust);
	if (r < 0)
		return r;
	begin(&probe);
	while (gather(&probe, fds) > 0) {
		size_t n = probe.n_questions + probe.n_zones + 1;

		if (poll(fds, (nfds_t)n, 50) < 0 && errno != EINTR)
			return -errno;
		serve(&probe, fds);
		watch(&probe);
	}
	connectivity_trust_free(probe.trust);
	return 0;
}
