# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Away with all that quickstart made, however far it got and whatever was deleted by hand since. What was noted is only one
# source; the kernel's own marks are the other: processes carry PRIVLINK_QUICKSTART, a device says in its alias which node
# it belongs to (privlink/NODE/KIND/NUMBER/INSTANCE), a namespace in the alias of its loopback (privlink/NODE), and our node
# is called quickstart-…. Whatever has another node's mark is left alone: it is an installation's, or a test's. Sourced by
# quickstart.

# ---- what is here ----

our_processes() {
	local pid
	while read -r pid; do
		! grep -qszxF "$run_mark=${this_run-}" "/proc/$pid/environ" && runs "$pid" && echo "$pid"
	done < <(marked_processes "$mark=1")
}

# All devices of this network with a node's mark: "DEVICE NODE KIND NUMBER INSTANCE".
marked_devices() {
	ip -o link show 2>/dev/null |
		sed -nE 's,^[0-9]+: ([^:@]+)[:@].*alias privlink/([A-Za-z0-9_-]+)/([0-9])/([0-9a-f]+)/([A-Za-z0-9_-]*).*,\1 \2 \3 \4 \5,p'
}

# The nodes that are ours: by name, and by what was noted.
our_nodes() {
	local node
	{
		noted node
		node_name
		marked_devices | awk '$2 ~ /^quickstart-/ { print $2 }'
	} | sort -u | while read -r node; do
		[[ $node =~ ^[A-Za-z0-9_-]+$ ]] && echo "$node"
	done
}

# Names under /run/netns that the nodes made: by the mark inside, by the device at the other end (a tenant can take the mark
# off, but not that one's), and by what was noted. Namespaces that were there before and only attached are not among them.
our_namespaces() { # NODE...
	local nodes=" $* " path alias
	{
		for path in /run/netns/i-* /run/netns/privlink-*; do
			[ -e "$path" ] || continue
			alias=$(ip -n "${path##*/}" -o link show lo 2>/dev/null | sed -nE 's,.*alias privlink/([A-Za-z0-9_-]+).*,\1,p')
			[ -z "$alias" ] || [[ $nodes != *" $alias "* ]] || echo "${path##*/}"
		done
		marked_devices | awk -v nodes="$nodes" 'index(nodes, " " $2 " ") && $3 == 0 { print $5 }'
		noted instances
	} | grep -E '^(i|privlink)-[A-Za-z0-9_-]+$' | sort -u | while read -r path; do
		[ ! -e "/run/netns/$path" ] || echo "$path"
	done
}

# Instances whose files may be below /etc/netns though nothing else of them is left.
our_instances() { # NODE...
	{
		our_namespaces "$@"
		noted instances
		marked_devices | awk -v nodes=" $* " 'index(nodes, " " $2 " ") { print $5 }'
		printf 'privlink-%s\n' "$@"
	} | grep -E '^(i|privlink)-[A-Za-z0-9_-]+$' | sort -u
}

made_user() {
	[ "$(getent passwd privlink | cut -d : -f 5)" = "$user_comment" ]
}

# A line for each kind of thing of ours that is on this machine.
whats_here() {
	local node nodes
	mapfile -t nodes < <(our_nodes)
	our_processes | sed 's/^/process /'
	for node in "${nodes[@]}"; do
		marked_devices | awk -v node="$node" '$2 == node { print "device", $1 }'
		[ ! -e "$pins/$node" ] || echo "pins $pins/$node"
	done
	our_namespaces "${nodes[@]}" | sed 's/^/namespace /'
	! made_user || echo "user privlink"
	! is_ours || [ -z "$(ls -A "$state" 2>/dev/null)" ] || echo "state $state"
	[ ! -e "$mine" ] || echo "state $mine"
	[ ! -e "$notes" ] || echo "notes $notes"
}

# ---- away with it ----

unmount_file_systems() {
	local place
	# `ip netns` makes a mount of the directory of names.
	[ -z "$(noted no-netns)" ] || [ -n "$(ls -A /run/netns 2>/dev/null)" ] ||
		{ umount /run/netns && rmdir /run/netns; } 2>/dev/null
	while read -r place; do
		umount "$place" 2>/dev/null || umount -l "$place" 2>/dev/null
	done < <(noted mounts | tac)
}

# Our own processes and, in namespaces that a node of ours made, everyone.
stop_everything() { # NODE...
	local name pids
	mapfile -t pids < <({
		our_processes
		our_namespaces "$@" | while read -r name; do
			ip netns pids "$name" 2>/dev/null
		done
	} | sort -un)
	stop_processes "${pids[@]}"
}

# What the agent did not remove, because it is not there any more or was stopped in the middle.
remove_leftovers() { # NODE...
	local node device owner name
	while read -r device owner _; do
		for node in "$@"; do
			[ "$owner" != "$node" ] || ip link del "$device" 2>/dev/null
		done
	done < <(marked_devices)
	while read -r name; do
		ip netns del "$name" 2>/dev/null
	done < <(our_namespaces "$@")
	for node in "$@"; do
		rm -rf "${pins:?}/$node"
	done
	rmdir "$pins" 2>/dev/null
	return 0
}

# The state directory at last, and of it what says that it is ours: a --down that is ended before can be made again.
remove_state() {
	find "$state" -mindepth 1 -maxdepth 1 ! -path "$mine" -exec rm -rf {} + 2>/dev/null
	rm -rf "$mine"
	rmdir "$state" 2>/dev/null # may be a mount point
	rm -rf "${run:?}"
}

# Fails, and prints what is left, if something cannot be removed.
take_down() { # AGENT
	local agent=$1 node nodes instances name left all=
	! is_ours || all=yes # asked while our processes still tell
	mapfile -t nodes < <(our_nodes)
	mapfile -t instances < <(our_instances "${nodes[@]}")
	stop_everything "${nodes[@]}"
	for node in "${nodes[@]}"; do
		[ ! -x "$agent" ] || "$agent" --remove --node "$node" --run-dir "$run" --state-dir "$state" >/dev/null 2>&1
	done
	remove_leftovers "${nodes[@]}"
	for name in "${instances[@]}"; do
		rm -rf "/etc/netns/${name:?}"
	done
	rmdir /etc/netns 2>/dev/null
	unmount_file_systems
	! made_user || userdel privlink 2>/dev/null
	[ -z "$all" ] || remove_state
	rm -rf "$mine" "$notes"
	rmdir "$state" "$run" 2>/dev/null
	left=$(whats_here)
	[ -z "$left" ] || { printf '%s\n' "$left"; return 1; }
}
