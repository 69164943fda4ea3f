/* SPDX-License-Identifier: Apache-2.0 */
#include "health_news.h"

#include <stdlib.h>

#define WEIGHED_MAX 64 /* groups of which it is found out at a time whether they fit */

struct news_group {
	struct news_group *behind; /* of the account's */
	bool is_heavy;		   /* does not fit by itself */
	char id[ID_SIZE];
};

struct news_account {
	struct news_account *behind;
	int64_t account;
	struct news_group *first; /* came first; there is one */
	bool waits;		  /* its next group does not fit with those that are taken now */
};

/* The place of the account, or of the end. */
static struct news_account **account_place(struct health_news *news, int64_t account)
{
	struct news_account **place = &news->first;

	while (*place && (*place)->account != account)
		place = &(*place)->behind;
	return place;
}

static struct news_group **group_place(struct news_account *account, const char *id)
{
	struct news_group **place = &account->first;

	while (*place && !streq((*place)->id, id))
		place = &(*place)->behind;
	return place;
}

/* One without groups goes. */
static void account_settle(struct news_account **place)
{
	struct news_account *account = *place;

	if (account->first)
		return;
	*place = account->behind;
	free(account);
}

static int add_group(struct news_account *account, const char *id)
{
	struct news_group **place = group_place(account, id);

	if (*place)
		return 0;
	*place = calloc(1, sizeof(**place));
	return *place ? str_copy((*place)->id, ID_SIZE, id) : -ENOMEM;
}

void health_news_add(struct health_news *news, int64_t account, const char *group)
{
	struct news_account **place = account_place(news, account);

	if (!*place) {
		*place = calloc(1, sizeof(**place));
		if (*place)
			(*place)->account = account;
	}
	if (!*place) {
		news->is_lost = true;
		return;
	}
	news->is_lost |= add_group(*place, group) < 0;
	account_settle(place);
}

static void remove_group(struct news_account *account, const struct news_group *group)
{
	struct news_group **place = group_place(account, group->id), *removed = *place;

	*place = removed->behind;
	free(removed);
}

/* It had its turn, and is the last one. */
static void end_turn(struct health_news *news, struct news_account *account)
{
	*account_place(news, account->account) = account->behind;
	account->behind = NULL;
	*account_place(news, account->account) = account;
}

static struct news_group *first_light(const struct news_account *account)
{
	struct news_group *group = account->first;

	while (group && group->is_heavy)
		group = group->behind;
	return group;
}

/* NULL: nobody's. */
static struct news_account *next_turn(const struct health_news *news)
{
	struct news_account *account = news->first;

	while (account && (account->waits || !first_light(account)))
		account = account->behind;
	return account;
}

enum taken {
	TAKEN,
	TAKEN_NOT,  /* it would be too much together with what is touched already */
	TAKEN_NEVER /* it is too much by itself */
};

static bool fits_alone(const char *group, health_fits fits, void *context)
{
	struct plan_touched touched = {};

	return plan_touch_health(&touched, group) && fits(context, &touched);
}

static enum taken take_group(const char *group, health_fits fits, void *context, struct plan_touched *touched)
{
	size_t n = touched->server_groups.n;

	if (!plan_touch_health(touched, group))
		return TAKEN_NOT;
	if (touched->server_groups.n == n || touched->whole || fits(context, touched))
		return TAKEN;
	touched->server_groups.n = n;
	return fits_alone(group, fits, context) ? TAKEN_NOT : TAKEN_NEVER;
}

/* The turn of an account that has a group. */
static void take_turn(struct health_news *news, struct news_account *account, health_fits fits, void *context,
		      struct plan_touched *touched)
{
	struct news_group *group = first_light(account);

	switch (take_group(group->id, fits, context, touched)) {
	case TAKEN:
		remove_group(account, group);
		end_turn(news, account);
		account_settle(account_place(news, account->account));
		break;
	case TAKEN_NOT:
		account->waits = true;
		break;
	case TAKEN_NEVER:
		group->is_heavy = true;
		end_turn(news, account);
		break;
	}
}

bool health_news_take(struct health_news *news, health_fits fits, void *context, struct plan_touched *touched)
{
	struct news_account *account;
	bool has_more = false;

	for (account = news->first; account; account = account->behind)
		account->waits = false;
	for (size_t n = 0; n < WEIGHED_MAX && (account = next_turn(news)); n++)
		take_turn(news, account, fits, context, touched);
	for (account = news->first; account; account = account->behind)
		has_more |= first_light(account) != NULL;
	return has_more;
}

bool health_news_has_heavy(const struct health_news *news)
{
	for (const struct news_account *account = news->first; account; account = account->behind)
		for (const struct news_group *group = account->first; group; group = group->behind)
			if (group->is_heavy)
				return true;
	return news->is_lost;
}

void health_news_clear(struct health_news *news)
{
	while (news->first) {
		struct news_account *account = news->first;

		while (account->first)
			remove_group(account, account->first);
		account_settle(&news->first);
	}
	news->is_lost = false;
}
