/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flow log of endpoints: a record for each flow that ends and for each attempt that is refused, where the
 * ENI's log is on. A packet of an open flow never comes here. An ENI gets a number of records a second, so
 * that none fills the buffer with its own; what is left out is counted by the ENI, and nothing waits.
 *
 * The agent looks every moment as long as a log is on: no record wakes it.
 */
#pragma once

#include "pl_abi_log.h"
#include "pl_flow.h"
#include "pl_limit.h"

#define PL_LOG_COST_NS(per_s) (1000000000ull / (per_s))

/* Room for a record of the ENI; NULL: there is none, or it has had too many, which is counted. */
static __always_inline struct pl_log_record *pl_log_reserve(__u32 eni, __u32 what)
{
	struct pl_logged *logged = bpf_map_lookup_elem(&pl_logged, &eni);
	struct pl_log_record *record = NULL;
	bool may;

	if (!logged)
		return NULL;
	may = what == PL_LOG_ENDED
		      ? pl_bucket_take(&logged->ended_at, PL_LOG_COST_NS(PL_LOG_ENDED_PER_S),
				       PL_LOG_COST_NS(PL_LOG_ENDED_PER_S) * PL_LOG_ENDED_BURST, true)
		      : pl_bucket_take(&logged->refused_at, PL_LOG_COST_NS(PL_LOG_REFUSED_PER_S),
				       PL_LOG_COST_NS(PL_LOG_REFUSED_PER_S) * PL_LOG_REFUSED_BURST, true);
	if (may)
		record = bpf_ringbuf_reserve(&pl_flow_log, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&logged->lost, 1);
		return NULL;
	}
	record->time = bpf_ktime_get_ns();
	record->eni = eni;
	record->what = what;
	record->pad[0] = record->pad[1] = record->pad[2] = 0;
	record->pad2 = 0;
	return record;
}

/* A flow ends; `back` is NULL where that row is missing. What there is comes as pointers: little is left of
 * the stack here. `how` is PL_END_…. */
__attribute__((noinline)) int pl_log_ended(const struct pl_token *token, const struct pl_flow4 *flow,
					   const struct pl_flow4 *back, __u32 how)
{
	struct pl_log_record *record;

	if (!token || !flow)
		return 0;
	record = pl_log_reserve(flow->slot, PL_LOG_ENDED);
	if (!record)
		return 0;
	record->key = token->key;
	record->saddr = flow->saddr;
	record->daddr = flow->daddr;
	record->sport = flow->sport;
	record->dport = flow->dport;
	record->server = flow->peer;
	record->opened = token->opened;
	record->seen = flow->seen;
	record->packets[0] = flow->packets;
	record->bytes[0] = flow->bytes;
	record->reason = how >> PL_END_WHY;
	record->how = how & (PL_LOG_FORCED | PL_LOG_ASKED);
	record->state = flow->state & ~PL_STATE_DEAD;
	if (back && back->token == flow->token) {
		record->client = back->peer;
		if ((__s32)(back->seen - record->seen) > 0)
			record->seen = back->seen;
		record->packets[1] = back->packets;
		record->bytes[1] = back->bytes;
	} else {
		record->client = PL_SLOT_NONE;
		record->packets[1] = record->bytes[1] = 0;
		record->how |= PL_LOG_NO_BACK;
	}
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/* An attempt to open a flow of an ENI is refused. What has to come again is not. */
__attribute__((noinline)) int pl_log_refused(const struct pl_pkt *pkt, int reason, __u32 bytes)
{
	struct pl_log_record *record;

	if (!pkt || reason == PL_DROP_FLOW_TABLE_BUSY)
		return 0;
	record = pl_log_reserve(pkt->tally.slot & PL_TALLY_SLOT, PL_LOG_REFUSED);
	if (!record)
		return 0;
	record->key = pkt->key;
	record->saddr = record->daddr = 0;
	record->sport = record->dport = 0;
	record->client = pkt->slot;
	record->server = PL_SLOT_NONE;
	record->opened = record->seen = bpf_jiffies64();
	record->packets[0] = 1;
	record->bytes[0] = bytes;
	record->packets[1] = record->bytes[1] = 0;
	record->reason = reason;
	record->how = record->state = 0;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}
