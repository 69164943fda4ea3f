#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The programs on the ports are lost by accident: their pins, filters and qdiscs are deleted. Whatever is lost, with the
# agent dead or alive, nothing that an instance sends reaches the node's own IP stack, nothing of the node reaches an
# instance, and a (new) agent makes all of it whole.
#   unguarded.sh [auto | clsact]
. "$(dirname "$0")/lib.sh" || exit 1
here=$(cd "$(dirname "$0")" && pwd)
peer=$here/peer.py stack=$here/stack.py
h=cn-hangzhou-h
mode=${1:-auto}
agent_arguments=(--attach "$mode")
host=192.0.2.1
gateway_mac=ee:ff:ff:ff:ff:fe
pins=/sys/fs/bpf/privlink/$node

lab_start
in_lab ip addr add $host/32 dev lo
account consumer
cv=$(make_vpc consumer 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance consumer "$ch" "$cg")
serve "$s" python3 "$peer" tcp-server 80 served
listening "$s" tcp 80 || bail "no server"
# The neighbour's address is in the instance's cache, as it is for a while after any packet.
inside "$c" ip neigh replace 10.0.1.253 lladdr $gateway_mac dev eth0 nud permanent
address_of() { inside "$1" ip -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local'; }
node_side() { in_lab ip -j link show | jq -r --arg a "/$1" '.[] | select((.ifalias // "") | endswith($a)) | .ifname'; }
ca=$(address_of "$c") sa=$(address_of "$s")
device=$(node_side "$c")
device_mac() { in_lab ip -j link show "$device" | jq -r '.[0].address'; }
devices() { in_lab ip -j link show | jq -r '.[].ifname' | grep '^pl'; }
has_tcx=$(ls "$pins"/link_* 2>/dev/null)

# --- two listeners: the node's stack, and an instance's interface
listen() { # FILE NAMESPACE ARGUMENT…
	local file=$1 namespace=$2
	shift 2
	nsenter --net="/run/netns/$namespace" python3 "$stack" "$@" >"$file" 2>&1 &
	listener=$!
	remember pid $listener
	disown $listener
}
listen "$dir/heard" "$lab" hear
stack_listener=$listener
listen "$dir/seen" "$c" frames eth0
wait_for 10 grep -q listening "$dir/heard" && wait_for 10 grep -q listening "$dir/seen" || bail "nobody listens"

# What was sent before has been heard when a ping of the node's own has: the stack takes them in order.
own_pings() { grep -cx $host "$dir/heard"; }
has_more() { [ "$(own_pings)" -gt "$1" ]; }
heard_from() { # ADDRESS: how many of its requests the node's stack took so far
	local before
	before=$(own_pings)
	in_lab ping -c 1 -W 5 -q -I $host $host >/dev/null
	wait_for 10 has_more "$before" || return 1
	grep -cx "$1" "$dir/heard"
}
is "$(heard_from $host)" 1 "the listener hears what reaches the node's stack"
kill -STOP $stack_listener
(sleep 0.5; kill -CONT $stack_listener) &
is "$(heard_from $host)" 2 "and is waited for when it is slow"

attack() { # every way in: as the instance's own stack would, to the device's own MAC, to all
	inside "$c" ping -c 3 -i 0.2 -W 1 -q $host
	inside "$c" python3 "$stack" echo eth0 $gateway_mac "$ca" $host 3
	inside "$c" python3 "$stack" echo eth0 "$(device_mac)" "$ca" $host 3
	inside "$c" python3 "$stack" echo eth0 ff:ff:ff:ff:ff:ff "$ca" $host 3
}
reaches() { inside "$c" python3 "$peer" tcp "$sa" 80 1; }
unpin_links() { rm -f "${pins:?}"/link_* "${pins:?}"/guard_*; }
remove_qdiscs() {
	local d
	for d in $(devices); do in_lab tc qdisc del dev "$d" clsact; done
}
remove_filters() {
	local d
	for d in $(devices); do
		in_lab tc filter del dev "$d" ingress
		in_lab tc filter del dev "$d" egress
	done
}
kill_agent() {
	kill -9 "$agent_pid"
	wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
	return 0
}
# And the agent has been through its first pass: what is new comes into force only after that.
is_whole() {
	local n
	n=$(as consumer call vpc DescribeVSwitches VpcId="$cv" | jq .TotalCount)
	wait_for 20 node_live && wait_for 10 reaches && make_vswitch consumer "$cv" $h "10.0.$((n + 1)).0/24"
}
check "instances reach each other" reaches
check "the other listener sees what reaches the instance" wait_for 10 grep -q $gateway_mac "$dir/seen"

# --- with nobody there to mend it
accident() { # NAME COMMAND…
	local name=$1 seen
	shift
	kill_agent
	"$@" >/dev/null 2>&1
	attack >/dev/null 2>&1
	is "$(heard_from "$ca")" 0 "$name, no agent: nothing reaches the node's stack"
	seen=$(wc -l <"$dir/seen")
	in_lab python3 "$stack" say "$device" 88b5 3
	# (Its own loop shows what came before: what arrives stands in the file in order.)
	is "$(tail -n +$((seen + 1)) "$dir/seen" | grep -c "$(device_mac)")" 0 "$name, no agent: nothing of the node reaches the instance"
	start_agent
	check "$name: a new agent makes it whole" is_whole
}
[ -z "$has_tcx" ] || accident "the pins of the links are deleted" unpin_links
accident "the qdiscs are deleted" remove_qdiscs
accident "the filters are deleted" remove_filters

# --- with an agent
mended() { # NAME COMMAND…
	local name=$1 lines
	shift
	lines=$(wc -l <"$dir/agent.log")
	"$@" >/dev/null 2>&1
	attack >/dev/null 2>&1
	is "$(heard_from "$ca")" 0 "$name: nothing reaches the node's stack"
	check "$name: the agent notices" wait_for 20 told_since "$lines"
	check "$name: instances reach each other again" wait_for 20 reaches
	attack >/dev/null 2>&1
	is "$(heard_from "$ca")" 0 "$name: and nothing reaches the node's stack after that"
}
told_since() { tail -n +$(($1 + 1)) "$dir/agent.log" | grep -q "mending a device.*instance=$c"; }
[ -z "$has_tcx" ] || mended "the pins of the links are deleted" unpin_links
mended "the qdiscs are deleted" remove_qdiscs
mended "the filters are deleted" remove_filters
[ -z "$has_tcx" ] || check "the pins are there again" test -n "$(ls "$pins"/link_* 2>/dev/null)"

# --- by reading: what the stack could still do with the device
flag() { in_lab ip -j -d link show "$device" | jq -e "$1"; }
check "the node neither asks nor answers ARP there" flag '.[0].flags | index("NOARP")'
check "and has no IPv6 there" in_lab grep -qx 1 "/proc/sys/net/ipv6/conf/$device/disable_ipv6"
check "what the node sends there is dropped" flag '.[0].qdisc == "blackhole"'

finish
