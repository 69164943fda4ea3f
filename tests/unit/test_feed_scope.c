/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes are told of, kept as rows change, against what a walk of all rows says: random rows come, change
 * and go, in any order, with parents that there are not; nodes ask for what is new now and then, put it into
 * their rows as an agent does, and have then what the walk finds. Each run is another one; PRIVLINK_SEED
 * repeats one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kept_rows.h"
#include "feed/server_rows.h"
#include "tests/tap.h"

#define ROUNDS	  6000
#define NODES	  4
#define VPCS	  5
#define SERVICES  4
#define BALANCERS 4
#define GROUPS	  4
#define OTHERS	  8 /* of any other kind */
#define MOST	  7 /* rows that are told in one answer, to who understands pages */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

/* The disk is not what is tried here. */
int fdatasync(int fildes _unused_)
{
	return 0;
}

int fsync(int fd _unused_)
{
	return 0;
}

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

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

/* ---- rows ---- */

#define ANY(member, begin, n) must(str_format(member, sizeof(member), "%s%u", begin, below(n)), "id")

static const char *const node_names[NODES] = {"node-0", "node-1", "node-2", "node-3"};

static void make_port(struct port *row)
{
	static char vpc[ID_SIZE];

	ANY(row->id, "eni-", 2 * OTHERS);
	ANY(vpc, "vpc-", VPCS + 1); /* one that there is not */
	row->vpc = vpc;
	row->node = below(4) > 0 ? node_names[below(NODES)] : "";
}

static void make_endpoint(struct endpoint *row)
{
	static char vpc[ID_SIZE], service[ID_SIZE];

	ANY(row->id, "ep-", OTHERS);
	ANY(vpc, "vpc-", VPCS + 1);
	ANY(service, "epsrv-", SERVICES + 1);
	row->vpc = vpc;
	row->service = service;
}

static void make_resource(struct service_resource *row)
{
	ANY(row->service, "epsrv-", SERVICES);
	ANY(row->resource, "nlb-", BALANCERS);
	ANY(row->zone, "z", 2);
}

static void make_test(struct connectivity_test *row)
{
	ANY(row->id, "ct-", 3);
	if (below(3) > 0)
		ANY(row->node, "node-", NODES);
}

union any_row {
	struct node node;
	struct vpc vpc;
	struct vswitch vswitch;
	struct port port;
	struct security_group security_group;
	struct sg_rule sg_rule;
	struct load_balancer load_balancer;
	struct listener listener;
	struct server_group server_group;
	struct server server;
	struct server_health server_health;
	struct service service;
	struct service_resource service_resource;
	struct endpoint endpoint;
	struct endpoint_zone endpoint_zone;
	struct connection connection;
	struct connectivity_test connectivity_test;
	struct nat_range nat_range;
	struct counter counter;
};

/* A row of any kind, with any of its references. */
static enum kind make_row(union any_row *row)
{
	static const enum kind kinds[] = {KIND_NODE,
					  KIND_VPC,
					  KIND_VSWITCH,
					  KIND_PORT,
					  KIND_PORT,
					  KIND_PORT,
					  KIND_SECURITY_GROUP,
					  KIND_SG_RULE,
					  KIND_LOAD_BALANCER,
					  KIND_LISTENER,
					  KIND_SERVER_GROUP,
					  KIND_SERVER,
					  KIND_SERVER_HEALTH,
					  KIND_SERVICE,
					  KIND_SERVICE_RESOURCE,
					  KIND_SERVICE_RESOURCE,
					  KIND_ENDPOINT,
					  KIND_ENDPOINT,
					  KIND_ENDPOINT_ZONE,
					  KIND_CONNECTION,
					  KIND_CONNECTIVITY_TEST,
					  KIND_NAT_RANGE,
					  KIND_NAT_RANGE,
					  KIND_COUNTER};
	enum kind kind = kinds[below(ARRAY_SIZE(kinds))];

	memset(row, 0, sizeof(*row));
	switch (kind) {
	case KIND_NODE:
		ANY(row->node.name, "node-", NODES);
		break;
	case KIND_VPC:
		ANY(row->vpc.id, "vpc-", VPCS);
		break;
	case KIND_VSWITCH:
		ANY(row->vswitch.id, "vsw-", OTHERS);
		ANY(row->vswitch.vpc, "vpc-", VPCS);
		break;
	case KIND_PORT:
		make_port(&row->port);
		break;
	case KIND_SECURITY_GROUP:
		ANY(row->security_group.id, "sg-", GROUPS);
		ANY(row->security_group.vpc, "vpc-", VPCS);
		break;
	case KIND_SG_RULE:
		ANY(row->sg_rule.group, "sg-", GROUPS);
		ANY(row->sg_rule.id, "sgr-", OTHERS);
		break;
	case KIND_LOAD_BALANCER:
		ANY(row->load_balancer.id, "nlb-", BALANCERS);
		ANY(row->load_balancer.vpc, "vpc-", VPCS);
		break;
	case KIND_LISTENER:
		ANY(row->listener.id, "lsn-", OTHERS);
		ANY(row->listener.load_balancer, "nlb-", BALANCERS);
		break;
	case KIND_SERVER_GROUP:
		ANY(row->server_group.id, "sgp-", GROUPS);
		ANY(row->server_group.vpc, "vpc-", VPCS);
		break;
	case KIND_SERVER:
		ANY(row->server.group, "sgp-", GROUPS);
		ANY(row->server.server_id, "i-", OTHERS);
		break;
	case KIND_SERVER_HEALTH:
		ANY(row->server_health.group, "sgp-", GROUPS);
		ANY(row->server_health.server_id, "i-", OTHERS);
		break;
	case KIND_SERVICE:
		ANY(row->service.id, "epsrv-", SERVICES);
		break;
	case KIND_SERVICE_RESOURCE:
		make_resource(&row->service_resource);
		break;
	case KIND_ENDPOINT:
		make_endpoint(&row->endpoint);
		break;
	case KIND_ENDPOINT_ZONE:
		ANY(row->endpoint_zone.endpoint, "ep-", OTHERS);
		ANY(row->endpoint_zone.zone, "z", 2);
		break;
	case KIND_CONNECTION:
		ANY(row->connection.endpoint, "ep-", OTHERS);
		break;
	case KIND_CONNECTIVITY_TEST:
		make_test(&row->connectivity_test);
		break;
	case KIND_NAT_RANGE:
		ANY(row->nat_range.vpc, "vpc-", VPCS + 1);
		ANY(row->nat_range.node, "node-", NODES);
		break;
	default:
		ANY(row->counter.name, "c", 2);
	}
	return kind;
}

static void ended(void *context _unused_, int result, uint64_t revision _unused_)
{
	must(result, "commit");
}

/* One to four rows, of which some go. */
static void change_rows(struct loop *loop, struct store *store)
{
	struct store_txn *txn;
	union any_row row;
	char key[KEY_SIZE];

	must(store_txn_new(&txn), "transaction");
	for (uint32_t n = 1 + below(4); n > 0; n--) {
		enum kind kind = make_row(&row);
		json_t *json = row_to_json(kind, &row);

		must(row_key(kind, &row, key), "key");
		if (below(3) == 0)
			(void)store_txn_delete(txn, key);
		else
			(void)store_txn_put(txn, key, json);
		json_decref(json);
	}
	store_commit(store, txn, ended, NULL);
	must(loop_turn(loop, 0), "turn");
}

/* ---- what a walk says ---- */

struct walked {
	const struct snapshot *rows;
	const char *node;
	bool own[VPCS + 1], vpcs[VPCS + 1], services[SERVICES + 1];
};

static unsigned int number_of(const char *id)
{
	return (unsigned int)atoi(strchr(id, '-') + 1);
}

static void walk(const struct snapshot *rows, const char *node, struct walked *ret)
{
	*ret = (struct walked){.rows = rows, .node = node};
	for (const struct port *p = NULL; (p = snapshot_next(rows, KIND_PORT, "", p));)
		if (streq(p->node, node))
			ret->own[number_of(p->vpc)] = ret->vpcs[number_of(p->vpc)] = true;
	for (const struct endpoint *e = NULL; (e = snapshot_next(rows, KIND_ENDPOINT, "", e));)
		if (ret->own[number_of(e->vpc)])
			ret->services[number_of(e->service)] = true;
	for (const struct service_resource *v = NULL;
	     (v = snapshot_next(rows, KIND_SERVICE_RESOURCE, "", v));) {
		const struct load_balancer *balancer = snapshot_load_balancer(rows, v->resource);

		if (balancer && ret->services[number_of(v->service)])
			ret->vpcs[number_of(balancer->vpc)] = true;
	}
}

/* Whether the node is told of the row. */
static bool is_told(const struct walked *walked, enum kind kind, const void *row)
{
	while (row) {
		enum ref told = relation_following(kind, REF_TOLD);

		if (kind == KIND_NODE)
			return true;
		if (kind == KIND_VPC)
			return walked->vpcs[number_of(((const struct vpc *)row)->id)];
		if (kind == KIND_SERVICE)
			return walked->services[number_of(((const struct service *)row)->id)];
		if (kind == KIND_ENDPOINT)
			return walked->own[number_of(((const struct endpoint *)row)->vpc)];
		if (kind == KIND_CONNECTIVITY_TEST)
			return streq(((const struct connectivity_test *)row)->node, walked->node);
		if (kind == KIND_NAT_RANGE)
			return streq(((const struct nat_range *)row)->node, walked->node);
		row = told == REF_COUNT_ ? NULL : snapshot_parent(walked->rows, told, row, &kind);
	}
	return false;
}

/* ---- nodes ---- */

struct node_rows {
	char name[16];
	struct snapshot *rows;
	struct kept_rows *kept;
	bool pages;    /* it is no agent of the version before */
	bool lost;     /* it has just started: what it has is what was kept */
	size_t n_full; /* answers that begin with everything */
	size_t n_pages, n_told, n_starts;
	size_t n_rows; /* of answers, without keys that are gone */
};

/* The rows of one kind that the node should not have, or not so; and those that it lacks. */
static size_t count_wrong(const struct walked *walked, const struct snapshot *has, enum kind kind)
{
	size_t n_wrong = 0, n_told = 0;

	for (const struct row_meta *row = NULL; (row = snapshot_next(walked->rows, kind, "", row));) {
		const struct row_meta *told = snapshot_find(has, kind, snapshot_id(row));

		if (!is_told(walked, kind, row))
			continue;
		n_told++;
		n_wrong += !told || told->modified != row->modified || told->created != row->created;
	}
	return n_wrong + (snapshot_count(has, kind, "") != n_told);
}

static bool is_as_walked(const struct snapshot *rows, const struct node_rows *node)
{
	struct walked walked;
	size_t n_wrong = 0;

	walk(rows, node->name, &walked);
	for (enum kind kind = 0; kind < KIND_COUNT_; kind++) {
		size_t n = count_wrong(&walked, node->rows, kind);

		if (n > 0)
			tap_note("node %s: %zu wrong of kind %s at revision %llu", node->name, n,
				 kind_info(kind)->name, (unsigned long long)snapshot_revision(rows));
		n_wrong += n;
	}
	return n_wrong == 0;
}

/* The text of an answer as it goes over the socket: the caller's. */
static char *ask(const struct store *store, const struct node_rows *node, uint64_t after,
		 const struct feed_list *pages)
{
	const struct feed_question question = {
		.node = node->name,
		.after = after,
		.pages = node->pages,
		.most = node->pages ? MOST : 0,
		.page = *pages->next ? pages->next : NULL,
	};
	json_t *answer;
	char *text;

	must(feed_rows_answer(store, &question, &answer), "answer");
	(void)json_object_set_new(answer, "store", json_string(store_identity(store)));
	text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	return text;
}

/* One poll, and what an agent makes of its answer. False: it was a page. */
static bool poll_once(const struct store *store, struct node_rows *node, struct feed_list *pages)
{
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	_cleanup_(freep) char *text = NULL;
	uint64_t after = node->lost ? 0 : snapshot_revision(node->rows);
	struct feed_rows told;

	if (pages->n > 0 && pages->is_full)
		after = *pages->next ? 0 : pages->listed;
	text = ask(store, node, after, pages);
	must(feed_answer_parse(text, strlen(text), &answer), "answer");
	node->n_full += answer.is_full;
	node->n_rows += answer.text.n;
	if (answer.is_page) {
		must(feed_list_add(pages, &answer, text, strlen(text)), "page");
		node->n_pages++;
		return false;
	}
	if (answer.is_full)
		feed_list_clear(pages);
	kept_rows_add(node->kept, pages, &answer, text, strlen(text));
	must(feed_list_apply(pages, &answer, node->rows, &told), "answer");
	feed_list_clear(pages);
	node->lost = false;
	node->n_told += told.n_changes;
	return true;
}

/* The agent is killed, and another one reads what was kept. False: not that what was in force. */
static bool start_anew(const struct store *store, struct node_rows *node, const char *directory)
{
	char timeline[NODE_TIMELINE_SIZE];
	struct snapshot *rows;
	bool same = true;

	kept_rows_free(node->kept);
	must(kept_rows_new(directory, node->name, &node->kept), "kept rows");
	must(snapshot_new(&rows), "rows");
	must(kept_rows_load(node->kept, store_identity(store), snapshot_revision(node->rows), rows, timeline),
	     "kept rows");
	for (enum kind kind = 0; kind < KIND_COUNT_; kind++)
		same = same && snapshot_count(rows, kind, "") == snapshot_count(node->rows, kind, "");
	same = same && snapshot_revision(rows) == snapshot_revision(node->rows);
	snapshot_free(node->rows);
	node->rows = rows;
	node->lost = true;
	node->n_starts++;
	return same;
}

/* Polls until all is told. False: it ended in the middle, and began with what it had not. */
static bool follow(struct loop *loop, struct store *store, struct node_rows *node, const char *directory)
{
	_cleanup_(feed_list_clear) struct feed_list pages = {};

	while (!poll_once(store, node, &pages)) {
		if (below(3) == 0)
			change_rows(loop, store);
		if (below(200) == 0 && snapshot_revision(node->rows) > 0) {
			feed_list_clear(&pages);
			if (!start_anew(store, node, directory))
				return false;
		}
	}
	return below(100) > 0 || start_anew(store, node, directory);
}

/* Of its own, so that what nodes keep lies apart. */
static const char *node_directory(const char *directory, size_t number)
{
	static char path[64];

	must(str_format(path, sizeof(path), "%s/%zu", directory, number), "path");
	return path;
}

static void make_node(struct node_rows *node, const char *name, const char *directory, size_t number)
{
	must(str_copy(node->name, sizeof(node->name), name), "name");
	node->pages = number % 2;
	must(snapshot_new(&node->rows), "rows");
	must(mkdir(node_directory(directory, number), 0700) < 0 ? -errno : 0, "directory");
	must(kept_rows_new(node_directory(directory, number), node->name, &node->kept), "kept rows");
}

static void test_random(struct loop *loop, struct store *store, const char *directory)
{
	struct node_rows nodes[NODES] = {};
	bool good = true, kept = true;
	size_t n_rows = 0;

	for (size_t i = 0; i < NODES; i++)
		make_node(&nodes[i], node_names[i], directory, i);
	for (int round = 0; round < ROUNDS && good && kept; round++) {
		change_rows(loop, store);
		for (uint32_t i = 0; i < NODES && good && kept; i++) {
			/* The last one seldom asks. */
			if (below(i + 1 == NODES ? 50 : i + 1) > 0)
				continue;
			kept = follow(loop, store, &nodes[i], node_directory(directory, i));
			good = nodes[i].lost || is_as_walked(store_rows(store), &nodes[i]);
			n_rows = MAX(n_rows, snapshot_count(nodes[i].rows, KIND_ENDPOINT, ""));
		}
	}
	tap_ok(good, "after each of %d random changes nodes have what a walk says", ROUNDS);
	tap_ok(kept, "what an agent keeps is always what it had in force");
	for (size_t i = 0; i < NODES; i++) {
		/* Pages are of seven rows, so that much is more than one answer takes. */
		tap_ok(nodes[i].n_full <= nodes[i].n_starts + 1, "%s is told everything at its starts alone",
		       nodes[i].name);
		tap_ok(nodes[i].n_told > 500, "and much since");
		tap_ok(nodes[i].pages == (nodes[i].n_pages > 20), "in pages if it understands them");
		snapshot_free(nodes[i].rows);
		kept_rows_free(nodes[i].kept);
	}
	tap_ok(nodes[0].n_starts > 0 && nodes[1].n_starts > 0, "some were killed");
	tap_ok(n_rows > 2, "endpoints were among it");
}

static bool is_all(const struct store *store, const char *node, uint64_t after)
{
	const struct feed_question question = {.node = node, .after = after};
	json_t *answer;
	bool all;

	must(feed_rows_answer(store, &question, &answer), "answer");
	all = json_is_true(json_object_get(answer, "full"));
	json_decref(answer);
	return all;
}

/* Opened again, nodes are told of the same. */
static void test_load(struct loop *loop, const char *path, const char *directory)
{
	struct node_rows node = {};
	struct feed_list pages = {};
	struct store *store;

	must(store_sqlite_open(loop, path, &store), "store");
	make_node(&node, node_names[0], directory, NODES);
	(void)poll_once(store, &node, &pages);
	tap_ok(is_as_walked(store_rows(store), &node), "as well after the store was opened again");
	tap_ok(!is_all(store, node.name, store_durable_revision(store)),
	       "which builds upon what was told at its last revision");
	tap_ok(is_all(store, node.name, store_durable_revision(store) - 1), "and upon nothing before");
	tap_ok(is_all(store, node.name, store_durable_revision(store) + 1), "or later");
	snapshot_free(node.rows);
	kept_rows_free(node.kept);
	store_free(store);
}

/* ---- much at once ---- */

#define MUCH 200 /* rows, which one answer does not take, and not even their keys */

static void put_row(struct store_txn *txn, enum kind kind, const void *row)
{
	json_t *json = row_to_json(kind, row);
	char key[KEY_SIZE];

	must(row_key(kind, row, key), "key");
	(void)store_txn_put(txn, key, json);
	json_decref(json);
}

/* The node's only port in the VPC, or no more. */
static void move_port(struct loop *loop, struct store *store, const char *vpc, bool comes)
{
	struct port port = {.vpc = vpc, .node = "node-0"};
	struct store_txn *txn;
	char key[KEY_SIZE];

	must(store_txn_new(&txn), "transaction");
	must(str_format(port.id, sizeof(port.id), "eni-of-%s", vpc), "id");
	must(row_key(KIND_PORT, &port, key), "key");
	if (comes)
		put_row(txn, KIND_PORT, &port);
	else
		(void)store_txn_delete(txn, key);
	store_commit(store, txn, ended, NULL);
	must(loop_turn(loop, 0), "turn");
}

/* `first` on. */
static void put_vswitches(struct loop *loop, struct store *store, const char *vpc, unsigned int first,
			  unsigned int n)
{
	struct store_txn *txn;

	must(store_txn_new(&txn), "transaction");
	for (unsigned int i = first; i < first + n; i++) {
		struct vswitch vswitch = {};

		must(str_format(vswitch.id, sizeof(vswitch.id), "vsw-%u-of-%s", i, vpc), "id");
		must(str_copy(vswitch.vpc, sizeof(vswitch.vpc), vpc), "id");
		put_row(txn, KIND_VSWITCH, &vswitch);
	}
	store_commit(store, txn, ended, NULL);
	must(loop_turn(loop, 0), "turn");
}

static void make_vpc(struct loop *loop, struct store *store, const char *id, unsigned int n_vswitches)
{
	struct vpc vpc = {};
	struct store_txn *txn;

	must(store_txn_new(&txn), "transaction");
	must(str_copy(vpc.id, sizeof(vpc.id), id), "id");
	put_row(txn, KIND_VPC, &vpc);
	store_commit(store, txn, ended, NULL);
	for (unsigned int i = 0; i < n_vswitches; i += STORE_TXN_OPS_MAX)
		put_vswitches(loop, store, id, i, MIN(n_vswitches - i, (unsigned int)STORE_TXN_OPS_MAX));
	must(loop_turn(loop, 0), "turn");
}

/* A node that is told of vpc-0, which is large, and knows it. */
struct follower {
	struct loop *loop;
	struct store *store;
	struct node_rows node;
	struct feed_list pages;
	unsigned int n_changed;
};

static void finish(struct follower *f)
{
	while (!poll_once(f->store, &f->node, &f->pages))
		;
}

static void follower_init(struct follower *f, struct loop *loop, const char *path, const char *directory,
			  size_t number)
{
	*f = (struct follower){.loop = loop};
	must(store_sqlite_open(loop, path, &f->store), "store");
	make_node(&f->node, node_names[0], directory, number);
	f->node.pages = true;
	make_vpc(loop, f->store, "vpc-0", MUCH);
	make_vpc(loop, f->store, "vpc-1", 1);
	move_port(loop, f->store, "vpc-0", true);
	finish(f);
}

static void follower_done(struct follower *f)
{
	snapshot_free(f->node.rows);
	kept_rows_free(f->node.kept);
	store_free(f->store);
}

/* As much as three answers take, each time others of its rows. */
static void change_much(struct follower *f)
{
	put_vswitches(f->loop, f->store, "vpc-0", f->n_changed, 3 * MOST);
	f->n_changed = (f->n_changed + 3 * MOST) % (MUCH - 3 * MOST);
}

/* Polls until all is told, and between each two polls much changes. */
static bool follow_changes(struct follower *f, bool moves)
{
	bool is_told = false;

	for (int i = 0; i < 20 * MUCH && !is_told; i++) {
		if (moves)
			move_port(f->loop, f->store, "vpc-0", i % 2);
		else
			change_much(f);
		is_told = poll_once(f->store, &f->node, &f->pages);
	}
	return is_told && is_as_walked(store_rows(f->store), &f->node);
}

static void test_leave(struct follower *f)
{
	size_t n_full = f->node.n_full, n_pages = f->node.n_pages;

	f->node.n_told = f->node.n_rows = 0;
	move_port(f->loop, f->store, "vpc-0", false);
	finish(f);
	tap_ok(f->node.n_pages > n_pages, "a large VPC leaves a node in pages");
	tap_is_int((long long)f->node.n_told, MUCH + 2, "of it, its port and all else, once");
	tap_is_int((long long)f->node.n_rows, 0, "by their keys alone");
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "and nothing of it stays");
	move_port(f->loop, f->store, "vpc-0", true);
	(void)poll_once(f->store, &f->node, &f->pages);
	move_port(f->loop, f->store, "vpc-0", false);
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "nor of one that leaves while it comes");
	move_port(f->loop, f->store, "vpc-0", true);
	finish(f);
	move_port(f->loop, f->store, "vpc-0", false);
	move_port(f->loop, f->store, "vpc-1", true);
	(void)poll_once(f->store, &f->node, &f->pages);
	move_port(f->loop, f->store, "vpc-0", true);
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "one that comes while it leaves is there");
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
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "and all of it");
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
		put_vswitches(f->loop, f->store, "vpc-0", 0, STORE_TXN_OPS_MAX);
}

/* So many endpoints, each of another service, of which there is no row. */
static void put_endpoints(struct follower *f, const char *vpc, unsigned int n, bool comes)
{
	for (unsigned int i = 0; i < n;) {
		struct store_txn *txn;

		must(store_txn_new(&txn), "transaction");
		for (unsigned int end = MIN(n, i + STORE_TXN_OPS_MAX); i < end; i++) {
			struct endpoint endpoint = {.vpc = vpc};
			char service[ID_SIZE], key[KEY_SIZE];

			must(str_format(service, sizeof(service), "epsrv-%u", i), "id");
			must(str_format(endpoint.id, sizeof(endpoint.id), "ep-%u-of-%s", i, vpc), "id");
			endpoint.service = service;
			must(row_key(KIND_ENDPOINT, &endpoint, key), "key");
			if (comes)
				put_row(txn, KIND_ENDPOINT, &endpoint);
			else
				(void)store_txn_delete(txn, key);
		}
		store_commit(f->store, txn, ended, NULL);
		must(loop_turn(f->loop, 0), "turn");
	}
}

/* Ports of so many other nodes. */
static void put_others(struct follower *f, const char *vpc, unsigned int n)
{
	struct store_txn *txn;

	must(store_txn_new(&txn), "transaction");
	for (unsigned int i = 0; i < n; i++) {
		struct port port = {.vpc = vpc};
		char node[16];

		must(str_format(node, sizeof(node), "other-%u", i), "name");
		must(str_format(port.id, sizeof(port.id), "eni-of-%s", node), "id");
		port.node = node;
		put_row(txn, KIND_PORT, &port);
	}
	store_commit(f->store, txn, ended, NULL);
	must(loop_turn(f->loop, 0), "turn");
}

/* More than are remembered come to other nodes, and leave them, by far fewer changes. */
static void forget_moves(struct follower *f)
{
	const unsigned int n = STORE_TXN_OPS_MAX;

	put_others(f, "vpc-2", n);
	for (unsigned int i = 0; i <= TOLD_NODES_MOVES_MAX / (2 * n * n); i++) {
		put_endpoints(f, "vpc-2", n, true);
		put_endpoints(f, "vpc-2", n, false);
	}
}

/* Ends the list that is under way, and its node is given everything. */
static void expect_break(struct follower *f, size_t n_full)
{
	tap_ok(!poll_once(f->store, &f->node, &f->pages) && !*f->pages.next && f->node.n_full == n_full,
	       "it ends when that is forgotten");
	tap_ok(!poll_once(f->store, &f->node, &f->pages) && f->pages.is_full && f->node.n_full == n_full + 1,
	       "and everything is told, as the rows that it was to build upon are too old");
}

static void test_forgotten_meanwhile(struct follower *f)
{
	size_t n_full = f->node.n_full;

	for (int i = 0; i < 5; i++)
		change_much(f);
	tap_ok(!poll_once(f->store, &f->node, &f->pages), "a list of what changed is under way");
	forget_changes(f);
	expect_break(f, n_full);
	forget_changes(f);
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "twice, where that happens again");
	tap_is_int((long long)f->node.n_full, (long long)n_full + 2, "and no more than that");
}

/* More than is remembered comes to others and leaves them: that ends no list, and no node is given
 * everything. */
static void test_others_move(struct follower *f)
{
	size_t n_full = f->node.n_full;

	move_port(f->loop, f->store, "vpc-0", true);
	finish(f);
	move_port(f->loop, f->store, "vpc-0", false);
	tap_ok(!poll_once(f->store, &f->node, &f->pages), "a list of what left is under way");
	forget_moves(f);
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "it goes on, whatever moves elsewhere");
	move_port(f->loop, f->store, "vpc-0", true);
	forget_moves(f);
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "what came before is told behind that, too");
	move_port(f->loop, f->store, "vpc-0", false);
	move_port(f->loop, f->store, "vpc-1", true);
	forget_moves(f);
	tap_ok(feed_rows_concern(f->store, f->node.name, snapshot_revision(f->node.rows)),
	       "a node is woken for it");
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "and what left");
	tap_is_int((long long)f->node.n_full, (long long)n_full, "and nothing else is told for any of that");
	f->node.lost = true;
	move_port(f->loop, f->store, "vpc-0", true);
	tap_ok(!poll_once(f->store, &f->node, &f->pages), "a list of everything is under way");
	move_port(f->loop, f->store, "vpc-1", false);
	forget_moves(f);
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "it goes on, too");
	tap_is_int((long long)f->node.n_full, (long long)n_full + 1, "and has begun once");
}

/* Others have more rows than are looked at for a page: that costs a node no page, whether it is told
 * everything or a VPC comes to it. */
static void test_others(struct follower *f)
{
	struct node_rows node = {.pages = true, .lost = true};
	struct feed_list pages = {};

	make_vpc(f->loop, f->store, "vpc-3", 3 * FEED_PAGE_LOOKED_MAX);
	(void)str_copy(node.name, sizeof(node.name), "node-2");
	must(snapshot_new(&node.rows), "rows");
	node.kept = f->node.kept;
	while (!poll_once(f->store, &node, &pages))
		;
	tap_ok(is_as_walked(store_rows(f->store), &node), "a node without a port is told everything");
	tap_is_int((long long)node.n_pages, 1, "in one page, though others have more than is looked at");
	snapshot_free(node.rows);

	f->node.n_pages = f->node.n_rows = 0;
	move_port(f->loop, f->store, "vpc-0", true);
	finish(f);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "a large VPC comes to a node");
	tap_ok(f->node.n_pages <= f->node.n_rows / MOST + 1, "in pages that are all full");
}

#define FLAPS 100

/* However often a VPC came and went between two answers, its rows are looked at once. */
static void test_flapping(struct follower *f)
{
	const size_t n_rows = 10 * MOST;

	make_vpc(f->loop, f->store, "vpc-4", n_rows);
	finish(f);
	for (int i = 0; i < FLAPS; i++) {
		move_port(f->loop, f->store, "vpc-4", true);
		move_port(f->loop, f->store, "vpc-4", false);
	}
	n_looked = 0;
	f->node.n_pages = 0;
	finish(f);
	tap_is_int((long long)f->node.n_pages, 0, "a VPC that came and went often is one answer");
	tap_ok(n_looked <= n_rows + 4 * FLAPS, "for which each row of it is looked at once: %zu", n_looked);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "and nothing of it stays");
}

/* What has no rows is not looked at without end either. */
static void test_empty(struct follower *f)
{
	put_endpoints(f, "vpc-0", MUCH, true);
	move_port(f->loop, f->store, "vpc-0", true);
	finish(f);
	put_endpoints(f, "vpc-0", MUCH, false);
	n_walked = 0;
	tap_ok(!poll_once(f->store, &f->node, &f->pages), "many services that leave a node are a list");
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
			make_vpc(f->loop, f->store, vpc, 0);
		move_port(f->loop, f->store, vpc, comes);
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
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "and are all there");
	move_port(f->loop, f->store, "vpc-0", false);
	n_gone_through = 0;
	finish(f);
	tap_ok(n_gone_through > 0 && n_gone_through <= FEED_PAGE_LOOKED_MAX,
	       "and a page for another one that leaves goes through %zu of %u shares", n_gone_through, 2 * n);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "which is gone then");
	put_ports(f, n, false);
	f->node.n_pages = n_compared = 0;
	finish(f);
	tap_ok(f->node.n_pages > 1, "they leave in %zu pages", f->node.n_pages);
	tap_ok(n_compared <= 16 * (2 * n + f->node.n_pages), "with %zu comparisons", n_compared);
	tap_ok(is_as_walked(store_rows(f->store), &f->node), "and nothing of them stays");
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

	must(feed_rows_answer(f->store, &question, &answer), "answer");
	tap_is_str(json_string_value(json_object_get(answer, "more")), "",
		   "a list of revisions that are yet to come cannot go on");
	tap_ok(json_array_size(json_object_get(answer, "rows")) == 0, "and has nothing");
	json_decref(answer);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		question.page = pages[i];
		tap_is_int(feed_rows_answer(f->store, &question, &answer), -EINVAL, "case %zu is no page", i);
	}
}

static void test_much(struct loop *loop, const char *path, const char *directory)
{
	struct follower f;

	follower_init(&f, loop, path, directory, NODES + 1);
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
	follower_done(&f);
}

/* ---- ranges of translated addresses ---- */

static void change_range(struct loop *loop, struct store *store, const char *node, bool comes)
{
	struct nat_range range = {.vpc = "vpc-0"};
	struct store_txn *txn;
	char key[KEY_SIZE];

	must(store_txn_new(&txn), "transaction");
	must(str_copy(range.node, sizeof(range.node), node), "name");
	must(row_key(KIND_NAT_RANGE, &range, key), "key");
	if (comes)
		put_row(txn, KIND_NAT_RANGE, &range);
	else
		(void)store_txn_delete(txn, key);
	store_commit(store, txn, ended, NULL);
	must(loop_turn(loop, 0), "turn");
}

/* Whether the node is told the range of `of` in the VPC, or that it is gone. */
static bool hears_of_range(const struct store *store, const char *node, const char *of, uint64_t after)
{
	const struct feed_question question = {.node = node, .after = after};
	char key[KEY_SIZE];
	json_t *answer;
	char *text;
	bool hears;

	must(str_format(key, sizeof(key), "\"nat_range/vpc-0/%s\"", of), "key");
	must(feed_rows_answer(store, &question, &answer), "answer");
	text = json_dumps(answer, JSON_COMPACT);
	hears = strstr(text, key);
	free(text);
	json_decref(answer);
	return hears;
}

/* node-0 is told of the VPC; of its ranges each node is told its own, whether the VPC comes or goes. */
static void test_ranges(struct loop *loop, const char *path)
{
	struct store *store;
	uint64_t before;

	must(store_sqlite_open(loop, path, &store), "store");
	make_vpc(loop, store, "vpc-0", 1);
	move_port(loop, store, "vpc-0", true);
	before = store_durable_revision(store);
	change_range(loop, store, "node-1", true);
	tap_ok(!feed_rows_concern(store, "node-0", before) &&
		       !hears_of_range(store, "node-0", "node-1", before),
	       "another node's range does not concern a node that is told of the VPC");
	tap_ok(feed_rows_concern(store, "node-1", before) &&
		       hears_of_range(store, "node-1", "node-1", before),
	       "it is told to that node");
	change_range(loop, store, "node-0", true);
	tap_ok(hears_of_range(store, "node-0", "node-0", before), "and each is told its own");

	before = store_durable_revision(store);
	move_port(loop, store, "vpc-0", false);
	tap_ok(!hears_of_range(store, "node-0", "node-1", before) &&
		       !hears_of_range(store, "node-0", "node-0", before),
	       "when the VPC leaves a node, that hears of no range");
	move_port(loop, store, "vpc-0", true);
	tap_ok(!hears_of_range(store, "node-0", "node-1", before), "nor of another's when it comes again");
	before = store_durable_revision(store);
	change_range(loop, store, "node-0", false);
	tap_ok(hears_of_range(store, "node-0", "node-0", before), "that its own is gone it is told");
	tap_ok(!feed_rows_concern(store, "node-1", before), "and nobody else");
	store_free(store);
}

/* ---- the walk of a share, row by row ---- */

struct visited {
	char keys[512][KEY_SIZE];
	size_t n;
	bool stops; /* at each row */
};

static int note_row(void *context, enum kind kind, const void *row)
{
	struct visited *visited = context;

	if (visited->n == ARRAY_SIZE(visited->keys))
		return -E2BIG;
	must(row_key(kind, row, visited->keys[visited->n++]), "key");
	return visited->stops;
}

/* The same, row by row; of every other one all that is told with it goes as soon as it was visited. */
static size_t test_row_by_row(struct loop *loop, struct store *store, const struct share *share)
{
	static struct visited all, one;
	struct share_place place = {};
	bool same = true;

	all = (struct visited){};
	one = (struct visited){.stops = true};
	must(share_walk(store_rows(store), share, note_row, &all), "walk");
	while (share_walk_behind(store_rows(store), share, &place, note_row, &one) > 0) {
		same = same && streq(one.keys[one.n - 1], all.keys[one.n - 1]);
		if (one.n > 1 && one.n % 2) {
			struct store_txn *txn;

			must(store_txn_new(&txn), "transaction");
			(void)store_txn_delete(txn, one.keys[one.n - 1]);
			store_commit(store, txn, ended, NULL);
			must(loop_turn(loop, 0), "turn");
		}
	}
	tap_ok(same && one.n == all.n,
	       "a walk of the %zu rows of a share of kind %d visits each once, however often it stops", all.n,
	       (int)share->to);
	return all.n;
}

static void test_walk(struct loop *loop, const char *path)
{
	struct share shares[] = {
		{.to = TOLD_ALL},
		{.to = TOLD_NODE, .id = "node-0"},
		{.to = TOLD_VPC, .id = "vpc-0"},
		{.to = TOLD_ENDPOINTS, .id = "vpc-0"},
		{.to = TOLD_SERVICE, .id = "epsrv-0"},
	};
	struct store *store;
	size_t n = 0;

	must(store_sqlite_open(loop, path, &store), "store");
	for (int i = 0; i < 1000; i++)
		change_rows(loop, store);
	make_vpc(loop, store, "vpc-0", 3);
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
		n += test_row_by_row(loop, store, &shares[i]);
	tap_ok(n > 4, "there were some");
	store_free(store);
}

int main(void)
{
	char directory[] = "/tmp/privlink-test-scope-XXXXXX", path[64];
	const char *given = getenv("PRIVLINK_SEED");
	struct store *store;
	struct loop *loop;

	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	(void)str_format(path, sizeof(path), "%s/s.db", directory);
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)now_unix_s() * 1000003 + (uint64_t)getpid();
	tap_note("PRIVLINK_SEED=%llu", (unsigned long long)seed);
	must(loop_new(&loop), "loop");
	must(store_sqlite_open(loop, path, &store), "store");
	test_random(loop, store, directory);
	store_free(store);
	test_load(loop, path, directory);
	(void)str_format(path, sizeof(path), "%s/much.db", directory);
	test_much(loop, path, directory);
	(void)str_format(path, sizeof(path), "%s/ranges.db", directory);
	test_ranges(loop, path);
	(void)str_format(path, sizeof(path), "%s/walk.db", directory);
	test_walk(loop, path);
	loop_free(loop);
	(void)str_format(path, sizeof(path), "rm -r %s", directory);
	return system(path) == 0 ? tap_done() : EXIT_FAILURE;
}
