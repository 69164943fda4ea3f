/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGHUP: reads the settings again and takes over the certificate with its key and the log level. Once a day
 * it looks when the certificate ends.
 */
#pragma once

#include "daemon_reader.h"

struct daemon_reload;

/* Owns the reader from then on, also if it fails. `https`: whether a certificate is shown to anybody. */
int daemon_reload_new(struct loop *loop, struct daemon_reader *reader, bool https,
		      struct daemon_reload **ret);
struct daemon_reload *daemon_reload_free(struct daemon_reload *reload);
