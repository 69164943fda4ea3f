/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to hear a node's rows, to keep and to read them, to plan it, and to put the plan into the
 * kernel's tables: `plan_ms ENDPOINTS VPCS SERVICES [RULES]`. Endpoints of two zones each, spread over the
 * VPCs, which have an instance each, and a security group of so many rules (5); services with a server in
 * each zone. Without CAP_BPF no tables are timed. Nothing runs behind it: there are no devices.
 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/kept_rows.h"
#include "datapath/datapath.h"
#include "lib/log.h"
#include "tests/unit/rows.h"

#define ROUNDS	5
#define CHANGES 120
#define BPFFS	"/sys/fs/bpf/privlink-bench"
#define PAGE	512 /* rows */

static struct catalogue_zone zones[] = {{.id = "cn-hangzhou-h"}, {.id = "cn-hangzhou-i"}};
static struct catalogue_region regions[] = {{.id = "cn-hangzhou", .zones = zones, .n_zones = 2}};
static const struct catalogue catalogue = {.regions = regions, .n_regions = 1};

static struct snapshot *rows;
static uint32_t n_ports = 1;
static int n_rules = 5;

static void put(const char *kind, const char *id, const char *format, ...) _printf_(3, 4);
static void put(const char *kind, const char *id, const char *format, ...)
{
	char key[KEY_SIZE], text[4096];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)str_format(key, sizeof(key), "%s/%s", kind, id);
	rows_put(rows, key, "%s", text);
}

static void put_port(const char *id, const char *kind, const char *vpc, int zone, uint32_t addr,
		     const char *group, const char *holder)
{
	put("port", id,
	    "{'id': '%s', 'number': %u, 'kind': '%s', 'region': 'cn-hangzhou', 'zone': '%s', 'vpc': '%s', "
	    "'vswitch': 'vsw-%s-%d', 'addr': '10.%u.%u.%u', 'mac': '02:00:00:00:00:01', 'mtu': 1500, "
	    "'groups': ['%s'], 'holder': '%s', 'node': '%s', 'status': 'InUse'}",
	    id, n_ports++, kind, zones[zone].id, vpc, vpc, zone, addr >> 16 & 255, addr >> 8 & 255,
	    addr & 255, group, holder, streq(kind, "instance") ? "n1" : "");
}

static void put_instance(const char *id, const char *vpc, int zone, uint32_t addr, const char *group)
{
	char port[ID_SIZE];

	(void)str_format(port, sizeof(port), "eni-%s", id);
	put_port(port, "instance", vpc, zone, addr, group, id);
	put("instance", id,
	    "{'id': '%s', 'zone': '%s', 'vpc': '%s', 'node': 'n1', 'kind': 'netns', 'port': '%s', "
	    "'status': 'Running'}",
	    id, zones[zone].id, vpc, port);
}

static void put_vpc(const char *id, uint32_t number)
{
	char vswitch[ID_SIZE], group[ID_SIZE], rule[KEY_SIZE];

	put("vpc", id, "{'id': '%s', 'number': %u, 'cidr': '10.0.0.0/8', 'status': 'Available'}", id, number);
	for (int i = 0; i < 2; i++) {
		(void)str_format(vswitch, sizeof(vswitch), "vsw-%s-%d", id, i);
		put("vswitch", vswitch,
		    "{'id': '%s', 'region': 'cn-hangzhou', 'vpc': '%s', 'zone': '%s', 'cidr': "
		    "'10.%d.0.0/9', 'status': 'Available'}",
		    vswitch, id, zones[i].id, i * 128);
	}
	(void)str_format(group, sizeof(group), "sg-%s", id);
	put("security_group", group, "{'id': '%s', 'vpc': '%s', 'type': 'normal', 'inner_accept': true}",
	    group, id);
	for (int i = 0; i < n_rules; i++) {
		(void)str_format(rule, sizeof(rule), "%s/sgr-%d", group, i);
		put("sg_rule", rule,
		    "{'id': 'sgr-%d', 'group': '%s', 'direction': 'ingress', 'policy': 'Accept', "
		    "'priority': 1, 'protocol': 'TCP', 'port_first': %d, 'port_last': %d, 'cidr': "
		    "'10.100.%d.%d/28'}",
		    i, group, 440 + i, 440 + i, i / 16 % 256, i % 16 * 16);
	}
}

static void put_service(int i)
{
	char id[ID_SIZE], instance[ID_SIZE], key[KEY_SIZE];

	(void)str_format(id, sizeof(id), "nlb-%05d", i);
	put("load_balancer", id,
	    "{'id': '%s', 'vpc': 'vpc-p', 'zones': ['cn-hangzhou-h', 'cn-hangzhou-i'], 'cross_zone': true, "
	    "'status': 'Active'}",
	    id);
	put("server_group", id + 1, /* lb-… */
	    "{'id': '%s', 'vpc': 'vpc-p', 'protocol': 'TCP', 'health_enabled': true, 'health_interval_s': 1, "
	    "'status': 'Available'}",
	    id + 1);
	put("listener", id,
	    "{'id': '%s', 'load_balancer': '%s', 'server_group': '%s', 'protocol': 'TCP', 'port': 443, "
	    "'status': 'Running'}",
	    id, id, id + 1);
	for (int zone = 0; zone < 2; zone++) {
		uint32_t addr = (uint32_t)zone << 23 | (uint32_t)(i + 1);

		(void)str_format(instance, sizeof(instance), "i-p%05d-%d", i, zone);
		put_instance(instance, "vpc-p", zone, addr, "sg-vpc-p");
		(void)str_format(key, sizeof(key), "%s/%s/443", id + 1, instance);
		put("server", key,
		    "{'group': '%s', 'server_id': '%s', 'type': 'Ecs', 'addr': '10.%u.%u.%u', 'port': 443, "
		    "'weight': 100, 'zone': '%s', 'port_id': 'eni-%s', 'node': 'n1', 'status': 'Available'}",
		    id + 1, instance, addr >> 16 & 255, addr >> 8 & 255, addr & 255, zones[zone].id,
		    instance);
	}
	(void)str_format(key, sizeof(key), "epsrv-%05d", i);
	put("service", key, "{'id': '%s', 'region': 'cn-hangzhou', 'status': 'Active'}", key);
}

static void put_endpoint(int i, int vpc, int service)
{
	char id[ID_SIZE], port[ID_SIZE], key[KEY_SIZE], vpc_id[ID_SIZE], group[ID_SIZE];

	(void)str_format(id, sizeof(id), "ep-%05d", i);
	(void)str_format(vpc_id, sizeof(vpc_id), "vpc-%05d", vpc);
	(void)str_format(group, sizeof(group), "sg-%s", vpc_id);
	put("endpoint", id,
	    "{'id': '%s', 'vpc': '%s', 'service': 'epsrv-%05d', 'type': 'Interface', 'domain': "
	    "'%s.%05d.cn-hangzhou.privatelink.aliyuncs.com', 'groups': ['%s'], 'status': 'Active'}",
	    id, vpc_id, service, id, service, group);
	put("connection", id, "{'endpoint': '%s', 'service': 'epsrv-%05d', 'status': 'Connected'}", id,
	    service);
	for (int zone = 0; zone < 2; zone++) {
		uint32_t addr = (uint32_t)zone << 23 | (uint32_t)(i + 256);

		(void)str_format(port, sizeof(port), "eni-%s-%d", id, zone);
		put_port(port, "endpoint", vpc_id, zone, addr, group, id);
		(void)str_format(key, sizeof(key), "%s/%s", id, zones[zone].id);
		put("endpoint_zone", key,
		    "{'endpoint': '%s', 'zone': '%s', 'port': '%s', 'addr': '10.%u.%u.%u', 'domain': "
		    "'%s-%s.%05d.cn-hangzhou.privatelink.aliyuncs.com', 'resource': 'nlb-%05d', 'status': "
		    "'Connected'}",
		    id, zones[zone].id, port, addr >> 16 & 255, addr >> 8 & 255, addr & 255, id,
		    zones[zone].id, service, service);
	}
}

static void put_all(int n_endpoints, int n_vpcs, int n_services)
{
	char id[ID_SIZE], instance[ID_SIZE], group[ID_SIZE];

	put("node", "n1", "{'name': 'n1', 'number': 1}");
	put_vpc("vpc-p", 2);
	put("nat_range", "vpc-p/n1", "{'vpc': 'vpc-p', 'node': 'n1', 'range': '100.64.0.16/28'}");
	for (int i = 0; i < n_vpcs; i++) {
		(void)str_format(id, sizeof(id), "vpc-%05d", i);
		put_vpc(id, (uint32_t)(3 + i));
		(void)str_format(instance, sizeof(instance), "i-c%05d", i);
		(void)str_format(group, sizeof(group), "sg-%s", id);
		put_instance(instance, id, 0, 1, group);
	}
	for (int i = 0; i < n_services; i++)
		put_service(i);
	for (int i = 0; i < n_endpoints; i++)
		put_endpoint(i, i % n_vpcs, i % n_services);
}

static uint32_t ifindex(void *context, uint32_t port_number)
{
	(void)context;
	return 100000 + port_number;
}

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void must(int r)
{
	if (r < 0)
		exit(EXIT_FAILURE);
}

/* ---- rows ---- */

/* As privlinkd tells all rows, in pages. */
struct telling {
	struct feed_list list;
	json_t *page;
	double ms; /* of the hearing */
	size_t n_rows;
};

static char *page_text(const struct telling *telling, const char *more)
{
	json_t *json = json_pack("{s:i, s:b, s:O, s:[]}", "revision", 1, "full", telling->list.n == 0, "rows",
				 telling->page, "deleted");
	char *text;

	if (more)
		(void)json_object_set_new(json, "more", json_string(more));
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	must(text ? 0 : -ENOMEM);
	return text;
}

static void tell_page(struct telling *telling, const char *more)
{
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	_cleanup_(freep) char *text = page_text(telling, more);
	double begin = now_ms();

	must(feed_answer_parse(text, strlen(text), &answer));
	must(feed_list_add(&telling->list, &answer, text, strlen(text)));
	telling->ms += now_ms() - begin;
	telling->n_rows += json_array_size(telling->page);
	(void)json_array_clear(telling->page);
}

static void tell_row(struct telling *telling, enum kind kind, const void *row)
{
	char key[KEY_SIZE];

	must(row_key(kind, row, key));
	must(json_array_append_new(telling->page, json_pack("{s:s, s:i, s:i, s:o}", "key", key, "created", 1,
							    "revision", 1, "value", row_to_json(kind, row))));
	if (json_array_size(telling->page) == PAGE)
		tell_page(telling, key);
}

static void time_read(struct kept_rows *kept)
{
	char timeline[NODE_TIMELINE_SIZE];
	struct snapshot *read;
	double begin;

	must(snapshot_new(&read));
	begin = now_ms();
	must(kept_rows_load(kept, "", 1, read, timeline));
	printf("%-28s %8.2f ms\n", "rows, read", now_ms() - begin);
	snapshot_free(read);
}

static void time_kept(struct telling *telling, const char *directory)
{
	static const char text[] = "{\"revision\":1,\"full\":false,\"rows\":[],\"deleted\":[]}";
	_cleanup_(feed_answer_done) struct feed_answer last = {};
	struct kept_rows *kept;
	struct stat st;
	char path[64];
	double begin;

	must(kept_rows_new(directory, "n1", &kept));
	must(feed_answer_parse(text, strlen(text), &last));
	begin = now_ms();
	kept_rows_add(kept, &telling->list, &last, text, strlen(text));
	printf("%-28s %8.2f ms\n", "rows, kept", now_ms() - begin);
	must(str_format(path, sizeof(path), "%s/node.rows", directory));
	must(stat(path, &st));
	printf("%-28s %8.2f MB, %zu rows\n", "which are", (double)st.st_size / 1e6, telling->n_rows);
	kept_rows_free(kept);
	for (int i = 0; i < ROUNDS; i++) {
		must(kept_rows_new(directory, "n1", &kept));
		time_read(kept);
		kept_rows_free(kept);
	}
	(void)unlink(path);
}

static void time_rows(void)
{
	struct telling telling = {.page = json_array()};
	char directory[] = "/tmp/plan_ms.XXXXXX";

	for (enum kind kind = 0; kind < KIND_COUNT_; kind++)
		for (const void *row = NULL; (row = snapshot_next(rows, kind, "", row));)
			tell_row(&telling, kind, row);
	tell_page(&telling, "");
	printf("%-28s %8.2f ms\n", "rows, heard in pages", telling.ms);
	must(mkdtemp(directory) ? 0 : -errno);
	time_kept(&telling, directory);
	(void)rmdir(directory);
	feed_list_clear(&telling.list);
	json_decref(telling.page);
}

/* ---- the plan ---- */

static struct plan *build(struct plan_indexes *indexes)
{
	const struct plan_input input = {
		.rows = rows, .catalogue = &catalogue, .node = "n1", .ifindex = ifindex};
	struct plan *plan;

	if (plan_build(&input, indexes, &plan) < 0)
		exit(EXIT_FAILURE);
	return plan;
}

static void sync_plan(struct datapath *datapath, const struct plan *plan, bool full, const char *what)
{
	const struct plan_port service = {.slot = PL_SLOT_SERVICE,
					  .row = {.number = UINT32_MAX, .ifindex = 99999, .mtu = 1500}};
	double begin = now_ms();
	struct failures failures = {};
	int r = datapath_sync(datapath, plan, &service, full, &failures);

	printf("%-28s %8.2f ms%s\n", what, now_ms() - begin, r < 0 || failures.n ? " (failed)" : "");
	failures_clear(&failures);
}

/* A row as the feed brings it. */
static void change(struct plan_touched *touched, const char *key, const char *text)
{
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;
	bool touches = plan_touch_old(touched, rows, key, json);

	if ((text && !json) || snapshot_apply(rows, key, json, 1, ++rows_revision) < 0)
		exit(EXIT_FAILURE);
	if (touches)
		plan_touch_new(touched, rows, key);
	json_decref(json);
}

static void change_zone(struct plan_touched *touched, int round)
{
	const char *status = round % 2 ? "Connected" : "Disconnected";
	const struct endpoint_zone *row = snapshot_next(rows, KIND_ENDPOINT_ZONE, "ep-00050/", NULL);
	json_t *json = row ? row_to_json(KIND_ENDPOINT_ZONE, row) : NULL;
	char key[KEY_SIZE], *text;

	if (!json || row_key(KIND_ENDPOINT_ZONE, row, key) < 0)
		exit(EXIT_FAILURE);
	(void)json_object_set_new(json, "status", json_string(status));
	text = json_dumps(json, 0);
	change(touched, key, text);
	free(text);
	json_decref(json);
}

static void change_rule(struct plan_touched *touched, int round)
{
	change(touched, "sg_rule/sg-vpc-00000/sgr-9",
	       round % 2 ? NULL
			 : "{\"id\": \"sgr-9\", \"group\": \"sg-vpc-00000\", \"direction\": \"ingress\", "
			   "\"policy\": \"Drop\", \"priority\": 2, \"protocol\": \"TCP\", \"port_first\": 9, "
			   "\"port_last\": 9, \"cidr\": \"10.0.0.0/8\"}");
}

/* Removed, then there again. */
static void change_server(struct plan_touched *touched, int round)
{
	static char *text;
	static const char key[] = "server/lb-00000/i-p00000-0/443";

	if (round % 2 == 0) {
		json_t *json =
			row_to_json(KIND_SERVER, snapshot_find(rows, KIND_SERVER, key + strlen("server/")));

		text = json ? json_dumps(json, 0) : NULL;
		json_decref(json);
		change(touched, key, NULL);
	} else {
		change(touched, key, text);
		free(text);
	}
}

/* The only one of its zone, so that names change, too. */
static void change_health(struct plan_touched *touched, int round)
{
	change(touched, "server_health/lb-00000/i-p00000-0/443",
	       round % 2
		       ? NULL
		       : "{\"group\": \"lb-00000\", \"server_id\": \"i-p00000-0\", \"port\": 443, \"node\": "
			 "\"n1\", \"healthy\": false}");
}

/* Of the first VPC and its group, which have others here; it comes, then it goes. */
static void change_instance(struct plan_touched *touched, int round)
{
	change(touched, "port/eni-i-new",
	       round % 2
		       ? NULL
		       : "{\"id\": \"eni-i-new\", \"number\": 1000000, \"kind\": \"instance\", "
			 "\"region\": \"cn-hangzhou\", \"zone\": \"cn-hangzhou-h\", \"vpc\": \"vpc-00000\", "
			 "\"vswitch\": \"vsw-vpc-00000-0\", \"addr\": \"10.0.0.2\", "
			 "\"mac\": \"02:00:00:00:00:01\", \"mtu\": 1500, \"groups\": [\"sg-vpc-00000\"], "
			 "\"holder\": \"i-new\", \"node\": \"n1\", \"status\": \"InUse\"}");
	change(touched, "instance/i-new",
	       round % 2 ? NULL
			 : "{\"id\": \"i-new\", \"zone\": \"cn-hangzhou-h\", \"vpc\": \"vpc-00000\", "
			   "\"node\": \"n1\", \"kind\": \"netns\", \"port\": \"eni-i-new\", "
			   "\"status\": \"Running\"}");
}

static int put_slices(struct datapath *datapath, const struct plan_input *input, struct plan_indexes *indexes,
		      const struct plan_touched *touched, struct plan *plan, struct plan_patch *patch)
{
	int r = plan_slice(input, indexes, touched, plan, patch);

	return r == 0 ? datapath_sync_slices(datapath, plan, patch) : r;
}

/* As the agent does it: again, when a port has got its device. */
static int slice(struct datapath *datapath, const struct plan_input *input, struct plan_indexes *indexes,
		 const struct plan_touched *touched, struct plan *plan, struct plan_patch *patch)
{
	int r = put_slices(datapath, input, indexes, touched, plan, patch);
	bool comes = snapshot_instance(rows, "i-new");

	return r == 0 && patch->n_ports && comes ? put_slices(datapath, input, indexes, touched, plan, patch)
						 : r;
}

static void time_slices(struct datapath *datapath, struct plan_indexes *indexes, struct plan *plan,
			void (*function)(struct plan_touched *touched, int round), const char *what)
{
	const struct plan_input input = {
		.rows = rows, .catalogue = &catalogue, .node = "n1", .ifindex = ifindex};
	double begin = now_ms();
	int failed = 0;

	for (int i = 0; i < CHANGES; i++) {
		struct plan_touched touched = {};
		struct plan_patch patch = {};

		function(&touched, i);
		failed += slice(datapath, &input, indexes, &touched, plan, &patch) != 0;
		plan_patch_done(&patch);
	}
	printf("%-28s %8.3f ms%s\n", what, (now_ms() - begin) / CHANGES, failed ? " (failed)" : "");
}

static struct datapath *open_tables(const struct datapath_options *options, const char *what)
{
	struct datapath *datapath;
	double begin = now_ms();

	if (datapath_open(options, &datapath) < 0)
		return NULL;
	printf("%-28s %8.2f ms\n", what, now_ms() - begin);
	return datapath;
}

/* As the next agent does, with tables that are full. */
static void time_start(const struct datapath_options *options)
{
	struct plan_indexes *indexes;
	struct datapath *datapath;
	struct plan *plan;
	double begin;

	must(plan_indexes_new(&indexes));
	datapath = open_tables(options, "a start, tables opened");
	must(datapath ? 0 : -EIO);
	begin = now_ms();
	must(datapath_adopt_indexes(datapath, indexes));
	printf("%-28s %8.2f ms\n", "a start, numbers", now_ms() - begin);
	begin = now_ms();
	plan = build(indexes);
	printf("%-28s %8.2f ms\n", "a start, plan", now_ms() - begin);
	sync_plan(datapath, plan, true, "a start, tables compared");
	plan_free(plan);
	datapath_free(datapath);
	plan_indexes_free(indexes);
}

/* The same by a pass of the whole. */
static void time_wholes(struct datapath *datapath, struct plan_indexes *indexes)
{
	for (int i = 0; i < 2; i++) {
		struct plan_touched touched = {};
		struct plan *plan;
		double begin;

		change_instance(&touched, i);
		begin = now_ms();
		if (i == 0)
			plan_free(build(indexes));
		plan = build(indexes);
		sync_plan(datapath, plan, false, "(of it, tables)");
		plan_free(plan);
		printf("%-28s %8.2f ms\n", i ? "whole, an instance goes" : "whole, an instance comes",
		       now_ms() - begin);
	}
}

static void time_tables(struct plan_indexes *indexes)
{
	const struct datapath_options options = {.bpffs = BPFFS, .node = "bench"};
	struct datapath *datapath;
	struct plan *plan;

	log_set_level(LOG_LEVEL_ERROR);
	datapath = open_tables(&options, "tables, opened");
	if (!datapath)
		return;
	plan = build(indexes);
	sync_plan(datapath, plan, true, "tables, filled");
	for (int i = 0; i < ROUNDS; i++)
		sync_plan(datapath, plan, false, "tables, nothing differs");
	sync_plan(datapath, plan, true, "tables, read and compared");
	time_slices(datapath, indexes, plan, change_zone, "slice, an endpoint's zone");
	time_slices(datapath, indexes, plan, change_rule, "slice, a rule");
	time_slices(datapath, indexes, plan, change_server, "slice, a backend");
	time_slices(datapath, indexes, plan, change_health, "slice, a backend's health");
	time_slices(datapath, indexes, plan, change_instance, "slice, an instance");
	time_wholes(datapath, indexes);
	plan_free(plan);
	datapath_free(datapath);
	time_start(&options);
	(void)datapath_remove_pins(&options);
}

int main(int argc, char **argv)
{
	struct plan_indexes *indexes;

	if (argc < 4 || argc > 5 || snapshot_new(&rows) < 0 || plan_indexes_new(&indexes) < 0)
		return EXIT_FAILURE;
	if (argc == 5)
		n_rules = atoi(argv[4]);
	put_all(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
	time_rows();
	for (int i = 0; i < ROUNDS; i++) {
		double begin = now_ms();
		struct plan *plan = build(indexes);

		printf("%-28s %8.2f ms, %zu ENIs, %zu failures\n", "plan", now_ms() - begin, plan->n_enis,
		       plan->n_failures);
		plan_free(plan);
	}
	time_tables(indexes);
	plan_indexes_free(indexes);
	snapshot_free(rows);
	return 0;
}
