#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a killed test left is removed by the next one, also while nobody has asked yet how it ended (as an init that reaps
# would): its namespaces, its node's pins, its daemons.
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1-}" = --killed ]; then
	. "$here/lib.sh" || exit 1
	lab_start
	account tenant
	vpc=$(make_vpc tenant 10.0.0.0/16)
	make_instance tenant "$(make_vswitch tenant "$vpc" cn-hangzhou-h 10.0.1.0/24)" "$(make_group tenant "$vpc")" >"$dir/instance"
	echo "$dir $lab $node $(cat "$dir/instance") $agent_pid" >"$2"
	kill -9 $$
fi

. "$here/lib.sh" || exit 1
mkdir -p "$dir"
lab_start
said=$(mktemp) || exit 1
exec 8>"$records/lock" && flock 8 || bail "no lock" # or a test that begins beside this one removes what it left
"$here/../system/no-reaper" "$dir/killed.pid" "$0" --killed "$said" 8>&- &
reaper=$!
remember pid $reaper
zombie() { grep -q '^State:.Z' "/proc/$(cat "$dir/killed.pid")/status"; }
check "a test was killed, and is a zombie" wait_for 60 zombie
read -r killed_dir killed_lab killed_node instance agent <"$said"
rm -f "$said"
check "its lab is still there" test -d "$killed_dir" -a -e "/run/netns/$killed_lab" -a -e "/run/netns/$instance"
forget_each_killed_run
exec 8>&-
left() { ls -d "$killed_dir" "/run/netns/$killed_lab" "/run/netns/$instance" "/etc/netns/$instance" "/sys/fs/bpf/privlink/$killed_node"; }
is "$(left 2>/dev/null)" "" "the next test removes what it left"
check "and its daemons have ended" ended "$agent"
kill -9 $reaper
finish
