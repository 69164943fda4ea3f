/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink counters: asks the agent of this node why packets left the data path. The agent answers one JSON
 * object a line on its socket (doc/architecture.md). With reasons as arguments only these are shown, in that
 * order, and a reason that the agent does not know is an error: a script must not take a misspelt name for
 * zero.
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

static const json_t *counter_find(const json_t *counters, const char *name)
{
	for (size_t i = 0; i < json_array_size(counters); i++) {
		const json_t *entry = json_array_get(counters, i);
		const char *reason = json_string_value(json_object_get(entry, "reason"));

		if (reason && streq(reason, name))
			return entry;
	}
	return NULL;
}

/* The wanted ones, or all that are not zero; the caller's. NULL after a message. */
static json_t *choose(const struct cli *cli, const json_t *counters, int n_wanted, char **wanted)
{
	json_t *chosen = json_array();

	for (int i = 0; chosen && i < n_wanted; i++) {
		const json_t *entry = counter_find(counters, wanted[i]);

		if (!entry) {
			(void)cli_usage("unknown reason %s (privlink counters --json shows all)", wanted[i]);
			json_decref(chosen);
			return NULL;
		}
		json_array_append(chosen, (json_t *)entry);
	}
	for (size_t i = 0; chosen && n_wanted == 0 && i < json_array_size(counters); i++) {
		json_t *entry = json_array_get(counters, i);

		if (cli->json || json_integer_value(json_object_get(entry, "packets")) > 0)
			json_array_append(chosen, entry);
	}
	return chosen;
}

static int show(const struct cli *cli, const json_t *counters, int n_wanted, char **wanted)
{
	static const struct cli_column columns[] = {
		{"Reason", "reason"}, {"Kind", "kind"}, {"Packets", "packets"}, {"Meaning", "text"}, {NULL}};
	json_t *chosen = choose(cli, counters, n_wanted, wanted);

	if (!chosen)
		return CLI_USAGE;
	if (cli->json) {
		json_dumpf(chosen, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		cli_table_print(chosen, columns);
	}
	json_decref(chosen);
	return CLI_OK;
}

int cli_run_counters(struct cli *cli, int argc, char **argv)
{
	const char *path = getenv("PRIVLINK_AGENT_SOCKET") ?: AGENT_SOCKET;
	const json_t *counters;
	json_t *answer;
	int fd, r;

	for (int i = 0; i < argc; i++)
		if (str_starts(argv[i], "-"))
			return cli_usage("counters: unknown option %s", argv[i]);
	fd = connect_agent(path, MIN(cli->timeout_s, AGENT_TIMEOUT_S));
	if (fd < 0)
		return cli_fail("cannot reach the agent at %s: %s%s", path, strerror(-fd),
				fd == -EACCES ? " (root may)" : "");
	answer = ask(fd, "{\"command\": \"counters\"}\n");
	counters = json_object_get(answer, "counters");
	r = json_is_array(counters) ? show(cli, counters, argc, argv)
				    : cli_fail("the agent at %s gave no counters", path);
	json_decref(answer);
	return r;
}
