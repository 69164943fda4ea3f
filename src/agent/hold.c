/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An older copy shows in its revision, but only for a while: it goes on counting from there with changes of
 * its own. So each question for rows says what is in force here, by revision and timeline, and the answer
 * says whether the store ever was there.
 */
#include "hold.h"

#include <stdio.h>

#include "../lib/log.h"

#define SAVE_INTERVAL_MS                                                                                     \
	5000 /* a number that is a little behind costs nothing but being sure a little less */

struct hold {
	const char *state_dir;
	struct node_state *state;
	struct loop_source *save;
	bool is_save_due;
	bool is_told;	 /* by root, and nothing has been taken since: what is in force proves nothing */
	bool has_failed; /* to write; told once */
	char heard[NODE_STORE_SIZE]; /* what privlinkd serves; "": it does not say */
	char (*found)[ID_SIZE];	     /* instances of nobody knows which store; NULL: none, or it is known */
	size_t n_found;
	enum hold_reason { HOLD_NOTHING, HOLD_OTHER_STORE, HOLD_OLDER_COPY, HOLD_UNKNOWN } reason;
	char sentence[512];
};

#define WHAT_TO_DO                                                                                           \
	"nothing is applied or taken away here until the right store is back, or root says on this node: "   \
	"privlink node accept-store"

static int save(struct hold *hold)
{
	int r = node_state_save(hold->state_dir, hold->state);

	hold->is_save_due = false;
	if (r < 0 && !hold->has_failed)
		(void)log_errno(r, "cannot write file=%s/node.json, trying again", hold->state_dir);
	hold->has_failed = r < 0;
	return r;
}

static void save_soon(struct hold *hold)
{
	if (!hold->is_save_due)
		loop_timer_set(hold->save, SAVE_INTERVAL_MS);
	hold->is_save_due = true;
}

static void on_save(void *context, uint32_t events)
{
	struct hold *hold = context;

	(void)events;
	if (save(hold) < 0)
		save_soon(hold);
}

int hold_new(struct loop *loop, const char *state_dir, struct node_state *state, struct hold **ret)
{
	struct hold *hold = calloc(1, sizeof(*hold));
	int r;

	if (!hold)
		return -ENOMEM;
	hold->state_dir = state_dir;
	hold->state = state;
	r = loop_add_timer(loop, on_save, hold, &hold->save);
	if (r < 0) {
		hold_free(hold);
		return r;
	}
	*ret = hold;
	return 0;
}

static void forget_found(struct hold *hold)
{
	free(hold->found);
	hold->found = NULL;
	hold->n_found = 0;
}

void hold_set_found(struct hold *hold, char (*instances)[ID_SIZE], size_t n)
{
	forget_found(hold);
	hold->found = instances;
	hold->n_found = n;
}

struct hold *hold_free(struct hold *hold)
{
	if (!hold)
		return NULL;
	forget_found(hold);
	if (hold->is_save_due)
		(void)save(hold);
	loop_source_free(hold->save);
	free(hold);
	return NULL;
}

static int begin(struct hold *hold, enum hold_reason reason, const char *sentence)
{
	if (hold->reason != reason)
		log_warning("holding what is in force: %s", sentence);
	hold->reason = reason;
	(void)str_copy(hold->sentence, sizeof(hold->sentence), sentence);
	return 1;
}

static void end(struct hold *hold, const char *why)
{
	if (hold->reason != HOLD_NOTHING)
		log_info("following again store=%s: %s", *hold->heard ? hold->heard : "unnamed", why);
	hold->reason = HOLD_NOTHING;
}

static bool is_another(const struct hold *hold, const char *store)
{
	return *hold->state->store && !streq(hold->state->store, store);
}

static int begin_other(struct hold *hold)
{
	char sentence[sizeof(hold->sentence)];

	(void)snprintf(
		sentence, sizeof(sentence),
		"privlinkd serves another store (%s) than the one whose rows are in force on this node (%s; "
		"is its disk mounted, is --state-dir right?): " WHAT_TO_DO,
		*hold->heard ? hold->heard : "it does not say which", hold->state->store);
	return begin(hold, HOLD_OTHER_STORE, sentence);
}

/* `r`: of the answer. */
static int begin_behind(struct hold *hold, uint64_t r)
{
	char sentence[sizeof(hold->sentence)];

	if (r < hold->state->revision)
		(void)snprintf(sentence, sizeof(sentence),
			       "privlinkd serves an older copy of the store (revision %llu; in force on this "
			       "node is "
			       "%llu): " WHAT_TO_DO,
			       (unsigned long long)r, (unsigned long long)hold->state->revision);
	else
		(void)snprintf(
			sentence, sizeof(sentence),
			"privlinkd serves a copy of the store that was changed apart from the one whose rows "
			"are in force on this node (revision %llu): " WHAT_TO_DO,
			(unsigned long long)hold->state->revision);
	return begin(hold, HOLD_OLDER_COPY, sentence);
}

static int begin_unknown(struct hold *hold)
{
	char sentence[sizeof(hold->sentence)];

	(void)snprintf(
		sentence, sizeof(sentence),
		"privlinkd's store (%s) knows none of the instances on this node (%s, %zu in all), and "
		"which store they are of is not written down here (is its disk mounted, is --state-dir "
		"right?): " WHAT_TO_DO,
		*hold->heard ? hold->heard : "it does not say which", hold->found[0], hold->n_found);
	return begin(hold, HOLD_UNKNOWN, sentence);
}

int hold_hear_store(struct hold *hold, const char *store)
{
	(void)str_copy(hold->heard, sizeof(hold->heard), store);
	return is_another(hold, store) ? begin_other(hold) : 0;
}

/* Whether the store of the answer can be the one that the instances here are of, as far as can be told. */
static bool knows_what_stands(const struct hold *hold, const struct feed_answer *answer,
			      const struct feed_list *pages)
{
	const char(*found)[ID_SIZE] = hold->found;

	return hold->n_found == 0 || feed_answer_has_instance(answer, found, hold->n_found) ||
	       feed_list_has_instance(pages, found, hold->n_found);
}

/* Before anything of it is in force, if it can be. */
static void remember_history(struct hold *hold, const char *store, const char *timeline)
{
	if (streq(hold->state->store, store) && streq(hold->state->timeline, timeline))
		return;
	(void)str_copy(hold->state->store, sizeof(hold->state->store), store);
	(void)str_copy(hold->state->timeline, sizeof(hold->state->timeline), timeline);
	if (save(hold) < 0)
		save_soon(hold);
}

/* A store that has had a history says so for ever. */
static bool is_our_history(const struct hold *hold, const struct feed_answer *answer)
{
	bool is_silent = *hold->state->timeline && !*answer->timeline;

	return answer->revision >= hold->state->revision && answer->continues && !is_silent;
}

int hold_judge(struct hold *hold, const struct feed_answer *answer, const struct feed_list *pages)
{
	(void)str_copy(hold->heard, sizeof(hold->heard), answer->store);
	if (is_another(hold, answer->store))
		return begin_other(hold);
	if (!hold->is_told && !is_our_history(hold, answer))
		return begin_behind(hold, answer->revision);
	if (!hold->is_told && !*hold->state->store && !knows_what_stands(hold, answer, pages))
		return begin_unknown(hold);
	remember_history(hold, answer->store, answer->timeline);
	end(hold, "it is the one whose rows are in force here");
	return 0;
}

void hold_took(struct hold *hold, const char *timeline, uint64_t revision)
{
	hold->is_told = false;
	forget_found(hold);
	if (revision <= hold->state->revision)
		return;
	(void)str_copy(hold->state->timeline, sizeof(hold->state->timeline), timeline);
	hold->state->revision = revision;
	save_soon(hold);
}

const char *hold_in_force(const struct hold *hold, uint64_t *ret_revision)
{
	*ret_revision = hold->state->revision;
	return hold->state->timeline;
}

bool hold_goes_on_from(const struct hold *hold, uint64_t revision)
{
	const struct node_state *state = hold->state;

	return *state->store && *state->timeline && revision && state->revision == revision;
}

const char *hold_sentence(const struct hold *hold)
{
	return hold->reason != HOLD_NOTHING ? hold->sentence : NULL;
}

int hold_accept(struct hold *hold)
{
	const struct node_state before = *hold->state;
	int r;

	if (hold->reason == HOLD_NOTHING)
		return -EALREADY;
	(void)str_copy(hold->state->store, sizeof(hold->state->store), hold->heard);
	hold->state->timeline[0] = '\0';
	hold->state->revision = 0;
	r = save(hold);
	if (r < 0) {
		*hold->state = before;
		return r;
	}
	hold->is_told = true;
	end(hold, "root said so");
	return 0;
}
