/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the data path, the sweep and the tests take from a flow's key: the two entries of a flow name each
 * other, the hash and the tag depend on every part of the key, and a checksum that is moved by an entry's
 * differences is that of the packet as it is then.
 */
#include "bpf/pl_tuple.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/tap.h"

static const struct pl_flow4_key asked = {
	.saddr = 0x0a00000a,
	.daddr = 0x6400000a,
	.sport = 0x1f90,
	.dport = 0xbb01,
	.vpc_proto = 10 << 8 | PL_SIDE_OUT | 6,
};
static const struct pl_flow4_key answered = {
	.saddr = 0x0b00000a,
	.daddr = 0x10004064,
	.sport = 0xfb20,
	.dport = 0x1234,
	.vpc_proto = 40 << 8 | PL_SIDE_OUT | 6,
};

static bool equal(const struct pl_flow4_key *a, const struct pl_flow4_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_partner(const struct pl_flow4_key *key, uint8_t kind, const struct pl_flow4_key *partner)
{
	struct pl_flow4 flow = {.kind = kind};
	struct pl_flow4_key found;

	pl_flow_set_partner(&flow, partner);
	found = pl_flow4_partner(key, &flow);
	return equal(&found, partner);
}

static void test_partner(void)
{
	struct pl_flow4_key back = pl_flow4_turned(&asked), again = pl_flow4_turned(&back);

	tap_ok(back.saddr == asked.daddr && back.daddr == asked.saddr && back.sport == asked.dport &&
		       back.dport == asked.sport && back.vpc_proto == asked.vpc_proto,
	       "turned round, addresses and ports change places");
	tap_ok(equal(&again, &asked), "and twice is back");
	tap_ok(is_partner(&asked, PL_FLOW_NAT, &answered), "a translated flow's entry names the replies'");
	tap_ok(is_partner(&answered, PL_FLOW_NAT_BACK, &asked), "and that one it");
	back.vpc_proto ^= PL_SIDE_IN;
	tap_ok(is_partner(&asked, PL_FLOW_LOCAL, &back),
	       "between instances the replies are found on the other side");
	tap_ok(is_partner(&back, PL_FLOW_LOCAL_BACK, &asked), "and their entry names the first");
	tap_ok(pl_flow4_protocol(&back) == 6 && pl_flow4_vpc(&back) == 10,
	       "protocol and VPC are the same on both sides");
}

static void test_hash(void)
{
	uint32_t hash = pl_hash4(&asked), tag = pl_flow_tag(&asked);
	unsigned int same_hash = 0, same_tag = 0;

	for (size_t bit = 0; bit < 8 * sizeof(asked); bit++) {
		struct pl_flow4_key other = asked;

		((uint8_t *)&other)[bit / 8] ^= 1u << bit % 8;
		same_hash += pl_hash4(&other) == hash;
		same_tag += pl_flow_tag(&other) == tag;
	}
	tap_is_int(same_hash, 0, "another bit of the key is another hash");
	tap_is_int(same_tag, 0, "and another tag");
}

/* The checksum of words, as they lie in memory, from scratch. */
static uint16_t sum_of(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2) {
		uint16_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void test_csum(void)
{
	struct pl_flow4_key written = pl_flow4_turned(&answered);
	struct pl_flow4 flow = {.kind = PL_FLOW_NAT};
	const size_t addrs = offsetof(struct pl_flow4_key, sport),
		     all = offsetof(struct pl_flow4_key, vpc_proto);

	pl_flow_set_partner(&flow, &answered);
	pl_flow_set_csum(&flow, &asked);
	tap_is_int(pl_csum_update(sum_of(&asked, addrs), flow.csum_addr), sum_of(&written, addrs),
		   "a checksum over the addresses follows");
	tap_is_int(pl_csum_update(sum_of(&asked, all), flow.csum_all), sum_of(&written, all),
		   "and one over addresses and ports");
}

int main(void)
{
	test_partner();
	test_hash();
	test_csum();
	return tap_done();
}
