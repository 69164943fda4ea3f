/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CreateVpcEndpoint would make.
 */
#pragma once

#include "endpoint_zone.h"

struct endpoint_plan {
	struct endpoint row;
	char groups[SECURITY_GROUPS_MAX][ID_SIZE], domain[DOMAIN_SIZE]; /* the row's */
	const struct service *service;					/* borrowed */
	struct connection connection;
	struct zone_plan zones[ENDPOINT_ZONES_MAX];
	size_t n_zones;
};
/* Reads and checks CreateVpcEndpoint's parameters; fails the call as that does. Nothing is put into its
 * transaction. The plan stays where it is: its rows point into it. */
int endpoint_plan_read(struct call *call, struct endpoint_plan *ret);
