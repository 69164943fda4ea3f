/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What products share: tags, regions and zones. Where lists are wrapped twice, empty ones are, too: clients
 * crash without.
 */
#pragma once

#include "schema.h"

/* At ResourceId, which has at most 50; the number is TAGGED_PER_CALL_MAX. */
#define TAGGED_HELP "no more than 90 tags in a call, counted for each"

extern const struct param_spec tag_params[]; /* members of Tag.N */
extern const struct param_spec tag_resources_params[], untag_resources_params[], list_tag_resources_params[];
extern const struct answer_field key_value_answer[], tag_key_value_answer[]; /* a tag, in two fashions */
extern const struct answer_field tag_resources_answer[], tag_resources_wrapped_answer[];
extern const struct paging tag_pages;

extern const struct param_spec regions_params[], zones_params[];
extern const struct answer_field region_answer[], regions_answer[], zone_answer[];
