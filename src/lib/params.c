/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters come from strangers before anything is known about them, so parsing is bounded first of all: by
 * bytes and by names. Order is kept; a name may come twice, and then the first one counts.
 */
#include "params.h"

#include "codec.h"

int params_add(struct params *params, const char *name, const char *value)
{
	struct param *v, fresh;

	if (params->n == PARAMS_MAX)
		return -E2BIG;
	if ((params->n & (params->n - 1)) == 0) { /* a power of two, or none: full */
		v = realloc(params->v, (params->n ? 2 * params->n : 1) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		params->v = v;
	}
	fresh = (struct param){.name = strdup(name), .value = strdup(value)};
	if (!fresh.name || !fresh.value) {
		free(fresh.name);
		free(fresh.value);
		return -ENOMEM;
	}
	params->v[params->n++] = fresh;
	return 0;
}

const char *params_get(const struct params *params, const char *name)
{
	for (size_t i = 0; i < params->n; i++)
		if (streq(params->v[i].name, name))
			return params->v[i].value;
	return NULL;
}

void params_done(struct params *params)
{
	for (size_t i = 0; i < params->n; i++) {
		free(params->v[i].name);
		free(params->v[i].value);
	}
	free(params->v);
	*params = (struct params){};
}

/* "name=value", "name=" or "name", in place. */
static int add_pair(struct params *params, char *pair)
{
	char *value = strchr(pair, '=');
	char none[] = "";

	if (value)
		*value++ = '\0';
	else
		value = none;
	if (percent_decode(pair) < 0 || percent_decode(value) < 0)
		return -EINVAL;
	return params_add(params, pair, value);
}

int params_parse(const char *text, size_t length, struct params *ret)
{
	_cleanup_(freep) char *copy = NULL;
	char *next, *pair;
	int r = 0;

	if (length > PARAMS_BYTES_MAX)
		return -E2BIG;
	if (memchr(text, '\0', length))
		return -EINVAL;
	copy = strndup(text, length);
	if (!copy)
		return -ENOMEM;
	next = copy;
	while (r == 0 && (pair = strsep(&next, "&")))
		if (pair[0])
			r = add_pair(ret, pair);
	return r;
}
