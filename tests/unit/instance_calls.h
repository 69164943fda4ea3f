/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alice's instances by calls of the API, and what they are in.
 */
#pragma once

#include "api_harness.h"

#define REGION "RegionId=cn-hangzhou&"

static const char *run_instance(struct harness *h, const char *vswitch, const char *group,
				const char *address)
{
	if (!harness_call(h, ALICE, PRODUCT_ECS, "RunInstances",
			  REGION "VSwitchId=%s&SecurityGroupId=%s&PrivateIpAddress=%s", vswitch, group,
			  address))
		harness_must(-EIO, h->error.code);
	return harness_keep(h, harness_text(h, "InstanceIdSets.InstanceIdSet.0"));
}

/* The instance's first one. */
static const char *interface_of(struct harness *h, const char *instance)
{
	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "InstanceId=%s", instance);
	return harness_keep(h,
			    harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.NetworkInterfaceId"));
}

static const char *make_vpc(struct harness *h)
{
	return harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/16");
}

static const char *make_vswitch(struct harness *h, const char *vpc, const char *zone, int number)
{
	return harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			   "VpcId=%s&ZoneId=cn-hangzhou-%s&CidrBlock=10.0.%d.0/24", vpc, zone, number);
}
