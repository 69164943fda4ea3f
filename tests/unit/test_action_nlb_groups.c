/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server groups and servers through the framework: life, probes, what can serve and what leaves, and every
 * refusal.
 */
#include "nlb_world.h"

#include "api/common/quota_defaults.h"

static const char *group_text(struct harness *h, const char *group, const char *member)
{
	char path[64];

	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	(void)str_format(path, sizeof(path), "ServerGroups.0.%s", member);
	return harness_text(h, path);
}

static const char *method_of(struct harness *h, const char *group)
{
	return group_text(h, group, "HealthCheck.HttpCheckMethod");
}

static bool update(struct harness *h, const char *group, const char *form)
{
	return CALL(h, "UpdateServerGroupAttribute", "ServerGroupId=%s&%s", group, form);
}

/* The method of probes by HTTP is told of those, and of others where it was given. */
static void test_probe_method(struct harness *h, const struct world *w)
{
	const char *group = make_group(h, w->vpc, "method&HealthCheckConfig.HealthCheckEnabled=false");
	struct server_group old;

	tap_ok(!method_of(h, group), "without probes there is no method");
	update(h, group, "HealthCheckConfig.HealthCheckEnabled=true&HealthCheckConfig.HealthCheckType=TCP");
	tap_ok(!method_of(h, group), "nor with those by TCP");
	update(h, group, "HealthCheckConfig.HttpCheckMethod=get");
	tap_is_str(method_of(h, group), "GET", "but the one that was given");
	update(h, group, "HealthCheckConfig.HealthCheckInterval=7");
	tap_is_str(method_of(h, group), "GET", "which stays");
	update(h, group, "HealthCheckConfig.HttpCheckMethod=");
	tap_ok(!method_of(h, group), "until an empty one takes it back");
	update(h, group, "HealthCheckConfig.HealthCheckType=HTTP");
	tap_is_str(method_of(h, group), "GET", "probes by HTTP have one");
	update(h, group,
	       "HealthCheckConfig=%7B%22HttpCheckMethod%22:%22%22,%22HealthCheckType%22:%22TCP%22%7D");
	tap_ok(!method_of(h, group), "in JSON, too");

	old = *snapshot_server_group(store_rows(h->store), group);
	old.health_by_head = true; /* as the version before kept what was given */
	harness_put(h, KIND_SERVER_GROUP, &old);
	tap_is_str(method_of(h, group), "HEAD", "what was given before is told");
	delete_group(h, group);
}

/* In whichever case it comes, it is told in the cloud's, which Terraform's provider compares it with. */
static void test_scheduler(struct harness *h, const struct world *w)
{
	const char *group = make_group(h, w->vpc, "spread&Scheduler=TCH");
	struct server_group old;

	tap_is_str(group_text(h, group, "Scheduler"), "Tch",
		   "a scheduler in another case is told in the table's");
	update(h, group, "Scheduler=wrr");
	tap_is_str(group_text(h, group, "Scheduler"), "Wrr", "another one, too");
	old = *snapshot_server_group(store_rows(h->store), group);
	(void)str_copy(old.scheduler, sizeof(old.scheduler), "tch");
	harness_put(h, KIND_SERVER_GROUP, &old);
	tap_is_str(group_text(h, group, "Scheduler"), "Tch", "and one that the version before has written");
	delete_group(h, group);
}

static void test_group_life(struct harness *h, const struct world *w)
{
	const char *group = make_group(h, w->vpc, "web.group");

	tap_ok(str_starts(job_of(h), "job-"), "a new server group is a job");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_str(harness_text(h, "ServerGroups.0.ServerGroupStatus"), "Creating", "it is Creating");
	tap_is_str(harness_text(h, "ServerGroups.0.Protocol"), "TCP", "for TCP");
	tap_is_str(harness_text(h, "ServerGroups.0.AddressIPVersion"), "Ipv4", "and IPv4");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.HealthCheckInterval"), 5,
		   "probed every 5 s");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.UnhealthyThreshold"), 2, "twice");
	harness_in_force(h, NODE);

	tap_ok(update(h, group,
		      "HealthCheckConfig=%7B%22HealthCheckInterval%22:1,%22HealthCheckConnectTimeout%22"
		      ":%221%22%7D"),
	       "its probes can be changed, in JSON");
	CALL(h, "ListServerGroups", "ServerGroupNames.1=web.group");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.HealthCheckInterval"), 1, "to every second");
	tap_is_int(harness_number(h, "ServerGroups.0.HealthCheck.UnhealthyThreshold"), 2,
		   "and what was not named stays");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckType"), "TCP", "by TCP");
	tap_ok(update(h, group,
		      "HealthCheckConfig.HealthCheckType=http&HealthCheckConfig.HealthCheckUrl=/up"
		      "&HealthCheckConfig.HttpCheckMethod=head&HealthCheckConfig.HealthCheckDomain=web.example"),
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
	tap_ok(update(h, group,
		      "HealthCheckConfig=%7B%22HealthCheckHttpCode%22:%5B%22http_2xx%22,%22http_3xx%22%5D%7D"),
	       "others count, too, in JSON");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_int(harness_count_of(h, "ServerGroups.0.HealthCheck.HealthCheckHttpCode"), 2, "which shows");
	tap_is_str(harness_text(h, "ServerGroups.0.HealthCheck.HealthCheckUrl"), "/up", "and the path stays");
	tap_is_int(harness_number(h, "ServerGroups.0.ConnectionDrainTimeout"), 10, "it would drain for 10 s");
	update(h, group, "ConnectionDrainEnabled=true&ConnectionDrainTimeout=0");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_ok(json_is_true(harness_at(h->answer, "ServerGroups.0.ConnectionDrainEnabled")) &&
		       harness_number(h, "ServerGroups.0.ConnectionDrainTimeout") == 0,
	       "and drains as it is told, which stays");
	tap_ok(CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group), "it can be deleted");
	harness_in_force(h, NODE);
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

/* Servers that a group does not take. */
struct bad_servers {
	const char *code, *why, *params;
};

static void refuse_servers(struct harness *h, const char *group, const struct bad_servers *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		REFUSED(h, cases[i].code, cases[i].why, "AddServersToServerGroup", "ServerGroupId=%s%s",
			group, cases[i].params);
}

static void test_servers(struct harness *h, const struct world *w)
{
	static const struct bad_servers cases[] = {
		{"MissingServers", "no server", ""},
		{"MissingParameter.Servers.1.Port", "no port",
		 "&Servers.1.ServerId=i-x&Servers.1.ServerType=Ecs"},
		{"InvalidParameter.Servers.1.Port", "port 0", SERVER(1, "Ecs", "i-x", "0")},
		{"InvalidParameter.Servers.1.Port", "port 65536", SERVER(1, "Ecs", "i-x", "65536")},
		{"InvalidParameter.Servers.1.Weight", "a weight of 101",
		 SERVER(1, "Ecs", "i-x", "1") "&Servers.1.Weight=101"},
		{"ResourceNotFound.Ecs", "an unknown instance", SERVER(1, "Ecs", "i-x", "1")},
		{"ResourceNotFound.Eni", "an unknown interface", SERVER(1, "Eni", "eni-x", "1")},
		{"Mismatch.ServerType", "an address in a group of instances",
		 SERVER(1, "Ip", "10.0.1.10", "1")},
		{"InvalidParameter.Servers.1.ServerType", "an unknown type", SERVER(1, "Pod", "i-x", "1")},
	};
	const char *group = make_group(h, w->vpc, "servers"),
		   *foreign = make_group(h, w->other_vpc, "foreign");

	harness_in_force(h, NODE);
	refuse_servers(h, group, cases, ARRAY_SIZE(cases));
	REFUSED(h, "Mismatch.VpcId", "an instance of another VPC", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Ecs", "%s", "443"), foreign, w->web_h);
	REFUSED(h, "DuplicatedParam.Server", "a server twice", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Ecs", "%s", "443") SERVER(2, "Eni", "%s", "443"), group,
		w->web_h, w->eni_h);
	REFUSED(h, "IllegalParam.IP", "another address than the instance's", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Ecs", "%s", "443") "&Servers.1.ServerIp=10.0.1.11", group,
		w->web_h);

	tap_ok(CALL(h, "AddServersToServerGroup",
		    "ServerGroupId=%s&Servers="
		    "%%5B%%7B%%22ServerId%%22:%%22%s%%22,%%22ServerType%%22:%%22Ecs%%22,%%22Port%%22:443%%7D"
		    ",%%7B%%22ServerId%%22:%%22%s%%22,%%22ServerType%%22:%%22Ecs%%22,%%22Port%%22:443"
		    ",%%22Weight%%22:50%%7D%%5D",
		    group, w->web_h, w->web_i),
	       "two servers are added, in JSON");
	REFUSED(h, "ResourceAlreadyExist.BackendServer", "a server that is there", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Eni", "%s", "443"), group, w->eni_h);
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s&ServerIds.1=%s", group, w->web_h);
	tap_is_str(harness_text(h, "Servers.0.ServerIp"), "10.0.1.10", "a server has its instance's address");
	tap_is_str(harness_text(h, "Servers.0.ZoneId"), "cn-hangzhou-h", "and zone");
	tap_is_int(harness_number(h, "Servers.0.Weight"), 100, "and a weight of 100");
	tap_is_str(harness_text(h, "Servers.0.Status"), "Adding", "and is being added");
	harness_in_force(h, NODE);
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s&ServerIds=%s", group, w->web_h);
	tap_is_int(harness_number(h, "TotalCount"), 1, "its id may stand under the bare name of the list");
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s", group);
	tap_is_int(harness_number(h, "TotalCount"), 2, "the group has two servers");
	tap_is_str(harness_text(h, "Servers.1.Status"), "Available",
		   "that are Available when the node has reported");

	tap_ok(CALL(h, "UpdateServerGroupServersAttribute",
		    "ServerGroupId=%s" SERVER(1, "Ecs", "%s", "443") "&Servers.1.Weight=0", group, w->web_i),
	       "a weight can be changed");
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s&ServerIps.1=10.0.2.10", group);
	tap_is_int(harness_number(h, "Servers.0.Weight"), 0, "to nothing");
	REFUSED(h, "ResourceNotFound.BackendServer", "another port", "RemoveServersFromServerGroup",
		"ServerGroupId=%s" SERVER(1, "Ecs", "%s", "444"), group, w->web_i);
	tap_ok(CALL(h, "RemoveServersFromServerGroup", "ServerGroupId=%s" SERVER(1, "Ecs", "%s", "443"),
		    group, w->web_i),
	       "a server can be removed");
	harness_in_force(h, NODE);
	CALL(h, "ListServerGroupServers", "ServerGroupId=%s", group);
	tap_is_int(harness_number(h, "TotalCount"), 1, "then one is left");
	delete_group(h, group);
	delete_group(h, foreign);
}

static void test_addresses_as_servers(struct harness *h, const struct world *w)
{
	const char *group = make_group(h, w->vpc, "by-address&ServerGroupType=Ip");
	static const struct bad_servers cases[] = {
		{"IllegalParam.IP", "an address outside", SERVER(1, "Ip", "10.9.0.1", "1")},
		{"IllegalParam.IP", "a gateway", SERVER(1, "Ip", "10.0.1.253", "1")},
		{"IllegalParam.IP", "a name", SERVER(1, "Ip", "web", "1")},
	};
	const struct server *server;
	char id[KEY_SIZE];

	harness_in_force(h, NODE);
	refuse_servers(h, group, cases, ARRAY_SIZE(cases));
	REFUSED(h, "Mismatch.ServerType", "an instance in a group of addresses", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Ecs", "%s", "1"), group, w->web_h);
	tap_ok(CALL(h, "AddServersToServerGroup",
		    "ServerGroupId=%s" SERVER(1, "Ip", "10.0.1.10", "80") SERVER(2, "Ip", "10.0.2.77", "80"),
		    group),
	       "an address that an instance has and one that none has are added");
	(void)str_format(id, sizeof(id), "%s/10.0.1.10/80", group);
	server = snapshot_find(store_rows(h->store), KIND_SERVER, id);
	tap_ok(server && streq(server->port_id, w->eni_h) && streq(server->node, NODE),
	       "the first one's interface and node are known");
	(void)str_format(id, sizeof(id), "%s/10.0.2.77/80", group);
	server = snapshot_find(store_rows(h->store), KIND_SERVER, id);
	tap_ok(server && !server->port_id[0] && streq(server->zone, "cn-hangzhou-i"),
	       "the other one's zone is");
	delete_group(h, group);
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVER, group), 0,
		   "servers go with their group");
}

/* An instance on its way out serves nobody new, whichever way it is named. */
static void test_leaving_servers(struct harness *h, const struct world *w)
{
	const char *by_id = make_group(h, w->vpc, "by-id"),
		   *by_address = make_group(h, w->vpc, "by-address&ServerGroupType=Ip"),
		   *id = run_instance(h, w->vsw_h, w->sg, "10.0.1.60"), *eni = interface_of(h, id);

	harness_in_force(h, NODE);
	harness_call(h, ALICE, PRODUCT_ECS, "DeleteInstance", "InstanceId=%s&Force=true", id);

	REFUSED(h, "ResourceNotFound.Ecs", "an instance that is being deleted", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Ecs", "%s", "1"), by_id, id);
	REFUSED(h, "IncorrectStatus.Eni", "its interface", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Eni", "%s", "1"), by_id, eni);
	REFUSED(h, "IncorrectStatus.Eni", "its address", "AddServersToServerGroup",
		"ServerGroupId=%s" SERVER(1, "Ip", "10.0.1.60", "1"), by_address);
	harness_in_force(h, NODE);
	tap_ok(CALL(h, "AddServersToServerGroup", "ServerGroupId=%s" SERVER(1, "Ip", "10.0.1.60", "1"),
		    by_address),
	       "when it is gone its address is nobody's, and is taken");
	delete_group(h, by_id);
	delete_group(h, by_address);
}

static void test_quotas(struct harness *h, const struct world *w)
{
	const char *group = make_group(h, w->vpc, "by-address&ServerGroupType=Ip");
	char form[8192];
	int n, port;

	make_vswitch(h, w->vpc, "j", 3);
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
	harness_in_force(h, NODE);
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVER, group), 0, "with all its servers");

	group = make_group(h, w->vpc, "by-instance");
	for (n = 0; n <= SERVERS_PER_PORT_MAX; n++)
		if (!CALL(h, "AddServersToServerGroup", "ServerGroupId=%s" SERVER(1, "Ecs", "%s", "%d"),
			  group, w->web_h, n + 1))
			break;
	tap_is_int(n, SERVERS_PER_PORT_MAX, "an instance serves at most %d times", SERVERS_PER_PORT_MAX);
	tap_ok(harness_call(h, ALICE, PRODUCT_ECS, "DeleteInstance", "InstanceId=%s&Force=true", w->web_h),
	       "and leaves all groups at once when it is deleted");
	harness_in_force(h, NODE);
	tap_is_int(snapshot_count(store_rows(h->store), KIND_SERVER, group), 0, "none is left");

	n = (int)snapshot_count(store_rows(h->store), KIND_SERVER_GROUP, "");
	while (n <= SERVER_GROUPS_PER_ACCOUNT_MAX &&
	       CALL(h, "CreateServerGroup", "ServerGroupName=many&VpcId=%s", w->vpc))
		n++;
	tap_is_int(n, SERVER_GROUPS_PER_ACCOUNT_MAX, "an account has as many server groups as its quota");
	tap_is_str(h->error.code, "QuotaExceeded.ServerGroupsNum", "one more is refused by its code");
}

int main(void)
{
	struct harness h;
	struct world w;

	harness_begin(&h);
	w = make_world(&h);
	test_group_life(&h, &w);
	test_probe_method(&h, &w);
	test_scheduler(&h, &w);
	test_bad_groups(&h, &w);
	test_servers(&h, &w);
	test_addresses_as_servers(&h, &w);
	test_leaving_servers(&h, &w);
	test_quotas(&h, &w);
	harness_end(&h);
	return tap_done();
}
