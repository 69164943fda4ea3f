/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which load balancer a zone of an endpoint gets. An endpoint of another region has no zone in common with
 * its service, so any zone of the service may serve any of it.
 */
#include "allocation.h"

#include "../../model/state.h"

static bool is_far(const struct allocation *allocation)
{
	return !streq(allocation->endpoint->region, allocation->service->region);
}

static bool serves(const struct call *call, const struct allocation *allocation,
		   const struct service_resource *resource, const char *zone)
{
	const struct load_balancer *balancer;

	if (!is_far(allocation) && !streq(resource->zone, zone))
		return false;
	balancer = snapshot_load_balancer(call->rows, resource->resource);
	return balancer && balancer->status != LB_DELETING;
}

/* What names it from another region. */
static enum ref far_of(enum ref ref)
{
	return ref == REF_ENDPOINT_ZONE_RESOURCE ? REF_ENDPOINT_ZONE_RESOURCE_FAR
						 : REF_ENDPOINT_ZONE_REPLACED_RESOURCE_FAR;
}

struct candidate {
	const struct service_resource *resource;
	bool is_shifted;
	size_t n_own;	    /* zones of the endpoint that the resource's zone serves */
	size_t n_endpoints; /* of all: those that the resource serves */
};

static bool is_shifted(const struct call *call, const struct service_resource *resource)
{
	const struct load_balancer *balancer = snapshot_load_balancer(call->rows, resource->resource);

	return balancer && load_balancer_is_shifted(balancer, resource->zone);
}

/* Zones of an endpoint of another region that are served from the zone, also by what this call gives them. */
static size_t count_own(const struct call *call, const struct allocation *allocation, const char *but,
			const char *zone)
{
	size_t n = 0;

	if (!is_far(allocation))
		return 0;
	for (size_t i = 0; i < allocation->n_given; i++)
		n += streq(allocation->given[i]->zone, zone);
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(call->rows, REF_ENDPOINT_ZONE_ENDPOINT, allocation->endpoint->id, z));)
		n += !streq(z->zone, but) && z->resource[0] && streq(endpoint_zone_behind(z), zone);
	return n;
}

size_t allocation_count(const struct call *call, enum ref ref, const struct service_resource *resource)
{
	return snapshot_count_children_in(call->rows, ref, resource->resource, resource->zone) +
	       snapshot_count_children_in(call->rows, far_of(ref), resource->resource, resource->zone);
}

static struct candidate judge(const struct call *call, const struct allocation *allocation, const char *zone,
			      const struct service_resource *resource)
{
	return (struct candidate){
		.resource = resource,
		.is_shifted = is_shifted(call, resource),
		.n_own = count_own(call, allocation, zone, resource->zone),
		.n_endpoints = allocation_count(call, REF_ENDPOINT_ZONE_RESOURCE, resource),
	};
}

/* One whose zone is in names goes before one whose zone is not; then zones of one endpoint are spread. */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if (a->is_shifted != b->is_shifted)
		return b->is_shifted;
	if (a->n_own != b->n_own)
		return a->n_own < b->n_own;
	return a->n_endpoints < b->n_endpoints;
}

const struct service_resource *allocate_resource(const struct call *call, struct allocation *allocation,
						 const char *zone)
{
	struct candidate best = {};

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, allocation->service->id, r));) {
		struct candidate candidate;

		if (!r->auto_allocated || !serves(call, allocation, r, zone))
			continue;
		candidate = judge(call, allocation, zone, r);
		if (!best.resource || is_better(&candidate, &best))
			best = candidate;
	}
	if (best.resource && allocation->n_given < ARRAY_SIZE(allocation->given))
		allocation->given[allocation->n_given++] = best.resource;
	return best.resource;
}

bool service_serves_zone(const struct call *call, const struct allocation *allocation, const char *zone)
{
	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, allocation->service->id, r));)
		if (serves(call, allocation, r, zone))
			return true;
	return false;
}

const struct endpoint_zone *allocation_next(const struct call *call, enum ref ref,
					    const struct service_resource *resource,
					    const struct endpoint_zone *previous)
{
	bool current = ref == REF_ENDPOINT_ZONE_RESOURCE;
	const struct endpoint_zone *next = previous;

	/* Those of the service's region come first. */
	if (!previous || !*(current ? previous->resource_zone : previous->replaced_resource_zone)) {
		next = snapshot_children_in(call->rows, ref, resource->resource, resource->zone, previous);
		if (next)
			return next;
	}
	return snapshot_children_in(call->rows, far_of(ref), resource->resource, resource->zone, next);
}
