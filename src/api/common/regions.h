/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and zones, which every product lists in its own shape; all from the catalogue.
 */
#pragma once

#include "../frame/action.h"

extern const struct param_spec regions_params[], zones_params[];

/* Adds all regions to the list; `status`, of each, may be NULL. */
void regions_answer(struct call *call, json_t *list, const char *status);
/* Adds the zones of the call's region, or of all regions if it names none. `describe`, if not NULL, adds what
 * the product says of a zone. */
void zones_answer(struct call *call, json_t *list, void (*describe)(json_t *zone));
