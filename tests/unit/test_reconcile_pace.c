/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How soon things are done, and how often: what probes have found a little at a time, plans of the whole for
 * that alone with pauses, reports while devices are made, and devices that pause.
 */
#include "reconcile_world.h"

/* More has been found than a pass of slices takes. */
static void test_news(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	n_news = 5;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)", "news: some of it is taken");
	tap_is_int((long long)n_news, 4, "and the others stay");
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all report(failures=0)", "news: a pass of the whole");
	tap_is_int((long long)n_news, 0, "has read all of it, and nothing is planned for that again");
	end(&run);
}

/* Servers that are ill and well all the time: each time all results would be reported, and all failures. */
static void test_found_reports(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	n_news = 1;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)",
		   "found: what probes have found is reported at once");
	n_news = 1;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) again",
		   "found: more of it is in force at once, and reported later");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "found: others' rows are reported without it");
	let_pass(&run, 100);
	tap_is_str(passes(&run), "report(failures=0)", "found: with all of that time together");
	let_pass(&run, 1000);
	tap_is_str(passes(&run), "", "found: once");

	n_news = 1;
	reconcile_health(run.reconcile);
	(void)passes(&run);
	has_heavy_news = true;
	datapath.broken = -EIO;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) againall ",
		   "found: a pass of the whole that breaks off");
	let_pass(&run, 100);
	tap_is_str(feed.told, "", "found: what it has left is not reported");
	end(&run);
}

/* Servers that are too many for a slice are ill and well all the time. */
static void test_heavy_news(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	datapath.takes_ms = 100;
	has_heavy_news = true;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)all report(failures=0)",
		   "heavy news: the first time the whole is planned at once, behind slices");
	has_heavy_news = true;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)", "heavy news: then not at once");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again", "others' rows are slices meanwhile");
	let_pass(&run, 300);
	tap_is_str(passes(&run), "", "nothing is done as long as it has to be calm");
	let_pass(&run, 100);
	tap_ok(strstr(passes(&run), "all report(failures=0)") && !has_heavy_news,
	       "then it is the turn of the whole, with nothing lost");
	has_heavy_news = true;
	reconcile_health(run.reconcile);
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all report(failures=0)", "one that others ask for does not wait");
	let_pass(&run, 1000);
	tap_is_str(passes(&run), "", "and has all of it");
	datapath.takes_ms = 10000;
	for (int i = 0; i < 2; i++) {
		has_heavy_news = true;
		reconcile_health(run.reconcile);
		(void)passes(&run);
	}
	let_pass(&run, 1500);
	tap_ok(!strstr(passes(&run), "all ") && has_heavy_news, "a pass that takes long is followed by calm");
	let_pass(&run, 500);
	tap_ok(strstr(passes(&run), "all ") && !has_heavy_news, "of two seconds and no more");
	end(&run);
}

/* Devices take longer than anybody else's rows may wait. */
static void test_long_queue(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	put_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "a long queue: at first nothing is reported");
	let_pass(&run, 100);
	tap_is_str(passes(&run), "report(failures=2)",
		   "a long queue: then what is in force is, without the two that are to be made");
	let_pass(&run, 50);
	tap_is_str(passes(&run), "", "a long queue: and not again at once");
	device_done(&run);
	tap_is_str(passes(&run), "make rows(groups=0 ports=1) ", "a long queue: one of them is there");
	let_pass(&run, 40);
	tap_is_str(passes(&run), "report(failures=1)", "a long queue: with the next report it counts");
	clock_ms += 100;
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=1)",
		   "a long queue: where a pass is due it is the one that reports");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "a long queue: the end of it is reported at once, and no failure is left");
	let_pass(&run, 1000);
	tap_is_str(passes(&run), "", "a long queue: that was the last report");

	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	drop_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	let_pass(&run, 100);
	tap_is_str(passes(&run), "report(failures=1)",
		   "a long queue: while a device is still to be removed that is said");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)",
		   "a long queue: until it has gone");
	end(&run);
}

static void test_failed_report(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	ports.tells = -ENOMEM;
	let_pass(&run, 100);
	tap_is_str(passes(&run), "", "no memory for a report: there is none");
	ports.tells = 0;
	let_pass(&run, 100);
	tap_is_str(passes(&run), "report(failures=1)", "the next one is tried after the same time");
	end(&run);
}

/* Its owner removes an instance's device. */
static void test_removed_device(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	(void)passes(&run);
	take_away(&ports, 120);
	reconcile_mend(run.reconcile, 120);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) make ",
		   "a removed device is made again, and nothing else is looked at");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "others' changes go on");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "when it is there what reads it is planned again, and all is reported");
	take_away(&ports, 120);
	ports.pausing = 120;
	reconcile_mend(run.reconcile, 120);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=1)",
		   "one that pauses is reported as a failure at once");
	ports.pausing = 0;
	reconcile_mend(run.reconcile, 120);
	(void)passes(&run);
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)", "until it is there again");

	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	take_away(&ports, 120);
	ports.pausing = 120;
	reconcile_mend(run.reconcile, 120);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=1)", "one pauses again");
	drop(&run, "sg_rule/sg-ep/sgr-1");
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "meanwhile others' changes need no fresh report each");
	drop_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) remove ",
		   "its instance is deleted meanwhile, which does not wait for the end of the pause");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)",
		   "and the report after that says it no more");
	put_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) again", "the next one has no news");
	end(&run);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_news();
	test_found_reports();
	test_heavy_news();
	test_long_queue();
	test_failed_report();
	test_removed_device();
	return tap_done();
}
