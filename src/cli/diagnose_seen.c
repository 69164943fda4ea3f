/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace of the instance's packets (privlink trace), counted. Other traffic that it has at the same time is
 * in the numbers, too.
 */
#include "diagnose.h"

#define BEGIN_MS 2000
#define LAST_MS	 100 /* what was seen is told within this */
#define END_MS	 500 /* and with packets that still come, this is the end */
#define RATE	 5000

static json_t *next(struct seen *seen, int timeout_ms)
{
	_cleanup_(freep) char *text = cli_agent_next(&seen->agent, timeout_ms);

	return text ? json_loads(text, 0, NULL) : NULL;
}

void seen_begin(struct seen *seen, struct cli *cli, const char *instance)
{
	_cleanup_(json_decrefp) json_t *question = NULL, *answer = NULL;

	*seen = (struct seen){.agent.fd = -EBADF, .drops = json_object(), .drops_there = json_object()};
	if (str_copy(seen->instance, sizeof(seen->instance), instance) < 0 || !cli_agent_is_here())
		return;
	question = json_pack("{s:s, s:s, s:i}", "command", "trace", "target", instance, "rate", RATE);
	if (!question || cli_agent_open(cli, question, &seen->agent) != CLI_OK)
		return;
	answer = next(seen, BEGIN_MS);
	seen->is_known = json_is_true(json_object_get(answer, "tracing"));
	if (!seen->is_known)
		cli_agent_close(&seen->agent);
}

static bool is(const json_t *packet, const char *name, const char *value)
{
	const char *text = json_string_value(json_object_get(packet, name));

	return text && streq(text, value);
}

/* Of an endpoint's flow: who answers it. */
static void note_server(struct seen *seen, const json_t *packet)
{
	const char *to = json_string_value(json_object_get(packet, "to"));

	if (to && json_object_get(packet, "endpoint"))
		(void)str_copy(seen->server, sizeof(seen->server), to);
}

/* Whether an end of a packet, "address" or "address:port", is at the address of a step, or a resolver's. */
static bool is_target(const json_t *test, const char *end)
{
	const json_t *list = json_object_get(test, "Steps"), *step;
	size_t length = strcspn(end, ":"), i;

	if (streq(end + length, ":53"))
		return true;
	json_array_foreach(list, i, step) {
		const char *target = json_string_value(json_object_get(step, "Target")) ?: "";

		if (strcspn(target, ":") == length && strncmp(target, end, length) == 0)
			return true;
	}
	return false;
}

/* The instance sends other packets, too. One that was dropped before its addresses were looked at may have
 * been any, if it was of IPv4 or asked for a neighbour. */
static bool may_be_of(const json_t *test, const json_t *packet)
{
	static const char *const ends[] = {"source", "destination", "sent_source", "sent_destination"};

	if (!json_object_get(packet, "source"))
		return is(packet, "ethertype", "0x0800") || is(packet, "ethertype", "0x0806");
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const char *end = json_string_value(json_object_get(packet, ends[i]));

		if (end && is_target(test, end))
			return true;
	}
	return false;
}

static void add(json_t *drops, const char *reason)
{
	(void)json_object_set_new(drops, reason,
				  json_integer(json_integer_value(json_object_get(drops, reason)) + 1));
}

static void count(struct seen *seen, const json_t *packet, const json_t *test)
{
	const char *reason = json_string_value(json_object_get(packet, "reason"));

	if (!reason)
		return;
	if (is(packet, "verdict", "drop")) {
		add(seen->drops, reason);
		if (may_be_of(test, packet))
			add(seen->drops_there, reason);
	} else if (is(packet, "from", seen->instance)) {
		seen->sent++;
		note_server(seen, packet);
	} else {
		seen->received++;
	}
}

static void ask_nat(struct seen *seen, struct cli *cli)
{
	_cleanup_(json_decrefp) json_t *question =
		json_pack("{s:s, s:s}", "command", "nat", "target", seen->server);
	_cleanup_(json_decrefp) json_t *answer = NULL;

	if (!question || cli_agent_open(cli, question, &seen->agent) != CLI_OK)
		return;
	answer = next(seen, BEGIN_MS);
	seen->nat_flows = (uint64_t)json_integer_value(json_object_get(answer, "flows"));
	seen->nat_max = (uint64_t)json_integer_value(json_object_get(answer, "max"));
	cli_agent_close(&seen->agent);
}

void seen_end(struct seen *seen, struct cli *cli, const json_t *test)
{
	uint64_t end_ms = now_mono_ms() + END_MS;
	json_t *packet;

	while (seen->is_known && now_mono_ms() < end_ms && (packet = next(seen, LAST_MS))) {
		count(seen, packet, test);
		json_decref(packet);
	}
	if (!seen->is_known)
		return;
	cli_agent_close(&seen->agent);
	if (*seen->server)
		ask_nat(seen, cli);
}

void seen_done(struct seen *seen)
{
	json_decref(seen->drops);
	json_decref(seen->drops_there);
	seen->drops = seen->drops_there = NULL;
}

const char *seen_worst_drop(const struct seen *seen)
{
	const char *reason, *worst = NULL;
	json_int_t most = 0;
	json_t *n;

	json_object_foreach(seen->drops_there, reason, n)
		if (json_integer_value(n) > most) {
			most = json_integer_value(n);
			worst = reason;
		}
	return worst;
}

json_t *seen_json(const struct seen *seen)
{
	if (!seen->is_known)
		return NULL;
	return json_pack("{s:I, s:I, s:O, s:s, s:I, s:I}", "Sent", (json_int_t)seen->sent, "Received",
			 (json_int_t)seen->received, "Drops", seen->drops, "Server", seen->server, "NatFlows",
			 (json_int_t)seen->nat_flows, "NatFlowsMax", (json_int_t)seen->nat_max);
}
