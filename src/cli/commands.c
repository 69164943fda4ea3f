/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of commands: groups of verbs over the API's objects. To add one, add a row that names its action:
 * its options are the parameters that have one, and what it shows are the members that have a title
 * (src/schema). Here is what the API does not know: values that people write shorter, and what to wait for.
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

/* "i-…[,weight]": a server of a classic load balancer, whose listeners say the port. */
static int add_backend(struct cli *cli _unused_, const struct cli_option *option _unused_, const char *value,
		       unsigned int n, struct params *params)
{
	char id[256], name[64];
	const char *comma = strchr(value, ',');
	int r;

	if (str_format(id, sizeof(id), "%.*s", comma ? (int)(comma - value) : (int)strlen(value), value) <
		    0 ||
	    !*id)
		return -EINVAL;
	(void)str_format(name, sizeof(name), "BackendServers.%u.ServerId", n);
	r = params_add(params, name, id);
	if (r < 0 || !comma)
		return r;
	(void)str_format(name, sizeof(name), "BackendServers.%u.Weight", n);
	return params_add(params, name, comma + 1);
}

/* A load balancer, and by its option the type. */
static int add_resource(struct cli *cli _unused_, const struct cli_option *option, const char *value,
			unsigned int n _unused_, struct params *params)
{
	int r = params_add(params, "ResourceType", option->name + strlen("--"));

	return r < 0 ? r : params_add(params, option->parameter, value);
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
	bool is_number = *value && value[strspn(value, "0123456789")] == '\0';

	if (!is_number && !streq(value, "*") && !str_starts(value, "acs:"))
		return -EINVAL; /* a name: others' accounts are known by their numbers */
	return params_add(params, is_number ? "UserId" : "UserARN", value);
}

/* What a flag takes back. */
static int add_no(struct cli *cli _unused_, const struct cli_option *option, const char *value _unused_,
		  unsigned int n _unused_, struct params *params)
{
	return params_add(params, option->parameter, "false");
}

/* ---- vpc, vswitch ---- */

static const struct cli_wait vpc_available = {"DescribeVpcs", "VpcId=%s", "Status=Available"};
static const struct cli_wait vpc_gone = {"DescribeVpcs", "VpcId=%s", .gone = true};

static const struct cli_wait vswitch_available = {"DescribeVSwitches", "VSwitchId=%s", "Status=Available"};
static const struct cli_wait vswitch_gone = {"DescribeVSwitches", "VSwitchId=%s", .gone = true};

/* ---- security groups ---- */

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

/* ---- instances ---- */

static const struct cli_option instance_attach[] = {
	{"--netns", "Path", .add = add_netns,
	 .help = "existing network namespace: its name (ip netns), or a path"},
	{"--pid", "Path", .add = add_pid, .help = "existing network namespace: of this process"},
	{"--tap", "Device", .add = add_tap, .help = "make a tap device of this name, for a virtual machine"},
	{NULL},
};
static const struct cli_option instance_list[] = {
	{"--ids", "InstanceIds", .help = "only these: [\"i-…\"]"},
	{NULL},
};
static const struct cli_wait instance_running = {"DescribeInstances", "InstanceIds=[\"%s\"]",
						 "Status=Running"};
static const struct cli_wait attached_running = {"GetInstance", "InstanceId=%s", "Status=Running"};
static const struct cli_wait instance_stopped = {"DescribeInstances", "InstanceIds=[\"%s\"]",
						 "Status=Stopped"};
static const struct cli_wait instance_gone = {"DescribeInstances", "InstanceIds=[\"%s\"]", .gone = true};

/* ---- load balancers ---- */

static const struct cli_wait nlb_active = {"GetLoadBalancerAttribute", "LoadBalancerId=%s",
					   "LoadBalancerStatus=Active"};
static const struct cli_wait nlb_gone = {"ListLoadBalancers", "LoadBalancerIds.1=%s", .gone = true};

static const struct cli_option group_servers[] = {
	{"--server", "Servers", CLI_TUPLE, .required = true, .add = add_server,
	 .help = "ID,PORT[,WEIGHT]: an instance, an ENI or an address"},
	{NULL},
};
static const struct cli_wait group_available = {"ListServerGroups", "ServerGroupIds.1=%s",
						"ServerGroupStatus=Available"};
static const struct cli_wait group_gone = {"ListServerGroups", "ServerGroupIds.1=%s", .gone = true};

static const struct cli_wait listener_running = {"GetListenerAttribute", "ListenerId=%s",
						 "ListenerStatus=Running"};
static const struct cli_wait listener_gone = {"ListListeners", "ListenerIds.1=%s", .gone = true};

static const struct cli_wait slb_active = {"DescribeLoadBalancerAttribute", "LoadBalancerId=%s",
					   "LoadBalancerStatus=active"};
static const struct cli_wait slb_inactive = {"DescribeLoadBalancerAttribute", "LoadBalancerId=%s",
					     "LoadBalancerStatus=inactive"};
static const struct cli_wait slb_gone = {"DescribeLoadBalancers", "LoadBalancerId=%s", .gone = true};

static const struct cli_option backends[] = {
	{"--server", "BackendServers", CLI_TUPLE, .required = true, .add = add_backend,
	 .help = "ID[,WEIGHT]: an instance or an ENI"},
	{NULL},
};

/* ---- endpoint services ---- */

static const struct cli_option service_attach[] = {
	{"--nlb", "ResourceId", .add = add_resource, .help = "nlb-…"},
	{"--slb", "ResourceId", .add = add_resource, .help = "lb-…: a classic load balancer"},
	{NULL},
};

#define ZONE_AFFINITY                                                                                        \
	{"--zone-affinity", "ZoneAffinityEnabled", CLI_FLAG,                                                 \
	 .help = "names: the asker's zone alone, if it has one"},                                            \
	{                                                                                                    \
		"--no-zone-affinity", "ZoneAffinityEnabled", CLI_FLAG, .add = add_no,                        \
								       .help = "answer them with all zones"  \
	}

static const struct cli_option service_update[] = {
	{"--auto-accept", "AutoAcceptEnabled", CLI_FLAG, .help = "accept connections without asking"},
	{"--no-auto-accept", "AutoAcceptEnabled", CLI_FLAG, .add = add_no, .help = "ask for each connection"},
	ZONE_AFFINITY,
	{NULL},
};

static const struct cli_option service_find[] = {
	{"--service", NULL, .add = add_service, .help = "id, name, or product of the catalogue (pai-dlc)"},
	{NULL},
};
static const struct cli_option service_bind[] = {
	{"SERVICE", NULL, .required = true, .add = add_service,
	 .help = "product of the catalogue (pai-dlc), or full name"},
	{NULL},
};
static const struct cli_column service_whitelist[] = {{"Allowed", CLI_WHITELIST}, {NULL}};
static const struct cli_option service_user[] = {
	{"ACCOUNT", NULL, .required = true, .add = add_account,
	 .help = "account number, an ARN, or \"*\" for all"},
	{NULL},
};
static const struct cli_wait service_active = {"GetVpcEndpointServiceAttribute", "ServiceId=%s",
					       "ServiceStatus=Active"};
static const struct cli_wait service_gone = {"GetVpcEndpointServiceAttribute", "ServiceId=%s", .gone = true};
static const struct cli_wait accepted = {"ListVpcEndpointConnections", "EndpointId=%s",
					 "ConnectionStatus=Connected"};
static const struct cli_wait refused = {"ListVpcEndpointConnections", "EndpointId=%s",
					"ConnectionStatus=Disconnected"};

/* ---- endpoints ---- */

static const struct cli_option endpoint_create[] = {
	{"--service", NULL, .required = true, .add = add_service,
	 .help = "id, name, or product of the catalogue (pai-dlc)"},
	{NULL},
};
static const struct cli_option endpoint_test[] = {
	{"--no-wait", "NoWait", CLI_FLAG, .help = "only begin, and print the test's id"},
	{NULL},
};
static const char path_notes[] =
	"Nothing is sent: the answer comes from what is configured and what nodes report.\n"
	"Of the other side it shows whether it answers. Exit status: 0 if all zones can be\n"
	"reached, 3 if not, 1 if that could not be found out.\n";
static const struct cli_option diagnose_options[] = {
	{"INSTANCE", "InstanceId", .required = true, .help = "i-…, or its name"},
	{"TARGET", "Target", .required = true, .help = "endpoint, name or address; then :PORT if needed"},
	{"--protocol", "Protocol", .help = "TCP (default), UDP or ICMP, which is ping"},
	{"--no-probe", "NoProbe", CLI_FLAG, .help = "send nothing: only what is configured"},
	{NULL},
};
static const char diagnose_notes[] =
	"First what is configured and what nodes report, hop by hop. If nothing of it breaks the way\n"
	"of TCP, a connectivity test tries it from the instance; root on the instance's node is also\n"
	"told what became of its packets meanwhile. The first thing that is broken is the cause. Exit\n"
	"status: 0 if all zones are reached, 3 if not, 1 if that could not be found out.\n";
/* ---- what the agent of this node is asked ---- */

#define WHOSE_TRAFFIC                                                                                        \
	{"TARGET", "target", .help = "ep-… or i-…, of this node; else all of it"},                           \
		{"--address", "address", .help = "an IPv4 address, on either side of the endpoint"},         \
	{                                                                                                    \
		"--port", "port", .add = cli_add_number, .help = "a port of TCP or UDP, on either side"      \
	}
static const struct cli_option trace_options[] = {
	WHOSE_TRAFFIC,
	{"--drops", "drops", CLI_FLAG, .help = "only packets that are dropped"},
	{"--count", "count", .add = cli_add_number, .help = "end after so many packets"},
	{"--rate", "rate", .add = cli_add_number, .help = "packets a second, at most (1000; up to 10000)"},
	{NULL},
};
static const struct cli_option flows_options[] = {
	WHOSE_TRAFFIC,
	{"--limit", "limit", .add = cli_add_number, .help = "show so many (1000)"},
	{NULL},
};
static const struct cli_option flow_log_options[] = {
	{"ENDPOINT", "target", .required = true, .help = "ep-…"},
	{"--limit", "limit", .add = cli_add_number, .help = "show so many, the last ones (1000)"},
	{NULL},
};

static const struct cli_option endpoint_update[] = {ZONE_AFFINITY, {NULL}};
static const struct cli_wait endpoint_connected = {
	"GetVpcEndpointAttribute", "EndpointId=%s", "EndpointStatus=Active,ConnectionStatus=Connected",
	.blocked = "EndpointStatus=Active,AcceptanceStatus=Waiting",
	.blocked_note = "the provider has to accept the connection"};
static const struct cli_wait endpoint_active = {"GetVpcEndpointAttribute", "EndpointId=%s",
						"EndpointStatus=Active"};
static const struct cli_wait endpoint_gone = {"GetVpcEndpointAttribute", "EndpointId=%s", .gone = true};

/* ---- changes ---- */

#define NAME_AND_DESCRIPTION(name)                                                                           \
	{"--name", name, .help = "name"},                                                                    \
	{                                                                                                    \
		"--description", "Description", .help = "description"                                        \
	}

static const struct cli_option vpc_update[] = {
	{"VPC", "VpcId", .required = true, .help = "vpc-…"}, NAME_AND_DESCRIPTION("VpcName"), {NULL}};
static const struct cli_option vswitch_update[] = {
	{"VSWITCH", "VSwitchId", .required = true, .help = "vsw-…"},
	NAME_AND_DESCRIPTION("VSwitchName"),
	{NULL}};
static const struct cli_option sg_update[] = {{"GROUP", "SecurityGroupId", .required = true, .help = "sg-…"},
					      NAME_AND_DESCRIPTION("SecurityGroupName"),
					      {NULL}};
static const struct cli_option sg_inside[] = {
	{"GROUP", "SecurityGroupId", .required = true, .help = "sg-…"},
	{"POLICY", "InnerAccessPolicy", .required = true, .help = "Accept or Drop"},
	{NULL},
};
static const struct cli_option nlb_update[] = {
	{"NLB", "LoadBalancerId", .required = true, .help = "nlb-…"},
	{"--name", "LoadBalancerName", .required = true, .help = "name"},
	{NULL},
};
static const struct cli_option nlb_protect[] = {
	{"--no-deletion-protection", "DeletionProtectionEnabled", CLI_FLAG, .add = add_no,
	 .help = "it can be deleted again"},
	{NULL},
};
static const struct cli_option group_update[] = {
	{"GROUP", "ServerGroupId", .required = true, .help = "sgp-…"},
	{"--name", "ServerGroupName", .help = "name"},
	{"--scheduler", "Scheduler", .help = "how servers are chosen"},
	{NULL},
};
static const struct cli_option listener_update[] = {
	{"LISTENER", "ListenerId", .required = true, .help = "lsn-…"},
	{"--group", "ServerGroupId", .help = "the server group that it serves from now on"},
	{"--description", "ListenerDescription", .help = "description"},
	{"--no-proxy-protocol", "ProxyProtocolEnabled", CLI_FLAG, .add = add_no,
	 .help = "servers get no PROXY header any more"},
	{NULL},
};
static const struct cli_wait listener_stopped = {"GetListenerAttribute", "ListenerId=%s",
						 "ListenerStatus=Stopped"};

/* "yes" and "no" for those who type. */
static int add_yes_no(struct cli *cli _unused_, const struct cli_option *option, const char *value,
		      unsigned int n _unused_, struct params *params)
{
	if (!streq(value, "yes") && !streq(value, "no"))
		return -EINVAL;
	return params_add(params, option->parameter, streq(value, "yes") ? "true" : "false");
}

static const struct cli_option resource_update[] = {
	{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
	{"BALANCER", "ResourceId", .required = true, .help = "nlb-… or lb-…"},
	{"--zone", "ZoneId", .help = "only in this zone"},
	{"--automatic", "AutoAllocatedEnabled", .required = true, .add = add_yes_no, .help = "yes or no"},
	{NULL},
};

/* ---- the audit log ---- */

static const struct cli_option audit_options[] = {
	{"--since", "StartTime", .add = cli_add_time,
	 .help = "from then on: 30m, 2h, 3d ago, or 2026-01-02[T03:04:05Z]"},
	{"--until", "EndTime", .add = cli_add_time, .help = "before then, in the same way"},
	{"--limit", "Limit", .add = cli_add_number, .help = "how many calls, the newest ones (100)"},
	{"--follow", "Follow", CLI_FLAG, .help = "show calls as they come"},
	{"-f", "Follow", CLI_FLAG, .help = "the same"},
	{NULL},
};

/* ---- what traffic was ---- */

static const struct cli_option endpoint_monitor[] = {
	{"ENDPOINT", "EndpointId", .required = true, .help = "ep-…"},
	{"--since", "StartTime", .add = cli_add_time, .help = "from then on: 15m, 2h ago (5m)"},
	{"--follow", "Follow", CLI_FLAG, .help = "show it as it comes, by 10 s"},
	{"-f", "Follow", CLI_FLAG, .help = "the same"},
	{NULL},
};
static const struct cli_option service_monitor[] = {
	{"SERVICE", "ServiceId", .required = true, .help = "epsrv-…"},
	{"--since", "StartTime", .add = cli_add_time, .help = "from then on: 15m, 2h ago (5m)"},
	{"--follow", "Follow", CLI_FLAG, .help = "show it as it comes, by 10 s"},
	{"-f", "Follow", CLI_FLAG, .help = "the same"},
	{NULL},
};
#define MONITOR_NOTES                                                                                        \
	"In is to the service, out from it, \"-\" what is not known. 10 s are kept for 15 minutes,\n"        \
	"60 s for 3 hours; the time is UTC.\n"

const struct cli_command cli_commands[] = {
	{"vpc", "create", "Creates a VPC and prints its id.", "vpc", "CreateVpc", .id = "VpcId",
	 .wait = &vpc_available},
	{"vpc", "list", "Shows the account's VPCs.", "vpc", "DescribeVpcs", .whats = "VPCs"},
	{"vpc", "show", "Shows a VPC.", "vpc", "DescribeVpcAttribute"},
	{"vpc", "update", "Changes a VPC's name or description.", "vpc", "ModifyVpcAttribute", vpc_update},
	{"vpc", "delete", "Deletes a VPC that nothing is in.", "vpc", "DeleteVpc", .id = "VpcId",
	 .wait = &vpc_gone},

	{"vswitch", "create", "Creates a vSwitch and prints its id.", "vpc", "CreateVSwitch",
	 .id = "VSwitchId", .wait = &vswitch_available},
	{"vswitch", "list", "Shows the account's vSwitches.", "vpc", "DescribeVSwitches",
	 .whats = "vSwitches"},
	{"vswitch", "show", "Shows a vSwitch.", "vpc", "DescribeVSwitchAttributes"},
	{"vswitch", "update", "Changes a vSwitch's name or description.", "vpc", "ModifyVSwitchAttribute",
	 vswitch_update},
	{"vswitch", "delete", "Deletes a vSwitch that nothing is in.", "vpc", "DeleteVSwitch",
	 .id = "VSwitchId", .wait = &vswitch_gone},

	{"sg", "create", "Creates a security group and prints its id.", "ecs", "CreateSecurityGroup",
	 .id = "SecurityGroupId"},
	{"sg", "list", "Shows the account's security groups.", "ecs", "DescribeSecurityGroups",
	 .whats = "security groups"},
	{"sg", "update", "Changes a group's name or description.", "ecs", "ModifySecurityGroupAttribute",
	 sg_update},
	{"sg", "inside", "Lets members of a group reach each other, or not.", "ecs",
	 "ModifySecurityGroupPolicy", sg_inside},
	{"sg", "authorize", "Adds a rule for what may come in.", "ecs", "AuthorizeSecurityGroup", sg_rule_in},
	{"sg", "revoke", "Removes a rule for what may come in.", "ecs", "RevokeSecurityGroup", sg_rule_in},
	{"sg", "authorize-egress", "Adds a rule for what may go out.", "ecs", "AuthorizeSecurityGroupEgress",
	 sg_rule_out},
	{"sg", "revoke-egress", "Removes a rule for what may go out.", "ecs", "RevokeSecurityGroupEgress",
	 sg_rule_out},
	{"sg", "rules", "Shows the rules of a group, the implicit ones too.", "ecs",
	 "DescribeSecurityGroupAttribute", .fixed = "Direction=all", .complete = cli_add_implicit_rules,
	 .whats = "rules of this group", .of_all = true},
	{"sg", "delete", "Deletes a security group that nothing uses.", "ecs", "DeleteSecurityGroup"},

	{"instance", "run", "Makes instances (network namespaces on a node) and prints their ids.", "ecs",
	 "RunInstances", .id = "InstanceIdSets.InstanceIdSet", .wait = &instance_running},
	{"instance", "attach", "Makes an existing namespace, or a tap device, an instance and prints its id.",
	 "privlink", "AttachInstance", instance_attach, .id = "InstanceId", .wait = &attached_running},
	{"instance", "list", "Shows the account's instances.", "ecs", "DescribeInstances", instance_list,
	 .whats = "instances"},
	{"instance", "start", "Starts a stopped instance.", "ecs", "StartInstance", .id = "InstanceId",
	 .wait = &instance_running},
	{"instance", "stop", "Stops an instance.", "ecs", "StopInstance", .id = "InstanceId",
	 .wait = &instance_stopped},
	{"instance", "delete", "Deletes an instance.", "ecs", "DeleteInstance", .id = "InstanceId",
	 .wait = &instance_gone},
	{"instance", "interfaces", "Shows network interfaces (ENIs), those of endpoints too.", "ecs",
	 "DescribeNetworkInterfaces", .whats = "network interfaces"},

	{"nlb", "create", "Creates a load balancer and prints its id.", "nlb", "CreateLoadBalancer",
	 .fixed = "AddressType=Intranet", .id = "LoadbalancerId", .wait = &nlb_active},
	{"nlb", "list", "Shows the account's load balancers.", "nlb", "ListLoadBalancers",
	 .whats = "load balancers"},
	{"nlb", "show", "Shows a load balancer.", "nlb", "GetLoadBalancerAttribute"},
	{"nlb", "update", "Changes a load balancer's name.", "nlb", "UpdateLoadBalancerAttribute",
	 nlb_update},
	{"nlb", "delete", "Deletes a load balancer.", "nlb", "DeleteLoadBalancer", .id = "LoadBalancerId",
	 .wait = &nlb_gone},
	{"nlb", "zones", "Gives a load balancer other zones, vSwitches or addresses: all that it is to have.",
	 "nlb", "UpdateLoadBalancerZones", .id = "LoadBalancerId", .wait = &nlb_active},
	{"nlb", "shift", "Takes zones out of the names of endpoints.", "nlb", "StartShiftLoadBalancerZones",
	 .id = "LoadBalancerId", .wait = &nlb_active},
	{"nlb", "unshift", "Takes them back in.", "nlb", "CancelShiftLoadBalancerZones",
	 .id = "LoadBalancerId", .wait = &nlb_active},
	{"nlb", "protect", "Guards a load balancer against deletion, and against changes in a console.",
	 "nlb", "UpdateLoadBalancerProtection", nlb_protect},
	{"nlb", "attach-group", "Lets only those reach a load balancer whom a security group lets in.", "nlb",
	 "LoadBalancerJoinSecurityGroup", .id = "LoadBalancerId", .wait = &nlb_active},
	{"nlb", "detach-group", "Takes a load balancer out of a security group.", "nlb",
	 "LoadBalancerLeaveSecurityGroup", .id = "LoadBalancerId", .wait = &nlb_active},
	{"nlb", "group-create", "Creates a server group and prints its id.", "nlb", "CreateServerGroup",
	 .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-list", "Shows the account's server groups.", "nlb", "ListServerGroups",
	 .whats = "server groups"},
	{"nlb", "group-add", "Adds servers to a group.", "nlb", "AddServersToServerGroup", group_servers,
	 .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-remove", "Removes servers from a group.", "nlb", "RemoveServersFromServerGroup",
	 group_servers, .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-weigh", "Changes the weights of servers.", "nlb", "UpdateServerGroupServersAttribute",
	 group_servers, .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-update", "Changes a server group.", "nlb", "UpdateServerGroupAttribute", group_update,
	 .id = "ServerGroupId", .wait = &group_available},
	{"nlb", "group-servers", "Shows the servers of a group.", "nlb", "ListServerGroupServers",
	 .whats = "servers in this group", .of_all = true},
	{"nlb", "group-delete", "Deletes a server group.", "nlb", "DeleteServerGroup", .id = "ServerGroupId",
	 .wait = &group_gone},
	{"nlb", "listener-create", "Creates a listener and prints its id.", "nlb", "CreateListener",
	 .id = "ListenerId", .wait = &listener_running},
	{"nlb", "listener-list", "Shows listeners.", "nlb", "ListListeners", .whats = "listeners"},
	{"nlb", "listener-health", "Shows which servers of a listener are not healthy, and why.", "nlb",
	 "GetListenerHealthStatus", .whats = "servers that are not healthy", .of_all = true},
	{"nlb", "listener-update", "Changes a listener.", "nlb", "UpdateListenerAttribute", listener_update,
	 .id = "ListenerId", .wait = &listener_running},
	{"nlb", "listener-stop", "Stops a listener.", "nlb", "StopListener", .id = "ListenerId",
	 .wait = &listener_stopped},
	{"nlb", "listener-start", "Starts a listener that was stopped.", "nlb", "StartListener",
	 .id = "ListenerId", .wait = &listener_running},
	{"nlb", "listener-delete", "Deletes a listener.", "nlb", "DeleteListener", .id = "ListenerId",
	 .wait = &listener_gone},

	{"slb", "create", "Creates a classic load balancer and prints its id.", "slb", "CreateLoadBalancer",
	 .fixed = "AddressType=intranet", .id = "LoadBalancerId", .wait = &slb_active},
	{"slb", "list", "Shows the account's classic load balancers.", "slb", "DescribeLoadBalancers",
	 .whats = "classic load balancers"},
	{"slb", "show", "Shows a classic load balancer.", "slb", "DescribeLoadBalancerAttribute"},
	{"slb", "rename", "Gives a classic load balancer another name.", "slb", "SetLoadBalancerName"},
	{"slb", "protect", "Protects a classic load balancer against deletion, or no longer.", "slb",
	 "SetLoadBalancerDeleteProtection"},
	{"slb", "start", "Has a classic load balancer serve.", "slb", "SetLoadBalancerStatus",
	 .fixed = "LoadBalancerStatus=active", .id = "LoadBalancerId", .wait = &slb_active},
	{"slb", "stop", "Has a classic load balancer serve no longer.", "slb", "SetLoadBalancerStatus",
	 .fixed = "LoadBalancerStatus=inactive", .id = "LoadBalancerId", .wait = &slb_inactive},
	{"slb", "delete", "Deletes a classic load balancer.", "slb", "DeleteLoadBalancer",
	 .id = "LoadBalancerId", .wait = &slb_gone},
	{"slb", "server-add", "Adds servers to a classic load balancer.", "slb", "AddBackendServers",
	 backends},
	{"slb", "server-set", "Changes the weights of servers.", "slb", "SetBackendServers", backends},
	{"slb", "server-remove", "Removes servers from a classic load balancer.", "slb",
	 "RemoveBackendServers", backends},
	{"slb", "server-health", "Shows what probes found out of the servers behind each listener.", "slb",
	 "DescribeHealthStatus", .whats = "servers behind a listener", .of_all = true},
	{"slb", "tcp-create", "Creates a listener of TCP, which is stopped.", "slb",
	 "CreateLoadBalancerTCPListener"},
	{"slb", "udp-create", "Creates a listener of UDP, which is stopped.", "slb",
	 "CreateLoadBalancerUDPListener"},
	{"slb", "listener-start", "Starts a listener.", "slb", "StartLoadBalancerListener"},
	{"slb", "listener-stop", "Stops a listener.", "slb", "StopLoadBalancerListener"},
	{"slb", "listener-delete", "Deletes a listener.", "slb", "DeleteLoadBalancerListener"},

	{"service", "create", "Creates an endpoint service and prints its id.", "privatelink",
	 "CreateVpcEndpointService", .id = "ServiceId", .wait = &service_active},
	{"service", "list", "Shows the account's endpoint services.", "privatelink",
	 "ListVpcEndpointServices", .whats = "endpoint services"},
	{"service", "find", "Shows the services that the account can connect to.", "privatelink",
	 "ListVpcEndpointServicesByEndUser", service_find, .whats = "services to connect to"},
	{"service", "show", "Shows an endpoint service, and whom it lets in.", "privatelink",
	 "GetVpcEndpointServiceAttribute", .complete = cli_add_whitelist, .more = service_whitelist},
	{"service", "monitor", "Shows the traffic of all endpoints of a service together.", "privlink",
	 "GetEndpointMetrics", service_monitor, .run = cli_run_service_monitor, .notes = MONITOR_NOTES},
	{"service", "attach", "Adds a load balancer's zone to a service.", "privatelink",
	 "AttachResourceToVpcEndpointService", service_attach, .id = "ServiceId", .wait = &service_active},
	{"service", "detach", "Takes a load balancer's zone out of a service.", "privatelink",
	 "DetachResourceFromVpcEndpointService", .id = "ServiceId", .wait = &service_active},
	{"service", "resources", "Shows the load balancers of a service.", "privatelink",
	 "ListVpcEndpointServiceResources", .whats = "resources of this service", .of_all = true},
	{"service", "bind", "Puts a load balancer behind a service of the catalogue (administrators).",
	 "privlink", "BindSystemService", service_bind},
	{"service", "unbind", "Takes a load balancer off a service of the catalogue (administrators).",
	 "privlink", "UnbindSystemService", service_bind},
	{"service", "allow", "Lets an account find the service and connect to it.", "privatelink",
	 "AddUserToVpcEndpointService", service_user},
	{"service", "deny", "Takes an account off the service's list.", "privatelink",
	 "RemoveUserFromVpcEndpointService", service_user},
	{"service", "update", "Changes an endpoint service.", "privatelink",
	 "UpdateVpcEndpointServiceAttribute", service_update, .id = "ServiceId", .wait = &service_active},
	{"service", "connections", "Shows the endpoints that connected or ask to.", "privatelink",
	 "ListVpcEndpointConnections", .whats = "connections", .of_all = true,
	 .complete = cli_show_acceptance},
	{"service", "limit", "Sets the bandwidth of an endpoint's connection.", "privatelink",
	 "UpdateVpcEndpointConnectionAttribute"},
	{"service", "resource-update", "Lets new endpoints get a load balancer of the service, or not.",
	 "privatelink", "UpdateVpcEndpointServiceResourceAttribute", resource_update},
	{"service", "accept", "Accepts an endpoint's connection.", "privatelink",
	 "EnableVpcEndpointConnection", .id = "EndpointId", .wait = &accepted},
	{"service", "reject", "Refuses, or ends, an endpoint's connection.", "privatelink",
	 "DisableVpcEndpointConnection", .id = "EndpointId", .wait = &refused},
	{"service", "cut-zone", "Cuts one zone of a connection.", "privatelink",
	 "DisableVpcEndpointZoneConnection"},
	{"service", "join-zone", "Joins a zone that was cut to its connection again.", "privatelink",
	 "EnableVpcEndpointZoneConnection"},
	{"service", "move-zone", "Has another load balancer serve a zone of a connection.", "privatelink",
	 "UpdateVpcEndpointZoneConnectionResourceAttribute", .id = "ServiceId", .wait = &service_active},
	{"service", "delete", "Deletes an endpoint service.", "privatelink", "DeleteVpcEndpointService",
	 .id = "ServiceId", .wait = &service_gone},

	{"endpoint", "create", "Creates an interface endpoint and prints its id.", "privatelink",
	 "CreateVpcEndpoint", endpoint_create, .fixed = "EndpointType=Interface", .id = "EndpointId",
	 .wait = &endpoint_connected},
	{"endpoint", "list", "Shows the account's endpoints.", "privatelink", "ListVpcEndpoints",
	 .whats = "endpoints", .complete = cli_show_acceptance},
	{"endpoint", "show", "Shows an endpoint.", "privatelink", "GetVpcEndpointAttribute"},
	{"endpoint", "update", "Changes an endpoint.", "privatelink", "UpdateVpcEndpointAttribute",
	 endpoint_update, .id = "EndpointId", .wait = &endpoint_active},
	{"endpoint", "monitor", "Shows the traffic of an endpoint.", "privlink", "GetEndpointMetrics",
	 endpoint_monitor, .run = cli_run_endpoint_monitor, .notes = MONITOR_NOTES},
	{"endpoint", "flow-log", "Shows whether the flow log of an endpoint is on.", "privlink",
	 "GetEndpointFlowLog"},
	{"endpoint", "set-flow-log", "Switches the flow log of an endpoint.", "privlink",
	 "SetEndpointFlowLog",
	 .notes = "The nodes of its consumers record each flow when it ends, and attempts that are refused\n"
		  "(privlink flow-log there).\n"},
	{"endpoint", "zones", "Shows the zones and ENIs of an endpoint.", "privatelink",
	 "ListVpcEndpointZones", .whats = "zones of this endpoint", .of_all = true},
	{"endpoint", "add-zone", "Adds a zone with an ENI.", "privatelink", "AddZoneToVpcEndpoint",
	 .id = "EndpointId", .wait = &endpoint_active},
	{"endpoint", "remove-zone", "Removes a zone and its ENI.", "privatelink", "RemoveZoneFromVpcEndpoint",
	 .id = "EndpointId", .wait = &endpoint_active},
	{"endpoint", "groups", "Shows the security groups of an endpoint.", "privatelink",
	 "ListVpcEndpointSecurityGroups", .whats = "security groups of this endpoint", .of_all = true},
	{"endpoint", "attach-group", "Puts an endpoint's ENIs into a security group.", "privatelink",
	 "AttachSecurityGroupToVpcEndpoint", .id = "EndpointId", .wait = &endpoint_active},
	{"endpoint", "detach-group", "Takes an endpoint's ENIs out of a security group.", "privatelink",
	 "DetachSecurityGroupFromVpcEndpoint", .id = "EndpointId", .wait = &endpoint_active},
	{"endpoint", "test", "Tests from an instance whether it reaches an endpoint.", "privlink",
	 "CreateConnectivityTest", endpoint_test, .run = cli_run_endpoint_test,
	 .notes =
		 "The node looks up the endpoint's name, and in each zone asks the ENI for an echo and for a\n"
		 "connection, and on 443 and 8443 for TLS, on these, 80 and 8080 for HEAD /. Nothing of the\n"
		 "instance runs. The status is 0 if the endpoint is Reachable.\n"},
	{"endpoint", "tests", "Shows the connectivity tests of an endpoint, the newest first.", "privlink",
	 "ListConnectivityTests", .whats = "connectivity tests of this endpoint", .of_all = true},
	{"endpoint", "path", "Shows the way to an endpoint's service, and what breaks it.", "privlink",
	 "GetEndpointPath", .run = cli_run_path, .notes = path_notes},
	{"endpoint", "delete", "Deletes an endpoint.", "privatelink", "DeleteVpcEndpoint", .id = "EndpointId",
	 .wait = &endpoint_gone},

	{"user", "create", "Makes a user of the account and shows it.", "ram", "CreateUser"},
	{"user", "list", "Shows the account's users.", "ram", "ListUsers", .whats = "users"},
	{"user", "show", "Shows a user.", "ram", "GetUser"},
	{"user", "delete", "Deletes a user that has no keys.", "ram", "DeleteUser"},
	{"key", "create", "Makes an access key, one's own or a user's, and shows its secret, once.", "ram",
	 "CreateAccessKey"},
	{"key", "list", "Shows access keys, one's own or a user's.", "ram", "ListAccessKeys",
	 .whats = "access keys"},
	{"key", "disable", "Disables an access key: it signs nothing any more.", "ram", "UpdateAccessKey",
	 .fixed = "Status=Inactive"},
	{"key", "enable", "Enables an access key again.", "ram", "UpdateAccessKey", .fixed = "Status=Active"},
	{"key", "delete", "Deletes an access key.", "ram", "DeleteAccessKey"},

	{"resource-group", "create", "Creates a resource group and prints its id.", "resourcemanager",
	 "CreateResourceGroup", .id = "ResourceGroup.Id"},
	{"resource-group", "list", "Shows the account's resource groups.", "resourcemanager",
	 "ListResourceGroups", .whats = "resource groups"},
	{"resource-group", "show", "Shows a resource group.", "resourcemanager", "GetResourceGroup"},
	{"resource-group", "delete", "Deletes a resource group that nothing is in.", "resourcemanager",
	 "DeleteResourceGroup"},
	{"resource-group", "move", "Moves an endpoint, or a service, to another group.", "privatelink",
	 "ChangeResourceGroup"},

	{"account", "create", "Creates an account (administrators).", "privlink", "CreateAccount",
	 .id = "AccountId"},
	{"account", "list", "Shows the accounts (administrators).", "privlink", "ListAccounts",
	 .whats = "accounts", .of_all = true},
	{"account", "whoami", "Shows whose key the command line uses.", "sts", "GetCallerIdentity"},
	{"account", "key-create", "Creates an access key and shows its secret, once.", "privlink",
	 "CreateAccessKey"},
	{"account", "key-list", "Shows access keys (administrators).", "privlink", "ListAccessKeys",
	 .whats = "access keys", .of_all = true},
	{"account", "key-disable", "Disables an access key (administrators).", "privlink", "UpdateAccessKey",
	 .fixed = "Status=Inactive"},
	{"account", "key-enable", "Enables an access key again (administrators).", "privlink",
	 "UpdateAccessKey", .fixed = "Status=Active"},
	{"account", "key-delete", "Deletes an access key (administrators).", "privlink", "DeleteAccessKey"},
	{"quota", "list", "Shows what an account may have, and what of it it uses.", "privlink", "ListQuotas",
	 .whats = "quotas", .of_all = true},
	{"quota", "set", "Gives an account another quota than all have (administrators).", "privlink",
	 "SetQuota"},
	{"quota", "delete", "Gives an account the quota that all have again (administrators).", "privlink",
	 "DeleteQuota"},
	{"node", "list", "Shows the nodes (administrators).", "privlink", "ListNodes", .whats = "nodes",
	 .of_all = true},
	{"node", "delete", "Forgets a node that does not come back (administrators).", "privlink",
	 "DeleteNode"},
	{"node", "accept-store", "Lets this node follow the store that privlinkd serves now (root).",
	 .run = cli_run_accept_store, .is_text = true, .usage = ""},

	{"region", "list", "Shows the regions.", "vpc", "DescribeRegions", .whats = "regions",
	 .of_all = true},
	{"zone", "list", "Shows the zones of a region.", "vpc", "DescribeZones", .whats = "zones",
	 .of_all = true},
	{"audit", "", "Shows who called the API, when, and what came of it.", "privlink", "ListAuditEvents",
	 audit_options, .run = cli_run_audit, .whats = "such recorded calls", .of_all = true},
	{"call", "", "Calls any action of the API and prints its answer.", .run = cli_run_call,
	 .usage = "PRODUCT ACTION [NAME=VALUE]…",
	 .notes = "Products are privatelink, vpc, ecs, nlb, slb, ram, sts, resourcemanager and privlink; "
		  "their\n"
		  "actions and parameters are in doc/api.md. Here objects are named by their ids.\n"},
	{"diagnose", "", "Says why an instance does not reach an endpoint, and what to do.",
	 .options = diagnose_options, .run = cli_run_diagnose, .notes = diagnose_notes},
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
	{"trace", "", "Shows packets of this node as they pass, or why they do not (root).",
	 .options = trace_options, .run = cli_run_trace,
	 .notes =
		 "A line for each: when, what became of it, its addresses as it came and as it goes on, who\n"
		 "sent it, whose endpoint it is of. What was left out, by the rate or because it is not read\n"
		 "fast enough, is counted. With -o json a line is an object. Nothing is held up by it.\n"},
	{"flows", "", "Shows the open flows of this node (root).", .options = flows_options,
	 .run = cli_run_flows,
	 .notes =
		 "Addresses are those that the client sees, and behind them those that the server sees. Numbers\n"
		 "are packets and bytes, to the server and from it.\n"},
	{"flow-log", "", "Shows what became of an endpoint's flows on this node (root).",
	 .options = flow_log_options, .run = cli_run_flow_log,
	 .notes =
		 "Flows that have ended, and attempts that were refused, while the endpoint's log was on\n"
		 "(privlink endpoint set-flow-log). Numbers are packets and bytes, to the server and from it.\n"
		 "With -o json a record is an object, as in the files.\n"},
	{"admin", "new-key", "Makes a new key for the administrator and writes it to admin.env (root).",
	 .run = cli_run_admin_new_key, .is_text = true,
	 .usage = "[--revoke-others] [--account NUMBER] [--run-dir DIR]"},
	{"store", "show", "Shows the store's identity and revision (root).", .run = cli_run_store_show,
	 .usage = "[--run-dir DIR]"},
	{"store", "backup", "Copies the store of the running privlinkd to a file (root).",
	 .run = cli_run_store_backup, .is_text = true, .usage = "FILE [--state-dir DIR] [--run-dir DIR]"},
	{"ca", "init", "Makes this machine's certificate authority, if there is none (root).",
	 .run = cli_run_ca_init, .is_text = true, .usage = "[--name TEXT]"},
	{"ca", "issue", "Issues a server certificate (root).", .run = cli_run_ca_issue, .is_text = true,
	 .usage = "--name NAME --out DIR [--san DNS:name,IP:address]… [--api [--catalogue FILE]] [--owner "
		  "USER]"},
	{"ca", "show", "Shows certificates, and when they end: the authority's, the API's, or those named.",
	 .run = cli_run_ca_show, .is_text = true, .usage = "[FILE]…"},
	{"version", "", "Prints the version.", .run = cli_run_version},
	{NULL},
};
