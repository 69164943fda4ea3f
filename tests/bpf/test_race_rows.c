/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of two tenants are replaced in turn by one CPU, each in the memory of the one before, while the other
 * one sends: no packet follows half of one and half of the other.
 *
 * Of the rows of a table, tenant A's and one of another tenant's are replaced: the memory that A's row had
 * becomes the other's at once. (That is each time another one, so that it is not A's again within the same
 * packet: no agent writes a row that often. Where the machine was away in the middle of a packet it may be
 * all the same, so such a packet is not looked at.) Meanwhile A sends.
 */
#include "../tap.h"
#include "race.h"

#define REPLACED_PACKETS 300000
#define REPLACED_FLOWS	 64
#define REPLACED_ROWS	 1000 /* of others, from this number on */
#define OTHER_BACKEND	 5
#define SLOT_S3		 27 /* in VPC 40, of another group */
#define REST_NS		 20000
#define AWAY_NS		 20000 /* that a packet takes, and the test run around it: several times what it does */

struct replacer {
	int fd;
	uint8_t key[sizeof(struct pl_server_key)]; /* A's; the others' have another number in front */
	const void *mine, *others;
	void (*replace)(const struct replacer *replacer); /* once; NULL: as above */
	int tables_fd;
	struct node *announces; /* as an agent does it: A's ENI has a change under way meanwhile */
	volatile bool is_over;
	unsigned int turns;
	pthread_t thread;
};

/* Of A's row with that key, which is read into `mine`, and the others' rows. */
static struct replacer replacer_of(struct bpf_map *map, const void *key, void *mine, const void *others)
{
	struct replacer replacer = {.fd = bpf_map__fd(map), .mine = mine, .others = others};

	memcpy(replacer.key, key, bpf_map__key_size(map));
	must(bpf_map_lookup_elem(replacer.fd, key, mine), bpf_map__name(map));
	return replacer;
}

static void replace_one(const struct replacer *replacer, uint32_t number, const void *row)
{
	uint8_t key[sizeof(replacer->key)];

	memcpy(key, replacer->key, sizeof(key));
	if (number)
		memcpy(key, &number, sizeof(number));
	must(bpf_map_update_elem(replacer->fd, key, row, BPF_ANY), "replace");
}

/* Between two changes some packets find all at rest, and remember. */
static void rest(void)
{
	int64_t start_ns = now_ns();

	while (now_ns() - start_ns < REST_NS)
		;
}

static void *replace_on(void *context)
{
	struct replacer *replacer = context;

	stay_on(0);
	for (; !replacer->is_over; replacer->turns++) {
		if (replacer->replace) {
			replacer->replace(replacer);
			continue;
		}
		if (replacer->announces)
			node_unsettle(replacer->announces, SLOT_ENI_A);
		replace_one(replacer, 0, replacer->mine);
		replace_one(replacer, REPLACED_ROWS + replacer->turns % REPLACED_ROWS, replacer->others);
		if (!replacer->announces)
			continue;
		node_bump(replacer->announces, SLOT_ENI_A);
		rest();
	}
	return NULL;
}

static void begin_to_replace(struct replacer *replacer)
{
	must(-pthread_create(&replacer->thread, NULL, replace_on, replacer), "thread");
}

static void end_to_replace(struct replacer *replacer)
{
	replacer->is_over = true;
	must(-pthread_join(replacer->thread, NULL), "thread");
}

/* Where a packet of port A went that asked for its ENI, and as what; PL_SLOT_NONE: it was dropped. */
static uint32_t way_of(struct node *node, const struct pkt *p, struct pkt *ret_out)
{
	return node_leaves_as(node, SLOT_A, p, ret_out) ? receiver(node, ret_out) : PL_SLOT_NONE;
}

/* What became of packets that were sent meanwhile. */
struct fate {
	unsigned int right, elsewhere, refused, busy;
	unsigned int away;	      /* are not in the others but `busy` */
	bool is_lost[REPLACED_FLOWS]; /* whose rows may be wrong since the machine was away */
};

static unsigned int count_busy(struct node *node)
{
	return (unsigned int)node_count(node, PL_DROP_FLOW_TABLE_BUSY).packets;
}

static void send_one(struct node *node, struct fate *fate, unsigned int flow, bool again)
{
	struct pkt p = tcp(node, SLOT_A, (uint16_t)(1024 + flow), again ? ACK : SYN), out;
	int64_t start_ns = now_ns(), took_ns;
	uint32_t slot = way_of(node, &p, &out);
	bool is_busy = false;

	took_ns = now_ns() - start_ns;
	if (slot == PL_SLOT_NONE) {
		is_busy = count_busy(node) > fate->busy;
		fate->busy += is_busy;
	}
	if (slot == SLOT_S1 || slot == SLOT_S2) {
		fate->right++;
	} else if (took_ns > AWAY_NS && !is_busy) {
		fate->away++;
		fate->is_lost[flow] = true;
	} else {
		fate->elsewhere += slot == SLOT_OTHER || slot == SLOT_S3;
		fate->refused += slot == SLOT_A || (slot == PL_SLOT_NONE && !is_busy); /* by a reset, too */
	}
}

/* SYNs, all of which open flows; with `again`, segments of connections that are judged each time. */
static void send_meanwhile(struct node *node, struct replacer *replacer, bool again, const char *what)
{
	struct fate fate = {.busy = count_busy(node)};
	unsigned int busy = fate.busy;

	stay_on(1);
	node_clear_flows(node);
	for (uint16_t i = 0; again && i < REPLACED_FLOWS; i++)
		handshake(node, SLOT_A, 1024 + i);
	if (!replacer->announces)
		node_unsettle(node, SLOT_ENI_A); /* nothing is remembered */
	begin_to_replace(replacer);
	for (uint32_t i = 0; i < node_rounds(REPLACED_PACKETS); i++) {
		if (fate.is_lost[i % REPLACED_FLOWS])
			continue;
		if (again)
			node_bump(node, SLOT_A);
		send_one(node, &fate, i % REPLACED_FLOWS, again);
	}
	end_to_replace(replacer);
	tap_note("%u turns; %u packets went right, %u have to come again, of %u it is not known",
		 replacer->turns, fate.right, fate.busy - busy, fate.away);
	tap_ok(fate.right > 0 && replacer->turns > 0, "%s are replaced: packets pass", what);
	tap_is_int(fate.elsewhere, 0, "%s are replaced: none goes where another's row leads", what);
	tap_is_int(fate.refused, 0, "%s are replaced: none is refused by another's row", what);
}

static void test_replaced_enis(struct node *node, bool again)
{
	uint32_t slot = SLOT_ENI_A;
	struct pl_eni mine, others = {};
	struct replacer replacer = replacer_of(node->bpf->maps.pl_enis, &slot, &mine, &others);

	others = mine;
	others.vpc = 20;
	others.target = again ? TARGET : TARGET_BARE;
	if (again) {
		mine.balancer_set = mine.set;
		others.balancer_set = SLOT_OTHER; /* refuses them */
	}
	send_meanwhile(node, &replacer, again, again ? "ENIs, whose flows are judged again," : "ENIs");
}

static void send_announced(struct node *node, struct replacer *replacer, const char *what)
{
	replacer->announces = node;
	node_bump(node, SLOT_ENI_A);
	send_meanwhile(node, replacer, false, what);
}

/* Of a row that comes into the other's memory in the middle nothing but the target is another one. */
static void test_announced_enis(struct node *node)
{
	uint32_t slot = SLOT_ENI_A;
	struct pl_eni mine, others = {};
	struct replacer replacer = replacer_of(node->bpf->maps.pl_enis, &slot, &mine, &others);

	others = mine;
	others.target = TARGET_BARE;
	send_announced(node, &replacer, "ENIs, which is announced,");
}

static void test_announced_places(struct node *node)
{
	struct pl_place_key key = {.vpc = 10, .addr = addr_of("10.0.0.100")};
	struct pl_place mine, others = {.kind = PL_PLACE_ENI, .id = SLOT_ENI_BARE};
	struct replacer replacer = replacer_of(node->bpf->maps.pl_places, &key, &mine, &others);

	send_announced(node, &replacer, "places, which is announced,");
}

static void test_replaced_listeners(struct node *node)
{
	struct pl_listener_key key = listener_of(TARGET), other = listener_of(TARGET_BARE);
	struct pl_listener mine, others = {};
	struct replacer replacer = replacer_of(node->bpf->maps.pl_listeners, &key, &mine, &others);

	must(bpf_map_lookup_elem(replacer.fd, &other, &others), "pl_listeners");
	send_meanwhile(node, &replacer, false, "listeners");
}

static void test_replaced_backends(struct node *node)
{
	uint32_t index = 1, other = OTHER_BACKEND;
	struct pl_backend mine, others;
	struct replacer replacer = replacer_of(node->bpf->maps.pl_backends, &index, &mine, &others);

	must(bpf_map_lookup_elem(replacer.fd, &other, &others), "pl_backends");
	send_meanwhile(node, &replacer, false, "backends");
}

static void test_replaced_servers(struct node *node)
{
	struct pl_server_key key = {.group = GROUP, .addr = addr_of("10.0.0.10"), .port = htons(8443)};
	struct pl_server mine = {.state = PL_SERVER_WELL}, others = {.state = PL_SERVER_GONE};
	struct replacer replacer = {
		.fd = bpf_map__fd(node->bpf->maps.pl_servers), .mine = &mine, .others = &others};

	memcpy(replacer.key, &key, sizeof(key));
	send_meanwhile(node, &replacer, true, "servers' states");
}

/* The row is that of an open connection from before the listener sent headers. */
static void forget_header(struct node *node, const struct pkt *syn)
{
	struct pl_flow4_key key = node_key(syn, 10, PL_SIDE_OUT);
	struct pl_flow4 flow;

	if (!node_flow(node, &key, &flow))
		return;
	flow.proxy = 0;
	flow.state = PL_STATE_ANSWERED | PL_STATE_ESTABLISHED;
	map_put(node->bpf->maps.pl_flows4, &key, &flow);
}

/* A listener is replaced that sends headers by now, and SYNs come on a row that has none. */
static void test_replaced_headers(struct node *node)
{
	struct pl_listener_key key = listener_of(TARGET);
	struct pl_listener mine, others = {};
	struct replacer replacer = replacer_of(node->bpf->maps.pl_listeners, &key, &mine, &others);
	struct pkt syn = tcp(node, SLOT_A, 1024, SYN), out;
	unsigned int with = 0, without = 0;

	mine.proxy = PL_PROXY_ON;
	must(bpf_map_update_elem(replacer.fd, &key, &mine, BPF_ANY), "pl_listeners");
	others = mine;
	others.proxy = 0;
	stay_on(1);
	node_clear_flows(node);
	begin_to_replace(&replacer);
	for (uint32_t i = 0; i < node_rounds(REPLACED_PACKETS); i++) {
		forget_header(node, &syn);
		if (way_of(node, &syn, &out) == PL_SLOT_NONE)
			continue;
		if (get32(out.data + PKT_L4 + 4) == get32(syn.data + PKT_L4 + 4))
			without++;
		else
			with++;
	}
	end_to_replace(&replacer);
	tap_note("%u turns; %u SYNs before a header", replacer.turns, with);
	tap_ok(with > 0 && replacer.turns > 0, "a listener with headers is replaced: connections begin");
	tap_is_int(without, 0, "a listener with headers is replaced: none begins without");
}

/* A's listener gets a table in another place, and the one that it leaves is another listener's at once, of
 * the same VPC. (An agent lets it rest for a second first.) */

#define TABLES	     512
#define TABLE_FIRST  100
#define OTHER_SERVER 6 /* index */

static void move_table(const struct replacer *replacer)
{
	struct pl_listener listener = *(const struct pl_listener *)replacer->mine;
	uint32_t left = TABLE_FIRST + replacer->turns % TABLES,
		 next = TABLE_FIRST + (replacer->turns + 1) % TABLES, mine = 1, others = OTHER_SERVER;

	must(bpf_map_update_elem(replacer->tables_fd, &next, &mine, BPF_ANY), "pl_maglev");
	listener.table_first = next;
	replace_one(replacer, 0, &listener);
	must(bpf_map_update_elem(replacer->tables_fd, &left, &others, BPF_ANY), "pl_maglev");
	listener.table_first = left;
	replace_one(replacer, REPLACED_ROWS + replacer->turns % REPLACED_ROWS, &listener);
}

static void test_moved_tables(struct node *node)
{
	static const uint32_t table[] = {1};
	struct pl_listener_key key = listener_of(TARGET);
	struct pl_listener mine;
	struct replacer replacer;

	node_port(node, SLOT_S3, 40, "10.0.0.27");
	node_backend(node, OTHER_SERVER, 40, "10.0.0.27", 8443, SLOT_S3);
	node_listener(node, TARGET, IPPROTO_TCP, 443, TABLE_FIRST, table, 1);
	replacer = replacer_of(node->bpf->maps.pl_listeners, &key, &mine, NULL);
	replacer.replace = move_table;
	replacer.tables_fd = bpf_map__fd(node->bpf->maps.pl_maglev);
	send_meanwhile(node, &replacer, false, "listeners' tables");
}

int main(void)
{
	static const uint32_t other[] = {OTHER_BACKEND};
	struct node *node = node_new(&(struct node_options){.n_flows = 16384});
	struct pl_listener_key key = listener_of(TARGET_BARE);
	struct pl_listener listener;

	node_backend(node, OTHER_BACKEND, 50, "10.0.0.10", 8443, SLOT_OTHER);
	node_listener(node, TARGET_BARE, IPPROTO_TCP, 443, 20, other, 1);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_listeners), &key, &listener), "listener");
	listener.vpc = 50;
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
	test_replaced_enis(node, false);
	test_replaced_enis(node, true);
	test_announced_enis(node);
	test_announced_places(node);
	test_replaced_listeners(node);
	test_replaced_backends(node);
	test_replaced_servers(node);
	test_moved_tables(node);
	test_replaced_headers(node);
	node_free(node);
	return tap_done();
}
