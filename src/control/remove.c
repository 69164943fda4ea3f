/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hangs on a row is found by the beginning of its id. A row goes together with all of it in one
 * transaction, or last: nothing is left over if the program ends in between, and control_sweep() would find
 * it.
 */
#include "remove.h"

#define PARTS_MAX 4

/* Kinds whose ids begin with the id of the owner, by the owner's kind. */
static const enum kind parts[KIND_COUNT_][PARTS_MAX] = {
	[KIND_VPC] = {KIND_TAG, KIND_NAT_RANGE},
	[KIND_VSWITCH] = {KIND_TAG},
	[KIND_INSTANCE] = {KIND_TAG},
	[KIND_LOAD_BALANCER] = {KIND_TAG},
	[KIND_LISTENER] = {KIND_TAG},
	[KIND_SERVER_GROUP] = {KIND_TAG, KIND_SERVER, KIND_SERVER_HEALTH},
	[KIND_SERVICE] = {KIND_TAG, KIND_SERVICE_RESOURCE, KIND_SERVICE_USER},
	[KIND_ENDPOINT] = {KIND_TAG},
};

/* KIND_ACCOUNT is 0 and no part of anything, so it ends each list. */
static bool is_part(enum kind kind)
{
	return kind != KIND_ACCOUNT;
}

static size_t count_parts(const struct snapshot *rows, enum kind kind, const char *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < PARTS_MAX && is_part(parts[kind][i]); i++)
		n += snapshot_count(rows, parts[kind][i], prefix);
	return n;
}

static void remove_parts(const struct snapshot *rows, enum kind kind, const char *prefix, struct batch *batch)
{
	for (size_t i = 0; i < PARTS_MAX && is_part(parts[kind][i]); i++)
		for (const void *v = NULL; (v = snapshot_next(rows, parts[kind][i], prefix, v));)
			batch_delete(batch, parts[kind][i], v);
}

/* Ports of a row that go with it, at most LB_ZONES_MAX. */
static void remove_ports(const struct snapshot *rows, enum kind kind, const void *row, struct batch *batch)
{
	const struct load_balancer *balancer = row;
	const struct instance *instance = row;

	if (kind == KIND_INSTANCE)
		remove_port(rows, instance->port, batch);
	for (uint32_t i = 0; kind == KIND_LOAD_BALANCER && i < balancer->n_ports; i++)
		remove_port(rows, balancer->ports[i], batch);
}

bool remove_row(const struct snapshot *rows, enum kind kind, const void *row, struct batch *batch)
{
	const size_t own = 1 + 2 * LB_ZONES_MAX;
	char prefix[KEY_SIZE];
	size_t n;

	if (str_format(prefix, sizeof(prefix), "%s/", snapshot_id(row)) < 0)
		return false;
	n = count_parts(rows, kind, prefix);
	if (n + own > STORE_TXN_OPS_MAX) {
		remove_parts(rows, kind, prefix, batch);
		return false;
	}
	batch_room(batch, n + own);
	remove_parts(rows, kind, prefix, batch);
	remove_ports(rows, kind, row, batch);
	batch_delete(batch, kind, row);
	return true;
}

void remove_port(const struct snapshot *rows, const char *port_id, struct batch *batch)
{
	const struct port *port = snapshot_port(rows, port_id);
	char text[NETADDR_TEXT_SIZE], id[ID_SIZE + NETADDR_TEXT_SIZE + 1];
	const struct address *address;

	if (!port)
		return;
	netaddr_format(&port->addr, text);
	(void)str_format(id, sizeof(id), "%s/%s", port->vpc, text);
	address = snapshot_find(rows, KIND_ADDRESS, id);
	if (address && streq(address->port, port->id))
		batch_delete(batch, KIND_ADDRESS, address);
	batch_delete(batch, KIND_PORT, port);
}
