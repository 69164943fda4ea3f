/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which load balancer serves a zone of a connection: named before it is connected, replaced at once, or
 * replaced beside it; the whole way with its ends, and every refusal.
 */
#include "privatelink_world.h"

#include "model/check.h"

#define UPDATE	"UpdateVpcEndpointZoneConnectionResourceAttribute"
#define TRIPLE	REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-hangzhou-h"
#define AUTO	TRIPLE "&ResourceAllocateMode=Auto"
#define MANUAL	TRIPLE "&ResourceAllocateMode=Manual&ResourceType=nlb&ResourceId=%s"
#define GRACE	TRIPLE "&ResourceReplaceMode=Graceful&ResourceType=nlb&ResourceId=%s"
#define FORCE	TRIPLE "&ResourceReplaceMode=Force&ResourceType=nlb&ResourceId=%s"
#define DISABLE "DisableVpcEndpointZoneConnection"
#define RETIRE	TRIPLE "&ReplacedResource=true"

/* Bob's: two load balancers in the zone h of one service. */
struct replacement {
	const char *service, *first, *second;
};

static struct replacement make_replacement(struct harness *h, const struct world *w, bool auto_accept)
{
	struct replacement p = {.first = make_balancer(h, &w->provider)};

	harness_in_force(h, NODE);
	p.second = make_balancer(h, &w->provider);
	p.service = make_service(h, p.first, auto_accept);
	harness_in_force(h, NODE);
	PL(h, BOB, "AttachResourceToVpcEndpointService",
	   REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", p.service, p.second);
	harness_in_force(h, NODE);
	PL(h, BOB, "UpdateVpcEndpointServiceResourceAttribute",
	   REGION "ServiceId=%s&ResourceId=%s&ZoneId=cn-hangzhou-h&AutoAllocatedEnabled=false", p.service,
	   p.second);
	harness_in_force(h, NODE);
	return p;
}

/* A member of the zone as the provider sees it. */
static const char *provider_text(struct harness *h, const char *endpoint, const char *member)
{
	const char *text;
	char path[64];

	if (!PL(h, BOB, "ListVpcEndpointConnections", REGION "EndpointId=%s", endpoint))
		return h->error.code;
	(void)str_format(path, sizeof(path), "Connections.0.Zones.0.%s", member);
	text = harness_text(h, path);
	return text ? harness_keep(h, text) : "(absent)";
}

static const char *service_status(struct harness *h, const char *service)
{
	return PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service)
		       ? harness_keep(h, harness_text(h, "ServiceStatus"))
		       : h->error.code;
}

/* The consumer's ENIs of the endpoint's VPC. */
static int count_enis(struct harness *h, const struct world *w)
{
	return harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "VpcId=%s",
			    w->consumer.vpc)
		       ? harness_count_of(h, "NetworkInterfaceSets.NetworkInterfaceSet")
		       : -1;
}

static int free_addresses(struct harness *h, const struct world *w)
{
	return harness_call(h, ALICE, PRODUCT_VPC, "DescribeVSwitchAttributes", "VSwitchId=%s",
			    w->consumer.vsw_h)
		       ? (int)harness_number(h, "AvailableIpAddressCount")
		       : -1;
}

static int resource_number(struct harness *h, const char *service, const char *resource, const char *member)
{
	char path[64];

	if (!PL(h, BOB, "ListVpcEndpointServiceResources", REGION "ServiceId=%s", service))
		return -1;
	for (int i = 0; i < harness_count_of(h, "Resources"); i++) {
		(void)str_format(path, sizeof(path), "Resources.%d.ResourceId", i);
		if (!streq(harness_text(h, path), resource))
			continue;
		(void)str_format(path, sizeof(path), "Resources.%d.ZoneId", i);
		if (!streq(harness_text(h, path), "cn-hangzhou-h"))
			continue;
		(void)str_format(path, sizeof(path), "Resources.%d.%s", i, member);
		return (int)harness_number(h, path);
	}
	return -1;
}

static uint32_t eni_number(struct harness *h, const char *eni)
{
	const struct port *port = snapshot_port(store_rows(h->store), eni);

	return port ? port->number : 0;
}

static void test_refusals(struct harness *h, const struct world *w, const struct replacement *p,
			  const char *endpoint)
{
#define NO(code, why, ...) REFUSED(h, BOB, code, why, UPDATE, __VA_ARGS__)
	REFUSED(h, ALICE, "EndpointServiceNotFound", "the consumer", UPDATE, FORCE, p->service, endpoint,
		p->second);
	NO("EndpointServiceNotFound", "an unknown service", FORCE, "epsrv-nothere", endpoint, p->second);
	NO("EndpointConnectionNotFound", "an unknown endpoint", FORCE, p->service, "ep-nothere", p->second);
	NO("EndpointConnectionNotFound", "an endpoint of another service", FORCE, w->service, endpoint,
	   p->second);
	NO("EndpointZoneNotFound", "a zone that the endpoint is not in",
	   REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-hangzhou-i&ResourceReplaceMode=Force&ResourceId=%s",
	   p->service, endpoint, p->first);
	NO("IllegalParam.ResourceAllocateMode", "a mode that is none", TRIPLE "&ResourceAllocateMode=Maybe",
	   p->service, endpoint);
	NO("IllegalParam.ResourceReplaceMode", "a mode that is none", TRIPLE "&ResourceReplaceMode=Maybe",
	   p->service, endpoint);
	NO("IllegalParam.ResourceReplaceMode", "two modes", FORCE "&ResourceAllocateMode=Manual", p->service,
	   endpoint, p->second);
	NO("IllegalParamFormat.ResourceType", "a type that is none",
	   TRIPLE "&ResourceReplaceMode=Force&ResourceType=disk&ResourceId=%s", p->service, endpoint,
	   p->second);
	NO("MissingParam.ResourceAllocateMode", "no mode", TRIPLE "&ResourceId=%s", p->service, endpoint,
	   p->second);
	NO("MissingParam.ResourceId", "no resource", TRIPLE "&ResourceReplaceMode=Force", p->service,
	   endpoint);
	NO("EndpointServiceResourceNotFound", "a load balancer that is not the service's", FORCE, p->service,
	   endpoint, w->balancer);
	NO("EndpointServiceResourceTypeNotSupport", "another type",
	   TRIPLE "&ResourceReplaceMode=Force&ResourceType=slb&ResourceId=%s", p->service, endpoint,
	   p->second);
	NO("ZoneOperationDenied", "allocation of a connected zone", AUTO, p->service, endpoint);
	NO("ZoneOperationDenied", "allocation of a connected zone", MANUAL, p->service, endpoint, p->second);
	NO("DryRunOperation", "a dry run", GRACE "&DryRun=true", p->service, endpoint, p->second);
	REFUSED(h, BOB, "IncorrectStatus.VpcEndpointZone", "nothing was replaced", DISABLE, RETIRE,
		p->service, endpoint);
	tap_ok(PL(h, BOB, UPDATE, FORCE, p->service, endpoint, p->first) != NULL,
	       "the resource that it has is no replacement");
	tap_is_str(service_status(h, p->service), "Active", "and changes nothing");
}

/* Of another zone: it serves i alone. */
static void test_other_zone(struct harness *h, const struct world *w, const struct replacement *p,
			    const char *endpoint)
{
	const char *other = make_balancer(h, &w->provider);

	harness_in_force(h, NODE);
	PL(h, BOB, "AttachResourceToVpcEndpointService",
	   REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-i", p->service, other);
	harness_in_force(h, NODE);
	NO("Mismatch.ZoneId", "a resource of another zone", FORCE, p->service, endpoint, other);
}

static void test_force(struct harness *h, const struct world *w, const struct replacement *p,
		       const char *endpoint)
{
	const char *eni = provider_text(h, endpoint, "EniId"), *addr = zone_text(h, endpoint, 0, "EniIp");
	uint32_t number = eni_number(h, eni);
	int enis = count_enis(h, w);

	tap_ok(PL(h, BOB, UPDATE, FORCE "&ClientToken=force-1", p->service, endpoint, p->second),
	       "a load balancer is replaced at once");
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Migrating", "the zone is on its way");
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Connected", "connected to its consumer");
	tap_is_str(service_status(h, p->service), "Pending", "the service is being modified");
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "Pending", "the connection is");
	NO("ZoneOperationDenied", "a zone that migrates", GRACE, p->service, endpoint, p->first);
	tap_ok(PL(h, BOB, UPDATE, FORCE "&ClientToken=force-1", p->service, endpoint, p->second),
	       "the same call with its token is answered as before");
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Connected",
		   "when the nodes have it, it is done");
	tap_is_str(service_status(h, p->service), "Active", "for the service, too");
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "Connected", "and the connection");
	tap_is_str(provider_text(h, endpoint, "ResourceId"), p->second, "the other one serves");
	tap_is_str(provider_text(h, endpoint, "ReplacedResourceId"), "(absent)", "the old one does not");
	tap_is_str(provider_text(h, endpoint, "EniId"), eni, "the ENI is the same");
	tap_is_str(zone_text(h, endpoint, 0, "EniIp"), addr, "at its address");
	tap_ok(eni_number(h, eni) > number, "and another one to the nodes");
	tap_is_int(count_enis(h, w), enis, "there is no more of them");
	tap_is_int(resource_number(h, p->service, p->second, "RelatedEndpointCount"), 1, "it is counted");
	tap_is_int(resource_number(h, p->service, p->first, "RelatedEndpointCount"), 0, "the old one is not");
}

/* The number that an ENI gets when `last` was the last one given out. */
static uint32_t number_after(struct harness *h, const struct replacement *p, const char *endpoint,
			     uint32_t last, const char *resource)
{
	struct counter counter =
		*(const struct counter *)snapshot_find(store_rows(h->store), KIND_COUNTER, "port");

	counter.value = last;
	harness_put(h, KIND_COUNTER, &counter);
	harness_must(PL(h, BOB, UPDATE, FORCE, p->service, endpoint, resource) ? 0 : -EIO, h->error.code);
	harness_in_force(h, NODE);
	return eni_number(h, provider_text(h, endpoint, "EniId"));
}

/* After the last number the first one comes again that is no ENI's, nor one's MAC. */
static void test_numbers(struct harness *h, const struct replacement *p, const char *endpoint)
{
	const struct snapshot *rows = store_rows(h->store);
	const char *eni = provider_text(h, endpoint, "EniId");
	uint32_t old = eni_number(h, eni), of_mac = port_mac_number(&snapshot_port(rows, eni)->mac),
		 first = 1;

	while (snapshot_has_number(rows, KIND_PORT, first))
		first++;
	tap_ok(first > of_mac && of_mac != old, "an ENI's number is not its MAC's");
	tap_is_int(number_after(h, p, endpoint, of_mac - 1, p->first), first,
		   "numbers of ENIs and of MACs are passed over");
	tap_is_int(number_after(h, p, endpoint, UINT32_MAX - 2, p->second), UINT32_MAX - 1,
		   "the last number that there is");
	tap_is_int(number_after(h, p, endpoint, UINT32_MAX - 1, p->first), old,
		   "after which the first one comes that is free again");
	tap_is_int(number_after(h, p, endpoint, UINT32_MAX, p->second), first,
		   "so it goes on where all numbers were given out");
}

/* The consumer's, of ENIs. */
static void share_used_up(struct harness *h, bool is_used_up)
{
	harness_call(h, ROOT, PRODUCT_PRIVLINK, is_used_up ? "SetQuota" : "DeleteQuota",
		     "AccountId=%lld&QuotaName=network_interfaces%s", (long long)ALICE,
		     is_used_up ? "&Value=1" : "");
}

static void test_graceful(struct harness *h, const struct world *w, const struct replacement *p,
			  const char *endpoint)
{
	const char *old = provider_text(h, endpoint, "EniId"), *addr = zone_text(h, endpoint, 0, "EniIp");
	int enis = count_enis(h, w), room = free_addresses(h, w);
	const char *eni;

	share_used_up(h, true);
	tap_ok(PL(h, BOB, UPDATE, GRACE, p->service, endpoint, p->first),
	       "a load balancer is replaced beside the old one, also when the consumer may have no ENI more");
	share_used_up(h, false);
	eni = provider_text(h, endpoint, "EniId");
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Migrating", "the zone is on its way");
	tap_ok(!streq(eni, old), "it has another ENI");
	tap_is_str(provider_text(h, endpoint, "ReplacedEniId"), old, "beside the old one");
	tap_is_str(provider_text(h, endpoint, "ResourceId"), p->first, "with the other load balancer");
	tap_is_str(provider_text(h, endpoint, "ReplacedResourceId"), p->second, "beside the old one");
	tap_is_str(zone_text(h, endpoint, 0, "EniId"), old, "the consumer still has the old ENI");
	tap_is_str(zone_text(h, endpoint, 0, "EniIp"), addr, "at its address");
	tap_is_int(count_enis(h, w), enis + 1, "there is one more");
	tap_is_int(free_addresses(h, w), room - 1, "with an address of its own");
	REFUSED(h, BOB, "IncorrectStatus.VpcEndpointZone", "before it is in force", DISABLE, RETIRE,
		p->service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Migrated", "then it has migrated");
	tap_is_str(zone_text(h, endpoint, 0, "ZoneStatus"), "Connected", "connected to its consumer");
	tap_is_str(zone_text(h, endpoint, 0, "EniId"), eni, "who has the new ENI");
	tap_ok(!streq(zone_text(h, endpoint, 0, "EniIp"), addr), "at another address");
	tap_is_str(service_status(h, p->service), "Active", "the service is modified");
	tap_is_int(resource_number(h, p->service, p->second, "RelatedDeprecatedEndpointCount"), 1,
		   "the old one is counted as such");
	tap_is_int(resource_number(h, p->service, p->second, "RelatedEndpointCount"), 0, "and as no more");
	tap_is_int(resource_number(h, p->service, p->first, "RelatedEndpointCount"), 1, "the new one is");
	PL(h, BOB, "ListVpcEndpointConnections", REGION "ReplacedResourceId=%s", p->second);
	tap_is_int(harness_count_of(h, "Connections"), 1, "the connection is found by what is replaced");
	PL(h, BOB, "ListVpcEndpointConnections", REGION "ReplacedResourceId=%s", p->first);
	tap_is_int(harness_count_of(h, "Connections"), 0, "and not by what replaces it");
	PL(h, BOB, "ListVpcEndpointConnections", REGION "EniId=%s", old);
	tap_is_int(harness_count_of(h, "Connections"), 1, "by the old ENI");
	PL(h, BOB, "ListVpcEndpointConnections", REGION "EniId=%s", eni);
	tap_is_int(harness_count_of(h, "Connections"), 1, "and by the new one");
	NO("ZoneOperationDenied", "a zone that has migrated", GRACE, p->service, endpoint, p->second);
	NO("ZoneOperationDenied", "a zone that has migrated", FORCE, p->service, endpoint, p->second);
	REFUSED(h, BOB, "EndpointServiceConnectionDependence", "what still serves",
		"DetachResourceFromVpcEndpointService",
		REGION "ServiceId=%s&ResourceId=%s&ZoneId=cn-hangzhou-h", p->service, p->second);
	REFUSED(h, ALICE, "EndpointServiceNotFound", "the consumer", DISABLE, RETIRE, p->service, endpoint);

	tap_ok(PL(h, BOB, DISABLE, RETIRE, p->service, endpoint), "the old one is taken off");
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Migrated", "it is on its way out");
	tap_is_int(free_addresses(h, w), room - 1, "and keeps its address");
	tap_ok(PL(h, BOB, DISABLE, RETIRE, p->service, endpoint), "taking it off again is fine");
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Connected", "the zone is as any other");
	tap_is_str(provider_text(h, endpoint, "ReplacedEniId"), "(absent)", "nothing is replaced");
	tap_is_str(provider_text(h, endpoint, "ReplacedResourceId"), "(absent)", "by anything");
	tap_is_int(count_enis(h, w), enis, "the old ENI is gone");
	tap_is_int(free_addresses(h, w), room, "and its address free");
	tap_ok(PL(h, BOB, "DetachResourceFromVpcEndpointService",
		  REGION "ServiceId=%s&ResourceId=%s&ZoneId=cn-hangzhou-h", p->service, p->second),
	       "what served can leave the service");
	PL(h, BOB, "AttachResourceToVpcEndpointService",
	   REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", p->service, p->second);
	harness_in_force(h, NODE);
}

/* The ENIs get the groups of the endpoint, both. */
static void test_groups(struct harness *h, const struct world *w, const struct replacement *p,
			const char *endpoint)
{
	const char *group = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
					REGION "VpcId=%s", w->consumer.vpc);

	PL(h, BOB, UPDATE, GRACE, p->service, endpoint, p->second);
	PL(h, ALICE, "AttachSecurityGroupToVpcEndpoint", REGION "EndpointId=%s&SecurityGroupId=%s", endpoint,
	   group);
	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "SecurityGroupId=%s", group);
	tap_is_int(harness_count_of(h, "NetworkInterfaceSets.NetworkInterfaceSet"), 2,
		   "both ENIs join a group of the endpoint");
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Migrated", "the migration goes on");
	PL(h, BOB, DISABLE, RETIRE, p->service, endpoint);
	harness_in_force(h, NODE);
}

/* What ends a zone, or its connection, ends a migration: what is left is what the others have. */
static void test_ends(struct harness *h, const struct world *w, const struct replacement *p,
		      const char *endpoint)
{
	int enis = count_enis(h, w), room = free_addresses(h, w);
	const char *eni;

	for (int settled = 0; settled < 2; settled++) {
		const char *to = settled ? p->second : p->first, *when = settled ? "Migrated" : "Migrating";

		PL(h, BOB, UPDATE, GRACE, p->service, endpoint, to);
		if (settled)
			harness_in_force(h, NODE);
		eni = provider_text(h, endpoint, "EniId");
		tap_is_str(provider_text(h, endpoint, "ZoneStatus"), when, "a zone that is %s", when);
		tap_ok(PL(h, BOB, DISABLE, TRIPLE, p->service, endpoint), "is cut");
		harness_in_force(h, NODE);
		tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Disconnected", "and goes");
		tap_is_str(provider_text(h, endpoint, "EniId"), eni, "it keeps the new ENI");
		tap_is_int(count_enis(h, w), enis, "the old one is gone");
		tap_is_int(free_addresses(h, w), room, "with its address");
		PL(h, BOB, "EnableVpcEndpointZoneConnection", TRIPLE, p->service, endpoint);
		harness_in_force(h, NODE);
		tap_is_str(provider_text(h, endpoint, "ResourceId"), to, "it is joined with the new one");
	}

	PL(h, BOB, UPDATE, GRACE, p->service, endpoint, p->first);
	harness_in_force(h, NODE);
	PL(h, BOB, "DisableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", p->service, endpoint);
	NO("EndpointConnectionOperationDenied", "a connection that is being cut", FORCE, p->service, endpoint,
	   p->second);
	harness_in_force(h, NODE);
	tap_is_int(count_enis(h, w), enis, "a connection that is cut leaves one ENI");
	PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", p->service, endpoint);
	harness_in_force(h, NODE);

	PL(h, BOB, UPDATE, GRACE, p->service, endpoint, p->second);
	harness_in_force(h, NODE);
	PL(h, BOB, DISABLE, RETIRE, p->service, endpoint);
	tap_ok(PL(h, BOB, DISABLE, TRIPLE, p->service, endpoint), "a zone is cut while the old one goes");
	PL(h, BOB, "EnableVpcEndpointZoneConnection", TRIPLE, p->service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Connected", "and joined again");
	tap_is_int(count_enis(h, w), enis, "with one ENI");
	tap_is_int(free_addresses(h, w), room, "and one address");
}

/* Two calls at once: one is carried out, the other decided on what that has left. */
static void test_race(struct harness *h, const struct world *w, const struct replacement *p,
		      const char *endpoint)
{
	int enis = count_enis(h, w), room = free_addresses(h, w);
	char first[256], second[256];

	(void)str_format(first, sizeof(first), GRACE, p->service, endpoint, p->first);
	(void)str_format(second, sizeof(second), FORCE, p->service, endpoint, p->first);
	tap_is_int(harness_race(h, BOB, PRODUCT_PRIVATELINK, UPDATE, first, second), 1,
		   "of two replacements at once one is carried out");
	tap_is_str(h->error.code, "ZoneOperationDenied", "the other finds a zone that migrates");
	harness_in_force(h, NODE);
	PL(h, BOB, DISABLE, RETIRE, p->service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Connected", "the zone is connected");
	tap_is_str(provider_text(h, endpoint, "ResourceId"), p->first, "by the one that both named");
	tap_ok(count_enis(h, w) == enis && free_addresses(h, w) == room, "with one ENI");
	PL(h, BOB, UPDATE, FORCE, p->service, endpoint, p->second);
	harness_in_force(h, NODE);
}

/* The zone goes, then the endpoint; or the service, with the endpoint left over. */
static void test_removal(struct harness *h, const struct world *w, const struct replacement *p,
			 const char *endpoint)
{
	int enis = count_enis(h, w), room = free_addresses(h, w);

	PL(h, BOB, UPDATE, GRACE, p->service, endpoint, p->first);
	tap_ok(PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h",
		  endpoint),
	       "a zone that migrates is removed");
	NO("ZoneOperationDenied", "a zone that goes", FORCE, p->service, endpoint, p->second);
	tap_ok(PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", endpoint),
	       "and its endpoint deleted");
	NO("EndpointLocked", "an endpoint that goes", FORCE, p->service, endpoint, p->second);
	harness_in_force(h, NODE);
	tap_is_int(count_enis(h, w), enis - 1, "both ENIs go");
	tap_is_int(free_addresses(h, w), room + 1, "and both addresses");
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "EndpointNotFound", "with the endpoint");
	tap_is_int(resource_number(h, p->service, p->second, "RelatedDeprecatedEndpointCount"), 0,
		   "nothing is counted");
}

/* Before a connection is up its zones can be told what will serve them. */
static void test_allocation(struct harness *h, const struct world *w)
{
	struct replacement p = make_replacement(h, w, false);
	const char *endpoint = make_endpoint(h, w, p.service);

	NO("OperationDenied.CurrentResourceAutoAllocated", "a zone that is served automatically", AUTO,
	   p.service, endpoint);
	NO("EndpointConnectionOperationDenied", "a connection that waits", FORCE, p.service, endpoint,
	   p.second);
	NO("MissingParam.ResourceId", "no resource", TRIPLE "&ResourceAllocateMode=Manual", p.service,
	   endpoint);
	tap_ok(PL(h, BOB, UPDATE, MANUAL, p.service, endpoint, p.second),
	       "a load balancer is named that is not given out automatically");
	tap_is_str(provider_text(h, endpoint, "ZoneStatus"), "Wait", "the zone waits");
	tap_is_str(service_status(h, p.service), "Pending", "the service is being modified");
	harness_in_force(h, NODE);
	tap_is_str(service_status(h, p.service), "Active", "until the nodes have it");
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "Disconnected", "the connection waits");
	PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", p.service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ResourceId"), p.second, "then what was named serves it");

	PL(h, BOB, DISABLE, TRIPLE, p.service, endpoint);
	NO("ZoneOperationDenied", "a zone that is being cut", AUTO, p.service, endpoint);
	harness_in_force(h, NODE);
	NO("ZoneOperationDenied", "replacing in a zone that is cut", FORCE, p.service, endpoint, p.first);
	tap_ok(PL(h, BOB, UPDATE, AUTO, p.service, endpoint), "a zone that is cut goes back to allocation");
	tap_is_str(provider_text(h, endpoint, "ResourceId"), "(absent)", "it has none until it is joined");
	PL(h, BOB, "EnableVpcEndpointZoneConnection", TRIPLE, p.service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ResourceId"), p.first, "then the one that is given out");

	PL(h, BOB, "DisableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", p.service, endpoint);
	harness_in_force(h, NODE);
	PL(h, BOB, UPDATE, MANUAL, p.service, endpoint, p.second);
	harness_in_force(h, NODE);
	tap_ok(PL(h, BOB, "DetachResourceFromVpcEndpointService",
		  REGION "ServiceId=%s&ResourceId=%s&ZoneId=cn-hangzhou-h", p.service, p.second),
	       "what is named and does not serve can leave the service");
	PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", p.service, endpoint);
	harness_in_force(h, NODE);
	tap_is_str(provider_text(h, endpoint, "ResourceId"), p.first, "then allocation has its way");
	PL(h, BOB, "DisableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", p.service, endpoint);
	harness_in_force(h, NODE);
	NO("OperationDenied.CurrentResourceAutoAllocated", "that one", AUTO, p.service, endpoint);
	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", p.service);
	NO("EndpointServiceLocked", "a service that goes", MANUAL, p.service, endpoint, p.first);
}

/* A second ENI needs an address in the consumer's vSwitch: the small one has three. */
static void test_no_address(struct harness *h, const struct world *w)
{
	struct replacement p = make_replacement(h, w, true);
	const char *endpoint, *sg = w->other_sg;
	int n = 0;

	endpoint = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
			  REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h"
				 "&Zone.1.VSwitchId=%s",
			  w->other_vpc, p.service, sg, w->vsw_other);
	while (n < 8 && PL(h, ALICE, "CreateVpcEndpoint",
			   REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h"
				  "&Zone.1.VSwitchId=%s",
			   w->other_vpc, p.service, sg, w->vsw_other))
		n++;
	harness_in_force(h, NODE);
	NO("ResourceNotEnough.VSwitchIp", "a vSwitch that is full", GRACE, p.service, endpoint, p.second);
	tap_ok(PL(h, BOB, UPDATE, FORCE, p.service, endpoint, p.second), "which needs none at once");
#undef NO
}

int main(void)
{
	struct replacement p;
	const char *endpoint;
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	p = make_replacement(&h, &w, true);
	endpoint = make_endpoint(&h, &w, p.service);
	test_refusals(&h, &w, &p, endpoint);
	test_other_zone(&h, &w, &p, endpoint);
	test_force(&h, &w, &p, endpoint);
	test_numbers(&h, &p, endpoint);
	test_graceful(&h, &w, &p, endpoint);
	test_groups(&h, &w, &p, endpoint);
	test_ends(&h, &w, &p, endpoint);
	test_race(&h, &w, &p, endpoint);
	test_removal(&h, &w, &p, endpoint);
	test_allocation(&h, &w);
	test_no_address(&h, &w);
	harness_end(&h);
	return tap_done();
}
