/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas: each one is reached when the operator sets it to what is used, says so by its name, and is not in
 * the way when it is one more; who may see and set them; what becomes of what is there.
 */
#include "privatelink_world.h"

#include "api/common/quota.h"
#include "api/common/quota_defaults.h"
#include "bpf/pl_abi.h"
#include "datapath/list_table.h"
#include "model/check.h"
#include "policy/group_list.h"
#include "schema/limits.h"

#define ADMIN(h, ...)	      harness_call(h, ROOT, PRODUCT_PRIVLINK, __VA_ARGS__)
#define ADMIN_REFUSED(h, ...) harness_refused(h, ROOT, PRODUCT_PRIVLINK, __VA_ARGS__)

static void set(struct harness *h, int64_t uid, const char *name, long long value)
{
	if (!ADMIN(h, "SetQuota", "AccountId=%lld&QuotaName=%s&Value=%lld", (long long)uid, name, value))
		harness_must(-EIO, h->error.message);
}

/* The entry of ListQuotas. */
static json_int_t told(struct harness *h, int64_t caller, int64_t uid, const char *name, const char *member)
{
	json_t *item;
	size_t i;

	harness_call(h, caller, PRODUCT_PRIVLINK, "ListQuotas", REGION "AccountId=%lld", (long long)uid);
	json_array_foreach(json_object_get(h->answer, "Quotas"), i, item) {
		if (streq(json_string_value(json_object_get(item, "QuotaName")), name))
			return json_integer_value(json_object_get(item, member));
	}
	return -1;
}

struct use {
	int64_t uid;
	const char *quota, *code;
	enum product product;
	const char *action, *form; /* makes one more; %s are the world's */
};

static char *fill(const struct world *w, const char *balancer, const char *other_balancer,
		  const char *server_group, const char *format)
{
	static char form[1024];
	const struct {
		const char *name, *value;
	} words[] = {
		{"{vpc}", w->consumer.vpc},	 {"{vsw}", w->consumer.vsw_h},
		{"{sg}", w->consumer.sg},	 {"{my_vpc}", w->provider.vpc},
		{"{my_vsw}", w->provider.vsw_h}, {"{my_vsw_i}", w->provider.vsw_i},
		{"{service}", w->service},	 {"{lb}", balancer},
		{"{other_lb}", other_balancer},	 {"{sgp}", server_group},
	};
	size_t used = 0;

	while (*format) {
		size_t i = 0;

		while (i < ARRAY_SIZE(words) && !str_starts(format, words[i].name))
			i++;
		if (i == ARRAY_SIZE(words)) {
			form[used++] = *format++;
			continue;
		}
		used = (size_t)(stpcpy(form + used, words[i].value) - form);
		format += strlen(words[i].name);
	}
	form[used] = '\0';
	return form;
}

#define ZONES_OF_BALANCER                                                                                    \
	"&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId={my_vsw}"                             \
	"&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId={my_vsw_i}"

static const struct use uses[] = {
	{BOB, "pvl_quota_total_epsrv", "QuotaMisMatched", PRODUCT_PRIVATELINK, "CreateVpcEndpointService",
	 REGION},
	{BOB, "pvl_quota_epsrv_resource_per_service", "QuotaMisMatched", PRODUCT_PRIVATELINK,
	 "AttachResourceToVpcEndpointService",
	 REGION "ServiceId={service}&ResourceType=nlb&ResourceId={lb}&ZoneId=cn-hangzhou-h"},
	{BOB, "pvl_quota_epsrv_resource_per_zone_per_srv", "QuotaMisMatched", PRODUCT_PRIVATELINK,
	 "AttachResourceToVpcEndpointService",
	 REGION "ServiceId={service}&ResourceType=nlb&ResourceId={other_lb}&ZoneId=cn-hangzhou-h"},
	{BOB, "users_per_service", "QuotaMisMatched", PRODUCT_PRIVATELINK, "AddUserToVpcEndpointService",
	 REGION "ServiceId={service}&UserId=17"},
	{ALICE, "pvl_quota_total_ep_per_vpc", "QuotaExceeded.totalEpPerVpc", PRODUCT_PRIVATELINK,
	 "CreateVpcEndpoint", REGION "VpcId={vpc}&ServiceId={service}&SecurityGroupId.1={sg}"},
	{ALICE, "idle_endpoints", "QuotaExceeded.totalIdleEndpoint", PRODUCT_PRIVATELINK, "CreateVpcEndpoint",
	 REGION "VpcId={vpc}&ServiceId={service}&SecurityGroupId.1={sg}"},
	{ALICE, "vpcs", "QuotaExceeded.Vpc", PRODUCT_VPC, "CreateVpc", REGION "CidrBlock=10.0.0.0/8"},
	{ALICE, "vswitches_per_vpc", "QuotaExceeded.VSwitch", PRODUCT_VPC, "CreateVSwitch",
	 "VpcId={vpc}&ZoneId=cn-hangzhou-h&CidrBlock=192.168.7.0/24"},
	{ALICE, "security_groups", "QuotaExceed.SecurityGroup", PRODUCT_ECS, "CreateSecurityGroup",
	 REGION "VpcId={vpc}"},
	{ALICE, "rules_per_security_group", "AuthorizationLimitExceed", PRODUCT_ECS, "AuthorizeSecurityGroup",
	 REGION "SecurityGroupId={sg}&IpProtocol=ALL&SourceCidrIp=10.0.0.0/8"},
	{ALICE, "instances", "QuotaExceed.Instance", PRODUCT_ECS, "RunInstances",
	 REGION "VSwitchId={vsw}&SecurityGroupId={sg}"},
	{BOB, "load_balancers", "QuotaExceeded.LoadBalancersNum", PRODUCT_NLB, "CreateLoadBalancer",
	 "AddressType=Intranet&VpcId={my_vpc}" ZONES_OF_BALANCER},
	{BOB, "server_groups", "QuotaExceeded.ServerGroupsNum", PRODUCT_NLB, "CreateServerGroup",
	 "VpcId={my_vpc}&ServerGroupName=more"},
	{BOB, "listeners_per_load_balancer", "QuotaExceeded.ListenersNum", PRODUCT_NLB, "CreateListener",
	 "LoadBalancerId={lb}&ServerGroupId={sgp}&ListenerProtocol=TCP&ListenerPort=99"},
	{BOB, "servers_per_server_group", "QuotaExceeded.ServersNum", PRODUCT_NLB, "AddServersToServerGroup",
	 "ServerGroupId={sgp}&Servers.1.ServerId=192.168.1.77&Servers.1.ServerType=Ip&Servers.1.Port=80"},
	{ALICE, "vpcs_of_all_regions", "QuotaExceeded.VpcPerAccount", PRODUCT_VPC, "CreateVpc",
	 REGION "CidrBlock=10.0.0.0/8"},
	{ALICE, "vswitches", "QuotaExceeded.VSwitchPerAccount", PRODUCT_VPC, "CreateVSwitch",
	 "VpcId={vpc}&ZoneId=cn-hangzhou-h&CidrBlock=192.168.8.0/24"},
	{ALICE, "security_groups_of_all_regions", "QuotaExceeded.SecurityGroupPerAccount", PRODUCT_ECS,
	 "CreateSecurityGroup", REGION "VpcId={vpc}"},
	{ALICE, "endpoints", "QuotaExceeded.EndpointPerAccount", PRODUCT_PRIVATELINK, "CreateVpcEndpoint",
	 REGION "VpcId={vpc}&ServiceId={service}&SecurityGroupId.1={sg}"},
	{ALICE, "network_interfaces", "QuotaExceeded.NetworkInterfacePerAccount", PRODUCT_ECS, "RunInstances",
	 REGION "VSwitchId={vsw}&SecurityGroupId={sg}"},
	{ALICE, "security_group_rules", "QuotaExceeded.SecurityGroupRulePerAccount", PRODUCT_ECS,
	 "AuthorizeSecurityGroup", REGION "SecurityGroupId={sg}&IpProtocol=ALL&SourceCidrIp=10.7.0.0/16"},
	{BOB, "listeners", "QuotaExceeded.ListenerPerAccount", PRODUCT_NLB, "CreateListener",
	 "LoadBalancerId={lb}&ServerGroupId={sgp}&ListenerProtocol=TCP&ListenerPort=98"},
	{BOB, "servers", "QuotaExceeded.ServerPerAccount", PRODUCT_NLB, "AddServersToServerGroup",
	 "ServerGroupId={sgp}&Servers.1.ServerId=192.168.1.77&Servers.1.ServerType=Ip&Servers.1.Port=80"},
	{BOB, "balancing_places", "QuotaExceeded.BalancingPlacePerAccount", PRODUCT_NLB,
	 "AddServersToServerGroup",
	 "ServerGroupId={sgp}&Servers.1.ServerId=192.168.1.77&Servers.1.ServerType=Ip&Servers.1.Port=80"},
	{BOB, "services", "QuotaExceeded.ServicePerAccount", PRODUCT_PRIVATELINK, "CreateVpcEndpointService",
	 "RegionId=cn-beijing"},
	{BOB, "service_users", "QuotaExceeded.ServiceUserPerAccount", PRODUCT_PRIVATELINK,
	 "AddUserToVpcEndpointService", REGION "ServiceId={service}&UserId=18"},
	{BOB, "service_users", "QuotaExceeded.ServiceUserPerAccount", PRODUCT_PRIVATELINK,
	 "CreateVpcEndpointService", "RegionId=cn-beijing"},
	{BOB, "service_resources", "QuotaExceeded.ServiceResourcePerAccount", PRODUCT_PRIVATELINK,
	 "AttachResourceToVpcEndpointService",
	 REGION "ServiceId={service}&ResourceType=nlb&ResourceId={other_lb}&ZoneId=cn-hangzhou-i"},
	{BOB, "service_resources", "QuotaExceeded.ServiceResourcePerAccount", PRODUCT_PRIVATELINK,
	 "CreateVpcEndpointService",
	 REGION "Resource.1.ResourceType=nlb&Resource.1.ResourceId={lb}&Resource.1.ZoneId=cn-hangzhou-i"},
};

static void test_each(struct harness *h, const struct world *w)
{
	const char *balancer = make_balancer(h, &w->provider),
		   *other_balancer = make_balancer(h, &w->provider), *server_group;

	server_group = harness_get(h, BOB, PRODUCT_NLB, "ServerGroupId", "CreateServerGroup",
				   "VpcId=%s&ServerGroupName=some", w->provider.vpc);
	(void)make_endpoint(h, w, w->service);
	harness_in_force(h, NODE);
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		const struct use *use = &uses[i];
		const char *form = fill(w, balancer, other_balancer, server_group, use->form);
		json_int_t used = told(h, use->uid, use->uid, use->quota, "Usage");
		char want[160];

		harness_in_force(h, NODE);
		(void)str_format(want, sizeof(want), "Quota %s, usage %lld/%lld.", use->quota,
				 (long long)used, (long long)used);
		set(h, use->uid, use->quota, used);
		harness_call(h, use->uid, use->product, use->action, "%s", form);
		tap_is_str(h->error.code, use->code, "%s: nothing comes to what is used up", use->quota);
		if (!tap_ok(strstr(h->error.message, want), "%s: the message says how much that is",
			    use->quota))
			tap_note("%s", h->error.message);
		set(h, use->uid, use->quota, used + 1);
		if (!streq(use->action, "AddServersToServerGroup") &&
		    !tap_ok(harness_call(h, use->uid, use->product, use->action, "%s", form),
			    "%s: with one more there is room", use->quota))
			tap_note("%s %s", h->error.code, h->error.message);
		harness_in_force(h, NODE);
		if (!streq(use->action, "AddServersToServerGroup"))
			tap_is_int(told(h, use->uid, use->uid, use->quota, "Usage"), used + 1,
				   "%s: and it is used", use->quota);
		ADMIN(h, "DeleteQuota", "AccountId=%lld&QuotaName=%s", (long long)use->uid, use->quota);
	}
}

/* A load balancer of Bob's in two zones, with a listener to the group. */
static const char *make_in_zones(struct harness *h, const char *vpc, const char *group, char first,
				 char second)
{
	const char zones[] = {first, second};
	const char *vswitches[2], *lb;

	for (size_t i = 0; i < 2; i++)
		vswitches[i] = harness_get(h, BOB, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
					   "VpcId=%s&ZoneId=cn-hangzhou-%c&CidrBlock=10.%d.0.0/24", vpc,
					   zones[i], zones[i]);
	harness_in_force(h, NODE);
	lb = harness_get(h, BOB, PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
			 "AddressType=Intranet&VpcId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-%c"
			 "&ZoneMappings.1.VSwitchId=%s&ZoneMappings.2.ZoneId=cn-hangzhou-%c"
			 "&ZoneMappings.2.VSwitchId=%s",
			 vpc, first, vswitches[0], second, vswitches[1]);
	harness_in_force(h, NODE);
	harness_get(h, BOB, PRODUCT_NLB, "ListenerId", "CreateListener",
		    "LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=80", lb, group);
	harness_in_force(h, NODE);
	return lb;
}

/* The code that the load balancer in the zones j and k gets for another zone; "": it has it. */
static const char *add_zone(struct harness *h, const char *vpc, const char *lb, int n)
{
	const char *vswitches[3];

	harness_call(h, BOB, PRODUCT_NLB, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	vswitches[0] = harness_keep(h, harness_text(h, "ZoneMappings.0.VSwitchId"));
	vswitches[1] = harness_keep(h, harness_text(h, "ZoneMappings.1.VSwitchId"));
	vswitches[2] = harness_get(h, BOB, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
				   "VpcId=%s&ZoneId=cn-hangzhou-b&CidrBlock=10.200.%d.0/24", vpc, n);
	harness_in_force(h, NODE);
	harness_call(h, BOB, PRODUCT_NLB, "UpdateLoadBalancerZones",
		     "LoadBalancerId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-j&ZoneMappings.1.VSwitchId=%s"
		     "&ZoneMappings.2.ZoneId=cn-hangzhou-k&ZoneMappings.2.VSwitchId=%s"
		     "&ZoneMappings.3.ZoneId=cn-hangzhou-b&ZoneMappings.3.VSwitchId=%s",
		     lb, vswitches[0], vswitches[1], vswitches[2]);
	return harness_keep(h, h->error.code);
}

/* Nodes have a table for each zone of all load balancers of a group. */
static void test_places(struct harness *h)
{
	json_int_t before = told(h, BOB, BOB, "balancing_places", "Usage"), used;
	const char *vpc, *group, *lb;

	vpc = harness_get(h, BOB, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/8");
	harness_in_force(h, NODE);
	group = harness_get(h, BOB, PRODUCT_NLB, "ServerGroupId", "CreateServerGroup",
			    "VpcId=%s&ServerGroupName=places&ServerGroupType=Ip", vpc);
	harness_in_force(h, NODE);
	(void)make_in_zones(h, vpc, group, 'b', 'g');
	(void)make_in_zones(h, vpc, group, 'h', 'i');
	lb = make_in_zones(h, vpc, group, 'j', 'k');
	harness_call(
		h, BOB, PRODUCT_NLB, "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=10.98.0.9&Servers.1.ServerType=Ip&Servers.1.Port=80",
		group);
	harness_in_force(h, NODE);
	used = told(h, BOB, BOB, "balancing_places", "Usage");
	tap_is_int(used - before, 6 * 251, "a group takes places in each zone of its load balancers");
	harness_call(h, BOB, PRODUCT_NLB, "UpdateLoadBalancerAttribute",
		     "LoadBalancerId=%s&CrossZoneEnabled=false", lb);
	harness_in_force(h, NODE);
	tap_is_int(told(h, BOB, BOB, "balancing_places", "Usage"), used, "whether it is crossed or not");
	harness_get(h, BOB, PRODUCT_NLB, "ListenerId", "CreateListener",
		    "LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=81", lb, group);
	harness_in_force(h, NODE);
	tap_is_int(told(h, BOB, BOB, "balancing_places", "Usage"), used, "for however many listeners");
	set(h, BOB, "balancing_places", used + 250);
	tap_is_str(add_zone(h, vpc, lb, 1), "QuotaExceeded.BalancingPlacePerAccount",
		   "where there is no room for a zone more it is refused");
	set(h, BOB, "balancing_places", used + 251);
	tap_is_str(add_zone(h, vpc, lb, 2), "", "it needs room once, for however many listeners");
	tap_is_int(told(h, BOB, BOB, "balancing_places", "Usage"), used + 251, "and takes that");
	ADMIN(h, "DeleteQuota", "AccountId=%lld&QuotaName=balancing_places", (long long)BOB);
}

/* What is there when a quota is lowered. */
static void test_lowered(struct harness *h, const struct world *w)
{
	json_int_t used = told(h, ALICE, ALICE, "vpcs", "Usage");

	set(h, ALICE, "vpcs", 0);
	tap_is_int(told(h, ALICE, ALICE, "vpcs", "Usage"), used,
		   "what is there stays when a quota is lowered below it");
	tap_ok(harness_call(h, ALICE, PRODUCT_VPC, "ModifyVpcAttribute", REGION "VpcId=%s&VpcName=still",
			    w->consumer.vpc),
	       "and can be changed");
	harness_call(h, ALICE, PRODUCT_VPC, "CreateVpc", REGION "CidrBlock=10.0.0.0/8");
	tap_is_str(h->error.code, "QuotaExceeded.Vpc", "but nothing comes to it");
	tap_ok(harness_call(h, BOB, PRODUCT_VPC, "CreateVpc", REGION "CidrBlock=10.0.0.0/8"),
	       "it is that account's alone");
	ADMIN(h, "DeleteQuota", "AccountId=%lld&QuotaName=vpcs", (long long)ALICE);
	tap_ok(harness_call(h, ALICE, PRODUCT_VPC, "CreateVpc", REGION "CidrBlock=10.0.0.0/8"),
	       "without a quota of its own it has what all have");

	set(h, BOB, "pvl_quota_epsrv_resource_per_service", 1);
	REFUSED(h, BOB, "QuotaMisMatched", "two resources in one call, where there may be one",
		"CreateVpcEndpointService",
		REGION
		"Resource.1.ResourceType=nlb&Resource.1.ResourceId=%s&Resource.1.ZoneId=cn-hangzhou-h"
		"&Resource.2.ResourceType=nlb&Resource.2.ResourceId=%s&Resource.2.ZoneId=cn-hangzhou-i",
		w->balancer, w->balancer);
	ADMIN(h, "DeleteQuota", "AccountId=%lld&QuotaName=pvl_quota_epsrv_resource_per_service",
	      (long long)BOB);
}

/* What one call makes of a share, and what comes back with a service. */
static void test_service_shares(struct harness *h)
{
	json_int_t users = told(h, BOB, BOB, "service_users", "Usage");
	const char *service = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION);

	tap_is_int(told(h, BOB, BOB, "service_users", "Usage"), users + 1,
		   "a service's owner is an entry of its whitelist");
	set(h, BOB, "service_users", users + 2);
	REFUSED(h, BOB, "QuotaExceeded.ServiceUserPerAccount",
		"two entries by one call, where there may be one", "AddUserToVpcEndpointService",
		REGION "ServiceId=%s&UserId=17&UserARN=acs:ram:*:17:*", service);
	set(h, BOB, "service_users", users + 3);
	tap_ok(PL(h, BOB, "AddUserToVpcEndpointService",
		  REGION "ServiceId=%s&UserId=17&UserARN=acs:ram:*:17:*", service),
	       "where there may be two they are made");
	tap_ok(PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserId=17", service),
	       "one that is there needs no room");
	harness_in_force(h, NODE);
	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", service);
	harness_in_force(h, NODE);
	tap_is_int(told(h, BOB, BOB, "service_users", "Usage"), users, "with the service they come back");
	ADMIN(h, "DeleteQuota", "AccountId=%lld&QuotaName=service_users", (long long)BOB);
}

static void test_payer(struct harness *h)
{
	const char *id;

	REFUSED(h, BOB, "EndpointServicePayerForbidden", "a service that pays, without the privilege",
		"CreateVpcEndpointService", REGION "Payer=EndpointService");
	tap_ok(strstr(h->error.message, "privatelink_whitelist/epsvc_payer_mode"),
	       "the message names the privilege");
	set(h, BOB, "privatelink_whitelist/epsvc_payer_mode", 1);
	id = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "Payer=EndpointService");
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", id);
	tap_is_str(harness_text(h, "Payer"), "EndpointService", "with it the service is one that pays");
	ADMIN_REFUSED(h, "InvalidParameter.Value", "a privilege is there or not", "SetQuota",
		      "AccountId=%lld&QuotaName=privatelink_whitelist/epsvc_payer_mode&Value=2",
		      (long long)BOB);
}

/* Choosing a resource by hand. */
#define CHOICE REGION "ServiceId=%s&EndpointId=%s&ZoneId=cn-hangzhou-h&ResourceAllocateMode=Auto"

static void test_choice(struct harness *h, const struct world *w)
{
	const char *endpoint = make_endpoint(h, w, w->service);

	set(h, BOB, "privatelink_whitelist/svc_res_mgt_uat", 0);
	REFUSED(h, BOB, "NoPermission", "choosing a resource without the privilege",
		"UpdateVpcEndpointZoneConnectionResourceAttribute", CHOICE, w->service, endpoint);
	tap_ok(strstr(h->error.message, "privatelink_whitelist/svc_res_mgt_uat"),
	       "the message names the privilege");
	ADMIN(h, "DeleteQuota", "AccountId=%lld&QuotaName=privatelink_whitelist/svc_res_mgt_uat",
	      (long long)BOB);
	REFUSED(h, BOB, "OperationDenied.CurrentResourceAutoAllocated",
		"with it, as all have it, the call is carried out",
		"UpdateVpcEndpointZoneConnectionResourceAttribute", CHOICE, w->service, endpoint);
}

static void test_actions(struct harness *h)
{
	set(h, ALICE, "instances", 7);
	tap_is_int(told(h, ALICE, ALICE, "instances", "Value"), 7, "an account sees its own quotas");
	tap_is_int(told(h, ALICE, ALICE, "instances", "DefaultValue"), 1000, "and what all have");
	tap_is_int(told(h, ROOT, ALICE, "instances", "Value"), 7, "an administrator sees anybody's");
	tap_is_int(told(h, ROOT, BOB, "instances", "Value"), 1000, "of whom each has his own");
	harness_refused(h, BOB, PRODUCT_PRIVLINK, "Forbidden", "another account's quotas", "ListQuotas",
			REGION "AccountId=%lld", (long long)ALICE);
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "setting one's own", "SetQuota",
			"AccountId=%lld&QuotaName=instances&Value=8", (long long)ALICE);
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "deleting one's own", "DeleteQuota",
			"AccountId=%lld&QuotaName=instances", (long long)ALICE);
	ADMIN_REFUSED(h, "QuotaNotFound", "a quota that is none", "SetQuota",
		      "AccountId=%lld&QuotaName=cows&Value=8", (long long)ALICE);
	ADMIN_REFUSED(h, "AccountNotFound", "nobody's quota", "SetQuota",
		      "AccountId=17&QuotaName=instances&Value=8");
	ADMIN_REFUSED(h, "AccountNotFound", "nobody's quotas", "ListQuotas", REGION "AccountId=17");
	ADMIN_REFUSED(h, "InvalidParameter.Value", "less than nothing", "SetQuota",
		      "AccountId=%lld&QuotaName=instances&Value=-1", (long long)ALICE);
	ADMIN_REFUSED(h, "InvalidParameter.Value", "more than can be", "SetQuota",
		      "AccountId=%lld&QuotaName=listeners_per_load_balancer&Value=51", (long long)ALICE);
	ADMIN_REFUSED(h, "QuotaNotFound", "a quota that the account has not", "DeleteQuota",
		      "AccountId=%lld&QuotaName=instances", (long long)BOB);
	tap_ok(ADMIN(h, "DeleteQuota", "AccountId=%lld&QuotaName=instances", (long long)ALICE),
	       "it is taken back");
	tap_is_int(told(h, ALICE, ALICE, "instances", "Value"), 1000, "then the account has what all have");
	set(h, ALICE, "access_keys", 1);
	ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ALICE);
	ADMIN_REFUSED(h, "QuotaExceeded.AccessKeyPerAccount", "a second key, where there may be one",
		      "CreateAccessKey", "AccountId=%lld", (long long)ALICE);
	tap_is_int(told(h, ALICE, ALICE, "access_keys", "Usage"), 1, "keys are counted, too");
}

static void test_table(void)
{
	for (enum quota q = 0; q < QUOTA_COUNT_; q++) {
		enum quota same = QUOTA_COUNT_;

		tap_ok(quota_parse(quota_name(q), &same) == 0 && same == q &&
			       quota_default(q) <= quota_most(q) &&
			       strlen(quota_name(q)) < sizeof(((struct quota_row *)0)->name) &&
			       *quota_description(q),
		       "%s: it is whole", quota_name(q));
	}
}

/* What stands at addresses: interfaces (of instances here and elsewhere, endpoints' zones and load
 * balancers), gateways, of each VPC the resolvers and this node's translated addresses, and the servers that
 * are probed. */
#define PLACES_PER_VPC (2 + NAT_RANGE_SIZE)
#define PLACES_SHARE                                                                                         \
	(ALL_INTERFACES_MAX + ALL_VSWITCHES_MAX + PLACES_PER_VPC * ALL_VPCS_MAX + ALL_SERVERS_MAX)

/* Of VPC, endpoint and service id, any but none. */
#define PROXY_CHOICES 7

/* What of a node's tables is one account's by default is less than a third of each, as they are in the object
 * (bpf/pl_abi.h). */
static void test_shares(void)
{
	const struct {
		const char *table;
		size_t size, share;
	} shares[] = {
		{"pl_ports", PL_SLOTS_MAX, ALL_INTERFACES_MAX},
		{"pl_enis", PL_ENIS_MAX, ALL_INTERFACES_MAX},
		{"pl_sets", PL_SETS_MAX, 2 * ALL_INTERFACES_MAX},
		{"pl_proxies", PL_PROXIES_MAX, PROXY_CHOICES * ALL_INTERFACES_MAX},
		{"pl_places", PL_PLACES_MAX, PLACES_SHARE},
		{"pl_groups", PL_GROUPS_MAX, ALL_SECURITY_GROUPS_MAX},
		{"pl_cells", PL_CELLS_MAX,
		 (size_t)group_list_cells_max(RULES_PER_GROUP_MAX) * (ALL_RULES_MAX / RULES_PER_GROUP_MAX)},
		{"pl_listeners", PL_LISTENERS_MAX, (size_t)ALL_LISTENERS_MAX * ENDPOINT_ZONES_MAX},
		{"pl_backends", PL_BACKENDS_MAX, ALL_SERVERS_MAX},
		{"pl_servers", PL_SERVERS_MAX, ALL_SERVERS_MAX},
		{"pl_maglev", PL_MAGLEV_MAX, ALL_PLACES_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
		if (!tap_ok(shares[i].share < shares[i].size / 3, "%s: an account's share is small",
			    shares[i].table))
			tap_note("%zu of %zu", shares[i].share, shares[i].size);
	/* All of its tables change, over and over: each of them rests once, next to what may rest anyway. */
	tap_ok(2 * ALL_PLACES_MAX + PL_MAGLEV_MAX / LIST_REST_PART < PL_MAGLEV_MAX / 4 * 3,
	       "pl_maglev: it leaves a quarter to others, however often its tables change");
}

/* ListQuotas goes through all endpoints twice, of which one walk is within the region, and through the
 * resources of the region's services. */
static void test_weight(struct harness *h)
{
	struct endpoint row = {.owner = BOB, .region = "cn-shanghai", .service = "epsrv-none"};
	const struct service service = {.id = "epsrv-weight", .owner = BOB, .region = "cn-shanghai"};
	struct service_resource resource = {.service = "epsrv-weight", .zone = "cn-shanghai-b"};
	size_t n = snapshot_count_owned(store_rows(h->store), KIND_ENDPOINT, BOB, "");

	harness_put(h, KIND_SERVICE, &service);
	(void)told(h, BOB, BOB, "endpoints", "Usage");
	tap_ok(n < ROWS_PER_CALL / 2 && h->weight == 0, "of an account with %zu endpoints it is one call", n);
	for (unsigned int i = 0; i < ROWS_PER_CALL; i++) {
		(void)str_format(row.id, sizeof(row.id), "ep-weight%u", i);
		harness_put(h, KIND_ENDPOINT, &row);
	}
	tap_is_int(told(h, BOB, BOB, "endpoints", "Usage"), (long long)n + ROWS_PER_CALL,
		   "a thousand are used");
	tap_is_int(h->weight, 1, "and to say so counts as one call more");
	harness_call(h, BOB, PRODUCT_PRIVLINK, "ListQuotas", "RegionId=cn-shanghai");
	tap_is_int(h->weight, 2, "and as two in their region");
	for (unsigned int i = 0; i < ROWS_PER_CALL; i++) {
		(void)str_format(resource.resource, sizeof(resource.resource), "nlb-weight%u", i);
		harness_put(h, KIND_SERVICE_RESOURCE, &resource);
	}
	harness_call(h, BOB, PRODUCT_PRIVLINK, "ListQuotas", "RegionId=cn-shanghai");
	tap_is_int(h->weight, 3, "and with a thousand resources of a service there as three");
}

int main(void)
{
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	test_table();
	test_shares();
	test_actions(&h);
	test_payer(&h);
	test_choice(&h, &w);
	test_each(&h, &w);
	test_lowered(&h, &w);
	test_service_shares(&h);
	test_places(&h);
	test_weight(&h);
	harness_end(&h);
	return tap_done();
}
