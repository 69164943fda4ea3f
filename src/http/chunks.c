/* SPDX-License-Identifier: Apache-2.0 */
#include "chunks.h"

#define SIZE_DIGITS_MAX 8

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_size(struct chunks *chunks, char c)
{
	int value = digit(c);

	if (value < 0) {
		if (c != '\r' || chunks->digits == 0)
			return -EINVAL;
		chunks->state = CHUNKS_SIZE_LF;
		return 0;
	}
	if (++chunks->digits > SIZE_DIGITS_MAX)
		return -EINVAL;
	chunks->left = chunks->left * 16 + (uint64_t)value;
	return 0;
}

/* One byte that is not data. */
static int take_byte(struct chunks *chunks, char c)
{
	static const struct {
		char expected;
		enum chunks_state next;
	} steps[] = {
		[CHUNKS_DATA_CR] = {'\r', CHUNKS_DATA_LF},
		[CHUNKS_DATA_LF] = {'\n', CHUNKS_SIZE},
		[CHUNKS_END_CR] = {'\r', CHUNKS_END_LF},
		[CHUNKS_END_LF] = {'\n', CHUNKS_OVER},
	};

	if (chunks->state == CHUNKS_SIZE)
		return take_size(chunks, c);
	if (chunks->state == CHUNKS_SIZE_LF) {
		if (c != '\n')
			return -EINVAL;
		chunks->digits = 0;
		chunks->state = chunks->left > 0 ? CHUNKS_DATA : CHUNKS_END_CR;
		return 0;
	}
	if (c != steps[chunks->state].expected)
		return -EINVAL;
	chunks->state = steps[chunks->state].next;
	return 0;
}

ssize_t chunks_take(struct chunks *chunks, const char *bytes, size_t size, const char **piece,
		    size_t *piece_size)
{
	size_t taken = 0;
	int r;

	*piece = bytes;
	*piece_size = 0;
	for (; taken < size && chunks->state != CHUNKS_OVER && chunks->state != CHUNKS_DATA; taken++) {
		r = take_byte(chunks, bytes[taken]);
		if (r < 0)
			return r;
	}
	if (chunks->state == CHUNKS_DATA) {
		*piece = bytes + taken;
		*piece_size = MIN(chunks->left, (uint64_t)(size - taken));
		chunks->left -= *piece_size;
		taken += *piece_size;
		if (chunks->left == 0)
			chunks->state = CHUNKS_DATA_CR;
	}
	return (ssize_t)taken;
}
