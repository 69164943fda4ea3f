# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What several labs begin with: a consumer's instance $c in the VPC $cv, an endpoint at $eni with the name $domain, and behind
# it two servers, $s and $t, which say "s" and "t" on port 80. Sourced after lib.sh.
peer=$source_dir/tests/net/peer.py
h=cn-hangzhou-h

make_world() {
	local pv ch ph cg pg nlb service group
	account consumer
	account provider
	cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
	ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
	cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16) pg=$(make_group provider "$pv")
	c=$(make_instance consumer "$ch" "$cg") s=$(make_instance provider "$ph" "$pg") t=$(make_instance provider "$ph" "$pg")
	serve "$s" python3 "$peer" tcp-server 80 s
	s_pid=$served_pid
	serve "$t" python3 "$peer" tcp-server 80 t
	serve "$t" python3 "$peer" echo-server 81
	listening "$s" tcp 80 && listening "$t" tcp 80 81 || bail "nobody listens"
	nlb=$(make_nlb provider "$pv" $h="$ph" cn-hangzhou-i="$(make_vswitch provider "$pv" cn-hangzhou-i 10.0.2.0/24)")
	group=$(make_server_group provider "$pv" TCP 80 "$s" "$t")
	make_listener provider "$nlb" TCP 80 "$group" >/dev/null
	make_listener provider "$nlb" TCP 81 "$(make_server_group provider "$pv" TCP 81 "$t")" >/dev/null
	service=$(make_service provider "$nlb" $h)
	allow provider "$service" "$(uid_of consumer)"
	endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
	eni=$(eni_address consumer "$endpoint" $h)
	domain=$(as consumer call privatelink GetVpcEndpointAttribute EndpointId="$endpoint" | jq -r .EndpointDomain)
	wait_for 10 says s && wait_for 10 says t || bail "the servers do not answer"
}

says() { inside "$c" python3 "$peer" tcp "$eni" 80 2 | grep -q "^$1 "; } # SERVER
# Something new in the VPC of $c, whose node is waited for.
comes_into_force() { [ -n "$(make_vswitch consumer "$cv" $h "10.0.$1.0/24")" ]; } # NUMBER: another one each time
resolves() {
	ip netns exec "$c" python3 -c 'import socket, sys; print(socket.gethostbyname(sys.argv[1]))' "$domain" | grep -qx "$eni"
}

# A connection that has something to say all the time, until it is told to stop.
open_conversation() {
	inside "$c" python3 "$peer" pingpong "$eni" 81 1000000000 >/dev/null 2>"$dir/conversation.log" &
	conversation=$!
	remember pid $conversation
	disown $conversation
	wait_for 5 conversation_is_open
}
conversation_is_open() { inside "$c" ss -Htn state established dport = :81 | grep -q .; }
conversation_goes_on() { # bytes have come since the last look
	local before
	[ -d "/proc/$conversation" ] || return 1
	before=$(conversation_bytes)
	wait_for 5 conversation_has_grown "$before"
}
conversation_bytes() { inside "$c" ss -Htnie dport = :81 | grep -o 'bytes_received:[0-9]*' | head -n 1 | cut -d : -f 2; }
conversation_has_grown() { [ "$(conversation_bytes)" -gt "$1" ]; }

only_t_answers() { # ten times, so that it is no chance
	local i
	for i in {1..10}; do
		says t || return 1
	done
}
both_answer() { wait_for 10 says s && wait_for 10 says t; }
stop_s() { kill -9 "$s_pid"; }
start_s() {
	serve "$s" python3 "$peer" tcp-server 80 s
	s_pid=$served_pid
}
