/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a process began, whatever its name is made of.
 */
#include "lib/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"

int main(void)
{
	uint64_t own = 0, again = 0, later = 0;
	siginfo_t ended;
	pid_t child;

	tap_is_int(process_start((int)getpid(), &own), 0, "a process has a beginning");
	tap_ok(own > 0, "which is some time after the machine's");
	(void)prctl(PR_SET_NAME, "a) R 1 (2 3");
	tap_ok(process_start((int)getpid(), &again) == 0 && again == own,
	       "a name with brackets does not move it");
	usleep(50 * 1000);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	tap_ok(process_start((int)child, &later) == 0 && later > own, "a later process began later");
	(void)kill(child, SIGKILL);
	(void)waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT);
	tap_is_int(process_start((int)child, &later), -ESRCH,
		   "one that has ended does not run, reaped or not");
	(void)waitpid(child, NULL, 0);
	tap_is_int(process_start((int)child, &later), -ESRCH, "one that has ended is not there");
	tap_is_int(process_start(-1, &later), -ESRCH, "nor is one that cannot be");
	return tap_done();
}
