/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of quotas. Names, where the API's reference has one, are those; the defaults likewise.
 */
#include "quota.h"

#include "balancer.h"
#include "quota_defaults.h"

#define MANY	    1000000 /* as good as no quota */
#define MANY_PLACES 1000000000
#define ZONES_MAX   64 /* of a region; no catalogue has so many */

struct info {
	const char *name;
	int64_t otherwise, most;
	const char *code, *description;
	enum kind kind; /* what is counted; with `per`: of whose objects each may have so many */
	enum ref per;	/* which row names such an object; REF_COUNT_: the account has so many of `kind` */
	size_t (*usage)(const struct snapshot *rows, int64_t uid, const char *region); /* else */
};

static bool is_idle(const struct snapshot *rows, const struct endpoint *endpoint)
{
	const struct connection *connection = snapshot_connection(rows, endpoint->id);

	return !connection || connection->status != CONNECTION_CONNECTED;
}

static size_t idle_endpoints(const struct snapshot *rows, int64_t uid, const char *region)
{
	size_t n = 0;

	for (const struct endpoint *e = NULL; (e = snapshot_owned(rows, KIND_ENDPOINT, uid, region, e));)
		n += is_idle(rows, e);
	return n;
}

/* How many resources of one service are in the zone that has most of them. */
static size_t fullest_zone(const struct snapshot *rows, const char *service)
{
	struct {
		const char *zone;
		size_t n;
	} zones[ZONES_MAX];
	size_t n_zones = 0, i, most = 0;

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(rows, REF_SERVICE_RESOURCE_SERVICE, service, r));) {
		for (i = 0; i < n_zones && !streq(zones[i].zone, r->zone); i++)
			;
		if (i == ZONES_MAX)
			continue;
		if (i == n_zones) {
			zones[n_zones].zone = r->zone;
			zones[n_zones++].n = 0;
		}
		zones[i].n++;
		most = MAX(most, zones[i].n);
	}
	return most;
}

static size_t zone_resources(const struct snapshot *rows, int64_t uid, const char *region)
{
	size_t most = 0;

	for (const struct service *s = NULL; (s = snapshot_owned(rows, KIND_SERVICE, uid, region, s));)
		most = MAX(most, fullest_zone(rows, s->id));
	return most;
}

static size_t privileges(_unused_ const struct snapshot *rows, _unused_ int64_t uid,
			 _unused_ const char *region)
{
	return 0;
}

static size_t access_keys(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	size_t n = 0;

	for (const struct access_key *k = NULL; (k = snapshot_owned(rows, KIND_ACCESS_KEY, uid, "", k));)
		n += !k->user[0];
	return n;
}

static size_t resource_groups(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_RESOURCE_GROUP, uid, "");
}

/* In all regions: a node is in none, and has a limited number of them. */
static size_t flow_logs(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	size_t n = 0;

	for (const struct endpoint *e = NULL; (e = snapshot_owned(rows, KIND_ENDPOINT, uid, "", e));)
		n += e->flow_log;
	return n;
}

/* Those that are objects of their own: classic load balancers have some inside. */
static size_t server_groups(const struct snapshot *rows, int64_t uid, const char *region)
{
	size_t n = snapshot_count_owned(rows, KIND_SERVER_GROUP, uid, region);

	for (const struct load_balancer *lb = NULL;
	     (lb = snapshot_owned(rows, KIND_LOAD_BALANCER, uid, region, lb));)
		if (lb->type == LB_CLASSIC)
			n -= snapshot_count_children(rows, REF_SERVER_GROUP_LOAD_BALANCER, lb->id);
	return n;
}

static size_t all_vpcs(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_VPC, uid, "");
}

static size_t all_vswitches(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_VSWITCH, uid, "");
}

static size_t all_groups(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_SECURITY_GROUP, uid, "");
}

static size_t all_endpoints(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_ENDPOINT, uid, "");
}

static size_t all_interfaces(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_PORT, uid, "");
}

static size_t all_listeners(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_LISTENER, uid, "");
}

static size_t all_rules(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_parts(rows, REF_SG_RULE_GROUP, uid);
}

static size_t all_servers(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_parts(rows, REF_SERVER_GROUP, uid);
}

static size_t all_services(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_owned(rows, KIND_SERVICE, uid, "");
}

static size_t all_service_users(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	return snapshot_count_parts(rows, REF_SERVICE_USER_SERVICE, uid);
}

static size_t all_service_resources(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	size_t n = 0;

	for (const struct service *s = NULL; (s = snapshot_owned(rows, KIND_SERVICE, uid, "", s));)
		n += snapshot_count_children(rows, REF_SERVICE_RESOURCE_SERVICE, s->id);
	return n;
}

static size_t all_places(const struct snapshot *rows, int64_t uid, _unused_ const char *region)
{
	size_t n = 0;

	for (const struct server_group *g = NULL; (g = snapshot_owned(rows, KIND_SERVER_GROUP, uid, "", g));)
		n += balancer_places(rows, g->id, 0, NULL);
	return n;
}

/* clang-format off */
#define EACH(kind_, ref) .kind = KIND_##kind_, .per = REF_##ref
#define ALL(kind_)	 .kind = KIND_##kind_, .per = REF_COUNT_
static const struct info infos[QUOTA_COUNT_] = {
	[QUOTA_SERVICES] = {"pvl_quota_total_epsrv", SERVICES_PER_ACCOUNT_MAX, MANY, "QuotaMisMatched",
		"endpoint services of the account in a region", ALL(SERVICE)},
	[QUOTA_SERVICE_RESOURCES] = {"pvl_quota_epsrv_resource_per_service", RESOURCES_PER_SERVICE_MAX, MANY, "QuotaMisMatched",
		"resources of a service", EACH(SERVICE, SERVICE_RESOURCE_SERVICE)},
	[QUOTA_ZONE_RESOURCES] = {"pvl_quota_epsrv_resource_per_zone_per_srv", RESOURCES_PER_SERVICE_ZONE_MAX, MANY,
		"QuotaMisMatched", "resources of a service in a zone", .usage = zone_resources},
	[QUOTA_SERVICE_USERS] = {"users_per_service", USERS_PER_SERVICE_MAX, MANY, "QuotaMisMatched",
		"entries of a service's whitelist", EACH(SERVICE, SERVICE_USER_SERVICE)},
	[QUOTA_VPC_ENDPOINTS] = {"pvl_quota_total_ep_per_vpc", ENDPOINTS_PER_VPC_MAX, MANY, "QuotaExceeded.totalEpPerVpc",
		"endpoints in a VPC", EACH(VPC, ENDPOINT_VPC)},
	[QUOTA_IDLE_ENDPOINTS] = {"idle_endpoints", MANY, MANY, "QuotaExceeded.totalIdleEndpoint",
		"endpoints of the account in a region that are not connected", .usage = idle_endpoints},
	[QUOTA_PAYER_MODE] = {"privatelink_whitelist/epsvc_payer_mode", 0, 1, "EndpointServicePayerForbidden",
		"1: services that pay for their endpoints may be created", .usage = privileges},
	[QUOTA_RESOURCE_MODE] = {"privatelink_whitelist/svc_res_mgt_uat", 1, 1, "NoPermission",
		"1: the resource that serves a zone may be chosen by hand", .usage = privileges},
	[QUOTA_VPCS] = {"vpcs", VPCS_PER_ACCOUNT_MAX, MANY, "QuotaExceeded.Vpc", "VPCs of the account in a region", ALL(VPC)},
	[QUOTA_VSWITCHES] = {"vswitches_per_vpc", VSWITCHES_PER_VPC_MAX, MANY, "QuotaExceeded.VSwitch",
		"vSwitches of a VPC", EACH(VPC, VSWITCH_VPC)},
	[QUOTA_SECURITY_GROUPS] = {"security_groups", SECURITY_GROUPS_PER_ACCOUNT_MAX, MANY, "QuotaExceed.SecurityGroup",
		"security groups of the account in a region", ALL(SECURITY_GROUP)},
	[QUOTA_RULES] = {"rules_per_security_group", RULES_PER_GROUP_MAX, 1000, "AuthorizationLimitExceed",
		"rules of a security group", EACH(SECURITY_GROUP, SG_RULE_GROUP)},
	[QUOTA_INSTANCES] = {"instances", INSTANCES_PER_ACCOUNT_MAX, MANY, "QuotaExceed.Instance",
		"instances of the account in a region", ALL(INSTANCE)},
	[QUOTA_BALANCERS] = {"load_balancers", LOAD_BALANCERS_PER_ACCOUNT_MAX, MANY, "QuotaExceeded.LoadBalancersNum",
		"load balancers of the account in a region", ALL(LOAD_BALANCER)},
	[QUOTA_LISTENERS] = {"listeners_per_load_balancer", LISTENERS_PER_BALANCER_MAX, LISTENERS_PER_BALANCER_MAX,
		"QuotaExceeded.ListenersNum", "listeners of a load balancer",
		EACH(LOAD_BALANCER, LISTENER_LOAD_BALANCER)},
	[QUOTA_SERVER_GROUPS] = {"server_groups", SERVER_GROUPS_PER_ACCOUNT_MAX, MANY, "QuotaExceeded.ServerGroupsNum",
		"server groups of the account in a region", .usage = server_groups},
	[QUOTA_SERVERS] = {"servers_per_server_group", SERVERS_PER_GROUP_MAX, 1000, "QuotaExceeded.ServersNum",
		"servers of a server group", EACH(SERVER_GROUP, SERVER_GROUP)},
	[QUOTA_RESOURCE_GROUPS] = {"resource_groups", RESOURCE_GROUPS_PER_ACCOUNT_MAX, MANY, "LimitExceeded.ResourceGroup",
		"resource groups of the account besides the default one", .usage = resource_groups},
	[QUOTA_FLOW_LOGS] = {"flow_logs", FLOW_LOGS_PER_ACCOUNT_MAX, 1000, "QuotaExceeded.FlowLog",
		"endpoints of the account in all regions whose flow log is on", .usage = flow_logs},
	[QUOTA_ACCESS_KEYS] = {"access_keys", ACCESS_KEYS_PER_ACCOUNT_MAX, ACCESS_KEYS_PER_ACCOUNT_MOST,
		"QuotaExceeded.AccessKeyPerAccount", "access keys of the account itself", .usage = access_keys},
	[QUOTA_ALL_VPCS] = {"vpcs_of_all_regions", ALL_VPCS_MAX, MANY, "QuotaExceeded.VpcPerAccount",
		"VPCs of the account in all regions", .usage = all_vpcs},
	[QUOTA_ALL_VSWITCHES] = {"vswitches", ALL_VSWITCHES_MAX, MANY, "QuotaExceeded.VSwitchPerAccount",
		"vSwitches of the account in all regions", .usage = all_vswitches},
	[QUOTA_ALL_GROUPS] = {"security_groups_of_all_regions", ALL_SECURITY_GROUPS_MAX, MANY,
		"QuotaExceeded.SecurityGroupPerAccount", "security groups of the account in all regions", .usage = all_groups},
	[QUOTA_ALL_ENDPOINTS] = {"endpoints", ALL_ENDPOINTS_MAX, MANY, "QuotaExceeded.EndpointPerAccount",
		"endpoints of the account in all regions", .usage = all_endpoints},
	[QUOTA_ALL_INTERFACES] = {"network_interfaces", ALL_INTERFACES_MAX, MANY, "QuotaExceeded.NetworkInterfacePerAccount",
		"network interfaces of the account in all regions: of instances, load balancers and endpoints' zones",
		.usage = all_interfaces},
	[QUOTA_ALL_RULES] = {"security_group_rules", ALL_RULES_MAX, MANY, "QuotaExceeded.SecurityGroupRulePerAccount",
		"rules of all security groups of the account in all regions", .usage = all_rules},
	[QUOTA_ALL_LISTENERS] = {"listeners", ALL_LISTENERS_MAX, MANY, "QuotaExceeded.ListenerPerAccount",
		"listeners of all load balancers of the account in all regions", .usage = all_listeners},
	[QUOTA_ALL_SERVERS] = {"servers", ALL_SERVERS_MAX, MANY, "QuotaExceeded.ServerPerAccount",
		"servers of all server groups of the account in all regions; behind a classic load balancer for each listener, "
		"and once more", .usage = all_servers},
	[QUOTA_ALL_PLACES] = {"balancing_places", ALL_PLACES_MAX, MANY_PLACES, "QuotaExceeded.BalancingPlacePerAccount",
		"places in the tables that spread connections over servers, of the account in all regions: of each server group with "
		"listeners a hundred for a server, rounded up (251 for two at most, else 2039 at least), in each zone of its load balancers; once more "
		"in a zone that some of them cross and others do not",
		.usage = all_places},
	[QUOTA_ALL_SERVICES] = {"services", ALL_SERVICES_MAX, MANY, "QuotaExceeded.ServicePerAccount",
		"endpoint services of the account in all regions", .usage = all_services},
	[QUOTA_ALL_SERVICE_USERS] = {"service_users", ALL_SERVICE_USERS_MAX, MANY, "QuotaExceeded.ServiceUserPerAccount",
		"entries of the whitelists of all services of the account in all regions; a service begins with its owner's",
		.usage = all_service_users},
	[QUOTA_ALL_SERVICE_RESOURCES] = {"service_resources", ALL_SERVICE_RESOURCES_MAX, MANY,
		"QuotaExceeded.ServiceResourcePerAccount", "resources of all services of the account in all regions",
		.usage = all_service_resources},
};
#undef EACH
#undef ALL
/* clang-format on */

int quota_parse(const char *name, enum quota *ret)
{
	for (enum quota q = 0; q < QUOTA_COUNT_; q++)
		if (streq(infos[q].name, name)) {
			*ret = q;
			return 0;
		}
	return -ENOENT;
}

const char *quota_name(enum quota quota)
{
	return infos[quota].name;
}

const char *quota_description(enum quota quota)
{
	return infos[quota].description;
}

int64_t quota_default(enum quota quota)
{
	return infos[quota].otherwise;
}

int64_t quota_most(enum quota quota)
{
	return infos[quota].most;
}

int64_t quota_value(const struct snapshot *rows, int64_t uid, enum quota quota)
{
	struct quota_row row = {.uid = uid};
	const struct quota_row *own;
	char key[KEY_SIZE];

	(void)str_copy(row.name, sizeof(row.name), infos[quota].name);
	if (row_key(KIND_QUOTA, &row, key) < 0)
		return infos[quota].otherwise;
	own = snapshot_find(rows, KIND_QUOTA, strchr(key, '/') + 1);
	return own ? own->value : infos[quota].otherwise;
}

/* Objects of any kind: their ids are what names them. */
static size_t fullest(const struct snapshot *rows, int64_t uid, const struct info *info, const char *region)
{
	size_t most = 0;

	for (const void *object = NULL; (object = snapshot_owned(rows, info->kind, uid, region, object));)
		most = MAX(most, snapshot_count_children(rows, info->per, snapshot_id(object)));
	return most;
}

size_t quota_usage(const struct snapshot *rows, int64_t uid, enum quota quota, const char *region)
{
	const struct info *info = &infos[quota];

	if (info->usage)
		return info->usage(rows, uid, region);
	if (info->per == REF_COUNT_)
		return snapshot_count_owned(rows, info->kind, uid, region);
	return fullest(rows, uid, info, region);
}

int quota_check(struct call *call, int64_t uid, enum quota quota, size_t used, size_t more)
{
	int64_t value = quota_value(call->rows, uid, quota);

	if (used <= (size_t)value && more <= (size_t)value - used)
		return 0;
	return call_fail_detail(call, infos[quota].code, "Quota %s, usage %zu/%lld.", infos[quota].name, used,
				(long long)value);
}

int quota_check_one(struct call *call, int64_t uid, enum quota quota, const char *region)
{
	return quota_check(call, uid, quota, quota_usage(call->rows, uid, quota, region), 1);
}

int quota_check_share(struct call *call, int64_t uid, enum quota quota, size_t made, size_t more)
{
	return uid ? quota_check(call, uid, quota, quota_usage(call->rows, uid, quota, "") + made, more) : 0;
}

int quota_check_privilege(struct call *call, int64_t uid, enum quota quota)
{
	return quota_check(call, uid, quota, 0, 1);
}
