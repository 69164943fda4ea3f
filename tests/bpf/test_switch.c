/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group's list is replaced under running packets, by the same code as in the agent. Old and new lists are
 * of different shapes, and all of them let a packet pass by a rule of their own and refuse another one; so a
 * packet that met some of each would find the wrong answer. None may.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "../tap.h"
#include "node.h"

#include "datapath/group_table.h"

#define SECONDS	   2 /* on a slow machine longer, until there were so many: */
#define SWITCHES   50
#define PACKETS	   20000
#define PATIENCE_S 60
#define SHAPES	   6
#define REPEATS	   2000
#define NUMBER	   7
#define LET_IN	   443
#define KEPT_OUT   445

struct shape {
	struct group_rule rules[PL_LIST_RULES_MAX];
	size_t n;
};

static struct shape shapes[SHAPES];

struct traffic {
	struct node *node;
	atomic_bool ends;
	atomic_ullong packets;
	uint64_t wrong;
};

/* The rule that decides stands elsewhere in each, between others that do not match. */
static void make_shape(struct shape *shape, uint32_t number)
{
	static const size_t sizes[SHAPES] = {1, 5, 40, 200, 256, 700};

	shape->n = sizes[number];
	for (uint32_t i = 0; i < shape->n; i++) {
		struct group_rule *rule = &shape->rules[i];

		*rule = (struct group_rule){.rank = PL_RANK(1 + i * 90 / shape->n, i & 1)};
		group_rule_set_service(rule, 6, (uint16_t)(1000 + i * 3), (uint16_t)(1400 + i * 5));
		group_rule_set_prefix(rule, 0x0a000000 + (i + number) * 0x1010, 20 + (i + number) % 13);
	}
	group_rule_set_service(&shape->rules[shape->n / 2], 6, LET_IN, LET_IN);
	group_rule_set_prefix(&shape->rules[shape->n / 2], 0x0a000000, 8 + number);
	shape->rules[shape->n / 2].rank = PL_RANK(40 + number, 1);
	shape->n = group_rules_settle(shape->rules, shape->n);
}

/* Packets in a row of which each has to end the same way: the number that did not, by the program's own
 * counter of refusals. */
static uint64_t refused(struct traffic *traffic, uint16_t dport)
{
	struct __sk_buff ctx = {.cb[0] = SLOT_A};
	uint64_t before = node_count(traffic->node, PL_DROP_POLICY_IN).packets;
	struct pkt p = pkt_build(&(struct pkt_spec){.dst_mac = gateway_mac,
						    .src_mac = traffic->node->macs[SLOT_A],
						    .src = "10.0.0.10",
						    .dst = "10.0.0.102",
						    .protocol = IPPROTO_TCP,
						    .sport = 4000,
						    .dport = dport,
						    .tcp_flags = SYN});

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = REPEATS);
	must(bpf_prog_test_run_opts(bpf_program__fd(traffic->node->bpf->progs.pl_main), &opts), "run");
	atomic_fetch_add(&traffic->packets, REPEATS);
	return node_count(traffic->node, PL_DROP_POLICY_IN).packets - before;
}

static void *send_all(void *context)
{
	struct traffic *traffic = context;

	while (!atomic_load(&traffic->ends)) {
		traffic->wrong += refused(traffic, LET_IN);
		traffic->wrong += REPEATS - refused(traffic, KEPT_OUT);
	}
	return NULL;
}

static int put(struct group_table *table, struct shape *shape)
{
	struct group_rule *const rules[2] = {shape->rules};
	const size_t n[2] = {shape->n};
	int r;

	group_table_begin(table);
	r = group_table_want(table, NUMBER, "sg-switched", true, rules, n);
	group_table_settle(table);
	if (r == 0)
		r = group_table_switch(table, false);
	if (r == 0)
		r = group_table_switch(table, true);
	return r < 0 ? r : group_table_prune(table);
}

static void want_none(struct group_table *table, const char *id, bool has_members)
{
	struct group_rule *const rules[2] = {NULL};
	const size_t n[2] = {0};

	must(put(table, &shapes[0]), "a list");
	group_table_begin(table);
	must(group_table_want(table, NUMBER, id, has_members, rules, n), "no list");
	group_table_settle(table);
	must(group_table_switch(table, false), "switch");
}

/* Rows may name a group until they are written anew, but not another one that had its number. */
static void test_emptied(struct traffic *traffic, struct group_table *table)
{
	want_none(table, "sg-switched", false);
	tap_is_int((long long)refused(traffic, LET_IN), 0,
		   "what nobody is in has its list until rows are written");
	must(group_table_switch(table, true), "switch");
	tap_is_int((long long)refused(traffic, LET_IN), REPEATS, "and not after that");
	want_none(table, "sg-switched", true);
	tap_is_int((long long)refused(traffic, LET_IN), REPEATS, "the last rules of who is in it go before");
	want_none(table, "sg-other", false);
	tap_is_int((long long)refused(traffic, LET_IN), REPEATS,
		   "and those of another group with its number");
}

int main(void)
{
	struct traffic traffic = {.node = node_new(&(struct node_options){0})};
	struct group_table *table;
	struct timespec start, now;
	uint32_t free_cells, switches = 0, waits = 0, number = NUMBER;
	pthread_t thread;

	for (uint32_t i = 0; i < SHAPES; i++)
		make_shape(&shapes[i], i);
	must(group_table_new(bpf_map__fd(traffic.node->bpf->maps.pl_groups),
			     bpf_map__fd(traffic.node->bpf->maps.pl_cells), &table),
	     "groups");
	for (uint32_t i = 0; i < SLOTS; i++)
		node_group(traffic.node, i, 0, 0); /* their cells are not the table's */
	must(group_table_load(table), "load");
	free_cells = group_table_free_count(table);
	must(put(table, &shapes[0]), "a list");
	node_set(traffic.node, SLOT_ENI_BARE, &number, 1, false);
	node_unsettle(traffic.node, SLOT_A); /* each packet is judged */
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	must(-pthread_create(&thread, NULL, send_all, &traffic), "thread");
	do {
		int r = put(table, &shapes[(switches * 5 + switches / SHAPES) % SHAPES]);

		must(r == -ENOSPC ? 0 : r, "another list");
		if (r == 0) {
			switches++;
		} else {
			waits++;
			(void)usleep(10000); /* regions rest */
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec < SECONDS ||
		 ((switches <= SWITCHES || atomic_load(&traffic.packets) <= PACKETS) &&
		  now.tv_sec - start.tv_sec < PATIENCE_S));
	atomic_store(&traffic.ends, true);
	must(-pthread_join(thread, NULL), "thread");
	tap_is_int((long long)traffic.wrong, 0, "no packet met some of an old list and some of a new one");
	tap_ok(switches > SWITCHES && traffic.packets > PACKETS,
	       "lists were replaced often, under many packets");
	tap_note("%u lists, %llu packets, %u times no room", switches, atomic_load(&traffic.packets), waits);

	(void)usleep((GROUP_REST_MS + 100) * 1000);
	group_table_begin(table);
	must(group_table_prune(table), "prune");
	must(group_table_load(table), "load");
	(void)usleep((GROUP_REST_MS + 100) * 1000);
	must(put(table, &shapes[0]), "a list");
	must(put(table, &(struct shape){0}), "no list");
	tap_ok(group_table_free_count(table) >= free_cells - 16, "nothing of their room is lost");
	test_emptied(&traffic, table);
	group_table_free(table);
	node_free(traffic.node);
	return tap_done();
}
