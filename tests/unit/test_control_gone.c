/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of control: what goes with what, and when.
 */
#include <string.h>

#include "control_world.h"

/* In place of the real one (meson.build): how often the parts of something were counted. */
static size_t n_counts;

size_t __real_snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id,
					 const char *within);
size_t __wrap_snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id,
					 const char *within);
size_t __wrap_snapshot_count_children_in(const struct snapshot *s, enum ref ref, const char *id,
					 const char *within)
{
	n_counts++;
	return __real_snapshot_count_children_in(s, ref, id, within);
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
	tap_ok(!w.again, "and is not looked at again and again while that does not go either");
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

/* Passes, each of them over all rows as at a start, until one changes nothing; how many. `ret_most`: the rows
 * that the largest one put or removed. */
static size_t pass_all(struct world *w, size_t *ret_most)
{
	size_t n = 0;

	*ret_most = 0;
	do {
		(void)world_pass(w);
		*ret_most = MAX(*ret_most, w->n_ops);
		n++;
	} while (w->n_ops > 0 && n < 100);
	return n;
}

static void put_large_group(struct world *w, const char *group)
{
	char key[KEY_SIZE];

	(void)str_format(key, sizeof(key), "server_group/%s", group);
	rows_put(w->rows, key, "{'id':'%s','status':'Deleting'}", group);
	for (int i = 0; i < 250; i++) {
		(void)str_format(key, sizeof(key), "server/%s/10.0.0.%d/80", group, i);
		rows_put(w->rows, key, "{'group':'%s','server_id':'10.0.0.%d','port':80,'status':'Removing'}",
			 group, i);
		(void)str_format(key, sizeof(key), "server_health/%s/10.0.0.%d/80", group, i);
		rows_put(w->rows, key, "{'group':'%s','server_id':'10.0.0.%d','port':80,'healthy':true}",
			 group, i);
	}
}

static void test_large_group(void)
{
	struct world w;
	size_t n_passes, most;

	world_begin(&w);
	put_large_group(&w, "sgp-1");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(w.n_ops == LEFTOVERS_GONE_MAX && w.again && snapshot_server_group(w.rows, "sgp-1"),
	       "a large group loses its servers in steps, and stays while it has some");
	n_passes = pass_all(&w, &most);
	tap_ok(!snapshot_server_group(w.rows, "sgp-1") && snapshot_count(w.rows, KIND_SERVER, "") == 0 &&
		       snapshot_count(w.rows, KIND_SERVER_HEALTH, "") == 0,
	       "then it goes itself (%zu passes)", n_passes);
	world_end(&w);
}

/* All that is deleted shares the room of a pass, and what is not does not need it. */
static void test_many_deleted(void)
{
	struct world w;
	size_t n_passes, most;
	char key[KEY_SIZE], id[ID_SIZE];

	world_begin(&w);
	put_large_group(&w, "sgp-1");
	put_large_group(&w, "sgp-2");
	for (int i = 0; i < 200; i++) {
		(void)str_format(id, sizeof(id), "i-%03d", i);
		(void)str_format(key, sizeof(key), "instance/%s", id);
		rows_put(w.rows, key, "{'id':'%s','port':'eni-x','status':'Deleting'}", id);
		(void)str_format(key, sizeof(key), "tag/%s/k", id);
		rows_put(w.rows, key, "{'resource':'%s','key':'k'}", id);
		(void)str_format(id, sizeof(id), "ep-%03d", i);
		put_endpoint(&w, id, "Deleting");
		put_connection(&w, id, "Deleting", false);
	}
	rows_put(w.rows, "vpc/vpc-1", "{'id':'vpc-1','status':'Pending'}");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(w.n_ops > 1 && w.n_ops <= LEFTOVERS_GONE_MAX + 1 && w.again,
	       "of what is deleted at once so much goes as there is room for (%zu)", w.n_ops);
	tap_is_int(snapshot_vpc(w.rows, "vpc-1")->status, VPC_AVAILABLE,
		   "and what is not deleted moves beside it");
	n_passes = pass_all(&w, &most);
	tap_ok(most <= LEFTOVERS_GONE_MAX, "so it goes on (%zu passes, at most %zu rows)", n_passes, most);
	tap_ok(snapshot_count(w.rows, KIND_SERVER, "") == 0 && snapshot_count(w.rows, KIND_TAG, "") == 0 &&
		       snapshot_count(w.rows, KIND_SERVER_GROUP, "") == 0 &&
		       snapshot_count(w.rows, KIND_INSTANCE, "") == 0 &&
		       snapshot_count(w.rows, KIND_ENDPOINT, "") == 0 &&
		       snapshot_count(w.rows, KIND_CONNECTION, "") == 0,
	       "until all is gone");
	world_end(&w);
}

/* Endpoints with two zones each: eight rows. */
static void put_backlog(struct world *w, int n, const char *endpoint, const char *connection,
			const char *zone)
{
	char id[ID_SIZE], port[ID_SIZE], addr[32];

	for (int i = 0; i < n; i++) {
		(void)str_format(id, sizeof(id), "ep-%03d", i);
		put_endpoint(w, id, endpoint);
		put_connection(w, id, connection, false);
		for (int j = 0; j < 2; j++) {
			(void)str_format(port, sizeof(port), "eni-%03d-%d", i, j);
			(void)str_format(addr, sizeof(addr), "10.%d.%d.%d", j, i / 200, i % 200);
			put_zone(w, id, j ? "z-b" : "z-a", port, addr, zone);
		}
	}
}

struct backlog_case {
	const char *endpoint, *connection, *zone, *what;
};

static const struct backlog_case backlog_cases[] = {
	{"Deleting", "Deleting", "Deleting", "endpoints"},
	{"Active", "Connected", "Deleting", "zones"},
};

/* How often a pass over so many counts what hangs on one. */
static size_t count_in_pass(const struct backlog_case *c, int n)
{
	struct world w;
	size_t counts;

	world_begin(&w);
	put_backlog(&w, n, c->endpoint, c->connection, c->zone);
	world_report(&w);
	n_counts = 0;
	(void)world_pass(&w);
	counts = n_counts;
	tap_ok(w.n_ops > LEFTOVERS_GONE_MAX - 10 && w.again, "of %d deleted %s (%zu rows) some go in a pass",
	       n, c->what, w.n_ops);
	world_end(&w);
	return counts;
}

static void test_backlog(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(backlog_cases); i++) {
		size_t few = count_in_pass(&backlog_cases[i], 100),
		       many = count_in_pass(&backlog_cases[i], 400);

		tap_ok(few > 0 && few == many,
		       "what hangs on %s for which a pass has no room is not counted (%zu, %zu)",
		       backlog_cases[i].what, few, many);
	}
}

#define LEFT 1000

static void put_left(struct world *w, const char *connection, const char *zone)
{
	char id[ID_SIZE], port[ID_SIZE], addr[32];

	for (int i = 0; i < LEFT; i++) {
		(void)str_format(id, sizeof(id), "ep-%03d", i);
		(void)str_format(port, sizeof(port), "eni-%03d", i);
		(void)str_format(addr, sizeof(addr), "10.0.%d.%d", i / 200, i % 200);
		put_endpoint(w, id, "Active");
		put_connection(w, id, connection, i % 2);
		put_zone(w, id, "z-a", port, addr, zone);
	}
}

static size_t count_told(const struct world *w)
{
	size_t n = 0;

	for (const struct connection *c = NULL; (c = snapshot_next(w->rows, KIND_CONNECTION, "", c));)
		n += c->status == CONNECTION_SERVICE_DELETED;
	return n;
}

static void test_service_deleted(void)
{
	struct world w;
	bool stays = true;
	size_t n_passes = 0, told;

	world_begin(&w);
	put_left(&w, "Disconnected", "Disconnected");
	put_connection(&w, "ep-007", "Deleting", false);
	rows_put(w.rows, "service/epsrv-1", "{'id':'epsrv-1','status':'Deleting'}");
	rows_put(w.rows, "service_resource/epsrv-1/nlb-1/z-a",
		 "{'service':'epsrv-1','resource':'nlb-1','zone':'z-a','auto_allocated':true}");
	for (int i = 1; i <= 400; i++) {
		char key[KEY_SIZE];

		(void)str_format(key, sizeof(key), "service_user/epsrv-1/%d", i);
		rows_put(w.rows, key, "{'service':'epsrv-1','uid':%d}", i);
	}
	(void)world_pass(&w);
	told = count_told(&w);
	tap_is_str(connection_status(&w, "ep-000"), "ServiceDeleted",
		   "endpoints hear at once that their service is deleted");
	tap_ok(told > 1 && w.n_ops <= LEFTOVERS_GONE_MAX, "as many as there is room for (%zu)", told);
	tap_ok(w.again, "and the others with the next passes, though no node has reported yet");
	world_report(&w);
	while (told < LEFT - 1 && n_passes++ < 100) {
		stays = stays && snapshot_service(w.rows, "epsrv-1");
		(void)world_pass(&w);
		told = count_told(&w);
	}
	tap_is_int((long long)told, LEFT - 1, "until all have");
	tap_ok(stays && snapshot_service(w.rows, "epsrv-1"),
	       "and the service is there, deleted, as long as one has not");
	tap_is_str(connection_status(&w, "ep-007"), "Deleting", "but for those that go themselves");
	world_report(&w);
	(void)world_pass(&w);
	tap_ok(w.n_ops == LEFTOVERS_GONE_MAX && snapshot_service(w.rows, "epsrv-1"),
	       "then its whitelist goes, a part at a time");
	(void)world_settle(&w);
	tap_ok(!snapshot_service(w.rows, "epsrv-1") &&
		       snapshot_count(w.rows, KIND_SERVICE_RESOURCE, "") == 0 &&
		       snapshot_count(w.rows, KIND_SERVICE_USER, "") == 0,
	       "and then the service with its resources");
	world_end(&w);
}

/* The zones of a deleted service's endpoints have been cut, and one report says so of all. */
static void test_zones_left(void)
{
	struct world w;
	size_t n_passes, most, n_cut = 0;

	world_begin(&w);
	put_left(&w, "ServiceDeleted", "Disconnecting");
	world_report(&w);
	n_passes = pass_all(&w, &most);
	for (const struct endpoint_zone *z = NULL; (z = snapshot_next(w.rows, KIND_ENDPOINT_ZONE, "", z));)
		n_cut += z->status == ZONE_DISCONNECTED;
	tap_ok(n_cut == LEFT && most <= LEFTOVERS_GONE_MAX,
	       "zones that a deleted service has left move in steps (%zu passes, at most %zu rows)", n_passes,
	       most);
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
		"connectivity_test/ct-old",
		"connectivity_way/ct-old/0",
	};
	struct leftovers_walk walk = {};
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
	rows_put(w.rows, left_over[14], "{'id':'ct-old','endpoint':'ep-2','create_time':1767000000}");
	rows_put(w.rows, left_over[15], "{'test':'ct-old','part':0,'text':'x'}");
	put_endpoint(&w, "ep-2", "Active");
	put_connection(&w, "ep-2", "Connected", false);
	put_zone(&w, "ep-2", "z-a", "eni-a", "10.0.0.5", "Connected");
	rows_put(w.rows, "tag/ep-2/k", "{'resource':'ep-2','key':'k'}");
	rows_put(w.rows, "token/5/privatelink:CreateVpcEndpoint/new",
		 "{'uid':5,'action':'privatelink:CreateVpcEndpoint','token':'new','create_time':1767323000}");

	view = world_view(&w);
	control_remove_leftovers(&view, &walk, &changes);
	tap_ok(!changes.more && walk.kind == 0 && !*walk.behind, "a walk over a few rows is one step");
	world_commit(&w, &changes);
	for (size_t i = 0; i < ARRAY_SIZE(left_over); i++)
		ok = ok && world_modified(&w, left_over[i]) == 0;
	tap_ok(ok, "what belongs to nothing is swept away, and old tokens, jobs and tests");
	tap_is_int(w.n_ops, ARRAY_SIZE(left_over), "and nothing else");
	tap_ok(snapshot_port(w.rows, "eni-a") && snapshot_find(w.rows, KIND_ADDRESS, "vpc-a/10.0.0.5"),
	       "an endpoint's interface and its address stay");
	world_end(&w);
}

int main(void)
{
	test_vpc_behind_vswitch(true);
	test_vpc_behind_vswitch(false);
	test_instance();
	test_endpoint_deleted();
	test_balancer_deleted();
	test_classic_balancer_deleted();
	test_large_group();
	test_many_deleted();
	test_backlog();
	test_service_deleted();
	test_zones_left();
	test_leftovers();
	return tap_done();
}
