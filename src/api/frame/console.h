/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: a few files that were put into this program when it was built (console/, scripts/console.py),
 * at fixed addresses under /console/. They hold nothing of anybody's; what the page shows it asks the API
 * for, like every other client.
 */
#pragma once

#include <stddef.h>

#include "../../http/server.h"

/* A file in one coding. */
struct console_form {
	const char *bytes;
	size_t size;
	const char *tag; /* entity tag, with its quotes */
};

struct console_file {
	const char *name; /* behind "/console/" */
	const char *type;
	struct console_form plain, gzip;
};

/* Made by the build; without the console there is none. */
extern const size_t console_n_files;
extern const struct console_file console_files[];

/* Answers a request that is for the console, or that a browser makes for "/"; the request is gone then.
 * False: it is not, and the API has to answer it. */
bool console_answer(struct server_request *request);
