/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is written by one call, before its record leaves the kernel's buffer. So an agent that is killed
 * loses none; it may write one twice.
 *
 * Flows of an ENI that is gone end a little later than it does, so its name is kept for a while. A slot may
 * have had another owner when a record was made, perhaps under an agent before this one: a record is the
 * ENI's, and an instance has its name in it, if the addresses are theirs.
 */
#include "flow_log.h"

#include <stdio.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/vec.h"
#include "flow_files.h"
#include "query_names.h"

#define READ_MS	  100 /* between two looks at the buffer, while a log is on */
#define GO_ON_MS  1
#define LOST_MS	  1000 /* between two looks at what was lost */
#define BUSY_MS	  5000 /* … where the buffer is never read to its end */
#define LINE_SIZE 1536

/* An ENI whose flows are told of. */
struct logged {
	uint32_t slot;
	char endpoint[ID_SIZE], zone[ZONE_SIZE];
	uint32_t vpc;
	struct pl_addr addr;
	uint64_t gone_ms;   /* since when no plan has it; 0: the last one does */
	uint64_t unwritten; /* records for which there was no room in the files */
};

struct flow_log {
	struct datapath_log *records;
	struct flow_files *files;
	struct loop_source *timer;
	const struct plan *plan;
	struct logged *v; /* sorted by slot */
	size_t n, size;
	uint64_t told_ms; /* when it was last told what was lost */
	bool is_begun;	  /* there was a plan */
	bool is_told;	  /* that there are too many */
};

static struct logged *find(const struct flow_log *log, uint32_t slot)
{
	size_t i = LOWER_BOUND(j, log->n, log->v[j].slot < slot);

	return i < log->n && log->v[i].slot == slot ? &log->v[i] : NULL;
}

/* ---- lines ---- */

static void print_pair(FILE *to, const char *name, const uint64_t pair[2], bool has_back)
{
	fprintf(to, ",\"%s\":[%llu,", name, (unsigned long long)pair[DATAPATH_IN]);
	if (has_back)
		fprintf(to, "%llu]", (unsigned long long)pair[DATAPATH_OUT]);
	else
		fprintf(to, "null]");
}

static bool is_addr(const struct pl_addr *addr, const struct netaddr *of)
{
	return memcmp(addr, of, sizeof(*addr)) == 0;
}

/* `vpc` 0: any. */
static const char *instance_at(const struct plan *plan, uint32_t slot, uint32_t vpc,
			       const struct netaddr *addr)
{
	const struct plan_port *port = plan && slot != PL_SLOT_NONE ? plan_port_by_slot(plan, slot) : NULL;

	return port && is_addr(&port->row.addr, addr) && (!vpc || port->row.vpc == vpc) ? port->instance : "";
}

static void print_names(FILE *to, const struct plan *plan, const struct datapath_record *record)
{
	const char *from = instance_at(plan, record->client, record->vpc, &record->opened.source),
		   *server = instance_at(plan, record->server, 0, &record->served.destination);

	if (*from)
		fprintf(to, ",\"from\":\"%s\"", from);
	if (*server)
		fprintf(to, ",\"to\":\"%s\"", server);
}

static void print_record(FILE *to, const struct plan *plan, const struct logged *logged,
			 const struct datapath_record *record)
{
	char time[QUERY_TIME_SIZE], tuple[QUERY_TUPLE_SIZE], protocol[QUERY_PROTOCOL_SIZE];

	fputc('{', to);
	if (record->start_us) {
		query_time(record->start_us, time);
		fprintf(to, "\"start\":\"%s\",", time);
	}
	query_time(record->end_us, time);
	fprintf(to, "\"end\":\"%s\",\"result\":\"%s\"", time, record->end);
	if (record->reason)
		fprintf(to, ",\"reason\":\"%s\"", record->reason);
	query_protocol(record->protocol, protocol);
	query_tuple(&record->opened, record->protocol, "", tuple);
	fprintf(to, ",\"endpoint\":\"%s\",\"zone\":\"%s\",\"protocol\":\"%s\",%s", logged->endpoint,
		logged->zone, protocol, tuple);
	if (record->is_served) {
		query_tuple(&record->served, record->protocol, "served_", tuple);
		fprintf(to, ",%s", tuple);
	}
	print_names(to, plan, record);
	print_pair(to, "packets", record->packets, record->has_back);
	print_pair(to, "bytes", record->bytes, record->has_back);
	fprintf(to, "}\n");
}

static int write_record(const struct flow_log *log, const struct logged *logged,
			const struct datapath_record *record)
{
	char line[LINE_SIZE];
	FILE *to = fmemopen(line, sizeof(line), "w");
	long size;

	if (!to)
		return -errno;
	print_record(to, log->plan, logged, record);
	size = ftell(to);
	if (fclose(to) != 0 || size <= 0)
		return -EMSGSIZE;
	return flow_files_write(log->files, logged->endpoint, line, (size_t)size);
}

static bool is_of(const struct datapath_record *record, const struct logged *logged)
{
	return record->vpc == logged->vpc && is_addr(&logged->addr, &record->opened.destination);
}

/* A record of an ENI whose log has just been switched off is nobody's; so is one of the slot's last owner. */
static int on_record(void *context, const struct datapath_record *record)
{
	struct flow_log *log = context;
	struct logged *logged = find(log, record->eni);

	if (logged && is_of(record, logged) && write_record(log, logged, record) < 0)
		logged->unwritten++;
	return 0;
}

static void tell_lost(struct flow_log *log, struct logged *logged)
{
	uint64_t lost = datapath_log_lost(log->records, logged->slot);
	unsigned long long n_missing = lost + logged->unwritten;
	char time[TIME_TEXT_SIZE], line[LINE_SIZE];
	int size;

	if (!n_missing)
		return;
	time_format(now_unix_s(), time);
	size = str_format(
		line, sizeof(line),
		"{\"end\":\"%s\",\"result\":\"lost\",\"endpoint\":\"%s\",\"zone\":\"%s\",\"lost\":%llu}\n",
		time, logged->endpoint, logged->zone, n_missing);
	if (size < 0 || flow_files_write(log->files, logged->endpoint, line, (size_t)size) < 0)
		return;
	datapath_log_told(log->records, logged->slot, lost);
	logged->unwritten = 0;
}

/* ---- which are on ---- */

static void forget(struct flow_log *log, size_t i)
{
	struct logged gone = log->v[i];
	bool is_last = true;

	tell_lost(log, &log->v[i]);
	datapath_log_set(log->records, gone.slot, false);
	log->n--;
	memmove(log->v + i, log->v + i + 1, (log->n - i) * sizeof(*log->v));
	for (size_t j = 0; j < log->n; j++)
		is_last &= !streq(log->v[j].endpoint, gone.endpoint);
	if (is_last)
		flow_files_close(log->files, gone.endpoint);
}

/* Those of ENIs that are gone stay for a while, unless the slot is another's. */
static bool is_over(const struct flow_log *log, struct logged *logged, uint64_t now_ms)
{
	const struct plan_eni *eni = query_eni(log->plan, logged->slot);

	if (eni) {
		logged->gone_ms = 0;
		return !eni->is_logged || !streq(eni->endpoint, logged->endpoint);
	}
	if (plan_port_by_slot(log->plan, logged->slot))
		return true;
	if (!logged->gone_ms)
		logged->gone_ms = now_ms;
	return now_ms - logged->gone_ms >= FLOW_LOG_GONE_MS;
}

static void forget_some(struct flow_log *log)
{
	uint64_t now_ms = now_mono_ms();

	for (size_t i = 0; log->plan && i < log->n;)
		if (is_over(log, &log->v[i], now_ms))
			forget(log, i);
		else
			i++;
}

/* Its file is opened at once: what is on keeps its place, however quiet it is. Where there is none the
 * records are counted as lost, and are written when there is room again. */
static int add(struct flow_log *log, const struct plan_eni *eni)
{
	size_t i = LOWER_BOUND(j, log->n, log->v[j].slot < eni->slot);

	if (i < log->n && log->v[i].slot == eni->slot)
		return 0;
	if (log->n == FLOW_LOG_ENIS_MAX)
		return -ENOSPC;
	if (VEC_ROOM(log->v, log->n, log->size) < 0)
		return -ENOMEM;
	memmove(log->v + i + 1, log->v + i, (log->n - i) * sizeof(*log->v));
	log->n++;
	log->v[i] = (struct logged){.slot = eni->slot, .vpc = eni->value.vpc, .addr = eni->value.addr};
	(void)str_copy(log->v[i].endpoint, sizeof(log->v[i].endpoint), eni->endpoint);
	(void)str_copy(log->v[i].zone, sizeof(log->v[i].zone), eni->zone);
	datapath_log_set(log->records, eni->slot, true);
	return flow_files_open(log->files, eni->endpoint);
}

/* What an agent before has switched on, and no row wants any more. */
static void switch_others_off(struct flow_log *log)
{
	for (uint32_t slot = 0; slot < datapath_log_slots(log->records); slot++)
		if (datapath_log_is_on(log->records, slot) && !find(log, slot))
			datapath_log_set(log->records, slot, false);
}

/* ---- reading ---- */

static int add_slots(struct flow_log *log, const uint32_t *slots, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n; i++) {
		const struct plan_eni *eni = query_eni(log->plan, slots[i]);
		int r = eni && eni->is_logged ? add(log, eni) : 0;

		ret = ret ?: r;
	}
	return ret;
}

static int add_all(struct flow_log *log)
{
	const struct plan *plan = log->plan;
	int ret = 0;

	for (size_t i = 0; i < plan->n_enis; i++) {
		int r = plan->enis[i].is_logged ? add(log, &plan->enis[i]) : 0;

		ret = ret ?: r;
	}
	return ret;
}

static void on_timer(void *context, uint32_t events _unused_)
{
	struct flow_log *log = context;
	int r;

	flow_files_look(log->files);
	r = datapath_log_read(log->records);
	if (r < 0)
		log_warning("cannot read the flow log, ignoring: %s", strerror(-r));
	if (now_mono_ms() - log->told_ms >= (r > 0 ? BUSY_MS : LOST_MS)) {
		log->told_ms = now_mono_ms();
		forget_some(log);
		if (log->is_told && log->plan)
			log->is_told = add_all(log) < 0;
		for (size_t i = 0; i < log->n; i++)
			tell_lost(log, &log->v[i]);
	}
	if (r > 0 || log->n > 0)
		loop_timer_set(log->timer, r > 0 ? GO_ON_MS : READ_MS);
}

/* `slots` NULL: all. */
static void follow(struct flow_log *log, const uint32_t *slots, size_t n)
{
	int r;

	if (log->is_begun && log->n > 0) {
		flow_files_look(log->files);
		(void)datapath_log_read(log->records); /* what is said of those that go now */
	}
	forget_some(log);
	/* Of those that there was no room for, some may have it now. */
	r = slots && !log->is_told ? add_slots(log, slots, n) : add_all(log);
	if (r < 0 && !log->is_told)
		log_warning("flows of some endpoints are not logged: %s",
			    r == -ENOSPC ? "there are more of them than this node takes" : strerror(-r));
	log->is_told = r < 0;
	if (!log->is_begun)
		switch_others_off(log);
	if (log->n > 0 || !log->is_begun)
		loop_timer_set(log->timer, READ_MS);
	log->is_begun = true;
}

void flow_log_follow(struct flow_log *log, const struct plan *plan)
{
	log->plan = plan;
	if (plan)
		follow(log, NULL, 0);
}

void flow_log_follow_slots(struct flow_log *log, const uint32_t *slots, size_t n)
{
	if (log->plan && n > 0)
		follow(log, slots, n);
}

json_t *flow_log_answer(const struct flow_log *log, const char *endpoint)
{
	char path[PATH_MAX];
	json_t *files;
	bool is_on = false;

	if (flow_files_path(log->files, endpoint, false, path) < 0)
		return NULL;
	for (size_t i = 0; i < log->n; i++)
		is_on |= streq(log->v[i].endpoint, endpoint);
	files = json_array();
	for (int before = 1; before >= 0; before--)
		if (flow_files_path(log->files, endpoint, before, path) == 0 && access(path, F_OK) == 0)
			(void)json_array_append_new(files, json_string(path));
	if (!is_on && json_array_size(files) == 0) {
		json_decref(files);
		return NULL;
	}
	return json_pack("{s:b, s:o}", "on", is_on, "files", files);
}

int flow_log_new(struct loop *loop, struct datapath *datapath, const char *directory, struct flow_log **ret)
{
	struct flow_log *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return -ENOMEM;
	r = flow_files_new(directory, &log->files);
	if (r == 0)
		r = datapath_log_new(datapath, on_record, log, &log->records);
	if (r == 0)
		r = loop_add_timer(loop, on_timer, log, &log->timer);
	if (r < 0) {
		flow_log_free(log);
		return r;
	}
	*ret = log;
	return 0;
}

struct flow_log *flow_log_free(struct flow_log *log)
{
	if (!log)
		return NULL;
	loop_source_free(log->timer);
	datapath_log_free(log->records);
	flow_files_free(log->files);
	free(log->v);
	free(log);
	return NULL;
}
