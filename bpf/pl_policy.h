/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Security groups. The agent resolves the groups of a port or an ENI into one sorted list of rules for each
 * direction; here the first rule that matches decides, and without one the direction's default. Asked when a
 * flow opens and when it is judged again, never for a packet of a flow whose generation is current.
 */
#pragma once

#include "pl_parse.h"

enum { PL_DIRECTION_IN = 0, PL_DIRECTION_OUT = 1 };

/* What is asked: the other side's address, the protocol, the destination port (host order). */
struct pl_question {
	struct pl_addr addr;
	__u32 first; /* rule to begin with */
	__u32 port;
	__u32 protocol;
	__u32 allow; /* the answer */
};

static __always_inline bool pl_prefix_matches(const struct pl_addr *prefix, __u32 length,
					      const struct pl_addr *addr)
{
	int i;

#pragma unroll
	for (i = 0; i < 4; i++) {
		__u32 different = bpf_ntohl(prefix->w[i] ^ addr->w[i]);
		__u32 bits = length > 32u * i ? length - 32u * i : 0;

		/* A shift by 32 is undefined, so a whole word and none are cases of their own. */
		if (bits >= 32 ? different : bits && different >> (32 - bits))
			return false;
	}
	return true;
}

static __always_inline bool pl_rule_matches(const struct pl_rule *rule, const struct pl_question *question)
{
	if (rule->protocol && rule->protocol != question->protocol)
		return false;
	if (question->protocol != IPPROTO_ICMP &&
	    (question->port < rule->port_first || question->port > rule->port_last))
		return false;
	return pl_prefix_matches(&rule->addr, rule->prefix_length, &question->addr);
}

/* Body of the loop over the rules; 1 ends it. A callback, and not a loop in the open: the verifier looks at
 * it once and not PL_POLICY_RULES_MAX times. */
static long pl_policy_step(__u32 i, struct pl_question *question)
{
	__u32 index = question->first + i;
	const struct pl_rule *rule = bpf_map_lookup_elem(&pl_rules, &index);

	if (!rule || !pl_rule_matches(rule, question))
		return 0;
	question->allow = rule->allow;
	return 1;
}

/* Whether the policy of a slot lets the flow pass; the slot's port is the receiver (IN) or the sender (OUT).
 * A function of its own to the verifier, with plain numbers as arguments, so that the walk stays cheap to
 * check. */
__attribute__((noinline)) int pl_policy_allows(__u32 slot, __u32 direction, __be32 remote, __u32 protocol,
					       __u32 port)
{
	struct pl_question question = {
		.addr.w = {0, 0, bpf_htonl(0xffff), remote},
		.port = port,
		.protocol = protocol,
	};
	const struct pl_policy *policy = bpf_map_lookup_elem(&pl_policies, &slot);
	bool out = direction == PL_DIRECTION_OUT;
	__u32 count;

	if (!policy)
		return 0;
	question.first = out ? policy->out_first : policy->in_first;
	question.allow = out ? policy->out_default : policy->in_default;
	count = out ? policy->out_count : policy->in_count;
	if (count > PL_POLICY_RULES_MAX)
		return 0;
	bpf_loop(count, pl_policy_step, &question, 0);
	return question.allow != 0;
}
