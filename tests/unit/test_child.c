/* SPDX-License-Identifier: Apache-2.0 */
/* A child that has become another user, and a parent with and without the right to kill it. */
#include "../../src/lib/child.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"

#define NOBODY	65534
#define LIFE_MS 3000 /* of a child that nobody kills */

static void set_may_kill(bool may)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		abort();
	data[0].effective = (data[0].effective & ~(1u << CAP_KILL)) | (may ? 1u << CAP_KILL : 0);
	if (syscall(SYS_capset, &header, data) < 0)
		abort();
}

/* One that is another user's by the time that this returns. */
static pid_t child_of_nobody(void)
{
	struct timespec life = {LIFE_MS / 1000, 0};
	char word = '\0';
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		if (setresuid(NOBODY, NOBODY, NOBODY) < 0 || write(fds[1], "x", 1) != 1)
			_exit(1);
		(void)nanosleep(&life, NULL);
		_exit(0);
	}
	(void)close(fds[1]);
	if (pid < 0 || read(fds[0], &word, 1) != 1)
		abort();
	(void)close(fds[0]);
	return pid;
}

int main(void)
{
	pid_t pid;

	if (geteuid() != 0) {
		tap_skip("a child of another user", "needs root");
		return tap_done();
	}
	pid = child_of_nobody();
	tap_is_int(child_kill(pid), 0, "a child that became another user is killed by who may");
	tap_is_int(waitpid(pid, NULL, 0), -1, "and nothing of it is left");

	pid = child_of_nobody();
	set_may_kill(false);
	tap_is_int(child_kill(pid), -EPERM, "who may not kill it is told so");
	tap_is_int(waitpid(pid, NULL, WNOHANG), 0,
		   "and did not wait for its end, which is still to be asked for");
	set_may_kill(true);
	tap_is_int(child_kill(pid), 0, "it is killed when that is allowed");
	return tap_done();
}
