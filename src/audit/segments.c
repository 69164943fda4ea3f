/* SPDX-License-Identifier: Apache-2.0 */
#include "segments.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "../lib/vec.h"

#define DIGITS	  10
#define FILES_MAX 100000 /* that are looked at */

static const char *const prefixes[AUDIT_KIND_COUNT_] = {"changes-", "reads-", "refused-"};
static const char suffix[] = ".jsonl";

static int path_of(const struct segments *segments, uint64_t number, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/%s%0*llu%s", segments->directory, prefixes[segments->kind],
			   DIGITS, (unsigned long long)number, suffix);

	return r < 0 ? -ENAMETOOLONG : 0;
}

/* The number in a file's name; 0: it is none of this kind. */
static uint64_t number_of(const struct segments *segments, const char *name)
{
	const char *prefix = prefixes[segments->kind], *digits = name + strlen(prefix);
	uint64_t number = 0;

	if (!str_starts(name, prefix) || strspn(digits, "0123456789") != DIGITS ||
	    !streq(digits + DIGITS, suffix))
		return 0;
	for (int i = 0; i < DIGITS; i++)
		number = 10 * number + (uint64_t)(digits[i] - '0');
	return number;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int segments_scan(struct segments *segments)
{
	DIR *directory = opendir(segments->directory);
	const struct dirent *entry;
	int r = 0;

	segments->n = 0;
	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && segments->n < FILES_MAX && (entry = readdir(directory))) {
		uint64_t number = number_of(segments, entry->d_name);

		if (!number)
			continue;
		r = VEC_ROOM(segments->numbers, segments->n, segments->size);
		if (r == 0)
			segments->numbers[segments->n++] = number;
	}
	(void)closedir(directory);
	if (segments->n > 0)
		qsort(segments->numbers, segments->n, sizeof(*segments->numbers), compare);
	return r;
}

void segments_done(struct segments *segments)
{
	free(segments->numbers);
	segments->numbers = NULL;
	segments->n = segments->size = 0;
}

int segments_open(const struct segments *segments, uint64_t number, bool for_writing)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	char path[PATH_MAX];
	int fd, r;

	r = path_of(segments, number, path);
	if (r < 0)
		return r;
	fd = open(path, flags | (for_writing ? O_RDWR | O_APPEND : O_RDONLY));
	return fd < 0 ? -errno : fd;
}

void segments_prune(struct segments *segments, size_t n)
{
	size_t n_gone = segments->n > n ? segments->n - n : 0;
	char path[PATH_MAX];

	for (size_t i = 0; i < n_gone; i++)
		if (path_of(segments, segments->numbers[i], path) == 0)
			(void)unlink(path);
	if (n_gone > 0)
		memmove(segments->numbers, segments->numbers + n_gone,
			(segments->n - n_gone) * sizeof(*segments->numbers));
	segments->n -= n_gone;
}

int segments_begin(struct segments *segments, unsigned int files_max)
{
	uint64_t number = segments->n > 0 ? segments->numbers[segments->n - 1] + 1 : 1;
	char path[PATH_MAX];
	int fd, r;

	segments_prune(segments, files_max - 1);
	r = VEC_ROOM(segments->numbers, segments->n, segments->size);
	if (r == 0)
		r = path_of(segments, number, path);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST) { /* not ours, and in the way */
		r = segments_scan(segments);
		return r < 0 ? r : -EAGAIN;
	}
	if (fd < 0)
		return -errno;
	segments->numbers[segments->n++] = number;
	return fd;
}
