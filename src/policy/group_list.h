/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a security group in one direction, made a list of cells as the data path reads it
 * (bpf/pl_abi_policy.h). Pure: no table is touched here, and the same rules make the same cells.
 */
#pragma once

#include "group_rules.h"

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
