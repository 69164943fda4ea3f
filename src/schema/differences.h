/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the public API lists for an action and privlink does not do, or does in another way, and why.
 * doc/api.md has it, and the conformance test counts: a code is answered by some call, or stands here.
 */
#pragma once

enum difference_kind {
	CODE_NOT_ANSWERED, /* an error code that no call of the action gets */
	PARAMETER_REFUSED, /* a parameter that any value of is an error, or all but the default */
	PARAMETER_KEPT,	   /* one that is checked, kept and told, and changes nothing else */
	PARAMETER_BOUNDED, /* one of which a call takes less than the reference says */
	DONE_OTHERWISE,	   /* one of which a value does another thing than the reference says */
	TOLD_OTHERWISE,	   /* a member of an answer whose words the reference writes in another way */
};

struct difference {
	enum difference_kind kind;
	const char *action; /* NULL: every action that lists it */
	const char *what;   /* the code or the parameter */
	const char *why;
};

/* PrivateLink's and NLB's; each ends with a NULL `what`. */
extern const struct difference privatelink_differences[], nlb_differences[];
