/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which port is made or removed next, on the running kernel, when there are more than there is time for: the
 * budget of a sync of all, the queue and its turns, what is told of it, and the pauses of what is removed
 * again and again.
 */
#include "ports/port_state.h"
#include "ports_world.h"

static uint64_t frozen_ms; /* 0: the clock runs */

uint64_t __real_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void)
{
	return frozen_ms ? frozen_ms : __real_now_mono_ms();
}

/* Ports that take longer each than a sync has time for. */
static void test_budget(struct ports *ports, struct attached *attached)
{
	struct plan_port three[] = {make_port(0x31, INSTANCE_NETNS), make_port(0x32, INSTANCE_NETNS),
				    make_port(0x33, INSTANCE_NETNS)};
	struct plan plan = {.ports = three, .n_ports = 3}, empty = {};
	struct failures failures = {};
	int before = attached->calls;

	attached->delay_us = 250000;
	for (int i = 1; i <= 3; i++) {
		tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "sync %d of many ports", i);
		tap_is_int(attached->calls - before, i, "has time for one more of them");
		tap_is_int(ports_ifindex(ports, 0x30 + i) != 0, 1, "which the plan can ask for at once");
		tap_is_int(ports_are_behind(ports), i < 3, "and says whether there are more to make");
	}
	attached->delay_us = 0;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 0, "then nothing is left to do");
	tap_is_int((int)failures.n, 0, "and to be late was no failure");
	(void)ports_remove_others(ports, &empty, true);
	failures_clear(&failures);
}

/* As the agent does it: the first result that is negative, or how many devices came. */
static int work_queue_off(struct ports *ports, const struct plan *plan)
{
	struct pollfd fd = {.fd = ports_fd(ports), .events = POLLIN};
	char instance[ID_SIZE];
	int r = 0, came = 0;

	while (r >= 0 && ports_go_on(ports, plan, true) == 0 && ports_are_queued(ports)) {
		(void)poll(&fd, 1, -1);
		r = ports_take_done(ports, instance);
		came += r > 0;
	}
	return r < 0 ? r : came;
}

/* Of two ports the one. */
static void test_some(struct ports *ports, struct attached *attached)
{
	struct plan_port two[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS)};
	struct plan plan = {.ports = two, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x42, 0x43};
	struct rtnl_link link;
	int before = attached->calls, swept = attached->n_swept;

	tap_is_int(ports_queue(ports, &plan, numbers, 2), 0, "one of two ports is queued");
	tap_is_int(work_queue_off(ports, &plan), 1, "and made");
	tap_ok(attached->calls == before + 1 && link_in(NULL, "pl42", &link) && !link_in(NULL, "pl41", &link),
	       "and no other one");
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_ok(!ports_are_queued(ports), "then it is left alone");
	two[1].up = false;
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_is_int(work_queue_off(ports, &plan), 0, "when it stops its device stays");
	tap_ok(link_in(NULL, "pl42", &link) && !link.is_up, "and is down");
	(void)ports_queue(ports, &empty, numbers, 2);
	tap_ok(ports_go_on(ports, &empty, false) == 0 && !ports_are_queued(ports) &&
		       link_in(NULL, "pl42", &link),
	       "what is not wanted any more stays while nothing may be removed");
	(void)ports_queue(ports, &empty, numbers, 2);
	tap_is_int(work_queue_off(ports, &empty), 0, "else it is removed");
	tap_ok(!link_in(NULL, "pl42", &link) && netns_open(two[1].instance) == -ENOENT,
	       "with its device and its namespace");
	tap_ok(attached->n_swept == swept + 1 && attached->swept_slot == two[1].slot,
	       "and with what was left of its programs");

	two[1].up = true;
	two[1].kind = INSTANCE_ATTACHED;
	(void)str_copy(two[1].path, sizeof(two[1].path), "/nowhere");
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_is_int(work_queue_off(ports, &plan), -EAGAIN, "one that cannot be made says so");
	tap_is_int(ports_queue(ports, &plan, numbers, 2), -EAGAIN, "until a sync of all has named it");
	(void)ports_remove_others(ports, &empty, false);
}

/* The kernel lets whoever attaches programs wait. */
static void test_waiting(struct ports *ports, struct attached *attached)
{
	struct plan_port three[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS),
				    make_port(0x43, INSTANCE_NETNS)};
	struct plan plan = {.ports = three, .n_ports = 3}, two = {.ports = three, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x42, 0x43, 0x41};
	struct failures failures = {};
	char instance[ID_SIZE] = "";
	struct rtnl_link link;
	int before = attached->calls;

	attached->is_held = true;
	tap_is_int(ports_queue(ports, &plan, numbers, 3), 0, "three ports are queued");
	tap_is_int(ports_go_on(ports, &plan, true), 0, "and the first one is begun,");
	tap_ok(ports_are_busy(ports) && ports_take_done(ports, instance) == 0,
	       "for which nobody waits who does not want to");
	tap_is_int(ports_go_on(ports, &plan, true), 0, "another one is not begun beside it");
	tap_is_int(ports_ifindex(ports, 0x42) == 0, 1, "it is not there yet");
	attached->posts_at_breath = true;
	tap_is_int(ports_sync(ports, &two, false, &failures), 1,
		   "a sync of all waits, and breathes meanwhile");
	attached->posts_at_breath = attached->is_held = false;
	while (sem_trywait(attached->go) == 0) {
	}
	tap_ok(attached->calls == before + 2 && ports_ifindex(ports, 0x42) && ports_ifindex(ports, 0x41),
	       "then it is there, and so is the other one that the plan has");
	tap_is_int(ports_take_done(ports, instance), 0, "whose work is done was told already");
	tap_is_int(work_queue_off(ports, &two), 0, "the third one's turn comes");
	tap_ok(attached->calls == before + 2 && !link_in(NULL, "pl43", &link),
	       "when the plan does not want it any more, so it is not made");
	(void)ports_remove_others(ports, &empty, true);
	failures_clear(&failures);
}

/* An instance that is started again while its device is being set down. */
static void test_changed_meanwhile(struct ports *ports, struct attached *attached)
{
	struct plan_port port = make_port(0x44, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	const uint32_t number = 0x44;
	struct rtnl_link link;

	(void)ports_queue(ports, &plan, &number, 1);
	(void)work_queue_off(ports, &plan);
	attached->is_held = true;
	port.up = false;
	(void)ports_queue(ports, &plan, &number, 1);
	(void)ports_go_on(ports, &plan, true);
	port.up = true;
	(void)ports_queue(ports, &plan, &number, 1);
	(void)sem_post(attached->go);
	(void)sem_post(attached->go);
	tap_is_int(work_queue_off(ports, &plan), 0,
		   "what is wanted as before, while it is made another way,");
	tap_ok(link_in(NULL, "pl44", &link) && link.is_up, "is made as before when that is done");
	attached->is_held = false;
	(void)ports_remove_others(ports, &empty, false);
}

static bool is_told(const struct ports *ports, const struct plan *plan, size_t n, const char *instance,
		    const char *reason)
{
	_cleanup_(failures_clear) struct failures failures = {};
	bool is_found = false;

	if (ports_tell_queued(ports, plan, true, &failures) < 0 || failures.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		is_found |=
			strstr(failures.items[i].key, instance) && streq(failures.items[i].reason, reason);
	return is_found || n == 0;
}

/* What a report says while devices are queued. */
static void test_told(struct ports *ports, struct attached *attached)
{
	static const char make[] = "its device is still to be made",
			  gone[] = "its device is still to be removed";
	struct plan_port three[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS),
				    make_port(0x43, INSTANCE_ATTACHED)};
	struct plan plan = {.ports = three, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x41, 0x42, 0x43};
	struct failures failures = {};

	attached->is_held = true;
	(void)ports_queue(ports, &plan, numbers, 2);
	(void)ports_go_on(ports, &plan, true);
	tap_ok(is_told(ports, &plan, 2, three[0].instance, make) &&
		       is_told(ports, &plan, 2, three[1].instance, make),
	       "the device that is being made is told, and that which is queued");
	attached->is_held = false;
	(void)sem_post(attached->go);
	(void)work_queue_off(ports, &plan);
	tap_ok(is_told(ports, &plan, 0, "", ""), "and none when they are there");

	three[0].mtu = 1400;
	three[1].up = false;
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_ok(is_told(ports, &plan, 1, three[1].instance, make),
	       "one that is to be set down is told, one that lacks another MTU is not");
	(void)work_queue_off(ports, &plan);

	plan.n_ports = 3;
	(void)str_copy(three[2].path, sizeof(three[2].path), "/nowhere");
	(void)ports_sync(ports, &plan, false, &failures);
	ports_retry(ports);
	(void)ports_queue(ports, &plan, numbers, 3);
	tap_ok(failures.n == 1 && ports_are_queued(ports) && is_told(ports, &plan, 0, "", ""),
	       "what has failed is told by the sync that made the same");
	(void)str_copy(three[2].path, sizeof(three[2].path), "/elsewhere");
	tap_ok(is_told(ports, &plan, 1, three[2].instance, make), "of another wish it says nothing");
	(void)work_queue_off(ports, &plan);

	plan.n_ports = 2;
	(void)ports_remove_others(ports, &plan, false);
	(void)ports_queue(ports, &empty, numbers, 2);
	attached->is_sweep_held = true;
	(void)ports_go_on(ports, &empty, true);
	tap_ok(is_told(ports, &empty, 2, three[0].instance, gone) &&
		       is_told(ports, &empty, 2, three[1].instance, gone),
	       "a device that is being removed is told, and that which is to be");
	attached->is_sweep_held = false;
	(void)sem_post(attached->go);
	(void)work_queue_off(ports, &empty);
	tap_ok(is_told(ports, &empty, 0, "", ""), "and none when they have gone");

	plan.n_ports = 1;
	three[0].up = false;
	three[0].kind = INSTANCE_ATTACHED;
	(void)str_copy(three[0].path, sizeof(three[0].path), "/nowhere");
	(void)ports_queue(ports, &plan, numbers, 1);
	tap_ok(is_told(ports, &plan, 0, "", ""), "one that is stopped need not be there");
	(void)work_queue_off(ports, &plan);

	plan.ports = &three[1];
	three[1].up = true;
	(void)ports_queue(ports, &plan, numbers, 2);
	(void)work_queue_off(ports, &plan);
	(void)ports_tell_queued(ports, &empty, false, &failures);
	tap_ok(failures.n == 2 && streq(failures.items[1].reason, gone),
	       "what is not wanted is told, too, while nothing may be removed");
	attached->sweep_result = -EBUSY;
	(void)ports_queue(ports, &empty, numbers, 2);
	(void)work_queue_off(ports, &empty);
	tap_ok(is_told(ports, &empty, 1, three[1].instance, "its device could not be removed"),
	       "one that could not be removed is told until it is");
	attached->sweep_result = 0;
	(void)ports_remove_others(ports, &empty, false);
	tap_ok(is_told(ports, &empty, 0, "", ""), "which the next try may do");
	failures_clear(&failures);
}

/* More than a report has room for. */
static void test_many_told(struct ports *ports)
{
	size_t n = 20000; /* of 32,768 that a node has at most */
	struct plan_port *many = calloc(n, sizeof(*many));
	uint32_t *numbers = calloc(n, sizeof(*numbers));
	struct plan plan = {.ports = many, .n_ports = n}, empty = {};
	struct failures failures = {};

	for (size_t i = 0; many && numbers && i < n; i++) {
		many[i].number = numbers[i] = 0x1000 + (uint32_t)i;
		many[i].up = true;
		(void)str_format(many[i].instance, sizeof(many[i].instance), "i-%zu", i);
	}
	(void)ports_queue(ports, &plan, numbers, n);
	tap_ok(ports_tell_queued(ports, &plan, true, &failures) == 0 && failures.n == n,
	       "however many are queued, all are told");
	(void)work_queue_off(ports, &empty);
	failures_clear(&failures);
	free(many);
	free(numbers);
}

/* Of three accounts one wants more than the others. */
static void test_turns(struct ports *ports)
{
	static const uint32_t numbers[] = {0x41, 0x42, 0x43, 0x44, 0x45};
	static const uint32_t accounts[] = {7, 7, 7, 3, 9};
	struct pollfd fd = {.fd = ports_fd(ports), .events = POLLIN};
	struct plan_port five[ARRAY_SIZE(numbers)];
	struct plan plan = {.ports = five, .n_ports = ARRAY_SIZE(five)}, empty = {};
	char order[64] = "", instance[ID_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(five); i++) {
		five[i] = make_port(numbers[i], INSTANCE_NETNS);
		five[i].limit.account = accounts[i];
	}
	(void)ports_queue(ports, &plan, numbers, 1);
	(void)ports_go_on(ports, &plan, true);
	(void)ports_queue(ports, &plan, numbers + 1, ARRAY_SIZE(numbers) - 1);
	while (ports_are_queued(ports)) {
		(void)poll(&fd, 1, -1);
		if (ports_take_done(ports, instance) > 0)
			(void)str_format(order + strlen(order), sizeof(order) - strlen(order), "%s ",
					 strrchr(instance, 't') + 1);
		(void)ports_go_on(ports, &plan, true);
	}
	tap_is_str(order, "65 69 68 66 67 ", "accounts take turns, and each has its own in their order");
	(void)ports_remove_others(ports, &empty, true);
}

/* Once the start is over. */
static void test_rest(struct ports *ports, struct attached *attached)
{
	struct plan_port three[] = {make_port(0x31, INSTANCE_NETNS), make_port(0x32, INSTANCE_NETNS),
				    make_port(0x33, INSTANCE_NETNS)};
	struct plan plan = {.ports = three, .n_ports = 3}, empty = {};
	struct failures failures = {};
	int before = attached->calls;

	ports_queue_rest(ports);
	attached->delay_us = 100000;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "a later sync of many ports");
	tap_ok(attached->calls == before + 1 && !ports_are_behind(ports) && ports_are_queued(ports),
	       "makes one, and leaves the rest to the queue");
	tap_is_int((int)failures.n, 0, "which is no failure");
	attached->delay_us = 0;
	tap_is_int(work_queue_off(ports, &plan), 2, "that makes them");
	attached->is_sweep_slow = true;
	tap_is_int(ports_remove_others(ports, &empty, false), 1, "a removal of many");
	tap_ok(ports_are_queued(ports), "does not wait for all, either");
	attached->is_sweep_slow = false;
	tap_is_int(work_queue_off(ports, &empty), 0, "the rest is removed in its turn");
	for (size_t i = 0; i < ARRAY_SIZE(three); i++)
		tap_is_int(netns_open(three[i].instance), -ENOENT, "%s has gone", three[i].instance);
	failures_clear(&failures);
}

/* Longer than a removal has time for. */
static void sleep_at_breath(void *context)
{
	(void)context;
	(void)usleep(60000);
}

/* A device that is as it was when what failed beside it has been mended. */
static void test_mended(struct ports *ports)
{
	struct plan_port port = make_port(0x46, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	const uint32_t number = 0x46;
	char directory[128], away[128];
	struct failures failures = {};

	(void)str_format(directory, sizeof(directory), "%s/netns", scratch);
	(void)str_format(away, sizeof(away), "%s/away", scratch);
	(void)rename(directory, away);
	(void)file_update(directory, "", 0, 0600);
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(failures.n == 1 && ports_ifindex(ports, number) != 0,
	       "an instance whose files cannot be written has its device and a failure");
	(void)unlink(directory);
	(void)rename(away, directory);
	ports_retry(ports);
	(void)ports_queue(ports, &plan, &number, 1);
	tap_is_int(work_queue_off(ports, &plan), 1, "that it is mended is told by the queue, too");
	(void)ports_remove_others(ports, &empty, false);
	failures_clear(&failures);
}

/* Of which a restarted agent knows nothing but their marks. */
static void test_rest_of_marked(struct ports *ports, const struct ports_options *options)
{
	struct plan_port two[] = {make_port(0x31, INSTANCE_NETNS), make_port(0x32, INSTANCE_NETNS)};
	struct plan plan = {.ports = two, .n_ports = 2}, empty = {};
	struct ports_options slow = *options;
	struct failures failures = {};
	struct ports *restarted;

	slow.breath = (struct breath){sleep_at_breath, NULL};
	(void)ports_sync(ports, &plan, false, &failures);
	(void)work_queue_off(ports, &plan);
	if (!tap_ok(ports_new(&slow, &restarted) == 0, "an agent starts where instances were deleted"))
		return;
	ports_queue_rest(restarted);
	tap_ok(ports_remove_others(restarted, &empty, true) >= 0 && ports_are_queued(restarted),
	       "it does not wait for all of them to go");
	tap_ok(is_told(restarted, &empty, 2, two[0].instance, "its device is still to be removed"),
	       "says which are still there");
	tap_is_int(work_queue_off(restarted, &empty), 0, "and removes them in their turn");
	for (size_t i = 0; i < ARRAY_SIZE(two); i++)
		tap_is_int(netns_open(two[i].instance), -ENOENT, "%s has gone, too", two[i].instance);
	ports_free(restarted);
	(void)ports_remove_others(ports, &empty, false);
	failures_clear(&failures);
}

/* A number that is wanted again while its devices go. */
static void test_wanted_again(struct ports *ports, struct attached *attached)
{
	struct plan_port two[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS)};
	struct plan plan = {.ports = two, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x41, 0x42};
	struct failures failures = {};
	struct rtnl_link link;
	uint32_t first[2];

	(void)ports_sync(ports, &plan, false, &failures);
	first[0] = ports_ifindex(ports, 0x41);
	first[1] = ports_ifindex(ports, 0x42);
	attached->is_sweep_held = true;
	(void)ports_queue(ports, &empty, numbers, 2);
	(void)ports_go_on(ports, &empty, true);
	tap_is_int((int)ports_ifindex(ports, 0x41), 0, "a device that is being removed counts as gone");
	tap_is_int((int)ports_ifindex(ports, 0x42), (int)first[1],
		   "one whose turn has not come is still there");
	(void)ports_queue(ports, &plan, numbers, 2);
	attached->is_sweep_held = false;
	(void)sem_post(attached->go);
	tap_is_int(work_queue_off(ports, &plan), 1, "both are wanted again: one is made,");
	tap_ok(link_in(NULL, "pl41", &link) && link.ifindex != first[0] &&
		       link.ifindex == ports_ifindex(ports, 0x41),
	       "that which has gone");
	tap_is_int((int)ports_ifindex(ports, 0x42), (int)first[1], "and the other one is the same as before");

	(void)ports_queue(ports, &empty, numbers, 1);
	tap_is_int(ports_remove_others(ports, &empty, false), 1,
		   "a removal of all does not wait for the queue");
	tap_ok(link_in(NULL, "pl41", &link) && !link_in(NULL, "pl42", &link),
	       "and leaves it what is in there");
	tap_is_int(work_queue_off(ports, &empty), 0, "which goes in its turn");
	tap_ok(!link_in(NULL, "pl41", &link), "too");
	failures_clear(&failures);
}

/* While a port is made by itself memory ends; whoever syncs all then has to know. */
static void test_some_without_memory(struct ports *ports, struct attached *attached)
{
	struct plan_port port = make_port(0x43, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	const uint32_t number = 0x43;
	int before;

	attached->result = -ENOMEM;
	(void)ports_queue(ports, &plan, &number, 1);
	tap_is_int(work_queue_off(ports, &plan), -ENOMEM, "a port for which there is no memory");
	tap_is_int(ports_ifindex(ports, number), 0, "has no device");
	attached->result = 0;
	before = attached->calls;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "the next sync of all makes it");
	tap_ok(attached->calls == before + 1 && ports_ifindex(ports, number) != 0 && failures.n == 0,
	       "with its device and its programs");
	(void)ports_remove_others(ports, &empty, false);
	failures_clear(&failures);
}

struct lost {
	size_t n;
	uint32_t number; /* the last one */
};

static void note_lost(void *context, uint32_t number)
{
	struct lost *lost = context;

	lost->n++;
	lost->number = number;
}

/* The other end goes as well, and the kernel tells of it. What is waited for. */
static uint64_t lose_one(struct ports *ports, const struct plan_port *port, struct lost *lost)
{
	uint32_t ifindex = ports_ifindex(ports, port->number);

	*lost = (struct lost){};
	change_eth0(port->instance, NULL);
	tap_is_int(ports_forget_link(ports, ifindex), PORT_LINK_INSTANCE, "a port's link went");
	return ports_each_lost(ports, note_lost, lost);
}

/* An owner who removes a device whenever it is there. */
static void test_removed_again(struct ports *ports)
{
	static const char again[] = "someone removes its device, it is still to be made";
	static const uint64_t pauses[] = {0, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	struct plan_port port = make_port(0x45, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	const uint32_t number = 0x45;
	struct lost lost;
	size_t early = 0, untold = 0, unmade = 0;

	frozen_ms = now_mono_ms();
	(void)ports_queue(ports, &plan, &number, 1);
	(void)work_queue_off(ports, &plan);
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		tap_is_int((int)lose_one(ports, &port, &lost), (int)pauses[i], "loss %zu: the pause", i);
		tap_ok(lost.n == 1 && lost.number == number, "which is told with its number");
		(void)ports_queue(ports, &plan, &number, 1);
		early += ports_are_queued(ports) != (i == 0);
		untold += i > 0 && !is_told(ports, &plan, 1, port.instance, again);
		frozen_ms += pauses[i];
		early += i > 0 && ports_each_lost(ports, note_lost, &lost) != 0;
		early += lost.n != 1 + (i > 0);
		(void)ports_queue(ports, &plan, &number, 1);
		unmade += work_queue_off(ports, &plan) != 1 || !is_told(ports, &plan, 0, "", "");
	}
	tap_is_int((int)early, 0, "only the first time it is queued at once, else when its pause is over");
	tap_is_int((int)untold, 0, "meanwhile it is a failure");
	tap_is_int((int)unmade, 0, "until it is made again");

	(void)lose_one(ports, &port, &lost);
	(void)ports_sync(ports, &plan, true, &(struct failures){});
	tap_is_int((int)ports_ifindex(ports, number), 0, "a sync of all leaves it its pause, too");
	port.mtu = 1400;
	(void)ports_queue(ports, &plan, &number, 1);
	tap_is_int(work_queue_off(ports, &plan), 1, "if another one is wanted it is made at once");
	frozen_ms += PORTS_PAUSE_MAX_MS - 1;
	(void)ports_sync(ports, &plan, true, &(struct failures){});
	frozen_ms += 1;
	tap_is_int((int)lose_one(ports, &port, &lost), 0,
		   "after it has stood it does not pause, whoever has looked at it meanwhile");
	(void)ports_queue(ports, &plan, &number, 1);
	(void)work_queue_off(ports, &plan);
	(void)lose_one(ports, &port, &lost);
	(void)ports_queue(ports, &empty, &number, 1);
	tap_is_int(work_queue_off(ports, &empty), 0, "one that is not wanted any more does not, either");
	tap_is_int(netns_open(port.instance), -ENOENT, "it goes");
	tap_is_int((int)ports_each_lost(ports, note_lost, &lost), 0, "with its pause");
	frozen_ms = 0;
}

/* And while it is made. */
static void test_removed_meanwhile(struct ports *ports, struct attached *attached)
{
	struct plan_port port = make_port(0x46, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	const uint32_t number = 0x46;
	struct lost lost = {};

	frozen_ms = now_mono_ms();
	attached->loses = port.instance;
	(void)ports_queue(ports, &plan, &number, 1);
	tap_is_int(work_queue_off(ports, &plan), 0, "a device that goes while it is made is no failed one");
	tap_ok(is_told(ports, &plan, 1, port.instance, "someone removes its device, it is still to be made"),
	       "it is told all the same");
	tap_is_int((int)ports_each_lost(ports, note_lost, &lost), 0, "and is to be made again at once,");
	tap_ok(lost.n == 1 && lost.number == number, "by its number");
	tap_is_int(ports_sync(ports, &plan, false, &failures), 0, "a sync of all, too, loses it");
	tap_is_int((int)failures.n, 0, "and goes on");
	tap_is_int((int)ports_each_lost(ports, note_lost, &lost), PORTS_PAUSE_FIRST_MS, "now it pauses");
	attached->loses = NULL;
	frozen_ms += PORTS_PAUSE_FIRST_MS;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "left alone it is made");
	(void)ports_remove_others(ports, &empty, false);
	failures_clear(&failures);
	frozen_ms = 0;
}

static bool is_up_inside(const char *netns)
{
	struct rtnl_link link;

	return link_in(netns, "eth0", &link) && link.is_up;
}

/* One look, up to its end. */
static int look_inside(struct ports *ports, const struct plan *plan)
{
	struct pollfd fd = {.fd = ports_fd(ports), .events = POLLIN};
	char instance[ID_SIZE];
	int r = ports_look_inside(ports, plan);

	if (r < 0 || !ports_are_busy(ports))
		return r;
	(void)poll(&fd, 1, -1);
	return ports_take_done(ports, instance);
}

/* What stands is looked at by and by, and nothing of it is told. */
static void test_inside(struct ports *ports, struct attached *attached)
{
	struct plan_port two[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS)};
	struct plan plan = {.ports = two, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x41, 0x42};
	uint32_t ifindex;

	(void)ports_queue(ports, &plan, numbers, 2);
	(void)work_queue_off(ports, &plan);
	ifindex = ports_ifindex(ports, 0x42);
	change_eth0(two[1].instance, &(struct rtnl_change){.set_down = true});
	tap_ok(!is_up_inside(two[1].instance), "someone sets an instance's eth0 down");
	tap_ok(look_inside(ports, &plan) == 0 && !is_up_inside(two[1].instance),
	       "a look inside is at one port");
	tap_ok(look_inside(ports, &plan) == 0 && is_up_inside(two[1].instance),
	       "the next one at the next port, which is mended");
	tap_ok(ports_ifindex(ports, 0x42) == ifindex, "its device is the same");
	tap_ok(look_inside(ports, &plan) == 0 && !ports_are_busy(ports), "behind the last one there is none");

	attached->is_held = true;
	two[0].mtu = 1400;
	(void)ports_queue(ports, &plan, numbers, 1);
	tap_ok(ports_look_inside(ports, &plan) == 0 && !ports_are_busy(ports), "what is queued comes first");
	attached->is_held = false;
	(void)work_queue_off(ports, &plan);
	tap_is_int(ports_look_inside(ports, &plan), 0, "a look goes on");
	tap_ok(ports_are_busy(ports) && !ports_are_queued(ports) && is_told(ports, &plan, 0, "", ""),
	       "while it does nothing is queued, and none lacks its device");
	two[0].mtu = 1300;
	(void)ports_queue(ports, &plan, numbers, 1);
	tap_ok(ports_are_queued(ports), "who wants another thing of the port meanwhile is queued");
	tap_ok(work_queue_off(ports, &plan) >= 0 && !ports_are_queued(ports), "and has it");
	(void)ports_remove_others(ports, &empty, true);
}

static void test_queue(struct ports_world *world)
{
	struct ports *ports = world->ports;
	struct attached *attached = &world->attached;

	test_budget(ports, attached);
	test_some(ports, attached);
	test_waiting(ports, attached);
	test_changed_meanwhile(ports, attached);
	test_wanted_again(ports, attached);
	test_some_without_memory(ports, attached);
	test_told(ports, attached);
	test_many_told(ports);
	test_turns(ports);
	test_removed_again(ports);
	test_removed_meanwhile(ports, attached);
	test_mended(ports);
	test_inside(ports, attached);
	test_rest(ports, attached);
	test_rest_of_marked(ports, &world->options);
}

int main(void)
{
	return run_ports_world(test_queue);
}
