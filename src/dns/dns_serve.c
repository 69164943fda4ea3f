/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question's way to its answer, whichever transport it came by.
 */
#include "dns_serve.h"

uint32_t dns_slot_of(const struct netaddr *addr)
{
	struct netprefix service;
	uint32_t slot;

	(void)netprefix_parse(PLAN_NODE_NETWORK, true, &service);
	if (!netprefix_contains(&service, addr))
		return DNS_SLOT_NONE;
	slot = netaddr_to_v4(addr) - netaddr_to_v4(&service.addr);
	return slot >= PLAN_SLOT_FIRST && slot < PLAN_SLOTS_MAX ? slot : DNS_SLOT_NONE;
}

/* Any start among the addresses, each as often as the others. A counter would not do: who asks for A and AAAA
 * in turn would see every second one only. */
static uint32_t next_rotation(struct dns_answerer *answerer)
{
	answerer->rotation ^= answerer->rotation << 13;
	answerer->rotation ^= answerer->rotation >> 7;
	answerer->rotation ^= answerer->rotation << 17;
	return (uint32_t)(answerer->rotation >> 32);
}

bool dns_must_wait(const struct dns_answerer *answerer, uint32_t slot)
{
	return answerer->is_plan_expected && slot != DNS_SLOT_NONE &&
	       !plan_port_by_slot(answerer->plan, slot);
}

enum dns_msg_verdict dns_handle(struct dns_answerer *answerer, const uint8_t *data, size_t size,
				uint32_t slot, bool tcp, dns_upstream_done done, void *context,
				struct dns_upstream_query **ret_query, uint8_t **ret_answer, size_t *ret_size)
{
	const struct dns_msg_request request = {
		.data = data,
		.size = size,
		.plan = answerer->plan,
		.asker = slot == DNS_SLOT_NONE ? NULL : plan_port_by_slot(answerer->plan, slot),
		.tcp = tcp,
		.rotation = next_rotation(answerer),
	};
	enum dns_msg_verdict verdict = dns_msg_answer(&request, answerer->answer, ret_size);

	*ret_answer = answerer->answer;
	if (verdict != DNS_MSG_FORWARD)
		return verdict;
	if (dns_upstream_ask(answerer->upstream, &request, done, context, ret_query) == 0)
		return DNS_MSG_FORWARD;
	*ret_size = dns_msg_error(data, size, DNS_MSG_SERVFAIL, answerer->answer);
	return DNS_MSG_ANSWER;
}
