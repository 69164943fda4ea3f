/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user space reads of the running data path: counters, the number of flows, and flows that are over.
 *
 * The two entries of a flow end together, because a translated source is taken as long as the replies' entry
 * is there. So an entry that has been idle for too long only makes a candidate; when the dump is done it is
 * looked at again, and goes with its partner if that has been idle too. Between the look and the deletion a
 * packet may come: its flow then opens again if it may (UDP), or its packets are dropped as not_syn, as after
 * any idle time-out.
 *
 * The same walk sums up what the rows have counted by ENI. A row is asked for its last numbers in the instant
 * in which it is deleted, so no packet of a flow is lost to its end.
 */
#include "carry.h"
#include "pins.h"
#include "tallies.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "bpf/pl_sweep.h"

struct sweep {
	struct datapath *datapath;
	uint32_t now, hz;
	uint64_t n_rows;
	struct rowset over; /* keys of candidates */
};

static int flows4_fd(const struct datapath *datapath)
{
	return bpf_map__fd(datapath->skeleton->maps.pl_flows4);
}

static bool is_slot_gone(const struct datapath *datapath, uint32_t slot)
{
	return slot < datapath->n_slots && !(datapath->slots_in_use[slot / 8] & 1u << slot % 8);
}

static bool is_free(const void *context, uint32_t slot)
{
	return is_slot_gone(context, slot);
}

static bool is_owner_gone(const struct sweep *sweep, const struct pl_flow4 *flow)
{
	return is_slot_gone(sweep->datapath, flow->slot) || is_slot_gone(sweep->datapath, flow->peer);
}

static bool is_over(const struct sweep *sweep, const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	return pl_flow4_expired(flow, pl_flow4_protocol(key), sweep->now, sweep->hz);
}

static int collect(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	struct pl_flow4_key flow_key;
	struct pl_flow4 flow;
	int r;

	memcpy(&flow_key, key, sizeof(flow_key));
	memcpy(&flow, value, sizeof(flow));
	sweep->n_rows++;
	r = tallies_add(sweep->datapath->tallies, &flow);
	if (r < 0)
		return r;
	if (!is_over(sweep, &flow_key, &flow) && !is_owner_gone(sweep, &flow))
		return 0;
	return rowset_append(&sweep->over, key, value);
}

/* What has not moved over yet from a table with rows of another size. */
static int add_old(void *context, const void *key, const void *value)
{
	const struct datapath *datapath = context;
	struct pl_flow4 flow = {};

	(void)key;
	memcpy(&flow, value, MIN(sizeof(flow), (size_t)datapath->skeleton->rodata->pl_old_row_size));
	return tallies_add(datapath->tallies, &flow);
}

/* Of a row that moves between the two meanwhile neither walk sees anything; of one that is seen twice the
 * numbers would stay. */
static int read_flows(struct sweep *sweep)
{
	struct datapath *datapath = sweep->datapath;
	int r = tallies_begin(datapath->tallies, bpf_map__fd(datapath->skeleton->maps.pl_tallies));

	if (r == 0)
		r = table_walk(flows4_fd(datapath), collect, sweep);
	if (r == 0 && datapath->old_flows_fd >= 0)
		r = table_walk(datapath->old_flows_fd, add_old, datapath);
	return r;
}

/* What is kept of a connection with a PROXY header goes before its rows, so that nothing of it is left, and
 * nothing is taken from one that opens with the same tuple. */
static void forget_proxied(const struct sweep *sweep, const struct pl_flow4_key *key)
{
	struct pl_flow4 flow;

	if (bpf_map_lookup_elem(flows4_fd(sweep->datapath), key, &flow) == 0 && flow.proxy &&
	    !pl_flow_is_back(&flow))
		(void)bpf_map_delete_elem(bpf_map__fd(sweep->datapath->skeleton->maps.pl_proxied), key);
}

/* 1: deleted; 0: it was gone already. */
static int delete_flow(const struct sweep *sweep, const struct pl_flow4_key *key)
{
	struct pl_flow4 last;
	int r;

	forget_proxied(sweep, key);
	if (bpf_map_lookup_and_delete_elem(flows4_fd(sweep->datapath), key, &last) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = tallies_swept(sweep->datapath->tallies, &last);
	return r < 0 ? r : 1;
}

static bool is_same_key(const struct pl_flow4_key *a, const struct pl_flow4_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What is to go with a candidate, looked at as it stands now: its row may be another flow's by this time. */
enum verdict { VERDICT_KEEP, VERDICT_ALONE, VERDICT_WITH_PARTNER };

static enum verdict judge(const struct sweep *sweep, const struct pl_flow4_key *key,
			  struct pl_flow4_key *ret_partner)
{
	int fd = flows4_fd(sweep->datapath);
	struct pl_flow4_key back;
	struct pl_flow4 flow, partner;

	if (bpf_map_lookup_elem(fd, key, &flow) < 0)
		return VERDICT_KEEP;
	if (!is_over(sweep, key, &flow) && !is_owner_gone(sweep, &flow))
		return VERDICT_KEEP;
	*ret_partner = pl_flow4_partner(key, &flow);
	if (bpf_map_lookup_elem(fd, ret_partner, &partner) < 0)
		return VERDICT_ALONE;
	back = pl_flow4_partner(ret_partner, &partner);
	if (!is_same_key(&back, key))
		return VERDICT_ALONE;
	if (is_owner_gone(sweep, &flow) || is_owner_gone(sweep, &partner))
		return VERDICT_WITH_PARTNER;
	return is_over(sweep, ret_partner, &partner) ? VERDICT_WITH_PARTNER : VERDICT_KEEP;
}

static int end_flow(const struct sweep *sweep, const struct pl_flow4_key *key, uint64_t *deleted)
{
	struct pl_flow4_key partner;
	enum verdict verdict = judge(sweep, key, &partner);
	int r;

	if (verdict == VERDICT_KEEP)
		return 0;
	r = delete_flow(sweep, key);
	if (r < 0)
		return r;
	*deleted += (uint64_t)r;
	if (verdict == VERDICT_ALONE)
		return 0;
	r = delete_flow(sweep, &partner);
	if (r > 0)
		*deleted += (uint64_t)r;
	return r < 0 ? r : 0;
}

int datapath_clock(const struct datapath *datapath, uint32_t *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(datapath->skeleton->progs.pl_now), &opts) < 0)
		return -errno;
	*ret = opts.retval;
	return 0;
}

/* The old table goes when a sweep finds nothing in it: a moment after the switch the program before this one
 * may still have put something there. */
static int carry_old_flows(struct datapath *datapath)
{
	uint64_t n;
	int r;

	if (datapath->old_flows_fd < 0 || datapath->is_waiting)
		return 0;
	r = carry_flows(datapath->old_flows_fd, flows4_fd(datapath), &n);
	/* Without room in the new table the rest waits until this sweep has made some. */
	if (r == -E2BIG)
		return 0;
	return r < 0 || n ? r : pins_drop_old_flows(datapath);
}

int datapath_sweep_flows(struct datapath *datapath, uint64_t *ret_deleted)
{
	struct sweep sweep = {
		.datapath = datapath,
		.hz = pl_kernel_hz(),
		.over = rowset_make(sizeof(struct pl_flow4_key), 0),
	};
	uint64_t deleted = 0;
	int r;

	r = carry_old_flows(datapath);
	if (r < 0)
		return r;
	/* Before the first sync nobody knows which slots are in use. */
	if (!datapath->is_synced)
		return -EAGAIN;
	r = datapath_clock(datapath, &sweep.now);
	if (r == 0)
		r = read_flows(&sweep);
	for (size_t i = 0; i < sweep.over.n && r == 0; i++) {
		struct pl_flow4_key key;

		memcpy(&key, rowset_key(&sweep.over, i), sizeof(key));
		r = end_flow(&sweep, &key, &deleted);
	}
	rowset_done(&sweep.over);
	if (r == 0)
		r = tallies_tidy(datapath->tallies, bpf_map__fd(datapath->skeleton->maps.pl_tallies), is_free,
				 datapath);
	if (r < 0)
		return r;
	datapath->n_flow_rows = sweep.n_rows - MIN(deleted, sweep.n_rows);
	*ret_deleted = deleted;
	return 0;
}

static int count_row(void *context, const void *key, const void *value)
{
	(void)key;
	(void)value;
	(*(uint64_t *)context)++;
	return 0;
}

int datapath_flow_count(struct datapath *datapath, uint64_t *ret)
{
	uint64_t count = 0;
	int r = table_walk(flows4_fd(datapath), count_row, &count);

	if (r == 0 && datapath->old_flows_fd >= 0)
		r = table_walk(datapath->old_flows_fd, count_row, &count);
	if (r == 0)
		*ret = count;
	return r;
}

static const struct datapath_counter reasons[] = {
#define REASON(symbol, reason_name, kind, reason_text)                                                       \
	{.name = reason_name, .text = reason_text, .is_drop = PL_REASON_IS_DROP(PL_##symbol)},
	PL_REASONS(REASON)
#undef REASON
};

const char *datapath_drop_name(size_t reason)
{
	return reason < ARRAY_SIZE(reasons) && reasons[reason].is_drop ? reasons[reason].name : NULL;
}

void datapath_tallies(const struct datapath *datapath, datapath_tally_callback callback, void *context)
{
	tallies_each(datapath->tallies, callback, context);
}

static int read_counter(int fd, uint32_t reason, struct pl_count *per_cpu, int n_cpus,
			struct datapath_counter *counter)
{
	if (bpf_map_lookup_elem(fd, &reason, per_cpu) < 0)
		return -errno;
	for (int i = 0; i < n_cpus; i++) {
		counter->packets += per_cpu[i].packets;
		counter->bytes += per_cpu[i].bytes;
	}
	return 0;
}

int datapath_counters(struct datapath *datapath, struct datapath_counter **ret, size_t *ret_n)
{
	int fd = bpf_map__fd(datapath->skeleton->maps.pl_reasons), n_cpus = libbpf_num_possible_cpus(), r = 0;
	_cleanup_(freep) struct datapath_counter *counters = NULL;
	_cleanup_(freep) struct pl_count *per_cpu = NULL;

	if (n_cpus < 0)
		return n_cpus;
	counters = malloc(sizeof(reasons));
	per_cpu = calloc((size_t)n_cpus, sizeof(*per_cpu));
	if (!counters || !per_cpu)
		return -ENOMEM;
	memcpy(counters, reasons, sizeof(reasons));
	for (uint32_t i = 0; i < ARRAY_SIZE(reasons) && r == 0; i++)
		r = read_counter(fd, i, per_cpu, n_cpus, &counters[i]);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(counters);
	*ret_n = ARRAY_SIZE(reasons);
	return 0;
}
