/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlinkd --check.
 */
#pragma once

#include "daemon_options.h"

/* Looks at all that a start would read, and touches nothing. `options_result` is daemon_options_read()'s.
 * Each fault is logged; "OK" is printed if there is none. The program's exit status. */
int daemon_check(const struct daemon_options *options, int options_result);
