/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By RFC 9112, less what it lets a server accept for the sake of old clients: lines end with CR LF, none is
 * continued on the next, a name is followed by its colon at once, and the body's size is said once, in one
 * way.
 */
#include "head.h"

#include <ctype.h>
#include <strings.h>
#include <sys/types.h>

#define METHOD_MAX 32

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

ssize_t head_end(const char *bytes, size_t size, size_t *scanned, const char **why)
{
	for (size_t i = *scanned; i < size; i++) {
		if (bytes[i] == '\n') {
			if (i == 0 || bytes[i - 1] != '\r') {
				*why = "A line ends with a bare line feed.";
				return -EINVAL;
			}
			if (i >= 3 && bytes[i - 2] == '\n')
				return (ssize_t)i + 1;
		} else if (i > 0 && bytes[i - 1] == '\r') {
			*why = "A carriage return stands alone.";
			return -EINVAL;
		} else if (bytes[i] != '\r' && is_control(bytes[i])) {
			*why = "The head has a control character.";
			return -EINVAL;
		}
		*scanned = i + 1;
	}
	return 0;
}

/* Ends the line at `*at` and gives its beginning; NULL: none is left. */
static char *next_line(char **at, const char *end)
{
	char *line = *at, *cr;

	cr = line < end ? memchr(line, '\r', (size_t)(end - line)) : NULL;
	if (!cr)
		return NULL;
	*cr = '\0';
	*at = cr + 2;
	return line;
}

static const char *read_request_line(char *line, struct head *head)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version)
		return "The first line is not a method, a target and a version.";
	*target++ = *version++ = '\0';
	for (const char *c = line; *c; c++)
		if (!is_token(*c))
			return "The method has a character that none has.";
	if (!*line || strlen(line) > METHOD_MAX)
		return "The method is empty or too long.";
	if (!*target)
		return "The target is empty.";
	for (const char *c = target; *c; c++)
		if (*c == '\t')
			return "The target has a control character.";
	if (!streq(version, "HTTP/1.1") && !streq(version, "HTTP/1.0"))
		return "The version is neither HTTP/1.1 nor HTTP/1.0.";
	head->method = line;
	head->target = target;
	head->keep = streq(version, "HTTP/1.1");
	return NULL;
}

static const char *read_field(char *line, struct sign_header *ret)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (*line == ' ' || *line == '\t')
		return "A header is continued on the next line.";
	if (!colon || colon == line)
		return "A header has no name.";
	for (const char *c = line; c < colon; c++)
		if (!is_token(*c))
			return "The name of a header has a character that none has.";
	*colon = '\0';
	value = colon + 1;
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	*end = '\0';
	*ret = (struct sign_header){line, value};
	return NULL;
}

static const char *find(const struct head *head, const char *name, size_t *ret_n)
{
	const char *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < head->n_fields; i++) {
		if (strcasecmp(head->fields[i].name, name) != 0)
			continue;
		found = head->fields[i].value;
		(*ret_n)++;
	}
	return found;
}

static const char *read_length(const char *text, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 18 || text[digits])
		return "Content-Length is not a number.";
	*ret = strtoull(text, NULL, 10);
	return NULL;
}

/* Where the body ends. */
static const char *read_framing(struct head *head)
{
	size_t n_lengths, n_codings;
	const char *length = find(head, "content-length", &n_lengths);
	const char *coding = find(head, "transfer-encoding", &n_codings);

	if (n_lengths > 1)
		return "There is more than one Content-Length.";
	if (coding && length)
		return "There are both Content-Length and Transfer-Encoding.";
	if (n_codings > 1 || (coding && strcasecmp(coding, "chunked") != 0))
		return "Of transfer encodings there is only chunked, once.";
	if (coding && !head->keep)
		return "HTTP/1.0 has no Transfer-Encoding.";
	head->chunked = coding;
	return length ? read_length(length, &head->length) : NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; list && *list; list += strcspn(list, ",")) {
		list += strspn(list, ", \t");
		if (strncasecmp(list, word, length) == 0 && (!list[length] || strchr(", \t", list[length])))
			return true;
	}
	return false;
}

static const char *read_meaning(struct head *head)
{
	bool is_1_1 = head->keep;
	size_t n;

	for (size_t i = 0; i < head->n_fields; i++) {
		const struct sign_header *field = &head->fields[i];

		if (strcasecmp(field->name, "connection") == 0)
			head->keep = !has_word(field->value, "close") &&
				     (head->keep || has_word(field->value, "keep-alive"));
		else if (strcasecmp(field->name, "expect") == 0)
			head->expects = is_1_1 && strcasecmp(field->value, "100-continue") == 0;
	}
	(void)find(head, "host", &n);
	if (n > 1 || (n == 0 && is_1_1))
		return "Host is to be there once.";
	return NULL;
}

int head_parse(char *text, size_t size, struct head *ret, const char **why)
{
	const char *end = text + size;
	char *line;

	*ret = (struct head){};
	*why = memchr(text, '\0', size) ? "The head has a control character." : NULL;
	line = *why ? NULL : next_line(&text, end);
	if (!*why)
		*why = line ? read_request_line(line, ret) : "There is no first line.";
	while (!*why && (line = next_line(&text, end)) && *line) {
		if (ret->n_fields == HEAD_FIELDS_MAX)
			return -EMSGSIZE;
		*why = read_field(line, &ret->fields[ret->n_fields]);
		if (!*why)
			ret->n_fields++;
	}
	if (!*why)
		*why = read_framing(ret);
	if (!*why)
		*why = read_meaning(ret);
	return *why ? -EINVAL : 0;
}
