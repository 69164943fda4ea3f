/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves at once: no commit of a pass is in the way of another one, and what finds no room is not looked
 * at until there is some. No node is there, so that what is deleted is due at once.
 */
#include "control_fixture.h"

#include "control/leases.h"

/* In place of the real one (meson.build), which is asked once for each look at a subject: counted. */
uint64_t __real_leases_revision_of(const struct leases *leases, const struct told_nodes *told_nodes,
				   const struct share *share, uint32_t *ret_last);
uint64_t __wrap_leases_revision_of(const struct leases *leases, const struct told_nodes *told_nodes,
				   const struct share *share, uint32_t *ret_last);

static size_t n_looks;

uint64_t __wrap_leases_revision_of(const struct leases *leases, const struct told_nodes *told_nodes,
				   const struct share *share, uint32_t *ret_last)
{
	n_looks++;
	return __real_leases_revision_of(leases, told_nodes, share, ret_last);
}

static size_t count(const struct setup *s, enum kind kind)
{
	return snapshot_count(store_rows(s->store), kind, "");
}

static void commit_txn(struct setup *s, struct store_txn **txn)
{
	int n = 0;

	store_commit(s->store, TAKE_PTR(*txn), count_done, &n);
	settle(s);
	if (n != 1)
		must(n < 0 ? n : -EIO, "commit");
}

/* With those before it, as many as a transaction takes; commit_txn() puts the last ones. */
static void put_with(struct setup *s, struct store_txn **txn, enum kind kind, const void *row)
{
	if (*txn && store_txn_n_ops(*txn) == STORE_TXN_OPS_MAX)
		commit_txn(s, txn);
	if (!*txn)
		must(store_txn_new(txn), "transaction");
	must(store_txn_row_put(*txn, kind, row), "put");
}

static void put_endpoint(struct setup *s, struct store_txn **txn, size_t number)
{
	struct endpoint endpoint = {.vpc = "vpc-1", .service = "epsrv-1", .status = ENDPOINT_ACTIVE};
	struct connection connection = {.service = "epsrv-1", .status = CONNECTION_CONNECTED};

	must(str_format(endpoint.id, sizeof(endpoint.id), "ep-%zu", number), "id");
	must(str_copy(connection.endpoint, sizeof(connection.endpoint), endpoint.id), "id");
	put_with(s, txn, KIND_ENDPOINT, &endpoint);
	put_with(s, txn, KIND_CONNECTION, &connection);
}

static void delete_endpoint(struct setup *s, struct store_txn **txn, const char *id)
{
	struct endpoint endpoint = *snapshot_endpoint(store_rows(s->store), id);

	endpoint.status = ENDPOINT_DELETING;
	put_with(s, txn, KIND_ENDPOINT, &endpoint);
}

static void put_tests(struct setup *s, struct store_txn **txn, int n, uint32_t n_ways)
{
	struct connectivity_test test = {.endpoint = "ep-1", .instance = "i-1"};
	struct connectivity_way way = {};

	test.create_time = now_unix_s();
	for (int i = 0; i < n; i++) {
		must(str_format(test.id, sizeof(test.id), "ct-%d", i), "id");
		must(str_copy(way.test, sizeof(way.test), test.id), "id");
		put_with(s, txn, KIND_CONNECTIVITY_TEST, &test);
		for (way.part = 0; way.part < n_ways; way.part++)
			put_with(s, txn, KIND_CONNECTIVITY_WAY, &way);
	}
}

#define BYSTANDERS 100 /* endpoints with which nothing happens */

/* Each fits a transaction with its tests, and both together do not. After a commit that failed control would
 * look at all there is. */
static void test_parts_in_common(void)
{
	struct instance instance = {.id = "i-1", .status = INSTANCE_RUNNING};
	struct store_txn *txn = NULL;
	struct setup s;

	begin(&s);
	for (size_t i = 1; i <= 1 + BYSTANDERS; i++)
		put_endpoint(&s, &txn, i);
	put_with(&s, &txn, KIND_INSTANCE, &instance);
	put_tests(&s, &txn, 10, 4);
	commit_txn(&s, &txn);
	must(control_new(s.loop, s.store, &s.control), "control");
	settle(&s);

	n_looks = 0;
	delete_endpoint(&s, &txn, "ep-1");
	instance = *snapshot_instance(store_rows(s.store), "i-1");
	instance.status = INSTANCE_DELETING;
	put_with(&s, &txn, KIND_INSTANCE, &instance);
	commit_txn(&s, &txn);
	tap_ok(count(&s, KIND_INSTANCE) == 0 && count(&s, KIND_ENDPOINT) == BYSTANDERS,
	       "an instance and an endpoint with tests in common go at once");
	tap_ok(count(&s, KIND_CONNECTIVITY_TEST) == 0 && count(&s, KIND_CONNECTIVITY_WAY) == 0,
	       "with the tests");
	tap_ok(n_looks < BYSTANDERS, "and no commit fails, so that others are not looked at (%zu)", n_looks);
	end(&s);
}

/* One look finds that it is deleted, one takes it away, and one sees that it is gone; besides, each pass has
 * a first one that finds no room. */
static void test_many(void)
{
	const size_t n = 2000;
	struct store_txn *txn = NULL;
	struct setup s;

	begin(&s);
	for (size_t i = 1; i <= n; i++)
		put_endpoint(&s, &txn, i);
	commit_txn(&s, &txn);
	for (size_t i = 1; i <= n; i++) {
		char id[ID_SIZE];

		must(str_format(id, sizeof(id), "ep-%zu", i), "id");
		delete_endpoint(&s, &txn, id);
	}
	commit_txn(&s, &txn);
	must(control_new(s.loop, s.store, &s.control), "control");
	n_looks = 0;
	for (int i = 0; i < 20 && count(&s, KIND_ENDPOINT) > 0; i++)
		settle(&s);
	settle(&s);
	tap_is_int((long long)count(&s, KIND_ENDPOINT), 0, "many endpoints go in many passes");
	tap_ok(n_looks < 4 * n, "and each is looked at only when there is something to do (%zu)", n_looks);
	end(&s);
}

int main(void)
{
	test_parts_in_common();
	test_many();
	return tap_done();
}
