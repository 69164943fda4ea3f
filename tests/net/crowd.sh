#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One account has many instances, and each opens as many flows as it may, with few that are its own: together they get no more
# than the account's share of the node's open flows. Another tenant's connections, its questions and the probes go on, none lost.
#
#   consumer c → servers s, t; crowd: four instances, each of which sends to 15,000 ports of the next one
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1
flows=15000 # of each: 120,000 tokens in all, where there are 131,072, and so 65,536 for one account

lab_start
make_world
account crowd
xv=$(make_vpc crowd 10.0.0.0/16)
xh=$(make_vswitch crowd "$xv" $h 10.0.1.0/24)
xg=$(make_group crowd "$xv" UDP:1/65535:10.0.0.0/16)
members=() addresses=()
for i in 1 2 3 4; do
	addresses+=("10.0.1.1$i")
	members+=("$(make_instance crowd "$xh" "$xg" "${addresses[-1]}")")
done
wait_for 10 resolves || bail "the name does not resolve"

spray() { # INSTANCE ADDRESS: a datagram to each port
	nsenter --net="/run/netns/$1" nice -n 10 python3 - "$2" $flows <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for port in range(1, int(sys.argv[2]) + 1):
		    s.sendto(b"crowd", (sys.argv[1], port))
	END
}

probes=$(counter probe)
pids=()
for i in 0 1 2 3; do
	spray "${members[i]}" "${addresses[(i + 1) % 4]}" &
	pids+=($!)
	remember pid $!
done
wait "${pids[@]}"
echo "# refused: $(counter account_share) by the account's share, $(counter flow_share) by an instance's"
check "what the crowd opens beyond its account's share is refused" [ "$(counter account_share)" -gt 0 ]
is "$(counter flow_share)" 0 "though none of its instances has its own"
inside "$c" python3 "$peer" customer "$eni" 80 "$domain" 3 >"$dir/customer"
echo "# the other tenant: $(cat "$dir/customer")"
check "another tenant's connections and questions: none repeated, none failed" grep -q ", 0 repeated, 0 failed" "$dir/customer"
check "and there were some of each" grep -qE '^[1-9][0-9]* connections, [1-9][0-9]* answers' "$dir/customer"
check "probes went on" [ "$(counter probe)" -gt "$probes" ]
is "$(counter flow_table_full)" 0 "and there was room all the time"
finish
