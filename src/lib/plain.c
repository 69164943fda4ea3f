/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"

#include "codec.h"

bool plain_letter(struct plain *plain)
{
	/* No form is longer than four bytes: nothing behind the end is looked at. */
	return plain->end - plain->at >= 4 && utf8_next(&plain->at) >= 0;
}

bool plain_flag(struct plain *plain, bool *ret)
{
	static const char *const words[] = {"false", "true"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(plain->end - plain->at) < length || memcmp(plain->at, words[i], length) != 0)
			continue;
		plain->at += length;
		*ret = i == 1;
		return true;
	}
	return false;
}

static bool skip_list(struct plain *plain)
{
	const char *text;
	size_t length;

	if (plain_skip(plain, ']'))
		return true;
	do {
		if (!plain_string(plain, &text, &length))
			return false;
	} while (plain_skip(plain, ','));
	return plain_skip(plain, ']');
}

static bool skip_value(struct plain *plain)
{
	const char *text;
	size_t length;
	int64_t number;
	bool flag;

	switch (plain->at < plain->end ? *plain->at : '\0') {
	case '"':
		return plain_string(plain, &text, &length);
	case '[':
		plain->at++;
		return skip_list(plain);
	case 't':
	case 'f':
		return plain_flag(plain, &flag);
	default:
		return plain_number(plain, &number);
	}
}

bool plain_flat_object(struct plain *plain)
{
	const char *name;
	size_t length;

	if (!plain_skip(plain, '{'))
		return false;
	if (plain_skip(plain, '}'))
		return true;
	do {
		if (!plain_string(plain, &name, &length) || !plain_skip(plain, ':') || !skip_value(plain))
			return false;
	} while (plain_skip(plain, ','));
	return plain_skip(plain, '}');
}
