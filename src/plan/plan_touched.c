/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which members of a row the plan does not read stands here by name, so that one that is forgotten costs a
 * plan and no more. What a row touches is told by the row as it was and as it is, and by those that name it.
 */
#include "plan_touched.h"

#include "../model/serving.h"

#define ENDPOINTS_OF_SERVICE_MAX PLAN_TOUCHED_MAX
#define GROUPS_OF_VPC_MAX	 512 /* that are looked through; an account has 500 by default */

/* Of all kinds: what the plan reads of none that has it. */
static const char *const unread[] = {"name",  "description", "resource_group", "create_time",
				     "payer", "failure",     "modified_time",  NULL};

static const char *const unread_of[KIND_COUNT_][10] = {
	[KIND_NODE] = {"lost_time", "deleting"},
	[KIND_VPC] = {"router_id", "route_table_id", "owner"},
	[KIND_VSWITCH] = {"owner"},
	[KIND_SECURITY_GROUP] = {"owner"},
	[KIND_PORT] = {"owner"}, /* its instance has one, or its endpoint */
	[KIND_INSTANCE] = {"image", "type"},
	[KIND_LOAD_BALANCER] = {"deletion_protected", "deletion_reason", "deletion_time",
				"modification_protected", "modification_reason", "modification_time", "spec",
				"charge_type", "owner"},
	[KIND_LISTENER] = {"owner"},
	[KIND_SERVER_GROUP] = {"owner"},
	[KIND_SERVER_HEALTH] = {"reason"},
	[KIND_SERVICE] = {"auto_accept", "connect_bandwidth", "regions", "ip_version", "domain",
			  "resource_type", "product", "policy_supported", "owner"},
	[KIND_ENDPOINT] = {"policy"}, /* a security group's rule has one, too */
};

static bool is_in(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (streq(*list, name))
			return true;
	return false;
}

static bool is_read(enum kind kind)
{
	switch (kind) {
	case KIND_NODE:
	case KIND_VPC:
	case KIND_VSWITCH:
	case KIND_ADDRESS:
	case KIND_SECURITY_GROUP:
	case KIND_SG_RULE:
	case KIND_INSTANCE:
	case KIND_PORT:
	case KIND_LOAD_BALANCER:
	case KIND_LISTENER:
	case KIND_SERVER_GROUP:
	case KIND_SERVER:
	case KIND_SERVER_HEALTH:
	case KIND_SERVICE:
	case KIND_ENDPOINT:
	case KIND_ENDPOINT_ZONE:
	case KIND_CONNECTION:
	case KIND_NAT_RANGE:
		return true;
	default:
		return false;
	}
}

/* States that the plan does not tell from each other have the same number. */
static unsigned int class_of(enum kind kind, unsigned int status)
{
	switch (kind) {
	case KIND_VPC:
	case KIND_VSWITCH:
	case KIND_SERVICE:
	case KIND_SERVER_GROUP:
		return 0;
	case KIND_PORT:
		return status == PORT_DELETING;
	case KIND_ENDPOINT:
		return status == ENDPOINT_DELETING;
	case KIND_SERVER:
		return status == SERVER_REMOVING;
	case KIND_INSTANCE:
		return status == INSTANCE_DELETING
			       ? 2
			       : serving_instance_runs(&(struct instance){.status = status});
	case KIND_LISTENER:
		return serving_listener_wanted(&(struct listener){.status = status});
	case KIND_LOAD_BALANCER:
		return serving_balancer_wanted(&(struct load_balancer){.status = status});
	default:
		return status;
	}
}

static bool is_same_status(enum kind kind, const struct field *field, const void *row, const json_t *json)
{
	const char *word = json_string_value(json);
	unsigned int status, value = 0;

	memcpy(&status, (const char *)row + field->offset, sizeof(status));
	while (word && field->names[value] && !streq(field->names[value], word))
		value++;
	return word && field->names[value] && class_of(kind, status) == class_of(kind, value);
}

static bool is_same(enum kind kind, const struct field *field, const void *row, const json_t *json)
{
	const json_t *value = json_object_get(json, field->name);
	json_t *old;
	bool same;

	if (field->type == FIELD_ENUM && streq(field->name, "status"))
		return is_same_status(kind, field, row, value);
	if (!value || field_is_absent(field, row))
		return !value && field_is_absent(field, row);
	old = field_to_json(field, row);
	same = old && json_equal(old, value);
	json_decref(old);
	return same;
}

/* The plan reads something that differs, beside the member of that name. */
static bool differs(enum kind kind, const void *row, const json_t *json, const char *besides)
{
	const struct kind_info *info = kind_info(kind);

	for (size_t i = 0; i < info->n_fields; i++) {
		const struct field *field = &info->fields[i];

		if (!is_in(unread, field->name) && !is_in(unread_of[kind], field->name) &&
		    !streq(field->name, besides) && !is_same(kind, field, row, json))
			return true;
	}
	return false;
}

static bool is_same_member(enum kind kind, const void *row, const json_t *json, const char *name)
{
	const struct kind_info *info = kind_info(kind);

	for (size_t i = 0; i < info->n_fields; i++)
		if (streq(info->fields[i].name, name))
			return is_same(kind, &info->fields[i], row, json);
	return false;
}

static bool has(const struct plan_touched_ids *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->ids[i], id))
			return true;
	return false;
}

static void add(struct plan_touched *touched, struct plan_touched_ids *list, const char *id)
{
	if (has(list, id))
		return;
	if (list->n == PLAN_TOUCHED_MAX || str_copy(list->ids[list->n], ID_SIZE, id) < 0)
		touched->whole = true;
	else
		list->n++;
}

static void touch_endpoints_of_port(struct plan_touched *touched, const struct snapshot *rows,
				    const struct port *port)
{
	static const enum ref refs[] = {REF_ENDPOINT_ZONE_PORT, REF_ENDPOINT_ZONE_REPLACED_PORT};

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
		for (const struct endpoint_zone *z = NULL;
		     (z = snapshot_children(rows, refs[i], port->id, z));)
			add(touched, &touched->endpoints, z->endpoint);
	add(touched, &touched->endpoints, port->holder);
}

static void touch_endpoints_of_service(struct plan_touched *touched, const struct snapshot *rows,
				       const char *service)
{
	if (snapshot_count_children(rows, REF_ENDPOINT_SERVICE, service) > ENDPOINTS_OF_SERVICE_MAX) {
		touched->whole = true;
		return;
	}
	for (const struct endpoint *v = NULL;
	     (v = snapshot_children(rows, REF_ENDPOINT_SERVICE, service, v));)
		add(touched, &touched->endpoints, v->id);
}

/* Servers that say no interface have that of their address. */
static void touch_servers_at(struct plan_touched *touched, const struct snapshot *rows, const char *vpc,
			     const struct netaddr *addr)
{
	if (snapshot_count_children(rows, REF_SERVER_GROUP_VPC, vpc) > GROUPS_OF_VPC_MAX) {
		touched->whole = true;
		return;
	}
	for (const struct server_group *g = NULL;
	     (g = snapshot_children(rows, REF_SERVER_GROUP_VPC, vpc, g));)
		for (const struct server *s = NULL;
		     (s = snapshot_children(rows, REF_SERVER_GROUP, g->id, s));)
			if (!*s->port_id && netaddr_compare(&s->addr, addr) == 0)
				add(touched, &touched->server_groups, g->id);
}

static void touch_servers_of_port(struct plan_touched *touched, const struct snapshot *rows,
				  const struct port *port)
{
	for (const struct server *s = NULL; (s = snapshot_children(rows, REF_SERVER_PORT_ID, port->id, s));)
		add(touched, &touched->server_groups, s->group);
	touch_servers_at(touched, rows, port->vpc, &port->addr);
}

/* It serves for finding who has a server's address. */
static void touch_address(struct plan_touched *touched, const struct snapshot *rows,
			  const struct address *address)
{
	const struct port *port = snapshot_port(rows, address->port);

	if (port && port->kind == PORT_INSTANCE)
		touch_servers_at(touched, rows, address->vpc, &address->addr);
}

/* Those that say that it is theirs, whatever it says itself. */
static void touch_instances_of_port(struct plan_touched *touched, const struct snapshot *rows,
				    const struct port *port)
{
	for (const struct instance *v = NULL; (v = snapshot_children(rows, REF_INSTANCE_PORT, port->id, v));)
		add(touched, &touched->instances, v->id);
}

static void touch_port(struct plan_touched *touched, const struct snapshot *rows, const struct port *port)
{
	touch_instances_of_port(touched, rows, port);
	switch (port->kind) {
	case PORT_ENDPOINT:
		touch_endpoints_of_port(touched, rows, port);
		break;
	case PORT_LOAD_BALANCER:
		add(touched, &touched->interfaces, port->id);
		break;
	case PORT_INSTANCE:
		add(touched, &touched->instances, port->holder);
		touch_servers_of_port(touched, rows, port);
		break;
	}
}

static void touch_instance(struct plan_touched *touched, const struct snapshot *rows,
			   const struct instance *instance)
{
	add(touched, &touched->instances, instance->id);
	for (const struct port *v = NULL; (v = snapshot_children(rows, REF_PORT_HOLDER, instance->id, v));)
		touch_port(touched, rows, v);
}

/* A port has its gateway and its prefix, and there is none without it: nor a server behind that. */
static void touch_vswitch(struct plan_touched *touched, const struct snapshot *rows,
			  const struct vswitch *vswitch)
{
	add(touched, &touched->vswitches, vswitch->id);
	for (const struct port *v = NULL;
	     !touched->whole && (v = snapshot_children(rows, REF_PORT_VSWITCH, vswitch->id, v));)
		if (v->kind == PORT_INSTANCE)
			touch_port(touched, rows, v);
		else
			touch_instances_of_port(touched, rows, v);
}

static bool is_too_many(struct plan_touched *touched, const struct snapshot *rows, enum ref ref,
			const char *id)
{
	touched->whole |= snapshot_count_children(rows, ref, id) > PLAN_TOUCHED_MAX;
	return touched->whole;
}

static void touch_server_groups_of_vpc(struct plan_touched *touched, const struct snapshot *rows,
				       const char *vpc)
{
	if (is_too_many(touched, rows, REF_SERVER_GROUP_VPC, vpc))
		return;
	for (const struct server_group *v = NULL;
	     (v = snapshot_children(rows, REF_SERVER_GROUP_VPC, vpc, v));)
		add(touched, &touched->server_groups, v->id);
}

void plan_touch_vpc(struct plan_touched *touched, const struct snapshot *rows, const char *vpc)
{
	if (is_too_many(touched, rows, REF_ENDPOINT_VPC, vpc) ||
	    is_too_many(touched, rows, REF_VSWITCH_VPC, vpc) ||
	    is_too_many(touched, rows, REF_INSTANCE_VPC, vpc))
		return;
	for (const struct vswitch *v = NULL; (v = snapshot_children(rows, REF_VSWITCH_VPC, vpc, v));)
		add(touched, &touched->vswitches, v->id);
	for (const struct instance *v = NULL; (v = snapshot_children(rows, REF_INSTANCE_VPC, vpc, v));)
		add(touched, &touched->instances, v->id);
	for (const struct endpoint *v = NULL; (v = snapshot_children(rows, REF_ENDPOINT_VPC, vpc, v));)
		add(touched, &touched->endpoints, v->id);
	for (const struct port *v = NULL;
	     !touched->whole && (v = snapshot_children(rows, REF_PORT_VPC, vpc, v));) {
		if (v->kind == PORT_LOAD_BALANCER)
			add(touched, &touched->interfaces, v->id);
		else
			add(touched, v->kind == PORT_INSTANCE ? &touched->instances : &touched->endpoints,
			    v->holder);
	}
}

/* Who is in front of it has something else to lead to. */
static void touch_endpoints_of_balancer(struct plan_touched *touched, const struct snapshot *rows,
					const char *balancer)
{
	static const enum ref refs[] = {REF_ENDPOINT_ZONE_RESOURCE, REF_ENDPOINT_ZONE_REPLACED_RESOURCE};

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
		for (const struct endpoint_zone *z = NULL;
		     !touched->whole && (z = snapshot_children(rows, refs[i], balancer, z));)
			add(touched, &touched->endpoints, z->endpoint);
}

static void touch_listener(struct plan_touched *touched, const struct listener *listener)
{
	add(touched, &touched->listeners, listener->id);
	add(touched, &touched->balancers, listener->load_balancer);
}

static void touch_health(struct plan_touched *touched, const struct server_health *row)
{
	const struct plan_hearer *hearer = &touched->hearer;

	if (hearer->hears)
		touched->health |= hearer->hears(hearer->context, row);
	else
		add(touched, &touched->server_groups, row->group);
}

static void touch(struct plan_touched *touched, const struct snapshot *rows, enum kind kind, const void *row)
{
	switch (kind) {
	case KIND_ENDPOINT:
		add(touched, &touched->endpoints, ((const struct endpoint *)row)->id);
		break;
	case KIND_ENDPOINT_ZONE:
		add(touched, &touched->endpoints, ((const struct endpoint_zone *)row)->endpoint);
		break;
	case KIND_CONNECTION:
		add(touched, &touched->endpoints, ((const struct connection *)row)->endpoint);
		break;
	case KIND_SERVICE:
		touch_endpoints_of_service(touched, rows, ((const struct service *)row)->id);
		break;
	case KIND_SG_RULE:
		add(touched, &touched->groups, ((const struct sg_rule *)row)->group);
		break;
	case KIND_SECURITY_GROUP:
		add(touched, &touched->others, ((const struct security_group *)row)->id);
		break;
	case KIND_SERVER_GROUP:
		add(touched, &touched->server_groups, ((const struct server_group *)row)->id);
		break;
	case KIND_SERVER:
		add(touched, &touched->server_groups, ((const struct server *)row)->group);
		break;
	case KIND_SERVER_HEALTH:
		touch_health(touched, row);
		break;
	case KIND_LISTENER:
		touch_listener(touched, row);
		break;
	case KIND_LOAD_BALANCER:
		add(touched, &touched->balancers, ((const struct load_balancer *)row)->id);
		touch_endpoints_of_balancer(touched, rows, ((const struct load_balancer *)row)->id);
		break;
	case KIND_ADDRESS:
		touch_address(touched, rows, row);
		break;
	case KIND_PORT:
		touch_port(touched, rows, row);
		break;
	case KIND_INSTANCE:
		touch_instance(touched, rows, row);
		break;
	case KIND_VSWITCH:
		touch_vswitch(touched, rows, row);
		break;
	case KIND_VPC:
		add(touched, &touched->vpcs, ((const struct vpc *)row)->id);
		plan_touch_vpc(touched, rows, ((const struct vpc *)row)->id);
		touch_server_groups_of_vpc(touched, rows, ((const struct vpc *)row)->id);
		break;
	case KIND_NAT_RANGE:
		touch_server_groups_of_vpc(touched, rows, ((const struct nat_range *)row)->vpc);
		break;
	default:
		touched->whole = true;
	}
}

static const void *find(const struct snapshot *rows, const char *key, enum kind *ret)
{
	if (kind_of_key(key, ret) < 0 || !is_read(*ret))
		return NULL;
	return snapshot_find(rows, *ret, key + strlen(kind_info(*ret)->name) + 1);
}

/* Changes of a single member that are a matter of less than what the row is a part of. */
static bool touch_member(struct plan_touched *touched, enum kind kind, const void *row, const json_t *json)
{
	const struct security_group *group = row;
	const struct load_balancer *lb = row;
	const struct port *port = row;

	if (kind == KIND_PORT && port->kind == PORT_INSTANCE && !differs(kind, row, json, "groups")) {
		add(touched, &touched->members, port->id);
		return true;
	}
	if (kind == KIND_SECURITY_GROUP && !differs(kind, row, json, "inner_accept")) {
		add(touched, &touched->groups, group->id);
		return true;
	}
	if (kind == KIND_LOAD_BALANCER && is_same_member(kind, row, json, "groups")) {
		add(touched, &touched->balancers, lb->id);
		return true;
	}
	return false;
}

bool plan_touch_old(struct plan_touched *touched, const struct snapshot *rows, const char *key,
		    const json_t *json)
{
	enum kind kind;
	const void *row = find(rows, key, &kind);

	if (!row)
		return json != NULL;
	if (json && !differs(kind, row, json, ""))
		return false;
	if (json && touch_member(touched, kind, row, json))
		return false;
	touch(touched, rows, kind, row);
	return json != NULL;
}

void plan_touch_new(struct plan_touched *touched, const struct snapshot *rows, const char *key)
{
	enum kind kind;
	const void *row = find(rows, key, &kind);

	if (row)
		touch(touched, rows, kind, row);
}

static void add_all(struct plan_touched *touched, struct plan_touched_ids *list,
		    const struct plan_touched_ids *more)
{
	for (size_t i = 0; i < more->n; i++)
		add(touched, list, more->ids[i]);
}

void plan_touched_add(struct plan_touched *touched, const struct plan_touched *more)
{
	touched->whole |= more->whole;
	add_all(touched, &touched->endpoints, &more->endpoints);
	add_all(touched, &touched->groups, &more->groups);
	add_all(touched, &touched->members, &more->members);
	add_all(touched, &touched->others, &more->others);
	add_all(touched, &touched->server_groups, &more->server_groups);
	add_all(touched, &touched->balancers, &more->balancers);
	add_all(touched, &touched->listeners, &more->listeners);
	add_all(touched, &touched->instances, &more->instances);
	add_all(touched, &touched->interfaces, &more->interfaces);
	add_all(touched, &touched->vswitches, &more->vswitches);
	add_all(touched, &touched->vpcs, &more->vpcs);
}

void plan_touch_device(struct plan_touched *touched, const struct snapshot *rows, const char *instance)
{
	const struct instance *row = snapshot_instance(rows, instance);

	if (row)
		touch_instance(touched, rows, row);
}

bool plan_touch_health(struct plan_touched *touched, const char *server_group)
{
	struct plan_touched_ids *groups = &touched->server_groups;

	if (groups->n >= PLAN_TOUCHED_HEALTH_MAX && !has(groups, server_group))
		return touched->whole;
	add(touched, groups, server_group);
	return true;
}

bool plan_touched_any(const struct plan_touched *touched)
{
	return touched->whole || touched->endpoints.n || touched->groups.n || touched->members.n ||
	       touched->others.n || touched->server_groups.n || touched->balancers.n ||
	       touched->listeners.n || touched->instances.n || touched->interfaces.n ||
	       touched->vswitches.n || touched->vpcs.n;
}
