/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a record of the flow log is: the slots in it may have had other owners when it was made. The data
 * path's side is played here.
 */
#include "../tap.h"
#include "agent/flow_files.h"
#include "agent/flow_log.h"
#include "plan/plan.h"

#include <unistd.h>

#define VPC 5

enum { SLOT_ENI = 20, SLOT_CLIENT, SLOT_SERVER, SLOT_MANY, SLOTS = SLOT_MANY + FLOW_LOG_ENIS_MAX + 2 };

static uint64_t clock_ms = 1000;

uint64_t __wrap_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void)
{
	return clock_ms;
}

static char directory[] = "/tmp/privlink-flow-log-XXXXXX";

/* ---- the data path's ---- */

static struct {
	datapath_record_callback callback;
	void *context;
	bool is_on[SLOTS];
} records;

int datapath_log_new(struct datapath *datapath _unused_, datapath_record_callback callback, void *context,
		     struct datapath_log **ret)
{
	records.callback = callback;
	records.context = context;
	*ret = (struct datapath_log *)&records;
	return 0;
}

struct datapath_log *datapath_log_free(struct datapath_log *log _unused_)
{
	return NULL;
}

uint32_t datapath_log_slots(const struct datapath_log *log _unused_)
{
	return SLOTS;
}

bool datapath_log_is_on(const struct datapath_log *log _unused_, uint32_t slot)
{
	return records.is_on[slot];
}

void datapath_log_set(struct datapath_log *log _unused_, uint32_t slot, bool on)
{
	records.is_on[slot] = on;
}

uint64_t datapath_log_lost(const struct datapath_log *log _unused_, uint32_t slot _unused_)
{
	return 0;
}

void datapath_log_told(struct datapath_log *log _unused_, uint32_t slot _unused_, uint64_t n _unused_)
{
}

int datapath_log_read(struct datapath_log *log _unused_)
{
	return 0;
}

/* ---- the node ---- */

static struct pl_addr addr_of(uint32_t address)
{
	struct netaddr addr = netaddr_v4(address);
	struct pl_addr ret;

	memcpy(&ret, &addr, sizeof(ret));
	return ret;
}

static struct plan_eni eni = {.slot = SLOT_ENI, .value.vpc = VPC, .is_logged = true};
static struct plan_port ports[2] = {
	{.number = 1, .slot = SLOT_CLIENT, .instance = "i-client", .row.vpc = VPC},
	{.number = 2, .slot = SLOT_SERVER, .instance = "i-server", .row.vpc = VPC + 1},
};

static uint32_t ports_by_slot[2] = {0, 1};

static struct plan make_plan(void)
{
	(void)str_copy(eni.endpoint, sizeof(eni.endpoint), "ep-b");
	(void)str_copy(eni.zone, sizeof(eni.zone), "cn-a");
	eni.value.addr = addr_of(0x0a000009);
	ports[0].row.addr = addr_of(0x0a000001);
	ports[1].row.addr = addr_of(0x0b000002);
	return (struct plan){
		.enis = &eni, .n_enis = 1, .ports = ports, .n_ports = 2, .ports_by_slot = ports_by_slot};
}

static struct datapath_record make_record(void)
{
	return (struct datapath_record){
		.end = "closed",
		.protocol = 6,
		.opened = {netaddr_v4(0x0a000001), netaddr_v4(0x0a000009), 4000, 443},
		.served = {netaddr_v4(0x64400001), netaddr_v4(0x0b000002), 5000, 8443},
		.is_served = true,
		.vpc = VPC,
		.eni = SLOT_ENI,
		.client = SLOT_CLIENT,
		.server = SLOT_SERVER,
	};
}

/* The endpoint's line about the record; "": there is none. */
static const char *line_of(const struct datapath_record *record)
{
	static char line[2048];
	char path[PATH_MAX];
	FILE *file;

	*line = '\0';
	(void)str_format(path, sizeof(path), "%s/ep-b.jsonl", directory);
	(void)unlink(path);
	(void)records.callback(records.context, record);
	file = fopen(path, "r");
	if (!file)
		return line;
	if (!fgets(line, sizeof(line), file))
		*line = '\0';
	(void)fclose(file);
	(void)unlink(path);
	return line;
}

static bool names(const char *line, const char *from, const char *to)
{
	char text[64];

	(void)str_format(text, sizeof(text), "\"from\":\"%s\"", from);
	if (!strstr(line, text))
		return false;
	(void)str_format(text, sizeof(text), "\"to\":\"%s\"", to);
	return strstr(line, text);
}

static void test_owners(void)
{
	struct datapath_record record = make_record();

	tap_ok(names(line_of(&record), "i-client", "i-server"),
	       "a record has its own endpoint and instances");
	record.vpc++;
	tap_is_str(line_of(&record), "", "one from another VPC is of the slot's last owner, and nobody's");
	record = make_record();
	record.opened.destination = netaddr_v4(0x0a000008);
	tap_is_str(line_of(&record), "", "so is one to another address");
	record = make_record();
	record.opened.source = netaddr_v4(0x0a000007);
	tap_ok(*line_of(&record) && !strstr(line_of(&record), "\"from\""),
	       "the client's slot is another's: it has no name");
	record = make_record();
	record.served.destination = netaddr_v4(0x0b000007);
	tap_ok(*line_of(&record) && !strstr(line_of(&record), "\"to\""), "and so the server's");
}

/* More than a node takes: the next one has its turn when one is switched off, whatever else changes. */
static void test_room(struct flow_log *log, struct loop *loop)
{
	static struct plan_eni many[FLOW_LOG_ENIS_MAX + 2];
	struct plan plan = {.enis = many, .n_enis = ARRAY_SIZE(many)};
	uint32_t slot = SLOT_MANY;

	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = eni;
		many[i].slot = SLOT_MANY + i;
	}
	flow_log_follow(log, &plan);
	tap_ok(!records.is_on[SLOT_MANY + FLOW_LOG_ENIS_MAX - 1],
	       "one that has gone keeps its place for a while");
	clock_ms += FLOW_LOG_GONE_MS;
	(void)loop_turn(loop, 0);
	tap_ok(records.is_on[SLOT_MANY + FLOW_LOG_ENIS_MAX - 1] &&
		       !records.is_on[SLOT_MANY + FLOW_LOG_ENIS_MAX],
	       "as many logs are on as there is room for");
	many[0].is_logged = false;
	flow_log_follow_slots(log, &slot, 1);
	tap_ok(!records.is_on[SLOT_MANY] && records.is_on[SLOT_MANY + FLOW_LOG_ENIS_MAX] &&
		       !records.is_on[SLOT_MANY + FLOW_LOG_ENIS_MAX + 1],
	       "when one is switched off the next one is on");
}

int main(void)
{
	struct plan plan = make_plan();
	struct flow_log *log;
	char path[PATH_MAX];
	struct loop *loop;

	if (!mkdtemp(directory) || loop_new(&loop) < 0 || flow_log_new(loop, NULL, directory, &log) < 0)
		return EXIT_FAILURE;
	flow_log_follow(log, &plan);
	tap_ok(records.is_on[SLOT_ENI], "the ENI's log is on");
	(void)str_format(path, sizeof(path), "%s/ep-b.jsonl", directory);
	tap_ok(access(path, F_OK) == 0, "its file is there before there is a record");
	test_owners();
	test_room(log, loop);
	flow_log_free(log);
	loop_free(loop);
	(void)rmdir(directory);
	return tap_done();
}
