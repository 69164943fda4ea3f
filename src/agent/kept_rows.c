/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is a line with its length and a sum, then its text. One that was cut by the end of the process
 * ends the file; what stands before it is whole, and appending goes on from there. Pages are answers like
 * others, and a file that ends between two of them has a part of what belongs together: they count with the
 * answer behind them alone.
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
#include "../lib/vec.h"

#define HEADER_SIZE   256
#define FRAME_SIZE    40	     /* "<length> <sum>\n" */
#define SHORT	      (1024u * 1024) /* changes that are no reason to ask for all rows */
#define NO_ROOM_SHARE 4 /* changes that have no room are one, once they are this part of all rows */
#define BOOT_ID	      "/proc/sys/kernel/random/boot_id"

struct kept_rows {
	char path[PATH_MAX];
	char node[PORT_NODE_NAME_MAX + 1];
	char boot[64];
	int fd;		  /* to append to; negative: nothing is kept */
	size_t base_size; /* of the answer, or the list, that has all rows; 0: it is not known what they are
			   */
	size_t size;	  /* with the changes since, also where they did not fit */
	char run[NODE_TIMELINE_SIZE];
	uint64_t all_ms; /* when all rows came, of the monotonic clock; 0: not to this agent */
	bool is_lost;	 /* they could not be written, and have not been since */
	bool has_told;	 /* that there are too many */
	/* Of the last time that they could not be written: when that was, why, and for how long all were not
	 * wanted again; 0: never. */
	uint64_t failed_ms, pause_ms;
	int error;
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

/* Pages, and the answer behind them; or an answer. */
struct together {
	struct feed_answer *answers;
	size_t n, size;
};

static void together_clear(struct together *together)
{
	for (size_t i = 0; i < together->n; i++)
		feed_answer_done(&together->answers[i]);
	together->n = 0;
}

static void together_done(struct together *together)
{
	together_clear(together);
	free(together->answers);
}

static int together_add(struct together *together, const char *body, size_t size)
{
	if (VEC_ROOM(together->answers, together->n, together->size) < 0)
		return -ENOMEM;
	together->answers[together->n] = (struct feed_answer){};
	if (feed_answer_parse(body, size, &together->answers[together->n]) < 0)
		return -EUCLEAN;
	together->n++;
	return 0;
}

static int apply_together(struct kept_rows *kept, struct together *together, struct snapshot *snapshot,
			  char ret_timeline[NODE_TIMELINE_SIZE])
{
	struct feed_rows rows = {.touched.whole = true}; /* there is no plan yet */
	const struct feed_answer *last = &together->answers[together->n - 1];
	int r = 0;

	for (size_t i = 0; i < together->n && r == 0; i++)
		r = feed_answer_apply(&together->answers[i], snapshot, NULL, &rows);
	if (r < 0)
		return r;
	(void)str_copy(ret_timeline, NODE_TIMELINE_SIZE, last->timeline);
	(void)str_copy(kept->run, sizeof(kept->run), last->run);
	together_clear(together);
	return 0;
}

/* Applies what is whole. *ret_base, *ret_used: bytes of all rows, and with the changes behind them. */
static int replay(struct kept_rows *kept, const char *text, size_t size, const char *store,
		  struct snapshot *snapshot, char ret_timeline[NODE_TIMELINE_SIZE], size_t *ret_base,
		  size_t *ret_used)
{
	_cleanup_(together_done) struct together together = {};
	size_t at = 0, length;
	const char *body;

	*ret_base = *ret_used = 0;
	while (parse_frame(text + at, size - at, &body, &length) == 0) {
		const struct feed_answer *answer;
		int r = together_add(&together, body, length);

		if (r < 0)
			return r;
		answer = &together.answers[together.n - 1];
		if (!streq(answer->store, store) || (at == 0) != answer->is_full)
			return -EUCLEAN;
		at = (size_t)(body - text) + length + 1;
		if (answer->is_page)
			continue;
		r = apply_together(kept, &together, snapshot, ret_timeline);
		if (r < 0)
			return r;
		*ret_base = *ret_base ? *ret_base : at;
		*ret_used = at;
	}
	return *ret_used ? 0 : -EUCLEAN;
}

static int load(struct kept_rows *kept, const char *store, const char *text, size_t size,
		struct snapshot *snapshot, char ret_timeline[NODE_TIMELINE_SIZE])
{
	struct header header;
	size_t base, used;
	int start = parse_header(text, size, &header), r;

	if (start < 0)
		return start;
	if (!streq(header.node, kept->node) || !streq(header.boot, kept->boot) ||
	    !streq(header.store, *store ? store : "-"))
		return -ESTALE;
	r = replay(kept, text + start, size - (size_t)start, store, snapshot, ret_timeline, &base, &used);
	if (r < 0)
		return r;
	kept->base_size = (size_t)start + base;
	kept->size = (size_t)start + used;
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
		kept->size = kept->base_size = 0;
		snapshot_clear(snapshot);
		snapshot_set_revision(snapshot, 0);
		return r;
	}
	kept->fd = TAKE_FD(fd);
	return 0;
}

static void remove_file(struct kept_rows *kept)
{
	closep(&kept->fd);
	kept->fd = -EBADF;
	(void)unlink(kept->path);
}

void kept_rows_forget(struct kept_rows *kept)
{
	remove_file(kept);
	kept->size = kept->base_size = 0;
	kept->is_lost = false;
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

static int append_all(struct kept_rows *kept, const struct feed_list *pages, const char *body, size_t size)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pages->n; i++) {
		breathe(&pages->breath);
		r = append(kept, pages->parts[i].body, pages->parts[i].size);
	}
	return r < 0 ? r : append(kept, body, size);
}

/* All rows: a file of them alone. `most`: how large it is at most. */
static int write_whole(struct kept_rows *kept, const struct feed_list *pages, const char *store,
		       const char *body, size_t size, size_t most)
{
	_cleanup_(freep) char *text = malloc(most);
	size_t n;
	int r;

	if (!text)
		return -ENOMEM;
	r = str_format(text, HEADER_SIZE, "privlink rows 1 %s %s %s\n", kept->node, *store ? store : "-",
		       kept->boot);
	if (r < 0)
		return r;
	n = (size_t)r;
	for (size_t i = 0; i < pages->n; i++) {
		breathe(&pages->breath);
		n += format_frame(text + n, pages->parts[i].body, pages->parts[i].size);
	}
	n += format_frame(text + n, body, size);
	closep(&kept->fd);
	kept->fd = -EBADF;
	r = file_write_breathing(kept->path, text, n, 0600, geteuid(), getegid(), &pages->breath);
	if (r == 0)
		kept->fd = open_file(kept->path);
	if (r < 0 || kept->fd < 0)
		return r < 0 ? r : kept->fd;
	kept->size = kept->base_size = n;
	kept->is_lost = false;
	kept->all_ms = now_mono_ms();
	return 0;
}

/* All rows are too many. */
static void give_up(struct kept_rows *kept)
{
	if (!kept->has_told)
		log_warning("keeping no rows for a start without privlinkd: they are more than %u MiB",
			    KEPT_ROWS_MAX >> 20);
	kept->has_told = true;
	kept_rows_forget(kept);
}

/* They could not be written. That it succeeded in between is not the end of it: where all rows just fit, the
 * changes behind them may not, each time anew. */
static void lose(struct kept_rows *kept, int error)
{
	uint64_t now_ms = now_mono_ms();
	bool again = kept->pause_ms && now_ms - kept->failed_ms <= 2 * kept->pause_ms;

	if (!again || error != kept->error)
		log_warning("cannot keep rows for a start without privlinkd, ignoring file=%s: %s",
			    kept->path, strerror(-error));
	kept_rows_forget(kept);
	kept->is_lost = true;
	kept->error = error;
	kept->pause_ms = again ? MIN(2 * kept->pause_ms, KEPT_ROWS_PAUSE_MAX_S * UINT64_C(1000))
			       : KEPT_ROWS_ALL_EVERY_S * UINT64_C(1000);
	kept->failed_ms = now_ms;
}

void kept_rows_add(struct kept_rows *kept, const struct feed_list *pages, const struct feed_answer *answer,
		   const char *body, size_t size)
{
	bool anew = pages->n > 0 ? pages->is_full : answer->is_full;
	size_t added = pages->bytes + size + (pages->n + 1) * (FRAME_SIZE + 1);
	size_t most = added + (anew ? HEADER_SIZE : kept->size);
	int r;

	if (!anew && !kept->base_size)
		return;
	if (anew && most > KEPT_ROWS_MAX) {
		give_up(kept);
		return;
	}
	if (!anew && (kept->fd < 0 || most > KEPT_ROWS_MAX)) {
		remove_file(kept);
		kept->size += added;
		return;
	}
	r = anew ? write_whole(kept, pages, answer->store, body, size, most)
		 : append_all(kept, pages, body, size);
	if (r < 0)
		lose(kept, r);
}

const char *kept_rows_run(const struct kept_rows *kept)
{
	return kept->run;
}

bool kept_rows_want_all(const struct kept_rows *kept)
{
	size_t changes = kept->size - kept->base_size;

	if (kept->is_lost) /* what was in the way, a full disk or so, may be over */
		return now_mono_ms() - kept->failed_ms >= kept->pause_ms;
	/* Until they come nothing is kept, so this does not wait. Where there is no room for as many, all
	 * rows are no reason to ask for them all the time. */
	if (kept->fd < 0)
		return kept->base_size && changes > kept->base_size / NO_ROOM_SHARE;
	return changes > kept->base_size + SHORT &&
	       now_mono_ms() - kept->all_ms >= KEPT_ROWS_ALL_EVERY_S * 1000;
}
