#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A load balancer that changes while it serves: its zones come, go and are shifted, its security groups judge the clients of
# endpoints, next to the endpoints' own, and its servers are probed by HTTP and UDP. What went through an endpoint is told afterwards,
# each packet once, whoever was killed meanwhile.
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h i=cn-hangzhou-i j=cn-hangzhou-j

lab_start
account consumer
account provider
cv=$(make_vpc consumer 10.0.0.0/16) pv=$(make_vpc provider 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24) ci=$(make_vswitch consumer "$cv" $i 10.0.2.0/24)
ph=$(make_vswitch provider "$pv" $h 10.0.1.0/24) pi=$(make_vswitch provider "$pv" $i 10.0.2.0/24)
pj=$(make_vswitch provider "$pv" $j 10.0.3.0/24)
cg=$(make_group consumer "$cv") eg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16) pg=$(make_group provider "$pv")
c=$(make_instance consumer "$ch" "$cg" 10.0.1.60) c2=$(make_instance consumer "$ch" "$cg" 10.0.1.61)
s1=$(make_instance provider "$ph" "$pg") s2=$(make_instance provider "$pi" "$pg")
for s in "$s1" "$s2"; do
	serve "$s" python3 "$peer" tcp-server 80 served
	serve "$s" python3 "$peer" echo-server 81
done
for s in "$s1" "$s2"; do listening "$s" tcp 80 81 || bail "no server in $s"; done
nlb=$(make_nlb provider "$pv" $h="$ph" $i="$pi" $j="$pj")
for port in 80 81; do
	make_listener provider "$nlb" TCP $port "$(make_server_group provider "$pv" TCP $port "$s1" "$s2")" >/dev/null
done
service=$(make_service provider "$nlb" $h $i)
allow provider "$service" "$(uid_of consumer)"
endpoint=$(make_endpoint consumer "$cv" "$service" "$eg" $h="$ch" $i="$ci") || bail "no endpoint"
eh=$(eni_address consumer "$endpoint" $h) ei=$(eni_address consumer "$endpoint" $i)
connects() { inside "${2:-$c}" python3 "$peer" tcp "$1" 80 0.5; }
check "the endpoint serves in zone h" wait_for 5 connects "$eh"
check "and in zone i" wait_for 5 connects "$ei"

# --- zones
converse() {
	inside "$c" python3 "$peer" pingpong "$eh" 81 1000000000 >/dev/null 2>>"$dir/conversation.log" &
	conversation=$!
	remember pid $conversation
	disown $conversation
}
converse
received() { inside "$c" cat /proc/net/netstat | awk '/^IpExt: [0-9]/ { print $8 }'; }
talks() { # octets keep coming
	local before
	before=$(received)
	kill -0 $conversation && wait_for 3 has_received $((before + 1000)) && kill -0 $conversation
}
has_received() { [ "$(received)" -gt "$1" ]; }
check "a conversation goes on" wait_for 5 talks
balancer() { as provider nlb show "$nlb" --json; }
addresses() { balancer | jq -r '.ZoneMappings[] | .LoadBalancerAddresses[0].PrivateIPv4Address'; }
at_j=$(addresses | grep '^10\.0\.3\.')
check "a zone that serves stays" fails 1 ResourceInUse.Zone as provider nlb zones "$nlb" --zone $h,"$ph" --zone $j,"$pj"
check "a zone that serves no endpoint goes, and a zone gets another address" \
	as provider nlb zones "$nlb" --zone $h,"$ph",10.0.1.222 --zone $i,"$pi" --wait
is "$(addresses | sort | head -n 1) $(addresses | wc -l)" "10.0.1.222 2" "which shows"
free() { as provider call ecs RunInstances VSwitchId="$pj" SecurityGroupId="$pg" ImageId=debian InstanceType=netns PrivateIpAddress="$at_j"; }
check "the address of the zone that went is free, for an instance" wait_for 5 free
check "the conversation went on" talks
check "new connections come through, in zone h" connects "$eh"
check "and in zone i" connects "$ei"
check "the zone comes back" as provider nlb zones "$nlb" --zone $h,"$ph" --zone $i,"$pi" --zone $j,"$pj" --wait
is "$(balancer | jq -r '[.ZoneMappings[].Status] | join(" ")')" "Active Active Active" "all three are Active"
check "and the conversation goes on" talks

# --- a zone that is shifted
domain=$(as consumer call privatelink GetVpcEndpointAttribute EndpointId="$endpoint" | jq -r .EndpointDomain)
resolved() { "$build/src/cmd/privlink" exec --state-dir "$dir/state" "$c" -- getent ahostsv4 "$1" | awk '{ print $1 }' | sort -u | paste -sd ' '; }
resolves_to() { [ "$(resolved "$domain")" = "$1" ]; }
both=$(printf '%s\n' "$eh" "$ei" | sort -u | paste -sd ' ')
check "the endpoint's name has both zones" wait_for 5 resolves_to "$both"
check "a zone is shifted" as provider nlb shift "$nlb" --zone $h,"$ph" --wait
is "$(balancer | jq -r --arg z $h '.ZoneMappings[] | select(.ZoneId == $z).Status')" Shifted "and reads so"
check "the endpoint's name does without it" wait_for 2 resolves_to "$ei"
check "who has its address is served" connects "$eh"
check "and the conversation goes on" talks
check "the shift ends" as provider nlb unshift "$nlb" --zone $h,"$ph" --wait
check "the name has both again" wait_for 2 resolves_to "$both"

# --- security groups
second=1
[ -z "${PRIVLINK_KERNEL_LAYER:-}" ] || second=10
lg=$(make_group provider "$pv" TCP:80/80:10.0.1.60/32 TCP:81/81:10.0.0.0/16)
closed() { dropped policy_in connects "$@"; }
echo_of_eni() { inside "$1" ping -c 1 -W 0.2 -q "$eh"; }
check "a load balancer without a group lets everyone in" connects "$eh" "$c2"
check "it joins a security group" as provider nlb attach-group "$nlb" --security-group "$lg" --wait
check "whom its rules let in comes in" connects "$eh"
check "also in the other zone" connects "$ei"
check "nobody else does" closed "$eh" "$c2"
check "ping is the endpoint's own business" echo_of_eni "$c2"
check "the conversation, which a rule lets in, goes on" talks
authorize provider "$lg" TCP:80/80:10.0.1.61/32
check "a new rule lets in within a second" wait_for $second connects "$eh" "$c2"
revoke consumer "$eg" TCP:1/65535:10.0.0.0/16
check "without the consent of the endpoint's group nobody comes in" wait_for $second closed "$eh"
authorize consumer "$eg" TCP:1/65535:10.0.0.0/16
check "it has ended the conversation" ended "$conversation"
check "with it again they do" wait_for $second connects "$eh"
converse
check "there is another conversation" wait_for 5 talks
revoke provider "$lg" TCP:81/81:10.0.0.0/16
check "a revoked rule ends the conversation" wait_for $second ended "$conversation"
check "the load balancer leaves the group" as provider nlb detach-group "$nlb" --security-group "$lg" --wait
converse
check "then it may begin again" wait_for 10 talks
kill $conversation

# --- traffic through an endpoint of its own, as it is told (below)
serve "$s1" python3 "$peer" source 83 1000000 100000000
listening "$s1" tcp 83 || bail "no source"
make_listener provider "$nlb" TCP 83 "$(make_server_group provider "$pv" TCP 83 "$s1")" >/dev/null
mg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16)
metered=$(make_endpoint consumer "$cv" "$service" "$mg" $h="$ch" $i="$ci") || bail "no endpoint"
em=$(eni_address consumer "$metered" $h)
points() { # METRIC JQ
	as consumer call privlink GetEndpointMetrics EndpointId="$metered" |
		jq -r --arg m "$1" --arg z $h ".Series[] | select(.ZoneId == \$z and .Metric == \$m) | .Points | $2"
}
is_told() { [ "$(points InBps '.[-1] != null')" = true ]; }
sum_of() { points "$1" 'map(numbers) | add // 0'; } # METRIC
sums_to() { [ "$(sum_of "$1")" = "$2" ]; }          # METRIC SUM
check "the traffic of each 10 s is told" wait_for 25 is_told
is "$(points NewFlows 'map(select(. != null and . != 0)) | length')" 0 "there was none"
connects_once() { inside "$c" python3 "$peer" tcp "$em" 80; } # with patience: another try would be another flow
for _ in 1 2 3 4 5; do connects_once >>"$dir/metered.log" || bail "no connection"; done
inside "$c" python3 "$peer" fetch "$em" 83 >>"$dir/metered.log"
before=$(counter policy_in)
revoke consumer "$mg" TCP:1/65535:10.0.0.0/16
wait_for 10 all_in_force # or the first attempt may be a flow more
check "a rule is revoked" wait_for $second closed "$em"
metered_drops=$(($(counter policy_in) - before))

# --- probes by HTTP: each server has a page that says whether it is up
for s in "$s1" "$s2"; do
	mkdir -p "$dir/www-$s"
	echo up >"$dir/www-$s/up"
	serve "$s" python3 -m http.server 8080 --directory "$dir/www-$s"
	serve "$s" python3 "$peer" tcp-server 82 "$s"
done
group=$(as provider nlb group-create --vpc "$pv" --name web --health-type HTTP --health-url /up --health-method HEAD \
	--health-port 8080 --health-interval 1 --health-timeout 2 --wait) || bail "no group of HTTP"
as provider nlb group-add "$group" --server "$s1",82 --server "$s2",82 --wait >/dev/null
listener=$(as provider nlb listener-create --nlb "$nlb" --server-group "$group" --protocol TCP --port 82 --wait)
served_by() { [ "$(inside "$c" python3 "$peer" tcp "$eh" "$1" 0.5 | cut -d ' ' -f 1)" = "$2" ]; }
why() { # LISTENER SERVER: "healthy", or the reason why not
	as provider call nlb GetListenerHealthStatus ListenerId="$1" | jq -r --arg s "$2" \
		'[.ListenerHealthStatus[0].ServerGroupInfos[0].NonNormalServers[] | select(.ServerId == $s)] |
		if . == [] then "healthy" else (.[0].Reason.ReasonCode // .[0].Status) end'
}
is_so() { [ "$(why "$1" "$2")" = "$3" ]; }
check "a server whose page is there is healthy" wait_for 5 is_so "$listener" "$s1" healthy
check "and serves its zone" wait_for 5 served_by 82 "$s1"
rm "$dir/www-$s1/up"
check "without its page it is not" wait_for 5 is_so "$listener" "$s1" HTTP_CODE_NOT_MATCH
check "and the other zone's server stands in" wait_for 2 served_by 82 "$s2"
as provider call nlb UpdateLoadBalancerAttribute LoadBalancerId="$nlb" CrossZoneEnabled=false >/dev/null
check "unless zones keep to themselves" wait_for 2 served_by 82 "$s1"
as provider call nlb UpdateLoadBalancerAttribute LoadBalancerId="$nlb" CrossZoneEnabled=true >/dev/null
check "and does again when they do not" wait_for 2 served_by 82 "$s2"
as provider call nlb UpdateServerGroupAttribute ServerGroupId="$group" HealthCheckConfig.HealthCheckHttpCode.1=http_2xx \
	HealthCheckConfig.HealthCheckHttpCode.2=http_4xx >/dev/null
check "when 404 counts, it is healthy" wait_for 5 is_so "$listener" "$s1" healthy
check "and serves" wait_for 2 served_by 82 "$s1"

# --- probes by UDP
serve "$s1" python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 53))
while True:
    data, peer = s.recvfrom(100)
    s.sendto(b"pong" if data == b"ping" else b"what?", peer)'
datagrams=$(as provider nlb group-create --vpc "$pv" --name names --protocol UDP --health-type UDP --health-request ping \
	--health-expect pong --health-interval 1 --health-timeout 1 --wait) || bail "no group of UDP"
as provider nlb group-add "$datagrams" --server "$s1",53 --server "$s2",53 --wait >/dev/null
listener=$(as provider nlb listener-create --nlb "$nlb" --server-group "$datagrams" --protocol UDP --port 53 --wait)
check "a server that answers the datagram is healthy" wait_for 5 is_so "$listener" "$s1" healthy
not_healthy() { ! is_so "$listener" "$s2" healthy && ! is_so "$listener" "$s2" Initial; }
check "one that has nobody there is not" wait_for 5 not_healthy
note "it is $(why "$listener" "$s2")"
as provider call nlb UpdateServerGroupAttribute ServerGroupId="$datagrams" HealthCheckConfig.HealthCheckReq=pong >/dev/null
check "nor is one that answers something else" wait_for 6 is_so "$listener" "$s1" RECV_RESPONSE_TIMEOUT

# --- what was told of the traffic
check "each flow is told" wait_for 15 sums_to NewFlows 6
check "and each drop, by its reason" wait_for 15 sums_to Drops.policy_in $metered_drops
bytes=$(sum_of OutBps | awk '{ printf "%.0f", $1 * 10 / 8 }')
ok $((bytes < 1000000 || bytes > 1200000)) "a download of 1 MB is $bytes bytes out"
bytes=$(sum_of InBps | awk '{ printf "%.0f", $1 * 10 / 8 }')
ok $((bytes < 500 || bytes > 200000)) "and $bytes in"
is "$(points InDropPps 'map(numbers) | add * 10 | round')" "$metered_drops" "drops are told by their direction, too"
told=$(sum_of OutBps)
as consumer endpoint monitor "$metered" >"$dir/monitor"
check "the command line shows it" grep -qE "^[0-9:]{8} +$h +.*policy_in [0-9]+$" "$dir/monitor"
is "$(awk 'length > 80' "$dir/monitor")" "" "in 80 columns"
check "the provider sees it in the sum" jq -e '[.Series[] | select(.Metric == "NewFlows") | .Points[] | numbers] | add > 6' \
	<<<"$(as provider call privlink GetEndpointMetrics ServiceId="$service")"

kill -9 "$privlinkd_pid"
wait_for 20 all_ended "$privlinkd_pid" || bail "a daemon does not end"
start_privlinkd
check "privlinkd is killed, and asks for what the agent still has" wait_for 25 sums_to OutBps "$told"
is "$(sum_of NewFlows) $(sum_of Drops.policy_in)" "6 $metered_drops" "nothing is missing or told twice"

kill -9 "$agent_pid"
wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
authorize consumer "$mg" TCP:1/65535:10.0.0.0/16
start_agent
check "the agent is killed" wait_for 10 node_live
has_gap() { [ "$(points NewFlows 'map(. == null | tostring[:1]) | join("") | test("ft+f")')" = true ]; }
check "which is a gap, and no zero" wait_for 35 has_gap
is "$(sum_of NewFlows) $(sum_of Drops.policy_in) $(sum_of OutBps)" "6 $metered_drops $told" "and nothing is told again"
wait_for 10 all_in_force
check "a rule is back" wait_for 5 connects_once
check "what comes next is told" wait_for 15 sums_to NewFlows 7

finish
