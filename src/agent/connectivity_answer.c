/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are read where they lie; nothing is believed of them but what a row may keep.
 */
#include "connectivity_answer.h"

#define FIELDS 5

int connectivity_answer_format(size_t step, const struct connectivity_outcome *outcome,
			       char ret[CONNECTIVITY_LINE_SIZE])
{
	return str_format(ret, CONNECTIVITY_LINE_SIZE, "%zu\t%s\t%s\t%u\t%s\n", step,
			  connectivity_result_names[outcome->result], outcome->code, outcome->latency_us,
			  outcome->text);
}

/* A number of decimal digits, `max` at most. */
static int read_number(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t number = 0;

	if (!*text)
		return -EBADMSG;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EBADMSG;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > max)
			return -EBADMSG;
	}
	*ret = (uint32_t)number;
	return 0;
}

static int read_result(const char *text, enum connectivity_result *ret)
{
	for (int i = CONNECTIVITY_OK; connectivity_result_names[i]; i++)
		if (streq(connectivity_result_names[i], text)) {
			*ret = (enum connectivity_result)i;
			return 0;
		}
	return -EBADMSG;
}

static int read_line(char *line, struct connectivity_outcome *outcomes, size_t n_steps)
{
	struct connectivity_outcome outcome = {};
	char *fields[FIELDS], *rest = line;
	uint32_t step;
	size_t n = 0;

	while (n < FIELDS && (fields[n] = strsep(&rest, "\t")))
		n++;
	if (n < FIELDS || rest || read_number(fields[0], UINT16_MAX, &step) < 0 || step >= n_steps)
		return -EBADMSG;
	if (outcomes[step].result != CONNECTIVITY_NONE || read_result(fields[1], &outcome.result) < 0 ||
	    read_number(fields[3], CONNECTIVITY_LATENCY_MAX_US, &outcome.latency_us) < 0 ||
	    str_copy(outcome.code, sizeof(outcome.code), fields[2]) < 0 ||
	    str_copy(outcome.text, sizeof(outcome.text), fields[4]) < 0 ||
	    !connectivity_outcome_is_good(&outcome))
		return -EBADMSG;
	outcomes[step] = outcome;
	return 0;
}

int connectivity_answer_parse(const char *data, size_t size, struct connectivity_outcome *ret, size_t n_steps)
{
	while (size > 0) {
		const char *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;
		char line[CONNECTIVITY_LINE_SIZE];
		int r;

		if (!end || length >= sizeof(line) || memchr(data, '\0', length))
			return -EBADMSG;
		memcpy(line, data, length);
		line[length] = '\0';
		r = read_line(line, ret, n_steps);
		if (r < 0)
			return r;
		data += length + 1;
		size -= length + 1;
	}
	return 0;
}
