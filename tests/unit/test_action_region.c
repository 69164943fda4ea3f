/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions: those that a service takes endpoints from, and endpoints whose service is in another one.
 */
#include "privatelink_world.h"

/* The regions of Bob's service, as it is got and as it is listed: "cn-beijing cn-hangzhou". */
static const char *regions_of(struct harness *h, const char *service)
{
	static const char *const paths[] = {"SupportedRegionSet", "Services.0.SupportedRegionSet"};
	char texts[2][512] = {};

	for (int i = 0; i < 2; i++) {
		json_t *entry;
		size_t k;

		if (!PL(h, BOB, i ? "ListVpcEndpointServices" : "GetVpcEndpointServiceAttribute",
			REGION "ServiceId=%s", service))
			return h->error.code;
		json_array_foreach(harness_at(h->answer, paths[i]), k, entry) {
			const char *id = json_string_value(json_object_get(entry, "SupportedRegionId"));
			size_t length = strlen(texts[i]);

			harness_must(str_format(texts[i] + length, sizeof(texts[i]) - length, "%s%s",
						k ? " " : "", id),
				     "text");
		}
	}
	return streq(texts[0], texts[1]) ? harness_keep(h, texts[0]) : "(differ)";
}

#define UPDATE(h, service, ...)                                                                              \
	PL(h, BOB, "UpdateVpcEndpointServiceAttribute", REGION "ServiceId=%s&" __VA_ARGS__, service)

static void test_list(struct harness *h)
{
	const char *service;

	service = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService",
			 REGION "SupportedRegionList.1=cn-hangzhou&SupportedRegionList.2=cn-beijing"
				"&SupportedRegionList.3=cn-hangzhou");
	tap_is_int(harness_count_of(h, "SupportedRegionSet"), 2, "a service has regions, each once");
	tap_is_str(harness_text(h, "SupportedRegionSet.0.SupportedRegionId"), "cn-hangzhou",
		   "in the order in which they came");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.SupportedRegionId"), "cn-beijing", "both");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.ServiceRegionId"), "cn-hangzhou",
		   "with the service's own");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.RegionServiceStatus"), "Available", "available");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.RegionBusinessStatus"), "Normal", "and normal");
	tap_is_str(regions_of(h, service), "cn-hangzhou cn-beijing", "they are got and listed");
	harness_in_force(h, NODE);

	tap_ok(UPDATE(h, service, "AddSupportedRegionSet.1=cn-shanghai&AddSupportedRegionSet.2=cn-beijing"),
	       "regions are added");
	tap_is_str(regions_of(h, service), "cn-hangzhou cn-beijing cn-shanghai", "those that were not there");
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service);
	tap_is_str(harness_text(h, "ServiceStatus"), "Pending", "the service is being modified");
	harness_in_force(h, NODE);
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service);
	tap_is_str(harness_text(h, "ServiceStatus"), "Active", "and is active again");
	tap_ok(UPDATE(h, service,
		      "DeleteSupportedRegionSet.1=cn-hangzhou&DeleteSupportedRegionSet.2=cn-beijing"
		      "&DeleteSupportedRegionSet.3=cn-qingdao"),
	       "regions are taken out, the own one, too, and one that is not there");
	tap_is_str(regions_of(h, service), "cn-shanghai", "the other stays");
	tap_ok(UPDATE(h, service, "AddSupportedRegionSet=[\"cn-qingdao\"]"), "one is added as JSON");
	tap_is_str(regions_of(h, service), "cn-shanghai cn-qingdao", "behind the other");
	tap_ok(UPDATE(h, service,
		      "DeleteSupportedRegionSet.1=cn-shanghai&DeleteSupportedRegionSet.2=cn-qingdao"),
	       "all are taken out");
	tap_is_str(regions_of(h, service), "", "the set is empty, and there");
	harness_in_force(h, NODE);
	(void)PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", service);
	harness_in_force(h, NODE);
}

static void test_quota(struct harness *h)
{
	struct service row = {
		.id = "epsrv-full",
		.owner = BOB,
		.region = "cn-hangzhou",
		.status = SERVICE_ACTIVE,
		.n_regions = SERVICE_REGIONS_MAX,
	};

	for (size_t i = 0; i < SERVICE_REGIONS_MAX; i++)
		(void)str_format(row.regions[i], REGION_SIZE, "cn-%zu", i);
	harness_put(h, KIND_SERVICE, &row);
	REFUSED(h, BOB, "QuotaMisMatched", "a region more than a service may have",
		"UpdateVpcEndpointServiceAttribute",
		REGION "ServiceId=epsrv-full&AddSupportedRegionSet.1=cn-beijing");
	tap_ok(UPDATE(h, "epsrv-full", "DeleteSupportedRegionSet.1=cn-7"),
	       "a region that the catalogue has no more can be taken out");
	tap_ok(UPDATE(h, "epsrv-full", "AddSupportedRegionSet.1=cn-beijing"), "then there is room");
	(void)PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=epsrv-full");
	harness_in_force(h, NODE);
}

/* Alice's place in another region. */
struct far_place {
	const char *vpc, *group, *vsw[3];
};
#define FAR "RegionId=cn-beijing&"

static struct far_place make_far_place(struct harness *h)
{
	static const char *const zones[] = {"cn-beijing-c", "cn-beijing-h", "cn-beijing-i"};
	struct far_place p;

	p.vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", FAR "CidrBlock=192.168.0.0/16");
	p.group = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", FAR "VpcId=%s",
			      p.vpc);
	for (int i = 0; i < 3; i++)
		p.vsw[i] =
			harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
				    FAR "VpcId=%s&ZoneId=%s&CidrBlock=192.168.%d.0/24", p.vpc, zones[i], i);
	harness_in_force(h, NODE);
	return p;
}

static void test_far_refused(struct harness *h, const struct world *w, const struct far_place *p)
{
	const char *closed;

#define CREATE(code, why, region, service, ...)                                                              \
	REFUSED(h, ALICE, code, why, "CreateVpcEndpoint",                                                    \
		region "VpcId=%s&SecurityGroupId.1=%s&ServiceId=%s" __VA_ARGS__, p->vpc, p->group, service)
	CREATE("EndpointServiceNotFound", "a service of another region that is not said", FAR, w->service,
	       "");
	CREATE("UnsupportedRegion", "a service that takes nobody from here", FAR, w->service,
	       "&ServiceRegionId=cn-hangzhou");
	CREATE("EndpointServiceNotFound", "a service that is in a third region", FAR, w->service,
	       "&ServiceRegionId=cn-shanghai");
	CREATE("UnsupportedRegion", "a service across the border", "RegionId=ap-southeast-5&", w->service,
	       "&ServiceRegionId=cn-hangzhou");
	CREATE("UnsupportedRegion", "a service of the catalogue, of another region", FAR, w->system_service,
	       "&ServiceRegionId=cn-hangzhou");
	closed = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService",
			REGION "SupportedRegionList.1=cn-beijing");
	CREATE("EndpointServiceNotAuthorized", "a service that does not admit the account", FAR, closed,
	       "&ServiceRegionId=cn-hangzhou");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", FAR "ServiceRegionId=cn-hangzhou");
	tap_is_int(harness_count_of(h, "Services"), 0, "no service of the other region is found");
	(void)UPDATE(h, w->service, "AddSupportedRegionSet.1=cn-beijing");
	harness_in_force(h, NODE);
	CREATE("IllegalParamFormat.CrossRegionBandwidth", "too little bandwidth", FAR, w->service,
	       "&ServiceRegionId=cn-hangzhou&CrossRegionBandwidth=99");
	CREATE("IllegalParamFormat.CrossRegionBandwidth", "too much", FAR, w->service,
	       "&ServiceRegionId=cn-hangzhou&CrossRegionBandwidth=10241");
	CREATE("UnsupportedZone", "a zone of the service's region", FAR, w->service,
	       "&ServiceRegionId=cn-hangzhou&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=vsw-1");
#undef CREATE
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", FAR "ServiceRegionId=cn-hangzhou");
	tap_is_int(harness_count_of(h, "Services"), 1, "now a service of the other region is found");
	tap_is_str(harness_text(h, "Services.0.ServiceId"), w->service,
		   "the one that takes endpoints from here");
	PL(h, ALICE, "ListVpcEndpointServicesByEndUser", FAR "ServiceId=%s", w->service);
	tap_is_int(harness_count_of(h, "Services"), 0, "only when its region is said");
}

/* The zones of the load balancers that serve an endpoint, in the order of its own zones: "h i h". */
static const char *served_from(struct harness *h, const char *endpoint)
{
	char text[64] = "";

	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(store_rows(h->store), REF_ENDPOINT_ZONE_ENDPOINT, endpoint, z));) {
		size_t length = strlen(text);

		(void)str_format(text + length, sizeof(text) - length, "%s%s", length ? " " : "",
				 z->resource_zone[0] ? z->resource_zone + strlen("cn-hangzhou-") : "-");
	}
	return harness_keep(h, text);
}

static int related(struct harness *h, const char *service, int index)
{
	char path[64];

	PL(h, BOB, "ListVpcEndpointServiceResources", REGION "ServiceId=%s", service);
	(void)str_format(path, sizeof(path), "Resources.%d.RelatedEndpointCount", index);
	return (int)harness_number(h, path);
}

#define ZONES "&Zone.1.ZoneId=cn-beijing-c&Zone.1.VSwitchId=%s&Zone.2.ZoneId=cn-beijing-h&Zone.2.VSwitchId=%s"

static void test_far_endpoint(struct harness *h, const struct world *w, const struct far_place *p)
{
	const char *endpoint;

	endpoint = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
			  FAR "VpcId=%s&SecurityGroupId.1=%s&ServiceId=%s&ServiceRegionId=cn-hangzhou" ZONES,
			  p->vpc, p->group, w->service, p->vsw[0], p->vsw[1]);
	tap_is_str(harness_text(h, "ServiceRegionId"), "cn-hangzhou",
		   "an endpoint of another region says so");
	tap_is_int(harness_number(h, "CrossRegionBandwidth"), 1000, "it has 1000 Mbit/s inside the mainland");
	harness_in_force(h, NODE);
	tap_ok(PL(h, ALICE, "GetVpcEndpointAttribute", FAR "EndpointId=%s", endpoint), "it is got");
	tap_is_str(harness_text(h, "RegionId"), "cn-beijing", "in its own region");
	tap_is_str(harness_text(h, "ServiceRegionId"), "cn-hangzhou", "with that of its service");
	tap_is_int(harness_number(h, "CrossRegionBandwidth"), 1000, "and the bandwidth between them");
	REFUSED(h, ALICE, "EndpointNotFound", "it from the service's region", "GetVpcEndpointAttribute",
		REGION "EndpointId=%s", endpoint);
	PL(h, ALICE, "ListVpcEndpoints", FAR "ServiceRegionId=cn-hangzhou");
	tap_is_int(harness_count_of(h, "Endpoints"), 1, "it is listed by the service's region");
	tap_is_int(harness_number(h, "Endpoints.0.CrossRegionBandwidth"), 1000, "with the bandwidth");
	PL(h, ALICE, "ListVpcEndpoints", FAR "ServiceRegionId=cn-beijing");
	tap_is_int(harness_count_of(h, "Endpoints"), 0, "and by no other");

	tap_ok(PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service,
		  endpoint),
	       "the provider accepts it in the service's region");
	harness_in_force(h, NODE);
	PL(h, BOB, "ListVpcEndpointConnections", REGION "EndpointId=%s", endpoint);
	tap_is_str(harness_text(h, "Connections.0.EndpointRegionId"), "cn-beijing",
		   "it sees whence it comes");
	tap_is_str(harness_text(h, "Connections.0.ConnectionStatus"), "Connected",
		   "and that it is connected");
	tap_is_str(harness_text(h, "Connections.0.Zones.0.ZoneStatus"), "Connected", "in its zones");
	tap_is_str(served_from(h, endpoint), "h i", "which are spread over the service's");
	tap_ok(PL(h, ALICE, "AddZoneToVpcEndpoint", FAR "EndpointId=%s&ZoneId=cn-beijing-i&VSwitchId=%s",
		  endpoint, p->vsw[2]),
	       "another zone is added");
	harness_in_force(h, NODE);
	tap_is_str(served_from(h, endpoint), "h i h", "which one of them serves, too");
	tap_ok(related(h, w->service, 0) == 2 && related(h, w->service, 1) == 1,
	       "the provider sees how many each load balancer has");
	REFUSED(h, BOB, "EndpointServiceConnectionDependence", "a load balancer that serves them",
		"DetachResourceFromVpcEndpointService",
		REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-i", w->service,
		w->balancer);

	tap_ok(PL(h, ALICE, "UpdateVpcEndpointAttribute", FAR "EndpointId=%s&CrossRegionBandwidth=200",
		  endpoint),
	       "the bandwidth is changed");
	harness_in_force(h, NODE);
	PL(h, ALICE, "GetVpcEndpointAttribute", FAR "EndpointId=%s", endpoint);
	tap_is_int(harness_number(h, "CrossRegionBandwidth"), 200, "it is another");
	tap_ok(PL(h, ALICE, "UpdateVpcEndpointAttribute", FAR "EndpointId=%s&EndpointName=far", endpoint),
	       "the name is changed");
	harness_in_force(h, NODE);
	PL(h, ALICE, "GetVpcEndpointAttribute", FAR "EndpointId=%s", endpoint);
	tap_is_int(harness_number(h, "CrossRegionBandwidth"), 200, "and the bandwidth is not");

	REFUSED(h, BOB, "EndpointServiceConnectionDependence", "a region with a connected endpoint",
		"UpdateVpcEndpointServiceAttribute",
		REGION "ServiceId=%s&DeleteSupportedRegionSet.1=cn-beijing", w->service);
	(void)PL(h, BOB, "DisableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service,
		 endpoint);
	harness_in_force(h, NODE);
	tap_ok(UPDATE(h, w->service, "DeleteSupportedRegionSet.1=cn-beijing"),
	       "once it is disconnected the region is taken out");
	harness_in_force(h, NODE);
	REFUSED(h, BOB, "UnsupportedRegion", "to connect it again", "EnableVpcEndpointConnection",
		REGION "ServiceId=%s&EndpointId=%s", w->service, endpoint);
	(void)PL(h, ALICE, "RemoveZoneFromVpcEndpoint", FAR "EndpointId=%s&ZoneId=cn-beijing-i", endpoint);
	harness_in_force(h, NODE);
	REFUSED(h, ALICE, "UnsupportedRegion", "another zone of it", "AddZoneToVpcEndpoint",
		FAR "EndpointId=%s&ZoneId=cn-beijing-i&VSwitchId=%s", endpoint, p->vsw[2]);
	(void)UPDATE(h, w->service, "AddSupportedRegionSet.1=cn-beijing");
	harness_in_force(h, NODE);
	tap_ok(PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service,
		  endpoint),
	       "with the region back it is connected");
	harness_in_force(h, NODE);
	tap_is_str(served_from(h, endpoint), "h i", "and served as before");

	for (int i = 0; i < 2; i++)
		(void)PL(h, ALICE, "RemoveZoneFromVpcEndpoint", FAR "EndpointId=%s&ZoneId=cn-beijing-%c",
			 endpoint, "ch"[i]);
	harness_in_force(h, NODE);
	tap_is_int(related(h, w->service, 0), 0, "without zones no load balancer serves it");
	(void)PL(h, ALICE, "DeleteVpcEndpoint", FAR "EndpointId=%s", endpoint);
	harness_in_force(h, NODE);
	REFUSED(h, ALICE, "EndpointNotFound", "an endpoint that is gone", "GetVpcEndpointAttribute",
		FAR "EndpointId=%s", endpoint);
}

/* Another load balancer for a zone, in another zone than the one before. */
static void test_far_replaced(struct harness *h, const struct world *w, const char *service,
			      const char *endpoint)
{
	const char *other = make_balancer(h, &w->provider);
	const struct endpoint_zone *zone;

	harness_in_force(h, NODE);
	(void)PL(h, BOB, "AttachResourceToVpcEndpointService",
		 REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", service, other);
	harness_in_force(h, NODE);
	tap_ok(PL(h, BOB, "UpdateVpcEndpointZoneConnectionResourceAttribute",
		  REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-beijing-c&ResourceId=%s"
			 "&ResourceReplaceMode=Graceful",
		  service, endpoint, other),
	       "the load balancer of a zone is replaced by one in another zone");
	harness_in_force(h, NODE);
	zone = snapshot_endpoint_zone(store_rows(h->store), endpoint, "cn-beijing-c");
	tap_ok(zone->status == ZONE_MIGRATED && streq(zone->resource, other) &&
		       streq(zone->resource_zone, "cn-hangzhou-h") &&
		       streq(zone->replaced_resource_zone, "cn-hangzhou-i"),
	       "each serves from its own");
	REFUSED(h, BOB, "EndpointServiceConnectionDependence", "the one that still serves",
		"DetachResourceFromVpcEndpointService",
		REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-i", service,
		w->balancer);
	(void)PL(h, BOB, "DisableVpcEndpointZoneConnection",
		 REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-beijing-c&ReplacedResource=true", service,
		 endpoint);
	harness_in_force(h, NODE);
	zone = snapshot_endpoint_zone(store_rows(h->store), endpoint, "cn-beijing-c");
	tap_ok(zone->status == ZONE_CONNECTED && !zone->replaced_resource_zone[0], "then the old one is off");
	tap_is_str(served_from(h, endpoint), "h h i", "and the zones are served so");
}

/* Several zones that are connected by one call, also next to endpoints of the service's own region. */
static void test_far_spread(struct harness *h, const struct world *w, const struct far_place *p)
{
	const char *service = make_service(h, w->balancer, true), *near, *endpoint;

	(void)UPDATE(h, service, "AddSupportedRegionSet.1=cn-beijing");
	harness_in_force(h, NODE);
	near = make_endpoint(h, w, service);
	endpoint =
		PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		       FAR "VpcId=%s&SecurityGroupId.1=%s&ServiceName=com.aliyuncs.privatelink.cn-hangzhou.%s"
			   "&ServiceRegionId=cn-hangzhou&CrossRegionBandwidth=500" ZONES
			   "&Zone.3.ZoneId=cn-beijing-i&Zone.3.VSwitchId=%s",
		       p->vpc, p->group, service, p->vsw[0], p->vsw[1], p->vsw[2]);
	tap_is_int(harness_number(h, "CrossRegionBandwidth"), 500, "a bandwidth can be given at once");
	harness_in_force(h, NODE);
	tap_is_str(served_from(h, endpoint), "i h i", "zones go first where there is least, then are spread");
	tap_ok(related(h, service, 0) == 2 && related(h, service, 1) == 2, "near ones count, too");
	tap_ok(PL(h, ALICE, "GetVpcEndpointAttribute", REGION "EndpointId=%s", near) &&
		       !harness_at(h->answer, "CrossRegionBandwidth"),
	       "an endpoint of the service's region has no bandwidth between regions");
	REFUSED(h, ALICE, "IllegalParamFormat.CrossRegionBandwidth", "to give it one",
		"UpdateVpcEndpointAttribute", REGION "EndpointId=%s&CrossRegionBandwidth=100", near);
	test_far_replaced(h, w, service, endpoint);
}

/* Outside the mainland, in both directions over the border, and where one may be. */
static void test_places(struct harness *h)
{
	const char *service, *vpc, *group;

	service = PL_GET(
		h, ALICE, "ServiceId", "CreateVpcEndpointService",
		"RegionId=ap-southeast-1&SupportedRegionList.1=ap-southeast-5&SupportedRegionList.2=cn-"
		"hongkong");
	vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc",
			  "RegionId=cn-hongkong&CidrBlock=10.0.0.0/16");
	group = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
			    "RegionId=cn-hongkong&VpcId=%s", vpc);
	harness_in_force(h, NODE);
	(void)PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		     "RegionId=cn-hongkong&VpcId=%s&SecurityGroupId.1=%s&ServiceId=%s"
		     "&ServiceRegionId=ap-southeast-1",
		     vpc, group, service);
	tap_is_int(harness_number(h, "CrossRegionBandwidth"), 100, "outside the mainland it has 100 Mbit/s");
	REFUSED(h, ALICE, "UnsupportedRegion", "a region on the mainland",
		"UpdateVpcEndpointServiceAttribute",
		"RegionId=ap-southeast-1&ServiceId=%s&AddSupportedRegionSet.1=cn-hangzhou", service);
	for (int i = 0; i < 2; i++) {
		PL(h, ALICE, "DescribeZones", REGION "CrossRegion=true&CrossRegionSide=%s",
		   i ? "EndpointService" : "Endpoint");
		tap_is_int(harness_count_of(h, "Zones.Zone"), 6,
			   "each zone of the region can be at either end");
	}
}

/* Clients send the region of their profile with every call, and a catalogue may have others. */
static void test_unknown(struct harness *h)
{
	static const struct {
		enum product product;
		const char *action;
	} calls[] = {
		{PRODUCT_PRIVATELINK, "CheckProductOpen"}, {PRODUCT_PRIVATELINK, "DescribeRegions"},
		{PRODUCT_VPC, "DescribeRegions"},	   {PRODUCT_ECS, "DescribeRegions"},
		{PRODUCT_NLB, "DescribeRegions"},	   {PRODUCT_SLB, "DescribeRegions"},
		{PRODUCT_STS, "GetCallerIdentity"},	   {PRODUCT_RAM, "ListUsers"},
		{PRODUCT_RAM, "ListAccessKeys"},	   {PRODUCT_RESOURCEMANAGER, "ListResourceGroups"},
		{PRODUCT_PRIVLINK, "GetVersion"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		tap_ok(harness_call(h, BOB, calls[i].product, calls[i].action, "RegionId=mars-1"),
		       "%s: %s takes any region: %s", products[calls[i].product].name, calls[i].action,
		       h->error.code);
	REFUSED(h, BOB, "OrderOpend", "any region, and opening it twice", "OpenPrivateLinkService",
		"RegionId=mars-1");
	REFUSED(h, BOB, "RegionNotFound", "a region that is none", "DescribeZones", "RegionId=mars-1");
	REFUSED(h, BOB, "RegionNotFound", "likewise where it is needless", "ChangeResourceGroup",
		"RegionId=mars-1&ResourceId=ep-1&ResourceGroupId=rg-1");
}

int main(void)
{
	struct far_place place;
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	test_list(&h);
	test_quota(&h);
	place = make_far_place(&h);
	test_far_refused(&h, &w, &place);
	test_far_endpoint(&h, &w, &place);
	test_far_spread(&h, &w, &place);
	test_places(&h);
	test_unknown(&h);
	harness_end(&h);
	return tap_done();
}
