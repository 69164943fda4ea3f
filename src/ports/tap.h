/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persistent tap devices: what a virtual machine opens as its network card.
 */
#pragma once

#include "../lib/util.h"

/* Makes the device in the caller's namespace. The descriptor is the caller's; the device goes when it is
 * closed, unless tap_keep() was called. -EEXIST: a link of that name is there already. */
int tap_add(const char *name);
int tap_keep(int fd);
