/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic load balancers. One has an address in a vSwitch and serves endpoints in its master zone; its
 * servers may be in any zone. What carries its traffic is on every node, so there is nothing in the master
 * zone for which the slave zone could step in: it is kept and shown, and no more. Public addresses are not
 * had here, so asking for one is refused. Protection against changes is told to consoles.
 */
#include "../common/balancer.h"
#include "../../model/check.h"
#include "../common/address.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "../frame/fill.h"
#include "actions.h"

int slb_find(struct call *call, const struct load_balancer **ret)
{
	const struct load_balancer *lb = owned_load_balancer(call, call_string(call, "LoadBalancerId"));

	if (!lb || lb->type != LB_CLASSIC)
		return call_fail_named(call, "Invalid{Name}.NotFound", "LoadBalancerId");
	*ret = lb;
	return 0;
}

int slb_find_living(struct call *call, const struct load_balancer **ret)
{
	int r = slb_find(call, ret);

	return r == 0 && (*ret)->status == LB_DELETING ? call_fail(call, "ServiceIsStopping") : r;
}

static int read_name(struct call *call, char ret[NAME_SIZE])
{
	const char *text = call_string(call, "LoadBalancerName");

	if (text && text[0] && (!check_name(text, true) || str_copy(ret, NAME_SIZE, text) < 0))
		return call_fail_named(call, "Invalid{Name}.Malformed", "LoadBalancerName");
	return 0;
}

/* What is given, or nothing. */
static void read_word(const struct call *call, const char *param, char ret[WORD_SIZE])
{
	const char *text = call_string(call, param);

	if (text)
		(void)str_copy(ret, WORD_SIZE, text);
}

static bool is_on(const struct call *call, const char *param)
{
	const char *text = call_string(call, param);

	return text && streq(text, "on");
}

static int read_vswitch(struct call *call, const struct vswitch **ret)
{
	const struct vswitch *vswitch = owned_vswitch(call, call_string(call, "VSwitchId"));
	const char *vpc = call_string(call, "VpcId");

	if (!vswitch || vswitch->status == VSWITCH_DELETING)
		return call_fail(call, "InvalidVSwitchId.NotFound");
	if (vpc && !owned_vpc(call, vpc))
		return call_fail(call, "InvalidVpcId.NotFound");
	if (vpc && !streq(vpc, vswitch->vpc))
		return call_fail_param(call, "VSwitchId", "It is in another VPC.");
	*ret = vswitch;
	return 0;
}

/* The master zone is the address' own, unless another one is wished for. */
static int read_zones(struct call *call, const struct vswitch *vswitch, struct load_balancer *row)
{
	const char *master = call_string(call, "MasterZoneId"), *slave = call_string(call, "SlaveZoneId");

	if (!master)
		master = vswitch->zone;
	if (!catalogue_zone(call->catalogue, vswitch->region, master))
		return call_fail_named(call, "Invalid{Name}.NotFound", "MasterZoneId");
	if (slave && !catalogue_zone(call->catalogue, vswitch->region, slave))
		return call_fail_named(call, "Invalid{Name}.NotFound", "SlaveZoneId");
	if (slave && streq(slave, master))
		return call_fail_param(call, "SlaveZoneId", "It is the master zone.");
	(void)str_copy(row->zones[0], ZONE_SIZE, master);
	row->n_zones = 1;
	if (slave)
		(void)str_copy(row->slave_zone, sizeof(row->slave_zone), slave);
	return 0;
}

static void set_deletion_protection(const struct call *call, struct load_balancer *row, bool wanted)
{
	if (row->deletion_protected != wanted)
		row->deletion_time = wanted ? call->now : 0;
	row->deletion_protected = wanted;
}

static int read_modification_protection(struct call *call, struct load_balancer *row)
{
	const char *word = call_string(call, "ModificationProtectionStatus"),
		   *reason = call_string(call, "ModificationProtectionReason");
	bool wanted = word && streq(word, "ConsoleProtection");

	if (!word)
		return 0;
	if (reason && reason[0] && !check_name(reason, true))
		return call_fail_param(
			call, "ModificationProtectionReason",
			"It has 2 to 128 characters: first a letter or a Chinese character, then "
			"also digits, '-', '_', '.' and ':'.");
	if (row->modification_protected != wanted)
		row->modification_time = wanted ? call->now : 0;
	row->modification_protected = wanted;
	(void)str_copy(row->modification_reason, sizeof(row->modification_reason),
		       wanted && reason ? reason : "");
	return 0;
}

static int check_wishes(struct call *call)
{
	const char *type = call_string(call, "AddressType");

	return type && !streq(type, "intranet") ? call_fail(call, "OperationDenied.AddressTypeNotSupported")
						: 0;
}

static int read_balancer(struct call *call, const struct vswitch *vswitch, struct load_balancer *ret)
{
	int r;

	*ret = (struct load_balancer){
		.owner = call->account->uid,
		.intranet = true,
		.cross_zone = true,
		.type = LB_CLASSIC,
		.charge_type = "PayBySpec",
		.status = LB_PROVISIONING,
		.create_time = call->now,
	};
	set_deletion_protection(call, ret, is_on(call, "DeleteProtection"));
	r = check_wishes(call);
	if (r == 0)
		r = read_modification_protection(call, ret);
	if (r == 0)
		r = read_zones(call, vswitch, ret);
	if (r == 0)
		r = read_name(call, ret->name);
	if (r == 0)
		r = read_resource_group(call, "ResourceNotFound.ResourceGroup", ret->resource_group);
	if (r < 0)
		return r;
	read_word(call, "LoadBalancerSpec", ret->spec);
	read_word(call, "InstanceChargeType", ret->charge_type);
	(void)str_copy(ret->region, sizeof(ret->region), vswitch->region);
	(void)str_copy(ret->vpc, sizeof(ret->vpc), vswitch->vpc);
	call_new_id(call, "lb-", ret->id);
	return 0;
}

static int fail_address(struct call *call, int r)
{
	switch (r) {
	case -ERANGE:
		return call_fail_param(call, "Address", "It is not one that the vSwitch can give out.");
	case -EADDRINUSE:
		return call_fail(call, "InvalidIPAddress.AlreadyUsed");
	case -ENOSPC:
		return call_fail(call, "OperationDenied.VSwitchIpNotEnough");
	default:
		return r;
	}
}

static int take_address(struct call *call, const struct vswitch *vswitch, struct load_balancer *row,
			struct port *ret)
{
	const char *address = call_string(call, "Address");
	struct alloc alloc = {};
	struct netaddr wanted;
	const struct alloc_wish wish = {
		.vswitch = vswitch,
		.wanted = address ? &wanted : NULL,
		.kind = PORT_LOAD_BALANCER,
		.owner = row->owner,
		.holder = row->id,
		.status = PORT_IN_USE,
	};
	int r;

	if (address && (netaddr_parse(address, &wanted) < 0 || !netaddr_is_v4(&wanted)))
		return call_fail_param(call, "Address", "It must be an IPv4 address.");
	r = alloc_port(call, &alloc, &wish, ret);
	if (r < 0)
		return fail_address(call, r);
	(void)str_copy(row->vswitches[row->n_vswitches++], ID_SIZE, vswitch->id);
	(void)str_copy(row->ports[row->n_ports++], ID_SIZE, ret->id);
	return 0;
}

/* Where its servers are kept as they are added. */
static void add_group(struct call *call, struct load_balancer *lb)
{
	struct server_group row = {
		.owner = lb->owner,
		.protocol = "TCP",
		.scheduler = "wrr",
		.preserve_client_ip = true,
		.status = SERVER_GROUP_CREATING,
		.create_time = call->now,
	};

	call_new_id(call, "sgp-", row.id);
	(void)str_copy(row.region, sizeof(row.region), lb->region);
	(void)str_copy(row.vpc, sizeof(row.vpc), lb->vpc);
	(void)str_copy(row.load_balancer, sizeof(row.load_balancer), lb->id);
	(void)str_copy(lb->server_group, sizeof(lb->server_group), row.id);
	call_put(call, KIND_SERVER_GROUP, &row);
}

int slb_balancer_create(struct call *call)
{
	const struct vswitch *vswitch;
	struct load_balancer lb;
	struct port port;
	int r;

	r = read_vswitch(call, &vswitch);
	if (r < 0)
		return r;
	r = quota_check_one(call, call->account->uid, QUOTA_BALANCERS, vswitch->region);
	if (r < 0)
		return r;
	r = read_balancer(call, vswitch, &lb);
	if (r == 0)
		r = take_address(call, vswitch, &lb, &port);
	if (r == 0)
		r = tags_create(call, lb.id, "instance");
	if (r < 0)
		return r;
	add_group(call, &lb);
	call_put(call, KIND_LOAD_BALANCER, &lb);
	answer_row(call->answer, call->action->answer, KIND_LOAD_BALANCER, &lb);
	answer_row(call->answer, call->action->answer, KIND_PORT, &port);
	return 0;
}

/* A copy of the load balancer, to be changed and put. */
static int begin(struct call *call, enum state_event event, struct load_balancer *ret)
{
	const struct load_balancer *lb;
	int r;

	r = slb_find_living(call, &lb);
	if (r < 0)
		return r;
	*ret = *lb;
	return load_balancer_event(ret, event) == -EPERM ? call_fail(call, "ServiceIsConfiguring") : 0;
}

int slb_balancer_rename(struct call *call)
{
	struct load_balancer row;
	int r;

	r = begin(call, EVENT_MODIFY, &row);
	if (r == 0)
		r = read_name(call, row.name);
	if (r < 0)
		return r;
	call_put(call, KIND_LOAD_BALANCER, &row);
	return 0;
}

int slb_balancer_protect(struct call *call)
{
	struct load_balancer row;
	int r;

	r = begin(call, EVENT_MODIFY, &row);
	if (r < 0)
		return r;
	set_deletion_protection(call, &row, is_on(call, "DeleteProtection"));
	call_put(call, KIND_LOAD_BALANCER, &row);
	return 0;
}

int slb_balancer_guard(struct call *call)
{
	struct load_balancer row;
	int r;

	r = begin(call, EVENT_MODIFY, &row);
	if (r == 0)
		r = read_modification_protection(call, &row);
	if (r < 0)
		return r;
	call_put(call, KIND_LOAD_BALANCER, &row);
	return 0;
}

int slb_balancer_set_status(struct call *call)
{
	bool active = streq(call_string(call, "LoadBalancerStatus"), "active");
	struct load_balancer row;
	int r;

	r = begin(call, active ? EVENT_ENABLE : EVENT_DISABLE, &row);
	if (r < 0)
		return r;
	call_put(call, KIND_LOAD_BALANCER, &row);
	return 0;
}

int slb_balancer_delete(struct call *call)
{
	const struct load_balancer *lb;
	struct load_balancer row;
	int r;

	r = slb_find(call, &lb);
	if (r < 0)
		return r;
	if (snapshot_count_children(call->rows, REF_SERVICE_RESOURCE_RESOURCE, lb->id) > 0)
		return call_fail(call, "ResourceInUse.LoadBalancer");
	if (lb->deletion_protected)
		return call_fail(call, "OperationDenied.DeleteProtectionIsOn");
	row = *lb;
	if (load_balancer_event(&row, EVENT_DELETE) < 0) /* it is on its way out */
		return 0;
	call_put(call, KIND_LOAD_BALANCER, &row);
	tags_drop(call, row.id);
	balancer_delete_listeners(call, row.id);
	return 0;
}
