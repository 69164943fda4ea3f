/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices of a plan: what an endpoint is, what rules a security group has, in which groups a port is. When
 * rows change that touch such slices and nothing else, these are planned anew, by the same functions as the
 * whole, and take the place of the old ones. The result is the plan that plan_build() would make.
 */
#pragma once

#include "plan_touched.h"

/* What has changed in the plan, or may have, for who puts it into the kernel's tables. Each once. */
struct plan_patch {
	uint32_t *slots; /* of ENIs and ports that came, changed or went */
	size_t n_slots;
	struct pl_place_key *places;
	size_t n_places;
	uint32_t *groups; /* numbers of groups whose rules changed */
	size_t n_groups;
	bool failures; /* other ones than before */
};
void plan_patch_done(struct plan_patch *patch);

/* Plans anew what is touched, within `plan`, which plan_build() has made with the same indexes. 1: it cannot
 * be done by itself, since others would change, too; then, and after an error, nothing but a plan of the
 * whole will do. */
int plan_slice(const struct plan_input *input, struct plan_indexes *indexes,
	       const struct plan_touched *touched, struct plan *plan, struct plan_patch *patch);
