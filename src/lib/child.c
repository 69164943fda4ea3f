/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_FIRST 3 /* behind those that lead nowhere */

void child_forget_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_kept(const int *fds, size_t n, int fd)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] == fd)
			return true;
	return false;
}

/* The lowest that is kept and not below; INT_MAX: none. */
static int next_kept(const int *fds, size_t n, int fd)
{
	int next = INT_MAX;

	for (size_t i = 0; i < n; i++)
		if (fds[i] >= fd)
			next = MIN(next, fds[i]);
	return next;
}

int child_keep_only(const int *fds, size_t n)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0)
		return -errno;
	for (int fd = 0; fd < FD_FIRST; fd++)
		if (!is_kept(fds, n, fd) && dup2(null_fd, fd) < 0)
			return -errno;
	for (int fd = FD_FIRST; fd < INT_MAX;) {
		int kept = next_kept(fds, n, fd);

		if (kept > fd && close_range((unsigned int)fd, (unsigned int)kept - 1, 0) < 0)
			return -errno;
		fd = kept == INT_MAX ? kept : kept + 1;
	}
	return 0;
}

int child_end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

int child_kill(pid_t pid)
{
	/* Nobody else asks how it ended, so its number is its own until then. */
	if (kill(pid, SIGKILL) < 0 && errno == EPERM)
		return -EPERM;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}
