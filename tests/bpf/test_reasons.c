/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of reasons is what users read: names are words that can stand in a metric, drops follow passes,
 * and the data path's document has each with the text that the program's header gives.
 *
 * Usage: test_reasons DOCUMENT
 */
#include <ctype.h>
#include <string.h>

#include "../tap.h"

#include "bpf/pl_reasons.h"

static const struct reason {
	const char *name, *kind, *text;
} reasons[] = {
#define REASON(symbol, name, kind, text) {name, #kind, text},
	PL_REASONS(REASON)
#undef REASON
};

static bool is_word(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
			return false;
	return *name != '\0';
}

static bool is_unique(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(reasons[i].name, reasons[j].name) == 0)
			return false;
	return true;
}

static bool is_drop(const struct reason *reason)
{
	return strcmp(reason->kind, "DROP") == 0;
}

static bool document_has(FILE *document, const struct reason *reason)
{
	char line[512], want[512];

	snprintf(want, sizeof(want), "| `%s` | %s | %s |\n", reason->name,
		 is_drop(reason) ? "dropped" : "passes", reason->text);
	rewind(document);
	while (fgets(line, sizeof(line), document))
		if (strcmp(line, want) == 0)
			return true;
	return false;
}

int main(int argc, char *argv[])
{
	FILE *document = argc > 1 ? fopen(argv[1], "r") : NULL;

	if (!document) {
		fprintf(stderr, "usage: test_reasons DOCUMENT\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 1; i < PL_REASON_MAX; i++) {
		const struct reason *reason = &reasons[i];

		tap_ok(is_word(reason->name) && is_unique(i) && is_drop(reason) == PL_REASON_IS_DROP(i) &&
			       document_has(document, reason),
		       "%s is a word of its own, of its kind, and in the document", reason->name);
	}
	fclose(document);
	return tap_done();
}
