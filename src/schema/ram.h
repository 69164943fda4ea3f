/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of RAM, and the handlers that carry them out. Users are of no region.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define RAM_ACTIONS(X) \
	X(CreateAccessKey, ram_key_create, ACTION_CHANGES | ACTION_REGIONLESS, ram_key_create_params, ram_key_create_answer, NULL) \
	X(CreateUser, ram_user_create, ACTION_CHANGES | ACTION_REGIONLESS, ram_user_create_params, ram_user_one_answer, NULL) \
	X(DeleteAccessKey, ram_key_delete, ACTION_CHANGES | ACTION_REGIONLESS, ram_key_delete_params, NULL, NULL) \
	X(DeleteUser, ram_user_delete, ACTION_CHANGES | ACTION_REGIONLESS, ram_user_name_params, NULL, NULL) \
	X(GetUser, ram_user_get, ACTION_REGIONLESS, ram_user_get_params, ram_user_one_answer, NULL) \
	X(ListAccessKeys, ram_key_list, ACTION_REGIONLESS, ram_key_list_params, ram_key_list_answer, NULL) \
	X(ListUsers, ram_user_list, ACTION_REGIONLESS, ram_user_list_params, ram_user_list_answer, NULL) \
	X(UpdateAccessKey, ram_key_update, ACTION_CHANGES | ACTION_REGIONLESS, ram_key_update_params, NULL, NULL)
/* clang-format on */
