/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own administration: accounts and their keys, nodes that report, are lost or hold, and what serves the
 * system's services.
 */
#include "api_harness.h"

#include "api/common/quota_defaults.h"

#define ADMIN(h, ...)	      harness_call(h, ROOT, PRODUCT_PRIVLINK, __VA_ARGS__)
#define ADMIN_REFUSED(h, ...) harness_refused(h, ROOT, PRODUCT_PRIVLINK, __VA_ARGS__)
#define REGION		      "RegionId=cn-hangzhou&"

/* ---- accounts ---- */

static void test_accounts(struct harness *h)
{
	long long uid;

	ADMIN(h, "CreateAccount", "AccountName=carol");
	uid = harness_number(h, "AccountId");
	tap_ok(uid >= 1000000000000000 && uid < 9007199254740992,
	       "an account's number has 16 digits and fits a double");
	tap_ok(!snapshot_account(store_rows(h->store), uid)->is_admin,
	       "it is no administrator unless asked for");
	ADMIN_REFUSED(h, "AccountExist", "a name that is taken", "CreateAccount", "AccountName=carol");
	ADMIN_REFUSED(h, "InvalidParameter.AccountName", "a name of one character", "CreateAccount",
		      "AccountName=c");
	ADMIN_REFUSED(h, "MissingAccountName", "no name", "CreateAccount", "%s", "");
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "an account that is no administrator",
			"CreateAccount", "AccountName=dave");
	ADMIN(h, "CreateAccount", "AccountName=second&Admin=true");
	tap_ok(snapshot_account(store_rows(h->store), harness_number(h, "AccountId"))->is_admin,
	       "an administrator can make another");
	ADMIN(h, "ListAccounts", "%s", "");
	tap_is_int(harness_number(h, "TotalCount"), 5, "all accounts are listed");

	for (int i = (int)snapshot_count(store_rows(h->store), KIND_ACCOUNT, ""); i < ACCOUNTS_MAX; i++) {
		struct account account = {.uid = 2000000000000000 + i};

		(void)str_format(account.name, sizeof(account.name), "filler%d", i);
		harness_put(h, KIND_ACCOUNT, &account);
	}
	ADMIN_REFUSED(h, "QuotaExceeded.Account", "an account above the limit", "CreateAccount",
		      "AccountName=last");
}

static void test_access_keys(struct harness *h)
{
	const char *id, *secret;

	ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ALICE);
	id = harness_keep(h, harness_text(h, "AccessKeyId"));
	secret = harness_keep(h, harness_text(h, "AccessKeySecret"));
	tap_ok(str_starts(id, "PLAK") && strlen(id) == 24, "a key has an id");
	tap_is_int((long long)strlen(secret), 30, "and a secret of 30 characters");
	ADMIN(h, "ListAccessKeys", "AccountId=%lld", (long long)ALICE);
	tap_is_str(harness_text(h, "AccessKeys.0.AccessKeyId"), id, "it is listed");
	tap_ok(!harness_at(h->answer, "AccessKeys.0.AccessKeySecret"), "without its secret");
	tap_is_str(harness_text(h, "AccessKeys.0.Status"), "Active", "as active");
	ADMIN(h, "UpdateAccessKey", "AccessKeyId=%s&Status=Inactive", id);
	ADMIN(h, "ListAccessKeys", "AccountId=%lld", (long long)ALICE);
	tap_is_str(harness_text(h, "AccessKeys.0.Status"), "Inactive", "it can be disabled");
	for (int i = 1; i < ACCESS_KEYS_PER_ACCOUNT_MAX; i++)
		ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ALICE);
	ADMIN_REFUSED(h, "QuotaExceeded.AccessKeyPerAccount", "a key above the limit", "CreateAccessKey",
		      "AccountId=%lld", (long long)ALICE);
	tap_ok(ADMIN(h, "DeleteAccessKey", "AccessKeyId=%s", id), "a key can be deleted");
	ADMIN_REFUSED(h, "AccessKeyNotFound", "a key that is gone", "DeleteAccessKey", "AccessKeyId=%s", id);
	ADMIN_REFUSED(h, "AccountNotFound", "a key for nobody", "CreateAccessKey", "AccountId=17");
	ADMIN_REFUSED(h, "InvalidParameter.Status", "a state that keys do not have", "UpdateAccessKey",
		      "AccessKeyId=x&Status=Lost");

	ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ROOT);
	id = harness_keep(h, harness_text(h, "AccessKeyId"));
	ADMIN_REFUSED(h, "AccessKeyLastOfAdministrators", "the last key of administrators", "DeleteAccessKey",
		      "AccessKeyId=%s", id);
	ADMIN_REFUSED(h, "AccessKeyLastOfAdministrators", "disabling it", "UpdateAccessKey",
		      "AccessKeyId=%s&Status=Inactive", id);
	ADMIN(h, "CreateAccessKey", "AccountId=%lld", (long long)ROOT);
	tap_ok(ADMIN(h, "DeleteAccessKey", "AccessKeyId=%s", id), "when there is another one, it can go");
}

/* ---- nodes ---- */

static void test_nodes(struct harness *h)
{
	ADMIN(h, "ListNodes", "%s", "");
	tap_is_int(harness_count_of(h, "Nodes"), 0, "at first there are no nodes");
	harness_node(h, "alpha", "cn-hangzhou-h cn-hangzhou-i");
	ADMIN(h, "ListNodes", "%s", "");
	tap_is_str(harness_text(h, "Nodes.0.NodeName"), "alpha", "a node that has registered is listed");
	tap_is_int(harness_number(h, "Nodes.0.Number"), 1, "with its number");
	tap_ok(json_is_true(harness_at(h->answer, "Nodes.0.Live")), "as live, when it has reported");
	tap_is_int(harness_count_of(h, "Nodes.0.Zones"), 2, "and its zones");
	tap_ok(harness_call(h, ALICE, PRODUCT_PRIVLINK, "GetVersion", "%s", ""),
	       "anyone may ask for the version");
	tap_ok(harness_text(h, "Version"), "and gets it");
}

/* A node that has never reported since this program started; with an instance, if it gets one. */
static void put_lost_node(struct harness *h, const char *name, uint32_t number)
{
	struct node node = {.number = number, .mtu = 1500};

	(void)str_copy(node.name, sizeof(node.name), name);
	harness_put(h, KIND_NODE, &node);
}

static void put_instance_on(struct harness *h, const char *node, const char *id, const char *address)
{
	struct instance instance = {.owner = ALICE, .status = INSTANCE_RUNNING};
	struct port port = {.owner = ALICE, .kind = PORT_INSTANCE, .number = 9, .status = PORT_IN_USE};
	struct address taken = {};

	(void)str_copy(instance.id, sizeof(instance.id), id);
	(void)str_copy(instance.region, sizeof(instance.region), "cn-hangzhou");
	(void)str_copy(instance.node, sizeof(instance.node), node);
	(void)str_format(instance.port, sizeof(instance.port), "eni-%s", id);
	(void)str_copy(port.id, sizeof(port.id), instance.port);
	port.vpc = "vpc-lost";
	(void)str_copy(port.holder, sizeof(port.holder), id);
	port.node = node;
	(void)netaddr_parse(address, &port.addr);
	taken.vpc = port.vpc;
	(void)str_copy(taken.port, sizeof(taken.port), port.id);
	taken.addr = port.addr;
	harness_put(h, KIND_INSTANCE, &instance);
	harness_put(h, KIND_PORT, &port);
	harness_put(h, KIND_ADDRESS, &taken);
}

static bool describes(struct harness *h, const char *filter)
{
	return harness_call(h, ALICE, PRODUCT_ECS, "DescribeInstances", REGION "%s", filter);
}

static void test_lost_node(struct harness *h)
{
	const char *info;

	put_lost_node(h, "beta", 7);
	put_instance_on(h, "beta", "i-lost1", "10.0.0.1");
	put_instance_on(h, "beta", "i-lost2", "10.0.0.2");
	put_instance_on(h, "alpha", "i-there", "10.0.0.3");
	ADMIN(h, "ListNodes", "%s", "");
	tap_ok(!json_is_true(harness_at(h->answer, "Nodes.1.Live")), "a node without a lease is not live");
	info = harness_text(h, "Nodes.1.StatusInfo");
	tap_ok(info && strstr(info, "has not reported since") && strstr(info, "delete the node"),
	       "its line says since when, and what to do");
	tap_ok(harness_text(h, "Nodes.1.LostTime"), "and the time is a member of its own");

	describes(h, "InstanceIds=[\"i-lost1\"]");
	tap_is_str(harness_text(h, "Instances.Instance.0.Status"), "Pending",
		   "an instance of such a node does not read Running");
	info = harness_text(h, "Instances.Instance.0.StatusInfo");
	tap_ok(info && strstr(info, "node beta has not reported since"), "and says why");
	describes(h, "Status=Running");
	tap_is_int(harness_count_of(h, "Instances.Instance"), 1, "nor is it found among those that run");
	tap_is_str(harness_text(h, "Instances.Instance.0.InstanceId"), "i-there",
		   "one of a node that reports is");
	tap_ok(!harness_text(h, "Instances.Instance.0.StatusInfo"), "with nothing to say");

	ADMIN_REFUSED(h, "NodeNotFound", "deleting a node that is none", "DeleteNode", "NodeName=%s",
		      "gamma");
	ADMIN_REFUSED(h, "NodeReports", "deleting a node that reports", "DeleteNode", "NodeName=%s", "alpha");
	ADMIN_REFUSED(h, "NodeInUse", "deleting a node with instances", "DeleteNode", "NodeName=%s", "beta");
	tap_ok(strstr(h->error.message, "2 instances (i-lost1, i-lost2)"), "says which ones");
	tap_ok(!harness_call(h, ALICE, PRODUCT_PRIVLINK, "DeleteNode", "NodeName=%s", "beta"),
	       "a tenant cannot delete a node");
	tap_ok(ADMIN(h, "DeleteNode", "NodeName=%s&Force=true", "beta"), "an administrator can, with Force");
	harness_in_force(h, "alpha");
	tap_ok(!snapshot_node(store_rows(h->store), "beta"), "then the node is gone");
	tap_ok(!snapshot_instance(store_rows(h->store), "i-lost1") &&
		       !snapshot_port(store_rows(h->store), "eni-i-lost2") &&
		       snapshot_count(store_rows(h->store), KIND_ADDRESS, "vpc-lost/") == 1,
	       "with its instances, their interfaces and addresses");
	tap_ok(snapshot_instance(store_rows(h->store), "i-there"), "and nothing else");

	put_lost_node(h, "empty", 8);
	tap_ok(ADMIN(h, "DeleteNode", "NodeName=%s", "empty"),
	       "a node with nothing on it goes without Force");
	harness_settle(h);
	tap_ok(!snapshot_node(store_rows(h->store), "empty"), "at once");
}

static void test_holding_node(struct harness *h)
{
	struct control_report report = {.node = "alpha", .hold = "another store"};
	const char *info;

	harness_must(control_report(h->control, &report), "report");
	harness_settle(h);
	ADMIN(h, "ListNodes", "%s", "");
	tap_ok(!json_is_true(harness_at(h->answer, "Nodes.0.Live")), "a node that holds is not live");
	info = harness_text(h, "Nodes.0.StatusInfo");
	tap_ok(info && strstr(info, "another store"), "its line says why");
	tap_is_int((long long)control_live_revision(h->control), 0, "nothing counts as in force there");
	describes(h, "InstanceIds=[\"i-there\"]");
	tap_is_str(harness_text(h, "Instances.Instance.0.Status"), "Pending",
		   "its instances do not read Running");
	ADMIN_REFUSED(h, "NodeReports", "deleting it", "DeleteNode", "NodeName=%s", "alpha");
	harness_report(h, "alpha", NULL, 0);
	ADMIN(h, "ListNodes", "%s", "");
	tap_ok(json_is_true(harness_at(h->answer, "Nodes.0.Live")), "when it follows again, it is live");
	info = harness_text(h, "Nodes.0.StatusInfo");
	tap_is_str(info ?: "", "", "and has nothing to say");
}

/* ---- system services ---- */

#define SERVICE REGION "ServiceName=com.aliyuncs.privatelink.cn-hangzhou.pai-dlc"

static void put_balancer(struct harness *h, const char *id, const char *region, enum lb_status status)
{
	struct load_balancer row = {.owner = ALICE, .status = status, .n_zones = 2};

	(void)str_copy(row.id, sizeof(row.id), id);
	(void)str_copy(row.region, sizeof(row.region), region);
	(void)str_copy(row.vpc, sizeof(row.vpc), "vpc-1");
	(void)str_format(row.zones[0], ZONE_SIZE, "%s-h", region);
	(void)str_format(row.zones[1], ZONE_SIZE, "%s-i", region);
	harness_put(h, KIND_LOAD_BALANCER, &row);
}

static void test_system_services(struct harness *h)
{
	const char *service;

	harness_must(control_bootstrap(h->store, h->catalogue, h->loop), "bootstrap");
	put_balancer(h, "nlb-1", "cn-hangzhou", LB_ACTIVE);
	put_balancer(h, "nlb-2", "cn-hangzhou", LB_DELETING);
	put_balancer(h, "nlb-3", "cn-beijing", LB_ACTIVE);
	put_balancer(h, "nlb-4", "cn-hangzhou", LB_CREATE_FAILED);

	ADMIN_REFUSED(h, "EndpointServiceNotFound", "a service that is none", "BindSystemService",
		      REGION "ServiceName=com.example.x&ResourceId=nlb-1");
	ADMIN_REFUSED(h, "EndpointServiceNotFound", "another region's service", "BindSystemService",
		      REGION "ServiceName=com.aliyuncs.privatelink.cn-beijing.pai-dlc&ResourceId=nlb-1");
	ADMIN_REFUSED(h, "UnsupportedRegion", "a service outside its regions", "BindSystemService",
		      "RegionId=cn-shanghai&ServiceName=com.aliyuncs.privatelink.cn-shanghai.aiworkspace&"
		      "ResourceId=nlb-1");
	ADMIN_REFUSED(h, "LoadBalancerNotFound", "a load balancer that is none", "BindSystemService",
		      SERVICE "&ResourceId=nlb-0");
	ADMIN_REFUSED(h, "LoadBalancerNotFound", "one that is being deleted", "BindSystemService",
		      SERVICE "&ResourceId=nlb-2");
	ADMIN_REFUSED(h, "LoadBalancerNotSupportPrivateLink", "one that could not be made",
		      "BindSystemService", SERVICE "&ResourceId=nlb-4");
	ADMIN_REFUSED(h, "LoadBalancerNotFound", "one in another region", "BindSystemService",
		      SERVICE "&ResourceId=nlb-3");
	ADMIN_REFUSED(h, "EndpointServiceNotSupportedZone", "a zone that it is not in", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-k");
	ADMIN_REFUSED(h, "InvalidParameter.ResourceType", "a type that is not served", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1&ResourceType=gwlb");
	harness_refused(h, ALICE, PRODUCT_PRIVLINK, "Forbidden", "its owner, who is no administrator",
			"BindSystemService", SERVICE "&ResourceId=nlb-1");

	ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h&ResourceType=NLB");
	service = harness_keep(h, harness_text(h, "ServiceId"));
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 1,
		   "one zone of a load balancer can be bound");
	ADMIN_REFUSED(h, "EndpointServiceResourceExist", "the same zone again", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h");
	tap_ok(ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-1"),
	       "without a zone, the other ones are bound");
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 2,
		   "all of them");
	ADMIN_REFUSED(h, "EndpointServiceResourceExist", "when all are bound", "BindSystemService",
		      SERVICE "&ResourceId=nlb-1");

	ADMIN_REFUSED(h, "EndpointServiceResourceNotFound", "unbinding what is not bound",
		      "UnbindSystemService", SERVICE "&ResourceId=nlb-9");
	ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h");
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 1,
		   "one zone can be unbound");
	ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1");
	tap_is_int((long long)snapshot_count(store_rows(h->store), KIND_SERVICE_RESOURCE, service), 0,
		   "and the rest");
}

/* Both zones are left to a load balancer that is not allocated automatically. */
static void test_system_service_allocation(struct harness *h)
{
	static const char *const zones[] = {"cn-hangzhou-h", "cn-hangzhou-i"};
	const char *service;

	put_balancer(h, "nlb-5", "cn-hangzhou", LB_ACTIVE);
	ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-1");
	ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-5");
	service = harness_keep(h, harness_text(h, "ServiceId"));
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		harness_call(h, ROOT, PRODUCT_PRIVATELINK, "UpdateVpcEndpointServiceResourceAttribute",
			     REGION "ServiceId=%s&ResourceId=nlb-5&ZoneId=%s&AutoAllocatedEnabled=false",
			     service, zones[i]);
	ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1");
	harness_call(h, ROOT, PRODUCT_PRIVATELINK, "ListVpcEndpointServiceResources", REGION "ServiceId=%s",
		     service);
	tap_is_int(harness_count_of(h, "Resources"), 2, "of two load balancers one is unbound");
	tap_ok(json_is_true(harness_at(h->answer, "Resources.0.AutoAllocatedEnabled")) &&
		       json_is_true(harness_at(h->answer, "Resources.1.AutoAllocatedEnabled")),
	       "which leaves both zones to the other, that was not allocated automatically");
	ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-5");
}

static void test_system_service_in_use(struct harness *h)
{
	struct endpoint endpoint = {.owner = ALICE};
	struct connection connection = {.status = CONNECTION_CONNECTED};
	struct endpoint_zone zone = {.status = ZONE_CONNECTED};

	ADMIN(h, "BindSystemService", SERVICE "&ResourceId=nlb-1");
	(void)str_copy(connection.endpoint, sizeof(connection.endpoint), "ep-1");
	(void)str_copy(endpoint.id, sizeof(endpoint.id), "ep-1");
	endpoint.service = harness_text(h, "ServiceId");
	(void)str_copy(zone.endpoint, sizeof(zone.endpoint), "ep-1");
	(void)str_copy(zone.zone, sizeof(zone.zone), "cn-hangzhou-i");
	zone.resource = "nlb-1";
	endpoint.service = connection.service = harness_keep(h, endpoint.service);
	harness_put(h, KIND_ENDPOINT, &endpoint);
	harness_put(h, KIND_CONNECTION, &connection);
	harness_put(h, KIND_ENDPOINT_ZONE, &zone);
	ADMIN_REFUSED(h, "EndpointServiceConnectionDependence", "a zone that serves an endpoint",
		      "UnbindSystemService", SERVICE "&ResourceId=nlb-1");
	tap_ok(ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1&ZoneId=cn-hangzhou-h"),
	       "a zone that serves none can be unbound meanwhile");
	zone = *snapshot_endpoint_zone(store_rows(h->store), "ep-1", "cn-hangzhou-i");
	zone.status = ZONE_DISCONNECTED;
	harness_put(h, KIND_ENDPOINT_ZONE, &zone);
	tap_ok(ADMIN(h, "UnbindSystemService", SERVICE "&ResourceId=nlb-1"),
	       "and so can one whose endpoint was cut");
}

int main(void)
{
	struct harness h;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	test_nodes(&h);
	test_lost_node(&h);
	test_holding_node(&h);
	test_access_keys(&h);
	test_system_services(&h);
	test_system_service_allocation(&h);
	test_system_service_in_use(&h);
	test_accounts(&h);
	harness_end(&h);
	return tap_done();
}
