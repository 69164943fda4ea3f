/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When somebody looks at links: not while a device is being worked on, and before the next one is begun. The
 * loop is real; devices, links and passes are played here, and so is the clock.
 */
#include "agent/watch.h"

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "tests/tap.h"

#define LOOK_MS	      5000 /* from one look to the next */
#define LOOK_STEP_MS  20   /* from some of many ports to the next ones */
#define INSTANCE_LINK 7
#define NODE_LINK     8

static uint64_t clock_ms = 1000;
static char told[128]; /* what was done since it was asked last */
static int links_fd;   /* readable: a link went; the watch's */
static uint32_t gone_link = INSTANCE_LINK;
static int kernel_fd; /* what is sent here makes it so; closed: messages are lost */

static struct sockaddr_in ours, kernels; /* where these two stand */

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
	int result;		/* of the device that is being worked on */
	uint32_t lost, pausing; /* numbers; 0: none */
	uint64_t pause_ms;	/* of the next one that is lost */
	uint64_t due_ms;
	int n_looks; /* more, before it has looked at all */
	bool is_disturbed;
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

enum port_link ports_forget_link(struct ports *p, uint32_t ifindex)
{
	if (ifindex == NODE_LINK)
		return PORT_LINK_NODE;
	if (ifindex != INSTANCE_LINK)
		return PORT_LINK_OTHER;
	p->lost = 0x17;
	return PORT_LINK_INSTANCE;
}

uint64_t ports_each_lost(struct ports *p, ports_lost call, void *context)
{
	uint32_t lost = p->lost, due = clock_ms >= p->due_ms ? p->pausing : 0;

	if (due)
		p->pausing = 0;
	if (lost && p->pause_ms) {
		p->pausing = lost;
		p->due_ms = clock_ms + p->pause_ms;
	}
	p->lost = 0;
	if (lost || due)
		call(context, lost ? lost : due);
	return p->pausing ? p->due_ms - clock_ms : 0;
}

int ports_look(struct ports *p, bool *ret_all)
{
	note(p->is_busy ? "LOOK-WHILE-BUSY" : "look");
	*ret_all = p->n_looks == 0;
	p->n_looks -= !*ret_all;
	return p->is_disturbed;
}

/* At the address; port 0: at any, which it is then. */
static int socket_open(struct sockaddr_in *addr)
{
	socklen_t size = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (const struct sockaddr *)addr, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &size) < 0)
		abort();
	return fd;
}

static void kernel_opens(void)
{
	kernel_fd = socket_open(&kernels);
	if (connect(kernel_fd, (const struct sockaddr *)&ours, sizeof(ours)) < 0)
		abort();
}

/* (A socket, since only these have errors.) */
int rtnl_monitor_open(void)
{
	links_fd = socket_open(&ours);
	kernel_opens();
	if (connect(links_fd, (const struct sockaddr *)&kernels, sizeof(kernels)) < 0)
		abort();
	return links_fd;
}

static void link_goes(void)
{
	(void)send(kernel_fd, "x", 1, 0);
}

bool rtnl_monitor_has_lost(int fd)
{
	socklen_t size = sizeof(int);
	int error = 0;

	note("lost?");
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error;
}

int rtnl_monitor_drain(int fd, rtnl_gone gone, void *context)
{
	char message[8];

	while (recv(fd, message, sizeof(message), 0) > 0)
		;
	note(ports.is_busy ? "LINKS-WHILE-BUSY" : "links");
	gone(context, gone_link);
	return 0;
}

static int copy_result;

int netns_files_refresh(struct netns_files *files _unused_, enum netns_files_look look)
{
	if (look != NETNS_FILES_BRIEFLY)
		note(look == NETNS_FILES_ALOUD ? "aloud" : "thoroughly");
	return copy_result;
}

const char *netns_files_failed(const struct netns_files *files _unused_)
{
	return "/etc/ssl/certs/huge.pem";
}

/* In place of the real one (meson.build). */
void __wrap_log_line(enum log_level level, const char *format, ...) _printf_(2, 3);
void __wrap_log_line(enum log_level level, const char *format _unused_, ...)
{
	note(level == LOG_LEVEL_WARNING ? "warning" : "LOG");
}

int datapath_repair_pins(struct datapath *d _unused_)
{
	return 0;
}

void reconcile_request(struct reconcile *reconcile _unused_, bool full)
{
	note(full ? "all" : "pass");
}

void reconcile_mend(struct reconcile *reconcile _unused_, uint32_t number)
{
	note(number == 0x17 ? "mend" : "ANOTHER");
}

void reconcile_device(struct reconcile *reconcile _unused_, int result, const char *instance)
{
	note(result > 0 ? instance : "nothing");
}

uint64_t reconcile_look_inside(struct reconcile *reconcile _unused_)
{
	return 60000;
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
	link_goes();
	tap_is_str(turn(loop), "links mend ",
		   "a link that went is read of at once when nothing is worked on");
	ports.is_busy = true;
	link_goes();
	clock_ms += LOOK_MS;
	tap_is_str(turn(loop), "", "while a device is worked on nobody reads of links or looks at them");
	tap_is_str(turn(loop), "", "however often the loop turns");
	ports.result = 1;
	device_done();
	tap_is_str(turn(loop), "i-1 links mend look next ",
		   "when it is done its instance is told, links are read of and looked at, and only then the "
		   "next one is begun");
	ports.result = 0;
	device_done();
	tap_is_str(turn(loop), "nothing next ", "nobody looks twice");
	device_done();
	(void)turn(loop);
	ports.is_busy = false;
	link_goes();
	tap_is_str(turn(loop), "links mend ", "and links are read of at once again");
	clock_ms += LOOK_MS;
	tap_is_str(turn(loop), "look ", "as is looked in time");
	ports.n_looks = 1;
	clock_ms += LOOK_MS;
	tap_is_str(turn(loop), "look ", "at some of many");
	(void)turn(loop);
	clock_ms += LOOK_STEP_MS;
	tap_is_str(turn(loop), "look ", "and at the next ones soon");
	clock_ms += LOOK_STEP_MS;
	tap_is_str(turn(loop), "", "but not at the first ones again");
	ports.n_looks = 1;
	ports.is_disturbed = true;
	clock_ms += LOOK_MS;
	tap_is_str(turn(loop), "look ", "where some were changed by someone");
	(void)turn(loop);
	clock_ms += LOOK_STEP_MS;
	tap_is_str(turn(loop), "look pass ", "one pass mends them when all have been looked at");
	ports.is_disturbed = false;
}

/* What the next look says of copying the trust store. */
static const char *look_where_copy_gives(struct loop *loop, int result)
{
	copy_result = result;
	clock_ms += LOOK_MS;
	return turn(loop);
}

static void test_trust_store(struct loop *loop)
{
	tap_is_str(look_where_copy_gives(loop, -EFBIG), "warning look ",
		   "a trust store that cannot be copied is told");
	tap_is_str(look_where_copy_gives(loop, -EFBIG), "look ", "once, however often it is tried");
	tap_is_str(look_where_copy_gives(loop, -ENOSPC), "warning look ", "unless for another reason");
	tap_is_str(look_where_copy_gives(loop, 1), "look ", "where it could be");
	tap_is_str(look_where_copy_gives(loop, -ENOSPC), "warning look ", "it is told again");
	tap_is_str(look_where_copy_gives(loop, 0), "look ", "likewise where there was nothing to do");
	tap_is_str(look_where_copy_gives(loop, -ENOSPC), "warning look ", "in between");
	copy_result = 0;
}

/* What looks find that come every five seconds for so long, all of which say nothing. */
static void test_thorough(struct loop *loop)
{
	const uint64_t looks = 24 * 60 * 60 * 1000 / LOOK_MS;
	unsigned int n_thorough = 0, n_aloud = 0;

	for (uint64_t i = 0; i < looks; i++) {
		const char *words;

		clock_ms += LOOK_MS;
		words = turn(loop);
		n_thorough += str_starts(words, "thoroughly look ");
		n_aloud += str_starts(words, "aloud look ");
	}
	tap_ok(n_thorough >= 286 && n_thorough <= 288,
	       "all of the trust store is looked at every five minutes: %u a day", n_thorough);
	tap_is_int(n_aloud, 1, "and told how it stands once a day");
}

/* A pass of the whole has waited for a device, and the next one has been begun. */
static void test_waited_for(struct loop *loop)
{
	ports.is_busy = true;
	link_goes();
	clock_ms += LOOK_MS;
	(void)turn(loop);
	(void)eventfd_write(ports.fd, 1);
	tap_is_str(turn(loop), "nothing next ", "what was put off waits for the next one then");
	device_done();
	tap_is_str(turn(loop), "nothing links mend look next ", "and is done behind it");
}

/* A tenant removes a device again and again, or while it is made; and the node's own goes. */
static void test_removed_again(struct loop *loop)
{
	ports.is_busy = false;
	ports.pause_ms = 1;
	link_goes();
	tap_is_str(turn(loop), "links mend ", "a device that is to pause is told, too");
	clock_ms += ports.pause_ms;
	(void)usleep(5000);
	tap_is_str(turn(loop), "mend ", "and again when its pause is over");
	ports.pause_ms = 0;
	ports.lost = 0x17;
	device_done();
	tap_is_str(turn(loop), "nothing mend next ", "so is one that has gone while it was made");
	ports.is_busy = false;
	gone_link = NODE_LINK;
	link_goes();
	tap_is_str(turn(loop), "links pass ", "the node's own port takes a pass");
	gone_link = INSTANCE_LINK + NODE_LINK;
	link_goes();
	tap_is_str(turn(loop), "links ", "and a link of others nothing");
	gone_link = INSTANCE_LINK;
}

static void test_lost(struct loop *loop)
{
	ports.is_busy = true;
	closep(&kernel_fd);
	(void)send(links_fd, "x", 1, 0); /* nobody is there */
	tap_is_str(turn(loop), "lost? ",
		   "that messages were lost is taken note of while a device is worked on");
	tap_is_str(turn(loop), "", "once, and the loop rests");
	device_done();
	tap_is_str(turn(loop), "nothing links all mend next ", "then a pass looks at everything");
	device_done();
	(void)turn(loop);
}

/* Whoever waited for the device was a pass of the whole, and this is told before it can be. */
static void test_told_first(struct loop *loop)
{
	ports.is_busy = true;
	link_goes();
	(void)turn(loop);
	ports.is_busy = false;
	closep(&kernel_fd);
	(void)send(links_fd, "x", 1, 0); /* nobody is there */
	tap_is_str(turn(loop), "links mend ", "that messages were lost is told when nothing is worked on");
	kernel_opens();
	link_goes();
	tap_is_str(turn(loop), "links mend ", "then the next link that goes is read of at once");
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
		test_trust_store(parts.loop);
		test_thorough(parts.loop);
		test_waited_for(parts.loop);
		test_removed_again(parts.loop);
		test_told_first(parts.loop);
		test_lost(parts.loop);
	}
	watch_free(watch);
	loop_free(parts.loop);
	closep(&ports.fd);
	return tap_done();
}
