/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas: how much of what a caller may make us keep. Reaching one is an error of the catalogue, named next to it.
 * Numbers per account count within a region.
 */
#pragma once

#include "../store/store.h"

#define VPCS_PER_ACCOUNT_MAX	      200 /* QuotaExceeded.Vpc */
#define SECURITY_GROUPS_PER_ACCOUNT_MAX 500 /* QuotaExceed.SecurityGroup */
#define RULES_PER_GROUP_MAX	      200 /* AuthorizationLimitExceed */
#define RULES_NAMING_GROUPS_MAX	      20  /* the same: rules of a group that name another group */
#define INSTANCES_PER_ACCOUNT_MAX     1000 /* QuotaExceed.Instance */
#define LOAD_BALANCERS_PER_ACCOUNT_MAX 100 /* QuotaExceeded.LoadBalancersNum */
#define LISTENERS_PER_BALANCER_MAX    50  /* QuotaExceeded.ListenersNum */
#define SERVER_GROUPS_PER_ACCOUNT_MAX 500 /* QuotaExceeded.ServerGroupsNum */
#define SERVERS_PER_GROUP_MAX	      200 /* QuotaExceeded.ServersNum */
#define SERVERS_PER_PORT_MAX	      60  /* QuotaExceeded.ServersNum: deleting the instance removes them in one go */
#define TAGS_PER_RESOURCE_MAX	      20  /* NumberExceed.Tags */

/* Rows of one call: all of them must fit one transaction, next to a token, a job and counters. */
#define RULES_PER_CALL_MAX     90
#define INSTANCES_PER_CALL_MAX 25 /* an instance, its port and its address each */
#define SERVERS_PER_CALL_MAX   80
#define TAGGED_PER_CALL_MAX    90 /* resources times tags */

_Static_assert(RULES_PER_CALL_MAX + 10 <= STORE_TXN_OPS_MAX, "a call's rules fit a transaction");
_Static_assert(INSTANCES_PER_CALL_MAX * 3 + 10 <= STORE_TXN_OPS_MAX, "a call's instances fit a transaction");
_Static_assert(SERVERS_PER_CALL_MAX + 10 <= STORE_TXN_OPS_MAX, "a call's servers fit a transaction");
_Static_assert(LISTENERS_PER_BALANCER_MAX + TAGS_PER_RESOURCE_MAX + 10 <= STORE_TXN_OPS_MAX,
	       "a load balancer is deleted in one transaction");
_Static_assert(SERVERS_PER_PORT_MAX + TAGS_PER_RESOURCE_MAX + 10 <= STORE_TXN_OPS_MAX,
	       "an instance is deleted in one transaction");
