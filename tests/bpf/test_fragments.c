/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams in fragments: the first one is judged and translated, and the others follow it. What arrives is
 * put together again and must be one true datagram.
 */
#include "../tap.h"

#include "clock.h"
#include "fragments.h"

#define SIZE	496u /* bytes of the datagram in a fragment */
#define PAYLOAD 1200
#define BUFFERS (4 * 1024 * 1024 / 768) /* of which each is a fragment's, in what a receiver has for them */

static const char *payload(void)
{
	static char text[PAYLOAD + 1];

	for (size_t i = 0; i < PAYLOAD; i++)
		text[i] = 'a' + i % 26;
	return text;
}

/* Puts a fragment, as it arrived, where it belongs. False: it is none of the datagram that has begun. */
static bool put_together(struct pkt *whole, const struct pkt *p)
{
	size_t at = (get16(p->data + PKT_IP + 6) & 0x1fff) * 8, size = pkt_l4_size(p);

	if (sum16(p->data + PKT_IP, 20, 0) != 0xffff || PKT_L4 + at + size > PKT_MAX)
		return false;
	if (!at)
		memcpy(whole->data, p->data, PKT_L4);
	else if (memcmp(whole->data, p->data, PKT_IP) != 0 ||
		 get16(whole->data + PKT_IP + 4) != get16(p->data + PKT_IP + 4) ||
		 memcmp(whole->data + PKT_IP + 8, p->data + PKT_IP + 8, 2) != 0 ||
		 memcmp(whole->data + PKT_IP + 12, p->data + PKT_IP + 12, 8) != 0)
		return false;
	memcpy(whole->data + PKT_L4 + at, p->data + PKT_L4, size);
	if (!(get16(p->data + PKT_IP + 6) & MORE)) {
		whole->size = PKT_L4 + at + size;
		put16(whole->data + PKT_IP + 2, 20 + at + size);
		put16(whole->data + PKT_IP + 6, 0x4000);
		seal_ip(whole);
	}
	return true;
}

/* Sends a datagram in fragments; size 0: it did not arrive as a whole. */
static struct pkt pass(struct node *node, uint32_t slot, const struct pkt *whole, uint16_t id, int reason)
{
	struct pkt arrived = {.size = 0}, none = {.size = 0};

	for (size_t at = 0; at < pkt_l4_size(whole); at += SIZE) {
		size_t rest = pkt_l4_size(whole) - at;
		struct pkt p = cut(whole, id, at, rest < SIZE ? rest : SIZE);
		struct outcome o = node_send(node, slot, &p);

		if (o.reason != reason || o.verdict != TC_ACT_REDIRECT || !put_together(&arrived, &o.out)) {
			tap_note("the fragment at %zu left as %s", at, reason_name(o.reason));
			return none;
		}
	}
	return arrived;
}

static struct pkt big(const struct node *node, uint32_t slot, const char *src, const char *dst,
		      uint8_t protocol, uint16_t sport, uint16_t dport)
{
	return from(node, slot,
		    (struct pkt_spec){.src = src,
				      .dst = dst,
				      .protocol = protocol,
				      .sport = sport,
				      .dport = dport,
				      .payload = payload()});
}

static struct pkt big_udp(const struct node *node, uint32_t slot)
{
	return big(node, slot, "10.0.0.10", "10.0.0.100", IPPROTO_UDP, 4000, 500);
}

static bool is_like(const struct pkt *arrived, const struct pkt *sent)
{
	return arrived->size == sent->size && pkt_is_sealed(arrived) &&
	       memcmp(arrived->data + PKT_L4 + 8, sent->data + PKT_L4 + 8, PAYLOAD) == 0;
}

static void test_endpoint(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), seen, reply, answered;
	struct pl_flow4 flow;

	node_clear_flows(node);
	seen = pass(node, SLOT_A, &sent, 77, PL_DELIVERED);
	tap_ok(is_like(&seen, &sent) && get16(seen.data + PKT_L4 + 2) == 8443 &&
		       memcmp(seen.data + PKT_IP + 12, "\x64\x40\x00", 3) == 0 && seen.data[PKT_IP + 8] == 63,
	       "a datagram in three fragments reaches a server (%s)", mode);
	flow = flow_of(node, &sent, SLOT_A, PL_SIDE_OUT);
	tap_is_int(flow.packets, 3, "its flow counts all of them (%s)", mode);
	reply = node_reply(&seen, 0);
	answered = pass(node, receiver(node, &seen), &reply, 1234, PL_DELIVERED);
	tap_ok(is_like(&answered, &reply) && receiver(node, &answered) == SLOT_A &&
		       get16(answered.data + PKT_L4) == 500 && get16(answered.data + PKT_L4 + 2) == 4000,
	       "an answer in three fragments comes back (%s)", mode);
	put16(sent.data + PKT_L4 + 6, 0);
	seen = pass(node, SLOT_A, &sent, 78, PL_DELIVERED);
	tap_ok(is_like(&seen, &sent) && get16(seen.data + PKT_L4 + 6) == 0,
	       "a datagram without a checksum stays without (%s)", mode);
	sent = big(node, SLOT_A, "10.0.0.10", "100.100.2.136", IPPROTO_UDP, 4000, 53);
	seen = pass(node, SLOT_A, &sent, 79, PL_DNS);
	tap_ok(is_like(&seen, &sent), "a question in fragments reaches the resolver (%s)", mode);
	reply = node_reply(&seen, 0);
	answered = pass(node, SLOT_SERVICE, &reply, 80, PL_DNS);
	tap_ok(is_like(&answered, &reply) && receiver(node, &answered) == SLOT_A,
	       "so does its answer the one who asked (%s)", mode);
}

static void test_local(struct node *node, const char *mode)
{
	struct pkt sent = big(node, SLOT_A, "10.0.0.10", "10.0.0.11", IPPROTO_UDP, 4000, 1500), seen, reply;

	node_clear_flows(node);
	seen = pass(node, SLOT_A, &sent, 77, PL_DELIVERED);
	tap_ok(is_like(&seen, &sent) && receiver(node, &seen) == SLOT_A2 &&
		       get16(seen.data + PKT_IP + 4) == 77 &&
		       memcmp(seen.data + PKT_L4, sent.data + PKT_L4, 8) == 0,
	       "a datagram in fragments between instances is left as it is (%s)", mode);
	sent = big(node, SLOT_A, "10.0.0.10", "10.0.0.11", IPPROTO_ICMP, 8 << 8, 99);
	seen = pass(node, SLOT_A, &sent, 78, PL_DELIVERED);
	tap_ok(is_like(&seen, &sent) && receiver(node, &seen) == SLOT_A2,
	       "a large echo request between instances (%s)", mode);
	reply = big(node, SLOT_A2, "10.0.0.11", "10.0.0.10", IPPROTO_ICMP, 0, 99);
	seen = pass(node, SLOT_A2, &reply, 79, PL_DELIVERED);
	tap_ok(is_like(&seen, &reply) && receiver(node, &seen) == SLOT_A, "and its reply (%s)", mode);
	sent = big(node, SLOT_A, "10.0.0.10", "10.0.0.100", IPPROTO_ICMP, 8 << 8, 99);
	seen = pass(node, SLOT_A, &sent, 80, PL_ECHO);
	tap_ok(is_like(&seen, &sent) && receiver(node, &seen) == SLOT_A && seen.data[PKT_L4] == 0 &&
		       memcmp(seen.data + PKT_IP + 12, sent.data + PKT_IP + 16, 4) == 0,
	       "an ENI answers a large echo request, fragment by fragment (%s)", mode);
}

/* What has nothing to follow, or nothing that it may. */
static void test_followers(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), others = big_udp(node, SLOT_B), p, first, second;
	uint32_t slot = SLOT_A;
	struct outcome o;

	node_clear_flows(node);
	(void)bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_fragments), &slot);
	first = cut(&sent, 5, 0, SIZE);
	second = cut(&sent, 5, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_A, &second).reason, PL_DROP_FRAGMENT,
		   "a fragment before the first is dropped (%s)", mode);
	deliver(node, SLOT_A, &first);
	tap_is_int(node_send(node, SLOT_A, &second).reason, PL_DELIVERED, "after it, it passes (%s)", mode);
	p = cut(&others, 5, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_B, &p).reason, PL_DROP_FRAGMENT,
		   "not so another VPC's with the same numbers (%s)", mode);
	p = cut(&sent, 6, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_FRAGMENT,
		   "nor one of another identification (%s)", mode);
	p = second;
	p.data[PKT_IP + 9] = IPPROTO_ICMP;
	seal_ip(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_FRAGMENT, "or of another protocol (%s)", mode);
	p = second;
	put_addr(p.data + PKT_IP + 12, "10.0.0.11");
	seal_ip(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_SOURCE, "or with a forged source (%s)",
		   mode);
	p = second;
	p.data[PKT_IP + 8] = 1;
	seal_ip(&p);
	o = node_send(node, SLOT_A, &p);
	tap_ok(o.reason == PL_DROP_TTL_EXCEEDED && o.verdict == TC_ACT_SHOT,
	       "one whose time to live is over is dropped, and nobody is told (%s)", mode);

	node_policy(node, SLOT_ENI_A, rules_eni, 1, false);
	node_bump(node, SLOT_ENI_A);
	tap_is_int(node_send(node, SLOT_A, &second).reason, PL_DROP_POLICY_IN,
		   "what today's rules refuse does not pass in fragments (%s)", mode);
	p = cut(&sent, 9, 0, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_POLICY_IN, "the first neither (%s)", mode);
	p = cut(&sent, 9, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_FRAGMENT, "and the others have none (%s)",
		   mode);
	node_policy(node, SLOT_ENI_A, RULES(rules_eni), false);
	node_bump(node, SLOT_ENI_A);
	node_clear_flows(node);
	tap_is_int(node_send(node, SLOT_A, &second).reason, PL_DROP_NO_FLOW,
		   "a later fragment opens no flow (%s)", mode);
}

/* When a port will have had all forgiven that it owes. */
static int64_t owed_until(struct node *node, uint32_t slot)
{
	struct pl_fragments rows;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_fragments), &slot, &rows), "pl_fragments");
	return (int64_t)rows.open;
}

/* The row of a port's account. */
static struct pl_owner account_of(const struct node *node, uint32_t slot, uint32_t *ret_row)
{
	struct pl_limit limit;
	struct pl_owner owner;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_limits), &slot, &limit), "pl_limits");
	*ret_row = pl_owner_of_account(limit.account);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_owners), ret_row, &owner), "pl_owners");
	return owner;
}

static void set_account_owed(struct node *node, uint32_t slot, int64_t debt_ns)
{
	uint32_t row;
	struct pl_owner owner = account_of(node, slot, &row);

	owner.owes_until = (uint64_t)(now_ns() + debt_ns);
	map_put(node->bpf->maps.pl_owners, &row, &owner);
}

/* What a port or its account owes, whichever is more, in nanoseconds. */
static int64_t owed(struct node *node, uint32_t slot)
{
	uint32_t row;
	int64_t account_until = (int64_t)account_of(node, slot, &row).owes_until;

	return MAX(MAX(owed_until(node, slot), account_until) - now_ns(), 0);
}

/* As if a port had never begun a datagram, and its account owed nothing. */
static void forget(struct node *node, uint32_t slot)
{
	(void)bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_fragments), &slot);
	set_account_owed(node, slot, 0);
}

/* As if all datagrams of a port had begun so long ago. */
static void age_rows(struct node *node, uint32_t slot, uint32_t ms)
{
	struct pl_fragments rows;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_fragments), &slot, &rows), "pl_fragments");
	for (int i = 0; i < PL_FRAGMENTS; i++) {
		if (!rows.rows[i].seen)
			continue;
		rows.rows[i].seen = (uint32_t)(now_ns() / 1000000) - ms;
		rows.rows[i].tag = pl_fragment_tag(&rows.rows[i]);
	}
	map_put(node->bpf->maps.pl_fragments, &slot, &rows);
}

/* Sends while all that a port has begun has just begun; once more, if this machine stood still meanwhile. */
static int send_at_once(struct node *node, uint32_t slot, const struct pkt *p)
{
	struct pl_fragments before;
	int64_t began_ns;
	int reason;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_fragments), &slot, &before), "pl_fragments");
	do {
		map_put(node->bpf->maps.pl_fragments, &slot, &before);
		began_ns = now_ns();
		age_rows(node, slot, 0);
		reason = node_send(node, slot, p).reason;
	} while (now_ns() - began_ns > PL_FRAGMENT_SILENT_MS * 1000000ll / 2);
	return reason;
}

/* The share of a port, and the time that it has. */
static void test_limits(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), others = big_udp(node, SLOT_B), p;
	struct pl_fragments rows;
	uint32_t slot = SLOT_A;
	int64_t before;
	uint32_t packets;

	node_clear_flows(node);
	forget(node, slot);
	p = cut(&others, 5, 0, SIZE);
	deliver(node, SLOT_B, &p);
	for (uint16_t id = 0; id < PL_FRAGMENTS; id++) {
		p = cut(&sent, 100 + id, 0, SIZE);
		deliver(node, SLOT_A, &p);
	}
	p = cut(&sent, 100, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED,
		   "a port has room for %d datagrams at a time (%s)", PL_FRAGMENTS, mode);
	before = owed_until(node, SLOT_A);
	packets = flow_of(node, &sent, SLOT_A, PL_SIDE_OUT).packets;
	p = cut(&sent, 100 + PL_FRAGMENTS, 0, SIZE);
	tap_is_int(send_at_once(node, SLOT_A, &p), PL_DROP_FRAGMENT, "one more is refused (%s)", mode);
	tap_ok(owed_until(node, SLOT_A) <= before, "and nothing is owed for it (%s)", mode);
	tap_is_int(flow_of(node, &sent, SLOT_A, PL_SIDE_OUT).packets, packets,
		   "nor does its flow count it (%s)", mode);
	p = cut(&sent, 101, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED, "the others go on (%s)", mode);
	age_rows(node, SLOT_A, PL_FRAGMENT_SILENT_MS + 1);
	p = cut(&sent, 100 + PL_FRAGMENTS, 0, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DELIVERED,
		   "until one of them has been silent for %d ms (%s)", PL_FRAGMENT_SILENT_MS, mode);
	p = cut(&others, 5, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_B, &p).reason, PL_DELIVERED, "another port has its own (%s)", mode);

	age_rows(node, SLOT_A, PL_FRAGMENT_MS + 1);
	p = cut(&sent, 101, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_FRAGMENT,
		   "after %d ms nothing follows any more (%s)", PL_FRAGMENT_MS, mode);
	p = cut(&sent, 101, 0, SIZE);
	deliver(node, SLOT_A, &p);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_fragments), &slot, &rows), "pl_fragments");
	for (int i = 0; i < PL_FRAGMENTS; i++)
		rows.rows[i].sport ^= 1;
	map_put(node->bpf->maps.pl_fragments, &slot, &rows);
	p = cut(&sent, 101, SIZE, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_FRAGMENT,
		   "nor a row that is half written (%s)", mode);
}

static void set_owed(struct node *node, uint32_t slot, int64_t debt_ns)
{
	struct pl_fragments rows;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_fragments), &slot, &rows), "pl_fragments");
	rows.open = (uint64_t)(now_ns() + debt_ns);
	map_put(node->bpf->maps.pl_fragments, &slot, &rows);
}

/* Datagrams that are begun with fragments of that size and not finished, as often as that is let pass. */
static uint32_t begin_many(struct node *node, uint32_t slot, const struct pkt *whole, size_t size,
			   bool without_middle)
{
	struct outcome o = {.reason = PL_DELIVERED};
	uint32_t n = 0;

	while (n < BUFFERS) {
		struct pkt p = cut(whole, (uint16_t)n, 0, size);

		o = node_send(node, slot, &p);
		if (o.reason == PL_DROP_FRAGMENT) { /* no row is left: it waits */
			age_rows(node, slot, PL_FRAGMENT_SILENT_MS + 1);
			continue;
		}
		if (without_middle && o.reason == PL_DELIVERED) {
			p = cut(whole, (uint16_t)n, 2 * SIZE, pkt_l4_size(whole) - 2 * SIZE);
			o = node_send(node, slot, &p);
		}
		if (o.reason != PL_DELIVERED)
			break;
		n++;
	}
	tap_ok(o.reason == PL_DROP_FRAGMENT_SHARE, "it ends as %s", reason_name(o.reason));
	return n;
}

/* What is begun and not finished fills its receiver's memory. */
static void test_unfinished(struct node *node, const char *mode)
{
	static const struct {
		size_t size;
		bool without_middle;
		const char *what;
	} cases[] = {{SIZE, false, "without an end"},
		     {SIZE, true, "without their middle"},
		     {8, false, "of which only eight bytes come"}};
	struct pkt sent = big_udp(node, SLOT_A), others = big_udp(node, SLOT_B), seen;
	uint32_t slot = SLOT_A, n;
	bool ok = true;

	node_clear_flows(node);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		forget(node, slot);
		for (uint32_t j = 0; j < PL_FRAGMENT_OPEN / PAYLOAD; j++)
			ok = ok && pass(node, SLOT_A, &sent, (uint16_t)j, PL_DELIVERED).size;
		tap_ok(ok && !owed(node, SLOT_A), "whole datagrams leave nothing behind (%s)", mode);
		n = begin_many(node, SLOT_A, &sent, cases[i].size, cases[i].without_middle);
		tap_ok(n >= PL_FRAGMENT_OPEN / (PAYLOAD + 2 * PL_FRAGMENT_BUFFER) && n < BUFFERS / 4,
		       "%u datagrams %s are all that a port may begin (%s)", n, cases[i].what, mode);
	}
	seen = pass(node, SLOT_B, &others, 7, PL_DELIVERED);
	tap_ok(seen.size, "another port's pass (%s)", mode);
	forget(node, slot);
}

/* The crowd: ports of one account in VPC 10, each 10.0.0.<slot>. */
#define CROWD_FIRST   40
#define CROWD	      5
#define CROWD_ACCOUNT 7

static struct pkt crowd_udp(struct node *node, uint32_t slot)
{
	char address[16];

	(void)snprintf(address, sizeof(address), "10.0.0.%u", slot);
	return big(node, slot, address, "10.0.0.100", IPPROTO_UDP, 4000, 500);
}

static struct node *crowded(void)
{
	struct node *node = node_new(&(struct node_options){0});

	for (uint32_t slot = CROWD_FIRST; slot < CROWD_FIRST + CROWD; slot++) {
		char address[16];

		(void)snprintf(address, sizeof(address), "10.0.0.%u", slot);
		node_port(node, slot, 10, address);
		node_policy(node, slot, RULES(rules_instance), true);
		node_set_account(node, slot, CROWD_ACCOUNT);
	}
	return node;
}

/* The ports of one account fill no more together than two of them would. */
static void test_account(void)
{
	const int64_t kept_ns = PL_FRAGMENT_KEPT_S * 1000000000ll;
	const uint32_t last = CROWD_FIRST + CROWD - 1,
		       of_port = PL_FRAGMENT_OPEN / (SIZE + PL_FRAGMENT_BUFFER);
	struct node *node = crowded();
	struct pkt sent = crowd_udp(node, CROWD_FIRST), fresh = crowd_udp(node, last),
		   others = big_udp(node, SLOT_B), p;
	uint32_t n = 0;
	int flows;

	for (uint32_t slot = CROWD_FIRST; slot < last; slot++) {
		p = crowd_udp(node, slot);
		n += begin_many(node, slot, &p, SIZE, false);
	}
	tap_ok(n >= 2 * of_port && n < 3 * of_port,
	       "%u datagrams are all that %d ports of an account may begin", n, CROWD - 1);
	tap_ok(pass(node, SLOT_B, &others, 7, PL_DELIVERED).size, "another account's pass");

	set_account_owed(node, last, 0);
	forget(node, CROWD_FIRST);
	p = cut(&sent, 5, 0, SIZE);
	deliver(node, CROWD_FIRST, &p);
	set_account_owed(node, last, kept_ns + kept_ns / 2);
	flows = node_flows(node);
	p = cut(&fresh, 5, 0, SIZE);
	tap_is_int(node_send(node, last, &p).reason, PL_DROP_FRAGMENT_SHARE,
		   "a port that has begun none is refused for what its account owes");
	tap_is_int(node_flows(node), flows, "and opens no flow");
	p = cut(&sent, 5, SIZE, SIZE);
	tap_is_int(node_send(node, CROWD_FIRST, &p).reason, PL_DELIVERED, "what has begun goes on");
	set_account_owed(node, last, 2 * kept_ns + kept_ns / 2);
	tap_is_int(node_send(node, CROWD_FIRST, &p).reason, PL_DROP_FRAGMENT_SHARE,
		   "until the account owes for twice that");
	set_account_owed(node, last, 5 * kept_ns);
	tap_ok(pass(node, last, &fresh, 5, PL_DELIVERED).size && !owed(node, last),
	       "a longer debt is not believed, and whole datagrams leave none");
	for (uint32_t slot = CROWD_FIRST; slot <= last; slot++)
		node_set_account(node, slot, 0);
	set_account_owed(node, last, kept_ns + kept_ns / 2);
	tap_ok(pass(node, last, &fresh, 6, PL_DELIVERED).size, "what is no account's is its port's alone");
	node_free(node);
}

/* Datagrams of which each is sent in order and as a whole, but several at a time, with identifications that
 * have the same places. */
static void test_interleaved(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), p;
	uint32_t slot = SLOT_A, n_passed = 0, n_sent = 0;

	node_clear_flows(node);
	forget(node, slot);
	for (uint32_t n = 2; n <= PL_FRAGMENT_WAYS; n++) {
		for (uint32_t i = 0; i < PL_FRAGMENT_OPEN / PAYLOAD; i++) {
			for (size_t at = 0; at < pkt_l4_size(&sent); at += SIZE) {
				for (uint32_t j = 0; j < n; j++, n_sent++) {
					p = cut(&sent, (uint16_t)(i + j * PL_FRAGMENTS), at,
						MIN(SIZE, pkt_l4_size(&sent) - at));
					n_passed += node_send(node, SLOT_A, &p).reason == PL_DELIVERED;
				}
			}
		}
	}
	tap_is_int(n_passed, n_sent, "%u fragments of datagrams that interleave pass (%s)", n_sent, mode);
	tap_ok(!owed(node, SLOT_A), "and nothing is owed for them (%s)", mode);
}

/* More echo requests in fragments than there are rows, one after the other. */
static void test_echoes(struct node *node, const char *mode)
{
	struct pkt sent = big(node, SLOT_A, "10.0.0.10", "10.0.0.100", IPPROTO_ICMP, 8 << 8, 7);
	bool ok = true;

	for (uint16_t id = 0; id < 4 * PL_FRAGMENTS; id++)
		ok = ok && pass(node, SLOT_A, &sent, id, PL_ECHO).size;
	tap_ok(ok, "an echo that is over makes room for the next one (%s)", mode);
}

/* One datagram, of which one fragment comes again and again: the port's debt has an end, so the slot is good
 * for its next owner soon. */
static void test_debt(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), first = cut(&sent, 5, 0, SIZE),
		   middle = cut(&sent, 5, SIZE, SIZE),
		   echo = big(node, SLOT_A, "10.0.0.10", "10.0.0.100", IPPROTO_ICMP, 8 << 8, 7);
	const int64_t kept_ns = PL_FRAGMENT_KEPT_S * 1000000000ll;
	uint32_t slot = SLOT_A, n = 0, packets;

	node_clear_flows(node);
	forget(node, slot);
	deliver(node, SLOT_A, &first);
	while (n < 10 * 1024 * 1024 / SIZE && node_send(node, SLOT_A, &middle).reason == PL_DELIVERED) {
		if (++n % 64 == 0) /* on a slow machine the first one would be too long ago */
			age_rows(node, SLOT_A, 0);
	}
	tap_is_int(node_send(node, SLOT_A, &middle).reason, PL_DROP_FRAGMENT_SHARE,
		   "a fragment that comes %u times is refused in the end (%s)", n, mode);
	tap_ok(owed(node, SLOT_A) > kept_ns && owed(node, SLOT_A) <= 2 * kept_ns,
	       "and no more is owed than is forgiven in a minute (%s)", mode);
	packets = flow_of(node, &sent, SLOT_A, PL_SIDE_OUT).packets;
	tap_is_int(node_send(node, SLOT_A, &first).reason, PL_DROP_FRAGMENT_SHARE,
		   "no other one begins meanwhile (%s)", mode);
	tap_is_int(flow_of(node, &sent, SLOT_A, PL_SIDE_OUT).packets, packets,
		   "nor does its flow count it (%s)", mode);
	tap_ok(pass(node, SLOT_A, &echo, 7, PL_ECHO).size,
	       "an echo is answered, which is owed nothing for (%s)", mode);
	set_owed(node, SLOT_A, 5 * kept_ns);
	set_account_owed(node, SLOT_A, 5 * kept_ns);
	tap_ok(pass(node, SLOT_A, &sent, 6, PL_DELIVERED).size && !owed(node, SLOT_A),
	       "a longer debt is not believed (%s)", mode);
}

/* A last fragment that comes twice has its datagram forgiven once. */
static void test_twice(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A),
		   last = cut(&sent, 8, 2 * SIZE, pkt_l4_size(&sent) - 2 * SIZE),
		   begun = cut(&sent, 9, 0, SIZE);
	int64_t before;

	node_clear_flows(node);
	tap_ok(pass(node, SLOT_A, &sent, 8, PL_DELIVERED).size, "a whole datagram (%s)", mode);
	deliver(node, SLOT_A, &begun);
	before = owed_until(node, SLOT_A);
	deliver(node, SLOT_A, &last);
	tap_ok(owed_until(node, SLOT_A) > before, "its last fragment once more forgives nothing (%s)", mode);
}

/* When all that an ENI's flows were let have in one direction will have been paid for. */
static uint64_t paid_at(struct node *node, uint32_t slot, bool is_back)
{
	struct pl_buckets buckets;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_buckets), &slot, &buckets), "pl_buckets");
	return is_back ? buckets.down_at : buckets.up_at;
}

/* Has an ENI's flows pay for more than they were let have, or for less. */
static void move_paid(struct node *node, uint32_t slot, int64_t by_ns)
{
	struct pl_buckets buckets;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_buckets), &slot, &buckets), "pl_buckets");
	buckets.up_at += (uint64_t)by_ns;
	buckets.down_at += (uint64_t)by_ns;
	map_put(node->bpf->maps.pl_buckets, &slot, &buckets);
}

/* Gives an ENI's flows a limit of bytes; 0 takes it. */
static void limit_eni(struct node *node, uint32_t slot, uint32_t kbyte_ns)
{
	struct pl_limit limit = {.kbyte_ns = kbyte_ns};
	struct pl_buckets none = {0};
	struct pl_eni eni;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_enis), &slot, &eni), "pl_enis");
	eni.limit = kbyte_ns ? slot : 0;
	map_put(node->bpf->maps.pl_enis, &slot, &eni);
	map_put(node->bpf->maps.pl_limits, &slot, &limit);
	map_put(node->bpf->maps.pl_buckets, &slot, &none);
	node_bump(node, slot);
}

/* A server's answers in fragments to two consumers, one of which has reached its limit of bytes: the first
 * fragment is refused or none is, so the server owes nothing for it. */
static void test_bandwidth(struct node *node, const char *mode)
{
	struct pkt asks = big_udp(node, SLOT_A), other_asks = big_udp(node, SLOT_B), seen, answer, others, p;
	unsigned int refused = 0;
	uint64_t at;
	uint32_t server;

	node_clear_flows(node);
	serve_by(node, 1);
	seen = pass(node, SLOT_A, &asks, 1, PL_DELIVERED);
	server = receiver(node, &seen);
	answer = node_reply(&seen, 0);
	seen = pass(node, SLOT_B, &other_asks, 1, PL_DELIVERED);
	others = node_reply(&seen, 0);
	forget(node, server);
	limit_eni(node, SLOT_ENI_A, 550000000); /* a fragment costs more than the burst, a datagram 0.7 s */
	p = cut(&answer, 5, 0, SIZE);
	deliver(node, server, &p);
	at = paid_at(node, SLOT_ENI_A, true);
	p = cut(&answer, 5, SIZE, SIZE);
	tap_is_int(node_send(node, server, &p).reason, PL_DELIVERED,
		   "a datagram that has begun is let go on beyond the burst (%s)", mode);
	tap_ok(paid_at(node, SLOT_ENI_A, true) > at, "and pays for it (%s)", mode);
	p = cut(&answer, 5, 2 * SIZE, pkt_l4_size(&answer) - 2 * SIZE);
	deliver(node, server, &p);
	for (uint32_t id = 6; id < 6 + 2 * PL_FRAGMENT_OPEN / PAYLOAD; id++) {
		p = cut(&answer, (uint16_t)id, 0, SIZE);
		refused += node_send(node, server, &p).reason == PL_DROP_BANDWIDTH;
		if (!owed(node, server))
			continue;
		for (size_t i = SIZE; i < pkt_l4_size(&answer); i += SIZE) { /* it was let pass, so all are */
			p = cut(&answer, (uint16_t)id, i, MIN(SIZE, pkt_l4_size(&answer) - i));
			deliver(node, server, &p);
		}
	}
	tap_ok(refused > 0, "%u others are refused at their beginning (%s)", refused, mode);
	tap_ok(!owed(node, server), "the server owes nothing (%s)", mode);
	tap_ok(pass(node, server, &others, 7, PL_DELIVERED).size, "and answers the other consumer (%s)",
	       mode);
	limit_eni(node, SLOT_ENI_A, 0);
}

/* A fragment that comes again and again takes no more of an ENI's bytes than any other packet could: those of
 * its other flows pass in between. */
static void test_repeated(struct node *node, const char *mode)
{
	const uint32_t kbyte_ns = 20000000;
	struct pkt sent = big_udp(node, SLOT_A), first = cut(&sent, 5, 0, SIZE),
		   again = cut(&sent, 5, SIZE, SIZE),
		   other = from(node, SLOT_A,
				(struct pkt_spec){.src = "10.0.0.10",
						  .dst = "10.0.0.100",
						  .protocol = IPPROTO_UDP,
						  .sport = 4001,
						  .dport = 500});
	int64_t cost_ns = (int64_t)again.size * kbyte_ns >> 10;
	const int64_t owed_ns =
		(SIZE + PL_FRAGMENT_BUFFER) * (PL_FRAGMENT_KEPT_S * 1000000000ll / PL_FRAGMENT_OPEN);
	uint32_t slot = SLOT_A;
	unsigned int passed = 0, again_passed = 0, n = 100;

	node_clear_flows(node);
	forget(node, slot);
	limit_eni(node, SLOT_ENI_A, kbyte_ns);
	deliver(node, SLOT_A, &first);
	for (unsigned int i = 0; i < n; i++)
		again_passed += node_send(node, SLOT_A, &again).reason == PL_DELIVERED;
	for (unsigned int i = 0; i < n; i++) {
		again_passed += node_send(node, SLOT_A, &again).reason == PL_DELIVERED;
		move_paid(node, SLOT_ENI_A, -cost_ns); /* as long as it takes to pay for that */
		passed += node_send(node, SLOT_A, &other).reason == PL_DELIVERED;
	}
	tap_is_int(passed, n, "a fragment that comes again locks out no other flow of its endpoint (%s)",
		   mode);
	tap_ok(owed(node, SLOT_A) <= (again_passed + 1) * owed_ns,
	       "and is owed for only where it passed (%s)", mode);
	limit_eni(node, SLOT_ENI_A, 0);
}

/* Many datagrams that begin with little, while there is room for that: all that passes was charged. */
static void test_begun(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), p;
	uint32_t slot = SLOT_A, kbyte_ns = 381000000; /* a datagram costs half a second */
	unsigned int free_ride = 0, misnamed = 0, refused = 0;
	const uint16_t n = 8;

	node_clear_flows(node);
	forget(node, slot);
	limit_eni(node, SLOT_ENI_A, kbyte_ns);
	for (uint16_t id = 0; id < n; id++) {
		p = cut(&sent, id, 0, 8);
		deliver(node, SLOT_A, &p);
	}
	for (uint16_t id = 0; id < n; id++) {
		for (size_t at = 8; at < pkt_l4_size(&sent); at += SIZE) {
			uint64_t before = paid_at(node, SLOT_ENI_A, false), charged;
			int reason;

			p = cut(&sent, id, at, MIN(SIZE, pkt_l4_size(&sent) - at));
			reason = node_send(node, SLOT_A, &p).reason;
			charged = paid_at(node, SLOT_ENI_A, false) - before;
			if (reason == PL_DELIVERED)
				free_ride += charged < (uint64_t)p.size * kbyte_ns >> 10;
			else
				misnamed += reason != PL_DROP_BANDWIDTH || charged;
			refused += reason != PL_DELIVERED;
		}
	}
	tap_ok(!free_ride && !misnamed, "what is begun is charged or refused, %u fragments of it (%s)",
	       refused, mode);
	limit_eni(node, SLOT_ENI_A, 0);
}

/* Sends a datagram's first fragment, and the next one far beyond the limit of bytes. What its port owes for
 * it then. */
static int64_t owed_for_cut(struct node *node, uint32_t slot, const struct pkt *whole, const char *mode)
{
	struct pkt first = cut(whole, 5, 0, SIZE), next = cut(whole, 5, SIZE, SIZE);
	int64_t before;

	forget(node, slot);
	limit_eni(node, SLOT_ENI_A, 20000000);
	deliver(node, slot, &first);
	set_owed(node, slot, 10000000000);
	before = owed_until(node, slot);
	move_paid(node, SLOT_ENI_A, 5000000000);
	tap_is_int(node_send(node, slot, &next).reason, PL_DROP_BANDWIDTH,
		   "a debt of bytes is not for ever: beyond it a datagram is cut off (%s)", mode);
	return before - owed_until(node, slot);
}

/* For a datagram that the limit has cut off its sender owes if the limit is its own, not if it is that of one
 * of many receivers. */
static void test_cut_off(struct node *node, const char *mode)
{
	const int64_t first_ns =
		(SIZE + PL_FRAGMENT_BUFFER) * (PL_FRAGMENT_KEPT_S * 1000000000ll / PL_FRAGMENT_OPEN);
	struct pkt asks = big_udp(node, SLOT_A), seen, answer;

	node_clear_flows(node);
	serve_by(node, 1);
	seen = pass(node, SLOT_A, &asks, 1, PL_DELIVERED);
	answer = node_reply(&seen, 0);
	tap_is_int(owed_for_cut(node, SLOT_A, &asks, mode), 0, "a consumer goes on owing for it (%s)", mode);
	tap_is_int(owed_for_cut(node, receiver(node, &seen), &answer, mode), first_ns,
		   "a server owes nothing (%s)", mode);
	limit_eni(node, SLOT_ENI_A, 0);
}

/* Another CPU may have begun a datagram when this one has looked at the clock already. */
static void test_ahead(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), p;
	uint32_t slot = SLOT_A;

	node_clear_flows(node);
	forget(node, slot);
	for (uint16_t id = 0; id < PL_FRAGMENTS; id++) {
		p = cut(&sent, 100 + id, 0, SIZE);
		deliver(node, SLOT_A, &p);
	}
	age_rows(node, SLOT_A, -(uint32_t)(PL_FRAGMENT_MS / 2)); /* in the future */
	p = cut(&sent, 100 + PL_FRAGMENTS, 0, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_FRAGMENT,
		   "a datagram that has just begun is not old (%s)", mode);
	forget(node, slot);
}

static void test_absurd(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A),
		   error = big(node, SLOT_A, "10.0.0.10", "10.0.0.100", IPPROTO_ICMP, 3 << 8, 0), p;

	node_clear_flows(node);
	p = cut(&sent, 5, 0, SIZE + 4);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_FRAGMENT,
		   "a fragment that ends between two places (%s)", mode);
	p = cut(&sent, 5, SIZE, 0);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_FRAGMENT, "an empty one (%s)", mode);
	p = cut(&sent, 5, 8, SIZE);
	put16(p.data + PKT_IP + 6, 0x1fff);
	seal_ip(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_FRAGMENT,
		   "one beyond the largest packet (%s)", mode);
	p = cut(&sent, 5, 0, SIZE);
	p.data[PKT_IP + 9] = IPPROTO_TCP;
	seal_ip(&p);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_FRAGMENT, "one of TCP (%s)", mode);
	p = cut(&error, 5, 0, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_FRAGMENT, "one of an ICMP error (%s)",
		   mode);
	p = cut(&sent, 5, 0, SIZE);
	put16(p.data + PKT_L4 + 4, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_UDP_LENGTH,
		   "one of a datagram that is at its end already (%s)", mode);
	node->gso_size = 500;
	p = cut(&sent, 5, 0, SIZE);
	tap_is_int(node_send(node, SLOT_A, &p).reason, PL_DROP_BAD_GSO, "one that is to be cut again (%s)",
		   mode);
	node->gso_size = 0;
	tap_is_int(node_flows(node), 0, "none of them opens a flow (%s)", mode);
}

/* Two VPCs have the same addresses: what is translated may look as if it were not, and has numbers of ours
 * all the same. */
static void test_same_addresses(void)
{
	struct node *node = node_new(&(struct node_options){0});
	struct pl_backend backend;
	uint32_t index = 1;
	int kept = 0;

	node_port(node, SLOT_S1, 40, "10.0.0.100");
	node_backend(node, index, 40, "10.0.0.100", 8443, SLOT_S1);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_backends), &index, &backend), "pl_backends");
	backend.nat_first = addr4("10.0.0.10");
	backend.nat_count = 1;
	map_put(node->bpf->maps.pl_backends, &index, &backend);
	serve_by(node, index);
	for (uint16_t id = 100; id < 110; id++) {
		struct pkt sent = big_udp(node, SLOT_A), p = cut(&sent, id, 0, SIZE),
			   seen = deliver(node, SLOT_A, &p);

		must(memcmp(seen.data + PKT_IP + 12, p.data + PKT_IP + 12, 8) ? -EINVAL : 0, "addresses");
		kept += get16(seen.data + PKT_IP + 4) == id;
	}
	tap_ok(kept <= 1,
	       "between the same addresses of two VPCs identifications are translated, too (%d were not)",
	       kept);
	node_free(node);
}

static void test_complete(struct node *node, const char *mode)
{
	struct pkt sent = big_udp(node, SLOT_A), seen;

	node_clear_flows(node);
	if (!knows_complete(node)) {
		tap_skip("packets that carry their sum (CHECKSUM_COMPLETE)", "this kernel cannot test them");
		return;
	}
	node->complete = true;
	seen = pass(node, SLOT_A, &sent, 77, PL_DELIVERED);
	tap_ok(is_like(&seen, &sent), "CHECKSUM_COMPLETE stays true over fragments (%s)", mode);
	node->complete = false;
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});
		const char *mode = helpers ? "helpers" : "direct";

		test_endpoint(node, mode);
		test_local(node, mode);
		test_followers(node, mode);
		test_limits(node, mode);
		test_unfinished(node, mode);
		test_interleaved(node, mode);
		test_echoes(node, mode);
		test_debt(node, mode);
		test_twice(node, mode);
		test_bandwidth(node, mode);
		test_repeated(node, mode);
		test_begun(node, mode);
		test_cut_off(node, mode);
		test_ahead(node, mode);
		test_absurd(node, mode);
		test_complete(node, mode);
		node_free(node);
	}
	test_account();
	test_same_addresses();
	return tap_done();
}
