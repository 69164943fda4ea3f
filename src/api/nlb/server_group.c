/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server groups: which servers answer, how flows are spread over them, and how their health is found out.
 * A group of UDP is probed if its probes are of UDP, or name a TCP port (health_check.c).
 */
#include <strings.h>

#include "../../model/state.h"
#include "../common/balancer.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

#define DRAIN_TIMEOUT_S 10

/* The one of `values` that the text is in any case, in its own spelling; NULL: none is. */
static const char *find_word(const char *const *values, const char *text)
{
	while (*values && strcasecmp(text, *values) != 0)
		values++;
	return *values;
}

static void read_word(const struct call *call, const char *param, const char *const *values,
		      char ret[WORD_SIZE])
{
	const char *text = call_string(call, param), *word = text ? find_word(values, text) : NULL;

	if (word)
		(void)str_copy(ret, WORD_SIZE, word);
}

/* What official clients always send is taken, and what asks for more than there is is refused. */
static int check_served(struct call *call)
{
	const char *scheduler = call_string(call, "Scheduler"),
		   *mode = call_string(call, "IpVersionAffinityMode");

	if (scheduler && strcasecmp(scheduler, "Wrr") != 0 && strcasecmp(scheduler, "Tch") != 0)
		return nlb_fail_value(
			call, "Scheduler",
			"It is Wrr or Tch here: flows are spread by a hash of both ends, by weight.");
	if (call_bool(call, "AnyPortEnabled", false))
		return nlb_fail_value(call, "AnyPortEnabled", "A server has one port here.");
	if (mode && mode[0])
		return nlb_fail_value(call, "IpVersionAffinityMode", "Servers have IPv4 here.");
	return 0;
}

static int read_settings(struct call *call, struct server_group *row)
{
	if (check_served(call) < 0)
		return -EBADMSG;
	read_word(call, "Scheduler", nlb_schedulers, row->scheduler);
	row->preserve_client_ip = call_bool(call, "PreserveClientIpEnabled", row->preserve_client_ip);
	row->drain_enabled = call_bool(call, "ConnectionDrainEnabled", row->drain_enabled);
	row->drain_timeout_s = (uint32_t)call_int(call, "ConnectionDrainTimeout", row->drain_timeout_s);
	return group_read_health(call, row);
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
		.drain_timeout_s = DRAIN_TIMEOUT_S,
		.health_enabled = true,
		.health_interval_s = 5,
		.health_timeout_s = 5,
		.healthy_threshold = 2,
		.unhealthy_threshold = 2,
		.status = SERVER_GROUP_CREATING,
		.create_time = call->now,
	};
	int r;

	if (!vpc || vpc->status == VPC_DELETING)
		return call_fail(call, "ResourceNotFound.Vpc");
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
	r = read_settings(call, &row);
	if (r < 0)
		return r;

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

/* Of probes that are not by HTTP what nobody gave is not told: to Terraform it would be a change to take
 * back. */
static void answer_method(json_t *health, const struct server_group *group)
{
	if (group->health_type == PROBE_HTTP || group->health_by_head || group->health_get_given)
		answer_string(health, "HttpCheckMethod", group->health_by_head ? "HEAD" : "GET");
}

static void add_computed(const struct call *call, json_t *item, const void *row)
{
	const struct server_group *group = row;

	answer_method(json_object_get(item, "HealthCheck"), group);
	/* Rows of other versions have it in another case. */
	answer_string(item, "Scheduler", find_word(nlb_schedulers, group->scheduler) ?: group->scheduler);
	answer_int(item, "ServerCount",
		   (int64_t)snapshot_count_children(call->rows, REF_SERVER_GROUP, group->id));
	answer_balancers(call, item, group->id);
}

/* Those of classic load balancers are theirs. */
static bool group_there(const struct call *call _unused_, const void *row)
{
	return !*((const struct server_group *)row)->load_balancer;
}

static bool group_wanted(const struct call *call, const void *row)
{
	const struct server_group *g = row;

	return filter_list(call, "ServerGroupIds", g->id) && filter_list(call, "ServerGroupNames", g->name) &&
	       filter_text(call, "ServerGroupType", g->by_address ? "Ip" : "Instance") &&
	       filter_text(call, "VpcId", g->vpc) && filter_resource_group(call, g->resource_group) &&
	       tags_match(call, g->id);
}

int server_group_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"ServerGroupIds", REF_COUNT_},
		{"VpcId", REF_SERVER_GROUP_VPC, true},
		{},
	};
	static const struct listing listing = {KIND_SERVER_GROUP, group_wanted, add_computed, group_there,
					       .filters = filters};

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
	r = read_settings(call, &row);
	return r < 0 ? r : nlb_end(call, KIND_SERVER_GROUP, &row);
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
