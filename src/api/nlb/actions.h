/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NLB: the handlers, and what they share. Every change answers with the id of a job, which is done when the
 * nodes have the change in force.
 */
#pragma once

#include "../../schema/nlb.h"
#include "../frame/action.h"

NLB_ACTIONS(ACTION_PROTOTYPE)

/* Puts a job's row into the call's transaction and its id into the answer. */
void nlb_job(struct call *call);
/* Reads a name of 2 to 128 characters into a row, if the parameter is there; fails the call for a bad one. */
int nlb_read_name(struct call *call, const char *param, char ret[NAME_SIZE]);
