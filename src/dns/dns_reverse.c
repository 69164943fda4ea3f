/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels are taken from the last one on while they are the text of a byte (IPv4) or a hexadecimal digit
 * (IPv6): "010" or "256" is a label like any other, and no part of an address.
 */
#include "dns_reverse.h"

#include <string.h>

#include "../lib/codec.h"

#define V4_BITS 96 /* before an IPv4 address */
#define V4_ROOT "in-addr.arpa"
#define V6_ROOT "ip6.arpa"

static bool has_root(const char *name, const char *root)
{
	size_t n = strlen(name), root_n = strlen(root);

	return str_ends(name, root) && (n == root_n || name[n - root_n - 1] == '.');
}

/* The value of a label, -1: it is no byte. */
static int parse_byte(const char *label, size_t length)
{
	int value = 0;

	if (length < 1 || length > 3 || (length > 1 && label[0] == '0'))
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (label[i] < '0' || label[i] > '9')
			return -1;
		value = value * 10 + (label[i] - '0');
	}
	return value <= 255 ? value : -1;
}

static int parse_nibble(const char *label, size_t length)
{
	return length == 1 ? hex_digit(label[0]) : -1;
}

static void set_bits(struct netprefix *prefix, unsigned int width, int value)
{
	uint8_t *byte = &prefix->addr.bytes[prefix->length / 8];

	*byte |= (uint8_t)(value << (8 - width - prefix->length % 8));
	prefix->length = (uint8_t)(prefix->length + width);
}

/* Where the label begins that ends before `end`. */
static const char *label_before(const char *name, const char *end)
{
	while (end > name && end[-1] != '.')
		end--;
	return end;
}

bool dns_reverse_parse(const char *name, struct dns_reverse *ret)
{
	bool v4 = has_root(name, V4_ROOT);
	const char *end;

	if (!v4 && !has_root(name, V6_ROOT))
		return false;
	*ret = (struct dns_reverse){.v6 = !v4};
	if (v4) {
		ret->prefix.addr = netaddr_v4(0);
		ret->prefix.length = V4_BITS;
	}
	end = name + strlen(name) - strlen(v4 ? V4_ROOT : V6_ROOT);
	while (end > name) {
		const char *dot = end - 1, *label = label_before(name, dot);
		int value = v4 ? parse_byte(label, (size_t)(dot - label))
			       : parse_nibble(label, (size_t)(dot - label));

		if (value < 0 || ret->prefix.length == 128) {
			ret->strays = true;
			break;
		}
		set_bits(&ret->prefix, v4 ? 8 : 4, value);
		end = label;
	}
	return true;
}

const char *dns_reverse_zone_of(const char *name, const struct dns_reverse *reverse,
				const struct netprefix *block)
{
	unsigned int width = reverse->v6 ? 4 : 8, first = reverse->v6 ? 0 : V4_BITS;
	unsigned int labels = (block->length - first + width - 1) / width;
	const char *zone = name + strlen(name) - strlen(reverse->v6 ? V6_ROOT : V4_ROOT);

	if (netaddr_is_v4(&block->addr) == reverse->v6 || reverse->prefix.length < first + labels * width ||
	    !netprefix_covers(block, &reverse->prefix))
		return NULL;
	while (labels--)
		zone = label_before(name, zone - 1);
	return zone;
}

const char *dns_reverse_local_zone(const char *name, const struct dns_reverse *reverse)
{
	/* clang-format off */
	static const char *const blocks[] = {
		/* RFC 6303, 4.1 to 4.6 */
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "0.0.0.0/8", "127.0.0.0/8",
		"169.254.0.0/16", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "255.255.255.255",
		"::", "::1", "fd00::/8", "fe80::/10", "2001:db8::/32",
		/* RFC 7793: shared addresses; translated sources are of them */
		"100.64.0.0/10",
		/* Measurements; VPC 0 */
		"198.18.0.0/15"
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		struct netprefix block;
		const char *zone;

		(void)netprefix_parse(blocks[i], true, &block);
		zone = dns_reverse_zone_of(name, reverse, &block);
		if (zone)
			return zone;
	}
	return NULL;
}
