#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What exists already becomes an instance: a network namespace (a container's, say) by its path, and a tap device, whose
# frames a virtual machine would send (here: a program that writes and reads them).
. "$(dirname "$0")/lib.sh"
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
device_gone() { ! ip -n $container link show net1; }
check "when the instance is deleted its device goes" wait_for 5 device_gone
check "and the namespace stays, it is not ours" ip -n $container link show lo

# --- the namespace of a process
nsenter --net=/run/netns/$container sleep 600 &
process=$!
remember pid $process
disown $process
began=$SECONDS
attached=$(as_admin instance attach --account "$(uid_of consumer)" --vswitch "$ch" --security-group "$cg" --pid $process \
	--device net2 --wait 2>"$dir/said")
is "$([ $((SECONDS - began)) -lt 20 ] && cat "$dir/said")" \
	"privlink: $attached cannot be waited for: this account does not see it" "an administrator cannot wait for it, and is told"
wait_for 10 instance_running consumer "$attached"
check "an attached process pings the ENI" inside $container ping -c 2 -i 0.2 -W 2 -q "$eni"
as consumer call ecs DeleteInstance InstanceId="$attached" Force=true >/dev/null
# As if the process had ended and another had its number: it began at another time.
stale=$(as_admin call privlink AttachInstance AccountId="$(uid_of consumer)" VSwitchId="$ch" SecurityGroupId="$cg" Kind=netns \
	Path=/proc/$process/ns/net ProcessStart=1 Device=net3 | jq -r .InstanceId)
tapped=$(attach consumer "$ch" "$cg" Kind=tap Device=tap-$$) || bail "the tap could not be made"
check_not "a process that only has the number gets no device" ip -n $container link show net3
is "$(as consumer call ecs DescribeInstances "InstanceIds=[\"$stale\"]" | jq -r '.Instances.Instance[0].Status')" Pending \
	"and the instance stays Pending"
as consumer call ecs DeleteInstance InstanceId="$stale" Force=true >/dev/null
kill $process

# --- a tap
facts=$(as consumer call ecs DescribeNetworkInterfaces InstanceId="$tapped" |
	jq -r '.NetworkInterfaceSets.NetworkInterfaceSet[0] | .PrivateIpAddress + " " + .MacAddress')
note "tap-$$: $facts"
# shellcheck disable=SC2086
check "a machine behind a tap gets ARP answered, pings and reaches the service" \
	in_lab python3 "$(dirname "$peer")/tap_machine.py" tap-$$ $facts 10.0.1.253 "$eni" 80
as consumer call ecs DeleteInstance InstanceId="$tapped" Force=true >/dev/null
tap_gone() { ! in_lab ip link show tap-$$; }
check "when the instance is deleted the tap goes" wait_for 5 tap_gone

finish
