/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own administration: accounts, keys, nodes, the catalogue's services.
 */
#include "privlink.h"

#include "limits.h"

static const char *const key_status_values[] = {"Active", "Inactive", NULL};

static const struct param_spec account_create_params[] = {
	{"AccountName", PARAM_STRING, .required = true},
	{"Admin", PARAM_BOOL},
	{},
};

static const struct param_spec account_id_params[] = {
	{"AccountId", PARAM_LONG, .required = true},
	{},
};

static const struct param_spec access_key_id_params[] = {
	{"AccessKeyId", PARAM_STRING, .required = true},
	{},
};

static const struct param_spec access_key_update_params[] = {
	{"AccessKeyId", PARAM_STRING, .required = true},
	{"Status", PARAM_STRING, .required = true, .values = key_status_values},
	{},
};

static const struct param_spec access_key_list_params[] = {
	{"AccountId", PARAM_LONG},
	{},
};

static const struct param_spec node_delete_params[] = {
	{"NodeName", PARAM_STRING, .required = true},
	{"Force", PARAM_BOOL},
	{},
};

static const char *const instance_kinds[] = {"netns", "tap", NULL};

static const struct param_spec attach_instance_params[] = {
	{"AccountId", PARAM_LONG},
	{"VSwitchId", PARAM_STRING, .required = true},
	{"ZoneId", PARAM_STRING},
	{"SecurityGroupId", PARAM_STRING},
	{"SecurityGroupIds", PARAM_LIST, .max = SECURITY_GROUPS_MAX},
	{"Kind", PARAM_STRING, .required = true, .values = instance_kinds},
	{"Path", PARAM_STRING},
	{"ProcessStart", PARAM_LONG},
	{"Device", PARAM_STRING},
	{"InstanceName", PARAM_STRING},
	{"HostName", PARAM_STRING},
	{"Description", PARAM_STRING},
	{"PrivateIpAddress", PARAM_STRING},
	{"NodeName", PARAM_STRING},
	{},
};

static const struct param_spec get_instance_params[] = {
	{"InstanceId", PARAM_STRING, .required = true},
	{},
};

static const char *const resource_types[] = {"nlb", NULL};

static const struct param_spec system_service_params[] = {
	{"ServiceName", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_STRING, .required = true},
	{"ResourceType", PARAM_STRING, .values = resource_types, .no_case = true},
	{"ZoneId", PARAM_STRING},
	{},
};

static const struct answer_field account_create_answer[] = {
	{"AccountId", OF(account, uid)},
	{},
};

static const struct answer_field account_answer[] = {
	{"AccountId", OF(account, uid)},
	{"AccountName", OF(account, name)},
	{"Admin", OF(account, is_admin)},
	{"CreateTime", TIME_OF(account, create_time)},
	{},
};

static const struct answer_field account_list_answer[] = {
	{"Accounts", LIST(NULL, account_answer)},
	{},
};

static const struct answer_field access_key_create_answer[] = {
	{"AccountId", OF(access_key, uid)},
	{"AccessKeyId", OF(access_key, id)},
	{"AccessKeySecret", OF(access_key, secret), .secret = true},
	{"CreateTime", TIME_OF(access_key, create_time)},
	{},
};

static const struct answer_field access_key_answer[] = {
	{"AccountId", OF(access_key, uid)},
	{"AccessKeyId", OF(access_key, id)},
	{"Status", CHOICE_OF(access_key, active, "Inactive", "Active")},
	{"CreateTime", TIME_OF(access_key, create_time)},
	{},
};

static const struct answer_field access_key_list_answer[] = {
	{"AccessKeys", LIST(NULL, access_key_answer)},
	{},
};

static const struct answer_field node_answer[] = {
	{"NodeName", OF(node, name)},
	{"Number", OF(node, number)},
	{"Live", A_FLAG},
	{"StatusInfo", A_TEXT},
	{"LostTime", ANSWER_TIME_GIVEN, ANSWER_AT(node, lost_time)},
	{"Zones", OF(node, zones)},
	{"InstanceCount", A_NUMBER},
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

const struct action privlink_actions[] = {
	PRIVLINK_ACTIONS(SCHEMA_ACTION){},
};
