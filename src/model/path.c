/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See path.h. Hops are added in the order in which a packet meets them, so the first broken one that is added
 * is the cause. A shared hop that is broken makes those behind it only wait: they are not told as broken for
 * the same reason.
 */
#include "path_build.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "reason_shown.h"
#include "state.h"

const struct path_code_info *path_code_info(enum path_code code)
{
	static const struct path_code_info infos[] = {
#define PATH_CODE_INFO(name, state, turn, text) {#name, PATH_##state, PATH_TURN_##turn, text},
		PATH_CODES(PATH_CODE_INFO)
#undef PATH_CODE_INFO
	};

	return &infos[code];
}

static const char *kind_name(enum path_kind kind)
{
	static const char *const names[] = {
#define PATH_KIND_NAME(name) #name,
		PATH_KINDS(PATH_KIND_NAME)
#undef PATH_KIND_NAME
	};

	return names[kind];
}

void path_append(char *text, size_t size, const char *format, ...)
{
	size_t length = strlen(text);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text + length, size - length, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= size - length)
		text[length] = '\0';
}

void path_service_words(const struct path_builder *b, char *ret, size_t size)
{
	if (streq(b->path->protocol, "ICMP"))
		(void)str_copy(ret, size, "ping");
	else if (b->path->port)
		(void)str_format(ret, size, "%s %u", b->path->protocol, b->path->port);
	else
		(void)str_copy(ret, size, b->path->protocol);
}

/* ---- hops ---- */

bool path_sees_consumer(const struct path_question *question)
{
	return question->endpoint->owner == question->viewer;
}

bool path_sees_provider(const struct path_question *question)
{
	const struct service *service = snapshot_service(question->rows, question->endpoint->service);

	return service &&
	       (service->owner == question->viewer || (service->owner == 0 && question->viewer_is_admin));
}

static bool is_callers(const struct path_builder *b, enum path_turn turn)
{
	return (turn == PATH_TURN_CONSUMER && b->sees_consumer) ||
	       (turn == PATH_TURN_PROVIDER && b->sees_provider);
}

/* The first broken hop that is seen. */
static void note_cause(struct path_builder *b, const struct path_code_info *info)
{
	struct path *path = b->path;

	b->wants_fix = false;
	if (info->state != PATH_BROKEN || path->cause >= 0)
		return;
	path->cause = (int)path->n_hops - 1;
	b->wants_fix = is_callers(b, info->turn);
	path->turn = b->wants_fix ? PATH_TURN_CALLER : info->turn;
}

static void link_tails(struct path_builder *b, uint16_t to)
{
	struct path *path = b->path;

	for (size_t i = 0; i < b->n_tails; i++) {
		assert(path->n_links < ARRAY_SIZE(path->links));
		path->links[path->n_links].from = b->tails[i];
		path->links[path->n_links++].to = to;
	}
	b->tails[0] = to;
	b->n_tails = 1;
}

struct path_hop *path_add(struct path_builder *b, enum path_kind kind, const char *zone, enum path_code code,
			  const char *resource, const char *format, ...)
{
	const struct path_code_info *info = path_code_info(code);
	struct path *path = b->path;
	struct path_hop *hop;
	va_list ap;

	if (b->is_folded) {
		b->folded = MAX(b->folded, info->state);
		b->wants_fix = false;
		return &b->unseen;
	}
	assert(path->n_hops < ARRAY_SIZE(path->hops));
	hop = &path->hops[path->n_hops++];
	hop->kind = kind;
	hop->code = code;
	(void)str_copy(hop->resource, sizeof(hop->resource), resource);
	(void)str_copy(hop->zone, sizeof(hop->zone), zone);
	(void)str_format(hop->id, sizeof(hop->id), "%s%s%s", kind_name(kind), *zone ? "/" : "", zone);
	va_start(ap, format);
	(void)vsnprintf(hop->text, sizeof(hop->text), format, ap);
	va_end(ap);
	note_cause(b, info);
	link_tails(b, (uint16_t)(path->n_hops - 1));
	return hop;
}

/* ---- fixes ---- */

static const char *version_of(const char *product)
{
	static const char *const versions[][2] = {
		{"ecs", "2014-05-26"},
		{"nlb", "2022-04-30"},
		{"privatelink", "2020-04-15"},
		{"slb", "2014-05-15"},
	};
	size_t i = 0;

	while (!streq(versions[i][0], product))
		i++;
	return versions[i][1];
}

void path_fix(struct path_builder *b, const char *product, const char *action, const char *region,
	      const char *format, ...)
{
	struct path_fix *fix = &b->path->fix;
	va_list ap;

	if (!b->wants_fix)
		return;
	fix->product = product;
	fix->version = version_of(product);
	fix->action = action;
	(void)str_copy(fix->region, sizeof(fix->region), region);
	va_start(ap, format);
	(void)vsnprintf(fix->text, sizeof(fix->text), format, ap);
	va_end(ap);
}

void path_fix_parameter(struct path_builder *b, const char *name, const char *format, ...)
{
	struct path_fix *fix = &b->path->fix;
	struct path_parameter *parameter;
	va_list ap;

	if (!b->wants_fix)
		return;
	assert(fix->n_parameters < ARRAY_SIZE(fix->parameters));
	parameter = &fix->parameters[fix->n_parameters++];
	(void)str_copy(parameter->name, sizeof(parameter->name), name);
	va_start(ap, format);
	(void)vsnprintf(parameter->value, sizeof(parameter->value), format, ap);
	va_end(ap);
}

/* ---- the instance ---- */

static enum path_code instance_code(const struct path_builder *b, const struct instance *instance)
{
	switch (instance->status) {
	case INSTANCE_STOPPING:
	case INSTANCE_STOPPED:
		return PATH_InstanceStopped;
	case INSTANCE_DELETING:
		return PATH_InstanceDeleting;
	default:
		break;
	}
	if (!streq(instance->vpc, b->question->endpoint->vpc))
		return PATH_InstanceInOtherVpc;
	if (*instance->failure)
		return PATH_InstanceFailed;
	return instance->status == INSTANCE_RUNNING ? PATH_InstanceRunning : PATH_InstanceStarting;
}

static void add_instance(struct path_builder *b, const struct instance *instance)
{
	enum path_code code = instance_code(b, instance);
	const struct port *port = snapshot_port(b->rows, instance->port);
	char addr[NETADDR_TEXT_SIZE] = "";

	if (port)
		netaddr_format(&port->addr, addr);
	if (code == PATH_InstanceInOtherVpc)
		(void)path_add(
			b, PATH_KIND_Instance, "", code, instance->id,
			"%s is in %s, the endpoint in %s: an endpoint is reached from its own VPC only.",
			instance->id, instance->vpc, b->question->endpoint->vpc);
	else if (*instance->failure)
		(void)path_add(b, PATH_KIND_Instance, "", code, instance->id, "%s, %s: %s", instance->id,
			       enum_name(instance_status_names, instance->status), instance->failure);
	else
		(void)path_add(b, PATH_KIND_Instance, "", code, instance->id, "%s (%s) is %s.", instance->id,
			       addr, enum_name(instance_status_names, instance->status));
	if (instance->status == INSTANCE_STOPPED) {
		path_fix(b, "ecs", "StartInstance", instance->region, "Start the instance %s.", instance->id);
		path_fix_parameter(b, "InstanceId", "%s", instance->id);
	}
}

static void add_node(struct path_builder *b, const struct instance *instance)
{
	static const struct {
		enum path_code code;
		const char *words;
	} states[] = {
		[PATH_NODE_REPORTS] = {PATH_NodeReports, "reports"},
		[PATH_NODE_LOST] = {PATH_NodeLost, "does not report: it, or its agent, is down"},
		[PATH_NODE_HOLDS] = {PATH_NodeHolds, "holds what was in force before, and takes nothing new"},
		[PATH_NODE_UNKNOWN] = {PATH_NodeUnknown, "has not reported since privlinkd started"},
	};
	enum path_node state;

	if (!b->question->node || !*instance->node)
		return;
	state = b->question->node(b->question->node_context, instance->node);
	(void)path_add(b, PATH_KIND_Node, "", states[state].code, instance->node, "The node %s of %s %s.",
		       instance->node, instance->id, states[state].words);
}

/* ---- names and ENIs ---- */

static const struct netaddr *shown_address(const struct endpoint_zone *zone)
{
	return endpoint_zone_shows_replaced(zone) ? &zone->replaced_addr : &zone->addr;
}

static bool is_in_force(const struct endpoint_zone *zone)
{
	return (zone->status == ZONE_CONNECTED || zone->status == ZONE_MIGRATING ||
		zone->status == ZONE_MIGRATED) &&
	       !netaddr_is_zero(shown_address(zone));
}

/* Of each zone whether names lead to it, as the plan has it: where none answers, all are named. */
static size_t find_named(struct path_builder *b, bool ret[ENDPOINT_ZONES_MAX])
{
	const struct path_question *question = b->question;
	bool some_answer = false;
	size_t n = 0;

	for (size_t i = 0; i < question->n_zones; i++) {
		ret[i] = is_in_force(question->zones[i].row) && path_zone_answers(b, question->zones[i].row);
		some_answer |= ret[i];
	}
	for (size_t i = 0; i < question->n_zones; i++) {
		ret[i] = some_answer ? ret[i] : is_in_force(question->zones[i].row);
		n += ret[i];
	}
	return n;
}

static void add_name(struct path_builder *b, const bool *is_named, size_t n_named)
{
	const struct path_question *question = b->question;
	enum path_code code = n_named == 0		    ? PATH_NameEmpty
			      : n_named < question->n_zones ? PATH_NameAnswersSome
							    : PATH_NameAnswers;
	char addrs[256] = "";

	if (question->is_planned) {
		(void)path_add(b, PATH_KIND_Name, "", PATH_NamePlanned, "",
			       "The endpoint's name comes with it.");
		return;
	}
	for (size_t i = 0; i < question->n_zones; i++) {
		char addr[NETADDR_TEXT_SIZE];

		if (!is_named[i])
			continue;
		netaddr_format(shown_address(question->zones[i].row), addr);
		path_append(addrs, sizeof(addrs), "%s%s", *addrs ? ", " : "", addr);
	}
	if (code == PATH_NameEmpty)
		(void)path_add(b, PATH_KIND_Name, "", code, question->endpoint->domain,
			       "%s has no address: no zone is in force.", question->endpoint->domain);
	else
		(void)path_add(b, PATH_KIND_Name, "", code, question->endpoint->domain, "%s is %s.",
			       question->endpoint->domain, addrs);
}

static enum path_code eni_code(const struct path_builder *b, const struct endpoint_zone *zone, bool is_named)
{
	if (b->question->is_planned)
		return PATH_EniPlanned;
	if (!snapshot_port(b->rows, endpoint_zone_shows_replaced(zone) ? zone->replaced_port : zone->port))
		return PATH_EniMissing;
	if (zone->status == ZONE_CREATING)
		return PATH_EniCreating;
	return is_in_force(zone) && !is_named ? PATH_EniNotInName : PATH_EniInForce;
}

static void add_eni(struct path_builder *b, const struct path_zone *of, bool is_named)
{
	const struct endpoint_zone *zone = of->row;
	enum path_code code = eni_code(b, zone, is_named);
	const char *id = endpoint_zone_shows_replaced(zone) ? zone->replaced_port : zone->port;
	char addr[NETPREFIX_TEXT_SIZE];

	if (code == PATH_EniPlanned) {
		netprefix_format(&of->where, addr);
		(void)path_add(b, PATH_KIND_EndpointZone, zone->zone, code, "", "An ENI in %s (%s).",
			       zone->vswitch, addr);
		return;
	}
	netaddr_format(shown_address(zone), addr);
	if (code == PATH_EniMissing)
		(void)path_add(b, PATH_KIND_EndpointZone, zone->zone, code, id,
			       "The ENI %s of the zone %s is missing.", id, zone->zone);
	else if (code == PATH_EniCreating)
		(void)path_add(b, PATH_KIND_EndpointZone, zone->zone, code, id,
			       "The ENI %s (%s) is being made; the nodes have not reported it yet.", id,
			       addr);
	else
		(void)path_add(b, PATH_KIND_EndpointZone, zone->zone, code, id, "The ENI %s has %s%s.", id,
			       addr,
			       code == PATH_EniNotInName
				       ? ", which is kept out of the name while nothing answers behind it"
				       : "");
}

/* ---- endpoint, connection, service ---- */

const char *path_reason(const struct path_builder *b, const char *reason)
{
	return reason_for(b->rows, b->question->viewer, reason);
}

static enum path_code endpoint_code(const struct path_question *question)
{
	const struct endpoint *endpoint = question->endpoint;

	if (question->is_planned)
		return question->n_zones ? PATH_EndpointPlanned : PATH_EndpointWithoutZones;
	if (endpoint->status == ENDPOINT_DELETING)
		return PATH_EndpointDeleting;
	if (*endpoint->failure)
		return PATH_EndpointFailed;
	if (question->n_zones == 0)
		return PATH_EndpointWithoutZones;
	if (endpoint->status == ENDPOINT_CREATING)
		return PATH_EndpointCreating;
	return endpoint->status == ENDPOINT_ACTIVE ? PATH_EndpointActive : PATH_EndpointChanging;
}

static void add_endpoint(struct path_builder *b)
{
	const struct endpoint *endpoint = b->question->endpoint;
	enum path_code code = endpoint_code(b->question);
	const char *id = b->question->is_planned ? "" : endpoint->id;

	if (!b->sees_consumer)
		(void)path_add(b, PATH_KIND_Account, "", PATH_AccountKnown, "",
			       "The endpoint belongs to the account %lld.", (long long)endpoint->owner);
	if (code == PATH_EndpointFailed)
		(void)path_add(b, PATH_KIND_Endpoint, "", code, id, "%s is not in force: %s.", id,
			       path_reason(b, endpoint->failure));
	else if (code == PATH_EndpointWithoutZones)
		(void)path_add(b, PATH_KIND_Endpoint, "", code, id,
			       "%s has no zone, and so no address: add one.", *id ? id : "The endpoint");
	else if (code == PATH_EndpointPlanned)
		(void)path_add(b, PATH_KIND_Endpoint, "", code, id, "The endpoint is not made yet.");
	else
		(void)path_add(b, PATH_KIND_Endpoint, "", code, id, "%s is %s.", id,
			       enum_name(endpoint_status_names, endpoint->status));
}

static enum path_code connection_code(const struct path_builder *b)
{
	const struct connection *connection = b->question->connection;

	if (!connection)
		return PATH_ConnectionMissing;
	if (b->question->is_planned)
		return connection->waiting ? PATH_ConnectionWillWait : PATH_ConnectionWillConnect;
	if (connection->waiting)
		return PATH_ConnectionWaiting;
	switch (connection->status) {
	case CONNECTION_PENDING:
	case CONNECTION_CONNECTED:
		return PATH_Connected;
	case CONNECTION_CONNECTING:
		return PATH_ConnectionConnecting;
	case CONNECTION_DISCONNECTING:
		return PATH_ConnectionDisconnecting;
	case CONNECTION_DISCONNECTED:
		return PATH_ConnectionRefused;
	case CONNECTION_DELETING:
		return PATH_ConnectionDeleting;
	case CONNECTION_SERVICE_DELETED:
		return PATH_ConnectionServiceDeleted;
	}
	return PATH_ConnectionMissing;
}

static void fix_connection(struct path_builder *b)
{
	const struct endpoint *endpoint = b->question->endpoint;

	if (!b->service)
		return;
	path_fix(b, "privatelink", "EnableVpcEndpointConnection", b->service->region,
		 "Accept the connection of %s.", endpoint->id);
	path_fix_parameter(b, "EndpointId", "%s", endpoint->id);
	path_fix_parameter(b, "ServiceId", "%s", b->service->id);
}

static void add_connection(struct path_builder *b)
{
	enum path_code code = connection_code(b);
	const char *service = b->question->endpoint->service, *id = b->question->endpoint->id;
	char since[TIME_TEXT_SIZE] = "";

	if (b->question->connection)
		time_format(b->question->connection->modified_time, since);
	switch (code) {
	case PATH_ConnectionWaiting:
		(void)path_add(b, PATH_KIND_Connection, "", code, id,
			       "Waiting since %s: the provider of %s has to accept the connection of %s.",
			       since, service, id);
		fix_connection(b);
		break;
	case PATH_ConnectionRefused:
		(void)path_add(b, PATH_KIND_Connection, "", code, id,
			       "Refused or cut by the provider of %s, %s: only the provider can accept it.",
			       service, since);
		fix_connection(b);
		break;
	default:
		(void)path_add(b, PATH_KIND_Connection, "", code, b->question->is_planned ? "" : id,
			       "To %s: %s.", service, path_code_info(code)->text);
		break;
	}
}

static void add_service(struct path_builder *b)
{
	enum path_code code = !b->service			       ? PATH_ServiceMissing
			      : b->service->status == SERVICE_DELETING ? PATH_ServiceDeleting
								       : PATH_ServiceActive;

	(void)path_add(b, PATH_KIND_Service, "", code, b->question->endpoint->service, "%s (%s): %s.",
		       b->question->endpoint->service, b->question->endpoint->service_name,
		       path_code_info(code)->text);
}

/* ---- the order of it all ---- */

/* Ways that part and meet again: where they begin, and their ends so far. */
struct fork {
	uint16_t start, ends[ENDPOINT_ZONES_MAX];
	bool has_start;
	size_t n_ends;
};

static struct fork fork_begin(const struct path_builder *b)
{
	return (struct fork){.start = b->tails[0], .has_start = b->n_tails > 0};
}

static void fork_next(struct path_builder *b, const struct fork *fork)
{
	b->tails[0] = fork->start;
	b->n_tails = fork->has_start;
}

static void fork_keep(const struct path_builder *b, struct fork *fork)
{
	fork->ends[fork->n_ends++] = b->tails[0];
}

static void fork_end(struct path_builder *b, const struct fork *fork)
{
	if (fork->n_ends == 0)
		return;
	memcpy(b->tails, fork->ends, fork->n_ends * sizeof(fork->ends[0]));
	b->n_tails = fork->n_ends;
}

static void add_consumer_side(struct path_builder *b)
{
	const struct path_question *question = b->question;
	bool is_named[ENDPOINT_ZONES_MAX] = {false};
	size_t n_named = find_named(b, is_named);
	struct fork fork;

	if (question->instance) {
		add_instance(b, question->instance);
		add_node(b, question->instance);
	}
	add_name(b, is_named, n_named);
	fork = fork_begin(b);
	for (size_t i = 0; i < question->n_zones; i++) {
		fork_next(b, &fork);
		path_group_out(b, &question->zones[i]);
		add_eni(b, &question->zones[i], is_named[i]);
		path_group_in(b, &question->zones[i]);
		fork_keep(b, &fork);
	}
	fork_end(b, &fork);
}

static void add_provider_side(struct path_builder *b)
{
	const struct path_question *question = b->question;
	struct fork fork = fork_begin(b);

	for (size_t i = 0; i < question->n_zones; i++) {
		fork_next(b, &fork);
		path_behind(b, &question->zones[i]);
	}
}

/* An ENI answers ping by itself. */
static bool goes_on(const struct path_builder *b)
{
	return !streq(b->path->protocol, "ICMP");
}

static void settle(struct path_builder *b)
{
	const struct path_question *question = b->question;
	struct path *path = b->path;
	enum path_state shared = PATH_OK;
	size_t n_broken = 0;

	for (size_t i = 0; i < path->n_hops; i++)
		if (!*path->hops[i].zone)
			shared = MAX(shared, path_code_info(path->hops[i].code)->state);
	for (size_t i = 0; i < question->n_zones; i++) {
		struct path_zone_state *zone = &path->zones[path->n_zones++];

		(void)str_copy(zone->zone, sizeof(zone->zone), question->zones[i].row->zone);
		zone->state = shared;
		for (size_t j = 0; j < path->n_hops; j++)
			if (streq(path->hops[j].zone, zone->zone))
				zone->state = MAX(zone->state, path_code_info(path->hops[j].code)->state);
		n_broken += zone->state == PATH_BROKEN;
	}
	if (n_broken == 0 && shared != PATH_BROKEN)
		path->verdict = PATH_REACHABLE;
	else
		path->verdict = n_broken < path->n_zones ? PATH_PARTIAL : PATH_UNREACHABLE;
}

static void read_protocol(struct path_builder *b)
{
	const struct path_question *question = b->question;

	(void)str_copy(b->path->protocol, sizeof(b->path->protocol),
		       question->protocol ? question->protocol : "TCP");
	b->path->port = question->port;
	if (goes_on(b) && !b->path->port)
		b->path->port = path_first_port(b, b->path->protocol);
}

int path_find(const struct path_question *question, struct path **ret)
{
	const struct instance *instance = question->instance;
	struct path_builder b = {.question = question,
				 .rows = question->rows,
				 .service = snapshot_service(question->rows, question->endpoint->service)};

	b.path = calloc(1, sizeof(*b.path));
	if (!b.path)
		return -ENOMEM;
	b.path->cause = -1;
	b.sees_consumer = path_sees_consumer(question);
	b.sees_provider = path_sees_provider(question);
	if (instance && streq(instance->vpc, question->endpoint->vpc))
		b.port = snapshot_port(question->rows, instance->port);
	read_protocol(&b);

	if (b.sees_consumer)
		add_consumer_side(&b);
	add_endpoint(&b);
	if (goes_on(&b)) {
		add_connection(&b);
		add_service(&b);
		add_provider_side(&b);
	}
	settle(&b);
	b.path->n_rows = (size_t)b.n_rules + b.n_servers + b.n_answers;
	*ret = b.path;
	return 0;
}

int path_question_endpoint(struct path_question *question, const char *endpoint)
{
	question->endpoint = snapshot_endpoint(question->rows, endpoint);
	if (!question->endpoint)
		return -ENOENT;
	question->connection = snapshot_connection(question->rows, endpoint);
	question->n_zones = 0;
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(question->rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint, z));) {
		struct path_zone *zone = &question->zones[question->n_zones];

		if (z->status == ZONE_DELETING || question->n_zones == ARRAY_SIZE(question->zones))
			continue;
		*zone = (struct path_zone){.row = z, .where = {*shown_address(z), 128}};
		question->n_zones++;
	}
	return 0;
}
