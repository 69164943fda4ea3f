#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Connections through an endpoint in a bad network: on both sides of the node, in both directions, packets are lost, come twice and come
# late (impair.bpf.c). With PROXY headers and without, with the kernel's help in segmentation and checksums and without it: no byte
# arrives that was not sent, and no connection is stuck.
. "$(dirname "$0")/lib.sh" || exit 1
proxy_peer=$source_dir/tests/net/proxy_peer.py
object=$build/tests/net/impair.bpf.o
h=cn-hangzhou-h
many=20

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16) pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance provider "$ph" "$pg")
nlb=$(make_nlb provider "$pv" $h="$ph" cn-hangzhou-i="$(make_vswitch provider "$pv" cn-hangzhou-i 10.0.2.0/24)")
serve "$s" python3 "$proxy_peer" server 90
serve "$s" python3 "$proxy_peer" server 91 first
mkdir "$dir/www"
head -c 1000000 /dev/urandom >"$dir/www/file"
cat >"$dir/nginx.conf" <<END
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events {}
http {
	access_log off;
	client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp; uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
	server { listen 92 proxy_protocol; root $dir/www; }
	server { listen 93; root $dir/www; }
}
END
serve "$s" nginx -c "$dir/nginx.conf" -e "$dir/nginx.log"
listening "$s" tcp 90 91 92 93 || bail "nobody listens"

listen() { # PORT [OPTION…]
	local port=$1
	shift
	as provider nlb listener-create --nlb "$nlb" --server-group "$(make_server_group provider "$pv" TCP "$port" "$s")" --protocol TCP \
		--port "$port" --wait "$@" >/dev/null
}
listen 90 --proxy-protocol --proxy-vpc --proxy-endpoint --proxy-service
listen 91 --proxy-protocol --proxy-endpoint
listen 92 --proxy-protocol --proxy-service
listen 93
service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)
answers() { inside "$c" curl -s -m 2 -o /dev/null -f "http://$eni:$1/file"; }
wait_for 10 answers 92 && wait_for 10 answers 93 || bail "the servers do not answer"

# --- the bad network

pair() { # INSTANCE NAME INDEX SECTION: what goes out by its first end comes in by its second, and meets the program there
	local ip=(ip -n "$1")
	"${ip[@]}" link add "$2" index "$3" type veth peer name "$2-in" &&
		"${ip[@]}" link set "$2" arp off up && "${ip[@]}" link set "$2-in" arp off up &&
		inside "$1" tc qdisc add dev "$2-in" clsact &&
		inside "$1" tc filter add dev "$2-in" ingress bpf da obj "$object" sec "$4"
}
impair() { # INSTANCE
	pair "$1" late-out 901 classifier/turn_out && pair "$1" late-in 903 classifier/turn_in &&
		inside "$1" tc qdisc add dev eth0 clsact &&
		inside "$1" tc filter add dev eth0 egress bpf da obj "$object" sec classifier/out &&
		inside "$1" tc filter add dev eth0 ingress bpf da obj "$object" sec classifier/in
}
check "the consumer's network is a bad one" impair "$c"
check "so is the server's" impair "$s"

# --- what goes through it

wanted=$(sha256sum <"$dir/www/file")
fetched() { # PORT: that many at once, and all of them whole
	local got
	# shellcheck disable=SC2016
	got=$(inside "$c" bash -c 'for i in $(seq "$2"); do curl -sS -m 60 "http://$0:$1/file" | sha256sum & done; wait' "$eni" "$1" $many)
	sort <<<"$got" | uniq -c
	[ "$(grep -cxF "$wanted" <<<"$got")" = $many ]
}
exchange() { inside "$c" python3 "$proxy_peer" client "$eni" "$@"; } # PORT HOW N SIZE: prints the ids
all="$cv $endpoint $service"
for how in on off; do
	for instance in "$c" "$s"; do
		inside "$instance" ethtool -K eth0 tso $how gso $how gro $how tx $how >/dev/null || bail "no ethtool"
	done
	check "$many transfers over HTTP arrive whole, offloads $how" fetched 93
	check "$many with PROXY headers in front, offloads $how" fetched 92
	is "$(exchange 90 silent $many 30000)" "$all" "$many there and back where the client waits for the server, offloads $how"
	is "$(exchange 90 late $many 30000)" "$all" "$many whose data ends the handshake, offloads $how"
	is "$(exchange 90 shut $many 0)" "$all" "$many that close right after it, offloads $how"
	is "$(exchange 91 first $many 30000)" "- $endpoint -" "$many where the server speaks first, offloads $how"
done

total() { # INSTANCE COUNTER
	inside "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}
note "said again: $(total "$c" TcpRetransSegs) by the client, $(total "$s" TcpRetransSegs) by the server;" \
	"out of order: $(total "$c" TcpExtTCPOFOQueue) and $(total "$s" TcpExtTCPOFOQueue);" \
	"twice: $(total "$c" TcpExtTCPDSACKOldSent) and $(total "$s" TcpExtTCPDSACKOldSent)"
for instance in "$c" "$s"; do
	for what in TcpRetransSegs TcpExtTCPOFOQueue TcpExtTCPDSACKOldSent; do
		[ "$(total "$instance" $what)" -gt 0 ] || ok 1 "the network was a bad one ($what)"
	done
done
finish
