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
	bool crosses;	   /* servers of other zones stand in */
	uint32_t *entries; /* NULL: no server */
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
	/* What it has in the plan because it is reached; as in struct plan_group_part. */
	uint32_t *backends;
	size_t n_backends;
	struct pl_place_key *places;
	size_t n_places;
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
	bool is_shared; /* the name is a service's */
	size_t part;	/* whose it is */
};

/* With a port here. */
struct plan_builder_vpc {
	const struct vpc *row;
	uint32_t n_ports;
};

struct plan_builder {
	const struct plan_input *input;
	const struct snapshot *rows;
	struct plan_indexes *indexes;
	struct plan *plan;
	/* While slices are planned: what they are slices of. It has the ports and the VPCs then, and groups
	 * are judged as they are asked for. */
	const struct plan *base;
	struct plan_slices *known; /* where balancers' zones are noted: the plan's, or its base's */
	bool is_out_of_memory;	   /* for one of them */

	struct plan_builder_vpc *vpcs; /* sorted by id */
	size_t n_vpcs;
	struct plan_group *groups; /* sorted by id */
	size_t n_groups;
	struct plan_target *targets;
	size_t n_targets;
	struct plan_record *records;
	size_t n_records;
};

/* plan.c */

/* Without anything in it. NULL: out of memory. */
struct plan *plan_new(void);
/* Sorts everything but names. */
int plan_settle(struct plan_builder *b);
void plan_builder_done(struct plan_builder *b);
int plan_place_key_compare(const struct pl_place_key *a, const struct pl_place_key *b);
/* The order of listeners, of which both are elements. */
int plan_listener_compare(const void *a, const void *b);
/* Between two objects of a long list. */
void plan_breathe(const struct plan_builder *b);
/* qsort() that breathes. */
void plan_sort(const struct plan_builder *b, void *array, size_t n, size_t size,
	       int (*compare)(const void *, const void *));
/* The order of probes, of which one is this. */
int plan_probe_compare(const struct plan_probe *probe, uint32_t backend, const char *group,
		       const char *server_id);

/* Room for one more element at the end of an array, zeroed; NULL when out of memory. `array` points to the
 * array's pointer. */
void *plan_append(void *array, size_t *n, size_t element_size);
/* Room for so many more behind the `n` that there are. -ENOMEM. */
int plan_reserve(void *array, size_t n, size_t more, size_t element_size);
/* Notes that an object cannot be put in force; the first reason of an object stays. Only -ENOMEM. */
int plan_fail(struct plan_builder *b, const char *key, const char *format, ...) _printf_(3, 4);
/* The same of what others have taken: when these go, it may be as well. */
#define plan_fail_by_others(b, ...) ((b)->plan->slices->is_odd = true, plan_fail((b), __VA_ARGS__))
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
/* How many were given out since the last sweep. */
uint32_t plan_indexes_given(const struct plan_indexes *indexes);
int plan_indexes_slot(struct plan_indexes *indexes, uint32_t port_number, uint32_t *ret);
int plan_indexes_backend(struct plan_indexes *indexes, uint32_t vpc, const struct pl_addr *addr, __be16 port,
			 uint32_t *ret);
int plan_indexes_target(struct plan_indexes *indexes, const char *load_balancer, const char *zone,
			uint32_t *ret);
int plan_indexes_security_group(struct plan_indexes *indexes, const char *id, uint32_t *ret);
/* That of the account that owns what has the slot; 0: no account does. (-ENOSPC cannot be: there are more of
 * them than slots.) */
int plan_indexes_account(struct plan_indexes *indexes, int64_t owner, uint32_t slot, uint16_t *ret);
/* The number that the group has; 0: none. */
uint32_t plan_indexes_find_security_group(const struct plan_indexes *indexes, const char *id);

/* plan_port.c: ports, and the places that are nobody's own. */
int plan_ports(struct plan_builder *b);
/* Of one instance of this node. */
int plan_instance_port(struct plan_builder *b, const struct instance *instance);
int plan_places(struct plan_builder *b);
/* The resolver's addresses in a VPC. */
int plan_resolvers(struct plan_builder *b, uint32_t vpc);

/* plan_endpoint.c: endpoint ENIs; needs ports, groups. */
int plan_endpoints(struct plan_builder *b);
/* Of one endpoint, whose part is the last one. */
int plan_endpoint(struct plan_builder *b, const struct vpc *vpc, const struct endpoint *endpoint);
/* The endpoint's traffic is wished to flow through this zone. */
bool plan_zone_wanted(const struct endpoint *endpoint, const struct connection *connection,
		      const struct endpoint_zone *zone);

/* plan_service.c: load balancers, server groups, backends. */
int plan_groups(struct plan_builder *b);    /* judges the servers and finds the listeners; needs ports */
int plan_listeners(struct plan_builder *b); /* of the targets, with tables and backends */
/* One of them; `first`: where the target's listeners start in the plan. */
int plan_listener(struct plan_builder *b, const struct plan_target *target, const struct listener *row,
		  size_t first);
/* IPPROTO_…; -EINVAL: endpoints cannot reach it. */
int plan_protocol(const char *protocol);
int plan_probes(struct plan_builder *b);
int plan_translated(struct plan_builder *b); /* sources of the groups that are reached */
/* Flows of this node go to the group, whose VPC is there. */
int plan_reach(struct plan_builder *b, struct plan_group *group);
struct plan_group *plan_group_find(struct plan_builder *b, const char *id);
/* A table of a listener belongs to all that hold it. NULL: out of memory; of nothing that is held. */
uint32_t *plan_table_new(uint32_t size);
uint32_t *plan_table_hold(uint32_t *table);
void plan_table_drop(uint32_t *table);
/* False: the load balancer's servers of that zone are all ill (or, if it never had any there, all servers).
 * Found out from the rows each time. */
bool plan_zone_answers(struct plan_builder *b, const char *load_balancer, const char *zone);
/* The group's VPC if its servers have no translated addresses there for this node; NULL: nothing is lacking.
 */
const struct vpc *plan_lacking_of(struct plan_builder *b, const char *id);
/* VPCs of its servers that have no translated addresses for this node, as a number. */
uint64_t plan_lacking(struct plan_builder *b, const char *load_balancer);

/* plan_served.c: who may keep flows. FNV-1a, to be begun with PLAN_HASH_START; the group's number in
 * pl_servers; the server's row there, which is on some interface. */
#define PLAN_HASH_START 0xcbf29ce484222325u
uint64_t plan_hash(uint64_t hash, const void *bytes, size_t size);
uint64_t plan_group_number(const struct server_group *group);
int plan_add_served(struct plan_builder *b, const struct plan_group *group, const struct plan_server *server);

/* plan_proxy.c: what PROXY headers say. */
int plan_proxies(struct plan_builder *b); /* needs ENIs, listeners */
/* Those of the builder's ENIs, by the listeners of its base. */
int plan_proxies_of_slice(struct plan_builder *b);
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
/* The rules of all groups that are in a set, which are counted; needs ports, endpoints. */
int plan_security_groups(struct plan_builder *b);
/* Those of a group that has its number and its id. `before`: the same group with those that it had; NULL: it
 * is not known. */
int plan_group_rules(struct plan_builder *b, struct plan_security_group *group,
		     const struct plan_security_group *before);
/* The group has none any more. */
void plan_group_rules_done(struct plan_security_group *group);
/* Counts the groups that its rules name, or no longer do. */
void plan_count_named(struct plan_slices *slices, const struct plan_security_group *group, int by);

/* plan_limit.c: rates. What one of a thing costs at that many a second; 0: no limit. */
uint32_t plan_cost_ns(uint32_t per_s);
struct pl_limit plan_port_limit(void);
/* Of each ENI of the endpoint; `connection` may be NULL. The account is missing in both. */
struct pl_limit plan_eni_limit(const struct endpoint *endpoint, const struct connection *connection);

/* plan_names.c */
int plan_names(struct plan_builder *b);
/* What the address of a host is called, "<label><id>.<region>.ecs.internal". *ret: the name, which is the
 * plan's; NULL: the row is not whole. -ENOMEM. */
int plan_host_name(struct plan_builder *b, const struct vpc *vpc, const struct netaddr *addr,
		   const char *label, const char *id, const char *region, struct plan_name **ret);
/* Of one endpoint: its records, then names of records, then those of its interfaces. */
int plan_endpoint_records(struct plan_builder *b, const struct vpc *vpc, const struct endpoint *endpoint);
int plan_gather_names(struct plan_builder *b);
int plan_endpoint_hosts(struct plan_builder *b, const char *endpoint);
/* The orders of names and reverse names. */
int plan_name_compare(const struct plan_name *a, const struct plan_name *b);
int plan_reverse_compare(const struct plan_reverse *a, const struct plan_reverse *b);
struct plan_name *plan_name_free(struct plan_name *name);
/* As names are kept: lower case, without the last dot. */
void plan_copy_name(char dst[DOMAIN_SIZE], const char *src);

/* plan_parts.c: what belongs to what, so that an endpoint can be planned anew by itself. */
struct plan_part {
	char endpoint[ID_SIZE]; /* sorted by it */
	char vpc[ID_SIZE];
	uint32_t first_slot;	  /* of its ENIs, which go on by next_slot; 0: none */
	struct plan_name *names;  /* its own, which go on by next */
	struct plan_name *shared; /* its service's, or NULL */
	uint64_t share;		  /* what that has of the endpoint, as a number */
};

/* A load balancer's zone that ENIs lead to, and how many do. */
struct plan_use {
	uint32_t number, n;
	char balancer[ID_SIZE];
};

/* plan_host.c: what stands at an address of a VPC that has a port here, and is no part of an endpoint or of a
 * server group: an instance, an interface of a load balancer, a vSwitch with its gateway. */
enum plan_host_kind { PLAN_HOST_INSTANCE, PLAN_HOST_INTERFACE, PLAN_HOST_VSWITCH, PLAN_HOST_KINDS };

struct plan_host {
	char id[ID_SIZE];  /* sorted by it */
	uint32_t port;	   /* number of the instance's port in the plan; 0: it has none */
	char vpc[ID_SIZE]; /* the port's */
	bool has_place;
	struct pl_place_key place;
	struct plan_name *names; /* which go on by next */
};

struct plan_hosts {
	struct plan_host *v;
	size_t n;
};

/* Their places and names, all of them; needs ports. */
int plan_hosts(struct plan_builder *b);
/* Of one: its port, place and names; nothing if there is no such row. */
int plan_host(struct plan_builder *b, enum plan_host_kind kind, const char *id);
/* The host of that id, or where it would be. */
size_t plan_host_place(const struct plan_hosts *hosts, const char *id);
struct plan_host *plan_host_find(const struct plan_hosts *hosts, const char *id);

/* A VPC with ports here. */
struct plan_vpc_use {
	char id[ID_SIZE];
	uint32_t number, n_ports;
};

/* Where an ENI leads. */
struct plan_target_slot {
	uint32_t target, slot;
};

/* What an endpoint's plan reads of the zone of a load balancer, and its target. */
struct plan_balancer_zone {
	char zone[ZONE_SIZE];
	bool is_asked; /* by a name: `answers` is known */
	bool answers;
	uint32_t target; /* 0: no ENI leads there */
};

struct plan_balancer {
	char id[ID_SIZE];
	uint64_t lacking; /* plan_lacking() */
	struct plan_balancer_zone *zones;
	size_t n_zones;
};

/* A server group that flows of this node go to, or that a listener here names. */
struct plan_group_part {
	uint64_t number; /* sorted by it; as in struct pl_listener */
	char id[ID_SIZE];
	uint32_t listeners; /* how many of the plan name it */
	uint32_t *backends; /* of its servers, each as often as it is a server */
	size_t n_backends;
	struct pl_place_key *places; /* that it needs, each as often as it does */
	size_t n_places;
};

struct plan_slices {
	struct plan_part *parts;
	size_t n_parts;
	struct plan_hosts hosts[PLAN_HOST_KINDS];
	struct plan_vpc_use *vpcs; /* sorted by id */
	size_t n_vpcs;
	uint32_t *groups;	  /* in how many sets the group of that number is */
	uint32_t *named;	  /* how many rules of groups that have members name it */
	struct plan_use *targets; /* sorted by number */
	size_t n_targets;
	struct plan_target_slot *target_slots; /* sorted by both */
	size_t n_target_slots;
	struct plan_group_part *server_groups;
	size_t n_server_groups;
	void *balancers;	   /* tree of struct plan_balancer by id */
	struct plan_name *dropped; /* shared names that are nobody's since slices were planned */
	uint32_t n_given;	   /* numbers that slices were given, which nothing gives back */
	bool is_odd; /* something belongs to nobody or to several: no slice is planned by itself */
};

/* Without a part. -ENOMEM. */
int plan_slices_new(struct plan_slices **ret);
/* When no part has them any more. */
void plan_slices_free_dropped(struct plan_slices *slices);
/* The names are the plan's. */
struct plan_slices *plan_slices_free(struct plan_slices *slices);
/* Adds the part of an endpoint behind all others. */
int plan_part_add(struct plan_builder *b, const struct vpc *vpc, const char *endpoint);
/* The part, or where it would be. */
size_t plan_part_place(const struct plan_slices *slices, const char *endpoint);
struct plan_part *plan_part_find(const struct plan_slices *slices, const char *endpoint);
/* The name joins those of one owner, and is nobody else's. */
void plan_name_own(struct plan_name **names, struct plan_name *name);
/* Counts the set's groups, or no longer does. */
void plan_count_set(struct plan_slices *slices, const struct pl_set *set, int by);
struct plan_use *plan_target_use(const struct plan_slices *slices, uint32_t target);
/* The place of the target, or where it would be. */
size_t plan_target_place(const struct plan_slices *slices, uint32_t target);
/* When all else is there. */
int plan_parts_settle(struct plan_builder *b);
/* The VPC if it has ports here, else NULL. */
struct plan_vpc_use *plan_vpc_use_find(const struct plan_slices *slices, const char *id);
/* Where it is, or would be. */
size_t plan_vpc_use_place(const struct plan_slices *slices, const char *id);

/* plan_balancers.c: what is known of load balancers, and what server groups have. NULL: nothing is known. */
struct plan_balancer *plan_balancer_find(const struct plan_slices *slices, const char *id);
/* From then on the zone is known, and what is lacking behind the balancer. NULL: out of memory. */
struct plan_balancer_zone *plan_balancer_zone(struct plan_builder *b, const char *id, const char *zone);
void plan_balancers_free(struct plan_slices *slices);
/* The place of the target's first slot, or where it would be. */
size_t plan_target_slot_place(const struct plan_slices *slices, uint32_t target, uint32_t slot);
/* The part, or where it would be. */
size_t plan_group_part_place(const struct plan_slices *slices, uint64_t number);
struct plan_group_part *plan_group_part_find(const struct plan_slices *slices, uint64_t number);
/* Takes over what the group has; the part has none so far. */
void plan_group_part_take(struct plan_group_part *part, struct plan_group *group);
void plan_group_part_done(struct plan_group_part *part);
/* Of a plan of the whole: the parts of all groups, the slots of all targets. */
int plan_note_serving(struct plan_builder *b);
