/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a node could not put an object into force, for those who may not know of everything that it stands on.
 */
#pragma once

#include "snapshot.h"

/* Stands for a reason that is not for the one who asks. */
#define REASON_OF_OTHERS "a node cannot put what is behind it into force"

/* A node's words, unless they name an object that is not of the account `viewer`; an id that is not known
 * counts as another's. The answer is `reason` itself or constant. */
const char *reason_for(const struct snapshot *rows, int64_t viewer, const char *reason);
