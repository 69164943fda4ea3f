/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process of a connectivity test says, and the answer to its question for a name: what is accepted
 * can be kept and is written again as the same; of a name no more addresses come than there is room for.
 */
#include <stdlib.h>

#include "agent/connectivity_answer.h"
#include "agent/connectivity_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const char *data, size_t size)
{
	struct connectivity_outcome outcomes[CONNECTIVITY_STEPS_MAX] = {}, again[CONNECTIVITY_STEPS_MAX] = {};
	char line[CONNECTIVITY_LINE_SIZE];

	if (connectivity_answer_parse(data, size, outcomes, CONNECTIVITY_STEPS_MAX) < 0)
		return;
	for (size_t i = 0; i < CONNECTIVITY_STEPS_MAX; i++) {
		if (outcomes[i].result == CONNECTIVITY_NONE)
			continue;
		if (!connectivity_outcome_is_good(&outcomes[i]) ||
		    connectivity_answer_format(i, &outcomes[i], line) < 0 ||
		    connectivity_answer_parse(line, strlen(line), again, CONNECTIVITY_STEPS_MAX) < 0 ||
		    !streq(again[i].text, outcomes[i].text) || !streq(again[i].code, outcomes[i].code) ||
		    again[i].latency_us != outcomes[i].latency_us || again[i].result != outcomes[i].result)
			abort();
	}
}

static void check_name(const uint8_t *data, size_t size)
{
	struct connectivity_addresses addresses;
	uint16_t id = size >= 2 ? (uint16_t)(data[0] << 8 | data[1]) : 0;

	(void)connectivity_name_read(data, size, id, &addresses);
	if (addresses.n > CONNECTIVITY_ADDRESSES_MAX)
		abort();
}

/* The input is of exactly its size, so that a step beyond it is seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *exact = malloc(size + !size);

	if (!exact)
		return 0;
	memcpy(exact, data, size);
	check_answer(exact, size);
	check_name((const uint8_t *)exact, size);
	return 0;
}
