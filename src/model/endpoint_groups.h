/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security groups of an endpoint, in the endpoint's own row: those that its ENIs are in, of which the
 * last ones may not be in force yet, and those that they have left, until that is in force. Each has a state
 * of its own (group_event() in state.c); all wait for the revision of the endpoint's last change.
 */
#pragma once

#include "state.h"

/* GROUP_NONE: the endpoint has nothing to do with it. */
enum group_status endpoint_group_status(const struct endpoint *row, const char *group);

/* Where the lists of an endpoint stand that are being changed. */
struct endpoint_lists {
	char groups[SECURITY_GROUPS_MAX][ID_SIZE];
	char detaching[SECURITY_GROUPS_MAX][ID_SIZE];
};

/* 0, and the row's lists are `lists`; -EEXIST: it is attached or on its way; -ENOSPC: the endpoint is in as
 * many as are allowed. One that is on its way out stays. */
int endpoint_group_attach(struct endpoint *row, const char *group, struct endpoint_lists *lists);
/* 0, and the row's lists are `lists`; -EALREADY: it is on its way out; -ENOENT: it is not the endpoint's;
 * -EPERM: it is the last one; -ENOSPC: as many as can be are on their way out. */
int endpoint_group_detach(struct endpoint *row, const char *group, struct endpoint_lists *lists);

/* The row's last change is in force: what was detached is gone; what was attached is so, unless the endpoint
 * `failed`. Whether the row changed. */
bool endpoint_groups_in_force(struct endpoint *row, bool failed);
