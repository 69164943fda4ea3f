#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One account takes all that its quotas allow, and is told where it ends; nothing changes for another: its pings, connections and
# questions go on, none lost, while its rules and new endpoints come into force. The node's tables are the smallest there are.
#
#   consumer c → servers s, t; hostile: instance x, load balancers, groups, rules, endpoints, as many as it gets
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1

agent_arguments=(--table-memory 256)
lab_start
make_world
cv=$(as consumer call vpc DescribeVpcs | jq -r '.Vpcs.Vpc[0].VpcId')
ch=$(as consumer call vpc DescribeVSwitches VpcId="$cv" | jq -r '.VSwitches.VSwitch[0].VSwitchId')
cg=$(as consumer call ecs DescribeSecurityGroups VpcId="$cv" | jq -r '.SecurityGroups.SecurityGroup[0].SecurityGroupId')
service=$(as provider call privatelink ListVpcEndpointServices | jq -r '.Services[0].ServiceId')
wait_for 10 resolves || bail "the name does not resolve"
check "the log says how large the tables are" grep -q "tables have room for enis=4096 " "$dir/agent.log"

og=$(make_group consumer "$cv" TCP:80/80:10.0.0.0/16) # not the instance's: members of a group always reach each other
guarded=$(eni_address consumer "$(make_endpoint consumer "$cv" "$service" "$og" $h="$ch")" $h)

account hostile
while read -r quota value; do
	as_admin call privlink SetQuota AccountId="$(uid_of hostile)" QuotaName="$quota" Value="$value" >/dev/null || bail "no quota $quota"
done <<-END
	vpcs 1
	vswitches_per_vpc 2
	security_groups 3
	rules_per_security_group 75
	security_group_rules 120
	instances 1
	network_interfaces 20
	load_balancers 2
	listeners_per_load_balancer 4
	listeners 6
	server_groups 3
	servers_per_server_group 8
	servers 12
	pvl_quota_total_epsrv 1
	endpoints 8
END

# --- the hostile account

ends() { # CODE COMMAND…: again and again, until it is refused, by that code; the command sees how often that was, as n
	local code=$1 n=0 said
	shift
	while [ $n -lt 100 ] && said=$("$@" 2>&1); do
		n=$((n + 1))
	done
	if grep -qF "$code" <<<"$said"; then
		echo "$code after $n"
	else
		echo "WRONG: $code after $n: $said"
	fi
}
call() { as hostile call "$@"; }
more_vpcs() { call vpc CreateVpc CidrBlock=10.0.0.0/8; }
more_groups() { call ecs CreateSecurityGroup VpcId="$hv"; }
more_rules() { # GROUP: forty, of services and addresses that differ
	local i port rules=()
	for i in {1..40}; do
		port=$((n * 40 + i))
		rules+=("Permissions.$i.IpProtocol=TCP" "Permissions.$i.PortRange=$port/$port" "Permissions.$i.SourceCidrIp=10.$((port % 250)).$i.0/24")
	done
	call ecs AuthorizeSecurityGroup SecurityGroupId="$1" "${rules[@]}"
}
more_instances() { call ecs RunInstances VSwitchId="$hh" SecurityGroupId="$hg" ImageId=debian InstanceType=netns; }
more_groups_of_servers() { call nlb CreateServerGroup ServerGroupName=more VpcId="$hv" Protocol=TCP HealthCheckConfig.HealthCheckEnabled=false; }
more_servers() { # GROUP
	call nlb AddServersToServerGroup ServerGroupId="$1" Servers.1.ServerId="$x" Servers.1.ServerType=Ecs Servers.1.Port=$((n + 1))
}
more_listeners() { # BALANCER GROUP
	call nlb CreateListener LoadBalancerId="$1" ListenerProtocol=TCP ListenerPort=$((n + 1)) ServerGroupId="$2"
}
more_balancers() { call nlb CreateLoadBalancer AddressType=Intranet VpcId="$hv" ZoneMappings.1.ZoneId=$h ZoneMappings.1.VSwitchId="$hh" \
	ZoneMappings.2.ZoneId=cn-hangzhou-i ZoneMappings.2.VSwitchId="$hi"; }
more_endpoints() { call privatelink CreateVpcEndpoint VpcId="$hv" ServiceId="$hs" SecurityGroupId.1="$hg" Zone.1.ZoneId=$h \
	Zone.1.VSwitchId="$hh" Zone.2.ZoneId=cn-hangzhou-i Zone.2.VSwitchId="$hi"; }

take_all() {
	local hv hh hi hg hs x nlb other group balancer
	hv=$(make_vpc hostile 10.0.0.0/8)
	hh=$(make_vswitch hostile "$hv" $h 10.0.0.0/16) hi=$(make_vswitch hostile "$hv" cn-hangzhou-i 10.1.0.0/16)
	ends QuotaExceeded.Vpc more_vpcs
	hg=$(make_group hostile "$hv")
	group=$(more_groups | jq -r .SecurityGroupId)
	other=$(more_groups | jq -r .SecurityGroupId)
	ends QuotaExceed.SecurityGroup more_groups
	ends AuthorizationLimitExceed more_rules "$group"
	ends AuthorizationLimitExceed more_rules "$other"
	ends QuotaExceeded.SecurityGroupRulePerAccount more_rules "$hg"
	x=$(make_instance hostile "$hh" "$hg")
	ends QuotaExceed.Instance more_instances
	nlb=$(make_nlb hostile "$hv" $h="$hh" cn-hangzhou-i="$hi")
	balancer=$(make_nlb hostile "$hv" $h="$hh" cn-hangzhou-i="$hi")
	ends QuotaExceeded.LoadBalancersNum more_balancers
	group=$(more_groups_of_servers | jq -r .ServerGroupId)
	other=$(more_groups_of_servers | jq -r .ServerGroupId)
	more_groups_of_servers >/dev/null
	ends QuotaExceeded.ServerGroupsNum more_groups_of_servers
	ends QuotaExceeded.ServersNum more_servers "$group"
	ends QuotaExceeded.ServerPerAccount more_servers "$other"
	ends QuotaExceeded.ListenersNum more_listeners "$nlb" "$group"
	ends QuotaExceeded.ListenerPerAccount more_listeners "$balancer" "$other"
	hs=$(make_service hostile "$nlb" $h cn-hangzhou-i)
	ends QuotaExceeded.NetworkInterfacePerAccount more_endpoints
	as_admin call privlink SetQuota AccountId="$(uid_of hostile)" QuotaName=network_interfaces Value=40 >/dev/null
	ends QuotaExceeded.EndpointPerAccount more_endpoints
}

# --- and the other one

ping_begin() {
	nsenter --net="/run/netns/$c" ping -i 0.02 "$eni" >"$dir/ping" 2>&1 &
	pinger=$!
	remember pid $pinger
	disown $pinger
}
ping_end() { kill -INT "$pinger" && wait_for 5 grep -q "packet loss" "$dir/ping"; }
none_lost() { grep -q " 0% packet loss" "$dir/ping" || { tail -n 3 "$dir/ping"; false; }; }
gets_through() { inside "$c" python3 "$peer" tcp "$guarded" 80 1; }
is_shut() { ! gets_through; }
changes_come() {
	revoke consumer "$og" TCP:80/80:10.0.0.0/16 && wait_for 3 is_shut &&
		authorize consumer "$og" TCP:80/80:10.0.0.0/16 && wait_for 3 gets_through
}
endpoint_comes() {
	local id address
	id=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || return 1
	address=$(eni_address consumer "$id" $h)
	inside "$c" ping -c 1 -W 2 "$address"
}

ping_begin
take_all >"$dir/taken" 2>&1 &
taking=$!
remember pid $taking
n=0
while [ -d "/proc/$taking" ]; do
	n=$((n + 1))
	inside "$c" python3 "$peer" customer "$eni" 80 "$domain" 1 >>"$dir/customer"
	endpoint_comes >>"$dir/changes.log" 2>&1 || echo "no endpoint" >>"$dir/failed.log"
	changes_come >>"$dir/changes.log" 2>&1 || echo "no rule" >>"$dir/failed.log"
done
wait $taking
sed 's/^/# /' "$dir/taken"
check "each quota ends it, by a code of its own" bash -c '! grep -q WRONG "$1" && [ "$(wc -l <"$1")" = 14 ]' - "$dir/taken"
check "the other's rules and endpoints came into force meanwhile, $n times" [ ! -e "$dir/failed.log" ]
check "and now that all is taken: an endpoint" endpoint_comes
check "a rule" changes_come
check "connections and questions: none repeated, none failed" bash -c '! grep -v ", 0 repeated, 0 failed" "$1"' - "$dir/customer"
check "names resolve" resolves
ping_end
check "none of its pings was lost" none_lost
finish
