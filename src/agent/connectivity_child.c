/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the fork and the loss of its rights the process does as little as can be: it enters the namespace,
 * opens a raw socket for echo requests and the file of the authorities that the instance trusts, and closes
 * whatever else the agent had open. From then on it is nobody, has no capability, can get none, can make no
 * process and no file, and has little time and memory. It ends when the agent does.
 */
#include "connectivity_child.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/child.h"
#include "../ports/netns.h"
#include "../ports/trust.h"
#include "connectivity_probe.h"

#define TRUST_FORMAT "/etc/netns/%s/ssl"

#define CPU_MAX_S  5
#define MEMORY_MAX (64u << 20) /* beside what it has from the agent */
#define FILES_MAX  64

/* What stays open. */
enum { FD_ANSWER = 3, FD_ECHO, FD_TRUST, FD_FIRST_CLOSED };

static int open_echo(void)
{
	const struct icmp_filter filter = {.data = ~(1u << ICMP_ECHOREPLY)};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
	return fd;
}

/* Nothing else stays open: not one of the agent's descriptors. */
static int keep_only(int answer_fd, int echo_fd, int trust_fd)
{
	int null_fd = open("/dev/null", O_RDWR);
	/* Out of the way of the numbers that they are to have. */
	int answer = fcntl(answer_fd, F_DUPFD, FD_FIRST_CLOSED),
	    echo = fcntl(echo_fd, F_DUPFD, FD_FIRST_CLOSED);
	int trust = trust_fd < 0 ? -1 : fcntl(trust_fd, F_DUPFD, FD_FIRST_CLOSED);

	if (null_fd < 0 || answer < 0 || echo < 0)
		return -EMFILE;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null_fd, fd) < 0)
			return -errno;
	if (dup2(answer, FD_ANSWER) < 0 || dup2(echo, FD_ECHO) < 0)
		return -errno;
	if (trust >= 0 ? dup2(trust, FD_TRUST) < 0 : close(FD_TRUST) < 0 && errno != EBADF)
		return -errno;
	return close_range(FD_FIRST_CLOSED, ~0u, 0) < 0 ? -errno : 0;
}

static int set_limit(int resource, rlim_t value)
{
	const struct rlimit limit = {value, value};

	return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

/* What is mapped already came from the agent and is not written to. */
static rlim_t memory_limit(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f) {
		if (fscanf(f, "%lu", &pages) != 1)
			pages = 0;
		(void)fclose(f);
	}
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_MAX;
}

static int limit(void)
{
	static const struct {
		int resource;
		rlim_t value;
	} limits[] = {
		{RLIMIT_CPU, CPU_MAX_S}, {RLIMIT_NOFILE, FILES_MAX}, {RLIMIT_FSIZE, 0},
		{RLIMIT_CORE, 0},	 {RLIMIT_NPROC, 0},
	};
	int r = set_limit(RLIMIT_AS, memory_limit());

	for (size_t i = 0; i < ARRAY_SIZE(limits) && r == 0; i++)
		r = set_limit(limits[i].resource, limits[i].value);
	return r;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* After this it has no right and no way to one. */
static int drop_rights(void)
{
	const uid_t user = CONNECTIVITY_CHILD_USER;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0)
		return -errno;
	return drop_capabilities();
}

/* A change of user takes this back, so it comes last. */
static int end_with(pid_t agent)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : child_end_with(agent);
}

static int prepare(int netns_fd, int trust_fd, int answer_fd, pid_t agent)
{
	int echo_fd, r;

	if (setns(netns_fd, CLONE_NEWNET) < 0 || chdir("/") < 0)
		return -errno;
	echo_fd = open_echo();
	if (echo_fd < 0)
		return -errno;
	r = keep_only(answer_fd, echo_fd, trust_fd);
	if (r == 0)
		r = limit();
	if (r == 0)
		r = drop_rights();
	return r < 0 ? r : end_with(agent);
}

static void run(const struct connectivity_task *task, int netns_fd, int trust_fd, int answer_fd, pid_t agent)
{
	const struct connectivity_probe probe = {
		.steps = task->steps,
		.n_steps = task->n_steps,
		.port = task->port,
		.answer_fd = FD_ANSWER,
		.echo_fd = FD_ECHO,
		.trust_fd = trust_fd < 0 ? -EBADF : FD_TRUST,
	};

	(void)prctl(PR_SET_NAME, "privlink-test");
	child_forget_signals();
	if (prepare(netns_fd, trust_fd, answer_fd, agent) < 0)
		_exit(1);
	_exit(connectivity_probe(&probe) < 0 ? 1 : 0);
}

/* The authorities that the instance trusts; none if there are none. */
static int open_trust(const char *instance)
{
	char path[PATH_MAX];

	if (str_format(path, sizeof(path), TRUST_FORMAT, instance) < 0)
		return -ENAMETOOLONG;
	return trust_open_bundle(path);
}

int connectivity_child_start(const struct connectivity_task *task, pid_t *ret_pid, int *ret_fd)
{
	_cleanup_(closep) int netns_fd = netns_open(task->instance), trust_fd = -EBADF;
	_cleanup_(closep) int read_fd = -EBADF, write_fd = -EBADF;
	pid_t agent = getpid(), pid;
	int fds[2];

	if (netns_fd < 0)
		return netns_fd;
	trust_fd = open_trust(task->instance);
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	read_fd = fds[0];
	write_fd = fds[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run(task, netns_fd, trust_fd, write_fd, agent);
	*ret_pid = pid;
	*ret_fd = TAKE_FD(read_fd);
	return 0;
}
