/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is too much for one answer is told in pages: lists that a node polls one after another, while rows
 * change and what is remembered is forgotten; that they end, begin no second time without need, and tell each
 * row once; and how much is looked at for a page, whatever others have.
 */
#include "feed_nodes.h"

/* What is looked at. */
static size_t n_looked, n_walked, n_compared, n_gone_through;

struct share __real_share_of(const struct snapshot *rows, enum kind kind, const void *row);
struct share __wrap_share_of(const struct snapshot *rows, enum kind kind, const void *row);
struct share __wrap_share_of(const struct snapshot *rows, enum kind kind, const void *row)
{
	n_looked++;
	return __real_share_of(rows, kind, row);
}

int __real_share_compare(const struct share *a, const struct share *b);
int __wrap_share_compare(const struct share *a, const struct share *b);
int __wrap_share_compare(const struct share *a, const struct share *b)
{
	n_compared++;
	return __real_share_compare(a, b);
}

int __real_share_walk(const struct snapshot *rows, const struct share *share, share_visit visit,
		      void *context);
int __wrap_share_walk(const struct snapshot *rows, const struct share *share, share_visit visit,
		      void *context);
int __wrap_share_walk(const struct snapshot *rows, const struct share *share, share_visit visit,
		      void *context)
{
	n_walked++;
	return __real_share_walk(rows, share, visit, context);
}

/* A page goes through shares. */
struct pass {
	told_nodes_visit visit;
	void *context;
	size_t n;
};

static int pass_on(void *context, const struct share *share, bool is_asked)
{
	struct pass *pass = context;

	pass->n++;
	return pass->visit(pass->context, share, is_asked);
}

int __real_told_nodes_shares(const struct told_nodes *told_nodes, const char *node, uint64_t since,
			     const struct share *first, told_nodes_visit visit, void *context);
int __wrap_told_nodes_shares(const struct told_nodes *told_nodes, const char *node, uint64_t since,
			     const struct share *first, told_nodes_visit visit, void *context);
int __wrap_told_nodes_shares(const struct told_nodes *told_nodes, const char *node, uint64_t since,
			     const struct share *first, told_nodes_visit visit, void *context)
{
	struct pass pass = {.visit = visit, .context = context};
	int r = __real_told_nodes_shares(told_nodes, node, since, first, pass_on, &pass);

	n_gone_through = MAX(n_gone_through, pass.n);
	return r;
}

#define MUCH 200 /* rows, which one answer does not take, and not even their keys */

/* A node that is told of vpc-0, which is large, and knows it. */
struct follower {
	struct world w;
	struct node_rows node;
	struct feed_list pages;
	unsigned int n_changed;
};

/* One poll. False: there is more. */
static bool poll_next(struct follower *f)
{
	return poll_once(&f->w, &f->node, &f->pages);
}

static void finish(struct follower *f)
{
	poll_all(&f->w, &f->node, &f->pages);
}

static bool is_right(const struct follower *f)
{
	return is_as_walked(&f->w, &f->node);
}

static void move(struct follower *f, const char *vpc, bool comes)
{
	move_port(&f->w, vpc, comes);
}

static void follower_init(struct follower *f)
{
	*f = (struct follower){};
	world_begin(&f->w);
	world_open(&f->w, "much");
	make_node(&f->w, &f->node, node_names[0], true);
	make_vpc(&f->w, "vpc-0", MUCH);
	make_vpc(&f->w, "vpc-1", 1);
	move(f, "vpc-0", true);
	finish(f);
}

/* As much as three answers take, each time others of its rows. */
static void change_much(struct follower *f)
{
	put_vswitches(&f->w, "vpc-0", f->n_changed, 3 * MOST);
	f->n_changed = (f->n_changed + 3 * MOST) % (MUCH - 3 * MOST);
}

/* Polls until all is told, and between each two polls much changes. */
static bool follow_changes(struct follower *f, bool moves)
{
	bool is_told = false;

	for (int i = 0; i < 20 * MUCH && !is_told; i++) {
		if (moves)
			move(f, "vpc-0", i % 2);
		else
			change_much(f);
		is_told = poll_next(f);
	}
	return is_told && is_right(f);
}

static void test_leave(struct follower *f)
{
	size_t n_full = f->node.n_full, n_pages = f->node.n_pages;

	f->node.n_told = f->node.n_rows = 0;
	move(f, "vpc-0", false);
	finish(f);
	tap_ok(f->node.n_pages > n_pages, "a large VPC leaves a node in pages");
	tap_is_int((long long)f->node.n_told, MUCH + 2, "of it, its port and all else, once");
	tap_is_int((long long)f->node.n_rows, 0, "by their keys alone");
	tap_ok(is_right(f), "and nothing of it stays");
	move(f, "vpc-0", true);
	(void)poll_next(f);
	move(f, "vpc-0", false);
	finish(f);
	tap_ok(is_right(f), "nor of one that leaves while it comes");
	move(f, "vpc-0", true);
	finish(f);
	move(f, "vpc-0", false);
	move(f, "vpc-1", true);
	(void)poll_next(f);
	move(f, "vpc-0", true);
	finish(f);
	tap_ok(is_right(f), "one that comes while it leaves is there");
	tap_is_int((long long)f->node.n_full, (long long)n_full, "nothing else is told for any of that");
}

static void test_burst(struct follower *f)
{
	size_t n_full = f->node.n_full, n_pages = f->node.n_pages;

	for (int i = 0; i < 5; i++)
		change_much(f);
	f->node.n_told = 0;
	finish(f);
	tap_ok(f->node.n_pages > n_pages + 3, "much that changed is told in pages");
	tap_is_int((long long)f->node.n_told, 15 * MOST, "each row once");
	tap_ok(is_right(f), "and all of it");
	tap_is_int((long long)f->node.n_full, (long long)n_full, "and nothing else");
	tap_ok(follow_changes(f, false),
	       "that ends, too, where more changes between two pages than one takes");
	tap_ok(follow_changes(f, true), "or more comes and goes");
	tap_is_int((long long)f->node.n_full, (long long)n_full, "nothing else is told then either");
}

/* What is in force lasts until all of it is there. */
static void test_all_while_it_changes(struct follower *f)
{
	size_t n_full = f->node.n_full;

	f->node.lost = true;
	tap_ok(follow_changes(f, false), "a list of everything ends, too, however much changes meanwhile");
	f->node.lost = true;
	tap_ok(follow_changes(f, true), "or comes and goes");
	tap_is_int((long long)f->node.n_full, (long long)n_full + 2, "and begins once");
}

/* More changes than are remembered. */
static void forget_changes(struct follower *f)
{
	for (int i = 0; i <= STORE_HISTORY_MAX / STORE_TXN_OPS_MAX; i++)
		put_vswitches(&f->w, "vpc-0", 0, STORE_TXN_OPS_MAX);
}

/* So many endpoints, each of another service, of which there is no row, come or go. */
static void change_endpoints(struct follower *f, const char *vpc, unsigned int n, bool come)
{
	for (unsigned int i = 0; i < n;) {
		struct store_txn *txn = begin();

		for (unsigned int end = MIN(n, i + STORE_TXN_OPS_MAX); i < end; i++) {
			struct endpoint endpoint = {.vpc = vpc};
			char service[ID_SIZE];

			must(str_format(service, sizeof(service), "epsrv-%u", i), "id");
			must(str_format(endpoint.id, sizeof(endpoint.id), "ep-%u-of-%s", i, vpc), "id");
			endpoint.service = service;
			change_row(txn, KIND_ENDPOINT, &endpoint, come);
		}
		commit(&f->w, txn);
	}
}

/* Ports of so many other nodes. */
static void put_others(struct follower *f, const char *vpc, unsigned int n)
{
	struct store_txn *txn = begin();

	for (unsigned int i = 0; i < n; i++) {
		struct port port = {.vpc = vpc};
		char node[16];

		must(str_format(node, sizeof(node), "other-%u", i), "name");
		must(str_format(port.id, sizeof(port.id), "eni-of-%s", node), "id");
		port.node = node;
		change_row(txn, KIND_PORT, &port, true);
	}
	commit(&f->w, txn);
}

/* More than are remembered come to other nodes, and leave them, by far fewer changes. */
static void forget_moves(struct follower *f)
{
	const unsigned int n = STORE_TXN_OPS_MAX;

	put_others(f, "vpc-2", n);
	for (unsigned int i = 0; i <= TOLD_NODES_MOVES_MAX / (2 * n * n); i++) {
		change_endpoints(f, "vpc-2", n, true);
		change_endpoints(f, "vpc-2", n, false);
	}
}

/* Ends the list that is under way, and its node is given everything. */
static void expect_break(struct follower *f, size_t n_full)
{
	tap_ok(!poll_next(f) && !*f->pages.next && f->node.n_full == n_full,
	       "it ends when that is forgotten");
	tap_ok(!poll_next(f) && f->pages.is_full && f->node.n_full == n_full + 1,
	       "and everything is told, as the rows that it was to build upon are too old");
}

static void test_forgotten_meanwhile(struct follower *f)
{
	size_t n_full = f->node.n_full;

	for (int i = 0; i < 5; i++)
		change_much(f);
	tap_ok(!poll_next(f), "a list of what changed is under way");
	forget_changes(f);
	expect_break(f, n_full);
	forget_changes(f);
	finish(f);
	tap_ok(is_right(f), "twice, where that happens again");
	tap_is_int((long long)f->node.n_full, (long long)n_full + 2, "and no more than that");
}

/* More than is remembered comes to others and leaves them: that ends no list, and no node is given
 * everything. */
static void test_others_move(struct follower *f)
{
	size_t n_full = f->node.n_full;

	move(f, "vpc-0", true);
	finish(f);
	move(f, "vpc-0", false);
	tap_ok(!poll_next(f), "a list of what left is under way");
	forget_moves(f);
	finish(f);
	tap_ok(is_right(f), "it goes on, whatever moves elsewhere");
	move(f, "vpc-0", true);
	forget_moves(f);
	finish(f);
	tap_ok(is_right(f), "what came before is told behind that, too");
	move(f, "vpc-0", false);
	move(f, "vpc-1", true);
	forget_moves(f);
	tap_ok(feed_rows_concern(f->w.store, f->node.name, snapshot_revision(f->node.rows)),
	       "a node is woken for it");
	finish(f);
	tap_ok(is_right(f), "and what left");
	tap_is_int((long long)f->node.n_full, (long long)n_full, "and nothing else is told for any of that");
	f->node.lost = true;
	move(f, "vpc-0", true);
	tap_ok(!poll_next(f), "a list of everything is under way");
	move(f, "vpc-1", false);
	forget_moves(f);
	finish(f);
	tap_ok(is_right(f), "it goes on, too");
	tap_is_int((long long)f->node.n_full, (long long)n_full + 1, "and has begun once");
}

/* Others have more rows than are looked at for a page: that costs a node no page, whether it is told
 * everything or a VPC comes to it. */
static void test_others(struct follower *f)
{
	struct feed_list pages = {};
	struct node_rows node;

	make_vpc(&f->w, "vpc-3", 3 * FEED_PAGE_LOOKED_MAX);
	make_node(&f->w, &node, node_names[2], true);
	node.lost = true;
	poll_all(&f->w, &node, &pages);
	tap_ok(is_as_walked(&f->w, &node), "a node without a port is told everything");
	tap_is_int((long long)node.n_pages, 1, "in one page, though others have more than is looked at");
	node_done(&node);

	f->node.n_pages = f->node.n_rows = 0;
	move(f, "vpc-0", true);
	finish(f);
	tap_ok(is_right(f), "a large VPC comes to a node");
	tap_ok(f->node.n_pages <= f->node.n_rows / MOST + 1, "in pages that are all full");
}

#define FLAPS 100

/* However often a VPC came and went between two answers, its rows are looked at once. */
static void test_flapping(struct follower *f)
{
	const size_t n_rows = 10 * MOST;

	make_vpc(&f->w, "vpc-4", n_rows);
	finish(f);
	for (int i = 0; i < FLAPS; i++) {
		move(f, "vpc-4", true);
		move(f, "vpc-4", false);
	}
	n_looked = 0;
	f->node.n_pages = 0;
	finish(f);
	tap_is_int((long long)f->node.n_pages, 0, "a VPC that came and went often is one answer");
	tap_ok(n_looked <= n_rows + 4 * FLAPS, "for which each row of it is looked at once: %zu", n_looked);
	tap_ok(is_right(f), "and nothing of it stays");
}

/* What has no rows is not looked at without end either. */
static void test_empty(struct follower *f)
{
	change_endpoints(f, "vpc-0", MUCH, true);
	move(f, "vpc-0", true);
	finish(f);
	change_endpoints(f, "vpc-0", MUCH, false);
	n_walked = 0;
	tap_ok(!poll_next(f), "many services that leave a node are a list");
	tap_ok(n_walked > 0 && n_walked <= 16 * MOST, "whose first answer looks at %zu of %d", n_walked,
	       MUCH);
	finish(f);
}

/* Ports in so many VPCs of their own. (All count as number 5 where a walk is compared.) */
static void put_ports(struct follower *f, unsigned int n, bool comes)
{
	for (unsigned int i = 0; i < n; i++) {
		char vpc[ID_SIZE];

		must(str_format(vpc, sizeof(vpc), "vpc-5-%u", i), "id");
		if (comes)
			make_vpc(&f->w, vpc, 0);
		move(f, vpc, comes);
	}
}

/* Of a node that is told of much a page costs what is in it, not what is still to come. */
static void test_many(struct follower *f)
{
	const unsigned int n = FEED_PAGE_LOOKED_MAX / 2 + MUCH; /* each is two shares */

	put_ports(f, n, true);
	f->node.lost = true;
	f->node.n_pages = n_compared = 0;
	finish(f);
	tap_ok(f->node.n_pages > n / MOST, "%u VPCs are told in %zu pages", n, f->node.n_pages);
	tap_ok(n_compared <= 16 * (2 * n + f->node.n_pages), "with %zu comparisons", n_compared);
	tap_ok(is_right(f), "and are all there");
	move(f, "vpc-0", false);
	n_gone_through = 0;
	finish(f);
	tap_ok(n_gone_through > 0 && n_gone_through <= FEED_PAGE_LOOKED_MAX,
	       "and a page for another one that leaves goes through %zu of %u shares", n_gone_through, 2 * n);
	tap_ok(is_right(f), "which is gone then");
	put_ports(f, n, false);
	f->node.n_pages = n_compared = 0;
	finish(f);
	tap_ok(f->node.n_pages > 1, "they leave in %zu pages", f->node.n_pages);
	tap_ok(n_compared <= 16 * (2 * n + f->node.n_pages), "with %zu comparisons", n_compared);
	tap_ok(is_right(f), "and nothing of them stays");
}

static void test_pages(struct follower *f)
{
	static const char other[] = "9999999.9999999.9999999.9999999.0/3/vpc-0\nvpc/vpc-0";
	struct feed_question question = {.node = "node-0", .after = 1, .pages = true, .page = other};
	static const char *const pages[] = {
		"",
		"vpc/vpc-0",
		"1",
		"1.2.3.4.5",
		"1.2.3.4/",
		"1.2.3.4.x/",
		"1.2.3.4.5/vpc/vpc-0",
		"1.2.3.4.5/0/",
		"1.2.3.4.5/6/x",
		"1.2.3.4.5/3/vpc-0\nnone",
		"1.2.3.4.5/3/vpc-0\nnonsense/x",
		"1.2.3.4.5/\nvpc/x",
		"1.2.3.4.5/3/vpc-0\nvpc/x\nvpc/x\nvpc/x\nvpc/x",
	};
	json_t *answer = NULL;

	must(feed_rows_answer(f->w.store, &question, &answer), "answer");
	tap_is_str(json_string_value(json_object_get(answer, "more")), "",
		   "a list of revisions that are yet to come cannot go on");
	tap_ok(json_array_size(json_object_get(answer, "rows")) == 0, "and has nothing");
	json_decref(answer);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		question.page = pages[i];
		tap_is_int(feed_rows_answer(f->w.store, &question, &answer), -EINVAL, "case %zu is no page",
			   i);
	}
}

int main(void)
{
	struct follower f;

	follower_init(&f);
	tap_is_int((long long)f.node.n_full, 1, "a node is given everything at its start");
	test_leave(&f);
	test_burst(&f);
	test_all_while_it_changes(&f);
	test_forgotten_meanwhile(&f);
	test_others_move(&f);
	test_others(&f);
	test_flapping(&f);
	test_empty(&f);
	test_many(&f);
	test_pages(&f);
	node_done(&f.node);
	return world_end(&f.w);
}
