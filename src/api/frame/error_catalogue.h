/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of the error catalogue, between error_catalogue.c that has the rows and error.c that looks them up.
 * Others go through error_set().
 */
#pragma once

#include "../../lib/util.h"

struct error_row {
	const char *code; /* "{name}" stands for a parameter's name, "{Name}" for the same with a capital */
	int status;
	const char *text;
};

extern const struct error_row error_rows[];
extern const size_t error_n_rows;
