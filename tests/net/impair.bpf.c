/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A bad network, for impair.sh: IPv4 packets that pass a device are lost, come twice, or come late. Not every
 * kernel has netem; this one is three tc programs and a pair of veths.
 *
 * A packet that is late goes out by one end of the pair and comes in by the other a few times, each time
 * behind all that has queued up there meanwhile, and then takes the way that it would have taken. What has
 * been through this says so by its mark, and is left alone.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PAIR_OUT 901 /* the pair's first end, as the script makes it: for what leaves by the device */
#define PAIR_IN	 903 /* and for what comes in */

/* of 1,000 packets */
#define LOST	20
#define DOUBLED 20
#define LATE	100
#define TURNS	8 /* at most */

#define MARK	   0x5a000000u /* in the highest byte; then the device, and how many turns are left */
#define MARK_MASK  0xff000000u
#define MARK_TURNS 0xffu

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline bool chance(__u32 of_1000)
{
	return bpf_get_prandom_u32() % 1000 < of_1000;
}

static __always_inline int impair(struct __sk_buff *skb, __u32 pair, __u64 direction)
{
	if ((skb->mark & MARK_MASK) == MARK) {
		skb->mark = 0;
		return TC_ACT_OK;
	}
	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	/* Silently: with TC_ACT_SHOT the sender's kernel hears of it, and forgets an open request. */
	if (chance(LOST))
		return TC_ACT_STOLEN;
	if (chance(DOUBLED)) {
		skb->mark = MARK;
		bpf_clone_redirect(skb, skb->ifindex, direction);
		skb->mark = 0;
	}
	if (!chance(LATE))
		return TC_ACT_OK;
	skb->mark = MARK | (skb->ifindex & 0xffff) << 8 | bpf_get_prandom_u32() % TURNS;
	return bpf_redirect(pair, 0);
}

static __always_inline int turn(struct __sk_buff *skb, __u32 pair, __u64 direction)
{
	__u32 mark = skb->mark;

	if ((mark & MARK_MASK) != MARK)
		return TC_ACT_SHOT;
	if (!(mark & MARK_TURNS))
		return bpf_redirect(mark >> 8 & 0xffff, direction);
	skb->mark = mark - 1;
	return bpf_redirect(pair, 0);
}

SEC("classifier/out")
int impair_out(struct __sk_buff *skb)
{
	return impair(skb, PAIR_OUT, 0);
}

SEC("classifier/in")
int impair_in(struct __sk_buff *skb)
{
	return impair(skb, PAIR_IN, BPF_F_INGRESS);
}

/* At the pair's other end. */
SEC("classifier/turn_out")
int turn_out(struct __sk_buff *skb)
{
	return turn(skb, PAIR_OUT, 0);
}

SEC("classifier/turn_in")
int turn_in(struct __sk_buff *skb)
{
	return turn(skb, PAIR_IN, BPF_F_INGRESS);
}
