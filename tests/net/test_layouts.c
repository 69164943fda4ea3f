/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pinned tables of another layout, as after an upgrade or on the way back: counters, configuration, flows.
 */
#include <sys/stat.h>

#include "datapath_world.h"

/* Counters of more reasons than this program has, as after a downgrade, in place of the pinned ones; or of
 * fewer. */
static void pin_counters(int n_more)
{
	char path[256];
	int fd;

	(void)str_format(path, sizeof(path), "%s/pl_reasons", pins);
	(void)unlink(path);
	fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "pl_reasons", sizeof(uint32_t),
			    sizeof(struct pl_count), (uint32_t)(PL_REASON_MAX + n_more), NULL);
	if (fd < 0 || bpf_obj_pin(fd, path) < 0)
		exit(EXIT_FAILURE);
	(void)close(fd);
}

static void test_other_reasons(struct world *world)
{
	static const int more[] = {1, -1};

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		uint64_t flows = flow_count(world);

		stop_agent(world);
		pin_counters(more[i]);
		tap_is_int(start_agent(world), 0, "an agent whose reasons are %s takes over",
			   more[i] > 0 ? "fewer" : "more");
		tap_ok(flows > 0 && flow_count(world) >= flows, "it has the open flows");
		tap_is_int((long long)counter(world, "delivered"), 0, "its counters begin anew");
		tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
		tap_ok(counter(world, "delivered") > 0, "and are counted");
		(void)ports_sync_node_port(world->ports);
		tap_is_int(sync_world(world, true), 0, "a full pass goes well");
		tap_ok(flow_count(world) >= flows, "and costs no flow");
	}
}

/* Configuration of another layout. */

static bool is_there(const char *name)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, name);
	return access(path, F_OK) == 0;
}

static void set_other_version(void)
{
	struct pl_config config;
	uint32_t zero = 0;

	access_row("pl_config", &zero, &config, false);
	config.abi_version++;
	access_row("pl_config", &zero, &config, true);
}

/* The maps that the guard of the first instance's device has: a guard of a tap reads the ports' table. */
struct guard_maps {
	uint32_t ids[ATTACH_MAPS_MAX];
	size_t n;
};

static struct guard_maps guard_maps(const struct world *world)
{
	struct guard_maps maps = {};

	tap_is_int(attach_find_maps(world->instances[0].row.ifindex, maps.ids, &maps.n), 0,
		   "a port has a guard");
	return maps;
}

static bool has_same_guard(const struct world *world, const struct guard_maps *before)
{
	struct guard_maps now = guard_maps(world);

	return now.n == before->n && memcmp(now.ids, before->ids, now.n * sizeof(*now.ids)) == 0;
}

/* A map that programs of before had. */
static void pin_former(void)
{
	_cleanup_(closep) int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pl_rules", 4, 24, 1, NULL);
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_rules", pins);
	tap_ok(fd >= 0 && bpf_obj_pin(fd, path) == 0, "a map that nobody has any more is pinned");
}

static void test_other_layout(struct world *world)
{
	struct guard_maps guard;
	uint64_t flows;
	uint32_t generation;
	struct plan_indexes *indexes;

	world->plan.n_ports = world->plan.n_places = world->plan.n_security_groups = 2;
	(void)sync_world(world, false);
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "both instances are back");
	stop_agent(world);
	set_other_version();
	guard = guard_maps(world);
	flows = flow_count_pinned();
	generation = generation_of(16);
	pin_former();
	tap_is_int(start_agent(world), 0, "an agent finds tables of another layout");
	tap_ok(is_there("next/pl_ports"), "it makes its own beside them");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "those in force go on");
	(void)plan_indexes_new(&indexes);
	(void)datapath_adopt_indexes(world->datapath, indexes);
	tap_is_int(plan_indexes_adopt_slot(indexes, world->instances[1].number, 99), -EEXIST,
		   "an instance's slot is the one that it has there");
	plan_indexes_free(indexes);

	world->is_cut_short = true;
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass fills the new tables");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "those in force still go on");
	tap_is_int(generation_of(16), generation, "and have no other generations");
	tap_ok(has_same_guard(world, &guard), "it is the one of the tables in force");
	stop_agent(world);
	world->is_cut_short = false;
	tap_is_int(start_agent(world), 0, "it is killed before they are in force; the next begins anew");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
	tap_ok(!is_there("next"), "brings the new tables to the old ones' places");
	tap_ok(!is_there("pl_rules"), "what no program has any more is gone");
	tap_ok(!has_same_guard(world, &guard), "it is the one of the new tables");
	tap_ok(generation_of(16) > generation, "generations go on from the old ones, and have risen");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow by the new tables");
	tap_ok(flows > 0 && flow_count(world) >= flows, "no flow was lost");
}

/* A map of that kind that no program uses, pinned. */
static void pin_stray(const char *name, uint32_t key_size, uint32_t value_size)
{
	char path[256];
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "stray", key_size, value_size, 4, NULL);

	(void)str_format(path, sizeof(path), "%s/%s", pins, name);
	(void)unlink(path);
	tap_ok(fd >= 0 && bpf_obj_pin(fd, path) == 0, "a stray map is pinned at %s", name);
	(void)close(fd);
}

/* An agent was killed when its program was in force, and not all of its maps were in their places. */
static void test_half_moved(struct world *world)
{
	uint64_t flows = flow_count(world);
	uint32_t generation;
	char from[256], to[256];

	stop_agent(world);
	(void)str_format(from, sizeof(from), "%s/next", pins);
	(void)mkdir(from, 0700);
	(void)str_format(from, sizeof(from), "%s/pl_generations", pins);
	(void)str_format(to, sizeof(to), "%s/next/pl_generations", pins);
	generation = generation_of(16);
	tap_ok(rename(from, to) == 0, "a table of the running program has not come to its place yet");
	pin_stray("pl_generations", 4, 12);
	pin_stray("next/pl_places", 4, 4);
	tap_is_int(start_agent(world), 0, "the next agent starts");
	tap_ok(!is_there("next"), "and ends what was begun");
	tap_is_int(generation_of(16), generation, "what the program uses is in its place");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	tap_ok(flows > 0 && flow_count(world) >= flows, "no flow was lost");
}

/* Flow tables of another layout. */

#define MARK 1000000 /* packets of a row, by which it is known again */

struct copy {
	int fd;
	uint8_t row[256]; /* as the other layout has it; what it has more is not zero */
};

static int copy_flow(void *context, const void *key, const void *value)
{
	struct copy *copy = context;
	struct pl_flow4 flow;

	memcpy(&flow, value, sizeof(flow));
	flow.packets = MARK;
	memset(copy->row, 0xee, sizeof(copy->row));
	memcpy(copy->row, &flow, sizeof(flow));
	return bpf_map_update_elem(copy->fd, key, copy->row, BPF_ANY) < 0 ? -errno : 0;
}

/* In place of the pinned flow table one with rows of another size, and the same flows. */
static void pin_other_flows(uint32_t value_size)
{
	struct copy copy = {.fd = bpf_map_create(BPF_MAP_TYPE_HASH, "pl_flows4", sizeof(struct pl_flow4_key),
						 value_size, 1024, NULL)};
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_flows4", pins);
	fd = bpf_obj_get(path);
	tap_ok(table_walk(fd, copy_flow, &copy) == 0 && unlink(path) == 0 && bpf_obj_pin(copy.fd, path) == 0,
	       "the flow table is one with rows of %u bytes", value_size);
	(void)close(copy.fd);
}

static int count_marked(void *context, const void *key, const void *value)
{
	uint64_t *n = context;
	struct pl_flow4 flow;

	(void)key;
	memcpy(&flow, value, sizeof(flow));
	*n += flow.packets >= MARK;
	return 0;
}

static uint64_t marked_flows(const char *map)
{
	_cleanup_(closep) int fd = -EBADF;
	uint64_t n = 0;
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", pins, map);
	fd = bpf_obj_get(path);
	(void)table_walk(fd, count_marked, &n);
	return n;
}

/* A flow that no packet asks for. */
static void put_silent_flow(uint16_t client_port)
{
	put_flow(client_port, newest_seen(), 1);
}

static uint32_t epoch(void)
{
	struct pl_uses uses = {};
	uint32_t zero = 0;

	access_row("pl_uses", &zero, &uses, false);
	return uses.epoch;
}

static void test_other_flows(struct world *world)
{
	uint64_t flows, moved, deleted;
	uint32_t before = epoch();

	put_silent_flow(1010);
	flows = flow_count(world);
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 8);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with longer rows");
	tap_is_int((long long)flow_count(world), (long long)flows, "its flows are known");
	tap_is_int((long long)marked_flows("pl_flows4"), 0, "and are where they were");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	tap_ok(epoch() == before + 1, "new tokens give out other sources than the last ones");
	moved = marked_flows("pl_flows4");
	tap_ok(moved == 4 && marked_flows("pl_flows4_old") == flows - moved,
	       "and take their flows with them");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
	tap_is_int((long long)marked_flows("pl_flows4_old"), (long long)(flows - moved),
		   "moves no other flow");

	stop_agent(world);
	tap_is_int(start_agent(world), 0, "another agent of the same layout");
	tap_is_int((long long)flow_count(world), (long long)flows, "knows all flows, too");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	tap_is_int(read_flows(world, &deleted), 0, "a round");
	tap_is_int((long long)marked_flows("pl_flows4"), (long long)flows, "moves them all");
	tap_is_int((long long)flow_count(world), (long long)flows, "and counts none twice");
	tap_is_int(read_flows(world, &deleted), 0, "another one");
	tap_ok(!is_there("pl_flows4_old"), "lets go of the old table");
}

/* A third layout before the flows of the first have moved to the second. */
static void test_flows_twice(struct world *world)
{
	uint64_t flows, deleted;

	put_silent_flow(1011);
	flows = flow_count(world);
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 8);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with longer rows");
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 24);
	tap_is_int(start_agent(world), 0, "the next one a third, while the first has flows");
	tap_is_int((long long)flow_count(world), (long long)flows, "it has all of them");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	(void)read_flows(world, &deleted);
	(void)read_flows(world, &deleted);
	tap_is_int((long long)marked_flows("pl_flows4"), (long long)flows, "they all move");
	tap_ok(!is_there("pl_flows4_old"), "and nothing is left over");
}

/* As if so many tokens more (or fewer) were in use. */
static void use_tokens(int32_t n)
{
	struct pl_uses uses = {};
	uint32_t zero = 0;

	access_row("pl_uses", &zero, &uses, false);
	uses.used[PL_RANGE_TENANTS] += (uint32_t)n;
	access_row("pl_uses", &zero, &uses, true);
}

static void test_full_flows(struct world *world)
{
	uint64_t flows, deleted = 0;

	put_silent_flow(1012);
	flows = flow_count(world);
	stop_agent(world);
	pin_other_flows(sizeof(struct pl_flow4) + 8);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with longer rows");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	use_tokens(PL_TOKENS_TENANTS);
	tap_is_int(read_flows(world, &deleted), 0, "a round without tokens for the flows");
	tap_ok(marked_flows("pl_flows4") < flows && is_there("pl_flows4_old"), "leaves them where they are");
	use_tokens(-PL_TOKENS_TENANTS);
	(void)read_flows(world, &deleted);
	tap_is_int((long long)marked_flows("pl_flows4"), (long long)flows, "the next one moves them");
	(void)read_flows(world, &deleted);
	tap_ok(!is_there("pl_flows4_old"), "and the old table goes");
}

/* In place of the pinned owners those of before accounts were among them. */
static void pin_slots_alone(void)
{
	_cleanup_(closep) int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pl_owners", sizeof(uint32_t),
						  sizeof(struct pl_owner), PL_SLOTS_MAX, NULL);
	char path[256];

	(void)str_format(path, sizeof(path), "%s/pl_owners", pins);
	tap_ok(fd >= 0 && unlink(path) == 0 && bpf_obj_pin(fd, path) == 0, "owners are slots alone");
}

struct counts {
	uint32_t of[PL_OWNERS_MAX];
	uint32_t n;
};

static int count_token(void *context, const void *key, const void *value)
{
	struct counts *counts = context;
	struct pl_token token;

	(void)key;
	memcpy(&token, value, sizeof(token));
	if ((token.word >> PL_TOKEN_PHASE & 3) != PL_PHASE_OPEN)
		return 0;
	counts->of[token.owner & PL_OWNER_SLOT]++;
	counts->of[pl_owner_of_account(token.owner >> PL_OWNER_ACCOUNT)]++;
	counts->n++;
	return 0;
}

static int take_off(void *context, const void *key, const void *value)
{
	struct counts *counts = context;
	struct pl_owner owner;
	uint32_t row;

	memcpy(&row, key, sizeof(row));
	memcpy(&owner, value, sizeof(owner));
	counts->of[row] -= owner.flows[PL_RANGE_TENANTS] + owner.flows[PL_RANGE_SERVICE];
	return 0;
}

/* Whether what each slot and each account has is what their tokens are, so many in all. */
static bool counts_are_right(uint32_t n)
{
	_cleanup_(closep) int tokens = open_pin("pl_tokens"), owners = open_pin("pl_owners");
	_cleanup_(freep) struct counts *counts = calloc(1, sizeof(*counts));
	struct pl_uses uses = {};
	uint32_t zero = 0;

	access_row("pl_uses", &zero, &uses, false);
	if (table_walk(tokens, count_token, counts) < 0 || table_walk(owners, take_off, counts) < 0)
		exit(EXIT_FAILURE);
	for (uint32_t row = 0; row < PL_OWNERS_MAX; row++)
		if (counts->of[row])
			return false;
	return counts->n == n && uses.used[PL_RANGE_TENANTS] + uses.used[PL_RANGE_SERVICE] == n;
}

static uint32_t account_has(uint16_t account)
{
	uint32_t row = pl_owner_of_account(account);
	struct pl_owner owner = {};

	access_row("pl_owners", &row, &owner, false);
	return owner.flows[PL_RANGE_TENANTS];
}

/* Flows of a program that knew no accounts, and of one that does: they move, and count for the account. */
static void test_before_accounts(struct world *world)
{
	uint64_t flows, deleted;

	world->instances[0].limit.account = 7;
	(void)sync_world(world, false);
	put_silent_flow(1013);
	flows = flow_count(world);
	stop_agent(world);
	pin_slots_alone();
	tap_is_int(start_agent(world), 0, "an agent finds owners without accounts");
	tap_is_int((long long)flow_count(world), (long long)flows, "it has the open flows");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
	(void)ports_sync_node_port(world->ports);
	(void)sync_world(world, true);
	(void)read_flows(world, &deleted);
	(void)read_flows(world, &deleted);
	tap_ok(flow_count(world) == flows && !is_there("pl_flows4_old"), "all of them move");
	tap_ok(counts_are_right((uint32_t)flows / 2) && account_has(7) == flows / 2,
	       "and count for their port's account");

	stop_agent(world);
	put_silent_flow(1014);
	tap_is_int(start_agent(world), 0, "while there is no agent another one opens");
	(void)ports_sync_node_port(world->ports);
	world->instances[0].limit.account = 8;
	(void)sync_world(world, true);
	tap_ok(counts_are_right((uint32_t)flows / 2 + 1) && account_has(7) == flows / 2,
	       "the next one, by which the port is another account's, leaves the counts alone");
	world->plan.n_ports = world->plan.n_places = world->plan.n_security_groups = 0;
	(void)sync_world(world, false);
	(void)read_flows(world, &deleted);
	tap_ok(deleted > 0 && counts_are_right(0), "flows that end are given back by whom they were taken");
	world->plan.n_ports = world->plan.n_places = world->plan.n_security_groups = 2;
	world->instances[0].limit.account = 0;
	(void)sync_world(world, false);
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "packets flow");
}

/* Nobody can read flows whose keys are of another kind. */
static void test_unknown_flows(struct world *world)
{
	stop_agent(world);
	pin_stray("pl_flows4", 20, 80);
	log_set_level(LOG_LEVEL_ERROR);
	tap_is_int(start_agent(world), 0, "an agent finds a flow table with other keys");
	log_set_level(LOG_LEVEL_WARNING);
	tap_is_int((long long)flow_count(world), 0, "the flows are lost");
	tap_ok(arrives(&world->instances[0], &world->instances[1]), "new ones open");
	(void)ports_sync_node_port(world->ports);
	tap_is_int(sync_world(world, true), 0, "a full pass");
}

int main(int argc, char **argv)
{
	struct world world = {};

	if (!begin(&world, argc, argv))
		return tap_done();
	tap_is_int(start_agent(&world), 0, "the data path is loaded");
	if (world.datapath && world.ports) {
		(void)ports_sync_node_port(world.ports);
		tap_is_int(sync_world(&world, true), 0, "two instances are put in force");
		tap_ok(arrives(&world.instances[0], &world.instances[1]), "packets flow");
		test_other_reasons(&world);
		test_other_layout(&world);
		test_half_moved(&world);
		test_other_flows(&world);
		test_flows_twice(&world);
		test_full_flows(&world);
		test_before_accounts(&world);
		test_unknown_flows(&world);
		test_remove(&world);
	}
	return tap_done();
}
