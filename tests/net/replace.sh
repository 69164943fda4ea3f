#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The load balancer that serves a zone of a connection is replaced: beside the old one, which goes on with what it has until the
# provider takes it off, over a crash of both daemons; and at once.
#
#   consumer ── ENI ─────────► nlb1 ── server s
#          └─── second ENI ──► nlb2 ── server t
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 UDP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg")

make_side() { # NAME: a load balancer with one server that says so; prints both ids
	local server nlb
	server=$(make_instance provider "$ph" "$pg")
	serve "$server" python3 "$peer" tcp-server 80 "$1"
	serve "$server" python3 "$peer" echo-server 81
	serve "$server" python3 "$peer" udp-server 82 "$1"
	listening "$server" tcp 80 81 && listening "$server" udp 82 || return 1
	nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
	make_listener provider "$nlb" TCP 80 "$(make_server_group provider "$pv" TCP 80 "$server")" >/dev/null
	make_listener provider "$nlb" TCP 81 "$(make_server_group provider "$pv" TCP 81 "$server")" >/dev/null
	make_listener provider "$nlb" UDP 82 "$(make_server_group provider "$pv" UDP 82 "$server")" >/dev/null
	echo "$nlb"
}
nlb1=$(make_side s) && nlb2=$(make_side t) || bail "nobody listens"
service=$(make_service provider "$nlb1" $h)
allow provider "$service" "$(uid_of consumer)"
as provider service attach "$service" --nlb "$nlb2" --zone $h --wait
as provider call privatelink UpdateVpcEndpointServiceResourceAttribute ServiceId="$service" ResourceId="$nlb2" ZoneId=$h \
	AutoAllocatedEnabled=false >/dev/null
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
old=$(eni_address consumer "$endpoint" $h)
domain=$(as consumer call privatelink GetVpcEndpointAttribute EndpointId="$endpoint" | jq -r .EndpointDomain)
room() { as consumer call vpc DescribeVSwitchAttributes VSwitchId="$ch" | jq -r .AvailableIpAddressCount; }
free=$(room)

# What the consumer has.
says() { inside "$c" python3 "$peer" tcp "$1" 80 2 | grep -q "^$2 "; } # ADDRESS SERVER
resolves() { [ "$(ip netns exec "$c" python3 -c 'import socket, sys; print(socket.gethostbyname(sys.argv[1]))' "$domain")" = "$1" ]; }
name_says() { ip netns exec "$c" python3 "$peer" tcp "$domain" 80 2 | grep -q "^$1 "; }
datagram_says() { # ADDRESS SERVER: always from one port, so that it is one flow
	inside "$c" python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5555))
s.settimeout(1)
s.sendto(b"x", (sys.argv[1], 82))
print(s.recv(100).decode())' "$1" | grep -q "^$2 "
}
converse() { # ADDRESS: a connection that has something to say all the time
	inside "$c" python3 "$peer" pingpong "$1" 81 1000000000 >/dev/null 2>"$dir/conversation.log" &
	conversation=$!
	remember pid $conversation
	disown $conversation
}
received() { inside "$c" ss -Htnie "dst $1 and dport = :81" | grep -o 'bytes_received:[0-9]*' | head -n 1 | cut -d : -f 2; }
has_grown() { [ "$(received "$1")" -gt "$2" ]; }
goes_on() { # ADDRESS
	local before
	before=$(received "$1")
	[ -n "$before" ] && wait_for 5 has_grown "$1" "$before"
}

# What the provider sees.
zone() { as provider call privatelink ListVpcEndpointConnections EndpointId="$endpoint" | jq -r ".Connections[0].Zones[0].$1"; }
is_zone() { [ "$(zone ZoneStatus)" = "$1" ]; }

check "the first load balancer serves" wait_for 10 says "$old" s
check "by its name, too" wait_for 5 resolves "$old"
check "and by UDP" wait_for 5 datagram_says "$old" s
converse "$old"
check "a connection is open" wait_for 5 goes_on "$old"
first=$conversation

# --- beside the old one
kill -STOP "$agent_pid"
check "the second is to serve beside the first" as provider service move-zone "$service" "$endpoint" $h --nlb "$nlb2" --replace Graceful
is "$(zone ZoneStatus)" Migrating "with the agent stopped the zone is on its way"
is "$(eni_address consumer "$endpoint" $h)" "$old" "and the consumer has the old address"
kill -CONT "$agent_pid"
check "it has migrated when the agent goes on" wait_for 10 is_zone Migrated
new=$(eni_address consumer "$endpoint" $h)
note "from $old to $new"
[ "$new" != "$old" ]
ok $? "the consumer has another address"
check "the name leads there" wait_for 5 resolves "$new"
check "and to the second load balancer" wait_for 5 name_says t
check "the connection through the first goes on" goes_on "$old"
check "which still takes new ones at its address" says "$old" s
check "what still serves stays in the service" fails 1 EndpointServiceConnectionDependence \
	as provider service detach "$service" "$nlb1" --zone $h
kill -9 "$privlinkd_pid" "$agent_pid"
wait_for 20 all_ended "$privlinkd_pid" "$agent_pid" || bail "a daemon does not end"
check "it goes on with both daemons dead" goes_on "$old"
start_privlinkd
start_agent
check "the agent reports again" wait_for 20 node_live
check "the zone is as it was" is_zone Migrated
check "the connection goes on" goes_on "$old"
check "the name leads to the second" wait_for 10 name_says t

# --- the old one is taken off
check "the first is taken off" as provider service cut-zone "$service" "$endpoint" $h --replaced
check "then the zone is as any other" wait_for 10 is_zone Connected
check "the connection through it has ended" wait_for 2 ended "$first"
check "nobody is at its address" dropped no_place inside "$c" python3 "$peer" tcp "$old" 80 0.5
is "$(room)" "$free" "which is free again"
check "the second goes on" name_says t
check "the first can leave the service, and come back" as provider service detach "$service" "$nlb1" --zone $h --wait
as provider service attach "$service" --nlb "$nlb1" --zone $h --wait
kill "$first" 2>/dev/null

# --- at once
converse "$new"
check "a connection is open through the second" wait_for 5 goes_on "$new"
check "and a flow of UDP" datagram_says "$new" t
check "the first is to serve at once" as provider service move-zone "$service" "$endpoint" $h --nlb "$nlb1" --replace Force --wait
is "$(zone ResourceId) $(eni_address consumer "$endpoint" $h)" "$nlb1 $new" "it does, at the same address"
check "the connection through the second has ended" wait_for 2 ended "$conversation"
check "new ones reach the first" says "$new" s
check "by name, too" name_says s
check "and so does the flow of UDP, with its next datagram" datagram_says "$new" s
kill "$conversation" 2>/dev/null

# --- the end in the middle
as provider service move-zone "$service" "$endpoint" $h --nlb "$nlb2" --replace Graceful >/dev/null
check "a zone that migrates is removed" as consumer endpoint remove-zone "$endpoint" --zone $h --wait
zone_gone() { as consumer endpoint zones "$endpoint" --json | jq -e '.Zones == []'; }
check "it goes" wait_for 10 zone_gone
is "$(room)" "$((free + 1))" "with both addresses"
check "and its endpoint can be deleted" as consumer endpoint delete "$endpoint" --wait

finish
