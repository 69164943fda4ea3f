/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of accounts: one for all that an account has on the node, the same from plan to plan and from agent
 * to agent, since open flows hold on to it.
 */
#include "plan_world.h"

static uint32_t account_of(const struct world *w, const char *instance)
{
	for (size_t i = 0; i < w->plan->n_ports; i++)
		if (streq(w->plan->ports[i].instance, instance))
			return w->plan->ports[i].limit.account;
	return UINT32_MAX;
}

static uint32_t slot_of(const struct world *w, const char *instance)
{
	for (size_t i = 0; i < w->plan->n_ports; i++)
		if (streq(w->plan->ports[i].instance, instance))
			return w->plan->ports[i].slot;
	return UINT32_MAX;
}

static void test_owners(void)
{
	uint32_t consumer, provider;
	struct world w;

	world_new(&w);
	world_instance(&w, "n", 104, "n", ZONE_H, "10.0.1.20", "sg-c", "n1");
	world_vpc(&w, "n", 12);
	world_plan(&w);
	consumer = account_of(&w, "i-c");
	provider = account_of(&w, "i-p1");
	tap_ok(consumer && provider && consumer != provider, "each account has a number");
	tap_is_int(account_of(&w, "i-p2"), provider, "which is that of all of its ports");
	tap_ok(find_eni(w.plan, ZONE_H)->limit.account == consumer &&
		       find_eni(w.plan, ZONE_I)->limit.account == consumer,
	       "an endpoint's interfaces are its owner's, not its service's");
	tap_ok(account_of(&w, "i-n") != consumer && account_of(&w, "i-n") != provider,
	       "a third one has another");
	rows_put(w.rows, "instance/i-p2",
		 "{'id': 'i-p2', 'zone': '" ZONE_I "', 'vpc': 'vpc-p', 'node': 'n1', 'kind': 'netns', "
		 "'port': 'eni-p2', 'status': 'Running'}");
	world_plan(&w);
	tap_is_int(account_of(&w, "i-p2"), 0, "what nobody owns is no account's");
	tap_ok(account_of(&w, "i-c") == consumer && account_of(&w, "i-p1") == provider,
	       "numbers stay from plan to plan");
	world_free(&w);
}

/* They are found by the slots that had them. */
static void test_next_agent(void)
{
	uint32_t slots[3];
	struct world w;

	world_new(&w);
	world_plan(&w);
	slots[0] = slot_of(&w, "i-c");
	slots[1] = slot_of(&w, "i-p1");
	slots[2] = slot_of(&w, "i-p2");
	plan_indexes_free(w.indexes);
	plan_indexes_new(&w.indexes);
	for (int i = 0; i < 3; i++)
		(void)plan_indexes_adopt_slot(w.indexes, (const uint32_t[]){100, 101, 102}[i], slots[i]);
	tap_is_int(plan_indexes_adopt_account(w.indexes, slots[0], 500), 0, "a slot's account is taken over");
	(void)plan_indexes_adopt_account(w.indexes, slots[1], 40);
	(void)plan_indexes_adopt_account(w.indexes, slots[2], 40);
	(void)plan_indexes_adopt_account(w.indexes, 6000, 700);
	tap_is_int(plan_indexes_adopt_account(w.indexes, 6001, 0), 0, "and one that has none is none's");
	world_vpc(&w, "n", 12);
	world_instance(&w, "n", 104, "n", ZONE_H, "10.0.1.20", "sg-c", "n1");
	world_plan(&w);
	tap_is_int(account_of(&w, "i-c"), 500, "its owner has the number that it had");
	tap_ok(account_of(&w, "i-p1") == 40 && account_of(&w, "i-p2") == 40, "also one with several ports");
	tap_is_int(find_eni(w.plan, ZONE_H)->limit.account, 500, "what is new of the account has it, too");
	tap_is_int(account_of(&w, "i-n"), 701, "a new account is behind all that were found");

	/* two slots of one account that do not agree, and two accounts whose slots do */
	plan_indexes_free(w.indexes);
	plan_indexes_new(&w.indexes);
	for (int i = 0; i < 3; i++)
		(void)plan_indexes_adopt_slot(w.indexes, (const uint32_t[]){100, 101, 102}[i], slots[i]);
	(void)plan_indexes_adopt_account(w.indexes, slots[0], 41);
	(void)plan_indexes_adopt_account(w.indexes, slots[1], 41);
	(void)plan_indexes_adopt_account(w.indexes, slots[2], 42);
	world_plan(&w);
	tap_ok(account_of(&w, "i-p1") == account_of(&w, "i-p2") &&
		       account_of(&w, "i-p1") != account_of(&w, "i-c"),
	       "whatever was found, an account has one number, and no two have the same");
	world_free(&w);
}

/* One that is free again comes last of all. */
static void test_given_back(void)
{
	uint32_t provider;
	struct world w;

	world_new(&w);
	world_plan(&w);
	provider = account_of(&w, "i-p1");
	rows_delete(w.rows, "instance/i-p1");
	rows_delete(w.rows, "instance/i-p2");
	world_plan(&w);
	world_vpc(&w, "n", 12);
	world_instance(&w, "n", 104, "n", ZONE_H, "10.0.1.20", "sg-c", "n1");
	world_plan(&w);
	tap_ok(account_of(&w, "i-n") && account_of(&w, "i-n") != provider,
	       "an account that comes does not have the number of one that has gone");
	world_free(&w);
}

int main(void)
{
	test_owners();
	test_next_agent();
	test_given_back();
	return tap_done();
}
