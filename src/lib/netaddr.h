/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP addresses, prefixes and MACs as values. An IPv4 address is kept as ::ffff:a.b.c.d, so that both families
 * fit 16 bytes, compare with memcmp() and have the layout of struct pl_addr.
 */
#pragma once

#include <arpa/inet.h>

#include "util.h"

struct netaddr {
	uint8_t bytes[16];
};

struct netprefix {
	struct netaddr addr; /* host bits are zero */
	uint8_t length;	     /* 0..128; of IPv4 96 + length */
};

struct mac {
	uint8_t bytes[6];
};

#define NETADDR_TEXT_SIZE   46
#define NETPREFIX_TEXT_SIZE 50
#define MAC_TEXT_SIZE	    18

/* Exact forms only ("10.0.0.1", no spaces, no leading zeros, no "::ffff:10.0.0.1"); -EINVAL otherwise. */
int netaddr_parse(const char *s, struct netaddr *ret);
void netaddr_format(const struct netaddr *addr, char ret[NETADDR_TEXT_SIZE]);
int netaddr_compare(const struct netaddr *a, const struct netaddr *b);
bool netaddr_is_zero(const struct netaddr *addr);
bool netaddr_is_v4(const struct netaddr *addr);
struct netaddr netaddr_v4(uint32_t host_order);
uint32_t netaddr_to_v4(const struct netaddr *addr); /* host order; the caller made sure that it is IPv4 */

/* "10.0.0.0/24" or an address alone (then /32 or /128). -EINVAL: malformed. -ERANGE: host bits are set
 * (only if `strict`; else they are cleared). */
int netprefix_parse(const char *s, bool strict, struct netprefix *ret);
void netprefix_format(const struct netprefix *prefix, char ret[NETPREFIX_TEXT_SIZE]);
/* The families are apart: ::/0 contains no IPv4 address. */
bool netprefix_contains(const struct netprefix *prefix, const struct netaddr *addr);
bool netprefix_covers(const struct netprefix *outer, const struct netprefix *inner);
bool netprefix_overlaps(const struct netprefix *a, const struct netprefix *b);
/* Length as written: 24 for an IPv4 /24. */
int netprefix_text_length(const struct netprefix *prefix);

/* "02:00:0a:00:01:0a", of either case; -EINVAL. Formatted in small letters. */
int mac_parse(const char *s, struct mac *ret);
void mac_format(const struct mac *mac, char ret[MAC_TEXT_SIZE]);
