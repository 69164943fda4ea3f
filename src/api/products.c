/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All products: what a folder beside this file has to offer is reached from here.
 */
#include "admin/actions.h"
#include "ecs/actions.h"
#include "nlb/actions.h"
#include "privatelink/actions.h"
#include "vpc/actions.h"

/* clang-format off */
const struct product_info products[PRODUCT_COUNT_] = {
	[PRODUCT_PRIVATELINK] = { PRODUCT_PRIVATELINK, "PrivateLink", "2020-04-15", privatelink_actions,
				  &privatelink_words },
	[PRODUCT_VPC]         = { PRODUCT_VPC, "VPC", "2016-04-28", vpc_actions, &usual_words },
	[PRODUCT_ECS]         = { PRODUCT_ECS, "ECS", "2014-05-26", ecs_actions, &usual_words },
	[PRODUCT_NLB]         = { PRODUCT_NLB, "NLB", "2022-04-30", nlb_actions, &usual_words },
	[PRODUCT_PRIVLINK]    = { PRODUCT_PRIVLINK, "PRIVLINK", "2026-11-01", privlink_actions, &usual_words },
};
/* clang-format on */
