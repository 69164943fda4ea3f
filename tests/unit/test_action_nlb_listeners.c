/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners through the framework: life, the health of what serves behind them, PROXY headers, and every
 * refusal.
 */
#include "nlb_world.h"

#include "api/common/quota_defaults.h"

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
	harness_in_force(h, NODE);
	group = make_group(h, w->vpc, "dns&Protocol=UDP");
	REFUSED(h, "IllegalParam.ProxyProtocolEnabled", "PROXY headers of UDP", "CreateListener",
		"LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=UDP&ListenerPort=53"
		"&ProxyProtocolEnabled=true",
		lb, group);
	harness_in_force(h, NODE);
	delete_group(h, group);
}

/* Of the first server that is listed as not well. */
static const char *health_of(struct harness *h, const char *listener, const char *member)
{
	char path[128];

	CALL(h, "GetListenerHealthStatus", "ListenerId=%s", listener);
	(void)str_format(path, sizeof(path),
			 "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers.0.%s", member);
	return harness_text(h, path);
}

/* The node has found that of the second server. */
static void report_second(struct harness *h, struct server_health health[2], bool healthy, const char *reason)
{
	health[1].healthy = healthy;
	(void)str_copy(health[1].reason, sizeof(health[1].reason), reason);
	harness_report(h, NODE, health, 2);
}

static void test_health(struct harness *h, const char *listener, const char *group, const struct world *w)
{
	struct server_health health[2] = {{.port = 443, .healthy = true}, {.port = 443}};
	const char *reason;

	tap_is_str(health_of(h, listener, "Status"), "Initial",
		   "a server that was not probed yet reads Initial");
	for (int i = 0; i < 2; i++) {
		(void)str_copy(health[i].group, ID_SIZE, group);
		(void)str_copy(health[i].server_id, sizeof(health[i].server_id), i ? w->web_i : w->web_h);
		(void)str_copy(health[i].node, sizeof(health[i].node), NODE);
	}
	report_second(h, health, false, "CONNECT_TIMEOUT");
	reason = health_of(h, listener, "Reason.ReasonCode");
	tap_is_int(harness_count_of(h, "ListenerHealthStatus.0.ServerGroupInfos.0.NonNormalServers"), 1,
		   "one that answers is not listed");
	tap_is_str(reason, "CONNECT_TIMEOUT", "one that does not says why");
	report_second(h, health, true, "RECV_RESPONSE_TIMEOUT");
	tap_is_str(health_of(h, listener, "Status"), "Unknown",
		   "one that probes can tell nothing of says so");
	report_second(h, health, false, "CONNECT_REFUSED");
	tap_is_str(health_of(h, listener, "Reason.ReasonCode"), "CONNECT_FAILED",
		   "in a word that the API has");
}

/* As the API tells it now. */
static const char *status_of(struct harness *h, const char *listener)
{
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	return harness_text(h, "ListenerStatus");
}

static void test_listener_life(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w), *group = make_group(h, w->vpc, "behind"), *listener, *job;

	CALL(h, "AddServersToServerGroup",
	     "ServerGroupId=%s" SERVER(1, "Ecs", "%s", "443") SERVER(2, "Ecs", "%s", "443"), group, w->web_h,
	     w->web_i);
	listener =
		GET(h, "ListenerId", "CreateListener",
		    "LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=tcp&ListenerPort=443&Cps=10&Mss=0&"
		    "ProxyProtocolEnabled=false&SecSensorEnabled=false&AlpnEnabled=false&"
		    "ProxyProtocolV2Config={\"Ppv2VpcIdEnabled\":false}",
		    lb, group);
	tap_is_str(status_of(h, listener), "Provisioning", "a new listener is Provisioning");
	tap_is_str(harness_text(h, "ListenerProtocol"), "TCP", "its protocol reads TCP");
	tap_is_int(harness_number(h, "IdleTimeout"), 900, "idle flows live for 900 s");
	tap_is_int(harness_number(h, "Cps"), 10, "its limit of new connections is told");
	harness_in_force(h, NODE);
	tap_is_str(status_of(h, listener), "Running", "it is Running when the node has reported");
	tap_is_int(harness_number(h, "Mss"), 0, "its segments are as they are");
	CALL(h, "UpdateListenerAttribute", "ListenerId=%s&Mss=1400", listener);
	CALL(h, "GetListenerAttribute", "ListenerId=%s", listener);
	tap_is_int(harness_number(h, "Mss"), 1400, "or of at most so many bytes");
	harness_in_force(h, NODE);
	CALL(h, "ListListeners", "LoadBalancerIds.1=%s", lb);
	tap_is_str(harness_text(h, "Listeners.0.ListenerId"), listener, "it is listed");
	CALL(h, "ListServerGroups", "ServerGroupIds.1=%s", group);
	tap_is_str(harness_text(h, "ServerGroups.0.RelatedLoadBalancerIds.0"), lb,
		   "its group names the load balancer");

	test_health(h, listener, group, w);
	REFUSED(h, "ResourceInUse.ServerGroup", "a group with a listener", "DeleteServerGroup",
		"ServerGroupId=%s", group);
	REFUSED(h, "ResourceAlreadyExist.Listener", "the same port", "CreateListener",
		"LoadBalancerId=%s&ServerGroupId=%s&ListenerProtocol=TCP&ListenerPort=443", lb, group);
	tap_ok(CALL(h, "StopListener", "ListenerId=%s", listener), "it can be stopped");
	job = job_of(h);
	tap_is_str(status_of(h, listener), "Stopping", "it is Stopping");
	tap_is_str(job_status(h, job), "processing", "while the job is processing");
	harness_in_force(h, NODE);
	tap_is_str(status_of(h, listener), "Stopped", "then Stopped");
	tap_ok(CALL(h, "StartListener", "ListenerId=%s", listener), "and started again");
	harness_in_force(h, NODE);
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
	harness_in_force(h, NODE);

	tap_ok(CALL(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb),
	       "a load balancer is deleted with its listener");
	harness_in_force(h, NODE);
	REFUSED(h, "ResourceNotFound.listener", "a listener that went with it", "GetListenerAttribute",
		"ListenerId=%s", listener);
	tap_ok(CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group), "then the group can go");
	harness_in_force(h, NODE);
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
	const char *group = make_group(h, w->vpc, "tcp"), *foreign = make_group(h, w->other_vpc, "other");
	int n = 0;

	harness_in_force(h, NODE);
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
	harness_in_force(h, NODE);
	tap_is_int(snapshot_count(store_rows(h->store), KIND_LISTENER, ""), 0, "with all its listeners");
}

int main(void)
{
	struct harness h;
	struct world w;

	harness_begin(&h);
	w = make_world(&h);
	test_listener_life(&h, &w);
	test_bad_listeners(&h, &w);
	harness_end(&h);
	return tap_done();
}
