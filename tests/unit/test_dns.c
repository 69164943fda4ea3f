/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resolver's sockets. The test makes two network namespaces for itself: the node's, with resolvers that
 * it plays itself (127.0.0.53 answers, 127.0.0.54 is silent, nobody is at 127.0.0.55), and VPC 0, where
 * askers are addresses of the loopback. Everything runs in one thread: pump() turns the loop and serves the
 * played resolvers.
 */
#include "dns/dns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dns/dns_serve.h"
#include "lib/netns_socket.h"
#include "tests/unit/plan_world.h"

#define SERVICE "pai-dlc-vpc.cn-hangzhou.aliyuncs.com"
#define ASKER	"198.18.0.16"
#define OTHER	"198.18.0.17"
#define NOBODY	"198.18.0.99"

static struct netaddr addrs[2];
static char zones[2][ZONE_SIZE];
static struct plan_name names[1], *name_list[] = {&names[0]};
static struct plan_domain domains[] = {{SERVICE}};
static struct plan_port ports[2];
static uint32_t ports_by_slot[] = {0, 1};
static struct plan plan = {
	.names = name_list,
	.n_names = 1,
	.domains = domains,
	.n_domains = 1,
	.ports = ports,
	.n_ports = 2,
	.ports_by_slot = ports_by_slot,
};

static struct loop *loop;
static struct dns *dns;
static int vpc0_fd = -EBADF;
static char resolv_conf[] = "/tmp/test_dns.XXXXXX";

#define PUMP_MS 5
static int n_pumps;

/* The resolvers that the test plays. */
static struct {
	int udp, tcp, silent, client;
	int n_udp, n_tcp, n_silent;
	uint16_t last_id, last_port;
	bool forge_first; /* wrong replies before the right one */
	bool fail;	  /* says SERVFAIL */
	char last_name[64];
} up = {-1, -1, -1, -1};

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, text, &addr.sin_addr) != 1)
		exit(EXIT_FAILURE);
	return addr;
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* A socket bound to the address: in VPC 0, or (netns -1) in the node's. */
static int bound_socket(int netns, int type, const char *text, uint16_t port)
{
	struct sockaddr_in addr = address(text, port);
	int fd = netns_socket(netns, AF_INET, type);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die(text);
	return fd;
}

static void make_plan(void)
{
	(void)netaddr_parse("10.0.1.50", &addrs[0]);
	(void)netaddr_parse("10.0.2.50", &addrs[1]);
	names[0] = (struct plan_name){.vpc = 10, .addrs = addrs, .zones = zones, .n_addrs = 2};
	strcpy(names[0].name, SERVICE);
	for (uint32_t i = 0; i < 2; i++) {
		ports[i].slot = 16 + i;
		ports[i].row.vpc = 10 + i;
	}
}

static void loopback_up(bool is_vpc0)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = address("198.18.0.2", 0), mask = address("255.254.0.0", 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die("lo");
	if (is_vpc0) { /* the whole prefix becomes local, as 127.0.0.0/8 is */
		strcpy(request.ifr_name, "lo:1");
		memcpy(&request.ifr_addr, &addr, sizeof(addr));
		if (ioctl(fd, SIOCSIFADDR, &request) < 0)
			die("SIOCSIFADDR");
		memcpy(&request.ifr_netmask, &mask, sizeof(mask));
		if (ioctl(fd, SIOCSIFNETMASK, &request) < 0)
			die("SIOCSIFNETMASK");
	}
	close(fd);
}

static bool make_namespaces(void)
{
	int node_fd;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	loopback_up(false);
	node_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	loopback_up(true);
	vpc0_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(node_fd, CLONE_NEWNET) < 0)
		die("setns");
	close(node_fd);
	return true;
}

static void set_upstream(const char *text)
{
	char other[64];
	FILE *file;

	snprintf(other, sizeof(other), "%s.new", resolv_conf);
	file = fopen(other, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || rename(other, resolv_conf) < 0)
		die(resolv_conf);
}

/* A question for type A; returns its size. */
static size_t question(uint8_t *data, uint16_t id, const char *name)
{
	size_t n = 12;

	memset(data, 0, 12);
	dns_msg_set_id(data, id);
	data[2] = 1;
	data[5] = 1;
	while (*name) {
		size_t length = strcspn(name, ".");

		data[n++] = (uint8_t)length;
		memcpy(data + n, name, length);
		n += length;
		name += length + (name[length] == '.');
	}
	memcpy(data + n, (uint8_t[5]){0, 0, 1, 0, 1}, 5);
	return n + 5;
}

/* Turns a query into its answer, 192.0.2.1; returns the size. */
static size_t play_answer(uint8_t *data, size_t size)
{
	static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};

	snprintf(up.last_name, sizeof(up.last_name), "%.*s", data[12], (const char *)data + 13);
	up.last_id = dns_msg_id(data);
	data[2] |= 0x80;
	data[3] = up.fail ? DNS_MSG_SERVFAIL : 0;
	if (up.fail)
		return size;
	data[7] = 1;
	memcpy(data + size, record, sizeof(record));
	return size + sizeof(record);
}

/* What a stranger might send who does not know the identifier, or not the question: that the name is not
 * there. */
static void send_forged(const uint8_t *answer, size_t size, const struct sockaddr_in *to)
{
	static const size_t changed[] = {0, 13}; /* the identifier, the name's first letter */
	uint8_t data[4096];

	for (size_t i = 0; i < ARRAY_SIZE(changed); i++) {
		memcpy(data, answer, size);
		data[3] = DNS_MSG_NXDOMAIN;
		data[changed[i]] ^= 1;
		(void)sendto(up.udp, data, size, 0, (const struct sockaddr *)to, sizeof(*to));
	}
}

static void play_udp(void)
{
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	uint8_t data[4096];
	ssize_t n;

	while ((n = recvfrom(up.udp, data, 1024, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size)) > 12) {
		size_t size = play_answer(data, (size_t)n);

		up.n_udp++;
		up.last_port = ntohs(from.sin_port);
		if (up.forge_first)
			send_forged(data, size, &from);
		(void)sendto(up.udp, data, size, 0, (struct sockaddr *)&from, from_size);
	}
	while (recv(up.silent, data, sizeof(data), MSG_DONTWAIT) > 0)
		up.n_silent++;
}

static void play_tcp(void)
{
	uint8_t data[4096];
	ssize_t n;

	if (up.client < 0)
		up.client = accept4(up.tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (up.client < 0)
		return;
	n = recv(up.client, data, 1024, MSG_DONTWAIT);
	if (n > 14) {
		size_t size = play_answer(data + 2, (size_t)n - 2);

		up.n_tcp++;
		data[0] = (uint8_t)(size >> 8);
		data[1] = (uint8_t)size;
		(void)send(up.client, data, 1, MSG_NOSIGNAL); /* in two pieces */
		(void)loop_turn(loop, 5);
		(void)send(up.client, data + 1, size + 1, MSG_NOSIGNAL);
	} else if (n >= 0 || errno != EAGAIN) {
		close(up.client);
		up.client = -1;
	}
}

/* One turn of all; it sleeps for PUMP_MS at most. */
static void pump(void)
{
	n_pumps++;
	(void)loop_turn(loop, PUMP_MS);
	play_udp();
	play_tcp();
}

/* Waits for a message at the socket, for a minute. 0: closed; -1: nothing came. */
static ssize_t receive(int fd, uint8_t *data, size_t size)
{
	uint64_t end_ms = now_mono_ms() + 60000;
	ssize_t n;

	while ((n = recv(fd, data, size, MSG_DONTWAIT)) < 0 && errno == EAGAIN && now_mono_ms() < end_ms)
		pump();
	return n < 0 && errno == ECONNRESET ? 0 : n;
}

static const char *describe(const uint8_t *data, ssize_t n)
{
	static char text[64];

	if (n < DNS_MSG_HEADER_SIZE)
		return n < 0 ? "nothing" : "closed";
	snprintf(text, sizeof(text), "id %04x rcode %d answers %d", dns_msg_id(data), dns_msg_rcode(data),
		 data[7]);
	return text;
}

static void udp_ask(int fd, uint16_t id, const char *name)
{
	struct sockaddr_in to = address(PLAN_DNS_SOCKET, 53);
	uint8_t data[512];
	size_t size = question(data, id, name);

	if (sendto(fd, data, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("sendto");
}

static const char *udp_answer(int fd)
{
	static uint8_t data[4096];

	return describe(data, receive(fd, data, sizeof(data)));
}

static void test_udp(void)
{
	int asker = bound_socket(vpc0_fd, SOCK_DGRAM, ASKER, 0),
	    other = bound_socket(vpc0_fd, SOCK_DGRAM, OTHER, 0);
	int nobody = bound_socket(vpc0_fd, SOCK_DGRAM, NOBODY, 0),
	    elsewhere = bound_socket(vpc0_fd, SOCK_DGRAM, "127.0.0.1", 0);

	udp_ask(asker, 0x0101, SERVICE);
	for (int i = 0; i < 5; i++)
		pump();
	dns_set_plan(dns, &plan);
	tap_is_str(udp_answer(asker), "id 0101 rcode 0 answers 2",
		   "a question from before the first plan is answered after it");
	udp_ask(other, 0x0102, SERVICE);
	tap_is_str(udp_answer(other), "id 0102 rcode 3 answers 0",
		   "a port of another VPC is told that the name is not there");
	udp_ask(nobody, 0x0103, SERVICE);
	tap_is_str(udp_answer(nobody), "id 0103 rcode 5 answers 0", "an address that no port has is refused");
	udp_ask(elsewhere, 0x0113, "example.com");
	tap_is_str(udp_answer(elsewhere), "id 0113 rcode 5 answers 0", "so is one from outside of the range");
	tap_is_int(up.n_udp, 0, "none of these went upstream");

	udp_ask(other, 0x0104, "ExAmple.com");
	tap_is_str(udp_answer(other), "id 0104 rcode 0 answers 1",
		   "a foreign name is answered from upstream, under the asker's identifier");
	tap_is_int(up.n_udp, 1, "by one question");
	tap_is_str(up.last_name, "ExAmple", "as it was spelt");
	tap_ok(up.last_id != 0x0104 && up.last_port >= 1024,
	       "under another identifier, from a port of its own");
	up.forge_first = true;
	udp_ask(asker, 0x0105, "example.com");
	tap_is_str(udp_answer(asker), "id 0105 rcode 0 answers 1", "forged replies are passed over");
	up.forge_first = false;

	set_upstream("nameserver 127.0.0.55\nnameserver 127.0.0.53\n");
	usleep(1050000);
	n_pumps = 0;
	udp_ask(asker, 0x0106, "example.com");
	tap_is_str(udp_answer(asker), "id 0106 rcode 0 answers 1",
		   "where nobody listens the next server is asked");
	tap_ok(n_pumps < DNS_UPSTREAM_TIMEOUT_MS / PUMP_MS / 2, "at once");
	set_upstream("nameserver 127.0.0.54\nnameserver 127.0.0.53\n");
	usleep(1050000);
	up.n_udp = 0;
	udp_ask(asker, 0x0107, "example.com");
	tap_is_str(udp_answer(asker), "id 0107 rcode 0 answers 1",
		   "a new resolv.conf is used; a silent server is followed by the next");
	tap_ok(up.n_udp == 1, "which answers");
	up.n_silent = 0;
	udp_ask(asker, 0x0108, "example.com");
	tap_is_str(udp_answer(asker), "id 0108 rcode 0 answers 1", "the server that answered");
	tap_is_int(up.n_silent, 0, "is the first one to be asked from then on");

	set_upstream("nameserver 127.0.0.53\n");
	usleep(1050000);
	up.fail = true;
	up.n_udp = 0;
	udp_ask(asker, 0x0109, "example.com");
	tap_is_str(udp_answer(asker), "id 0109 rcode 2 answers 0", "a failure of all servers is the answer");
	tap_is_int(up.n_udp, DNS_UPSTREAM_TRIES, "after a second try");
	up.fail = false;
	(void)unlink(resolv_conf);
	usleep(1050000);
	udp_ask(asker, 0x010a, "example.com");
	tap_is_str(udp_answer(asker), "id 010a rcode 2 answers 0",
		   "no resolv.conf, no answer for foreign names");
	udp_ask(asker, 0x010b, SERVICE);
	tap_is_str(udp_answer(asker), "id 010b rcode 0 answers 2", "our own names need none");
	close(asker);
	close(other);
	close(nobody);
	close(elsewhere);
}

static void test_flood(void)
{
	int asker = bound_socket(vpc0_fd, SOCK_DGRAM, ASKER, 0),
	    other = bound_socket(vpc0_fd, SOCK_DGRAM, OTHER, 0);
	int refused = 0, answered = 0;
	uint8_t data[512];

	set_upstream("nameserver 127.0.0.54\n");
	usleep(1050000);
	for (int i = 0; i < DNS_UPSTREAM_PER_ASKER_MAX + 10; i++) {
		udp_ask(asker, (uint16_t)(0x0200 + i), "example.com");
		(void)loop_turn(loop, 5);
	}
	for (int i = 0; i < 20; i++) {
		pump();
		while (recv(asker, data, sizeof(data), MSG_DONTWAIT) > 0)
			refused += dns_msg_rcode(data) == DNS_MSG_SERVFAIL;
	}
	tap_is_int(refused, 10, "an asker's questions beyond the limit are answered at once, by SERVFAIL");
	udp_ask(asker, 0x02f0, SERVICE);
	tap_is_str(udp_answer(asker), "id 02f0 rcode 0 answers 2",
		   "our own names are answered all the while");
	set_upstream("nameserver 127.0.0.53\n");
	usleep(1050000);
	udp_ask(other, 0x02f1, "example.com");
	tap_is_str(udp_answer(other), "id 02f1 rcode 0 answers 1", "another asker is not held up");
	while (answered < DNS_UPSTREAM_PER_ASKER_MAX && receive(asker, data, sizeof(data)) > 0)
		answered += dns_msg_rcode(data) == DNS_MSG_NOERROR;
	tap_is_int(answered, DNS_UPSTREAM_PER_ASKER_MAX,
		   "the questions under way are answered by the next server");
	close(asker);
	close(other);
}

static void count_answer(void *context, _unused_ uint8_t *answer, _unused_ size_t size)
{
	(*(int *)context)++;
}

/* One question of a port of the given slot, which is the account's. */
static int forward_ask(struct dns_upstream *forward, uint32_t slot, uint16_t account, int *n_answers)
{
	struct plan_port asker = {.slot = slot, .limit.account = account};
	uint8_t data[512];
	struct dns_msg_request request = {
		.data = data, .size = question(data, (uint16_t)slot, "example.com"), .asker = &asker};

	return dns_upstream_ask(forward, &request, count_answer, n_answers, NULL);
}

/* As many as there is room for, of each of an account's ports that have slots from this one on. */
static int forward_ask_all(struct dns_upstream *forward, uint32_t slot, uint32_t n_ports, uint16_t account,
			   int *n_answers)
{
	int n = 0;

	for (uint32_t i = 0; i < n_ports; i++)
		while (forward_ask(forward, slot + i, account, n_answers) == 0)
			n++;
	return n;
}

static void test_account_fills_it(void)
{
	struct dns_upstream *forward;
	int n_answers = 0;

	set_upstream("nameserver 127.0.0.54\n");
	if (dns_upstream_new(loop, resolv_conf, &forward) < 0)
		die("dns_upstream_new");
	tap_is_int(forward_ask_all(forward, 100, 1, 1, &n_answers), DNS_UPSTREAM_PER_ASKER_MAX,
		   "a port can use up what is a port's");
	tap_is_int(forward_ask_all(forward, 101, 9, 1, &n_answers),
		   DNS_UPSTREAM_MAX / 2 + 10 - DNS_UPSTREAM_PER_ASKER_MAX,
		   "all of its account half of what is for all, and one of each port");
	tap_is_int(forward_ask_all(forward, 200, 1, 2, &n_answers), DNS_UPSTREAM_PER_ASKER_MAX,
		   "a port of another account has all that is a port's");
	tap_is_int(forward_ask_all(forward, 201, 9, 2, &n_answers),
		   DNS_UPSTREAM_MAX / 4 + 10 - DNS_UPSTREAM_PER_ASKER_MAX,
		   "and its account half of what the first one has left");
	tap_is_int(forward_ask_all(forward, 300, 1, 3, &n_answers), DNS_UPSTREAM_PER_ASKER_MAX,
		   "so has one of a third account");
	tap_is_int(forward_ask(forward, 110, 1, &n_answers), 0, "one more port of the first may ask one");
	tap_is_int(forward_ask(forward, 110, 1, &n_answers), -EBUSY, "and no more");
	dns_upstream_free(forward);
	tap_is_int(n_answers, 0, "nobody is called when it is taken down");
}

/* One question of each port takes nothing of what is for all. */
static void test_many_ports(void)
{
	struct dns_upstream *forward;
	int n = 0, n_answers = 0;

	if (dns_upstream_new(loop, resolv_conf, &forward) < 0)
		die("dns_upstream_new");
	for (uint32_t slot = 0; slot < DNS_UPSTREAM_MAX; slot++)
		n += forward_ask(forward, 1000 + slot, 1, &n_answers) == 0;
	tap_is_int(n, DNS_UPSTREAM_MAX, "each of many ports of an account may ask one");
	tap_is_int(forward_ask_all(forward, 200, 1, 2, &n_answers), DNS_UPSTREAM_PER_ASKER_MAX,
		   "and a port of another account all that is a port's");
	dns_upstream_free(forward);
}

static int tcp_connect(const char *from)
{
	struct sockaddr_in to = address(PLAN_DNS_SOCKET, 53);
	int fd = bound_socket(vpc0_fd, SOCK_STREAM, from, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("connect");
	pump();
	pump();
	return fd;
}

static void tcp_ask(int fd, uint16_t id, const char *name)
{
	uint8_t data[512];
	size_t size = question(data + 2, id, name);

	data[0] = (uint8_t)(size >> 8);
	data[1] = (uint8_t)size;
	if (send(fd, data, size + 2, MSG_NOSIGNAL) < 0)
		die("send");
}

static const char *tcp_answer(int fd)
{
	static uint8_t data[4096];
	ssize_t n = receive(fd, data, 2);

	if (n == 2)
		n = receive(fd, data, (size_t)(data[0] << 8 | data[1]));
	return describe(data, n);
}

static void test_tcp(void)
{
	int fd = tcp_connect(ASKER), fds[DNS_TCP_PER_ASKER_MAX], other;
	uint8_t data[512];

	tcp_ask(fd, 0x0301, SERVICE);
	tcp_ask(fd, 0x0302, "Example.com");
	tcp_ask(fd, 0x0303, SERVICE);
	tap_is_str(tcp_answer(fd), "id 0301 rcode 0 answers 2", "a question by TCP is answered");
	tap_is_str(tcp_answer(fd), "id 0302 rcode 0 answers 1", "a foreign one on the same connection, too");
	tap_is_int(up.n_tcp, 1, "by TCP upstream");
	tap_is_str(tcp_answer(fd), "id 0303 rcode 0 answers 2", "and the one behind it, in order");
	data[0] = 0;
	(void)send(fd, data, 1, MSG_NOSIGNAL);
	pump();
	data[0] = (uint8_t)question(data + 1, 0x0304, SERVICE);
	(void)send(fd, data, 20, MSG_NOSIGNAL);
	pump();
	(void)send(fd, data + 20, data[0] + 1u - 20, MSG_NOSIGNAL);
	tap_is_str(tcp_answer(fd), "id 0304 rcode 0 answers 2", "a question may come in pieces");

	(void)send(fd, (uint8_t[4]){0, 2, 1, 1}, 4, MSG_NOSIGNAL);
	tap_is_str(tcp_answer(fd), "closed", "what is no message ends the connection");
	close(fd);
	fd = tcp_connect(ASKER);
	(void)send(fd, (uint8_t[2]){0xff, 0xff}, 2, MSG_NOSIGNAL);
	tap_is_str(tcp_answer(fd), "closed", "so does one that is too long");
	close(fd);
	fd = tcp_connect(NOBODY);
	tcp_ask(fd, 0x0305, SERVICE);
	tap_is_str(tcp_answer(fd), "id 0305 rcode 5 answers 0", "an unknown asker is refused by TCP as well");
	close(fd);

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = tcp_connect(ASKER);
	fd = tcp_connect(ASKER);
	tap_is_str(tcp_answer(fd), "closed", "one connection more than an asker may have is closed");
	other = tcp_connect(OTHER);
	tcp_ask(other, 0x0306, SERVICE);
	tap_is_str(tcp_answer(other), "id 0306 rcode 3 answers 0", "another asker has its own");
	tcp_ask(fds[0], 0x0307, SERVICE);
	tap_is_str(tcp_answer(fds[0]), "id 0307 rcode 0 answers 2", "and those that are open go on");
	close(fds[0]);
	close(fd);
	pump();
	pump();
	fd = tcp_connect(ASKER);
	tcp_ask(fd, 0x0308, SERVICE);
	tap_is_str(tcp_answer(fd), "id 0308 rcode 0 answers 2", "one that was closed makes room");
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);

	set_upstream("nameserver 127.0.0.54\n");
	usleep(1050000);
	tcp_ask(other, 0x0309, "example.com");
	pump();
	(void)setsockopt(other, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(other); /* RST while the question is upstream */
	tcp_ask(fd, 0x030a, "example.com");
	pump();
	pump();
	tap_ok(true, "an asker that leaves while its question is upstream does no harm");
	close(fd);
}

/* Takes a breath of the loop around `loop`, in which an answer has to come. */
struct asking {
	struct loop *outer;
	int fd;
	uint16_t id;
	int n_breaths, n_answers;
};

static void ask_in_breath(void *context)
{
	struct asking *asking = context;
	uint64_t end_ms = now_mono_ms() + 60000;
	uint8_t data[4096];
	ssize_t n;

	asking->n_breaths++;
	udp_ask(asking->fd, ++asking->id, SERVICE);
	while ((n = recv(asking->fd, data, sizeof(data), MSG_DONTWAIT)) < 0 && now_mono_ms() < end_ms)
		loop_breathe(asking->outer);
	asking->n_answers += n > DNS_MSG_HEADER_SIZE && dns_msg_id(data) == asking->id && data[7] == 2;
}

/* The plan that is being made has the name with one address less. */
static void test_while_planning(struct loop *outer)
{
	struct asking asking = {.outer = outer, .fd = bound_socket(vpc0_fd, SOCK_DGRAM, ASKER, 0)};
	struct plan_input input = {.catalogue = &world_catalogue, .node = "n1", .ifindex = world_ifindex};
	struct world world;
	struct plan *next;

	world_new(&world);
	input.rows = world.rows;
	input.ifindex_context = &world;
	input.breath = (struct breath){ask_in_breath, &asking};
	rows_delete(world.rows, "endpoint_zone/ep-1/" ZONE_I);
	tap_is_int(plan_build(&input, world.indexes, &next), 0, "a plan is made");
	tap_ok(asking.n_breaths >= 20, "it breathes");
	tap_is_int(asking.n_answers, asking.n_breaths, "and in each breath names are what they were before");
	dns_set_plan(dns, next);
	udp_ask(asking.fd, 0x0401, SERVICE);
	tap_is_str(udp_answer(asking.fd), "id 0401 rcode 0 answers 1", "until it is the plan in force");
	dns_set_plan(dns, &plan);
	plan_free(next);
	world_free(&world);
	close(asking.fd);
}

/* The address of a slot in VPC 0. */
static const char *slot_addr(uint32_t slot)
{
	static char text[INET_ADDRSTRLEN];

	snprintf(text, sizeof(text), "198.18.%u.%u", slot >> 8 & 255, slot & 255);
	return text;
}

static int slot_socket(uint32_t slot)
{
	return bound_socket(vpc0_fd, SOCK_DGRAM, slot_addr(slot), 0);
}

/* Nothing has come that could be received. */
static bool is_silent(int fd)
{
	uint8_t data[4096];

	return recv(fd, data, sizeof(data), MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Breathes until a question of the known asker is answered: those before it have had their turn. */
static bool is_answered_in_breath(struct asking *asking)
{
	int before = asking->n_answers;

	ask_in_breath(asking);
	return asking->n_answers == before + 1;
}

/* How many of the questions from `first` on are answered, in order and as they should be. */
static int count_answers(int fd, uint16_t first, int n, enum dns_msg_rcode rcode)
{
	uint8_t data[4096];
	int i = 0;

	while (i < n && receive(fd, data, sizeof(data)) >= DNS_MSG_HEADER_SIZE &&
	       dns_msg_id(data) == (uint16_t)(first + i) && dns_msg_rcode(data) == rcode)
		i++;
	return i;
}

static uint32_t slot_of_instance(const struct plan *of, const char *instance)
{
	for (size_t i = 0; i < of->n_ports; i++)
		if (streq(of->ports[i].instance, instance))
			return of->ports[i].slot;
	return DNS_SLOT_NONE;
}

/* An instance that only the next plan has asks while that one's rows are being written. */
static void new_instance_asks(struct asking *asking, const struct plan *next, uint32_t slot)
{
	int fd = slot_socket(slot), tcp = tcp_connect(slot_addr(slot)), known_tcp = tcp_connect(ASKER);

	dns_expect_plan(dns);
	udp_ask(fd, 0x0501, SERVICE);
	udp_ask(fd, 0x0502, "example.com");
	tcp_ask(tcp, 0x0503, SERVICE);
	tcp_ask(tcp, 0x0504, SERVICE);
	tap_ok(is_answered_in_breath(asking), "while a plan's rows are written others have their answers");
	tcp_ask(known_tcp, 0x0505, SERVICE);
	tap_is_str(tcp_answer(known_tcp), "id 0505 rcode 0 answers 2", "by TCP, too");
	tap_ok(is_silent(fd) && is_silent(tcp),
	       "a new instance is told nothing until the plan that it is in has come");
	dns_set_plan(dns, next);
	tap_is_str(udp_answer(fd), "id 0501 rcode 0 answers 1", "then its question is answered");
	tap_is_str(udp_answer(fd), "id 0502 rcode 0 answers 1", "and the foreign one from upstream");
	tap_is_str(tcp_answer(tcp), "id 0503 rcode 0 answers 1", "and what it asked by TCP");
	tap_is_str(tcp_answer(tcp), "id 0504 rcode 0 answers 1", "and what it asked there after it");
	close(known_tcp);
	close(tcp);
	close(fd);
	dns_set_plan(dns, &plan);
}

static void one_asks_too_much(struct asking *asking, const struct plan *next, uint32_t slot)
{
	int fd = slot_socket(slot);

	dns_expect_plan(dns);
	for (int i = 0; i < DNS_KEPT_PER_ASKER_MAX + 1; i++)
		udp_ask(fd, (uint16_t)(0x0600 + i), SERVICE);
	tap_ok(is_answered_in_breath(asking) && is_silent(fd), "many questions of a new instance are kept");
	dns_set_plan(dns, next);
	tap_is_int(count_answers(fd, 0x0600, DNS_KEPT_PER_ASKER_MAX, DNS_MSG_NOERROR), DNS_KEPT_PER_ASKER_MAX,
		   "and answered, in order");
	udp_ask(fd, 0x0680, SERVICE);
	tap_is_str(udp_answer(fd), "id 0680 rcode 0 answers 1",
		   "but for the one beyond the limit, which is lost");
	close(fd);
	dns_set_plan(dns, &plan);
}

/* Nobody of these is in any plan. */
static void few_ask_too_much(struct asking *asking)
{
	enum { FEW = DNS_KEPT_MAX / DNS_KEPT_PER_ASKER_MAX, FIRST = 0x0700 };
	int fds[FEW], n = 0, other = slot_socket(FIRST + FEW);

	dns_expect_plan(dns);
	for (int i = 0; i < FEW; i++) {
		fds[i] = slot_socket((uint32_t)(FIRST + i));
		for (int j = 0; j < DNS_KEPT_PER_ASKER_MAX; j++)
			udp_ask(fds[i], (uint16_t)j, SERVICE);
	}
	udp_ask(other, 0x0701, SERVICE);
	udp_ask(other, 0x0702, SERVICE);
	(void)is_answered_in_breath(asking);
	dns_set_plan(dns, &plan);
	for (int i = 0; i < FEW; i++) {
		n += count_answers(fds[i], 0, DNS_KEPT_PER_ASKER_MAX, DNS_MSG_REFUSED);
		close(fds[i]);
	}
	tap_is_int(n, DNS_KEPT_MAX, "a few can use up what is kept; whom the plan does not know is refused");
	tap_is_str(udp_answer(other), "id 0701 rcode 5 answers 0",
		   "another one's question is kept all the same");
	udp_ask(other, 0x0703, SERVICE);
	tap_is_str(udp_answer(other), "id 0703 rcode 5 answers 0", "and no more than that");
	close(other);
}

static void test_while_writing(struct loop *outer)
{
	struct asking asking = {.outer = outer, .fd = bound_socket(vpc0_fd, SOCK_DGRAM, ASKER, 0)};
	struct world world;
	struct plan *next;
	uint32_t slot;
	int fd;

	set_upstream("nameserver 127.0.0.53\n");
	usleep(1050000);
	world_new(&world);
	(void)world_plan(&world); /* gives the others their slots */
	world_instance(&world, "new", 103, "c", ZONE_H, "10.0.1.11", "sg-c", "n1");
	tap_is_int(world_build(&world, &next), 0, "a plan has another instance");
	slot = slot_of_instance(next, "i-new");
	tap_ok(slot != DNS_SLOT_NONE && !plan_port_by_slot(&plan, slot), "which the one in force has not");
	new_instance_asks(&asking, next, slot);
	one_asks_too_much(&asking, next, slot);
	few_ask_too_much(&asking);

	fd = slot_socket(slot);
	dns_expect_plan(dns);
	udp_ask(fd, 0x0801, SERVICE); /* is kept when the resolver ends: that frees it */
	tap_ok(is_answered_in_breath(&asking) && is_silent(fd), "each plan that is expected is waited for");
	close(fd);
	plan_free(next);
	world_free(&world);
	close(asking.fd);
}

int main(void)
{
	struct loop *outer;
	struct dns_options options = {.resolv_conf = resolv_conf};
	int fd;

	if (geteuid() != 0 || !make_namespaces()) {
		tap_skip("the resolver's sockets", "network namespaces need root");
		return tap_done();
	}
	make_plan();
	fd = mkstemp(resolv_conf);
	if (fd < 0 || loop_new(&outer) < 0 || loop_new_urgent(outer, &loop) < 0)
		return EXIT_FAILURE;
	close(fd);
	set_upstream("nameserver 127.0.0.53\n");
	up.udp = bound_socket(-1, SOCK_DGRAM, "127.0.0.53", 53);
	up.tcp = bound_socket(-1, SOCK_STREAM, "127.0.0.53", 53);
	up.silent = bound_socket(-1, SOCK_DGRAM, "127.0.0.54", 53);
	(void)listen(up.tcp, 8);
	options.netns_fd = vpc0_fd;
	(void)netaddr_parse(PLAN_DNS_SOCKET, &options.listen_addr);
	tap_is_int(dns_new(loop, &options, &dns), 0, "the resolver opens its sockets in VPC 0");
	test_udp();
	test_flood();
	test_account_fills_it();
	test_many_ports();
	test_tcp();
	test_while_planning(outer);
	test_while_writing(outer);
	dns = dns_free(dns);
	loop_free(loop);
	loop_free(outer);
	(void)unlink(resolv_conf);
	return tap_done();
}
