/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A piece of the answer is what one slice of the table has; the next slice is looked at when the client has
 * taken it. So the agent's loop is held for no longer than a slice takes, and nothing is kept but one.
 */
#include "query_flows.h"

struct answer {
	struct query_client *client;
	struct datapath_flow_walk *walk;
	const struct plan *(*plan)(void *context);
	void *context;
	uint32_t limit, shown;
	bool has_more; /* than are shown */
	int r;	       /* what telling came to */
};

static int tell_flow(struct answer *answer, const struct plan *plan, const struct datapath_flow *flow)
{
	char opened[QUERY_TUPLE_SIZE], served[QUERY_TUPLE_SIZE], protocol[QUERY_PROTOCOL_SIZE];
	const struct plan_eni *eni = query_eni(plan, flow->eni);

	query_protocol(flow->protocol, protocol);
	query_tuple(&flow->opened, flow->protocol, "", opened);
	query_tuple(&flow->served, flow->protocol, "served_", served);
	return query_client_format(
		answer->client,
		"{\"protocol\":\"%s\",\"state\":\"%s\",%s,%s,\"from\":\"%s\",\"endpoint\":\"%s\","
		"\"zone\":\"%s\",\"to\":\"%s\",\"packets\":[%llu,%llu],\"bytes\":[%llu,%llu],\"idle\":%u}\n",
		protocol, flow->state, opened, served, query_instance(plan, flow->client),
		eni ? eni->endpoint : "", eni ? eni->zone : "", query_instance(plan, flow->server),
		(unsigned long long)flow->packets[DATAPATH_IN],
		(unsigned long long)flow->packets[DATAPATH_OUT], (unsigned long long)flow->bytes[DATAPATH_IN],
		(unsigned long long)flow->bytes[DATAPATH_OUT], flow->idle_s);
}

static void on_flow(void *context, const struct datapath_flow *flow)
{
	struct answer *answer = context;

	if (answer->r < 0)
		return;
	if (answer->shown == answer->limit) {
		answer->has_more = true;
		return;
	}
	answer->r = tell_flow(answer, answer->plan(answer->context), flow);
	answer->shown++;
}

static int more(void *context, struct query_client *client)
{
	struct answer *answer = context;
	int r = datapath_flow_walk_step(answer->walk, on_flow, answer);

	if (r < 0 || answer->r < 0)
		return r < 0 ? r : answer->r;
	if (r > 0 && !answer->has_more)
		return 1;
	r = query_client_format(client, "{\"end\":true,\"shown\":%u,\"more\":%s}\n", answer->shown,
				answer->has_more ? "true" : "false");
	return r < 0 ? r : 0;
}

static void end(void *context)
{
	struct answer *answer = context;

	datapath_flow_walk_free(answer->walk);
	free(answer);
}

static int read_limit(const json_t *question, uint32_t *ret)
{
	const json_t *limit = json_object_get(question, "limit");
	json_int_t value = limit ? json_integer_value(limit) : QUERY_FLOWS_LIMIT;

	if (value < 1 || value > QUERY_FLOWS_LIMIT_MAX)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

int query_flows_begin(struct datapath *datapath, const struct plan *(*plan)(void *context), void *context,
		      struct query_client *client, const json_t *question, const char **why)
{
	struct datapath_filter filter;
	struct answer *answer;
	int r = query_filter(plan(context), question, &filter, why);

	if (r < 0)
		return r;
	answer = calloc(1, sizeof(*answer));
	*why = "open flows cannot be read";
	if (!answer)
		return -ENOMEM;
	*answer = (struct answer){.client = client, .plan = plan, .context = context};
	r = datapath_flow_walk_new(datapath, &filter, &answer->walk);
	if (r == 0 && read_limit(question, &answer->limit) < 0) {
		*why = "that is no limit";
		r = -EINVAL;
	}
	if (r < 0) {
		end(answer);
		return r;
	}
	query_client_begin(client, &(struct query_stream){.more = more, .end = end, .context = answer});
	return 0;
}

struct nat {
	const struct plan *plan;
	const char *target;
	json_t *answer;
};

static void look_at_server(void *context, uint32_t slot, uint64_t flows, uint64_t max)
{
	struct nat *nat = context;

	if (!nat->answer && streq(query_instance(nat->plan, slot), nat->target))
		nat->answer = json_pack("{s:I, s:I}", "flows", (json_int_t)flows, "max", (json_int_t)max);
}

json_t *query_nat(const struct datapath *datapath, const struct plan *plan, const json_t *question)
{
	struct nat nat = {.plan = plan, .target = json_string_value(json_object_get(question, "target"))};

	if (nat.target && *nat.target)
		datapath_each_server(datapath, look_at_server, &nat);
	return nat.answer;
}
