/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows by what they name: a long random history of puts (also such that a row names another one than before),
 * deletes and clears against plain arrays that are searched from end to end; walks that go on while rows
 * come, go and move; and single cases.
 */
#include <stdio.h>

#include "model/snapshot.h"

#include "../tap.h"

enum { ROWS = 48, STEPS = 12000 };

/* The plain arrays. A row that is not there has no id. */
static struct port ports[ROWS];
static struct endpoint_zone zones[ROWS];
static struct sg_rule rules[ROWS];
static struct server_health health[ROWS];

/* What the rows share. */
static char port_nodes[ROWS][ID_SIZE], port_vpcs[ROWS][ID_SIZE], port_groups[ROWS][4][ID_SIZE];
static char zone_resources[ROWS][ID_SIZE], zone_zones[ROWS][ZONE_SIZE];

static const struct {
	enum kind kind;
	char *rows;
	size_t size;
} arrays[] = {
	{KIND_PORT, (char *)ports, sizeof(ports[0])},
	{KIND_ENDPOINT_ZONE, (char *)zones, sizeof(zones[0])},
	{KIND_SG_RULE, (char *)rules, sizeof(rules[0])},
	{KIND_SERVER_HEALTH, (char *)health, sizeof(health[0])},
};

static int pick(int n)
{
	return (int)(random() % n);
}

static void name(char ret[ID_SIZE], const char *beginning, int n_names)
{
	/* One of them is empty. */
	int n = pick(n_names);

	if (n == 0)
		ret[0] = '\0';
	else
		(void)str_format(ret, ID_SIZE, "%s%d", beginning, n);
}

static void make_port(struct port *port, int k)
{
	static const char *const regions[] = {"", "cn-a", "cn-b"};
	static const char *const holders[] = {"i-", "ep-", "nlb-"};

	*port = (struct port){.owner = pick(3), .n_groups = (uint32_t)pick(4), .node = port_nodes[k]};
	port->groups = (const char(*)[ID_SIZE])port_groups[k];
	(void)str_format(port->id, ID_SIZE, "eni-%02d", k);
	port->region = regions[pick(3)];
	port->vpc = port_vpcs[k];
	name(port_vpcs[k], "vpc-", 5);
	name(port->holder, holders[pick(3)], 5);
	name(port_nodes[k], "node-", 3);
	for (uint32_t i = 0; i < port->n_groups; i++)
		name(port_groups[k][i], "sg-", 4); /* also one twice */
}

static void make_zone(struct endpoint_zone *zone, int k)
{
	*zone = (struct endpoint_zone){.resource = zone_resources[k], .resource_zone = zone_zones[k]};
	(void)str_format(zone->endpoint, ID_SIZE, "ep-%d", k / 4 + 1);
	(void)str_format(zone->zone, ZONE_SIZE, "zone-%d", k % 4);
	name(zone_resources[k], "nlb-", 4);
	zone_zones[k][0] = '\0';
	if (pick(2))
		(void)str_format(zone_zones[k], ZONE_SIZE, "zone-%d", pick(4));
	name(zone->port, "eni-0", 9);
}

static void make_rule(struct sg_rule *rule, int k)
{
	*rule = (struct sg_rule){};
	(void)str_format(rule->group, ID_SIZE, "sg-%d", k / 8);
	(void)str_format(rule->id, ID_SIZE, "sgr-%d", k);
	name(rule->other_group, "sg-", 4);
}

static void make_health(struct server_health *row, int k)
{
	*row = (struct server_health){.port = (uint32_t)k};
	(void)str_format(row->group, ID_SIZE, "sgp-%d", k / 8);
	(void)str_format(row->server_id, sizeof(row->server_id), "i-%d", k % 8);
	name(row->node, "node-", 3);
}

static void apply(struct snapshot *s, enum kind kind, const void *row, bool there)
{
	json_t *json = there ? row_to_json(kind, row) : NULL;
	char key[KEY_SIZE];

	(void)row_key(kind, row, key);
	if (snapshot_apply(s, key, json, 1, 1) < 0)
		tap_ok(false, "%s is applied", key);
	json_decref(json);
}

static bool is_there(const void *row)
{
	/* Behind the meta data every struct here begins with a text that is never empty. */
	return ((const char *)row)[sizeof(struct row_meta)] != '\0';
}

/* Puts or deletes a row of the array in both. `but`: one that is to stay. */
static void change_one(struct snapshot *s, size_t array, const void *but)
{
	int k = pick(ROWS);
	char *row = arrays[array].rows + (size_t)k * arrays[array].size, *id;
	char key[KEY_SIZE];

	if (is_there(row) && pick(3) == 0) {
		(void)row_key(arrays[array].kind, row, key);
		id = strchr(key, '/') + 1;
		if (but && streq(snapshot_id(but), id))
			return;
		apply(s, arrays[array].kind, row, false);
		memset(row, 0, arrays[array].size);
		return;
	}
	switch (arrays[array].kind) {
	case KIND_PORT:
		make_port((struct port *)row, k);
		break;
	case KIND_ENDPOINT_ZONE:
		make_zone((struct endpoint_zone *)row, k);
		break;
	case KIND_SG_RULE:
		make_rule((struct sg_rule *)row, k);
		break;
	default:
		make_health((struct server_health *)row, k);
	}
	apply(s, arrays[array].kind, row, true);
}

static void clear_all(struct snapshot *s)
{
	snapshot_clear(s);
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		memset(arrays[i].rows, 0, ROWS * arrays[i].size);
}

/* ---- the same question to both ---- */

struct question {
	size_t array;
	enum ref ref;
	char id[KEY_SIZE], within[ID_SIZE];
};

static bool in_groups(const struct port *port, const char *id)
{
	for (uint32_t i = 0; i < port->n_groups; i++)
		if (streq(port->groups[i], id))
			return true;
	return false;
}

/* Whether the row names it: each member by hand, not by the table. */
static bool matches(const struct question *q, const void *row)
{
	const struct port *port = row;
	const struct endpoint_zone *zone = row;
	const struct sg_rule *rule = row;
	const struct server_health *h = row;
	char text[KEY_SIZE];

	switch (q->ref) {
	case REF_PORT_OWNER:
		return port->owner == atoi(q->id) && (!*q->within || streq(port->region, q->within));
	case REF_PORT_VPC:
		return streq(port->vpc, q->id);
	case REF_PORT_HOLDER:
		return streq(port->holder, q->id);
	case REF_PORT_NODE:
		return streq(port->node, q->id);
	case REF_PORT_GROUPS:
		return in_groups(port, q->id);
	case REF_ENDPOINT_ZONE_ENDPOINT:
		return streq(zone->endpoint, q->id);
	case REF_ENDPOINT_ZONE_PORT:
		return streq(zone->port, q->id);
	case REF_ENDPOINT_ZONE_RESOURCE:
		return streq(zone->resource, q->id) && (!*q->within || streq(zone->zone, q->within));
	case REF_ENDPOINT_ZONE_RESOURCE_FAR:
		return streq(zone->resource, q->id) && (!*q->within || streq(zone->resource_zone, q->within));
	case REF_SG_RULE_GROUP:
		return streq(rule->group, q->id);
	case REF_SG_RULE_OTHER_GROUP:
		return streq(rule->other_group, q->id);
	case REF_SERVER_HEALTH_NODE:
		return streq(h->node, q->id);
	default:
		(void)str_format(text, sizeof(text), "%s/%s/%u", h->group, h->server_id, h->port);
		return streq(text, q->id);
	}
}

static void ask_something(struct question *q)
{
	static const struct {
		size_t array;
		enum ref ref;
		const char *id, *within; /* %d is a number below n */
		int n;
	} forms[] = {
		{0, REF_PORT_OWNER, "%d", "", 4},
		{0, REF_PORT_OWNER, "%d", "cn-a", 4},
		{0, REF_PORT_VPC, "vpc-%d", "", 6},
		{0, REF_PORT_HOLDER, "i-%d", "", 5},
		{0, REF_PORT_HOLDER, "nlb-%d", "", 5},
		{0, REF_PORT_NODE, "node-%d", "", 4},
		{0, REF_PORT_GROUPS, "sg-%d", "", 5},
		{1, REF_ENDPOINT_ZONE_ENDPOINT, "ep-%d", "", 14}, /* ep-1 is no beginning of ep-11 */
		{1, REF_ENDPOINT_ZONE_PORT, "eni-0%d", "", 9},
		{1, REF_ENDPOINT_ZONE_RESOURCE, "nlb-%d", "", 5},
		{1, REF_ENDPOINT_ZONE_RESOURCE, "nlb-%d", "zone-2", 5},
		{1, REF_ENDPOINT_ZONE_RESOURCE_FAR, "nlb-%d", "zone-3", 5},
		{2, REF_SG_RULE_GROUP, "sg-%d", "", 7},
		{2, REF_SG_RULE_OTHER_GROUP, "sg-%d", "", 5},
		{3, REF_SERVER_HEALTH_NODE, "node-%d", "", 4},
		{3, REF_SERVER_HEALTH_SERVER, "sgp-0/i-%d/3", "", 8},
	};
	int k = pick(ARRAY_SIZE(forms)), number = pick(forms[k].n);
	const char *place = strchr(forms[k].id, '%');

	*q = (struct question){.array = forms[k].array, .ref = forms[k].ref};
	(void)str_format(q->id, sizeof(q->id), "%.*s%d%s", (int)(place - forms[k].id), forms[k].id, number,
			 place + 2);
	(void)str_copy(q->within, sizeof(q->within), forms[k].within);
}

/* The first match behind `previous` ("": of all) in the order of ids; false: there is none. */
static bool naive_next(const struct question *q, const char *previous, char ret[KEY_SIZE])
{
	const char *rows = arrays[q->array].rows;
	bool found = false;

	for (size_t k = 0; k < ROWS; k++) {
		const void *row = rows + k * arrays[q->array].size;
		char key[KEY_SIZE], *id;

		if (!is_there(row) || !matches(q, row))
			continue;
		(void)row_key(arrays[q->array].kind, row, key);
		id = strchr(key, '/') + 1;
		if (strcmp(id, previous) <= 0 || (found && strcmp(id, ret) > 0))
			continue;
		(void)str_copy(ret, KEY_SIZE, id);
		found = true;
	}
	return found;
}

static bool next_is_right(const struct snapshot *s, const struct question *q, const void *previous,
			  const void **ret)
{
	char want[KEY_SIZE];
	bool there = naive_next(q, previous ? snapshot_id(previous) : "", want);

	*ret = snapshot_children_in(s, q->ref, q->id, q->within, previous);
	return there ? *ret && streq(snapshot_id(*ret), want) && matches(q, *ret) : !*ret;
}

/* From behind an id that a row of the kind may have, or have had, or none. */
static bool behind_is_right(const struct snapshot *s, const struct question *q)
{
	char id[KEY_SIZE] = "", want[KEY_SIZE];
	const void *row = arrays[q->array].rows + (size_t)pick(ROWS) * arrays[q->array].size, *found;
	bool there;

	if (is_there(row) && pick(4)) {
		(void)row_key(arrays[q->array].kind, row, id);
		memmove(id, strchr(id, '/') + 1, strlen(strchr(id, '/')));
		id[strlen(id) - (size_t)pick(2)] = '\0';
	}
	there = naive_next(q, id, want);
	found = snapshot_children_behind(s, q->ref, q->id, q->within, id);
	return there ? found && streq(snapshot_id(found), want) : !found;
}

static int walk_wrong(const struct snapshot *s, const struct question *q)
{
	int wrong = !behind_is_right(s, q);
	const void *v = NULL;
	size_t n = 0;

	do {
		wrong += !next_is_right(s, q, v, &v);
		wrong += snapshot_children_at(s, q->ref, q->id, q->within, n) != v;
		n += v != NULL;
	} while (v && !wrong);
	return wrong + (snapshot_count_children_in(s, q->ref, q->id, q->within) != n);
}

static void test_random_history(void)
{
	struct snapshot *s;
	int wrong = 0;

	(void)snapshot_new(&s);
	srandom(7);
	for (int step = 1; step <= STEPS; step++) {
		struct question q;

		change_one(s, (size_t)pick(ARRAY_SIZE(arrays)), NULL);
		if (step % 3000 == 0)
			clear_all(s);
		for (int i = 0; i < 8; i++) {
			ask_something(&q);
			wrong += walk_wrong(s, &q);
		}
	}
	tap_is_int(wrong, 0, "after each of %d random changes the children are those of the arrays", STEPS);
	clear_all(s);
	(void)snapshot_free(s);
}

/* Between two steps of a walk everything may happen but the deletion of the row at which it stands. */
static void test_walks_under_change(void)
{
	int wrong = 0, moved = 0, n = 0;
	struct snapshot *s;

	(void)snapshot_new(&s);
	srandom(8);
	for (int i = 0; i < STEPS / 4; i++) {
		const void *v = NULL;
		struct question q;

		ask_something(&q);
		do {
			for (int j = pick(3); j > 0; j--)
				change_one(s, q.array, v);
			moved += v && !matches(&q, v);
			wrong += !next_is_right(s, &q, v, &v);
			n++;
		} while (v && !wrong);
	}
	tap_is_int(wrong, 0, "walks go on right while rows come, go and move, in %d steps", n);
	tap_ok(moved > 50, "in %d of them the row where the walk stood had left", moved);
	clear_all(s);
	(void)snapshot_free(s);
}

static void test_single_cases(void)
{
	struct port port = {.id = "eni-1", .owner = 5, .holder = "ep-1", .region = "cn-a"};
	struct address address = {.vpc = "vpc-1", .port = "eni-1"};
	struct tag tag = {.resource = "eni-1", .key = "k"}, stray = {.resource = "vtb-1", .key = "k"};
	struct endpoint endpoint = {.id = "ep-1", .owner = 5};
	struct snapshot *s;
	enum kind kind = KIND_COUNT_;
	const void *v;

	(void)snapshot_new(&s);
	(void)netaddr_parse("10.0.0.1", &address.addr);
	apply(s, KIND_PORT, &port, true);
	apply(s, KIND_ADDRESS, &address, true);
	apply(s, KIND_TAG, &tag, true);
	apply(s, KIND_TAG, &stray, true);
	tap_ok(snapshot_owned(s, KIND_PORT, 5, "cn-a", NULL) &&
		       !snapshot_owned(s, KIND_PORT, 5, "cn-b", NULL),
	       "a port is its owner's, in its region");
	tap_ok(snapshot_count_owned(s, KIND_PORT, 5, "") == 1 &&
		       snapshot_count_owned(s, KIND_PORT, 6, "") == 0,
	       "and is counted");
	tap_ok(!snapshot_children(s, REF_PORT_NODE, "", NULL) &&
		       !snapshot_count_children(s, REF_PORT_NODE, ""),
	       "nothing has no children");
	v = snapshot_port(s, "eni-1");
	tap_ok(!snapshot_parent(s, REF_PORT_HOLDER, v, &kind) && snapshot_is_orphan(s, KIND_PORT, v),
	       "a port whose holder is not there is an orphan");
	v = snapshot_children(s, REF_ADDRESS_PORT, "eni-1", NULL);
	tap_ok(v && !snapshot_is_orphan(s, KIND_ADDRESS, v), "its address is none");
	v = snapshot_children(s, REF_TAG_RESOURCE, "vtb-1", NULL);
	tap_ok(v && !snapshot_is_orphan(s, KIND_TAG, v), "nor is what names nothing that is known");
	apply(s, KIND_ENDPOINT, &endpoint, true);
	v = snapshot_port(s, "eni-1");
	tap_ok(snapshot_parent(s, REF_PORT_HOLDER, v, &kind) == snapshot_endpoint(s, "ep-1") &&
		       kind == KIND_ENDPOINT && !snapshot_is_orphan(s, KIND_PORT, v),
	       "a port whose holder is there has it");
	tap_ok(!snapshot_is_used(s, KIND_PORT, "eni-1", REF_COUNT_), "parts do not use");
	apply(s, KIND_ENDPOINT_ZONE,
	      &(struct endpoint_zone){.endpoint = "ep-1", .zone = "z", .port = "eni-1"}, true);
	tap_ok(snapshot_is_used(s, KIND_PORT, "eni-1", REF_COUNT_), "others do");
	apply(s, KIND_SERVER_GROUP, &(struct server_group){.id = "sgp-1"}, true);
	apply(s, KIND_SERVER_GROUP, &(struct server_group){.id = "sgp-2", .load_balancer = "lb-1"}, true);
	v = snapshot_server_group(s, "sgp-1");
	tap_ok(!snapshot_is_orphan(s, KIND_SERVER_GROUP, v) &&
		       !snapshot_parent(s, REF_SERVER_GROUP_LOAD_BALANCER, v, &kind),
	       "what may be a part and names nothing is none");
	tap_ok(snapshot_is_orphan(s, KIND_SERVER_GROUP, snapshot_server_group(s, "sgp-2")),
	       "what names something that is gone was one");
	(void)snapshot_free(s);
}

/* ---- parts of an account's objects ---- */

enum { GROUPS = 6, ACCOUNTS = 3 };

/* The account of each group of rules and of servers, 0: it is not there; and which parts each has. */
struct plain_groups {
	int owners[2][GROUPS];
	bool parts[2][GROUPS][8];
};

static void apply_group(struct snapshot *s, size_t sort, int k, int owner, bool there)
{
	struct security_group sg = {.owner = owner};
	struct server_group sgp = {.owner = owner};

	/* Another member that is in the index, so that the row leaves it and comes back when it changes. */
	name(sort ? sgp.vpc : sg.vpc, "vpc-", 4);
	(void)str_format(sort ? sgp.id : sg.id, ID_SIZE, "g-%d", k);
	if (sort)
		apply(s, KIND_SERVER_GROUP, &sgp, there);
	else
		apply(s, KIND_SECURITY_GROUP, &sg, there);
}

static void apply_part(struct snapshot *s, size_t sort, int k, int part, bool there)
{
	struct sg_rule rule = {};
	struct server server = {.port = 1};

	(void)str_format(sort ? server.group : rule.group, ID_SIZE, "g-%d", k);
	(void)str_format(sort ? server.server_id : rule.id, ID_SIZE, "i-%d", part);
	if (sort)
		apply(s, KIND_SERVER, &server, there);
	else
		apply(s, KIND_SG_RULE, &rule, there);
}

/* Groups and parts come, change and go in any order, so that there are parts without their group, too. */
static void change_groups(struct snapshot *s, struct plain_groups *plain)
{
	size_t sort = (size_t)pick(2);
	int k = pick(GROUPS), part = pick(8);

	if (pick(4) > 0) {
		plain->parts[sort][k][part] = pick(3) > 0;
		apply_part(s, sort, k, part, plain->parts[sort][k][part]);
		return;
	}
	plain->owners[sort][k] = pick(ACCOUNTS + 1);
	apply_group(s, sort, k, plain->owners[sort][k], plain->owners[sort][k] != 0);
}

static size_t plain_count(const struct plain_groups *plain, size_t sort, int owner)
{
	size_t n = 0;

	for (int k = 0; k < GROUPS; k++)
		for (int part = 0; part < 8; part++)
			n += plain->owners[sort][k] == owner && plain->parts[sort][k][part];
	return n;
}

static void test_parts_of_accounts(void)
{
	static const enum ref refs[] = {REF_SG_RULE_GROUP, REF_SERVER_GROUP};
	struct plain_groups plain = {};
	int wrong = 0, orphans = 0;
	struct snapshot *s;

	(void)snapshot_new(&s);
	srandom(9);
	for (int step = 1; step <= STEPS; step++) {
		if (step % 3000 == 0) {
			snapshot_clear(s);
			plain = (struct plain_groups){};
		}
		change_groups(s, &plain);
		for (size_t sort = 0; sort < 2; sort++) {
			orphans += plain_count(&plain, sort, 0) > 0;
			for (int owner = 1; owner <= ACCOUNTS; owner++)
				wrong += snapshot_count_parts(s, refs[sort], owner) !=
					 plain_count(&plain, sort, owner);
		}
	}
	tap_is_int(wrong, 0, "after each of %d random changes an account has as many rules and servers",
		   STEPS);
	tap_ok(orphans > 50, "%d times there were some without their group", orphans);
	tap_is_int((int)snapshot_count_parts(s, REF_PORT_VPC, 1), 0, "others are not counted");
	(void)snapshot_free(s);
}

int main(void)
{
	test_random_history();
	test_walks_under_change();
	test_single_cases();
	test_parts_of_accounts();
	return tap_done();
}
