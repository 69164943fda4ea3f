/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: regions, zones and the system services with their names and regions. A data file
 * (data/catalogue.json, installed to /usr/share/privlink/), read at start.
 */
#pragma once

#include <jansson.h>

#include "rows.h"

struct catalogue_zone {
	char id[ZONE_SIZE];
	char local_name[WORD_SIZE * 2];
};

struct catalogue_region {
	char id[REGION_SIZE];
	char local_name[WORD_SIZE * 2];
	struct catalogue_zone *zones;
	size_t n_zones;
};

struct catalogue_service { /* one per product; {RegionId} stands for the region in the patterns */
	char product[WORD_SIZE];
	char name[SERVICE_NAME_SIZE]; /* com.aliyuncs.privatelink.{RegionId}.pai-dlc */
	char domain[DOMAIN_SIZE];     /* pai-dlc-vpc.{RegionId}.aliyuncs.com */
	char description[TEXT_SIZE];
	bool policy_supported;
	char (*regions)[REGION_SIZE];
	char (*ids)[ID_SIZE]; /* of the service in each region, where the file gives one; else empty */
	size_t n_regions;
};

struct catalogue {
	struct catalogue_region *regions;
	size_t n_regions;
	struct catalogue_service *services;
	size_t n_services;
};

/* Reads the file; `ret_why` (why_size bytes) says what is wrong and where, if not left empty. -EINVAL: what
 * the file says, or what it is; other errors are of opening and reading it, or -ENOMEM. */
int catalogue_load(const char *path, struct catalogue **ret, char *ret_why, size_t why_size);
struct catalogue *catalogue_free(struct catalogue *catalogue);

/* Borrowed; NULL: there is none of that id. */
const struct catalogue_region *catalogue_region(const struct catalogue *c, const char *region);
const struct catalogue_zone *catalogue_zone(const struct catalogue *c, const char *region, const char *zone);
/* Writes the pattern with {RegionId} replaced. -E2BIG if it does not fit. */
int catalogue_expand(const char *pattern, const char *region, char *ret, size_t size);
bool catalogue_service_in(const struct catalogue_service *service, const char *region);
/* The id (ID_SIZE) of the service in its region of that index: the file's, else one that follows from the
 * service's name there, so that it is the same on every installation. */
int catalogue_service_id(const struct catalogue_service *service, size_t index, char *ret);
/* The product whose service name in some region of the API is `name`, also where the service is not offered;
 * NULL if none. `ret_region` (REGION_SIZE) gets the region in the name. */
const struct catalogue_service *catalogue_service_by_name(const struct catalogue *c, const char *name,
							  char *ret_region);
