/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the flows of an ENI come to, and those of each of its listeners: from the rows of flows and from what
 * the program counts. A listener that goes leaves the ENI what it had counted; there are so many, and no
 * more.
 */
#include "../tap.h"
#include "datapath/tallies.h"

#include <netinet/in.h>

#include "bpf/pl_reasons.h"

#define SLOT 20
#define PORT 443

static struct pl_tally_key key_of(uint16_t port, uint32_t what)
{
	return (struct pl_tally_key){.slot = SLOT | (uint32_t)port << PL_TALLY_PORT,
				     .what = what | (port ? IPPROTO_TCP : 0) << PL_TALLY_PROTOCOL};
}

static void count(struct tallies *tallies, uint16_t port, uint32_t what, uint64_t packets)
{
	struct pl_tally_key key = key_of(port, what);

	(void)tallies_add_count(tallies, &key, &(struct pl_count){packets, 100 * packets});
}

/* A flow to the listener, in both directions. */
static void add_flow(struct tallies *tallies, uint16_t port, uint32_t packets)
{
	struct pl_flow4_key key = {
		.sport = htons(4000), .dport = htons(port), .vpc_proto = 10 << 8 | IPPROTO_TCP};
	struct pl_flow4 flow = {.kind = PL_FLOW_NAT, .slot = SLOT, .packets = packets, .dport = htons(8443)};

	(void)tallies_add(tallies, &key, &flow);
	key = (struct pl_flow4_key){
		.sport = htons(8443), .dport = htons(2000), .vpc_proto = 40 << 8 | IPPROTO_TCP};
	flow = (struct pl_flow4){
		.kind = PL_FLOW_NAT_BACK, .slot = SLOT, .packets = 2 * packets, .sport = htons(port)};
	(void)tallies_add(tallies, &key, &flow);
}

struct reading {
	uint16_t port; /* 0: of the ENI */
	struct datapath_tally tally;
	size_t n; /* listeners, or ENIs */
	bool is_there;
};

static void take_slot(void *context, uint32_t slot, const struct datapath_tally *tally)
{
	struct reading *reading = context;

	reading->n++;
	if (slot == SLOT)
		reading->tally = *tally;
}

static void take_listener(void *context, uint32_t slot, uint8_t protocol, uint16_t port,
			  const struct datapath_tally *tally)
{
	struct reading *reading = context;

	reading->n++;
	if (slot != SLOT || protocol != IPPROTO_TCP || port != reading->port)
		return;
	reading->tally = *tally;
	reading->is_there = true;
}

static struct reading read(const struct tallies *tallies, uint16_t port)
{
	struct reading reading = {.port = port};

	if (port)
		tallies_each_listener(tallies, take_listener, &reading);
	else
		tallies_each(tallies, take_slot, &reading);
	return reading;
}

static bool is(const struct datapath_tally *tally, uint64_t in, uint64_t out, uint64_t opened, uint64_t open)
{
	if (tally->packets[0] == in && tally->packets[1] == out && tally->opened == opened &&
	    tally->open == open)
		return true;
	tap_note("%llu in, %llu out, %llu opened, %llu open", (unsigned long long)tally->packets[0],
		 (unsigned long long)tally->packets[1], (unsigned long long)tally->opened,
		 (unsigned long long)tally->open);
	return false;
}

static void test_listeners(struct tallies *tallies)
{
	struct reading reading;

	tallies_begin(tallies);
	count(tallies, PORT, PL_TALLY_OPENED, 3);
	count(tallies, PORT, PL_TALLY_ENDED, 5);
	count(tallies, PORT, PL_TALLY_ENDED | PL_TALLY_OUT, 6);
	count(tallies, PORT, PL_DROP_BANDWIDTH | PL_TALLY_OUT, 2);
	count(tallies, 80, PL_TALLY_OPENED, 1);
	count(tallies, 0, PL_DROP_POLICY_IN, 4);
	add_flow(tallies, PORT, 10);
	add_flow(tallies, 80, 100);
	tallies_end(tallies);
	reading = read(tallies, PORT);
	tap_ok(is(&reading.tally, 15, 26, 3, 1), "a listener has the counts of its flows");
	tap_ok(reading.tally.drops[PL_DROP_BANDWIDTH] == 2 &&
		       reading.tally.dropped_packets[DATAPATH_OUT] == 2 &&
		       reading.tally.drops[PL_DROP_POLICY_IN] == 0,
	       "and what was dropped of them");
	reading = read(tallies, 80);
	tap_ok(is(&reading.tally, 100, 200, 1, 1) && reading.n == 2, "another one has its own");
	reading = read(tallies, 0);
	tap_ok(is(&reading.tally, 115, 226, 4, 2) && reading.tally.drops[PL_DROP_POLICY_IN] == 4 &&
		       reading.tally.drops[PL_DROP_BANDWIDTH] == 2,
	       "the ENI has all of it");
}

static void test_gone(struct tallies *tallies)
{
	struct pl_tally_key key = key_of(80, PL_TALLY_OPENED);
	struct reading reading;

	tallies_begin(tallies);
	count(tallies, PORT, PL_TALLY_OPENED, 2);
	count(tallies, 80, PL_TALLY_OPENED, 1);
	tallies_end(tallies);
	reading = read(tallies, PORT);
	tap_ok(is(&reading.tally, 15, 26, 3, 0), "a count that seems to fall is held");
	tallies_keep(tallies, &key, &(struct pl_count){7, 0});
	tallies_begin(tallies);
	count(tallies, PORT, PL_TALLY_OPENED, 2);
	tallies_end(tallies);
	tap_ok(!read(tallies, 80).is_there, "a listener of which nothing is there is none any more");
	reading = read(tallies, 0);
	tap_ok(reading.tally.opened == 2 + 7, "what it had counted is the ENI's");
}

/* It goes, a flow of it is still there, and it is made again before that ends. */
static void test_again(struct tallies *tallies)
{
	struct pl_tally_key opened = key_of(8080, PL_TALLY_OPENED), ended = key_of(8080, PL_TALLY_ENDED);
	struct reading reading;

	tallies_begin(tallies);
	count(tallies, 8080, PL_TALLY_OPENED, 50);
	count(tallies, 8080, PL_TALLY_ENDED, 1000);
	add_flow(tallies, 8080, 10);
	tallies_end(tallies);
	tallies_keep(tallies, &opened, &(struct pl_count){50, 0});
	tallies_keep(tallies, &ended, &(struct pl_count){1001, 0});
	reading = read(tallies, 8080);
	tap_ok(is(&reading.tally, 1010, 20, 50, 1), "a listener whose rows go stays for now");
	tallies_begin(tallies);
	add_flow(tallies, 8080, 12);
	tallies_end(tallies);
	reading = read(tallies, 8080);
	tap_ok(is(&reading.tally, 1013, 24, 50, 1), "with a flow it goes on from what they had");
	tallies_begin(tallies);
	count(tallies, 8080, PL_TALLY_OPENED, 3);
	count(tallies, 8080, PL_TALLY_ENDED, 12);
	count(tallies, 8080, PL_TALLY_ENDED | PL_TALLY_OUT, 25);
	tallies_end(tallies);
	reading = read(tallies, 8080);
	tap_ok(is(&reading.tally, 1013, 25, 53, 0), "and so do its new counts, when it is made again");
	reading = read(tallies, 0);
	tap_ok(reading.tally.packets[0] == 1013, "as the ENI does");
	tallies_begin(tallies);
	tallies_end(tallies);
	tap_ok(!read(tallies, 8080).is_there, "with none it is gone");
	tallies_begin(tallies);
	count(tallies, 8080, PL_TALLY_OPENED, 1);
	tallies_end(tallies);
	reading = read(tallies, 8080);
	tap_ok(is(&reading.tally, 0, 0, 1, 0), "and another one begins anew");
}

static bool is_free(const void *context, uint32_t slot)
{
	(void)context;
	return slot == SLOT;
}

static void test_many(struct tallies *tallies)
{
	struct reading reading;

	tallies_begin(tallies);
	for (uint32_t port = 1; port <= DATAPATH_LISTENERS_MAX + 10; port++)
		count(tallies, (uint16_t)port, PL_TALLY_OPENED, 1);
	tallies_end(tallies);
	reading = read(tallies, 1);
	tap_is_int((long long)reading.n, DATAPATH_LISTENERS_MAX,
		   "so many listeners are counted by themselves");
	reading = read(tallies, 0);
	tap_is_int((long long)reading.tally.opened, DATAPATH_LISTENERS_MAX + 10 + 7 + 50,
		   "and the ENI counts all");
	tallies_tidy(tallies, is_free, NULL);
	tap_ok(read(tallies, 1).n == 0 && read(tallies, 0).n == 0, "of a slot that is free nothing stays");
}

int main(void)
{
	struct tallies *tallies;

	if (tallies_new(64, &tallies) < 0)
		return EXIT_FAILURE;
	test_listeners(tallies);
	test_gone(tallies);
	test_again(tallies);
	test_many(tallies);
	tallies_free(tallies);
	return tap_done();
}
