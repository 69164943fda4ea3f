/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control at work: it follows the store's changes and the nodes' reports, and runs passes from the loop. A
 * pass asks the decisions of control_step.h one after another and commits what they say; each commit is seen
 * by the next at once. What has come up in the meantime makes one more pass, never two. What is left over has
 * turns of its own, and neither has to wait until nothing else happens.
 *
 * A commit that fails (another copy of the program was faster, or the disk is full) costs nothing but another
 * look at everything. While the store takes no changes nothing is looked at.
 */
#include "control.h"

#include "../lib/log.h"
#include "control_step.h"
#include "leases.h"
#include "subjects.h"

#define PASS_PRIORITY 0
#define RETRY_MS      1000
#define WALK_EVERY_MS (3600 * 1000)

/* What commits under way point to; outlives control if they do. */
struct commits {
	struct control *control; /* NULL: gone */
	size_t n_pending;
};

struct control {
	struct loop *loop;
	struct store *store;
	struct store_watch *watch;
	struct loop_source *pass, *lease_timer, *retry_timer, *walk_timer, *tests_timer;
	struct loop_source
		*leftovers; /* not in the pass, which looks at all that waits: its steps are many */
	struct commits *commits;
	struct leases leases;
	struct subjects subjects;
	uint64_t told; /* changes up to this revision are in `subjects` */
	struct nat_due nat;
	bool nat_ahead; /* ranges were given out when the store told last: memory was ahead of the disk */
	struct gone_rows gone;
	struct leftovers_walk walk; /* while it walks */
	size_t health_turn;	    /* whose results come first */
	bool all_changed, nodes_due, walks, walk_due, tests_due;
	bool waits; /* for the retry timer: what is to be done at once would fail again */
};

static void retry(struct control *control)
{
	control->all_changed = true;
	control->nat.all = true;
	control->nodes_due = true;
	control->tests_due = true;
	control->walk_due = true;
	control->waits = true;
	loop_timer_set(control->retry_timer, RETRY_MS);
}

static void commit_done(void *context, int result, uint64_t revision _unused_)
{
	struct commits *commits = context;

	commits->n_pending--;
	if (!commits->control) {
		if (commits->n_pending == 0)
			free(commits);
		return;
	}
	if (result == 0)
		return;
	if (result == -EAGAIN)
		log_debug("repeat pass: a row changed meanwhile");
	else
		log_errno(result, "cannot commit pass");
	retry(commits->control);
}

/* Commits the changes and empties it. */
static void commit(struct control *control, struct changes *changes)
{
	size_t n = changes->error == 0 ? changes->n_txns : 0;

	if (changes->error < 0) {
		log_errno(changes->error, "cannot put pass together");
		retry(control);
	}
	for (size_t i = 0; i < n; i++) {
		control->commits->n_pending++;
		store_commit(control->store, TAKE_PTR(changes->txns[i]), commit_done, control->commits);
	}
	changes_done(changes);
}

static struct control_view view_now(const struct control *control)
{
	return (struct control_view){
		.rows = store_rows(control->store),
		.live_revision = leases_live_revision(&control->leases),
		.told_nodes = store_told_nodes(control->store),
		.leases = &control->leases,
		.failures = control->leases.failures,
		.n_failures = control->leases.n_failures,
		.now = now_unix_s(),
	};
}

/* Following the store */

static void note_change(void *context, const struct store_change *change)
{
	struct control *control = context;
	enum kind kind;

	if (subjects_changed(&control->subjects, change->key) < 0)
		control->all_changed = true;
	if (kind_of_key(change->key, &kind) < 0)
		return;
	nat_due_change(&control->nat, store_rows(control->store), change);
	control->tests_due = control->tests_due || kind == KIND_CONNECTIVITY_TEST;
	control->nodes_due =
		control->nodes_due || kind == KIND_NODE || (kind == KIND_INSTANCE && change->is_gone);
	if (change->is_gone && relation_has_parts(kind) &&
	    gone_rows_add(&control->gone, kind, strchr(change->key, '/') + 1) < 0)
		control->walk_due = true;
}

static void note_changes(struct control *control)
{
	int64_t told = store_changes(control->store, control->told, note_change, control);

	nat_due_moves(&control->nat, store_told_nodes(control->store), control->told);
	if (told < 0) {
		control->all_changed = true;
		control->nat.all = true;
		control->nodes_due = true;
		control->tests_due = true;
		control->walk_due = true;
		control->told = store_durable_revision(control->store);
	} else {
		control->told = (uint64_t)told;
	}
	if (control->all_changed) {
		int r = subjects_changed_all(&control->subjects, store_rows(control->store));

		control->all_changed = false;
		if (r < 0) {
			log_errno(r, "cannot look at all rows");
			retry(control);
		}
	}
}

/* Passes */

/* Whether it committed anything. */
static bool pass_nat(struct control *control)
{
	struct control_view view = view_now(control);
	struct changes changes = {};
	bool commits;

	if (!control->nat.all && control->nat.n == 0)
		return false;
	control_nat_ranges(&view, &control->nat, &changes);
	if (changes.more && !control->waits)
		loop_defer(control->pass);
	commits = changes.n_txns > 0;
	commit(control, &changes);
	return commits;
}

static enum control_heard heard(const void *context, const char *node)
{
	const struct lease *lease = leases_find(context, node);

	if (!lease)
		return CONTROL_NOT_HEARD;
	return lease->is_presumed ? CONTROL_MAY_BE_HEARD : CONTROL_HEARD;
}

static void pass_nodes(struct control *control, size_t *room)
{
	struct control_view view = view_now(control);
	struct changes changes = {};

	if (!control->nodes_due)
		return;
	control_nodes(&view, heard, &control->leases, room, &changes);
	control->nodes_due = changes.more;
	if (changes.more && !control->waits)
		loop_defer(control->pass);
	commit(control, &changes);
}

/* What it found out is forgotten, or has been: a row written behind that would stay. */
static bool is_forgotten(const struct snapshot *rows, const char *node)
{
	const struct node *row = snapshot_node(rows, node);

	return !row || row->deleting;
}

/* Each pass begins with another node, so that one with many servers that change all the time keeps no other
 * one's results waiting. */
static void pass_health(struct control *control)
{
	struct control_view view = view_now(control);
	struct leases *leases = &control->leases;
	size_t room = HEALTH_PER_PASS_MAX, looks = HEALTH_LOOKS_PER_PASS_MAX;
	size_t first = control->health_turn++;

	for (size_t i = 0; i < leases->n && room > 0 && looks > 0; i++) {
		struct lease *lease = &leases->v[(first + i) % leases->n];
		struct changes changes = {};
		const struct server_health *health;
		size_t n;

		if (is_forgotten(view.rows, lease->node))
			health_queue_done(&lease->health);
		health = health_queue_first(&lease->health, &n);
		if (n == 0)
			continue;
		n = control_health(&view, health, MIN(n, looks), &room, &changes);
		health_queue_drop(&lease->health, n);
		looks -= n;
		commit(control, &changes);
	}
	if ((room == 0 || looks == 0) && !control->waits)
		loop_defer(control->pass);
}

static void pass_tests(struct control *control)
{
	struct control_view view = view_now(control);
	struct changes changes = {};
	int64_t next;

	if (!control->tests_due)
		return;
	control->tests_due = false;
	next = control_tests_expire(&view, &changes);
	commit(control, &changes);
	if (next == INT64_MAX)
		loop_timer_stop(control->tests_timer);
	else
		loop_timer_set(control->tests_timer, (uint64_t)(next - view.now) * 1000);
}

/* What a pass commits one after another: a service changes the rows of endpoints, and a connectivity test is
 * a part of its instance and of its endpoint alike. */
enum slice { SLICE_SERVICES, SLICE_INSTANCES, SLICE_OTHERS, SLICE_COUNT_ };

static enum slice slice_of(const struct control_subject *subject)
{
	if (subject->kind == KIND_SERVICE)
		return SLICE_SERVICES;
	return subject->kind == KIND_INSTANCE ? SLICE_INSTANCES : SLICE_OTHERS;
}

/* Its subjects, those of one kind side by side. */
static void pass_slice(struct control *control, const struct control_view *view, enum slice slice,
		       size_t *room)
{
	struct subject_list *work = &control->subjects.work;
	struct changes changes = {};
	size_t i = 0, end;

	for (; i < work->n; i = end) {
		enum slice next = slice_of(&work->v[i]);

		for (end = i + 1; end < work->n && slice_of(&work->v[end]) == next; end++)
			;
		if (next == slice)
			control_states(view, work->v + i, end - i, room, &changes);
	}
	commit(control, &changes);
}

static void pass_states(struct control *control, size_t *room)
{
	struct control_view view = view_now(control);
	int r;

	r = subjects_take(&control->subjects, view.live_revision);
	if (r == 0) {
		for (enum slice slice = 0; slice < SLICE_COUNT_; slice++)
			pass_slice(control, &view, slice, room);
		r = subjects_put_back(&control->subjects, view.live_revision);
	}
	if (r < 0) {
		log_errno(r, "cannot run pass");
		retry(control);
	} else if (r > 0 && !control->waits) {
		loop_defer(control->pass);
	}
}

/* What would be decided would be refused, and everything looked at anew. */
static bool must_wait(struct control *control)
{
	if (!store_refuses(control->store))
		return false;
	if (!control->waits)
		loop_timer_set(control->retry_timer, RETRY_MS);
	control->waits = true;
	return true;
}

static void run_pass(void *context, uint32_t events _unused_)
{
	struct control *control = context;
	size_t room = LEFTOVERS_GONE_MAX; /* of all that is deleted */

	if (must_wait(control))
		return;
	note_changes(control);
	pass_nodes(control, &room);
	(void)pass_nat(control);
	pass_health(control);
	pass_states(control, &room);
	pass_tests(control);
	if (control->gone.n > 0 || control->walk_due)
		loop_defer(control->leftovers);
}

/* What is left over */

static void pass_parts(struct control *control)
{
	size_t room = LEFTOVERS_GONE_MAX, n = 0;
	bool all = true;

	while (all && n < control->gone.n) {
		struct control_view view = view_now(control);
		struct changes changes = {};

		all = control_remove_parts(&view, &control->gone.v[n], &room, &changes);
		commit(control, &changes);
		if (all)
			n++;
	}
	gone_rows_drop(&control->gone, n);
}

static void pass_walk(struct control *control)
{
	struct control_view view = view_now(control);
	struct changes changes = {};

	if (!control->walks) {
		if (!control->walk_due)
			return;
		control->walk_due = false;
		control->walk = (struct leftovers_walk){};
	}
	control_remove_leftovers(&view, &control->walk, &changes);
	control->walks = changes.more;
	commit(control, &changes);
	if (!control->walks)
		loop_timer_set(control->walk_timer, WALK_EVERY_MS);
}

/* The walk has a share of its own: however much goes elsewhere, it comes to its end. */
static void run_leftovers(void *context, uint32_t events _unused_)
{
	struct control *control = context;

	if (must_wait(control))
		return;
	pass_parts(control);
	pass_walk(control);
	if ((control->gone.n > 0 || control->walks || control->walk_due) && !control->waits)
		loop_defer(control->leftovers);
}

/* Ranges are given out before nodes are told what needs them: the feed, whose watch comes after this one,
 * tells nothing while memory is ahead of the disk, and then both in one answer. But not twice running, or
 * changes that come with every turn would keep it silent for good: what has come up since is told, and its
 * ranges with the answer after that. The rest can wait. */
static void on_store_changed(void *context, uint32_t events _unused_)
{
	struct control *control = context;

	note_changes(control);
	control->nat_ahead = !control->nat_ahead && pass_nat(control);
	loop_defer(control->pass);
}

static void on_retry(void *context, uint32_t events _unused_)
{
	struct control *control = context;

	control->waits = false;
	loop_defer(control->pass);
	loop_defer(control->leftovers);
}

static void on_walk_timer(void *context, uint32_t events _unused_)
{
	struct control *control = context;

	control->walk_due = true;
	loop_defer(control->leftovers);
}

static void on_tests_timer(void *context, uint32_t events _unused_)
{
	struct control *control = context;

	control->tests_due = true;
	loop_defer(control->pass);
}

/* Leases */

/* Rows that failed, or did until now, are looked at again. */
static void note_failures(struct control *control, const struct control_failure *failures, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (subjects_changed(&control->subjects, failures[i].key) < 0)
			control->all_changed = true;
}

static void note_all_failures(struct control *control)
{
	note_failures(control, control->leases.failures, control->leases.n_failures);
}

static void note_failures_of(struct control *control, const char *node)
{
	const struct lease *lease = leases_find(&control->leases, node);

	if (lease)
		note_failures(control, lease->failures, lease->n_failures);
}

static void arm_lease_timer(struct control *control)
{
	uint64_t end = leases_next_end(&control->leases), now = now_mono_ms();

	if (end == UINT64_MAX)
		loop_timer_stop(control->lease_timer);
	else
		loop_timer_set(control->lease_timer, end > now ? end - now : 0);
}

/* Ranges that wait for the node are looked at again. */
static void note_heard(struct control *control, const char *node)
{
	const struct lease *lease = leases_find(&control->leases, node);

	if (lease)
		nat_due_heard(&control->nat, store_rows(control->store), store_told_nodes(control->store),
			      lease);
}

static void node_lost(void *context, const char *node)
{
	log_warning("lost node=%s: nothing waits for it", node);
	note_heard(context, node);
}

static void on_lease_timer(void *context, uint32_t events _unused_)
{
	struct control *control = context;

	note_all_failures(control);
	(void)leases_expire(&control->leases, now_mono_ms(), node_lost, control);
	note_all_failures(control);
	arm_lease_timer(control);
	control->nodes_due = true;
	loop_defer(control->pass);
}

/* What is new about the node itself. */
static void note_hearing(struct control *control, const struct control_report *report)
{
	const struct lease *lease = leases_find(&control->leases, report->node);
	const char *old = lease ? lease->hold : "";

	if (!lease || lease->is_presumed) {
		control->nodes_due = true;
		log_info("hear node=%s revision=%llu", report->node, (unsigned long long)report->revision);
	}
	if (*report->hold && !*old)
		log_warning("node=%s holds: %s", report->node, report->hold);
	else if (*old && !*report->hold)
		log_info("node=%s follows again", report->node);
}

static void take_tests(struct control *control, const struct control_report *report)
{
	struct control_view view = view_now(control);
	struct changes changes = {};

	if (report->n_tests == 0)
		return;
	control_tests(&view, report->node, report->tests, report->n_tests, &changes);
	commit(control, &changes);
}

int control_report(struct control *control, const struct control_report *report)
{
	int r;

	if (!snapshot_node(store_rows(control->store), report->node))
		return -ENOENT;
	note_hearing(control, report);

	if (!leases_same_failures(&control->leases, report))
		note_failures_of(control, report->node);
	r = leases_report(&control->leases, report, now_mono_ms());
	if (r < 0)
		return r;
	if (r & LEASE_FAILURES)
		note_failures_of(control, report->node);
	if (r & LEASE_REVISION)
		note_heard(control, report->node);
	if (!*report->hold)
		store_reached(control->store, report->node, report->revision);
	arm_lease_timer(control);
	take_tests(control, report);
	if (r)
		loop_defer(control->pass);
	return r & LEASE_FULL ? -ENOBUFS : 0;
}

uint64_t control_live_revision(const struct control *control)
{
	return leases_live_revision(&control->leases);
}

uint64_t control_reached(const struct control *control, enum kind kind, const void *row)
{
	const struct share share = share_of(store_rows(control->store), kind, row);
	uint32_t last;

	return leases_revision_of(&control->leases, store_told_nodes(control->store), &share, &last);
}

bool control_node_live(const struct control *control, const char *node)
{
	return control_node(control, node).is_live;
}

struct control_node control_node(const struct control *control, const char *node)
{
	const struct lease *lease = leases_find(&control->leases, node);
	const char *hold = lease ? lease->hold : "";

	return (struct control_node){
		.has_lease = lease,
		.is_presumed = lease && lease->is_presumed,
		.is_live = lease && !*hold,
		.hold = hold,
	};
}

const char *control_failure_reason(const struct control *control, const char *key)
{
	const struct control_view view = {.failures = control->leases.failures,
					  .n_failures = control->leases.n_failures};

	return control_failure_find(&view, key);
}

static bool same_node(const struct node *a, const struct node *b)
{
	if (a->mtu != b->mtu || a->n_zones != b->n_zones || netaddr_compare(&a->underlay, &b->underlay) != 0)
		return false;
	for (uint32_t i = 0; i < a->n_zones; i++)
		if (!streq(a->zones[i], b->zones[i]))
			return false;
	return true;
}

static int register_ops(const struct snapshot *rows, const struct node *node, struct store_txn *txn)
{
	const struct node *known = snapshot_node(rows, node->name);
	const struct counter *counter = snapshot_find(rows, KIND_COUNTER, "node");
	struct counter next = counter ? *counter : (struct counter){.name = "node"};
	struct node row = *node;
	int r;

	if (known) {
		if (known->deleting)
			return -EBUSY;
		if (same_node(known, node))
			return store_txn_row_check(txn, KIND_NODE, known);
		row.number = known->number;
		row.lost_time = known->lost_time;
		row.meta = known->meta;
		return store_txn_row_put(txn, KIND_NODE, &row);
	}
	if (next.value == UINT32_MAX)
		return -ERANGE;
	row.number = ++next.value;
	row.meta = (struct row_meta){};
	r = store_txn_row_put(txn, KIND_COUNTER, &next);
	return r < 0 ? r : store_txn_row_put(txn, KIND_NODE, &row);
}

void control_register(struct control *control, const struct node *node, store_done done, void *context)
{
	struct store_txn *txn;
	int r;

	r = store_txn_new(&txn);
	if (r < 0) {
		done(context, r, 0);
		return;
	}
	r = register_ops(store_rows(control->store), node, txn);
	if (r < 0) {
		store_txn_free(txn);
		done(context, r, 0);
		return;
	}
	store_commit(control->store, txn, done, context);
}

/* Beginning and end */

/* The nodes that were there when the program ended may still be: they get the time of a lease to report. */
static int presume_leases(struct control *control)
{
	const struct snapshot *rows = store_rows(control->store);
	uint64_t now = now_mono_ms();
	int r = 0;

	for (const struct node *n = NULL; r == 0 && (n = snapshot_next(rows, KIND_NODE, "", n));)
		r = leases_presume(&control->leases, n->name, now);
	return r;
}

static int start(struct control *control)
{
	int r;

	control->commits = calloc(1, sizeof(*control->commits));
	if (!control->commits)
		return -ENOMEM;
	control->commits->control = control;
	r = loop_add_deferred(control->loop, PASS_PRIORITY, run_pass, control, &control->pass);
	if (r < 0)
		return r;
	r = loop_add_timer(control->loop, on_lease_timer, control, &control->lease_timer);
	if (r < 0)
		return r;
	r = loop_add_timer(control->loop, on_retry, control, &control->retry_timer);
	if (r < 0)
		return r;
	r = loop_add_deferred(control->loop, PASS_PRIORITY, run_leftovers, control, &control->leftovers);
	if (r < 0)
		return r;
	r = loop_add_timer(control->loop, on_walk_timer, control, &control->walk_timer);
	if (r < 0)
		return r;
	r = loop_add_timer(control->loop, on_tests_timer, control, &control->tests_timer);
	if (r < 0)
		return r;
	r = store_watch(control->store, on_store_changed, control, &control->watch);
	if (r < 0)
		return r;
	r = presume_leases(control);
	if (r < 0)
		return r;

	control->subjects.leases = &control->leases;
	control->told = store_durable_revision(control->store);
	control->all_changed = true;
	control->nat.all = true;
	control->nodes_due = true;
	control->walk_due = true;
	control->tests_due = true;
	arm_lease_timer(control);
	loop_defer(control->pass);
	return 0;
}

int control_new(struct loop *loop, struct store *store, struct control **ret)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	control->store = store;
	r = start(control);
	if (r < 0) {
		control_free(control);
		return r;
	}
	*ret = control;
	return 0;
}

struct control *control_free(struct control *control)
{
	if (!control)
		return NULL;
	store_watch_free(control->watch);
	loop_source_free(control->pass);
	loop_source_free(control->lease_timer);
	loop_source_free(control->retry_timer);
	loop_source_free(control->leftovers);
	loop_source_free(control->walk_timer);
	loop_source_free(control->tests_timer);
	if (control->commits && control->commits->n_pending > 0)
		control->commits->control = NULL;
	else
		free(control->commits);
	leases_done(&control->leases);
	subjects_done(&control->subjects);
	nat_due_done(&control->nat);
	gone_rows_done(&control->gone);
	free(control);
	return NULL;
}
