/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of control: rows and a report in, rows out.
 */
#include <string.h>

#include "control_world.h"

static const char *endpoint_status(const struct world *w, const char *id)
{
	const struct endpoint *e = snapshot_endpoint(w->rows, id);

	return e ? enum_name(endpoint_status_names, e->status) : "gone";
}

static const char *connection_status(const struct world *w, const char *id)
{
	const struct connection *c = snapshot_connection(w->rows, id);

	return c ? enum_name(connection_status_names, c->status) : "gone";
}

static const char *zone_status(const struct world *w, const char *id, const char *zone)
{
	const struct endpoint_zone *z = snapshot_endpoint_zone(w->rows, id, zone);

	return z ? enum_name(zone_status_names, z->status) : "gone";
}

static void put_zone(struct world *w, const char *endpoint, const char *zone, const char *port,
		     const char *addr, const char *status)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "endpoint_zone/%s/%s", endpoint, zone);
	rows_put(w->rows, key, "{'endpoint':'%s','zone':'%s','port':'%s','addr':'%s','status':'%s'}",
		 endpoint, zone, port, addr, status);
	(void)str_format(key, sizeof(key), "port/%s", port);
	rows_put(w->rows, key,
		 "{'id':'%s','number':7,'kind':'endpoint','vpc':'vpc-a','addr':'%s','holder':'%s','status':'"
		 "InUse'}",
		 port, addr, endpoint);
	(void)str_format(key, sizeof(key), "address/vpc-a/%s", addr);
	rows_put(w->rows, key, "{'vpc':'vpc-a','addr':'%s','port':'%s'}", addr, port);
}

static void put_connection(struct world *w, const char *endpoint, const char *status, bool waiting)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "connection/%s", endpoint);
	rows_put(w->rows, key, "{'endpoint':'%s','service':'epsrv-1','status':'%s','waiting':%s}", endpoint,
		 status, waiting ? "true" : "false");
}

static void put_endpoint(struct world *w, const char *id, const char *status)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "endpoint/%s", id);
	rows_put(w->rows, key, "{'id':'%s','vpc':'vpc-a','service':'epsrv-1','status':'%s'}", id, status);
}

static void test_auto_accepted(void)
{
	uint64_t older;
	struct world w;

	world_begin(&w);
	older = rows_revision;
	put_endpoint(&w, "ep-1", "Creating");
	put_connection(&w, "ep-1", "Connecting", false);
	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Creating");
	put_zone(&w, "ep-1", "z-b", "eni-b", "10.0.1.5", "Creating");

	tap_is_int(world_pass(&w), 1, "an endpoint that no node has reported yet is waited for");
	tap_is_int(w.n_ops, 0, "and nothing about it is written");
	w.live = older;
	(void)world_pass(&w);
	tap_is_str(endpoint_status(&w, "ep-1"), "Creating",
		   "a report of an older revision leaves it Creating");

	world_report(&w);
	tap_is_int(world_pass(&w), 0, "one report settles an endpoint of a service that accepts by itself");
	tap_is_str(endpoint_status(&w, "ep-1"), "Active", "the endpoint is Active");
	tap_is_str(connection_status(&w, "ep-1"), "Connected", "its connection is Connected");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Connected", "its first zone is Connected");
	tap_is_str(zone_status(&w, "ep-1", "z-b"), "Connected", "its second zone is Connected");
	tap_is_int(w.n_txns, 1, "all of it in one transaction");
	tap_is_int(snapshot_connection(w.rows, "ep-1")->modified_time, 1767323045,
		   "the time of the change is kept");
	world_end(&w);
}

static void test_waiting(void)
{
	struct world w;

	world_begin(&w);
	put_endpoint(&w, "ep-1", "Creating");
	put_connection(&w, "ep-1", "Disconnected", true);
	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Creating");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(endpoint_status(&w, "ep-1"), "Active",
		   "an endpoint that waits for acceptance becomes Active");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Wait", "its zone waits");
	tap_ok(snapshot_connection(w.rows, "ep-1")->waiting, "its connection goes on waiting");

	put_connection(&w, "ep-1", "Connecting", false);
	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Connecting");
	(void)world_pass(&w);
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Connecting", "accepted, it is Connecting until reported");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(connection_status(&w, "ep-1"), "Connected", "then the connection is Connected");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Connected", "and so is the zone");

	put_connection(&w, "ep-1", "Disconnecting", false);
	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Disconnecting");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(connection_status(&w, "ep-1"), "Disconnected",
		   "a connection that was cut is Disconnected in the end");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Disconnected", "and so is its zone");
	tap_is_str(endpoint_status(&w, "ep-1"), "Active", "and its endpoint stays Active");
	world_end(&w);
}

static void test_added_zone(void)
{
	struct world w;
	uint64_t before;

	world_begin(&w);
	put_endpoint(&w, "ep-1", "Creating");
	put_connection(&w, "ep-1", "Connecting", false);
	before = rows_revision;
	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Creating");
	w.live = before;
	(void)world_pass(&w);
	tap_is_str(connection_status(&w, "ep-1"), "Connected",
		   "a zone that was added later does not hold its endpoint up");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Creating", "and is itself not said to be in force");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Connected", "until it was reported");

	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Deleting");
	tap_is_int(world_pass(&w), 1, "a zone that is being removed stays until the nodes have forgotten it");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "gone", "then it goes");
	tap_ok(!snapshot_port(w.rows, "eni-a") && !snapshot_find(w.rows, KIND_ADDRESS, "vpc-a/10.0.0.5"),
	       "and its interface and address with it");
	tap_is_str(endpoint_status(&w, "ep-1"), "Active", "and the endpoint stays");

	put_zone(&w, "ep-1", "z-b", "eni-b", "10.0.1.5", "Deleting");
	w.failures[0] = (struct control_failure){"endpoint_zone/ep-1/z-b", "no address"};
	w.n_failures = 1;
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(zone_status(&w, "ep-1", "z-b"), "gone", "a zone that failed goes all the same");
	world_end(&w);
}

/* A zone that migrates: eni-b beside eni-a. */
static void put_migration(struct world *w, const char *status, const char *more)
{
	put_endpoint(w, "ep-1", "Active");
	put_connection(w, "ep-1", "Connected", false);
	put_zone(w, "ep-1", "z-x", "eni-a", "10.0.0.5", "Connected");
	put_zone(w, "ep-1", "z-a", "eni-b", "10.0.0.6", "Connected");
	rows_delete(w->rows, "endpoint_zone/ep-1/z-x");
	rows_put(w->rows, "endpoint_zone/ep-1/z-a",
		 "{'endpoint':'ep-1','zone':'z-a','port':'eni-b','addr':'10.0.0.6','resource':'nlb-2',"
		 "'replaced_port':'eni-a','replaced_addr':'10.0.0.5','replaced_resource':'nlb-1',"
		 "'status':'%s'%s}",
		 status, more);
}

/* "a", "b": the ports that are there, each with its address. */
static const char *migration_rows(const struct world *w)
{
	static char text[8];
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		char port[8], address[24];

		(void)str_format(port, sizeof(port), "eni-%c", "ab"[i]);
		(void)str_format(address, sizeof(address), "vpc-a/10.0.0.%d", 5 + i);
		if (snapshot_port(w->rows, port))
			text[n++] = "ab"[i];
		if (snapshot_find(w->rows, KIND_ADDRESS, address))
			text[n++] = "ab"[i];
	}
	text[n] = '\0';
	return text;
}

static void test_migration(void)
{
	static const struct {
		const char *status, *more, *after, *rows, *what;
	} cases[] = {
		{"Migrating", "", "Migrated", "aabb", "a zone that migrates keeps both ENIs"},
		{"Migrated", "", "Migrated", "aabb", "for as long as the provider wishes"},
		{"Migrated", ",'retiring':true", "Connected", "bb", "the old one goes when it is taken off"},
		{"Disconnecting", "", "Disconnected", "bb", "with a zone that is cut"},
		{"Connecting", "", "Connected", "bb", "with one that was cut and joined again"},
		{"Deleting", "", "gone", "", "both with a zone that is removed"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct endpoint_zone *zone;
		struct world w;

		world_begin(&w);
		put_migration(&w, cases[i].status, cases[i].more);
		(void)world_pass(&w);
		tap_is_str(migration_rows(&w), "aabb", "%s: nothing goes before the nodes have it",
			   cases[i].status);
		world_report(&w);
		(void)world_pass(&w);
		tap_is_str(zone_status(&w, "ep-1", "z-a"), cases[i].after, "%s%s: then it is %s",
			   cases[i].status, cases[i].more, cases[i].after);
		tap_is_str(migration_rows(&w), cases[i].rows, "%s", cases[i].what);
		zone = snapshot_endpoint_zone(w.rows, "ep-1", "z-a");
		tap_ok(!zone || !zone->replaced_port[0] == !snapshot_port(w.rows, "eni-a"),
		       "and the zone's row names what is there");
		tap_ok(!zone || (!zone->replaced_resource[0] == !zone->replaced_port[0] &&
				 netaddr_is_zero(&zone->replaced_addr) == !zone->replaced_port[0]),
		       "with all that belongs to it");
		world_end(&w);
	}
}

/* The service goes, however that came about, while a zone of an endpoint migrates. */
static void test_migration_service_deleted(void)
{
	struct world w;

	world_begin(&w);
	put_migration(&w, "Migrated", "");
	rows_put(w.rows, "service/epsrv-1", "{'id':'epsrv-1','status':'Deleting'}");
	(void)world_pass(&w);
	tap_is_str(connection_status(&w, "ep-1"), "ServiceDeleted", "the endpoint hears of it");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Disconnecting", "its zone is cut");
	tap_is_str(migration_rows(&w), "aabb", "both ENIs stay until that is in force");
	world_report(&w);
	(void)world_settle(&w);
	world_report(&w);
	(void)world_settle(&w);
	tap_ok(!snapshot_service(w.rows, "epsrv-1"), "the service is gone");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Disconnected", "the zone is not");
	tap_is_str(migration_rows(&w), "bb", "and has one ENI");
	world_end(&w);
}

static void put_groups(struct world *w, int n_attaching)
{
	rows_put(w->rows, "endpoint/ep-1",
		 "{'id':'ep-1','vpc':'vpc-a','service':'epsrv-1','status':'Pending','groups':['sg-1','sg-2'],"
		 "'n_attaching':%d,'detaching':['sg-3']}",
		 n_attaching);
}

static void test_groups(void)
{
	const struct endpoint *e;
	struct world w;

	world_begin(&w);
	put_groups(&w, 1);
	put_connection(&w, "ep-1", "Connected", false);
	tap_is_int(world_pass(&w), 1, "security groups that come and go are waited for");
	tap_is_int(w.n_ops, 0, "and nothing about them is written");
	w.failures[0] = (struct control_failure){"endpoint/ep-1", "too many rules"};
	w.n_failures = 1;
	world_report(&w);
	(void)world_pass(&w);
	e = snapshot_endpoint(w.rows, "ep-1");
	tap_is_int(e->n_detaching, 0, "what was detached goes though the endpoint failed");
	tap_is_int(e->n_attaching, 1, "what was attached is not said to be");
	tap_is_str(endpoint_status(&w, "ep-1"), "Pending", "and the endpoint is being modified");
	w.n_failures = 0;
	world_report(&w);
	(void)world_pass(&w);
	e = snapshot_endpoint(w.rows, "ep-1");
	tap_is_int(e->n_attaching, 0, "when the failure is gone it is attached");
	tap_is_int(e->n_groups, 2, "both groups are the endpoint's");
	tap_is_str(endpoint_status(&w, "ep-1"), "Active", "and that is active");
	put_groups(&w, 1);
	world_report(&w);
	(void)world_pass(&w);
	e = snapshot_endpoint(w.rows, "ep-1");
	tap_ok(e->n_attaching + e->n_detaching == 0 && e->status == ENDPOINT_ACTIVE,
	       "without a failure all settle at once");
	world_end(&w);
}

static const struct instance *get_instance(const struct world *w)
{
	return snapshot_instance(w->rows, "i-1");
}

static void put_instance(struct world *w, const char *status)
{
	char json[128];

	(void)str_format(json, sizeof(json), "{'id':'i-1','status':'%s'}", status);
	rows_put(w->rows, "instance/i-1", json);
}

static void test_instance_failures(void)
{
	struct control_failure taken = {"instance/i-1", "its name is taken"};
	struct control_failure ended = {"instance/i-1", "its namespace has ended", true};
	struct world w;

	world_begin(&w);
	put_instance(&w, "Pending");
	w.failures[0] = ended;
	w.n_failures = 1;
	world_report(&w);
	(void)world_pass(&w);
	tap_is_int(get_instance(&w)->status, INSTANCE_PENDING, "what has never been there stays Pending");
	tap_is_str(get_instance(&w)->failure, "its namespace has ended", "and its row says why");

	w.n_failures = 0;
	for (int i = 0; i < 4; i++) {
		world_report(&w);
		(void)world_pass(&w);
	}
	tap_is_int(get_instance(&w)->status, INSTANCE_RUNNING, "it runs when the failure is gone");
	tap_is_str(get_instance(&w)->failure, "", "and has no reason left");

	w.failures[0] = taken;
	w.n_failures = 1;
	(void)world_pass(&w);
	tap_is_int(get_instance(&w)->status, INSTANCE_RUNNING, "one that fails later is not stopped");
	tap_is_str(get_instance(&w)->failure, "its name is taken", "and its row says why");

	w.failures[0] = ended;
	w.live--;
	(void)world_pass(&w);
	tap_is_int(get_instance(&w)->status, INSTANCE_RUNNING,
		   "what a node says of an older wish does not count");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_int(get_instance(&w)->status, INSTANCE_STOPPED, "one whose namespace has ended is Stopped");
	w.n_failures = 0;
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(get_instance(&w)->failure, "its namespace has ended", "and goes on saying why");

	put_instance(&w, "Stopping");
	w.failures[0] = ended;
	w.n_failures = 1;
	world_report(&w);
	(void)world_pass(&w);
	tap_is_int(get_instance(&w)->status, INSTANCE_STOPPED, "one that has ended can be stopped");
	put_instance(&w, "Deleting");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(!get_instance(&w), "and deleted");
	world_end(&w);
}

static void test_failures(void)
{
	struct world w;

	world_begin(&w);
	put_endpoint(&w, "ep-1", "Creating");
	put_connection(&w, "ep-1", "Connecting", false);
	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Creating");
	put_endpoint(&w, "ep-2", "Creating");
	put_connection(&w, "ep-2", "Connecting", false);
	rows_put(w.rows, "vpc/vpc-f", "{'id':'vpc-f','status':'Pending'}");

	w.failures[0] = (struct control_failure){"endpoint/ep-1", "no free slot"};
	w.failures[1] = (struct control_failure){"vpc/vpc-f", "no"};
	w.n_failures = 2;
	world_report(&w);
	tap_is_int(world_pass(&w), 2, "what failed on a node is waited for");
	tap_is_str(endpoint_status(&w, "ep-1"), "Creating", "an endpoint that failed stays Creating");
	tap_is_str(connection_status(&w, "ep-1"), "Connecting", "its connection stays Connecting");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Creating", "its zone stays Creating");
	tap_is_str(snapshot_endpoint(w.rows, "ep-1")->failure, "no free slot", "its row says why");
	tap_is_str(endpoint_status(&w, "ep-2"), "Active", "another endpoint is not held up");
	tap_is_int(snapshot_vpc(w.rows, "vpc-f")->status, VPC_PENDING, "a VPC that failed stays Pending");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_int(w.n_ops, 0, "the same failure is not written twice");

	w.failures[0] = (struct control_failure){"endpoint_zone/ep-1/z-a", "no address"};
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(connection_status(&w, "ep-1"), "Connected",
		   "the failure of a zone does not hold up the connection");
	tap_is_str(zone_status(&w, "ep-1", "z-a"), "Creating", "it holds up the zone");
	tap_is_str(endpoint_status(&w, "ep-1"), "Creating", "and the endpoint");
	tap_is_str(snapshot_endpoint(w.rows, "ep-1")->failure, "no address", "which says so");

	w.n_failures = 0;
	world_report(&w);
	tap_is_int(world_pass(&w), 0, "when the failure is gone all is settled");
	tap_is_str(endpoint_status(&w, "ep-1"), "Active", "the endpoint is Active");
	tap_is_str(snapshot_endpoint(w.rows, "ep-1")->failure, "", "and has no reason left");

	w.failures[0] = (struct control_failure){"endpoint/ep-1", "table full"};
	w.n_failures = 1;
	(void)world_pass(&w);
	tap_is_str(endpoint_status(&w, "ep-1"), "Active", "an endpoint that fails later stays Active");
	tap_is_str(snapshot_endpoint(w.rows, "ep-1")->failure, "table full", "and says why");
	world_end(&w);
}

static void test_no_nodes(void)
{
	struct world w;

	world_begin(&w);
	put_endpoint(&w, "ep-1", "Creating");
	put_connection(&w, "ep-1", "Connecting", false);
	rows_put(w.rows, "vpc/vpc-a", "{'id':'vpc-a','status':'Pending'}");
	w.live = UINT64_MAX;
	(void)world_settle(&w);
	tap_is_str(connection_status(&w, "ep-1"), "Connected", "without a live node nothing is waited for");
	tap_is_int(snapshot_vpc(w.rows, "vpc-a")->status, VPC_AVAILABLE, "not even a VPC");
	world_end(&w);
}

struct plain_case {
	const char *key, *body, *from, *to;
};

/* Kinds of one row: the state in which they come to life, the one in which they are. */
static const struct plain_case plain_cases[] = {
	{"vpc/vpc-1", "'id':'vpc-1'", "Pending", "Available"},
	{"vswitch/vsw-1", "'id':'vsw-1'", "Pending", "Available"},
	{"load_balancer/nlb-1", "'id':'nlb-1'", "Provisioning", "Active"},
	{"load_balancer/nlb-2", "'id':'nlb-2'", "Configuring", "Active"},
	{"listener/lsn-1", "'id':'lsn-1','load_balancer':'nlb-1'", "Provisioning", "Running"},
	{"listener/lsn-2", "'id':'lsn-2','load_balancer':'nlb-1'", "Stopping", "Stopped"},
	{"server_group/sgp-1", "'id':'sgp-1'", "Creating", "Available"},
	{"server/sgp-1/i-1/80", "'group':'sgp-1','server_id':'i-1','port':80", "Adding", "Available"},
	{"service/epsrv-1", "'id':'epsrv-1'", "Creating", "Active"},
	{"service/epsrv-2", "'id':'epsrv-2'", "Pending", "Active"},
	{"instance/i-1", "'id':'i-1'", "Pending", "Starting"},
	{"instance/i-2", "'id':'i-2'", "Starting", "Running"},
	{"instance/i-3", "'id':'i-3'", "Stopping", "Stopped"},
	{"instance/i-4", "'id':'i-4'", "Running", "Running"},
};

static void plain_status(const struct world *w, const char *key, char *ret, size_t size)
{
	enum kind kind;
	const void *row;
	json_t *json;

	(void)str_copy(ret, size, "gone");
	if (kind_of_key(key, &kind) < 0)
		return;
	row = snapshot_find(w->rows, kind, strchr(key, '/') + 1);
	if (!row)
		return;
	json = row_to_json(kind, row);
	(void)str_copy(ret, size, json_string_value(json_object_get(json, "status")));
	json_decref(json);
}

static void test_plain(void)
{
	struct world w;
	char status[32];

	world_begin(&w);
	for (size_t i = 0; i < ARRAY_SIZE(plain_cases); i++)
		rows_put(w.rows, plain_cases[i].key, "{%s,'status':'%s'}", plain_cases[i].body,
			 plain_cases[i].from);
	(void)world_pass(&w);
	tap_is_int(w.n_ops, 0, "no row moves before the nodes have reported");
	world_report(&w);
	(void)world_pass(&w);
	for (size_t i = 0; i < ARRAY_SIZE(plain_cases); i++) {
		plain_status(&w, plain_cases[i].key, status, sizeof(status));
		tap_is_str(status, plain_cases[i].to, "%s, reported: %s becomes %s", plain_cases[i].key,
			   plain_cases[i].from, plain_cases[i].to);
	}
	world_end(&w);
}

/* Reported or without any node: the VPC goes behind its last vSwitch. */
static void test_vpc_behind_vswitch(bool has_node)
{
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "vswitch/vsw-1", "{'id':'vsw-1','vpc':'vpc-1','status':'Deleting'}");
	rows_put(w.rows, "vpc/vpc-1", "{'id':'vpc-1','status':'Deleting'}");
	w.live = has_node ? rows_revision : UINT64_MAX;
	(void)world_pass(&w);
	tap_ok(snapshot_vpc(w.rows, "vpc-1") && !snapshot_find(w.rows, KIND_VSWITCH, "vsw-1"),
	       "a VPC that is deleted does not go before its vSwitch");
	if (has_node)
		world_report(&w);
	(void)world_pass(&w);
	tap_ok(!snapshot_vpc(w.rows, "vpc-1"), "but right behind it");
	world_end(&w);
}

static void test_instance(void)
{
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "instance/i-1", "{'id':'i-1','port':'eni-1','status':'Running'}");
	rows_put(w.rows, "port/eni-1",
		 "{'id':'eni-1','number':1,'vpc':'vpc-a','addr':'10.0.0.9','holder':'i-1',"
		 "'status':'InUse'}");
	rows_put(w.rows, "address/vpc-a/10.0.0.9", "{'vpc':'vpc-a','addr':'10.0.0.9','port':'eni-1'}");
	rows_put(w.rows, "tag/i-1/k", "{'resource':'i-1','key':'k'}");
	rows_put(w.rows, "instance/i-1", "{'id':'i-1','port':'eni-1','status':'Deleting'}");
	(void)world_pass(&w);
	tap_ok(snapshot_instance(w.rows, "i-1"),
	       "an instance that is deleted stays until its node has let go of it");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(!snapshot_instance(w.rows, "i-1") && !snapshot_port(w.rows, "eni-1") &&
		       !snapshot_find(w.rows, KIND_ADDRESS, "vpc-a/10.0.0.9") &&
		       !snapshot_find(w.rows, KIND_TAG, "i-1/k"),
	       "then it goes with its interface, address and tags");
	world_end(&w);
}

static void test_endpoint_deleted(void)
{
	struct world w;

	world_begin(&w);
	w.live = rows_revision + 1;
	put_endpoint(&w, "ep-1", "Deleting");
	put_connection(&w, "ep-1", "Deleting", false);
	put_zone(&w, "ep-1", "z-a", "eni-a", "10.0.0.5", "Deleting");
	rows_put(w.rows, "tag/ep-1/env", "{'resource':'ep-1','key':'env'}");
	put_endpoint(&w, "ep-10", "Active");
	rows_put(w.rows, "tag/ep-10/env", "{'resource':'ep-10','key':'env'}");
	(void)world_pass(&w);
	tap_is_str(endpoint_status(&w, "ep-1"), "Deleting",
		   "an endpoint is not gone while a node may still serve it");
	w.live = snapshot_connection(w.rows, "ep-1")->meta.modified;
	(void)world_pass(&w);
	tap_is_str(endpoint_status(&w, "ep-1"), "Deleting", "or one of its zones, that was removed later");
	world_report(&w);
	(void)world_pass(&w);
	tap_is_str(endpoint_status(&w, "ep-1"), "gone", "then it goes");
	tap_ok(!snapshot_connection(w.rows, "ep-1") && !snapshot_endpoint_zone(w.rows, "ep-1", "z-a") &&
		       !snapshot_port(w.rows, "eni-a") && !snapshot_find(w.rows, KIND_TAG, "ep-1/env"),
	       "with its connection, zones, interfaces and tags");
	tap_ok(snapshot_find(w.rows, KIND_TAG, "ep-10/env"), "and nothing of an endpoint with a longer name");
	world_end(&w);
}

static void test_balancer_deleted(void)
{
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "load_balancer/nlb-1", "{'id':'nlb-1','status':'Deleting','ports':['eni-1']}");
	rows_put(w.rows, "listener/lsn-1", "{'id':'lsn-1','load_balancer':'nlb-1','status':'Deleting'}");
	rows_put(w.rows, "listener/lsn-2", "{'id':'lsn-2','load_balancer':'nlb-1','status':'Provisioning'}");
	rows_put(w.rows, "port/eni-1",
		 "{'id':'eni-1','kind':'load_balancer','vpc':'vpc-a','addr':'10.0.0.9','holder':'nlb-1'}");
	rows_put(w.rows, "address/vpc-a/10.0.0.9", "{'vpc':'vpc-a','addr':'10.0.0.9','port':'eni-1'}");
	rows_put(w.rows, "tag/eni-1/k", "{'resource':'eni-1','key':'k'}");
	rows_put(w.rows, "tag/lsn-1/k", "{'resource':'lsn-1','key':'k'}");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(!snapshot_load_balancer(w.rows, "nlb-1") && !snapshot_listener(w.rows, "lsn-1") &&
		       !snapshot_listener(w.rows, "lsn-2") && !snapshot_port(w.rows, "eni-1") &&
		       snapshot_count(w.rows, KIND_ADDRESS, "") == 0 &&
		       snapshot_count(w.rows, KIND_TAG, "") == 0,
	       "a load balancer goes with its listeners, its interfaces, and what is theirs");
	tap_ok(w.n_txns == 1 && w.n_ops == 7, "in one transaction, each once (%zu, %zu)", w.n_txns, w.n_ops);
	world_end(&w);
}

static void test_classic_balancer_deleted(void)
{
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "load_balancer/lb-1",
		 "{'id':'lb-1','type':'slb','status':'Deleting','server_group':'sgp-1'}");
	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','load_balancer':'lb-1','status':'Creating'}");
	rows_put(w.rows, "server/sgp-1/i-1/0", "{'group':'sgp-1','server_id':'i-1','status':'Adding'}");
	rows_put(w.rows, "server_group/sgp-2", "{'id':'sgp-2','load_balancer':'lb-1','status':'Available'}");
	rows_put(w.rows, "server/sgp-2/i-1/80",
		 "{'group':'sgp-2','server_id':'i-1','port':80,'status':'Adding'}");
	rows_put(w.rows, "server_health/sgp-2/i-1/80", "{'group':'sgp-2','server_id':'i-1','port':80}");
	rows_put(w.rows, "server_group/sgp-3", "{'id':'sgp-3','status':'Creating'}");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(!snapshot_load_balancer(w.rows, "lb-1") && !snapshot_server_group(w.rows, "sgp-1") &&
		       !snapshot_server_group(w.rows, "sgp-2") &&
		       snapshot_count(w.rows, KIND_SERVER, "") == 0 &&
		       snapshot_count(w.rows, KIND_SERVER_HEALTH, "") == 0,
	       "a classic load balancer goes with its server groups, and these with their servers");
	tap_is_int(snapshot_server_group(w.rows, "sgp-3")->status, SERVER_GROUP_AVAILABLE,
		   "a group that is no part of one moves by itself");
	world_end(&w);
}

static void test_large_group(void)
{
	struct world w;
	size_t n_passes;

	world_begin(&w);
	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','status':'Deleting'}");
	for (int i = 0; i < 250; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "server/sgp-1/10.0.0.%d/80", i);
		rows_put(w.rows, key,
			 "{'group':'sgp-1','server_id':'10.0.0.%d','port':80,'status':'Removing'}", i);
		(void)str_format(key, sizeof(key), "server_health/sgp-1/10.0.0.%d/80", i);
		rows_put(w.rows, key, "{'group':'sgp-1','server_id':'10.0.0.%d','port':80,'healthy':true}",
			 i);
	}
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(w.n_txns >= 5 && snapshot_server_group(w.rows, "sgp-1"),
	       "a large group loses its servers in steps, and stays while it has some");
	n_passes = world_settle(&w);
	tap_ok(!snapshot_server_group(w.rows, "sgp-1") && snapshot_count(w.rows, KIND_SERVER, "") == 0 &&
		       snapshot_count(w.rows, KIND_SERVER_HEALTH, "") == 0,
	       "then it goes itself (%zu passes)", n_passes);
	world_end(&w);
}

static void test_service_deleted(void)
{
	struct world w;

	world_begin(&w);
	for (int i = 0; i < 300; i++) {
		char id[ID_SIZE], port[ID_SIZE], addr[32];

		(void)str_format(id, sizeof(id), "ep-%03d", i);
		(void)str_format(port, sizeof(port), "eni-%03d", i);
		(void)str_format(addr, sizeof(addr), "10.0.%d.%d", i / 200, i % 200);
		put_endpoint(&w, id, "Active");
		put_connection(&w, id, "Disconnected", i % 2);
		put_zone(&w, id, "z-a", port, addr, "Disconnected");
	}
	put_connection(&w, "ep-007", "Deleting", false);
	rows_put(w.rows, "service/epsrv-1", "{'id':'epsrv-1','status':'Deleting'}");
	rows_put(w.rows, "service_resource/epsrv-1/nlb-1/z-a",
		 "{'service':'epsrv-1','resource':'nlb-1','zone':'z-a','auto_allocated':true}");
	rows_put(w.rows, "service_user/epsrv-1/17", "{'service':'epsrv-1','uid':17}");
	(void)world_pass(&w);
	tap_is_str(connection_status(&w, "ep-000"), "ServiceDeleted",
		   "endpoints hear at once that their service is deleted");
	tap_is_str(connection_status(&w, "ep-299"), "ServiceDeleted", "however many they are");
	tap_is_str(connection_status(&w, "ep-007"), "Deleting", "but for those that go themselves");
	tap_ok(snapshot_service(w.rows, "epsrv-1"), "the service stays until that is in force");
	world_report(&w);
	(void)world_settle(&w);
	tap_ok(!snapshot_service(w.rows, "epsrv-1") &&
		       snapshot_count(w.rows, KIND_SERVICE_RESOURCE, "") == 0 &&
		       snapshot_count(w.rows, KIND_SERVICE_USER, "") == 0,
	       "then it goes with its resources and its whitelist");
	world_end(&w);
}

static void test_nat_ranges(void)
{
	struct control_view view;
	const struct nat_range *range;
	struct changes changes = {};
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "node/n1", "{'name':'n1','number':1}");
	rows_put(w.rows, "node/n2", "{'name':'n2','number':2}");
	for (const char *p = "abcd"; *p; p++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "vpc/vpc-%c", *p);
		rows_put(w.rows, key, "{'id':'vpc-%c','status':'Available'}", *p);
	}
	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','vpc':'vpc-a','status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	rows_put(w.rows, "server_group/sgp-2", "{'id':'sgp-2','vpc':'vpc-b','status':'Available'}");
	rows_put(w.rows, "load_balancer/nlb-1", "{'id':'nlb-1','vpc':'vpc-c','status':'Active'}");
	rows_put(w.rows, "load_balancer/nlb-2", "{'id':'nlb-2','vpc':'vpc-d','status':'Active'}");
	rows_put(w.rows, "service_resource/epsrv-1/nlb-1/z-a",
		 "{'service':'epsrv-1','resource':'nlb-1','zone':'z-a'}");
	rows_put(w.rows, "counter/nat", "{'name':'nat','value':3}");

	view = world_view(&w);
	control_nat_ranges(&view, &changes);
	world_commit(&w, &changes);
	tap_is_int(snapshot_count(w.rows, KIND_NAT_RANGE, ""), 4,
		   "VPCs with a server or a serving load balancer get a range for each node");
	range = snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-a/n1");
	tap_ok(range && netaddr_to_v4(&range->range.addr) == 0x64400030, "it is the next one of the counter");
	tap_ok(snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-c/n2"), "also where only a load balancer serves");
	view = world_view(&w);
	control_nat_ranges(&view, &changes);
	tap_is_int(changes.n_txns, 0, "and not twice");

	rows_delete(w.rows, "vpc/vpc-a");
	rows_delete(w.rows, "node/n2");
	view = world_view(&w);
	control_nat_ranges(&view, &changes);
	world_commit(&w, &changes);
	tap_is_int(snapshot_count(w.rows, KIND_NAT_RANGE, ""), 1,
		   "ranges come back when the VPC or the node is gone");

	rows_put(w.rows, "node/n3", "{'name':'n3','number':3}");
	rows_put(w.rows, "counter/nat", "{'name':'nat','value':258048}");
	rows_put(w.rows, "nat_range/vpc-x/n1", "{'vpc':'vpc-x','node':'n1','range':'100.64.0.0/28'}");
	rows_put(w.rows, "vpc/vpc-x", "{'id':'vpc-x'}");
	view = world_view(&w);
	control_nat_ranges(&view, &changes);
	world_commit(&w, &changes);
	range = snapshot_find(w.rows, KIND_NAT_RANGE, "vpc-c/n3");
	tap_ok(range && netaddr_to_v4(&range->range.addr) == 0x64400010,
	       "after the last range the search begins again and passes over what is in use");
	world_end(&w);
}

static void test_many_nat_ranges(void)
{
	struct control_view view;
	struct changes changes = {};
	struct world w;
	bool more;

	world_begin(&w);
	rows_put(w.rows, "vpc/vpc-a", "{'id':'vpc-a'}");
	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','vpc':'vpc-a','status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	for (int i = 0; i < 150; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "node/n%03d", i);
		rows_put(w.rows, key, "{'name':'n%03d','number':%d}", i, i + 1);
	}
	for (int i = 0; i < 2; i++) {
		view = world_view(&w);
		control_nat_ranges(&view, &changes);
		more = changes.more;
		world_commit(&w, &changes);
	}
	tap_ok(!more && snapshot_count(w.rows, KIND_NAT_RANGE, "vpc-a/") == 150,
	       "many ranges are given out in steps");
	world_end(&w);
}

static void test_health(void)
{
	const struct server_health health[] = {
		{.group = "sgp-1", .server_id = "i-1", .port = 80, .node = "n1", .healthy = true},
		{.group = "sgp-1", .server_id = "i-2", .port = 80, .node = "n1", .reason = "CONNECT_TIMEOUT"},
		{.group = "sgp-9", .server_id = "i-9", .port = 80, .node = "n1", .healthy = true},
	};
	const struct server_health *row;
	struct control_view view;
	struct changes changes = {};
	struct world w;

	world_begin(&w);
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-2/80",
		 "{'group':'sgp-1','server_id':'i-2','port':80,'status':'Available'}");
	view = world_view(&w);
	control_health(&view, health, ARRAY_SIZE(health), &changes);
	world_commit(&w, &changes);
	tap_is_int(snapshot_count(w.rows, KIND_SERVER_HEALTH, ""), 2,
		   "health is written down for servers that exist");
	row = snapshot_find(w.rows, KIND_SERVER_HEALTH, "sgp-1/i-2/80");
	tap_ok(row && !row->healthy && streq(row->reason, "CONNECT_TIMEOUT"), "with the reason");
	view = world_view(&w);
	control_health(&view, health, ARRAY_SIZE(health), &changes);
	tap_is_int(changes.n_txns, 0, "and only when it is new");

	rows_put(w.rows, "server_group/sgp-1", "{'id':'sgp-1','status':'Available'}");
	rows_put(w.rows, "server/sgp-1/i-1/80",
		 "{'group':'sgp-1','server_id':'i-1','port':80,'status':'Removing'}");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(!snapshot_find(w.rows, KIND_SERVER, "sgp-1/i-1/80") &&
		       !snapshot_find(w.rows, KIND_SERVER_HEALTH, "sgp-1/i-1/80"),
	       "a server that is removed takes it along");
	world_end(&w);
}

static void test_leftovers(void)
{
	static const char *const left_over[] = {
		"sg_rule/sg-1/sgr-1",
		"server/sgp-1/i-1/80",
		"server_health/sgp-1/i-2/80",
		"listener/lsn-1",
		"service_user/epsrv-1/5",
		"service_resource/epsrv-1/nlb-1/z",
		"connection/ep-1",
		"endpoint_zone/ep-1/z",
		"port/eni-1",
		"address/vpc-a/10.0.0.1",
		"tag/ep-1/k",
		"nat_range/vpc-gone/n1",
		"token/5/privatelink:CreateVpcEndpoint/old",
		"job/j-old",
	};
	struct control_view view;
	struct changes changes = {};
	struct world w;
	bool ok = true;

	world_begin(&w);
	rows_put(w.rows, left_over[0], "{'id':'sgr-1','group':'sg-1'}");
	rows_put(w.rows, left_over[1], "{'group':'sgp-1','server_id':'i-1','port':80}");
	rows_put(w.rows, left_over[2], "{'group':'sgp-1','server_id':'i-2','port':80}");
	rows_put(w.rows, left_over[3], "{'id':'lsn-1','load_balancer':'nlb-1'}");
	rows_put(w.rows, left_over[4], "{'service':'epsrv-1','uid':5}");
	rows_put(w.rows, left_over[5], "{'service':'epsrv-1','resource':'nlb-1','zone':'z'}");
	rows_put(w.rows, left_over[6], "{'endpoint':'ep-1'}");
	rows_put(w.rows, left_over[7], "{'endpoint':'ep-1','zone':'z'}");
	rows_put(w.rows, left_over[8], "{'id':'eni-1','kind':'endpoint','holder':'ep-1'}");
	rows_put(w.rows, left_over[9], "{'vpc':'vpc-a','addr':'10.0.0.1','port':'eni-9'}");
	rows_put(w.rows, left_over[10], "{'resource':'ep-1','key':'k'}");
	rows_put(w.rows, left_over[11], "{'vpc':'vpc-gone','node':'n1','range':'100.64.0.0/28'}");
	rows_put(w.rows, left_over[12],
		 "{'uid':5,'action':'privatelink:CreateVpcEndpoint','token':'old',"
		 "'create_time':1767000000}");
	rows_put(w.rows, left_over[13], "{'id':'j-old','create_time':1767000000}");
	put_endpoint(&w, "ep-2", "Active");
	put_connection(&w, "ep-2", "Connected", false);
	put_zone(&w, "ep-2", "z-a", "eni-a", "10.0.0.5", "Connected");
	rows_put(w.rows, "tag/ep-2/k", "{'resource':'ep-2','key':'k'}");
	rows_put(w.rows, "token/5/privatelink:CreateVpcEndpoint/new",
		 "{'uid':5,'action':'privatelink:CreateVpcEndpoint','token':'new','create_time':1767323000}");

	view = world_view(&w);
	control_remove_leftovers(&view, &changes);
	world_commit(&w, &changes);
	for (size_t i = 0; i < ARRAY_SIZE(left_over); i++)
		ok = ok && world_modified(&w, left_over[i]) == 0;
	tap_ok(ok, "what belongs to nothing is swept away, and old tokens and jobs");
	tap_is_int(w.n_ops, ARRAY_SIZE(left_over), "and nothing else");
	tap_ok(snapshot_port(w.rows, "eni-a") && snapshot_find(w.rows, KIND_ADDRESS, "vpc-a/10.0.0.5"),
	       "an endpoint's interface and its address stay");
	world_end(&w);
}

struct subject_case {
	const char *key, *id;
	int kind;
};

static const struct subject_case subject_cases[] = {
	{"endpoint/ep-1", "ep-1", KIND_ENDPOINT},
	{"connection/ep-1", "ep-1", KIND_ENDPOINT},
	{"endpoint_zone/ep-1/z", "ep-1", KIND_ENDPOINT},
	{"server/sgp-1/i/80", "sgp-1/i/80", KIND_SERVER},
	{"service/epsrv-1", "epsrv-1", KIND_SERVICE},
	{"tag/ep-1/k", "", -1},
	{"account/5", "", -1},
	{"nonsense", "", -1},
};

static void test_subjects(void)
{
	struct subjects subjects = {};
	struct control_subject subject;
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(subject_cases); i++) {
		const struct subject_case *c = &subject_cases[i];
		int r = control_subject_of_key(c->key, &subject);

		tap_ok(c->kind < 0 ? r == -ENOENT
				   : r == 0 && (int)subject.kind == c->kind && streq(subject.id, c->id),
		       "%s moves %s", c->key, c->kind < 0 ? "nothing" : c->id);
	}

	for (const char *key = "edcba"; *key; key++) {
		char text[] = {'v', 'p', 'c', '/', *key, '\0'};

		ok = ok && subjects_changed(&subjects, text) == 0 && subjects_changed(&subjects, text) == 0;
	}
	tap_ok(ok && subjects_take(&subjects, 5) == 0 && subjects.work.n == 5, "a subject is in a pass once");
	for (size_t i = 0; i < 5; i++)
		subjects.work.v[i].needs = i == 0 ? NEEDS_NOTHING : i == 4 ? NEEDS_REPAIR : 5 + i;
	tap_is_int(subjects_put_back(&subjects, 5), 0, "what needs a later revision is put back");
	tap_is_int(subjects.waiting.n, 4, "what is settled is not");
	tap_ok(subjects_take(&subjects, 5) == 0 && subjects.work.n == 0,
	       "a pass at the same revision has nothing to do");
	(void)subjects_put_back(&subjects, 5);
	(void)subjects_changed(&subjects, "vpc/e");
	tap_ok(subjects_take(&subjects, 7) == 0 && subjects.work.n == 3 &&
		       streq(subjects.work.v[0].id, "b") && streq(subjects.work.v[2].id, "e"),
	       "a later one takes what it has reached, and what changed");
	subjects.work.v[0].needs = 7;
	tap_is_int(subjects_put_back(&subjects, 7), 1, "what has more to do at once says so");
	tap_is_int(subjects.waiting.n, 3, "and is there again, but for what was settled");
	subjects_done(&subjects);
}

int main(void)
{
	test_auto_accepted();
	test_waiting();
	test_added_zone();
	test_failures();
	test_groups();
	test_migration();
	test_migration_service_deleted();
	test_instance_failures();
	test_no_nodes();
	test_plain();
	test_vpc_behind_vswitch(true);
	test_vpc_behind_vswitch(false);
	test_instance();
	test_endpoint_deleted();
	test_balancer_deleted();
	test_classic_balancer_deleted();
	test_large_group();
	test_service_deleted();
	test_nat_ranges();
	test_many_nat_ranges();
	test_health();
	test_leftovers();
	test_subjects();
	return tap_done();
}
