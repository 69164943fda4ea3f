/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a security group in one direction, made a list of cells as the data path reads it
 * (bpf/pl_abi_policy.h). Pure: no table is touched here, and the same rules make the same cells.
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

struct group_list {
	struct pl_cell *cells;
	uint32_t n, size;
};

/* Makes the list of settled rules in `list`, which may have been used before and keeps its memory; without
 * rules it has no cells. -E2BIG: more than PL_LIST_RULES_MAX; -ENOMEM. */
int group_list_build(struct group_list *list, const struct group_rule *rules, size_t n);
void group_list_done(struct group_list *list);
/* No list of so many rules takes more cells. */
uint32_t group_list_cells_max(size_t n_rules);
