/* SPDX-License-Identifier: Apache-2.0 */
#include "port_turns.h"

#include "../lib/vec.h"

bool port_turns_has(const struct port_turns *turns, uint32_t number)
{
	for (size_t i = 0; i < turns->n; i++)
		if (turns->items[i].number == number)
			return true;
	return false;
}

int port_turns_add(struct port_turns *turns, uint32_t number, uint32_t account)
{
	if (port_turns_has(turns, number))
		return 0;
	if (VEC_ROOM(turns->items, turns->n, turns->size) < 0)
		return -ENOMEM;
	turns->items[turns->n++] = (struct queued_port){.number = number, .account = account};
	return 0;
}

uint32_t port_turns_take(struct port_turns *turns)
{
	struct queued_port *next = turns->items, taken;

	for (size_t i = 1; i < turns->n; i++)
		if (turns->items[i].account - turns->last_account - 1 <
		    next->account - turns->last_account - 1)
			next = &turns->items[i];
	taken = *next;
	turns->last_account = taken.account;
	turns->n--;
	memmove(next, next + 1, (size_t)(turns->items + turns->n - next) * sizeof(*next));
	return taken.number;
}

void port_turns_clear(struct port_turns *turns)
{
	free(turns->items);
	*turns = (struct port_turns){};
}
