/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All products, and finding one's way in their tables.
 */
#include "schema.h"

#include <strings.h>

/* clang-format off */
const struct product_info products[PRODUCT_COUNT_] = {
	[PRODUCT_PRIVATELINK] = { PRODUCT_PRIVATELINK, "PrivateLink", "2020-04-15", privatelink_actions, &privatelink_words },
	[PRODUCT_VPC]         = { PRODUCT_VPC, "VPC", "2016-04-28", vpc_actions, &usual_words },
	[PRODUCT_ECS]         = { PRODUCT_ECS, "ECS", "2014-05-26", ecs_actions, &usual_words },
	[PRODUCT_NLB]         = { PRODUCT_NLB, "NLB", "2022-04-30", nlb_actions, &usual_words },
	[PRODUCT_RAM]         = { PRODUCT_RAM, "RAM", "2015-05-01", ram_actions, &usual_words },
	[PRODUCT_RESOURCEMANAGER] = { PRODUCT_RESOURCEMANAGER, "ResourceManager", "2020-03-31", resourcemanager_actions, &usual_words },
	[PRODUCT_SLB]         = { PRODUCT_SLB, "SLB", "2014-05-15", slb_actions, &usual_words },
	[PRODUCT_STS]         = { PRODUCT_STS, "STS", "2015-04-01", sts_actions, &usual_words },
	[PRODUCT_PRIVLINK]    = { PRODUCT_PRIVLINK, "PRIVLINK", "2026-11-01", privlink_actions, &usual_words },
};
/* clang-format on */

const struct product_info *product_by_name(const char *name)
{
	for (size_t i = 0; i < PRODUCT_COUNT_; i++)
		if (strcasecmp(products[i].name, name) == 0)
			return &products[i];
	return NULL;
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
	for (const struct action *action = products[product].actions; action->name; action++)
		if (streq(action->name, name))
			return action;
	return NULL;
}

const struct answer_field *answer_find(const struct answer_field *fields, const char *name)
{
	for (; fields && fields->kind != ANSWER_NONE; fields++) {
		const struct answer_field *found = fields->kind == ANSWER_SAME
							   ? answer_find(fields->members, name)
						   : streq(fields->name, name) ? fields
									       : NULL;

		if (found)
			return found;
	}
	return NULL;
}

const struct answer_field *answer_secret(const struct answer_field *fields)
{
	for (; fields && fields->kind != ANSWER_NONE; fields++) {
		const struct answer_field *found = fields->secret ? fields
						   : fields->kind == ANSWER_AN_OBJECT
							   ? answer_secret(fields->members)
							   : NULL;

		if (found)
			return found;
	}
	return NULL;
}

const struct answer_field *answer_only_list(const struct answer_field *fields)
{
	while (fields->kind != ANSWER_LIST && fields->kind != ANSWER_NONE)
		fields++;
	return fields;
}
