#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One tenant floods, by SYNs, datagrams and questions, all at once, and it is its own loss: another tenant's connections to the same
# service, its questions, and the probes of the servers go on, none lost. And an endpoint's Bandwidth: a transfer has that and not more.
#
#   consumer c, flooder f → servers s, t: listeners 80 (Cps 500), 82 by UDP (Cps 500), 83 (bulk)
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1
flood_s=3

lab_start
make_world
serve "$s" python3 "$peer" udp-server 82 s
serve "$s" python3 "$peer" bulk-server 83
balancer=$(as provider call nlb ListLoadBalancers | jq -r '.LoadBalancers[0].LoadBalancerId')
pv=$(as provider call vpc DescribeVpcs | jq -r '.Vpcs.Vpc[0].VpcId')
service=$(as provider call privatelink ListVpcEndpointServices | jq -r '.Services[0].ServiceId')
endpoint=$(as consumer call privatelink ListVpcEndpoints | jq -r '.Endpoints[0].EndpointId')
udp=$(make_listener provider "$balancer" UDP 82 "$(make_server_group provider "$pv" UDP 82 "$s")")
make_listener provider "$balancer" TCP 83 "$(make_server_group provider "$pv" TCP 83 "$s")" >/dev/null
tcp=$(as provider call nlb ListListeners | jq -r '.Listeners[] | select(.ListenerPort == 80) | .ListenerId')
for listener in "$tcp" "$udp"; do
	as provider call nlb UpdateListenerAttribute ListenerId="$listener" Cps=500 >/dev/null
done
listener_runs() { as provider call nlb GetListenerAttribute ListenerId="$1" | jq -e '.ListenerStatus == "Running" and .Cps == 500'; }
wait_for 10 listener_runs "$tcp" && wait_for 10 listener_runs "$udp" || bail "the listeners have no limit"

account flooder
fv=$(make_vpc flooder 10.0.0.0/16)
fh=$(make_vswitch flooder "$fv" $h 10.0.1.0/24)
fg=$(make_group flooder "$fv" TCP:1/65535:10.0.0.0/16 UDP:1/65535:10.0.0.0/16)
f=$(make_instance flooder "$fh" "$fg")
allow provider "$service" "$(uid_of flooder)"
feni=$(eni_address flooder "$(make_endpoint flooder "$fv" "$service" "$fg" $h="$fh")" $h)
wait_for 10 inside "$f" python3 "$peer" tcp "$feni" 80 2 || bail "the flooder has no endpoint"
wait_for 10 resolves || bail "the name does not resolve"
all_well() { # no server of the listener is ill
	as provider call nlb GetListenerHealthStatus ListenerId="$tcp" | jq -e '.ListenerHealthStatus[0].ServerGroupInfos[0].NonNormalServers | length == 0'
}
wait_for 10 all_well || bail "the servers are not well"

flow_rate=$(counter flow_rate) dns_rate=$(counter dns_rate) probes=$(counter probe)
pids=()
for kind in "syn $feni 80" "udp $feni 82" "dns 100.100.2.136 53"; do
	# shellcheck disable=SC2086
	nsenter --net="/run/netns/$f" nice -n 10 python3 "$peer" flood $kind $flood_s >"$dir/flood-${kind%% *}" &
	pids+=($!)
	remember pid $!
done
inside "$c" python3 "$peer" customer "$eni" 80 "$domain" $flood_s >"$dir/customer"
check "the servers are well while it lasts" all_well
wait "${pids[@]}"
echo "# sent: $(cat "$dir/flood-syn") SYNs, $(cat "$dir/flood-udp") datagrams, $(cat "$dir/flood-dns") questions in $flood_s s"
echo "# refused: $(($(counter flow_rate) - flow_rate)) flows, $(($(counter dns_rate) - dns_rate)) questions; the other tenant: $(cat "$dir/customer")"
check "the flood is refused, as flow_rate" [ "$(counter flow_rate)" -gt "$flow_rate" ]
check "and as dns_rate" [ "$(counter dns_rate)" -gt "$dns_rate" ]
check "another tenant's connections and questions: none repeated, none failed" grep -q ", 0 repeated, 0 failed" "$dir/customer"
check "and there were some of each" grep -qE '^[1-9][0-9]* connections, [1-9][0-9]* answers' "$dir/customer"
check "probes went on" [ "$(counter probe)" -gt "$probes" ]
check "the servers are well after it" all_well

# --- Bandwidth

limit() { # MBIT
	as provider call privatelink UpdateVpcEndpointConnectionAttribute ServiceId="$service" EndpointId="$endpoint" \
		TrafficControlMode=BandwidthLimit Bandwidth="$1" >/dev/null
}
at_most() { # FILE MBIT: its last line, within 15 %; the burst and a second's edge are in that
	awk -v limit="$2" 'END { print; exit !($1 > 0 && $1 <= limit * 1.15) }' "$1"
}
wait_for 10 inside "$c" python3 "$peer" bulk "$eni" 83 up 0.1 || bail "the bulk server does not answer"
nsenter --net="/run/netns/$c" python3 "$peer" bulk "$eni" 83 down 60 >"$dir/down" & # (not a function: its number is to be the client's)
transfer=$!
remember pid $transfer
disown $transfer
has_begun() { [ -s "$dir/down" ]; }
wait_for 5 has_begun
bandwidth=$(counter bandwidth)
limit 100
check "an open transfer down takes the limit that its connection gets" wait_for 5 at_most "$dir/down" 100
echo "# down: $(head -n 1 "$dir/down") Mbit/s in its first second, and $(tail -n 1 "$dir/down") in one that was limited to 100"
kill $transfer
inside "$c" python3 "$peer" bulk "$eni" 83 up 2.5 >"$dir/up"
echo "# up: $(cat "$dir/up") Mbit/s of 100"
check "up, too" at_most "$dir/up" 100
check "what was too much is counted as bandwidth" [ "$(counter bandwidth)" -gt "$bandwidth" ]

finish
