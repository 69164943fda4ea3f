/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server groups: which servers answer, how flows are spread over them, and how their health is found out.
 * Probes are TCP connects; a UDP group is probed only if it names a TCP port for that.
 */
#include <strings.h>

#include "../../model/state.h"
#include "../common/limits.h"
#include "../common/owned.h"
#include "../common/tags.h"
#include "../frame/shape.h"
#include "actions.h"

static const char *const types[] = {"Instance", "Ip", NULL};
static const char *const group_protocols[] = {"TCP", "UDP", NULL};
static const char *const schedulers[] = {"Wrr", "Wlc", "rr", "sch", "tch", "qch", NULL};
static const char *const probe_types[] = {"TCP", NULL};
static const char *const ip_versions[] = {"ipv4", NULL};

static const struct param_spec health_params[] = {
	{"HealthCheckEnabled", PARAM_BOOL},
	{"HealthCheckType", PARAM_STRING, .values = probe_types, .no_case = true},
	{"HealthCheckConnectPort", PARAM_INT, .min = 0, .max = 65535},
	{"HealthCheckConnectTimeout", PARAM_INT, .min = 1, .max = 300},
	{"HealthCheckInterval", PARAM_INT, .min = 1, .max = 50},
	{"HealthyThreshold", PARAM_INT, .min = 2, .max = 10},
	{"UnhealthyThreshold", PARAM_INT, .min = 2, .max = 10},
	{},
};

const struct param_spec server_group_create_params[] = {
	{"ServerGroupName", PARAM_STRING, .required = true},
	{"VpcId", PARAM_STRING, .required = true},
	{"ServerGroupType", PARAM_STRING, .values = types, .no_case = true},
	{"Protocol", PARAM_STRING, .values = group_protocols, .no_case = true},
	{"AddressIPVersion", PARAM_STRING, .values = ip_versions, .no_case = true},
	{"Scheduler", PARAM_STRING, .values = schedulers, .no_case = true},
	{"PreserveClientIpEnabled", PARAM_BOOL},
	{"ConnectionDrainEnabled", PARAM_BOOL},
	{"ConnectionDrainTimeout", PARAM_INT, .min = 0, .max = 900},
	{"AnyPortEnabled", PARAM_BOOL},
	{"HealthCheckConfig", PARAM_STRUCT, .members = health_params},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{},
};

const struct param_spec server_group_id_params[] = {
	{"ServerGroupId", PARAM_STRING, .required = true},
	{},
};

const struct param_spec server_group_list_params[] = {
	{"ServerGroupIds", PARAM_LIST, .max = 100},
	{"ServerGroupNames", PARAM_LIST, .max = 100},
	{"ServerGroupType", PARAM_STRING},
	{"VpcId", PARAM_STRING},
	{"ResourceGroupId", PARAM_STRING},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"MaxResults", PARAM_INT, .min = 1, .max = 100},
	{"NextToken", PARAM_STRING},
	{},
};

const struct param_spec server_group_update_params[] = {
	{"ServerGroupId", PARAM_STRING, .required = true},
	{"ServerGroupName", PARAM_STRING},
	{"Scheduler", PARAM_STRING, .values = schedulers, .no_case = true},
	{"PreserveClientIpEnabled", PARAM_BOOL},
	{"ConnectionDrainEnabled", PARAM_BOOL},
	{"ConnectionDrainTimeout", PARAM_INT, .min = 0, .max = 900},
	{"HealthCheckConfig", PARAM_STRUCT, .members = health_params},
	{},
};

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
	read_word(call, "Scheduler", schedulers, row->scheduler);
	row->preserve_client_ip = call_bool(call, "PreserveClientIpEnabled", row->preserve_client_ip);
	row->drain_enabled = call_bool(call, "ConnectionDrainEnabled", row->drain_enabled);
	row->drain_timeout_s = (uint32_t)call_int(call, "ConnectionDrainTimeout", row->drain_timeout_s);
	read_health(call, row);
}

int server_group_create(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	const char *type = call_string(call, "ServerGroupType"),
		   *resource = call_string(call, "ResourceGroupId");
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
	if (snapshot_count_owned(call->rows, KIND_SERVER_GROUP, row.owner, vpc->region) >=
	    SERVER_GROUPS_PER_ACCOUNT_MAX)
		return call_fail(call, "QuotaExceeded.ServerGroupsNum");
	r = nlb_read_name(call, "ServerGroupName", row.name);
	if (r < 0)
		return r;
	if (resource && str_copy(row.resource_group, sizeof(row.resource_group), resource) < 0)
		return call_fail_named(call, "IllegalParam.{name}", "ResourceGroupId");
	read_word(call, "Protocol", group_protocols, row.protocol);
	read_settings(call, &row);

	call_new_id(call, "sgp-", row.id);
	(void)str_copy(row.region, sizeof(row.region), vpc->region);
	(void)str_copy(row.vpc, sizeof(row.vpc), vpc->id);
	r = tags_create(call, row.id, "servergroup");
	if (r < 0)
		return r;
	call_put(call, KIND_SERVER_GROUP, &row);
	answer_string(call->answer, "ServerGroupId", row.id);
	nlb_job(call);
	return 0;
}

static void answer_health(json_t *item, const struct server_group *group)
{
	json_t *health = shape_object(item, "HealthCheck");

	answer_bool(health, "HealthCheckEnabled", group->health_enabled);
	answer_string(health, "HealthCheckType", "TCP");
	answer_int(health, "HealthCheckConnectPort", group->health_port);
	answer_int(health, "HealthCheckConnectTimeout", group->health_timeout_s);
	answer_int(health, "HealthCheckInterval", group->health_interval_s);
	answer_int(health, "HealthyThreshold", group->healthy_threshold);
	answer_int(health, "UnhealthyThreshold", group->unhealthy_threshold);
	(void)shape_list(health, "HealthCheckHttpCode");
}

static bool text_listed(const json_t *list, const char *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (json_is_string(entry) && streq(json_string_value(entry), text))
			return true;
	return false;
}

static void answer_balancers(const struct call *call, json_t *item, const char *group)
{
	json_t *list = shape_list(item, "RelatedLoadBalancerIds");

	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_SERVER_GROUP, group, l));)
		if (!text_listed(list, l->load_balancer))
			shape_text(list, l->load_balancer);
}

static void answer_group(const struct call *call, json_t *item, const struct server_group *group)
{

	answer_string(item, "ServerGroupId", group->id);
	answer_string(item, "ServerGroupName", group->name);
	answer_string(item, "ServerGroupStatus", enum_name(server_group_status_names, group->status));
	answer_string(item, "ServerGroupType", group->by_address ? "Ip" : "Instance");
	answer_string(item, "VpcId", group->vpc);
	answer_string(item, "RegionId", group->region);
	answer_string(item, "ResourceGroupId", group->resource_group);
	answer_string(item, "Protocol", group->protocol);
	answer_string(item, "Scheduler", group->scheduler);
	answer_string(item, "AddressIPVersion", "ipv4");
	answer_int(item, "AliUid", group->owner);
	answer_int(item, "ServerCount",
		   (int64_t)snapshot_count_children(call->rows, REF_SERVER_GROUP, group->id));
	answer_bool(item, "AnyPortEnabled", false);
	answer_bool(item, "PreserveClientIpEnabled", group->preserve_client_ip);
	answer_bool(item, "ConnectionDrainEnabled", group->drain_enabled);
	answer_int(item, "ConnectionDrainTimeout", group->drain_timeout_s);
	answer_health(item, group);
	answer_balancers(call, item, group->id);
	tags_answer(call, item, "Tags", NULL, "Key", "Value", group->id);
}

static bool group_wanted(const struct call *call, const struct server_group *g)
{
	return owned_here(call, g->owner, g->region) && filter_list(call, "ServerGroupIds", g->id) &&
	       filter_list(call, "ServerGroupNames", g->name) &&
	       filter_text(call, "ServerGroupType", g->by_address ? "Ip" : "Instance") &&
	       filter_text(call, "VpcId", g->vpc) &&
	       filter_text(call, "ResourceGroupId", g->resource_group) && tags_match(call, g->id);
}

int server_group_list(struct call *call)
{
	struct page page;
	json_t *list;
	int r;

	r = page_begin_token(call, &page, 20, 100);
	if (r < 0)
		return r;
	list = shape_list(call->answer, "ServerGroups");
	for (const struct server_group *g = NULL; (g = owned_next(call, KIND_SERVER_GROUP, g));)
		if (group_wanted(call, g) && page_match(&page, g->id))
			answer_group(call, shape_item(list), g);
	page_end(call, &page);
	return 0;
}

int server_group_update(struct call *call)
{
	const struct server_group *group = owned_server_group(call, call_string(call, "ServerGroupId"));
	struct server_group row;
	int r;

	if (!group)
		return call_fail(call, "ResourceNotFound.serverGroup");
	row = *group;
	if (server_group_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "IncorrectStatus.serverGroup");
	r = nlb_read_name(call, "ServerGroupName", row.name);
	if (r < 0)
		return r;
	read_settings(call, &row);
	call_put(call, KIND_SERVER_GROUP, &row);
	answer_string(call->answer, "ServerGroupId", row.id);
	nlb_job(call);
	return 0;
}

int server_group_delete(struct call *call)
{
	const struct server_group *group = owned_server_group(call, call_string(call, "ServerGroupId"));
	struct server_group row;
	int r;

	if (!group)
		return call_fail(call, "ResourceNotFound.serverGroup");
	if (snapshot_count_children(call->rows, REF_LISTENER_SERVER_GROUP, group->id) > 0)
		return call_fail(call, "ResourceInUse.ServerGroup");
	row = *group;
	r = server_group_event(&row, EVENT_DELETE);
	if (r < 0 && r != -EALREADY)
		return call_fail(call, "IncorrectStatus.serverGroup");
	if (r == 0) {
		call_put(call, KIND_SERVER_GROUP, &row);
		tags_drop(call, group->id);
	}
	nlb_job(call);
	return 0;
}
