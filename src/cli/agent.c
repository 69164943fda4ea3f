/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent of this node, over its socket: one JSON object a line each way (doc/architecture.md).
 */
#include "cli.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENT_SOCKET	"/run/privlink/agent.sock"
#define AGENT_TIMEOUT_S 10

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
	const char *path = getenv("PRIVLINK_AGENT_SOCKET") ?: AGENT_SOCKET;
	char question[64];
	int fd = connect_agent(path, MIN(cli->timeout_s, AGENT_TIMEOUT_S));

	if (fd < 0)
		return cli_fail("cannot reach the agent at %s: %s%s", path, strerror(-fd),
				fd == -EACCES ? " (root may)" : "");
	(void)str_format(question, sizeof(question), "{\"command\": \"%s\"}\n", command);
	*ret = ask(fd, question);
	return *ret ? CLI_OK : cli_fail("the agent at %s gave no answer", path);
}
