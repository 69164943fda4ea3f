/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record leaves the buffer when its callback has returned, so one that is being written down when the agent
 * is killed is told again, and none is lost.
 */
#include "datapath_log.h"

#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "bpf/pl_abi_log.h"
#include "bpf/pl_sweep.h"
#include "datapath_tables.h"

#define READ_NS 3000000 /* of one reading */

struct datapath_log {
	struct datapath *datapath;
	datapath_record_callback callback;
	void *context;
	struct ring_buffer *buffer;
	struct mapped map;
	struct pl_logged *rows; /* by slot, in the map */
	int64_t until_ns;	/* of the reading */
	int64_t realtime_ns;	/* of the monotonic clock's zero */
	int64_t now_us;		/* since 1970 */
	uint32_t now, hz;	/* in the kernel's ticks */
	int r;			/* the callback's */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static struct datapath_tuple tuple_of(__be32 saddr, __be16 sport, __be32 daddr, __be16 dport)
{
	return (struct datapath_tuple){
		.source = netaddr_v4(ntohl(saddr)),
		.destination = netaddr_v4(ntohl(daddr)),
		.source_port = ntohs(sport),
		.destination_port = ntohs(dport),
	};
}

static const char *end_name(const struct pl_log_record *record, uint8_t protocol)
{
	if (record->what == PL_LOG_REFUSED)
		return "refused";
	if (record->reason)
		return "revoked";
	if (record->how & PL_LOG_ASKED)
		return "removed";
	if (pl_state_class(record->state, protocol) == PL_CLASS_CLOSING)
		return record->state & (PL_STATE_RST | PL_STATE_RST_BACK) ? "reset" : "closed";
	if (protocol == IPPROTO_TCP && !(record->state & PL_STATE_ANSWERED))
		return "unanswered";
	return record->how & PL_LOG_FORCED ? "replaced" : "idle";
}

/* What the kernel's ticks were then; 0: that would be in the future. */
static int64_t time_of(const struct datapath_log *log, uint32_t ticks)
{
	uint32_t ago = log->now - ticks;

	return ago > INT32_MAX ? 0 : log->now_us - (int64_t)ago * 1000000 / log->hz;
}

/* Of a connection that was closed, its last packet: the rows stay for some seconds. */
static int64_t end_of(const struct datapath_log *log, const struct pl_log_record *record)
{
	int64_t time_us = (log->realtime_ns + (int64_t)record->time) / 1000;

	if (pl_state_class(record->state, pl_flow4_protocol(&record->key)) != PL_CLASS_CLOSING ||
	    record->what != PL_LOG_ENDED)
		return time_us;
	return time_of(log, record->seen) ?: time_us;
}

static struct datapath_record read_record(const struct datapath_log *log, const struct pl_log_record *record)
{
	const struct pl_flow4_key *key = &record->key;
	uint8_t protocol = pl_flow4_protocol(key);
	struct datapath_record ret = {
		.end = end_name(record, protocol),
		.reason = record->reason ? datapath_drop_name(record->reason) ?: "unknown" : NULL,
		.start_us = record->opened ? time_of(log, record->opened) : 0,
		.end_us = end_of(log, record),
		.protocol = protocol,
		.opened = tuple_of(key->saddr, key->sport, key->daddr, key->dport),
		.served = tuple_of(record->saddr, record->sport, record->daddr, record->dport),
		.is_served = record->what == PL_LOG_ENDED,
		.vpc = pl_flow4_vpc(key),
		.eni = record->eni,
		.client = record->client,
		.server = record->server,
		.packets = {record->packets[DATAPATH_IN], record->packets[DATAPATH_OUT]},
		.bytes = {record->bytes[DATAPATH_IN], record->bytes[DATAPATH_OUT]},
		.has_back = !(record->how & PL_LOG_NO_BACK),
	};

	ret.start_us = MIN(ret.start_us, ret.end_us); /* a tick is longer than a short flow */
	return ret;
}

static int on_record(void *context, void *data, size_t size)
{
	struct datapath_log *log = context;
	struct datapath_record record;
	struct pl_log_record row;

	if (size < sizeof(row)) /* (another version's may be longer) */
		return 0;
	memcpy(&row, data, sizeof(row));
	record = read_record(log, &row);
	log->r = log->callback(log->context, &record);
	if (log->r < 0)
		return log->r;
	return clock_ns(CLOCK_MONOTONIC) < log->until_ns ? 0 : -EAGAIN;
}

int datapath_log_new(struct datapath *datapath, datapath_record_callback callback, void *context,
		     struct datapath_log **ret)
{
	struct datapath_log *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return -ENOMEM;
	*log = (struct datapath_log){
		.datapath = datapath, .callback = callback, .context = context, .hz = pl_kernel_hz()};
	r = mapped_open(bpf_map__fd(datapath->skeleton->maps.pl_logged), sizeof(*log->rows), &log->map);
	log->rows = log->map.rows;
	if (r == 0) {
		log->buffer = ring_buffer__new(bpf_map__fd(datapath->skeleton->maps.pl_flow_log), on_record,
					       log, NULL);
		r = log->buffer ? 0 : -errno;
	}
	if (r < 0) {
		datapath_log_free(log);
		return r;
	}
	*ret = log;
	return 0;
}

struct datapath_log *datapath_log_free(struct datapath_log *log)
{
	if (!log)
		return NULL;
	ring_buffer__free(log->buffer);
	mapped_close(&log->map);
	free(log);
	return NULL;
}

uint32_t datapath_log_slots(const struct datapath_log *log)
{
	return (uint32_t)log->map.n;
}

bool datapath_log_is_on(const struct datapath_log *log, uint32_t slot)
{
	return slot < log->map.n && log->rows[slot].on;
}

/* What was lost before the slot was this ENI's is nobody's. */
void datapath_log_set(struct datapath_log *log, uint32_t slot, bool on)
{
	if (slot >= log->map.n || !!log->rows[slot].on == on)
		return;
	if (on)
		log->rows[slot].told = __atomic_load_n(&log->rows[slot].lost, __ATOMIC_RELAXED);
	__atomic_store_n(&log->rows[slot].on, on, __ATOMIC_RELEASE);
}

uint64_t datapath_log_lost(const struct datapath_log *log, uint32_t slot)
{
	if (slot >= log->map.n)
		return 0;
	return __atomic_load_n(&log->rows[slot].lost, __ATOMIC_RELAXED) - log->rows[slot].told;
}

void datapath_log_told(struct datapath_log *log, uint32_t slot, uint64_t n)
{
	if (slot < log->map.n)
		log->rows[slot].told += n;
}

int datapath_log_read(struct datapath_log *log)
{
	int r = datapath_clock(log->datapath, &log->now);

	if (r < 0)
		return r;
	/* Anew each time: the clock may have been set. */
	log->now_us = clock_ns(CLOCK_REALTIME) / 1000;
	log->realtime_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	log->until_ns = clock_ns(CLOCK_MONOTONIC) + READ_NS;
	log->r = 0;
	r = ring_buffer__consume(log->buffer);
	if (log->r < 0)
		return log->r;
	return r == -EAGAIN ? 1 : r < 0 ? r : 0;
}
