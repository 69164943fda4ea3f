/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NLB: the handlers, and what they share. Every change answers with the id of a job, which is done when the
 * nodes that it concerns have the change in force.
 */
#pragma once

#include "../../model/state.h"
#include "../../schema/nlb.h"
#include "../frame/action.h"

NLB_ACTIONS(ACTION_PROTOTYPE)

/* Puts a job's row into the call's transaction and its id into the answer. `subject`: the id of what changes.
 */
void nlb_job(struct call *call, const char *subject);
/* A parameter's wrong value: IllegalParam of that name, and a sentence that says the rule. */
int nlb_fail_value(struct call *call, const char *name, const char *format, ...) _printf_(3, 4);
/* Reads a name of 2 to 128 characters into a row, if the parameter is there; fails the call for a bad one. */
int nlb_read_name(struct call *call, const char *param, char ret[NAME_SIZE]);
/* A description of 2 to 256 characters, likewise; `text` NULL: it is not there, and nothing is changed. */
int nlb_read_description(struct call *call, const char *param, const char *text, char ret[TEXT_SIZE]);

/* Load balancers, listeners and server groups, by their kinds; those of classic load balancers are none here.
 * The caller's object of that id; NULL: there is none. */
const void *nlb_owned(const struct call *call, enum kind kind, const char *id);
/* The object that the call names (borrowed), or
 * the call fails. */
int nlb_find(struct call *call, enum kind kind, const void **ret);
/* A copy of the object, moved by the event: 1; 0 if the event changes nothing; or the call fails. */
int nlb_move(struct call *call, enum kind kind, const void *object, enum state_event event, void *ret);
/* A change of the object's attributes: the copy to change, and what puts it and answers. */
int nlb_begin(struct call *call, enum kind kind, void *ret);
int nlb_end(struct call *call, enum kind kind, const void *row);
/* Deletes it with its tags: 1; 0 if it is being deleted already; or the call fails. `row`: room for a copy.
 */
int nlb_delete(struct call *call, enum kind kind, const void *object, void *row);

/* The zones that the call's ZoneMappings say: those that `old` has in the same way are kept, the others get
 * an ENI. */
int balancer_set_zones(struct call *call, const struct load_balancer *old, struct load_balancer *lb);
void balancer_answer_zones(const struct call *call, json_t *object, const struct load_balancer *lb);
/* What the call's HealthCheckConfig says, which fits the group's protocol. */
int group_read_health(struct call *call, struct server_group *row);
/* Protection that a new load balancer is to have; and the refusal to delete one that has it. */
int balancer_read_protection(struct call *call, struct load_balancer *row);
int balancer_fail_protected(struct call *call, const struct load_balancer *lb);
