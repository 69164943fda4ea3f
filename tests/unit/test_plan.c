/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of a small world: ports, places, endpoint ENIs and their limits, an ENI that gives way to another,
 * numbers that stay, and rows that dangle.
 */
#include "tests/unit/plan_world.h"

static void test_ports(void)
{
	struct world w;
	const struct plan *plan;
	const struct plan_port *port;
	char text[NETADDR_TEXT_SIZE], service[NETADDR_TEXT_SIZE];

	world_new(&w);
	world_instance(&w, "far", 103, "c", ZONE_I, "10.0.2.77", "sg-c", "n2");
	plan = world_plan(&w);
	tap_is_int(plan->n_failures, 0, "a sound world has no failures");
	tap_is_int(plan->n_ports, 3, "the node's three instances are its ports");
	port = &plan->ports[0];
	tap_is_int(port->number, 100, "ports are sorted by number");
	tap_is_str(port->instance, "i-c", "a port names its instance");
	tap_is_str(port->device, "eth0", "the device inside is eth0 unless asked otherwise");
	netaddr_format(&port->gateway, text);
	tap_is_str(text, "10.0.1.253", "the gateway is the vSwitch's last address but two");
	tap_is_int(port->prefix_length, 24, "the prefix length is the vSwitch's");
	tap_is_int(port->row.vpc, 10, "the row has the VPC's number");
	tap_is_int(port->row.ifindex, 1100, "the row has the device's index");
	tap_is_int(port->row.zone, 1, "the zone is counted by the catalogue");
	tap_is_int(port->row.delivery, PL_PORT_VETH, "a namespace is reached through a veth");
	netaddr_format((const struct netaddr *)&port->row.service_addr, text);
	snprintf(service, sizeof(service), "198.18.0.%u", port->slot);
	tap_is_str(text, service, "its address in VPC 0 is made of its slot");
	tap_ok(plan_port_by_slot(plan, port->slot) == port, "a port is found by its slot");
	tap_ok(!plan_port_by_slot(plan, 9), "no port is found by a slot that none has");
	tap_ok(port->up, "a running instance's device is up");

	rows_put(w.rows, "instance/i-c",
		 "{'id': 'i-c', 'vpc': 'vpc-c', 'node': 'n1', 'kind': 'tap', 'device': 'tap7', 'port': "
		 "'eni-c', "
		 "'status': 'Stopped'}");
	port = &world_plan(&w)->ports[0];
	tap_ok(!port->up, "a stopped instance's device is down");
	tap_is_int(port->row.delivery, PL_PORT_TAP, "a tap is delivered to by its egress");
	tap_is_str(port->device, "tap7", "a tap has the name that was asked for");
	world_free(&w);
}

static void test_places(void)
{
	static const struct {
		uint32_t vpc;
		const char *addr;
		uint32_t kind;
		const char *name;
	} cases[] = {
		{10, "10.0.1.10", PL_PLACE_PORT, "an instance of this node"},
		{10, "10.0.2.77", PL_PLACE_REMOTE, "an instance of another node"},
		{10, "10.0.1.50", PL_PLACE_ENI, "an endpoint's ENI"},
		{10, "10.0.1.253", PL_PLACE_GATEWAY, "the first vSwitch's gateway"},
		{10, "10.0.2.253", PL_PLACE_GATEWAY, "the second vSwitch's gateway"},
		{10, "100.100.2.136", PL_PLACE_DNS, "the VPC's first resolver"},
		{10, "100.100.2.138", PL_PLACE_DNS, "the VPC's second resolver"},
		{10, "10.0.1.51", 0, "an address that no one has"},
		{10, "100.64.0.16", 0, "a translated source in the consumer's VPC"},
		{11, "10.0.1.10", PL_PLACE_PORT, "the same address in the provider's VPC"},
		{11, "10.0.1.50", 0, "the ENI's address in the provider's VPC"},
		{11, "100.64.0.16", PL_PLACE_NAT, "the first translated source"},
		{11, "100.64.0.31", PL_PLACE_NAT, "the last translated source"},
		{11, "100.64.0.32", 0, "the address behind the translated sources"},
		{11, "10.0.1.200", PL_PLACE_VIP, "a load balancer's address"},
		{12, "100.100.2.136", 0, "the resolver of a VPC without a port here"},
	};
	struct world w;
	const struct plan *plan;
	bool sorted = true, known = true;

	world_new(&w);
	world_vpc(&w, "far", 12);
	world_instance(&w, "far", 103, "c", ZONE_I, "10.0.2.77", "sg-c", "n2");
	world_instance(&w, "away", 104, "far", ZONE_I, "10.0.2.77", "sg-c", "n2");
	rows_put(w.rows, "port/eni-lb",
		 "{'id': 'eni-lb', 'number': 7, 'kind': 'load_balancer', 'vpc': 'vpc-p', "
		 "'addr': '10.0.1.200', 'status': 'InUse'}");
	plan = world_plan(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_is_int(place_kind(plan, cases[i].vpc, cases[i].addr), cases[i].kind, "place: %s",
			   cases[i].name);
	tap_is_int(find_place(plan, 10, "10.0.2.77")->value.id, 2, "a remote place has the node's number");
	tap_is_int(find_place(plan, 10, "10.0.1.50")->value.id, find_eni(plan, ZONE_H)->slot,
		   "an ENI's place has its slot");
	for (size_t i = 1; i < plan->n_places; i++)
		sorted &= plan->places[i - 1].key.vpc <= plan->places[i].key.vpc &&
			  memcmp(&plan->places[i - 1].key, &plan->places[i].key,
				 sizeof(plan->places[i].key)) != 0;
	tap_ok(sorted, "places are sorted and each address has one");
	for (size_t i = 0; i < plan->n_places; i++)
		known &= plan->places[i].key.vpc == PL_VPC_NODES ||
			 *plan_vpc_id(plan, plan->places[i].key.vpc);
	tap_ok(known, "the plan knows whose they are");
	tap_is_str(plan_vpc_id(plan, 9999), "", "and no VPC that is not there");

	w.missing_device = 100;
	plan = world_plan(&w);
	tap_is_int(place_kind(plan, 10, "10.0.1.10"), 0, "nothing leads to a port whose device is not there");
	tap_is_int(plan->n_ports, 3, "the port itself is wanted all the same");

	world_instance(&w, "twin", 105, "c", ZONE_H, "10.0.1.50", "sg-c", "n1");
	plan = world_plan(&w);
	tap_is_int(place_kind(plan, 10, "10.0.1.50"), PL_PLACE_PORT,
		   "of two objects at one address the port stays");
	tap_is_str(failure_of(plan, "address/vpc-c/10.0.1.50"), "two objects have this address",
		   "an address taken twice is a failure");
	world_free(&w);
}

static void test_endpoints(void)
{
	static const struct {
		const char *endpoint, *connection, *zone;
		bool connected;
	} cases[] = {
		{"Active", "Connected", "Connected", true},
		{"Creating", "Connecting", "Connecting", true},
		{"Active", "Pending", "Connected", true},
		{"Active", "Connected", "Migrating", true},
		{"Creating", "Connected", "Creating", true},
		{"Active", "Disconnected", "Wait", false},
		{"Active", "Disconnecting", "Connected", false},
		{"Active", "Disconnected", "Connected", false},
		{"Active", "Connected", "Disconnecting", false},
		{"Active", "ServiceDeleted", "Connected", false},
		{"Deleting", "Connected", "Connected", false},
	};
	struct world w;
	const struct plan *plan;
	const struct plan_eni *eni;

	world_new(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		world_endpoint(&w, cases[i].endpoint, cases[i].connection);
		world_endpoint_zone(&w, "ep-1", ZONE_H, "10.0.1.50", 201, cases[i].zone);
		eni = find_eni(world_plan(&w), ZONE_H);
		tap_ok(eni && (eni->value.flags & PL_ENI_F_CONNECTED) == cases[i].connected,
		       "endpoint %s, connection %s, zone %s: %s", cases[i].endpoint, cases[i].connection,
		       cases[i].zone, cases[i].connected ? "connected" : "not connected");
	}
	world_endpoint(&w, "Active", "Connected");
	world_endpoint_zone(&w, "ep-1", ZONE_H, "10.0.1.50", 201, "Deleting");
	tap_ok(!find_eni(world_plan(&w), ZONE_H), "a zone that is being removed has no ENI");
	world_endpoint_zone(&w, "ep-1", ZONE_H, "10.0.1.50", 201, "Connected");
	plan = world_plan(&w);
	tap_ok(find_eni(plan, ZONE_H)->value.target != find_eni(plan, ZONE_I)->value.target &&
		       find_eni(plan, ZONE_H)->value.target,
	       "each zone of the load balancer is a target of its own");
	tap_is_int(find_eni(plan, ZONE_I)->value.number, 202, "an ENI has its port's number");
	tap_is_int(find_eni(plan, ZONE_I)->value.vpc, 10, "an ENI is in the endpoint's VPC");

	rows_delete(w.rows, "connection/ep-1");
	plan = world_plan(&w);
	tap_ok(!(find_eni(plan, ZONE_H)->value.flags & PL_ENI_F_CONNECTED),
	       "no connection row: not connected");
	rows_delete(w.rows, "instance/i-c");
	plan = world_plan(&w);
	tap_is_int(plan->n_enis, 0, "an endpoint of a VPC without a port here is no business of this node");
	world_free(&w);
}

static void test_limits(void)
{
	static const struct {
		const char *control;
		uint32_t bandwidth, between, kbyte_ns; /* Mbit/s */
	} cases[] = {
		{"Scalability", 100, 0, 0},	      {"BandwidthLimit", 100, 0, 81920},
		{"BandwidthLimit", 8192, 0, 1000},    {"BandwidthLimit", 100, 1000, 81920},
		{"BandwidthLimit", 1000, 100, 81920}, {"Scalability", 1000, 100, 81920},
	};
	struct world w;
	const struct plan *plan;
	const struct plan_eni *eni;

	world_new(&w);
	plan = world_plan(&w);
	tap_ok(plan->n_ports > 0 && plan->ports[0].limit.open_ns == 1000000000 / PL_PORT_OPENS_PER_S &&
		       plan->ports[0].limit.dns_ns == 1000000000 / PL_PORT_QUESTIONS_PER_S &&
		       plan->ports[0].limit.kbyte_ns == 0,
	       "a port has limits of new flows and questions");
	tap_ok(find_eni(plan, ZONE_H)->limit.open_ns == 1000000000 / PL_ENI_OPENS_PER_S,
	       "an ENI has one of new flows");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rows_put(w.rows, "connection/ep-1",
			 "{'endpoint': 'ep-1', 'service': 'epsrv-1', 'status': 'Connected', 'bandwidth': %u, "
			 "'traffic_control': '%s'}",
			 cases[i].bandwidth, cases[i].control);
		rows_put(w.rows, "endpoint/ep-1",
			 "{'id': 'ep-1', 'vpc': 'vpc-c', 'service': 'epsrv-1', 'type': 'Interface', "
			 "'groups': ['sg-ep'], 'cross_region_bandwidth': %u, 'status': 'Active'}",
			 cases[i].between);
		eni = find_eni(world_plan(&w), ZONE_H);
		tap_ok(eni->limit.kbyte_ns == cases[i].kbyte_ns &&
			       eni->value.limit == (cases[i].kbyte_ns ? eni->slot : 0),
		       "%s of %u Mbit/s, %u between regions: %u ns for 1,024 bytes", cases[i].control,
		       cases[i].bandwidth, cases[i].between, eni->limit.kbyte_ns);
	}
	tap_is_int(listener_of(w.plan, ZONE_H, 443)->value.open_ns, 0, "a listener has no limit");
	rows_put(w.rows, "listener/lsn-1",
		 "{'id': 'lsn-1', 'load_balancer': 'nlb-1', 'server_group': 'sgp-1', 'protocol': 'TCP', "
		 "'port': 443, 'cps': 10, 'status': 'Running'}");
	tap_is_int(listener_of(world_plan(&w), ZONE_H, 443)->value.open_ns, 100000000,
		   "with Cps 10 a new flow costs a tenth of a second");
	world_free(&w);
}

static const struct plan_eni *eni_at(const struct plan *plan, const char *addr)
{
	const struct plan_place *place = find_place(plan, 10, addr);

	for (size_t i = 0; place && place->value.kind == PL_PLACE_ENI && i < plan->n_enis; i++)
		if (plan->enis[i].slot == place->value.id)
			return &plan->enis[i];
	return NULL;
}

/* Of the zone h: at 10.0.1.77 with nlb-2, beside the one at 10.0.1.50 with nlb-1. */
static void put_migration(struct world *w, const char *status)
{
	rows_put(w->rows, "load_balancer/nlb-2",
		 "{'id': 'nlb-2', 'vpc': 'vpc-p', 'zones': ['" ZONE_H "'], 'status': 'Active'}");
	rows_put(w->rows, "port/eni-new",
		 "{'id': 'eni-new', 'number': 301, 'kind': 'endpoint', 'zone': '" ZONE_H
		 "', 'vpc': 'vpc-c', 'addr': '10.0.1.77', 'groups': ['sg-ep'], 'holder': 'ep-1', 'status': "
		 "'InUse'}");
	rows_put(w->rows, "endpoint_zone/ep-1/" ZONE_H,
		 "{'endpoint': 'ep-1', 'zone': '" ZONE_H "', 'port': 'eni-new', 'addr': '10.0.1.77', "
		 "'resource': 'nlb-2', 'replaced_port': 'eni-ep-1-h', 'replaced_addr': '10.0.1.50', "
		 "'replaced_resource': 'nlb-1', %s}",
		 status);
}

static void test_migration(void)
{
	static const struct {
		const char *status;
		bool has_old, has_new, is_new_connected;
	} cases[] = {
		{"'status': 'Migrating'", true, true, true},
		{"'status': 'Migrated'", true, true, true},
		{"'status': 'Migrated', 'retiring': true", false, true, true},
		{"'status': 'Disconnecting'", false, true, false},
		{"'status': 'Deleting'", false, false, false},
	};
	uint32_t slot, target;
	struct world w;

	world_new(&w);
	world_plan(&w);
	slot = eni_at(w.plan, "10.0.1.50")->slot;
	target = eni_at(w.plan, "10.0.1.50")->value.target;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct plan_eni *old, *new;

		put_migration(&w, cases[i].status);
		world_plan(&w);
		old = eni_at(w.plan, "10.0.1.50");
		new = eni_at(w.plan, "10.0.1.77");
		tap_ok(!old == !cases[i].has_old && !new == !cases[i].has_new,
		       "%s: %s old ENI and %s new one", cases[i].status, cases[i].has_old ? "the" : "no",
		       cases[i].has_new ? "the" : "no");
		tap_ok(!old || (old->slot == slot && old->value.target == target &&
				old->value.flags == PL_ENI_F_CONNECTED && old->set.count),
		       "the old one is as it was, so its flows go on");
		tap_ok(!new || (new->value.target != target &&new->set.count &&
				!(new->value.flags &PL_ENI_F_CONNECTED) == !cases[i].is_new_connected),
		       "the new one leads to the other load balancer");
	}
	put_migration(&w, "'status': 'Migrated'");
	rows_delete(w.rows, "port/eni-ep-1-h");
	tap_is_str(failure_of(world_plan(&w), "endpoint/ep-1"),
		   "the interface eni-ep-1-h of zone " ZONE_H " is missing",
		   "an old ENI that is missing is told");
	world_free(&w);
}

/* An ENI that is given another number is another one to the nodes. */
static void test_renumbered(void)
{
	struct world w;
	uint32_t slot;

	world_new(&w);
	slot = eni_at(world_plan(&w), "10.0.1.50")->slot;
	world_endpoint_zone(&w, "ep-1", ZONE_H, "10.0.1.50", 251, "Connected");
	world_plan(&w);
	tap_ok(eni_at(w.plan, "10.0.1.50") && eni_at(w.plan, "10.0.1.50")->slot != slot,
	       "an ENI with another number has another slot, which the flows of the old one do not know");
	for (size_t i = 0; i < w.plan->n_enis; i++)
		tap_ok(w.plan->enis[i].slot != slot, "and the old slot is nobody's");
	world_free(&w);
}

static void test_indexes(void)
{
	struct world w;
	uint32_t slot_p2, slot_eni, slot_a, backend, target;
	struct plan *again;
	char text[512];

	world_new(&w);
	world_plan(&w);
	slot_p2 = w.plan->ports[2].slot;
	slot_eni = find_eni(w.plan, ZONE_I)->slot;
	target = find_eni(w.plan, ZONE_I)->value.target;
	backend = w.plan->backends[1].index;
	rows_delete(w.rows, "server/sgp-1/i-p1/443");
	rows_delete(w.rows, "instance/i-p1");
	rows_delete(w.rows, "endpoint_zone/ep-1/" ZONE_H);
	world_instance(&w, "a", 90, "c", ZONE_H, "10.0.1.9", "sg-c", "n1");
	world_plan(&w);
	tap_is_int(w.plan->ports[2].slot, slot_p2, "a port keeps its slot while others come and go");
	tap_is_int(find_eni(w.plan, ZONE_I)->slot, slot_eni, "so does an ENI");
	tap_is_int(find_eni(w.plan, ZONE_I)->value.target, target, "and a target its number");
	tap_is_int(w.plan->backends[0].index, backend, "and a backend its index");
	tap_ok(w.plan->ports[0].slot > slot_eni, "a slot that was released rests first");
	slot_a = w.plan->ports[0].slot;
	world_instance(&w, "b", 89, "c", ZONE_H, "10.0.1.8", "sg-c", "n1");
	world_plan(&w);
	tap_ok(w.plan->ports[0].slot > slot_a, "until all others were used");
	rows_delete(w.rows, "instance/i-b");
	rows_delete(w.rows, "port/eni-b");
	world_plan(&w);

	if (world_build(&w, &again) < 0)
		exit(EXIT_FAILURE);
	tap_ok(again->n_places == w.plan->n_places &&
		       memcmp(again->places, w.plan->places, again->n_places * sizeof(*again->places)) == 0,
	       "the same rows make the same plan");
	plan_free(again);

	/* A restarted agent reads the numbers back from the kernel. */
	plan_indexes_free(w.indexes);
	plan_indexes_new(&w.indexes);
	tap_is_int(plan_indexes_adopt_slot(w.indexes, 102, 700), 0,
		   "a slot found in the kernel is taken over");
	tap_is_int(plan_indexes_adopt_slot(w.indexes, 102, 700), 0, "twice the same is fine");
	tap_is_int(plan_indexes_adopt_slot(w.indexes, 103, 700), -EEXIST, "another port cannot have it");
	tap_is_int(plan_indexes_adopt_slot(w.indexes, 102, 701), -EEXIST, "nor can the port have two");
	tap_is_int(plan_indexes_adopt_slot(w.indexes, 104, 3), -ERANGE,
		   "a slot outside of the range is refused");
	tap_is_int(plan_indexes_adopt_backend(w.indexes, 11, &w.plan->backends[0].value.addr,
					      w.plan->backends[0].value.port, 33),
		   0, "a backend's index is taken over");
	plan_indexes_adopt_target(w.indexes, 55);
	(void)plan_indexes_rest_slot(w.indexes, 701);
	world_plan(&w);
	tap_is_int(w.plan->ports[2].slot, 700, "the adopted slot is the port's");
	tap_is_int(w.plan->ports[0].slot, 702, "others are behind it, and not one that rests");
	tap_is_int(w.plan->backends[0].index, 33, "the adopted index is the backend's");
	tap_is_int(find_eni(w.plan, ZONE_I)->value.target, 56,
		   "new targets are numbered above the adopted ones");
	snprintf(text, sizeof(text), "%llx", (unsigned long long)w.plan->revision);
	tap_is_int(w.plan->revision, snapshot_revision(w.rows), "a plan knows the revision of its rows");
	world_free(&w);
}

/* Every single row is taken away, and every pair of a row and the first instance: nothing may crash. */
static void test_dangling(void)
{
	static const char *const keys[] = {
		"node/n1",
		"vpc/vpc-c",
		"vpc/vpc-p",
		"vswitch/vsw-c-h",
		"vswitch/vsw-p-h",
		"security_group/sg-c",
		"security_group/sg-ep",
		"sg_rule/sg-ep/sgr-1",
		"instance/i-c",
		"instance/i-p1",
		"port/eni-c",
		"port/eni-p1",
		"port/eni-ep-1-h",
		"load_balancer/nlb-1",
		"listener/lsn-1",
		"server_group/sgp-1",
		"server/sgp-1/i-p1/443",
		"nat_range/vpc-p/n1",
		"service/epsrv-1",
		"endpoint/ep-1",
		"endpoint_zone/ep-1/" ZONE_H,
		"connection/ep-1",
	};
	static const struct {
		const char *gone, *key, *reason;
	} reasons[] = {
		{"port/eni-c", "instance/i-c", "its interface eni-c is missing"},
		{"vpc/vpc-c", "instance/i-c", "the VPC or the vSwitch of its interface eni-c is missing"},
		{"port/eni-ep-1-h", "endpoint/ep-1",
		 "the interface eni-ep-1-h of zone " ZONE_H " is missing"},
		{"load_balancer/nlb-1", "endpoint/ep-1",
		 "the load balancer nlb-1 of zone " ZONE_H " is missing"},
		{"nat_range/vpc-p/n1", "endpoint/ep-1",
		 "VPC vpc-p has no translated addresses for this node yet"},
		{"server_group/sgp-1", "listener/lsn-1", "the server group sgp-1 or its VPC is missing"},
		{"security_group/sg-ep", "endpoint/ep-1", "the security group sg-ep is missing"},
	};
	struct world w;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (size_t j = 0; j <= i; j++) {
			world_new(&w);
			rows_delete(w.rows, keys[i]);
			rows_delete(w.rows, keys[j]);
			world_plan(&w);
			world_free(&w);
		}
	tap_ok(true, "no pair of missing rows stops the plan");
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		world_new(&w);
		rows_delete(w.rows, reasons[i].gone);
		tap_is_str(failure_of(world_plan(&w), reasons[i].key), reasons[i].reason,
			   "without %s, %s fails", reasons[i].gone, reasons[i].key);
		world_free(&w);
	}
}

int main(void)
{
	test_ports();
	test_places();
	test_endpoints();
	test_limits();
	test_migration();
	test_renumbered();
	test_indexes();
	test_dangling();
	return tap_done();
}
