/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as Prometheus reads them: the counts of an ENI and of its listeners under their names, and not
 * under those of the ENI that has been given the slot since they were read.
 *
 * The test stands in for the data path (see link_args in meson.build).
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "agent/query_metrics.h"
#include "datapath/datapath_watch.h"

static struct plan_eni enis[] = {
	{.slot = 16, .value.number = 1, .endpoint = "ep-one", .zone = "h"},
	{.slot = 17, .value.number = 2, .endpoint = "ep-two", .zone = "h"},
};
static const struct plan plan = {.enis = enis, .n_enis = ARRAY_SIZE(enis)};

/* ---- the data path ---- */

int __wrap_datapath_counters(struct datapath *datapath, struct datapath_counter **ret, size_t *ret_n);
int __wrap_datapath_counters(struct datapath *datapath _unused_, struct datapath_counter **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	return 0;
}

void __wrap_datapath_each_table(const struct datapath *datapath, datapath_table_callback callback,
				void *context);
void __wrap_datapath_each_table(const struct datapath *datapath _unused_,
				datapath_table_callback callback _unused_, void *context _unused_)
{
}

void __wrap_datapath_each_server(const struct datapath *datapath, datapath_server_callback callback,
				 void *context);
void __wrap_datapath_each_server(const struct datapath *datapath _unused_,
				 datapath_server_callback callback _unused_, void *context _unused_)
{
}

/* Of each slot what has come by TCP to port 443. */
void __wrap_datapath_listener_tallies(const struct datapath *datapath, datapath_listener_callback callback,
				      void *context);
void __wrap_datapath_listener_tallies(const struct datapath *datapath _unused_,
				      datapath_listener_callback callback, void *context)
{
	const struct datapath_tally tally = {.packets = {700, 0}};

	for (uint32_t slot = 16; slot <= 18; slot++)
		callback(context, slot, IPPROTO_TCP, 443, &tally);
}

/* ---- an answer ---- */

static int on_get(void *context, struct query_client *client, const char *path _unused_)
{
	return query_metrics_begin(NULL, &plan, context, client);
}

static bool is_gone;

static void on_gone(void *context _unused_, struct query_client *client _unused_)
{
	is_gone = true;
}

/* What the client reads; the answer's end is the connection's. */
static const char *answer_of(const struct meter *meter)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
	static char text[32768];
	const struct query_client_handlers handlers = {
		.get = on_get, .gone = on_gone, .context = (void *)meter};
	struct query_client *client;
	size_t length = 0;
	struct loop *loop;
	ssize_t n = 1;
	int fds[2];

	is_gone = false;
	if (loop_new(&loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
	    query_client_new(loop, fds[0], true, &handlers, &client) < 0)
		exit(EXIT_FAILURE);
	(void)send(fds[1], request, strlen(request), MSG_NOSIGNAL);
	while (n != 0 && length < sizeof(text) - 1) {
		(void)loop_turn(loop, 5);
		n = read(fds[1], text + length, sizeof(text) - 1 - length);
		length += n > 0 ? (size_t)n : 0;
	}
	text[length] = '\0';
	(void)close(fds[1]);
	while (!is_gone)
		(void)loop_turn(loop, 5);
	loop_free(loop);
	return text;
}

static void read_slots(struct meter *meter)
{
	static const struct meter_owner owners[] = {
		{.slot = 16, .number = 1, .endpoint = "ep-one", .zone = "h"},
		{.slot = 17, .number = 2, .endpoint = "ep-two", .zone = "h"},
	};
	const struct datapath_tally tally = {.packets = {900, 0}};

	meter_begin(meter, 1800000000000);
	for (uint32_t slot = 16; slot <= 18; slot++)
		(void)meter_add(meter, slot, &tally);
	(void)meter_end(meter, owners, ARRAY_SIZE(owners));
}

static bool has_eni(const char *text, const char *endpoint)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "\nprivlink_endpoint_packets_total{endpoint=\"%s\",", endpoint);
	return strstr(text, line);
}

static bool has_listener(const char *text, const char *endpoint)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "\nprivlink_listener_packets_total{endpoint=\"%s\",", endpoint);
	return strstr(text, line);
}

int main(void)
{
	struct meter *meter;
	const char *text;

	if (meter_new(&meter) < 0)
		exit(EXIT_FAILURE);
	text = answer_of(meter);
	tap_ok(!has_eni(text, "ep-one") && !has_listener(text, "ep-one"),
	       "before the first reading there are none");
	read_slots(meter);
	text = answer_of(meter);
	tap_ok(has_eni(text, "ep-one") && has_eni(text, "ep-two"),
	       "each ENI's counts are told by its endpoint");
	tap_ok(has_listener(text, "ep-one") && has_listener(text, "ep-two"), "and those of its listeners");
	tap_ok(strstr(text, "protocol=\"tcp\",port=\"443\",direction=\"in\"} 700\n"),
	       "with protocol and port");
	enis[1].value.number = 3;
	text = answer_of(meter);
	tap_ok(has_eni(text, "ep-one") && has_listener(text, "ep-one"), "when a slot is another ENI's");
	tap_ok(!has_eni(text, "ep-two"), "what was read before is not told as that one's");
	tap_ok(!has_listener(text, "ep-two"), "nor is what had come to the listeners");
	meter_free(meter);
	return tap_done();
}
