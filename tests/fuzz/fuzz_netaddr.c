/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, prefixes, MACs and times: what is accepted must be written and read again as the same value.
 */
#include <stdlib.h>

#include "lib/netaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const char *s)
{
	char text[NETADDR_TEXT_SIZE];
	struct netaddr addr, again;

	if (netaddr_parse(s, &addr) < 0)
		return;
	netaddr_format(&addr, text);
	if (netaddr_parse(text, &again) < 0 || netaddr_compare(&addr, &again) != 0)
		abort();
}

static void check_prefix(const char *s)
{
	char text[NETPREFIX_TEXT_SIZE];
	struct netprefix loose, strict;

	if (netprefix_parse(s, false, &loose) < 0) {
		if (netprefix_parse(s, true, &strict) >= 0)
			abort();
		return;
	}
	netprefix_format(&loose, text);
	if (netprefix_parse(text, true, &strict) < 0 || memcmp(&loose, &strict, sizeof(loose)) != 0)
		abort();
	if (!netprefix_contains(&loose, &loose.addr) || !netprefix_covers(&loose, &strict))
		abort();
}

static void check_mac(const char *s)
{
	char text[MAC_TEXT_SIZE];
	struct mac mac, again;

	if (mac_parse(s, &mac) < 0)
		return;
	mac_format(&mac, text);
	if (mac_parse(text, &again) < 0 || memcmp(&mac, &again, sizeof(mac)) != 0)
		abort();
}

static void check_time(const char *s)
{
	char text[TIME_TEXT_SIZE];
	int64_t t;

	if (time_parse(s, &t) < 0)
		return;
	time_format(t, text);
	if (!streq(s, text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *s = malloc(size + 1);

	if (!s)
		return 0;
	memcpy(s, data, size);
	s[size] = '\0';
	check_address(s);
	check_prefix(s);
	check_mac(s);
	check_time(s);
	return 0;
}
