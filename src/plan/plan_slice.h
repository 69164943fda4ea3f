/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices of a plan: what an endpoint is, what rules a security group has, in which groups a port is, what
 * stands behind a load balancer, what an instance is and what else stands at addresses of a VPC. When rows
 * change that touch such slices and nothing else, these are planned anew, by the same functions as the whole,
 * and take the place of the old ones. The result is the plan that plan_build() would make.
 */
#pragma once

#include "plan_touched.h"

/* Which server is probed. */
struct plan_probe_key {
	char group[ID_SIZE];
	char server_id[NETADDR_TEXT_SIZE];
	uint32_t server_port;
	uint32_t backend;
};

/* What has changed in the plan, or may have, for who puts it into the kernel's tables. Each once. */
struct plan_patch {
	uint32_t *slots; /* of ENIs and ports that came, changed or went */
	size_t n_slots;
	uint32_t *ports; /* numbers of ports that did, or may have, for their devices */
	size_t n_ports;
	struct pl_place_key *places;
	size_t n_places;
	uint32_t *groups; /* numbers of groups whose rules changed */
	size_t n_groups;
	uint32_t *targets; /* whose listeners or servers may have changed */
	size_t n_targets;
	uint32_t *backends; /* their indexes */
	size_t n_backends;
	uint64_t *server_groups; /* numbers of those whose servers may have changed */
	size_t n_server_groups;
	struct plan_probe_key *probes;
	size_t n_probes;
	bool failures; /* other ones than before */
};
void plan_patch_done(struct plan_patch *patch);

/* Plans anew what is touched, within `plan`, which plan_build() has made with the same indexes. 1: it cannot
 * be done by itself, since others would change, too; then, and after an error, nothing but a plan of the
 * whole will do. */
int plan_slice(const struct plan_input *input, struct plan_indexes *indexes,
	       const struct plan_touched *touched, struct plan *plan, struct plan_patch *patch);

/* Whether it can be done for any part of the plan. */
bool plan_has_slices(const struct plan *plan);
/* And then, whether what is touched behind load balancers is not too much for that. The input's rows count.
 */
bool plan_slice_fits(const struct plan_input *input, struct plan *plan, const struct plan_touched *touched);

/* The slot of the target's ENI number `i`, from 0 on; false: it has no more. */
bool plan_slot_of_target(const struct plan *plan, uint32_t target, size_t i, uint32_t *ret);
/* The probe of that server; NULL: the plan has none. */
const struct plan_probe *plan_find_probe(const struct plan *plan, const struct plan_probe_key *key);
