/* SPDX-License-Identifier: Apache-2.0 */
#include "turns.h"

#include <time.h>

/* Before the nonces of the turn and what its calls have changed are put on disk. */
#define PRIORITY -2

struct turns_account {
	struct turns *turns;
	int64_t uid;
	unsigned int n; /* in flight */
	struct turn *first, **end;
	struct turns_account *next;	    /* of all that have a call in flight */
	struct turns_account *next_waiting; /* of those in its line */
};

/* Accounts, one behind the other. */
struct line {
	struct turns_account *first, **end;
};

struct turns {
	struct loop_source *end_of_turn;
	turns_run run;
	void *context;
	struct turns_account *accounts;
	struct line seldom, busy;
	bool over; /* the last call in flight frees it */
};

static void run_some(void *context, uint32_t events);

int turns_new(struct loop *loop, turns_run run, void *context, struct turns **ret)
{
	struct turns *turns = calloc(1, sizeof(*turns));
	int r;

	if (!turns)
		return -ENOMEM;
	*turns = (struct turns){.run = run, .context = context};
	turns->seldom.end = &turns->seldom.first;
	turns->busy.end = &turns->busy.first;
	r = loop_add_deferred(loop, PRIORITY, run_some, turns, &turns->end_of_turn);
	if (r < 0) {
		free(turns);
		return r;
	}
	*ret = turns;
	return 0;
}

static struct turns_account *find(struct turns *turns, int64_t uid)
{
	struct turns_account *account;

	for (account = turns->accounts; account; account = account->next)
		if (account->uid == uid)
			return account;
	account = calloc(1, sizeof(*account));
	if (!account)
		return NULL;
	account->turns = turns;
	account->uid = uid;
	account->end = &account->first;
	account->next = turns->accounts;
	turns->accounts = account;
	return account;
}

static void wait_in_line(struct line *line, struct turns_account *account)
{
	account->next_waiting = NULL;
	*line->end = account;
	line->end = &account->next_waiting;
}

int turns_begin(struct turns *turns, int64_t uid, struct turn *turn)
{
	struct turns_account *account = find(turns, uid);

	if (!account)
		return -ENOMEM;
	if (account->n == TURNS_IN_FLIGHT_MAX)
		return -EBUSY;
	account->n++;
	*turn = (struct turn){.account = account};
	if (!account->first)
		wait_in_line(account->n == 1 ? &turns->seldom : &turns->busy, account);
	*account->end = turn;
	account->end = &turn->next;
	loop_defer(turns->end_of_turn);
	return 0;
}

void turns_end(struct turn *turn)
{
	struct turns_account *account = turn->account, **place;
	struct turns *turns;

	if (!account)
		return;
	turns = account->turns;
	turn->account = NULL;
	if (--account->n > 0)
		return;
	for (place = &turns->accounts; *place != account; place = &(*place)->next)
		;
	*place = account->next;
	free(account);
	if (turns->over && !turns->accounts)
		free(turns);
}

/* Carries out the first call of the account whose turn it is; false: there is none. */
static bool run_next(struct turns *turns, struct line *line)
{
	struct turns_account *account = line->first;
	struct turn *turn;

	if (!account)
		return false;
	line->first = account->next_waiting;
	if (!line->first)
		line->end = &line->first;
	if (line == &turns->seldom && account->n > 1) { /* since then it has called again */
		wait_in_line(&turns->busy, account);
		return true;
	}
	turn = account->first;
	account->first = turn->next;
	if (account->first)
		wait_in_line(&turns->busy, account);
	else
		account->end = &account->first;
	turns->run(turns->context, turn);
	return true;
}

static uint64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void run_some(void *context, _unused_ uint32_t events)
{
	struct turns *turns = context;
	uint64_t end = now_us() + TURNS_BUDGET_US;

	while (run_next(turns, &turns->seldom) && now_us() < end)
		;
	while (run_next(turns, &turns->busy) && now_us() < end)
		;
	if (turns->seldom.first || turns->busy.first)
		loop_defer(turns->end_of_turn);
}

struct turns *turns_free(struct turns *turns)
{
	if (!turns)
		return NULL;
	while (run_next(turns, &turns->seldom) || run_next(turns, &turns->busy))
		;
	loop_source_free(turns->end_of_turn);
	turns->over = true;
	if (!turns->accounts)
		free(turns);
	return NULL;
}
