/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the feed, as an agent hears and keeps them: what the reader of JSON takes gives the same rows,
 * whether they are read from the text or one after the other from JSON; what it does not take is refused, but
 * for a row that says something twice, which is left out.
 */
#include "tests/unit/feed_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* `whole`: nobody asks what of the plan is touched, as where a start reads what was kept. */
static void compare(const char *body, size_t size, bool whole, const struct oracle *expected)
{
	struct feed_rows rows = {.touched.whole = whole};
	struct feed_answer answer = {};
	struct snapshot *s;

	if (snapshot_new(&s) < 0 || feed_answer_parse(body, size, &answer) < 0 ||
	    feed_answer_apply(&answer, s, NULL, &rows) < 0)
		abort();
	if (!oracle_same(expected->rows, s) || rows.n_rejected != expected->n_rejected)
		abort();
	feed_answer_done(&answer);
	snapshot_free(s);
}

static void check_refusal(const char *body, size_t size, struct oracle *oracle)
{
	struct feed_answer answer = {};

	if (feed_answer_parse(body, size, &answer) == 0 && !oracle_read(body, size, 0, oracle))
		abort();
	feed_answer_done(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	struct oracle oracle = {};

	if (snapshot_new(&oracle.rows) < 0)
		abort();
	if (oracle_read(body, size, JSON_REJECT_DUPLICATES, &oracle)) {
		compare(body, size, false, &oracle);
		compare(body, size, true, &oracle);
	} else {
		check_refusal(body, size, &oracle);
	}
	snapshot_free(oracle.rows);
	return 0;
}
