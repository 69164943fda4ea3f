/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What belongs to what: each member of a row that names another row, and what follows from it. Indexes
 * (snapshot), removal and what is left over (control), what a node is told (feed) and checks for use (api) go
 * by this table, so a new kind of row is its struct, its fields (row_fields.c) and its relations here.
 * test_relations.c finds the forgotten ones.
 */
#pragma once

#include "row.h"

/* Named after the kind of the row that has the member, and the member; in the order of the kinds. */
enum ref {
	REF_ACCESS_KEY_UID,
	REF_ACCESS_KEY_USER,
	REF_QUOTA_UID,
	REF_RAM_USER_OWNER,
	REF_RESOURCE_GROUP_OWNER,
	REF_VPC_OWNER,
	REF_VPC_RESOURCE_GROUP,
	REF_VSWITCH_OWNER,
	REF_VSWITCH_VPC,
	REF_ADDRESS_VPC,
	REF_ADDRESS_VSWITCH,
	REF_ADDRESS_PORT,
	REF_SECURITY_GROUP_OWNER,
	REF_SECURITY_GROUP_VPC,
	REF_SECURITY_GROUP_RESOURCE_GROUP,
	REF_SG_RULE_GROUP,
	REF_SG_RULE_OTHER_GROUP,
	REF_INSTANCE_OWNER,
	REF_INSTANCE_VPC,
	REF_INSTANCE_VSWITCH,
	REF_INSTANCE_NODE,
	REF_INSTANCE_PORT,
	REF_INSTANCE_RESOURCE_GROUP,
	REF_PORT_OWNER,
	REF_PORT_VPC,
	REF_PORT_VSWITCH,
	REF_PORT_GROUPS,
	REF_PORT_HOLDER,
	REF_PORT_NODE,
	REF_LOAD_BALANCER_OWNER,
	REF_LOAD_BALANCER_VPC,
	REF_LOAD_BALANCER_VSWITCHES,
	REF_LOAD_BALANCER_PORTS,
	REF_LOAD_BALANCER_RESOURCE_GROUP,
	REF_LOAD_BALANCER_SERVER_GROUP,
	REF_LOAD_BALANCER_GROUPS,
	REF_LISTENER_OWNER,
	REF_LISTENER_LOAD_BALANCER,
	REF_LISTENER_SERVER_GROUP,
	REF_SERVER_GROUP_OWNER,
	REF_SERVER_GROUP_VPC,
	REF_SERVER_GROUP_RESOURCE_GROUP,
	REF_SERVER_GROUP_LOAD_BALANCER,
	REF_SERVER_GROUP, /* a server of its server group */
	REF_SERVER_SERVER_ID,
	REF_SERVER_PORT_ID,
	REF_SERVER_NODE,
	REF_SERVER_HEALTH_SERVER, /* its own id */
	REF_SERVER_HEALTH_GROUP,
	REF_SERVER_HEALTH_SERVER_ID,
	REF_SERVER_HEALTH_NODE,
	REF_SERVICE_OWNER,
	REF_SERVICE_RESOURCE_GROUP,
	REF_SERVICE_RESOURCE_SERVICE,
	REF_SERVICE_RESOURCE_RESOURCE,
	REF_SERVICE_USER_SERVICE,
	REF_SERVICE_USER_UID,
	REF_SERVICE_USER_ARN,
	REF_ENDPOINT_OWNER,
	REF_ENDPOINT_VPC,
	REF_ENDPOINT_SERVICE,
	REF_ENDPOINT_GROUPS,
	REF_ENDPOINT_DETACHING,
	REF_ENDPOINT_RESOURCE_GROUP,
	REF_ENDPOINT_ZONE_ENDPOINT,
	REF_ENDPOINT_ZONE_VSWITCH,
	REF_ENDPOINT_ZONE_PORT,
	REF_ENDPOINT_ZONE_RESOURCE,
	REF_ENDPOINT_ZONE_RESOURCE_FAR,
	REF_ENDPOINT_ZONE_REPLACED_PORT,
	REF_ENDPOINT_ZONE_REPLACED_RESOURCE,
	REF_ENDPOINT_ZONE_REPLACED_RESOURCE_FAR,
	REF_CONNECTION_ENDPOINT,
	REF_CONNECTION_SERVICE,
	REF_CONNECTIVITY_TEST_OWNER,
	REF_CONNECTIVITY_TEST_ENDPOINT,
	REF_CONNECTIVITY_TEST_INSTANCE,
	REF_CONNECTIVITY_TEST_NODE,
	REF_CONNECTIVITY_WAY_TEST,
	REF_NAT_RANGE_VPC,
	REF_NAT_RANGE_NODE,
	REF_TAG_RESOURCE,
	REF_CLIENT_TOKEN_UID,
	REF_JOB_OWNER,
	REF_JOB_SUBJECT,
	REF_COUNT_,
};

/* What follows from a reference. */
#define REF_USE	  0x0 /* nothing more: the row uses the other one */
#define REF_PART  0x1 /* the row is a part of the other one: it goes with it */
#define REF_TOLD  0x2 /* the row is told to the nodes that are told the other one */
#define REF_MOVES 0x4 /* the row's state moves with the other one's */

struct relation {
	enum kind kind;		  /* of the row that has the reference */
	const char *member;	  /* its name; NULL: the row's own id is the other one's, too */
	enum field_type type;	  /* TEXT, SHARED, a list of either, or I64 for accounts */
	size_t offset;		  /* of the member */
	size_t size;		  /* lists: of one text */
	size_t count_offset, max; /* lists */
	size_t within_offset; /* of a text that those who look from the other side ask for, too; 0: none */
	bool within_shared;   /* that text is a shared one */
	uint32_t parents;     /* one bit each kind that it may name; of several, the id tells which */
	unsigned int follows; /* REF_… */
};

/* The row of the table. */
const struct relation *relation_info(enum ref ref);

/* The first reference of the kind's rows; the others follow, up to that of another kind. */
enum ref relation_first(enum kind kind);
/* Whether the rows that are named may be of that kind. */
bool relation_names(enum ref ref, enum kind parent);
/* The kind that this id of the reference names; -ENOENT: none. */
int relation_parent(enum ref ref, const char *id, enum kind *ret);
/* Whether the keys of the rows begin with the member: its rows lie side by side. */
bool relation_leads_key(enum ref ref);
/* The reference of the kind to its account; REF_COUNT_ if it has none. */
enum ref relation_owner(enum kind kind);
/* The one of the kind's references from which that follows; REF_COUNT_ if there is none. */
enum ref relation_following(enum kind kind, unsigned int follows);
/* Whether rows of the kind have parts. */
bool relation_has_parts(enum kind kind);

/* An account as references name it. */
#define UID_TEXT_SIZE 24
void relation_uid(int64_t uid, char ret[UID_TEXT_SIZE]);

/* The n-th id that the row names there, NULL if it has fewer; "" where it names nothing. Borrowed from the
 * row, or from `text`. Not for references without a member. */
const char *relation_id(enum ref ref, const void *row, size_t n, char text[UID_TEXT_SIZE]);
/* What it is asked for within; "": the relation has no such thing. */
const char *relation_within(enum ref ref, const void *row);
