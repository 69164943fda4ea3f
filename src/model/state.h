/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moves the rows through their states: one pure function per kind, (row, event) -> row or refusal,
 * tested as a table. Sources: the API document, states of endpoints, connections, zones and services.
 *
 * Two events come from the machinery: IN_FORCE (every live node has reported the revision of the row's last
 * change) and FAILED. The others are calls of the API.
 */
#pragma once

#include "rows.h"

enum state_event {
	EVENT_IN_FORCE,
	EVENT_MODIFY, /* an attribute or its security groups change */
	EVENT_ENABLE, /* EnableVpcEndpointConnection, or auto-accept */
	EVENT_DISABLE,
	EVENT_DELETE,
	EVENT_SERVICE_DELETED,
	EVENT_COUNT_,
};

/* 0: changed; -EALREADY: the event changes nothing in this state (no error); -EPERM: refused in this state;
 * -ENOENT: the row is to be removed now. Only the status (and `waiting`) are written. */
int endpoint_event(struct endpoint *row, enum state_event event);
/* A security group of an endpoint: ENABLE attaches it, DISABLE detaches it. */
enum group_status { GROUP_NONE, GROUP_ATTACHING, GROUP_ATTACHED, GROUP_DETACHING };
int group_event(enum group_status *status, enum state_event event);
int connection_event(struct connection *row, enum state_event event);
/* `connection` is the zone's connection as it stands after the same event. */
int endpoint_zone_event(struct endpoint_zone *row, const struct connection *connection,
			enum state_event event);
/* A zone gets another load balancer: beside the old one, with another ENI (GRACEFUL, whose row names what is
 * replaced), or in its place (FORCE); at the end of a graceful one the old ENI goes (RETIRE). Results as
 * above. */
enum zone_change { ZONE_REPLACE_GRACEFUL, ZONE_REPLACE_FORCE, ZONE_RETIRE, ZONE_CHANGE_COUNT_ };
int endpoint_zone_change(struct endpoint_zone *row, enum zone_change change);
/* Whether the replaced ENI is there, and whether names still lead to it, not to the new one, which is not in
 * force yet. */
bool endpoint_zone_has_replaced(const struct endpoint_zone *zone);
bool endpoint_zone_shows_replaced(const struct endpoint_zone *zone);
/* The wish of the two together: whether the zone's ENI is to reach the service. Also while it is still
 * Creating or Connecting (so that one report settles all), no longer while it is Disconnecting or Deleting.
 */
bool endpoint_zone_wanted(const struct endpoint_zone *zone, const struct connection *connection);
/* Whether the zone is connected to its load balancer, or on its way to or from it. One that waits, was cut or
 * goes away holds nothing: it gets a load balancer when it is joined. */
bool endpoint_zone_holds(const struct endpoint_zone *zone);
/* The zone of the load balancer that serves it, and of the one that is replaced: the zone of that name,
 * unless the service is in another region. */
const char *endpoint_zone_behind(const struct endpoint_zone *zone);
const char *endpoint_zone_behind_replaced(const struct endpoint_zone *zone);
int service_event(struct service *row, enum state_event event);
int vpc_event(struct vpc *row, enum state_event event);
int vswitch_event(struct vswitch *row, enum state_event event);
/* Instances: MODIFY starts a stopped one, DISABLE stops a running one. */
int instance_event(struct instance *row, enum state_event event);
int load_balancer_event(struct load_balancer *row, enum state_event event);
/* Whether the load balancer's addresses of the zone are kept out of names. */
bool load_balancer_is_shifted(const struct load_balancer *row, const char *zone);
/* Interfaces: only those that go before what holds them move by themselves. */
int port_event(struct port *row, enum state_event event);
int listener_event(struct listener *row, enum state_event event);
int server_group_event(struct server_group *row, enum state_event event);
int server_event(struct server *row, enum state_event event);
