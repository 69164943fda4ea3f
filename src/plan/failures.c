/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short list: failures are few, so it is searched from end to end; the last first, as what stands side by
 * side often fails for the same one.
 */
#include "failures.h"

#include "../lib/vec.h"
#include <stdarg.h>
#include <stdio.h>

int failures_append(struct failures *failures, const char *key, const char *reason)
{
	struct plan_failure *item;

	if (VEC_ROOM(failures->items, failures->n, failures->size) < 0)
		return -ENOMEM;
	item = &failures->items[failures->n];
	memset(item, 0, sizeof(*item));
	if (str_copy(item->key, sizeof(item->key), key) < 0)
		return -E2BIG;
	(void)snprintf(item->reason, sizeof(item->reason), "%s", reason);
	failures->n++;
	return 0;
}

int failures_add(struct failures *failures, const char *key, const char *format, ...)
{
	char reason[sizeof(failures->items->reason)];
	va_list ap;

	for (size_t i = failures->n; i-- > 0;)
		if (streq(failures->items[i].key, key))
			return 0;
	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	return failures_append(failures, key, reason);
}

int failures_add_gone(struct failures *failures, const char *key, const char *reason)
{
	size_t n = failures->n;
	int r = failures_add(failures, key, "%s", reason);

	if (r == 0 && failures->n > n)
		failures->items[n].is_gone = true;
	return r;
}

void failures_clear(struct failures *failures)
{
	free(failures->items);
	*failures = (struct failures){};
}
