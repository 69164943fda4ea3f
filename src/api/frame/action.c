/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products and their tables of actions.
 */
#include "action.h"

#include "run.h"

/* clang-format off */
const struct product_info products[PRODUCT_COUNT_] = {
	[PRODUCT_PRIVATELINK] = { PRODUCT_PRIVATELINK, "PrivateLink", "2020-04-15" },
	[PRODUCT_VPC]         = { PRODUCT_VPC, "VPC", "2016-04-28" },
	[PRODUCT_ECS]         = { PRODUCT_ECS, "ECS", "2014-05-26" },
	[PRODUCT_NLB]         = { PRODUCT_NLB, "NLB", "2022-04-30" },
	[PRODUCT_PRIVLINK]    = { PRODUCT_PRIVLINK, "PRIVLINK", "2026-11-01" },
};
/* clang-format on */

static const struct action *actions_of(enum product product)
{
	switch (product) {
	case PRODUCT_PRIVATELINK:
		return privatelink_actions;
	case PRODUCT_VPC:
		return vpc_actions;
	case PRODUCT_ECS:
		return ecs_actions;
	case PRODUCT_NLB:
		return nlb_actions;
	default:
		return privlink_actions;
	}
}

const struct product_info *product_by_version(const char *version)
{
	for (size_t i = 0; i < PRODUCT_COUNT_; i++)
		if (streq(products[i].version, version))
			return &products[i];
	return NULL;
}

const struct action *action_find(enum product product, const char *name)
{
	for (const struct action *action = actions_of(product); action->name; action++)
		if (streq(action->name, name))
			return action;
	return NULL;
}
