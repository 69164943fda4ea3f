/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of flow logs: whole lines, in a file that becomes the one before when it is full; so many endpoints;
 * what others do to the files meanwhile.
 */
#include "../tap.h"
#include "agent/flow_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/privlink-flow-files-XXXXXX";
static char below[64];

static int64_t size_of(const struct flow_files *files, const char *endpoint, bool before)
{
	char path[PATH_MAX];
	struct stat info;

	if (flow_files_path(files, endpoint, before, path) < 0 || stat(path, &info) < 0)
		return -1;
	return info.st_size;
}

static int say(struct flow_files *files, const char *endpoint, const char *line)
{
	return flow_files_write(files, endpoint, line, strlen(line));
}

static void test_names(struct flow_files *files)
{
	static const char *const bad[] = {
		"",	      "ep-",
		"i-1",	      "ep-a/../b",
		"ep-A",	      "../ep-a",
		"ep-a.jsonl", "ep-0123456789012345678901234567890123456789012345678901234567890"};
	char path[PATH_MAX];
	int n_taken = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		n_taken += !streq(bad[i], "ep-") && flow_files_path(files, bad[i], false, path) == 0;
	tap_is_int(n_taken, 0, "a file has the name of an endpoint's id, and of nothing else");
	tap_is_int(size_of(files, "ep-1", false), -1, "there is no file that nobody has written");
}

static void test_lines(struct flow_files *files)
{
	char path[PATH_MAX], text[64] = "";
	struct stat info;
	int fd;

	tap_is_int(say(files, "ep-1", "{\"a\":1}\n"), 0, "a line is written");
	tap_ok(stat(below, &info) == 0 && (info.st_mode & 0777) == 0700, "the directory is root's alone");
	(void)flow_files_path(files, "ep-1", false, path);
	tap_ok(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "and so is the file");
	flow_files_close(files, "ep-1");
	fd = open(path, O_WRONLY | O_APPEND);
	tap_ok(write(fd, "{\"ha", 4) == 4, "half a line");
	(void)close(fd);
	(void)say(files, "ep-1", "{\"b\":2}\n");
	fd = open(path, O_RDONLY);
	(void)!read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	tap_is_str(text, "{\"a\":1}\n{\"ha\n{\"b\":2}\n", "stands alone, when its writer was killed");
	(void)unlink(path);
	(void)say(files, "ep-1", "{\"c\":3}\n");
	tap_is_int(size_of(files, "ep-1", false), 8, "a file that somebody removes is begun anew");
	tap_is_int(size_of(files, "ep-1", true), -1, "and no older one is made of it");
}

static void test_turns(struct flow_files *files)
{
	static char line[64 * 1024];
	const int n = FLOW_FILE_MAX / (int)sizeof(line);

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < n; i++)
		(void)flow_files_write(files, "ep-2", line, sizeof(line));
	tap_ok(size_of(files, "ep-2", false) == FLOW_FILE_MAX && size_of(files, "ep-2", true) == -1,
	       "a file is filled");
	(void)say(files, "ep-2", "next\n");
	tap_ok(size_of(files, "ep-2", false) == 5 && size_of(files, "ep-2", true) == FLOW_FILE_MAX,
	       "then it becomes the one before");
	for (int i = 0; i < n; i++)
		(void)flow_files_write(files, "ep-2", line, sizeof(line));
	tap_ok(size_of(files, "ep-2", false) == (int64_t)sizeof(line) &&
		       size_of(files, "ep-2", true) < FLOW_FILE_MAX,
	       "and that goes when the next one is full");
}

static void set_time(const struct flow_files *files, const char *endpoint, int64_t time)
{
	const struct timespec times[] = {{.tv_sec = time}, {.tv_sec = time}};
	char path[PATH_MAX];

	(void)flow_files_path(files, endpoint, false, path);
	(void)utimensat(AT_FDCWD, path, times, 0);
}

static void test_many(struct flow_files *files)
{
	char endpoint[32];
	int r = 0;

	flow_files_close(files, "ep-1");
	flow_files_close(files, "ep-2");
	for (int i = 2; i < FLOW_FILES_MAX && r == 0; i++) {
		(void)str_format(endpoint, sizeof(endpoint), "ep-many%d", i);
		r = say(files, endpoint, "{}\n");
		set_time(files, endpoint, 1000000 + i);
	}
	tap_is_int(r, 0, "so many endpoints have files");
	set_time(files, "ep-1", 2000);
	set_time(files, "ep-2", 1000);
	tap_is_int(say(files, "ep-more", "{}\n"), 0, "one more finds room, …");
	tap_ok(size_of(files, "ep-2", false) == -1 && size_of(files, "ep-2", true) == -1 &&
		       size_of(files, "ep-1", false) == 8,
	       "… which those make that were written last of all, by nobody any more");
	tap_is_int(say(files, "ep-again", "{}\n"), 0, "and another");
	tap_is_int(say(files, "ep-over", "{}\n"), -ENOSPC, "not where all are written");
	tap_is_int(say(files, "ep-more", "{}\n"), 0, "those go on");
	flow_files_close(files, "ep-many2");
	tap_is_int(say(files, "ep-over", "{}\n"), 0, "until one is not any more");
}

/* After a restart: only what is opened is known to be on. */
static void test_again(void)
{
	struct flow_files *files;
	char path[PATH_MAX], before[PATH_MAX];

	if (flow_files_new(below, &files) < 0)
		exit(EXIT_FAILURE);
	flow_files_look(files);
	set_time(files, "ep-over", 500);
	set_time(files, "ep-again", 600);
	tap_is_int(flow_files_open(files, "ep-over"), 0,
		   "an endpoint's file can be opened before there is a line");
	tap_is_int(say(files, "ep-new", "{}\n"), 0, "a new one finds room");
	tap_ok(size_of(files, "ep-over", false) >= 0 && size_of(files, "ep-again", false) == -1,
	       "not that of the quiet one, whose file is open");

	(void)flow_files_path(files, "ep-many9", false, path);
	(void)unlink(path);
	(void)mkdir(path, 0700);
	set_time(files, "ep-many9", 400);
	tap_is_int(say(files, "ep-beside", "{}\n"), 0, "what is no file takes no room");
	tap_is_int(say(files, "ep-next", "{}\n"), 0, "nor is it to make any");
	tap_ok(access(path, F_OK) == 0, "it is left alone");

	set_time(files, "ep-many10", 300);
	(void)flow_files_path(files, "ep-many10", true, before);
	(void)mkdir(before, 0700);
	tap_is_int(say(files, "ep-last", "{}\n"), -EISDIR, "what cannot be removed is an error");
	flow_files_free(files);
}

static void remove_all(void)
{
	char command[128];

	(void)str_format(command, sizeof(command), "rm -rf %s", directory);
	(void)!system(command);
}

int main(void)
{
	struct flow_files *files;

	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	(void)str_format(below, sizeof(below), "%s/flow-log", directory);
	if (flow_files_new(below, &files) < 0)
		return EXIT_FAILURE;
	flow_files_look(files);
	test_names(files);
	test_lines(files);
	test_turns(files);
	test_many(files);
	flow_files_free(files);
	test_again();
	remove_all();
	return tap_done();
}
