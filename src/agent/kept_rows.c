/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is a line with its length and a sum, then its text. One that was cut by the end of the process
 * ends the file; what stands before it is whole, and appending goes on from there. Pages are answers like
 * others, but a file that ends between two of them would have a part of what belongs together; so with pages
 * the file is written anew, also where they add to what it has.
 */
#include "kept_rows.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/file_write.h"
#include "../lib/fnv.h"
#include "../lib/log.h"

#define HEADER_SIZE 256
#define FRAME_SIZE  40		   /* "<length> <sum>\n" */
#define READ_SIZE   (1024u * 1024) /* at a time */
#define SHORT	    (1024u * 1024) /* changes that are no reason to ask for all rows */
#define BOOT_ID	    "/proc/sys/kernel/random/boot_id"

struct kept_rows {
	char path[PATH_MAX];
	char node[PORT_NODE_NAME_MAX + 1];
	char boot[64];
	int fd; /* to append to; negative: nothing is kept */
	size_t size, base_size;
	char run[NODE_TIMELINE_SIZE];
	bool has_told; /* that there are too many */
};

struct header {
	char node[PORT_NODE_NAME_MAX + 1], store[NODE_STORE_SIZE], boot[64];
};

static int path_of(const char *run_dir, char ret[PATH_MAX])
{
	return str_format(ret, PATH_MAX, "%s/node.rows", run_dir) < 0 ? -ENAMETOOLONG : 0;
}

/* "" where the kernel does not say. */
static void read_boot(char ret[64])
{
	_cleanup_(closep) int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, 63);

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/* Only root can have written it: the run directory is root's. */
static int open_file(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_size > (off_t)KEPT_ROWS_MAX)
		return -EUCLEAN;
	return TAKE_FD(fd);
}

/* The size of the header line. */
static int parse_header(const char *text, size_t size, struct header *ret)
{
	const char *end = memchr(text, '\n', MIN(size, (size_t)HEADER_SIZE));
	char line[HEADER_SIZE];

	if (!end)
		return -EUCLEAN;
	memcpy(line, text, (size_t)(end - text));
	line[end - text] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (sscanf(line, "privlink rows 1 %30s %32s %63s", ret->node, ret->store, ret->boot) != 3)
		return -EUCLEAN;
	if (!node_name_is_good(ret->node) || (!streq(ret->store, "-") && !node_store_is_good(ret->store)))
		return -EUCLEAN;
	return (int)(end + 1 - text);
}

int kept_rows_owner(const char *run_dir, char ret_node[PORT_NODE_NAME_MAX + 1],
		    char ret_store[NODE_STORE_SIZE])
{
	_cleanup_(closep) int fd = -EBADF;
	char path[PATH_MAX], text[HEADER_SIZE], boot[64];
	struct header header;
	ssize_t n;
	int r = path_of(run_dir, path);

	if (r < 0)
		return r;
	fd = open_file(path);
	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	r = parse_header(text, (size_t)n, &header);
	if (r < 0)
		return r;
	read_boot(boot);
	if (!streq(boot, header.boot))
		return -ENOENT;
	(void)str_copy(ret_node, PORT_NODE_NAME_MAX + 1, header.node);
	(void)str_copy(ret_store, NODE_STORE_SIZE, streq(header.store, "-") ? "" : header.store);
	return 0;
}

int kept_rows_new(const char *run_dir, const char *node, struct kept_rows **ret)
{
	struct kept_rows *kept = calloc(1, sizeof(*kept));
	int r;

	if (!kept)
		return -ENOMEM;
	kept->fd = -EBADF;
	read_boot(kept->boot);
	r = path_of(run_dir, kept->path);
	if (r == 0 && str_copy(kept->node, sizeof(kept->node), node) < 0)
		r = -ENAMETOOLONG;
	if (r < 0) {
		free(kept);
		return r;
	}
	*ret = kept;
	return 0;
}

struct kept_rows *kept_rows_free(struct kept_rows *kept)
{
	if (!kept)
		return NULL;
	closep(&kept->fd);
	free(kept);
	return NULL;
}

static int read_whole(int fd, char **ret, size_t *ret_size)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) < 0)
		return -errno;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (n > 0 && size < (size_t)st.st_size) {
		n = pread(fd, text + size, (size_t)st.st_size - size, (off_t)size);
		if (n < 0)
			return -errno;
		size += (size_t)n;
	}
	text[size] = '\0';
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/* The frame at the beginning of the text. -EUCLEAN: there is no whole one. */
static int parse_frame(const char *text, size_t size, const char **ret_body, size_t *ret_size)
{
	const char *end = memchr(text, '\n', MIN(size, (size_t)FRAME_SIZE));
	char line[FRAME_SIZE]; /* of its own: sscanf() measures all of the text that it is given */
	unsigned long long sum;
	size_t length;
	int used = 0;

	if (!end)
		return -EUCLEAN;
	memcpy(line, text, (size_t)(end - text));
	line[end - text] = '\0';
	if (sscanf(line, "%zu %16llx%n", &length, &sum, &used) != 2 || line[used])
		return -EUCLEAN;
	if (length >= size - (size_t)(end + 1 - text) || end[1 + length] != '\n' ||
	    fnv_add(FNV_START, end + 1, length) != sum)
		return -EUCLEAN;
	*ret_body = end + 1;
	*ret_size = length;
	return 0;
}

/* Applies what is whole; the number of bytes that are. */
static int replay(struct kept_rows *kept, const char *text, size_t size, const char *store,
		  struct snapshot *snapshot, char ret_timeline[NODE_TIMELINE_SIZE], size_t *ret_used)
{
	struct feed_rows rows = {.touched.whole = true}; /* there is no plan yet */
	size_t used = 0, length;
	const char *body;

	while (parse_frame(text + used, size - used, &body, &length) == 0) {
		_cleanup_(feed_answer_done) struct feed_answer answer = {};
		int r = feed_answer_parse(body, length, &answer);

		if (r < 0 || !streq(answer.store, store) || (used == 0) != answer.is_full)
			return -EUCLEAN;
		r = feed_answer_apply(&answer, snapshot, NULL, &rows);
		if (r < 0)
			return r;
		(void)str_copy(ret_timeline, NODE_TIMELINE_SIZE, answer.timeline);
		(void)str_copy(kept->run, sizeof(kept->run), answer.run);
		used = (size_t)(body - text) + length + 1;
	}
	*ret_used = used;
	return used ? 0 : -EUCLEAN;
}

static int load(struct kept_rows *kept, const char *store, const char *text, size_t size,
		struct snapshot *snapshot, char ret_timeline[NODE_TIMELINE_SIZE])
{
	struct header header;
	size_t used;
	int start = parse_header(text, size, &header), r;

	if (start < 0)
		return start;
	if (!streq(header.node, kept->node) || !streq(header.boot, kept->boot) ||
	    !streq(header.store, *store ? store : "-"))
		return -ESTALE;
	r = replay(kept, text + start, size - (size_t)start, store, snapshot, ret_timeline, &used);
	if (r < 0)
		return r;
	kept->size = kept->base_size = (size_t)start + used;
	return 0;
}

int kept_rows_load(struct kept_rows *kept, const char *store, uint64_t revision, struct snapshot *snapshot,
		   char ret_timeline[NODE_TIMELINE_SIZE])
{
	_cleanup_(closep) int fd = open_file(kept->path);
	_cleanup_(freep) char *text = NULL;
	size_t size = 0;
	int r;

	if (fd < 0)
		return fd;
	r = read_whole(fd, &text, &size);
	if (r == 0)
		r = load(kept, store, text, size, snapshot, ret_timeline);
	if (r == 0 && snapshot_revision(snapshot) < revision)
		r = -ESTALE;
	if (r == 0 && ftruncate(fd, (off_t)kept->size) < 0)
		r = -errno;
	if (r < 0) {
		snapshot_clear(snapshot);
		snapshot_set_revision(snapshot, 0);
		return r;
	}
	kept->fd = TAKE_FD(fd);
	return 0;
}

void kept_rows_forget(struct kept_rows *kept)
{
	closep(&kept->fd);
	kept->fd = -EBADF;
	kept->size = kept->base_size = 0;
	(void)unlink(kept->path);
}

static size_t format_frame(char *to, const char *body, size_t size)
{
	char frame[FRAME_SIZE];
	int n = str_format(frame, sizeof(frame), "%zu %016llx\n", size,
			   (unsigned long long)fnv_add(FNV_START, body, size));

	memcpy(to, frame, (size_t)n);
	memcpy(to + n, body, size);
	to[(size_t)n + size] = '\n';
	return (size_t)n + size + 1;
}

static int append(struct kept_rows *kept, const char *body, size_t size)
{
	_cleanup_(freep) char *text = malloc(size + FRAME_SIZE + 1);
	ssize_t n;

	if (!text)
		return -ENOMEM;
	size = format_frame(text, body, size);
	n = write(kept->fd, text, size);
	if (n != (ssize_t)size)
		return n < 0 ? -errno : -ENOSPC;
	kept->size += size;
	return 0;
}

/* What is to be written is put together here. */
struct text {
	char *v;
	size_t n;
};

static void text_done(struct text *text)
{
	free(text->v);
}

/* What stands in the file already, or the beginning of one. */
static int begin_text(const struct kept_rows *kept, const char *store, bool anew, const struct breath *breath,
		      struct text *text)
{
	ssize_t n;

	if (anew) {
		n = str_format(text->v, HEADER_SIZE, "privlink rows 1 %s %s %s\n", kept->node,
			       *store ? store : "-", kept->boot);
		text->n = (size_t)n;
		return n < 0 ? (int)n : 0;
	}
	while (text->n < kept->size) {
		breathe(breath);
		n = pread(kept->fd, text->v + text->n, MIN(kept->size - text->n, (size_t)READ_SIZE),
			  (off_t)text->n);
		if (n <= 0)
			return n < 0 ? -errno : -EUCLEAN;
		text->n += (size_t)n;
	}
	return 0;
}

/* The whole file. `size`: of all bodies. */
static int write_whole(struct kept_rows *kept, const struct feed_list *pages, const char *store, bool anew,
		       const char *body, size_t size)
{
	_cleanup_(text_done) struct text text = {};
	size_t before = anew ? 0 : kept->size, base;
	int r;

	text.v = malloc(MAX(before, (size_t)HEADER_SIZE) + pages->bytes + size +
			(pages->n + 1) * (FRAME_SIZE + 1));
	if (!text.v)
		return -ENOMEM;
	r = begin_text(kept, store, anew, &pages->breath, &text);
	for (size_t i = 0; r == 0 && i < pages->n; i++) {
		breathe(&pages->breath);
		text.n += format_frame(text.v + text.n, pages->parts[i].body, pages->parts[i].size);
	}
	base = anew ? 0 : kept->base_size + text.n - before;
	if (r == 0)
		text.n += format_frame(text.v + text.n, body, size);
	closep(&kept->fd);
	kept->fd = -EBADF;
	if (r == 0)
		r = file_write_breathing(kept->path, text.v, text.n, 0600, geteuid(), getegid(),
					 &pages->breath);
	if (r == 0)
		kept->fd = open_file(kept->path);
	if (r < 0 || kept->fd < 0)
		return r < 0 ? r : kept->fd;
	kept->size = text.n;
	kept->base_size = anew ? text.n : base;
	return 0;
}

void kept_rows_add(struct kept_rows *kept, const struct feed_list *pages, const struct feed_answer *answer,
		   const char *body, size_t size)
{
	bool anew = pages->n > 0 ? pages->is_full : answer->is_full;
	size_t before = anew ? 0 : kept->size;
	int r;

	if (!anew && kept->fd < 0)
		return;
	if (before + pages->bytes + size + HEADER_SIZE + (pages->n + 1) * FRAME_SIZE > KEPT_ROWS_MAX) {
		if (!kept->has_told)
			log_warning(
				"keeping no rows for a start without privlinkd: they are more than %u MiB",
				KEPT_ROWS_MAX >> 20);
		kept->has_told = true;
		kept_rows_forget(kept);
		return;
	}
	r = anew || pages->n > 0 ? write_whole(kept, pages, answer->store, anew, body, size)
				 : append(kept, body, size);
	if (r < 0) {
		log_warning("cannot keep rows for a start without privlinkd, ignoring file=%s: %s",
			    kept->path, strerror(-r));
		kept_rows_forget(kept);
	}
}

const char *kept_rows_run(const struct kept_rows *kept)
{
	return kept->run;
}

bool kept_rows_want_all(const struct kept_rows *kept)
{
	return kept->fd >= 0 && kept->size > 2 * kept->base_size + SHORT;
}
