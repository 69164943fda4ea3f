/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers of NLB, between the files that have them and the table in actions.c. Every change answers with
 * the id of a job, which is done when the nodes have the change in force.
 */
#pragma once

#include "../frame/action.h"

extern const struct action nlb_actions[];

/* Puts a job's row into the call's transaction and its id into the answer. */
void nlb_job(struct call *call);
/* Reads a name of 2 to 128 characters into a row, if the parameter is there; fails the call for a bad one. */
int nlb_read_name(struct call *call, const char *param, char ret[NAME_SIZE]);
int nlb_job_status(struct call *call);
extern const struct param_spec nlb_job_params[];

/* balancer.c */
int balancer_create(struct call *call);
int balancer_get(struct call *call);
int balancer_list(struct call *call);
int balancer_update(struct call *call);
int balancer_delete(struct call *call);
extern const struct param_spec balancer_create_params[], balancer_id_params[], balancer_list_params[],
	balancer_update_params[];

/* server_group.c */
int server_group_create(struct call *call);
int server_group_list(struct call *call);
int server_group_update(struct call *call);
int server_group_delete(struct call *call);
extern const struct param_spec server_group_create_params[], server_group_id_params[],
	server_group_list_params[], server_group_update_params[];

/* server.c */
int server_add(struct call *call);
int server_remove(struct call *call);
int server_update(struct call *call);
int server_list(struct call *call);
extern const struct param_spec server_add_params[], server_remove_params[], server_update_params[],
	server_list_params[];

/* listener.c */
int listener_create(struct call *call);
int listener_get(struct call *call);
int listener_list(struct call *call);
int listener_update(struct call *call);
int listener_start(struct call *call);
int listener_stop(struct call *call);
int listener_delete(struct call *call);
int listener_health(struct call *call);
extern const struct param_spec listener_create_params[], listener_id_params[], listener_list_params[],
	listener_update_params[];
