/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of the rows, as tables: a line per state, a column per event, in it the next state. Three words
 * stand for the other outcomes: KEEP (the event changes nothing here and is no error), DENY (the call is
 * refused in this state) and GONE (the row is to be removed).
 *
 * Where the API refuses a second change while a first one is under way, the change is taken and the row's
 * state goes on to mean "until the newest wish is in force": a row that is put again has a later revision,
 * and IN_FORCE waits for that one. Only a connection that is being made or cut refuses to be enabled, as the
 * API says of it; cutting one is never refused.
 */
#include "state.h"

enum { KEEP = -1, DENY = -2, GONE = -3 };

typedef int16_t state_line[EVENT_COUNT_];

/* clang-format off */
static const state_line endpoint_table[] = {
	/*                      IN_FORCE         MODIFY            ENABLE DISABLE DELETE    SERVICE_DELETED */
	[ENDPOINT_CREATING] = { ENDPOINT_ACTIVE, KEEP,             KEEP,  KEEP,   ENDPOINT_DELETING, KEEP },
	[ENDPOINT_ACTIVE]   = { KEEP,            ENDPOINT_PENDING, KEEP,  KEEP,   ENDPOINT_DELETING, KEEP },
	[ENDPOINT_PENDING]  = { ENDPOINT_ACTIVE, KEEP,             KEEP,  KEEP,   ENDPOINT_DELETING, KEEP },
	[ENDPOINT_DELETING] = { GONE,            DENY,             DENY,  KEEP,   KEEP,              KEEP },
};

/* One that is on its way out can be attached again, one on its way in detached. */
static const state_line group_table[] = {
	/*                    IN_FORCE        MODIFY ENABLE           DISABLE          DELETE SERVICE_DELETED */
	[GROUP_NONE]      = { KEEP,           KEEP,  GROUP_ATTACHING, DENY,            KEEP,  KEEP },
	[GROUP_ATTACHING] = { GROUP_ATTACHED, KEEP,  DENY,            GROUP_DETACHING, KEEP,  KEEP },
	[GROUP_ATTACHED]  = { KEEP,           KEEP,  DENY,            GROUP_DETACHING, KEEP,  KEEP },
	[GROUP_DETACHING] = { GONE,           KEEP,  GROUP_ATTACHING, KEEP,            KEEP,  KEEP },
};

static const state_line connection_table[] = {
	[CONNECTION_PENDING] = {
		CONNECTION_CONNECTED, KEEP, DENY, CONNECTION_DISCONNECTING, CONNECTION_DELETING,
		CONNECTION_SERVICE_DELETED },
	[CONNECTION_CONNECTING] = {
		CONNECTION_CONNECTED, KEEP, DENY, CONNECTION_DISCONNECTING, CONNECTION_DELETING,
		CONNECTION_SERVICE_DELETED },
	[CONNECTION_CONNECTED] = {
		KEEP, CONNECTION_PENDING, KEEP, CONNECTION_DISCONNECTING, CONNECTION_DELETING,
		CONNECTION_SERVICE_DELETED },
	[CONNECTION_DISCONNECTING] = {
		CONNECTION_DISCONNECTED, KEEP, DENY, KEEP, CONNECTION_DELETING, CONNECTION_SERVICE_DELETED },
	[CONNECTION_DISCONNECTED] = {
		KEEP, KEEP, CONNECTION_CONNECTING, KEEP, CONNECTION_DELETING, CONNECTION_SERVICE_DELETED },
	[CONNECTION_DELETING] = { GONE, DENY, DENY, KEEP, KEEP, KEEP },
	[CONNECTION_SERVICE_DELETED] = { KEEP, DENY, DENY, KEEP, CONNECTION_DELETING, KEEP },
};

/* IN_FORCE of a zone that is not up yet depends on its connection (zone_in_force()), of one that migrates on how
 * (migration_in_force()). */
static const state_line zone_table[] = {
	[ZONE_CREATING] = { KEEP, KEEP, KEEP, KEEP, ZONE_DELETING, KEEP },
	[ZONE_WAIT] = { KEEP, KEEP, ZONE_CONNECTING, KEEP, ZONE_DELETING, KEEP },
	[ZONE_CONNECTING] = { KEEP, KEEP, KEEP, ZONE_DISCONNECTING, ZONE_DELETING, ZONE_DISCONNECTING },
	[ZONE_CONNECTED] = { KEEP, KEEP, KEEP, ZONE_DISCONNECTING, ZONE_DELETING, ZONE_DISCONNECTING },
	[ZONE_DISCONNECTING] = { ZONE_DISCONNECTED, KEEP, ZONE_CONNECTING, KEEP, ZONE_DELETING, KEEP },
	[ZONE_DISCONNECTED] = { KEEP, KEEP, ZONE_CONNECTING, KEEP, ZONE_DELETING, KEEP },
	[ZONE_DELETING] = { GONE, DENY, KEEP, KEEP, KEEP, KEEP },
	[ZONE_MIGRATING] = {
		KEEP, KEEP, KEEP, ZONE_DISCONNECTING, ZONE_DELETING, ZONE_DISCONNECTING },
	[ZONE_MIGRATED] = { KEEP, KEEP, KEEP, ZONE_DISCONNECTING, ZONE_DELETING, ZONE_DISCONNECTING },
};

/* What a provider replaces is connected and nothing else is under way with it. */
static const int16_t zone_change_table[][ZONE_CHANGE_COUNT_] = {
	/*                       GRACEFUL        FORCE           RETIRE */
	[ZONE_CREATING]      = { DENY,           DENY,           DENY },
	[ZONE_WAIT]          = { DENY,           DENY,           DENY },
	[ZONE_CONNECTING]    = { DENY,           DENY,           DENY },
	[ZONE_CONNECTED]     = { ZONE_MIGRATING, ZONE_MIGRATING, DENY },
	[ZONE_DISCONNECTING] = { DENY,           DENY,           DENY },
	[ZONE_DISCONNECTED]  = { DENY,           DENY,           DENY },
	[ZONE_DELETING]      = { DENY,           DENY,           DENY },
	[ZONE_MIGRATING]     = { DENY,           DENY,           DENY },
	[ZONE_MIGRATED]      = { DENY,           DENY,           ZONE_MIGRATED },
};

static const state_line service_table[] = {
	[SERVICE_CREATING] = { SERVICE_ACTIVE, KEEP,            DENY, DENY, SERVICE_DELETING, DENY },
	[SERVICE_PENDING]  = { SERVICE_ACTIVE, KEEP,            DENY, DENY, SERVICE_DELETING, DENY },
	[SERVICE_ACTIVE]   = { KEEP,           SERVICE_PENDING, DENY, DENY, SERVICE_DELETING, DENY },
	[SERVICE_DELETING] = { GONE,           DENY,            DENY, DENY, KEEP,             DENY },
};

static const state_line vpc_table[] = {
	[VPC_PENDING]   = { VPC_AVAILABLE, KEEP, DENY, DENY, VPC_DELETING, DENY },
	[VPC_AVAILABLE] = { KEEP,          KEEP, DENY, DENY, VPC_DELETING, DENY },
	[VPC_DELETING]  = { GONE,          DENY, DENY, DENY, KEEP,         DENY },
};

static const state_line vswitch_table[] = {
	[VSWITCH_PENDING]   = { VSWITCH_AVAILABLE, KEEP, DENY, DENY, VSWITCH_DELETING, DENY },
	[VSWITCH_AVAILABLE] = { KEEP,              KEEP, DENY, DENY, VSWITCH_DELETING, DENY },
	[VSWITCH_DELETING]  = { GONE,              DENY, DENY, DENY, KEEP,             DENY },
};

/* MODIFY starts, DISABLE stops. */
static const state_line instance_table[] = {
	[INSTANCE_PENDING] = { INSTANCE_STARTING, DENY, DENY, DENY, INSTANCE_DELETING, DENY },
	[INSTANCE_STARTING] = { INSTANCE_RUNNING, DENY, DENY, DENY, INSTANCE_DELETING, DENY },
	[INSTANCE_RUNNING] = { KEEP, DENY, DENY, INSTANCE_STOPPING, INSTANCE_DELETING, DENY },
	[INSTANCE_STOPPING] = { INSTANCE_STOPPED, DENY, DENY, DENY, INSTANCE_DELETING, DENY },
	[INSTANCE_STOPPED] = { KEEP, INSTANCE_STARTING, DENY, DENY, INSTANCE_DELETING, DENY },
	[INSTANCE_DELETING] = { GONE, DENY, DENY, DENY, KEEP, DENY },
};

/* ENABLE starts, DISABLE stops; only classic ones are. */
static const state_line load_balancer_table[] = {
	[LB_PROVISIONING]  = { LB_ACTIVE,   KEEP,           KEEP,        LB_STOPPING, LB_DELETING, DENY },
	[LB_ACTIVE]        = { KEEP,        LB_CONFIGURING, KEEP,        LB_STOPPING, LB_DELETING, DENY },
	[LB_CONFIGURING]   = { LB_ACTIVE,   KEEP,           KEEP,        LB_STOPPING, LB_DELETING, DENY },
	[LB_INACTIVE]      = { KEEP,        KEEP,           LB_STARTING, KEEP,        LB_DELETING, DENY },
	[LB_CREATE_FAILED] = { KEEP,        DENY,           DENY,        DENY,        LB_DELETING, DENY },
	[LB_DELETING]      = { GONE,        DENY,           DENY,        DENY,        KEEP,        DENY },
	[LB_STOPPING]      = { LB_INACTIVE, KEEP,           LB_STARTING, KEEP,        LB_DELETING, DENY },
	[LB_STARTING]      = { LB_ACTIVE,   KEEP,           KEEP,        LB_STOPPING, LB_DELETING, DENY },
};

static const state_line port_table[] = {
	[PORT_AVAILABLE] = { KEEP, KEEP, DENY, DENY, PORT_DELETING, DENY },
	[PORT_ATTACHING] = { KEEP, KEEP, DENY, DENY, PORT_DELETING, DENY },
	[PORT_IN_USE]    = { KEEP, KEEP, DENY, DENY, PORT_DELETING, DENY },
	[PORT_DETACHING] = { KEEP, KEEP, DENY, DENY, PORT_DELETING, DENY },
	[PORT_DELETING]  = { GONE, DENY, DENY, DENY, KEEP,          DENY },
};

static const state_line listener_table[] = {
	[LISTENER_PROVISIONING] = { LISTENER_RUNNING, KEEP, DENY, DENY, LISTENER_DELETING, DENY },
	[LISTENER_RUNNING] = { KEEP, LISTENER_CONFIGURING, KEEP, LISTENER_STOPPING, LISTENER_DELETING, DENY },
	[LISTENER_CONFIGURING] = { LISTENER_RUNNING, KEEP, KEEP, LISTENER_STOPPING, LISTENER_DELETING, DENY },
	[LISTENER_STOPPING] = { LISTENER_STOPPED, KEEP, DENY, KEEP, LISTENER_DELETING, DENY },
	[LISTENER_STOPPED] = { KEEP, KEEP, LISTENER_STARTING, KEEP, LISTENER_DELETING, DENY },
	[LISTENER_STARTING] = { LISTENER_RUNNING, KEEP, KEEP, DENY, LISTENER_DELETING, DENY },
	[LISTENER_DELETING] = { GONE, DENY, DENY, DENY, KEEP, DENY },
};

static const state_line server_group_table[] = {
	[SERVER_GROUP_CREATING] = { SERVER_GROUP_AVAILABLE, KEEP, DENY, DENY, SERVER_GROUP_DELETING, DENY },
	[SERVER_GROUP_AVAILABLE] = {
		KEEP, SERVER_GROUP_CONFIGURING, DENY, DENY, SERVER_GROUP_DELETING, DENY },
	[SERVER_GROUP_CONFIGURING] = {
		SERVER_GROUP_AVAILABLE, KEEP, DENY, DENY, SERVER_GROUP_DELETING, DENY },
	[SERVER_GROUP_DELETING] = { GONE, DENY, DENY, DENY, KEEP, DENY },
};

static const state_line server_table[] = {
	[SERVER_ADDING]      = { SERVER_AVAILABLE, KEEP,               DENY, DENY, SERVER_REMOVING, DENY },
	[SERVER_AVAILABLE]   = { KEEP,             SERVER_CONFIGURING, DENY, DENY, SERVER_REMOVING, DENY },
	[SERVER_CONFIGURING] = { SERVER_AVAILABLE, KEEP,               DENY, DENY, SERVER_REMOVING, DENY },
	[SERVER_REMOVING]    = { GONE,             DENY,               DENY, DENY, KEEP,            DENY },
};
/* clang-format on */

/* What an outcome is to the caller. */
static int outcome(int next)
{
	switch (next) {
	case KEEP:
		return -EALREADY;
	case DENY:
		return -EPERM;
	case GONE:
		return -ENOENT;
	default:
		return 0;
	}
}

#define APPLY(row, table, event)                                                                             \
	({                                                                                                   \
		int _next = table[(row)->status][event];                                                     \
		if (_next >= 0)                                                                              \
			(row)->status = _next;                                                               \
		outcome(_next);                                                                              \
	})

int endpoint_event(struct endpoint *row, enum state_event event)
{
	return APPLY(row, endpoint_table, event);
}

int group_event(enum group_status *status, enum state_event event)
{
	int next = group_table[*status][event];

	if (next >= 0)
		*status = (enum group_status)next;
	return outcome(next);
}

int connection_event(struct connection *row, enum state_event event)
{
	bool was_waiting = row->waiting;
	int r;

	r = APPLY(row, connection_table, event);
	if (r == -EPERM)
		return r;

	/* Whoever decides about a connection ends its waiting; refusing one that waits changes nothing else.
	 */
	if (event != EVENT_IN_FORCE && event != EVENT_MODIFY)
		row->waiting = false;
	return r == -EALREADY && was_waiting && !row->waiting ? 0 : r;
}

static bool connection_up(const struct connection *connection)
{
	return connection->status == CONNECTION_CONNECTED || connection->status == CONNECTION_PENDING;
}

/* The ENI is there. Whether it is up is its connection's business; while that one is still being made, the
 * zone waits for it, so that both get there together. */
static int zone_in_force(struct endpoint_zone *row, const struct connection *connection)
{
	if (connection_up(connection))
		row->status = ZONE_CONNECTED;
	else if (row->status == ZONE_CREATING && connection->status != CONNECTION_CONNECTING)
		row->status = ZONE_WAIT;
	else
		return -EALREADY;
	return 0;
}

/* A migration has come as far as it does by itself: a forced one is over, a graceful one waits for the
 * provider, and is over when the old ENI is gone. */
static int migration_in_force(struct endpoint_zone *row)
{
	if (row->status == ZONE_MIGRATING && row_has(row->replaced_port)) {
		row->status = ZONE_MIGRATED;
		return 0;
	}
	if (row->status == ZONE_MIGRATED && !row->retiring)
		return -EALREADY;
	row->status = ZONE_CONNECTED;
	row->retiring = false;
	return 0;
}

int endpoint_zone_event(struct endpoint_zone *row, const struct connection *connection,
			enum state_event event)
{
	bool not_up_yet =
		row->status == ZONE_CREATING || row->status == ZONE_WAIT || row->status == ZONE_CONNECTING;
	bool migrates = row->status == ZONE_MIGRATING || row->status == ZONE_MIGRATED;
	int r;

	if (event == EVENT_IN_FORCE && not_up_yet)
		return zone_in_force(row, connection);
	if (event == EVENT_IN_FORCE && migrates)
		return migration_in_force(row);
	r = APPLY(row, zone_table, event);
	if (r == 0)
		row->retiring = false;
	return r;
}

int endpoint_zone_change(struct endpoint_zone *row, enum zone_change change)
{
	int next = zone_change_table[row->status][change];

	if (next >= 0 && change == ZONE_RETIRE) {
		if (row->retiring)
			return -EALREADY;
		row->retiring = true;
	}
	if (next >= 0)
		row->status = (enum zone_status)next;
	return outcome(next);
}

bool endpoint_zone_has_replaced(const struct endpoint_zone *zone)
{
	return row_has(zone->replaced_port) && !zone->retiring &&
	       (zone->status == ZONE_MIGRATING || zone->status == ZONE_MIGRATED);
}

bool endpoint_zone_shows_replaced(const struct endpoint_zone *zone)
{
	return row_has(zone->replaced_port) && zone->status == ZONE_MIGRATING;
}

bool endpoint_zone_wanted(const struct endpoint_zone *zone, const struct connection *connection)
{
	if (connection->status != CONNECTION_CONNECTING && !connection_up(connection))
		return false;
	return zone->status != ZONE_DISCONNECTING && zone->status != ZONE_DISCONNECTED &&
	       zone->status != ZONE_DELETING;
}

bool endpoint_zone_holds(const struct endpoint_zone *zone)
{
	return zone->status != ZONE_WAIT && zone->status != ZONE_DISCONNECTED &&
	       zone->status != ZONE_DELETING;
}

const char *endpoint_zone_behind(const struct endpoint_zone *zone)
{
	return row_has(zone->resource_zone) ? zone->resource_zone : zone->zone;
}

const char *endpoint_zone_behind_replaced(const struct endpoint_zone *zone)
{
	return row_has(zone->replaced_resource_zone) ? zone->replaced_resource_zone : zone->zone;
}

int service_event(struct service *row, enum state_event event)
{
	return APPLY(row, service_table, event);
}

int vpc_event(struct vpc *row, enum state_event event)
{
	return APPLY(row, vpc_table, event);
}

int vswitch_event(struct vswitch *row, enum state_event event)
{
	return APPLY(row, vswitch_table, event);
}

int instance_event(struct instance *row, enum state_event event)
{
	return APPLY(row, instance_table, event);
}

int load_balancer_event(struct load_balancer *row, enum state_event event)
{
	return APPLY(row, load_balancer_table, event);
}

bool load_balancer_is_shifted(const struct load_balancer *row, const char *zone)
{
	for (uint32_t i = 0; i < row->n_shifted; i++)
		if (streq(row->shifted[i], zone))
			return true;
	return false;
}

int port_event(struct port *row, enum state_event event)
{
	return APPLY(row, port_table, event);
}

int listener_event(struct listener *row, enum state_event event)
{
	return APPLY(row, listener_table, event);
}

int server_group_event(struct server_group *row, enum state_event event)
{
	return APPLY(row, server_group_table, event);
}

int server_event(struct server *row, enum state_event event)
{
	return APPLY(row, server_table, event);
}
