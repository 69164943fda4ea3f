/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Question in, answer out: what the VPCs' resolver says, without sockets. Pure, but for what ldns allocates.
 * The bytes that come in are a tenant's.
 */
#pragma once

#include "../plan/plan.h"

#define DNS_MSG_HEADER_SIZE	 12
#define DNS_MSG_SIZE_MAX	 65535
#define DNS_MSG_REQUEST_SIZE_MAX 4096 /* of a question; more is no question */
#define DNS_MSG_UDP_SIZE	 1232 /* what we say that we take, and the most that we send */

enum dns_msg_rcode {
	DNS_MSG_NOERROR = 0,
	DNS_MSG_FORMERR = 1,
	DNS_MSG_SERVFAIL = 2,
	DNS_MSG_NXDOMAIN = 3,
	DNS_MSG_NOTIMP = 4,
	DNS_MSG_REFUSED = 5
};

enum dns_msg_verdict {
	DNS_MSG_SILENCE, /* nobody deserves an answer */
	DNS_MSG_ANSWER,	 /* it is in `ret` */
	DNS_MSG_FORWARD, /* the name is none of ours */
};

struct dns_msg_request {
	const uint8_t *data;
	size_t size;
	const struct plan *plan;
	const struct plan_port *asker; /* NULL: unknown, REFUSED */
	bool tcp;
	uint32_t rotation; /* how far the addresses are turned around */
};

/* `ret` has DNS_MSG_SIZE_MAX bytes; `ret_size` is set for DNS_MSG_ANSWER. */
enum dns_msg_verdict dns_msg_answer(const struct dns_msg_request *request, uint8_t *ret, size_t *ret_size);

/* The question that goes upstream for a request that is to be forwarded: its question as it stands, and of
 * the rest only what we understand. `ret` has DNS_MSG_REQUEST_SIZE_MAX bytes. Negative errno: there is
 * nothing to ask. */
int dns_msg_query(const struct dns_msg_request *request, uint16_t id, uint8_t *ret, size_t *ret_size);

/* The answer that says no more than an rcode, to a request that had an answerable header. `ret` has
 * DNS_MSG_REQUEST_SIZE_MAX bytes; returns the size. */
size_t dns_msg_error(const uint8_t *request, size_t size, enum dns_msg_rcode rcode, uint8_t *ret);

/* Whether a message from upstream answers this query: identifier, and question (the name without case). */
bool dns_msg_is_reply(const uint8_t *query, size_t query_size, const uint8_t *reply, size_t reply_size);

/* Of a message that has a header (DNS_MSG_HEADER_SIZE bytes); host byte order. */
uint16_t dns_msg_id(const uint8_t *message);
void dns_msg_set_id(uint8_t *message, uint16_t id);
enum dns_msg_rcode dns_msg_rcode(const uint8_t *message);
