/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups of endpoints: attached and detached while the endpoint serves, with the states that follow
 * what the nodes have in force, what the ENIs carry, and every refusal.
 */
#include "privatelink_world.h"

#define ATTACH "AttachSecurityGroupToVpcEndpoint"
#define DETACH "DetachSecurityGroupFromVpcEndpoint"
#define PAIR   REGION "EndpointId=%s&SecurityGroupId=%s"

static const char *make_group(struct harness *h, const struct world *w)
{
	return harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			   w->consumer.vpc);
}

/* The state of one group of the endpoint; "none": it is not there. */
static const char *group_status(struct harness *h, const char *endpoint, const char *group)
{
	char path[64];

	if (!PL(h, ALICE, "ListVpcEndpointSecurityGroups", REGION "EndpointId=%s", endpoint))
		return h->error.code;
	for (int i = 0; i < harness_count_of(h, "SecurityGroups"); i++) {
		(void)str_format(path, sizeof(path), "SecurityGroups.%d.SecurityGroupId", i);
		if (!streq(harness_text(h, path), group))
			continue;
		(void)str_format(path, sizeof(path), "SecurityGroups.%d.SecurityGroupStatus", i);
		return harness_keep(h, harness_text(h, path));
	}
	return "none";
}

/* How many ENIs of the consumer are in the group. */
static int enis_in(struct harness *h, const char *group)
{
	if (!harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "SecurityGroupId=%s",
			  group))
		return -1;
	return harness_count_of(h, "NetworkInterfaceSets.NetworkInterfaceSet");
}

static bool can_delete(struct harness *h, const char *group)
{
	return harness_call(h, ALICE, PRODUCT_ECS, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", group);
}

static void test_refusals(struct harness *h, const struct world *w, const char *endpoint)
{
	const char *others = harness_get(h, BOB, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
					 REGION "VpcId=%s", w->provider.vpc);

	REFUSED(h, ALICE, "EndpointNotFound", "an unknown endpoint", ATTACH, PAIR, "ep-nothere",
		w->consumer.sg);
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", ATTACH, PAIR, endpoint, others);
	REFUSED(h, ALICE, "SecurityGroupExist", "a group that it is in", ATTACH, PAIR, endpoint,
		w->consumer.sg);
	REFUSED(h, ALICE, "SecurityGroupNotFound", "an unknown group", ATTACH, PAIR, endpoint, "sg-nothere");
	REFUSED(h, ALICE, "SecurityGroupNotFound", "another account's group", ATTACH, PAIR, endpoint, others);
	REFUSED(h, ALICE, "SecurityGroupNotFound", "a group of another VPC", ATTACH, PAIR, endpoint,
		w->other_sg);
	REFUSED(h, ALICE, "SecurityGroupTypeOnlySingleTypeSupporteded", "a group of another type", ATTACH,
		PAIR, endpoint, w->enterprise_sg);
	REFUSED(h, ALICE, "MissingSecurityGroupId", "no group", ATTACH, REGION "EndpointId=%s", endpoint);
	REFUSED(h, ALICE, "EndpointNotFound", "an unknown endpoint", DETACH, PAIR, "ep-nothere",
		w->consumer.sg);
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", DETACH, PAIR, endpoint,
		w->consumer.sg);
	REFUSED(h, ALICE, "SecurityGroupNotFound", "a group that it is not in", DETACH, PAIR, endpoint,
		w->enterprise_sg);
	REFUSED(h, ALICE, "EndpointMustContainSecurityGroup", "the last group", DETACH, PAIR, endpoint,
		w->consumer.sg);
}

static void test_attach(struct harness *h, const char *endpoint, const char *first, const char *second)
{
	REFUSED(h, ALICE, "DryRunOperation", "a dry run", ATTACH, PAIR "&DryRun=true", endpoint, second);
	tap_ok(PL(h, ALICE, ATTACH, PAIR "&ClientToken=attach-1&DryRun=false", endpoint, second),
	       "a group is attached");
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Pending", "the endpoint is being modified");
	tap_is_str(group_status(h, endpoint, second), "Attaching", "the group is on its way");
	tap_is_str(group_status(h, endpoint, first), "Attached", "the other is there");
	tap_is_int(harness_count_of(h, "SecurityGroups"), 2, "both are listed");
	tap_is_int(enis_in(h, second), 1, "the ENI is in it");
	tap_ok(!can_delete(h, second) && streq(h->error.code, "DependencyViolation"),
	       "a group that is on its way cannot be deleted");
	REFUSED(h, ALICE, "SecurityGroupExist", "a group that is on its way", ATTACH, PAIR, endpoint, second);
	tap_ok(PL(h, ALICE, ATTACH, PAIR "&ClientToken=attach-1&DryRun=false", endpoint, second),
	       "the same call with its token is answered as before");
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Active",
		   "when the nodes have it, it is done");
	tap_is_str(group_status(h, endpoint, second), "Attached", "the group is attached");
	PL(h, ALICE, "ListVpcEndpointSecurityGroups", REGION "EndpointId=%s&MaxResults=1", endpoint);
	tap_is_int(harness_count_of(h, "SecurityGroups"), 1, "the list comes in pages");
	tap_is_int(harness_number(h, "TotalCount"), 2, "of all");
}

static void test_detach(struct harness *h, const struct world *w, const char *endpoint, const char *second)
{
	REFUSED(h, ALICE, "DryRunOperation", "a dry run", DETACH, PAIR "&DryRun=true", endpoint, second);
	tap_ok(PL(h, ALICE, DETACH, PAIR, endpoint, second), "a group is detached");
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Pending", "the endpoint is being modified");
	tap_is_str(group_status(h, endpoint, second), "Detaching", "the group is on its way out");
	tap_is_int(enis_in(h, second), 0, "the ENI is no longer in it");
	tap_ok(!can_delete(h, second) && streq(h->error.code, "DependencyViolation"),
	       "it cannot be deleted yet");
	REFUSED(h, ALICE, "EndpointMustContainSecurityGroup", "the last group that stays", DETACH, PAIR,
		endpoint, w->consumer.sg);
	tap_ok(PL(h, ALICE, DETACH, PAIR, endpoint, second), "detaching it again is fine");
	harness_in_force(h, NODE);
	tap_is_str(group_status(h, endpoint, second), "none", "when the nodes have forgotten it, it is gone");
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Active", "and the endpoint is active");
	REFUSED(h, ALICE, "SecurityGroupNotFound", "a group that is gone", DETACH, PAIR, endpoint, second);
}

/* One call follows another before the nodes have reported. */
static void test_turns(struct harness *h, const struct world *w, const char *endpoint, const char *second)
{
	tap_ok(PL(h, ALICE, ATTACH, PAIR, endpoint, second) && PL(h, ALICE, DETACH, PAIR, endpoint, second),
	       "a group on its way in is detached");
	tap_is_str(group_status(h, endpoint, second), "Detaching", "and leaves");
	tap_ok(PL(h, ALICE, ATTACH, PAIR, endpoint, second), "one on its way out is attached again");
	tap_is_str(group_status(h, endpoint, second), "Attaching", "and comes");
	tap_is_int(enis_in(h, second), 1, "the ENI is in it");
	tap_ok(PL(h, ALICE, DETACH, PAIR, endpoint, w->consumer.sg), "the other makes room for it");
	harness_in_force(h, NODE);
	tap_is_str(group_status(h, endpoint, second), "Attached", "all of it comes into force");
	tap_is_str(group_status(h, endpoint, w->consumer.sg), "none", "together");
	tap_is_int(enis_in(h, w->consumer.sg), 0, "for the ENI, too");

	tap_ok(PL(h, ALICE, "AddZoneToVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=%s",
		  endpoint, w->consumer.vsw_i),
	       "a zone is added");
	tap_is_int(enis_in(h, second), 2, "its ENI is in the groups of the endpoint");
	tap_ok(PL(h, ALICE, ATTACH, PAIR, endpoint, w->consumer.sg), "a group is attached meanwhile");
	tap_is_int(enis_in(h, w->consumer.sg), 2, "both ENIs are in it");
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Active", "all is in force");
}

/* Two calls at once: each is decided on what the other has left. */
static void test_races(struct harness *h, const struct world *w, const char *endpoint, const char *second)
{
	char first[256], other[256];

	(void)str_format(first, sizeof(first), PAIR, endpoint, w->consumer.sg);
	(void)str_format(other, sizeof(other), PAIR, endpoint, second);
	tap_is_int(harness_race(h, ALICE, PRODUCT_PRIVATELINK, DETACH, first, other), 1,
		   "of two calls that would take both groups one is carried out");
	tap_is_str(h->error.code, "EndpointMustContainSecurityGroup", "the other is refused");
	harness_in_force(h, NODE);
	(void)PL(h, ALICE, "ListVpcEndpointSecurityGroups", REGION "EndpointId=%s", endpoint);
	tap_is_int(harness_count_of(h, "SecurityGroups"), 1, "a group stays");
}

static void test_quota(struct harness *h, const struct world *w)
{
	const char *groups[SECURITY_GROUPS_MAX + 1], *endpoint = make_endpoint(h, w, w->service);
	int n = 0;

	groups[0] = w->consumer.sg;
	for (int i = 1; i <= SECURITY_GROUPS_MAX; i++)
		groups[i] = make_group(h, w);
	for (int i = 1; i < SECURITY_GROUPS_MAX; i++)
		n += PL(h, ALICE, ATTACH, PAIR, endpoint, groups[i]) != NULL;
	tap_is_int(n, SECURITY_GROUPS_MAX - 1, "an endpoint has ten groups");
	REFUSED(h, ALICE, "QuotaMisMatched", "an eleventh", ATTACH, PAIR, endpoint,
		groups[SECURITY_GROUPS_MAX]);
	tap_ok(PL(h, ALICE, DETACH, PAIR, endpoint, groups[0]) &&
		       PL(h, ALICE, ATTACH, PAIR, endpoint, groups[SECURITY_GROUPS_MAX]),
	       "one that leaves makes room at once");
	for (int i = 1; i < SECURITY_GROUPS_MAX; i++)
		n += PL(h, ALICE, DETACH, PAIR, endpoint, groups[i]) &&
		     PL(h, ALICE, ATTACH, PAIR, endpoint, groups[i - 1]);
	tap_is_int(n, 2 * (SECURITY_GROUPS_MAX - 1), "all take turns");
	PL(h, ALICE, DETACH, PAIR, endpoint, groups[0]);
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, endpoint, "EndpointStatus"), "Active", "and come into force");
	PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h", endpoint);
	PL(h, ALICE, ATTACH, PAIR, endpoint, groups[0]);
	harness_in_force(h, NODE);
	PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", endpoint);
	REFUSED(h, ALICE, "EndpointOperationDenied", "an endpoint that goes", ATTACH, PAIR, endpoint,
		groups[SECURITY_GROUPS_MAX]);
	REFUSED(h, ALICE, "EndpointOperationDenied", "an endpoint that goes", DETACH, PAIR, endpoint,
		groups[1]);
	harness_in_force(h, NODE);
	tap_ok(can_delete(h, groups[1]), "an endpoint that is gone holds no group");
}

/* An endpoint whose service is gone can only be taken apart. */
static void test_service_deleted(struct harness *h, const struct world *w, const char *second)
{
	const char *service = make_service(h, w->balancer, false), *endpoint = make_endpoint(h, w, service);

	tap_ok(PL(h, ALICE, ATTACH, PAIR, endpoint, second), "a group is attached before acceptance, too");
	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", service);
	REFUSED(h, ALICE, "EndpointServiceDeleted", "a service that goes", DETACH, PAIR, endpoint, second);
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "ServiceDeleted", "the service is gone");
	REFUSED(h, ALICE, "EndpointServiceDeleted", "a service that is gone", DETACH, PAIR, endpoint, second);
	REFUSED(h, ALICE, "EndpointServiceDeleted", "a service that is gone", ATTACH, PAIR, endpoint,
		w->enterprise_sg);
	tap_is_str(group_status(h, endpoint, second), "Attached", "what was begun is done");
}

/* A group is on its way until the last node has said so. */
static void test_second_node(struct harness *h, const struct world *w, const char *second)
{
	const char *endpoint = make_endpoint(h, w, w->service);

	harness_node(h, "beta", "");
	PL(h, ALICE, ATTACH, PAIR, endpoint, second);
	harness_in_force(h, NODE);
	tap_is_str(group_status(h, endpoint, second), "Attaching", "one node has it, another not yet");
	harness_report(h, "beta", NULL, 0);
	tap_is_str(group_status(h, endpoint, second), "Attached", "now both have it");
	PL(h, ALICE, DETACH, PAIR, endpoint, second);
	harness_in_force(h, "beta");
	tap_is_str(group_status(h, endpoint, second), "Detaching",
		   "one node has forgotten it, another not yet");
	tap_ok(!can_delete(h, second), "it cannot be deleted");
	harness_report(h, NODE, NULL, 0);
	tap_is_str(group_status(h, endpoint, second), "none", "now both have");
}

int main(void)
{
	const char *endpoint, *second;
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	endpoint = make_endpoint(&h, &w, w.service);
	second = make_group(&h, &w);
	test_refusals(&h, &w, endpoint);
	test_attach(&h, endpoint, w.consumer.sg, second);
	test_detach(&h, &w, endpoint, second);
	test_turns(&h, &w, endpoint, second);
	test_races(&h, &w, endpoint, second);
	test_quota(&h, &w);
	test_service_deleted(&h, &w, second);
	test_second_node(&h, &w, second);
	harness_end(&h);
	return tap_done();
}
