/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interval is told only if it was measured from end to end: there was a reading when the clock came to its
 * begin, and the next one when it came to its end, or a little later (then the next interval has less). So a
 * gap is where the agent was not running, was held up for ten seconds, or the clock was set; what was counted
 * meanwhile is then the next reading's to begin with.
 *
 * A reading may miss what the next one has (flows that end during it); a count that seems to fall is held
 * until it is reached again, so that nothing is counted twice and no difference is negative.
 */
#include "meter.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "../lib/log.h"
#include "../lib/vec.h"

/* One slot in a reading. */
struct reading {
	uint32_t slot, number;
	struct datapath_tally tally;
};

struct readings {
	struct reading *v;
	size_t n, size;
};

struct interval {
	int64_t time; /* at which it began */
	char *text;   /* as it is told */
	size_t size;
	bool is_taken;
};

struct meter {
	struct readings last, now;
	bool is_late;		 /* the reading, behind its boundary */
	int64_t last_time, time; /* of which boundary of the clock they are, in seconds; 0: there was none */
	struct interval held[METER_HELD_MAX]; /* the oldest first */
	size_t n_held, held_bytes;
};

int meter_new(struct meter **ret)
{
	struct meter *meter = calloc(1, sizeof(*meter));

	if (!meter)
		return -ENOMEM;
	*ret = meter;
	return 0;
}

struct meter *meter_free(struct meter *meter)
{
	if (!meter)
		return NULL;
	for (size_t i = 0; i < meter->n_held; i++)
		free(meter->held[i].text);
	free(meter->last.v);
	free(meter->now.v);
	free(meter);
	return NULL;
}

/* ---- what is held ---- */

static void drop_oldest(struct meter *meter)
{
	meter->held_bytes -= meter->held[0].size;
	free(meter->held[0].text);
	meter->n_held--;
	memmove(meter->held, meter->held + 1, meter->n_held * sizeof(meter->held[0]));
}

/* The text is taken. -EFBIG: it is too long to be told. */
static int hold_text(struct meter *meter, int64_t time, char *text)
{
	size_t size = strlen(text);

	if (size > METER_TEXT_MAX) {
		log_warning("the traffic of an interval is not told: it takes more than %d bytes",
			    METER_TEXT_MAX);
		free(text);
		return -EFBIG;
	}
	while (meter->n_held == METER_HELD_MAX ||
	       (meter->n_held && meter->held_bytes + size > METER_HELD_BYTES_MAX))
		drop_oldest(meter);
	meter->held[meter->n_held++] = (struct interval){.time = time, .text = text, .size = size};
	meter->held_bytes += size;
	return 0;
}

/* What the clock has put into the future is not told a second time when it comes. */
static void forget_from(struct meter *meter, int64_t time)
{
	while (meter->n_held && meter->held[meter->n_held - 1].time >= time) {
		meter->n_held--;
		meter->held_bytes -= meter->held[meter->n_held].size;
		free(meter->held[meter->n_held].text);
	}
}

/* ---- differences ---- */

/* What an endpoint zone had in an interval. */
struct traffic {
	const char *endpoint, *zone;
	struct datapath_tally tally;
};

struct traffics {
	struct traffic *v;
	size_t n, size;
};

/* Not less than before: see above. */
static void keep_rising(uint64_t *is, uint64_t was)
{
	*is = MAX(*is, was);
}

static void hold_counts(struct datapath_tally *is, const struct datapath_tally *was)
{
	for (int side = 0; side < 2; side++) {
		keep_rising(&is->packets[side], was->packets[side]);
		keep_rising(&is->bytes[side], was->bytes[side]);
		keep_rising(&is->dropped_packets[side], was->dropped_packets[side]);
		keep_rising(&is->dropped_bytes[side], was->dropped_bytes[side]);
	}
	keep_rising(&is->opened, was->opened);
	for (size_t i = 0; i < DATAPATH_REASONS_MAX; i++)
		keep_rising(&is->drops[i], was->drops[i]);
}

static void add_difference(struct datapath_tally *to, const struct datapath_tally *is,
			   const struct datapath_tally *was)
{
	for (int side = 0; side < 2; side++) {
		to->packets[side] += is->packets[side] - was->packets[side];
		to->bytes[side] += is->bytes[side] - was->bytes[side];
		to->dropped_packets[side] += is->dropped_packets[side] - was->dropped_packets[side];
		to->dropped_bytes[side] += is->dropped_bytes[side] - was->dropped_bytes[side];
	}
	to->opened += is->opened - was->opened;
	to->open += is->open;
	for (size_t i = 0; i < DATAPATH_REASONS_MAX; i++)
		to->drops[i] += is->drops[i] - was->drops[i];
}

/* NULL: of that slot nothing was counted. */
static const struct reading *last_of(const struct meter *meter, uint32_t slot)
{
	const struct readings *last = &meter->last;
	size_t i = LOWER_BOUND(j, last->n, last->v[j].slot < slot);

	return i < last->n && last->v[i].slot == slot ? &last->v[i] : NULL;
}

/* The last reading of a slot with the same owner; a slot that had none begins at zero, one that was another's
 * begins where it is. */
static const struct datapath_tally *base_of(const struct meter *meter, const struct reading *reading)
{
	static const struct datapath_tally zero;
	const struct reading *last = last_of(meter, reading->slot);

	if (!last)
		return &zero;
	return last->number == reading->number ? &last->tally : &reading->tally;
}

static const struct meter_owner *owner_of(const struct meter_owner *owners, size_t n, uint32_t slot)
{
	size_t i = LOWER_BOUND(j, n, owners[j].slot < slot);

	return i < n && owners[i].slot == slot ? &owners[i] : NULL;
}

static int compare_traffic(const void *a, const void *b)
{
	const struct traffic *x = a, *y = b;
	int r = strcmp(x->endpoint, y->endpoint);

	return r ? r : strcmp(x->zone, y->zone);
}

/* A zone that migrates has two ENIs. */
static void merge(struct traffics *traffics)
{
	static const struct datapath_tally zero;
	size_t kept = 0;

	if (traffics->n)
		qsort(traffics->v, traffics->n, sizeof(*traffics->v), compare_traffic);
	for (size_t i = 0; i < traffics->n; i++)
		if (kept && compare_traffic(&traffics->v[kept - 1], &traffics->v[i]) == 0)
			add_difference(&traffics->v[kept - 1].tally, &traffics->v[i].tally, &zero);
		else
			traffics->v[kept++] = traffics->v[i];
	traffics->n = kept;
}

static int gather(struct meter *meter, const struct meter_owner *owners, size_t n_owners,
		  struct traffics *ret)
{
	for (size_t i = 0; i < meter->now.n; i++) {
		struct reading *reading = &meter->now.v[i];
		const struct meter_owner *owner = owner_of(owners, n_owners, reading->slot);
		const struct datapath_tally *base = base_of(meter, reading);
		struct traffic *traffic;

		hold_counts(&reading->tally, base);
		if (!owner)
			continue;
		if (VEC_ROOM(ret->v, ret->n, ret->size) < 0)
			return -ENOMEM;
		traffic = &ret->v[ret->n++];
		*traffic = (struct traffic){.endpoint = owner->endpoint, .zone = owner->zone};
		add_difference(&traffic->tally, &reading->tally, base);
	}
	merge(ret);
	return 0;
}

/* ---- as it is told ---- */

static bool is_idle(const struct datapath_tally *tally)
{
	static const struct datapath_tally zero;

	return memcmp(tally, &zero, sizeof(zero)) == 0;
}

static void put_pair(json_t *zone, const char *name, uint64_t first, uint64_t second)
{
	if (first || second)
		(void)json_object_set_new(zone, name,
					  json_pack("[I, I]", (json_int_t)first, (json_int_t)second));
}

static void put_drops(json_t *zone, const struct datapath_tally *tally)
{
	json_t *drops = NULL;

	for (size_t i = 0; i < DATAPATH_REASONS_MAX; i++) {
		const char *name = tally->drops[i] ? datapath_drop_name(i) : NULL;

		if (!name)
			continue;
		if (!drops)
			drops = json_object();
		(void)json_object_set_new(drops, name, json_integer((json_int_t)tally->drops[i]));
	}
	if (drops)
		(void)json_object_set_new(zone, "drops", drops);
}

static json_t *zone_as_json(const struct traffic *traffic)
{
	json_t *zone = json_pack("{s:s, s:s}", "endpoint", traffic->endpoint, "zone", traffic->zone);
	const struct datapath_tally *tally = &traffic->tally;

	put_pair(zone, "in", tally->packets[DATAPATH_IN], tally->bytes[DATAPATH_IN]);
	put_pair(zone, "out", tally->packets[DATAPATH_OUT], tally->bytes[DATAPATH_OUT]);
	put_pair(zone, "in_drop", tally->dropped_packets[DATAPATH_IN], tally->dropped_bytes[DATAPATH_IN]);
	put_pair(zone, "out_drop", tally->dropped_packets[DATAPATH_OUT], tally->dropped_bytes[DATAPATH_OUT]);
	put_pair(zone, "flows", tally->opened, tally->open);
	put_drops(zone, tally);
	return zone;
}

/* The interval's text; the caller's. */
static char *format(int64_t time, const struct traffics *traffics)
{
	json_t *zones = json_array(), *interval;
	char *text;

	for (size_t i = 0; zones && i < traffics->n; i++)
		if (!is_idle(&traffics->v[i].tally))
			(void)json_array_append_new(zones, zone_as_json(&traffics->v[i]));
	interval = json_pack("{s:I, s:o}", "time", (json_int_t)time, "zones", zones);
	text = interval ? json_dumps(interval, JSON_COMPACT) : NULL;
	json_decref(interval);
	return text;
}

/* ---- readings ---- */

void meter_begin(struct meter *meter, int64_t now_ms)
{
	meter->now.n = 0;
	meter->time = now_ms / 1000 / METER_INTERVAL_S * METER_INTERVAL_S;
	meter->is_late = now_ms - meter->time * 1000 > METER_LATE_MS;
}

int meter_add(struct meter *meter, uint32_t slot, const struct datapath_tally *tally)
{
	if (VEC_ROOM(meter->now.v, meter->now.n, meter->now.size) < 0)
		return -ENOMEM;
	meter->now.v[meter->now.n++] = (struct reading){.slot = slot, .tally = *tally};
	return 0;
}

static void set_numbers(struct readings *readings, const struct meter_owner *owners, size_t n_owners)
{
	for (size_t i = 0; i < readings->n; i++) {
		const struct meter_owner *owner = owner_of(owners, n_owners, readings->v[i].slot);

		readings->v[i].number = owner ? owner->number : 0;
	}
}

/* What is over is held, if it was one interval. */
static int end_interval(struct meter *meter, const struct meter_owner *owners, size_t n_owners)
{
	struct traffics traffics = {};
	char *text;
	int r;

	r = gather(meter, owners, n_owners, &traffics);
	text = r == 0 ? format(meter->last_time, &traffics) : NULL;
	free(traffics.v);
	if (r < 0 || !text)
		return -ENOMEM;
	r = hold_text(meter, meter->last_time, text);
	return r < 0 ? r : 1;
}

int meter_end(struct meter *meter, const struct meter_owner *owners, size_t n_owners)
{
	struct readings spare = meter->last;
	int r = meter->last_time ? -EAGAIN : 0;

	if (meter->last_time && meter->time == meter->last_time)
		return 0;
	set_numbers(&meter->now, owners, n_owners);
	forget_from(meter, meter->time);
	if (meter->last_time && meter->time == meter->last_time + METER_INTERVAL_S)
		r = end_interval(meter, owners, n_owners);
	else if (meter->is_late)
		meter->time = 0;
	meter->last = meter->now;
	meter->last_time = meter->time;
	meter->now = spare;
	return r;
}

/* ---- from the data path ---- */

struct reading_all {
	struct meter *meter;
	int r;
};

static void read_tally(void *context, uint32_t slot, const struct datapath_tally *tally)
{
	struct reading_all *all = context;

	if (all->r == 0)
		all->r = meter_add(all->meter, slot, tally);
}

static int compare_owners(const void *a, const void *b)
{
	const struct meter_owner *x = a, *y = b;

	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static struct meter_owner *owners_of(const struct plan *plan)
{
	struct meter_owner *owners = calloc(plan->n_enis + 1, sizeof(*owners));

	for (size_t i = 0; owners && i < plan->n_enis; i++)
		owners[i] = (struct meter_owner){
			.slot = plan->enis[i].slot,
			.number = plan->enis[i].value.number,
			.endpoint = plan->enis[i].endpoint,
			.zone = plan->enis[i].zone,
		};
	if (owners)
		qsort(owners, plan->n_enis, sizeof(*owners), compare_owners);
	return owners;
}

int meter_read(struct meter *meter, const struct datapath *datapath, const struct plan *plan, int64_t now_ms)
{
	_cleanup_(freep) struct meter_owner *owners = NULL;
	struct reading_all all = {.meter = meter};

	meter_begin(meter, now_ms);
	if (meter->last_time && meter->time == meter->last_time)
		return 0;
	owners = owners_of(plan);
	if (!owners)
		return -ENOMEM;
	datapath_tallies(datapath, read_tally, &all);
	return all.r < 0 ? all.r : meter_end(meter, owners, plan->n_enis);
}

/* ---- reports ---- */

/* As JSON has it; the caller's. */
static char *quoted(const char *word)
{
	json_t *json = json_string(word);
	char *text = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;

	json_decref(json);
	return text;
}

/* As many intervals as go into one report. */
static size_t until_full(const struct meter *meter, size_t first)
{
	size_t size = 0, i = first;

	while (i < meter->n_held && (i == first || size + meter->held[i].size <= METER_BODY_MAX))
		size += meter->held[i++].size;
	return i;
}

char *meter_report(const struct meter *meter, const char *node, const char *store, int64_t *ret_until)
{
	_cleanup_(freep) char *name = quoted(node);
	size_t first = 0, end, size = 0;
	char *body = NULL;
	FILE *to;

	while (first < meter->n_held && meter->held[first].is_taken)
		first++;
	if (first == meter->n_held || !name)
		return NULL;
	end = until_full(meter, first);
	to = open_memstream(&body, &size);
	if (!to)
		return NULL;
	fprintf(to, "{\"node\":%s,\"store\":\"%s\",\"intervals\":[", name, store);
	for (size_t i = first; i < end; i++)
		fprintf(to, "%s%s", i > first ? "," : "", meter->held[i].text);
	fprintf(to, "]}");
	if (fclose(to) != 0) {
		free(body);
		return NULL;
	}
	*ret_until = meter->held[end - 1].time;
	return body;
}

void meter_taken(struct meter *meter, int64_t until)
{
	for (size_t i = 0; i < meter->n_held; i++)
		if (meter->held[i].time <= until)
			meter->held[i].is_taken = true;
}

void meter_tell_again(struct meter *meter, int64_t since)
{
	for (size_t i = 0; i < meter->n_held; i++)
		if (meter->held[i].time >= since)
			meter->held[i].is_taken = false;
}

void meter_each(const struct meter *meter, meter_callback callback, void *context)
{
	for (size_t i = 0; i < meter->last.n; i++)
		callback(context, meter->last.v[i].slot, meter->last.v[i].number, &meter->last.v[i].tally);
}

uint32_t meter_number(const struct meter *meter, uint32_t slot)
{
	const struct reading *last = last_of(meter, slot);

	return last ? last->number : 0;
}
