/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlinkd's store as an operator sees it: the database in <state-dir>/store, and beside it, outside of what
 * may be a disk of its own, whose store it is (store.id).
 */
#pragma once

#include "daemon_files.h"
#include "store/store.h"

/* Opens or makes the store, as the user it belongs to. Logs what fails. */
int daemon_store_open(struct loop *loop, const char *state_dir, const struct daemon_user *user,
		      struct store **ret);
