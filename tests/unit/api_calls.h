/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every action that names objects, with ids by their placeholders, and a world in which these are. A new
 * action must be added here.
 */
#pragma once

#include "api_harness.h"

#define REGION "RegionId=cn-hangzhou&"

/* Ids by their placeholders: {vpc} is Alice's, {my_vpc} is Bob's. */
static struct {
	const char *name, *id;
} ids[64];
static size_t n_ids;

static void keep_id(struct harness *h, const char *prefix, const char *name, const char *id)
{
	char text[32];

	(void)str_format(text, sizeof(text), "{%s%s}", prefix, name);
	ids[n_ids].name = harness_keep(h, text);
	ids[n_ids++].id = harness_keep(h, id);
}

/* Puts ids for placeholders; a prefix "my_" makes {vpc} mean {my_vpc}. */
static void fill_in(char *ret, size_t size, const char *prefix, const char *format)
{
	size_t used = 0;

	while (*format && used + 1 < size) {
		char name[32];
		size_t length = *format == '{' ? strcspn(format, "}") + 1 : 0, i = 0;

		if (length == 0) {
			ret[used++] = *format++;
			continue;
		}
		(void)str_format(name, sizeof(name), "{%s%.*s", prefix, (int)length - 1, format + 1);
		while (i < n_ids && !streq(ids[i].name, name))
			i++;
		harness_must(i < n_ids ? 0 : -ENOENT, name);
		used += (size_t)snprintf(ret + used, size - used, "%s", ids[i].id);
		format += length;
	}
	ret[used] = '\0';
}

/* Makes an object of the account's, and remembers it by its name. */
static void make(struct harness *h, int64_t uid, const char *name, enum product product, const char *member,
		 const char *action, const char *format)
{
	const char *prefix = uid == ALICE ? "" : "my_";
	char form[1024];

	fill_in(form, sizeof(form), prefix, format);
	keep_id(h, prefix, name, harness_get(h, uid, product, member, action, "%s", form));
}

/* A connectivity test that has ended. */
static void make_test(struct harness *h, int64_t uid)
{
	const char *name = uid == ALICE ? "{test}" : "{my_test}";
	struct connectivity_test row;
	size_t i = 0;

	make(h, uid, "test", PRODUCT_PRIVLINK, "TestId", "CreateConnectivityTest",
	     REGION "InstanceId={instance}&EndpointId={endpoint}");
	while (!streq(ids[i].name, name))
		i++;
	row = *(const struct connectivity_test *)snapshot_find(store_rows(h->store), KIND_CONNECTIVITY_TEST,
							       ids[i].id);
	row.node[0] = '\0';
	row.status = CONNECTIVITY_FINISHED;
	harness_put(h, KIND_CONNECTIVITY_TEST, &row);
}

static void make_world(struct harness *h, int64_t uid)
{
	const char *prefix = uid == ALICE ? "" : "my_";
	char form[1024];

	/* No two accounts' names are alike, so that one cannot be meant by the other's. */
	harness_call(h, uid, PRODUCT_RAM, "CreateUser", "UserName=user-of-%lld", (long long)uid);
	keep_id(h, prefix, "user", harness_text(h, "User.UserName"));
	harness_call(h, uid, PRODUCT_RAM, "CreateAccessKey", "UserName=user-of-%lld", (long long)uid);
	keep_id(h, prefix, "key", harness_text(h, "AccessKey.AccessKeyId"));
	harness_call(h, uid, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup", "Name=team&DisplayName=Team");
	keep_id(h, prefix, "rg", harness_text(h, "ResourceGroup.Id"));
	make(h, uid, "vpc", PRODUCT_VPC, "VpcId", "CreateVpc",
	     REGION "CidrBlock=10.0.0.0/16&ResourceGroupId={rg}&Tag.1.Key=env");
	make(h, uid, "vsw", PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
	     "VpcId={vpc}&ZoneId=cn-hangzhou-h&CidrBlock=10.0.1.0/24&Tag.1.Key=env");
	make(h, uid, "vsw_i", PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
	     "VpcId={vpc}&ZoneId=cn-hangzhou-i&CidrBlock=10.0.2.0/24");
	make(h, uid, "sg", PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
	     REGION "VpcId={vpc}&Tag.1.Key=env");
	make(h, uid, "sg_2", PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId={vpc}");
	make(h, uid, "sg_3", PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId={vpc}");
	harness_in_force(h, "alpha");
	fill_in(form, sizeof(form), prefix, REGION "VSwitchId={vsw}&SecurityGroupId={sg}&Tag.1.Key=env");
	harness_call(h, uid, PRODUCT_ECS, "RunInstances", "%s", form);
	keep_id(h, prefix, "instance", harness_text(h, "InstanceIdSets.InstanceIdSet.0"));
	harness_call(h, uid, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION);
	keep_id(h, prefix, "eni",
		harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.NetworkInterfaceId"));
	fill_in(form, sizeof(form), prefix,
		REGION "SecurityGroupId={sg}&IpProtocol=ALL&SourceCidrIp=0.0.0.0/0");
	harness_call(h, uid, PRODUCT_ECS, "AuthorizeSecurityGroup", "%s", form);
	fill_in(form, sizeof(form), prefix, REGION "SecurityGroupId={sg}");
	harness_call(h, uid, PRODUCT_ECS, "DescribeSecurityGroupAttribute", "%s", form);
	keep_id(h, prefix, "rule", harness_text(h, "Permissions.Permission.0.SecurityGroupRuleId"));
	harness_in_force(h, "alpha");
	make(h, uid, "lb", PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
	     "AddressType=Intranet&VpcId={vpc}&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId={"
	     "vsw}"
	     "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId={vsw_i}&Tag.1.Key=env");
	make(h, uid, "lb_2", PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
	     "AddressType=Intranet&VpcId={vpc}&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId={"
	     "vsw}"
	     "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId={vsw_i}");
	make(h, uid, "group", PRODUCT_NLB, "ServerGroupId", "CreateServerGroup",
	     "VpcId={vpc}&ServerGroupName=web&Tag.1.Key=env");
	keep_id(h, prefix, "job", harness_text(h, "JobId"));
	fill_in(form, sizeof(form), prefix,
		"ServerGroupId={group}&Servers.1.ServerId={instance}&Servers.1.ServerType=Ecs&Servers.1.Port="
		"80");
	harness_call(h, uid, PRODUCT_NLB, "AddServersToServerGroup", "%s", form);
	harness_in_force(h, "alpha");
	make(h, uid, "listener", PRODUCT_NLB, "ListenerId", "CreateListener",
	     "LoadBalancerId={lb}&ServerGroupId={group}&ListenerProtocol=TCP&ListenerPort=80&Tag.1.Key=env");
	make(h, uid, "slb", PRODUCT_SLB, "LoadBalancerId", "CreateLoadBalancer",
	     REGION "VSwitchId={vsw}&SlaveZoneId=cn-hangzhou-i&Tag.1.Key=env");
	fill_in(form, sizeof(form), prefix, "LoadBalancerId={slb}&BackendServers.1.ServerId={instance}");
	harness_call(h, uid, PRODUCT_SLB, "AddBackendServers", "%s", form);
	fill_in(form, sizeof(form), prefix, "LoadBalancerId={slb}&ListenerPort=80&BackendServerPort=80");
	harness_call(h, uid, PRODUCT_SLB, "CreateLoadBalancerTCPListener", "%s", form);
	fill_in(form, sizeof(form), prefix, "LoadBalancerId={slb}&ListenerPort=53&BackendServerPort=53");
	harness_call(h, uid, PRODUCT_SLB, "CreateLoadBalancerUDPListener", "%s", form);
	make(h, uid, "service", PRODUCT_PRIVATELINK, "ServiceId", "CreateVpcEndpointService",
	     REGION "AutoAcceptEnabled=true&Resource.1.ResourceType=nlb&Resource.1.ResourceId={lb}"
		    "&Resource.1.ZoneId=cn-hangzhou-h&Tag.1.Key=env&Resource.2.ResourceType=nlb"
		    "&Resource.2.ResourceId={lb_2}&Resource.2.ZoneId=cn-hangzhou-h");
	make(h, uid, "endpoint", PRODUCT_PRIVATELINK, "EndpointId", "CreateVpcEndpoint",
	     REGION "VpcId={vpc}&ServiceId={service}&SecurityGroupId.1={sg}&SecurityGroupId.2={sg_2}"
		    "&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId={vsw}&Tag.1.Key=env");
	harness_in_force(h, "alpha");
	make_test(h, uid);
}

#define VPC PRODUCT_VPC
#define ECS PRODUCT_ECS
#define NLB PRODUCT_NLB
#define PL  PRODUCT_PRIVATELINK
#define SLB PRODUCT_SLB
#define STS PRODUCT_STS
#define RAM PRODUCT_RAM
#define RM  PRODUCT_RESOURCEMANAGER
#define OWN PRODUCT_PRIVLINK

#define SERVER	"&Servers.1.ServerId={my_instance}&Servers.1.ServerType=Ecs&Servers.1.Port=80"
#define BACKEND "&BackendServers.1.ServerId={my_instance}"
#define RULE	"&IpProtocol=ALL&"
#define ZONES(vsw)                                                                                           \
	"&AddressType=Intranet&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=" vsw            \
	"&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId={my_vsw_i}"
#define TAGGED	    "&Tag.1.Key=mine"
#define REPLACE(lb) "&ResourceReplaceMode=Graceful&ResourceId=" lb

static const struct {
	enum product product;
	const char *action, *code, *form;
} cases[] = {
	{VPC, "CreateVSwitch", "InvalidVpcId.NotFound",
	 "VpcId={vpc}&ZoneId=cn-hangzhou-h&CidrBlock=10.0.9.0/24"},
	{VPC, "CreateVpc", "InvalidResourceGroupId.NotFound", REGION "ResourceGroupId={rg}"},
	{VPC, "DeleteVSwitch", "InvalidVSwitchId.NotFound", "VSwitchId={vsw}"},
	{VPC, "DeleteVpc", "InvalidVpcId.NotFound", "VpcId={vpc}"},
	{VPC, "DescribeVSwitchAttributes", "InvalidVSwitchId.NotFound", "VSwitchId={vsw}"},
	{VPC, "DescribeVpcAttribute", "InvalidVpcId.NotFound", REGION "VpcId={vpc}"},
	{VPC, "ModifyVSwitchAttribute", "InvalidVSwitchId.NotFound", "VSwitchId={vsw}&VSwitchName=mine"},
	{VPC, "ModifyVpcAttribute", "InvalidVpcId.NotFound", "VpcId={vpc}&VpcName=mine"},
	{VPC, "MoveResourceGroup", "InvalidResourceId.NotFound",
	 REGION "ResourceType=VPC&ResourceId={vpc}&NewResourceGroupId={my_rg}"},
	{VPC, "MoveResourceGroup", "InvalidResourceGroupId",
	 REGION "ResourceType=VPC&ResourceId={my_vpc}&NewResourceGroupId={rg}"},
	{VPC, "TagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=VPC&ResourceId.1={vpc}" TAGGED},
	{VPC, "TagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=VSWITCH&ResourceId.1={vsw}" TAGGED},
	{VPC, "UnTagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=VPC&ResourceId.1={vpc}&All=true"},

	{ECS, "AuthorizeSecurityGroup", "InvalidSecurityGroupId.NotFound",
	 REGION "SecurityGroupId={sg}" RULE "SourceCidrIp=0.0.0.0/0"},
	{ECS, "AuthorizeSecurityGroup", "InvalidSourceGroupId.NotFound",
	 REGION "SecurityGroupId={my_sg}" RULE "SourceGroupId={sg}"},
	{ECS, "AuthorizeSecurityGroupEgress", "InvalidSecurityGroupId.NotFound",
	 REGION "SecurityGroupId={sg}" RULE "DestCidrIp=0.0.0.0/0"},
	{ECS, "AuthorizeSecurityGroupEgress", "InvalidDestGroupId.NotFound",
	 REGION "SecurityGroupId={my_sg}" RULE "DestGroupId={sg}"},
	{ECS, "CreateSecurityGroup", "InvalidVpcId.NotFound", REGION "VpcId={vpc}"},
	{ECS, "CreateSecurityGroup", "InvalidResourceGroup.NotFound",
	 REGION "VpcId={my_vpc}&ResourceGroupId={rg}"},
	{ECS, "RunInstances", "InvalidResourceGroup.NotFound",
	 REGION "VSwitchId={my_vsw}&SecurityGroupId={my_sg}&ResourceGroupId={rg}"},
	{ECS, "DeleteInstance", "InvalidInstanceId.NotFound", "InstanceId={instance}&Force=true"},
	{ECS, "DeleteSecurityGroup", "InvalidSecurityGroup.NotFound", REGION "SecurityGroupId={sg}"},
	{ECS, "DescribeSecurityGroupAttribute", "InvalidSecurityGroupId.NotFound",
	 REGION "SecurityGroupId={sg}"},
	{ECS, "JoinResourceGroup", "InvalidResourceId.NotFound",
	 "ResourceType=securitygroup&ResourceId={sg}&ResourceGroupId={my_rg}"},
	{ECS, "JoinResourceGroup", "InvalidResourceGroup.NotFound",
	 "ResourceType=securitygroup&ResourceId={my_sg}&ResourceGroupId={rg}"},
	{ECS, "ModifySecurityGroupAttribute", "InvalidSecurityGroupId.NotFound",
	 REGION "SecurityGroupId={sg}&SecurityGroupName=mine"},
	{ECS, "ModifySecurityGroupPolicy", "InvalidSecurityGroupId.NotFound",
	 REGION "SecurityGroupId={sg}&InnerAccessPolicy=Drop"},
	{ECS, "RevokeSecurityGroup", "InvalidSecurityGroupId.NotFound",
	 REGION "SecurityGroupId={sg}&SecurityGroupRuleId.1={rule}"},
	{ECS, "RevokeSecurityGroup", "InvalidSecurityGroupRuleId.NotFound",
	 REGION "SecurityGroupId={my_sg}&SecurityGroupRuleId.1={rule}"},
	{ECS, "RevokeSecurityGroupEgress", "InvalidSecurityGroupId.NotFound",
	 REGION "SecurityGroupId={sg}&SecurityGroupRuleId.1={rule}"},
	{ECS, "RunInstances", "InvalidVSwitchId.NotFound", REGION "VSwitchId={vsw}&SecurityGroupId={my_sg}"},
	{ECS, "RunInstances", "InvalidSecurityGroupId.NotFound",
	 REGION "VSwitchId={my_vsw}&SecurityGroupId={sg}"},
	{ECS, "StartInstance", "InvalidInstanceId.NotFound", "InstanceId={instance}"},
	{ECS, "StopInstance", "InvalidInstanceId.NotFound", "InstanceId={instance}"},
	{ECS, "TagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=instance&ResourceId.1={instance}" TAGGED},
	{ECS, "TagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=securitygroup&ResourceId.1={my_sg}&ResourceId.2={sg}" TAGGED},
	{ECS, "TagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=eni&ResourceId.1={eni}" TAGGED},
	{ECS, "UntagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=instance&ResourceId.1={instance}&All=true"},

	{NLB, "AddServersToServerGroup", "ResourceNotFound.serverGroup", "ServerGroupId={group}" SERVER},
	{NLB, "AddServersToServerGroup", "ResourceNotFound.Ecs",
	 "ServerGroupId={my_group}&Servers.1.ServerId={instance}&Servers.1.ServerType=Ecs&Servers.1.Port=1"},
	{NLB, "AddServersToServerGroup", "ResourceNotFound.Eni",
	 "ServerGroupId={my_group}&Servers.1.ServerId={eni}&Servers.1.ServerType=Eni&Servers.1.Port=1"},
	{NLB, "CancelShiftLoadBalancerZones", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId={vsw}"},
	{NLB, "CreateListener", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&ServerGroupId={my_group}&ListenerProtocol=TCP&ListenerPort=1"},
	{NLB, "CreateListener", "ResourceNotFound.serverGroup",
	 "LoadBalancerId={my_lb}&ServerGroupId={group}&ListenerProtocol=TCP&ListenerPort=1"},
	{NLB, "CreateLoadBalancer", "ResourceNotFound.Vpc", "VpcId={vpc}" ZONES("{vsw}")},
	{NLB, "CreateLoadBalancer", "ResourceNotFound.VSwitch", "VpcId={my_vpc}" ZONES("{vsw}")},
	{NLB, "CreateServerGroup", "ResourceNotFound.Vpc", "VpcId={vpc}&ServerGroupName=mine"},
	{NLB, "CreateLoadBalancer", "ResourceNotFound.ResourceGroup",
	 "VpcId={my_vpc}&ResourceGroupId={rg}" ZONES("{my_vsw}")},
	{NLB, "CreateServerGroup", "ResourceNotFound.ResourceGroup",
	 "VpcId={my_vpc}&ServerGroupName=mine&ResourceGroupId={rg}"},
	{NLB, "DeleteListener", "ResourceNotFound.listener", "ListenerId={listener}"},
	{NLB, "DeleteLoadBalancer", "ResourceNotFound.loadBalancer", "LoadBalancerId={lb}"},
	{NLB, "DeleteServerGroup", "ResourceNotFound.serverGroup", "ServerGroupId={group}"},
	{NLB, "GetJobStatus", "ResourceNotFound.Job", "JobId={job}"},
	{NLB, "GetListenerAttribute", "ResourceNotFound.listener", "ListenerId={listener}"},
	{NLB, "GetListenerHealthStatus", "ResourceNotFound.listener", "ListenerId={listener}"},
	{NLB, "GetLoadBalancerAttribute", "ResourceNotFound.loadBalancer", "LoadBalancerId={lb}"},
	{NLB, "ListServerGroupServers", "ResourceNotFound.serverGroup", "ServerGroupId={group}"},
	{NLB, "LoadBalancerJoinSecurityGroup", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&SecurityGroupIds.1={my_sg}"},
	{NLB, "LoadBalancerJoinSecurityGroup", "ResourceNotFound.SecurityGroup",
	 "LoadBalancerId={my_lb}&SecurityGroupIds.1={sg}"},
	{NLB, "LoadBalancerLeaveSecurityGroup", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&SecurityGroupIds.1={sg}"},
	{NLB, "MoveResourceGroup", "ResourceNotFound.ResourceGroup",
	 "ResourceType=loadbalancer&ResourceId={my_lb}&NewResourceGroupId={rg}"},
	{NLB, "MoveResourceGroup", "ResourceNotFound.loadBalancer",
	 "ResourceType=loadbalancer&ResourceId={lb}&NewResourceGroupId={my_rg}"},
	{NLB, "MoveResourceGroup", "ResourceNotFound.serverGroup",
	 "ResourceType=servergroup&ResourceId={group}&NewResourceGroupId={my_rg}"},
	{NLB, "RemoveServersFromServerGroup", "ResourceNotFound.serverGroup", "ServerGroupId={group}" SERVER},
	{NLB, "StartListener", "ResourceNotFound.listener", "ListenerId={listener}"},
	{NLB, "StartShiftLoadBalancerZones", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId={vsw}"},
	{NLB, "StopListener", "ResourceNotFound.listener", "ListenerId={listener}"},
	{NLB, "TagResources", "InvalidResourceId.NotFound",
	 "ResourceType=loadbalancer&ResourceId.1={lb}" TAGGED},
	{NLB, "TagResources", "InvalidResourceId.NotFound",
	 "ResourceType=servergroup&ResourceId.1={group}" TAGGED},
	{NLB, "TagResources", "InvalidResourceId.NotFound",
	 "ResourceType=listener&ResourceId.1={listener}" TAGGED},
	{NLB, "UntagResources", "InvalidResourceId.NotFound",
	 "ResourceType=loadbalancer&ResourceId.1={lb}&All=true"},
	{NLB, "UpdateListenerAttribute", "ResourceNotFound.listener", "ListenerId={listener}&IdleTimeout=9"},
	{NLB, "UpdateListenerAttribute", "ResourceNotFound.serverGroup",
	 "ListenerId={my_listener}&ServerGroupId={group}"},
	{NLB, "UpdateLoadBalancerAddressTypeConfig", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&AddressType=Intranet"},
	{NLB, "UpdateLoadBalancerAttribute", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&LoadBalancerName=mine"},
	{NLB, "UpdateLoadBalancerProtection", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}&DeletionProtectionEnabled=true"},
	{NLB, "UpdateLoadBalancerZones", "ResourceNotFound.loadBalancer",
	 "LoadBalancerId={lb}" ZONES("{my_vsw}")},
	{NLB, "UpdateLoadBalancerZones", "ResourceNotFound.VSwitch", "LoadBalancerId={my_lb}" ZONES("{vsw}")},
	{NLB, "UpdateServerGroupAttribute", "ResourceNotFound.serverGroup",
	 "ServerGroupId={group}&ServerGroupName=mine"},
	{NLB, "UpdateServerGroupServersAttribute", "ResourceNotFound.serverGroup",
	 "ServerGroupId={group}" SERVER},

	{SLB, "AddBackendServers", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={slb}" BACKEND},
	{SLB, "AddBackendServers", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={my_lb}" BACKEND},
	{SLB, "AddBackendServers", "InvalidInstanceId.NotFound",
	 "LoadBalancerId={my_slb}&BackendServers.1.ServerId={instance}"},
	{SLB, "AddBackendServers", "ResourceNotFound.Eni",
	 "LoadBalancerId={my_slb}&BackendServers.1.ServerId={eni}"},
	{SLB, "CreateLoadBalancer", "InvalidVSwitchId.NotFound", REGION "VSwitchId={vsw}"},
	{SLB, "CreateLoadBalancer", "InvalidVpcId.NotFound", REGION "VSwitchId={my_vsw}&VpcId={vpc}"},
	{SLB, "CreateLoadBalancer", "ResourceNotFound.ResourceGroup",
	 REGION "VSwitchId={my_vsw}&ResourceGroupId={rg}"},
	{SLB, "CreateLoadBalancerTCPListener", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=81&BackendServerPort=80"},
	{SLB, "CreateLoadBalancerUDPListener", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=81&BackendServerPort=80"},
	{SLB, "DeleteLoadBalancer", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={slb}"},
	{SLB, "DeleteLoadBalancerListener", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=80"},
	{SLB, "DescribeHealthStatus", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={slb}"},
	{SLB, "DescribeLoadBalancerAttribute", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={slb}"},
	{SLB, "DescribeLoadBalancerTCPListenerAttribute", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=80"},
	{SLB, "DescribeLoadBalancerUDPListenerAttribute", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=53"},
	{SLB, "DeleteLoadBalancer", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={my_lb}"},
	{SLB, "DescribeLoadBalancerAttribute", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={my_lb}"},
	{SLB, "RemoveBackendServers", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={slb}" BACKEND},
	{SLB, "SetBackendServers", "InvalidLoadBalancerId.NotFound", "LoadBalancerId={slb}" BACKEND},
	{SLB, "SetLoadBalancerDeleteProtection", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&DeleteProtection=on"},
	{SLB, "SetLoadBalancerModificationProtection", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ModificationProtectionStatus=NonProtection"},
	{SLB, "SetLoadBalancerName", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&LoadBalancerName=mine"},
	{SLB, "SetLoadBalancerStatus", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&LoadBalancerStatus=inactive"},
	{SLB, "SetLoadBalancerTCPListenerAttribute", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=80&EstablishedTimeout=20"},
	{SLB, "SetLoadBalancerUDPListenerAttribute", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=53&Description=mine"},
	{SLB, "StartLoadBalancerListener", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=80"},
	{SLB, "StopLoadBalancerListener", "InvalidLoadBalancerId.NotFound",
	 "LoadBalancerId={slb}&ListenerPort=80"},
	{SLB, "TagResources", "InvalidResourceId.NotFound",
	 "ResourceType=instance&ResourceId.1={slb}" TAGGED},
	{SLB, "TagResources", "InvalidResourceId.NotFound",
	 "ResourceType=instance&ResourceId.1={my_lb}" TAGGED},
	{SLB, "UntagResources", "InvalidResourceId.NotFound",
	 "ResourceType=instance&ResourceId.1={slb}&All=true"},
	{NLB, "GetLoadBalancerAttribute", "ResourceNotFound.loadBalancer", "LoadBalancerId={my_slb}"},
	{NLB, "DeleteLoadBalancer", "ResourceNotFound.loadBalancer", "LoadBalancerId={my_slb}"},
	{NLB, "TagResources", "InvalidResourceId.NotFound",
	 "ResourceType=loadbalancer&ResourceId.1={my_slb}" TAGGED},

	{PL, "AddUserToVpcEndpointService", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&UserId=17"},
	{PL, "AddZoneToVpcEndpoint", "EndpointNotFound",
	 REGION "EndpointId={endpoint}&ZoneId=cn-hangzhou-i&VSwitchId={my_vsw_i}"},
	{PL, "AddZoneToVpcEndpoint", "VSwitchNotFound",
	 REGION "EndpointId={my_endpoint}&ZoneId=cn-hangzhou-i&VSwitchId={vsw_i}"},
	{PL, "AttachResourceToVpcEndpointService", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&ResourceType=nlb&ResourceId={my_lb}&ZoneId=cn-hangzhou-i"},
	{PL, "AttachResourceToVpcEndpointService", "LoadBalancerNotFound",
	 REGION "ServiceId={my_service}&ResourceType=nlb&ResourceId={lb}&ZoneId=cn-hangzhou-i"},
	{PL, "AttachSecurityGroupToVpcEndpoint", "EndpointNotFound",
	 REGION "EndpointId={endpoint}&SecurityGroupId={my_sg}"},
	{PL, "AttachSecurityGroupToVpcEndpoint", "SecurityGroupNotFound",
	 REGION "EndpointId={my_endpoint}&SecurityGroupId={sg_3}"},
	{PL, "ChangeResourceGroup", "ResourceNotFound", "ResourceId={endpoint}&ResourceGroupId=rg-1"},
	{PL, "ChangeResourceGroup", "ResourceNotFound", "ResourceId={service}&ResourceGroupId=rg-1"},
	{PL, "ChangeResourceGroup", "InvalidResourceGroup", "ResourceId={my_endpoint}&ResourceGroupId={rg}"},
	{PL, "ChangeResourceGroup", "InvalidResourceGroup", "ResourceId={my_service}&ResourceGroupId={rg}"},
	{PL, "CreateVpcEndpoint", "InvalidResourceGroup",
	 REGION "VpcId={my_vpc}&ServiceId={my_service}&SecurityGroupId.1={my_sg}&ResourceGroupId={rg}"},
	{PL, "CreateVpcEndpointService", "InvalidResourceGroup", REGION "ResourceGroupId={rg}"},
	{PL, "CreateVpcEndpoint", "VpcNotFound",
	 REGION "VpcId={vpc}&ServiceId={my_service}&SecurityGroupId.1={my_sg}"},
	{PL, "CreateVpcEndpoint", "EndpointServiceNotAuthorized",
	 REGION "VpcId={my_vpc}&ServiceId={service}&SecurityGroupId.1={my_sg}"},
	{PL, "CreateVpcEndpoint", "EndpointServiceNotAuthorized",
	 REGION "VpcId={my_vpc}&ServiceName=com.aliyuncs.privatelink.cn-hangzhou.{service}"
		"&SecurityGroupId.1={my_sg}"},
	{PL, "CreateVpcEndpoint", "SecurityGroupNotFound",
	 REGION "VpcId={my_vpc}&ServiceId={my_service}&SecurityGroupId.1={sg}"},
	{PL, "CreateVpcEndpoint", "VSwitchNotFound",
	 REGION "VpcId={my_vpc}&ServiceId={my_service}&SecurityGroupId.1={my_sg}"
		"&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId={vsw}"},
	{PL, "CreateVpcEndpointService", "LoadBalancerNotFound",
	 REGION "Resource.1.ResourceType=nlb&Resource.1.ResourceId={lb}&Resource.1.ZoneId=cn-hangzhou-h"},
	{PL, "DeleteVpcEndpoint", "EndpointNotFound", REGION "EndpointId={endpoint}"},
	{PL, "DeleteVpcEndpointService", "EndpointServiceNotFound", REGION "ServiceId={service}"},
	{PL, "DetachResourceFromVpcEndpointService", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&ResourceId={lb}&ZoneId=cn-hangzhou-h"},
	{PL, "DetachResourceFromVpcEndpointService", "EndpointServiceResourceNotFound",
	 REGION "ServiceId={my_service}&ResourceId={lb}&ZoneId=cn-hangzhou-h"},
	{PL, "DetachResourceFromVpcEndpointService", "MissingParam.ZoneId",
	 REGION "ServiceId={my_service}&ResourceId={slb}"},
	{PL, "DetachSecurityGroupFromVpcEndpoint", "EndpointNotFound",
	 REGION "EndpointId={endpoint}&SecurityGroupId={sg_2}"},
	{PL, "DetachSecurityGroupFromVpcEndpoint", "SecurityGroupNotFound",
	 REGION "EndpointId={my_endpoint}&SecurityGroupId={sg_2}"},
	{PL, "DisableVpcEndpointConnection", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&EndpointId={endpoint}"},
	{PL, "DisableVpcEndpointConnection", "EndpointConnectionNotFound",
	 REGION "ServiceId={my_service}&EndpointId={endpoint}"},
	{PL, "DisableVpcEndpointZoneConnection", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&EndpointId={endpoint}&ZoneId=cn-hangzhou-h"},
	{PL, "DisableVpcEndpointZoneConnection", "EndpointConnectionNotFound",
	 REGION "ServiceId={my_service}&EndpointId={endpoint}&ZoneId=cn-hangzhou-h"},
	{PL, "EnableVpcEndpointZoneConnection", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&EndpointId={endpoint}&ZoneId=cn-hangzhou-h"},
	{PL, "EnableVpcEndpointConnection", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&EndpointId={endpoint}"},
	{PL, "EnableVpcEndpointConnection", "EndpointConnectionNotFound",
	 REGION "ServiceId={my_service}&EndpointId={endpoint}"},
	{PRODUCT_PRIVLINK, "GetEndpointPath", "EndpointNotFound",
	 REGION "EndpointId={endpoint}&InstanceId={my_instance}"},
	{PRODUCT_PRIVLINK, "GetEndpointPath", "InvalidInstanceId.NotFound",
	 REGION "EndpointId={my_endpoint}&InstanceId={instance}"},
	{PRODUCT_PRIVLINK, "GetEndpointPath", "VpcNotFound",
	 REGION "VpcId={vpc}&ServiceId={my_service}&SecurityGroupId.1={my_sg}"},
	{PRODUCT_PRIVLINK, "GetEndpointPath", "SecurityGroupNotFound",
	 REGION "VpcId={my_vpc}&ServiceId={my_service}&SecurityGroupId.1={sg}"},
	{PRODUCT_PRIVLINK, "GetEndpointPath", "VSwitchNotFound",
	 REGION "VpcId={my_vpc}&ServiceId={my_service}&SecurityGroupId.1={my_sg}"
		"&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId={vsw}"},
	{PRODUCT_PRIVLINK, "GetEndpointFlowLog", "EndpointNotFound", REGION "EndpointId={endpoint}"},
	{PRODUCT_PRIVLINK, "SetEndpointFlowLog", "EndpointNotFound",
	 REGION "EndpointId={endpoint}&FlowLog=On"},
	{PRODUCT_PRIVLINK, "GetEndpointMetrics", "EndpointNotFound", REGION "EndpointId={endpoint}"},
	{PRODUCT_PRIVLINK, "GetEndpointMetrics", "EndpointServiceNotFound", REGION "ServiceId={service}"},
	{PL, "GetVpcEndpointAttribute", "EndpointNotFound", REGION "EndpointId={endpoint}"},
	{PL, "GetVpcEndpointServiceAttribute", "EndpointServiceNotFound", REGION "ServiceId={service}"},
	{PL, "ListVpcEndpointConnections", "EndpointServiceNotFound", REGION "ServiceId={service}"},
	{PL, "ListVpcEndpointSecurityGroups", "EndpointNotFound", REGION "EndpointId={endpoint}"},
	{PL, "ListVpcEndpointServiceResources", "EndpointServiceNotFound", REGION "ServiceId={service}"},
	{PL, "ListVpcEndpointZones", "EndpointNotFound", REGION "EndpointId={endpoint}"},
	{PL, "ListVpcEndpointServiceUsers", "EndpointServiceNotFound", REGION "ServiceId={service}"},
	{PL, "RemoveUserFromVpcEndpointService", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&UserId=17"},
	{PL, "RemoveZoneFromVpcEndpoint", "EndpointNotFound",
	 REGION "EndpointId={endpoint}&ZoneId=cn-hangzhou-h"},
	{PL, "TagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=vpcendpoint&ResourceId.1={endpoint}" TAGGED},
	{PL, "TagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=vpcendpointservice&ResourceId.1={service}" TAGGED},
	{PL, "UntagResources", "InvalidResourceId.NotFound",
	 REGION "ResourceType=vpcendpoint&ResourceId.1={endpoint}&All=true"},
	{PL, "UpdateVpcEndpointAttribute", "EndpointNotFound",
	 REGION "EndpointId={endpoint}&EndpointName=mine"},
	{PL, "UpdateVpcEndpointConnectionAttribute", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&EndpointId={endpoint}&Bandwidth=100"},
	{PL, "UpdateVpcEndpointConnectionAttribute", "EndpointConnectionNotFound",
	 REGION "ServiceId={my_service}&EndpointId={endpoint}&Bandwidth=100"},
	{PL, "UpdateVpcEndpointServiceAttribute", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&ServiceDescription=mine"},
	{PL, "UpdateVpcEndpointZoneConnectionResourceAttribute", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&EndpointId={endpoint}&ZoneId=cn-hangzhou-h" REPLACE("{lb}")},
	{PL, "UpdateVpcEndpointZoneConnectionResourceAttribute", "EndpointConnectionNotFound",
	 REGION "ServiceId={my_service}&EndpointId={endpoint}&ZoneId=cn-hangzhou-h" REPLACE("{my_lb_2}")},
	{PL, "UpdateVpcEndpointZoneConnectionResourceAttribute", "EndpointServiceResourceNotFound",
	 REGION "ServiceId={my_service}&EndpointId={my_endpoint}&ZoneId=cn-hangzhou-h" REPLACE("{lb_2}")},
	{PL, "UpdateVpcEndpointServiceResourceAttribute", "EndpointServiceNotFound",
	 REGION "ServiceId={service}&ResourceId={lb}&ZoneId=cn-hangzhou-h&AutoAllocatedEnabled=false"},

	{RAM, "CreateAccessKey", "EntityNotExist.User", "UserName={user}"},
	{RAM, "DeleteAccessKey", "EntityNotExist.User", "UserAccessKeyId={key}&UserName={user}"},
	{RAM, "DeleteAccessKey", "EntityNotExist.User.AccessKey", "UserAccessKeyId={key}&UserName={my_user}"},
	{RAM, "DeleteUser", "EntityNotExist.User", "UserName={user}"},
	{RAM, "GetUser", "EntityNotExist.User", "UserName={user}"},
	{RAM, "UpdateAccessKey", "EntityNotExist.User",
	 "UserAccessKeyId={key}&UserName={user}&Status=Inactive"},
	{RAM, "UpdateAccessKey", "EntityNotExist.User.AccessKey", "UserAccessKeyId={key}&Status=Inactive"},

	{RM, "DeleteResourceGroup", "EntityNotExists.ResourceGroup", "ResourceGroupId={rg}"},
	{RM, "GetResourceGroup", "EntityNotExists.ResourceGroup", "ResourceGroupId={rg}"},

	{OWN, "CreateConnectivityTest", "InvalidInstanceId.NotFound",
	 REGION "InstanceId={instance}&EndpointId={my_endpoint}"},
	{OWN, "CreateConnectivityTest", "EndpointNotFound",
	 REGION "InstanceId={my_instance}&EndpointId={endpoint}"},
	{OWN, "GetConnectivityTest", "ConnectivityTestNotFound", REGION "TestId={test}"},
	{OWN, "ListConnectivityTests", "EndpointNotFound", REGION "EndpointId={endpoint}"},
	{OWN, "ListConnectivityTests", "InvalidInstanceId.NotFound", REGION "InstanceId={instance}"},
};

/* Lists: whole ones, and such as ask for what is Alice's. */
static const struct {
	enum product product;
	const char *action, *form;
} lists[] = {
	{RAM, "ListUsers", ""},
	{RM, "ListResourceGroups", ""},
	{RM, "ListResourceGroups", "ResourceGroupIds.1={rg}"},
	{VPC, "DescribeRouteTableList", REGION "ResourceGroupId={rg}"},
	{VPC, "DescribeVSwitches", REGION "ResourceGroupId={rg}"},
	{VPC, "DescribeVpcs", REGION "ResourceGroupId={rg}"},
	{VPC, "DescribeRouteTableList", REGION},
	{VPC, "DescribeRouteTableList", REGION "VpcId={vpc}"},
	{VPC, "DescribeVSwitches", REGION},
	{VPC, "DescribeVSwitches", "VpcId={vpc}"},
	{VPC, "DescribeVpcs", REGION},
	{VPC, "DescribeVpcs", REGION "VpcId={vpc}"},
	{VPC, "ListTagResources", REGION "ResourceType=VPC&Tag.1.Key=env"},
	{VPC, "ListTagResources", REGION "ResourceType=VSWITCH&ResourceId.1={vsw}"},
	{ECS, "DescribeInstances", REGION},
	{ECS, "DescribeInstances", REGION "InstanceIds=[\"{instance}\"]"},
	{ECS, "DescribeNetworkInterfaces", REGION},
	{ECS, "DescribeNetworkInterfaces", REGION "VpcId={vpc}"},
	{ECS, "DescribeNetworkInterfaces", REGION "NetworkInterfaceId.1={eni}"},
	{ECS, "DescribeSecurityGroups", REGION},
	{ECS, "DescribeSecurityGroups", REGION "SecurityGroupId={sg}"},
	{ECS, "ListTagResources", REGION "ResourceType=instance&Tag.1.Key=env"},
	{ECS, "ListTagResources", REGION "ResourceType=securitygroup&ResourceId.1={sg}"},
	{NLB, "ListListeners", ""},
	{NLB, "ListListeners", "LoadBalancerIds.1={lb}"},
	{NLB, "ListLoadBalancers", ""},
	{NLB, "ListLoadBalancers", "VpcIds.1={vpc}"},
	{NLB, "ListServerGroupServers", ""},
	{NLB, "ListServerGroupServers", "ServerIds.1={instance}"},
	{NLB, "ListServerGroups", ""},
	{NLB, "ListServerGroups", "ServerGroupIds.1={group}"},
	{NLB, "ListTagResources", "ResourceType=loadbalancer&Tag.1.Key=env"},
	{NLB, "ListTagResources", "ResourceType=listener&ResourceId.1={listener}"},
	{SLB, "DescribeLoadBalancers", REGION},
	{SLB, "DescribeLoadBalancers", REGION "LoadBalancerId={slb}"},
	{SLB, "ListTagResources", REGION "ResourceType=instance&ResourceId.1={slb}"},
	{PL, "ListVpcEndpointConnections", REGION},
	{PL, "ListTagResources", REGION "ResourceType=vpcendpoint&ResourceId.1={endpoint}"},
	{PL, "ListTagResources", REGION "ResourceType=vpcendpointservice&Tag.1.Key=env"},
	{PL, "ListVpcEndpointConnections", REGION "EndpointId={endpoint}"},
	{PL, "ListVpcEndpointServices", REGION},
	{PL, "ListVpcEndpointServices", REGION "ServiceId={service}"},
	{PL, "ListVpcEndpointServicesByEndUser", REGION},
	{PL, "ListVpcEndpointServicesByEndUser", REGION "ServiceId={service}"},
	{PL, "ListVpcEndpoints", REGION},
	{PL, "ListVpcEndpoints", REGION "VpcId={vpc}"},
};

__attribute__((unused)) static bool is_tested(enum product product, const char *action)
{
	static const char *const naming_nothing[] = {"CheckProductOpen",
						     "CreateResourceGroup",
						     "CreateUser",
						     "CreateVpc",
						     "DescribeAvailableResource",
						     "DescribeRegions",
						     "DescribeZones",
						     "GetCallerIdentity",
						     "ListAccessKeys",
						     "OpenPrivateLinkService"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].product == product && streq(cases[i].action, action))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (lists[i].product == product && streq(lists[i].action, action))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(naming_nothing); i++)
		if (streq(naming_nothing[i], action))
			return true;
	return false;
}
