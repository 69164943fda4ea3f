/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A share that some node is told of has a *circle*: its nodes, and for each of them how many reasons there
 * are. Of a VPC's endpoints the reasons are the node's ports there; of a service they are endpoints in such
 * VPCs; of a VPC one is that it has ports of the node, and others are the services through which it
 * is reached. The first reason of a node and the last one are moves, and give or take reasons elsewhere:
 *
 *	port -> endpoints of its VPC -> services of these -> load balancers behind them -> their VPCs
 *
 * A row of one of these kinds is looked at with the other rows as they are, and never looks at rows of its
 * own kind, so that it does not matter whether it is among them.
 *
 * A service may have hundreds of resources, in few VPCs. So its circle has *ways*, whether any node is told
 * of it or not: the VPCs behind it, and for each how many resources lead there. The reason is the way.
 *
 * A node that has left stays in the circle, with no reason, until it has reported the revision of that move:
 * until then it may still have something in force. As long as the move is remembered that costs nothing more;
 * after that the circle is in the list of what the node has *left*, which a report empties. So what a node
 * that is behind may have is known however much moves elsewhere, and it concerns nothing else.
 *
 * Each node has the circles that it is a member of in the order of their shares, so that a list goes on where
 * it was, and what others are told of costs it nothing.
 */
#include "told_nodes.h"

#include <assert.h>

#include "../lib/fnv.h"
#include "../lib/vec.h"
#include "share_list.h"

#define SLOTS_FIRST 64

struct member {
	uint32_t node, n_reasons;
	uint64_t moved; /* the revision of its last move */
	uint32_t last;	/* that one's number, as long as it is remembered */
	bool is_left;	/* listed: its move is forgotten */
};

struct ways {
	size_t n;
	struct way {
		char vpc[ID_SIZE];
		uint32_t n_resources;
	} v[]; /* sorted by VPC */
};

struct circle {
	struct circle *next;	/* in its slot */
	struct member *members; /* sorted by node */
	struct ways *ways;	/* of a service that has some, else NULL */
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
	struct share_list shares; /* of the circles that have it as a member */
	uint64_t moved;		  /* the revision of its last move */
	uint64_t reached;	  /* it has reported */
	uint64_t horizon;	  /* what it left up to there is not known any more */
	struct circle **left;	  /* with a member of it that is_left */
	size_t n_left, left_size;
};

struct told_nodes {
	struct told_node *nodes; /* a node's number is its place here */
	size_t n_nodes, nodes_size;
	uint32_t *by_name; /* their numbers, in the order of their names */
	size_t by_name_size;
	struct circle **slots;
	size_t n_slots, n_circles;
	struct move *moves; /* from `first` on, oldest first */
	size_t first, n_moves, moves_size;
	uint32_t first_number; /* moves are counted; far fewer are remembered than there are numbers */
	uint64_t forgotten;    /* moves up to there */
	uint64_t loaded;       /* who was told of what before is not known */
	bool is_loading;       /* nothing moves */
};

/* What is under way. */
struct shift {
	struct told_nodes *told_nodes;
	const struct snapshot *rows;
	uint64_t revision;
	bool gives; /* reasons; else takes them */
};

int told_nodes_new(struct told_nodes **ret)
{
	struct told_nodes *told_nodes = calloc(1, sizeof(*told_nodes));

	if (!told_nodes)
		return -ENOMEM;
	*ret = told_nodes;
	return 0;
}

static void circle_free(struct circle *circle)
{
	free(circle->members);
	free(circle->ways);
	free(circle);
}

void told_nodes_clear(struct told_nodes *told_nodes)
{
	for (size_t i = 0; i < told_nodes->n_slots; i++) {
		for (struct circle *c = told_nodes->slots[i], *next; c; c = next) {
			next = c->next;
			circle_free(c);
		}
	}
	free(told_nodes->slots);
	for (size_t i = 0; i < told_nodes->n_nodes; i++) {
		share_list_done(&told_nodes->nodes[i].shares);
		free(told_nodes->nodes[i].left);
	}
	free(told_nodes->nodes);
	free(told_nodes->by_name);
	free(told_nodes->moves);
	*told_nodes = (struct told_nodes){};
}

struct told_nodes *told_nodes_free(struct told_nodes *told_nodes)
{
	if (told_nodes)
		told_nodes_clear(told_nodes);
	free(told_nodes);
	return NULL;
}

/* Nodes. */

static size_t place_of_node(const struct told_nodes *told_nodes, const char *name)
{
	return LOWER_BOUND(i, told_nodes->n_nodes,
			   strcmp(told_nodes->nodes[told_nodes->by_name[i]].name, name) < 0);
}

static bool find_node(const struct told_nodes *told_nodes, const char *name, uint32_t *ret)
{
	size_t place = place_of_node(told_nodes, name);

	if (place == told_nodes->n_nodes || !streq(told_nodes->nodes[told_nodes->by_name[place]].name, name))
		return false;
	*ret = told_nodes->by_name[place];
	return true;
}

/* Names stay: there are as many as nodes ever had ports. */
static int take_node(struct told_nodes *told_nodes, const char *name, uint32_t *ret)
{
	size_t place = place_of_node(told_nodes, name), n = told_nodes->n_nodes;

	if (find_node(told_nodes, name, ret))
		return 0;
	if (VEC_ROOM(told_nodes->nodes, n, told_nodes->nodes_size) < 0 ||
	    VEC_ROOM(told_nodes->by_name, n, told_nodes->by_name_size) < 0)
		return -ENOMEM;
	told_nodes->nodes[n] = (struct told_node){};
	(void)str_copy(told_nodes->nodes[n].name, sizeof(told_nodes->nodes[n].name), name);
	memmove(told_nodes->by_name + place + 1, told_nodes->by_name + place,
		(n - place) * sizeof(*told_nodes->by_name));
	told_nodes->by_name[place] = (uint32_t)n;
	told_nodes->n_nodes++;
	*ret = (uint32_t)n;
	return 0;
}

/* Circles. */

static size_t slot_of(const struct told_nodes *told_nodes, const struct share *share)
{
	uint8_t to = (uint8_t)share->to;
	uint64_t hash = fnv_add(fnv_add(FNV_START, &to, sizeof(to)), share->id, strlen(share->id));

	return hash & (told_nodes->n_slots - 1);
}

static struct circle *find_circle(const struct told_nodes *told_nodes, enum told_to to, const char *id)
{
	struct share share = {.to = to};
	struct circle *circle;

	if (!told_nodes->n_slots || str_copy(share.id, sizeof(share.id), id) < 0)
		return NULL;
	circle = told_nodes->slots[slot_of(told_nodes, &share)];
	while (circle && (circle->share.to != to || !streq(circle->share.id, id)))
		circle = circle->next;
	return circle;
}

static void put_in_slot(struct told_nodes *told_nodes, struct circle *circle)
{
	struct circle **slot = &told_nodes->slots[slot_of(told_nodes, &circle->share)];

	circle->next = *slot;
	*slot = circle;
}

/* Twice the slots. */
static int grow(struct told_nodes *told_nodes)
{
	size_t n_old = told_nodes->n_slots, n_slots = n_old ? 2 * n_old : SLOTS_FIRST;
	struct circle **old = told_nodes->slots, **slots = calloc(n_slots, sizeof(struct circle *));

	if (!slots)
		return -ENOMEM;
	told_nodes->slots = slots;
	told_nodes->n_slots = n_slots;
	for (size_t i = 0; i < n_old; i++) {
		for (struct circle *c = old[i], *next; c; c = next) {
			next = c->next;
			put_in_slot(told_nodes, c);
		}
	}
	free(old);
	return 0;
}

static struct circle *take_circle(struct told_nodes *told_nodes, enum told_to to, const char *id)
{
	struct circle *circle = find_circle(told_nodes, to, id);

	if (circle)
		return circle;
	if (told_nodes->n_circles >= told_nodes->n_slots && grow(told_nodes) < 0)
		return NULL;
	circle = calloc(1, sizeof(*circle));
	if (!circle)
		return NULL;
	circle->share.to = to;
	(void)str_copy(circle->share.id, sizeof(circle->share.id), id);
	put_in_slot(told_nodes, circle);
	told_nodes->n_circles++;
	return circle;
}

/* Unless there is something in it. */
static void drop_circle(struct told_nodes *told_nodes, struct circle *circle)
{
	struct circle **link = &told_nodes->slots[slot_of(told_nodes, &circle->share)];

	if (circle->n > 0 || circle->n_moves > 0 || circle->ways)
		return;
	while (*link != circle)
		link = &(*link)->next;
	*link = circle->next;
	told_nodes->n_circles--;
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

/* The share is that of a circle which has the node as a member. */
static const struct member *member_at(const struct share *share, uint32_t node)
{
	return find_member(container_of((struct share *)(uintptr_t)share, struct circle, share), node);
}

static struct member *take_member(struct told_nodes *told_nodes, struct circle *circle, uint32_t node)
{
	struct member *member = find_member(circle, node);
	size_t place;

	if (member)
		return member;
	if (VEC_ROOM(circle->members, circle->n, circle->size) < 0 ||
	    share_list_add(&told_nodes->nodes[node].shares, &circle->share) < 0)
		return NULL;
	place = place_of(circle, node);
	member = circle->members + place;
	memmove(member + 1, member, (circle->n - place) * sizeof(*member));
	circle->n++;
	*member = (struct member){.node = node};
	return member;
}

/* Ways. */

static int insert_way(struct circle *circle, size_t place, const char *vpc)
{
	size_t n = circle->ways ? circle->ways->n : 0;
	struct ways *ways = realloc(circle->ways, sizeof(*ways) + (n + 1) * sizeof(*ways->v));

	if (!ways)
		return -ENOMEM;
	circle->ways = ways;
	memmove(ways->v + place + 1, ways->v + place, (n - place) * sizeof(*ways->v));
	ways->v[place] = (struct way){};
	(void)str_copy(ways->v[place].vpc, sizeof(ways->v[place].vpc), vpc);
	ways->n = n + 1;
	return 0;
}

static void remove_way(struct circle *circle, size_t place)
{
	struct ways *ways = circle->ways;

	ways->n--;
	memmove(ways->v + place, ways->v + place + 1, (ways->n - place) * sizeof(*ways->v));
	if (ways->n > 0)
		return;
	free(ways);
	circle->ways = NULL;
}

/* A resource more leads to the VPC, or one less. 1: it was the first, or the last one. */
static int count_way(struct circle *circle, const char *vpc, bool more)
{
	size_t n = circle->ways ? circle->ways->n : 0;
	size_t place = LOWER_BOUND(i, n, strcmp(circle->ways->v[i].vpc, vpc) < 0);
	bool is_there = place < n && streq(circle->ways->v[place].vpc, vpc);

	assert(more || is_there);
	if (!is_there && insert_way(circle, place, vpc) < 0)
		return -ENOMEM;
	if (more)
		circle->ways->v[place].n_resources++;
	else
		circle->ways->v[place].n_resources--;
	if (circle->ways->v[place].n_resources > 0)
		return !is_there;
	remove_way(circle, place);
	return 1;
}

/* Moves. */

static int note_move(struct told_nodes *told_nodes, struct circle *circle, struct member *member,
		     uint64_t revision)
{
	size_t end = told_nodes->first + told_nodes->n_moves;

	if (end == told_nodes->moves_size && told_nodes->first > told_nodes->moves_size / 2) {
		memmove(told_nodes->moves, told_nodes->moves + told_nodes->first,
			told_nodes->n_moves * sizeof(*told_nodes->moves));
		told_nodes->first = 0;
		end = told_nodes->n_moves;
	}
	if (VEC_ROOM(told_nodes->moves, end, told_nodes->moves_size) < 0)
		return -ENOMEM;
	told_nodes->moves[end] = (struct move){.revision = revision, .circle = circle, .node = member->node};
	member->last = told_nodes->first_number + (uint32_t)told_nodes->n_moves;
	told_nodes->n_moves++;
	circle->n_moves++;
	member->moved = told_nodes->nodes[member->node].moved = revision;
	return 0;
}

/* Members without a reason. */

static void drop_member(struct told_nodes *told_nodes, struct circle *circle, struct member *member)
{
	struct told_node *node = &told_nodes->nodes[member->node];

	node->horizon = MAX(node->horizon, member->moved);
	share_list_remove(&node->shares, &circle->share);
	circle->n--;
	memmove(member, member + 1, (size_t)(circle->members + circle->n - member) * sizeof(*member));
	drop_circle(told_nodes, circle);
}

/* Takes out of the node's list what it is told of again and what it has forgotten, and the oldest `n`. */
static void sweep_left(struct told_nodes *told_nodes, uint32_t number, size_t n)
{
	struct told_node *node = &told_nodes->nodes[number];
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
		if (member->n_reasons == 0 && member->moved <= told_nodes->forgotten)
			drop_member(told_nodes, circle, member);
	}
	node->n_left = kept;
}

/* It stays until the node has reported that. Of too many that is true of the younger half. */
static void keep_left(struct told_nodes *told_nodes, struct circle *circle, struct member *member)
{
	uint32_t number = member->node;
	struct told_node *node = &told_nodes->nodes[number];

	if (node->n_left >= TOLD_NODES_LEFT_MAX)
		sweep_left(told_nodes, number, TOLD_NODES_LEFT_MAX / 2);
	if (member->moved <= node->reached || VEC_ROOM(node->left, node->n_left, node->left_size) < 0) {
		drop_member(told_nodes, circle, member);
		return;
	}
	node->left[node->n_left++] = circle;
	member->is_left = true;
}

void told_nodes_reached(struct told_nodes *told_nodes, const char *node, uint64_t revision)
{
	uint32_t number;

	if (!find_node(told_nodes, node, &number))
		return;
	told_nodes->nodes[number].reached = revision;
	sweep_left(told_nodes, number, 0);
}

/* A member without a reason is there for its last move, or listed. */
static void forget_move(struct told_nodes *told_nodes)
{
	const struct move move = told_nodes->moves[told_nodes->first];
	struct member *member = find_member(move.circle, move.node);

	told_nodes->forgotten = move.revision;
	told_nodes->first++;
	told_nodes->first_number++;
	told_nodes->n_moves--;
	move.circle->n_moves--;
	if (member && member->n_reasons == 0 && member->moved <= move.revision && !member->is_left)
		keep_left(told_nodes, move.circle, member);
	else
		drop_circle(told_nodes, move.circle);
}

/* Up to the next move of a later revision, as a part of one is of no use. */
static void forget_moves(struct told_nodes *told_nodes)
{
	while (told_nodes->n_moves > TOLD_NODES_MOVES_MAX ||
	       (told_nodes->n_moves > 0 &&
		told_nodes->moves[told_nodes->first].revision <= told_nodes->forgotten))
		forget_move(told_nodes);
}

/* Reasons. */

/* Gives a reason or takes one. 1: it was the first, or the last one. */
static int shift_reason(const struct shift *shift, struct circle *circle, uint32_t node)
{
	struct member *member = circle ? take_member(shift->told_nodes, circle, node) : NULL;
	int r;

	if (!member)
		return -ENOMEM;
	assert(shift->gives || member->n_reasons > 0);
	if (shift->gives ? member->n_reasons++ > 0 : --member->n_reasons > 0)
		return 0;
	r = shift->told_nodes->is_loading ? 0 : note_move(shift->told_nodes, circle, member, shift->revision);
	return r < 0 ? r : 1;
}

static int shift_vpc(const struct shift *shift, const char *vpc, uint32_t node)
{
	int r = shift_reason(shift, take_circle(shift->told_nodes, TOLD_VPC, vpc), node);

	return MIN(r, 0);
}

static int shift_service(const struct shift *shift, const char *service, uint32_t node)
{
	struct circle *circle = take_circle(shift->told_nodes, TOLD_SERVICE, service);
	int r = shift_reason(shift, circle, node);

	if (r <= 0)
		return r;
	r = 0;
	for (size_t i = 0; r == 0 && circle->ways && i < circle->ways->n; i++)
		r = shift_vpc(shift, circle->ways->v[i].vpc, node);
	return r;
}

static int shift_port(const struct shift *shift, const char *name, const char *vpc)
{
	uint32_t node;
	int r;

	r = take_node(shift->told_nodes, name, &node);
	if (r == 0)
		r = shift_reason(shift, take_circle(shift->told_nodes, TOLD_ENDPOINTS, vpc), node);
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
	const struct circle *circle = find_circle(shift->told_nodes, TOLD_ENDPOINTS, vpc);
	int r = 0;

	for (size_t i = 0; circle && r == 0 && i < circle->n; i++)
		if (circle->members[i].n_reasons > 0)
			r = shift_service(shift, service, circle->members[i].node);
	return r;
}

/* The way to a VPC through a resource of a service. */
static int shift_way(const struct shift *shift, const char *service, const char *vpc)
{
	struct circle *circle = take_circle(shift->told_nodes, TOLD_SERVICE, service);
	int r = circle ? count_way(circle, vpc, shift->gives) : -ENOMEM;

	if (r <= 0)
		return r;
	r = 0;
	for (size_t i = 0; r == 0 && i < circle->n; i++)
		if (circle->members[i].n_reasons > 0)
			r = shift_vpc(shift, vpc, circle->members[i].node);
	drop_circle(shift->told_nodes, circle);
	return r;
}

static int shift_service_resource(const struct shift *shift, const char *service, const char *resource)
{
	const struct load_balancer *balancer = snapshot_load_balancer(shift->rows, resource);

	return balancer ? shift_way(shift, service, balancer->vpc) : 0;
}

static int shift_balancer(const struct shift *shift, const char *balancer, const char *vpc)
{
	int r = 0;

	for (const struct service_resource *v = NULL;
	     r == 0 && (v = snapshot_children(shift->rows, REF_SERVICE_RESOURCE_RESOURCE, balancer, v));)
		r = shift_way(shift, v->service, vpc);
	return r;
}

static int shift_fact(const struct shift *shift, const struct told_nodes_fact *fact)
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

static struct told_nodes_fact make_fact(enum kind kind, const char *from, const char *to)
{
	struct told_nodes_fact fact = {.kind = kind};

	(void)str_copy(fact.from, sizeof(fact.from), from);
	(void)str_copy(fact.to, sizeof(fact.to), to);
	return fact;
}

struct told_nodes_fact told_nodes_fact(enum kind kind, const void *row)
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

static bool is_same(const struct told_nodes_fact *a, const struct told_nodes_fact *b)
{
	return a->kind == b->kind && streq(a->from, b->from) && streq(a->to, b->to);
}

int told_nodes_change(struct told_nodes *told_nodes, const struct snapshot *rows,
		      const struct told_nodes_fact *before, const struct told_nodes_fact *after,
		      uint64_t revision)
{
	struct shift shift = {.told_nodes = told_nodes, .rows = rows, .revision = revision, .gives = true};
	int r;

	if (is_same(before, after))
		return 0;
	/* Given first, so that what stays is not taken and given again. */
	r = shift_fact(&shift, after);
	shift.gives = false;
	if (r == 0)
		r = shift_fact(&shift, before);
	forget_moves(told_nodes);
	return r;
}

static int load_kind(const struct shift *shift, enum kind kind)
{
	int r = 0;

	for (const void *row = NULL; r == 0 && (row = snapshot_next(shift->rows, kind, "", row));) {
		struct told_nodes_fact fact = told_nodes_fact(kind, row);

		r = shift_fact(shift, &fact);
	}
	return r;
}

/* The ways are kept whoever is told; then ports: until there are some nobody is told of anything, and the
 * others have nothing to say. */
int told_nodes_load(struct told_nodes *told_nodes, const struct snapshot *rows, uint64_t revision)
{
	const struct shift shift = {.told_nodes = told_nodes, .rows = rows, .gives = true};
	int r;

	told_nodes->forgotten = told_nodes->loaded = revision;
	told_nodes->is_loading = true;
	r = load_kind(&shift, KIND_SERVICE_RESOURCE);
	if (r == 0)
		r = load_kind(&shift, KIND_PORT);
	told_nodes->is_loading = false;
	return r;
}

static const struct member *member_of(const struct told_nodes *told_nodes, const struct share *share,
				      const char *node)
{
	uint32_t number;

	return find_node(told_nodes, node, &number)
		       ? find_member(find_circle(told_nodes, share->to, share->id), number)
		       : NULL;
}

bool told_nodes_has(const struct told_nodes *told_nodes, const struct share *share, const char *node)
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
		member = member_of(told_nodes, share, node);
		return member && member->n_reasons > 0;
	default:
		return false;
	}
}

bool told_nodes_came(const struct told_nodes *told_nodes, const struct share *share, const char *node,
		     uint64_t since)
{
	const struct member *member = member_of(told_nodes, share, node);

	return member && member->n_reasons > 0 && member->moved > since;
}

bool told_nodes_concerns(const struct told_nodes *told_nodes, const struct share *share, const char *node,
			 uint64_t since)
{
	const struct member *member;
	uint32_t number;

	if (share->to != TOLD_NOBODY && since < told_nodes->loaded)
		return true;
	if (told_nodes_has(told_nodes, share, node))
		return true;
	if (share->to == TOLD_NOBODY || !find_node(told_nodes, node, &number))
		return false;
	if (since < told_nodes->nodes[number].horizon)
		return true;
	member = find_member(find_circle(told_nodes, share->to, share->id), number);
	return member && member->moved > since;
}

/* Of a member that moved often the last one counts. */
static bool is_last(const struct told_nodes *told_nodes, size_t n)
{
	const struct move *move = &told_nodes->moves[told_nodes->first + n];
	const struct member *member = find_member(move->circle, move->node);

	return member && member->last == told_nodes->first_number + (uint32_t)n;
}

/* NULL: one that is told of nothing and never was. */
static const struct told_node *node_named(const struct told_nodes *told_nodes, const char *name)
{
	uint32_t number;

	return find_node(told_nodes, name, &number) ? &told_nodes->nodes[number] : NULL;
}

bool told_nodes_knows(const struct told_nodes *told_nodes, const char *node, uint64_t after)
{
	const struct told_node *known = node_named(told_nodes, node);

	return after >= told_nodes->loaded && (!known || after >= known->horizon);
}

bool told_nodes_has_moved(const struct told_nodes *told_nodes, const char *node, uint64_t after)
{
	const struct told_node *known = node_named(told_nodes, node);

	return !told_nodes_knows(told_nodes, node, after) || (known && known->moved > after);
}

/* NULL: of any. */
static int remembered_moves(const struct told_nodes *told_nodes, const struct told_node *node, uint64_t after,
			    told_nodes_moved moved, void *context)
{
	const struct move *moves = told_nodes->moves + told_nodes->first;
	int r = 0;

	for (size_t n = LOWER_BOUND(i, told_nodes->n_moves, moves[i].revision <= after);
	     r >= 0 && n < told_nodes->n_moves; n++)
		if ((!node || node == &told_nodes->nodes[moves[n].node]) && is_last(told_nodes, n))
			r = moved(context, &moves[n].circle->share);
	return MIN(r, 0);
}

/* What members know themselves. */
struct own_moves {
	uint32_t node;
	uint64_t after;
	told_nodes_moved moved;
	void *context;
};

static int tell_own_move(void *context, const struct share *share, _unused_ bool is_asked)
{
	const struct own_moves *own = context;

	return member_at(share, own->node)->moved > own->after ? MIN(own->moved(own->context, share), 0) : 0;
}

int told_nodes_moves(const struct told_nodes *told_nodes, const char *node, uint64_t after,
		     told_nodes_moved moved, void *context)
{
	struct own_moves own = {.after = after, .moved = moved, .context = context};
	const struct share first = {};

	if (node ? !told_nodes_knows(told_nodes, node, after) : after < told_nodes->forgotten)
		return -EOVERFLOW;
	if (!node)
		return remembered_moves(told_nodes, NULL, after, moved, context);
	if (!find_node(told_nodes, node, &own.node) || told_nodes->nodes[own.node].moved <= after)
		return 0;
	if (after >= told_nodes->forgotten)
		return remembered_moves(told_nodes, &told_nodes->nodes[own.node], after, moved, context);
	return told_nodes_shares(told_nodes, node, 0, &first, tell_own_move, &own);
}

static bool is_asked(const struct member *member, uint64_t since)
{
	return since ? member->moved > since : member->n_reasons > 0;
}

int told_nodes_shares(const struct told_nodes *told_nodes, const char *node, uint64_t since,
		      const struct share *first, told_nodes_visit visit, void *context)
{
	struct share_cursor cursor;
	const struct share *share;
	uint32_t number;
	int r = 0;

	if (since && !told_nodes_knows(told_nodes, node, since))
		return -EOVERFLOW;
	if (!find_node(told_nodes, node, &number))
		return 0;
	cursor = share_list_from(&told_nodes->nodes[number].shares, first);
	while (r == 0 && (share = share_list_next(&told_nodes->nodes[number].shares, &cursor)))
		r = visit(context, share, is_asked(member_at(share, number), since));
	return r;
}
