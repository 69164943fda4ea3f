/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of rows: one table of fields each. From it come JSON in and out, keys, and the names of enums.
 */
#pragma once

#include <jansson.h>

#include "rows.h"

enum kind {
	KIND_ACCOUNT,
	KIND_ACCESS_KEY,
	KIND_QUOTA,
	KIND_RAM_USER,
	KIND_RESOURCE_GROUP,
	KIND_NODE,
	KIND_VPC,
	KIND_VSWITCH,
	KIND_ADDRESS,
	KIND_SECURITY_GROUP,
	KIND_SG_RULE,
	KIND_INSTANCE,
	KIND_PORT,
	KIND_LOAD_BALANCER,
	KIND_LISTENER,
	KIND_SERVER_GROUP,
	KIND_SERVER,
	KIND_SERVER_HEALTH,
	KIND_SERVICE,
	KIND_SERVICE_RESOURCE,
	KIND_SERVICE_USER,
	KIND_ENDPOINT,
	KIND_ENDPOINT_ZONE,
	KIND_CONNECTION,
	KIND_CONNECTIVITY_TEST,
	KIND_CONNECTIVITY_WAY,
	KIND_NAT_RANGE,
	KIND_TAG,
	KIND_CLIENT_TOKEN,
	KIND_JOB,
	KIND_COUNTER,
	KIND_COUNT_,
};

enum field_type {
	FIELD_TEXT,	   /* char[size] */
	FIELD_TEXT_LIST,   /* char[max][size], count in another member */
	FIELD_SHARED,	   /* const char *, to less than `size` bytes; NULL is "" */
	FIELD_SHARED_LIST, /* const char (*)[size] of up to `max` texts, count in another member */
	FIELD_BOOL,
	FIELD_U32,
	FIELD_I32,
	FIELD_I64,
	FIELD_ENUM,   /* an enum, by its names */
	FIELD_ADDR,   /* struct netaddr; "" is zero */
	FIELD_PREFIX, /* struct netprefix */
	FIELD_MAC,
};

struct field {
	const char *name; /* in JSON: the member's own name */
	enum field_type type;
	size_t offset;
	size_t size;		  /* TEXT, SHARED and lists: bytes of one text */
	size_t count_offset, max; /* lists */
	const char *const *names; /* ENUM: NULL-terminated, by value; the API's words */
};

#define KEY_PARTS_MAX 3

struct kind_info {
	const char *name; /* first part of the key */
	size_t size;	  /* of the struct */
	const struct field *fields;
	size_t n_fields;
	const char *key[KEY_PARTS_MAX]; /* names of the fields that make the id; "%x": percent-encoded; "x|y":
					   y if x is 0 */
};

/* The row of the table of kinds. */
const struct kind_info *kind_info(enum kind kind);
/* The field whose member begins there; NULL: none does. */
const struct field *kind_field_at(enum kind kind, size_t offset);
/* The field that is all of the kind's ids, as it stands in the row; NULL: they are made of several, or
 * otherwise. */
const struct field *kind_own_id(enum kind kind);
/* The kind of a key "<kind>/…"; -EINVAL if there is none. */
int kind_of_key(const char *key, enum kind *ret);

/* The row's key. -E2BIG cannot happen with ids that fit their members. */
int row_key(enum kind kind, const void *row, char ret[KEY_SIZE]);

/* A new JSON object (the caller's), or NULL when out of memory. Members that are zero or empty are left out,
 * except enums, which always stand by name. */
json_t *row_to_json(enum kind kind, const void *row);

/* One member: what row_to_json() puts for it, and whether it leaves it out. */
json_t *field_to_json(const struct field *field, const void *row);
bool field_is_absent(const struct field *field, const void *row);
/* Whether the member is a pointer to what may be others', too. */
bool field_is_shared(const struct field *field);

/* What shared members of a row that has nothing there point to: an empty text, or list. */
extern const char row_nothing[];
/* Makes a row (kind_info()->size bytes) without anything: all members are zero, shared texts "". */
void row_clear(enum kind kind, void *ret);

/* Where the lists of a row that was read stand. */
struct row_lists {
	char bytes[2 * SECURITY_GROUPS_MAX * ID_SIZE];
};

/* Fills `ret` (kind_info()->size bytes; cleared first, so that absent members are zero). Its shared texts are
 * the json's, its shared lists stand in `lists`. Unknown members are ignored, so that an older program can
 * read a newer row. -EINVAL: a member of a wrong type or a value that does not fit; `ret_field`, if not NULL,
 * then names it. */
int row_from_json(enum kind kind, const json_t *json, void *ret, struct row_lists *lists,
		  const char **ret_field);

/* The same from a row's JSON as the store writes it, which is used up: shared texts stay in it. Of plain form
 * only (lib/plain.h; and no member that is unknown or there twice), which is quicker. -EOPNOTSUPP: it is not,
 * or is no row; row_from_json() tells. */
int row_from_text(enum kind kind, char *text, void *ret, struct row_lists *lists);

/* Put a value of JSON into a member of a row that was cleared; a shared text is borrowed. -EINVAL: the member
 * is of another type, or it does not fit. */
int field_put_text(const struct field *field, const char *text, void *row);
int field_put_number(const struct field *field, int64_t value, void *row);
int field_put_flag(const struct field *field, bool value, void *row);
/* Where the texts of a list go, `field->size` bytes each; a shared list's into `room`, which moves on. NULL:
 * it is no list. Their number is told at the end. */
char *field_begin_list(const struct field *field, void *row, char **room);
void field_end_list(const struct field *field, size_t n, void *row);

/* Names of states on the wire: enum_name(vpc_status_names, v->status). */
extern const char *const vpc_status_names[],
	*const vswitch_status_names[],
		*const sg_type_names[],
			*const sg_direction_names[],
				*const sg_policy_names[],
					*const instance_status_names[],
						*const instance_kind_names[],
							*const port_kind_names[],
								*const port_status_names[],
									*const lb_status_names[],
										*const lb_type_names[],
											*const listener_status_names[],
												*const server_group_status_names[],
													*const probe_type_names[],
														*const server_status_names[],
															*const service_status_names[],
																*const endpoint_status_names[],
																	*const zone_status_names[],
																		*const connection_status_names
																			[],
																				*const connectivity_status_names
																					[];
const char *enum_name(const char *const *names, unsigned int value); /* "?" if there is none of that value */
