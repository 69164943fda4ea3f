/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long work breathes: it calls back every now and then, between two of its steps, so that what must not wait
 * goes on meanwhile (loop.h). It costs a look at the clock. Who works on something for more than some
 * milliseconds takes a breath as an argument or a member; all zero, it is none.
 */
#pragma once

struct breath {
	void (*take)(void *context);
	void *context;
};

/* `breath` may be NULL. */
static inline void breathe(const struct breath *breath)
{
	if (breath && breath->take)
		breath->take(breath->context);
}
