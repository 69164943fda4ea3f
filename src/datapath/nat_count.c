/* SPDX-License-Identifier: Apache-2.0 */
#include "nat_count.h"

#include "bpf/pl_tuple.h"
#include "datapath_watch.h"

int nat_count_new(struct datapath *datapath)
{
	datapath->nat.read = calloc(datapath->n_slots, sizeof(*datapath->nat.read));
	datapath->nat.reading = calloc(datapath->n_slots, sizeof(*datapath->nat.reading));
	return datapath->nat.read && datapath->nat.reading ? 0 : -ENOMEM;
}

void nat_count_free(struct datapath *datapath)
{
	free(datapath->nat.read);
	free(datapath->nat.reading);
}

void nat_count_begin(struct datapath *datapath)
{
	memset(datapath->nat.reading, 0, datapath->n_slots * sizeof(*datapath->nat.reading));
}

void nat_count_flow(struct datapath *datapath, const struct pl_flow4 *flow)
{
	if (!pl_flow_is_local(flow) && !pl_flow_is_back(flow) && flow->peer < datapath->n_slots)
		datapath->nat.reading[flow->peer]++;
}

void nat_count_end(struct datapath *datapath)
{
	uint32_t *read = datapath->nat.read;

	datapath->nat.read = datapath->nat.reading;
	datapath->nat.reading = read;
}

static int compare_servers(const void *a, const void *b)
{
	const struct pl_backend *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->nat_count > y->nat_count ? -1 : x->nat_count < y->nat_count;
}

void datapath_each_server(const struct datapath *datapath, datapath_server_callback callback, void *context)
{
	const struct rowset *rows = &datapath->backends.mirror;
	_cleanup_(freep) struct pl_backend *servers = calloc(rows->n + 1, sizeof(*servers));

	for (size_t i = 0; servers && i < rows->n; i++)
		memcpy(&servers[i], rowset_value(rows, i), MIN(sizeof(*servers), rows->value_size));
	if (servers)
		qsort(servers, rows->n, sizeof(*servers), compare_servers);
	for (size_t i = 0; servers && i < rows->n; i++)
		if (servers[i].slot < datapath->n_slots && (i == 0 || servers[i - 1].slot != servers[i].slot))
			callback(context, servers[i].slot, datapath->nat.read[servers[i].slot],
				 (uint64_t)servers[i].nat_count * (UINT16_MAX + 1 - PL_NAT_PORT_FIRST));
}
