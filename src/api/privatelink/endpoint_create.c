/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateVpcEndpoint. The checks go from what the caller can see in its own request to what others have:
 * formats, the service, the VPC, security groups, quotas, zones. What passes them is a plan, which
 * GetEndpointPath looks at, too, and then one transaction: endpoint, connection, and for each zone the zone,
 * an ENI and its address.
 *
 * A VPC has one endpoint of a system service, because its own name (pai-dlc-vpc.…) belongs to that one in the
 * VPC; a second one is EndpointDuplicated. Of a user's service it can have several.
 */
#include "endpoint_create.h"
#include "../../model/check.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "../frame/fill.h"
#include "actions.h"
#include "admission.h"
#include "policy.h"
#include "region.h"
#include "words.h"

/* What the request says by itself. */
static int read_formats(struct call *call, struct endpoint *row)
{
	int r;

	r = read_name(call, "EndpointName", &row->name);
	if (r == 0)
		r = read_description(call, "EndpointDescription", &row->description);
	if (r == 0)
		r = read_resource_group(call, "InvalidResourceGroup", row->resource_group);
	if (r < 0)
		return r;
	if (!call_string(call, "ServiceId") && !call_string(call, "ServiceName"))
		return call_fail_named(call, "MissingParam.{name}", "ServiceId");
	if (call_int(call, "ZonePrivateIpAddressCount", 1) > 1)
		return call_fail_detail(call, "QuotaExceeded.IpQuotaPerEp", "It is one for each zone.");
	row->zone_affinity = call_bool(call, "ZoneAffinityEnabled", false);
	row->protected_enabled = call_bool(call, "ProtectedEnabled", false);
	return 0;
}

/* The region of the service, which is the endpoint's unless it is said. */
static int read_service_region(struct call *call, struct endpoint *row)
{
	const char *region = call_string(call, "ServiceRegionId");

	row->region = call->region;
	if (!region || !region[0])
		region = call->region;
	if (!catalogue_region(call->catalogue, region))
		return call_fail_detail(call, "RegionNotFound", "It is %s.", region);
	if (region_in_mainland(region) != region_in_mainland(call->region))
		return call_fail_detail(call, "UnsupportedRegion",
					"Endpoints in %s do not reach a service in %s: the border of "
					"mainland China is between them.",
					call->region, region);
	row->service_region = region;
	return read_cross_bandwidth(call, region, row);
}

/* A name of the catalogue says by itself where it is offered. */
static int find_system_service(struct call *call, const char *name, const char *service_region,
			       const struct service **ret)
{
	const struct catalogue_service *product;
	char region[REGION_SIZE];

	product = catalogue_service_by_name(call->catalogue, name, region);
	if (!product)
		return 0;
	if (!catalogue_service_in(product, region))
		return call_fail_detail(call, "UnsupportedRegion", "%s is not offered in %s.",
					product->product, region);
	for (const struct service *s = NULL;
	     (s = snapshot_owned(call->rows, KIND_SERVICE, 0, service_region, s));)
		if (streq(s->name, name))
			*ret = s;
	return 0;
}

/* The name of a user's service ends in its id. */
static const struct service *find_named_service(const struct call *call, const char *name)
{
	const char *dot = strrchr(name, '.');
	const struct service *service = dot ? snapshot_service(call->rows, dot + 1) : NULL;

	return service && streq(service->name, name) ? service : NULL;
}

static int find_service(struct call *call, const char *service_region, const struct service **ret)
{
	const char *id = call_string(call, "ServiceId"), *name = call_string(call, "ServiceName");
	const struct service *service = NULL;
	int r;

	if (id) {
		service = snapshot_service(call->rows, id);
		if (service && name && !streq(service->name, name))
			return call_fail_detail(call, "EndpointServiceNotFound",
						"The service has another name.");
	} else {
		r = find_system_service(call, name, service_region, &service);
		if (r < 0)
			return r;
		if (!service)
			service = find_named_service(call, name);
	}
	if (!service || !streq(service->region, service_region))
		return call_fail_detail(call, "EndpointServiceNotFound",
					"It was looked for in %s; ServiceRegionId names another region.",
					service_region);
	if (!service_admits(call, service))
		return call_fail(call, "EndpointServiceNotAuthorized");
	*ret = service;
	r = check_service_there(call, service);
	return r < 0 ? r : check_region_served(call, service, call->region);
}

static int check_service_offers(struct call *call, const struct service *service, struct endpoint *row)
{
	const char *type = call_string(call, "EndpointType");
	int r;

	if (!streq(service_type(service), "Interface"))
		return call_fail_detail(call, "Mismatch.EndpointType",
					"The service takes endpoints of type %s, which are not served.",
					service_type(service));
	if (type && !streq(type, "Interface"))
		return call_fail_detail(call, "Mismatch.EndpointType",
					"The service takes endpoints of type Interface.");
	r = check_ip_version(call);
	return r < 0 ? r : policy_read(call, service, row);
}

static bool in_groups(const struct endpoint *row, const char *id)
{
	for (uint32_t i = 0; i < row->n_groups; i++)
		if (streq(row->groups[i], id))
			return true;
	return false;
}

static int read_groups(struct call *call, struct endpoint_plan *plan)
{
	struct endpoint *row = &plan->row;
	const struct security_group *first = NULL;
	json_t *ids = call_list(call, "SecurityGroupId"), *id;
	size_t i;

	row->groups = (const char(*)[ID_SIZE])plan->groups;
	json_array_foreach(ids, i, id) {
		const struct security_group *group = owned_security_group(call, json_string_value(id));

		if (!group || !streq(group->vpc, row->vpc))
			return call_fail(call, "SecurityGroupNotFound");
		if (!first)
			first = group;
		if (group->type != first->type)
			return call_fail(call, "SecurityGroupTypeOnlySingleTypeSupporteded");
		if (in_groups(row, group->id))
			continue;
		(void)str_copy(plan->groups[row->n_groups++], ID_SIZE, group->id);
	}
	return row->n_groups ? 0 : call_fail(call, "EndpointMustContainSecurityGroup");
}

/* The VPC's first endpoint of the service, looked for where there are fewer. */
static const struct endpoint *find_twin(const struct call *call, const struct vpc *vpc,
					const struct service *service)
{
	bool by_vpc = snapshot_count_children(call->rows, REF_ENDPOINT_VPC, vpc->id) <
		      snapshot_count_children(call->rows, REF_ENDPOINT_SERVICE, service->id);
	enum ref ref = by_vpc ? REF_ENDPOINT_VPC : REF_ENDPOINT_SERVICE;
	const char *id = by_vpc ? vpc->id : service->id;

	for (const struct endpoint *e = NULL; (e = snapshot_children(call->rows, ref, id, e));)
		if (streq(e->service, service->id) && streq(e->vpc, vpc->id) &&
		    e->status != ENDPOINT_DELETING)
			return e;
	return NULL;
}

/* What the VPC already has: a name of the service's own leads to one endpoint there. */
static int check_vpc_room(struct call *call, const struct vpc *vpc, const struct service *service)
{
	const struct endpoint *twin = service->private_domain[0] ? find_twin(call, vpc, service) : NULL;

	if (twin)
		return call_fail_detail(call, "EndpointDuplicated", "In this VPC it is %s.", twin->id);
	return quota_check(call, vpc->owner, QUOTA_VPC_ENDPOINTS,
			   snapshot_count_children(call->rows, REF_ENDPOINT_VPC, vpc->id), 1);
}

/* Endpoints are counted one by one only where the account has so many that it matters. */
static int check_idle(struct call *call)
{
	int64_t uid = call->account->uid;

	if (snapshot_count_owned(call->rows, KIND_ENDPOINT, uid, call->region) <
	    (size_t)quota_value(call->rows, uid, QUOTA_IDLE_ENDPOINTS))
		return 0;
	return quota_check_one(call, uid, QUOTA_IDLE_ENDPOINTS, call->region);
}

static void fill_endpoint(struct call *call, struct endpoint_plan *plan)
{
	const struct service *service = plan->service;
	struct endpoint *row = &plan->row;

	call_new_id(call, "ep-", row->id);
	row->owner = call->account->uid;
	row->status = ENDPOINT_CREATING;
	row->create_time = call->now;
	row->service = service->id;
	row->service_name = service->name;
	row->type = "Interface";
	row->ip_version = "IPv4";
	row->payer = service->payer;
	(void)str_format(plan->domain, sizeof(plan->domain), "%s.%s.%s." PRIVATE_LINK_DOMAIN, row->id,
			 service_label(service), service->region);
	row->domain = plan->domain;
}

static void fill_connection(const struct call *call, const struct service *service,
			    const struct endpoint *endpoint, struct connection *row)
{
	*row = (struct connection){
		.status = service->auto_accept ? CONNECTION_CONNECTING : CONNECTION_DISCONNECTED,
		.waiting = !service->auto_accept,
		.bandwidth = service->connect_bandwidth,
		.modified_time = call->now,
	};
	(void)str_copy(row->endpoint, sizeof(row->endpoint), endpoint->id);
	row->service = service->id;
	row->traffic_control = streq(service->resource_type, "slb") ? "BandwidthLimit" : "Scalability";
}

static int read_zones(struct call *call, struct endpoint_plan *plan)
{
	struct allocation allocation = {.endpoint = &plan->row, .service = plan->service};
	json_t *zones = call_list(call, "Zone"), *zone, *other;
	char param[WORD_SIZE];
	size_t i, j;

	if (json_array_size(zones) > ENDPOINT_ZONES_MAX)
		return call_fail(call, "QuotaExceeded.epZonePerEndpoint");
	json_array_foreach(zones, i, zone) {
		const struct zone_wish wish = {
			.zone = member_string(zone, "ZoneId"),
			.vswitch = member_string(zone, "VSwitchId"),
			.addr = member_string(zone, "ip"),
			.addr_v6 = member_string(zone, "Ipv6Address"),
			.param = param,
		};
		int r;

		(void)str_format(param, sizeof(param), "Zone.%zu.", i + 1);
		for (j = 0; j < i; j++) {
			other = json_array_get(zones, j);
			if (streq(member_string(other, "ZoneId"), wish.zone))
				return call_fail(call, "EndpointZoneDuplicated");
		}
		r = zone_plan_read(call, &allocation, &plan->connection, &wish, &plan->zones[i]);
		if (r < 0)
			return r;
		plan->n_zones++;
	}
	return 0;
}

static int read_vpc(struct call *call, struct endpoint_plan *plan)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	int r;

	if (!vpc || vpc->status == VPC_DELETING)
		return call_fail(call, "VpcNotFound");
	plan->row.vpc = vpc->id;
	r = read_groups(call, plan);
	if (r == 0)
		r = check_vpc_room(call, vpc, plan->service);
	if (r == 0)
		r = quota_check_share(call, call->account->uid, QUOTA_ALL_ENDPOINTS, 0, 1);
	if (r == 0)
		r = check_idle(call);
	return r;
}

int endpoint_plan_read(struct call *call, struct endpoint_plan *ret)
{
	int r;

	*ret = (struct endpoint_plan){0};
	row_clear(KIND_ENDPOINT, &ret->row);
	r = read_formats(call, &ret->row);
	if (r == 0)
		r = read_service_region(call, &ret->row);
	if (r == 0)
		r = find_service(call, ret->row.service_region, &ret->service);
	if (r == 0)
		r = check_service_offers(call, ret->service, &ret->row);
	if (r == 0)
		r = read_vpc(call, ret);
	if (r < 0)
		return r;
	fill_endpoint(call, ret);
	fill_connection(call, ret->service, &ret->row, &ret->connection);
	return read_zones(call, ret);
}

static int put_zones(struct call *call, struct endpoint_plan *plan)
{
	struct alloc alloc = {};
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->n_zones; i++)
		r = zone_create(call, &alloc, &plan->row, &plan->zones[i]);
	return r;
}

int endpoint_create(struct call *call)
{
	struct endpoint_plan plan;
	int r;

	r = endpoint_plan_read(call, &plan);
	if (r == 0)
		r = put_zones(call, &plan);
	if (r == 0)
		r = tags_create(call, plan.row.id, "vpcendpoint");
	if (r < 0)
		return r;
	call_put(call, KIND_ENDPOINT, &plan.row);
	call_put(call, KIND_CONNECTION, &plan.connection);
	answer_row(call->answer, call->action->answer, KIND_ENDPOINT, &plan.row);
	answer_row(call->answer, call->action->answer, KIND_CONNECTION, &plan.connection);
	answer_string(call->answer, "AcceptanceStatus", acceptance_word(&plan.connection));
	return 0;
}
