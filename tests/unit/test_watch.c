/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When somebody looks at links: not while a device is being worked on, and before the next one is begun. The
 * loop is real; devices, links and passes are played here, and so is the clock.
 */
#include "agent/watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/tap.h"

#define LOOK_MS 5000 /* from one look to the next */

static uint64_t clock_ms = 1000;
static char told[128]; /* what was done since it was asked last */
static int links_fd;   /* readable: a link went; the watch's */

uint64_t __wrap_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void)
{
	return clock_ms;
}

static void note(const char *word)
{
	(void)str_format(told + strlen(told), sizeof(told) - strlen(told), "%s ", word);
}

struct ports {
	int fd;
	bool is_busy;
	int result; /* of the device that is being worked on */
};

static struct ports ports;

int ports_fd(const struct ports *p)
{
	return p->fd;
}

bool ports_are_busy(const struct ports *p)
{
	return p->is_busy;
}

int ports_take_done(struct ports *p, char ret_instance[ID_SIZE])
{
	eventfd_t n;

	(void)eventfd_read(p->fd, &n);
	(void)str_copy(ret_instance, ID_SIZE, "i-1");
	return p->result;
}

bool ports_forget_link(struct ports *p _unused_, uint32_t ifindex)
{
	return ifindex == 7;
}

int ports_look(struct ports *p)
{
	note(p->is_busy ? "LOOK-WHILE-BUSY" : "look");
	return 0;
}

int rtnl_monitor_open(void)
{
	links_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return links_fd;
}

int rtnl_monitor_drain(int fd, rtnl_gone gone, void *context)
{
	eventfd_t n;

	(void)eventfd_read(fd, &n);
	note(ports.is_busy ? "LINKS-WHILE-BUSY" : "links");
	gone(context, 7);
	return 0;
}

int netns_files_refresh(struct netns_files *files _unused_, bool thorough _unused_)
{
	return 0;
}

int datapath_repair_pins(struct datapath *d _unused_)
{
	return 0;
}

void reconcile_request(struct reconcile *reconcile _unused_, bool full)
{
	note(full ? "all" : "pass");
}

void reconcile_device(struct reconcile *reconcile _unused_, int result, const char *instance)
{
	note(result > 0 ? instance : "nothing");
}

/* There is always a next device. */
void reconcile_go_on(struct reconcile *reconcile _unused_)
{
	note("next");
	ports.is_busy = true;
}

static const char *turn(struct loop *loop)
{
	static char ret[sizeof(told)];

	(void)loop_turn(loop, 0);
	memcpy(ret, told, sizeof(ret));
	told[0] = '\0';
	return ret;
}

static void device_done(void)
{
	ports.is_busy = false;
	(void)eventfd_write(ports.fd, 1);
}

static void test_devices(struct loop *loop)
{
	tap_is_str(told, "look ", "it begins with a look");
	told[0] = '\0';
	(void)eventfd_write(links_fd, 1);
	tap_is_str(turn(loop), "links pass ",
		   "a link that went is read of at once when nothing is worked on");
	ports.is_busy = true;
	(void)eventfd_write(links_fd, 1);
	clock_ms += LOOK_MS;
	tap_is_str(turn(loop), "", "while a device is worked on nobody reads of links or looks at them");
	tap_is_str(turn(loop), "", "however often the loop turns");
	ports.result = 1;
	device_done();
	tap_is_str(turn(loop), "i-1 links pass look next ",
		   "when it is done its instance is told, links are read of and looked at, and only then the "
		   "next one is begun");
	ports.result = 0;
	device_done();
	tap_is_str(turn(loop), "nothing next ", "nobody looks twice");
	device_done();
	(void)turn(loop);
	ports.is_busy = false;
	(void)eventfd_write(links_fd, 1);
	tap_is_str(turn(loop), "links pass ", "and links are read of at once again");
	clock_ms += LOOK_MS;
	tap_is_str(turn(loop), "look ", "as is looked in time");
}

/* A pass of the whole has waited for a device, and the next one has been begun. */
static void test_waited_for(struct loop *loop)
{
	ports.is_busy = true;
	(void)eventfd_write(links_fd, 1);
	clock_ms += LOOK_MS;
	(void)turn(loop);
	(void)eventfd_write(ports.fd, 1);
	tap_is_str(turn(loop), "nothing next ", "what was put off waits for the next one then");
	device_done();
	tap_is_str(turn(loop), "nothing links pass look next ", "and is done behind it");
}

int main(void)
{
	struct watch_parts parts = {.ports = &ports};
	struct watch *watch = NULL;

	ports.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ports.fd < 0 || loop_new(&parts.loop) < 0)
		return EXIT_FAILURE;
	if (tap_ok(watch_new(&parts, &watch) == 0, "watching begins")) {
		test_devices(parts.loop);
		test_waited_for(parts.loop);
	}
	watch_free(watch);
	loop_free(parts.loop);
	closep(&ports.fd);
	return tap_done();
}
