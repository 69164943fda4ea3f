/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetEndpointPath: parameters and answer. What the words of Kind and Code mean is in doc/path.md.
 */
#include "privatelink.h"
#include "privlink.h"

static const char *const protocols[] = {"TCP", "UDP", "ICMP", NULL};
static const char *const endpoint_types[] = {"Interface", "Reverse", "GatewayLoadBalancer", NULL};

const struct param_spec endpoint_path_params[] = {
	{"EndpointId", PARAM_STRING, ASKED("ENDPOINT", "ep-…, or its name")},
	{"Target", PARAM_STRING, .help = "In place of EndpointId: a name or an address that leads to it"},
	{"InstanceId", PARAM_STRING, OPTION("--instance", "from this instance (any one of the VPC)")},
	{"Protocol", PARAM_STRING, .values = protocols, .no_case = true,
	 OPTION("--protocol", "TCP (default), UDP or ICMP, which is ping")},
	{"Port", PARAM_INT, .min = 1, .max = UINT16_MAX,
	 OPTION("--port", "port (the service's first listener's)")},
	/* Of CreateVpcEndpoint, for one that is not made yet. */
	{"VpcId", PARAM_STRING},
	{"ServiceId", PARAM_STRING},
	{"ServiceName", PARAM_STRING},
	{"ServiceRegionId", PARAM_STRING},
	{"EndpointType", PARAM_STRING, .values = endpoint_types},
	{"AddressIpVersion", PARAM_STRING},
	{"CrossRegionBandwidth", PARAM_INT, .min = BANDWIDTH_MIN, .max = CROSS_BANDWIDTH_MAX},
	{"SecurityGroupId", PARAM_LIST, .max = SECURITY_GROUPS_MAX},
	{"Zone", PARAM_STRUCT_LIST, .max = 100, .members = endpoint_zone_params},
	{"ZoneAffinityEnabled", PARAM_BOOL},
	{},
};

static const struct answer_field zone_answer_fields[] = {
	{"ZoneId", A_TEXT},
	{"State", A_TEXT},
	{},
};

static const struct answer_field hop_answer[] = {
	{"Id", A_TEXT},		{"Kind", A_TEXT},
	{"ResourceId", A_TEXT}, {"ZoneId", A_TEXT},
	{"State", A_TEXT},	{"Code", A_TEXT},
	{"Text", A_TEXT},	{"SecurityGroupRuleId", A_TEXT},
	{"Priority", A_NUMBER}, {},
};

static const struct answer_field link_answer[] = {
	{"From", A_TEXT},
	{"To", A_TEXT},
	{},
};

static const struct answer_field cause_answer[] = {
	{"HopId", A_TEXT}, {"Code", A_TEXT}, {"Text", A_TEXT}, {"Turn", A_TEXT}, {},
};

static const struct answer_field fix_answer[] = {
	{"Product", A_TEXT},
	{"Version", A_TEXT},
	{"Action", A_TEXT},
	{"RegionId", A_TEXT},
	{"Parameters", ANSWER_MAP},
	{"Text", A_TEXT},
	{},
};

const struct answer_field endpoint_path_answer[] = {
	{"Verdict", A_TEXT},
	{"Protocol", A_TEXT},
	{"Port", A_NUMBER},
	{"Zones", LIST(NULL, zone_answer_fields)},
	{"Hops", LIST(NULL, hop_answer)},
	{"Links", LIST(NULL, link_answer)},
	{"Cause", AN_OBJECT(cause_answer)},
	{"Fix", AN_OBJECT(fix_answer)},
	{},
};
