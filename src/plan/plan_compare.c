/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_compare.h"

#include <search.h>
#include <stdlib.h>

#include "plan_build.h"

static bool same_rules(const struct plan_security_group *a, const struct plan_security_group *b)
{
	if (a->has_members != b->has_members)
		return false;
	for (int d = 0; d < 2; d++)
		if (a->n_rules[d] != b->n_rules[d] ||
		    (a->n_rules[d] &&
		     memcmp(a->rules[d], b->rules[d], a->n_rules[d] * sizeof(*a->rules[d])) != 0))
			return false;
	return a->number == b->number && streq(a->id, b->id);
}

static bool same_groups(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_security_groups && a->n_security_groups == b->n_security_groups; i++)
		if (!same_rules(&a->security_groups[i], &b->security_groups[i]))
			return false;
	return a->n_security_groups == b->n_security_groups;
}

static bool same_eni(const struct plan_eni *a, const struct plan_eni *b)
{
	return a->slot == b->slot && memcmp(&a->value, &b->value, sizeof(a->value)) == 0 &&
	       memcmp(&a->limit, &b->limit, sizeof(a->limit)) == 0 &&
	       memcmp(&a->set, &b->set, sizeof(a->set)) == 0 &&
	       memcmp(&a->balancer_set, &b->balancer_set, sizeof(a->balancer_set)) == 0 &&
	       streq(a->endpoint, b->endpoint) && streq(a->zone, b->zone) && a->is_logged == b->is_logged;
}

static bool same_enis(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_enis && a->n_enis == b->n_enis; i++)
		if (!same_eni(&a->enis[i], &b->enis[i]))
			return false;
	return a->n_enis == b->n_enis;
}

static bool same_listener(const struct plan_listener *a, const struct plan_listener *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key)) == 0 &&
	       memcmp(&a->value, &b->value, sizeof(a->value)) == 0 && !a->table == !b->table &&
	       (!a->table || memcmp(a->table, b->table, a->value.table_size * sizeof(*a->table)) == 0);
}

static bool same_listeners(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_listeners && a->n_listeners == b->n_listeners; i++)
		if (!same_listener(&a->listeners[i], &b->listeners[i]))
			return false;
	return a->n_listeners == b->n_listeners;
}

static bool same_name(const struct plan_name *a, const struct plan_name *b)
{
	return a->vpc == b->vpc && streq(a->name, b->name) && a->n_addrs == b->n_addrs &&
	       a->affinity == b->affinity && a->canonical == b->canonical && a->is_shared == b->is_shared &&
	       (a->n_addrs == 0 || (memcmp(a->addrs, b->addrs, a->n_addrs * sizeof(*a->addrs)) == 0 &&
				    memcmp(a->zones, b->zones, a->n_addrs * sizeof(*a->zones)) == 0));
}

static bool same_names(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_names && a->n_names == b->n_names; i++)
		if (!same_name(a->names[i], b->names[i]))
			return false;
	for (size_t i = 0; i < a->n_reverse && a->n_reverse == b->n_reverse; i++)
		if (a->reverse[i].vpc != b->reverse[i].vpc ||
		    netaddr_compare(&a->reverse[i].addr, &b->reverse[i].addr) != 0 ||
		    !streq(a->reverse[i].name->name, b->reverse[i].name->name))
			return false;
	return a->n_names == b->n_names && a->n_reverse == b->n_reverse;
}

static bool same_failures(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->n_failures && a->n_failures == b->n_failures; i++)
		if (!streq(a->failures[i].key, b->failures[i].key) ||
		    !streq(a->failures[i].reason, b->failures[i].reason))
			return false;
	return a->n_failures == b->n_failures;
}

/* What a group has stands in no order. */
static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pl_place_key));
}

static bool same_part(const struct plan_group_part *a, const struct plan_group_part *b)
{
	if (a->number != b->number || !streq(a->id, b->id) || a->listeners != b->listeners ||
	    a->n_backends != b->n_backends || a->n_places != b->n_places)
		return false;
	if (a->n_backends) {
		qsort(a->backends, a->n_backends, sizeof(*a->backends), compare_u32);
		qsort(b->backends, b->n_backends, sizeof(*b->backends), compare_u32);
	}
	if (a->n_places) {
		qsort(a->places, a->n_places, sizeof(*a->places), compare_keys);
		qsort(b->places, b->n_places, sizeof(*b->places), compare_keys);
	}
	return (!a->n_backends ||
		memcmp(a->backends, b->backends, a->n_backends * sizeof(*a->backends)) == 0) &&
	       (!a->n_places || memcmp(a->places, b->places, a->n_places * sizeof(*a->places)) == 0);
}

static bool same_parts(const struct plan_slices *a, const struct plan_slices *b)
{
	for (size_t i = 0; i < a->n_server_groups && a->n_server_groups == b->n_server_groups; i++)
		if (!same_part(&a->server_groups[i], &b->server_groups[i]))
			return false;
	return a->n_server_groups == b->n_server_groups;
}

static bool knows_zone(const struct plan_balancer *known, const struct plan_balancer_zone *zone)
{
	for (size_t i = 0; i < known->n_zones; i++)
		if (streq(known->zones[i].zone, zone->zone))
			return !zone->is_asked ||
			       (known->zones[i].is_asked && known->zones[i].answers == zone->answers);
	return false;
}

struct knowing {
	const struct plan_slices *slices;
	bool lacks;
};

static void knows_balancer(const void *node, VISIT visit, void *context)
{
	const struct plan_balancer *balancer = *(const struct plan_balancer *const *)node, *known;
	struct knowing *knowing = context;

	if (visit != postorder && visit != leaf)
		return;
	known = plan_balancer_find(knowing->slices, balancer->id);
	knowing->lacks |= !known || known->lacking != balancer->lacking;
	for (size_t i = 0; i < balancer->n_zones && !knowing->lacks; i++)
		knowing->lacks = !knows_zone(known, &balancer->zones[i]);
}

/* What the slices know of load balancers is true; it may be more than a plan of the whole asks. */
static bool knows_balancers(const struct plan_slices *slices, const struct plan_slices *whole)
{
	struct knowing knowing = {.slices = slices};

	twalk_r(whole->balancers, knows_balancer, &knowing);
	return !knowing.lacks;
}

static bool same_host(const struct plan_host *a, const struct plan_host *b)
{
	return streq(a->id, b->id) && a->port == b->port && streq(a->vpc, b->vpc) &&
	       a->has_place == b->has_place && memcmp(&a->place, &b->place, sizeof(a->place)) == 0 &&
	       !a->names == !b->names;
}

static bool same_hosts(const struct plan_slices *a, const struct plan_slices *b)
{
	for (int kind = 0; kind < PLAN_HOST_KINDS; kind++) {
		const struct plan_hosts *x = &a->hosts[kind], *y = &b->hosts[kind];

		for (size_t i = 0; i < x->n && x->n == y->n; i++)
			if (!same_host(&x->v[i], &y->v[i]))
				return false;
		if (x->n != y->n)
			return false;
	}
	return true;
}

static bool same_vpcs(const struct plan_slices *a, const struct plan_slices *b)
{
	for (size_t i = 0; i < a->n_vpcs && a->n_vpcs == b->n_vpcs; i++)
		if (!streq(a->vpcs[i].id, b->vpcs[i].id) || a->vpcs[i].number != b->vpcs[i].number ||
		    a->vpcs[i].n_ports != b->vpcs[i].n_ports)
			return false;
	return a->n_vpcs == b->n_vpcs;
}

static bool same_slices(const struct plan_slices *a, const struct plan_slices *b)
{
	for (size_t i = 0; i < a->n_parts && a->n_parts == b->n_parts; i++)
		if (!streq(a->parts[i].endpoint, b->parts[i].endpoint) ||
		    !streq(a->parts[i].vpc, b->parts[i].vpc) || !a->parts[i].shared != !b->parts[i].shared ||
		    (a->parts[i].shared && !streq(a->parts[i].shared->name, b->parts[i].shared->name)) ||
		    a->parts[i].share != b->parts[i].share)
			return false;
	return a->n_parts == b->n_parts && a->n_targets == b->n_targets &&
	       (a->n_targets == 0 ||
		memcmp(a->targets, b->targets, a->n_targets * sizeof(*a->targets)) == 0) &&
	       memcmp(a->groups, b->groups, PL_GROUPS_MAX * sizeof(*a->groups)) == 0 &&
	       memcmp(a->named, b->named, PL_GROUPS_MAX * sizeof(*a->named)) == 0 &&
	       a->n_target_slots == b->n_target_slots &&
	       (a->n_target_slots == 0 || memcmp(a->target_slots, b->target_slots,
						 a->n_target_slots * sizeof(*a->target_slots)) == 0) &&
	       a->is_odd == b->is_odd;
}

/* Of `plan` and `whole`. */
#define SAME(array, n)                                                                                       \
	(plan->n == whole->n &&                                                                              \
	 (plan->n == 0 || memcmp(plan->array, whole->array, plan->n * sizeof(*plan->array)) == 0))

const char *plan_what_differs(const struct plan *plan, const struct plan *whole)
{
	const struct {
		bool same;
		const char *what;
	} checks[] = {
		{plan->revision == whole->revision, "revision"},
		{SAME(ports, n_ports) && SAME(ports_by_slot, n_ports), "ports"},
		{SAME(places, n_places), "places"},
		{same_enis(plan, whole), "ENIs"},
		{SAME(vpcs, n_vpcs), "VPCs"},
		{SAME(proxies, n_proxies), "proxies"},
		{SAME(backends, n_backends), "backends"},
		{SAME(served, n_served), "served"},
		{SAME(probes, n_probes), "probes"},
		{same_listeners(plan, whole), "listeners"},
		{same_groups(plan, whole), "security groups"},
		{same_names(plan, whole), "names"},
		{same_failures(plan, whole), "failures"},
		{same_slices(plan->slices, whole->slices), "slices"},
		{same_parts(plan->slices, whole->slices), "server groups"},
		{same_hosts(plan->slices, whole->slices), "hosts"},
		{same_vpcs(plan->slices, whole->slices), "VPCs with ports"},
		{knows_balancers(plan->slices, whole->slices), "load balancers"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (!checks[i].same)
			return checks[i].what;
	return NULL;
}
