/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow log: what the program says of the flows of endpoints whose log is on, as lines of JSON in a file
 * for each endpoint (flow_files.h). What was lost on the way is told in the file, too.
 */
#pragma once

#include <jansson.h>

#include "../datapath/datapath_log.h"
#include "../lib/loop.h"

#define FLOW_LOG_ENIS_MAX 1024	/* whose flows are told of */
#define FLOW_LOG_GONE_MS  30000 /* after its ENI has gone flows that end are still its endpoint's */

struct flow_log;

/* Files go into the directory, which is made when it is needed; what is on in the data path stays so until
 * the first plan. Borrows loop and data path. Negative errno. */
int flow_log_new(struct loop *loop, struct datapath *datapath, const char *directory, struct flow_log **ret);
/* What nobody has read yet waits for the next one. */
struct flow_log *flow_log_free(struct flow_log *log);
/* Makes what is on equal to the plan, which is borrowed until the next one. */
void flow_log_follow(struct flow_log *log, const struct plan *plan);
/* The same for ENIs of that plan that came, changed or went. */
void flow_log_follow_slots(struct flow_log *log, const uint32_t *slots, size_t n);
/* {"on": …, "files": […]} of an endpoint, the older file first; NULL: there is no such endpoint. */
json_t *flow_log_answer(const struct flow_log *log, const char *endpoint);
