/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, descriptions and words, as PrivateLink's calls bring them and its answers say them.
 */
#pragma once

#include "../frame/action.h"

extern const char *const resource_types[]; /* slb, alb, nlb, gwlb */

/* The middle of the names of the service's endpoints: its id, of a system service its product. */
const char *service_label(const struct service *service);

/* Optional texts: name, description, resource group. Each writes nothing if the parameter is absent or empty.
 */
int read_name(struct call *call, const char *param, char ret[NAME_SIZE]);
int read_description(struct call *call, const char *param, char ret[TEXT_SIZE]);
int read_resource_group(struct call *call, char ret[ID_SIZE]);

/* "Zones": the zones that have a resource, each once. */
void answer_service_zones(const struct call *call, json_t *object, const char *service);

/* Members that tell more than the API: why an endpoint is not in force (StatusInfo), and whether its
 * connection was accepted (AcceptanceStatus). */
void answer_endpoint_status(json_t *object, const struct endpoint *endpoint,
			    const struct connection *connection);
