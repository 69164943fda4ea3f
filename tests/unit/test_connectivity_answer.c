/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process that carries out a connectivity test says to the agent, and what the resolver says to it.
 */
#include "agent/connectivity_answer.h"
#include "agent/connectivity_name.h"

#include "../tap.h"

#define STEPS 3

static void test_lines(void)
{
	static const struct {
		const char *what, *text;
		size_t size; /* 0: of the text */
		bool is_good;
	} lines[] = {
		{"a step that went well", "0\tOk\t\t12\t10.0.0.1\n", 0, true},
		{"one that did not", "2\tFailed\tTimeout\t0\tNo answer\n", 0, true},
		{"several in any order", "2\tOk\t\t1\t\n0\tSkipped\tNoTls\t0\t\n", 0, true},
		{"nothing", "", 0, true},
		{"a step twice", "1\tOk\t\t1\t\n1\tOk\t\t1\t\n", 0, false},
		{"a step that there is not", "3\tOk\t\t1\t\n", 0, false},
		{"a step below all", "-1\tOk\t\t1\t\n", 0, false},
		{"a step of no number", "\tOk\t\t1\t\n", 0, false},
		{"a number of too many digits", "00000000000000000000000000000000000000000001x\tOk\t\t1\t\n",
		 0, false},
		{"another result", "0\tGood\t\t1\t\n", 0, false},
		{"no result", "0\t\t\t1\t\n", 0, false},
		{"a code of two words", "0\tFailed\ta b\t1\t\n", 0, false},
		{"a code that is too long", "0\tFailed\tabcdefghijklmnopqrstuvwxyzabcdef\t1\t\n", 0, false},
		{"what failed without a code", "0\tFailed\t\t1\t\n", 0, false},
		{"a time above all", "0\tOk\t\t100000001\t\n", 0, false},
		{"an escape sequence", "0\tOk\t\t1\t\033[31m\n", 0, false},
		{"what is not ASCII", "0\tOk\t\t1\t\xc3\xa4\n", 0, false},
		{"a byte 0", "0\tOk\t\t1\tab\0c\n", 14, false},
		{"a field too many", "0\tOk\t\t1\ta\tb\n", 0, false},
		{"a field too few", "0\tOk\t\t1\n", 0, false},
		{"a line that does not end", "0\tOk\t\t1\tab", 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct connectivity_outcome outcomes[STEPS] = {};
		size_t size = lines[i].size ? lines[i].size : strlen(lines[i].text);

		tap_is_int(connectivity_answer_parse(lines[i].text, size, outcomes, STEPS),
			   lines[i].is_good ? 0 : -EBADMSG, "%s", lines[i].what);
	}
}

static void test_long_line(void)
{
	static char text[CONNECTIVITY_ANSWER_MAX];
	struct connectivity_outcome outcomes[STEPS] = {}, outcome = {.result = CONNECTIVITY_FAILED};
	char line[CONNECTIVITY_LINE_SIZE];

	(void)str_copy(text, sizeof(text), "0\tOk\t\t1\t");
	memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
	text[sizeof(text) - 1] = '\n';
	tap_is_int(connectivity_answer_parse(text, sizeof(text), outcomes, STEPS), -EBADMSG,
		   "a line of all that is read");
	memset(outcome.code, 'c', sizeof(outcome.code) - 1);
	memset(outcome.text, 't', sizeof(outcome.text) - 1);
	outcome.latency_us = CONNECTIVITY_LATENCY_MAX_US;
	tap_ok(connectivity_answer_format(STEPS - 1, &outcome, line) > 0 &&
		       connectivity_answer_parse(line, strlen(line), outcomes, STEPS) == 0,
	       "the longest that a process of ours says is read");
	tap_ok(CONNECTIVITY_STEPS_MAX * CONNECTIVITY_LINE_SIZE <= CONNECTIVITY_ANSWER_MAX,
	       "and so many that all steps are told");
	tap_ok(streq(outcomes[STEPS - 1].text, outcome.text), "as it was said");
}

static void test_names(void)
{
	static const uint8_t two[] = "\x12\x34\x81\x80\0\1\0\2\0\0\0\0\1x\4test\0\0\1\0\1"
				     "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x0a\0\1\7"
				     "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x0a\0\2\x09";
	uint8_t query[CONNECTIVITY_QUERY_SIZE], copy[sizeof(two)];
	struct connectivity_addresses addresses;
	char longest[255] = "";

	tap_is_int(connectivity_name_ask("x.test", 0x1234, query), 24, "a question for a name");
	tap_ok(memcmp(query, "\x12\x34\1\0\0\1\0\0\0\0\0\0\1x\4test\0\0\1\0\1", 24) == 0, "as it is to be");
	tap_is_int(connectivity_name_ask("x..test", 1, query), -EINVAL, "an empty label is none");
	for (int i = 0; i < 63; i++)
		(void)strcat(longest, i % 2 ? "a.b." : "ab");
	tap_ok(connectivity_name_ask(longest, 1, query) > 0, "a long one fits");
	tap_is_int(connectivity_name_read(two, sizeof(two) - 1, 0x1234, &addresses), 0, "an answer is read");
	tap_ok(addresses.n == 2 && addresses.v[0] == 0x0a000107 && addresses.v[1] == 0x0a000209,
	       "with its addresses");
	tap_is_int(connectivity_name_read(two, sizeof(two) - 1, 0x1235, &addresses), -EAGAIN,
		   "one to another question is passed over");
	memcpy(copy, two, sizeof(two));
	copy[3] = 0x83;
	tap_is_int(connectivity_name_read(copy, sizeof(two) - 1, 0x1234, &addresses), 0,
		   "one that says there is none");
	tap_ok(addresses.rcode == 3 && addresses.n == 0, "has a code and no addresses");
	for (size_t size = 0; size < sizeof(two) - 1; size++)
		if (connectivity_name_read(two, size, 0x1234, &addresses) == 0)
			tap_ok(false, "cut after %zu bytes it is none", size);
	tap_ok(true, "cut anywhere it is none");
}

int main(void)
{
	test_lines();
	test_long_line();
	test_names();
	return tap_done();
}
