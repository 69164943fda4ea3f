#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Established packets never see an IP stack on their way: over 100,000 of them IpInReceives of the host and of VPC 0 rises by
# no more than DNS and probes explain. And the node's side of a port sends a tenant nothing by itself.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i
exchanges=50000
[ -z "${PRIVLINK_KERNEL_LAYER-}" ] || exchanges=2000 # an emulated processor is ten times slower, and more beside another guest

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16) pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance provider "$ph" "$pg")
quiet=$(make_instance consumer "$ch" "$cg")
serve "$s" python3 "$peer" echo-server 80
listening "$s" tcp 80 || bail "no server"
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 80 "$(make_server_group provider "$pv" TCP 80 "$s")" >/dev/null
service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)

received() { # packets that the IP stack of a namespace took in, loopback left out as far as it can be
	nsenter --net="/run/netns/$1" cat /proc/net/snmp | awk '$1 == "Ip:" {n++} n == 2 {print $4; exit}'
}
before_lab=$(received "$lab") before_vpc0=$(received "privlink-$node")
start=$(date +%s)
inside "$c" python3 "$peer" pingpong "$eni" 80 $exchanges >/dev/null
is $? 0 "$exchanges exchanges over one connection, each at least two packets"
seconds=$(($(date +%s) - start + 1))
lab_rise=$(($(received "$lab") - before_lab)) vpc0_rise=$(($(received "privlink-$node") - before_vpc0))
note "IpInReceives in $seconds s: host $lab_rise, VPC 0 $vpc0_rise"
# A probe takes VPC 0 a few packets each second; the host hears the loopback of privlinkd and this test alone.
[ $vpc0_rise -le $((seconds * 10 + 20)) ]
ok $? "VPC 0 received no more than the probes explain"
[ $lab_rise -le $((seconds * 20 + 200)) ]
ok $? "the host received no more than its own loopback explains"

frames_in() { nsenter --net="/run/netns/$1" cat /proc/net/dev | awk '$1 == "eth0:" {print $3}'; }
before=$(frames_in "$quiet")
sleep 3
is "$(frames_in "$quiet")" "$before" "an instance that asks nothing hears nothing"
device=pl$(printf %x "$(in_lab ip -br link | grep -o '^pl[0-9a-f]*' | sed 's/^pl/0x/' | sort -t x -k 2 | tail -n 1)")
note "host side device $device"
before=$(counter egress_guard)
in_lab python3 - "$device" <<'PY'
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for _ in range(3):
    try:
        s.send(b"\xff" * 6 + b"\x02" * 6 + b"\x08\x00" + b"\x00" * 50)
    except OSError:
        pass  # the device says that it dropped the frame
PY
[ "$(counter egress_guard)" -ge $((before + 3)) ]
ok $? "frames that the host itself sends to a tenant are dropped and counted"

finish
