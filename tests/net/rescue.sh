#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One zone's server dies, in both ways: it refuses, and it falls silent. The ENI of that zone serves from the other zone, and
# the name goes on.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ci=$(make_vswitch consumer "$cv" $i 10.0.2.0/24)
ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24) pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16) pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg")
s1=$(make_instance provider "$ph" "$pg") s2=$(make_instance provider "$pi" "$pg")
serve "$s1" python3 "$peer" tcp-server 80 one
first=$served_pid
serve "$s2" python3 "$peer" tcp-server 80 two
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 80 "$(make_server_group provider "$pv" TCP 80 "$s1" "$s2")" >/dev/null
service=$(make_service provider "$nlb" $h $i)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch" $i="$ci") || bail "no endpoint"
eh=$(eni_address consumer "$endpoint" $h) ei=$(eni_address consumer "$endpoint" $i)

served_by() { # ADDRESS MARK [SECONDS]
	[ "$(inside "$c" python3 "$peer" tcp "$1" 80 "${3:-3}" | cut -d' ' -f1)" = "$2" ]
}
# Two probes have to miss: each second one begins, and ends by refusal at once or after two seconds of silence. Then there is
# a second for the rest; an emulated machine needs longer.
rest=1
[ -z "${PRIVLINK_KERNEL_LAYER:-}" ] || rest=15
rescued() { # SECONDS: by then the ENI of zone h is served from zone i
	local before
	before=$(date +%s%N)
	wait_for "$1" served_by "$eh" two 0.5 || return 1
	echo "rescued after $((($(date +%s%N) - before) / 1000000)) ms"
}
check "each ENI is served in its own zone (h)" wait_for 5 served_by "$eh" one
check "each ENI is served in its own zone (i)" wait_for 5 served_by "$ei" two

kill -9 "$first"
check "the server of zone h refuses: its ENI is served from zone i" rescued $((2 + rest))
n=0
for _ in $(seq 20); do served_by "$eh" two && n=$((n + 1)); done
is $n 20 "each of 20 connections"
serve "$s1" python3 "$peer" tcp-server 80 one
check "it comes back: zone h serves again" wait_for 10 served_by "$eh" one

# Answers to translated addresses go nowhere. (A link that is set down the agent would set up again.)
inside "$s1" ip route add blackhole 100.64.0.0/10
check "the server of zone h falls silent: its ENI is served from zone i" rescued $((5 + rest))
n=0
for _ in $(seq 20); do served_by "$eh" two && n=$((n + 1)); done
is $n 20 "each of 20 connections"
check "the other zone never noticed" served_by "$ei" two

finish
