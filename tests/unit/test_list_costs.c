/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lists cost, and calls that look at much: what a page costs is counted, in rows that are looked at,
 * among a thousand objects and among ten thousand; what a new endpoint costs; that a page for which many rows
 * are looked at counts as more calls than one, and what it comes to for all pages of a filter; and that
 * filters have few ids.
 *
 * The test stands in for the snapshot's functions, to count what is looked at: see link_args in meson.build.
 */
#include "list_world.h"
#include "model/check.h"
#include "schema/limits.h"

/* ---- counting ---- */

static unsigned int n_looked_at;

#define COUNTED(type, name, parameters, arguments)                                                           \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		n_looked_at++;                                                                               \
		return __real_##name arguments;                                                              \
	}
COUNTED(const void *, snapshot_find, (const struct snapshot *s, enum kind kind, const char *id),
	(s, kind, id))
COUNTED(const void *, snapshot_next,
	(const struct snapshot *s, enum kind kind, const char *prefix, const void *previous),
	(s, kind, prefix, previous))
COUNTED(const void *, snapshot_behind, (const struct snapshot *s, enum kind kind, const char *id),
	(s, kind, id))
COUNTED(const void *, snapshot_at, (const struct snapshot *s, enum kind kind, size_t n), (s, kind, n))
COUNTED(const void *, snapshot_children_in,
	(const struct snapshot *s, enum ref ref, const char *id, const char *within, const void *previous),
	(s, ref, id, within, previous))
COUNTED(const void *, snapshot_children_behind,
	(const struct snapshot *s, enum ref ref, const char *id, const char *within, const char *behind),
	(s, ref, id, within, behind))
COUNTED(const void *, snapshot_children_at,
	(const struct snapshot *s, enum ref ref, const char *id, const char *within, size_t n),
	(s, ref, id, within, n))
#undef COUNTED

/* ---- what a page costs, and a new endpoint ---- */

static struct twin_base {
	struct endpoint endpoint;
	struct connection connection;
	struct port port;
	struct vswitch vswitch;
	char vpc[ID_SIZE], service[ID_SIZE];
} base;

static void find_base(const struct snapshot *rows)
{
	const char *id = "none";

	for (size_t i = 0; i < n_ids; i++)
		if (streq(ids[i].name, "{endpoint}"))
			id = ids[i].id;
	base.endpoint = *snapshot_endpoint(rows, id);
	base.connection = *snapshot_connection(rows, id);
	base.port = *(const struct port *)snapshot_children_in(rows, REF_PORT_HOLDER, id, "", NULL);
	base.vswitch = *snapshot_vswitch(rows, base.port.vswitch);
}

static void put_endpoints(struct harness *h, unsigned int from, unsigned int to)
{
	struct store_txn *txn = NULL;

	for (unsigned int i = from; i < to; i++) {
		const struct snapshot *rows = store_rows(h->store);
		/* The texts are the snapshot's, and stand as long as their row does. */
		struct endpoint endpoint = *snapshot_endpoint(rows, base.endpoint.id);
		struct connection connection = *snapshot_connection(rows, base.endpoint.id);
		struct port port = *snapshot_port(rows, base.port.id);
		struct vswitch vswitch = base.vswitch;

		if (!txn)
			harness_must(store_txn_new(&txn), "transaction");
		endpoint.meta = connection.meta = port.meta = vswitch.meta = (struct row_meta){};
		(void)str_format(endpoint.id, ID_SIZE, "ep-many%020u", i);
		endpoint.name = i % 2000 == 0 ? "rare" : endpoint.name;
		(void)str_format(connection.endpoint, ID_SIZE, "%s", endpoint.id);
		(void)str_format(port.id, ID_SIZE, "eni-many%020u", i);
		(void)str_format(port.holder, ID_SIZE, "%s", endpoint.id);
		(void)str_format(vswitch.id, ID_SIZE, "vsw-many%020u", i);
		harness_must(store_txn_row_put(txn, KIND_ENDPOINT, &endpoint), "endpoint");
		harness_must(store_txn_row_put(txn, KIND_CONNECTION, &connection), "connection");
		harness_must(store_txn_row_put(txn, KIND_PORT, &port), "port");
		harness_must(store_txn_row_put(txn, KIND_VSWITCH, &vswitch), "vSwitch");
		if (i % 20 == 19 || i + 1 == to)
			commit(h, TAKE_PTR(txn));
	}
}

static void raise_quotas(struct harness *h)
{
	static const char *const names[] = {"pvl_quota_total_ep_per_vpc", "endpoints", "network_interfaces"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!harness_call(h, ROOT, OWN, "SetQuota", REGION "AccountId=%lld&QuotaName=%s&Value=100000",
				  (long long)ALICE, names[i]))
			harness_must(-EIO, h->error.code);
}

/* By number: the page that is asked for; by token: the third one. Of a filter that no index has, the first
 * page looks at all. */
static const struct {
	enum product product;
	int64_t uid;
	const char *action, *form;
	bool by_number, has_filter;
} pages[] = {
	{PL, ALICE, "ListVpcEndpoints", REGION "MaxResults=50", false},
	{PL, ALICE, "ListVpcEndpoints", REGION "MaxResults=50&VpcId={vpc}", false},
	{PL, ALICE, "ListVpcEndpoints", REGION "MaxResults=50&EndpointId={endpoint}", true},
	{PL, ALICE, "ListVpcEndpointConnections", REGION "MaxResults=50&ServiceId={service}", false},
	{PL, ALICE, "ListVpcEndpointConnections", REGION "MaxResults=50", false},
	{PL, ALICE, "ListVpcEndpointConnections", REGION "MaxResults=50&EndpointId={endpoint}", true},
	{PL, ALICE, "ListVpcEndpoints", REGION "MaxResults=50&EndpointType=Interface", false, true},
	{PL, ALICE, "ListVpcEndpoints", REGION "MaxResults=50&VpcId={vpc}&EndpointType=Interface", false,
	 true},
	{PL, ALICE, "ListVpcEndpointConnections",
	 REGION "MaxResults=50&ServiceId={service}&EndpointOwnerId=1000000000000001", false, true},
	{PL, ALICE, "ListVpcEndpointConnections", REGION "MaxResults=50&EndpointOwnerId=1000000000000001",
	 false, true},
	{ECS, ALICE, "DescribeNetworkInterfaces", REGION "MaxResults=50", false},
	{ECS, ALICE, "DescribeNetworkInterfaces", REGION "PageSize=50&PageNumber=15", true},
	{ECS, ALICE, "DescribeNetworkInterfaces", REGION "PageSize=50&PageNumber=15&VpcId={vpc}", true},
	{ECS, ALICE, "DescribeNetworkInterfaces", REGION "MaxResults=50&VSwitchId={vsw}", false},
	{ECS, ALICE, "DescribeNetworkInterfaces", REGION "MaxResults=50&NetworkInterfaceId.1={eni}", true},
	{ECS, ALICE, "DescribeNetworkInterfaces", REGION "MaxResults=50&InstanceId={instance}", true},
	{ECS, ALICE, "DescribeNetworkInterfaces", REGION "MaxResults=50&Status=InUse", false, true},
	{VPC, ALICE, "DescribeVSwitches", REGION "PageSize=50&PageNumber=15", true},
	{VPC, ALICE, "DescribeVSwitches", REGION "PageSize=50&PageNumber=15&VpcId={vpc}", true},
	{VPC, ALICE, "DescribeVSwitches", REGION "PageSize=50&VSwitchId={vsw},{vsw_i}", true},
	{PL, ALICE, "ListTagResources", REGION "ResourceType=vpcendpoint&ResourceId.1={endpoint}", true},
	{PL, ALICE, "CreateVpcEndpoint",
	 REGION "DryRun=true&VpcId={vpc}&ServiceId={service}&SecurityGroupId.1={sg}"
		"&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId={vsw}",
	 true},
	/* Its name of its own leads to one endpoint in a VPC. */
	{PL, ALICE, "CreateVpcEndpoint",
	 REGION "DryRun=true&VpcId={vpc}&ServiceName=com.aliyuncs.privatelink.cn-hangzhou.pai-dlc"
		"&SecurityGroupId.1={sg}",
	 true},
};
static unsigned int costs[ARRAY_SIZE(pages)], n_more_calls;

static unsigned int cost_of(struct harness *h, size_t i)
{
	char form[4096], filled[1024], token[KEY_SIZE * 3] = "";

	fill_in(filled, sizeof(filled), "", pages[i].form);
	for (int turn = 0; turn < (pages[i].by_number ? 1 : 3); turn++) {
		(void)snprintf(form, sizeof(form), "%s%s%s", filled, *token ? "&NextToken=" : "", token);
		n_looked_at = 0;
		if (!harness_run(h, pages[i].uid, pages[i].product, pages[i].action, form) &&
		    !streq(h->error.code, "DryRunOperation"))
			harness_must(-EIO, h->error.code);
		if (turn > 0 || !pages[i].has_filter)
			n_more_calls += h->weight;
		if (!pages[i].by_number)
			harness_must(str_copy(token, sizeof(token), harness_text(h, "NextToken")), form);
	}
	return n_looked_at;
}

static void test_costs(struct harness *h)
{
	find_base(store_rows(h->store));
	raise_quotas(h);
	put_endpoints(h, 0, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		costs[i] = cost_of(h, i);
	put_endpoints(h, 1000, 10000);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		unsigned int cost = cost_of(h, i);

		tap_ok(cost == costs[i] && cost < 1500, "%s %s looks at %u rows of 1,000, %u of 10,000",
		       pages[i].action, pages[i].form, costs[i], cost);
	}
	tap_is_int(n_more_calls, 0, "each of them is one call, but for the first page of a filter");
}

/* Of 10,000 objects, nearly all of which are somebody else's for who has the service. */
static void test_weights(struct harness *h)
{
	static const struct {
		enum product product;
		const char *action, *form;
		unsigned int weight;
	} heavy[] = {
		{PL, "ListVpcEndpointConnections", "ServiceId={service}&ConnectionStatus=ServiceDeleted", 10},
		{PL, "ListVpcEndpointConnections", "ServiceId={service}&EndpointOwnerId=17", 10},
		{PL, "ListVpcEndpointConnections", "ServiceId={service}&EniId=none", 10},
		{PL, "ListVpcEndpointConnections", "ConnectionStatus=ServiceDeleted", 10},
		{PL, "ListVpcEndpoints", "EndpointName=nothing", 10},
		{PL, "ListVpcEndpoints", "MaxResults=1000", 1},
		{ECS, "DescribeNetworkInterfaces", "NetworkInterfaceName=nothing", 10},
		{VPC, "DescribeVSwitches", "VSwitchName=nothing", 10},
		/* each endpoint is looked at, and what tags it has */
		{PL, "ListTagResources", "ResourceType=vpcendpoint&Tag.1.Key=nothing", 20},
	};
	char form[1024];

	for (size_t i = 0; i < ARRAY_SIZE(heavy); i++) {
		fill_in(form, sizeof(form), "", heavy[i].form);
		harness_call(h, ALICE, heavy[i].product, heavy[i].action, REGION "%s", form);
		tap_is_int(h->weight, heavy[i].weight, "%s %s counts as more calls", heavy[i].action, form);
	}
}

/* From the first page to the last. */
struct paged {
	unsigned int n_pages, calls, n_other_totals;
};

static struct paged page_through(struct harness *h, enum product product, const char *action,
				 const char *form)
{
	char paged[1024 + 3 * KEY_SIZE], total[32] = "";
	const char *token = "";
	struct paged met = {};

	do {
		_cleanup_(freep) char *told = NULL;

		(void)snprintf(paged, sizeof(paged), "%s%s%s", form, *token ? "&NextToken=" : "", token);
		if (!harness_run(h, ALICE, product, action, paged))
			harness_must(-EIO, h->error.code);
		told = json_dumps(json_object_get(h->answer, "TotalCount"), JSON_ENCODE_ANY);
		harness_must(told ? 0 : -ENOMEM, "memory");
		if (met.n_pages++ == 0)
			harness_must(str_copy(total, sizeof(total), told), "total");
		met.n_other_totals += !streq(told, total);
		met.calls += 1 + h->weight;
		token = harness_text(h, "NextToken") ?: "";
	} while (*token);
	return met;
}

/* All pages of a filter look at each of the 10,000 rows for the count, for a page, and perhaps for the page
 * before, to see whether that one is the last. */
static void test_paging_through(struct harness *h)
{
	static const struct {
		enum product product;
		const char *action, *form;
	} filters[] = {
		{PL, "ListVpcEndpoints", REGION "MaxResults=500&EndpointType=Interface"},
		{PL, "ListVpcEndpoints", REGION "MaxResults=1&EndpointName=rare"},
		{PL, "ListVpcEndpointConnections",
		 REGION "MaxResults=1000&ServiceId={service}&EndpointOwnerId=1000000000000001"},
		{ECS, "DescribeNetworkInterfaces", REGION "MaxResults=500&Status=InUse"},
	};
	char form[1024];

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct paged met;

		fill_in(form, sizeof(form), "", filters[i].form);
		met = page_through(h, filters[i].product, filters[i].action, form);
		tap_ok(met.n_pages >= 4 && met.calls >= met.n_pages + 10 && met.calls <= met.n_pages + 3 * 10,
		       "%u pages of %s %s count as %u calls", met.n_pages, filters[i].action, filters[i].form,
		       met.calls);
		tap_is_int(met.n_other_totals, 0, "each of them tells the same total");
	}
}

/* "id,id,…" as the parameter. */
static void say_ids(struct harness *h, enum product product, const char *action, const char *param,
		    unsigned int n, const char *id)
{
	char form[32768];
	size_t used;

	(void)str_format(form, sizeof(form), REGION "%s=", param);
	for (unsigned int i = 0; i < n; i++) {
		used = strlen(form);
		harness_must(str_format(form + used, sizeof(form) - used, "%s%s", i ? "," : "", id), "form");
	}
	n_looked_at = 0;
	harness_run(h, ALICE, product, action, form);
}

/* Each row's id is compared with all that a text with commas names. */
static void test_commas(struct harness *h)
{
	static const struct {
		enum product product;
		const char *action, *param;
	} by_ids[] = {
		{VPC, "DescribeVpcs", "VpcId"},
		{VPC, "DescribeVSwitches", "VSwitchId"},
		{SLB, "DescribeLoadBalancers", "LoadBalancerId"},
	};
	char code[64], longest[LISTED_IDS_MAX * ID_SIZE + 2];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(by_ids); i++) {
		(void)str_format(code, sizeof(code), "InvalidParameter.%s", by_ids[i].param);
		say_ids(h, by_ids[i].product, by_ids[i].action, by_ids[i].param, LISTED_IDS_MAX, "x");
		tap_is_str(h->error.code, "", "%s takes a hundred ids", by_ids[i].action);
		say_ids(h, by_ids[i].product, by_ids[i].action, by_ids[i].param, LISTED_IDS_MAX + 1, "x");
		tap_is_str(h->error.code, code, "one more is too many");
		say_ids(h, by_ids[i].product, by_ids[i].action, by_ids[i].param, 1, longest);
		tap_is_str(h->error.code, code, "so is what is longer than a hundred ids");
	}
	say_ids(h, PL, "ListVpcEndpointConnections", "EndpointId", 3000, "ep-x");
	tap_ok(h->weight == 0 && n_looked_at < 100,
	       "where a text is one id, its commas are looked at as that: %u", n_looked_at);
}

/* A thousand more of what hangs on an object, each like its first one but for the numbers that `rename` puts
 * in. */
static void put_more(struct harness *h, enum kind kind, enum ref ref, const char *id,
		     void (*rename)(void *row, unsigned int number))
{
	for (unsigned int i = 0; i < ROWS_PER_CALL; i++) {
		const struct snapshot *rows = store_rows(h->store);
		union {
			struct row_meta meta;
			struct sg_rule rule;
			struct server server;
		} row;

		memcpy(&row, __real_snapshot_children_in(rows, ref, id, "", NULL), kind_info(kind)->size);
		row.meta = (struct row_meta){};
		rename(&row, i);
		harness_put(h, kind, &row);
	}
}

static void rename_rule(void *row, unsigned int number)
{
	(void)str_format(((struct sg_rule *)row)->id, ID_SIZE, "sgr-more%u", number);
}

static void rename_server(void *row, unsigned int number)
{
	struct server *server = row;

	server->port = 1000 + number;
	(void)str_format(server->server_id, sizeof(server->server_id), "i-more%u", number);
}

/* A thousand endpoints that the service's first resource serves. */
static void serve_more(struct harness *h, const char *service)
{
	const struct service_resource *resource = __real_snapshot_children_in(
		store_rows(h->store), REF_SERVICE_RESOURCE_SERVICE, service, "", NULL);
	struct endpoint_zone zone = {.resource = resource->resource};

	harness_must(str_copy(zone.zone, sizeof(zone.zone), resource->zone), "zone");
	for (unsigned int i = 0; i < ROWS_PER_CALL; i++) {
		(void)str_format(zone.endpoint, ID_SIZE, "ep-more%u", i);
		harness_put(h, KIND_ENDPOINT_ZONE, &zone);
	}
}

/* Bounded, but much: rules that decide about a path, servers whose health is asked for. */
static void test_objects(struct harness *h)
{
	const struct listener *listener;
	char id[ID_SIZE], form[256];
	unsigned int n_members;

	fill_in(id, sizeof(id), "", "{sg}");
	put_more(h, KIND_SG_RULE, REF_SG_RULE_GROUP, id, rename_rule);
	fill_in(form, sizeof(form), "", REGION "EndpointId={endpoint}&InstanceId={instance}");
	harness_call(h, ALICE, OWN, "GetEndpointPath", "%s", form);
	tap_ok(h->answer && h->weight > 0, "a path past a thousand rules counts as %u calls more", h->weight);
	fill_in(form, sizeof(form), "", REGION "SecurityGroupId={sg}");
	harness_call(h, ALICE, ECS, "DescribeSecurityGroups", "%s", form);
	n_members = (unsigned int)snapshot_count_children(store_rows(h->store), REF_PORT_GROUPS, id);
	tap_is_int(h->weight, 1 + n_members / ROWS_PER_CALL,
		   "so do a group's thousand rules, and its members");
	harness_call(h, BOB, ECS, "DescribeSecurityGroups", REGION);
	tap_is_int(h->weight, 0, "groups with few rules and members count as one");
	fill_in(id, sizeof(id), "", "{group}");
	put_more(h, KIND_SERVER, REF_SERVER_GROUP, id, rename_server);
	fill_in(form, sizeof(form), "", "ListenerId={listener}");
	harness_call(h, ALICE, NLB, "GetListenerHealthStatus", "%s", form);
	tap_is_int(h->weight, 1, "so does the health of a thousand servers");
	fill_in(id, sizeof(id), "", "{slb}");
	listener =
		__real_snapshot_children_in(store_rows(h->store), REF_LISTENER_LOAD_BALANCER, id, "", NULL);
	put_more(h, KIND_SERVER, REF_SERVER_GROUP, listener->server_group, rename_server);
	fill_in(form, sizeof(form), "", REGION "LoadBalancerId={slb}");
	harness_call(h, ALICE, SLB, "DescribeHealthStatus", "%s", form);
	tap_is_int(h->weight, 1, "also behind a classic load balancer");
	fill_in(id, sizeof(id), "", "{service}");
	serve_more(h, id);
	fill_in(form, sizeof(form), "", REGION "ServiceId={service}");
	harness_call(h, ALICE, PL, "ListVpcEndpointServiceResources", "%s", form);
	tap_is_int(h->weight, 1, "so do the thousand endpoints that a service's resource has");
}

/* Addresses of Alice's vSwitch, from that place on. */
static void take_addresses(struct harness *h, const struct vswitch *vswitch, uint32_t from, uint32_t n)
{
	struct address row = {.vpc = vswitch->vpc, .vswitch = vswitch->id};
	struct store_txn *txn = NULL;

	for (uint32_t i = 0; i < n; i++) {
		if (!txn)
			harness_must(store_txn_new(&txn), "transaction");
		row.addr = netaddr_v4(netaddr_to_v4(&vswitch->cidr.addr) + 1 + from + i);
		harness_must(store_txn_row_put(txn, KIND_ADDRESS, &row), "address");
		if (i % 50 == 49 || i + 1 == n)
			commit(h, TAKE_PTR(txn));
	}
}

/* Twenty times an address is sought where a row of thousands is taken, at whose beginning the search begins.
 */
static void test_addresses(struct harness *h)
{
	const struct snapshot *rows = store_rows(h->store);
	const struct counter *counter = snapshot_find(rows, KIND_COUNTER, "port");
	struct vswitch vswitch = base.vswitch;
	uint32_t capacity, first;
	unsigned int n_found = 0;
	char form[512];

	vswitch.meta = (struct row_meta){};
	(void)str_format(vswitch.id, sizeof(vswitch.id), "vsw-large");
	harness_must(netprefix_parse("10.0.64.0/19", true, &vswitch.cidr), "range");
	harness_put(h, KIND_VSWITCH, &vswitch);
	capacity = vswitch_capacity(&vswitch.cidr);
	first = (counter->value + 1) % capacity;
	tap_ok(first + 7900 <= capacity, "the search begins at place %u of %u", first, capacity);
	take_addresses(h, &vswitch, first, 7900);
	fill_in(form, sizeof(form), "",
		REGION "DryRun=true&VpcId={vpc}&ServiceId={service}&SecurityGroupId.1={sg}"
		       "&Zone.1.ZoneId=cn-hangzhou-h&Zone.1.VSwitchId=vsw-large");
	n_looked_at = 0;
	for (int i = 0; i < 20; i++) {
		harness_call(h, ALICE, PL, "CreateVpcEndpoint", "%s", form);
		n_found += streq(h->error.code, "DryRunOperation");
	}
	tap_is_int(n_found, 20, "one that is free is found each time");
	tap_ok(n_looked_at < 20000, "past 7,900 that are taken, by %u looks", n_looked_at);
}

/* More services that let everybody in, and more whom a service lets in. Entries are as an earlier version
 * stored them, without the region. */
static void put_whitelists(struct harness *h, unsigned int n)
{
	struct service service;
	struct service_user entry = {};
	struct store_txn *txn;

	for (unsigned int i = 1; i <= n; i++) {
		service = *snapshot_service(store_rows(h->store), base.endpoint.service);
		harness_must(store_txn_new(&txn), "transaction");
		service.meta = (struct row_meta){};
		(void)str_format(service.id, ID_SIZE, "epsrv-many%020u", i);
		harness_must(store_txn_row_put(txn, KIND_SERVICE, &service), "service");
		(void)str_format(entry.service, ID_SIZE, "%s", service.id);
		(void)str_format(entry.arn, sizeof(entry.arn), "*");
		entry.uid = 0;
		harness_must(store_txn_row_put(txn, KIND_SERVICE_USER, &entry), "entry for all");
		(void)str_format(entry.service, ID_SIZE, "%s", base.endpoint.service);
		entry.arn[0] = '\0';
		entry.uid = i;
		harness_must(store_txn_row_put(txn, KIND_SERVICE_USER, &entry), "entry");
		commit(h, txn);
	}
}

/* How many rows are looked at to see what there is in a region. */
static unsigned int looked_at_in(struct harness *h, const char *region)
{
	n_looked_at = 0;
	harness_call(h, BOB, PL, "ListVpcEndpointServicesByEndUser",
		     REGION "ServiceRegionId=%s&ServiceName=nothing", region);
	return n_looked_at;
}

/* What others have put on whitelists is looked at in its region alone, and is not the caller's to pay for;
 * whom else a service lets in is not looked at. */
static void test_whitelists(struct harness *h)
{
	unsigned int before = 0, after = 0, elsewhere = looked_at_in(h, "cn-beijing");
	struct paged met;
	char form[256];

	for (int turn = 0; turn < 2; turn++) {
		n_looked_at = 0;
		harness_call(h, BOB, PL, "ListVpcEndpointServicesByEndUser", REGION "ServiceId=%s",
			     base.endpoint.service);
		after = n_looked_at;
		if (turn == 0) {
			before = after;
			put_whitelists(h, ROWS_PER_CALL);
		}
	}
	tap_ok(streq(harness_text(h, "TotalCount"), "1") && after == before,
	       "that a service lets one in is seen from %u rows, however many others it does", after);
	harness_call(h, BOB, PL, "ListVpcEndpointServicesByEndUser", REGION "MaxResults=1000");
	tap_ok(strtol(harness_text(h, "TotalCount"), NULL, 10) > ROWS_PER_CALL,
	       "entries without a region let one in");
	tap_is_int(h->weight, 0, "to look at a thousand services of others counts as nothing");
	tap_is_int(looked_at_in(h, "cn-beijing"), elsewhere, "they are not looked at for another region");
	harness_call(h, ALICE, PL, "ListVpcEndpointServiceUsers", REGION "ServiceId=%s",
		     base.endpoint.service);
	tap_is_int(h->weight, 1, "and so does a whitelist of a thousand");
	(void)str_format(form, sizeof(form), REGION "MaxResults=50&ServiceId=%s", base.endpoint.service);
	met = page_through(h, PL, "ListVpcEndpointServiceUsers", form);
	tap_ok(met.n_pages > 20 && met.calls == met.n_pages + 1 && met.n_other_totals == 0,
	       "but of its %u pages only the first one", met.n_pages);
}

int main(void)
{
	struct harness h;

	list_world_begin(&h);
	test_costs(&h);
	test_weights(&h);
	test_paging_through(&h);
	test_commas(&h);
	test_objects(&h);
	test_whitelists(&h);
	test_addresses(&h);
	harness_end(&h);
	return tap_done();
}
