/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of slices share, and no one else sees. All return 1 where only the whole plan will do.
 */
#pragma once

#include "plan_build.h"
#include "plan_slice.h"

struct slice {
	const struct plan_input *input;
	struct plan_indexes *indexes;
	struct plan *plan; /* that it is a slice of */
	struct plan_patch *patch;
	/* Numbers of security groups that somebody, or a rule, has from now on or no longer. */
	uint32_t *groups;
	size_t n_groups;
	/* VPCs that have their first port here from now on, or have the last one no longer. */
	char (*vpcs)[ID_SIZE];
	size_t n_vpcs;
	/* Shared names that are to be made anew, and who has them then. */
	struct slice_shared *shared;
	size_t n_shared;
	/* Load balancers with a zone that ENIs lead to from now on or no longer. */
	char (*balancers)[ID_SIZE];
	size_t n_balancers;
};

/* Places of elements of an array; all zero: none. free(v) ends it. */
struct slice_gone {
	size_t *v, n;
};

struct slice_shared {
	char vpc[ID_SIZE], endpoint[ID_SIZE];
	uint32_t vpc_number;
	char name[DOMAIN_SIZE];
	bool has; /* the endpoint */
};

/* A builder of something small beside the plan; plan_builder_done() ends it. */
int slice_builder(const struct slice *slice, struct plan_builder *ret);

/* The builder has no failures but of that key. */
bool slice_fails_only(const struct plan_builder *b, const char *key);
/* The failure of that key is from now on the builder's, which has settled, or none. */
int slice_set_failure(struct slice *slice, const char *key, const struct plan_builder *b);
/* Some failure's key begins so. */
bool slice_has_failure(const struct plan *plan, const char *prefix);

/* The port of that number; NULL: there is none. */
struct plan_port *slice_find_port(const struct plan *plan, uint32_t number);

/* Notes in an array of the patch what may have changed: each is there once when all slices are planned. */
int slice_note(void *array, size_t *n, size_t element_size, const void *element);
int slice_note_slot(struct slice *slice, uint32_t slot);
int slice_note_place(struct slice *slice, const struct pl_place_key *key);
/* An element of a short array, once, which keeps its order. */
int slice_add_once(void *array, size_t *n, size_t element_size, const void *element);

/* The groups that the builder has met are in the plan, too. */
int slice_take_groups(struct slice *slice, const struct plan_builder *b);
/* Counts the set's groups, or no longer does. */
int slice_count_set(struct slice *slice, const struct pl_set *set, int by);

/* Of sorted arrays: room at a place, and one element less. */
void *slice_insert(void *array, size_t *n, size_t element_size, size_t place);
void slice_remove(void *array, size_t *n, size_t element_size, size_t place);
/* The same of many, which moves each other element once: what comes has to be sorted, and not be there; what
 * goes is told by places, which are sorted here, each once. */
int slice_insert_all(void *array, size_t *n, size_t element_size, const void *new, size_t n_new,
		     int (*compare)(const void *, const void *));
void slice_remove_all(void *array, size_t *n, size_t element_size, struct slice_gone *gone);
/* Notes places of what goes. */
int slice_note_gone(struct slice_gone *gone, size_t first, size_t n);

/* Where the place of that key is, or would be; NULL: there is none. */
size_t slice_place_place(const struct plan *plan, const struct pl_place_key *key);
struct plan_place *slice_find_place(const struct plan *plan, const struct pl_place_key *key);
/* Places have several users. One less: it is still there; then, when all that is new has come: it goes if
 * nobody uses it. The builder's places come. 1: something else has the address. */
void slice_leave_place(struct slice *slice, const struct pl_place_key *key);
/* One of them; several: notes where it stands if nobody uses it, to be removed with the others. */
int slice_note_unused_place(struct slice *slice, const struct pl_place_key *key, struct slice_gone *gone);
int slice_drop_unused_place(struct slice *slice, const struct pl_place_key *key);
int slice_add_places(struct slice *slice, const struct plan_builder *b);

/* plan_slice_policy.c: rules; the groups of a port; a group that came, went or is of another type. */
int slice_group(struct slice *slice, const char *id);
int slice_member(struct slice *slice, const char *id);
int slice_other(struct slice *slice, const char *id);
/* When all slices are planned. */
int slice_settle_groups(struct slice *slice);

/* A listener that is planned anew by itself, by its place at the load balancer. */
struct slice_pick {
	char balancer[ID_SIZE];
	uint32_t port;
	int protocol; /* as of plan_protocol() */
};

/* Sorted. Load balancers that are not in there are planned with all their listeners. free(v) ends it. */
struct slice_picks {
	struct slice_pick *v;
	size_t n;
};

/* plan_slice_pick.c: of load balancers of which only server groups behind them are touched the listeners that
 * these are a matter of. 1: a row is not whole. */
int slice_pick(const struct slice *slice, const struct plan_touched *touched, struct slice_picks *ret);
/* Whether it is planned anew when its load balancer is; a listener of the plan is that of `balancer`. */
bool slice_picks_row(const struct slice_picks *picks, const struct listener *listener);
bool slice_picks_planned(const struct slice_picks *picks, const char *balancer,
			 const struct plan_listener *listener);

/* Behind listeners, of all groups and of all tables: more is a matter of the whole plan. */
#define SLICE_SERVERS_MAX 500
#define SLICE_PLACES_MAX  131072 /* of a group of 200 servers in three zones, and more */

/* plan_slice_weight.c: 1 if what is touched behind load balancers is too much for one piece; nothing is
 * changed. Then the same of those in slice->balancers. */
int slice_weigh(const struct slice *slice, const struct plan_touched *touched);
int slice_weigh_targets(const struct slice *slice);

/* plan_slice_serving.c: load balancers, and all that depends on them. */
int slice_serving(struct slice *slice, const struct plan_touched *touched);
/* When all endpoints are planned: of zones that these lead to now, or no longer. */
int slice_settle_targets(struct slice *slice);
/* Where the target's listeners are, or would be. */
size_t slice_listener_place(const struct plan *plan, uint32_t target);

/* plan_slice_endpoint.c, plan_slice_names.c */
int slice_endpoint(struct slice *slice, const char *id);
/* Nobody else has the builder's names; `own`: the old ones of who is to have them. */
bool slice_may_have_names(const struct slice *slice, const struct plan_name *own,
			  const struct plan_builder *b);
/* Takes the builder's names for those of the part; the shared one is made by slice_settle_names(). */
int slice_replace_names(struct slice *slice, struct plan_part *part, struct plan_builder *b);
/* When all endpoints are planned. */
int slice_settle_names(struct slice *slice);
/* The same as slice_replace_names() of a list that has no shared names. */
int slice_replace_own_names(struct slice *slice, struct plan_name **own, struct plan_builder *b);

/* plan_slice_vpc.c: a VPC by its number. */
int slice_vpc(struct slice *slice, const char *id);
/* A port of the VPC more or less. */
int slice_count_port(struct slice *slice, const char *vpc, int by);
/* When all instances are planned: of VPCs that have ports now, or no longer, all that stands in them is to be
 * planned, too. */
int slice_settle_vpcs(struct slice *slice, struct plan_touched *touched);

/* plan_slice_host.c */
int slice_instance(struct slice *slice, const char *id);
int slice_interface(struct slice *slice, const char *id);
int slice_vswitch(struct slice *slice, const char *id);
