/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rates: new flows of a port and of an endpoint's ENI, bytes of an ENI's flows in each direction, questions
 * of a port to the resolver. What the agent allows stands in pl_limits, what is spent in pl_buckets, so that
 * no sync ever gives back what was spent. What comes from VPC 0 (answers, probes) has no limit.
 *
 * A bucket is one word: the time (ns) at which all that was let through will have been paid for. What comes
 * while the debt is below the burst passes, whatever it costs, and raises the debt. One load where it is
 * refused, one atomic addition where not. CPUs that come at once overdraw by a packet each and pay it back,
 * so over a second the rate is exact. The clock is the kernel's ticks: 2 ns, and always the same one.
 */
#pragma once

#include "pl_parse.h"
#include "pl_share.h"

/* ns between two ticks of the kernel's clock; set before load. */
const volatile __u32 pl_tick_ns = 4000000;

static __always_inline __u64 pl_limit_now(void)
{
	return bpf_jiffies64() * pl_tick_ns;
}

/* Spends `cost` ns, or refuses; `spends` false: only tells which. No word may lock its owner out, however it
 * came there: a long debt is shortened, one that nobody can have made is none. (Neither has to do with what
 * the packet at hand costs: the debt was made by others.) */
static __always_inline bool pl_bucket_take(__u64 *at, __u64 cost, __u64 burst, bool spends)
{
	__u64 now = pl_limit_now(), old = *(volatile __u64 *)at;
	__s64 debt = old - now;
	bool is_none = debt < 0 || debt >= (__s64)PL_LIMIT_NONE_NS;

	if (debt >= (__s64)burst && !is_none) {
		if (debt > (__s64)(burst + PL_LIMIT_DEBT_NS))
			__sync_val_compare_and_swap(at, old, now + burst + PL_LIMIT_DEBT_NS);
		return false;
	}
	if (!spends)
		return true;
	if (is_none && __sync_val_compare_and_swap(at, old, now + cost) == old)
		return true;
	__sync_fetch_and_add(at, cost); /* another CPU has paid off the old debt, if there was one */
	return true;
}

static __always_inline struct pl_buckets *pl_buckets_find(__u32 slot)
{
	return bpf_map_lookup_elem(&pl_buckets, &slot);
}

/* One new flow of a port or an ENI. (A function of its own keeps the program short.) */
static __attribute__((noinline)) bool pl_limit_take_open(__u32 slot, bool spends)
{
	const struct pl_limit *limit = pl_limit_find(slot);
	struct pl_buckets *buckets = pl_buckets_find(slot);

	if (!limit || !limit->open_ns || !buckets)
		return true;
	return pl_bucket_take(&buckets->open_at, limit->open_ns, PL_OPENS_BURST_NS, spends);
}

/* One new flow of an ENI to a listener that has a limit of its own. */
static __always_inline bool pl_limit_take_listener(__u32 eni, __u32 listener, __u32 open_ns)
{
	struct pl_cps_key key = {.eni = eni, .listener = listener};
	__u64 *at = bpf_map_lookup_elem(&pl_cps, &key), never = 0;

	if (!at) {
		bpf_map_update_elem(&pl_cps, &key, &never, BPF_NOEXIST);
		at = bpf_map_lookup_elem(&pl_cps, &key);
	}
	return !at || pl_bucket_take(at, open_ns, PL_OPENS_BURST_NS, true);
}

/* A new flow from the port `sender`, to the ENI (0: to none) and its listener (port << 16 | protocol), where
 * it costs open_ns (0: nothing). The port pays first: what it floods with is its own before it is others'.
 * PL_CONTINUE, or why not. */
__attribute__((noinline)) int pl_limit_open(__u32 sender, __u32 eni, __u32 listener, __u32 open_ns)
{
	if (sender == PL_SLOT_SERVICE)
		return PL_CONTINUE;
	if (!pl_limit_take_open(sender, true))
		return PL_DROP_FLOW_RATE;
	if (eni && open_ns && !pl_limit_take_listener(eni, listener, open_ns))
		return PL_DROP_FLOW_RATE;
	if (eni && !pl_limit_take_open(eni, true))
		return PL_DROP_FLOW_RATE;
	return PL_CONTINUE;
}

/* Whether a port may open a flow of that judge right now: to be asked before an old one is taken away for it.
 */
__attribute__((noinline)) int pl_limit_may_open(__u32 sender, __u32 judge)
{
	return sender == PL_SLOT_SERVICE ||
	       (pl_limit_take_open(sender, false) && pl_limit_take_open(judge, false));
}

/* Questions of a port to the resolver; 0 of them: whether it may ask one. */
__attribute__((noinline)) int pl_limit_dns(__u32 sender, __u32 questions)
{
	const struct pl_limit *limit = pl_limit_find(sender);
	struct pl_buckets *buckets = pl_buckets_find(sender);
	__u64 cost;

	if (!limit || !limit->dns_ns || !buckets)
		return PL_CONTINUE;
	cost = (__u64)limit->dns_ns * (questions ? questions : 1);
	return pl_bucket_take(&buckets->dns_at, cost, PL_DNS_BURST_NS, questions) ? PL_CONTINUE
										  : PL_DROP_DNS_RATE;
}

/* A new flow to the resolver. (Each packet of it pays for its questions.) */
static __always_inline int pl_limit_open_dns(__u32 sender)
{
	int r = pl_limit_dns(sender, 0);

	return r ? r : pl_limit_open(sender, 0, 0, 0);
}

/* Bytes of a flow with a limit, to the service or back from it. `has_begun`: of a datagram whose beginning
 * was let pass, and which goes on in order. That is let into a longer debt, which is paid for later: it
 * refuses others for longer. */
__attribute__((noinline)) int pl_limit_bytes(__u32 slot, __u32 is_back, __u32 bytes, __u32 has_begun)
{
	const struct pl_limit *limit = pl_limit_find(slot);
	struct pl_buckets *buckets = pl_buckets_find(slot);
	__u64 cost, burst = has_begun ? PL_BYTES_BEGUN_NS : PL_BYTES_BURST_NS;

	if (!limit || !limit->kbyte_ns || !buckets)
		return PL_CONTINUE;
	cost = (__u64)bytes * limit->kbyte_ns >> 10;
	return pl_bucket_take(is_back ? &buckets->down_at : &buckets->up_at, cost, burst, true)
		       ? PL_CONTINUE
		       : PL_DROP_BANDWIDTH;
}

/* Bytes of a packet's headers, which each of its segments will have. */
static __always_inline __u32 pl_headers_size(const struct __sk_buff *skb, const struct pl_pkt *pkt)
{
	const __u8 *data = pl_data(skb, PL_L4_OFFSET + sizeof(struct tcphdr));

	if (pkt->l4_proto != IPPROTO_TCP || !data)
		return PL_L4_OFFSET + sizeof(struct udphdr);
	return PL_L4_OFFSET + (data[PL_L4_OFFSET + PL_TCP_FLAGS_OFFSET - 1] >> 4) * 4;
}

/* How many packets it will be on the wire. Told from gso_size, which was guarded; gso_segs is the sender's
 * word, and 0 in what comes from outside the kernel. */
static __always_inline __u32 pl_segments(const struct __sk_buff *skb, __u32 headers)
{
	__u32 payload = skb->len > headers ? skb->len - headers : 0, size = skb->gso_size;

	return size && payload > size ? (payload + size - 1) / size : 1;
}

static __always_inline __u32 pl_wire_bytes(const struct __sk_buff *skb, const struct pl_pkt *pkt)
{
	__u32 headers;

	if (!skb->gso_size)
		return skb->len;
	headers = pl_headers_size(skb, pkt);
	return skb->len + (pl_segments(skb, headers) - 1) * headers;
}

/* Questions that a packet to the resolver can hold: one in a datagram; by TCP many, of few bytes each. */
static __always_inline __u32 pl_questions(const struct __sk_buff *skb, const struct pl_pkt *pkt)
{
	__u32 headers = pl_headers_size(skb, pkt);

	if (pkt->l4_proto == IPPROTO_UDP)
		return pl_segments(skb, headers);
	return 1 + (skb->len > headers ? skb->len - headers : 0) / PL_DNS_TCP_BYTES;
}
