/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load balancers, server groups, servers, listeners and jobs through the framework: life, health, and every
 * refusal.
 */
#include "api_harness.h"

#include "api/common/quota_defaults.h"

#define CALL(h, ...)	harness_call(h, ALICE, PRODUCT_NLB, __VA_ARGS__)
#define GET(h, ...)	harness_get(h, ALICE, PRODUCT_NLB, __VA_ARGS__)
#define REFUSED(h, ...) harness_refused(h, ALICE, PRODUCT_NLB, __VA_ARGS__)
#define REGION		"RegionId=cn-hangzhou&"

/* A VPC with vSwitches in two zones, an instance in each, and an empty VPC next to it. */
struct world {
	const char *vpc, *vsw_h, *vsw_i, *sg, *web_h, *web_i, *eni_h, *other_vpc;
};

static const char *run_instance(struct harness *h, const char *vswitch, const char *group,
				const char *address)
{
	if (!harness_call(h, ALICE, PRODUCT_ECS, "RunInstances",
			  REGION "VSwitchId=%s&SecurityGroupId=%s&PrivateIpAddress=%s", vswitch, group,
			  address))
		harness_must(-EIO, h->error.code);
	return harness_keep(h, harness_text(h, "InstanceIdSets.InstanceIdSet.0"));
}

static struct world make_world(struct harness *h)
{
	struct world w;

	w.vpc = harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/16");
	w.other_vpc =
		harness_get(h, ALICE, PRODUCT_VPC, "VpcId", "CreateVpc", REGION "CidrBlock=10.0.0.0/16");
	w.vsw_h = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			      "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=10.0.1.0/24", w.vpc);
	w.vsw_i = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			      "VpcId=%s&ZoneId=cn-hangzhou-i&CidrBlock=10.0.2.0/24", w.vpc);
	w.sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			   w.vpc);
	w.web_h = run_instance(h, w.vsw_h, w.sg, "10.0.1.10");
	w.web_i = run_instance(h, w.vsw_i, w.sg, "10.0.2.10");
	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "InstanceId=%s", w.web_h);
	w.eni_h = harness_keep(
		h, harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.NetworkInterfaceId"));
	harness_in_force(h, "alpha");
	return w;
}

static const char *job_status(struct harness *h, const char *job)
{
	return CALL(h, "GetJobStatus", "JobId=%s", job) ? harness_text(h, "Status") : h->error.code;
}

/* The job of the last call. */
static const char *job_of(struct harness *h)
{
	return harness_keep(h, harness_text(h, "JobId"));
}

static const char *make_balancer(struct harness *h, const struct world *w)
{
	return GET(h, "LoadbalancerId", "CreateLoadBalancer",
		   "AddressType=Intranet&VpcId=%s&LoadBalancerName=front"
		   "&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=%s"
		   "&ZoneMappings.1.AllocationId=&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2."
		   "VSwitchId=%s"
		   "&ZoneMappings.2.PrivateIPv4Address=10.0.2.99",
		   w->vpc, w->vsw_h, w->vsw_i);
}

/* Answers are spelt as the cloud spells them; what asks may be spelt as in its reference, too. */
static void test_spellings(struct harness *h, const char *lb)
{
	static const char *const found[] = {"AddressIpVersion=Ipv4", "AddressIpVersion=ipv4",
					    "LoadBalancerType=Network", "LoadBalancerType=network"};

	CALL(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_is_str(harness_text(h, "LoadBalancerType"), "Network", "its type is told");
	tap_is_str(harness_text(h, "AddressIpVersion"), "Ipv4", "and its version of IP");
	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		CALL(h, "ListLoadBalancers", "%s&LoadBalancerIds.1=%s", found[i], lb);
		tap_is_int(harness_count_of(h, "LoadBalancers"), 1, "%s finds it", found[i]);
	}
}

static void test_balancer_life(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w), *job, *eni;

	CALL(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s&ClientToken=ignored", lb);
	tap_is_str(harness_text(h, "LoadBalancerStatus"), "Provisioning",
		   "a new load balancer is Provisioning");
	tap_is_int(harness_count_of(h, "ZoneMappings"), 2, "in two zones");
	tap_is_str(harness_text(h, "ZoneMappings.1.LoadBalancerAddresses.0.PrivateIPv4Address"), "10.0.2.99",
		   "with the wanted address in the second");
	tap_is_int(harness_count_of(h, "SecurityGroupIds"), 0, "lists that have nothing stand there empty");
	eni = harness_keep(h, harness_text(h, "ZoneMappings.0.LoadBalancerAddresses.0.EniId"));
	harness_in_force(h, "alpha");
	CALL(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_is_str(harness_text(h, "LoadBalancerStatus"), "Active",
		   "it is Active when the node has reported");
	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "NetworkInterfaceId.1=%s",
		     eni);
	tap_ok(harness_at(h->answer, "NetworkInterfaceSets.NetworkInterfaceSet.0.ServiceManaged") ==
		       json_true(),
	       "ECS shows its interface as managed");
	harness_refused(h, ALICE, PRODUCT_VPC, "DependencyViolation", "with its interface inside",
			"DeleteVSwitch", "VSwitchId=%s", w->vsw_i);

	CALL(h, "ListLoadBalancers", "LoadBalancerNames.1=front&ZoneId=cn-hangzhou-i&VpcIds.1=%s", w->vpc);
	tap_is_str(harness_text(h, "LoadBalancers.0.LoadBalancerId"), lb,
		   "it is listed by name, zone and VPC");
	CALL(h, "ListLoadBalancers", "LoadBalancerIds.1=nlb-none");
	tap_is_int(harness_count_of(h, "LoadBalancers"), 0, "an unknown id gives an empty list");
	test_spellings(h, lb);
	CALL(h, "ListLoadBalancers", "Ipv6AddressType=Intranet&LoadBalancerIds.1=%s", lb);
	tap_is_int(harness_count_of(h, "LoadBalancers"), 0, "not by an IPv6 address that it has not");
	CALL(h, "ListLoadBalancers", "AddressIpVersion=DualStack&LoadBalancerIds.1=%s", lb);
	tap_is_int(harness_count_of(h, "LoadBalancers"), 0, "and nothing else");
	tap_ok(CALL(h, "UpdateLoadBalancerAttribute", "LoadBalancerId=%s&LoadBalancerName=back", lb),
	       "it can be renamed");
	job = job_of(h);
	tap_is_str(job_status(h, job), "processing", "which is a job that is processing");
	harness_in_force(h, "alpha");
	tap_is_str(job_status(h, job), "Succeeded", "and has Succeeded when the node has reported");
	harness_call(h, BOB, PRODUCT_NLB, "GetJobStatus", "JobId=%s", job);
	tap_is_str(h->error.code, "ResourceNotFound.Job", "another account does not see the job");

	tap_ok(CALL(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb), "it can be deleted");
	job = job_of(h);
	harness_in_force(h, "alpha");
	tap_is_str(job_status(h, job), "Succeeded", "that job ends, too");
	REFUSED(h, "ResourceNotFound.loadBalancer", "a deleted one", "GetLoadBalancerAttribute",
		"LoadBalancerId=%s", lb);
	tap_ok(!snapshot_port(store_rows(h->store), eni), "its interfaces are gone with it");
}

static void test_bad_balancers(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *zones;
	} cases[] = {
		{"InvalidParameter.ZoneMappings", "one zone",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"},
		{"MissingZoneMappings", "no zone", ""},
		{"MissingParameter.ZoneMappings.2.VSwitchId", "a zone without a vSwitch",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-"
		 "hangzhou-i"},
		{"DuplicatedParam.ZoneMappings", "a zone twice",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-h&ZoneMappings.2.VSwitchId=$H"},
		{"Mismatch.VSwitchId", "a vSwitch of another zone",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-j&ZoneMappings.2.VSwitchId=$I"},
		{"ResourceNotFound.VSwitch", "an unknown vSwitch",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=vsw-none"},
		{"ResourceNotFound.Zone", "an unknown zone",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-z&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$I"},
		{"ResourceInUse.IP", "a taken address",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.1.PrivateIPv4Address=10.0.1.10"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$I"},
		{"IllegalParam.PrivateIPv4Address", "an address outside",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.1.PrivateIPv4Address=10.0.2.10"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$I"},
		{"IllegalParam.PrivateIPv4Address", "a broken address",
		 "ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.1.PrivateIPv4Address=ten"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$I"},
		{"IllegalParam.ModificationProtectionConfig.Reason", "a reason of one character",
		 "ModificationProtectionConfig.Status=ConsoleProtection&ModificationProtectionConfig.Reason=x"
		 "&ZoneMappings.1.ZoneId=cn-hangzhou-h"
		 "&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$"
		 "I"},
		{"IllegalParam.DeletionProtectionConfig.Reason", "a reason without protection",
		 "DeletionProtectionConfig.Reason=because&ZoneMappings.1.ZoneId=cn-hangzhou-h"
		 "&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$"
		 "I"},
		{"IllegalParam.LoadBalancerBillingConfig.PayType", "another way to pay",
		 "LoadBalancerBillingConfig={\"PayType\":\"PrePay\"}&ZoneMappings.1.ZoneId=cn-hangzhou-h"
		 "&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$"
		 "I"},
		{"IllegalParam.LoadBalancerType", "another type",
		 "LoadBalancerType=gateway&ZoneMappings.1.ZoneId=cn-hangzhou-h"
		 "&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$"
		 "I"},
		{"IllegalParam.BandwidthPackageId", "a bandwidth package",
		 "BandwidthPackageId=cbwp-1&ZoneMappings.1.ZoneId=cn-hangzhou-h"
		 "&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$"
		 "I"},
		{"IllegalParam.AllocationId", "a public address",
		 "ZoneMappings.1.AllocationId=eip-1&ZoneMappings.1.ZoneId=cn-hangzhou-h"
		 "&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$"
		 "I"},
		{"IllegalParam.Ipv4LocalAddresses", "addresses of its own towards servers",
		 "ZoneMappings.1.Ipv4LocalAddresses.1=10.0.1.7&ZoneMappings.1.ZoneId=cn-hangzhou-h"
		 "&ZoneMappings.1.VSwitchId=$H&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$"
		 "I"},
		{"DryRunOperation", "a dry run",
		 "DryRun=true&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=$H"
		 "&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=$I"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char form[2048], *out = form;

		/* $H and $I stand for the vSwitches. */
		for (const char *s = cases[i].zones; *s; s++) {
			if (*s != '$') {
				*out++ = *s;
				continue;
			}
			s++;
			out = stpcpy(out, *s == 'H' ? w->vsw_h : w->vsw_i);
		}
		*out = '\0';
		REFUSED(h, cases[i].code, cases[i].why, "CreateLoadBalancer",
			"AddressType=Intranet&VpcId=%s&%s", w->vpc, form);
	}
	REFUSED(h, "OperationDenied.AddressTypeNotSupported", "one with a public address",
		"CreateLoadBalancer",
		"AddressType=Internet&VpcId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=%"
		"s"
		"&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=%s",
		w->vpc, w->vsw_h, w->vsw_i);
	REFUSED(h, "InvalidParameter.AddressType", "an unknown type", "CreateLoadBalancer",
		"AddressType=Nowhere&VpcId=%s", w->vpc);
	REFUSED(h, "ResourceNotFound.Vpc", "an unknown VPC", "CreateLoadBalancer",
		"AddressType=Intranet&VpcId=vpc-none&ZoneMappings.1.ZoneId=a&ZoneMappings.1.VSwitchId=b"
		"&ZoneMappings.2.ZoneId=a&ZoneMappings.2.VSwitchId=b");
	REFUSED(h, "Mismatch.VpcId", "vSwitches of another VPC", "CreateLoadBalancer",
		"AddressType=Intranet&VpcId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1.VSwitchId=%"
		"s"
		"&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=%s",
		w->other_vpc, w->vsw_h, w->vsw_i);
}

static const char *method_of(struct harness *h, const char *group)
{
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	return harness_text(h, "ServerGroups.0.HealthCheck.HttpCheckMethod");
}

/* The method of probes by HTTP is told of those, and of others where it was given. */
static void test_probe_method(struct harness *h, const struct world *w)
{
	const char *group =
		GET(h, "ServerGroupId", "CreateServerGroup",
		    "ServerGroupName=method&VpcId=%s&HealthCheckConfig.HealthCheckEnabled=false", w->vpc);
	struct server_group old;

	tap_ok(!method_of(h, group), "without probes there is no method");
	CALL(h, "UpdateServerGroupAttribute",
	     "ServerGroupId=%s&HealthCheckConfig.HealthCheckEnabled=true&HealthCheckConfig.HealthCheckType=TCP",
	     group);
	tap_ok(!method_of(h, group), "nor with those by TCP");
	CALL(h, "UpdateServerGroupAttribute", "ServerGroupId=%s&HealthCheckConfig.HttpCheckMethod=get",
	     group);
	tap_is_str(method_of(h, group), "GET", "but the one that was given");
	CALL(h, "UpdateServerGroupAttribute", "ServerGroupId=%s&HealthCheckConfig.HealthCheckInterval=7",
	     group);
	tap_is_str(method_of(h, group), "GET", "which stays");
	CALL(h, "UpdateServerGroupAttribute", "ServerGroupId=%s&HealthCheckConfig.HttpCheckMethod=", group);
	tap_ok(!method_of(h, group), "until an empty one takes it back");
	CALL(h, "UpdateServerGroupAttribute", "ServerGroupId=%s&HealthCheckConfig.HealthCheckType=HTTP",
	     group);
	tap_is_str(method_of(h, group), "GET", "probes by HTTP have one");
	CALL(h, "UpdateServerGroupAttribute",
	     "ServerGroupId=%s&HealthCheckConfig=%%7B%%22HttpCheckMethod%%22:%%22%%22,%%22HealthCheckType%%22:%%22TCP%%22%%7D",
	     group);
	tap_ok(!method_of(h, group), "in JSON, too");

	old = *snapshot_server_group(store_rows(h->store), group);
	old.health_by_head = true; /* as the version before kept what was given */
	harness_put(h, KIND_SERVER_GROUP, &old);
	tap_is_str(method_of(h, group), "HEAD", "what was given before is told");
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group);
	harness_in_force(h, "alpha");
}

static const char *scheduler_of(struct harness *h, const char *group)
{
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	return harness_text(h, "ServerGroups.0.Scheduler");
}

/* In whichever case it comes, it is told in the cloud's, which Terraform's provider compares it with. */
static void test_scheduler(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "ServerGroupId", "CreateServerGroup",
				"ServerGroupName=spread&Scheduler=TCH&VpcId=%s", w->vpc);
	struct server_group old;

	tap_is_str(scheduler_of(h, group), "Tch", "a scheduler in another case is told in the table's");
	CALL(h, "UpdateServerGroupAttribute", "ServerGroupId=%s&Scheduler=wrr", group);
	tap_is_str(scheduler_of(h, group), "Wrr", "another one, too");
	old = *snapshot_server_group(store_rows(h->store), group);
	(void)str_copy(old.scheduler, sizeof(old.scheduler), "tch");
	harness_put(h, KIND_SERVER_GROUP, &old);
	tap_is_str(scheduler_of(h, group), "Tch", "and one that the version before has written");
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group);
	harness_in_force(h, "alpha");
}

static void test_group_life(struct harness *h, const struct world *w)
{
	const char *group =
		GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=web.group&VpcId=%s", w->vpc);

	tap_ok(str_starts(job_of(h), "job-"), "a new server group is a job");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_str(harness_text(h, "ServerGroups.0.ServerGroupStatus"), "Creating", "it is Creating");
	tap_is_str(harness_text(h, "ServerGroups.0.Protocol"), "TCP", "for TCP");
	tap_is_str(harness_text(h, "ServerGroups.0.AddressIPVersion"), "Ipv4", "and IPv4");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.HealthCheckInterval"), 5,
		   "probed every 5 s");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.UnhealthyThreshold"), 2, "twice");
	harness_in_force(h, "alpha");

	tap_ok(CALL(h, "UpdateServerGroupAttribute",
		    "ServerGroupId=%s&HealthCheckConfig=%%7B%%22HealthCheckInterval%%22:1,%%"
		    "22HealthCheckConnectTimeout%%22"
		    ":%%221%%22%%7D",
		    group),
	       "its probes can be changed, in JSON");
	CALL(h, "ListServerGroups", "ServerGroupNames.1=web.group");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.HealthCheckInterval"), 1, "to every second");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.UnhealthyThreshold"), 2,
		   "and what was not named stays");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckType"), "TCP", "by TCP");
	tap_ok(CALL(h, "UpdateServerGroupAttribute",
		    "ServerGroupId=%s&HealthCheckConfig.HealthCheckType=http&HealthCheckConfig.HealthCheckUrl=/up"
		    "&HealthCheckConfig.HttpCheckMethod=head&HealthCheckConfig.HealthCheckDomain=web.example",
		    group),
	       "they become probes by HTTP");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckType"), "HTTP", "which shows");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HttpCheckMethod"), "HEAD", "with the method");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckUrl"), "/up", "the path");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckDomain"), "web.example",
		   "the host");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckHttpVersion"), "HTTP1.0",
		   "the version");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckHttpCode.0"), "http_2xx",
		   "and the codes that count, in which nobody had a say");
	tap_ok(CALL(h, "UpdateServerGroupAttribute",
		    "ServerGroupId=%s&HealthCheckConfig=%%7B%%22HealthCheckHttpCode%%22:%%5B%%22http_2xx%%22,%%22http_3xx%%22%%5D%%7D",
		    group),
	       "others count, too, in JSON");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_int(harness_count_of(h, "ServerGroups.0.HealthCheck.HealthCheckHttpCode"), 2, "which shows");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckUrl"), "/up", "and the path stays");
	tap_is_int(harness_number(h, "ServerGroups.0.ConnectionDrainTimeout"), 10, "it would drain for 10 s");
	CALL(h, "UpdateServerGroupAttribute",
	     "ServerGroupId=%s&ConnectionDrainEnabled=true&ConnectionDrainTimeout=0", group);
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_ok(json_is_true(harness_at(h->answer, "ServerGroups.0.ConnectionDrainEnabled")) &&
		       harness_number(h, "ServerGroups.0.ConnectionDrainTimeout") == 0,
	       "and drains as it is told, which stays");
	tap_ok(CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group), "it can be deleted");
	harness_in_force(h, "alpha");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_int(harness_count_of(h, "ServerGroups"), 0, "and is gone");
}

static void test_bad_groups(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"MissingServerGroupName", "no name", ""},
		{"IllegalParam.ServerGroupName", "a short name", "ServerGroupName=a"},
		{"InvalidParameter.Protocol", "an unknown protocol", "ServerGroupName=ok&Protocol=SCTP"},
		{"InvalidParameter.ServerGroupType", "an unknown type",
		 "ServerGroupName=ok&ServerGroupType=Fc"},
		{"InvalidParameter.HealthCheckConfig.HealthCheckInterval", "probes every 51 s",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckInterval=51"},
		{"InvalidParameter.HealthCheckConfig.HealthCheckConnectTimeout", "a time-out of 0",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckConnectTimeout=0"},
		{"InvalidParameter.HealthCheckConfig.HealthyThreshold", "a threshold of 1",
		 "ServerGroupName=ok&HealthCheckConfig.HealthyThreshold=1"},
		{"InvalidParameter.HealthCheckConfig.HealthCheckType", "probes by ICMP",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckType=ICMP"},
		{"IllegalParam.HealthCheckConfig.HealthCheckType", "probes by UDP of servers of TCP",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckType=UDP&HealthCheckConfig.HealthCheckReq=a"
		 "&HealthCheckConfig.HealthCheckExp=b"},
		{"IllegalParam.HealthCheckConfig.HealthCheckType",
		 "probes by UDP that take silence for health",
		 "ServerGroupName=ok&Protocol=UDP&HealthCheckConfig.HealthCheckType=UDP"},
		{"IllegalParam.HealthCheckConfig.HealthCheckUrl", "a path without a slash",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckUrl=up"},
		{"IllegalParam.HealthCheckConfig.HealthCheckUrl", "a second line in a path",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckUrl=/up%0d%0aHost:"},
		{"IllegalParam.HealthCheckConfig.HealthCheckDomain", "a second line in a domain",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckDomain=a%0d%0ab"},
		{"IllegalParam.HealthCheckConfig.HealthCheckHttpCode", "a code that is none",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckHttpCode.1=http_6xx"},
		{"InvalidParameter.HealthCheckConfig.HttpCheckMethod", "another method",
		 "ServerGroupName=ok&HealthCheckConfig.HttpCheckMethod=POST"},
		{"IllegalParam.HealthCheckConfig.HealthCheckReq", "a datagram of 65 characters",
		 "ServerGroupName=ok&HealthCheckConfig.HealthCheckReq="
		 "0123456789012345678901234567890123456789012345678901234567890123x"},
		{"InvalidParameter.ConnectionDrainTimeout", "a long drain",
		 "ServerGroupName=ok&ConnectionDrainTimeout=901"},
		{"IllegalParam.AnyPortEnabled", "all ports", "ServerGroupName=ok&AnyPortEnabled=true"},
		{"IllegalParam.Scheduler", "a scheduler that is not served",
		 "ServerGroupName=ok&Scheduler=wlc"},
		{"InvalidParameter.Scheduler", "a scheduler that there is not",
		 "ServerGroupName=ok&Scheduler=fair"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "CreateServerGroup", "VpcId=%s&%s", w->vpc,
			cases[i].params);
	REFUSED(h, "ResourceNotFound.Vpc", "an unknown VPC", "CreateServerGroup",
		"VpcId=vpc-none&ServerGroupName=ok");
	REFUSED(h, "ResourceNotFound.serverGroup", "an unknown group", "DeleteServerGroup",
		"ServerGroupId=sgp-none");
}

static void test_servers(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"MissingServers", "no server", ""},
		{"MissingParameter.Servers.1.Port", "no port",
		 "Servers.1.ServerId=i-x&Servers.1.ServerType=Ecs"},
		{"InvalidParameter.Servers.1.Port", "port 0",
		 "Servers.1.ServerId=i-x&Servers.1.ServerType=Ecs&Servers.1.Port=0"},
		{"InvalidParameter.Servers.1.Port", "port 65536",
		 "Servers.1.ServerId=i-x&Servers.1.ServerType=Ecs&Servers.1.Port=65536"},
		{"InvalidParameter.Servers.1.Weight", "a weight of 101",
		 "Servers.1.ServerId=i-x&Servers.1.ServerType=Ecs&Servers.1.Port=1&Servers.1.Weight=101"},
		{"ResourceNotFound.Ecs", "an unknown instance",
		 "Servers.1.ServerId=i-x&Servers.1.ServerType=Ecs&Servers.1.Port=1"},
		{"ResourceNotFound.Eni", "an unknown interface",
		 "Servers.1.ServerId=eni-x&Servers.1.ServerType=Eni&Servers.1.Port=1"},
		{"Mismatch.ServerType", "an address in a group of instances",
		 "Servers.1.ServerId=10.0.1.10&Servers.1.ServerType=Ip&Servers.1.Port=1"},
		{"InvalidParameter.Servers.1.ServerType", "an unknown type",
		 "Servers.1.ServerId=i-x&Servers.1.ServerType=Pod&Servers.1.Port=1"},
	};
	const char *group =
		GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=servers&VpcId=%s", w->vpc);
	const char *foreign = GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=foreign&VpcId=%s",
				  w->other_vpc);

	harness_in_force(h, "alpha");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "AddServersToServerGroup", "ServerGroupId=%s&%s",
			group, cases[i].params);
	REFUSED(h, "Mismatch.VpcId", "an instance of another VPC", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=443", foreign,
		w->web_h);
	REFUSED(h, "DuplicatedParam.Server", "a server twice", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=443"
		"&Servers.2.ServerId=%s&Servers.2.ServerType=Eni&Servers.2.Port=443",
		group, w->web_h, w->eni_h);
	REFUSED(h, "IllegalParam.IP", "another address than the instance's", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=443"
		"&Servers.1.ServerIp=10.0.1.11",
		group, w->web_h);

	tap_ok(CALL(h, "AddServersToServerGroup",
		    "ServerGroupId=%s&Servers=%%5B%%7B%%22ServerId%%22:%%22%s%%22,%%22ServerType%%22:%%22Ecs%"
		    "%22,"
		    "%%22Port%%22:443%%7D,%%7B%%22ServerId%%22:%%22%s%%22,%%22ServerType%%22:%%22Ecs%%22,%%"
		    "22Port%%22:443,"
		    "%%22Weight%%22:50%%7D%%5D",
		    group, w->web_h, w->web_i),
	       "two servers are added, in JSON");
	REFUSED(h, "ResourceAlreadyExist.BackendServer", "a server that is there", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Eni&Servers.1.Port=443", group,
		w->eni_h);
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s&ServerIds.1=%s", group, w->web_h);
	tap_is_str(harness_text(h, "Servers.0.ServerIp"), "10.0.1.10", "a server has its instance's address");
	tap_is_str(harness_text(h, "Servers.0.ZoneId"), "cn-hangzhou-h", "and zone");
	tap_is_int(harness_number(h, "Servers.0.Weight"), 100, "and a weight of 100");
	tap_is_str(harness_text(h, "Servers.0.Status"), "Adding", "and is being added");
	harness_in_force(h, "alpha");
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s&ServerIds=%s", group, w->web_h);
	tap_is_int(harness_number(h, "TotalCount"), 1, "its id may stand under the bare name of the list");
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s", group);
	tap_is_int(harness_number(h, "TotalCount"), 2, "the group has two servers");
	tap_is_str(harness_text(h, "Servers.1.Status"), "Available",
		   "that are Available when the node has reported");

	tap_ok(CALL(h, "UpdateServerGroupServersAttribute",
		    "ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=443&"
		    "Servers.1.Weight=0",
		    group, w->web_i),
	       "a weight can be changed");
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s&ServerIps.1=10.0.2.10", group);
	tap_is_int(harness_number(h, "Servers.0.Weight"), 0, "to nothing");
	REFUSED(h, "ResourceNotFound.BackendServer", "another port", "RemoveServersFromServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=444", group,
		w->web_i);
	tap_ok(CALL(h, "RemoveServersFromServerGroup",
		    "ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=443",
		    group, w->web_i),
	       "a server can be removed");
	harness_in_force(h, "alpha");
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s", group);
	tap_is_int(harness_number(h, "TotalCount"), 1, "then one is left");
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group);
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", foreign);
	harness_in_force(h, "alpha");
}

static void test_addresses_as_servers(struct harness *h, const struct world *w)
{
	const char *group = GET(h, "ServerGroupId", "CreateServerGroup",
				"ServerGroupName=by-address&VpcId=%s&ServerGroupType=Ip", w->vpc);
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"IllegalParam.IP", "an address outside",
		 "Servers.1.ServerId=10.9.0.1&Servers.1.ServerType=Ip&Servers.1.Port=1"},
		{"IllegalParam.IP", "a gateway",
		 "Servers.1.ServerId=10.0.1.253&Servers.1.ServerType=Ip&Servers.1.Port=1"},
		{"IllegalParam.IP", "a name",
		 "Servers.1.ServerId=web&Servers.1.ServerType=Ip&Servers.1.Port=1"},
	};
	const struct server *server;
	char id[KEY_SIZE];

	harness_in_force(h, "alpha");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "AddServersToServerGroup", "ServerGroupId=%s&%s",
			group, cases[i].params);
	REFUSED(h, "Mismatch.ServerType", "an instance in a group of addresses", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=1", group,
		w->web_h);
	tap_ok(CALL(h, "AddServersToServerGroup",
		    "ServerGroupId=%s&Servers.1.ServerId=10.0.1.10&Servers.1.ServerType=Ip&Servers.1.Port=80"
		    "&Servers.2.ServerId=10.0.2.77&Servers.2.ServerType=Ip&Servers.2.Port=80",
		    group),
	       "an address that an instance has and one that none has are added");
	(void)str_format(id, sizeof(id), "%s/10.0.1.10/80", group);
	server = snapshot_find(store_rows(h->store), KIND_SERVER, id);
	tap_ok(server && streq(server->port_id, w->eni_h) && streq(server->node, "alpha"),
	       "the first one's interface and node are known");
	(void)str_format(id, sizeof(id), "%s/10.0.2.77/80", group);
	server = snapshot_find(store_rows(h->store), KIND_SERVER, id);
	tap_ok(server && !server->port_id[0] && streq(server->zone, "cn-hangzhou-i"),
	       "the other one's zone is");
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group);
	harness_in_force(h, "alpha");
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVER, group), 0,
		   "servers go with their group");
}

/* An instance on its way out serves nobody new, whichever way it is named. */
static void test_leaving_servers(struct harness *h, const struct world *w)
{
	const char *by_id =
		GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=by-id&VpcId=%s", w->vpc);
	const char *by_address = GET(h, "ServerGroupId", "CreateServerGroup",
				     "ServerGroupName=by-address&VpcId=%s&ServerGroupType=Ip", w->vpc);
	const char *id = run_instance(h, w->vsw_h, w->sg, "10.0.1.60"), *eni;

	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "InstanceId=%s", id);
	eni = harness_keep(h,
			   harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.NetworkInterfaceId"));
	harness_in_force(h, "alpha");
	harness_call(h, ALICE, PRODUCT_ECS, "DeleteInstance", "InstanceId=%s&Force=true", id);

	REFUSED(h, "ResourceNotFound.Ecs", "an instance that is being deleted", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=1", by_id,
		id);
	REFUSED(h, "IncorrectStatus.Eni", "its interface", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Eni&Servers.1.Port=1", by_id,
		eni);
	REFUSED(h, "IncorrectStatus.Eni", "its address", "AddServersToServerGroup",
		"ServerGroupId=%s&Servers.1.ServerId=10.0.1.60&Servers.1.ServerType=Ip&Servers.1.Port=1",
		by_address);
	harness_in_force(h, "alpha");
	tap_ok(CALL(h, "AddServersToServerGroup",
		    "ServerGroupId=%s&Servers.1.ServerId=10.0.1.60&Servers.1.ServerType=Ip&Servers.1.Port=1",
		    by_address),
	       "when it is gone its address is nobody's, and is taken");
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", by_id);
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", by_address);
	harness_in_force(h, "alpha");
}

static bool flag(struct harness *h, const char *path)
{
	return json_is_true(harness_at(h->answer, path));
}

static void test_proxy(struct harness *h, const char *listener, const char *lb, const struct world *w)
{
	const char *group;

	tap_ok(!flag(h, "ProxyProtocolEnabled") && !flag(h, "ProxyProtocolV2Config.Ppv2VpcIdEnabled"),
	       "a listener sends no PROXY headers unless it is told to");
	CALL(h, "UpdateListenerAttribute",
	     "ListenerId=%s&ProxyProtocolEnabled=true&ProxyProtocolV2Config="
	     "{\"Ppv2VpcIdEnabled\":true,\"Ppv2PrivateLinkEpsIdEnabled\":true}",
	     listener);
	CALL(h, "UpdateListenerAttribute",
	     "ListenerId=%s&ProxyProtocolV2Config={\"Ppv2PrivateLinkEpsIdEnabled\":false}", listener);
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_ok(flag(h, "ProxyProtocolEnabled") && flag(h, "ProxyProtocolV2Config.Ppv2VpcIdEnabled") &&
		       !flag(h, "ProxyProtocolV2Config.Ppv2PrivateLinkEpIdEnabled") &&
		       !flag(h, "ProxyProtocolV2Config.Ppv2PrivateLinkEpsIdEnabled"),
	       "what they say is set member by member, and shown");
	harness_in_force(h, "alpha");
	group = GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=dns&VpcId=%s&Protocol=UDP",
		    w->vpc);
	REFUSED(h, "IllegalParam.ProxyProtocolEnabled", "PROXY headers of UDP", "CreateListener",
		"LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=UDP&ListenerPort=53"
		"&ProxyProtocolEnabled=true",
		lb, group);
	harness_in_force(h, "alpha");
	CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group);
	harness_in_force(h, "alpha");
}

static void test_listener_life(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w), *listener, *job, *group;
	struct server_health health[2] = {{.port = 443, .healthy = true}, {.port = 443}};

	group = GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=behind&VpcId=%s", w->vpc);
	CALL(h, "AddServersToServerGroup",
	     "ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=443"
	     "&Servers.2.ServerId=%s&Servers.2.ServerType=Ecs&Servers.2.Port=443",
	     group, w->web_h, w->web_i);
	listener =
		GET(h, "ListenerId", "CreateListener",
		    "LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=tcp&ListenerPort=443&Cps=10&Mss=0&"
		    "ProxyProtocolEnabled=false&SecSensorEnabled=false&AlpnEnabled=false&"
		    "ProxyProtocolV2Config={\"Ppv2VpcIdEnabled\":false}",
		    lb, group);
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_is_str(harness_text(h, "ListenerStatus"), "Provisioning", "a new listener is Provisioning");
	tap_is_str(harness_text(h, "ListenerProtocol"), "TCP", "its protocol reads TCP");
	tap_is_int(harness_number(h, "IdleTimeout"), 900, "idle flows live for 900 s");
	tap_is_int(harness_number(h, "Cps"), 10, "its limit of new connections is told");
	harness_in_force(h, "alpha");
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_is_str(harness_text(h, "ListenerStatus"), "Running", "it is Running when the node has reported");
	tap_is_int(harness_number(h, "Mss"), 0, "its segments are as they are");
	CALL(h, "UpdateListenerAttribute", "ListenerId=%s&Mss=1400", listener);
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_is_int(harness_number(h, "Mss"), 1400, "or of at most so many bytes");
	harness_in_force(h, "alpha");
	CALL(h, "ListListeners", "LoadBalancerIds.1=%s", lb);
	tap_is_str(harness_text(h, "Listeners.0.ListenerId"), listener, "it is listed");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_str(harness_text(h, "ServerGroups.0.RelatedLoadBalancerIds.0"), lb,
		   "its group names the load balancer");

	CALL(h, "GetListenerHealthStatus", "ListenerId=%s", listener);
	tap_is_str(harness_text(h, "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers.0.Status"),
		   "Initial", "a server that was not probed yet reads Initial");
	for (int i = 0; i < 2; i++) {
		(void)str_copy(health[i].group, ID_SIZE, group);
		(void)str_copy(health[i].server_id, sizeof(health[i].server_id), i ? w->web_i : w->web_h);
		(void)str_copy(health[i].node, sizeof(health[i].node), "alpha");
	}
	(void)str_copy(health[1].reason, sizeof(health[1].reason), "CONNECT_TIMEOUT");
	harness_report(h, "alpha", health, 2);
	CALL(h, "GetListenerHealthStatus", "ListenerId=%s", listener);
	tap_is_int(harness_count_of(h, "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers"), 1,
		   "one that answers is not listed");
	tap_is_str(
		harness_text(
			h, "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers.0.Reason.ReasonCode"),
		"CONNECT_TIMEOUT", "one that does not says why");
	health[1].healthy = true;
	(void)str_copy(health[1].reason, sizeof(health[1].reason), "RECV_RESPONSE_TIMEOUT");
	harness_report(h, "alpha", health, 2);
	CALL(h, "GetListenerHealthStatus", "ListenerId=%s", listener);
	tap_is_str(harness_text(h, "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers.0.Status"),
		   "Unknown", "one that probes can tell nothing of says so");
	health[1].healthy = false;
	(void)str_copy(health[1].reason, sizeof(health[1].reason), "CONNECT_REFUSED");
	harness_report(h, "alpha", health, 2);
	CALL(h, "GetListenerHealthStatus", "ListenerId=%s", listener);
	tap_is_str(
		harness_text(
			h, "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers.0.Reason.ReasonCode"),
		"CONNECT_FAILED", "in a word that the API has");

	REFUSED(h, "ResourceInUse.ServerGroup", "a group with a listener", "DeleteServerGroup",
		"ServerGroupId=%s", group);
	REFUSED(h, "ResourceAlreadyExist.Listener", "the same port", "CreateListener",
		"LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=443", lb, group);
	tap_ok(CALL(h, "StopListener", "ListenerId=%s", listener), "it can be stopped");
	job = job_of(h);
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_is_str(harness_text(h, "ListenerStatus"), "Stopping", "it is Stopping");
	tap_is_str(job_status(h, job), "processing", "while the job is processing");
	harness_in_force(h, "alpha");
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_is_str(harness_text(h, "ListenerStatus"), "Stopped", "then Stopped");
	tap_ok(CALL(h, "StartListener", "ListenerId=%s", listener), "and started again");
	harness_in_force(h, "alpha");
	tap_ok(CALL(h, "UpdateListenerAttribute", "ListenerId=%s&IdleTimeout=60&ListenerDescription=the+web",
		    listener),
	       "its settings can be changed");
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_is_int(harness_number(h, "IdleTimeout"), 60, "which shows");
	test_proxy(h, listener, lb, w);

	tap_ok(harness_call(h, ALICE, PRODUCT_ECS, "DeleteInstance", "InstanceId=%s&Force=true", w->web_i),
	       "an instance that serves can be deleted");
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s&ServerIds.1=%s", group, w->web_i);
	tap_is_str(harness_text(h, "Servers.0.Status"), "Removing", "and leaves the group");
	harness_in_force(h, "alpha");

	tap_ok(CALL(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb),
	       "a load balancer is deleted with its listener");
	harness_in_force(h, "alpha");
	REFUSED(h, "ResourceNotFound.listener", "a listener that went with it", "GetListenerAttribute",
		"ListenerId=%s", listener);
	tap_ok(CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group), "then the group can go");
	harness_in_force(h, "alpha");
}

static void test_bad_listeners(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"InvalidParameter.ListenerPort", "port 0", "ListenerProtocol=TCP&ListenerPort=0"},
		{"InvalidParameter.ListenerPort", "port 65536", "ListenerProtocol=TCP&ListenerPort=65536"},
		{"MissingListenerPort", "no port", "ListenerProtocol=TCP"},
		{"InvalidParameter.ListenerProtocol", "an unknown protocol",
		 "ListenerProtocol=TCPSSL&ListenerPort=1"},
		{"Mismatch.Protocol", "another protocol than the group's",
		 "ListenerProtocol=UDP&ListenerPort=53"},
		{"IllegalParam.StartPort", "a range of ports",
		 "ListenerProtocol=TCP&ListenerPort=1&StartPort=2&EndPort=3"},
		{"IllegalParam.CertificateIds", "a certificate",
		 "ListenerProtocol=TCP&ListenerPort=1&CertificateIds.1=1"},
		{"IllegalParam.CaEnabled", "certificates of clients",
		 "ListenerProtocol=TCP&ListenerPort=1&CaEnabled=true"},
		{"IllegalParam.Mss", "tiny segments", "ListenerProtocol=TCP&ListenerPort=1&Mss=535"},
		{"IllegalParam.SecSensorEnabled", "a watch by the second",
		 "ListenerProtocol=TCP&ListenerPort=1&SecSensorEnabled=true"},
		{"IllegalParam.AlpnEnabled", "ALPN", "ListenerProtocol=TCP&ListenerPort=1&AlpnEnabled=true"},
		{"IllegalParam.SecurityPolicyId", "a policy of TLS",
		 "ListenerProtocol=TCP&ListenerPort=1&SecurityPolicyId=tls_cipher_policy_1_2"},
		{"InvalidParameter.IdleTimeout", "a long idle time",
		 "ListenerProtocol=TCP&ListenerPort=1&IdleTimeout=901"},
		{"InvalidParameter.Mss", "a large MSS", "ListenerProtocol=TCP&ListenerPort=1&Mss=1501"},
		{"IllegalParam.ListenerDescription", "an address as description",
		 "ListenerProtocol=TCP&ListenerPort=1&ListenerDescription=http://a"},
	};
	const char *lb = make_balancer(h, w);
	const char *group =
		GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=tcp&VpcId=%s", w->vpc);
	const char *foreign =
		GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=other&VpcId=%s", w->other_vpc);
	int n = 0;

	harness_in_force(h, "alpha");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "CreateListener",
			"LoadBalancerId=%s&ServerGroupId=%s&%s", lb, group, cases[i].params);
	REFUSED(h, "Mismatch.VpcId", "a group of another VPC", "CreateListener",
		"LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=1", lb, foreign);
	REFUSED(h, "ResourceNotFound.serverGroup", "an unknown group", "CreateListener",
		"LoadBalancerId=%s&ServerGroupId=sgp-none&ListenerProtocol=TCP&ListenerPort=1", lb);
	REFUSED(h, "ResourceNotFound.loadBalancer", "an unknown load balancer", "CreateListener",
		"LoadBalancerId=nlb-none&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=1", group);
	harness_refused(h, BOB, PRODUCT_NLB, "ResourceNotFound.loadBalancer", "someone else's",
			"CreateListener",
			"LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=1", lb, group);
	harness_refused(h, BOB, PRODUCT_NLB, "ResourceNotFound.loadBalancer", "someone else's",
			"DeleteLoadBalancer", "LoadBalancerId=%s", lb);

	while (n <= LISTENERS_PER_BALANCER_MAX &&
	       CALL(h, "CreateListener",
		    "LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=%d", lb, group,
		    n + 1))
		n++;
	tap_is_int(n, LISTENERS_PER_BALANCER_MAX, "a load balancer takes %d listeners",
		   LISTENERS_PER_BALANCER_MAX);
	tap_is_str(h->error.code, "QuotaExceeded.ListenersNum", "one more is refused by its code");
	tap_ok(CALL(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb), "a full one can be deleted");
	harness_in_force(h, "alpha");
	tap_is_int(snapshot_count(store_rows(h->store), KIND_LISTENER, ""), 0, "with all its listeners");
}

static size_t count_jobs(struct harness *h)
{
	size_t n = 0;

	for (const struct job *j = NULL; (j = snapshot_next(store_rows(h->store), KIND_JOB, "", j));)
		n += j->owner == ALICE;
	return n;
}

/* Fills the account's jobs up, after one of somebody else. */
static void put_jobs(struct harness *h)
{
	struct job row = {.owner = BOB, .id = "job-bob"};
	size_t n = count_jobs(h);

	harness_put(h, KIND_JOB, &row);
	row.owner = ALICE;
	while (n < JOBS_PER_ACCOUNT_MAX) {
		struct store_txn *txn;
		int done = 0;

		harness_must(store_txn_new(&txn), "transaction");
		for (int i = 0; i < STORE_TXN_OPS_MAX && n < JOBS_PER_ACCOUNT_MAX; i++, n++) {
			(void)str_format(row.id, sizeof(row.id), "job-%zu", n);
			harness_must(store_txn_row_put(txn, KIND_JOB, &row), "job");
		}
		store_commit(h->store, txn, harness_count, &done);
		harness_settle(h);
	}
}

static void test_many_jobs(struct harness *h, const struct world *w)
{
	const struct job *oldest = NULL;
	const char *group, *first, *newest;

	group = GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=jobs&VpcId=%s", w->vpc);
	for (const struct job *j = NULL; (j = snapshot_next(store_rows(h->store), KIND_JOB, "", j));)
		if (j->owner == ALICE && (!oldest || j->meta.modified < oldest->meta.modified))
			oldest = j;
	first = harness_keep(h, oldest->id);
	put_jobs(h);
	tap_is_int((long long)count_jobs(h), JOBS_PER_ACCOUNT_MAX, "an account has %d jobs",
		   JOBS_PER_ACCOUNT_MAX);
	tap_ok(CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group), "one more");
	newest = job_of(h);
	tap_is_int((long long)count_jobs(h), JOBS_PER_ACCOUNT_MAX, "takes a place");
	tap_is_str(job_status(h, first), "ResourceNotFound.Job", "that of the oldest");
	tap_is_str(job_status(h, newest), "processing", "while the new one is there");
	tap_ok(snapshot_find(store_rows(h->store), KIND_JOB, "job-bob"), "and another account's, too");
	harness_in_force(h, "alpha");
}

static void test_quotas(struct harness *h, const struct world *w)
{
	const char *group, *big;
	char form[8192];
	int n, port;

	group = GET(h, "ServerGroupId", "CreateServerGroup",
		    "ServerGroupName=by-address&VpcId=%s&ServerGroupType=Ip", w->vpc);
	harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
		    "VpcId=%s&ZoneId=cn-hangzhou-j&CidrBlock=10.0.3.0/24", w->vpc);
	for (n = 0, port = 1; n <= SERVERS_PER_GROUP_MAX; n += 40) {
		size_t used = (size_t)snprintf(form, sizeof(form), "ServerGroupId=%s", group);

		for (int i = 1; i <= 40; i++, port++)
			used += (size_t)snprintf(form + used, sizeof(form) - used,
						 "&Servers.%d.ServerId=10.0.3.9&Servers.%d.ServerType=Ip"
						 "&Servers.%d.Port=%d",
						 i, i, i, port);
		if (!harness_run(h, ALICE, PRODUCT_NLB, "AddServersToServerGroup", form))
			break;
	}
	tap_is_int(n, SERVERS_PER_GROUP_MAX, "a group takes %d servers", SERVERS_PER_GROUP_MAX);
	tap_is_str(h->error.code, "QuotaExceeded.ServersNum", "one more is refused by its code");
	tap_ok(CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group), "a full group can be deleted");
	harness_in_force(h, "alpha");
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVER, group), 0, "with all its servers");

	group = GET(h, "ServerGroupId", "CreateServerGroup", "ServerGroupName=by-instance&VpcId=%s", w->vpc);
	for (n = 0; n <= SERVERS_PER_PORT_MAX; n++)
		if (!CALL(h, "AddServersToServerGroup",
			  "ServerGroupId=%s&Servers.1.ServerId=%s&Servers.1.ServerType=Ecs&Servers.1.Port=%d",
			  group, w->web_h, n + 1))
			break;
	tap_is_int(n, SERVERS_PER_PORT_MAX, "an instance serves at most %d times", SERVERS_PER_PORT_MAX);
	tap_ok(harness_call(h, ALICE, PRODUCT_ECS, "DeleteInstance", "InstanceId=%s&Force=true", w->web_h),
	       "and leaves all groups at once when it is deleted");
	harness_in_force(h, "alpha");
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVER, group), 0, "none is left");

	n = (int)snapshot_count(store_rows(h->store), KIND_SERVER_GROUP, "");
	while (n <= SERVER_GROUPS_PER_ACCOUNT_MAX &&
	       CALL(h, "CreateServerGroup", "ServerGroupName=many&VpcId=%s", w->vpc))
		n++;
	tap_is_int(n, SERVER_GROUPS_PER_ACCOUNT_MAX, "an account has as many server groups as its quota");
	tap_is_str(h->error.code, "QuotaExceeded.ServerGroupsNum", "one more is refused by its code");

	big = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			  "VpcId=%s&ZoneId=cn-hangzhou-k&CidrBlock=10.0.4.0/24", w->vpc);
	n = (int)snapshot_count(store_rows(h->store), KIND_LOAD_BALANCER, "");
	while (n <= LOAD_BALANCERS_PER_ACCOUNT_MAX &&
	       CALL(h, "CreateLoadBalancer",
		    "AddressType=Intranet&VpcId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1."
		    "VSwitchId=%s"
		    "&ZoneMappings.2.ZoneId=cn-hangzhou-k&ZoneMappings.2.VSwitchId=%s",
		    w->vpc, w->vsw_h, big))
		n++;
	tap_is_int(n, LOAD_BALANCERS_PER_ACCOUNT_MAX, "an account has as many load balancers as its quota");
	tap_is_str(h->error.code, "QuotaExceeded.LoadBalancersNum", "one more is refused by its code");
}

int main(void)
{
	struct harness h;
	struct world w;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	w = make_world(&h);
	test_balancer_life(&h, &w);
	test_bad_balancers(&h, &w);
	test_group_life(&h, &w);
	test_probe_method(&h, &w);
	test_scheduler(&h, &w);
	test_bad_groups(&h, &w);
	test_servers(&h, &w);
	test_addresses_as_servers(&h, &w);
	test_leaving_servers(&h, &w);
	test_listener_life(&h, &w);
	test_bad_listeners(&h, &w);
	test_many_jobs(&h, &w);
	test_quotas(&h, &w);
	harness_end(&h);
	return tap_done();
}
