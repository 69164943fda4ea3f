/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, prefixes and MACs: forms that are and are not accepted, and prefix arithmetic against a version
 * that goes bit by bit.
 */
#include "lib/netaddr.h"

#include "../tap.h"

static void test_addresses(void)
{
	static const struct {
		const char *text, *canonical; /* NULL: refused */
		bool v4;
	} cases[] = {
		{"10.0.0.1", "10.0.0.1", true},
		{"0.0.0.0", "0.0.0.0", true},
		{"255.255.255.255", "255.255.255.255", true},
		{"::", "::", false},
		{"::1", "::1", false},
		{"2001:DB8:0:0::1", "2001:db8::1", false},
		{"fe80::1", "fe80::1", false},
		/* RFC 5952: leading zeros, the longest run, the first of two, no run of one, lower case */
		{"2001:0db8::0001", "2001:db8::1", false},
		{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1", false},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", false},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", false},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", false},
		{"2001:DB8::ABCD", "2001:db8::abcd", false},
		{"64:ff9b::10.0.0.1", "64:ff9b::a00:1", false},
		{"", NULL, false},
		{" 10.0.0.1", NULL, false},
		{"10.0.0.1 ", NULL, false},
		{"10.0.0", NULL, false},
		{"10.0.0.01", NULL, false},
		{"10.0.0.256", NULL, false},
		{"0x0a.0.0.1", NULL, false},
		{"10.0.0.1.2", NULL, false},
		{"167772161", NULL, false},
		{"::ffff:10.0.0.1", NULL, false},
		{"::ffff:a00:1", NULL, false},
		{"1::2::3", NULL, false},
		{"fe80::1%eth0", NULL, false},
		{"12345::", NULL, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[NETADDR_TEXT_SIZE];
		struct netaddr addr;
		int r = netaddr_parse(cases[i].text, &addr);

		if (!cases[i].canonical) {
			tap_is_int(r, -EINVAL, "'%s' is no address", cases[i].text);
			continue;
		}
		tap_is_int(r, 0, "%s is an address", cases[i].text);
		netaddr_format(&addr, text);
		tap_is_str(text, cases[i].canonical, "%s is written %s", cases[i].text, cases[i].canonical);
		tap_is_int(netaddr_is_v4(&addr), cases[i].v4, "%s has its family", cases[i].text);
	}
}

static void test_v4(void)
{
	struct netaddr a = netaddr_v4(0x0a000001), b, zero = {};

	(void)netaddr_parse("10.0.0.1", &b);
	tap_ok(netaddr_compare(&a, &b) == 0, "an address from a number is the parsed one");
	tap_is_int(netaddr_to_v4(&b), 0x0a000001, "an address gives its number back");
	b = netaddr_v4(0x0a000002);
	tap_ok(netaddr_compare(&a, &b) < 0 && netaddr_compare(&b, &a) > 0, "addresses sort by number");
	tap_ok(netaddr_is_zero(&zero) && !netaddr_is_zero(&a), "zero is told");
	b = netaddr_v4(0);
	tap_ok(!netaddr_is_zero(&b), "0.0.0.0 is an address and not zero");
}

static void test_prefixes(void)
{
	static const struct {
		const char *text;
		bool strict;
		int r;
		const char *canonical;
	} cases[] = {
		{"10.0.0.0/24", true, 0, "10.0.0.0/24"},
		{"10.0.0.1/24", true, -ERANGE, NULL},
		{"10.0.0.1/24", false, 0, "10.0.0.0/24"},
		{"10.0.0.1", true, 0, "10.0.0.1/32"},
		{"0.0.0.0/0", true, 0, "0.0.0.0/0"},
		{"1.0.0.0/0", true, -ERANGE, NULL},
		{"192.168.255.128/25", true, 0, "192.168.255.128/25"},
		{"::/0", true, 0, "::/0"},
		{"2001:db8::/32", true, 0, "2001:db8::/32"},
		{"2001:db8::1", true, 0, "2001:db8::1/128"},
		{"2001:db8::1/127", true, -ERANGE, NULL},
		{"2001:db8::1/127", false, 0, "2001:db8::/127"},
		{"10.0.0.0/33", true, -EINVAL, NULL},
		{"10.0.0.0/-1", true, -EINVAL, NULL},
		{"10.0.0.0/", true, -EINVAL, NULL},
		{"10.0.0.0/08", true, -EINVAL, NULL},
		{"10.0.0.0/8 ", true, -EINVAL, NULL},
		{"10.0.0.0/8/8", true, -EINVAL, NULL},
		{"10.0.0.0/255.0.0.0", true, -EINVAL, NULL},
		{"/24", true, -EINVAL, NULL},
		{"", true, -EINVAL, NULL},
		{"::/129", true, -EINVAL, NULL},
		{"::ffff:10.0.0.0/104", true, -EINVAL, NULL},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/8", true, -EINVAL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[NETPREFIX_TEXT_SIZE];
		struct netprefix prefix;
		int r = netprefix_parse(cases[i].text, cases[i].strict, &prefix);

		tap_is_int(r, cases[i].r, "'%s' is %s", cases[i].text,
			   cases[i].r == 0	   ? "a prefix"
			   : cases[i].r == -ERANGE ? "a prefix with host bits"
						   : "no prefix");
		if (r < 0)
			continue;
		netprefix_format(&prefix, text);
		tap_is_str(text, cases[i].canonical, "%s is written %s", cases[i].text, cases[i].canonical);
	}
}

static void test_random_texts(void)
{
	int wrong = 0;

	srandom(6);
	for (int i = 0; i < 20000; i++) {
		char text[NETADDR_TEXT_SIZE];
		struct netaddr addr, again;

		for (int k = 0; k < 16; k++)
			addr.bytes[k] = random() % 2 ? 0 : (uint8_t)random();
		if (random() % 4 == 0)
			addr = netaddr_v4((uint32_t)random() << 1);
		netaddr_format(&addr, text);
		wrong += netaddr_parse(text, &again) < 0 || netaddr_compare(&addr, &again) != 0;
	}
	tap_is_int(wrong, 0, "20000 random addresses come back from their texts");
}

static bool bit(const struct netaddr *addr, int i)
{
	return addr->bytes[i / 8] >> (7 - i % 8) & 1;
}

static bool naive_contains(const struct netprefix *prefix, const struct netaddr *addr)
{
	if (netaddr_is_v4(&prefix->addr) != netaddr_is_v4(addr))
		return false;
	for (int i = 0; i < prefix->length; i++)
		if (bit(&prefix->addr, i) != bit(addr, i))
			return false;
	return true;
}

/* Few distinct bits, so that prefixes often contain each other. */
static struct netprefix random_prefix(void)
{
	char text[NETPREFIX_TEXT_SIZE];
	struct netprefix prefix;

	if (random() % 2)
		(void)str_format(text, sizeof(text), "10.%ld.%ld.%ld/%ld", random() % 2, random() % 4 * 64,
				 random() % 2 * 255, random() % 33);
	else
		(void)str_format(text, sizeof(text), "2001:db8:%lx::%lx/%ld", random() % 2, random() % 4,
				 random() % 129);
	(void)netprefix_parse(text, false, &prefix);
	return prefix;
}

static void test_prefix_arithmetic(void)
{
	int bad_contains = 0, bad_covers = 0, bad_overlaps = 0, hits = 0;

	srandom(1);
	for (int i = 0; i < 100000; i++) {
		struct netprefix a = random_prefix(), b = random_prefix();
		bool a_has_b = naive_contains(&a, &b.addr), b_has_a = naive_contains(&b, &a.addr);

		hits += a_has_b;
		bad_contains += netprefix_contains(&a, &b.addr) != a_has_b;
		bad_covers += netprefix_covers(&a, &b) != (a_has_b && a.length <= b.length);
		bad_overlaps += netprefix_overlaps(&a, &b) != (a_has_b || b_has_a);
	}
	tap_ok(hits > 1000, "random prefixes contain each other often enough (%d of 100000)", hits);
	tap_is_int(bad_contains, 0, "containing agrees with the bit by bit version");
	tap_is_int(bad_covers, 0, "covering agrees with the bit by bit version");
	tap_is_int(bad_overlaps, 0, "overlapping agrees with the bit by bit version");
}

static void test_families_apart(void)
{
	struct netprefix everything6, everything4;
	struct netaddr v4 = netaddr_v4(0x0a000001), v6;

	(void)netprefix_parse("::/0", true, &everything6);
	(void)netprefix_parse("0.0.0.0/0", true, &everything4);
	(void)netaddr_parse("2001:db8::1", &v6);
	tap_ok(!netprefix_contains(&everything6, &v4), "::/0 contains no IPv4 address");
	tap_ok(netprefix_contains(&everything6, &v6), "::/0 contains an IPv6 address");
	tap_ok(netprefix_contains(&everything4, &v4), "0.0.0.0/0 contains an IPv4 address");
	tap_ok(!netprefix_contains(&everything4, &v6), "0.0.0.0/0 contains no IPv6 address");
	tap_ok(!netprefix_overlaps(&everything4, &everything6), "the two do not overlap");
}

static void test_macs(void)
{
	static const char *const bad[] = {"",
					  "02:00:00:00:00",
					  "02:00:00:00:00:0",
					  "02:00:00:00:00:0g",
					  "02-00-00-00-00-01",
					  "02:00:00:00:00:01:",
					  "0200:00:00:00:001"};
	char text[MAC_TEXT_SIZE];
	struct mac mac;

	tap_is_int(mac_parse("02:aB:0c:00:ff:10", &mac), 0, "a MAC is read");
	mac_format(&mac, text);
	tap_is_str(text, "02:ab:0c:00:ff:10", "a MAC is written in lower case");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		tap_is_int(mac_parse(bad[i], &mac), -EINVAL, "'%s' is no MAC", bad[i]);
}

int main(void)
{
	test_addresses();
	test_v4();
	test_random_texts();
	test_prefixes();
	test_prefix_arithmetic();
	test_families_apart();
	test_macs();
	return tap_done();
}
