/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small rules that several steps of the plan go by.
 */
#include "plan_build.h"

#define NAT_COUNT_MAX 16 /* a /28 */

bool plan_instance_runs(const struct instance *instance)
{
	return instance->status == INSTANCE_PENDING || instance->status == INSTANCE_STARTING ||
	       instance->status == INSTANCE_RUNNING;
}

uint32_t plan_nat_count(const struct nat_range *nat)
{
	uint32_t host_bits = 128u - nat->range.length;

	if (!netaddr_is_v4(&nat->range.addr))
		return 0;
	return host_bits >= 4 ? NAT_COUNT_MAX : 1u << host_bits;
}
