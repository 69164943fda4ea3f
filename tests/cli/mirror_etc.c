/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command with the /etc that `privlink exec` makes where there is no overlayfs: mirror_etc DIRECTORY
 * COMMAND...
 */
#include "cli/exec.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int r;

	if (argc < 3)
		return 2;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0) {
		perror("mirror_etc");
		return 1;
	}
	r = exec_mirror_etc(argv[1]);
	if (r < 0) {
		fprintf(stderr, "mirror_etc: %s\n", strerror(-r));
		return 1;
	}
	execvp(argv[2], argv + 2);
	return 127;
}
