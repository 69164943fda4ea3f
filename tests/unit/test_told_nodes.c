/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which moves of nodes are remembered, for how long, and what is known of a node when they are not any more.
 * (That nodes are told what they are to have is tried in test_feed_scope.)
 */
#include <stdio.h>

#include "model/told_nodes.h"
#include "tests/tap.h"

/* Rows that are looked at. */
static size_t n_looked;

const void *__real_snapshot_find(const struct snapshot *s, enum kind kind, const char *id);
const void *__wrap_snapshot_find(const struct snapshot *s, enum kind kind, const char *id);
const void *__wrap_snapshot_find(const struct snapshot *s, enum kind kind, const char *id)
{
	n_looked++;
	return __real_snapshot_find(s, kind, id);
}

const void *__real_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);
const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous);
const void *__wrap_snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id,
					const char *within, const void *previous)
{
	n_looked++;
	return __real_snapshot_children_in(s, ref, id, within, previous);
}

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

static struct told_nodes_fact port_in(const char *vpc)
{
	struct port row = {.node = "node-0", .vpc = vpc};

	return told_nodes_fact(KIND_PORT, *vpc ? &row : NULL);
}

static int count_move(void *context, const struct share *share)
{
	size_t *n = context;

	*n += share->to == TOLD_VPC;
	return 0;
}

static struct share vpc_share(const char *vpc)
{
	struct share share = {.to = TOLD_VPC};

	(void)str_copy(share.id, sizeof(share.id), vpc);
	return share;
}

/* The port goes from VPC to VPC until the first moves are forgotten. */
static uint64_t flush_moves(struct told_nodes *told_nodes, const struct snapshot *rows, uint64_t revision)
{
	struct told_nodes_fact facts[2] = {port_in("vpc-a"), port_in("vpc-b")};

	for (int i = 0; i < TOLD_NODES_MOVES_MAX / 2; i++) {
		int odd = i % 2;

		must(told_nodes_change(told_nodes, rows, &facts[1 - odd], &facts[odd], ++revision), "change");
	}
	return revision;
}

static void test_forgotten(void)
{
	struct told_nodes_fact none = port_in(""), in_b = port_in("vpc-b"), in_c = port_in("vpc-c");
	const struct share a = vpc_share("vpc-a"), b = vpc_share("vpc-b"), c = vpc_share("vpc-c"),
			   d = vpc_share("vpc-d");
	struct told_nodes *told_nodes;
	struct snapshot *rows;
	uint64_t revision;
	size_t n = 0;

	must(told_nodes_new(&told_nodes), "told_nodes");
	must(snapshot_new(&rows), "rows");
	must(told_nodes_change(told_nodes, rows, &none, &in_c, 1), "change");
	must(told_nodes_change(told_nodes, rows, &in_c, &in_b, 2), "change");
	tap_ok(!told_nodes_has(told_nodes, &c, "node-0") && told_nodes_has(told_nodes, &b, "node-0"),
	       "a node is told of the VPC in which its port is");
	tap_ok(told_nodes_concerns(told_nodes, &c, "node-0", 1) &&
		       !told_nodes_concerns(told_nodes, &c, "node-0", 2),
	       "the one that it left concerns it until it has reported that");
	tap_ok(!told_nodes_concerns(told_nodes, &c, "node-1", 0), "and nobody else");
	tap_ok(told_nodes_moves(told_nodes, "node-0", 0, count_move, &n) == 0 && n == 2,
	       "all that moved is remembered, once what came and went");
	n = 0;
	tap_ok(told_nodes_moves(told_nodes, NULL, 0, count_move, &n) == 0 && n == 2, "of all nodes, too");
	n = 0;
	tap_ok(told_nodes_moves(told_nodes, "node-0", 1, count_move, &n) == 0 && n == 2,
	       "after any of its moves as well");

	revision = flush_moves(told_nodes, rows, 2);
	tap_is_int(told_nodes_moves(told_nodes, NULL, 2, count_move, &n), -EOVERFLOW, "but not for ever");
	n = 0;
	tap_ok(told_nodes_moves(told_nodes, "node-0", 2, count_move, &n) == 0 && n == 2 &&
		       told_nodes_knows(told_nodes, "node-0", 2),
	       "what has moved at a node is known longer");
	n = 0;
	tap_ok(told_nodes_moves(told_nodes, "node-0", 0, count_move, &n) == 0 && n == 3, "what it left, too");
	tap_ok(told_nodes_has_moved(told_nodes, "node-0", revision - 1) &&
		       !told_nodes_has_moved(told_nodes, "node-0", revision) &&
		       !told_nodes_has_moved(told_nodes, "node-1", 0),
	       "and that nothing has since, nor at another one");
	tap_ok(told_nodes_concerns(told_nodes, &c, "node-0", 1),
	       "that a node may still have a VPC that it left long ago is known nonetheless");
	tap_ok(!told_nodes_concerns(told_nodes, &d, "node-0", 1) &&
		       !told_nodes_concerns(told_nodes, &c, "node-1", 0),
	       "and that nothing else concerns it, and that one nobody else");
	told_nodes_reached(told_nodes, "node-0", revision);
	tap_ok(!told_nodes_concerns(told_nodes, &c, "node-0", revision), "until it reports");
	tap_ok(told_nodes_concerns(told_nodes, &d, "node-0", 1),
	       "then what it had is not known any more, if it should turn back");
	tap_ok(told_nodes_moves(told_nodes, "node-0", 1, count_move, &n) == -EOVERFLOW &&
		       !told_nodes_knows(told_nodes, "node-0", 1) &&
		       told_nodes_has_moved(told_nodes, "node-0", 1),
	       "nor what it has left since");
	tap_is_int(told_nodes_moves(told_nodes, "node-0", 2, count_move, &n), 0,
		   "but from the revision on that it can turn back to");
	must(told_nodes_change(told_nodes, rows, &in_b, &none, revision + 1), "change");
	tap_ok(!told_nodes_has(told_nodes, &a, "node-0") && !told_nodes_has(told_nodes, &b, "node-0"),
	       "without a port it is told of neither");
	told_nodes_free(told_nodes);
	snapshot_free(rows);
}

static struct told_nodes_fact nth(int i)
{
	char vpc[32];

	(void)str_format(vpc, sizeof(vpc), "vpc-%d", i);
	return port_in(vpc);
}

static int refuse(_unused_ void *context, _unused_ const struct share *share, _unused_ bool is_asked)
{
	return -EEXIST;
}

/* What a node that is behind has left is bounded, too: of more than that nothing is known any more. */
static void test_left_too_much(void)
{
	const struct share first = vpc_share("vpc-0"), never = vpc_share("vpc-never");
	struct told_nodes_fact before = port_in(""), after;
	struct told_nodes *told_nodes;
	struct snapshot *rows;
	uint64_t revision = 0;
	size_t n = 0;

	must(told_nodes_new(&told_nodes), "told_nodes");
	must(snapshot_new(&rows), "rows");
	for (int i = 0; i < TOLD_NODES_LEFT_MAX; i++) {
		after = nth(i);
		must(told_nodes_change(told_nodes, rows, &before, &after, ++revision), "change");
		before = after;
	}
	tap_ok(told_nodes_concerns(told_nodes, &first, "node-0", 1) &&
		       told_nodes_concerns(told_nodes, &never, "node-0", 1),
	       "who has left more than is remembered may have anything");
	tap_ok(!told_nodes_concerns(told_nodes, &first, "node-1", 0), "and nobody else");
	tap_ok(told_nodes_moves(told_nodes, "node-0", 1, count_move, &n) == -EOVERFLOW &&
		       told_nodes_shares(told_nodes, "node-0", 1, &first, refuse, NULL) == -EOVERFLOW,
	       "nor is it said what that was");
	told_nodes_reached(told_nodes, "node-0", revision);
	tap_ok(!told_nodes_concerns(told_nodes, &first, "node-0", revision), "until it reports");
	told_nodes_free(told_nodes);
	snapshot_free(rows);
}

/* What was told before the rows were loaded is not known. */
static void test_loaded(void)
{
	struct told_nodes_fact none = port_in(""), in_b = port_in("vpc-b");
	struct told_nodes *told_nodes;
	struct snapshot *rows;
	size_t n = 0;

	must(told_nodes_new(&told_nodes), "told_nodes");
	must(snapshot_new(&rows), "rows");
	must(told_nodes_load(told_nodes, rows, 10), "load");
	must(told_nodes_change(told_nodes, rows, &none, &in_b, 11), "change");
	tap_ok(!told_nodes_knows(told_nodes, "node-0", 9) && told_nodes_knows(told_nodes, "node-0", 10) &&
		       !told_nodes_knows(told_nodes, "node-1", 9) &&
		       told_nodes_knows(told_nodes, "node-1", 10),
	       "of no node is known what moved before the rows were loaded");
	tap_ok(told_nodes_has_moved(told_nodes, "node-1", 9) &&
		       !told_nodes_has_moved(told_nodes, "node-1", 10),
	       "so something may have");
	tap_ok(told_nodes_moves(told_nodes, "node-0", 9, count_move, &n) == -EOVERFLOW &&
		       told_nodes_moves(told_nodes, NULL, 9, count_move, &n) == -EOVERFLOW,
	       "and it is not said what");
	tap_ok(told_nodes_moves(told_nodes, "node-0", 10, count_move, &n) == 0 && n == 1, "since then it is");
	told_nodes_free(told_nodes);
	snapshot_free(rows);
}

/* ---- services with many resources ---- */

#define SERVICES  10
#define RESOURCES 200 /* of each: load balancers, of which every other one is in another VPC */

struct world {
	struct told_nodes *told_nodes;
	struct snapshot *rows;
	uint64_t revision;
};

/* A row comes, changes or goes, as in the store. */
static void apply(struct world *world, enum kind kind, const void *row, bool comes)
{
	struct told_nodes_fact before, after;
	json_t *json = comes ? row_to_json(kind, row) : NULL;
	char key[KEY_SIZE];
	const char *id;

	must(row_key(kind, row, key), "key");
	id = strchr(key, '/') + 1;
	before = told_nodes_fact(kind, snapshot_find(world->rows, kind, id));
	must(snapshot_apply(world->rows, key, json, 1, ++world->revision), "row");
	after = told_nodes_fact(kind, snapshot_find(world->rows, kind, id));
	must(told_nodes_change(world->told_nodes, world->rows, &before, &after, world->revision), "change");
	json_decref(json);
}

static void put_balancer(struct world *world, unsigned int n, const char *vpc)
{
	struct load_balancer row = {};

	must(str_format(row.id, sizeof(row.id), "nlb-%u", n), "id");
	must(str_copy(row.vpc, sizeof(row.vpc), vpc), "id");
	apply(world, KIND_LOAD_BALANCER, &row, true);
}

static void change_resource(struct world *world, unsigned int service, unsigned int n, bool comes)
{
	struct service_resource row = {.zone = "z"};

	must(str_format(row.service, sizeof(row.service), "epsrv-%u", service), "id");
	must(str_format(row.resource, sizeof(row.resource), "nlb-%u", n), "id");
	apply(world, KIND_SERVICE_RESOURCE, &row, comes);
}

static void make_world(struct world *world)
{
	*world = (struct world){};
	must(told_nodes_new(&world->told_nodes), "told_nodes");
	must(snapshot_new(&world->rows), "rows");
	for (unsigned int n = 0; n < RESOURCES; n++)
		put_balancer(world, n, n % 2 ? "vpc-odd" : "vpc-even");
	for (unsigned int i = 0; i < SERVICES; i++) {
		struct endpoint endpoint = {.vpc = "vpc-a"};
		char service[ID_SIZE];

		for (unsigned int n = 0; n < RESOURCES; n++)
			change_resource(world, i, n, true);
		must(str_format(service, sizeof(service), "epsrv-%u", i), "id");
		must(str_format(endpoint.id, sizeof(endpoint.id), "ep-%u", i), "id");
		endpoint.service = service;
		apply(world, KIND_ENDPOINT, &endpoint, true);
	}
}

static bool has(const struct world *world, const char *vpc)
{
	const struct share share = vpc_share(vpc);

	return told_nodes_has(world->told_nodes, &share, "node-0");
}

/* Who is told as ports, resources and load balancers come and go. */
static void test_ways(void)
{
	const struct port port = {.id = "eni-1", .node = "node-0", .vpc = "vpc-a"};
	struct world world;

	make_world(&world);
	n_looked = 0;
	apply(&world, KIND_PORT, &port, true);
	tap_ok(n_looked <= 2 * SERVICES,
	       "a first port in a VPC costs its endpoints, not their resources: %zu", n_looked);
	tap_ok(has(&world, "vpc-odd") && has(&world, "vpc-even"), "it brings the VPCs behind their services");
	n_looked = 0;
	apply(&world, KIND_PORT, &port, false);
	tap_ok(n_looked <= 2 * SERVICES, "so does the last one: %zu", n_looked);
	tap_ok(!has(&world, "vpc-odd") && !has(&world, "vpc-even"), "which takes them away");

	told_nodes_clear(world.told_nodes);
	must(told_nodes_load(world.told_nodes, world.rows, world.revision), "load");
	apply(&world, KIND_PORT, &port, true);
	tap_ok(has(&world, "vpc-odd") && has(&world, "vpc-even"), "as well after the rows were loaded");
	for (unsigned int i = 0; i < SERVICES; i++)
		for (unsigned int n = i == 0; n < RESOURCES; n++)
			change_resource(&world, i, n, n == RESOURCES - 1 && i == SERVICES - 1);
	tap_ok(has(&world, "vpc-odd") && has(&world, "vpc-even"), "a VPC stays until its last resource goes");
	put_balancer(&world, 0, "vpc-odd");
	tap_ok(has(&world, "vpc-odd") && !has(&world, "vpc-even"), "or that one's load balancer moves");
	put_balancer(&world, RESOURCES - 1, "vpc-even");
	tap_ok(has(&world, "vpc-odd") && has(&world, "vpc-even"), "and comes when one does");
	change_resource(&world, 0, 0, false);
	tap_ok(!has(&world, "vpc-odd"), "or is gone");
	told_nodes_free(world.told_nodes);
	snapshot_free(world.rows);
}

/* ---- the shares of a node, in their order ---- */

#define NODES  3
#define VPCS   500
#define ROUNDS 120000 /* two moves each, so that most are forgotten */

/* What a node is told of and when that changed last, by VPC. */
struct model {
	struct told_nodes *told_nodes;
	struct snapshot *rows;
	uint64_t seed, revision;
	bool has[NODES][VPCS];
	uint64_t moved[NODES][VPCS], reached[NODES];
};

static const char *const names[NODES] = {"node-0", "node-1", "node-2"};

static uint32_t below(struct model *model, uint32_t n)
{
	model->seed ^= model->seed << 13;
	model->seed ^= model->seed >> 7;
	model->seed ^= model->seed << 17;
	return (uint32_t)((model->seed >> 16) % n);
}

static struct share numbered(uint32_t number)
{
	struct share share = {.to = number < VPCS ? TOLD_VPC : TOLD_ENDPOINTS};

	must(str_format(share.id, sizeof(share.id), "vpc-%04u", number % VPCS), "id");
	return share;
}

/* The node's port in some VPC comes, or goes. */
static void move_some(struct model *model)
{
	uint32_t node = below(model, NODES), vpc = below(model, VPCS);
	const struct share share = numbered(vpc);
	const struct port port = {.node = names[node], .vpc = share.id};
	struct told_nodes_fact none = port_in(""), some = told_nodes_fact(KIND_PORT, &port);
	bool had = model->has[node][vpc];

	must(told_nodes_change(model->told_nodes, model->rows, had ? &some : &none, had ? &none : &some,
			       ++model->revision),
	     "change");
	model->has[node][vpc] = !had;
	model->moved[node][vpc] = model->revision;
}

struct visits {
	const struct model *model;
	uint32_t node, next; /* the share that may come next */
	uint64_t since;
	size_t n_asked, n, n_wrong;
};

static bool is_asked(const struct model *model, uint32_t node, uint32_t vpc, uint64_t since)
{
	return since ? model->moved[node][vpc] > since : model->has[node][vpc];
}

static int check_visit(void *context, const struct share *share, bool asked)
{
	struct visits *visits = context;
	uint32_t vpc = (uint32_t)atoi(share->id + strlen("vpc-"));
	uint32_t number = vpc + (share->to == TOLD_ENDPOINTS ? VPCS : 0);

	visits->n++;
	visits->n_asked += asked;
	visits->n_wrong +=
		number < visits->next || asked != is_asked(visits->model, visits->node, vpc, visits->since);
	visits->next = number + 1;
	return 0;
}

static int count_any(void *context, _unused_ const struct share *share)
{
	++*(size_t *)context;
	return 0;
}

/* Each of the two shares of a VPC that moved after that, once. */
static bool are_moves_as_modelled(const struct model *model, uint32_t node, uint64_t after)
{
	size_t n = 0, n_moved = 0;

	must(told_nodes_moves(model->told_nodes, names[node], after, count_any, &n), "moves");
	for (uint32_t vpc = 0; vpc < VPCS; vpc++)
		n_moved += model->moved[node][vpc] > after;
	return n == 2 * n_moved && told_nodes_has_moved(model->told_nodes, names[node], after) == (n > 0);
}

/* From some share on. */
static bool are_as_modelled(struct model *model, uint32_t node, uint64_t since)
{
	uint32_t from = below(model, 3) > 0 ? below(model, 2 * VPCS) : 0;
	struct visits visits = {.model = model, .node = node, .next = from, .since = since};
	const struct share first = numbered(from);
	size_t n_asked = 0;

	must(told_nodes_shares(model->told_nodes, names[node], since, &first, check_visit, &visits),
	     "shares");
	for (uint32_t number = from; number < 2 * VPCS; number++)
		n_asked += is_asked(model, node, number % VPCS, since);
	return visits.n_wrong == 0 && visits.n_asked == n_asked;
}

/* What it is told of, and what has moved since some revision, but not from before it reported. */
static bool is_as_modelled(struct model *model, uint32_t node)
{
	uint64_t since = MAX(model->reached[node], 1u);

	since += below(model, (uint32_t)(model->revision - since + 1));
	return are_as_modelled(model, node, 0) && are_as_modelled(model, node, since) &&
	       are_moves_as_modelled(model, node, since);
}

static void test_shares(void)
{
	struct model *model = calloc(1, sizeof(*model));
	const struct share first = {};
	struct visits visits = {.model = model};
	bool good = true;

	must(model ? 0 : -ENOMEM, "model");
	model->seed = 88172645463325252u;
	must(told_nodes_new(&model->told_nodes), "told_nodes");
	must(snapshot_new(&model->rows), "rows");
	for (int round = 0; round < ROUNDS && good; round++) {
		uint32_t node = below(model, NODES);

		move_some(model);
		if (below(model, 20000) == 0) {
			model->reached[node] = model->revision;
			told_nodes_reached(model->told_nodes, names[node], model->revision);
		}
		if (below(model, 200) == 0)
			good = is_as_modelled(model, node);
	}
	tap_ok(good, "shares of nodes, and those that moved, are gone through in their order, from any on");
	tap_ok(told_nodes_shares(model->told_nodes, "node-3", 0, &first, check_visit, &visits) == 0 &&
		       visits.n == 0,
	       "there are none of a node that never had a port");
	told_nodes_free(model->told_nodes);
	snapshot_free(model->rows);
	free(model);
}

int main(void)
{
	test_forgotten();
	test_left_too_much();
	test_loaded();
	test_ways();
	test_shares();
	return tap_done();
}
