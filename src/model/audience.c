/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A share that some node is told of has a *circle*: its nodes, and for each of them how many reasons there
 * are. Of a VPC's endpoints the reasons are the node's ports there; of a service they are endpoints in such
 * VPCs; of a VPC one is that it has ports of the node, and others are the ways to it through a service's
 * resources. The first reason of a node and the last one are moves, and give or take reasons elsewhere:
 *
 *	port -> endpoints of its VPC -> services of these -> load balancers behind them -> their VPCs
 *
 * A row of one of these kinds is looked at with the other rows as they are, and never looks at rows of its
 * own kind, so that it does not matter whether it is among them.
 *
 * A node that has left stays in the circle, with no reason, until it has reported the revision of that move:
 * until then it may still have something in force. As long as the move is remembered that costs nothing more;
 * after that the circle is in the list of what the node has *left*, which a report empties. So what a node
 * that is behind may have is known however much moves elsewhere, and it concerns nothing else.
 */
#include "audience.h"

#include <assert.h>

#include "../lib/fnv.h"
#include "../lib/vec.h"

#define SLOTS_FIRST 64

struct member {
	uint32_t node, n_reasons;
	uint64_t moved; /* the revision of its last move */
	bool is_left;	/* listed: its move is forgotten */
};

struct circle {
	struct circle *next;	/* in its slot */
	struct member *members; /* sorted by node */
	size_t n, size;
	size_t n_moves; /* that are remembered */
	struct share share;
};

struct move {
	uint64_t revision;
	struct circle *circle;
	uint32_t node;
};

/* Of a node that is told of something, or was. */
struct told_node {
	char name[WORD_SIZE * 2];
	uint64_t reached;     /* it has reported */
	uint64_t horizon;     /* what it left up to there is not known any more */
	struct circle **left; /* with a member of it that is_left */
	size_t n_left, left_size;
};

struct audience {
	struct told_node *nodes; /* a node's number is its place here */
	size_t n_nodes, nodes_size;
	uint32_t *by_name; /* their numbers, in the order of their names */
	size_t by_name_size;
	struct circle **slots;
	size_t n_slots, n_circles;
	struct move *moves; /* from `first` on, oldest first */
	size_t first, n_moves, moves_size;
	uint64_t forgotten; /* moves up to there */
	uint64_t loaded;    /* who was told of what before is not known */
	bool is_loading;    /* nothing moves */
};

/* What is under way. */
struct shift {
	struct audience *audience;
	const struct snapshot *rows;
	uint64_t revision;
	bool gives; /* reasons; else takes them */
};

int audience_new(struct audience **ret)
{
	struct audience *audience = calloc(1, sizeof(*audience));

	if (!audience)
		return -ENOMEM;
	*ret = audience;
	return 0;
}

static void circle_free(struct circle *circle)
{
	free(circle->members);
	free(circle);
}

void audience_clear(struct audience *audience)
{
	for (size_t i = 0; i < audience->n_slots; i++) {
		for (struct circle *c = audience->slots[i], *next; c; c = next) {
			next = c->next;
			circle_free(c);
		}
	}
	free(audience->slots);
	for (size_t i = 0; i < audience->n_nodes; i++)
		free(audience->nodes[i].left);
	free(audience->nodes);
	free(audience->by_name);
	free(audience->moves);
	*audience = (struct audience){};
}

struct audience *audience_free(struct audience *audience)
{
	if (audience)
		audience_clear(audience);
	free(audience);
	return NULL;
}

/* Nodes. */

static size_t place_of_node(const struct audience *audience, const char *name)
{
	return LOWER_BOUND(i, audience->n_nodes,
			   strcmp(audience->nodes[audience->by_name[i]].name, name) < 0);
}

static bool find_node(const struct audience *audience, const char *name, uint32_t *ret)
{
	size_t place = place_of_node(audience, name);

	if (place == audience->n_nodes || !streq(audience->nodes[audience->by_name[place]].name, name))
		return false;
	*ret = audience->by_name[place];
	return true;
}

/* Names stay: there are as many as nodes ever had ports. */
static int take_node(struct audience *audience, const char *name, uint32_t *ret)
{
	size_t place = place_of_node(audience, name), n = audience->n_nodes;

	if (find_node(audience, name, ret))
		return 0;
	if (VEC_ROOM(audience->nodes, n, audience->nodes_size) < 0 ||
	    VEC_ROOM(audience->by_name, n, audience->by_name_size) < 0)
		return -ENOMEM;
	audience->nodes[n] = (struct told_node){};
	(void)str_copy(audience->nodes[n].name, sizeof(audience->nodes[n].name), name);
	memmove(audience->by_name + place + 1, audience->by_name + place,
		(n - place) * sizeof(*audience->by_name));
	audience->by_name[place] = (uint32_t)n;
	audience->n_nodes++;
	*ret = (uint32_t)n;
	return 0;
}

/* Circles. */

static size_t slot_of(const struct audience *audience, const struct share *share)
{
	uint8_t to = (uint8_t)share->to;
	uint64_t hash = fnv_add(fnv_add(FNV_START, &to, sizeof(to)), share->id, strlen(share->id));

	return hash & (audience->n_slots - 1);
}

static struct circle *find_circle(const struct audience *audience, enum told_to to, const char *id)
{
	struct share share = {.to = to};
	struct circle *circle;

	if (!audience->n_slots || str_copy(share.id, sizeof(share.id), id) < 0)
		return NULL;
	circle = audience->slots[slot_of(audience, &share)];
	while (circle && (circle->share.to != to || !streq(circle->share.id, id)))
		circle = circle->next;
	return circle;
}

static void put_in_slot(struct audience *audience, struct circle *circle)
{
	struct circle **slot = &audience->slots[slot_of(audience, &circle->share)];

	circle->next = *slot;
	*slot = circle;
}

/* Twice the slots. */
static int grow(struct audience *audience)
{
	size_t n_old = audience->n_slots, n_slots = n_old ? 2 * n_old : SLOTS_FIRST;
	struct circle **old = audience->slots, **slots = calloc(n_slots, sizeof(struct circle *));

	if (!slots)
		return -ENOMEM;
	audience->slots = slots;
	audience->n_slots = n_slots;
	for (size_t i = 0; i < n_old; i++) {
		for (struct circle *c = old[i], *next; c; c = next) {
			next = c->next;
			put_in_slot(audience, c);
		}
	}
	free(old);
	return 0;
}

static struct circle *take_circle(struct audience *audience, enum told_to to, const char *id)
{
	struct circle *circle = find_circle(audience, to, id);

	if (circle)
		return circle;
	if (audience->n_circles >= audience->n_slots && grow(audience) < 0)
		return NULL;
	circle = calloc(1, sizeof(*circle));
	if (!circle)
		return NULL;
	circle->share.to = to;
	(void)str_copy(circle->share.id, sizeof(circle->share.id), id);
	put_in_slot(audience, circle);
	audience->n_circles++;
	return circle;
}

static void drop_circle(struct audience *audience, struct circle *circle)
{
	struct circle **link = &audience->slots[slot_of(audience, &circle->share)];

	while (*link != circle)
		link = &(*link)->next;
	*link = circle->next;
	audience->n_circles--;
	circle_free(circle);
}

static size_t place_of(const struct circle *circle, uint32_t node)
{
	return LOWER_BOUND(i, circle->n, circle->members[i].node < node);
}

static struct member *find_member(const struct circle *circle, uint32_t node)
{
	size_t place = circle ? place_of(circle, node) : 0;

	return circle && place < circle->n && circle->members[place].node == node ? &circle->members[place]
										  : NULL;
}

static struct member *take_member(struct circle *circle, uint32_t node)
{
	struct member *member = find_member(circle, node);
	size_t place;

	if (member)
		return member;
	if (VEC_ROOM(circle->members, circle->n, circle->size) < 0)
		return NULL;
	place = place_of(circle, node);
	member = circle->members + place;
	memmove(member + 1, member, (circle->n - place) * sizeof(*member));
	circle->n++;
	*member = (struct member){.node = node};
	return member;
}

/* Moves. */

static int note_move(struct audience *audience, struct circle *circle, struct member *member,
		     uint64_t revision)
{
	size_t end = audience->first + audience->n_moves;

	if (end == audience->moves_size && audience->first > audience->moves_size / 2) {
		memmove(audience->moves, audience->moves + audience->first,
			audience->n_moves * sizeof(*audience->moves));
		audience->first = 0;
		end = audience->n_moves;
	}
	if (VEC_ROOM(audience->moves, end, audience->moves_size) < 0)
		return -ENOMEM;
	audience->moves[end] = (struct move){.revision = revision, .circle = circle, .node = member->node};
	audience->n_moves++;
	circle->n_moves++;
	member->moved = revision;
	return 0;
}

/* Members without a reason. */

static void drop_member(struct audience *audience, struct circle *circle, struct member *member)
{
	struct told_node *node = &audience->nodes[member->node];

	node->horizon = MAX(node->horizon, member->moved);
	circle->n--;
	memmove(member, member + 1, (size_t)(circle->members + circle->n - member) * sizeof(*member));
	if (circle->n == 0 && circle->n_moves == 0)
		drop_circle(audience, circle);
}

/* Takes out of the node's list what it is told of again and what it has forgotten, and the oldest `n`. */
static void sweep_left(struct audience *audience, uint32_t number, size_t n)
{
	struct told_node *node = &audience->nodes[number];
	size_t kept = 0;

	for (size_t i = 0; i < node->n_left; i++) {
		struct circle *circle = node->left[i];
		struct member *member = find_member(circle, number);

		if (member->n_reasons == 0 && member->moved > node->reached && i >= n) {
			node->left[kept++] = circle;
			continue;
		}
		member->is_left = false;
		/* (One whose last move is remembered goes with that.) */
		if (member->n_reasons == 0 && member->moved <= audience->forgotten)
			drop_member(audience, circle, member);
	}
	node->n_left = kept;
}

/* It stays until the node has reported that. Of too many that is true of the younger half. */
static void keep_left(struct audience *audience, struct circle *circle, struct member *member)
{
	uint32_t number = member->node;
	struct told_node *node = &audience->nodes[number];

	if (node->n_left >= AUDIENCE_LEFT_MAX)
		sweep_left(audience, number, AUDIENCE_LEFT_MAX / 2);
	if (member->moved <= node->reached || VEC_ROOM(node->left, node->n_left, node->left_size) < 0) {
		drop_member(audience, circle, member);
		return;
	}
	node->left[node->n_left++] = circle;
	member->is_left = true;
}

void audience_reached(struct audience *audience, const char *node, uint64_t revision)
{
	uint32_t number;

	if (!find_node(audience, node, &number))
		return;
	audience->nodes[number].reached = revision;
	sweep_left(audience, number, 0);
}

/* A member without a reason is there for its last move, or listed. */
static void forget_move(struct audience *audience)
{
	const struct move move = audience->moves[audience->first];
	struct member *member = find_member(move.circle, move.node);

	audience->forgotten = move.revision;
	audience->first++;
	audience->n_moves--;
	move.circle->n_moves--;
	if (member && member->n_reasons == 0 && member->moved <= move.revision && !member->is_left)
		keep_left(audience, move.circle, member);
	else if (move.circle->n == 0 && move.circle->n_moves == 0)
		drop_circle(audience, move.circle);
}

/* Up to the next move of a later revision, as a part of one is of no use. */
static void forget_moves(struct audience *audience)
{
	while (audience->n_moves > AUDIENCE_MOVES_MAX ||
	       (audience->n_moves > 0 && audience->moves[audience->first].revision <= audience->forgotten))
		forget_move(audience);
}

/* Reasons. */

/* Gives a reason or takes one. 1: it was the first, or the last one. */
static int shift_reason(const struct shift *shift, struct circle *circle, uint32_t node)
{
	struct member *member = circle ? take_member(circle, node) : NULL;
	int r;

	if (!member)
		return -ENOMEM;
	assert(shift->gives || member->n_reasons > 0);
	if (shift->gives ? member->n_reasons++ > 0 : --member->n_reasons > 0)
		return 0;
	r = shift->audience->is_loading ? 0 : note_move(shift->audience, circle, member, shift->revision);
	return r < 0 ? r : 1;
}

static int shift_vpc(const struct shift *shift, const char *vpc, uint32_t node)
{
	int r = shift_reason(shift, take_circle(shift->audience, TOLD_VPC, vpc), node);

	return MIN(r, 0);
}

/* The way to a VPC through a resource of a service. */
static int shift_resource(const struct shift *shift, const char *resource, uint32_t node)
{
	const struct load_balancer *balancer = snapshot_load_balancer(shift->rows, resource);

	return balancer ? shift_vpc(shift, balancer->vpc, node) : 0;
}

static int shift_service(const struct shift *shift, const char *service, uint32_t node)
{
	int r = shift_reason(shift, take_circle(shift->audience, TOLD_SERVICE, service), node);

	if (r <= 0)
		return r;
	r = 0;
	for (const struct service_resource *v = NULL;
	     r == 0 && (v = snapshot_children(shift->rows, REF_SERVICE_RESOURCE_SERVICE, service, v));)
		r = shift_resource(shift, v->resource, node);
	return r;
}

static int shift_port(const struct shift *shift, const char *name, const char *vpc)
{
	uint32_t node;
	int r;

	r = take_node(shift->audience, name, &node);
	if (r == 0)
		r = shift_reason(shift, take_circle(shift->audience, TOLD_ENDPOINTS, vpc), node);
	if (r <= 0)
		return r;
	r = shift_vpc(shift, vpc, node);
	for (const struct endpoint *e = NULL;
	     r == 0 && (e = snapshot_children(shift->rows, REF_ENDPOINT_VPC, vpc, e));)
		r = shift_service(shift, e->service, node);
	return r;
}

static int shift_endpoint(const struct shift *shift, const char *vpc, const char *service)
{
	const struct circle *circle = find_circle(shift->audience, TOLD_ENDPOINTS, vpc);
	int r = 0;

	for (size_t i = 0; circle && r == 0 && i < circle->n; i++)
		if (circle->members[i].n_reasons > 0)
			r = shift_service(shift, service, circle->members[i].node);
	return r;
}

static int shift_service_resource(const struct shift *shift, const char *service, const char *resource)
{
	const struct circle *circle = find_circle(shift->audience, TOLD_SERVICE, service);
	int r = 0;

	for (size_t i = 0; circle && r == 0 && i < circle->n; i++)
		if (circle->members[i].n_reasons > 0)
			r = shift_resource(shift, resource, circle->members[i].node);
	return r;
}

/* Its ways to one VPC. */
static int shift_way(const struct shift *shift, const char *service, const char *vpc)
{
	const struct circle *circle = find_circle(shift->audience, TOLD_SERVICE, service);
	int r = 0;

	for (size_t i = 0; circle && r == 0 && i < circle->n; i++)
		if (circle->members[i].n_reasons > 0)
			r = shift_vpc(shift, vpc, circle->members[i].node);
	return r;
}

static int shift_balancer(const struct shift *shift, const char *balancer, const char *vpc)
{
	int r = 0;

	for (const struct service_resource *v = NULL;
	     r == 0 && (v = snapshot_children(shift->rows, REF_SERVICE_RESOURCE_RESOURCE, balancer, v));)
		r = shift_way(shift, v->service, vpc);
	return r;
}

static int shift_fact(const struct shift *shift, const struct audience_fact *fact)
{
	switch (fact->kind) {
	case KIND_PORT:
		return shift_port(shift, fact->from, fact->to);
	case KIND_ENDPOINT:
		return shift_endpoint(shift, fact->from, fact->to);
	case KIND_SERVICE_RESOURCE:
		return shift_service_resource(shift, fact->from, fact->to);
	case KIND_LOAD_BALANCER:
		return shift_balancer(shift, fact->from, fact->to);
	default:
		return 0;
	}
}

static struct audience_fact make_fact(enum kind kind, const char *from, const char *to)
{
	struct audience_fact fact = {.kind = kind};

	(void)str_copy(fact.from, sizeof(fact.from), from);
	(void)str_copy(fact.to, sizeof(fact.to), to);
	return fact;
}

struct audience_fact audience_fact(enum kind kind, const void *row)
{
	const struct service_resource *resource = row;
	const struct load_balancer *balancer = row;
	const struct endpoint *endpoint = row;
	const struct port *port = row;

	switch (row ? kind : KIND_COUNT_) {
	case KIND_PORT:
		return make_fact(*port->node ? kind : KIND_COUNT_, port->node, port->vpc);
	case KIND_ENDPOINT:
		return make_fact(kind, endpoint->vpc, endpoint->service);
	case KIND_SERVICE_RESOURCE:
		return make_fact(kind, resource->service, resource->resource);
	case KIND_LOAD_BALANCER:
		return make_fact(kind, balancer->id, balancer->vpc);
	default:
		return make_fact(KIND_COUNT_, "", "");
	}
}

static bool is_same(const struct audience_fact *a, const struct audience_fact *b)
{
	return a->kind == b->kind && streq(a->from, b->from) && streq(a->to, b->to);
}

int audience_change(struct audience *audience, const struct snapshot *rows,
		    const struct audience_fact *before, const struct audience_fact *after, uint64_t revision)
{
	struct shift shift = {.audience = audience, .rows = rows, .revision = revision, .gives = true};
	int r;

	if (is_same(before, after))
		return 0;
	/* Given first, so that what stays is not taken and given again. */
	r = shift_fact(&shift, after);
	shift.gives = false;
	if (r == 0)
		r = shift_fact(&shift, before);
	forget_moves(audience);
	return r;
}

/* Ports come last: until then nobody is told of anything, and the others have nothing to say. */
int audience_load(struct audience *audience, const struct snapshot *rows, uint64_t revision)
{
	const struct shift shift = {.audience = audience, .rows = rows, .gives = true};
	int r = 0;

	audience->forgotten = audience->loaded = revision;
	audience->is_loading = true;
	for (const struct port *p = NULL; r == 0 && (p = snapshot_next(rows, KIND_PORT, "", p));) {
		struct audience_fact fact = audience_fact(KIND_PORT, p);

		r = shift_fact(&shift, &fact);
	}
	audience->is_loading = false;
	return r;
}

static const struct member *member_of(const struct audience *audience, const struct share *share,
				      const char *node)
{
	uint32_t number;

	return find_node(audience, node, &number)
		       ? find_member(find_circle(audience, share->to, share->id), number)
		       : NULL;
}

bool audience_has(const struct audience *audience, const struct share *share, const char *node)
{
	const struct member *member;

	switch (share->to) {
	case TOLD_ALL:
		return true;
	case TOLD_NODE:
		return streq(share->id, node);
	case TOLD_VPC:
	case TOLD_ENDPOINTS:
	case TOLD_SERVICE:
		member = member_of(audience, share, node);
		return member && member->n_reasons > 0;
	default:
		return false;
	}
}

bool audience_came(const struct audience *audience, const struct share *share, const char *node,
		   uint64_t since)
{
	const struct member *member = member_of(audience, share, node);

	return member && member->n_reasons > 0 && member->moved > since;
}

bool audience_concerns(const struct audience *audience, const struct share *share, const char *node,
		       uint64_t since)
{
	const struct member *member;
	uint32_t number;

	if (share->to != TOLD_NOBODY && since < audience->loaded)
		return true;
	if (audience_has(audience, share, node))
		return true;
	if (share->to == TOLD_NOBODY || !find_node(audience, node, &number))
		return false;
	if (since < audience->nodes[number].horizon)
		return true;
	member = find_member(find_circle(audience, share->to, share->id), number);
	return member && member->moved > since;
}

int audience_moves(const struct audience *audience, const char *node, uint64_t after, audience_moved moved,
		   void *context)
{
	const struct move *moves = audience->moves + audience->first;
	uint32_t number = 0;
	int r = 0;

	if (after < audience->forgotten)
		return -EOVERFLOW;
	if (node && !find_node(audience, node, &number))
		return 0;
	for (size_t n = LOWER_BOUND(i, audience->n_moves, moves[i].revision <= after);
	     r >= 0 && n < audience->n_moves; n++)
		if (!node || moves[n].node == number)
			r = moved(context, &moves[n].circle->share);
	return MIN(r, 0);
}
