/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load balancers. One has an ENI with an address in each of its zones; packets reach its servers through
 * endpoints, and the zone's ENI stands for the zone. Protection against deletion and changes is not kept
 * here, so asking for it is refused.
 */
#include <strings.h>

#include "../../model/state.h"
#include "../common/address.h"
#include "../common/limits.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/tags.h"
#include "actions.h"

static int fail_address(struct call *call, int r)
{
	switch (r) {
	case -ERANGE:
		return call_fail_named(call, "IllegalParam.{name}", "PrivateIPv4Address");
	case -EADDRINUSE:
		return call_fail(call, "ResourceInUse.IP");
	case -ENOSPC:
		return call_fail(call, "OperationDenied.VSwitchIpNotEnough");
	default:
		return r;
	}
}

/* The vSwitch of a zone mapping, if it fits the load balancer; else the call fails. */
static int read_mapping(struct call *call, const json_t *mapping, const struct load_balancer *lb,
			const struct vswitch **ret)
{
	const char *zone = member_string(mapping, "ZoneId");
	const struct vswitch *vswitch = owned_vswitch(call, member_string(mapping, "VSwitchId"));

	if (!zone || !catalogue_zone(call->catalogue, lb->region, zone))
		return call_fail(call, "ResourceNotFound.Zone");
	if (!vswitch || vswitch->status == VSWITCH_DELETING)
		return call_fail(call, "ResourceNotFound.VSwitch");
	if (!streq(vswitch->vpc, lb->vpc))
		return call_fail(call, "Mismatch.VpcId");
	if (!streq(vswitch->zone, zone))
		return call_fail(call, "Mismatch.VSwitchId");
	for (uint32_t i = 0; i < lb->n_zones; i++)
		if (streq(lb->zones[i], zone))
			return call_fail_named(call, "DuplicatedParam.{name}", "ZoneMappings");
	*ret = vswitch;
	return 0;
}

static int add_zone(struct call *call, const json_t *mapping, struct alloc *alloc, struct load_balancer *lb)
{
	const char *address = member_string(mapping, "PrivateIPv4Address");
	const struct vswitch *vswitch;
	struct netaddr wanted;
	struct port port;
	struct alloc_wish wish;
	int r;

	r = read_mapping(call, mapping, lb, &vswitch);
	if (r < 0)
		return r;
	if (address && address[0] && (netaddr_parse(address, &wanted) < 0 || !netaddr_is_v4(&wanted)))
		return call_fail_named(call, "IllegalParam.{name}", "PrivateIPv4Address");

	wish = (struct alloc_wish){
		.vswitch = vswitch,
		.wanted = address && address[0] ? &wanted : NULL,
		.kind = PORT_LOAD_BALANCER,
		.owner = lb->owner,
		.holder = lb->id,
		.status = PORT_IN_USE,
	};
	r = alloc_port(call, alloc, &wish, &port);
	if (r < 0)
		return fail_address(call, r);
	(void)str_copy(lb->zones[lb->n_zones++], ZONE_SIZE, vswitch->zone);
	(void)str_copy(lb->vswitches[lb->n_vswitches++], ID_SIZE, vswitch->id);
	(void)str_copy(lb->ports[lb->n_ports++], ID_SIZE, port.id);
	return 0;
}

/* The parameter that asks for protection; NULL: none does. */
static const char *protection_wanted(const struct call *call)
{
	const json_t *deletion = json_object_get(call->params, "DeletionProtectionConfig"),
		     *modification = json_object_get(call->params, "ModificationProtectionConfig");
	const char *word = member_string(modification, "Status");

	if (json_is_true(json_object_get(deletion, "Enabled")))
		return "DeletionProtectionConfig";
	return word && streq(word, "ConsoleProtection") ? "ModificationProtectionConfig" : NULL;
}

/* Everything of a new load balancer but its zones. */
static int read_balancer(struct call *call, const struct vpc *vpc, struct load_balancer *ret)
{
	const char *resource_group = call_string(call, "ResourceGroupId"),
		   *type = call_string(call, "AddressType"), *protection = protection_wanted(call);

	*ret = (struct load_balancer){
		.owner = call->account->uid,
		.intranet = strcasecmp(type, "Intranet") == 0,
		.cross_zone = true,
		.status = LB_PROVISIONING,
		.create_time = call->now,
	};
	if (!ret->intranet)
		return call_fail(call, "OperationDenied.AddressTypeNotSupported");
	if (protection)
		return call_fail_named(call, "IllegalParam.{name}", protection);
	if (resource_group && str_copy(ret->resource_group, sizeof(ret->resource_group), resource_group) < 0)
		return call_fail_named(call, "IllegalParam.{name}", "ResourceGroupId");
	(void)str_copy(ret->region, sizeof(ret->region), vpc->region);
	(void)str_copy(ret->vpc, sizeof(ret->vpc), vpc->id);
	call_new_id(call, "nlb-", ret->id);
	return nlb_read_name(call, "LoadBalancerName", ret->name);
}

int balancer_create(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	json_t *mappings = call_list(call, "ZoneMappings"), *mapping;
	struct alloc alloc = {};
	struct load_balancer lb;
	size_t i;
	int r;

	if (!vpc || vpc->status == VPC_DELETING)
		return call_fail(call, "ResourceNotFound.Vpc");
	if (snapshot_count_owned(call->rows, KIND_LOAD_BALANCER, vpc->owner, vpc->region) >=
	    LOAD_BALANCERS_PER_ACCOUNT_MAX)
		return call_fail(call, "QuotaExceeded.LoadBalancersNum");
	r = read_balancer(call, vpc, &lb);
	if (r < 0)
		return r;
	json_array_foreach(mappings, i, mapping) {
		r = add_zone(call, mapping, &alloc, &lb);
		if (r < 0)
			return r;
	}
	r = tags_create(call, lb.id, "loadbalancer");
	if (r < 0)
		return r;
	call_put(call, KIND_LOAD_BALANCER, &lb);
	answer_row(call->answer, call->action->answer, KIND_LOAD_BALANCER, &lb);
	return 0;
}

static void dns_name(const struct load_balancer *lb, char ret[DOMAIN_SIZE])
{
	(void)str_format(ret, DOMAIN_SIZE, "%s.%s.nlb.aliyuncs.com", lb->id, lb->region);
}

static const char *zone_word(const struct load_balancer *lb)
{
	if (lb->status == LB_PROVISIONING)
		return "Starting";
	return lb->status == LB_DELETING ? "Stopping" : "Active";
}

static void answer_zones(const struct call *call, json_t *object, const struct load_balancer *lb)
{
	const struct answer_field *field = answer_find(call_fields(call), "ZoneMappings");
	json_t *list = answer_list(object, call_fields(call), "ZoneMappings");

	for (uint32_t i = 0; i < lb->n_zones && i < lb->n_vswitches && i < lb->n_ports; i++) {
		const struct port *port = snapshot_port(call->rows, lb->ports[i]);
		struct port shown = {};

		if (port)
			shown.addr = port->addr;
		(void)str_copy(shown.id, sizeof(shown.id), lb->ports[i]);
		(void)str_copy(shown.zone, sizeof(shown.zone), lb->zones[i]);
		(void)str_copy(shown.vswitch, sizeof(shown.vswitch), lb->vswitches[i]);
		answer_string(answer_entry(list, field, KIND_PORT, &shown), "Status", zone_word(lb));
	}
}

static void add_zones(const struct call *call, json_t *object, const void *row)
{
	const struct load_balancer *lb = row;
	char name[DOMAIN_SIZE];

	dns_name(lb, name);
	answer_string(object, "DNSName", name);
	answer_zones(call, object, lb);
}

int balancer_get(struct call *call)
{
	const void *lb;
	int r;

	r = nlb_find(call, KIND_LOAD_BALANCER, &lb);
	if (r < 0)
		return r;
	answer_object_row(call, call->answer, call->action->answer, KIND_LOAD_BALANCER, lb);
	add_zones(call, call->answer, lb);
	return 0;
}

static bool in_zone(const struct call *call, const struct load_balancer *lb)
{
	const char *wanted = call_string(call, "ZoneId");

	if (!wanted || !wanted[0])
		return true;
	for (uint32_t i = 0; i < lb->n_zones; i++)
		if (streq(lb->zones[i], wanted))
			return true;
	return false;
}

/* Both spellings are about. */
static bool type_wanted(const struct call *call)
{
	return filter_text(call, "LoadBalancerType", "network") ||
	       filter_text(call, "LoadBalancerType", "Network");
}

static bool balancer_wanted(const struct call *call, const void *row)
{
	const struct load_balancer *b = row;
	char name[DOMAIN_SIZE];

	dns_name(b, name);
	return filter_list(call, "LoadBalancerIds", b->id) &&
	       filter_list(call, "LoadBalancerNames", b->name) &&
	       filter_text(call, "LoadBalancerStatus", enum_name(lb_status_names, b->status)) &&
	       filter_text(call, "LoadBalancerBusinessStatus", "Normal") && type_wanted(call) &&
	       filter_text(call, "Ipv6AddressType", "") &&
	       filter_text(call, "AddressType", b->intranet ? "Intranet" : "Internet") &&
	       filter_text(call, "AddressIpVersion", "ipv4") && filter_text(call, "DNSName", name) &&
	       filter_list(call, "VpcIds", b->vpc) &&
	       filter_text(call, "ResourceGroupId", b->resource_group) && in_zone(call, b) &&
	       tags_match(call, b->id);
}

int balancer_list(struct call *call)
{
	static const struct listing listing = {KIND_LOAD_BALANCER, balancer_wanted, add_zones};

	return list_owned(call, &listing);
}

int balancer_update(struct call *call)
{
	struct load_balancer row;
	int r;

	r = nlb_begin(call, KIND_LOAD_BALANCER, &row);
	if (r < 0)
		return r;
	r = nlb_read_name(call, "LoadBalancerName", row.name);
	if (r < 0)
		return r;
	row.cross_zone = call_bool(call, "CrossZoneEnabled", row.cross_zone);
	return nlb_end(call, KIND_LOAD_BALANCER, &row);
}

/* The listeners go with their load balancer. */
static void delete_listeners(struct call *call, const char *id)
{
	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, id, l));) {
		struct listener row = *l;

		if (listener_event(&row, EVENT_DELETE) == 0)
			call_put(call, KIND_LISTENER, &row);
	}
}

int balancer_delete(struct call *call)
{
	struct load_balancer row;
	const void *lb;
	int r;

	r = nlb_find(call, KIND_LOAD_BALANCER, &lb);
	if (r < 0)
		return r;
	if (snapshot_count_children(call->rows, REF_SERVICE_RESOURCE_RESOURCE, snapshot_id(lb)) > 0)
		return call_fail(call, "ResourceInUse.LoadBalancer");
	r = nlb_delete(call, KIND_LOAD_BALANCER, lb, &row);
	if (r > 0)
		delete_listeners(call, row.id);
	return MIN(r, 0);
}
