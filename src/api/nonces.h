/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces that keys have spent, so that no signed request is carried out twice. A nonce is remembered for
 * at least NONCE_LIFE_S; with timestamps checked to 15 minutes either way, and some minutes for clocks that
 * are set back, none that is forgotten can come again.
 */
#pragma once

#include "../lib/util.h"

#define NONCE_LIFE_S	   (35 * 60)
#define NONCES_PER_KEY_MAX 200000 /* within one life; more calls are throttled */

struct nonces;

int nonces_new(struct nonces **ret);
struct nonces *nonces_free(struct nonces *nonces);

/* 0: it was new and is spent now. -EEXIST: it was spent before. -EDQUOT: the key has spent as many as are
 * allowed. -ENOMEM. `now` in seconds, never falling. */
int nonces_spend(struct nonces *nonces, const char *key_id, const char *nonce, int64_t now);
/* Forgets keys that have spent none for a life. */
void nonces_expire(struct nonces *nonces, int64_t now);
