/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PROXY headers, and what a client could begin without one: by SYN cookies, where the server has forgotten a
 * connection or may have, and on rows of connections that were there before the listener's wish.
 */
#include "../tap.h"
#include "proxy_steps.h"

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

/* Who makes the server forget the connection unseen, and begins it again with the same number. */
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
/* As the agent does: the row, and then the generation of the ENIs behind which it is. */
static void tell_listener(void)
{
	node_proxy(node, ALL_PARTS);
	node_bump(node, SLOT_ENI_A);
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
		if (!is_before) {
			tell_listener();
			s = from_client(data);
			tap_ok(s.size == 4, "who was there before the wish goes on");
		}
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

static void test_all(struct node *with_node)
{
	node = with_node;
	test_forged_again();
	test_cookies();
	test_stray_resets();
	test_half_closed();
	test_cookies_of_before();
	test_unheard();
	test_row_of_before();
	test_switched();
	test_forgotten();
}

int main(void)
{
	return in_both_ways(test_all);
}
