/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HealthCheckConfig: how the servers of a group are probed. What is given replaces what the row has. What
 * only another type of probe reads is kept for it.
 */
#include <strings.h>

#include "actions.h"

#define IN_CONFIG "HealthCheckConfig."

static const char *const codes[] = {"http_2xx", "http_3xx", "http_4xx", "http_5xx", NULL};

static uint32_t read_number(const json_t *config, const char *name, uint32_t otherwise)
{
	const json_t *value = json_object_get(config, name);

	return json_is_integer(value) ? (uint32_t)json_integer_value(value) : otherwise;
}

/* A word that the table has checked: whether it is this one. */
static bool read_word(const json_t *config, const char *name, const char *word, bool otherwise)
{
	const char *text = member_string(config, name);

	return text && text[0] ? strcasecmp(text, word) == 0 : otherwise;
}

/* An empty one takes back what was given. */
static void read_method(const json_t *config, struct server_group *row)
{
	const char *text = member_string(config, "HttpCheckMethod");

	if (!text)
		return;
	row->health_by_head = strcasecmp(text, "HEAD") == 0;
	row->health_get_given = strcasecmp(text, "GET") == 0;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static int read_url(struct call *call, const json_t *config, struct server_group *row)
{
	const char *text = member_string(config, "HealthCheckUrl");

	if (!text)
		return 0;
	if (text[0] && (text[0] != '/' || !is_printable(text) || strchr(text, ' ') ||
			str_copy(row->health_url, sizeof(row->health_url), text) < 0))
		return nlb_fail_value(
			call, IN_CONFIG "HealthCheckUrl",
			"It has 1 to 80 characters of ASCII without blanks, the first one '/'.");
	if (!text[0])
		row->health_url[0] = '\0';
	return 0;
}

static int read_domain(struct call *call, const json_t *config, struct server_group *row)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	const char *text = member_string(config, "HealthCheckDomain");

	if (!text)
		return 0;
	if ((!streq(text, "$SERVER_IP") && strspn(text, allowed) != strlen(text)) ||
	    str_copy(row->health_domain, sizeof(row->health_domain), text) < 0)
		return nlb_fail_value(call, IN_CONFIG "HealthCheckDomain",
				      "It is $SERVER_IP, or 1 to 80 letters, digits, '-', '_' and '.'.");
	return 0;
}

static int read_codes(struct call *call, const json_t *config, struct server_group *row)
{
	const json_t *list = json_object_get(config, "HealthCheckHttpCode"), *item;
	size_t i;

	if (!json_is_array(list))
		return 0;
	row->n_health_codes = 0;
	json_array_foreach(list, i, item) {
		const char *text = json_string_value(item);
		const char *const *code = codes;

		while (*code && (!text || strcasecmp(text, *code) != 0))
			code++;
		if (!*code || row->n_health_codes == PROBE_CODES_MAX)
			return nlb_fail_value(
				call, IN_CONFIG "HealthCheckHttpCode",
				"Its entries are http_2xx, http_3xx, http_4xx and http_5xx, once each.");
		(void)str_copy(row->health_codes[row->n_health_codes++], WORD_SIZE, *code);
	}
	return 0;
}

static int read_datagram(struct call *call, const json_t *config, const char *name, const char *param,
			 char ret[PROBE_DATAGRAM_SIZE])
{
	const char *text = member_string(config, name);

	if (text && (!is_printable(text) || str_copy(ret, PROBE_DATAGRAM_SIZE, text) < 0))
		return nlb_fail_value(call, param, "It has up to 64 characters of ASCII that print.");
	return 0;
}

/* What probes by HTTP go by where nobody said otherwise, so that it is told. */
static void fill_http(struct server_group *row)
{
	if (!row->n_health_codes)
		(void)str_copy(row->health_codes[row->n_health_codes++], WORD_SIZE, codes[0]);
	if (!row->health_url[0])
		(void)str_copy(row->health_url, sizeof(row->health_url), "/");
	if (!row->health_domain[0])
		(void)str_copy(row->health_domain, sizeof(row->health_domain), "$SERVER_IP");
}

static int read_type(struct call *call, const json_t *config, struct server_group *row)
{
	if (read_word(config, "HealthCheckType", "TCP", row->health_type == PROBE_TCP))
		row->health_type = PROBE_TCP;
	else if (read_word(config, "HealthCheckType", "HTTP", row->health_type == PROBE_HTTP))
		row->health_type = PROBE_HTTP;
	else
		row->health_type = PROBE_UDP;
	if (row->health_type == PROBE_HTTP)
		fill_http(row);
	if (row->health_type != PROBE_UDP)
		return 0;
	if (!streq(row->protocol, "UDP"))
		return nlb_fail_value(call, IN_CONFIG "HealthCheckType", "UDP is for server groups of UDP.");
	if (!row->health_request[0] || !row->health_expect[0])
		return nlb_fail_value(call, IN_CONFIG "HealthCheckType",
				      "UDP needs HealthCheckReq and HealthCheckExp: silence says nothing.");
	return 0;
}

int group_read_health(struct call *call, struct server_group *row)
{
	const json_t *config = json_object_get(call->params, "HealthCheckConfig");
	const json_t *enabled = json_object_get(config, "HealthCheckEnabled");
	int r;

	if (json_is_boolean(enabled))
		row->health_enabled = json_is_true(enabled);
	row->health_port = read_number(config, "HealthCheckConnectPort", row->health_port);
	row->health_timeout_s = read_number(config, "HealthCheckConnectTimeout", row->health_timeout_s);
	row->health_interval_s = read_number(config, "HealthCheckInterval", row->health_interval_s);
	row->healthy_threshold = read_number(config, "HealthyThreshold", row->healthy_threshold);
	row->unhealthy_threshold = read_number(config, "UnhealthyThreshold", row->unhealthy_threshold);
	read_method(config, row);
	row->health_http_1_1 = read_word(config, "HealthCheckHttpVersion", "HTTP1.1", row->health_http_1_1);
	r = read_url(call, config, row);
	if (r == 0)
		r = read_domain(call, config, row);
	if (r == 0)
		r = read_codes(call, config, row);
	if (r == 0)
		r = read_datagram(call, config, "HealthCheckReq", IN_CONFIG "HealthCheckReq",
				  row->health_request);
	if (r == 0)
		r = read_datagram(call, config, "HealthCheckExp", IN_CONFIG "HealthCheckExp",
				  row->health_expect);
	return r < 0 ? r : read_type(call, config, row);
}
