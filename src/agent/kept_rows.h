/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows that are in force, kept beside the pins in <run-dir>/node.rows, so that an agent that starts while
 * privlinkd cannot knows the names and the backends at once. As they were heard: a header that says whose
 * they are, then the answers, the first of which has all rows. An answer is kept before it is applied, so
 * that what is kept is never behind what is in force; what is damaged, of another store or of before the last
 * boot counts for nothing.
 */
#pragma once

#include "feed_list.h"

#define KEPT_ROWS_MAX (64u * 1024 * 1024) /* bytes of the file; with more rows than that none are kept */

/* Not so soon after all rows came are all wanted again, however much changes, as long as that fits; nor so
 * soon after they could not be written. */
#define KEPT_ROWS_ALL_EVERY_S 60
/* Each time that they cannot be written again, within twice the pause, it is twice as long, up to this. */
#define KEPT_ROWS_PAUSE_MAX_S 3600

struct kept_rows;

/* Whose rows are kept. -ENOENT: nobody's. */
int kept_rows_owner(const char *run_dir, char ret_node[PORT_NODE_NAME_MAX + 1],
		    char ret_store[NODE_STORE_SIZE]);

/* Nothing is opened yet. -ENOMEM, -ENAMETOOLONG. Freeing keeps the file. */
int kept_rows_new(const char *run_dir, const char *node, struct kept_rows **ret);
struct kept_rows *kept_rows_free(struct kept_rows *kept);

/* Fills the empty snapshot with rows of this store, at `revision` or later. -ENOENT: there are none; -ESTALE:
 * they are others'; -EUCLEAN: they are damaged. `ret_timeline`: of their revision. */
int kept_rows_load(struct kept_rows *kept, const char *store, uint64_t revision, struct snapshot *snapshot,
		   char ret_timeline[NODE_TIMELINE_SIZE]);
/* Keeps an answer that is about to be applied, and the pages that are with it: all or nothing of them,
 * whenever the process ends; `body` is what the answer was parsed from. Logs when it cannot, once for each
 * reason as long as it goes on: then nothing is kept until all rows come again. Nor is anything, from the
 * changes on that make the file too long: all rows are wanted then. */
void kept_rows_add(struct kept_rows *kept, const struct feed_list *pages, const struct feed_answer *answer,
		   const char *body, size_t size);
/* The changes have become longer than the rows, or do not fit any more: an answer with all rows would make
 * the file short again. While they fit not within KEPT_ROWS_ALL_EVERY_S of the last such answer. Or the file
 * could not be written, so long or, if that goes on, up to KEPT_ROWS_PAUSE_MAX_S ago, and there might be one
 * again. */
bool kept_rows_want_all(const struct kept_rows *kept);
/* Which process of privlinkd told the last answer of those that were loaded; "": unknown. */
const char *kept_rows_run(const struct kept_rows *kept);
/* Nothing is kept from now on, until all rows come again. */
void kept_rows_forget(struct kept_rows *kept);
