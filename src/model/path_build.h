/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of a path share while it is found, and no one else sees: path.c has the order of the hops,
 * path_group.c security groups, path_serving.c what is behind the endpoint.
 */
#pragma once

#include "path.h"

struct path_builder {
	const struct path_question *question;
	const struct snapshot *rows;
	struct path *path;
	const struct service *service; /* NULL: gone */
	const struct port *port;       /* of the instance; NULL: none was named, or it is in another VPC */
	bool sees_consumer, sees_provider;
	uint32_t n_rules, n_servers, n_answers; /* looked at so far */

	/* The hops to which the next one is linked. */
	uint16_t tails[ENDPOINT_ZONES_MAX];
	size_t n_tails;

	/* While that is set, hops are not added, and only the worst state is kept. */
	bool is_folded;
	enum path_state folded;
	struct path_hop unseen;

	bool wants_fix; /* the hop that was added last is the cause, and who asks could mend it */
};

/* path.c */

/* Adds a hop with its text. Never NULL: where none is added, what is written to it is nobody's. */
struct path_hop *path_add(struct path_builder *b, enum path_kind kind, const char *zone, enum path_code code,
			  const char *resource, const char *format, ...) _printf_(6, 7);
/* The call that mends what the hop before it says; nothing where that is not the cause, or not for them. */
void path_fix(struct path_builder *b, const char *product, const char *action, const char *region,
	      const char *format, ...) _printf_(5, 6);
/* A parameter of it. */
void path_fix_parameter(struct path_builder *b, const char *name, const char *format, ...) _printf_(3, 4);
/* What is asked for, in words: "TCP 443", "ping". */
void path_service_words(const struct path_builder *b, char *ret, size_t size);
/* printf to the end of a text; what has no room is left out. */
void path_append(char *text, size_t size, const char *format, ...) _printf_(3, 4);

/* A node's words, unless they name what is not of the one who asks. */
const char *path_reason(const struct path_builder *b, const char *reason);

/* path_group.c */

/* What the instance's groups say of the way out to the zone's ENI, and the ENI's of the way in. */
void path_group_out(struct path_builder *b, const struct path_zone *zone);
void path_group_in(struct path_builder *b, const struct path_zone *zone);
/* What the load balancer's groups say. */
void path_group_behind(struct path_builder *b, const struct path_zone *zone, const struct load_balancer *lb);

/* path_serving.c */

/* The load balancer's zone that stands behind the ENI to which names lead. */
const char *path_resource(const struct endpoint_zone *zone);
const char *path_resource_zone(const struct endpoint_zone *zone);
/* The port of the service's first listener of the protocol; 0: it has none. */
uint32_t path_first_port(const struct path_builder *b, const char *protocol);
/* Whether servers behind the zone answer, of any listener: whether names lead to it. */
bool path_zone_answers(struct path_builder *b, const struct endpoint_zone *zone);
/* All that is behind the zone's part of the connection. */
void path_behind(struct path_builder *b, const struct path_zone *zone);
