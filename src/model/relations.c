/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of relations. Ids tell by their beginning what they are of, so one reference can name rows of
 * several kinds: a port's holder, what a tag hangs on.
 */
#include "relations.h"

#include <inttypes.h>

#include "../lib/vec.h"

_Static_assert(KIND_COUNT_ <= 32, "kinds fit the bits of `parents`");

#define BIT(kind) (UINT32_C(1) << (kind))
#define OF(kind)  BIT(KIND_##kind)

#define ONE(kind_, row, m, parents_, follows_)                                                               \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = #m, .type = FIELD_TEXT, .offset = offsetof(struct row, m),   \
		.parents = parents_, .follows = follows_                                                     \
	}
#define SHARED(kind_, row, m, parents_, follows_)                                                            \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = #m, .type = FIELD_SHARED, .offset = offsetof(struct row, m), \
		.parents = parents_, .follows = follows_                                                     \
	}
#define MANY(kind_, row, m, count, parents_, follows_)                                                       \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = #m, .type = FIELD_TEXT_LIST,                                 \
		.offset = offsetof(struct row, m), .size = sizeof(((struct row *)0)->m[0]),                  \
		.max = ARRAY_SIZE(((struct row *)0)->m), .count_offset = offsetof(struct row, count),        \
		.parents = parents_, .follows = follows_                                                     \
	}
#define SHARED_GROUPS(kind_, row, m, count)                                                                  \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = #m, .type = FIELD_SHARED_LIST,                               \
		.offset = offsetof(struct row, m), .size = sizeof(((struct row *)0)->m[0]),                  \
		.max = SECURITY_GROUPS_MAX, .count_offset = offsetof(struct row, count),                     \
		.parents = OF(SECURITY_GROUP), .follows = REF_USE                                            \
	}
/* An account, as a number. */
#define ACCOUNT(kind_, row, m)                                                                               \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = #m, .type = FIELD_I64, .offset = offsetof(struct row, m),    \
		.parents = OF(ACCOUNT), .follows = REF_USE                                                   \
	}
/* What goes with its account. */
#define PART_OF_ACCOUNT(kind_, row, m)                                                                       \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = #m, .type = FIELD_I64, .offset = offsetof(struct row, m),    \
		.parents = OF(ACCOUNT), .follows = REF_PART                                                  \
	}
/* The account of an object that is in a region. */
#define OWNER(kind_, row)                                                                                    \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = "owner", .type = FIELD_I64,                                  \
		.offset = offsetof(struct row, owner), .within_offset = offsetof(struct row, region),        \
		.parents = OF(ACCOUNT), .follows = REF_USE                                                   \
	}
/* The same where the region is a shared text. */
#define SHARED_OWNER(kind_, row)                                                                             \
	{                                                                                                    \
		.kind = KIND_##kind_, .member = "owner", .type = FIELD_I64,                                  \
		.offset = offsetof(struct row, owner), .within_offset = offsetof(struct row, region),        \
		.within_shared = true, .parents = OF(ACCOUNT), .follows = REF_USE                            \
	}
/* A load balancer of an endpoint's zone, which is asked for with the zone, or with its own where that is
 * another one. */
#define BALANCER_OF_ZONE(m, within, is_shared)                                                               \
	{                                                                                                    \
		.kind = KIND_ENDPOINT_ZONE, .member = #m, .type = FIELD_SHARED,                              \
		.offset = offsetof(struct endpoint_zone, m),                                                 \
		.within_offset = offsetof(struct endpoint_zone, within), .within_shared = is_shared,         \
		.parents = OF(LOAD_BALANCER), .follows = REF_USE                                             \
	}
/* Whom an entry of a whitelist admits, which is asked for with the region of its service. */
#define ADMITTED(m, type_)                                                                                   \
	{                                                                                                    \
		.kind = KIND_SERVICE_USER, .member = #m, .type = type_,                                      \
		.offset = offsetof(struct service_user, m),                                                  \
		.within_offset = offsetof(struct service_user, region), .within_shared = true,               \
		.parents = OF(ACCOUNT), .follows = REF_USE                                                   \
	}
#define TAGGED                                                                                               \
	(OF(VPC) | OF(VSWITCH) | OF(SECURITY_GROUP) | OF(INSTANCE) | OF(PORT) | OF(LOAD_BALANCER) |          \
	 OF(LISTENER) | OF(SERVER_GROUP) | OF(SERVICE) | OF(ENDPOINT))

/* clang-format off */
static const struct relation relations[REF_COUNT_] = {
	[REF_ACCESS_KEY_UID] = PART_OF_ACCOUNT(ACCESS_KEY, access_key, uid),
	[REF_ACCESS_KEY_USER] = ONE(ACCESS_KEY, access_key, user, OF(RAM_USER), REF_USE),
	[REF_RAM_USER_OWNER] = PART_OF_ACCOUNT(RAM_USER, ram_user, owner),
	[REF_RESOURCE_GROUP_OWNER] = PART_OF_ACCOUNT(RESOURCE_GROUP, resource_group, owner),
	[REF_QUOTA_UID] = ACCOUNT(QUOTA, quota_row, uid),
	[REF_VPC_OWNER] = OWNER(VPC, vpc),
	[REF_VPC_RESOURCE_GROUP] =
		ONE(VPC, vpc, resource_group, OF(RESOURCE_GROUP), REF_USE),
	[REF_VSWITCH_OWNER] = OWNER(VSWITCH, vswitch),
	[REF_VSWITCH_VPC] = ONE(VSWITCH, vswitch, vpc, OF(VPC), REF_TOLD),
	[REF_ADDRESS_VPC] = SHARED(ADDRESS, address, vpc, OF(VPC), REF_TOLD),
	[REF_ADDRESS_VSWITCH] = SHARED(ADDRESS, address, vswitch, OF(VSWITCH), REF_USE),
	[REF_ADDRESS_PORT] = ONE(ADDRESS, address, port, OF(PORT), REF_PART),
	[REF_SECURITY_GROUP_OWNER] = OWNER(SECURITY_GROUP, security_group),
	[REF_SECURITY_GROUP_VPC] = ONE(SECURITY_GROUP, security_group, vpc, OF(VPC), REF_TOLD),
	[REF_SECURITY_GROUP_RESOURCE_GROUP] =
		ONE(SECURITY_GROUP, security_group, resource_group, OF(RESOURCE_GROUP), REF_USE),
	[REF_SG_RULE_GROUP] = ONE(SG_RULE, sg_rule, group, OF(SECURITY_GROUP), REF_PART | REF_TOLD),
	[REF_SG_RULE_OTHER_GROUP] = ONE(SG_RULE, sg_rule, other_group, OF(SECURITY_GROUP), REF_USE),
	[REF_INSTANCE_OWNER] = OWNER(INSTANCE, instance),
	[REF_INSTANCE_VPC] = ONE(INSTANCE, instance, vpc, OF(VPC), REF_TOLD),
	[REF_INSTANCE_VSWITCH] = ONE(INSTANCE, instance, vswitch, OF(VSWITCH), REF_USE),
	[REF_INSTANCE_NODE] = ONE(INSTANCE, instance, node, OF(NODE), REF_USE),
	[REF_INSTANCE_PORT] = ONE(INSTANCE, instance, port, OF(PORT), REF_USE),
	[REF_INSTANCE_RESOURCE_GROUP] =
		ONE(INSTANCE, instance, resource_group, OF(RESOURCE_GROUP), REF_USE),
	[REF_PORT_OWNER] = SHARED_OWNER(PORT, port),
	[REF_PORT_VPC] = SHARED(PORT, port, vpc, OF(VPC), REF_TOLD),
	[REF_PORT_VSWITCH] = SHARED(PORT, port, vswitch, OF(VSWITCH), REF_USE),
	[REF_PORT_GROUPS] = SHARED_GROUPS(PORT, port, groups, n_groups),
	[REF_PORT_HOLDER] = ONE(PORT, port, holder, OF(INSTANCE) | OF(ENDPOINT) | OF(LOAD_BALANCER), REF_PART),
	[REF_PORT_NODE] = SHARED(PORT, port, node, OF(NODE), REF_USE),
	[REF_LOAD_BALANCER_OWNER] = OWNER(LOAD_BALANCER, load_balancer),
	[REF_LOAD_BALANCER_VPC] = ONE(LOAD_BALANCER, load_balancer, vpc, OF(VPC), REF_TOLD),
	[REF_LOAD_BALANCER_VSWITCHES] =
		MANY(LOAD_BALANCER, load_balancer, vswitches, n_vswitches, OF(VSWITCH), REF_USE),
	[REF_LOAD_BALANCER_PORTS] = MANY(LOAD_BALANCER, load_balancer, ports, n_ports, OF(PORT), REF_USE),
	[REF_LOAD_BALANCER_RESOURCE_GROUP] =
		ONE(LOAD_BALANCER, load_balancer, resource_group, OF(RESOURCE_GROUP), REF_USE),
	[REF_LOAD_BALANCER_SERVER_GROUP] =
		ONE(LOAD_BALANCER, load_balancer, server_group, OF(SERVER_GROUP), REF_USE),
	[REF_LOAD_BALANCER_GROUPS] =
		MANY(LOAD_BALANCER, load_balancer, groups, n_groups, OF(SECURITY_GROUP), REF_USE),
	[REF_LISTENER_OWNER] = OWNER(LISTENER, listener),
	[REF_LISTENER_LOAD_BALANCER] =
		ONE(LISTENER, listener, load_balancer, OF(LOAD_BALANCER), REF_PART | REF_TOLD),
	[REF_LISTENER_SERVER_GROUP] = ONE(LISTENER, listener, server_group, OF(SERVER_GROUP), REF_USE),
	[REF_SERVER_GROUP_OWNER] = OWNER(SERVER_GROUP, server_group),
	[REF_SERVER_GROUP_VPC] = ONE(SERVER_GROUP, server_group, vpc, OF(VPC), REF_TOLD),
	[REF_SERVER_GROUP_RESOURCE_GROUP] =
		ONE(SERVER_GROUP, server_group, resource_group, OF(RESOURCE_GROUP), REF_USE),
	[REF_SERVER_GROUP_LOAD_BALANCER] =
		ONE(SERVER_GROUP, server_group, load_balancer, OF(LOAD_BALANCER), REF_PART),
	[REF_SERVER_GROUP] = ONE(SERVER, server, group, OF(SERVER_GROUP), REF_PART | REF_TOLD),
	[REF_SERVER_SERVER_ID] = ONE(SERVER, server, server_id, OF(INSTANCE) | OF(PORT), REF_USE),
	[REF_SERVER_PORT_ID] = ONE(SERVER, server, port_id, OF(PORT), REF_USE),
	[REF_SERVER_NODE] = ONE(SERVER, server, node, OF(NODE), REF_USE),
	[REF_SERVER_HEALTH_SERVER] = {.kind = KIND_SERVER_HEALTH, .parents = OF(SERVER), .follows = REF_PART},
	[REF_SERVER_HEALTH_GROUP] = ONE(SERVER_HEALTH, server_health, group, OF(SERVER_GROUP), REF_TOLD),
	[REF_SERVER_HEALTH_SERVER_ID] =
		ONE(SERVER_HEALTH, server_health, server_id, OF(INSTANCE) | OF(PORT), REF_USE),
	[REF_SERVER_HEALTH_NODE] = ONE(SERVER_HEALTH, server_health, node, OF(NODE), REF_USE),
	[REF_SERVICE_OWNER] = OWNER(SERVICE, service),
	[REF_SERVICE_RESOURCE_GROUP] =
		ONE(SERVICE, service, resource_group, OF(RESOURCE_GROUP), REF_USE),
	[REF_SERVICE_RESOURCE_SERVICE] =
		ONE(SERVICE_RESOURCE, service_resource, service, OF(SERVICE), REF_PART | REF_TOLD),
	[REF_SERVICE_RESOURCE_RESOURCE] =
		ONE(SERVICE_RESOURCE, service_resource, resource, OF(LOAD_BALANCER), REF_USE),
	[REF_SERVICE_USER_SERVICE] = ONE(SERVICE_USER, service_user, service, OF(SERVICE), REF_PART),
	[REF_SERVICE_USER_UID] = ADMITTED(uid, FIELD_I64),
	/* One or all, as ARNs say it. */
	[REF_SERVICE_USER_ARN] = ADMITTED(arn, FIELD_TEXT),
	[REF_ENDPOINT_OWNER] = SHARED_OWNER(ENDPOINT, endpoint),
	[REF_ENDPOINT_VPC] = SHARED(ENDPOINT, endpoint, vpc, OF(VPC), REF_TOLD),
	[REF_ENDPOINT_SERVICE] = SHARED(ENDPOINT, endpoint, service, OF(SERVICE), REF_USE),
	[REF_ENDPOINT_GROUPS] = SHARED_GROUPS(ENDPOINT, endpoint, groups, n_groups),
	[REF_ENDPOINT_DETACHING] = SHARED_GROUPS(ENDPOINT, endpoint, detaching, n_detaching),
	[REF_ENDPOINT_RESOURCE_GROUP] =
		ONE(ENDPOINT, endpoint, resource_group, OF(RESOURCE_GROUP), REF_USE),
	[REF_ENDPOINT_ZONE_ENDPOINT] =
		ONE(ENDPOINT_ZONE, endpoint_zone, endpoint, OF(ENDPOINT), REF_PART | REF_TOLD | REF_MOVES),
	[REF_ENDPOINT_ZONE_VSWITCH] = SHARED(ENDPOINT_ZONE, endpoint_zone, vswitch, OF(VSWITCH), REF_USE),
	[REF_ENDPOINT_ZONE_PORT] = ONE(ENDPOINT_ZONE, endpoint_zone, port, OF(PORT), REF_USE),
	[REF_ENDPOINT_ZONE_RESOURCE] = BALANCER_OF_ZONE(resource, zone, false),
	[REF_ENDPOINT_ZONE_RESOURCE_FAR] = BALANCER_OF_ZONE(resource, resource_zone, true),
	[REF_ENDPOINT_ZONE_REPLACED_PORT] =
		SHARED(ENDPOINT_ZONE, endpoint_zone, replaced_port, OF(PORT), REF_USE),
	[REF_ENDPOINT_ZONE_REPLACED_RESOURCE] = BALANCER_OF_ZONE(replaced_resource, zone, false),
	[REF_ENDPOINT_ZONE_REPLACED_RESOURCE_FAR] =
		BALANCER_OF_ZONE(replaced_resource, replaced_resource_zone, true),
	[REF_CONNECTION_ENDPOINT] =
		ONE(CONNECTION, connection, endpoint, OF(ENDPOINT), REF_PART | REF_TOLD | REF_MOVES),
	[REF_CONNECTION_SERVICE] = SHARED(CONNECTION, connection, service, OF(SERVICE), REF_USE),
	[REF_CONNECTIVITY_TEST_OWNER] = OWNER(CONNECTIVITY_TEST, connectivity_test),
	[REF_CONNECTIVITY_TEST_ENDPOINT] =
		ONE(CONNECTIVITY_TEST, connectivity_test, endpoint, OF(ENDPOINT), REF_PART),
	[REF_CONNECTIVITY_TEST_INSTANCE] =
		ONE(CONNECTIVITY_TEST, connectivity_test, instance, OF(INSTANCE), REF_PART),
	/* To that node and no other, and only while it is to run it (told.c). */
	[REF_CONNECTIVITY_TEST_NODE] = ONE(CONNECTIVITY_TEST, connectivity_test, node, OF(NODE), REF_TOLD),
	[REF_CONNECTIVITY_WAY_TEST] =
		ONE(CONNECTIVITY_WAY, connectivity_way, test, OF(CONNECTIVITY_TEST), REF_PART),
	[REF_NAT_RANGE_VPC] = ONE(NAT_RANGE, nat_range, vpc, OF(VPC), REF_PART),
	/* To that node and no other (told.c): of the ranges of a VPC it uses its own alone. */
	[REF_NAT_RANGE_NODE] = ONE(NAT_RANGE, nat_range, node, OF(NODE), REF_PART | REF_TOLD),
	[REF_TAG_RESOURCE] = ONE(TAG, tag, resource, TAGGED, REF_PART),
	[REF_CLIENT_TOKEN_UID] = ACCOUNT(CLIENT_TOKEN, client_token, uid),
	[REF_JOB_OWNER] = ACCOUNT(JOB, job, owner),
	[REF_JOB_SUBJECT] =
		ONE(JOB, job, subject, OF(LOAD_BALANCER) | OF(LISTENER) | OF(SERVER_GROUP), REF_USE),
};

/* How the ids of a kind begin, where a reference may name rows of several. */
static const char *const beginnings[KIND_COUNT_][2] = {
	[KIND_VPC] = {"vpc-"},
	[KIND_VSWITCH] = {"vsw-"},
	[KIND_SECURITY_GROUP] = {"sg-"},
	[KIND_INSTANCE] = {"i-"},
	[KIND_PORT] = {"eni-"},
	[KIND_LOAD_BALANCER] = {"nlb-", "lb-"},
	[KIND_LISTENER] = {"lsn-"},
	[KIND_SERVER_GROUP] = {"sgp-"},
	[KIND_SERVICE] = {"epsrv-"},
	[KIND_ENDPOINT] = {"ep-"},
};
/* clang-format on */

const struct relation *relation_info(enum ref ref)
{
	return &relations[ref];
}

enum ref relation_first(enum kind kind)
{
	return (enum ref)LOWER_BOUND(i, (size_t)REF_COUNT_, relations[i].kind < kind);
}

bool relation_names(enum ref ref, enum kind parent)
{
	return relations[ref].parents & BIT(parent);
}

static bool is_single(uint32_t bits)
{
	return (bits & (bits - 1)) == 0;
}

static bool begins_like(const char *id, int kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(beginnings[kind]); i++)
		if (beginnings[kind][i] && str_starts(id, beginnings[kind][i]))
			return true;
	return false;
}

int relation_parent(enum ref ref, const char *id, enum kind *ret)
{
	uint32_t parents = relations[ref].parents;

	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		if (!(parents & BIT(kind)))
			continue;
		if (is_single(parents) || begins_like(id, kind)) {
			*ret = kind;
			return 0;
		}
	}
	return -ENOENT;
}

bool relation_leads_key(enum ref ref)
{
	const char *member = relations[ref].member;

	return member && streq(kind_info(relations[ref].kind)->key[0], member);
}

enum ref relation_owner(enum kind kind)
{
	enum ref ref = 0;

	while (ref < REF_COUNT_ && (relations[ref].kind != kind || !relation_names(ref, KIND_ACCOUNT)))
		ref++;
	return ref;
}

enum ref relation_following(enum kind kind, unsigned int follows)
{
	enum ref ref = 0;

	while (ref < REF_COUNT_ && (relations[ref].kind != kind || !(relations[ref].follows & follows)))
		ref++;
	return ref;
}

bool relation_has_parts(enum kind kind)
{
	for (enum ref ref = 0; ref < REF_COUNT_; ref++)
		if ((relations[ref].follows & REF_PART) && relation_names(ref, kind))
			return true;
	return false;
}

void relation_uid(int64_t uid, char ret[UID_TEXT_SIZE])
{
	(void)str_format(ret, UID_TEXT_SIZE, "%" PRId64, uid);
}

const char *relation_id(enum ref ref, const void *row, size_t n, char text[UID_TEXT_SIZE])
{
	const struct relation *relation = &relations[ref];
	const char *bytes = row, *member = bytes + relation->offset;

	if (relation->type == FIELD_SHARED || relation->type == FIELD_SHARED_LIST)
		member = *(const char *const *)member;
	if (relation->type == FIELD_TEXT_LIST || relation->type == FIELD_SHARED_LIST) {
		uint32_t count = *(const uint32_t *)(bytes + relation->count_offset);

		return n < MIN(count, relation->max) ? member + n * relation->size : NULL;
	}
	if (n > 0)
		return NULL;
	if (relation->type == FIELD_TEXT || relation->type == FIELD_SHARED)
		return member ? member : "";
	relation_uid(*(const int64_t *)member, text);
	return text;
}

const char *relation_within(enum ref ref, const void *row)
{
	const struct relation *relation = &relations[ref];
	const char *within = (const char *)row + relation->within_offset;

	if (!relation->within_offset)
		return "";
	if (relation->within_shared)
		within = *(const char *const *)within;
	return within ? within : "";
}
