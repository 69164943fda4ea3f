/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions that a service takes endpoints from. Its own is always one of them, whether it is in the list
 * or not; what is answered is the list as it was given.
 */
#pragma once

#include "../frame/action.h"

/* Add the regions of the list `param` to the service's, or take them out. Regions that are there, or not
 * there, are no error; one that has endpoints connected is, when it is to go. */
int supported_regions_add(struct call *call, const char *param, struct service *row);
int supported_regions_remove(struct call *call, const char *param, struct service *row);

/* "SupportedRegionSet", in an answer whose members are `fields`. */
void supported_regions_answer(json_t *object, const struct answer_field *fields,
			      const struct service *service);

/* Whether the service takes endpoints from the region. */
bool region_served(const struct service *service, const char *region);
/* Fails the call if the service does not take endpoints from the region. */
int check_region_served(struct call *call, const struct service *service, const char *region);

/* Reads CrossRegionBandwidth, which only endpoints have whose service is in another region. */
int read_cross_bandwidth(struct call *call, const char *service_region, struct endpoint *row);
