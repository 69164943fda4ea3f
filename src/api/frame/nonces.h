/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces that keys have spent, so that no signed request is carried out twice: not later, not after a
 * restart, not when the clock is set back.
 *
 * A nonce is remembered with the time that its request was stamped with, for as long as that time may still
 * be accepted and well beyond. What is forgotten is covered by one number, the floor: the latest stamp of all
 * that was forgotten. No request that is stamped at the floor or before it is accepted any more. The floor is
 * far behind the clock, unless the clock is set back by more than NONCE_KEEP_S, or what an earlier program
 * remembered is lost.
 *
 * What an account can make us remember is bounded for all its keys together, those of its users included.
 * One that has as many forgets those whose stamps are not accepted now, before their time. These are covered
 * by a floor of its own, so that it keeps no other account from calling after the clock was set back.
 *
 * With a journal (nonce_journal.h) a nonce is on file before its request is carried out. Where it cannot be
 * written, a request is refused that is stamped ahead of the clock; what is stamped by now is refused after
 * the next start. Where not even that can be written, each request is refused.
 */
#pragma once

#include "../../lib/util.h"

#define NONCE_LIFE_S	       (15 * 60) /* how old a stamp, or how far ahead, is accepted */
#define NONCE_KEEP_S	       (60 * 60)
#define NONCES_PER_ACCOUNT_MAX 200000 /* remembered at a time; more calls are throttled */

/* Nonces whose stamps are of one such period are forgotten together, once the last of them may be. */
#define NONCE_PERIOD_S (5 * 60)

struct nonces;
struct nonce_journal;

/* None is spent yet. -ENOMEM, or what random_bytes() says. */
int nonces_new(struct nonces **ret);
struct nonces *nonces_free(struct nonces *nonces);

/* Takes over the journal (also if it fails) and what it says. 0: all that was spent before is known. 1: not
 * so; the floor is `now` (unix seconds) then. With `fresh`, nothing can have been spent before. Negative
 * errno: the journal cannot be read, or there is no memory; nothing may be spent then. */
int nonces_load(struct nonces *nonces, struct nonce_journal *journal, bool fresh, int64_t now);

/* Whether what was stamped then may be accepted at all; if not, its nonce may have been forgotten. */
bool nonces_remember_since(const struct nonces *nonces, int64_t stamp);
/* Whether its nonce may have been lost with the machine's power all the same: that was started at `booted` by
 * the clock as it is now, which may have been set since the floor was taken from it. Not where nothing was
 * ever lost or forgotten. */
bool nonces_are_lost_of(const struct nonces *nonces, int64_t stamp, int64_t booted);
/* The nonce of a call of the account, signed with one of its keys. 0: it was new and is spent now. -EEXIST:
 * it was spent before. -ESTALE: it may have been; the account's nonces of that time are forgotten. -EDQUOT:
 * the account has spent as many as are allowed. -EAGAIN: it is stamped ahead of the clock and cannot be
 * written down now; it is not spent. -EIO: nor can any other, it is not spent. -ENOMEM. */
int nonces_spend(struct nonces *nonces, int64_t uid, const char *key_id, const char *nonce, int64_t stamp,
		 int64_t now);
/* What was spent outlives a loss of power, too. That matters for a call that changes something and is stamped
 * ahead of the clock: what is stamped before the next start is refused then. Waits for the disk. */
void nonces_sync(struct nonces *nonces);
/* Forgets what is older than NONCE_KEEP_S, of some accounts; the next call goes on behind them. True: there
 * are more. */
bool nonces_expire(struct nonces *nonces, int64_t now);
