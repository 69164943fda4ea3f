/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic load balancers through the framework: life, servers, listeners, health, their place behind endpoint
 * services, and every refusal; and that they and those of NLB do not see each other.
 */
#include "instance_calls.h"

#include "api/common/quota_defaults.h"

#define CALL(h, ...)	   harness_call(h, ALICE, PRODUCT_SLB, __VA_ARGS__)
#define GET(h, ...)	   harness_get(h, ALICE, PRODUCT_SLB, __VA_ARGS__)
#define REFUSED(h, ...)	   harness_refused(h, ALICE, PRODUCT_SLB, __VA_ARGS__)
#define PL(h, ...)	   harness_call(h, ALICE, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define PL_GET(h, ...)	   harness_get(h, ALICE, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define PL_REFUSED(h, ...) harness_refused(h, ALICE, PRODUCT_PRIVATELINK, __VA_ARGS__)
#define ATTACH		   REGION "ServiceId=%s&ResourceType=slb&ResourceId=%s&ZoneId="

/* The value of BackendServers for one server. */
#define ONE_SERVER "&BackendServers=[{\"ServerId\":\"%s\"}]"

/* A VPC with vSwitches in two zones, an instance in each, and an instance in another VPC. */
struct world {
	const char *vpc, *vsw_h, *vsw_i, *sg, *web_h, *web_i, *eni_h, *other_vpc, *stranger;
};

static struct world make_world(struct harness *h)
{
	const char *vswitch, *group;
	struct world w;

	w.vpc = make_vpc(h);
	w.other_vpc = make_vpc(h);
	w.vsw_h = make_vswitch(h, w.vpc, "h", 1);
	w.vsw_i = make_vswitch(h, w.vpc, "i", 2);
	w.sg = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup", REGION "VpcId=%s",
			   w.vpc);
	w.web_h = run_instance(h, w.vsw_h, w.sg, "10.0.1.10");
	w.web_i = run_instance(h, w.vsw_i, w.sg, "10.0.2.10");
	w.eni_h = interface_of(h, w.web_h);
	vswitch = make_vswitch(h, w.other_vpc, "h", 1);
	group = harness_get(h, ALICE, PRODUCT_ECS, "SecurityGroupId", "CreateSecurityGroup",
			    REGION "VpcId=%s", w.other_vpc);
	w.stranger = run_instance(h, vswitch, group, "10.0.1.10");
	harness_in_force(h, "alpha");
	return w;
}

static const char *make_balancer(struct harness *h, const struct world *w)
{
	return GET(h, "LoadBalancerId", "CreateLoadBalancer",
		   REGION "AddressType=intranet&VSwitchId=%s&LoadBalancerName=front", w->vsw_h);
}

static size_t count(const struct harness *h, enum ref ref, const char *id)
{
	return snapshot_count_children(store_rows(h->store), ref, id);
}

/* Deletes it, and all of it is gone. */
static void drop_balancer(struct harness *h, const char *lb)
{
	size_t n_groups = count(h, REF_SERVER_GROUP_LOAD_BALANCER, lb);

	tap_ok(n_groups > 0 && CALL(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb),
	       "it can be deleted with %zu server groups of its own", n_groups);
	harness_in_force(h, "alpha");
	REFUSED(h, "InvalidLoadBalancerId.NotFound", "then it", "DescribeLoadBalancerAttribute",
		"LoadBalancerId=%s", lb);
	tap_is_int((long long)(count(h, REF_SERVER_GROUP_LOAD_BALANCER, lb) +
			       count(h, REF_LISTENER_LOAD_BALANCER, lb) + count(h, REF_PORT_HOLDER, lb) +
			       count(h, REF_TAG_RESOURCE, lb)),
		   0, "and all that belonged to it is gone");
}

/* A text of the load balancer, kept. */
static const char *text_of(struct harness *h, const char *lb, const char *member)
{
	CALL(h, "DescribeLoadBalancerAttribute", REGION "LoadBalancerId=%s", lb);
	return harness_keep(h, harness_text(h, member));
}

static const char *create_with_all(struct harness *h, const struct world *w)
{
	return GET(h, "LoadBalancerId", "CreateLoadBalancer",
		   REGION "AddressType=intranet&VpcId=%s&VSwitchId=%s&MasterZoneId=cn-hangzhou-h"
			  "&SlaveZoneId=cn-hangzhou-i&LoadBalancerSpec=slb.s2.small"
			  "&InstanceChargeType=PayBySpec&Address=10.0.1.77&LoadBalancerName=front"
			  "&DeleteProtection=on&Bandwidth=1&InternetChargeType=paybytraffic"
			  "&AddressIPVersion=ipv4&Tag.1.Key=env&Tag.1.Value=test&ClientToken=one",
		   w->vpc, w->vsw_h);
}

static void test_shown(struct harness *h, const struct world *w, const char *lb)
{
	tap_is_str(harness_text(h, "MasterZoneId"), "cn-hangzhou-h", "it shows its master zone");
	tap_is_str(harness_text(h, "SlaveZoneId"), "cn-hangzhou-i", "its slave zone");
	tap_is_str(harness_text(h, "VSwitchId"), w->vsw_h, "its vSwitch");
	tap_is_str(harness_text(h, "LoadBalancerSpec"), "slb.s2.small", "its size");
	tap_is_str(harness_text(h, "DeleteProtection"), "on", "its protection");
	tap_is_int(harness_number(h, "Bandwidth"), 5120, "a number as bandwidth");
	tap_is_int(harness_count_of(h, "ListenerPorts.ListenerPort"), 0, "no listeners");
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), 0, "no servers");
	tap_is_str(harness_text(h, "Tags.Tag.0.TagValue"), "test", "and its tag");
	CALL(h, "ListTagResources", REGION "ResourceType=instance&ResourceId.1=%s", lb);
	tap_is_str(harness_text(h, "TagResources.TagResource.0.TagKey"), "env", "which is listed, too");
	CALL(h, "UntagResources", REGION "ResourceType=instance&ResourceId.1=%s&TagKey.1=env", lb);
	CALL(h, "ListTagResources", REGION "ResourceType=instance&ResourceId.1=%s", lb);
	tap_is_int(harness_count_of(h, "TagResources.TagResource"), 0, "a list of no tags is there");
	harness_refused(h, ALICE, PRODUCT_VPC, "DependencyViolation", "with its address inside",
			"DeleteVSwitch", "VSwitchId=%s", w->vsw_h);
}

static void test_life(struct harness *h, const struct world *w)
{
	const char *lb = create_with_all(h, w);

	tap_ok(str_starts(lb, "lb-"), "a load balancer's id begins with lb-");
	tap_is_str(harness_text(h, "Address"), "10.0.1.77", "it has the wanted address");
	tap_is_str(harness_text(h, "NetworkType"), "vpc", "in a VPC");
	tap_is_str(create_with_all(h, w), lb, "the same call with its token makes no other");

	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "inactive", "a new one is inactive");
	harness_in_force(h, "alpha");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "active", "it is active when the node has reported");
	test_shown(h, w, lb);

	tap_ok(CALL(h, "SetLoadBalancerModificationProtection",
		    "LoadBalancerId=%s&ModificationProtectionStatus=ConsoleProtection"
		    "&ModificationProtectionReason=managed",
		    lb),
	       "consoles are told to leave it alone");
	tap_is_str(text_of(h, lb, "ModificationProtectionStatus"), "ConsoleProtection", "which shows");
	tap_is_str(harness_text(h, "ModificationProtectionReason"), "managed", "with the reason");
	tap_ok(CALL(h, "SetLoadBalancerName", "LoadBalancerId=%s&LoadBalancerName=back", lb),
	       "it is renamed");
	tap_is_str(text_of(h, lb, "LoadBalancerName"), "back", "which shows");
	tap_is_str(harness_text(h, "LoadBalancerStatus"), "active", "while it goes on");
	REFUSED(h, "OperationDenied.DeleteProtectionIsOn", "what is protected", "DeleteLoadBalancer",
		"LoadBalancerId=%s", lb);
	tap_ok(CALL(h, "SetLoadBalancerDeleteProtection", "LoadBalancerId=%s&DeleteProtection=off", lb),
	       "its protection is taken off");
	harness_in_force(h, "alpha");
	drop_balancer(h, lb);
}

static void test_stopping(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w);

	harness_in_force(h, "alpha");
	tap_ok(CALL(h, "SetLoadBalancerStatus", "LoadBalancerId=%s&LoadBalancerStatus=inactive", lb),
	       "it is stopped");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "active",
		   "it is active until the node has reported");
	harness_in_force(h, "alpha");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "inactive", "then inactive");
	tap_ok(CALL(h, "SetLoadBalancerName", "LoadBalancerId=%s&LoadBalancerName=idle", lb),
	       "also such a one can be renamed");
	harness_in_force(h, "alpha");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "inactive", "and stays inactive");
	CALL(h, "SetLoadBalancerStatus", "LoadBalancerId=%s&LoadBalancerStatus=active", lb);
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "inactive", "started, it is inactive for a while");
	harness_in_force(h, "alpha");
	tap_is_str(text_of(h, lb, "LoadBalancerStatus"), "active", "and then active again");
	CALL(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb);
	REFUSED(h, "ServiceIsStopping", "one that goes", "SetLoadBalancerStatus",
		"LoadBalancerId=%s&LoadBalancerStatus=inactive", lb);
	drop_balancer(h, lb);
}

/* How many load balancers a list with these filters has. */
static long long n_listed(struct harness *h, const char *filters)
{
	CALL(h, "DescribeLoadBalancers", REGION "%s", filters);
	return harness_number(h, "TotalCount");
}

static void test_lists(struct harness *h, const struct world *w)
{
	const char *a = make_balancer(h, w), *b;
	char filters[512];

	b = GET(h, "LoadBalancerId", "CreateLoadBalancer",
		REGION "VSwitchId=%s&MasterZoneId=cn-hangzhou-h&Address=10.0.2.88&LoadBalancerName=second&"
		       "Tag.1.Key=env",
		w->vsw_i);
	tap_is_str(text_of(h, b, "MasterZoneId"), "cn-hangzhou-h",
		   "the master zone may be another one than the address'");
	harness_in_force(h, "alpha");
	tap_is_int(n_listed(h, ""), 2, "the account's load balancers are listed");
	tap_is_int(harness_number(h, "PageSize"), 10, "page by page");
	tap_is_int(n_listed(h, "LoadBalancerName=second"), 1, "by name");
	tap_is_str(harness_text(h, "LoadBalancers.LoadBalancer.0.Address"), "10.0.2.88", "with the address");
	tap_is_int(n_listed(h, "Address=10.0.2.88"), 1, "by address");
	tap_is_int(n_listed(h, "Address=10.0.2.89"), 0, "which nobody else has");
	(void)str_format(filters, sizeof(filters), "LoadBalancerId=%s,%s&LoadBalancerStatus=active", a, b);
	tap_is_int(n_listed(h, filters), 2, "by ids and status");
	(void)str_format(filters, sizeof(filters), "VSwitchId=%s&VpcId=%s", w->vsw_i, w->vpc);
	tap_is_int(n_listed(h, filters), 1, "by vSwitch and VPC");
	tap_is_int(n_listed(h, "LoadBalancerStatus=inactive"), 0, "not by a status that none has");
	tap_is_int(n_listed(h, "AddressType=internet"), 0, "none has a public address");
	tap_is_int(n_listed(h, "Tag.1.Key=env"), 1, "by tag");
	CALL(h, "AddBackendServers", "LoadBalancerId=%s" ONE_SERVER, a, w->web_h);
	(void)str_format(filters, sizeof(filters), "ServerId=%s", w->web_h);
	tap_is_int(n_listed(h, filters), 1, "by server");
	tap_is_str(harness_text(h, "LoadBalancers.LoadBalancer.0.LoadBalancerId"), a, "which is the first's");
	drop_balancer(h, a);
	drop_balancer(h, b);
}

static void test_apart(struct harness *h, const struct world *w)
{
	const char *lb = GET(h, "LoadBalancerId", "CreateLoadBalancer", REGION "VSwitchId=%s&Tag.1.Key=env",
			     w->vsw_i),
		   *nlb;

	nlb = harness_get(h, ALICE, PRODUCT_NLB, "LoadbalancerId", "CreateLoadBalancer",
			  "AddressType=Intranet&VpcId=%s&ZoneMappings.1.ZoneId=cn-hangzhou-h&ZoneMappings.1."
			  "VSwitchId=%s&ZoneMappings.2.ZoneId=cn-hangzhou-i&ZoneMappings.2.VSwitchId=%s",
			  w->vpc, w->vsw_h, w->vsw_i);
	CALL(h, "AddBackendServers", "LoadBalancerId=%s" ONE_SERVER, lb, w->web_h);
	CALL(h, "CreateLoadBalancerTCPListener", "LoadBalancerId=%s&ListenerPort=1&BackendServerPort=1", lb);
	tap_is_int(n_listed(h, ""), 1, "load balancers of NLB are not listed here");
	REFUSED(h, "InvalidLoadBalancerId.NotFound", "one of NLB", "DescribeLoadBalancerAttribute",
		"LoadBalancerId=%s", nlb);
	REFUSED(h, "InvalidResourceId.NotFound", "a tag on one", "TagResources",
		"ResourceType=instance&ResourceId.1=%s&Tag.1.Key=a", nlb);
	harness_call(h, ALICE, PRODUCT_NLB, "ListLoadBalancers", REGION);
	tap_is_int(harness_count_of(h, "LoadBalancers"), 1, "nor classic ones there");
	harness_call(h, ALICE, PRODUCT_NLB, "ListServerGroups", REGION);
	tap_is_int(harness_count_of(h, "ServerGroups"), 0, "nor their server groups");
	harness_call(h, ALICE, PRODUCT_NLB, "ListListeners", REGION);
	tap_is_int(harness_count_of(h, "Listeners"), 0, "listeners");
	harness_call(h, ALICE, PRODUCT_NLB, "ListServerGroupServers", REGION);
	tap_is_int(harness_count_of(h, "Servers"), 0, "servers");
	harness_call(h, ALICE, PRODUCT_NLB, "ListTagResources",
		     REGION "ResourceType=loadbalancer&Tag.1.Key=env");
	tap_is_int(harness_count_of(h, "TagResources"), 0, "and tags");
	for (const struct listener *l = NULL;
	     (l = snapshot_next(store_rows(h->store), KIND_LISTENER, "", l));)
		harness_refused(h, ALICE, PRODUCT_NLB, "ResourceNotFound.listener", "its listener there",
				"DeleteListener", "ListenerId=%s", l->id);
	harness_refused(h, ALICE, PRODUCT_NLB, "ResourceNotFound.loadBalancer", "itself there",
			"DeleteLoadBalancer", "LoadBalancerId=%s", lb);
	harness_call(h, ALICE, PRODUCT_NLB, "DeleteLoadBalancer", "LoadBalancerId=%s", nlb);
	drop_balancer(h, lb);
}

static void test_places(struct harness *h)
{
	CALL(h, "DescribeAvailableResource", REGION "AddressType=vpc&AddressIPVersion=ipv4");
	tap_ok(harness_count_of(h, "AvailableResources.AvailableResource") >= 2, "there are pairs of zones");
	tap_ok(!streq(harness_text(h, "AvailableResources.AvailableResource.0.MasterZoneId"),
		      harness_text(h, "AvailableResources.AvailableResource.0.SlaveZoneId")),
	       "of two different ones");
	CALL(h, "DescribeAvailableResource", REGION "AddressType=classic_internet");
	tap_is_int(harness_count_of(h, "AvailableResources.AvailableResource"), 0,
		   "none for public addresses");
	CALL(h, "DescribeZones", REGION);
	tap_ok(harness_count_of(h, "Zones.Zone.0.SlaveZones.SlaveZone") >= 1, "a zone names its slave zones");
	CALL(h, "DescribeRegions", REGION);
	tap_ok(harness_count_of(h, "Regions.Region") >= 2, "there are regions");
}

static void test_bad_balancers(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"OperationDenied.AddressTypeNotSupported", "a public address", "AddressType=internet"},
		{"InvalidMasterZoneId.NotFound", "an unknown master zone", "MasterZoneId=cn-hangzhou-z"},
		{"InvalidSlaveZoneId.NotFound", "an unknown slave zone", "SlaveZoneId=cn-hangzhou-z"},
		{"InvalidParameter.SlaveZoneId", "one zone twice", "SlaveZoneId=cn-hangzhou-h"},
		{"InvalidParameter.Address", "no address", "Address=x"},
		{"InvalidParameter.Address", "an address of another vSwitch", "Address=10.0.2.5"},
		{"InvalidIPAddress.AlreadyUsed", "a taken address", "Address=10.0.1.10"},
		{"InvalidLoadBalancerName.Malformed", "a bad name", "LoadBalancerName=-"},
		{"InvalidParameter.LoadBalancerSpec", "an unknown size", "LoadBalancerSpec=huge"},
		{"InvalidParameter.PayType", "payment in advance", "PayType=PrePay"},
		{"InvalidParameter.ModificationProtectionReason", "a bad reason",
		 "ModificationProtectionStatus=ConsoleProtection&ModificationProtectionReason=-"},
		{"InvalidParameter.AddressIPVersion", "IPv6", "AddressIPVersion=ipv6"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "CreateLoadBalancer", REGION "VSwitchId=%s&%s",
			w->vsw_h, cases[i].params);
	REFUSED(h, "MissingVSwitchId", "no vSwitch", "CreateLoadBalancer", REGION);
	REFUSED(h, "InvalidVSwitchId.NotFound", "an unknown vSwitch", "CreateLoadBalancer",
		REGION "VSwitchId=vsw-none");
	REFUSED(h, "InvalidParameter.VSwitchId", "another VPC than the vSwitch's", "CreateLoadBalancer",
		REGION "VSwitchId=%s&VpcId=%s", w->vsw_h, w->other_vpc);
}

static void test_bad_servers(struct harness *h, const struct world *w, const char *lb)
{
	REFUSED(h, "BackendServer.Exist", "a server that is there", "AddBackendServers",
		"LoadBalancerId=%s" ONE_SERVER, lb, w->web_h);
	REFUSED(h, "BackendServer.Exist", "the same by its interface", "AddBackendServers",
		"LoadBalancerId=%s" ONE_SERVER, lb, w->eni_h);
	REFUSED(h, "BackendServer.NotFound", "one that is not there", "SetBackendServers",
		"LoadBalancerId=%s" ONE_SERVER, lb, w->stranger);
	REFUSED(h, "Mismatch.VpcId", "one of another VPC", "AddBackendServers",
		"LoadBalancerId=%s" ONE_SERVER, lb, w->stranger);
	REFUSED(h, "InvalidInstanceId.NotFound", "no instance", "AddBackendServers",
		"LoadBalancerId=%s" ONE_SERVER, lb, "i-none");
	REFUSED(h, "ResourceNotFound.Eni", "no interface", "AddBackendServers",
		"LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"i-x\",\"Type\":\"eni\"}]", lb);
	REFUSED(h, "InvalidParameter.BackendServers", "no array", "AddBackendServers",
		"LoadBalancerId=%s&BackendServers=web", lb);
	REFUSED(h, "InvalidParameter.BackendServers", "an empty array", "AddBackendServers",
		"LoadBalancerId=%s&BackendServers=[]", lb);
	REFUSED(h, "InvalidParameter.BackendServers.1.Weight", "a large weight", "SetBackendServers",
		"LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\",\"Weight\":101}]", lb, w->web_h);
	REFUSED(h, "MissingParameter.BackendServers.1.ServerId", "a server without an id",
		"AddBackendServers", "LoadBalancerId=%s&BackendServers=[{}]", lb);
}

static void test_servers(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w);

	harness_in_force(h, "alpha");
	tap_ok(CALL(h, "AddBackendServers",
		    REGION
		    "LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\",\"Weight\":\"30\",\"Type\":"
		    "\"ecs\",\"Port\":\"80\",\"Description\":\"first\"},{\"ServerId\":\"%s\"}]",
		    lb, w->web_h, w->web_h),
	       "a server is added; named twice it is one");
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), 1, "the answer has the servers");
	tap_is_int(harness_number(h, "BackendServers.BackendServer.0.Weight"), 30, "with weights");
	harness_in_force(h, "alpha");
	CALL(h, "CreateLoadBalancerTCPListener", "LoadBalancerId=%s&ListenerPort=80&BackendServerPort=8080",
	     lb);
	tap_ok(CALL(h, "AddBackendServers",
		    "LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\",\"Weight\":5}]", lb, w->web_i),
	       "another one behind a listener");
	harness_in_force(h, "alpha");
	CALL(h, "DescribeHealthStatus", "LoadBalancerId=%s&ListenerPort=80&ListenerProtocol=tcp", lb);
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), 2, "the listener has both");
	tap_is_int(harness_number(h, "BackendServers.BackendServer.1.Port"), 8080, "at its own port");
	tap_is_str(harness_text(h, "BackendServers.BackendServer.0.ServerHealthStatus"), "unavailable",
		   "of whose health nothing is known while it is stopped");
	tap_ok(CALL(h, "SetBackendServers",
		    "LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\",\"Weight\":7}]", lb, w->web_i),
	       "its weight is changed");
	CALL(h, "DescribeLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), 2, "the load balancer shows both");
	tap_is_int(harness_number(h, "BackendServers.BackendServer.0.Weight") +
			   harness_number(h, "BackendServers.BackendServer.1.Weight"),
		   37, "with their weights");
	for (const struct server *s = NULL; (s = snapshot_next(store_rows(h->store), KIND_SERVER, "", s));)
		tap_is_int(s->weight, streq(s->server_id, w->web_h) ? 30 : 7,
			   "in each group, here at port %u", s->port);
	test_bad_servers(h, w, lb);

	tap_ok(CALL(h, "RemoveBackendServers", "LoadBalancerId=%s" ONE_SERVER, lb, w->web_h),
	       "a server is removed");
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), 1, "the answer has the other one");
	REFUSED(h, "BackendServer.configuring", "one that is being removed", "AddBackendServers",
		"LoadBalancerId=%s" ONE_SERVER, lb, w->web_h);
	harness_in_force(h, "alpha");
	CALL(h, "DescribeHealthStatus", "LoadBalancerId=%s", lb);
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), 1, "the listener has lost it, too");
	tap_ok(CALL(h, "RemoveBackendServers", "LoadBalancerId=%s" ONE_SERVER, lb, w->web_h),
	       "to remove it again is no error");
	REFUSED(h, "InvalidParameter.BackendServers", "another address than the server's",
		"AddBackendServers",
		"LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\",\"ServerIp\":\"10.0.1.11\"}]", lb,
		w->eni_h);
	tap_ok(CALL(h, "AddBackendServers",
		    "LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\",\"Type\":\"eni\","
		    "\"ServerIp\":\"10.0.1.10\"}]",
		    lb, w->eni_h),
	       "it comes back by its interface");
	drop_balancer(h, lb);
}

static const char *listener_status(struct harness *h, const char *lb, const char *protocol, int port)
{
	char action[64];

	(void)str_format(action, sizeof(action), "DescribeLoadBalancer%sListenerAttribute", protocol);
	return CALL(h, action, "LoadBalancerId=%s&ListenerPort=%d", lb, port)
		       ? harness_keep(h, harness_text(h, "Status"))
		       : h->error.code;
}

/* What a node found out of a server at a listener. */
static struct server_health health_of(struct harness *h, const char *lb, const char *protocol,
				      const char *server, bool healthy)
{
	struct server_health health = {.healthy = healthy};

	for (const struct listener *l = NULL;
	     (l = snapshot_children(store_rows(h->store), REF_LISTENER_LOAD_BALANCER, lb, l));) {
		if (!streq(l->protocol, protocol))
			continue;
		health.port = l->backend_port;
		(void)str_copy(health.group, ID_SIZE, l->server_group);
	}
	(void)str_copy(health.server_id, sizeof(health.server_id), server);
	(void)str_copy(health.node, sizeof(health.node), "alpha");
	if (!healthy)
		(void)str_copy(health.reason, sizeof(health.reason), "CONNECT_TIMEOUT");
	return health;
}

static void test_health(struct harness *h, const struct world *w, const char *lb)
{
	struct server_health health[2] = {health_of(h, lb, "TCP", w->web_h, true),
					  health_of(h, lb, "TCP", w->web_i, false)};
	char path[64];

	harness_report(h, "alpha", health, 2);
	CALL(h, "DescribeHealthStatus", "LoadBalancerId=%s&ListenerPort=443&ListenerProtocol=tcp", lb);
	for (int i = 0; i < 2; i++) {
		bool is_h;

		(void)str_format(path, sizeof(path), "BackendServers.BackendServer.%d.ServerId", i);
		is_h = streq(harness_text(h, path), w->web_h);
		(void)str_format(path, sizeof(path), "BackendServers.BackendServer.%d.ServerHealthStatus", i);
		tap_is_str(harness_text(h, path), is_h ? "normal" : "abnormal",
			   "what the node found out of a server shows");
	}
	CALL(h, "DescribeHealthStatus", "LoadBalancerId=%s&ListenerProtocol=udp", lb);
	tap_is_str(harness_text(h, "BackendServers.BackendServer.0.ServerHealthStatus"), "unavailable",
		   "nothing of those of UDP");
}

static void test_settings(struct harness *h, const char *lb)
{
	tap_ok(CALL(h, "SetLoadBalancerTCPListenerAttribute",
		    "LoadBalancerId=%s&ListenerPort=443&EstablishedTimeout=60&HealthCheckSwitch=off", lb),
	       "a listener's settings are changed");
	tap_is_str(listener_status(h, lb, "TCP", 443), "configuring", "it is configuring meanwhile");
	tap_is_int(harness_number(h, "EstablishedTimeout"), 60, "which shows");
	tap_is_str(harness_text(h, "HealthCheck"), "off", "and probing is off");
	tap_is_int(harness_number(h, "HealthyThreshold"), 4, "the others stay");
	tap_ok(json_is_false(harness_at(h->answer, "ProxyProtocolV2Enabled")), "there are no PROXY headers");
	CALL(h, "SetLoadBalancerTCPListenerAttribute",
	     "LoadBalancerId=%s&ListenerPort=443&ProxyProtocolV2Enabled=true", lb);
	CALL(h, "DescribeLoadBalancerTCPListenerAttribute", "LoadBalancerId=%s&ListenerPort=443", lb);
	tap_ok(json_is_true(harness_at(h->answer, "ProxyProtocolV2Enabled")), "until they are asked for");
	REFUSED(h, "InvalidParameter.ProxyProtocolV2Enabled", "of UDP", "SetLoadBalancerUDPListenerAttribute",
		"LoadBalancerId=%s&ListenerPort=443&ProxyProtocolV2Enabled=true", lb);
	tap_ok(CALL(h, "SetLoadBalancerUDPListenerAttribute",
		    "LoadBalancerId=%s&ListenerPort=443&HealthCheckConnectPort=22", lb),
	       "UDP servers are probed at a TCP port");
	CALL(h, "DescribeLoadBalancerUDPListenerAttribute", "LoadBalancerId=%s&ListenerPort=443", lb);
	tap_is_str(harness_text(h, "HealthCheck"), "on", "which is shown");
	harness_in_force(h, "alpha");
}

static void make_listeners(struct harness *h, const char *lb)
{
	tap_ok(CALL(h, "CreateLoadBalancerTCPListener",
		    REGION "LoadBalancerId=%s&ListenerPort=443&BackendServerPort=8443&Bandwidth=-1"
			   "&Scheduler=wrr&EstablishedTimeout=500&healthCheckInterval=3&HealthyThreshold=4"
			   "&Description=the+web",
		    lb),
	       "a listener of TCP is made");
	tap_is_str(listener_status(h, lb, "TCP", 443), "stopped", "it is stopped");
	tap_is_int(harness_number(h, "BackendServerPort"), 8443, "shows the port of the servers");
	tap_is_int(harness_number(h, "EstablishedTimeout"), 500, "its time-out");
	tap_is_int(harness_number(h, "HealthCheckInterval"), 3, "how often is probed");
	tap_is_int(harness_number(h, "HealthyThreshold"), 4, "how often a server must answer");
	tap_is_str(harness_text(h, "HealthCheck"), "on", "that it is probed");
	tap_is_int(harness_number(h, "Bandwidth"), -1, "and no limit");
	tap_ok(CALL(h, "CreateLoadBalancerUDPListener",
		    "LoadBalancerId=%s&ListenerPort=443&BackendServerPort=53", lb),
	       "one of UDP has the same port");
	CALL(h, "DescribeLoadBalancerUDPListenerAttribute", "LoadBalancerId=%s&ListenerPort=443", lb);
	tap_is_str(harness_text(h, "HealthCheck"), "off", "UDP servers are not probed by themselves");
	harness_in_force(h, "alpha");
	tap_is_str(listener_status(h, lb, "TCP", 443), "stopped", "listeners stay stopped");
	REFUSED(h, "MissingListenerProtocol", "two of which one is meant", "StartLoadBalancerListener",
		"LoadBalancerId=%s&ListenerPort=443", lb);
	tap_ok(CALL(h, "StartLoadBalancerListener", "LoadBalancerId=%s&ListenerPort=443&ListenerProtocol=tcp",
		    lb) &&
		       CALL(h, "StartLoadBalancerListener",
			    "LoadBalancerId=%s&ListenerPort=443&ListenerProtocol=udp", lb),
	       "they are started");
	tap_is_str(listener_status(h, lb, "TCP", 443), "starting", "and are starting");
	REFUSED(h, "ServiceIsConfiguring", "what is starting", "StopLoadBalancerListener",
		"LoadBalancerId=%s&ListenerPort=443&ListenerProtocol=tcp", lb);
	harness_in_force(h, "alpha");
	tap_is_str(listener_status(h, lb, "TCP", 443), "running", "and run when the node has reported");
	CALL(h, "DescribeLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_is_int(harness_number(h, "ListenerPorts.ListenerPort.1"), 443,
		   "the load balancer names the ports");
	tap_is_int(harness_count_of(h, "ListenerPortsAndProtocol.ListenerPortAndProtocol"), 2, "of both");
}

static void test_listeners(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w);

	CALL(h, "AddBackendServers",
	     "LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\"},{\"ServerId\":\"%s\"}]", lb, w->web_h,
	     w->web_i);
	make_listeners(h, lb);
	test_health(h, w, lb);
	test_settings(h, lb);
	tap_ok(CALL(h, "StopLoadBalancerListener", "LoadBalancerId=%s&ListenerPort=443&ListenerProtocol=tcp",
		    lb),
	       "it is stopped");
	tap_is_str(listener_status(h, lb, "TCP", 443), "stopping", "it is stopping");
	harness_in_force(h, "alpha");
	tap_is_str(listener_status(h, lb, "TCP", 443), "stopped", "then stopped");
	tap_ok(CALL(h, "DeleteLoadBalancerListener",
		    "LoadBalancerId=%s&ListenerPort=443&ListenerProtocol=tcp", lb),
	       "and deleted");
	REFUSED(h, "ServiceIsStopping", "its port while it goes", "CreateLoadBalancerTCPListener",
		"LoadBalancerId=%s&ListenerPort=443&BackendServerPort=1", lb);
	harness_in_force(h, "alpha");
	REFUSED(h, "ListenerNotFound", "a deleted one", "DescribeLoadBalancerTCPListenerAttribute",
		"LoadBalancerId=%s&ListenerPort=443", lb);
	tap_is_int((long long)count(h, REF_SERVER_GROUP_LOAD_BALANCER, lb), 2,
		   "its server group went with it");
	tap_ok(CALL(h, "StopLoadBalancerListener", "LoadBalancerId=%s&ListenerPort=443", lb),
	       "the only one with a port needs no protocol");
	drop_balancer(h, lb);
}

static void test_bad_listeners(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *params;
	} cases[] = {
		{"InvalidParameter.Bandwidth", "a limit", "Bandwidth=10"},
		{"InvalidParameter.Scheduler", "another scheduler", "Scheduler=rr"},
		{"InvalidParameter.PersistenceTimeout", "sessions", "PersistenceTimeout=10"},
		{"InvalidParameter.ConnectionDrain", "draining", "ConnectionDrain=on"},
		{"InvalidParameter.AclStatus", "a list of clients", "AclStatus=on"},
		{"InvalidParameter.VServerGroupId", "a group of servers", "VServerGroupId=rsp-1"},
		{"InvalidParameter.HealthCheckType", "probes by HTTP", "HealthCheckType=http"},
		{"InvalidParameter.EstablishedTimeout", "a long idle time", "EstablishedTimeout=901"},
		{"InvalidParameter.Description", "an address as description", "Description=http://a"},
	};
	const char *lb = make_balancer(h, w);

	CALL(h, "CreateLoadBalancerTCPListener", "LoadBalancerId=%s&ListenerPort=1&BackendServerPort=1", lb);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		REFUSED(h, cases[i].code, cases[i].why, "CreateLoadBalancerTCPListener",
			"LoadBalancerId=%s&ListenerPort=2&BackendServerPort=1&%s", lb, cases[i].params);
	REFUSED(h, "InvalidParameter.ListenerPort", "port 0", "CreateLoadBalancerTCPListener",
		"LoadBalancerId=%s&ListenerPort=0&BackendServerPort=1", lb);
	REFUSED(h, "InvalidParameter.BackendServerPort", "port 65536", "CreateLoadBalancerTCPListener",
		"LoadBalancerId=%s&ListenerPort=2&BackendServerPort=65536", lb);
	REFUSED(h, "MissingBackendServerPort", "no port of the servers", "CreateLoadBalancerTCPListener",
		"LoadBalancerId=%s&ListenerPort=2", lb);
	REFUSED(h, "ListenerAlreadyExists", "a port that is taken", "CreateLoadBalancerTCPListener",
		"LoadBalancerId=%s&ListenerPort=1&BackendServerPort=1", lb);
	REFUSED(h, "InvalidParameter.HealthCheckSwitch", "probes of UDP", "CreateLoadBalancerUDPListener",
		"LoadBalancerId=%s&ListenerPort=1&BackendServerPort=1&HealthCheckSwitch=on", lb);
	REFUSED(h, "ListenerNotFound", "an unknown one", "StartLoadBalancerListener",
		"LoadBalancerId=%s&ListenerPort=9", lb);
	REFUSED(h, "ListenerNotFound", "one of the other protocol", "SetLoadBalancerUDPListenerAttribute",
		"LoadBalancerId=%s&ListenerPort=1&Description=none", lb);
	drop_balancer(h, lb);
}

static void test_many_listeners(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w);
	int n = 0;

	while (CALL(h, "CreateLoadBalancerUDPListener",
		    "LoadBalancerId=%s&ListenerPort=%d&BackendServerPort=1", lb, 100 + n))
		n++;
	tap_is_int(n, LISTENERS_PER_BALANCER_MAX, "there are as many listeners as the quota");
	tap_is_str(h->error.code, "QuotaExceeded.ListenersNum", "one more is refused by its code");
	REFUSED(h, "QuotaExceeded.ServersNum", "more servers in a call than with all these fit",
		"AddBackendServers",
		"LoadBalancerId=%s&BackendServers=[{\"ServerId\":\"%s\"},{\"ServerId\":\"%s\"}]", lb,
		w->web_h, w->web_i);
	tap_ok(CALL(h, "AddBackendServers", "LoadBalancerId=%s" ONE_SERVER, lb, w->web_h), "one always fits");
	harness_in_force(h, "alpha");
	CALL(h, "DescribeHealthStatus", "LoadBalancerId=%s", lb);
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), LISTENERS_PER_BALANCER_MAX,
		   "and is behind each of them");
	tap_ok(harness_call(h, ALICE, PRODUCT_NLB, "CreateServerGroup", "ServerGroupName=own&VpcId=%s",
			    w->vpc),
	       "the caller's own server groups are another thing");
	drop_balancer(h, lb);
}

/* 256 characters, of four bytes each. */
static void longest_description(char ret[TEXT_SIZE])
{
	for (size_t i = 0; i < TEXT_SIZE - 1; i += 4)
		memcpy(ret + i, "\xf0\xa0\xae\xb7", 4);
	ret[TEXT_SIZE - 1] = '\0';
}

/* The largest answers that there are, kept for their tokens: a repetition gets the first one again. */
static void check_repeated(struct harness *h, const char *action, const char *form)
{
	json_t *first = json_incref(harness_run(h, ALICE, PRODUCT_SLB, action, form));
	uint64_t revision = store_durable_revision(h->store);

	if (!tap_ok(first, "%s with a token and %d servers", action, BACKENDS_PER_BALANCER_MAX))
		tap_note("got '%s' (%s)", h->error.code, h->error.message);
	tap_ok(first && json_equal(first, harness_run(h, ALICE, PRODUCT_SLB, action, form)) &&
		       store_durable_revision(h->store) == revision,
	       "%s again with its token: the same answer, and no change", action);
	json_decref(first);
}

static void check_tokens(struct harness *h, const char *lb, const char *server, const char *description)
{
	char form[4096];

	(void)str_format(form, sizeof(form),
			 "LoadBalancerId=%s&ClientToken=set&BackendServers="
			 "[{\"ServerId\":\"%s\",\"Weight\":7,\"Description\":\"%s\"}]",
			 lb, server, description);
	check_repeated(h, "SetBackendServers", form);
	(void)str_format(form, sizeof(form), "LoadBalancerId=%s&ClientToken=remove" ONE_SERVER, lb, server);
	check_repeated(h, "RemoveBackendServers", form);
	harness_in_force(h, "alpha");
	(void)str_format(form, sizeof(form),
			 "LoadBalancerId=%s&ClientToken=add&BackendServers="
			 "[{\"ServerId\":\"%s\",\"Description\":\"%s\"}]",
			 lb, server, description);
	check_repeated(h, "AddBackendServers", form);
}

static void test_many_servers(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w), *server = "", *last = "";
	char address[32], description[TEXT_SIZE];
	int n = 0;

	longest_description(description);
	for (int i = 20; i < 120; i++) {
		(void)str_format(address, sizeof(address), "10.0.2.%d", i);
		server = run_instance(h, w->vsw_i, w->sg, address);
		if (!CALL(h, "AddBackendServers",
			  "LoadBalancerId=%s&ClientToken=server-%d&BackendServers="
			  "[{\"ServerId\":\"%s\",\"Description\":\"%s\"}]",
			  lb, i, server, description))
			break;
		last = server;
		n++;
	}
	tap_is_int(n, BACKENDS_PER_BALANCER_MAX, "a load balancer has as many servers as are allowed");
	tap_is_str(h->error.code, "QuotaExceeded.ServersNum", "one more is refused by its code");
	tap_ok(CALL(h, "CreateLoadBalancerTCPListener",
		    "LoadBalancerId=%s&ListenerPort=1&BackendServerPort=1", lb),
	       "a listener with all of them fits one transaction");
	check_tokens(h, lb, last, description);
	drop_balancer(h, lb);
}

static void test_many_balancers(struct harness *h, const struct world *w)
{
	const char *lb = "", *first = make_balancer(h, w);
	int n = 1;

	CALL(h, "AddBackendServers", "LoadBalancerId=%s" ONE_SERVER, first, w->web_h);
	while (n <= SERVERS_PER_PORT_MAX) {
		lb = make_balancer(h, w);
		if (!CALL(h, "AddBackendServers", "LoadBalancerId=%s" ONE_SERVER, lb, w->web_h))
			break;
		n++;
	}
	tap_is_int(n, SERVERS_PER_PORT_MAX, "an instance is behind as many load balancers as are allowed");
	tap_is_str(h->error.code, "QuotaExceeded.ServersNum", "one more is refused by its code");
	REFUSED(h, "QuotaExceeded.ServersNum", "also by a listener", "CreateLoadBalancerTCPListener",
		"LoadBalancerId=%s&ListenerPort=1&BackendServerPort=1", first);
	for (n++; CALL(h, "CreateLoadBalancer", REGION "VSwitchId=%s", w->vsw_h);)
		n++;
	tap_is_int(n, LOAD_BALANCERS_PER_ACCOUNT_MAX, "an account has as many load balancers as its quota");
	tap_is_str(h->error.code, "QuotaExceeded.LoadBalancersNum", "one more is refused by its code");
	tap_ok(harness_call(h, ALICE, PRODUCT_ECS, "DeleteInstance", "InstanceId=%s&Force=true", w->web_h),
	       "an instance behind many can be deleted");
	harness_in_force(h, "alpha");
	CALL(h, "DescribeLoadBalancerAttribute", "LoadBalancerId=%s", first);
	tap_is_int(harness_count_of(h, "BackendServers.BackendServer"), 0, "and is behind none of them then");
}

/* The resources of the service: a text of the first. */
static const char *resource(struct harness *h, const char *service, const char *member)
{
	char path[64];

	(void)str_format(path, sizeof(path), "Resources.0.%s", member);
	PL(h, "ListVpcEndpointServiceResources", REGION "ServiceId=%s&MaxResults=50", service);
	return harness_keep(h, harness_text(h, path));
}

static void test_attaching(struct harness *h, const struct world *w, const char *lb, const char *service)
{
	const char *for_nlb =
		PL_GET(h, "ServiceId", "CreateVpcEndpointService", REGION "ServiceResourceType=nlb");

	PL_REFUSED(h, "LoadBalancerNotFound", "as one of NLB", "AttachResourceToVpcEndpointService",
		   REGION "ServiceId=%s&ResourceType=nlb&ResourceId=%s&ZoneId=cn-hangzhou-h", for_nlb, lb);
	PL_REFUSED(h, "Mismatch.ResourceType", "at a service for NLB", "AttachResourceToVpcEndpointService",
		   ATTACH, for_nlb, lb);
	PL_REFUSED(h, "EndpointServiceNotSupportedZone", "in its slave zone",
		   "AttachResourceToVpcEndpointService", ATTACH "cn-hangzhou-i", service, lb);
	PL_REFUSED(h, "LoadBalancerNotFound", "an unknown one", "AttachResourceToVpcEndpointService", ATTACH,
		   service, "lb-none");
	tap_ok(PL(h, "AttachResourceToVpcEndpointService", ATTACH, service, lb),
	       "it is attached without a zone");
	tap_is_str(resource(h, service, "ResourceType"), "slb", "and listed with its type");
	tap_is_str(harness_text(h, "Resources.0.ZoneId"), "cn-hangzhou-h", "its zone");
	tap_is_str(harness_text(h, "Resources.0.VSwitchId"), w->vsw_h, "its vSwitch");
	tap_ok(str_starts(harness_text(h, "Resources.0.Ip"), "10.0.1."), "and its address");
	PL_REFUSED(h, "EndpointServiceResourceExist", "twice", "AttachResourceToVpcEndpointService",
		   ATTACH "cn-hangzhou-h", service, lb);
	PL_REFUSED(h, "EndpointServiceResourceTypeNotEqual", "another type beside it",
		   "AttachResourceToVpcEndpointService",
		   REGION "ServiceId=%s&ResourceType=nlb&ResourceId=nlb-1&ZoneId=cn-hangzhou-h", service);
	PL(h, "DeleteVpcEndpointService", REGION "ServiceId=%s", for_nlb);
	harness_in_force(h, "alpha");
}

static void test_behind_a_service(struct harness *h, const struct world *w)
{
	const char *lb = GET(h, "LoadBalancerId", "CreateLoadBalancer",
			     REGION "VSwitchId=%s&SlaveZoneId=cn-hangzhou-i", w->vsw_h),
		   *service, *endpoint;

	service = PL_GET(h, "ServiceId", "CreateVpcEndpointService", REGION "AutoAcceptEnabled=true");
	harness_in_force(h, "alpha");
	PL(h, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service);
	tap_is_str(harness_text(h, "ServiceResourceType"), "slb", "services are for slb if they say nothing");
	test_attaching(h, w, lb, service);
	endpoint = PL_GET(
		h, "EndpointId", "CreateVpcEndpoint",
		REGION
		"VpcId=%s&ServiceId=%s&SecurityGroupId.1=%s&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=%s",
		w->vpc, service, w->sg, w->vsw_h);
	harness_in_force(h, "alpha");
	PL(h, "GetVpcEndpointAttribute", REGION "EndpointId=%s", endpoint);
	tap_is_str(harness_text(h, "ConnectionStatus"), "Connected", "an endpoint connects through it");
	PL_REFUSED(h, "EndpointServiceNotSupportedZone", "a zone that it does not serve",
		   "AddZoneToVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-i&VSwitchId=%s", endpoint,
		   w->vsw_i);
	PL_REFUSED(h, "EndpointServiceConnectionDependence", "while it is connected",
		   "DetachResourceFromVpcEndpointService", ATTACH, service, lb);
	REFUSED(h, "ResourceInUse.LoadBalancer", "while a service uses it", "DeleteLoadBalancer",
		"LoadBalancerId=%s", lb);
	PL(h, "RemoveZoneFromVpcEndpoint", REGION "EndpointId=%s&ZoneId=cn-hangzhou-h", endpoint);
	harness_in_force(h, "alpha");
	tap_ok(PL(h, "DeleteVpcEndpoint", REGION "EndpointId=%s", endpoint), "the endpoint is deleted");
	harness_in_force(h, "alpha");
	PL_REFUSED(h, "EndpointServiceResourceNotFound", "an unknown one",
		   "DetachResourceFromVpcEndpointService", ATTACH, service, "lb-none");
	tap_ok(PL(h, "DetachResourceFromVpcEndpointService", ATTACH, service, lb),
	       "it is detached without a zone");
	(void)resource(h, service, "ResourceId");
	tap_is_int(harness_count_of(h, "Resources"), 0, "and listed no longer");
	CALL(h, "SetLoadBalancerStatus", "LoadBalancerId=%s&LoadBalancerStatus=inactive", lb);
	PL_REFUSED(h, "LoadBalancerNotSupportPrivateLink", "one that is stopped",
		   "AttachResourceToVpcEndpointService", ATTACH, service, lb);
	harness_in_force(h, "alpha");
	PL(h, "DeleteVpcEndpointService", REGION "ServiceId=%s", service);
	drop_balancer(h, lb);
}

/* A service that goes takes its resources along: when it is not found any more they are free. */
static void test_deleted_service(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w), *service;

	harness_in_force(h, "alpha");
	service = PL_GET(h, "ServiceId", "CreateVpcEndpointService",
			 REGION "Resource.1.ResourceType=slb&Resource.1.ResourceId=%s", lb);
	tap_is_str(resource(h, service, "ResourceId"), lb, "a service is made with it");
	harness_in_force(h, "alpha");
	tap_ok(PL(h, "DeleteVpcEndpointService", REGION "ServiceId=%s", service),
	       "and deleted with it still attached");
	harness_in_force(h, "alpha");
	PL_REFUSED(h, "EndpointServiceNotFound", "it then", "ListVpcEndpointServiceResources",
		   REGION "ServiceId=%s", service);
	drop_balancer(h, lb);
}

int main(void)
{
	struct harness h;
	struct world w;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	w = make_world(&h);
	test_life(&h, &w);
	test_stopping(&h, &w);
	test_lists(&h, &w);
	test_apart(&h, &w);
	test_places(&h);
	test_bad_balancers(&h, &w);
	test_servers(&h, &w);
	test_listeners(&h, &w);
	test_bad_listeners(&h, &w);
	test_many_listeners(&h, &w);
	test_behind_a_service(&h, &w);
	test_deleted_service(&h, &w);
	test_many_servers(&h, &w);
	test_many_balancers(&h, &w);
	harness_end(&h);
	return tap_done();
}
