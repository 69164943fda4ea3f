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

#define POLICY                                                                                                      \
	"{ \"Version\": \"1\",\n \"Statement\": [ {\"Effect\":\"Deny\", \"Action\":[\"oss:Get*\", \"oss:List*\"], " \
	"\"Resource\":\"*\", \"Principal\":{\"RAM\":[\"acs:ram::1:user/a\"]}}]} "
#define DEFAULT                                                                                              \
	"{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"*\"],\"Principal\":[\"*\"],"  \
	"\"Resource\":[\"*\"]}]}"

static const char *policy_of(struct harness *h, const char *endpoint)
{
	const char *listed;

	PL(h, ALICE, "ListVpcEndpoints", REGION "EndpointId=%s", endpoint);
	listed = harness_keep(h, harness_text(h, "Endpoints.0.PolicyDocument"));
	PL(h, ALICE, "GetVpcEndpointAttribute", REGION "EndpointId=%s", endpoint);
	return streq(listed, harness_text(h, "PolicyDocument")) ? listed : "(differ)";
}

static void refuse_policies(struct harness *h, const char *endpoint)
{
	static const struct {
		const char *policy, *detail;
	} cases[] = {
		{"x", "It is no JSON: line 1, column 1."},
		{"{}", "It must have the Version \"1\"."},
		{"{\"Version\":1,\"Statement\":[]}", "It must have the Version \"1\"."},
		{"{\"Version\":\"1\",\"Statement\":[]}",
		 "It must have a list Statement, which is not empty, and no more."},
		{"{\"Version\":\"1\",\"Statement\":[{}],\"Id\":\"x\"}",
		 "It must have a list Statement, which is not empty, and no more."},
		{"{\"Version\":\"1\",\"Statement\":[1]}",
		 "Statement 1: must have Effect, Action and Resource."},
		{"{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},"
		 "{\"Effect\":\"Maybe\"}]}",
		 "Statement 2: Effect must be Allow or Deny."},
		{"{\"Version\":\"1\",\"Statement\":[{\"Action\":[]}]}",
		 "Statement 1: Action must be a text or a list of texts."},
		{"{\"Version\":\"1\",\"Statement\":[{\"Resource\":[1]}]}",
		 "Statement 1: Resource must be a text or a list of texts."},
		{"{\"Version\":\"1\",\"Statement\":[{\"Principal\":{}}]}",
		 "Statement 1: Principal must be a text, a list of texts, or an object of those."},
		{"{\"Version\":\"1\",\"Statement\":[{\"Condition\":\"x\"}]}",
		 "Statement 1: Condition must be an object."},
		{"{\"Version\":\"1\",\"Statement\":[{\"Actions\":\"*\"}]}",
		 "Statement 1: Actions is no member of a statement."},
		{"{\"Version\":\"1\",\"Statement\":[{\"端端端端端端端端端端端\":\"*\"}]}",
		 "Statement 1: 端端端端端端端端端端 is no member of a statement."},
		{"{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotAction\":\"*\","
		 "\"Resource\":\"*\"}]}",
		 "Statement 1: must have Effect, Action and Resource."},
	};
	char long_policy[2100];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		REFUSED(h, ALICE, "IllegalParamFormat.PolicyDocument", cases[i].detail,
			"UpdateVpcEndpointAttribute", REGION "EndpointId=%s&PolicyDocument=%s", endpoint,
			cases[i].policy);
		tap_ok(strstr(h->error.message, cases[i].detail), "and says so: %s", h->error.message);
	}
	(void)str_format(long_policy, sizeof(long_policy), "%s%*s", DEFAULT, (int)(2049 - strlen(DEFAULT)),
			 "");
	REFUSED(h, ALICE, "IllegalParamFormat.PolicyDocument", "a policy of 2049 bytes",
		"UpdateVpcEndpointAttribute", REGION "EndpointId=%s&PolicyDocument=%s", endpoint,
		long_policy);
	long_policy[2048] = '\0';
	tap_ok(PL(h, ALICE, "UpdateVpcEndpointAttribute", REGION "EndpointId=%s&PolicyDocument=%s", endpoint,
		  long_policy),
	       "one of 2048 is taken");
	tap_is_str(policy_of(h, endpoint), long_policy, "with its blanks");
}

static void test_policies(struct harness *h, const struct world *w)
{
	const char *endpoint;

	endpoint = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
			  REGION "VpcId=%s&ServiceId=" OSS_ID "&SecurityGroupId.1=%s&ProtectedEnabled=true"
				 "&PolicyDocument=" POLICY,
			  w->vpc, w->group);
	harness_in_force(h, NODE);
	tap_is_str(policy_of(h, endpoint), POLICY, "a policy is kept and told byte for byte");
	tap_ok(json_is_true(harness_at(h->answer, "ProtectedEnabled")), "protection is told");
	tap_ok(PL(h, ALICE, "UpdateVpcEndpointAttribute", REGION "EndpointId=%s&EndpointName=ab", endpoint),
	       "another change");
	tap_is_str(policy_of(h, endpoint), POLICY, "leaves it");
	refuse_policies(h, endpoint);
	tap_ok(PL(h, ALICE, "UpdateVpcEndpointAttribute", REGION "EndpointId=%s&ResetPolicy=true", endpoint),
	       "it is taken back");
	tap_is_str(policy_of(h, endpoint), DEFAULT, "then all is allowed");
	harness_in_force(h, NODE);
	(void)PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", endpoint);
	harness_in_force(h, NODE);
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
	test_policies(&h, &w);
	test_no_partner(&h);
	harness_end(&h);
	return tap_done();
}
