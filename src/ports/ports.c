/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mirror (port_state.h) has each port as it was last made, and the walk over it and the plan says what to
 * do. At start it is filled from the marks of the devices that are there (they may belong to instances that
 * were deleted while no agent ran), with nothing known about their insides, so that each is looked at once.
 *
 * A sync of all waits for each device (ports_queue.c), breathing; after a reboot there may be thousands to
 * make, so it stops after a while, what is there so far is put in force, and the loop turns before the next
 * one. Once the start is over it queues what it has no time for.
 */
#include "ports_parts.h"

#include <assert.h>
#include <unistd.h>

#include "../lib/log.h"
#include "netns.h"

#define BUDGET_MS 200 /* for devices, in a sync of all; … */
#define SHORT_MS  50  /* … or a removal, when the rest is queued: others' changes wait for it */

static int take_marked_links(struct ports *ports)
{
	_cleanup_(freep) struct rtnl_link *links = NULL;
	struct port_state *state;
	struct port_mark mark;
	size_t n;
	int r;

	r = rtnl_link_list(ports->env.rtnl, &links, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (port_mark_parse(ports->env.node, links[i].alias, &mark) < 0 ||
		    mark.number == PORT_SERVICE_NUMBER)
			continue;
		state = port_states_find(&ports->states, mark.number);
		if (!state)
			state = port_states_insert(&ports->states, mark.number);
		if (!state)
			return -ENOMEM;
		state->mark = mark;
		state->ifindex = state->known_ifindex = links[i].ifindex;
	}
	return 0;
}

int ports_find_devices(const char *node, uint32_t **ret_ifindexes, size_t *ret_n)
{
	_cleanup_(freep) struct rtnl_link *links = NULL;
	_cleanup_(freep) uint32_t *ifindexes = NULL;
	struct port_mark mark;
	struct rtnl *rtnl;
	size_t n_links, n = 0;
	int r = rtnl_open(-1, &rtnl);

	if (r < 0)
		return r;
	r = rtnl_link_list(rtnl, &links, &n_links);
	rtnl_free(rtnl);
	if (r < 0)
		return r;
	ifindexes = calloc(n_links + 1, sizeof(*ifindexes));
	if (!ifindexes)
		return -ENOMEM;
	for (size_t i = 0; i < n_links; i++)
		if (port_mark_parse(node, links[i].alias, &mark) == 0)
			ifindexes[n++] = links[i].ifindex;
	*ret_ifindexes = TAKE_PTR(ifindexes);
	*ret_n = n;
	return 0;
}

int ports_new(const struct ports_options *options, struct ports **ret)
{
	struct ports *ports = calloc(1, sizeof(*ports));
	int r;

	if (!ports)
		return -ENOMEM;
	ports->env = (struct port_env){
		.node = options->node,
		.own_netns_fd = netns_open_own(),
		.programs = options->programs,
	};
	ports->files = options->files;
	ports->breath = options->breath;
	ports->node_netns_fd = -EBADF;
	ports_fill_node_port(ports);
	r = ports->env.own_netns_fd < 0 ? ports->env.own_netns_fd : rtnl_open(-1, &ports->env.rtnl);
	if (r == 0)
		r = take_marked_links(ports);
	if (r == 0)
		r = worker_new(&ports->worker);
	if (r < 0) {
		ports_free(ports);
		return r;
	}
	*ret = ports;
	return 0;
}

struct ports *ports_free(struct ports *ports)
{
	if (!ports)
		return NULL;
	worker_free(ports->worker);
	rtnl_free(ports->env.rtnl);
	closep(&ports->env.own_netns_fd);
	closep(&ports->node_netns_fd);
	port_states_clear(&ports->states);
	port_turns_clear(&ports->queue);
	free(ports);
	return NULL;
}

uint32_t ports_ifindex(void *context, uint32_t port_number)
{
	const struct ports *ports = context;
	const struct port_state *state = port_states_find(&ports->states, port_number);

	return state ? state->ifindex : 0;
}

static int report_failure(struct failures *failures, const struct plan_port *port,
			  const struct port_state *state)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "instance/%s", port->instance);
	return state->is_gone ? failures_add_gone(failures, key, state->failure)
			      : failures_add(failures, key, "%s", state->failure);
}

/* Makes what does not stand, unless the time is over: then it is queued, or the sync is behind. */
static int sync_one(struct ports *ports, const struct plan_port *port, uint64_t end_ms)
{
	const struct port_state *state = port_states_find(&ports->states, port->number);
	int r;

	if (port_state_stands(state, port) || port_state_pauses(state, port))
		return 0;
	if (ports->queues_rest && now_mono_ms() >= end_ms)
		return port_turns_add(&ports->queue, port->number, port->limit.account);
	ports->is_behind = now_mono_ms() >= end_ms;
	if (ports->is_behind)
		return 0;
	r = ports_begin_making(ports, port);
	return r < 0 ? r : ports_settle(ports);
}

static int gather_failures(const struct ports *ports, const struct plan *plan, struct failures *failures)
{
	int r = 0;

	for (size_t i = 0; i < plan->n_ports && r == 0; i++) {
		const struct port_state *state = port_states_find(&ports->states, plan->ports[i].number);

		if (port_state_has_failed(state, &plan->ports[i]))
			r = report_failure(failures, &plan->ports[i], state);
	}
	return r;
}

int ports_sync(struct ports *ports, const struct plan *plan, bool full, struct failures *failures)
{
	uint64_t end_ms = now_mono_ms() + (ports->queues_rest ? SHORT_MS : BUDGET_MS);
	int r, changed = ports_settle(ports) > 0; /* what has failed is made again here */

	for (size_t i = 0; full && i < ports->states.n; i++)
		ports->states.items[i].is_looked_at = false;
	ports->is_behind = false;
	for (size_t i = 0; i < plan->n_ports; i++) {
		const struct plan_port *port = &plan->ports[i];

		breathe(&ports->breath);
		r = sync_one(ports, port, end_ms);
		if (r < 0)
			return r;
		if (ports->is_behind)
			break;
		changed |= r;
	}
	r = gather_failures(ports, plan, failures);
	return r < 0 ? r : changed;
}

/* Looking. */

/* NULL: all stands, or that cannot be seen now; else what does not, in words. */
static const char *what_is_disturbed(const struct ports *ports, const struct plan_port *port,
				     uint32_t ifindex)
{
	const char *what = "it was removed";
	struct rtnl_link link;
	int r = rtnl_link_get_index(ports->env.rtnl, ifindex, &link);

	if (r < 0 && r != -ENODEV) {
		(void)log_errno(r, "cannot look at a device: ifindex=%u", ifindex);
		return NULL;
	}
	if (r < 0 || port_device_is_disturbed(&ports->env, port, &link, &what))
		return what;
	if (port->kind != INSTANCE_NETNS)
		return NULL;
	if (!netns_is_there(port->instance))
		return "its namespace has lost its name";
	/* VPC 0 has no files. */
	if (ports->files && port->number != PORT_SERVICE_NUMBER &&
	    !netns_files_are_there(ports->files, port->instance))
		return "its files were removed";
	return NULL;
}

/* Whether it is to be made again. */
static bool look_at(struct ports *ports, struct port_state *state)
{
	const char *what = NULL;

	/* One that waits to be made again is looked at, too, since it must not stay up bare. */
	if (state->known_ifindex && state->made.number)
		what = what_is_disturbed(ports, &state->made, state->known_ifindex);
	if (!what || !state->is_looked_at || *state->failure)
		return false;
	state->is_looked_at = false;
	if (port_turns_has(&ports->queue, state->number))
		return false; /* its turn comes, whatever is wanted of it then */
	log_warning("mending a device that someone has changed: %s instance=%s port=%x", what,
		    state->mark.instance, state->number);
	return true;
}

static void look_at_node_port(struct ports *ports)
{
	const char *what = NULL;

	if (ports->node_port.row.ifindex)
		what = what_is_disturbed(ports, &ports->node_port, ports->node_port.row.ifindex);
	if (what)
		log_warning("mending the node's port that someone has changed: %s", what);
	ports->is_node_port_due |= what != NULL;
}

int ports_look(struct ports *ports, bool *ret_all)
{
	size_t first = port_states_above(&ports->states, ports->looked_number);
	size_t end = MIN(first + PORTS_LOOK_MAX, ports->states.n);
	bool found = false;

	assert(!worker_is_busy(ports->worker));
	*ret_all = end == ports->states.n;
	ports->looked_number = *ret_all ? 0 : ports->states.items[end - 1].number;
	for (size_t i = first; i < end; i++)
		found |= look_at(ports, &ports->states.items[i]);
	if (!*ret_all)
		return found;
	look_at_node_port(ports);
	return found || ports->is_node_port_due;
}

void ports_retry(struct ports *ports)
{
	for (size_t i = 0; i < ports->states.n; i++)
		if (*ports->states.items[i].failure)
			ports->states.items[i].is_looked_at = false;
}

bool ports_are_behind(const struct ports *ports)
{
	return ports->is_behind;
}

void ports_queue_rest(struct ports *ports)
{
	ports->queues_rest = true;
}

struct stray_walk {
	struct ports *ports;
	const char **wanted; /* instances of the plan, sorted */
	size_t n_wanted;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_stray(const struct stray_walk *walk, const char *name)
{
	if (!str_starts(name, "i-"))
		return false;
	return !walk->n_wanted || !bsearch(&name, walk->wanted, walk->n_wanted, sizeof(name), compare_names);
}

/* A namespace with our mark and without a port: its device was removed, or its maker died half-way. */
static int remove_stray_netns(void *context, const char *name)
{
	const struct stray_walk *walk = context;
	struct ports *ports = walk->ports;

	breathe(&ports->breath);
	if (!is_stray(walk, name) || !port_netns_is_marked(&ports->env, name))
		return 0;
	if (netns_remove(name) == 0)
		log_info("removed namespace instance=%s", name);
	if (ports->files)
		netns_files_remove(ports->files, name);
	return 0;
}

/* Files of an instance whose namespace went without us, by a reboot or by hand. */
static int remove_stray_files(void *context, const char *name)
{
	const struct stray_walk *walk = context;
	_cleanup_(closep) int fd = netns_open(name);

	breathe(&walk->ports->breath);
	if (fd == -ENOENT && is_stray(walk, name)) {
		netns_files_remove(walk->ports->files, name);
		log_info("removed files instance=%s", name);
	}
	return 0;
}

/* Then what has no mark may be that node's. */
static bool has_mark_of_other(const struct ports *ports, const struct rtnl_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (port_mark_is_of_other(ports->env.node, links[i].alias))
			return true;
	return false;
}

/* The node's port, as long as anything is wanted, is. */
static bool is_stray_device(const struct plan *plan, const struct rtnl_link *link)
{
	uint32_t number;

	return port_device_is_unfinished(link, &number) &&
	       !(plan && (number == PORT_SERVICE_NUMBER || ports_find_wanted(plan, number)));
}

/* Their maker was killed before they had their mark, and the instance was deleted since. */
static int remove_stray_devices(struct ports *ports, const struct plan *plan)
{
	_cleanup_(freep) struct rtnl_link *links = NULL;
	size_t n;
	int r = rtnl_link_list(ports->env.rtnl, &links, &n);

	if (r < 0 || has_mark_of_other(ports, links, n))
		return MIN(r, 0);
	for (size_t i = 0; i < n; i++)
		if (is_stray_device(plan, &links[i]) &&
		    rtnl_link_remove(ports->env.rtnl, links[i].ifindex) == 0)
			log_info("removed a device that was never finished device=%s", links[i].name);
	return 0;
}

/* plan NULL: nothing is wanted. */
static int remove_strays(struct ports *ports, const struct plan *plan)
{
	_cleanup_(freep) const char **wanted = NULL;
	struct stray_walk walk = {.ports = ports};
	int r;

	if (plan && plan->n_ports) {
		wanted = calloc(plan->n_ports, sizeof(*wanted));
		if (!wanted)
			return -ENOMEM;
		for (size_t i = 0; i < plan->n_ports; i++)
			wanted[i] = plan->ports[i].instance;
		qsort(wanted, plan->n_ports, sizeof(*wanted), compare_names);
		walk.wanted = wanted;
		walk.n_wanted = plan->n_ports;
	}
	r = remove_stray_devices(ports, plan);
	if (r == 0)
		r = netns_each(remove_stray_netns, &walk);
	if (r == 0 && ports->files)
		r = netns_files_each(ports->files, remove_stray_files, &walk);
	return r;
}

/* What is left of the programs of one of which nothing but its mark is known, the next full pass sweeps. */
static bool may_be_queued(const struct ports *ports, const struct port_state *state)
{
	return ports->queues_rest && !state->is_stuck;
}

static int remove_unwanted(struct ports *ports, const struct plan *plan)
{
	uint64_t end_ms = now_mono_ms() + SHORT_MS;
	int first_error = 0, removed = 0, r;

	for (size_t i = ports->states.n; i-- > 0;) {
		uint32_t number = ports->states.items[i].number;

		breathe(&ports->breath);
		if (plan && (ports_find_wanted(plan, number) || port_turns_has(&ports->queue, number)))
			continue;
		if (plan && may_be_queued(ports, &ports->states.items[i]) && now_mono_ms() >= end_ms) {
			r = port_turns_add(&ports->queue, number, ports->states.items[i].made.limit.account);
		} else {
			ports_begin_removal(ports, &ports->states.items[i]);
			r = ports_settle(ports);
			removed = 1;
		}
		if (r < 0 && !first_error)
			first_error = r;
	}
	return first_error ? first_error : removed;
}

int ports_remove_others(struct ports *ports, const struct plan *plan, bool full)
{
	int removed, r = 0;

	(void)ports_settle(ports);
	removed = remove_unwanted(ports, plan);
	if (full)
		r = remove_strays(ports, plan);
	return removed < 0 || r == 0 ? removed : r;
}

int ports_remove_all(struct ports *ports)
{
	int removed, r, q;

	(void)ports_settle(ports);
	removed = remove_unwanted(ports, NULL);
	r = remove_strays(ports, NULL);
	q = ports_remove_node_port(ports);
	if (removed < 0)
		return removed;
	return r < 0 ? r : q;
}

enum port_link ports_forget_link(struct ports *ports, uint32_t ifindex)
{
	for (size_t i = 0; i < ports->states.n; i++)
		if (ports->states.items[i].ifindex == ifindex ||
		    ports->states.items[i].known_ifindex == ifindex) {
			port_state_lose(&ports->states.items[i]);
			return PORT_LINK_INSTANCE;
		}
	if (ports->node_port.row.ifindex != ifindex)
		return PORT_LINK_OTHER;
	ports->node_port.row.ifindex = ports->node_port_known_ifindex = 0;
	return PORT_LINK_NODE;
}

uint64_t ports_each_lost(struct ports *ports, ports_lost call, void *context)
{
	uint64_t now_ms = now_mono_ms(), next_ms = 0;

	for (size_t i = 0; i < ports->states.n; i++) {
		struct port_state *state = &ports->states.items[i];
		bool is_due = state->mend_ms && state->mend_ms <= now_ms;

		if (is_due)
			state->mend_ms = 0;
		else if (state->mend_ms)
			next_ms = next_ms ? MIN(next_ms, state->mend_ms) : state->mend_ms;
		if (!is_due && !state->is_lost)
			continue;
		state->is_lost = false;
		call(context, state->number);
	}
	return next_ms ? next_ms - now_ms : 0;
}
