/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AttachInstance of our own administration: what exists on a node already, a container's network namespace or
 * a virtual machine's tap device, becomes an instance of an account. Part of the table in actions.c.
 */
#pragma once

#include "../frame/action.h"

int attach_instance(struct call *call);
extern const struct param_spec attach_instance_params[];
/* GetInstance: what has become of an instance, whoever it belongs to. */
int get_instance(struct call *call);
extern const struct param_spec get_instance_params[];
/* Lines of the table. */
#define ATTACH_INSTANCE_ACTION                                                                               \
	{                                                                                                    \
		"AttachInstance", attach_instance, ACTION_CHANGES | ACTION_ADMIN, attach_instance_params     \
	}
#define GET_INSTANCE_ACTION                                                                                  \
	{                                                                                                    \
		"GetInstance", get_instance, ACTION_ADMIN, get_instance_params                               \
	}
