#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An endpoint carries TCP and UDP from a consumer to a provider with the same address range, and nothing the other way. So does
# one of a service that stands on a classic load balancer.
#
#   consumer VPC 10.0.0.0/16            provider VPC 10.0.0.0/16
#     c1 10.0.1.10 (zone h)               s1 10.0.1.10 (zone h)
#     c2 10.0.2.10 (zone i)               s2 10.0.2.10 (zone i)
#     ENI h, ENI i ──────────────────────► load balancer, TCP 80 and UDP 53
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ci=$(make_vswitch consumer "$cv" $i 10.0.2.0/24)
ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24) pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
cg=$(make_group consumer "$cv" TCP:80/80:10.0.0.0/16 UDP:53/53:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
pg=$(make_group provider "$pv")
c1=$(make_instance consumer "$ch" "$cg" 10.0.1.10) c2=$(make_instance consumer "$ci" "$cg" 10.0.2.10)
s1=$(make_instance provider "$ph" "$pg" 10.0.1.10) s2=$(make_instance provider "$pi" "$pg" 10.0.2.10)
for s in "$s1" "$s2"; do
	serve "$s" python3 "$peer" tcp-server 80 "$s"
	serve "$s" python3 "$peer" udp-server 53 "$s"
done
for s in "$s1" "$s2"; do
	listening "$s" tcp 80 && listening "$s" udp 53 || bail "no server in $s"
done
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi")
make_listener provider "$nlb" TCP 80 "$(make_server_group provider "$pv" TCP 80 "$s1" "$s2")" >/dev/null
make_listener provider "$nlb" UDP 53 "$(make_server_group provider "$pv" UDP 53 "$s1" "$s2")" >/dev/null
service=$(make_service provider "$nlb" $h $i)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch" $i="$ci") || bail "no endpoint"
eh=$(eni_address consumer "$endpoint" $h) ei=$(eni_address consumer "$endpoint" $i)
note "endpoint $endpoint: $eh $ei"

check "an instance pings another of its VPC" inside "$c1" ping -c 2 -W 2 -q 10.0.2.10
check "it pings the gateway" inside "$c1" ping -c 1 -W 2 -q 10.0.1.253
for e in "$eh" "$ei"; do
	check "the ENI $e answers ping from zone h" inside "$c1" ping -c 3 -i 0.2 -W 2 -q "$e"
	check "and from zone i" inside "$c2" ping -c 3 -i 0.2 -W 2 -q "$e"
done

answer=$(inside "$c1" python3 "$peer" tcp "$eh" 80)
is "${answer%% *}" "$s1" "TCP to the ENI of zone h is served in zone h"
answer=$(inside "$c1" python3 "$peer" tcp "$ei" 80)
is "${answer%% *}" "$s2" "TCP to the ENI of zone i is served in zone i"
source_seen=$(awk '{print $2}' <<<"$answer")
case $source_seen in
100.6[4-9].* | 100.[7-9]*.* | 100.1[01]*.* | 100.12[0-7].*) ok 0 "the server sees a translated source: $source_seen" ;;
*) ok 1 "the server sees a translated source: $source_seen" ;;
esac
answer=$(inside "$c2" python3 "$peer" udp "$eh" 53 hello)
is "${answer%% *} ${answer##* }" "$s1 hello" "UDP is answered through the ENI"
check "a port without listener is refused" dropped no_listener inside "$c1" python3 "$peer" tcp "$eh" 81 1

is "$(inside "$c1" python3 "$peer" many "$eh" 80 1000)" 1000 "1000 connections one after another are all answered"

serve "$c1" python3 "$peer" tcp-server 80 consumer
serve "$c2" python3 "$peer" tcp-server 8080 consumer
check "a consumer has a server of its own" wait_for 10 inside "$c1" python3 "$peer" tcp 127.0.0.1 80
check "the provider cannot open a connection to the translated source, which is no_flow" \
	dropped no_flow inside "$s1" python3 "$peer" tcp "$source_seen" 80 1
check "nor ping it" dropped no_flow inside "$s1" ping -c 1 -W 1 -q "$source_seen"
# An address that is used on both sides means two machines: from the provider it is its own.
check "another consumer, too" wait_for 10 inside "$c2" python3 "$peer" tcp 127.0.0.1 8080
check "the provider's own address range is its own: nothing listens there" \
	fails 1 "Connection refused" inside "$s1" python3 "$peer" tcp 10.0.2.10 8080 1

# To the kernel what follows is the same again, and an emulated processor takes minutes for it.
[ -z "${PRIVLINK_KERNEL_LAYER-}" ] || { finish; exit; }

# A classic load balancer serves one zone with the servers of all, each listener at its own port of them.
for s in "$s1" "$s2"; do
	serve "$s" python3 "$peer" tcp-server 8080 "$s"
	serve "$s" python3 "$peer" udp-server 5353 "$s"
	wait_for 10 inside "$s" python3 "$peer" tcp 127.0.0.1 8080 || bail "no server in $s"
	wait_for 10 inside "$s" python3 "$peer" udp 127.0.0.1 5353 hello 1 || bail "no server of UDP in $s"
done
slb=$(make_slb provider "$ph" "$s1" "$s2") || bail "no classic load balancer"
make_slb_listener provider "$slb" tcp 80 8080 --health-interval 1 || bail "no listener of TCP"
make_slb_listener provider "$slb" udp 53 5353 || bail "no listener of UDP"
service=$(as provider service create --resource "slb,$slb" --auto-accept --wait) || bail "no service on it"
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$cg" $h="$ch") || bail "no endpoint of it"
eh=$(eni_address consumer "$endpoint" $h)

who_answers() { # PROTOCOL PORT: the servers that say something in 20 tries, in order
	local n
	for n in {1..20}; do
		inside "$c1" python3 "$peer" "$1" "$eh" "$2" ${3:+"$3"} | cut -d ' ' -f 1
	done | sort -u | xargs
}
both=$(printf '%s\n' "$s1" "$s2" | sort | xargs)
is "$(who_answers tcp 80)" "$both" "TCP through a classic load balancer is served in both zones"
is "$(who_answers udp 53 hello)" "$both" "and so is UDP"
is "$(inside "$c1" python3 "$peer" many "$eh" 80 500)" 500 "500 connections one after another are all answered"
all_normal() { as provider call slb DescribeHealthStatus LoadBalancerId="$slb" ListenerProtocol=tcp |
	jq -e '[.BackendServers.BackendServer[].ServerHealthStatus] == ["normal", "normal"]'; }
check "both servers are found healthy" wait_for 10 all_normal
as provider slb server-remove "$slb" --server "$s1" >/dev/null
only_s2() { [ "$(who_answers tcp 80)" = "$s2" ]; }
check "a server that is removed gets no new connections" wait_for 10 only_s2
as provider slb stop "$slb" --wait >/dev/null
check "one that is stopped serves nobody" dropped no_listener inside "$c1" python3 "$peer" tcp "$eh" 80 1
as provider slb start "$slb" --wait >/dev/null
check "and again when it is started" wait_for 10 only_s2

finish
