/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and prefixes. Parsing is strict: there is one text for one value, up to IPv6's own freedoms. The
 * mapped form "::ffff:a.b.c.d" is not accepted as text, because it would be a second name of an IPv4 address.
 */
#include "netaddr.h"

#include "codec.h"

#define V4_OFFSET      12 /* where the four bytes are */
#define V4_PREFIX_BITS 96 /* what comes before them */

static const uint8_t v4_prefix[V4_OFFSET] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int netaddr_parse(const char *s, struct netaddr *ret)
{
	struct netaddr addr;

	if (inet_pton(AF_INET, s, addr.bytes + V4_OFFSET) == 1) {
		memcpy(addr.bytes, v4_prefix, sizeof(v4_prefix));
	} else {
		if (inet_pton(AF_INET6, s, addr.bytes) != 1)
			return -EINVAL;
		if (netaddr_is_v4(&addr))
			return -EINVAL;
	}
	*ret = addr;
	return 0;
}

void netaddr_format(const struct netaddr *addr, char ret[NETADDR_TEXT_SIZE])
{
	if (netaddr_is_v4(addr))
		(void)inet_ntop(AF_INET, addr->bytes + V4_OFFSET, ret, NETADDR_TEXT_SIZE);
	else
		(void)inet_ntop(AF_INET6, addr->bytes, ret, NETADDR_TEXT_SIZE);
}

int netaddr_compare(const struct netaddr *a, const struct netaddr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool netaddr_is_zero(const struct netaddr *addr)
{
	static const struct netaddr zero;

	return netaddr_compare(addr, &zero) == 0;
}

bool netaddr_is_v4(const struct netaddr *addr)
{
	return memcmp(addr->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

struct netaddr netaddr_v4(uint32_t host_order)
{
	struct netaddr addr;
	uint32_t be = htonl(host_order);

	memcpy(addr.bytes, v4_prefix, sizeof(v4_prefix));
	memcpy(addr.bytes + V4_OFFSET, &be, sizeof(be));
	return addr;
}

uint32_t netaddr_to_v4(const struct netaddr *addr)
{
	uint32_t be;

	memcpy(&be, addr->bytes + V4_OFFSET, sizeof(be));
	return ntohl(be);
}

/* A shorter prefix has the last bit of the mapped range's mark cleared, so its address cannot look like IPv4.
 */
static bool prefix_is_v4(const struct netprefix *prefix)
{
	return netaddr_is_v4(&prefix->addr);
}

/* Clears the bits after the first `length`. */
static void clear_host_bits(struct netaddr *addr, int length)
{
	for (int i = 0; i < 16; i++) {
		int bits = length - i * 8;

		if (bits <= 0)
			addr->bytes[i] = 0;
		else if (bits < 8)
			addr->bytes[i] &= (uint8_t)(0xff << (8 - bits));
	}
}

/* One to three digits without a leading zero, at most `max`. */
static int parse_length(const char *s, int max)
{
	int value = 0;

	if (s[0] == '\0' || strlen(s) > 3 || (s[0] == '0' && s[1] != '\0'))
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		value = value * 10 + (*s - '0');
	}
	return value <= max ? value : -EINVAL;
}

int netprefix_parse(const char *s, bool strict, struct netprefix *ret)
{
	const char *slash = strchr(s, '/');
	char text[NETADDR_TEXT_SIZE];
	struct netprefix prefix;
	struct netaddr full;
	int length = 128, r;

	if (slash) {
		if ((size_t)(slash - s) >= sizeof(text))
			return -EINVAL;
		memcpy(text, s, (size_t)(slash - s));
		text[slash - s] = '\0';
		s = text;
	}
	r = netaddr_parse(s, &full);
	if (r < 0)
		return r;
	if (slash) {
		length = parse_length(slash + 1, netaddr_is_v4(&full) ? 32 : 128);
		if (length < 0)
			return length;
		if (netaddr_is_v4(&full))
			length += V4_PREFIX_BITS;
	}
	prefix.addr = full;
	prefix.length = (uint8_t)length;
	clear_host_bits(&prefix.addr, length);
	if (strict && netaddr_compare(&prefix.addr, &full) != 0)
		return -ERANGE;
	*ret = prefix;
	return 0;
}

void netprefix_format(const struct netprefix *prefix, char ret[NETPREFIX_TEXT_SIZE])
{
	char text[NETADDR_TEXT_SIZE];

	netaddr_format(&prefix->addr, text);
	(void)str_format(ret, NETPREFIX_TEXT_SIZE, "%s/%d", text, netprefix_text_length(prefix));
}

/* Whether the first `length` bits are the same. */
static bool same_bits(const struct netaddr *a, const struct netaddr *b, int length)
{
	int bytes = length / 8, bits = length % 8;

	if (memcmp(a->bytes, b->bytes, (size_t)bytes) != 0)
		return false;
	return bits == 0 || (a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - bits) == 0;
}

bool netprefix_contains(const struct netprefix *prefix, const struct netaddr *addr)
{
	return prefix_is_v4(prefix) == netaddr_is_v4(addr) && same_bits(&prefix->addr, addr, prefix->length);
}

bool netprefix_covers(const struct netprefix *outer, const struct netprefix *inner)
{
	return prefix_is_v4(outer) == prefix_is_v4(inner) && outer->length <= inner->length &&
	       same_bits(&outer->addr, &inner->addr, outer->length);
}

bool netprefix_overlaps(const struct netprefix *a, const struct netprefix *b)
{
	return netprefix_covers(a, b) || netprefix_covers(b, a);
}

int netprefix_text_length(const struct netprefix *prefix)
{
	return prefix_is_v4(prefix) ? prefix->length - V4_PREFIX_BITS : prefix->length;
}

int mac_parse(const char *s, struct mac *ret)
{
	struct mac mac;

	if (strlen(s) != MAC_TEXT_SIZE - 1)
		return -EINVAL;
	for (int i = 0; i < 6; i++) {
		int high = hex_digit(s[i * 3]), low = hex_digit(s[i * 3 + 1]);

		if (high < 0 || low < 0 || (i < 5 && s[i * 3 + 2] != ':'))
			return -EINVAL;
		mac.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = mac;
	return 0;
}

void mac_format(const struct mac *mac, char ret[MAC_TEXT_SIZE])
{
	(void)str_format(ret, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac->bytes[0], mac->bytes[1],
			 mac->bytes[2], mac->bytes[3], mac->bytes[4], mac->bytes[5]);
}
