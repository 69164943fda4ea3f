/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths over rows: a table of ways to break one, each as a change of a world in which all is well, and what
 * the two sides see of it. tests/path has the ways that calls of the API can bring about.
 */
#include "path_world.h"

#include "schema/schema.h"

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

int main(void)
{
	test_cases();
	test_sides();
	test_versions();
	return tap_done();
}
