/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that instances can ask for, per VPC: an endpoint's own, those of its zones, and the service's. An
 * address is published when its zone was reported in force, and withdrawn while the zone's servers are ill,
 * unless all zones are in that state: an address that may not answer is better than none. Of a zone that
 * migrates to another load balancer it is the old ENI's until the new one's is in force. What stands at the
 * other addresses of a VPC is a host (plan_host.c): <i-…>.<region>.ecs.internal an instance, <eni-…> another
 * interface, gateway.<vsw-…> a gateway. What an address is called is found the other way round. And the
 * domains that are answered here and nowhere else, which are the catalogue's and the same in every VPC.
 */
#include "plan_build.h"

#include <assert.h>
#include <ctype.h>
#include <strings.h>

#include "../model/check.h"
#include "../model/state.h"

int plan_domain_compare(const char *a, const char *b)
{
	size_t i = strlen(a), j = strlen(b);

	while (i && j && a[i - 1] == b[j - 1])
		i--, j--;
	if (!i || !j)
		return (i > 0) - (j > 0);
	return (unsigned char)a[i - 1] - (unsigned char)b[j - 1];
}

static const struct netaddr *shown_address(const struct endpoint_zone *zone)
{
	return endpoint_zone_shows_replaced(zone) ? &zone->replaced_addr : &zone->addr;
}

static bool answers(struct plan_builder *b, const struct endpoint_zone *zone)
{
	bool replaced = endpoint_zone_shows_replaced(zone);
	const char *balancer = replaced ? zone->replaced_resource : zone->resource;
	const char *behind = replaced ? endpoint_zone_behind_replaced(zone) : endpoint_zone_behind(zone);
	struct plan_balancer_zone *known = plan_balancer_zone(b, balancer, behind);

	if (!known)
		return true;
	if (!known->is_asked) {
		known->answers = plan_zone_answers(b, balancer, behind);
		known->is_asked = true;
	}
	return known->answers;
}

static bool in_force(const struct endpoint_zone *zone)
{
	return (zone->status == ZONE_CONNECTED || zone->status == ZONE_MIGRATING ||
		zone->status == ZONE_MIGRATED) &&
	       !netaddr_is_zero(shown_address(zone));
}

static int add_record(struct plan_builder *b, const struct vpc *vpc, const char *name,
		      const struct endpoint_zone *zone, bool affinity)
{
	struct plan_record *record;

	if (!*name)
		return 0;
	record = plan_append(&b->records, &b->n_records, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->vpc = vpc->number;
	record->name = name;
	record->zone = zone ? zone->zone : "";
	if (zone)
		record->addr = *shown_address(zone);
	record->affinity = affinity;
	record->part = b->plan->slices->n_parts - 1;
	return 0;
}

struct endpoint_names {
	const struct vpc *vpc;
	const struct endpoint *endpoint;
	const struct service *service; /* or NULL */
	bool affinity;
	bool some_answer; /* at least one zone in force answers */
};

/* A service's name, which its endpoints in a VPC share. */
static int add_shared_record(struct plan_builder *b, const struct endpoint_names *names,
			     const struct endpoint_zone *zone)
{
	size_t n = b->n_records;
	int r = add_record(b, names->vpc, names->service->private_domain, zone, names->affinity);

	if (r == 0 && b->n_records > n)
		b->records[n].is_shared = true;
	return r;
}

static int add_zone(struct plan_builder *b, const struct endpoint_names *names,
		    const struct endpoint_zone *zone)
{
	const struct endpoint_zone *shown = in_force(zone) ? zone : NULL;
	int r;

	r = add_record(b, names->vpc, zone->domain, shown, false);
	if (r < 0 || !shown)
		return r;
	if (*zone->domain)
		b->records[b->n_records - 1].canonical = true;
	if (names->some_answer && !answers(b, zone))
		return 0;
	r = add_record(b, names->vpc, names->endpoint->domain, zone, names->affinity);
	if (r < 0 || !names->service)
		return r;
	return add_shared_record(b, names, zone);
}

int plan_endpoint_records(struct plan_builder *b, const struct vpc *vpc, const struct endpoint *endpoint)
{
	const struct service *service = snapshot_service(b->rows, endpoint->service);
	struct endpoint_names names = {.vpc = vpc, .endpoint = endpoint, .service = service};
	int r;

	names.affinity = endpoint->zone_affinity && service && service->zone_affinity;
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(b->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, z));)
		names.some_answer |= in_force(z) && answers(b, z);

	r = add_record(b, vpc, endpoint->domain, NULL, names.affinity);
	if (r == 0 && service)
		r = add_shared_record(b, &names, NULL);
	for (const struct endpoint_zone *z = NULL;
	     r == 0 && (z = snapshot_children(b->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, z));)
		r = add_zone(b, &names, z);
	return r;
}

static int record_compare(const void *a, const void *b)
{
	const struct plan_record *x = a, *y = b;
	int c = x->vpc < y->vpc ? -1 : x->vpc > y->vpc;

	if (!c)
		c = strcasecmp(x->name, y->name);
	if (!c)
		c = strcmp(x->zone, y->zone);
	return c ? c : netaddr_compare(&x->addr, &y->addr);
}

void plan_copy_name(char dst[DOMAIN_SIZE], const char *src)
{
	size_t i = 0;

	for (; src[i]; i++)
		dst[i] = (char)tolower((unsigned char)src[i]);
	if (i && dst[i - 1] == '.')
		i--;
	dst[i] = '\0';
}

static int name_add_address(struct plan_name *name, const struct plan_record *record)
{
	size_t n = name->n_addrs;
	struct netaddr *addr = plan_append(&name->addrs, &name->n_addrs, sizeof(*addr));
	char(*zone)[ZONE_SIZE];

	if (!addr)
		return -ENOMEM;
	*addr = record->addr;
	zone = plan_append(&name->zones, &n, sizeof(*zone));
	if (!zone) {
		name->n_addrs--;
		return -ENOMEM;
	}
	(void)str_copy(*zone, sizeof(*zone), record->zone);
	return 0;
}

struct plan_name *plan_name_free(struct plan_name *name)
{
	if (!name)
		return NULL;
	free(name->addrs);
	free(name->zones);
	free(name);
	return NULL;
}

static struct plan_name *append_name(struct plan_builder *b, uint32_t vpc, const char *text)
{
	struct plan_name *name = calloc(1, sizeof(*name)), **place;

	place = name ? plan_append(&b->plan->names, &b->plan->n_names, sizeof(*place)) : NULL;
	if (!place)
		return plan_name_free(name);
	*place = name;
	name->vpc = vpc;
	plan_copy_name(name->name, text);
	return name;
}

/* Records of a part always come in the same order. */
static void add_share(struct plan_part *part, const struct plan_record *record)
{
	uint64_t hash = part->share ? part->share : PLAN_HASH_START;

	hash = plan_hash(hash, record->zone, strlen(record->zone) + 1);
	hash = plan_hash(hash, &record->addr, sizeof(record->addr));
	part->share = plan_hash(hash, &record->affinity, sizeof(record->affinity));
}

/* Whose the name is that has its first record, or one more that is not its first one's. */
static void own_name(struct plan_builder *b, struct plan_name *name, const struct plan_record *record,
		     const struct plan_record *first)
{
	struct plan_slices *slices = b->plan->slices;
	struct plan_part *part = &slices->parts[record->part];

	if (record->is_shared)
		add_share(part, record);
	if (record->is_shared != first->is_shared || (!record->is_shared && record->part != first->part))
		slices->is_odd = true;
	else if (record->is_shared)
		part->shared = name;
	else if (record == first)
		plan_name_own(&part->names, name);
}

/* Endpoints of one VPC for the same service share its name. */
int plan_gather_names(struct plan_builder *b)
{
	const struct plan_record *first = NULL;
	struct plan_name *name = NULL;

	plan_sort(b, b->records, b->n_records, sizeof(*b->records), record_compare);
	for (size_t i = 0; i < b->n_records; i++) {
		const struct plan_record *record = &b->records[i], *before = i ? record - 1 : NULL;
		bool is_new =
			!before || before->vpc != record->vpc || strcasecmp(before->name, record->name) != 0;
		int r;

		if (is_new) {
			name = append_name(b, record->vpc, record->name);
			if (!name)
				return -ENOMEM;
			name->affinity = true;
			name->is_shared = record->is_shared;
			first = record;
		}
		plan_breathe(b);
		own_name(b, name, record, first);
		name->affinity &= record->affinity;
		if (!is_new && record_compare(before, record) == 0)
			continue;
		name->canonical |= record->canonical;
		r = netaddr_is_zero(&record->addr) ? 0 : name_add_address(name, record);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Hosts. */

int plan_host_name(struct plan_builder *b, const struct vpc *vpc, const struct netaddr *addr,
		   const char *label, const char *id, const char *region, struct plan_name **ret)
{
	struct plan_name *name;
	char text[DOMAIN_SIZE];

	*ret = NULL;
	if (!*id || !*region || netaddr_is_zero(addr)) /* a row that is not whole */
		return 0;
	(void)str_format(text, sizeof(text), "%s%s.%s." PLAN_HOSTS_DOMAIN, label, id, region);
	name = append_name(b, vpc->number, text);
	if (!name)
		return -ENOMEM;
	name->canonical = true;
	name->addrs = malloc(sizeof(*name->addrs));
	name->zones = calloc(1, sizeof(*name->zones));
	if (!name->addrs || !name->zones)
		return -ENOMEM;
	name->addrs[0] = *addr;
	name->n_addrs = 1;
	*ret = name;
	return 0;
}

/* The ENI of a zone that migrates to which the zone's name does not lead, or no longer. */
static bool is_beside(const struct plan_builder *b, const struct port *port)
{
	const struct endpoint_zone *zone = snapshot_endpoint_zone(b->rows, port->holder, port->zone);

	return zone && endpoint_zone_has_replaced(zone) &&
	       netaddr_compare(shown_address(zone), &port->addr) != 0;
}

/* An endpoint's, so that it is planned with it. */
static int add_endpoint_host(struct plan_builder *b, const struct port *port)
{
	const struct vpc *vpc = plan_local_vpc(b, port->vpc);
	struct plan_slices *slices = b->plan->slices;
	struct plan_part *part;
	struct plan_name *name;
	int r;

	if (port->kind != PORT_ENDPOINT || !vpc || port->status == PORT_DELETING || !is_beside(b, port))
		return 0;
	r = plan_host_name(b, vpc, &port->addr, "", port->id, port->region, &name);
	if (r < 0 || !name)
		return r;
	part = plan_part_find(slices, port->holder);
	if (part)
		plan_name_own(&part->names, name);
	else
		slices->is_odd = true;
	return 0;
}

int plan_endpoint_hosts(struct plan_builder *b, const char *endpoint)
{
	int r = 0;

	for (const struct port *v = NULL;
	     r == 0 && (v = snapshot_children(b->rows, REF_PORT_HOLDER, endpoint, v));)
		r = add_endpoint_host(b, v);
	return r;
}

static int add_endpoint_hosts(struct plan_builder *b)
{
	int r = 0;

	for (const struct port *v = NULL; r == 0 && (v = snapshot_next(b->rows, KIND_PORT, "", v));) {
		r = add_endpoint_host(b, v);
		plan_breathe(b);
	}
	return r;
}

/* What addresses are called. */

int plan_name_compare(const struct plan_name *a, const struct plan_name *b)
{
	if (a->vpc != b->vpc)
		return a->vpc < b->vpc ? -1 : 1;
	return plan_domain_compare(a->name, b->name);
}

int plan_reverse_compare(const struct plan_reverse *a, const struct plan_reverse *b)
{
	int c = a->vpc < b->vpc ? -1 : a->vpc > b->vpc;

	if (!c)
		c = netaddr_compare(&a->addr, &b->addr);
	return c ? c : plan_domain_compare(a->name->name, b->name->name);
}

static int name_compare(const void *a, const void *b)
{
	return plan_name_compare(*(struct plan_name *const *)a, *(struct plan_name *const *)b);
}

static int reverse_compare(const void *a, const void *b)
{
	return plan_reverse_compare(a, b);
}

/* Sorts the names, and turns them round. */
static int settle_names(struct plan_builder *b)
{
	struct plan *plan = b->plan;

	plan_sort(b, plan->names, plan->n_names, sizeof(*plan->names), name_compare);
	for (size_t i = 0; i < plan->n_names; i++) {
		const struct plan_name *name = plan->names[i];
		struct plan_reverse *reverse;

		if (!name->canonical || name->n_addrs != 1)
			continue;
		reverse = plan_append(&plan->reverse, &plan->n_reverse, sizeof(*reverse));
		if (!reverse)
			return -ENOMEM;
		*reverse = (struct plan_reverse){.vpc = name->vpc, .addr = name->addrs[0], .name = name};
	}
	plan_sort(b, plan->reverse, plan->n_reverse, sizeof(*plan->reverse), reverse_compare);
	return 0;
}

/* Domains. */

static int add_domain(struct plan_builder *b, const char *pattern, const char *region)
{
	struct plan_domain *domain = plan_append(&b->plan->domains, &b->plan->n_domains, sizeof(*domain));
	char text[DOMAIN_SIZE];

	if (!domain)
		return -ENOMEM;
	if (catalogue_expand(pattern, region, text, sizeof(text)) < 0 || !*text) {
		b->plan->n_domains--;
		return 0;
	}
	plan_copy_name(domain->name, text);
	return 0;
}

static int domain_compare(const void *a, const void *b)
{
	return strcmp(((const struct plan_domain *)a)->name, ((const struct plan_domain *)b)->name);
}

static void settle_domains(struct plan *plan)
{
	size_t kept = 0;

	if (plan->n_domains > 1)
		qsort(plan->domains, plan->n_domains, sizeof(*plan->domains), domain_compare);
	for (size_t i = 0; i < plan->n_domains; i++)
		if (kept == 0 || !streq(plan->domains[kept - 1].name, plan->domains[i].name))
			plan->domains[kept++] = plan->domains[i];
	plan->n_domains = kept;
}

static int add_domains(struct plan_builder *b)
{
	const struct catalogue *catalogue = b->input->catalogue;

	for (size_t i = 0; catalogue && i < catalogue->n_regions; i++) {
		int r = add_domain(b, "{RegionId}.privatelink.aliyuncs.com", catalogue->regions[i].id);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; catalogue && i < catalogue->n_services; i++)
		for (size_t j = 0; j < catalogue->services[i].n_regions; j++) {
			const struct catalogue_service *service = &catalogue->services[i];
			int r = add_domain(b, service->domain, service->regions[j]);

			if (r < 0)
				return r;
		}
	if (add_domain(b, PLAN_HOSTS_DOMAIN, "") < 0)
		return -ENOMEM;
	settle_domains(b->plan);
	return 0;
}

int plan_names(struct plan_builder *b)
{
	struct plan_slices *slices = b->plan->slices;
	size_t n_parts = slices->n_parts;

	slices->n_parts = 0; /* the parts are there, and each gets its records in turn */
	for (const struct endpoint *v = NULL; (v = snapshot_next(b->rows, KIND_ENDPOINT, "", v));) {
		const struct vpc *vpc = plan_local_vpc(b, v->vpc);
		int r;

		if (!vpc)
			continue;
		slices->n_parts++;
		r = v->status != ENDPOINT_DELETING ? plan_endpoint_records(b, vpc, v) : 0;
		if (r < 0)
			return r;
		plan_breathe(b);
	}
	assert(slices->n_parts == n_parts);
	if (plan_gather_names(b) < 0 || add_endpoint_hosts(b) < 0 || settle_names(b) < 0)
		return -ENOMEM;
	return add_domains(b);
}
