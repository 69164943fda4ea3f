/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PROXY headers, step by step: each segment that client and server can send while the header is on its way,
 * and what leaves in its place. (Whole connections through bad networks are in test_proxy_stream.)
 */
#include "../tap.h"
#include "proxy.h"

#define ISN	   1000u       /* of the client */
#define SERVER_ISN 0xfffffff0u /* so that it wraps */

static const uint8_t stamps[12] = {1, 1, 8, 10, 0x11, 0x22, 0x33, 0x44, 0xaa, 0xbb, 0xcc, 0xdd};

static struct node *node;
static struct pair pair;
static uint32_t parts, size; /* of headers now */
static uint32_t isn;	     /* of the client now */

/* Sends a segment. What leaves is *ret; the reason. */
static int emit(bool from_server, struct segment s, struct segment *ret)
{
	struct pkt p = pair_pkt(&pair, from_server, &s);
	struct outcome o = node_send(node, from_server ? SLOT_S1 : SLOT_A, &p);

	if (o.reason == PL_DELIVERED) {
		*ret = segment_of(&o.out);
		if (!pkt_is_sealed(&o.out))
			tap_ok(false, "the checksums of what leaves are true");
		if (!from_server)
			pair_note(&pair, &o.out);
	}
	return o.reason;
}

static struct segment from_client(struct segment s)
{
	struct segment out = {0};
	int reason = emit(false, s, &out);

	if (reason != PL_DELIVERED)
		tap_ok(false, "a segment of the client is delivered, not %s", reason_name(reason));
	return out;
}

static struct segment from_server(struct segment s)
{
	struct segment out = {0};
	int reason = emit(true, s, &out);

	if (reason != PL_DELIVERED)
		tap_ok(false, "a segment of the server is delivered, not %s", reason_name(reason));
	return out;
}

static struct segment with_stamps(struct segment s)
{
	memcpy(s.options, stamps, sizeof(stamps));
	s.options_size = sizeof(stamps);
	return s;
}

static struct segment with_data(struct segment s, const char *text)
{
	s.size = strlen(text);
	memcpy(s.payload, text, s.size);
	return s;
}

/* A new connection, nothing of which was sent yet. */
static void fresh(uint32_t with_parts, uint32_t with_isn)
{
	static uint16_t port = 20000;

	node_clear_flows(node);
	parts = with_parts;
	size = header_size(parts);
	isn = with_isn;
	node_proxy(node, parts);
	pair = (struct pair){.node = node, .port = port++};
}

static struct segment syn(void)
{
	return from_client((struct segment){.seq = isn, .flags = SYN, .window = 64000});
}

static struct segment syn_ack(void)
{
	return from_server((struct segment){
		.seq = SERVER_ISN, .ack = isn + 1 - size, .flags = SYN | ACK, .window = 65000});
}

static struct segment plain_ack(void)
{
	return (struct segment){.seq = isn + 1, .ack = SERVER_ISN + 1, .flags = ACK, .window = 501};
}

/* Up to the server's answer, and up to the header. */
static void answered(uint32_t with_parts, uint32_t with_isn)
{
	fresh(with_parts, with_isn);
	syn();
	syn_ack();
}

static void sent(uint32_t with_parts, uint32_t with_isn)
{
	answered(with_parts, with_isn);
	from_client(plain_ack());
}

static void acknowledged(uint32_t with_parts, uint32_t with_isn)
{
	sent(with_parts, with_isn);
	from_server((struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = ACK, .window = 500});
}

static bool is_header(const struct segment *s)
{
	uint8_t header[128];

	return s->size == put_header(header, pair.port, parts) && memcmp(s->payload, header, s->size) == 0 &&
	       s->seq == isn + 1 - size;
}

static uint32_t mark(bool of_server)
{
	struct segment s = {.flags = ACK};
	struct pkt p = pair_pkt(&pair, of_server, &s);
	struct pl_flow4 flow = flow_of(node, &p, of_server ? SLOT_S1 : SLOT_A, PL_SIDE_OUT);

	return flow.proxy & PL_PROXY_MARKS;
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

static void refused(int reason, bool of_server, struct segment s, const char *what)
{
	struct segment out;
	int r = emit(of_server, s, &out);

	tap_ok(r == reason, "%s: %s%s%s", what, reason_name(reason), r == reason ? "" : ", not ",
	       r == reason ? "" : reason_name(r));
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

/* A segment of the client that is dropped, and answered by a reset: with just the number that the client
 * expects, or it would not believe it. */
static void is_reset(int reason, struct segment s, const char *what)
{
	struct pkt p = pair_pkt(&pair, false, &s);
	struct outcome o = node_send(node, SLOT_A, &p);
	struct segment out = segment_of(&o.out);

	tap_ok(o.reason == reason && o.verdict == TC_ACT_REDIRECT && receiver(node, &o.out) == SLOT_A &&
		       out.flags == RST && out.seq == s.ack && !out.size,
	       "%s is answered by a reset", what);
}

/* Or makes the server forget the connection unseen, and begins it again with the same number. */
static void test_forged_again(void)
{
	struct segment s;

	acknowledged(ALL_PARTS, ISN);
	from_client((struct segment){.seq = isn + 1, .flags = RST});
	is_reset(PL_DROP_PROXY_SEQUENCE, plain_ack(), "an ACK after a reset that was taken");
	syn(); /* from another source */
	syn_ack();
	s = from_client(plain_ack());
	tap_ok(is_header(&s), "the same SYN then begins another connection, with a header");
}

/* A segment that a server takes for the end of a handshake by SYN cookies: its number and what it
 * acknowledges are as far from each other as those of the header are. */
static struct segment by_cookie(uint32_t place)
{
	struct segment s = with_data(plain_ack(), "forged");

	s.seq += place;
	s.ack += place + size;
	return s;
}

/* Whether data is held back until the header is known to have arrived, and passes from then on. */
static bool waits(struct segment data)
{
	struct segment first = from_client(data), next;

	from_server((struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = ACK, .window = 500});
	next = from_client(data);
	return is_header(&first) && next.seq == data.seq && next.size == data.size;
}

static void test_cookies(void)
{
	struct segment s, data;

	answered(ALL_PARTS, ISN);
	tap_ok(waits(by_cookie(1)),
	       "data that acknowledges more than the server's answer becomes the header");
	sent(ALL_PARTS, ISN);
	tap_ok(waits(by_cookie(0)), "also after the header");
	answered(ALL_PARTS, ISN);
	s = by_cookie(1);
	s.size = 0;
	tap_ok(waits(s), "an ACK, too");
	sent(ALL_PARTS, ISN);
	data = with_data(plain_ack(), "far");
	data.seq += 65536;
	tap_ok(waits(data), "and data further ahead than any window");
	answered(ALL_PARTS, ISN);
	from_server((struct segment){
		.seq = SERVER_ISN + 4711, .ack = isn + 1 - size, .flags = SYN | ACK, .window = 65000});
	data = with_data(plain_ack(), "data");
	tap_ok(waits(data), "where the server has answered by two numbers all data waits");
	acknowledged(ALL_PARTS, ISN);
	isn += 50000;
	syn();
	syn_ack();
	data = with_data(plain_ack(), "data");
	tap_ok(waits(data), "and where the row was another connection's before");
}

/* Resets that were not taken. */
static void test_stray_resets(void)
{
	struct segment s;

	acknowledged(ALL_PARTS, ISN);
	from_server((struct segment){.seq = SERVER_ISN + 1001, .ack = isn + 1, .flags = RST | ACK});
	is_reset(PL_DROP_PROXY_SEQUENCE, plain_ack(),
		 "where the server's was too far ahead, the client's question");
	is_reset(PL_DROP_PROXY_SEQUENCE, with_data(plain_ack(), "data"), "and data");

	fresh(ALL_PARTS, ISN);
	syn();
	from_client((struct segment){.seq = 4711, .flags = RST});
	syn_ack();
	s = from_client(plain_ack());
	tap_ok(is_header(&s), "one of the client before the server has answered ends nothing");
	from_server((struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = ACK, .window = 500});
	s = from_client(with_data(plain_ack(), "data"));
	tap_ok(s.size == 4, "nor later, when the header has arrived");
}

static struct pl_proxied proxied_of(struct pl_flow4_key *ret_key)
{
	struct pkt p = pair_pkt(&pair, false, &(struct segment){.flags = ACK});
	struct pl_proxied proxied;

	*ret_key = node_key(&p, 10, PL_SIDE_OUT);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_proxied), ret_key, &proxied), "pl_proxied");
	return proxied;
}

/* Whether a segment has become an acknowledgement beside its place, by which no connection begins. */
static bool is_aside(struct segment s, struct segment out)
{
	return !out.size && out.flags == ACK && out.ack == s.ack && !out.urgent && out.seq == s.seq + 8;
}

/* The server has sent a FIN, and may have forgotten the connection. */
static void half_closed(void)
{
	acknowledged(ALL_PARTS, ISN);
	from_server(
		(struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = FIN | ACK, .window = 500});
}

static bool passes(struct segment s)
{
	struct segment out = from_client(s);

	return out.seq == s.seq && out.size == s.size && out.flags == s.flags;
}

static void test_half_closed(void)
{
	struct segment data, s;

	acknowledged(ALL_PARTS, ISN);
	tap_ok(passes(by_cookie(1)), "before the server has ended all data passes");
	half_closed();
	tap_ok(mark(false) == PL_PROXY_OPEN && mark(true) == PL_PROXY_OPEN,
	       "from the server's FIN on all is looked at");
	data = with_data(plain_ack(), "data");
	data.ack++;
	tap_ok(passes(data), "who still has something to send goes on");
	data.flags |= FIN;
	tap_ok(passes(data), "also by the end of its data");
	data.seq += 4;
	data.size = 0;
	tap_ok(passes(data), "or by nothing but that");
	data.flags = ACK;
	data.seq--;
	tap_ok(passes(data), "and its keep-alives pass");
	from_server((struct segment){.seq = SERVER_ISN + 2, .ack = isn + 6, .flags = ACK, .window = 500});
	tap_ok(passes(data), "also after both ends");

	s = by_cookie(1);
	s.flags |= FIN | URG;
	s.urgent = 3;
	tap_ok(is_aside(s, from_client(s)),
	       "what might begin another connection by a SYN cookie has no data");
	s = by_cookie(5);
	s.size = 0;
	tap_ok(is_aside(s, from_client(s)), "nor does it end a handshake");
	s.ack += 3;
	tap_ok(is_aside(s, from_client(s)), "also where the cookie would be for larger segments");
	s.ack -= 6;
	tap_ok(is_aside(s, from_client(s)), "or for smaller ones");
	from_server((struct segment){.seq = SERVER_ISN + 2, .ack = isn + 6, .flags = ACK, .window = 500});
	tap_ok(is_aside(s, from_client(s)), "and whatever the server has said since");
	s.flags |= FIN;
	tap_ok(passes(s), "but a FIN alone, which begins nothing that has data");
	s.flags = ACK;
	s.ack--;
	tap_ok(passes(s), "and what is no cookie");
}

/* That the server sees of the client's connection. */
static uint16_t translated_source(void)
{
	struct pkt p = pair_pkt(&pair, false, &(struct segment){.flags = ACK});

	return flow_of(node, &p, SLOT_A, PL_SIDE_OUT).sport;
}

/* A connection whose server answers by a cookie of that minute, and ends it. */
static void ended_in(uint32_t minute)
{
	uint32_t answer = isn + (SERVER_ISN - ISN) + minute * 0x01000000;

	syn();
	from_server(
		(struct segment){.seq = answer, .ack = isn + 1 - size, .flags = SYN | ACK, .window = 65000});
	from_client((struct segment){.seq = isn + 1, .ack = answer + 1, .flags = ACK, .window = 500});
	from_server((struct segment){.seq = answer + 1, .ack = isn + 1, .flags = FIN | ACK, .window = 500});
}

/* What the client has heard of two minutes' connections on one row; a cookie is good for two minutes. */
static void test_cookies_of_before(void)
{
	struct segment first, s;
	uint16_t source;

	acknowledged(ALL_PARTS, ISN);
	source = translated_source();
	first = by_cookie(1);
	isn += 50000;
	ended_in(1);
	s = by_cookie(1);
	s.ack = s.seq + (first.ack - first.seq) + 0x01000000;
	tap_ok(is_aside(s, from_client(s)), "a minute's own cookie begins nothing");
	s.ack -= 0x01000000;
	tap_ok(is_aside(s, from_client(s)), "nor does that of the minute before");
	tap_ok(translated_source() == source, "on the same row");
	isn += 50000;
	ended_in(1);
	tap_ok(translated_source() != source, "who knows two has another source for what begins next");
}

/* How much time a KB of the ENI's flows takes, each way; 0: they have no limit. What has passed is forgotten.
 */
static void limit_bytes(uint32_t kbyte_ns)
{
	uint32_t slot = SLOT_ENI_A;
	struct pl_limit limit = {.kbyte_ns = kbyte_ns};
	struct pl_buckets empty = {0};
	struct pl_eni eni;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_enis), &slot, &eni), "pl_enis");
	eni.limit = kbyte_ns ? slot : 0;
	map_put(node->bpf->maps.pl_enis, &slot, &eni);
	map_put(node->bpf->maps.pl_limits, &slot, &limit);
	map_put(node->bpf->maps.pl_buckets, &slot, &empty);
	node_bump(node, slot);
}

/* The server says it, but for that it has used up what it may send. */
static void unheard(struct segment s)
{
	limit_bytes(UINT32_MAX);
	from_server((struct segment){
		.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = ACK, .window = 500, .size = 1000});
	refused(PL_DROP_BANDWIDTH, true, s, "what is too much does not reach the client");
	limit_bytes(0);
}

static void test_unheard(void)
{
	struct segment data, out;

	acknowledged(ALL_PARTS, ISN);
	unheard((struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = RST | ACK});
	is_reset(PL_DROP_PROXY_SEQUENCE, by_cookie(1), "it is remembered that it was a reset: data");

	acknowledged(ALL_PARTS, ISN);
	data = plain_ack();
	data.flags |= FIN;
	from_client(data);
	unheard((struct segment){.seq = SERVER_ISN + 1, .ack = isn + 2, .flags = FIN | ACK, .window = 500});
	tap_ok(mark(false) == PL_PROXY_OPEN && mark(true) == PL_PROXY_OPEN, "or the server's FIN");
	data = by_cookie(1);
	out = from_client(data);
	tap_ok(is_aside(data, out), "and nothing begins by a cookie");
}

/* A row that a program has left which did not know what the server has answered. */
static void test_row_of_before(void)
{
	struct pl_flow4_key key;
	struct pl_proxied proxied;
	struct segment data;

	sent(ALL_PARTS, ISN);
	proxied = proxied_of(&key);
	proxied.told = 0;
	proxied.sent = proxied.known = proxied.known_before = 0x1234;
	map_put(node->bpf->maps.pl_proxied, &key, &proxied);
	data = with_data(plain_ack(), "data");
	tap_ok(waits(data), "with a row of before data waits for the header");
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

/* An open connection without a header, or with one of other parts. */
static void open_before(uint32_t from_parts)
{
	fresh(from_parts, ISN);
	syn();
	syn_ack();
	from_client(plain_ack());
	from_server((struct segment){.seq = SERVER_ISN + 1, .ack = isn + 1, .flags = ACK, .window = 500});
}

/* The listener is told to send headers. */
static void tell_listener(void)
{
	node_proxy(node, ALL_PARTS);
	parts = ALL_PARTS;
	size = header_size(parts);
}

static void switched(uint32_t from_parts)
{
	open_before(from_parts);
	tell_listener();
}

static bool has_header(void)
{
	struct segment s = syn();

	if (s.seq != isn - size || mark(false) != PL_PROXY_OPEN || mark(true) != PL_PROXY_OPEN)
		return false;
	syn_ack();
	s = from_client(plain_ack());
	return is_header(&s);
}

/* Another CPU has the token of the client's flow in its hand. */
static void hold_token(uint32_t phase)
{
	struct pkt p = pair_pkt(&pair, false, &(struct segment){.flags = SYN});
	uint32_t index = flow_of(node, &p, SLOT_A, PL_SIDE_OUT).token;
	struct pl_token token = node_token(node, index);

	token.word = (token.word & ~(3ull << PL_TOKEN_PHASE)) | (uint64_t)phase << PL_TOKEN_PHASE;
	map_put(node->bpf->maps.pl_tokens, &index, &token);
}

static void test_switched(void)
{
	static const uint32_t before[] = {0, PL_PROXY_ON, PL_PROXY_ON | PL_PROXY_VPC};
	struct segment s;

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		switched(before[i]);
		s = from_client(with_data(plain_ack(), "more"));
		tap_ok(s.seq == isn + 1 && s.size == 4 && mark(false) != PL_PROXY_OPEN,
		       "a connection that was there before the listener's header goes on, ids %u",
		       before[i] >> 1);
		isn += 50000;
		tap_ok(has_header(), "a new one on its row has it");
		switched(before[i]);
		from_client((struct segment){.seq = isn + 1, .flags = RST});
		(void)emit(false, plain_ack(), &s); /* with a wrong checksum the server says nothing */
		isn += 50000;
		tap_ok(has_header(), "also where the server was made to forget the first one unseen");
	}
	for (int of_server = 0; of_server < 2; of_server++) {
		struct segment stray = {.seq = of_server ? SERVER_ISN + 999 : isn + 999, .flags = RST};

		switched(0);
		(void)emit(of_server, stray, &s);
		is_reset(PL_DROP_NOT_SYN, with_data(plain_ack(), "more"),
			 "where there was a reset, by which the server may have forgotten it, data");
		isn += 50000;
		tap_ok(has_header(), "and then a new one has it");
		fresh(0, ISN);
		syn();
		syn_ack();
		from_client(plain_ack());
		(void)emit(of_server, stray, &s);
		s = from_client(with_data(plain_ack(), "more"));
		tap_ok(s.size == 4, "without headers a reset that was not taken ends nothing");
	}
	switched(0);
	hold_token(PL_PHASE_BUSY);
	refused(PL_DROP_FLOW_TABLE_BUSY, false, (struct segment){.seq = isn + 50000, .flags = SYN},
		"while the row cannot be ended");
	hold_token(PL_PHASE_OPEN);
	isn += 50000;
	tap_ok(has_header(), "and the same SYN later has it");
}

static uint8_t state_of_client(void)
{
	struct pkt p = pair_pkt(&pair, false, &(struct segment){.flags = ACK});

	return flow_of(node, &p, SLOT_A, PL_SIDE_OUT).state;
}

/* What has made a server forget its connection is no matter, nor whether it was before the wish. */
static void test_forgotten(void)
{
	const struct segment data = {
		.seq = ISN + 1, .ack = SERVER_ISN + 1, .flags = ACK, .window = 500, .size = 4};
	const struct segment ack = {.seq = SERVER_ISN + 1, .ack = ISN + 1, .flags = ACK, .window = 500};
	const struct segment fin = {.seq = SERVER_ISN + 1, .ack = ISN + 1, .flags = FIN | ACK, .window = 500};
	const struct segment reset = {.seq = SERVER_ISN + 1, .ack = ISN + 1, .flags = RST | ACK};
	const struct segment client_reset = {.seq = ISN + 1, .flags = RST};
	const struct {
		const char *what;
		bool of_server, is_unheard;
		struct segment last, then; /* then: no flags, if nothing */
	} cases[] = {
		{"data behind a client's reset that it took back", false, false, client_reset, data},
		{"data behind a server's reset that it took back", true, false, reset, ack},
		{"data behind a server's reset that was too much", true, true, reset, {0}},
		{"data behind a server's FIN that was too much", true, true, fin, {0}},
		{"data behind a server's FIN", true, false, fin, {0}},
	};
	struct segment s;

	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		bool is_before = i % 2;
		size_t at = i / 2;

		open_before(0);
		if (!is_before)
			tell_listener();
		if (cases[at].is_unheard)
			unheard(cases[at].last);
		else
			(void)emit(cases[at].of_server, cases[at].last, &s);
		if (cases[at].then.flags)
			(void)emit(cases[at].of_server, cases[at].then, &s);
		if (is_before)
			tell_listener();
		is_reset(PL_DROP_NOT_SYN, data, cases[at].what);
		isn += 50000;
		tap_ok(has_header(), "%s the listener was told, and a new connection has the header",
		       is_before ? "before" : "after");
	}
	open_before(0);
	from_client(
		(struct segment){.seq = ISN + 1, .ack = SERVER_ISN + 1, .flags = FIN | ACK, .window = 500});
	unheard(fin);
	tap_ok(!(state_of_client() & PL_STATE_FIN_BACK),
	       "a FIN that was too much does not end what the client still waits for");
	open_before(0);
	(void)emit(true, fin, &s);
	s = from_client(data);
	tap_ok(s.size == 4, "where a listener wishes no header a client goes on behind the server's FIN");
	open_before(0);
	from_client(
		(struct segment){.seq = ISN + 1, .ack = SERVER_ISN + 1, .flags = FIN | ACK, .window = 500});
	tell_listener();
	s = from_client(plain_ack());
	tap_ok(s.flags == ACK, "and behind one of its own where it does, too");
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

static void test_all(void)
{
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
	test_forged_again();
	test_cookies();
	test_stray_resets();
	test_half_closed();
	test_cookies_of_before();
	test_unheard();
	test_row_of_before();
	test_overtaken();
	test_rows();
	test_switched();
	test_forgotten();
	test_errors();
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		tap_note("%s", helpers ? "by the helpers" : "direct writes");
		node = node_new(&(struct node_options){.helpers = helpers});
		test_all();
		node = node_free(node);
	}
	return tap_done();
}
