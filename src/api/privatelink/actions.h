/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrivateLink: the handlers, and the words and numbers that they share.
 */
#pragma once

#include "../../schema/privatelink.h"
#include "../frame/action.h"

PRIVATELINK_ACTIONS(ACTION_PROTOTYPE)

#define PRIVATE_LINK_DOMAIN "privatelink.aliyuncs.com"
#define BANDWIDTH_DEFAULT   3072 /* Mbit/s */
