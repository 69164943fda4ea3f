/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLB: listeners, and the servers behind them.
 */
#include "limits.h"
#include "slb.h"

static const char *const switch_words[] = {"on", "off", NULL};

static const char *const protocols[] = {"tcp", "udp", NULL};

static const char *const schedulers[] = {"wrr", NULL};

static const char *const probe_types[] = {"tcp", NULL};

static const char *const server_types[] = {"ecs", "eni", NULL};

static const struct param_spec backend_members[] = {
	{"ServerId", PARAM_STRING, .required = true},
	{"Weight", PARAM_INT, .min = 0, .max = 100},
	{"Type", PARAM_STRING, .values = server_types, .no_case = true},
	{"ServerIp", PARAM_STRING},
	{"Description", PARAM_STRING},
	{},
};

const struct param_spec slb_backend_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("SLB", "lb-…")},
	{"BackendServers", PARAM_STRUCT_LIST, .required = true, .min = 1, .max = BACKENDS_PER_CALL_MAX,
	 .members = backend_members},
	{},
};

/* What is set when a listener is made, and later. What is not served is read only to be refused. */
#define LISTENER_SETTINGS                                                                                    \
	{"Bandwidth", PARAM_INT, .min = -1, .max = 5120},                                                    \
		{"Description", PARAM_STRING, OPTION("--description", "description")},                       \
		{"Scheduler", PARAM_STRING, .values = schedulers, .no_case = true},                          \
		{"EstablishedTimeout", PARAM_INT, .min = 10, .max = 900,                                     \
		 OPTION("--idle-timeout", "seconds (TCP)")},                                                 \
		{"PersistenceTimeout", PARAM_INT, .min = 0, .max = 3600},                                    \
		{"ConnectionDrain", PARAM_STRING, .values = switch_words},                                   \
		{"ProxyProtocolV2Enabled", PARAM_BOOL,                                                       \
		 OPTION("--proxy-protocol", "servers get a PROXY header (TCP)")},                            \
		{"VServerGroupId", PARAM_STRING}, {"MasterSlaveServerGroupId", PARAM_STRING},                \
		{"AclStatus", PARAM_STRING, .values = switch_words},                                         \
		{"HealthCheckSwitch", PARAM_STRING, .values = switch_words},                                 \
		{"HealthCheckType", PARAM_STRING, .values = probe_types, .no_case = true},                   \
		{"HealthCheckConnectPort", PARAM_INT, .min = 0, .max = 65535,                                \
		 OPTION("--health-port", "port to probe (0: the servers')")},                                \
		{"HealthCheckConnectTimeout", PARAM_INT, .min = 1, .max = 300,                               \
		 OPTION("--health-timeout", "seconds that a probe waits")},                                  \
		{"HealthCheckInterval", PARAM_INT, .min = 1, .max = 50,                                      \
		 OPTION("--health-interval", "seconds between probes")},                                     \
		{"healthCheckInterval", PARAM_INT, .min = 1, .max = 50}, /* the API's other spelling */      \
		{"HealthyThreshold", PARAM_INT, .min = 2, .max = 10,                                         \
		 OPTION("--healthy-threshold", "answers that make a server healthy")},                       \
	{                                                                                                    \
		"UnhealthyThreshold", PARAM_INT,                                                             \
			.min = 2, .max = 10,                                                                 \
			OPTION("--unhealthy-threshold", "misses that make it unhealthy")                     \
	}

const struct param_spec slb_listener_create_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("--slb", "lb-…")},
	{"ListenerPort", PARAM_INT, .required = true, .min = 1, .max = 65535, OPTION("--port", "port")},
	{"BackendServerPort", PARAM_INT, .required = true, .min = 1, .max = 65535,
	 OPTION("--server-port", "port of the servers")},
	LISTENER_SETTINGS,
	{},
};

const struct param_spec slb_listener_set_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true},
	{"ListenerPort", PARAM_INT, .required = true, .min = 1, .max = 65535},
	LISTENER_SETTINGS,
	{},
};

const struct param_spec slb_listener_get_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true},
	{"ListenerPort", PARAM_INT, .required = true, .min = 1, .max = 65535},
	{},
};

const struct param_spec slb_listener_id_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("SLB", "lb-…")},
	{"ListenerPort", PARAM_INT, .required = true, .min = 1, .max = 65535, OPTION("PORT", "port")},
	{"ListenerProtocol", PARAM_STRING, .values = protocols, .no_case = true,
	 OPTION("--protocol", "tcp or udp, where both have the port")},
	{},
};

const struct param_spec slb_health_params[] = {
	{"LoadBalancerId", PARAM_STRING, .required = true, OPTION("SLB", "lb-…")},
	{"ListenerPort", PARAM_INT, .min = 1, .max = 65535, OPTION("--port", "only of this listener")},
	{"ListenerProtocol", PARAM_STRING, .values = protocols, .no_case = true},
	{},
};

static const struct answer_field backend_rest[] = {
	{"ServerIp", OF(server, addr)},
	{"Weight", OF(server, weight)},
	{"Type", A_TEXT},
	{"Description", OF(server, description)},
	{},
};

const struct answer_field slb_backend_entry[] = {
	{"ServerId", OF(server, server_id)},
	SAME(backend_rest),
	{},
};

/* Of a load balancer that is shown. */
const struct answer_field slb_backend_shown[] = {
	{"ServerId", OF(server, server_id), IN_SHOW("Servers", 12)},
	SAME(backend_rest),
	{},
};

const struct answer_field slb_backend_answer[] = {
	{"LoadBalancerId", OF(load_balancer, id)},
	{"BackendServers", LIST("BackendServer", slb_backend_entry)},
	{},
};

const struct answer_field slb_listener_get_answer[] = {
	{"LoadBalancerId", OF(listener, load_balancer)},
	{"ListenerPort", OF(listener, port)},
	{"Status", A_TEXT},
	{"Description", OF(listener, description)},
	{"BackendServerPort", OF(listener, backend_port)},
	{"Bandwidth", NUMBER(-1)},
	{"Scheduler", OF(server_group, scheduler)},
	{"EstablishedTimeout", OF(listener, idle_timeout_s)},
	{"PersistenceTimeout", NUMBER(0)},
	{"ConnectionDrain", TEXT("off")},
	{"VServerGroup", TEXT("off")},
	{"AclStatus", TEXT("off")},
	{"ProxyProtocolV2Enabled", OF(listener, proxy_protocol)},
	{"HealthCheck", A_TEXT},
	{"HealthCheckType", TEXT("tcp")},
	{"HealthCheckConnectPort", OF(server_group, health_port)},
	{"HealthCheckConnectTimeout", OF(server_group, health_timeout_s)},
	{"HealthCheckInterval", OF(server_group, health_interval_s)},
	{"HealthyThreshold", OF(server_group, healthy_threshold)},
	{"UnhealthyThreshold", OF(server_group, unhealthy_threshold)},
	{},
};

static const struct answer_field health_entry[] = {
	{"ListenerPort", OF(listener, port), IN_LIST("Port", 1)},
	{"Protocol", A_TEXT, IN_LIST("Protocol", 2)},
	{"ServerId", OF(server, server_id), IN_LIST("Server", 3)},
	{"ServerIp", OF(server, addr), IN_LIST("Address", 4)},
	{"Port", OF(server, port), IN_LIST("Server port", 5)},
	{"Type", A_TEXT},
	{"ServerHealthStatus", A_TEXT, IN_LIST("Health", 6)},
	{},
};

const struct answer_field slb_health_answer[] = {
	{"BackendServers", LIST("BackendServer", health_entry)},
	{},
};
