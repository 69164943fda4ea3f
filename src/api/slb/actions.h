/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLB: the handlers, and what they share. A classic load balancer is the same row as one of NLB, in one zone.
 * Its servers are those of a server group that belongs to it (they have no ports there); each of its
 * listeners has a server group of its own, with what the listener says of health and with each server at the
 * listener's port. These groups are parts of the load balancer and are seen nowhere. So nodes and control
 * know nothing of two types of load balancers.
 */
#pragma once

#include "../../model/state.h"
#include "../../schema/slb.h"
#include "../frame/action.h"

SLB_ACTIONS(ACTION_PROTOTYPE)

/* balancer.c: the load balancer that the call names (borrowed), or the call fails; the second fails, too,
 * while it is being deleted. */
int slb_find(struct call *call, const struct load_balancer **ret);
int slb_find_living(struct call *call, const struct load_balancer **ret);

/* describe.c */
const char *slb_status_word(const struct load_balancer *lb);

/* listener.c: in lower case, as the product writes them. */
void slb_lower(const char *word, char ret[WORD_SIZE]);

/* backend.c: the row of the server in a group of the load balancer; NULL: it is not in it. */
const struct server *slb_backend_in(const struct call *call, const char *group, const char *server_id);
/* Puts all servers of the load balancer into the group of a new listener; or the call fails. */
int slb_backends_copy(struct call *call, const struct load_balancer *lb, const struct listener *listener);
/* The entry of the list for a server. */
void slb_backend_answer_in(json_t *list, const struct server *server);
