/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small world of the feed's tests, and what an answer has.
 */
#pragma once

#include "api_harness.h"

#define COPY(member, text) harness_must(str_copy(member, sizeof(member), text), text)

static void put_vpc(struct harness *h, const char *id)
{
	struct vpc row = {.owner = ALICE};

	COPY(row.id, id);
	harness_put(h, KIND_VPC, &row);
}

static void put_port(struct harness *h, const char *id, const char *vpc, const char *node)
{
	struct port row = {.owner = ALICE};

	COPY(row.id, id);
	row.vpc = vpc;
	row.node = node;
	harness_put(h, KIND_PORT, &row);
}

/* A consumer's VPC with an instance on "alpha", a provider's with one on "beta", an endpoint between them;
 * and a VPC that has nothing to do with either. */
static void put_world(struct harness *h)
{
	struct load_balancer balancer = {.owner = BOB};
	struct listener listener = {};
	struct server_group group = {};
	struct server server = {.port = 443};
	struct service service = {};
	struct service_resource resource = {};
	struct endpoint endpoint = {.owner = ALICE}, elsewhere = {.owner = BOB};
	struct endpoint_zone zone = {};
	struct connection connection = {};
	struct security_group sg = {};
	struct sg_rule rule = {};
	struct client_token token = {.uid = ALICE};
	struct access_key key = {.uid = ALICE};
	struct vswitch vswitch = {.owner = ALICE, .status = VSWITCH_AVAILABLE};
	struct instance instance = {.owner = ALICE, .status = INSTANCE_STOPPED};
	struct address address = {.addr = netaddr_v4(0x0a000001)};
	struct server_health health = {.port = 443};
	struct service_user user = {.uid = ALICE};
	struct tag tag = {};
	struct connectivity_test test = {.owner = ALICE, .create_time = now_unix_s() + 1000};

	put_vpc(h, "vpc-consumer");
	put_vpc(h, "vpc-provider");
	put_vpc(h, "vpc-other");
	put_port(h, "eni-consumer", "vpc-consumer", "alpha");
	put_port(h, "eni-provider", "vpc-provider", "beta");
	put_port(h, "eni-other", "vpc-other", "gamma");
	COPY(balancer.id, "nlb-1");
	COPY(balancer.vpc, "vpc-provider");
	harness_put(h, KIND_LOAD_BALANCER, &balancer);
	COPY(group.id, "sgp-1");
	COPY(group.vpc, "vpc-provider");
	harness_put(h, KIND_SERVER_GROUP, &group);
	COPY(listener.id, "lsn-1");
	COPY(listener.load_balancer, "nlb-1");
	COPY(listener.server_group, "sgp-1");
	harness_put(h, KIND_LISTENER, &listener);
	COPY(server.group, "sgp-1");
	COPY(server.server_id, "eni-provider");
	harness_put(h, KIND_SERVER, &server);
	COPY(service.id, "epsrv-1");
	harness_put(h, KIND_SERVICE, &service);
	COPY(resource.service, "epsrv-1");
	COPY(resource.resource, "nlb-1");
	COPY(resource.zone, "z");
	harness_put(h, KIND_SERVICE_RESOURCE, &resource);
	COPY(endpoint.id, "ep-1");
	endpoint.vpc = "vpc-consumer";
	endpoint.service = "epsrv-1";
	harness_put(h, KIND_ENDPOINT, &endpoint);
	COPY(elsewhere.id, "ep-provider");
	elsewhere.vpc = "vpc-provider";
	elsewhere.service = "epsrv-2";
	harness_put(h, KIND_ENDPOINT, &elsewhere);
	COPY(zone.endpoint, "ep-1");
	COPY(zone.zone, "z");
	harness_put(h, KIND_ENDPOINT_ZONE, &zone);
	COPY(connection.endpoint, "ep-1");
	connection.service = "epsrv-1";
	harness_put(h, KIND_CONNECTION, &connection);
	COPY(sg.id, "sg-consumer");
	COPY(sg.vpc, "vpc-consumer");
	harness_put(h, KIND_SECURITY_GROUP, &sg);
	COPY(rule.id, "sgr-1");
	COPY(rule.group, "sg-consumer");
	harness_put(h, KIND_SG_RULE, &rule);
	COPY(token.action, "VPC:CreateVpc");
	COPY(token.token, "t");
	harness_put(h, KIND_CLIENT_TOKEN, &token);
	COPY(key.id, "PLAKkey");
	COPY(key.secret, "secret");
	harness_put(h, KIND_ACCESS_KEY, &key);
	COPY(vswitch.id, "vsw-1");
	COPY(vswitch.vpc, "vpc-consumer");
	harness_put(h, KIND_VSWITCH, &vswitch);
	COPY(instance.id, "i-1");
	COPY(instance.vpc, "vpc-consumer");
	harness_put(h, KIND_INSTANCE, &instance);
	address.vpc = "vpc-consumer";
	COPY(address.port, "eni-consumer");
	harness_put(h, KIND_ADDRESS, &address);
	COPY(health.group, "sgp-1");
	COPY(health.server_id, "eni-provider");
	harness_put(h, KIND_SERVER_HEALTH, &health);
	COPY(user.service, "epsrv-1");
	harness_put(h, KIND_SERVICE_USER, &user);
	COPY(tag.resource, "ep-1");
	COPY(tag.key, "k");
	harness_put(h, KIND_TAG, &tag);
	COPY(test.id, "ct-1");
	COPY(test.endpoint, "ep-1");
	COPY(test.instance, "i-1");
	COPY(test.node, "alpha");
	COPY(test.runner, "alpha");
	COPY(test.steps, "Name\tx.test\t\t\t\t0\t\n");
	harness_put(h, KIND_CONNECTIVITY_TEST, &test);
}
static bool has_key(const json_t *answer, const char *list, const char *key)
{
	const json_t *entries = json_object_get(answer, list);

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		const char *text =
			json_string_value(json_is_object(entry) ? json_object_get(entry, "key") : entry);

		if (text && streq(text, key))
			return true;
	}
	return false;
}
