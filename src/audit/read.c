/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are read from their ends, through a window that ends where a reader has come to. The three kinds are
 * merged by the time at the beginning of each line, and lines are looked through for what is asked before
 * they are taken for JSON. Lines are in the order in which calls were answered, the times are when they came;
 * they differ by no more than SLACK_MS, and so does the clock when it is set.
 */
#include "read.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event.h"
#include "parts.h"

#define WINDOW_SIZE (64 * 1024)
#define SLACK_MS    (5 * 60 * 1000)
#define WORDS_MAX   6
#define WORD_SIZE   256

_Static_assert(WINDOW_SIZE > 2 * AUDIT_LINE_MAX, "a window has a whole line");

enum { NOTHING_MORE, A_LINE, ENOUGH };

struct cursor {
	const struct segments *segments;
	size_t index; /* of the file, among the segments; SIZE_MAX: nothing more */
	uint64_t end; /* what is before it was not taken yet */
	int fd;
	char *window;
	uint64_t window_start;
	size_t window_size;
	const char *line; /* in the window; NULL: to be looked for */
	size_t line_length;
	uint64_t line_start;
};

struct reading {
	const struct audit_query *query;
	char since[AUDIT_TIME_SIZE], until[AUDIT_TIME_SIZE], stop[AUDIT_TIME_SIZE];
	char words[WORDS_MAX][WORD_SIZE]; /* that a line has if it is wanted, as they stand in it; "": any */
	size_t n_words;
	struct cursor cursors[AUDIT_KIND_COUNT_];
	size_t scanned;
	size_t n_passed, n_parsed; /* lines that were passed over, that were taken for JSON */
};

/* ---- a kind's lines, backwards ---- */

static void close_file(struct cursor *cursor)
{
	closep(&cursor->fd);
	cursor->fd = -EBADF;
	cursor->window_size = 0;
	cursor->line = NULL;
}

static int64_t written_ms(const struct cursor *cursor, size_t index)
{
	_cleanup_(closep) int fd = segments_open(cursor->segments, cursor->segments->numbers[index], false);
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 ? INT64_MIN : (int64_t)st.st_mtim.tv_sec * 1000;
}

/* Moves to the file before, from its end. One whose lines are all too new is passed over: the one before it
 * was written to the end before. */
static void move_to(struct cursor *cursor, const struct audit_query *query, size_t index)
{
	const struct segments *segments = cursor->segments;

	close_file(cursor);
	while (index != SIZE_MAX && index > 0 && query->until_ms < INT64_MAX - SLACK_MS &&
	       written_ms(cursor, index - 1) > query->until_ms + SLACK_MS)
		index--;
	cursor->index = index;
	cursor->end = 0;
	if (index == SIZE_MAX)
		return;
	cursor->fd = segments_open(segments, segments->numbers[index], false);
	if (cursor->fd >= 0)
		cursor->end = UINT64_MAX;
}

static void move_back(struct cursor *cursor, const struct audit_query *query)
{
	move_to(cursor, query, cursor->index == 0 ? SIZE_MAX : cursor->index - 1);
}

/* No end beyond the file's. False: there is nothing of it. */
static bool has_rest(struct cursor *cursor)
{
	struct stat st;

	if (cursor->fd < 0 || cursor->end == 0)
		return false;
	if (cursor->window_size > 0 && cursor->end <= cursor->window_start + cursor->window_size)
		return true;
	if (fstat(cursor->fd, &st) < 0)
		return false;
	cursor->end = MIN(cursor->end, (uint64_t)st.st_size);
	return cursor->end > 0;
}

static int load_window(struct cursor *cursor)
{
	size_t done = 0;

	cursor->window_start = cursor->end > WINDOW_SIZE ? cursor->end - WINDOW_SIZE : 0;
	cursor->window_size = (size_t)(cursor->end - cursor->window_start);
	while (done < cursor->window_size) {
		ssize_t n = pread(cursor->fd, cursor->window + done, cursor->window_size - done,
				  (off_t)(cursor->window_start + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* The last line before the end, which is in the window. False: the window does not have its beginning. */
static bool find_line(struct cursor *cursor)
{
	size_t size = (size_t)(cursor->end - cursor->window_start), start = 0;
	const char *newline;

	if (cursor->window[size - 1] == '\n')
		size--;
	newline = memrchr(cursor->window, '\n', size);
	if (newline)
		start = (size_t)(newline - cursor->window) + 1;
	else if (cursor->window_start > 0)
		return false;
	cursor->line = cursor->window + start;
	cursor->line_length = size - start;
	cursor->line_start = cursor->window_start + start;
	return true;
}

static bool is_ours(const struct cursor *cursor)
{
	static const char start[] = AUDIT_LINE_START;

	return cursor->line_length > strlen(start) + AUDIT_TIME_SIZE &&
	       memcmp(cursor->line, start, strlen(start)) == 0;
}

static const char *time_of(const struct cursor *cursor)
{
	return cursor->line + strlen(AUDIT_LINE_START);
}

/* Looks for a line in the file: whether there is one. */
static bool find_in_file(struct reading *reading, struct cursor *cursor)
{
	bool in_window = cursor->window_size > 0 && cursor->end > cursor->window_start;

	cursor->line = NULL;
	if (in_window && find_line(cursor))
		return true;
	if (load_window(cursor) < 0) {
		cursor->end = 0;
		return false;
	}
	reading->scanned += cursor->window_size;
	if (find_line(cursor))
		return true;
	cursor->end = cursor->window_start; /* no line is so long */
	return false;
}

static int find_next(struct reading *reading, struct cursor *cursor)
{
	while (cursor->index != SIZE_MAX) {
		if (cursor->line)
			return A_LINE;
		if (reading->scanned >= AUDIT_SCAN_MAX)
			return ENOUGH;
		if (!has_rest(cursor)) {
			move_back(cursor, reading->query);
			continue;
		}
		if (!find_in_file(reading, cursor))
			continue;
		if (is_ours(cursor) && memcmp(time_of(cursor), reading->stop, AUDIT_TIME_SIZE - 1) >= 0)
			return A_LINE;
		if (is_ours(cursor)) { /* and so are all before it */
			move_to(cursor, reading->query, SIZE_MAX);
			continue;
		}
		cursor->end = cursor->line_start;
		cursor->line = NULL;
	}
	return NOTHING_MORE;
}

/* ---- what is wanted ---- */

/* Whether its time is one that is asked for, and it has all words. */
static bool may_be_wanted(const struct reading *reading, const struct cursor *cursor)
{
	const char *time = time_of(cursor);

	if (memcmp(time, reading->since, AUDIT_TIME_SIZE - 1) < 0 ||
	    memcmp(time, reading->until, AUDIT_TIME_SIZE - 1) >= 0)
		return false;
	for (size_t i = 0; i < reading->n_words; i++)
		if (!memmem(cursor->line, cursor->line_length, reading->words[i], strlen(reading->words[i])))
			return false;
	return true;
}

/* Whether the text has the word in quotation marks. */
static bool has_quoted(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; *word && (at = strstr(at, word)); at++)
		if (at > text && at[-1] == '"' && at[length] == '"')
			return true;
	return false;
}

static bool member_is(const json_t *line, const char *name, const char *wanted)
{
	const char *value = json_string_value(json_object_get(line, name));

	return !wanted || (value && streq(value, wanted));
}

/* A list of ids comes as one parameter for each, or as JSON in one: there it stands in quotes. */
static bool names_resource(const json_t *line, const char *wanted)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(line, "Parameters"), name, value) {
		const char *text = json_string_value(value);

		if (text && (streq(text, wanted) || (text[0] == '[' && has_quoted(text, wanted))))
			return true;
	}
	return false;
}

static bool is_wanted(const struct audit_query *query, const json_t *line)
{
	return (!query->account ||
		json_integer_value(json_object_get(line, "AccountId")) == query->account) &&
	       member_is(line, "Action", query->action) && member_is(line, "Code", query->code) &&
	       member_is(line, "AccessKeyId", query->key_id) &&
	       member_is(line, "RequestId", query->request_id) &&
	       (!query->resource || names_resource(line, query->resource));
}

static int take_line(struct reading *reading, const struct cursor *cursor, audit_take take, void *context)
{
	json_t *line;
	int r = 0;

	if (!may_be_wanted(reading, cursor)) {
		reading->n_passed++;
		return 0;
	}
	reading->n_parsed++;
	line = json_loadb(cursor->line, cursor->line_length, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(line) && is_wanted(reading->query, line)) {
		r = take(context, line);
		r = r < 0 ? r : 1;
	}
	json_decref(line);
	return r;
}

/* ---- all kinds together ---- */

/* Of the cursors' lines the newest. */
static int choose(struct reading *reading, struct cursor **ret)
{
	struct cursor *newest = NULL;

	for (size_t i = 0; i < AUDIT_KIND_COUNT_; i++) {
		struct cursor *cursor = &reading->cursors[i];
		int what = find_next(reading, cursor);

		if (what == ENOUGH)
			return ENOUGH;
		if (what == A_LINE &&
		    (!newest || memcmp(time_of(cursor), time_of(newest), AUDIT_TIME_SIZE - 1) > 0))
			newest = cursor;
	}
	*ret = newest;
	return newest ? A_LINE : NOTHING_MORE;
}

static int read_lines(struct reading *reading, audit_take take, void *context)
{
	struct cursor *cursor = NULL;
	size_t n = 0;
	int r;

	while (n < reading->query->limit && choose(reading, &cursor) == A_LINE) {
		r = take_line(reading, cursor, take, context);
		if (r < 0)
			return r;
		n += (size_t)r;
		cursor->end = cursor->line_start;
		cursor->line = NULL;
	}
	return 0;
}

static bool is_plain(const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	return value && value[strspn(value, plain)] == '\0';
}

/* To be filled; one that is too long for it stays "". */
static char *next_word(struct reading *reading)
{
	return reading->words[reading->n_words++];
}

/* "Name":"value", as a line has it. A value that would need escapes is looked at later. */
static void want_member(struct reading *reading, const char *name, const char *value)
{
	if (is_plain(value))
		(void)str_format(next_word(reading), WORD_SIZE, "\"%s\":\"%s\"", name, value);
}

#define TIME_MIN_MS INT64_C(0)
#define TIME_MAX_MS INT64_C(253402300799999) /* the last that has four digits of a year */

static void format_bounded(int64_t ms, char ret[AUDIT_TIME_SIZE])
{
	audit_time_format(MIN(MAX(ms, TIME_MIN_MS), TIME_MAX_MS), ret);
}

static void prepare(struct reading *reading, const struct audit_query *query)
{
	reading->query = query;
	format_bounded(query->since_ms, reading->since);
	format_bounded(query->since_ms > INT64_MIN + SLACK_MS ? query->since_ms - SLACK_MS : INT64_MIN,
		       reading->stop);
	format_bounded(query->until_ms, reading->until);
	if (query->account)
		(void)str_format(next_word(reading), WORD_SIZE, "\"AccountId\":%lld,",
				 (long long)query->account);
	want_member(reading, "Action", query->action);
	want_member(reading, "Code", query->code);
	want_member(reading, "AccessKeyId", query->key_id);
	want_member(reading, "RequestId", query->request_id);
	if (is_plain(query->resource))
		(void)str_format(next_word(reading), WORD_SIZE, "%s", query->resource);
}

/* From a place to a cursor. */
static int go_to(struct reading *reading, struct audit *audit, enum audit_kind kind,
		 struct audit_place *place)
{
	struct cursor *cursor = &reading->cursors[kind];
	const struct segments *segments = audit_segments(audit, kind);
	uint64_t wanted = place->kinds[kind].segment;
	size_t index = segments->n;

	*cursor = (struct cursor){.segments = segments, .index = SIZE_MAX, .fd = -EBADF};
	cursor->window = malloc(WINDOW_SIZE);
	if (!cursor->window)
		return -ENOMEM;
	if (!wanted || !(reading->query->kinds & 1u << kind))
		return 0;
	while (index > 0 && segments->numbers[index - 1] > wanted)
		index--;
	if (index == 0 || segments->numbers[index - 1] != wanted)
		place->expired = true;
	if (index == 0)
		return 0;
	move_to(cursor, reading->query, index - 1);
	if (cursor->end && cursor->index == index - 1 && segments->numbers[index - 1] == wanted)
		cursor->end = place->kinds[kind].end;
	return 0;
}

static void keep_place(const struct reading *reading, struct audit_place *place)
{
	place->more = false;
	for (size_t i = 0; i < AUDIT_KIND_COUNT_; i++) {
		const struct cursor *cursor = &reading->cursors[i];
		bool more = cursor->segments && cursor->index != SIZE_MAX &&
			    (cursor->end > 0 || cursor->index > 0);

		place->kinds[i].segment = more ? cursor->segments->numbers[cursor->index] : 0;
		place->kinds[i].end = more ? cursor->end : 0;
		place->more = place->more || more;
	}
}

void audit_place_newest(struct audit *audit, unsigned int kinds, struct audit_place *ret)
{
	*ret = (struct audit_place){};
	for (int i = 0; i < AUDIT_KIND_COUNT_; i++) {
		const struct segments *segments = audit_segments(audit, (enum audit_kind)i);

		if (segments->n == 0 || !(kinds & 1u << i))
			continue;
		ret->kinds[i].segment = segments->numbers[segments->n - 1];
		ret->kinds[i].end = UINT64_MAX;
		ret->more = true;
	}
}

int audit_read(struct audit *audit, const struct audit_query *query, struct audit_place *place,
	       audit_take take, void *context, size_t *cost)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int r = 0;

	if (!reading)
		return -ENOMEM;
	prepare(reading, query);
	for (int i = 0; r == 0 && i < AUDIT_KIND_COUNT_; i++)
		r = go_to(reading, audit, (enum audit_kind)i, place);
	if (r == 0)
		r = read_lines(reading, take, context);
	if (r == 0)
		keep_place(reading, place);
	*cost += reading->n_passed / AUDIT_LINES_PER_ROW + reading->n_parsed * AUDIT_JSON_COST;
	for (int i = 0; i < AUDIT_KIND_COUNT_; i++) {
		if (reading->cursors[i].segments)
			close_file(&reading->cursors[i]);
		free(reading->cursors[i].window);
	}
	free(reading);
	return r;
}
