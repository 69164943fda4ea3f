/* SPDX-License-Identifier: Apache-2.0 */
#include "config_file.h"

#include <ctype.h>
#include <stdio.h>

#include "../lib/log.h"

#define LINE_SIZE 4096

struct config_place {
	const char *path;
	unsigned int line;
};

static char *trimmed(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static int refuse(const struct config_place *place, const char *what, const char *value)
{
	log_error("cannot read config=%s line=%u: %s, not \"%s\"", place->path, place->line, what, value);
	return -EINVAL;
}

static int take_option(const struct config_place *place, const char *name, const char *value,
		       config_option option, void *context)
{
	const char *expected = "something else";
	char what[512];
	int r;

	r = option(context, name, value, &expected);
	if (r == -EINVAL) {
		(void)str_format(what, sizeof(what), "option %.64s expects %s", name, expected);
		return refuse(place, what, value);
	}
	if (r == -ENOENT) {
		log_error("cannot read config=%s line=%u: there is no option \"%s\" (--help lists them)",
			  place->path, place->line, name);
		return -EINVAL;
	}
	return r < 0 ? log_errno(r, "cannot read config=%s line=%u", place->path, place->line) : 0;
}

static int take_line(const struct config_place *place, char *line, config_option option, void *context)
{
	char *value;

	line[strcspn(line, "#")] = '\0';
	line = trimmed(line);
	if (!line[0])
		return 0;
	value = strchr(line, '=');
	if (!value)
		return refuse(place, "expected \"name = value\"", line);
	*value++ = '\0';
	return take_option(place, trimmed(line), trimmed(value), option, context);
}

static int read_lines(FILE *file, struct config_place *place, config_option option, void *context)
{
	char line[LINE_SIZE];
	int r = 0, q;

	while (fgets(line, sizeof(line), file)) {
		place->line++;
		if (strlen(line) == sizeof(line) - 1 && line[sizeof(line) - 2] != '\n') {
			log_error("cannot read config=%s line=%u: it is longer than %d characters",
				  place->path, place->line, LINE_SIZE - 2);
			return -EINVAL;
		}
		q = take_line(place, line, option, context);
		if (q < 0 && r == 0)
			r = q;
	}
	return ferror(file) ? log_errno(-EIO, "cannot read config=%s", place->path) : r;
}

int config_file_read(const char *path, config_option option, void *context)
{
	struct config_place place = {.path = path};
	FILE *file = fopen(path, "re");
	int r;

	if (!file)
		return log_errno(-errno, "cannot open config=%s", path);
	r = read_lines(file, &place, option, context);
	(void)fclose(file);
	return r;
}
