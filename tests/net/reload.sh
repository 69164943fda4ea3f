#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The agent as a service manager and an operator meet it: what it tells $NOTIFY_SOCKET, SIGHUP, settings from a file, and
# the CA of the instances when its file is lost, empty or replaced.
. "$(dirname "$0")/lib.sh" || exit 1

agent=$build/src/cmd/privlink-agent
notices=$dir/notices.log

# Writes each datagram as one line, members separated by blanks.
listen_to_notices() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    with open(sys.argv[2], "a") as f:
        f.write(" ".join(s.recv(4096).decode().split("\n")) + "\n")
' "$dir/notify" "$notices" &
	remember pid $!
	disown $!
	wait_for 5 test -S "$dir/notify"
}

start_agent() {
	NOTIFY_SOCKET=$dir/notify nsenter --net="/run/netns/$lab" "$agent" --node "$node" --state-dir "$dir/state" \
		--run-dir "$dir/run" --resolv-conf "$dir/resolv.conf" --catalogue "$source_dir/data/catalogue.json" \
		--config "$dir/agent.conf" >>"$dir/agent.log" 2>&1 &
	agent_pid=$!
	remember pid $agent_pid
	disown $agent_pid
}

said() { grep -q -- "$1" "$dir/agent.log"; }
noticed() { grep -q -- "$1" "$notices"; }
forget_words() { : >"$dir/agent.log"; : >"$notices"; }

mkdir -p "$dir/run" "$dir/state"
echo "# nothing yet" >"$dir/agent.conf"
touch "$notices"
listen_to_notices || bail "nobody listens to notices"
"$build/src/cmd/privlink" ca init --state-dir "$dir/state" >/dev/null || bail "cannot make a CA"
lab_start

check "the agent says that it is ready" wait_for 10 noticed '^READY=1 .*privlinkd takes the reports'
check "the node is live by then" node_live
is "$(tr '\0' '\n' <"/proc/$agent_pid/environ" | grep -c NOTIFY)" 1 "it was told whom to notify"

# --- SIGHUP

forget_words
echo "log-level = debug" >"$dir/agent.conf"
kill -HUP "$agent_pid"
check "SIGHUP: it reloads" wait_for 5 said 'reloaded'
check "and says so to the service manager" wait_for 5 noticed '^RELOADING=1 MONOTONIC_USEC=[1-9]'
check "and that it is done" wait_for 5 noticed '^READY=1'
check "the new log level holds" wait_for 5 said 'debug: pass full=1'
check "it is the same process" kill -0 "$agent_pid"
forget_words
echo "log-level = loud" >"$dir/agent.conf"
kill -HUP "$agent_pid"
check "a bad line is told with file, line, option and what it expects" wait_for 5 \
	said "config=$dir/agent.conf line=1: option log-level expects error, warning, info or debug, not \"loud\""
check "and what stands stays" wait_for 5 said 'the settings that stand stay in use'
check "also to the service manager" wait_for 5 noticed 'last reload failed'
check "the agent goes on" node_live
: >"$dir/agent.conf"

# --- the CA of the instances

account owner
vpc=$(make_vpc owner 10.0.0.0/16)
vswitch=$(make_vswitch owner "$vpc" cn-hangzhou-h 10.0.1.0/24)
group=$(make_group owner "$vpc")
instance=$(make_instance owner "$vswitch" "$group") || bail "no instance"
bundle=/etc/netns/$instance/ssl/certs/ca-certificates.crt
ca_line=$(sed -n 2p "$dir/state/ca.crt")
trusts_ca() { grep -qF -- "$ca_line" "$bundle"; }
trusts_other() { ! trusts_ca && grep -qF -- "$(sed -n 2p "$dir/state/ca.crt")" "$bundle"; }
check "an instance trusts the CA" wait_for 20 trusts_ca

forget_words
mv "$dir/state/ca.crt" "$dir/ca.kept"
check "the CA's file is lost: the log says so in a sentence" wait_for 20 said "the CA is gone file=$dir/state/ca.crt"
kill -HUP "$agent_pid"
wait_for 5 said 'reloaded'
check "and instances keep the CA" trusts_ca
kill -9 "$agent_pid"
start_agent
wait_for 20 node_live
check "also after the agent was killed" trusts_ca
"$agent" --check --catalogue "$source_dir/data/catalogue.json" --state-dir "$dir/state" >"$dir/check.log" 2>&1
is "$? $(grep -c 'the CA is gone' "$dir/check.log")" "1 1" "--check finds that it is gone"

for accident in empty text directory; do
	forget_words
	case $accident in
	empty) : >"$dir/state/ca.crt" ;;
	text) echo "hello" >"$dir/state/ca.crt" ;;
	directory) rm -f "$dir/state/ca.crt"; mkdir "$dir/state/ca.crt" ;;
	esac
	check "the CA's file is spoilt ($accident): the log says so" wait_for 20 said "cannot use the CA file=$dir/state/ca.crt"
	check "and instances keep the CA ($accident)" trusts_ca
done
rmdir "$dir/state/ca.crt"

forget_words
mv "$dir/ca.kept" "$dir/state/ca.crt"
check "the file is back: the log says whom instances trust" wait_for 20 said 'instances trust the CA subject='
check "which is the same" trusts_ca
rm "$dir/state/ca.crt"
"$build/src/cmd/privlink" ca init --state-dir "$dir/state" >/dev/null
check "one that was made anew takes its place" wait_for 20 trusts_other

# --- without privlinkd

kill -9 "$agent_pid" # first: it would say so, too
wait_for 5 ended "$agent_pid"
kill -9 "$privlinkd_pid"
wait_for 5 ended "$privlinkd_pid"
forget_words
start_agent
check "without privlinkd the agent is ready, too, and says that it is alone" wait_for 20 noticed '^READY=1 .*cannot be reached'
kill -TERM "$agent_pid"
check "it says that it stops" wait_for 5 noticed '^STOPPING=1'

finish
