/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the plan share while it is made, and no one else sees. The order of the steps stands in
 * plan_build(); each step reads the rows and what the steps before it left here.
 */
#pragma once

#include "plan.h"

#define PLAN_NO_BACKEND UINT32_MAX

/* A backend of a server group, judged. */
struct plan_server {
	const struct server *row;
	const struct port *port;       /* has its address; NULL: none does */
	const struct plan_port *local; /* the port if it is on this node and its device is there */
	bool serves;		       /* may get new flows: is there, can be reached, runs, has a weight */
	bool healthy;
	uint32_t backend; /* index, or PLAN_NO_BACKEND: no one needs it so far */
};

struct plan_table {
	const char *zone;
	bool crosses;		 /* servers of other zones stand in */
	const uint32_t *entries; /* NULL: no server */
	uint32_t size;
	bool ill; /* none of them is well */
};

struct plan_group {
	const struct server_group *row;
	const struct vpc *vpc;	     /* NULL: dangling */
	const struct nat_range *nat; /* of this node in that VPC, or NULL */
	struct plan_server *servers;
	size_t n_servers;
	struct plan_table *tables; /* one for each zone that was asked for, with and without others */
	size_t n_tables;
	bool reached; /* flows of this node go there: endpoints' or probes */
};

/* A load balancer's zone that serves an ENI of this node. */
struct plan_target {
	uint32_t number;
	const struct load_balancer *load_balancer;
	const char *zone;
};

/* An address for a name; a record without an address says that the name exists. */
struct plan_record {
	uint32_t vpc;
	const char *name;
	const char *zone;
	struct netaddr addr; /* zero: none */
	bool affinity;
	bool canonical; /* what the address is called; the name has no other address */
};

struct plan_builder {
	const struct plan_input *input;
	const struct snapshot *rows;
	struct plan_indexes *indexes;
	struct plan *plan;

	const struct vpc **vpcs; /* with a local port, sorted by id */
	size_t n_vpcs;
	struct plan_group *groups; /* sorted by id */
	size_t n_groups;
	struct plan_target *targets;
	size_t n_targets;
	struct plan_record *records;
	size_t n_records;
};

/* plan.c */

/* Room for one more element at the end of an array, zeroed; NULL when out of memory. `array` points to the
 * array's pointer. */
void *plan_append(void *array, size_t *n, size_t element_size);
/* Notes that an object cannot be put in force; the first reason of an object stays. Only -ENOMEM. */
int plan_fail(struct plan_builder *b, const char *key, const char *format, ...) _printf_(3, 4);
int plan_add_place(struct plan_builder *b, uint32_t vpc, const struct netaddr *addr, uint32_t kind,
		   uint32_t id);
/* The VPC if it has a port on this node, else NULL. */
const struct vpc *plan_local_vpc(const struct plan_builder *b, const char *id);
/* The catalogue's count of the zone, from 1 on; 0: not in the catalogue. */
uint16_t plan_zone_index(const struct plan_builder *b, const char *zone);
struct pl_addr plan_addr(const struct netaddr *addr);

/* plan_indexes.c: numbers of objects, the same as in the build before. -ENOSPC: all are taken. A slot is
 * given once in a build (-EEXIST); the others are 1 when the object has asked before. */
void plan_indexes_begin(struct plan_indexes *indexes);
void plan_indexes_sweep(struct plan_indexes *indexes);
int plan_indexes_slot(struct plan_indexes *indexes, uint32_t port_number, uint32_t *ret);
int plan_indexes_backend(struct plan_indexes *indexes, uint32_t vpc, const struct pl_addr *addr, __be16 port,
			 uint32_t *ret);
int plan_indexes_target(struct plan_indexes *indexes, const char *load_balancer, const char *zone,
			uint32_t *ret);
int plan_indexes_security_group(struct plan_indexes *indexes, const char *id, uint32_t *ret);

/* plan_port.c: what stands in the VPCs. */
int plan_ports(struct plan_builder *b);
int plan_places(struct plan_builder *b);

/* plan_endpoint.c: endpoint ENIs; needs ports, groups. */
int plan_endpoints(struct plan_builder *b);
/* The endpoint's traffic is wished to flow through this zone. */
bool plan_zone_wanted(const struct endpoint *endpoint, const struct connection *connection,
		      const struct endpoint_zone *zone);

/* plan_service.c: load balancers, server groups, backends. */
int plan_groups(struct plan_builder *b);    /* judges the servers and finds the listeners; needs ports */
int plan_listeners(struct plan_builder *b); /* of the targets, with tables and backends */
int plan_probes(struct plan_builder *b);
struct plan_group *plan_group_find(const struct plan_builder *b, const char *id);
/* False: the load balancer's servers of that zone are all ill (or, if it never had any there, all servers).
 */
bool plan_zone_answers(const struct plan_builder *b, const char *load_balancer, const char *zone);

/* plan_served.c: who may keep flows. FNV-1a, to be begun with PLAN_HASH_START; the group's number in
 * pl_servers; the server's row there, which is on some interface. */
#define PLAN_HASH_START 0xcbf29ce484222325u
uint64_t plan_hash(uint64_t hash, const void *bytes, size_t size);
uint64_t plan_group_number(const struct server_group *group);
int plan_add_served(struct plan_builder *b, const struct plan_group *group, const struct plan_server *server);

/* plan_proxy.c: what PROXY headers say. */
int plan_proxies(struct plan_builder *b); /* needs ENIs, listeners */
/* PL_PROXY_… that a listener's headers say; 0: it sends none. */
uint8_t plan_proxy_parts(const struct listener *row);

/* plan_probe.c: what the probe is to say and to hear; the rest of it is there. */
void plan_probe_say(struct plan_probe *probe, const struct server_group *group, const struct server *server);

/* plan_policy.c: security groups. */

/* What somebody in these groups is in, and how it is judged. `failure_key` is the row that fails where one of
 * them is missing, or this node has no number for it; all is refused then. */
int plan_make_set(struct plan_builder *b, const char (*groups)[ID_SIZE], uint32_t n_groups,
		  const char *failure_key, struct pl_set *ret);
/* The same of a load balancer, for an ENI that leads to it; without groups it stays zero. */
int plan_make_balancer_set(struct plan_builder *b, const struct load_balancer *lb, struct pl_set *ret);
/* The rules of all groups that are in a set; needs ports, endpoints. */
int plan_security_groups(struct plan_builder *b);

/* plan_limit.c: rates. What one of a thing costs at that many a second; 0: no limit. */
uint32_t plan_cost_ns(uint32_t per_s);
struct pl_limit plan_port_limit(void);
/* Of each ENI of the endpoint; `connection` may be NULL. */
struct pl_limit plan_eni_limit(const struct endpoint *endpoint, const struct connection *connection);

/* plan_names.c */
int plan_names(struct plan_builder *b);
