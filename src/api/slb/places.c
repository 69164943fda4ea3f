/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where classic load balancers can be: any zone can be the master, and any other one the slave.
 */
#include "../common/listing.h"
#include "../common/owned.h"
#include "actions.h"

static void add_available(json_t *list, const struct answer_field *field, const char *master,
			  const char *slave)
{
	const struct answer_field *support = answer_find(field->members, "SupportResources");
	json_t *item = answer_entry(list, field, KIND_COUNT_, NULL);

	answer_string(item, "MasterZoneId", master);
	answer_string(item, "SlaveZoneId", slave);
	(void)answer_entry(answer_list(item, field->members, support->name), support, KIND_COUNT_, NULL);
}

int slb_available(struct call *call)
{
	const struct catalogue_region *region = catalogue_region(call->catalogue, call->region);
	const struct answer_field *field = answer_find(call->action->answer, "AvailableResources");
	json_t *list = answer_list(call->answer, call->action->answer, field->name);
	bool served =
		filter_text(call, "AddressType", "vpc") && filter_text(call, "AddressIPVersion", "ipv4");

	for (size_t i = 0; served && i < region->n_zones; i++)
		for (size_t j = 0; j < region->n_zones; j++)
			if (j != i)
				add_available(list, field, region->zones[i].id, region->zones[j].id);
	return 0;
}

static json_t *add_zone(json_t *list, const struct answer_field *field, const struct catalogue_zone *zone)
{
	json_t *item = answer_entry(list, field, KIND_COUNT_, NULL);

	answer_string(item, "ZoneId", zone->id);
	answer_string(item, "LocalName", zone->local_name);
	return item;
}

int slb_zones(struct call *call)
{
	const struct catalogue_region *region = catalogue_region(call->catalogue, call->region);
	const struct answer_field *field = answer_find(call->action->answer, "Zones"),
				  *slaves = answer_find(field->members, "SlaveZones");
	json_t *list = answer_list(call->answer, call->action->answer, field->name);

	for (size_t i = 0; i < region->n_zones; i++) {
		json_t *item = add_zone(list, field, &region->zones[i]),
		       *inner = answer_list(item, field->members, slaves->name);

		for (size_t j = 0; j < region->n_zones; j++)
			if (j != i)
				(void)add_zone(inner, slaves, &region->zones[j]);
	}
	return 0;
}
