/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints of a service that supports policies, in a region of its own and with an id that a catalogue of
 * the operator's gives: what configurations that name a platform service by its id ask for.
 */
#include "api_harness.h"

#define PL(h, uid, ...)	     harness_call(h, uid, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define PL_GET(h, uid, ...)  harness_get(h, uid, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define REFUSED(h, uid, ...) harness_refused(h, uid, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define REGION		     "RegionId=ap-southeast-5&"
#define NODE		     "alpha"
#define OSS_ID		     "epsrv-k1apjysze8u1l9t6uyg9"
#define OSS_NAME	     "com.aliyuncs.privatelink.ap-southeast-5.oss"

struct world {
	const char *vpc, *group;
};

static struct world make_world(struct harness *h)
{
	struct world w;

	harness_must(control_bootstrap(h->store, h->catalogue, h->loop), "bootstrap");
	harness_node(h, NODE, "");
	w.vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=192.168.0.0/16");
	w.group = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
			      REGION "VpcId=%s", w.vpc);
	harness_in_force(h, NODE);
	return w;
}

/* Two regions with the border of mainland China between them. */
static void test_no_partner(struct harness *h)
{
	PL(h, ALICE, "DescribeZones", REGION);
	tap_is_int(harness_count_of(h, "Zones.Zone"), 2, "a region has zones");
	PL(h, ALICE, "DescribeZones", REGION "CrossRegion=true");
	tap_is_int(harness_count_of(h, "Zones.Zone"), 0,
		   "none of them for services of other regions, where there is none that it reaches");
}

static void test_given_id(struct harness *h, const struct world *w)
{
	const char *endpoint, *by_name;

	tap_ok(PL(h, ALICE, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=" OSS_ID),
	       "a service of the operator's catalogue is found by the id that is given there");
	tap_is_str(harness_text(h, "Services.0.ServiceName"), OSS_NAME, "it has its name");
	tap_ok(json_is_true(harness_at(h->answer, "Services.0.VpcEndpointPolicySupported")),
	       "and supports policies");
	endpoint =
		PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		       REGION "VpcId=%s&ServiceId=" OSS_ID "&ServiceName=" OSS_NAME "&SecurityGroupId.1=%s",
		       w->vpc, w->group);
	harness_in_force(h, NODE);
	tap_ok(PL(h, ALICE, "GetVpcEndpointAttribute", REGION "EndpointId=%s", endpoint),
	       "an endpoint of it is made by id and name");
	tap_is_str(harness_text(h, "EndpointStatus"), "Active", "and becomes active");
	tap_is_str(harness_text(h, "ServiceId"), OSS_ID, "of that service");
	tap_ok(PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", endpoint), "it is deleted");
	harness_in_force(h, NODE);
	by_name = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
			 REGION "VpcId=%s&ServiceName=" OSS_NAME "&SecurityGroupId.1=%s", w->vpc, w->group);
	harness_in_force(h, NODE);
	tap_ok(PL(h, ALICE, "GetVpcEndpointAttribute", REGION "EndpointId=%s", by_name),
	       "another is made by name");
	tap_is_str(harness_text(h, "ServiceId"), OSS_ID, "of the same service");
	(void)PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", by_name);
	harness_in_force(h, NODE);
}

int main(void)
{
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin_with(&h, "tests/unit/data/own_catalogue.json");
	w = make_world(&h);
	test_given_id(&h, &w);
	test_no_partner(&h);
	harness_end(&h);
	return tap_done();
}
