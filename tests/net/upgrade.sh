#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Upgrade and downgrade under traffic. The other agent (tests/next) has one reason, one field in a row of a port and one field
# in a row of a flow more. A download and 200 open connections, half of them busy, see nothing of it: not when one follows the other,
# not when it goes back before all flows have moved, and not when agents are killed in the middle.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i
size=60000000 n=200
this=$build/src/cmd/privlink-agent next=$build/tests/next/privlink-agent-next
pins=/sys/fs/bpf/privlink/$node
bpftool=$(PATH=$PATH:/usr/sbin command -v bpftool) || bail "needs bpftool"

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16) pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance provider "$ph" "$pg")
serve "$s" python3 "$peer" source 80 $size 3000000
serve "$s" python3 "$peer" echo-server 81
listening "$s" tcp 80 81 || bail "no server"
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 80 "$(make_server_group provider "$pv" TCP 80 "$s")" >/dev/null
make_listener provider "$nlb" TCP 81 "$(make_server_group provider "$pv" TCP 81 "$s")" >/dev/null
leaving=$(make_server_group provider "$pv" TCP 82 "$s")
make_listener provider "$nlb" TCP 82 "$leaving" >/dev/null
as provider call nlb UpdateServerGroupAttribute ServerGroupId="$leaving" ConnectionDrainEnabled=true ConnectionDrainTimeout=900 >/dev/null
service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)
want=$(python3 "$peer" digest $size)

kill_agent() {
	kill -9 "$agent_pid"
	wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
	return 0
}

row_size() { "$bpftool" -j map show pinned "$pins/$1" | jq .bytes_value; } # TABLE

rows() { "$bpftool" -j map dump pinned "$pins/$1" | jq length; } # TABLE

in_force() { # BYTES of a port's row, and of a flow's: the tables of one layout, and nothing is left beside
	[ "$(row_size pl_ports)" = "$1" ] && [ "$(row_size pl_flows4)" = "$2" ] && absent "$pins/next"
}
is_this() { in_force 64 80; }
is_next() { in_force 72 88; }

ends() { # of servers whose connections have some time left: when it is over
	"$bpftool" -j map dump pinned "$pins/pl_servers" | jq -c '[.[].formatted.value | select(.state == 3 and .until > 0) | .until]'
}
one_ends() { [ "$(ends | jq length)" = 1 ]; }
drained() { "$bpftool" -j map dump pinned "$pins/pl_servers" | jq -e '[.[].formatted.value | select(.drains == 1)] | length == 1'; }

replace_agent() { # PROGRAM: kills the one that runs, too
	kill_agent
	agent_program=$1
	start_agent
}

well() { # all connections are
	local answer
	echo >&"${COPROC[1]}"
	read -r -t 60 answer <&"${COPROC[0]}" || return 1
	echo "$answer"
	[ "$answer" = "$n well" ]
}

refused=(no_port not_gateway bad_mac bad_source no_place no_flow not_syn provider_opens policy_out policy_in eni_not_connected
	no_listener no_backend backend_gone remote_unreachable nat_exhausted flow_table_full flow_rate bandwidth dns_rate)
none_refused() { # since the running agent's counters began
	local reason packets bad=0
	for reason in "${refused[@]}"; do
		packets=$(counter "$reason")
		[ "$packets" = 0 ] || { echo "$reason: $packets"; bad=1; }
	done
	return $bad
}

inside "$c" python3 "$peer" fetch "$eni" 80 >"$dir/fetched" &
fetch=$!
coproc inside "$c" python3 "$peer" crowd "$eni" 81 $n
remember pid "$COPROC_PID"
read -r -t 60 opened <&"${COPROC[0]}"
is "$opened" open "$n connections are open"
check "they are well" well
check "no packet was refused" none_refused

wait_for 10 drained || bail "no server that will drain"
as provider call nlb RemoveServersFromServerGroup ServerGroupId="$leaving" Servers.1.ServerId="$s" Servers.1.ServerType=Ecs \
	Servers.1.Port=82 >/dev/null
wait_for 10 one_ends || bail "no server whose connections have some time left"
end=$(ends)

# --- there

replace_agent "$next"
check "an upgrade: the new tables come into force" wait_for 20 is_next
# (An emulated machine may have swept by now.)
[ $patience != 1 ] || check "flows of idle connections are still in the old table" test "$(rows pl_flows4_old)" -ge $n
check "no packet was refused" wait_for 20 none_refused
is "$(ends)" "$end" "a server that has left keeps its connections as long as before"

# --- and back before the flows have moved

replace_agent "$this"
check "a downgrade at once: the tables of before come into force" wait_for 20 is_this
is "$(ends)" "$end" "a server that has left keeps its connections as long as before"
check "the connections are well" well
check "a new connection opens" inside "$c" python3 "$peer" pingpong "$eni" 81 3
check "no packet was refused" wait_for 20 none_refused
check "when all flows have moved, the old table goes" wait_for 20 absent "$pins/pl_flows4_old"
check "the connections are well" well

# --- killed in the middle

for delay in 0.03 0.06 0.1 0.15 0.2 0.3; do
	replace_agent "$next"
	sleep $delay
	[ $delay != 0.15 ] || replace_agent "$this"
done
kill_agent
check "agents were killed in the middle of it: the connections are well" well
start_agent
check "the next one brings its tables into force" wait_for 20 is_next
check "the connections are well" well
check "no packet was refused" wait_for 20 none_refused
check "when all flows have moved, the old table goes" wait_for 20 absent "$pins/pl_flows4_old"
check "the connections are well" well

replace_agent "$this"
check "a downgrade: the tables of before come into force" wait_for 20 is_this
check "the connections are well" well
wait $fetch
ok $? "the download has seen all of it, and finishes"
is "$(cat "$dir/fetched")" "$want" "with every byte"
check "no packet was refused" wait_for 20 none_refused

# --- what nobody can read

kill_agent
rm -f "$pins/pl_flows4"
"$bpftool" map create "$pins/pl_flows4" type hash key 20 value 80 entries 16 name pl_flows4
start_agent
check "a flow table of another kind: the log says that open flows are lost" wait_for 10 grep -q "open flows are lost" "$dir/agent.log"
check "new connections open" wait_for 10 inside "$c" python3 "$peer" pingpong "$eni" 81 3
kill "$COPROC_PID"

finish
