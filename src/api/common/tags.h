/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags: texts that callers hang on their objects and filter lists by. A row per tag, so that an object's tags
 * are a range of keys. The three tag actions of a product differ only in which kinds of objects they know.
 */
#pragma once

#include "../frame/action.h"

/* Puts the tags of the parameter "Tag", if there are any, on a new object. Fails the call for a bad one. */
int tags_create(struct call *call, const char *resource, const char *type);
/* Deletes all tags of an object that goes away. */
void tags_drop(struct call *call, const char *resource);
/* Whether the object has all tags of the parameter "Tag" (a tag without a value matches every value). */
bool tags_match(const struct call *call, const char *resource);
/* The member "Tags" of the table. */
void tags_answer(const struct call *call, json_t *object, const struct answer_field *fields,
		 const char *resource);

/* A kind of objects that a product's tag actions know; tables end with a NULL name. */
struct tagged_type {
	const char *name; /* ResourceType, compared without case */
	enum kind kind;
	/* Of the kind's rows only these; NULL: all. */
	bool (*accepts)(const struct call *call, enum kind kind, const void *row);
};

/* The actions that all products have. */
int tag_resources(struct call *call);
int untag_resources(struct call *call);
int list_tag_resources(struct call *call);
