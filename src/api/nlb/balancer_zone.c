/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zones of a load balancer: which there are, with an ENI and an address each, and which of them names do
 * without (shifted). What endpoints send goes to the servers and not through these ENIs, so a zone that stays
 * is not disturbed when others come and go, nor when it gets another vSwitch or address. The ENI of a zone
 * that is given up is Deleting until the nodes have forgotten it; then it goes, and its address is free.
 */
#include "../../model/state.h"
#include "../common/address.h"
#include "../common/balancer.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "actions.h"

#define NO_ZONE UINT32_MAX

static uint32_t place_of(const struct load_balancer *lb, const char *zone)
{
	for (uint32_t i = 0; i < lb->n_zones && i < lb->n_vswitches && i < lb->n_ports; i++)
		if (streq(lb->zones[i], zone))
			return i;
	return NO_ZONE;
}

static int fail_address(struct call *call, const struct vswitch *vswitch, int r)
{
	char block[NETPREFIX_TEXT_SIZE];

	switch (r) {
	case -ERANGE:
		netprefix_format(&vswitch->cidr, block);
		return nlb_fail_value(call, "PrivateIPv4Address",
				      "It is one of %s, but not the first nor one of the last three.", block);
	case -EADDRINUSE:
		return call_fail(call, "ResourceInUse.IP");
	case -ENOSPC:
		return call_fail(call, "OperationDenied.VSwitchIpNotEnough");
	default:
		return r;
	}
}

/* What a mapping may say only if it says nothing. */
static int check_mapping(struct call *call, const json_t *mapping)
{
	static const char *const texts[] = {"AllocationId", "Ipv6Address"}, *const lists[] = {
										    "Ipv4LocalAddresses",
										    "Ipv6LocalAddresses"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = member_string(mapping, texts[i]);

		if (text && text[0])
			return nlb_fail_value(call, texts[i],
					      "There are no public and no IPv6 addresses here.");
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (json_array_size(json_object_get(mapping, lists[i])))
			return nlb_fail_value(call, lists[i], "Servers see addresses of the node.");
	return 0;
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
	if (place_of(lb, zone) != NO_ZONE)
		return call_fail_named(call, "DuplicatedParam.{name}", "ZoneMappings");
	*ret = vswitch;
	return check_mapping(call, mapping);
}

static int read_address(struct call *call, const json_t *mapping, struct netaddr *ret)
{
	const char *address = member_string(mapping, "PrivateIPv4Address");

	*ret = (struct netaddr){};
	if (address && address[0] && (netaddr_parse(address, ret) < 0 || !netaddr_is_v4(ret)))
		return nlb_fail_value(call, "PrivateIPv4Address", "%s is no IPv4 address.", address);
	return 0;
}

static void join_zone(struct load_balancer *lb, const char *zone, const char *vswitch, const char *port)
{
	(void)str_copy(lb->zones[lb->n_zones++], ZONE_SIZE, zone);
	(void)str_copy(lb->vswitches[lb->n_vswitches++], ID_SIZE, vswitch);
	(void)str_copy(lb->ports[lb->n_ports++], ID_SIZE, port);
}

/* The zone as it was, if what is wanted is that: 1; else 0. */
static int keep_zone(const struct call *call, const struct load_balancer *old, const struct vswitch *vswitch,
		     const struct netaddr *wanted, struct load_balancer *lb)
{
	uint32_t place = place_of(old, vswitch->zone);
	const struct port *port;

	if (place == NO_ZONE || !streq(old->vswitches[place], vswitch->id))
		return 0;
	port = snapshot_port(call->rows, old->ports[place]);
	if (!port || (!netaddr_is_zero(wanted) && netaddr_compare(wanted, &port->addr) != 0))
		return 0;
	join_zone(lb, vswitch->zone, vswitch->id, port->id);
	return 1;
}

static int make_zone(struct call *call, struct alloc *alloc, const struct vswitch *vswitch,
		     const struct netaddr *wanted, struct load_balancer *lb)
{
	struct alloc_wish wish = {
		.vswitch = vswitch,
		.wanted = netaddr_is_zero(wanted) ? NULL : wanted,
		.kind = PORT_LOAD_BALANCER,
		.owner = lb->owner,
		.holder = lb->id,
		.groups = (const char(*)[ID_SIZE])lb->groups,
		.n_groups = lb->n_groups,
		.status = PORT_IN_USE,
	};
	struct port port;
	int r;

	r = alloc_port(call, alloc, &wish, &port);
	if (r < 0)
		return fail_address(call, vswitch, r);
	join_zone(lb, vswitch->zone, vswitch->id, port.id);
	return 0;
}

int balancer_set_zones(struct call *call, const struct load_balancer *old, struct load_balancer *lb)
{
	json_t *mappings = call_list(call, "ZoneMappings"), *mapping;
	struct alloc alloc = {};
	size_t i;

	lb->n_zones = lb->n_vswitches = lb->n_ports = 0;
	json_array_foreach(mappings, i, mapping) {
		const struct vswitch *vswitch;
		struct netaddr wanted;
		int r;

		r = read_mapping(call, mapping, lb, &vswitch);
		if (r == 0)
			r = read_address(call, mapping, &wanted);
		if (r == 0)
			r = keep_zone(call, old, vswitch, &wanted, lb);
		if (r == 0)
			r = make_zone(call, &alloc, vswitch, &wanted, lb);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether a service has the load balancer's zone, or a zone of an endpoint still holds it, also one whose
 * service has it no more. */
static bool serves(const struct call *call, const struct load_balancer *lb, const char *zone)
{
	static const enum ref refs[] = {
		REF_ENDPOINT_ZONE_RESOURCE,
		REF_ENDPOINT_ZONE_RESOURCE_FAR,
		REF_ENDPOINT_ZONE_REPLACED_RESOURCE,
		REF_ENDPOINT_ZONE_REPLACED_RESOURCE_FAR,
	};

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_RESOURCE, lb->id, r));)
		if (streq(r->zone, zone))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
		for (const struct endpoint_zone *z = NULL;
		     (z = snapshot_children_in(call->rows, refs[i], lb->id, zone, z));)
			if (endpoint_zone_holds(z))
				return true;
	return false;
}

/* Gives up what the load balancer had and has no more. */
static int drop_zones(struct call *call, const struct load_balancer *old, const struct load_balancer *lb)
{
	for (uint32_t i = 0; i < old->n_zones && i < old->n_ports; i++) {
		const struct port *port = snapshot_port(call->rows, old->ports[i]);
		uint32_t place = place_of(lb, old->zones[i]);
		struct port row;

		if (place != NO_ZONE && streq(lb->ports[place], old->ports[i]))
			continue;
		if (place == NO_ZONE && serves(call, old, old->zones[i]))
			return call_fail_detail(call, "ResourceInUse.Zone", "It is %s.", old->zones[i]);
		if (!port)
			continue;
		row = *port;
		if (port_event(&row, EVENT_DELETE) == 0)
			call_put(call, KIND_PORT, &row);
	}
	return 0;
}

/* Of the zones that are shifted, those which the load balancer still has. */
static void keep_shifted(struct load_balancer *lb)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < lb->n_shifted; i++)
		if (place_of(lb, lb->shifted[i]) != NO_ZONE)
			memmove(lb->shifted[kept++], lb->shifted[i], ZONE_SIZE);
	lb->n_shifted = kept;
}

/* One zone at least is in names, or all are. */
static int check_shifted(struct call *call, const struct load_balancer *lb)
{
	return lb->n_shifted && lb->n_shifted >= lb->n_zones
		       ? call_fail(call, "OperationDenied.AllZonesShifted")
		       : 0;
}

int balancer_update_zones(struct call *call)
{
	struct load_balancer row, old;
	int r;

	r = nlb_begin(call, KIND_LOAD_BALANCER, &row);
	if (r < 0)
		return r;
	old = row;
	r = balancer_set_zones(call, &old, &row);
	if (r == 0)
		r = drop_zones(call, &old, &row);
	if (r == 0)
		r = balancer_check_change(call, &row);
	if (r < 0)
		return r;
	keep_shifted(&row);
	r = check_shifted(call, &row);
	return r < 0 ? r : nlb_end(call, KIND_LOAD_BALANCER, &row);
}

static void shift(struct load_balancer *lb, const char *zone)
{
	if (!load_balancer_is_shifted(lb, zone) && lb->n_shifted < LB_ZONES_MAX)
		(void)str_copy(lb->shifted[lb->n_shifted++], ZONE_SIZE, zone);
}

static void unshift(struct load_balancer *lb, const char *zone)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < lb->n_shifted; i++)
		if (!streq(lb->shifted[i], zone))
			memmove(lb->shifted[kept++], lb->shifted[i], ZONE_SIZE);
	lb->n_shifted = kept;
}

/* Of each zone that the call names, which the load balancer must have with that vSwitch. */
static int change_shifted(struct call *call, void (*change)(struct load_balancer *lb, const char *zone))
{
	json_t *mappings = call_list(call, "ZoneMappings"), *mapping;
	struct load_balancer row;
	size_t i;
	int r;

	r = nlb_begin(call, KIND_LOAD_BALANCER, &row);
	if (r < 0)
		return r;
	json_array_foreach(mappings, i, mapping) {
		uint32_t place = place_of(&row, member_string(mapping, "ZoneId"));

		if (place == NO_ZONE)
			return call_fail_detail(call, "ResourceNotFound.Zone",
						"The load balancer is not in %s.",
						member_string(mapping, "ZoneId"));
		if (!streq(row.vswitches[place], member_string(mapping, "VSwitchId")))
			return call_fail(call, "Mismatch.VSwitchId");
		change(&row, row.zones[place]);
	}
	r = check_shifted(call, &row);
	if (r == 0)
		call_put(call, KIND_LOAD_BALANCER, &row);
	return r;
}

int balancer_shift_zones(struct call *call)
{
	return change_shifted(call, shift);
}

int balancer_unshift_zones(struct call *call)
{
	return change_shifted(call, unshift);
}

/* How a zone reads. What was asked for after the nodes' last report has not happened yet. */
static const char *zone_word(const struct call *call, const struct load_balancer *lb, uint32_t place,
			     const struct port *port)
{
	bool is_shifted = load_balancer_is_shifted(lb, lb->zones[place]);

	if (lb->status == LB_DELETING)
		return "Stopping";
	if (lb->status == LB_PROVISIONING ||
	    (lb->status == LB_CONFIGURING && port &&
	     port->meta.created > call_reached(call, KIND_LOAD_BALANCER, lb)))
		return "Starting";
	if (is_shifted)
		return lb->status == LB_CONFIGURING ? "Stopping" : "Shifted";
	return "Active";
}

void balancer_answer_zones(const struct call *call, json_t *object, const struct load_balancer *lb)
{
	const struct answer_field *field = answer_find(call_fields(call), "ZoneMappings");
	json_t *list = answer_list(object, call_fields(call), "ZoneMappings");

	for (uint32_t i = 0; i < lb->n_zones && i < lb->n_vswitches && i < lb->n_ports; i++) {
		const struct port *port = snapshot_port(call->rows, lb->ports[i]);
		struct port shown = {};

		if (port)
			shown.addr = port->addr;
		(void)str_copy(shown.id, sizeof(shown.id), lb->ports[i]);
		shown.zone = lb->zones[i];
		shown.vswitch = lb->vswitches[i];
		answer_string(answer_entry(list, field, KIND_PORT, &shown), "Status",
			      zone_word(call, lb, i, port));
	}
}
