#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What exists already becomes an instance: a network namespace (a container's, say) by its path, and a tap device, whose
# frames a virtual machine would send (here: a program that writes and reads them).
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i

attach() { # ACCOUNT VSWITCH GROUP PARAMETER…: prints the instance's id
	local id owner=$1 vswitch=$2 group=$3
	shift 3
	id=$(as_admin call privlink AttachInstance AccountId="$(uid_of "$owner")" VSwitchId="$vswitch" SecurityGroupId="$group" \
		"$@" | jq -r .InstanceId)
	wait_for 10 instance_running "$owner" "$id" || return 1
	echo "$id"
}

of_instance() { # INSTANCE MEMBER
	as consumer call ecs DescribeInstances "InstanceIds=[\"$1\"]" | jq -r ".Instances.Instance[0].$2 // \"\""
}
status() { of_instance "$1" Status; }
has_status() { [ "$(status "$1")" = "$2" ]; }
instance_gone() { [ "$(as consumer call ecs DescribeInstances "InstanceIds=[\"$1\"]" | jq .TotalCount)" = 0 ]; }

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" UDP:1/65535:10.0.0.0/16 TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
pg=$(make_group provider "$pv")
s=$(make_instance provider "$ph" "$pg")
# Other ports than the listeners', so that the translation changes them, too.
serve "$s" python3 "$peer" tcp-server 8080 served
serve "$s" python3 "$peer" udp-server 8080 served
listening "$s" tcp 8080 && listening "$s" udp 8080 || bail "no server"
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 80 "$(make_server_group provider "$pv" TCP 8080 "$s")" >/dev/null
make_listener provider "$nlb" UDP 80 "$(make_server_group provider "$pv" UDP 8080 "$s")" >/dev/null
service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)

# --- a namespace that somebody else made
container=container-$$
remember netns $container
ip netns add $container
ip -n $container link set lo up
attached=$(attach consumer "$ch" "$cg" Kind=netns Path=/run/netns/$container Device=net1) ||
	bail "the namespace could not be attached"
check "an attached namespace pings the ENI" inside $container ping -c 2 -i 0.2 -W 2 -q "$eni"
answer=$(inside $container python3 "$peer" tcp "$eni" 80)
is "${answer%% *}" served "and reaches the service"
as consumer call ecs DeleteInstance InstanceId="$attached" Force=true >/dev/null
device_gone() { fails 1 "does not exist" ip -n $container link show net1; }
check "when the instance is deleted its device goes" wait_for 5 device_gone
check "and the namespace stays, it is not ours" ip -n $container link show lo

# --- the namespace of a process
own_network() { [ "$(readlink /proc/$process/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
nsenter --net=/run/netns/$container sleep 600 &
process=$!
remember pid $process
disown $process
wait_for 5 own_network
attached=$(as_admin instance attach --account "$(uid_of consumer)" --vswitch "$ch" --security-group "$cg" --pid $process \
	--device net2 --wait --timeout 30)
is "$? $(status "$attached")" "0 Running" "an administrator attaches to an account, and waits until it runs"
check "an attached process pings the ENI" inside $container ping -c 2 -i 0.2 -W 2 -q "$eni"
as consumer call ecs DeleteInstance InstanceId="$attached" Force=true >/dev/null
# As if the process had ended and another had its number: it began at another time.
stale=$(as_admin call privlink AttachInstance AccountId="$(uid_of consumer)" VSwitchId="$ch" SecurityGroupId="$cg" Kind=netns \
	Path=/proc/$process/ns/net ProcessStart=1 Device=net3 | jq -r .InstanceId)
tapped=$(attach consumer "$ch" "$cg" Kind=tap Device=tap-$$) || bail "the tap could not be made"
check "a process that only has the number gets no device" fails 1 "does not exist" ip -n $container link show net3
is "$(as consumer call ecs DescribeInstances "InstanceIds=[\"$stale\"]" | jq -r '.Instances.Instance[0].Status')" Pending \
	"and the instance stays Pending"
is "$(of_instance "$stale" StatusInfo)" "the process whose namespace it is attached to has ended" "and says why"
as consumer call ecs DeleteInstance InstanceId="$stale" Force=true >/dev/null
kill $process

# --- a namespace by its name, with an eth0 of its own, as a container of Docker has one
container=web-$$
remember netns $container
ip netns add $container
ip -n $container link add eth0 type veth peer name eth9
as_admin instance attach --account "$(uid_of consumer)" --vswitch "$ch" --security-group "$cg" --netns $container \
	--wait --timeout $((patience * 2)) >"$dir/attached" 2>"$dir/said"
is $? 1 "where there is an eth0 already, waiting for the instance fails"
attached=$(cat "$dir/attached")
check "and says what is in the way" grep -q "has a device of its device's name already" "$dir/said"
is "$(status "$attached")" Pending "the instance is Pending"
check "and says why, too" grep -q "has a device of its device's name already" <<<"$(of_instance "$attached" StatusInfo)"
ip -n $container link del eth0
check "when the eth0 is gone it runs" wait_for 40 instance_running consumer "$attached"
is "$(of_instance "$attached" StatusInfo)" "" "and has no reason left"
check "and pings the ENI" inside $container ping -c 2 -i 0.2 -W 2 -q "$eni"

# --- its namespace ends
ip netns del $container
check "when its namespace has ended it is Stopped" wait_for 20 has_status "$attached" Stopped
is "$(of_instance "$attached" StatusInfo)" "there is no namespace at its path" "and says why"
check "it can be deleted" as consumer call ecs DeleteInstance InstanceId="$attached"
check "and is gone" wait_for 10 instance_gone "$attached"

unshare --net sleep 600 &
process=$!
remember pid $process
disown $process
wait_for 5 own_network
attached=$(as_admin instance attach --account "$(uid_of consumer)" --vswitch "$ch" --security-group "$cg" --pid $process \
	--wait --timeout 30)
kill -9 "$agent_pid"
wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
kill -9 $process
as consumer call ecs StopInstance InstanceId="$attached" >/dev/null
start_agent
check "one that ended while no agent ran can be stopped" wait_for 20 has_status "$attached" Stopped
as consumer call ecs StartInstance InstanceId="$attached" >/dev/null
started_in_vain() { has_status "$attached" Stopped && [ -n "$(of_instance "$attached" StatusInfo)" ]; }
check "started in vain, it is Stopped and says why" wait_for 20 started_in_vain
check "it can be deleted" as consumer call ecs DeleteInstance InstanceId="$attached"
check "and is gone" wait_for 10 instance_gone "$attached"

# --- a tap
facts=$(as consumer call ecs DescribeNetworkInterfaces InstanceId="$tapped" |
	jq -r '.NetworkInterfaceSets.NetworkInterfaceSet[0] | .PrivateIpAddress + " " + .MacAddress')
note "tap-$$: $facts"
# shellcheck disable=SC2086
check "a machine behind a tap gets ARP answered, pings and reaches the service" \
	in_lab python3 "$(dirname "$peer")/tap_machine.py" tap-$$ $facts 10.0.1.253 "$eni" 80
as consumer call ecs DeleteInstance InstanceId="$tapped" Force=true >/dev/null
tap_gone() { fails 1 "does not exist" in_lab ip link show tap-$$; }
check "when the instance is deleted the tap goes" wait_for 5 tap_gone

# --- a tap of somebody else's takes its name
tapped=$(attach consumer "$ch" "$cg" Kind=tap Device=vm-$$) || bail "the tap could not be made"
kill -9 "$agent_pid"
wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
in_lab ip link del vm-$$
in_lab ip tuntap add vm-$$ mode tap
start_agent
is_named() { has_status "$tapped" Starting && of_instance "$tapped" StatusInfo | grep -q "not privlink's has the name"; }
check "an instance whose tap's name was taken does not read Running, and says why" wait_for 20 is_named
check "the stranger's tap is left alone" in_lab sh -c "ip -d link show vm-$$ | grep -qv alias"
in_lab ip link del vm-$$
check "when that is gone it runs" wait_for 40 instance_running consumer "$tapped"
check "with a tap of its own again" in_lab ip link show vm-$$

finish
