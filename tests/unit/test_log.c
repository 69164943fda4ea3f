/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines, read back from a pipe that takes stderr's place.
 */
#include "lib/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "../tap.h"

static int pipe_fds[2], saved_stderr;

static void capture(void)
{
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		exit(EXIT_FAILURE);
	saved_stderr = dup(STDERR_FILENO);
	(void)dup2(pipe_fds[1], STDERR_FILENO);
}

static void release(char *ret, size_t size)
{
	ssize_t n = read(pipe_fds[0], ret, size - 1);

	ret[MAX(n, 0)] = '\0';
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

int main(void)
{
	enum log_level level;
	char text[8192], huge[5000];
	int r;

	(void)setenv("JOURNAL_STREAM", "8:1", 1);
	capture();
	log_info("started endpoint=%s", "ep-1");
	release(text, sizeof(text));
	tap_is_str(text, "<6>started endpoint=ep-1\n", "the journal gets a level and no time");

	capture();
	log_debug("hidden");
	release(text, sizeof(text));
	tap_is_str(text, "", "debug is hidden at first");

	capture();
	log_info("key=a\xff\xc3z\xe4\xb8\xad\n\x7f\xed\xa0\x80");
	release(text, sizeof(text));
	tap_is_str(text,
		   "<6>key=a??z\xe4\xb8\xad??"
		   "???"
		   "\n",
		   "what is no text is replaced, byte by byte, and the rest stays");

	log_set_level(LOG_LEVEL_DEBUG);
	capture();
	log_debug("shown");
	release(text, sizeof(text));
	tap_is_str(text, "<7>shown\n", "debug shows when asked for");

	capture();
	errno = EXDEV;
	r = log_errno(-ENOENT, "cannot open store=%s", "/x");
	tap_is_int(errno, EXDEV, "errno survives a log line");
	release(text, sizeof(text));
	tap_is_int(r, -ENOENT, "log_errno returns its error");
	tap_is_str(text, "<3>cannot open store=/x: No such file or directory\n",
		   "log_errno adds the error's text");

	capture();
	log_warning("named name=%s", "a\nb\033[1m\x7f");
	release(text, sizeof(text));
	tap_is_str(text, "<4>named name=a?b?[1m?\n", "a name cannot forge a line");

	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	capture();
	log_info("%s", huge);
	release(text, sizeof(text));
	tap_ok(strlen(text) > 1000 && strlen(text) <= 2048 && str_ends(text, "x\n"),
	       "a long line is cut and ended");

	(void)unsetenv("JOURNAL_STREAM");
	capture();
	log_info("started");
	release(text, sizeof(text));
	tap_ok(text[4] == '-' && text[10] == 'T' && text[23] == 'Z' && str_ends(text, "Z info: started\n"),
	       "a terminal gets time and level");

	tap_ok(log_level_parse("warning", &level) == 0 && level == LOG_LEVEL_WARNING, "a level is parsed");
	tap_is_int(log_level_parse("loud", &level), -EINVAL, "an unknown level is refused");
	return tap_done();
}
