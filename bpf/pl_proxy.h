/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The PROXY protocol header (version 2) in front of a connection: what a server learns of its client.
 *
 * The SYN is shifted, and never the stream. It goes to the server with its sequence number lowered by the
 * header's size N, so that the server expects N bytes before the client's first one. Those are the header.
 * All later sequence numbers, acknowledgements and SACK blocks are right on both sides as they are, so that
 * the packets of a connection whose header was acknowledged need nothing at all.
 *
 *	client			data path				server
 *	SYN s			seq s - N
 *				ack s + 1 - N becomes s + 1		SYN-ACK
 *	ACK s + 1		grows: seq s + 1 - N, N bytes of header
 *	data s + 1 ...		as they are
 *				ack >= s + 1: the header has arrived
 *
 * The segment that ends the handshake *is* the header. If it is lost, the handshake has not ended, and the
 * server asks for it again. Until the header is acknowledged every segment of the client without data becomes
 * the header, and every acknowledgement of the server that lacks it is turned round into the header: so no
 * timer is needed. Data is never moved, so no segment outgrows the MTU.
 *
 * What a connection has come to stands in pl_proxied; its rows in pl_flows4 only say whether that is to be
 * asked. A client must not write the header itself: nothing of it passes that lies before its first byte.
 */
#pragma once

#include "pl_flow.h"
#include "pl_segment.h"

enum {			      /* pl_proxied.state, in the order that a connection takes */
       PL_PROXY_ASKED = 1,    /* the client's SYN has passed */
       PL_PROXY_ANSWERED = 2, /* the server's answer to that SYN has passed */
       PL_PROXY_SENT = 3,     /* the header was sent, once or more often */
       PL_PROXY_RESET = 4,    /* the client has given up before the header was acknowledged */
       PL_PROXY_KNOWN = 5,    /* the server has acknowledged it */
};

#define PL_PROXY_TURNS_AT_ONCE 8     /* a server that never takes the header must not make a loop: */
#define PL_PROXY_TURN_TICKS    12    /* further ones are this far apart: 200 ms */
#define PL_PROXY_AHEAD	       65536 /* so far into its stream a client may be before the header has arrived */

/* SYN cookies for one number differ by no more, in the segment size that they stand for. */
#define PL_PROXY_COOKIES 3
#define PL_PROXY_ASIDE	 8 /* so far from a cookie's number is none */

#define PL_PROXY_BACK	0x100 /* with the row's byte: a packet of the server */
#define PL_PROXY_RESETS 0x200 /* a reset has passed, of either side */

/* The connection that a packet is of, and what of the packet decides. */
struct pl_proxy_step {
	struct pl_flow4_key key; /* the client's */
	struct pl_proxied *proxied;
	struct pl_segment *segment;
	__u32 slot;  /* of the ENI */
	__u32 parts; /* PL_PROXY_… of the listener */
	__u32 mark;  /* the row's, and the two bits above */
	__u32 seq, ack;
	__u32 state; /* as it was found */
	__u32 flags;
	__u32 tag; /* the key's */
};

/* A connection goes from one state to another; not if it has left that one meanwhile, or if the row is
 * another connection's by now. */
static __always_inline bool pl_proxy_move(const struct pl_proxy_step *step, __u32 from, __u32 to)
{
	union {
		struct {
			__u32 state, tag;
		};
		__u64 all;
	} old = {.state = from, .tag = step->tag}, new = {.state = to, .tag = old.tag};

	return __sync_val_compare_and_swap((__u64 *)step->proxied, old.all, new.all) == old.all;
}

/* Whether the row is still that of the step's connection: its memory may be another one's at any moment. */
static __always_inline bool pl_proxy_is_still(const struct pl_proxy_step *step)
{
	asm volatile("" ::: "memory"); /* no read or write moves past this one */
	return *(const volatile __u32 *)&step->proxied->tag == step->tag;
}

/* Remembers what a packet has told of the connection, though another CPU remembers something else. A stranger
 * that has got the row in this instant is left without what was not its own. */
static __attribute__((noinline)) void pl_proxy_tell(const struct pl_proxy_step *step, __u8 what)
{
	struct pl_proxied *proxied = step->proxied;
	union {
		struct {
			__u16 sent;
			__u8 told, rest;
		};
		__u32 all;
	} bits = {.told = what}, old;

	if (!pl_proxy_is_still(step))
		return;
	old.all = __sync_fetch_and_or((__u32 *)&proxied->sent, bits.all);
	if (!pl_proxy_is_still(step) && !(old.told & what))
		__sync_fetch_and_and((__u32 *)&proxied->sent, ~bits.all);
}

static __always_inline bool pl_proxy_is_cookie(__u32 apart, __u32 known)
{
	return apart - known + PL_PROXY_COOKIES <= 2 * PL_PROXY_COOKIES;
}

/* What has to be known of a row of pl_proxied that is replaced, and what changes at once in it. */
union pl_proxy_memory {
	struct {
		__u32 known, before;
	};
	__u64 all;
};

/* Remembers how far an answer of the server is from its number. What is remembered stays for as long as the
 * row: false, if there is no room for a third one, or another CPU remembers one in this instant. */
static __attribute__((noinline)) bool pl_proxy_learn(const struct pl_proxy_step *step, __u32 known)
{
	__u64 *memory = (__u64 *)&step->proxied->known;
	union pl_proxy_memory old = {.all = *(volatile __u64 *)memory}, new = {.known = known};

	if (!pl_proxy_is_cookie(known, old.known))
		new.before = old.known;
	else
		new.before = old.before;
	if (old.before && new.before != old.before && !pl_proxy_is_cookie(known, old.before))
		return false;
	return pl_proxy_is_still(step) && __sync_val_compare_and_swap(memory, old.all, new.all) == old.all;
}

static __always_inline __u16 pl_proxy_now(void)
{
	return bpf_ktime_get_ns() >> PL_PROXY_TICK_SHIFT;
}

/* Whether packets that find the entry are to be looked at here. */
static __attribute__((noinline)) void pl_proxy_mark(const struct pl_flow4_key *key, __u32 mark)
{
	struct pl_flow4 *flow = pl_flow4_find(key);
	union pl_flow_word old, new;
	__u64 *word;
	int i;

	if (!flow)
		return;
	word = (__u64 *)&flow->kind;
#pragma clang loop unroll(disable)
	for (i = 0; i < 2; i++) { /* once more if the flow's state has changed in between */
		old.all = *(volatile __u64 *)word;
		if (old.tag != pl_flow_tag(key) || !old.proxy)
			return;
		new = old;
		new.proxy = (old.proxy & ~PL_PROXY_MARKS) | mark;
		if (__sync_val_compare_and_swap(word, old.all, new.all) == old.all)
			return;
	}
}

/* The rows of a flow, in both directions. 1: it lives. (A row of pl_proxied that is written before this is
 * asked goes with the flow: that becomes DEAD first.) */
__attribute__((noinline)) int pl_proxy_mark_both(const struct pl_flow4_key *client, __u32 mark)
{
	struct pl_flow4_key key, partner_key; /* on the stack: see pl_flow_judge_again() */
	struct pl_flow4 *flow;
	bool is_dead;

	if (!client)
		return 0;
	key = *client;
	flow = pl_flow4_find(&key);
	if (!flow)
		return 0;
	partner_key = pl_flow4_partner(&key, flow);
	is_dead = *(volatile __u8 *)&flow->state & PL_STATE_DEAD;
	if (!pl_flow_is_still(flow, &key) || is_dead)
		return 0;
	pl_proxy_mark(&key, mark);
	pl_proxy_mark(&partner_key, mark);
	return 1;
}

/* Whether packets of a connection whose header has arrived have to be looked at: from the server's FIN on. */
static __always_inline bool pl_proxy_is_settled(const struct pl_proxied *proxied)
{
	return *(const volatile __u32 *)&proxied->state == PL_PROXY_KNOWN &&
	       !(*(const volatile __u8 *)&proxied->told & PL_TOLD_END_BACK);
}

/* The header has arrived: only what begins or ends a connection has to be looked at. Meanwhile a SYN may have
 * come, and begun anew, or the server's FIN; it has written the row before it has marked the flow's, so the
 * last mark is the right one. */
static __attribute__((noinline)) void pl_proxy_settle(const struct pl_proxy_step *step)
{
	const struct pl_proxied *proxied;

	if ((step->mark & PL_PROXY_MARKS) == PL_PROXY_DONE || step->proxied->told & PL_TOLD_END_BACK)
		return;
	pl_proxy_mark_both(&step->key, PL_PROXY_DONE);
	proxied = bpf_map_lookup_elem(&pl_proxied, &step->key);
	if (proxied && !pl_proxy_is_settled(proxied))
		pl_proxy_mark_both(&step->key, PL_PROXY_OPEN);
}

/* The header of a connection into the segment's payload. Addresses and ports are those that the client uses:
 * its own, and the endpoint ENI's. */
__attribute__((noinline)) int pl_proxy_fill(const struct pl_flow4_key *client, __u32 slot, __u32 parts,
					    __u32 size)
{
	const __u8 start[PL_PROXY_ADDRS] = {
		'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n', 0x21 /* version 2, PROXY */,
		0x11 /* TCP over IPv4 */};
	struct pl_proxy_key key = {.slot = slot, .parts = parts};
	struct pl_segment *segment = pl_segment_get();
	const struct pl_proxy *ids;
	__u32 *to; /* words: a copy of bytes would be an instruction or two for each */

	if (!segment || !client)
		return PL_DROP_PROXY_HEADER;
	to = (__u32 *)segment->payload;
	__builtin_memcpy(to, start, sizeof(start));
	to[PL_PROXY_ADDRS / 4 - 1] |= bpf_htonl(size - PL_PROXY_ADDRS);
	__builtin_memcpy(to + PL_PROXY_ADDRS / 4, (const __u32 *)client, 12); /* as they lie in the key */
	if (!(parts & PL_PROXY_IDS))
		return PL_CONTINUE;
	ids = pl_row_find(&pl_proxies, &key);
	if (!ids || ids->size + PL_PROXY_SIZE_MIN != size)
		return PL_DROP_PROXY_HEADER;
	__builtin_memcpy(to + PL_PROXY_SIZE_MIN / 4, (const __u32 *)ids->tlvs, sizeof(ids->tlvs));
	return pl_row_is_still(&pl_proxies, &key, ids) ? PL_CONTINUE : PL_DROP_FLOW_TABLE_BUSY;
}

/* A segment of the client becomes the header; its flags, acknowledgement, window and options stay. (A server
 * that answers by SYN cookies would take Multipath TCP from here, though the SYN had nothing of it.) */
static __attribute__((noinline)) int pl_proxy_become(struct __sk_buff *skb, const struct pl_pkt *pkt,
						     struct pl_proxy_step *step)
{
	struct pl_segment *segment = step->segment;
	struct pl_proxied *proxied = step->proxied;
	struct tcphdr *tcp = pl_segment_tcp(segment);
	__u32 size = proxied->size;
	int r;

	r = pl_proxy_fill(&step->key, step->slot, proxied->parts, size);
	if (r)
		return r;
	pl_options_read(true);
	/* An urgent byte would be cut out of the header. A FIN goes with the data that it ends. */
	segment->tcp[PL_TCP_FLAGS_OFFSET] = (step->flags & ~PL_TCP_URG) | PL_TCP_PSH;
	if (segment->payload_size || step->seq != proxied->first)
		segment->tcp[PL_TCP_FLAGS_OFFSET] &= ~PL_TCP_FIN;
	tcp->urg_ptr = 0;
	tcp->seq = bpf_htonl(proxied->first - size);
	r = pl_segment_replace(skb, size, pkt->key.saddr, pkt->key.daddr);
	if (!r)
		proxied->sent = pl_proxy_now();
	return r ? PL_DROP_PROXY_HEADER : PL_CONTINUE;
}

/* The server's acknowledgement becomes the header, or the client's reset, and goes back to the server. */
static __always_inline int pl_proxy_turn(struct __sk_buff *skb, struct pl_pkt *pkt,
					 struct pl_proxy_step *step)
{
	struct pl_segment *segment = step->segment;
	struct pl_proxied *proxied = step->proxied;
	struct tcphdr *tcp = pl_segment_tcp(segment);
	const struct pl_port *port = pl_port_find(pkt->slot);
	__u32 size = 0;
	int r;

	if (!port)
		return PL_DROP_NO_PORT;
	pl_segment_turn(segment);
	tcp->ack_seq = proxied->acked; /* what the client has acknowledged, and never more */
	tcp->window = proxied->window;
	if (step->state == PL_PROXY_RESET) { /* just what the server expects (RFC 5961) */
		segment->tcp[PL_TCP_FLAGS_OFFSET] = PL_TCP_RST | PL_TCP_ACK;
		tcp->seq = bpf_htonl(step->ack);
	} else {
		size = proxied->size;
		segment->tcp[PL_TCP_FLAGS_OFFSET] = PL_TCP_PSH | PL_TCP_ACK;
		tcp->seq = bpf_htonl(proxied->first - size);
		r = pl_proxy_fill(&step->key, step->slot, proxied->parts, size);
		if (r)
			return r;
	}
	if (pl_segment_replace(skb, size, pkt->key.daddr, pkt->key.saddr) ||
	    pl_segment_swap_ends(skb, &pkt->key))
		return PL_DROP_PROXY_HEADER;
	pkt->out_ifindex = port->ifindex;
	pkt->out_delivery = port->delivery;
	return PL_DELIVERED;
}

/* What a row remembers; of one of a program before nothing that would say the same. */
static __always_inline union pl_proxy_memory pl_proxy_remembered(const struct pl_proxied *proxied)
{
	const union pl_proxy_memory nothing = {0};

	if (!(proxied->told & PL_TOLD_MEMORY))
		return nothing;
	return (union pl_proxy_memory){.all = *(const volatile __u64 *)&proxied->known};
}

/* Whether a row has no room for what another connection would add to it, of which `seq` is the SYN's number.
 */
__attribute__((noinline)) int pl_proxy_is_full(const struct pl_flow4_key *client, __u32 seq)
{
	const struct pl_proxied *proxied;
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	union pl_proxy_memory memory;

	if (!client)
		return 0;
	key = *client;
	proxied = bpf_map_lookup_elem(&pl_proxied, &key);
	if (!proxied || (proxied->first == seq + 1 && proxied->state != PL_PROXY_RESET))
		return 0;
	memory = pl_proxy_remembered(proxied);
	return memory.known && memory.before;
}

/* A new connection, also where an older one of the same tuple was not seen to end. */
static __always_inline int pl_proxy_begin(struct pl_proxy_step *step)
{
	struct pl_proxy_key ids_key = {.slot = step->slot, .parts = step->parts};
	union pl_proxy_memory memory;
	struct pl_proxied new = {
		.state = PL_PROXY_ASKED,
		.tag = step->tag,
		.first = step->seq + 1,
		.size = PL_PROXY_SIZE_MIN,
		.parts = step->parts,
		.told = PL_TOLD_MEMORY,
	};
	int r; /* not long: see pl_nat_try() */

	if (step->parts & PL_PROXY_IDS) {
		const struct pl_proxy *ids = pl_row_find(&pl_proxies, &ids_key);

		if (!ids)
			return PL_DROP_PROXY_HEADER;
		new.size += ids->size;
		if (!pl_row_is_still(&pl_proxies, &ids_key, ids))
			return PL_DROP_FLOW_TABLE_BUSY;
		if (new.size > PL_PROXY_SIZE_MIN + PL_PROXY_TLVS_MAX)
			return PL_DROP_PROXY_HEADER;
	}
	if (step->proxied) { /* the connection before had answers, as its client knows */
		memory = pl_proxy_remembered(step->proxied);
		new.told |= PL_TOLD_ANSWERS;
		new.known = memory.known;
		new.known_before = memory.before;
	}
	r = bpf_map_update_elem(&pl_proxied, &step->key, &new, BPF_ANY);
	if (r)
		return PL_DROP_FLOW_TABLE_FULL;
	if (!pl_proxy_mark_both(&step->key, PL_PROXY_OPEN)) { /* another CPU ends it: nobody would after it */
		bpf_map_delete_elem(&pl_proxied, &step->key);
		return PL_DROP_FLOW_TABLE_BUSY;
	}
	step->proxied = bpf_map_lookup_elem(&pl_proxied, &step->key);
	return step->proxied ? PL_CONTINUE : PL_DROP_NO_FLOW;
}

static __always_inline int pl_proxy_syn(struct __sk_buff *skb, struct pl_proxy_step *step)
{
	struct pl_segment *segment = step->segment;
	int r;

	/* TCP Fast Open: the data would lie in the header's place. Clients send it again without. */
	if (!pl_tcp_opens(step->flags))
		return PL_DROP_PROXY_SEQUENCE;
	if (segment->payload_size)
		return PL_DROP_PROXY_SYN_DATA;
	/* Late; or the client has made the server forget the connection, and that would take another one
	 * whose header was sent long ago. */
	if (step->proxied && step->proxied->first == step->seq + 1 && step->state == PL_PROXY_KNOWN)
		return PL_DROP_PROXY_SEQUENCE;
	if (!step->proxied || step->proxied->first != step->seq + 1 || step->state == PL_PROXY_RESET) {
		r = pl_proxy_begin(step);
		if (r)
			return r;
	}
	pl_options_read(true);
	pl_segment_tcp(segment)->seq = bpf_htonl(step->seq - step->proxied->size);
	return pl_segment_store(skb) ? PL_DROP_PROXY_HEADER : PL_CONTINUE;
}

/* Data ends the handshake (an acknowledgement that was put off, or that was lost on its way to here): the
 * header goes first. A copy of the segment comes in once more behind it. Without a copy it goes as it is, and
 * the server's answer to a gap asks for the header. */
static __always_inline int pl_proxy_before_data(struct __sk_buff *skb, const struct pl_pkt *pkt,
						struct pl_proxy_step *step)
{
	if (bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS))
		return PL_CONTINUE;
	return pl_proxy_become(skb, pkt, step);
}

/* Whether a segment may reach the server as it is before the header is known to have arrived. A server that
 * answers by SYN cookies may have no connection yet, and takes one up with whatever comes first, if that
 * acknowledges a number that follows from the segment's own: who knows one such pair knows others. With the
 * acknowledgement of just the one answer that there was, it is the header's number and no other. */
static __always_inline bool pl_proxy_may_pass(const struct pl_proxy_step *step, __s32 place)
{
	const struct pl_proxied *proxied = step->proxied;

	return (__u32)place < PL_PROXY_AHEAD &&
	       step->ack == proxied->known + proxied->first - proxied->size &&
	       (proxied->told & (PL_TOLD_ANSWER | PL_TOLD_ANSWERS)) == PL_TOLD_ANSWER;
}

/* Whether it is a cookie's distance, or that of a later segment of a burst that is yet to be cut: there it is
 * less by their size each, by up to `span`. */
static __attribute__((noinline)) bool pl_proxy_has_cookie(__u32 apart, __u32 known, __u32 span, __u32 size)
{
	__u32 behind = apart - known + PL_PROXY_COOKIES;

	if (behind <= 2 * PL_PROXY_COOKIES)
		return true;
	return size && behind <= span + 2 * PL_PROXY_COOKIES && behind % size <= 2 * PL_PROXY_COOKIES;
}

/* Whether a server that answers by SYN cookies might take up a connection with a segment, and its sender
 * knows so: to who has seen one cookie those are known that are as far from their numbers, or nearly so. Of a
 * row of before nobody knows. `size`: of the segments of a burst, or 0. */
static __attribute__((noinline)) bool pl_proxy_may_begin(const struct pl_proxy_step *step, __u32 size)
{
	const struct pl_proxied *proxied = step->proxied;
	__u32 apart = step->ack - step->seq, span = step->segment->payload_size;

	return !(proxied->told & PL_TOLD_ANSWER) || pl_proxy_has_cookie(apart, proxied->known, span, size) ||
	       (proxied->known_before && pl_proxy_has_cookie(apart, proxied->known_before, span, size));
}

/* A segment goes as an acknowledgement without data, beside its place in the stream: to a server that has the
 * connection it says what it would have said, and one that has not resets it, and takes nothing up. */
static __attribute__((noinline)) int pl_proxy_step_aside(struct __sk_buff *skb, struct pl_pkt *pkt,
							 struct pl_proxy_step *step)
{
	struct tcphdr *tcp = pl_segment_tcp(step->segment);

	step->seq += PL_PROXY_ASIDE;
	if (step->proxied->told & PL_TOLD_ANSWER && pl_proxy_may_begin(step, 0))
		return PL_DROP_PROXY_SEQUENCE;
	step->segment->tcp[PL_TCP_FLAGS_OFFSET] = pkt->tcp_flags = PL_TCP_ACK;
	tcp->urg_ptr = 0;
	tcp->seq = bpf_htonl(step->seq);
	return pl_segment_replace(skb, 0, pkt->key.saddr, pkt->key.daddr) ? PL_DROP_PROXY_HEADER
									  : PL_CONTINUE;
}

/* A segment of the client after the header has arrived. Where the server may have forgotten the connection by
 * now it could begin another one there, by a SYN cookie, and without a header. No server forgets before it
 * has sent a FIN. From there on nothing passes that could be read in such a connection; a FIN alone brings no
 * byte, and lets none follow. (An honest segment is such a one where the client has just received as much as
 * it has sent, and the header's size. Its data is lost then, if it still has some.) */
static __always_inline int pl_proxy_goes_on(struct __sk_buff *skb, struct pl_pkt *pkt,
					    struct pl_proxy_step *step)
{
	bool is_end = step->flags & PL_TCP_FIN && !step->segment->payload_size;

	/* The server may have forgotten it, and only a SYN begins again. A client that has not taken the
	 * server's reset asks so for one with just its number (RFC 5961), and hears of it here. */
	if (step->mark & PL_PROXY_RESETS) {
		pkt->refused = PL_REFUSED_BACK;
		return PL_DROP_PROXY_SEQUENCE;
	}
	pl_proxy_settle(step);
	if (step->proxied->told & PL_TOLD_END_BACK && !is_end && pl_proxy_may_begin(step, skb->gso_size))
		return pl_proxy_step_aside(skb, pkt, step);
	return PL_CONTINUE;
}

static __always_inline int pl_proxy_from_client(struct __sk_buff *skb, struct pl_pkt *pkt,
						struct pl_proxy_step *step)
{
	struct pl_proxied *proxied = step->proxied;
	bool is_first;
	__s32 place;

	if (step->flags & PL_TCP_SYN)
		return pl_proxy_syn(skb, step);
	if (!proxied)
		return PL_DROP_NO_FLOW;
	if (step->flags & PL_TCP_RST) {
		if (!pl_proxy_move(step, PL_PROXY_SENT, PL_PROXY_RESET))
			pl_proxy_move(step, PL_PROXY_ANSWERED, PL_PROXY_RESET);
		return PL_CONTINUE;
	}
	if (step->state == PL_PROXY_KNOWN)
		return pl_proxy_goes_on(skb, pkt, step);
	place = step->seq - proxied->first;
	if (step->state == PL_PROXY_ASKED || step->state == PL_PROXY_RESET || !(step->flags & PL_TCP_ACK) ||
	    place < -1)
		return PL_DROP_PROXY_SEQUENCE;
	if (place == -1 && (step->segment->payload_size || step->flags & PL_TCP_FIN)) /* but a keep-alive */
		return PL_DROP_PROXY_SEQUENCE;
	proxied->acked = bpf_htonl(step->ack);
	proxied->window = pl_segment_tcp(step->segment)->window;
	is_first = pl_proxy_move(step, PL_PROXY_ANSWERED, PL_PROXY_SENT);
	if ((place <= 0 && !step->segment->payload_size) || !pl_proxy_may_pass(step, place))
		return pl_proxy_become(skb, pkt, step);
	return is_first && place == 0 ? pl_proxy_before_data(skb, pkt, step) : PL_CONTINUE;
}

/* The client must not hear of the header: acknowledged is all before its first byte, and nothing of it. The
 * window's right edge stays where it was. */
static __attribute__((noinline)) int pl_proxy_raise(struct __sk_buff *skb, struct pl_proxy_step *step,
						    __u32 missing, __u32 scale)
{
	struct tcphdr *tcp = pl_segment_tcp(step->segment);
	__u32 window = bpf_ntohs(tcp->window), less;

	less = (missing + (1u << (scale & 15)) - 1) >> (scale & 15);
	tcp->window = bpf_htons(window > less ? window - less : 0);
	tcp->ack_seq = bpf_htonl(step->ack + missing);
	return pl_segment_store(skb) ? PL_DROP_PROXY_HEADER : PL_CONTINUE;
}

static __always_inline bool pl_proxy_may_turn(struct pl_proxy_step *step)
{
	struct pl_proxied *proxied = step->proxied;
	__u16 now = pl_proxy_now();

	if (step->state != PL_PROXY_SENT && step->state != PL_PROXY_RESET)
		return false;
	if (step->segment->payload_size || step->flags & (PL_TCP_SYN | PL_TCP_FIN | PL_TCP_RST))
		return false;
	if (proxied->turns >= PL_PROXY_TURNS_AT_ONCE && (__u16)(now - proxied->sent) < PL_PROXY_TURN_TICKS)
		return false;
	if (proxied->turns < PL_PROXY_TURNS_AT_ONCE)
		proxied->turns++;
	proxied->sent = now;
	return true;
}

/* The server's answer to a SYN of this connection or of one before, whose client hears it. False: it cannot
 * be remembered. */
static __always_inline bool pl_proxy_answers(const struct pl_proxy_step *step)
{
	const struct pl_proxied *proxied = step->proxied;
	bool is_first = step->state == PL_PROXY_ASKED && step->ack == proxied->first - proxied->size &&
			!(proxied->told & PL_TOLD_ANSWER);
	__u32 known = step->seq + 1 - step->ack;

	if (!is_first && known == proxied->known)
		return true;
	if (!pl_proxy_learn(step, known))
		return false;
	pl_proxy_tell(step, is_first ? PL_TOLD_ANSWER : PL_TOLD_ANSWERS);
	return true;
}

/* A segment of the server that acknowledges the header, or one after its FIN, which may be an old one. (That
 * the header has arrived another CPU may have noticed first.) */
static __always_inline int pl_proxy_arrived(const struct pl_proxy_step *step)
{
	if (step->state != PL_PROXY_KNOWN && !pl_proxy_move(step, PL_PROXY_SENT, PL_PROXY_KNOWN) &&
	    *(const volatile __u32 *)&step->proxied->state != PL_PROXY_KNOWN)
		return PL_CONTINUE;
	pl_proxy_settle(step);
	return PL_CONTINUE;
}

static __always_inline int pl_proxy_from_server(struct __sk_buff *skb, struct pl_pkt *pkt,
						struct pl_proxy_step *step)
{
	struct pl_proxied *proxied = step->proxied;
	__u32 missing;

	if (!proxied)
		return PL_DROP_NO_FLOW;
	if (!(step->flags & PL_TCP_ACK))
		return PL_CONTINUE;
	if (step->flags & PL_TCP_SYN && !pl_proxy_answers(step))
		return PL_DROP_PROXY_SEQUENCE;
	if (step->flags & PL_TCP_FIN) {
		pl_proxy_tell(step, PL_TOLD_END_BACK);
		pl_proxy_mark_both(&step->key, PL_PROXY_OPEN);
	}
	missing = proxied->first - step->ack;
	if (step->state == PL_PROXY_KNOWN && proxied->told & PL_TOLD_END_BACK)
		return pl_proxy_arrived(step);
	if (missing - 1 >= proxied->size) /* neither in the header nor before it */
		return (__s32)missing > 0 || step->flags & PL_TCP_SYN ? PL_CONTINUE : pl_proxy_arrived(step);
	/* An older connection's acknowledgement only looks like one of this. */
	if (step->state == PL_PROXY_ASKED && missing != proxied->size)
		return PL_CONTINUE;
	pl_options_read(false);
	if (step->flags & PL_TCP_SYN) {
		proxied->scale = step->segment->scale < PL_SCALE_MAX ? step->segment->scale : PL_SCALE_MAX;
		if (pl_proxy_move(step, PL_PROXY_ASKED, PL_PROXY_ANSWERED))
			pl_proxy_mark_both(&step->key, PL_PROXY_OPEN);
		return pl_proxy_raise(skb, step, missing, 0);
	}
	if (pl_proxy_may_turn(step))
		return pl_proxy_turn(skb, pkt, step);
	return pl_proxy_raise(skb, step, missing, proxied->scale);
}

/* A packet of a connection whose header is not known to have arrived, or a SYN of one; before it is
 * translated. `opening`: the client's key. `mark`: the row's `proxy`, with PL_PROXY_BACK of the server's row,
 * or PL_PROXY_RESETS. PL_CONTINUE: it goes its way, as it is now. PL_DELIVERED: it was turned round. Else it
 * is dropped. */
__attribute__((noinline)) int pl_proxy_step(struct __sk_buff *skb, struct pl_pkt *pkt,
					    const struct pl_flow4_key *opening, __u32 slot, __u32 mark)
{
	struct pl_proxy_step step = {
		.slot = slot, .parts = (mark >> PL_PROXY_PARTS_SHIFT) & PL_PROXY_PARTS, .mark = mark};
	const struct tcphdr *tcp;
	int r;

	if (!pkt || !opening)
		return PL_DROP_NO_FLOW;
	step.key = *opening;
	step.tag = pl_flow_tag(&step.key);
	step.segment = pl_segment_get();
	if (!step.segment)
		return PL_DROP_PROXY_HEADER;
	r = pl_segment_read(skb);
	if (r)
		return r;
	tcp = pl_segment_tcp(step.segment);
	step.seq = bpf_ntohl(tcp->seq);
	step.ack = bpf_ntohl(tcp->ack_seq);
	step.flags = pkt->tcp_flags;
	step.proxied = bpf_map_lookup_elem(&pl_proxied, &step.key);
	if (step.proxied) {
		step.state = *(volatile __u32 *)&step.proxied->state;
		if (step.proxied->tag != step.tag)
			return PL_DROP_NO_FLOW;
	}
	if (mark & PL_PROXY_BACK)
		return pl_proxy_from_server(skb, pkt, &step);
	return pl_proxy_from_client(skb, pkt, &step);
}

/* By how much a segment of the client was lowered that the server got with that sequence number: its SYN,
 * or what became the header. */
__attribute__((noinline)) __u32 pl_proxy_lowered(const struct pl_flow4_key *client, __u32 seq)
{
	const struct pl_proxied *proxied;
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	__u32 missing, size;

	if (!client)
		return 0;
	key = *client;
	proxied = bpf_map_lookup_elem(&pl_proxied, &key);
	if (!proxied)
		return 0;
	size = proxied->size;
	missing = proxied->first - seq;
	if (missing - 1 > size || *(const volatile __u32 *)&proxied->tag != pl_flow_tag(&key))
		return 0;
	return missing < size ? missing : size;
}

/* Whether a packet that neither begins nor ends anything, of a row that knows of no reset, has to be looked
 * at here. */
static __always_inline bool pl_proxy_is_open(const struct pl_flow4 *flow)
{
	__u8 proxy = flow->proxy;

	return proxy && (proxy & PL_PROXY_MARKS) != PL_PROXY_DONE;
}

/* Whether any packet that found the entry has to be. Once the header is acknowledged a SYN has, for the tuple
 * may be used again, and what ends the connection, or follows that. */
static __always_inline bool pl_proxy_is_due(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	return pl_proxy_is_open(flow) || (flow->proxy && (pkt->tcp_flags & (PL_TCP_SYN | PL_TCP_FIN) ||
							  flow->state & (PL_STATE_RST | PL_STATE_RST_BACK)));
}

static __attribute__((noinline)) int pl_proxy_follow(struct __sk_buff *skb, struct pl_pkt *pkt,
						     const struct pl_flow4 *flow)
{
	struct pl_flow4_key opening = pkt->key;
	__u32 slot = flow->slot, mark = flow->proxy;

	if (flow->state & (PL_STATE_RST | PL_STATE_RST_BACK))
		mark |= PL_PROXY_RESETS;
	if (flow->kind == PL_FLOW_NAT_BACK) {
		opening = pl_flow4_partner(&pkt->key, flow);
		mark |= PL_PROXY_BACK;
	}
	/* With another flow's row this would be another connection's header. */
	if (!pl_flow_is_still(flow, &pkt->key))
		return PL_DROP_NO_FLOW;
	return pl_proxy_step(skb, pkt, &opening, slot, mark);
}

/* A packet that is too much for its ENI's limit of bytes. What the server says of the connection's end holds
 * though the client does not hear it. */
static __attribute__((noinline)) void pl_proxy_unheard(struct __sk_buff *skb, struct pl_pkt *pkt,
						       struct pl_flow4 *flow)
{
	__u32 ends = pkt->tcp_flags & (PL_TCP_RST | PL_TCP_FIN);

	if (flow->kind != PL_FLOW_NAT_BACK || !ends)
		return;
	if (!flow->proxy)
		pl_flow_news(&pkt->key, flow, PL_FLOW_UNHEARD);
	else if (ends & PL_TCP_RST)
		pl_flow_news(&pkt->key, flow, PL_TCP_RST);
	else
		(void)pl_proxy_follow(skb, pkt, flow);
}
