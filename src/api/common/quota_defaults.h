/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of what a caller may make us keep. Reaching it is an error of the catalogue, named next to it.
 * Numbers per account count within a region. Most are the defaults of quotas (quota.h), which the operator
 * can set for an account. What one call may ask for is in schema/limits.h.
 */
#pragma once

#include "../../model/rows.h"
#include "../../schema/limits.h"
#include "../../store/store.h"

#define ACCOUNTS_MAX			1000 /* QuotaExceeded.Account */
#define ACCESS_KEYS_PER_ACCOUNT_MAX	5    /* QuotaExceeded.AccessKeyPerAccount; of all regions */
#define ACCESS_KEYS_PER_ACCOUNT_MOST	50   /* that it can be given: all may be revoked in one go */
#define RAM_USERS_PER_ACCOUNT_MAX	100  /* LimitExceeded.User */
#define ACCESS_KEYS_PER_USER_MAX	2    /* LimitExceeded.User.AccessKey, as the account's own by RAM */
#define RESOURCE_GROUPS_PER_ACCOUNT_MAX 100  /* LimitExceeded.ResourceGroup; besides the default one */
#define VPCS_PER_ACCOUNT_MAX		200  /* QuotaExceeded.Vpc */
#define SECURITY_GROUPS_PER_ACCOUNT_MAX 500  /* QuotaExceed.SecurityGroup */
#define RULES_PER_GROUP_MAX		200  /* AuthorizationLimitExceed */
#define RULES_NAMING_GROUPS_MAX		20   /* the same: rules of a group that name another group */
#define INSTANCES_PER_ACCOUNT_MAX	1000 /* QuotaExceed.Instance */
#define LOAD_BALANCERS_PER_ACCOUNT_MAX	100  /* QuotaExceeded.LoadBalancersNum */
#define LISTENERS_PER_BALANCER_MAX	50   /* QuotaExceeded.ListenersNum */
#define SERVER_GROUPS_PER_ACCOUNT_MAX	500  /* QuotaExceeded.ServerGroupsNum */
#define SERVERS_PER_GROUP_MAX		200  /* QuotaExceeded.ServersNum */
#define SERVERS_PER_PORT_MAX		60   /* the same: an instance's deletion removes them in one go */
#define BACKENDS_PER_BALANCER_MAX	80   /* the same: servers of a classic load balancer */
#define BACKEND_ROWS_PER_CALL_MAX	88   /* the same: servers of a call, times its listeners and one */
#define JOBS_PER_ACCOUNT_MAX		1000 /* of all regions; the oldest makes room, no error */

#define CONNECTIVITY_TESTS_PER_INSTANCE_MAX 1  /* running: QuotaExceeded.ConnectivityTestPerInstance */
#define CONNECTIVITY_TESTS_PER_ACCOUNT_MAX  4  /* running: QuotaExceeded.ConnectivityTestPerAccount */
#define CONNECTIVITY_TESTS_PER_NODE_MAX	    8  /* running: QuotaExceeded.ConnectivityTestPerNode */
#define CONNECTIVITY_TESTS_PER_MINUTE_MAX   30 /* of an account: Throttling.ConnectivityTest */
#define CONNECTIVITY_RATE_S		    60
#define CONNECTIVITY_TESTS_PER_ENDPOINT_KEPT                                                                 \
	20					/* the oldest make room, no error; …                       \
						    those of the last minute stay */
#define CONNECTIVITY_TESTS_PER_ACCOUNT_KEPT 200 /* likewise */

#define ENDPOINTS_PER_VPC_MAX	       1000 /* QuotaExceeded.totalEpPerVpc */
#define FLOW_LOGS_PER_ACCOUNT_MAX      20   /* QuotaExceeded.FlowLog; endpoints whose flow log is on */
#define SERVICES_PER_ACCOUNT_MAX       200  /* QuotaMisMatched, as the three below */
#define RESOURCES_PER_SERVICE_MAX      500
#define RESOURCES_PER_SERVICE_ZONE_MAX 100
#define USERS_PER_SERVICE_MAX	       1000

/* Shares of a node's tables (bpf/pl_abi.h): of each, less than a third is one account's. In all regions. */
#define ALL_VPCS_MAX		1000   /* QuotaExceeded.VpcPerAccount */
#define ALL_VSWITCHES_MAX	10000  /* QuotaExceeded.VSwitchPerAccount */
#define ALL_SECURITY_GROUPS_MAX 5000   /* QuotaExceeded.SecurityGroupPerAccount */
#define ALL_ENDPOINTS_MAX	5000   /* QuotaExceeded.EndpointPerAccount */
#define ALL_INTERFACES_MAX	8000   /* QuotaExceeded.NetworkInterfacePerAccount */
#define ALL_RULES_MAX		20000  /* QuotaExceeded.SecurityGroupRulePerAccount */
#define ALL_LISTENERS_MAX	1000   /* QuotaExceeded.ListenerPerAccount */
#define ALL_SERVERS_MAX		5000   /* QuotaExceeded.ServerPerAccount */
#define ALL_PLACES_MAX		600000 /* QuotaExceeded.BalancingPlacePerAccount */

/* What no node has a table of. Without these an account would have so much in each region. */
#define ALL_SERVICES_MAX	  1000	/* QuotaExceeded.ServicePerAccount */
#define ALL_SERVICE_USERS_MAX	  10000 /* QuotaExceeded.ServiceUserPerAccount */
#define ALL_SERVICE_RESOURCES_MAX 5000	/* QuotaExceeded.ServiceResourcePerAccount */

/* Rows of one call: what it puts, and what it only compares, must each fit one transaction, next to a token,
 * a job and counters. */

#define ROOM (STORE_TXN_OPS_MAX - 5)
_Static_assert(RULES_PER_CALL_MAX + RULES_NAMING_GROUPS_MAX <= ROOM,
	       "a call's rules and the groups that they name");
_Static_assert(INSTANCES_PER_CALL_MAX * 4 + SECURITY_GROUPS_MAX + 1 <= ROOM,
	       "a call's instances, ports and addresses, each on a node of its own, groups and the vSwitch");
_Static_assert(SERVERS_PER_CALL_MAX * 2 <= ROOM, "a call's servers and their ports");
_Static_assert(TAGGED_PER_CALL_MAX <= ROOM, "a call's tags");
_Static_assert(LISTENERS_PER_BALANCER_MAX + TAGS_PER_RESOURCE_MAX <= ROOM, "a load balancer's deletion");
_Static_assert(BACKENDS_PER_BALANCER_MAX + 4 <= ROOM, "a classic listener, its group and servers");
_Static_assert(BACKENDS_PER_BALANCER_MAX *(TEXT_SIZE + 256) < ANSWER_SIZE,
	       "an answer with all servers of a load balancer can be kept for its ClientToken");
_Static_assert(BACKEND_ROWS_PER_CALL_MAX + 3 <= ROOM, "a call's servers in all groups of a load balancer");
_Static_assert(LISTENERS_PER_BALANCER_MAX + 1 <= BACKEND_ROWS_PER_CALL_MAX &&
		       LISTENERS_PER_BALANCER_MAX + 1 <= SERVERS_PER_PORT_MAX,
	       "a server can always be in all of them");
_Static_assert(SERVERS_PER_PORT_MAX + TAGS_PER_RESOURCE_MAX <= ROOM, "an instance's deletion");
_Static_assert(
	ENDPOINT_ZONES_MAX * 5 + SECURITY_GROUPS_MAX + TAGS_PER_RESOURCE_MAX + 5 <= ROOM,
	"an endpoint with all it can have: a zone is three rows, and compares its vSwitch and resource");
_Static_assert(1 + CONNECTIVITY_WAY_PARTS_MAX + CONNECTIVITY_TESTS_PER_ENDPOINT_KEPT <= ROOM,
	       "a connectivity test with its path, and those that make room for it");
_Static_assert(2 + 2 * ENDPOINT_ZONES_MAX <= ROOM, "an endpoint, a security group and all its ENIs");
_Static_assert(RESOURCES_PER_CALL_MAX * 2 + TAGS_PER_RESOURCE_MAX + 2 <= ROOM,
	       "a service with its resources");
#undef ROOM
