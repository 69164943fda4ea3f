/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load balancer's zones and what guards it: zones that come, go and are shifted, what of them endpoint
 * services hold on to, addresses that are free again, and protection.
 */
#include "privatelink_world.h"

#define NLB(h, ...)	    harness_call(h, BOB, PRODUCT_NLB, __VA_ARGS__)
#define NLB_REFUSED(h, ...) harness_refused(h, BOB, PRODUCT_NLB, __VA_ARGS__)

#define ZONE(n, zone, address)                                                                               \
	"&ZoneMappings." #n ".ZoneId=cn-hangzhou-" zone "&ZoneMappings." #n ".VSwitchId=%s" address

struct zones {
	const char *vsw_j, *vsw_h2;
};

/* The member of the load balancer; kept. */
static const char *text_of(struct harness *h, const char *lb, const char *member)
{
	if (!NLB(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb))
		return h->error.code;
	return harness_keep(h, harness_text(h, member));
}

static const char *job_status(struct harness *h, const char *job)
{
	return NLB(h, "GetJobStatus", "JobId=%s", job) ? harness_text(h, "Status") : h->error.code;
}

/* As ECS shows it; "gone". */
static const char *eni_status(struct harness *h, const char *eni)
{
	const char *text;

	harness_call(h, BOB, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "NetworkInterfaceId.1=%s", eni);
	text = harness_text(h, "NetworkInterfaceSets.NetworkInterfaceSet.0.Status");
	return text ? harness_keep(h, text) : "gone";
}

static void test_zones_come_and_go(struct harness *h, const struct world *w, const struct zones *z)
{
	const char *lb = make_balancer(h, &w->provider), *eni_h, *eni_i, *eni_j, *job;

	harness_in_force(h, NODE);
	eni_h = text_of(h, lb, "ZoneMappings.0.LoadBalancerAddresses.0.EniId");
	eni_i = text_of(h, lb, "ZoneMappings.1.LoadBalancerAddresses.0.EniId");

	tap_ok(NLB(h, "UpdateLoadBalancerZones",
		   "LoadBalancerId=%s" ZONE(1, "h", "")
			   ZONE(2, "j", "&ZoneMappings.2.PrivateIPv4Address=192.168.3.77"),
		   lb, w->provider.vsw_h, z->vsw_j),
	       "a zone is exchanged for another");
	job = harness_keep(h, harness_text(h, "JobId"));
	tap_is_str(job_status(h, job), "processing", "which is a job");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "Configuring",
		   "of a load balancer that is Configuring");
	tap_is_str(text_of(h, lb, "ZoneMappings.0.LoadBalancerAddresses.0.EniId"), eni_h,
		   "the zone that stays keeps its interface");
	tap_is_str(text_of(h, lb, "ZoneMappings.0.Status"), "Active", "and is Active all the time");
	tap_is_str(text_of(h, lb, "ZoneMappings.1.ZoneId"), "cn-hangzhou-j", "the new one is there");
	tap_is_str(text_of(h, lb, "ZoneMappings.1.LoadBalancerAddresses.0.PrivateIPv4Address"),
		   "192.168.3.77", "with the wanted address");
	tap_is_str(text_of(h, lb, "ZoneMappings.1.Status"), "Starting", "Starting");
	eni_j = text_of(h, lb, "ZoneMappings.1.LoadBalancerAddresses.0.EniId");
	tap_is_str(eni_status(h, eni_i), "Deleting", "the interface of the old one is being deleted");
	tap_is_str(eni_status(h, eni_j), "InUse", "and the new one's is in use");
	harness_in_force(h, NODE);
	tap_is_str(job_status(h, job), "Succeeded", "the job ends when the node has reported");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "Active", "then all is Active");
	tap_is_str(text_of(h, lb, "ZoneMappings.1.Status"), "Active", "the new zone, too");
	tap_is_str(eni_status(h, eni_i), "gone", "and the old interface is gone");
	tap_is_int(snapshot_count(store_rows(h->store), KIND_ADDRESS, w->provider.vpc), 2 + 2,
		   "with its address; the other load balancer has its two");

	tap_ok(NLB(h, "UpdateLoadBalancerZones",
		   "LoadBalancerId=%s&ZoneMappings=%%5B%%7B%%22ZoneId%%22:%%22cn-hangzhou-h%%22,%%22VSwitchId%%22:%%22%s%%22%%7D,"
		   "%%7B%%22ZoneId%%22:%%22cn-hangzhou-j%%22,%%22VSwitchId%%22:%%22%s%%22%%7D%%5D",
		   lb, z->vsw_h2, z->vsw_j),
	       "a zone gets another vSwitch, in JSON");
	tap_is_str(text_of(h, lb, "ZoneMappings.0.VSwitchId"), z->vsw_h2, "which shows");
	tap_is_str(eni_status(h, eni_h), "Deleting", "its old interface goes");
	tap_is_str(text_of(h, lb, "ZoneMappings.1.LoadBalancerAddresses.0.EniId"), eni_j,
		   "the other zone's stays");
	tap_ok(NLB(h, "UpdateLoadBalancerZones",
		   "LoadBalancerId=%s" ZONE(1, "h", "")
			   ZONE(2, "j", "&ZoneMappings.2.PrivateIPv4Address=192.168.3.78"),
		   lb, z->vsw_h2, z->vsw_j),
	       "a zone gets another address while that is under way");
	tap_is_str(text_of(h, lb, "ZoneMappings.1.LoadBalancerAddresses.0.PrivateIPv4Address"),
		   "192.168.3.78", "which shows");
	NLB_REFUSED(h, "ResourceInUse.IP", "the address that is not free yet", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", "")
			    ZONE(2, "j", "&ZoneMappings.2.PrivateIPv4Address=192.168.3.77"),
		    lb, z->vsw_h2, z->vsw_j);
	harness_in_force(h, NODE);
	tap_ok(NLB(h, "UpdateLoadBalancerZones",
		   "LoadBalancerId=%s" ZONE(1, "h", "")
			   ZONE(2, "j", "&ZoneMappings.2.PrivateIPv4Address=192.168.3.77"),
		   lb, z->vsw_h2, z->vsw_j),
	       "and later is");
	tap_ok(NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb),
	       "a load balancer goes while it changes");
	harness_in_force(h, NODE);
	tap_is_int(snapshot_count(store_rows(h->store), KIND_ADDRESS, w->provider.vpc), 2,
		   "with all its addresses");
}

/* A consumer whose connection was cut keeps nobody's zone: it gets another load balancer when it is joined.
 */
static void test_held_zones(struct harness *h, const struct world *w, const struct zones *z)
{
	const char *lb = make_balancer(h, &w->provider), *service, *endpoint;

	harness_in_force(h, NODE);
	service = make_service(h, lb, true);
	harness_in_force(h, NODE);
	endpoint = make_endpoint(h, w, service);
	tap_is_str(endpoint_text(h, endpoint, "ConnectionStatus"), "Connected", "an endpoint is connected");
	tap_ok(PL(h, BOB, "DisableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", service,
		  endpoint),
	       "its provider cuts it");
	REFUSED(h, BOB, "EndpointServiceConnectionDependence", "what it holds until the nodes have cut it",
		"DetachResourceFromVpcEndpointService",
		REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", service, lb);
	harness_in_force(h, NODE);
	NLB_REFUSED(h, "ResourceInUse.Zone", "giving up a zone that the service has",
		    "UpdateLoadBalancerZones", "LoadBalancerId=%s" ZONE(1, "i", "") ZONE(2, "j", ""), lb,
		    w->provider.vsw_i, z->vsw_j);
	tap_ok(PL(h, BOB, "DetachResourceFromVpcEndpointService",
		  REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", service, lb),
	       "then it is detached");
	tap_ok(NLB(h, "UpdateLoadBalancerZones", "LoadBalancerId=%s" ZONE(1, "i", "") ZONE(2, "j", ""), lb,
		   w->provider.vsw_i, z->vsw_j),
	       "and the zone is given up, while the endpoint is there");
	harness_in_force(h, NODE);
	REFUSED(h, BOB, "OperationDenied.NoAvailableServiceResource", "joining it, with nothing to serve it",
		"EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", service, endpoint);
	tap_ok(PL(h, BOB, "AttachResourceToVpcEndpointService",
		  REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", service,
		  w->balancer) &&
		       PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", service,
			  endpoint),
	       "with another load balancer it is joined");
	harness_in_force(h, NODE);
	tap_is_str(snapshot_endpoint_zone(store_rows(h->store), endpoint, "cn-hangzhou-h")->resource,
		   w->balancer, "which serves it");
	PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", endpoint);
	harness_in_force(h, NODE);
	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", service);
	harness_in_force(h, NODE);
	NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb);
	harness_in_force(h, NODE);
}

static void test_bad_zones(struct harness *h, const struct world *w, const struct zones *z)
{
	const char *lb = w->balancer, *other = make_balancer(h, &w->provider), *message;

	NLB_REFUSED(h, "ResourceInUse.Zone", "giving up a zone that serves", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", "") ZONE(2, "j", ""), lb, w->provider.vsw_h, z->vsw_j);
	tap_ok(strstr(h->error.message, "cn-hangzhou-i"), "the message names it: %s", h->error.message);
	NLB_REFUSED(h, "InvalidParameter.ZoneMappings", "one zone", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", ""), lb, w->provider.vsw_h);
	NLB_REFUSED(h, "MissingZoneMappings", "none", "UpdateLoadBalancerZones", "LoadBalancerId=%s", lb);
	NLB_REFUSED(h, "DuplicatedParam.ZoneMappings", "a zone twice", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", "") ZONE(2, "h", ""), lb, w->provider.vsw_h, z->vsw_h2);
	NLB_REFUSED(h, "Mismatch.VSwitchId", "a vSwitch of another zone", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", "") ZONE(2, "i", ""), lb, w->provider.vsw_h, z->vsw_j);
	NLB_REFUSED(h, "IllegalParam.PrivateIPv4Address", "an address outside", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", "&ZoneMappings.1.PrivateIPv4Address=192.168.9.9")
			    ZONE(2, "i", ""),
		    other, w->provider.vsw_h, w->provider.vsw_i);
	message = h->error.message;
	tap_ok(strstr(message, "192.168.1.0/24"), "the message says which there are: %s", message);
	NLB_REFUSED(h, "ResourceInUse.IP", "an address of its other zone's", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", "&ZoneMappings.1.PrivateIPv4Address=%s")
			    ZONE(2, "i", ""),
		    other, w->provider.vsw_h,
		    text_of(h, lb, "ZoneMappings.0.LoadBalancerAddresses.0.PrivateIPv4Address"),
		    w->provider.vsw_i);
	tap_ok(NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", other), "it goes");
	NLB_REFUSED(h, "IncorrectStatus.loadBalancer", "one that is being deleted", "UpdateLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", "") ZONE(2, "i", ""), other, w->provider.vsw_h,
		    w->provider.vsw_i);
	harness_in_force(h, NODE);
}

/* Which of the zone's two load balancers an endpoint gets. */
static void test_shift(struct harness *h, const struct world *w)
{
	const char *a = make_balancer(h, &w->provider), *b = make_balancer(h, &w->provider), *service,
		   *endpoint;

	harness_in_force(h, NODE);
	tap_ok(NLB(h, "StartShiftLoadBalancerZones", "LoadBalancerId=%s" ZONE(1, "h", ""), a,
		   w->provider.vsw_h),
	       "a zone is shifted");
	tap_is_str(text_of(h, a, "ZoneMappings.0.Status"), "Stopping", "it is Stopping");
	harness_in_force(h, NODE);
	tap_is_str(text_of(h, a, "ZoneMappings.0.Status"), "Shifted",
		   "and Shifted when the node has reported");
	tap_is_str(text_of(h, a, "ZoneMappings.1.Status"), "Active", "the other one is Active");
	tap_ok(NLB(h, "StartShiftLoadBalancerZones", "LoadBalancerId=%s" ZONE(1, "h", ""), a,
		   w->provider.vsw_h),
	       "shifting it again changes nothing");
	NLB_REFUSED(h, "OperationDenied.AllZonesShifted", "the last one", "StartShiftLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "i", ""), a, w->provider.vsw_i);
	NLB_REFUSED(h, "ResourceNotFound.Zone", "a zone that it has not", "StartShiftLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "j", ""), a, w->provider.vsw_i);
	NLB_REFUSED(h, "Mismatch.VSwitchId", "another vSwitch than its own", "CancelShiftLoadBalancerZones",
		    "LoadBalancerId=%s" ZONE(1, "h", ""), a, w->provider.vsw_i);

	service = make_service(h, a, true);
	tap_ok(PL(h, BOB, "AttachResourceToVpcEndpointService",
		  REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", service, b),
	       "a service has both");
	harness_in_force(h, NODE);
	endpoint = make_endpoint(h, w, service);
	tap_is_str(snapshot_endpoint_zone(store_rows(h->store), endpoint, "cn-hangzhou-h")->resource, b,
		   "an endpoint gets the one that is not shifted in its zone");
	tap_ok(NLB(h, "CancelShiftLoadBalancerZones", "LoadBalancerId=%s" ZONE(1, "h", ""), a,
		   w->provider.vsw_h),
	       "the shift ends");
	harness_in_force(h, NODE);
	tap_is_str(text_of(h, a, "ZoneMappings.0.Status"), "Active", "then the zone is Active");
}

static void test_protection(struct harness *h, const struct world *w)
{
	const char *lb = harness_get(
		h, BOB, PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
		"AddressType=Intranet&VpcId=%s&DeletionProtectionConfig=%%7B%%22Enabled%%22:true,%%22Reason%%22:%%22in+use%%22%%7D"
		"&LoadBalancerBillingConfig.PayType=PostPay" ZONE(1, "h", "") ZONE(2, "i", ""),
		w->provider.vpc, w->provider.vsw_h, w->provider.vsw_i);

	harness_in_force(h, NODE);
	NLB_REFUSED(h, "OperationDenied.DeletionProtection", "a protected one", "DeleteLoadBalancer",
		    "LoadBalancerId=%s", lb);
	tap_ok(strstr(h->error.message, "in use"), "the message has the reason: %s", h->error.message);
	tap_is_str(text_of(h, lb, "DeletionProtectionConfig.Reason"), "in use", "so has the load balancer");
	NLB(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_ok(harness_at(h->answer, "DeletionProtectionConfig.Enabled") == json_true(), "it is protected");
	tap_ok(harness_text(h, "DeletionProtectionConfig.EnabledTime"), "since some time");
	tap_is_str(text_of(h, lb, "ModificationProtectionConfig.Status"), "NonProtection",
		   "not against changes");

	tap_ok(NLB(h, "UpdateLoadBalancerProtection",
		   "LoadBalancerId=%s&ModificationProtectionStatus=ConsoleProtection&ModificationProtectionReason=frozen",
		   lb),
	       "which can be said, too");
	tap_ok(!harness_text(h, "JobId"), "and is no job");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "Active", "it is in force at once");
	tap_is_str(text_of(h, lb, "ModificationProtectionConfig.Status"), "ConsoleProtection", "it shows");
	tap_is_str(text_of(h, lb, "ModificationProtectionConfig.Reason"), "frozen", "with its reason");
	tap_is_str(text_of(h, lb, "DeletionProtectionConfig.Reason"), "in use",
		   "and what was not named stays");
	NLB_REFUSED(h, "InvalidParameter.ModificationProtectionStatus", "another word",
		    "UpdateLoadBalancerProtection", "LoadBalancerId=%s&ModificationProtectionStatus=Always",
		    lb);
	NLB_REFUSED(h, "IllegalParam.DeletionProtectionReason", "a reason to lift it",
		    "UpdateLoadBalancerProtection",
		    "LoadBalancerId=%s&DeletionProtectionEnabled=false&DeletionProtectionReason=done", lb);
	tap_ok(NLB(h, "UpdateLoadBalancerProtection", "LoadBalancerId=%s&DeletionProtectionEnabled=false",
		   lb),
	       "the protection is lifted");
	NLB(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_ok(!harness_text(h, "DeletionProtectionConfig.Reason") &&
		       !harness_text(h, "DeletionProtectionConfig.EnabledTime"),
	       "with reason and time");
	tap_ok(NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb), "then it can be deleted, by the API");
	NLB_REFUSED(h, "IncorrectStatus.loadBalancer", "to guard it then", "UpdateLoadBalancerProtection",
		    "LoadBalancerId=%s&DeletionProtectionEnabled=true", lb);
	harness_in_force(h, NODE);
}

static void test_groups(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, &w->provider), *second, *enterprise, *job;
	char form[1024];
	size_t used;

	second = harness_get(h, BOB, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			     w->provider.vpc);
	enterprise = harness_get(h, BOB, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
				 REGION "VpcId=%s&SecurityGroupType=enterprise", w->provider.vpc);
	harness_in_force(h, NODE);
	tap_ok(NLB(h, "LoadBalancerJoinSecurityGroup", "LoadBalancerId=%s&SecurityGroupIds.1=%s", lb,
		   w->provider.sg),
	       "a load balancer joins a security group");
	job = harness_keep(h, harness_text(h, "JobId"));
	tap_is_str(job_status(h, job), "processing", "which is a job");
	tap_is_str(text_of(h, lb, "SecurityGroupIds.0"), w->provider.sg, "it shows");
	harness_call(h, BOB, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "SecurityGroupId=%s",
		     w->provider.sg);
	tap_is_int(harness_number(h, "TotalCount"), 2, "its interfaces are in the group");
	harness_in_force(h, NODE);
	tap_is_str(job_status(h, job), "Succeeded", "the job ends when the node has reported");
	NLB_REFUSED(h, "ResourceAlreadyAssociated.SecurityGroup", "joining it again",
		    "LoadBalancerJoinSecurityGroup", "LoadBalancerId=%s&SecurityGroupIds.1=%s", lb,
		    w->provider.sg);
	NLB_REFUSED(h, "Mismatch.SecurityGroupType", "one of another type", "LoadBalancerJoinSecurityGroup",
		    "LoadBalancerId=%s&SecurityGroupIds.1=%s", lb, enterprise);
	NLB_REFUSED(h, "ResourceNotFound.SecurityGroup", "someone else's", "LoadBalancerJoinSecurityGroup",
		    "LoadBalancerId=%s&SecurityGroupIds.1=%s", lb, w->consumer.sg);
	NLB_REFUSED(h, "ResourceNotAssociated.SecurityGroup", "leaving one that it is not in",
		    "LoadBalancerLeaveSecurityGroup", "LoadBalancerId=%s&SecurityGroupIds.1=%s", lb, second);
	NLB_REFUSED(h, "MissingSecurityGroupIds", "no group", "LoadBalancerLeaveSecurityGroup",
		    "LoadBalancerId=%s", lb);

	tap_ok(NLB(h, "UpdateLoadBalancerZones",
		   "LoadBalancerId=%s" ZONE(1, "h", "&ZoneMappings.1.PrivateIPv4Address=192.168.1.88")
			   ZONE(2, "i", ""),
		   lb, w->provider.vsw_h, w->provider.vsw_i),
	       "a zone gets a new interface");
	harness_in_force(h, NODE);
	harness_call(h, BOB, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "SecurityGroupId=%s",
		     w->provider.sg);
	tap_is_int(harness_number(h, "TotalCount"), 2, "which is in the group, too");

	used = (size_t)snprintf(form, sizeof(form), "LoadBalancerId=%s&SecurityGroupIds.1=%s", lb, second);
	for (int i = 2; i <= SECURITY_GROUPS_MAX; i++) {
		const char *id = harness_get(h, BOB, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
					     REGION "VpcId=%s", w->provider.vpc);

		used += (size_t)snprintf(form + used, sizeof(form) - used, "&SecurityGroupIds.%d=%s", i, id);
	}
	NLB_REFUSED(h, "QuotaExceeded.SecurityGroupsNum", "more groups than are allowed",
		    "LoadBalancerJoinSecurityGroup", "%s", form);
	tap_ok(NLB(h, "LoadBalancerJoinSecurityGroup",
		   "LoadBalancerId=%s&SecurityGroupIds=%%5B%%22%s%%22%%5D", lb, second),
	       "a second one joins, in JSON");
	tap_ok(NLB(h, "LoadBalancerLeaveSecurityGroup", "LoadBalancerId=%s&SecurityGroupIds.1=%s", lb,
		   w->provider.sg),
	       "and the first leaves");
	NLB(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_is_int(harness_count_of(h, "SecurityGroupIds"), 1, "one is left");
	tap_is_str(harness_text(h, "SecurityGroupIds.0"), second, "the second");
	harness_refused(h, BOB, PRODUCT_ECS, "DependencyViolation", "while the load balancer is in it",
			"DeleteSecurityGroup", REGION "SecurityGroupId=%s", second);
	tap_ok(NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb), "the load balancer goes");
	harness_in_force(h, NODE);
	tap_ok(harness_call(h, BOB, PRODUCT_ECS, "DeleteSecurityGroup", REGION "SecurityGroupId=%s", second),
	       "then its group can");
}

static void test_moves(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, &w->provider), *group, *team, *job;

	group = harness_get(h, BOB, PRODUCT_NLB, "ServerGroupId", "CreateServerGroup",
			    "ServerGroupName=moves&VpcId=%s", w->provider.vpc);
	harness_call(h, BOB, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup", "Name=team&DisplayName=Team");
	team = harness_keep(h, harness_text(h, "ResourceGroup.Id"));
	harness_in_force(h, NODE);
	tap_ok(NLB(h, "MoveResourceGroup", "ResourceType=loadbalancer&ResourceId=%s&NewResourceGroupId=%s",
		   lb, team),
	       "a load balancer moves to another resource group");
	tap_is_str(harness_text(h, "Data.ResourceId"), lb, "the answer names it");
	tap_is_str(text_of(h, lb, "ResourceGroupId"), team, "it is there");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "Active", "at once");
	tap_ok(NLB(h, "MoveResourceGroup", "ResourceType=servergroup&ResourceId=%s&NewResourceGroupId=%s",
		   group, team),
	       "so does a server group");
	NLB(h, "ListServerGroups", "ResourceGroupId=%s", team);
	tap_is_int(harness_count_of(h, "ServerGroups"), 1, "and is found there");
	NLB(h, "ListLoadBalancers", "ResourceGroupId=%s", team);
	tap_is_int(harness_count_of(h, "LoadBalancers"), 1, "as is the load balancer");
	NLB_REFUSED(h, "InvalidParameter.ResourceType", "something else", "MoveResourceGroup",
		    "ResourceType=listener&ResourceId=lsn-1&NewResourceGroupId=%s", team);

	NLB_REFUSED(h, "OperationDenied.AddressTypeNotSupported", "a public address",
		    "UpdateLoadBalancerAddressTypeConfig", "LoadBalancerId=%s&AddressType=Internet", lb);
	tap_ok(NLB(h, "UpdateLoadBalancerAddressTypeConfig", "LoadBalancerId=%s&AddressType=Intranet", lb),
	       "to have none is what is so anyway");
	job = harness_keep(h, harness_text(h, "JobId"));
	harness_in_force(h, NODE);
	tap_is_str(job_status(h, job), "Succeeded", "which is a job all the same");
	NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb);
	NLB_REFUSED(h, "IncorrectStatus.loadBalancer", "one that is being deleted", "MoveResourceGroup",
		    "ResourceType=loadbalancer&ResourceId=%s&NewResourceGroupId=%s", lb, team);
	NLB(h, "DeleteServerGroup", "ServerGroupId=%s", group);
	harness_in_force(h, NODE);
}

/* Each filter finds the load balancer by what it is, and not by anything else. */
static void test_filters(struct harness *h, const struct world *w, const struct zones *z)
{
	const char *lb = harness_get(
		h, BOB, PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
		"AddressType=Intranet&VpcId=%s&LoadBalancerName=filtered&Tag.1.Key=env&Tag.1.Value=test" ZONE(
			1, "h", "") ZONE(2, "j", ""),
		w->provider.vpc, w->provider.vsw_h, z->vsw_j);
	const char *const filters[][3] = {
		{"LoadBalancerIds.1", lb, "nlb-none"},
		{"LoadBalancerNames.1", "filtered", "others"},
		{"LoadBalancerStatus", "Active", "Provisioning"},
		{"LoadBalancerBusinessStatus", "Normal", "Abnormal"},
		{"LoadBalancerType", "network", "gateway"},
		{"AddressType", "Intranet", "Internet"},
		{"AddressIpVersion", "ipv4", "DualStack"},
		{"DNSName", NULL, "none.nlb.aliyuncs.com"},
		{"VpcIds.1", w->provider.vpc, w->consumer.vpc},
		{"ZoneId", "cn-hangzhou-j", "cn-hangzhou-k"},
		{"Tag.1.Key", "env", "stage"},
		{"Tag", "[{\"Key\":\"env\",\"Value\":\"test\"}]", "[{\"Key\":\"env\",\"Value\":\"live\"}]"},
	};

	harness_in_force(h, NODE);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		const char *value = filters[i][1] ? filters[i][1] : text_of(h, lb, "DNSName");
		bool found = false;

		NLB(h, "ListLoadBalancers", "MaxResults=100&%s=%s", filters[i][0], value);
		for (int j = 0; j < harness_count_of(h, "LoadBalancers"); j++) {
			char path[64];

			(void)str_format(path, sizeof(path), "LoadBalancers.%d.LoadBalancerId", j);
			found = found || streq(harness_text(h, path), lb);
		}
		tap_ok(found, "%s=%s finds it", filters[i][0], value);
		NLB(h, "ListLoadBalancers", "MaxResults=100&LoadBalancerNames.2=filtered&%s=%s",
		    filters[i][0], filters[i][2]);
		tap_is_int(harness_count_of(h, "LoadBalancers"), streq(filters[i][0], "LoadBalancerNames.1"),
			   "%s=%s does not", filters[i][0], filters[i][2]);
	}
	NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb);
	harness_in_force(h, NODE);
}

/* What a node has not heard that has nothing to do with the load balancer is nothing that it waits for. */
static void test_node_elsewhere(struct harness *h, const struct world *w, const struct zones *z)
{
	const char *lb, *job;

	harness_node(h, HARNESS_ELSEWHERE, "");
	lb = make_balancer(h, &w->provider);
	NLB(h, "UpdateLoadBalancerAddressTypeConfig", "LoadBalancerId=%s&AddressType=Intranet", lb);
	job = harness_keep(h, harness_text(h, "JobId"));
	tap_is_str(job_status(h, job), "processing", "a node that is told is waited for");
	harness_in_force(h, NODE);
	tap_ok(control_live_revision(h->control) < store_durable_revision(h->store),
	       "a live node that has nothing to do with it is behind");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "Active", "the load balancer is Active nonetheless");
	tap_is_str(job_status(h, job), "Succeeded", "and its job has Succeeded");

	NLB(h, "UpdateLoadBalancerZones", "LoadBalancerId=%s" ZONE(1, "h", "") ZONE(2, "j", ""), lb,
	    w->provider.vsw_h, z->vsw_j);
	harness_in_force(h, NODE);
	NLB(h, "UpdateLoadBalancerAttribute", "LoadBalancerId=%s&LoadBalancerName=behind", lb);
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "Configuring", "a later change of it is on its way");
	tap_is_str(text_of(h, lb, "ZoneMappings.1.Status"), "Active",
		   "and a zone that is in force does not start again");
	harness_in_force(h, NODE);

	NLB(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb);
	job = harness_keep(h, harness_text(h, "JobId"));
	tap_is_str(job_status(h, job), "processing", "to delete it is a job, too");
	harness_in_force(h, NODE);
	tap_ok(!snapshot_load_balancer(store_rows(h->store), lb), "it goes");
	tap_is_str(job_status(h, job), "Succeeded", "which is its job's success");
}

int main(void)
{
	struct harness h;
	struct zones z;
	struct world w;

	harness_begin(&h);
	w = make_world(&h);
	z.vsw_j = harness_get(&h, BOB, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			      "VpcId=%s&ZoneId=cn-hangzhou-j&CidrBlock=192.168.3.0/24", w.provider.vpc);
	z.vsw_h2 = harness_get(&h, BOB, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			       "VpcId=%s&ZoneId=cn-hangzhou-h&CidrBlock=192.168.4.0/24", w.provider.vpc);
	harness_in_force(&h, NODE);
	test_zones_come_and_go(&h, &w, &z);
	test_held_zones(&h, &w, &z);
	test_bad_zones(&h, &w, &z);
	test_shift(&h, &w);
	test_protection(&h, &w);
	test_groups(&h, &w);
	test_moves(&h, &w);
	test_filters(&h, &w, &z);
	test_node_elsewhere(&h, &w, &z);
	harness_end(&h);
	return tap_done();
}
