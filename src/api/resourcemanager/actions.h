/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ResourceManager: the handlers.
 */
#pragma once

#include "../../schema/resourcemanager.h"
#include "../frame/action.h"

RESOURCEMANAGER_ACTIONS(ACTION_PROTOTYPE)
