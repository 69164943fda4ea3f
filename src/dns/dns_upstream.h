/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the node's upstream resolvers, from the node's own namespace: each over a socket of its own
 * (so with a port of its own) and with a random identifier, over UDP for askers by UDP and TCP for those by
 * TCP. A server that does not answer in time or says that it cannot is followed by the next one.
 */
#pragma once

#include "../lib/loop.h"
#include "dns_msg.h"

#define DNS_UPSTREAM_MAX	   512	/* questions under way beside one of each port; shared by accounts */
#define DNS_UPSTREAM_PER_ASKER_MAX 64	/* of one port */
#define DNS_UPSTREAM_TIMEOUT_MS	   2000 /* per server */
#define DNS_UPSTREAM_TRIES	   2	/* at least, also with one server */

struct dns_upstream;
struct dns_upstream_query;

/* The path is borrowed. */
int dns_upstream_new(struct loop *loop, const char *resolv_conf, struct dns_upstream **ret);
/* No question may be under way whose asker still waits. */
struct dns_upstream *dns_upstream_free(struct dns_upstream *upstream);

/* Gets the answer, with the request's identifier; the query is gone afterwards. If no server had one, it is
 * SERVFAIL. */
typedef void (*dns_upstream_done)(void *context, uint8_t *answer, size_t size);

/* Asks; `done` is called later, from the loop. -EBUSY: too many questions are under way, of this asker or for
 * its account. -ENOENT: there is no resolver. `ret` can be cancelled until done is called; it may be NULL. */
int dns_upstream_ask(struct dns_upstream *upstream, const struct dns_msg_request *request,
		     dns_upstream_done done, void *context, struct dns_upstream_query **ret);
/* `done` is not called any more. Takes NULL, returns NULL. */
struct dns_upstream_query *dns_upstream_cancel(struct dns_upstream_query *query);
