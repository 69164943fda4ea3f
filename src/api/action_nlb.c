/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of NLB.
 */
#include "action.h"

const struct action nlb_actions[] = {
	{ NULL },
};
