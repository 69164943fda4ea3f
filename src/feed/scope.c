/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scope is three sorted sets of ids. What else a row's place depends on (the group of a rule, the load
 * balancer of a listener) is looked up in the rows when it is asked for.
 */
#include "scope.h"

#include "../lib/fnv.h"

struct ids {
	char (*v)[ID_SIZE];
	size_t n, size;
};

struct feed_scope {
	const struct snapshot *rows;
	struct ids own;	 /* VPCs with a port on the node */
	struct ids vpcs; /* these, and the VPCs behind the services */
	struct ids services;
};

/* The first place that is not below `id`. */
static size_t lower_bound(const struct ids *ids, const char *id)
{
	size_t low = 0, high = ids->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(ids->v[middle], id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has(const struct ids *ids, const char *id)
{
	size_t place = lower_bound(ids, id);

	return place < ids->n && streq(ids->v[place], id);
}

static int add(struct ids *ids, const char *id)
{
	size_t place = lower_bound(ids, id);

	if (place < ids->n && streq(ids->v[place], id))
		return 0;
	if (ids->n == ids->size) {
		size_t size = ids->size ? 2 * ids->size : 16;
		char(*v)[ID_SIZE] = realloc(ids->v, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		ids->v = v;
		ids->size = size;
	}
	memmove(ids->v + place + 1, ids->v + place, (ids->n - place) * sizeof(*ids->v));
	(void)str_copy(ids->v[place], ID_SIZE, id);
	ids->n++;
	return 0;
}

static int add_own_vpcs(struct feed_scope *scope, const char *node)
{
	int r = 0;

	for (const struct port *p = NULL; r == 0 && (p = snapshot_next(scope->rows, KIND_PORT, "", p));) {
		if (!streq(p->node, node))
			continue;
		r = add(&scope->own, p->vpc);
		if (r == 0)
			r = add(&scope->vpcs, p->vpc);
	}
	return r;
}

/* The VPCs of a service's load balancers. */
static int add_behind(struct feed_scope *scope, const char *service)
{
	char prefix[ID_SIZE + 1];
	int r = 0;

	(void)str_format(prefix, sizeof(prefix), "%s/", service);
	for (const struct service_resource *s = NULL;
	     r == 0 && (s = snapshot_next(scope->rows, KIND_SERVICE_RESOURCE, prefix, s));) {
		const struct load_balancer *balancer = snapshot_load_balancer(scope->rows, s->resource);

		if (balancer)
			r = add(&scope->vpcs, balancer->vpc);
	}
	return r;
}

static int add_services(struct feed_scope *scope)
{
	int r = 0;

	for (const struct endpoint *e = NULL;
	     r == 0 && (e = snapshot_next(scope->rows, KIND_ENDPOINT, "", e));) {
		if (!has(&scope->own, e->vpc) || has(&scope->services, e->service))
			continue;
		r = add(&scope->services, e->service);
		if (r == 0)
			r = add_behind(scope, e->service);
	}
	return r;
}

int feed_scope_new(const struct snapshot *rows, const char *node, struct feed_scope **ret)
{
	struct feed_scope *scope = calloc(1, sizeof(*scope));
	int r;

	if (!scope)
		return -ENOMEM;
	scope->rows = rows;
	r = add_own_vpcs(scope, node);
	if (r == 0)
		r = add_services(scope);
	if (r < 0) {
		feed_scope_free(scope);
		return r;
	}
	*ret = scope;
	return 0;
}

struct feed_scope *feed_scope_free(struct feed_scope *scope)
{
	if (!scope)
		return NULL;
	free(scope->own.v);
	free(scope->vpcs.v);
	free(scope->services.v);
	free(scope);
	return NULL;
}

static uint64_t mix(uint64_t hash, const struct ids *ids)
{
	static const uint8_t end = 0xff;

	for (size_t i = 0; i < ids->n; i++)
		hash = fnv_add(hash, ids->v[i], strlen(ids->v[i]) + 1);
	return fnv_add(hash, &end, 1);
}

uint64_t feed_scope_digest(const struct feed_scope *scope)
{
	return mix(mix(mix(FNV_START, &scope->own), &scope->vpcs), &scope->services);
}

static bool has_endpoint(const struct feed_scope *scope, const char *id)
{
	const struct endpoint *endpoint = snapshot_endpoint(scope->rows, id);

	return endpoint && has(&scope->own, endpoint->vpc);
}

static bool has_group(const struct feed_scope *scope, const char *id)
{
	const struct server_group *group = snapshot_server_group(scope->rows, id);

	return group && has(&scope->vpcs, group->vpc);
}

static bool has_listener(const struct feed_scope *scope, const struct listener *listener)
{
	const struct load_balancer *balancer = snapshot_load_balancer(scope->rows, listener->load_balancer);

	return balancer && has(&scope->vpcs, balancer->vpc);
}

static bool has_rule(const struct feed_scope *scope, const struct sg_rule *rule)
{
	const struct security_group *group = snapshot_security_group(scope->rows, rule->group);

	return group && has(&scope->vpcs, group->vpc);
}

static bool has_row(const struct feed_scope *scope, enum kind kind, const void *row)
{
	switch (kind) {
	case KIND_NODE:
		return true;
	case KIND_VPC:
		return has(&scope->vpcs, ((const struct vpc *)row)->id);
	case KIND_VSWITCH:
		return has(&scope->vpcs, ((const struct vswitch *)row)->vpc);
	case KIND_ADDRESS:
		return has(&scope->vpcs, ((const struct address *)row)->vpc);
	case KIND_SECURITY_GROUP:
		return has(&scope->vpcs, ((const struct security_group *)row)->vpc);
	case KIND_SG_RULE:
		return has_rule(scope, row);
	case KIND_INSTANCE:
		return has(&scope->vpcs, ((const struct instance *)row)->vpc);
	case KIND_PORT:
		return has(&scope->vpcs, ((const struct port *)row)->vpc);
	case KIND_LOAD_BALANCER:
		return has(&scope->vpcs, ((const struct load_balancer *)row)->vpc);
	case KIND_LISTENER:
		return has_listener(scope, row);
	case KIND_SERVER_GROUP:
		return has(&scope->vpcs, ((const struct server_group *)row)->vpc);
	case KIND_SERVER:
		return has_group(scope, ((const struct server *)row)->group);
	case KIND_SERVER_HEALTH:
		return has_group(scope, ((const struct server_health *)row)->group);
	case KIND_SERVICE:
		return has(&scope->services, ((const struct service *)row)->id);
	case KIND_SERVICE_RESOURCE:
		return has(&scope->services, ((const struct service_resource *)row)->service);
	case KIND_ENDPOINT:
		return has(&scope->own, ((const struct endpoint *)row)->vpc);
	case KIND_ENDPOINT_ZONE:
		return has_endpoint(scope, ((const struct endpoint_zone *)row)->endpoint);
	case KIND_CONNECTION:
		return has_endpoint(scope, ((const struct connection *)row)->endpoint);
	case KIND_NAT_RANGE:
		return has(&scope->vpcs, ((const struct nat_range *)row)->vpc);
	default:
		return false;
	}
}

bool feed_scope_has(const struct feed_scope *scope, const char *key)
{
	const void *row;
	enum kind kind;

	if (kind_of_key(key, &kind) < 0)
		return false;
	row = snapshot_find(scope->rows, kind, key + strlen(kind_info(kind)->name) + 1);
	return row && has_row(scope, kind, row);
}

bool feed_scope_kind(const char *key)
{
	enum kind kind;

	if (kind_of_key(key, &kind) < 0)
		return false;
	switch (kind) {
	case KIND_ACCOUNT:
	case KIND_ACCESS_KEY:
	case KIND_SERVICE_USER:
	case KIND_TAG:
	case KIND_CLIENT_TOKEN:
	case KIND_JOB:
	case KIND_COUNTER:
		return false;
	default:
		return true;
	}
}
