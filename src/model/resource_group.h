/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An account's default resource group. It is there from the start and has no row; its id follows from the
 * account's number. In rows the empty text stands for it.
 */
#pragma once

#include "rows.h"

#define RESOURCE_GROUP_PREFIX "rg-"

/* "rg-acct" and the account's number; "" for the system, which has no groups. */
void resource_group_default(int64_t uid, char ret[ID_SIZE]);
/* The id of the group that a row of the account's has there. */
void resource_group_id(int64_t uid, const char *group, char ret[ID_SIZE]);
