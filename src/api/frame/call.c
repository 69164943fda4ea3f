/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What handlers say: fail, read a parameter, put a row, draw a number. A system error inside a helper does
 * not burden every line of a handler: the call remembers the first one and fails at its end.
 */
#include <stdarg.h>
#include <stdio.h>

#include "../../lib/ident.h"
#include "action.h"

static void remember(struct call *call, int r)
{
	if (r < 0 && call->failed == 0)
		call->failed = r;
}

void call_set_error(struct call *call, const char *pattern, const char *name, const char *detail)
{
	(void)error_set_named(&call->error, pattern, name, detail);
}

int call_fail_detail(struct call *call, const char *code, const char *format, ...)
{
	char detail[sizeof(call->error.message)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	return error_set(&call->error, code, detail);
}

const char *call_string(const struct call *call, const char *name)
{
	return json_string_value(json_object_get(call->params, name));
}

bool call_bool(const struct call *call, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(call->params, name);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

int64_t call_int(const struct call *call, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(call->params, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

int call_time(struct call *call, const char *name, int64_t *ret)
{
	const char *text = call_string(call, name);
	int64_t unix_s;

	if (!text)
		return 0;
	if (time_parse(text, &unix_s) < 0)
		return call_fail_param(call, name, "It must be written YYYY-MM-DDThh:mm:ssZ, in UTC.");
	*ret = unix_s;
	return 0;
}

json_t *call_list(const struct call *call, const char *name)
{
	json_t *value = json_object_get(call->params, name);

	return json_is_array(value) ? value : NULL;
}

bool list_has(const json_t *list, const char *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (json_is_string(entry) && streq(json_string_value(entry), text))
			return true;
	return false;
}

struct control_node call_node(const struct call *call, const char *node)
{
	return call->node_state ? call->node_state(call->node_context, node)
				: (struct control_node){.hold = ""};
}

uint64_t call_reached(const struct call *call, enum kind kind, const void *row)
{
	return call->reached ? call->reached(call->node_context, kind, row) : UINT64_MAX;
}

const char *call_failure(const struct call *call, const char *key)
{
	return call->failure ? call->failure(call->node_context, key) : NULL;
}

void call_put(struct call *call, enum kind kind, const void *row)
{
	remember(call, store_txn_row_put(call->txn, kind, row));
}

void call_delete(struct call *call, enum kind kind, const void *row)
{
	remember(call, store_txn_row_delete(call->txn, kind, row));
}

/* The counter as this call sees it; NULL if there is no room for another one. */
static struct counter *find_counter(struct call *call, const char *name)
{
	const struct counter *stored;
	struct counter *counter;

	for (size_t i = 0; i < call->n_counters; i++)
		if (streq(call->counters[i].name, name))
			return &call->counters[i];
	if (call->n_counters == CALL_COUNTERS_MAX)
		return NULL;
	counter = &call->counters[call->n_counters];
	stored = snapshot_find(call->rows, KIND_COUNTER, name);
	if (stored) {
		*counter = *stored;
	} else {
		*counter = (struct counter){};
		if (str_copy(counter->name, sizeof(counter->name), name) < 0)
			return NULL;
	}
	call->n_counters++;
	return counter;
}

/* Of VPCs the VNI, which has 24 bits; 0 is the nodes' own, 1 is reserved. Of ports none and each bit set are
 * no port's (plan). */
static const struct numbering {
	const char *counter;
	uint32_t first, last;
} numberings[KIND_COUNT_] = {
	[KIND_VPC] = {"vpc", 2, 0xffffff},
	[KIND_PORT] = {"port", 1, UINT32_MAX - 1},
};

uint32_t call_next_number(struct call *call, enum kind kind)
{
	const struct numbering *numbering = &numberings[kind];
	struct counter *counter = find_counter(call, numbering->counter);

	if (!counter || snapshot_count_numbers(call->rows, kind) > numbering->last - numbering->first) {
		remember(call, -ERANGE);
		return 0;
	}
	do
		counter->value = counter->value < numbering->last ? MAX(counter->value + 1, numbering->first)
								  : numbering->first;
	while (snapshot_has_number(call->rows, kind, counter->value));
	call_put(call, KIND_COUNTER, counter);
	return counter->value;
}

void call_new_id(struct call *call, const char *prefix, char ret[ID_SIZE])
{
	/* That no row has it is proved by the commit, which puts a row that must be new. */
	int r = ident_new(prefix, ret, ID_SIZE);

	if (r < 0) {
		ret[0] = '\0';
		remember(call, r);
	}
}
