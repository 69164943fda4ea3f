/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How flows end: through their token, here and nowhere else. Whoever has made the token BUSY is the only one
 * that deletes the flow's rows, so no pair is torn, and counts are exact. What the rows have counted stays
 * with the ENI's tally.
 *
 * The opening row goes last: a token whose deletion has stopped half way (-EBUSY) still finds it, and goes on
 * with the next look. Before anything is deleted a row becomes DEAD, which no packet follows any more.
 */
#pragma once

#include "pl_log.h"
#include "pl_rest.h"

/* When a flow is over. Datagrams may have been answered since. */
static __always_inline __u32 pl_end_due(const struct pl_flow4 *flow, const struct pl_flow4_key *key,
					const struct pl_flow4_key *partner_key)
{
	__u8 protocol = pl_flow4_protocol(key);
	const struct pl_flow4 *back;

	if (protocol != IPPROTO_UDP)
		return pl_flow4_due(flow, protocol, pl_hz());
	back = pl_flow4_find(partner_key);
	return pl_flow4_due_answered(flow, back ? back->seen : flow->seen, protocol, pl_hz());
}

/* Deletes a row of the flow and keeps what it had counted; 0: it is gone. */
static __always_inline int pl_end_row(const struct pl_flow4_key *key, __u32 index)
{
	struct pl_flow4 *flow = pl_flow4_find(key);
	__u32 eni, what;
	__u64 packets, bytes;
	int r; /* not long: see pl_nat_try() */

	if (!flow || flow->token != index)
		return 0;
	(void)pl_flow_change_state(flow, key, 0, PL_STATE_DEAD);
	eni = pl_flow_tally_slot(key, flow);
	what = pl_flow_tally_what(key, flow);
	packets = flow->packets;
	bytes = flow->bytes;
	pl_rest_begin(key, flow, index, pl_hz());
	if (flow->proxy && !(what & PL_TALLY_OUT))
		bpf_map_delete_elem(&pl_proxied, key);
	r = bpf_map_delete_elem(&pl_flows4, key);
	if (r)
		return r == -ENOENT ? 0 : r;
	if (eni)
		pl_tally_add(eni, PL_TALLY_ENDED | what, packets, bytes);
	return 0;
}

/* Whether the flow of a token that is the caller's lives; then the token is the flow's again. If not, the
 * opening row is DEAD. */
static __always_inline bool pl_end_spares(struct pl_token *token, struct pl_flow4 *flow,
					  const struct pl_flow4_key *key,
					  const struct pl_flow4_key *partner_key, __u32 how)
{
	__u32 seen = *(volatile __u32 *)&flow->seen, class = pl_flow_class(flow, key);
	__u32 due = pl_end_due(flow, key, partner_key), now = bpf_jiffies64(), early = 0;

	if (how & PL_END_SHORT)
		early = pl_class_early_s(class) * pl_hz();
	if (!(flow->state & PL_STATE_DEAD)) {
		if (!pl_is_past(due - early, now))
			goto spare;
		if (!pl_flow_change_state(flow, key, 0, PL_STATE_DEAD))
			goto spare;
		/* a packet came between the two looks */
		if (*(volatile __u32 *)&flow->seen != seen) {
			(void)pl_flow_change_state(flow, key, PL_STATE_DEAD, 0);
			due += *(volatile __u32 *)&flow->seen - seen;
			goto spare;
		}
	}
	return false;
spare:
	if ((__s32)(now - token->opened) < 0) /* so long ago that the clock would soon say it was just now */
		token->opened = 0;
	pl_token_set(token, pl_word_make(pl_token_word(token), PL_PHASE_OPEN, class, due));
	return true;
}

/* Ends the flow of a token that the caller has made BUSY, unless it lives. 1: it is gone, and the token given
 * back. 0: the token is OPEN again. */
__attribute__((noinline)) int pl_token_end(__u32 index, __u32 how)
{
	struct pl_token *token = pl_token_find(index);
	struct pl_flow4_key key, partner_key; /* on the stack: see pl_flow_judge_again() */
	struct pl_flow4 *flow;
	bool is_begun;
	int r;

	if (!token)
		return 0;
	key = token->key;
	flow = pl_flow4_find(&key);
	if (flow && flow->token == index) {
		is_begun = flow->state & PL_STATE_DEAD;
		partner_key = pl_flow4_partner(&key, flow);
		if (how & PL_END_FORCED)
			(void)pl_flow_change_state(flow, &key, 0, PL_STATE_DEAD);
		else if (pl_end_spares(token, flow, &key, &partner_key, how))
			return 0;
		if (!is_begun && pl_log_is_on(pl_flow_eni(flow)))
			pl_log_ended(token, flow, pl_flow4_find(&partner_key), how);
		r = pl_end_row(&partner_key, index);
		if (!r)
			r = pl_end_row(&key, index);
		if (r) {
			pl_token_set(token, pl_word_make(pl_token_word(token), PL_PHASE_OPEN,
							 PL_CLASS_CLOSING, bpf_jiffies64()));
			return 0;
		}
	}
	pl_token_return(index);
	return 1;
}

/* Makes the token of an opening row the caller's; NULL: it is another flow's by now, or somebody else's. */
static __always_inline struct pl_token *pl_end_claim(const struct pl_flow4_key *opening, __u32 index)
{
	struct pl_token *token = pl_token_find(index);
	__u64 word;

	if (!token)
		return NULL;
	word = pl_token_word(token);
	if (!pl_token_claim(token, word))
		return NULL;
	if (pl_flow4_key_equal(&token->key, opening))
		return token;
	pl_token_set(token, word);
	return NULL;
}

/* Ends the flow of an entry, whatever its state, but for PL_END_OVER. 1: it is gone. 0: it lives, or somebody
 * else ends it in this instant. */
__attribute__((noinline)) int pl_flow_end(const struct pl_flow4_key *found, __u32 how)
{
	struct pl_flow4_key key; /* on the stack: see pl_flow_judge_again() */
	struct pl_flow4 *flow;
	struct pl_token *token;
	__u32 index;

	if (!found)
		return 0;
	key = *found;
	flow = pl_flow4_find(&key);
	if (!flow)
		return 0;
	index = flow->token;
	if (pl_flow_is_back(flow)) {
		key = pl_flow4_partner(&key, flow);
		flow = pl_flow4_find(&key);
		if (!flow || flow->token != index)
			return 0;
	}
	token = pl_end_claim(&key, index);
	if (!token)
		return 0;
	flow = pl_flow4_find(&key);
	if (how & PL_END_OVER && flow && pl_flow_class(flow, &key) != PL_CLASS_CLOSING &&
	    flow->state & PL_STATE_ANSWERED) {
		pl_token_set(token, pl_word_make(pl_token_word(token), PL_PHASE_OPEN, PL_CLASS_LIVE,
						 pl_flow4_due(flow, pl_flow4_protocol(&key), pl_hz())));
		return 0;
	}
	return pl_token_end(index, how | PL_END_FORCED);
}

/* Whether a packet begins anew with the tuple of a flow that is over: a SYN, for the tuple is used again; or
 * for the first one was not answered, and the backend may have gone since. Between instances it may come from
 * the other side, whose row does not tell: pl_flow_end() does. */
static __always_inline bool pl_flow_begins_anew(const struct pl_flow4 *flow, const struct pl_pkt *pkt)
{
	if (pkt->l4_proto != IPPROTO_TCP || !pl_tcp_opens(pkt->tcp_flags) || flow->kind == PL_FLOW_NAT_BACK)
		return false;
	return pl_flow_is_back(flow) || !(flow->state & PL_STATE_ANSWERED) ||
	       pl_flow_class(flow, &pkt->key) == PL_CLASS_CLOSING;
}

/* A flow that has not opened. */

/* What an insert's error means. */
static __always_inline int pl_insert_reason(int r)
{
	return r == -E2BIG ? PL_DROP_FLOW_TABLE_FULL : PL_DROP_FLOW_TABLE_BUSY;
}

/* Takes back the one row and the token of a flow that has not opened. A row that cannot be deleted now stays
 * the token's, until the next look. */
static __always_inline void pl_pair_undo(const struct pl_flow4_key *key, __u32 index)
{
	int r = bpf_map_delete_elem(&pl_flows4, key);

	if (!r || r == -ENOENT)
		pl_token_return(index);
	else
		pl_token_open(index, key, 0, PL_CLASS_CLOSING, bpf_jiffies64());
}
