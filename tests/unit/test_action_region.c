/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions: those that a service takes endpoints from, and endpoints whose service is in another one.
 */
#include "privatelink_world.h"

/* The regions of Bob's service, as it is got and as it is listed: "cn-beijing cn-hangzhou". */
static const char *regions_of(struct harness *h, const char *service)
{
	static const char *const paths[] = {"SupportedRegionSet", "Services.0.SupportedRegionSet"};
	char texts[2][512] = {};

	for (int i = 0; i < 2; i++) {
		json_t *entry;
		size_t k;

		if (!PL(h, BOB, i ? "ListVpcEndpointServices" : "GetVpcEndpointServiceAttribute",
			REGION "ServiceId=%s", service))
			return h->error.code;
		json_array_foreach(harness_at(h->answer, paths[i]), k, entry) {
			const char *id = json_string_value(json_object_get(entry, "SupportedRegionId"));
			size_t length = strlen(texts[i]);

			harness_must(str_format(texts[i] + length, sizeof(texts[i]) - length, "%s%s",
						k ? " " : "", id),
				     "text");
		}
	}
	return streq(texts[0], texts[1]) ? harness_keep(h, texts[0]) : "(differ)";
}

#define UPDATE(h, service, ...)                                                                              \
	PL(h, BOB, "UpdateVpcEndpointServiceAttribute", REGION "ServiceId=%s&" __VA_ARGS__, service)

static void test_list(struct harness *h)
{
	const char *service;

	service = PL_GET(h, BOB, "ServiceId", "CreateVpcEndpointService",
			 REGION "SupportedRegionList.1=cn-hangzhou&SupportedRegionList.2=cn-beijing"
				"&SupportedRegionList.3=cn-hangzhou");
	tap_is_int(harness_count_of(h, "SupportedRegionSet"), 2, "a service has regions, each once");
	tap_is_str(harness_text(h, "SupportedRegionSet.0.SupportedRegionId"), "cn-hangzhou",
		   "in the order in which they came");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.SupportedRegionId"), "cn-beijing", "both");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.ServiceRegionId"), "cn-hangzhou",
		   "with the service's own");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.RegionServiceStatus"), "Available", "available");
	tap_is_str(harness_text(h, "SupportedRegionSet.1.RegionBusinessStatus"), "Normal", "and normal");
	tap_is_str(regions_of(h, service), "cn-hangzhou cn-beijing", "they are got and listed");
	harness_in_force(h, NODE);

	tap_ok(UPDATE(h, service, "AddSupportedRegionSet.1=cn-shanghai&AddSupportedRegionSet.2=cn-beijing"),
	       "regions are added");
	tap_is_str(regions_of(h, service), "cn-hangzhou cn-beijing cn-shanghai", "those that were not there");
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service);
	tap_is_str(harness_text(h, "ServiceStatus"), "Pending", "the service is being modified");
	harness_in_force(h, NODE);
	PL(h, BOB, "GetVpcEndpointServiceAttribute", REGION "ServiceId=%s", service);
	tap_is_str(harness_text(h, "ServiceStatus"), "Active", "and is active again");
	tap_ok(UPDATE(h, service,
		      "DeleteSupportedRegionSet.1=cn-hangzhou&DeleteSupportedRegionSet.2=cn-beijing"
		      "&DeleteSupportedRegionSet.3=cn-qingdao"),
	       "regions are taken out, the own one, too, and one that is not there");
	tap_is_str(regions_of(h, service), "cn-shanghai", "the other stays");
	tap_ok(UPDATE(h, service, "AddSupportedRegionSet=[\"cn-qingdao\"]"), "one is added as JSON");
	tap_is_str(regions_of(h, service), "cn-shanghai cn-qingdao", "behind the other");
	tap_ok(UPDATE(h, service,
		      "DeleteSupportedRegionSet.1=cn-shanghai&DeleteSupportedRegionSet.2=cn-qingdao"),
	       "all are taken out");
	tap_is_str(regions_of(h, service), "", "the set is empty, and there");
	harness_in_force(h, NODE);
	(void)PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=%s", service);
	harness_in_force(h, NODE);
}

static void test_quota(struct harness *h)
{
	struct service row = {
		.id = "epsrv-full",
		.owner = BOB,
		.region = "cn-hangzhou",
		.status = SERVICE_ACTIVE,
		.n_regions = SERVICE_REGIONS_MAX,
	};

	for (size_t i = 0; i < SERVICE_REGIONS_MAX; i++)
		(void)str_format(row.regions[i], REGION_SIZE, "cn-%zu", i);
	harness_put(h, KIND_SERVICE, &row);
	REFUSED(h, BOB, "QuotaMisMatched", "a region more than a service may have",
		"UpdateVpcEndpointServiceAttribute",
		REGION "ServiceId=epsrv-full&AddSupportedRegionSet.1=cn-beijing");
	tap_ok(UPDATE(h, "epsrv-full", "DeleteSupportedRegionSet.1=cn-7"),
	       "a region that the catalogue has no more can be taken out");
	tap_ok(UPDATE(h, "epsrv-full", "AddSupportedRegionSet.1=cn-beijing"), "then there is room");
	(void)PL(h, BOB, "DeleteVpcEndpointService", REGION "ServiceId=epsrv-full");
	harness_in_force(h, NODE);
}

int main(void)
{
	struct harness h;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(&h);
	(void)make_world(&h);
	test_list(&h);
	test_quota(&h);
	harness_end(&h);
	return tap_done();
}
