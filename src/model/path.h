/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Why does my connection not work?" The way from an instance through an endpoint to what serves it, hop by
 * hop: a pure function of the rows and of what nodes reported, on the same judgements as the plan's
 *(policy.h, serving.h). Who asks sees only their side: of the other one whether a zone answers (the
 *consumer), or the account, the endpoint and the connection (the provider). The first broken hop that they
 *see is the cause, and where an API call of theirs would mend it, that call is the fix.
 *
 *	instance, node, name ─┬ group out, ENI, group in ┬─ endpoint, connection, service ─┬ zone, load
 *balancer, … └ of each zone             ┘                                 └ of each zone
 */
#pragma once

#include <jansson.h>

#include "path_codes.h"
#include "snapshot.h"

/* How much of the rows one answer looks at; beyond, a hop is TooManyRules or ServersTooMany. */
#define PATH_RULES_MAX	 32768
#define PATH_SERVERS_MAX 4096

/* X(symbol): the kinds of hops. */
/* clang-format off */
#define PATH_KINDS(X) \
	X(Instance) X(Node) X(Name) X(GroupOut) X(EndpointZone) X(GroupIn) X(Account) X(Endpoint) \
	X(Connection) X(Service) X(ServiceZone) X(LoadBalancer) X(BalancerGroup) X(Listener) X(ServerGroup)
/* clang-format on */

enum path_kind {
#define PATH_KIND_SYMBOL(name) PATH_KIND_##name,
	PATH_KINDS(PATH_KIND_SYMBOL)
#undef PATH_KIND_SYMBOL
};

enum path_state { PATH_OK, PATH_WARN, PATH_UNKNOWN, PATH_BROKEN }; /* from good to bad */
enum path_verdict { PATH_REACHABLE, PATH_PARTIAL, PATH_UNREACHABLE };
/* Who can mend it. */
enum path_turn {
	PATH_TURN_NOBODY,
	PATH_TURN_CONSUMER,
	PATH_TURN_PROVIDER,
	PATH_TURN_OPERATOR,
	PATH_TURN_TIME,
	PATH_TURN_CALLER
};

enum path_code {
#define PATH_CODE_SYMBOL(name, state, turn, text) PATH_##name,
	PATH_CODES(PATH_CODE_SYMBOL)
#undef PATH_CODE_SYMBOL
		PATH_CODE_COUNT_
};

struct path_code_info {
	const char *name; /* on the wire */
	enum path_state state;
	enum path_turn turn;
	const char *text;
};
/* The code's row of the table. */
const struct path_code_info *path_code_info(enum path_code code);

#define PATH_HOP_ID_SIZE (24 + ZONE_SIZE)
#define PATH_WORDS_SIZE	 512
#define PATH_HOPS_MAX	 (10 + 8 * ENDPOINT_ZONES_MAX)
#define PATH_LINKS_MAX	 (2 * PATH_HOPS_MAX)
#define PATH_FIX_MAX	 10 /* parameters of a fix */

struct path_hop {
	char id[PATH_HOP_ID_SIZE]; /* of the hop: its kind, and "/<zone>" if it is one of a zone */
	enum path_kind kind;
	enum path_code code;
	char resource[DOMAIN_SIZE]; /* the id (of a name: the name) of what it stands for; empty: none is
				       known */
	char zone[ZONE_SIZE];	    /* empty: of all zones */
	char text[PATH_WORDS_SIZE];
	/* What decides about a group's hop: a rule's id, "implicit" or empty; its priority, 0: none. */
	char rule[ID_SIZE];
	uint32_t priority;
};

/* A call that mends the cause. */
struct path_fix {
	const char *product; /* as products are named in lower case: "ecs"; NULL: there is no fix */
	const char *version, *action;
	char region[REGION_SIZE];
	struct path_parameter {
		char name[WORD_SIZE * 2];
		char value[NETPREFIX_TEXT_SIZE + ID_SIZE];
	} parameters[PATH_FIX_MAX];
	size_t n_parameters;
	char text[PATH_WORDS_SIZE];
};

struct path_zone_state {
	char zone[ZONE_SIZE];
	enum path_state state;
};

struct path {
	enum path_verdict verdict;
	struct path_hop hops[PATH_HOPS_MAX];
	size_t n_hops;
	struct {
		uint16_t from, to; /* indexes of hops */
	} links[PATH_LINKS_MAX];
	size_t n_links;
	struct path_zone_state zones[ENDPOINT_ZONES_MAX];
	size_t n_zones;
	size_t n_rows;	     /* rules and servers that were looked at */
	int cause;	     /* index of the hop; -1: nothing is broken */
	enum path_turn turn; /* of the cause */
	struct path_fix fix;
	char protocol[WORD_SIZE];
	uint32_t port; /* 0: of ICMP, or none is known */
};

/* What is known of a node. */
enum path_node { PATH_NODE_REPORTS, PATH_NODE_LOST, PATH_NODE_HOLDS, PATH_NODE_UNKNOWN };

struct path_zone {
	const struct endpoint_zone *row;
	struct netprefix where; /* planned: of what it will have an address */
};

struct path_question {
	const struct snapshot *rows;
	/* Who asks; an administrator also owns the services of the catalogue. */
	int64_t viewer;
	bool viewer_is_admin;
	/* The endpoint, its connection (NULL: none) and its zones; rows of the snapshot, or with `is_planned`
	 * what CreateVpcEndpoint would make. */
	const struct endpoint *endpoint;
	const struct connection *connection;
	struct path_zone zones[ENDPOINT_ZONES_MAX];
	size_t n_zones;
	bool is_planned;
	const struct instance *instance; /* NULL: any one of the VPC */
	const char *protocol;		 /* "TCP", "UDP" or "ICMP"; NULL: TCP */
	uint32_t port;			 /* 0: of the service's first TCP listener */
	enum path_node (*node)(const void *context, const char *name); /* NULL: nothing is known */
	/* Why a node cannot put the row of that key into force; NULL: nothing is known of it. Endpoints' and
	 * instances' own failures stand in their rows. */
	const char *(*failure)(const void *context, const char *key);
	const void *node_context; /* of both */
};

/* Fills in endpoint, connection and zones from the rows. -ENOENT: there is no such endpoint. */
int path_question_endpoint(struct path_question *question, const char *endpoint);
/* Whether the endpoint, or the service that it is connected to, belongs to the one who asks. Whose neither is
 * must not be answered. */
bool path_sees_consumer(const struct path_question *question);
bool path_sees_provider(const struct path_question *question);

/* Finds the path; the caller's to free() in the end. Only -ENOMEM. */
int path_find(const struct path_question *question, struct path **ret);

/* The path as GetEndpointPath answers it, without RequestId: Verdict, Protocol, Port, Zones, Hops, Links,
 * Cause and Fix (the last two only if there are any). The caller's; NULL when out of memory. */
json_t *path_to_json(const struct path *path);
