# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the network tests share. A lab is one privlink node: privlinkd and privlink-agent run inside a network namespace
# of their own (lab-<pid>), which stands for the host, so that a lab touches neither the machine's own addresses nor
# another lab, nor a privlink that runs on the machine. Instances are namespaces that the agent makes; their names are
# ids and never collide.
#
#        lab-<pid> (the "host": privlinkd on 127.0.0.1, agent, pl<n> devices, its own resolv.conf and upstream)
#          │ pl1           │ pl2             │ pl0
#      i-… (eth0)      i-… (eth0) …      privlink-<node> (VPC 0)
#
# Everything that is made is recorded under /run/privlink-tests/<pid>/ and removed on exit; what a killed run left
# behind is removed by the next one, by what it recorded.

set -u
build=${BUILD:?BUILD is the build directory}
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
records=/run/privlink-tests
lab=lab-$$
node=t$$
dir=$records/$$
http_port=18080
https_arguments=() # --https … where a test wants it
agent_arguments=() # more of the agent's options
catalogue=$source_dir/data/catalogue.json # another one, where a test wants it
agent_program=$build/src/cmd/privlink-agent # another one, where a test wants it

# --- TAP

# shellcheck source=tests/tap.sh
. "$source_dir/tests/tap.sh" || exit 1
. "$source_dir/scripts/processes.sh" || exit 1

# (The names of their own are odd, because a function that they call sees them in place of the test's.)
check() { # NAME COMMAND…: passes when the command succeeds; its output is shown when not
	local check_name=$1 check_output
	shift
	if check_output=$("$@" 2>&1); then
		ok 0 "$check_name"
	else
		ok 1 "$check_name"
		sed 's/^/# /' <<<"$check_output" | tail -n 20
	fi
}

bail() {
	echo "Bail out! $*"
	lab_logs
	exit 1
}

finish() {
	[ "$tap_bad" = 0 ] || lab_logs
	tap_done
}

lab_logs() {
	local f
	for f in "$dir"/*.log; do
		[ -s "$f" ] && { echo "# --- $f"; tail -n 25 "$f" | sed 's/^/# /'; }
	done
	return 0
}

# --- what is not to work (tests/tap.sh has more)

dropped() { # REASON COMMAND…: ping, or a client of peer.py, has no answer or is refused, and its packets are counted under that reason
	local dropped_reason=$1 dropped_before dropped_output
	shift
	dropped_before=$(counter "$dropped_reason")
	dropped_output=$("$@" 2>&1)
	echo "$dropped_reason from $dropped_before to $(counter "$dropped_reason"): $dropped_output"
	grep -qE ' 100% packet loss|^timed out$|^Connection refused$' <<<"$dropped_output" && [ "$(counter "$dropped_reason")" -gt "$dropped_before" ]
}

# --- waiting: for events, never for time alone

patience=3 # what comes in time costs nothing, and a busy disk alone can hold a daemon up for seconds
[ -z "${PRIVLINK_KERNEL_LAYER-}" ] || patience=6 # an emulated processor is slow, and shared with another guest

# wait_for SECONDS COMMAND…: until the command succeeds
wait_for() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * patience * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt $deadline ] || return 1
		sleep 0.05
	done
}

# --- the lab

# The npm packages of the directory that this is in; one at a time of those that run side by side. npm writes that file last:
# an installation that was killed has none.
install_modules() {
	(
		flock 9
		[ -f node_modules/.package-lock.json ] || npm ci --no-audit --no-fund --ignore-scripts >/dev/null
	) 9<. || { echo "Bail out! npm ci failed"; exit 1; }
}

in_lab() { nsenter --net="/run/netns/$lab" "$@"; }

# KIND NAME; kinds: pid, netns, mount. A process with when it began: by the end another one may have its number.
remember() {
	local when=
	[ "$1" != pid ] || when=$(began "$2")
	echo "$1 $2 $when" >>"$dir/made"
}

forget_run() { # DIR: removes what the run recorded there
	local kind name when d=${1:?} n ns
	[ -d "$d" ] || return 0
	if [ -f "$d/made" ]; then
		while read -r kind name when; do
			[ "$kind" = pid ] && [ "$(began "$name")" = "${when:-ended}" ] && kill -9 "$name" 2>/dev/null
		done <"$d/made"
	fi
	if [ -f "$d/node" ]; then
		read -r n ns <"$d/node"
		[ -e "/run/netns/$ns" ] || ip netns add "$ns" # the devices went with it; names and pins did not
		nsenter --net="/run/netns/$ns" "$build/src/cmd/privlink-agent" --remove --node "$n" --run-dir "$d/run" \
			--state-dir "$d/state" >/dev/null 2>&1
	fi
	if [ -f "$d/made" ]; then
		while read -r kind name; do
			[ "$kind" = netns ] && ip netns del "$name" 2>/dev/null
			[ "$kind" = mount ] && while umount "$name" 2>/dev/null; do :; done
		done <"$d/made"
	fi
	rm -rf "${d:?}"
}

forget_each_killed_run() {
	local d pid
	for d in "$records"/*/; do
		pid=$(basename "$d")
		[ -d "$d" ] && ended "$pid" && forget_run "${d%/}"
	done
	return 0
}

# One test at a time does so: two that removed the same run would be in each other's way.
forget_killed_runs() {
	(flock -n 9 && forget_each_killed_run) 9>"$records/lock"
	return 0
}

lab_stop() {
	trap - EXIT
	forget_run "$dir"
}

# The user privlink is made by an installation, so a lab does without. Not through in_lab: the number of a background
# function would be that of a shell, and not of the daemon.
start_privlinkd() {
	nsenter --net="/run/netns/$lab" "$build/src/cmd/privlinkd" --state-dir "$dir/state" --run-dir "$dir/run" --user nobody \
		--no-rate-limits --http "127.0.0.1:$http_port" "${https_arguments[@]}" --catalogue "$catalogue" \
		>>"$dir/privlinkd.log" 2>&1 &
	privlinkd_pid=$!
	remember pid $privlinkd_pid
	disown $privlinkd_pid
}

start_agent() {
	nsenter --net="/run/netns/$lab" "$agent_program" --node "$node" --state-dir "$dir/state" --run-dir "$dir/run" \
		--resolv-conf "$dir/resolv.conf" --catalogue "$catalogue" "${agent_arguments[@]}" \
		>>"$dir/agent.log" 2>&1 &
	agent_pid=$!
	remember pid $agent_pid
	disown $agent_pid
}

api_answers() { as_admin call privlink ListNodes; }
node_live() {
	as_admin call privlink ListNodes | (
		while read -r line; do
			case $line in
			'"Live": '*) live=$line ;;
			"\"NodeName\": \"$node\""*) [[ $live == *true* ]] && found=1 ;;
			esac
		done
		[ -n "${found-}" ]
	)
}

lab_start() {
	[ "$(id -u)" = 0 ] || bail "the network tests need root"
	mkdir -p "$records"
	forget_killed_runs
	mkdir -p "$dir/run" "$dir/state"
	at_end lab_stop
	trap 'exit 130' INT TERM HUP
	remember netns "$lab"
	ip netns add "$lab" || bail "cannot make a namespace"
	echo "$node $lab" >"$dir/node"
	in_lab ip link set lo up
	echo "nameserver 127.0.0.53" >"$dir/resolv.conf"
	start_privlinkd
	wait_for 10 test -s "$dir/state/admin.env" || bail "privlinkd made no administrator"
	start_agent
	wait_for 10 api_answers || bail "the API does not answer"
	wait_for 20 node_live || bail "the agent has not reported"
}

# What was asked for before is in force. (What does not concern a node it hears a little later.)
all_in_force() { as_admin call privlink ListNodes | jq -e '.LiveRevision >= .Revision'; }

# --- calls

as_admin() { # arguments of privlink
	(
		# shellcheck disable=SC1091
		. "$dir/state/admin.env" || exit 1
		export PRIVLINK_ACCESS_KEY_ID PRIVLINK_ACCESS_KEY_SECRET PRIVLINK_REGION=cn-hangzhou
		export PRIVLINK_ENDPOINT="http://127.0.0.1:$http_port"
		in_lab "$build/src/cmd/privlink" "$@"
	)
}

as() { # ACCOUNT arguments of privlink; accounts are made by `account NAME`
	local name=$1
	shift
	(
		# shellcheck disable=SC1090
		. "$dir/account-$name" || exit 1
		export PRIVLINK_ACCESS_KEY_ID PRIVLINK_ACCESS_KEY_SECRET PRIVLINK_REGION=cn-hangzhou
		export PRIVLINK_ENDPOINT="http://127.0.0.1:$http_port"
		in_lab "$build/src/cmd/privlink" "$@"
	)
}

# Of an answer that is read, as `privlink` prints it (a line for each member, by their names): the first of that name. (That is all
# that most calls here are asked for, and jq takes longer than the call.)
find_member() { # NAME: into $found
	local line
	found=
	while read -r line; do
		[[ -z $found && $line == "\"$1\": "* ]] || continue
		line=${line#*: } line=${line%,} line=${line#\"}
		found=${line%\"}
	done
	[ -n "$found" ]
}
member() { # NAME: prints it
	local found
	find_member "$1" && echo "$found"
}
has() { # NAME VALUE
	local found
	find_member "$1" && [ "$found" = "$2" ]
}

uid_of() { cat "$dir/uid-$1"; }

account() { # NAME: makes an account with a key
	local uid key
	uid=$(as_admin call privlink CreateAccount AccountName="$1" | member AccountId)
	key=$(as_admin call privlink CreateAccessKey AccountId="$uid")
	{
		echo "PRIVLINK_ACCESS_KEY_ID=$(member AccessKeyId <<<"$key")"
		echo "PRIVLINK_ACCESS_KEY_SECRET=$(member AccessKeySecret <<<"$key")"
	} >"$dir/account-$1"
	echo "$uid" >"$dir/uid-$1"
}

# --- objects: each prints the id

make_vpc() { # ACCOUNT CIDR
	local id
	id=$(as "$1" call vpc CreateVpc CidrBlock="$2" | member VpcId)
	wait_for 10 vpc_available "$1" "$id" || return 1
	echo "$id"
}
vpc_available() { as "$1" call vpc DescribeVpcAttribute VpcId="$2" | has Status Available; }

make_vswitch() { # ACCOUNT VPC ZONE CIDR
	local id
	id=$(as "$1" call vpc CreateVSwitch VpcId="$2" ZoneId="$3" CidrBlock="$4" | member VSwitchId)
	wait_for 10 vswitch_available "$1" "$id" || return 1
	echo "$id"
}
vswitch_available() { as "$1" call vpc DescribeVSwitchAttributes VSwitchId="$2" | has Status Available; }

make_group() { # ACCOUNT VPC [RULE…]: a rule is PROTOCOL:PORTS:CIDR, e.g. TCP:443/443:10.0.0.0/8
	local id rule protocol ports cidr owner=$1
	id=$(as "$owner" call ecs CreateSecurityGroup VpcId="$2" SecurityGroupName=group | member SecurityGroupId)
	shift 2
	for rule in "$@"; do
		authorize "$owner" "$id" "$rule"
	done
	echo "$id"
}
rule_parameters() { # RULE
	local protocol ports cidr
	IFS=: read -r protocol ports cidr <<<"$1"
	echo "Permissions.1.IpProtocol=$protocol Permissions.1.PortRange=$ports Permissions.1.SourceCidrIp=$cidr"
}
authorize() { # ACCOUNT GROUP RULE
	# shellcheck disable=SC2046
	as "$1" call ecs AuthorizeSecurityGroup SecurityGroupId="$2" $(rule_parameters "$3") >/dev/null
}
revoke() { # ACCOUNT GROUP RULE
	# shellcheck disable=SC2046
	as "$1" call ecs RevokeSecurityGroup SecurityGroupId="$2" $(rule_parameters "$3") >/dev/null
}

make_instance() { # ACCOUNT VSWITCH GROUP [ADDRESS]
	local id
	id=$(as "$1" call ecs RunInstances VSwitchId="$2" SecurityGroupId="$3" ImageId=debian InstanceType=netns \
		${4:+PrivateIpAddress=$4} | jq -r '.InstanceIdSets.InstanceIdSet[0]')
	wait_for 10 instance_running "$1" "$id" || return 1
	echo "$id"
}
instance_running() {
	as "$1" call ecs DescribeInstances "InstanceIds=[\"$2\"]" |
		has Status Running
}

make_nlb() { # ACCOUNT VPC ZONE=VSWITCH…
	local id owner=$1 vpc=$2 n=0 mapping parameters=()
	shift 2
	for mapping in "$@"; do
		n=$((n + 1))
		parameters+=("ZoneMappings.$n.ZoneId=${mapping%%=*}" "ZoneMappings.$n.VSwitchId=${mapping#*=}")
	done
	id=$(as "$owner" call nlb CreateLoadBalancer AddressType=Intranet VpcId="$vpc" "${parameters[@]}" |
		member LoadbalancerId)
	wait_for 10 nlb_active "$owner" "$id" || return 1
	echo "$id"
}
nlb_active() { as "$1" call nlb GetLoadBalancerAttribute LoadBalancerId="$2" | has LoadBalancerStatus Active; }

make_server_group() { # ACCOUNT VPC PROTOCOL PORT INSTANCE…
	local id owner=$1 vpc=$2 protocol=$3 port=$4 n=0 server parameters=()
	shift 4
	id=$(as "$owner" call nlb CreateServerGroup ServerGroupName=servers VpcId="$vpc" Protocol="$protocol" \
		HealthCheckConfig.HealthCheckEnabled=true HealthCheckConfig.HealthCheckInterval=1 \
		HealthCheckConfig.HealthCheckConnectTimeout=2 | member ServerGroupId)
	for server in "$@"; do
		n=$((n + 1))
		parameters+=("Servers.$n.ServerId=$server" "Servers.$n.ServerType=Ecs" "Servers.$n.Port=$port")
	done
	as "$owner" call nlb AddServersToServerGroup ServerGroupId="$id" "${parameters[@]}" >/dev/null
	echo "$id"
}

make_listener() { # ACCOUNT NLB PROTOCOL PORT SERVERGROUP
	as "$1" call nlb CreateListener LoadBalancerId="$2" ListenerProtocol="$3" ListenerPort="$4" \
		ServerGroupId="$5" | member ListenerId
}

make_slb() { # ACCOUNT VSWITCH INSTANCE…
	local id owner=$1 vswitch=$2 server servers=()
	shift 2
	id=$(as "$owner" call slb CreateLoadBalancer VSwitchId="$vswitch" | member LoadBalancerId)
	wait_for 10 slb_is "$owner" "$id" active || return 1
	for server in "$@"; do
		servers+=(--server "$server")
	done
	as "$owner" slb server-add "$id" "${servers[@]}" >/dev/null || return 1
	echo "$id"
}
slb_is() { # ACCOUNT SLB STATUS
	as "$1" call slb DescribeLoadBalancerAttribute LoadBalancerId="$2" | has LoadBalancerStatus "$3"
}

make_slb_listener() { # ACCOUNT SLB PROTOCOL PORT SERVER_PORT [OPTION…]: protocol in lower case
	local owner=$1 slb=$2 protocol=$3 port=$4 server_port=$5
	shift 5
	as "$owner" slb "$protocol-create" --slb "$slb" --port "$port" --server-port "$server_port" "$@" >/dev/null &&
		as "$owner" slb listener-start "$slb" "$port" --protocol "$protocol" >/dev/null &&
		wait_for 10 slb_listener_runs "$owner" "$slb" "$protocol" "$port"
}
slb_listener_runs() { # ACCOUNT SLB PROTOCOL PORT
	as "$1" call slb "DescribeLoadBalancer${3^^}ListenerAttribute" LoadBalancerId="$2" ListenerPort="$4" |
		has Status running
}

make_service() { # ACCOUNT NLB ZONE…: auto-accepting; prints the id
	local id owner=$1 nlb=$2 zone n=0 parameters=()
	shift 2
	for zone in "$@"; do
		n=$((n + 1))
		parameters+=("Resource.$n.ResourceId=$nlb" "Resource.$n.ResourceType=nlb" "Resource.$n.ZoneId=$zone")
	done
	id=$(as "$owner" call privatelink CreateVpcEndpointService ServiceResourceType=nlb AutoAcceptEnabled=true \
		"${parameters[@]}" | member ServiceId)
	wait_for 10 service_active "$owner" "$id" || return 1
	echo "$id"
}
service_active() {
	as "$1" call privatelink GetVpcEndpointServiceAttribute ServiceId="$2" | has ServiceStatus Active
}

allow() { # PROVIDER SERVICE UID
	as "$1" call privatelink AddUserToVpcEndpointService ServiceId="$2" UserId="$3" >/dev/null
}

make_endpoint() { # ACCOUNT VPC SERVICE GROUP ZONE=VSWITCH[=ADDRESS]…
	local id owner=$1 vpc=$2 service=$3 group=$4 n=0 zone vswitch address which=ServiceId parameters=()
	shift 4
	case $service in com.*) which=ServiceName ;; esac
	for mapping in "$@"; do
		n=$((n + 1))
		IFS='=' read -r zone vswitch address <<<"$mapping"
		parameters+=("Zone.$n.ZoneId=$zone" "Zone.$n.VSwitchId=$vswitch")
		[ -n "$address" ] && parameters+=("Zone.$n.ip=$address")
	done
	id=$(as "$owner" call privatelink CreateVpcEndpoint VpcId="$vpc" $which="$service" SecurityGroupId.1="$group" \
		EndpointName=endpoint "${parameters[@]}" | member EndpointId)
	wait_for 10 endpoint_connected "$owner" "$id" || return 1
	echo "$id"
}
endpoint_connected() {
	as "$1" call privatelink GetVpcEndpointAttribute EndpointId="$2" |
		grep -cE '"(EndpointStatus": "Active|ConnectionStatus": "Connected)"' | grep -qx 2
}
eni_address() { # ACCOUNT ENDPOINT ZONE
	as "$1" call privatelink ListVpcEndpointZones EndpointId="$2" |
		jq -r --arg z "$3" '.Zones[] | select(.ZoneId == $z) | .EniIp'
}

# --- inside instances

inside() { # INSTANCE COMMAND…: its network only, the machine's files
	local id=$1
	shift
	nsenter --net="/run/netns/$id" "$@"
}

# A server inside an instance; recorded. serve INSTANCE COMMAND…
serve() {
	local id=$1
	shift
	nsenter --net="/run/netns/$id" "$@" >>"$dir/serve.log" 2>&1 &
	served_pid=$!
	remember pid $served_pid
	disown $served_pid
}

is_bound() { # INSTANCE tcp|udp PORT
	local state=0A # listening
	[ "$2" = tcp ] || state=07 # and not connected
	inside "$1" cat "/proc/net/$2" |
		awk -v end="$(printf ':%04X$' "$3")" -v state=$state '$2 ~ end && $4 == state { found = 1 } END { exit !found }'
}
listening() { # INSTANCE tcp|udp PORT…: waits for its servers. One that refuses its first probe is left out for seconds.
	local id=$1 protocol=$2 port
	shift 2
	for port; do
		wait_for 10 is_bound "$id" "$protocol" "$port" || return 1
	done
}

counter() { # REASON: packets that the node counted under that name
	PRIVLINK_AGENT_SOCKET=$dir/run/agent.sock "$build/src/cmd/privlink" counters --json "$1" | member packets
}
