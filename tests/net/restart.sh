#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Both daemons are killed during a download through the endpoint: the download finishes, and after their restart
# everything goes on as if nothing had happened.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i
size=40000000

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16) pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance provider "$ph" "$pg")
serve "$s" python3 "$peer" source 80 $size 8000000
serve "$s" python3 "$peer" tcp-server 81 served
listening "$s" tcp 80 81 || bail "no server"
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 80 "$(make_server_group provider "$pv" TCP 80 "$s")" >/dev/null
make_listener provider "$nlb" TCP 81 "$(make_server_group provider "$pv" TCP 81 "$s")" >/dev/null
service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)
want=$(python3 "$peer" digest $size)

kill_both() {
	kill -9 "$privlinkd_pid" "$agent_pid"
	wait_for 20 all_ended "$privlinkd_pid" "$agent_pid" || bail "a daemon does not end"
	return 0
}

second_privlinkd_refused() {
	local first=$privlinkd_pid
	start_privlinkd
	wait_for 5 ended "$privlinkd_pid" && ! ended "$first"
}

inside "$c" python3 "$peer" fetch "$eni" 80 >"$dir/fetched" &
fetch=$!
sleep 1
kill_both
check "a new connection opens with both daemons dead" inside "$c" python3 "$peer" tcp "$eni" 81
check "and the ENI answers ping" inside "$c" ping -c 2 -i 0.2 -W 2 -q "$eni"
wait $fetch
ok $? "a download that was open when they died finishes"
is "$(cat "$dir/fetched")" "$want" "with every byte"

inside "$c" python3 "$peer" fetch "$eni" 80 >"$dir/fetched2" &
fetch=$!
sleep 0.5
start_privlinkd
start_agent
check "the API is back" wait_for 10 api_answers
check "the agent reports again" wait_for 20 node_live
wait $fetch
ok $? "a download over the restart finishes, too"
is "$(cat "$dir/fetched2")" "$want" "with every byte"
check "a new connection opens" inside "$c" python3 "$peer" tcp "$eni" 81
check "the endpoint is still Active and Connected" endpoint_connected consumer "$endpoint"

# A clean stop leaves everything in place as well.
kill -TERM "$agent_pid"
wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
check "connections open after a clean stop of the agent" inside "$c" python3 "$peer" tcp "$eni" 81
start_agent
check "and the agent adopts what is there" wait_for 20 node_live
check "connections still open" inside "$c" python3 "$peer" tcp "$eni" 81

# One that was just killed holds its pid file's lock for as long as its memory takes to go.
kill -9 "$privlinkd_pid"
wait_for 20 all_ended "$privlinkd_pid" || bail "a daemon does not end"
flock "$dir/run/privlinkd.pid" sleep 0.5 &
lock=$!
is_locked() { ! flock --nonblock "$dir/run/privlinkd.pid" true; }
wait_for 5 is_locked || bail "nobody holds the lock"
start_privlinkd
check "privlinkd waits for the lock of one that is on its way out" wait_for 10 api_answers
wait $lock
check "and starts nothing beside one that goes on" second_privlinkd_refused

finish
