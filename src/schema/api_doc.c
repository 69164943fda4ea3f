/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints doc/api.md from the tables: `api_doc > doc/api.md`. A test fails while the two differ.
 */
#include <inttypes.h>
#include <stdio.h>

#include "differences.h"
#include "schema.h"

static const char head[] =
	"# The API\n"
	"\n"
	"Every action of privlinkd: what it takes, and what it answers. Printed from the tables that calls "
	"are\n"
	"checked by and answers filled by (`src/schema`) with `build/src/schema/api_doc >doc/api.md`; do not "
	"edit.\n"
	"\n"
	"Calls are signed as those of Alibaba Cloud are, and have their actions, versions and names. Each "
	"takes\n"
	"`RegionId`, which it demands unless it says otherwise. A list is `Name.1`, `Name.2`, …, a list of "
	"objects\n"
	"`Name.1.Member`, an object `Name.Member`; lists and objects may come as JSON, too. Actions that "
	"change\n"
	"something take `ClientToken` (a repetition within a day is answered with the first one's answer) "
	"and `DryRun`\n"
	"(everything is checked, nothing is done: DryRunOperation). Lists come in pages: by `MaxResults` "
	"and\n"
	"`NextToken` (with all other parameters as before), by `PageNumber` and `PageSize`, or either. A "
	"page\n"
	"by `NextToken` tells the `TotalCount` that the first one counted. Every answer has a `RequestId`.\n"
	"\n"
	"A parameter that is missing is an error `Missing<Name>`; what else is wrong with one has a code by "
	"product.\n";

/* Parameters */

static const char *param_type(const struct param_spec *spec)
{
	switch (spec->type) {
	case PARAM_INT:
	case PARAM_LONG:
		return "number";
	case PARAM_BOOL:
		return "true or false";
	case PARAM_LIST:
		return "list of texts";
	case PARAM_STRUCT_LIST:
		return "list of objects";
	case PARAM_STRUCT:
		return "object";
	default:
		return "text";
	}
}

static void print_bounds(const struct param_spec *spec)
{
	bool entries = spec->type == PARAM_LIST || spec->type == PARAM_STRUCT_LIST;

	if (spec->max == INT64_MAX || spec->max == INT32_MAX)
		printf("from %" PRId64, spec->min);
	else if (entries && spec->max && spec->min)
		printf("%" PRId64 " to %" PRId64 " entries", spec->min, spec->max);
	else if (entries && spec->max)
		printf("up to %" PRId64 " entries", spec->max);
	else if (spec->max)
		printf("%" PRId64 " to %" PRId64, spec->min, spec->max);
	for (const char *const *v = spec->values; v && *v; v++)
		printf("%s%s", v == spec->values ? "" : ", ", *v);
	if (spec->no_case)
		printf(" (in any case)");
	if (spec->empty_clears)
		printf(", or empty: as if never given");
}

static void print_params(const struct param_spec *specs, const char *within)
{
	for (const struct param_spec *spec = specs; spec && spec->name; spec++) {
		char below[128];

		printf("| `%s%s` | %s | %s | ", within, spec->name, param_type(spec),
		       spec->required ? "yes" : "");
		print_bounds(spec);
		printf(" | %s |\n", spec->help ?: "");
		(void)str_format(below, sizeof(below), "%s%s%s.", within, spec->name,
				 spec->type == PARAM_STRUCT_LIST ? ".N" : "");
		print_params(spec->members, below);
	}
}

static void print_page_param(const char *name, int64_t max, int64_t otherwise)
{
	printf("| `%s` | number |  | 1 to %" PRId64 " | entries on a page, else %" PRId64 " |\n", name, max,
	       otherwise);
}

static bool has_param(const struct param_spec *specs, const char *name)
{
	while (specs && specs->name && !streq(specs->name, name))
		specs++;
	return specs && specs->name;
}

static void print_pages(const struct action *action)
{
	const struct paging *paging = action->paging;

	if (paging->results_max) {
		if (!paging->has_fixed_size && !has_param(action->params, "MaxResults"))
			print_page_param("MaxResults", paging->results_max, paging->results_default);
		if (!has_param(action->params, "NextToken"))
			puts("| `NextToken` | text |  |  | the answer's, for the next page |");
	}
	if (paging->size_max) {
		print_page_param("PageSize", paging->size_max, paging->size_default);
		puts("| `PageNumber` | number |  | from 1 | which page |");
	}
}

/* Answers */

static const char *member_type(const struct answer_field *field)
{
	const struct field *member = kind_field_at(field->row, field->offset);

	switch (member->type) {
	case FIELD_TEXT_LIST:
	case FIELD_SHARED_LIST:
		return "list of texts";
	case FIELD_BOOL:
		return "true or false";
	case FIELD_U32:
	case FIELD_I32:
	case FIELD_I64:
		return "number";
	default:
		return "text";
	}
}

static const char *answer_type(const struct answer_field *field)
{
	switch (field->kind) {
	case ANSWER_MEMBER:
	case ANSWER_GIVEN:
		return member_type(field);
	case ANSWER_TIME:
	case ANSWER_TIME_GIVEN:
		return "time";
	case ANSWER_NUMBER:
	case A_NUMBER:
		return "number";
	case ANSWER_FLAG:
	case A_FLAG:
		return "true or false";
	case ANSWER_TEXTS:
		return "list of texts";
	case ANSWER_LIST:
		return field->members ? "list of objects" : "list of texts";
	case ANSWER_NUMBERS:
		return "list of numbers";
	case ANSWER_MAP:
		return "object of texts";
	case ANSWER_POINTS:
		return "list of numbers and null";
	case ANSWER_ONE:
	case ANSWER_TAGS:
		return "list of objects";
	case ANSWER_OBJECT:
	case ANSWER_AN_OBJECT:
		return "object";
	default:
		return "text";
	}
}

static void print_words(const struct answer_field *field)
{
	const struct field *member = kind_field_at(field->row, field->offset);

	for (const char *const *v = member->names; v && *v; v++)
		printf("%s%s", v == member->names ? "" : ", ", *v);
}

/* What is known of a member's value. */
static void print_value(const struct answer_field *field)
{
	switch (field->kind) {
	case ANSWER_GIVEN:
	case ANSWER_TIME_GIVEN:
		printf("where there is one");
		break;
	case ANSWER_MEMBER:
		print_words(field);
		break;
	case ANSWER_CHOICE:
		printf("%s or %s", field->text[1], field->text[0]);
		break;
	case ANSWER_TEXT:
		printf(field->text[0][0] ? "always %s" : "always empty", field->text[0]);
		break;
	case ANSWER_NUMBER:
		printf("always %" PRId64, field->number);
		break;
	case ANSWER_FLAG:
		printf("always %s", field->number ? "true" : "false");
		break;
	case ANSWER_TEXTS:
		printf("always %s%s%s", field->text[0] ?: "empty", field->text[1] ? ", " : "",
		       field->text[1] ?: "");
		break;
	case ANSWER_DECIMAL:
		printf("a number");
		break;
	default:
		break;
	}
	if (field->secret)
		printf("shown this once");
}

static bool is_list(const struct answer_field *field)
{
	return field->kind == ANSWER_LIST || field->kind == ANSWER_ONE || field->kind == ANSWER_TAGS;
}

static void print_members(const struct answer_field *fields, const char *within)
{
	for (const struct answer_field *f = fields; f && f->kind != ANSWER_NONE; f++) {
		char path[256], below[258];

		if (f->kind == ANSWER_SAME) {
			print_members(f->members, within);
			continue;
		}
		(void)str_format(path, sizeof(path), "%s%s%s%s", within, f->name, f->inner ? "." : "",
				 f->inner ?: "");
		printf("| `%s` | %s | ", path, answer_type(f));
		print_value(f);
		puts(" |");
		(void)str_format(below, sizeof(below), "%s%s.", path, is_list(f) ? ".N" : "");
		print_members(f->members, below);
	}
}

static void print_page_members(const struct paging *paging)
{
	if (paging->total != TOTAL_NONE)
		printf("| `TotalCount` | %s | of all pages |\n",
		       paging->total == TOTAL_TEXT ? "text" : "number");
	if (paging->results_max && !paging->has_fixed_size && !paging->has_untold_size)
		puts("| `MaxResults` | number | as asked, where pages are by token |");
	if (paging->results_max)
		puts("| `NextToken` | text | where there is another page |");
	if (paging->size_max)
		puts("| `PageSize` | number | as asked, where pages have numbers |\n"
		     "| `PageNumber` | number | likewise |");
}

/* Actions and products */

static void print_flags(const struct action *action)
{
	const char *region = action->flags & ACTION_ANY_REGION	? "; RegionId is ignored"
			     : action->flags & ACTION_NO_REGION ? "; RegionId is optional"
								: "";

	printf("%s%s%s\n", action->flags & ACTION_CHANGES ? "Changes something" : "Reads", region,
	       action->flags & ACTION_ADMIN ? "; for administrators." : ".");
}

static void print_action(const struct action *action)
{
	printf("\n### %s\n\n", action->name);
	print_flags(action);
	if (action->params || action->paging)
		puts("\n| parameter | type | required | values | |\n|---|---|---|---|---|");
	print_params(action->params, "");
	if (action->paging)
		print_pages(action);
	if (!action->answer)
		return;
	puts("\n| answer | type | |\n|---|---|---|");
	print_members(action->answer, "");
	if (action->paging)
		print_page_members(action->paging);
}

static void print_product(const struct product_info *product)
{
	const struct product_words *words = product->words;

	printf("\n## %s, version %s\n\n", product->name, product->version);
	printf("| what is wrong | code |\n|---|---|\n"
	       "| a value | `%s` |\n| a part of a parameter is missing | `%s` |\n"
	       "| there is no such region | `%s` |\n| a ClientToken comes with other parameters | `%s` |\n",
	       words->malformed, words->missing_part, words->unknown_region, words->token_mismatch);
	for (const struct action *action = product->actions; action->name; action++)
		print_action(action);
}

/* Below its heading, with what is said before. */
static void print_differences(const struct difference *differences, const char *introduction)
{
	static const char *const words[] = {
		[CODE_NOT_ANSWERED] = "never answered",	   [PARAMETER_REFUSED] = "refused",
		[PARAMETER_KEPT] = "kept, without effect", [PARAMETER_BOUNDED] = "fewer at a time",
		[DONE_OTHERWISE] = "done otherwise",	   [TOLD_OTHERWISE] = "told otherwise",
	};

	printf("\n### %s\n\n| action | what | why |\n|---|---|---|\n", introduction);
	for (const struct difference *d = differences; d->what; d++)
		printf("| %s | %s: `%s` | %s |\n", d->action ?: "every one", words[d->kind], d->what, d->why);
}

int main(void)
{
	fputs(head, stdout);
	for (size_t i = 0; i < PRODUCT_COUNT_; i++) {
		print_product(&products[i]);
		if (products[i].product == PRODUCT_PRIVATELINK)
			print_differences(
				privatelink_differences,
				"What the public API lists and privlink does not\n\nprivlink has every "
				"action of the product; these are the error codes and parameters that "
				"differ.");
		if (products[i].product == PRODUCT_NLB)
			print_differences(nlb_differences,
					  "What the public API's reference spells in another way\n\nA call "
					  "may spell it either way.");
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
