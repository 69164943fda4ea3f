/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is a head of fixed size, and the two texts that it gives the lengths of.
 */
#include "daemon_reader.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

#define TEXT_MAX (1024 * 1024) /* as daemon_read_file() allows */

struct head {
	int32_t result;
	int32_t level;
	char certificate_path[PATH_MAX], key_path[PATH_MAX];
	uint64_t certificate_size, key_size; /* 0: none */
};

struct daemon_reader {
	int fd;
	struct loop_source *source;
	daemon_reader_done done;
	void *context;
	bool asked, again;
	struct head head;
	char *texts;
	size_t received; /* of head and texts */
};

/* ---- the other process ---- */

static int write_all(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int answer(int fd, int argc, char **argv)
{
	struct daemon_options options;
	struct daemon_tls tls = {};
	struct head head = {};
	int r;

	r = daemon_options_read(argc, argv, &options);
	if (r == 0)
		r = daemon_tls_read(&options, &tls);
	head.result = r;
	head.level = (int32_t)options.log_level;
	memcpy(head.certificate_path, tls.certificate_path, PATH_MAX);
	memcpy(head.key_path, tls.key_path, PATH_MAX);
	head.certificate_size = tls.certificate ? strlen(tls.certificate) + 1 : 0;
	head.key_size = tls.key ? strlen(tls.key) + 1 : 0;
	r = write_all(fd, &head, sizeof(head));
	if (r == 0)
		r = write_all(fd, tls.certificate, head.certificate_size);
	if (r == 0)
		r = write_all(fd, tls.key, head.key_size);
	daemon_tls_done(&tls);
	daemon_options_done(&options);
	return r;
}

/* What is sent to the whole group is meant for privlinkd; when that is gone, its end of the socket is. */
static _Noreturn void serve(int fd, int argc, char **argv)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
	ssize_t n;
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)prctl(PR_SET_NAME, "privlinkd-files");
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	do {
		n = read(fd, &byte, 1);
	} while ((n < 0 && errno == EINTR) || (n == 1 && answer(fd, argc, argv) == 0));
	_exit(EXIT_SUCCESS);
}

int daemon_reader_start(int argc, char **argv, struct daemon_reader **ret)
{
	struct daemon_reader *reader = calloc(1, sizeof(*reader));
	int fds[2];
	pid_t pid;

	if (!reader)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		free(reader);
		return log_errno(-errno, "cannot make a pair of sockets");
	}
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		serve(fds[1], argc, argv);
	}
	(void)close(fds[1]);
	reader->fd = fds[0];
	if (pid < 0) {
		daemon_reader_free(reader);
		return log_errno(-errno, "cannot start the process that reads files again");
	}
	*ret = reader;
	return 0;
}

/* ---- privlinkd ---- */

static void forget_answer(struct daemon_reader *reader)
{
	if (reader->texts)
		explicit_bzero(reader->texts, reader->head.certificate_size + reader->head.key_size);
	free(reader->texts);
	reader->texts = NULL;
	reader->received = 0;
}

struct daemon_reader *daemon_reader_free(struct daemon_reader *reader)
{
	if (!reader)
		return NULL;
	forget_answer(reader);
	loop_source_free(reader->source);
	closep(&reader->fd);
	free(reader);
	return NULL;
}

static size_t expected(const struct daemon_reader *reader)
{
	return reader->received < sizeof(reader->head)
		       ? sizeof(reader->head)
		       : sizeof(reader->head) + reader->head.certificate_size + reader->head.key_size;
}

static int make_room(struct daemon_reader *reader)
{
	struct head *head = &reader->head;

	if (head->certificate_size > TEXT_MAX + 1 || head->key_size > TEXT_MAX + 1)
		return -EPROTO;
	reader->texts = malloc(head->certificate_size + head->key_size + 1);
	return reader->texts ? 0 : -ENOMEM;
}

/* 1: the answer is complete. 0: some of it is still to come. */
static int receive(struct daemon_reader *reader)
{
	const size_t head_size = sizeof(reader->head);
	ssize_t n;
	int r = 0;

	while (reader->received < expected(reader)) {
		char *place = reader->received < head_size ? (char *)&reader->head + reader->received
							   : reader->texts + reader->received - head_size;

		n = recv(reader->fd, place, expected(reader) - reader->received, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n == 0)
			return -ECONNRESET;
		reader->received += (size_t)n;
		if (reader->received == head_size)
			r = make_room(reader);
		if (r < 0)
			return r;
	}
	return 1;
}

static void take_answer(struct daemon_reader *reader)
{
	struct head *head = &reader->head;
	struct daemon_tls tls = {};

	memcpy(tls.certificate_path, head->certificate_path, PATH_MAX);
	memcpy(tls.key_path, head->key_path, PATH_MAX);
	if (head->certificate_size && head->key_size) {
		tls.certificate = reader->texts;
		tls.key = reader->texts + head->certificate_size;
	}
	reader->done(reader->context, head->result, (enum log_level)head->level, &tls);
}

static void ready(void *context, _unused_ uint32_t events)
{
	struct daemon_reader *reader = context;
	int r = receive(reader);

	if (r == 0)
		return;
	if (r < 0) {
		log_errno(r, "the process that reads files is gone: a restart is needed to read them again");
		reader->source = loop_source_free(reader->source);
		reader->done(reader->context, r, LOG_LEVEL_INFO, NULL);
		return;
	}
	take_answer(reader);
	forget_answer(reader);
	reader->asked = false;
	if (reader->again)
		daemon_reader_ask(reader);
}

int daemon_reader_listen(struct daemon_reader *reader, struct loop *loop, daemon_reader_done done,
			 void *context)
{
	reader->done = done;
	reader->context = context;
	return loop_add_fd(loop, reader->fd, EPOLLIN, ready, reader, &reader->source);
}

void daemon_reader_ask(struct daemon_reader *reader)
{
	const char byte = 1;

	reader->again = reader->asked;
	if (reader->asked)
		return;
	reader->asked = true;
	if (send(reader->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 && reader->source)
		ready(reader, 0);
}
