/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own administration: accounts, keys, nodes, the catalogue's services.
 */
#include "privlink.h"

#include "limits.h"

static const char *const key_status_values[] = {"Active", "Inactive", NULL};

static const struct param_spec account_create_params[] = {
	{"AccountName", PARAM_STRING, .required = true, OPTION("--name", "name")},
	{"Admin", PARAM_BOOL, OPTION("--admin", "an administrator")},
	{},
};

static const struct param_spec account_id_params[] = {
	{"AccountId", PARAM_LONG, .required = true, OPTION("ACCOUNT", "the account's number")},
	{},
};

static const struct param_spec access_key_id_params[] = {
	{"AccessKeyId", PARAM_STRING, .required = true, OPTION("KEY", "the key's id")},
	{},
};

static const struct param_spec access_key_update_params[] = {
	{"AccessKeyId", PARAM_STRING, .required = true, OPTION("KEY", "the key's id")},
	{"Status", PARAM_STRING, .required = true, .values = key_status_values},
	{},
};

static const struct param_spec access_key_list_params[] = {
	{"AccountId", PARAM_LONG, OPTION("--account", "only of this account")},
	{},
};

static const struct param_spec quota_params[] = {
	{"AccountId", PARAM_LONG, .required = true, OPTION("ACCOUNT", "the account's number")},
	{"QuotaName", PARAM_STRING, .required = true,
	 OPTION("QUOTA", "the quota's name, as quota list shows it")},
	{},
};

static const struct param_spec quota_set_params[] = {
	{"AccountId", PARAM_LONG, .required = true, OPTION("ACCOUNT", "the account's number")},
	{"QuotaName", PARAM_STRING, .required = true,
	 OPTION("QUOTA", "the quota's name, as quota list shows it")},
	{"Value", PARAM_LONG, .required = true,
	 OPTION("VALUE", "how many it may have; of a privilege: 1 or 0")},
	{},
};

static const struct param_spec quota_list_params[] = {
	{"AccountId", PARAM_LONG, OPTION("--account", "of this account (administrators; the caller's)")},
	{},
};

static const struct param_spec node_delete_params[] = {
	{"NodeName", PARAM_STRING, .required = true, OPTION("NODE", "the node's name")},
	{"Force", PARAM_BOOL, OPTION("--force", "also the instances that are on it")},
	{},
};

static const char *const instance_kinds[] = {"netns", "tap", NULL};

static const struct param_spec attach_instance_params[] = {
	{"AccountId", PARAM_LONG, OPTION("--account", "whose instance it becomes (the caller's)")},
	{"VSwitchId", PARAM_STRING, .required = true, OPTION("--vswitch", "vsw-…")},
	{"ZoneId", PARAM_STRING},
	{"SecurityGroupId", PARAM_STRING},
	{"SecurityGroupIds", PARAM_LIST, .max = SECURITY_GROUPS_MAX, ASKED("--security-group", "sg-…")},
	{"Kind", PARAM_STRING, .required = true, .values = instance_kinds},
	{"Path", PARAM_STRING},
	{"ProcessStart", PARAM_LONG},
	{"Device", PARAM_STRING, OPTION("--device", "name of the interface in the namespace (eth0)")},
	{"InstanceName", PARAM_STRING, OPTION("--name", "name")},
	{"HostName", PARAM_STRING},
	{"Description", PARAM_STRING},
	{"PrivateIpAddress", PARAM_STRING, OPTION("--ip", "address in the vSwitch")},
	{"NodeName", PARAM_STRING, OPTION("--node", "node where it is (where there are several)")},
	{},
};

static const struct param_spec connectivity_test_create_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…, that is to be reached")},
	{"InstanceId", PARAM_STRING, .required = true, OPTION("--instance", "i-…, from which")},
	{"Port", PARAM_INT, .min = 1, .max = 65535,
	 OPTION("--port", "its port (the lowest on which the service is heard by TCP)")},
	{},
};

static const struct param_spec connectivity_test_params[] = {
	{"TestId", PARAM_STRING, .required = true, OPTION("TEST", "ct-…")},
	{},
};

static const struct param_spec connectivity_test_list_params[] = {
	{"EndpointId", PARAM_STRING, ASKED("ENDPOINT", "ep-…")},
	{"InstanceId", PARAM_STRING, OPTION("--instance", "only from this instance")},
	{},
};

static const struct param_spec get_instance_params[] = {
	{"InstanceId", PARAM_STRING, .required = true},
	{},
};

static const char *const flow_log_values[] = {"Off", "On", NULL};

static const struct param_spec endpoint_flow_log_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{},
};

static const struct param_spec endpoint_flow_log_set_params[] = {
	{"EndpointId", PARAM_STRING, .required = true, OPTION("ENDPOINT", "ep-…")},
	{"FlowLog", PARAM_STRING, .required = true, .values = flow_log_values, .no_case = true,
	 OPTION("STATE", "On: each flow that ends and each attempt that is refused is recorded; Off")},
	{},
};

/* Of one of the two. */
static const struct param_spec endpoint_metrics_params[] = {
	{"EndpointId", PARAM_STRING, .help = "the caller's endpoint, …"},
	{"ServiceId", PARAM_STRING, .help = "… or the caller's service: the sum over its endpoints, by zone"},
	{"ZoneId", PARAM_STRING, OPTION("--zone", "only this zone (all)")},
	{"StartTime", PARAM_STRING, .help = "taken down to a multiple of Period (15 minutes before EndTime)"},
	{"EndTime", PARAM_STRING,
	 .help = "taken up to a multiple of Period; in StartTime to EndTime there are at most 180 points (now)"},
	{"Period", PARAM_INT,
	 OPTION("--period", "seconds a point: 10, kept for 15 minutes, or 60, kept for 3 hours")},
	{},
};

static const char *const resource_types[] = {"nlb", NULL};

static const struct param_spec system_service_params[] = {
	{"ServiceName", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_STRING, .required = true, OPTION("--nlb", "nlb-…")},
	{"ResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"ZoneId", PARAM_STRING, OPTION("--zone", "only this zone of the load balancer (all)")},
	{},
};

static const char *const event_kinds[] = {"Change", "Read", "Refused", NULL};

/* Not "Action" and "AccessKeyId": so are called the parameters of the call itself. */
static const struct param_spec audit_event_list_params[] = {
	{"AccountId", PARAM_LONG, OPTION("--account", "only of this account (administrators)")},
	{"EventAction", PARAM_STRING, OPTION("--action", "only calls of this action")},
	{"EventCode", PARAM_STRING, OPTION("--code", "only calls with this result: OK, or an error's code")},
	{"EventKind", PARAM_STRING, .values = event_kinds, OPTION("--kind", "Change, Read or Refused")},
	{"EventAccessKeyId", PARAM_STRING, OPTION("--key", "only calls with this access key")},
	{"EventRequestId", PARAM_STRING, OPTION("--request", "only the call with this RequestId")},
	{"EventResourceId", PARAM_STRING, OPTION("--resource", "only calls of which a parameter is this id")},
	{"StartTime", PARAM_STRING},
	{"EndTime", PARAM_STRING},
	{},
};

static const struct answer_field event_parameter[] = {
	{"Name", A_TEXT},
	{"Value", A_TEXT},
	{},
};

static const struct answer_field event_answer[] = {
	{"Time", A_TEXT, IN_LIST("Time", 1)},
	{"Kind", A_TEXT, IN_WIDE("Kind", 5)},
	{"RequestId", A_TEXT, IN_WIDE("Request", 8)},
	{"AccountId", A_NUMBER, IN_LIST("Account", 2)},
	{"Signed", A_FLAG},
	{"UserId", A_TEXT},
	{"AccessKeyId", A_TEXT, IN_WIDE("Key", 7)},
	{"Product", A_TEXT},
	{"Version", A_TEXT},
	{"Action", A_TEXT, IN_LIST("Action", 3)},
	{"RegionId", A_TEXT},
	{"SourceAddress", A_TEXT, IN_WIDE("From", 6)},
	{"Https", A_FLAG},
	{"UserAgent", A_TEXT},
	{"Parameters", LIST(NULL, event_parameter)},
	{"ParametersOmitted", A_NUMBER},
	{"Status", A_NUMBER},
	{"Code", A_TEXT, IN_LIST("Result", 4)},
	{"DurationMs", A_NUMBER},
	{"Omitted", A_NUMBER, IN_LIST("Result", 4)},
	{"Why", A_TEXT, IN_LIST("Action", 3)},
	{},
};

static const struct answer_field audit_event_list_answer[] = {
	{"Events", LIST(NULL, event_answer)},
	{"Expired", A_FLAG},
	{},
};

static const struct answer_field account_create_answer[] = {
	{"AccountId", OF(account, uid)},
	{},
};

static const struct answer_field account_answer[] = {
	{"AccountId", OF(account, uid), IN_LIST("Account", 1)},
	{"AccountName", OF(account, name), IN_LIST("Name", 2)},
	{"Admin", OF(account, is_admin), IN_LIST("Administrator", 3)},
	{"CreateTime", TIME_OF(account, create_time), IN_WIDE("Created", 4)},
	{},
};

static const struct answer_field account_list_answer[] = {
	{"Accounts", LIST(NULL, account_answer)},
	{},
};

static const struct answer_field series_answer[] = {
	{"ZoneId", A_TEXT},
	{"Metric", A_TEXT},
	{"Points", POINTS},
	{},
};

static const struct answer_field endpoint_flow_log_answer[] = {
	{"EndpointId", OF(endpoint, id), IN_SHOW("Endpoint", 1)},
	{"FlowLog", CHOICE_OF(endpoint, flow_log, "Off", "On"), IN_SHOW("Flow log", 2)},
	{},
};

static const struct answer_field endpoint_metrics_answer[] = {
	{"Period", A_NUMBER},
	{"StartTime", A_TEXT},
	{"EndTime", A_TEXT},
	{"Series", LIST(NULL, series_answer)},
	{},
};

static const struct answer_field access_key_create_answer[] = {
	{"AccountId", OF(access_key, uid), IN_SHOW("Account", 1)},
	{"AccessKeyId", OF(access_key, id), IN_SHOW("Access key", 2)},
	{"AccessKeySecret", OF(access_key, secret), .secret = true, IN_SHOW("Secret", 3)},
	{"CreateTime", TIME_OF(access_key, create_time)},
	{},
};

static const struct answer_field access_key_answer[] = {
	{"AccountId", OF(access_key, uid), IN_LIST("Account", 2)},
	{"AccessKeyId", OF(access_key, id), IN_LIST("Access key", 1)},
	{"UserId", GIVEN_OF(access_key, user), IN_LIST("User", 3)},
	{"Status", CHOICE_OF(access_key, active, "Inactive", "Active"), IN_LIST("Status", 4)},
	{"CreateTime", TIME_OF(access_key, create_time), IN_WIDE("Created", 5)},
	{},
};

static const struct answer_field access_key_list_answer[] = {
	{"AccessKeys", LIST(NULL, access_key_answer)},
	{},
};

static const struct answer_field quota_answer[] = {
	{"QuotaName", OF(quota_row, name), IN_LIST("Quota", 1)},
	{"Value", OF(quota_row, value), IN_LIST("Value", 2)},
	{"Usage", A_NUMBER, IN_LIST("Usage", 3)},
	{"DefaultValue", A_NUMBER, IN_LIST("All have", 4)},
	{"Description", A_TEXT},
	{},
};

static const struct answer_field quota_list_answer[] = {
	{"Quotas", LIST(NULL, quota_answer)},
	{},
};

static const struct answer_field node_answer[] = {
	{"NodeName", OF(node, name), IN_LIST("Node", 1)},
	{"Number", OF(node, number), IN_LIST("Number", 2)},
	{"Live", A_FLAG, IN_LIST("Live", 5)},
	{"StatusInfo", A_TEXT, IN_REMARK("Info", 6)},
	{"LostTime", ANSWER_TIME_GIVEN, ANSWER_AT(node, lost_time)},
	{"Zones", OF(node, zones), IN_WIDE("Zones", 3)},
	{"InstanceCount", A_NUMBER, IN_LIST("Instances", 4)},
	{"Mtu", OF(node, mtu)},
	{"Underlay", GIVEN_OF(node, underlay)},
	{},
};

static const struct answer_field node_list_answer[] = {
	{"Nodes", LIST(NULL, node_answer)},
	{"Revision", A_NUMBER},
	{"LiveRevision", A_NUMBER},
	{},
};

static const struct answer_field node_delete_answer[] = {
	{"InstanceCount", A_NUMBER},
	{},
};

static const struct answer_field version_answer[] = {
	{"Version", A_TEXT},
	{},
};

static const struct answer_field connectivity_test_create_answer[] = {
	{"TestId", OF(connectivity_test, id)},
	{},
};

static const struct answer_field connectivity_test_answer[] = {
	{"TestId", OF(connectivity_test, id), IN_BOTH("Test", 1, 1)},
	{"EndpointId", OF(connectivity_test, endpoint), IN_SHOW("Endpoint", 2)},
	{"InstanceId", OF(connectivity_test, instance), IN_BOTH("Instance", 2, 3)},
	{"Port", OF(connectivity_test, port), IN_BOTH("Port", 3, 4)},
	{"Status", OF(connectivity_test, status), IN_BOTH("Status", 4, 5)},
	{"StatusInfo", GIVEN_OF(connectivity_test, failure), .title = "Info", .in_list = 7, .in_show = 7,
	 .is_remark = true},
	{"Verdict", GIVEN_OF(connectivity_test, verdict), IN_BOTH("Verdict", 5, 6)},
	{"CreateTime", TIME_OF(connectivity_test, create_time), IN_WIDE("Created", 6)},
	{"EndTime", ANSWER_TIME_GIVEN, ANSWER_AT(connectivity_test, end_time)},
	{},
};

static const struct answer_field connectivity_step_answer[] = {
	{"Kind", A_TEXT}, {"Target", A_TEXT}, {"ZoneId", A_TEXT},      {"Result", A_TEXT},
	{"Code", A_TEXT}, {"Text", A_TEXT},   {"LatencyUs", A_NUMBER}, {},
};

static const struct answer_field connectivity_test_get_answer[] = {
	SAME(connectivity_test_answer),
	{"Steps", LIST(NULL, connectivity_step_answer)},
	{"Path", AN_OBJECT(endpoint_path_answer)},
	{"Agree", A_FLAG},
	{},
};

static const struct answer_field connectivity_test_list_answer[] = {
	{"Tests", LIST(NULL, connectivity_test_answer)},
	{},
};

static const struct answer_field attach_instance_answer[] = {
	{"InstanceId", OF(instance, id)},     {"NodeName", OF(instance, node)},
	{"NetworkInterfaceId", OF(port, id)}, {"PrivateIpAddress", OF(port, addr)},
	{"MacAddress", OF(port, mac)},	      {},
};

static const struct answer_field get_instance_answer[] = {
	{"InstanceId", OF(instance, id)}, {"AccountId", OF(instance, owner)},
	{"NodeName", OF(instance, node)}, {"Status", A_TEXT},
	{"StatusInfo", A_TEXT},		  {},
};

static const struct answer_field system_service_bind_answer[] = {
	{"ServiceId", OF(service, id)},
	{},
};

static const struct paging pages = {50, 1000};
static const struct paging audit_pages = {50, 500, .total = TOTAL_NONE};

const struct action privlink_actions[] = {
	PRIVLINK_ACTIONS(SCHEMA_ACTION){},
};
