/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of VPC.
 */
#include "action.h"

const struct action vpc_actions[] = {
	{ NULL },
};
