/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and zones. Their endpoint names are the API's; that they resolve is the
 * business of whoever runs the API.
 */
#include "regions.h"

#include <ctype.h>

#include "../frame/shape.h"

const struct param_spec regions_params[] = {
	{"AcceptLanguage", PARAM_STRING},
	{},
};

const struct param_spec zones_params[] = {
	{"AcceptLanguage", PARAM_STRING},
	{"ZoneType", PARAM_STRING},
	{},
};

static void region_endpoint(const struct call *call, const char *region, char *ret, size_t size)
{
	char product[WORD_SIZE];
	size_t i = 0;

	for (const char *s = products[call->product].name; *s && i + 1 < sizeof(product); s++)
		product[i++] = (char)tolower((unsigned char)*s);
	product[i] = '\0';
	(void)str_format(ret, size, "%s.%s.aliyuncs.com", product, region);
}

void regions_answer(struct call *call, json_t *list, const char *status)
{
	for (size_t i = 0; i < call->catalogue->n_regions; i++) {
		const struct catalogue_region *region = &call->catalogue->regions[i];
		char endpoint[DOMAIN_SIZE];
		json_t *item = shape_item(list);

		region_endpoint(call, region->id, endpoint, sizeof(endpoint));
		answer_string(item, "RegionId", region->id);
		answer_string(item, "RegionEndpoint", endpoint);
		answer_string(item, "LocalName", region->local_name);
		if (status)
			answer_string(item, "Status", status);
	}
}

static void answer_zones_of(const struct catalogue_region *region, json_t *list,
			    void (*describe)(json_t *zone))
{
	for (size_t i = 0; i < region->n_zones; i++) {
		json_t *item = shape_item(list);

		answer_string(item, "ZoneId", region->zones[i].id);
		answer_string(item, "LocalName", region->zones[i].local_name);
		if (describe)
			describe(item);
	}
}

void zones_answer(struct call *call, json_t *list, void (*describe)(json_t *zone))
{
	for (size_t i = 0; i < call->catalogue->n_regions; i++) {
		const struct catalogue_region *region = &call->catalogue->regions[i];

		if (!call->region[0] || streq(call->region, region->id))
			answer_zones_of(region, list, describe);
	}
}
