/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the slots of the data path and what users call things, by the plan that is in force.
 */
#pragma once

#include <jansson.h>

#include "../datapath/datapath_watch.h"

/* The ENI in the slot; NULL: there is none (any more). Takes a NULL plan. */
const struct plan_eni *query_eni(const struct plan *plan, uint32_t slot);
/* The instance whose port is in the slot; "": none is. */
const char *query_instance(const struct plan *plan, uint32_t slot);

/* What a question asks for: "target" (an endpoint or an instance of this node), "address", "port", "drops",
 * "rate". 0; else -EINVAL, and a sentence in `why`. */
int query_filter(const struct plan *plan, const json_t *question, struct datapath_filter *ret,
		 const char **why);

/* "2026-01-02T03:04:05.678901Z"; microseconds since 1970. */
#define QUERY_TIME_SIZE 32
void query_time(int64_t time_us, char ret[QUERY_TIME_SIZE]);
#define QUERY_TUPLE_SIZE 256
/* "source":"10.0.1.10:4000","destination":…; the names get the prefix. */
void query_tuple(const struct datapath_tuple *tuple, uint8_t protocol, const char *prefix,
		 char ret[QUERY_TUPLE_SIZE]);
/* "tcp", "udp", "icmp", or the number. */
#define QUERY_PROTOCOL_SIZE 16
void query_protocol(uint8_t protocol, char ret[QUERY_PROTOCOL_SIZE]);
