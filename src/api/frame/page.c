/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of lists. A NextToken is the id of the page's last entry, so that pages neither repeat nor skip what
 * stays while other objects come and go; it carries a digest of itself and of what was asked, so that a
 * damaged or a strange one is told from a good one: in another list it would leave out what is before it.
 * (It is no secret: it names only what the caller has just been shown.)
 *
 * A list that tells TotalCount has it counted once: the first page looks at all that the list is of, and the
 * token takes the count along, ".25" behind the rest. A page by token repeats it and looks at what lies
 * between the token's entry and the first match behind the page. So who goes through all pages of a filtered
 * list has each row looked at two or three times, not once for each page. A count that somebody made up is
 * told back to him, and no more. A token without one, as earlier versions gave, has all counted again.
 */
#include <stdio.h>

#include "../../lib/codec.h"
#include "../../lib/fnv.h"
#include "action.h"

#define DIGEST_TEXT_SIZE 8  /* hex digits */
#define COUNT_TEXT_SIZE	 20 /* a dot and the digits of an int64_t */
#define TOKEN_SIZE	 (2 * KEY_SIZE + DIGEST_TEXT_SIZE + COUNT_TEXT_SIZE)

#define NOT_COUNTED (-1)

static int add_value(uint64_t *sum, const char *name, const json_t *value)
{
	_cleanup_(freep) char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return -ENOMEM;
	*sum += fnv_add(fnv_add(FNV_START, name, strlen(name) + 1), text, strlen(text));
	return 0;
}

/* The entries of a list in whatever order: it is the same question. */
static int add_param(uint64_t *sum, const char *name, const json_t *value)
{
	const json_t *entry;
	size_t i;

	if (!json_is_array(value))
		return add_value(sum, name, value);
	json_array_foreach(value, i, entry) {
		int r = add_value(sum, name, entry);

		if (r < 0)
			return r;
	}
	return 0;
}

int page_question(const struct call *call, uint64_t *ret)
{
	static const char *const of_page[] = {"NextToken", "MaxResults", "PageNumber", "PageSize"};
	const char *action = call->action->name, *name;
	uint64_t sum = fnv_add(FNV_START, action, strlen(action));
	json_t *value;

	json_object_foreach(call->params, name, value) {
		bool is_of_page = false;

		for (size_t i = 0; i < ARRAY_SIZE(of_page); i++)
			is_of_page |= streq(name, of_page[i]);
		if (!is_of_page && add_param(&sum, name, value) < 0)
			return -ENOMEM;
	}
	*ret = sum;
	return 0;
}

static uint32_t digest(uint64_t question, const char *id, const char *count)
{
	uint64_t sum = fnv_add(fnv_add(FNV_START, &question, sizeof(question)), id, strlen(id));

	sum = fnv_add(sum, count, strlen(count));
	return (uint32_t)(sum ^ sum >> 32);
}

/* With NOT_COUNTED as earlier versions did. */
static void token_format(uint64_t question, const char *id, int64_t n_matches, char ret[TOKEN_SIZE])
{
	char count[COUNT_TEXT_SIZE + 1] = "", *end = ret + DIGEST_TEXT_SIZE + 2 * strlen(id);

	if (n_matches != NOT_COUNTED)
		(void)str_format(count, sizeof(count), ".%lld", (long long)n_matches);
	(void)str_format(ret, DIGEST_TEXT_SIZE + 1, "%08x", digest(question, id, count));
	hex_format((const uint8_t *)id, strlen(id), ret + DIGEST_TEXT_SIZE);
	(void)str_copy(end, sizeof(count), count);
}

/* Zeros in front are found when the token is compared with its only spelling. */
static int count_parse(const char *text, int64_t *ret)
{
	if (!*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	errno = 0;
	*ret = strtoll(text, NULL, 10);
	return errno == 0 ? 0 : -EINVAL;
}

static int token_parse(uint64_t question, const char *token, char ret_id[KEY_SIZE], int64_t *ret_n_matches)
{
	size_t length = strcspn(token, "."), n;
	char again[TOKEN_SIZE];

	if (length <= DIGEST_TEXT_SIZE || length % 2 != 0)
		return -EINVAL;
	n = (length - DIGEST_TEXT_SIZE) / 2;
	if (n >= KEY_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(token[DIGEST_TEXT_SIZE + 2 * i]);
		int low = hex_digit(token[DIGEST_TEXT_SIZE + 2 * i + 1]);

		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return -EINVAL;
		ret_id[i] = (char)(high << 4 | low);
	}
	ret_id[n] = '\0';
	*ret_n_matches = NOT_COUNTED;
	if (token[length] && count_parse(token + length + 1, ret_n_matches) < 0)
		return -EINVAL;
	token_format(question, ret_id, *ret_n_matches, again);
	return streq(token, again) ? 0 : -EINVAL;
}

static int fail_range(struct call *call, const char *name, int64_t max)
{
	char detail[64];

	(void)str_format(detail, sizeof(detail), "It must be from 1 to %lld.", (long long)max);
	return call_fail_param(call, name, detail);
}

static int begin_token(struct call *call, const struct paging *paging, struct page *page)
{
	const char *token = call_string(call, "NextToken");
	int64_t n_matches = NOT_COUNTED;

	page->limit = paging->results_max;
	if (!paging->has_fixed_size)
		page->limit = call_int(call, "MaxResults", paging->results_default);
	if (page->limit < 1 || page->limit > paging->results_max)
		return fail_range(call, "MaxResults", paging->results_max);
	if (page_question(call, &page->question) < 0)
		return -ENOMEM;
	if (token && token[0] && token_parse(page->question, token, page->after, &n_matches) < 0)
		return call_fail_param(call, "NextToken", PAGE_STRANGE_TOKEN);
	if (n_matches != NOT_COUNTED) {
		page->is_counted = true;
		page->seen = n_matches;
	}
	return 0;
}

static int begin_number(struct call *call, const struct paging *paging, struct page *page)
{
	page->numbered = true;
	page->limit = call_int(call, "PageSize", paging->size_default);
	page->page_number = call_int(call, "PageNumber", 1);
	if (page->limit < 1 || page->limit > paging->size_max)
		return fail_range(call, "PageSize", paging->size_max);
	if (page->page_number < 1 || page->page_number > INT32_MAX)
		return fail_range(call, "PageNumber", INT32_MAX);
	page->skip = (page->page_number - 1) * page->limit;
	return 0;
}

int page_begin(struct call *call, struct page *page)
{
	const struct paging *paging = call->action->paging;
	bool by_token = paging->results_max > 0;

	*page = (struct page){.total = paging->total};
	if (by_token && paging->size_max > 0) /* as the caller wishes */
		by_token = call_string(call, "NextToken") || call_int(call, "MaxResults", 0);
	return by_token ? begin_token(call, paging, page) : begin_number(call, paging, page);
}

void page_count(struct page *page, size_t n_matches)
{
	if (page->is_counted) /* when the first page was asked for */
		return;
	page->is_counted = true;
	page->seen = (int64_t)n_matches;
}

/* Whether matches before the page, and behind it, need not be seen. */
static bool is_alone(const struct page *page)
{
	return page->is_counted || page->total == TOTAL_NONE;
}

const char *page_from(const struct page *page)
{
	return is_alone(page) && !page->numbered ? page->after : "";
}

size_t page_skip(const struct page *page)
{
	return page->is_counted && page->numbered ? (size_t)page->skip : 0;
}

bool page_is_done(const struct page *page)
{
	return is_alone(page) && (page->numbered ? page->taken == page->limit : page->more);
}

bool page_match(struct page *page, const char *id)
{
	page->seen += !page->is_counted;
	if (page->numbered) {
		if ((!page->is_counted && page->seen <= page->skip) || page->taken == page->limit)
			return false;
		page->taken++;
		return true;
	}
	if (page->after[0] && strcmp(id, page->after) <= 0)
		return false;
	if (page->taken == page->limit) {
		page->more = true;
		return false;
	}
	page->taken++;
	(void)str_copy(page->last, sizeof(page->last), id);
	return true;
}

static void answer_total(struct call *call, const struct page *page)
{
	char text[24];

	if (page->total == TOTAL_NONE)
		return;
	if (page->total == TOTAL_NUMBER) {
		answer_int(call->answer, "TotalCount", page->seen);
		return;
	}
	(void)str_format(text, sizeof(text), "%lld", (long long)page->seen);
	answer_string(call->answer, "TotalCount", text);
}

void page_end(struct call *call, struct page *page)
{
	const struct paging *paging = call->action->paging;
	char token[TOKEN_SIZE];

	answer_total(call, page);
	if (page->numbered) {
		answer_int(call->answer, "PageNumber", page->page_number);
		answer_int(call->answer, "PageSize", page->limit);
		return;
	}
	if (!paging->has_fixed_size && !paging->has_untold_size)
		answer_int(call->answer, "MaxResults", page->limit);
	if (!page->more)
		return;
	token_format(page->question, page->last, page->total == TOTAL_NONE ? NOT_COUNTED : page->seen, token);
	answer_string(call->answer, "NextToken", token);
}
