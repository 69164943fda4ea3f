/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer is looked through before it is applied, so that one that is cut or malformed leaves the rows
 * alone. A single row that makes no sense is left out: everything else must not stand still because of it.
 */
#include "feed_rows.h"

#include "../lib/log.h"

#define REASON_SIZE	sizeof(((struct plan_failure *)NULL)->reason)
#define REASON_SHORTEST 8 /* that a reason is cut to */

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

static bool is_answer(const json_t *answer)
{
	const json_t *deleted = json_object_get(answer, "deleted"), *more = json_object_get(answer, "more");

	if (json_integer_value(json_object_get(answer, "revision")) <= 0)
		return false;
	if (deleted && !json_is_array(deleted))
		return false;
	if (more && (!json_is_string(more) || json_string_length(more) >= KEY_SIZE))
		return false;
	for (size_t i = 0; i < json_array_size(deleted); i++)
		if (!json_is_string(json_array_get(deleted, i)))
			return false;
	return true;
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

static void read_head(const json_t *json, struct feed_answer *ret)
{
	ret->revision = get_u64(json, "revision");
	ret->is_full = json_is_true(json_object_get(json, "full"));
	ret->continues = !json_is_false(json_object_get(json, "continues"));
	ret->is_page = json_object_get(json, "more");
	(void)str_copy(ret->next, sizeof(ret->next),
		       ret->is_page ? json_string_value(json_object_get(json, "more")) : "");
	get_store(json, ret->store);
	get_word(json, "timeline", ret->timeline);
	get_word(json, "run", ret->run);
}

int feed_answer_parse(const char *body, size_t size, struct feed_answer *ret)
{
	int r = feed_text_parse(body, size, &ret->text);

	if (r == 0 && !is_answer(ret->text.rest))
		r = -EINVAL;
	if (r < 0)
		feed_answer_done(ret);
	else
		read_head(ret->text.rest, ret);
	return r;
}

void feed_answer_done(struct feed_answer *answer)
{
	feed_text_done(&answer->text);
}

/* Counts what became of a row, or of a key that goes. */
static int count(struct feed_rows *rows, const char *key, int r)
{
	if (r != -EINVAL) {
		rows->n_changes++;
		return r;
	}
	if (rows->n_rejected++ == 0)
		(void)str_copy(rows->first_rejected, sizeof(rows->first_rejected), key);
	return 0;
}

/* What it touches is told by its JSON, as it was and as it is. */
static int apply_json(struct snapshot *snapshot, const char *key, const json_t *value, uint64_t created,
		      uint64_t revision, struct feed_rows *rows)
{
	bool touches = !rows->touched.whole && plan_touch_old(&rows->touched, snapshot, key, value);
	int r = snapshot_apply(snapshot, key, value, created, revision);

	if (r == 0 && touches)
		plan_touch_new(&rows->touched, snapshot, key);
	return r;
}

static int apply_row(struct snapshot *snapshot, const struct feed_row *row, const char *key,
		     struct feed_rows *rows)
{
	_cleanup_(unref) json_t *json = NULL;
	int r = rows->touched.whole ? feed_row_put(row, key, snapshot) : -EOPNOTSUPP;

	if (r != -EOPNOTSUPP)
		return r;
	r = feed_row_json(row, &json);
	return r < 0 ? r : apply_json(snapshot, key, json, row->created, row->revision, rows);
}

static int put_row(struct snapshot *snapshot, const struct feed_row *row, struct feed_rows *rows)
{
	size_t length = MIN(row->key_length, (size_t)KEY_SIZE - 1);
	char key[KEY_SIZE];
	bool fits = length == row->key_length;

	memcpy(key, row->key, length);
	key[length] = '\0';
	return count(rows, key, fits ? apply_row(snapshot, row, key, rows) : -EINVAL);
}

static int delete_row(struct snapshot *snapshot, const char *key, uint64_t revision, struct feed_rows *rows)
{
	return count(rows, key, apply_json(snapshot, key, NULL, 0, revision, rows));
}

int feed_answer_apply(const struct feed_answer *answer, struct snapshot *snapshot,
		      const struct breath *breath, struct feed_rows *ret)
{
	const struct feed_text *text = &answer->text;
	const json_t *deleted = json_object_get(text->rest, "deleted");
	int r = 0;

	ret->revision = answer->revision;
	if (answer->is_full) {
		ret->is_full = ret->touched.whole = true;
		snapshot_clear_breathing(snapshot, breath);
	}
	for (size_t i = 0; i < text->n && r == 0; i++) {
		breathe(breath);
		r = put_row(snapshot, &text->rows[i], ret);
	}
	for (size_t i = 0; i < json_array_size(deleted) && r == 0; i++) {
		breathe(breath);
		r = delete_row(snapshot, json_string_value(json_array_get(deleted, i)), answer->revision,
			       ret);
	}
	snapshot_set_revision(snapshot, r < 0 ? 0 : answer->revision);
	return r;
}

int feed_rows_apply(const char *body, size_t size, struct snapshot *snapshot, struct feed_rows *ret)
{
	_cleanup_(feed_answer_done) struct feed_answer answer = {};
	int r = feed_answer_parse(body, size, &answer);

	*ret = (struct feed_rows){};
	return r < 0 ? r : feed_answer_apply(&answer, snapshot, NULL, ret);
}

static bool is_instance(const struct feed_row *row, const char *id)
{
	static const char kind[] = "instance/";
	size_t n = strlen(kind);

	return row->key_length == n + strlen(id) && memcmp(row->key, kind, n) == 0 &&
	       memcmp(row->key + n, id, row->key_length - n) == 0;
}

bool feed_answer_has_instance(const struct feed_answer *answer, const char (*ids)[ID_SIZE], size_t n)
{
	for (size_t i = 0; i < answer->text.n; i++)
		for (size_t j = 0; j < n; j++)
			if (is_instance(&answer->text.rows[i], ids[j]))
				return true;
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

/* How long a text is in JSON at most. */
static size_t json_length(const char *s)
{
	size_t n = 2;

	for (; *s; s++)
		n += (unsigned char)*s < ' ' ? strlen("\\u0000") : *s == '"' || *s == '\\' ? 2 : 1;
	return n;
}

/* With dots, if it is longer than that. */
static const char *cut_reason(const char *reason, size_t longest, char buffer[REASON_SIZE])
{
	if (strlen(reason) <= longest)
		return reason;
	(void)snprintf(buffer, REASON_SIZE, "%.*s...", (int)(longest - strlen("...")), reason);
	return buffer;
}

static size_t failure_length(const struct plan_failure *failure, size_t longest)
{
	static const char frame[] = "{\"key\":,\"reason\":,\"gone\":true},";
	char buffer[REASON_SIZE];

	return strlen(frame) + json_length(failure->key) +
	       json_length(cut_reason(failure->reason, longest, buffer));
}

/* How long reasons may be, so that as many failures as a node has ports have room. */
static size_t longest_reason(const struct failures *failures)
{
	size_t longest = REASON_SIZE, length;

	for (;; longest /= 2) {
		length = 0;
		for (size_t i = 0; i < failures->n; i++)
			length += failure_length(&failures->items[i], longest);
		if (length <= FEED_FAILURES_BYTES_MAX || longest == REASON_SHORTEST)
			return longest;
	}
}

static json_t *failure_to_json(const struct plan_failure *failure, size_t longest)
{
	char buffer[REASON_SIZE];
	json_t *item = json_pack("{s:o, s:o}", "key", text(failure->key), "reason",
				 text(cut_reason(failure->reason, longest, buffer)));

	if (item && failure->is_gone)
		(void)json_object_set_new(item, "gone", json_true());
	return item;
}

/* A report that is too long would be refused, and the next one, too, until the node counts as lost. */
static json_t *failures_to_json(const struct failures *failures, bool *ret_all)
{
	size_t longest = longest_reason(failures), length = 0, i = 0;
	json_t *list = json_array();

	for (; list && i < failures->n; i++) {
		const struct plan_failure *failure = &failures->items[i];

		length += failure_length(failure, longest);
		if (length > FEED_FAILURES_BYTES_MAX)
			break;
		if (json_array_append_new(list, failure_to_json(failure, longest)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	*ret_all = i == failures->n;
	if (list && i < failures->n)
		log_warning("too many failures for a report, leaving out n=%zu first=%s", failures->n - i,
			    failures->items[i].key);
	return list;
}

json_t *feed_report_new(const char *node, const char *store, uint64_t revision,
			const struct failures *failures, bool *ret_has_all)
{
	return json_pack("{s:s, s:s, s:I, s:o, s:[]}", "node", node, "store", store, "revision",
			 (json_int_t)revision, "failures", failures_to_json(failures, ret_has_all), "health");
}

/* Nothing counts as in force on such a node, whatever the revision. */
char *feed_hold_format(const char *node, const char *store, const char *sentence)
{
	_cleanup_(unref) json_t *report =
		json_pack("{s:s, s:s, s:i, s:[], s:[], s:s}", "node", node, "store", store, "revision", 0,
			  "failures", "health", "hold", sentence);

	return report ? json_dumps(report, JSON_COMPACT) : NULL;
}
