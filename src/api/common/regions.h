/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and zones, which every product lists in its own shape; all from the catalogue.
 */
#pragma once

#include "../frame/action.h"

/* DescribeRegions, and DescribeZones of the call's region, or of all if it names none. */
int describe_regions(struct call *call);
int describe_zones(struct call *call);

/* What is computed of a region's entry; the entries of a region's zones. */
void answer_region(const struct call *call, json_t *item, const struct catalogue_region *region);
void answer_zones_of(const struct catalogue_region *region, json_t *list, const struct answer_field *field);
