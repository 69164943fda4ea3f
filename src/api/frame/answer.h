/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framework's side of answers: whether all members that a handler added have arrived.
 */
#pragma once

#include <jansson.h>

#include "../../lib/util.h"

/* False if a member could not be added anywhere inside for want of memory. */
bool answer_complete(const json_t *answer);
