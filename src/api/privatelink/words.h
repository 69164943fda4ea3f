/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, descriptions and words, as PrivateLink's calls bring them and its answers say them.
 */
#pragma once

#include "../frame/action.h"

/* The middle of the names of the service's endpoints: its id, of a system service its product. */
const char *service_label(const struct service *service);
/* Of which type its endpoints are: what its load balancers are for decides that. */
const char *service_type(const struct service *service);

/* Optional texts: name, description. Each sets nothing if the parameter is absent or empty. Borrowed from
 * the call. */
int read_name(struct call *call, const char *param, const char **ret);
int read_description(struct call *call, const char *param, const char **ret);
/* The parameter ServiceDescription, if it is there: any text, also an empty one. */
int read_service_description(struct call *call, char ret[TEXT_SIZE]);

/* "Zones": the zones that have a resource, each once. */
void answer_service_zones(const struct call *call, json_t *object, const char *service);

/* Fails the call for another version of IP than 4, which endpoints do not have. */
int check_ip_version(struct call *call);
/* Which version a service is to have, into the row, whose type is known. DualStack is kept where the type
 * has it and there is no resource (load balancers are IPv4); from there is no way back. Fails with
 * EndpointServiceNotSupportIpv6, ServiceResourceNotSupportIpv6 or EndpointServiceDowngradeNotAllowed. */
int read_service_ip_version(struct call *call, struct service *row);
/* "ServiceSupportIPv6", which says the same in other words. */
void answer_ip_support(json_t *object, const struct service *service);
