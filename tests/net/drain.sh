#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Open flows when the world changes: the servers of a zone die under load, a server leaves with and without draining, a rule is
# revoked, a listener is deleted. Each end hears of it at once, and nobody else does.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i
agent_arguments=(--log-level debug)

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ci=$(make_vswitch consumer "$cv" $i 10.0.2.0/24)
ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24) pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" ALL:-1/-1:10.0.0.0/16) pg=$(make_group provider "$pv")
eg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 UDP:1/65535:10.0.0.0/16)
c=$(make_instance consumer "$ch" "$cg")
s1=$(make_instance provider "$ph" "$pg") s2=$(make_instance provider "$pi" "$pg")

start_first() { # the server of zone h, which dies and comes back
	serve "$s1" python3 "$peer" tcp-server 80 one
	first=$served_pid
}
start_first
serve "$s2" python3 "$peer" tcp-server 80 two
for s in "$s1" "$s2"; do serve "$s" python3 "$peer" echo-server 81; done
serve "$s1" python3 "$peer" udp-server 53 one
first_udp=$served_pid
serve "$s2" python3 "$peer" udp-server 53 two
for s in "$s1" "$s2"; do
	listening "$s" tcp 80 81 && listening "$s" udp 53 || bail "no server in $s"
done
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
web=$(make_server_group provider "$pv" TCP 80 "$s1" "$s2")
probe_every() { # SECONDS: the servers of web
	as provider call nlb UpdateServerGroupAttribute ServerGroupId="$web" HealthCheckConfig.HealthCheckInterval="$1" >/dev/null
}
probe_every $((patience + 1)) # longer than what is measured may take
echoes=$(make_server_group provider "$pv" TCP 81 "$s1" "$s2")
names=$(make_server_group provider "$pv" UDP 53 "$s1" "$s2")
make_listener provider "$nlb" TCP 80 "$web" >/dev/null
make_listener provider "$nlb" TCP 81 "$echoes" >/dev/null
udp_listener=$(make_listener provider "$nlb" UDP 53 "$names")
service=$(make_service provider "$nlb" $h $i)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$eg" $h="$ch" $i="$ci") || bail "no endpoint"
eh=$(eni_address consumer "$endpoint" $h) ei=$(eni_address consumer "$endpoint" $i)

says() { inside "$c" python3 "$peer" "$1" "$2" "$3" ${5:+"$5"} | grep -q "^$4 "; } # PROTOCOL ADDRESS PORT SERVER [TEXT]
wait_for 10 says tcp "$eh" 80 one && wait_for 10 says tcp "$ei" 80 two && wait_for 10 says udp "$eh" 53 one x &&
	wait_for 10 inside "$c" python3 "$peer" pingpong "$eh" 81 1 || bail "the servers do not answer"

start() { # NAME COMMAND…: a client of the consumer's, which writes to a log of that name
	local name=$1
	shift
	inside "$c" python3 -u "$peer" "$@" >"$dir/$name.out" 2>&1 &
	client=$!
	remember pid $client
	disown $client
}
said() { [ "$(tail -n 1 "$dir/$1.out")" = "$2" ]; } # NAME LINE
server_change() { # ACTION GROUP SERVER PORT [PARAMETER…]
	local action=$1 group=$2 server=$3 port=$4
	shift 4
	as provider call nlb "$action" ServerGroupId="$group" Servers.1.ServerId="$server" Servers.1.ServerType=Ecs \
		Servers.1.Port="$port" "$@" >/dev/null
}

# The server of a zone dies, under connections through the other zone and a load of new ones.
mkfifo "$dir/crowd.in"
inside "$c" python3 -u "$peer" crowd "$ei" 81 200 <"$dir/crowd.in" >"$dir/crowd.out" 2>&1 &
remember pid $!
exec {crowd}>"$dir/crowd.in"
wait_for 10 said crowd open || bail "no 200 connections"
start load load "$eh" 80
load=$client
wait_for 10 said load begun || bail "no load"
kill -9 "$first"
check "new connections of the zone go to the other one" wait_for 5 ended "$load"
read -r failed last < <(tail -n 1 "$dir/load.out")
missed=$(grep "missed server=$web/$s1/80 n=1 " "$dir/agent.log" | tail -n 1)
after=$((last - $(date -d "${missed%% *}" +%s%3N)))
echo "# they failed for $failed ms, the last one $after ms after the first missed probe"
[ -n "$missed" ] && [ $after -le $((1000 * patience)) ]
ok $? "within a second of the first missed probe, however seldom it is probed"
probe_every 1
echo all >&"$crowd"
check "200 connections to other servers did not notice" wait_for 10 said crowd "200 well"
start_first
check "a server that comes back serves again" wait_for 10 says tcp "$eh" 80 one

# A server of UDP dies: its port is refused, to its clients and to probes.
start names follow "$eh" 53
check "a socket is answered in its zone" wait_for 5 said names one
kill -9 "$first_udp"
check "a dead server's socket is answered by another one" wait_for 4 said names two
kill "$client"
serve "$s1" python3 "$peer" udp-server 53 one
wait_for 10 says udp "$eh" 53 one x || bail "the server of UDP does not come back"

# A server that loses its weight, or is removed.
start names follow "$eh" 53
start talk talk "$eh" 81
check "a new socket is answered in its zone again" wait_for 5 said names one
check "a connection is open in its zone" wait_for 5 said talk open
server_change UpdateServerGroupServersAttribute "$names" "$s1" 53 Servers.1.Weight=0
check "the same socket is answered by another server when its own has no weight" wait_for 1 said names two
server_change UpdateServerGroupServersAttribute "$names" "$s1" 53 Servers.1.Weight=100
server_change RemoveServersFromServerGroup "$echoes" "$s1" 81
check "new connections go elsewhere when a server is removed" wait_for 5 inside "$c" python3 "$peer" pingpong "$eh" 81 1
sleep 0.5
check "open ones stay" said talk open
check "a server with weight again takes no socket back" said names two

# With draining.
server_change AddServersToServerGroup "$echoes" "$s1" 81
as provider call nlb UpdateServerGroupAttribute ServerGroupId="$echoes" ConnectionDrainEnabled=true \
	ConnectionDrainTimeout=1 >/dev/null
in_group() { as provider call nlb ListServerGroupServers ServerGroupId="$echoes" | jq -e '[.Servers[].Status] == ["Available", "Available"]'; }
wait_for 10 in_group || bail "the server is not back"
start drained talk "$eh" 81
wait_for 5 said drained open || bail "no connection"
server_change RemoveServersFromServerGroup "$echoes" "$s1" 81
check "with draining, an open connection is reset when its time is over" wait_for 3 said drained "Connection reset by peer"

# A rule is revoked, a listener deleted.
start revoked talk "$ei" 81
wait_for 5 said revoked open || bail "no connection"
revoke consumer "$eg" TCP:1/65535:10.0.0.0/16
check "a revoked rule resets an open connection" wait_for 1 said revoked "Connection reset by peer"
check "a new one hears nothing, as in the cloud" dropped policy_in inside "$c" python3 "$peer" tcp "$ei" 80 0.5
authorize consumer "$eg" TCP:1/65535:10.0.0.0/16
check "with the rule back it opens" wait_for 5 says tcp "$ei" 80 two
as provider call nlb DeleteListener ListenerId="$udp_listener" >/dev/null
check "a deleted listener refuses a socket that has been answered" wait_for 2 said names refused

finish
