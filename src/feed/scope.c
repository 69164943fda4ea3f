/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scope is three sorted sets of ids. Other rows are told with what they name in the reference that says so
 * (REF_TOLD in model/relations.c): a rule with its group, a group with its VPC. That is followed in the rows
 * when it is asked for, until it leads to a VPC, a service or an endpoint.
 */
#include "scope.h"

#include "../lib/fnv.h"
#include "../lib/vec.h"

struct ids {
	char (*v)[ID_SIZE];
	size_t n, size;
};

struct feed_scope {
	const struct snapshot *rows;
	char node[WORD_SIZE * 2];
	struct ids own;	 /* VPCs with a port on the node */
	struct ids vpcs; /* these, and the VPCs behind the services */
	struct ids services;
};

/* The first place that is not below `id`. */
static size_t lower_bound(const struct ids *ids, const char *id)
{
	return LOWER_BOUND(i, ids->n, strcmp(ids->v[i], id) < 0);
}

static bool has(const struct ids *ids, const char *id)
{
	size_t place = lower_bound(ids, id);

	return place < ids->n && streq(ids->v[place], id);
}

static int add(struct ids *ids, const char *id)
{
	size_t place = lower_bound(ids, id);
	int r;

	if (place < ids->n && streq(ids->v[place], id))
		return 0;
	r = VEC_ROOM(ids->v, ids->n, ids->size);
	if (r < 0)
		return r;
	memmove(ids->v + place + 1, ids->v + place, (ids->n - place) * sizeof(*ids->v));
	(void)str_copy(ids->v[place], ID_SIZE, id);
	ids->n++;
	return 0;
}

static int add_own_vpcs(struct feed_scope *scope, const char *node)
{
	int r = 0;

	for (const struct port *p = NULL;
	     r == 0 && (p = snapshot_children(scope->rows, REF_PORT_NODE, node, p));) {
		r = add(&scope->own, p->vpc);
		if (r == 0)
			r = add(&scope->vpcs, p->vpc);
	}
	return r;
}

/* The VPCs of a service's load balancers. */
static int add_behind(struct feed_scope *scope, const char *service)
{
	int r = 0;

	for (const struct service_resource *s = NULL;
	     r == 0 && (s = snapshot_children(scope->rows, REF_SERVICE_RESOURCE_SERVICE, service, s));) {
		const struct load_balancer *balancer = snapshot_load_balancer(scope->rows, s->resource);

		if (balancer)
			r = add(&scope->vpcs, balancer->vpc);
	}
	return r;
}

static int add_services_of(struct feed_scope *scope, const char *vpc)
{
	int r = 0;

	for (const struct endpoint *e = NULL;
	     r == 0 && (e = snapshot_children(scope->rows, REF_ENDPOINT_VPC, vpc, e));) {
		if (has(&scope->services, e->service))
			continue;
		r = add(&scope->services, e->service);
		if (r == 0)
			r = add_behind(scope, e->service);
	}
	return r;
}

static int add_services(struct feed_scope *scope)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < scope->own.n; i++)
		r = add_services_of(scope, scope->own.v[i]);
	return r;
}

int feed_scope_new(const struct snapshot *rows, const char *node, struct feed_scope **ret)
{
	struct feed_scope *scope = calloc(1, sizeof(*scope));
	int r;

	if (!scope)
		return -ENOMEM;
	scope->rows = rows;
	(void)str_copy(scope->node, sizeof(scope->node), node);
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

/* What it is told with, at last. Endpoints are told where they are, not where their services are. */
static bool has_row(const struct feed_scope *scope, enum kind kind, const void *row)
{
	enum ref told;

	while (row) {
		switch (kind) {
		case KIND_NODE:
			return true;
		case KIND_VPC:
			return has(&scope->vpcs, ((const struct vpc *)row)->id);
		case KIND_SERVICE:
			return has(&scope->services, ((const struct service *)row)->id);
		case KIND_ENDPOINT:
			return has(&scope->own, ((const struct endpoint *)row)->vpc);
		case KIND_CONNECTIVITY_TEST:
			return streq(scope->node, ((const struct connectivity_test *)row)->node);
		default:
			told = relation_following(kind, REF_TOLD);
			row = told == REF_COUNT_ ? NULL : snapshot_parent(scope->rows, told, row, &kind);
		}
	}
	return false;
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

bool feed_scope_left(const struct feed_scope *scope, const char *key)
{
	const struct connectivity_test *test;
	enum kind kind;

	if (kind_of_key(key, &kind) < 0 || kind != KIND_CONNECTIVITY_TEST)
		return false;
	test = snapshot_find(scope->rows, kind, key + strlen(kind_info(kind)->name) + 1);
	return test && !*test->node && streq(test->runner, scope->node);
}

bool feed_scope_kind(const char *key)
{
	enum kind kind;

	if (kind_of_key(key, &kind) < 0)
		return false;
	return kind == KIND_NODE || kind == KIND_VPC || kind == KIND_SERVICE ||
	       relation_following(kind, REF_TOLD) != REF_COUNT_;
}
