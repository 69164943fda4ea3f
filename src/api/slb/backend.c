/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers of classic load balancers. Each is a row in the load balancer's own group, which says that it
 * is one, and a row in the group of each listener, with that one's port; they come, change and go together,
 * in one transaction. So a call can name only so many servers as, with all the listeners, fit one.
 */
#include "../../model/check.h"
#include "../../model/serving.h"
#include "../common/balancer.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "actions.h"

const struct server *slb_backend_in(const struct call *call, const char *group, const char *server_id)
{
	char prefix[KEY_SIZE];

	/* No id has ID_SIZE characters. */
	if (str_format(prefix, sizeof(prefix), "%s/%.*s/", group, ID_SIZE, server_id) < 0 ||
	    strchr(prefix + strlen(group) + 1, '/') != prefix + strlen(prefix) - 1)
		return NULL;
	return snapshot_next(call->rows, KIND_SERVER, prefix, NULL);
}

static void answer_type(json_t *item, const struct server *server)
{
	char word[WORD_SIZE];

	slb_lower(server->type, word);
	answer_string(item, "Type", word);
}

void slb_backend_answer_in(json_t *list, const struct server *server)
{
	json_t *item = shape_item(list);

	answer_row(item, slb_backend_entry, KIND_SERVER, server);
	answer_type(item, server);
}

/* How many rows a server of the load balancer is. */
static size_t rows_of_each(const struct call *call, const struct load_balancer *lb)
{
	return 1 + snapshot_count_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id);
}

/* The interface is in no more groups than its instance's deletion can take it out of. */
static int check_on_port(struct call *call, const struct server *row, size_t n_added)
{
	if (snapshot_count_children(call->rows, REF_SERVER_PORT_ID, row->port_id) + n_added >
	    SERVERS_PER_PORT_MAX)
		return call_fail_detail(call, "QuotaExceeded.ServersNum",
					"%s is behind as many listeners as are allowed.", row->server_id);
	return 0;
}

static int check_shares(struct call *call, const struct load_balancer *lb, size_t n_rows, size_t n_places)
{
	int r = quota_check_share(call, lb->owner, QUOTA_ALL_SERVERS, 0, n_rows);

	return r < 0 || !n_places ? r : quota_check_share(call, lb->owner, QUOTA_ALL_PLACES, 0, n_places);
}

/* More servers take more places behind each listener. */
static int check_added(struct call *call, const struct load_balancer *lb, size_t n_added)
{
	size_t n_places = 0;

	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id, l));)
		n_places += balancer_places_added(call->rows, l->server_group, n_added, NULL);
	return check_shares(call, lb, n_added * rows_of_each(call, lb), n_places);
}

static void put_in_group(struct call *call, const struct listener *listener, const struct server *server)
{
	struct server row = *server;

	row.meta = (struct row_meta){};
	row.status = SERVER_ADDING;
	row.port = listener->backend_port;
	(void)str_copy(row.group, sizeof(row.group), listener->server_group);
	call_put(call, KIND_SERVER, &row);
}

int slb_backends_copy(struct call *call, const struct load_balancer *lb, const struct listener *listener)
{
	size_t n = snapshot_count_children(call->rows, REF_SERVER_GROUP, lb->server_group);

	if (n && check_shares(call, lb, n, lb->n_zones * serving_places(n)) < 0)
		return -EBADMSG;
	for (const struct server *s = NULL;
	     (s = snapshot_children(call->rows, REF_SERVER_GROUP, lb->server_group, s));) {
		if (s->status == SERVER_REMOVING)
			continue;
		if (check_on_port(call, s, 1) < 0)
			return -EBADMSG;
		put_in_group(call, listener, s);
	}
	return 0;
}

/* The servers that a call names, as it leaves them. */
struct named {
	struct server rows[BACKENDS_PER_CALL_MAX];
	size_t n;
};

static const struct server *find_named(const struct named *named, const char *server_id)
{
	for (size_t i = 0; i < named->n; i++)
		if (streq(named->rows[i].server_id, server_id))
			return &named->rows[i];
	return NULL;
}

/* The load balancer's servers after the call. */
static void answer_servers(struct call *call, const struct load_balancer *lb, const struct named *named)
{
	json_t *list;

	answer_row(call->answer, call->action->answer, KIND_LOAD_BALANCER, lb);
	list = answer_list(call->answer, call->action->answer, "BackendServers");
	for (const struct server *s = NULL;
	     (s = snapshot_children(call->rows, REF_SERVER_GROUP, lb->server_group, s));)
		if (s->status != SERVER_REMOVING && !find_named(named, s->server_id))
			slb_backend_answer_in(list, s);
	for (size_t i = 0; i < named->n; i++)
		if (named->rows[i].status != SERVER_REMOVING)
			slb_backend_answer_in(list, &named->rows[i]);
}

static int read_settings(struct call *call, const json_t *object, struct server *row)
{
	const json_t *weight = json_object_get(object, "Weight");
	const char *text = member_string(object, "Description");

	if (weight)
		row->weight = (uint32_t)json_integer_value(weight);
	if (text && text[0] && !check_description(text))
		return call_fail_param(call, "BackendServers",
				       "A description must have 2 to 256 characters.");
	if (text && str_copy(row->description, sizeof(row->description), text) < 0)
		return call_fail_param(call, "BackendServers",
				       "A description must have 2 to 256 characters.");
	return 0;
}

/* The interface that the entry names; the beginning of the id tells, where no type is given. */
static int find_port(struct call *call, const json_t *object, const char *id, struct server *row,
		     const struct port **ret)
{
	const char *type = member_string(object, "Type");
	const struct instance *instance;

	if (type ? streq(type, "eni") : str_starts(id, "eni-")) {
		(void)str_copy(row->type, sizeof(row->type), "Eni");
		*ret = owned_port(call, id);
		return *ret ? 0 : call_fail(call, "ResourceNotFound.Eni");
	}
	(void)str_copy(row->type, sizeof(row->type), "Ecs");
	instance = owned_instance(call, id);
	*ret = instance ? snapshot_port(call->rows, instance->port) : NULL;
	return *ret ? 0 : call_fail(call, "InvalidInstanceId.NotFound");
}

static int read_server(struct call *call, const struct load_balancer *lb, const json_t *object,
		       struct server *ret)
{
	const char *id = member_string(object, "ServerId"), *address = member_string(object, "ServerIp");
	char text[NETADDR_TEXT_SIZE];
	const struct port *port;
	int r;

	*ret = (struct server){.weight = 100, .status = SERVER_ADDING};
	(void)str_copy(ret->group, sizeof(ret->group), lb->server_group);
	if (str_copy(ret->server_id, sizeof(ret->server_id), id) < 0)
		return call_fail(call, "InvalidInstanceId.NotFound");
	r = find_port(call, object, id, ret, &port);
	if (r < 0)
		return r;
	r = server_place(call, lb->vpc, port, ret);
	if (r == -EXDEV)
		return call_fail(call, "Mismatch.VpcId");
	if (r < 0)
		return call_fail(call, "IncorrectStatus.Eni");
	netaddr_format(&ret->addr, text);
	if (address && !streq(address, text))
		return call_fail_param(call, "BackendServers", "ServerIp is not the server's address.");
	return read_settings(call, object, ret);
}

/* One address is one server, whatever names it. */
static int check_new(struct call *call, const struct load_balancer *lb, const struct server *row)
{
	for (const struct server *s = NULL;
	     (s = snapshot_children(call->rows, REF_SERVER_GROUP, lb->server_group, s));)
		if (netaddr_compare(&s->addr, &row->addr) == 0)
			return call_fail(call, s->status == SERVER_REMOVING ? "BackendServer.configuring"
									    : "BackendServer.Exist");
	return check_on_port(call, row, rows_of_each(call, lb));
}

static int check_quota(struct call *call, const struct load_balancer *lb, size_t n, size_t n_added)
{
	if (snapshot_count_children(call->rows, REF_SERVER_GROUP, lb->server_group) + n_added >
	    BACKENDS_PER_BALANCER_MAX)
		return call_fail(call, "QuotaExceeded.ServersNum");
	if (n * rows_of_each(call, lb) > BACKEND_ROWS_PER_CALL_MAX)
		return call_fail_detail(call, "QuotaExceeded.ServersNum",
					"With this many listeners, name at most %zu servers in one call.",
					BACKEND_ROWS_PER_CALL_MAX / rows_of_each(call, lb));
	return n_added ? check_added(call, lb, n_added) : 0;
}

static bool is_named_address(const struct named *named, const struct netaddr *addr)
{
	for (size_t i = 0; i < named->n; i++)
		if (netaddr_compare(&named->rows[i].addr, addr) == 0)
			return true;
	return false;
}

/* What is named twice is one server. */
static int read_servers(struct call *call, const struct load_balancer *lb, struct named *ret)
{
	json_t *list = call_list(call, "BackendServers"), *object;
	size_t i;

	json_array_foreach(list, i, object) {
		int r = read_server(call, lb, object, &ret->rows[ret->n]);

		if (r < 0)
			return r;
		if (is_named_address(ret, &ret->rows[ret->n].addr))
			continue;
		r = check_new(call, lb, &ret->rows[ret->n]);
		if (r < 0)
			return r;
		ret->n++;
	}
	return check_quota(call, lb, ret->n, ret->n);
}

int slb_backend_add(struct call *call)
{
	const struct load_balancer *lb;
	struct named named = {};
	int r;

	r = slb_find_living(call, &lb);
	if (r == 0)
		r = read_servers(call, lb, &named);
	if (r < 0)
		return r;
	for (size_t i = 0; i < named.n; i++) {
		call_put(call, KIND_SERVER, &named.rows[i]);
		for (const struct listener *l = NULL;
		     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id, l));)
			if (l->status != LISTENER_DELETING)
				put_in_group(call, l, &named.rows[i]);
	}
	answer_servers(call, lb, &named);
	return 0;
}

/* Moves the server's row in a group, and gives it what the call says of it. 0: it is changed; -EALREADY: it
 * stays as it is; or the call fails. */
static int change_row(struct call *call, const struct server *server, enum state_event event,
		      const json_t *object, struct server *ret)
{
	int r;

	*ret = *server;
	r = server_event(ret, event);
	if (event == EVENT_DELETE)
		return r < 0 ? -EALREADY : 0; /* one that cannot be removed is on its way out */
	if (r == -EPERM)
		return call_fail(call, "BackendServer.configuring");
	return read_settings(call, object, ret);
}

/* Changes a server of the load balancer, in its own group and in those of the listeners. */
static int change_server(struct call *call, const struct load_balancer *lb, const struct server *server,
			 enum state_event event, const json_t *object, struct server *ret)
{
	struct server row;
	int r;

	r = change_row(call, server, event, object, ret);
	if (r < 0)
		return r == -EALREADY ? 0 : r;
	call_put(call, KIND_SERVER, ret);
	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id, l));) {
		const struct server *s = slb_backend_in(call, l->server_group, server->server_id);

		if (!s || l->status == LISTENER_DELETING)
			continue;
		r = change_row(call, s, event, object, &row);
		if (r == 0)
			call_put(call, KIND_SERVER, &row);
		else if (r != -EALREADY)
			return r;
	}
	return 0;
}

/* `not_found`: the code for a server that the load balancer has not; NULL: it is passed over. */
static int change(struct call *call, enum state_event event, const char *not_found)
{
	json_t *list = call_list(call, "BackendServers"), *object;
	const struct load_balancer *lb;
	struct named named = {};
	size_t i;
	int r;

	r = slb_find_living(call, &lb);
	if (r == 0)
		r = check_quota(call, lb, json_array_size(list), 0);
	if (r < 0)
		return r;
	json_array_foreach(list, i, object) {
		const char *id = member_string(object, "ServerId");
		const struct server *server = slb_backend_in(call, lb->server_group, id);

		if (!server && not_found)
			return call_fail(call, not_found);
		if (!server || find_named(&named, id))
			continue;
		r = change_server(call, lb, server, event, object, &named.rows[named.n++]);
		if (r < 0)
			return r;
	}
	answer_servers(call, lb, &named);
	return 0;
}

int slb_backend_remove(struct call *call)
{
	return change(call, EVENT_DELETE, NULL);
}

int slb_backend_set(struct call *call)
{
	return change(call, EVENT_MODIFY, "BackendServer.NotFound");
}

/* What the nodes found out, while the listener has them look. */
static const char *health_word(const struct call *call, const struct listener *listener,
			       const struct server_group *group, const struct server *server)
{
	const struct server_health *health = serving_health(call->rows, server);
	bool runs = listener->status == LISTENER_RUNNING || listener->status == LISTENER_CONFIGURING;

	if (!runs || !serving_is_probed(group) || !health)
		return "unavailable";
	return health->healthy ? "normal" : "abnormal";
}

static void answer_health(struct call *call, json_t *list, const struct listener *listener)
{
	const struct server_group *group = snapshot_server_group(call->rows, listener->server_group);
	const struct answer_field *field = answer_find(call->action->answer, "BackendServers");
	char protocol[WORD_SIZE];

	slb_lower(listener->protocol, protocol);
	for (const struct server *s = NULL;
	     group && (s = snapshot_children(call->rows, REF_SERVER_GROUP, group->id, s));) {
		json_t *item;

		call->n_rows++;
		if (s->status == SERVER_REMOVING)
			continue;
		item = answer_entry(list, field, KIND_LISTENER, listener);
		answer_row(item, field->members, KIND_SERVER, s);
		answer_type(item, s);
		answer_string(item, "Protocol", protocol);
		answer_string(item, "ServerHealthStatus", health_word(call, listener, group, s));
	}
}

int slb_health(struct call *call)
{
	int64_t port = call_int(call, "ListenerPort", 0);
	const struct load_balancer *lb;
	char protocol[WORD_SIZE];
	json_t *list;
	int r;

	r = slb_find(call, &lb);
	if (r < 0)
		return r;
	list = answer_list(call->answer, call->action->answer, "BackendServers");
	for (const struct listener *l = NULL;
	     (l = snapshot_children(call->rows, REF_LISTENER_LOAD_BALANCER, lb->id, l));) {
		slb_lower(l->protocol, protocol);
		if (l->status != LISTENER_DELETING && (!port || l->port == port) &&
		    filter_text(call, "ListenerProtocol", protocol))
			answer_health(call, list, l);
	}
	return 0;
}
