/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product and the action that a call names.
 */
#include "action.h"

#include "run.h"

const struct product_words usual_words = {
	.malformed = "InvalidParameter.{name}",
	.missing_part = "MissingParameter.{name}",
	.unknown_region = "InvalidRegionId.NotFound",
	.token_mismatch = "IdempotentParameterMismatch",
	.no_tag_key = "Invalid{Name}.Malformed",
	.tag_key = "Invalid{Name}.Malformed",
	.tag_value = "Invalid{Name}.Malformed",
	.tag_key_twice = "Duplicate.TagKey",
	.too_many_tags = "NumberExceed.Tags",
};

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
