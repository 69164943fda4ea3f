/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of the numbers stands beside the queue, since all ports of a node may be queued at once: whether one
 * is costs the same, however many there are. It has more than twice as many places as there are numbers; one
 * whose place is taken has the next one that is free.
 */
#include "port_turns.h"

#include "../lib/mix.h"
#include "../lib/vec.h"

#define PLACES_FIRST 32

/* Where the number's place is, unless others have it. */
static size_t first_place(const struct port_turns *turns, uint32_t number)
{
	return mix64(number) & (turns->n_places - 1);
}

/* Where the number is, or would be. */
static size_t find_place(const struct port_turns *turns, uint32_t number)
{
	size_t place = first_place(turns, number);

	while (turns->places[place] && turns->places[place] != number)
		place = (place + 1) & (turns->n_places - 1);
	return place;
}

/* For one more number. */
static int make_places(struct port_turns *turns)
{
	size_t n = turns->n_places ? turns->n_places * 2 : PLACES_FIRST;
	uint32_t *places;

	if ((turns->n + 1) * 2 < turns->n_places)
		return 0;
	places = calloc(n, sizeof(*places));
	if (!places)
		return -ENOMEM;
	free(turns->places);
	turns->places = places;
	turns->n_places = n;
	for (size_t i = 0; i < turns->n; i++)
		places[find_place(turns, turns->items[i].number)] = turns->items[i].number;
	return 0;
}

/* Those behind it move up, which would not be found behind a free place. */
static void free_place(struct port_turns *turns, uint32_t number)
{
	size_t last = turns->n_places - 1, hole = find_place(turns, number);

	for (size_t i = (hole + 1) & last; turns->places[i]; i = (i + 1) & last) {
		size_t away = (i - first_place(turns, turns->places[i])) & last;

		if (away < ((i - hole) & last))
			continue;
		turns->places[hole] = turns->places[i];
		hole = i;
	}
	turns->places[hole] = 0;
}

bool port_turns_has(const struct port_turns *turns, uint32_t number)
{
	return turns->n && turns->places[find_place(turns, number)];
}

int port_turns_add(struct port_turns *turns, uint32_t number, uint32_t account)
{
	if (port_turns_has(turns, number))
		return 0;
	if (make_places(turns) < 0 || VEC_ROOM(turns->items, turns->n, turns->size) < 0)
		return -ENOMEM;
	turns->items[turns->n++] = (struct queued_port){.number = number, .account = account};
	turns->places[find_place(turns, number)] = number;
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
	free_place(turns, taken.number);
	return taken.number;
}

void port_turns_clear(struct port_turns *turns)
{
	free(turns->items);
	free(turns->places);
	*turns = (struct port_turns){};
}
