/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions and answers of the VPCs' resolver, byte for byte where it matters: questions are written by hand
 * here, and answers read by hand, so that ldns does not check itself.
 */
#include "dns/dns_msg.h"

#include "tests/tap.h"

#define ZONE_H	 "cn-hangzhou-h"
#define ZONE_I	 "cn-hangzhou-i"
#define SERVICE	 "pai-dlc-vpc.cn-hangzhou.aliyuncs.com"
#define ENDPOINT "ep-1.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com"

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_SOA = 6,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_OPT = 41,
	TYPE_HTTPS = 65,
	TYPE_AXFR = 252,
	TYPE_ANY = 255,
	TYPE_CAA = 257
};

static struct netaddr service_addrs[2], endpoint_addrs[2], many_addrs[60];
static char zones[60][ZONE_SIZE] = {ZONE_H, ZONE_I};
static struct plan_name names[5];
static struct plan_domain domains[] = {{"cn-hangzhou.privatelink.aliyuncs.com"}, {SERVICE}};
static struct plan_port ports[2];
static uint32_t ports_by_slot[] = {0, 1};
static struct plan plan = {
	.revision = 77,
	.names = names,
	.n_names = 5,
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

static void make_plan(void)
{
	(void)netaddr_parse("10.0.1.50", &service_addrs[0]);
	(void)netaddr_parse("10.0.2.50", &service_addrs[1]);
	(void)netaddr_parse("10.0.1.50", &endpoint_addrs[0]);
	(void)netaddr_parse("10.0.2.50", &endpoint_addrs[1]);
	for (uint32_t i = 0; i < ARRAY_SIZE(many_addrs); i++)
		many_addrs[i] = netaddr_v4(0x0a010000 + i);
	name(0, 10, ENDPOINT, endpoint_addrs, 2, true);
	name(1, 10, "ep-2.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", NULL, 0, false);
	name(2, 10, "many.cn-hangzhou.privatelink.aliyuncs.com", many_addrs, ARRAY_SIZE(many_addrs), false);
	name(3, 10, SERVICE, service_addrs, 2, false);
	name(4, 12, SERVICE, service_addrs, 1, false);
	ports[0].slot = 16;
	ports[0].row.vpc = 10;
	(void)str_copy(ports[0].zone, sizeof(ports[0].zone), ZONE_I);
	ports[1].slot = 17;
	ports[1].row.vpc = 11;
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

/* The answer in one line: "NOERROR aa 10.0.1.50 10.0.2.50", "NXDOMAIN aa soa", "NOERROR tc opt=1232". A time to live
 * that is not TTL_S is told, too. */
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

static struct message in, out;

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

static void test_order(void)
{
	question(&in, 0x0100, SERVICE, TYPE_A, 1);
	tap_is_str(ask(&ports[0], false, 1), "NOERROR aa 10.0.2.50 10.0.1.50", "addresses turn around");
	question(&in, 0x0100, ENDPOINT, TYPE_A, 1);
	tap_is_str(ask(&ports[0], false, 0), "NOERROR aa 10.0.2.50 10.0.1.50",
		   "with affinity the asker's zone is first");
	tap_is_str(ask(&ports[0], false, 1), "NOERROR aa 10.0.2.50 10.0.1.50", "however they turn");
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
	test_order();
	test_header();
	test_malformed();
	test_edns();
	test_forwarding();
	return tap_done();
}
