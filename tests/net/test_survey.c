/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Surveys by a process of their own, over the kernel's tables and a plan that slices have changed: what they
 * find, what they do not take for a difference, and what becomes of the process.
 */
#include <dirent.h>
#include <sched.h>
#include <signal.h>

#include "agent/survey.h"
#include "lib/log.h"
#include "tests/net/tables_world.h"

static struct tables tables;
static struct loop *loop;
static struct survey *survey;
static struct run run;
static bool is_done;
static const char *found;

static void on_done(void *context, const char *what)
{
	(void)context;
	is_done = true;
	found = what;
}

static void start(void)
{
	const struct plan_input input = input_of(&run);

	is_done = false;
	if (survey_start(survey, &input, run.w.indexes, run.plan) < 0)
		exit(EXIT_FAILURE);
}

static const char *finish(void)
{
	for (int i = 0; i < 1000 && !is_done; i++)
		(void)loop_turn(loop, 10);
	return is_done ? (found ? found : "nothing") : "no end";
}

/* The number of the process that is ours; 0: there is none. */
static int process_of_ours(void)
{
	char path[64], line[256] = "";
	int pid = 0;
	FILE *f;

	(void)str_format(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f))
		pid = atoi(line);
	if (f)
		(void)fclose(f);
	return pid;
}

static void sync_slices(const char *what)
{
	struct plan_patch patch = {};

	tap_ok(plan_touched_slices(&run, &patch) == 0 &&
		       datapath_sync_slices(tables.datapath, run.plan, &patch) == 0,
	       "%s, by slices", what);
	plan_patch_done(&patch);
}

static void put_member(const char *groups)
{
	put(&run, "port/eni-c",
	    "{'id': 'eni-c', 'number': 100, 'kind': 'instance', 'region': 'cn-hangzhou', 'zone': '" ZONE_H
	    "', 'vpc': 'vpc-c', 'vswitch': 'vsw-c-h', 'addr': '10.0.1.10', 'mac': '02:00:00:00:00:64', 'mtu': "
	    "1500, 'groups': [%s], 'holder': 'i-c', 'node': 'n1', 'status': 'InUse'}",
	    groups);
}

/* While it looks nothing is told to it: what changes it may doubt, and is asked once more. */
static void test_changes(void)
{
	int pid;

	put_member("'sg-ep'");
	sync_slices("an instance's groups change");
	start();
	tap_is_str(finish(), "nothing", "a survey finds no difference");
	tap_is_int(process_of_ours(), 0, "and its process is gone");

	start();
	pid = process_of_ours();
	(void)kill(pid, SIGSTOP);
	put_member("'sg-p'");
	sync_slices("they change again while it looks");
	(void)kill(pid, SIGCONT);
	tap_is_str(finish(), "nothing", "that is no difference");
	start();
	tap_is_str(finish(), "nothing", "nor is it in the next one");
}

static void test_tables(void)
{
	uint8_t place[64] = {200, 0, 0, 0, 77}, value[256] = {1};

	change_element(&tables, map_of("pl_places"), place, value);
	start();
	tap_is_str(finish(), "a table", "a place that somebody adds is found");
	change_element(&tables, map_of("pl_places"), place, NULL);
	start();
	tap_is_str(finish(), "nothing", "and when it is gone it is not");
	change_element(&tables, map_of("pl_places"), place, value);
	start();
	(void)kill(process_of_ours(), SIGSTOP);
	change_element(&tables, map_of("pl_places"), place, NULL);
	(void)kill(process_of_ours(), SIGCONT);
	tap_is_str(finish(), "nothing", "what stands when it ends counts");
}

/* Rows that nobody has planned. */
static void test_plan(void)
{
	put_member("");
	start();
	tap_is_str(finish(), "the plan", "a plan that is not that of all rows is found");
	sync_slices("it is planned");
	start();
	tap_is_str(finish(), "nothing", "and then it is");
}

/* As its owner may do it again and again: its rows stay until there is another one. */
static void test_lost_device(void)
{
	run.w.missing_device = 100;
	start();
	tap_is_str(finish(), "nothing", "a device that is to be made again is no difference");
	run.w.missing_device = 0;
}

static int open_files(int pid)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	(void)str_format(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += *entry->d_name != '.';
	if (dir)
		(void)closedir(dir);
	return n;
}

static void test_process(void)
{
	int pid, n = 1000;

	start();
	(void)kill(process_of_ours(), SIGKILL);
	tap_is_str(finish(), "the look at it", "a process that somebody kills is no survey");
	start();
	start();
	pid = process_of_ours();
	tap_is_str(finish(), "nothing", "a second one takes the place of the first");
	tap_ok(pid > 0 && !survey_goes_on(survey), "and one is all that there is");

	start();
	pid = process_of_ours();
	for (int i = 0; i < 1000 && n > 3 + DATAPATH_DOUBT_FDS + 1 && process_of_ours() == pid; i++)
		n = open_files(pid);
	tap_ok(n <= 3 + DATAPATH_DOUBT_FDS + 1 || process_of_ours() != pid,
	       "it keeps nothing open but tables and its pipe (%d)", n);
	survey_cancel(survey);
	tap_ok(!survey_goes_on(survey) && loop_turn(loop, 0) >= 0 && !is_done,
	       "one that is cancelled ends without a word");
}

int main(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		tap_skip("surveys", "needs root");
		return tap_done();
	}
	state = 1;
	log_set_level(LOG_LEVEL_ERROR);
	begin(&run);
	open_tables(&tables, "survey");
	sync_all(&tables, run.plan, true);
	if (loop_new(&loop) < 0 || survey_new(loop, tables.datapath, on_done, NULL, &survey) < 0)
		exit(EXIT_FAILURE);
	test_changes();
	test_tables();
	test_plan();
	test_lost_device();
	test_process();
	survey_free(survey);
	tap_is_int(process_of_ours(), 0, "in the end no process is left");
	loop_free(loop);
	close_tables(&tables);
	plan_free(run.plan);
	world_free(&run.w);
	return tap_done();
}
