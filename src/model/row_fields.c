/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of fields: one per kind, in the order of the struct's members, and the table of kinds that binds
 * them. A member that is missing here is not kept; test_row.c fills each struct with bytes and finds the
 * forgotten ones.
 */
#include "row_fields.h"

#define MEMBER(row, m) ((struct row *)0)->m

#define TEXT(row, m)                                                                                         \
	{                                                                                                    \
		.name = #m, .type = FIELD_TEXT, .offset = offsetof(struct row, m),                           \
		.size = sizeof(MEMBER(row, m))                                                               \
	}
#define TEXT_LIST(row, m, count)                                                                             \
	{                                                                                                    \
		.name = #m, .type = FIELD_TEXT_LIST, .offset = offsetof(struct row, m),                      \
		.size = sizeof(MEMBER(row, m)[0]), .max = ARRAY_SIZE(MEMBER(row, m)),                        \
		.count_offset = offsetof(struct row, count)                                                  \
	}
/* What the member points to has as many bytes at most. */
#define SHARED(row, m, bytes)                                                                                \
	{                                                                                                    \
		.name = #m, .type = FIELD_SHARED,                                                            \
		.offset = offsetof(struct row, m) + 0 * sizeof((const char **)0 == &MEMBER(row, m)),         \
		.size = (bytes)                                                                              \
	}
#define SHARED_LIST(row, m, count, most)                                                                     \
	{                                                                                                    \
		.name = #m, .type = FIELD_SHARED_LIST, .offset = offsetof(struct row, m),                    \
		.size = sizeof(MEMBER(row, m)[0]), .max = (most),                                            \
		.count_offset = offsetof(struct row, count)                                                  \
	}
/* The comparison of pointers is never evaluated; the compiler objects if the member is of another type. */
#define SCALAR(row, m, field_type, c_type)                                                                   \
	{                                                                                                    \
		.name = #m, .type = field_type,                                                              \
		.offset = offsetof(struct row, m) + 0 * sizeof((c_type *)0 == &MEMBER(row, m)),              \
		.size = sizeof(c_type)                                                                       \
	}
#define BOOL(row, m)   SCALAR(row, m, FIELD_BOOL, bool)
#define U32(row, m)    SCALAR(row, m, FIELD_U32, uint32_t)
#define I32(row, m)    SCALAR(row, m, FIELD_I32, int32_t)
#define I64(row, m)    SCALAR(row, m, FIELD_I64, int64_t)
#define ADDR(row, m)   SCALAR(row, m, FIELD_ADDR, struct netaddr)
#define PREFIX(row, m) SCALAR(row, m, FIELD_PREFIX, struct netprefix)
#define MAC(row, m)    SCALAR(row, m, FIELD_MAC, struct mac)
#define ENUM(row, m, enum_names)                                                                             \
	{                                                                                                    \
		.name = #m, .type = FIELD_ENUM, .offset = offsetof(struct row, m),                           \
		.size = sizeof(MEMBER(row, m)), .names = enum_names                                          \
	}

/* clang-format off */
#define NAMES(name, ...) const char *const name[] = { __VA_ARGS__, NULL }

NAMES(vpc_status_names, "Pending", "Available", "Deleting");
NAMES(vswitch_status_names, "Pending", "Available", "Deleting");
NAMES(sg_type_names, "normal", "enterprise");
NAMES(sg_direction_names, "ingress", "egress");
NAMES(sg_policy_names, "Accept", "Drop");
NAMES(instance_status_names, "Pending", "Starting", "Running", "Stopping", "Stopped", "Deleting");
NAMES(instance_kind_names, "netns", "attached", "tap");
NAMES(port_kind_names, "instance", "endpoint", "load_balancer");
NAMES(port_status_names, "Available", "Attaching", "InUse", "Detaching", "Deleting");
NAMES(lb_status_names, "Provisioning", "Active", "Configuring", "Inactive", "CreateFailed", "Deleting",
      "Stopping", "Starting");
NAMES(lb_type_names, "nlb", "slb");
NAMES(listener_status_names, "Provisioning", "Running", "Configuring", "Stopping", "Stopped", "Starting", "Deleting");
NAMES(probe_type_names, "TCP", "HTTP", "UDP");
NAMES(server_group_status_names, "Creating", "Available", "Configuring", "Deleting");
NAMES(server_status_names, "Adding", "Available", "Configuring", "Removing");
NAMES(service_status_names, "Creating", "Pending", "Active", "Deleting");
NAMES(endpoint_status_names, "Creating", "Active", "Pending", "Deleting");
NAMES(zone_status_names, "Creating", "Wait", "Connecting", "Connected", "Disconnecting", "Disconnected", "Deleting",
      "Migrating", "Migrated");
NAMES(connection_status_names, "Pending", "Connecting", "Connected", "Disconnecting", "Disconnected", "Deleting",
      "ServiceDeleted");
NAMES(connectivity_status_names, "Pending", "Running", "Finished", "Expired");

static const struct field account_fields[] = {
	I64(account, uid),
	TEXT(account, name),
	BOOL(account, is_admin),
	BOOL(account, privatelink_open),
	I64(account, create_time),
};

static const struct field quota_row_fields[] = {
	I64(quota_row, uid),
	TEXT(quota_row, name),
	I64(quota_row, value),
};

static const struct field access_key_fields[] = {
	TEXT(access_key, id),
	TEXT(access_key, secret),
	I64(access_key, uid),
	TEXT(access_key, user),
	BOOL(access_key, active),
	I64(access_key, create_time),
};

static const struct field ram_user_fields[] = {
	TEXT(ram_user, id),
	I64(ram_user, owner),
	TEXT(ram_user, name),
	TEXT(ram_user, display_name),
	TEXT(ram_user, mobile_phone),
	TEXT(ram_user, email),
	TEXT(ram_user, comments),
	I64(ram_user, create_time),
};

static const struct field resource_group_fields[] = {
	TEXT(resource_group, id),
	I64(resource_group, owner),
	TEXT(resource_group, name),
	TEXT(resource_group, display_name),
	I64(resource_group, create_time),
};

static const struct field node_fields[] = {
	TEXT(node, name),
	U32(node, number),
	TEXT_LIST(node, zones, n_zones),
	ADDR(node, underlay),
	U32(node, mtu),
	I64(node, lost_time),
	BOOL(node, deleting),
};

static const struct field vpc_fields[] = {
	TEXT(vpc, id),
	U32(vpc, number),
	I64(vpc, owner),
	TEXT(vpc, region),
	SHARED(vpc, name, NAME_SIZE),
	SHARED(vpc, description, TEXT_SIZE),
	PREFIX(vpc, cidr),
	ENUM(vpc, status, vpc_status_names),
	TEXT(vpc, router_id),
	TEXT(vpc, route_table_id),
	TEXT(vpc, resource_group),
	I64(vpc, create_time),
};

static const struct field vswitch_fields[] = {
	TEXT(vswitch, id),
	I64(vswitch, owner),
	TEXT(vswitch, region),
	TEXT(vswitch, vpc),
	TEXT(vswitch, zone),
	SHARED(vswitch, name, NAME_SIZE),
	SHARED(vswitch, description, TEXT_SIZE),
	PREFIX(vswitch, cidr),
	ENUM(vswitch, status, vswitch_status_names),
	I64(vswitch, create_time),
};

static const struct field address_fields[] = {
	SHARED(address, vpc, ID_SIZE),
	ADDR(address, addr),
	SHARED(address, vswitch, ID_SIZE),
	TEXT(address, port),
};

static const struct field security_group_fields[] = {
	TEXT(security_group, id),
	I64(security_group, owner),
	TEXT(security_group, region),
	TEXT(security_group, vpc),
	SHARED(security_group, name, NAME_SIZE),
	SHARED(security_group, description, TEXT_SIZE),
	ENUM(security_group, type, sg_type_names),
	BOOL(security_group, inner_accept),
	TEXT(security_group, resource_group),
	I64(security_group, create_time),
};

static const struct field sg_rule_fields[] = {
	TEXT(sg_rule, id),
	TEXT(sg_rule, group),
	ENUM(sg_rule, direction, sg_direction_names),
	ENUM(sg_rule, policy, sg_policy_names),
	U32(sg_rule, priority),
	TEXT(sg_rule, protocol),
	I32(sg_rule, port_first),
	I32(sg_rule, port_last),
	PREFIX(sg_rule, cidr),
	TEXT(sg_rule, other_group),
	SHARED(sg_rule, description, RULE_TEXT_SIZE),
	I64(sg_rule, create_time),
};

static const struct field instance_fields[] = {
	TEXT(instance, id),
	I64(instance, owner),
	TEXT(instance, region),
	TEXT(instance, zone),
	TEXT(instance, vpc),
	TEXT(instance, vswitch),
	TEXT(instance, node),
	TEXT(instance, name),
	TEXT(instance, description),
	TEXT(instance, image),
	TEXT(instance, type),
	TEXT(instance, host_name),
	ENUM(instance, kind, instance_kind_names),
	TEXT(instance, path),
	I64(instance, process_start),
	TEXT(instance, device),
	TEXT(instance, port),
	TEXT(instance, resource_group),
	ENUM(instance, status, instance_status_names),
	TEXT(instance, failure),
	I64(instance, create_time),
};

static const struct field port_fields[] = {
	TEXT(port, id),
	U32(port, number),
	I64(port, owner),
	ENUM(port, kind, port_kind_names),
	SHARED(port, region, REGION_SIZE),
	SHARED(port, zone, ZONE_SIZE),
	SHARED(port, vpc, ID_SIZE),
	SHARED(port, vswitch, ID_SIZE),
	ADDR(port, addr),
	MAC(port, mac),
	U32(port, mtu),
	SHARED_LIST(port, groups, n_groups, SECURITY_GROUPS_MAX),
	TEXT(port, holder),
	SHARED(port, node, WORD_SIZE * 2),
	ENUM(port, status, port_status_names),
	I64(port, create_time),
};

static const struct field load_balancer_fields[] = {
	TEXT(load_balancer, id),
	I64(load_balancer, owner),
	TEXT(load_balancer, region),
	TEXT(load_balancer, vpc),
	TEXT(load_balancer, name),
	BOOL(load_balancer, intranet),
	BOOL(load_balancer, cross_zone),
	TEXT_LIST(load_balancer, zones, n_zones),
	TEXT_LIST(load_balancer, vswitches, n_vswitches),
	TEXT_LIST(load_balancer, ports, n_ports),
	TEXT_LIST(load_balancer, groups, n_groups),
	TEXT_LIST(load_balancer, shifted, n_shifted),
	BOOL(load_balancer, deletion_protected),
	TEXT(load_balancer, deletion_reason),
	I64(load_balancer, deletion_time),
	BOOL(load_balancer, modification_protected),
	TEXT(load_balancer, modification_reason),
	I64(load_balancer, modification_time),
	ENUM(load_balancer, status, lb_status_names),
	TEXT(load_balancer, resource_group),
	I64(load_balancer, create_time),
	ENUM(load_balancer, type, lb_type_names),
	TEXT(load_balancer, server_group),
	TEXT(load_balancer, slave_zone),
	TEXT(load_balancer, spec),
	TEXT(load_balancer, charge_type),
};

static const struct field listener_fields[] = {
	TEXT(listener, id),
	I64(listener, owner),
	TEXT(listener, region),
	TEXT(listener, load_balancer),
	TEXT(listener, server_group),
	TEXT(listener, protocol),
	U32(listener, port),
	TEXT(listener, description),
	U32(listener, idle_timeout_s),
	U32(listener, mss),
	U32(listener, cps),
	BOOL(listener, proxy_protocol),
	ENUM(listener, status, listener_status_names),
	I64(listener, create_time),
	U32(listener, backend_port),
	BOOL(listener, proxy_vpc_id),
	BOOL(listener, proxy_endpoint_id),
	BOOL(listener, proxy_service_id),
};

static const struct field server_group_fields[] = {
	TEXT(server_group, id),
	I64(server_group, owner),
	TEXT(server_group, region),
	TEXT(server_group, vpc),
	TEXT(server_group, name),
	BOOL(server_group, by_address),
	TEXT(server_group, protocol),
	TEXT(server_group, scheduler),
	BOOL(server_group, preserve_client_ip),
	BOOL(server_group, drain_enabled),
	U32(server_group, drain_timeout_s),
	BOOL(server_group, health_enabled),
	U32(server_group, health_port),
	U32(server_group, health_interval_s),
	U32(server_group, health_timeout_s),
	U32(server_group, healthy_threshold),
	U32(server_group, unhealthy_threshold),
	ENUM(server_group, health_type, probe_type_names),
	BOOL(server_group, health_by_head),
	BOOL(server_group, health_http_1_1),
	BOOL(server_group, health_get_given),
	TEXT(server_group, health_url),
	TEXT(server_group, health_domain),
	TEXT_LIST(server_group, health_codes, n_health_codes),
	TEXT(server_group, health_request),
	TEXT(server_group, health_expect),
	ENUM(server_group, status, server_group_status_names),
	TEXT(server_group, resource_group),
	I64(server_group, create_time),
	TEXT(server_group, load_balancer),
};

static const struct field server_fields[] = {
	TEXT(server, group),
	TEXT(server, server_id),
	TEXT(server, type),
	ADDR(server, addr),
	U32(server, port),
	U32(server, weight),
	TEXT(server, zone),
	TEXT(server, port_id),
	TEXT(server, node),
	TEXT(server, description),
	ENUM(server, status, server_status_names),
};

static const struct field server_health_fields[] = {
	TEXT(server_health, group),
	TEXT(server_health, server_id),
	U32(server_health, port),
	TEXT(server_health, node),
	BOOL(server_health, healthy),
	TEXT(server_health, reason),
};

static const struct field service_fields[] = {
	TEXT(service, id),
	I64(service, owner),
	TEXT(service, region),
	TEXT(service, name),
	TEXT(service, description),
	TEXT(service, domain),
	TEXT(service, private_domain),
	TEXT(service, product),
	TEXT(service, resource_type),
	BOOL(service, auto_accept),
	BOOL(service, zone_affinity),
	BOOL(service, policy_supported),
	TEXT(service, payer),
	TEXT(service, ip_version),
	U32(service, connect_bandwidth),
	TEXT_LIST(service, regions, n_regions),
	ENUM(service, status, service_status_names),
	TEXT(service, resource_group),
	I64(service, create_time),
};

static const struct field service_resource_fields[] = {
	TEXT(service_resource, service),
	TEXT(service_resource, resource),
	TEXT(service_resource, type),
	TEXT(service_resource, zone),
	BOOL(service_resource, auto_allocated),
};

static const struct field service_user_fields[] = {
	TEXT(service_user, service),
	I64(service_user, uid),
	TEXT(service_user, arn),
	SHARED(service_user, region, REGION_SIZE),
};

static const struct field endpoint_fields[] = {
	TEXT(endpoint, id),
	I64(endpoint, owner),
	SHARED(endpoint, region, REGION_SIZE),
	SHARED(endpoint, vpc, ID_SIZE),
	SHARED(endpoint, service, ID_SIZE),
	SHARED(endpoint, service_name, SERVICE_NAME_SIZE),
	SHARED(endpoint, service_region, REGION_SIZE),
	U32(endpoint, cross_region_bandwidth),
	SHARED(endpoint, name, NAME_SIZE),
	SHARED(endpoint, description, TEXT_SIZE),
	SHARED(endpoint, type, WORD_SIZE),
	SHARED(endpoint, domain, DOMAIN_SIZE),
	SHARED_LIST(endpoint, groups, n_groups, SECURITY_GROUPS_MAX),
	U32(endpoint, n_attaching),
	SHARED_LIST(endpoint, detaching, n_detaching, SECURITY_GROUPS_MAX),
	SHARED(endpoint, ip_version, WORD_SIZE),
	BOOL(endpoint, zone_affinity),
	BOOL(endpoint, protected_enabled),
	BOOL(endpoint, flow_log),
	SHARED(endpoint, payer, WORD_SIZE),
	ENUM(endpoint, status, endpoint_status_names),
	SHARED(endpoint, failure, TEXT_SIZE),
	SHARED(endpoint, policy, POLICY_SIZE),
	TEXT(endpoint, resource_group),
	I64(endpoint, create_time),
};

static const struct field endpoint_zone_fields[] = {
	TEXT(endpoint_zone, endpoint),
	TEXT(endpoint_zone, zone),
	SHARED(endpoint_zone, vswitch, ID_SIZE),
	TEXT(endpoint_zone, port),
	ADDR(endpoint_zone, addr),
	SHARED(endpoint_zone, domain, DOMAIN_SIZE),
	SHARED(endpoint_zone, resource, ID_SIZE),
	SHARED(endpoint_zone, resource_zone, ZONE_SIZE),
	BOOL(endpoint_zone, resource_chosen),
	SHARED(endpoint_zone, replaced_port, ID_SIZE),
	ADDR(endpoint_zone, replaced_addr),
	SHARED(endpoint_zone, replaced_resource, ID_SIZE),
	SHARED(endpoint_zone, replaced_resource_zone, ZONE_SIZE),
	BOOL(endpoint_zone, retiring),
	ENUM(endpoint_zone, status, zone_status_names),
};

static const struct field connection_fields[] = {
	TEXT(connection, endpoint),
	SHARED(connection, service, ID_SIZE),
	ENUM(connection, status, connection_status_names),
	BOOL(connection, waiting),
	U32(connection, bandwidth),
	SHARED(connection, traffic_control, WORD_SIZE),
	I64(connection, modified_time),
};

static const struct field connectivity_test_fields[] = {
	TEXT(connectivity_test, id),
	I64(connectivity_test, owner),
	TEXT(connectivity_test, region),
	TEXT(connectivity_test, endpoint),
	TEXT(connectivity_test, instance),
	TEXT(connectivity_test, node),
	TEXT(connectivity_test, runner),
	U32(connectivity_test, port),
	ENUM(connectivity_test, status, connectivity_status_names),
	TEXT(connectivity_test, verdict),
	TEXT(connectivity_test, failure),
	TEXT(connectivity_test, steps),
	I64(connectivity_test, create_time),
	I64(connectivity_test, end_time),
};

static const struct field connectivity_way_fields[] = {
	TEXT(connectivity_way, test),
	U32(connectivity_way, part),
	TEXT(connectivity_way, text),
};

static const struct field nat_range_fields[] = {
	TEXT(nat_range, vpc),
	TEXT(nat_range, node),
	PREFIX(nat_range, range),
};

static const struct field tag_fields[] = {
	TEXT(tag, resource),
	TEXT(tag, resource_type),
	TEXT(tag, key),
	TEXT(tag, value),
};

static const struct field client_token_fields[] = {
	I64(client_token, uid),
	TEXT(client_token, action),
	TEXT(client_token, token),
	TEXT(client_token, digest),
	SHARED(client_token, answer, ANSWER_SIZE),
	I64(client_token, create_time),
};

static const struct field job_fields[] = {
	TEXT(job, id),
	TEXT(job, subject),
	I64(job, owner),
	I64(job, create_time),
};

static const struct field counter_fields[] = {
	TEXT(counter, name),
	U32(counter, value),
};

#define KIND(kind_name, type, ...)                                                                          \
	{                                                                                                   \
		.name = kind_name, .size = sizeof(struct type), .fields = type##_fields,                    \
		.n_fields = ARRAY_SIZE(type##_fields), .key = { __VA_ARGS__ }                               \
	}

const struct kind_info row_kinds[KIND_COUNT_] = {
	[KIND_ACCOUNT] = KIND("account", account, "uid"),
	[KIND_ACCESS_KEY] = KIND("access_key", access_key, "id"),
	[KIND_RAM_USER] = KIND("ram_user", ram_user, "id"),
	[KIND_RESOURCE_GROUP] = KIND("resource_group", resource_group, "id"),
	[KIND_QUOTA] = KIND("quota", quota_row, "uid", "%name"),
	[KIND_NODE] = KIND("node", node, "name"),
	[KIND_VPC] = KIND("vpc", vpc, "id"),
	[KIND_VSWITCH] = KIND("vswitch", vswitch, "id"),
	[KIND_ADDRESS] = KIND("address", address, "vpc", "addr"),
	[KIND_SECURITY_GROUP] = KIND("security_group", security_group, "id"),
	[KIND_SG_RULE] = KIND("sg_rule", sg_rule, "group", "id"),
	[KIND_INSTANCE] = KIND("instance", instance, "id"),
	[KIND_PORT] = KIND("port", port, "id"),
	[KIND_LOAD_BALANCER] = KIND("load_balancer", load_balancer, "id"),
	[KIND_LISTENER] = KIND("listener", listener, "id"),
	[KIND_SERVER_GROUP] = KIND("server_group", server_group, "id"),
	[KIND_SERVER] = KIND("server", server, "group", "server_id", "port"),
	[KIND_SERVER_HEALTH] = KIND("server_health", server_health, "group", "server_id", "port"),
	[KIND_SERVICE] = KIND("service", service, "id"),
	[KIND_SERVICE_RESOURCE] = KIND("service_resource", service_resource, "service", "resource", "zone"),
	[KIND_SERVICE_USER] = KIND("service_user", service_user, "service", "uid|arn"),
	[KIND_ENDPOINT] = KIND("endpoint", endpoint, "id"),
	[KIND_ENDPOINT_ZONE] = KIND("endpoint_zone", endpoint_zone, "endpoint", "zone"),
	[KIND_CONNECTION] = KIND("connection", connection, "endpoint"),
	[KIND_CONNECTIVITY_TEST] = KIND("connectivity_test", connectivity_test, "id"),
	[KIND_CONNECTIVITY_WAY] = KIND("connectivity_way", connectivity_way, "test", "part"),
	[KIND_NAT_RANGE] = KIND("nat_range", nat_range, "vpc", "node"),
	[KIND_TAG] = KIND("tag", tag, "resource", "%key"),
	[KIND_CLIENT_TOKEN] = KIND("token", client_token, "uid", "action", "%token"),
	[KIND_JOB] = KIND("job", job, "id"),
	[KIND_COUNTER] = KIND("counter", counter, "name"),
};
/* clang-format on */
