/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a security group in one direction, brought into the order in which they decide. Pure: the same
 * rules come into the same order, whatever they were before.
 */
#pragma once

#include "../lib/util.h"
#include "bpf/pl_abi_policy.h"

/* A rule as spans, both ends included. No pad is anything but zero: rules are compared as bytes. */
struct group_rule {
	uint32_t service_first, service_last; /* PL_SERVICE() */
	uint32_t addr_first, addr_last;	      /* IPv4, host order; of no meaning with a group */
	uint32_t group;			      /* number of the group that the other side is in; 0: any */
	uint32_t rank;			      /* PL_RANK(); lower ones decide */
};

#define GROUP_SERVICE_ANY_FIRST 0
#define GROUP_SERVICE_ANY_LAST	UINT32_MAX

/* What a rule of this protocol (0: all) and these ports spans; only TCP and UDP have ports, others take all.
 */
void group_rule_set_service(struct group_rule *rule, uint8_t protocol, uint16_t port_first,
			    uint16_t port_last);
/* All addresses of an IPv4 prefix: `addr` in host order, 0 to 32 bits. */
void group_rule_set_prefix(struct group_rule *rule, uint32_t addr, uint32_t length);

/* Sorts by rank, one of each; the number that is left. Lists of the same rules are the same from here on. */
size_t group_rules_settle(struct group_rule *rules, size_t n);

/* The same, by what is known of rules that were settled before. */
struct group_rules {
	struct group_rule *v;
	size_t n;
	uint32_t *places; /* which of them each one is that came, in the order in which they came */
	size_t n_came;
};

/* Settles rules of which `v` has `n` as they come, and notes their places. Where most of them came in the
 * same order before, only the others are sorted. `before` stays as it is, and may be empty. On an error
 * (-ENOMEM) the rules are as they came. */
int group_rules_settle_again(struct group_rules *rules, const struct group_rules *before);
/* Frees the arrays. */
void group_rules_done(struct group_rules *rules);
