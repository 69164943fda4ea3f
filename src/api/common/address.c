/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving out addresses. The search for a free address begins at a place that moves with the
 * number of the new port, so that an address that was just given back is not the next to be given out: what
 * still speaks to its former holder should not reach a stranger. It goes on in steps of a random width, since
 * addresses that are taken lie in rows: where one in ten is free, ten looks find one, whoever took the
 * others.
 */
#include "address.h"

#include "../../lib/ident.h"
#include "../../model/check.h"
#include "quota.h"

static bool claimed_here(const struct alloc *alloc, const char *vpc, const struct netaddr *addr)
{
	for (size_t i = 0; i < alloc->n_claimed; i++)
		if (streq(alloc->claimed[i].vpc, vpc) && netaddr_compare(&alloc->claimed[i].addr, addr) == 0)
			return true;
	return false;
}

static bool taken(const struct call *call, const struct alloc *alloc, const char *vpc,
		  const struct netaddr *addr)
{
	char text[NETADDR_TEXT_SIZE], id[ID_SIZE + NETADDR_TEXT_SIZE + 1];

	netaddr_format(addr, text);
	if (str_format(id, sizeof(id), "%s/%s", vpc, text) < 0)
		return true;
	return snapshot_find(call->rows, KIND_ADDRESS, id) || claimed_here(alloc, vpc, addr);
}

/* The index-th address of a vSwitch that may be given out; the first one is reserved. */
static struct netaddr usable_address(const struct vswitch *vswitch, uint32_t index)
{
	return netaddr_v4(netaddr_to_v4(&vswitch->cidr.addr) + 1 + index);
}

/* A width by whose steps one comes to all of so many places before one comes to the first again. */
static int random_step(uint32_t n_places, uint32_t *ret)
{
	uint32_t step;
	int r = random_bytes(&step, sizeof(step));

	if (r < 0)
		return r;
	for (step = 1 + step % n_places;; step++) {
		uint32_t a = n_places, b = step;

		while (b) {
			uint32_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			break;
	}
	*ret = step;
	return 0;
}

static int pick_address(const struct call *call, const struct alloc *alloc, const struct alloc_wish *wish,
			uint32_t start, struct netaddr *ret)
{
	uint32_t capacity = vswitch_capacity(&wish->vswitch->cidr), step;
	int r;

	if (wish->wanted) {
		if (!netprefix_contains(&wish->vswitch->cidr, wish->wanted) ||
		    vswitch_address_reserved(&wish->vswitch->cidr, wish->wanted))
			return -ERANGE;
		if (taken(call, alloc, wish->vswitch->vpc, wish->wanted))
			return -EADDRINUSE;
		*ret = *wish->wanted;
		return 0;
	}
	if (alloc_free_count(call->rows, wish->vswitch) == 0)
		return -ENOSPC;
	r = random_step(capacity, &step);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < capacity; i++) {
		uint64_t place = start + (uint64_t)i * step;
		struct netaddr addr = usable_address(wish->vswitch, (uint32_t)(place % capacity));

		if (taken(call, alloc, wish->vswitch->vpc, &addr))
			continue;
		*ret = addr;
		return 0;
	}
	return -ENOSPC;
}

static void claim(struct call *call, struct alloc *alloc, const struct port *port)
{
	struct address row = {.vpc = port->vpc, .addr = port->addr, .vswitch = port->vswitch};

	(void)str_copy(row.port, sizeof(row.port), port->id);
	call_put(call, KIND_ADDRESS, &row);

	(void)str_copy(alloc->claimed[alloc->n_claimed].vpc, ID_SIZE, port->vpc);
	alloc->claimed[alloc->n_claimed++].addr = port->addr;
}

/* The smallest MTU of all nodes; 1500 if there is none. */
static uint32_t smallest_mtu(const struct snapshot *rows)
{
	uint32_t mtu = 1500;

	for (const struct node *n = NULL; (n = snapshot_next(rows, KIND_NODE, "", n));)
		if (n->mtu && n->mtu < mtu)
			mtu = n->mtu;
	return mtu;
}

int alloc_port(struct call *call, struct alloc *alloc, const struct alloc_wish *wish, struct port *ret)
{
	const struct vswitch *vswitch = wish->vswitch;
	struct port port = {
		.owner = wish->owner,
		.kind = wish->kind,
		.region = vswitch->region,
		.zone = vswitch->zone,
		.vpc = vswitch->vpc,
		.vswitch = vswitch->id,
		.mtu = wish->mtu ? wish->mtu : smallest_mtu(call->rows),
		.groups = wish->groups,
		.n_groups = wish->n_groups,
		.node = wish->node ? wish->node : "",
		.status = wish->status,
		.create_time = call->now,
	};
	int r = 0;

	if (alloc->n_claimed == ALLOC_PER_CALL_MAX || wish->n_groups > SECURITY_GROUPS_MAX)
		return -E2BIG;
	if (!wish->is_second)
		r = quota_check_share(call, wish->owner, QUOTA_ALL_INTERFACES, alloc->n_claimed, 1);
	if (r < 0)
		return r;

	port.number = call_next_number(call, KIND_PORT);
	r = pick_address(call, alloc, wish, port.number, &port.addr);
	if (r < 0)
		return r;
	port.mac = port_mac(port.number);

	call_new_id(call, "eni-", port.id);
	(void)str_copy(port.holder, sizeof(port.holder), wish->holder);

	call_put(call, KIND_PORT, &port);
	claim(call, alloc, &port);
	*ret = port;
	return 0;
}

uint32_t alloc_free_count(const struct snapshot *rows, const struct vswitch *vswitch)
{
	size_t capacity = vswitch_capacity(&vswitch->cidr);
	size_t used = snapshot_count_children(rows, REF_ADDRESS_VSWITCH, vswitch->id);

	return used < capacity ? (uint32_t)(capacity - used) : 0;
}
