/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints through the framework: from CreateVpcEndpoint to the end, what each list shows, and every
 * refusal, none of which changes anything.
 */
#include "privatelink_world.h"

#include "api/common/quota_defaults.h"
#include "model/reason_shown.h"

static void test_created(struct harness *h, const struct world *w)
{
	char expected[256];
	const char *id;

	id = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		    REGION
		    "VpcId=%s&EndpointName=privateLink_dlc&EndpointType=Interface&ServiceName=" SYSTEM_SERVICE
		    "&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s"
		    "&Zone.2.ZoneId=cn-hangzhou-i&Zone.2.VSwitchId=%s&Zone.2.ip=192.168.2.9"
		    "&Tag.1.Key=env&Tag.1.Value=prod&ClientToken=c-1",
		    w->consumer.vpc, w->consumer.sg, w->consumer.vsw_h, w->consumer.vsw_i);
	tap_is_str(harness_text(h, "EndpointStatus"), "Creating", "a new endpoint is Creating");
	tap_is_str(harness_text(h, "ConnectionStatus"), "Connecting",
		   "and Connecting: the service accepts by itself");
	tap_is_int(harness_number(h, "Bandwidth"), 3072, "with the service's bandwidth");
	(void)str_format(expected, sizeof(expected), "%s.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", id);
	tap_is_str(harness_text(h, "EndpointDomain"), expected, "and a name with the product in it");
	tap_is_str(harness_text(h, "ServiceId"), w->system_service, "of the service that was named");

	tap_is_str(endpoint_text(h, id, "EndpointStatus"), "Creating",
		   "it stays Creating until a node reports it");
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Creating", "and so do its zones");
	harness_report(h, NODE, NULL, 0);
	tap_is_str(endpoint_text(h, id, "EndpointStatus"), "Active", "one report makes it Active");
	tap_is_str(endpoint_text(h, id, "ConnectionStatus"), "Connected", "its connection Connected");
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Connected", "and its zones Connected");
	tap_is_str(zone_text(h, id, 1, "EniIp"), "192.168.2.9", "the wanted address is the ENI's");
	(void)str_format(expected, sizeof(expected),
			 "%s-cn-hangzhou-h.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", id);
	tap_is_str(zone_text(h, id, 0, "ZoneDomain"), expected, "each zone has a name of its own");
	tap_is_str(harness_text(h, "Zones.0.VSwitchId"), w->consumer.vsw_h, "and its vSwitch");
	tap_is_int(harness_number(h, "TotalCount"), 2, "the total of zones is a number");

	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "NetworkInterfaceId.1=%s",
		     zone_text(h, id, 0, "EniId"));
	tap_ok(json_is_true(
		       harness_at(h->answer, "NetworkInterfaceSets.NetworkInterfaceSet.0.ServiceManaged")),
	       "its ENI is one that a service manages");
	tap_is_str(
		harness_text(h,
			     "NetworkInterfaceSets.NetworkInterfaceSet.0.SecurityGroupIds.SecurityGroupId.0"),
		w->consumer.sg, "in the endpoint's security group");

	PL(h, ALICE, "ListVpcEndpoints", REGION "EndpointId=%s", id);
	tap_is_str(harness_text(h, "Endpoints.0.Tags.0.Value"), "prod", "the list shows its tags");
	tap_is_str(harness_text(h, "Endpoints.0.EndpointName"), "privateLink_dlc", "and its name");
	tap_ok(json_is_false(harness_at(h->answer, "Endpoints.0.ProtectedEnabled")),
	       "and that it is not protected");
	REFUSED(h, ALICE, "EndpointDuplicated", "a second one of a service with its own name in the VPC",
		"CreateVpcEndpoint", REGION "VpcId=%s&ServiceName=" SYSTEM_SERVICE "&SecurityGroupId.1=%s",
		w->consumer.vpc, w->consumer.sg);
	REFUSED(h, ALICE, "IdempotenceSignatureMismatch", "a token of other parameters", "CreateVpcEndpoint",
		REGION "VpcId=%s&ServiceName=" SYSTEM_SERVICE "&SecurityGroupId.1=%s&ClientToken=c-1",
		w->consumer.vpc, w->consumer.sg);

	PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h", id);
	PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i", id);
	PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", id);
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, id, "EndpointStatus"), "EndpointNotFound",
		   "deleted and in force it is not found");
}

/* Each call is right but for what is named. */
static void refuse_create(struct harness *h, const struct world *w)
{
	const struct place *c = &w->consumer;
	const char *closed = make_service(h, w->balancer, false), *bare, *full;
	char vpc[64], group[64], service[64], zone[128];

	(void)str_format(vpc, sizeof(vpc), "VpcId=%s", c->vpc);
	(void)str_format(group, sizeof(group), "&SecurityGroupId.1=%s", c->sg);
	(void)str_format(service, sizeof(service), "&ServiceId=%s", w->service);
	(void)str_format(zone, sizeof(zone), "&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s", c->vsw_h);
	bare = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=nlb");
	full = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=nlb");
	PL(h, BOB, "AddUserToVpcEndpointService", REGION "ServiceId=%s&UserARN=acs:ram:*:%lld:*", bare,
	   (long long)ALICE);
	harness_in_force(h, NODE);

#define CREATE(code, why, ...) REFUSED(h, ALICE, code, why, "CreateVpcEndpoint", REGION __VA_ARGS__)
	CREATE("MissingVpcId", "no VPC", "%s%s", service, group);
	CREATE("MissingParam.ServiceId", "neither id nor name of a service", "%s%s", vpc, group);
	CREATE("IllegalParamFormat.EndpointName", "a name of one character", "%s%s%s&EndpointName=a", vpc,
	       service, group);
	CREATE("IllegalParamFormat.EndpointName", "a name that begins with a digit",
	       "%s%s%s&EndpointName=1abc", vpc, service, group);
	CREATE("IllegalParamFormat.EndpointDescription", "a description that is an address",
	       "%s%s%s&EndpointDescription=http://x", vpc, service, group);
	CREATE("IllegalParamFormat.EndpointType", "an unknown type", "%s%s%s&EndpointType=Tunnel", vpc,
	       service, group);
	CREATE("Mismatch.EndpointType", "another type than Interface",
	       "%s%s%s&EndpointType=GatewayLoadBalancer", vpc, service, group);
	CREATE("EndpointServiceNotSupportIpv6", "IPv6", "%s%s%s&AddressIpVersion=DualStack", vpc, service,
	       group);
	CREATE("QuotaExceeded.IpQuotaPerEp", "two addresses in a zone", "%s%s%s&ZonePrivateIpAddressCount=2",
	       vpc, service, group);
	CREATE("IllegalParamFormat.ZonePrivateIpAddressCount", "less than no address in a zone",
	       "%s%s%s&ZonePrivateIpAddressCount=-1", vpc, service, group);
	CREATE("DryRunOperation", "as many addresses as there are",
	       "%s%s%s&ZonePrivateIpAddressCount=0&DryRun=true", vpc, service, group);
	CREATE("IllegalParamFormat.CrossRegionBandwidth", "bandwidth between regions",
	       "%s%s%s&CrossRegionBandwidth=100", vpc, service, group);
	CREATE("InvalidResourceGroup", "a resource group that does not exist",
	       "%s%s%s&ResourceGroupId=rg-0123456789012345678901234567890123456789", vpc, service, group);
	CREATE("RegionNotFound", "a region that does not exist", "%s%s%s&ServiceRegionId=cn-nowhere", vpc,
	       service, group);
	CREATE("EndpointServiceNotFound", "a service in another region than it is",
	       "%s%s%s&ServiceRegionId=cn-beijing", vpc, service, group);
	CREATE("OperationDenied.EndpointPolicyNotSupport", "a policy for a service without",
	       "%s%s%s&PolicyDocument={}", vpc, service, group);
	CREATE("IllegalParamFormat.PolicyDocument", "a policy that is none",
	       "%s%s&ServiceName=com.aliyuncs.privatelink.cn-hangzhou.aiworkspace&PolicyDocument={}", vpc,
	       group);

	CREATE("EndpointServiceNotFound", "an unknown service", "%s%s&ServiceId=epsrv-nothere", vpc, group);
	CREATE("EndpointServiceNotFound", "an unknown name", "%s%s&ServiceName=com.example.nothing", vpc,
	       group);
	CREATE("EndpointServiceNotFound", "a name of a service in another region",
	       "%s%s&ServiceName=com.aliyuncs.privatelink.cn-beijing.pai-dlc", vpc, group);
	CREATE("EndpointServiceNotFound", "an id with another's name", "%s%s%s&ServiceName=" SYSTEM_SERVICE,
	       vpc, service, group);
	CREATE("UnsupportedRegion", "a system service outside its regions",
	       "%s%s&ServiceName=com.aliyuncs.privatelink.cn-chengdu.pai-dlc", vpc, group);
	CREATE("EndpointServiceNotAuthorized", "a whitelist without the caller", "%s%s&ServiceId=%s", vpc,
	       group, full);

	CREATE("VpcNotFound", "an unknown VPC", "VpcId=vpc-nothere%s%s", service, group);
	CREATE("VpcNotFound", "another account's VPC", "VpcId=%s%s%s", w->provider.vpc, service, group);
	CREATE("EndpointMustContainSecurityGroup", "no security group", "%s%s", vpc, service);
	CREATE("SecurityGroupNotFound", "an unknown security group", "%s%s&SecurityGroupId.1=sg-nothere", vpc,
	       service);
	CREATE("SecurityGroupNotFound", "a security group of another VPC", "%s%s&SecurityGroupId.1=%s", vpc,
	       service, w->other_sg);
	CREATE("SecurityGroupTypeOnlySingleTypeSupporteded", "two types of security groups",
	       "%s%s%s&SecurityGroupId.2=%s", vpc, service, group, w->enterprise_sg);
	CREATE("IllegalParamFormat.SecurityGroupId", "eleven security groups",
	       "%s%s&SecurityGroupId.1=a&SecurityGroupId.2=a&SecurityGroupId.3=a&SecurityGroupId.4=a&"
	       "SecurityGroupId.5=a"
	       "&SecurityGroupId.6=a&SecurityGroupId.7=a&SecurityGroupId.8=a&SecurityGroupId.9=a&"
	       "SecurityGroupId.10=a"
	       "&SecurityGroupId.11=a",
	       vpc, service);

	CREATE("MissingParam.Zone.1.VSwitchId", "a zone without vSwitch",
	       "%s%s%s&Zone.1.ZoneId=cn-hangzhou-h", vpc, service, group);
	CREATE("MissingParam.Zone.1.ZoneId", "a vSwitch without zone", "%s%s%s&Zone.1.VSwitchId=%s", vpc,
	       service, group, c->vsw_h);
	CREATE("EndpointZoneDuplicated", "a zone twice",
	       "%s%s%s%s&Zone.2.ZoneId=cn-hangzhou-h&Zone.2.VSwitchId=%s", vpc, service, group, zone,
	       c->vsw_h);
	CREATE("UnsupportedZone", "an unknown zone",
	       "%s%s%s&Zone.1.ZoneId=cn-hangzhou-zz&Zone.1.VSwitchId=%s", vpc, service, group, c->vsw_h);
	CREATE("VSwitchNotFound", "an unknown vSwitch",
	       "%s%s%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=vsw-nothere", vpc, service, group);
	CREATE("VSwitchNotFound", "a vSwitch of another VPC",
	       "%s%s%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s", vpc, service, group, w->vsw_other);
	CREATE("VSwitchNotFound", "a vSwitch of another zone",
	       "%s%s%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s", vpc, service, group, c->vsw_i);
	CREATE("EndpointServiceNotSupportedZone", "a zone in which the service has nothing",
	       "%s%s%s&ServiceId=%s", vpc, group, zone, bare);
	CREATE("IllegalParamFormat.Zone.1.ip", "an address that is none", "%s%s%s%s&Zone.1.ip=192.168.1", vpc,
	       service, group, zone);
	CREATE("IllegalParamFormat.Zone.1.Ipv6Address", "an IPv6 address",
	       "%s%s%s%s&Zone.1.Ipv6Address=2001:db8::1", vpc, service, group, zone);
	CREATE("EniIpUnavailable", "an address outside the vSwitch", "%s%s%s%s&Zone.1.ip=192.168.2.9", vpc,
	       service, group, zone);
	CREATE("EniIpUnavailable", "a reserved address", "%s%s%s%s&Zone.1.ip=192.168.1.253", vpc, service,
	       group, zone);
	CREATE("MissingTagKeyParam", "a tag without key", "%s%s%s&Tag.1.Value=x", vpc, service, group);
	CREATE("IllegalTagKeyParam", "a tag key of the platform", "%s%s%s&Tag.1.Key=acs:x", vpc, service,
	       group);
	CREATE("IllegalTagValueParam", "a tag value that is an address",
	       "%s%s%s&Tag.1.Key=x&Tag.1.Value=http://x", vpc, service, group);
	CREATE("DuplicatedTagKey", "a tag twice", "%s%s%s&Tag.1.Key=x&Tag.2.Key=x", vpc, service, group);
	CREATE("DryRunOperation", "a dry run whose checks pass", "%s%s%s%s&DryRun=true", vpc, service, group,
	       zone);
	REFUSED(h, ALICE, "RegionNotFound", "an unknown region", "CreateVpcEndpoint",
		"RegionId=cn-nowhere&%s%s%s", vpc, service, group);
	REFUSED(h, ALICE, "MissingRegionId", "no region", "CreateVpcEndpoint", "%s%s%s", vpc, service, group);

	PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", closed);
	CREATE("EndpointServiceDeleted", "a service that is being deleted", "%s%s&ServiceId=%s", vpc, group,
	       closed);
#undef CREATE
	harness_in_force(h, NODE);
}

static void refuse_addresses(struct harness *h, const struct world *w)
{
	const char *id = make_endpoint(h, w, w->service), *addr = zone_text(h, id, 0, "EniIp");
	const char *fresh;

	REFUSED(h, ALICE, "EniIpUnavailable", "a taken address", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s"
		"&Zone.1.ip=%s",
		w->consumer.vpc, w->service, w->consumer.sg, w->consumer.vsw_h, addr);

	/* A /29 has four addresses to give. */
	for (int i = 0; i < 4; i++)
		PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		       REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1."
			      "VSwitchId=%s",
		       w->other_vpc, w->service, w->other_sg, w->vsw_other);
	REFUSED(h, ALICE, "ResourceNotEnough.VSwitchIp", "a full vSwitch", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s",
		w->other_vpc, w->service, w->other_sg, w->vsw_other);

	fresh = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			    "VpcId=%s&ZoneId=cn-hangzhou-i&CidrBlock=192.168.3.0/24", w->consumer.vpc);
	REFUSED(h, ALICE, "VSwitchStatusNotAllowed", "a vSwitch that is not Available yet",
		"AddZoneToVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=%s", id, fresh);
	harness_in_force(h, NODE);
	tap_ok(PL(h, ALICE, "AddZoneToVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=%s",
		  id, fresh),
	       "and is taken when it is");
	harness_in_force(h, NODE);
}

static void test_zones(struct harness *h, const struct world *w)
{
	const char *id = make_endpoint(h, w, w->service), *addr = zone_text(h, id, 0, "EniIp");
	const struct place *c = &w->consumer;
	const char *vsw_j;
	char zone[160];

	vsw_j = harness_get(h, ALICE, PRODUCT_VPC, "VSwitchId", "CreateVSwitch",
			    "VpcId=%s&ZoneId=cn-hangzhou-j&CidrBlock=192.168.4.0/24", c->vpc);
	harness_in_force(h, NODE);
	(void)str_format(zone, sizeof(zone), "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=%s", id, c->vsw_i);
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Wait",
		   "a zone waits while its connection is not accepted");
	REFUSED(h, ALICE, "EndpointNotFound", "an unknown endpoint", "AddZoneToVpcEndpoint",
		REGION "EndpointId=ep-nothere&ZoneId=cn-hangzhou-i&VSwitchId=%s", c->vsw_i);
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", "AddZoneToVpcEndpoint", REGION "%s",
		zone);
	REFUSED(h, ALICE, "EndpointZoneDuplicated", "a zone that it has", "AddZoneToVpcEndpoint",
		REGION "EndpointId=%s&ZoneId=cn-hangzhou-h&VSwitchId=%s", id, c->vsw_h);
	REFUSED(h, ALICE, "VSwitchNotFound", "an unknown vSwitch", "AddZoneToVpcEndpoint",
		REGION "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=vsw-nothere", id);
	REFUSED(h, ALICE, "EndpointServiceNotSupportedZone", "a zone in which the service has nothing",
		"AddZoneToVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-j&VSwitchId=%s", id, vsw_j);
	REFUSED(h, ALICE, "EniIpUnavailable", "an address outside the vSwitch", "AddZoneToVpcEndpoint",
		REGION "%s&ip=192.168.1.77", zone);
	REFUSED(h, ALICE, "IllegalParamFormat.ip", "an address that is none", "AddZoneToVpcEndpoint",
		REGION "%s&ip=x", zone);
	REFUSED(h, ALICE, "IllegalParamFormat.Ipv6Address", "an IPv6 address", "AddZoneToVpcEndpoint",
		REGION "%s&Ipv6Address=::1", zone);
	REFUSED(h, ALICE, "DryRunOperation", "a dry run", "AddZoneToVpcEndpoint", REGION "%s&DryRun=true",
		zone);

	tap_ok(PL(h, ALICE, "AddZoneToVpcEndpoint", REGION "%s&ip=192.168.2.77", zone),
	       "a zone can be added");
	tap_is_str(zone_text(h, id, 1, "EniIp"), "192.168.2.77", "with the wanted address");
	PL(h, BOB, "EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service, id);
	harness_in_force(h, NODE);
	tap_is_str(zone_text(h, id, 1, "ZoneStatus"), "Connected", "accepted, both zones are Connected");
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Connected", "the first, too");

	REFUSED(h, ALICE, "EndpointZoneNotFound", "a zone that it has not", "RemoveZoneFromVpcEndpoint",
		REGION "EndpointId=%s&ZoneId=cn-hangzhou-j", id);
	REFUSED(h, ALICE, "EndpointNotFound", "an unknown endpoint", "RemoveZoneFromVpcEndpoint",
		REGION "EndpointId=ep-nothere&ZoneId=cn-hangzhou-j");
	REFUSED(h, ALICE, "DryRunOperation", "a dry run", "RemoveZoneFromVpcEndpoint",
		REGION "EndpointId=%s&ZoneId=cn-hangzhou-h&DryRun=true", id);
	REFUSED(h, ALICE, "EndpointDependenceViolation", "zones left", "DeleteVpcEndpoint",
		REGION "EndpointId=%s", id);
	tap_ok(PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h", id),
	       "a zone can be removed");
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Deleting", "it is Deleting first");
	REFUSED(h, ALICE, "EndpointLocked", "the zone while it is being removed", "AddZoneToVpcEndpoint",
		REGION "EndpointId=%s&ZoneId=cn-hangzhou-h&VSwitchId=%s", id, c->vsw_h);
	harness_in_force(h, NODE);
	PL(h, ALICE, "ListVpcEndpointZones", REGION "EndpointId=%s", id);
	tap_is_int(harness_number(h, "TotalCount"), 1, "then gone");
	tap_ok(PL(h, ALICE, "AddZoneToVpcEndpoint",
		  REGION "EndpointId=%s&ZoneId=cn-hangzhou-h&VSwitchId=%s&ip=%s", id, c->vsw_h, addr),
	       "and its address is free again");
	harness_in_force(h, NODE);
	tap_is_str(zone_text(h, id, 0, "ZoneStatus"), "Connected",
		   "a zone added to a connected endpoint is Connected");

	PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h", id);
	PL(h, ALICE, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i", id);
	REFUSED(h, ALICE, "DryRunOperation", "a dry run", "DeleteVpcEndpoint",
		REGION "EndpointId=%s&DryRun=true", id);
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", "DeleteVpcEndpoint",
		REGION "EndpointId=%s", id);
	tap_ok(PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", id),
	       "zones on their way out do not hold the endpoint up");
	tap_is_str(endpoint_text(h, id, "EndpointStatus"), "Deleting", "it is Deleting");
	REFUSED(h, ALICE, "EndpointOperationDenied", "an endpoint that is being deleted",
		"AddZoneToVpcEndpoint", REGION "%s", zone);
	REFUSED(h, ALICE, "EndpointOperationDenied", "an endpoint that is being deleted",
		"RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i", id);
	REFUSED(h, BOB, "EndpointOperationDenied", "an endpoint that is being deleted",
		"EnableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service, id);
	tap_ok(PL(h, BOB, "DisableVpcEndpointConnection", REGION "ServiceId=%s&EndpointId=%s", w->service,
		  id),
	       "its connection may be cut, which it is already");
	tap_is_str(endpoint_text(h, id, "EndpointStatus"), "Deleting", "and goes on to go");
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, id, "EndpointStatus"), "EndpointNotFound", "then it is gone");
	REFUSED(h, ALICE, "EndpointNotFound", "an endpoint that is gone", "DeleteVpcEndpoint",
		REGION "EndpointId=%s", id);
}

/* A node says that the endpoint is not in force, and why; the reason names an object. */
static void report_failure(struct harness *h, const char *id, const char *object)
{
	struct control_failure failure = {};
	struct control_report report = {
		.revision = store_durable_revision(h->store), .failures = &failure, .n_failures = 1};
	struct endpoint endpoint = {};

	harness_must(str_copy(endpoint.id, sizeof(endpoint.id), id), "id");
	harness_must(row_key(KIND_ENDPOINT, &endpoint, failure.key), "key");
	(void)str_format(failure.reason, sizeof(failure.reason), "no room for what %s needs", object);
	harness_must(str_copy(report.node, sizeof(report.node), NODE), "name");
	harness_must(control_report(h->control, &report), "report");
	harness_settle(h);
}

static void test_failures(struct harness *h, const struct world *w)
{
	struct place p = make_place(h, ALICE);
	char expected[256];
	const char *id;

	harness_in_force(h, NODE);
	id = PL_GET(
		h, ALICE, "EndpointId", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s",
		p.vpc, w->service, p.sg, p.vsw_h);
	report_failure(h, id, p.sg);
	(void)str_format(expected, sizeof(expected), "no room for what %s needs", p.sg);
	tap_is_str(endpoint_text(h, id, "StatusInfo"), expected, "why it is not in force is told");
	report_failure(h, id, w->balancer);
	tap_is_str(endpoint_text(h, id, "StatusInfo"), REASON_OF_OTHERS, "without the provider's objects");
	report_failure(h, id, "vpc-nobodyknows");
	tap_is_str(endpoint_text(h, id, "StatusInfo"), REASON_OF_OTHERS, "nor one that nobody has");
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, id, "StatusInfo"), "(absent)", "and nothing when it is in force");
}

static void test_reads(struct harness *h, const struct world *w)
{
	const char *policy =
		"{\"Version\": \"1\",  \"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\"}]}";
	const char *id, *first, *token, *ai, *rg;

	harness_call(h, ALICE, PRODUCT_RESOURCEMANAGER, "CreateResourceGroup", "Name=team&DisplayName=Team");
	rg = harness_keep(h, harness_text(h, "ResourceGroup.Id"));
	ai = PL_GET(
		h, ALICE, "EndpointId", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceName=com.aliyuncs.privatelink.cn-hangzhou.aiworkspace&SecurityGroupId.1=%s"
		"&SecurityGroupId.2=%s&EndpointName=named&EndpointDescription=Some text"
		"&PolicyDocument=%s&ResourceGroupId=%s&ZoneAffinityEnabled=true",
		w->consumer.vpc, w->consumer.sg, w->consumer.sg, policy, rg);
	harness_in_force(h, NODE);
	tap_is_str(endpoint_text(h, ai, "ConnectionStatus"), "Connected",
		   "an endpoint without zones of a service without resources is Connected");
	tap_is_str(endpoint_text(h, ai, "PolicyDocument"), policy, "a policy comes back as it was given");
	tap_is_str(harness_text(h, "EndpointType"), "Interface", "the type is Interface");
	tap_is_str(harness_text(h, "Payer"), "Endpoint", "the payer is there");
	tap_is_int(harness_number(h, "ZonePrivateIpAddressCount"), 1,
		   "and the number of addresses in a zone");
	tap_ok(json_is_true(harness_at(h->answer, "ZoneAffinityEnabled")), "and zone affinity");
	tap_ok(json_is_false(harness_at(h->answer, "ResourceOwner")), "a system service is not the caller's");
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", "GetVpcEndpointAttribute",
		REGION "EndpointId=%s", ai);
	REFUSED(h, ALICE, "EndpointNotFound", "an endpoint of another region", "GetVpcEndpointAttribute",
		"RegionId=cn-beijing&EndpointId=%s", ai);
	REFUSED(h, ALICE, "MissingEndpointId", "no endpoint", "GetVpcEndpointAttribute", REGION);

	PL(h, ALICE, "ListVpcEndpointSecurityGroups", REGION "EndpointId=%s", ai);
	tap_is_int(harness_number(h, "TotalCount"), 1, "a security group that was given twice is one");
	tap_is_str(harness_text(h, "SecurityGroups.0.SecurityGroupStatus"), "Attached", "and Attached");
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", "ListVpcEndpointSecurityGroups",
		REGION "EndpointId=%s", ai);
	REFUSED(h, BOB, "EndpointNotFound", "another account's endpoint", "ListVpcEndpointZones",
		REGION "EndpointId=%s", ai);
	PL(h, ALICE, "ListVpcEndpointZones", REGION "EndpointId=%s", ai);
	tap_is_int(harness_count_of(h, "Zones"), 0, "the list of no zones is there");
	REFUSED(h, ALICE, "IllegalParamFormat.MaxResults", "a page of 51", "ListVpcEndpointSecurityGroups",
		REGION "EndpointId=%s&MaxResults=51", ai);

	id = make_endpoint(h, w, w->service);
	PL(h, ALICE, "ListVpcEndpoints", REGION "EndpointName=named");
	tap_is_int(harness_number(h, "TotalCount"), 1, "endpoints are found by name");
	PL(h, ALICE, "ListVpcEndpoints", REGION "ConnectionStatus=Disconnected&EndpointId=%s", id);
	tap_is_str(harness_text(h, "Endpoints.0.EndpointId"), id, "by state of the connection");
	tap_is_str(harness_text(h, "Endpoints.0.AcceptanceStatus"), "Waiting",
		   "which tells that it waits for acceptance");
	PL(h, ALICE, "ListVpcEndpoints",
	   REGION "VpcId=%s&ServiceName=com.aliyuncs.privatelink.cn-hangzhou.aiworkspace", w->consumer.vpc);
	tap_is_int(harness_number(h, "TotalCount"), 1, "by VPC and service");
	PL(h, ALICE, "ListVpcEndpoints", REGION "EndpointId=ep-nothere");
	tap_is_int(harness_count_of(h, "Endpoints"), 0, "an unknown id gives an empty list");
	PL(h, BOB, "ListVpcEndpoints", REGION);
	tap_is_int(harness_count_of(h, "Endpoints"), 0, "another account sees none of them");
	PL(h, ALICE, "ListVpcEndpoints", REGION "MaxResults=1&VpcId=%s", w->consumer.vpc);
	tap_is_int(harness_count_of(h, "Endpoints"), 1, "a page holds what was asked for");
	first = harness_keep(h, harness_text(h, "Endpoints.0.EndpointId"));
	token = harness_keep(h, harness_text(h, "NextToken"));
	PL(h, ALICE, "ListVpcEndpoints", REGION "MaxResults=1&VpcId=%s&NextToken=%s", w->consumer.vpc, token);
	tap_ok(harness_count_of(h, "Endpoints") == 1 &&
		       strcmp(harness_text(h, "Endpoints.0.EndpointId"), first) > 0,
	       "the next page goes on");
	REFUSED(h, ALICE, "IllegalParamFormat.NextToken", "a damaged token", "ListVpcEndpoints",
		REGION "NextToken=0123456789abcdef");
	REFUSED(h, ALICE, "IllegalParamFormat.MaxResults", "a page of 1001", "ListVpcEndpoints",
		REGION "MaxResults=1001");
}

/* More connectivity tests than rows go in one pass. */
static void put_tests(struct harness *h, const char *endpoint)
{
	struct connectivity_test test = {.owner = ALICE};
	struct store_txn *txn = NULL;
	int n_txns = 0, n_done = 0;

	test.create_time = now_unix_s();
	(void)str_copy(test.endpoint, sizeof(test.endpoint), endpoint);
	for (int i = 0; i < 4 * STORE_TXN_OPS_MAX; i++) {
		(void)str_format(test.id, sizeof(test.id), "ct-%d", i);
		if (i % STORE_TXN_OPS_MAX == 0)
			harness_must(store_txn_new(&txn), "transaction");
		harness_must(store_txn_row_put(txn, KIND_CONNECTIVITY_TEST, &test), "put");
		if ((i + 1) % STORE_TXN_OPS_MAX == 0) {
			n_txns++;
			store_commit(h->store, TAKE_PTR(txn), harness_count, &n_done);
		}
	}
	harness_settle(h);
	harness_must(n_done == n_txns ? 0 : -EIO, "commit");
}

/* It is asked for in each turn in which it goes. */
static void test_goes_in_parts(struct harness *h, const struct world *w)
{
	struct control_report report = {.node = NODE};
	int n_turns = 0, n_without_connection = 0, n_right = 0;
	char form[256];
	const char *id;

	id = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		    REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s", w->consumer.vpc, w->service,
		    w->consumer.sg);
	put_tests(h, id);
	PL(h, ALICE, "DeleteVpcEndpoint", REGION "EndpointId=%s", id);
	report.revision = store_durable_revision(h->store);
	harness_must(control_report(h->control, &report), "report");

	(void)str_format(form, sizeof(form), REGION "EndpointId=%s", id);
	for (; snapshot_endpoint(store_rows(h->store), id) && n_turns < 20; n_turns++) {
		bool has_connection = snapshot_connection(store_rows(h->store), id);
		struct harness_result result;

		harness_start(h, ALICE, PRODUCT_PRIVATELINK, "GetVpcEndpointAttribute", form, &result);
		harness_must(loop_turn(h->loop, 0), "turn");
		harness_must(result.calls_done == 1 ? 0 : -EIO, "one answer to a call");
		n_without_connection += !has_connection;
		n_right += streq(result.error.code, has_connection ? "" : "EndpointNotFound");
		json_decref(result.answer);
	}
	tap_ok(n_without_connection > 0 && n_turns < 20,
	       "an endpoint with many parts loses its connection before it is gone");
	tap_is_int(n_right, n_turns, "to its owner it is gone as soon as its connection is");
}

static void test_tokens(struct harness *h, const struct world *w)
{
	const char *first, *second;

	first = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
		       REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&ClientToken=t-1", w->consumer.vpc,
		       w->service, w->consumer.sg);
	second = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
			REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&ClientToken=t-1", w->consumer.vpc,
			w->service, w->consumer.sg);
	tap_is_str(second, first, "the same token gives the same endpoint");
	second = PL_GET(h, ALICE, "EndpointId", "CreateVpcEndpoint",
			REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&ClientToken=t-2", w->consumer.vpc,
			w->service, w->consumer.sg);
	tap_ok(!streq(second, first), "a VPC can have several endpoints of a user's service");
}

/* Ten zones would need a region with more of them than the catalogue has; rows make the quota. */
static void test_quotas(struct harness *h, const struct world *w)
{
	const char *id = make_endpoint(h, w, w->service);
	struct endpoint row = *snapshot_endpoint(store_rows(h->store), id);
	struct endpoint_zone zone = {.status = ZONE_WAIT};
	struct store_txn *txn = NULL;
	char eleven[1024] = "";
	int present = 0;
	size_t n = 0;

	for (int i = 1; i <= 11; i++)
		(void)str_format(eleven + strlen(eleven), sizeof(eleven) - strlen(eleven),
				 "&Zone.%d.ZoneId=z%d&Zone.%d.VSwitchId=v", i, i, i);
	REFUSED(h, ALICE, "QuotaExceeded.epZonePerEndpoint", "eleven zones", "CreateVpcEndpoint",
		REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s%s", w->consumer.vpc, w->service,
		w->consumer.sg, eleven);
	(void)str_copy(zone.endpoint, sizeof(zone.endpoint), id);
	for (int i = 1; i < ENDPOINT_ZONES_MAX; i++) {
		(void)str_format(zone.zone, sizeof(zone.zone), "cn-hangzhou-%d", i);
		harness_put(h, KIND_ENDPOINT_ZONE, &zone);
	}
	REFUSED(h, ALICE, "QuotaExceeded.epZonePerEndpoint", "an eleventh zone", "AddZoneToVpcEndpoint",
		REGION "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=%s", id, w->consumer.vsw_i);

	for (const struct endpoint *e = NULL;
	     (e = snapshot_next(store_rows(h->store), KIND_ENDPOINT, "", e));)
		present += streq(e->vpc, row.vpc);
	for (int i = present; i < ENDPOINTS_PER_VPC_MAX; i++) {
		row.meta = (struct row_meta){};
		(void)str_format(row.id, sizeof(row.id), "ep-quota%04d", i);
		if (n == 0)
			harness_must(store_txn_new(&txn), "transaction");
		harness_must(store_txn_row_put(txn, KIND_ENDPOINT, &row), "put");
		if (++n == STORE_TXN_OPS_MAX || i == ENDPOINTS_PER_VPC_MAX - 1) {
			int done = 0;

			store_commit(h->store, TAKE_PTR(txn), harness_count, &done);
			harness_settle(h);
			n = 0;
		}
	}
	REFUSED(h, ALICE, "QuotaExceeded.totalEpPerVpc", "the 1001st endpoint of a VPC", "CreateVpcEndpoint",
		REGION "VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s", w->consumer.vpc, w->service,
		w->consumer.sg);
}

int main(void)
{
	struct harness h;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	w = make_world(&h);
	test_created(&h, &w);
	refuse_create(&h, &w);
	refuse_addresses(&h, &w);
	test_zones(&h, &w);
	test_failures(&h, &w);
	test_reads(&h, &w);
	test_tokens(&h, &w);
	test_goes_in_parts(&h, &w);
	test_quotas(&h, &w);
	harness_end(&h);
	return tap_done();
}
