/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers of a group: instances, network interfaces or addresses, each with a port. Where a server is
 * (address, zone, ENI, node) is found out when it is added and kept in its row, since an ENI keeps these for
 * life.
 */
#include "../../model/check.h"
#include "../../model/state.h"
#include "../common/balancer.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "actions.h"

static int64_t member_int(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* The port that has an address of the VPC; NULL: none has. */
static const struct port *port_at(const struct call *call, const char *vpc, const struct netaddr *addr)
{
	char text[NETADDR_TEXT_SIZE], id[ID_SIZE + NETADDR_TEXT_SIZE + 1];
	const struct address *address;

	netaddr_format(addr, text);
	(void)str_format(id, sizeof(id), "%s/%s", vpc, text);
	address = snapshot_find(call->rows, KIND_ADDRESS, id);
	return address ? snapshot_port(call->rows, address->port) : NULL;
}

static const struct vswitch *vswitch_of(const struct call *call, const char *vpc, const struct netaddr *addr)
{
	for (const struct vswitch *v = NULL; (v = snapshot_children(call->rows, REF_VSWITCH_VPC, vpc, v));)
		if (netprefix_contains(&v->cidr, addr))
			return v;
	return NULL;
}

static int resolve_port(struct call *call, const struct server_group *group, const struct port *port,
			const char *not_found, struct server *row)
{
	switch (server_place(call, group->vpc, port, row)) {
	case 0:
		return 0;
	case -ENOENT:
		return call_fail(call, not_found);
	case -EXDEV:
		return call_fail(call, "Mismatch.VpcId");
	default:
		return call_fail(call, "IncorrectStatus.Eni");
	}
}

static int resolve_instance(struct call *call, const struct server_group *group, struct server *row)
{
	const struct instance *instance = owned_instance(call, row->server_id);

	if (!instance || instance->status == INSTANCE_DELETING)
		return call_fail(call, "ResourceNotFound.Ecs");
	return resolve_port(call, group, snapshot_port(call->rows, instance->port), "ResourceNotFound.Ecs",
			    row);
}

/* An address need not be anyone's yet, but must be one that an instance of the VPC can have. */
static int resolve_address(struct call *call, const struct server_group *group, struct server *row)
{
	const struct vswitch *vswitch;
	const struct port *port;

	if (netaddr_parse(row->server_id, &row->addr) < 0 || !netaddr_is_v4(&row->addr))
		return nlb_fail_value(call, "IP", "%s is no IPv4 address.", row->server_id);
	vswitch = vswitch_of(call, group->vpc, &row->addr);
	if (!vswitch || vswitch_address_reserved(&vswitch->cidr, &row->addr))
		return nlb_fail_value(call, "IP", "%s is no address that an instance of the VPC can have.",
				      row->server_id);
	(void)str_copy(row->zone, sizeof(row->zone), vswitch->zone);
	port = port_at(call, group->vpc, &row->addr);
	return port ? resolve_port(call, group, port, "ResourceNotFound.Eni", row) : 0;
}

static int resolve(struct call *call, const struct server_group *group, struct server *row)
{
	if (group->by_address != streq(row->type, "Ip"))
		return call_fail(call, "Mismatch.ServerType");
	if (streq(row->type, "Ecs"))
		return resolve_instance(call, group, row);
	if (streq(row->type, "Eni"))
		return resolve_port(call, group, owned_port(call, row->server_id), "ResourceNotFound.Eni",
				    row);
	return resolve_address(call, group, row);
}

/* Identity of a server as the caller gives it. */
static int read_identity(struct call *call, const json_t *object, const struct server_group *group,
			 struct server *ret)
{
	*ret = (struct server){.port = (uint32_t)member_int(object, "Port", 0)};
	(void)str_copy(ret->group, sizeof(ret->group), group->id);
	if (ret->port < 1 || ret->port > 65535)
		return nlb_fail_value(call, "Port", "It is 1 to 65535.");
	if (str_copy(ret->type, sizeof(ret->type), member_string(object, "ServerType")) < 0)
		return call_fail_named(call, "IllegalParam.{name}", "ServerType");
	if (str_copy(ret->server_id, sizeof(ret->server_id), member_string(object, "ServerId")) < 0 ||
	    strchr(ret->server_id, '/'))
		return nlb_fail_value(call, "ServerId", "It is an i-…, an eni-… or an address.");
	return 0;
}

static int read_weight_and_text(struct call *call, const json_t *object, struct server *row)
{
	const char *text = member_string(object, "Description");

	row->weight = (uint32_t)member_int(object, "Weight", row->weight);
	return nlb_read_description(call, "Description", text, row->description);
}

static int read_server(struct call *call, const json_t *object, const struct server_group *group,
		       struct server *ret)
{
	const char *address = member_string(object, "ServerIp");
	char text[NETADDR_TEXT_SIZE];
	int r;

	r = read_identity(call, object, group, ret);
	if (r < 0)
		return r;
	r = resolve(call, group, ret);
	if (r < 0)
		return r;
	netaddr_format(&ret->addr, text);
	if (address && address[0] && !streq(address, text))
		return nlb_fail_value(call, "IP", "The server has %s.", text);
	ret->weight = 100;
	ret->status = SERVER_ADDING;
	return read_weight_and_text(call, object, ret);
}

static bool same_place(const struct server *a, const struct server *b)
{
	return a->port == b->port && netaddr_compare(&a->addr, &b->addr) == 0;
}

/* What a new server must not collide with. */
static int check_free(struct call *call, const struct server *row, const struct server *earlier,
		      size_t n_earlier)
{
	size_t on_port;

	for (size_t i = 0; i < n_earlier; i++)
		if (same_place(&earlier[i], row))
			return call_fail_named(call, "DuplicatedParam.{name}", "Server");
	for (const struct server *s = NULL;
	     (s = snapshot_children(call->rows, REF_SERVER_GROUP, row->group, s));)
		if (same_place(s, row))
			return call_fail(call, "ResourceAlreadyExist.BackendServer");
	if (!row->port_id[0])
		return 0;
	on_port = snapshot_count_children(call->rows, REF_SERVER_PORT_ID, row->port_id);
	for (size_t i = 0; i < n_earlier; i++)
		on_port += streq(earlier[i].port_id, row->port_id);
	return on_port >= SERVERS_PER_PORT_MAX ? call_fail(call, "QuotaExceeded.ServersNum") : 0;
}

int server_add(struct call *call)
{
	json_t *list = call_list(call, "Servers"), *object;
	_cleanup_(freep) struct server *rows = NULL;
	struct server_group group;
	size_t i;
	int r;

	r = nlb_begin(call, KIND_SERVER_GROUP, &group);
	if (r < 0)
		return r;
	r = quota_check(call, group.owner, QUOTA_SERVERS,
			snapshot_count_children(call->rows, REF_SERVER_GROUP, group.id),
			json_array_size(list));
	if (r == 0)
		r = quota_check_share(call, group.owner, QUOTA_ALL_SERVERS, 0, json_array_size(list));
	if (r == 0)
		r = balancer_check_places(call, group.owner, group.id, json_array_size(list), NULL);
	if (r < 0)
		return r;
	rows = calloc(json_array_size(list) + 1, sizeof(rows[0]));
	if (!rows)
		return -ENOMEM;
	json_array_foreach(list, i, object) {
		r = read_server(call, object, &group, &rows[i]);
		if (r < 0)
			return r;
		r = check_free(call, &rows[i], rows, i);
		if (r < 0)
			return r;
		call_put(call, KIND_SERVER, &rows[i]);
	}
	return nlb_end(call, KIND_SERVER_GROUP, &group);
}

/* The row of a server that the caller names. */
static int find_server(struct call *call, const json_t *object, const struct server_group *group,
		       struct server *ret)
{
	const struct server *found;
	struct server wanted;
	char id[KEY_SIZE];
	int r;

	r = read_identity(call, object, group, &wanted);
	if (r < 0)
		return r;
	(void)str_format(id, sizeof(id), "%s/%s/%u", group->id, wanted.server_id, wanted.port);
	found = snapshot_find(call->rows, KIND_SERVER, id);
	if (!found || !streq(found->type, wanted.type))
		return call_fail(call, "ResourceNotFound.BackendServer");
	*ret = *found;
	return 0;
}

/* Changes each server that the call names, and puts what `change` returns 0 for; -EALREADY: it stays as it
 * is. */
static int change_servers(struct call *call,
			  int (*change)(struct call *call, const json_t *object, struct server *row))
{
	json_t *list = call_list(call, "Servers"), *object;
	struct server_group group;
	struct server row;
	size_t i;
	int r;

	r = nlb_begin(call, KIND_SERVER_GROUP, &group);
	if (r < 0)
		return r;
	json_array_foreach(list, i, object) {
		r = find_server(call, object, &group, &row);
		if (r == 0)
			r = change(call, object, &row);
		if (r < 0 && r != -EALREADY)
			return r;
		if (r == 0)
			call_put(call, KIND_SERVER, &row);
	}
	return nlb_end(call, KIND_SERVER_GROUP, &group);
}

/* One that cannot be removed is on its way out. */
static int remove_one(struct call *call _unused_, const json_t *object _unused_, struct server *row)
{
	return server_event(row, EVENT_DELETE) == 0 ? 0 : -EALREADY;
}

int server_remove(struct call *call)
{
	return change_servers(call, remove_one);
}

static int update_one(struct call *call, const json_t *object, struct server *row)
{
	if (server_event(row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "IncorrectStatus.serverGroup");
	return read_weight_and_text(call, object, row);
}

int server_update(struct call *call)
{
	return change_servers(call, update_one);
}

static bool server_wanted(const struct call *call, const void *row)
{
	const struct server *s = row;
	char address[NETADDR_TEXT_SIZE];

	netaddr_format(&s->addr, address);
	return filter_list(call, "ServerIds", s->server_id) && filter_list(call, "ServerIps", address);
}

int server_list(struct call *call)
{
	static const struct list_filter filters[] = {{"ServerIds", REF_SERVER_SERVER_ID}, {}};
	static const struct listing listing = {KIND_SERVER, server_wanted, .of = "ServerGroupId",
					       .filters = filters};
	const char *group = call_string(call, "ServerGroupId");

	if (!group)
		return list_of_owned(call, &listing, REF_SERVER_GROUP, KIND_SERVER_GROUP, balancer_is_of_nlb);
	if (!nlb_owned(call, KIND_SERVER_GROUP, group))
		return call_fail(call, "ResourceNotFound.serverGroup");
	return list_children(call, &listing, REF_SERVER_GROUP, group);
}
