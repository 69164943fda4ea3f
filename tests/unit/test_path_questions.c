/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths over rows: other questions than what is broken, what nobody is told, the bounds of what one answer
 * looks at, and the table of codes in doc/path.md.
 */
#include "path_world.h"

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
	test_system_service();
	test_failures();
	test_ping();
	test_fix();
	test_anyone();
	test_links();
	test_bounds();
	test_most();
	return tap_done();
}
