/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tenant's question to the resolver. Whatever it is: an answer is one, has its identifier and fits the
 * asker; what is forwarded can be asked upstream, and its own echo counts as a reply.
 */
#include "dns/dns_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UDP_SIZE_MAX DNS_MSG_UDP_SIZE

static char zones[][ZONE_SIZE] = {"cn-hangzhou-h", "cn-hangzhou-i"};
static struct netaddr addrs[] = {{{[10] = 0xff, 0xff, 10, 0, 1, 50}}, {{[10] = 0xff, 0xff, 10, 0, 2, 50}}};
static struct plan_name names[] = {
	{10, "ep-1.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", addrs, zones, 2, true},
	{10, "pai-dlc-vpc.cn-hangzhou.aliyuncs.com", addrs, zones, 2, false},
};
static struct plan_name *name_list[] = {&names[0], &names[1]};
static struct plan_domain domains[] = {{"cn-hangzhou.privatelink.aliyuncs.com"},
				       {"pai-dlc-vpc.cn-hangzhou.aliyuncs.com"}};
static struct plan_reverse reverse[] = {{10, {{[10] = 0xff, 0xff, 10, 0, 1, 50}}, &names[0]}};
static struct plan_port port = {
	.slot = 16,
	.zone = "cn-hangzhou-i",
	.row.vpc = 10,
	.host_name = "web-1",
	.addr = {{[10] = 0xff, 0xff, 10, 0, 1, 10}},
	.network = {{{[10] = 0xff, 0xff, 30, 1, 0, 0}}, 96 + 20},
};
static uint32_t by_slot;
static const struct plan plan = {
	.names = name_list,
	.n_names = ARRAY_SIZE(name_list),
	.reverse = reverse,
	.n_reverse = ARRAY_SIZE(reverse),
	.domains = domains,
	.n_domains = ARRAY_SIZE(domains),
	.ports = &port,
	.n_ports = 1,
	.ports_by_slot = &by_slot,
};

static void check_forward(const struct dns_msg_request *request)
{
	uint8_t query[DNS_MSG_REQUEST_SIZE_MAX], answer[DNS_MSG_REQUEST_SIZE_MAX];
	size_t size;

	if (dns_msg_query(request, 0xabcd, query, &size) < 0 || size > sizeof(query) ||
	    dns_msg_id(query) != 0xabcd)
		abort();
	memcpy(answer, query, size);
	answer[2] |= 0x80;
	if (!dns_msg_is_reply(query, size, answer, size))
		abort();
	if (dns_msg_error(request->data, request->size, DNS_MSG_SERVFAIL, answer) > sizeof(answer) ||
	    dns_msg_rcode(answer) != DNS_MSG_SERVFAIL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t answer[DNS_MSG_SIZE_MAX];

	for (int tcp = 0; tcp < 2; tcp++) {
		const struct dns_msg_request request = {data, size, &plan, &port, tcp, 1};
		size_t answer_size;

		switch (dns_msg_answer(&request, answer, &answer_size)) {
		case DNS_MSG_ANSWER:
			if (answer_size < DNS_MSG_HEADER_SIZE ||
			    (!tcp && answer_size > MAX((size_t)UDP_SIZE_MAX, size)) ||
			    dns_msg_id(answer) != dns_msg_id(data) || !(answer[2] & 0x80))
				abort();
			break;
		case DNS_MSG_FORWARD:
			check_forward(&request);
			break;
		case DNS_MSG_SILENCE:
			break;
		}
	}
	return 0;
}
