/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer and the reader share.
 */
#pragma once

#include "segments.h"

/* Writes what was gathered, and gives the files as they are then. */
const struct segments *audit_segments(struct audit *audit, enum audit_kind kind);
