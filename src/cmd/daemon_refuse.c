/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_refuse.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/file_write.h"
#include "lib/log.h"
#include "lib/notify.h"

#define SENTENCE_SIZE 1536

static void leave(const char *run_dir, char *sentence)
{
	char path[PATH_MAX];
	size_t length = strlen(sentence);

	sentence[length++] = '\n';
	if (str_format(path, sizeof(path), "%s/" REFUSED_NAME, run_dir) < 0 ||
	    file_write(path, sentence, length, 0644, geteuid(), getegid()) < 0)
		log_warning("cannot leave the sentence above in directory=%s, ignoring", run_dir);
}

int daemon_refuse(const char *run_dir, const char *format, ...)
{
	char sentence[SENTENCE_SIZE + 1];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(sentence, SENTENCE_SIZE, format, ap);
	va_end(ap);
	log_error("%s", sentence);
	notify_send("STATUS=%s", sentence);
	leave(run_dir, sentence);
	return -EUCLEAN;
}

void daemon_refuse_forget(const char *run_dir)
{
	char path[PATH_MAX];

	if (str_format(path, sizeof(path), "%s/" REFUSED_NAME, run_dir) >= 0)
		(void)unlink(path);
}
