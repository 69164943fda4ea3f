/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists: every action that answers in pages is called with parameters at random, from one page to the last,
 * in a world of several accounts with random rows, and each answer is compared with what a walk of all rows
 * of the kind says, of every account, from the first to the last.
 *
 * The test stands in for what finds a list's rows and for what leaves rows out (see link_args in
 * meson.build), to walk all of them.
 */
#include "api/common/list_rows.h"
#include "api/common/tags.h"
#include "list_world.h"

#define TURNS 400 /* of each action */

/* ---- the plain walk ---- */

static bool is_plain;

int __real_list_rows_find(const struct call *call, struct list_rows *rows);
int __wrap_list_rows_find(const struct call *call, struct list_rows *rows);
int __wrap_list_rows_find(const struct call *call, struct list_rows *rows)
{
	if (!is_plain)
		return __real_list_rows_find(call, rows);
	harness_must(list_rows_fill(call, rows), "rows");
	rows->found.rows = call->rows;
	rows->found.kind = rows->listing->kind;
	rows->is_narrowed = rows->checks_base = true;
	rows->checks_filters = rows->listing->wanted;
	rows->checks_there = rows->listing->there;
	return walk_add_all(&rows->found);
}

const char *__real_page_from(const struct page *page);
const char *__wrap_page_from(const struct page *page);
const char *__wrap_page_from(const struct page *page)
{
	return is_plain ? "" : __real_page_from(page);
}

bool __real_page_is_done(const struct page *page);
bool __wrap_page_is_done(const struct page *page);
bool __wrap_page_is_done(const struct page *page)
{
	return !is_plain && __real_page_is_done(page);
}

/* ---- parameters at random ---- */

/* What a parameter names, by its name. */
static const struct {
	const char *param;
	enum kind kind;
} named[] = {
	{"VpcId", KIND_VPC},
	{"VSwitchId", KIND_VSWITCH},
	{"SecurityGroupId", KIND_SECURITY_GROUP},
	{"InstanceId", KIND_INSTANCE},
	{"NetworkInterfaceId", KIND_PORT},
	{"EniId", KIND_PORT},
	{"LoadBalancerId", KIND_LOAD_BALANCER},
	{"ListenerId", KIND_LISTENER},
	{"ServerGroupId", KIND_SERVER_GROUP},
	{"ServerId", KIND_INSTANCE},
	{"ServiceId", KIND_SERVICE},
	{"EndpointId", KIND_ENDPOINT},
	{"ReplacedResourceId", KIND_LOAD_BALANCER},
	{"ResourceGroupId", KIND_RESOURCE_GROUP},
};

static const char *id_of_kind(const struct snapshot *rows, enum kind kind)
{
	size_t n = snapshot_count(rows, kind, ""), i = pick((unsigned int)n_ids);

	/* Often one of those that have much. */
	if (pick(3) && snapshot_find(rows, kind, ids[i].id))
		return ids[i].id;
	for (i = pick(3) ? 0 : n_ids; i < n_ids; i++)
		if (pick(2) && snapshot_find(rows, kind, ids[i].id))
			return ids[i].id;
	return n ? snapshot_id(snapshot_at(rows, kind, pick((unsigned int)n))) : "none";
}

static void draw_address(const struct snapshot *rows, char ret[NETADDR_TEXT_SIZE])
{
	const struct port *port =
		snapshot_at(rows, KIND_PORT, pick((unsigned int)snapshot_count(rows, KIND_PORT, "")));

	netaddr_format(&port->addr, ret);
}

static const char *draw_resource(const struct snapshot *rows, enum product product)
{
	const struct tagged_type *types = product_codes[product].tagged;
	unsigned int n = 0;

	if (!types || product == PRODUCT_PRIVATELINK)
		return id_of_kind(rows, pick(3) ? KIND_LOAD_BALANCER : KIND_ENDPOINT);
	while (types[n].name)
		n++;
	return id_of_kind(rows, types[pick(n)].kind);
}

static void draw_text(const struct snapshot *rows, enum product product, const struct param_spec *spec,
		      char ret[ID_SIZE * 2])
{
	static const char *const words[] = {"one",	"two",	   "Active",	"Available", "Running",
					    "Pending",	"TCP",	   "connected", "Connected", "Disconnected",
					    "Deleting", "network", "Intranet",	"intranet",  "cn-hangzhou-h",
					    "ipv4",	"System",  "IPv4",	"nothing",   ""};
	const struct tagged_type *types = product_codes[product].tagged;
	const char *text = words[pick(ARRAY_SIZE(words))];
	unsigned int n = 0;

	if (spec->values) {
		while (spec->values[n])
			n++;
		text = spec->values[pick(n)];
	}
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (str_starts(spec->name, named[i].param) && pick(8))
			text = id_of_kind(rows, named[i].kind);
	if (streq(spec->name, "ResourceId"))
		text = draw_resource(rows, product);
	if (streq(spec->name, "ResourceType") && types && pick(8)) {
		while (types[n].name)
			n++;
		text = types[pick(n)].name;
	}
	(void)str_copy(ret, ID_SIZE * 2, text);
	if (strstr(spec->name, "Address") || streq(spec->name, "ServerIps"))
		draw_address(rows, ret);
	if (streq(spec->name, "RouteTableId"))
		(void)str_copy(ret, ID_SIZE * 2,
			       snapshot_vpc(rows, id_of_kind(rows, KIND_VPC))->route_table_id);
}

static void add_param(char *form, size_t size, const struct snapshot *rows, enum product product,
		      const struct param_spec *spec)
{
	static const int64_t numbers[] = {ALICE, BOB, ROOT, 0, 17};
	char text[ID_SIZE * 2], more[ID_SIZE * 2];
	size_t used = strlen(form);

	draw_text(rows, product, spec, text);
	draw_text(rows, product, spec, more);
	switch (spec->type) {
	case PARAM_STRING:
		if (pick(4) == 0)
			(void)snprintf(form + used, size - used, "&%s=%s,%s", spec->name, text, more);
		else
			(void)snprintf(form + used, size - used, "&%s=%s", spec->name, text);
		break;
	case PARAM_INT:
	case PARAM_LONG:
		(void)snprintf(form + used, size - used, "&%s=%lld", spec->name,
			       (long long)numbers[pick(ARRAY_SIZE(numbers))]);
		break;
	case PARAM_BOOL:
		(void)snprintf(form + used, size - used, "&%s=%s", spec->name, pick(2) ? "true" : "false");
		break;
	case PARAM_LIST:
		(void)snprintf(form + used, size - used, "&%s.1=%s", spec->name, text);
		used = strlen(form);
		if (pick(2))
			(void)snprintf(form + used, size - used, "&%s.2=%s", spec->name, more);
		break;
	default: /* tags */
		(void)snprintf(form + used, size - used, "&%s.1.Key=%s", spec->name,
			       pick(4) ? "env" : "none");
	}
}

static void draw_filters(char *form, size_t size, const struct snapshot *rows, enum product product,
			 const struct action *action)
{
	unsigned int n_wanted = pick(4), n = 0;

	(void)snprintf(form, size, "RegionId=%s", pick(5) ? "cn-hangzhou" : "cn-shanghai");
	if (action->flags & ACTION_NO_REGION && pick(2))
		form[0] = '\0';
	for (const struct param_spec *spec = action->params; spec && spec->name; spec++)
		n += !streq(spec->name, "MaxResults");
	for (const struct param_spec *spec = action->params; spec && spec->name; spec++)
		if (!streq(spec->name, "MaxResults") && (spec->required || pick(n) < n_wanted))
			add_param(form, size, rows, product, spec);
}

/* ---- both ways ---- */

static struct {
	unsigned int calls, entries, refused;
} met;

static char *dumped(const struct harness *h)
{
	char *text;

	if (!h->answer) {
		harness_must(asprintf(&text, "%s: %s", h->error.code, h->error.message), "memory");
		return text;
	}
	(void)json_object_del(h->answer, "RequestId");
	text = json_dumps(h->answer, JSON_COMPACT);
	harness_must(text ? 0 : -ENOMEM, "memory");
	return text;
}

static size_t entries_of(const struct action *action, const json_t *answer)
{
	const struct answer_field *list = answer_only_list(action->answer);
	const json_t *value = list->name ? json_object_get(answer, list->name) : NULL;

	return json_array_size(list->name && list->inner ? json_object_get(value, list->inner) : value);
}

/* Whether the call says the same both ways. */
static bool same_both_ways(struct harness *h, int64_t uid, enum product product, const char *action,
			   const char *form)
{
	_cleanup_(freep) char *plain = NULL, *text = NULL;

	is_plain = true;
	(void)harness_run(h, uid, product, action, form);
	is_plain = false;
	plain = dumped(h);
	(void)harness_run(h, uid, product, action, form);
	text = dumped(h);
	if (streq(plain, text))
		return true;
	tap_note("%s %s\n  plain: %s\n  but:   %s", action, form, plain, text);
	return false;
}

/* Whether a page by token tells what the first one has counted. */
static bool same_total(const json_t *answer, json_t **first)
{
	json_t *total = json_object_get(answer, "TotalCount");

	if (!*first)
		*first = json_incref(total);
	return json_equal(total, *first) || total == *first;
}

/* From the first page to the last, or to one too many. */
static bool same_pages(struct harness *h, int64_t uid, enum product product, const struct action *action,
		       const char *filters)
{
	const struct paging *paging = action->paging;
	bool by_number = paging->size_max && (!paging->results_max || pick(2));
	unsigned int size = pick(3) ? 1 + pick(7) : paging->results_max > 20 ? 20 : 10;
	char form[4096], token[KEY_SIZE * 3] = "";
	_cleanup_(json_decrefp) json_t *total = NULL;

	if (size < 10 && streq(action->name, "DescribeNetworkInterfaces") && !by_number)
		size = 10;
	for (unsigned int number = 1 + (pick(4) == 0) * pick(4); number < 60; number++) {
		size_t n;

		if (by_number)
			(void)snprintf(form, sizeof(form), "%s&PageSize=%u&PageNumber=%u", filters, size,
				       number);
		else
			(void)snprintf(form, sizeof(form), "%s%s%u%s%s", filters,
				       paging->has_fixed_size ? "&Unknown=" : "&MaxResults=", size,
				       *token ? "&NextToken=" : "", token);
		if (!same_both_ways(h, uid, product, action->name, form))
			return false;
		n = h->answer ? entries_of(action, h->answer) : 0;
		met.calls++;
		met.entries += (unsigned int)n;
		met.refused += !h->answer;
		if (!h->answer || (by_number && n == 0))
			return true;
		if (by_number)
			continue;
		if (!same_total(h->answer, &total)) {
			tap_note("%s %s has another TotalCount", action->name, form);
			return false;
		}
		if (!harness_text(h, "NextToken") || !*harness_text(h, "NextToken"))
			return true;
		harness_must(str_copy(token, sizeof(token), harness_text(h, "NextToken")), "token");
	}
	return true;
}

static void compare_action(struct harness *h, enum product product, const struct action *action, int n_turns)
{
	static const int64_t callers[] = {ALICE, BOB, ROOT};
	unsigned int n_before = met.entries;
	bool same = true;
	char form[4096];

	for (int i = 0; same && i < n_turns; i++) {
		int64_t uid = action->flags & ACTION_ADMIN ? ROOT : callers[pick(3)];

		draw_filters(form, sizeof(form), store_rows(h->store), product, action);
		same = same_pages(h, uid, product, action, form);
	}
	tap_ok(same, "%s says what a plain walk says", action->name);
	if (n_turns >= TURNS)
		tap_ok(met.entries > n_before, "%u entries of it", met.entries - n_before);
}

/* What is in files is no rows. */
static bool is_of_rows(const struct action *action)
{
	return action->paging && !streq(action->name, "ListAuditEvents");
}

static void compare_all(struct harness *h, int n_turns)
{
	for (enum product product = 0; product < PRODUCT_COUNT_; product++)
		for (const struct action *action = products[product].actions; action->name; action++)
			if (is_of_rows(action))
				compare_action(h, product, action, n_turns);
	tap_note("%u calls, %u entries, %u refused", met.calls, met.entries, met.refused);
}

static void delete_row(struct harness *h, enum kind kind, const void *row)
{
	struct store_txn *txn;

	harness_must(store_txn_new(&txn), "transaction");
	harness_must(store_txn_row_delete(txn, kind, row), "delete");
	commit(h, txn);
}

/* An endpoint's connection goes before it. */
static void compare_without(struct harness *h)
{
	const struct snapshot *rows = store_rows(h->store);
	const struct endpoint *endpoint = snapshot_at(rows, KIND_ENDPOINT, 3);

	delete_row(h, KIND_CONNECTION, snapshot_connection(rows, endpoint->id));
	tap_ok(snapshot_count(rows, KIND_CONNECTION, "") < snapshot_count(rows, KIND_ENDPOINT, ""),
	       "an endpoint has lost its connection");
	compare_all(h, 40);
	delete_row(h, KIND_ENDPOINT, endpoint);
}

/* Asked for by its id, a service is there if all that is there has it. */
static void test_discovery(struct harness *h)
{
	const struct snapshot *rows = store_rows(h->store);
	static const int64_t callers[] = {ALICE, BOB, ROOT};
	unsigned int n_there = 0, n_differ = 0;

	for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
		_cleanup_(freep) char *all = NULL;

		harness_call(h, callers[i], PL, "ListVpcEndpointServicesByEndUser", REGION "MaxResults=1000");
		all = dumped(h);
		for (const struct service *s = NULL; (s = snapshot_next(rows, KIND_SERVICE, "", s));) {
			bool is_there = strstr(all, s->id);

			harness_call(h, callers[i], PL, "ListVpcEndpointServicesByEndUser",
				     REGION "ServiceId=%s", s->id);
			n_there += is_there;
			n_differ += !streq(harness_text(h, "TotalCount"), is_there ? "1" : "0");
		}
	}
	tap_ok(n_there > 10 && n_differ == 0, "%u services are found by their ids", n_there);
}

int main(void)
{
	struct harness h;

	list_world_begin(&h);
	compare_all(&h, TURNS);
	test_discovery(&h);
	compare_without(&h);
	harness_end(&h);
	return tap_done();
}
