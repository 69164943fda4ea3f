/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows from JSON: the first line is a key, the rest the row. What is accepted must be written and read again
 * as the same row; and a snapshot takes it or leaves it without harm.
 */
#include "model/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(enum kind kind, const json_t *json)
{
	size_t size = kind_info(kind)->size;
	_cleanup_(freep) void *row = malloc(size), *again = malloc(size);
	struct row_lists lists, lists_again;
	json_t *written, *twice;

	if (!row || !again || row_from_json(kind, json, row, &lists, NULL) < 0)
		return;
	written = row_to_json(kind, row);
	if (!written)
		abort(); /* what came out of JSON is UTF-8 */
	if (row_from_json(kind, written, again, &lists_again, NULL) < 0)
		abort();
	twice = row_to_json(kind, again);
	if (!json_equal(written, twice))
		abort();
	json_decref(twice);
	json_decref(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	struct snapshot *s = NULL;
	char key[KEY_SIZE];
	enum kind kind;
	json_t *json;

	if (!end || (size_t)(end - data) >= sizeof(key))
		return 0;
	memcpy(key, data, (size_t)(end - data));
	key[end - data] = '\0';
	json = json_loadb((const char *)end + 1, size - (size_t)(end - data) - 1, JSON_ALLOW_NUL, NULL);
	if (!json)
		return 0;

	if (kind_of_key(key, &kind) == 0) {
		check_round_trip(kind, json);
		if (snapshot_new(&s) == 0 && snapshot_apply(s, key, json, 1, 2) == 0) {
			const char *id = strchr(key, '/') + 1;

			if (!snapshot_find(s, kind, id) || snapshot_count(s, kind, id) != 1)
				abort();
			if (snapshot_apply(s, key, NULL, 1, 3) < 0 || snapshot_find(s, kind, id))
				abort();
		}
		s = snapshot_free(s);
	}
	json_decref(json);
	return 0;
}
