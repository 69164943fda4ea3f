/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * When a flow is over, for the agent's sweep; pure functions of rows, and no BPF.
 *
 * The sweep dumps pl_flows4 in batches. A flow ends when *both* of its entries are idle for longer than their
 * state allows: deleting one of them early would free a translated source port that the other still uses. So
 * for each expired entry it looks up the entry *again* and its partner, and deletes the two only if both are
 * expired, or the partner is missing, or is another flow's (its own partner is not this entry; then only this
 * entry goes).
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include <linux/in.h>

#include "pl_tuple.h"

/* Kernel ticks per second: the resolution of the coarse clock is one tick. */
static inline __u32 pl_kernel_hz(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_nsec <= 0)
		return 100;
	return (1000000000u + tick.tv_nsec / 2) / tick.tv_nsec;
}

/* The idle time that an entry is allowed, in seconds. */
static inline __u32 pl_flow4_idle_s(const struct pl_flow4 *flow, __u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		if (flow->state == PL_STATE_NEW)
			return PL_IDLE_TCP_NEW;
		if (flow->state == PL_STATE_CLOSING)
			return PL_IDLE_TCP_CLOSING;
		return flow->idle_s ? flow->idle_s : PL_IDLE_TCP_ESTABLISHED;
	case IPPROTO_UDP:
		return flow->idle_s ? flow->idle_s : PL_IDLE_UDP;
	default:
		return PL_IDLE_ICMP;
	}
}

/* now: what pl_now returned before the table was dumped. An entry that was used since is from the future, and
 * alive. */
static inline bool pl_flow4_expired(const struct pl_flow4 *flow, __u8 protocol, __u32 now, __u32 hz)
{
	__u32 idle = now - flow->seen;

	if (idle > 0x7fffffff)
		return false;
	return idle / hz >= pl_flow4_idle_s(flow, protocol);
}
