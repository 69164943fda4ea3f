/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this resolver knows of a name by itself, for an asker: names of the asker's VPC, of the plan's
 * domains, and names that mean something on this node only and would be nobody's business elsewhere. Pure.
 */
#pragma once

#include "../plan/plan.h"

struct dns_found {
	const char *zone; /* that answers for the name, a suffix of it; NULL: it is not ours, ask upstream */
	bool exists;
	const struct plan_name *name; /* has its addresses; NULL: none, whatever they are */
	const char *pointer;	      /* what the address is called that the name stands for, or NULL */
	struct plan_name own;	      /* `name` may point to it */
};

/* `text` is in lower case, without the last dot, and must stay: the result points into it. */
void dns_names_find(const struct plan *plan, const struct plan_port *asker, const char *text,
		    struct dns_found *ret);
