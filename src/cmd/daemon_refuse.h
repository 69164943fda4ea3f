/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A privlinkd that does not serve until an operator has done something: one sentence in the log, and in a
 * file where the command line of this machine finds it when nobody answers.
 */
#pragma once

#include "lib/util.h"

#define REFUSED_NAME "privlinkd.refused"

/* Returns -EUCLEAN. */
int daemon_refuse(const char *run_dir, const char *format, ...) _printf_(2, 3);
/* At the next start. */
void daemon_refuse_forget(const char *run_dir);
