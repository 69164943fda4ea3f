/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of PrivateLink.
 */
#include "action.h"

const struct action privatelink_actions[] = {
	{ NULL },
};
