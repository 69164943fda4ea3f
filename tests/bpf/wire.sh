#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The data path on real devices, without daemons: what a program run cannot show. Answers that go back through the
# sender's own veth, packets whose checksum is still to be made (CHECKSUM_PARTIAL), GSO packets, and what the host's IP
# stack sees of it all: nothing.
#
#   a 10.0.0.10 (VPC 10)   o 10.0.0.10 (VPC 50)   s 10.0.0.10, t 10.0.0.11 (VPC 40, servers on 8443)
#         │                      │                     │                │
#       pl10                   pl1a                  pl18             pl19
#   ────────────────────────── n: wire_node ──────────────────────────────
#
# The ENI is 10.0.0.100 in VPC 10, TCP 443 and UDP 500. Usage: wire.sh WIRE_NODE
set -u
wire_node=$1
id=wire$$
. "$(dirname "$0")/../tap.sh" || exit 1
pids=() work=$(mktemp -d)

check() { # NAME COMMAND…
	local name=$1
	shift
	"$@" >"$work/out" 2>&1
	local status=$?
	ok $status "$name"
	[ $status = 0 ] || sed 's/^/# /' "$work/out" | tail -n 5
}
dropped() { # REASON N COMMAND…: has no answer (ping's words, or curl's), and N packets or more are counted under that reason
	local before reason=$1 least=$2 output
	shift 2
	before=$(count "$reason")
	output=$("$@" 2>&1)
	echo "$reason from $before to $(count "$reason"): $output"
	grep -qE ' 100% packet loss|^curl: \(28\) ' <<<"$output" && [ "$(count "$reason")" -ge $((before + least)) ]
}
inside() { # a|o|s|t|n COMMAND…
	local who=$1
	shift
	ip netns exec "$id-$who" "$@"
}
finish() {
	local p who
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	for who in a o s t n; do ip netns del "$id-$who" 2>/dev/null; done
	rm -rf "${work:?}"
}
at_end finish

port() { # NAME SLOT ADDRESS DEVICE
	ip netns add "$id-$1"
	ip -n "$id-n" link add "$4" address ee:ff:ff:ff:ff:fe type veth \
		peer name eth0 address "00:16:3e:00:10:$(printf %02x "$2")" netns "$id-$1"
	# not every kernel has IPv6
	ip -n "$id-n" link set "$4" addrgenmode none 2>/dev/null
	ip -n "$id-$1" link set eth0 addrgenmode none 2>/dev/null
	ip -n "$id-n" link set "$4" up
	ip -n "$id-$1" link set lo up
	ip -n "$id-$1" addr add "$3/24" dev eth0
	ip -n "$id-$1" link set eth0 up
	ip -n "$id-$1" route add default via 10.0.0.253
}
count() { # REASON
	local value
	echo "$1" >&"${node[1]}"
	read -r value <&"${node[0]}"
	echo "$value"
}
# What reached n's IP stack: IpInReceives.
stack() {
	# shellcheck disable=SC2016
	inside n awk '/^Ip:/ && $3 ~ /[0-9]/ {print $4}' /proc/net/snmp
}
serve() { # NAME: a file over HTTP on 8443, and an echo of datagrams
	(cd "$work" && exec ip netns exec "$id-$1" python3 -m http.server 8443 >/dev/null 2>&1) &
	pids+=($!)
	# PIPE and not EXEC:cat: a program has half a second to answer, and less than that to start on a slow machine
	(exec ip netns exec "$id-$1" socat UDP4-RECVFROM:8443,fork PIPE >/dev/null 2>&1) &
	pids+=($!)
	for _ in $(seq 100); do
		inside "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/8443' 2>/dev/null && return
		sleep 0.1
	done
}
fetch() { # NAMESPACE URL: the file arrives whole
	inside "$1" curl -s -S -m 60 -o "$work/got" "$2" && cmp "$work/got" "$work/file"
}
say() { # NAMESPACE PORT TEXT: the datagram comes back
	# shellcheck disable=SC2016
	[ "$(inside "$1" timeout 10 bash -c 'exec 3<>"/dev/udp/10.0.0.100/$0" && echo "$1" >&3 && dd bs=2048 count=1 <&3' \
		"$2" "$3" 2>/dev/null)" = "$3" ]
}

walk() { # direct|helpers
	local mode=$1 receives
	coproc node { exec ip netns exec "$id-n" "$wire_node" "$mode" 16=pl10 26=pl1a 24=pl18 25=pl19; }
	read -r line <&"${node[0]}"
	ok "$([ "$line" = ready ]; echo $?)" "the node is ready ($mode)"
	receives=$(stack)
	check "the ENI answers ping, through the sender's own veth ($mode)" inside a ping -c 3 -i 0.1 -W 1 -q 10.0.0.100
	check "a large ping, too ($mode)" inside a ping -c 1 -s 1400 -W 1 -q 10.0.0.100
	check "the gateway answers ping ($mode)" inside a ping -c 1 -W 1 -q 10.0.0.253
	check "a file arrives whole through the ENI ($mode)" fetch a http://10.0.0.100:443/file
	check "a datagram comes back through the ENI ($mode)" say a 500 "hello $mode"
	check "without the senders' checksum offload, too ($mode)" bash -c "
		ip netns exec $id-a ethtool -K eth0 tx off && ip netns exec $id-s ethtool -K eth0 tx off &&
		ip netns exec $id-t ethtool -K eth0 tx off"
	check "the file arrives ($mode)" fetch a http://10.0.0.100:443/file
	check "the datagram comes back ($mode)" say a 500 "hello again $mode"
	for who in a s t; do inside $who ethtool -K eth0 tx on >/dev/null; done

	check "another VPC cannot ping the ENI's address, which is no_place ($mode)" \
		dropped no_place 2 inside o ping -c 2 -i 0.1 -W 1 -q 10.0.0.100
	check "nor connect to it ($mode)" dropped no_place 1 inside o curl -s -S -m 0.5 http://10.0.0.100:443/
	check "a server cannot connect to where connections come from, which is no_flow ($mode)" \
		dropped no_flow 1 inside s curl -s -S -m 0.5 http://100.64.0.16:443/
	check "the instance finds its own address free (DAD) ($mode)" bash -c "
		ip -n $id-a addr del 10.0.0.10/24 dev eth0 && ip -n $id-a addr add 10.0.0.10/24 dev eth0 &&
		ip -n $id-a route add default via 10.0.0.253"
	ok "$([ "$(stack)" = "$receives" ]; echo $?)" "no packet entered the node's IP stack ($mode)"
	inside n ping -c 1 -W 1 -q -I pl10 10.0.0.10 >/dev/null 2>&1
	ok "$([ "$(count egress_guard)" -gt 0 ]; echo $?)" "what the node itself sends is stopped at the device ($mode)"
	eval "exec ${node[1]}>&-"
	# shellcheck disable=SC2154
	wait "$node_PID" 2>/dev/null
}

head -c 20000000 /dev/urandom >"$work/file"
ip netns add "$id-n"
ip -n "$id-n" link set lo up
port a 16 10.0.0.10 pl10
# so that the node's own ping leaves at once and no failed resolution speaks up later
ip -n "$id-n" neigh add 10.0.0.10 lladdr 00:16:3e:00:10:10 nud permanent dev pl10
port o 26 10.0.0.10 pl1a
port s 24 10.0.0.10 pl18
port t 25 10.0.0.11 pl19
serve s
serve t
walk direct
walk helpers
tap_done
