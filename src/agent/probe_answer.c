/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of HTTP only the status line counts, which a server sends first: "HTTP/1.1 200 OK". Of UDP the datagram
 * that was expected; another one is as good as none, so that what comes late from an earlier probe harms
 * nobody.
 */
#include "probe_answer.h"

#include <ctype.h>

/* A digit is any of its kind. */
static const char pattern[] = "HTTP/0.0 000";
#define CODE_PLACE 9

static bool is_status_line(const char *answer, size_t size)
{
	for (size_t i = 0; i < size && i < strlen(pattern); i++)
		if (pattern[i] == '0' ? !isdigit((unsigned char)answer[i]) : answer[i] != pattern[i])
			return false;
	return size <= strlen(pattern) || strchr(" \r\n", answer[strlen(pattern)]);
}

static enum probe_verdict judge_http(const struct plan_probe *probe, const char *answer, size_t size,
				     bool is_whole, const char **ret_reason)
{
	if (!is_status_line(answer, size)) {
		*ret_reason = "HTTP_INVALID_HEADER";
		return PROBE_BAD;
	}
	if (size <= strlen(pattern)) {
		*ret_reason = size ? "HTTP_INVALID_HEADER" : "CONNECT_INTERRUPT";
		return is_whole ? PROBE_BAD : PROBE_MORE;
	}
	if (probe->good_classes & (1u << (answer[CODE_PLACE] - '0')))
		return PROBE_GOOD;
	*ret_reason = "HTTP_CODE_NOT_MATCH";
	return PROBE_BAD;
}

enum probe_verdict probe_answer_judge(const struct plan_probe *probe, const char *answer, size_t size,
				      bool is_whole, const char **ret_reason)
{
	size_t wanted = strlen(probe->expect);

	if (probe->type == PROBE_HTTP)
		return judge_http(probe, answer, size, is_whole, ret_reason);
	if (probe->silence)
		return PROBE_GOOD;
	return size == wanted && memcmp(answer, probe->expect, wanted) == 0 ? PROBE_GOOD : PROBE_MORE;
}
