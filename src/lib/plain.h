/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON of plain form without a tree: printable ASCII, nothing escaped, no blank between, whole
 * numbers below 10^18. Nearly all that daemons write for each other is of it; whoever comes upon something
 * else leaves that to the reader of JSON, so there is no opinion about it here.
 */
#pragma once

#include "util.h"

/* What is still to be read; it need not end in NUL. */
struct plain {
	const char *at, *end;
};

/* Each moves on behind what it has read, and says whether there was one. Otherwise where it stands means
 * nothing, but for plain_skip(), which does not move. */
static inline bool plain_skip(struct plain *plain, char c)
{
	if (plain->at == plain->end || *plain->at != c)
		return false;
	plain->at++;
	return true;
}

/* A letter beyond ASCII. (Behind it there are a quote and a brace.) */
bool plain_letter(struct plain *plain);

/* `ret` is borrowed, without its quotes. */
static inline bool plain_string(struct plain *plain, const char **ret, size_t *ret_length)
{
	const char *begin;

	if (!plain_skip(plain, '"'))
		return false;
	begin = plain->at;
	for (;;) {
		while (plain->at < plain->end && *plain->at >= ' ' && *plain->at <= '~' &&
		       *plain->at != '"' && *plain->at != '\\')
			plain->at++;
		if (plain->at == plain->end || !(*plain->at & 0x80) || !plain_letter(plain))
			break;
	}
	*ret = begin;
	*ret_length = (size_t)(plain->at - begin);
	return plain_skip(plain, '"');
}

static inline bool plain_number(struct plain *plain, int64_t *ret)
{
	bool negative = plain_skip(plain, '-');
	const char *begin = plain->at;
	int64_t value = 0;

	while (plain->at < plain->end && *plain->at >= '0' && *plain->at <= '9' && plain->at - begin < 18)
		value = value * 10 + (*plain->at++ - '0');
	if (plain->at == begin || (*begin == '0' && (negative || plain->at - begin > 1)))
		return false;
	*ret = negative ? -value : value;
	return true;
}

/* `true` or `false`. */
bool plain_flag(struct plain *plain, bool *ret);

/* An object whose members are strings, numbers, flags and lists of strings, as rows are. */
bool plain_flat_object(struct plain *plain);
