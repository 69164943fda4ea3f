/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of objects. Putting a tag that is there already is no error: Terraform sends the tags of a new object
 * twice.
 */
#include "tags.h"

#include <strings.h>

#include "../../model/check.h"
#include "../frame/shape.h"
#include "limits.h"
#include "owned.h"

const struct param_spec tag_params[] = {
	{"Key", PARAM_STRING},
	{"Value", PARAM_STRING},
	{},
};

const struct param_spec tag_resources_params[] = {
	{"ResourceType", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_LIST, .required = true, .min = 1, .max = 50},
	{"Tag", PARAM_STRUCT_LIST, .required = true, .min = 1, .max = TAGS_PER_RESOURCE_MAX,
	 .members = tag_params},
	{},
};

const struct param_spec untag_resources_params[] = {
	{"ResourceType", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_LIST, .required = true, .min = 1, .max = 50},
	{"TagKey", PARAM_LIST, .min = 1, .max = TAGS_PER_RESOURCE_MAX},
	{"All", PARAM_BOOL},
	{},
};

const struct param_spec list_tag_resources_params[] = {
	{"ResourceType", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_LIST, .min = 1, .max = 50},
	{"Tag", PARAM_STRUCT_LIST, .min = 1, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"MaxResults", PARAM_INT, .min = 1, .max = 50},
	{"NextToken", PARAM_STRING},
	{},
};

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

void tags_answer(const struct call *call, json_t *object, const char *name, const char *wrap,
		 const char *key_name, const char *value_name, const char *resource)
{
	json_t *list = wrap ? shape_wrapped(object, name, wrap) : shape_list(object, name);

	for (const struct tag *t = NULL;
	     (t = snapshot_children(call->rows, REF_TAG_RESOURCE, resource, t));) {
		json_t *item = shape_item(list);

		answer_string(item, key_name, t->key);
		answer_string(item, value_name, t->value);
	}
}

static const struct tagged_type *wanted_type(struct call *call, const struct tagged_type *types)
{
	const char *name = call_string(call, "ResourceType");

	for (; types->name; types++)
		if (name && strcasecmp(types->name, name) == 0)
			return types;
	(void)call_fail_named(call, "Invalid{Name}", "ResourceType");
	return NULL;
}

/* All objects of ResourceId.N exist and are the caller's. */
static int check_resources(struct call *call, const struct tagged_type *type)
{
	json_t *ids = call_list(call, "ResourceId"), *id;
	size_t i;

	json_array_foreach(ids, i, id)
		if (!json_is_string(id) || !owned_row(call, type->kind, json_string_value(id)))
			return call_fail(call, "InvalidResourceId.NotFound");
	return 0;
}

int tags_tag_resources(struct call *call, const struct tagged_type *types)
{
	json_t *ids = call_list(call, "ResourceId"), *tags = call_list(call, "Tag"), *id;
	const struct tagged_type *type = wanted_type(call, types);
	size_t i;
	int r;

	if (!type)
		return -EBADMSG;
	r = check_resources(call, type);
	if (r < 0)
		return r;
	r = check_tags(call, tags);
	if (r < 0)
		return r;
	if (json_array_size(ids) * json_array_size(tags) > TAGGED_PER_CALL_MAX)
		return call_fail(call, "NumberExceed.Tags");
	json_array_foreach(ids, i, id) {
		r = put_tags(call, json_string_value(id), type->name, tags);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool key_listed(json_t *keys, const char *key)
{
	json_t *k;
	size_t i;

	json_array_foreach(keys, i, k)
		if (json_is_string(k) && streq(json_string_value(k), key))
			return true;
	return false;
}

int tags_untag_resources(struct call *call, const struct tagged_type *types)
{
	json_t *ids = call_list(call, "ResourceId"), *keys = call_list(call, "TagKey"), *id;
	const struct tagged_type *type = wanted_type(call, types);
	bool all = !keys && call_bool(call, "All", false);
	size_t i, n = 0;
	int r;

	if (!type)
		return -EBADMSG;
	r = check_resources(call, type);
	if (r < 0)
		return r;
	json_array_foreach(ids, i, id) {
		for (const struct tag *t = NULL;
		     (t = snapshot_children(call->rows, REF_TAG_RESOURCE, json_string_value(id), t));) {
			if (!all && !key_listed(keys, t->key))
				continue;
			if (++n > TAGGED_PER_CALL_MAX)
				return call_fail(call, "NumberExceed.Tags");
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

/* The tags of one object that are asked for and on the page. */
static void list_tags(const struct call *call, const char *resource, struct page *page, json_t *list)
{
	char id[KEY_SIZE];

	for (const struct tag *t = NULL;
	     (t = snapshot_children(call->rows, REF_TAG_RESOURCE, resource, t));) {
		json_t *item;

		if (!tag_wanted(call, t) || row_key(KIND_TAG, t, id) < 0 || !page_match(page, id))
			continue;
		item = shape_item(list);
		answer_string(item, "ResourceId", t->resource);
		answer_string(item, "ResourceType", t->resource_type);
		answer_string(item, "TagKey", t->key);
		answer_string(item, "TagValue", t->value);
	}
}

int tags_list_resources(struct call *call, const struct tagged_type *types, const char *wrap)
{
	const struct tagged_type *type = wanted_type(call, types);
	struct page page;
	json_t *list;
	int r;

	if (!type)
		return -EBADMSG;
	if (!call_list(call, "ResourceId") && !call_list(call, "Tag"))
		return call_fail(call, "MissingResourceIdOrTagParam");
	r = page_begin_token(call, &page, 50, 50);
	if (r < 0)
		return r;
	list = wrap ? shape_wrapped(call->answer, "TagResources", wrap)
		    : shape_list(call->answer, "TagResources");
	for (const void *v = NULL; (v = owned_next(call, type->kind, v));)
		if (filter_list(call, "ResourceId", snapshot_id(v)))
			list_tags(call, snapshot_id(v), &page, list);
	page_end(call, &page);
	return 0;
}
