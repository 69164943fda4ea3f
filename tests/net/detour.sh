#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Past the program: an instance whose root may set up its own network sends its frames through an ifb device, which
# marks them as classified already. Some kernels (6.1) take that mark across a veth and then leave out the node side's
# ingress hook, program and all. Nothing with an address of the node's in it is taken in by the node's stack even then.
. "$(dirname "$0")/lib.sh" || exit 1
stack=$(cd "$(dirname "$0")" && pwd)/stack.py
h=cn-hangzhou-h
host=192.0.2.1
gateway_mac=ee:ff:ff:ff:ff:fe

lab_start
in_lab ip addr add $host/32 dev lo
account consumer
cv=$(make_vpc consumer 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
c=$(make_instance consumer "$ch" "$cg")
ca=$(inside "$c" ip -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
device_mac() { in_lab ip -j link show | jq -r --arg a "/$c" '.[] | select((.ifalias // "") | endswith($a)) | .address'; }

# Frames without the mark 1 go through the ifb device, get it there, and come back to be sent.
cat >"$dir/mark.c" <<'END'
#include <linux/bpf.h>
__attribute__((section("tc"), used)) int mark(struct __sk_buff *skb)
{
	skb->mark = 1;
	return -1;
}
char licence[] __attribute__((section("license"), used)) = "GPL";
END
make_detour() {
	modprobe -q -a ifb act_mirred cls_u32 cls_bpf # where they are modules
	clang -O2 -target bpf -I"/usr/include/$(cc -print-multiarch)" -c "$dir/mark.c" -o "$dir/mark.o" &&
		inside "$c" ip link add ifb0 type ifb && inside "$c" ip link set ifb0 up &&
		inside "$c" tc qdisc add dev ifb0 clsact && inside "$c" tc qdisc add dev eth0 clsact &&
		inside "$c" tc filter add dev ifb0 egress bpf da obj "$dir/mark.o" sec tc &&
		inside "$c" tc filter add dev eth0 egress protocol all u32 match mark 0 0xffffffff action mirred egress redirect dev ifb0
}
if ! make_detour >"$dir/detour.log" 2>&1; then
	sed "s/^/# /" "$dir/detour.log"
	echo "1..0 # SKIP this kernel has no ifb, mirred, u32 or bpf classifier"
	exit 0
fi

nsenter --net="/run/netns/$lab" python3 "$stack" hear >"$dir/heard" 2>&1 &
remember pid $!
disown $!
wait_for 10 grep -q listening "$dir/heard" || bail "nobody listens"
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

# Echo requests that the stack counted, its own pings among them.
requests() { in_lab cat /proc/net/snmp | awk '/^Icmp:/ { if (n++) print $column; else for (column = 1; $column != "InEchos"; column++); }'; }
passed() { inside "$c" ip -j -s link show ifb0 | jq -r '.[0].stats64.tx.packets'; }
for mac in $gateway_mac "$(device_mac)" ff:ff:ff:ff:ff:ff 01:00:5e:00:00:fb; do
	began=$(passed)
	inside "$c" python3 "$stack" echo eth0 "$mac" "$ca" $host 3
	inside "$c" python3 "$stack" echo eth0 "$mac" 0.0.0.0 $host 3
	inside "$c" python3 "$stack" echo eth0 "$mac" 127.0.0.1 $host 3
	wait_for 10 eval "[ \$(passed) -ge $((began + 9)) ]"
	ok $? "frames to $mac take the detour"
	is "$(heard_from "$ca") $(heard_from 0.0.0.0) $(heard_from 127.0.0.1)" "0 0 0" "and the node's stack takes none of them in"
done
is "$(requests)" "$(own_pings)" "nor does it count one that is not its own"

finish
