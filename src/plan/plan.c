/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan as a whole: the order of the steps, the small things that they share, and the end, where
 * everything is sorted. Each subject has a file of its own: plan_port.c, plan_endpoint.c, plan_service.c,
 * plan_proxy.c, plan_policy.c, plan_host.c, plan_names.c; numbers that must not change from plan to plan are
 * kept by plan_indexes.c.
 *
 * Rows may dangle: what the feed brings is consistent only when it has all arrived. An object whose neighbour
 * is missing is left out and named in the failures; nothing here trusts an id.
 */
#include "plan_build.h"

#include "../lib/vec.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define COMPARISONS_PER_BREATH 1024
#define NAMES_PER_BREATH       1024

void *plan_append(void *array, size_t *n, size_t element_size)
{
	void *elements;
	char *element;

	memcpy(&elements, array, sizeof(elements));
	if (*n == 0 || (*n >= 8 && (*n & (*n - 1)) == 0)) { /* full: room is 8, then each power of two */
		elements = reallocarray(elements, MAX(*n * 2, (size_t)8), element_size);
		if (!elements)
			return NULL;
		memcpy(array, &elements, sizeof(elements));
	}
	element = (char *)elements + *n * element_size;
	memset(element, 0, element_size);
	(*n)++;
	return element;
}

static size_t room_of(size_t n)
{
	size_t room = 8;

	while (room < n)
		room *= 2;
	return room;
}

int plan_reserve(void *array, size_t n, size_t more, size_t element_size)
{
	void *elements;

	memcpy(&elements, array, sizeof(elements));
	if (more == 0 || (n > 0 && room_of(n + more) == room_of(n)))
		return 0;
	elements = reallocarray(elements, room_of(n + more), element_size);
	if (!elements)
		return -ENOMEM;
	memcpy(array, &elements, sizeof(elements));
	return 0;
}

int plan_fail(struct plan_builder *b, const char *key, const char *format, ...)
{
	struct plan_failure *failure =
		plan_append(&b->plan->failures, &b->plan->n_failures, sizeof(*failure));
	va_list ap;

	if (!failure)
		return -ENOMEM;
	(void)str_copy(failure->key, sizeof(failure->key), key);
	va_start(ap, format);
	(void)vsnprintf(failure->reason, sizeof(failure->reason), format, ap);
	va_end(ap);
	return 0;
}

struct pl_addr plan_addr(const struct netaddr *addr)
{
	struct pl_addr ret;

	memcpy(&ret, addr, sizeof(ret));
	return ret;
}

int plan_add_place(struct plan_builder *b, uint32_t vpc, const struct netaddr *addr, uint32_t kind,
		   uint32_t id)
{
	struct plan_place *place = plan_append(&b->plan->places, &b->plan->n_places, sizeof(*place));

	if (!place)
		return -ENOMEM;
	place->key.vpc = vpc;
	place->key.addr = plan_addr(addr);
	place->value.kind = kind;
	place->value.id = id;
	place->uses = 1;
	return 0;
}

/* By its id, as rows may have come and gone since the plan that a slice is of. */
static const struct vpc *vpc_of_base(const struct plan_builder *b, const char *id)
{
	return plan_vpc_use_find(b->base->slices, id) ? snapshot_vpc(b->rows, id) : NULL;
}

const struct vpc *plan_local_vpc(const struct plan_builder *b, const char *id)
{
	if (b->base)
		return vpc_of_base(b, id);
	size_t place = LOWER_BOUND(i, b->n_vpcs, strcmp(b->vpcs[i].row->id, id) < 0);

	return place < b->n_vpcs && streq(b->vpcs[place].row->id, id) ? b->vpcs[place].row : NULL;
}

uint16_t plan_zone_index(const struct plan_builder *b, const char *zone)
{
	const struct catalogue *catalogue = b->input->catalogue;
	uint16_t index = 0;

	for (size_t i = 0; catalogue && i < catalogue->n_regions; i++)
		for (size_t j = 0; j < catalogue->regions[i].n_zones; j++) {
			index++;
			if (streq(catalogue->regions[i].zones[j].id, zone))
				return index;
		}
	return 0;
}

const struct plan_port *plan_port_by_slot(const struct plan *plan, uint32_t slot)
{
	size_t place = LOWER_BOUND(i, plan->n_ports, plan->ports[plan->ports_by_slot[i]].slot < slot);
	const struct plan_port *port =
		place < plan->n_ports ? &plan->ports[plan->ports_by_slot[place]] : NULL;

	return port && port->slot == slot ? port : NULL;
}

bool plan_has_mss(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_listeners; i++)
		if (plan->listeners[i].value.mss)
			return true;
	return false;
}

/* Orders for the sorted arrays. */

static int compare_u32(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

int plan_place_key_compare(const struct pl_place_key *a, const struct pl_place_key *b)
{
	int c = compare_u32(a->vpc, b->vpc);

	return c ? c : memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static int place_compare(const void *a, const void *b)
{
	const struct plan_place *x = a, *y = b;
	int c = plan_place_key_compare(&x->key, &y->key);

	if (!c)
		c = compare_u32(x->value.kind, y->value.kind);
	return c ? c : compare_u32(x->value.id, y->value.id);
}

static int eni_compare(const void *a, const void *b)
{
	return compare_u32(((const struct plan_eni *)a)->slot, ((const struct plan_eni *)b)->slot);
}

int plan_listener_compare(const void *a, const void *b)
{
	const struct pl_listener_key *x = &((const struct plan_listener *)a)->key;
	const struct pl_listener_key *y = &((const struct plan_listener *)b)->key;
	int c = compare_u32(x->target, y->target);

	if (!c)
		c = compare_u32(ntohs(x->port), ntohs(y->port));
	return c ? c : compare_u32(x->protocol, y->protocol);
}

static int backend_compare(const void *a, const void *b)
{
	const struct plan_backend *x = a, *y = b;
	int c = compare_u32(x->index, y->index);

	return c ? c : memcmp(&x->value, &y->value, sizeof(x->value));
}

static int security_group_compare(const void *a, const void *b)
{
	return compare_u32(((const struct plan_security_group *)a)->number,
			   ((const struct plan_security_group *)b)->number);
}

static int served_compare(const void *a, const void *b)
{
	return memcmp(&((const struct plan_served *)a)->key, &((const struct plan_served *)b)->key,
		      sizeof(struct pl_server_key));
}

int plan_probe_compare(const struct plan_probe *probe, uint32_t backend, const char *group,
		       const char *server_id)
{
	int c = compare_u32(probe->backend, backend);

	if (!c)
		c = strcmp(probe->group, group);
	return c ? c : strcmp(probe->server_id, server_id);
}

static int probe_compare(const void *a, const void *b)
{
	const struct plan_probe *y = b;

	return plan_probe_compare(a, y->backend, y->group, y->server_id);
}

static int failure_compare(const void *a, const void *b)
{
	const struct plan_failure *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c ? c : strcmp(x->reason, y->reason);
}

void plan_breathe(const struct plan_builder *b)
{
	breathe(&b->input->breath);
}

struct sorting {
	const struct plan_builder *b;
	int (*compare)(const void *, const void *);
	unsigned int n; /* comparisons so far */
};

static int compare_breathing(const void *a, const void *b, void *context)
{
	struct sorting *sorting = context;

	if (++sorting->n % COMPARISONS_PER_BREATH == 0)
		plan_breathe(sorting->b);
	return sorting->compare(a, b);
}

void plan_sort(const struct plan_builder *b, void *array, size_t n, size_t size,
	       int (*compare)(const void *, const void *))
{
	struct sorting sorting = {.b = b, .compare = compare};

	if (n > 1)
		qsort_r(array, n, size, compare_breathing, &sorting);
}

/* One place per address. The same place can be found on several ways; two different things at one address
 * cannot be: the lower kind stays (a port before all others) and the address is named. */
static int settle_places(struct plan_builder *b)
{
	struct plan *plan = b->plan;
	size_t kept = 0;

	plan_sort(b, plan->places, plan->n_places, sizeof(*plan->places), place_compare);
	for (size_t i = 0; i < plan->n_places; i++) {
		const struct plan_place *place = &plan->places[i];
		struct plan_place *last = &plan->places[MAX(kept, 1u) - 1];
		char text[NETADDR_TEXT_SIZE], key[KEY_SIZE];
		struct netaddr addr;
		int r;

		if (kept == 0 || memcmp(&last->key, &place->key, sizeof(place->key)) != 0) {
			plan->places[kept++] = *place;
			continue;
		}
		if (last->value.kind == place->value.kind && last->value.id == place->value.id) {
			last->uses++;
			continue;
		}
		memcpy(&addr, &place->key.addr, sizeof(addr));
		netaddr_format(&addr, text);
		(void)str_format(key, sizeof(key), "address/%u/%s", place->key.vpc, text);
		for (size_t j = 0; j < b->n_vpcs; j++)
			if (b->vpcs[j].row->number == place->key.vpc)
				(void)str_format(key, sizeof(key), "address/%s/%s", b->vpcs[j].row->id, text);
		r = plan_fail(b, key, "two objects have this address");
		if (r < 0)
			return r;
	}
	plan->n_places = kept;
	return 0;
}

/* A backend that several server groups share is one backend. (All of it is its interface's: two only tell
 * different things of it where two interfaces have one address.) */
static void settle_backends(const struct plan_builder *b)
{
	struct plan *plan = b->plan;
	size_t kept = 0;

	plan_sort(b, plan->backends, plan->n_backends, sizeof(*plan->backends), backend_compare);
	for (size_t i = 0; i < plan->n_backends; i++) {
		struct plan_backend *last = &plan->backends[MAX(kept, 1u) - 1];

		if (kept == 0 || last->index != plan->backends[i].index) {
			plan->backends[kept++] = plan->backends[i];
			continue;
		}
		last->uses++;
		plan->slices->is_odd |=
			memcmp(&last->value, &plan->backends[i].value, sizeof(last->value)) != 0;
	}
	plan->n_backends = kept;
}

/* A group can have one address and port under two names. It stays under the one that keeps more: the states
 * go from well to gone. */
static void settle_served(const struct plan_builder *b)
{
	struct plan *plan = b->plan;
	size_t kept = 0;

	plan_sort(b, plan->served, plan->n_served, sizeof(*plan->served), served_compare);
	for (size_t i = 0; i < plan->n_served; i++) {
		struct plan_served *last = &plan->served[MAX(kept, 1u) - 1];

		if (kept == 0 || served_compare(last, &plan->served[i]) != 0)
			plan->served[kept++] = plan->served[i];
		else if (plan->served[i].value.state < last->value.state)
			*last = plan->served[i];
	}
	plan->n_served = kept;
}

static void settle_failures(const struct plan_builder *b)
{
	struct plan *plan = b->plan;
	size_t kept = 0;

	plan_sort(b, plan->failures, plan->n_failures, sizeof(*plan->failures), failure_compare);
	for (size_t i = 0; i < plan->n_failures; i++)
		if (kept == 0 || !streq(plan->failures[kept - 1].key, plan->failures[i].key))
			plan->failures[kept++] = plan->failures[i];
	plan->n_failures = kept;
}

int plan_settle(struct plan_builder *b)
{
	struct plan *plan = b->plan;
	int r = settle_places(b);

	if (r < 0)
		return r;
	settle_backends(b);
	settle_served(b);
	plan_sort(b, plan->enis, plan->n_enis, sizeof(*plan->enis), eni_compare);
	plan_sort(b, plan->listeners, plan->n_listeners, sizeof(*plan->listeners), plan_listener_compare);
	plan_sort(b, plan->security_groups, plan->n_security_groups, sizeof(*plan->security_groups),
		  security_group_compare);
	plan_sort(b, plan->probes, plan->n_probes, sizeof(*plan->probes), probe_compare);
	settle_failures(b);
	return 0;
}

void plan_builder_done(struct plan_builder *b)
{
	for (size_t i = 0; i < b->n_groups; i++) {
		free(b->groups[i].servers);
		for (size_t j = 0; j < b->groups[i].n_tables; j++)
			plan_table_drop(b->groups[i].tables[j].entries);
		free(b->groups[i].tables);
		free(b->groups[i].backends);
		free(b->groups[i].places);
	}
	free(b->vpcs);
	free(b->groups);
	free(b->targets);
	free(b->records);
	plan_free(b->plan);
}

struct plan *plan_new(void)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (plan && plan_slices_new(&plan->slices) < 0)
		return plan_free(plan);
	return plan;
}

static int vpc_compare(const void *a, const void *b)
{
	return compare_u32(((const struct plan_vpc *)a)->number, ((const struct plan_vpc *)b)->number);
}

static int list_vpcs(struct plan *plan, const struct snapshot *rows)
{
	for (const struct vpc *v = NULL; (v = snapshot_next(rows, KIND_VPC, "", v));) {
		struct plan_vpc *vpc = plan_append(&plan->vpcs, &plan->n_vpcs, sizeof(*vpc));

		if (!vpc)
			return -ENOMEM;
		vpc->number = v->number;
		(void)str_copy(vpc->id, sizeof(vpc->id), v->id);
	}
	if (plan->n_vpcs > 1)
		qsort(plan->vpcs, plan->n_vpcs, sizeof(*plan->vpcs), vpc_compare);
	return 0;
}

const char *plan_vpc_id(const struct plan *plan, uint32_t number)
{
	size_t place = LOWER_BOUND(i, plan->n_vpcs, plan->vpcs[i].number < number);

	return place < plan->n_vpcs && plan->vpcs[place].number == number ? plan->vpcs[place].id : "";
}

int plan_build(const struct plan_input *input, struct plan_indexes *indexes, struct plan **ret)
{
	static int (*const steps[])(struct plan_builder * b) = {
		plan_ports,	plan_groups,  plan_endpoints, plan_security_groups,
		plan_listeners, plan_proxies, plan_probes,    plan_places,
		plan_hosts,	plan_names,   plan_settle,    plan_parts_settle,
	};
	_cleanup_(plan_builder_done) struct plan_builder b = {
		.input = input,
		.rows = input->rows,
		.indexes = indexes,
	};

	assert(input->rows && input->node);

	b.plan = plan_new();
	if (!b.plan || list_vpcs(b.plan, input->rows) < 0)
		return -ENOMEM;
	b.plan->revision = snapshot_revision(input->rows);
	b.known = b.plan->slices;
	plan_indexes_begin(indexes);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i](&b);

		plan_breathe(&b);
		if (r < 0 || b.is_out_of_memory)
			return r < 0 ? r : -ENOMEM;
	}
	plan_indexes_sweep(indexes);
	*ret = TAKE_PTR(b.plan);
	return 0;
}

struct plan *plan_free(struct plan *plan)
{
	return plan_free_breathing(plan, NULL);
}

struct plan *plan_free_breathing(struct plan *plan, const struct breath *breath)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; i < plan->n_listeners; i++)
		plan_table_drop(plan->listeners[i].table);
	for (size_t i = 0; i < plan->n_security_groups; i++)
		plan_group_rules_done(&plan->security_groups[i]);
	for (size_t i = 0; i < plan->n_names; i++) {
		if (i % NAMES_PER_BREATH == 0)
			breathe(breath);
		plan_name_free(plan->names[i]);
	}
	free(plan->ports);
	free(plan->ports_by_slot);
	free(plan->places);
	free(plan->vpcs);
	free(plan->enis);
	free(plan->listeners);
	free(plan->proxies);
	free(plan->backends);
	free(plan->served);
	free(plan->security_groups);
	free(plan->probes);
	free(plan->names);
	free(plan->reverse);
	free(plan->domains);
	free(plan->failures);
	plan_slices_free(plan->slices);
	free(plan);
	return NULL;
}
