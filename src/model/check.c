/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules for values, as the API's documents state them. The table of forbidden blocks also keeps privlink's
 * own ranges (NAT addresses in 100.64.0.0/10, VPC 0 in 198.18.0.0/15) apart from every tenant's.
 */
#include "check.h"

#include "../lib/codec.h"

#define NAT_RANGE_LENGTH 28
_Static_assert(NAT_RANGE_SIZE == 1 << (32 - NAT_RANGE_LENGTH), "a range has all of its addresses");

int utf8_length(const char *s)
{
	int length = 0;

	for (; *s; length++) {
		int32_t c = utf8_next(&s);

		if (c < ' ' || (c >= 0x7f && c < 0xa0))
			return -EINVAL;
	}
	return length;
}

static bool is_letter(int32_t c)
{
	static const struct {
		int32_t first, last;
	} ranges[] = {
		{'A', 'Z'},	  {'a', 'z'},	      {0x3400, 0x4dbf}, /* CJK extension A */
		{0x4e00, 0x9fff},					/* CJK */
		{0xf900, 0xfaff}, {0x20000, 0x3134f}, /* compatibility ideographs, extensions B to G */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

bool check_name(const char *s, bool loose)
{
	int length = 0;

	for (; *s; length++) {
		int32_t c = utf8_next(&s);

		if (is_letter(c))
			continue;
		if (length == 0)
			return false;
		if ((c >= '0' && c <= '9') || c == '-' || c == '_' || (loose && (c == '.' || c == ':')))
			continue;
		return false;
	}
	return length >= 2 && length <= 128;
}

bool check_description(const char *s)
{
	int length = utf8_length(s);

	return length >= 2 && length <= 256 && !str_starts(s, "http://") && !str_starts(s, "https://");
}

bool check_client_token(const char *s)
{
	size_t length = strlen(s);

	for (size_t i = 0; i < length; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return length >= 1 && length <= 64;
}

bool check_vpc_cidr(const struct netprefix *cidr)
{
	static const struct {
		uint32_t addr;
		int length;
	} forbidden[] = {
		{0x00000000, 8}, /* 0.0.0.0: this network */
		{0x64400000,
		 10}, /* 100.64.0.0: shared addresses; the cloud's own services and our NAT ranges */
		{0x7f000000, 8},  /* 127.0.0.0: loopback */
		{0xa9fe0000, 16}, /* 169.254.0.0: link-local */
		{0xc6120000, 15}, /* 198.18.0.0: VPC 0 */
		{0xe0000000, 4},  /* 224.0.0.0: multicast */
		{0xf0000000, 4},  /* 240.0.0.0: reserved, broadcast */
	};
	int length = netprefix_text_length(cidr);

	if (!netaddr_is_v4(&cidr->addr) || length < 8 || length > 28)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
		struct netprefix block = {.addr = netaddr_v4(forbidden[i].addr),
					  .length = (uint8_t)(96 + forbidden[i].length)};

		if (netprefix_overlaps(cidr, &block))
			return false;
	}
	return true;
}

bool check_vswitch_cidr(const struct netprefix *cidr, const struct netprefix *vpc_cidr)
{
	int length = netprefix_text_length(cidr);

	return netaddr_is_v4(&cidr->addr) && length >= 16 && length <= 29 && netprefix_covers(vpc_cidr, cidr);
}

/* First and last address of an IPv4 prefix. */
static uint32_t first_of(const struct netprefix *cidr)
{
	return netaddr_to_v4(&cidr->addr);
}

static uint32_t last_of(const struct netprefix *cidr)
{
	return first_of(cidr) | (uint32_t)((1ull << (32 - netprefix_text_length(cidr))) - 1);
}

bool vswitch_address_reserved(const struct netprefix *cidr, const struct netaddr *addr)
{
	uint32_t a;

	if (!netprefix_contains(cidr, addr))
		return true;
	a = netaddr_to_v4(addr);
	return a == first_of(cidr) || a + 3 > last_of(cidr);
}

struct netaddr vswitch_gateway(const struct netprefix *cidr)
{
	return netaddr_v4(last_of(cidr) - 2);
}

uint32_t vswitch_capacity(const struct netprefix *cidr)
{
	return last_of(cidr) - first_of(cidr) + 1 - 4;
}

/* Ranges of translated addresses: 100.64.0.0/10 without 100.100.0.0/16, which is for services. */
#define NAT_START     0x64400000
#define NAT_END	      0x64800000
#define NAT_HOLE      0x64640000
#define NAT_HOLE_SIZE 0x00010000
_Static_assert(NAT_RANGES_MAX == (NAT_END - NAT_START - NAT_HOLE_SIZE) / NAT_RANGE_SIZE, "all are counted");

int nat_range_at(uint32_t index, struct netprefix *ret)
{
	uint32_t addr;

	if (index >= NAT_RANGES_MAX)
		return -ERANGE;
	addr = NAT_START + index * NAT_RANGE_SIZE;
	if (addr >= NAT_HOLE)
		addr += NAT_HOLE_SIZE;
	ret->addr = netaddr_v4(addr);
	ret->length = 96 + NAT_RANGE_LENGTH;
	return 0;
}

int nat_range_index(const struct netprefix *range, uint32_t *ret)
{
	uint32_t addr;

	if (!netaddr_is_v4(&range->addr))
		return -ERANGE;
	addr = netaddr_to_v4(&range->addr);
	if (addr < NAT_START || addr >= NAT_END || (addr >= NAT_HOLE && addr < NAT_HOLE + NAT_HOLE_SIZE))
		return -ERANGE;
	if (addr >= NAT_HOLE)
		addr -= NAT_HOLE_SIZE;
	*ret = (addr - NAT_START) / NAT_RANGE_SIZE;
	return 0;
}

struct mac port_mac(uint32_t number)
{
	/* 02: unicast, locally administered. The number makes it unique, the next byte tells it from the
	 * constant gateway MAC and from what container engines make up (02:42:…). */
	return (struct mac){{0x02, 0x70, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			     (uint8_t)(number >> 8), (uint8_t)number}};
}

uint32_t port_mac_number(const struct mac *mac)
{
	const uint8_t *b = mac->bytes;

	return b[0] == 0x02 && b[1] == 0x70
		       ? (uint32_t)b[2] << 24 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 8 | b[5]
		       : 0;
}

bool region_in_mainland(const char *region)
{
	return str_starts(region, "cn-") && !streq(region, "cn-hongkong");
}
