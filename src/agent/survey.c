/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child writes words of one size into a pipe, the last of which says that it has come to its end. It
 * keeps the tables' descriptors and no other one, makes no file, and ends with the agent.
 */
#include "survey.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/child.h"
#include "../lib/log.h"
#include "../lib/vec.h"
#include "../plan/plan_compare.h"

#define SURVEY_NICE 5	 /* there is no hurry */
#define DOUBTS_MAX  4096 /* more are looked at by a pass of the whole */

enum word_kind { WORD_PLAN_DIFFERS, WORD_DOUBT, WORD_END };

struct word {
	enum word_kind kind;
	char what[WORD_SIZE];
	struct datapath_doubtful doubtful;
};

struct survey {
	struct loop *loop;
	struct datapath *datapath;
	survey_done done;
	void *context;
	const struct plan *plan;
	pid_t pid;   /* 0: none goes on */
	pid_t dying; /* was killed, and nobody has waited for its end; 0: none */
	int fd;
	struct loop_source *io;
	struct word word; /* that is being read */
	size_t read;	  /* of it */
	char differs[WORD_SIZE];
	struct datapath_doubtful *doubts;
	size_t n_doubts, doubts_size;
	bool has_ended; /* has said so */
};

/* ---- the child ---- */

static int say(int fd, enum word_kind kind, const char *what, const struct datapath_doubtful *doubtful)
{
	struct word word = {.kind = kind};
	ssize_t n;

	(void)str_copy(word.what, sizeof(word.what), what);
	if (doubtful)
		word.doubtful = *doubtful;
	do
		n = write(fd, &word, sizeof(word)); /* is whole: it is less than PIPE_BUF */
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(word) ? 0 : -EPIPE;
}

struct saying {
	int fd;
	size_t n;
};

static int say_doubt(void *context, const struct datapath_doubtful *doubtful)
{
	struct saying *saying = context;

	return saying->n++ > DOUBTS_MAX ? -E2BIG : say(saying->fd, WORD_DOUBT, "", doubtful);
}

struct planned {
	const struct plan_input *input;
	const struct plan *plan;
};

/* A device that has gone, and is to be made again, leaves its rows as they are meanwhile (reconcile.c). */
static uint32_t ifindex_or_planned(void *context, uint32_t number)
{
	const struct planned *planned = context;
	const struct plan *plan = planned->plan;
	uint32_t ifindex = planned->input->ifindex(planned->input->ifindex_context, number);
	size_t place = LOWER_BOUND(i, plan->n_ports, plan->ports[i].number < number);

	return !ifindex && place < plan->n_ports && plan->ports[place].number == number
		       ? plan->ports[place].row.ifindex
		       : ifindex;
}

static int compare_plan(const struct plan_input *input, struct plan_indexes *indexes, const struct plan *plan,
			int fd)
{
	struct plan *whole;
	const char *differs;
	int r = plan_build(input, indexes, &whole);

	if (r < 0)
		return r;
	whole->revision = plan->revision; /* which may have risen without a change that is planned */
	differs = plan_what_differs(plan, whole);
	return differs ? say(fd, WORD_PLAN_DIFFERS, differs, NULL) : 0;
}

/* When memory is short this goes before the agent does. */
static void offer_oneself(void)
{
	static const char most[] = "1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, most, sizeof(most) - 1) < 0)
		log_debug("cannot be ended before the agent: %s", strerror(errno));
	closep(&fd);
}

static int prepare(struct datapath *datapath, int fd, pid_t agent)
{
	const struct rlimit none = {0, 0};
	int fds[DATAPATH_DOUBT_FDS + 1];
	int r;

	offer_oneself();
	datapath_doubt_fds(datapath, fds);
	fds[DATAPATH_DOUBT_FDS] = fd;
	r = child_keep_only(fds, ARRAY_SIZE(fds));
	if (r == 0 && (setrlimit(RLIMIT_FSIZE, &none) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
		       setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + SURVEY_NICE) < 0))
		r = -errno;
	return r < 0 ? r : child_end_with(agent);
}

static void run(const struct survey *survey, const struct plan_input *input, struct plan_indexes *indexes,
		int fd, pid_t agent)
{
	struct planned planned = {input, survey->plan};
	struct plan_input alone = *input;
	struct saying saying = {.fd = fd};
	int r;

	(void)prctl(PR_SET_NAME, "privlink-survey");
	child_forget_signals();
	alone.breath = (struct breath){};
	alone.ifindex = ifindex_or_planned;
	alone.ifindex_context = &planned;
	r = prepare(survey->datapath, fd, agent);
	if (r == 0)
		r = compare_plan(&alone, indexes, survey->plan, fd);
	if (r == 0)
		r = datapath_find_doubts(survey->datapath, survey->plan, say_doubt, &saying);
	if (r == 0)
		r = say(fd, WORD_END, "", NULL);
	_exit(r < 0);
}

/* ---- the agent ---- */

/* To give back its memory takes it a while, which is not waited for here. */
static void kill_process(struct survey *survey)
{
	if (survey->dying)
		(void)child_kill(survey->dying);
	(void)kill(survey->pid, SIGKILL);
	survey->dying = waitpid(survey->pid, NULL, WNOHANG) == survey->pid ? 0 : survey->pid;
	survey->pid = 0;
}

static void forget(struct survey *survey)
{
	survey->io = loop_source_free(survey->io);
	if (survey->pid)
		kill_process(survey);
	closep(&survey->fd);
	survey->fd = -EBADF;
	free(survey->doubts);
	survey->doubts = NULL;
	survey->n_doubts = survey->doubts_size = survey->read = 0;
	survey->differs[0] = '\0';
	survey->has_ended = false;
}

/* The first that still is none of what was written; NULL: all is. */
static const struct datapath_doubtful *find_doubt(const struct survey *survey)
{
	for (size_t i = 0; i < survey->n_doubts; i++)
		if (datapath_has_doubt(survey->datapath, survey->plan, &survey->doubts[i]))
			return &survey->doubts[i];
	return NULL;
}

/* NULL: nothing. Logs. */
static const char *what_is_wrong(const struct survey *survey)
{
	const struct datapath_doubtful *doubt = find_doubt(survey);

	if (*survey->differs) {
		log_warning("what is in force is not what all rows say, and is planned anew: what "
			    "differs=\"%s\"",
			    survey->differs);
		return "the plan";
	}
	if (doubt) {
		log_warning("mending tables of the data path that someone has changed: table=%s",
			    datapath_doubt_name(survey->datapath, doubt));
		return "a table";
	}
	if (survey->has_ended)
		return NULL;
	log_warning("cannot look at what is in force beside changes, and does it in one piece: the process "
		    "for it has %s",
		    survey->n_doubts > DOUBTS_MAX ? "found too much" : "ended before its time");
	return "the look at it";
}

static void end(struct survey *survey)
{
	const char *what = what_is_wrong(survey);

	(void)child_kill(survey->pid); /* it has let go of all that it had */
	survey->pid = 0;
	forget(survey);
	survey->done(survey->context, what);
}

static int take_word(struct survey *survey)
{
	const struct word *word = &survey->word;
	int r;

	switch (word->kind) {
	case WORD_PLAN_DIFFERS:
		return str_copy(survey->differs, sizeof(survey->differs), word->what);
	case WORD_DOUBT:
		r = VEC_ROOM(survey->doubts, survey->n_doubts, survey->doubts_size);
		if (r == 0)
			survey->doubts[survey->n_doubts++] = word->doubtful;
		return r;
	case WORD_END:
		survey->has_ended = true;
		return 0;
	default:
		return -EBADMSG;
	}
}

/* 1: there may be more; 0: for now there is not; negative: it is over. */
static int read_on(struct survey *survey)
{
	ssize_t n =
		read(survey->fd, (char *)&survey->word + survey->read, sizeof(survey->word) - survey->read);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPIPE;
	survey->read += (size_t)n;
	if (survey->read < sizeof(survey->word))
		return 1;
	survey->read = 0;
	r = take_word(survey);
	return r < 0 ? r : 1;
}

static void on_word(void *context, uint32_t events _unused_)
{
	struct survey *survey = context;
	int r;

	do
		r = read_on(survey);
	while (r > 0);
	if (r < 0)
		end(survey);
}

int survey_new(struct loop *loop, struct datapath *datapath, survey_done done, void *context,
	       struct survey **ret)
{
	struct survey *survey = calloc(1, sizeof(*survey));

	if (!survey)
		return -ENOMEM;
	*survey = (struct survey){
		.loop = loop, .datapath = datapath, .done = done, .context = context, .fd = -EBADF};
	*ret = survey;
	return 0;
}

struct survey *survey_free(struct survey *survey)
{
	if (!survey)
		return NULL;
	forget(survey);
	if (survey->dying)
		(void)child_kill(survey->dying);
	free(survey);
	return NULL;
}

bool survey_goes_on(const struct survey *survey)
{
	return survey->pid;
}

void survey_cancel(struct survey *survey)
{
	forget(survey);
}

int survey_start(struct survey *survey, const struct plan_input *input, struct plan_indexes *indexes,
		 const struct plan *plan)
{
	_cleanup_(closep) int write_fd = -EBADF;
	pid_t agent = getpid();
	int fds[2], r;

	forget(survey);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	survey->fd = fds[0];
	write_fd = fds[1];
	survey->plan = plan;
	r = fcntl(survey->fd, F_SETFL, O_NONBLOCK) < 0
		    ? -errno
		    : loop_add_fd(survey->loop, survey->fd, EPOLLIN, on_word, survey, &survey->io);
	if (r == 0)
		survey->pid = fork();
	if (r == 0 && survey->pid == 0)
		run(survey, input, indexes, write_fd, agent);
	if (r == 0 && survey->pid < 0)
		r = -errno;
	if (r < 0) {
		survey->pid = 0;
		forget(survey);
		return r;
	}
	return 0;
}
