#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One account takes all that its quotas allow, is told where each ends, and then changes what it has as fast as it can. Nothing changes for
# another one: its pings, connections and questions go on, none lost, and its rules, members and endpoints come into force, each before
# the node says so. The node's tables are the smallest there are.
#
#   consumer c → servers s, t; hostile: of everything as much as it gets (shares.py)
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1

agent_arguments=(--table-memory 256)
lab_start
make_world
cv=$(as consumer call vpc DescribeVpcs | jq -r '.Vpcs.Vpc[0].VpcId')
ch=$(as consumer call vpc DescribeVSwitches VpcId="$cv" | jq -r '.VSwitches.VSwitch[0].VSwitchId')
service=$(as provider call privatelink ListVpcEndpointServices | jq -r '.Services[0].ServiceId')
wait_for 10 resolves || bail "the name does not resolve"
check "the log says how large the tables are" grep -q "tables have room for enis=4096 " "$dir/agent.log"

account hostile
quotas="
	vpcs 2 QuotaExceeded.Vpc
	vpcs_of_all_regions 4 QuotaExceeded.VpcPerAccount
	vswitches_per_vpc 3 QuotaExceeded.VSwitch
	vswitches 5 QuotaExceeded.VSwitchPerAccount
	security_groups 4 QuotaExceed.SecurityGroup
	security_groups_of_all_regions 6 QuotaExceeded.SecurityGroupPerAccount
	rules_per_security_group 50 AuthorizationLimitExceed
	security_group_rules 100 QuotaExceeded.SecurityGroupRulePerAccount
	instances 3 QuotaExceed.Instance
	load_balancers 4 QuotaExceeded.LoadBalancersNum
	server_groups 3 QuotaExceeded.ServerGroupsNum
	servers_per_server_group 8 QuotaExceeded.ServersNum
	servers 12 QuotaExceeded.ServerPerAccount
	balancing_places 9000 QuotaExceeded.BalancingPlacePerAccount
	listeners_per_load_balancer 4 QuotaExceeded.ListenersNum
	listeners 6 QuotaExceeded.ListenerPerAccount
	pvl_quota_total_epsrv 2 QuotaMisMatched
	pvl_quota_epsrv_resource_per_service 5 QuotaMisMatched
	pvl_quota_epsrv_resource_per_zone_per_srv 3 QuotaMisMatched
	users_per_service 3 QuotaMisMatched
	services 3 QuotaExceeded.ServicePerAccount
	service_users 6 QuotaExceeded.ServiceUserPerAccount
	service_resources 9 QuotaExceeded.ServiceResourcePerAccount
	pvl_quota_total_ep_per_vpc 4 QuotaExceeded.totalEpPerVpc
	network_interfaces 21 QuotaExceeded.NetworkInterfacePerAccount
	idle_endpoints 1 QuotaExceeded.totalIdleEndpoint
	endpoints 6 QuotaExceeded.EndpointPerAccount
	flow_logs 2 QuotaExceeded.FlowLog
	resource_groups 2 LimitExceeded.ResourceGroup"
set_quota() { # NAME VALUE
	as_admin call privlink SetQuota AccountId="$(uid_of hostile)" QuotaName="$1" Value="$2" >/dev/null
}
while read -r quota value _; do
	[ -z "$quota" ] || set_quota "$quota" "$value" || bail "no quota $quota"
done <<<"$quotas"

# --- the hostile account

shares() { in_lab python3 "$source_dir/tests/net/shares.py" "$1" "$http_port" "${@:2}"; }
each_quota_ends_it() { # privileges take nothing, and keys are the operator's to give
	! grep ^WRONG "$dir/taken" && diff <(awk 'NF { print $1, $3 }' <<<"$quotas" | sort) <(sort "$dir/taken") &&
		as_admin call privlink ListQuotas AccountId="$(uid_of hostile)" | jq -r '.Quotas[].QuotaName' |
		grep -vE '^(privatelink_whitelist/.*|access_keys)$' | sort | diff - <(awk 'NF { print $1 }' <<<"$quotas" | sort)
}
churn_begin() {
	set_quota idle_endpoints 5 # it makes new ones
	nsenter --net="/run/netns/$lab" python3 "$source_dir/tests/net/shares.py" churn "$http_port" "$dir/account-hostile" >"$dir/churn" 2>&1 &
	churn=$!
	remember pid $churn
	disown $churn
	wait_for 10 grep -q begun "$dir/churn"
}
churn_end() { kill "$churn" && wait_for 10 ended "$churn" && grep "changes a second" "$dir/churn"; }

# --- and the other one

ping_begin() {
	nsenter --net="/run/netns/$c" ping -i 0.02 "$eni" >"$dir/ping" 2>&1 &
	pinger=$!
	remember pid $pinger
	disown $pinger
}
ping_end() { kill -INT "$pinger" && wait_for 5 grep -q "packet loss" "$dir/ping"; }
none_lost() { grep -q " 0% packet loss" "$dir/ping" || { tail -n 3 "$dir/ping"; false; }; }
changes() { # NAME ROUNDS [PID]: of the other one's; what is said of time is for the reader
	local r
	shares change "$dir/account-consumer" "$dir/state/admin.env" "$c" "$cv" "$ch" "$service" "${@:2}" >"$dir/changes.$1" 2>&1
	r=$?
	sed "s/^/# $1: /" "$dir/changes.$1"
	return $r
}
goes_on() { # PID: connects and asks for names until that process has ended
	while [ -d "/proc/$1" ]; do
		inside "$c" python3 "$peer" customer "$eni" 80 "$domain" 1 >>"$dir/customer" 2>&1
	done
}

changes before 5
ok $? "the other's changes come into force: none refused, none lost, each there when the node says so"
ping_begin
shares fill "$dir/account-hostile" >"$dir/taken" 2>&1 &
taking=$!
remember pid $taking
goes_on $taking &
going=$!
changes meanwhile 1 $taking
ok $? "so they do while another account takes all that it gets"
wait $taking $going
check "each of its quotas ends it, by a code of its own" each_quota_ends_it
churn_begin || bail "nothing is changed"
goes_on $churn &
going=$!
changes afterwards 5
ok $? "and when it has all, and changes it as fast as it can"
check "as it did" churn_end
sed 's/^/# /' "$dir/churn"
wait $going
check "connections and questions: none repeated, none failed" bash -c '[ -s "$1" ] && ! grep -v ", 0 repeated, 0 failed" "$1"' - "$dir/customer"
check "names resolve" resolves
ping_end
check "none of its pings was lost" none_lost
finish
