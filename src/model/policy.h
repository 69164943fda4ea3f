/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What security groups say, read from the rows: what a rule is about, and which rule decides. The plan makes
 * the data path's lists by the first part; the second part names the rule, and judges one packet at a time.
 * The API's words: a lower priority number first, drops before accepts of the same number, the members of a
 * normal group among each other behind all rules that were written down, and then the default.
 */
#pragma once

#include "snapshot.h"

#define POLICY_PROTOCOL_ALL 0 /* as in a rule; else the number of IP */
#define POLICY_PRIORITY_MAX 100

/* What a rule is about, besides the other side. */
struct policy_match {
	uint8_t protocol;
	uint16_t port_first, port_last;
};

/* A rule that makes no sense is -EINVAL: it accepts nothing, and one that refuses then refuses all that
 * `ret` says. */
int policy_match_of(const struct sg_rule *rule, struct policy_match *ret);
/* The number of a rule's protocol ("TCP", "ALL"; without case); -ENOENT: there is none of that name. */
int policy_protocol(const char *name);

/* The far end of a flow: an address, or a block of which it may be any one. */
struct policy_peer {
	struct netprefix where;
	const char (*groups)[ID_SIZE]; /* what it is in */
	uint32_t n_groups;
	bool is_anyone; /* nothing is known of its groups */
};

struct policy_question {
	enum sg_direction direction;
	uint8_t protocol; /* number of IP */
	uint16_t port;	  /* 0 without ports */
	struct policy_peer peer;
	bool is_port_unknown; /* of a protocol that has ports: any of them */
};

enum policy_reason {
	POLICY_RULE,	  /* `rule` of `group` decides */
	POLICY_INNER,	  /* both ends are in `group`, whose members reach each other */
	POLICY_DEFAULT,	  /* nothing speaks of it; `group` is the one whose default that is */
	POLICY_NO_GROUP,  /* there is no group at all */
	POLICY_GROUP_GONE /* one of the groups has no row */
};

struct policy_verdict {
	bool allow;
	bool depends; /* on who of `peer` it is: some of them are let through, or not all */
	enum policy_reason reason;
	const struct security_group *group; /* borrowed; NULL: none */
	const struct sg_rule *rule;	    /* borrowed; of POLICY_RULE */
	uint32_t n_rules;		    /* how many were looked at */
};

#define POLICY_RULES_MAX 4096 /* rules that one judgement looks at; beyond them it refuses, as -E2BIG */

/* What the groups say of it. Where it depends on who comes, the verdict is that on the first rule that lets
 * some in, else the one on the rest. */
int policy_judge(const struct snapshot *rows, const char (*groups)[ID_SIZE], uint32_t n_groups,
		 const struct policy_question *question, struct policy_verdict *ret);
