/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A TCP segment that is written anew, in whole or in its header: for the rare packets whose numbers, options
 * or payload change (pl_proxy.h). The header is read into a buffer, changed there and written back; the
 * checksum is what the packet's ip_summed wants, as in pl_rewrite.h.
 */
#pragma once

#include "pl_csum.h"
#include "pl_offload.h"

#define PL_TCP_PSH 0x08
#define PL_TCP_URG 0x20

/* TCP options. */
#define PL_OPTION_END	     0
#define PL_OPTION_NOP	     1
#define PL_OPTION_SCALE	     3
#define PL_OPTION_STAMPS     8
#define PL_OPTION_MPTCP	     30
#define PL_OPTION_FASTOPEN   34
#define PL_OPTION_EXPERIMENT 254
#define PL_OPTION_MAGIC	     0xf989 /* that experiment was Fast Open, too (RFC 7413) */
#define PL_OPTIONS_MAX	     40
#define PL_STAMPS_SIZE	     12 /* with two NOPs in front */
#define PL_SCALE_MAX	     14
#define PL_PAYLOAD_MIN	     2 /* bytes that are put behind a header, if any */

struct pl_options {
	__u32 at;	 /* where the next one starts */
	__u32 blank_end; /* an option up to here is being blanked */
	__u32 blanks;	 /* what begins a stream in another way is */
};

static __always_inline struct pl_segment *pl_segment_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pl_scratch, &zero);
}

static __always_inline struct tcphdr *pl_segment_tcp(struct pl_segment *segment)
{
	return (struct tcphdr *)segment->tcp;
}

/* Bounds in a form that the verifier of 6.1 keeps: it learns no minimum from a merged range check. */
static __always_inline __u32 pl_bound(__u32 value, __u32 mask, __u32 min)
{
	value &= mask;
	asm volatile("" : "+r"(value));
	return value < min ? min : value;
}

static __always_inline bool pl_check_is_partial(struct __sk_buff *skb)
{
	const struct sk_buff *kernel_skb = (const void *)skb;

	if (PL_SEES_SKB())
		return pl_ip_summed(skb) == PL_CHECKSUM_PARTIAL;
	return BPF_CORE_READ_BITFIELD_PROBED(kernel_skb, ip_summed) == PL_CHECKSUM_PARTIAL;
}

/* The packet's TCP header with its options; behind them the buffer is zero. */
__attribute__((noinline)) int pl_segment_read(struct __sk_buff *skb)
{
	struct pl_segment *segment = pl_segment_get();
	struct tcphdr *tcp;
	__u32 size, length;
	__be16 tot_len;

	if (!segment)
		return PL_DROP_SHORT;
	tcp = pl_segment_tcp(segment);
	__builtin_memset(segment, 0, sizeof(*segment));
	if (bpf_skb_load_bytes(skb, PL_L4_OFFSET, tcp, sizeof(*tcp)) ||
	    bpf_skb_load_bytes(skb, PL_IP_OFFSET + offsetof(struct iphdr, tot_len), &tot_len,
			       sizeof(tot_len)))
		return PL_DROP_SHORT;
	size = tcp->doff * 4;
	length = bpf_ntohs(tot_len);
	if (!length) /* more than 64 KB */
		length = skb->len - PL_IP_OFFSET;
	if (size < sizeof(*tcp) || length < sizeof(struct iphdr) + size)
		return PL_DROP_SHORT;
	segment->tcp_size = size;
	segment->payload_size = length - sizeof(struct iphdr) - size;
	size = pl_bound(size, 63, sizeof(*tcp));
	if (bpf_skb_load_bytes(skb, PL_L4_OFFSET, segment->tcp, size))
		return PL_DROP_SHORT;
	__builtin_memcpy(segment->arrived, segment->tcp, sizeof(segment->arrived));
	return PL_CONTINUE;
}

/* Whether an option has to do with where a stream begins. With Fast Open a SYN has data. With Multipath TCP
 * the place of a segment in the stream is what its option says, not its number. */
static __always_inline bool pl_option_begins(const struct pl_segment *segment, __u32 at, __u32 kind,
					     __u32 length)
{
	if (kind == PL_OPTION_EXPERIMENT)
		return length >= 4 && segment->tcp[(at + 2) & 63] == PL_OPTION_MAGIC >> 8 &&
		       segment->tcp[(at + 3) & 63] == (PL_OPTION_MAGIC & 0xff);
	return kind == PL_OPTION_FASTOPEN || kind == PL_OPTION_MPTCP;
}

/* Body of the loop over the bytes of the options, and not over the options: so nothing of it depends on what
 * they hold but indexes, which are masked. 1 ends it. */
static long pl_options_step(__u32 i, struct pl_options *options)
{
	__u32 at = sizeof(struct tcphdr) + i, kind, length;
	struct pl_segment *segment = pl_segment_get();

	if (!segment || at >= segment->tcp_size)
		return 1;
	if (at == options->at) {
		kind = segment->tcp[at & 63];
		length = kind == PL_OPTION_NOP ? 1 : segment->tcp[(at + 1) & 63];
		if (kind == PL_OPTION_END || !length || (length == 1 && kind != PL_OPTION_NOP))
			return 1;
		options->at = at + length;
		if (kind == PL_OPTION_STAMPS && length == 10)
			segment->stamps = at;
		if (kind == PL_OPTION_SCALE && length == 3)
			segment->scale = segment->tcp[(at + 2) & 63];
		if (pl_option_begins(segment, at, kind, length))
			options->blank_end = at + length;
	}
	if (options->blanks && at < options->blank_end)
		segment->tcp[at & 63] = PL_OPTION_NOP;
	return 0;
}

/* Finds the options that are asked about; with `blanks` Fast Open and Multipath TCP are taken out of them. */
__attribute__((noinline)) int pl_options_read(__u32 blanks)
{
	struct pl_options options = {.at = sizeof(struct tcphdr), .blanks = blanks};

	bpf_loop(PL_OPTIONS_MAX, pl_options_step, &options, 0);
	return 0;
}

/* Writes a changed header back. Its size is as it was. */
__attribute__((noinline)) int pl_segment_store(struct __sk_buff *skb)
{
	struct pl_segment *segment = pl_segment_get();
	struct tcphdr *tcp;
	__s64 difference;
	__u32 size;

	if (!segment)
		return -1;
	tcp = pl_segment_tcp(segment);
	size = pl_bound(segment->tcp_size, 63, sizeof(*tcp));
	difference = bpf_csum_diff((__be32 *)segment->arrived, sizeof(segment->arrived),
				   (__be32 *)segment->tcp, sizeof(segment->tcp), 0);
	if (!pl_check_is_partial(skb))
		tcp->check = pl_csum_update(tcp->check, pl_csum_fold(difference & 0xffffffff));
	return bpf_skb_store_bytes(skb, PL_L4_OFFSET, segment->tcp, size, BPF_F_RECOMPUTE_CSUM);
}

/* The sum over the pseudo header, and over header and payload unless somebody else adds those. */
static __always_inline __u16 pl_segment_check(struct __sk_buff *skb, struct pl_segment *segment, __u32 size,
					      __be32 saddr, __be32 daddr)
{
	__u64 sum = (__u64)saddr + daddr + bpf_htons(IPPROTO_TCP) + bpf_htons(size);

	if (pl_check_is_partial(skb))
		return pl_csum_fold(sum);
	sum += bpf_csum_diff(NULL, 0, (__be32 *)segment->tcp, sizeof(segment->tcp), 0) & 0xffffffff;
	sum += bpf_csum_diff(NULL, 0, (__be32 *)segment->payload, sizeof(segment->payload), 0) & 0xffffffff;
	return ~pl_csum_fold(sum);
}

/* Puts header and payload of the buffer in the place of all that is behind the packet's IP header. The
 * addresses are those of the packet as it then stands. (The kernel keeps CHECKSUM_PARTIAL, and a packet that
 * was to be cut is not any more.) */
__attribute__((noinline)) int pl_segment_replace(struct __sk_buff *skb, __u32 payload_size, __be32 saddr,
						 __be32 daddr)
{
	struct pl_segment *segment = pl_segment_get();
	__be16 old_len, new_len;
	struct tcphdr *tcp;
	__u32 tcp_size;

	if (!segment)
		return -1;
	tcp = pl_segment_tcp(segment);
	tcp_size = pl_bound(segment->tcp_size, 63, sizeof(*tcp));
	payload_size &= sizeof(segment->payload) - 1;
	new_len = bpf_htons(sizeof(struct iphdr) + tcp_size + payload_size);
	if (bpf_skb_load_bytes(skb, PL_IP_OFFSET + offsetof(struct iphdr, tot_len), &old_len,
			       sizeof(old_len)) ||
	    bpf_skb_change_tail(skb, PL_L4_OFFSET + tcp_size + payload_size, 0))
		return -1;
	tcp->check = 0;
	tcp->check = pl_segment_check(skb, segment, tcp_size + payload_size, saddr, daddr);
	if (bpf_skb_store_bytes(skb, PL_L4_OFFSET, segment->tcp, tcp_size, BPF_F_RECOMPUTE_CSUM))
		return -1;
	if (payload_size) {
		payload_size = pl_bound(payload_size, sizeof(segment->payload) - 1, PL_PAYLOAD_MIN);
		if (bpf_skb_store_bytes(skb, PL_L4_OFFSET + tcp_size, segment->payload, payload_size,
					BPF_F_RECOMPUTE_CSUM))
			return -1;
	}
	if (bpf_l3_csum_replace(skb, PL_IP_OFFSET + offsetof(struct iphdr, check), old_len, new_len,
				sizeof(new_len)))
		return -1;
	return bpf_skb_store_bytes(skb, PL_IP_OFFSET + offsetof(struct iphdr, tot_len), &new_len,
				   sizeof(new_len), 0);
}

/* The header of an answer to the segment: ports turned round, and time stamps, too, if it has them: the
 * other side knows the one that it has echoed, and gets its own back. */
static __always_inline void pl_segment_turn(struct pl_segment *segment)
{
	__u32 stamps = segment->stamps;
	struct tcphdr *tcp = pl_segment_tcp(segment), arrived = *tcp;
	__u32 i;

	__builtin_memset(segment->tcp, 0, sizeof(segment->tcp));
	tcp->source = arrived.dest;
	tcp->dest = arrived.source;
	segment->tcp_size = sizeof(*tcp);
	if (stamps) {
		segment->tcp[sizeof(*tcp)] = PL_OPTION_NOP;
		segment->tcp[sizeof(*tcp) + 1] = PL_OPTION_NOP;
		segment->tcp[sizeof(*tcp) + 2] = PL_OPTION_STAMPS;
		segment->tcp[sizeof(*tcp) + 3] = 10;
#pragma unroll
		for (i = 0; i < 4; i++) {
			segment->tcp[sizeof(*tcp) + 4 + i] = segment->arrived[(stamps + 6 + i) & 63];
			segment->tcp[sizeof(*tcp) + 8 + i] = segment->arrived[(stamps + 2 + i) & 63];
		}
		segment->tcp_size += PL_STAMPS_SIZE;
	}
	tcp->doff = segment->tcp_size / 4;
}

/* Sends the packet back where it came from: MACs and addresses change places, and no checksum moves. */
static __always_inline int pl_segment_swap_ends(struct __sk_buff *skb, const struct pl_flow4_key *arrived)
{
	__be32 addrs[2] = {arrived->daddr, arrived->saddr};
	__u8 macs[2 * ETH_ALEN], swapped[2 * ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, macs, sizeof(macs)))
		return -1;
	__builtin_memcpy(swapped, macs + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(swapped + ETH_ALEN, macs, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, swapped, sizeof(swapped), 0))
		return -1;
	return bpf_skb_store_bytes(skb, PL_IP_OFFSET + offsetof(struct iphdr, saddr), addrs, sizeof(addrs),
				   0);
}
