/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between control_step.c, which walks the subjects, and control_endpoint.c and control_instance.c, which move
 * those that are more than a row that waits.
 */
#pragma once

#include "control_step.h"

/* control_view.c */

/* Whether the nodes have put the row's last change in force, as far as revisions tell. */
bool view_reached(const struct control_view *view, const struct row_meta *meta);
/* The subject needs this row's revision, too. */
void subject_needs(struct control_subject *subject, uint64_t revision);

/* One subject of its kind. */

/* Move the subject's rows on as far as the nodes have come, and where something is deleted as far as there is
 * room, by changes in `changes`; what the subject still waits for is written into it (subject_needs(),
 * has_more). */
void endpoint_states(const struct control_view *view, struct control_subject *subject, size_t *room,
		     struct changes *changes);
void instance_states(const struct control_view *view, struct control_subject *subject, size_t *room,
		     struct changes *changes);
void service_states(const struct control_view *view, struct control_subject *subject, size_t *room,
		    struct changes *changes);
