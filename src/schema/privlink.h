/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of our own administration, and the handlers that carry them out. All but those of connectivity
 * tests and flow logs, GetEndpointMetrics, GetEndpointPath, GetVersion, ListAuditEvents and ListQuotas are
 * for administrators.
 */
#pragma once

#include "common.h"

/* clang-format off */
#define PRIVLINK_ACTIONS(X) \
	X(AttachInstance, attach_instance, ACTION_CHANGES | ACTION_ADMIN, attach_instance_params, attach_instance_answer, NULL) \
	X(BindSystemService, system_service_bind, ACTION_CHANGES | ACTION_ADMIN, system_service_params, system_service_bind_answer, NULL) \
	X(CreateAccessKey, access_key_create, ACTION_CHANGES | ACTION_ADMIN | ACTION_REGIONLESS, account_id_params, access_key_create_answer, NULL) \
	X(CreateAccount, account_create, ACTION_CHANGES | ACTION_ADMIN | ACTION_REGIONLESS, account_create_params, account_create_answer, NULL) \
	X(CreateConnectivityTest, connectivity_test_create, ACTION_CHANGES, connectivity_test_create_params, connectivity_test_create_answer, NULL) \
	X(DeleteAccessKey, access_key_delete, ACTION_CHANGES | ACTION_ADMIN | ACTION_REGIONLESS, access_key_id_params, NULL, NULL) \
	X(DeleteNode, node_delete, ACTION_CHANGES | ACTION_ADMIN | ACTION_REGIONLESS, node_delete_params, node_delete_answer, NULL) \
	X(DeleteQuota, quota_delete, ACTION_CHANGES | ACTION_ADMIN | ACTION_REGIONLESS, quota_params, NULL, NULL) \
	X(GetConnectivityTest, connectivity_test_get, ACTION_READ, connectivity_test_params, connectivity_test_get_answer, NULL) \
	X(GetEndpointFlowLog, endpoint_flow_log_get, ACTION_READ, endpoint_flow_log_params, endpoint_flow_log_answer, NULL) \
	X(GetEndpointMetrics, endpoint_metrics_get, ACTION_READ, endpoint_metrics_params, endpoint_metrics_answer, NULL) \
	X(GetEndpointPath, endpoint_path_get, ACTION_READ, endpoint_path_params, endpoint_path_answer, NULL) \
	X(GetInstance, get_instance, ACTION_ADMIN, get_instance_params, get_instance_answer, NULL) \
	X(GetVersion, get_version, ACTION_REGIONLESS, NULL, version_answer, NULL) \
	X(ListAccessKeys, access_key_list, ACTION_ADMIN | ACTION_REGIONLESS, access_key_list_params, access_key_list_answer, &pages) \
	X(ListAccounts, account_list, ACTION_ADMIN | ACTION_REGIONLESS, NULL, account_list_answer, &pages) \
	X(ListAuditEvents, audit_event_list, ACTION_REGIONLESS, audit_event_list_params, audit_event_list_answer, &audit_pages) \
	X(ListConnectivityTests, connectivity_test_list, ACTION_READ, connectivity_test_list_params, connectivity_test_list_answer, &pages) \
	X(ListNodes, node_list, ACTION_ADMIN | ACTION_REGIONLESS, NULL, node_list_answer, NULL) \
	X(ListQuotas, quota_list, ACTION_READ, quota_list_params, quota_list_answer, NULL) \
	X(SetEndpointFlowLog, endpoint_flow_log_set, ACTION_CHANGES, endpoint_flow_log_set_params, NULL, NULL) \
	X(SetQuota, quota_set, ACTION_CHANGES | ACTION_ADMIN | ACTION_REGIONLESS, quota_set_params, NULL, NULL) \
	X(UnbindSystemService, system_service_unbind, ACTION_CHANGES | ACTION_ADMIN, system_service_params, NULL, NULL) \
	X(UpdateAccessKey, access_key_update, ACTION_CHANGES | ACTION_ADMIN | ACTION_REGIONLESS, access_key_update_params, NULL, NULL)
/* clang-format on */

/* privlink_path.c */
extern const struct param_spec endpoint_path_params[];
extern const struct answer_field endpoint_path_answer[];
