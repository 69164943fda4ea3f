/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system services: a row for each product of the catalogue in each of its regions. A row gets the id that
 * the catalogue has for it and keeps it, because endpoints name it: later starts find rows by owner and name,
 * add what the catalogue has gained, and take over what else it says anew.
 */
#include "../lib/log.h"
#include "changes.h"
#include "control.h"

#define DEFAULT_BANDWIDTH 3072 /* Mbit/s */

static const struct service *find_system_service(const struct snapshot *rows, const char *name)
{
	for (const struct service *v = NULL; (v = snapshot_owned(rows, KIND_SERVICE, 0, "", v));)
		if (streq(v->name, name))
			return v;
	return NULL;
}

/* What the catalogue says of a service in a region. */
static int describe(const struct catalogue_service *product, const char *region, struct service *row)
{
	int r;

	if (str_copy(row->region, sizeof(row->region), region) < 0 ||
	    str_copy(row->product, sizeof(row->product), product->product) < 0 ||
	    str_copy(row->description, sizeof(row->description), product->description) < 0)
		return -E2BIG;
	r = catalogue_expand(product->name, region, row->name, sizeof(row->name));
	if (r == 0)
		r = catalogue_expand(product->domain, region, row->private_domain,
				     sizeof(row->private_domain));
	row->policy_supported = product->policy_supported;
	return r;
}

static int make_new(const struct snapshot *rows, const char *id, struct service *row)
{
	const struct service *taken = snapshot_service(rows, id);

	if (taken) /* the catalogue gives it anew */
		return log_errno(-EEXIST, "the catalogue gives service=%s the id=%s, which %s has", row->name,
				 id, taken->name);
	(void)str_copy(row->id, sizeof(row->id), id);
	row->auto_accept = true;
	row->zone_affinity = true; /* the endpoint's own switch decides */
	row->connect_bandwidth = DEFAULT_BANDWIDTH;
	row->status = SERVICE_ACTIVE;
	row->create_time = now_unix_s();
	(void)str_copy(row->resource_type, sizeof(row->resource_type), "nlb");
	(void)str_copy(row->payer, sizeof(row->payer), "Endpoint");
	(void)str_copy(row->ip_version, sizeof(row->ip_version), "IPv4");
	return str_format(row->domain, sizeof(row->domain), "%s.%s.privatelink.aliyuncs.com", row->id,
			  row->region);
}

static bool same(const struct service *a, const struct service *b)
{
	return streq(a->product, b->product) && streq(a->description, b->description) &&
	       streq(a->private_domain, b->private_domain) && a->policy_supported == b->policy_supported;
}

static int add_service(const struct snapshot *rows, const struct catalogue_service *product, size_t index,
		       struct changes *changes)
{
	const char *region = product->regions[index];
	const struct service *known;
	struct service row = {};
	char id[ID_SIZE];
	int r;

	r = describe(product, region, &row);
	if (r == 0)
		r = catalogue_service_id(product, index, id);
	if (r < 0)
		return r;
	known = find_system_service(rows, row.name);
	if (known) {
		row = *known;
		(void)describe(product, region, &row);
		if (product->ids[index][0] && !streq(row.id, id))
			log_warning("the catalogue gives service=%s the id=%s; in this store it stays %s",
				    row.name, id, row.id);
		if (same(known, &row))
			return 0;
	} else {
		r = make_new(rows, id, &row);
		if (r < 0)
			return r;
	}
	changes_put(changes, KIND_SERVICE, &row);
	return 0;
}

static int add_services(const struct snapshot *rows, const struct catalogue *catalogue,
			struct changes *changes)
{
	for (size_t i = 0; i < catalogue->n_services; i++) {
		const struct catalogue_service *product = &catalogue->services[i];

		for (size_t j = 0; j < product->n_regions; j++) {
			int r = add_service(rows, product, j, changes);

			if (r < 0)
				return r;
		}
	}
	return changes->error;
}

struct progress {
	size_t n_pending;
	int result;
};

static void committed(void *context, int result, uint64_t revision _unused_)
{
	struct progress *progress = context;

	progress->n_pending--;
	if (result < 0 && progress->result == 0)
		progress->result = result;
}

int control_bootstrap(struct store *store, const struct catalogue *catalogue, struct loop *loop)
{
	struct progress progress = {};
	struct changes changes = {};
	int r;

	r = add_services(store_rows(store), catalogue, &changes);
	for (size_t i = 0; r == 0 && i < changes.n_txns; i++) {
		progress.n_pending++;
		store_commit(store, TAKE_PTR(changes.txns[i]), committed, &progress);
	}
	changes_done(&changes);
	while (progress.n_pending > 0) {
		int turn = loop_turn(loop, -1);

		if (turn < 0)
			return log_errno(turn, "cannot wait for the system services to be stored");
	}
	if (r == 0)
		r = progress.result;
	return r < 0 ? log_errno(r, "cannot store the system services") : 0;
}
