/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and zones, which every product lists in its own shape; all from the catalogue.
 */
#pragma once

#include "../frame/action.h"

/* DescribeRegions and DescribeZones: wrapped ("Regions": {"Region": []}) in VPC and ECS, plain in NLB. */
int place_regions_wrapped(struct call *call);
int place_regions_plain(struct call *call);
int place_zones_wrapped(struct call *call);
int place_zones_plain(struct call *call);

extern const struct param_spec place_regions_params[], place_zones_params[];
