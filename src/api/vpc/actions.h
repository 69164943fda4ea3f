/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers of VPC, between the files that have them and the table.
 */
#pragma once

#include "../frame/action.h"

extern const struct action vpc_actions[];

/* vpc.c */
int vpc_create(struct call *call);
int vpc_delete(struct call *call);
int vpc_get(struct call *call);
int vpc_list(struct call *call);
int vpc_modify(struct call *call);
extern const struct param_spec vpc_create_params[], vpc_id_params[], vpc_list_params[], vpc_modify_params[];

/* "VSwitchIds" of the VPC. */
void answer_vswitch_ids(const struct call *call, json_t *object, const char *vpc);

/* route_table.c */
int route_table_list(struct call *call);
extern const struct param_spec route_table_list_params[];

/* vswitch.c */
int vswitch_create(struct call *call);
int vswitch_delete(struct call *call);
int vswitch_list(struct call *call);
int vswitch_get(struct call *call);
int vswitch_modify(struct call *call);

extern const struct param_spec vswitch_create_params[], vswitch_id_params[], vswitch_list_params[],
	vswitch_modify_params[];

/* Names and descriptions of VPCs and vSwitches: 1 to `max` characters, not an address of the web. */
bool vpc_text_ok(const char *s, int max);
/* The name (parameter `param`) and the description into members of a row; fails the call for bad ones. */
int vpc_read_texts(struct call *call, const char *param, char name[NAME_SIZE], char description[TEXT_SIZE]);
