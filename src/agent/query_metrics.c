/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All samples of a metric have to stand together, so the answer goes through the ENIs once for each metric.
 * It does so over a copy of the numbers, some hundred ENIs in a turn of the loop: neither does a plan that
 * changes meanwhile tear it, nor do many ENIs hold the agent up.
 */
#include "query_metrics.h"

#include "../lib/vec.h"
#include "query_names.h"

#define ENIS_PER_PIECE 256

struct sample {
	char endpoint[ID_SIZE], zone[ZONE_SIZE], address[NETADDR_TEXT_SIZE];
	uint8_t protocol; /* of a listener, … */
	uint16_t port;	  /* … 0: of all of the ENI */
	struct datapath_tally tally;
};

struct samples {
	struct sample *v;
	size_t n, room;
};

struct answer {
	const struct plan *plan;   /* only while the copy is made, … */
	const struct meter *meter; /* … as this */
	struct samples samples[2]; /* of ENIs, of listeners */
	size_t next, metric;
	int r;
};

/* ---- metrics of an ENI, and of its listeners ---- */

enum { BOTH_PACKETS, BOTH_BYTES, DROPPED_PACKETS, DROPPED_BYTES, OPENED, OPEN, BY_REASON };

static const struct {
	const char *name, *type, *help;
	int what;
} metrics[] = {
	{"packets_total", "counter", "Packets delivered, to the service (in) and from it (out).",
	 BOTH_PACKETS},
	{"bytes_total", "counter", "Bytes of these.", BOTH_BYTES},
	{"dropped_packets_total", "counter", "Packets dropped, by direction.", DROPPED_PACKETS},
	{"dropped_bytes_total", "counter", "Bytes of these.", DROPPED_BYTES},
	{"drops_total", "counter", "Packets dropped, by reason.", BY_REASON},
	{"flows_opened_total", "counter", "Flows that were opened.", OPENED},
	{"flows_open", "gauge", "Flows that are open.", OPEN},
};

#define METRIC_NAME_SIZE 64
static void metric_name(size_t of, size_t metric, char ret[METRIC_NAME_SIZE])
{
	(void)str_format(ret, METRIC_NAME_SIZE, "privlink_%s_%s", of ? "listener" : "endpoint",
			 metrics[metric].name);
}

static int say_head(struct query_client *client, const char *name, const char *type, const char *help)
{
	return query_client_format(client, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static int say_sample(struct query_client *client, const char *name, const struct sample *sample,
		      const char *label, const char *value_of_label, uint64_t value)
{
	char more[96] = "", listener[64] = "", protocol[QUERY_PROTOCOL_SIZE];

	if (label)
		(void)str_format(more, sizeof(more), ",%s=\"%s\"", label, value_of_label);
	if (sample->port) {
		query_protocol(sample->protocol, protocol);
		(void)str_format(listener, sizeof(listener), ",protocol=\"%s\",port=\"%u\"", protocol,
				 sample->port);
	}
	return query_client_format(client, "%s{endpoint=\"%s\",zone=\"%s\",address=\"%s\"%s%s} %llu\n", name,
				   sample->endpoint, sample->zone, sample->address, listener, more,
				   (unsigned long long)value);
}

static int say_both(struct query_client *client, const char *name, const struct sample *sample,
		    const uint64_t values[2])
{
	int r = say_sample(client, name, sample, "direction", "in", values[DATAPATH_IN]);

	return r < 0 ? r : say_sample(client, name, sample, "direction", "out", values[DATAPATH_OUT]);
}

static int say_drops(struct query_client *client, const char *name, const struct sample *sample)
{
	int r = 0;

	for (size_t i = 0; i < DATAPATH_REASONS_MAX && r == 0; i++) {
		const char *reason = sample->tally.drops[i] ? datapath_drop_name(i) : NULL;

		if (reason)
			r = say_sample(client, name, sample, "reason", reason, sample->tally.drops[i]);
	}
	return r;
}

static int say_metric(struct query_client *client, const char *name, size_t metric,
		      const struct sample *sample)
{
	const struct datapath_tally *tally = &sample->tally;

	switch (metrics[metric].what) {
	case BOTH_PACKETS:
		return say_both(client, name, sample, tally->packets);
	case BOTH_BYTES:
		return say_both(client, name, sample, tally->bytes);
	case DROPPED_PACKETS:
		return say_both(client, name, sample, tally->dropped_packets);
	case DROPPED_BYTES:
		return say_both(client, name, sample, tally->dropped_bytes);
	case OPENED:
		return say_sample(client, name, sample, NULL, NULL, tally->opened);
	case OPEN:
		return say_sample(client, name, sample, NULL, NULL, tally->open);
	default:
		return say_drops(client, name, sample);
	}
}

/* ---- metrics of the node ---- */

static int say_reasons(struct query_client *client, const struct datapath_counter *counters, size_t n)
{
	int r = say_head(client, "privlink_packets_total", "counter",
			 "Packets that left the data path, by reason.");

	for (size_t i = 1; i < n && r == 0; i++) /* the first is "none" */
		r = query_client_format(client, "privlink_packets_total{reason=\"%s\",verdict=\"%s\"} %llu\n",
					counters[i].name, counters[i].is_drop ? "drop" : "pass",
					(unsigned long long)counters[i].packets);
	if (r == 0)
		r = say_head(client, "privlink_bytes_total", "counter", "Bytes of these.");
	for (size_t i = 1; i < n && r == 0; i++)
		r = query_client_format(client, "privlink_bytes_total{reason=\"%s\",verdict=\"%s\"} %llu\n",
					counters[i].name, counters[i].is_drop ? "drop" : "pass",
					(unsigned long long)counters[i].bytes);
	return r;
}

struct saying {
	struct query_client *client;
	bool max;
	int r;
};

static void say_table(void *context, const char *name, uint64_t rows, uint64_t max)
{
	struct saying *saying = context;

	if (saying->r == 0)
		saying->r = query_client_format(saying->client, "privlink_table_rows%s{table=\"%s\"} %llu\n",
						saying->max ? "_max" : "", name,
						(unsigned long long)(saying->max ? max : rows));
}

static int say_tables(struct query_client *client, struct datapath *datapath)
{
	struct saying saying = {.client = client};

	saying.r = say_head(client, "privlink_table_rows", "gauge", "Rows of a table of the data path.");
	datapath_each_table(datapath, say_table, &saying);
	if (saying.r == 0)
		saying.r = say_head(client, "privlink_table_rows_max", "gauge", "Rows that it has room for.");
	saying.max = true;
	datapath_each_table(datapath, say_table, &saying);
	return saying.r;
}

struct saying_servers {
	struct query_client *client;
	const struct plan *plan;
	bool max;
	unsigned int n;
	int r;
};

static void say_server(void *context, uint32_t slot, uint64_t flows, uint64_t max)
{
	struct saying_servers *saying = context;
	const char *instance = query_instance(saying->plan, slot);

	if (saying->r == 0 && *instance && flows && saying->n++ < QUERY_METRICS_SERVERS_MAX)
		saying->r = query_client_format(saying->client, "privlink_nat_flows%s{server=\"%s\"} %llu\n",
						saying->max ? "_max" : "", instance,
						(unsigned long long)(saying->max ? max : flows));
}

static int say_servers(struct query_client *client, const struct datapath *datapath, const struct plan *plan)
{
	struct saying_servers saying = {.client = client, .plan = plan};

	saying.r = say_head(client, "privlink_nat_flows", "gauge",
			    "Translated flows that are open to a server.");
	datapath_each_server(datapath, say_server, &saying);
	if (saying.r == 0)
		saying.r = say_head(client, "privlink_nat_flows_max", "gauge",
				    "Those that there are sources for, to one of its ports.");
	saying.max = true;
	saying.n = 0;
	datapath_each_server(datapath, say_server, &saying);
	return saying.r;
}

static int say_node(struct query_client *client, struct datapath *datapath, const struct plan *plan)
{
	_cleanup_(freep) struct datapath_counter *counters = NULL;
	size_t n;
	int r = datapath_counters(datapath, &counters, &n);

	if (r == 0)
		r = say_reasons(client, counters, n);
	if (r == 0)
		r = say_tables(client, datapath);
	return r < 0 ? r : say_servers(client, datapath, plan);
}

/* ---- piece by piece ---- */

static int say_enis(struct answer *answer, struct query_client *client)
{
	size_t of = answer->metric / ARRAY_SIZE(metrics), metric = answer->metric % ARRAY_SIZE(metrics);
	const struct samples *samples = &answer->samples[of];
	size_t until = MIN(answer->next + ENIS_PER_PIECE, samples->n);
	char name[METRIC_NAME_SIZE];
	int r = 0;

	metric_name(of, metric, name);
	if (answer->next == 0)
		r = say_head(client, name, metrics[metric].type, metrics[metric].help);
	for (; answer->next < until && r == 0; answer->next++)
		r = say_metric(client, name, metric, &samples->v[answer->next]);
	if (answer->next == samples->n) {
		answer->next = 0;
		answer->metric++;
	}
	return r;
}

static int more(void *context, struct query_client *client)
{
	struct answer *answer = context;
	int r = say_enis(answer, client);
	return r < 0 ? r : answer->metric < ARRAY_SIZE(answer->samples) * ARRAY_SIZE(metrics);
}

static void end(void *context)
{
	struct answer *answer = context;

	free(answer->samples[0].v);
	free(answer->samples[1].v);
	free(answer);
}

/* ---- the copy ---- */

static void add_sample(struct answer *answer, struct samples *samples, const struct plan_eni *eni,
		       const struct sample *wanted)
{
	struct sample *sample;
	struct netaddr addr;

	answer->r = VEC_ROOM(samples->v, samples->n, samples->room);
	if (answer->r < 0)
		return;
	sample = &samples->v[samples->n++];
	*sample = *wanted;
	(void)str_copy(sample->endpoint, sizeof(sample->endpoint), eni->endpoint);
	(void)str_copy(sample->zone, sizeof(sample->zone), eni->zone);
	memcpy(&addr, &eni->value.addr, sizeof(addr));
	netaddr_format(&addr, sample->address);
}

/* A slot may be another ENI's since the reading: then nothing is known of that one yet. */
static void copy_tally(void *context, uint32_t slot, uint32_t number, const struct datapath_tally *tally)
{
	struct answer *answer = context;
	const struct plan_eni *eni = query_eni(answer->plan, slot);

	if (eni && eni->value.number == number && answer->samples[0].n < QUERY_METRICS_ENIS_MAX &&
	    answer->r == 0)
		add_sample(answer, &answer->samples[0], eni, &(struct sample){.tally = *tally});
}

static void copy_listener(void *context, uint32_t slot, uint8_t protocol, uint16_t port,
			  const struct datapath_tally *tally)
{
	struct answer *answer = context;
	const struct plan_eni *eni = query_eni(answer->plan, slot);

	if (eni && eni->value.number == meter_number(answer->meter, slot) && answer->r == 0)
		add_sample(answer, &answer->samples[1], eni,
			   &(struct sample){.protocol = protocol, .port = port, .tally = *tally});
}

int query_metrics_begin(struct datapath *datapath, const struct plan *plan, const struct meter *meter,
			struct query_client *client)
{
	struct answer *answer = calloc(1, sizeof(*answer));
	int r;

	if (!answer)
		return -ENOMEM;
	*answer = (struct answer){.plan = plan, .meter = meter};
	if (meter && plan) {
		meter_each(meter, copy_tally, answer);
		datapath_listener_tallies(datapath, copy_listener, answer);
	}
	answer->plan = NULL;
	answer->meter = NULL;
	r = answer->r;
	if (r == 0)
		r = query_client_format(client, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
						"Content-Type: text/plain; version=0.0.4\r\n\r\n");
	if (r == 0)
		r = say_node(client, datapath, plan);
	if (r < 0) {
		end(answer);
		return r;
	}
	query_client_begin(client, &(struct query_stream){.more = more, .end = end, .context = answer});
	return 0;
}
