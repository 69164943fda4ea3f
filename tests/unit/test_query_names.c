/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of packets and flows, and by which names they are told: a question becomes slots, an address,
 * a port; a slot becomes the endpoint or the instance that has it.
 */
#include "../tap.h"
#include "src/agent/query_names.h"

#include <netinet/in.h>

static struct plan_eni enis[] = {
	{.slot = 20, .endpoint = "ep-a", .zone = "h"},
	{.slot = 21, .endpoint = "ep-b", .zone = "h"},
	{.slot = 30, .endpoint = "ep-a", .zone = "i"},
};
static struct plan_port ports[] = {
	{.number = 1, .slot = 16, .instance = "i-1"},
	{.number = 2, .slot = 17, .instance = "i-2"},
};
static uint32_t by_slot[] = {0, 1};
static const struct plan plan = {
	.enis = enis,
	.n_enis = ARRAY_SIZE(enis),
	.ports = ports,
	.n_ports = ARRAY_SIZE(ports),
	.ports_by_slot = by_slot,
};

static int ask(const struct plan *of, const char *question, struct datapath_filter *ret, const char **why)
{
	json_t *json = json_loads(question, 0, NULL);
	int r = query_filter(of, json, ret, why);

	json_decref(json);
	return r;
}

static void test_filter(void)
{
	struct datapath_filter filter;
	const char *why = "";

	tap_ok(ask(&plan, "{}", &filter, &why) == 0 && filter.n_slots == 0 && !filter.has_addr &&
		       filter.port == 0 && !filter.drops && filter.rate == 1000,
	       "a question that says nothing is about everything");
	tap_ok(ask(&plan, "{\"target\": \"ep-a\"}", &filter, &why) == 0 && filter.n_slots == 2 &&
		       filter.slots[0] == 20 && filter.slots[1] == 30,
	       "an endpoint is all of its ENIs");
	tap_ok(ask(&plan, "{\"target\": \"i-2\"}", &filter, &why) == 0 && filter.n_slots == 1 &&
		       filter.slots[0] == 17,
	       "an instance is its port");
	tap_ok(ask(&plan, "{\"address\": \"10.0.1.8\", \"port\": 443, \"drops\": true, \"rate\": 10}",
		   &filter, &why) == 0 &&
		       filter.has_addr && netaddr_to_v4(&filter.addr) == 0x0a000108 && filter.port == 443 &&
		       filter.drops && filter.rate == 10,
	       "address, port, drops and rate");
}

static void test_refused(void)
{
	static const char *const questions[][2] = {
		{"{\"target\": \"ep-c\"}", "this node has no such endpoint or instance"},
		{"{\"target\": 7}", "this node has no such endpoint or instance"},
		{"{\"address\": \"fd00::1\"}", "that is no IPv4 address"},
		{"{\"address\": \"10.0.1\"}", "that is no IPv4 address"},
		{"{\"port\": 0}", "that is no port"},
		{"{\"port\": 65536}", "that is no port"},
		{"{\"port\": \"443\"}", "that is no port"},
		{"{\"rate\": 10001}", "that is no rate"},
	};
	struct datapath_filter filter;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		const char *why = "";

		tap_ok(ask(&plan, questions[i][0], &filter, &why) == -EINVAL && streq(why, questions[i][1]),
		       "%s: %s", questions[i][0], questions[i][1]);
	}
	tap_ok(ask(NULL, "{\"target\": \"i-1\"}", &filter, &(const char *){""}) == -EINVAL,
	       "before the first plan nothing has a name");
}

static void test_names(void)
{
	const struct datapath_tuple tuple = {.source = netaddr_v4(0x0a000102),
					     .destination = netaddr_v4(0x0a000108),
					     .source_port = 4000,
					     .destination_port = 443};
	char text[QUERY_TUPLE_SIZE], protocol[QUERY_PROTOCOL_SIZE];

	tap_ok(query_eni(&plan, 21) == &enis[1] && !query_eni(&plan, 22) && !query_eni(&plan, 0) &&
		       !query_eni(NULL, 21),
	       "a slot is an ENI's, or none's");
	tap_is_str(query_instance(&plan, 16), "i-1", "or a port's");
	tap_is_str(query_instance(&plan, PL_SLOT_NONE), "", "or nobody's");
	query_tuple(&tuple, IPPROTO_TCP, "sent_", text);
	tap_is_str(text, "\"sent_source\":\"10.0.1.2:4000\",\"sent_destination\":\"10.0.1.8:443\"",
		   "a tuple of TCP has ports");
	query_tuple(&tuple, IPPROTO_ICMP, "", text);
	tap_is_str(text, "\"source\":\"10.0.1.2\",\"destination\":\"10.0.1.8\"", "one of ICMP has none");
	query_protocol(132, protocol);
	tap_is_str(protocol, "132", "a protocol without a name is a number");
}

int main(void)
{
	test_filter();
	test_refused();
	test_names();
	return tap_done();
}
