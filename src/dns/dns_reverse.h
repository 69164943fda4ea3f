/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names below in-addr.arpa and ip6.arpa, read backwards: which addresses a name stands for, and in which zone
 * it is. Pure.
 */
#pragma once

#include "../lib/netaddr.h"

/* What a reverse name says. "1.0.10.in-addr.arpa" is 10.0.1.0 of which 24 bits are known. */
struct dns_reverse {
	struct netprefix prefix;
	bool v6;     /* of ip6.arpa */
	bool strays; /* it goes on with labels that no address has */
};

/* False: the name is not at or below one of the two. Names are in lower case, without the last dot. */
bool dns_reverse_parse(const char *name, struct dns_reverse *ret);

/* The zone of an address block, whose name is a suffix of `name`; NULL: the name is above it or elsewhere. A
 * block that does not end between two labels is as many zones as it takes: 172.16.0.0/12 is
 * 16.172.in-addr.arpa to 31.172.in-addr.arpa. */
const char *dns_reverse_zone_of(const char *name, const struct dns_reverse *reverse,
				const struct netprefix *block);

/* The zone that the name is in of those that are local everywhere: private, shared, link-local and loopback
 * addresses, those of documentation and of measurements (RFC 6303, RFC 7793, RFC 6890). NULL: in none. */
const char *dns_reverse_local_zone(const char *name, const struct dns_reverse *reverse);
