/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes that are told of rows, for tests of what they are told: they poll as agents do, put the answers into
 * their rows, and have then what a walk of all rows says. Include it in the test's only source file.
 */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kept_rows.h"
#include "feed/server_rows.h"
#include "tests/tap.h"

/* So many that a walk tells apart. */
#define NODES	 4
#define VPCS	 5
#define SERVICES 4
#define MOST	 7 /* rows that are told in one answer, to who understands pages */

static const char *const node_names[NODES] = {"node-0", "node-1", "node-2", "node-3"};

/* The disk is not what is tried here. */
int fdatasync(int fildes _unused_)
{
	return 0;
}

int fsync(int fd _unused_)
{
	return 0;
}

static inline void must(int r, const char *what)
{
	if (r >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

/* ---- a store ---- */

struct world {
	char directory[40];
	struct loop *loop;
	struct store *store;
};

static inline void world_begin(struct world *w)
{
	*w = (struct world){.directory = "/tmp/privlink-test-feed-XXXXXX"};
	if (!mkdtemp(w->directory))
		must(-errno, "directory");
	must(loop_new(&w->loop), "loop");
}

/* The store of that name, in place of the one that was open. */
static inline void world_open(struct world *w, const char *name)
{
	char path[64];

	store_free(w->store);
	must(str_format(path, sizeof(path), "%s/%s.db", w->directory, name), "path");
	must(store_sqlite_open(w->loop, path, &w->store), "store");
}

/* The exit status of the program. */
static inline int world_end(struct world *w)
{
	char command[64];

	store_free(w->store);
	loop_free(w->loop);
	(void)str_format(command, sizeof(command), "rm -r %s", w->directory);
	return system(command) == 0 ? tap_done() : EXIT_FAILURE;
}

static inline struct store_txn *begin(void)
{
	struct store_txn *txn;

	must(store_txn_new(&txn), "transaction");
	return txn;
}

static inline void ended(void *context _unused_, int result, uint64_t revision _unused_)
{
	must(result, "commit");
}

static inline void commit(struct world *w, struct store_txn *txn)
{
	store_commit(w->store, txn, ended, NULL);
	must(loop_turn(w->loop, 0), "turn");
}

/* The row comes, as it is now, or goes. */
static inline void change_row(struct store_txn *txn, enum kind kind, const void *row, bool comes)
{
	json_t *json = row_to_json(kind, row);
	char key[KEY_SIZE];

	must(row_key(kind, row, key), "key");
	if (comes)
		(void)store_txn_put(txn, key, json);
	else
		(void)store_txn_delete(txn, key);
	json_decref(json);
}

/* node-0's only port in the VPC. */
static inline void move_port(struct world *w, const char *vpc, bool comes)
{
	struct port port = {.vpc = vpc, .node = node_names[0]};
	struct store_txn *txn = begin();

	must(str_format(port.id, sizeof(port.id), "eni-of-%s", vpc), "id");
	change_row(txn, KIND_PORT, &port, comes);
	commit(w, txn);
}

/* `first` on. */
static inline void put_vswitches(struct world *w, const char *vpc, unsigned int first, unsigned int n)
{
	struct store_txn *txn = begin();

	for (unsigned int i = first; i < first + n; i++) {
		struct vswitch vswitch = {};

		must(str_format(vswitch.id, sizeof(vswitch.id), "vsw-%u-of-%s", i, vpc), "id");
		must(str_copy(vswitch.vpc, sizeof(vswitch.vpc), vpc), "id");
		change_row(txn, KIND_VSWITCH, &vswitch, true);
	}
	commit(w, txn);
}

static inline void make_vpc(struct world *w, const char *id, unsigned int n_vswitches)
{
	struct store_txn *txn = begin();
	struct vpc vpc = {};

	must(str_copy(vpc.id, sizeof(vpc.id), id), "id");
	change_row(txn, KIND_VPC, &vpc, true);
	commit(w, txn);
	for (unsigned int i = 0; i < n_vswitches; i += STORE_TXN_OPS_MAX)
		put_vswitches(w, id, i, MIN(n_vswitches - i, (unsigned int)STORE_TXN_OPS_MAX));
}

/* ---- what a walk says ---- */

struct walked {
	const struct snapshot *rows;
	const char *node;
	bool own[VPCS + 1], vpcs[VPCS + 1], services[SERVICES + 1];
};

static inline unsigned int number_of(const char *id)
{
	return (unsigned int)atoi(strchr(id, '-') + 1);
}

static inline void walk(const struct snapshot *rows, const char *node, struct walked *ret)
{
	*ret = (struct walked){.rows = rows, .node = node};
	for (const struct port *p = NULL; (p = snapshot_next(rows, KIND_PORT, "", p));)
		if (streq(p->node, node))
			ret->own[number_of(p->vpc)] = ret->vpcs[number_of(p->vpc)] = true;
	for (const struct endpoint *e = NULL; (e = snapshot_next(rows, KIND_ENDPOINT, "", e));)
		if (ret->own[number_of(e->vpc)])
			ret->services[number_of(e->service)] = true;
	for (const struct service_resource *v = NULL;
	     (v = snapshot_next(rows, KIND_SERVICE_RESOURCE, "", v));) {
		const struct load_balancer *balancer = snapshot_load_balancer(rows, v->resource);

		if (balancer && ret->services[number_of(v->service)])
			ret->vpcs[number_of(balancer->vpc)] = true;
	}
}

/* Whether the node is told of the row. */
static inline bool is_told(const struct walked *walked, enum kind kind, const void *row)
{
	while (row) {
		enum ref told = relation_following(kind, REF_TOLD);

		if (kind == KIND_NODE)
			return true;
		if (kind == KIND_VPC)
			return walked->vpcs[number_of(((const struct vpc *)row)->id)];
		if (kind == KIND_SERVICE)
			return walked->services[number_of(((const struct service *)row)->id)];
		if (kind == KIND_ENDPOINT)
			return walked->own[number_of(((const struct endpoint *)row)->vpc)];
		if (kind == KIND_CONNECTIVITY_TEST)
			return streq(((const struct connectivity_test *)row)->node, walked->node);
		if (kind == KIND_NAT_RANGE)
			return streq(((const struct nat_range *)row)->node, walked->node);
		row = told == REF_COUNT_ ? NULL : snapshot_parent(walked->rows, told, row, &kind);
	}
	return false;
}

/* ---- nodes ---- */

struct node_rows {
	char name[16], directory[64]; /* of what it keeps */
	struct snapshot *rows;
	struct kept_rows *kept;
	bool pages;    /* it is no agent of the version before */
	bool lost;     /* it has just started: what it has is what was kept */
	size_t n_full; /* answers that begin with everything */
	size_t n_pages, n_told, n_starts;
	size_t n_rows; /* of answers, without keys that are gone */
};

static inline void make_node(const struct world *w, struct node_rows *node, const char *name, bool pages)
{
	*node = (struct node_rows){.pages = pages};
	must(str_copy(node->name, sizeof(node->name), name), "name");
	must(snapshot_new(&node->rows), "rows");
	must(str_format(node->directory, sizeof(node->directory), "%s/kept-XXXXXX", w->directory), "path");
	must(mkdtemp(node->directory) ? 0 : -errno, "directory");
	must(kept_rows_new(node->directory, node->name, &node->kept), "kept rows");
}

static inline void node_done(struct node_rows *node)
{
	snapshot_free(node->rows);
	kept_rows_free(node->kept);
}

/* The rows of one kind that the node should not have, or not so; and those that it lacks. */
static inline size_t count_wrong(const struct walked *walked, const struct snapshot *has, enum kind kind)
{
	size_t n_wrong = 0, n_told = 0;

	for (const struct row_meta *row = NULL; (row = snapshot_next(walked->rows, kind, "", row));) {
		const struct row_meta *told = snapshot_find(has, kind, snapshot_id(row));

		if (!is_told(walked, kind, row))
			continue;
		n_told++;
		n_wrong += !told || told->modified != row->modified || told->created != row->created;
	}
	return n_wrong + (snapshot_count(has, kind, "") != n_told);
}

static inline bool is_as_walked(const struct world *w, const struct node_rows *node)
{
	const struct snapshot *rows = store_rows(w->store);
	struct walked walked;
	size_t n_wrong = 0;

	walk(rows, node->name, &walked);
	for (enum kind kind = 0; kind < KIND_COUNT_; kind++) {
		size_t n = count_wrong(&walked, node->rows, kind);

		if (n > 0)
			tap_note("node %s: %zu wrong of kind %s at revision %llu", node->name, n,
				 kind_info(kind)->name, (unsigned long long)snapshot_revision(rows));
		n_wrong += n;
	}
	return n_wrong == 0;
}

/* The text of an answer as it goes over the socket: the caller's. */
static inline char *ask(const struct store *store, const struct node_rows *node, uint64_t after,
			const struct feed_list *pages)
{
	const struct feed_question question = {
		.node = node->name,
		.after = after,
		.pages = node->pages,
		.most = node->pages ? MOST : 0,
		.page = *pages->next ? pages->next : NULL,
	};
	json_t *answer;
	char *text;

	must(feed_rows_answer(store, &question, &answer), "answer");
	(void)json_object_set_new(answer, "store", json_string(store_identity(store)));
	text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	return text;
}

/* One poll, and what an agent makes of its answer. False: it was a page. */
static inline bool poll_once(const struct world *w, struct node_rows *node, struct feed_list *pages)
{
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	_cleanup_(freep) char *text = NULL;
	uint64_t after = node->lost ? 0 : snapshot_revision(node->rows);
	struct feed_rows told;

	if (pages->n > 0 && pages->is_full)
		after = *pages->next ? 0 : pages->listed;
	text = ask(w->store, node, after, pages);
	must(feed_answer_parse(text, strlen(text), &answer), "answer");
	node->n_full += answer.is_full;
	node->n_rows += answer.text.n;
	if (answer.is_page) {
		must(feed_list_add(pages, &answer, text, strlen(text)), "page");
		node->n_pages++;
		return false;
	}
	if (answer.is_full)
		feed_list_clear(pages);
	kept_rows_add(node->kept, pages, &answer, text, strlen(text));
	must(feed_list_apply(pages, &answer, node->rows, &told), "answer");
	feed_list_clear(pages);
	node->lost = false;
	node->n_told += told.n_changes;
	return true;
}

/* Polls until all is told. */
static inline void poll_all(const struct world *w, struct node_rows *node, struct feed_list *pages)
{
	while (!poll_once(w, node, pages))
		;
}
