/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups of load balancers: who may reach their listeners. A load balancer without a group is open
 * to all endpoints; with groups it lets in what they accept, of clients' own addresses. Its ENIs are in the
 * same groups, so these cannot be deleted.
 */
#include "../common/owned.h"
#include "../common/quota_defaults.h"
#include "actions.h"

static uint32_t place_of(const struct load_balancer *lb, const char *group)
{
	uint32_t i = 0;

	while (i < lb->n_groups && !streq(lb->groups[i], group))
		i++;
	return i;
}

static int join(struct call *call, struct load_balancer *lb, const char *id)
{
	const struct security_group *group = owned_security_group(call, id),
				    *first = snapshot_security_group(call->rows, lb->groups[0]);

	if (!group || !streq(group->region, lb->region))
		return call_fail_detail(call, "ResourceNotFound.SecurityGroup", "It is %s.", id);
	if (!streq(group->vpc, lb->vpc))
		return call_fail(call, "Mismatch.VpcId");
	if (place_of(lb, id) < lb->n_groups)
		return call_fail_detail(call, "ResourceAlreadyAssociated.SecurityGroup", "It is %s.", id);
	if (lb->n_groups && first && first->type != group->type)
		return call_fail(call, "Mismatch.SecurityGroupType");
	if (lb->n_groups == SECURITY_GROUPS_MAX)
		return call_fail_detail(call, "QuotaExceeded.SecurityGroupsNum", "They are %d.",
					SECURITY_GROUPS_MAX);
	(void)str_copy(lb->groups[lb->n_groups++], ID_SIZE, id);
	return 0;
}

static int leave(struct call *call, struct load_balancer *lb, const char *id)
{
	uint32_t place = place_of(lb, id);

	if (place == lb->n_groups)
		return call_fail_detail(call, "ResourceNotAssociated.SecurityGroup", "It is %s.", id);
	lb->n_groups--;
	memmove(lb->groups[place], lb->groups[place + 1], (lb->n_groups - place) * ID_SIZE);
	memset(lb->groups[lb->n_groups], 0, ID_SIZE);
	return 0;
}

static int change_groups(struct call *call,
			 int (*change)(struct call *call, struct load_balancer *lb, const char *id))
{
	json_t *list = call_list(call, "SecurityGroupIds"), *id;
	struct load_balancer row;
	size_t i;
	int r;

	r = nlb_begin(call, KIND_LOAD_BALANCER, &row);
	if (r < 0)
		return r;
	json_array_foreach(list, i, id) {
		r = change(call, &row, json_string_value(id));
		if (r < 0)
			return r;
	}
	for (uint32_t j = 0; j < row.n_ports; j++) {
		const struct port *port = snapshot_port(call->rows, row.ports[j]);
		struct port copy;

		if (!port)
			continue;
		copy = *port;
		copy.groups = (const char(*)[ID_SIZE])row.groups;
		copy.n_groups = row.n_groups;
		call_put(call, KIND_PORT, &copy);
	}
	return nlb_end(call, KIND_LOAD_BALANCER, &row);
}

int balancer_join_groups(struct call *call)
{
	return change_groups(call, join);
}

int balancer_leave_groups(struct call *call)
{
	return change_groups(call, leave);
}
