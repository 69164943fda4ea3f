/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/socket.h>

#include "util.h"

/* Binds a socket to an address of IP and listens there. 1: no device has that address yet, and connections
 * come when one gets it: at boot a daemon may be there before an address is. */
int listen_at(int fd, const struct sockaddr *address, socklen_t size, int backlog);
