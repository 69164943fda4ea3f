/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a probe says to a server, and what it takes for a good answer, as the server's group wants it.
 */
#include "plan_build.h"

#include "../model/serving.h"

#define ALL_SUCCESS (1u << 2)

static uint32_t classes_of(const struct server_group *group)
{
	uint32_t classes = 0;

	for (uint32_t i = 0; i < group->n_health_codes; i++) {
		const char *code = group->health_codes[i]; /* http_2xx */

		if (str_starts(code, "http_") && code[5] >= '1' && code[5] <= '5')
			classes |= 1u << (code[5] - '0');
	}
	return classes ? classes : ALL_SUCCESS;
}

static void say_http(struct plan_probe *probe, const struct server_group *group, const struct server *server)
{
	const char *domain = group->health_domain;
	char address[NETADDR_TEXT_SIZE];

	netaddr_format(&server->addr, address);
	if (!domain[0] || streq(domain, "$SERVER_IP"))
		domain = address;
	probe->good_classes = classes_of(group);
	(void)str_format(probe->say, sizeof(probe->say),
			 "%s %s HTTP/1.%d\r\nHost: %s\r\nUser-Agent: privlink\r\nAccept: */*\r\n"
			 "Connection: close\r\n\r\n",
			 group->health_by_head ? "HEAD" : "GET",
			 group->health_url[0] ? group->health_url : "/", group->health_http_1_1 ? 1 : 0,
			 domain);
}

void plan_probe_say(struct plan_probe *probe, const struct server_group *group, const struct server *server)
{
	probe->type = group->health_type;
	if (serving_is_asked(group)) {
		probe->type = PROBE_UDP;
		probe->silence = true;
		return;
	}
	if (probe->type == PROBE_HTTP)
		say_http(probe, group, server);
	if (probe->type != PROBE_UDP)
		return;
	(void)str_copy(probe->say, sizeof(probe->say), group->health_request);
	(void)str_copy(probe->expect, sizeof(probe->expect), group->health_expect);
}
