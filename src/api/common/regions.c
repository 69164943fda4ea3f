/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and zones of VPC, ECS and NLB. Their endpoint names are the API's; that they resolve is the
 * business of whoever runs the API.
 */
#include "regions.h"

#include <ctype.h>

#include "../frame/shape.h"

const struct param_spec place_regions_params[] = {
	{"AcceptLanguage", PARAM_STRING},
	{},
};

const struct param_spec place_zones_params[] = {
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

static int list_regions(struct call *call, json_t *list)
{
	for (size_t i = 0; i < call->catalogue->n_regions; i++) {
		const struct catalogue_region *region = &call->catalogue->regions[i];
		char endpoint[DOMAIN_SIZE];
		json_t *item = shape_item(list);

		region_endpoint(call, region->id, endpoint, sizeof(endpoint));
		answer_string(item, "RegionId", region->id);
		answer_string(item, "RegionEndpoint", endpoint);
		answer_string(item, "LocalName", region->local_name);
		if (call->product == PRODUCT_ECS)
			answer_string(item, "Status", "available");
	}
	return 0;
}

int place_regions_wrapped(struct call *call)
{
	return list_regions(call, shape_wrapped(call->answer, "Regions", "Region"));
}

int place_regions_plain(struct call *call)
{
	return list_regions(call, shape_list(call->answer, "Regions"));
}

/* What an ECS zone offers: everything that is to be had here. */
static void zone_offers(json_t *item)
{
	json_t *types;

	types = shape_wrapped(item, "AvailableResourceCreation", "ResourceTypes");
	shape_text(types, "VSwitch");
	shape_text(types, "Instance");
	(void)shape_wrapped(item, "AvailableDiskCategories", "DiskCategories");
	(void)shape_wrapped(item, "AvailableInstanceTypes", "InstanceTypes");
	(void)shape_wrapped(item, "AvailableVolumeCategories", "VolumeCategories");
	(void)shape_wrapped(item, "AvailableDedicatedHostTypes", "DedicatedHostType");
	(void)shape_wrapped(item, "DedicatedHostGenerations", "DedicatedHostGeneration");
	(void)shape_wrapped(item, "AvailableResources", "ResourcesInfo");
}

static int list_zones(struct call *call, json_t *list)
{
	for (size_t i = 0; i < call->catalogue->n_regions; i++) {
		const struct catalogue_region *region = &call->catalogue->regions[i];

		if (call->region[0] && !streq(call->region, region->id))
			continue;
		for (size_t j = 0; j < region->n_zones; j++) {
			json_t *item = shape_item(list);

			answer_string(item, "ZoneId", region->zones[j].id);
			answer_string(item, "LocalName", region->zones[j].local_name);
			if (call->product == PRODUCT_NLB)
				continue;
			answer_string(item, "ZoneType", "AvailabilityZone");
			if (call->product == PRODUCT_ECS)
				zone_offers(item);
		}
	}
	return 0;
}

int place_zones_wrapped(struct call *call)
{
	return list_zones(call, shape_wrapped(call->answer, "Zones", "Zone"));
}

int place_zones_plain(struct call *call)
{
	return list_zones(call, shape_list(call->answer, "Zones"));
}
