/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of vSwitches and the ports that hold them. A port (ENI) and the row that claims its address are
 * put into the call's transaction together, so an address is never given twice: two calls that want the same
 * one collide on its key, and the later one runs again and finds it taken.
 *
 * The rows that a call reads do not show what the call itself has claimed. `struct alloc` remembers it, so
 * that one call can make several ports; begin with `struct alloc alloc = {};`, one for the whole call.
 */
#pragma once

#include "../frame/action.h"

#define ALLOC_PER_CALL_MAX 32

struct alloc {
	struct {
		char vpc[ID_SIZE];
		struct netaddr addr;
	} claimed[ALLOC_PER_CALL_MAX];
	size_t n_claimed;
};

/* What a new port shall be. */
struct alloc_wish {
	const struct vswitch *vswitch;
	const struct netaddr *wanted; /* NULL: any free address */
	enum port_kind kind;
	int64_t owner;
	const char *holder; /* i-…, ep-… or nlb-… */
	const char (*groups)[ID_SIZE];
	uint32_t n_groups;
	const char *node; /* PORT_INSTANCE: the node; else NULL */
	uint32_t mtu;	  /* 0: the smallest of all nodes */
	enum port_status status;
	bool is_second; /* beside one that it replaces, and no more of its owner's than that */
};

/* Takes an address, and puts the port's and the address's rows into the call's transaction; the vSwitch must
 * not change meanwhile. `ret` is the port's row (id, number and MAC are new). Does not fail the call, since
 * each product has codes of its own: -ERANGE: the wanted address is reserved or outside the vSwitch.
 * -EADDRINUSE: it is taken. -ENOSPC: none is free. -E2BIG: more than ALLOC_PER_CALL_MAX ports in one call. */
int alloc_port(struct call *call, struct alloc *alloc, const struct alloc_wish *wish, struct port *ret);

/* How many addresses the vSwitch can still give out. */
uint32_t alloc_free_count(const struct snapshot *rows, const struct vswitch *vswitch);
