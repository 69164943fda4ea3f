#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Pins are lost: one by one, all of them, and with the file system that they are in; with an agent, and while none runs. Open
# connections go on as long as anything still holds the tables, and everything is pinned again.
#   repair.sh [auto | clsact]
. "$(dirname "$0")/lib.sh" || exit 1
peer=$(cd "$(dirname "$0")" && pwd)/peer.py
h=cn-hangzhou-h
mode=${1:-auto}
# A bpffs of its own: that of the machine is others', too.
bpffs=$dir/bpf
pins=$bpffs/$node
agent_arguments=(--attach "$mode" --bpffs "$bpffs")

mkdir -p "$bpffs" && at_end lab_stop
remember mount "$bpffs"
remember mount "$pins" # where the agent mounts it by itself
mount -t bpf bpf "$bpffs" -o mode=700 || bail "cannot mount bpffs"
lab_start
account consumer
cv=$(make_vpc consumer 10.0.0.0/16)
ch=$(make_vswitch consumer "$cv" $h 10.0.1.0/24)
cg=$(make_group consumer "$cv" TCP:1/65535:10.0.0.0/16 ICMP:-1/-1:10.0.0.0/16)
c=$(make_instance consumer "$ch" "$cg") s=$(make_instance consumer "$ch" "$cg")
serve "$s" python3 "$peer" tcp-server 80 served
serve "$s" python3 "$peer" echo-server 81
sa=$(inside "$s" ip -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
names() { find "$pins" -type f ! -name '*.debug' -printf '%f\n' 2>/dev/null | sort | tr '\n' ' '; }
want=$(names)
reaches() { inside "$c" python3 "$peer" tcp "$sa" 80 1; }
is_whole() { [ "$(names)" = "$want" ] && reaches && node_live; }
kill_agent() {
	kill -9 "$agent_pid"
	wait_for 20 all_ended "$agent_pid" || bail "a daemon does not end"
	return 0
}

# --- one connection, for all of it
wait_for 10 inside "$c" python3 "$peer" pingpong "$sa" 81 1 || bail "nobody answers"
mkfifo "$dir/lines"
nsenter --net="/run/netns/$c" python3 "$peer" session "$sa" 81 <"$dir/lines" >"$dir/session" &
remember pid $!
disown $!
exec 9>"$dir/lines"
said=0
answered() { [ "$(wc -l <"$dir/session")" -gt $said ]; }
goes_on() {
	said=$((said + 1))
	echo "line $said" >&9
	wait_for 40 answered && [ "$(tail -n 1 "$dir/session")" = kept ]
}
wait_for 10 test -s "$dir/session" || bail "no connection"
goes_on
ok $? "a connection is open"

lost() { # alive|dead NAME COMMAND…
	local agent=$1 name=$2
	shift 2
	[ "$agent" = alive ] || kill_agent
	"$@" >/dev/null 2>&1
	[ "$agent" = alive ] || start_agent
	check "$name: all is pinned and serves" wait_for 40 is_whole
	goes_on
	ok $? "$name: the connection goes on"
}
remove_all() { rm -rf "${pins:?}"; }
remove_some() { # five times a fifth of them: the agent looks every five seconds
	local turn some
	for turn in 0 1 2 3 4; do
		mapfile -t some < <(tr ' ' '\n' <<<"$want" | awk -v turn=$turn 'NF && NR % 5 == turn')
		(cd "$pins" && rm -f "${some[@]}")
		wait_for 20 is_whole || return 1
	done
}
unmount() { umount "$bpffs"; }
mount_over() { mount -t bpf bpf "$bpffs" -o mode=700; }

check "each pin that is removed is there again" remove_some
lost alive "with an agent, each pin was removed" true
lost alive "with an agent, all pins are removed" remove_all
lost alive "with an agent, bpffs is unmounted" unmount
lost alive "with an agent, another bpffs is mounted over it" mount_over

# While no agent runs: a program array without its last name empties, and is filled again.
# (Each takes two seconds to come up, so a run takes a quarter of them; where a processor is emulated, a twelfth.)
parts=4
[ -z "${PRIVLINK_KERNEL_LAYER-}" ] || parts=12
part=$((SRANDOM % parts))
echo "# without an agent: part $part of $parts of the names"
without=$(tr ' ' '\n' <<<"$want" | awk -v part=$part -v parts=$parts 'NF && NR % parts == part')
for name in $without; do
	lost dead "without an agent, $name is removed" rm -f "$pins/$name"
done
lost dead "without an agent, all pins are removed" remove_all
lost dead "without an agent, bpffs is unmounted" unmount
lost dead "without an agent, another bpffs is mounted over it" mount_over

check "nothing was made anew that could be kept" fails 1 "" grep "making new tables" "$dir/agent.log"
check "and no repair failed for what was there" fails 1 "" grep "File exists" "$dir/agent.log"
exec 9>&-

# --- taken away: also what the agent has mounted by itself
unmount
check "once more without bpffs: all is pinned and serves" wait_for 40 is_whole
is "$(stat -f -c %T "$pins")" bpf_fs "in one that the agent has mounted"
kill_agent
check "--remove takes all away" in_lab "$build/src/cmd/privlink-agent" --remove --bpffs "$bpffs" --run-dir "$dir/run" \
	--state-dir "$dir/state"
check "with the pins and what was mounted for them" absent "$pins"
check "and what is recorded of the node" absent "$dir/state/node.json" "$dir/run/node.rows"

finish
