/* SPDX-License-Identifier: Apache-2.0 */
#include "refused.h"

static struct refused_account *find(struct refused *refused, int64_t account)
{
	for (size_t i = 0; i < refused->n; i++)
		if (refused->accounts[i].account == account)
			return &refused->accounts[i];
	return NULL;
}

static bool are_several(const int64_t *accounts, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (accounts[i] != accounts[0])
			return true;
	return false;
}

void refused_add(struct refused *refused, const int64_t *accounts, size_t n)
{
	bool several = are_several(accounts, n);

	refused->one_by_one |= several;
	for (size_t i = 0; i < n; i++) {
		struct refused_account *account = find(refused, accounts[i]);

		if (!account && refused->n == REFUSED_MAX)
			continue;
		if (!account)
			account = &refused->accounts[refused->n++];
		*account = (struct refused_account){accounts[i], account->is_alone || !several, true};
	}
}

bool refused_has(struct refused *refused, int64_t account)
{
	struct refused_account *found = find(refused, account);

	if (found)
		found->again = true;
	return found || refused->n == REFUSED_MAX;
}

void refused_settle(struct refused *refused)
{
	size_t kept = 0;

	for (size_t i = 0; i < refused->n; i++)
		if (refused->accounts[i].again && refused->accounts[i].is_alone)
			refused->accounts[kept++] = (struct refused_account){
				.account = refused->accounts[i].account, .is_alone = true};
	for (size_t i = kept; i < refused->n; i++)
		refused->accounts[i] = (struct refused_account){};
	refused->n = kept;
}

void refused_end_calm(struct refused *refused)
{
	refused->one_by_one &= refused->n > 0;
}
