/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed's server: agents follow the rows that concern their node and report what is in force
 * (doc/architecture.md, "The feed"). On a Unix socket; only root may speak.
 */
#pragma once

#include "../control/control.h"
#include "../http/server.h"
#include "../metrics/metrics.h"
#include "../store/store.h"

#define FEED_BODY_MAX	     (4 * 1024 * 1024) /* agents tell in parts what would be more */
#define FEED_CONNECTIONS_MAX 256
#define FEED_WAIT_MAX_S	     60u
#define FEED_QUIET_MS	     100   /* after which a node hears of changes that do not concern it */
#define FEED_LIST_MAX	     65536 /* failures, and health results, of one report */
#define FEED_TESTS_MAX	     64	   /* connectivity tests of one report */

struct feed_server;

#define FEED_PATH "/feed/"
/* Answers what root asks over the same socket under other paths. */
typedef void (*feed_others)(struct store *store, struct server_request *request);

/* Serves the listening socket (owned from then on). */
int feed_server_new(struct loop *loop, struct store *store, struct control *control, int listen_fd,
		    feed_others others, struct feed_server **ret);
/* Where what nodes say of traffic goes; without it nobody wants to know. */
void feed_server_set_metrics(struct feed_server *feed, struct metrics *metrics);
struct feed_server *feed_server_free(struct feed_server *feed);
