/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the handlers of PrivateLink share: who may see what, whom the whitelist lets in, which load balancer
 * serves a zone, and words of the answers.
 */
#pragma once

#include "../frame/action.h"
#include "../common/address.h"

extern const char *const resource_types[]; /* slb, alb, nlb, gwlb */

/* The caller's endpoint in the call's region; NULL: there is none. */
const struct endpoint *owned_endpoint(const struct call *call, const char *id);
/* The caller's service in the call's region; an administrator also has the system's. */
const struct service *owned_service(const struct call *call, const char *id);
/* Whether the account may connect to the service: it is its own, the system's, or its whitelist says so. */
bool service_admits(const struct call *call, const struct service *service);
/* The middle of the names of the service's endpoints: its id, of a system service its product. */
const char *service_label(const struct service *service);

/* Fails the call when the service is being deleted or is gone (NULL), else returns 0. */
int check_service_there(struct call *call, const struct service *service);

/* Optional texts: name, description, resource group. Each writes nothing if the parameter is absent or empty.
 */
int read_name(struct call *call, const char *param, char ret[NAME_SIZE]);
int read_description(struct call *call, const char *param, char ret[TEXT_SIZE]);
int read_resource_group(struct call *call, char ret[ID_SIZE]);

/* The load balancer that a zone of an endpoint gets: of those that serve the zone and are given out
 * automatically, the one with the fewest endpoints; of equal ones the first. NULL: there is none. */
const struct service_resource *allocate_resource(const struct call *call, const char *service,
						 const char *zone);
/* Whether the service has any resource in the zone. */
bool service_serves_zone(const struct call *call, const char *service, const char *zone);
/* "Zones": the zones that have a resource, each once. */
void answer_service_zones(const struct call *call, json_t *object, const char *service);

/* A zone of a new or an existing endpoint, as the caller wishes it. */
struct zone_wish {
	const char *zone, *vswitch, *addr, *addr_v6; /* the addresses may be NULL */
	const char *param; /* "Zone.2.", in front of the names of parameters at fault */
};
/* Checks the wish and puts the zone's rows into the transaction: the zone itself, its ENI and the ENI's
 * address. */
int zone_create(struct call *call, struct alloc *alloc, const struct endpoint *endpoint,
		const struct service *service, const struct connection *connection,
		const struct zone_wish *wish);

/* Members that tell more than the API: why an endpoint is not in force (StatusInfo), and whether a connection
 * that is Disconnected waits for acceptance or was refused (AcceptanceStatus: Waiting, Refused, Accepted). */
void answer_endpoint_status(json_t *object, const struct endpoint *endpoint,
			    const struct connection *connection);
const char *acceptance_word(const struct connection *connection);
