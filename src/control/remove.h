/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a row with what hangs on it.
 */
#pragma once

#include "control_step.h"

/* Removes the row and the rows whose ids begin with its own (tags and the like): at once if they fit one
 * transaction; else only what hangs on it, and the row wants another call. False then. */
bool remove_row(const struct snapshot *rows, enum kind kind, const void *row, struct batch *batch);

/* Removes a port and gives its address back. Nothing if there is no such port. At most two operations. */
void remove_port(const struct snapshot *rows, const char *port, struct batch *batch);
