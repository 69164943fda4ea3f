#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# privlinkd comes back with a store that is not the one whose rows are in force: an empty one (its disk is not mounted), an
# older copy, another installation's. No tenant loses anything, the operator is told what is wrong and what to do, and
# doing it heals.
. "$(dirname "$0")/lib.sh" || exit 1
. "$(dirname "$0")/world.sh" || exit 1
store=state # the directory under $dir that privlinkd serves

start_privlinkd() {
	nsenter --net="/run/netns/$lab" "$build/src/cmd/privlinkd" --state-dir "$dir/$store" --run-dir "$dir/run" --user nobody \
		--no-rate-limits --http "127.0.0.1:$http_port" --catalogue "$source_dir/data/catalogue.json" >>"$dir/privlinkd.log" 2>&1 &
	privlinkd_pid=$!
	remember pid $privlinkd_pid
	disown $privlinkd_pid
}

as_admin() {
	(
		# shellcheck disable=SC1090
		. "$dir/$store/admin.env" || exit 1
		export PRIVLINK_ACCESS_KEY_ID PRIVLINK_ACCESS_KEY_SECRET PRIVLINK_REGION=cn-hangzhou
		export PRIVLINK_ENDPOINT="http://127.0.0.1:$http_port"
		in_lab "$build/src/cmd/privlink" "$@"
	)
}

stop() { # PID
	kill -TERM "$1"
	wait_for 10 test ! -d "/proc/$1"
}
# privlinkd has its own record of what it served last, in the run directory; here the agent is to be the one that notices.
serve_store() { # DIRECTORY: privlinkd comes back with it
	stop "$privlinkd_pid"
	rm -f "$dir/run/store.revision"
	mkdir -p "$dir/$1"
	store=$1
	start_privlinkd
	wait_for 10 api_answers
}
last_decision() { grep -nE ': (holding what is|following the feed)' "$dir/agent.log" | tail -n 1; }
has_decided_since() { [ "$(last_decision)" != "$1" ]; } # LAST DECISION
restart_agent() { # until it has heard privlinkd
	local before
	kill -9 "$agent_pid"
	wait_for 10 test ! -d "/proc/$agent_pid"
	before=$(last_decision)
	start_agent
	wait_for 10 has_decided_since "$before"
}

info() { as_admin call privlink ListNodes | jq -r --arg n "$node" '.Nodes[] | select(.NodeName == $n) | .StatusInfo'; }
says_that() { info | grep -q -- "$1"; } # WORDS
# By its own word, too: a privlinkd that has just begun does not know yet that the node holds.
says_it_follows() { last_decision | grep -q following; }
says_it_holds() { last_decision | grep -q 'holding what is in force'; }
follows() { says_it_follows && node_live && [ -z "$(info)" ]; }
accept_store() { PRIVLINK_AGENT_SOCKET=$dir/run/agent.sock "$build/src/cmd/privlink" node accept-store; }
instances_stand() {
	local id
	for id in "$c" "$s" "$t"; do
		[ -e "/run/netns/$id" ] || return 1
	done
}

copy_store() { # DIRECTORY: of a privlinkd that is stopped for it
	stop "$privlinkd_pid"
	mkdir "$dir/$1"
	cp -a "$dir/state/." "$dir/$1/"
	mv "$dir/$1/node.json" "$dir/$1.node.json"
	start_privlinkd
	wait_for 10 api_answers
}
# Until the copy has had as many changes as the store, of nothing that is on this node: its rows are in both alike.
count_on() {
	local in_force
	in_force=$(info | sed -n 's/.*in force on this node is \([0-9]*\)).*/\1/p')
	[ -n "$in_force" ] || bail "the node does not say what is in force"
	while [ "$(as_admin call privlink ListNodes | jq .Revision)" -le "$in_force" ]; do
		as_admin call vpc CreateVpc CidrBlock=10.7.0.0/16 >/dev/null || bail "the copy takes no change"
	done
}

nothing_is_lost() { # WHERE: the cases that each accident has to pass
	check "$1: the instances stand" instances_stand
	check "$1: an open connection goes on" conversation_goes_on
	check "$1: new ones open, and both servers answer" both_answer
	check "$1: the endpoint's name resolves" wait_for 5 resolves
	stop_s
	check "$1: a server that stops is left out: probes go on" wait_for 10 only_t_answers
	start_s
	check "$1: and taken in when it is back" wait_for 10 says s
}

lab_start
make_world
copy_store older
later=$(make_vpc consumer 192.168.0.0/16)
[ -n "$later" ] || bail "no later VPC"
wait_for 20 follows || bail "the agent does not follow"
open_conversation || bail "no connection"

# --- an empty directory, with the agent running throughout

serve_store empty
check "empty store: the operator of the store is told by the list of nodes" wait_for 10 says_that "another store"
check "empty store: and what to do" says_that "privlink node accept-store"
check "empty store: the command line shows it" bash -c "$(declare -f as_admin in_lab); dir=$dir store=$store lab=$lab \
	build=$build http_port=$http_port; as_admin node list | grep -q 'another store'"
check "empty store: the node's log says it, once" test "$(grep -c 'holding what is in force: .*another store' "$dir/agent.log")" = 1
is "$(as_admin call privlink ListNodes | jq --arg n "$node" '.Nodes[] | select(.NodeName == $n) | .Live')" false \
	"empty store: the node takes no instances"
id=$(as_admin call vpc CreateVpc CidrBlock=10.9.0.0/16 | jq -r .VpcId)
nothing_is_lost "empty store"
is "$(as_admin call vpc DescribeVpcAttribute VpcId="$id" | jq -r .Status)" Pending \
	"empty store: nothing counts as in force on a node that holds"
serve_store state
check "the right store is back: the node follows it by itself" wait_for 10 follows
check "the open connection has gone on" conversation_goes_on
check "and what is changed comes into force" comes_into_force 101

# --- the agent is restarted in between

serve_store empty
restart_agent
check "restarted agent: it holds" wait_for 10 says_that "another store"
nothing_is_lost "restarted agent"
serve_store state
check "restarted agent: it follows the right store by itself" wait_for 10 follows

# --- an older copy

serve_store older
check "older copy: the operator is told" wait_for 10 says_that "older copy of the store"
nothing_is_lost "older copy"
count_on
restart_agent
check "older copy that counts on with changes of its own, and a restarted agent: it holds still" \
	wait_for 10 says_that "changed apart"
check "older copy: the instances stand" instances_stand
check "older copy: the open connection goes on" conversation_goes_on
serve_store state
check "the right store is back after an older copy: the node follows it by itself" wait_for 10 follows
check "and what is changed comes into force" comes_into_force 102

# --- a copy that has every row of this node, as it is

copy_store twin
wait_for 20 follows || bail "the agent does not follow the store that was copied"
check "a copy is made, and the store goes on" comes_into_force 103
check "of which the node hears" wait_for 10 all_in_force
serve_store twin
check "a copy with all rows of the node: it holds" wait_for 10 says_that "older copy of the store"
count_on
restart_agent
check "a copy with all rows of the node, which counts on: it holds still" wait_for 10 says_that "changed apart"
check "and has not been followed meanwhile" says_it_holds
serve_store state
check "the right store is back after the copy: the node follows it by itself" wait_for 10 follows
check "and again what is changed comes into force" comes_into_force 104

# --- the whole state directory is another one (not mounted), and the agent starts like that

stop "$privlinkd_pid"
stop "$agent_pid"
mv "$dir/state" "$dir/away"
mkdir "$dir/state"
start_privlinkd
start_agent
check "state directory gone: it holds" wait_for 10 says_that "another store"
nothing_is_lost "state directory gone"
stop "$privlinkd_pid"
stop "$agent_pid"
rm -rf "${dir:?}/state"
mv "$dir/away" "$dir/state"
start_privlinkd
start_agent
check "mounted again: the node follows by itself" wait_for 10 follows
check "and the open connection has gone on" conversation_goes_on

# --- nothing is left that says which store it is: only what stands

lose_all_records() {
	stop "$privlinkd_pid"
	stop "$agent_pid"
	mv "$dir/state" "$dir/away"
	mkdir "$dir/state"
	rm -f "$dir/run/node.rows" "$dir/run/store.revision"
	start_privlinkd
	start_agent
}
lose_all_records
check "state directory and kept rows gone: it holds" wait_for 10 says_that "knows none of the instances on this node"
check "state directory and kept rows gone: it says what to do" says_that "privlink node accept-store"
check "state directory and kept rows gone: the instances stand" instances_stand
check "state directory and kept rows gone: the open connection goes on" conversation_goes_on
restart_agent
check "state directory and kept rows gone, a restarted agent: it holds still" \
	wait_for 10 says_that "knows none of the instances on this node"
check "state directory and kept rows gone, a restarted agent: the instances stand" instances_stand
stop "$privlinkd_pid"
stop "$agent_pid"
rm -rf "${dir:?}/state"
mv "$dir/away" "$dir/state"
rm -f "$dir/state/node.json"
start_privlinkd
start_agent
check "the store mounted again, nothing else known: the node follows by itself" wait_for 10 follows
check "and the open connection has gone on" conversation_goes_on

# --- root says that the other store is right

check "a node that does not hold has nothing to accept" fails 1 "this node does not hold" accept_store
serve_store empty
wait_for 10 says_that "another store"
check "root accepts the store on the node" accept_store
check "the node follows it" wait_for 10 follows
check "and is as it says: the old instances are gone" wait_for 10 bash -c "! test -e /run/netns/$c && ! test -e /run/netns/$s"
is "$(as_admin call vpc DescribeVpcAttribute VpcId="$id" | jq -r .Status)" Available "what was wished for is in force"
is "$(jq -r .store "$dir/state/node.json")" "$(head -n 1 "$dir/empty/store.id")" "it stands in the node's file"
restart_agent
check "and an agent that starts anew follows it, too" wait_for 10 follows

# --- and a backup from before brings back the old one, with all that is in the state directory

serve_store older
check "an older copy of the store from before: it holds" wait_for 10 says_that "another store"
stop "$agent_pid"
cp "$dir/older.node.json" "$dir/state/node.json"
: >"$dir/agent.log"
start_agent
wait_for 10 has_decided_since ""
check "and with the node's file from before, too" says_it_holds
check "which the operator is told" wait_for 10 says_that "another store"
check "and the log says what does not agree" grep -q " warning: file=$dir/state/node.json names another store" "$dir/agent.log"
is "$(jq -r .store "$dir/state/node.json")" "$(head -n 1 "$dir/empty/store.id")" "the file names again what is in force"
old_is_gone() { absent "/run/netns/$c" "/run/netns/$s" "/run/netns/$t"; }
check "and nothing of the old store came into force" old_is_gone
serve_store empty
check "the store that root accepted is back: the node follows it by itself" wait_for 10 follows
serve_store older
wait_for 10 says_that "another store"
check "root accepts the old one" accept_store
check "and the node follows it, with its instances" wait_for 20 instances_stand

finish
