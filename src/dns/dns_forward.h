/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the node's upstream resolvers, from the node's own namespace: each over a socket of its own
 * (so with a port of its own) and with a random identifier, over UDP for askers by UDP and TCP for those by
 * TCP. A server that does not answer in time or says that it cannot is followed by the next one.
 */
#pragma once

#include "../lib/loop.h"
#include "dns_msg.h"

#define DNS_FORWARD_MAX		  512  /* questions under way, but each port may have one */
#define DNS_FORWARD_PER_ASKER_MAX 64   /* of one port */
#define DNS_FORWARD_TIMEOUT_MS	  2000 /* per server */
#define DNS_FORWARD_TRIES	  2    /* at least, also with one server */

struct dns_forward;
struct dns_forward_query;

/* The path is borrowed. */
int dns_forward_new(struct loop *loop, const char *resolv_conf, struct dns_forward **ret);
/* No question may be under way whose asker still waits. */
struct dns_forward *dns_forward_free(struct dns_forward *forward);

/* Gets the answer, with the request's identifier; the query is gone afterwards. If no server had one, it is
 * SERVFAIL. */
typedef void (*dns_forward_done)(void *context, uint8_t *answer, size_t size);

/* Asks; `done` is called later, from the loop. -EBUSY: too many questions are under way, of this asker or in
 * total. -ENOENT: there is no resolver. `ret` can be cancelled until done is called; it may be NULL. */
int dns_forward_ask(struct dns_forward *forward, const struct dns_msg_request *request, dns_forward_done done,
		    void *context, struct dns_forward_query **ret);
/* `done` is not called any more. Takes NULL, returns NULL. */
struct dns_forward_query *dns_forward_cancel(struct dns_forward_query *query);
