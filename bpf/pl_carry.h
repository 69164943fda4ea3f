/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows that a program with rows of another size has opened. Such a program's table cannot be this one's; it
 * stands beside until the agent's sweep has emptied it, and a packet that finds nothing in pl_flows4 asks
 * there. What it finds is moved, both directions under one token. Where there is no such table, which is
 * nearly always, a packet of no flow pays one lookup in an array for it, and a packet of an open flow
 * nothing.
 *
 * The rows of both begin alike (pl_abi_flow.h): what both have is taken, and the rest is zero. The table is
 * written by nobody any more, so nothing in it is given out again while it is read; the tag is asked all the
 * same, for those few packets that were in the other program when it was switched. Such a packet looks for
 * its flow in the old table alone. So as long as there may be one, what is moved is left there, too: the
 * agent says when no more are on their way (PL_OLD_EMPTY), and has the sweep delete it. (A flow that ends
 * before the sweep has come to it comes back, and ends again by its idle time.)
 */
#pragma once

#include "pl_end.h"

/* Bytes of a row of the old table; set before load. */
const volatile __u32 pl_old_row_size = sizeof(struct pl_flow4);

/* The old table; NULL: there is none. */
static __always_inline void *pl_old_flows(void)
{
	__u32 slot = PL_OLD_READ;

	return bpf_map_lookup_elem(&pl_flows4_old, &slot);
}

/* A row of the old table in today's layout. */
static __always_inline bool pl_old_read(void *old, const struct pl_flow4_key *key, struct pl_flow4 *ret)
{
	const __u64 *from = bpf_map_lookup_elem(old, key);
	__u64 *to = (__u64 *)ret;

	if (!from)
		return false;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < sizeof(*ret) / sizeof(*to); i++)
		to[i] = (i + 1) * sizeof(*to) <= pl_old_row_size ? from[i] : 0;
	return ret->tag == pl_flow_tag(key);
}

/* Whether the key's row still stands in the old table: then a translated source is taken. To be asked before
 * an insert into pl_flows4, since a flow that is moved stands in both for a moment. */
static __always_inline bool pl_old_has(const struct pl_flow4_key *key)
{
	void *old = pl_old_flows();

	return old && bpf_map_lookup_elem(old, key);
}

/* The states of both rows, as today's programs write them. Those of before have a state for each direction:
 * what it carried, be it a FIN, or something that has no SYN. */
static __always_inline void pl_old_translate(struct pl_flow4 *flow, struct pl_flow4 *back)
{
	bool is_closing = flow->state & PL_STATE_OLD_CLOSING,
	     is_back_closing = back->state & PL_STATE_OLD_CLOSING;

	if (flow->token)
		return;
	if (!is_closing && !is_back_closing && flow->state != PL_STATE_ESTABLISHED &&
	    back->state != PL_STATE_ESTABLISHED)
		return;
	flow->state = (is_closing || is_back_closing || flow->state ? PL_STATE_ESTABLISHED : 0) |
		      PL_STATE_ANSWERED | (is_closing ? PL_STATE_FIN : 0) |
		      (is_back_closing ? PL_STATE_FIN_BACK : 0);
	back->state = PL_STATE_ANSWERED | (is_back_closing ? PL_STATE_FIN_BACK : 0);
}

/* Whether the row that is in pl_flows4 under the partner's key is the partner of this key. It is another
 * flow's where both programs gave out one translated source in the instant of the switch. */
static __always_inline bool pl_partner_fits(const struct pl_flow4_key *partner_key,
					    const struct pl_flow4_key *key)
{
	const struct pl_flow4 *found = pl_flow4_find(partner_key);
	struct pl_flow4_key back;

	if (!found)
		return true;
	back = pl_flow4_partner(partner_key, found);
	return pl_flow4_key_equal(&back, key);
}

/* A token for a flow that is open, whatever share its owner has. */
static __always_inline int pl_carry_token(const struct pl_flow4 *flow, const struct pl_flow4 *back)
{
	if (flow->slot == PL_SLOT_SERVICE) /* of a probe the server, of a question who has asked it */
		return pl_token_take(back->peer == PL_SLOT_SERVICE ? flow->peer : back->peer,
				     PL_TAKE_FREE | PL_TAKE_SERVICE);
	if (pl_flow_is_local(flow)) /* who has opened it */
		return pl_token_take(back->peer, PL_TAKE_FREE);
	return pl_token_take(flow->slot, PL_TAKE_FREE);
}

static __always_inline void pl_carry_forget(const struct pl_flow4_key *key,
					    const struct pl_flow4_key *back_key)
{
	__u32 slot = PL_OLD_EMPTY;
	void *old = bpf_map_lookup_elem(&pl_flows4_old, &slot);

	if (!old)
		return;
	bpf_map_delete_elem(old, back_key);
	bpf_map_delete_elem(old, key);
}

/* Moves the flow of an entry from the old table: a token, both rows, and then they go there. The answers' row
 * is the first, whoever moves it, so of two that do so at once one comes too late, and looks again. 1: the
 * entry may be there now; 0: there is nothing to move; else the reason why it cannot be moved now. */
__attribute__((noinline)) int pl_flow_carry(const struct pl_flow4_key *wanted)
{
	struct pl_flow4_key key, back_key; /* on the stack: see pl_flow_judge_again() */
	void *old = pl_old_flows();
	struct pl_flow4 flow, back;
	int r, index; /* not long: see pl_nat_try() */

	if (!old || !wanted)
		return 0;
	key = *wanted;
	if (!pl_old_read(old, &key, &flow)) /* another one may have moved it since the caller looked */
		return pl_flow4_find(&key) ? 1 : 0;
	if (pl_flow_is_back(&flow)) {
		key = pl_flow4_partner(&key, &flow);
		if (!pl_old_read(old, &key, &flow))
			return 1;
	}
	back_key = pl_flow4_partner(&key, &flow);
	if (!pl_old_read(old, &back_key, &back))
		return 1;
	if ((flow.state | back.state) & PL_STATE_DEAD || !pl_partner_fits(&back_key, &key)) {
		pl_carry_forget(&key, &back_key);
		return 0;
	}
	index = pl_carry_token(&flow, &back);
	if (index <= 0)
		return -index;
	pl_old_translate(&flow, &back);
	flow.token = back.token = index;
	r = bpf_map_update_elem(&pl_flows4, &back_key, &back, BPF_NOEXIST);
	if (r) {
		pl_token_return(index);
		if (r != -EEXIST)
			return pl_insert_reason(r);
		if (pl_flow4_find(&key)) /* it has moved, or another one has been opened in its place */
			pl_carry_forget(&key, &back_key);
		return 1;
	}
	r = bpf_map_update_elem(&pl_flows4, &key, &flow, BPF_NOEXIST);
	if (r) {
		pl_pair_undo(&back_key, index);
		if (r != -EEXIST)
			return pl_insert_reason(r);
	} else {
		pl_flow_own(index, &key, &flow, 0);
	}
	pl_carry_forget(&key, &back_key);
	return 1;
}

/* The entry of a key, which was found (or NULL), here or where a program before has left it. A row that is
 * DEAD, or whose flow moves in this instant, is no reason to end a connection: *ret_reason is why the packet
 * has to come again. */
static __always_inline struct pl_flow4 *pl_flow_found(const struct pl_flow4_key *key, struct pl_flow4 *flow,
						      int *ret_reason)
{
	*ret_reason = PL_CONTINUE;
	if (!flow) {
		int r = pl_old_flows() ? pl_flow_carry(key) : 0; /* (a call costs more than the look) */

		if (!r)
			return NULL;
		flow = pl_flow4_find(key);
		*ret_reason = r == 1 ? PL_DROP_FLOW_TABLE_BUSY : r;
		if (!flow)
			return NULL;
		*ret_reason = PL_CONTINUE;
	}
	if (!(flow->state & PL_STATE_DEAD))
		return flow;
	*ret_reason = PL_DROP_FLOW_TABLE_BUSY;
	return NULL;
}

/* The same, looked for. */
static __always_inline struct pl_flow4 *pl_flow_look(const struct pl_flow4_key *key, int *ret_reason)
{
	return pl_flow_found(key, pl_flow4_find(key), ret_reason);
}
