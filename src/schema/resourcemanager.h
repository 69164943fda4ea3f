/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of ResourceManager, and the handlers that carry them out. Groups are of no region.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define RESOURCEMANAGER_ACTIONS(X) \
	X(CreateResourceGroup, resource_group_create, ACTION_CHANGES | ACTION_REGIONLESS, resource_group_create_params, resource_group_get_answer, NULL) \
	X(DeleteResourceGroup, resource_group_delete, ACTION_CHANGES | ACTION_REGIONLESS, resource_group_id_params, NULL, NULL) \
	X(GetResourceGroup, resource_group_get, ACTION_REGIONLESS, resource_group_get_params, resource_group_get_answer, NULL) \
	X(ListResourceGroups, resource_group_list, ACTION_REGIONLESS, resource_group_list_params, resource_group_list_answer, &pages)
/* clang-format on */
