/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A provider (Bob) with a load balancer in two zones, a service of his own behind it, and the operator's
 * binding of it to a system service; a consumer (Alice) with a VPC of the same addresses.
 */
#pragma once

#include "api_harness.h"

#define PL(h, uid, ...)	     harness_call(h, uid, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define PL_GET(h, uid, ...)  harness_get(h, uid, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define REFUSED(h, uid, ...) harness_refused(h, uid, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define REGION		     "RegionId=cn-hangzhou&"
#define SYSTEM_SERVICE	     "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc"
#define NODE		     "alpha"

struct place {
	const char *vpc, *vsw_h, *vsw_i, *sg;
};

struct world {
	struct place consumer, provider;
	const char *other_vpc, *other_sg, *enterprise_sg, *vsw_other; /* Alice's */
	const char *balancer, *service, *system_service;
};

static struct place make_place(struct harness *h, int64_t uid)
{
	struct place p;

	p.vpc = harness_get(h, uid, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=192.168.0.0/16");
	p.vsw_h = harness_get(h, uid, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			      "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=192.168.1.0/24", p.vpc);
	p.vsw_i = harness_get(h, uid, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			      "VpcId=%s&ZoneId=cn-hangzhou-i&CidrBlock=192.168.2.0/24", p.vpc);
	p.sg = harness_get(h, uid, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			   p.vpc);
	return p;
}

static const char *make_balancer(struct harness *h, const struct place *p)
{
	return harness_get(h, BOB, PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
			   "AddressType=Intranet&VpcId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1."
			   "VSwitchId=%s"
			   "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=%s",
			   p->vpc, p->vsw_h, p->vsw_i);
}

/* A service of Bob's with the load balancer in both zones, which Alice may use. */
static const char *make_service(struct harness *h, const char *balancer, bool auto_accept)
{
	const char *service;

	service = PL_GET(
		h, BOB, "ServiceId", "CreateVpcEndpointService",
		REGION "AutoAcceptEnabled=%s&Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s"
		       "&Resource.1.ZoneId=cn-hangzhou-h&Resource.2.ResourceType=nlb&Resource.2.ResourceId=%s"
		       "&Resource.2.ZoneId=cn-hangzhou-i",
		auto_accept ? "true" : "false", balancer, balancer);
	if (!PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=%lld", service,
		(long long)ALICE))
		harness_must(-EIO, h->error.code);
	return service;
}

__attribute__((unused)) static const char *find_system_service(struct harness *h, const char *name)
{
	return PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceName=%s", name)
		       ? harness_keep(h, harness_text(h, "Services.0.ServiceId"))
		       : NULL;
}

static struct world make_world(struct harness *h)
{
	struct world w;

	harness_must(control_bootstrap(h->store, h->catalogue, h->loop), "bootstrap");
	harness_node(h, NODE, "");
	w.provider = make_place(h, BOB);
	w.consumer = make_place(h, ALICE);
	w.other_vpc =
		harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=192.168.0.0/16");
	w.vsw_other = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
				  "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=192.168.1.0/29", w.other_vpc);
	w.other_sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
				 REGION "VpcId=%s", w.other_vpc);
	w.enterprise_sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
				      REGION "VpcId=%s&SecurityGroupType=enterprise", w.consumer.vpc);
	harness_in_force(h, NODE);
	w.balancer = make_balancer(h, &w.provider);
	w.service = make_service(h, w.balancer, false);
	if (!harness_call(h, ROOT, PRODUCT_PRIVLINK, "BindSystemService",
			  REGION "ServiceName=" SYSTEM_SERVICE "&ResourceId=%s", w.balancer))
		harness_must(-EIO, h->error.code);
	w.system_service = find_system_service(h, SYSTEM_SERVICE);
	harness_in_force(h, NODE);
	return w;
}

/* An endpoint of Alice's in the zone h, in force. */
__attribute__((unused)) static const char *make_endpoint(struct harness *h, const struct world *w,
							 const char *service)
{
	const char *endpoint;

	endpoint = PL_GET(
		h, ALICE, "EndpointId", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s",
		w->consumer.vpc, service, w->consumer.sg, w->consumer.vsw_h);
	harness_in_force(h, NODE);
	return endpoint;
}

__attribute__((unused)) static const char *endpoint_text(struct harness *h, const char *endpoint,
							 const char *member)
{
	const char *text;

	if (!PL(h, ALICE, "GetVpcEndpointAttribute", REGION "EndpointId=%s", endpoint))
		return h->error.code;
	text = harness_text(h, member);
	return text ? harness_keep(h, text) : "(absent)";
}

__attribute__((unused)) static const char *zone_text(struct harness *h, const char *endpoint, int index,
						     const char *member)
{
	char path[64];
	const char *text;

	if (!PL(h, ALICE, "ListVpcEndpointZones", REGION "EndpointId=%s", endpoint))
		return h->error.code;
	(void)str_format(path, sizeof(path), "Zones.%d.%s", index, member);
	text = harness_text(h, path);
	return text ? harness_keep(h, text) : "(absent)";
}
