/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where ports are made on the running kernel: in a namespace and under directories of the test's own. What it
 * makes carries the test's process id. The data path's programs are played here.
 */
#pragma once

#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "ports/files.h"
#include "ports/netns.h"
#include "ports/ports.h"
#include "tests/tap.h"

static char scratch[64], node[32];

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
	const char *loses; /* in the namespace of this name someone removes eth0 meanwhile */
};

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

/* As the owner of a namespace does it: eth0 is changed; NULL: it is removed. */
static void change_eth0(const char *netns, const struct rtnl_change *change)
{
	_cleanup_(closep) int fd = netns_open(netns);
	struct rtnl_link link;
	struct rtnl *rtnl;

	if (fd < 0 || rtnl_open(fd, &rtnl) < 0)
		return;
	if (rtnl_link_get(rtnl, "eth0", &link) == 0)
		(void)(change ? rtnl_link_change(rtnl, link.ifindex, change)
			      : rtnl_link_remove(rtnl, link.ifindex));
	rtnl_free(rtnl);
}

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
	if (attached->loses)
		change_eth0(attached->loses, NULL);
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

struct ports_world {
	struct attached attached;
	struct ports_options options;
	struct netns_files *files;
	struct ports *ports;
	sem_t go;
};

/* Runs `tests` where nothing is there yet, and takes the directories away. What main() returns. */
static int run_ports_world(void (*tests)(struct ports_world *world))
{
	struct ports_world world = {.attached.go = &world.go};

	if (geteuid() != 0) {
		tap_skip("ports", "needs root");
		return tap_done();
	}
	(void)sem_init(&world.go, 0, 0);
	log_set_level(LOG_LEVEL_ERROR);
	(void)str_format(scratch, sizeof(scratch), "/tmp/test-ports-%u", (unsigned int)getpid());
	(void)str_format(node, sizeof(node), "t%u", (unsigned int)getpid());
	if (mkdir(scratch, 0700) < 0 || unshare(CLONE_NEWNET) < 0) {
		tap_ok(false, "a namespace and a directory of the test's own");
		return tap_done();
	}
	world.files = make_files();
	world.options = (struct ports_options){
		.node = node,
		.files = world.files,
		.programs = {note_attach, say_check, note_sweep, &world.attached},
		.breath = {post_at_breath, &world.attached},
	};
	if (tap_ok(world.files && ports_new(&world.options, &world.ports) == 0,
		   "starting with nothing there"))
		tests(&world);
	ports_free(world.ports);
	netns_files_free(world.files);
	(void)file_remove_tree(scratch);
	return tap_done();
}
