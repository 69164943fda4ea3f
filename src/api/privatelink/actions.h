/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrivateLink: handlers and their parameters, between the files that have them and the table in
 * actions.c, and what they share: who may see what, and the words of the answers.
 */
#pragma once

#include "../frame/action.h"

extern const struct action privatelink_actions[];
extern const struct product_words privatelink_words;

#define PRIVATE_LINK_DOMAIN   "privatelink.aliyuncs.com"
#define BANDWIDTH_DEFAULT     3072 /* Mbit/s */
#define BANDWIDTH_MIN	      100
#define SERVICE_BANDWIDTH_MAX 10240 /* a service's default for its connections */

/* discovery.c */
int privatelink_regions(struct call *call);
int privatelink_zones(struct call *call);
int privatelink_open(struct call *call);
int privatelink_check_open(struct call *call);
int service_discover(struct call *call);
extern const struct param_spec privatelink_regions_params[], privatelink_zones_params[],
	service_discover_params[];

/* endpoint_create.c */
int endpoint_create(struct call *call);
extern const struct param_spec endpoint_create_params[];

/* endpoint.c */
int endpoint_get(struct call *call);
int endpoint_list(struct call *call);
int endpoint_list_groups(struct call *call);
int endpoint_delete(struct call *call);
extern const struct param_spec endpoint_id_params[], endpoint_list_params[];

/* endpoint_zone.c */
int endpoint_zone_add(struct call *call);
int endpoint_zone_remove(struct call *call);
int endpoint_zone_list(struct call *call);
extern const struct param_spec endpoint_zone_add_params[], endpoint_zone_id_params[];

/* service.c */
int service_create(struct call *call);
int service_get(struct call *call);
int service_list(struct call *call);
int service_delete(struct call *call);
int service_add_user(struct call *call);
extern const struct param_spec service_create_params[], service_id_params[], service_list_params[],
	service_user_params[];

/* service_resource.c */
int service_attach(struct call *call);
int service_list_resources(struct call *call);
extern const struct param_spec service_resource_params[];

/* connection.c */
int connection_list(struct call *call);
int connection_enable(struct call *call);
int connection_disable(struct call *call);
extern const struct param_spec connection_list_params[], connection_enable_params[], connection_id_params[];
