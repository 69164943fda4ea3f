#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A node stays the node that it is, whatever its host is called by now, and what is not its own is named and not
# touched. The agent runs as on a machine: without --node, in a UTS namespace whose host name the test sets.
. "$(dirname "$0")/lib.sh" || exit 1
h=cn-hangzhou-h
host=$node # what the machine is called
pins=/sys/fs/bpf/privlink

run_agent() { # ARGUMENT… : in the lab, on a host of that name
	unshare --uts bash -c 'hostname "$1" && shift && exec "$@"' - "$host" nsenter --net="/run/netns/$lab" \
		"$build/src/cmd/privlink-agent" --state-dir "$dir/state" --run-dir "$dir/run" \
		--resolv-conf "$dir/resolv.conf" --catalogue "$source_dir/data/catalogue.json" "$@"
}

# Through exec, so that the number is the agent's.
start_agent() { # ARGUMENT…
	unshare --uts bash -c 'hostname "$1" && shift && exec "$@"' - "$host" nsenter --net="/run/netns/$lab" \
		"$build/src/cmd/privlink-agent" --state-dir "$dir/state" --run-dir "$dir/run" \
		--resolv-conf "$dir/resolv.conf" --catalogue "$source_dir/data/catalogue.json" "$@" >>"$dir/agent.log" 2>&1 &
	agent_pid=$!
	remember pid $agent_pid
	disown $agent_pid
}

stop_agent() {
	kill -TERM "$agent_pid"
	wait_for 10 ended "$agent_pid"
}

is_live() { as_admin call privlink ListNodes | jq -e --arg n "$1" '.Nodes[] | select(.NodeName == $n) | .Live'; } # NODE
status_is() { [ "$(status Status)" = "$1" ]; }
only_node() { [ "$(nodes)" = "$1" ]; }
nodes() { as_admin call privlink ListNodes | jq -r '.Nodes[].NodeName' | paste -sd,; }
recorded() { jq -r .name "$dir/state/node.json"; }
recorded_is() { [ "$(recorded)" = "$1" ]; }
answers() { inside "$a" ping -c 1 -W 2 -q 10.0.1.11; }
resolves() { ip netns exec "$a" "$source_dir/scripts/ask-dns" "$1"; }
last_start() { : >"$dir/agent.log"; start_agent "$@"; }
refuses() { # WORD… : the agent ends by itself and its log has each of the words
	local word
	wait_for 10 ended "$agent_pid" || return 1
	for word in "$@"; do
		grep -q -e "$word" "$dir/agent.log" || { echo "no \"$word\" in:"; cat "$dir/agent.log"; return 1; }
	done
}
nothing_left() { # NODE
	lists_no "privlink/$1/" in_lab ip -o link && absent "$pins/$1" "/run/netns/privlink-$1" "/run/netns/$a" "/etc/netns/$a"
}
names_resolve() { # the instance's resolver answers for its VPC, be it that there is no such name
	inside "$a" python3 "$source_dir/tests/net/peer.py" first-answer 100.100.2.136 "$eni_name" 5 | grep -q '^[0-9]'
}

lab_start
account tenant
vpc=$(make_vpc tenant 10.0.0.0/16)
vswitch=$(make_vswitch tenant "$vpc" $h 10.0.1.0/24)
group=$(make_group tenant "$vpc" ICMP:-1/-1:10.0.0.0/16)
a=$(make_instance tenant "$vswitch" "$group" 10.0.1.10) b=$(make_instance tenant "$vswitch" "$group" 10.0.1.11)
eni_name=pai-dlc-vpc.cn-hangzhou.aliyuncs.com
is "$(recorded)" "$node" "a node writes down the name that its host has when it starts for the first time"
is "$(stat -c %a:%u "$dir/state/node.json")" 600:0 "for root alone"

# --- the host gets another name between stop and start

stop_agent
host=renamed-$$
last_start
check "an agent whose host was renamed while it was stopped starts" wait_for 10 node_live
check "its instances reach each other" answers
check "and names resolve" names_resolve
is "$(nodes)" "$node" "it is the same node"
check "and says that its name is from its file" grep -q "node=$node: its name is from node.json" "$dir/agent.log"

# --- between a reboot and the start: no device, no namespace, no pin, an empty /run

reboot() {
	stop_agent
	for name in "$a" "$b" "privlink-$node"; do ip netns del "$name"; done
	wait_for 10 no_devices
	rm -rf "${pins:?}/${node:?}"
	find "${dir:?}/run" -name 'agent.*' -delete
	find "${dir:?}/run" -name 'node.*' -delete
}
no_devices() { lists_no ' pl[0-9a-f]*@' in_lab ip -o link; }
reboot
host=rebooted-$$
last_start
check "an agent whose host was renamed over a reboot makes the instances again" wait_for 20 answers
check "and reports" wait_for 10 node_live
is "$(nodes)" "$node" "as the same node"

# --- an installation from before the file

stop_agent
rm "$dir/state/node.json"
find "${dir:?}/run" -name 'node.*' -delete
host=upgraded-$$
last_start
check "without the file, the devices that are here tell the name" wait_for 10 node_live
check "which is written down" wait_for 10 recorded_is "$node"
is "$(nodes)" "$node" "there is one node still"
check "and its instances reach each other" answers

# --- another node's devices are in the way

stop_agent
cp "$dir/state/node.json" "$dir/kept.json"
sed -i "s/$node/other-$$/" "$dir/state/node.json"
last_start
check "devices of another node: the agent refuses, names it and its devices, and says what to do" \
	refuses "this node is other-$$" "mark of node $node" "pl0" "--remove --node $node"
check "with a status that systemd leaves it at" fails 78 "mark of node $node" run_agent
check "nothing of it is left half made" absent "$pins/other-$$"
check "and nothing of the other node is touched" answers
cp "$dir/kept.json" "$dir/state/node.json"
last_start --node "another-$$"
check "--node that says otherwise than the file, with devices here: refused" \
	refuses "this node is $node" "start without --node" "--remove --node $node"
is "$(recorded)" "$node" "and not written down"

# --- the file is empty, damaged, not readable

: >"$dir/state/node.json"
last_start
check "an empty file is no new node: the agent refuses and says so" refuses "node.json is damaged" "remove it"
check "with a status that systemd leaves it at" fails 78 "node.json is damaged" run_agent
head -c 20 "$dir/kept.json" >"$dir/state/node.json"
last_start
check "nor is one that was cut" refuses "node.json is damaged"
echo '{"name": "../../etc", "store": "", "revision": 1}' >"$dir/state/node.json"
last_start
check "nor one with a name that no node has" refuses "node.json is damaged"
rm "$dir/state/node.json"
mkdir "$dir/state/node.json"
last_start
check "one that cannot be read is named" refuses "cannot read file=$dir/state/node.json"
check "which may pass: systemd starts it again" fails 1 "cannot read file=$dir/state/node.json" run_agent
rmdir "$dir/state/node.json"
last_start
check "doing what it says heals: without the damaged file it starts" wait_for 10 node_live
check "as the node whose devices are here" wait_for 10 recorded_is "$node"

# --- a node's namespaces and pins are the machine's: whoever names it finds its agent, wherever that runs

elsewhere() { # ARGUMENT… : an agent of that name in a network namespace and with directories of its own
	unshare --net "$build/src/cmd/privlink-agent" --node "$other" --state-dir "$dir/elsewhere" --run-dir "$dir/elsewhere" \
		--resolv-conf "$dir/resolv.conf" --catalogue "$source_dir/data/catalogue.json" "$@"
}
mkdir "$dir/elsewhere"
other=$node
check "--remove of a node whose agent lives in another network namespace is refused" \
	fails 1 "an agent of node=$node runs already" elsewhere --remove
check "its names and pins are there" test -e "/run/netns/privlink-$node" -a -e "$pins/$node" -a -e "/run/netns/$a"
check "and its instance answers" answers
check "a second agent of the node does not start" fails 1 "an agent of node=$node runs already" elsewhere
check "the first goes on" answers
other=blocked-$$
ln -s "$dir/target" "/run/privlink-node-$other.pid"
check "a symbolic link where a node's lock belongs is called so" \
	fails 1 "file=/run/privlink-node-$other.pid: it is a symbolic link, and no file: remove it" elsewhere
rm "/run/privlink-node-$other.pid"
mkdir "/run/privlink-node-$other.pid"
check "so is a directory" fails 1 "file=/run/privlink-node-$other.pid: it is a directory, and no file: remove it" elsewhere
rmdir "/run/privlink-node-$other.pid"
check "nothing is made by then" absent "$dir/target" "$pins/$other" "/run/netns/privlink-$other"

# --- taking all away goes by what is here

stop_agent
rm "$dir/state/node.json"
host=removed-$$
run_agent --remove >"$dir/remove.log" 2>&1
ok $? "--remove on a host that was renamed, without the file, succeeds"
check "nothing of the node is left" nothing_left "$node"
check "nor its lock" absent "/run/privlink-node-$node.pid"
check "it says what it removed" grep -q "removed node=$node devices=" "$dir/remove.log"
mkdir -p "$pins/apart-$$"
run_agent --remove >"$dir/remove.log" 2>&1
check "a second time it says that there is nothing" grep -q "nothing of a node is here" "$dir/remove.log"
check "pins that may be those of a node elsewhere stay" test -e "$pins/apart-$$"
check "and nobody is told to take them from a node whose agent is stopped" \
	grep -q "left pins=$pins/apart-$$: .* leave them unless that node is to go from this machine" "$dir/remove.log"
rmdir "$pins/apart-$$"
host=$node
last_start
check "an agent that starts after it makes everything again" wait_for 20 answers
check "and reports" wait_for 10 node_live
stop_agent
host=moved-$$
run_agent --remove >"$dir/remove.log" 2>&1
check "with the file, --remove finds the node by it" nothing_left "$node"
check "which goes, too" absent "$dir/state/node.json"

# --- an installation that changed its node's name before this: the old node is lost, and forgotten

host=second-$$
last_start
check "an agent without any trace of the node is a new one" wait_for 20 is_live "second-$$"
status() { as tenant call ecs DescribeInstances "InstanceIds=[\"$a\"]" | jq -r ".Instances.Instance[0].$1"; }
check "a node that reports cannot be deleted" fails 1 "^NodeReports: " as_admin node delete "second-$$"
check "when the old node's lease is over, its instances do not read Running" wait_for 45 status_is Pending
check "and say why" bash -c "grep -q 'node $node has not reported since' <<<'$(status StatusInfo)'"
check "the list of nodes says so, too" bash -c "grep -q 'has not reported since' <<<'$(as_admin node list)'"
check "a node with instances is not deleted without --force, which names them" \
	fails 1 "^NodeInUse: .*$a" as_admin node delete "$node"
check "with --force it is" as_admin node delete "$node" --force
check "then it is gone" wait_for 10 only_node "second-$$"
is "$(status Status)" null "with its instances"
stop_agent
host=$node
run_agent --remove >/dev/null 2>&1

finish
