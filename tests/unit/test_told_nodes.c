/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which moves of nodes are remembered, for how long, and what is known of a node when they are not any more.
 * (That nodes are told what they are to have is tried in test_feed_scope.)
 */
#include <stdio.h>

#include "model/told_nodes.h"
#include "tests/tap.h"

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
	tap_is_int(told_nodes_moves(told_nodes, "node-0", 2, count_move, &n), -EOVERFLOW, "but not for ever");
	tap_ok(told_nodes_concerns(told_nodes, &c, "node-0", 1),
	       "that a node may still have a VPC that it left long ago is known nonetheless");
	tap_ok(!told_nodes_concerns(told_nodes, &d, "node-0", 1) &&
		       !told_nodes_concerns(told_nodes, &c, "node-1", 0),
	       "and that nothing else concerns it, and that one nobody else");
	told_nodes_reached(told_nodes, "node-0", revision);
	tap_ok(!told_nodes_concerns(told_nodes, &c, "node-0", revision), "until it reports");
	tap_ok(told_nodes_concerns(told_nodes, &d, "node-0", 1),
	       "then what it had is not known any more, if it should turn back");
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

/* What a node that is behind has left is bounded, too: of more than that nothing is known any more. */
static void test_left_too_much(void)
{
	const struct share first = vpc_share("vpc-0"), never = vpc_share("vpc-never");
	struct told_nodes_fact before = port_in(""), after;
	struct told_nodes *told_nodes;
	struct snapshot *rows;
	uint64_t revision = 0;

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
	told_nodes_reached(told_nodes, "node-0", revision);
	tap_ok(!told_nodes_concerns(told_nodes, &first, "node-0", revision), "until it reports");
	told_nodes_free(told_nodes);
	snapshot_free(rows);
}

int main(void)
{
	test_forgotten();
	test_left_too_much();
	return tap_done();
}
