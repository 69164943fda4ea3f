/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server groups of which a server is well, or ill, that was not: which of them are planned next. Accounts
 * take turns, each with a group at a time, so that one whose servers are ill and well all the time keeps none
 * waiting but its own. Knows neither probes nor time.
 */
#pragma once

#include "../plan/plan_touched.h"

struct news_account;

/* All zero: nothing is new. */
struct health_news {
	struct news_account *first; /* whose turn is next; in the order of their turns */
	bool is_lost;		    /* there was no memory for a group */
};

/* Whether what is touched is a matter of slices still. */
typedef bool (*health_fits)(void *context, const struct plan_touched *touched);

/* The account's group; once, however often it is told before it is taken. Where there is no memory for it, it
 * is among those that wait for health_news_clear(). */
void health_news_add(struct health_news *news, int64_t account, const char *group);
/* Moves to `touched` those whose turn it is, as long as they are not many (plan_touch_health()) and fit.
 * Those that do not fit by themselves wait for health_news_clear(). True: there are others, which may fit
 * later. */
bool health_news_take(struct health_news *news, health_fits fits, void *context,
		      struct plan_touched *touched);
/* Some wait for that. */
bool health_news_has_heavy(const struct health_news *news);
/* Something is new, or was lost. */
static inline bool health_news_any(const struct health_news *news)
{
	return news->first || news->is_lost;
}
/* Nothing is new any more. */
void health_news_clear(struct health_news *news);
