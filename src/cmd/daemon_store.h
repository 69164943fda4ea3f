/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlinkd's store as an operator sees it: the database in <state-dir>/store, which may be a disk of its
 * own, and beside it, outside of that disk, what was last known of it: whose store it is (store.id), up to
 * which revision it is durable (store.revision), and the administrator's key (admin.env). Where these do not
 * fit together, nothing is served and nothing written: what looks like a new store may be a disk that is not
 * mounted, and an older copy has lost what was acknowledged.
 */
#pragma once

#include "daemon_files.h"
#include "daemon_options.h"
#include "store/store.h"

/* Before anything is made. -EUCLEAN, after a sentence in the log: an operator has to say what is right. With
 * --new-store, sets aside what was known of the store before. */
int daemon_store_check(const struct daemon_options *options);

/* Opens or makes the store, as the user it belongs to, and its record. With --accept-store, what is there is
 * right from now on. -EUCLEAN as above; other errors may pass by themselves. */
int daemon_store_open(struct loop *loop, const struct daemon_options *options, const struct daemon_user *user,
		      struct store **ret);

/* Whether this start only carries out --new-store or --accept-store. */
bool daemon_store_only(const struct daemon_options *options);
