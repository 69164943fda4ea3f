/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind a load balancer's zone, read from the rows: which listeners serve, which interface has a
 * server's address, whether a server may get new flows. The plan goes by these and by what its node knows
 * besides; who explains (path.h) goes by these and by what nodes reported.
 */
#pragma once

#include "snapshot.h"

/* Whether the instance runs or is to: not while it is stopped or goes. */
bool serving_instance_runs(const struct instance *instance);

/* Whether the load balancer's listeners serve: it is not stopped, nor being stopped. */
bool serving_balancer_wanted(const struct load_balancer *lb);
/* Whether the listener is wished to run. */
bool serving_listener_wanted(const struct listener *listener);
/* Walks the listeners that serve, like snapshot_next(). Borrowed. */
const struct listener *serving_next_listener(const struct snapshot *rows, const char *load_balancer,
					     const struct listener *previous);

/* How many places the table has that spreads new connections over so many servers: a prime, at least 100
 * times as many, and 400 times for a few. */
uint32_t serving_places(size_t n_servers);

/* The interface that has the server's address in its group's VPC; NULL: none has. Borrowed. */
const struct port *serving_port(const struct snapshot *rows, const struct server_group *group,
				const struct server *server);
/* Whether the health of the group's servers is probed: of UDP ones only if a TCP port is named for that, or
 * an answer. */
bool serving_is_probed(const struct server_group *group);
/* Whether the servers are of UDP, and nothing says how to probe them: then they are sent datagrams, of which
 * a refusal says that one is ill, and silence nothing. */
bool serving_is_asked(const struct server_group *group);
/* What was found out about the server; NULL: nothing yet. Borrowed. */
const struct server_health *serving_health(const struct snapshot *rows, const struct server *server);
/* Whether the server is one of the zone's. A classic load balancer has one zone, and its servers, wherever
 * they are, are all of that. */
bool serving_in_zone(const struct server_group *group, const struct server *server, const char *zone);
