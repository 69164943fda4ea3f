/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What its owner can change of an endpoint or a service after it was made. Changes are taken in every state
 * but while the object goes; the row is Pending until the nodes have what was changed (a resource group is
 * nothing to them). An update that changes nothing writes nothing.
 */
#include <strings.h>

#include "../../model/state.h"
#include "../common/owned.h"
#include "../common/resource_group.h"
#include "actions.h"
#include "admission.h"
#include "policy.h"
#include "region.h"
#include "words.h"

/* An empty text takes away what is there; a call that creates takes it for none. */
static int read_text(struct call *call, const char *param,
		     int (*read)(struct call *, const char *, const char **), const char **ret)
{
	const char *text = call_string(call, param);

	if (!text || text[0])
		return read(call, param, ret);
	*ret = "";
	return 0;
}

static int read_endpoint(struct call *call, struct endpoint *row)
{
	const struct service *service = snapshot_service(call->rows, row->service);
	int r;

	r = check_ip_version(call);
	if (r < 0)
		return r;
	r = read_cross_bandwidth(call, row->service_region, row);
	if (r < 0)
		return r;
	r = read_text(call, "EndpointName", read_name, &row->name);
	if (r < 0)
		return r;
	r = read_text(call, "EndpointDescription", read_description, &row->description);
	if (r < 0)
		return r;
	row->zone_affinity = call_bool(call, "ZoneAffinityEnabled", row->zone_affinity);
	if (call_bool(call, "ResetPolicy", false))
		row->policy = "";
	if (!service)
		return call_fail(call, "EndpointServiceDeleted");
	return policy_read(call, service, row);
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return streq(a->name, b->name) && streq(a->description, b->description) &&
	       streq(a->policy, b->policy) && a->zone_affinity == b->zone_affinity &&
	       a->cross_region_bandwidth == b->cross_region_bandwidth;
}

int endpoint_update(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));
	struct endpoint row;
	int r;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	row = *endpoint;
	if (endpoint_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "EndpointOperationDenied");
	r = read_endpoint(call, &row);
	if (r < 0)
		return r;
	if (!same_endpoint(endpoint, &row))
		call_put(call, KIND_ENDPOINT, &row);
	return 0;
}

/* Clients name no region here; ids are enough. What goes is not moved: its end would wait for that change,
 * too.
 */
int privatelink_change_group(struct call *call)
{
	const char *id = call_string(call, "ResourceId"), *type = call_string(call, "ResourceType");
	bool is_service = id && str_starts(id, "epsrv-");
	const void *found = owned_row(call, is_service ? KIND_SERVICE : KIND_ENDPOINT, id);
	struct endpoint endpoint;
	struct service service;
	int r;

	if (!id || !id[0])
		return call_fail_named(call, "MissingParameter.{name}", "ResourceId");
	if (!call_string(call, "ResourceGroupId"))
		return call_fail_named(call, "MissingParameter.{name}", "ResourceGroupId");
	if (!found || (type && (strcasecmp(type, "VpcEndpointService") == 0) != is_service))
		return call_fail(call, "ResourceNotFound");
	if (is_service) {
		service = *(const struct service *)found;
		if (service.status == SERVICE_DELETING)
			return call_fail(call, "ResourceNotFound");
		r = read_resource_group(call, "InvalidResourceGroup", service.resource_group);
		if (r == 0)
			call_put(call, KIND_SERVICE, &service);
		return r;
	}
	endpoint = *(const struct endpoint *)found;
	if (endpoint.status == ENDPOINT_DELETING)
		return call_fail(call, "ResourceNotFound");
	r = read_resource_group(call, "InvalidResourceGroup", endpoint.resource_group);
	if (r == 0)
		call_put(call, KIND_ENDPOINT, &endpoint);
	return r;
}

static int read_service(struct call *call, struct service *row)
{
	int r;

	r = read_service_ip_version(call, row);
	if (r < 0)
		return r;
	r = supported_regions_add(call, "AddSupportedRegionSet", row);
	if (r == 0)
		r = supported_regions_remove(call, "DeleteSupportedRegionSet", row);
	if (r < 0)
		return r;
	r = read_service_description(call, row->description);
	if (r < 0)
		return r;
	row->auto_accept = call_bool(call, "AutoAcceptEnabled", row->auto_accept);
	row->zone_affinity = call_bool(call, "ZoneAffinityEnabled", row->zone_affinity);
	row->connect_bandwidth = (uint32_t)call_int(call, "ConnectBandwidth", row->connect_bandwidth);
	return 0;
}

static bool same_service(const struct service *a, const struct service *b)
{
	return streq(a->description, b->description) && a->auto_accept == b->auto_accept &&
	       a->zone_affinity == b->zone_affinity && a->connect_bandwidth == b->connect_bandwidth &&
	       streq(a->ip_version, b->ip_version) && a->n_regions == b->n_regions &&
	       memcmp(a->regions, b->regions, sizeof(a->regions)) == 0;
}

int service_update(struct call *call)
{
	const struct service *service = owned_service(call, call_string(call, "ServiceId"));
	struct service row;
	int r;

	if (!service)
		return call_fail(call, "EndpointServiceNotFound");
	if (service->owner == 0)
		return call_fail_detail(call, "EndpointServiceOperationDenied",
					"The catalogue's services stay as they are.");
	row = *service;
	if (service_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "EndpointServiceOperationDenied");
	r = read_service(call, &row);
	if (r < 0)
		return r;
	if (!same_service(service, &row))
		call_put(call, KIND_SERVICE, &row);
	return 0;
}
