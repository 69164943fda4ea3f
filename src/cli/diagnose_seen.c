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

	*seen = (struct seen){.agent.fd = -EBADF, .drops = json_object()};
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

static void count(struct seen *seen, const json_t *packet)
{
	const char *reason = json_string_value(json_object_get(packet, "reason"));

	if (!reason)
		return;
	if (is(packet, "verdict", "drop")) {
		(void)json_object_set_new(
			seen->drops, reason,
			json_integer(json_integer_value(json_object_get(seen->drops, reason)) + 1));
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

void seen_end(struct seen *seen, struct cli *cli)
{
	uint64_t end_ms = now_mono_ms() + END_MS;
	json_t *packet;

	while (seen->is_known && now_mono_ms() < end_ms && (packet = next(seen, LAST_MS))) {
		count(seen, packet);
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
	seen->drops = NULL;
}

const char *seen_worst_drop(const struct seen *seen)
{
	const char *reason, *worst = NULL;
	json_int_t most = 0;
	json_t *n;

	json_object_foreach(seen->drops, reason, n)
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
