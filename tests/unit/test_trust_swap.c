/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While the copy is written, one of its directories becomes a link: before each call that changes or looks at
 * something, each in its turn.
 */
#include <fcntl.h>
#include <stdio.h>

#include "tests/tap.h"
#include "trust_world.h"

static struct trust_world world;
static char victim[256], aside[256], elsewhere[256];
static unsigned int countdown; /* 0: not any more */

static void count_down(void)
{
	if (!countdown || --countdown)
		return;
	(void)rename(victim, aside);
	(void)symlink(elsewhere, victim);
}

#define STAND_IN(name, parameters, arguments)                                                                \
	int __real_##name parameters;                                                                        \
	int __wrap_##name parameters;                                                                        \
	int __wrap_##name parameters                                                                         \
	{                                                                                                    \
		count_down();                                                                                \
		return __real_##name arguments;                                                              \
	}
STAND_IN(unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
STAND_IN(mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
STAND_IN(symlinkat, (const char *target, int fd, const char *path), (target, fd, path))
STAND_IN(fchmod, (int fd, mode_t mode), (fd, mode))
STAND_IN(renameat, (int from_fd, const char *from, int to_fd, const char *to), (from_fd, from, to_fd, to))

/* Names that the copy has, with what is not its own. */
static void make_theirs(const char *directory)
{
	static const char *const names[] = {"one.pem",
					    "openssl.cnf",
					    "config",
					    "stale",
					    "certs/one.pem",
					    "certs/stale",
					    "extra/config",
					    "gone/deep/stale",
					    "gone/deep/more/stale",
					    "deep/stale",
					    "deep/more/stale",
					    "more/stale",
					    "ca-certificates.crt"};
	static const char *const directories[] = {"certs",	    "extra", "gone",	  "gone/deep",
						  "gone/deep/more", "deep",  "deep/more", "more"};
	char path[256];

	(void)mkdir(directory, 0755);
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		(void)str_format(path, sizeof(path), "%s/%s", directory, directories[i]);
		(void)mkdir(path, 0711);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(directory, names[i], "theirs\n");
}

/* What is there, and whether it was written. */
static void list(const char *directory, char *ret, size_t size)
{
	char command[256];
	size_t n = 0;
	FILE *f;

	(void)str_format(command, sizeof(command), "find %s -printf '%%p %%i %%m %%l %%T@\\n' | sort",
			 directory);
	f = popen(command, "r");
	if (f) {
		n = fread(ret, 1, size - 1, f);
		(void)pclose(f);
	}
	ret[n] = '\0';
}

/* A copy in which there is something to do of each kind. */
static void prepare(void)
{
	char path[256];

	countdown = 0;
	(void)file_remove_tree(aside);
	(void)file_remove_tree(world.copy);
	put(world.host, "certs/one.pem", "one\n");
	put(world.host, "extra/config", "extra\n");
	(void)sync_world(&world);
	make_theirs(world.copy); /* part of it is written anew, and the rest removed */
	(void)str_format(path, sizeof(path), "%s/certs/11111111.0", world.copy);
	(void)unlink(path);
}

static void test_swap(const char *name, const char *before)
{
	static char after[20000];
	unsigned int n = 0, n_touched = 0, n_whole = 0;

	(void)str_format(victim, sizeof(victim), "%s%s%s", world.copy, *name ? "/" : "", name);
	do {
		prepare();
		countdown = ++n;
		(void)sync_world(&world);
		if (countdown) /* it was not reached */
			break;
		(void)sync_world(&world);
		list(elsewhere, after, sizeof(after));
		n_touched += !streq(before, after);
		n_whole += has(world.copy, "cert.pem", "host's bundle\n-----BEGIN") &&
			   has(world.copy, "extra/config", "extra") &&
			   has(world.copy, "certs/11111111.0", "one") && type_of(world.copy, "gone") == 0;
	} while (n < 1000);
	tap_ok(n > 10 && n_touched == 0, "copy/%s becomes a link at any of %u moments: what is there stays",
	       name, n - 1);
	tap_is_int(n_whole, n - 1, "and the copy is whole after the next look");
}

int main(void)
{
	static const char *const names[] = {"",	    "certs",	 "extra",	  "private",
					    "gone", "gone/deep", "gone/deep/more"};
	static char before[20000];
	char scratch[64], path[256];

	(void)str_format(scratch, sizeof(scratch), "/tmp/test-trust-swap-%d", (int)getpid());
	(void)mkdir(scratch, 0755);
	make_world(&world, scratch, "world");
	(void)str_format(path, sizeof(path), "%s/extra", world.host);
	(void)mkdir(path, 0755);
	(void)str_format(elsewhere, sizeof(elsewhere), "%s/elsewhere", scratch);
	(void)str_format(aside, sizeof(aside), "%s/aside", scratch);
	make_theirs(elsewhere);
	list(elsewhere, before, sizeof(before));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		test_swap(names[i], before);
	(void)file_remove_tree(scratch);
	return tap_done();
}
