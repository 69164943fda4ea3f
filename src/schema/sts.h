/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action of STS, and the handler that carries it out.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define STS_ACTIONS(X) \
	X(GetCallerIdentity, caller_identity_get, ACTION_REGIONLESS, NULL, caller_identity_answer, NULL)
/* clang-format on */
