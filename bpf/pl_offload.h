/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a packet asks the kernel to do to it later: to write a checksum (CHECKSUM_PARTIAL, with csum_start and
 * csum_offset), and to cut it into segments (GSO). That is the sender's input like every header: a packet
 * socket and a virtio header set it at will. And it is done *after* this program, where the packet leaves
 * through a device that cannot do it itself, so it could undo what was guarded and translated here.
 *
 * The quick way reads the sk_buff as bpf_cast_to_kern_ctx() shows it, from kernel 6.2 on. The other way
 * copies out of it with bpf_probe_read_kernel(): the program's context *is* the sk_buff, which a verifier of
 * any age lets a privileged loader make use of.
 */
#pragma once

#include <bpf/bpf_core_read.h>

#include "pl_parse.h"

/* The parts of the kernel's structures that are read here; CO-RE finds them. */
struct sk_buff {
	__u8 ip_summed : 2;
	__u16 csum_start, csum_offset, mac_header;
	unsigned int end; /* an offset on every 64-bit kernel */
	unsigned char *head;
} __attribute__((preserve_access_index));

struct skb_shared_info {
	unsigned int gso_type;
} __attribute__((preserve_access_index));

/* Values of ip_summed (linux/skbuff.h). */
#define PL_CHECKSUM_COMPLETE 2 /* skb->csum is the sum over the packet: changes must be added to it */
#define PL_CHECKSUM_PARTIAL  3 /* the field holds the pseudo header's sum; the ports are summed up later */

/* Bits of gso_type (linux/skbuff.h). */
#define PL_GSO_TCPV4	   (1u << 0)
#define PL_GSO_DODGY	   (1u << 1) /* from outside the kernel; its headers were not looked at yet */
#define PL_GSO_TCP_ECN	   (1u << 2)
#define PL_GSO_TCP_FIXEDID (1u << 3)
#define PL_GSO_UDP	   (1u << 16) /* into fragments */
#define PL_GSO_UDP_L4	   (1u << 17) /* into datagrams */
#define PL_GSO_TCP_ACCECN  (1u << 19)
#define PL_GSO_OF_TCP	   (PL_GSO_TCPV4 | PL_GSO_DODGY | PL_GSO_TCP_ECN | PL_GSO_TCP_FIXEDID | PL_GSO_TCP_ACCECN)
#define PL_GSO_OF_UDP	   (PL_GSO_UDP_L4 | PL_GSO_DODGY)
#define PL_GSO_OF_CUT	   (PL_GSO_UDP | PL_GSO_DODGY)

extern void *bpf_cast_to_kern_ctx(void *obj) __ksym __weak;
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

/* Set before load: the helpers even where the quick way exists, so that one kernel tests both. */
const volatile __u8 pl_force_helpers = 0;

/* Whether the quick way is to be taken. Settled at load: the verifier never sees a branch that a kernel
 * cannot run. */
#define PL_SEES_SKB() (!pl_force_helpers && bpf_cast_to_kern_ctx)

static __always_inline __u8 pl_ip_summed(struct __sk_buff *skb)
{
	struct sk_buff *kernel_skb = bpf_cast_to_kern_ctx(skb);

	return BPF_CORE_READ_BITFIELD(kernel_skb, ip_summed);
}

static __always_inline __u8 pl_ip_summed_by_helpers(const struct __sk_buff *skb)
{
	const struct sk_buff *kernel_skb = (const void *)skb;

	return BPF_CORE_READ_BITFIELD_PROBED(kernel_skb, ip_summed);
}

/* Where in the frame the packet's own checksum stands that may be left to others; 0: it has none. */
static __always_inline __u32 pl_check_offset(__u8 l4_proto)
{
	if (l4_proto == IPPROTO_TCP)
		return PL_L4_OFFSET + offsetof(struct tcphdr, check);
	if (l4_proto == IPPROTO_UDP)
		return PL_L4_OFFSET + offsetof(struct udphdr, check);
	return 0;
}

/* Whether a checksum that is left to others is the packet's own. (Not with `data - head` in place of
 * mac_header: a verifier takes no arithmetic with pointers there.) */
static __always_inline bool pl_checksum_is_own(struct __sk_buff *skb, __u32 check_offset)
{
	struct sk_buff *kernel_skb = bpf_cast_to_kern_ctx(skb);

	return check_offset && kernel_skb->csum_offset == check_offset - PL_L4_OFFSET &&
	       (__u16)(kernel_skb->csum_start - kernel_skb->mac_header) == PL_L4_OFFSET;
}

/* The same, copied by a helper. */
static __always_inline bool pl_checksum_is_own_by_helpers(struct __sk_buff *skb, __u32 check_offset)
{
	const struct sk_buff *kernel_skb = (const void *)skb;

	return check_offset && BPF_CORE_READ(kernel_skb, csum_offset) == check_offset - PL_L4_OFFSET &&
	       (__u16)(BPF_CORE_READ(kernel_skb, csum_start) - BPF_CORE_READ(kernel_skb, mac_header)) ==
		       PL_L4_OFFSET;
}

static __always_inline __u32 pl_gso_type(struct __sk_buff *skb)
{
	struct sk_buff *kernel_skb = bpf_cast_to_kern_ctx(skb);
	struct skb_shared_info *info = bpf_rdonly_cast(kernel_skb->head + kernel_skb->end,
						       bpf_core_type_id_kernel(struct skb_shared_info));

	return info->gso_type;
}

static __always_inline __u32 pl_gso_type_by_helpers(struct __sk_buff *skb)
{
	const struct sk_buff *kernel_skb = (const void *)skb;
	const struct skb_shared_info *info =
		(const void *)(BPF_CORE_READ(kernel_skb, head) + BPF_CORE_READ(kernel_skb, end));

	return BPF_CORE_READ(info, gso_type);
}

/* A datagram that will be cut into fragments, as kernels before 4.14 leave it to the device: behind this
 * program, where nobody sees them any more. So they must be such as can be put together again, and so few
 * that they fit into a tap's queue. It begins here like one whose fragments are seen. */
static __always_inline int pl_guard_cut(const struct __sk_buff *skb, struct pl_pkt *pkt, __u8 l4_proto,
					__u32 type)
{
	__u32 size = skb->gso_size;

	if (l4_proto != IPPROTO_UDP || type & ~PL_GSO_OF_CUT || size < PL_GSO_CUT_MIN || size % 8 ||
	    skb->len > PL_IP_OFFSET + PL_IP_SIZE_MAX)
		return PL_DROP_BAD_GSO;
	pkt->rare = PL_RARE_FIRST_FRAGMENT;
	return PL_CONTINUE;
}

/* The node pays for the work: segments must not be too small, nor too many, and as the protocol has them. */
static __always_inline int pl_guard_gso(struct __sk_buff *skb, struct pl_pkt *pkt, __u8 l4_proto)
{
	__u32 known = l4_proto == IPPROTO_TCP ? PL_GSO_OF_TCP : PL_GSO_OF_UDP;
	__u32 size = skb->gso_size, type;

	if (!size)
		return PL_CONTINUE;
	if (size < PL_GSO_SIZE_MIN || !pl_check_offset(l4_proto))
		return PL_DROP_BAD_GSO;
	/* (gso_segs is 0 in what comes from outside the kernel.) */
	if (skb->len > size * PL_GSO_SEGMENTS_MAX)
		return PL_DROP_BAD_GSO;
	type = PL_SEES_SKB() ? pl_gso_type(skb) : pl_gso_type_by_helpers(skb);
	if (pl_likely(!(type & ~known)))
		return PL_CONTINUE;
	return pl_guard_cut(skb, pkt, l4_proto, type);
}

/* Of every packet that may go on, whatever it is: l4_proto is 0 for ARP. */
static __always_inline int pl_guard_offload(struct __sk_buff *skb, struct pl_pkt *pkt, __u8 l4_proto)
{
	bool own;

	if (PL_SEES_SKB()) {
		pkt->summed = pl_ip_summed(skb);
		own = pkt->summed != PL_CHECKSUM_PARTIAL ||
		      pl_checksum_is_own(skb, pl_check_offset(l4_proto));
	} else {
		pkt->summed = PL_CHECKSUM_COMPLETE;
		own = pl_ip_summed_by_helpers(skb) != PL_CHECKSUM_PARTIAL ||
		      pl_checksum_is_own_by_helpers(skb, pl_check_offset(l4_proto));
	}
	if (!own)
		return PL_DROP_BAD_CHECKSUM_OFFLOAD;
	return pl_guard_gso(skb, pkt, l4_proto);
}
