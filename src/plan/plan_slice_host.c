/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slice of a host: an instance with its port if it is one of this node, its place and its names; an
 * interface of a load balancer; a vSwitch's gateway.
 */
#include "plan_slice_build.h"

#include "../lib/vec.h"

/* Ports. */

static size_t port_place(const struct plan *plan, uint32_t number)
{
	return LOWER_BOUND(i, plan->n_ports, plan->ports[i].number < number);
}

static size_t slot_place(const struct plan *plan, uint32_t slot)
{
	return LOWER_BOUND(i, plan->n_ports, plan->ports[plan->ports_by_slot[i]].slot < slot);
}

static int note_port(struct slice *slice, const struct plan_port *port)
{
	struct plan_patch *patch = slice->patch;
	int r = slice_add_once(&patch->ports, &patch->n_ports, sizeof(port->number), &port->number);

	return r == 0 ? slice_note_slot(slice, port->slot) : r;
}

static void remove_port(struct plan *plan, size_t at)
{
	size_t n = plan->n_ports;

	slice_remove(plan->ports_by_slot, &n, sizeof(*plan->ports_by_slot),
		     slot_place(plan, plan->ports[at].slot));
	for (size_t i = 0; i < n; i++)
		plan->ports_by_slot[i] -= plan->ports_by_slot[i] > at;
	slice_remove(plan->ports, &plan->n_ports, sizeof(*plan->ports), at);
}

static int insert_port(struct plan *plan, const struct plan_port *new)
{
	size_t at = port_place(plan, new->number), by_slot = slot_place(plan, new->slot), n = plan->n_ports;
	uint32_t *index = slice_insert(&plan->ports_by_slot, &n, sizeof(*index), by_slot);
	struct plan_port *port;

	if (!index)
		return -ENOMEM;
	port = slice_insert(&plan->ports, &plan->n_ports, sizeof(*port), at);
	if (!port) {
		slice_remove(plan->ports_by_slot, &n, sizeof(*index), by_slot);
		return -ENOMEM;
	}
	*port = *new;
	for (size_t i = 0; i < n; i++)
		plan->ports_by_slot[i] += plan->ports_by_slot[i] >= at;
	plan->ports_by_slot[by_slot] = (uint32_t)at;
	return 0;
}

static bool has_eni(const struct plan *plan, uint32_t slot)
{
	size_t place = LOWER_BOUND(i, plan->n_enis, plan->enis[i].slot < slot);

	return place < plan->n_enis && plan->enis[place].slot == slot;
}

/* Number and slot are nobody else's. */
static bool may_have(const struct plan *plan, const struct plan_port *old, const struct plan_port *new)
{
	const struct plan_port *same_number = slice_find_port(plan, new->number);
	const struct plan_port *same_slot = plan_port_by_slot(plan, new->slot);

	return (!same_number || same_number == old) && (!same_slot || same_slot == old) &&
	       !has_eni(plan, new->slot);
}

static int put_port(struct slice *slice, struct plan_port *old, const struct plan_port *new)
{
	struct plan *plan = slice->plan;
	int r = old ? note_port(slice, old) : 0;

	if (r == 0 && new)
		r = note_port(slice, new);
	if (r < 0)
		return r;
	if (old && new && old->number == new->number && old->slot == new->slot) {
		*old = *new;
		return 0;
	}
	if (old)
		remove_port(plan, (size_t)(old - plan->ports));
	return new ? insert_port(plan, new) : 0;
}

/* That it is the same as before is found by those who have it in force. */
static int replace_port(struct slice *slice, struct plan_port *old, const struct plan_port *new)
{
	int r = 0;

	if (new && !may_have(slice->plan, old, new))
		return 1;
	if (new)
		r = slice_count_set(slice, &new->set, 1);
	if (r == 0 && old)
		r = slice_count_set(slice, &old->set, -1);
	return r == 0 ? put_port(slice, old, new) : r;
}

static int count_ports(struct slice *slice, const struct plan_host *before, const struct plan_host *after)
{
	int r = after && after->port ? slice_count_port(slice, after->vpc, 1) : 0;

	return r == 0 && before && before->port ? slice_count_port(slice, before->vpc, -1) : r;
}

/* Hosts. */

static int replace_place(struct slice *slice, const struct plan_host *old, const struct plan_builder *b)
{
	int r;

	if (old && old->has_place)
		slice_leave_place(slice, &old->place);
	r = slice_add_places(slice, b);
	return r == 0 && old && old->has_place ? slice_drop_unused_place(slice, &old->place) : r;
}

/* The host as it is from now on, with the names that it has; NULL: it is none and was none. */
static int take_host(struct plan_hosts *hosts, const char *id, const struct plan_host *new,
		     struct plan_host **ret)
{
	struct plan_host *host = plan_host_find(hosts, id);
	struct plan_name *names = host ? host->names : NULL;

	if (!host && new)
		host = slice_insert(&hosts->v, &hosts->n, sizeof(*host), plan_host_place(hosts, id));
	if (!host && new)
		return -ENOMEM;
	if (new)
		*host = *new;
	if (host)
		host->names = names;
	*ret = host;
	return 0;
}

static int replace_host(struct slice *slice, struct plan_hosts *hosts, const char *id,
			const struct plan_host *new, struct plan_builder *b)
{
	struct plan_host *host;
	int r = take_host(hosts, id, new, &host);

	if (r < 0 || !host)
		return r;
	r = slice_replace_own_names(slice, &host->names, b);
	if (r == 0 && !new)
		slice_remove(hosts->v, &hosts->n, sizeof(*host), (size_t)(host - hosts->v));
	return r;
}

static int slice_host(struct slice *slice, enum plan_host_kind kind, const char *id)
{
	_cleanup_(plan_builder_done) struct plan_builder b = {};
	struct plan_hosts *hosts = &slice->plan->slices->hosts[kind], *made;
	const struct plan_host *old = plan_host_find(hosts, id), *new;
	char key[KEY_SIZE];
	int r = slice_builder(slice, &b);

	(void)str_format(key, sizeof(key), "instance/%s", id);
	if (r == 0)
		r = plan_host(&b, kind, id);
	if (r == 0)
		r = plan_settle(&b);
	if (r < 0)
		return r;
	if (b.plan->slices->is_odd || !slice_fails_only(&b, key) ||
	    !slice_may_have_names(slice, old ? old->names : NULL, &b))
		return 1;
	made = &b.plan->slices->hosts[kind];
	new = made->n ? made->v : NULL;
	r = slice_take_groups(slice, &b);
	if (r == 0)
		r = count_ports(slice, old, new);
	if (r == 0)
		r = replace_port(slice, old && old->port ? slice_find_port(slice->plan, old->port) : NULL,
				 b.plan->n_ports ? b.plan->ports : NULL);
	if (r == 0)
		r = replace_place(slice, old, &b);
	if (r == 0)
		r = replace_host(slice, hosts, id, new, &b);
	return r == 0 && kind == PLAN_HOST_INSTANCE ? slice_set_failure(slice, key, &b) : r;
}

int slice_instance(struct slice *slice, const char *id)
{
	return slice_host(slice, PLAN_HOST_INSTANCE, id);
}

int slice_interface(struct slice *slice, const char *id)
{
	return slice_host(slice, PLAN_HOST_INTERFACE, id);
}

int slice_vswitch(struct slice *slice, const char *id)
{
	return slice_host(slice, PLAN_HOST_VSWITCH, id);
}
