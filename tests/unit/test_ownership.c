/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is another account's does not exist: Bob names an object of Alice's in every action that names
 * objects, as what the call is about and as what an object of his own is to be tied to, and finds it in no
 * list.
 */
#include "api_calls.h"

/* Ids that nobody has stand where Alice's do, of the same form. */
static void put_strange_ids(char *form)
{
	for (size_t i = 0; i < n_ids; i++) {
		const char *id = ids[i].id;
		size_t length = strlen(id);
		char *place = form;

		if (str_starts(ids[i].name, "{my_"))
			continue;
		while ((place = strstr(place, id))) {
			place += length;
			place[-1] = place[-1] == '7' ? '8' : '7';
		}
	}
}

/* What a call says, but for ids of Alice's in it. */
static const char *said(struct harness *h, const char *action, enum product product, const char *form)
{
	char text[1024];

	harness_call(h, BOB, product, action, "%s", form);
	(void)snprintf(text, sizeof(text), "%s: %s", h->error.code, h->error.message);
	put_strange_ids(text);
	return harness_keep(h, text);
}

/* What is there and another's is told in no word from what is not there. */
static void test_objects(struct harness *h)
{
	char form[1024];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *of_alice, *of_nobody;

		fill_in(form, sizeof(form), "", cases[i].form);
		harness_refused(h, BOB, cases[i].product, cases[i].code, cases[i].form, cases[i].action, "%s",
				form);
		of_alice = said(h, cases[i].action, cases[i].product, form);
		put_strange_ids(form);
		of_nobody = said(h, cases[i].action, cases[i].product, form);
		/* A service's id is given to those who shall ask to be let in. */
		if (streq(cases[i].code, "EndpointServiceNotAuthorized"))
			continue;
		if (!tap_ok(streq(of_alice, of_nobody), "%s says of what is not there the same",
			    cases[i].action))
			tap_note("%s; but: %s (%s)", of_alice, of_nobody, form);
	}
}

/* The first of Alice's ids in the answer; NULL: none is. */
static const char *shown(const struct harness *h)
{
	_cleanup_(freep) char *text = json_dumps(h->answer, JSON_COMPACT);

	for (size_t i = 0; text && i < n_ids; i++)
		if (!str_starts(ids[i].name, "{my_") && strstr(text, ids[i].id))
			return ids[i].name;
	return NULL;
}

/* A list, or what is wrong with it, but for ids of Alice's and the moment. */
static const char *listed(struct harness *h, const char *action, enum product product, const char *form)
{
	_cleanup_(freep) char *text = NULL;

	harness_call(h, BOB, product, action, "%s", form);
	if (!h->answer)
		return said(h, action, product, form);
	(void)json_object_del(h->answer, "RequestId");
	text = json_dumps(h->answer, JSON_COMPACT);
	harness_must(text ? 0 : -ENOMEM, "text");
	put_strange_ids(text);
	return harness_keep(h, text);
}

static void test_lists(struct harness *h)
{
	char form[1024];

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *seen, *of_alice, *of_nobody;

		fill_in(form, sizeof(form), "", lists[i].form);
		of_alice = listed(h, lists[i].action, lists[i].product, form);
		put_strange_ids(form);
		of_nobody = listed(h, lists[i].action, lists[i].product, form);
		if (!tap_ok(streq(of_alice, of_nobody), "%s %s: the same of what is not there",
			    lists[i].action, lists[i].form))
			tap_note("%s; but: %s", of_alice, of_nobody);
		fill_in(form, sizeof(form), "", lists[i].form);
		harness_call(h, BOB, lists[i].product, lists[i].action, "%s", form);
		seen = shown(h);
		if (!tap_ok(h->answer && !seen, "%s %s shows nothing of Alice's", lists[i].action,
			    lists[i].form))
			tap_note("%s%s", h->error.code, seen ? seen : "");
		harness_call(h, ALICE, lists[i].product, lists[i].action, "%s", form);
		if (!tap_ok(h->answer && shown(h), "which she finds by it herself"))
			tap_note("%s", h->error.code);
	}
}

static void test_all_are_here(void)
{
	static const enum product tested[] = {PL, VPC, ECS, NLB, RAM, RM, SLB, STS};

	for (size_t i = 0; i < ARRAY_SIZE(tested); i++) {
		const struct action *action = products[tested[i]].actions;

		while (action->name && is_tested(tested[i], action->name))
			action++;
		if (!tap_ok(!action->name, "every action of %s is here", products[tested[i]].name))
			tap_note("%s is not", action->name);
	}
}

int main(void)
{
	struct harness h;

	harness_begin(&h);
	harness_node(&h, "alpha", "");
	make_world(&h, ALICE);
	make_world(&h, BOB);
	test_objects(&h);
	test_lists(&h);
	test_all_are_here();
	harness_end(&h);
	return tap_done();
}
