/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is looked through before it is applied, so that one that is cut or malformed leaves the rows
 * alone. A single row that makes no sense is left out: everything else must not stand still because of it.
 */
#include "feed_rows.h"

static void unref(json_t **json)
{
	json_decref(*json);
}

static json_t *parse_object(const char *body, size_t size)
{
	json_t *json = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);

	if (json && !json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static bool is_row(const json_t *row)
{
	return json_is_string(json_object_get(row, "key")) && json_is_object(json_object_get(row, "value")) &&
	       json_is_integer(json_object_get(row, "created")) &&
	       json_is_integer(json_object_get(row, "revision"));
}

static bool is_answer(const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "rows"), *deleted = json_object_get(answer, "deleted");
	const json_t *more = json_object_get(answer, "more");

	if (json_integer_value(json_object_get(answer, "revision")) <= 0 || !json_is_array(rows))
		return false;
	if (deleted && !json_is_array(deleted))
		return false;
	if (more && (!json_is_string(more) || json_string_length(more) >= KEY_SIZE))
		return false;
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (!is_row(json_array_get(rows, i)))
			return false;
	for (size_t i = 0; i < json_array_size(deleted); i++)
		if (!json_is_string(json_array_get(deleted, i)))
			return false;
	return true;
}

static int apply(struct snapshot *snapshot, const char *key, const json_t *value, uint64_t created,
		 uint64_t revision, struct feed_rows *rows)
{
	bool touches = !rows->touched.whole && plan_touch_old(&rows->touched, snapshot, key, value);
	int r = snapshot_apply(snapshot, key, value, created, revision);

	if (r == 0 && touches)
		plan_touch_new(&rows->touched, snapshot, key);
	if (r != -EINVAL) {
		rows->n_changes++;
		return r;
	}
	if (rows->n_rejected++ == 0)
		(void)str_copy(rows->first_rejected, sizeof(rows->first_rejected), key);
	return 0;
}

static uint64_t get_u64(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

/* Anything that is no identity is none. */
static void get_store(const json_t *answer, char ret[NODE_STORE_SIZE])
{
	const char *store = json_string_value(json_object_get(answer, "store"));

	(void)str_copy(ret, NODE_STORE_SIZE, store && node_store_is_good(store) ? store : "");
}

/* Of a timeline, or of a run. */
static void get_word(const json_t *answer, const char *name, char ret[NODE_TIMELINE_SIZE])
{
	const char *word = json_string_value(json_object_get(answer, name));

	(void)str_copy(ret, NODE_TIMELINE_SIZE, word && node_timeline_is_good(word) ? word : "");
}

int feed_answer_parse(const char *body, size_t size, struct feed_answer *ret)
{
	json_t *json = parse_object(body, size);

	if (!json || !is_answer(json)) {
		json_decref(json);
		return -EINVAL;
	}
	ret->json = json;
	ret->revision = get_u64(json, "revision");
	ret->is_full = json_is_true(json_object_get(json, "full"));
	ret->continues = !json_is_false(json_object_get(json, "continues"));
	ret->is_page = json_object_get(json, "more");
	(void)str_copy(ret->next, sizeof(ret->next),
		       ret->is_page ? json_string_value(json_object_get(json, "more")) : "");
	get_store(json, ret->store);
	get_word(json, "timeline", ret->timeline);
	get_word(json, "run", ret->run);
	return 0;
}

void feed_answer_done(struct feed_answer *answer)
{
	json_decref(answer->json);
	answer->json = NULL;
}

void feed_rows_add(struct feed_rows *rows, const struct feed_rows *more)
{
	rows->revision = more->revision;
	rows->n_changes += more->n_changes;
	plan_touched_add(&rows->touched, &more->touched);
	if (rows->n_rejected == 0)
		(void)str_copy(rows->first_rejected, sizeof(rows->first_rejected), more->first_rejected);
	rows->n_rejected += more->n_rejected;
}

int feed_answer_apply(const struct feed_answer *answer, struct snapshot *snapshot,
		      const struct breath *breath, struct feed_rows *ret)
{
	struct feed_rows rows = {.revision = answer->revision, .is_full = answer->is_full};
	const json_t *list, *row;
	int r = 0;

	if (rows.is_full) {
		rows.touched.whole = true;
		snapshot_clear_breathing(snapshot, breath);
	}
	list = json_object_get(answer->json, "rows");
	for (size_t i = 0; i < json_array_size(list) && r == 0; i++) {
		row = json_array_get(list, i);
		breathe(breath);
		r = apply(snapshot, json_string_value(json_object_get(row, "key")),
			  json_object_get(row, "value"), get_u64(row, "created"), get_u64(row, "revision"),
			  &rows);
	}
	list = json_object_get(answer->json, "deleted");
	for (size_t i = 0; i < json_array_size(list) && r == 0; i++) {
		breathe(breath);
		r = apply(snapshot, json_string_value(json_array_get(list, i)), NULL, 0, rows.revision,
			  &rows);
	}
	snapshot_set_revision(snapshot, r < 0 ? 0 : rows.revision);
	if (r < 0)
		return r;
	*ret = rows;
	return 0;
}

int feed_rows_apply(const char *body, size_t size, struct snapshot *snapshot, struct feed_rows *ret)
{
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	int r = feed_answer_parse(body, size, &answer);

	return r < 0 ? r : feed_answer_apply(&answer, snapshot, NULL, ret);
}

static bool is_one_of(const char *id, const char (*ids)[ID_SIZE], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(ids[i], id))
			return true;
	return false;
}

bool feed_answer_has_instance(const struct feed_answer *answer, const char (*ids)[ID_SIZE], size_t n)
{
	const json_t *list = json_object_get(answer->json, "rows");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *key = json_string_value(json_object_get(json_array_get(list, i), "key"));

		if (str_starts(key, "instance/") && is_one_of(key + strlen("instance/"), ids, n))
			return true;
	}
	return false;
}

int feed_lease_parse(const char *body, size_t size, uint32_t *ret_number, uint64_t *ret_lease_ms,
		     char ret_store[NODE_STORE_SIZE])
{
	_cleanup_(unref) json_t *answer = parse_object(body, size);
	json_int_t lease_s, number;

	if (!answer)
		return -EINVAL;
	lease_s = json_integer_value(json_object_get(answer, "lease_s"));
	number = json_integer_value(json_object_get(answer, "number"));
	if (lease_s < 1 || lease_s > 86400)
		return -EINVAL;
	if (ret_number && (number < 1 || number > UINT32_MAX))
		return -EINVAL;
	if (ret_number)
		*ret_number = (uint32_t)number;
	*ret_lease_ms = (uint64_t)lease_s * 1000;
	get_store(answer, ret_store);
	return 0;
}

int feed_traffic_parse(const char *body, size_t size, int64_t *ret_since)
{
	_cleanup_(unref) json_t *answer = parse_object(body, size);
	const json_t *since = json_object_get(answer, "since");

	if (!answer || (since && !json_is_integer(since)))
		return -EINVAL;
	*ret_since = since ? json_integer_value(since) : INT64_MAX;
	return 0;
}

/* A reason may quote what a tenant wrote and may have been cut inside a character; JSON takes whole ones
 * only. */
static json_t *text(const char *s)
{
	json_t *json = json_string(s);
	char plain[256];
	size_t n = 0;

	if (json)
		return json;
	for (; s[n] && n < sizeof(plain) - 1; n++)
		plain[n] = (signed char)s[n] < ' ' ? '?' : s[n];
	plain[n] = '\0';
	return json_string(plain);
}

static json_t *failures_to_json(const struct failures *failures)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < failures->n; i++) {
		json_t *item = json_pack("{s:o, s:o}", "key", text(failures->items[i].key), "reason",
					 text(failures->items[i].reason));

		if (item && failures->items[i].is_gone)
			(void)json_object_set_new(item, "gone", json_true());
		if (json_array_append_new(list, item) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *health_to_json(const struct health_result *health, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:b, s:s}", "group",
							  health[i].group, "server_id", health[i].server_id,
							  "port", (json_int_t)health[i].port, "healthy",
							  health[i].healthy, "reason", health[i].reason)) <
		    0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *feed_report_new(const char *node, const char *store, uint64_t revision,
			const struct failures *failures, const struct health_result *health, size_t n_health)
{
	return json_pack("{s:s, s:s, s:I, s:o, s:o}", "node", node, "store", store, "revision",
			 (json_int_t)revision, "failures", failures_to_json(failures), "health",
			 health_to_json(health, n_health));
}

/* Nothing counts as in force on such a node, whatever the revision. */
char *feed_hold_format(const char *node, const char *store, const char *sentence)
{
	_cleanup_(unref) json_t *report =
		json_pack("{s:s, s:s, s:i, s:[], s:[], s:s}", "node", node, "store", store, "revision", 0,
			  "failures", "health", "hold", sentence);

	return report ? json_dumps(report, JSON_COMPACT) : NULL;
}
