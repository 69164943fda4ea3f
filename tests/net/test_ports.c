/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces, links and files of instances, on the running kernel.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "ports/tap.h"
#include "ports_world.h"

static char attached_name[32];
static const char *renames; /* in the namespace of this name someone renames eth0 as soon as it comes */

int __real_rtnl_veth_add(struct rtnl *rtnl, const struct rtnl_veth *veth);
int __wrap_rtnl_veth_add(struct rtnl *rtnl, const struct rtnl_veth *veth);
int __wrap_rtnl_veth_add(struct rtnl *rtnl, const struct rtnl_veth *veth)
{
	int r = __real_rtnl_veth_add(rtnl, veth);

	if (r == 0 && renames)
		change_eth0(renames, &(struct rtnl_change){.name = "mine"});
	return r;
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

static void add_pair(struct rtnl *rtnl, const char *name, struct mac mac)
{
	_cleanup_(closep) int fd = netns_open_own();
	char peer[IFNAMSIZ];
	struct rtnl_veth veth = {
		.name = name,
		.peer_name = peer,
		.peer_netns_fd = fd,
		.mtu = 1500,
		.mac = mac,
		.peer_mac = {{2, 0, 0, 0, 1, 2}},
	};

	(void)str_format(peer, sizeof(peer), "o-%s", name);
	(void)rtnl_veth_add(rtnl, &veth);
}

static void add_foreign(struct rtnl *rtnl, const char *name)
{
	add_pair(rtnl, name, (struct mac){{2, 0, 0, 0, 1, 1}});
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

/* The owner of the namespace is faster than the agent. */
static void test_renamed_at_once(struct ports *ports)
{
	struct plan_port port = make_port(0x18, INSTANCE_NETNS);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	struct rtnl_link link;

	renames = port.instance;
	tap_is_int(ports_sync(ports, &plan, false, &failures), 0,
		   "a device whose other end is renamed before it is finished is lost");
	renames = NULL;
	tap_ok(ports_ifindex(ports, 0x18) == 0 && !link_in(NULL, "pl18", &link) &&
		       !link_in(port.instance, "mine", &link),
	       "and nothing is left of it, which would carry no mark");
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(failures.n == 0 && link_in(NULL, "pl18", &link) && link_in(port.instance, "eth0", &link),
	       "it is made again");
	(void)ports_remove_others(ports, &empty, true);
	failures_clear(&failures);
}

/* As an agent leaves it that is killed between making a pair and marking it. */
static void add_unfinished(struct rtnl *rtnl, const char *name)
{
	add_pair(rtnl, name, (struct mac){{0xee, 0xfe, 0, 0, 1, 1}});
}

static void change_link(struct rtnl *rtnl, const char *name, const struct rtnl_change *change)
{
	struct rtnl_link link;

	if (rtnl_link_get(rtnl, name, &link) == 0)
		(void)rtnl_link_change(rtnl, link.ifindex, change);
}

static void take_away(struct rtnl *rtnl, const char *name)
{
	struct rtnl_link link;

	if (rtnl_link_get(rtnl, name, &link) == 0)
		(void)rtnl_link_remove(rtnl, link.ifindex);
}

static bool is_there(const char *name)
{
	struct rtnl_link link;

	return link_in(NULL, name, &link);
}

static void test_unfinished(struct ports *ports)
{
	static const char *const others[] = {"pl51", "pl052", "veth53", "pl54", "pl55"};
	struct plan_port port = make_port(0x50, INSTANCE_ATTACHED);
	struct plan plan = {.ports = &port, .n_ports = 1}, empty = {};
	struct failures failures = {};
	struct rtnl *rtnl;

	(void)rtnl_open(-1, &rtnl);
	(void)str_copy(port.path, sizeof(port.path), "/nowhere");
	add_unfinished(rtnl, "pl50");
	(void)ports_sync(ports, &plan, false, &failures);
	(void)ports_remove_others(ports, &plan, true);
	tap_ok(failures.n == 1 && is_there("pl50"), "an unfinished device stays while its port is wanted");
	(void)ports_remove_others(ports, &empty, false);
	tap_ok(!is_there("pl50"), "and goes with it");

	add_unfinished(rtnl, "pl50");
	add_foreign(rtnl, "pl51");
	add_unfinished(rtnl, "pl052");
	add_unfinished(rtnl, "veth53");
	add_unfinished(rtnl, "pl54");
	change_link(rtnl, "pl54", &(struct rtnl_change){.alias = "mine"});
	add_unfinished(rtnl, "pl55");
	change_link(rtnl, "pl55", &(struct rtnl_change){.set_up = true});
	change_link(rtnl, "pl51", &(struct rtnl_change){.alias = "privlink/elsewhere/0/51/i-1"});
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(is_there("pl50"), "where a device carries another node's mark, this one may be that node's");
	change_link(rtnl, "pl51", &(struct rtnl_change){.alias = ""});
	(void)ports_remove_others(ports, &empty, true);
	tap_ok(!is_there("pl50"), "one of an instance that was deleted meanwhile is found all the same");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		tap_ok(is_there(others[i]), "%s is not taken for one: MAC, name, alias, or it is up",
		       others[i]);
		take_away(rtnl, others[i]);
	}
	rtnl_free(rtnl);
	failures_clear(&failures);
}

/* At all ports. */
static int look(struct ports *ports)
{
	int found = 0;

	for (bool all = false; !all && found >= 0;)
		found |= ports_look(ports, &all);
	return found;
}

/* More ports than one look takes, of which the last one is disturbed. */
static void test_look_at_many(struct ports *ports, struct attached *attached)
{
	struct plan_port many[PORTS_LOOK_MAX + 1];
	struct plan plan = {.ports = many, .n_ports = ARRAY_SIZE(many)}, empty = {};
	struct failures failures = {};
	char name[IFNAMSIZ];
	struct rtnl *rtnl;
	bool all;

	(void)rtnl_open(-1, &rtnl);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = make_port(0x60 + i, INSTANCE_NETNS);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) /* each has some time only */
		(void)ports_sync(ports, &plan, false, &failures);
	tap_is_int(look(ports), 0, "many ports stand");
	(void)str_format(name, sizeof(name), "pl%x", many[PORTS_LOOK_MAX].number);
	take_away(rtnl, name);
	tap_ok(ports_look(ports, &all) == 0 && !all, "of many some are looked at");
	tap_ok(ports_look(ports, &all) == 1 && all, "then the rest, and what is missing is noticed");
	attached->is_bare = true;
	tap_ok(ports_look(ports, &all) == 1 && !all, "and then the first ones again");
	attached->is_bare = false;
	(void)ports_remove_others(ports, &empty, true);
	rtnl_free(rtnl);
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
	tap_is_int(look(ports), 0, "what stands as it was made is not disturbed");
	attached->is_bare = true;
	tap_is_int(look(ports), 1, "a device that has lost its programs is");
	tap_ok(link_in(NULL, "pl17", &link) && !link.is_up, "and is set down at once");
	attached->is_bare = false;
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(link_in(NULL, "pl17", &link) && link.is_up, "it is up again when it has got them");

	(void)rtnl_link_change(rtnl, link.ifindex, &(struct rtnl_change){.set_down = true});
	(void)rtnl_link_change(rtnl, link.ifindex, &change);
	(void)rtnl_link_change(rtnl, link.ifindex, &(struct rtnl_change){.set_up = true});
	add_foreign(rtnl, "pl17");
	tap_is_int(look(ports), 1, "a renamed device is noticed");
	(void)ports_sync(ports, &plan, false, &failures);
	tap_ok(failures.n == 1 && link_in(NULL, "away17", &link) && link.is_up,
	       "where its name is taken that is a failure, and what runs goes on");
	attached->is_bare = true;
	(void)look(ports);
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

static void test_devices(struct ports_world *world)
{
	struct ports *ports = world->ports;

	test_namespace(ports, &world->attached, world->files);
	test_attached(ports);
	test_tap(ports, &world->attached);
	test_marks(ports, &world->options);
	test_renamed_at_once(ports);
	test_unfinished(ports);
	test_bare(ports, &world->attached);
	test_look_at_many(ports, &world->attached);
	test_foreign_namespace(ports);
	test_stray_files(ports, world->files);
	test_service(ports);
	test_busy_node();
	test_monitor();
}

int main(void)
{
	return run_ports_world(test_devices);
}
