/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPC: the handlers, and what they share.
 */
#pragma once

#include "../../schema/vpc.h"
#include "../frame/action.h"

VPC_ACTIONS(ACTION_PROTOTYPE)

/* "VSwitchIds" of the VPC. */
void answer_vswitch_ids(const struct call *call, json_t *object, const char *vpc);

/* Names and descriptions of VPCs and vSwitches: 1 to `max` characters, not an address of the web. */
bool vpc_text_ok(const char *s, int max);
/* The name (parameter `param`) and the description into members of a row; fails the call for bad ones. */
int vpc_read_texts(struct call *call, const char *param, const char **name, const char **description);
