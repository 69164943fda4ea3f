/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log, for those whose calls are in it: an account sees its own, an administrator all. This is the
 * one handler that reads files. What it reads in one call is bounded, so a page may have fewer lines than
 * were asked for, even none, and still have a next one.
 */
#include "../../audit/event.h"
#include "../../audit/read.h"
#include "../../lib/codec.h"
#include "../../lib/fnv.h"
#include "../frame/fill.h"
#include "../frame/shape.h"
#include "actions.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- pages ---- */

/* A place as six numbers, and the sum of what is asked and of all, in hexadecimal digits. */
#define TOKEN_NUMBERS (2 * AUDIT_KIND_COUNT_)
#define TOKEN_SIZE    ((TOKEN_NUMBERS + 1) * 16 + 1)

static uint64_t sum_of(uint64_t question, const uint64_t numbers[TOKEN_NUMBERS])
{
	uint64_t sum = fnv_add(FNV_START, &question, sizeof(question));

	return fnv_add(sum, numbers, TOKEN_NUMBERS * sizeof(numbers[0]));
}

static void token_format(uint64_t question, const struct audit_place *place, char ret[TOKEN_SIZE])
{
	uint64_t numbers[TOKEN_NUMBERS + 1];
	size_t length = 0;

	for (size_t i = 0; i < AUDIT_KIND_COUNT_; i++) {
		numbers[2 * i] = place->kinds[i].segment;
		numbers[2 * i + 1] = place->kinds[i].end;
	}
	numbers[TOKEN_NUMBERS] = sum_of(question, numbers);
	for (size_t i = 0; i <= TOKEN_NUMBERS; i++)
		length += (size_t)snprintf(ret + length, TOKEN_SIZE - length, "%016" PRIx64, numbers[i]);
}

static int token_parse(uint64_t question, const char *token, struct audit_place *ret)
{
	uint64_t numbers[TOKEN_NUMBERS + 1] = {};

	if (strlen(token) != TOKEN_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; token[i]; i++) {
		int digit = hex_digit(token[i]);

		if (digit < 0)
			return -EINVAL;
		numbers[i / 16] = numbers[i / 16] << 4 | (uint64_t)digit;
	}
	if (numbers[TOKEN_NUMBERS] != sum_of(question, numbers))
		return -EINVAL;
	*ret = (struct audit_place){.more = true};
	for (size_t i = 0; i < AUDIT_KIND_COUNT_; i++) {
		ret->kinds[i].segment = numbers[2 * i];
		ret->kinds[i].end = numbers[2 * i + 1];
	}
	return 0;
}

/* ---- what is asked ---- */

static int read_time(struct call *call, const char *name, int64_t *ret_ms)
{
	int64_t seconds = INT64_MIN;
	int r = call_time(call, name, &seconds);

	if (r == 0 && seconds != INT64_MIN)
		*ret_ms = seconds * 1000;
	return r;
}

static unsigned int kinds_of(const struct call *call)
{
	const char *kind = call_string(call, "EventKind");

	for (int i = 0; kind && i < AUDIT_KIND_COUNT_; i++)
		if (streq(kind, audit_kind_names[i]))
			return 1u << i;
	return AUDIT_KINDS_ALL;
}

static int read_limit(struct call *call, struct audit_query *query)
{
	const struct paging *paging = call->action->paging;
	int64_t limit = call_int(call, "MaxResults", paging->results_default);
	char detail[64];

	if (limit < 1 || limit > paging->results_max) {
		(void)str_format(detail, sizeof(detail), "It must be from 1 to %lld.",
				 (long long)paging->results_max);
		return call_fail_param(call, "MaxResults", detail);
	}
	query->limit = (size_t)limit;
	return 0;
}

static int read_query(struct call *call, struct audit_query *ret)
{
	int64_t account = call_int(call, "AccountId", 0);
	int r;

	*ret = (struct audit_query){.kinds = kinds_of(call),
				    .account = account,
				    .action = call_string(call, "EventAction"),
				    .code = call_string(call, "EventCode"),
				    .key_id = call_string(call, "EventAccessKeyId"),
				    .request_id = call_string(call, "EventRequestId"),
				    .resource = call_string(call, "EventResourceId"),
				    .since_ms = INT64_MIN,
				    .until_ms = INT64_MAX};
	if (!call_is_admin(call)) {
		if (account && account != call->account->uid)
			return call_fail_detail(call, "Forbidden",
						"Only an administrator sees the calls of another account.");
		ret->account = call->account->uid;
	}
	r = read_time(call, "StartTime", &ret->since_ms);
	if (r == 0)
		r = read_time(call, "EndTime", &ret->until_ms);
	return r < 0 ? r : read_limit(call, ret);
}

/* ---- what is answered ---- */

/* A page is put together from the log's own words: what a line has and the table has, as the same type. */
static void add_member(json_t *item, const struct answer_field *field, const json_t *value)
{
	if (field->kind == A_TEXT && json_is_string(value))
		answer_string(item, field->name, json_string_value(value));
	else if (field->kind == A_NUMBER && json_is_integer(value))
		answer_int(item, field->name, json_integer_value(value));
	else if (field->kind == A_FLAG && json_is_boolean(value))
		answer_bool(item, field->name, json_is_true(value));
}

static void add_parameters(json_t *item, const struct answer_field *fields, json_t *parameters)
{
	json_t *list = answer_list(item, fields, "Parameters"), *value;
	const char *name;

	json_object_foreach(parameters, name, value) {
		json_t *entry = shape_item(list);

		answer_string(entry, "Name", name);
		answer_string(entry, "Value", json_string_value(value) ?: "");
	}
}

struct taking {
	const struct answer_field *fields;
	json_t *list;
};

static int take(void *context, json_t *line)
{
	const struct taking *taking = context;
	json_t *item = shape_item(taking->list);

	for (const struct answer_field *f = taking->fields; f->kind != ANSWER_NONE; f++)
		add_member(item, f, json_object_get(line, f->name));
	add_parameters(item, taking->fields, json_object_get(line, "Parameters"));
	return 0;
}

int audit_event_list(struct call *call)
{
	const struct answer_field *field = answer_find(call->action->answer, "Events");
	const char *token = call_string(call, "NextToken");
	struct taking taking = {field->members, answer_list(call->answer, call->action->answer, "Events")};
	struct audit_query query;
	struct audit_place place;
	char next[TOKEN_SIZE];
	uint64_t question;
	size_t cost = 0;
	int r;

	r = read_query(call, &query);
	if (r == 0)
		r = page_question(call, &question);
	if (r < 0)
		return r;
	if (!call->audit)
		return call_fail(call, "ServiceUnavailable");
	if (token && token[0] && token_parse(question, token, &place) < 0)
		return call_fail_param(call, "NextToken", PAGE_STRANGE_TOKEN);
	if (!token || !token[0])
		audit_place_newest(call->audit, query.kinds, &place);
	r = audit_read(call->audit, &query, &place, take, &taking, &cost);
	if (!call_is_admin(call)) /* who sees everybody's calls has as many lines as all call */
		call->n_rows += cost;
	if (r < 0)
		return r;
	answer_int(call->answer, "MaxResults", (int64_t)query.limit);
	answer_bool(call->answer, "Expired", place.expired);
	if (place.more) {
		token_format(question, &place, next);
		answer_string(call->answer, "NextToken", next);
	}
	return 0;
}
