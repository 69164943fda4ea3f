/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which servers of a group may keep the flows that they have. That is another question than which of them get
 * new ones (plan_service.c): a connection stays with a server that is ill or leaves.
 */
#include "plan_build.h"

#include "../model/serving.h"

uint64_t plan_hash(uint64_t hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
	return hash;
}

uint64_t plan_group_number(const struct server_group *group)
{
	return plan_hash(PLAN_HASH_START, group->id, strlen(group->id));
}

static uint8_t state_of(const struct plan_builder *b, const struct plan_server *server)
{
	const struct instance *instance = snapshot_instance(b->rows, server->port->holder);

	if (instance && !serving_instance_runs(instance))
		return PL_SERVER_GONE;
	if (server->row->status == SERVER_REMOVING || server->row->weight == 0)
		return PL_SERVER_LEAVING;
	return server->healthy ? PL_SERVER_WELL : PL_SERVER_ILL;
}

int plan_add_served(struct plan_builder *b, const struct plan_group *group, const struct plan_server *server)
{
	struct plan_served *served = plan_append(&b->plan->served, &b->plan->n_served, sizeof(*served));

	if (!served)
		return -ENOMEM;
	served->key.group = plan_group_number(group->row);
	served->key.addr = plan_addr(&server->row->addr);
	served->key.port = htons((uint16_t)server->row->port);
	served->value.state = state_of(b, server);
	served->value.drains = group->row->drain_enabled;
	served->value.drain_s = (uint16_t)MIN(group->row->drain_timeout_s, (uint32_t)UINT16_MAX);
	(void)str_copy(served->group, sizeof(served->group), group->row->id);
	return 0;
}
