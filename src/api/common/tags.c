/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of objects. Putting a tag that is there already is no error: Terraform sends the tags of a new object
 * twice.
 */
#include "tags.h"

#include <strings.h>

#include "../../model/check.h"
#include "listing.h"
#include "owned.h"
#include "quota_defaults.h"

static bool forbidden_text(const char *s)
{
	return strstr(s, "http://") || strstr(s, "https://") || str_starts(s, "aliyun") ||
	       str_starts(s, "acs:");
}

static bool key_ok(const char *s)
{
	int n = s ? utf8_length(s) : -EINVAL;

	return n >= 1 && n <= 64 && !forbidden_text(s);
}

static bool value_ok(const char *s)
{
	int n = utf8_length(s);

	return n >= 0 && n <= 128 && !forbidden_text(s);
}

static const struct tag *find_tag(const struct call *call, const char *resource, const char *key)
{

	for (const struct tag *t = NULL; (t = snapshot_children(call->rows, REF_TAG_RESOURCE, resource, t));)
		if (streq(t->key, key))
			return t;
	return NULL;
}

/* Checks the tags of the parameter "Tag" by themselves. */
static int check_tags(struct call *call, json_t *tags)
{
	json_t *tag, *other;
	size_t i, j;

	json_array_foreach(tags, i, tag) {
		const char *key = member_string(tag, "Key"), *value = member_string(tag, "Value");

		if (!key || !key[0])
			return call_fail_named(call, call_words(call)->no_tag_key, "TagKey");
		if (!key_ok(key))
			return call_fail_named(call, call_words(call)->tag_key, "TagKey");
		if (value && !value_ok(value))
			return call_fail_named(call, call_words(call)->tag_value, "TagValue");
		for (j = 0; j < i; j++) {
			other = json_array_get(tags, j);
			if (streq(member_string(other, "Key"), key))
				return call_fail(call, call_words(call)->tag_key_twice);
		}
	}
	return 0;
}

static int put_tags(struct call *call, const char *resource, const char *type, json_t *tags)
{
	size_t n, i;
	json_t *tag;

	n = snapshot_count_children(call->rows, REF_TAG_RESOURCE, resource);
	json_array_foreach(tags, i, tag) {
		const char *key = member_string(tag, "Key"), *value = member_string(tag, "Value");
		const struct tag *old = find_tag(call, resource, key);
		struct tag row = {};

		if (old)
			row = *old;
		else if (++n > TAGS_PER_RESOURCE_MAX)
			return call_fail(call, call_words(call)->too_many_tags);
		(void)str_copy(row.resource, sizeof(row.resource), resource);
		(void)str_copy(row.resource_type, sizeof(row.resource_type), type);
		(void)str_copy(row.key, sizeof(row.key), key);
		(void)str_copy(row.value, sizeof(row.value), value ? value : "");
		call_put(call, KIND_TAG, &row);
	}
	return 0;
}

int tags_create(struct call *call, const char *resource, const char *type)
{
	json_t *tags = call_list(call, "Tag");
	int r;

	if (!tags)
		return 0;
	r = check_tags(call, tags);
	return r < 0 ? r : put_tags(call, resource, type, tags);
}

void tags_drop(struct call *call, const char *resource)
{

	for (const struct tag *t = NULL; (t = snapshot_children(call->rows, REF_TAG_RESOURCE, resource, t));)
		call_delete(call, KIND_TAG, t);
}

bool tags_match(const struct call *call, const char *resource)
{
	json_t *tags = call_list(call, "Tag"), *wanted;
	size_t i;

	json_array_foreach(tags, i, wanted) {
		const char *key = member_string(wanted, "Key"), *value = member_string(wanted, "Value");
		const struct tag *tag = key ? find_tag(call, resource, key) : NULL;

		if (!tag || (value && value[0] && !streq(tag->value, value)))
			return false;
	}
	return true;
}

void tags_answer(const struct call *call, json_t *object, const struct answer_field *fields,
		 const char *resource)
{
	const struct answer_field *field = answer_find(fields, "Tags");
	json_t *list = answer_list(object, fields, "Tags");

	for (const struct tag *t = NULL; (t = snapshot_children(call->rows, REF_TAG_RESOURCE, resource, t));)
		(void)answer_entry(list, field, KIND_TAG, t);
}

/* NULL: the product has no such type. */
static const struct tagged_type *wanted_type(const struct call *call)
{
	const char *name = call_string(call, "ResourceType");

	for (const struct tagged_type *types = product_codes[call->product].tagged; types->name; types++)
		if (name && strcasecmp(types->name, name) == 0)
			return types;
	return NULL;
}

/* Whether the row is one of the type. */
static bool has_tags(const struct call *call, const struct tagged_type *type, const void *row)
{
	return row && (!type->accepts || type->accepts(call, type->kind, row));
}

/* All objects of ResourceId.N exist and are the caller's. */
static int check_resources(struct call *call, const struct tagged_type *type)
{
	json_t *ids = call_list(call, "ResourceId"), *id;
	size_t i;

	json_array_foreach(ids, i, id)
		if (!has_tags(call, type, owned_row(call, type->kind, json_string_value(id))))
			return call_fail(call, "InvalidResourceId.NotFound");
	return 0;
}

/* Each tag of each resource is a row, and a call is one transaction. The API refuses what has too many
 * resources by themselves with the same code. */
static int too_many_at_once(struct call *call, size_t n_tags)
{
	char detail[160];

	(void)str_format(detail, sizeof(detail),
			 "One call takes %d tags, counted for each resource: call it with %zu resources at a "
			 "time.",
			 TAGGED_PER_CALL_MAX, TAGGED_PER_CALL_MAX / n_tags);
	return call_fail_param(call, "ResourceId", detail);
}

int tag_resources(struct call *call)
{
	json_t *ids = call_list(call, "ResourceId"), *tags = call_list(call, "Tag"), *id;
	const struct tagged_type *type = wanted_type(call);
	size_t i;
	int r;

	if (!type)
		return call_fail_named(call, "Invalid{Name}", "ResourceType");
	r = check_resources(call, type);
	if (r < 0)
		return r;
	r = check_tags(call, tags);
	if (r < 0)
		return r;
	if (json_array_size(ids) * json_array_size(tags) > TAGGED_PER_CALL_MAX)
		return too_many_at_once(call, json_array_size(tags));
	json_array_foreach(ids, i, id) {
		r = put_tags(call, json_string_value(id), type->name, tags);
		if (r < 0)
			return r;
	}
	return 0;
}

int untag_resources(struct call *call)
{
	json_t *ids = call_list(call, "ResourceId"), *keys = call_list(call, "TagKey"), *id;
	const struct tagged_type *type = wanted_type(call);
	bool all = !keys && call_bool(call, "All", false);
	size_t i, n = 0;
	int r;

	if (!type)
		return call_fail_named(call, "Invalid{Name}", "ResourceType");
	r = check_resources(call, type);
	if (r < 0)
		return r;
	json_array_foreach(ids, i, id) {
		for (const struct tag *t = NULL;
		     (t = snapshot_children(call->rows, REF_TAG_RESOURCE, json_string_value(id), t));) {
			if (!all && !list_has(keys, t->key))
				continue;
			if (++n > TAGGED_PER_CALL_MAX)
				return too_many_at_once(call, TAGS_PER_RESOURCE_MAX);
			call_delete(call, KIND_TAG, t);
		}
	}
	return 0;
}

/* Whether this tag is one that the parameter "Tag" asks for. */
static bool tag_wanted(const struct call *call, const struct tag *tag)
{
	json_t *tags = call_list(call, "Tag"), *wanted;
	size_t i;

	if (!tags)
		return true;
	json_array_foreach(tags, i, wanted) {
		const char *key = member_string(wanted, "Key"), *value = member_string(wanted, "Value");

		if (key && streq(tag->key, key) && (!value || !value[0] || streq(tag->value, value)))
			return true;
	}
	return false;
}

/* Of an object that has all tags that are asked for, those that are asked for. */
static bool is_listed(const struct call *call, const void *row)
{
	const struct tag *tag = row;

	return filter_list(call, "ResourceId", tag->resource) && tag_wanted(call, tag) &&
	       tags_match(call, tag->resource);
}

int list_tag_resources(struct call *call)
{
	static const struct list_filter filters[] = {{"ResourceId", REF_TAG_RESOURCE}, {}};
	static const struct listing listing = {KIND_TAG, is_listed, .of = "ResourceType", .filters = filters};
	const struct tagged_type *type = wanted_type(call);
	int r;

	if (!type)
		return call_fail_named(call, "Invalid{Name}", "ResourceType");
	if (!call_list(call, "ResourceId") && !call_list(call, "Tag"))
		return call_fail(call, "MissingResourceIdOrTagParam");
	r = check_tags(call, call_list(call, "Tag"));
	if (r < 0)
		return r;
	return list_of_owned(call, &listing, REF_TAG_RESOURCE, type->kind, type->accepts);
}
