#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What administrators do by hand to the node's side of an instance, on purpose or by mistake, each alone: with an agent that
# is there to mend it, and with one that comes afterwards. What is ours is made whole, nothing else is touched, and no
# instance reads Running that does not.
. "$(dirname "$0")/lib.sh" || exit 1
here=$(cd "$(dirname "$0")" && pwd)
peer=$here/peer.py
h=cn-hangzhou-h

lab_start
account consumer
cv=$(make_vpc consumer 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance consumer "$ch" "$cg")
serve "$s" python3 "$peer" tcp-server 80 served
serve "$c" python3 "$peer" tcp-server 80 served
address_of() {
	as consumer call ecs DescribeInstances "InstanceIds=[\"$1\"]" |
		jq -r '.Instances.Instance[0].VpcAttributes.PrivateIpAddress.IpAddress[0]'
}
ca=$(address_of "$c")
node_side() { in_lab ip -j link show | jq -r --arg a "/$1" '.[] | select((.ifalias // "") | endswith($a)) | .ifname'; }
device=$(node_side "$c")
service=privlink-$node
facts() { in_lab ip -j -d link show "$1" | jq -c '.[0] | [.ifname, .ifalias, .mtu, (.flags | contains(["UP"])), (.flags | contains(["NOARP"])),
	.qdisc, .address[:5]]'; }
want=$(facts "$device") want_service=$(facts pl0)
serves() { inside "$s" python3 "$peer" tcp "$ca" 80 1; } # the instance answers another one
resolves() { inside "$c" python3 "$peer" first-answer 100.100.2.136 "$s.cn-hangzhou.ecs.internal" 2; }
is_whole() {
	[ "$(facts "$device")" = "$want" ] && [ "$(facts pl0)" = "$want_service" ] && serves && instance_running consumer "$c" &&
		[ -e "/run/netns/$c" ] && [ -e "/run/netns/$service" ] && [ -s "/etc/netns/$c/resolv.conf" ] && [ -s "/etc/netns/$c/hosts" ] &&
		[ -L "/etc/netns/$c/ssl" ] && [ -s "/etc/netns/$c/ssl/certs/ca-certificates.crt" ]
}
kill_agent() {
	kill -9 "$agent_pid"
	wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
	return 0
}
check "all is as it should be" wait_for 10 is_whole

by_hand() { # NAME COMMAND…: twice, with the agent alive and dead
	local name=$1
	shift
	wait_for 60 is_whole || note "not whole before: $name"
	"$@" >/dev/null 2>&1
	check "$name: it is mended" wait_for 60 is_whole
	kill_agent
	"$@" >/dev/null 2>&1
	start_agent
	check "$name while no agent ran: it is mended" wait_for 60 is_whole
}
down() { in_lab ip link set "$device" down; }
unmark() { in_lab ip link set "$device" alias ""; }
another_mark() { in_lab ip link set "$device" alias "uplink of web"; }
another_mac() { in_lab ip link set "$device" address 02:00:00:00:00:01; }
another_mtu() { in_lab ip link set "$device" mtu 1400; }
rename() { in_lab sh -c "ip link set $device down; ip link set $device name web0; ip link set web0 up"; }
move() { in_lab ip link set "$device" netns "$elsewhere"; }
delete() { in_lab ip link del "$device"; }
lose_name() { ip netns del "$c"; }
lose_files() { rm -rf "/etc/netns/${c:?}"; }
lose_file() { rm -f "/etc/netns/$c/hosts"; }
lose_copy() { rm -rf "${dir:?}/state/ssl"; }
lose_bundle() { rm -f "${dir:?}/state/ssl/certs/ca-certificates.crt"; }
arp_on() { in_lab ip link set "$device" arp on; }
other_qdisc() { in_lab tc qdisc del dev "$device" root; }
service_down() { in_lab ip link set pl0 down; }
service_unmark() { in_lab ip link set pl0 alias ""; }
service_rename() { in_lab sh -c "ip link set pl0 down; ip link set pl0 name dns0; ip link set dns0 up"; }
service_lose_name() { ip netns del "$service"; }

elsewhere=elsewhere-$$
remember netns $elsewhere
ip netns add $elsewhere

by_hand "its device is set down" down
by_hand "its mark is taken off" unmark
by_hand "it gets another mark" another_mark
by_hand "it gets another MAC" another_mac
by_hand "it gets another MTU" another_mtu
by_hand "it is renamed" rename
by_hand "it is moved to another namespace" move
is "$(ip -n $elsewhere -j link show | jq 'map(select(.ifname | startswith("pl"))) | length')" 0 "and is not left behind there"
by_hand "it is deleted" delete
by_hand "ARP is switched on" arp_on
by_hand "its qdisc is removed" other_qdisc
by_hand "its files are removed" lose_files
by_hand "one of its files is removed" lose_file
by_hand "the copy of the trust store is removed" lose_copy
by_hand "one file of the copy is removed" lose_bundle

# A server is in there, and goes on: the namespace is the same one.
inode=$(stat -L -c %i "/run/netns/$c")
by_hand "its namespace loses its name" lose_name
is "$(stat -L -c %i "/run/netns/$c")" "$inode" "the namespace is the same one, with what ran in there"

by_hand "the node's port is set down" service_down
by_hand "the node's port's mark is taken off" service_unmark
by_hand "the node's port is renamed" service_rename
by_hand "VPC 0's namespace loses its name" service_lose_name
check "names resolve" wait_for 10 resolves

# --- names that are somebody else's
kill_agent
in_lab ip link del "$device"
in_lab ip link add "$device" type veth peer name theirs
start_agent
why() { as consumer call ecs DescribeInstances "InstanceIds=[\"$c\"]" | jq -r '.Instances.Instance[0] | .Status + ": " + (.StatusInfo // "")'; }
is_named() { why | grep -q "^Starting: a device that is not privlink's has the name"; }
check "a stranger's device has its name: it does not read Running, and says why" wait_for 30 is_named
check "the stranger's device is left alone" in_lab ip link show theirs
in_lab ip link del "$device"
check "when that is gone all is whole" wait_for 60 is_whole

finish
