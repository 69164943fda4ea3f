/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer. A batch is written whole or not at all: what a full disk took of it is cut off again, so only a
 * crash leaves half a line. A file is looked at before it is continued, and gets a newline first where it
 * ends without one; readers pass over what is no line of ours.
 */
#include "audit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../lib/log.h"
#include "event.h"
#include "parts.h"

#define BATCH_MAX      (256 * 1024)
#define PRIORITY       100 /* after whatever answers calls at the end of a turn */
#define SECOND_MS      1000
#define FREE_AGE_MS    1000 /* for so long is believed how much of the disk is free */
#define BEGIN_ATTEMPTS 2

/* Of refused calls: what a second has seen. */
struct bucket {
	unsigned int n;
	uint64_t omitted;
};
enum { BUCKET_SIGNED, BUCKET_UNKNOWN, BUCKET_COUNT };

struct stream {
	struct segments segments;
	int fd; /* of the newest file; -EBADF: to be opened */
	char *batch;
	size_t length, room, n_lines;
	uint64_t lost; /* lines that could not be written, and are to be told */
	bool failed;   /* to be written, the last time */
};

struct audit {
	struct audit_settings settings;
	char *directory;
	struct loop_source *end_of_turn, *second;
	struct stream streams[AUDIT_KIND_COUNT_];
	struct bucket buckets[BUCKET_COUNT];
	bool in_second;
	uint64_t free_known_ms; /* when was looked; 0: never */
	bool has_room;
};

/* ---- writing ---- */

static void close_stream(struct stream *stream)
{
	closep(&stream->fd);
	stream->fd = -EBADF;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* All of it, or nothing. `before` is how long the file was. */
static int write_whole(struct stream *stream, const char *data, size_t size, off_t before)
{
	int r = write_all(stream->fd, data, size);

	if (r < 0) {
		/* Where this fails, too, the next look finds half a line. */
		(void)ftruncate(stream->fd, before);
		close_stream(stream);
	}
	return r;
}

static int end_torn_line(struct stream *stream, off_t size)
{
	char last;

	if (size == 0 || pread(stream->fd, &last, 1, size - 1) != 1 || last == '\n')
		return 0;
	return write_whole(stream, "\n", 1, size);
}

static int begin_file(struct audit *audit, struct stream *stream)
{
	int fd = -EAGAIN;

	close_stream(stream);
	for (int i = 0; fd == -EAGAIN && i < BEGIN_ATTEMPTS; i++)
		fd = segments_begin(&stream->segments, audit->settings.files_max);
	stream->fd = fd < 0 ? -EBADF : fd;
	return MIN(fd, 0);
}

/* The newest file, if it can be continued; else a new one. */
static int open_stream(struct audit *audit, struct stream *stream)
{
	const struct segments *segments = &stream->segments;
	struct stat st;
	int r;

	r = segments_scan(&stream->segments);
	if (r < 0)
		return r;
	if (segments->n > 0)
		stream->fd = segments_open(segments, segments->numbers[segments->n - 1], true);
	if (stream->fd < 0 || fstat(stream->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return begin_file(audit, stream);
	return end_torn_line(stream, st.st_size);
}

/* The file that so many bytes more go to, and how long it is. Somebody may have removed or emptied it. */
static int prepare(struct audit *audit, struct stream *stream, size_t more, off_t *ret_size)
{
	struct stat st;
	int r = 0;

	if (stream->fd >= 0 && (fstat(stream->fd, &st) < 0 || st.st_nlink == 0))
		close_stream(stream);
	if (stream->fd < 0)
		r = open_stream(audit, stream);
	if (r < 0)
		return r;
	if (fstat(stream->fd, &st) < 0)
		return -errno;
	if (st.st_size > 0 && (uint64_t)st.st_size + more > audit->settings.file_size_max) {
		r = begin_file(audit, stream);
		st.st_size = 0;
	}
	*ret_size = st.st_size;
	return r;
}

static bool disk_has_room(struct audit *audit)
{
	uint64_t now = now_mono_ms();
	struct statvfs fs;

	if (audit->free_known_ms && now - audit->free_known_ms < FREE_AGE_MS)
		return audit->has_room;
	audit->free_known_ms = now;
	audit->has_room = statvfs(audit->directory, &fs) < 0 ||
			  (uint64_t)fs.f_bavail * fs.f_frsize >= audit->settings.free_min;
	return audit->has_room;
}

static int write_batch(struct audit *audit, struct stream *stream)
{
	off_t size = 0;
	int r;

	if (!disk_has_room(audit))
		return -ENOSPC;
	r = prepare(audit, stream, stream->length, &size);
	return r < 0 ? r : write_whole(stream, stream->batch, stream->length, size);
}

static bool any_failed(const struct audit *audit)
{
	for (size_t i = 0; i < AUDIT_KIND_COUNT_; i++)
		if (audit->streams[i].failed)
			return true;
	return false;
}

/* Once for all kinds, until all can be written again. */
static void tell_failure(struct audit *audit, struct stream *stream, int r)
{
	if (!any_failed(audit))
		log_warning("cannot write the audit log directory=%s: %s; calls go on, and are not recorded "
			    "until it can be written again",
			    audit->directory, r == -ENOSPC ? "the disk is full, or nearly so" : strerror(-r));
	stream->failed = true;
}

static void tell_success(struct audit *audit, struct stream *stream)
{
	if (!stream->failed)
		return;
	stream->failed = false;
	if (!any_failed(audit))
		log_info("writing the audit log again directory=%s; what is missing is counted there",
			 audit->directory);
}

static bool gather(struct stream *stream, const char *line, size_t length);

/* The count of what was lost goes before what is written next. */
static void tell_lost(struct stream *stream)
{
	char *line = audit_omitted_line(stream->segments.kind, stream->lost, "the log could not be written");
	size_t old = stream->length;

	if (line && gather(stream, line, strlen(line))) {
		size_t length = stream->length - old;

		memmove(stream->batch + length, stream->batch, old);
		memcpy(stream->batch, line, length);
	}
	free(line);
}

static void flush_stream(struct audit *audit, struct stream *stream)
{
	size_t n = stream->n_lines;
	int r;

	if (stream->lost > 0)
		tell_lost(stream);
	if (stream->length == 0)
		return;
	r = write_batch(audit, stream);
	stream->length = stream->n_lines = 0;
	if (r < 0) {
		stream->lost += n;
		tell_failure(audit, stream, r);
		return;
	}
	stream->lost = 0;
	tell_success(audit, stream);
}

void audit_flush(struct audit *audit)
{
	for (size_t i = 0; i < AUDIT_KIND_COUNT_; i++)
		flush_stream(audit, &audit->streams[i]);
}

static void end_of_turn(void *context, _unused_ uint32_t events)
{
	audit_flush(context);
}

const struct segments *audit_segments(struct audit *audit, enum audit_kind kind)
{
	struct stream *stream = &audit->streams[kind];

	flush_stream(audit, stream);
	if (stream->fd < 0)
		(void)segments_scan(&stream->segments);
	return &stream->segments;
}

/* ---- gathering ---- */

static bool gather(struct stream *stream, const char *line, size_t length)
{
	size_t room = MAX(stream->room, (size_t)4096);
	char *grown;

	while (room < stream->length + length)
		room *= 2;
	if (room > stream->room) {
		grown = realloc(stream->batch, room);
		if (!grown)
			return false;
		stream->batch = grown;
		stream->room = room;
	}
	memcpy(stream->batch + stream->length, line, length);
	stream->length += length;
	return true;
}

/* Takes `line`; NULL: there was no memory for it. */
static void add_line(struct audit *audit, enum audit_kind kind, char *line)
{
	struct stream *stream = &audit->streams[kind];
	size_t length = line ? strlen(line) : 0;

	if (stream->length + length > BATCH_MAX)
		flush_stream(audit, stream);
	if (line && gather(stream, line, length))
		stream->n_lines++;
	else
		stream->lost++;
	free(line);
	loop_defer(audit->end_of_turn);
}

/* A second is over: what was too much of it is told. */
static void second_over(void *context, _unused_ uint32_t events)
{
	static const char *const why[BUCKET_COUNT] = {
		[BUCKET_SIGNED] = "more signed calls were refused in a second than are recorded",
		[BUCKET_UNKNOWN] = "more calls without a right signature came in a second than are recorded",
	};
	struct audit *audit = context;

	audit->in_second = false;
	for (size_t i = 0; i < BUCKET_COUNT; i++) {
		struct bucket *bucket = &audit->buckets[i];

		if (bucket->omitted > 0)
			add_line(audit, AUDIT_REFUSED,
				 audit_omitted_line(AUDIT_REFUSED, bucket->omitted, why[i]));
		*bucket = (struct bucket){};
	}
}

static bool has_turn(struct audit *audit, const struct audit_event *event)
{
	struct bucket *bucket = &audit->buckets[event->is_signed ? BUCKET_SIGNED : BUCKET_UNKNOWN];

	if (!audit->in_second)
		loop_timer_set(audit->second, SECOND_MS);
	audit->in_second = true;
	if (bucket->n == AUDIT_REFUSED_PER_S_MAX) {
		bucket->omitted++;
		return false;
	}
	bucket->n++;
	return true;
}

void audit_add(struct audit *audit, const struct audit_event *event)
{
	if (audit->settings.level == AUDIT_NONE ||
	    (audit->settings.level == AUDIT_CHANGES && event->kind == AUDIT_READ))
		return;
	if (event->kind == AUDIT_REFUSED && !has_turn(audit, event))
		return;
	add_line(audit, event->kind, audit_event_line(event));
	if (event->kind == AUDIT_CHANGE)
		flush_stream(audit, &audit->streams[AUDIT_CHANGE]);
}

/* ---- begin and end ---- */

int audit_new(struct loop *loop, const char *directory, const struct audit_settings *settings,
	      struct audit **ret)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	int r;

	if (!audit)
		return -ENOMEM;
	audit->settings = *settings;
	for (int i = 0; i < AUDIT_KIND_COUNT_; i++)
		audit->streams[i].fd = -EBADF;
	audit->directory = strdup(directory);
	r = audit->directory ? 0 : -ENOMEM;
	if (r == 0)
		r = loop_add_deferred(loop, PRIORITY, end_of_turn, audit, &audit->end_of_turn);
	if (r == 0)
		r = loop_add_timer(loop, second_over, audit, &audit->second);
	if (r < 0) {
		audit_free(audit);
		return r;
	}
	for (int i = 0; i < AUDIT_KIND_COUNT_; i++) {
		struct segments *segments = &audit->streams[i].segments;

		*segments = (struct segments){.directory = audit->directory, .kind = (enum audit_kind)i};
		if (segments_scan(segments) == 0)
			segments_prune(segments, settings->files_max);
	}
	*ret = audit;
	return 0;
}

struct audit *audit_free(struct audit *audit)
{
	if (!audit)
		return NULL;
	if (audit->in_second)
		second_over(audit, 0);
	if (audit->directory)
		audit_flush(audit);
	for (int i = 0; i < AUDIT_KIND_COUNT_; i++) {
		close_stream(&audit->streams[i]);
		segments_done(&audit->streams[i].segments);
		free(audit->streams[i].batch);
	}
	loop_source_free(audit->end_of_turn);
	loop_source_free(audit->second);
	free(audit->directory);
	free(audit);
	return NULL;
}
