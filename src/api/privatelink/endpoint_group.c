/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups of endpoints. The rows of the ENIs carry what is wished, so the nodes judge by it from the
 * next report on; the endpoint remembers what they have not reported yet (model/endpoint_groups.h). Calls
 * that meet are carried out one after the other: a group on its way out can be attached again, one on its way
 * in detached. All groups of an endpoint are of one type, also with one that is on its way out.
 */
#include "../../model/endpoint_groups.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota_defaults.h"
#include "actions.h"
#include "admission.h"

/* The caller's endpoint, about to be modified. */
static int find_endpoint(struct call *call, struct endpoint *ret)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	*ret = *endpoint;
	if (endpoint_event(ret, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "EndpointOperationDenied");
	return check_service_there(call, snapshot_service(call->rows, endpoint->service));
}

/* The endpoint and its ENIs, which are in its groups. */
static void put_endpoint(struct call *call, const struct endpoint *row)
{
	for (const struct port *p = NULL; (p = snapshot_children(call->rows, REF_PORT_HOLDER, row->id, p));) {
		struct port port = *p;

		port.groups = row->groups;
		port.n_groups = row->n_groups;
		call_put(call, KIND_PORT, &port);
	}
	call_put(call, KIND_ENDPOINT, row);
}

static int check_type(struct call *call, const struct endpoint *row, const struct security_group *group)
{
	const struct security_group *first = snapshot_security_group(call->rows, row->groups[0]);

	if (first && first->type != group->type)
		return call_fail(call, "SecurityGroupTypeOnlySingleTypeSupporteded");
	return 0;
}

int endpoint_attach_group(struct call *call)
{
	const struct security_group *group;
	struct endpoint_lists lists;
	struct endpoint row;
	int r;

	r = find_endpoint(call, &row);
	if (r < 0)
		return r;
	group = owned_security_group(call, call_string(call, "SecurityGroupId"));
	if (!group || !streq(group->vpc, row.vpc))
		return call_fail(call, "SecurityGroupNotFound");
	r = check_type(call, &row, group);
	if (r < 0)
		return r;
	switch (endpoint_group_attach(&row, group->id, &lists)) {
	case -EEXIST:
		return call_fail(call, "SecurityGroupExist");
	case -ENOSPC:
		return call_fail_detail(call, "QuotaMisMatched",
					"An endpoint is in at most %d security groups.", SECURITY_GROUPS_MAX);
	}
	put_endpoint(call, &row);
	return 0;
}

int endpoint_detach_group(struct call *call)
{
	struct endpoint_lists lists;
	struct endpoint row;
	int r;

	r = find_endpoint(call, &row);
	if (r < 0)
		return r;
	switch (endpoint_group_detach(&row, call_string(call, "SecurityGroupId"), &lists)) {
	case -ENOENT:
		return call_fail(call, "SecurityGroupNotFound");
	case -EPERM:
		return call_fail(call, "EndpointMustContainSecurityGroup");
	case -ENOSPC:
		return call_fail_detail(call, "EndpointLocked", "%d security groups are on their way out.",
					SECURITY_GROUPS_MAX);
	case -EALREADY:
		return 0;
	}
	put_endpoint(call, &row);
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *status_word(const struct endpoint *endpoint, const char *group)
{
	switch (endpoint_group_status(endpoint, group)) {
	case GROUP_ATTACHING:
		return "Attaching";
	case GROUP_DETACHING:
		return "Detaching";
	default:
		return "Attached";
	}
}

int endpoint_list_groups(struct call *call)
{
	const struct endpoint *endpoint = owned_endpoint(call, call_string(call, "EndpointId"));
	char groups[2 * SECURITY_GROUPS_MAX][ID_SIZE];
	uint32_t n;
	struct page page;
	json_t *list;
	int r;

	if (!endpoint)
		return call_fail(call, "EndpointNotFound");
	r = page_begin(call, &page);
	if (r < 0)
		return r;
	n = endpoint->n_groups + endpoint->n_detaching;
	memcpy(groups, endpoint->groups, endpoint->n_groups * sizeof(*groups));
	memcpy(groups[endpoint->n_groups], endpoint->detaching, endpoint->n_detaching * sizeof(*groups));
	qsort(groups, n, ID_SIZE, compare_ids);
	list = answer_list(call->answer, call->action->answer, "SecurityGroups");
	for (uint32_t i = 0; i < n; i++) {
		json_t *item;

		if (!page_match(&page, groups[i]))
			continue;
		item = shape_item(list);
		answer_string(item, "SecurityGroupId", groups[i]);
		answer_string(item, "SecurityGroupStatus", status_word(endpoint, groups[i]));
	}
	page_end(call, &page);
	return 0;
}
