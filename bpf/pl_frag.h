/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fragments. Only the first one of a datagram has ports. It goes the way of any packet, and where it was let
 * pass it leaves behind whose datagram it began; the others follow by that. One that comes before the first,
 * or long after it, has nothing to follow and is dropped: senders send them in their order, and nothing
 * reorders them on a node.
 *
 * A port has a few rows of its own, so it can only be in its own way. A datagram pushes out none that is on
 * its way: where that leaves it no row it is refused as a whole, and nothing is owed for it. The row says
 * which flow it is, and no more: every fragment is judged with that like any packet.
 *
 * Who begins datagrams and does not finish them fills the memory in which their receiver waits for the rest,
 * and there is one for all who send to it. So a port owes for bytes of datagrams, and for the buffer that
 * each fragment is in, until the last one has passed and none before it was left out, or the receiver has
 * given up; and so does its account for all of its ports, or who has many of them would fill it all the same.
 *
 * A server's stack puts fragments together by source, identification and protocol, and to it many consumers
 * are one source. So the identification is translated, too, to a number that no consumer can choose.
 */
#pragma once

#include "pl_known.h"
#include "pl_limit.h"
#include "pl_local.h"
#include "pl_rewrite.h"
#include "pl_share.h"
#include "pl_size.h"

#define PL_NS_PER_MS		    1000000
#define PL_FRAGMENT_KEPT_NS	    (PL_FRAGMENT_KEPT_S * 1000000000ull)
#define PL_FRAGMENT_MOST_NS	    (2 * PL_FRAGMENT_KEPT_NS) /* of datagrams that have begun */
#define PL_FRAGMENT_BYTE_NS	    (PL_FRAGMENT_KEPT_NS / PL_FRAGMENT_OPEN)
#define PL_FRAGMENT_ACCOUNT_BYTE_NS (PL_FRAGMENT_KEPT_NS / PL_FRAGMENT_ACCOUNT_OPEN)

static const struct pl_fragments pl_no_fragments;

static __always_inline __u32 pl_fragment_now(void)
{
	return bpf_ktime_get_ns() / PL_NS_PER_MS;
}

/* The places that a datagram's row can have in its port's; the first ones are one after the other for those
 * of a socket. */
static __always_inline __u32 pl_fragment_place(__be32 daddr, __be16 id, __u32 way)
{
	return (bpf_ntohs(id) + (daddr * 0x9e3779b1 >> 24) + way * (PL_FRAGMENTS / PL_FRAGMENT_WAYS)) %
	       PL_FRAGMENTS;
}

/* Whether a row is that of a packet's datagram. */
static __always_inline bool pl_fragment_is_of(const struct pl_fragment *row, const struct pl_pkt *pkt,
					      __be16 id)
{
	return row->id == id && row->saddr == pkt->key.saddr && row->daddr == pkt->key.daddr &&
	       row->protocol == pkt->l4_proto;
}

/* Where the row of a packet's datagram is; PL_FRAGMENTS: nowhere. */
static __attribute__((noinline)) __u32 pl_fragment_look(const struct pl_fragments *rows,
							const struct pl_pkt *pkt, __u32 id)
{
#pragma unroll
	for (__u32 way = 0; way < PL_FRAGMENT_WAYS; way++) {
		__u32 place = pl_fragment_place(pkt->key.daddr, id, way);

		if (pl_fragment_is_of(&rows->rows[place], pkt, id))
			return place;
	}
	return PL_FRAGMENTS;
}

/* How well a row can be had for another datagram; 0: it cannot. What is finished is asked for by nothing but
 * a copy; of what was left out something, or has fallen silent, nothing whole will come. */
static __always_inline __u32 pl_fragment_is_free(const struct pl_fragment *row, __u32 now)
{
	__u32 age = now - row->seen;

	if (age > -(__u32)PL_FRAGMENT_MS) /* begun on another CPU since `now` */
		age = 0;
	if (age > PL_FRAGMENT_MS)
		return 3;
	if (row->tag == PL_FRAGMENT_TAKEN)
		return 0;
	if (!row->size)
		return 2;
	return age > PL_FRAGMENT_SILENT_MS || row->next == PL_FRAGMENT_NONE;
}

/* The place for a datagram that begins; PL_FRAGMENTS: there is none. */
static __attribute__((noinline)) __u32 pl_fragment_room(const struct pl_fragments *rows,
							const struct pl_pkt *pkt, __u32 id, __u32 now)
{
	__u32 best = 0, found = pl_fragment_look(rows, pkt, id);

	if (found < PL_FRAGMENTS)
		return found;
#pragma unroll
	for (__u32 way = 0; way < PL_FRAGMENT_WAYS; way++) {
		__u32 place = pl_fragment_place(pkt->key.daddr, id, way);
		__u32 is_free = pl_fragment_is_free(&rows->rows[place], now);

		if (is_free > best) {
			best = is_free;
			found = place;
		}
	}
	return found;
}

/* What of a row is changed by a compare-and-swap. */
union pl_fragment_word {
	struct {
		__u32 seen, tag;
	};
	__u64 all;
};

/* Takes a row for a datagram that begins now: nobody else does until its tag is written, or the word that it
 * had is put back. NULL: there is none. Another CPU may take the same one; then there is another for this. */
static __attribute__((noinline)) struct pl_fragment *
pl_fragment_take(struct pl_fragments *rows, const struct pl_pkt *pkt, __u32 id, __u32 now, __u64 *ret_word)
{
	union pl_fragment_word taken = {.seen = now, .tag = PL_FRAGMENT_TAKEN};

	for (int i = 0; i < 2; i++) {
		__u32 place = pl_fragment_room(rows, pkt, id, now);
		struct pl_fragment *row;
		__u64 word;

		if (place >= PL_FRAGMENTS)
			return NULL;
		row = &rows->rows[place];
		word = *(volatile __u64 *)&row->seen;
		asm volatile("" ::: "memory"); /* the row is looked at behind it */
		if (!pl_fragment_is_free(row, now) &&
		    (row->tag == PL_FRAGMENT_TAKEN || !pl_fragment_is_of(row, pkt, id)))
			continue;
		*ret_word = word;
		if (__sync_val_compare_and_swap((__u64 *)&row->seen, word, taken.all) == word)
			return row;
	}
	return NULL;
}

static __always_inline struct pl_fragments *pl_fragments_of(__u32 slot)
{
	struct pl_fragments *rows = bpf_map_lookup_elem(&pl_fragments, &slot);

	if (rows)
		return rows;
	bpf_map_update_elem(&pl_fragments, &slot, &pl_no_fragments, BPF_NOEXIST);
	return bpf_map_lookup_elem(&pl_fragments, &slot);
}

static __always_inline __u32 pl_fragment_size(const struct iphdr *ip)
{
	return bpf_ntohs(ip->tot_len) - sizeof(*ip);
}

/* When all that the account of a slot's port owes will be forgiven. NULL: it is nobody's. */
static __attribute__((noinline)) __u64 *pl_fragment_account(__u32 slot)
{
	const struct pl_limit *limit = pl_limit_find(slot);
	struct pl_owner *owner;
	__u32 row;

	if (!limit || !limit->account)
		return NULL;
	row = pl_owner_of_account(limit->account);
	owner = bpf_map_lookup_elem(&pl_owners, &row);
	return owner ? &owner->owes_until : NULL;
}

/* Whether so much more may be owed. A debt that honest counting does not reach is not believed: no word may
 * lock a slot for long, however it came there. */
static __attribute__((noinline)) bool pl_fragment_may_owe(__u64 *until, __u64 cost, __u64 most)
{
	__u64 was = *(volatile __u64 *)until, now = bpf_ktime_get_ns();
	__s64 debt = was - now;

	if (debt < 0 || debt > (__s64)PL_FRAGMENT_MOST_NS * 2) {
		__sync_val_compare_and_swap(until, was, now);
		debt = 0;
	}
	return debt + cost <= most;
}

/* The port and its account owe so much more, or less. */
static __attribute__((noinline)) void pl_fragment_add(__u32 slot, struct pl_fragments *rows, __s64 owed)
{
	__u64 *account = pl_fragment_account(slot);

	__sync_fetch_and_add(&rows->open, owed * PL_FRAGMENT_BYTE_NS);
	if (account)
		__sync_fetch_and_add(account, owed * PL_FRAGMENT_ACCOUNT_BYTE_NS);
}

/* The port, whose rows those are, and its account owe for the fragment, unless one of them would owe for more
 * than that; `owes` false: only tells which, and the port may have no rows yet (NULL). */
static __attribute__((noinline)) bool pl_fragment_owe(__u32 slot, struct pl_fragments *rows, __u32 owed,
						      __u64 most, bool owes)
{
	__u64 *account = pl_fragment_account(slot);

	if (rows && !pl_fragment_may_owe(&rows->open, owed * PL_FRAGMENT_BYTE_NS, most))
		return false;
	if (account && !pl_fragment_may_owe(account, owed * PL_FRAGMENT_ACCOUNT_BYTE_NS, most))
		return false;
	if (owes)
		pl_fragment_add(slot, rows, owed);
	return true;
}

/* How far a datagram has come. */
union pl_fragment_course {
	struct {
		__u8 protocol, is_echo;
		__u16 next;
		__u32 size;
	};
	__u64 all;
};

/* Takes the datagram on from where it was seen; false: it is not there any more, or its row is another's. */
static __attribute__((noinline)) bool pl_fragment_step(struct pl_fragment *row, __u64 was, __u32 next,
						       __u32 size)
{
	union pl_fragment_course is = {.all = was};

	is.next = next;
	is.size = size;
	return __sync_val_compare_and_swap((__u64 *)&row->protocol, was, is.all) == was;
}

/* Whether a fragment that begins there is its datagram's next one. No other is then, until it has passed, and
 * the row is free for no other datagram; one that comes meanwhile was not in order. */
static __always_inline bool pl_fragment_is_next(struct pl_fragment *row, __u32 from,
						union pl_fragment_course *is)
{
	__u32 next = PL_FRAGMENT_PASSING | (bpf_get_smp_processor_id() & PL_FRAGMENT_CPU);

	is->all = *(volatile __u64 *)&row->protocol;
	if (is->next == from && is->size && pl_fragment_step(row, is->all, next, is->size)) {
		is->next = next;
		return true;
	}
	row->next = PL_FRAGMENT_NONE;
	return false;
}

/* What a fragment costs where its flow has a limit; its port owes for it already. Refused, it does not reach
 * the receiver. An answer that was sent in order is then cut off by its consumer's limit: to have the server
 * owe for the rest would take its answers from all others, and what the consumer's memory keeps of it was
 * paid for in bytes. Who sends into a limit of its own goes on owing. */
static __always_inline int pl_fragment_pay(__u32 slot, const struct pl_flow4 *flow, struct pl_fragments *rows,
					   struct pl_fragment *row, const union pl_fragment_course *is,
					   __u32 owed, __u32 bytes, bool in_order)
{
	bool is_back = pl_flow_is_back(flow);
	int r;

	if (!flow->limit)
		return PL_CONTINUE;
	r = pl_limit_bytes(flow->limit, is_back, bytes, in_order);
	if (!r)
		return PL_CONTINUE;
	if (in_order && is_back && pl_fragment_step(row, is->all, PL_FRAGMENT_NONE, 0))
		owed += is->size;
	pl_fragment_add(slot, rows, -(__s64)owed);
	return r;
}

/* A fragment after the first is to pass, in a frame of so many bytes; `field`: its place and flag. With the
 * last of them, if none was left out, the datagram is off: whoever takes its debt forgives it, and nobody
 * else does. */
static __always_inline int pl_fragment_pass(const struct pl_pkt *pkt, const struct pl_flow4 *flow, __be16 id,
					    __u32 field, __u32 bytes, __u32 frame)
{
	__u32 slot = pkt->slot, owed = bytes + PL_FRAGMENT_BUFFER, from = field & PL_IP_OFFSET_MASK;
	struct pl_fragments *rows = bpf_map_lookup_elem(&pl_fragments, &slot);
	union pl_fragment_course is;
	struct pl_fragment *row;
	__u32 place, size;
	bool in_order;
	int r;

	if (!rows)
		return PL_DROP_FRAGMENT;
	place = pl_fragment_look(rows, pkt, id);
	if (place >= PL_FRAGMENTS)
		return PL_DROP_FRAGMENT;
	row = &rows->rows[place];
	in_order = pl_fragment_is_next(row, from, &is);
	if (pl_fragment_owe(slot, rows, owed, PL_FRAGMENT_MOST_NS, true))
		r = pl_fragment_pay(slot, flow, rows, row, &is, owed, frame, in_order);
	else
		r = PL_DROP_FRAGMENT_SHARE;
	if (!in_order)
		return r;
	size = is.size + owed;
	if (r)
		pl_fragment_step(row, is.all, PL_FRAGMENT_NONE, is.size);
	else if (field & PL_IP_MF)
		pl_fragment_step(row, is.all, from + bytes / 8, size);
	else if (pl_fragment_step(row, is.all, PL_FRAGMENT_NONE, 0))
		pl_fragment_add(slot, rows, -(__s64)size);
	return r;
}

/* Writes another identification into the packet. */
static __always_inline void pl_fragment_set_id(struct iphdr *ip, __be16 id)
{
	ip->check = pl_csum_update(ip->check, pl_csum_diff16(ip->id, id));
	ip->id = id;
}

/* Whether it is no first fragment, but a datagram that will be cut: nothing follows it. */
static __always_inline bool pl_fragment_is_whole(const struct iphdr *ip)
{
	return !(ip->frag_off & bpf_htons(PL_IP_MF));
}

/* Whether a first fragment may begin a datagram, before a flow is opened for it, counts it, or pays for it:
 * PL_CONTINUE, or why not. (Of ICMP an ENI answers what nothing is owed for: that is told later.) */
__attribute__((noinline)) int pl_fragment_may_begin(struct __sk_buff *skb, const struct pl_pkt *pkt)
{
	struct ethhdr *eth = pl_data(skb, PL_L4_OFFSET);
	struct pl_fragments *rows;
	struct iphdr *ip;
	__u32 slot;

	if (!eth || !pkt)
		return PL_DROP_FRAGMENT;
	slot = pkt->slot;
	rows = bpf_map_lookup_elem(&pl_fragments, &slot);
	ip = (void *)(eth + 1);
	if (rows && !pl_fragment_is_whole(ip) &&
	    pl_fragment_room(rows, pkt, ip->id, pl_fragment_now()) >= PL_FRAGMENTS)
		return PL_DROP_FRAGMENT;
	if (pkt->l4_proto == IPPROTO_ICMP)
		return PL_CONTINUE;
	return pl_fragment_owe(slot, rows, pl_fragment_size(ip) + PL_FRAGMENT_BUFFER, PL_FRAGMENT_KEPT_NS,
			       false)
		       ? PL_CONTINUE
		       : PL_DROP_FRAGMENT_SHARE;
}

/* A first fragment is to leave under the reason, and is written as it leaves; pkt->key is as it came. What
 * follows it shall leave, too. The reason that it leaves under now. */
__attribute__((noinline)) int pl_fragment_begin(struct __sk_buff *skb, struct pl_pkt *pkt, int reason)
{
	struct ethhdr *eth = pl_data(skb, PL_L4_OFFSET);
	struct pl_fragment row = {.size = 1, .tag = PL_FRAGMENT_TAKEN}, *taken;
	struct pl_fragments *rows;
	struct iphdr *ip;
	__u64 word;

	if (!pkt || PL_REASON_IS_DROP(reason))
		return reason;
	if (!eth)
		return PL_DROP_FRAGMENT;
	ip = (void *)(eth + 1);
	row.id = row.new_id = ip->id;
	if (pkt->is_translated) { /* the addresses do not tell: two VPCs may have the same */
		row.new_id = bpf_get_prandom_u32();
		pl_fragment_set_id(ip, row.new_id);
	}
	if (pl_fragment_is_whole(ip))
		return reason;
	rows = pl_fragments_of(pkt->slot);
	if (!rows)
		return PL_DROP_FRAGMENT;
	row.seen = pl_fragment_now();
	taken = pl_fragment_take(rows, pkt, row.id, row.seen, &word);
	if (!taken)
		return PL_DROP_FRAGMENT;
	if (reason != PL_ECHO) {
		row.size = pl_fragment_size(ip) + PL_FRAGMENT_BUFFER;
		row.next = pl_fragment_size(ip) / 8;
		if (!pl_fragment_owe(pkt->slot, rows, row.size, PL_FRAGMENT_KEPT_NS, true)) {
			*(volatile __u64 *)&taken->seen = word;
			return PL_DROP_FRAGMENT_SHARE;
		}
	}
	row.saddr = pkt->key.saddr;
	row.daddr = pkt->key.daddr;
	row.sport = pkt->key.sport;
	row.dport = pkt->key.dport;
	row.protocol = pkt->l4_proto;
	row.is_echo = reason == PL_ECHO;
	*taken = row;
	asm volatile("" ::: "memory"); /* the tag comes last */
	*(volatile __u32 *)&taken->tag = pl_fragment_tag(&row);
	return reason;
}

/* The row of the datagram that a fragment belongs to. */
static __always_inline bool pl_fragment_find(const struct pl_pkt *pkt, const struct iphdr *ip,
					     struct pl_fragment *ret)
{
	__u32 slot = pkt->slot, place;
	struct pl_fragments *rows;
	__be16 id = ip->id;

	rows = bpf_map_lookup_elem(&pl_fragments, &slot);
	if (!rows)
		return false;
	place = pl_fragment_look(rows, pkt, id);
	if (place >= PL_FRAGMENTS)
		return false;
	*ret = rows->rows[place];
	if (ret->tag != pl_fragment_tag(ret) || pl_fragment_now() - ret->seen > PL_FRAGMENT_MS)
		return false;
	if (!pl_fragment_is_of(ret, pkt, id))
		return false;
	if (ret->is_echo && !(ip->frag_off & bpf_htons(PL_IP_MF)))
		rows->rows[place].size = 0;
	return true;
}

/* Back to where it came from, after the first fragment of an echo request. */
static __always_inline int pl_fragment_echo(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	struct ethhdr *eth = pl_data(skb, PL_L4_OFFSET);
	const struct pl_port *port = pl_port_find(pkt->slot);
	const struct pl_config *config = pl_config_get();
	struct iphdr *ip;

	if (!eth || !port || !config)
		return PL_DROP_SHORT;
	ip = (void *)(eth + 1);
	ip->saddr = pkt->key.daddr;
	ip->daddr = pkt->key.saddr;
	pl_mac_copy(eth->h_dest, port->mac);
	pl_mac_copy(eth->h_source, config->gateway_mac);
	pl_send_back(pkt, port);
	return PL_ECHO;
}

/* Counts the fragment in its flow, which it keeps alive. */
static __always_inline void pl_fragment_count(const struct pl_flow4_key *wanted, __u32 bytes)
{
	struct pl_flow4_key key = *wanted;
	struct pl_flow4 *flow = pl_flow4_find(&key);

	if (!flow || !pl_flow_is_still(flow, &key))
		return;
	flow->seen = bpf_jiffies64();
	flow->packets++;
	flow->bytes += bytes;
}

/* A fragment after the first: makes pkt->key that of its datagram's flow. PL_ECHO: it is answered already. */
__attribute__((noinline)) int pl_fragment_parse(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	const struct ethhdr *eth = pl_data(skb, PL_L4_OFFSET);
	struct pl_fragment row;

	if (!eth || !pkt)
		return PL_DROP_SHORT;
	if (!pl_fragment_find(pkt, (const struct iphdr *)(eth + 1), &row))
		return PL_DROP_FRAGMENT;
	if (row.is_echo)
		return pl_fragment_echo(skb, pkt);
	pkt->key.sport = row.sport;
	pkt->key.dport = row.dport;
	pkt->new_id = row.new_id;
	return PL_CONTINUE;
}

static __always_inline int pl_fragment_rewrite(struct __sk_buff *skb, const struct pl_pkt *pkt,
					       const struct pl_flow4 *flow)
{
	void *data = pl_data(skb, PL_L4_OFFSET);
	struct iphdr *ip = data + PL_IP_OFFSET;
	int r;

	if (!data)
		return PL_DROP_SHORT;
	r = pl_fragment_pass(pkt, flow, ip->id, bpf_ntohs(ip->frag_off), pl_fragment_size(ip), skb->len);
	if (r)
		return r;
	if (pl_rewrite_head(data, flow))
		pl_fragment_set_id(ip, pkt->new_id);
	return PL_CONTINUE;
}

/* A fragment after the first, whose flow is known, leaves as the first one did. The reason it leaves under.
 */
__attribute__((noinline)) int pl_fragment_write(struct __sk_buff *skb, struct pl_pkt *pkt)
{
	struct pl_flow4 flow = {};
	int r;

	if (!pkt)
		return PL_DROP_NO_PORT;
	if (!pl_known_copy(pkt, &flow))
		return PL_DROP_NO_FLOW;
	r = pl_guard_size(skb, pkt, &flow);
	if (r)
		return r;
	r = pl_fragment_rewrite(skb, pkt, &flow);
	if (r)
		return r;
	pl_fragment_count(&pkt->key, skb->len);
	return pl_reason_of(&flow);
}
