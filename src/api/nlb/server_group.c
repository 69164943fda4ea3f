/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server groups: which servers answer, how flows are spread over them, and how their health is found out.
 * Probes are TCP connects; a UDP group is probed only if it names a TCP port for that.
 */
#include <strings.h>

#include "../../model/state.h"
#include "../common/balancer.h"
#include "../common/limits.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

static uint32_t health_number(const json_t *config, const char *name, uint32_t otherwise)
{
	const json_t *value = json_object_get(config, name);

	return json_is_integer(value) ? (uint32_t)json_integer_value(value) : otherwise;
}

/* What is given replaces what the row has. */
static void read_health(const struct call *call, struct server_group *row)
{
	const json_t *config = json_object_get(call->params, "HealthCheckConfig");
	const json_t *enabled = json_object_get(config, "HealthCheckEnabled");

	if (json_is_boolean(enabled))
		row->health_enabled = json_is_true(enabled);
	row->health_port = health_number(config, "HealthCheckConnectPort", row->health_port);
	row->health_timeout_s = health_number(config, "HealthCheckConnectTimeout", row->health_timeout_s);
	row->health_interval_s = health_number(config, "HealthCheckInterval", row->health_interval_s);
	row->healthy_threshold = health_number(config, "HealthyThreshold", row->healthy_threshold);
	row->unhealthy_threshold = health_number(config, "UnhealthyThreshold", row->unhealthy_threshold);
}

/* One of `values`, in its own spelling. */
static void read_word(const struct call *call, const char *param, const char *const *values,
		      char ret[WORD_SIZE])
{
	const char *text = call_string(call, param);

	for (; text && *values; values++)
		if (strcasecmp(text, *values) == 0)
			(void)str_copy(ret, WORD_SIZE, *values);
}

static void read_settings(const struct call *call, struct server_group *row)
{
	read_word(call, "Scheduler", nlb_schedulers, row->scheduler);
	row->preserve_client_ip = call_bool(call, "PreserveClientIpEnabled", row->preserve_client_ip);
	row->drain_enabled = call_bool(call, "ConnectionDrainEnabled", row->drain_enabled);
	row->drain_timeout_s = (uint32_t)call_int(call, "ConnectionDrainTimeout", row->drain_timeout_s);
	read_health(call, row);
}

int server_group_create(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	const char *type = call_string(call, "ServerGroupType");
	struct server_group row = {
		.owner = call->account->uid,
		.by_address = type && strcasecmp(type, "Ip") == 0,
		.protocol = "TCP",
		.scheduler = "Wrr",
		.preserve_client_ip = true,
		.drain_timeout_s = 10,
		.health_enabled = true,
		.health_interval_s = 10,
		.health_timeout_s = 5,
		.healthy_threshold = 2,
		.unhealthy_threshold = 2,
		.status = SERVER_GROUP_CREATING,
		.create_time = call->now,
	};
	int r;

	if (!vpc || vpc->status == VPC_DELETING)
		return call_fail(call, "ResourceNotFound.Vpc");
	if (call_bool(call, "AnyPortEnabled", false))
		return call_fail_named(call, "IllegalParam.{name}", "AnyPortEnabled");
	r = quota_check_one(call, row.owner, QUOTA_SERVER_GROUPS, vpc->region);
	if (r < 0)
		return r;
	r = nlb_read_name(call, "ServerGroupName", row.name);
	if (r < 0)
		return r;
	r = read_resource_group(call, "ResourceNotFound.ResourceGroup", row.resource_group);
	if (r < 0)
		return r;
	read_word(call, "Protocol", nlb_protocols, row.protocol);
	read_settings(call, &row);

	call_new_id(call, "sgp-", row.id);
	(void)str_copy(row.region, sizeof(row.region), vpc->region);
	(void)str_copy(row.vpc, sizeof(row.vpc), vpc->id);
	r = tags_create(call, row.id, "servergroup");
	if (r < 0)
		return r;
	return nlb_end(call, KIND_SERVER_GROUP, &row);
}

static void answer_balancers(const struct call *call, json_t *item, const char *group)
{
	json_t *list = shape_list(item, "RelatedLoadBalancerIds");

	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_SERVER_GROUP, group, l));)
		if (!list_has(list, l->load_balancer))
			shape_text(list, l->load_balancer);
}

static void add_counts(const struct call *call, json_t *item, const void *row)
{
	const struct server_group *group = row;

	answer_int(item, "ServerCount",
		   (int64_t)snapshot_count_children(call->rows, REF_SERVER_GROUP, group->id));
	answer_balancers(call, item, group->id);
}

static bool group_wanted(const struct call *call, const void *row)
{
	const struct server_group *g = row;

	return !*g->load_balancer && filter_list(call, "ServerGroupIds", g->id) &&
	       filter_list(call, "ServerGroupNames", g->name) &&
	       filter_text(call, "ServerGroupType", g->by_address ? "Ip" : "Instance") &&
	       filter_text(call, "VpcId", g->vpc) && filter_resource_group(call, g->resource_group) &&
	       tags_match(call, g->id);
}

int server_group_list(struct call *call)
{
	static const struct listing listing = {KIND_SERVER_GROUP, group_wanted, add_counts};

	return list_owned(call, &listing);
}

int server_group_update(struct call *call)
{
	struct server_group row;
	int r;

	r = nlb_begin(call, KIND_SERVER_GROUP, &row);
	if (r < 0)
		return r;
	r = nlb_read_name(call, "ServerGroupName", row.name);
	if (r < 0)
		return r;
	read_settings(call, &row);
	return nlb_end(call, KIND_SERVER_GROUP, &row);
}

int server_group_delete(struct call *call)
{
	struct server_group row;
	const void *group;
	int r;

	r = nlb_find(call, KIND_SERVER_GROUP, &group);
	if (r < 0)
		return r;
	if (snapshot_count_children(call->rows, REF_LISTENER_SERVER_GROUP, snapshot_id(group)) > 0)
		return call_fail(call, "ResourceInUse.ServerGroup");
	r = nlb_delete(call, KIND_SERVER_GROUP, group, &row);
	return MIN(r, 0);
}
