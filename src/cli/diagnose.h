/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the node sees of an instance while somebody tries from there.
 */
#pragma once

#include "cli.h"

struct seen {
	bool is_known;		     /* the instance's node is this one, and we may ask its agent */
	uint64_t sent, received;     /* packets of the instance's that passed, either way */
	json_t *drops;		     /* reason: packets; dropped */
	json_t *drops_there;	     /* of these, of packets that may have been the test's */
	char server[64];	     /* an instance that got some of them, and is not the one; "": unknown */
	uint64_t nat_flows, nat_max; /* translated flows to the server, and room; 0: unknown */
	struct cli_agent agent;
	char instance[64];
};

/* Begins to look; says nothing if that cannot be. */
void seen_begin(struct seen *seen, struct cli *cli, const char *instance);
/* Takes in what has been seen up to now, and ends. `test` is an answer of GetConnectivityTest; NULL: none was
 * made. */
void seen_end(struct seen *seen, struct cli *cli, const json_t *test);
void seen_done(struct seen *seen);
/* The reason of most drops that may explain how the test went; NULL: there was none. */
const char *seen_worst_drop(const struct seen *seen);
/* {"Sent", "Received", "Drops": {reason: packets}, "Server", "NatFlows", "NatFlowsMax"}; NULL: it is not
 * known. */
json_t *seen_json(const struct seen *seen);

/* What a connectivity test (an answer of GetConnectivityTest) has found to be broken first: {"Code", "Kind",
 * "Target", "ZoneId", "Text", "Advice"}, the step that failed, and what to do. Code is the step's, or the
 * reason of the drops that explain it. NULL: nothing failed. */
json_t *diagnose_cause(const json_t *test, const struct seen *seen);
