/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PROXY headers, step by step: each segment that client and server can send while the header is on its way,
 * and what leaves in its place. (What a client could begin without one is in test_proxy_cookies, whole
 * connections through bad networks are in test_proxy_stream.)
 */
#include "../tap.h"
#include "proxy_steps.h"

static const uint8_t stamps[12] = {1, 1, 8, 10, 0x11, 0x22, 0x33, 0x44, 0xaa, 0xbb, 0xcc, 0xdd};

static struct segment with_stamps(struct segment s)
{
	memcpy(s.options, stamps, sizeof(stamps));
	s.options_size = sizeof(stamps);
	return s;
}

static uint32_t count_proxied(void)
{
	struct pl_flow4_key key, *at = NULL;
	int fd = bpf_map__fd(node->bpf->maps.pl_proxied);
	uint32_t n = 0;

	while (bpf_map_get_next_key(fd, at, &key) == 0) {
		at = &key;
		n++;
	}
	return n;
}

static void test_syn(void)
{
	static const uint8_t offered[20] = {2, 4, 5, 180, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 3, 3, 7, 0, 0, 0},
			     passed[20] = {2, 4, 5, 180, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7, 0, 0, 0},
			     older[8] = {1, 1, 254, 4, 0xf9, 0x89, 0, 0},
			     older_passed[8] = {1, 1, 1, 1, 1, 1, 0, 0},
			     experiment[8] = {254, 4, 0xf9, 0x88, 0, 0, 0, 0},
			     capable[8] = {2, 4, 5, 180, 30, 4, 1, 1},
			     capable_passed[8] = {2, 4, 5, 180, 1, 1, 1, 1},
			     joins[16] = {30, 12, 0x10, 2, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7},
			     joins_passed[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7};
	const struct {
		const uint8_t *offered, *passed;
		size_t size;
		const char *what;
	} cases[] = {
		{offered, passed, 20, "Fast Open's cookie"},
		{older, older_passed, 8, "Fast Open as an experiment"},
		{experiment, experiment, 8, "another experiment"},
		{capable, capable_passed, 8, "Multipath TCP"},
		{joins, joins_passed, 16, "one more path of that"},
		{stamps, stamps, 12, "time stamps"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct segment s = {.flags = SYN, .window = 64000, .options_size = cases[i].size}, out;

		fresh(ALL_PARTS, ISN);
		s.seq = isn;
		memcpy(s.options, cases[i].offered, cases[i].size);
		out = from_client(s);
		tap_ok(out.seq == isn - size && out.window == 64000 && out.flags == SYN,
		       "a SYN is lowered by the header's size, with %s", cases[i].what);
		tap_ok(out.options_size == cases[i].size &&
			       memcmp(out.options, cases[i].passed, cases[i].size) == 0,
		       "whose option is %s", cases[i].offered == cases[i].passed ? "as it was" : "taken out");
	}
}

static void test_answer(void)
{
	struct segment out;

	fresh(ALL_PARTS, ISN);
	syn();
	out = syn_ack();
	tap_ok(out.ack == isn + 1 && out.window == 65000 - size,
	       "a SYN-ACK acknowledges the SYN, with the same right edge");
	out = from_server(
		(struct segment){.seq = SERVER_ISN, .ack = isn + 1 - size, .flags = SYN | ACK, .window = 5});
	tap_ok(out.ack == isn + 1 && out.window == 0, "a window smaller than the header is none");
	fresh(ALL_PARTS, ISN);
	syn();
	out = from_server((struct segment){.ack = isn + 1 - size, .flags = RST | ACK});
	tap_ok(out.ack == isn + 1 && out.flags == (RST | ACK), "so does the reset of a closed port");
	fresh(ALL_PARTS, ISN);
	syn();
	out = from_server((struct segment){.seq = 5, .ack = 77777, .flags = ACK, .window = 9});
	tap_ok(out.ack == 77777 && out.window == 9, "what an older connection acknowledges stays as it is");
}

static void test_header(void)
{
	static const uint32_t isns[] = {ISN, 0, 5, 0xffffffff, 0xfffffffe};
	struct segment out, s;

	for (uint32_t p = PL_PROXY_ON; p <= ALL_PARTS; p += 2) {
		answered(p, ISN);
		out = from_client(plain_ack());
		tap_ok(is_header(&out) && out.flags == (ACK | PSH) && out.ack == SERVER_ISN + 1 &&
			       out.window == 501,
		       "the handshake's ACK becomes the header, ids %u: %u bytes", p >> 1, size);
	}
	for (size_t i = 0; i < sizeof(isns) / sizeof(isns[0]); i++) {
		answered(ALL_PARTS, isns[i]);
		out = from_client(plain_ack());
		tap_ok(is_header(&out), "also where the numbers wrap: %u", isns[i]);
	}
	answered(ALL_PARTS, ISN);
	out = from_client(with_stamps(plain_ack()));
	tap_ok(is_header(&out) && out.options_size == 12 && memcmp(out.options, stamps, 12) == 0,
	       "with the options that it had");
	out = from_client(plain_ack());
	tap_ok(is_header(&out), "and so does the next one, as long as nothing is acknowledged");
	s = plain_ack();
	s.seq--;
	out = from_client(s);
	tap_ok(is_header(&out), "a keep-alive, too");
	s = plain_ack();
	s.flags |= URG;
	s.urgent = 3;
	out = from_client(s);
	tap_ok(is_header(&out) && !(out.flags & URG) && !out.urgent, "no byte of it is urgent");
	answered(ALL_PARTS, ISN);
	s = plain_ack();
	s.flags |= FIN;
	out = from_client(s);
	tap_ok(is_header(&out) && out.flags & FIN, "a FIN right after the handshake ends the header");
}

/* What would put the header where the client wants it: keys, and a place in the stream (RFC 8684). */
static void test_multipath(void)
{
	static const uint8_t asked[36] = {30, 22, 1, 1,	 1,  2,	 3,    4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3,
					  2,  1,  0, 28, 30, 14, 0x20, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 28};
	struct segment s, out;
	bool is_blank = true;

	answered(ALL_PARTS, ISN);
	s = plain_ack();
	memcpy(s.options, asked, sizeof(asked));
	s.options_size = sizeof(asked);
	out = from_client(s);
	for (size_t i = 0; i < sizeof(asked); i++)
		is_blank &= out.options[i] == 1;
	tap_ok(is_header(&out) && out.options_size == sizeof(asked) && is_blank,
	       "the header has nothing of Multipath TCP");
}

static void test_data(void)
{
	struct segment data, out;

	answered(ALL_PARTS, ISN);
	data = with_data(plain_ack(), "hello");
	data.flags |= PSH | FIN;
	out = from_client(data);
	tap_ok(is_header(&out) && !(out.flags & FIN),
	       "data in place of the handshake's ACK: the header goes first, without its FIN");
	out = from_client(data);
	tap_ok(out.seq == isn + 1 && out.size == 5 && out.flags & FIN, "and its copy behind it, as it was");
	answered(ALL_PARTS, ISN);
	data.seq += 100;
	out = from_client(data);
	tap_ok(out.seq == isn + 101 && out.size == 5, "later data goes as it is");
	sent(ALL_PARTS, ISN);
	data.seq -= 100;
	out = from_client(data);
	tap_ok(out.seq == isn + 1 && out.size == 5, "and so does data after the header");
}

static struct segment gap(uint32_t missing)
{
	return with_stamps((struct segment){
		.seq = SERVER_ISN + 1, .ack = isn + 1 - missing, .flags = ACK, .window = 500});
}

static void test_turn(void)
{
	static const uint8_t turned[12] = {1, 1, 8, 10, 0xaa, 0xbb, 0xcc, 0xdd, 0x11, 0x22, 0x33, 0x44};
	struct segment s, out;
	struct outcome o;
	struct pkt p;

	sent(ALL_PARTS, ISN);
	s = gap(size);
	p = pair_pkt(&pair, true, &s);
	o = node_send(node, SLOT_S1, &p);
	out = segment_of(&o.out);
	tap_ok(o.reason == PL_DELIVERED && receiver(node, &o.out) == SLOT_S1 && pkt_is_sealed(&o.out),
	       "an acknowledgement that lacks the header goes back to the server");
	tap_ok(memcmp(o.out.data + PKT_IP + 12, pair.seen, 8) == 0 &&
		       memcmp(o.out.data + PKT_L4, pair.seen + 8, 4) == 0,
	       "as from the client");
	tap_ok(is_header(&out) && out.ack == SERVER_ISN + 1 && out.window == 501,
	       "it is the header now, with what the client has acknowledged");
	tap_ok(out.options_size == 12 && memcmp(out.options, turned, 12) == 0,
	       "and time stamps that the server takes");
	out = from_server(gap(3));
	tap_ok(is_header(&out), "also if only its end is missing");
	for (int i = 0; i < 8; i++)
		out = from_server(gap(size));
	tap_ok(out.seq == SERVER_ISN + 1 && out.ack == isn + 1,
	       "a server that never takes it makes no loop: the client gets its acknowledgement");
	sent(ALL_PARTS, ISN);
	out = from_server(with_data(gap(size), "220 hello"));
	tap_ok(out.ack == isn + 1 && out.size == 9 && out.seq == SERVER_ISN + 1,
	       "what the server says before it has the header reaches the client");
	s = gap(size);
	s.flags |= FIN;
	out = from_server(s);
	tap_ok(out.ack == isn + 1 && out.flags & FIN, "and so does its FIN");
	answered(ALL_PARTS, ISN);
	out = from_server(gap(size));
	tap_ok(out.ack == isn + 1, "before the header nothing is turned round");
}

static void test_window(void)
{
	struct segment s = {.seq = SERVER_ISN, .flags = SYN | ACK, .window = 65000}, out;
	static const uint8_t scale[4] = {1, 3, 3, 4};

	fresh(ALL_PARTS, ISN);
	syn();
	s.ack = isn + 1 - size;
	s.options_size = 4;
	memcpy(s.options, scale, 4);
	from_server(s);
	from_client(plain_ack());
	out = from_server(with_data(gap(size), "x"));
	tap_is_int(out.window, 500 - (size + 15) / 16, "later windows are in the server's scale");
}

static void test_reset(void)
{
	struct segment out;

	sent(ALL_PARTS, ISN);
	out = from_client((struct segment){.seq = isn + 1, .ack = SERVER_ISN + 1, .flags = RST | ACK});
	tap_ok(out.seq == isn + 1 && out.flags == (RST | ACK), "a reset goes as it is");
	out = from_server(gap(size));
	tap_ok(out.flags == (RST | ACK) && out.seq == isn + 1 - size && !out.size,
	       "a server that challenges it gets it at the number that it expects");
}

static void test_done(void)
{
	struct segment s, out;

	acknowledged(ALL_PARTS, ISN);
	tap_ok(mark(false) == PL_PROXY_DONE && mark(true) == PL_PROXY_DONE,
	       "when the header is acknowledged, neither row asks for more");
	out = from_client(plain_ack());
	tap_ok(!out.size && out.seq == isn + 1, "an ACK stays an ACK");
	out = from_server((struct segment){.seq = 9, .ack = isn, .flags = ACK, .window = 7});
	tap_ok(out.ack == isn && out.window == 7, "numbers are not touched any more");
	tap_is_int(emit(false, (struct segment){.seq = isn, .flags = SYN}, &out), PL_DROP_PROXY_SEQUENCE,
		   "the SYN once more, late, is kept away");
	out = from_client(with_data(plain_ack(), "more"));
	tap_ok(out.size == 4 && mark(false) == PL_PROXY_DONE, "and changes nothing");
	isn += 50000;
	s = (struct segment){.seq = isn, .flags = SYN};
	out = from_client(s);
	tap_ok(out.seq == isn - size && mark(false) == PL_PROXY_OPEN && mark(true) == PL_PROXY_OPEN,
	       "a new SYN with the same tuple begins anew");
	out = from_server((struct segment){.seq = 9, .ack = isn - 40000, .flags = ACK});
	tap_ok(out.ack == isn - 40000, "the old connection's challenge reaches the client");
	out = from_client((struct segment){.seq = isn - 40000, .flags = RST});
	tap_ok(out.flags == RST && out.seq == isn - 40000, "and its reset the server");
	syn();
	syn_ack();
	out = from_client(plain_ack());
	tap_ok(is_header(&out), "then the new connection has a header of its own");
}

/* What a client could try in order to write the header itself. */
static void test_forged(void)
{
	struct segment data, s;

	fresh(ALL_PARTS, ISN);
	data = with_data(plain_ack(), "\r\n\r\n forged");
	refused(PL_DROP_PROXY_SYN_DATA, false, with_data((struct segment){.seq = isn, .flags = SYN}, "early"),
		"a SYN with data");
	syn();
	refused(PL_DROP_PROXY_SEQUENCE, false, data, "data before the server has answered");
	refused(PL_DROP_PROXY_SEQUENCE, false, plain_ack(), "an ACK before that");
	syn_ack();
	s = data;
	s.seq -= size;
	refused(PL_DROP_PROXY_SEQUENCE, false, s, "data in the header's place");
	s.size = 0;
	refused(PL_DROP_PROXY_SEQUENCE, false, s, "an ACK there, which would end the handshake without it");
	s = data;
	s.seq--;
	refused(PL_DROP_PROXY_SEQUENCE, false, s, "one byte in the header's place");
	s = data;
	s.flags = PSH;
	refused(PL_DROP_BAD_TCP_FLAGS, false, s, "data without ACK");
	s = plain_ack();
	s.flags |= SYN;
	refused(PL_DROP_PROXY_SEQUENCE, false, s, "a SYN-ACK of the client");
	from_client(plain_ack());
	s = data;
	s.seq -= size;
	refused(PL_DROP_PROXY_SEQUENCE, false, s, "data in its place while it is on its way");
	from_client((struct segment){.seq = isn + 12345, .flags = RST});
	refused(PL_DROP_PROXY_SEQUENCE, false, s, "and after a reset that nobody takes");
}

/* The acknowledgement of the last connection's header on one CPU, and the SYN of the next on another: what
 * the former says of the rows comes last. */
static void test_overtaken(void)
{
	struct segment s;

	fresh(ALL_PARTS, ISN);
	syn();
	for (int of_server = 0; of_server < 2; of_server++) {
		struct pkt p = pair_pkt(&pair, of_server, &(struct segment){.flags = ACK});
		struct pl_flow4_key key = node_key(&p, of_server ? 40 : 10, PL_SIDE_OUT);
		struct pl_flow4 flow;

		must(node_flow(node, &key, &flow) ? 0 : -ENOENT, "flow");
		flow.proxy = (flow.proxy & ~PL_PROXY_MARKS) | PL_PROXY_DONE;
		map_put(node->bpf->maps.pl_flows4, &key, &flow);
	}
	syn_ack();
	s = from_client(plain_ack());
	tap_ok(is_header(&s), "a connection has a header, though the last one's has just arrived");
}

static void test_rows(void)
{
	struct pl_proxy_key key = {.slot = SLOT_ENI_A, .parts = ALL_PARTS};
	struct segment s = {.seq = ISN, .flags = SYN};
	struct pkt p;

	fresh(ALL_PARTS, ISN);
	must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_proxies), &key), "pl_proxies");
	refused(PL_DROP_PROXY_HEADER, false, s, "without the ENI's ids no connection begins");
	node_proxy(node, ALL_PARTS);
	sent(PL_PROXY_ON, ISN);
	node_proxy(node, 0);
	tap_ok(is_header(&(struct segment){0}) == false, "a listener that sends none any more");
	s = from_client(plain_ack());
	tap_ok(is_header(&s), "leaves what a connection has begun with");
	fresh(0, ISN);
	s = from_client((struct segment){.seq = ISN, .flags = SYN});
	tap_ok(s.seq == ISN && mark(false) == 0, "and new connections have none");

	fresh(ALL_PARTS, ISN);
	while (count_proxied()) {
		struct pl_flow4_key any;

		must(bpf_map_get_next_key(bpf_map__fd(node->bpf->maps.pl_proxied), NULL, &any), "next");
		must(bpf_map_delete_elem(bpf_map__fd(node->bpf->maps.pl_proxied), &any), "pl_proxied");
	}
	syn();
	tap_is_int(count_proxied(), 1, "a connection has one row in pl_proxied");
	syn();
	tap_is_int(count_proxied(), 1, "also one whose SYN comes again");
	from_client((struct segment){.seq = isn + 1, .flags = RST});
	isn += 999;
	syn();
	tap_is_int(count_proxied(), 1, "and a new one with its tuple takes its place");
	p = udp(node, SLOT_A, 5000);
	deliver(node, SLOT_A, &p);
	tap_is_int(count_proxied(), 1, "UDP has none");
}

/* The server tells of a segment that it was sent, with so much of it: the client hears of its own. */
static void told(struct segment s, size_t quoted, const char *what)
{
	struct pkt sent = pair_pkt(&pair, false, &s), error, back;
	struct outcome o = node_send(node, SLOT_A, &sent);
	const uint8_t *quote = back.data + QUOTE + 20;

	error = error_about(&o.out, 3 << 8 | 13, 0, quoted);
	forget_rate(node, SLOT_S1);
	back = node_send(node, SLOT_S1, &error).out;
	if (o.reason == PL_DELIVERED)
		pair_note(&pair, &o.out);
	tap_ok(pkt_is_sealed(&back) && receiver(node, &back) == SLOT_A && back.size == QUOTE + quoted &&
		       get32(quote + 4) == s.seq && memcmp(quote, sent.data + PKT_L4, 8) == 0,
	       "an error about %s quotes the client's own sequence number", what);
	if (quoted == 40 && s.flags == SYN)
		tap_ok(memcmp(quote, sent.data + PKT_L4, 20) == 0, "and its checksum");
}

static void test_errors(void)
{
	for (uint32_t with_isn = ISN; with_isn; with_isn = with_isn == ISN ? 0xfffffff0u : 0) {
		for (size_t quoted = 28; quoted <= 40; quoted += 12) {
			fresh(ALL_PARTS, with_isn);
			told((struct segment){.seq = isn, .flags = SYN, .window = 64000}, quoted, "a SYN");
			syn_ack();
			told(plain_ack(), quoted, "the header");
		}
		from_server(
			(struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = ACK, .window = 500});
		told(with_data(plain_ack(), "data"), 40, "data");
	}
}

static void test_all(struct node *with_node)
{
	node = with_node;
	test_syn();
	test_answer();
	test_header();
	test_multipath();
	test_data();
	test_turn();
	test_window();
	test_reset();
	test_done();
	test_forged();
	test_overtaken();
	test_rows();
	test_errors();
}

int main(void)
{
	return in_both_ways(test_all);
}
