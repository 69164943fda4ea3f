/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the resolver's two transports share, the answers: dns.c has the UDP socket, dns_tcp.c the connections.
 */
#pragma once

#include "dns.h"
#include "dns_msg.h"
#include "dns_upstream.h"

#define DNS_PORT	      53
#define DNS_TCP_MAX	      1024  /* connections, but each port may have one */
#define DNS_TCP_PER_ASKER_MAX 8	    /* of one port */
#define DNS_TCP_IDLE_MS	      10000 /* for the next question to arrive, or an answer to be taken */

#define DNS_KEPT_MAX	       512 /* questions by UDP that wait for a plan, but each port may have one */
#define DNS_KEPT_PER_ASKER_MAX 16  /* of one port; those beyond it are left unanswered */

#define DNS_SLOT_NONE UINT32_MAX

/* The slot of the port whose address in VPC 0 this is. */
uint32_t dns_slot_of(const struct netaddr *addr);

struct dns_answerer {
	const struct plan *plan; /* NULL until the first one has come: nothing may be asked before */
	bool is_plan_expected;	 /* a newer one is being put into force */
	struct dns_upstream *upstream;
	uint64_t rotation; /* never 0: the state of a sequence of random numbers */
	uint8_t answer[DNS_MSG_SIZE_MAX];
};

/* Whether nothing can be said to the port of this slot yet: a newer plan may know it. */
bool dns_must_wait(const struct dns_answerer *answerer, uint32_t slot);

/* Answers or forwards a request. DNS_MSG_ANSWER: the answer is in *ret_answer, until the next call.
 * DNS_MSG_FORWARD: `done` is called later, unless *ret_query is cancelled before. */
enum dns_msg_verdict dns_handle(struct dns_answerer *answerer, const uint8_t *data, size_t size,
				uint32_t slot, bool tcp, dns_upstream_done done, void *context,
				struct dns_upstream_query **ret_query, uint8_t **ret_answer,
				size_t *ret_size);

struct dns_tcp;
/* Takes over the listening socket. */
int dns_tcp_new(struct loop *loop, struct dns_answerer *answerer, int listen_fd, struct dns_tcp **ret);
struct dns_tcp *dns_tcp_free(struct dns_tcp *tcp);
/* Connections are accepted from now on. */
void dns_tcp_start(struct dns_tcp *tcp);
/* The plan has come: takes the questions that had to wait for it. */
void dns_tcp_go_on(struct dns_tcp *tcp);
