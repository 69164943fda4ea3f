/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of paths in which all is well: a consumer's endpoint in two zones, and what stands behind it.
 */
#pragma once

#include "model/path.h"

#include <stdio.h>

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

_unused_ static enum path_node node_of(const void *context _unused_, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (streq(nodes[i].name, name))
			return nodes[i].state;
	return PATH_NODE_REPORTS;
}

_unused_ static void must(int r)
{
	if (r < 0) {
		tap_note("%s", strerror(-r));
		exit(EXIT_FAILURE);
	}
}

_unused_ static struct snapshot *world_new(void)
{
	struct snapshot *rows;

	must(snapshot_new(&rows));
	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		rows_put(rows, base[i].key, "%s", base[i].json);
	return rows;
}

_unused_ static struct path_question question_of(const struct snapshot *rows, int64_t viewer)
{
	struct path_question question = {.rows = rows, .viewer = viewer, .node = node_of};

	must(path_question_endpoint(&question, "ep-1"));
	if (path_sees_consumer(&question))
		question.instance = snapshot_instance(rows, "i-c");
	return question;
}

_unused_ static json_t *ask(const struct path_question *question)
{
	struct path *path;
	json_t *json;

	must(path_find(question, &path));
	json = path_to_json(path);
	free(path);
	if (!json)
		exit(EXIT_FAILURE);
	return json;
}

_unused_ static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

_unused_ static const char *state_of(const json_t *path, const char *code)
{
	const json_t *hop;
	size_t i;

	json_array_foreach(json_object_get(path, "Hops"), i, hop)
		if (streq(text_of(hop, "Code"), code))
			return text_of(hop, "State");
	return "";
}

/* The row with other members. */
_unused_ static void change_row(struct snapshot *rows, const char *key, const char *json)
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
_unused_ static void unite(struct snapshot *rows)
{
	static const char *const keys[] = {"vpc/vpc-p",	     "service/epsrv-1",	   "load_balancer/nlb-1",
					   "listener/lsn-1", "server_group/sgp-1", "instance/i-p1",
					   "instance/i-p2",  "port/eni-p1",	   "port/eni-p2"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		change_row(rows, keys[i], "{'owner': 1001}");
}

_unused_ static bool shows_any(const json_t *path, const char *const *words, size_t n)
{
	_cleanup_(freep) char *text = json_dumps(path, 0);

	for (size_t i = 0; i < n; i++)
		if (strstr(text, words[i])) {
			tap_note("%s in %s", words[i], text);
			return true;
		}
	return false;
}
