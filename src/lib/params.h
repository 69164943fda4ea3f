/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters as names and values: parsed from a query string or a form body, both bounded. (typed.h has the
 * view that handlers use.)
 */
#pragma once

#include <jansson.h>

#include "util.h"

#define PARAMS_MAX	 2000 /* names in one request */
#define PARAMS_BYTES_MAX (256 * 1024)

struct param {
	char *name, *value;
};

struct params {
	struct param *v;
	size_t n;
};

/* Splits and decodes "a=b&c=d". -E2BIG: over a limit. -EINVAL: broken encoding. Appends to ret. */
int params_parse(const char *text, size_t length, struct params *ret);
int params_add(struct params *params, const char *name, const char *value);
const char *params_get(const struct params *params,
		       const char *name); /* NULL: absent; the first if repeated */
void params_done(struct params *params);
