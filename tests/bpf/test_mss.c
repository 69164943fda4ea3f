/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest segment in SYNs and their answers: lowered to what fits, wherever the option stands, and
 * nothing else is touched.
 */
#include "../tap.h"
#include "flows.h"

struct options {
	const char *name;
	uint8_t bytes[40];
	size_t size;	    /* of what is there; a multiple of 4 */
	int value_at;	    /* where the value stands that is to be lowered; 0: nowhere */
	uint8_t data_words; /* of the header, as it says; 0: as it is */
};

#define MSS_1460 2, 4, 0x05, 0xb4

static const struct options cases[] = {
	{"alone", {MSS_1460}, 4, 2, 0},
	{"among others, as Linux has it",
	 {MSS_1460, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7},
	 20,
	 2,
	 0},
	{"across two words of the checksum", {1, MSS_1460, 0, 0, 0}, 8, 3, 0},
	{"behind the others", {1, 3, 3, 7, 4, 2, 1, 1, MSS_1460}, 12, 10, 0},
	{"at the very end of the longest header",
	 {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,	      1,
	  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, MSS_1460},
	 40,
	 38,
	 0},
	{"small enough already", {2, 4, 0x02, 0x18}, 4, 0, 0},
	{"behind one that is small enough", {2, 4, 0x02, 0x18, MSS_1460}, 8, 6, 0},
	{"the last one that is looked at first", {1, 1, 1, 1, 1, MSS_1460, 1, 1, 1}, 12, 7, 0},
	{"the first one that is not", {1, 1, 1, 1, 1, 1, MSS_1460, 1, 1}, 12, 8, 0},
	{"behind the end of the options", {0, 1, 1, 1, MSS_1460}, 8, 0, 0},
	{"behind an option of no length", {9, 0, 1, 1, MSS_1460}, 8, 0, 0},
	{"inside another option", {9, 6, MSS_1460, 1, 1}, 8, 0, 0},
	{"of another length", {2, 3, 0x05, 1, 2, 5, 0x05, 0xb4, 1, 1, 1, 1}, 12, 0, 0},
	{"cut off by the header's end", {1, 1, MSS_1460, 1, 1}, 8, 0, 6},
	{"nowhere", {0}, 0, 0, 0},
};

static struct pkt with_options(struct pkt p, const struct options *options)
{
	uint8_t *tcp = p.data + PKT_L4;

	memmove(tcp + 20 + options->size, tcp + 20, p.size - PKT_L4 - 20);
	memcpy(tcp + 20, options->bytes, options->size);
	p.size += options->size;
	put16(p.data + PKT_IP + 2, p.size - PKT_IP);
	tcp[12] = (options->data_words ? options->data_words : 5 + options->size / 4) << 4;
	pkt_seal(&p);
	return p;
}

/* Whether the options came through with the value lowered, where there is one to lower. */
static bool is_lowered(const struct pkt *seen, const struct options *options, uint16_t value)
{
	uint8_t want[40];

	memcpy(want, options->bytes, sizeof(want));
	if (options->value_at)
		put16(want + options->value_at, value);
	return pkt_is_sealed(seen) && memcmp(seen->data + PKT_L4 + 20, want, options->size) == 0;
}

/* What the node's configuration says of all ports, and of all listeners. */
static void set_config(struct node *node, uint16_t mtu_low, uint32_t flags)
{
	struct pl_config config;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_config), &zero, &config), "pl_config");
	config.mtu_low = mtu_low;
	config.flags = flags;
	map_put(node->bpf->maps.pl_config, &zero, &config);
}

static void set_mtu(struct node *node, uint32_t slot, uint32_t vpc, const char *addr, uint16_t mtu)
{
	struct pl_port port = node_port_row(node, slot, vpc, addr);

	port.mtu = mtu;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
}

static void set_listener(struct node *node, uint16_t mss)
{
	static const uint32_t server = 1;
	struct pl_listener_key key = {.target = TARGET, .port = htons(443), .protocol = IPPROTO_TCP};
	struct pl_listener listener = {
		.table_first = 21, .table_size = 1, .idle_s = 300, .vpc = 40, .group = GROUP, .mss = mss};
	uint32_t place = 21;

	map_put(node->bpf->maps.pl_maglev, &place, &server);
	map_put(node->bpf->maps.pl_listeners, &key, &listener);
}

static void test_options(struct node *node, uint16_t mtu_low, const char *mode)
{
	set_mtu(node, SLOT_S1, 40, "10.0.0.10", 1400);
	set_listener(node, 0);
	set_config(node, mtu_low, PL_CONFIG_F_NO_MSS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pkt syn = with_options(tcp(node, SLOT_A, 4000, SYN), &cases[i]), seen;

		node_clear_flows(node);
		seen = deliver(node, SLOT_A, &syn);
		tap_ok(is_lowered(&seen, &cases[i], 1360), "in a SYN: %s (%s, least MTU %u)", cases[i].name,
		       mode, mtu_low);
	}
}

/* Flags of 0 are those of a configuration by an agent that knows of none: each listener is asked. */
static void test_bounds(struct node *node)
{
	static const struct {
		const char *name;
		uint16_t mtu_a, mtu_s, mtu_low, mss;
		uint32_t flags;
		uint16_t want;
	} bounds[] = {
		{"what nobody limits stays", 0, 0, 0, 0, 0, 1460},
		{"the usual MTU leaves it", 1500, 1500, 1500, 0, 0, 1460},
		{"the usual MTU, and no Mss at all", 1500, 1500, 1500, 0, PL_CONFIG_F_NO_MSS, 1460},
		{"others' MTU is less", 1500, 1500, 1280, 0, PL_CONFIG_F_NO_MSS, 1460},
		{"the receiver's MTU", 1500, 1400, 1400, 0, 0, 1360},
		{"the receiver's MTU, and no Mss at all", 1500, 1400, 1400, 0, PL_CONFIG_F_NO_MSS, 1360},
		{"the sender's MTU", 1300, 1400, 1300, 0, 0, 1260},
		{"the listener's Mss", 1500, 1400, 1400, 1200, 0, 1200},
		{"the listener's Mss below the usual MTU", 1500, 1500, 1500, 1200, 0, 1200},
		{"a listener's Mss above the MTU", 1500, 1400, 1400, 1400, 0, 1360},
		{"where none has an Mss no listener is asked", 1500, 1500, 1500, 1200, PL_CONFIG_F_NO_MSS,
		 1460},
	};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		struct pkt syn = with_options(tcp(node, SLOT_A, 4000, SYN), &cases[1]), seen, answer, back,
			   data;

		node_clear_flows(node);
		set_mtu(node, SLOT_A, 10, "10.0.0.10", bounds[i].mtu_a);
		set_mtu(node, SLOT_S1, 40, "10.0.0.10", bounds[i].mtu_s);
		set_listener(node, bounds[i].mss);
		set_config(node, bounds[i].mtu_low, bounds[i].flags);
		seen = deliver(node, SLOT_A, &syn);
		answer = node_reply(&seen, SYN | ACK);
		memcpy(answer.data + PKT_L4 + 20, cases[1].bytes, cases[1].size);
		pkt_seal(&answer);
		back = deliver(node, SLOT_S1, &answer);
		tap_ok(is_lowered(&seen, &cases[1], bounds[i].want), "%s: the SYN", bounds[i].name);
		tap_ok(is_lowered(&back, &cases[1], bounds[i].want), "%s: the answer", bounds[i].name);
		data = with_options(tcp(node, SLOT_A, 4000, ACK), &cases[1]);
		seen = deliver(node, SLOT_A, &data);
		tap_ok(is_lowered(&seen, &cases[1], 1460), "what is no SYN is left as it is");
	}
}

static void test_local(struct node *node)
{
	struct pkt syn = with_options(local(node, SLOT_A, 4000, 80, SYN), &cases[0]), seen;

	node_clear_flows(node);
	set_mtu(node, SLOT_A2, 10, "10.0.0.11", 1280);
	set_config(node, 1280, 0);
	seen = deliver(node, SLOT_A, &syn);
	tap_ok(is_lowered(&seen, &cases[0], 1240), "between instances, too");
}

static void test_all(struct node *node, const char *mode)
{
	test_options(node, 1400, mode);
	test_options(node, 0, mode);
	test_bounds(node);
	test_local(node);
}

int main(void)
{
	struct node *direct = node_new(&(struct node_options){.helpers = false});
	struct node *helpers = node_new(&(struct node_options){.helpers = true});

	test_all(direct, "direct");
	test_all(helpers, "helpers");
	node_free(direct);
	node_free(helpers);
	return tap_done();
}
