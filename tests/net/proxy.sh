#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Listeners that send PROXY headers: a strict server, nginx and HAProxy learn who their clients are, whoever speaks first, however the
# handshake ends, and with the kernel's help in segmentation and checksums or without it.
. "$(dirname "$0")/lib.sh" || exit 1
proxy_peer=$source_dir/tests/net/proxy_peer.py
h=cn-hangzhou-h

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
cat >"$dir/nginx.conf" <<END
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events {}
http {
	access_log off;
	client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp; uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
	server {
		listen 92 proxy_protocol;
		return 200 "\$proxy_protocol_addr:\$proxy_protocol_port \$proxy_protocol_server_addr:\$proxy_protocol_server_port";
	}
}
END
serve "$s" nginx -c "$dir/nginx.conf" -e "$dir/nginx.log"
cat >"$dir/haproxy.conf" <<'END'
defaults
	mode http
	timeout client 5s
frontend told
	bind :93 accept-proxy
	http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst]:%[dst_port]"
END
serve "$s" "$(PATH=$PATH:/usr/sbin type -P haproxy)" -db -f "$dir/haproxy.conf"

listening "$s" tcp 90 91 92 93 || bail "nobody listens"

# A listener with PROXY headers; the rest are options.
listen() { # PORT [OPTION…]
	local port=$1
	shift
	as provider nlb listener-create --nlb "$nlb" --server-group "$(make_server_group provider "$pv" TCP "$port" "$s")" --protocol TCP \
		--port "$port" --proxy-protocol --wait "$@"
}
check "a listener with headers that name all is made" listen 90 --proxy-vpc --proxy-endpoint --proxy-service
check "and one with the endpoint alone" listen 91 --proxy-endpoint
check "and one with addresses alone" listen 92
check "and one for HAProxy" listen 93 --proxy-vpc --proxy-endpoint --proxy-service

service=$(make_service provider "$nlb" $h)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint"
eni=$(eni_address consumer "$endpoint" $h)

exchange() { # PORT HOW N SIZE: prints the ids
	inside "$c" python3 "$proxy_peer" client "$eni" "$@"
}
check "the strict server is there" wait_for 10 exchange 90 silent 1 1
all="$cv $endpoint $service"
is "$(exchange 90 silent 1 10)" "$all" "the server knows the client, which has said nothing, and its VPC, endpoint and service"
is "$(exchange 91 first 1 10)" "- $endpoint -" "a server that speaks first knows it, too, and the endpoint"
is "$(exchange 90 silent 50 1000)" "$all" "50 connections at once, each with its own header"
is "$(exchange 91 first 50 1000)" "- $endpoint -" "50 where the server speaks first"
is "$(exchange 90 shut 20 0)" "$all" "20 clients that close right after the handshake"
is "$(exchange 90 late 20 100000)" "$all" "20 whose data ends the handshake"
is "$(exchange 90 late 1 10000000)" "$all" "10 MB that end the handshake, and back"

told() { # PORT: the server answers with what it was told
	local answer client front own
	answer=$(inside "$c" curl -s -m 5 -w ' %{local_ip}:%{local_port}' "http://$eni:$1/")
	echo "$answer"
	read -r client front own <<<"$answer"
	[ "$client" = "$own" ] && [ "$front" = "$eni:$1" ]
}
check "nginx is told the client's address and port, and the endpoint's" wait_for 10 told 92
check "so is HAProxy, which passes over the ids" wait_for 10 told 93

for how in off on; do
	for instance in "$c" "$s"; do
		inside "$instance" ethtool -K eth0 tso $how gso $how tx $how >/dev/null || bail "no ethtool"
	done
	is "$(exchange 90 silent 1 10000000)" "$all" "10 MB there and back, segmentation and checksums by the kernel: $how"
	is "$(exchange 90 late 10 20000)" "$all" "and data that ends the handshake"
done

listener=$(as provider call nlb ListListeners "LoadBalancerIds.1=$nlb" | jq -r '.Listeners[] | select(.ListenerPort == 90).ListenerId')
check "a listener ends to send headers" as provider nlb listener-update "$listener" --no-proxy-protocol --wait
bare() { exchange 90 late 1 20 | grep -q 'bad: no header'; }
check "and new connections have none" wait_for 5 bare
finish
