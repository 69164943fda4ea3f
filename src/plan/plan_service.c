/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind endpoints: load balancers' listeners, their server groups, the backends and who among
 * them gets new flows. A table belongs to a server group and a zone. It holds the healthy servers of the
 * zone; if it has none, those of the other zones (rescue); if there is none at all, the probes may be what is
 * wrong, and every server of the zone, else of the group, stays in. Without CrossZoneEnabled only servers of
 * the zone are ever in; servers of a classic load balancer are all of its zone. A server that is stopped,
 * removed, whose address no interface has or whose device on this node is missing is never in.
 */
#include "plan_build.h"

#include "../model/check.h"
#include "../model/serving.h"
#include "../model/state.h"
#include "maglev.h"

#include "../lib/vec.h"
#include <assert.h>

static const struct plan_port *local_port(const struct plan *plan, const struct port *port)
{
	size_t place = LOWER_BOUND(i, plan->n_ports, plan->ports[i].number < port->number);
	const struct plan_port *local = place < plan->n_ports ? &plan->ports[place] : NULL;

	return local && local->number == port->number && local->row.ifindex ? local : NULL;
}

/* The local result counts first; what the rows say of a server elsewhere, or from before a restart, comes
 * second. */
static bool is_healthy(const struct plan_builder *b, const struct server_group *group,
		       const struct server *server)
{
	enum plan_health health = PLAN_HEALTH_UNKNOWN;
	const struct server_health *row;

	if (!group->health_enabled)
		return true;
	if (b->input->health)
		health = b->input->health(b->input->health_context, server);
	if (health != PLAN_HEALTH_UNKNOWN)
		return health == PLAN_HEALTHY;
	row = serving_health(b->rows, server);
	return !row || row->healthy;
}

static void judge(const struct plan_builder *b, const struct plan_group *group, struct plan_server *server)
{
	const struct server *row = server->row;
	const struct instance *instance;
	bool is_here;

	server->backend = PLAN_NO_BACKEND;
	server->port = group->vpc ? serving_port(b->rows, group->row, row) : NULL;
	if (!server->port)
		return;
	instance = snapshot_instance(b->rows, server->port->holder);
	is_here = streq(server->port->node, b->input->node);
	server->local = local_port(b->base ? b->base : b->plan, server->port);
	server->serves = row->status != SERVER_REMOVING && row->weight > 0 &&
			 (!instance || serving_instance_runs(instance)) && (server->local || !is_here);
	server->healthy = is_healthy(b, group->row, row);
}

static const struct nat_range *find_range(const struct plan_builder *b, const struct server_group *row)
{
	char id[KEY_SIZE];

	(void)str_format(id, sizeof(id), "%s/%s", row->vpc, b->input->node);
	return snapshot_find(b->rows, KIND_NAT_RANGE, id);
}

static int fill_group(struct plan_builder *b, const struct server_group *row, struct plan_group *group)
{
	char id[KEY_SIZE];

	group->row = row;
	group->vpc = snapshot_vpc(b->rows, row->vpc);
	group->nat = find_range(b, row);

	(void)str_format(id, sizeof(id), "%s/", row->id);
	for (const struct server *v = NULL; (v = snapshot_next(b->rows, KIND_SERVER, id, v));) {
		struct plan_server *server = plan_append(&group->servers, &group->n_servers, sizeof(*server));

		if (!server)
			return -ENOMEM;
		server->row = v;
		judge(b, group, server);
	}
	return 0;
}

static int add_group(struct plan_builder *b, const struct server_group *row)
{
	struct plan_group *group = plan_append(&b->groups, &b->n_groups, sizeof(*group));

	return group ? fill_group(b, row, group) : -ENOMEM;
}

/* Of a slice: it joins the groups at its place when it is asked for. */
static struct plan_group *insert_group(struct plan_builder *b, size_t place, const char *id)
{
	const struct server_group *row = snapshot_server_group(b->rows, id);
	struct plan_group group = {};

	if (!row)
		return NULL;
	if (fill_group(b, row, &group) < 0 || !plan_append(&b->groups, &b->n_groups, sizeof(group))) {
		free(group.servers);
		b->is_out_of_memory = true;
		return NULL;
	}
	memmove(&b->groups[place + 1], &b->groups[place], (b->n_groups - 1 - place) * sizeof(group));
	b->groups[place] = group;
	return &b->groups[place];
}

/* Without a breath, so that what the probes have found is all of one moment. */
int plan_groups(struct plan_builder *b)
{
	for (const struct server_group *v = NULL; (v = snapshot_next(b->rows, KIND_SERVER_GROUP, "", v));) {
		int r = add_group(b, v);

		if (r < 0)
			return r;
	}
	return 0;
}

struct plan_group *plan_group_find(struct plan_builder *b, const char *id)
{
	size_t place = LOWER_BOUND(i, b->n_groups, strcmp(b->groups[i].row->id, id) < 0);

	if (place < b->n_groups && streq(b->groups[place].row->id, id))
		return &b->groups[place];
	return b->base ? insert_group(b, place, id) : NULL;
}

bool plan_zone_answers(struct plan_builder *b, const char *load_balancer, const char *zone)
{
	const struct load_balancer *lb = snapshot_load_balancer(b->rows, load_balancer);

	if (lb && load_balancer_is_shifted(lb, zone))
		return false;
	for (const struct listener *l = NULL; (l = serving_next_listener(b->rows, load_balancer, l));) {
		const struct plan_group *group = plan_group_find(b, l->server_group);
		bool own = false, own_answers = false, any_answers = false;

		for (size_t j = 0; group && j < group->n_servers; j++) {
			const struct plan_server *server = &group->servers[j];
			bool answers = server->serves && server->healthy;

			any_answers |= answers;
			if (!serving_in_zone(group->row, server->row, zone))
				continue;
			own |= server->row->weight > 0 && server->row->status != SERVER_REMOVING;
			own_answers |= answers;
		}
		if (own || (lb && !lb->cross_zone) ? own_answers : any_answers)
			return true;
	}
	return false;
}

/* One of its servers has an interface. */
static bool has_backend(const struct plan_group *group)
{
	for (size_t i = 0; i < group->n_servers; i++)
		if (group->servers[i].port)
			return true;
	return false;
}

static bool has_range(const struct plan_builder *b, const char *id)
{
	const struct server_group *row = snapshot_server_group(b->rows, id);

	return row && find_range(b, row);
}

const struct vpc *plan_lacking_of(struct plan_builder *b, const char *id)
{
	const struct plan_group *group;

	if (b->base && has_range(b, id))
		return NULL; /* none of its servers is judged for that */
	group = plan_group_find(b, id);
	return group && group->vpc && !group->nat && has_backend(group) ? group->vpc : NULL;
}

uint64_t plan_lacking(struct plan_builder *b, const char *load_balancer)
{
	uint64_t lacking = PLAN_HASH_START;

	for (const struct listener *l = NULL; (l = serving_next_listener(b->rows, load_balancer, l));) {
		const struct vpc *vpc = plan_lacking_of(b, l->server_group);

		if (vpc)
			lacking = plan_hash(lacking, vpc->id, strlen(vpc->id) + 1);
	}
	return lacking;
}

/* A place that the group needs. */
static int add_place(struct plan_builder *b, struct plan_group *group, uint32_t vpc,
		     const struct netaddr *addr, uint32_t kind, uint32_t id)
{
	struct pl_place_key *key = plan_append(&group->places, &group->n_places, sizeof(*key));

	if (!key)
		return -ENOMEM;
	key->vpc = vpc;
	key->addr = plan_addr(addr);
	return plan_add_place(b, vpc, addr, kind, id);
}

/* Gives the server its row among the backends. */
static int need_backend(struct plan_builder *b, struct plan_group *group, struct plan_server *server)
{
	struct pl_addr addr = plan_addr(&server->row->addr);
	const struct node *node = NULL;
	struct plan_backend *backend;
	uint32_t index, *own;
	int r;

	r = plan_indexes_backend(b->indexes, group->vpc->number, &addr, htons((uint16_t)server->row->port),
				 &index);
	if (r < 0)
		return r;
	own = plan_append(&group->backends, &group->n_backends, sizeof(*own));
	backend = own ? plan_append(&b->plan->backends, &b->plan->n_backends, sizeof(*backend)) : NULL;
	if (!backend)
		return -ENOMEM;
	server->backend = *own = index;
	backend->uses = 1;
	if (!streq(server->port->node, b->input->node))
		node = snapshot_node(b->rows, server->port->node);
	backend->index = index;
	backend->value.addr = addr;
	backend->value.vpc = group->vpc->number;
	backend->value.slot = server->local ? server->local->slot : PL_SLOT_NONE;
	backend->value.node = node ? node->number : 0;
	backend->value.port = htons((uint16_t)server->row->port);
	backend->value.zone = plan_zone_index(b, server->port->zone);
	if (group->nat) {
		backend->value.nat_first = htonl(netaddr_to_v4(&group->nat->range.addr));
		backend->value.nat_count = NAT_RANGE_SIZE;
	}
	return node ? add_place(b, group, group->vpc->number, &server->row->addr, PL_PLACE_REMOTE,
				node->number)
		    : 0;
}

int plan_reach(struct plan_builder *b, struct plan_group *group)
{
	if (group->reached)
		return 0;
	group->reached = true;
	for (size_t i = 0; i < group->n_servers; i++) {
		struct plan_server *server = &group->servers[i];
		char key[KEY_SIZE];
		int r = server->port ? plan_add_served(b, group, server) : 0;

		if (r == 0 && server->port)
			r = need_backend(b, group, server);
		if (r == -ENOSPC) {
			(void)str_format(key, sizeof(key), "server_group/%s", group->row->id);
			r = plan_fail(b, key, "this node has no free index for another backend");
		}
		if (r < 0)
			return r;
	}
	return 0;
}

enum choice { CHOICE_ZONE_HEALTHY, CHOICE_HEALTHY, CHOICE_ZONE, CHOICE_ALL, CHOICE_COUNT_ };

static bool chosen(const struct plan_group *group, const struct plan_server *server, const char *zone,
		   enum choice choice)
{
	if (!server->serves || server->backend == PLAN_NO_BACKEND)
		return false;
	switch (choice) {
	case CHOICE_ZONE_HEALTHY:
		return server->healthy && serving_in_zone(group->row, server->row, zone);
	case CHOICE_HEALTHY:
		return server->healthy;
	case CHOICE_ZONE:
		return serving_in_zone(group->row, server->row, zone);
	default:
		return true;
	}
}

/* The same on all nodes and after each start. */
static uint64_t backend_identity(uint32_t vpc, const struct server *server)
{
	uint64_t hash = plan_hash(PLAN_HASH_START, &server->addr, 16);

	hash = plan_hash(hash, &vpc, sizeof(vpc));
	return plan_hash(hash, &server->port, sizeof(server->port));
}

static bool stays_in_zone(int choice)
{
	return choice == CHOICE_ZONE_HEALTHY || choice == CHOICE_ZONE;
}

static bool has_chosen(const struct plan_group *group, const struct plan_table *table, enum choice choice)
{
	for (size_t i = 0; i < group->n_servers; i++)
		if (chosen(group, &group->servers[i], table->zone, choice))
			return true;
	return false;
}

/* The servers in the table; those that are ill are away, so that none but their own flows move. */
static size_t choose(const struct plan_group *group, struct plan_table *table, struct maglev_backend *ret)
{
	size_t n = 0;
	int choice = 0;

	while (choice < CHOICE_COUNT_ &&
	       (!(table->crosses || stays_in_zone(choice)) || !has_chosen(group, table, (enum choice)choice)))
		choice++;
	table->ill = choice >= CHOICE_ZONE;
	for (size_t i = 0; choice < CHOICE_COUNT_ && i < group->n_servers; i++) {
		const struct plan_server *server = &group->servers[i];

		if (!chosen(group, server, table->zone, stays_in_zone(choice) ? CHOICE_ZONE : CHOICE_ALL))
			continue;
		ret[n].identity = backend_identity(group->vpc->number, server->row);
		ret[n].index = server->backend;
		ret[n].weight = server->row->weight;
		ret[n++].away = !chosen(group, server, table->zone, (enum choice)choice);
	}
	return n;
}

/* Tables. */

struct counted_table {
	uint32_t holders;
	uint32_t entries[];
};

static struct counted_table *counted(uint32_t *table)
{
	return (struct counted_table *)((char *)table - offsetof(struct counted_table, entries));
}

uint32_t *plan_table_new(uint32_t size)
{
	struct counted_table *table = calloc(1, sizeof(*table) + size * sizeof(*table->entries));

	if (!table)
		return NULL;
	table->holders = 1;
	return table->entries;
}

uint32_t *plan_table_hold(uint32_t *table)
{
	if (table)
		counted(table)->holders++;
	return table;
}

void plan_table_drop(uint32_t *table)
{
	if (table && --counted(table)->holders == 0)
		free(counted(table));
}

/* The size goes by all servers of the group, so that it stays while some are ill. */
static int make_table(struct plan_group *group, struct plan_table *table)
{
	_cleanup_(freep) struct maglev_backend *backends =
		calloc(MAX(group->n_servers, 1u), sizeof(*backends));
	uint32_t size = maglev_size(group->n_servers);
	size_t n;

	if (!backends)
		return -ENOMEM;
	n = choose(group, table, backends);
	if (n == 0)
		return 0;
	table->entries = plan_table_new(size);
	if (!table->entries)
		return -ENOMEM;
	table->size = size;
	return maglev_fill(backends, n, table->entries, size);
}

static int get_table(struct plan_group *group, const struct plan_target *target, struct plan_table *ret)
{
	bool crosses = target->load_balancer->cross_zone;
	struct plan_table *table;
	int r;

	for (size_t i = 0; i < group->n_tables; i++)
		if (streq(group->tables[i].zone, target->zone) && group->tables[i].crosses == crosses) {
			*ret = group->tables[i];
			return 0;
		}
	table = plan_append(&group->tables, &group->n_tables, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->zone = target->zone;
	table->crosses = crosses;
	r = make_table(group, table);
	if (r < 0)
		return r;
	*ret = *table;
	return 0;
}

int plan_protocol(const char *protocol)
{
	if (streq(protocol, "TCP"))
		return IPPROTO_TCP;
	return streq(protocol, "UDP") ? IPPROTO_UDP : -EINVAL;
}

static bool key_is_taken(const struct plan *plan, size_t first, const struct pl_listener_key *key)
{
	for (size_t i = first; i < plan->n_listeners; i++)
		if (memcmp(&plan->listeners[i].key, key, sizeof(*key)) == 0)
			return true;
	return false;
}

int plan_listener(struct plan_builder *b, const struct plan_target *target, const struct listener *row,
		  size_t first)
{
	struct plan_group *group = plan_group_find(b, row->server_group);
	int protocol = plan_protocol(row->protocol), r;
	struct plan_table table = {0};
	struct plan_listener *listener;
	struct pl_listener_key lkey;
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "listener/%s", row->id);
	if (protocol < 0 || row->port == 0 || row->port > UINT16_MAX)
		return plan_fail(b, key, "endpoints cannot reach protocol %s port %u", row->protocol,
				 row->port);
	lkey = (struct pl_listener_key){target->number, htons((uint16_t)row->port), (uint8_t)protocol, 0};
	if (key_is_taken(b->plan, first, &lkey))
		return plan_fail(b, key, "another listener has port %u", row->port);
	if (!group || !group->vpc) {
		r = plan_fail(b, key, "the server group %s or its VPC is missing", row->server_group);
	} else {
		r = plan_reach(b, group);
		if (r == 0)
			r = get_table(group, target, &table);
	}
	if (r < 0)
		return r;

	listener = plan_append(&b->plan->listeners, &b->plan->n_listeners, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->key = lkey;
	listener->value.table_size = table.size;
	listener->value.idle_s = row->idle_timeout_s;
	listener->value.open_ns = plan_cost_ns(row->cps);
	listener->value.proxy = plan_proxy_parts(row);
	listener->value.vpc = group && group->vpc ? group->vpc->number : 0;
	listener->value.flags = table.ill ? PL_LISTENER_F_ILL : 0;
	listener->value.group = group ? plan_group_number(group->row) : 0;
	listener->value.mss = (uint16_t)MIN(row->mss, (uint32_t)UINT16_MAX);
	listener->table = plan_table_hold(table.entries);
	return 0;
}

int plan_listeners(struct plan_builder *b)
{
	for (size_t i = 0; i < b->n_targets; i++) {
		const struct plan_target *target = &b->targets[i];
		const char *balancer = target->load_balancer->id;
		size_t start = b->plan->n_listeners;

		for (const struct listener *l = NULL; (l = serving_next_listener(b->rows, balancer, l));) {
			int r = plan_listener(b, target, l, start);

			if (r < 0)
				return r;
			plan_breathe(b);
		}
	}
	return 0;
}

static uint32_t seconds_to_ms(uint32_t seconds, uint32_t otherwise)
{
	return MIN(seconds ? seconds : otherwise, 3600u) * 1000;
}

static int add_probe(struct plan_builder *b, struct plan_group *of, const struct plan_server *server)
{
	const struct server_group *group = of->row;
	struct plan_probe *probe = plan_append(&b->plan->probes, &b->plan->n_probes, sizeof(*probe));
	struct netprefix service;

	if (!probe)
		return -ENOMEM;
	(void)netprefix_parse(PLAN_NODE_NETWORK, true, &service);
	(void)str_copy(probe->group, sizeof(probe->group), group->id);
	(void)str_copy(probe->server_id, sizeof(probe->server_id), server->row->server_id);
	probe->server_port = server->row->port;
	probe->backend = server->backend;
	probe->vpc = of->vpc->number;
	probe->owner = group->owner;
	probe->probe_addr = netaddr_v4(netaddr_to_v4(&service.addr) + (1u << 16) + server->backend);
	probe->probe_port = group->health_port ? group->health_port : server->row->port;
	probe->interval_ms = seconds_to_ms(group->health_interval_s, 10);
	probe->timeout_ms = seconds_to_ms(group->health_timeout_s, 5);
	probe->healthy_threshold = MAX(group->healthy_threshold, 1u);
	probe->unhealthy_threshold = MAX(group->unhealthy_threshold, 1u);
	plan_probe_say(probe, group, server->row);
	return add_place(b, of, PL_VPC_NODES, &probe->probe_addr, PL_PLACE_PROBE, server->backend);
}

static bool probed_here(const struct plan_builder *b, const struct plan_server *server)
{
	const struct server *row = server->row;
	const struct instance *instance =
		server->port ? snapshot_instance(b->rows, server->port->holder) : NULL;

	return server->local && (!*row->node || streq(row->node, b->input->node)) &&
	       row->status != SERVER_REMOVING && (!instance || serving_instance_runs(instance));
}

/* The servers of this node are probed from here, whoever uses them. */
int plan_probes(struct plan_builder *b)
{
	for (size_t i = 0; i < b->n_groups; i++) {
		struct plan_group *group = &b->groups[i];

		for (size_t j = 0; group->row->health_enabled && group->nat && j < group->n_servers; j++) {
			int r;

			if (!probed_here(b, &group->servers[j]))
				continue;
			r = plan_reach(b, group);
			if (r == 0 && group->servers[j].backend != PLAN_NO_BACKEND)
				r = add_probe(b, group, &group->servers[j]);
			if (r < 0)
				return r;
			plan_breathe(b);
		}
	}
	return 0;
}

/* Translated sources: replies of backends to them are for this node. */
static int translate(struct plan_builder *b, struct plan_group *group)
{
	uint32_t first = netaddr_to_v4(&group->nat->range.addr);
	int r = 0;

	for (uint32_t i = 0; i < NAT_RANGE_SIZE && r == 0; i++) {
		struct netaddr addr = netaddr_v4(first + i);

		r = add_place(b, group, group->vpc->number, &addr, PL_PLACE_NAT, 0);
	}
	return r;
}

int plan_translated(struct plan_builder *b)
{
	int r = 0;

	for (size_t i = 0; i < b->n_groups && r == 0; i++)
		if (b->groups[i].reached && b->groups[i].nat)
			r = translate(b, &b->groups[i]);
	return r;
}
