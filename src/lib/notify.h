/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the service manager how the program is doing (systemd's protocol: datagrams to $NOTIFY_SOCKET).
 * Without one, nothing happens.
 */
#pragma once

#include "util.h"

/* Before anything else: takes the variable out of the environment, so that no child speaks for us. */
void notify_begin(void);

/* "READY=1\nSTATUS=…": lines of the protocol. */
void notify_send(const char *format, ...) _printf_(1, 2);
/* Settings are read again now; READY=1 follows. */
void notify_reloading(void);
