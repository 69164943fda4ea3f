/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another thread works on devices, one at a time (port_job.h), since the kernel takes some 30 ms for each.
 * Who cannot go on without one waits for it, breathing. For the others nobody waits: their numbers are
 * queued, and what is to be done with one the plan says that is in force when its turn comes.
 */
#include "ports_parts.h"

#include "../lib/log.h"
#include "../lib/vec.h"

#define BREATH_MS 2 /* between two breaths of who waits for a job */

/* Jobs. */

static int begin_making(struct ports *ports, const struct plan_port *port, bool is_look)
{
	struct port_state *state = port_states_find(&ports->states, port->number);

	if (!state)
		state = port_states_insert(&ports->states, port->number);
	if (!state)
		return -ENOMEM;
	state->mark.number = port->number;
	state->mark.kind = port->kind;
	(void)str_copy(state->mark.instance, sizeof(state->mark.instance), port->instance);
	state->is_looked_at = state->is_stuck = state->is_lost = false;
	state->mend_ms = 0;
	ports->job = (struct port_job){
		.env = &ports->env, .port = *port, .ifindex = state->known_ifindex, .is_look = is_look};
	worker_start(ports->worker, port_job_run, &ports->job);
	return 0;
}

int ports_begin_making(struct ports *ports, const struct plan_port *port)
{
	return begin_making(ports, port, false);
}

/* 1: the device came, or is another one now. */
static int finish_making(struct ports *ports)
{
	const struct port_job *job = &ports->job;
	const struct plan_port *port = &job->port;
	struct port_state *state = port_states_find(&ports->states, port->number);
	uint32_t old_ifindex = state->ifindex;
	const char *step = job->step;
	int r = job->r;

	if (r == 0 && ports->files && port->kind == INSTANCE_NETNS) {
		step = "cannot write its files under /etc/netns";
		r = netns_files_write(ports->files, port->instance, port->host_name, &port->addr);
	}
	state->ifindex = job->ifindex;
	if (job->ifindex)
		state->known_ifindex = job->ifindex;
	state->made = *port;
	if (state->ifindex != old_ifindex || job->r == -ENOLINK)
		state->made_ms = now_mono_ms();
	if (job->r == -ENOLINK) {
		state->failure[0] = '\0';
		port_state_lose(state);
		return old_ifindex != 0;
	}
	state->is_looked_at = r != -ENOMEM; /* else nothing is known of it: the next sync makes it again */
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		port_state_fail(state, step, r);
	else
		state->failure[0] = '\0';
	return state->ifindex != old_ifindex;
}

void ports_begin_removal(struct ports *ports, struct port_state *state)
{
	ports->job = (struct port_job){.env = &ports->env,
				       .is_removal = true,
				       .port = state->made,
				       .mark = state->mark,
				       .ifindex = state->ifindex};
	state->ifindex = 0;
	state->is_looked_at = state->is_lost = false;
	state->mend_ms = 0;
	worker_start(ports->worker, port_job_run, &ports->job);
}

static int finish_removal(struct ports *ports)
{
	const struct port_mark *mark = &ports->job.mark;

	if (ports->job.r < 0) {
		port_states_find(&ports->states, mark->number)->is_stuck = true;
		return log_errno(ports->job.r, "cannot remove devices instance=%s port=%x", mark->instance,
				 mark->number);
	}
	if (ports->files && mark->kind == INSTANCE_NETNS)
		netns_files_remove(ports->files, mark->instance);
	log_info("removed devices instance=%s port=%x", mark->instance, mark->number);
	port_states_remove(&ports->states, port_states_find(&ports->states, mark->number));
	return 0;
}

static int finish_job(struct ports *ports)
{
	return ports->job.is_removal ? finish_removal(ports) : finish_making(ports);
}

int ports_settle(struct ports *ports)
{
	if (!worker_is_busy(ports->worker))
		return 0;
	while (!worker_wait(ports->worker, BREATH_MS))
		breathe(&ports->breath);
	return finish_job(ports);
}

int ports_fd(const struct ports *ports)
{
	return worker_fd(ports->worker);
}

bool ports_are_busy(const struct ports *ports)
{
	return worker_is_busy(ports->worker);
}

bool ports_are_queued(const struct ports *ports)
{
	return ports->queue.n || (worker_is_busy(ports->worker) && !ports->job.is_look);
}

int ports_take_done(struct ports *ports, char ret_instance[ID_SIZE])
{
	const struct port_state *state;
	bool had_failed;
	int r;

	worker_heed(ports->worker);
	if (!worker_wait(ports->worker, 0))
		return 0;
	if (ports->job.is_removal)
		return finish_job(ports);
	state = port_states_find(&ports->states, ports->job.port.number);
	had_failed = *state->failure;
	r = finish_job(ports);
	if (r < 0)
		return r;
	(void)str_copy(ret_instance, ID_SIZE, state->mark.instance);
	return *state->failure ? -EAGAIN : r || had_failed;
}

/* The queue. */

const struct plan_port *ports_find_wanted(const struct plan *plan, uint32_t number)
{
	size_t place = LOWER_BOUND(i, plan->n_ports, plan->ports[i].number < number);

	return place < plan->n_ports && plan->ports[place].number == number ? &plan->ports[place] : NULL;
}

int ports_queue(struct ports *ports, const struct plan *plan, const uint32_t *numbers, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct plan_port *port = ports_find_wanted(plan, numbers[i]);
		const struct port_state *state = port_states_find(&ports->states, numbers[i]);

		if (port && port_state_stands(state, port))
			r = *state->failure ? -EAGAIN : 0;
		else if ((port || state) && !(port && port_state_pauses(state, port)))
			r = port_turns_add(&ports->queue, numbers[i],
					   port ? port->limit.account : state->made.limit.account);
	}
	return r;
}

int ports_go_on(struct ports *ports, const struct plan *plan, bool removes)
{
	int r = 0;

	while (ports->queue.n && !worker_is_busy(ports->worker) && r == 0) {
		uint32_t number = port_turns_take(&ports->queue);
		const struct plan_port *port = ports_find_wanted(plan, number);
		struct port_state *state = port_states_find(&ports->states, number);

		if (port && !port_state_stands(state, port) && !port_state_pauses(state, port))
			r = ports_begin_making(ports, port);
		else if (!port && state && removes)
			ports_begin_removal(ports, state);
	}
	return r;
}

/* (The device stays meanwhile, and nobody waits for it.) */
int ports_look_inside(struct ports *ports, const struct plan *plan)
{
	size_t next = LOWER_BOUND(i, plan->n_ports, plan->ports[i].number <= ports->inside_number);
	const struct plan_port *port = next < plan->n_ports ? &plan->ports[next] : NULL;
	const struct port_state *state = port ? port_states_find(&ports->states, port->number) : NULL;

	if (ports->queue.n || worker_is_busy(ports->worker))
		return 0;
	ports->inside_number = port ? port->number : 0;
	if (!port || !port_state_stands(state, port) || *state->failure)
		return 0;
	return begin_making(ports, port, true);
}

/* What is told of it. */

/* What whoever asked for the instance waits for. One that runs need not wait for another MTU, say. */
static bool lacks_device(const struct port_state *state, const struct plan_port *port)
{
	const struct plan_port *made;

	if (!port->up && (!state || !state->ifindex))
		return false; /* to be stopped it need not be there */
	if (!state || !state->ifindex || *state->failure)
		return true;
	made = &state->made;
	return made->up != port->up || made->kind != port->kind || !streq(made->path, port->path) ||
	       made->process_start != port->process_start;
}

static int tell_queued(const struct ports *ports, const struct plan *plan, uint32_t number, bool removes,
		       struct failures *failures)
{
	const struct port_state *state = port_states_find(&ports->states, number);
	const struct plan_port *port = ports_find_wanted(plan, number);
	char key[KEY_SIZE];

	if (port ? port_state_has_failed(state, port) || !lacks_device(state, port) : !state || !removes)
		return 0;
	(void)str_format(key, sizeof(key), "instance/%s", port ? port->instance : state->mark.instance);
	return failures_add(failures, key, "%s",
			    port ? "its device is still to be made" : "its device is still to be removed");
}

/* It could not be removed, and waits for nothing but the next try. */
static bool is_left(const struct ports *ports, const struct port_state *state, uint32_t working)
{
	return state->is_stuck && state->number != working && !port_turns_has(&ports->queue, state->number);
}

/* What nobody wants any more, and stays; all of it, if nothing may be removed. */
static int tell_left(const struct ports *ports, const struct plan *plan, uint32_t working, bool removes,
		     struct failures *failures)
{
	int r = 0;

	for (size_t i = 0; i < ports->states.n && r == 0; i++) {
		const struct port_state *state = &ports->states.items[i];
		char key[KEY_SIZE];

		if ((removes && !is_left(ports, state, working)) || ports_find_wanted(plan, state->number))
			continue;
		(void)str_format(key, sizeof(key), "instance/%s", state->mark.instance);
		r = failures_add(failures, key, "%s",
				 removes ? "its device could not be removed"
					 : "its device is still to be removed");
	}
	return r;
}

/* What someone has removed, and is to be made again later. */
static int tell_lost(const struct ports *ports, const struct plan *plan, struct failures *failures)
{
	int r = 0;

	for (size_t i = 0; i < ports->states.n && r == 0; i++) {
		const struct port_state *state = &ports->states.items[i];
		const struct plan_port *port;
		char key[KEY_SIZE];

		if (!state->is_lost && !state->mend_ms)
			continue;
		port = ports_find_wanted(plan, state->number);
		if (!port || port_state_has_failed(state, port) || !lacks_device(state, port))
			continue;
		(void)str_format(key, sizeof(key), "instance/%s", port->instance);
		r = failures_add(failures, key, "someone removes its device, it is still to be made");
	}
	return r;
}

int ports_tell_queued(const struct ports *ports, const struct plan *plan, bool removes,
		      struct failures *failures)
{
	const struct port_job *job = &ports->job;
	uint32_t working = !worker_is_busy(ports->worker) ? 0
			   : job->is_removal		  ? job->mark.number
							  : job->port.number;
	int r = 0;

	if (working && !port_turns_has(&ports->queue, working))
		r = tell_queued(ports, plan, working, removes, failures);
	for (size_t i = 0; i < ports->queue.n && r == 0; i++)
		r = tell_queued(ports, plan, ports->queue.items[i].number, removes, failures);
	if (r == 0)
		r = tell_lost(ports, plan, failures);
	return r == 0 ? tell_left(ports, plan, working, removes, failures) : r;
}
