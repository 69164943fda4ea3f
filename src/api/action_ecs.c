/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of ECS.
 */
#include "action.h"

const struct action ecs_actions[] = {
	{ NULL },
};
