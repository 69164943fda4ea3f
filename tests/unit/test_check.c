/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's rules for values, case by case.
 */
#include "model/check.h"

#include "../tap.h"

static void test_names(void)
{
	static const struct {
		const char *name;
		bool strict, loose;
	} cases[] = {
		{"", false, false},	     {"a", false, false},
		{"ab", true, true},	     {"a1-_", true, true},
		{"a.b:c", false, true},	     {"1a", false, false},
		{"_a", false, false},	     {"-a", false, false},
		{".a", false, false},	     {"privateLink_dlc", true, true},
		{"杭州", true, true},	     {"杭", false, false},
		{"a杭", true, true},	     {"a b", false, false},
		{"a/b", false, false},	     {"http://a", false, false},
		{"éa", false, false},	     {"a\xe6\x9d", false, false},
		{"a\xc0\x80", false, false}, {"a\xed\xa0\x80", false, false},
		{"a\n", false, false},	     {"𠀀𠀁", true, true}, /* CJK extension B */
	};
	char longest[129 * 3 + 1] = "";

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *shown = utf8_length(cases[i].name) < 0 ? "(not printable)" : cases[i].name;

		tap_is_int(check_name(cases[i].name, false), cases[i].strict, "'%s' %s a name", shown,
			   cases[i].strict ? "is" : "is not");
		tap_is_int(check_name(cases[i].name, true), cases[i].loose, "'%s' %s a loose name", shown,
			   cases[i].loose ? "is" : "is not");
	}
	for (int i = 0; i < 128; i++)
		(void)strcat(longest, "杭");
	tap_ok(check_name(longest, false), "128 Chinese characters are a name");
	(void)strcat(longest, "杭");
	tap_ok(!check_name(longest, false), "129 are not");
}

static void test_descriptions(void)
{
	char text[258];

	tap_ok(!check_description("") && !check_description("a") && check_description("ab"),
	       "two characters at least");
	memset(text, 'x', 257);
	text[257] = '\0';
	tap_ok(!check_description(text), "257 characters are too many");
	text[256] = '\0';
	tap_ok(check_description(text), "256 are fine");
	tap_ok(!check_description("http://x") && !check_description("https://x"),
	       "a description does not start as a URL");
	tap_ok(check_description("see http://x"), "it may contain one");
	tap_ok(check_description("杭州 !?"), "it may have any characters");
	tap_ok(!check_description("a\nb") && !check_description("ab\xff"),
	       "but no control characters and no broken UTF-8");
}

static void test_tokens(void)
{
	char text[66];

	memset(text, 't', 65);
	text[65] = '\0';
	tap_ok(!check_client_token(text), "65 characters are no token");
	text[64] = '\0';
	tap_ok(check_client_token(text), "64 are one");
	tap_ok(check_client_token("a") && !check_client_token(""), "one is enough, none is not");
	tap_ok(!check_client_token("杭") && !check_client_token("a\tb"), "ASCII only");
}

static void test_utf8(void)
{
	static const struct {
		const char *text;
		int length;
	} cases[] = {
		{"", 0},
		{"abc", 3},
		{"é", 1},
		{"杭州", 2},
		{"\xf0\x9f\x98\x80", 1},
		{"\x7f", -EINVAL},
		{"\xc2\x85", -EINVAL}, /* NEL, a control character */
		{"\xc2\xa0", 1},
		{"\x80", -EINVAL},
		{"\xc1\xbf", -EINVAL},	       /* overlong */
		{"\xe0\x9f\xbf", -EINVAL},     /* overlong */
		{"\xf0\x8f\xbf\xbf", -EINVAL}, /* overlong */
		{"\xed\xbf\xbf", -EINVAL},     /* surrogate */
		{"\xf4\x90\x80\x80", -EINVAL}, /* beyond U+10FFFF */
		{"\xf4\x8f\xbf\xbf", 1},
		{"\xf8\x88\x80\x80\x80", -EINVAL},
		{"\xe6\x9d", -EINVAL},
		{"\xe6", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tap_is_int(utf8_length(cases[i].text), cases[i].length, "UTF-8 case %zu", i);
}

/* Writes a number in the form of UTF-8 with `n` continuation bytes, whether or not that is its form. */
static void put_form(uint32_t c, int n, char ret[5])
{
	static const uint8_t leads[] = {0x00, 0xc0, 0xe0, 0xf0};

	for (int i = n; i > 0; i--, c >>= 6)
		ret[i] = (char)(0x80 | (c & 0x3f));
	ret[0] = (char)(leads[n] | c);
	ret[n + 1] = '\0';
}

/* Every number that each form can hold: one code point if the form is the shortest, nothing otherwise. */
static void test_utf8_exhaustively(void)
{
	static const uint32_t ends[] = {0x80, 0x800, 0x10000, 0x200000};
	int wrong = 0;
	char text[5];

	for (int n = 0; n < 4; n++)
		for (uint32_t c = 1; c < ends[n]; c++) {
			bool control = c < 0x20 || (c >= 0x7f && c < 0xa0),
			     surrogate = c >= 0xd800 && c < 0xe000;
			bool shortest = n == 0 || c >= ends[n - 1];

			put_form(c, n, text);
			wrong += utf8_length(text) !=
				 (shortest && !control && !surrogate && c <= 0x10ffff ? 1 : -EINVAL);
		}
	tap_is_int(wrong, 0, "each of 2164860 forms of UTF-8 is judged rightly");
}

static struct netprefix prefix(const char *s)
{
	struct netprefix ret = {};

	if (netprefix_parse(s, true, &ret) < 0)
		tap_ok(false, "the test's own prefix %s", s);
	return ret;
}

static void test_cidrs(void)
{
	static const struct {
		const char *cidr;
		bool good;
	} vpcs[] = {
		{"10.0.0.0/8", true},	   {"172.16.0.0/12", true},   {"192.168.0.0/16", true},
		{"192.168.0.0/28", true},  {"192.168.0.0/29", false}, {"10.0.0.0/7", false},
		{"11.0.0.0/8", true},	   {"100.64.0.0/10", false},  {"100.100.0.0/16", false},
		{"100.0.0.0/8", false},	   {"127.0.0.0/8", false},    {"169.254.0.0/16", false},
		{"169.254.7.0/24", false}, {"198.18.0.0/16", false},  {"198.0.0.0/8", false},
		{"198.20.0.0/16", true},   {"224.0.0.0/8", false},    {"240.0.0.0/8", false},
		{"0.0.0.0/8", false},	   {"2001:db8::/32", false},  {"223.0.0.0/8", true},
	};
	static const struct {
		const char *vswitch, *vpc;
		bool good;
	} vswitches[] = {
		{"10.0.0.0/16", "10.0.0.0/8", true},   {"10.0.0.0/15", "10.0.0.0/8", false},
		{"10.0.0.0/29", "10.0.0.0/8", true},   {"10.0.0.0/30", "10.0.0.0/8", false},
		{"11.0.0.0/24", "10.0.0.0/8", false},  {"10.0.0.0/24", "10.0.0.0/24", true},
		{"10.0.0.0/24", "10.0.0.0/25", false}, {"2001:db8::/64", "10.0.0.0/8", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(vpcs); i++) {
		struct netprefix cidr = prefix(vpcs[i].cidr);

		tap_is_int(check_vpc_cidr(&cidr), vpcs[i].good, "%s %s a VPC's block", vpcs[i].cidr,
			   vpcs[i].good ? "is" : "is not");
	}
	for (size_t i = 0; i < ARRAY_SIZE(vswitches); i++) {
		struct netprefix cidr = prefix(vswitches[i].vswitch), vpc = prefix(vswitches[i].vpc);

		tap_is_int(check_vswitch_cidr(&cidr, &vpc), vswitches[i].good, "%s in %s",
			   vswitches[i].vswitch, vswitches[i].vpc);
	}
}

static void test_vswitch_addresses(void)
{
	static const struct {
		const char *cidr, *gateway, *first, *last;
		uint32_t capacity;
	} cases[] = {
		{"10.0.1.0/24", "10.0.1.253", "10.0.1.1", "10.0.1.252", 252},
		{"10.0.0.0/16", "10.0.255.253", "10.0.0.1", "10.0.255.252", 65532},
		{"10.0.0.8/29", "10.0.0.13", "10.0.0.9", "10.0.0.12", 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct netprefix cidr = prefix(cases[i].cidr);
		struct netaddr gateway = vswitch_gateway(&cidr), first, last, addr;
		char text[NETADDR_TEXT_SIZE];
		uint32_t n = 0;

		netaddr_format(&gateway, text);
		tap_is_str(text, cases[i].gateway, "the gateway of %s", cases[i].cidr);
		tap_is_int(vswitch_capacity(&cidr), cases[i].capacity, "the capacity of %s", cases[i].cidr);
		(void)netaddr_parse(cases[i].first, &first);
		(void)netaddr_parse(cases[i].last, &last);
		for (uint32_t a = netaddr_to_v4(&first); a <= netaddr_to_v4(&last); a++) {
			addr = netaddr_v4(a);
			n += !vswitch_address_reserved(&cidr, &addr);
		}
		tap_is_int(n, cases[i].capacity, "%s to %s are to be given out", cases[i].first,
			   cases[i].last);
		for (uint32_t a = netaddr_to_v4(&last) + 1; a <= netaddr_to_v4(&last) + 4; a++) {
			addr = netaddr_v4(a);
			tap_ok(vswitch_address_reserved(&cidr, &addr), "the %uth after the last is not",
			       a - netaddr_to_v4(&last));
		}
		addr = netaddr_v4(netaddr_to_v4(&first) - 1);
		tap_ok(vswitch_address_reserved(&cidr, &addr), "nor the one before the first");
	}
}

static void test_nat_ranges(void)
{
	struct netprefix all = prefix("100.64.0.0/10"), hole = prefix("100.100.0.0/16"), range, before = {};
	static const char *const outside[] = {"100.63.255.240/28", "100.128.0.0/28", "100.100.0.0/28",
					      "100.100.255.240/28", "fd00::/28"};
	int wrong = 0, n = 0, wrong_index = 0;
	char text[NETPREFIX_TEXT_SIZE];
	uint32_t index;

	for (uint32_t i = 0; nat_range_at(i, &range) == 0; i++, n++) {
		wrong_index += nat_range_index(&range, &index) < 0 || index != i;
		if (i == 0) {
			netprefix_format(&range, text);
			tap_is_str(text, "100.64.0.0/28", "the first NAT range");
		} else {
			wrong += netaddr_compare(&before.addr, &range.addr) >= 0;
		}
		wrong += !netprefix_covers(&all, &range) || netprefix_overlaps(&hole, &range) ||
			 range.length != 96 + 28;
		before = range;
	}
	tap_is_int(wrong, 0, "NAT ranges rise, are /28 and spare 100.100.0.0/16");
	tap_is_int(n, 262144 - 4096, "all of them are given out");
	netprefix_format(&before, text);
	tap_is_str(text, "100.127.255.240/28", "the last NAT range");
	tap_is_int(nat_range_at(UINT32_MAX, &range), -ERANGE, "there is none beyond");
	tap_is_int(wrong_index, 0, "each is found by its addresses");
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		range = prefix(outside[i]);
		tap_is_int(nat_range_index(&range, &index), -ERANGE, "%s is none", outside[i]);
	}
	range = prefix("100.64.0.24/29");
	tap_ok(nat_range_index(&range, &index) == 0 && index == 1, "a part of one is told as that one");
}

static void test_macs(void)
{
	struct mac a = port_mac(0x01020304), b = port_mac(0x01020305);
	char text[MAC_TEXT_SIZE];

	mac_format(&a, text);
	tap_is_str(text, "02:70:01:02:03:04", "a port's MAC holds its number");
	tap_ok(memcmp(&a, &b, sizeof(a)) != 0, "two ports have two");
	tap_is_int(a.bytes[0] & 3, 2, "it is unicast and locally administered");
}

static void test_mainland(void)
{
	tap_ok(region_in_mainland("cn-hangzhou") && region_in_mainland("cn-shanghai-finance-1"),
	       "regions of mainland China");
	tap_ok(!region_in_mainland("cn-hongkong") && !region_in_mainland("ap-southeast-5") &&
		       !region_in_mainland("cnx") && !region_in_mainland(""),
	       "and others");
}

int main(void)
{
	test_mainland();
	test_names();
	test_descriptions();
	test_tokens();
	test_utf8();
	test_utf8_exhaustively();
	test_cidrs();
	test_vswitch_addresses();
	test_nat_ranges();
	test_macs();
	return tap_done();
}
