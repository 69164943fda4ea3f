/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NLB: server groups and their servers.
 */
#include "limits.h"
#include "nlb.h"

static const char *const ip_versions[] = {"Ipv4", NULL};

const struct answer_field job_answer[] = {
	{"JobId", A_TEXT},
	{},
};

static const char *const types[] = {"Instance", "Ip", NULL};

const char *const nlb_protocols[] = {"TCP", "UDP", NULL};

const char *const nlb_schedulers[] = {"Wrr", "Wlc", "Rr", "Sch", "Tch", "Qch", NULL};

static const char *const probe_types[] = {"TCP", "HTTP", "UDP", NULL},
			 *const probe_methods[] = {"GET", "HEAD", NULL},
			 *const probe_versions[] = {"HTTP1.0", "HTTP1.1", NULL};

static const struct param_spec health_params[] = {
	{"HealthCheckEnabled", PARAM_BOOL},
	{"HealthCheckType", PARAM_STRING, .values = probe_types, .no_case = true,
	 OPTION("--health-type", "TCP (default), HTTP or UDP")},
	{"HttpCheckMethod", PARAM_STRING, .values = probe_methods, .no_case = true, .empty_clears = true,
	 OPTION("--health-method", "of HTTP: GET (default) or HEAD")},
	{"HealthCheckUrl", PARAM_STRING, OPTION("--health-url", "of HTTP: path")},
	{"HealthCheckDomain", PARAM_STRING,
	 OPTION("--health-domain", "of HTTP: host name; $SERVER_IP (default): the address")},
	{"HealthCheckHttpVersion", PARAM_STRING, .values = probe_versions, .no_case = true,
	 OPTION("--health-http", "HTTP1.0 (default) or HTTP1.1")},
	{"HealthCheckHttpCode", PARAM_LIST, .max = PROBE_CODES_MAX,
	 OPTION("--health-code", "of HTTP: codes of a healthy server: http_2xx (default), …")},
	{"HealthCheckReq", PARAM_STRING, OPTION("--health-request", "of UDP: what is sent")},
	{"HealthCheckExp", PARAM_STRING, OPTION("--health-expect", "of UDP: the answer")},
	{"HealthCheckConnectPort", PARAM_INT, .min = 0, .max = 65535,
	 OPTION("--health-port", "port to probe (0: the server's)")},
	{"HealthCheckConnectTimeout", PARAM_INT, .min = 1, .max = 300,
	 OPTION("--health-timeout", "seconds that a probe waits")},
	{"HealthCheckInterval", PARAM_INT, .min = 1, .max = 50,
	 OPTION("--health-interval", "seconds between probes")},
	{"HealthyThreshold", PARAM_INT, .min = 2, .max = 10,
	 OPTION("--healthy-threshold", "answers that make a server healthy")},
	{"UnhealthyThreshold", PARAM_INT, .min = 2, .max = 10,
	 OPTION("--unhealthy-threshold", "misses that make it unhealthy")},
	{},
};

const struct param_spec server_group_create_params[] = {
	{"ServerGroupName", PARAM_STRING, .required = true, OPTION("--name", "name")},
	{"VpcId", PARAM_STRING, .required = true, OPTION("--vpc", "vpc-…")},
	{"ServerGroupType", PARAM_STRING, .values = types, .no_case = true,
	 OPTION("--type", "Instance (default) or Ip")},
	{"Protocol", PARAM_STRING, .values = nlb_protocols, .no_case = true,
	 OPTION("--protocol", "TCP (default) or UDP")},
	{"AddressIPVersion", PARAM_STRING, .values = ip_versions, .no_case = true},
	{"Scheduler", PARAM_STRING, .values = nlb_schedulers, .no_case = true,
	 OPTION("--scheduler", "Wrr (default) or Tch: both by a hash of a flow's ends, by weight")},
	{"PreserveClientIpEnabled", PARAM_BOOL,
	 .help = "told as it was given: servers see translated addresses of clients of endpoints either way"},
	{"ConnectionDrainEnabled", PARAM_BOOL,
	 .help = "true: TCP connections of a server that is removed, or gets weight 0, end after a time"},
	{"ConnectionDrainTimeout", PARAM_INT, .min = 0, .max = 900, .help = "that time; 10 if not given"},
	{"IpVersionAffinityMode", PARAM_STRING, .help = "not served"},
	{"AnyPortEnabled", PARAM_BOOL, .help = "only false is served"},
	{"HealthCheckConfig", PARAM_STRUCT, .members = health_params},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "rg-…")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params,
	 OPTION("--tag", "KEY,VALUE"), .parts = 2},
	{},
};

const struct param_spec server_group_id_params[] = {
	{"ServerGroupId", PARAM_STRING, .required = true, OPTION("GROUP", "sgp-…")},
	{},
};

const struct param_spec server_group_list_params[] = {
	{"ServerGroupIds", PARAM_LIST, .max = 100},
	{"ServerGroupNames", PARAM_LIST, .max = 100},
	{"ServerGroupType", PARAM_STRING},
	{"VpcId", PARAM_STRING, OPTION("--vpc", "only in this VPC")},
	{"ResourceGroupId", PARAM_STRING, OPTION("--resource-group", "only in this one")},
	{"Tag", PARAM_STRUCT_LIST, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"MaxResults", PARAM_INT, .min = 1, .max = 100},
	{},
};

const struct param_spec server_group_update_params[] = {
	{"ServerGroupId", PARAM_STRING, .required = true},
	{"ServerGroupName", PARAM_STRING},
	{"Scheduler", PARAM_STRING, .values = nlb_schedulers, .no_case = true,
	 .help = "Wrr or Tch: both by a hash of a flow's ends, by weight"},
	{"PreserveClientIpEnabled", PARAM_BOOL,
	 .help = "told as it was given: servers see translated addresses of clients of endpoints either way"},
	{"ConnectionDrainEnabled", PARAM_BOOL,
	 .help = "true: TCP connections of a server that is removed, or gets weight 0, end after a time"},
	{"ConnectionDrainTimeout", PARAM_INT, .min = 0, .max = 900, .help = "that time; 10 if not given"},
	{"IpVersionAffinityMode", PARAM_STRING, .help = "not served"},
	{"HealthCheckConfig", PARAM_STRUCT, .members = health_params},
	{},
};

static const char *const server_types[] = {"Ecs", "Eni", "Ip", NULL};

static const struct param_spec server_members[] = {
	{"ServerId", PARAM_STRING, .required = true},
	{"ServerType", PARAM_STRING, .required = true, .values = server_types},
	{"ServerIp", PARAM_STRING},
	{"Port", PARAM_INT, .required = true, .min = 1, .max = 65535},
	{"Weight", PARAM_INT, .min = 0, .max = 100},
	{"Description", PARAM_STRING},
	{},
};

const struct param_spec server_params[] = {
	{"ServerGroupId", PARAM_STRING, .required = true, OPTION("GROUP", "sgp-…")},
	{"Servers", PARAM_STRUCT_LIST, .required = true, .min = 1, .max = SERVERS_PER_CALL_MAX,
	 .members = server_members},
	{},
};

const struct param_spec server_list_params[] = {
	{"ServerGroupId", PARAM_STRING, ASKED("GROUP", "sgp-…")},
	{"ServerIds", PARAM_LIST, .max = 200},
	{"ServerIps", PARAM_LIST, .max = 200},
	{"MaxResults", PARAM_INT, .min = 1, .max = 100},
	{},
};

/* Of a new server group, and of one that was changed. */
const struct answer_field server_group_job_answer[] = {
	{"ServerGroupId", OF(server_group, id)},
	SAME(job_answer),
	{},
};

static const struct answer_field health_answer[] = {
	{"HealthCheckEnabled", OF(server_group, health_enabled)},
	{"HealthCheckType", OF(server_group, health_type)},
	{"HealthCheckConnectPort", OF(server_group, health_port)},
	{"HealthCheckConnectTimeout", OF(server_group, health_timeout_s)},
	{"HealthCheckInterval", OF(server_group, health_interval_s)},
	{"HealthyThreshold", OF(server_group, healthy_threshold)},
	{"UnhealthyThreshold", OF(server_group, unhealthy_threshold)},
	{"HttpCheckMethod", A_TEXT}, /* of probes by HTTP, or where it was given */
	{"HealthCheckUrl", GIVEN_OF(server_group, health_url)},
	{"HealthCheckDomain", GIVEN_OF(server_group, health_domain)},
	{"HealthCheckHttpVersion", CHOICE_OF(server_group, health_http_1_1, "HTTP1.0", "HTTP1.1")},
	{"HealthCheckHttpCode", OF(server_group, health_codes)},
	{"HealthCheckReq", GIVEN_OF(server_group, health_request)},
	{"HealthCheckExp", GIVEN_OF(server_group, health_expect)},
	{},
};

static const struct answer_field server_group_answer[] = {
	{"ServerGroupId", OF(server_group, id), IN_LIST("Group", 1)},
	{"ServerGroupName", OF(server_group, name), IN_LIST("Name", 2)},
	{"ServerGroupStatus", OF(server_group, status), IN_LIST("Status", 6)},
	{"ServerGroupType", CHOICE_OF(server_group, by_address, "Instance", "Ip")},
	{"VpcId", OF(server_group, vpc), IN_WIDE("VPC", 3)},
	{"RegionId", OF(server_group, region)},
	{"ResourceGroupId", GROUP_OF(server_group)},
	{"Protocol", OF(server_group, protocol), IN_LIST("Protocol", 4)},
	{"Scheduler", A_TEXT},
	{"AddressIPVersion", TEXT("Ipv4")},
	{"AliUid", OF(server_group, owner)},
	{"ServerCount", A_NUMBER, IN_LIST("Servers", 5)},
	{"AnyPortEnabled", FLAG(false)},
	{"PreserveClientIpEnabled", OF(server_group, preserve_client_ip)},
	{"ConnectionDrainEnabled", OF(server_group, drain_enabled)},
	{"ConnectionDrainTimeout", OF(server_group, drain_timeout_s)},
	{"HealthCheck", OBJECT(health_answer)},
	{"RelatedLoadBalancerIds", LIST(NULL, NULL)},
	{"Tags", TAGS(NULL, key_value_answer)},
	{},
};

const struct answer_field server_group_list_answer[] = {
	{"ServerGroups", LIST(NULL, server_group_answer)},
	{},
};

static const struct answer_field server_answer[] = {
	{"ServerGroupId", OF(server, group)},
	{"ServerId", OF(server, server_id), IN_LIST("Server", 1)},
	{"ServerType", OF(server, type), IN_LIST("Type", 2)},
	{"ServerIp", OF(server, addr), IN_LIST("Address", 3)},
	{"Port", OF(server, port), IN_LIST("Port", 4)},
	{"Weight", OF(server, weight), IN_LIST("Weight", 5)},
	{"ZoneId", OF(server, zone), IN_WIDE("Zone", 6)},
	{"Description", OF(server, description)},
	{"Status", OF(server, status), IN_LIST("Status", 7)},
	{},
};

const struct answer_field server_list_answer[] = {
	{"Servers", LIST(NULL, server_answer)},
	{},
};
