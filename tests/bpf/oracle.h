/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A naive NAT, the data path's oracle: lists of flows, searched from the front, and packets rewritten field
 * by field and summed from scratch. (Each port has a list of its own, so that a million packets take
 * seconds.)
 *
 * What is the data path's to choose (which server, which translated source) the oracle learns from a flow's
 * first packet, after it has checked that the choice was allowed. From then on it knows every byte.
 */
#pragma once

#include "pkt.h"

#define ORACLE_FLOWS_MAX 4096

struct oracle_tuple {
	uint8_t saddr[4], daddr[4];
	uint16_t sport, dport;
};

struct oracle_flow {
	uint32_t vpc, server_vpc;
	uint8_t protocol;
	struct oracle_tuple asked;	/* as the consumer sends it */
	struct oracle_tuple translated; /* as the server sees it */
	uint8_t consumer_mac[6], server_mac[6];
	bool answered, established, fin[2], reset[2]; /* by who: ORACLE_… */
	uint32_t next_asked, next_translated;	      /* in its lists */
};

enum { ORACLE_CONSUMER, ORACLE_SERVER };
enum { ORACLE_FIN = 1, ORACLE_SYN = 2, ORACLE_RST = 4 }; /* as they stand in TCP's header */

/* All flows, and where to look for one: lists by the source port that it was asked from, and by the
 * translated one. What stands in a list is a flow's index plus one; 0 ends it. */
struct oracle {
	struct oracle_flow flows[ORACLE_FLOWS_MAX];
	size_t n;
	uint32_t by_asked[65536], by_translated[65536];
};

static inline struct oracle_tuple oracle_tuple_of(const struct pkt *p)
{
	struct oracle_tuple t;

	memcpy(t.saddr, p->data + PKT_IP + 12, 4);
	memcpy(t.daddr, p->data + PKT_IP + 16, 4);
	t.sport = get16(p->data + PKT_L4);
	t.dport = get16(p->data + PKT_L4 + 2);
	return t;
}

static inline struct oracle_tuple oracle_turn(const struct oracle_tuple *t)
{
	struct oracle_tuple turned = {.sport = t->dport, .dport = t->sport};

	memcpy(turned.saddr, t->daddr, 4);
	memcpy(turned.daddr, t->saddr, 4);
	return turned;
}

static inline bool oracle_tuple_equal(const struct oracle_tuple *a, const struct oracle_tuple *b)
{
	return memcmp(a->saddr, b->saddr, 4) == 0 && memcmp(a->daddr, b->daddr, 4) == 0 &&
	       a->sport == b->sport && a->dport == b->dport;
}

/* The consumer's packet, or NULL: it opens a flow. */
static inline const struct oracle_flow *oracle_find(const struct oracle *o, uint32_t vpc, const struct pkt *p)
{
	struct oracle_tuple t = oracle_tuple_of(p);
	const struct oracle_flow *flow;

	for (uint32_t at = o->by_asked[t.sport]; at; at = flow->next_asked) {
		flow = &o->flows[at - 1];
		if (flow->vpc == vpc && flow->protocol == p->data[PKT_IP + 9] &&
		    oracle_tuple_equal(&flow->asked, &t))
			return flow;
	}
	return NULL;
}

/* The flow that a server's packet answers, or NULL. */
static inline const struct oracle_flow *oracle_find_reply(const struct oracle *o, uint32_t vpc,
							  const struct pkt *p)
{
	struct oracle_tuple t = oracle_tuple_of(p), turned = oracle_turn(&t);
	const struct oracle_flow *flow;

	for (uint32_t at = o->by_translated[turned.sport]; at; at = flow->next_translated) {
		flow = &o->flows[at - 1];
		if (flow->server_vpc == vpc && flow->protocol == p->data[PKT_IP + 9] &&
		    oracle_tuple_equal(&flow->translated, &turned))
			return flow;
	}
	return NULL;
}

static inline struct pkt oracle_write(const struct pkt *p, const struct oracle_tuple *t, const uint8_t *mac,
				      const uint8_t *gateway)
{
	struct pkt out = *p;

	memcpy(out.data, mac, 6);
	memcpy(out.data + 6, gateway, 6);
	memcpy(out.data + PKT_IP + 12, t->saddr, 4);
	memcpy(out.data + PKT_IP + 16, t->daddr, 4);
	put16(out.data + PKT_L4, t->sport);
	put16(out.data + PKT_L4 + 2, t->dport);
	pkt_seal(&out);
	return out;
}

/* The same, over a router. */
static inline struct pkt oracle_route(const struct pkt *p, const struct oracle_tuple *t, const uint8_t *mac,
				      const uint8_t *gateway)
{
	struct pkt routed = pkt_routed(p);

	return oracle_write(&routed, t, mac, gateway);
}

/* Whether another flow towards the same server and port has the same translated source. */
static inline bool oracle_source_taken(const struct oracle *o, const struct oracle_flow *flow)
{
	const struct oracle_flow *other;

	for (uint32_t at = o->by_translated[flow->translated.sport]; at; at = other->next_translated) {
		other = &o->flows[at - 1];
		if (other->server_vpc == flow->server_vpc && other->protocol == flow->protocol &&
		    oracle_tuple_equal(&other->translated, &flow->translated))
			return true;
	}
	return false;
}

static inline void oracle_enlist(struct oracle *o, size_t i)
{
	struct oracle_flow *flow = &o->flows[i];
	uint32_t *asked = &o->by_asked[flow->asked.sport],
		 *translated = &o->by_translated[flow->translated.sport];

	flow->next_asked = *asked;
	flow->next_translated = *translated;
	*asked = *translated = i + 1;
}

static inline void oracle_delist(struct oracle *o, size_t i)
{
	struct oracle_flow *flow = &o->flows[i];
	uint32_t *at = &o->by_asked[flow->asked.sport];

	while (*at != i + 1)
		at = &o->flows[*at - 1].next_asked;
	*at = flow->next_asked;
	at = &o->by_translated[flow->translated.sport];
	while (*at != i + 1)
		at = &o->flows[*at - 1].next_translated;
	*at = flow->next_translated;
}

/* Learns a flow from its first packet and what became of it. The caller has checked that the server is one of
 * the listener's. False: the choice of the source was wrong. */
static inline bool oracle_learn(struct oracle *o, uint32_t vpc, uint32_t server_vpc, const struct pkt *in,
				const struct pkt *out)
{
	struct oracle_flow flow = {.vpc = vpc, .server_vpc = server_vpc, .protocol = in->data[PKT_IP + 9]};

	flow.asked = oracle_tuple_of(in);
	flow.translated = oracle_tuple_of(out);
	memcpy(flow.consumer_mac, in->data + 6, 6);
	memcpy(flow.server_mac, out->data, 6);
	if (o->n == ORACLE_FLOWS_MAX || oracle_source_taken(o, &flow) || flow.translated.sport < 1024)
		return false;
	o->flows[o->n] = flow;
	oracle_enlist(o, o->n++);
	return true;
}

/* Whether a packet with data is of an older connection with the same source: its server has not taken this.
 */
static inline bool oracle_is_older(const struct oracle_flow *flow, uint8_t flags)
{
	return flow->protocol == IPPROTO_TCP && !flow->answered && !(flags & (ORACLE_SYN | ORACLE_RST));
}

/* A packet of the flow, with these TCP flags. */
static inline void oracle_hear(struct oracle_flow *flow, int who, uint8_t flags)
{
	if (flags & ORACLE_RST) {
		flow->reset[who] = true;
		return;
	}
	if (who == ORACLE_CONSUMER && flags & ORACLE_SYN)
		return;
	flow->reset[who] = false;
	if (flags & ORACLE_FIN)
		flow->fin[who] = true;
	if (who == ORACLE_SERVER)
		flow->answered = true;
	else if (flow->answered)
		flow->established = true;
}

static inline bool oracle_is_closing(const struct oracle_flow *flow)
{
	return flow->protocol == IPPROTO_TCP &&
	       ((flow->fin[0] && flow->fin[1]) || flow->reset[0] || flow->reset[1]);
}

/* A SYN begins anew. */
static inline bool oracle_is_over(const struct oracle_flow *flow)
{
	return oracle_is_closing(flow) || !flow->answered;
}

static inline void oracle_forget(struct oracle *o, const struct oracle_flow *flow)
{
	size_t i = flow - o->flows, last = --o->n;

	oracle_delist(o, i);
	if (i == last)
		return;
	oracle_delist(o, last);
	o->flows[i] = o->flows[last];
	oracle_enlist(o, i);
}
