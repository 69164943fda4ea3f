/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pid file: who has it, who waits for it, who is refused.
 */
#include "lib/pid_file.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"

static char directory[] = "/tmp/privlink-test-pid-XXXXXX", path[PATH_MAX];

/* A process that holds the file, until it is killed. */
static pid_t holder(void)
{
	int tube[2];
	char byte;
	pid_t pid;

	if (pipe(tube) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		int fd;

		if (pid_file_take(path, &fd) == 0 && write(tube[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(tube[1]);
	if (read(tube[0], &byte, 1) != 1)
		pid = -1;
	close(tube[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_holder(void)
{
	char text[32] = "", want[32];
	pid_t pid = holder();
	int fd = -EBADF, reader;

	tap_ok(pid > 0, "a process takes the file");
	tap_is_int(pid_file_take(path, &fd), -EBUSY, "while it lives, another is refused");
	reader = open(path, O_RDONLY | O_CLOEXEC);
	tap_ok(reader >= 0 && read(reader, text, sizeof(text) - 1) > 0,
	       "the refused one leaves the text there");
	close(reader);
	str_format(want, sizeof(want), "%d\n", (int)pid);
	tap_is_str(text, want, "the text is the holder's pid");
	end(pid);
	tap_is_int(pid_file_take(path, &fd), 0, "it is free when its holder was killed");
	close(fd);
}

static void test_patience(void)
{
	pid_t pid = holder(), killer;
	int fd = -EBADF;

	killer = fork();
	if (killer == 0) {
		usleep(50 * 1000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	tap_is_int(pid_file_take(path, &fd), 0, "a holder that ends a moment later is waited for");
	waitpid(pid, NULL, 0);
	waitpid(killer, NULL, 0);
	close(fd);
}

/* What a removal does: the file goes while others wait for its lock. */
static void test_taken_away(void)
{
	pid_t pid = holder(), killer;
	int fd = -EBADF, other = -EBADF;

	killer = fork();
	if (killer == 0) {
		usleep(50 * 1000);
		unlink(path);
		kill(pid, SIGKILL);
		_exit(0);
	}
	tap_is_int(pid_file_take(path, &fd), 0, "a holder that ends and takes the file away is waited for");
	waitpid(pid, NULL, 0);
	waitpid(killer, NULL, 0);
	tap_is_int(access(path, F_OK), 0, "the file is there again");
	tap_is_int(pid_file_take(path, &other), -EBUSY, "and there is one holder, not one for each file");
	close(fd);
}

static void test_directory(void)
{
	int tube[2], fd = -EBADF, other = -EBADF;
	pid_t pid;
	char byte;

	tap_ok(pipe(tube) == 0, "a pipe");
	pid = fork();
	if (pid == 0) {
		if (pid_file_lock_directory(directory, &fd) == 0 && write(tube[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(tube[1]);
	tap_ok(read(tube[0], &byte, 1) == 1, "a process locks a directory");
	close(tube[0]);
	tap_is_int(pid_file_lock_directory(directory, &fd), -EBUSY, "while it lives, another is refused");
	end(pid);
	tap_is_int(pid_file_lock_directory(directory, &fd), 0, "it is free when its holder was killed");
	tap_is_int(pid_file_take(path, &other), 0, "a file in it has a lock of its own");
	tap_is_int(pid_file_lock_directory(path, &other), -ENOTDIR, "a file is no directory");
	close(other);
	close(fd);
}

static void refused(const char *elsewhere, int want, const char *words)
{
	char why[128];
	int fd = -EBADF;

	tap_is_int(pid_file_take(elsewhere, &fd), want, "%s is not taken", elsewhere);
	tap_is_int(fd, -EBADF, "a refused call gives no descriptor");
	pid_file_reason(elsewhere, want, why, sizeof(why));
	tap_is_str(why, words, "and this is said of it");
}

static void test_refusals(void)
{
	char elsewhere[PATH_MAX];

	str_format(elsewhere, sizeof(elsewhere), "%s/link", directory);
	(void)symlink(path, elsewhere);
	refused(elsewhere, -ELOOP, "it is a symbolic link, and no file: remove it");
	unlink(elsewhere);
	(void)mkdir(elsewhere, 0700);
	refused(elsewhere, -EISDIR, "it is a directory, and no file: remove it");
	rmdir(elsewhere);
	(void)mkfifo(elsewhere, 0600);
	refused(elsewhere, -EINVAL, "it is a pipe, a socket or a device, and no file: remove it");
	unlink(elsewhere);
	str_format(elsewhere, sizeof(elsewhere), "%s/missing/x.pid", directory);
	refused(elsewhere, -ENOENT, "No such file or directory");
}

int main(void)
{
	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	str_format(path, sizeof(path), "%s/x.pid", directory);
	test_holder();
	test_patience();
	test_taken_away();
	test_directory();
	test_refusals();
	unlink(path);
	rmdir(directory);
	return tap_done();
}
