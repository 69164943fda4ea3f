/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test that is Pending is begun once. One that is Running without us was begun by an agent that is no more:
 * its process has ended with it, and privlinkd ends the test in time.
 */
#include "connectivity.h"

#include <sys/wait.h>
#include <unistd.h>

#include "../lib/child.h"
#include "../lib/log.h"
#include "connectivity_answer.h"
#include "connectivity_child.h"

#define LEFT_MS 500 /* between looks at processes that could not be killed */

struct trial {
	struct connectivity *connectivity;
	char id[ID_SIZE];
	pid_t pid; /* 0: it has ended */
	int fd;
	struct loop_source *io, *timer;
	bool is_timed_out;
	char answer[CONNECTIVITY_ANSWER_MAX];
	size_t answer_size;
	struct connectivity_outcome outcomes[CONNECTIVITY_STEPS_MAX];
	size_t n_steps;
	struct trial *next;
};

struct connectivity {
	struct loop *loop;
	const char *node;
	const struct snapshot *rows;
	loop_callback changed;
	void *context;
	struct trial *trials;
	pid_t left[CONNECTIVITY_TRIALS_MAX]; /* could not be killed, and end by themselves */
	size_t n_left;
	struct loop_source *left_timer;
};

static struct trial *find_trial(const struct connectivity *connectivity, const char *id)
{
	struct trial *trial = connectivity->trials;

	while (trial && !streq(trial->id, id))
		trial = trial->next;
	return trial;
}

static size_t n_running(const struct connectivity *connectivity)
{
	size_t n = connectivity->n_left;

	for (const struct trial *trial = connectivity->trials; trial; trial = trial->next)
		n += trial->pid > 0;
	return n;
}

static void end_process(struct trial *trial)
{
	struct connectivity *connectivity = trial->connectivity;

	loop_timer_stop(trial->timer);
	trial->io = loop_source_free(trial->io);
	closep(&trial->fd);
	trial->fd = -EBADF;
	if (trial->pid > 0 && child_kill(trial->pid) < 0)
		connectivity->left[connectivity->n_left++] = trial->pid;
	trial->pid = 0;
}

static void trial_free(struct trial *trial)
{
	end_process(trial);
	loop_source_free(trial->timer);
	free(trial);
}

/* Those of which nothing was said. */
static void fill_up(struct trial *trial, const char *code, const char *text)
{
	for (size_t i = 0; i < trial->n_steps; i++) {
		struct connectivity_outcome *outcome = &trial->outcomes[i];

		if (outcome->result != CONNECTIVITY_NONE)
			continue;
		outcome->result = CONNECTIVITY_FAILED;
		(void)str_copy(outcome->code, sizeof(outcome->code), code);
		connectivity_text(text, outcome->text);
	}
}

static void finish(struct trial *trial)
{
	struct connectivity *connectivity = trial->connectivity;

	end_process(trial);
	if (connectivity_answer_parse(trial->answer, trial->answer_size, trial->outcomes, trial->n_steps) <
	    0) {
		log_warning("a connectivity test's process said what makes no sense test=%s", trial->id);
		memset(trial->outcomes, 0, sizeof(trial->outcomes));
	}
	if (trial->is_timed_out)
		fill_up(trial, "Timeout", "The test took too long and was ended.");
	fill_up(trial, "TestFailed", "The test could not be carried out on its node.");
	log_debug("ended test=%s", trial->id);
	connectivity->changed(connectivity->context, 0);
	connectivity_follow(connectivity); /* there is room for one that waits */
}

static void on_answer(void *context, uint32_t events _unused_)
{
	struct trial *trial = context;
	ssize_t n;

	do {
		size_t room = sizeof(trial->answer) - trial->answer_size;

		n = room ? read(trial->fd, trial->answer + trial->answer_size, room) : 0;
		trial->answer_size += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		finish(trial);
}

static void on_time(void *context, uint32_t events _unused_)
{
	struct trial *trial = context;

	trial->is_timed_out = true;
	finish(trial);
}

/* The rows know which instances no test can be made from; here is what they cannot know. */
static int start_process(struct trial *trial, const struct connectivity_test *test)
{
	struct connectivity_step steps[CONNECTIVITY_STEPS_MAX];
	struct connectivity_task task = {.instance = test->instance, .port = test->port, .steps = steps};
	int r = connectivity_read(test->steps, steps, &task.n_steps);

	trial->n_steps = r < 0 ? 0 : task.n_steps;
	if (r == 0)
		r = connectivity_child_start(&task, &trial->pid, &trial->fd);
	if (r == 0)
		r = loop_add_fd(trial->connectivity->loop, trial->fd, EPOLLIN, on_answer, trial, &trial->io);
	if (r == 0)
		loop_timer_set(trial->timer, CONNECTIVITY_TRIAL_MS);
	return r;
}

static void start(struct connectivity *connectivity, const struct connectivity_test *test)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	char text[CONNECTIVITY_TEXT_SIZE];
	int r;

	if (!trial || loop_add_timer(connectivity->loop, on_time, trial, &trial->timer) < 0) {
		free(trial);
		log_warning("cannot begin test=%s: out of memory", test->id);
		return;
	}
	trial->connectivity = connectivity;
	trial->fd = -EBADF;
	(void)str_copy(trial->id, sizeof(trial->id), test->id);
	trial->next = connectivity->trials;
	connectivity->trials = trial;
	r = start_process(trial, test);
	if (r < 0) {
		log_warning("cannot begin test=%s instance=%s: %s", test->id, test->instance, strerror(-r));
		end_process(trial);
		(void)str_format(text, sizeof(text), "The test could not be begun: %s", strerror(-r));
		fill_up(trial, r == -ENOENT ? "NoInstance" : "TestFailed",
			r == -ENOENT ? "The instance has no network namespace on its node." : text);
	}
	connectivity->changed(connectivity->context, 0);
}

static void forget_settled(struct connectivity *connectivity)
{
	for (struct trial **place = &connectivity->trials; *place;) {
		struct trial *trial = *place;

		if (snapshot_find(connectivity->rows, KIND_CONNECTIVITY_TEST, trial->id)) {
			place = &trial->next;
			continue;
		}
		*place = trial->next;
		trial_free(trial);
	}
}

/* An agent that may not kill another user's processes has to wait for their end, and does not stand still. */
static void reap_left(struct connectivity *connectivity)
{
	for (size_t i = 0; i < connectivity->n_left;)
		if (waitpid(connectivity->left[i], NULL, WNOHANG) == 0)
			i++;
		else
			connectivity->left[i] = connectivity->left[--connectivity->n_left];
	if (connectivity->n_left)
		loop_timer_set(connectivity->left_timer, LEFT_MS);
}

void connectivity_follow(struct connectivity *connectivity)
{
	const struct snapshot *rows = connectivity->rows;

	forget_settled(connectivity);
	reap_left(connectivity);
	for (const struct connectivity_test *t = NULL;
	     n_running(connectivity) < CONNECTIVITY_TRIALS_MAX &&
	     (t = snapshot_children(rows, REF_CONNECTIVITY_TEST_NODE, connectivity->node, t));)
		if (t->status == CONNECTIVITY_PENDING && !find_trial(connectivity, t->id))
			start(connectivity, t);
}

static void on_left(void *context, uint32_t events _unused_)
{
	connectivity_follow(context);
}

static json_t *outcomes_of(const struct trial *trial)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < trial->n_steps; i++) {
		const struct connectivity_outcome *outcome = &trial->outcomes[i];

		if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "result",
							  connectivity_result_names[outcome->result], "code",
							  outcome->code, "text", outcome->text, "latency_us",
							  (json_int_t)outcome->latency_us)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *connectivity_report(const struct connectivity *connectivity)
{
	json_t *list = connectivity->trials ? json_array() : NULL;

	for (const struct trial *trial = connectivity->trials; list && trial; trial = trial->next) {
		json_t *item = json_pack("{s:s}", "id", trial->id);

		if (item && trial->pid == 0)
			(void)json_object_set_new(item, "outcomes", outcomes_of(trial));
		(void)json_array_append_new(list, item);
	}
	return list;
}

int connectivity_new(struct loop *loop, const char *node, const struct snapshot *rows, loop_callback changed,
		     void *context, struct connectivity **ret)
{
	struct connectivity *connectivity = calloc(1, sizeof(*connectivity));

	if (!connectivity)
		return -ENOMEM;
	*connectivity = (struct connectivity){
		.loop = loop, .node = node, .rows = rows, .changed = changed, .context = context};
	if (loop_add_timer(loop, on_left, connectivity, &connectivity->left_timer) < 0) {
		free(connectivity);
		return -ENOMEM;
	}
	*ret = connectivity;
	return 0;
}

struct connectivity *connectivity_free(struct connectivity *connectivity)
{
	if (!connectivity)
		return NULL;
	while (connectivity->trials) {
		struct trial *trial = connectivity->trials;

		connectivity->trials = trial->next;
		trial_free(trial);
	}
	loop_source_free(connectivity->left_timer);
	free(connectivity);
	return NULL;
}
