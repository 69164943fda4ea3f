/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECS: the handlers, and what they share.
 */
#pragma once

#include "../../schema/ecs.h"
#include "../frame/action.h"

ECS_ACTIONS(ACTION_PROTOTYPE)

/* rule_check.c: a rule as a caller describes it: `object` is an entry of Permissions.N, or all parameters of
 * the older form, which has the same names. Everything but the id is filled in. Fails the call for a bad one.
 */
int rule_check(struct call *call, const json_t *object, const struct security_group *group,
	       enum sg_direction direction, struct sg_rule *ret);
/* Whether both let the same pass: all but id, description and time. */
bool rule_same(const struct sg_rule *a, const struct sg_rule *b);
