/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * When a flow is over; pure functions of rows, for the program and for user space.
 *
 * The opening direction's row decides for both. Only what the opener sends renews a flow, so a server alone
 * keeps no door open; but for datagrams, where it may be the server alone that speaks: its answers renew a
 * flow for as long as PL_IDLE_UDP_SILENT allows.
 */
#pragma once

#include <stdbool.h>

#include <linux/in.h>

#include "pl_tuple.h"

#ifndef __bpf__
#include <time.h>

/* Kernel ticks per second: the resolution of the coarse clock is one tick. */
static inline __u32 pl_kernel_hz(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_nsec <= 0)
		return 100;
	return (1000000000u + tick.tv_nsec / 2) / tick.tv_nsec;
}
#endif

/* NEW and CLOSING may end early, LIVE never does. */
enum { PL_CLASS_NEW, PL_CLASS_LIVE, PL_CLASS_CLOSING };

/* Of the state in the opening direction's row. */
static __always_inline __u32 pl_state_class(__u8 state, __u8 protocol)
{
	const __u8 fins = PL_STATE_FIN | PL_STATE_FIN_BACK;

	if (protocol != IPPROTO_TCP)
		return PL_CLASS_LIVE;
	if ((state & fins) == fins || state & (PL_STATE_RST | PL_STATE_RST_BACK))
		return PL_CLASS_CLOSING;
	return state & PL_STATE_ESTABLISHED ? PL_CLASS_LIVE : PL_CLASS_NEW;
}

/* The idle time that a flow of that class is allowed, in seconds. */
static __always_inline __u32 pl_class_idle_s(__u32 class, __u8 protocol, __u16 idle_s)
{
	if (class == PL_CLASS_NEW)
		return PL_IDLE_TCP_NEW;
	if (class == PL_CLASS_CLOSING)
		return PL_IDLE_TCP_CLOSING;
	if (protocol == IPPROTO_TCP)
		return idle_s ? idle_s : PL_IDLE_TCP_ESTABLISHED;
	if (protocol == IPPROTO_UDP)
		return idle_s ? idle_s : PL_IDLE_UDP;
	return PL_IDLE_ICMP;
}

/* By how much less it is where room is short. */
static __always_inline __u32 pl_class_early_s(__u32 class)
{
	if (class == PL_CLASS_NEW)
		return PL_IDLE_TCP_NEW - PL_EARLY_TCP_NEW;
	return class == PL_CLASS_CLOSING ? PL_IDLE_TCP_CLOSING - PL_EARLY_TCP_CLOSING : 0;
}

/* Whether the clock has come to `due`; both are jiffies, low 32 bits. */
static __always_inline bool pl_is_past(__u32 due, __u32 now)
{
	return (__s32)(now - due) >= 0;
}

/* When the flow of an opening row is over, in jiffies. */
static __always_inline __u32 pl_flow4_due(const struct pl_flow4 *flow, __u8 protocol, __u32 hz)
{
	return flow->seen +
	       pl_class_idle_s(pl_state_class(flow->state, protocol), protocol, flow->idle_s) * hz;
}

/* The same where answers came later than the opener's last packet, and may renew it. They do not where none
 * is expected any more: a question for a name and a probe are over with their own idle time, however long a
 * server goes on. */
static __always_inline __u32 pl_flow4_due_answered(const struct pl_flow4 *flow, __u32 answered, __u8 protocol,
						   __u32 hz)
{
	__u32 due = pl_flow4_due(flow, protocol, hz), latest = flow->seen + PL_IDLE_UDP_SILENT * hz;
	__u32 renewed = answered + (due - flow->seen);

	if (protocol != IPPROTO_UDP || !flow->slot || pl_is_past(latest, due) || pl_is_past(renewed, due))
		return due;
	return pl_is_past(latest, renewed) ? latest : renewed;
}
