/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is replaced: its contents and mode, and what is left where it cannot be.
 */
#include "lib/file_write.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"

static int write_text(const char *path, const char *text, mode_t mode)
{
	return file_write(path, text, strlen(text), mode, geteuid(), getegid());
}

static bool holds(const char *path, const char *text)
{
	char got[64] = "";
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(got, 1, sizeof(got) - 1, f) : 0;

	if (f)
		fclose(f);
	return f && n == strlen(text) && streq(got, text);
}

int main(void)
{
	char dir[] = "/tmp/privlink-test-file-XXXXXX", path[PATH_MAX], fresh[PATH_MAX];
	struct stat st;

	if (!mkdtemp(dir))
		return 1;
	(void)str_format(path, sizeof(path), "%s/file", dir);
	(void)str_format(fresh, sizeof(fresh), "%s/file.new", dir);

	umask(077);
	tap_ok(write_text(path, "one", 0644) == 0 && holds(path, "one"), "a new file");
	tap_ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644,
	       "its mode is the wanted one, not the umask's");
	tap_ok(write_text(path, "two", 0600) == 0 && holds(path, "two"), "another in its place");
	tap_ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "with its own mode");
	tap_ok(write_text(fresh, "left", 0644) == 0 && write_text(path, "three", 0600) == 0 &&
		       holds(path, "three"),
	       "what a run that was cut left is no obstacle");
	tap_ok(access(fresh, F_OK) < 0, "and nothing is left beside it");
	(void)mkdir(fresh, 0700);
	tap_ok(write_text(path, "four", 0600) < 0 && holds(path, "three"),
	       "the old file stays where that fails");
	tap_ok(file_ensure(path, "three", 5, 0600, geteuid(), getegid()) == 0,
	       "what is there already needs no room for another file");
	(void)rmdir(fresh);
	tap_ok(file_ensure(path, "five", 4, 0600, geteuid(), getegid()) == 0 && holds(path, "five"),
	       "what differs is written");
	tap_ok(file_set_aside(path) == 0 && access(path, F_OK) < 0, "a file is set aside");
	tap_is_int(file_set_aside(path), 0, "one that is not there, too");
	(void)write_text(path, "six", 0600);
	(void)str_format(fresh, sizeof(fresh), "%s/file.old", dir);
	tap_is_int(file_move(path, fresh), -EEXIST, "no file takes another's name");
	tap_ok(file_set_aside(path) == 0 && holds(fresh, "five"), "a second one leaves the first alone");
	(void)unlink(fresh);
	(void)str_format(fresh, sizeof(fresh), "%s/file.old.1", dir);
	tap_ok(holds(fresh, "six"), "and gets a number");
	(void)unlink(fresh);
	(void)rmdir(dir);
	tap_is_int(write_text(path, "five", 0600), -ENOENT, "no directory, no file");
	return tap_done();
}
