/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows in memory: typed, sorted by key, each kind by itself. privlinkd keeps one that the store feeds; an
 * agent keeps one that privlinkd's feed fills with what concerns its node. Everything that decides (handlers,
 * control, plan) reads from here and nowhere else.
 */
#pragma once

#include "../lib/breath.h"
#include "relations.h"

struct snapshot;

/* Without rows, at revision 0. -ENOMEM. */
int snapshot_new(struct snapshot **ret);
struct snapshot *snapshot_free(struct snapshot *s);

/* Puts a row (as stored) or deletes it (json NULL). `revision` is that of the change. -EINVAL: not a row of
 * the key's kind, nothing changed. */
int snapshot_apply(struct snapshot *s, const char *key, const json_t *json, uint64_t created,
		   uint64_t revision);
/* Puts a row from its text, which is used up, if that is of plain form (row_from_text()); -EOPNOTSUPP: it is
 * not, nothing changed. */
int snapshot_apply_text(struct snapshot *s, const char *key, char *text, uint64_t created, uint64_t revision);
/* Removes all rows. */
void snapshot_clear(struct snapshot *s);
void snapshot_clear_breathing(struct snapshot *s, const struct breath *breath);
/* Each has what the other one had. Rows stay where they are. */
void snapshot_swap(struct snapshot *a, struct snapshot *b);

/* The revision that the snapshot stands at. */
uint64_t snapshot_revision(const struct snapshot *s);
void snapshot_set_revision(struct snapshot *s, uint64_t revision);

/* The row of that id (the key without "<kind>/"), or NULL. Borrowed: the pointer is valid until that very row
 * is changed or deleted, whatever happens to others. */
const void *snapshot_find(const struct snapshot *s, enum kind kind, const char *id);
/* The id of a row that came from a snapshot (no copy of one). Borrowed like the row. */
const char *snapshot_id(const void *row);

/* Walks the rows of a kind whose id starts with `prefix` ("" for all), in order:
 *	for (const struct vpc *v = NULL; (v = snapshot_next(s, KIND_VPC, "", v));)
 * Constant time per step after the first, logarithmic after a change. Rows may be put and deleted during the
 * walk, but not the one that is `previous`. */
const void *snapshot_next(const struct snapshot *s, enum kind kind, const char *prefix, const void *previous);
size_t snapshot_count(const struct snapshot *s, enum kind kind, const char *prefix);
/* The first row of the kind whose id is behind `id`, which need not be there; the n-th one, from 0. */
const void *snapshot_behind(const struct snapshot *s, enum kind kind, const char *id);
const void *snapshot_at(const struct snapshot *s, enum kind kind, size_t n);

/* Walks the rows that name `id` in that reference, in order:
 *	for (const struct vswitch *v = NULL; (v = snapshot_children(s, REF_VSWITCH_VPC, vpc->id, v));)
 * and of these only those within something, where the relation has it ("" for all): the objects of an account
 * within a region. Steps cost as with snapshot_next(), whatever else there is, and the same is promised; a
 *row may also come to name another one during the walk, `previous`, too. */
const void *snapshot_children_in(const struct snapshot *s, enum ref ref, const char *id, const char *within,
				 const void *previous);
static inline const void *snapshot_children(const struct snapshot *s, enum ref ref, const char *id,
					    const void *previous)
{
	return snapshot_children_in(s, ref, id, "", previous);
}
/* Their number, without a walk. */
size_t snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id, const char *within);
static inline size_t snapshot_count_children(const struct snapshot *s, enum ref ref, const char *id)
{
	return snapshot_count_children_in(s, ref, id, "");
}
/* Seeking in that walk: its first row whose id is behind `behind`, which need not be there; its n-th one,
 * from 0. NULL: it has none. The walk goes on from there. */
const void *snapshot_children_behind(const struct snapshot *s, enum ref ref, const char *id,
				     const char *within, const char *behind);
const void *snapshot_children_at(const struct snapshot *s, enum ref ref, const char *id, const char *within,
				 size_t n);
/* The same for the rows of a kind that belong to an account, in a region ("": in all). */
static inline const void *snapshot_owned(const struct snapshot *s, enum kind kind, int64_t owner,
					 const char *region, const void *previous)
{
	char uid[UID_TEXT_SIZE];

	relation_uid(owner, uid);
	return snapshot_children_in(s, relation_owner(kind), uid, region, previous);
}
static inline size_t snapshot_count_owned(const struct snapshot *s, enum kind kind, int64_t owner,
					  const char *region)
{
	char uid[UID_TEXT_SIZE];

	relation_uid(owner, uid);
	return snapshot_count_children_in(s, relation_owner(kind), uid, region);
}
/* How many rules of security groups, servers of server groups, or entries of services' whitelists an account
 * has, by their reference to the object; without a walk. Those whose object is not there are nobody's. 0 for
 * another reference. */
size_t snapshot_count_parts(const struct snapshot *s, enum ref ref, int64_t owner);

/* Whether a VPC, or a port, has that number; also the one of a port's MAC counts. Where two rows have the
 * same one, which is never in the store, it is not said when one has gone. */
bool snapshot_has_number(const struct snapshot *s, enum kind kind, uint32_t number);
/* How many of them are taken. */
size_t snapshot_count_numbers(const struct snapshot *s, enum kind kind);

/* The row that a row of the snapshot names there, and its kind; NULL: it names none that is there. */
const void *snapshot_parent(const struct snapshot *s, enum ref ref, const void *row, enum kind *ret);
/* Whether a row of the snapshot is a part of something that is gone; one that names nothing is no part. */
bool snapshot_is_orphan(const struct snapshot *s, enum kind kind, const void *row);
/* Whether a row that is no part of it names the row of that kind and id, by another reference than `besides`
 * (REF_COUNT_: by any). */
bool snapshot_is_used(const struct snapshot *s, enum kind kind, const char *id, enum ref besides);

/* Typed shorthands: snapshot_vpc(s, id) and so on. */
#define SNAPSHOT_GETTER(name, type, kind)                                                                    \
	static inline const struct type *snapshot_##name(const struct snapshot *s, const char *id)           \
	{                                                                                                    \
		return snapshot_find(s, kind, id);                                                           \
	}
SNAPSHOT_GETTER(vpc, vpc, KIND_VPC)
SNAPSHOT_GETTER(vswitch, vswitch, KIND_VSWITCH)
SNAPSHOT_GETTER(security_group, security_group, KIND_SECURITY_GROUP)
SNAPSHOT_GETTER(instance, instance, KIND_INSTANCE)
SNAPSHOT_GETTER(port, port, KIND_PORT)
SNAPSHOT_GETTER(load_balancer, load_balancer, KIND_LOAD_BALANCER)
SNAPSHOT_GETTER(listener, listener, KIND_LISTENER)
SNAPSHOT_GETTER(server_group, server_group, KIND_SERVER_GROUP)
SNAPSHOT_GETTER(service, service, KIND_SERVICE)
SNAPSHOT_GETTER(endpoint, endpoint, KIND_ENDPOINT)
SNAPSHOT_GETTER(connection, connection, KIND_CONNECTION)
SNAPSHOT_GETTER(node, node, KIND_NODE)
#undef SNAPSHOT_GETTER
const struct account *snapshot_account(const struct snapshot *s, int64_t uid);
const struct endpoint_zone *snapshot_endpoint_zone(const struct snapshot *s, const char *endpoint,
						   const char *zone);
