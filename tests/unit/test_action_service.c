/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider's side through the framework: services, resources, whitelists, connections; what consumers
 * discover; and every refusal, none of which changes anything.
 */
#include "privatelink_world.h"

#include "api/common/quota_defaults.h"

static void test_discovery(struct harness *h, const struct world *w)
{
	int64_t carol = 1000000000000005;
	const char *token;
	int n;

	PL(h, ALICE, "DescribeRegions", "%s", "");
	tap_ok(harness_count_of(h, "Regions.Region") > 3, "regions are listed without naming one");
	tap_is_str(harness_text(h, "Regions.Region.0.ServiceResourceTypes.ServiceResourceType.1"), "slb",
		   "with the type of load balancers that serve there");
	PL(h, ALICE, "DescribeRegions", "ServiceResourceType=gwlb");
	tap_is_int(harness_count_of(h, "Regions.Region"), 0, "none serves with others");
	REFUSED(h, ALICE, "IllegalParamFormat.ServiceResourceType", "an unknown type", "DescribeRegions",
		"ServiceResourceType=x");
	PL(h, ALICE, "DescribeZones", REGION);
	tap_ok(harness_count_of(h, "Zones.Zone") > 1 &&
		       str_starts(harness_text(h, "Zones.Zone.0.ZoneId"), "cn-hangzhou-"),
	       "a region's zones are listed");
	REFUSED(h, ALICE, "RegionNotFound", "an unknown region", "DescribeZones", "RegionId=cn-nowhere");
	REFUSED(h, ALICE, "MissingRegionId", "no region", "DescribeZones", "%s", "");

	harness_put(h, KIND_ACCOUNT, &(struct account){.uid = carol, .name = "carol"});
	REFUSED(h, carol, "NeedOpenProduct", "an account that has not activated it", "CheckProductOpen", "%s",
		"");
	REFUSED(h, carol, "DryRunOperation", "a dry run", "OpenPrivateLinkService", "DryRun=true");
	tap_ok(PL(h, carol, "OpenPrivateLinkService", "%s", "") && harness_text(h, "OrderId"),
	       "activation answers with an order");
	tap_ok(PL(h, carol, "CheckProductOpen", "%s", "") && json_is_true(harness_at(h->answer, "Success")),
	       "then it is active");
	REFUSED(h, carol, "OrderOpend", "a second activation", "OpenPrivateLinkService", "%s", "");

	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION);
	n = harness_count_of(h, "Services");
	tap_is_int(n, 4, "a consumer sees the system's services and those that whitelist it");
	tap_is_str(harness_text(h, "TotalCount"), "4", "their total is a text");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceName=" SYSTEM_SERVICE);
	tap_is_str(harness_text(h, "Services.0.ServiceId"), w->system_service,
		   "a system service is found by name");
	tap_is_int(harness_count_of(h, "Services.0.Zones"), 2,
		   "with the zones of what the operator has bound");
	tap_is_int(harness_count_of(h, "Services.0.Tags"), 0, "and no tags of others");
	PL(h, carol, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=%s", w->service);
	tap_is_int(harness_count_of(h, "Services"), 0, "a service does not show itself to strangers");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=%s", w->service);
	tap_is_int(harness_count_of(h, "Services"), 1, "but to those on its list");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", "RegionId=cn-beijing&ServiceId=%s", w->service);
	tap_is_int(harness_count_of(h, "Services"), 0, "in its region");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "MaxResults=3");
	token = harness_keep(h, harness_text(h, "NextToken"));
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "MaxResults=3&NextToken=%s", token);
	tap_ok(harness_count_of(h, "Services") == 1 && !harness_text(h, "NextToken"),
	       "the last page has no token");
}

/* A service that no endpoint can be made of is not told as one that takes interface endpoints. */
static void test_gateway_type(struct harness *h, const struct world *w)
{
	const char *id = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService",
				REGION "ServiceResourceType=gwlb&AutoAcceptEnabled=true");

	PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=%lld", id, (long long)ALICE);
	harness_in_force(h, NODE);
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", id);
	tap_is_str(harness_text(h, "ServiceType"), "GatewayLoadBalancer",
		   "a service for gateway load balancers has their type");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=%s", id);
	tap_is_str(harness_text(h, "Services.0.ServiceType"), "GatewayLoadBalancer", "to consumers, too");
	tap_is_str(harness_text(h, "Services.0.ServiceResourceType"), "gwlb", "beside that of its resources");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceType=Interface&ServiceId=%s", id);
	tap_is_int(harness_count_of(h, "Services"), 0, "they do not find it among those of type Interface");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceType=GatewayLoadBalancer");
	tap_is_int(harness_count_of(h, "Services"), 1, "but among its own");
	tap_is_str(harness_text(h, "Services.0.ServiceId"), id, "it alone");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceType=Interface&ServiceId=%s",
	   w->service);
	tap_is_str(harness_text(h, "Services.0.ServiceType"), "Interface", "others are of type Interface");
	REFUSED(h, ALICE, "IllegalParamFormat.ServiceType", "a type that there is not",
		"ListVpcEndpointServicesByEndUser", REGION "ServiceType=Tunnel");
#define CREATE(why, more)                                                                                    \
	REFUSED(h, ALICE, "Mismatch.EndpointType", why, "CreateVpcEndpoint",                                 \
		REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s" more, w->consumer.vpc, id,               \
		w->consumer.sg)
	CREATE("an endpoint of it", "");
	CREATE("one of type Interface", "&EndpointType=Interface");
	CREATE("one of its own type, which is not served", "&EndpointType=GatewayLoadBalancer");
#undef CREATE
	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", id);
	harness_in_force(h, NODE);
}

static void test_service(struct harness *h, const struct world *w)
{
	char expected[128];
	const char *id;

	id = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService",
		    REGION
		    "ServiceDescription=%%E4%%BD%%A0&Tag.1.Key=a&Tag.1.Value=b&ZoneAffinityEnabled=true");
	tap_is_str(harness_text(h, "ServiceStatus"), "Creating", "a new service is Creating");
	(void)str_format(expected, sizeof(expected), "com.aliyuncs.privatelink.cn-hangzhou.%s", id);
	tap_is_str(harness_text(h, "ServiceName"), expected, "its name is made of region and id");
	harness_in_force(h, NODE);
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", id);
	tap_is_str(harness_text(h, "ServiceStatus"), "Active", "in force it is Active");
	tap_is_str(harness_text(h, "ServiceResourceType"), "slb", "its type is slb if none was given");
	tap_is_int(harness_number(h, "ConnectBandwidth"), 3072, "its connections get 3072 Mbit/s");
	tap_is_int(harness_number(h, "MaxBandwidth"), 10240, "of 10240 at most");
	tap_ok(json_is_false(harness_at(h->answer, "ServiceSupportIPv6")), "IPv6 is a boolean");
	tap_is_int(harness_count_of(h, "SupportedRegionSet"), 0, "the set of regions is there");
	tap_is_int(harness_count_of(h, "Zones"), 0, "and the list of zones");
	tap_is_str(harness_text(h, "ServiceType"), "Interface", "it is of type Interface");
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", id);
	REFUSED(h, BOB, "EndpointServiceNotFound", "a service of another region",
		"GetVpcEndpointServiceAttribute", "RegionId=cn-beijing&ServiceId=%s", id);
	REFUSED(h, BOB, "EndpointServiceNotFound", "a system service", "GetVpcEndpointServiceAttribute",
		REGION "ServiceId=%s", w->system_service);
	tap_ok(PL(h, ROOT, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", w->system_service),
	       "which an administrator sees");

	PL(h, BOB, "ListVpcEndpointServices", REGION "ServiceId=%s", id);
	tap_is_int(harness_number(h, "TotalCount"), 1, "the total of services is a number");
	tap_is_str(harness_text(h, "Services.0.Tags.0.Value"), "b", "the list shows tags");
	PL(h, BOB, "ListVpcEndpointServices", REGION "ZoneAffinityEnabled=true");
	tap_is_int(harness_count_of(h, "Services"), 1, "services are found by zone affinity");
	PL(h, BOB, "ListVpcEndpointServices", REGION "ResourceId=%s", w->balancer);
	tap_is_str(harness_text(h, "Services.0.ServiceId"), w->service, "by load balancer");
	PL(h, BOB, "ListVpcEndpointServices", REGION "ServiceStatus=Deleting");
	tap_is_int(harness_count_of(h, "Services"), 0, "and by state");
	PL(h, BOB, "ListVpcEndpointServices", REGION "ResourceId=%s&ServiceResourceType=NLB", w->balancer);
	tap_is_int(harness_count_of(h, "Services"), 1, "and by type, in any case");
	PL(h, BOB, "ListVpcEndpointServices", REGION "Tag=[{\"Key\":\"a\",\"Value\":\"b\"}]");
	tap_is_int(harness_count_of(h, "Services"), 1, "and by tags, as JSON too");
	PL(h, ALICE, "ListVpcEndpointServices", REGION);
	tap_is_int(harness_count_of(h, "Services"), 0, "and are another account's business");
	PL(h, BOB, "ListVpcEndpointServiceResources", REGION "ServiceId=%s", id);
	tap_is_int(harness_count_of(h, "Resources"), 0, "the list of no resources is there");

	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", id);
	harness_in_force(h, NODE);
	REFUSED(h, BOB, "EndpointServiceNotFound", "a service that is gone", "GetVpcEndpointServiceAttribute",
		REGION "ServiceId=%s", id);
}

static void refuse_services(struct harness *h, const struct world *w)
{
	char long_text[300];

	memset(long_text, 'x', 257);
	long_text[257] = '\0';
#define CREATE(code, why, ...) REFUSED(h, BOB, code, why, "CreateVpcEndpointService", REGION __VA_ARGS__)
	CREATE("IllegalParamFormat.ServiceDescription", "a text of 257 characters", "ServiceDescription=%s",
	       long_text);
	CREATE("IllegalParamFormat.ServiceResourceType", "an unknown type", "ServiceResourceType=x");
	CREATE("EndpointServiceNotSupportIpv6", "IPv6", "AddressIpVersion=DualStack");
	CREATE("EndpointServiceNotSupportIpv6", "IPv6 by its old name", "ServiceSupportIPv6=true");
	CREATE("ServiceResourceNotSupportIpv6", "IPv6 with a resource that has none",
	       "AddressIpVersion=DualStack&Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s&"
	       "Resource.1.ZoneId=cn-hangzhou-h",
	       w->balancer);
	CREATE("EndpointServicePayerForbidden", "the provider as payer", "Payer=EndpointService");
	CREATE("UnsupportedRegion", "consumers across the border", "SupportedRegionList.1=ap-southeast-5");
	CREATE("RegionNotFound", "consumers of an unknown region", "SupportedRegionList.1=cn-nowhere");
	CREATE("MissingParam.Resource.1.ResourceId", "a resource without id", "Resource.1.ResourceType=nlb");
	CREATE("MissingParam.ZoneId", "a resource without zone",
	       "Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s", w->balancer);
	CREATE("LoadBalancerNotFound", "an unknown load balancer",
	       "Resource.1.ResourceType=nlb&Resource.1.ResourceId=nlb-nothere&Resource.1.ZoneId=cn-hangzhou-"
	       "h");
	CREATE("LoadBalancerNotFound", "a classic load balancer",
	       "Resource.1.ResourceType=slb&Resource.1.ResourceId=lb-1&Resource.1.ZoneId=cn-hangzhou-h");
	CREATE("AlbNotFound", "an application load balancer",
	       "Resource.1.ResourceType=alb&Resource.1.ResourceId=alb-1&Resource.1.ZoneId=cn-hangzhou-h");
	CREATE("EndpointServiceResourceTypeNotSupport", "a gateway load balancer",
	       "Resource.1.ResourceType=gwlb&Resource.1.ResourceId=gwlb-1&Resource.1.ZoneId=cn-hangzhou-h");
	CREATE("Mismatch.ResourceType", "a resource of another type than the service's",
	       "ServiceResourceType=slb&Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s&Resource.1."
	       "ZoneId=cn-hangzhou-h",
	       w->balancer);
	CREATE("EndpointServiceResourceTypeNotEqual", "resources of two types",
	       "Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s&Resource.1.ZoneId=cn-hangzhou-h"
	       "&Resource.2.ResourceType=alb&Resource.2.ResourceId=alb-1&Resource.2.ZoneId=cn-hangzhou-h",
	       w->balancer);
	CREATE("EndpointServiceNotSupportedZone", "a zone that the load balancer is not in",
	       "Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s&Resource.1.ZoneId=cn-hangzhou-j",
	       w->balancer);
	CREATE("EndpointServiceResourceExist", "a resource twice",
	       "Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s&Resource.1.ZoneId=cn-hangzhou-h"
	       "&Resource.2.ResourceType=nlb&Resource.2.ResourceId=%s&Resource.2.ZoneId=cn-hangzhou-h",
	       w->balancer, w->balancer);
	CREATE("DryRunOperation", "a dry run whose checks pass", "DryRun=true");
#undef CREATE
	REFUSED(h, ALICE, "LoadBalancerNotFound", "another account's load balancer",
		"CreateVpcEndpointService",
		REGION "Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s&Resource.1.ZoneId=cn-hangzhou-h",
		w->balancer);
}

static void test_resources(struct harness *h, const struct world *w)
{
	struct load_balancer row = *snapshot_load_balancer(store_rows(h->store), w->balancer);
	const char *second = make_balancer(h, &w->provider), *id, *classic;

	id = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=nlb");
	classic = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=slb");
	harness_in_force(h, NODE);
#define ATTACH(code, why, ...)                                                                               \
	REFUSED(h, BOB, code, why, "AttachResourceToVpcEndpointService", REGION __VA_ARGS__)
	ATTACH("MissingServiceId", "no service", "ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h",
	       second);
	ATTACH("EndpointServiceNotFound", "an unknown service",
	       "ServiceId=epsrv-nothere&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", second);
	ATTACH("LoadBalancerNotFound", "an unknown load balancer",
	       "ServiceId=%s&ResourceType=nlb&ResourceId=nlb-nothere&ZoneId=cn-hangzhou-h", id);
	ATTACH("MissingParam.ZoneId", "no zone", "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=", id,
	       second);
	ATTACH("EndpointServiceNotSupportedZone", "a zone that the load balancer is not in",
	       "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-j", id, second);
	ATTACH("Mismatch.ResourceType", "another type than the service's",
	       "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", classic, second);
	ATTACH("DryRunOperation", "a dry run",
	       "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h&DryRun=true", id, second);
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"AttachResourceToVpcEndpointService",
		REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", id, second);

	tap_ok(PL(h, BOB, "AttachResourceToVpcEndpointService",
		  REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", id, second),
	       "a load balancer can be attached");
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", id);
	tap_is_str(harness_text(h, "ServiceStatus"), "Pending", "the service is Pending");
	tap_ok(PL(h, BOB, "AttachResourceToVpcEndpointService",
		  REGION "ServiceId=%s&ResourceType=Nlb&ResourceId=%s&ZoneId=cn-hangzhou-i", id, second),
	       "and takes another one meanwhile, its type in any case");
	harness_in_force(h, NODE);
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", id);
	tap_is_str(harness_text(h, "ServiceStatus"), "Active", "then Active again");
	tap_is_int(harness_count_of(h, "Zones"), 2, "and serves two zones");
	ATTACH("EndpointServiceResourceExist", "a resource that it has",
	       "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", id, second);
	ATTACH("EndpointServiceResourceTypeNotEqual", "another type than its resources'",
	       "ServiceId=%s&ResourceType=alb&ResourceId=alb-1&ZoneId=cn-hangzhou-h", id);

	PL(h, BOB, "ListVpcEndpointServiceResources", REGION "ServiceId=%s&MaxResults=1", id);
	tap_is_int(harness_count_of(h, "Resources"), 1, "resources are listed by pages");
	tap_ok(harness_text(h, "NextToken") && !harness_at(h->answer, "TotalCount"), "without a total");
	tap_ok(str_starts(harness_text(h, "Resources.0.Ip"), "192.168.1."),
	       "with the load balancer's address in the zone");
	tap_is_str(harness_text(h, "Resources.0.VSwitchId"), w->provider.vsw_h, "its vSwitch");
	tap_is_int(harness_number(h, "Resources.0.RelatedEndpointCount"), 0, "and how many endpoints use it");
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"ListVpcEndpointServiceResources", REGION "ServiceId=%s", id);

	row.status = LB_INACTIVE;
	harness_put(h, KIND_LOAD_BALANCER, &row);
	ATTACH("LoadBalancerNotSupportPrivateLink", "a load balancer that does not serve",
	       "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", id, w->balancer);
	row = *snapshot_load_balancer(store_rows(h->store), w->balancer);
	row.status = LB_ACTIVE;
	harness_put(h, KIND_LOAD_BALANCER, &row);

	REFUSED(h, BOB, "DryRunOperation", "a dry run", "DeleteVpcEndpointService",
		REGION "ServiceId=%s&DryRun=true", id);
	tap_ok(PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", id),
	       "a service with resources can be deleted");
	ATTACH("EndpointServiceOperationDenied", "a service that is being deleted",
	       "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-j", id, w->balancer);
	REFUSED(h, BOB, "EndpointServiceOperationDenied", "a service that is being deleted",
		"AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=17", id);
#undef ATTACH
	harness_in_force(h, NODE);
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, id), 0,
		   "and its resources go with it");
	REFUSED(h, ROOT, "EndpointServiceOperationDenied", "a service of the catalogue",
		"DeleteVpcEndpointService", REGION "ServiceId=%s", w->system_service);
	REFUSED(h, BOB, "EndpointServiceNotFound", "an unknown service", "DeleteVpcEndpointService",
		REGION "ServiceId=epsrv-nothere");
}

/* The load balancer is not given to endpoints of the zone h any more. */
static void stop_allocation(struct harness *h, const char *service, const char *balancer)
{
	struct service_resource row;
	char id[2 * ID_SIZE + ZONE_SIZE];

	(void)str_format(id, sizeof(id), "%s/%s/cn-hangzhou-h", service, balancer);
	row = *(const struct service_resource *)snapshot_find(store_rows(h->store), KIND_SERVICE_RESOURCE,
							      id);
	row.auto_allocated = false;
	harness_put(h, KIND_SERVICE_RESOURCE, &row);
}

static void test_allocation(struct harness *h, const struct world *w)
{
	const char *second = make_balancer(h, &w->provider), *service, *ids[4];
	int on_second = 0;

	service = make_service(h, w->balancer, true);
	PL(h, BOB, "AttachResourceToVpcEndpointService",
	   REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", service, second);
	harness_in_force(h, NODE);
	for (int i = 0; i < 4; i++) {
		ids[i] = make_endpoint(h, w, service);
		PL(h, BOB, "ListVpcEndpointConnections", REGION "EndpointId=%s", ids[i]);
		on_second += streq(harness_text(h, "Connections.0.Zones.0.ResourceId"), second);
	}
	tap_is_int(on_second, 2, "endpoints spread over the load balancers of a zone");
	PL(h, BOB, "ListVpcEndpointServiceResources", REGION "ServiceId=%s", service);
	tap_is_int(harness_number(h, "Resources.0.RelatedEndpointCount") +
			   harness_number(h, "Resources.1.RelatedEndpointCount") +
			   harness_number(h, "Resources.2.RelatedEndpointCount"),
		   4, "which count them");
	stop_allocation(h, service, w->balancer);
	stop_allocation(h, service, second);
	REFUSED(h, ALICE, "EndpointServiceResourceNotFound",
		"a zone in which nothing is allocated automatically", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s",
		w->consumer.vpc, service, w->consumer.sg, w->consumer.vsw_h);
}

static void attach(struct harness *h, const char *service, const char *balancer, const char *zone)
{
	PL(h, BOB, "AttachResourceToVpcEndpointService",
	   REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=%s", service, balancer, zone);
	harness_in_force(h, NODE);
}

static void detach(struct harness *h, const char *service, const char *balancer, const char *zone)
{
	PL(h, BOB, "DetachResourceFromVpcEndpointService", REGION "ServiceId=%s&ResourceId=%s&ZoneId=%s",
	   service, balancer, zone);
	harness_in_force(h, NODE);
}

static void allocate(struct harness *h, const char *service, const char *balancer, const char *zone,
		     const char *enabled)
{
	PL(h, BOB, "UpdateVpcEndpointServiceResourceAttribute",
	   REGION "ServiceId=%s&ResourceId=%s&ZoneId=%s&AutoAllocatedEnabled=%s", service, balancer, zone,
	   enabled);
	harness_in_force(h, NODE);
}

/* AutoAllocatedEnabled as the list of resources has it. */
static const char *allocation_of(struct harness *h, const char *service, const char *balancer,
				 const char *zone)
{
	json_t *resource;
	size_t i;

	PL(h, BOB, "ListVpcEndpointServiceResources", REGION "ServiceId=%s", service);
	json_array_foreach(harness_at(h->answer, "Resources"), i, resource) {
		const char *id = json_string_value(json_object_get(resource, "ResourceId")),
			   *in = json_string_value(json_object_get(resource, "ZoneId"));

		if (streq(id, balancer) && streq(in, zone))
			return json_is_true(json_object_get(resource, "AutoAllocatedEnabled")) ? "on" : "off";
	}
	return "detached";
}

/* Each zone that has resources has one that is given to new endpoints. */
static void test_last_allocated(struct harness *h, const struct world *w)
{
	const char *service = make_service(h, w->balancer, true), *one = make_balancer(h, &w->provider),
		   *two = make_balancer(h, &w->provider), *zone_h = "cn-hangzhou-h",
		   *zone_i = "cn-hangzhou-i";
	bool is_sorted = strcmp(one, two) < 0;
	const char *older = is_sorted ? two : one, *newer = is_sorted ? one : two, *id;

#define ALLOCATION(balancer, zone, want, why) tap_is_str(allocation_of(h, service, balancer, zone), want, why)
	attach(h, service, older, zone_h);
	attach(h, service, newer, zone_h);
	attach(h, service, older, zone_i);
	allocate(h, service, older, zone_h, "false");
	allocate(h, service, older, zone_i, "false");
	detach(h, service, newer, zone_h);
	ALLOCATION(older, zone_h, "off", "what is detached beside another that is on switches nothing on");
	attach(h, service, newer, zone_h);
	allocate(h, service, newer, zone_h, "false");
	detach(h, service, w->balancer, zone_h);
	ALLOCATION(w->balancer, zone_h, "detached", "the last of a zone that is on is detached");
	ALLOCATION(older, zone_h, "on", "which switches the oldest of the others on");
	ALLOCATION(newer, zone_h, "off", "and no other");
	ALLOCATION(older, zone_i, "off", "nor any of another zone");
	id = make_endpoint(h, w, service);
	PL(h, BOB, "ListVpcEndpointConnections", REGION "EndpointId=%s", id);
	tap_is_str(harness_text(h, "Connections.0.Zones.0.ResourceId"), older, "a new endpoint gets it");
	detach(h, service, newer, zone_h);
	ALLOCATION(older, zone_h, "on", "detaching what is off changes none of the others");
	detach(h, service, w->balancer, zone_i);
	ALLOCATION(older, zone_i, "on", "the other zone is like the first");
	detach(h, service, older, zone_i);
	ALLOCATION(older, zone_i, "detached", "a zone's only one can be detached");
#undef ALLOCATION
}

static void test_whitelist(struct harness *h, const struct world *w)
{
	const char *id =
		PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=nlb");

#define ADD(code, why, ...) REFUSED(h, BOB, code, why, "AddUserToVpcEndpointService", REGION __VA_ARGS__)
	ADD("MissingParam.UserArn", "nobody", "ServiceId=%s", id);
	ADD("IllegalParamFormat.UserId", "an id that is none", "ServiceId=%s&UserId=0", id);
	ADD("IllegalParamFormat.UserARN", "an ARN that is none", "ServiceId=%s&UserARN=arn:aws:iam::1:root",
	    id);
	ADD("IllegalParamFormat.UserARN", "an ARN of one of an account's users",
	    "ServiceId=%s&UserARN=acs:ram:*:17:user/eve", id);
	ADD("IllegalParamFormat.UserARN", "an ARN that stops early", "ServiceId=%s&UserARN=acs:ram:*:17", id);
	ADD("Mismatch.UserIdAndUserArn", "an id and another's ARN",
	    "ServiceId=%s&UserId=17&UserARN=acs:ram:*:18:*", id);
	ADD("EndpointServiceNotFound", "an unknown service", "ServiceId=epsrv-nothere&UserId=17");
	ADD("DryRunOperation", "a dry run", "ServiceId=%s&UserId=17&DryRun=true", id);
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=17", id);
	tap_ok(PL(h, BOB, "AddUserToVpcEndpointService",
		  REGION "ServiceId=%s&UserId=123456789012345678&UserARN=acs:ram:*:123456789012345678:*", id),
	       "an id of 18 digits with its ARN is taken");
	tap_ok(PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=123456789012345678", id),
	       "and again");
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVICE_USER, id), 3,
		   "but kept once, next to the owner");
	REFUSED(h, ALICE, "EndpointServiceNotAuthorized", "a caller who is not listed", "CreateVpcEndpoint",
		REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s", w->consumer.vpc, id, w->consumer.sg);
	PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserARN=%%2A", id);
	tap_ok(PL(h, ALICE, "CreateVpcEndpoint", REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s",
		  w->consumer.vpc, id, w->consumer.sg),
	       "everyone is listed by a star");
	for (int i = (int)snapshot_count(store_rows(h->store), KIND_SERVICE_USER, id);
	     i < USERS_PER_SERVICE_MAX - 1; i++) {
		struct service_user row = {.uid = 5000 + i};

		(void)str_copy(row.service, sizeof(row.service), id);
		harness_put(h, KIND_SERVICE_USER, &row);
	}
	ADD("QuotaMisMatched", "an id and an ARN with room for one",
	    "ServiceId=%s&UserId=17&UserARN=acs:ram:*:17:*", id);
	tap_ok(PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=16", id),
	       "a whitelist takes a thousand");
	ADD("QuotaMisMatched", "one more than a thousand", "ServiceId=%s&UserId=17", id);
	tap_ok(PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=16", id),
	       "who is listed already is taken also then");
#undef ADD
}

static void test_connection(struct harness *h, const struct world *w)
{
	const char *id = make_endpoint(h, w, w->service);
	char pair[128];

	(void)str_format(pair, sizeof(pair), "ServiceId=%s&EndpointId=%s", w->service, id);
	PL(h, BOB, "ListVpcEndpointConnections", REGION "%s", pair);
	tap_is_str(harness_text(h, "Connections.0.ConnectionStatus"), "Disconnected",
		   "the provider sees who wishes to connect");
	tap_is_str(harness_text(h, "Connections.0.AcceptanceStatus"), "Waiting", "and that it waits");
	tap_is_str(harness_text(h, "TotalCount"), "1", "the total is a text");
	tap_is_int(harness_number(h, "Connections.0.EndpointOwnerId"), ALICE, "with the consumer's account");
	tap_is_str(harness_text(h, "Connections.0.Zones.0.ZoneStatus"), "Wait", "and its zones");
	tap_is_str(harness_text(h, "Connections.0.TrafficControlMode"), "Scalability",
		   "and how its traffic is limited");

	REFUSED(h, BOB, "EndpointServiceNotFound", "an unknown service", "ListVpcEndpointConnections",
		REGION "ServiceId=epsrv-nothere");
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"ListVpcEndpointConnections", REGION "%s", pair);
	PL(h, ALICE, "ListVpcEndpointConnections", REGION);
	tap_is_int(harness_count_of(h, "Connections"), 0, "a consumer lists none");
	PL(h, BOB, "ListVpcEndpointConnections",
	   REGION "EndpointOwnerId=%lld&ConnectionStatus=Connected&ServiceId=%s", (long long)ALICE,
	   w->service);
	tap_is_int(harness_count_of(h, "Connections"), 0, "connections are found by state");
	PL(h, BOB, "ListVpcEndpointConnections", REGION "EniId=%s", zone_text(h, id, 0, "EniId"));
	tap_is_str(harness_text(h, "Connections.0.EndpointId"), id, "and by ENI");
	PL(h, BOB, "ListVpcEndpointConnections", REGION "ReplacedResourceId=nlb-1");
	tap_is_int(harness_count_of(h, "Connections"), 0, "none is being migrated");

#define ENABLE(uid, code, why, ...)                                                                          \
	REFUSED(h, uid, code, why, "EnableVpcEndpointConnection", REGION __VA_ARGS__)
	ENABLE(BOB, "MissingEndpointId", "no endpoint", "ServiceId=%s", w->service);
	ENABLE(ALICE, "EndpointServiceNotFound", "another account's service", "%s", pair);
	ENABLE(BOB, "EndpointConnectionNotFound", "an unknown endpoint", "ServiceId=%s&EndpointId=ep-nothere",
	       w->service);
	ENABLE(BOB, "IllegalParamFormat.Bandwidth", "too small a bandwidth", "%s&Bandwidth=99", pair);
	ENABLE(BOB, "IllegalParamFormat.Bandwidth", "too large a bandwidth", "%s&Bandwidth=50001", pair);
	ENABLE(BOB, "IllegalParamFormat.TrafficControlMode", "an unknown mode", "%s&TrafficControlMode=x",
	       pair);
	ENABLE(BOB, "DryRunOperation", "a dry run", "%s&DryRun=true", pair);
	REFUSED(h, BOB, "EndpointConnectionNotFound", "an unknown endpoint", "DisableVpcEndpointConnection",
		REGION "ServiceId=%s&EndpointId=ep-nothere", w->service);
	REFUSED(h, ALICE, "EndpointServiceNotFound", "another account's service",
		"DisableVpcEndpointConnection", REGION "%s", pair);

	tap_ok(PL(h, BOB, "DisableVpcEndpointConnection", REGION "%s", pair),
	       "a connection that waits can be refused");
	tap_is_str(endpoint_text(h, id, "AcceptanceStatus"), "Refused", "the consumer sees that");
	tap_is_str(harness_text(h, "ConnectionStatus"), "Disconnected", "next to the API's word");
	tap_ok(PL(h, BOB, "EnableVpcEndpointConnection", REGION "%s&Bandwidth=500", pair),
	       "and accepted all the same");
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Connecting", "it is Connecting");
	tap_is_int(harness_number(h, "Bandwidth"), 500, "with the bandwidth that was given");
	ENABLE(BOB, "EndpointConnectionOperationDenied", "a connection that is being made", "%s", pair);
	REFUSED(h, BOB, "EndpointServiceConnectionDependence", "a connection that is being made",
		"DeleteVpcEndpointService", REGION "ServiceId=%s", w->service);
	harness_report(h, NODE, NULL, 0);
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Connected", "Connected when it is reported");
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Connected", "and so is its zone");
	PL(h, BOB, "ListVpcEndpointConnections", REGION "ResourceId=%s&EndpointId=%s", w->balancer, id);
	tap_is_int(harness_count_of(h, "Connections"), 1, "and is found by load balancer");
	tap_ok(PL(h, BOB, "EnableVpcEndpointConnection", REGION "%s", pair),
	       "enabling it again changes nothing");
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Connected", "it stays Connected");
	tap_ok(PL(h, BOB, "EnableVpcEndpointConnection",
		  REGION "%s&Bandwidth=600&TrafficControlMode=BandwidthLimit", pair),
	       "enabling it with another limit changes the limit");
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Pending", "it is Pending meanwhile");
	harness_in_force(h, NODE);
	REFUSED(h, BOB, "EndpointServiceConnectionDependence", "a connected endpoint",
		"DeleteVpcEndpointService", REGION "ServiceId=%s", w->service);

	tap_ok(PL(h, BOB, "DisableVpcEndpointConnection", REGION "%s", pair), "a connection can be cut");
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Disconnecting", "it is Disconnecting");
	ENABLE(BOB, "EndpointConnectionOperationDenied", "a connection that is being cut", "%s", pair);
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Disconnected", "then Disconnected");
	tap_is_int(harness_number(h, "Bandwidth"), 600, "and keeps its bandwidth");
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Disconnected", "and so is its zone");
	tap_ok(PL(h, BOB, "DisableVpcEndpointConnection", REGION "%s", pair),
	       "cutting it again changes nothing");
#undef ENABLE
}

static void test_modes(struct harness *h, const struct world *w)
{
	const char *service, *id;

	service = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=slb");
	PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=%lld", service,
	   (long long)ALICE);
	id = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		    REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s", w->consumer.vpc, service,
		    w->consumer.sg);
	REFUSED(h, BOB, "IllegalParamFormat.TrafficControlMode", "a mode that its load balancers lack",
		"EnableVpcEndpointConnection",
		REGION "ServiceId=%s&EndpointId=%s&TrafficControlMode=Scalability", service, id);
	REFUSED(h, BOB, "IllegalParamFormat.Bandwidth", "more than its load balancers do",
		"EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s&Bandwidth=10241", service,
		id);
	PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s&Bandwidth=10240",
	   service, id);
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Connected",
		   "an endpoint without zones of a service without resources can be connected");
}

static void test_service_deleted(struct harness *h, const struct world *w)
{
	const char *service = make_service(h, w->balancer, false), *id = make_endpoint(h, w, service);

	stop_allocation(h, service, w->balancer);
	REFUSED(h, BOB, "OperationDenied.NoAvailableServiceResource",
		"a zone without a load balancer to give", "EnableVpcEndpointConnection",
		REGION "ServiceId=%s&EndpointId=%s", service, id);

	tap_ok(PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", service),
	       "a service whose endpoints are disconnected can be deleted");
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "ServiceDeleted", "its endpoints say so");
	REFUSED(h, ALICE, "EndpointServiceDeleted", "an endpoint of a service that is gone",
		"AddZoneToVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=%s", id,
		w->consumer.vsw_i);
	REFUSED(h, BOB, "EndpointServiceNotFound", "a service that is gone", "EnableVpcEndpointConnection",
		REGION "ServiceId=%s&EndpointId=%s", service, id);
	tap_ok(PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h", id) &&
		       PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", id),
	       "and can be deleted");
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, id, "EndpointStatus"), "EndpointNotFound", "then they are gone");
}

/* A connection whose endpoint is gone and an endpoint without one: there are as many of either. */
static void test_connection_alone(struct harness *h, const struct world *w)
{
	struct connection connection = {.endpoint = "ep-gone", .service = w->service};
	struct endpoint endpoint = {
		.id = "ep-alone", .owner = ALICE, .vpc = w->consumer.vpc, .service = w->service};
	struct store_txn *txn;
	int n_before, n = 0;

	PL(h, BOB, "ListVpcEndpointConnections", REGION "EndpointOwnerId=%lld", (long long)ALICE);
	n_before = harness_count_of(h, "Connections");
	harness_must(store_txn_new(&txn), "transaction");
	harness_must(store_txn_row_put(txn, KIND_CONNECTION, &connection), "put");
	harness_must(store_txn_row_put(txn, KIND_ENDPOINT, &endpoint), "put");
	store_commit(h->store, txn, harness_count, &n);
	tap_ok(PL(h, BOB, "ListVpcEndpointConnections", REGION "EndpointOwnerId=%lld", (long long)ALICE) &&
		       harness_count_of(h, "Connections") == n_before,
	       "a connection without its endpoint is of no owner");

	harness_must(store_txn_new(&txn), "transaction");
	(void)store_txn_delete(txn, "connection/ep-gone");
	(void)store_txn_delete(txn, "endpoint/ep-alone");
	store_commit(h->store, txn, harness_count, &n);
	harness_settle(h);
	tap_is_int(n, 2, "both go again");
}

static void test_quotas(struct harness *h, const struct world *w)
{
	struct service row = {.owner = BOB, .region = "cn-hangzhou"};
	struct service_resource resource = {.type = "nlb", .zone = "cn-hangzhou-h"};
	int present = 0;

	(void)str_copy(resource.service, sizeof(resource.service), w->service);
	for (int i = 0; i < RESOURCES_PER_SERVICE_MAX; i++) {
		(void)str_format(resource.resource, sizeof(resource.resource), "nlb-%d", i);
		if (i == RESOURCES_PER_SERVICE_ZONE_MAX) {
			const char *third = make_balancer(h, &w->provider);

			REFUSED(h, BOB, "QuotaMisMatched", "the 101st resource of a zone",
				"AttachResourceToVpcEndpointService",
				REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h",
				w->service, third);
			(void)str_copy(resource.zone, sizeof(resource.zone), "cn-hangzhou-j");
		}
		harness_put(h, KIND_SERVICE_RESOURCE, &resource);
	}
	REFUSED(h, BOB, "QuotaMisMatched", "the 501st resource of a service",
		"AttachResourceToVpcEndpointService",
		REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-i", w->service,
		make_balancer(h, &w->provider));
	for (const struct service *s = NULL; (s = snapshot_next(store_rows(h->store), KIND_SERVICE, "", s));)
		present += s->owner == BOB;
	for (int i = present; i < SERVICES_PER_ACCOUNT_MAX; i++) {
		(void)str_format(row.id, sizeof(row.id), "epsrv-quota%d", i);
		harness_put(h, KIND_SERVICE, &row);
	}
	REFUSED(h, BOB, "QuotaMisMatched", "the 201st service", "CreateVpcEndpointService", REGION);
}

int main(void)
{
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	test_discovery(&h, &w);
	test_service(&h, &w);
	refuse_services(&h, &w);
	test_resources(&h, &w);
	test_gateway_type(&h, &w);
	test_allocation(&h, &w);
	test_last_allocated(&h, &w);
	test_whitelist(&h, &w);
	test_connection(&h, &w);
	test_modes(&h, &w);
	test_service_deleted(&h, &w);
	test_connection_alone(&h, &w);
	test_quotas(&h, &w);
	harness_end(&h);
	return tap_done();
}
