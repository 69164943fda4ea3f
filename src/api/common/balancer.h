/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two types of load balancers share. They are rows of the same kinds, so each product sees only its
 * own.
 */
#pragma once

#include "../frame/action.h"

/* Whether the row, a load balancer or what belongs to one, is of a classic load balancer. */
bool balancer_is_classic(const struct call *call, enum kind kind, const void *row);
/* The same as two filters, for what has tags. Rows of other kinds are of neither product and pass. */
bool balancer_is_of_nlb(const struct call *call, enum kind kind, const void *row);
bool balancer_is_of_slb(const struct call *call, enum kind kind, const void *row);

/* The load balancer's listeners go with it. */
void balancer_delete_listeners(struct call *call, const char *id);

/* How many places in a node's tables spread new connections over the group's servers: so many for each zone
 * of the load balancers whose listeners lead to it, twice for one that some of them cross and others do not.
 * `more`: of servers; `with`: a load balancer as it is to be, one of whose listeners leads to it; or NULL. */
size_t balancer_places(const struct snapshot *rows, const char *server_group, size_t more,
		       const struct load_balancer *with);
/* And how many more than now these are. */
size_t balancer_places_added(const struct snapshot *rows, const char *server_group, size_t more,
			     const struct load_balancer *with);
/* Whether the account may have them; else the call fails. */
int balancer_check_places(struct call *call, int64_t owner, const char *server_group, size_t more,
			  const struct load_balancer *with);
/* The same for all groups of a load balancer that is to be so. */
int balancer_check_change(struct call *call, const struct load_balancer *lb);

/* Puts into a server's row where it is: what the interface has for life. -ENOENT: there is no interface;
 * -EBUSY: it is not an instance's, or goes; -EXDEV: it is in another VPC. */
int server_place(const struct call *call, const char *vpc, const struct port *port, struct server *row);
