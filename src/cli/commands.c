/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of commands: groups of verbs over the API's objects. To add one, add a row; options name the
 * parameters of the API that they become, columns name the members of its answers.
 */
#include "cli.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>

#include "lib/process.h"

/* ---- values that people write shorter than the API wants them ---- */

/* "pai-dlc" is the catalogue's service of that product in this region; an id and a full name stand for
 * themselves. */
static int add_service(struct cli *cli, const struct cli_option *option _unused_, const char *value,
		       unsigned int n _unused_, struct params *params)
{
	char name[256];

	if (str_starts(value, "epsrv-"))
		return params_add(params, "ServiceId", value);
	if (strchr(value, '.'))
		return params_add(params, "ServiceName", value);
	if (str_format(name, sizeof(name), "com.aliyuncs.privatelink.%s.%s", cli->region, value) < 0)
		return -EINVAL;
	return params_add(params, "ServiceName", name);
}

/* "i-…,443[,weight]": what kind of server it is shows in its id. */
static int add_server(struct cli *cli _unused_, const struct cli_option *option _unused_, const char *value,
		      unsigned int n, struct params *params)
{
	static const char *const members[] = {"ServerId", "Port", "Weight"};
	char copy[256], name[64], *rest = copy, *part;
	int r;

	if (str_copy(copy, sizeof(copy), value) < 0)
		return -EINVAL;
	for (size_t i = 0; (part = strsep(&rest, ",")); i++) {
		if (i >= ARRAY_SIZE(members) || !*part)
			return -EINVAL;
		(void)str_format(name, sizeof(name), "Servers.%u.%s", n, members[i]);
		r = params_add(params, name, part);
		if (r < 0)
			return r;
	}
	(void)str_format(name, sizeof(name), "Servers.%u.ServerType", n);
	return params_add(params, name,
			  str_starts(value, "i-")     ? "Ecs"
			  : str_starts(value, "eni-") ? "Eni"
						      : "Ip");
}

/* "443", "8000-9000" or the API's own "443/443". */
static int add_ports(struct cli *cli _unused_, const struct cli_option *option, const char *value,
		     unsigned int n _unused_, struct params *params)
{
	char range[32];
	const char *dash;
	int r;

	if (strchr(value, '/'))
		return params_add(params, option->parameter, value);
	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	dash = strchr(value, '-');
	r = dash ? str_format(range, sizeof(range), "%.*s/%s", (int)(dash - value), value, dash + 1)
		 : str_format(range, sizeof(range), "%s/%s", value, value);
	return r < 0 ? -EINVAL : params_add(params, option->parameter, range);
}

/* What exists already: a namespace by path or by a process in it, or a tap device by name. */
static int add_kind(struct params *params, const char *kind, const char *parameter, const char *value)
{
	int r = params_add(params, "Kind", kind);

	return r < 0 ? r : params_add(params, parameter, value);
}

/* A name is one of `ip netns`. */
static int add_netns(struct cli *cli _unused_, const struct cli_option *option, const char *value,
		     unsigned int n _unused_, struct params *params)
{
	char path[PATH_MAX];

	if (!*value ||
	    str_format(path, sizeof(path), "%s%s", strchr(value, '/') ? "" : "/run/netns/", value) < 0)
		return -EINVAL;
	return add_kind(params, "netns", option->parameter, path);
}

/* The path holds while the process lives. Its number is another's some day, so the agent is told which one is
 * meant. */
static int add_pid(struct cli *cli _unused_, const struct cli_option *option, const char *value,
		   unsigned int n _unused_, struct params *params)
{
	char path[64], text[32];
	uint64_t start;
	int r;

	if (strspn(value, "0123456789") != strlen(value) || strlen(value) > 9 ||
	    str_format(path, sizeof(path), "/proc/%s/ns/net", value) < 0)
		return -EINVAL;
	r = process_start(atoi(value), &start);
	if (r < 0)
		return r;
	(void)str_format(text, sizeof(text), "%llu", (unsigned long long)start);
	r = params_add(params, "ProcessStart", text);
	return r < 0 ? r : add_kind(params, "netns", option->parameter, path);
}

static int add_tap(struct cli *cli _unused_, const struct cli_option *option, const char *value,
		   unsigned int n _unused_, struct params *params)
{
	return add_kind(params, "tap", option->parameter, value);
}

/* An account by its number or by its ARN. */
static int add_account(struct cli *cli _unused_, const struct cli_option *option _unused_, const char *value,
		       unsigned int n _unused_, struct params *params)
{
	return params_add(params, isdigit((unsigned char)*value) ? "UserId" : "UserARN", value);
}

#define TAG_OPTION                                                                                           \
	{                                                                                                    \
		"--tag", "Tag", CLI_TUPLE, .members = "Key,Value", .help = "KEY,VALUE"                       \
	}
#define TOKEN_OPTION                                                                                         \
	{                                                                                                    \
		"--client-token", "ClientToken", .help = "repeat of a call: the first one's answer"          \
	}

/* ---- vpc, vswitch ---- */

static const struct cli_option vpc_create[] = {
	{"--cidr", "CidrBlock", .help = "address range, e.g. 10.0.0.0/16"},
	{"--name", "VpcName", .help = "name"},
	{"--description", "Description", .help = "description"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option vpc_id[] = {{"VPC", "VpcId", .required = true, .help = "vpc-…"}, {NULL}};
static const struct cli_option vpc_list[] = {{"--vpc", "VpcId", .help = "only this one"},
					     {"--name", "VpcName", .help = "only of this name"},
					     {NULL}};
static const struct cli_column vpc_columns[] = {
	{"VPC", "VpcId"},     {"Name", "VpcName"},	   {"CIDR", "CidrBlock"},
	{"Status", "Status"}, {"Created", "CreationTime"}, {NULL}};
static const struct cli_wait vpc_available = {"DescribeVpcs", "VpcId=%s", "Vpcs.Vpc", "Status=Available"};
static const struct cli_wait vpc_gone = {"DescribeVpcs", "VpcId=%s", "Vpcs.Vpc", .gone = true};

static const struct cli_option vswitch_create[] = {
	{"--vpc", "VpcId", .required = true, .help = "vpc-…"},
	{"--zone", "ZoneId", .required = true, .help = "zone, e.g. cn-hangzhou-h"},
	{"--cidr", "CidrBlock", .required = true, .help = "address range within the VPC's"},
	{"--name", "VSwitchName", .help = "name"},
	{"--description", "Description", .help = "description"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option vswitch_id[] = {{"VSWITCH", "VSwitchId", .required = true, .help = "vsw-…"},
					       {NULL}};
static const struct cli_option vswitch_list[] = {{"--vpc", "VpcId", .help = "only of this VPC"},
						 {"--zone", "ZoneId", .help = "only in this zone"},
						 {"--vswitch", "VSwitchId", .help = "only this one"},
						 {NULL}};
static const struct cli_column vswitch_columns[] = {
	{"vSwitch", "VSwitchId"}, {"Name", "VSwitchName"},
	{"VPC", "VpcId"},	  {"Zone", "ZoneId"},
	{"CIDR", "CidrBlock"},	  {"Free", "AvailableIpAddressCount"},
	{"Status", "Status"},	  {NULL}};
static const struct cli_wait vswitch_available = {"DescribeVSwitches", "VSwitchId=%s", "VSwitches.VSwitch",
						  "Status=Available"};
static const struct cli_wait vswitch_gone = {"DescribeVSwitches", "VSwitchId=%s", "VSwitches.VSwitch",
					     .gone = true};

/* ---- security groups ---- */

static const struct cli_option sg_create[] = {
	{"--vpc", "VpcId", .required = true, .help = "vpc-…"},
	{"--name", "SecurityGroupName", .help = "name"},
	{"--description", "Description", .help = "description"},
	{"--type", "SecurityGroupType", .help = "normal or enterprise"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option sg_id[] = {{"GROUP", "SecurityGroupId", .required = true, .help = "sg-…"},
					  {NULL}};
static const struct cli_option sg_list[] = {{"--vpc", "VpcId", .help = "only of this VPC"}, {NULL}};
static const struct cli_column sg_columns[] = {
	{"Group", "SecurityGroupId"},  {"Name", "SecurityGroupName"}, {"VPC", "VpcId"},
	{"Type", "SecurityGroupType"}, {"Rules", "RuleCount"},	      {NULL}};

#define RULE_OPTIONS(cidr_option, cidr_parameter, group_option, group_parameter, far_end)                    \
	{"GROUP", "SecurityGroupId", .required = true, .help = "sg-…"},                                      \
		{"--protocol", "Permissions.1.IpProtocol", .required = true,                                 \
		 .help = "TCP, UDP, ICMP or ALL"},                                                           \
		{"--ports", "Permissions.1.PortRange", .add = add_ports,                                     \
		 .help = "443, 8000-9000; -1/-1 for ICMP"},                                                  \
		{cidr_option, "Permissions.1." cidr_parameter, .help = far_end ", as an address range"},     \
		{group_option, "Permissions.1." group_parameter,                                             \
		 .help = far_end ", as the members of a group"},                                             \
		{"--policy", "Permissions.1.Policy", .help = "accept (default) or drop"},                    \
		{"--priority", "Permissions.1.Priority", .help = "1 (first) to 100"},                        \
	{                                                                                                    \
		"--description", "Permissions.1.Description", .help = "description"                          \
	}

static const struct cli_option sg_rule_in[] = {
	RULE_OPTIONS("--source", "SourceCidrIp", "--source-group", "SourceGroupId", "who may come in"),
	{NULL}};
static const struct cli_option sg_rule_out[] = {
	RULE_OPTIONS("--destination", "DestCidrIp", "--destination-group", "DestGroupId", "whom to go to"),
	{NULL}};
static const struct cli_column sg_rule_columns[] = {{"Rule", "SecurityGroupRuleId"},
						    {"Direction", "Direction"},
						    {"Protocol", "IpProtocol"},
						    {"Ports", "PortRange"},
						    {"Source", "SourceCidrIp|Ipv6SourceCidrIp|SourceGroupId"},
						    {"Destination", "DestCidrIp|Ipv6DestCidrIp|DestGroupId"},
						    {"Policy", "Policy"},
						    {"Priority", "Priority"},
						    {NULL}};

/* ---- instances ---- */

#define INSTANCE_PLACE                                                                                       \
	{"--vswitch", "VSwitchId", .required = true, .help = "vsw-…"},                                       \
		{"--security-group", "SecurityGroupIds", CLI_LIST, .required = true, .help = "sg-…"},        \
		{"--name", "InstanceName", .help = "name"},                                                  \
	{                                                                                                    \
		"--ip", "PrivateIpAddress", .help = "address in the vSwitch"                                 \
	}

static const struct cli_option instance_run[] = {
	INSTANCE_PLACE,
	{"--host-name", "HostName", .help = "its host name"},
	{"--type", "InstanceType", .help = "instance type, kept as given"},
	{"--image", "ImageId", .help = "image, kept as given"},
	{"--amount", "Amount", .help = "how many (1)"},
	{"--description", "Description", .help = "description"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option instance_attach[] = {
	INSTANCE_PLACE,
	{"--netns", "Path", .add = add_netns,
	 .help = "existing network namespace: its name (ip netns), or a path"},
	{"--pid", "Path", .add = add_pid, .help = "existing network namespace: of this process"},
	{"--tap", "Device", .add = add_tap, .help = "make a tap device of this name, for a virtual machine"},
	{"--device", "Device", .help = "name of the interface in the namespace (eth0)"},
	{"--node", "NodeName", .help = "node where it is (where there are several)"},
	{"--account", "AccountId", .help = "whose instance it becomes (the caller's)"},
	{NULL},
};
static const struct cli_option instance_id[] = {{"INSTANCE", "InstanceId", .required = true, .help = "i-…"},
						{NULL}};
static const struct cli_option instance_delete[] = {
	{"INSTANCE", "InstanceId", .required = true, .help = "i-…"},
	{"--force", "Force", CLI_FLAG, .help = "also when it runs"},
	{NULL}};
static const struct cli_option instance_list[] = {{"--vpc", "VpcId", .help = "only in this VPC"},
						  {"--vswitch", "VSwitchId", .help = "only in this vSwitch"},
						  {"--zone", "ZoneId", .help = "only in this zone"},
						  {"--ids", "InstanceIds", .help = "only these: [\"i-…\"]"},
						  {NULL}};
static const struct cli_column instance_columns[] = {{"Instance", "InstanceId"},
						     {"Name", "InstanceName"},
						     {"VPC", "VpcAttributes.VpcId"},
						     {"Zone", "ZoneId"},
						     {"Address", "VpcAttributes.PrivateIpAddress.IpAddress"},
						     {"Status", "Status"},
						     {NULL}};
static const struct cli_wait instance_running = {"DescribeInstances", "InstanceIds=[\"%s\"]",
						 "Instances.Instance", "Status=Running"};
static const struct cli_wait attached_running = {"GetInstance", "InstanceId=%s", "", "Status=Running"};
static const struct cli_wait instance_stopped = {"DescribeInstances", "InstanceIds=[\"%s\"]",
						 "Instances.Instance", "Status=Stopped"};
static const struct cli_wait instance_gone = {"DescribeInstances", "InstanceIds=[\"%s\"]",
					      "Instances.Instance", .gone = true};

static const struct cli_column eni_columns[] = {{"ENI", "NetworkInterfaceId"},
						{"Address", "PrivateIpAddress"},
						{"MAC", "MacAddress"},
						{"vSwitch", "VSwitchId"},
						{"Zone", "ZoneId"},
						{"Instance", "InstanceId"},
						{"Status", "Status"},
						{NULL}};
static const struct cli_option eni_list[] = {{"--vpc", "VpcId", .help = "only in this VPC"},
					     {"--vswitch", "VSwitchId", .help = "only in this vSwitch"},
					     {"--instance", "InstanceId", .help = "only of this instance"},
					     {NULL}};

/* ---- load balancers ---- */

static const struct cli_option nlb_create[] = {
	{"--vpc", "VpcId", .required = true, .help = "vpc-…"},
	{"--zone", "ZoneMappings", CLI_TUPLE, .required = true,
	 .members = "ZoneId,VSwitchId,PrivateIPv4Address", .help = "ZONE,VSWITCH[,ADDRESS]"},
	{"--name", "LoadBalancerName", .help = "name"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option nlb_id[] = {{"NLB", "LoadBalancerId", .required = true, .help = "nlb-…"},
					   {NULL}};
static const struct cli_option nlb_list[] = {{"--vpc", "VpcIds", CLI_LIST, .help = "only in this VPC"},
					     {NULL}};
static const struct cli_column nlb_columns[] = {
	{"NLB", "LoadBalancerId"},	  {"Name", "LoadBalancerName"},	    {"VPC", "VpcId"},
	{"Zones", "ZoneMappings.ZoneId"}, {"Status", "LoadBalancerStatus"}, {NULL}};
static const struct cli_column nlb_fields[] = {
	{"NLB", "LoadBalancerId"},
	{"Name", "LoadBalancerName"},
	{"VPC", "VpcId"},
	{"Status", "LoadBalancerStatus"},
	{"Zones", "ZoneMappings.ZoneId"},
	{"vSwitches", "ZoneMappings.VSwitchId"},
	{"Addresses", "ZoneMappings.LoadBalancerAddresses.PrivateIPv4Address"},
	{"Cross-zone", "CrossZoneEnabled"},
	{"Created", "CreateTime"},
	{NULL},
};
static const struct cli_wait nlb_active = {"GetLoadBalancerAttribute", "LoadBalancerId=%s", "",
					   "LoadBalancerStatus=Active"};
static const struct cli_wait nlb_gone = {"ListLoadBalancers", "LoadBalancerIds.1=%s", "LoadBalancers",
					 .gone = true};

static const struct cli_option group_create[] = {
	{"--vpc", "VpcId", .required = true, .help = "vpc-…"},
	{"--name", "ServerGroupName", .required = true, .help = "name"},
	{"--protocol", "Protocol", .help = "TCP (default) or UDP"},
	{"--type", "ServerGroupType", .help = "Instance (default) or Ip"},
	{"--scheduler", "Scheduler", .help = "Wrr, …"},
	{"--health-interval", "HealthCheckConfig.HealthCheckInterval", .help = "seconds between probes"},
	{"--health-timeout", "HealthCheckConfig.HealthCheckConnectTimeout",
	 .help = "seconds that a probe waits"},
	{"--health-port", "HealthCheckConfig.HealthCheckConnectPort",
	 .help = "port to probe (0: the server's)"},
	{"--healthy-threshold", "HealthCheckConfig.HealthyThreshold",
	 .help = "answers that make a server healthy"},
	{"--unhealthy-threshold", "HealthCheckConfig.UnhealthyThreshold",
	 .help = "misses that make it unhealthy"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option group_id[] = {{"GROUP", "ServerGroupId", .required = true, .help = "sgp-…"},
					     {NULL}};
static const struct cli_option group_list[] = {{"--vpc", "VpcId", .help = "only in this VPC"}, {NULL}};
static const struct cli_option group_servers[] = {
	{"GROUP", "ServerGroupId", .required = true, .help = "sgp-…"},
	{"--server", "Servers", CLI_TUPLE, .required = true, .add = add_server,
	 .help = "ID,PORT[,WEIGHT]: an instance, an ENI or an address"},
	{NULL},
};
static const struct cli_column group_columns[] = {{"Group", "ServerGroupId"},
						  {"Name", "ServerGroupName"},
						  {"VPC", "VpcId"},
						  {"Protocol", "Protocol"},
						  {"Servers", "ServerCount"},
						  {"Status", "ServerGroupStatus"},
						  {NULL}};
static const struct cli_column server_columns[] = {
	{"Server", "ServerId"}, {"Type", "ServerType"}, {"Address", "ServerIp"}, {"Port", "Port"},
	{"Weight", "Weight"},	{"Zone", "ZoneId"},	{"Status", "Status"},	 {NULL}};
static const struct cli_wait group_available = {"ListServerGroups", "ServerGroupIds.1=%s", "ServerGroups",
						"ServerGroupStatus=Available"};
static const struct cli_wait group_gone = {"ListServerGroups", "ServerGroupIds.1=%s", "ServerGroups",
					   .gone = true};

static const struct cli_option listener_create[] = {
	{"--nlb", "LoadBalancerId", .required = true, .help = "nlb-…"},
	{"--protocol", "ListenerProtocol", .required = true, .help = "TCP or UDP"},
	{"--port", "ListenerPort", .required = true, .help = "port"},
	{"--server-group", "ServerGroupId", .required = true, .help = "sgp-…"},
	{"--idle-timeout", "IdleTimeout", .help = "seconds"},
	{"--description", "ListenerDescription", .help = "description"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option listener_id[] = {{"LISTENER", "ListenerId", .required = true, .help = "lsn-…"},
						{NULL}};
static const struct cli_option listener_list[] = {
	{"--nlb", "LoadBalancerIds", CLI_LIST, .help = "only of this load balancer"}, {NULL}};
static const struct cli_column listener_columns[] = {{"Listener", "ListenerId"},
						     {"NLB", "LoadBalancerId"},
						     {"Protocol", "ListenerProtocol"},
						     {"Port", "ListenerPort"},
						     {"Servers", "ServerGroupId"},
						     {"Status", "ListenerStatus"},
						     {NULL}};
static const struct cli_column health_columns[] = {
	{"Listener", "ListenerId"},
	{"Port", "ListenerPort"},
	{"Servers", "ServerGroupInfos.ServerGroupId"},
	{"Not healthy", "ServerGroupInfos.NonNormalServers.ServerId"},
	{"Why", "ServerGroupInfos.NonNormalServers.Reason.ReasonCode"},
	{NULL},
};
static const struct cli_wait listener_running = {"GetListenerAttribute", "ListenerId=%s", "",
						 "ListenerStatus=Running"};
static const struct cli_wait listener_gone = {"ListListeners", "ListenerIds.1=%s", "Listeners", .gone = true};

/* ---- endpoint services ---- */

static const struct cli_option service_create[] = {
	{"--resource", "Resource", CLI_TUPLE, .members = "ResourceType,ResourceId,ZoneId",
	 .help = "nlb,NLB,ZONE"},
	{"--description", "ServiceDescription", .help = "description"},
	{"--auto-accept", "AutoAcceptEnabled", CLI_FLAG, .help = "accept connections without asking"},
	{"--zone-affinity", "ZoneAffinityEnabled", CLI_FLAG,
	 .help = "answer names with the asker's zone first"},
	{"--resource-type", "ServiceResourceType", .help = "nlb"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option service_id[] = {{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
					       {NULL}};
static const struct cli_option service_list[] = {{"--service", "ServiceId", .help = "only this one"}, {NULL}};
static const struct cli_option service_find[] = {
	{"--service", NULL, .add = add_service, .help = "id, name, or product of the catalogue (pai-dlc)"},
	{NULL}};
static const struct cli_option service_attach[] = {
	{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
	{"--nlb", "ResourceId", .required = true, .help = "nlb-…"},
	{"--zone", "ZoneId", .required = true, .help = "zone of the load balancer"},
	{NULL},
};
static const struct cli_option service_bind[] = {
	{"SERVICE", NULL, .required = true, .add = add_service,
	 .help = "product of the catalogue (pai-dlc), or full name"},
	{"--nlb", "ResourceId", .required = true, .help = "nlb-…"},
	{"--zone", "ZoneId", .help = "only this zone of the load balancer (all)"},
	{NULL},
};
static const struct cli_option service_user[] = {
	{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
	{"ACCOUNT", NULL, .required = true, .add = add_account, .help = "account number, or an ARN"},
	{NULL},
};
static const struct cli_option service_connections[] = {
	{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
	{"--endpoint-id", "EndpointId", .help = "only this endpoint"},
	{"--status", "ConnectionStatus", .help = "only in this state"},
	{NULL},
};
static const struct cli_option service_answer[] = {
	{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
	{"ENDPOINT", "EndpointId", .required = true, .help = "ep-…"},
	{NULL},
};
static const struct cli_option service_accept[] = {
	{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
	{"ENDPOINT", "EndpointId", .required = true, .help = "ep-…"},
	{"--bandwidth", "Bandwidth", .help = "Mbit/s"},
	{NULL},
};
static const struct cli_column service_columns[] = {{"Service", "ServiceId"},
						    {"Name", "ServiceName"},
						    {"Auto-accept", "AutoAcceptEnabled"},
						    {"Resources", "ServiceResourceType"},
						    {"Status", "ServiceStatus"},
						    {NULL}};
static const struct cli_column found_columns[] = {
	{"Service", "ServiceId"}, {"Name", "ServiceName"}, {"Zones", "Zones"}, {NULL}};
static const struct cli_column service_fields[] = {{"Service", "ServiceId"},
						   {"Name", "ServiceName"},
						   {"Domain", "ServiceDomain"},
						   {"Description", "ServiceDescription"},
						   {"Status", "ServiceStatus"},
						   {"Zones", "Zones"},
						   {"Auto-accept", "AutoAcceptEnabled"},
						   {"Zone affinity", "ZoneAffinityEnabled"},
						   {"Created", "CreateTime"},
						   {NULL}};
static const struct cli_column resource_columns[] = {{"Resource", "ResourceId"},
						     {"Type", "ResourceType"},
						     {"Zone", "ZoneId"},
						     {"Address", "Ip"},
						     {"VPC", "VpcId"},
						     {"Endpoints", "RelatedEndpointCount"},
						     {NULL}};
static const struct cli_column connection_columns[] = {{"Endpoint", "EndpointId"},
						       {"Account", "EndpointOwnerId"},
						       {"VPC", "EndpointVpcId"},
						       {"Zones", "Zones.ZoneId"},
						       {"Bandwidth", "Bandwidth"},
						       {"Status", "ConnectionStatus"},
						       {NULL}};
static const struct cli_wait service_active = {"GetVpcEndpointServiceAttribute", "ServiceId=%s", "",
					       "ServiceStatus=Active"};
static const struct cli_wait service_gone = {"GetVpcEndpointServiceAttribute", "ServiceId=%s", "",
					     .gone = true};
static const struct cli_wait accepted = {"ListVpcEndpointConnections", "EndpointId=%s", "Connections",
					 "ConnectionStatus=Connected"};
static const struct cli_wait refused = {"ListVpcEndpointConnections", "EndpointId=%s", "Connections",
					"ConnectionStatus=Disconnected"};

/* ---- endpoints ---- */

static const struct cli_option endpoint_create[] = {
	{"--vpc", "VpcId", .required = true, .help = "vpc-…"},
	{"--service", NULL, .required = true, .add = add_service,
	 .help = "id, name, or product of the catalogue (pai-dlc)"},
	{"--zone", "Zone", CLI_TUPLE, .members = "ZoneId,VSwitchId,ip", .help = "ZONE,VSWITCH[,ADDRESS]"},
	{"--security-group", "SecurityGroupId", CLI_LIST, .help = "sg-…"},
	{"--name", "EndpointName", .help = "name"},
	{"--description", "EndpointDescription", .help = "description"},
	{"--zone-affinity", "ZoneAffinityEnabled", CLI_FLAG,
	 .help = "answer names with the asker's zone first"},
	TAG_OPTION,
	TOKEN_OPTION,
	{NULL},
};
static const struct cli_option endpoint_id[] = {{"ENDPOINT", "EndpointId", .required = true, .help = "ep-…"},
						{NULL}};
static const struct cli_option endpoint_list[] = {
	{"--vpc", "VpcId", .help = "only in this VPC"},
	{"--name", "EndpointName", .help = "only of this name"},
	{"--status", "EndpointStatus", .help = "only in this state"},
	{"--connection", "ConnectionStatus", .help = "only of this connection state"},
	{NULL}};
static const struct cli_option endpoint_zone[] = {
	{"ENDPOINT", "EndpointId", .required = true, .help = "ep-…"},
	{"--zone", "ZoneId", .required = true, .help = "zone"},
	{NULL},
};
static const struct cli_option endpoint_add_zone[] = {
	{"ENDPOINT", "EndpointId", .required = true, .help = "ep-…"},
	{"--zone", "ZoneId", .required = true, .help = "zone"},
	{"--vswitch", "VSwitchId", .required = true, .help = "vsw-…"},
	{"--ip", "ip", .help = "address in the vSwitch"},
	{NULL},
};
static const struct cli_column endpoint_columns[] = {{"Endpoint", "EndpointId"},
						     {"Name", "EndpointName"},
						     {"VPC", "VpcId"},
						     {"Service", "ServiceName"},
						     {"Status", "EndpointStatus"},
						     {"Connection", "ConnectionStatus"},
						     {NULL}};
static const struct cli_column endpoint_fields[] = {{"Endpoint", "EndpointId"},
						    {"Name", "EndpointName"},
						    {"Description", "EndpointDescription"},
						    {"VPC", "VpcId"},
						    {"Service", "ServiceName"},
						    {"Service id", "ServiceId"},
						    {"Domain", "EndpointDomain"},
						    {"Status", "EndpointStatus"},
						    {"Failure", "FailureReason"},
						    {"Connection", "ConnectionStatus"},
						    {"Bandwidth", "Bandwidth"},
						    {"Zone affinity", "ZoneAffinityEnabled"},
						    {"Created", "CreateTime"},
						    {NULL}};
static const struct cli_column zone_columns[] = {{"Zone", "ZoneId"},
						 {"vSwitch", "VSwitchId"},
						 {"ENI", "EniId"},
						 {"IP address", "EniIp"},
						 {"Status", "ZoneStatus"},
						 {"Domain", "ZoneDomain"},
						 {NULL}};
static const struct cli_wait endpoint_connected = {
	"GetVpcEndpointAttribute",
	"EndpointId=%s",
	"",
	"EndpointStatus=Active,ConnectionStatus=Connected",
	.blocked = "EndpointStatus=Active,AcceptanceStatus=Waiting",
	.blocked_note = "the provider has to accept the connection"};
static const struct cli_wait endpoint_active = {"GetVpcEndpointAttribute", "EndpointId=%s", "",
						"EndpointStatus=Active"};
static const struct cli_wait endpoint_gone = {"GetVpcEndpointAttribute", "EndpointId=%s", "", .gone = true};

/* ---- accounts and nodes ---- */

static const struct cli_option account_create[] = {
	{"--name", "AccountName", .required = true, .help = "name"},
	{"--admin", "Admin", CLI_FLAG, .help = "an administrator"},
	{NULL},
};
static const struct cli_option key_create[] = {
	{"ACCOUNT", "AccountId", .required = true, .help = "the account's number"}, {NULL}};
static const struct cli_option key_list[] = {{"--account", "AccountId", .help = "only of this account"},
					     {NULL}};
static const struct cli_option key_id[] = {{"KEY", "AccessKeyId", .required = true, .help = "the key's id"},
					   {NULL}};
static const struct cli_column key_columns[] = {{"Access key", "AccessKeyId"},
						{"Account", "AccountId"},
						{"Status", "Status"},
						{"Created", "CreateTime"},
						{NULL}};
static const struct cli_column account_columns[] = {{"Account", "AccountId"},
						    {"Name", "AccountName"},
						    {"Administrator", "Admin"},
						    {"Created", "CreateTime"},
						    {NULL}};
static const struct cli_column key_fields[] = {
	{"Account", "AccountId"}, {"Access key", "AccessKeyId"}, {"Secret", "AccessKeySecret"}, {NULL}};
static const struct cli_column node_columns[] = {{"Node", "NodeName"},
						 {"Number", "Number"},
						 {"Zones", "Zones"},
						 {"Instances", "InstanceCount"},
						 {"Live", "Live"},
						 {"Info", "StatusInfo"},
						 {NULL}};
static const struct cli_option node_delete[] = {
	{"NODE", "NodeName", .required = true, .help = "the node's name"},
	{"--force", "Force", CLI_FLAG, .help = "also the instances that are on it"},
	{NULL},
};

const struct cli_command cli_commands[] = {
	{"vpc", "create", "Creates a VPC and prints its id.", "vpc", "CreateVpc", vpc_create, .id = "VpcId",
	 .wait = &vpc_available},
	{"vpc", "list", "Shows the account's VPCs.", "vpc", "DescribeVpcs", vpc_list, .list = "Vpcs.Vpc",
	 .columns = vpc_columns, .paging = CLI_BY_NUMBER},
	{"vpc", "delete", "Deletes a VPC that nothing is in.", "vpc", "DeleteVpc", vpc_id, .id = "VpcId",
	 .wait = &vpc_gone},

	{"vswitch", "create", "Creates a vSwitch and prints its id.", "vpc", "CreateVSwitch", vswitch_create,
	 .id = "VSwitchId", .wait = &vswitch_available},
	{"vswitch", "list", "Shows the account's vSwitches.", "vpc", "DescribeVSwitches", vswitch_list,
	 .list = "VSwitches.VSwitch", .columns = vswitch_columns, .paging = CLI_BY_NUMBER},
	{"vswitch", "delete", "Deletes a vSwitch that nothing is in.", "vpc", "DeleteVSwitch", vswitch_id,
	 .id = "VSwitchId", .wait = &vswitch_gone},

	{"sg", "create", "Creates a security group and prints its id.", "ecs", "CreateSecurityGroup",
	 sg_create, .id = "SecurityGroupId"},
	{"sg", "list", "Shows the account's security groups.", "ecs", "DescribeSecurityGroups", sg_list,
	 .list = "SecurityGroups.SecurityGroup", .columns = sg_columns, .paging = CLI_BY_NUMBER},
	{"sg", "authorize", "Adds a rule for what may come in.", "ecs", "AuthorizeSecurityGroup", sg_rule_in},
	{"sg", "revoke", "Removes a rule for what may come in.", "ecs", "RevokeSecurityGroup", sg_rule_in},
	{"sg", "authorize-egress", "Adds a rule for what may go out.", "ecs", "AuthorizeSecurityGroupEgress",
	 sg_rule_out},
	{"sg", "revoke-egress", "Removes a rule for what may go out.", "ecs", "RevokeSecurityGroupEgress",
	 sg_rule_out},
	{"sg", "rules", "Shows the rules of a group, the implicit ones too.", "ecs",
	 "DescribeSecurityGroupAttribute", sg_id, .fixed = "Direction=all", .list = "Permissions.Permission",
	 .columns = sg_rule_columns, .complete = cli_add_implicit_rules},
	{"sg", "delete", "Deletes a security group that nothing uses.", "ecs", "DeleteSecurityGroup", sg_id},

	{"instance", "run", "Makes instances (network namespaces on a node) and prints their ids.", "ecs",
	 "RunInstances", instance_run, .id = "InstanceIdSets.InstanceIdSet", .wait = &instance_running},
	{"instance", "attach", "Makes an existing namespace, or a tap device, an instance and prints its id.",
	 "privlink", "AttachInstance", instance_attach, .id = "InstanceId", .wait = &attached_running},
	{"instance", "list", "Shows the account's instances.", "ecs", "DescribeInstances", instance_list,
	 .list = "Instances.Instance", .columns = instance_columns, .paging = CLI_BY_NUMBER},
	{"instance", "start", "Starts a stopped instance.", "ecs", "StartInstance", instance_id,
	 .id = "InstanceId", .wait = &instance_running},
	{"instance", "stop", "Stops an instance.", "ecs", "StopInstance", instance_id, .id = "InstanceId",
	 .wait = &instance_stopped},
	{"instance", "delete", "Deletes an instance.", "ecs", "DeleteInstance", instance_delete,
	 .id = "InstanceId", .wait = &instance_gone},
	{"instance", "interfaces", "Shows network interfaces (ENIs), those of endpoints too.", "ecs",
	 "DescribeNetworkInterfaces", eni_list, .list = "NetworkInterfaceSets.NetworkInterfaceSet",
	 .columns = eni_columns, .paging = CLI_BY_NUMBER},

	{"nlb", "create", "Creates a load balancer and prints its id.", "nlb", "CreateLoadBalancer",
	 nlb_create, .fixed = "AddressType=Intranet", .id = "LoadbalancerId", .wait = &nlb_active},
	{"nlb", "list", "Shows the account's load balancers.", "nlb", "ListLoadBalancers", nlb_list,
	 .list = "LoadBalancers", .columns = nlb_columns, .paging = CLI_BY_TOKEN},
	{"nlb", "show", "Shows a load balancer.", "nlb", "GetLoadBalancerAttribute", nlb_id,
	 .columns = nlb_fields},
	{"nlb", "delete", "Deletes a load balancer.", "nlb", "DeleteLoadBalancer", nlb_id,
	 .id = "LoadBalancerId", .wait = &nlb_gone},
	{"nlb", "group-create", "Creates a server group and prints its id.", "nlb", "CreateServerGroup",
	 group_create, .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-list", "Shows the account's server groups.", "nlb", "ListServerGroups", group_list,
	 .list = "ServerGroups", .columns = group_columns, .paging = CLI_BY_TOKEN},
	{"nlb", "group-add", "Adds servers to a group.", "nlb", "AddServersToServerGroup", group_servers,
	 .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-remove", "Removes servers from a group.", "nlb", "RemoveServersFromServerGroup",
	 group_servers, .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-servers", "Shows the servers of a group.", "nlb", "ListServerGroupServers", group_id,
	 .list = "Servers", .columns = server_columns, .paging = CLI_BY_TOKEN},
	{"nlb", "group-delete", "Deletes a server group.", "nlb", "DeleteServerGroup", group_id,
	 .id = "ServerGroupId", .wait = &group_gone},
	{"nlb", "listener-create", "Creates a listener and prints its id.", "nlb", "CreateListener",
	 listener_create, .id = "ListenerId", .wait = &listener_running},
	{"nlb", "listener-list", "Shows listeners.", "nlb", "ListListeners", listener_list,
	 .list = "Listeners", .columns = listener_columns, .paging = CLI_BY_TOKEN},
	{"nlb", "listener-health", "Shows which servers of a listener are not healthy, and why.", "nlb",
	 "GetListenerHealthStatus", listener_id, .list = "ListenerHealthStatus", .columns = health_columns},
	{"nlb", "listener-delete", "Deletes a listener.", "nlb", "DeleteListener", listener_id,
	 .id = "ListenerId", .wait = &listener_gone},

	{"service", "create", "Creates an endpoint service and prints its id.", "privatelink",
	 "CreateVpcEndpointService", service_create, .id = "ServiceId", .wait = &service_active},
	{"service", "list", "Shows the account's endpoint services.", "privatelink",
	 "ListVpcEndpointServices", service_list, .list = "Services", .columns = service_columns,
	 .paging = CLI_BY_TOKEN},
	{"service", "find", "Shows the services that the account can connect to.", "privatelink",
	 "ListVpcEndpointServicesByEndUser", service_find, .list = "Services", .columns = found_columns,
	 .paging = CLI_BY_TOKEN},
	{"service", "show", "Shows an endpoint service.", "privatelink", "GetVpcEndpointServiceAttribute",
	 service_id, .columns = service_fields},
	{"service", "attach", "Adds a load balancer's zone to a service.", "privatelink",
	 "AttachResourceToVpcEndpointService", service_attach, .fixed = "ResourceType=nlb", .id = "ServiceId",
	 .wait = &service_active},
	{"service", "resources", "Shows the load balancers of a service.", "privatelink",
	 "ListVpcEndpointServiceResources", service_id, .list = "Resources", .columns = resource_columns,
	 .paging = CLI_BY_TOKEN},
	{"service", "bind", "Puts a load balancer behind a service of the catalogue (administrators).",
	 "privlink", "BindSystemService", service_bind},
	{"service", "unbind", "Takes a load balancer off a service of the catalogue (administrators).",
	 "privlink", "UnbindSystemService", service_bind},
	{"service", "allow", "Lets an account find the service and connect to it.", "privatelink",
	 "AddUserToVpcEndpointService", service_user},
	{"service", "connections", "Shows the endpoints that connected or ask to.", "privatelink",
	 "ListVpcEndpointConnections", service_connections, .list = "Connections",
	 .columns = connection_columns, .paging = CLI_BY_TOKEN},
	{"service", "accept", "Accepts an endpoint's connection.", "privatelink",
	 "EnableVpcEndpointConnection", service_accept, .id = "EndpointId", .wait = &accepted},
	{"service", "reject", "Refuses, or ends, an endpoint's connection.", "privatelink",
	 "DisableVpcEndpointConnection", service_answer, .id = "EndpointId", .wait = &refused},
	{"service", "delete", "Deletes an endpoint service.", "privatelink", "DeleteVpcEndpointService",
	 service_id, .id = "ServiceId", .wait = &service_gone},

	{"endpoint", "create", "Creates an interface endpoint and prints its id.", "privatelink",
	 "CreateVpcEndpoint", endpoint_create, .fixed = "EndpointType=Interface", .id = "EndpointId",
	 .wait = &endpoint_connected},
	{"endpoint", "list", "Shows the account's endpoints.", "privatelink", "ListVpcEndpoints",
	 endpoint_list, .list = "Endpoints", .columns = endpoint_columns, .paging = CLI_BY_TOKEN},
	{"endpoint", "show", "Shows an endpoint.", "privatelink", "GetVpcEndpointAttribute", endpoint_id,
	 .columns = endpoint_fields},
	{"endpoint", "zones", "Shows the zones and ENIs of an endpoint.", "privatelink",
	 "ListVpcEndpointZones", endpoint_id, .list = "Zones", .columns = zone_columns,
	 .paging = CLI_BY_TOKEN},
	{"endpoint", "add-zone", "Adds a zone with an ENI.", "privatelink", "AddZoneToVpcEndpoint",
	 endpoint_add_zone, .id = "EndpointId", .wait = &endpoint_active},
	{"endpoint", "remove-zone", "Removes a zone and its ENI.", "privatelink", "RemoveZoneFromVpcEndpoint",
	 endpoint_zone, .id = "EndpointId", .wait = &endpoint_active},
	{"endpoint", "delete", "Deletes an endpoint.", "privatelink", "DeleteVpcEndpoint", endpoint_id,
	 .id = "EndpointId", .wait = &endpoint_gone},

	{"account", "create", "Creates an account (administrators).", "privlink", "CreateAccount",
	 account_create, .id = "AccountId"},
	{"account", "list", "Shows the accounts (administrators).", "privlink", "ListAccounts", NULL,
	 .list = "Accounts", .columns = account_columns, .paging = CLI_BY_TOKEN},
	{"account", "key-create", "Creates an access key and shows its secret, once.", "privlink",
	 "CreateAccessKey", key_create, .columns = key_fields},
	{"account", "key-list", "Shows access keys (administrators).", "privlink", "ListAccessKeys", key_list,
	 .list = "AccessKeys", .columns = key_columns, .paging = CLI_BY_TOKEN},
	{"account", "key-disable", "Disables an access key (administrators).", "privlink", "UpdateAccessKey",
	 key_id, .fixed = "Status=Inactive"},
	{"account", "key-enable", "Enables an access key again (administrators).", "privlink",
	 "UpdateAccessKey", key_id, .fixed = "Status=Active"},
	{"account", "key-delete", "Deletes an access key (administrators).", "privlink", "DeleteAccessKey",
	 key_id},
	{"node", "list", "Shows the nodes (administrators).", "privlink", "ListNodes", NULL, .list = "Nodes",
	 .columns = node_columns},
	{"node", "delete", "Forgets a node that does not come back (administrators).", "privlink",
	 "DeleteNode", node_delete},
	{"node", "accept-store", "Lets this node follow the store that privlinkd serves now (root).",
	 .run = cli_run_accept_store, .usage = ""},

	{"call", "", "Calls any action of the API and prints its answer.", .run = cli_run_call,
	 .usage = "PRODUCT ACTION [NAME=VALUE]…"},
	{"exec", "", "Runs a command inside an instance of this node (root).", .run = cli_run_exec,
	 .usage = "INSTANCE -- COMMAND [ARGUMENT]…",
	 .notes =
		 "The command gets the instance's network, host name, resolver and trust store: namespaces "
		 "of\n"
		 "its own for network, UTS and mounts (the instance's files are laid over /etc, /sys shows "
		 "its\n"
		 "devices). All else is the host's: files, processes, users, sockets in the file system and\n"
		 "root's capabilities. An instance is a network namespace and no boundary for what root "
		 "runs\n"
		 "in it; what is not to be trusted belongs into a container or a virtual machine that is\n"
		 "attached (privlink instance attach).\n"},
	{"counters", "", "Shows why packets left the data path of this node, and how many.",
	 .run = cli_run_counters, .usage = "[--json] [REASON]…"},
	{"admin", "new-key", "Makes a new key for the administrator and writes it to admin.env (root).",
	 .run = cli_run_admin_new_key, .usage = "[--revoke-others] [--account NUMBER] [--run-dir DIR]"},
	{"store", "show", "Shows the store's identity and revision (root).", .run = cli_run_store_show,
	 .usage = "[--run-dir DIR]"},
	{"store", "backup", "Copies the store of the running privlinkd to a file (root).",
	 .run = cli_run_store_backup, .usage = "FILE [--run-dir DIR]"},
	{"ca", "init", "Makes this machine's certificate authority, if there is none (root).",
	 .run = cli_run_ca_init, .usage = "[--name TEXT]"},
	{"ca", "issue", "Issues a server certificate (root).", .run = cli_run_ca_issue,
	 .usage = "--name NAME --out DIR [--san DNS:name,IP:address]… [--api [--catalogue FILE]] [--owner "
		  "USER]"},
	{"ca", "show", "Shows certificates, and when they end: the authority's, the API's, or those named.",
	 .run = cli_run_ca_show, .usage = "[FILE]…"},
	{"version", "", "Prints the version.", .run = cli_run_version},
	{NULL},
};
