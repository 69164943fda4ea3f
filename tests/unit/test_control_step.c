/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of control: rows and a report in, rows that have come to life out.
 */
#include <string.h>

#include "control_world.h"

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
	struct control_failure kept = {"instance/i-1", "its device is still to be removed"};
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

	put_instance(&w, "Deleting");
	w.failures[0] = kept;
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(get_instance(&w) != NULL, "one whose device is still to be removed is not gone");
	w.n_failures = 0;
	(void)world_pass(&w);
	tap_ok(!get_instance(&w), "until that has happened");
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

/* One look at a subject, in a pass that has so much room; what it changes is in force for control. */
static size_t look(struct world *w, struct control_subject *subject, size_t room)
{
	struct control_view view = world_view(w);
	struct changes changes = {};

	control_states(&view, subject, 1, &room, &changes);
	world_commit(w, &changes);
	return room;
}

/* The room of every pass goes to others. */
static void test_no_room(void)
{
	struct control_subject subject;
	struct world w;

	world_begin(&w);
	put_migration(&w, "Migrated", ",'retiring':true");
	world_report(&w);
	put_zone(&w, "ep-1", "z-b", "eni-c", "10.0.1.5", "Creating");
	(void)control_subject_of_key("endpoint/ep-1", &subject);
	(void)look(&w, &subject, 0);
	tap_is_str(migration_rows(&w), "aabb", "without room no ENI goes");
	tap_is_str(zone_status(&w, "ep-1", "z-b"), "Creating", "nor does a zone move that is not reported");
	world_report(&w);
	(void)look(&w, &subject, 0);
	tap_is_str(zone_status(&w, "ep-1", "z-b"), "Connected", "but one that is, without room");
	tap_is_str(migration_rows(&w), "aabb", "beside the ENI that waits for room");
	(void)look(&w, &subject, LEFTOVERS_GONE_MAX);
	tap_is_str(migration_rows(&w), "bb", "and goes when there is some");
	world_end(&w);
}

static void test_no_room_to_leave(void)
{
	struct control_subject subject;
	struct world w;

	world_begin(&w);
	put_endpoint(&w, "ep-1", "Active");
	put_connection(&w, "ep-1", "Connected", false);
	rows_put(w.rows, "service/epsrv-1", "{'id':'epsrv-1','status':'Deleting'}");
	world_report(&w);
	(void)control_subject_of_key("service/epsrv-1", &subject);
	tap_is_int((long long)look(&w, &subject, 1), 0, "a service that has no room to leave ends it");
	tap_ok(subject.has_more && subject.needs == NEEDS_NOTHING, "and waits for nothing else");
	(void)look(&w, &subject, LEFTOVERS_GONE_MAX);
	tap_is_str(connection_status(&w, "ep-1"), "ServiceDeleted", "then it leaves its endpoint");
	tap_ok(!subject.has_more && subject.needs != NEEDS_NOTHING, "and is looked at once more");
	world_end(&w);
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
	test_no_room();
	test_no_room_to_leave();
	test_plain();
	return tap_done();
}
