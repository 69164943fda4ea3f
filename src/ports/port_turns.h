/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of ports whose devices are to be worked on, each once. Accounts take turns: who has many made
 * at once lets others wait for one of them.
 */
#pragma once

#include "../lib/util.h"

struct queued_port {
	uint32_t number;  /* not 0, which no port has */
	uint32_t account; /* whose it is; 0: not known */
};

/* All zero: none are queued. */
struct port_turns {
	struct queued_port *items; /* in the order in which they came */
	size_t n, size;
	uint32_t last_account; /* whose turn was the last one */
	uint32_t *places;      /* each has a number that is queued; 0: none */
	size_t n_places;       /* a power of two */
};

/* Whether the number is queued. */
bool port_turns_has(const struct port_turns *turns, uint32_t number);
/* Queues a number; one that is queued keeps its place, and its account. -ENOMEM. */
int port_turns_add(struct port_turns *turns, uint32_t number, uint32_t account);
/* Takes out the one whose turn it is: of the account that comes next, in a circle by their numbers, the first
 * one. There must be one. */
uint32_t port_turns_take(struct port_turns *turns);
/* Takes out all, and frees the room. */
void port_turns_clear(struct port_turns *turns);
