/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of another network namespace: a socket stays in the namespace in which it was opened, whoever uses
 * it.
 */
#pragma once

#include "util.h"

/* socket() in the namespace that netns_fd stands for; netns_fd negative: in the caller's own. The caller is
 * back in its own when this returns. The descriptor (non-blocking, close-on-exec) is the caller's; or a
 * negative errno. */
int netns_socket(int netns_fd, int domain, int type);
