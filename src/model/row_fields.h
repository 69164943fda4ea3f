/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of kinds, between row_fields.c that has it and row.c that walks it. Others ask kind_info().
 */
#pragma once

#include "row.h"

extern const struct kind_info row_kinds[KIND_COUNT_];
