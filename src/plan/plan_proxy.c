/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PROXY headers say: which parts a listener wants, and the ids of each endpoint ENI as they stand in a
 * header (bpf/pl_proxy.h), for each choice of parts that a listener behind it has made. Listeners without ids
 * need no rows.
 */
#include "plan_build.h"

#include "../lib/vec.h"

/* TLV's subtypes. */
enum { SUBTYPE_VPC = 1, SUBTYPE_ENDPOINT = 2, SUBTYPE_SERVICE = 3 };

/* Parts that a listener of the target wants. */
struct wish {
	uint32_t target, parts;
};

struct wishes {
	struct wish *items;
	size_t n;
};

uint8_t plan_proxy_parts(const struct listener *row)
{
	uint8_t parts = PL_PROXY_ON;

	if (!row->proxy_protocol || !streq(row->protocol, "TCP"))
		return 0;
	if (row->proxy_vpc_id)
		parts |= PL_PROXY_VPC;
	if (row->proxy_endpoint_id)
		parts |= PL_PROXY_ENDPOINT;
	if (row->proxy_service_id)
		parts |= PL_PROXY_SERVICE;
	return parts;
}

static int wish_compare(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return x->parts < y->parts ? -1 : x->parts > y->parts;
}

static void wishes_done(struct wishes *wishes)
{
	free(wishes->items);
}

/* Of the listeners from there on with that target, or of any (0). Sorted, each once. */
static int find_wishes(const struct plan *plan, size_t first, uint32_t target, struct wishes *ret)
{
	size_t kept = 0;

	for (size_t i = first; i < plan->n_listeners; i++) {
		const struct plan_listener *listener = &plan->listeners[i];
		struct wish *wish;

		if (target && listener->key.target != target)
			break;
		if (!(listener->value.proxy & PL_PROXY_IDS))
			continue;
		wish = plan_append(&ret->items, &ret->n, sizeof(*wish));
		if (!wish)
			return -ENOMEM;
		*wish = (struct wish){listener->key.target, listener->value.proxy};
	}
	if (ret->n > 1)
		qsort(ret->items, ret->n, sizeof(*ret->items), wish_compare);
	for (size_t i = 0; i < ret->n; i++)
		if (kept == 0 || wish_compare(&ret->items[kept - 1], &ret->items[i]) != 0)
			ret->items[kept++] = ret->items[i];
	ret->n = kept;
	return 0;
}

/* -E2BIG: the id is longer than a header takes one. */
static int put_id(struct pl_proxy *row, uint8_t subtype, const char *id)
{
	size_t length = strlen(id);
	uint8_t *tlv = row->tlvs + row->size;

	if (length > PL_PROXY_ID_MAX)
		return -E2BIG;
	tlv[0] = PL_PROXY_TLV_TYPE;
	tlv[1] = 0;
	tlv[2] = (uint8_t)(length + 1);
	tlv[3] = subtype;
	memcpy(tlv + PL_PROXY_TLV_HEAD, id, length);
	row->size += PL_PROXY_TLV_HEAD + (uint32_t)length;
	return 0;
}

static int fill_row(const struct endpoint *endpoint, uint32_t parts, struct pl_proxy *row)
{
	int r = 0;

	if (parts & PL_PROXY_VPC)
		r = put_id(row, SUBTYPE_VPC, endpoint->vpc);
	if (r == 0 && parts & PL_PROXY_ENDPOINT)
		r = put_id(row, SUBTYPE_ENDPOINT, endpoint->id);
	if (r == 0 && parts & PL_PROXY_SERVICE)
		r = put_id(row, SUBTYPE_SERVICE, endpoint->service);
	return r;
}

static int add_row(struct plan_builder *b, const struct plan_eni *eni, uint32_t parts)
{
	const struct endpoint *endpoint = snapshot_endpoint(b->rows, eni->endpoint);
	struct plan_proxy *proxy;
	struct pl_proxy row = {};
	char key[KEY_SIZE];

	if (!endpoint)
		return 0;
	if (fill_row(endpoint, parts, &row) < 0) {
		(void)str_format(key, sizeof(key), "endpoint/%s", endpoint->id);
		return plan_fail(b, key, "its ids are too long for a PROXY header");
	}
	proxy = plan_append(&b->plan->proxies, &b->plan->n_proxies, sizeof(*proxy));
	if (!proxy)
		return -ENOMEM;
	proxy->key = (struct pl_proxy_key){eni->slot, parts};
	proxy->value = row;
	return 0;
}

static int proxy_compare(const void *a, const void *b)
{
	const struct pl_proxy_key *x = &((const struct plan_proxy *)a)->key,
				  *y = &((const struct plan_proxy *)b)->key;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->parts < y->parts ? -1 : x->parts > y->parts;
}

static int add_rows(struct plan_builder *b, const struct plan_eni *eni, const struct wishes *wishes)
{
	uint32_t target = eni->value.target;
	size_t first = LOWER_BOUND(j, wishes->n, wishes->items[j].target < target);
	int r = 0;

	for (size_t i = first; i < wishes->n && wishes->items[i].target == target && r == 0; i++)
		r = add_row(b, eni, wishes->items[i].parts);
	return r;
}

static void sort_proxies(const struct plan_builder *b)
{
	plan_sort(b, b->plan->proxies, b->plan->n_proxies, sizeof(*b->plan->proxies), proxy_compare);
}

int plan_proxies(struct plan_builder *b)
{
	_cleanup_(wishes_done) struct wishes wishes = {};
	struct plan *plan = b->plan;
	int r = find_wishes(plan, 0, 0, &wishes);

	for (size_t i = 0; i < plan->n_enis && wishes.n && r == 0; i++) {
		r = add_rows(b, &plan->enis[i], &wishes);
		plan_breathe(b);
	}
	sort_proxies(b);
	return r;
}

int plan_proxies_of_slice(struct plan_builder *b)
{
	struct plan *plan = b->plan;
	int r = 0;

	for (size_t i = 0; i < plan->n_enis && r == 0; i++) {
		_cleanup_(wishes_done) struct wishes wishes = {};
		uint32_t target = plan->enis[i].value.target;
		size_t first =
			LOWER_BOUND(j, b->base->n_listeners, b->base->listeners[j].key.target < target);

		r = target ? find_wishes(b->base, first, target, &wishes) : 0;
		if (r == 0)
			r = add_rows(b, &plan->enis[i], &wishes);
	}
	sort_proxies(b);
	return r;
}
