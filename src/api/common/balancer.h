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
 * of the load balancer with most zones whose listener leads to it. `more`: of servers; `n_zones`: of a load
 * balancer whose listener is to lead to it, too. */
size_t balancer_places(const struct snapshot *rows, const char *server_group, size_t more, uint32_t n_zones);
/* Whether the account may have the places that these come to; else the call fails. */
int balancer_check_places(struct call *call, int64_t owner, const char *server_group, size_t more,
			  uint32_t n_zones);

/* Puts into a server's row where it is: what the interface has for life. -ENOENT: there is no interface;
 * -EBUSY: it is not an instance's, or goes; -EXDEV: it is in another VPC. */
int server_place(const struct call *call, const char *vpc, const struct port *port, struct server *row);
