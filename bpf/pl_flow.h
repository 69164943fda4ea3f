/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows (what others call conntrack): the entry that a packet found, and following TCP. (How a flow ends
 * stands in pl_end.h.)
 *
 * A translated flow has two entries, each found by what arrives from a port: the consumer's packets by the
 * consumer's tuple, the replies by the backend's. A flow between instances has four: its sender's port
 * remembers that *out* was judged (one entry for each direction), its receiver's port remembers *in*. The two
 * halves know nothing of each other, so they can live on two nodes.
 *
 * Each entry holds all that a packet needs. Its counters are plain additions: packets of one direction of a
 * flow rarely run on two CPUs at once, and a lost count costs less than a locked one.
 */
#pragma once

#include "pl_parse.h"
#include "pl_token.h"

#define PL_STATE_TRIES 4 /* to change a state that another CPU changes, too */

/* How a flow is ended (pl_end.h). */
#define PL_END_FORCED (1u << 0) /* also one that lives */
#define PL_END_SHORT  (1u << 1) /* room is short */
#define PL_END_ASKED  (1u << 2) /* the agent has asked for it */
#define PL_END_OVER   (1u << 3) /* only if it is over: closing, or its first SYN was never answered */
#define PL_END_WHY    8		/* from this bit on: the reason of a refusal that ends it */

/* The sum of the generations that an entry depends on. They only rise, so the sum is as good as the three.
 * Read before judging: what changes meanwhile is then noticed by the next packet. An entry keeps it with its
 * tag added: written into another flow's row by mistake it would be no sum of that one's. */
static __always_inline __u32 pl_flow_generation(__u32 sender, __u32 judge, __u32 receiver)
{
	return pl_generation_get(sender) + pl_generation_get(judge) + pl_generation_get(receiver);
}

/* Whether what was read of a row so far was all the key's. To be asked after the last read. */
static __always_inline bool pl_flow_is_still(const struct pl_flow4 *flow, const struct pl_flow4_key *key)
{
	asm volatile("" ::: "memory"); /* no read moves down past this one */
	return *(const volatile __u32 *)&flow->tag == pl_flow_tag(key);
}

/* Whether the entry that a packet of port `sender` found was judged by today's rules. (With the tag as it
 * stands in the row: the packet leaves only if that is its key's.) */
static __always_inline bool pl_flow_is_judged(const struct pl_flow4 *flow, __u32 sender)
{
	return flow->generation == pl_flow_generation(sender, flow->slot, flow->peer) + flow->tag;
}

/* Makes a new row the key's, judged at the generation. */
static __always_inline void pl_flow_set_judged(struct pl_flow4 *flow, const struct pl_flow4_key *key,
					       __u32 generation)
{
	flow->tag = pl_flow_tag(key);
	flow->generation = generation + flow->tag;
}

/* The word of a row that has its state and its tag. */
union pl_flow_word {
	struct {
		__u8 kind, state, delivery, proxy;
		__u32 tag;
	};
	__u64 all;
};

/* Changes bits of the state while the row is the key's, and does nothing when it is another flow's by now:
 * else a connection of a stranger could be made to end early. */
static __attribute__((noinline)) bool
pl_flow_change_state(struct pl_flow4 *flow, const struct pl_flow4_key *key, __u8 clear, __u8 raise)
{
	__u64 *word = (__u64 *)&flow->kind;
	__u32 tag = pl_flow_tag(key);

#pragma clang loop unroll(disable) /* the second try is rare, and would be as long as the first */
	for (int i = 0; i < PL_STATE_TRIES; i++) {
		union pl_flow_word old = {.all = *(volatile __u64 *)word}, new = old;

		if (old.tag != tag)
			return false;
		new.state = (old.state & ~clear) | raise;
		if (new.all == old.all || __sync_val_compare_and_swap(word, old.all, new.all) == old.all)
			return true;
	}
	return false;
}

/* The ENI whose flow it is; 0: none's. */
static __always_inline __u32 pl_flow_eni(const struct pl_flow4 *flow)
{
	return pl_flow_is_local(flow) ? PL_SLOT_SERVICE : flow->slot;
}

/* By what an ENI counts the packets that find the entry, as in pl_tally_key: itself and its listener's port;
 * 0: it is none's flow. */
static __always_inline __u32 pl_flow_tally_slot(const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	__u32 eni = pl_flow_eni(flow);
	__be16 port = pl_flow_is_back(flow) ? flow->sport : key->dport;

	return eni ? eni | (__u32)bpf_ntohs(port) << PL_TALLY_PORT : 0;
}

/* The same: which way they go, and the listener's protocol. */
static __always_inline __u32 pl_flow_tally_what(const struct pl_flow4_key *key, const struct pl_flow4 *flow)
{
	return (pl_flow_is_back(flow) ? PL_TALLY_OUT : 0) | pl_flow4_protocol(key) << PL_TALLY_PROTOCOL;
}

/* Whether an echo packet goes the other way than its entry: with the identifier 0 a request has the key of a
 * reply to somebody else's. */
static __always_inline bool pl_echo_is_astray(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	return pkt->l4_proto == IPPROTO_ICMP && (pkt->icmp_type == ICMP_ECHO) == pl_flow_is_back(flow);
}

/* A segment's number; 0, if there is none. */
static __always_inline __u32 pl_tcp_seq(const struct __sk_buff *skb)
{
	const __u8 *frame = pl_data(skb, PL_L4_OFFSET + sizeof(struct tcphdr));

	return frame ? bpf_ntohl(((const struct tcphdr *)(frame + PL_L4_OFFSET))->seq) : 0;
}

static __always_inline bool pl_tcp_opens(__u8 flags)
{
	return (flags & (PL_TCP_SYN | PL_TCP_ACK | PL_TCP_FIN | PL_TCP_RST)) == PL_TCP_SYN;
}

static __always_inline __u32 pl_flow_class(const struct pl_flow4 *flow, const struct pl_flow4_key *opening)
{
	return pl_state_class(flow->state, pl_flow4_protocol(opening));
}

/* Makes the token the flow's, whose rows are both there. */
static __always_inline void pl_flow_own(__u32 index, const struct pl_flow4_key *opening,
					const struct pl_flow4 *flow, __u32 opened)
{
	pl_token_open(index, opening, opened, pl_flow_class(flow, opening),
		      pl_flow4_due(flow, pl_flow4_protocol(opening), pl_hz()));
}

/* Whether a packet tells its entry something that it does not know. Datagrams have no flags. A SYN proves
 * nothing, with or without an acknowledgement: a server answers anybody's; what the opener sends after it
 * shows that both have spoken. */
static __always_inline bool pl_flow_has_news(const struct pl_flow4 *flow, __u8 flags)
{
	bool is_back = pl_flow_is_back(flow);
	__u8 state = flow->state, rst = is_back ? PL_STATE_RST_BACK : PL_STATE_RST;

	if (flags & PL_TCP_RST)
		return !(state & rst);
	if (flags & PL_TCP_FIN && !(state & (is_back ? PL_STATE_FIN_BACK : PL_STATE_FIN)))
		return true;
	if (state & rst)
		return true;
	if (is_back)
		return !(state & PL_STATE_ANSWERED);
	return (state & (PL_STATE_ANSWERED | PL_STATE_ESTABLISHED)) == PL_STATE_ANSWERED;
}

/* What the opener's packet says. A reset is undone by what the same side sends after it: its peer ignored it,
 * or somebody else made it. */
static __always_inline void pl_flow_told(const struct pl_flow4_key *key, struct pl_flow4 *flow, __u32 flags)
{
	__u8 state = flow->state, raise = 0, clear = 0;

	if (flags & PL_TCP_RST) {
		raise = PL_STATE_RST;
	} else if (!(flags & PL_TCP_SYN)) {
		clear = state & PL_STATE_RST;
		raise = clear ? PL_STATE_WAS_RESET : 0;
		if (state & PL_STATE_ANSWERED)
			raise |= PL_STATE_ESTABLISHED;
		if (flags & PL_TCP_FIN)
			raise |= PL_STATE_FIN;
	}
	if (pl_flow_change_state(flow, key, clear, raise) && pl_flow_class(flow, key) == PL_CLASS_CLOSING)
		pl_token_hurry(flow->token);
}

/* Whether a packet of the answering side is an answer. To a SYN through an endpoint only one with a SYN is:
 * its source is given out again, and the server may still have the connection of whoever had it before. */
static __always_inline bool pl_flow_is_answer(const struct pl_flow4 *opener, __u32 flags)
{
	return !flags || flags & PL_TCP_SYN || !pl_flow_eni(opener) || opener->state & PL_STATE_ANSWERED;
}

#define PL_FLOW_UNHEARD                                                                                      \
	0x100 /* in place of flags: the server has ended it, and the client does not hear that */

/* What an answer says; its own row remembers what it has told its partner. */
static __always_inline void pl_flow_answered(const struct pl_flow4_key *key, struct pl_flow4 *flow,
					     __u32 flags)
{
	struct pl_flow4_key opening = pl_flow4_partner(key, flow);
	__u32 token = flow->token;
	struct pl_flow4 *opener;
	__u8 raise = PL_STATE_RST_BACK, clear = 0;

	if (!pl_flow_is_still(flow, key)) /* that is another flow's opener */
		return;
	opener = pl_flow4_find(&opening);
	if (!opener || opener->token != token)
		return;
	if (flags == PL_FLOW_UNHEARD) {
		raise = PL_STATE_WAS_RESET;
	} else if (!(flags & PL_TCP_RST)) {
		/* With a PROXY header a reset is for good: what is said after it was said before
		 * (pl_proxy.h).
		 */
		clear = opener->proxy ? 0 : PL_STATE_RST_BACK;
		raise = (pl_flow_is_answer(opener, flags) ? PL_STATE_ANSWERED : 0) |
			(flags & PL_TCP_FIN ? PL_STATE_FIN_BACK : 0) |
			(opener->state & clear ? PL_STATE_WAS_RESET : 0);
	}
	if (!pl_flow_change_state(opener, &opening, clear, raise))
		return;
	(void)pl_flow_change_state(flow, key, clear, raise);
	if (pl_flow_class(opener, &opening) == PL_CLASS_CLOSING)
		pl_token_hurry(token);
}

/* Whether the entry that a server's packet found only does not know yet that the flow is answered. */
__attribute__((noinline)) int pl_flow_opener_is_answered(const struct pl_flow4_key *found)
{
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	const struct pl_flow4 *flow, *opener;

	if (!found)
		return 0;
	key = *found;
	flow = pl_flow4_find(&key);
	if (!flow)
		return 0;
	key = pl_flow4_partner(&key, flow);
	opener = pl_flow4_find(&key);
	return opener && opener->token == flow->token && opener->state & PL_STATE_ANSWERED;
}

/* Whether a packet of a flow that is not answered is of an older connection with the same translated source,
 * or would get into one. Before the server has taken the new connection the client can send a SYN, and the
 * reset that ends what the server still has and has told the number of. No data passes, either way. */
static __always_inline bool pl_flow_is_older(const struct __sk_buff *skb, const struct pl_pkt *pkt,
					     const struct pl_flow4 *flow)
{
	const __u8 *tcp = pl_data(skb, PL_HEADERS_MAX);
	const struct iphdr *ip = (const void *)tcp + PL_IP_OFFSET;

	if (pkt->l4_proto != IPPROTO_TCP || pkt->tcp_flags & (PL_TCP_SYN | PL_TCP_RST) || !pl_flow_eni(flow))
		return false;
	if (!tcp || !pl_flow_is_back(flow) || pkt->tcp_flags & PL_TCP_FIN)
		return true;
	return bpf_ntohs(ip->tot_len) != sizeof(*ip) + (tcp[PL_L4_OFFSET + PL_TCP_SIZE_OFFSET] >> 4) * 4;
}

/* Off the path of a packet that is no news. (It is no function of its own to the verifier: to those a row is
 * known by its key alone, and would be looked for once more.) */
static __attribute__((noinline)) void pl_flow_news(const struct pl_flow4_key *key, struct pl_flow4 *flow,
						   __u32 flags)
{
	if (pl_flow_is_back(flow))
		pl_flow_answered(key, flow, flags);
	else
		pl_flow_told(key, flow, flags);
}

/* The count of packets has 32 bits. Where it begins anew the flow's ENI keeps what it stood for. */
__attribute__((noinline)) int pl_flow_carry_over(__u32 eni, __u32 what)
{
	if (eni)
		pl_tally_add(eni, PL_TALLY_ENDED | what, 1ull << 32, 0);
	return 0;
}

/* What every packet of an entry is counted by, and that the entry is in use. Two CPUs would fight for the
 * line if `seen` were written each time. Should the row be another flow's since it was looked at last, that
 * one counts a packet too many, and was seen just now, as any new flow was; its state is left alone. */
static __always_inline void pl_flow_count(const struct pl_flow4_key *key, struct pl_flow4 *flow, __u32 bytes)
{
	__u32 now = bpf_jiffies64(), packets = flow->packets + 1;

	asm volatile("" : "+r"(packets)); /* (else the sum is compared with what it was before) */
	if (flow->seen != now)
		flow->seen = now;
	flow->bytes += bytes;
	flow->packets = packets;
	if (!pl_likely(packets))
		pl_flow_carry_over(pl_flow_tally_slot(key, flow), pl_flow_tally_what(key, flow));
}

/* What every packet of an entry leaves behind. */
static __always_inline void pl_flow_touch(const struct pl_flow4_key *key, struct pl_flow4 *flow,
					  const struct pl_pkt *pkt, __u32 bytes)
{
	pl_flow_count(key, flow, bytes);
	if (pl_flow_has_news(flow, pkt->tcp_flags))
		pl_flow_news(key, flow, pkt->tcp_flags);
}

/* The part of an entry that says who receives the packets that find it. */
static __always_inline void pl_flow_set_receiver(struct pl_flow4 *flow, const struct pl_port *port,
						 __u32 slot, const struct pl_config *config)
{
	__builtin_memcpy(flow->dst_mac, port->mac, ETH_ALEN);
	__builtin_memcpy(flow->src_mac, config->gateway_mac, ETH_ALEN);
	flow->ifindex = port->ifindex;
	flow->delivery = port->delivery;
	flow->peer = slot;
}
