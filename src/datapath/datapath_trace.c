/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath_tables.h"
#include "datapath_watch.h"

#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "bpf/pl_abi_trace.h"
#include "bpf/pl_tuple.h"

_Static_assert(DATAPATH_TRACERS_MAX == PL_TRACERS_MAX && DATAPATH_SLOTS_MAX == PL_TRACE_SLOTS_MAX &&
		       DATAPATH_TRACE_RATE_MAX == PL_TRACE_RATE_MAX,
	       "the program's bounds are what user space is told");

struct datapath_trace {
	struct datapath *datapath;
	datapath_packet_callback callback;
	void *context;
	struct ring_buffer *buffer;
	int64_t realtime_ns; /* of the monotonic clock's zero */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static struct datapath_tuple tuple_of(const struct pl_flow4_key *key)
{
	return (struct datapath_tuple){
		.source = netaddr_v4(ntohl(key->saddr)),
		.destination = netaddr_v4(ntohl(key->daddr)),
		.source_port = ntohs(key->sport),
		.destination_port = ntohs(key->dport),
	};
}

static const char *reason_name(uint16_t reason)
{
	static const char *const names[] = {
#define NAME(symbol, name, kind, text) name,
		PL_REASONS(NAME)
#undef NAME
	};

	return reason < ARRAY_SIZE(names) ? names[reason] : "unknown";
}

static int on_event(void *context, void *data, size_t size)
{
	struct datapath_trace *trace = context;
	struct pl_trace_event event;
	struct datapath_packet packet;

	if (size < sizeof(event))
		return 0;
	memcpy(&event, data, sizeof(event));
	packet = (struct datapath_packet){
		.time_us = (trace->realtime_ns + (int64_t)event.time) / 1000,
		.reason = reason_name(event.reason),
		.is_drop = PL_REASON_IS_DROP(event.reason),
		.is_ip = event.key.vpc_proto != 0,
		.protocol = pl_flow4_protocol(&event.key),
		.icmp_type = event.icmp_type,
		.tcp_flags = event.tcp_flags,
		.ethertype = ntohs(event.eth_proto),
		.came = tuple_of(&event.key),
		.has_flow = event.saddr || event.daddr,
		.vpc = pl_flow4_vpc(&event.key),
		.slot = event.slot,
		.eni = event.eni,
		.receiver = event.peer,
		.bytes = event.bytes,
		.tracers = event.tracers,
	};
	packet.goes = tuple_of(&(struct pl_flow4_key){
		.saddr = event.saddr, .daddr = event.daddr, .sport = event.sport, .dport = event.dport});
	trace->callback(trace->context, &packet);
	return 0;
}

int datapath_trace_new(struct datapath *datapath, datapath_packet_callback callback, void *context,
		       struct datapath_trace **ret)
{
	struct datapath_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return -ENOMEM;
	*trace = (struct datapath_trace){.datapath = datapath, .callback = callback, .context = context};
	trace->buffer =
		ring_buffer__new(bpf_map__fd(datapath->skeleton->maps.pl_trace), on_event, trace, NULL);
	if (!trace->buffer) {
		int r = -errno;

		free(trace);
		return r;
	}
	*ret = trace;
	return 0;
}

struct datapath_trace *datapath_trace_free(struct datapath_trace *trace)
{
	if (!trace)
		return NULL;
	trace->datapath->skeleton->bss->pl_trace_on = 0;
	ring_buffer__free(trace->buffer);
	free(trace);
	return NULL;
}

int datapath_trace_fd(const struct datapath_trace *trace)
{
	return ring_buffer__epoll_fd(trace->buffer);
}

int datapath_trace_read(struct datapath_trace *trace)
{
	int r;

	/* Anew each time: the clock may have been set. */
	trace->realtime_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	r = ring_buffer__consume(trace->buffer);
	return r < 0 ? r : 0;
}

int datapath_trace_begin(struct datapath_trace *trace, const struct datapath_filter *filter)
{
	struct pl_bpf *skeleton = trace->datapath->skeleton;
	uint32_t on = skeleton->bss->pl_trace_on, tracer = 0;
	struct pl_tracer row = {
		.rate = MIN(MAX(filter->rate, 1u), (uint32_t)PL_TRACE_RATE_MAX),
		.addr = filter->has_addr ? htonl(netaddr_to_v4(&filter->addr)) : 0,
		.port = htons(filter->port),
		.drops = filter->drops,
		.n_slots = (uint8_t)filter->n_slots,
	};

	while (tracer < PL_TRACERS_MAX && on & 1u << tracer)
		tracer++;
	if (tracer == PL_TRACERS_MAX)
		return -EBUSY;
	memcpy(row.slots, filter->slots, sizeof(row.slots));
	if (bpf_map_update_elem(bpf_map__fd(skeleton->maps.pl_tracers), &tracer, &row, BPF_ANY) < 0)
		return -errno;
	__atomic_store_n(&skeleton->bss->pl_trace_on, on | 1u << tracer, __ATOMIC_RELEASE);
	return (int)tracer;
}

void datapath_trace_end(struct datapath_trace *trace, unsigned int tracer)
{
	struct pl_bpf *skeleton = trace->datapath->skeleton;

	skeleton->bss->pl_trace_on &= ~(1u << tracer);
}

uint64_t datapath_trace_missed(const struct datapath_trace *trace, unsigned int tracer)
{
	struct pl_tracer row = {};

	if (bpf_map_lookup_elem(bpf_map__fd(trace->datapath->skeleton->maps.pl_tracers), &tracer, &row) < 0)
		return 0;
	return row.missed;
}
