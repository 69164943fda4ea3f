/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's local socket: one JSON object a line in, one a line out (doc/architecture.md). Only root may
 * ask.
 */
#pragma once

#include "../lib/loop.h"
#include "datapath.h"

struct query;

int query_new(struct loop *loop, const char *socket_path, struct datapath *datapath, struct query **ret);
struct query *query_free(struct query *query);
