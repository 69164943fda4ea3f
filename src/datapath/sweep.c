/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user space reads of the running data path: counters, the number of flows, and what the flows of each
 * ENI come to.
 *
 * Flows end in the program (bpf/pl_end.h), and no row is deleted here. But the program does not know which
 * slots are free: so a round over all rows asks it to end the flows of those, before the slot is another's
 * (and counts go to that one). And it asks it to move what no packet has asked for from a table of before.
 *
 * A round goes in pieces, each no longer than PIECE_NS, so that the agent's loop never waits long.
 */
#include "carry.h"
#include "nat_count.h"
#include "pins.h"
#include "tallies.h"

#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pl.skel.h"

#include "bpf/pl_sweep.h"

#define PIECE_NS 3000000

/* In this order. */
enum step {
	STEP_CARRY,
	STEP_COUNTS,
	STEP_SLOT_COUNTS,
	STEP_FLOWS,
	STEP_OLD_FLOWS,
	STEP_END,
	STEP_TIDY,
	STEPS
};

struct round {
	enum step step;
	struct table_cursor cursor;
	uint64_t n_old;	    /* rows of the old table that were there */
	uint64_t n_left;    /* and that have not moved */
	size_t at;	    /* among the following */
	struct rowset keys; /* of flows to be moved, or to be ended */
	struct rowset idle; /* of counts: of slots that are free */
	uint64_t n_ended;
};

static int flows4_fd(const struct datapath *datapath)
{
	return bpf_map__fd(datapath->skeleton->maps.pl_flows4);
}

static int tallies_fd(const struct datapath *datapath)
{
	return bpf_map__fd(datapath->skeleton->maps.pl_tallies);
}

/* What counts where that is full. */
static int slot_tallies_fd(const struct datapath *datapath)
{
	return bpf_map__fd(datapath->skeleton->maps.pl_slot_tallies);
}

static bool is_slot_gone(const struct datapath *datapath, uint32_t slot)
{
	return slot < datapath->n_slots && !(datapath->slots_in_use[slot / 8] & 1u << slot % 8);
}

static bool is_free(const void *context, uint32_t slot)
{
	return is_slot_gone(context, slot);
}

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* What the program says to a question about one flow. */
static int ask(const struct datapath *datapath, uint32_t what, const struct pl_flow4_key *key)
{
	struct pl_ask call = {.what = what, .key = *key};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &call, .data_size_in = sizeof(call));
	if (bpf_prog_test_run_opts(bpf_program__fd(datapath->skeleton->progs.pl_ask), &opts) < 0)
		return -errno;
	return (int)opts.retval;
}

/* Keys that were noted, one after the other; 1: there are more. */
static int each_key(struct datapath *datapath, struct round *round, int64_t end_ns,
		    int (*call)(struct datapath *datapath, const struct pl_flow4_key *key))
{
	int r = 0;

	while (round->at < round->keys.n && r >= 0) {
		struct pl_flow4_key key;

		if (now_ns() >= end_ns)
			return 1;
		memcpy(&key, rowset_key(&round->keys, round->at++), sizeof(key));
		r = call(datapath, &key);
	}
	rowset_clear(&round->keys);
	round->at = 0;
	return r < 0 ? r : 0;
}

/* Moving what is left in the old table. */

static int note_old(void *context, const void *key, const void *value)
{
	struct round *round = context;

	round->n_old++;
	return rowset_append(&round->keys, key, value);
}

static bool is_in(int fd, const struct pl_flow4_key *key, struct pl_flow4 *ret)
{
	uint8_t row[CARRY_ROW_MAX];

	if (bpf_map_lookup_elem(fd, key, row) < 0)
		return false;
	memcpy(ret, row, sizeof(*ret));
	return true;
}

/* A row without its other direction moves never: it is of a flow that has ended, and goes. */
static void drop_lone(struct datapath *datapath, const struct pl_flow4_key *key)
{
	struct pl_flow4_key partner;
	struct pl_flow4 flow;

	if (!is_in(datapath->old_flows_fd, key, &flow))
		return;
	partner = pl_flow4_partner(key, &flow);
	if (!is_in(datapath->old_flows_fd, &partner, &flow) && is_in(datapath->old_flows_fd, key, &flow))
		(void)bpf_map_delete_elem(datapath->old_flows_fd, key);
}

static int carry_one(struct datapath *datapath, const struct pl_flow4_key *key)
{
	int r = ask(datapath, PL_ASK_CARRY, key);

	/* A reason why it cannot be moved now: the next round tries again. */
	if (r == 1)
		drop_lone(datapath, key);
	return r < 0 ? r : 0;
}

/* The old table goes when a round finds nothing in it: a moment after the switch the program before this one
 * may still have put something there. */
static int carry_on(struct datapath *datapath, struct round *round, int64_t end_ns)
{
	int r;

	if (datapath->old_flows_fd < 0 || datapath->is_waiting)
		return 0;
	if (!round->keys.n) {
		r = table_walk_on(datapath->old_flows_fd, &round->cursor, note_old, round);
		if (r < 0)
			return r;
		if (r == 0 && !round->n_old)
			return pins_drop_old_flows(datapath);
		if (!round->keys.n)
			return r;
	}
	r = each_key(datapath, round, end_ns, carry_one);
	return r < 0 ? r : r > 0 || round->cursor.is_begun;
}

/* Reading. */

/* Whether a row counts what a listener does that its ENI has no more: else whoever makes one listener after
 * the other would fill the table. */
static bool is_listener_gone(const struct datapath *datapath, const struct pl_tally_key *key)
{
	uint32_t slot = key->slot & PL_TALLY_SLOT;
	struct pl_listener_key listener = {.port = htons((uint16_t)(key->slot >> PL_TALLY_PORT)),
					   .protocol = (uint8_t)(key->what >> PL_TALLY_PROTOCOL)};
	const void *row = rowset_find(&datapath->enis.mirror, &slot);
	struct pl_eni eni;

	if (!row || !listener.port)
		return false;
	memcpy(&eni, row, sizeof(eni));
	listener.target = eni.target;
	return !rowset_find(&datapath->listeners.mirror, &listener);
}

static int add_count(void *context, const void *key, const void *value)
{
	struct datapath *datapath = context;
	struct pl_tally_key tally_key;
	struct pl_count count;

	memcpy(&tally_key, key, sizeof(tally_key));
	memcpy(&count, value, sizeof(count));
	if ((is_slot_gone(datapath, tally_key.slot & PL_TALLY_SLOT) ||
	     is_listener_gone(datapath, &tally_key)) &&
	    rowset_append(&datapath->round->idle, key, value) < 0)
		return -ENOMEM;
	return tallies_add_count(datapath->tallies, &tally_key, &count);
}

static int add_flow(void *context, const void *key, const void *value)
{
	struct datapath *datapath = context;
	struct pl_flow4_key flow_key;
	struct pl_flow4 flow;
	int r;

	memcpy(&flow_key, key, sizeof(flow_key));
	memcpy(&flow, value, sizeof(flow));
	nat_count_flow(datapath, &flow);
	r = tallies_add(datapath->tallies, &flow_key, &flow);
	if (r == 0 && (is_slot_gone(datapath, flow.slot) || is_slot_gone(datapath, flow.peer)))
		r = rowset_append(&datapath->round->keys, key, value);
	return r;
}

/* What has not moved over yet from a table with rows of another size. Of a row that moves between the two
 * meanwhile neither walk sees anything; of one that is seen twice the numbers would stay. */
static int add_old(void *context, const void *key, const void *value)
{
	struct datapath *datapath = context;
	struct pl_flow4_key flow_key;
	struct pl_flow4 flow = {};

	datapath->round->n_left++;
	memcpy(&flow_key, key, sizeof(flow_key));
	memcpy(&flow, value, MIN(sizeof(flow), (size_t)datapath->skeleton->rodata->pl_old_row_size));
	return tallies_add(datapath->tallies, &flow_key, &flow);
}

static int end_one(struct datapath *datapath, const struct pl_flow4_key *key)
{
	int r = ask(datapath, PL_ASK_END, key);

	if (r > 0)
		datapath->round->n_ended++;
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

/* In one step: what is counted until then stays with the slot. */
static int take_away_from(struct datapath *datapath, int fd, const void *row_key)
{
	struct pl_tally_key key;
	struct pl_count count;

	memcpy(&key, row_key, sizeof(key));
	if (bpf_map_lookup_and_delete_elem(fd, &key, &count) < 0)
		return errno == ENOENT ? 0 : -errno;
	tallies_keep(datapath->tallies, &key, &count);
	return 0;
}

static int take_away(struct datapath *datapath, const void *row_key)
{
	int r = take_away_from(datapath, tallies_fd(datapath), row_key);

	return r < 0 ? r : take_away_from(datapath, slot_tallies_fd(datapath), row_key);
}

static int tidy(struct datapath *datapath, struct round *round, int64_t end_ns)
{
	int r = 0;

	while (round->at < round->idle.n && r == 0) {
		if (now_ns() >= end_ns)
			return 1;
		r = take_away(datapath, rowset_key(&round->idle, round->at++));
	}
	if (r < 0)
		return r;
	tallies_tidy(datapath->tallies, is_free, datapath);
	return 0;
}

/* A piece of a step. 1: there is more of it. */
static int step_on(struct datapath *datapath, struct round *round, int64_t end_ns)
{
	switch (round->step) {
	case STEP_CARRY:
		return carry_on(datapath, round, end_ns);
	case STEP_COUNTS:
		if (!round->cursor.is_begun)
			tallies_begin(datapath->tallies);
		return table_walk_on(tallies_fd(datapath), &round->cursor, add_count, datapath);
	case STEP_SLOT_COUNTS:
		return table_walk_on(slot_tallies_fd(datapath), &round->cursor, add_count, datapath);
	case STEP_FLOWS:
		if (!round->cursor.is_begun)
			nat_count_begin(datapath);
		return table_walk_on(flows4_fd(datapath), &round->cursor, add_flow, datapath);
	case STEP_OLD_FLOWS:
		if (datapath->old_flows_fd < 0)
			return 0;
		return table_walk_on(datapath->old_flows_fd, &round->cursor, add_old, datapath);
	case STEP_END:
		return each_key(datapath, round, end_ns, end_one);
	case STEP_TIDY:
	default:
		return tidy(datapath, round, end_ns);
	}
}

static struct round *round_new(void)
{
	struct round *round = calloc(1, sizeof(*round));

	if (round) {
		round->keys = rowset_make(sizeof(struct pl_flow4_key), 0);
		round->idle = rowset_make(sizeof(struct pl_tally_key), 0);
	}
	return round;
}

void round_free(struct datapath *datapath)
{
	struct round *round = datapath->round;

	if (!round)
		return;
	table_cursor_done(&round->cursor);
	rowset_done(&round->keys);
	rowset_done(&round->idle);
	free(round);
	datapath->round = NULL;
}

int datapath_read_flows(struct datapath *datapath, uint64_t *ret_ended)
{
	int64_t end_ns = now_ns() + PIECE_NS;
	struct round *round;
	int r = 0;

	if (!datapath->round)
		datapath->round = round_new();
	round = datapath->round;
	if (!round)
		return -ENOMEM;
	while (r >= 0 && round->step < STEPS && now_ns() < end_ns) {
		r = step_on(datapath, round, end_ns);
		if (r == 0) {
			round->step++;
			/* Before the first sync nobody knows which slots are in use. */
			if (round->step == STEP_COUNTS && !datapath->is_synced)
				r = -EAGAIN;
			if (round->step == STEP_END) {
				tallies_end(datapath->tallies);
				nat_count_end(datapath);
				datapath->n_old_flows = round->n_left;
			}
		}
	}
	if (r >= 0 && round->step < STEPS)
		return 1;
	*ret_ended = round->n_ended;
	round_free(datapath);
	return r < 0 ? r : 0;
}

static int count_row(void *context, const void *key, const void *value)
{
	(void)key;
	(void)value;
	(*(uint64_t *)context)++;
	return 0;
}

int datapath_count_old_flows(struct datapath *datapath)
{
	datapath->n_old_flows = 0;
	if (datapath->old_flows_fd < 0)
		return 0;
	return table_walk(datapath->old_flows_fd, count_row, &datapath->n_old_flows);
}

int datapath_flow_count(const struct datapath *datapath, uint64_t *ret)
{
	uint64_t count = datapath->n_old_flows;
	uint32_t zero = 0;
	struct pl_uses uses;

	if (bpf_map_lookup_elem(bpf_map__fd(datapath->skeleton->maps.pl_uses), &zero, &uses) < 0)
		return -errno;
	for (int range = 0; range < PL_RANGES; range++)
		count += 2ull * uses.used[range];
	*ret = count;
	return 0;
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

void datapath_listener_tallies(const struct datapath *datapath, datapath_listener_callback callback,
			       void *context)
{
	tallies_each_listener(datapath->tallies, callback, context);
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
