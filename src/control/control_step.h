/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of control, each a pure function from rows and what the nodes reported to a changes of
 * transactions. control.c calls them one after another and commits in between, so that each sees what the one
 * before did.
 *
 * States: what a row waits for is one number, the revision of its last change, at the nodes that it concerns.
 * So a pass looks only at the subjects that changed and at those whose revision these nodes have reached. A
 * subject is a row that has states of its own together with the rows that move with it: an endpoint with its
 * connection and its zones.
 */
#pragma once

#include "changes.h"
#include "control.h"

#define SUBJECT_ID_SIZE 100 /* longest: "<sgp>/<server id>/<port>"; there may be as many as rows */
_Static_assert(SUBJECT_ID_SIZE > ID_SIZE + NETADDR_TEXT_SIZE + 12, "the id of a server fits");

struct lease;
struct leases;

struct control_view {
	const struct snapshot *rows;
	uint64_t live_revision;
	/* NULL: all nodes are at the revision above. Else each subject waits for the nodes that are told of
	 * it, and for those that were and may still have it in force. */
	const struct told_nodes *told_nodes;
	const struct leases *leases;
	const struct control_failure *failures; /* of all live nodes, sorted by key */
	size_t n_failures;
	int64_t now; /* unix seconds */
};

#define NEEDS_NOTHING 0		 /* settled */
#define NEEDS_REPAIR  UINT64_MAX /* in force but for a failure, or for others: look again when it is gone */

struct control_subject {
	enum kind kind;
	char id[SUBJECT_ID_SIZE];
	/* Set by control_states(): the live revision at which there is something to do, or one of the two
	 * above. */
	uint64_t needs;
	uint64_t reached;   /* up to which revision the nodes that it waits for had come then */
	uint32_t waits_for; /* the number of the lease of the last of these; 0: there is none, or all are */
	bool has_more;	    /* besides, there is something to do at once for which the pass had no room */
};

/* The subject that a row belongs to; -ENOENT if changes of this row move nothing. */
int control_subject_of_key(const char *key, struct control_subject *ret);
int control_subject_compare(const void *a, const void *b);

/* Moves the subjects (each at most once) through their states; what is deleted and no longer in force goes,
 * with what hangs on it. A deletion puts and removes at most `*room` rows, which is less by so many then, and
 * 0 as soon as one had no room: those behind it that had more before, and nothing else that the nodes have
 * reached, stay as they are. A subject that needs no later revision than the live one, or has more, wants
 * another call after the commit. Services change the rows of endpoints, and instances have connectivity tests
 * in common with them: each of these two kinds wants a changes of its own, committed before the next. */
void control_states(const struct control_view *view, struct control_subject *subjects, size_t n_subjects,
		    size_t *room, struct changes *changes);

/* VPCs whose ranges of translated addresses are to be looked at, and what others wait for. */
struct nat_due {
	char (*vpcs)[ID_SIZE]; /* repetitions included */
	size_t n, size;
	size_t n_settled;	  /* so many at the beginning are sorted, each once */
	bool all;		  /* and which ranges are given out is not known */
	char (*starved)[ID_SIZE]; /* that may lack a range since none is free; sorted, each once */
	size_t n_starved, starved_size;
	uint32_t *leases; /* the numbers of those whose nodes have ranges that are to come back; each once */
	size_t n_leases, leases_size;
	uint64_t *used; /* a bit for each range (nat_range_at()) that may be given out; NULL: not known */
};
/* Frees the lists; it is empty then. */
void nat_due_done(struct nat_due *due);
void nat_due_vpc(struct nat_due *due, const char *vpc);
/* Those that a change of a row concerns. `rows`: after the change. */
void nat_due_change(struct nat_due *due, const struct snapshot *rows, const struct store_change *change);
/* Those of which other nodes are told since a revision. */
void nat_due_moves(struct nat_due *due, const struct told_nodes *told_nodes, uint64_t after);
/* Those that wait for a node: it has come further, holds or does so no more, or its lease is about to end. */
void nat_due_heard(struct nat_due *due, const struct snapshot *rows, const struct told_nodes *told_nodes,
		   const struct lease *lease);
/* In each VPC that is due: a range for each node that is told of the VPC, if a load balancer serves in it or
 * a server is there; others are taken back. That of a node with a lease which is not told of the VPC any more
 * is so only when the node has reported that; one without a lease is not waited for, though its programs may
 * go on with the range: it is given out again after all others. What has to wait for a node, or for a range
 * that comes back, is due again when one of the functions above says so; what is too much for one pass stays
 * due, and `changes->more` says so. */
#define NAT_BACK_PER_PASS_MAX 300 /* or a turn could bring more changes than the store remembers */
/* A pass ends after so many looks at a VPC, or at a range, a node, a group or a load balancer there, once it
 * is through with that VPC: about 1 ms. So calls and reports do not wait for many VPCs that are due at once.
 */
#define NAT_LOOKS_PER_PASS_MAX 2000
void control_nat_ranges(const struct control_view *view, struct nat_due *due, struct changes *changes);

/* Writes down since when a node has not been heard, and takes apart nodes that are being deleted: first their
 * instances go, as by a call, then what they found out about servers and the node itself. That puts and
 * removes at most `*room` rows, which is less by so many then, besides the nodes themselves; `changes->more`:
 * it was not enough. */
enum control_heard { CONTROL_HEARD, CONTROL_MAY_BE_HEARD, CONTROL_NOT_HEARD };
void control_nodes(const struct control_view *view,
		   enum control_heard (*heard)(const void *context, const char *node), const void *context,
		   size_t *room, struct changes *changes);

/* Writes down what nodes found out about servers, where it is new: of the first results, until it has put
 * `*room` rows, which is less by so many then. How many of the results that were. */
#define HEALTH_PER_PASS_MAX	  300  /* rows: of many servers that change at once they come in many turns */
#define HEALTH_LOOKS_PER_PASS_MAX 4096 /* results, most of which say again what is known */
size_t control_health(const struct control_view *view, const struct server_health *health, size_t n_health,
		      size_t *room, struct changes *changes);

/* Writes down what a node says of connectivity tests that are its own and have not ended. */
void control_tests(const struct control_view *view, const char *node, const struct control_test *tests,
		   size_t n_tests, struct changes *changes);
/* Ends those of which no node has said how they went in time. When the next one's time is over, unix seconds;
 * INT64_MAX: none runs. */
int64_t control_tests_expire(const struct control_view *view, struct changes *changes);

/* So many rows that are left over go at once, and so many are put or removed in a pass for all that is
 * deleted: else a turn could bring more changes than the store remembers, and calls would wait for all of it.
 * What belongs into one transaction fits. */
#define LEFTOVERS_GONE_MAX 300
_Static_assert(LEFTOVERS_GONE_MAX >= STORE_TXN_OPS_MAX, "a pass has room for a whole transaction");

/* Rows that are gone and may have left parts, in the order in which they went. */
struct gone_row {
	enum kind kind;
	char id[SUBJECT_ID_SIZE];
};
struct gone_rows {
	struct gone_row *v;
	size_t n, size;
};
#define GONE_ROWS_MAX 16384
/* Frees the list; it is empty then. */
void gone_rows_done(struct gone_rows *gone);
/* -ENOBUFS: there are GONE_ROWS_MAX; -ENOMEM, -E2BIG (the id). The row's parts are the walk's then. */
int gone_rows_add(struct gone_rows *gone, enum kind kind, const char *id);
/* Forgets the first `n`. */
void gone_rows_drop(struct gone_rows *gone, size_t n);

/* Removes the parts of a row that is gone, at most `*room` rows, which is less by so many then. False: some
 * are left. Of two rows that are gone one may have a part of the other one: so each wants changes of its own,
 * committed before the next one's. */
bool control_remove_parts(const struct control_view *view, const struct gone_row *gone, size_t *room,
			  struct changes *changes);

/* How far a walk over all rows has come: it goes on behind that id. Zero: it begins. */
struct leftovers_walk {
	enum kind kind;
	char behind[KEY_SIZE];
};
/* One step of the walk: removes what belongs to nothing any more, parts of objects that are gone and old
 * tokens, jobs and tests. `changes->more`: it has not come to the end; else the next step begins anew. */
#define LEFTOVERS_LOOKS_MAX 2000 /* rows, in a step */
#define TOKEN_KEPT_S	    (24 * 3600)
#define JOB_KEPT_S	    (24 * 3600)
void control_remove_leftovers(const struct control_view *view, struct leftovers_walk *walk,
			      struct changes *changes);

/* The row's failure, NULL if it has none. */
const struct control_failure *control_failure_get(const struct control_view *view, const char *key);
/* Its reason. */
const char *control_failure_find(const struct control_view *view, const char *key);
