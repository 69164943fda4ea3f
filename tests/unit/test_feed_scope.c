/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes are told of, kept as rows change, against what a walk of all rows says: random rows come, change
 * and go, in any order, with parents that there are not; nodes ask for what is new now and then, put it into
 * their rows as an agent does, and have then what the walk finds. Each run is another one; PRIVLINK_SEED
 * repeats one. And the parts: ranges of translated addresses, and the walk of what is told together.
 */
#include "feed_nodes.h"

#define ROUNDS	  6000
#define BALANCERS 4
#define GROUPS	  4
#define OTHERS	  8 /* of any other kind */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

/* ---- rows ---- */

#define ANY(member, begin, n) must(str_format(member, sizeof(member), "%s%u", begin, below(n)), "id")

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

/* One to four rows, of which some go. */
static void change_rows(struct world *w)
{
	struct store_txn *txn = begin();
	union any_row row;

	for (uint32_t n = 1 + below(4); n > 0; n--) {
		enum kind kind = make_row(&row);

		change_row(txn, kind, &row, below(3) > 0);
	}
	commit(w, txn);
}

/* ---- nodes ---- */

/* The agent is killed, and another one reads what was kept. False: not that what was in force. */
static bool start_anew(const struct world *w, struct node_rows *node)
{
	char timeline[NODE_TIMELINE_SIZE];
	struct snapshot *rows;
	bool same = true;

	kept_rows_free(node->kept);
	must(kept_rows_new(node->directory, node->name, &node->kept), "kept rows");
	must(snapshot_new(&rows), "rows");
	must(kept_rows_load(node->kept, store_identity(w->store), snapshot_revision(node->rows), rows,
			    timeline),
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
static bool follow(struct world *w, struct node_rows *node)
{
	_cleanup_(feed_list_clear) struct feed_list pages = {};

	while (!poll_once(w, node, &pages)) {
		if (below(3) == 0)
			change_rows(w);
		if (below(200) == 0 && snapshot_revision(node->rows) > 0) {
			feed_list_clear(&pages);
			if (!start_anew(w, node))
				return false;
		}
	}
	return below(100) > 0 || start_anew(w, node);
}

static void test_random(struct world *w)
{
	struct node_rows nodes[NODES] = {};
	bool good = true, kept = true;
	size_t n_rows = 0;

	for (size_t i = 0; i < NODES; i++)
		make_node(w, &nodes[i], node_names[i], i % 2);
	for (int round = 0; round < ROUNDS && good && kept; round++) {
		change_rows(w);
		for (uint32_t i = 0; i < NODES && good && kept; i++) {
			/* The last one seldom asks. */
			if (below(i + 1 == NODES ? 50 : i + 1) > 0)
				continue;
			kept = follow(w, &nodes[i]);
			good = nodes[i].lost || is_as_walked(w, &nodes[i]);
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
		node_done(&nodes[i]);
	}
	tap_ok(nodes[0].n_starts > 0 && nodes[1].n_starts > 0, "some were killed");
	tap_ok(n_rows > 2, "endpoints were among it");
}

/* The caller's. */
static json_t *answer_to(const struct world *w, const char *node, uint64_t after)
{
	const struct feed_question question = {.node = node, .after = after};
	json_t *answer;

	must(feed_rows_answer(w->store, &question, &answer), "answer");
	return answer;
}

static bool is_all(const struct world *w, const char *node, uint64_t after)
{
	json_t *answer = answer_to(w, node, after);
	bool all = json_is_true(json_object_get(answer, "full"));

	json_decref(answer);
	return all;
}

/* Opened again, nodes are told of the same. */
static void test_load(struct world *w)
{
	uint64_t durable = store_durable_revision(w->store);
	struct feed_list pages = {};
	struct node_rows node;

	make_node(w, &node, node_names[0], false);
	(void)poll_once(w, &node, &pages);
	tap_ok(is_as_walked(w, &node), "as well after the store was opened again");
	tap_ok(!is_all(w, node.name, durable), "which builds upon what was told at its last revision");
	tap_ok(is_all(w, node.name, durable - 1), "and upon nothing before");
	tap_ok(is_all(w, node.name, durable + 1), "or later");
	node_done(&node);
}

/* ---- ranges of translated addresses ---- */

static void change_range(struct world *w, const char *node, bool comes)
{
	struct nat_range range = {.vpc = "vpc-0"};
	struct store_txn *txn = begin();

	must(str_copy(range.node, sizeof(range.node), node), "name");
	change_row(txn, KIND_NAT_RANGE, &range, comes);
	commit(w, txn);
}

/* Whether the node is told the range of `of` in the VPC, or that it is gone. */
static bool hears_of_range(const struct world *w, const char *node, const char *of, uint64_t after)
{
	json_t *answer = answer_to(w, node, after);
	char *text = json_dumps(answer, JSON_COMPACT), key[KEY_SIZE];
	bool hears;

	must(str_format(key, sizeof(key), "\"nat_range/vpc-0/%s\"", of), "key");
	hears = strstr(text, key);
	free(text);
	json_decref(answer);
	return hears;
}

/* node-0 is told of the VPC; of its ranges each node is told its own, whether the VPC comes or goes. */
static void test_ranges(struct world *w)
{
	const struct store *store = w->store;
	uint64_t before;

	make_vpc(w, "vpc-0", 1);
	move_port(w, "vpc-0", true);
	before = store_durable_revision(store);
	change_range(w, "node-1", true);
	tap_ok(!feed_rows_concern(store, "node-0", before) && !hears_of_range(w, "node-0", "node-1", before),
	       "another node's range does not concern a node that is told of the VPC");
	tap_ok(feed_rows_concern(store, "node-1", before) && hears_of_range(w, "node-1", "node-1", before),
	       "it is told to that node");
	change_range(w, "node-0", true);
	tap_ok(hears_of_range(w, "node-0", "node-0", before), "and each is told its own");

	before = store_durable_revision(store);
	move_port(w, "vpc-0", false);
	tap_ok(!hears_of_range(w, "node-0", "node-1", before) &&
		       !hears_of_range(w, "node-0", "node-0", before),
	       "when the VPC leaves a node, that hears of no range");
	move_port(w, "vpc-0", true);
	tap_ok(!hears_of_range(w, "node-0", "node-1", before), "nor of another's when it comes again");
	before = store_durable_revision(store);
	change_range(w, "node-0", false);
	tap_ok(hears_of_range(w, "node-0", "node-0", before), "that its own is gone it is told");
	tap_ok(!feed_rows_concern(store, "node-1", before), "and nobody else");
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
static size_t test_row_by_row(struct world *w, const struct share *share)
{
	static struct visited all, one;
	struct share_place place = {};
	bool same = true;

	all = (struct visited){};
	one = (struct visited){.stops = true};
	must(share_walk(store_rows(w->store), share, note_row, &all), "walk");
	while (share_walk_behind(store_rows(w->store), share, &place, note_row, &one) > 0) {
		same = same && streq(one.keys[one.n - 1], all.keys[one.n - 1]);
		if (one.n > 1 && one.n % 2) {
			struct store_txn *txn = begin();

			(void)store_txn_delete(txn, one.keys[one.n - 1]);
			commit(w, txn);
		}
	}
	tap_ok(same && one.n == all.n,
	       "a walk of the %zu rows of a share of kind %d visits each once, however often it stops", all.n,
	       (int)share->to);
	return all.n;
}

static void test_walk(struct world *w)
{
	struct share shares[] = {
		{.to = TOLD_ALL},
		{.to = TOLD_NODE, .id = "node-0"},
		{.to = TOLD_VPC, .id = "vpc-0"},
		{.to = TOLD_ENDPOINTS, .id = "vpc-0"},
		{.to = TOLD_SERVICE, .id = "epsrv-0"},
	};
	size_t n = 0;

	for (int i = 0; i < 1000; i++)
		change_rows(w);
	make_vpc(w, "vpc-0", 3);
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
		n += test_row_by_row(w, &shares[i]);
	tap_ok(n > 4, "there were some");
}

int main(void)
{
	const char *given = getenv("PRIVLINK_SEED");
	struct world w;

	seed = given ? strtoull(given, NULL, 10) : (uint64_t)now_unix_s() * 1000003 + (uint64_t)getpid();
	tap_note("PRIVLINK_SEED=%llu", (unsigned long long)seed);
	world_begin(&w);
	world_open(&w, "random");
	test_random(&w);
	world_open(&w, "random");
	test_load(&w);
	world_open(&w, "ranges");
	test_ranges(&w);
	world_open(&w, "walk");
	test_walk(&w);
	return world_end(&w);
}
