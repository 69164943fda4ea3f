/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas: how much of what an account may make us keep, each with a name, a value that all accounts have
 * unless the operator gives one another (a row of KIND_QUOTA), and an error when it is used up. What is there
 * when a quota is lowered stays; nothing comes to it.
 */
#pragma once

#include "../frame/action.h"

enum quota {
	QUOTA_SERVICES,
	QUOTA_SERVICE_RESOURCES,
	QUOTA_ZONE_RESOURCES,
	QUOTA_SERVICE_USERS,
	QUOTA_VPC_ENDPOINTS,
	QUOTA_IDLE_ENDPOINTS,
	QUOTA_PAYER_MODE,    /* a privilege: not 0 */
	QUOTA_RESOURCE_MODE, /* likewise */
	QUOTA_VPCS,
	QUOTA_VSWITCHES,
	QUOTA_SECURITY_GROUPS,
	QUOTA_RULES,
	QUOTA_INSTANCES,
	QUOTA_BALANCERS,
	QUOTA_LISTENERS,
	QUOTA_SERVER_GROUPS,
	QUOTA_SERVERS,
	QUOTA_ACCESS_KEYS,
	QUOTA_RESOURCE_GROUPS,
	QUOTA_FLOW_LOGS,
	/* Shares of a node's tables: of the account in all regions, since one node may serve all. */
	QUOTA_ALL_VPCS,
	QUOTA_ALL_VSWITCHES,
	QUOTA_ALL_GROUPS,
	QUOTA_ALL_ENDPOINTS,
	QUOTA_ALL_INTERFACES,
	QUOTA_ALL_RULES,
	QUOTA_ALL_LISTENERS,
	QUOTA_ALL_SERVERS,
	QUOTA_ALL_PLACES,
	/* What a service has, of the account in all regions: it costs memory and no more. */
	QUOTA_ALL_SERVICES,
	QUOTA_ALL_SERVICE_USERS,
	QUOTA_ALL_SERVICE_RESOURCES,
	QUOTA_COUNT_,
};

/* -ENOENT: none is called so. */
int quota_parse(const char *name, enum quota *ret);
const char *quota_name(enum quota quota);
const char *quota_description(enum quota quota);
int64_t quota_default(enum quota quota);
int64_t quota_most(enum quota quota); /* that it can be given */

/* What the account has: its own value, or the default. */
int64_t quota_value(const struct snapshot *rows, int64_t uid, enum quota quota);
/* What of it the account uses in a region; where it is for each of several objects, that of the fullest.
 * Costs no more than a step for each of those objects. */
size_t quota_usage(const struct snapshot *rows, int64_t uid, enum quota quota, const char *region);

/* Whether `more` may come to `used`; else the call fails with the quota's code, its name and its usage. */
int quota_check(struct call *call, int64_t uid, enum quota quota, size_t used, size_t more);
/* The same for one object more of an account in a region, by what quota_usage() says. */
int quota_check_one(struct call *call, int64_t uid, enum quota quota, const char *region);
/* The same for `more` objects of a quota that counts in all regions; with what the call has made of them
 * before. What is the system's (0) is the operator's affair, and has no share. */
int quota_check_share(struct call *call, int64_t uid, enum quota quota, size_t made, size_t more);
/* Whether the account has the privilege. */
int quota_check_privilege(struct call *call, int64_t uid, enum quota quota);
