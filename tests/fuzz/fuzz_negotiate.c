/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller says of the form of an answer. What stands first counts, whatever stands behind it; a tag
 * that is nowhere in it is not found.
 */
#include <stdlib.h>

#include "http/negotiate.h"
#include "lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TAG "\"abc\""

static void must(bool so)
{
	if (!so)
		abort();
}

/* The text behind another. */
static char *behind(const char *first, const char *text)
{
	size_t size = strlen(first) + strlen(text) + 1;
	char *both = malloc(size);

	must(both && str_copy(both, size, first) >= 0);
	strcat(both, text);
	return both;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *s = malloc(size + 1), *gzip = NULL, *no_gzip = NULL, *tag = NULL, *type = NULL;

	must(s);
	memcpy(s, data, size);
	s[size] = '\0';
	gzip = behind("gzip ,", s);
	no_gzip = behind("gzip;q=0,", s);
	tag = behind("\"x\", W/" TAG ",", s);
	type = behind("text/html;q=0.1,", s);
	must(negotiate_takes_gzip(gzip) && !negotiate_takes_gzip(no_gzip));
	must(negotiate_has_tag(tag, TAG) && negotiate_names_type(type, "text/html"));
	if (!strchr(s, '*')) {
		must(strcasestr(s, "gzip") || !negotiate_takes_gzip(s));
		must(strstr(s, TAG) || !negotiate_has_tag(s, TAG));
	}
	must(strcasestr(s, "text/html") || !negotiate_names_type(s, "text/html"));
	return 0;
}
