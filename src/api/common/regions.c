/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and zones. Their endpoint names are the API's; that they resolve is the
 * business of whoever runs the API.
 */
#include "regions.h"

#include <ctype.h>

#include "../frame/fill.h"

static void region_endpoint(const struct call *call, const char *region, char *ret, size_t size)
{
	char product[WORD_SIZE];
	size_t i = 0;

	for (const char *s = products[call->product].name; *s && i + 1 < sizeof(product); s++)
		product[i++] = (char)tolower((unsigned char)*s);
	product[i] = '\0';
	(void)str_format(ret, size, "%s.%s.aliyuncs.com", product, region);
}

void answer_region(const struct call *call, json_t *item, const struct catalogue_region *region)
{
	char endpoint[DOMAIN_SIZE];

	region_endpoint(call, region->id, endpoint, sizeof(endpoint));
	answer_string(item, "RegionId", region->id);
	answer_string(item, "LocalName", region->local_name);
	answer_string(item, "RegionEndpoint", endpoint);
}

void answer_zones_of(const struct catalogue_region *region, json_t *list, const struct answer_field *field)
{
	for (size_t i = 0; i < region->n_zones; i++) {
		json_t *item = answer_entry(list, field, KIND_COUNT_, NULL);

		answer_string(item, "ZoneId", region->zones[i].id);
		answer_string(item, "LocalName", region->zones[i].local_name);
	}
}

int describe_regions(struct call *call)
{
	const struct answer_field *field = answer_find(call->action->answer, "Regions");
	json_t *list = answer_list(call->answer, call->action->answer, "Regions");

	for (size_t i = 0; i < call->catalogue->n_regions; i++)
		answer_region(call, answer_entry(list, field, KIND_COUNT_, NULL),
			      &call->catalogue->regions[i]);
	return 0;
}

int describe_zones(struct call *call)
{
	const struct answer_field *field = answer_find(call->action->answer, "Zones");
	json_t *list = answer_list(call->answer, call->action->answer, "Zones");

	for (size_t i = 0; i < call->catalogue->n_regions; i++) {
		const struct catalogue_region *region = &call->catalogue->regions[i];

		if (!call->region[0] || streq(call->region, region->id))
			answer_zones_of(region, list, field);
	}
	return 0;
}
