/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring buffer is mapped when somebody asks first. Packets that a client is not told of are counted, those
 * that the program left out and those for which the client was too slow, and it hears how many.
 */
#include "query_trace.h"

#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

struct reader {
	struct query_trace *trace;
	struct query_client *client; /* NULL: nobody */
	unsigned int tracer;
	uint64_t untold;      /* for which there was no room */
	uint64_t told_missed; /* with those that the program left out */
};

struct query_trace {
	struct loop *loop;
	struct datapath *datapath;
	const struct plan *(*plan)(void *context);
	void *context;
	struct datapath_trace *packets;
	struct loop_source *io, *timer;
	struct reader readers[DATAPATH_TRACERS_MAX];
};

/* ---- a line ---- */

/* As tcpdump has them. */
static void format_flags(const struct datapath_packet *packet, char ret[16])
{
	static const char letters[] = "FSRP.UEW";
	size_t n = 0;

	for (size_t i = 0; i < 8 && packet->protocol == IPPROTO_TCP; i++)
		if (packet->tcp_flags & 1u << i)
			ret[n++] = letters[i];
	ret[n] = '\0';
}

static void print_names(FILE *to, const struct plan *plan, const struct datapath_packet *packet)
{
	const char *from = query_instance(plan, packet->slot);
	const char *receiver = packet->has_flow ? query_instance(plan, packet->receiver) : "";
	const struct plan_eni *eni = query_eni(plan, packet->eni);

	if (*from)
		fprintf(to, ",\"from\":\"%s\"", from);
	if (eni)
		fprintf(to, ",\"endpoint\":\"%s\",\"zone\":\"%s\"", eni->endpoint, eni->zone);
	if (*receiver)
		fprintf(to, ",\"to\":\"%s\"", receiver);
}

static void print_packet(FILE *to, const struct plan *plan, const struct datapath_packet *packet)
{
	char time[QUERY_TIME_SIZE], flags[16], tuple[QUERY_TUPLE_SIZE], protocol[QUERY_PROTOCOL_SIZE];

	query_time(packet->time_us, time);
	fprintf(to, "{\"time\":\"%s\",\"verdict\":\"%s\",\"reason\":\"%s\",\"bytes\":%u", time,
		packet->is_drop ? "drop" : "pass", packet->reason, packet->bytes);
	if (packet->is_ip) {
		query_protocol(packet->protocol, protocol);
		query_tuple(&packet->came, packet->protocol, "", tuple);
		fprintf(to, ",\"protocol\":\"%s\",%s", protocol, tuple);
		format_flags(packet, flags);
		if (*flags)
			fprintf(to, ",\"flags\":\"%s\"", flags);
		if (packet->protocol == IPPROTO_ICMP)
			fprintf(to, ",\"icmp_type\":%u", packet->icmp_type);
	} else if (packet->ethertype) {
		fprintf(to, ",\"ethertype\":\"0x%04x\"", packet->ethertype);
	}
	if (packet->has_flow) {
		query_tuple(&packet->goes, packet->protocol, "sent_", tuple);
		fprintf(to, ",%s", tuple);
	}
	print_names(to, plan, packet);
	fprintf(to, "}\n");
}

static void on_packet(void *context, const struct datapath_packet *packet)
{
	struct query_trace *trace = context;
	char line[1536];
	FILE *to = fmemopen(line, sizeof(line), "w");
	long size;

	if (!to)
		return;
	print_packet(to, trace->plan(trace->context), packet);
	size = ftell(to);
	if (fclose(to) != 0 || size <= 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(trace->readers); i++) {
		struct reader *reader = &trace->readers[i];

		if (reader->client && packet->tracers & 1u << reader->tracer &&
		    query_client_say(reader->client, line, (size_t)size) < 0)
			reader->untold++;
	}
}

static void on_readable(void *context, uint32_t events _unused_)
{
	struct query_trace *trace = context;

	(void)datapath_trace_read(trace->packets);
}

/* ---- who asks ---- */

static void tell_missed(struct reader *reader)
{
	uint64_t missed = reader->untold + datapath_trace_missed(reader->trace->packets, reader->tracer);

	if (missed == reader->told_missed)
		return;
	if (query_client_format(reader->client, "{\"missed\":%llu}\n",
				(unsigned long long)(missed - reader->told_missed)) == 0)
		reader->told_missed = missed;
}

static void on_timer(void *context, uint32_t events _unused_)
{
	struct query_trace *trace = context;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(trace->readers); i++) {
		if (!trace->readers[i].client)
			continue;
		tell_missed(&trace->readers[i]);
		n++;
	}
	if (n > 0)
		loop_timer_set(trace->timer, QUERY_TRACE_TELL_MS);
}

static void end_reader(void *context)
{
	struct reader *reader = context;

	datapath_trace_end(reader->trace->packets, reader->tracer);
	reader->client = NULL;
}

static int open_packets(struct query_trace *trace)
{
	int r;

	if (trace->packets)
		return 0;
	r = datapath_trace_new(trace->datapath, on_packet, trace, &trace->packets);
	if (r == 0)
		r = loop_add_fd(trace->loop, datapath_trace_fd(trace->packets), EPOLLIN, on_readable, trace,
				&trace->io);
	if (r < 0)
		trace->packets = datapath_trace_free(trace->packets);
	return r;
}

int query_trace_begin(struct query_trace *trace, struct query_client *client, const json_t *question,
		      const char **why)
{
	struct datapath_filter filter;
	struct reader *reader = trace->readers;
	int r = query_filter(trace->plan(trace->context), question, &filter, why);

	if (r < 0)
		return r;
	*why = "packets cannot be told of";
	r = open_packets(trace);
	if (r < 0)
		return r;
	while (reader < trace->readers + ARRAY_SIZE(trace->readers) && reader->client)
		reader++;
	if (reader == trace->readers + ARRAY_SIZE(trace->readers)) {
		*why = "as many traces run as there can be (4)";
		return -EBUSY;
	}
	r = datapath_trace_begin(trace->packets, &filter);
	if (r < 0)
		return r;
	*reader = (struct reader){.trace = trace, .client = client, .tracer = (unsigned int)r};
	query_client_begin(client, &(struct query_stream){.end = end_reader, .context = reader});
	loop_timer_set(trace->timer, QUERY_TRACE_TELL_MS);
	return query_client_format(client, "{\"tracing\":true}\n");
}

int query_trace_new(struct loop *loop, struct datapath *datapath, const struct plan *(*plan)(void *context),
		    void *context, struct query_trace **ret)
{
	struct query_trace *trace = calloc(1, sizeof(*trace));
	int r;

	if (!trace)
		return -ENOMEM;
	*trace = (struct query_trace){.loop = loop, .datapath = datapath, .plan = plan, .context = context};
	r = loop_add_timer(loop, on_timer, trace, &trace->timer);
	if (r < 0) {
		free(trace);
		return r;
	}
	*ret = trace;
	return 0;
}

struct query_trace *query_trace_free(struct query_trace *trace)
{
	if (!trace)
		return NULL;
	loop_source_free(trace->io);
	loop_source_free(trace->timer);
	datapath_trace_free(trace->packets);
	free(trace);
	return NULL;
}
