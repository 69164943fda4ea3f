/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers of ECS, between the files that have them and the table in actions.c.
 */
#pragma once

#include "../frame/action.h"

extern const struct action ecs_actions[];

/* security_group.c */
int security_group_create(struct call *call);
int security_group_delete(struct call *call);
int security_group_list(struct call *call);
int security_group_get(struct call *call);
int security_group_modify(struct call *call);
int security_group_set_policy(struct call *call);
extern const struct param_spec security_group_create_params[], security_group_id_params[],
	security_group_list_params[], security_group_get_params[], security_group_modify_params[],
	security_group_set_policy_params[];

/* rule.c */
int rule_authorize_ingress(struct call *call);
int rule_authorize_egress(struct call *call);
int rule_revoke_ingress(struct call *call);
int rule_revoke_egress(struct call *call);
extern const struct param_spec rule_params[];

/* rule_check.c: a rule as a caller describes it: `object` is an entry of Permissions.N, or all parameters of
 * the older form, which has the same names. Everything but the id is filled in. Fails the call for a bad one.
 */
int rule_check(struct call *call, const json_t *object, const struct security_group *group,
	       enum sg_direction direction, struct sg_rule *ret);
/* Whether both let the same pass: all but id, description and time. */
bool rule_same(const struct sg_rule *a, const struct sg_rule *b);

/* instance.c */
int instance_run(struct call *call);
int instance_start(struct call *call);
int instance_stop(struct call *call);
int instance_delete(struct call *call);
extern const struct param_spec instance_run_params[], instance_start_params[], instance_stop_params[],
	instance_delete_params[];

/* instance_list.c */
int instance_list(struct call *call);
extern const struct param_spec instance_list_params[];

/* eni.c */
int eni_list(struct call *call);
extern const struct param_spec eni_list_params[];
