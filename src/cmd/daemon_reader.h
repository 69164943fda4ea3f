/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second process that stays what privlinkd was started as, so that the settings and the certificate's key
 * can be read again when privlinkd itself no longer may. It takes one byte, which says "read", answers with
 * what the command line and the files that it names say now, and does nothing else; it ends with privlinkd.
 */
#pragma once

#include "daemon_tls.h"
#include "lib/loop.h"

struct daemon_reader;

/* Forks. Before there is a loop, a lock or a socket that the other process could keep open. */
int daemon_reader_start(int argc, char **argv, struct daemon_reader **ret);
struct daemon_reader *daemon_reader_free(struct daemon_reader *reader);

/* 0: what is to be taken over; `tls` without a certificate: none is configured. Negative errno: what is wrong
 * was logged. */
typedef void (*daemon_reader_done)(void *context, int result, enum log_level level,
				   const struct daemon_tls *tls);
int daemon_reader_listen(struct daemon_reader *reader, struct loop *loop, daemon_reader_done done,
			 void *context);
/* The answer comes through `done`; one for all that ask meanwhile. */
void daemon_reader_ask(struct daemon_reader *reader);
