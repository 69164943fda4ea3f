/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alice's VPC with instances, and calls of the load balancers' API for what serves in it. Include it in the
 * test's only source file.
 */
#pragma once

#include "instance_calls.h"

#define CALL(h, ...)	harness_call(h, ALICE, PRODUCT_NLB, __VA_ARGS__)
#define GET(h, ...)	harness_get(h, ALICE, PRODUCT_NLB, __VA_ARGS__)
#define REFUSED(h, ...) harness_refused(h, ALICE, PRODUCT_NLB, __VA_ARGS__)
#define NODE		"alpha"

/* The zone of a new load balancer that comes in that place. */
#define ZONE(n, zone, vswitch)                                                                               \
	"&ZoneMappings." #n ".ZoneId=cn-hangzhou-" zone "&ZoneMappings." #n ".VSwitchId=" vswitch
#define ZONES ZONE(1, "h", "%s") ZONE(2, "i", "%s")
/* A server that comes in that place. */
#define SERVER(n, type, id, port)                                                                            \
	"&Servers." #n ".ServerId=" id "&Servers." #n ".ServerType=" type "&Servers." #n ".Port=" port

/* A VPC with vSwitches in two zones, an instance in each, and an empty VPC next to it. */
struct world {
	const char *vpc, *vsw_h, *vsw_i, *sg, *web_h, *web_i, *eni_h, *other_vpc;
};

/* With a node that has all in force. */
static struct world make_world(struct harness *h)
{
	struct world w;

	harness_node(h, NODE, "");
	w.vpc = make_vpc(h);
	w.other_vpc = make_vpc(h);
	w.vsw_h = make_vswitch(h, w.vpc, "h", 1);
	w.vsw_i = make_vswitch(h, w.vpc, "i", 2);
	w.sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			   w.vpc);
	w.web_h = run_instance(h, w.vsw_h, w.sg, "10.0.1.10");
	w.web_i = run_instance(h, w.vsw_i, w.sg, "10.0.2.10");
	w.eni_h = interface_of(h, w.web_h);
	harness_in_force(h, NODE);
	return w;
}

_unused_ static const char *job_status(struct harness *h, const char *job)
{
	return CALL(h, "GetJobStatus", "JobId=%s", job) ? harness_text(h, "Status") : h->error.code;
}

/* The job of the last call. */
static const char *job_of(struct harness *h)
{
	return harness_keep(h, harness_text(h, "JobId"));
}

_unused_ static const char *make_balancer(struct harness *h, const struct world *w)
{
	return GET(h, "LoadbalancerId", "CreateLoadBalancer",
		   "AddressType=Intranet&VpcId=%s&LoadBalancerName=front&ZoneMappings.1.AllocationId="
		   "&ZoneMappings.2.PrivateIPv4Address=10.0.2.99" ZONES,
		   w->vpc, w->vsw_h, w->vsw_i);
}

/* `form`: its name, and what else it is created with. */
static const char *make_group(struct harness *h, const char *vpc, const char *form)
{
	return GET(h, "ServerGroupId", "CreateServerGroup", "VpcId=%s&ServerGroupName=%s", vpc, form);
}

_unused_ static void delete_group(struct harness *h, const char *group)
{
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group);
	harness_in_force(h, NODE);
}
