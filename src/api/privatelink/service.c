/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoint services as their owner sees them. The services of the catalogue have no owner and stay; an
 * administrator sees them like its own.
 */
#include "../../model/check.h"
#include "../../model/state.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"
#include "admission.h"
#include "region.h"
#include "service_resource.h"
#include "words.h"

/* The type that is asked for; else that of the first resource; else the API's default. */
static const char *wanted_type(const struct call *call)
{
	const char *type = call_string(call, "ServiceResourceType");

	if (!type)
		type = member_string(json_array_get(call_list(call, "Resource"), 0), "ResourceType");
	return type ? type : "slb";
}

static int read_service(struct call *call, struct service *row)
{
	const char *payer = call_string(call, "Payer");
	int r;

	r = read_service_description(call, row->description);
	if (r == 0)
		r = read_resource_group(call, "InvalidResourceGroup", row->resource_group);
	if (r < 0)
		return r;
	(void)str_copy(row->resource_type, sizeof(row->resource_type), wanted_type(call));
	r = read_service_ip_version(call, row);
	if (r < 0)
		return r;
	payer = payer ? payer : "Endpoint";
	if (!streq(payer, "Endpoint") &&
	    quota_check_privilege(call, call->account->uid, QUOTA_PAYER_MODE) < 0)
		return -EBADMSG;
	row->auto_accept = call_bool(call, "AutoAcceptEnabled", false);
	row->zone_affinity = call_bool(call, "ZoneAffinityEnabled", false);
	(void)str_copy(row->payer, sizeof(row->payer), payer);
	return 0;
}

static void fill_service(struct call *call, struct service *row)
{
	call_new_id(call, "epsrv-", row->id);
	row->owner = call->account->uid;
	row->connect_bandwidth = BANDWIDTH_DEFAULT;
	row->status = SERVICE_CREATING;
	row->create_time = call->now;
	(void)str_copy(row->region, sizeof(row->region), call->region);
	(void)str_format(row->name, sizeof(row->name), "com.aliyuncs.privatelink.%s.%s", row->region,
			 row->id);
	(void)str_format(row->domain, sizeof(row->domain), "%s.%s." PRIVATE_LINK_DOMAIN, row->id,
			 row->region);
}

static int create_resources(struct call *call, const struct service *service)
{
	struct service_resource made[RESOURCES_PER_CALL_MAX];
	json_t *list = call_list(call, "Resource"), *object;
	size_t i, j;

	json_array_foreach(list, i, object) {
		const struct resource_wish wish = {
			.type = member_string(object, "ResourceType"),
			.id = member_string(object, "ResourceId"),
			.zone = member_string(object, "ZoneId"),
		};
		size_t n_zone = 0;
		int r;

		if (!streq(wish.type, member_string(json_array_get(list, 0), "ResourceType")))
			return call_fail(call, "EndpointServiceResourceTypeNotEqual");
		r = resource_check(call, service, &wish, &made[i]);
		if (r < 0)
			return r;
		for (j = 0; j < i; j++)
			if (streq(made[j].resource, made[i].resource) && streq(made[j].zone, made[i].zone))
				return call_fail(call, "EndpointServiceResourceExist");
		for (j = 0; j < i; j++)
			n_zone += streq(made[j].zone, made[i].zone);
		r = quota_check(call, service->owner, QUOTA_SERVICE_RESOURCES, i, 1);
		if (r == 0)
			r = quota_check(call, service->owner, QUOTA_ZONE_RESOURCES, n_zone, 1);
		if (r < 0)
			return r;
		call_put(call, KIND_SERVICE_RESOURCE, &made[i]);
	}
	return 0;
}

/* Whether the account can have another service, with its resources and the entry of its owner. */
static int check_room(struct call *call)
{
	int64_t uid = call->account->uid;
	size_t n = json_array_size(call_list(call, "Resource"));
	int r;

	r = quota_check_one(call, uid, QUOTA_SERVICES, call->region);
	if (r == 0)
		r = quota_check_share(call, uid, QUOTA_ALL_SERVICES, 0, 1);
	if (r == 0)
		r = quota_check_share(call, uid, QUOTA_ALL_SERVICE_USERS, 0, 1);
	return r == 0 && n > 0 ? quota_check_share(call, uid, QUOTA_ALL_SERVICE_RESOURCES, 0, n) : r;
}

int service_create(struct call *call)
{
	struct service_user owner = {.uid = call->account->uid, .region = call->region};
	struct service row = {};
	int r;

	r = read_service(call, &row);
	if (r < 0)
		return r;
	r = check_room(call);
	if (r < 0)
		return r;
	fill_service(call, &row);
	r = supported_regions_add(call, "SupportedRegionList", &row);
	if (r == 0)
		r = create_resources(call, &row);
	if (r == 0)
		r = tags_create(call, row.id, "vpcendpointservice");
	if (r < 0)
		return r;
	(void)str_copy(owner.service, sizeof(owner.service), row.id);
	call_put(call, KIND_SERVICE, &row);
	call_put(call, KIND_SERVICE_USER, &owner);
	answer_row(call->answer, call->action->answer, KIND_SERVICE, &row);
	answer_ip_support(call->answer, &row);
	supported_regions_answer(call->answer, call->action->answer, &row);
	return 0;
}

/* What is not a member of the row. */
static void add_more(const struct call *call, json_t *object, const void *row)
{
	const struct service *service = row;

	answer_string(object, "ServiceType", service_type(service));
	answer_ip_support(object, service);
	supported_regions_answer(object, call_fields(call), service);
}

int service_get(struct call *call)
{
	const struct service *service = owned_service(call, call_string(call, "ServiceId"));

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	answer_row(call->answer, call->action->answer, KIND_SERVICE, service);
	add_more(call, call->answer, service);
	answer_service_zones(call, call->answer, service->id);
	return 0;
}

static bool has_resource(const struct call *call, const struct service *service, const char *resource)
{
	char prefix[2 * ID_SIZE + 2];

	/* No id has ID_SIZE characters. */
	return !resource ||
	       (str_format(prefix, sizeof(prefix), "%s/%.*s/", service->id, ID_SIZE, resource) >= 0 &&
		snapshot_next(call->rows, KIND_SERVICE_RESOURCE, prefix, NULL));
}

static bool service_wanted(const struct call *call, const void *row)
{
	const struct service *s = row;

	return filter_text(call, "ServiceId", s->id) && filter_text(call, "ServiceName", s->name) &&
	       filter_text(call, "ServiceStatus", enum_name(service_status_names, s->status)) &&
	       filter_text(call, "ServiceBusinessStatus", "Normal") &&
	       filter_text(call, "ServiceResourceType", s->resource_type) &&
	       filter_text(call, "AddressIpVersion", s->ip_version) &&
	       filter_resource_group(call, s->resource_group) &&
	       call_bool(call, "AutoAcceptEnabled", s->auto_accept) == s->auto_accept &&
	       call_bool(call, "ZoneAffinityEnabled", s->zone_affinity) == s->zone_affinity &&
	       has_resource(call, s, call_string(call, "ResourceId")) && tags_match(call, s->id);
}

int service_list(struct call *call)
{
	static const struct list_filter filters[] = {{"ServiceId", REF_COUNT_}, {}};
	static const struct listing listing = {KIND_SERVICE, service_wanted, add_more, .filters = filters};
	_cleanup_(walk_done) struct walk services = {};
	int r;

	r = owned_services(call, &services);
	return r < 0 ? r : list_walk(call, &listing, &services);
}

/* Whether an endpoint is connected to the service, or is being connected or cut. */
static bool is_connected(const struct call *call, const struct service *service)
{
	for (const struct connection *c = NULL;
	     (c = snapshot_children(call->rows, REF_CONNECTION_SERVICE, service->id, c));)
		if (c->status != CONNECTION_DISCONNECTED && c->status != CONNECTION_SERVICE_DELETED &&
		    c->status != CONNECTION_DELETING)
			return true;
	return false;
}

int service_delete(struct call *call)
{
	const struct service *service = owned_service(call, call_string(call, "ServiceId"));
	struct service row;

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	if (service->owner == 0)
		return call_fail_detail(call, "EndpointServiceOperationDenied",
					"The catalogue's services stay.");
	if (is_connected(call, service))
		return call_fail(call, "EndpointServiceConnectionDependence");
	row = *service;
	if (service_event(&row, EVENT_DELETE) == 0)
		call_put(call, KIND_SERVICE, &row);
	return 0;
}
