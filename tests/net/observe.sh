#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What can be seen of the data path of a running node: single packets (privlink trace), open flows (privlink flows), those that have
# ended (privlink flow-log), numbers (GET /metrics at the agent's socket and at a port).
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1
metrics=127.0.0.1:19309
agent_arguments=(--metrics "$metrics")

lab_start
make_world
export PRIVLINK_AGENT_SOCKET=$dir/run/agent.sock
own() { "$build/src/cmd/privlink" "$@"; }
connect() { inside "$c" python3 "$peer" tcp "$eni" "$1" 1; }

# --- the flow log, of all that follows
own flow-log "$endpoint" >"$dir/out" 2>&1
is "$?|$(cat "$dir/out")" "1|privlink: this node has no flow log of such an endpoint" "an endpoint has no flow log"
check "its owner switches it on" as consumer endpoint set-flow-log "$endpoint" on
records() { own flow-log "$endpoint" -o json 2>/dev/null; }
recorded() { records | jq -e "map(select(.result != \"lost\")) | $1" >/dev/null; } # CONDITION
log_is_on() { own flow-log "$endpoint" 2>&1 | grep -q "is off" && return 1; own flow-log "$endpoint" >/dev/null; }
check "its node does so" wait_for 5 log_is_on

# --- packets
tracers=()
begin_trace() { # ARGUMENT…: into $trace; returns when packets are told of
	trace=$dir/trace-${#tracers[@]}
	"$build/src/cmd/privlink" trace -o json "$@" >"$trace" 2>&1 &
	tracer=$!
	tracers+=("$tracer")
	remember pid "$tracer"
	disown "$tracer"
	wait_for 5 begun_or_over && grep -q '"tracing"' "$trace"
}
begun_or_over() { grep -q '"tracing"' "$trace" || over; } # (where others have not ended yet it is refused at once)
traced() { jq -e -s "map(select(.reason)) | $1" "$trace" >/dev/null; } # CONDITION
over() { ended "$tracer"; }

begin_trace "$endpoint" --count 6
connect 80 >/dev/null
check "a trace ends after so many packets" wait_for 5 over
check "all of them passed, by way of the endpoint" traced \
	'length == 6 and all(.verdict == "pass" and .reason == "delivered" and .endpoint == "'"$endpoint"'" and .zone == "'"$h"'")'
check "the first one is a SYN of the instance's, as it came and as it goes on" traced \
	'.[0] | .flags == "S" and .from == "'"$c"'" and .destination == "'"$eni"':80" and (.sent_destination | endswith(":80")) and
	(.sent_source | startswith("100.")) and .protocol == "tcp"'
check "and its answer goes to the instance" traced '.[1] | .flags == "S." and .to == "'"$c"'" and .sent_source == "'"$eni"':80"'
begin_trace "$c" --drops --port 82
connect 80 >/dev/null
connect 82 >/dev/null
check "a drop is told of with its reason" wait_for 5 traced 'any(.verdict == "drop" and .reason == "no_listener")'
check "and nothing else is" traced 'all(.destination == "'"$eni"':82")'
kill "$tracer" 2>/dev/null
begin_trace --address "$eni" --rate 1
for i in {1..5}; do connect 80 >/dev/null; done
told_of_missed() { jq -e -s 'map(.missed // 0) | add > 5' "$trace"; }
check "what is more than the rate is counted" wait_for 5 told_of_missed
kill "$tracer" 2>/dev/null
for i in {1..4}; do begin_trace; done
own trace >"$dir/out" 2>&1
is "$?" 1 "four traces run at once, and no more"
for tracer in "${tracers[@]:3}"; do kill "$tracer"; done
check "when they have ended others may run" wait_for 5 begin_trace --count 1
kill "$tracer" 2>/dev/null
own trace i-none >"$dir/out" 2>&1
is "$?|$(cat "$dir/out")" "1|privlink: this node has no such endpoint or instance" "what is not there cannot be traced"

# --- flows
open_conversation || bail "no conversation"
own flows "$endpoint" --port 81 -o json >"$dir/flows"
is "$(jq -r '.[0] | "\(.protocol) \(.state) \(.destination) \(.from) \(.endpoint) \(.to)"' "$dir/flows")" \
	"tcp established $eni:81 $c $endpoint $t" "an open flow is shown with both of its ends"
jq -e '.[0] | (.served_source | startswith("100.")) and (.served_destination | endswith(":81")) and all(.packets[], .bytes[]; . > 0) and
	.idle < 5' "$dir/flows" >/dev/null
ok $? "as the server sees it, too, and what it has carried"
is "$(own flows "$s" --port 81 -o json | jq length)" 0 "it is not the other server's"
own flows --limit 1 >"$dir/out" 2>"$dir/error"
grep -q 'more open flows than these 1' "$dir/error"
ok $? "a limit says that there is more"
own flows "$c" | grep -q "$eni:81"
ok $? "people get a table"

# --- numbers
scrape() { curl -sS --max-time 5 --unix-socket "$dir/run/agent.sock" http://agent/metrics; }
scrape_port() { in_lab curl -sS --max-time 5 "http://$metrics/metrics"; }
sample() { awk -v name="$1" '$1 == name { print $2 }' "$dir/metrics"; } # NAME{LABELS}
labels="endpoint=\"$endpoint\",zone=\"$h\",address=\"$eni\""
listener="$labels,protocol=\"tcp\",port=\"81\""
has_counted() { # (what was opened is read before the flows are: of one that opens meanwhile it comes with the next reading)
	scrape >"$dir/metrics" && [ "$(sample "privlink_endpoint_flows_open{$labels}")" -ge 1 ] &&
		[ "$(sample "privlink_listener_flows_opened_total{$listener}")" -ge 1 ]
}
check "numbers of the endpoint are there with the next interval" wait_for 25 has_counted
for name in packets bytes; do
	[ "$(sample "privlink_endpoint_${name}_total{$labels,direction=\"in\"}")" -gt 0 ] &&
		[ "$(sample "privlink_endpoint_${name}_total{$labels,direction=\"out\"}")" -gt 0 ]
	ok $? "$name in both directions"
done
[ "$(sample "privlink_endpoint_drops_total{$labels,reason=\"no_listener\"}")" -ge 1 ]
ok $? "drops by reason"
[ "$(sample "privlink_endpoint_flows_opened_total{$labels}")" -ge 6 ]
ok $? "flows that were opened"
for name in packets bytes; do
	[ "$(sample "privlink_listener_${name}_total{$listener,direction=\"in\"}")" -gt 0 ] &&
		[ "$(sample "privlink_listener_${name}_total{$listener,direction=\"out\"}")" -gt 0 ]
	ok $? "$name of a listener in both directions"
done
[ "$(sample "privlink_listener_flows_open{$listener}")" = 1 ] && [ "$(sample "privlink_listener_flows_opened_total{$listener}")" = 1 ] &&
	[ "$(sample "privlink_listener_flows_opened_total{${listener/81/80}}")" -ge 6 ]
ok $? "its flows, and those of another"
grep -q '^privlink_listener_.*port="82"' "$dir/metrics"
is $? 1 "of a port that nothing listens on there are none"
[ "$(sample 'privlink_packets_total{reason="delivered",verdict="pass"}')" -gt 10 ]
ok $? "packets of the node by reason"
[ "$(sample 'privlink_table_rows{table="pl_enis"}')" = 1 ] && [ "$(sample 'privlink_table_rows_max{table="pl_enis"}')" -gt 1000 ]
ok $? "rows of the tables, and their room"
[ "$(sample "privlink_nat_flows{server=\"$t\"}")" -ge 1 ] && [ "$(sample "privlink_nat_flows_max{server=\"$t\"}")" -ge 64512 ]
ok $? "translated flows to a server, and how many there can be"
is "$(sort "$dir/metrics" | grep -v '^#' | cut -d ' ' -f 1 | uniq -d)" "" "no sample is there twice"
scrape_port >"$dir/metrics"
[ "$(sample 'privlink_packets_total{reason="delivered",verdict="pass"}')" -gt 10 ]
ok $? "the port says the same"
is "$(in_lab curl -s -o /dev/null -w '%{http_code}' --max-time 5 "http://$metrics/else")" 404 "and nothing else"
answer=$(in_lab bash -c "exec 3<>/dev/tcp/${metrics/:/\/}; echo '{\"command\": \"counters\"}' >&3; timeout 2 cat <&3" 2>/dev/null)
is "$answer" "" "it takes no command"
conversation_goes_on
ok $? "all the time traffic went on"

# --- what the flow log has of it
closed='map(select(.result == "closed" and .destination == "'"$eni"':80"))'
check "connections that have ended are in the flow log" wait_for 15 recorded "$closed | length >= 7" # and those of the lab's beginning that closed late
check "with both of their ends, as both see it, and what they carried" recorded "$closed"' | all(.protocol == "tcp" and
	.endpoint == "'"$endpoint"'" and .zone == "'"$h"'" and .from == "'"$c"'" and (.to == "'"$s"'" or .to == "'"$t"'") and
	(.source | startswith("10.0.1.")) and (.served_source | startswith("100.")) and (.served_destination | endswith(":80")) and
	all(.packets[], .bytes[]; . > 0) and .start <= .end)'
check "an attempt that was refused is, too, with the reason" recorded \
	'any(.result == "refused" and .reason == "no_listener" and .destination == "'"$eni"':82" and .from == "'"$c"'")'
check "a connection that is open is not" recorded 'all(.destination != "'"$eni"':81")'
own flow-log "$endpoint" --limit 3 >"$dir/out"
is "$(wc -l <"$dir/out")|$(grep -c 'closed\|refused' "$dir/out")" "4|3" "people get a table, of the last ones"
kill -9 "$agent_pid"
wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
connect 83 >/dev/null
kill "$conversation"
start_agent
check "what happened while no agent ran is read by the next one" wait_for 15 recorded 'any(.result == "refused" and .destination == "'"$eni"':83")'
check "and a connection that began before ends in its log" wait_for 20 recorded \
	'map(select(.destination == "'"$eni"':81")) | length == 1 and .[0].result != "refused" and .[0].packets[0] > 10 and .[0].from == "'"$c"'"'
check "nothing is there twice" recorded '(map([.source, .destination, .start]) | length) == (map([.source, .destination, .start]) | unique | length)'
begun=${EPOCHREALTIME/./}
sent=$(inside "$c" python3 "$peer" flood syn "$eni" 84 0.5)
most=$((100 + (${EPOCHREALTIME/./} - begun) / 100000 + 1)) # 100 at once, and 10 a second: a busy machine may take longer
flood_is_told() { # as many as were sent
	records | jq -e --arg to "$eni:84" '[(map(select(.destination == $to)) | length), (map(select(.result == "lost").lost) | add)] |
		.[0] >= 100 and .[0] <= '"$most"' and .[0] + .[1] == '"$sent"
}
check "of a flood of attempts some are recorded, and how many others there were" wait_for 10 flood_is_told
check "it is switched off" as consumer endpoint set-flow-log "$endpoint" off
is "$(as consumer endpoint flow-log "$endpoint" -o json | jq -r .FlowLog)" Off "as is shown"
log_is_off() { # said so, and not only no answer
	local said
	said=$(own flow-log "$endpoint" 2>&1)
	[[ $said == *"is off"* ]]
}
check "and its node follows" wait_for 5 log_is_off
connect 85 >/dev/null
sleep 0.5
check "then nothing more is recorded" recorded 'all(.destination != "'"$eni"':85")'

finish
