/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the packet scripts (tests/bpf/scripts): a packet in a few of them. What they mean stands in
 * test_script.c.
 */
#pragma once

#include <ctype.h>

#include "pkt.h"

#define PSH 0x08
#define URG 0x20
#define ECE 0x40
#define CWR 0x80

enum shape_kind { SHAPE_NOTHING, SHAPE_SAME, SHAPE_TCP, SHAPE_UDP, SHAPE_FRAGMENT, SHAPE_ICMP };

struct shape {
	enum shape_kind kind;
	uint8_t flags;
	uint32_t seq, ack, size, gso_size;
	uint32_t window;
	bool has_window, is_header, may_be_cut;
	uint8_t ttl;
	uint16_t urgent;
	uint8_t options[40];
	size_t options_size;
	uint32_t id, at; /* of a fragment: identification, and where it begins */
	bool more;
	uint8_t type, code; /* of an ICMP error */
	uint32_t mtu;
};

/* Words one by one. `header` is what the word `h` stands for. */
struct words {
	char **word;
	size_t n;
	uint32_t header;
};

/* Sums like 1001-h. */
static inline bool word_number(const char *word, uint32_t header, uint32_t *ret)
{
	uint32_t sum = 0, term;
	bool less = false;
	char *end;

	for (;; word = end + 1) {
		term = *word == 'h' ? header : (uint32_t)strtoul(word, &end, 0);
		if (*word == 'h')
			end = (char *)word + 1;
		else if (!isdigit((unsigned char)*word))
			return false;
		sum += less ? -term : term;
		if (!*end) {
			*ret = sum;
			return true;
		}
		if (*end != '+' && *end != '-')
			return false;
		less = *end == '-';
	}
}

static inline bool words_number(struct words *words, uint32_t *ret)
{
	if (!words->n || !word_number(*words->word, words->header, ret))
		return false;
	words->word++;
	words->n--;
	return true;
}

static inline bool words_take(struct words *words, const char *word)
{
	if (!words->n || strcmp(*words->word, word) != 0)
		return false;
	words->word++;
	words->n--;
	return true;
}

/* "S.", "P.", "R": TCP flags in letters, the dot is an acknowledgement. */
static inline bool word_flags(const char *word, uint8_t *ret)
{
	static const struct {
		char letter;
		uint8_t flag;
	} letters[] = {{'S', SYN}, {'F', FIN}, {'R', RST}, {'P', PSH},
		       {'U', URG}, {'E', ECE}, {'W', CWR}, {'.', ACK}};

	*ret = 0;
	for (const char *c = word; *c; c++) {
		uint8_t flag = 0;

		for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
			if (letters[i].letter == *c)
				flag = letters[i].flag;
		if (!flag)
			return false;
		*ret |= flag;
	}
	return *word != '\0';
}

/* An option of TCP with numbers of 32 bits, padded in front to a multiple of 4 bytes. */
static inline bool shape_option(struct shape *shape, struct words *words, uint8_t kind, size_t n)
{
	uint8_t *at = shape->options + shape->options_size;
	uint32_t number;

	if (shape->options_size + 4 + 4 * n > sizeof(shape->options))
		return false;
	at[0] = at[1] = 1;
	at[2] = kind;
	at[3] = 2 + 4 * n;
	for (size_t i = 0; i < n; i++) {
		if (!words_number(words, &number))
			return false;
		for (int byte = 0; byte < 4; byte++)
			at[4 + 4 * i + byte] = number >> (24 - 8 * byte);
	}
	shape->options_size += 4 + 4 * n;
	return true;
}

static inline bool shape_mss(struct shape *shape, struct words *words)
{
	uint8_t *at = shape->options + shape->options_size;
	uint32_t mss;

	if (shape->options_size + 4 > sizeof(shape->options) || !words_number(words, &mss))
		return false;
	at[0] = 2;
	at[1] = 4;
	put16(at + 2, mss);
	shape->options_size += 4;
	return true;
}

/* "+100": bytes of payload; "+h": the header. */
static inline bool shape_size(struct shape *shape, struct words *words)
{
	if (!words->n || **words->word != '+' || !word_number(*words->word + 1, words->header, &shape->size))
		return false;
	shape->is_header = strcmp(*words->word, "+h") == 0;
	words->word++;
	words->n--;
	return true;
}

/* What may follow in any order. */
static inline bool shape_rest(struct shape *shape, struct words *words)
{
	uint32_t number;

	while (words->n) {
		if (shape_size(shape, words))
			continue;
		if (words_take(words, "cut"))
			shape->may_be_cut = true;
		else if (words_take(words, "more"))
			shape->more = true;
		else if (words_take(words, "win") && words_number(words, &shape->window))
			shape->has_window = true;
		else if (words_take(words, "urg") && words_number(words, &number))
			shape->urgent = number;
		else if (words_take(words, "ttl") && words_number(words, &number))
			shape->ttl = number;
		else if (words_take(words, "gso") && words_number(words, &shape->gso_size))
			continue;
		else if (words_take(words, "mtu") && words_number(words, &shape->mtu))
			continue;
		else if (!(words_take(words, "sack") && shape_option(shape, words, 5, 2)) &&
			 !(words_take(words, "stamps") && shape_option(shape, words, 8, 2)) &&
			 !(words_take(words, "mss") && shape_mss(shape, words)))
			return false;
	}
	return true;
}

/* False: nobody understands it. */
static inline bool shape_read(struct shape *shape, struct words *words)
{
	uint32_t type, code;

	*shape = (struct shape){.ttl = 64, .window = 500};
	if (words_take(words, "nothing"))
		return words->n == 0;
	if (words_take(words, "=")) {
		shape->kind = SHAPE_SAME;
		return words->n == 0;
	}
	if (words_take(words, "udp")) {
		shape->kind = SHAPE_UDP;
		return shape_rest(shape, words);
	}
	if (words_take(words, "fragment")) {
		shape->kind = SHAPE_FRAGMENT;
		return words_number(words, &shape->id) && words_number(words, &shape->at) &&
		       shape_rest(shape, words);
	}
	if (words_take(words, "icmp")) {
		shape->kind = SHAPE_ICMP;
		if (!words_number(words, &type) || !words_number(words, &code))
			return false;
		shape->type = type;
		shape->code = code;
		return shape_rest(shape, words);
	}
	shape->kind = SHAPE_TCP;
	if (!words->n || !word_flags(*words->word, &shape->flags))
		return false;
	words->word++;
	words->n--;
	return words_number(words, &shape->seq) &&
	       (!(shape->flags & ACK) || words_number(words, &shape->ack)) && shape_rest(shape, words);
}
