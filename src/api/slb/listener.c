/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners of classic load balancers: a port and a protocol, and the port of the servers behind it. A new
 * one is stopped until it is started. What it says of health checks is kept in its own server group. Limits
 * of bandwidth, persistence, groups of servers that callers make and lists of clients are not served, so
 * asking for them is refused. Probes are TCP connects; a UDP listener's servers are probed only if
 * it names a TCP port for that.
 */
#include <ctype.h>

#include "../../model/check.h"
#include "../../model/serving.h"
#include "../common/balancer.h"
#include "../common/quota.h"
#include "../frame/fill.h"
#include "actions.h"

#define IDLE_TIMEOUT_TCP_S 900
#define IDLE_TIMEOUT_UDP_S 20

void slb_lower(const char *word, char ret[WORD_SIZE])
{
	size_t i = 0;

	for (; word[i] && i + 1 < WORD_SIZE; i++)
		ret[i] = (char)tolower((unsigned char)word[i]);
	ret[i] = '\0';
}

/* Off, none and nothing can be asked for. */
static int check_served(struct call *call)
{
	static const struct {
		const char *param, *why;
	} words[] =
		{
			{"ConnectionDrain", "Connections are not drained here."},
			{"AclStatus", "There are no lists of clients here; security groups have rules."},
		},
	  ids[] = {
		  {"VServerGroupId", "The servers are those of the load balancer."},
		  {"MasterSlaveServerGroupId", "The servers are those of the load balancer."},
	  };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *word = call_string(call, words[i].param);

		if (word && streq(word, "on"))
			return call_fail_param(call, words[i].param, words[i].why);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (call_string(call, ids[i].param))
			return call_fail_param(call, ids[i].param, ids[i].why);
	if (call_int(call, "PersistenceTimeout", 0) > 0)
		return call_fail_param(call, "PersistenceTimeout",
				       "Sessions are not kept here beyond a connection: it must be 0.");
	if (call_int(call, "Bandwidth", -1) != -1)
		return call_fail_param(call, "Bandwidth", "Listeners have no limits here: it must be -1.");
	return 0;
}

static int read_health(struct call *call, struct server_group *group)
{
	const char *word = call_string(call, "HealthCheckSwitch");
	int64_t interval = call_int(call, "healthCheckInterval", group->health_interval_s);

	group->health_port = (uint32_t)call_int(call, "HealthCheckConnectPort", group->health_port);
	group->health_timeout_s =
		(uint32_t)call_int(call, "HealthCheckConnectTimeout", group->health_timeout_s);
	group->health_interval_s = (uint32_t)call_int(call, "HealthCheckInterval", interval);
	group->healthy_threshold = (uint32_t)call_int(call, "HealthyThreshold", group->healthy_threshold);
	group->unhealthy_threshold =
		(uint32_t)call_int(call, "UnhealthyThreshold", group->unhealthy_threshold);
	if (!word)
		return 0;
	group->health_enabled = streq(word, "on");
	if (group->health_enabled && !serving_is_probed(group))
		return call_fail_param(call, "HealthCheckSwitch",
				       "Probes are TCP connects: UDP needs HealthCheckConnectPort, too.");
	return 0;
}

static int read_settings(struct call *call, struct listener *row, struct server_group *group)
{
	const char *text = call_string(call, "Description");
	int r;

	r = check_served(call);
	if (r < 0)
		return r;
	if (text && text[0] && !check_description(text))
		return call_fail_param(call, "Description", "It must have 2 to 256 characters.");
	if (text && str_copy(row->description, sizeof(row->description), text) < 0)
		return call_fail_param(call, "Description", "It must have 2 to 256 characters.");
	row->proxy_protocol = call_bool(call, "ProxyProtocolV2Enabled", row->proxy_protocol);
	if (row->proxy_protocol && !streq(row->protocol, "TCP"))
		return call_fail_param(call, "ProxyProtocolV2Enabled",
				       "Only TCP connections get PROXY headers.");
	if (streq(row->protocol, "TCP"))
		row->idle_timeout_s = (uint32_t)call_int(call, "EstablishedTimeout", row->idle_timeout_s);
	return read_health(call, group);
}

/* The load balancer's listener of that port and protocol, or NULL; "*" for the first of any. */
static const struct listener *find(const struct call *call, const char *lb, uint32_t port,
				   const char *protocol)
{
	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb, l));)
		if (l->port == port && (streq(protocol, "*") || streq(l->protocol, protocol)))
			return l;
	return NULL;
}

static uint32_t wanted_port(const struct call *call)
{
	return (uint32_t)call_int(call, "ListenerPort", 0);
}

static int check_free(struct call *call, const struct load_balancer *lb, const char *protocol)
{
	const struct listener *other = find(call, lb->id, wanted_port(call), protocol);
	int r;

	if (other)
		return call_fail(call, other->status == LISTENER_DELETING ? "ServiceIsStopping"
									  : "ListenerAlreadyExists");
	r = quota_check(call, lb->owner, QUOTA_LISTENERS,
			snapshot_count_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id), 1);
	return r < 0 ? r : quota_check_share(call, lb->owner, QUOTA_ALL_LISTENERS, 0, 1);
}

static void fill_rows(struct call *call, const struct load_balancer *lb, const char *protocol,
		      struct listener *listener, struct server_group *group)
{
	call_new_id(call, "sgp-", group->id);
	(void)str_copy(group->region, sizeof(group->region), lb->region);
	(void)str_copy(group->vpc, sizeof(group->vpc), lb->vpc);
	(void)str_copy(group->protocol, sizeof(group->protocol), protocol);
	(void)str_copy(group->load_balancer, sizeof(group->load_balancer), lb->id);

	call_new_id(call, "lsn-", listener->id);
	(void)str_copy(listener->region, sizeof(listener->region), lb->region);
	(void)str_copy(listener->load_balancer, sizeof(listener->load_balancer), lb->id);
	(void)str_copy(listener->server_group, sizeof(listener->server_group), group->id);
	(void)str_copy(listener->protocol, sizeof(listener->protocol), protocol);
}

static int create(struct call *call, const char *protocol, uint32_t idle_timeout_s)
{
	const struct load_balancer *lb;
	struct server_group group = {
		.owner = call->account->uid,
		.scheduler = "wrr",
		.preserve_client_ip = true,
		.health_enabled = true,
		.health_interval_s = 2,
		.health_timeout_s = 5,
		.healthy_threshold = 3,
		.unhealthy_threshold = 3,
		.status = SERVER_GROUP_CREATING,
		.create_time = call->now,
	};
	struct listener row = {
		.owner = call->account->uid,
		.port = wanted_port(call),
		.backend_port = (uint32_t)call_int(call, "BackendServerPort", 0),
		.idle_timeout_s = idle_timeout_s,
		.status = LISTENER_STOPPED,
		.create_time = call->now,
	};
	int r;

	r = slb_find_living(call, &lb);
	if (r == 0)
		r = check_free(call, lb, protocol);
	if (r < 0)
		return r;
	fill_rows(call, lb, protocol, &row, &group);
	r = read_settings(call, &row, &group);
	if (r == 0)
		r = slb_backends_copy(call, lb, &row);
	if (r < 0)
		return r;
	call_put(call, KIND_SERVER_GROUP, &group);
	call_put(call, KIND_LISTENER, &row);
	return 0;
}

int slb_listener_create_tcp(struct call *call)
{
	return create(call, "TCP", IDLE_TIMEOUT_TCP_S);
}

int slb_listener_create_udp(struct call *call)
{
	return create(call, "UDP", IDLE_TIMEOUT_UDP_S);
}

static int find_of(struct call *call, const char *protocol, const struct listener **ret)
{
	const struct load_balancer *lb;
	int r;

	r = slb_find(call, &lb);
	if (r < 0)
		return r;
	*ret = find(call, lb->id, wanted_port(call), protocol);
	return *ret ? 0 : call_fail(call, "ListenerNotFound");
}

/* What is being deleted reads as if it were being stopped: the API has no other word for it. */
static void answer_status(struct call *call, const struct listener *l)
{
	enum listener_status status = l->status == LISTENER_DELETING ? LISTENER_STOPPING : l->status;
	char word[WORD_SIZE];

	slb_lower(enum_name(listener_status_names, status), word);
	answer_string(call->answer, "Status", word);
}

static int get(struct call *call, const char *protocol)
{
	const struct server_group *group;
	const struct listener *l;
	int r;

	r = find_of(call, protocol, &l);
	if (r < 0)
		return r;
	group = snapshot_server_group(call->rows, l->server_group);
	if (!group) /* it goes with the listener */
		return call_fail(call, "ListenerNotFound");
	answer_row(call->answer, call->action->answer, KIND_LISTENER, l);
	answer_row(call->answer, call->action->answer, KIND_SERVER_GROUP, group);
	answer_status(call, l);
	answer_string(call->answer, "HealthCheck", serving_is_probed(group) ? "on" : "off");
	return 0;
}

int slb_listener_get_tcp(struct call *call)
{
	return get(call, "TCP");
}

int slb_listener_get_udp(struct call *call)
{
	return get(call, "UDP");
}

static int set(struct call *call, const char *protocol)
{
	const struct server_group *group;
	const struct listener *l;
	struct server_group settings;
	struct listener row;
	int r;

	r = find_of(call, protocol, &l);
	if (r < 0)
		return r;
	group = snapshot_server_group(call->rows, l->server_group);
	row = *l;
	if (!group || listener_event(&row, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "ServiceIsStopping");
	settings = *group;
	if (server_group_event(&settings, EVENT_MODIFY) == -EPERM)
		return call_fail(call, "ServiceIsStopping");
	r = read_settings(call, &row, &settings);
	if (r < 0)
		return r;
	call_put(call, KIND_LISTENER, &row);
	call_put(call, KIND_SERVER_GROUP, &settings);
	return 0;
}

int slb_listener_set_tcp(struct call *call)
{
	return set(call, "TCP");
}

int slb_listener_set_udp(struct call *call)
{
	return set(call, "UDP");
}

/* The listener of the parameters ListenerPort and ListenerProtocol; the second is needed only if two have the
 * port. */
static int find_named(struct call *call, const struct listener **ret)
{
	const char *protocol = call_string(call, "ListenerProtocol");
	const struct load_balancer *lb;
	uint32_t port = wanted_port(call);

	if (protocol)
		return find_of(call, streq(protocol, "udp") ? "UDP" : "TCP", ret);
	if (slb_find(call, &lb) < 0)
		return -EBADMSG;
	if (find(call, lb->id, port, "TCP") && find(call, lb->id, port, "UDP"))
		return call_fail_named(call, "Missing{Name}", "ListenerProtocol");
	return find_of(call, "*", ret);
}

static int move(struct call *call, enum state_event event)
{
	const struct listener *l;
	struct listener row;
	int r;

	r = find_named(call, &l);
	if (r < 0)
		return r;
	row = *l;
	r = listener_event(&row, event);
	if (r == -EPERM)
		return call_fail(call, l->status == LISTENER_DELETING ? "ServiceIsStopping"
								      : "ServiceIsConfiguring");
	if (r == 0)
		call_put(call, KIND_LISTENER, &row);
	return 0;
}

int slb_listener_start(struct call *call)
{
	return move(call, EVENT_ENABLE);
}

int slb_listener_stop(struct call *call)
{
	return move(call, EVENT_DISABLE);
}

/* Its server group goes with it. */
int slb_listener_delete(struct call *call)
{
	const struct server_group *group;
	const struct listener *l;
	struct server_group settings;
	struct listener row;
	int r;

	r = find_named(call, &l);
	if (r < 0)
		return r;
	row = *l;
	if (listener_event(&row, EVENT_DELETE) < 0)
		return 0;
	call_put(call, KIND_LISTENER, &row);
	group = snapshot_server_group(call->rows, l->server_group);
	if (!group)
		return 0;
	settings = *group;
	if (server_group_event(&settings, EVENT_DELETE) == 0)
		call_put(call, KIND_SERVER_GROUP, &settings);
	return 0;
}
