/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is "kind target zone result code latency text", separated by tabs. The row's size has room for as
 * many as there can be, so nothing is ever cut.
 */
#include "connectivity.h"

#include <stdio.h>

#define FIELDS 7

_Static_assert(CONNECTIVITY_NAMES_MAX *(DOMAIN_SIZE + CONNECTIVITY_TEXT_SIZE + CONNECTIVITY_CODE_SIZE + 40) +
			       CONNECTIVITY_ZONE_STEPS * ENDPOINT_ZONES_MAX *
				       (sizeof("Connect") + sizeof("255.255.255.255:65535") + ZONE_SIZE +
					sizeof("Skipped") + CONNECTIVITY_CODE_SIZE + sizeof("100000000") +
					CONNECTIVITY_TEXT_SIZE) <
		       CONNECTIVITY_STEPS_SIZE,
	       "all steps fit their row");

const char *const connectivity_kind_names[] = {"Name", "Ping", "Connect", "Tls", "Head", NULL};
const char *const connectivity_result_names[] = {"", "Ok", "Failed", "Skipped", NULL};

bool connectivity_port_has_tls(uint32_t port)
{
	return port == 443 || port == 8443;
}

bool connectivity_port_has_http(uint32_t port)
{
	return connectivity_port_has_tls(port) || port == 80 || port == 8080;
}

static void add(struct connectivity_step *steps, size_t *n, enum connectivity_kind kind, const char *target,
		const char *zone)
{
	struct connectivity_step *step = &steps[(*n)++];

	*step = (struct connectivity_step){.kind = kind};
	(void)str_copy(step->target, sizeof(step->target), target);
	(void)str_copy(step->zone, sizeof(step->zone), zone);
}

static void add_zone(struct connectivity_step *steps, size_t *n, const struct endpoint_zone *zone,
		     uint32_t port)
{
	char addr[NETADDR_TEXT_SIZE], target[CONNECTIVITY_PORT_TEXT];

	netaddr_format(&zone->addr, addr);
	(void)str_format(target, sizeof(target), "%s:%u", addr, port);
	add(steps, n, CONNECTIVITY_PING, addr, zone->zone);
	add(steps, n, CONNECTIVITY_CONNECT, target, zone->zone);
	if (connectivity_port_has_tls(port))
		add(steps, n, CONNECTIVITY_TLS, target, zone->zone);
	if (connectivity_port_has_http(port))
		add(steps, n, CONNECTIVITY_HEAD, target, zone->zone);
}

size_t connectivity_plan(const struct snapshot *rows, const struct endpoint *endpoint, uint32_t port,
			 struct connectivity_step *ret)
{
	const struct service *service = snapshot_service(rows, endpoint->service);
	size_t n = 0, zones = 0;

	add(ret, &n, CONNECTIVITY_NAME, endpoint->domain, "");
	if (service && *service->private_domain)
		add(ret, &n, CONNECTIVITY_NAME, service->private_domain, "");
	for (const struct endpoint_zone *z = NULL;
	     (z = snapshot_children(rows, REF_ENDPOINT_ZONE_ENDPOINT, endpoint->id, z));)
		if (netaddr_is_v4(&z->addr) && zones++ < ENDPOINT_ZONES_MAX)
			add_zone(ret, &n, z, port);
	return n;
}

int connectivity_write(const struct connectivity_step *steps, size_t n, char ret[CONNECTIVITY_STEPS_SIZE])
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct connectivity_step *step = &steps[i];
		const struct connectivity_outcome *outcome = &step->outcome;
		int r = str_format(ret + used, CONNECTIVITY_STEPS_SIZE - used, "%s\t%s\t%s\t%s\t%s\t%u\t%s\n",
				   connectivity_kind_names[step->kind], step->target, step->zone,
				   connectivity_result_names[outcome->result], outcome->code,
				   outcome->latency_us, outcome->text);

		if (r < 0)
			return r;
		used += (size_t)r;
	}
	return 0;
}

static int find_word(const char *const *names, const char *word)
{
	for (int i = 0; names[i]; i++)
		if (streq(names[i], word))
			return i;
	return -EBADMSG;
}

static int read_line(char *line, struct connectivity_step *ret)
{
	char *fields[FIELDS], *rest = line, *end;
	unsigned long latency_us;
	int kind, result;
	size_t n = 0;

	while (n < FIELDS && (fields[n] = strsep(&rest, "\t")))
		n++;
	if (n < FIELDS || rest)
		return -EBADMSG;
	kind = find_word(connectivity_kind_names, fields[0]);
	result = find_word(connectivity_result_names, fields[3]);
	latency_us = strtoul(fields[5], &end, 10);
	if (kind < 0 || result < 0 || *end || latency_us > CONNECTIVITY_LATENCY_MAX_US)
		return -EBADMSG;
	*ret = (struct connectivity_step){.kind = (enum connectivity_kind)kind};
	ret->outcome.result = (enum connectivity_result)result;
	ret->outcome.latency_us = (uint32_t)latency_us;
	if (str_copy(ret->target, sizeof(ret->target), fields[1]) < 0 ||
	    str_copy(ret->zone, sizeof(ret->zone), fields[2]) < 0 ||
	    str_copy(ret->outcome.code, sizeof(ret->outcome.code), fields[4]) < 0 ||
	    str_copy(ret->outcome.text, sizeof(ret->outcome.text), fields[6]) < 0)
		return -EBADMSG;
	return 0;
}

int connectivity_read(const char *text, struct connectivity_step *ret, size_t *ret_n)
{
	_cleanup_(freep) char *copy = strdup(text);
	char *rest = copy, *line;
	size_t n = 0;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n")) && rest) {
		int r = n < CONNECTIVITY_STEPS_MAX ? read_line(line, &ret[n]) : -EBADMSG;

		if (r < 0)
			return r;
		n++;
	}
	*ret_n = n;
	return 0;
}

static bool is_word(const char *s)
{
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9'))
			return false;
	return true;
}

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

bool connectivity_outcome_is_good(const struct connectivity_outcome *outcome)
{
	return outcome->result != CONNECTIVITY_NONE && is_word(outcome->code) &&
	       is_printable(outcome->text) && (outcome->result == CONNECTIVITY_OK) == !outcome->code[0] &&
	       outcome->latency_us <= CONNECTIVITY_LATENCY_MAX_US;
}

void connectivity_text(const char *text, char ret[CONNECTIVITY_TEXT_SIZE])
{
	size_t n = 0;

	for (; text[n] && n < CONNECTIVITY_TEXT_SIZE - 1; n++)
		ret[n] = (char)(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?');
	ret[n] = '\0';
}

/* Of the steps of one zone, or of those without one. */
static bool is_reached(const struct connectivity_step *steps, size_t n, const char *zone)
{
	bool is_open = !*zone;

	for (size_t i = 0; i < n; i++) {
		enum connectivity_result result = steps[i].outcome.result;

		if (!streq(steps[i].zone, zone) || steps[i].kind == CONNECTIVITY_PING)
			continue;
		if (result != CONNECTIVITY_OK && result != CONNECTIVITY_SKIPPED)
			return false;
		is_open = is_open || (steps[i].kind == CONNECTIVITY_CONNECT && result == CONNECTIVITY_OK);
	}
	return is_open;
}

const char *connectivity_verdict(const struct connectivity_step *steps, size_t n)
{
	size_t zones = 0, reached = 0, open = 0;

	for (size_t i = 0; i < n; i++) {
		if (steps[i].kind != CONNECTIVITY_CONNECT)
			continue;
		zones++;
		open += steps[i].outcome.result == CONNECTIVITY_OK;
		reached += is_reached(steps, n, steps[i].zone);
	}
	if (open == 0)
		return "Unreachable";
	return reached == zones && is_reached(steps, n, "") ? "Reachable" : "Partial";
}
