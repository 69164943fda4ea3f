/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The packet as the walk sees it, and the one door through which it leaves.
 *
 * Stages return PL_CONTINUE or a reason (pl_reasons.h). A stage that sends a packet writes where to into
 * struct pl_pkt and returns a PASS reason. pl_exit() counts the reason and turns it into a tc action; nothing
 * else does either.
 */
#pragma once

#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#include "pl_tally.h"

enum {			       /* pl_pkt.rare: what is no whole packet of a flow */
       PL_RARE_ICMP_ERROR = 1, /* about a packet of one */
       PL_RARE_FRAGMENT,       /* after the first */
       PL_RARE_FIRST_FRAGMENT, /* or what will be cut into fragments */
};

enum {			    /* pl_pkt.refused: it is dropped, and somebody is told (pl_answer.h) */
       PL_REFUSED_BACK = 1, /* its sender */
       PL_REFUSED_ON = 2,   /* the other end of its flow, which ends with that */
};

/* What the judges last said to a packet that would open a flow, or be answered as an echo (pl_memo.h). Kept
 * small: with pl_pkt it is in the first of all frames, which kernel 6.1 bounds together.
 */
struct pl_memory {
	__u16 answer;	  /* 1 + PL_CONTINUE, PL_ECHO or the reason to drop it; 0: nothing is known */
	__u16 judge;	  /* slot of the ENI that was asked */
	__u32 generation; /* at which that holds */
};

struct pl_pkt {
	/* IPv4 and L4, as it arrived; side OUT. (Aligned for what is written in one go.) */
	struct pl_flow4_key key __attribute__((aligned(8)));
	__u32 slot;		 /* of the port that sent it */
	__u32 vpc;		 /* of that port */
	__u32 out_ifindex;	 /* device of the receiver */
	struct pl_memory memory; /* if is_recalled */
	/* Where an ENI counts the packet if it is dropped: its slot, 0: none does, its listener, if that is
	 * known, and PL_TALLY_OUT where it comes from the service, to which pl_exit() adds the reason. */
	struct pl_tally_key tally;
	__u8 out_delivery; /* PL_PORT_VETH, PL_PORT_TAP */
	__u8 l4_proto;
	__u8 tcp_flags; /* PL_TCP_… */
	__u8 icmp_type;
	__be16 eth_proto;
	__u8 ttl;
	__u8 rare;	    /* PL_RARE_… */
	__be16 new_id;	    /* fragments: the translated identification */
	__u16 mtu;	    /* too_big: what the receiver can take */
	__u8 refused;	    /* PL_REFUSED_… */
	__u8 why;	    /* the reason of that, where its flow ends with it */
	__u8 opens;	    /* it asks for a flow of its ENI */
	__u8 is_translated; /* it leaves by a flow that is not one between instances */
	__u8 is_local;	    /* it asks for a flow between instances */
	__u8 is_recalled;   /* pl_open_recall() was asked */
	__u8 summed; /* skb->ip_summed as it arrived; PL_CHECKSUM_COMPLETE, too, where only helpers see it */
};

static __always_inline void pl_count(const struct __sk_buff *skb, __u32 reason)
{
	struct pl_count *count = bpf_map_lookup_elem(&pl_reasons, &reason);

	if (!count)
		return;
	count->packets++;
	count->bytes += skb->len;
}

/* Towards an instance. A veth's receiver gets the packet in this very run. A tap's goes out through the
 * device, whose guard lets pass what carries the mark and came in by the sender's own. The frame must be
 * PACKET_HOST: a broadcast one is not, and the receiver's stack would drop the answer to it. */
static __always_inline int pl_send(struct __sk_buff *skb, const struct pl_pkt *pkt)
{
	if (skb->pkt_type != PACKET_HOST)
		(void)bpf_skb_change_type(skb, PACKET_HOST);
	if (pkt->out_delivery == PL_PORT_VETH)
		return bpf_redirect_peer(pkt->out_ifindex, 0);
	skb->mark = PL_MARK_OURS ^ pkt->slot;
	return bpf_redirect(pkt->out_ifindex, 0);
}

/* Bitmap: who has asked to hear of packets (pl_trace.h). The agent's; with nobody it costs this one look. */
__u32 pl_trace_on;

int pl_trace_packet(const struct pl_pkt *pkt, int reason, __u32 bytes);
int pl_log_refused(const struct pl_pkt *pkt, int reason, __u32 bytes);

static __always_inline int pl_exit(struct __sk_buff *skb, struct pl_pkt *pkt, int reason)
{
	pl_count(skb, reason);
	if (pl_trace_on)
		pl_trace_packet(pkt, reason, skb->len);
	if (!PL_REASON_IS_DROP(reason))
		return pl_send(skb, pkt);
	if (pkt->tally.slot) {
		pl_tally_add(pkt->tally.slot, pkt->tally.what | reason, 1, skb->len);
		if (pkt->opens && pl_log_is_on(pkt->tally.slot & PL_TALLY_SLOT))
			pl_log_refused(pkt, reason, skb->len);
	}
	return TC_ACT_SHOT;
}
