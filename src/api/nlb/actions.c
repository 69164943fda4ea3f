/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of NLB's actions, and jobs. A job is a row without content that is put in the transaction of the
 * change it stands for: it has succeeded when all live nodes have reported that revision, and not before.
 */
#include "actions.h"

#include "../../model/check.h"
#include "../common/limits.h"
#include "../common/owned.h"
#include "../common/regions.h"
#include "../common/tags.h"
#include "../frame/shape.h"

/* Room for one more job of the account: the oldest is forgotten, as it would be after a day. */
static void make_room(struct call *call)
{
	const struct job *oldest = NULL;
	int64_t uid = call->account->uid;

	if (snapshot_count_owned(call->rows, KIND_JOB, uid, "") < JOBS_PER_ACCOUNT_MAX)
		return;
	for (const struct job *j = NULL; (j = snapshot_owned(call->rows, KIND_JOB, uid, "", j));)
		if (!oldest || j->meta.modified < oldest->meta.modified)
			oldest = j;
	call_delete(call, KIND_JOB, oldest);
}

void nlb_job(struct call *call)
{
	struct job job = {.owner = call->account->uid, .create_time = call->now};

	make_room(call);
	call_new_id(call, "job-", job.id);
	call_put(call, KIND_JOB, &job);
	answer_string(call->answer, "JobId", job.id);
}

int nlb_read_name(struct call *call, const char *param, char ret[NAME_SIZE])
{
	const char *text = call_string(call, param);

	if (text && text[0] && (!check_name(text, true) || str_copy(ret, NAME_SIZE, text) < 0))
		return call_fail_named(call, "IllegalParam.{name}", param);
	return 0;
}

const struct param_spec nlb_job_params[] = {
	{"JobId", PARAM_STRING, .required = true},
	{},
};

int nlb_job_status(struct call *call)
{
	const struct job *job = snapshot_find(call->rows, KIND_JOB, call_string(call, "JobId"));

	if (!job || job->owner != call->account->uid)
		return call_fail(call, "ResourceNotFound.Job");
	answer_string(call->answer, "Status",
		      call->live_revision >= job->meta.modified ? "Succeeded" : "processing");
	return 0;
}

static const struct tagged_type tagged_types[] = {
	{"loadbalancer", KIND_LOAD_BALANCER},
	{"servergroup", KIND_SERVER_GROUP},
	{"listener", KIND_LISTENER},
	{},
};

static int tag_resources(struct call *call)
{
	return tags_tag_resources(call, tagged_types);
}

static int untag_resources(struct call *call)
{
	return tags_untag_resources(call, tagged_types);
}

static int list_tag_resources(struct call *call)
{
	return tags_list_resources(call, tagged_types, NULL);
}

static int describe_regions(struct call *call)
{
	regions_answer(call, shape_list(call->answer, "Regions"), NULL);
	return 0;
}

static int describe_zones(struct call *call)
{
	zones_answer(call, shape_list(call->answer, "Zones"), NULL);
	return 0;
}

#define READ	ACTION_NO_REGION
#define CHANGES (ACTION_CHANGES | ACTION_NO_REGION)

/* clang-format off */
const struct action nlb_actions[] = {
	{ "AddServersToServerGroup", server_add, CHANGES, server_add_params },
	{ "CreateListener", listener_create, CHANGES, listener_create_params },
	{ "CreateLoadBalancer", balancer_create, CHANGES, balancer_create_params },
	{ "CreateServerGroup", server_group_create, CHANGES, server_group_create_params },
	{ "DeleteListener", listener_delete, CHANGES, listener_id_params },
	{ "DeleteLoadBalancer", balancer_delete, CHANGES, balancer_id_params },
	{ "DeleteServerGroup", server_group_delete, CHANGES, server_group_id_params },
	{ "DescribeRegions", describe_regions, READ, regions_params },
	{ "DescribeZones", describe_zones, READ, zones_params },
	{ "GetJobStatus", nlb_job_status, READ, nlb_job_params },
	{ "GetListenerAttribute", listener_get, READ, listener_id_params },
	{ "GetListenerHealthStatus", listener_health, READ, listener_id_params },
	{ "GetLoadBalancerAttribute", balancer_get, READ, balancer_id_params },
	{ "ListListeners", listener_list, READ, listener_list_params },
	{ "ListLoadBalancers", balancer_list, READ, balancer_list_params },
	{ "ListServerGroupServers", server_list, READ, server_list_params },
	{ "ListServerGroups", server_group_list, READ, server_group_list_params },
	{ "ListTagResources", list_tag_resources, READ, list_tag_resources_params },
	{ "RemoveServersFromServerGroup", server_remove, CHANGES, server_remove_params },
	{ "StartListener", listener_start, CHANGES, listener_id_params },
	{ "StopListener", listener_stop, CHANGES, listener_id_params },
	{ "TagResources", tag_resources, CHANGES, tag_resources_params },
	{ "UntagResources", untag_resources, CHANGES, untag_resources_params },
	{ "UpdateListenerAttribute", listener_update, CHANGES, listener_update_params },
	{ "UpdateLoadBalancerAttribute", balancer_update, CHANGES, balancer_update_params },
	{ "UpdateServerGroupAttribute", server_group_update, CHANGES, server_group_update_params },
	{ "UpdateServerGroupServersAttribute", server_update, CHANGES, server_update_params },
	{},
};
/* clang-format on */
