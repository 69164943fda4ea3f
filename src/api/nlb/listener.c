/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners: a port of a load balancer, and the server group behind it. No two listeners of a load balancer
 * have the same protocol and port: creating one also puts the load balancer's row, unchanged, so that of two
 * that want the same port the later one runs again and sees the first. What nothing reads is refused:
 * not_served.
 */
#include <strings.h>

#include "../../model/check.h"
#include "../../model/serving.h"
#include "../../model/state.h"
#include "../common/balancer.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/tags.h"
#include "actions.h"

#define IDLE_TIMEOUT_TCP_S 900
#define IDLE_TIMEOUT_UDP_S 20
#define MSS_MIN		   536 /* what every host takes (RFC 9293, 3.7.1) */

/* Parameters that are taken only if they ask for nothing, and what they would ask for. */
static const struct {
	const char *name, *what;
} not_served[] = {
	{"StartPort", "A listener has one port here."},
	{"EndPort", "A listener has one port here."},
	{"CaEnabled", "TLS is the servers' business here."},
	{"CertificateIds", "TLS is the servers' business here."},
	{"CaCertificateIds", "TLS is the servers' business here."},
	{"SecurityPolicyId", "TLS is the servers' business here."},
	{"AlpnEnabled", "TLS is the servers' business here."},
	{"AlpnPolicy", "TLS is the servers' business here."},
	{"SecSensorEnabled", "Seconds are not watched here."},
};

/* The group must fit the listener's load balancer and protocol. */
static int read_group(struct call *call, const struct load_balancer *lb, struct listener *row)
{
	const struct server_group *group =
		nlb_owned(call, KIND_SERVER_GROUP, call_string(call, "ServerGroupId"));

	if (!group || group->status == SERVER_GROUP_DELETING)
		return call_fail(call, "ResourceNotFound.serverGroup");
	if (!streq(group->vpc, lb->vpc))
		return call_fail(call, "Mismatch.VpcId");
	if (!streq(group->protocol, row->protocol))
		return call_fail(call, "Mismatch.Protocol");
	(void)str_copy(row->server_group, sizeof(row->server_group), group->id);
	return balancer_check_places(call, row->owner, group->id, 0, lb);
}

/* False, 0, nothing, and objects and lists of these. */
static bool asks_for_nothing(const json_t *value)
{
	const char *name;
	json_t *member;

	if (json_is_object(value))
		json_object_foreach((json_t *)value, name, member)
			if (!asks_for_nothing(member))
				return false;
	if (json_is_array(value))
		return json_array_size(value) == 0;
	return json_is_object(value) || json_is_false(value) ||
	       (json_is_integer(value) && !json_integer_value(value)) ||
	       (json_is_string(value) && !json_string_length(value));
}

static int check_served(struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_served); i++) {
		const json_t *value = json_object_get(call->params, not_served[i].name);

		if (value && !asks_for_nothing(value))
			return nlb_fail_value(call, not_served[i].name, "%s", not_served[i].what);
	}
	return 0;
}

static bool member_flag(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);

	return value ? json_is_true(value) : otherwise;
}

/* What is not said stays. What a header is to say is kept also while none is sent. */
static int read_proxy(struct call *call, struct listener *row)
{
	const json_t *config = json_object_get(call->params, "ProxyProtocolV2Config");

	row->proxy_protocol = call_bool(call, "ProxyProtocolEnabled", row->proxy_protocol);
	row->proxy_vpc_id = member_flag(config, "Ppv2VpcIdEnabled", row->proxy_vpc_id);
	row->proxy_endpoint_id = member_flag(config, "Ppv2PrivateLinkEpIdEnabled", row->proxy_endpoint_id);
	row->proxy_service_id = member_flag(config, "Ppv2PrivateLinkEpsIdEnabled", row->proxy_service_id);
	if (row->proxy_protocol && !streq(row->protocol, "TCP"))
		return nlb_fail_value(call, "ProxyProtocolEnabled",
				      "Only TCP connections get PROXY headers.");
	return 0;
}

static int read_mss(struct call *call, struct listener *row)
{
	uint32_t mss = (uint32_t)call_int(call, "Mss", row->mss);

	if (mss && mss < MSS_MIN)
		return nlb_fail_value(call, "Mss",
				      "It is 0, which leaves segments as they are, or here from %d on.",
				      MSS_MIN);
	if (mss && streq(row->protocol, "UDP"))
		return nlb_fail_value(call, "Mss", "UDP has no segments.");
	row->mss = mss;
	return 0;
}

static int read_settings(struct call *call, struct listener *row)
{
	const char *text = call_string(call, "ListenerDescription");
	int r;

	if (check_served(call) < 0)
		return -EBADMSG;
	if (nlb_read_description(call, "ListenerDescription", text, row->description) < 0)
		return -EBADMSG;
	row->idle_timeout_s = (uint32_t)call_int(call, "IdleTimeout", row->idle_timeout_s);
	row->cps = (uint32_t)call_int(call, "Cps", row->cps);
	r = read_proxy(call, row);
	return r < 0 ? r : read_mss(call, row);
}

static int check_port(struct call *call, const struct listener *row)
{
	size_t n = snapshot_count_children(call->rows, REF_LISTENER_LOAD_BALANCER, row->load_balancer);
	int r;

	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, row->load_balancer, l));)
		if (l->port == row->port && streq(l->protocol, row->protocol))
			return call_fail(call, "ResourceAlreadyExist.Listener");
	r = quota_check(call, call->account->uid, QUOTA_LISTENERS, n, 1);
	return r < 0 ? r : quota_check_share(call, call->account->uid, QUOTA_ALL_LISTENERS, 0, 1);
}

int listener_create(struct call *call)
{
	const struct load_balancer *lb =
		nlb_owned(call, KIND_LOAD_BALANCER, call_string(call, "LoadBalancerId"));
	bool udp = strcasecmp(call_string(call, "ListenerProtocol"), "UDP") == 0;
	struct listener row = {
		.owner = call->account->uid,
		.port = (uint32_t)call_int(call, "ListenerPort", 0),
		.idle_timeout_s = udp ? IDLE_TIMEOUT_UDP_S : IDLE_TIMEOUT_TCP_S,
		.status = LISTENER_PROVISIONING,
		.create_time = call->now,
	};
	int r;

	if (!lb)
		return call_fail(call, "ResourceNotFound.loadBalancer");
	if (lb->status == LB_DELETING)
		return call_fail(call, "IncorrectStatus.loadBalancer");
	if (row.port < 1 || row.port > 65535)
		return call_fail_named(call, "IllegalParam.{name}", "ListenerPort");
	(void)str_copy(row.load_balancer, sizeof(row.load_balancer), lb->id);
	(void)str_copy(row.region, sizeof(row.region), lb->region);
	(void)str_copy(row.protocol, sizeof(row.protocol), udp ? "UDP" : "TCP");
	r = read_group(call, lb, &row);
	if (r < 0)
		return r;
	r = read_settings(call, &row);
	if (r < 0)
		return r;
	r = check_port(call, &row);
	if (r < 0)
		return r;

	call_new_id(call, "lsn-", row.id);
	r = tags_create(call, row.id, "listener");
	if (r < 0)
		return r;
	call_put(call, KIND_LOAD_BALANCER, lb);
	return nlb_end(call, KIND_LISTENER, &row);
}

int listener_get(struct call *call)
{
	const void *l;
	int r;

	r = nlb_find(call, KIND_LISTENER, &l);
	if (r == 0)
		answer_object_row(call, call->answer, call->action->answer, KIND_LISTENER, l);
	return r;
}

static bool listener_there(const struct call *call, const void *row)
{
	return !balancer_is_classic(call, KIND_LISTENER, row);
}

static bool listener_wanted(const struct call *call, const void *row)
{
	const struct listener *l = row;

	return filter_list(call, "ListenerIds", l->id) &&
	       filter_list(call, "LoadBalancerIds", l->load_balancer) &&
	       filter_text(call, "ListenerProtocol", l->protocol) &&
	       !call_bool(call, "SecSensorEnabled", false) && tags_match(call, l->id);
}

int listener_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"ListenerIds", REF_COUNT_},
		{"LoadBalancerIds", REF_LISTENER_LOAD_BALANCER, true},
		{},
	};
	static const struct listing listing = {KIND_LISTENER, listener_wanted, .there = listener_there,
					       .filters = filters};

	return list_owned(call, &listing);
}

int listener_update(struct call *call)
{
	const struct load_balancer *lb;
	struct listener row;
	int r;

	r = nlb_begin(call, KIND_LISTENER, &row);
	if (r < 0)
		return r;
	lb = snapshot_load_balancer(call->rows, row.load_balancer);
	if (!lb)
		return call_fail(call, "ResourceNotFound.listener");
	if (call_string(call, "ServerGroupId")) {
		r = read_group(call, lb, &row);
		if (r < 0)
			return r;
	}
	r = read_settings(call, &row);
	return r < 0 ? r : nlb_end(call, KIND_LISTENER, &row);
}

/* Starts or stops it. */
static int change_state(struct call *call, enum state_event event)
{
	struct listener row;
	const void *l;
	int r;

	r = nlb_find(call, KIND_LISTENER, &l);
	if (r < 0)
		return r;
	r = nlb_move(call, KIND_LISTENER, l, event, &row);
	if (r < 0)
		return r;
	if (r > 0)
		call_put(call, KIND_LISTENER, &row);
	nlb_job(call, snapshot_id(l));
	return 0;
}

int listener_start(struct call *call)
{
	return change_state(call, EVENT_ENABLE);
}

int listener_stop(struct call *call)
{
	return change_state(call, EVENT_DISABLE);
}

int listener_delete(struct call *call)
{
	struct listener row;
	const void *l;
	int r;

	r = nlb_find(call, KIND_LISTENER, &l);
	if (r == 0)
		r = nlb_delete(call, KIND_LISTENER, l, &row);
	return MIN(r, 0);
}

/* How a server that is not healthy reads; NULL: it is healthy. A server that no node has probed yet is
 * Initial, and one that probes cannot tell anything of Unknown. */
static const char *health_word(const struct server *server, const struct server_health *health)
{
	if (server->weight == 0)
		return "Unused";
	if (!health)
		return "Initial";
	if (health->healthy)
		return *health->reason ? "Unknown" : NULL;
	return "Unhealthy";
}

/* The API tells a refused connect from others that failed as little as it does any of them. */
static const char *reason_code(const struct server_health *health)
{
	return streq(health->reason, "CONNECT_REFUSED") ? "CONNECT_FAILED" : health->reason;
}

static void answer_unhealthy(const struct call *call, json_t *list, const struct answer_field *field,
			     const struct server *server)
{
	const struct server_health *health = serving_health(call->rows, server);
	const char *word = health_word(server, health);
	json_t *item;

	if (!word)
		return;
	item = answer_entry(list, field, KIND_SERVER, server);
	answer_string(item, "Status", word);
	if (health && *health->reason)
		answer_string(shape_object(item, "Reason"), "ReasonCode", reason_code(health));
}

int listener_health(struct call *call)
{
	const struct listener *l = nlb_owned(call, KIND_LISTENER, call_string(call, "ListenerId"));
	const struct server_group *group = l ? snapshot_server_group(call->rows, l->server_group) : NULL;
	const struct answer_field *listeners = answer_find(call->action->answer, "ListenerHealthStatus"),
				  *infos = answer_find(listeners->members, "ServerGroupInfos"),
				  *servers = answer_find(infos->members, "NonNormalServers");
	json_t *item, *info, *list;

	if (!l)
		return call_fail(call, "ResourceNotFound.listener");
	answer_row(call->answer, call->action->answer, KIND_LISTENER, l);
	item = answer_entry(shape_list(call->answer, listeners->name), listeners, KIND_LISTENER, l);
	info = answer_entry(shape_list(item, infos->name), infos, KIND_LISTENER, l);
	answer_bool(info, "HeathCheckEnabled", group && group->health_enabled);
	list = shape_list(info, servers->name);
	if (!group || !group->health_enabled)
		return 0;
	call->n_rows += snapshot_count_children(call->rows, REF_SERVER_GROUP, group->id);
	for (const struct server *s = NULL;
	     (s = snapshot_children(call->rows, REF_SERVER_GROUP, group->id, s));)
		answer_unhealthy(call, list, servers, s);
	return 0;
}
