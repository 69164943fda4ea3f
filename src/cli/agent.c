/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent of this node, over its socket: one JSON object a line each way (doc/architecture.md).
 */
#include "cli.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENT_SOCKET	"/run/privlink/agent.sock"
#define AGENT_TIMEOUT_S 10u
#define AGENT_READ_SIZE 16384

/* -EAGAIN: its queue is full and it takes nothing. */
static int connect_agent(const char *path, unsigned int timeout_s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = timeout_s};
	int fd;

	if (str_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int say_unreached(const char *path, int r)
{
	return cli_fail("cannot reach the agent at %s: %s%s", path, strerror(-r),
			r == -EACCES ? " (root may)" : "");
}

static const char *agent_socket(void)
{
	return getenv("PRIVLINK_AGENT_SOCKET") ?: AGENT_SOCKET;
}

bool cli_agent_is_here(void)
{
	return geteuid() == 0 && access(agent_socket(), W_OK) == 0;
}

/* One line out, one line in; NULL if the answer is none, or does not come in time. */
static json_t *ask(int fd, const char *question)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	json_t *answer = NULL;
	FILE *f = fdopen(fd, "r+");

	if (!f) {
		close(fd);
		return NULL;
	}
	if (send(fd, question, strlen(question), MSG_NOSIGNAL) == (ssize_t)strlen(question) &&
	    getline(&line, &size, f) > 0)
		answer = json_loads(line, 0, NULL);
	fclose(f);
	return answer;
}

int cli_agent_ask(struct cli *cli, const char *command, json_t **ret)
{
	const char *path = agent_socket();
	char question[64];
	int fd = connect_agent(path, MIN(cli->timeout_s, AGENT_TIMEOUT_S));

	if (fd < 0)
		return say_unreached(path, fd);
	(void)str_format(question, sizeof(question), "{\"command\": \"%s\"}\n", command);
	*ret = ask(fd, question);
	return *ret ? CLI_OK : cli_fail("the agent at %s gave no answer", path);
}

/* ---- answers of many lines ---- */

static int send_question(int fd, const json_t *question)
{
	_cleanup_(freep) char *text = json_dumps(question, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;

	if (!text)
		return -ENOMEM;
	text[size] = '\n'; /* in place of the NUL */
	return send(fd, text, size + 1, MSG_NOSIGNAL) == (ssize_t)size + 1 ? 0 : -EPIPE;
}

int cli_agent_open(struct cli *cli, const json_t *question, struct cli_agent *ret)
{
	const char *path = agent_socket();
	int fd = connect_agent(path, MIN(cli->timeout_s, AGENT_TIMEOUT_S));

	if (fd < 0)
		return say_unreached(path, fd);
	*ret = (struct cli_agent){.fd = fd};
	if (send_question(fd, question) == 0)
		return CLI_OK;
	cli_agent_close(ret);
	return cli_fail("cannot ask the agent at %s", path);
}

void cli_agent_close(struct cli_agent *agent)
{
	closep(&agent->fd);
	free(agent->text);
	*agent = (struct cli_agent){.fd = -EBADF};
}

/* The first line of what has come; the caller's. */
static char *first_line(struct cli_agent *agent)
{
	char *end = memchr(agent->text ?: "", '\n', agent->size), *line;
	size_t size;

	if (!end)
		return NULL;
	*end = '\0';
	size = (size_t)(end - agent->text) + 1;
	line = strdup(agent->text);
	agent->size -= size;
	memmove(agent->text, end + 1, agent->size);
	return line;
}

char *cli_agent_next(struct cli_agent *agent, int timeout_ms)
{
	struct pollfd poller = {.fd = agent->fd, .events = POLLIN};
	char *line;

	while (!(line = first_line(agent))) {
		char *text = realloc(agent->text, agent->size + AGENT_READ_SIZE);
		ssize_t n;

		if (!text)
			return NULL;
		agent->text = text;
		if (poll(&poller, 1, timeout_ms) <= 0)
			return NULL;
		n = recv(agent->fd, text + agent->size, AGENT_READ_SIZE, 0);
		if (n <= 0)
			return NULL;
		agent->size += (size_t)n;
	}
	return line;
}

/* The root of the answer to a question that cannot be answered is {"error": …}. */
static int take_line(const char *text, cli_agent_line line, void *context)
{
	_cleanup_(json_decrefp) json_t *answer = json_loads(text, 0, NULL);
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (!answer)
		return cli_fail("the agent said what makes no sense");
	if (error)
		return cli_fail("%s", error);
	return line(context, answer);
}

int cli_agent_follow(struct cli *cli, const json_t *question, bool waits, cli_agent_line line, void *context)
{
	struct cli_agent agent;
	_cleanup_(freep) char *text = NULL;
	int r = cli_agent_open(cli, question, &agent);

	if (r != CLI_OK)
		return r;
	do {
		free(text);
		text = cli_agent_next(&agent, waits ? -1 : (int)MIN(cli->timeout_s, AGENT_TIMEOUT_S) * 1000);
		r = text ? take_line(text, line, context) : cli_fail("the agent ended its answer");
	} while (r == CLI_AGENT_MORE);
	cli_agent_close(&agent);
	return r;
}
