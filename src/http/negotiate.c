/* SPDX-License-Identifier: Apache-2.0 */
#include "negotiate.h"

#include <string.h>
#include <strings.h>

#define SPACE " \t"

/* An element of a list: the text in front of its parameters, and where those are. */
struct element {
	const char *name, *parameters;
	size_t name_size, parameters_size;
};

/* The next one of a list; `text` moves on behind it. False: there is none. */
static bool next(const char **text, struct element *ret)
{
	const char *begin = *text + strspn(*text, SPACE ","), *end = begin + strcspn(begin, ",");
	size_t name_size = strcspn(begin, ";,");

	if (*begin == '\0')
		return false;
	*ret = (struct element){.name = begin,
				.parameters = begin + name_size,
				.parameters_size = (size_t)(end - begin) - name_size};
	while (name_size > 0 && strchr(SPACE, begin[name_size - 1]))
		name_size--;
	ret->name_size = name_size;
	*text = end;
	return true;
}

static bool is_named(const struct element *element, const char *name)
{
	return element->name_size == strlen(name) &&
	       strncasecmp(element->name, name, element->name_size) == 0;
}

/* Whether its weight is 0: "not this one". What cannot be read is as if it was not there. */
static bool is_refused(const struct element *element)
{
	const char *p = element->parameters, *end = p + element->parameters_size;

	p += strspn(p, ";" SPACE);
	if (end - p < 3 || strncasecmp(p, "q=0", 3) != 0)
		return false;
	for (p += 3; p < end; p++)
		if (!strchr(".0" SPACE, *p))
			return false;
	return true;
}

bool negotiate_takes_gzip(const char *accept_encoding)
{
	struct element element;
	bool any = false;

	if (!accept_encoding)
		return false;
	while (next(&accept_encoding, &element)) {
		if (is_named(&element, "gzip") || is_named(&element, "x-gzip"))
			return !is_refused(&element);
		if (is_named(&element, "*"))
			any = !is_refused(&element);
	}
	return any;
}

/* A tag is of any characters but quotes, commas too, so this is no list as the others are. */
bool negotiate_has_tag(const char *if_none_match, const char *tag)
{
	size_t size = strlen(tag);
	const char *p = if_none_match;

	if (!p)
		return false;
	for (;;) {
		const char *end;

		p += strspn(p, SPACE ",");
		if (*p == '*')
			return true;
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		end = *p == '"' ? strchr(p + 1, '"') : NULL;
		if (!end)
			return false;
		end++;
		if ((size_t)(end - p) == size && memcmp(p, tag, size) == 0)
			return true;
		p = end;
	}
}

bool negotiate_names_type(const char *accept, const char *type)
{
	struct element element;

	while (accept && next(&accept, &element))
		if (is_named(&element, type) && !is_refused(&element))
			return true;
	return false;
}
