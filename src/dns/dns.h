/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VPCs' resolver. Sockets stand in VPC 0 (UDP and TCP port 53); who asks is known by the source address
 * (198.18.0.0 + slot of the asking port). Names of the plan are answered here; everything else goes to the
 * node's upstream resolvers, over sockets of the node's own namespace.
 */
#pragma once

#include "../lib/loop.h"
#include "../plan/plan.h"

struct dns;

struct dns_options {
	int netns_fd;		    /* VPC 0; the sockets are opened in there (setns and back) */
	struct netaddr listen_addr; /* PLAN_DNS_SOCKET */
	const char *resolv_conf; /* where the node's upstream resolvers stand; read again when it changes */
};

/* Opens the sockets and answers from `dns_set_plan` on. */
int dns_new(struct loop *loop, const struct dns_options *options, struct dns **ret);
struct dns *dns_free(struct dns *dns);
/* Names from now on. The plan is borrowed and must stay until the next call. */
void dns_set_plan(struct dns *dns, const struct plan *plan);
/* The rows of a newer plan are being written: who is not in the plan in force may be in that one, and is not
 * answered before `dns_set_plan`, which has to follow. */
void dns_expect_plan(struct dns *dns);
