/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces of earlier runs, in the state directory.
 */
#pragma once

#include "api/frame/nonces.h"

/* What was signed and carried out before this start is not carried out again. Opens <state_dir>/nonces and
 * <state_dir>/nonces.2, as root. Logs what fails. */
int daemon_nonces_open(const char *state_dir, struct nonces **ret);
