/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that come in, and words that go out.
 */
#include "words.h"

#include "../../model/check.h"
#include "../frame/shape.h"
#include "actions.h"
#include "admission.h"

const char *service_label(const struct service *service)
{
	return service->product[0] ? service->product : service->id;
}

const char *service_type(const struct service *service)
{
	return streq(service->resource_type, "gwlb") ? "GatewayLoadBalancer" : "Interface";
}

int read_name(struct call *call, const char *param, const char **ret)
{
	const char *text = call_string(call, param);

	if (!text || !text[0])
		return 0;
	if (!check_name(text, false) || strlen(text) >= NAME_SIZE)
		return call_fail_param(
			call, param,
			"It must be of 2 to 128 characters, first a letter, then also digits, - and _.");
	*ret = text;
	return 0;
}

int read_description(struct call *call, const char *param, const char **ret)
{
	const char *text = call_string(call, param);

	if (!text || !text[0])
		return 0;
	if (!check_description(text) || strlen(text) >= TEXT_SIZE)
		return call_fail_param(
			call, param,
			"It must be of 2 to 256 characters and not start with http:// or https://.");
	*ret = text;
	return 0;
}

/* How long it may be the API does not say, so as long as other descriptions. */
int read_service_description(struct call *call, char ret[TEXT_SIZE])
{
	const char *text = call_string(call, "ServiceDescription");
	int n = text ? utf8_length(text) : 0;

	if (n < 0 || n > 256 || (text && str_copy(ret, TEXT_SIZE, text) < 0))
		return call_fail_param(call, "ServiceDescription", "It must be of 256 characters at most.");
	return 0;
}

int check_ip_version(struct call *call)
{
	const char *version = call_string(call, "AddressIpVersion");

	if (call_bool(call, "ServiceSupportIPv6", false) || (version && !streq(version, "IPv4")))
		return call_fail(call, "EndpointServiceNotSupportIpv6");
	return 0;
}

static bool is_dual(const struct service *service)
{
	return streq(service->ip_version, "DualStack");
}

int read_service_ip_version(struct call *call, struct service *row)
{
	const char *version = call_string(call, "AddressIpVersion");
	bool was_dual = is_dual(row), wish = call_bool(call, "ServiceSupportIPv6", was_dual);

	if (version)
		wish = streq(version, "DualStack");
	if (was_dual && !wish)
		return call_fail(call, "EndpointServiceDowngradeNotAllowed");
	if (wish && !streq(row->resource_type, "nlb") && !streq(row->resource_type, "gwlb"))
		return call_fail(call, "EndpointServiceNotSupportIpv6");
	if (wish && (json_array_size(call_list(call, "Resource")) > 0 ||
		     snapshot_count_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, row->id) > 0))
		return call_fail(call, "ServiceResourceNotSupportIpv6");
	(void)str_copy(row->ip_version, sizeof(row->ip_version), wish ? "DualStack" : "IPv4");
	return 0;
}

void answer_ip_support(json_t *object, const struct service *service)
{
	answer_bool(object, "ServiceSupportIPv6", is_dual(service));
}

void answer_service_zones(const struct call *call, json_t *object, const char *service)
{
	json_t *list = shape_list(object, "Zones");

	for (const struct service_resource *r = NULL;
	     (r = snapshot_children(call->rows, REF_SERVICE_RESOURCE_SERVICE, service, r));)
		if (!list_has(list, r->zone))
			shape_text(list, r->zone);
}
