/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole connections with PROXY headers through networks that lose, repeat and reorder packets, on either side
 * of the node and in both directions. Both ends are small TCPs with a timer that always fires, so whatever is
 * lost is sent again. What they must find: the server's stream is the header and the client's bytes, the
 * client's is the server's, and no number is ever one that the other side cannot have meant.
 */
#include "../tap.h"
#include "proxy.h"

#define STREAM_MAX  4096
#define QUEUE_MAX   256
#define ROUNDS_MAX  400
#define RUNS	    240
#define SEGMENT_MAX 600
#define HEADER_MAX  127

enum { CLOSED, SYN_SENT, SYN_RECEIVED, ESTABLISHED };

/* An end of a connection. Positions in streams count from the first byte behind the SYN. */
struct end {
	bool is_server;
	int state;
	uint32_t isn, peer_isn;
	uint8_t out[STREAM_MAX], in[STREAM_MAX];
	bool got[STREAM_MAX + 1]; /* of `in`; one more for the FIN */
	size_t out_size, sent, acked, in_size;
	size_t fin_at;	  /* where the peer's FIN is; SIZE_MAX: it was not heard */
	bool has_ended;	  /* its FIN has passed the node */
	bool speaks_late; /* data takes the place of the handshake's ACK */
	bool has_header;  /* of the client: it has left */
	bool stamps;
	const char *fault;
};

struct queue {
	struct pkt packets[QUEUE_MAX];
	size_t n;
};

struct weather {
	uint32_t lost, doubled, swapped; /* of 100 */
};

static struct node *node;
static struct pair pair;
static struct end client, server;
static struct queue to_node[2], from_node[2]; /* by who sends to the node, and whom the node sends to */
static struct weather weather;
static uint32_t dice = 1;

static uint32_t roll(uint32_t n)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % n;
}

static void push(struct queue *queue, const struct pkt *p)
{
	if (roll(100) < weather.lost || queue->n + 2 > QUEUE_MAX)
		return;
	queue->packets[queue->n++] = *p;
	if (roll(100) < weather.doubled)
		queue->packets[queue->n++] = *p;
	if (queue->n > 1 && roll(100) < weather.swapped) {
		size_t with = roll(queue->n);
		struct pkt last = queue->packets[queue->n - 1];

		queue->packets[queue->n - 1] = queue->packets[with];
		queue->packets[with] = last;
	}
}

static bool pull(struct queue *queue, struct pkt *ret)
{
	if (!queue->n)
		return false;
	*ret = queue->packets[0];
	memmove(queue->packets, queue->packets + 1, --queue->n * sizeof(*ret));
	return true;
}

static size_t contiguous(const struct end *end)
{
	size_t n = 0;

	while (n <= STREAM_MAX && end->got[n])
		n++;
	return n;
}

/* The acknowledgement that an end sends now. */
static uint32_t ack_of(const struct end *end)
{
	return end->peer_isn + 1 + contiguous(end);
}

static void emit(struct end *end, uint32_t seq, uint8_t flags, const uint8_t *payload, size_t size)
{
	struct segment s = {.seq = seq, .flags = flags, .window = 60000, .size = size};
	struct pkt p;

	if (flags & ACK)
		s.ack = ack_of(end);
	if (end->stamps) {
		static const uint8_t option[4] = {1, 1, 8, 10};

		memcpy(s.options, option, 4);
		put32(s.options + 4, end->is_server ? 200 : 100);
		s.options_size = 12;
	}
	if (size)
		memcpy(s.payload, payload, size);
	p = pair_pkt(&pair, end->is_server, &s);
	push(&to_node[end->is_server], &p);
}

/* From `at` on as much as a segment takes; the FIN with the last byte. */
static void emit_data(struct end *end, size_t at)
{
	size_t size = end->out_size - at;

	if (size > SEGMENT_MAX)
		size = 1 + roll(SEGMENT_MAX);
	emit(end, end->isn + 1 + at, at + size == end->out_size ? ACK | PSH | FIN : ACK, end->out + at, size);
}

/* Sends all that was not sent yet. The FIN takes one number behind the stream. */
static void speak(struct end *end)
{
	while (end->sent <= end->out_size) {
		size_t at = end->sent;

		emit_data(end, at);
		end->sent = end->out_size - at > SEGMENT_MAX ? at + SEGMENT_MAX : end->out_size + 1;
	}
}

/* The timer: what was not acknowledged comes again. */
static void repeat(struct end *end)
{
	if (end->state == SYN_SENT)
		emit(end, end->isn, SYN, NULL, 0);
	else if (end->state == SYN_RECEIVED)
		emit(end, end->isn, SYN | ACK, NULL, 0);
	else if (end->state == ESTABLISHED && end->acked <= end->out_size)
		for (size_t at = end->acked; at <= end->out_size; at += SEGMENT_MAX)
			emit_data(end, at);
}

static void receive_payload(struct end *end, const struct segment *s)
{
	uint32_t at = s->seq - (end->peer_isn + 1);

	for (size_t i = 0; i < s->size; i++)
		if (at + i < STREAM_MAX) {
			if (end->got[at + i] && end->in[at + i] != s->payload[i])
				end->fault = "a byte comes with two values";
			end->in[at + i] = s->payload[i];
			end->got[at + i] = true;
		}
	if (s->flags & FIN && at + s->size < STREAM_MAX) {
		end->fin_at = at + s->size;
		end->got[end->fin_at] = true;
	}
}

static void receive_ack(struct end *end, const struct segment *s)
{
	uint32_t acked = s->ack - (end->isn + 1);

	if (acked > end->out_size + 1) {
		/* Less than all of the SYN is old: the header on its way once said so. */
		if (acked < UINT32_MAX - HEADER_MAX)
			end->fault = "what was never sent is acknowledged";
		return;
	}
	if (acked > end->acked)
		end->acked = acked;
}

static void client_receive(const struct segment *s)
{
	if (client.state == SYN_SENT) {
		if (!(s->flags & SYN) || s->ack != client.isn + 1) {
			client.fault = s->flags & SYN ? "a SYN-ACK of another SYN" : client.fault;
			return;
		}
		client.peer_isn = s->seq;
		client.state = ESTABLISHED;
		if (!client.speaks_late)
			emit(&client, client.isn + 1, ACK, NULL, 0);
		speak(&client);
		return;
	}
	if (s->flags & SYN) { /* once more: so is the answer */
		emit(&client, client.isn + 1 + client.acked, ACK, NULL, 0);
		return;
	}
	receive_ack(&client, s);
	receive_payload(&client, s);
	if (s->size || s->flags & FIN)
		emit(&client, client.isn + 1 + client.sent, ACK, NULL, 0);
}

static void server_receive(const struct segment *s)
{
	/* The SYN was repeated, with another source, while its answer was on its way: this is about the
	 * first. */
	if (s->flags & RST)
		return;
	if (s->flags & SYN) {
		if (server.state == CLOSED || server.state == SYN_RECEIVED) {
			if (server.state == SYN_RECEIVED && server.peer_isn != s->seq)
				server.fault = "the same SYN comes with two numbers";
			server.peer_isn = s->seq;
			server.state = SYN_RECEIVED;
			emit(&server, server.isn, SYN | ACK, NULL, 0);
		} else {
			emit(&server, server.isn + 1 + server.sent, ACK, NULL, 0);
		}
		return;
	}
	if (server.state == CLOSED)
		return;
	if (server.state == SYN_RECEIVED && s->ack != server.isn + 1)
		return;
	receive_ack(&server, s);
	receive_payload(&server, s);
	if (server.state == SYN_RECEIVED) {
		server.state = ESTABLISHED;
		speak(&server);
	}
	if (s->size || s->flags & FIN || s->seq != ack_of(&server))
		emit(&server, server.isn + 1 + server.sent, ACK, NULL, 0);
}

/* Through the program. Where the first segment has data and became the header the kernel sends its copy
 * behind it. */
static void through(bool of_server, const struct pkt *p)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct __sk_buff ctx = {.cb[0] = of_server ? SLOT_S1 : SLOT_A};
	struct pkt out = {0};
	struct segment in = segment_of(p), left;

	/* After a FIN a SYN begins anew with the tuple, as it does without headers. */
	if (in.flags & SYN && client.has_ended)
		return;
	opts.data_in = p->data;
	opts.data_size_in = p->size;
	opts.data_out = out.data;
	opts.data_size_out = PKT_MAX;
	opts.ctx_in = &ctx;
	opts.ctx_size_in = sizeof(ctx);
	must(bpf_prog_test_run_opts(bpf_program__fd(node->bpf->progs.pl_main), &opts), "run");
	if (opts.retval == TC_ACT_SHOT)
		return;
	out.size = opts.data_size_out;
	left = segment_of(&out);
	if (!pkt_is_sealed(&out))
		server.fault = "a checksum is wrong";
	if (receiver(node, &out) == SLOT_S1 && !of_server)
		pair_note(&pair, &out);
	push(&from_node[receiver(node, &out) == SLOT_S1], &out);
	client.has_ended |= !of_server && in.flags & FIN;
	if (of_server || in.flags & (SYN | RST))
		return;
	if (!client.has_header && in.size && left.seq != in.seq && in.seq == client.isn + 1) {
		client.has_header = true;
		through(false, p);
	}
	client.has_header = true;
}

/* One round: all that is in the queues moves one step, in an order that is rolled. */
static void move(void)
{
	struct pkt p;

	while (to_node[0].n || to_node[1].n || from_node[0].n || from_node[1].n) {
		bool of_server = roll(2);

		if (roll(2) && pull(&to_node[of_server], &p))
			through(of_server, &p);
		if (roll(2) && pull(&from_node[of_server], &p)) {
			struct segment s = segment_of(&p);

			if (of_server)
				server_receive(&s);
			else
				client_receive(&s);
		}
	}
}

static bool is_whole(const struct end *end, const uint8_t *wanted, size_t size)
{
	return end->fin_at == size && contiguous(end) == size + 1 && memcmp(end->in, wanted, size) == 0;
}

static void begin(uint32_t parts)
{
	static const size_t sizes[] = {0, 1, 700, 3000};

	node_clear_flows(node);
	node_proxy(node, parts);
	pair = (struct pair){.node = node, .port = 20000 + roll(20000)};
	client = (struct end){.isn = roll(4) ? roll(1u << 24) << 8 : 0xffffffff - roll(200),
			      .state = SYN_SENT,
			      .out_size = sizes[roll(4)],
			      .fin_at = SIZE_MAX,
			      .speaks_late = roll(4) == 0,
			      .stamps = roll(2)};
	server = (struct end){.is_server = true,
			      .isn = roll(4) ? roll(1u << 24) << 8 : 0xffffffff - roll(200),
			      .out_size = sizes[roll(4)],
			      .fin_at = SIZE_MAX,
			      .stamps = client.stamps};
	for (size_t i = 0; i < STREAM_MAX; i++) {
		client.out[i] = roll(256);
		server.out[i] = roll(256);
	}
	for (int i = 0; i < 2; i++)
		to_node[i].n = from_node[i].n = 0;
	emit(&client, client.isn, SYN, NULL, 0);
}

/* NULL: both ends have all. */
static const char *run(uint32_t parts)
{
	static uint8_t wanted[STREAM_MAX + 128];
	size_t size;

	begin(parts);
	size = put_header(wanted, pair.port, parts);
	memcpy(wanted + size, client.out, client.out_size);
	size += client.out_size;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		move();
		if (client.fault || server.fault)
			return client.fault ? client.fault : server.fault;
		if (is_whole(&server, wanted, size) && is_whole(&client, server.out, server.out_size) &&
		    client.acked == client.out_size + 1 && server.acked == server.out_size + 1)
			return NULL;
		if (round > 50)
			usleep(10000); /* headers go again by the program's own clock */
		repeat(&client);
		repeat(&server);
	}
	return "an end waits for ever";
}

static void test_weather(const char *name, struct weather wanted)
{
	int good = 0;

	weather = wanted;
	for (int i = 0; i < RUNS; i++) {
		uint32_t before = dice;
		const char *fault = run(PL_PROXY_ON | 2 * roll(8));

		if (fault)
			tap_note("dice %u: %s (client %zu/%zu, server %zu/%zu, late %d)", before, fault,
				 client.acked, client.out_size, server.acked, server.out_size,
				 client.speaks_late);
		good += !fault;
	}
	tap_is_int(good, RUNS, "%d connections, %s", RUNS, name);
}

int main(void)
{
	static const struct {
		const char *name;
		struct weather weather;
	} cases[] = {
		{"nothing is lost", {0, 0, 0}},	       {"5 of 100 packets are lost", {5, 0, 0}},
		{"30 of 100 are lost", {30, 0, 0}},    {"40 of 100 come twice", {0, 40, 0}},
		{"40 of 100 out of turn", {0, 0, 40}}, {"all of it", {20, 20, 30}},
	};

	for (int helpers = 0; helpers < 2; helpers++) {
		node = node_new(&(struct node_options){.helpers = helpers});
		tap_note("%s", helpers ? "by the helpers" : "direct writes");
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			test_weather(cases[i].name, cases[i].weather);
		node = node_free(node);
	}
	return tap_done();
}
