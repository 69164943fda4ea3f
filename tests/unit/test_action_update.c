/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is changed of endpoints, services, connections and whitelists after they were made, and their tags;
 * and every refusal, none of which changes anything.
 */
#include "privatelink_world.h"

#define CAROL INT64_C(1000000000000005)

static const char *service_text(struct harness *h, const char *service, const char *member)
{
	const char *text;

	if (!PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service))
		return h->error.code;
	text = harness_text(h, member);
	return text ? harness_keep(h, text) : "(absent)";
}

static int service_number(struct harness *h, const char *service, const char *member)
{
	return PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service)
		       ? (int)harness_number(h, member)
		       : -1;
}

static void test_tags(struct harness *h, const char *endpoint, const char *service)
{
#define TAG(uid, code, why, ...) REFUSED(h, uid, code, why, "TagResources", REGION __VA_ARGS__)
	TAG(ALICE, "IllegalParamFormat.ResourceType", "an unknown type",
	    "ResourceType=vpc&ResourceId.1=%s&Tag.1.Key=env", endpoint);
	TAG(ALICE, "InvalidResourceId.NotFound", "an unknown endpoint",
	    "ResourceType=vpcendpoint&ResourceId.1=ep-nothere&Tag.1.Key=env");
	TAG(BOB, "InvalidResourceId.NotFound", "another account's endpoint",
	    "ResourceType=vpcendpoint&ResourceId.1=%s&Tag.1.Key=env", endpoint);
	TAG(ALICE, "InvalidResourceId.NotFound", "an endpoint that is called a service",
	    "ResourceType=vpcendpointservice&ResourceId.1=%s&Tag.1.Key=env", endpoint);
	TAG(ALICE, "MissingTagKeyParam", "a tag without a key",
	    "ResourceType=vpcendpoint&ResourceId.1=%s&Tag.1.Value=x", endpoint);
	TAG(ALICE, "IllegalTagKeyParam", "a key of the provider's",
	    "ResourceType=vpcendpoint&ResourceId.1=%s&Tag.1.Key=acs:x", endpoint);
	TAG(ALICE, "IllegalTagValueParam", "an address as a value",
	    "ResourceType=vpcendpoint&ResourceId.1=%s&Tag.1.Key=a&Tag.1.Value=https://x", endpoint);
	TAG(ALICE, "DuplicatedTagKey", "a key twice",
	    "ResourceType=vpcendpoint&ResourceId.1=%s&Tag.1.Key=a&Tag.2.Key=a", endpoint);
#undef TAG
	tap_ok(PL(h, ALICE, "TagResources",
		  REGION
		  "ResourceType=VpcEndpoint&ResourceId.1=%s&Tag.1.Key=env&Tag.1.Value=test&Tag.2.Key=team",
		  endpoint),
	       "an endpoint is tagged");
	tap_ok(PL(h, BOB, "TagResources",
		  REGION "ResourceType=vpcendpointservice&ResourceId.1=%s&Tag.1.Key=env&Tag.1.Value=test",
		  service),
	       "a service is");
	PL(h, ALICE, "ListTagResources", REGION "ResourceType=vpcendpoint&ResourceId.1=%s", endpoint);
	tap_is_int(harness_count_of(h, "TagResources"), 2, "both tags are listed");
	tap_is_str(harness_text(h, "TagResources.0.ResourceType"), "vpcendpoint", "with their type");
	tap_ok(!harness_at(h->answer, "TotalCount") && !harness_at(h->answer, "MaxResults"),
	       "and no more than the API has");
	PL(h, ALICE, "ListTagResources", REGION "ResourceType=vpcendpoint&Tag.1.Key=team");
	tap_is_str(harness_text(h, "TagResources.0.ResourceId"), endpoint, "by a key, too");
	PL(h, BOB, "ListTagResources", REGION "ResourceType=vpcendpoint&Tag.1.Key=env");
	tap_is_int(harness_count_of(h, "TagResources"), 0, "others have none of it");
	REFUSED(h, ALICE, "MissingResourceIdOrTagParam", "nothing to go by", "ListTagResources",
		REGION "ResourceType=vpcendpoint");
	PL(h, ALICE, "ListVpcEndpoints", REGION "Tag.1.Key=team");
	tap_is_int(harness_count_of(h, "Endpoints"), 1, "lists are filtered by it");
	tap_ok(PL(h, ALICE, "UntagResources", REGION "ResourceType=vpcendpoint&ResourceId.1=%s&TagKey.1=env",
		  endpoint),
	       "a tag is taken off");
	PL(h, ALICE, "ListTagResources", REGION "ResourceType=vpcendpoint&ResourceId.1=%s", endpoint);
	tap_is_str(harness_text(h, "TagResources.0.TagKey"), "team", "the other one stays");
	for (int i = 0; i < 19; i++)
		PL(h, ALICE, "TagResources", REGION "ResourceType=vpcendpoint&ResourceId.1=%s&Tag.1.Key=t%d",
		   endpoint, i);
	REFUSED(h, ALICE, "QuotaExceed.TagsPerResource", "the 21st tag", "TagResources",
		REGION "ResourceType=vpcendpoint&ResourceId.1=%s&Tag.1.Key=t19", endpoint);
	tap_ok(PL(h, ALICE, "UntagResources", REGION "ResourceType=vpcendpoint&ResourceId.1=%s&All=true",
		  endpoint),
	       "all are taken off");
	PL(h, ALICE, "ListTagResources", REGION "ResourceType=vpcendpoint&ResourceId.1=%s", endpoint);
	tap_is_int(harness_count_of(h, "TagResources"), 0, "none is left");
}

/* "key key … " of what a list of BOB's services' tags has. */
static const char *listed_tags(struct harness *h, const char *filter)
{
	char text[256] = "", path[64];

	if (!PL(h, BOB, "ListTagResources", REGION "ResourceType=vpcendpointservice%s", filter))
		return h->error.code;
	for (size_t i = 0, used = 0; i < (size_t)harness_count_of(h, "TagResources"); i++) {
		(void)snprintf(path, sizeof(path), "TagResources.%zu.TagKey", i);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s ", harness_text(h, path));
	}
	return harness_keep(h, text);
}

/* Several tags are asked for: only what has all of them is listed, and of it only those. */
static void test_tag_filters(struct harness *h)
{
	const char *full = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService",
				  REGION "Tag.1.Key=tier&Tag.1.Value=web&Tag.2.Key=cost&Tag.2.Value=7&"
					 "Tag.3.Key=more");
	const char *half = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService",
				  REGION "Tag.1.Key=tier&Tag.1.Value=web");
	char filter[256];

#define LISTED(want, why, ...)                                                                               \
	do {                                                                                                 \
		(void)snprintf(filter, sizeof(filter), __VA_ARGS__);                                         \
		tap_is_str(listed_tags(h, filter), want, why);                                               \
	} while (0)
	LISTED("tier tier ", "one tag finds both that have it", "&Tag.1.Key=tier&Tag.1.Value=web");
	LISTED("cost tier ", "two tags find what has both", "&Tag.1.Key=tier&Tag.1.Value=web&Tag.2.Key=cost");
	LISTED("", "and nothing, if one of them has another value",
	       "&Tag.1.Key=tier&Tag.2.Key=cost&Tag.2.Value=8");
	LISTED("", "or nothing has it", "&Tag.1.Key=tier&Tag.2.Key=nowhere");
	LISTED("", "what has one of two is not listed by its id, either",
	       "&ResourceId.1=%s&Tag.1.Key=tier&Tag.2.Key=cost", half);
	LISTED("cost tier ", "what has both is",
	       "&ResourceId.1=%s&ResourceId.2=%s&Tag.1.Key=tier&Tag.2.Key=cost", half, full);
	LISTED("cost more tier ", "without tags all of an object's are listed", "&ResourceId.1=%s", full);
#undef LISTED
}

/* What one call takes, where ids and tags are each no more than the API has. */
static void test_many_tags(struct harness *h)
{
	char form[4096];
	size_t used = 0;

	for (int i = 1; i <= 5; i++)
		used += (size_t)snprintf(form + used, sizeof(form) - used, "&ResourceId.%d=%s", i,
					 PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION));
	for (int i = 1; i <= 20; i++)
		used += (size_t)snprintf(form + used, sizeof(form) - used, "&Tag.%d.Key=k%d", i, i);
	REFUSED(h, BOB, "IllegalParamFormat.ResourceId", "more tags in all than a call takes", "TagResources",
		REGION "ResourceType=vpcendpointservice%s", form);
	tap_ok(strstr(h->error.message, " 90 tags") && strstr(h->error.message, " 4 resources"),
	       "and says with how many it does: %s", h->error.message);
}

static void test_endpoint(struct harness *h, const struct world *w, const char *endpoint)
{
#define UPDATE(code, why, ...)                                                                               \
	REFUSED(h, ALICE, code, why, "UpdateVpcEndpointAttribute", REGION "EndpointId=%s&" __VA_ARGS__)
	UPDATE("IllegalParamFormat.EndpointName", "a name that begins with a digit", "EndpointName=1st",
	       endpoint);
	UPDATE("IllegalParamFormat.EndpointDescription", "an address as description",
	       "EndpointDescription=http://x", endpoint);
	UPDATE("EndpointServiceNotSupportIpv6", "another version of IP", "AddressIpVersion=DualStack",
	       endpoint);
	UPDATE("IllegalParamFormat.CrossRegionBandwidth", "a bandwidth between regions",
	       "CrossRegionBandwidth=100", endpoint);
	UPDATE("OperationDenied.EndpointPolicyNotSupport", "a policy that the service does not take",
	       "PolicyDocument={\"Version\":\"1\",\"Statement\":[{}]}", endpoint);
	UPDATE("DryRunOperation", "a dry run", "EndpointName=other&DryRun=true", endpoint);
#undef UPDATE
	REFUSED(h, ALICE, "EndpointNotFound", "an unknown endpoint", "UpdateVpcEndpointAttribute",
		REGION "EndpointId=ep-nothere&EndpointName=other");
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", "UpdateVpcEndpointAttribute",
		REGION "EndpointId=%s&EndpointName=other", endpoint);
	tap_ok(PL(h, ALICE, "UpdateVpcEndpointAttribute",
		  REGION
		  "EndpointId=%s&EndpointName=other&EndpointDescription=of tests&ZoneAffinityEnabled=true",
		  endpoint),
	       "name, description and affinity are changed");
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Pending", "it is being modified");
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Active", "until the nodes have it");
	tap_is_str(endpoint_text(h, endpoint, "EndpointName"), "other", "the name is another");
	tap_is_str(endpoint_text(h, endpoint, "EndpointDescription"), "of tests", "the description is");
	tap_ok(json_is_true(harness_at(h->answer, "ZoneAffinityEnabled")), "the affinity is");
	tap_ok(PL(h, ALICE, "UpdateVpcEndpointAttribute", REGION "EndpointId=%s&EndpointName=other",
		  endpoint),
	       "the same again is fine");
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Active", "and changes nothing");
	PL(h, ALICE, "UpdateVpcEndpointAttribute", REGION "EndpointId=%s&EndpointDescription=", endpoint);
	tap_is_str(endpoint_text(h, endpoint, "EndpointDescription"), "", "an empty description clears it");
	tap_is_str(harness_text(h, "EndpointName"), "other", "and nothing else");
	PL(h, ALICE, "UpdateVpcEndpointAttribute", REGION "EndpointId=%s&EndpointName=", endpoint);
	tap_is_str(endpoint_text(h, endpoint, "EndpointName"), "", "an empty name clears that");
	harness_in_force(h, NODE);
	(void)w;
}

/* A service without resources can become one of both versions, and stays it. */
static void test_ip_version(struct harness *h, const struct world *w)
{
	const char *service = harness_get(h, BOB, PRODUCT_PRIVATELINK, "ServiceId",
					  "CreateVpcEndpointService", REGION "ServiceResourceType=nlb");

	tap_ok(!json_is_true(harness_at(h->answer, "ServiceSupportIPv6")), "a new service is IPv4");
	tap_ok(PL(h, BOB, "UpdateVpcEndpointServiceAttribute",
		  REGION "ServiceId=%s&AddressIpVersion=DualStack", service),
	       "without resources it can become DualStack");
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service);
	tap_is_str(harness_text(h, "AddressIpVersion"), "DualStack", "and says so");
	tap_ok(json_is_true(harness_at(h->answer, "ServiceSupportIPv6")), "in both words");
	REFUSED(h, BOB, "EndpointServiceDowngradeNotAllowed", "back to IPv4",
		"UpdateVpcEndpointServiceAttribute", REGION "ServiceId=%s&AddressIpVersion=IPv4", service);
	REFUSED(h, BOB, "ServiceResourceNotSupportIpv6", "a load balancer without IPv6",
		"AttachResourceToVpcEndpointService",
		REGION "ServiceId=%s&ResourceId=%s&ResourceType=nlb&ZoneId=cn-hangzhou-h", service,
		w->balancer);
	tap_ok(PL(h, BOB, "UpdateVpcEndpointServiceAttribute",
		  REGION "ServiceId=%s&ServiceDescription=of both", service),
	       "other changes leave the version");
	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", service);
	harness_in_force(h, NODE);
}

static void test_service(struct harness *h, const struct world *w)
{
#define UPDATE(code, why, ...)                                                                               \
	REFUSED(h, BOB, code, why, "UpdateVpcEndpointServiceAttribute", REGION "ServiceId=%s&" __VA_ARGS__)
	UPDATE("IllegalParamFormat.ConnectBandwidth", "too little", "ConnectBandwidth=99", w->service);
	UPDATE("IllegalParamFormat.ConnectBandwidth", "too much", "ConnectBandwidth=10241", w->service);
	UPDATE("ServiceResourceNotSupportIpv6", "another version of IP than its resources have",
	       "AddressIpVersion=DualStack", w->service);
	UPDATE("ServiceResourceNotSupportIpv6", "the same by its old name", "ServiceSupportIPv6=true",
	       w->service);
	UPDATE("RegionNotFound", "an unknown region", "AddSupportedRegionSet.1=cn-nowhere", w->service);
	UPDATE("RegionNotFound", "an unknown region that is to go", "DeleteSupportedRegionSet.1=cn-nowhere",
	       w->service);
	UPDATE("UnsupportedRegion", "a region across the border", "AddSupportedRegionSet.1=ap-southeast-5",
	       w->service);
	UPDATE("DryRunOperation", "a dry run", "AutoAcceptEnabled=true&DryRun=true", w->service);
#undef UPDATE
	REFUSED(h, BOB, "EndpointServiceNotFound", "an unknown service", "UpdateVpcEndpointServiceAttribute",
		REGION "ServiceId=epsrv-nothere&AutoAcceptEnabled=true");
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"UpdateVpcEndpointServiceAttribute", REGION "ServiceId=%s&AutoAcceptEnabled=true",
		w->service);
	REFUSED(h, ROOT, "EndpointServiceOperationDenied", "a service of the catalogue",
		"UpdateVpcEndpointServiceAttribute", REGION "ServiceId=%s&AutoAcceptEnabled=true",
		w->system_service);
	tap_ok(PL(h, BOB, "UpdateVpcEndpointServiceAttribute",
		  REGION "ServiceId=%s&ServiceDescription=x&ConnectBandwidth=200&AutoAcceptEnabled=true"
			 "&ZoneAffinityEnabled=true&AddSupportedRegionSet.1=cn-hangzhou",
		  w->service),
	       "a service is changed");
	tap_is_str(service_text(h, w->service, "ServiceStatus"), "Pending", "it is being modified");
	harness_in_force(h, NODE);
	tap_is_str(service_text(h, w->service, "ServiceStatus"), "Active", "until the nodes have it");
	tap_is_str(service_text(h, w->service, "ServiceDescription"), "x", "the description is another");
	tap_is_int(service_number(h, w->service, "ConnectBandwidth"), 200, "the bandwidth is");
	tap_ok(json_is_true(harness_at(h->answer, "AutoAcceptEnabled")) &&
		       json_is_true(harness_at(h->answer, "ZoneAffinityEnabled")),
	       "it accepts by itself, and has affinity");
	tap_ok(PL(h, BOB, "UpdateVpcEndpointServiceAttribute",
		  REGION "ServiceId=%s&ServiceDescription=", w->service),
	       "a description can be emptied");
	harness_in_force(h, NODE);
	tap_is_str(service_text(h, w->service, "ServiceDescription"), "", "then there is none");
}

static int connection_number(struct harness *h, const char *service, const char *member)
{
	char path[64];

	if (!PL(h, BOB, "ListVpcEndpointConnections", REGION "ServiceId=%s", service))
		return -1;
	(void)str_format(path, sizeof(path), "Connections.0.%s", member);
	return (int)harness_number(h, path);
}

static void test_connection(struct harness *h, const struct world *w, const char *endpoint)
{
	tap_is_int(connection_number(h, w->service, "Bandwidth"), 3072,
		   "a connection keeps the bandwidth that was the default when it was made");
#define UPDATE(uid, code, why, ...)                                                                          \
	REFUSED(h, uid, code, why, "UpdateVpcEndpointConnectionAttribute", REGION __VA_ARGS__)
	UPDATE(BOB, "IllegalParamFormat.Bandwidth", "too little", "ServiceId=%s&EndpointId=%s&Bandwidth=99",
	       w->service, endpoint);
	UPDATE(BOB, "EndpointConnectionNotFound", "an unknown endpoint",
	       "ServiceId=%s&EndpointId=ep-nothere&Bandwidth=100", w->service);
	UPDATE(ALICE, "EndpointServiceNotFound", "the consumer", "ServiceId=%s&EndpointId=%s&Bandwidth=100",
	       w->service, endpoint);
#undef UPDATE
	tap_ok(PL(h, BOB, "UpdateVpcEndpointConnectionAttribute",
		  REGION "ServiceId=%s&EndpointId=%s&Bandwidth=500&TrafficControlMode=BandwidthLimit",
		  w->service, endpoint),
	       "a connection gets a limit of its own, while it waits, too");
	harness_in_force(h, NODE);
	tap_is_int(connection_number(h, w->service, "Bandwidth"), 500, "it is told");
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "Disconnected",
		   "the connection goes on waiting");
	PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service, endpoint);
	harness_in_force(h, NODE);
	tap_is_int(connection_number(h, w->service, "Bandwidth"), 500,
		   "it stays when the connection is accepted");
	PL(h, BOB, "UpdateVpcEndpointConnectionAttribute", REGION "ServiceId=%s&EndpointId=%s&Bandwidth=600",
	   w->service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "Connected",
		   "a connected one takes another");
}

/* One zone is cut and joined again; the connection stays. */
static void test_zone(struct harness *h, const struct world *w, const char *endpoint)
{
#define ZONE(uid, code, why, action, zone, ...)                                                              \
	REFUSED(h, uid, code, why, action "VpcEndpointZoneConnection",                                       \
		REGION "ServiceId=%s&EndpointId=%s&ZoneId=" zone __VA_ARGS__, w->service, endpoint)
	ZONE(BOB, "ResourceNotFound.VpcEndpointZone", "a zone that the endpoint is not in", "Disable",
	     "cn-hangzhou-i");
	ZONE(ALICE, "EndpointServiceNotFound", "the consumer", "Disable", "cn-hangzhou-h");
	ZONE(BOB, "IncorrectStatus.VpcEndpointZone", "a connected zone is connected", "Enable",
	     "cn-hangzhou-h");
	ZONE(BOB, "IncorrectStatus.VpcEndpointZone", "no replacement ends", "Disable", "cn-hangzhou-h",
	     "&ReplacedResource=true");
	tap_ok(PL(h, BOB, "DisableVpcEndpointZoneConnection",
		  REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-hangzhou-h", w->service, endpoint),
	       "a zone is cut");
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Disconnecting", "it goes");
	harness_in_force(h, NODE);
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Disconnected",
		   "when the nodes have it, it is gone");
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "Connected", "the connection is not");
	ZONE(BOB, "IncorrectStatus.VpcEndpointZone", "a zone that is cut", "Disable", "cn-hangzhou-h");
	PL(h, BOB, "EnableVpcEndpointZoneConnection",
	   REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-hangzhou-h", w->service, endpoint);
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Connecting", "it is joined again");
	harness_in_force(h, NODE);
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Connected", "and is connected");
	PL(h, BOB, "DisableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service, endpoint);
	ZONE(BOB, "IncorrectStatus.VpcEndpointConnection", "of a connection that is cut", "Enable",
	     "cn-hangzhou-h");
	harness_in_force(h, NODE);
	PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Connected", "with the connection it comes back");
#undef ZONE
}

#define RESOURCE "&ResourceId=%s&ZoneId=cn-hangzhou-"

/* Resources are taken out, and out of allocation, while endpoints are connected through one of them. */
static void test_resources(struct harness *h, const struct world *w, const char *endpoint)
{
	const char *second = make_balancer(h, &w->provider);

#define DETACH(code, why, ...)                                                                               \
	REFUSED(h, BOB, code, why, "DetachResourceFromVpcEndpointService", REGION "ServiceId=%s" __VA_ARGS__)
#define AUTO(code, why, ...)                                                                                 \
	REFUSED(h, BOB, code, why, "UpdateVpcEndpointServiceResourceAttribute",                              \
		REGION "ServiceId=%s" __VA_ARGS__)
	harness_in_force(h, NODE);
	DETACH("MissingParam.ZoneId", "no zone", "&ResourceId=%s", w->service, w->balancer);
	DETACH("EndpointServiceResourceNotFound", "a load balancer of another service", RESOURCE "h",
	       w->service, second);
	DETACH("Mismatch.ResourceType", "another type", RESOURCE "h&ResourceType=alb", w->service,
	       w->balancer);
	DETACH("EndpointServiceConnectionDependence", "what serves a connection", RESOURCE "h", w->service,
	       w->balancer);
	AUTO("ResourceAutoAllocateViolation", "the last of a zone", RESOURCE "i&AutoAllocatedEnabled=false",
	     w->service, w->balancer);
	AUTO("MissingAutoAllocatedEnabled", "no wish", RESOURCE "i", w->service, w->balancer);
	tap_ok(PL(h, BOB, "DetachResourceFromVpcEndpointService", REGION "ServiceId=%s" RESOURCE "i",
		  w->service, w->balancer),
	       "what serves nobody is taken out");
	tap_is_str(service_text(h, w->service, "ServiceStatus"), "Pending", "the service is being modified");
	harness_in_force(h, NODE);
	tap_is_int(harness_count_of(h, "Zones"), 1, "it has a zone less");
	PL(h, BOB, "AttachResourceToVpcEndpointService", REGION "ServiceId=%s&ResourceType=nlb" RESOURCE "h",
	   w->service, second);
	harness_in_force(h, NODE);
	tap_ok(PL(h, BOB, "UpdateVpcEndpointServiceResourceAttribute",
		  REGION "ServiceId=%s" RESOURCE "h&AutoAllocatedEnabled=false", w->service, w->balancer),
	       "of two, one is taken out of allocation");
	harness_in_force(h, NODE);
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Connected", "which cuts nobody");
	PL(h, BOB, "DisableVpcEndpointZoneConnection",
	   REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-hangzhou-h", w->service, endpoint);
	harness_in_force(h, NODE);
	tap_ok(PL(h, BOB, "DetachResourceFromVpcEndpointService", REGION "ServiceId=%s" RESOURCE "h",
		  w->service, w->balancer),
	       "when its zone is cut, it is taken out");
	harness_in_force(h, NODE);
	PL(h, BOB, "EnableVpcEndpointZoneConnection",
	   REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-hangzhou-h", w->service, endpoint);
	harness_in_force(h, NODE);
	PL(h, BOB, "ListVpcEndpointConnections", REGION "ServiceId=%s&EndpointId=%s", w->service, endpoint);
	tap_is_str(harness_text(h, "Connections.0.Zones.0.ResourceId"), second, "the other serves it then");
#undef DETACH
#undef AUTO
}

static const char *new_group(struct harness *h, int64_t uid)
{
	harness_call(h, uid, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup", "Name=team&DisplayName=Team");
	return harness_keep(h, harness_text(h, "ResourceGroup.Id"));
}

static void test_groups(struct harness *h, const char *endpoint, const char *service)
{
	const char *one = new_group(h, ALICE), *two = new_group(h, BOB);

#define CHANGE(uid, code, why, ...) REFUSED(h, uid, code, why, "ChangeResourceGroup", __VA_ARGS__)
	CHANGE(ALICE, "MissingParameter.ResourceId", "nothing to move", "ResourceGroupId=rg-1");
	CHANGE(ALICE, "MissingParameter.ResourceGroupId", "nowhere to move it", "ResourceId=%s", endpoint);
	CHANGE(ALICE, "ResourceNotFound", "an unknown endpoint",
	       "ResourceId=ep-nothere&ResourceGroupId=rg-1");
	CHANGE(ALICE, "ResourceNotFound", "another account's service", "ResourceId=%s&ResourceGroupId=rg-1",
	       service);
	CHANGE(ALICE, "ResourceNotFound", "an endpoint that is called a service",
	       "ResourceId=%s&ResourceType=vpcendpointservice&ResourceGroupId=rg-1", endpoint);
	CHANGE(ALICE, "InvalidResourceGroup", "a group that does not exist",
	       "ResourceId=%s&ResourceGroupId=rg-none", endpoint);
	CHANGE(ALICE, "InvalidResourceGroup", "another account's group", "ResourceId=%s&ResourceGroupId=%s",
	       endpoint, two);
	CHANGE(ALICE, "InvalidResourceGroup", "another account's default group",
	       "ResourceId=%s&ResourceGroupId=rg-acct1000000000000002", endpoint);
#undef CHANGE
	tap_ok(PL(h, ALICE, "ChangeResourceGroup", "ResourceId=%s&ResourceGroupId=%s", endpoint, one),
	       "an endpoint moves to another group, with no region named");
	tap_is_str(endpoint_text(h, endpoint, "ResourceGroupId"), one, "and is there");
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Active", "which no node has to know");
	tap_ok(PL(h, BOB, "ChangeResourceGroup",
		  "ResourceId=%s&ResourceType=VpcEndpointService&ResourceGroupId=%s", service, two),
	       "so does a service");
	tap_is_str(service_text(h, service, "ResourceGroupId"), two, "and is there");
}

static int users(struct harness *h, const char *service, const char *list, const char *filter)
{
	PL(h, BOB, "ListVpcEndpointServiceUsers", REGION "ServiceId=%s&UserListType=%s%s", service, list,
	   filter);
	return harness_count_of(h, list);
}

static void add(struct harness *h, const char *service, const char *who)
{
	PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&%s", service, who);
}

static void take(struct harness *h, const char *service, const char *who)
{
	PL(h, BOB, "RemoveUserFromVpcEndpointService", REGION "ServiceId=%s&%s", service, who);
}

/* How many services Carol finds that are none of the system's. */
static int found(struct harness *h, const char *service)
{
	PL(h, CAROL, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=%s", service);
	return harness_count_of(h, "Services");
}

static void test_whitelist(struct harness *h)
{
	const char *id =
		PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=nlb");

	harness_in_force(h, NODE);
	tap_is_int(users(h, id, "Users", ""), 1, "the owner is on the list from the start");
	tap_is_str(harness_text(h, "TotalCount"), "1", "the total is a text");
	tap_is_int(harness_count_of(h, "UserARNs"), 0, "the other list is there, and empty");
	add(h, id, "UserId=1000000000000005");
	add(h, id, "UserARN=acs:ram:*:17:*");
	add(h, id, "UserARN=*");
	tap_is_int(users(h, id, "Users", ""), 2, "an account");
	tap_is_int(users(h, id, "UserARNs", ""), 2, "and two ARNs");
	tap_is_int(users(h, id, "Users", "&UserId=1000000000000005"), 1, "one is looked for");
	tap_is_int(users(h, id, "Users", "&UserId=18"), 0, "one that is not there");
	tap_is_int(users(h, id, "Users", "&MaxResults=1"), 1, "a page");
	tap_ok(harness_text(h, "NextToken"), "and another behind it");
	take(h, id, "UserARN=acs:ram:*:17:*");
	take(h, id, "UserId=1000000000000005");
	tap_is_int(users(h, id, "Users", ""), 1, "the account is taken off");
	tap_is_int(found(h, id), 1, "everyone is still let in");
	take(h, id, "UserARN=acs:ram:*::*");
	tap_is_int(users(h, id, "UserARNs", ""), 0, "all accounts are taken back, in any form");
	tap_is_int(found(h, id), 0, "and nobody finds it");
	tap_ok(PL(h, BOB, "RemoveUserFromVpcEndpointService", REGION "ServiceId=%s&UserId=18", id),
	       "who is not there can be taken off");
	REFUSED(h, BOB, "MissingParam.UserArn", "nobody", "RemoveUserFromVpcEndpointService",
		REGION "ServiceId=%s", id);
	REFUSED(h, BOB, "Mismatch.UserIdAndUserArn", "an id and another's ARN",
		"RemoveUserFromVpcEndpointService", REGION "ServiceId=%s&UserId=17&UserARN=acs:ram:*:18:*",
		id);
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"RemoveUserFromVpcEndpointService", REGION "ServiceId=%s&UserId=17", id);
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"ListVpcEndpointServiceUsers", REGION "ServiceId=%s", id);
	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", id);
	REFUSED(h, BOB, "ResourceNotFound", "a service that goes", "ChangeResourceGroup",
		"ResourceId=%s&ResourceGroupId=rg-acct%lld", id, (long long)BOB);
	REFUSED(h, BOB, "EndpointServiceOperationDenied", "a service that goes",
		"RemoveUserFromVpcEndpointService", REGION "ServiceId=%s&UserId=17", id);
	REFUSED(h, BOB, "EndpointServiceOperationDenied", "a service that goes",
		"UpdateVpcEndpointServiceAttribute", REGION "ServiceId=%s&AutoAcceptEnabled=true", id);
}

/* What goes is not changed any more. */
static void test_deleted(struct harness *h, const struct world *w, const char *endpoint)
{
	PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h", endpoint);
	harness_in_force(h, NODE);
	PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", endpoint);
	REFUSED(h, ALICE, "ResourceNotFound", "an endpoint that goes", "ChangeResourceGroup",
		"ResourceId=%s&ResourceGroupId=rg-acct%lld", endpoint, (long long)ALICE);
	REFUSED(h, ALICE, "EndpointOperationDenied", "an endpoint that goes", "UpdateVpcEndpointAttribute",
		REGION "EndpointId=%s&EndpointName=other2", endpoint);
	REFUSED(h, BOB, "EndpointConnectionOperationDenied", "its connection",
		"UpdateVpcEndpointConnectionAttribute", REGION "ServiceId=%s&EndpointId=%s&Bandwidth=100",
		w->service, endpoint);
}

int main(void)
{
	const char *endpoint;
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	harness_put(&h, KIND_ACCOUNT, &(struct account){.uid = CAROL, .name = "carol"});
	endpoint = make_endpoint(&h, &w, w.service);
	test_tags(&h, endpoint, w.service);
	test_endpoint(&h, &w, endpoint);
	test_service(&h, &w);
	test_ip_version(&h, &w);
	test_connection(&h, &w, endpoint);
	test_zone(&h, &w, endpoint);
	test_resources(&h, &w, endpoint);
	test_groups(&h, endpoint, w.service);
	test_whitelist(&h);
	test_deleted(&h, &w, endpoint);
	test_tag_filters(&h);
	test_many_tags(&h);
	harness_end(&h);
	return tap_done();
}
