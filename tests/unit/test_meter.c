/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent tells of traffic: differences of what the data path counts, each once, none negative; what is
 * a gap; and what is held for a privlinkd that comes later.
 */
#include "../tap.h"

#include <jansson.h>
#include <stdlib.h>

#include "agent/meter.h"
#include "lib/log.h"

#define T0 1800000000ll

static const struct meter_owner owners[] = {
	{.slot = 16, .number = 1, .endpoint = "ep-1", .zone = "h"},
	{.slot = 17, .number = 2, .endpoint = "ep-1", .zone = "h"}, /* it migrates */
	{.slot = 18, .number = 3, .endpoint = "ep-2", .zone = "i"},
};
static struct meter_owner changed[ARRAY_SIZE(owners)];

static struct meter *fresh(void)
{
	struct meter *meter;

	memcpy(changed, owners, sizeof(owners));
	if (meter_new(&meter) < 0)
		abort();
	return meter;
}

static struct datapath_tally packets(uint64_t n)
{
	return (struct datapath_tally){.packets = {n, 2 * n}, .bytes = {100 * n, 200 * n}};
}

/* One slot with so many packets, so many seconds after T0; 0: none has any. */
static int read_one(struct meter *meter, double s, uint32_t slot, uint64_t n)
{
	struct datapath_tally tally = packets(n);

	meter_begin(meter, T0 * 1000 + (int64_t)(s * 1000));
	if (slot)
		(void)meter_add(meter, slot, &tally);
	return meter_end(meter, changed, ARRAY_SIZE(changed));
}

/* What would be told now, and is taken then; the caller's. */
static json_t *tell(struct meter *meter)
{
	int64_t until;
	char *text = meter_report(meter, "n\"1", "store", &until);
	json_t *report = text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	if (report)
		meter_taken(meter, until);
	return report;
}

static const json_t *interval(const json_t *report, size_t i)
{
	return json_array_get(json_object_get(report, "intervals"), i);
}

static long long number(const json_t *report, size_t i, size_t zone, const char *name, size_t which)
{
	const json_t *entry = json_array_get(json_object_get(interval(report, i), "zones"), zone);
	const json_t *value = json_array_get(json_object_get(entry, name), which);

	return value ? json_integer_value(value) : -1;
}

static long long time_of(const json_t *report, size_t i)
{
	return json_integer_value(json_object_get(interval(report, i), "time")) - T0;
}

static size_t count(const json_t *report, size_t i)
{
	return json_array_size(json_object_get(interval(report, i), "zones"));
}

static void test_differences(void)
{
	struct meter *meter = fresh();
	json_t *report;

	tap_ok(read_one(meter, 0.02, 16, 1000) <= 0, "where counting begins nothing is told");
	tap_ok(!tell(meter), "nothing at all");
	tap_is_int(read_one(meter, 5.02, 16, 1003), 0, "nor in the middle of an interval");
	tap_is_int(read_one(meter, 10.02, 16, 1007), 1, "at its end it is");
	report = tell(meter);
	tap_is_str(json_string_value(json_object_get(report, "node")), "n\"1", "with the node's name, …");
	tap_is_int(time_of(report, 0), 0, "when it began, …");
	tap_is_int(number(report, 0, 0, "in", 0), 7, "what came, …");
	tap_is_int(number(report, 0, 0, "out", 1), 1400, "and each way");
	json_decref(report);
	tap_is_int(read_one(meter, 20.02, 16, 1007), 1, "an interval without traffic …");
	report = tell(meter);
	tap_ok(time_of(report, 0) == 10 && count(report, 0) == 0, "… is told, with no zone");
	json_decref(report);
	(void)read_one(meter, 30.02, 16, 1000);
	(void)read_one(meter, 40.02, 16, 1010);
	report = tell(meter);
	tap_is_int((long long)count(report, 0), 0, "a count that falls is no traffic");
	tap_is_int(number(report, 1, 0, "in", 0), 3, "and what it comes back to is not counted twice");
	json_decref(report);
	meter_free(meter);
}

static void test_all_numbers(void)
{
	struct datapath_tally tally = {
		.dropped_packets = {3, 4}, .dropped_bytes = {300, 400}, .opened = 5, .open = 6};
	struct meter *meter = fresh();
	size_t reason = 0;
	json_t *report;

	while (!datapath_drop_name(reason))
		reason++;
	tally.drops[reason] = 7;
	tally.drops[DATAPATH_REASONS_MAX - 1] = 1; /* a later version's program counts that */
	(void)read_one(meter, 0, 0, 0);
	meter_begin(meter, (T0 + 10) * 1000);
	(void)meter_add(meter, 18, &tally);
	(void)meter_end(meter, owners, ARRAY_SIZE(owners));
	report = tell(meter);
	tap_ok(number(report, 0, 0, "in_drop", 0) == 3 && number(report, 0, 0, "out_drop", 1) == 400,
	       "drops are told");
	tap_ok(number(report, 0, 0, "flows", 0) == 5 && number(report, 0, 0, "flows", 1) == 6, "and flows");
	tap_ok(json_integer_value(json_object_get(
		       json_object_get(json_array_get(json_object_get(interval(report, 0), "zones"), 0),
				       "drops"),
		       datapath_drop_name(reason))) == 7,
	       "and drops by their reasons' names");
	json_decref(report);
	meter_begin(meter, (T0 + 20) * 1000);
	(void)meter_add(meter, 18, &tally);
	(void)meter_end(meter, owners, ARRAY_SIZE(owners));
	report = tell(meter);
	tap_ok(number(report, 0, 0, "flows", 1) == 6 && number(report, 0, 0, "in_drop", 0) == -1,
	       "flows that are open are told again, what was counted is not");
	json_decref(report);
	meter_free(meter);
}

static void test_owners(void)
{
	struct datapath_tally tally = packets(10);
	struct meter *meter = fresh();
	json_t *report;

	(void)read_one(meter, 0, 0, 0);
	meter_begin(meter, (T0 + 10) * 1000);
	for (uint32_t slot = 15; slot < 20; slot++)
		(void)meter_add(meter, slot, &tally);
	(void)meter_end(meter, changed, ARRAY_SIZE(changed));
	report = tell(meter);
	tap_is_int((long long)count(report, 0), 2, "slots of nobody are not told");
	tap_is_int(number(report, 0, 0, "in", 0), 20, "a zone with two ENIs is one");
	tap_is_int(number(report, 0, 1, "in", 0), 10, "a slot that had nothing before begins at zero");
	json_decref(report);
	changed[2].number = 9;
	changed[2].endpoint = "ep-3";
	(void)read_one(meter, 20, 18, 500);
	(void)read_one(meter, 30, 18, 503);
	report = tell(meter);
	tap_is_int((long long)count(report, 0), 0, "of a slot that was another's nothing is told at first");
	tap_is_int(number(report, 1, 0, "in", 0), 3, "and then what is its own");
	json_decref(report);
	meter_free(meter);
}

static void test_gaps(void)
{
	static const struct {
		double first, second;
		int result;
		const char *name;
	} cases[] = {
		{0.02, 10.02, 1, "from end to end an interval is measured"},
		{2.9, 12.9, 1, "also when the readings are a little late"},
		{3.1, 10.02, 0, "one that begins in its midst is not"},
		{0.02, 20.02, -EAGAIN, "nor are two in one"},
		{0.02, -9.98, -EAGAIN, "nor one in which the clock was set back"},
		{0.02, 3600.02, -EAGAIN, "or ahead"},
		{0.02, 19.9, 1, "one whose end is late is"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct meter *meter = fresh();

		(void)read_one(meter, cases[i].first, 16, 1);
		tap_is_int(read_one(meter, cases[i].second, 16, 2), cases[i].result, "%s", cases[i].name);
		meter_free(meter);
	}
}

static void test_set_back(void)
{
	struct meter *meter = fresh();
	json_t *report;

	for (int i = 0; i <= 5; i++)
		(void)read_one(meter, 10 * i, 16, (uint64_t)i);
	(void)read_one(meter, 20, 16, 6);
	(void)read_one(meter, 30, 16, 7);
	report = tell(meter);
	tap_is_int((long long)json_array_size(json_object_get(report, "intervals")), 3,
		   "when the clock is set back, no interval is told twice");
	tap_is_int(number(report, 2, 0, "in", 0), 1, "it is the one of now");
	json_decref(report);
	meter_free(meter);
}

static void test_held(void)
{
	struct meter *meter = fresh();
	json_t *report;
	int64_t until;
	char *text;

	for (int i = 0; i <= 200; i++)
		(void)read_one(meter, 10 * i, 16, (uint64_t)i);
	text = meter_report(meter, "n", "s", &until);
	free(text);
	report = tell(meter);
	tap_is_int((long long)json_array_size(json_object_get(report, "intervals")), METER_HELD_MAX,
		   "a quarter of an hour is held, and what was not taken is told again");
	tap_is_int(time_of(report, 0), 1100, "the last one");
	json_decref(report);
	tap_ok(!tell(meter), "what was taken is not told again");
	meter_tell_again(meter, T0 + 1500);
	report = tell(meter);
	tap_ok(json_array_size(json_object_get(report, "intervals")) == 50 && time_of(report, 0) == 1500,
	       "unless somebody asks for it");
	json_decref(report);
	meter_free(meter);
}

/* Very many zones. */
static void test_bound(void)
{
	static struct meter_owner many[20000];
	static char ids[20000][32];
	struct meter *meter = fresh();
	struct datapath_tally tally;
	size_t n_reports = 0, longest = 0;
	int64_t until;
	char *text;

	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++) {
		(void)str_format(ids[i], sizeof(ids[i]), "ep-%020u", i);
		many[i] = (struct meter_owner){
			.slot = i + 1, .number = i + 1, .endpoint = ids[i], .zone = "cn-hangzhou-h"};
	}
	for (int i = 0; i <= 10; i++) {
		tally = packets((uint64_t)i);
		meter_begin(meter, (T0 + 10 * i) * 1000);
		for (uint32_t slot = 1; slot <= ARRAY_SIZE(many); slot++)
			(void)meter_add(meter, slot, &tally);
		(void)meter_end(meter, many, ARRAY_SIZE(many));
	}
	while ((text = meter_report(meter, "n", "s", &until))) {
		longest = MAX(longest, strlen(text));
		meter_taken(meter, until);
		free(text);
		n_reports++;
	}
	tap_ok(n_reports >= 2 && n_reports < 10, "where zones are many the oldest intervals go");
	tap_ok(longest > METER_BODY_MAX && longest < METER_TEXT_MAX + 1000, "and each is told by itself");
	log_set_level(LOG_LEVEL_ERROR);
	tally = packets(1ull << 52);
	for (size_t i = 0; i < DATAPATH_REASONS_MAX; i++)
		tally.drops[i] = 1ull << 52;
	meter_begin(meter, (T0 + 110) * 1000);
	for (uint32_t slot = 1; slot <= ARRAY_SIZE(many); slot++)
		(void)meter_add(meter, slot, &tally);
	tap_is_int(meter_end(meter, many, ARRAY_SIZE(many)), -EFBIG,
		   "one that is too long to be told is a gap");
	tap_ok(!meter_report(meter, "n", "s", &until), "of which nothing is held");
	meter_free(meter);
}

int main(void)
{
	test_differences();
	test_all_numbers();
	test_owners();
	test_gaps();
	test_set_back();
	test_held();
	test_bound();
	return tap_done();
}
