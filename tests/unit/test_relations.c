/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of relations: that it has each member of each kind that is named like a reference, that it means
 * the members that it says, and what single ids name.
 */
#include "model/relations.h"

#include "../tap.h"

/* Members that are named like a kind of rows, and name none. Each is met, or the list is old. */
static struct {
	const char *kind, *member; /* kind "": of any */
	bool met;
} no_references[] = {
	{"", "zone", false},		       /* the catalogue's */
	{"", "zones", false},		       /* the same */
	{"", "slave_zone", false},	       /* the same */
	{"", "resource_zone", false},	       /* the same */
	{"", "replaced_resource_zone", false}, /* the same */
	{"tag", "key", false},		       /* a text */
	{"token", "token", false},	       /* a text */
	{"account", "uid", false},	       /* its own */
};

static bool is_no_reference(const char *kind, const char *member)
{
	for (size_t i = 0; i < ARRAY_SIZE(no_references); i++) {
		if (!streq(no_references[i].member, member) ||
		    (*no_references[i].kind && !streq(no_references[i].kind, kind)))
			continue;
		no_references[i].met = true;
		return true;
	}
	return false;
}

static const char *last_word(const char *name)
{
	const char *line = strrchr(name, '_');

	return line ? line + 1 : name;
}

/* "server_id", "vswitches" and "other_group" are named like kinds. */
static bool named_like(const char *member, const char *kind)
{
	const char *word = last_word(kind);
	char name[64];
	size_t length;

	(void)str_copy(name, sizeof(name), member);
	if (str_ends(name, "_id"))
		name[strlen(name) - strlen("_id")] = '\0';
	length = strlen(word);
	member = last_word(name);
	return strncmp(member, word, length) == 0 &&
	       (streq(member + length, "") || streq(member + length, "s") || streq(member + length, "es"));
}

static bool like_reference(const struct field *field)
{
	static const char *const words[] = {"owner", "uid", "holder", "resource"};

	if (field->type != FIELD_TEXT && field->type != FIELD_TEXT_LIST && field->type != FIELD_I64 &&
	    !field_is_shared(field))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(field->name, words[i]))
			return true;
	for (int kind = 0; kind < KIND_COUNT_; kind++)
		if (named_like(field->name, kind_info(kind)->name))
			return true;
	return false;
}

static const struct relation *find_relation(enum kind kind, const char *member)
{
	for (enum ref ref = 0; ref < REF_COUNT_; ref++) {
		const struct relation *relation = relation_info(ref);

		if (relation->kind == kind && relation->member && streq(relation->member, member))
			return relation;
	}
	return NULL;
}

static void test_none_is_forgotten(void)
{
	size_t n = 0;

	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		const struct kind_info *info = kind_info(kind);

		for (size_t i = 0; i < info->n_fields; i++) {
			const struct field *field = &info->fields[i];

			if (!like_reference(field) || is_no_reference(info->name, field->name))
				continue;
			n++;
			tap_ok(find_relation(kind, field->name), "%s.%s is a relation", info->name,
			       field->name);
		}
	}
	tap_ok(n > 50, "%zu members are named like references", n);
	for (size_t i = 0; i < ARRAY_SIZE(no_references); i++)
		tap_ok(no_references[i].met, "there is a member %s", no_references[i].member);
}

static const struct field *find_field(enum kind kind, const char *name)
{
	const struct kind_info *info = kind_info(kind);

	for (size_t i = 0; i < info->n_fields; i++)
		if (streq(info->fields[i].name, name))
			return &info->fields[i];
	return NULL;
}

static void test_members(enum ref ref)
{
	const struct relation *relation = relation_info(ref);
	const char *kind = kind_info(relation->kind)->name;
	const struct field *field;

	tap_ok(relation->parents, "reference %d of %s names something", (int)ref, kind);
	tap_ok(ref == 0 || relation_info(ref - 1)->kind <= relation->kind,
	       "it stands in the order of the kinds");
	tap_ok(relation_first(relation->kind) <= ref &&
		       relation_info(relation_first(relation->kind))->kind == relation->kind,
	       "and is found from the first one of its kind on");
	if (!relation->member)
		return;
	field = find_field(relation->kind, relation->member);
	tap_ok(field && field->offset == relation->offset && field->type == relation->type,
	       "%s.%s is that field", kind, relation->member);
	tap_ok(field && ((field->type != FIELD_TEXT_LIST && field->type != FIELD_SHARED_LIST) ||
			 (field->size == relation->size && field->max == relation->max &&
			  field->count_offset == relation->count_offset)),
	       "and a list is that list");
	/* The subject of a row that is gone is read from its key. */
	tap_ok(!(relation->follows & REF_MOVES) || relation_leads_key(ref),
	       "what moves with another has its id in front");
}

static int n_following(enum kind kind, unsigned int follows)
{
	int n = 0;

	for (enum ref ref = 0; ref < REF_COUNT_; ref++)
		n += relation_info(ref)->kind == kind && (relation_info(ref)->follows & follows);
	return n;
}

static void test_follows(void)
{
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		const char *name = kind_info(kind)->name;

		tap_ok(n_following(kind, REF_TOLD) <= 1, "%s: told with one other row, if any", name);
		tap_ok(n_following(kind, REF_MOVES) <= 1, "%s: moves with one other row, if any", name);
	}
	tap_is_int(relation_owner(KIND_VPC), REF_VPC_OWNER, "a VPC has an owner");
	tap_is_int(relation_owner(KIND_ADDRESS), REF_COUNT_, "an address has none");
	tap_ok(relation_has_parts(KIND_VPC) && !relation_has_parts(KIND_TAG),
	       "a VPC has parts, a tag has none");
	tap_is_int(relation_following(KIND_CONNECTION, REF_MOVES), REF_CONNECTION_ENDPOINT,
		   "a connection moves with its endpoint");
}

static bool is_listed(enum kind kind, const enum kind *kinds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

/* Who adds a kind says here, too, if it is no part of anything, and if nodes are not told it with something.
 */
static void test_each_kind_is_decided(void)
{
	static const enum kind own_objects[] = {
		KIND_ACCOUNT,	     KIND_QUOTA,    KIND_NODE,		KIND_VPC,     KIND_VSWITCH,
		KIND_SECURITY_GROUP, KIND_INSTANCE, KIND_LOAD_BALANCER, KIND_SERVICE, KIND_ENDPOINT,
		KIND_CLIENT_TOKEN,   KIND_JOB,	    KIND_COUNTER,
	};
	static const enum kind not_told[] = {
		KIND_ACCOUNT,
		KIND_ACCESS_KEY,
		KIND_QUOTA,
		KIND_RAM_USER,
		KIND_RESOURCE_GROUP,
		KIND_SERVICE_USER,
		KIND_CONNECTIVITY_WAY,
		KIND_TAG,
		KIND_CLIENT_TOKEN,
		KIND_JOB,
		KIND_COUNTER,
		KIND_NODE,
		KIND_VPC,
		KIND_SERVICE,
	};

	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		const char *name = kind_info(kind)->name;

		tap_ok(is_listed(kind, own_objects, ARRAY_SIZE(own_objects)) ==
			       (n_following(kind, REF_PART) == 0),
		       "%s: whether it is a part of something", name);
		tap_ok(is_listed(kind, not_told, ARRAY_SIZE(not_told)) == (n_following(kind, REF_TOLD) == 0),
		       "%s: whether it is told with something", name);
	}
}

static void test_parents(void)
{
	static const struct {
		enum ref ref;
		const char *id;
		int kind; /* -1: none */
	} cases[] = {
		{REF_VSWITCH_VPC, "whatever", KIND_VPC},
		{REF_PORT_HOLDER, "i-1", KIND_INSTANCE},
		{REF_PORT_HOLDER, "ep-1", KIND_ENDPOINT},
		{REF_PORT_HOLDER, "nlb-1", KIND_LOAD_BALANCER},
		{REF_PORT_HOLDER, "lb-1", KIND_LOAD_BALANCER},
		{REF_PORT_HOLDER, "epsrv-1", -1},
		{REF_PORT_HOLDER, "", -1},
		{REF_TAG_RESOURCE, "sg-1", KIND_SECURITY_GROUP},
		{REF_TAG_RESOURCE, "sgp-1", KIND_SERVER_GROUP},
		{REF_TAG_RESOURCE, "epsrv-1", KIND_SERVICE},
		{REF_TAG_RESOURCE, "vtb-1", -1},
		{REF_SERVER_SERVER_ID, "eni-1", KIND_PORT},
		{REF_SERVER_SERVER_ID, "10.0.0.1", -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum kind kind;
		int r = relation_parent(cases[i].ref, cases[i].id, &kind);

		tap_is_int(r < 0 ? -1 : (int)kind, cases[i].kind, "what '%s' names", cases[i].id);
	}
}

static void test_ids(void)
{
	struct port port = {.id = "eni-1",
			    .owner = 7,
			    .groups = (const char[][ID_SIZE]){"sg-1", "sg-2"},
			    .n_groups = 2,
			    .region = "cn-hangzhou"};
	char text[UID_TEXT_SIZE];

	tap_is_str(relation_id(REF_PORT_OWNER, &port, 0, text), "7", "an account is named by its number");
	tap_is_str(relation_within(REF_PORT_OWNER, &port), "cn-hangzhou", "within a region");
	tap_is_str(relation_within(REF_PORT_GROUPS, &port), "", "groups are within nothing");
	tap_is_str(relation_id(REF_PORT_GROUPS, &port, 1, text), "sg-2", "a list has several");
	tap_ok(!relation_id(REF_PORT_GROUPS, &port, 2, text), "and an end");
	tap_is_str(relation_id(REF_PORT_NODE, &port, 0, text), "", "what is empty names nothing");
	tap_ok(!relation_id(REF_PORT_NODE, &port, 1, text), "and is one");
	tap_ok(relation_leads_key(REF_TAG_RESOURCE) && !relation_leads_key(REF_PORT_VPC) &&
		       !relation_leads_key(REF_SERVER_HEALTH_SERVER),
	       "whose keys begin with it");
}

int main(void)
{
	test_none_is_forgotten();
	for (enum ref ref = 0; ref < REF_COUNT_; ref++)
		test_members(ref);
	test_follows();
	test_each_kind_is_decided();
	test_parents();
	test_ids();
	return tap_done();
}
