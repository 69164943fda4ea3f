/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of the store's last durable revision (store/record.h): <state-dir>/store.revision, which lasts,
 * and <run-dir>/store.revision, which lasts until the machine starts anew, and tells that the whole state
 * directory was replaced by an older copy.
 */
#pragma once

#include "store/record.h"

#define DAEMON_RECORD_NAME "store.revision"

struct daemon_records {
	struct record *lasting, *passing;
	const char *state_dir, *run_dir; /* where they are: the caller's */
};

/* Logs what fails. */
int daemon_records_open(const char *state_dir, const char *run_dir, struct daemon_records *ret);
void daemon_records_done(struct daemon_records *records);
/* The store that they are of; "": nothing of any can be read. */
void daemon_records_identity(const struct daemon_records *records, char ret[STORE_IDENTITY_SIZE]);
/* The highest that is recorded of this store; 0: nothing is. */
uint64_t daemon_records_revision(const struct daemon_records *records, const struct store *store);
/* Records the store's revision, also where that is recorded already, so that a disk which takes nothing is
 * found before anyone relies on it; and hands both over to the store. Logs what fails. */
int daemon_records_keep(struct daemon_records *records, struct store *store);
