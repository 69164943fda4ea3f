/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All rows of a harness's store at one moment, by key.
 */
#pragma once

#include "api_harness.h"

static void note_row(void *context, const char *key, const json_t *value, uint64_t created _unused_,
		     uint64_t revision _unused_)
{
	harness_must(json_object_set_new(context, key, json_deep_copy(value)), "memory");
}

/* The caller's. */
static json_t *world_now(const struct harness *h)
{
	json_t *world = json_object();

	harness_must(store_list(h->store, "", note_row, world), "memory");
	return world;
}
