#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Both daemons die, and only the agent can be started again: names and probes go on at once with the rows that were in
# force last. When privlinkd is back, nothing flaps. Whatever the agent dies of and whenever, what it keeps is whole.
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1
kept=$dir/run/node.rows

kill_agent() {
	kill -9 "$agent_pid"
	wait_for 10 test ! -d "/proc/$agent_pid"
}
kill_privlinkd() {
	kill -9 "$privlinkd_pid"
	wait_for 10 test ! -d "/proc/$privlinkd_pid"
}
start_alone() {
	: >"$dir/agent.log"
	start_agent
	wait_for 10 grep -q 'running node=' "$dir/agent.log"
}
log_says() { grep -q -- "$1" "$dir/agent.log"; }
instances_stand() { [ -e "/run/netns/$c" ] && [ -e "/run/netns/$s" ] && [ -e "/run/netns/$t" ]; }
rows_kept() { python3 - "$kept" <<-'END'
	# Whether each answer in the file is whole.
	import json, sys
	data = open(sys.argv[1], "rb").read()
	header, _, rest = data.partition(b"\n")
	assert header.startswith(b"privlink rows 1 "), header
	n = 0
	while rest:
	    line, _, rest = rest.partition(b"\n")
	    size = int(line.split()[0])
	    assert rest[size:size + 1] == b"\n", "cut"
	    json.loads(rest[:size])
	    rest, n = rest[size + 1:], n + 1
	assert n, "nothing"
	END
}

lab_start
make_world
check "the name resolves" wait_for 5 resolves
is "$(stat -c %a:%u "$kept")" 600:0 "what is kept is root's alone"
check "and whole" rows_kept

# --- only the agent comes back

kill_agent
kill_privlinkd
open_conversation || bail "no connection"
start_alone
check "the agent alone: the endpoint's name resolves" wait_for 5 resolves
check "and the log says from what" log_says "going on with the rows that were in force last"
check "the endpoint answers" both_answer
stop_s
check "a server that stops is left out: it is probed" wait_for 10 only_t_answers
start_s
check "and taken in when it is back" wait_for 10 says s
check "the open connection goes on" conversation_goes_on
in_lab ip link del "$(in_lab ip -o link | grep -o "pl[0-9a-f]*@[^:]*: .*/$s" | cut -d @ -f 1)"
check "a device that someone deletes is made again" wait_for 10 says s

# --- and then privlinkd

start_privlinkd
check "privlinkd is back: the node reports" wait_for 20 node_live
check "what is changed comes into force" comes_into_force 101
check "the open connection has gone on" conversation_goes_on
check "no device was removed" fails 1 "" log_says "removed devices"
is "$(grep -o 'unhealthy server=.*' "$dir/agent.log" | cut -d / -f 2 | sort -u)" "$s" \
	"and no server was taken for unhealthy but the one that was"

# --- what was deleted while nobody knew

kill_agent
as consumer call ecs DeleteInstance InstanceId="$c" Force=true >/dev/null
kill_privlinkd
start_alone
check "an agent that cannot know of a deletion takes nothing away" instances_stand
start_privlinkd
check "and carries it out when it is told" wait_for 20 test ! -e "/run/netns/$c"

# --- killed at any moment

for i in 1 2 3 4 5 6 7 8; do
	as provider call vpc CreateVpc CidrBlock=10.$i.0.0/16 >/dev/null &
	kill_agent
	wait $!
	jq -e .name "$dir/state/node.json" >/dev/null || break
	start_alone
	log_says "going on with the rows that were in force last" || break
done
is "$i" 8 "an agent that is killed again and again while rows change finds its files whole"
kill_agent

# --- what is kept is damaged

printf '99999 0123' >>"$kept"
start_alone
check "an answer that was cut is left out, the others count" log_says "going on with the rows"
kill_agent
check "and the file is whole again" rows_kept
kill_privlinkd
sed -i '1s/privlink/something/' "$kept"
start_alone
check "a file that is none counts for nothing" log_says "cannot go on with the rows that were kept in file=$kept: the file is damaged"
check "which is a warning" log_says " warning: cannot go on with the rows.*file=$kept"
check "that says what happens now, and what to do" log_says "the node waits for privlinkd.*nothing is lost.*if privlinkd runs, there is nothing to do"
kill_agent
: >"$kept"
start_alone
check "nor does an empty one" log_says "cannot go on with the rows that were kept in file=$kept: the file is damaged"
check "nothing is taken away" test -e "/run/netns/$t"
start_privlinkd
check "and it follows as ever" wait_for 20 node_live
check "what it is told is kept again" wait_for 10 rows_kept

finish
