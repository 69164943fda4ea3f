/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces, links and files of instances, on the running kernel. All of it happens in a namespace and under
 * directories of the test's own; what it makes carries the test's process id.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "ports/files.h"
#include "ports/netns.h"
#include "ports/ports.h"
#include "ports/tap.h"
#include "tests/tap.h"

static char scratch[64], node[32], attached_name[32];

struct attached {
	uint32_t slot, ifindex;
	uint8_t delivery;
	int calls;
	bool was_up;
	bool is_bare;	     /* as if someone had taken the programs off */
	useconds_t delay_us; /* how long it takes to attach */
	int result;	     /* of attaching */
	bool is_sweep_slow;
	bool is_held, is_sweep_held; /* until someone posts: */
	sem_t *go;
	int n_swept, sweep_result;
	uint32_t swept_slot;
	bool posts_at_breath;
};

/* Notes what was attached, and whether the device was up already. */
static int note_attach(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	struct attached *attached = context;
	struct rtnl_link link;
	char name[IFNAMSIZ];
	struct rtnl *rtnl;

	attached->slot = slot;
	attached->ifindex = ifindex;
	attached->delivery = delivery;
	attached->calls++;
	attached->was_up = false;
	(void)usleep(attached->delay_us);
	if (attached->is_held)
		(void)sem_wait(attached->go);
	if (rtnl_open(-1, &rtnl) == 0) {
		if (if_indextoname(ifindex, name) && rtnl_link_get(rtnl, name, &link) == 0)
			attached->was_up = link.is_up;
		rtnl_free(rtnl);
	}
	return attached->result;
}

static enum port_check say_check(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery)
{
	const struct attached *attached = context;

	(void)slot;
	(void)ifindex;
	(void)delivery;
	return attached->is_bare ? PORT_BARE : PORT_FIRM;
}

static int note_sweep(void *context, uint32_t slot)
{
	struct attached *attached = context;

	attached->n_swept++;
	attached->swept_slot = slot;
	if (attached->is_sweep_held)
		(void)sem_wait(attached->go);
	if (attached->is_sweep_slow)
		(void)usleep(60000);
	return attached->sweep_result;
}

/* Of who waits for a device. */
static void post_at_breath(void *context)
{
	struct attached *attached = context;

	if (attached->posts_at_breath)
		(void)sem_post(attached->go);
}

static struct plan_port make_port(uint32_t number, enum instance_kind kind)
{
	struct plan_port port = {
		.number = number, .slot = number, .kind = kind, .prefix_length = 24, .mtu = 1500, .up = true};

	(void)str_format(port.instance, sizeof(port.instance), "i-%ut%u", (unsigned int)getpid(), number);
	(void)str_copy(port.device, sizeof(port.device), "eth0");
	(void)str_copy(port.host_name, sizeof(port.host_name), "web-1");
	port.mac = (struct mac){{0x02, 0, 0, 0, 0, (uint8_t)number}};
	port.addr = netaddr_v4(0x0a000000 | number);
	(void)netaddr_parse("10.0.0.253", &port.gateway);
	return port;
}

static bool link_in(const char *netns, const char *name, struct rtnl_link *ret)
{
	_cleanup_(closep) int fd = netns ? netns_open(netns) : -1;
	struct rtnl *rtnl;
	int r;

	if ((netns && fd < 0) || rtnl_open(fd, &rtnl) < 0)
		return false;
	r = rtnl_link_get(rtnl, name, ret);
	rtnl_free(rtnl);
	return r == 0;
}

static bool default_in(const char *netns, struct rtnl_default *ret)
{
	_cleanup_(closep) int fd = netns_open(netns);
	struct rtnl *rtnl;
	int r;

	if (fd < 0 || rtnl_open(fd, &rtnl) < 0)
		return false;
	r = rtnl_default_get(rtnl, ret);
	rtnl_free(rtnl);
	return r == 0;
}

static bool file_has(const char *path, const char *part)
{
	_cleanup_(freep) char *content = NULL;
	size_t size;

	return file_read(path, &content, &size) == 0 && strstr(content, part);
}

static struct netns_files *make_files(void)
{
	char directory[128], state[128];
	struct netns_files_options options = {
		.directory = directory, .state_dir = state, .host_ssl = "/etc/ssl"};
	struct netns_files *files = NULL;

	(void)str_format(directory, sizeof(directory), "%s/netns", scratch);
	(void)str_format(state, sizeof(state), "%s", scratch);
	return netns_files_new(&options, &files) == 0 ? files : NULL;
}

static void test_namespace(struct ports *ports, struct attached *attached, struct netns_files *files)
{
	struct plan_port port = make_port(0x11, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct rtnl_link link, inside;
	struct failures failures = {};
	struct rtnl_default route;
	char path[256], node_name[65] = "", node_line[200];
	struct mac gateway_mac;
	uint32_t first;

	(void)mac_parse(PLAN_GATEWAY_MAC, &gateway_mac);
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "an instance's port brings a device");
	tap_is_int((int)failures.n, 0, "nothing failed");
	tap_ok(link_in(NULL, "pl11", &link), "the node-side device is named by the port's number in hex");
	tap_ok(memcmp(&link.mac, &gateway_mac, sizeof(gateway_mac)) != 0, "its MAC is not the gateway's");
	tap_ok(link.is_up, "it is up");
	tap_ok(attached->calls == 1 && attached->ifindex == link.ifindex && attached->slot == 0x11 &&
		       !attached->was_up,
	       "the data path was attached before it was up");
	tap_ok(link_in(port.instance, "eth0", &inside) && inside.is_up &&
		       memcmp(&inside.mac, &port.mac, sizeof(port.mac)) == 0,
	       "eth0 inside is up and has the port's MAC");
	tap_ok(default_in(port.instance, &route) && netaddr_compare(&route.gateway, &port.gateway) == 0,
	       "the default route goes to the gateway");
	tap_is_int(ports_ifindex(ports, 0x11), link.ifindex, "the plan can ask for its device");
	(void)str_format(path, sizeof(path), "%s/netns/%s/resolv.conf", scratch, port.instance);
	tap_ok(file_has(path, "nameserver 100.100.2.136\n"), "resolv.conf names the VPC's resolver");
	(void)str_format(path, sizeof(path), "%s/netns/%s/hosts", scratch, port.instance);
	tap_ok(file_has(path, "\n10.0.0.17\tweb-1\n"), "hosts has the instance's own name at its address");
	(void)gethostname(node_name, sizeof(node_name) - 1);
	(void)str_format(node_line, sizeof(node_line), "\n127.0.1.1\t%s\n::1\t%s\n", node_name, node_name);
	tap_ok(file_has(path, node_line), "and the node's, at the loopback");
	(void)str_format(path, sizeof(path), "%s/netns/%s/hostname", scratch, port.instance);
	tap_ok(file_has(path, "web-1\n"), "hostname has the instance's");

	tap_is_int(ports_sync(ports, &plan, true, &failures), 0, "a second look changes nothing");
	first = link.ifindex;
	tap_ok(link_in(NULL, "pl11", &link) && link.ifindex == first, "the device is the same");

	port.up = false;
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(link_in(NULL, "pl11", &link) && !link.is_up, "a stopped instance's device is down");
	port.up = true;
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(link_in(NULL, "pl11", &link) && link.is_up, "it is up again when the instance runs");
	tap_ok(default_in(port.instance, &route) && route.ifindex, "and its default route is still there");

	(void)netns_remove(port.instance);
	for (int i = 0; i < 1500 && link_in(NULL, "pl11", &link); i++)
		(void)usleep(20000); /* the kernel takes its time for that */
	tap_is_int(ports_sync(ports, &plan, true, &failures), 1, "a lost namespace is made again");
	tap_ok(link_in(port.instance, "eth0", &inside), "with its eth0");

	(void)netns_files_write(files, port.instance, port.host_name, &port.addr);
	tap_is_int(ports_remove_others(ports, &empty, false), 1, "an instance that is gone is removed");
	tap_ok(!link_in(NULL, "pl11", &link), "its device is gone");
	tap_is_int(netns_open(port.instance), -ENOENT, "its namespace's name is gone");
	(void)str_format(path, sizeof(path), "%s/netns/%s", scratch, port.instance);
	tap_ok(access(path, F_OK) < 0, "its files are gone");
	failures_clear(&failures);
}

static void test_attached(struct ports *ports)
{
	struct plan_port port = make_port(0x12, INSTANCE_ATTACHED);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	_cleanup_(closep) int fd = -EBADF;
	struct rtnl_link link;

	(void)str_format(port.path, sizeof(port.path), "/proc/self/ns/net");
	(void)ports_sync(ports, &plan, false, &failures);
	tap_is_int((int)failures.n, 1, "the node's own namespace is refused as an instance");
	tap_ok(failures.n && strstr(failures.items[0].reason, "not permitted"), "and the reason says so");
	failures_clear(&failures);

	(void)str_format(port.path, sizeof(port.path), "/dev/null");
	(void)ports_sync(ports, &plan, false, &failures);
	tap_is_int((int)failures.n, 1, "a path that is no namespace is refused");
	failures_clear(&failures);

	(void)str_format(attached_name, sizeof(attached_name), "plt-%u", (unsigned int)getpid());
	(void)netns_add(attached_name, NULL, NULL);
	(void)str_format(port.path, sizeof(port.path), NETNS_DIR "/%s", attached_name);
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1,
		   "an existing namespace is attached by its path");
	tap_ok(link_in(attached_name, "eth0", &link) && link.is_up, "it has an eth0 now");
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(!link_in(attached_name, "eth0", &link) && link_in(attached_name, "lo", &link),
	       "when the instance is gone, the interface is, and the namespace stays");

	(void)ports_sync(ports, &plan, false, &failures);
	fd = netns_open(attached_name);
	(void)netns_remove(attached_name);
	(void)ports_sync(ports, &plan, true, &failures);
	tap_ok(failures.n == 1 && link_in(NULL, "pl12", &link),
	       "a namespace that lives on without its name is a failure");
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(!link_in(NULL, "pl12", &link), "when the instance is gone, its device is all the same");
	failures_clear(&failures);
}

static void test_tap(struct ports *ports, struct attached *attached)
{
	struct plan_port port = make_port(0x13, INSTANCE_TAP);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	struct rtnl_link link;
	int fd;

	(void)str_format(port.device, sizeof(port.device), "vm7");
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "a tap device is made");
	tap_ok(link_in(NULL, "vm7", &link) && link.is_up && attached->delivery == PL_PORT_TAP,
	       "under its own name, up, attached as a tap");
	tap_is_int(ports_sync(ports, &plan, true, &failures), 0, "a second look changes nothing");
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(!link_in(NULL, "vm7", &link), "it is gone with the instance");

	fd = tap_add("vm7");
	(void)tap_keep(fd);
	closep(&fd);
	(void)ports_sync(ports, &plan, true, &failures);
	tap_ok(failures.n == 1 && strstr(failures.items[0].reason, "File exists"),
	       "a tap that someone else has made is not taken over");
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(link_in(NULL, "vm7", &link) && !*link.alias, "and not removed");
	failures_clear(&failures);
}

static void add_foreign(struct rtnl *rtnl, const char *name)
{
	_cleanup_(closep) int fd = netns_open_own();
	char peer[IFNAMSIZ];
	struct rtnl_veth veth = {
		.name = name,
		.peer_name = peer,
		.peer_netns_fd = fd,
		.mtu = 1500,
		.mac = {{2, 0, 0, 0, 1, 1}},
		.peer_mac = {{2, 0, 0, 0, 1, 2}},
	};

	(void)str_format(peer, sizeof(peer), "o-%s", name);
	(void)rtnl_veth_add(rtnl, &veth);
}

static void test_marks(struct ports *ports, const struct ports_options *options)
{
	struct plan_port port = make_port(0x14, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	struct ports *restarted;
	struct rtnl_link link;
	struct rtnl *rtnl;

	(void)rtnl_open(-1, &rtnl);
	add_foreign(rtnl, "pl14");
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(failures.n == 1 && strstr(failures.items[0].key, port.instance),
	       "a device of that name that is not ours is a failure of that instance");
	tap_is_int(netns_open(port.instance), -ENOENT, "and nothing is left half made: no namespace");
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(link_in(NULL, "pl14", &link), "and it is not removed");
	(void)rtnl_link_remove(rtnl, link.ifindex);
	rtnl_free(rtnl);
	failures_clear(&failures);

	(void)ports_sync(ports, &plan, false, &failures);
	tap_is_int(ports_new(options, &restarted), 0, "a restarted agent looks around");
	tap_ok(ports_ifindex(restarted, 0x14) != 0, "and finds its devices by their marks");
	(void)ports_remove_others(restarted, &empty, true);
	tap_ok(!link_in(NULL, "pl14", &link) && netns_open(port.instance) == -ENOENT,
	       "it removes an instance that was deleted meanwhile");
	ports_free(restarted);
	failures_clear(&failures);
}

/* A device that is up without its programs. */
static void test_bare(struct ports *ports, struct attached *attached)
{
	struct plan_port port = make_port(0x17, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct rtnl_change change = {.name = "away17"};
	struct failures failures = {};
	struct rtnl_link link;
	struct rtnl *rtnl;

	(void)rtnl_open(-1, &rtnl);
	(void)ports_remove_others(ports, &empty, true); /* what was before */
	(void)ports_sync(ports, &plan, false, &failures);
	tap_is_int(ports_look(ports), 0, "what stands as it was made is not disturbed");
	attached->is_bare = true;
	tap_is_int(ports_look(ports), 1, "a device that has lost its programs is");
	tap_ok(link_in(NULL, "pl17", &link) && !link.is_up, "and is set down at once");
	attached->is_bare = false;
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(link_in(NULL, "pl17", &link) && link.is_up, "it is up again when it has got them");

	(void)rtnl_link_change(rtnl, link.ifindex, &(struct rtnl_change){.set_down = true});
	(void)rtnl_link_change(rtnl, link.ifindex, &change);
	(void)rtnl_link_change(rtnl, link.ifindex, &(struct rtnl_change){.set_up = true});
	add_foreign(rtnl, "pl17");
	tap_is_int(ports_look(ports), 1, "a renamed device is noticed");
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(failures.n == 1 && link_in(NULL, "away17", &link) && link.is_up,
	       "where its name is taken that is a failure, and what runs goes on");
	attached->is_bare = true;
	(void)ports_look(ports);
	tap_ok(link_in(NULL, "away17", &link) && !link.is_up, "but not without its programs");
	attached->is_bare = false;
	(void)link_in(NULL, "pl17", &link);
	(void)rtnl_link_remove(rtnl, link.ifindex);
	ports_retry(ports);
	failures_clear(&failures);
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(failures.n == 0 && link_in(NULL, "pl17", &link) && link.is_up,
	       "it gets its name again when that is free");
	(void)ports_remove_others(ports, &empty, true);
	rtnl_free(rtnl);
	failures_clear(&failures);
}

/* Ports that take longer each than a sync has time for. */
static void test_budget(struct ports *ports, struct attached *attached)
{
	struct plan_port three[] = {make_port(0x31, INSTANCE_NETNS), make_port(0x32, INSTANCE_NETNS),
				    make_port(0x33, INSTANCE_NETNS)};
	struct plan plan = {.ports = three, .n_ports = 3}, empty = {};
	struct failures failures = {};
	int before = attached->calls;

	attached->delay_us = 250000;
	for (int i = 1; i <= 3; i++) {
		tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "sync %d of many ports", i);
		tap_is_int(attached->calls - before, i, "has time for one more of them");
		tap_is_int(ports_ifindex(ports, 0x30 + i) != 0, 1, "which the plan can ask for at once");
		tap_is_int(ports_are_behind(ports), i < 3, "and says whether there are more to make");
	}
	attached->delay_us = 0;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 0, "then nothing is left to do");
	tap_is_int((int)failures.n, 0, "and to be late was no failure");
	(void)ports_remove_others(ports, &empty, true);
	failures_clear(&failures);
}

/* As the agent does it: the first result that is negative, or how many devices came. */
static int work_queue_off(struct ports *ports, const struct plan *plan)
{
	struct pollfd fd = {.fd = ports_fd(ports), .events = POLLIN};
	char instance[ID_SIZE];
	int r = 0, came = 0;

	while (r >= 0 && ports_go_on(ports, plan, true) == 0 && ports_are_queued(ports)) {
		(void)poll(&fd, 1, -1);
		r = ports_take_done(ports, instance);
		came += r > 0;
	}
	return r < 0 ? r : came;
}

/* Of two ports the one. */
static void test_some(struct ports *ports, struct attached *attached)
{
	struct plan_port two[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS)};
	struct plan plan = {.ports = two, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x42, 0x43};
	struct rtnl_link link;
	int before = attached->calls, swept = attached->n_swept;

	tap_is_int(ports_queue(ports, &plan, numbers, 2), 0, "one of two ports is queued");
	tap_is_int(work_queue_off(ports, &plan), 1, "and made");
	tap_ok(attached->calls == before + 1 && link_in(NULL, "pl42", &link) && !link_in(NULL, "pl41", &link),
	       "and no other one");
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_ok(!ports_are_queued(ports), "then it is left alone");
	two[1].up = false;
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_is_int(work_queue_off(ports, &plan), 0, "when it stops its device stays");
	tap_ok(link_in(NULL, "pl42", &link) && !link.is_up, "and is down");
	(void)ports_queue(ports, &empty, numbers, 2);
	tap_ok(ports_go_on(ports, &empty, false) == 0 && !ports_are_queued(ports) &&
		       link_in(NULL, "pl42", &link),
	       "what is not wanted any more stays while nothing may be removed");
	(void)ports_queue(ports, &empty, numbers, 2);
	tap_is_int(work_queue_off(ports, &empty), 0, "else it is removed");
	tap_ok(!link_in(NULL, "pl42", &link) && netns_open(two[1].instance) == -ENOENT,
	       "with its device and its namespace");
	tap_ok(attached->n_swept == swept + 1 && attached->swept_slot == two[1].slot,
	       "and with what was left of its programs");

	two[1].up = true;
	two[1].kind = INSTANCE_ATTACHED;
	(void)str_copy(two[1].path, sizeof(two[1].path), "/nowhere");
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_is_int(work_queue_off(ports, &plan), -EAGAIN, "one that cannot be made says so");
	tap_is_int(ports_queue(ports, &plan, numbers, 2), -EAGAIN, "until a sync of all has named it");
	(void)ports_remove_others(ports, &empty, false);
}

/* The kernel lets whoever attaches programs wait. */
static void test_waiting(struct ports *ports, struct attached *attached)
{
	struct plan_port three[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS),
				    make_port(0x43, INSTANCE_NETNS)};
	struct plan plan = {.ports = three, .n_ports = 3}, two = {.ports = three, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x42, 0x43, 0x41};
	struct failures failures = {};
	char instance[ID_SIZE] = "";
	struct rtnl_link link;
	int before = attached->calls;

	attached->is_held = true;
	tap_is_int(ports_queue(ports, &plan, numbers, 3), 0, "three ports are queued");
	tap_is_int(ports_go_on(ports, &plan, true), 0, "and the first one is begun,");
	tap_ok(ports_are_busy(ports) && ports_take_done(ports, instance) == 0,
	       "for which nobody waits who does not want to");
	tap_is_int(ports_go_on(ports, &plan, true), 0, "another one is not begun beside it");
	tap_is_int(ports_ifindex(ports, 0x42) == 0, 1, "it is not there yet");
	attached->posts_at_breath = true;
	tap_is_int(ports_sync(ports, &two, false, &failures), 1,
		   "a sync of all waits, and breathes meanwhile");
	attached->posts_at_breath = attached->is_held = false;
	while (sem_trywait(attached->go) == 0) {
	}
	tap_ok(attached->calls == before + 2 && ports_ifindex(ports, 0x42) && ports_ifindex(ports, 0x41),
	       "then it is there, and so is the other one that the plan has");
	tap_is_int(ports_take_done(ports, instance), 0, "whose work is done was told already");
	tap_is_int(work_queue_off(ports, &two), 0, "the third one's turn comes");
	tap_ok(attached->calls == before + 2 && !link_in(NULL, "pl43", &link),
	       "when the plan does not want it any more, so it is not made");
	(void)ports_remove_others(ports, &empty, true);
	failures_clear(&failures);
}

/* An instance that is started again while its device is being set down. */
static void test_changed_meanwhile(struct ports *ports, struct attached *attached)
{
	struct plan_port port = make_port(0x44, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	const uint32_t number = 0x44;
	struct rtnl_link link;

	(void)ports_queue(ports, &plan, &number, 1);
	(void)work_queue_off(ports, &plan);
	attached->is_held = true;
	port.up = false;
	(void)ports_queue(ports, &plan, &number, 1);
	(void)ports_go_on(ports, &plan, true);
	port.up = true;
	(void)ports_queue(ports, &plan, &number, 1);
	(void)sem_post(attached->go);
	(void)sem_post(attached->go);
	tap_is_int(work_queue_off(ports, &plan), 0,
		   "what is wanted as before, while it is made another way,");
	tap_ok(link_in(NULL, "pl44", &link) && link.is_up, "is made as before when that is done");
	attached->is_held = false;
	(void)ports_remove_others(ports, &empty, false);
}

static bool is_told(const struct ports *ports, const struct plan *plan, size_t n, const char *instance,
		    const char *reason)
{
	_cleanup_(failures_clear) struct failures failures = {};
	bool is_found = false;

	if (ports_tell_queued(ports, plan, true, &failures) < 0 || failures.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		is_found |=
			strstr(failures.items[i].key, instance) && streq(failures.items[i].reason, reason);
	return is_found || n == 0;
}

/* What a report says while devices are queued. */
static void test_told(struct ports *ports, struct attached *attached)
{
	static const char make[] = "its device is still to be made",
			  gone[] = "its device is still to be removed";
	struct plan_port three[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS),
				    make_port(0x43, INSTANCE_ATTACHED)};
	struct plan plan = {.ports = three, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x41, 0x42, 0x43};
	struct failures failures = {};

	attached->is_held = true;
	(void)ports_queue(ports, &plan, numbers, 2);
	(void)ports_go_on(ports, &plan, true);
	tap_ok(is_told(ports, &plan, 2, three[0].instance, make) &&
		       is_told(ports, &plan, 2, three[1].instance, make),
	       "the device that is being made is told, and that which is queued");
	attached->is_held = false;
	(void)sem_post(attached->go);
	(void)work_queue_off(ports, &plan);
	tap_ok(is_told(ports, &plan, 0, "", ""), "and none when they are there");

	three[0].mtu = 1400;
	three[1].up = false;
	(void)ports_queue(ports, &plan, numbers, 2);
	tap_ok(is_told(ports, &plan, 1, three[1].instance, make),
	       "one that is to be set down is told, one that lacks another MTU is not");
	(void)work_queue_off(ports, &plan);

	plan.n_ports = 3;
	(void)str_copy(three[2].path, sizeof(three[2].path), "/nowhere");
	(void)ports_sync(ports, &plan, false, &failures);
	ports_retry(ports);
	(void)ports_queue(ports, &plan, numbers, 3);
	tap_ok(failures.n == 1 && ports_are_queued(ports) && is_told(ports, &plan, 0, "", ""),
	       "what has failed is told by the sync that made the same");
	(void)str_copy(three[2].path, sizeof(three[2].path), "/elsewhere");
	tap_ok(is_told(ports, &plan, 1, three[2].instance, make), "of another wish it says nothing");
	(void)work_queue_off(ports, &plan);

	plan.n_ports = 2;
	(void)ports_remove_others(ports, &plan, false);
	(void)ports_queue(ports, &empty, numbers, 2);
	attached->is_sweep_held = true;
	(void)ports_go_on(ports, &empty, true);
	tap_ok(is_told(ports, &empty, 2, three[0].instance, gone) &&
		       is_told(ports, &empty, 2, three[1].instance, gone),
	       "a device that is being removed is told, and that which is to be");
	attached->is_sweep_held = false;
	(void)sem_post(attached->go);
	(void)work_queue_off(ports, &empty);
	tap_ok(is_told(ports, &empty, 0, "", ""), "and none when they have gone");

	plan.n_ports = 1;
	three[0].up = false;
	three[0].kind = INSTANCE_ATTACHED;
	(void)str_copy(three[0].path, sizeof(three[0].path), "/nowhere");
	(void)ports_queue(ports, &plan, numbers, 1);
	tap_ok(is_told(ports, &plan, 0, "", ""), "one that is stopped need not be there");
	(void)work_queue_off(ports, &plan);

	plan.ports = &three[1];
	three[1].up = true;
	(void)ports_queue(ports, &plan, numbers, 2);
	(void)work_queue_off(ports, &plan);
	attached->sweep_result = -EBUSY;
	(void)ports_queue(ports, &empty, numbers, 2);
	(void)work_queue_off(ports, &empty);
	tap_ok(is_told(ports, &empty, 1, three[1].instance, "its device could not be removed"),
	       "one that could not be removed is told until it is");
	attached->sweep_result = 0;
	(void)ports_remove_others(ports, &empty, false);
	tap_ok(is_told(ports, &empty, 0, "", ""), "which the next try may do");
	failures_clear(&failures);
}

/* More than a report has room for. */
static void test_too_many_told(struct ports *ports)
{
	size_t n = PORTS_TOLD_MAX + 1;
	struct plan_port *many = calloc(n, sizeof(*many));
	uint32_t *numbers = calloc(n, sizeof(*numbers));
	struct plan plan = {.ports = many, .n_ports = n}, empty = {};
	struct failures failures = {};

	for (size_t i = 0; many && numbers && i < n; i++) {
		many[i].number = numbers[i] = 0x1000 + (uint32_t)i;
		many[i].up = true;
		(void)str_format(many[i].instance, sizeof(many[i].instance), "i-%zu", i);
	}
	(void)ports_queue(ports, &plan, numbers, n - 1);
	tap_ok(ports_tell_queued(ports, &plan, true, &failures) == 0 && failures.n == n - 1,
	       "as many as a report may name");
	failures_clear(&failures);
	(void)ports_queue(ports, &plan, numbers, n);
	tap_is_int(ports_tell_queued(ports, &plan, true, &failures), -E2BIG, "one more is too many");
	(void)work_queue_off(ports, &empty);
	failures_clear(&failures);
	free(many);
	free(numbers);
}

/* Of three accounts one wants more than the others. */
static void test_turns(struct ports *ports)
{
	static const uint32_t numbers[] = {0x41, 0x42, 0x43, 0x44, 0x45};
	static const uint32_t accounts[] = {7, 7, 7, 3, 9};
	struct pollfd fd = {.fd = ports_fd(ports), .events = POLLIN};
	struct plan_port five[ARRAY_SIZE(numbers)];
	struct plan plan = {.ports = five, .n_ports = ARRAY_SIZE(five)}, empty = {};
	char order[64] = "", instance[ID_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(five); i++) {
		five[i] = make_port(numbers[i], INSTANCE_NETNS);
		five[i].limit.account = accounts[i];
	}
	(void)ports_queue(ports, &plan, numbers, 1);
	(void)ports_go_on(ports, &plan, true);
	(void)ports_queue(ports, &plan, numbers + 1, ARRAY_SIZE(numbers) - 1);
	while (ports_are_queued(ports)) {
		(void)poll(&fd, 1, -1);
		if (ports_take_done(ports, instance) > 0)
			(void)str_format(order + strlen(order), sizeof(order) - strlen(order), "%s ",
					 strrchr(instance, 't') + 1);
		(void)ports_go_on(ports, &plan, true);
	}
	tap_is_str(order, "65 69 68 66 67 ", "accounts take turns, and each has its own in their order");
	(void)ports_remove_others(ports, &empty, true);
}

/* Once the start is over. */
static void test_rest(struct ports *ports, struct attached *attached)
{
	struct plan_port three[] = {make_port(0x31, INSTANCE_NETNS), make_port(0x32, INSTANCE_NETNS),
				    make_port(0x33, INSTANCE_NETNS)};
	struct plan plan = {.ports = three, .n_ports = 3}, empty = {};
	struct failures failures = {};
	int before = attached->calls;

	ports_queue_rest(ports);
	attached->delay_us = 100000;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "a later sync of many ports");
	tap_ok(attached->calls == before + 1 && !ports_are_behind(ports) && ports_are_queued(ports),
	       "makes one, and leaves the rest to the queue");
	tap_is_int((int)failures.n, 0, "which is no failure");
	attached->delay_us = 0;
	tap_is_int(work_queue_off(ports, &plan), 2, "that makes them");
	attached->is_sweep_slow = true;
	tap_is_int(ports_remove_others(ports, &empty, false), 1, "a removal of many");
	tap_ok(ports_are_queued(ports), "does not wait for all, either");
	attached->is_sweep_slow = false;
	tap_is_int(work_queue_off(ports, &empty), 0, "the rest is removed in its turn");
	for (size_t i = 0; i < ARRAY_SIZE(three); i++)
		tap_is_int(netns_open(three[i].instance), -ENOENT, "%s has gone", three[i].instance);
	failures_clear(&failures);
}

/* A number that is wanted again while its devices go. */
static void test_wanted_again(struct ports *ports, struct attached *attached)
{
	struct plan_port two[] = {make_port(0x41, INSTANCE_NETNS), make_port(0x42, INSTANCE_NETNS)};
	struct plan plan = {.ports = two, .n_ports = 2}, empty = {};
	const uint32_t numbers[] = {0x41, 0x42};
	struct failures failures = {};
	struct rtnl_link link;
	uint32_t first[2];

	(void)ports_sync(ports, &plan, false, &failures);
	first[0] = ports_ifindex(ports, 0x41);
	first[1] = ports_ifindex(ports, 0x42);
	attached->is_sweep_held = true;
	(void)ports_queue(ports, &empty, numbers, 2);
	(void)ports_go_on(ports, &empty, true);
	tap_is_int((int)ports_ifindex(ports, 0x41), 0, "a device that is being removed counts as gone");
	tap_is_int((int)ports_ifindex(ports, 0x42), (int)first[1],
		   "one whose turn has not come is still there");
	(void)ports_queue(ports, &plan, numbers, 2);
	attached->is_sweep_held = false;
	(void)sem_post(attached->go);
	tap_is_int(work_queue_off(ports, &plan), 1, "both are wanted again: one is made,");
	tap_ok(link_in(NULL, "pl41", &link) && link.ifindex != first[0] &&
		       link.ifindex == ports_ifindex(ports, 0x41),
	       "that which has gone");
	tap_is_int((int)ports_ifindex(ports, 0x42), (int)first[1], "and the other one is the same as before");

	(void)ports_queue(ports, &empty, numbers, 1);
	tap_is_int(ports_remove_others(ports, &empty, false), 1,
		   "a removal of all does not wait for the queue");
	tap_ok(link_in(NULL, "pl41", &link) && !link_in(NULL, "pl42", &link),
	       "and leaves it what is in there");
	tap_is_int(work_queue_off(ports, &empty), 0, "which goes in its turn");
	tap_ok(!link_in(NULL, "pl41", &link), "too");
	failures_clear(&failures);
}

/* While a port is made by itself memory ends; whoever syncs all then has to know. */
static void test_some_without_memory(struct ports *ports, struct attached *attached)
{
	struct plan_port port = make_port(0x43, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	const uint32_t number = 0x43;
	int before;

	attached->result = -ENOMEM;
	(void)ports_queue(ports, &plan, &number, 1);
	tap_is_int(work_queue_off(ports, &plan), -ENOMEM, "a port for which there is no memory");
	tap_is_int(ports_ifindex(ports, number), 0, "has no device");
	attached->result = 0;
	before = attached->calls;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 1, "the next sync of all makes it");
	tap_ok(attached->calls == before + 1 && ports_ifindex(ports, number) != 0 && failures.n == 0,
	       "with its device and its programs");
	(void)ports_remove_others(ports, &empty, false);
	failures_clear(&failures);
}

/* A namespace of the wished name that a user has made. */
static void test_foreign_namespace(struct ports *ports)
{
	struct plan_port port = make_port(0x16, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct rtnl_change change = {.alias = "mine"};
	_cleanup_(closep) int fd = -EBADF;
	struct failures failures = {};
	struct rtnl_link link;
	struct rtnl *rtnl;

	(void)netns_add(port.instance, NULL, NULL);
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(failures.n == 1 && strstr(failures.items[0].reason, "File exists"),
	       "a namespace that someone else has made is not taken over");
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(link_in(port.instance, "lo", &link) && !*link.alias, "and not removed");
	(void)netns_remove(port.instance);
	failures_clear(&failures);

	(void)ports_sync(ports, &plan, true, &failures);
	fd = netns_open(port.instance);
	(void)rtnl_open(fd, &rtnl);
	(void)rtnl_link_get(rtnl, "lo", &link);
	(void)rtnl_link_change(rtnl, link.ifindex, &change);
	rtnl_free(rtnl);
	tap_is_int(ports_sync(ports, &plan, true, &failures), 0,
		   "one of ours whose mark was taken off is known by its device");
	tap_ok(failures.n == 0 && link_in(port.instance, "lo", &link) && str_starts(link.alias, "privlink/"),
	       "and marked again");
	(void)ports_remove_others(ports, &empty, true);
	failures_clear(&failures);
}

/* Until it is killed. Where a processor is emulated a list takes so long that it would change each time that
 * it is asked for, and nobody asks for ever. */
static void change_links(void)
{
	unsigned int pause_us = getenv("PRIVLINK_KERNEL_LAYER") ? 50000 : 0;
	struct rtnl_link link;
	struct rtnl *rtnl;

	if (rtnl_open(-1, &rtnl) < 0)
		_exit(1);
	for (;;) {
		add_foreign(rtnl, "coming");
		if (rtnl_link_get(rtnl, "coming", &link) == 0)
			(void)rtnl_link_remove(rtnl, link.ifindex);
		(void)usleep(pause_us);
	}
}

/* A list of links takes several messages; in between, someone else adds and removes some. */
static void test_busy_node(void)
{
	struct rtnl_link *links = NULL;
	int whole = 0, others = 0;
	struct rtnl *rtnl;
	char name[IFNAMSIZ];
	size_t n;
	pid_t pid;

	if (rtnl_open(-1, &rtnl) < 0)
		return;
	for (int i = 0; i < 100; i++) {
		(void)str_format(name, sizeof(name), "busy%d", i);
		add_foreign(rtnl, name);
	}
	pid = fork();
	if (pid == 0)
		change_links();
	for (int i = 0; i < 500; i++, links = NULL) {
		whole += rtnl_link_list(rtnl, &links, &n) == 0 && n > 100;
		others += rtnl_link_get(rtnl, "busy7", &(struct rtnl_link){}) == 0;
		free(links);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	tap_is_int(whole, 500, "the links are listed while others come and go");
	tap_is_int(others, 500, "and what is asked next is answered");
	rtnl_free(rtnl);
}

static void count_gone(void *context, uint32_t ifindex)
{
	(void)ifindex;
	(*(int *)context)++;
}

/* More links come and go between two readings of it than a pass makes. */
static void test_monitor(void)
{
	_cleanup_(closep) int fd = rtnl_monitor_open();
	struct rtnl_link link;
	struct rtnl *rtnl;
	int gone = 0;

	if (rtnl_open(-1, &rtnl) < 0)
		return;
	for (int i = 0; i < 200; i++) {
		add_foreign(rtnl, "passing");
		if (rtnl_link_get(rtnl, "passing", &link) == 0)
			(void)rtnl_link_remove(rtnl, link.ifindex);
	}
	tap_is_int(rtnl_monitor_drain(fd, count_gone, &gone), 0, "of links that come and go nothing is lost");
	tap_is_int(gone, 400, "each of them is told, and so is its other end");
	rtnl_free(rtnl);
}

/* Files outlive their namespace at a reboot. */
static void test_stray_files(struct ports *ports, struct netns_files *files)
{
	struct plan_port port = make_port(0x15, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	char lost[256], foreign[256];

	(void)str_format(lost, sizeof(lost), "%s/netns/%s", scratch, port.instance);
	(void)str_format(foreign, sizeof(foreign), "%s/netns/i-foreign", scratch);
	(void)netns_files_write(files, port.instance, port.host_name, &port.addr);
	(void)mkdir(foreign, 0755);
	(void)ports_remove_others(ports, &plan, true);
	tap_ok(access(lost, F_OK) == 0, "files of an instance that is to come are left alone");
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(access(lost, F_OK) < 0, "files without an instance and without a namespace are removed");
	(void)netns_files_write(files, port.instance, port.host_name, &port.addr);
	(void)ports_remove_all(ports);
	tap_ok(access(lost, F_OK) < 0, "by removing everything, too");
	tap_ok(access(foreign, F_OK) == 0, "and what someone else has put there is left alone");
	(void)rmdir(foreign);
}

static void test_service(struct ports *ports)
{
	struct rtnl_link link;
	uint32_t first;

	tap_is_int(ports_sync_node_port(ports), 0, "VPC 0 gets its namespace and the node's port");
	tap_ok(link_in(NULL, "pl0", &link) && link.is_up, "the node's port's node side is pl0");
	tap_ok(link_in(ports_node_port(ports)->instance, "eth0", &link) && link.is_up,
	       "eth0 stands in VPC 0");
	first = link.ifindex;
	(void)netns_remove(ports_node_port(ports)->instance);
	tap_is_int(ports_sync_node_port(ports), 0, "a name that was taken away is given again");
	tap_ok(link_in(ports_node_port(ports)->instance, "eth0", &link) && link.ifindex == first,
	       "to the same VPC 0: sockets stand in there");
	tap_is_int(ports_remove_all(ports), 0, "removing everything");
	tap_ok(!link_in(NULL, "pl0", &link) && netns_open(ports_node_port(ports)->instance) == -ENOENT,
	       "takes away the node's port and VPC 0");
}

int main(void)
{
	sem_t go;
	struct attached attached = {.go = &go};
	struct ports_options options = {.node = node,
					.programs = {note_attach, say_check, note_sweep, &attached},
					.breath = {post_at_breath, &attached}};
	struct netns_files *files;
	struct ports *ports;

	if (geteuid() != 0) {
		tap_skip("ports", "needs root");
		return tap_done();
	}
	(void)sem_init(&go, 0, 0);
	log_set_level(LOG_LEVEL_ERROR);
	(void)str_format(scratch, sizeof(scratch), "/tmp/test-ports-%u", (unsigned int)getpid());
	(void)str_format(node, sizeof(node), "t%u", (unsigned int)getpid());
	if (mkdir(scratch, 0700) < 0 || unshare(CLONE_NEWNET) < 0) {
		tap_ok(false, "a namespace and a directory of the test's own");
		return tap_done();
	}
	files = options.files = make_files();
	if (tap_ok(files && ports_new(&options, &ports) == 0, "starting with nothing there")) {
		test_namespace(ports, &attached, files);
		test_attached(ports);
		test_tap(ports, &attached);
		test_marks(ports, &options);
		test_bare(ports, &attached);
		test_budget(ports, &attached);
		test_some(ports, &attached);
		test_waiting(ports, &attached);
		test_changed_meanwhile(ports, &attached);
		test_wanted_again(ports, &attached);
		test_some_without_memory(ports, &attached);
		test_told(ports, &attached);
		test_too_many_told(ports);
		test_turns(ports);
		test_rest(ports, &attached);
		test_foreign_namespace(ports);
		test_stray_files(ports, files);
		test_service(ports);
		test_busy_node();
		test_monitor();
		ports_free(ports);
	}
	netns_files_free(files);
	(void)file_remove_tree(scratch);
	return tap_done();
}
