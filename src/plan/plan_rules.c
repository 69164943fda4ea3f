/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small rules that several steps of the plan go by.
 */
#include "plan_build.h"

bool plan_instance_runs(const struct instance *instance)
{
	return instance->status == INSTANCE_PENDING || instance->status == INSTANCE_STARTING ||
	       instance->status == INSTANCE_RUNNING;
}
