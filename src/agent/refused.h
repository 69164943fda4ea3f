/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts whose servers' health could not be planned in slices when that was tried: it waits for a plan of
 * the whole, and is not tried before, so that whose servers are ill and well all the time keep nobody else
 * waiting. Which of several accounts it was does not come out; then each is tried by itself from there on.
 */
#pragma once

#include "../lib/util.h"

#define REFUSED_MAX 64 /* accounts; then nobody's are tried */

struct refused_account {
	int64_t account;
	bool is_alone; /* it was refused by itself */
	bool again;    /* and there is more of it since it began to be calm */
};

/* All zero: none. */
struct refused {
	struct refused_account accounts[REFUSED_MAX];
	size_t n;
	bool one_by_one; /* no two accounts are tried together */
};

/* Those of these accounts that are not known yet, each of which may stand there several times. */
void refused_add(struct refused *refused, const int64_t *accounts, size_t n);
/* Whether the account's are to wait; notes that there is more of them. */
bool refused_has(struct refused *refused, int64_t account);
/* A plan of the whole has had all of it, when it had been calm: whose servers were so, too, are tried again,
 * and so is whoever was refused with others. */
void refused_settle(struct refused *refused);
/* It has been calm since: where nobody waits any more, accounts are tried together again. */
void refused_end_calm(struct refused *refused);
