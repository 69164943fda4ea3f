/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program says of single packets: to nobody when nobody asks; to whoever asks, what became of the
 * packet, both tuples and whose it is; only what passes the filter; no more in a second than was asked for,
 * and how many more there were.
 */
#include "../tap.h"
#include "bpf/pl_abi_trace.h"
#include "flows.h"

#define EVENTS_MAX 256

static struct pl_trace_event events[EVENTS_MAX];
static size_t n_events;

static int on_event(void *context, void *data, size_t size)
{
	(void)context;
	if (size == sizeof(events[0]) && n_events < EVENTS_MAX)
		memcpy(&events[n_events++], data, size);
	return 0;
}

/* Events since the last time. */
static size_t take(struct ring_buffer *buffer)
{
	n_events = 0;
	(void)ring_buffer__consume(buffer);
	return n_events;
}

static void ask(struct node *node, uint32_t index, const struct pl_tracer *tracer)
{
	map_put(node->bpf->maps.pl_tracers, &index, tracer);
	node->bpf->bss->pl_trace_on |= 1u << index;
}

static void ask_no_more(struct node *node)
{
	node->bpf->bss->pl_trace_on = 0;
}

static uint64_t missed(const struct node *node, uint32_t index)
{
	struct pl_tracer tracer = {0};

	(void)bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_tracers), &index, &tracer);
	return tracer.missed;
}

static void test_off(struct node *node, struct ring_buffer *buffer)
{
	handshake(node, SLOT_A, 4000);
	tap_is_int(take(buffer), 0, "nobody asks, and nothing is said");
}

static void test_event(struct node *node, struct ring_buffer *buffer)
{
	struct pkt syn = tcp(node, SLOT_A, 4100, SYN), stray = tcp(node, SLOT_A, 4101, ACK), seen, reply;
	struct pl_flow4_key key = node_key(&syn, 10, PL_SIDE_OUT), back;
	const struct pl_trace_event *event = events;
	uint32_t server;

	ask(node, 0, &(struct pl_tracer){.rate = 1000});
	seen = deliver(node, SLOT_A, &syn);
	server = receiver(node, &seen);
	tap_is_int(take(buffer), 1, "a packet is told of once");
	tap_ok(event->reason == PL_DELIVERED && event->bytes == syn.size && event->tcp_flags == SYN &&
		       event->tracers == 1,
	       "what became of it, how long it is, its flags");
	tap_ok(memcmp(&event->key, &key, sizeof(key)) == 0, "its tuple as it came");
	back = node_key(&seen, 40, PL_SIDE_OUT);
	tap_ok(event->saddr == back.saddr && event->daddr == back.daddr && event->sport == back.sport &&
		       event->dport == back.dport,
	       "and as it goes on");
	tap_ok(event->slot == SLOT_A && event->eni == SLOT_ENI_A && event->peer == server,
	       "who sent it, whose flow it is of, who gets it");
	reply = node_reply(&seen, SYN | ACK);
	deliver(node, server, &reply);
	tap_ok(take(buffer) == 1 && event->slot == server && event->eni == SLOT_ENI_A &&
		       event->peer == SLOT_A && event->saddr == addr4("10.0.0.100"),
	       "a reply is told of as the same endpoint's");
	(void)node_send(node, SLOT_A, &stray);
	tap_ok(take(buffer) == 1 && event->reason == PL_DROP_NOT_SYN && event->eni == SLOT_ENI_A &&
		       event->saddr == 0 && event->daddr == 0 && event->peer == PL_SLOT_NONE,
	       "one that is dropped has no way on");
	stray.data[6] ^= 2;
	(void)node_send(node, SLOT_A, &stray);
	tap_ok(take(buffer) == 1 && event->reason == PL_DROP_BAD_MAC && event->key.vpc_proto == 0 &&
		       event->slot == SLOT_A,
	       "one that was not looked at has no tuple");
	ask_no_more(node);
	deliver(node, server, &reply);
	tap_is_int(take(buffer), 0, "when the asker is gone nothing is said");
}

/* How many of three packets pass: one of ENI A to its server, one of ENI B, and one of ENI A that is dropped.
 */
static size_t passing(struct node *node, struct ring_buffer *buffer, const struct pl_tracer *tracer)
{
	struct pkt a = tcp(node, SLOT_A, 4100, ACK), b = tcp(node, SLOT_B, 4200, SYN),
		   stray = tcp(node, SLOT_A, 4101, ACK);

	ask(node, 0, tracer);
	deliver(node, SLOT_A, &a);
	deliver(node, SLOT_B, &b);
	(void)node_send(node, SLOT_A, &stray);
	ask_no_more(node);
	return take(buffer);
}

static void test_filter(struct node *node, struct ring_buffer *buffer)
{
	tap_is_int(passing(node, buffer, &(struct pl_tracer){.rate = 1000}), 3, "without a filter all pass");
	tap_is_int(passing(node, buffer, &(struct pl_tracer){.rate = 1000, .drops = 1}), 1, "only drops");
	tap_is_int(
		passing(node, buffer, &(struct pl_tracer){.rate = 1000, .n_slots = 1, .slots = {SLOT_ENI_A}}),
		2, "only an endpoint's");
	tap_is_int(
		passing(node, buffer,
			&(struct pl_tracer){.rate = 1000, .n_slots = 2, .slots = {SLOT_ENI_C, SLOT_ENI_B}}),
		1, "any of several ENIs");
	tap_is_int(passing(node, buffer, &(struct pl_tracer){.rate = 1000, .n_slots = 1, .slots = {SLOT_B}}),
		   1, "only an instance's");
	tap_is_int(passing(node, buffer,
			   &(struct pl_tracer){.rate = 1000, .n_slots = 1, .slots = {0, SLOT_ENI_A}}),
		   0, "a slot beyond the number of slots is none");
	tap_is_int(passing(node, buffer, &(struct pl_tracer){.rate = 1000, .port = htons(4101)}), 1,
		   "only a port's, on the client's side");
	tap_is_int(passing(node, buffer, &(struct pl_tracer){.rate = 1000, .port = htons(8443)}), 2,
		   "or on the server's, behind the translation");
	tap_is_int(passing(node, buffer, &(struct pl_tracer){.rate = 1000, .addr = addr4("10.0.0.100")}), 3,
		   "only an address's");
	tap_is_int(passing(node, buffer, &(struct pl_tracer){.rate = 1000, .addr = addr4("10.0.0.77")}), 0,
		   "which nothing has");
}

static void test_rate(struct node *node, struct ring_buffer *buffer)
{
	struct pkt data = tcp(node, SLOT_A, 4100, ACK);

	ask(node, 0, &(struct pl_tracer){.rate = 5});
	ask(node, 2, &(struct pl_tracer){.rate = 1000, .port = htons(4100)});
	for (int i = 0; i < 50; i++)
		deliver(node, SLOT_A, &data);
	tap_is_int(take(buffer), 50, "each asker has a rate of its own");
	n_events = 0;
	for (size_t i = 0; i < 50; i++)
		n_events += events[i].tracers & 1;
	tap_ok(n_events >= 5 && n_events < 25, "one that wants 5 a second gets them (%zu)", n_events);
	tap_is_int(missed(node, 0), 50 - n_events, "and hears how many more there were");
	tap_is_int(missed(node, 2), 0, "the other one has missed none");
	ask_no_more(node);
}

/* Nobody reads: packets go on, and what had no room is counted. */
static void test_full(struct node *node, struct ring_buffer *buffer)
{
	const uint32_t room = PL_TRACE_BUFFER_SIZE / (sizeof(struct pl_trace_event) + 8);
	struct pkt data = tcp(node, SLOT_A, 4100, ACK);
	struct outcome o = {0};

	ask(node, 1, &(struct pl_tracer){.rate = PL_TRACE_RATE_MAX});
	for (uint32_t i = 0; i < room + 10; i++)
		o = node_send(node, SLOT_A, &data);
	tap_is_int(o.reason, PL_DELIVERED, "with a full buffer packets go on");
	tap_ok(missed(node, 1) >= 10, "and what had no room is counted (%llu)",
	       (unsigned long long)missed(node, 1));
	ask_no_more(node);
	(void)take(buffer);
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){0});
	struct ring_buffer *buffer =
		ring_buffer__new(bpf_map__fd(node->bpf->maps.pl_trace), on_event, NULL, NULL);

	must(buffer ? 0 : -errno, "ring buffer");
	test_off(node, buffer);
	test_event(node, buffer);
	test_filter(node, buffer);
	test_rate(node, buffer);
	test_full(node, buffer);
	ring_buffer__free(buffer);
	node_free(node);
	return tap_done();
}
