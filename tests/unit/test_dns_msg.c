/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions and answers of the VPCs' resolver, byte for byte where it matters: questions are written by hand
 * here, and answers read by hand, so that ldns does not check itself.
 */
#include "dns/dns_msg.h"

#include <ctype.h>
#include <ldns/ldns.h>

#include "tests/tap.h"

#define ZONE_H	 "cn-hangzhou-h"
#define ZONE_I	 "cn-hangzhou-i"
#define SERVICE	 "pai-dlc-vpc.cn-hangzhou.aliyuncs.com"
#define ENDPOINT "ep-1.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com"

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_OPT = 41,
	TYPE_HIP = 55,
	TYPE_HTTPS = 65,
	TYPE_TSIG = 250,
	TYPE_AXFR = 252,
	TYPE_ANY = 255,
	TYPE_CAA = 257
};

static struct netaddr service_addrs[2], endpoint_addrs[2], many_addrs[60];
static char zones[60][ZONE_SIZE] = {ZONE_H, ZONE_I};
static struct plan_name names[5], *name_list[] = {&names[0], &names[1], &names[2], &names[3], &names[4]};
static struct plan_domain domains[] = {{"cn-hangzhou.privatelink.aliyuncs.com"}, {SERVICE}};
static struct plan_port ports[2];
static uint32_t ports_by_slot[] = {0, 1};
static struct plan_reverse reverse[5];
static struct plan plan = {
	.revision = 77,
	.names = name_list,
	.n_names = 5,
	.reverse = reverse,
	.n_reverse = 5,
	.domains = domains,
	.n_domains = 2,
	.ports = ports,
	.n_ports = 2,
	.ports_by_slot = ports_by_slot,
};

static void name(size_t i, uint32_t vpc, const char *text, struct netaddr *addrs, size_t n, bool affinity)
{
	names[i].vpc = vpc;
	(void)str_copy(names[i].name, sizeof(names[i].name), text);
	names[i].addrs = addrs;
	names[i].zones = zones;
	names[i].n_addrs = n;
	names[i].affinity = affinity;
}

static int compare_names(const void *a, const void *b)
{
	const struct plan_name *x = a, *y = b;

	return x->vpc != y->vpc ? (x->vpc < y->vpc ? -1 : 1) : plan_domain_compare(x->name, y->name);
}

static const struct plan_name *name_of(uint32_t vpc, const char *text)
{
	for (size_t i = 0; i < plan.n_names; i++)
		if (names[i].vpc == vpc && streq(names[i].name, text))
			return &names[i];
	exit(EXIT_FAILURE);
}

/* VPC 10 has four addresses with names, VPC 12 has one. */
static void make_reverse(void)
{
	static const char *const addrs[] = {"10.0.1.50", "10.0.2.50", "30.1.2.20", "100.64.0.1"};

	for (uint32_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		reverse[i].vpc = 10;
		(void)netaddr_parse(addrs[i], &reverse[i].addr);
		reverse[i].name = name_of(10, i ? "many.cn-hangzhou.privatelink.aliyuncs.com" : ENDPOINT);
	}
	reverse[4].vpc = 12;
	(void)netaddr_parse("10.0.1.51", &reverse[4].addr);
	reverse[4].name = name_of(12, SERVICE);
}

static void make_plan(void)
{
	(void)netaddr_parse("10.0.1.50", &service_addrs[0]);
	(void)netaddr_parse("10.0.2.50", &service_addrs[1]);
	(void)netaddr_parse("10.0.1.50", &endpoint_addrs[0]);
	(void)netaddr_parse("10.0.2.50", &endpoint_addrs[1]);
	for (uint32_t i = 0; i < ARRAY_SIZE(many_addrs); i++)
		many_addrs[i] = netaddr_v4(0x0a010000 + i);
	name(0, 10, SERVICE, service_addrs, 2, false);
	name(1, 10, ENDPOINT, endpoint_addrs, 2, true);
	name(2, 10, "ep-2.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", NULL, 0, false);
	name(3, 10, "many.cn-hangzhou.privatelink.aliyuncs.com", many_addrs, ARRAY_SIZE(many_addrs), false);
	name(4, 12, SERVICE, service_addrs, 1, false);
	qsort(names, plan.n_names, sizeof(*names), compare_names);
	make_reverse();
	ports[0].slot = 16;
	ports[0].row.vpc = 10;
	(void)netaddr_parse("10.0.1.10", &ports[0].addr);
	(void)netprefix_parse("30.1.2.16/28", true, &ports[0].network);
	(void)str_copy(ports[0].host_name, sizeof(ports[0].host_name), "Web-1");
	(void)str_copy(ports[0].zone, sizeof(ports[0].zone), ZONE_I);
	ports[1].slot = 17;
	ports[1].row.vpc = 11;
	(void)netaddr_parse("10.0.1.11", &ports[1].addr);
	(void)netprefix_parse("30.0.0.0/15", true, &ports[1].network);
	(void)str_copy(ports[1].host_name, sizeof(ports[1].host_name), "db.of.test");
}

/* Messages by hand */

struct message {
	uint8_t data[DNS_MSG_SIZE_MAX];
	size_t size;
};

static void put_u16(struct message *m, uint16_t value)
{
	m->data[m->size++] = (uint8_t)(value >> 8);
	m->data[m->size++] = (uint8_t)value;
}

static void put_name(struct message *m, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ".");

		m->data[m->size++] = (uint8_t)n;
		memcpy(m->data + m->size, text, n);
		m->size += n;
		text += n + (text[n] == '.');
	}
	m->data[m->size++] = 0;
}

static void question(struct message *m, uint16_t flags, const char *text, uint16_t type, uint16_t class)
{
	m->size = 0;
	put_u16(m, 0x1234);
	put_u16(m, flags);
	put_u16(m, 1);
	put_u16(m, 0);
	put_u16(m, 0);
	put_u16(m, 0);
	put_name(m, text);
	put_u16(m, type);
	put_u16(m, class);
}

static void add_opt(struct message *m, uint16_t udp_size, uint8_t version, bool dnssec_ok)
{
	m->data[11]++;
	m->data[m->size++] = 0;
	put_u16(m, TYPE_OPT);
	put_u16(m, udp_size);
	put_u16(m, version);
	put_u16(m, dnssec_ok ? 0x8000 : 0);
	put_u16(m, 0);
}

static uint16_t get_u16(const struct message *m, size_t i)
{
	return i + 2 <= m->size ? (uint16_t)(m->data[i] << 8 | m->data[i + 1]) : 0;
}

static size_t skip_name(const struct message *m, size_t i)
{
	while (i < m->size && m->data[i] != 0 && m->data[i] < 64)
		i += 1u + m->data[i];
	return i + (i < m->size && m->data[i] >= 192 ? 2 : 1);
}

/* How long an answer may be kept by who asked: what can fail, and what is not there yet, for 5 s. */
#define TTL_S 5

static uint32_t get_u32(const struct message *m, size_t i)
{
	return (uint32_t)get_u16(m, i) << 16 | get_u16(m, i + 2);
}

/* The answer in one line: "NOERROR aa 10.0.1.50 10.0.2.50", "NXDOMAIN aa soa", "NOERROR tc opt=1232". A time
 * to live that is not TTL_S is told, too. */
static const char *describe(const struct message *m)
{
	static const char *const rcodes[] = {"NOERROR",	 "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP",  "REFUSED"};
	static char text[4096];
	size_t i = DNS_MSG_HEADER_SIZE, n = 0;
	uint32_t count = (uint32_t)get_u16(m, 6) + get_u16(m, 8) + get_u16(m, 10);

	n += (size_t)snprintf(text, sizeof(text), "%s", rcodes[m->data[3] & 15]);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", m->data[2] & 4 ? " aa" : "",
			      m->data[2] & 2 ? " tc" : "");
	if (get_u16(m, 4))
		i = skip_name(m, i) + 4;
	while (count--) {
		uint16_t type, size;

		i = skip_name(m, i);
		type = get_u16(m, i);
		size = get_u16(m, i + 8);
		if (type == TYPE_A)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %u.%u.%u.%u", m->data[i + 10],
					      m->data[i + 11], m->data[i + 12], m->data[i + 13]);
		else if (type == TYPE_OPT)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " opt=%u%s%s", get_u16(m, i + 2),
					      m->data[i + 6] & 0x80 ? "/do" : "",
					      m->data[i + 4] ? "/badvers" : "");
		else
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      type == TYPE_SOA ? " soa" : " type%u", type);
		if (type != TYPE_OPT && get_u32(m, i + 4) != TTL_S)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " ttl=%u", get_u32(m, i + 4));
		if (type == TYPE_SOA && get_u32(m, i + 6 + size) != TTL_S)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " minimum=%u",
					      get_u32(m, i + 6 + size));
		i += 10u + size;
	}
	if (i != m->size)
		snprintf(text + n, sizeof(text) - n, " and %zd bytes", (ssize_t)(m->size - i));
	return text;
}

/* The name at `i` as text, in lower case; pointers are followed. */
static void read_name(const struct message *m, size_t i, char ret[300])
{
	size_t n = 0;

	for (int jumps = 0; i < m->size && m->data[i] && jumps < 10;)
		if (m->data[i] >= 192) {
			i = get_u16(m, i) & 0x3fff;
			jumps++;
		} else {
			n += (size_t)snprintf(ret + n, 300 - n, "%s%.*s", n ? "." : "", m->data[i],
					      (const char *)m->data + i + 1);
			i += 1u + m->data[i];
		}
	for (size_t k = 0; k < n; k++)
		ret[k] = (char)tolower((unsigned char)ret[k]);
	ret[n] = '\0';
}

/* Records of names in one line: "NXDOMAIN (10.in-addr.arpa)" with the SOA's owner in brackets where it is no
 * part of the answer, "NOERROR PTR a.b", "NOERROR NS a.b SOA a.b", addresses by their type alone. */
static const char *describe_names(const struct message *m)
{
	static const char *const rcodes[] = {"NOERROR",	 "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP",  "REFUSED"};
	static char text[4096];
	size_t i = skip_name(m, DNS_MSG_HEADER_SIZE) + 4, n = 0;

	n += (size_t)snprintf(text, sizeof(text), "%s%s", rcodes[m->data[3] & 15],
			      m->data[2] & 4 ? "" : " not authoritative");
	for (uint32_t k = 0; k < (uint32_t)get_u16(m, 6) + get_u16(m, 8); k++) {
		bool is_answer = k < get_u16(m, 6);
		char owner[300], target[300];
		uint16_t type;

		read_name(m, i, owner);
		i = skip_name(m, i);
		type = get_u16(m, i);
		read_name(m, i + 10, target);
		if (type == TYPE_SOA)
			n += (size_t)snprintf(text + n, sizeof(text) - n, is_answer ? " SOA %s" : " (%s)",
					      owner);
		else if (type == TYPE_PTR || type == TYPE_NS)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s %s",
					      type == TYPE_PTR ? "PTR" : "NS", target);
		else
			n += (size_t)snprintf(text + n, sizeof(text) - n, " type%u", type);
		i += 10u + get_u16(m, i + 8);
	}
	return text;
}

static struct message in, out;

/* The longest message that ldns was given to read. */
static size_t ldns_read;

ldns_status __real_ldns_wire2pkt(ldns_pkt **ret, const uint8_t *data, size_t size);
ldns_status __wrap_ldns_wire2pkt(ldns_pkt **ret, const uint8_t *data, size_t size);
ldns_status __wrap_ldns_wire2pkt(ldns_pkt **ret, const uint8_t *data, size_t size)
{
	ldns_read = MAX(ldns_read, size);
	return __real_ldns_wire2pkt(ret, data, size);
}

static const char *ask(const struct plan_port *asker, bool tcp, uint32_t rotation)
{
	struct dns_msg_request request = {in.data, in.size, &plan, asker, tcp, rotation};
	uint8_t *copy = malloc(in.size ? in.size : 1); /* so that a sanitizer sees its end */
	enum dns_msg_verdict verdict;

	if (in.size)
		memcpy(copy, in.data, in.size);
	request.data = copy;
	verdict = dns_msg_answer(&request, out.data, &out.size);
	free(copy);
	if (verdict == DNS_MSG_SILENCE)
		return "silence";
	return verdict == DNS_MSG_FORWARD ? "forward" : describe(&out);
}

static void test_names(void)
{
	static const struct {
		const char *name;
		uint16_t type;
		int asker;
		const char *answer;
	} cases[] = {
		{SERVICE, TYPE_A, 0, "NOERROR aa 10.0.1.50 10.0.2.50"},
		{"PAI-DLC-VPC.cn-Hangzhou.ALIYUNCS.com", TYPE_A, 0, "NOERROR aa 10.0.1.50 10.0.2.50"},
		{SERVICE, TYPE_ANY, 0, "NOERROR aa 10.0.1.50 10.0.2.50"},
		{SERVICE, TYPE_AAAA, 0, "NOERROR aa soa"},
		{SERVICE, TYPE_TXT, 0, "NOERROR aa soa"},
		{SERVICE, TYPE_HTTPS, 0, "NOERROR aa soa"},
		{SERVICE, TYPE_CAA, 0, "NOERROR aa soa"},
		{SERVICE, TYPE_NS, 0, "NOERROR aa soa"},
		{SERVICE, TYPE_AXFR, 0, "REFUSED"},
		{SERVICE, TYPE_A, 1, "NXDOMAIN aa soa"},
		{SERVICE, TYPE_AAAA, 1, "NXDOMAIN aa soa"},
		{"_443._tcp." SERVICE, TYPE_A, 0, "NXDOMAIN aa soa"},
		{"ep-2.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 0, "NOERROR aa soa"},
		{"ep-3.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 0, "NXDOMAIN aa soa"},
		{ENDPOINT, TYPE_A, 1, "NXDOMAIN aa soa"},
		{"pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 0, "NOERROR aa soa"},
		{"pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 1, "NXDOMAIN aa soa"},
		{"cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 0, "NOERROR aa soa"},
		{"cn-other.privatelink.aliyuncs.com", TYPE_A, 0, "forward"},
		{"xcn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 0, "forward"},
		{"aliyuncs.com", TYPE_A, 0, "forward"},
		{"example.com", TYPE_A, 0, "forward"},
		{"example.com", TYPE_AXFR, 0, "REFUSED"},
		{"", TYPE_NS, 0, "forward"},
		{SERVICE, TYPE_A, -1, "REFUSED"},
		{"example.com", TYPE_A, -1, "REFUSED"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		question(&in, 0x0100, cases[i].name, cases[i].type, 1);
		tap_is_str(ask(cases[i].asker < 0 ? NULL : &ports[cases[i].asker], false, 0), cases[i].answer,
			   "%s type %u from %s: %s", *cases[i].name ? cases[i].name : "the root",
			   cases[i].type,
			   cases[i].asker < 0 ? "nobody"
			   : cases[i].asker   ? "another VPC"
					      : "the VPC",
			   cases[i].answer);
	}
	question(&in, 0x0000, "example.com", TYPE_A, 1);
	tap_is_str(ask(&ports[0], false, 0), "REFUSED",
		   "a foreign name without recursion desired is refused");
	question(&in, 0x0100, "x.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 1);
	in.data[DNS_MSG_HEADER_SIZE + 1 + 1 + 1 + 11] = '.'; /* one label "cn-hangzhou.privatelink" */
	in.data[DNS_MSG_HEADER_SIZE + 2] = 11 + 1 + 11;
	tap_is_str(ask(&ports[0], false, 0), "forward", "a dot within a label is no end of the label");
}

struct name_case {
	const char *name;
	uint16_t type;
	int asker;
	const char *answer;
};

static void check_names(const struct name_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got;

		question(&in, 0x0100, cases[i].name, cases[i].type, 1);
		got = ask(&ports[cases[i].asker], false, 0);
		if (!streq(got, "forward"))
			got = describe_names(&out);
		tap_is_str(got, cases[i].answer, "%s type %u from VPC %u: %s", cases[i].name, cases[i].type,
			   ports[cases[i].asker].row.vpc, cases[i].answer);
	}
}

static bool answers(const char *name, uint16_t type, const char *want)
{
	const char *got;

	question(&in, 0x0100, name, type, 1);
	got = ask(&ports[1], false, 0);
	if (!streq(got, "forward"))
		got = describe_names(&out);
	if (!streq(got, want))
		printf("# %s type %u: %s, not %s\n", name, type, got, want);
	return streq(got, want);
}

/* Every zone of RFC 6303 and RFC 7793, and what else is local: at it, below it, and above it. */
static void test_local_zones(void)
{
	static const struct {
		unsigned int first, last; /* if not 0: the zones are these numbers before the name */
		const char *zone, *above;
	} blocks[] = {
		{0, 0, "10.in-addr.arpa", "in-addr.arpa"},
		{16, 31, "172.in-addr.arpa", "172.in-addr.arpa"},
		{0, 0, "168.192.in-addr.arpa", "192.in-addr.arpa"},
		{0, 0, "0.in-addr.arpa", "in-addr.arpa"},
		{0, 0, "127.in-addr.arpa", "in-addr.arpa"},
		{0, 0, "254.169.in-addr.arpa", "169.in-addr.arpa"},
		{0, 0, "2.0.192.in-addr.arpa", "0.192.in-addr.arpa"},
		{0, 0, "100.51.198.in-addr.arpa", "51.198.in-addr.arpa"},
		{0, 0, "113.0.203.in-addr.arpa", "0.203.in-addr.arpa"},
		{0, 0, "255.255.255.255.in-addr.arpa", "255.255.255.in-addr.arpa"},
		{64, 127, "100.in-addr.arpa", "100.in-addr.arpa"},
		{18, 19, "198.in-addr.arpa", "198.in-addr.arpa"},
		{0, 0, "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
		 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"},
		{0, 0, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
		 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"},
		{0, 0, "d.f.ip6.arpa", "f.ip6.arpa"},
		{0, 0, "8.e.f.ip6.arpa", "e.f.ip6.arpa"},
		{0, 0, "9.e.f.ip6.arpa", "e.f.ip6.arpa"},
		{0, 0, "a.e.f.ip6.arpa", "e.f.ip6.arpa"},
		{0, 0, "b.e.f.ip6.arpa", "e.f.ip6.arpa"},
		{0, 0, "8.b.d.0.1.0.0.2.ip6.arpa", "b.d.0.1.0.0.2.ip6.arpa"},
		{0, 0, "test", ""},
		{0, 0, "invalid", ""},
		{0, 0, "onion", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		bool ok = answers(blocks[i].above, TYPE_NS, "forward");

		for (unsigned int k = blocks[i].first; k <= blocks[i].last; k++) {
			char zone[120] = "", below[160], want[160];

			if (k)
				snprintf(zone, sizeof(zone), "%u.", k);
			strncat(zone, blocks[i].zone, sizeof(zone) - strlen(zone) - 1);
			snprintf(want, sizeof(want), "NOERROR SOA %s", zone);
			ok &= answers(zone, TYPE_SOA, want);
			snprintf(below, sizeof(below), "7.%s", zone);
			snprintf(want, sizeof(want), "NXDOMAIN (%s)", zone);
			ok &= answers(below, TYPE_PTR, want);
		}
		tap_ok(ok, "%s%s is answered here, and what is above it is not",
		       blocks[i].first ? "each zone in " : "", blocks[i].zone);
	}
}

static void test_reverse(void)
{
	static const struct name_case cases[] = {
		/* Names of the VPC's own addresses, and of nobody else's. */
		{"50.1.0.10.in-addr.arpa", TYPE_PTR, 0, "NOERROR PTR " ENDPOINT},
		{"50.1.0.10.IN-ADDR.Arpa", TYPE_PTR, 0, "NOERROR PTR " ENDPOINT},
		{"50.1.0.10.in-addr.arpa", TYPE_ANY, 0, "NOERROR PTR " ENDPOINT},
		{"50.1.0.10.in-addr.arpa", TYPE_A, 0, "NOERROR (10.in-addr.arpa)"},
		{"50.1.0.10.in-addr.arpa", TYPE_SOA, 0, "NOERROR (10.in-addr.arpa)"},
		{"50.1.0.10.in-addr.arpa", TYPE_PTR, 1, "NXDOMAIN (10.in-addr.arpa)"},
		{"51.1.0.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		{"1.0.64.100.in-addr.arpa", TYPE_PTR, 0,
		 "NOERROR PTR many.cn-hangzhou.privatelink.aliyuncs.com"},
		/* What has names below it is there. */
		{"1.0.10.in-addr.arpa", TYPE_PTR, 0, "NOERROR (10.in-addr.arpa)"},
		{"0.10.in-addr.arpa", TYPE_PTR, 0, "NOERROR (10.in-addr.arpa)"},
		{"1.0.10.in-addr.arpa", TYPE_PTR, 1, "NXDOMAIN (10.in-addr.arpa)"},
		{"3.0.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		{"1.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		/* The zone itself. */
		{"10.in-addr.arpa", TYPE_SOA, 0, "NOERROR SOA 10.in-addr.arpa"},
		{"10.in-addr.arpa", TYPE_NS, 0, "NOERROR NS 10.in-addr.arpa"},
		{"10.In-Addr.ARPA", TYPE_NS, 0, "NOERROR NS 10.in-addr.arpa"},
		{"10.in-addr.arpa", TYPE_ANY, 0, "NOERROR SOA 10.in-addr.arpa NS 10.in-addr.arpa"},
		{"10.in-addr.arpa", TYPE_PTR, 0, "NOERROR (10.in-addr.arpa)"},
		{"255.255.255.255.in-addr.arpa", TYPE_PTR, 0, "NOERROR (255.255.255.255.in-addr.arpa)"},
		/* What is no address does not exist. */
		{"7.50.1.0.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		{"050.1.0.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		{"256.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		{"x.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		{"0-127.1.0.10.in-addr.arpa", TYPE_PTR, 0, "NXDOMAIN (10.in-addr.arpa)"},
		{"010.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"4294967306.in-addr.arpa", TYPE_PTR, 0, "forward"}, /* 2^32 + 10 */
		{"10.in-addr.arpa.example", TYPE_PTR, 0, "forward"},
		{"10.xin-addr.arpa", TYPE_PTR, 0, "forward"},
		{"x10.in-addr.arpa", TYPE_PTR, 0, "forward"},
		/* Neighbours of the zones. */
		{"8.8.8.8.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"1.15.172.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"1.32.172.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"1.63.100.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"1.128.100.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"1.17.198.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"1.20.198.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"254.255.255.255.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"in-addr.arpa", TYPE_SOA, 0, "forward"},
		{"ip6.arpa", TYPE_SOA, 0, "forward"},
		{"arpa", TYPE_SOA, 0, "forward"},
		{"c.f.ip6.arpa", TYPE_PTR, 0, "forward"},
		{"7.e.f.ip6.arpa", TYPE_PTR, 0, "forward"},
		{"c.e.f.ip6.arpa", TYPE_PTR, 0, "forward"},
		{"10.ip6.arpa", TYPE_PTR, 0, "forward"},
		{"g.d.f.ip6.arpa", TYPE_PTR, 0, "NXDOMAIN (d.f.ip6.arpa)"},
		{"A.b.D.f.ip6.arpa", TYPE_PTR, 0, "NXDOMAIN (d.f.ip6.arpa)"},
		{"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", TYPE_PTR, 0,
		 "forward"},
		{"2.3.1.0.0.1.0.a.0.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", TYPE_PTR, 0,
		 "forward"},
		/* A VPC whose addresses are not private: its block is ours, nothing around it. */
		{"20.2.1.30.in-addr.arpa", TYPE_PTR, 0,
		 "NOERROR PTR many.cn-hangzhou.privatelink.aliyuncs.com"},
		{"21.2.1.30.in-addr.arpa", TYPE_PTR, 0, "NOERROR (21.2.1.30.in-addr.arpa)"},
		{"32.2.1.30.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"2.1.30.in-addr.arpa", TYPE_PTR, 0, "forward"},
		{"1.0.1.30.in-addr.arpa", TYPE_PTR, 1, "NXDOMAIN (1.30.in-addr.arpa)"},
		{"0.30.in-addr.arpa", TYPE_SOA, 1, "NOERROR SOA 0.30.in-addr.arpa"},
		{"1.2.30.in-addr.arpa", TYPE_PTR, 1, "forward"},
		{"30.in-addr.arpa", TYPE_PTR, 1, "forward"},
	};

	check_names(cases, ARRAY_SIZE(cases));
}

static void test_own_names(void)
{
	static const struct name_case cases[] = {
		{"web-1", TYPE_AAAA, 0, "NOERROR (web-1)"},
		{"web-1", TYPE_A, 1, "forward"},
		{"x.web-1", TYPE_A, 0, "forward"},
		{"localhost", TYPE_TXT, 0, "NOERROR (localhost)"},
		{"xlocalhost", TYPE_A, 0, "forward"},
		{"www.test", TYPE_A, 0, "NXDOMAIN (test)"},
		{"www.test.example", TYPE_A, 0, "forward"},
		{"of.test", TYPE_A, 1, "NXDOMAIN (test)"},
		{SERVICE, TYPE_SOA, 0, "NOERROR SOA " SERVICE},
		{SERVICE, TYPE_SOA, 1, "NXDOMAIN (" SERVICE ")"},
		{"cn-hangzhou.privatelink.aliyuncs.com", TYPE_NS, 0,
		 "NOERROR NS cn-hangzhou.privatelink.aliyuncs.com"},
	};

	check_names(cases, ARRAY_SIZE(cases));
	question(&in, 0x0100, "WEB-1", TYPE_A, 1);
	tap_is_str(ask(&ports[0], false, 0), "NOERROR aa 10.0.1.10", "an instance's own name is its address");
	question(&in, 0x0100, "db.of.test", TYPE_A, 1);
	tap_is_str(ask(&ports[1], false, 0), "NOERROR aa 10.0.1.11", "whatever it is");
	question(&in, 0x0100, "localhost", TYPE_A, 1);
	tap_is_str(ask(&ports[0], false, 0), "NOERROR aa 127.0.0.1", "localhost is the loopback");
	question(&in, 0x0100, "x.LocalHost", TYPE_AAAA, 1);
	tap_is_str(ask(&ports[0], false, 0), "NOERROR aa type28", "so is what is below it, for IPv6 too");
	tap_ok(out.size > 16 && out.data[out.size - 1] == 1 && out.data[out.size - 16] == 0, "as ::1");
	question(&in, 0x0000, "7.10.in-addr.arpa", TYPE_PTR, 1);
	tap_is_str(ask(&ports[0], false, 0), "NXDOMAIN aa soa", "no recursion is needed for what is here");
}

static void test_order(void)
{
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	tap_is_str(ask(&ports[0], false, 1), "NOERROR aa 10.0.2.50 10.0.1.50", "addresses turn around");
	question(&in, 0x0100, ENDPOINT, TYPE_A, 1);
	tap_is_str(ask(&ports[0], false, 0), "NOERROR aa 10.0.2.50",
		   "with affinity there is only the address of the asker's zone");
	tap_is_str(ask(&ports[0], false, 1), "NOERROR aa 10.0.2.50", "however they turn");
	(void)str_copy(ports[0].zone, sizeof(ports[0].zone), "cn-hangzhou-k");
	tap_is_str(ask(&ports[0], false, 0), "NOERROR aa 10.0.1.50 10.0.2.50",
		   "where that zone has none, there are all");
	tap_is_str(ask(&ports[0], false, 1), "NOERROR aa 10.0.2.50 10.0.1.50", "which turn around");
	(void)str_copy(ports[0].zone, sizeof(ports[0].zone), ZONE_I);
}

static void test_header(void)
{
	static const struct {
		uint16_t flags, class;
		const char *answer, *what;
	} cases[] = {
		{0x8100, 1, "silence", "an answer is not answered"},
		{0x0900, 1, "NOTIMP", "an inverse query is not known"},
		{0x1000, 1, "NOTIMP", "nor is a status query"},
		{0x2000, 1, "NOTIMP", "nor a notify"},
		{0x2800, 1, "NOTIMP", "nor an update"},
		{0x0100, 3, "NOTIMP", "class CH is not served"},
		{0x0100, 255, "NOTIMP", "class ANY is not served"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		question(&in, cases[i].flags, SERVICE, TYPE_A, cases[i].class);
		tap_is_str(ask(&ports[0], false, 0), cases[i].answer, "%s", cases[i].what);
	}
	question(&in, 0x0110, "Pai-Dlc-Vpc.cn-hangzhou.aliyuncs.com", TYPE_A, 1);
	(void)ask(&ports[0], false, 0);
	tap_is_int(get_u16(&out, 0), 0x1234, "the identifier comes back");
	tap_is_int(get_u16(&out, 2), 0x8590,
		   "so do recursion desired and checking disabled; recursion is available");
	tap_ok(memcmp(out.data + 12, in.data + 12, in.size - 12) == 0,
	       "the question comes back as it was spelt");
	tap_ok(out.size == in.size + 2 * 16, "records point to the question's name");
}

static void test_malformed(void)
{
	for (size_t size = 0; size < 12; size++) {
		question(&in, 0x0100, SERVICE, TYPE_A, 1);
		in.size = size;
		if (!streq(ask(&ports[0], false, 0), "silence"))
			break;
		if (size == 11)
			tap_ok(true, "what is shorter than a header is not answered");
	}
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	for (size_t size = in.size - 1; size >= 12; size--) {
		in.size = size;
		if (!streq(ask(&ports[0], false, 0), "FORMERR"))
			break;
		if (size == 12)
			tap_ok(true, "a question that is cut anywhere is FORMERR");
	}
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	in.data[5] = 2;
	tap_is_str(ask(&ports[0], false, 0), "FORMERR", "two questions are FORMERR");
	in.data[5] = 0;
	tap_is_str(ask(&ports[0], false, 0), "FORMERR", "no question is FORMERR");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	in.data[7] = 1;
	tap_is_str(ask(&ports[0], false, 0), "FORMERR", "a question with an answer is FORMERR");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	in.data[11] = 1;
	tap_is_str(ask(&ports[0], false, 0), "FORMERR", "a record that is announced and missing is FORMERR");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	in.data[12] = 0xc0;
	in.data[13] = 12;
	tap_is_str(ask(&ports[0], false, 0), "FORMERR", "a name that points to itself is FORMERR");
	question(&in, 0x0100, "", TYPE_A, 1);
	in.size = 12;
	for (int i = 0; i < 60; i++)
		put_name(&in, "abcdef"), in.size--;
	in.data[in.size++] = 0;
	put_u16(&in, TYPE_A);
	put_u16(&in, 1);
	tap_is_str(ask(&ports[0], false, 0), "FORMERR", "a name longer than 255 bytes is FORMERR");
}

static void test_edns(void)
{
	static const struct {
		uint16_t size;
		bool tcp;
		const char *answer;
	} cases[] = {
		{0, false, "NOERROR aa tc"},
		{512, false, "NOERROR aa tc opt=1232"},
		{100, false, "NOERROR aa tc opt=1232"},
		{1000, false, "NOERROR aa tc opt=1232"},
	};
	char text[128];

	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	add_opt(&in, 4096, 0, true);
	tap_is_str(ask(&ports[0], false, 0), "NOERROR aa 10.0.1.50 10.0.2.50 opt=1232/do",
		   "EDNS is answered with EDNS");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	add_opt(&in, 4096, 1, false);
	tap_is_str(ask(&ports[0], false, 0), "NOERROR opt=1232/badvers",
		   "another version of EDNS is BADVERS");
	question(&in, 0x0100, "nope.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 1);
	add_opt(&in, 4096, 0, false);
	tap_is_str(ask(&ports[0], false, 0), "NXDOMAIN aa soa opt=1232", "also beside an SOA");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		question(&in, 0x0100, "many.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 1);
		if (cases[i].size)
			add_opt(&in, cases[i].size, 0, false);
		tap_is_str(ask(&ports[0], false, 0), cases[i].answer, "sixty addresses and a limit of %u: %s",
			   cases[i].size, cases[i].answer);
		tap_ok(out.size <= 512, "and no more bytes than that");
	}
	question(&in, 0x0100, "many.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 1);
	add_opt(&in, 4096, 0, false);
	snprintf(text, sizeof(text), "%.38s", ask(&ports[0], false, 0));
	tap_is_str(text, "NOERROR aa 10.1.0.0 10.1.0.1 10.1.0.2 ", "they fit what EDNS allows");
	question(&in, 0x0100, "many.cn-hangzhou.privatelink.aliyuncs.com", TYPE_A, 1);
	(void)ask(&ports[0], true, 0);
	tap_is_int(get_u16(&out, 6), 60, "and they all fit into an answer by TCP");
}

/* A record behind the question; the size of its data is written when it is there. */
static size_t begin_record(struct message *m, uint16_t type)
{
	m->data[11]++;
	m->data[m->size++] = 0;
	put_u16(m, type);
	put_u16(m, 1);
	put_u16(m, 0);
	put_u16(m, 0);
	put_u16(m, 0);
	return m->size;
}

static void end_record(struct message *m, size_t start)
{
	size_t size = m->size - start;

	m->data[start - 2] = (uint8_t)(size >> 8);
	m->data[start - 1] = (uint8_t)size;
}

/* A signature by the key "k", as far as anybody looks at it here. */
static void add_tsig(struct message *m)
{
	size_t start;

	m->data[11]++;
	put_name(m, "k");
	put_u16(m, TYPE_TSIG);
	put_u16(m, 255);
	put_u16(m, 0);
	put_u16(m, 0);
	put_u16(m, 0);
	start = m->size;
	for (int i = 0; i < 30; i++)
		m->data[m->size++] = 0xc0;
	end_record(m, start);
}

/* A host identity whose opaque fields hold a chain of pointers, behind which names begin with its far end:
 * who follows them goes the whole way for each. */
static void add_hip(struct message *m, size_t n_pointers, size_t n_names)
{
	size_t start = begin_record(m, TYPE_HIP), first;

	put_u16(m, 0); /* no tag, no algorithm */
	put_u16(m, (uint16_t)(2 * n_pointers));
	first = m->size;
	for (size_t i = 0; i < n_pointers; i++)
		put_u16(m, (uint16_t)(0xc000 | (i ? first + 2 * i - 2 : DNS_MSG_HEADER_SIZE)));
	for (size_t i = 0; i < n_names; i++)
		put_u16(m, (uint16_t)(0xc000 | (first + 2 * n_pointers - 2)));
	end_record(m, start);
}

static void add_txt(struct message *m, size_t n_strings)
{
	size_t start = begin_record(m, TYPE_TXT);

	memset(m->data + m->size, 0, n_strings);
	m->size += n_strings;
	end_record(m, start);
}

/* What is said to the question, that it goes upstream unless it is malformed, and that of all this ldns read
 * at most the question. */
static void check_additional(const char *what, const char *answer)
{
	const struct dns_msg_request request = {in.data, in.size, &plan, &ports[0], false, 0};
	bool is_good = !streq(answer, "FORMERR");
	size_t bare_size = skip_name(&in, DNS_MSG_HEADER_SIZE) + 4;
	struct message query = {.size = 0};

	ldns_read = 0;
	tap_is_str(ask(&ports[0], false, 0), answer, "%s: %s", what, answer);
	tap_is_int(dns_msg_query(&request, 1, query.data, &query.size), is_good ? 0 : -EBADMSG,
		   is_good ? "it can be asked upstream" : "nor is there anything to ask upstream");
	tap_is_int(ldns_read, is_good ? bare_size : 0,
		   is_good ? "ldns reads the question alone" : "ldns reads nothing of it");
}

/* What stands behind a question can be as long to read as its sender likes. */
static void test_long_additional(void)
{
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	add_hip(&in, 700, 255);
	add_hip(&in, 700, 255);
	tap_ok(in.size <= DNS_MSG_REQUEST_SIZE_MAX, "a question may be so long");
	check_additional("names behind a long chain of pointers", "NOERROR aa 10.0.1.50 10.0.2.50");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	add_txt(&in, 4000);
	check_additional("four thousand empty texts", "NOERROR aa 10.0.1.50 10.0.2.50");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	in.data[11] = 1;
	put_u16(&in, (uint16_t)(0xc000 | in.size));
	check_additional("an owner that points to itself", "FORMERR");
}

static void test_additional(void)
{
	size_t size, owner;

	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	add_tsig(&in);
	check_additional("a signature", "NOERROR aa 10.0.1.50 10.0.2.50");
	add_opt(&in, 4096, 0, true);
	check_additional("EDNS behind a signature", "NOERROR aa 10.0.1.50 10.0.2.50 opt=1232/do");
	in.size--;
	check_additional("a record that is cut", "FORMERR");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	add_opt(&in, 4096, 0, true);
	size = in.size;
	add_opt(&in, 4096, 0, true);
	check_additional("EDNS twice", "FORMERR");
	in.size = size;
	in.data[11] = 1;
	in.data[size - 1] = 1;
	check_additional("data that is announced and missing", "FORMERR");

	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	owner = in.size;
	add_tsig(&in);
	in.data[owner + 4] = TYPE_OPT;
	check_additional("EDNS of another name than the root", "FORMERR");
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	in.data[11] = 1;
	put_u16(&in, 0xc000 | DNS_MSG_HEADER_SIZE);
	memset(in.data + in.size, 0, 10);
	in.size += 10;
	check_additional("an owner that is a pointer", "FORMERR");
}

static void test_forwarding(void)
{

	struct dns_msg_request request = {.plan = &plan, .asker = &ports[0]};
	struct message query = {.size = 0}, reply;

	question(&in, 0x0130, "ExAmple.com", TYPE_A, 1);
	add_opt(&in, 4096, 0, true);
	in.data[in.size - 1] = 4; /* an option that we know nothing of */
	put_u16(&in, 10);
	put_u16(&in, 0);
	request.data = in.data;
	request.size = in.size;
	tap_is_int(dns_msg_query(&request, 0xbeef, query.data, &query.size), 0,
		   "a query is made of the request");
	tap_is_int(get_u16(&query, 0), 0xbeef, "with an identifier of our own");
	tap_is_int(get_u16(&query, 2), 0x0110, "with the flags that we know");
	tap_ok(memcmp(query.data + 12, in.data + 12, 17) == 0, "with the question as it was spelt");
	tap_is_str(describe(&query), "NOERROR opt=1232/do", "and of EDNS what we understand");

	reply = query;
	reply.data[2] |= 0x80;
	tap_ok(dns_msg_is_reply(query.data, query.size, reply.data, reply.size), "its reply is known");
	reply.data[13] = 'e';
	tap_ok(dns_msg_is_reply(query.data, query.size, reply.data, reply.size),
	       "also if the name comes in another case");
	reply.data[14] = 'y';
	tap_ok(!dns_msg_is_reply(query.data, query.size, reply.data, reply.size), "another name is no reply");
	reply = query;
	reply.data[2] |= 0x80;
	reply.data[0] ^= 1;
	tap_ok(!dns_msg_is_reply(query.data, query.size, reply.data, reply.size),
	       "another identifier is no reply");
	reply = query;
	tap_ok(!dns_msg_is_reply(query.data, query.size, reply.data, reply.size), "a query is no reply");
	reply.data[2] |= 0x80;
	reply.data[26] = TYPE_AAAA;
	tap_ok(!dns_msg_is_reply(query.data, query.size, reply.data, reply.size), "another type is no reply");
	tap_ok(!dns_msg_is_reply(query.data, query.size, reply.data, 12), "a header alone is no reply");
}

int main(void)
{
	make_plan();
	test_names();
	test_local_zones();
	test_reverse();
	test_own_names();
	test_order();
	test_header();
	test_malformed();
	test_edns();
	test_long_additional();
	test_additional();
	test_forwarding();
	return tap_done();
}
