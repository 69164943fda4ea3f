/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose word is taken, and what is kept of it: the decisions by themselves. tests/net/store-lost.sh has the
 * accidents.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/hold.h"
#include "agent/kept_rows.h"
#include "tests/tap.h"

#define OURS   "00000000000000000000000000000001"
#define THEIRS "00000000000000000000000000000002"

#define VPC(id, revision)                                                                                    \
	"{\"key\": \"vpc/" id "\", \"created\": 3, \"revision\": " revision ", \"value\": {\"id\": \"" id    \
	"\", \"number\": 9, \"status\": \"Available\"}}"
#define ANSWER(store, revision, full, rows)                                                                  \
	"{\"store\": \"" store "\", \"revision\": " revision ", \"full\": " full ", \"rows\": [" rows        \
	"], \"deleted\": []}"
/* `continues`: what privlinkd says of the timeline and revision that it was asked with. */
#define ANSWER_OF(timeline, continues, revision, full, rows)                                                 \
	"{\"store\": \"" OURS "\", \"timeline\": \"" timeline "\", \"continues\": " continues                \
	", \"revision\": " revision ", \"full\": " full ", \"rows\": [" rows "], \"deleted\": []}"
#define FIRST	 "00000000000000f1"
#define SECOND	 "00000000000000f2"
#define IN_FORCE ANSWER(OURS, "10", "true", VPC("vpc-a", "4") ", " VPC("vpc-b", "10"))

/* As a run directory is: of memory, or the files would take their time. */
static char directory[] = "/dev/shm/test_hold.XXXXXX";

/* In place of the real one (meson.build): a clock that can be put forward. */
uint64_t __real_now_mono_ms(void);
uint64_t __wrap_now_mono_ms(void);

static uint64_t clock_ahead_ms;

uint64_t __wrap_now_mono_ms(void)
{
	return __real_now_mono_ms() + clock_ahead_ms;
}

struct world {
	struct loop *loop;
	struct node_state state;
	struct snapshot *rows;
	struct hold *hold;
};

static void must(int r)
{
	if (r < 0) {
		printf("Bail out! %s\n", strerror(-r));
		exit(EXIT_FAILURE);
	}
}

static int hear(struct world *w, const char *body)
{
	struct feed_answer answer = {};
	struct feed_rows rows = {};
	int r;

	must(feed_answer_parse(body, strlen(body), &answer));
	r = hold_judge(w->hold, &answer, &(struct feed_list){});
	if (r == 0) {
		must(feed_answer_apply(&answer, w->rows, NULL, &rows));
		hold_took(w->hold, answer.timeline, rows.revision);
	}
	feed_answer_done(&answer);
	return r;
}

static void world_begin(struct world *w)
{
	*w = (struct world){.state = {.name = "alpha"}};
	must(loop_new(&w->loop));
	must(snapshot_new(&w->rows));
	must(hold_new(w->loop, directory, &w->state, &w->hold));
}

static void world_end(struct world *w)
{
	w->hold = hold_free(w->hold);
	w->rows = snapshot_free(w->rows);
	w->loop = loop_free(w->loop);
	(void)node_state_remove(directory);
}

/* A new process, with the file that the old one left, and with its rows or without. */
static void restart(struct world *w, bool with_rows)
{
	struct node_state state;

	w->hold = hold_free(w->hold);
	must(node_state_load(directory, &state));
	w->state = state;
	if (!with_rows) {
		snapshot_clear(w->rows);
		snapshot_set_revision(w->rows, 0);
	}
	must(hold_new(w->loop, directory, &w->state, &w->hold));
}

static void test_answers(void)
{
	static const struct {
		const char *name, *body;
		int holds;
	} cases[] = {
		{"the same rows", IN_FORCE, 0},
		{"a change", ANSWER(OURS, "12", "false", VPC("vpc-a", "12")), 0},
		{"nothing new", ANSWER(OURS, "10", "false", ""), 0},
		{"a row that is gone", ANSWER(OURS, "12", "true", VPC("vpc-a", "4")), 0},
		{"an old row that comes into scope",
		 ANSWER(OURS, "12", "true", VPC("vpc-a", "4") ", " VPC("vpc-b", "11") ", " VPC("vpc-z", "5")),
		 0},
		{"another store", ANSWER(THEIRS, "99", "true", ""), 1},
		{"another store with the same rows", ANSWER(THEIRS, "10", "true", VPC("vpc-a", "4")), 1},
		{"a store that does not say which", ANSWER("", "99", "true", ""), 1},
		{"an older copy", ANSWER(OURS, "9", "true", VPC("vpc-a", "4")), 1},
		{"an older copy, as a change", ANSWER(OURS, "9", "false", ""), 1},
		{"another history, with the rows as they are here",
		 ANSWER_OF(SECOND, "false", "99", "true", VPC("vpc-a", "4") ", " VPC("vpc-b", "10")), 1},
		{"another history, as a change",
		 ANSWER_OF(SECOND, "false", "12", "false", VPC("vpc-a", "12")), 1},
		{"the next part of the same history, with a row gone and one changed",
		 ANSWER_OF(SECOND, "true", "99", "true", VPC("vpc-a", "98")), 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_begin(&w);
		tap_is_int(hear(&w, IN_FORCE), 0, "%s: the first store is the node's", cases[i].name);
		tap_is_int(hear(&w, cases[i].body), cases[i].holds, "%s: %s", cases[i].name,
			   cases[i].holds ? "the node holds" : "is taken");
		tap_ok(!hold_sentence(w.hold) == !cases[i].holds &&
			       (!cases[i].holds ||
				strstr(hold_sentence(w.hold), "privlink node accept-store")),
		       "%s: with a sentence that says what to do, or none", cases[i].name);
		tap_ok(!cases[i].holds || (snapshot_revision(w.rows) == 10 && streq(w.state.store, OURS)),
		       "%s: what is in force is as before", cases[i].name);
		if (cases[i].holds) {
			tap_is_int(hear(&w, ANSWER(OURS, "12", "true",
						   VPC("vpc-a", "4") ", " VPC("vpc-b", "12"))),
				   0, "%s: the right store is taken", cases[i].name);
			tap_ok(!hold_sentence(w.hold), "%s: and nothing is said any more", cases[i].name);
		}
		world_end(&w);
	}
}

static bool asks_with(const struct world *w, const char *timeline, uint64_t revision)
{
	uint64_t in_force;

	return streq(hold_in_force(w->hold, &in_force), timeline) && in_force == revision;
}

static void test_older_copy(void)
{
	struct world w;

	world_begin(&w);
	tap_ok(asks_with(&w, "", 0), "a new node asks without a history");
	(void)hear(&w, ANSWER_OF(FIRST, "true", "10", "true", VPC("vpc-a", "4")));
	tap_ok(asks_with(&w, FIRST, 10), "then with what is in force");
	(void)hear(&w, ANSWER_OF(SECOND, "false", "9", "true", VPC("vpc-a", "4")));
	tap_ok(asks_with(&w, FIRST, 10), "also while it holds because of an older copy");
	restart(&w, true);
	tap_ok(asks_with(&w, FIRST, 10), "and in a new process");
	tap_is_int(hear(&w, ANSWER_OF(SECOND, "false", "20", "true", VPC("vpc-a", "4"))), 1,
		   "an older copy that counted on is not taken, although it has the very rows");
	tap_ok(hold_sentence(w.hold) && strstr(hold_sentence(w.hold), "changed apart"), "and it is said why");
	tap_is_int(hear(&w, ANSWER_OF(SECOND, "true", "19", "false", "")), 0,
		   "the right store is, with any rows");
	restart(&w, true);
	tap_ok(asks_with(&w, SECOND, 19), "which is written down");
	tap_is_int(hear(&w, ANSWER(OURS, "30", "true", "")), 1,
		   "one that says nothing of its history is not");
	(void)hear(&w, ANSWER_OF(SECOND, "true", "9", "true", ""));
	restart(&w, false);
	tap_is_int(hear(&w, ANSWER_OF(SECOND, "true", "18", "true", "")), 1,
		   "a number that fell is never taken");
	tap_is_int(hear(&w, ANSWER_OF(SECOND, "true", "19", "true", "")), 0, "the same one is");
	world_end(&w);
}

static void test_accept(void)
{
	struct world w;

	world_begin(&w);
	(void)hear(&w, IN_FORCE);
	tap_is_int(hold_accept(w.hold), -EALREADY, "where nothing is held, nothing is accepted");
	(void)hear(&w, ANSWER(THEIRS, "5", "true", VPC("vpc-a", "5")));
	tap_is_int(hold_accept(w.hold), 0, "another store is accepted");
	tap_is_int(hear(&w, ANSWER(THEIRS, "5", "true", VPC("vpc-a", "5"))), 0,
		   "and taken, whatever the rows of the old one say");
	tap_is_int(hear(&w, ANSWER(OURS, "11", "true", "")), 1, "the old one is another one now");
	(void)hear(&w, ANSWER(THEIRS, "5", "true", VPC("vpc-a", "5")));
	(void)hear(&w, ANSWER(THEIRS, "4", "true", VPC("vpc-a", "3")));
	tap_is_int(hold_accept(w.hold), 0, "an older copy is accepted");
	restart(&w, false);
	tap_is_int(hear(&w, ANSWER(THEIRS, "4", "true", VPC("vpc-a", "3"))), 0,
		   "also when the agent dies in between");
	world_end(&w);
}

#define INSTANCE(id) "{\"key\": \"instance/" id "\", \"created\": 3, \"revision\": 3, \"value\": {}}"

/* Instances stand, and nothing says of which store. */
static void find_two(struct world *w)
{
	char(*found)[ID_SIZE] = calloc(2, sizeof(*found));

	if (!found)
		must(-ENOMEM);
	(void)str_copy(found[0], ID_SIZE, "i-a");
	(void)str_copy(found[1], ID_SIZE, "i-b");
	hold_set_found(w->hold, found, 2);
}

static void test_found(void)
{
	static const struct {
		const char *name, *body;
		int holds;
	} cases[] = {
		{"no row", ANSWER(THEIRS, "5", "true", ""), 1},
		{"other instances", ANSWER(THEIRS, "5", "true", INSTANCE("i-c") ", " INSTANCE("i-ab")), 1},
		{"no store's name", ANSWER("", "5", "true", ""), 1},
		{"one of them", ANSWER(OURS, "5", "true", INSTANCE("i-c") ", " INSTANCE("i-b")), 0},
		{"one of them and no store's name", ANSWER("", "5", "true", INSTANCE("i-a")), 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_begin(&w);
		find_two(&w);
		tap_is_int(hear(&w, cases[i].body), cases[i].holds,
			   "instances of no known store, and an answer with %s: %s", cases[i].name,
			   cases[i].holds ? "the node holds" : "is taken");
		if (cases[i].holds) {
			tap_ok(strstr(hold_sentence(w.hold), "i-a, 2 in all") &&
				       strstr(hold_sentence(w.hold), "privlink node accept-store"),
			       "%s: with a sentence that says why, and what to do", cases[i].name);
			tap_is_int(hear(&w, ANSWER(THEIRS, "6", "false", "")), 1,
				   "%s: a change proves nothing", cases[i].name);
			(void)hear(&w, cases[i].body);
			tap_ok(!*w.state.store && hold_accept(w.hold) == 0, "%s: root accepts it",
			       cases[i].name);
			tap_is_int(hear(&w, cases[i].body), 0, "%s: and it is taken", cases[i].name);
		} else {
			tap_is_int(hear(&w, ANSWER(OURS, "6", "false", "")), 0, "%s: and what follows",
				   cases[i].name);
		}
		world_end(&w);
	}
}

/* A list that came in pages is one of them all. */
static void test_found_in_pages(void)
{
	static const char *const last = ANSWER(THEIRS, "6", "false", "");
	static const struct {
		const char *body, *name;
		int holds;
	} pages[] = {
		{"{\"revision\": 5, \"full\": true, \"more\": \"instance/i-0\", \"rows\": [" INSTANCE(
			 "i-0") "]}",
		 "other instances", 1},
		{"{\"revision\": 5, \"more\": \"instance/i-9\", \"rows\": [" INSTANCE("i-b") ", " INSTANCE(
			 "i-9") "]}",
		 "one of them", 0},
	};
	struct feed_list list = {};
	struct world w;

	world_begin(&w);
	find_two(&w);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct feed_answer page = {}, answer = {};

		must(feed_answer_parse(pages[i].body, strlen(pages[i].body), &page));
		must(feed_list_add(&list, &page, pages[i].body, strlen(pages[i].body)));
		must(feed_answer_parse(last, strlen(last), &answer));
		tap_is_int(hold_judge(w.hold, &answer, &list), pages[i].holds,
			   "instances of no known store, and %s in page %zu", pages[i].name, i + 1);
		feed_answer_done(&page);
		feed_answer_done(&answer);
	}
	feed_list_clear(&list);
	world_end(&w);
}

static void test_store_without_a_name(void)
{
	struct world w;

	world_begin(&w);
	tap_is_int(hear(&w, "{\"revision\": 5, \"full\": true, \"rows\": []}"), 0,
		   "a privlinkd that says no store is followed, as the first one");
	tap_is_int(hear(&w, ANSWER(OURS, "6", "true", "")), 0, "and so is the next version of it");
	tap_ok(streq(w.state.store, OURS), "whose store is the node's from then on");
	world_end(&w);
}

/* ---- kept rows ---- */

static void kept_path(char ret[64])
{
	(void)str_format(ret, 64, "%s/node.rows", directory);
}

static void keep(struct kept_rows *kept, const char *body)
{
	struct feed_answer answer = {};

	must(feed_answer_parse(body, strlen(body), &answer));
	kept_rows_add(kept, &(struct feed_list){}, &answer, body, strlen(body));
	feed_answer_done(&answer);
}

static int load(const char *node, const char *store, uint64_t revision, uint64_t *ret_revision, size_t *ret_n)
{
	char timeline[NODE_TIMELINE_SIZE];
	struct snapshot *rows;
	struct kept_rows *kept;
	int r;

	must(snapshot_new(&rows));
	must(kept_rows_new(directory, node, &kept));
	r = kept_rows_load(kept, store, revision, rows, timeline);
	if (r == 0 && *timeline)
		r = streq(timeline, FIRST) ? 1 : -EBADMSG;
	*ret_revision = snapshot_revision(rows);
	*ret_n = snapshot_count(rows, KIND_VPC, "");
	kept_rows_free(kept);
	snapshot_free(rows);
	return r;
}

static void keep_two(void)
{
	struct kept_rows *kept;

	must(kept_rows_new(directory, "alpha", &kept));
	keep(kept, IN_FORCE);
	keep(kept, ANSWER(OURS, "12", "false", VPC("vpc-c", "12")));
	kept_rows_free(kept);
}

static void test_kept(void)
{
	char path[64], node[PORT_NODE_NAME_MAX + 1], store[NODE_STORE_SIZE];
	struct kept_rows *kept;
	uint64_t revision;
	struct stat st;
	size_t n;

	kept_path(path);
	tap_is_int(load("alpha", OURS, 0, &revision, &n), -ENOENT, "kept: nothing at first");
	keep_two();
	tap_is_int(load("alpha", OURS, 12, &revision, &n), 0, "kept: rows and a change");
	tap_ok(revision == 12 && n == 3, "kept: all of them");
	tap_ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "kept: for root alone");
	tap_ok(kept_rows_owner(directory, node, store) == 0 && streq(node, "alpha") && streq(store, OURS),
	       "kept: with whose they are");
	tap_is_int(load("beta", OURS, 0, &revision, &n), -ESTALE, "kept: another node's count for nothing");
	tap_is_int(load("alpha", THEIRS, 0, &revision, &n), -ESTALE, "kept: nor do another store's");
	must(kept_rows_new(directory, "alpha", &kept));
	keep(kept, IN_FORCE);
	keep(kept, ANSWER_OF(FIRST, "true", "12", "false", VPC("vpc-c", "12")));
	kept_rows_free(kept);
	tap_is_int(load("alpha", OURS, 12, &revision, &n), 1,
		   "kept: with the last one's part of the history");
	keep_two();
	tap_is_int(load("alpha", OURS, 13, &revision, &n), -ESTALE,
		   "kept: nor do those that are behind what was in force");
	tap_ok(revision == 0 && n == 0, "kept: and none of them stays");
}

/* Every length of the file: the answers that are whole count, and the file ends with them. */
static void test_cut(void)
{
	char path[64];
	struct stat st;
	size_t none = 0, one = 0, both = 0, wrong = 0;

	kept_path(path);
	keep_two();
	must(stat(path, &st));
	for (off_t size = 0; size <= st.st_size; size++) {
		uint64_t revision;
		struct stat now;
		size_t n;
		int r;

		keep_two();
		must(truncate(path, size));
		r = load("alpha", OURS, 0, &revision, &n);
		if (r == -EUCLEAN && n == 0)
			none++;
		else if (r == 0 && revision == 10 && n == 2 && stat(path, &now) == 0 && now.st_size <= size)
			one++;
		else if (r == 0 && revision == 12 && n == 3)
			both++;
		else
			wrong++;
	}
	tap_is_int((long long)wrong, 0, "cut: at no byte anything else than whole answers counts");
	tap_ok(none > 100 && one > 100 && both == 1, "cut: none, one and both of them (%zu, %zu, %zu)", none,
	       one, both);
}

static void test_changed_byte(void)
{
	char path[64];
	struct stat st;
	size_t wrong = 0;

	kept_path(path);
	keep_two();
	must(stat(path, &st));
	for (off_t at = 0; at < st.st_size; at++) {
		uint64_t revision;
		char byte;
		size_t n;
		int fd, r;

		keep_two();
		fd = open(path, O_RDWR | O_CLOEXEC);
		must(fd);
		if (pread(fd, &byte, 1, at) != 1)
			must(-EIO);
		byte ^= 1;
		if (pwrite(fd, &byte, 1, at) != 1)
			must(-EIO);
		close(fd);
		r = load("alpha", OURS, 0, &revision, &n);
		wrong += !(r == -EUCLEAN || r == -ESTALE || (r == 0 && revision == 10 && n == 2));
	}
	tap_is_int((long long)wrong, 0, "a changed byte: what it is in counts for nothing");
}

/* Rows of a newer privlinkd, and texts of any language: an agent that starts has them, too. */
static void test_odd_rows(void)
{
	static const char odd[] = ANSWER(
		OURS, "12", "false",
		VPC("vpc-c",
		    "12") ", {\"key\":\"vpc/vpc-d\",\"created\":3,\"revision\":12,\"value\":{\"id\":"
			  "\"vpc-d\",\"name\":\"\xe7\xbd\x91\",\"number\":9,\"status\":\"Available\"}}, "
			  "{\"key\":\"vpc/vpc-e\",\"created\":3,\"revision\":12,\"value\":{\"id\":"
			  "\"vpc-e\",\"number\":9,\"status\":\"Available\",\"later\":true}}, "
			  "{\"key\":\"teapot/1\",\"created\":3,\"revision\":12,\"value\":{}}, "
			  "{\"key\":\"vpc/vpc-f\",\"created\":3,\"revision\":12,\"value\":{\"id\":7}}");
	struct kept_rows *kept;
	uint64_t revision;
	size_t n;

	must(kept_rows_new(directory, "alpha", &kept));
	keep(kept, IN_FORCE);
	keep(kept, odd);
	kept_rows_free(kept);
	tap_is_int(load("alpha", OURS, 12, &revision, &n), 0,
		   "odd rows: those that make no sense are no fault");
	tap_ok(revision == 12 && n == 5, "odd rows: the others are there");
}

/* What is whole by its sum, and yet no answer. */
static void test_foreign_answer(void)
{
	static const char nul[] = "{\"store\": \"" OURS "\", \"revision\": 12, \"rows\": [\0]}";
	struct feed_answer answer = {.is_full = true, .store = OURS};
	struct kept_rows *kept;
	uint64_t revision;
	size_t n;

	must(kept_rows_new(directory, "alpha", &kept));
	kept_rows_add(kept, &(struct feed_list){}, &answer, nul, sizeof(nul) - 1);
	tap_is_int(load("alpha", OURS, 0, &revision, &n), -EUCLEAN, "a foreign answer: it is damage");
	keep(kept, IN_FORCE);
	kept_rows_add(kept, &(struct feed_list){}, &(struct feed_answer){.store = OURS}, nul,
		      sizeof(nul) - 1);
	tap_is_int(load("alpha", OURS, 0, &revision, &n), -EUCLEAN, "a foreign answer: behind others, too");
	tap_ok(revision == 0 && n == 0, "a foreign answer: and of those none stays");
	kept_rows_free(kept);
}

static void test_foreign_file(void)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{"", "an empty one"},
		{"\n", "an empty line"},
		{"{\"revision\": 5, \"rows\": []}\n", "one of JSON"},
		{"privlink rows 2 alpha " OURS " x\n", "one of a later form"},
		{"privlink rows 1 al/pha " OURS " x\n", "a name that is none"},
	};
	char path[64];

	kept_path(path);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FILE *file = fopen(path, "we");
		uint64_t revision;
		size_t n;

		if (!file || fputs(cases[i].text, file) < 0 || fclose(file) != 0)
			must(-EIO);
		tap_is_int(load("alpha", OURS, 0, &revision, &n), -EUCLEAN, "a foreign file: %s",
			   cases[i].name);
	}
}

/* All rows may be wanted again. */
static void all_long_ago(void)
{
	clock_ahead_ms += KEPT_ROWS_ALL_EVERY_S * 1000;
}

static void test_long_changes(void)
{
	struct kept_rows *kept;
	size_t n = 0;

	must(kept_rows_new(directory, "alpha", &kept));
	keep(kept, IN_FORCE);
	all_long_ago();
	tap_ok(!kept_rows_want_all(kept), "long: rows alone are short");
	while (!kept_rows_want_all(kept) && n++ < 1000000)
		keep(kept, ANSWER(OURS, "12", "false", VPC("vpc-c", "12")));
	tap_ok(n > 1000 && n < 100000, "long: after many changes all rows are wanted");
	keep(kept, IN_FORCE);
	tap_ok(!kept_rows_want_all(kept), "long: which makes it short again");
	for (size_t i = 0; i < n; i++)
		keep(kept, ANSWER(OURS, "12", "false", VPC("vpc-c", "12")));
	tap_ok(!kept_rows_want_all(kept), "long: all are not wanted again at once");
	all_long_ago();
	tap_ok(kept_rows_want_all(kept), "long: but some time after they came");
	kept_rows_free(kept);
}

#define MIB ((size_t)1024 * 1024)

/* An answer with a row and, besides, that many bytes: the caller's. `more`: a member more, of a page. */
static char *long_answer(const char *full, const char *more, const char *row, size_t size)
{
	char *text = malloc(size + 1024);
	size_t used;

	if (!text)
		must(-ENOMEM);
	used = (size_t)snprintf(text, 512,
				"{\"store\": \"" OURS "\", \"revision\": 12, \"full\": %s, %s\"x\": \"", full,
				more);
	memset(text + used, 'x', size);
	(void)snprintf(text + used + size, 512, "\", \"rows\": [%s], \"deleted\": []}", row);
	return text;
}

static void keep_long(struct kept_rows *kept, const char *full, size_t size)
{
	_cleanup_(freep) char *text = long_answer(full, "", VPC("vpc-a", "4"), size);
	const struct feed_answer answer = {.store = OURS, .is_full = streq(full, "true")};

	/* As it would be parsed, which takes long. */
	kept_rows_add(kept, &(struct feed_list){}, &answer, text, strlen(text));
}

static void add_page(struct feed_list *list, const char *full, const char *row, size_t size)
{
	_cleanup_(freep) char *text = long_answer(full, "\"more\": \"on\", ", row, size);
	struct feed_answer page = {};

	must(feed_answer_parse(text, strlen(text), &page));
	must(feed_list_add(list, &page, text, strlen(text)));
	feed_answer_done(&page);
}

/* Two pages and what ends them, with a VPC each. */
static void keep_list(struct kept_rows *kept, const char *full, size_t size)
{
	static const char last[] = ANSWER(OURS, "12", "false", VPC("vpc-e", "12"));
	_cleanup_(feed_list_clear) struct feed_list list = {};
	struct feed_answer answer = {};

	add_page(&list, full, VPC("vpc-c", "12"), size / 2);
	add_page(&list, "false", VPC("vpc-d", "12"), size / 2);
	must(feed_answer_parse(last, strlen(last), &answer));
	kept_rows_add(kept, &list, &answer, last, strlen(last));
	feed_answer_done(&answer);
}

static bool is_kept(void)
{
	char path[64];

	kept_path(path);
	return access(path, F_OK) == 0;
}

/* What a VPC with many rows makes, whose only instance here comes and goes. */
static void test_lists_that_add(void)
{
	char path[64];
	struct kept_rows *kept;
	struct stat first, last;
	size_t n = 0;

	kept_path(path);
	must(kept_rows_new(directory, "alpha", &kept));
	keep_long(kept, "true", 3 * MIB);
	all_long_ago();
	must(stat(path, &first));
	while (!kept_rows_want_all(kept) && is_kept() && n++ < 100)
		keep_list(kept, "false", MIB);
	tap_ok(is_kept() && n > 2 && n < 10, "lists that add: they are changes, and make the file long (%zu)",
	       n);
	must(stat(path, &last));
	tap_ok(first.st_ino == last.st_ino, "lists that add: what was there is not written again");
	keep_long(kept, "true", 3 * MIB);
	tap_ok(!kept_rows_want_all(kept), "lists that add: all rows make it short again");
	kept_rows_free(kept);
}

static void keep_with_list(const char *full)
{
	struct kept_rows *kept;

	must(kept_rows_new(directory, "alpha", &kept));
	keep(kept, IN_FORCE);
	keep_list(kept, full, 2);
	kept_rows_free(kept);
}

static void write_beginning(const char *path, const char *text, size_t size)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(text, 1, size, file) != size || fclose(file) != 0)
		must(-EIO);
}

/* Every length of the file: of what belongs together there is never a part. */
static void test_cut_list(const char *full, int without, size_t n_without, size_t n_with)
{
	size_t wrong = 0, none = 0, before = 0, all = 0, length;
	char path[64], text[4096];
	FILE *file;

	kept_path(path);
	keep_with_list(full);
	file = fopen(path, "re");
	length = file ? fread(text, 1, sizeof(text), file) : 0;
	if (!file || fclose(file) != 0)
		must(-EIO);
	for (size_t size = 0; size <= length; size++) {
		uint64_t revision;
		size_t n;
		int r;

		write_beginning(path, text, size);
		r = load("alpha", OURS, 0, &revision, &n);
		if (r == 0 && revision == 12 && n == n_with)
			all++;
		else if (r == without && n == n_without)
			before++;
		else if (r == -EUCLEAN && n == 0)
			none++;
		else
			wrong++;
	}
	tap_is_int((long long)wrong, 0, "a cut list, full %s: it counts as a whole or not at all", full);
	tap_ok(all == 1 && before > 100, "a cut list, full %s: both is so (%zu, %zu, %zu)", full, none,
	       before, all);
}

/* Rows of a list, then changes, as an agent finds them that starts: what is long is known. */
static void test_long_at_start(void)
{
	char timeline[NODE_TIMELINE_SIZE];
	struct kept_rows *kept;
	struct snapshot *rows;

	must(kept_rows_new(directory, "alpha", &kept));
	keep_list(kept, "true", MIB);
	all_long_ago();
	tap_ok(!kept_rows_want_all(kept), "long at the start: all rows are not");
	for (int i = 0; i < 4; i++)
		keep_long(kept, "false", MIB);
	tap_ok(kept_rows_want_all(kept), "long at the start: changes are");
	kept_rows_free(kept);
	must(kept_rows_new(directory, "alpha", &kept));
	must(snapshot_new(&rows));
	tap_is_int(kept_rows_load(kept, OURS, 12, rows, timeline), 0, "long at the start: they are read");
	tap_ok(kept_rows_want_all(kept), "long at the start: and still are, to the next agent");
	snapshot_free(rows);
	kept_rows_forget(kept);
	kept_rows_free(kept);
}

/* All rows are fewer than the file takes, and with the changes they are more. */
static void test_no_room(void)
{
	struct kept_rows *kept;
	size_t n = 0;

	must(kept_rows_new(directory, "alpha", &kept));
	keep_long(kept, "true", KEPT_ROWS_MAX - 24 * MIB);
	while (is_kept() && n++ < 100)
		keep_list(kept, "false", 4 * MIB);
	tap_ok(n == 6 && kept_rows_want_all(kept),
	       "no room: for changes that do not fit all are wanted, also soon after they came");
	keep_long(kept, "true", KEPT_ROWS_MAX - MIB);
	all_long_ago();
	tap_ok(is_kept() && !kept_rows_want_all(kept), "no room: and these are kept again");
	keep_long(kept, "false", 2 * MIB);
	tap_ok(!is_kept(), "no room: what is in force is not in the file, so that is gone");
	for (n = 2; !kept_rows_want_all(kept) && n < 100; n += 2)
		keep_long(kept, "false", 2 * MIB);
	tap_ok(n == 16, "no room: but many rows are not asked for at each change (%zu MiB)", n);
	kept_rows_free(kept);
}

/* The disk takes nothing. */
static void fail_to_keep(struct kept_rows *kept, const char *body)
{
	struct rlimit unlimited, none;

	(void)signal(SIGXFSZ, SIG_IGN);
	must(getrlimit(RLIMIT_FSIZE, &unlimited));
	none = (struct rlimit){.rlim_cur = 1, .rlim_max = unlimited.rlim_max};
	must(setrlimit(RLIMIT_FSIZE, &none));
	keep(kept, body);
	must(setrlimit(RLIMIT_FSIZE, &unlimited));
}

#define CHANGE ANSWER(OURS, "12", "false", VPC("vpc-c", "12"))

static void test_not_written(void)
{
	struct kept_rows *kept;

	must(kept_rows_new(directory, "alpha", &kept));
	keep(kept, IN_FORCE);
	all_long_ago();
	fail_to_keep(kept, CHANGE);
	tap_ok(!is_kept(), "not written: with a change that is not in the file that is gone");
	keep(kept, CHANGE);
	tap_ok(!is_kept() && !kept_rows_want_all(kept), "not written: all rows are not wanted at once");
	all_long_ago();
	tap_ok(kept_rows_want_all(kept), "not written: but some time later");
	fail_to_keep(kept, IN_FORCE);
	tap_ok(!is_kept() && !kept_rows_want_all(kept),
	       "not written: nor at once where these are not either");
	all_long_ago();
	all_long_ago();
	tap_ok(kept_rows_want_all(kept), "not written: but some time later, again");
	keep(kept, IN_FORCE);
	all_long_ago();
	tap_ok(is_kept() && !kept_rows_want_all(kept), "not written: until they are");
	fail_to_keep(kept, CHANGE);
	keep_long(kept, "true", KEPT_ROWS_MAX);
	all_long_ago();
	tap_ok(!is_kept() && !kept_rows_want_all(kept), "not written: or are too many to be kept");
	kept_rows_free(kept);
}

static size_t minutes_until_all(const struct kept_rows *kept)
{
	size_t n = 0;

	for (; !kept_rows_want_all(kept) && n < 1000; n++)
		all_long_ago();
	return n;
}

/* Whether the log gets a line when they cannot be kept. */
static bool tells(struct kept_rows *kept, void (*fail)(struct kept_rows *kept, const char *body))
{
	int saved = dup(STDERR_FILENO), fd = memfd_create("log", MFD_CLOEXEC);
	struct stat st;

	must(saved < 0 || fd < 0 ? -errno : 0);
	(void)dup2(fd, STDERR_FILENO);
	fail(kept, IN_FORCE);
	(void)dup2(saved, STDERR_FILENO);
	must(fstat(fd, &st));
	(void)close(saved);
	(void)close(fd);
	return st.st_size > 0;
}

/* Something else has the file's name. */
static void fail_otherwise(struct kept_rows *kept, const char *body)
{
	char path[sizeof(directory) + 16];

	(void)str_format(path, sizeof(path), "%s/node.rows", directory);
	must(mkdir(path, 0700));
	keep(kept, body);
	must(rmdir(path));
}

static void test_never_written(void)
{
	static const size_t minutes[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct kept_rows *kept;
	bool is_silent = true;

	must(kept_rows_new(directory, "alpha", &kept));
	tap_ok(tells(kept, fail_to_keep), "never written: that is told");
	for (size_t i = 0; i < ARRAY_SIZE(minutes); i++) {
		tap_is_int((long long)minutes_until_all(kept), (long long)minutes[i],
			   "never written: all are wanted after %zu min", minutes[i]);
		is_silent &= !tells(kept, fail_to_keep);
	}
	tap_ok(is_silent, "never written: told once");
	tap_ok(tells(kept, fail_otherwise), "never written: and once more for another reason");
	(void)minutes_until_all(kept);
	keep(kept, IN_FORCE);
	tap_ok(is_kept(), "never written: until all are");
	fail_to_keep(kept, CHANGE);
	tap_is_int((long long)minutes_until_all(kept), 60,
		   "never written: changes that are not, soon after, do not end it");
	keep(kept, IN_FORCE);
	for (int i = 0; i < 121; i++)
		all_long_ago();
	tap_ok(tells(kept, fail_to_keep), "never written: much later it is told again");
	tap_is_int((long long)minutes_until_all(kept), 1, "never written: and begins anew");
	kept_rows_free(kept);
}

static void test_too_many(void)
{
	struct kept_rows *kept;
	uint64_t revision;
	size_t n;

	must(kept_rows_new(directory, "alpha", &kept));
	keep(kept, IN_FORCE);
	keep_long(kept, "true", KEPT_ROWS_MAX);
	tap_is_int(load("alpha", OURS, 0, &revision, &n), -ENOENT, "too many rows: none are kept");
	for (int i = 0; i < 3; i++)
		keep_long(kept, "false", MIB);
	tap_ok(!is_kept() && !kept_rows_want_all(kept), "too many rows: nor are they asked for again");
	keep(kept, IN_FORCE);
	tap_is_int(load("alpha", OURS, 0, &revision, &n), 0, "too many rows: fewer are, again");
	kept_rows_forget(kept);
	kept_rows_free(kept);
	tap_is_int(load("alpha", OURS, 0, &revision, &n), -ENOENT, "what is to be forgotten is gone");
}

int main(void)
{
	if (!mkdtemp(directory) && !mkdtemp(strcpy(directory, "/tmp/test_hold.XXXXXX")))
		return EXIT_FAILURE;
	test_answers();
	test_older_copy();
	test_accept();
	test_found();
	test_found_in_pages();
	test_store_without_a_name();
	test_kept();
	test_cut();
	test_changed_byte();
	test_odd_rows();
	test_foreign_answer();
	test_foreign_file();
	test_long_changes();
	test_lists_that_add();
	test_cut_list("false", 0, 2, 5);
	test_cut_list("true", -EUCLEAN, 0, 3);
	test_long_at_start();
	test_no_room();
	test_not_written();
	test_never_written();
	test_too_many();
	tap_is_int(rmdir(directory), 0, "nothing is left over");
	return tap_done();
}
