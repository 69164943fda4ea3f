/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pass does, and in which order.
 */
#include "reconcile_world.h"

/* Two instances come in one answer, and a rule of somebody else. */
static void test_devices(void)
{
	struct run run;

	begin(&run);
	tap_is_str(passes(&run), "all report(failures=0)", "the first pass is one of the whole");
	revoke_rule(&run);
	put_instance(&run, 0);
	put_instance(&run, 1);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) make ",
		   "devices: all rows come before them; the first one is begun, and nothing is reported");
	tap_is_str(passes(&run), "", "nor done until it is there");
	device_done(&run);
	tap_is_str(passes(&run), "make rows(groups=0 ports=1) ",
		   "then its own slice is planned again, "
		   "while the next one is being made");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) again", "when all are there it is reported");
	put(&run, "security_group/sg-new", "{\"id\": \"sg-new\", \"vpc\": \"vpc-c\", \"type\": \"normal\"}");
	put_instance_in(&run, 4, "sg-new");
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) make ",
		   "so comes an instance together with its security group");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) again", "which is there before it is reported");
	end(&run);
}

/* While a device is being made come others' rows, and news of a probe. */
static void test_meanwhile(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) make ", "meanwhile: a device is being made");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "meanwhile: what others change is put in force");
	reconcile_health(run.reconcile);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) ", "meanwhile: and so is what probes say");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "meanwhile: all of it is reported with the device");
	end(&run);
}

/* An instance goes. */
static void test_removal(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	(void)passes(&run);
	drop_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) again",
		   "removal: nothing is removed while the rows are not the word of the store");
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	put_instance(&run, 1);
	took(&run);
	(void)passes(&run);
	device_done(&run);
	(void)passes(&run);
	drop_instance(&run, 1);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) remove ",
		   "removal: a device goes after its row, and nobody waits for it");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) ", "removal: others' changes go on");
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all ", "removal: a pass of the whole leaves it its time, too");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) report(failures=0)",
		   "removal: when it has gone all is reported");
	end(&run);
}

/* Devices of instances that were deleted while no agent ran: from when privlinkd has been heard they may go.
 */
static void test_left_over(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) left-over report(failures=0)",
		   "left over: devices go before a report says that they have");
	end(&run);

	begin(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	put_instance(&run, 0);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) left-over make ",
		   "left over: they do not wait for devices that come meanwhile");
	end(&run);

	begin(&run);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	tap_is_str(passes(&run), "all left-over ",
		   "left over: nor for one that is being made, of which a pass "
		   "of the whole takes note");
	end(&run);

	begin(&run);
	(void)passes(&run);
	ports.sticks = -EBUSY;
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) left-over all left-over report(failures=0)",
		   "left over: where one cannot be removed a full pass tries again, and only then all is "
		   "reported");
	end(&run);
}

/* A pass of the whole has no time for all devices. */
static void test_rest(void)
{
	struct run run;
	size_t n;

	begin(&run);
	ports.at_once = 1;
	n = 0;
	while (!strstr(feed.told, "report") && n++ < 100)
		let_pass(&run, 5);
	tap_ok(n > 1 && !ports.n_queued && !ports.working,
	       "at the start passes of the whole make all devices, and nothing is reported before");
	(void)passes(&run);
	put_instance(&run, 0);
	put_instance(&run, 1);
	took(&run);
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all make ", "later one makes what it has time for, and queues the rest");
	tap_ok(!ports.is_behind, "so that no other one has to follow");
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)", "and it is a matter of slices");
	end(&run);
}

/* What was found of servers before the agent started counts for all that it starts with. */
static void test_start(void)
{
	struct run run;

	begin(&run);
	ports.at_once = 1;
	let_pass(&run, 5);
	tap_ok(ports.is_behind && n_ended == 0, "start: it is not over while devices are still to be made");
	(void)passes(&run);
	tap_ok(!ports.is_behind && n_ended == 1, "start: with the pass that has made the last one it is");
	end(&run);

	begin(&run);
	probes_result = -ENOMEM;
	(void)passes(&run);
	tap_ok(!ports.is_behind && n_ended == 0, "start: nor is it while probes are missing");
	probes_result = 0;
	reconcile_request(run.reconcile, false);
	(void)passes(&run);
	tap_is_int((long long)n_ended, 1, "start: but when they are all there");
	end(&run);
}

/* What could not be removed may stay for long. */
static void test_stuck_device(void)
{
	struct run run;

	begin(&run);
	ports.n_told_others = 1;
	tap_is_str(passes(&run), "all report(failures=1)", "a device that could not be removed is told");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "while it stays others' changes need no fresh report each");
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	ports.n_told_others = 0; /* also one that was queued */
	device_done(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=1) report(failures=0)",
		   "but once devices have been worked on it may have gone");
	end(&run);
}

static void test_failed_device(void)
{
	struct run run;

	begin(&run);
	ports.failing = 101; /* i-p1 */
	tap_is_str(passes(&run), "all report(failures=1)", "a device cannot be made");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "what has nothing to do with it is a matter of its slices");
	ports.failing = 0;
	reconcile_device(run.reconcile, 1, "i-p1");
	tap_is_str(passes(&run), "all report(failures=0)",
		   "that the queue has mended it is told at once, by a pass of the whole");
	ports.failing = 101;
	reconcile_request(run.reconcile, false);
	(void)passes(&run);
	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	ports.failing = 120;
	device_done(&run);
	tap_is_str(passes(&run), "all report(failures=1)",
		   "one that fails after a pass of slices makes the next one of the whole, which names it");
	ports.failing = 121;
	put_instance(&run, 1);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=0 ports=0) all report(failures=1)",
		   "and so does one of which that is known before it is begun");
	end(&run);
}

/* Whether there is room now only a pass of the whole tells. */
static void test_no_room(void)
{
	struct run run;

	begin(&run);
	datapath.lacks_room = "instance/i-c";
	tap_is_str(passes(&run), "all report(failures=1)", "there is no room for an instance's address");
	datapath.lacks_room = NULL;
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "all report(failures=0)",
		   "that is no failed device: the next pass looks again");
	end(&run);
}

/* All of a node's ports fail, some for two reasons. */
static void test_many_failures(void)
{
	struct run run;

	begin(&run);
	ports.n_told_others = 3000;
	datapath.n_others_lack_room = 6000;
	datapath.lacks_room = "instance/i-c";
	tap_is_str(passes(&run), "all report(failures=6001)", "many failures: each is told once");
	end(&run);
}

/* There is no memory for a report. */
static void test_untold(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	feed_result = -ENOMEM;
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "all report(failures=0)", "untold: a pass of the whole cannot report");
	let_pass(&run, 200);
	tap_is_str(passes(&run), "all report(failures=0)", "untold: it is tried again after a pause");
	feed_result = 0;
	let_pass(&run, 400);
	tap_is_str(passes(&run), "all report(failures=0)", "untold: until it can");
	let_pass(&run, 1000);
	tap_is_str(passes(&run), "", "untold: and then no more");

	reconcile_trust_rows(run.reconcile, true);
	feed_result = -ENOMEM;
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) left-over report(failures=0)",
		   "untold: nor can slices that have news");
	feed_result = 0;
	let_pass(&run, 200);
	tap_is_str(passes(&run), "all report(failures=0)", "untold: they are told after a pause, too");
	end(&run);
}

#define SURVEY_MS 60000

/* The survey has come to its end. */
static void surveyed(const char *what)
{
	survey.runs = false;
	survey.done(survey.context, what);
}

/* Once a minute all that is there is looked at, beside changes. */
static void test_survey(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	let_pass(&run, SURVEY_MS);
	tap_is_str(take_told(), "survey ", "survey: it begins once a minute");
	revoke_rule(&run);
	took(&run);
	tap_is_str(passes(&run), "rows(groups=1 ports=0) again",
		   "survey: what others change is put in force while it goes on");
	surveyed(NULL);
	tap_is_str(passes(&run), "left-over ",
		   "survey: when it has found nothing what is left over is looked for, and that is all");
	let_pass(&run, SURVEY_MS);
	(void)take_told();
	surveyed("a table");
	tap_is_str(passes(&run), "all left-over report(failures=0)",
		   "survey: what it finds a pass of the whole mends");
	let_pass(&run, SURVEY_MS);
	(void)take_told();
	reconcile_request(run.reconcile, false);
	tap_is_str(passes(&run), "cancel all report(failures=0)",
		   "survey: none goes on in a pass of the whole, which changes what it compares");
	let_pass(&run, 5000);
	tap_is_str(take_told(), "survey ",
		   "survey: the next one begins when the last beginning is some time ago");
	let_pass(&run, SURVEY_MS);
	tap_ok(strstr(passes(&run), "cancel all left-over "),
	       "survey: for one that has found no end a minute later there is a pass of the whole");
	survey.result = -ENOMEM;
	let_pass(&run, SURVEY_MS);
	tap_is_str(passes(&run), "survey all left-over report(failures=0)",
		   "survey: where none can be begun there is a pass of the whole");
	end(&run);
}

/* What waits is no difference. */
static void test_survey_waits(void)
{
	struct run run;

	begin(&run);
	(void)passes(&run);
	reconcile_trust_rows(run.reconcile, true);
	took(&run);
	(void)passes(&run);
	revoke_rule(&run);
	clock_ms += SURVEY_MS - 5;
	took(&run);
	clock_ms += 10;
	tap_is_str(passes(&run), "rows(groups=1 ports=0) againsurvey ",
		   "survey: it begins when what has changed is in force");
	surveyed(NULL);
	(void)take_told();

	put_instance(&run, 0);
	took(&run);
	(void)passes(&run);
	let_pass(&run, SURVEY_MS);
	tap_ok(strstr(take_told(), "survey "), "survey: nor does it wait for devices that are being made");
	surveyed(NULL);
	tap_ok(!strstr(take_told(), "left-over"), "survey: what is left over waits for that,");
	device_done(&run);
	tap_ok(strstr(passes(&run), "left-over "), "survey: and for no other one");

	n_news = 1;
	let_pass(&run, SURVEY_MS);
	tap_is_str(take_told(), "", "survey: nor does it begin while there is news of servers");
	let_pass(&run, SURVEY_MS);
	tap_ok(strstr(passes(&run), "all "), "survey: a minute later a pass of the whole looks at all");
	end(&run);

	begin(&run);
	datapath.lacks_room = "instance/i-c";
	(void)passes(&run);
	let_pass(&run, SURVEY_MS);
	tap_ok(!strstr(passes(&run), "survey"), "survey: what fails is a matter of passes of the whole");
	end(&run);
}

/* Once a minute the inside of each port. */
static void test_inside(void)
{
	struct run run;

	begin(&run);
	tap_is_int((long long)reconcile_look_inside(run.reconcile), 60000, "inside: there is no plan yet");
	(void)passes(&run);
	tap_is_int((long long)reconcile_look_inside(run.reconcile),
		   (long long)(60000 / (reconcile_plan(run.reconcile)->n_ports + 1)),
		   "inside: all ports have their turn within a minute");
	tap_is_str(take_told(), "inside ", "inside: one at a time");
	end(&run);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_devices();
	test_meanwhile();
	test_removal();
	test_left_over();
	test_rest();
	test_start();
	test_stuck_device();
	test_failed_device();
	test_no_room();
	test_many_failures();
	test_untold();
	test_survey();
	test_survey_waits();
	test_inside();
	return tap_done();
}
