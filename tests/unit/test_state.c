/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of the rows, case by case: kind, state, event, the state after it or the refusal. What a table
 * leaves out is walked as a whole at the end: every row can be deleted from every state, and deleting ends.
 */
#include <string.h>

#include "tests/tap.h"

#include "model/endpoint_groups.h"
#include "model/row.h"
#include "model/state.h"

enum { SAME = -1, DENIED = -2, REMOVED = -3 };

static const char *const event_names[EVENT_COUNT_] = {
	[EVENT_IN_FORCE] = "in force", [EVENT_MODIFY] = "modify", [EVENT_ENABLE] = "enable",
	[EVENT_DISABLE] = "disable",   [EVENT_DELETE] = "delete", [EVENT_SERVICE_DELETED] = "service deleted",
};

/* A kind of rows as the tests see it: a status in, an event, a status out. */
struct machine {
	const char *name;
	const char *const *states;
	int (*event)(int *status, enum state_event event);
};

#define MACHINE(kind, type)                                                                                  \
	static int run_##kind(int *status, enum state_event event)                                           \
	{                                                                                                    \
		struct kind row = {.status = (enum type) * status};                                          \
		int r = kind##_event(&row, event);                                                           \
                                                                                                             \
		*status = (int)row.status;                                                                   \
		return r;                                                                                    \
	}
MACHINE(endpoint, endpoint_status)
MACHINE(connection, connection_status)

static int run_group(int *status, enum state_event event)
{
	enum group_status group = (enum group_status) * status;
	int r = group_event(&group, event);

	*status = (int)group;
	return r;
}
MACHINE(service, service_status)
MACHINE(vpc, vpc_status)
MACHINE(vswitch, vswitch_status)
MACHINE(instance, instance_status)
MACHINE(port, port_status)
MACHINE(load_balancer, lb_status)
MACHINE(listener, listener_status)
MACHINE(server_group, server_group_status)
MACHINE(server, server_status)

enum {
	ENDPOINT,
	GROUP,
	CONNECTION,
	SERVICE,
	VPC,
	VSWITCH,
	INSTANCE,
	PORT,
	LOAD_BALANCER,
	LISTENER,
	SERVER_GROUP,
	SERVER,
	MACHINES
};

static struct machine machines[MACHINES];

static const char *const group_names[] = {
	[GROUP_NONE] = "none",
	[GROUP_ATTACHING] = "Attaching",
	[GROUP_ATTACHED] = "Attached",
	[GROUP_DETACHING] = "Detaching",
	NULL,
};

static void set_machines(void)
{
	/* The names are pointers in another file: no constants for a static table. */
	machines[ENDPOINT] = (struct machine){"endpoint", endpoint_status_names, run_endpoint};
	machines[GROUP] = (struct machine){"group of an endpoint", group_names, run_group};
	machines[CONNECTION] = (struct machine){"connection", connection_status_names, run_connection};
	machines[SERVICE] = (struct machine){"service", service_status_names, run_service};
	machines[VPC] = (struct machine){"VPC", vpc_status_names, run_vpc};
	machines[VSWITCH] = (struct machine){"vSwitch", vswitch_status_names, run_vswitch};
	machines[INSTANCE] = (struct machine){"instance", instance_status_names, run_instance};
	machines[PORT] = (struct machine){"interface", port_status_names, run_port};
	machines[LOAD_BALANCER] = (struct machine){"load balancer", lb_status_names, run_load_balancer};
	machines[LISTENER] = (struct machine){"listener", listener_status_names, run_listener};
	machines[SERVER_GROUP] =
		(struct machine){"server group", server_group_status_names, run_server_group};
	machines[SERVER] = (struct machine){"server", server_status_names, run_server};
}

struct event_case {
	int machine;
	int from;
	enum state_event event;
	int to;
};

static const struct event_case cases[] = {
	{ENDPOINT, ENDPOINT_CREATING, EVENT_IN_FORCE, ENDPOINT_ACTIVE},
	{ENDPOINT, ENDPOINT_CREATING, EVENT_MODIFY, SAME},
	{PORT, PORT_IN_USE, EVENT_IN_FORCE, SAME},
	{PORT, PORT_ATTACHING, EVENT_IN_FORCE, SAME},
	{ENDPOINT, ENDPOINT_ACTIVE, EVENT_IN_FORCE, SAME},
	{ENDPOINT, ENDPOINT_ACTIVE, EVENT_MODIFY, ENDPOINT_PENDING},
	{ENDPOINT, ENDPOINT_ACTIVE, EVENT_SERVICE_DELETED, SAME},
	{ENDPOINT, ENDPOINT_PENDING, EVENT_IN_FORCE, ENDPOINT_ACTIVE},
	{ENDPOINT, ENDPOINT_PENDING, EVENT_MODIFY, SAME},
	{ENDPOINT, ENDPOINT_DELETING, EVENT_MODIFY, DENIED},
	{ENDPOINT, ENDPOINT_DELETING, EVENT_ENABLE, DENIED},

	{GROUP, GROUP_NONE, EVENT_ENABLE, GROUP_ATTACHING},
	{GROUP, GROUP_NONE, EVENT_DISABLE, DENIED},
	{GROUP, GROUP_NONE, EVENT_IN_FORCE, SAME},
	{GROUP, GROUP_ATTACHING, EVENT_IN_FORCE, GROUP_ATTACHED},
	{GROUP, GROUP_ATTACHING, EVENT_ENABLE, DENIED},
	{GROUP, GROUP_ATTACHING, EVENT_DISABLE, GROUP_DETACHING},
	{GROUP, GROUP_ATTACHED, EVENT_IN_FORCE, SAME},
	{GROUP, GROUP_ATTACHED, EVENT_ENABLE, DENIED},
	{GROUP, GROUP_ATTACHED, EVENT_DISABLE, GROUP_DETACHING},
	{GROUP, GROUP_ATTACHED, EVENT_SERVICE_DELETED, SAME},
	{GROUP, GROUP_DETACHING, EVENT_IN_FORCE, REMOVED},
	{GROUP, GROUP_DETACHING, EVENT_ENABLE, GROUP_ATTACHING},
	{GROUP, GROUP_DETACHING, EVENT_DISABLE, SAME},

	{CONNECTION, CONNECTION_DISCONNECTED, EVENT_ENABLE, CONNECTION_CONNECTING},
	{CONNECTION, CONNECTION_DISCONNECTED, EVENT_DISABLE, SAME},
	{CONNECTION, CONNECTION_DISCONNECTED, EVENT_IN_FORCE, SAME},
	{CONNECTION, CONNECTION_DISCONNECTED, EVENT_MODIFY, SAME},
	{CONNECTION, CONNECTION_DISCONNECTED, EVENT_SERVICE_DELETED, CONNECTION_SERVICE_DELETED},
	{CONNECTION, CONNECTION_CONNECTING, EVENT_IN_FORCE, CONNECTION_CONNECTED},
	{CONNECTION, CONNECTION_CONNECTING, EVENT_ENABLE, DENIED},
	{CONNECTION, CONNECTION_CONNECTING, EVENT_DISABLE, CONNECTION_DISCONNECTING},
	{CONNECTION, CONNECTION_CONNECTED, EVENT_ENABLE, SAME},
	{CONNECTION, CONNECTION_CONNECTED, EVENT_MODIFY, CONNECTION_PENDING},
	{CONNECTION, CONNECTION_CONNECTED, EVENT_DISABLE, CONNECTION_DISCONNECTING},
	{CONNECTION, CONNECTION_CONNECTED, EVENT_SERVICE_DELETED, CONNECTION_SERVICE_DELETED},
	{CONNECTION, CONNECTION_PENDING, EVENT_IN_FORCE, CONNECTION_CONNECTED},
	{CONNECTION, CONNECTION_PENDING, EVENT_ENABLE, DENIED},
	{CONNECTION, CONNECTION_PENDING, EVENT_DISABLE, CONNECTION_DISCONNECTING},
	{CONNECTION, CONNECTION_DISCONNECTING, EVENT_IN_FORCE, CONNECTION_DISCONNECTED},
	{CONNECTION, CONNECTION_DISCONNECTING, EVENT_ENABLE, DENIED},
	{CONNECTION, CONNECTION_DISCONNECTING, EVENT_DISABLE, SAME},
	{CONNECTION, CONNECTION_DELETING, EVENT_ENABLE, DENIED},
	{CONNECTION, CONNECTION_DELETING, EVENT_DISABLE, SAME},
	{CONNECTION, CONNECTION_DELETING, EVENT_SERVICE_DELETED, SAME},
	{CONNECTION, CONNECTION_SERVICE_DELETED, EVENT_ENABLE, DENIED},
	{CONNECTION, CONNECTION_SERVICE_DELETED, EVENT_DISABLE, SAME},
	{CONNECTION, CONNECTION_SERVICE_DELETED, EVENT_MODIFY, DENIED},
	{CONNECTION, CONNECTION_SERVICE_DELETED, EVENT_IN_FORCE, SAME},

	{SERVICE, SERVICE_CREATING, EVENT_IN_FORCE, SERVICE_ACTIVE},
	{SERVICE, SERVICE_CREATING, EVENT_MODIFY, SAME},
	{SERVICE, SERVICE_ACTIVE, EVENT_MODIFY, SERVICE_PENDING},
	{SERVICE, SERVICE_PENDING, EVENT_MODIFY, SAME},
	{SERVICE, SERVICE_PENDING, EVENT_IN_FORCE, SERVICE_ACTIVE},
	{SERVICE, SERVICE_DELETING, EVENT_MODIFY, DENIED},

	{VPC, VPC_PENDING, EVENT_IN_FORCE, VPC_AVAILABLE},
	{VPC, VPC_PENDING, EVENT_MODIFY, SAME},
	{VPC, VPC_AVAILABLE, EVENT_IN_FORCE, SAME},
	{VPC, VPC_DELETING, EVENT_MODIFY, DENIED},
	{VSWITCH, VSWITCH_PENDING, EVENT_IN_FORCE, VSWITCH_AVAILABLE},
	{VSWITCH, VSWITCH_AVAILABLE, EVENT_MODIFY, SAME},
	{VSWITCH, VSWITCH_DELETING, EVENT_MODIFY, DENIED},

	{INSTANCE, INSTANCE_PENDING, EVENT_IN_FORCE, INSTANCE_STARTING},
	{INSTANCE, INSTANCE_STARTING, EVENT_IN_FORCE, INSTANCE_RUNNING},
	{INSTANCE, INSTANCE_RUNNING, EVENT_IN_FORCE, SAME},
	{INSTANCE, INSTANCE_RUNNING, EVENT_MODIFY, DENIED},
	{INSTANCE, INSTANCE_RUNNING, EVENT_DISABLE, INSTANCE_STOPPING},
	{INSTANCE, INSTANCE_STOPPING, EVENT_MODIFY, DENIED},
	{INSTANCE, INSTANCE_STOPPING, EVENT_IN_FORCE, INSTANCE_STOPPED},
	{INSTANCE, INSTANCE_STOPPED, EVENT_DISABLE, DENIED},
	{INSTANCE, INSTANCE_STOPPED, EVENT_MODIFY, INSTANCE_STARTING},

	{LOAD_BALANCER, LB_PROVISIONING, EVENT_IN_FORCE, LB_ACTIVE},
	{LOAD_BALANCER, LB_ACTIVE, EVENT_MODIFY, LB_CONFIGURING},
	{LOAD_BALANCER, LB_CONFIGURING, EVENT_IN_FORCE, LB_ACTIVE},
	{LOAD_BALANCER, LB_INACTIVE, EVENT_MODIFY, SAME},
	{LOAD_BALANCER, LB_ACTIVE, EVENT_ENABLE, SAME},
	{LOAD_BALANCER, LB_ACTIVE, EVENT_DISABLE, LB_STOPPING},
	{LOAD_BALANCER, LB_STOPPING, EVENT_IN_FORCE, LB_INACTIVE},
	{LOAD_BALANCER, LB_STOPPING, EVENT_MODIFY, SAME},
	{LOAD_BALANCER, LB_STOPPING, EVENT_ENABLE, LB_STARTING},
	{LOAD_BALANCER, LB_INACTIVE, EVENT_DISABLE, SAME},
	{LOAD_BALANCER, LB_INACTIVE, EVENT_ENABLE, LB_STARTING},
	{LOAD_BALANCER, LB_STARTING, EVENT_IN_FORCE, LB_ACTIVE},
	{LOAD_BALANCER, LB_STARTING, EVENT_DISABLE, LB_STOPPING},
	{LOAD_BALANCER, LB_DELETING, EVENT_ENABLE, DENIED},
	{LOAD_BALANCER, LB_INACTIVE, EVENT_IN_FORCE, SAME},
	{LOAD_BALANCER, LB_CREATE_FAILED, EVENT_MODIFY, DENIED},

	{LISTENER, LISTENER_PROVISIONING, EVENT_IN_FORCE, LISTENER_RUNNING},
	{LISTENER, LISTENER_RUNNING, EVENT_MODIFY, LISTENER_CONFIGURING},
	{LISTENER, LISTENER_RUNNING, EVENT_DISABLE, LISTENER_STOPPING},
	{LISTENER, LISTENER_CONFIGURING, EVENT_IN_FORCE, LISTENER_RUNNING},
	{LISTENER, LISTENER_STOPPING, EVENT_IN_FORCE, LISTENER_STOPPED},
	{LISTENER, LISTENER_STOPPED, EVENT_ENABLE, LISTENER_STARTING},
	{LISTENER, LISTENER_STARTING, EVENT_IN_FORCE, LISTENER_RUNNING},

	{SERVER_GROUP, SERVER_GROUP_CREATING, EVENT_IN_FORCE, SERVER_GROUP_AVAILABLE},
	{SERVER_GROUP, SERVER_GROUP_AVAILABLE, EVENT_MODIFY, SERVER_GROUP_CONFIGURING},
	{SERVER_GROUP, SERVER_GROUP_CONFIGURING, EVENT_IN_FORCE, SERVER_GROUP_AVAILABLE},

	{SERVER, SERVER_ADDING, EVENT_IN_FORCE, SERVER_AVAILABLE},
	{SERVER, SERVER_AVAILABLE, EVENT_MODIFY, SERVER_CONFIGURING},
	{SERVER, SERVER_CONFIGURING, EVENT_IN_FORCE, SERVER_AVAILABLE},
	{SERVER, SERVER_REMOVING, EVENT_IN_FORCE, REMOVED},
	{SERVER, SERVER_REMOVING, EVENT_MODIFY, DENIED},
};

static int wanted_result(int to)
{
	return to == SAME ? -EALREADY : to == DENIED ? -EPERM : to == REMOVED ? -ENOENT : 0;
}

static const char *outcome_text(const char *const *states, int to)
{
	return to == SAME      ? "stays"
	       : to == DENIED  ? "is refused"
	       : to == REMOVED ? "goes"
			       : enum_name(states, to);
}

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct event_case *c = &cases[i];
		const struct machine *m = &machines[c->machine];
		int status = c->from, r;

		r = m->event(&status, c->event);
		tap_ok(r == wanted_result(c->to) && status == (c->to >= 0 ? c->to : c->from), "%s %s, %s: %s",
		       m->name, enum_name(m->states, c->from), event_names[c->event],
		       outcome_text(m->states, c->to));
	}
}

/* From every state one call deletes, a second changes nothing, and in force removes the row. */
static void test_deleting(void)
{
	for (int i = 0; i < MACHINES; i++) {
		const struct machine *m = &machines[i];
		bool ok = true;

		if (i == GROUP) /* it is detached */
			continue;

		for (int from = 0; m->states[from]; from++) {
			int status = from, r;

			r = m->event(&status, EVENT_DELETE);
			ok = ok && (r == 0 || r == -EALREADY);
			ok = ok && m->event(&status, EVENT_DELETE) == -EALREADY;
			ok = ok && m->event(&status, EVENT_MODIFY) == -EPERM;
			ok = ok && m->event(&status, EVENT_IN_FORCE) == -ENOENT;
		}
		tap_ok(ok, "a %s can be deleted from every state, once, and goes when that is in force",
		       m->name);
	}
}

struct zone_case {
	enum zone_status from;
	enum connection_status connection; /* after the event */
	enum state_event event;
	int to;
};

static const struct zone_case zone_cases[] = {
	{ZONE_CREATING, CONNECTION_CONNECTED, EVENT_IN_FORCE, ZONE_CONNECTED},
	{ZONE_CREATING, CONNECTION_PENDING, EVENT_IN_FORCE, ZONE_CONNECTED},
	{ZONE_CREATING, CONNECTION_CONNECTING, EVENT_IN_FORCE, SAME},
	{ZONE_CREATING, CONNECTION_DISCONNECTED, EVENT_IN_FORCE, ZONE_WAIT},
	{ZONE_CREATING, CONNECTION_DISCONNECTING, EVENT_IN_FORCE, ZONE_WAIT},
	{ZONE_CREATING, CONNECTION_CONNECTING, EVENT_ENABLE, SAME},
	{ZONE_CREATING, CONNECTION_DISCONNECTING, EVENT_DISABLE, SAME},
	{ZONE_WAIT, CONNECTION_CONNECTING, EVENT_ENABLE, ZONE_CONNECTING},
	{ZONE_WAIT, CONNECTION_DISCONNECTED, EVENT_IN_FORCE, SAME},
	{ZONE_WAIT, CONNECTION_CONNECTING, EVENT_IN_FORCE, SAME},
	{ZONE_WAIT, CONNECTION_CONNECTED, EVENT_IN_FORCE, ZONE_CONNECTED},
	{ZONE_CONNECTING, CONNECTION_CONNECTED, EVENT_IN_FORCE, ZONE_CONNECTED},
	{ZONE_CONNECTING, CONNECTION_CONNECTING, EVENT_IN_FORCE, SAME},
	{ZONE_CONNECTING, CONNECTION_DISCONNECTING, EVENT_DISABLE, ZONE_DISCONNECTING},
	{ZONE_CONNECTED, CONNECTION_CONNECTED, EVENT_IN_FORCE, SAME},
	{ZONE_CONNECTED, CONNECTION_DISCONNECTING, EVENT_DISABLE, ZONE_DISCONNECTING},
	{ZONE_CONNECTED, CONNECTION_SERVICE_DELETED, EVENT_SERVICE_DELETED, ZONE_DISCONNECTING},
	{ZONE_DISCONNECTING, CONNECTION_DISCONNECTED, EVENT_IN_FORCE, ZONE_DISCONNECTED},
	{ZONE_DISCONNECTING, CONNECTION_CONNECTING, EVENT_ENABLE, ZONE_CONNECTING},
	{ZONE_DISCONNECTED, CONNECTION_CONNECTING, EVENT_ENABLE, ZONE_CONNECTING},
	{ZONE_DISCONNECTED, CONNECTION_CONNECTED, EVENT_IN_FORCE, SAME},
	{ZONE_MIGRATING, CONNECTION_CONNECTED, EVENT_IN_FORCE, ZONE_CONNECTED},
	{ZONE_MIGRATING, CONNECTION_DISCONNECTING, EVENT_DISABLE, ZONE_DISCONNECTING},
	{ZONE_MIGRATING, CONNECTION_SERVICE_DELETED, EVENT_SERVICE_DELETED, ZONE_DISCONNECTING},
	{ZONE_MIGRATING, CONNECTION_CONNECTED, EVENT_DELETE, ZONE_DELETING},
	{ZONE_MIGRATED, CONNECTION_CONNECTED, EVENT_IN_FORCE, SAME},
	{ZONE_MIGRATED, CONNECTION_CONNECTED, EVENT_ENABLE, SAME},
	{ZONE_MIGRATED, CONNECTION_SERVICE_DELETED, EVENT_SERVICE_DELETED, ZONE_DISCONNECTING},
	{ZONE_MIGRATED, CONNECTION_CONNECTED, EVENT_DELETE, ZONE_DELETING},
	{ZONE_MIGRATED, CONNECTION_DISCONNECTING, EVENT_DISABLE, ZONE_DISCONNECTING},
	{ZONE_CREATING, CONNECTION_CONNECTING, EVENT_DELETE, ZONE_DELETING},
	{ZONE_CONNECTED, CONNECTION_CONNECTED, EVENT_DELETE, ZONE_DELETING},
	{ZONE_DELETING, CONNECTION_CONNECTED, EVENT_DELETE, SAME},
	{ZONE_DELETING, CONNECTION_CONNECTED, EVENT_MODIFY, DENIED},
	{ZONE_DELETING, CONNECTION_CONNECTING, EVENT_ENABLE, SAME},
	{ZONE_DELETING, CONNECTION_CONNECTED, EVENT_IN_FORCE, REMOVED},
};

static void test_zones(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(zone_cases); i++) {
		const struct zone_case *c = &zone_cases[i];
		struct endpoint_zone zone = {.status = c->from};
		struct connection connection = {.status = c->connection};
		int r = endpoint_zone_event(&zone, &connection, c->event);

		tap_ok(r == wanted_result(c->to) && (int)zone.status == (c->to >= 0 ? c->to : (int)c->from),
		       "zone %s of a connection %s, %s: %s", enum_name(zone_status_names, c->from),
		       enum_name(connection_status_names, c->connection), event_names[c->event],
		       outcome_text(zone_status_names, c->to));
	}
}

static void test_waiting(void)
{
	struct connection c = {.status = CONNECTION_DISCONNECTED, .waiting = true};
	int r;

	r = connection_event(&c, EVENT_IN_FORCE);
	tap_ok(r == -EALREADY && c.waiting,
	       "a connection goes on waiting for acceptance when its wish is in force");
	r = connection_event(&c, EVENT_DISABLE);
	tap_ok(r == 0 && !c.waiting && c.status == CONNECTION_DISCONNECTED,
	       "refusing one that waits ends the waiting");
	r = connection_event(&c, EVENT_DISABLE);
	tap_is_int(r, -EALREADY, "refusing it again changes nothing");
	c.waiting = true;
	r = connection_event(&c, EVENT_ENABLE);
	tap_ok(r == 0 && !c.waiting && c.status == CONNECTION_CONNECTING,
	       "accepting one that waits connects it");
}

static void test_wanted(void)
{
	struct endpoint_zone zone = {.status = ZONE_CREATING};
	struct connection connection = {.status = CONNECTION_CONNECTING};

	tap_ok(endpoint_zone_wanted(&zone, &connection),
	       "a zone is programmed while it and its connection come up");
	connection.status = CONNECTION_DISCONNECTED;
	tap_ok(!endpoint_zone_wanted(&zone, &connection), "an ENI whose connection waits reaches nothing");
	connection.status = CONNECTION_DISCONNECTING;
	zone.status = ZONE_CONNECTED;
	tap_ok(!endpoint_zone_wanted(&zone, &connection),
	       "an ENI is cut off when its connection begins to be cut");
	connection.status = CONNECTION_PENDING;
	tap_ok(endpoint_zone_wanted(&zone, &connection),
	       "an ENI goes on serving while its connection is modified");
	zone.status = ZONE_DELETING;
	tap_ok(!endpoint_zone_wanted(&zone, &connection), "an ENI is cut off when its zone is being removed");
	zone.status = ZONE_DISCONNECTED;
	connection.status = CONNECTION_CONNECTED;
	tap_ok(!endpoint_zone_wanted(&zone, &connection), "a zone that was disconnected reaches nothing");
}

static void test_zone_changes(void)
{
	static const char *const changes[] = {"replaced beside it", "replaced at once", "retired"};

	for (int from = 0; zone_status_names[from]; from++)
		for (int change = 0; change < ZONE_CHANGE_COUNT_; change++) {
			struct endpoint_zone zone = {.status = (enum zone_status)from};
			int r = endpoint_zone_change(&zone, (enum zone_change)change);
			int want = change == ZONE_RETIRE    ? (from == ZONE_MIGRATED ? from : DENIED)
				   : from == ZONE_CONNECTED ? ZONE_MIGRATING
							    : DENIED;

			tap_ok(r == wanted_result(want) && (int)zone.status == (want >= 0 ? want : from),
			       "zone %s, %s: %s", enum_name(zone_status_names, (unsigned int)from),
			       changes[change], outcome_text(zone_status_names, want));
		}
}

/* A graceful replacement from its beginning to its end; a status and whether the old ENI is there, and shown.
 */
static const char *migration(const struct endpoint_zone *zone)
{
	static char text[64];

	(void)str_format(text, sizeof(text), "%s%s%s", enum_name(zone_status_names, zone->status),
			 endpoint_zone_has_replaced(zone) ? ", old" : "",
			 endpoint_zone_shows_replaced(zone) ? " shown" : "");
	return text;
}

static void test_migration(void)
{
	static const struct connection connection = {.status = CONNECTION_CONNECTED};
	struct endpoint_zone zone = {.status = ZONE_CONNECTED, .replaced_port = "eni-1"}, cut;

	(void)endpoint_zone_change(&zone, ZONE_REPLACE_GRACEFUL);
	tap_is_str(migration(&zone), "Migrating, old shown", "names lead to the old ENI at first");
	tap_ok(endpoint_zone_wanted(&zone, &connection), "both are connected");
	(void)endpoint_zone_event(&zone, &connection, EVENT_IN_FORCE);
	tap_is_str(migration(&zone), "Migrated, old", "then to the new one, and the old one is there");
	tap_is_int(endpoint_zone_event(&zone, &connection, EVENT_IN_FORCE), -EALREADY,
		   "until the provider takes it off");
	tap_is_int(endpoint_zone_change(&zone, ZONE_RETIRE), 0, "then");
	tap_is_str(migration(&zone), "Migrated", "it is on its way out");
	tap_is_int(endpoint_zone_change(&zone, ZONE_RETIRE), -EALREADY,
		   "taking it off again changes nothing");
	cut = zone;
	(void)endpoint_zone_event(&zone, &connection, EVENT_IN_FORCE);
	tap_is_str(migration(&zone), "Connected", "and the zone connected when it is gone");
	tap_ok(!zone.retiring, "nothing goes any more");
	(void)endpoint_zone_event(&cut, &connection, EVENT_DISABLE);
	tap_is_str(migration(&cut), "Disconnecting", "a zone that is cut meanwhile goes without the old one");
	tap_ok(!cut.retiring, "which needs nothing of its own for that");
}

static char group_texts[2 * SECURITY_GROUPS_MAX + 2][ID_SIZE];

static struct endpoint endpoint_of_groups(enum endpoint_status status, int n)
{
	struct endpoint row = {.status = status, .n_groups = (uint32_t)n};

	for (size_t i = 0; i < ARRAY_SIZE(group_texts); i++)
		(void)str_format(group_texts[i], ID_SIZE, "sg-%zu", i);
	row.groups = (const char(*)[ID_SIZE])group_texts;
	return row;
}

/* One letter a group: . A (ttaching) T (attached) D. */
static const char *groups_text(const struct endpoint *row)
{
	static char text[ARRAY_SIZE(group_texts) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(group_texts); i++)
		text[i] = ".ATD"[endpoint_group_status(row, group_texts[i])];
	return text;
}

static void test_groups(void)
{
	struct endpoint row = endpoint_of_groups(ENDPOINT_ACTIVE, 2);
	struct endpoint_lists lists;

	tap_is_str(groups_text(&row), "TT....................", "an active endpoint has its groups");
	tap_is_int(endpoint_group_attach(&row, "sg-2", &lists), 0, "a third one is attached");
	tap_is_int(endpoint_group_attach(&row, "sg-3", &lists), 0, "and a fourth");
	tap_is_str(groups_text(&row), "TTAA..................", "both are on their way");
	tap_is_int(endpoint_group_attach(&row, "sg-2", &lists), -EEXIST, "one that is on its way is there");
	tap_is_int(endpoint_group_detach(&row, "sg-0", &lists), 0, "one that was there leaves");
	tap_is_int(endpoint_group_detach(&row, "sg-2", &lists), 0, "so does one that was on its way");
	tap_is_str(groups_text(&row), "DTDA..................", "the others stay as they were");
	tap_is_int(endpoint_group_detach(&row, "sg-0", &lists), -EALREADY, "one that leaves goes on leaving");
	tap_is_int(endpoint_group_detach(&row, "sg-9", &lists), -ENOENT, "one that is not there does not");
	tap_is_int(endpoint_group_attach(&row, "sg-0", &lists), 0, "one that leaves comes back");
	tap_is_str(groups_text(&row), "ATDA..................", "on its way in again");
	tap_ok(endpoint_groups_in_force(&row, true), "what was detached goes, also when the endpoint failed");
	tap_is_str(groups_text(&row), "AT.A..................", "what was attached waits for it");
	tap_ok(endpoint_groups_in_force(&row, false), "when it is in force");
	tap_is_str(groups_text(&row), "TT.T..................", "all are attached");
	tap_ok(!endpoint_groups_in_force(&row, false), "and that is that");
	tap_is_int(endpoint_group_detach(&row, "sg-0", &lists) | endpoint_group_detach(&row, "sg-1", &lists),
		   0, "two leave");
	tap_is_int(endpoint_group_detach(&row, "sg-3", &lists), -EPERM, "the last one does not");
	tap_is_str(groups_text(&row), "DD.T..................", "whatever else leaves");
}

static void test_group_room(void)
{
	struct endpoint row = endpoint_of_groups(ENDPOINT_CREATING, SECURITY_GROUPS_MAX);
	struct endpoint_lists lists;

	tap_is_str(groups_text(&row), "AAAAAAAAAA............", "a new endpoint's groups are on their way");
	row.status = ENDPOINT_ACTIVE;
	tap_is_int(endpoint_group_attach(&row, "sg-10", &lists), -ENOSPC, "an eleventh is too many");
	for (int i = 0; i < SECURITY_GROUPS_MAX; i++)
		tap_is_int(endpoint_group_detach(&row, group_texts[i], &lists) |
				   endpoint_group_attach(&row, group_texts[SECURITY_GROUPS_MAX + i], &lists),
			   0, "group %d makes room for another at once", i);
	tap_is_str(groups_text(&row), "DDDDDDDDDDAAAAAAAAAA..", "as many leave as come");
	tap_is_int(endpoint_group_detach(&row, "sg-10", &lists), -ENOSPC, "more cannot leave at a time");
	tap_is_str(groups_text(&row), "DDDDDDDDDDAAAAAAAAAA..", "and nothing changes then");
	tap_is_int(endpoint_group_attach(&row, "sg-0", &lists), -ENOSPC,
		   "there is no room to come back, either");
	tap_ok(endpoint_groups_in_force(&row, false), "when it is in force");
	tap_is_str(groups_text(&row), "..........TTTTTTTTTT..", "the others are there");
}

int main(void)
{
	set_machines();
	test_cases();
	test_deleting();
	test_zones();
	test_waiting();
	test_wanted();
	test_zone_changes();
	test_migration();
	test_groups();
	test_group_room();
	return tap_done();
}
