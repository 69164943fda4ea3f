/* SPDX-License-Identifier: Apache-2.0 */
#include "query_names.h"

#include <netinet/in.h>

#include "../lib/vec.h"

const struct plan_eni *query_eni(const struct plan *plan, uint32_t slot)
{
	size_t i;

	if (!plan || !slot)
		return NULL;
	i = LOWER_BOUND(j, plan->n_enis, plan->enis[j].slot < slot);
	return i < plan->n_enis && plan->enis[i].slot == slot ? &plan->enis[i] : NULL;
}

const char *query_instance(const struct plan *plan, uint32_t slot)
{
	const struct plan_port *port = plan && slot != PL_SLOT_NONE ? plan_port_by_slot(plan, slot) : NULL;

	return port ? port->instance : "";
}

/* ---- what is asked for ---- */

static void add_slot(struct datapath_filter *filter, uint32_t slot)
{
	if (filter->n_slots < DATAPATH_SLOTS_MAX)
		filter->slots[filter->n_slots++] = slot;
}

static int read_target(const struct plan *plan, const json_t *json, struct datapath_filter *ret,
		       const char **why)
{
	const char *target = json_string_value(json);

	*why = "this node has no such endpoint or instance";
	if (!target || !plan)
		return -EINVAL;
	for (size_t i = 0; i < plan->n_enis; i++)
		if (streq(plan->enis[i].endpoint, target))
			add_slot(ret, plan->enis[i].slot);
	for (size_t i = 0; i < plan->n_ports; i++)
		if (streq(plan->ports[i].instance, target))
			add_slot(ret, plan->ports[i].slot);
	return ret->n_slots ? 0 : -EINVAL;
}

static int read_number(const json_t *json, json_int_t max, uint32_t *ret)
{
	json_int_t value = json_integer_value(json);

	if (!json_is_integer(json) || value < 1 || value > max)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

int query_filter(const struct plan *plan, const json_t *question, struct datapath_filter *ret,
		 const char **why)
{
	const json_t *target = json_object_get(question, "target"),
		     *address = json_object_get(question, "address"),
		     *port = json_object_get(question, "port"), *rate = json_object_get(question, "rate");
	uint32_t number = 0;

	*ret = (struct datapath_filter){.rate = 1000,
					.drops = json_is_true(json_object_get(question, "drops"))};
	if (target && read_target(plan, target, ret, why) < 0)
		return -EINVAL;
	*why = "that is no IPv4 address";
	if (address) {
		const char *text = json_string_value(address);

		if (!text || netaddr_parse(text, &ret->addr) < 0 || !netaddr_is_v4(&ret->addr))
			return -EINVAL;
		ret->has_addr = true;
	}
	*why = "that is no port";
	if (port && read_number(port, UINT16_MAX, &number) < 0)
		return -EINVAL;
	ret->port = (uint16_t)number;
	*why = "that is no rate";
	return rate ? read_number(rate, DATAPATH_TRACE_RATE_MAX, &ret->rate) : 0;
}

/* ---- what is told ---- */

void query_time(int64_t time_us, char ret[QUERY_TIME_SIZE])
{
	char text[TIME_TEXT_SIZE];

	time_format(time_us / 1000000, text);
	text[TIME_TEXT_SIZE - 2] = '\0'; /* the Z */
	(void)str_format(ret, QUERY_TIME_SIZE, "%s.%06dZ", text, (int)(time_us % 1000000));
}

static void format_end(const struct netaddr *addr, uint16_t port, bool has_port, char *ret, size_t size)
{
	char text[NETADDR_TEXT_SIZE];

	netaddr_format(addr, text);
	(void)str_format(ret, size, has_port ? "%s:%u" : "%s", text, port);
}

void query_tuple(const struct datapath_tuple *tuple, uint8_t protocol, const char *prefix,
		 char ret[QUERY_TUPLE_SIZE])
{
	bool has_port = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
	char source[NETADDR_TEXT_SIZE + 8], destination[NETADDR_TEXT_SIZE + 8];

	format_end(&tuple->source, tuple->source_port, has_port, source, sizeof(source));
	format_end(&tuple->destination, tuple->destination_port, has_port, destination, sizeof(destination));
	(void)str_format(ret, QUERY_TUPLE_SIZE, "\"%ssource\":\"%s\",\"%sdestination\":\"%s\"", prefix,
			 source, prefix, destination);
}

void query_protocol(uint8_t protocol, char ret[QUERY_PROTOCOL_SIZE])
{
	switch (protocol) {
	case IPPROTO_TCP:
		(void)str_copy(ret, QUERY_PROTOCOL_SIZE, "tcp");
		break;
	case IPPROTO_UDP:
		(void)str_copy(ret, QUERY_PROTOCOL_SIZE, "udp");
		break;
	case IPPROTO_ICMP:
		(void)str_copy(ret, QUERY_PROTOCOL_SIZE, "icmp");
		break;
	default:
		(void)str_format(ret, QUERY_PROTOCOL_SIZE, "%u", protocol);
	}
}
