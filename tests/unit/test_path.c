/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths over rows: a table of ways to break one, each as a change of a world in which all is well; what the
 * two sides see of it; and the bounds of what one answer looks at. tests/path has the ways that calls of the
 * API can bring about.
 */
#include "model/path.h"

#include <stdio.h>

#include "schema/schema.h"
#include "tests/tap.h"
#include "tests/unit/rows.h"

#define CONSUMER 1001
#define PROVIDER 2002

#define H "cn-hangzhou-h"
#define I "cn-hangzhou-i"

static const struct {
	const char *key, *json;
} base[] = {
	{"vpc/vpc-c",
	 "{'id': 'vpc-c', 'number': 10, 'owner': 1001, 'region': 'cn-hangzhou', 'cidr': '10.0.0.0/16'}"},
	{"vpc/vpc-p",
	 "{'id': 'vpc-p', 'number': 11, 'owner': 2002, 'region': 'cn-hangzhou', 'cidr': '10.0.0.0/16'}"},
	{"security_group/sg-i",
	 "{'id': 'sg-i', 'owner': 1001, 'region': 'cn-hangzhou', 'vpc': 'vpc-c', 'type': 'normal', "
	 "'inner_accept': true}"},
	{"security_group/sg-e",
	 "{'id': 'sg-e', 'owner': 1001, 'region': 'cn-hangzhou', 'vpc': 'vpc-c', 'type': 'normal', "
	 "'inner_accept': true}"},
	{"sg_rule/sg-e/sgr-1",
	 "{'id': 'sgr-1', 'group': 'sg-e', 'direction': 'ingress', 'policy': 'Accept', 'priority': 5, "
	 "'protocol': 'TCP', 'port_first': 443, 'port_last': 443, 'cidr': '10.0.0.0/16'}"},
	{"instance/i-c", "{'id': 'i-c', 'owner': 1001, 'region': 'cn-hangzhou', 'zone': '" H
			 "', 'vpc': 'vpc-c', 'node': 'n1', "
			 "'kind': 'netns', 'port': 'eni-c', 'status': 'Running'}"},
	{"port/eni-c",
	 "{'id': 'eni-c', 'owner': 1001, 'number': 1, 'kind': 'instance', 'zone': '" H "', 'vpc': 'vpc-c', "
	 "'addr': '10.0.1.10', 'groups': ['sg-i'], 'holder': 'i-c', 'node': 'n1'}"},
	{"endpoint/ep-1",
	 "{'id': 'ep-1', 'owner': 1001, 'region': 'cn-hangzhou', 'vpc': 'vpc-c', 'service': 'epsrv-1', "
	 "'service_name': 'com.x.epsrv-1', 'domain': 'ep-1.x', 'groups': ['sg-e'], 'status': 'Active'}"},
	{"connection/ep-1", "{'endpoint': 'ep-1', 'service': 'epsrv-1', 'status': 'Connected'}"},
	{"endpoint_zone/ep-1/" H,
	 "{'endpoint': 'ep-1', 'zone': '" H "', 'port': 'eni-h', 'addr': '10.0.1.50', 'resource': 'nlb-1', "
	 "'status': 'Connected'}"},
	{"endpoint_zone/ep-1/" I,
	 "{'endpoint': 'ep-1', 'zone': '" I "', 'port': 'eni-i', 'addr': '10.0.2.50', 'resource': 'nlb-1', "
	 "'status': 'Connected'}"},
	{"port/eni-h",
	 "{'id': 'eni-h', 'owner': 1001, 'number': 2, 'kind': 'endpoint', 'zone': '" H "', 'vpc': 'vpc-c', "
	 "'addr': '10.0.1.50', 'groups': ['sg-e'], 'holder': 'ep-1'}"},
	{"port/eni-i",
	 "{'id': 'eni-i', 'owner': 1001, 'number': 3, 'kind': 'endpoint', 'zone': '" I "', 'vpc': 'vpc-c', "
	 "'addr': '10.0.2.50', 'groups': ['sg-e'], 'holder': 'ep-1'}"},
	{"service/epsrv-1",
	 "{'id': 'epsrv-1', 'owner': 2002, 'region': 'cn-hangzhou', 'name': 'com.x.epsrv-1', 'status': 'Active'}"},
	{"load_balancer/nlb-1",
	 "{'id': 'nlb-1', 'owner': 2002, 'region': 'cn-hangzhou', 'vpc': 'vpc-p', 'zones': ['" H "', '" I
	 "'], "
	 "'cross_zone': true, 'type': 'nlb', 'status': 'Active'}"},
	{"listener/lsn-1",
	 "{'id': 'lsn-1', 'owner': 2002, 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': 'TCP', "
	 "'port': 443, 'status': 'Running'}"},
	{"server_group/sgp-1",
	 "{'id': 'sgp-1', 'owner': 2002, 'region': 'cn-hangzhou', 'vpc': 'vpc-p', 'protocol': 'TCP', "
	 "'health_enabled': true, 'status': 'Available'}"},
	{"server/sgp-1/i-p1/443",
	 "{'group': 'sgp-1', 'server_id': 'i-p1', 'type': 'Ecs', 'addr': '10.0.1.20', 'port': 443, "
	 "'weight': 100, 'zone': '" H "', 'port_id': 'eni-p1', 'node': 'n1', 'status': 'Available'}"},
	{"server/sgp-1/i-p2/443",
	 "{'group': 'sgp-1', 'server_id': 'i-p2', 'type': 'Ecs', 'addr': '10.0.2.20', 'port': 443, "
	 "'weight': 100, 'zone': '" I "', 'port_id': 'eni-p2', 'node': 'n1', 'status': 'Available'}"},
	{"server_health/sgp-1/i-p1/443",
	 "{'group': 'sgp-1', 'server_id': 'i-p1', 'port': 443, 'node': 'n1', 'healthy': true}"},
	{"server_health/sgp-1/i-p2/443",
	 "{'group': 'sgp-1', 'server_id': 'i-p2', 'port': 443, 'node': 'n1', 'healthy': true}"},
	{"instance/i-p1",
	 "{'id': 'i-p1', 'owner': 2002, 'region': 'cn-hangzhou', 'vpc': 'vpc-p', 'node': 'n1', 'port': 'eni-p1', "
	 "'status': 'Running'}"},
	{"instance/i-p2",
	 "{'id': 'i-p2', 'owner': 2002, 'region': 'cn-hangzhou', 'vpc': 'vpc-p', 'node': 'n1', 'port': 'eni-p2', "
	 "'status': 'Running'}"},
	{"port/eni-p1",
	 "{'id': 'eni-p1', 'owner': 2002, 'number': 4, 'kind': 'instance', 'vpc': 'vpc-p', 'addr': '10.0.1.20', "
	 "'holder': 'i-p1', 'node': 'n1'}"},
	{"port/eni-p2",
	 "{'id': 'eni-p2', 'owner': 2002, 'number': 5, 'kind': 'instance', 'vpc': 'vpc-p', 'addr': '10.0.2.20', "
	 "'holder': 'i-p2', 'node': 'n1'}"},
};

/* What nodes do that are not named here: they report. */
static const struct {
	const char *name;
	enum path_node state;
} nodes[] = {{"lost", PATH_NODE_LOST}, {"holds", PATH_NODE_HOLDS}, {"unknown", PATH_NODE_UNKNOWN}};

static enum path_node node_of(const void *context _unused_, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (streq(nodes[i].name, name))
			return nodes[i].state;
	return PATH_NODE_REPORTS;
}

static void must(int r)
{
	if (r < 0) {
		tap_note("%s", strerror(-r));
		exit(EXIT_FAILURE);
	}
}

static struct snapshot *world_new(void)
{
	struct snapshot *rows;

	must(snapshot_new(&rows));
	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		rows_put(rows, base[i].key, "%s", base[i].json);
	return rows;
}

static struct path_question question_of(const struct snapshot *rows, int64_t viewer)
{
	struct path_question question = {.rows = rows, .viewer = viewer, .node = node_of};

	must(path_question_endpoint(&question, "ep-1"));
	if (path_sees_consumer(&question))
		question.instance = snapshot_instance(rows, "i-c");
	return question;
}

static json_t *ask(const struct path_question *question)
{
	json_t *path = path_json(question);

	if (!path)
		exit(EXIT_FAILURE);
	return path;
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

static const char *state_of(const json_t *path, const char *code)
{
	const json_t *hop;
	size_t i;

	json_array_foreach(json_object_get(path, "Hops"), i, hop)
		if (streq(text_of(hop, "Code"), code))
			return text_of(hop, "State");
	return "";
}

#define BOTH 0 /* the service is the consumer's own */

/* Members of a row that are otherwise than in the world; NULL: the row goes. */
#define CHANGES_MAX 4
static const struct {
	const char *name;
	int viewer; /* CONSUMER, PROVIDER or BOTH */
	struct {
		const char *key, *json;
	} changes[CHANGES_MAX];
	const char *verdict, *cause, *turn, *fix;
	const char *seen; /* a code that some hop has, too */
} cases[] = {
	{"nothing is broken", BOTH, {{NULL}}, "Reachable", "", "", "", "ServersHealthy"},
	{"nothing is broken, to the consumer", CONSUMER, {{NULL}}, "Reachable", "", "", "", "ZoneAnswers"},
	{"nothing is broken, to the provider", PROVIDER, {{NULL}}, "Reachable", "", "", "", "AccountKnown"},
	{"an instance that is stopped",
	 BOTH,
	 {{"instance/i-c", "{'status': 'Stopped'}"}},
	 "Unreachable",
	 "InstanceStopped",
	 "Caller",
	 "StartInstance",
	 ""},
	{"one that failed",
	 BOTH,
	 {{"instance/i-c", "{'failure': 'no such namespace'}"}},
	 "Unreachable",
	 "InstanceFailed",
	 "Operator",
	 "",
	 ""},
	{"one that is going",
	 BOTH,
	 {{"instance/i-c", "{'status': 'Deleting'}"}},
	 "Unreachable",
	 "InstanceDeleting",
	 "Nobody",
	 "",
	 ""},
	{"one that is being started",
	 BOTH,
	 {{"instance/i-c", "{'status': 'Starting'}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "InstanceStarting"},
	{"one in another VPC",
	 BOTH,
	 {{"instance/i-c", "{'vpc': 'vpc-x'}"}},
	 "Unreachable",
	 "InstanceInOtherVpc",
	 "Caller",
	 "",
	 ""},
	{"a node that is lost",
	 BOTH,
	 {{"instance/i-c", "{'node': 'lost'}"}},
	 "Unreachable",
	 "NodeLost",
	 "Operator",
	 "",
	 ""},
	{"one that holds",
	 BOTH,
	 {{"instance/i-c", "{'node': 'holds'}"},
	  {"port/eni-p1", "{'node': 'holds'}"},
	  {"port/eni-p2", "{'node': 'holds'}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "NodeHolds"},
	{"one that may report yet",
	 BOTH,
	 {{"instance/i-c", "{'node': 'unknown'}"},
	  {"port/eni-p1", "{'node': 'unknown'}"},
	  {"port/eni-p2", "{'node': 'unknown'}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "NodeUnknown"},
	{"an advanced group that lets nothing out",
	 BOTH,
	 {{"security_group/sg-i", "{'type': 'enterprise'}"}},
	 "Unreachable",
	 "OutRefusedByDefault",
	 "Caller",
	 "AuthorizeSecurityGroupEgress",
	 ""},
	{"a rule that lets nothing out, before which there is room",
	 BOTH,
	 {{"sg_rule/sg-i/sgr-2",
	   "{'id': 'sgr-2', 'group': 'sg-i', 'direction': 'egress', 'policy': 'Drop', 'priority': 7, "
	   "'protocol': 'ALL', 'port_first': -1, 'port_last': -1, 'cidr': '0.0.0.0/0'}"}},
	 "Unreachable",
	 "OutRefusedByRule",
	 "Caller",
	 "AuthorizeSecurityGroupEgress",
	 ""},
	{"one towards one zone",
	 BOTH,
	 {{"sg_rule/sg-i/sgr-2",
	   "{'id': 'sgr-2', 'group': 'sg-i', 'direction': 'egress', 'policy': 'Drop', 'priority': 1, "
	   "'protocol': 'TCP', 'port_first': 443, 'port_last': 443, 'cidr': '10.0.2.0/24'}"}},
	 "Partial",
	 "OutRefusedByRule",
	 "Caller",
	 "RevokeSecurityGroupEgress",
	 "OutAllowedByDefault"},
	{"a group that is gone",
	 BOTH,
	 {{"security_group/sg-e", NULL}},
	 "Unreachable",
	 "GroupMissing",
	 "Caller",
	 "",
	 ""},
	{"no rule for the port",
	 BOTH,
	 {{"sg_rule/sg-e/sgr-1", NULL}},
	 "Unreachable",
	 "InRefusedByDefault",
	 "Caller",
	 "AuthorizeSecurityGroup",
	 ""},
	{"no rule, and one group for both",
	 BOTH,
	 {{"sg_rule/sg-e/sgr-1", NULL}, {"port/eni-c", "{'groups': ['sg-e']}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "InAllowedInside"},
	{"the same with InnerAccessPolicy Drop",
	 BOTH,
	 {{"sg_rule/sg-e/sgr-1", NULL},
	  {"port/eni-c", "{'groups': ['sg-e']}"},
	  {"security_group/sg-e", "{'inner_accept': false}"}},
	 "Unreachable",
	 "InRefusedByDefault",
	 "Caller",
	 "AuthorizeSecurityGroup",
	 ""},
	{"a drop of the first priority",
	 BOTH,
	 {{"sg_rule/sg-e/sgr-1", "{'policy': 'Drop', 'priority': 1}"}},
	 "Unreachable",
	 "InRefusedByRule",
	 "Caller",
	 "RevokeSecurityGroup",
	 ""},
	{"an ENI that is missing", BOTH, {{"port/eni-h", NULL}}, "Partial", "EniMissing", "Operator", "", ""},
	{"one that is being made",
	 BOTH,
	 {{"endpoint_zone/ep-1/" H, "{'status': 'Creating'}"}},
	 "Partial",
	 "EniCreating",
	 "Time",
	 "",
	 "NameAnswersSome"},
	{"an endpoint that failed",
	 BOTH,
	 {{"endpoint/ep-1", "{'failure': 'no free slot'}"}},
	 "Unreachable",
	 "EndpointFailed",
	 "Operator",
	 "",
	 ""},
	{"one that is being made",
	 BOTH,
	 {{"endpoint/ep-1", "{'status': 'Creating'}"}},
	 "Unreachable",
	 "EndpointCreating",
	 "Time",
	 "",
	 ""},
	{"one that changes",
	 BOTH,
	 {{"endpoint/ep-1", "{'status': 'Pending'}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "EndpointChanging"},
	{"one that goes",
	 PROVIDER,
	 {{"endpoint/ep-1", "{'status': 'Deleting'}"}},
	 "Unreachable",
	 "EndpointDeleting",
	 "Nobody",
	 "",
	 ""},
	{"one without zones",
	 BOTH,
	 {{"endpoint_zone/ep-1/" H, NULL}, {"endpoint_zone/ep-1/" I, NULL}},
	 "Unreachable",
	 "EndpointWithoutZones",
	 "Caller",
	 "",
	 ""},
	{"a connection that waits, to its consumer",
	 CONSUMER,
	 {{"connection/ep-1", "{'status': 'Disconnected', 'waiting': true}"}},
	 "Unreachable",
	 "ConnectionWaiting",
	 "Provider",
	 "",
	 "ZoneWaits"},
	{"the same, to its provider",
	 PROVIDER,
	 {{"connection/ep-1", "{'status': 'Disconnected', 'waiting': true}"}},
	 "Unreachable",
	 "ConnectionWaiting",
	 "Caller",
	 "EnableVpcEndpointConnection",
	 "ZoneWaits"},
	{"one that was refused",
	 PROVIDER,
	 {{"connection/ep-1", "{'status': 'Disconnected'}"}},
	 "Unreachable",
	 "ConnectionRefused",
	 "Caller",
	 "EnableVpcEndpointConnection",
	 ""},
	{"one that is being made",
	 CONSUMER,
	 {{"connection/ep-1", "{'status': 'Connecting'}"}},
	 "Unreachable",
	 "ConnectionConnecting",
	 "Time",
	 "",
	 ""},
	{"one that is being cut",
	 CONSUMER,
	 {{"connection/ep-1", "{'status': 'Disconnecting'}"}},
	 "Unreachable",
	 "ConnectionDisconnecting",
	 "Provider",
	 "",
	 ""},
	{"one that goes",
	 CONSUMER,
	 {{"connection/ep-1", "{'status': 'Deleting'}"}},
	 "Unreachable",
	 "ConnectionDeleting",
	 "Nobody",
	 "",
	 ""},
	{"one whose service was deleted",
	 CONSUMER,
	 {{"connection/ep-1", "{'status': 'ServiceDeleted'}"}, {"service/epsrv-1", NULL}},
	 "Unreachable",
	 "ConnectionServiceDeleted",
	 "Caller",
	 "",
	 "ServiceMissing"},
	{"none", CONSUMER, {{"connection/ep-1", NULL}}, "Unreachable", "ConnectionMissing", "Caller", "", ""},
	{"a service that goes",
	 CONSUMER,
	 {{"service/epsrv-1", "{'status': 'Deleting'}"}},
	 "Unreachable",
	 "ServiceDeleting",
	 "Caller",
	 "",
	 ""},
	{"a service that is gone",
	 CONSUMER,
	 {{"service/epsrv-1", NULL}},
	 "Unreachable",
	 "ServiceMissing",
	 "Caller",
	 "",
	 ""},
	{"a zone that was cut, to its consumer",
	 CONSUMER,
	 {{"endpoint_zone/ep-1/" I, "{'status': 'Disconnected'}"}},
	 "Partial",
	 "ZoneDisconnected",
	 "Provider",
	 "",
	 "ZoneAnswers"},
	{"the same, to its provider",
	 PROVIDER,
	 {{"endpoint_zone/ep-1/" I, "{'status': 'Disconnected'}"}},
	 "Partial",
	 "ZoneDisconnected",
	 "Caller",
	 "EnableVpcEndpointZoneConnection",
	 ""},
	{"one that is being cut",
	 PROVIDER,
	 {{"endpoint_zone/ep-1/" I, "{'status': 'Disconnecting'}"}},
	 "Partial",
	 "ZoneDisconnecting",
	 "Caller",
	 "",
	 ""},
	{"one that is being connected",
	 CONSUMER,
	 {{"endpoint_zone/ep-1/" I, "{'status': 'Connecting'}"}},
	 "Partial",
	 "ZoneConnecting",
	 "Time",
	 "",
	 ""},
	{"one that nothing serves",
	 PROVIDER,
	 {{"endpoint_zone/ep-1/" I, "{'resource': ''}"}},
	 "Partial",
	 "ZoneWithoutResource",
	 "Caller",
	 "",
	 ""},
	{"the same, to its consumer",
	 CONSUMER,
	 {{"endpoint_zone/ep-1/" I, "{'resource': ''}"}},
	 "Partial",
	 "ZoneSilent",
	 "Provider",
	 "",
	 ""},
	{"a load balancer that is gone",
	 PROVIDER,
	 {{"load_balancer/nlb-1", NULL}},
	 "Unreachable",
	 "BalancerMissing",
	 "Caller",
	 "",
	 ""},
	{"a classic one that is stopped",
	 PROVIDER,
	 {{"load_balancer/nlb-1", "{'status': 'Inactive', 'type': 'slb'}"}},
	 "Unreachable",
	 "BalancerStopped",
	 "Caller",
	 "SetLoadBalancerStatus",
	 ""},
	{"one that goes",
	 PROVIDER,
	 {{"load_balancer/nlb-1", "{'status': 'Deleting'}"}},
	 "Unreachable",
	 "BalancerDeleting",
	 "Caller",
	 "",
	 ""},
	{"one that was never made",
	 PROVIDER,
	 {{"load_balancer/nlb-1", "{'status': 'CreateFailed'}"}},
	 "Unreachable",
	 "BalancerFailed",
	 "Caller",
	 "",
	 ""},
	{"one that is being made",
	 PROVIDER,
	 {{"load_balancer/nlb-1", "{'status': 'Provisioning'}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "BalancerStarting"},
	{"one whose zone is shifted",
	 PROVIDER,
	 {{"load_balancer/nlb-1", "{'shifted': ['" H "']}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "BalancerShifted"},
	{"one whose groups refuse the client",
	 BOTH,
	 {{"load_balancer/nlb-1", "{'groups': ['sg-l']}"},
	  {"security_group/sg-l", "{'id': 'sg-l', 'owner': 1001, 'region': 'cn-hangzhou', 'vpc': 'vpc-p'}"}},
	 "Unreachable",
	 "BalancerGroupRefuses",
	 "Caller",
	 "AuthorizeSecurityGroup",
	 ""},
	{"one whose groups let some clients in, to its provider",
	 PROVIDER,
	 {{"load_balancer/nlb-1", "{'groups': ['sg-l']}"},
	  {"security_group/sg-l", "{'id': 'sg-l', 'owner': 2002, 'region': 'cn-hangzhou', 'vpc': 'vpc-p'}"},
	  {"sg_rule/sg-l/sgr-3",
	   "{'id': 'sgr-3', 'group': 'sg-l', 'direction': 'ingress', 'policy': 'Accept', 'priority': 1, "
	   "'protocol': 'TCP', 'port_first': 443, 'port_last': 443, 'cidr': '10.0.0.0/8'}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "BalancerGroupDepends"},
	{"a listener that is stopped",
	 PROVIDER,
	 {{"listener/lsn-1", "{'status': 'Stopped'}"}},
	 "Unreachable",
	 "ListenerStopped",
	 "Caller",
	 "StartListener",
	 ""},
	{"one that is being started",
	 PROVIDER,
	 {{"listener/lsn-1", "{'status': 'Starting'}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "ListenerStarting"},
	{"none at all",
	 BOTH,
	 {{"listener/lsn-1", NULL}},
	 "Unreachable",
	 "ListenerMissing",
	 "Caller",
	 "",
	 "PortUnknown"},
	{"a server group that is gone",
	 PROVIDER,
	 {{"server_group/sgp-1", NULL}},
	 "Unreachable",
	 "ServerGroupMissing",
	 "Caller",
	 "",
	 ""},
	{"one without servers",
	 PROVIDER,
	 {{"server/sgp-1/i-p1/443", NULL}, {"server/sgp-1/i-p2/443", NULL}},
	 "Unreachable",
	 "ServersNone",
	 "Caller",
	 "",
	 ""},
	{"a zone without servers, for which no others stand in",
	 PROVIDER,
	 {{"server/sgp-1/i-p1/443", NULL}, {"load_balancer/nlb-1", "{'cross_zone': false}"}},
	 "Partial",
	 "ServersNoneInZone",
	 "Caller",
	 "",
	 ""},
	{"servers without health check",
	 PROVIDER,
	 {{"server_group/sgp-1", "{'health_enabled': false}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "ServersUnprobed"},
	{"servers that nobody has probed",
	 PROVIDER,
	 {{"server_health/sgp-1/i-p1/443", NULL}, {"server_health/sgp-1/i-p2/443", NULL}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "ServersUnknown"},
	{"the same, to the consumer",
	 CONSUMER,
	 {{"server_health/sgp-1/i-p1/443", NULL}, {"server_health/sgp-1/i-p2/443", NULL}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "ZoneUnknown"},
	{"servers that are ill in one zone",
	 BOTH,
	 {{"server_health/sgp-1/i-p1/443", "{'healthy': false}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "ServersOtherZones"},
	{"whose zone leaves the name",
	 BOTH,
	 {{"server_health/sgp-1/i-p1/443", "{'healthy': false}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "EniNotInName"},
	{"servers that are ill in the other zone, for this one",
	 BOTH,
	 {{"server_health/sgp-1/i-p1/443", "{'healthy': false}"}},
	 "Reachable",
	 "",
	 "",
	 "",
	 "ServersSomeUnhealthy"},
	{"servers that are ill, where no others stand in",
	 BOTH,
	 {{"server_health/sgp-1/i-p1/443", "{'healthy': false, 'reason': 'CONNECT_FAILED'}"},
	  {"load_balancer/nlb-1", "{'cross_zone': false}"}},
	 "Partial",
	 "ServersUnhealthy",
	 "Caller",
	 "",
	 ""},
	{"the same, to the consumer",
	 CONSUMER,
	 {{"server_health/sgp-1/i-p1/443", "{'healthy': false}"},
	  {"load_balancer/nlb-1", "{'cross_zone': false}"}},
	 "Partial",
	 "ZoneSilent",
	 "Provider",
	 "",
	 "ZoneAnswers"},
	{"servers that are all ill",
	 PROVIDER,
	 {{"server_health/sgp-1/i-p1/443", "{'healthy': false}"},
	  {"server_health/sgp-1/i-p2/443", "{'healthy': false}"}},
	 "Unreachable",
	 "ServersUnhealthy",
	 "Caller",
	 "",
	 ""},
	{"servers of weight 0",
	 PROVIDER,
	 {{"server/sgp-1/i-p1/443", "{'weight': 0}"}, {"server/sgp-1/i-p2/443", "{'weight': 0}"}},
	 "Unreachable",
	 "ServersWeightZero",
	 "Caller",
	 "UpdateServerGroupServersAttribute",
	 ""},
	{"those of a classic load balancer",
	 PROVIDER,
	 {{"server/sgp-1/i-p1/443", "{'weight': 0}"},
	  {"server/sgp-1/i-p2/443", "{'weight': 0}"},
	  {"server_group/sgp-1", "{'load_balancer': 'nlb-1'}"}},
	 "Unreachable",
	 "ServersWeightZero",
	 "Caller",
	 "SetBackendServers",
	 ""},
	{"servers that are stopped",
	 PROVIDER,
	 {{"instance/i-p1", "{'status': 'Stopped'}"}, {"instance/i-p2", "{'status': 'Stopped'}"}},
	 "Unreachable",
	 "ServersStopped",
	 "Caller",
	 "StartInstance",
	 ""},
	{"servers that no interface is",
	 PROVIDER,
	 {{"port/eni-p1", NULL}, {"port/eni-p2", NULL}},
	 "Unreachable",
	 "ServersGone",
	 "Caller",
	 "",
	 ""},
	{"servers whose node is lost",
	 PROVIDER,
	 {{"port/eni-p1", "{'node': 'lost'}"}, {"port/eni-p2", "{'node': 'lost'}"}},
	 "Unreachable",
	 "ServersNodeLost",
	 "Operator",
	 "",
	 ""},
	{"servers on another node",
	 CONSUMER,
	 {{"port/eni-p1", "{'node': 'n2'}"}, {"port/eni-p2", "{'node': 'n2'}"}},
	 "Unreachable",
	 "ZoneSilent",
	 "Provider",
	 "",
	 ""},
	{"the same, where both sides are seen",
	 BOTH,
	 {{"port/eni-p1", "{'node': 'n2'}"}, {"port/eni-p2", "{'node': 'n2'}"}},
	 "Unreachable",
	 "ServersElsewhere",
	 "Operator",
	 "",
	 ""},
};

/* The row with other members. */
static void change_row(struct snapshot *rows, const char *key, const char *json)
{
	json_t *row = NULL, *change;
	_cleanup_(freep) char *text = NULL, *copy = strdup(json);

	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		if (streq(base[i].key, key)) {
			_cleanup_(freep) char *before = strdup(base[i].json);

			for (char *p = before; *p; p++)
				*p = *p == '\'' ? '"' : *p;
			row = json_loads(before, 0, NULL);
		}
	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	change = json_loads(copy, 0, NULL);
	row = row ?: json_object();
	must(json_object_update(row, change));
	text = json_dumps(row, 0);
	rows_put(rows, key, "%s", text);
	json_decref(row);
	json_decref(change);
}

/* One account has both sides. */
static void unite(struct snapshot *rows)
{
	static const char *const keys[] = {"vpc/vpc-p",	     "service/epsrv-1",	   "load_balancer/nlb-1",
					   "listener/lsn-1", "server_group/sgp-1", "instance/i-p1",
					   "instance/i-p2",  "port/eni-p1",	   "port/eni-p2"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		change_row(rows, keys[i], "{'owner': 1001}");
}

static void change(struct snapshot *rows, const char *key, const char *json, bool united)
{
	char text[1024];

	if (!json) {
		rows_delete(rows, key);
		return;
	}
	/* Who owns it stays. */
	if (united && (str_starts(key, "service/") || str_starts(key, "load_balancer/") ||
		       str_starts(key, "instance/i-p") || str_starts(key, "server_group/"))) {
		must(str_format(text, sizeof(text), "%.*s, 'owner': 1001}", (int)strlen(json) - 1, json));
		json = text;
	}
	change_row(rows, key, json);
}

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct snapshot *rows = world_new();
		struct path_question question;
		const json_t *cause;
		bool good;
		json_t *path;

		if (cases[i].viewer == BOTH)
			unite(rows);
		for (size_t j = 0; j < CHANGES_MAX && cases[i].changes[j].key; j++)
			change(rows, cases[i].changes[j].key, cases[i].changes[j].json,
			       cases[i].viewer == BOTH);
		question = question_of(rows, cases[i].viewer == BOTH ? CONSUMER : cases[i].viewer);
		path = ask(&question);
		cause = json_object_get(path, "Cause");
		good = streq(text_of(path, "Verdict"), cases[i].verdict) &&
		       streq(text_of(cause, "Code"), cases[i].cause) &&
		       streq(text_of(cause, "Turn"), cases[i].turn) &&
		       streq(text_of(json_object_get(path, "Fix"), "Action"), cases[i].fix) &&
		       (!*cases[i].seen || *state_of(path, cases[i].seen));
		if (!tap_ok(good, "%s", cases[i].name)) {
			_cleanup_(freep) char *text = json_dumps(path, JSON_INDENT(1));

			tap_note("%s", text);
		}
		json_decref(path);
		(void)snapshot_free(rows);
	}
}

/* ---- who sees what ---- */

static bool shows_any(const json_t *path, const char *const *words, size_t n)
{
	_cleanup_(freep) char *text = json_dumps(path, 0);

	for (size_t i = 0; i < n; i++)
		if (strstr(text, words[i])) {
			tap_note("%s in %s", words[i], text);
			return true;
		}
	return false;
}

/* In all of the cases, whoever asks. */
static void test_sides(void)
{
	static const char *const providers[] = {"vpc-p", "nlb-1", "lsn-1", "sgp-1",	"i-p1",	     "i-p2",
						"eni-p", "sg-l",  "sgr-3", "10.0.1.20", "10.0.2.20", "2002"};
	static const char *const consumers[] = {"vpc-c", "sg-i",      "sg-e",	   "sgr-1",
						"sgr-2", "i-c",	      "eni-c",	   "eni-h",
						"eni-i", "10.0.1.10", "10.0.1.50", "10.0.2.50"};
	unsigned int wrong = 0, n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct snapshot *rows = world_new();

		for (size_t j = 0; j < CHANGES_MAX && cases[i].changes[j].key; j++)
			change(rows, cases[i].changes[j].key, cases[i].changes[j].json, false);
		for (int side = 0; side < 2; side++) {
			struct path_question question = question_of(rows, side ? PROVIDER : CONSUMER);
			json_t *path;

			/* Whose neither side is asks in vain. */
			if (!path_sees_consumer(&question) && !path_sees_provider(&question))
				continue;
			path = ask(&question);
			wrong += side ? shows_any(path, consumers, ARRAY_SIZE(consumers))
				      : shows_any(path, providers, ARRAY_SIZE(providers));
			n++;
			json_decref(path);
		}
		(void)snapshot_free(rows);
	}
	tap_is_int(wrong, 0, "no answer of %u has an id or an address of the other side", n);
}

/* A service of the catalogue is the administrators'; what stands behind it is still somebody's. */
static void test_system_service(void)
{
	struct snapshot *rows = world_new();
	struct path_question question;
	json_t *path;

	change_row(rows, "service/epsrv-1", "{'owner': 0}");
	question = question_of(rows, PROVIDER);
	tap_ok(!path_sees_provider(&question),
	       "a service of the catalogue is not that of the load balancer's owner");
	question = question_of(rows, 3003);
	question.viewer_is_admin = true;
	path = ask(&question);
	tap_is_str(text_of(path, "Verdict"), "Reachable", "an administrator has it");
	tap_ok(*state_of(path, "ZoneAnswers") && !*state_of(path, "BalancerActive"),
	       "and sees of another's load balancer whether it answers");
	json_decref(path);
	question.viewer = PROVIDER;
	path = ask(&question);
	tap_ok(*state_of(path, "ServersHealthy"), "of an own one all");
	json_decref(path);
	(void)snapshot_free(rows);
}

/* A node's reason may name what is the provider's. */
static void test_failures(void)
{
	static const char *const words[] = {"vpc-p"};
	struct snapshot *rows = world_new();
	struct path_question question;
	json_t *path;

	change_row(rows, "endpoint/ep-1",
		   "{'failure': 'VPC vpc-p has no translated addresses for this node yet'}");
	question = question_of(rows, CONSUMER);
	path = ask(&question);
	tap_is_str(text_of(json_object_get(path, "Cause"), "Code"), "EndpointFailed",
		   "a failure of an endpoint");
	tap_ok(!shows_any(path, words, 1), "is not told in words that name another's VPC");
	json_decref(path);
	change_row(rows, "endpoint/ep-1", "{'failure': 'the interface eni-h of zone h is broken'}");
	question = question_of(rows, CONSUMER);
	path = ask(&question);
	tap_ok(strstr(text_of(json_object_get(path, "Cause"), "Text"), "eni-h"),
	       "in those that name one's own it is");
	json_decref(path);
	(void)snapshot_free(rows);
}

/* ---- other questions ---- */

static void test_ping(void)
{
	struct snapshot *rows = world_new();
	struct path_question question = question_of(rows, CONSUMER);
	json_t *path;

	question.protocol = "ICMP";
	path = ask(&question);
	tap_is_str(text_of(json_object_get(path, "Cause"), "Code"), "InRefusedByDefault",
		   "ping needs a rule of its own");
	tap_is_str(text_of(json_object_get(json_object_get(path, "Fix"), "Parameters"),
			   "Permissions.1.PortRange"),
		   "-1/-1", "which has no ports");
	json_decref(path);
	change_row(rows, "sg_rule/sg-e/sgr-1", "{'protocol': 'ICMP', 'port_first': -1, 'port_last': -1}");
	change_row(rows, "connection/ep-1", "{'status': 'Disconnected'}");
	question = question_of(rows, CONSUMER);
	question.protocol = "ICMP";
	path = ask(&question);
	tap_is_str(text_of(path, "Verdict"), "Reachable", "and no connection: the ENI answers by itself");
	tap_ok(!*state_of(path, "ConnectionRefused"), "so there is no hop of one");
	json_decref(path);
	(void)snapshot_free(rows);
}

static void test_fix(void)
{
	static const char *const want[][2] = {{"SecurityGroupId", "sg-e"},
					      {"Permissions.1.IpProtocol", "TCP"},
					      {"Permissions.1.PortRange", "443/443"},
					      {"Permissions.1.SourceCidrIp", "10.0.1.10/32"},
					      {"Permissions.1.Policy", "accept"},
					      {"Permissions.1.Priority", "1"}};
	struct snapshot *rows = world_new();
	struct path_question question;
	const json_t *fix;
	json_t *path;

	rows_delete(rows, "sg_rule/sg-e/sgr-1");
	question = question_of(rows, CONSUMER);
	path = ask(&question);
	fix = json_object_get(path, "Fix");
	tap_is_str(text_of(fix, "Product"), "ecs", "a fix is a call of a product");
	tap_is_str(text_of(fix, "RegionId"), "cn-hangzhou", "in the region of what it changes");
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		tap_is_str(text_of(json_object_get(fix, "Parameters"), want[i][0]), want[i][1], want[i][0]);
	tap_is_int((long long)json_object_size(json_object_get(fix, "Parameters")), ARRAY_SIZE(want),
		   "and no more");
	json_decref(path);
	change_row(rows, "sg_rule/sg-e/sgr-1", "{'policy': 'Drop', 'priority': 5}");
	question = question_of(rows, CONSUMER);
	path = ask(&question);
	fix = json_object_get(path, "Fix");
	tap_is_str(text_of(json_object_get(fix, "Parameters"), "Permissions.1.Priority"), "4",
		   "a rule goes just before the one that refuses");
	json_decref(path);
	(void)snapshot_free(rows);
}

/* Any instance of the VPC. */
static void test_anyone(void)
{
	struct snapshot *rows = world_new();
	struct path_question question = question_of(rows, CONSUMER);
	json_t *path;

	question.instance = NULL;
	path = ask(&question);
	tap_is_str(state_of(path, "InAllowedByRule"), "Ok", "a rule for the whole VPC lets in whoever asks");
	json_decref(path);
	change_row(rows, "sg_rule/sg-e/sgr-1", "{'cidr': '10.0.1.0/24'}");
	path = ask(&question);
	tap_is_str(state_of(path, "InDepends"), "Warn", "one for a part of it some");
	json_decref(path);
	change_row(rows, "sg_rule/sg-e/sgr-1", "{'cidr': '10.9.0.0/16'}");
	change_row(rows, "security_group/sg-e", "{'inner_accept': false}");
	path = ask(&question);
	tap_is_str(text_of(json_object_get(path, "Cause"), "Code"), "InRefusedByDefault",
		   "one for others nobody");
	tap_is_str(text_of(json_object_get(json_object_get(path, "Fix"), "Parameters"),
			   "Permissions.1.SourceCidrIp"),
		   "10.0.0.0/16", "the fix is for the whole VPC then");
	json_decref(path);
	(void)snapshot_free(rows);
}

static void test_links(void)
{
	struct snapshot *rows = world_new();
	struct path_question question = question_of(rows, CONSUMER);
	const json_t *link;
	json_t *path = ask(&question);
	bool forks = false, joins = false;
	size_t i;

	json_array_foreach(json_object_get(path, "Links"), i, link) {
		forks |= streq(text_of(link, "From"), "Name") && streq(text_of(link, "To"), "GroupOut/" I);
		joins |= streq(text_of(link, "From"), "GroupIn/" H) && streq(text_of(link, "To"), "Endpoint");
	}
	tap_ok(forks && joins, "the way parts into zones and meets again");
	tap_is_str(text_of(json_array_get(json_object_get(path, "Zones"), 1), "ZoneId"), I,
		   "each zone has a state");
	json_decref(path);
	(void)snapshot_free(rows);
}

/* ---- bounds ---- */

static void test_bounds(void)
{
	struct snapshot *rows = world_new();
	struct path_question question;
	char key[128];
	json_t *path;

	unite(rows);
	for (unsigned int i = 0; i <= PATH_SERVERS_MAX / 2; i++) {
		(void)snprintf(key, sizeof(key), "server/sgp-1/10.1.%u.%u/443", i / 250, i % 250 + 1);
		rows_put(
			rows, key,
			"{'group': 'sgp-1', 'server_id': '10.1.%u.%u', 'type': 'Ip', 'addr': '10.1.%u.%u', 'port': 443}",
			i / 250, i % 250 + 1, i / 250, i % 250 + 1);
	}
	question = question_of(rows, CONSUMER);
	path = ask(&question);
	tap_is_str(state_of(path, "ServersTooMany"), "Unknown", "no more servers than one answer looks at");
	json_decref(path);
	for (unsigned int i = 0; i < 4096; i++) {
		(void)snprintf(key, sizeof(key), "sg_rule/sg-i/sgr-x%u", i);
		rows_put(
			rows, key,
			"{'id': 'sgr-x%u', 'group': 'sg-i', 'direction': 'egress', 'policy': 'Accept', 'priority': 1, "
			"'protocol': 'UDP', 'port_first': 1, 'port_last': 1, 'cidr': '10.0.0.0/8'}",
			i);
	}
	question = question_of(rows, CONSUMER);
	path = ask(&question);
	tap_is_str(state_of(path, "OutAllowedByDefault"), "Ok", "as many rules as one judgement takes");
	json_decref(path);
	rows_put(rows, "sg_rule/sg-i/sgr-y",
		 "{'id': 'sgr-y', 'group': 'sg-i', 'direction': 'egress', 'policy': 'Accept', 'priority': 1, "
		 "'protocol': 'UDP', 'port_first': 1, 'port_last': 1, 'cidr': '10.0.0.0/8'}");
	question = question_of(rows, CONSUMER);
	path = ask(&question);
	tap_is_str(state_of(path, "TooManyRules"), "Unknown", "and no more");
	json_decref(path);
	(void)snapshot_free(rows);
}

/* All ten zones, and everything that a hop can be. */
static void test_most(void)
{
	struct snapshot *rows = world_new();
	struct path_question question;
	struct path *path;

	unite(rows);
	change_row(rows, "load_balancer/nlb-1", "{'owner': 1001, 'groups': ['sg-e']}");
	for (int letter = 'k'; letter < 'k' + ENDPOINT_ZONES_MAX - 2; letter++) {
		char key[128];

		(void)snprintf(key, sizeof(key), "endpoint_zone/ep-1/cn-hangzhou-%c", letter);
		rows_put(
			rows, key,
			"{'endpoint': 'ep-1', 'zone': 'cn-hangzhou-%c', 'port': 'eni-h', 'addr': '10.0.1.50', "
			"'resource': 'nlb-1', 'resource_zone': '" H "', 'status': 'Connected'}",
			letter);
	}
	question = question_of(rows, CONSUMER);
	must(path_find(&question, &path));
	tap_is_int((long long)path->n_zones, ENDPOINT_ZONES_MAX, "as many zones as there can be");
	tap_is_int((long long)path->n_hops, 6 + 8 * ENDPOINT_ZONES_MAX, "have room for all of their hops");
	free(path);
	(void)snapshot_free(rows);
}

/* A fix is a call that there is. */
static void test_versions(void)
{
	struct snapshot *rows = world_new();
	struct path_question question;
	json_t *path;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct product_info *product;
		const json_t *fix;

		if (!*cases[i].fix)
			continue;
		(void)snapshot_free(rows);
		rows = world_new();
		if (cases[i].viewer == BOTH)
			unite(rows);
		for (size_t j = 0; j < CHANGES_MAX && cases[i].changes[j].key; j++)
			change(rows, cases[i].changes[j].key, cases[i].changes[j].json,
			       cases[i].viewer == BOTH);
		question = question_of(rows, cases[i].viewer == BOTH ? CONSUMER : cases[i].viewer);
		path = ask(&question);
		fix = json_object_get(path, "Fix");
		product = product_by_name(text_of(fix, "Product"));
		tap_ok(product && streq(product->version, text_of(fix, "Version")) &&
			       action_find(product->product, text_of(fix, "Action")),
		       "%s: %s %s is an action", cases[i].name, text_of(fix, "Product"),
		       text_of(fix, "Action"));
		json_decref(path);
	}
	(void)snapshot_free(rows);
}

/* doc/path.md has each code as the table of codes has it. */
static void test_document(void)
{
	const char *root = getenv("PRIVLINK_SOURCE_ROOT");
	char path[4096], line[512], *text = calloc(1, 1 << 16);
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/doc/path.md", root ?: ".");
	f = fopen(path, "r");
	if (f && text)
		(void)!fread(text, 1, (1 << 16) - 1, f);
	for (int code = 0; text && code < PATH_CODE_COUNT_; code++) {
		static const char *const states[] = {"Ok", "Warn", "Unknown", "Broken"};
		static const char *const turns[] = {"", "Consumer", "Provider", "Operator", "Time"};
		const struct path_code_info *info = path_code_info((enum path_code)code);

		(void)snprintf(line, sizeof(line), "| `%s` | %s | %s | %s |", info->name, states[info->state],
			       turns[info->turn], info->text);
		if (!strstr(text, line))
			tap_ok(false, "doc/path.md has: %s", line);
	}
	tap_ok(f != NULL, "doc/path.md explains the codes");
	if (f)
		fclose(f);
	free(text);
}

int main(void)
{
	test_document();
	test_cases();
	test_sides();
	test_system_service();
	test_failures();
	test_ping();
	test_fix();
	test_anyone();
	test_links();
	test_bounds();
	test_most();
	test_versions();
	return tap_done();
}
