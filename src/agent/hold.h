/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose word the agent takes. What is in force on a node comes from one store. When privlinkd serves another
 * one (a disk that is not mounted, a wrong --state-dir, another installation's) or an older copy of it, the
 * node *holds*: what stands goes on, nothing is applied and nothing taken away, until the right store is back
 * or root on the node says that the new one is right.
 */
#pragma once

#include "../lib/loop.h"
#include "feed_list.h"
#include "node_state.h"

struct hold;

/* `state` is borrowed; it is changed, and written to the state directory. */
int hold_new(struct loop *loop, const char *state_dir, struct node_state *state, struct hold **ret);
/* Instances stand here, and it is not known of which store (nothing that was written down is left): the first
 * store that is heard has to know at least one of them. The array becomes the hold's. */
void hold_set_found(struct hold *hold, char (*instances)[ID_SIZE], size_t n);
/* Writes down what is not written yet. */
struct hold *hold_free(struct hold *hold);

/* privlinkd says that it serves this store ("": it does not say). 0: go on; 1: the node holds. */
int hold_hear_store(struct hold *hold, const char *store);
/* An answer with rows, and the pages that came before it, before they are applied. 0: take them; 1: the node
 * holds. A store that is heard for the first time is the node's from then on. */
int hold_judge(struct hold *hold, const struct feed_answer *answer, const struct feed_list *pages);
/* The rows stand at this revision of that timeline now. */
void hold_took(struct hold *hold, const char *timeline, uint64_t revision);
/* To be said with each question for rows: the timeline of what is in force here, and its revision. */
const char *hold_in_force(const struct hold *hold, uint64_t *ret_revision);

/* The rows stand just there, and it is known of which store: what has changed since is all that there is to
 * ask for, as the answer says whether the store has that history. */
bool hold_goes_on_from(const struct hold *hold, uint64_t revision);

/* What is wrong and what to do, in a sentence; NULL: the node does not hold. */
const char *hold_sentence(const struct hold *hold);
/* The operator's word: the store that is heard is the node's from now on. -EALREADY: the node does not hold.
 */
int hold_accept(struct hold *hold);
