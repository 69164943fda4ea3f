/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STS: the handler.
 */
#pragma once

#include "../../schema/sts.h"
#include "../frame/action.h"

STS_ACTIONS(ACTION_PROTOTYPE)
